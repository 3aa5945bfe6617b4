//! What the program says on the terminal. Everything else in the gateway is silent.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the program's voice")]

use std::io::Write as _;

/// Prints a result. A closed pipe (`orrery state | head`) is no error.
pub(crate) fn say(text: &str) {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Prints a remark for people, apart from results.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Prints something that a person should look at.
pub(crate) fn warn(text: &str) {
    note(&format!("warning: {text}"));
}

/// Text columns with aligned left edges, two spaces between, no trailing blanks.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut out = String::new();
        for (width, cell) in widths.iter().zip(cells) {
            out.push_str(cell);
            let fill = width.saturating_sub(cell.chars().count()) + 2;
            out.extend(std::iter::repeat_n(' ', fill));
        }
        out.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "x".to_owned()], vec!["grün".to_owned(), "y".to_owned()]];
        assert_eq!(super::table(&["id", "v"], &rows), "id    v\na     x\ngrün  y");
    }
}

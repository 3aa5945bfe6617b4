//! What the program says on the terminal. Everything else in the gateway is silent.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the program's voice")]

use std::borrow::Cow;
use std::io::{Error, ErrorKind, Result, Write as _};
use std::sync::OnceLock;

use twin_model::{TimeRange, Timestamp};

/// The first result that could not be printed.
static UNSAID: OnceLock<Error> = OnceLock::new();

/// Prints a result. What can't be printed is remembered for [`unsaid`]; a closed pipe (`orrery state | head`) is no error.
pub(crate) fn say(text: &str) {
    if let Err(error) = show(text)
        && error.kind() != ErrorKind::BrokenPipe
    {
        UNSAID.get_or_init(|| error);
    }
}

/// Prints a result that is lost where it can't be printed: a closed pipe is an error, too.
///
/// # Errors
/// Where standard output does not take it.
pub(crate) fn show(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", harmless(text))?;
    out.flush()
}

/// Why some result was not printed; none where all were.
pub(crate) fn unsaid() -> Option<&'static Error> {
    UNSAID.get()
}

/// A stretch of time in words. Where it has no bound, neither has what is said of it: limits of numbers are no times.
pub(crate) fn stretch(range: TimeRange) -> String {
    let end = |t: Timestamp, unbounded: &str| in_calendar(t).unwrap_or_else(|| unbounded.to_owned());
    format!("from {} to {}", end(range.start, "the beginning"), end(range.end, "the end"))
}

/// A time as it is written; none beyond the calendar, where there are only microseconds.
pub(crate) fn in_calendar(t: Timestamp) -> Option<String> {
    Some(t.to_string()).filter(|words| !words.ends_with("us"))
}

/// Prints a remark for people, apart from results.
pub(crate) fn note(text: &str) {
    writeln!(std::io::stderr().lock(), "{}", harmless(text)).ok();
}

/// Whatever files, senders and site files say, it steers no terminal: control characters but the ends of lines, and marks that turn the
/// direction of text round, are written by their numbers, as JSON does, so that JSON stays what it means.
fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
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
    fn nothing_of_outside_steers_a_terminal_and_json_keeps_its_meaning() {
        assert_eq!(super::harmless("a\u{1b}[2J\r\tb\nc\u{9b}\u{202e}é"), "a\\u001b[2J\\u000d\\u0009b\nc\\u009b\\u202eé");
        let json = serde_json::to_string_pretty(&["\u{1b}\u{9b}\u{7f}\u{202e}\t\n"]).unwrap();
        let said = super::harmless(&json);
        assert!(said.chars().all(|c| c == '\n' || !c.is_control()));
        assert_eq!(serde_json::from_str::<Vec<String>>(&said).unwrap(), ["\u{1b}\u{9b}\u{7f}\u{202e}\t\n"]);
    }

    #[test]
    fn limits_of_numbers_are_no_times() {
        use twin_model::{TimeRange, Timestamp};
        let eight: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        for (start, end, words) in [
            (eight, eight, "from 2026-03-02T08:00:00Z to 2026-03-02T08:00:00Z"),
            (Timestamp::MIN, eight, "from the beginning to 2026-03-02T08:00:00Z"),
            (eight, Timestamp::from_micros(i64::MAX - 1), "from 2026-03-02T08:00:00Z to the end"),
            (Timestamp::from_micros(i64::MIN + 3_600_000_000), Timestamp::MAX, "from the beginning to the end"),
        ] {
            assert_eq!(super::stretch(TimeRange::new(start, end)), words);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "x".to_owned()], vec!["grün".to_owned(), "y".to_owned()]];
        assert_eq!(super::table(&["id", "v"], &rows), "id    v\na     x\ngrün  y");
    }
}

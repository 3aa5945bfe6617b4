//! A CSV table row by row. Goes by the names in its first line; every other cell is text. Rows are split by `twin_table`.

use std::io::Read;

use twin_table::rows::{Cells as Split, Oddity, ROW_BYTES};
use twin_table::{Row, RowReader};

use super::COLUMNS;
use super::cells::Cell;
use super::reading::Rules;
use super::row::{Cells, Field, NO_CELLS, Reason, Refusal, fields};

/// Calls `each` with the line number of every row and its cells, or with why the row is none.
///
/// # Errors
/// Where the file can't be read, or its header names too little.
pub(super) fn read(
    input: impl Read,
    rules: &Rules,
    each: &mut dyn FnMut(u64, Result<&Cells<'_>, Refusal>),
) -> Result<(), String> {
    let mut rows = RowReader::new(input, rules.separator, rules.encoding).map_err(|e| e.to_string())?;
    let mut row = Row::default();
    loop {
        if !rows.read(&mut row, &|_| false).map_err(|e| e.to_string())? {
            return Err("it is empty; the first line must name the columns".to_owned());
        }
        match row.oddity.and_then(broken) {
            Some(refusal) if matches!(row.oddity, Some(Oddity::Zeros(_))) => each(row.line, Err(refusal)),
            _ => break,
        }
    }
    let names: Vec<String> = row.cells.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let fields = fields(names.iter().map(String::as_str)).map_err(|why| match names.as_slice() {
        // One name that holds all of them.
        [one] if one.contains([';', '\t', '|']) => format!("{why}; if something else separates its cells, say --separator"),
        _ => why,
    })?;
    // What `orrery export` writes has its quotes right, whatever its texts hold; elsewhere a row inside of a quote means that
    // the quote never closes.
    let ours = names == COLUMNS;
    let width = fields.len();
    let at = fields.iter().position(|field| *field == Some(Field::SourceTime)).unwrap_or(0);
    let has_time =
        |cells: &Split| cells.get(at).and_then(|cell| std::str::from_utf8(cell).ok()).is_some_and(|text| rules.times.fits(text));
    let is_row = |cells: &Split| !ours && cells.len() == width && has_time(cells);
    while rows.read(&mut row, &is_row).map_err(|e| e.to_string())? {
        if row.oddity == Some(Oddity::TooLong) {
            let what = format!("it is longer than {} MiB", ROW_BYTES >> 20);
            each(row.line, Err(Refusal::new(Reason::BrokenRow, what, "is a quote not closed?")));
            continue;
        }
        if let Some(refusal) = row.oddity.and_then(broken) {
            each(row.line, Err(refusal));
            continue;
        }
        // Separators at the end of a line mean nothing.
        let extra = (width..row.cells.len()).any(|at| row.cells.get(at) != Some(b""));
        if row.cells.len() < width || extra {
            let what = format!("it has {} cells, the first line has {width}", row.cells.len());
            each(row.line, Err(Refusal::new(Reason::BrokenRow, what, "quote texts that hold commas, quotes or line ends")));
            continue;
        }
        let mut cells = NO_CELLS;
        for (field, bytes) in fields.iter().zip(row.cells.iter()) {
            if let Some(cell) = field.and_then(|field| cells.get_mut(field.at())) {
                *cell = match std::str::from_utf8(bytes) {
                    Ok("") => Cell::Empty,
                    Ok(text) => Cell::Text(text),
                    Err(_) => Cell::Broken,
                };
            }
        }
        each(row.line, Ok(&cells));
    }
    Ok(())
}

/// A row that a power cut, or a cut on the way, left; `None` where it is whole.
fn broken(oddity: Oddity) -> Option<Refusal> {
    let help = match oddity {
        Oddity::HalfLetter => "was it cut off on its way?",
        _ => "was the power cut while it was written?",
    };
    Some(Refusal::new(Reason::BrokenRow, oddity.broken()?, help))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Lines of the rows and what stands in their value cells.
    fn check(table: &str, expected: &[(u64, &str)]) {
        for table in [table.to_owned(), table.replace('\n', "\r\n"), table.trim_end().to_owned()] {
            let mut found = Vec::new();
            read(table.as_bytes(), &Rules::default(), &mut |line, cells| {
                let value = match cells {
                    Ok(cells) => match &cells[super::super::row::Field::Value.at()] {
                        Cell::Text(text) => text.replace('\r', ""),
                        other => format!("{other:?}"),
                    },
                    Err(refusal) => refusal.what,
                };
                found.push((line, value));
            })
            .unwrap();
            let found: Vec<(u64, &str)> = found.iter().map(|(line, value)| (*line, value.as_str())).collect();
            assert_eq!(found, expected, "{table:?}");
        }
    }

    #[test]
    fn rows_have_the_numbers_of_their_lines() {
        check("signal,time,value\na,b,1\nc,d,2\n", &[(2, "1"), (3, "2")]);
        check("signal,time,value\n\n\na,b,1\n\nc,d,2\n", &[(4, "1"), (6, "2")]);
        check("signal,time,value\na,b,\"x\ny\"\nc,d,2\n", &[(2, "x\ny"), (4, "2")]);
        check("\u{feff}signal, time ,value\na,b\nc,d,2\n", &[(2, "it has 2 cells, the first line has 3"), (3, "2")]);
        check("signal,value,time\na,,b\n", &[(2, "Empty")]);
        check("signal,time,value\na,b,1,\nc,d,\"2\ne,f,3\n", &[(2, "1"), (3, "\"2"), (4, "3")]);
    }

    #[test]
    fn a_row_that_never_ends_does_not_take_the_whole_file_into_memory() {
        let long = io::Read::chain(&b"signal,time,value\na,b,\""[..], io::repeat(b'x').take(20 << 20));
        let long = io::Read::chain(long, &b"\nc,d,2\n"[..]);
        let mut found = Vec::new();
        read(long, &Rules::default(), &mut |line, cells| {
            found.push((line, cells.map(|_| ()).map_err(|refusal| refusal.what)));
        })
        .unwrap();
        assert_eq!(found, [(2, Err("it is longer than 4 MiB".to_owned())), (3, Ok(()))]);
    }
}

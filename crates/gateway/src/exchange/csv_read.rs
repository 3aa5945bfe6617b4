//! A CSV table row by row. Goes by the names in its first line; every other cell is text.

use std::cell::Cell as Shared;
use std::io::{self, Read};

use super::cells::Cell;
use super::row::{Cells, NO_CELLS, Reason, Refusal, fields};

/// Longest row; where one seems longer, a quote is not closed.
const ROW_BYTES: usize = 16 << 20;

/// Calls `each` with the line number of every row and its cells, or with why the row is none.
///
/// # Errors
/// Where the file can't be read, or its header names too little.
pub(super) fn read(input: impl Read, each: &mut dyn FnMut(u64, Result<&Cells<'_>, Refusal>)) -> Result<(), String> {
    // Ending rows at the line feed alone, and the last one too, is what makes line numbers exact.
    let input = Bounded { input: input.chain(&b"\n"[..]), row: Shared::new(0) };
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n')).from_reader(input);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(|e| e.to_string())? {
        return Err("it is empty; the first line must name the columns".to_owned());
    }
    let names: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let fields = fields(names.iter().map(|name| name.trim_start_matches('\u{feff}')))?;
    let returns = names.last().is_some_and(|name| name.ends_with('\r'));
    let mut next_line = reader.position().line();
    while reader.read_byte_record(&mut record).map_err(|e| e.to_string())? {
        reader.get_ref().row.set(0);
        let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        // Blank lines before a row are passed over, and the last row may end without its quote.
        let line = reader.position().line().saturating_sub(1 + within).max(next_line);
        next_line = reader.position().line();
        if returns && record.as_slice() == b"\r" {
            continue;
        }
        if record.len() != fields.len() {
            let what = format!("it has {} cells, the first line has {}", record.len(), fields.len());
            each(line, Err(Refusal::new(Reason::BrokenRow, what, "quote texts that hold commas, quotes or line ends")));
            continue;
        }
        let mut cells = NO_CELLS;
        for (at, (field, bytes)) in fields.iter().zip(record.iter()).enumerate() {
            let last = returns && at + 1 == fields.len();
            let bytes = if last { bytes.strip_suffix(b"\r").unwrap_or(bytes) } else { bytes };
            if let Some(cell) = field.and_then(|field| cells.get_mut(field.at())) {
                *cell = match std::str::from_utf8(bytes) {
                    Ok("") => Cell::Empty,
                    Ok(text) => Cell::Text(text),
                    Err(_) => Cell::Broken,
                };
            }
        }
        each(line, Ok(&cells));
    }
    Ok(())
}

/// Stops reading where one row takes too much, so that memory stays bounded whatever the file is.
struct Bounded<R> {
    input: R,
    /// Bytes since the last whole row, give or take a buffer.
    row: Shared<usize>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(into)?;
        self.row.set(self.row.get() + n);
        if self.row.get() > ROW_BYTES {
            return Err(io::Error::other("a row is longer than 16 MiB; is a quote not closed?"));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of the rows and what stands in their value cells.
    fn check(table: &str, expected: &[(u64, &str)]) {
        for table in [table.to_owned(), table.replace('\n', "\r\n"), table.trim_end().to_owned()] {
            let mut found = Vec::new();
            read(table.as_bytes(), &mut |line, cells| {
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
        check("\u{feff}signal,time,value\na,b\nc,d,2\n", &[(2, "it has 2 cells, the first line has 3"), (3, "2")]);
        check("signal,value,time\na,,b\n", &[(2, "Empty")]);
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_take_the_whole_file_into_memory() {
        let endless = io::Read::chain(&b"signal,time,value\na,b,\""[..], io::repeat(b'x'));
        let error = read(endless, &mut |_, _| panic!("no row")).unwrap_err();
        assert!(error.contains("is a quote not closed"), "{error}");
    }
}

//! A CSV table row by row. Goes by the names in its first line and in headers further down; every other cell is text. Rows are split by
//! `twin_table`.

use std::io::Read;

use twin_table::rows::{Cells as Split, Oddity, ROW_BYTES};
use twin_table::{Row, RowReader, TimeSpec};

use super::COLUMNS;
use super::cells::Cell;
use super::reading::Rules;
use super::row::{Cells, Field, NO_CELLS, Reason, Refusal, fields};

/// What the names of a header are about.
struct Header {
    names: Vec<String>,
    fields: Vec<Option<Field>>,
    /// The cell of the time.
    time: usize,
    /// It is that of `orrery export`.
    ours: bool,
}

impl Header {
    fn new(names: Vec<String>) -> Result<Self, String> {
        let fields = fields(names.iter().map(String::as_str))?;
        let time = fields.iter().position(|field| *field == Some(Field::SourceTime)).unwrap_or(0);
        // What `orrery export` writes has its quotes right, whatever its texts hold; elsewhere a row inside of a quote means that
        // the quote never closes.
        let ours = names == COLUMNS;
        Ok(Self { names, fields, time, ours })
    }

    /// Whether a line by itself would be a row of the table.
    fn is_row(&self, cells: &Split, times: &TimeSpec) -> bool {
        !self.ours && cells.len() == self.fields.len() && text(cells, self.time).is_some_and(|text| times.fits(text))
    }

    /// Whether a row names columns again, as where files are put together: its time is the name of that column, as in a table of a
    /// source, or it names all that is needed.
    fn comes_again(&self, row: &Row, times: &TimeSpec) -> bool {
        let name = self.names.get(self.time).map(String::as_str).unwrap_or_default();
        let names_signals = || (0..row.cells.len()).any(|at| text(&row.cells, at).map(str::trim) == Some("signal"));
        row.names_again(self.time, name, &self.names, &|cell| times.fits(cell))
            || names_signals() && Self::new(names(&row.cells)).is_ok()
    }
}

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
    let mut header = first_header(&mut rows, &mut row, each)?;
    // The line of a header that can't be used, and why: what stands under it is nobody's.
    let mut unusable: Option<(u64, String)> = None;
    while rows.read(&mut row, &|cells| header.is_row(cells, &rules.times)).map_err(|e| e.to_string())? {
        if row.oddity.is_none() && header.comes_again(&row, &rules.times) {
            match Header::new(names(&row.cells)) {
                Ok(again) => (header, unusable) = (again, None),
                Err(why) => unusable = Some((row.line, why)),
            }
            continue;
        }
        match &unusable {
            Some((line, why)) => {
                let what = format!("it stands under the header of line {line}, and {why}");
                each(
                    row.line,
                    Err(Refusal::new(Reason::BrokenRow, what, "mend that header, or import its rows as a file of their own")),
                );
            }
            None => cells_of(&row, &header.fields, each),
        }
    }
    Ok(())
}

/// The first row that is no word about the separator.
fn first_header(
    rows: &mut RowReader<impl Read>,
    row: &mut Row,
    each: &mut dyn FnMut(u64, Result<&Cells<'_>, Refusal>),
) -> Result<Header, String> {
    let mut separator_said = false;
    loop {
        if !rows.read(row, &|_| false).map_err(|e| e.to_string())? {
            return Err("it is empty; the first line must name the columns".to_owned());
        }
        if let Some(refusal) = row.oddity.filter(|oddity| matches!(oddity, Oddity::Zeros(_))).and_then(broken) {
            each(row.line, Err(refusal));
        } else if !separator_said && row.says_separator() {
            separator_said = true;
        } else {
            break;
        }
    }
    let names = names(&row.cells);
    // One name that holds all of them.
    let joined = matches!(names.as_slice(), [one] if one.contains([';', '\t', '|']));
    Header::new(names).map_err(|why| match joined {
        true => format!("{why}; if something else separates its cells, say --separator"),
        false => why,
    })
}

fn cells_of(row: &Row, fields: &[Option<Field>], each: &mut dyn FnMut(u64, Result<&Cells<'_>, Refusal>)) {
    let width = fields.len();
    if row.oddity == Some(Oddity::TooLong) {
        let what = format!("it is longer than {} MiB", ROW_BYTES >> 20);
        each(row.line, Err(Refusal::new(Reason::BrokenRow, what, "is a quote not closed?")));
        return;
    }
    if let Some(refusal) = row.oddity.and_then(broken) {
        each(row.line, Err(refusal));
        return;
    }
    // Separators at the end of a line mean nothing.
    let extra = (width..row.cells.len()).any(|at| row.cells.get(at) != Some(b""));
    if row.cells.len() < width || extra {
        let what = format!("it has {} cells, the header has {width}", row.cells.len());
        each(row.line, Err(Refusal::new(Reason::BrokenRow, what, "quote texts that hold commas, quotes or line ends")));
        return;
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

/// A header's names, blanks cut.
fn names(cells: &Split) -> Vec<String> {
    cells.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}

fn text(cells: &Split, at: usize) -> Option<&str> {
    cells.get(at).and_then(|cell| std::str::from_utf8(cell).ok())
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
        check("\u{feff}signal, time ,value\na,b\nc,d,2\n", &[(2, "it has 2 cells, the header has 3"), (3, "2")]);
        check("signal,value,time\na,,b\n", &[(2, "Empty")]);
        check("signal,time,value\na,b,1,\nc,d,\"2\ne,f,3\n", &[(2, "1"), (3, "\"2"), (4, "3")]);
    }

    #[test]
    fn headers_further_down_are_followed_as_in_a_table_of_a_source() {
        check("signal,time,value,quality\na,b,1,q\nsignal,time,quality,value\nc,d,q,2\n", &[(2, "1"), (4, "2")]);
        check("signal,time,value\na,b,1\nsignal,time,value\nc,d,2\n", &[(2, "1"), (4, "2")]);
        check("signal,time,value\na,b,1\n\ntime,signal,value\nd,c,2\n", &[(2, "1"), (5, "2")]);
        check("signal,time,value\na,b,1\nvalue,signal,time\n2,c,d\n", &[(2, "1"), (4, "2")]);
        check("signal,time,value,note\na,b,1,time\nc,d,2,time\n", &[(2, "1"), (3, "2")]);
        let renamed = "it stands under the header of line 3, and it has no column source_time or time; it has: signal, TIME, value. \
                       docs/HISTORIAN.md names the columns";
        check("signal,time,value\na,b,1\nsignal,TIME,value\nc,d,2\n", &[(2, "1"), (4, renamed)]);
        let under = "it stands under the header of line 3, and it has no column value or value_double; it has: signal, time, val. \
                     docs/HISTORIAN.md names the columns";
        check("signal,time,value\na,b,1\nsignal,time,val\nc,d,2\nsignal,time,value\ne,f,3\n", &[(2, "1"), (4, under), (6, "3")]);
        check("sep=,\nsignal,time,value\na,b,1\n", &[(3, "1")]);
        check("SEP=;\nsignal,time,value\na,b,1\n", &[(3, "1")]);
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

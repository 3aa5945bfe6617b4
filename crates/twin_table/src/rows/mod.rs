//! Rows of a text file, one at a time in bounded memory, each with its line and its place in the file. Knows no columns.
//!
//! A quote that never closes costs its own row at most: it is taken as it stands, its row is marked, and reading goes on at the
//! next line. It is told from a text of several lines by what follows: a whole row of the table inside of it, a closing quote in
//! the middle of a cell, more than [`ROW_BYTES`], or the end of the file.
//!
//! Where the power fails, files have blocks of NUL bytes: such a block is passed over and told, and what stands behind it is read.

mod encoding;
mod foreign;
mod split;

use std::io::{self, Read};

pub use encoding::Encoding;
pub use split::Cells;
use split::{Literal, Split, Splitter};

/// Longest row, with all lines of its quoted cells. A table of 100,000 columns has shorter ones; what is longer is no table.
pub const ROW_BYTES: usize = 4 << 20;
/// After so many quotes that never closed, quotes of the file mean nothing: looking for each one's end would cost too much. One for whose
/// end more than [`LOOKED_FOR`] was looked through counts as often as that.
pub const STRAY_QUOTES: u32 = 1_000;
/// See [`STRAY_QUOTES`].
const LOOKED_FOR: usize = 256 << 10;
/// NUL bytes in the middle of a line that break it, where no separator follows: devices pad texts with fewer, or up to one.
const BREAKS: usize = 16;
/// A byte order mark, decoded. At the beginning of a line it is none of the text.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

/// A row, or a line that is none.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// Byte of the file at which it begins.
    pub offset: u64,
    /// Bytes of the file up to the next row.
    pub bytes: u64,
    /// Its cells; none where it is too long.
    pub cells: Cells,
    /// One or more blank lines stand before it.
    pub after_blank: bool,
    /// What is odd about it.
    pub oddity: Option<Oddity>,
}

impl Row {
    /// Whether it is a header again, of a table with these `names` whose time stands at `at` under `name`, and `is_time` tells times:
    /// * it says the name there; or elsewhere, and stands behind a blank line or has another of the names where the time was;
    /// * or it has no time there, and names the other columns, in whatever case, and nothing else but perhaps its time, under another
    ///   name: what stands under it must not be read by the header before.
    pub fn names_again(&self, at: usize, name: &str, names: &[String], is_time: &dyn Fn(&str) -> bool) -> bool {
        let text = |cell| std::str::from_utf8(cell).ok().map(str::trim);
        let there = self.cells.get(at).and_then(text).unwrap_or_default();
        let another = || !there.is_empty() && names.iter().any(|known| known == there);
        // Asked of every row, and nearly all of them begin their time with a digit.
        let seldom = self.after_blank || !there.starts_with(|c: char| c.is_ascii_digit()) || another();
        if name.is_empty() || !seldom || is_time(there) {
            return false;
        }
        let moved = || (self.after_blank || another()) && self.cells.iter().any(|cell| text(cell) == Some(name));
        there == name || moved() || self.names_others(name, names)
    }

    /// Whether its cells are names of columns, all but one at most, and two or as many as there are.
    fn names_others(&self, name: &str, names: &[String]) -> bool {
        let others = || names.iter().filter(|known| !known.is_empty() && *known != name);
        let cells = self.cells.iter().map(|cell| std::str::from_utf8(cell).unwrap_or("\u{fffd}").trim());
        let (mut known, mut strange) = (0, 0);
        for cell in cells.filter(|cell| !cell.is_empty()) {
            let of_them = others().any(|known| known.eq_ignore_ascii_case(cell));
            (known, strange) = (known + usize::from(of_them), strange + usize::from(!of_them));
        }
        strange <= 1 && known >= others().count().clamp(1, 2)
    }

    /// Whether it is `sep=;`, with whatever separator: a word to spreadsheets, which want and write it above the header.
    pub fn says_separator(&self) -> bool {
        let first = self.cells.get(0).and_then(|cell| std::str::from_utf8(cell).ok()).map(str::trim);
        let said = first.and_then(|first| first.split_at_checked(4)).filter(|(word, _)| word.eq_ignore_ascii_case("sep="));
        said.is_some_and(|(_, rest)| rest.chars().count() <= 1)
            && self.cells.iter().skip(1).all(<[u8]>::is_empty)
            && self.cells.len() <= 2
    }
}

/// What is odd about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// A quote in this cell (from 0) never closes; cells from there on are taken as they stand.
    OpenQuote(usize),
    /// The same, where it is not known whether it closes: it does not within [`ROW_BYTES`].
    LongQuote(usize),
    /// It is longer than [`ROW_BYTES`]; its cells are gone.
    TooLong,
    /// It is none: so many NUL bytes stand where one should begin. It has no cells.
    Zeros(u64),
    /// It breaks off in so many NUL bytes: its last cell is a part of one.
    BrokenOff(u64),
    /// The file ends within it in the middle of a letter of two bytes; without cells where nothing else of it is there.
    HalfLetter,
}

impl Oddity {
    /// What a power cut, or a cut on the way, left of a row, in words; `None` where it is something else.
    pub fn broken(self) -> Option<String> {
        match self {
            Self::Zeros(n) => Some(format!("{n} NUL bytes stand where a row should begin")),
            Self::BrokenOff(n) => Some(format!("it breaks off in {n} NUL bytes")),
            Self::HalfLetter => Some("the file ends in the middle of a letter".to_owned()),
            Self::OpenQuote(_) | Self::LongQuote(_) | Self::TooLong => None,
        }
    }
}

/// Reads rows. See the module's head.
pub struct RowReader<R> {
    input: R,
    encoding: Encoding,
    separator: u8,
    /// What ends a line; a lone carriage return in files without any line feed.
    end: u8,
    /// Bytes that begin a letter.
    carry: Vec<u8>,
    /// Decoded text; rows before `at` are done.
    text: Vec<u8>,
    at: usize,
    done: bool,
    offset: u64,
    line: u64,
    strays: u32,
    literal_from: Option<u64>,
    /// The file ends in the middle of a letter, and no row has said so.
    half: bool,
}

impl<R: Read> RowReader<R> {
    /// Reads from the beginning of a file; what its encoding is stands in its first bytes or was declared.
    ///
    /// # Errors
    /// Where nothing can be read; of kind [`io::ErrorKind::InvalidData`], with what it is and what to do, where it is no text.
    pub fn new(input: R, separator: u8, declared: Option<Encoding>) -> io::Result<Self> {
        let mut reader = Self::at(input, separator, Encoding::Utf8, 0, 1);
        let mut start = Vec::new();
        reader.input.by_ref().take(PIECE as u64).read_to_end(&mut start)?;
        if let Some((what, help)) = foreign::foreign(&start, declared) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is {what}; {help}")));
        }
        let (encoding, mark) = Encoding::of(&start, declared);
        reader.encoding = encoding;
        reader.offset = mark as u64;
        reader.carry = start.get(mark..).unwrap_or_default().to_vec();
        reader.decode(start.len() < PIECE);
        if !reader.text.contains(&b'\n') && reader.text.contains(&b'\r') {
            reader.end = b'\r';
        }
        Ok(reader)
    }

    /// Reads on from the beginning of a row that was read before; `offset` and `line` are its own.
    pub fn at(input: R, separator: u8, encoding: Encoding, offset: u64, line: u64) -> Self {
        let (carry, text) = (Vec::new(), Vec::new());
        Self {
            input,
            encoding,
            separator,
            end: b'\n',
            carry,
            text,
            at: 0,
            done: false,
            offset,
            line,
            strays: 0,
            literal_from: None,
            half: false,
        }
    }

    /// What the file is encoded in.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What ends its lines; for [`Self::ending_with`] of a reader that goes on in the middle.
    pub fn line_end(&self) -> u8 {
        self.end
    }

    /// The same reader for a file whose lines end so.
    #[must_use]
    pub fn ending_with(mut self, end: u8) -> Self {
        self.end = end;
        self
    }

    /// The line from which on quotes mean nothing, because too many never closed.
    pub fn literal_from(&self) -> Option<u64> {
        self.literal_from
    }

    /// Leaves out lines, whatever they hold, and says how many there were.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn skip_lines(&mut self, lines: usize) -> io::Result<usize> {
        let mut line = Row::default();
        for skipped in 0..lines {
            if self.is_over()? {
                return Ok(skipped);
            }
            self.too_long(&mut line)?;
        }
        Ok(lines)
    }

    /// Whether nothing is left.
    fn is_over(&mut self) -> io::Result<bool> {
        while self.at == self.text.len() && !self.done {
            self.fill()?;
        }
        Ok(self.at == self.text.len())
    }

    /// Reads the next row; false at the end. `is_row` says whether a line by itself would be a row of the table.
    ///
    /// # Errors
    /// Where the file can't be read. What is wrong with its text is in the row.
    pub fn read(&mut self, row: &mut Row, is_row: &dyn Fn(&Cells) -> bool) -> io::Result<bool> {
        row.after_blank = false;
        row.oddity = None;
        row.cells.clear();
        loop {
            self.compact();
            if self.zeros(row)? {
                return Ok(true);
            }
            let end = self.line_end_from(self.at, ROW_BYTES)?;
            // Files with a mark each that were joined.
            if self.text.get(self.at..).is_some_and(|text| text.starts_with(MARK)) {
                self.take(self.at + MARK.len());
                continue;
            }
            let stop = end.unwrap_or(self.text.len());
            if stop - self.at > ROW_BYTES {
                return self.too_long(row).map(|()| true);
            }
            if end.is_none() && stop == self.at {
                if self.half {
                    (row.line, row.offset) = (self.line, self.offset);
                    self.half_letter(row);
                }
                return Ok(row.oddity.is_some());
            }
            if !cut(self.piece(self.at, stop)).is_empty() {
                break;
            }
            row.after_blank = true;
            self.take(end.map_or(stop, |end| end + 1));
        }
        (row.line, row.offset) = (self.line, self.offset);
        let end = match self.breaks_off(row)? {
            Some(end) => end,
            None => self.whole(row, is_row)?,
        };
        self.take(end);
        row.bytes = self.offset - row.offset;
        if self.half && self.done && self.at == self.text.len() && self.text.last() != Some(&self.end) {
            self.half_letter(row);
        }
        Ok(true)
    }

    /// Passes over NUL bytes where a row should begin; false where there are none. A cell that is nothing but padding is left.
    fn zeros(&mut self, row: &mut Row) -> io::Result<bool> {
        if self.is_over()? || self.text.get(self.at) != Some(&0) {
            return Ok(false);
        }
        let run = |text: &[u8]| text.iter().take_while(|byte| **byte == 0).count();
        let first = run(self.text.get(self.at..).unwrap_or_default());
        if self.text.get(self.at + first) == Some(&self.separator) {
            return Ok(false);
        }
        (row.line, row.offset) = (self.line, self.offset);
        let mut all = 0;
        while !self.is_over()? {
            let more = run(self.text.get(self.at..).unwrap_or_default());
            if more == 0 {
                break;
            }
            all += more as u64;
            self.take(self.at + more);
            self.compact();
        }
        row.bytes = self.offset - row.offset;
        row.oddity = Some(Oddity::Zeros(all));
        Ok(true)
    }

    /// Reads a row that breaks off in NUL bytes, up to where the next begins behind them; `None` where it doesn't.
    fn breaks_off(&mut self, row: &mut Row) -> io::Result<Option<usize>> {
        let found = self.line_end_from(self.at, ROW_BYTES)?;
        let stop = found.unwrap_or(self.text.len());
        let line = self.piece(self.at, stop);
        let mut from = 0;
        while let Some(start) = memchr::memchr(0, line.get(from..).unwrap_or_default()).map(|at| from + at) {
            let zeros = line.get(start..).unwrap_or_default().iter().take_while(|byte| **byte == 0).count();
            from = start + zeros;
            let padded = match line.get(from) {
                Some(next) => *next == self.separator || matches!(next, b'"' | b'\r'),
                None => found.is_some(),
            };
            if zeros < BREAKS || padded {
                continue;
            }
            let text = line.get(..start).unwrap_or_default();
            if Splitter::default().go_on(text, self.separator, &Literal::NONE, &mut row.cells) != Split::Whole {
                row.cells.clear();
                Splitter::default().go_on(text, self.separator, &Literal::All, &mut row.cells);
            }
            row.oddity = Some(Oddity::BrokenOff(zeros as u64));
            return Ok(Some(self.at + from));
        }
        Ok(None)
    }

    /// The half of a letter at the end of the file belongs to this row.
    fn half_letter(&mut self, row: &mut Row) {
        self.half = false;
        self.offset += 1;
        row.bytes = self.offset - row.offset;
        row.oddity = Some(Oddity::HalfLetter);
    }

    /// Reads the cells of the row at hand and gives where the next one begins.
    fn whole(&mut self, row: &mut Row, is_row: &dyn Fn(&Cells) -> bool) -> io::Result<usize> {
        let mut from = self.at;
        let mut splitter = Splitter::default();
        let literal = if self.strays >= STRAY_QUOTES { Literal::All } else { Literal::NONE };
        if literal == Literal::All && self.literal_from.is_none() {
            self.literal_from = Some(self.line);
        }
        let mut alone = Cells::default();
        loop {
            let found = self.line_end_from(from, ROW_BYTES)?;
            let stop = found.unwrap_or(self.text.len());
            let text = cut(self.piece(self.at, stop));
            let (cell, long) = match splitter.go_on(text, self.separator, &literal, &mut row.cells) {
                Split::Whole => return Ok(found.map_or(stop, |end| end + 1)),
                Split::Stray(cell) => (cell, false),
                Split::Open(cell) => {
                    let next_is_row = from > self.at && {
                        alone.clear();
                        let line = cut(self.piece(from, stop));
                        Splitter::default().go_on(line, self.separator, &Literal::NONE, &mut alone) == Split::Whole
                            && is_row(&alone)
                    };
                    let ends = found.is_none() && self.done;
                    if found.is_some() && text.len() <= ROW_BYTES && !next_is_row {
                        from = stop + 1;
                        continue;
                    }
                    (cell, !next_is_row && !ends)
                }
            };
            let looked = stop - self.at;
            return self.literally(row, cell, long, looked);
        }
    }

    /// Reads the first line of the row at hand, with quotes that don't close as they stand.
    fn literally(&mut self, row: &mut Row, cell: usize, long: bool, looked: usize) -> io::Result<usize> {
        let found = self.line_end_from(self.at, ROW_BYTES)?;
        let stop = found.unwrap_or(self.text.len());
        let mut literal = vec![cell];
        loop {
            row.cells.clear();
            let text = cut(self.text.get(self.at..stop).unwrap_or_default());
            let all = Literal::Cells(literal.clone());
            let as_they_stand = if literal.len() > 16 { &Literal::All } else { &all };
            match Splitter::default().go_on(text, self.separator, as_they_stand, &mut row.cells) {
                Split::Whole => break,
                Split::Open(cell) | Split::Stray(cell) => literal.push(cell),
            }
        }
        // A quote that is closed before its cell ends is odd and harms nobody.
        let open = |cell: &usize| row.cells.get(*cell).is_some_and(|text| memchr::memchr_iter(b'"', text).count() % 2 == 1);
        row.oddity = literal.into_iter().find(open).map(if long { Oddity::LongQuote } else { Oddity::OpenQuote });
        if row.oddity.is_some() {
            self.strays += 1 + u32::try_from(looked / LOOKED_FOR).unwrap_or(STRAY_QUOTES);
        }
        Ok(found.map_or(stop, |end| end + 1))
    }

    /// Passes over a line without keeping it.
    fn too_long(&mut self, row: &mut Row) -> io::Result<()> {
        (row.line, row.offset, row.oddity) = (self.line, self.offset, Some(Oddity::TooLong));
        loop {
            let found = self.line_end_from(self.at, PIECE)?;
            self.take(found.map_or(self.text.len(), |end| end + 1));
            self.compact();
            if found.is_some() || self.done {
                break;
            }
        }
        row.bytes = self.offset - row.offset;
        Ok(())
    }

    fn piece(&self, from: usize, to: usize) -> &[u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The next line end at or behind `from`; `None` where the file ends before it, or more than `most` bytes from the row's
    /// beginning hold none.
    fn line_end_from(&mut self, from: usize, most: usize) -> io::Result<Option<usize>> {
        let mut from = from;
        loop {
            if let Some(end) = memchr::memchr(self.end, self.text.get(from..).unwrap_or_default()) {
                return Ok(Some(from + end));
            }
            if self.done || self.text.len() - self.at > most {
                return Ok(None);
            }
            from = self.text.len();
            self.fill()?;
        }
    }

    /// Reads a piece more. What is done stays until [`Self::compact`], so that positions stay, too.
    fn fill(&mut self) -> io::Result<()> {
        let before = self.carry.len();
        self.carry.resize(before + PIECE, 0);
        let got = loop {
            match self.input.read(self.carry.get_mut(before..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.carry.truncate(before + got.as_ref().map_or(0, |n| *n));
        self.decode(got? == 0);
        Ok(())
    }

    /// Throws away what is done.
    fn compact(&mut self) {
        if self.at >= PIECE || self.at == self.text.len() {
            self.text.drain(..self.at);
            self.at = 0;
        }
    }

    fn decode(&mut self, end: bool) {
        let pairs = matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be);
        self.half |= end && pairs && !self.carry.len().is_multiple_of(2);
        let used = self.encoding.decode(&self.carry, end, &mut self.text);
        self.carry.drain(..used);
        self.done = end;
    }

    /// Everything before `to` is done.
    fn take(&mut self, to: usize) {
        let text = self.text.get(self.at..to).unwrap_or_default();
        self.offset += self.encoding.raw_len(text);
        self.line += memchr::memchr_iter(self.end, text).count() as u64;
        self.at = to;
    }
}

/// A line without the carriage return at its end.
fn cut(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests;

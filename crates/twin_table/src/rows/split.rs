//! One row into its cells, with quotes as in RFC 4180 and as people break it. Knows one row and nothing of files.

/// A row's cells, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Those that stood in quotes, rising.
    quoted: Vec<usize>,
}

impl Cells {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of a cell, blanks and all.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.text.get(start..end)
    }

    /// Whether a cell stood in quotes: then the blanks in it are its own.
    pub fn was_quoted(&self, at: usize) -> bool {
        self.quoted.binary_search(&at).is_ok()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at).unwrap_or_default())
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.quoted.clear();
    }

    fn end(&mut self) {
        self.ends.push(self.text.len());
    }
}

/// What became of a piece of text that should hold one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    /// It is one row.
    Whole,
    /// A quote is open at its end, in this cell.
    Open(usize),
    /// A quote that was opened on an earlier line is closed in the middle of a cell: it was none.
    Stray(usize),
}

/// Cells whose quotes mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// These; few.
    Cells(Vec<usize>),
    All,
}

impl Literal {
    pub(super) const NONE: Self = Self::Cells(Vec::new());

    fn holds(&self, cell: usize) -> bool {
        match self {
            Self::Cells(cells) => cells.contains(&cell),
            Self::All => true,
        }
    }
}

/// Splits a row that may go on over lines; it remembers where it stopped, so that text may be added.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    at: usize,
    quoted: bool,
}

impl Splitter {
    /// Goes on with `text`, which holds the row from its beginning up to the end of a line (without it). Quotes of cells that
    /// `literal` names are taken as they stand.
    pub(super) fn go_on(&mut self, text: &[u8], separator: u8, literal: &Literal, cells: &mut Cells) -> Split {
        while let Some(byte) = text.get(self.at).copied() {
            if self.quoted {
                let rest = text.get(self.at..).unwrap_or_default();
                let Some(quote) = memchr::memchr(b'"', rest) else {
                    cells.text.extend_from_slice(rest);
                    self.at = text.len();
                    break;
                };
                cells.text.extend_from_slice(rest.get(..quote).unwrap_or_default());
                self.at += quote + 1;
                match text.get(self.at).copied() {
                    Some(b'"') => {
                        cells.text.push(b'"');
                        self.at += 1;
                    }
                    None => self.quoted = false,
                    Some(after) if after == separator || after == b'\r' => self.quoted = false,
                    // Blanks between a closing quote and the separator.
                    Some(b' ' | b'\t') if only_blanks(text, self.at, separator) => {
                        self.quoted = false;
                        while matches!(text.get(self.at), Some(b' ' | b'\t')) && text.get(self.at) != Some(&separator) {
                            self.at += 1;
                        }
                    }
                    Some(_) => return Split::Stray(cells.len()),
                }
                continue;
            }
            if byte == separator {
                cells.end();
                self.at += 1;
                continue;
            }
            let start = cells.ends.last().copied().unwrap_or(0);
            if byte == b'"' && cells.text.len() == start && !literal.holds(cells.len()) && self.opens(text, separator) {
                self.quoted = true;
                cells.quoted.push(cells.len());
                self.at += 1;
                continue;
            }
            let rest = text.get(self.at..).unwrap_or_default();
            let end = memchr::memchr2(separator, b'"', rest.get(1..).unwrap_or_default()).map_or(rest.len(), |end| end + 1);
            cells.text.extend_from_slice(rest.get(..end).unwrap_or_default());
            self.at += end;
        }
        if self.quoted {
            return Split::Open(cells.len());
        }
        cells.end();
        Split::Whole
    }

    /// A quote opens a cell where it is the cell's first letter.
    fn opens(&self, text: &[u8], separator: u8) -> bool {
        self.at == 0 || text.get(self.at - 1) == Some(&separator)
    }
}

fn only_blanks(text: &[u8], from: usize, separator: u8) -> bool {
    let rest = text.get(from..).unwrap_or_default();
    let after = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t') || **byte == separator);
    after.is_none_or(|byte| *byte == separator || *byte == b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> (Split, Vec<String>) {
        let mut cells = Cells::default();
        let outcome = Splitter::default().go_on(text.as_bytes(), b',', &Literal::NONE, &mut cells);
        (outcome, cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect())
    }

    #[test]
    fn rows_are_cut_at_separators_outside_of_quotes() {
        for (text, expected) in [
            ("a,b,c", vec!["a", "b", "c"]),
            ("", vec![""]),
            (",", vec!["", ""]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"hi\"\"\",c", vec!["say \"hi\"", "c"]),
            ("\"\",\"\"\"\"", vec!["", "\""]),
            ("half 12\" pipe,c", vec!["half 12\" pipe", "c"]),
            ("\"a\" ,c", vec!["a", "c"]),
            (" \"a\",c", vec![" \"a\"", "c"]),
        ] {
            assert_eq!(split(text), (Split::Whole, expected.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn a_quote_that_is_open_or_closed_at_an_odd_place_says_in_which_cell() {
        assert_eq!(split("a,\"b,c").0, Split::Open(1));
        assert_eq!(split("a,\"b\"x,c").0, Split::Stray(1));
        let mut cells = Cells::default();
        assert_eq!(Splitter::default().go_on(b"\"a\",\"b,c", b',', &Literal::Cells(vec![1]), &mut cells), Split::Whole);
        assert_eq!(cells.iter().collect::<Vec<_>>(), [&b"a"[..], b"\"b", b"c"]);
    }

    #[test]
    fn which_cells_stood_in_quotes_is_known() {
        let mut cells = Cells::default();
        Splitter::default().go_on(b"\" a \", b ,\"\",12\" pipe,\"c\"", b',', &Literal::NONE, &mut cells);
        assert_eq!((0..6).filter(|at| cells.was_quoted(*at)).collect::<Vec<_>>(), [0, 2, 4]);
        Splitter::default().go_on(b"\"a\",\"b", b',', &Literal::Cells(vec![1]), {
            cells.clear();
            &mut cells
        });
        assert_eq!((0..6).filter(|at| cells.was_quoted(*at)).collect::<Vec<_>>(), [0], "a quote that means nothing");
    }

    #[test]
    fn a_row_may_go_on_over_lines() {
        let (mut cells, mut splitter) = (Cells::default(), Splitter::default());
        assert_eq!(splitter.go_on(b"a,\"two", b',', &Literal::NONE, &mut cells), Split::Open(1));
        assert_eq!(splitter.go_on(b"a,\"two\r\nlines\",c", b',', &Literal::NONE, &mut cells), Split::Whole);
        assert_eq!(cells.iter().collect::<Vec<_>>(), [&b"a"[..], b"two\r\nlines", b"c"]);
    }
}

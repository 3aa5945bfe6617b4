//! Literal files in, rows with their lines and places out.

use super::*;

/// A line is a row of the test's tables where it has three cells and begins with a digit.
fn is_row(cells: &Cells) -> bool {
    cells.len() == 3 && cells.get(0).is_some_and(|cell| cell.first().is_some_and(u8::is_ascii_digit))
}

type Found = (u64, Vec<String>, Option<Oddity>);

fn rows(mut reader: RowReader<&[u8]>) -> Vec<(Found, u64, u64)> {
    let (mut row, mut out) = (Row::default(), Vec::new());
    while reader.read(&mut row, &is_row).unwrap() {
        let cells = row.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        out.push(((row.line, cells, row.oddity), row.offset, row.bytes));
    }
    out
}

fn check(text: &str, expected: &[(u64, &[&str], Option<Oddity>)]) {
    let expected: Vec<Found> =
        expected.iter().map(|(line, cells, oddity)| (*line, cells.iter().map(|c| (*c).to_owned()).collect(), *oddity)).collect();
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for bytes in [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes(), utf16, text.trim_end().as_bytes().to_vec()] {
        let reader = RowReader::new(bytes.as_slice(), b',', None).unwrap();
        let (encoding, found) = (reader.encoding(), rows(reader));
        let plain: Vec<Found> = found.iter().map(|(row, ..)| row.clone()).collect();
        assert_eq!(plain, expected, "{text:?}");
        // Each row can be read again from its place alone.
        for ((line, cells, oddity), offset, len) in found {
            let piece = &bytes[offset as usize..(offset + len) as usize];
            let again = rows(RowReader::at(piece, b',', encoding, offset, line));
            assert_eq!(again, [((line, cells, oddity), offset, len)], "{text:?}");
        }
    }
}

#[test]
fn rows_have_the_lines_on_which_they_begin() {
    check("a,b\nc,d\n", &[(1, &["a", "b"], None), (2, &["c", "d"], None)]);
    check("a,b\r\nc,d\r\n", &[(1, &["a", "b"], None), (2, &["c", "d"], None)]);
    check("a\n\n\r\nb\n", &[(1, &["a"], None), (4, &["b"], None)]);
    check("a,\"x\r\ny\"\r\nc,d\r\n", &[(1, &["a", "x\r\ny"], None), (3, &["c", "d"], None)]);
    check("Füllen,°C 💧\nc,d\n", &[(1, &["Füllen", "°C 💧"], None), (2, &["c", "d"], None)]);
    check("", &[]);
    check("a,\n", &[(1, &["a", ""], None)]);
}

#[test]
fn a_quote_that_never_closes_costs_its_own_cell() {
    let open = Some(Oddity::OpenQuote(1));
    check(
        "1,\"half inch,5\n2,ok,6\n3,\"also, quoted\",7\n",
        &[(1, &["1", "\"half inch", "5"], open), (2, &["2", "ok", "6"], None), (3, &["3", "also, quoted", "7"], None)],
    );
    // The end of the file, or a closing quote in the middle of a word, tells it too.
    check("x,\"half inch,5\nno row,6\n", &[(1, &["x", "\"half inch", "5"], open), (2, &["no row", "6"], None)]);
    check(
        "x,\"half inch,5\nno row,6\ny,3/4\" pipe,7\n",
        &[(1, &["x", "\"half inch", "5"], open), (2, &["no row", "6"], None), (3, &["y", "3/4\" pipe", "7"], None)],
    );
    check("x,\"3/4\" pipe,\"a,b\"\n", &[(1, &["x", "\"3/4\" pipe", "a,b"], None)]);
}

#[test]
fn a_text_of_several_lines_stays_one() {
    check("1,\"two\nlines, and\n\"\"more\"\"\",5\n", &[(1, &["1", "two\nlines, and\n\"more\"", "5"], None)]);
}

#[test]
fn files_of_old_macintoshes_have_lines_too() {
    let found = rows(RowReader::new(&b"a,b\rc,d\r"[..], b',', None).unwrap());
    assert_eq!(found.iter().map(|((line, ..), ..)| *line).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn skipped_lines_count() {
    let mut reader = RowReader::new(&b"made by \"a logger\n\na,b\n"[..], b',', None).unwrap();
    reader.skip_lines(2).unwrap();
    assert_eq!(rows(reader)[0].0, (3, vec!["a".to_owned(), "b".to_owned()], None));
    let mut beyond = RowReader::new(&b"a\n"[..], b',', None).unwrap();
    assert_eq!(beyond.skip_lines(9).unwrap(), 1);
    assert!(rows(beyond).is_empty());
}

/// So many pieces of 64 KiB.
struct Endless {
    piece: &'static [u8],
    pieces: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.pieces == 0 {
            return Ok(0);
        }
        self.pieces -= 1;
        into.iter_mut().zip(self.piece.iter().cycle()).for_each(|(into, from)| *into = *from);
        Ok(into.len())
    }
}

#[test]
fn memory_is_bounded_whatever_the_file_is() {
    let odd = [Oddity::TooLong, Oddity::OpenQuote(1), Oddity::Zeros(300 * PIECE as u64)].map(Some);
    for (piece, odd) in [&b"x"[..], b"a,\"half\n", b"\0", b"\n"].into_iter().zip(odd.into_iter().chain([None])) {
        let mut reader = RowReader::at(Endless { piece, pieces: 300 }, b',', Encoding::Utf8, 0, 1);
        let mut row = Row::default();
        while reader.read(&mut row, &is_row).unwrap() {
            assert_eq!(row.oddity, odd, "{piece:?}");
            if reader.strays >= STRAY_QUOTES {
                break;
            }
        }
        assert!(reader.text.capacity() < 4 * ROW_BYTES, "{}", reader.text.capacity());
    }
}

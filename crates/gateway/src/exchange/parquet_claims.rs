//! Looks over a Parquet file's footer and page headers before the decoder reads them. Both are in Thrift's compact protocol
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>), and the decoder passes over values that it
//! does not know one by one. Booleans in a collection take no byte as it reads them, nor does anything of fixed length behind the end:
//! a few bytes may claim billions of them, in each other, and would keep it busy for hours. Parquet has no such collections there and
//! ends where it should, so both are refused. It also reads what it knows as what that should be, whatever the file says that it is, and
//! goes on somewhere else: what is known has to be what it should (`parquet_shapes`).

use std::io::{self, Read};
use std::sync::Arc;

use parquet::errors::Result as Decoded;
use parquet::file::reader::{ChunkReader, Length};

use super::parquet_shapes::{FILE_META_DATA, Kind, PAGE_HEADER, Shape};

/// How deep values may lie in each other; the decoder's own limit.
const DEPTH: u8 = 64;
/// Most bytes of a page header: without statistics of long texts it has some dozens.
const HEADER: u64 = 1 << 20;
/// Bytes of a page header looked at first.
const GLANCE: u64 = 4 << 10;

/// A table that can be looked at beside its decoder.
pub(super) struct Shared<R>(pub(super) Arc<R>);

impl<R: ChunkReader> Length for Shared<R> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<R: ChunkReader> ChunkReader for Shared<R> {
    type T = Ending<R::T>;

    fn get_read(&self, start: u64) -> Decoded<Self::T> {
        self.0.get_read(start).map(Ending)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Decoded<axum::body::Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// Fails where the file ends. The decoder takes values of fixed length for passed over there, and goes on to the next.
pub(super) struct Ending<T>(T);

impl<T: Read> Read for Ending<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 if !into.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            length => Ok(length),
        }
    }
}

/// Why a walk ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The bytes end too early, or mean nothing.
    Short,
    /// What Parquet has not.
    Refused,
}

impl Stop {
    fn words(self, place: &str) -> String {
        let what = match self {
            Self::Short => "can't be read to its end",
            Self::Refused => "holds what no Parquet file has there",
        };
        format!("{place} {what}; the file is damaged, write it anew")
    }
}

/// The footer.
///
/// # Errors
/// Where it has no end, or the decoder would be kept busy by it.
pub(super) fn footer(table: &impl ChunkReader) -> Result<(), String> {
    let Some(tail) = table.len().checked_sub(8) else { return Ok(()) };
    let Some(size) = read(table, tail, 4).and_then(|size| size.first_chunk().map(|size| u32::from_le_bytes(*size))) else {
        return Ok(());
    };
    let Some(start) = tail.checked_sub(u64::from(size)) else { return Ok(()) };
    let Some(bytes) = read(table, start, u64::from(size)) else { return Ok(()) };
    Walk { bytes: &bytes, at: 0 }.structure(FILE_META_DATA, DEPTH).map(drop).map_err(|stop| stop.words("its footer"))
}

/// The headers of the pages in a stretch of the file.
///
/// # Errors
/// Where one of them has no end, or the decoder would be kept busy by it.
pub(super) fn pages(table: &impl ChunkReader, (start, length): (u64, u64)) -> Result<(), String> {
    let end = start.saturating_add(length).min(table.len());
    let mut at = start;
    while at < end {
        // Some writers forget a page header in the length of a stretch; the decoder reads on, too.
        let (mut most, rest) = (GLANCE, table.len() - at);
        let (header, size) = loop {
            let Some(bytes) = read(table, at, most.min(rest)) else { return Ok(()) };
            let mut walk = Walk { bytes: &bytes, at: 0 };
            match walk.structure(PAGE_HEADER, DEPTH) {
                Ok(size) => break (walk.at as u64, size),
                Err(Stop::Short) if most < HEADER && most < rest => most *= 16,
                Err(stop) => return Err(stop.words("the header of a page")),
            }
        };
        // Without a size the decoder says what is wrong.
        let Some(size) = size.and_then(|size| u64::try_from(size).ok()) else { return Ok(()) };
        at = at.saturating_add(header).saturating_add(size);
    }
    Ok(())
}

fn read(table: &impl ChunkReader, at: u64, length: u64) -> Option<axum::body::Bytes> {
    table.get_bytes(at, usize::try_from(length).ok()?).ok()
}

/// Passes over values.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = self.bytes.get(self.at).copied().ok_or(Stop::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn pass(&mut self, length: u64) -> Result<(), Stop> {
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        self.at = end.filter(|end| *end <= self.bytes.len()).ok_or(Stop::Short)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Stop> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Stop::Short)
    }

    fn zigzag(&mut self) -> Result<i64, Stop> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The fields of a structure to its end; its field 3 where that is an integer (of a page header: bytes of the page).
    fn structure(&mut self, shape: Shape, depth: u8) -> Result<Option<i64>, Stop> {
        let (mut field, mut third) = (0_i64, None);
        loop {
            let head = self.byte()?;
            let code = head & 15;
            if code == 0 {
                return Ok(third);
            }
            field = if head >> 4 == 0 { self.zigzag()? } else { field.saturating_add(i64::from(head >> 4)) };
            // The decoder cuts a longer number down to 16 bits, and has another field.
            if i16::try_from(field).is_err() {
                return Err(Stop::Refused);
            }
            let known = shape.iter().find(|(id, _)| i64::from(*id) == field).map(|(_, kind)| kind);
            if known.is_some_and(|kind| !kind.is_written_as(code)) {
                return Err(Stop::Refused);
            }
            match code {
                // Stands in the head.
                1 | 2 => {}
                4..=6 if field == 3 => third = Some(self.zigzag()?),
                _ => self.value(code, known, depth)?,
            }
        }
    }

    /// Passes over a value that is written as `code`; nothing is known of one that the decoder passes over as well.
    fn value(&mut self, code: u8, known: Option<&Kind>, depth: u8) -> Result<(), Stop> {
        let deeper = depth.checked_sub(1).ok_or(Stop::Short)?;
        match code {
            3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                let of = if let Some(Kind::List(of)) = known { Some(*of) } else { None };
                if size > 0 && of.is_some_and(|of| !of.is_written_as(head & 15)) {
                    return Err(Stop::Refused);
                }
                (0..size).try_for_each(|_| self.element(head & 15, of, deeper))
            }
            11 => {
                let size = self.varint()?;
                let kinds = if size > 0 { self.byte()? } else { 0 };
                (0..size).try_for_each(|_| {
                    self.element(kinds >> 4, None, deeper)?;
                    self.element(kinds & 15, None, deeper)
                })
            }
            12 => {
                let shape = if let Some(Kind::Structure(shape)) = known { shape } else { &[][..] };
                self.structure(shape, deeper).map(drop)
            }
            13 => self.pass(16),
            _ => Err(Stop::Short),
        }
    }

    fn element(&mut self, code: u8, known: Option<&Kind>, depth: u8) -> Result<(), Stop> {
        if matches!(code, 1 | 2) { Err(Stop::Refused) } else { self.value(code, known, depth) }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn file(footer: &[u8]) -> Bytes {
        let mut out = b"PAR1".to_vec();
        out.extend_from_slice(footer);
        out.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        out.extend_from_slice(b"PAR1");
        out.into()
    }

    /// A boolean in field 100, which nobody knows; what follows is behind it.
    const UNKNOWN: [u8; 3] = [0x01, 0xc8, 0x01];

    #[test]
    fn a_collection_of_booleans_is_refused_wherever_it_lies_and_so_is_what_has_no_end() {
        let list = [0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        let in_lists = [&[0x19, 0x29, 0x19][..], &list[1..]].concat();
        let map = [0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x12, 0];
        let value_only = [0x1b, 2, 0x51, 9, 9, 0];
        for (bytes, refused) in [
            (&list[..], true),
            (&in_lists[..], true),
            (&map[..], true),
            (&value_only[..], true),
            // A boolean of its own, an empty list, three numbers, an empty map, a structure in a structure.
            (&[0x11, 0x12, 0x19, 0, 0x19, 0x35, 2, 4, 6, 0x1b, 0, 0x1c, 0x1c, 0, 0, 0][..], false),
            // Two billion doubles that are not there.
            (&[0x19, 0xf7, 0xff, 0xff, 0xff, 0xff, 0x07][..], true),
            (&[][..], true),
        ] {
            assert_eq!(footer(&file(&[&UNKNOWN[..], bytes].concat())).is_err(), refused, "{bytes:?}");
        }
        assert!(footer(&Bytes::from_static(b"PAR1\0\0\0\0PAR1")).is_err());
        assert_eq!(footer(&Bytes::from_static(b"PAR1\xff\xff\xff\xffPAR1")), Ok(()));
    }

    /// The decoder reads a structure there, whatever the file says: a list, a text.
    #[test]
    fn what_the_decoder_knows_has_to_be_what_it_reads() {
        let page = |bytes: &[u8]| pages(&Bytes::copy_from_slice(bytes), (0, u64::MAX));
        // Kind, sizes of 2 and 1 bytes; the head of the page: 1 value, encoding 0, no statistics.
        assert_eq!(page(&[0x15, 0, 0x15, 4, 0x15, 2, 0x2c, 0x15, 2, 0x15, 0, 0, 0, 7]), Ok(()));
        for odd in [
            &[0x15, 0, 0x15, 4, 0x15, 2, 0x29, 0x15, 2, 0][..],
            &[0x15, 0, 0x15, 4, 0x15, 2, 0x28, 1, 7, 0],
            &[0x16, 0, 0],
            &[0x05, 0x82, 0x80, 0x08, 0, 0],
        ] {
            assert!(page(odd).unwrap_err().contains("holds what no Parquet file has there"), "{odd:?}");
        }
        // A list of row groups whose members are numbers; one of structures with nothing in them.
        assert!(footer(&file(&[0x49, 0x25, 0, 0, 0])).is_err());
        assert_eq!(footer(&file(&[0x49, 0x2c, 0, 0, 0])), Ok(()));
    }

    #[test]
    fn every_page_of_a_stretch_is_looked_at_and_nothing_behind_it() {
        // Field 3 says 2 bytes of page; then the next header.
        let good = [0x35, 4, 0, 7, 7];
        let bad = [0x35, 4, 0x19, 0x21, 0];
        let both = Bytes::from([&good[..], &bad[..]].concat());
        assert_eq!(pages(&both, (0, good.len() as u64)), Ok(()));
        assert!(pages(&both, (0, both.len() as u64)).unwrap_err().starts_with("the header of a page"));
        assert!(pages(&both, (0, u64::MAX)).is_err());
        // A header longer than a glance, and one that never ends.
        let mut long = [&UNKNOWN[..], &[0x18, 0xf0, 0xff, 0x03]].concat();
        long.extend(vec![b'x'; 0xfff0]);
        long.extend([0x05, 6, 0, 0]);
        assert_eq!(pages(&Bytes::from(long.clone()), (0, u64::MAX)), Ok(()));
        long.extend(bad);
        assert!(pages(&Bytes::from(long), (0, u64::MAX)).is_err());
        let endless = [&UNKNOWN[..], &vec![0x15; 9_000]].concat();
        assert!(pages(&Bytes::from(endless), (0, u64::MAX)).unwrap_err().contains("can't be read to its end"));
    }
}

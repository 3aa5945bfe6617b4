//! Paths of nodes, front-coded: siblings share most of their path.

use crate::cells::CellError;
use crate::cells::bytes::{Cursor, Writer, number};

/// Every so many paths stands one in full, so that none takes more steps than this to read.
const RUN: usize = 16;
/// Most bytes of a path; of longer ones the end is kept, which tells more than the beginning.
const MOST: usize = 1_024;

/// A list of paths. What was read is kept as it is: unpacked, a hostile list would be a thousand times as long.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    bytes: Vec<u8>,
    /// Where the paths that stand in full begin.
    full: Vec<u32>,
    count: usize,
    last: String,
}

impl Names {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The path at a position; `None` beyond the last.
    pub fn get(&self, at: usize) -> Option<String> {
        let start = *self.full.get(at / RUN).filter(|_| at < self.count)?;
        let mut cursor = Cursor::new("names", self.bytes.get(start as usize..)?);
        let mut path = Vec::new();
        for _ in 0..=at % RUN {
            let (kept, more) = entry(&mut cursor, path.len()).ok()?;
            path.truncate(kept);
            path.extend_from_slice(more);
        }
        Some(String::from_utf8_lossy(&path).into_owned())
    }

    /// Appends a path.
    pub(in crate::cells) fn push(&mut self, path: &str) {
        let mut start = path.len().saturating_sub(MOST);
        while !path.is_char_boundary(start) {
            start += 1;
        }
        let path = path.get(start..).unwrap_or_default();
        let mut kept = 0;
        if self.count.is_multiple_of(RUN) {
            self.full.push(number(self.bytes.len()));
        } else {
            kept = self.last.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
            while !path.is_char_boundary(kept) {
                kept -= 1;
            }
        }
        let more = path.get(kept..).unwrap_or_default();
        let mut writer = Writer(std::mem::take(&mut self.bytes));
        writer.varint(number(kept));
        writer.varint(number(more.len()));
        writer.raw(more.as_bytes());
        self.bytes = writer.0;
        self.count += 1;
        path.clone_into(&mut self.last);
    }

    /// Nothing more is appended.
    pub(in crate::cells) fn close(&mut self) {
        self.last = String::new();
    }

    /// The bytes as they are written.
    pub(in crate::cells) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes `count` paths from bytes.
    pub(in crate::cells) fn read(piece: &'static str, bytes: &[u8], count: usize) -> Result<Self, CellError> {
        let mut cursor = Cursor::new(piece, bytes);
        let mut names = Self { count, ..Self::default() };
        let mut length = 0;
        for at in 0..count {
            if at.is_multiple_of(RUN) {
                names.full.push(number(bytes.len() - cursor.left()));
                length = 0;
            }
            let (kept, more) = entry(&mut cursor, length)?;
            length = cursor.at_most(kept + more.len(), MOST, "length of a path")?;
        }
        names.bytes = bytes.to_vec();
        Ok(names)
    }
}

/// One entry: how much of the path before stays, and what follows.
fn entry<'a>(cursor: &mut Cursor<'a>, before: usize) -> Result<(usize, &'a [u8]), CellError> {
    let kept = cursor.varint("shared part of a path")? as usize;
    let kept = cursor.at_most(kept, before, "shared part of a path")?;
    let length = cursor.varint("length of a path")? as usize;
    Ok((kept, cursor.take(length, "path")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_whatever_they_are() {
        let long = "ü".repeat(900);
        let mut paths: Vec<String> = (0..40).map(|at| format!("hall/line {}/motor {at}", at / 7)).collect();
        paths.extend(["".into(), "é".into(), "è".into(), "hall".into(), long.clone()]);
        let mut names = Names::default();
        paths.iter().for_each(|path| names.push(path));
        names.close();
        let last = paths.len() - 1;
        // The last 1,024 bytes are kept.
        paths[last] = "ü".repeat(512);
        let read = Names::read("test", names.bytes(), names.len());
        assert_eq!(read.as_ref(), Ok(&names));
        for (at, path) in paths.iter().enumerate() {
            assert_eq!(names.get(at).as_ref(), Some(path));
        }
        assert_eq!(names.get(paths.len()), None);
    }
}

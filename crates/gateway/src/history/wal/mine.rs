//! Whether a log is that of the file beside it, and whether it is there at all: SQLite takes any log whose checksums fit, and begins
//! without a word where there is none.

use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};
use std::path::Path;

use super::header::HEADER;
use super::log_of;
use super::walk::{Frame, State, fill, word};
use crate::history::guard;

/// Bytes of a database's header.
const HEAD: usize = 100;
/// Where the header has the size of the database in pages, the format of its tables (0: it has none), and the number that tells
/// one file from another, see [`super::super::identity`]
/// (<https://www.sqlite.org/fileformat2.html#the_database_header>).
const SIZE: usize = 28;
const TABLES: usize = 44;
/// Where it has `PRAGMA user_version`.
const LAYOUT: usize = 60;
const IDENTITY: usize = 68;

/// What the header of a database file says.
pub(super) struct Head([u8; HEAD]);

impl Head {
    /// Of a file; none where it has none that makes sense.
    pub(super) fn of(path: &Path) -> Result<Option<Self>> {
        match File::open(path) {
            Ok(mut file) => Self::from(&mut file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn from(source: &mut impl Read) -> Result<Option<Self>> {
        let mut head = [0; HEAD];
        let got = fill(source, &mut head)?;
        Ok((got == HEAD && head.starts_with(b"SQLite format 3\0")).then_some(Self(head)))
    }

    pub(super) fn identity(&self) -> u32 {
        word(&self.0, IDENTITY)
    }

    /// Whether it has been kept with a log since before its first table was in it.
    fn is_empty(&self) -> bool {
        self.0.get(18..20) == Some(&[2, 2]) && word(&self.0, TABLES) == 0
    }
}

/// The layout that a database says it has, in the newest image of its first page that is what was written; none where it has no
/// header that makes sense. Asked of every file before SQLite, a repair or a copy changes anything.
pub(super) fn layout(path: &Path, frames: &[Frame]) -> Result<Option<u32>> {
    let first = frames.iter().rfind(|frame| frame.page == 1 && frame.state == State::Sound);
    let head = match first {
        Some(first) => {
            let mut log = File::open(log_of(path))?;
            log.seek(SeekFrom::Start(first.at))?;
            Head::from(&mut log)?
        }
        None => Head::of(path)?,
    };
    Ok(head.map(|head| word(&head.0, LAYOUT)))
}

/// Two numbers of files, as they stand, of which one byte may have been altered since.
fn differ(one: u32, other: u32) -> bool {
    let bytes = one.to_be_bytes().into_iter().zip(other.to_be_bytes());
    one != 0 && bytes.filter(|(one, other)| one != other).count() > 1
}

/// Whether a log is certainly not that of the file.
///
/// Its newest image of the first page has the file's number, which never changes once the file has one. A log without an image of
/// that page has not changed how many pages there are, for the first page says how many.
pub(super) fn of_another(file: &Head, log: &mut (impl Read + Seek), frames: &[Frame]) -> Result<bool> {
    if frames.iter().any(|frame| frame.page == 1 && frame.state != State::Sound) {
        return Ok(false);
    }
    let Some(first) = frames.iter().rfind(|frame| frame.page == 1) else {
        let size = word(&file.0, SIZE);
        let ends = frames.iter().filter(|frame| frame.state == State::Sound && frame.size != 0);
        return Ok(file.identity() != 0 && size != 0 && ends.map(|frame| frame.size).any(|other| other != size));
    };
    log.seek(SeekFrom::Start(first.at))?;
    Ok(Head::from(log)?.is_some_and(|head| differ(file.identity(), head.identity())))
}

/// Whether the log is missing or empty of a folder that nobody stopped in order, so that what was written last was in it.
pub(super) fn is_lost(path: &Path) -> Result<bool> {
    let length = match std::fs::metadata(log_of(path)) {
        Ok(data) => data.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length > HEADER as u64 {
        return Ok(false);
    }
    let (Some(head), Some(folder)) = (Head::of(path)?, path.parent()) else { return Ok(false) };
    // A backup that was put into the place of the file has another number.
    Ok(match guard::logged(folder) {
        guard::Logged::By(identity) => head.is_empty() || identity == head.identity(),
        guard::Logged::Marked => head.is_empty(),
        guard::Logged::Never => false,
    })
}

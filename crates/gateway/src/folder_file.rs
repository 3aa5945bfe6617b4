//! A file of a page folder, sent in pieces that are read as they are taken: whoever reads nothing holds two pieces, however large
//! the file. Knows files and bodies, no URLs.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::pack::Fnv64;
use crate::peers::Guest;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;
/// What an answer holds at most: a piece that waits to be written, and the one after.
const HELD: usize = 2 * PIECE;

/// An open file as it was when it was opened. All answers with it share it, so that an unread one costs no open file of its own.
#[derive(Debug)]
pub struct FolderFile {
    file: File,
    state: State,
    tag: u64,
}

/// What tells one content of a file from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    bytes: u64,
    modified: SystemTime,
}

impl State {
    fn of(file: &File) -> Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, "no regular file"));
        }
        Ok(Self { bytes: metadata.len(), modified: metadata.modified()? })
    }
}

impl FolderFile {
    /// Length in bytes.
    pub fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// Hash of the content.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// Bytes of memory that an answer with it takes.
    pub fn held(&self) -> usize {
        usize::try_from(self.state.bytes).unwrap_or(usize::MAX).min(HELD)
    }

    /// All bytes.
    ///
    /// # Errors
    /// Where the file is no longer what it was.
    pub(crate) fn whole(&self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while (all.len() as u64) < self.state.bytes {
            all.extend(self.piece(all.len() as u64)?);
        }
        Ok(all)
    }

    /// The file from its beginning, with the room that it takes.
    pub fn body(self: &Arc<Self>, room: Guest) -> Pieces {
        Pieces { file: self.clone(), room: Arc::new(room), sent: 0, reading: None }
    }

    /// The bytes from `offset` on, a piece of them. Fails where the file is no longer what it was: two versions in one answer would
    /// be neither.
    fn piece(&self, offset: u64) -> Result<Vec<u8>> {
        let changed = || Error::new(ErrorKind::InvalidData, "the file was changed while it was read");
        let left = usize::try_from(self.state.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut piece = vec![0; left.min(PIECE)];
        let mut filled = 0;
        while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match read_at(&self.file, rest, offset + filled as u64) {
                Ok(0) => return Err(changed()),
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if State::of(&self.file)? == self.state { Ok(piece) } else { Err(changed()) }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// One file of a folder: opened for as long as somebody is sent it, and its hash remembered until it changes.
#[derive(Debug)]
pub struct Known {
    path: PathBuf,
    last: Mutex<Option<(State, u64, Weak<FolderFile>)>>,
}

impl Known {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is now. Reads all of it where it is new or changed: not for async code. Whoever else asks for it meanwhile
    /// waits, and then need not.
    pub(crate) fn open(&self) -> Result<Arc<FolderFile>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let file = File::open(&self.path)?;
        let state = State::of(&file)?;
        let known = last.as_ref().filter(|(last, ..)| *last == state);
        if let Some(open) = known.and_then(|(.., open)| open.upgrade()) {
            return Ok(open);
        }
        let tag = known.map(|(_, tag, _)| *tag);
        let mut opened = FolderFile { file, state, tag: 0 };
        opened.tag = tag.map_or_else(|| hash(&opened), Ok)?;
        let opened = Arc::new(opened);
        *last = Some((state, opened.tag, Arc::downgrade(&opened)));
        Ok(opened)
    }
}

fn hash(file: &FolderFile) -> Result<u64> {
    let (mut hash, mut offset) = (Fnv64::default(), 0);
    while offset < file.state.bytes {
        let piece = file.piece(offset)?;
        hash.add(&piece);
        offset += piece.len() as u64;
    }
    Ok(hash.finish())
}

/// The body of an answer with a [`FolderFile`].
pub struct Pieces {
    file: Arc<FolderFile>,
    room: Arc<Guest>,
    sent: u64,
    reading: Option<JoinHandle<Result<Bytes>>>,
}

/// A piece holds its answer's room until it is written, also where that is after the body's end.
struct Piece {
    bytes: Vec<u8>,
    _room: Arc<Guest>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let (file, room, sent) = (self.file.clone(), self.room.clone(), self.sent);
        let read = move || file.piece(sent).map(|bytes| Bytes::from_owner(Piece { bytes, _room: room }));
        let reading = self.reading.get_or_insert_with(|| spawn_blocking(read));
        let read = ready!(Pin::new(reading).poll(cx)).unwrap_or_else(|error| Err(Error::other(error)));
        self.reading = None;
        self.sent += read.as_ref().map_or(0, Bytes::len) as u64;
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.sent >= self.file.state.bytes
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.file.state.bytes.saturating_sub(self.sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_open_once_for_all_and_opened_anew_when_it_has_changed() {
        let path = std::env::temp_dir().join(format!("orrery-folder-file-{}", std::process::id()));
        let content: Vec<u8> = (0..3 * PIECE + 5).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let known = Known::new(path.clone());
        let first = known.open().unwrap();
        assert!(Arc::ptr_eq(&first, &known.open().unwrap()), "shared");
        assert_eq!((first.tag(), first.held()), (crate::pack::fnv64(&content), HELD));
        assert_eq!(
            [first.piece(0).unwrap(), first.piece(3 * PIECE as u64).unwrap()].concat(),
            [&content[..PIECE], &content[3 * PIECE..]].concat()
        );
        std::fs::write(&path, "short").unwrap();
        assert!(first.piece(0).is_err(), "never two versions in one answer");
        let second = known.open().unwrap();
        assert_eq!((second.bytes(), second.held(), second.tag()), (5, 5, crate::pack::fnv64(b"short")));
        std::fs::remove_file(&path).unwrap();
        assert!(known.open().is_err());
    }
}

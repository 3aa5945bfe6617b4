//! Looks at SQLite's write-ahead log before SQLite does, to be able to say what a kill or a power cut left unfinished. SQLite
//! itself leaves such frames out without a word (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::GatewayError;

/// Bytes before the first frame.
const HEADER: usize = 32;
/// Bytes before the page of a frame.
const FRAME: usize = 24;
/// First bytes of a log whose checksums are over little-endian words; one more: over big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WalReport {
    /// Frames of whole transactions, all of which SQLite takes.
    pub frames: u64,
    /// Frames after the last whole transaction that were written whole: a transaction that was under way.
    pub unfinished: u64,
    /// Frames of this log that are torn or altered, and those behind them: nothing after the first of them counts.
    pub damaged: u64,
    /// Of the damaged ones: how many end a transaction. A write that was torn has one at most; more were finished before and
    /// were altered since.
    pub damaged_ends: u64,
    /// Bytes of unfinished and damaged frames.
    pub discarded_bytes: u64,
    /// Whether the log's own header is torn: none of it counts.
    pub header_damaged: bool,
}

impl WalReport {
    /// Whether anything is left out.
    pub const fn torn(&self) -> bool {
        self.unfinished + self.damaged > 0 || self.header_damaged
    }

    /// A sentence for people; none where all is well.
    pub fn remark(&self, path: &Path) -> Option<String> {
        let (whole, bytes, log) = (self.frames, self.discarded_bytes, log_of(path));
        let log = log.display();
        if self.header_damaged {
            return Some(format!("the end of history was torn: {log} has a torn header, its {bytes} bytes were left out"));
        }
        let torn = self.unfinished + self.damaged;
        let verdict = if self.damaged_ends > 1 {
            "some of them were finished before: the disk has altered what it was given, look for its errors"
        } else {
            "with --sync full none of it had been acknowledged"
        };
        (torn > 0).then(|| {
            format!(
                "the end of history was torn and is mended: {torn} pages ({bytes} bytes) of a write that was under way were left \
                 out of {log}, {whole} pages of finished writes are kept; {verdict}"
            )
        })
    }
}

/// The log of a database.
pub fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Reads the log beside a database file; none where there is no log or an empty one.
///
/// # Errors
/// Where it cannot be read.
pub fn inspect(path: &Path) -> std::io::Result<Option<WalReport>> {
    let file = match File::open(log_of(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(None);
    }
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut header = [0; HEADER];
    if length < HEADER as u64 || reader.read_exact(&mut header).is_err() {
        return Ok(Some(WalReport { header_damaged: true, discarded_bytes: length, ..WalReport::default() }));
    }
    let Some(mut log) = Log::of(&header) else {
        return Ok(Some(WalReport { header_damaged: true, discarded_bytes: length, ..WalReport::default() }));
    };
    let mut frame = vec![0; FRAME + log.page];
    let mut report = WalReport::default();
    let mut since = 0;
    loop {
        let got = fill(&mut reader, &mut frame)?;
        if got < frame.len() {
            // Cut within a frame that belongs to this log: the write itself was torn.
            if got >= 16 && log.mine(&frame) {
                report.damaged += 1;
                report.discarded_bytes += got as u64;
            }
            break;
        }
        if !log.mine(&frame) {
            // Left over from before the log was last begun anew.
            break;
        }
        if !log.follows(&frame) {
            let mut damage = |frame: &[u8]| {
                report.damaged += 1;
                report.damaged_ends += u64::from(word(frame, 4) != 0);
                report.discarded_bytes += frame.len() as u64;
            };
            damage(&frame);
            // The rest of this log's frames count no more, whatever is in them.
            while fill(&mut reader, &mut frame)? == frame.len() && log.mine(&frame) {
                damage(&frame);
            }
            break;
        }
        since += 1;
        if word(&frame, 4) != 0 {
            report.frames += std::mem::take(&mut since);
        }
    }
    report.unfinished = since;
    report.discarded_bytes += since * frame.len() as u64;
    Ok(Some(report))
}

/// Whole frames of finished writes that lie behind a damaged one, so that SQLite would forget them.
///
/// # Errors
/// Where the log cannot be read.
pub(super) fn behind_damage(path: &Path) -> std::io::Result<usize> {
    let frames = frames(path)?;
    let damaged = frames.iter().position(|frame| !frame.whole);
    Ok(damaged.map_or(0, |at| frames.iter().skip(at).filter(|frame| frame.whole).count()))
}

/// A frame of a log, looked at by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Number of its page.
    pub(super) page: u32,
    /// Where the page's bytes begin in the log.
    pub(super) at: u64,
    /// Bytes of a page.
    pub(super) bytes: usize,
    /// Whether it is what was written.
    pub(super) whole: bool,
}

/// The frames of finished writes in the log beside a database, also those behind a damaged one, which SQLite leaves out: a frame's
/// checksum goes on from the one before, which stands in the log, so that each can be checked by itself. Empty where there is no log
/// or its header is torn.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn frames(path: &Path) -> std::io::Result<Vec<Frame>> {
    match File::open(log_of(path)) {
        Ok(file) => frames_in(&mut BufReader::with_capacity(1 << 20, file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The same of a log that is open.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn frames_in(reader: &mut impl std::io::Read) -> std::io::Result<Vec<Frame>> {
    let mut header = [0; HEADER];
    if fill(reader, &mut header)? < HEADER {
        return Ok(Vec::new());
    }
    let Some(mut log) = Log::of(&header) else { return Ok(Vec::new()) };
    let mut frame = vec![0; FRAME + log.page];
    let (mut frames, mut finished) = (Vec::new(), 0);
    let mut at = HEADER as u64;
    // What the frame before says its sum is, where that differs from what it comes to: one of the two was altered.
    let mut said: Option<(u32, u32)> = None;
    // One alone may be ours, with its salts altered; several are left over from before the log was begun anew.
    let mut strangers = 0;
    while fill(reader, &mut frame)? == frame.len() {
        let mine = log.mine(&frame);
        strangers = if mine { 0 } else { strangers + 1 };
        if strangers > 1 {
            break;
        }
        let stored = (word(&frame, 16), word(&frame, 20));
        let begun = log.sum;
        let mut whole = mine && log.follows(&frame);
        if mine
            && !whole
            && let Some(said) = said
        {
            log.sum = said;
            whole = log.follows(&frame);
        }
        if !whole {
            log.sum = begun;
            log.follows(&frame);
        }
        said = (!whole).then_some(stored);
        frames.push(Frame { page: word(&frame, 0), at: at + FRAME as u64, bytes: log.page, whole });
        at += frame.len() as u64;
        if mine && word(&frame, 4) != 0 {
            finished = frames.len();
        }
    }
    frames.truncate(finished);
    Ok(frames)
}

fn fill(reader: &mut impl std::io::Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(buffer.get_mut(got..).unwrap_or_default())? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// Where the reading of a log stands.
struct Log {
    little: bool,
    page: usize,
    salts: (u32, u32),
    sum: (u32, u32),
}

impl Log {
    fn of(header: &[u8; HEADER]) -> Option<Self> {
        let magic = word(header, 0);
        let page = word(header, 8) as usize;
        if magic & !1 != MAGIC || !page.is_power_of_two() || !(512..=65_536).contains(&page) {
            return None;
        }
        let mut log = Self { little: magic == MAGIC, page, salts: (word(header, 16), word(header, 20)), sum: (0, 0) };
        log.add(header.get(..24)?);
        (log.sum == (word(header, 24), word(header, 28))).then_some(log)
    }

    /// Whether a frame carries this log's salts.
    fn mine(&self, frame: &[u8]) -> bool {
        self.salts == (word(frame, 8), word(frame, 12))
    }

    /// Whether a frame's checksum goes on from the one before.
    fn follows(&mut self, frame: &[u8]) -> bool {
        let (Some(front), Some(page)) = (frame.get(..8), frame.get(FRAME..)) else { return false };
        self.add(front);
        self.add(page);
        self.sum == (word(frame, 16), word(frame, 20))
    }

    /// SQLite's checksum: two running sums over pairs of words.
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let read = |at: usize| {
                let four = pair.get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or([0; 4]);
                if self.little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }
            };
            let (first, second) = (read(0), read(4));
            self.sum.0 = self.sum.0.wrapping_add(first).wrapping_add(self.sum.1);
            self.sum.1 = self.sum.1.wrapping_add(second).wrapping_add(self.sum.0);
        }
    }
}

/// What in the header of a database file this program never writes, and SQLite takes without a word; none where all is well or
/// the file cannot be read, which others say.
pub(super) fn odd_header(path: &Path) -> Option<String> {
    let mut header = [0; 100];
    let mut file = File::open(path).ok()?;
    if fill(&mut file, &mut header).ok()? < header.len() {
        return None;
    }
    // Versions for writers and readers, unused bytes of a page, three fixed fractions, format of the schema, UTF-8; the last two
    // are 0 as long as the log has all tables.
    let versions = header.get(18..20).is_some_and(|two| two.iter().all(|version| (1..=2).contains(version)));
    let fixed = header.get(20..24) == Some(&[0, 64, 32, 32]) && word(&header, 44) <= 4 && word(&header, 56) <= 1;
    (!versions || !fixed).then(|| "its header is altered".to_owned())
}

/// Checks that a database file is as long as its header says, where no log could hold what is missing.
///
/// # Errors
/// [`GatewayError::Damaged`] where it is cut short.
pub fn whole(path: &Path) -> Result<(), GatewayError> {
    let failed = |source| GatewayError::Read { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    let mut header = [0; 100];
    let got = fill(&mut file, &mut header).map_err(failed)?;
    if length == 0 || (got == header.len() && !header.starts_with(b"SQLite format 3\0")) {
        // Empty is new; what is no database at all SQLite says itself.
        return Ok(());
    }
    let page = match (got, u64::from(word(&header, 16) >> 16)) {
        (100, 1) => 65_536,
        (100, page) => page,
        _ => return Err(GatewayError::Damaged { path: path.to_owned(), why: format!("it is cut short after {length} bytes") }),
    };
    // The page count is only right where the two change counters agree.
    let pages = if word(&header, 24) == word(&header, 92) { u64::from(word(&header, 28)) } else { 0 };
    let log = inspect(path).map_err(failed)?.is_some_and(|log| log.frames > 0);
    if !log && length < pages * page {
        let why = format!("it is cut short: {length} bytes instead of {}", pages * page);
        return Err(GatewayError::Damaged { path: path.to_owned(), why });
    }
    Ok(())
}

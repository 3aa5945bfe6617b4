//! Goes through the frames of a log and says of each whether it is what was written, also behind damage and below a damaged header:
//! what of it can be proved is proved by the checksums that are left. Refuses to know what pages hold.

use std::io::{Read, Result, Seek, SeekFrom};

use super::super::salvage::PAGE;
use super::header::{HEADER, Log};
use super::sum::{Sum, altered_bytes};

/// Bytes before the page of a frame.
pub(super) const FRAME: usize = 24;
/// Of a frame's head the checksum covers these: the number of the page and the size after a commit.
const FRONT: usize = 8;
/// What a sum may go on from: what the frame before says, and what it comes to.
const BASES: usize = 3;

/// What is known of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum State {
    /// It is what was written.
    Sound,
    /// So is its page, or is again with one byte put right; SQLite would stop at it all the same.
    Mended,
    /// One byte of its page is altered, and several explain the checksum.
    Doubtful,
    /// Something of it is not what was written, or nothing proves that it is.
    Altered,
}

/// A frame of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Frame {
    /// Number of its page; of an altered one: as it says.
    pub(in super::super) page: u32,
    /// Pages of the database after the write that it ends; 0 where it ends none.
    pub(super) size: u32,
    /// Where the page's bytes begin in the log.
    pub(in super::super) at: u64,
    /// Bytes of a page.
    pub(in super::super) bytes: usize,
    /// Whether it can be trusted.
    pub(in super::super) state: State,
    /// A byte of the page that is to be put right, and what it differs by.
    pub(in super::super) fix: Option<(usize, u8)>,
    /// Whether one altered byte explains all that is wrong with it: it was written whole then.
    pub(super) was_whole: bool,
    /// Whether it carries the salts of its log: one that does not may be left over from before the log was begun anew.
    pub(in super::super) mine: bool,
}

impl Frame {
    /// One of which nothing is known but where its page is.
    pub(super) fn unknown(at: u64) -> Self {
        Self { page: 0, size: 0, at, bytes: PAGE, state: State::Altered, fix: None, was_whole: false, mine: false }
    }

    /// With what is known of the one byte that is altered of what its checksum covers: put right where only one explains it.
    fn explained(self, fixes: &[(usize, u8)]) -> Self {
        let shifted = |at: usize, change: u8| u32::from(change) << (24 - 8 * (at % 4));
        let whole = Self { was_whole: true, ..self };
        match fixes {
            [] => self,
            [(at @ 0..4, change)] => Self { page: self.page ^ shifted(*at, *change), state: State::Mended, ..whole },
            [(at @ 4..FRONT, change)] => Self { size: self.size ^ shifted(*at, *change), state: State::Mended, ..whole },
            [(at, change)] => Self { fix: Some((at - FRONT, *change)), state: State::Mended, ..whole },
            // Whose page it is must be certain.
            many if many.iter().any(|(at, _)| *at < 4) => whole,
            _ => Self { state: State::Doubtful, ..whole },
        }
    }

    /// Whether it ends a write for certain.
    pub(super) fn ends_a_write(&self) -> bool {
        self.size != 0 && (self.state != State::Altered || self.was_whole)
    }
}

/// A log, gone through to its end.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// All frames of the log, in order; those that are left over from before it was begun anew are not among them.
    pub(super) frames: Vec<Frame>,
    /// Bytes of a frame at the end that is not all there.
    pub(super) cut: u64,
    /// Whether the header is not what was written.
    pub(super) header_altered: bool,
    /// Bytes of the file.
    pub(super) length: u64,
}

impl Walked {
    fn finished(&self) -> bool {
        self.frames.iter().any(Frame::ends_a_write)
    }
}

/// Goes through a log.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn through(file: &mut (impl Read + Seek)) -> Result<Walked> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut header = [0; HEADER];
    if fill(file, &mut header)? < HEADER {
        return Ok(Walked { header_altered: length > 0, length, ..Walked::default() });
    }
    if let Some(log) = Log::of(&header) {
        return Ok(Walked { length, ..walk(file, log)? });
    }
    let (heads, body) = first_frames(file)?;
    for log in Log::guessed(&header, &heads, &body) {
        let walked = walk(file, log)?;
        if walked.finished() {
            return Ok(Walked { header_altered: true, length, ..walked });
        }
    }
    Ok(Walked { header_altered: true, length, ..Walked::default() })
}

/// The heads of the first three frames, of pages of the size that this program has, and what the checksum of the first covers.
fn first_frames(file: &mut (impl Read + Seek)) -> Result<(Vec<Vec<u8>>, Vec<u8>)> {
    let (mut head, mut body, mut first) = ([0; FRAME], vec![0; FRONT + PAGE], Vec::new());
    let mut heads = Vec::new();
    file.seek(SeekFrom::Start(HEADER as u64))?;
    while heads.len() < 3 && frame(file, &mut head, &mut body)?.1 {
        if heads.is_empty() {
            first.clone_from(&body);
        }
        heads.push(head.to_vec());
    }
    Ok((heads, first))
}

/// Reads a frame: its head, and what its checksum covers. Returns the bytes that there were, and whether those are all.
fn frame(file: &mut impl Read, head: &mut [u8; FRAME], body: &mut [u8]) -> Result<(usize, bool)> {
    let got = fill(file, head)?;
    if let (Some(to), Some(from)) = (body.get_mut(..FRONT), head.get(..FRONT)) {
        to.copy_from_slice(from);
    }
    let page = body.get_mut(FRONT..).unwrap_or_default();
    let whole = FRAME + page.len();
    let got = got + if got == FRAME { fill(file, page)? } else { 0 };
    Ok((got, got == whole))
}

fn walk(file: &mut (impl Read + Seek), log: Log) -> Result<Walked> {
    file.seek(SeekFrom::Start(HEADER as u64))?;
    let mut reader = std::io::BufReader::with_capacity(1 << 20, file);
    let (mut head, mut body) = ([0; FRAME], vec![0; FRONT + log.page]);
    let mut walk = Walk { log, bases: log.seed.into_iter().collect(), anchored: true, ..Walk::over(log) };
    let mut at = HEADER as u64;
    let cut = loop {
        let (got, whole) = frame(&mut reader, &mut head, &mut body)?;
        let mine = log.salts == (word(&head, 8), word(&head, 12));
        if !whole {
            break if got >= 16 && mine { got as u64 } else { 0 };
        }
        let one = Frame {
            page: word(&head, 0),
            size: word(&head, 4),
            at: at + FRAME as u64,
            bytes: log.page,
            state: State::Altered,
            fix: None,
            was_whole: false,
            mine,
        };
        walk.take(one, Sum(word(&head, 16), word(&head, 20)), &body);
        at += (FRAME + log.page) as u64;
    };
    let ours = walk.frames.len() - walk.strangers;
    walk.frames.truncate(ours);
    Ok(Walked { frames: walk.frames, cut, ..Walked::default() })
}

/// The newest frame, where its page and its checksum do not fit: the next one tells which of the two was altered.
struct Doubt {
    raw: Frame,
    stored: Sum,
    /// Each of these bytes explains it.
    fixes: Vec<(usize, u8)>,
}

struct Walk {
    log: Log,
    frames: Vec<Frame>,
    /// How many of the newest are not known to be of this log.
    strangers: usize,
    /// What the next frame's sum may go on from.
    bases: Vec<Sum>,
    /// Whether those are of a frame of this log.
    anchored: bool,
    doubt: Option<Doubt>,
}

impl Walk {
    const fn over(log: Log) -> Self {
        Self { log, frames: Vec::new(), strangers: 0, bases: Vec::new(), anchored: true, doubt: None }
    }

    fn take(&mut self, raw: Frame, stored: Sum, body: &[u8]) {
        let order = self.log.order;
        let sums: Vec<Sum> = self.bases.iter().map(|base| base.add(order, body)).collect();
        // Frames of an earlier log go on from each other, too: without the salts it must go on from one that has them.
        let proof = sums.iter().position(|sum| *sum == stored).filter(|_| raw.mine || self.anchored);
        let doubt = self.doubt.take();
        if let Some(base) = proof.and_then(|at| self.bases.get(at)) {
            if let (Some(doubt), Some(last)) = (doubt, self.frames.last_mut()) {
                *last = settled(&doubt, *base);
            }
            // The salts are not in the sum: without them the page is what was written all the same.
            let state = if raw.mine { State::Sound } else { State::Mended };
            self.push(Frame { state, ..raw }, false);
            (self.bases, self.anchored) = (vec![stored], true);
            return;
        }
        let explain = |base: &Sum| Some(altered_bytes(order, *base, body, stored)).filter(|fixes| !fixes.is_empty());
        let fixes = if raw.mine { self.bases.iter().find_map(explain).unwrap_or_default() } else { Vec::new() };
        // Of the frame or of its checksum. Where either explains it, the page is taken as it is until the next frame has told.
        let of_sum = raw.mine && sums.iter().any(|sum| sum.is_but_for_a_byte(stored));
        let guess = match fixes.as_slice() {
            [] if of_sum => Frame { state: State::Mended, was_whole: true, ..raw },
            many if of_sum && many.iter().all(|(at, _)| *at >= 4) => Frame { state: State::Doubtful, was_whole: true, ..raw },
            fixes => raw.explained(fixes),
        };
        self.push(guess, !raw.mine);
        self.bases = [stored].into_iter().chain(sums.into_iter().filter(|_| raw.mine)).take(BASES).collect();
        self.anchored = raw.mine;
        self.doubt = raw.mine.then_some(Doubt { raw, stored, fixes });
    }

    fn push(&mut self, frame: Frame, stranger: bool) {
        self.strangers = if stranger { self.strangers + 1 } else { 0 };
        self.frames.push(frame);
    }
}

/// A frame in doubt, now that the next one goes on from `base`.
fn settled(doubt: &Doubt, base: Sum) -> Frame {
    if base != doubt.stored {
        // From what the page comes to: the checksum was altered.
        return Frame { state: State::Mended, ..doubt.raw };
    }
    doubt.raw.explained(&doubt.fixes)
}

/// Reads until the buffer is full or nothing comes any more; returns how much there was.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(buffer.get_mut(got..).unwrap_or_default())? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

/// A big-endian word; 0 where there is none.
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

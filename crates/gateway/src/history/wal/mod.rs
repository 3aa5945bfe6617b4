//! Looks at SQLite's write-ahead log before SQLite does: what a kill or a power cut left unfinished, and what was altered since.
//! SQLite itself forgets all behind the first frame that does not check, and the whole log where its header does not, without a word
//! (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).

mod file;
mod header;
mod mine;
mod sum;
mod walk;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::salvage::PAGE;
use super::schema::{NEWER, is_newer};
use crate::GatewayError;
pub(super) use file::{odd_header, whole};
use header::HEADER;
use walk::FRAME;
pub(super) use walk::{Frame, State};

/// What a log holds. Nothing in it is damaged where `altered` and `forgotten` are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WalReport {
    /// Frames of finished writes, all of which SQLite takes.
    pub frames: u64,
    /// Whole frames behind the last finished write: a write that was under way.
    pub unfinished: u64,
    /// Frames behind the last finished write that are torn or altered.
    pub torn: u64,
    /// Bytes of unfinished and torn frames.
    pub discarded_bytes: u64,
    /// Frames of finished writes that are not what was written.
    pub altered: u64,
    /// Frames of finished writes that SQLite would forget, because they are altered or lie behind altered ones.
    pub forgotten: u64,
    /// Whether the log's own header is not what was written.
    pub header_altered: bool,
    /// Whether it is the log of another file than the one beside it: nothing in it counts.
    pub foreign: bool,
}

/// Why the log that has what was written last is not beside its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// Another one is there, which no power cut makes of it.
    Foreign,
    /// None is there.
    Lost,
}

impl Lack {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Foreign => {
                "the log beside it is that of another file, or of this one at another time, as when one of the two is copied without the \
                 other; its own log is not there, and what was written last may be missing"
            }
            Self::Lost => {
                "its log is missing or empty, though nobody stopped the server in order; what was written last may have been in it"
            }
        }
    }
}

impl WalReport {
    /// Whether anything behind the last finished write is left out.
    pub const fn is_torn(&self) -> bool {
        self.unfinished + self.torn > 0
    }

    /// What of it is damaged, in words: SQLite must not open it, or forgets what was finished and acknowledged. None where it may.
    pub fn damage(&self) -> Option<String> {
        if self.foreign {
            return Some(Lack::Foreign.words().to_owned());
        }
        let (altered, forgotten) = (self.altered, self.forgotten);
        match (self.header_altered, altered, forgotten) {
            (_, _, 0) => None,
            (true, ..) if altered == forgotten => {
                Some(format!("the header of its log is altered, and no checksum proves what the {altered} pages in it are"))
            }
            (true, ..) => Some(format!(
                "the header of its log is altered, and SQLite would forget all {forgotten} pages of finished writes in it"
            )),
            (false, ..) => Some(format!(
                "{altered} pages of its log are altered, and SQLite would forget the {forgotten} pages of finished writes that are \
                 or lie behind damaged ones"
            )),
        }
    }

    /// What was left unfinished, as a sentence for people; none where nothing was.
    pub fn remark(&self, path: &Path) -> Option<String> {
        let (whole, bytes, log) = (self.frames, self.discarded_bytes, log_of(path));
        let (torn, log) = (self.unfinished + self.torn, log.display());
        let verdict = if self.torn > 0 {
            "with --sync full it had not been acknowledged, unless the disk has altered since what it was given"
        } else {
            "it had not been acknowledged"
        };
        self.is_torn().then(|| {
            format!(
                "the end of history was torn: {torn} pages ({bytes} bytes) of a write that was under way are left out of {log}, \
                 {whole} pages of finished writes are kept; {verdict}"
            )
        })
    }
}

/// A log that was looked at.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// What to say of it.
    pub(super) report: WalReport,
    /// The frames of finished writes in order, damaged ones included.
    pub(super) frames: Vec<Frame>,
    /// Pages of the database after the last finished write; none where the log has none.
    pub(super) size: Option<u32>,
}

/// The page that holds SQLite's locks: it is never written
/// (<https://www.sqlite.org/fileformat2.html#the_lock_byte_page>).
const LOCKS: u32 = 0x4000_0000 / PAGE as u32 + 1;

impl Judged {
    /// Pages that the database has by what is known of its last finished write, and that neither its log nor the file of so many bytes
    /// holds: SQLite takes them for damage, and has by then folded the log in and removed it. Pages in `free` hold nothing. An image
    /// that is altered counts as one: what it costs is told by itself.
    pub(super) fn lacking(&self, length: u64, free: &BTreeSet<u32>) -> u64 {
        let certain = |frame: &&Frame| matches!(frame.state, State::Sound | State::Mended) && frame.size != 0;
        let Some(last) = self.frames.iter().rfind(certain) else { return 0 };
        let in_file = u32::try_from(length / last.bytes as u64).unwrap_or(u32::MAX);
        let beyond = |page: &u32| *page > in_file && *page <= last.size;
        let pages = self.frames.iter().map(|frame| frame.page);
        let held: BTreeSet<u32> = pages.chain(free.iter().copied()).chain([LOCKS]).filter(beyond).collect();
        u64::from(last.size.saturating_sub(in_file)) - held.len() as u64
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
    Ok(judge(path)?.map(|judged| judged.report))
}

/// As [`inspect`], with the frames.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn judge(path: &Path) -> std::io::Result<Option<Judged>> {
    let mut file = match File::open(log_of(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(None);
    }
    let judged = judge_in(&mut file)?;
    let head = mine::Head::of(path)?;
    if let Some(head) = head
        && mine::of_another(&head, &mut file, &judged.frames)?
    {
        return Ok(Some(Judged { report: WalReport { foreign: true, ..judged.report }, ..Judged::default() }));
    }
    Ok(Some(judged))
}

/// A log of so many bytes without a header, and without a frame that proves that a write was finished. The header is on disk before the
/// first frame is written, so that one beside whole frames was altered since; what their pages hold may prove itself.
fn unproved(length: u64) -> Judged {
    let each = (FRAME + PAGE) as u64;
    let count = length.saturating_sub(HEADER as u64) / each;
    let frame = |at: u64| Frame::unknown(HEADER as u64 + at * each + FRAME as u64);
    let report = WalReport { header_altered: true, altered: count, forgotten: count, ..WalReport::default() };
    let torn = WalReport { header_altered: true, torn: 1, discarded_bytes: length, ..WalReport::default() };
    Judged { report: if count > 0 { report } else { torn }, frames: (0..count).map(frame).collect(), size: None }
}

/// What whoever opens a database must know of its log before SQLite sees it.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Why SQLite must not open it; none where it may.
    pub(super) damage: Option<String>,
    /// What was left unfinished, as a sentence for people.
    pub(super) remark: Option<String>,
    /// Pages of that.
    pub(super) unfinished: u64,
    /// Why it is not the log that belongs there.
    pub(super) lack: Option<Lack>,
    /// Pages of the database that neither the file nor its log holds: SQLite could not use the rest, whatever is synchronised.
    pub(super) lacking: u64,
    /// Whether a newer version of this program wrote the file.
    pub(super) newer: bool,
}

impl Looked {
    /// Refuses what a newer version wrote: what this one knows nothing of would be lost.
    ///
    /// # Errors
    /// [`GatewayError::Refused`].
    pub(super) fn not_newer(&self, path: &Path) -> Result<(), GatewayError> {
        let refused = || GatewayError::Refused { path: path.to_owned(), why: NEWER.to_owned() };
        if self.newer { Err(refused()) } else { Ok(()) }
    }
}

/// How often a log is looked at before it is called damaged, and how long between.
const GLANCES: u32 = 4;
const BETWEEN: Duration = Duration::from_millis(50);

/// Looks at the log beside a database file. Every opener of a data folder comes by here.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn look(path: &Path) -> std::io::Result<Looked> {
    let mut looked = glance(path)?;
    for _ in 1..GLANCES {
        if looked.damage.is_none() {
            break;
        }
        // A server that writes meanwhile may show one page as it was and the next as it is. What is damage stays.
        std::thread::sleep(BETWEEN);
        looked = glance(path)?;
    }
    Ok(looked)
}

fn glance(path: &Path) -> std::io::Result<Looked> {
    // Twice: beside a server the file may get longer or shorter while its log is read, which is no damage.
    let before = length(path)?;
    let judged = judge(path)?;
    let length = before.max(length(path)?);
    let frames = judged.as_ref().map_or(&[][..], |judged| &judged.frames);
    let newer = mine::layout(path, frames)?.is_some_and(is_newer);
    if mine::is_lost(path)? {
        let lack = Lack::Lost;
        return Ok(Looked { damage: Some(lack.words().to_owned()), lack: Some(lack), newer, ..Looked::default() });
    }
    let Some(judged) = judged else { return Ok(Looked { newer, ..Looked::default() }) };
    let (report, lacking) = (judged.report, judged.lacking(length, &BTreeSet::new()));
    let finished = report.frames + report.forgotten;
    let mut damage = report.damage();
    if finished > 0 && !report.foreign && length == 0 {
        // SQLite deletes the log of an empty file.
        damage = Some(format!("it is missing or empty, but its log has {finished} pages of finished writes"));
    }
    if lacking > 0 {
        let short = format!("it is cut short: {lacking} pages of it are neither in it nor in its log");
        damage = Some(damage.map_or_else(|| short.clone(), |damage| format!("{damage}; {short}")));
    }
    let remark = if damage.is_none() { report.remark(path) } else { None };
    let unfinished = if report.foreign { 0 } else { report.unfinished + report.torn };
    let lack = report.foreign.then_some(Lack::Foreign);
    Ok(Looked { damage, remark, unfinished, lack, lacking, newer })
}

/// Bytes of a file; 0 where there is none.
fn length(path: &Path) -> std::io::Result<u64> {
    match std::fs::metadata(path) {
        Ok(data) => Ok(data.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Judges a log that is open.
///
/// A write ends with its last frame, and is acknowledged only when that is on disk. So what is altered before a frame that proves
/// that a write was finished is damage; what is altered behind all of those was torn, unless two of it say that they end a write: the
/// second was begun when the first was finished. One altered byte is put right by its checksum, which a torn write never is, so
/// that the last write, too, is finished where no more than that is wrong with it.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn judge_in(file: &mut (impl Read + Seek)) -> std::io::Result<Judged> {
    let walked = walk::through(file)?;
    let mut frames = walked.frames;
    let behind = |end: Option<usize>| end.map_or(0, |at| at + 1);
    let mut last = behind(frames.iter().rposition(Frame::ends_a_write));
    let claims = |frame: &Frame| frame.mine && frame.size != 0;
    if frames.iter().skip(last).filter(|frame| claims(frame)).count() > 1 {
        last = behind(frames.iter().rposition(claims));
    }
    let tail = frames.split_off(last);
    if frames.is_empty() && walked.header_altered {
        return Ok(unproved(walked.length));
    }
    // Where SQLite stops.
    let stops = if walked.header_altered { 0 } else { frames.iter().take_while(|frame| frame.state == State::Sound).count() };
    let taken = behind(frames.iter().take(stops).rposition(|frame| frame.size != 0));
    let count = |frames: &[Frame], f: &dyn Fn(&Frame) -> bool| frames.iter().filter(|frame| f(frame)).count() as u64;
    let whole = tail.iter().take_while(|frame| frame.state == State::Sound).count() as u64;
    let bytes = tail.iter().map(|frame| (FRAME + frame.bytes) as u64).sum::<u64>() + walked.cut;
    let report = WalReport {
        frames: taken as u64,
        unfinished: whole,
        torn: tail.len() as u64 - whole + u64::from(walked.cut > 0),
        discarded_bytes: bytes,
        altered: count(&frames, &|frame| frame.state != State::Sound),
        forgotten: (frames.len() - taken) as u64,
        header_altered: walked.header_altered,
        foreign: false,
    };
    let certain = |frame: &&Frame| matches!(frame.state, State::Sound | State::Mended) && frame.size != 0;
    let size = frames.last().filter(certain).map(|frame| frame.size);
    Ok(Judged { report, frames, size })
}

//! The pages of a database file as they lie there, newest first: from frames of its log that can be trusted, else from the file.
//! Reads what SQLite would not, because it follows no tree (<https://www.sqlite.org/fileformat2.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::super::wal::{self, Frame, Judged, State};
use super::records::LONGEST;

/// Bytes of a page: SQLite's default, which this program never changes. Not read from the header, which may be what is damaged.
pub(in super::super) const PAGE: usize = 4_096;

/// Overflow pages that the rows of one page may have: several of the longest rows, of which a page holds eight at most.
const OVERFLOW: u32 = (8 * LONGEST / PAGE as u64) as u32;

/// What the map of a file says of pages: the root of a table or an index, free, or below a root.
const ROOT: u8 = 1;
const FREE: u8 = 2;
const NODE: u8 = 5;

/// See the module's head.
pub(super) struct Pages<S = File> {
    /// None where only the log is left.
    file: Option<S>,
    log: Option<S>,
    count: u32,
    /// The newest image of a page in the log that can be trusted.
    newer: BTreeMap<u32, Frame>,
    /// Images in the log that are altered, in its order.
    altered: Vec<Frame>,
    /// What was looked at.
    judged: Judged,
    length: u64,
}

impl Pages {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let length = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|data| data.len()))?;
        let judged = wal::judge(path)?.unwrap_or_default();
        let log = if judged.frames.is_empty() { None } else { Some(File::open(wal::log_of(path))?) };
        Ok(Self::new(file, length, log, judged))
    }
}

impl<S: Read + Seek> Pages<S> {
    pub(super) fn new(file: Option<S>, length: u64, log: Option<S>, judged: Judged) -> Self {
        let mut count = u32::try_from(length.div_ceil(PAGE as u64)).unwrap_or(u32::MAX);
        let mut newer = BTreeMap::new();
        let mut altered = Vec::new();
        for frame in judged.frames.iter().filter(|frame| frame.bytes == PAGE) {
            if frame.state == State::Altered {
                altered.push(*frame);
            } else {
                newer.insert(frame.page, *frame);
                count = count.max(frame.page);
            }
        }
        // What lies behind the end that the last write says was given back.
        let count = judged.size.map_or(count, |size| count.min(size));
        Self { file, log, count, newer, altered, judged, length }
    }

    /// Pages of the database that neither the file nor its log holds, without those that hold nothing.
    pub(super) fn lacking(&self, free: &BTreeSet<u32>) -> u64 {
        self.judged.lacking(self.length, free)
    }

    /// Images in the log that are altered, in its order, with whether nothing that can be trusted took their place: what only they
    /// had may be lost. Their page numbers may be what is altered.
    pub(super) fn altered(&self) -> Vec<(Frame, bool)> {
        let newest = |frame: &Frame| !frame.mine || self.newer.get(&frame.page).is_none_or(|newer| newer.at < frame.at);
        self.altered.iter().map(|frame| (*frame, newest(frame))).collect()
    }

    /// The bytes of an image in the log; none where it cannot be read.
    pub(super) fn image(&mut self, frame: &Frame) -> Option<Vec<u8>> {
        let mut page = read_at(self.log.as_mut()?, frame.at)?;
        if let Some((at, change)) = frame.fix {
            *page.get_mut(at)? ^= change;
        }
        Some(page)
    }

    /// Overflow pages that the rows of one page can have together: in a sound file no two share one.
    pub(super) fn overflow(&self) -> u32 {
        self.count.min(OVERFLOW)
    }

    /// Numbers of all pages, from 1.
    pub(super) fn numbers(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.count
    }

    /// The bytes of a page, padded with zeros where the file ends within it; none where it cannot be read.
    pub(super) fn read(&mut self, number: u32) -> Option<Vec<u8>> {
        match self.newer.get(&number).copied() {
            Some(frame) => self.image(&frame),
            None => read_at(self.file.as_mut()?, u64::from(number.checked_sub(1)?) * PAGE as u64),
        }
    }

    /// Pages that hold nothing any more, so that what was deleted does not come back. Both places that know must say so: the list
    /// of free pages and the map of what points where. Where one of them is damaged the other decides.
    pub(super) fn free(&mut self) -> BTreeSet<u32> {
        let mapped = self.mapped(&[FREE]);
        match (self.listed_free(), mapped) {
            (Some(listed), Some(mapped)) => listed.intersection(&mapped).copied().collect(),
            (Some(free), None) | (None, Some(free)) => free,
            (None, None) => BTreeSet::new(),
        }
    }

    /// The list of free pages; none where it does not add up.
    fn listed_free(&mut self) -> Option<BTreeSet<u32>> {
        let header = self.read(1)?;
        let (mut trunk, count) = (word(&header, 32)?, word(&header, 36)?);
        let mut free = BTreeSet::new();
        while trunk != 0 {
            let page = self.read(trunk)?;
            let fresh = free.insert(trunk);
            let leaves = word(&page, 4)? as usize;
            if !fresh || leaves > PAGE / 4 - 2 {
                return None;
            }
            for leaf in 0..leaves {
                let leaf = word(&page, 8 + leaf * 4)?;
                if leaf < 2 || leaf > self.count || !free.insert(leaf) {
                    return None;
                }
            }
            trunk = word(&page, 0)?;
        }
        (free.len() == count as usize).then_some(free)
    }

    /// Pages of tables and indices, as the map of the file says; none where there is no map.
    pub(super) fn trees(&mut self) -> BTreeSet<u32> {
        self.mapped(&[ROOT, NODE]).unwrap_or_default()
    }

    /// What the map of an incrementally vacuumed file calls by one of these kinds; none where there is no map.
    fn mapped(&mut self, kinds: &[u8]) -> Option<BTreeSet<u32>> {
        const ENTRIES: u32 = PAGE as u32 / 5;
        // The header says whether there is a map: the largest root page is not 0 then.
        if word(&self.read(1)?, 52)? == 0 {
            return None;
        }
        let mut mapped = BTreeSet::new();
        let mut map = 2;
        while map <= self.count {
            let page = self.read(map)?;
            for entry in 0..ENTRIES {
                let at = entry as usize * 5;
                let Some(kind) = page.get(at).filter(|kind| kinds.contains(kind)) else { continue };
                // Only a page that hangs on another has its number beside.
                if *kind == NODE || page.get(at + 1..at + 5) == Some(&[0; 4]) {
                    mapped.insert(map + 1 + entry);
                }
            }
            map += ENTRIES + 1;
        }
        Some(mapped)
    }
}

fn read_at(source: &mut (impl Read + Seek), at: u64) -> Option<Vec<u8>> {
    source.seek(SeekFrom::Start(at)).ok()?;
    let mut page = Vec::with_capacity(PAGE);
    source.take(PAGE as u64).read_to_end(&mut page).ok()?;
    if page.is_empty() {
        return None;
    }
    page.resize(PAGE, 0);
    Some(page)
}

/// Whether a page is one of those that tell what points where: they hold no rows, and may look like it.
pub(super) fn is_map(number: u32, page: &[u8]) -> bool {
    const EACH: u32 = PAGE as u32 / 5 + 1;
    let kinds = || page.iter().step_by(5).take(PAGE / 5);
    number >= 2
        && (number - 2).is_multiple_of(EACH)
        && kinds().all(|kind| *kind <= 5)
        && page.first().is_some_and(|kind| *kind > 0)
}

/// A big-endian word.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

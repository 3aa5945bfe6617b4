//! The pages of a database file as they lie there, newest first: from whole frames of its log, else from the file. Reads what
//! SQLite would not, because it follows no tree (<https://www.sqlite.org/fileformat2.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::super::wal::{self, Frame};
use super::records::LONGEST;

/// Bytes of a page: SQLite's default, which this program never changes. Not read from the header, which may be what is damaged.
pub(super) const PAGE: usize = 4_096;

/// Overflow pages that the rows of one page may have: several of the longest rows, of which a page holds eight at most.
const OVERFLOW: u32 = (8 * LONGEST / PAGE as u64) as u32;

/// What the map of a file says of pages: the root of a table or an index, free, or below a root.
const ROOT: u8 = 1;
const FREE: u8 = 2;
const NODE: u8 = 5;

/// See the module's head.
pub(super) struct Pages<S = File> {
    file: S,
    log: Option<S>,
    count: u32,
    /// Where in the log the newest whole image of a page lies.
    newer: BTreeMap<u32, u64>,
}

impl Pages {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let frames = wal::frames(path)?;
        let log = if frames.is_empty() { None } else { Some(File::open(wal::log_of(path))?) };
        Ok(Self::new(file, length, log, &frames))
    }
}

impl<S: Read + Seek> Pages<S> {
    pub(super) fn new(file: S, length: u64, log: Option<S>, frames: &[Frame]) -> Self {
        let mut count = u32::try_from(length.div_ceil(PAGE as u64)).unwrap_or(u32::MAX);
        let mut newer = BTreeMap::new();
        for Frame { page, at, .. } in frames.iter().filter(|frame| frame.whole && frame.bytes == PAGE) {
            newer.insert(*page, *at);
            count = count.max(*page);
        }
        Self { file, log, count, newer }
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
        let (source, at) = match (self.newer.get(&number), &mut self.log) {
            (Some(at), Some(log)) => (log, *at),
            _ => (&mut self.file, u64::from(number.checked_sub(1)?) * PAGE as u64),
        };
        source.seek(SeekFrom::Start(at)).ok()?;
        let mut page = Vec::with_capacity(PAGE);
        source.by_ref().take(PAGE as u64).read_to_end(&mut page).ok()?;
        if page.is_empty() {
            return None;
        }
        page.resize(PAGE, 0);
        Some(page)
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

//! Everything of a damaged database that can still be read, page by page, into a new one. Chunks, journal entries and the names of
//! series carry checksums of their own, so that nothing is taken that is not what was written. Tells what is missing.

mod pages;
mod records;
pub(super) mod replace;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use twin_historian::historian::{Change, Historian as _, KeepError, Kept};
use twin_historian::{Chunk, ChunkKey, Level, chunk};
use twin_model::{TimeRange, Timestamp, ValueKind};
use twin_protocol::{Limits, ServerFrame, decode_server};

pub(super) use self::pages::PAGE;
use self::pages::Pages;
use self::records::{Record, Value};
use super::fsck::Report;
use super::schema::series_crc;
use super::series::{One, Series, kind_of};
use super::sqlite::{SqliteHistorian, trouble};
use super::wal;
use super::{SEALED, SIGNALS};

/// Chunks and entries of one commit.
const STEP: usize = 64;
/// Samples of one chunk at most, and so of a row that claims to be one.
const PLAUSIBLE: i64 = chunk::MAX_SAMPLES as i64;
/// Places in the journal are given one by one: ten thousand a second for 800 years come to this.
const PLACES: i64 = 1 << 48;

/// Where rows come from.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum From {
    /// The newest image of a page.
    #[default]
    Newest,
    /// An image in the log that is altered, and newer than what can be trusted of its page.
    Altered,
    /// An altered image whose place another took: it has something only where its number is what is altered.
    Replaced,
}

/// What was found besides what went into the new database at once.
#[derive(Default)]
struct Found {
    /// Rows of the catalogue.
    listed: Vec<Kept>,
    /// Chunks and samples of a page, as summed up when they were written.
    sums: BTreeMap<(Level, Timestamp), Summed>,
    /// Checksums of the chunks that were read.
    crcs: BTreeSet<u32>,
    /// Chunks that were read.
    chunks: BTreeMap<(Level, Timestamp, u32), (ChunkKey, u32, u32)>,
    /// Journal entries that are not what was written.
    lost_entries: Vec<LostEntry>,
    /// Places of journal entries that were read, and the checksums of those.
    places: BTreeMap<i64, i64>,
    /// Entries whose place cannot be theirs; they stand at -1, -2 and so on until all places are known.
    displaced: i64,
    series: BTreeMap<u32, (One, bool)>,
    notes: BTreeMap<String, String>,
    /// Newest place ever used in the journal.
    newest: i64,
    /// The largest number that any sample has.
    top: Option<u32>,
    /// Rows that made no sense at all.
    broken_rows: u64,
    /// Where the rows are from that are taken now.
    from: From,
    /// Images in the log that are altered and that nothing took the place of.
    altered: u64,
    /// Pages that are nowhere.
    lacking: u64,
}

/// What a page says of its chunks.
struct Summed {
    chunks: u64,
    samples: u64,
    end: Timestamp,
    tag: u64,
}

/// A journal entry whose checksum does not fit.
struct LostEntry {
    place: i64,
    times: TimeRange,
    /// 0: not known.
    samples: u64,
    /// Checksums: as its row says, and of its bytes. One of the two is altered.
    crcs: [i64; 2],
}

/// Reads what is left of the database at `path` into the new one `fresh`, and reports what is missing.
///
/// # Errors
/// Where a file cannot be read, or the new one not written.
pub(super) fn salvage(path: &Path, fresh: &mut SqliteHistorian, report: &mut Report) -> Result<(), KeepError> {
    let unreadable = |error: std::io::Error| KeepError::Unavailable { doing: "read", why: error.to_string() };
    let mut pages = Pages::open(path).map_err(unreadable)?;
    let (free, trees) = (pages.free(), pages.trees());
    let mut found = Found { lacking: pages.lacking(&free), ..Found::default() };
    let mut changes = Vec::new();
    for number in pages.numbers().filter(|number| !free.contains(number)) {
        let Some(page) = pages.read(number).filter(|page| !pages::is_map(number, page)) else { continue };
        let rows = records::of_page(&mut pages, number, &page, trees.contains(&number));
        // The rows of the first page describe the tables, which the new database has of its own.
        found.broken_rows += if number == 1 { 0 } else { u64::from(rows.broken) };
        for record in rows.records {
            found.take(&record, fresh, &mut changes)?;
            if changes.len() >= STEP {
                fresh.commit(&std::mem::take(&mut changes))?;
            }
        }
    }
    found.altered_images(&mut pages, fresh, &mut changes)?;
    fresh.commit(&changes)?;
    found.names(fresh, report)?;
    found.notes(fresh)?;
    found.places(fresh, report)?;
    found.positions(fresh)?;
    found.account(fresh, report)
}

/// How many rows the bytes of a database and of its log hold as salvage sees them, and how many make no sense. The part of
/// salvage that reads what nobody vouches for, without a file: its fuzz target calls it.
///
/// # Errors
/// Never for bytes in memory; the readers are those of files.
pub fn rows_in(file: &[u8], log: &[u8]) -> std::io::Result<(u64, u64)> {
    let judged = wal::judge_in(&mut Cursor::new(log))?;
    let frames = judged.frames.len();
    let mut pages = Pages::new(Some(Cursor::new(file)), file.len() as u64, Some(Cursor::new(log)), judged);
    let (free, trees) = (pages.free(), pages.trees());
    let (mut rows, mut broken) = (0, 0);
    for number in pages.numbers().filter(|number| !free.contains(number)).take(file.len() / PAGE + frames + 1) {
        let Some(page) = pages.read(number).filter(|page| !pages::is_map(number, page)) else { continue };
        let found = records::of_page(&mut pages, number, &page, trees.contains(&number));
        rows += found.records.len() as u64;
        broken += u64::from(found.broken);
    }
    for (frame, _) in pages.altered() {
        let Some(page) = pages.image(&frame) else { continue };
        let found = records::of_page(&mut pages, frame.page, &page, false);
        rows += found.records.len() as u64;
        broken += u64::from(found.broken);
    }
    Ok((rows, broken))
}

impl Found {
    /// What images in the log still have that are altered: pieces with a checksum that fits. An older image of their page was read
    /// before, and what only they had may be lost.
    fn altered_images(
        &mut self,
        pages: &mut Pages,
        fresh: &mut SqliteHistorian,
        changes: &mut Vec<Change>,
    ) -> Result<(), KeepError> {
        for (frame, newest) in pages.altered() {
            self.from = if newest { From::Altered } else { From::Replaced };
            self.altered += u64::from(newest);
            let Some(page) = pages.image(&frame) else { continue };
            for record in records::of_page(pages, frame.page, &page, false).records {
                self.take(&record, fresh, changes)?;
            }
            fresh.commit(&std::mem::take(changes))?;
        }
        self.from = From::Newest;
        Ok(())
    }

    /// One row, told by its shape: which table it is of may be what is damaged.
    fn take(&mut self, record: &Record, fresh: &mut SqliteHistorian, changes: &mut Vec<Change>) -> Result<(), KeepError> {
        use Value::{Blob, Int, Null, Text};
        // Only pieces prove themselves.
        if self.from != From::Newest && !record.values.iter().any(|value| matches!(value, Blob(_))) {
            return Ok(());
        }
        match (record.row, record.values.as_slice()) {
            (Some(_), [Null, Blob(bytes)]) => self.chunk(bytes, changes),
            (Some(position), [Null, Int(first), Int(last), Int(crc), Blob(bytes), rest @ ..]) => {
                let samples = if let [Int(samples)] = rest { *samples } else { 0 };
                self.entry(position, (*first, *last), *crc, bytes, samples, fresh)?;
            }
            (Some(number), [Null, Text(kind), Text(id), Int(crc)]) => self.series_name(number, kind, id, *crc),
            (Some(_), [Null, Text(what), Text(why), Blob(bytes)]) => {
                let sql = "INSERT INTO damaged (what, why, bytes) VALUES (?1, ?2, ?3)";
                write(fresh, |connection| connection.execute(sql, params![what, why, bytes]).map(drop))?;
            }
            (Some(_), [Text(table), Int(newest)]) if table == "journal" => self.used(*newest),
            (None, [Text(name), Text(text)]) => {
                self.notes.entry(name.clone()).or_insert_with(|| text.clone());
            }
            (None, [Int(level), Int(start), Int(end), Int(chunks), Int(samples), Int(_), Int(tag)]) => {
                self.page_sum(*level, (*start, *end), (*chunks, *samples), *tag);
            }
            (None, row @ [Int(_), Int(_), Int(_), Int(_), Int(_), Int(_), Int(_), Int(_), Int(_), Int(_)]) => {
                self.listed.extend(listing(row));
            }
            (Some(position), [Null, Int(first), Int(last), Blob(frame)]) if !chunk::is_chunk(frame) => {
                // Layout 0 kept batches without a checksum: what decodes is one.
                if decode_server(frame, &Limits::KEPT_FRAMES).is_ok() {
                    let crc = i64::from(crc32fast::hash(frame));
                    self.entry(position, (*first, *last), crc, frame, 0, fresh)?;
                } else {
                    self.broken_rows += 1;
                }
            }
            (_, values) => self.shapeless(values, changes),
        }
        Ok(())
    }

    /// The name of a series. One whose checksum fits replaces one whose does not.
    fn series_name(&mut self, number: i64, kind: &str, id: &str, crc: i64) {
        let (Some(kind), Ok(number)) = (kind_of(kind), u32::try_from(number)) else { return };
        let one = One::new(kind, id.to_owned());
        let sound = i64::from(series_crc(number, &one)) == crc;
        if sound || !self.series.contains_key(&number) {
            self.series.insert(number, (one, sound));
        }
    }

    /// What a page was summed up to.
    fn page_sum(&mut self, level: i64, (start, end): (i64, i64), (chunks, samples): (i64, i64), tag: i64) {
        let level = u8::try_from(level).ok().and_then(Level::from_code);
        let plausible = start <= end && (1..1 << 32).contains(&chunks) && (0..=chunks * PLAUSIBLE).contains(&samples);
        if let Some(level) = level.filter(|_| plausible) {
            let page = (level, Timestamp::from_micros(start));
            let (chunks, samples, end) = (chunks as u64, samples as u64, Timestamp::from_micros(end));
            self.sums.insert(page, Summed { chunks, samples, end, tag: tag as u64 });
        }
    }

    /// A row of no table's shape: a chunk in it proves itself.
    fn shapeless(&mut self, values: &[Value], changes: &mut Vec<Change>) {
        for value in values {
            match value {
                Value::Blob(bytes) if chunk::is_chunk(bytes) => self.chunk(bytes, changes),
                // A row of samples or of what was set aside.
                Value::Blob(_) => self.broken_rows += 1,
                _ => {}
            }
        }
    }

    fn chunk(&mut self, bytes: &[u8], changes: &mut Vec<Change>) {
        let (Ok((key, samples, _)), Ok(runs)) = (chunk::inspect(bytes), chunk::runs(bytes)) else {
            // Which it was, the catalogue says.
            return;
        };
        let samples = u32::try_from(samples).unwrap_or(u32::MAX);
        let crc = crc32fast::hash(bytes);
        self.crcs.insert(crc);
        self.top = self.top.max(runs.iter().map(|run| run.signal).max());
        let slot = self.chunks.entry(key.slot()).or_insert((key, samples, crc));
        if slot.0.version <= key.version {
            *slot = (key, samples, crc);
        }
        changes.push(Change::Put(Chunk { key, samples, bytes: bytes.to_vec() }));
    }

    fn entry(
        &mut self,
        position: i64,
        (first, last): (i64, i64),
        crc: i64,
        bytes: &[u8],
        samples: i64,
        fresh: &mut SqliteHistorian,
    ) -> Result<(), KeepError> {
        self.used(position);
        let found = i64::from(crc32fast::hash(bytes));
        if found != crc {
            if self.from == From::Replaced {
                return Ok(());
            }
            let times = TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(last));
            let (place, samples) = (position, samples.unsigned_abs());
            self.lost_entries.push(LostEntry { place, times, samples, crcs: [crc, found] });
            let sql = "INSERT INTO damaged (what, why, bytes) VALUES (?1, 'its checksum does not fit', ?2)";
            let what = format!("journal entry {position}");
            return write(fresh, |connection| connection.execute(sql, params![what, bytes]).map(drop));
        }
        let mut held = Vec::new();
        if let Ok(runs) = chunk::runs(bytes) {
            self.top = self.top.max(runs.iter().map(|run| run.signal).max());
            held.extend(runs.iter().flat_map(|run| run.times.iter().copied()));
        } else if let Ok(ServerFrame::Batch(batch)) = decode_server(bytes, &Limits::KEPT_FRAMES) {
            self.top = self.top.max(batch.entries.iter().map(|entry| entry.id.0).max());
            held.extend(batch.entries.iter().map(|entry| entry.sample.source_time));
        }
        // The checksum is that of the bytes: what the row says of their times may be what is damaged.
        let first = held.iter().min().map_or(first, |t| t.as_micros());
        let last = held.iter().max().map_or(last, |t| t.as_micros());
        // Two of one place are two entries, and one of them has lost its own.
        let position = match self.places.get(&position) {
            Some(other) if *other == crc => return Ok(()),
            None if (1..PLACES).contains(&position) => {
                self.places.insert(position, crc);
                position
            }
            _ => {
                self.displaced += 1;
                -self.displaced
            }
        };
        let sql = "INSERT INTO journal (position, first_us, last_us, crc, bytes, samples) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        write(fresh, |connection| connection.execute(sql, params![position, first, last, crc, bytes, samples]).map(drop))
    }

    fn used(&mut self, position: i64) {
        if position < PLACES {
            self.newest = self.newest.max(position);
        }
    }

    /// New places behind all others for entries that have none of their own.
    fn places(&mut self, fresh: &mut SqliteHistorian, report: &mut Report) -> Result<(), KeepError> {
        if self.displaced == 0 {
            return Ok(());
        }
        let newest = self.newest;
        let sql = "UPDATE journal SET position = ?1 - position WHERE position < 0";
        write(fresh, |connection| connection.execute(sql, [newest]).map(drop))?;
        self.newest += self.displaced;
        let message = format!("{} entries have a place that is another's or none; they get a new one", self.displaced);
        report.add("journal.displaced", "the journal".to_owned(), message, "nothing to do: they are kept", true);
        Ok(())
    }

    /// The table of numbers: from its rows, where one is damaged from the copy, and where both are, a name that says so.
    fn names(&mut self, fresh: &mut SqliteHistorian, report: &mut Report) -> Result<(), KeepError> {
        let copy = self.notes.remove(SIGNALS);
        let lines: Vec<&str> = copy.as_deref().unwrap_or_default().lines().collect();
        let used = self.top.map_or(0, |top| top as usize + 1);
        let rows = self.series.keys().next_back().map_or(0, |last| *last as usize + 1);
        // A damaged row number claims anything: no further than what is used or copied, or stands in a row that is sound.
        let sound = self.series.iter().rev().find(|(_, (_, sound))| *sound).map_or(0, |(number, _)| *number as usize + 1);
        let count = used.max(lines.len()).max(sound).min(rows.max(lines.len()).max(used));
        let mut series = Series::default();
        let mut nameless = 0;
        for number in 0..count {
            let of_copy = lines.get(number).and_then(|line| line.split_once(' '));
            let of_copy = of_copy.and_then(|(kind, id)| Some(One::new(kind_of(kind)?, id.to_owned())));
            let row = self.series.remove(&(number as u32));
            let one = match (row, of_copy) {
                (Some((one, true)), _) | (None | Some(_), Some(one)) => one,
                (row, None) => {
                    nameless += 1;
                    let kind = row.map_or(ValueKind::Float, |(one, _)| one.kind);
                    One::new(kind, format!("lost.series-{number}"))
                }
            };
            series.push(one);
        }
        if nameless > 0 {
            let message = format!("the names of {nameless} series are lost; their samples are kept as lost.series-NUMBER");
            let help = "name them: orrery history rename DIR lost.series-NUMBER ID";
            report.add("series.nameless", "the table of series".to_owned(), message, help, false);
        }
        fresh.set_series(&series, None)
    }

    /// The small texts. What decides what is read must not claim more than there is.
    fn notes(&mut self, fresh: &mut SqliteHistorian) -> Result<(), KeepError> {
        let of = |level: Level| self.chunks.values().filter(move |(key, ..)| key.level == level);
        let end = of(Level::Raw).map(|(key, ..)| key.end).max();
        let sealed = self.notes.get(SEALED).and_then(|text| text.parse::<i64>().ok()).map(Timestamp::from_micros);
        // Too early costs a viewer another question, too late a gap.
        let sealed = end.map(|end| sealed.map_or(end, |sealed| sealed.min(end)));
        self.notes.remove(SEALED);
        let mut changes = Vec::new();
        let note = |name: &str, text: String| Change::Note { name: name.to_owned(), text };
        changes.extend(sealed.map(|t| note(SEALED, t.as_micros().to_string())));
        for level in Level::TIERS {
            let name = format!("outside/{level}");
            let Some(text) = self.notes.remove(&name) else { continue };
            let first = of(level).map(|(key, ..)| key.start).min();
            let outside = text.parse::<i64>().ok().map(Timestamp::from_micros);
            let outside = outside.map(|t| first.map_or(t, |first| t.min(first)));
            changes.extend(outside.map(|t| note(&name, t.as_micros().to_string())));
        }
        changes.extend(self.notes.iter().map(|(name, text)| note(name, text.clone())));
        fresh.commit(&changes).map(drop)
    }

    /// A place in the journal is never used twice.
    fn positions(&self, fresh: &mut SqliteHistorian) -> Result<(), KeepError> {
        let newest = self.newest;
        write(fresh, |connection| {
            let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'journal'";
            let now: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
            match now {
                Some(now) if now >= newest => Ok(()),
                Some(_) => connection.execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'journal'", [newest]).map(drop),
                None => connection.execute("INSERT INTO sqlite_sequence VALUES ('journal', ?1)", [newest]).map(drop),
            }
        })
    }

    /// What raw pages must be tagged with that have the newest chunks that were read.
    fn tags(&self) -> BTreeSet<u64> {
        let mut tags: BTreeMap<Timestamp, u64> = BTreeMap::new();
        for (key, samples, crc) in self.chunks.values().filter(|(key, ..)| key.level == Level::Raw) {
            let kept = Kept { key: *key, samples: *samples, bytes: 0, crc: *crc };
            let tag = tags.entry(key.start).or_default();
            *tag = tag.wrapping_add(kept.tag());
        }
        tags.into_values().collect()
    }

    /// What was there and is not any more.
    fn account(&self, fresh: &mut SqliteHistorian, report: &mut Report) -> Result<(), KeepError> {
        // Of several rows for one slot the newest counts: older ones are what a damaged page had.
        let mut listed: BTreeMap<(Level, Timestamp, u32), &Kept> = BTreeMap::new();
        for kept in &self.listed {
            let slot = listed.entry(kept.key.slot()).or_insert(kept);
            if slot.key.version <= kept.key.version {
                *slot = kept;
            }
        }
        let mut lost: BTreeSet<(Level, Timestamp, u32)> = BTreeSet::new();
        for (slot, kept) in &listed {
            // Its bytes may be there, and its row wrong about where they belong.
            let read = self.crcs.contains(&kept.crc);
            if !read && self.chunks.get(slot).is_none_or(|(key, ..)| key.version < kept.key.version) {
                lost.insert(*slot);
                super::fsck::lost_chunk(fresh, kept, ("chunk.lost", "its bytes can't be read"), report)?;
            }
        }
        let mut known: BTreeMap<Timestamp, (u64, u64)> = BTreeMap::new();
        let read = self.chunks.iter().filter(|(slot, _)| !lost.contains(slot)).map(|(slot, (_, samples, _))| (*slot, *samples));
        let missed = lost.iter().filter_map(|slot| Some((*slot, listed.get(slot)?.samples)));
        for ((_, start, _), samples) in read.chain(missed).filter(|((level, _, _), _)| *level == Level::Raw) {
            let sum = known.entry(start).or_default();
            *sum = (sum.0 + 1, sum.1 + u64::from(samples));
        }
        // A page that is tagged as one is whose chunks are all there has them all, wherever it says that they begin.
        let whole = self.tags();
        let raw = self.sums.iter().filter(|((level, _), sum)| *level == Level::Raw && !whole.contains(&sum.tag));
        for ((_, start), Summed { chunks, samples, end, .. }) in raw {
            let (here, counted) = known.get(start).copied().unwrap_or_default();
            if here < *chunks {
                let missing = samples.saturating_sub(counted);
                let times = TimeRange::new(*start, *end);
                let message = format!("{} chunks are gone together with the rows that listed them", chunks - here);
                report.lose("chunk.lost", format!("raw {start}"), message, Some(missing), times);
            }
        }
        // One that another image of its page has whole is not lost.
        let read = |lost: &LostEntry| self.places.get(&lost.place).is_some_and(|crc| lost.crcs.contains(crc));
        for lost in self.lost_entries.iter().filter(|lost| !read(lost)) {
            let message = "its checksum does not fit; its bytes are set aside".to_owned();
            let samples = (lost.samples > 0).then_some(lost.samples);
            report.lose("journal.lost", format!("journal entry {}", lost.place), message, samples, lost.times);
        }
        self.uncounted(report);
        Ok(())
    }

    /// What is lost and nobody can say how much it was, or of when.
    fn uncounted(&self, report: &mut Report) {
        let nowhen = TimeRange::new(Timestamp::MAX, Timestamp::MIN);
        if self.altered > 0 {
            let message = format!("{} pages are altered by more than a byte; what only they had is missing", self.altered);
            report.lose("log.altered", "the log of the database".to_owned(), message, None, nowhen);
        }
        if self.lacking > 0 {
            let message = format!("{} pages are neither in it nor in its log; what only they had is missing", self.lacking);
            report.lose("pages.lost", "the database file".to_owned(), message, None, nowhen);
        }
        if self.broken_rows > 0 {
            let message = format!("{} rows can't be read", self.broken_rows);
            report.lose("rows.lost", "the database file".to_owned(), message, None, nowhen);
        }
        if self.chunks.is_empty() && self.newest == 0 && self.notes.is_empty() {
            let message = "nothing in it looks like a history of this program".to_owned();
            report.lose("database.lost", "the database file".to_owned(), message, None, nowhen);
        }
    }
}

/// A row of the catalogue, where it can be one.
fn listing(row: &[Value]) -> Option<Kept> {
    use Value::Int;
    let [Int(level), Int(start), Int(first), Int(signals), Int(end), Int(version), Int(samples), Int(bytes), Int(crc), _] = row
    else {
        return None;
    };
    let key = ChunkKey {
        level: Level::from_code(u8::try_from(*level).ok()?)?,
        first_signal: u32::try_from(*first).ok()?,
        signals: u32::try_from(*signals).ok()?,
        start: Timestamp::from_micros(*start),
        end: Timestamp::from_micros(*end),
        version: u32::try_from(*version).ok()?,
    };
    let samples = u32::try_from(*samples).ok().filter(|samples| i64::from(*samples) <= PLAUSIBLE)?;
    let kept = Kept { key, samples, bytes: bytes.unsigned_abs(), crc: u32::try_from(*crc).ok()? };
    (kept.key.start <= kept.key.end).then_some(kept)
}

fn write(fresh: &mut SqliteHistorian, f: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), KeepError> {
    f(&fresh.connection).map_err(|error| trouble("written", &error))
}

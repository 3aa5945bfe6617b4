//! Kept history as pages for viewers: the catalogue of what there is, the bytes of a page in parts, and answers over any range.
//! Everything is told as it is kept; nothing is decoded unless a range cuts through a chunk, or the keeper's numbers are not the
//! site's positions.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use twin_historian::historian::{Blob, Historian, KeepError, Kept, Page};
use twin_historian::{ChunkKey, HistorianError, Level, StoreConfig, chunk};
use twin_model::{Span, TimeRange, Timestamp, limits};

use super::damage::{self, Missing, Piece};
use super::series::Numbers;
use super::{begins, carried, outside, sealed_until};

/// Bytes after which a page is cut, between chunks.
pub const PART_BYTES: u64 = limits::ANSWER_BYTES as u64;
/// Bytes of the chunks that a stretch is made of, about.
const MOST: u64 = limits::CHUNK_BYTES as u64;

/// `GET /api/catalogue`.
#[derive(Debug, Serialize)]
pub struct Catalogue {
    format: u32,
    now_us: i64,
    extent_us: Option<[i64; 2]>,
    sealed_until_us: Option<i64>,
    outside_before_us: Option<i64>,
    levels: Vec<LevelPages>,
    links: Vec<(u32, &'static str, i64)>,
}

#[derive(Debug, Serialize)]
pub(crate) struct LevelPages {
    #[serde(serialize_with = "as_text")]
    pub(crate) level: Level,
    pub(crate) slab_us: i64,
    pub(crate) pages: Vec<PageRow>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PageRow {
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
    #[serde(serialize_with = "as_digits")]
    pub(crate) version: u64,
    pub(crate) samples: u64,
    bytes: u64,
    pub(crate) parts: u64,
}

fn as_text<S: Serializer>(level: &Level, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(level)
}

fn as_digits<S: Serializer>(version: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{version:016x}"))
}

/// One page as the catalogue tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    end: Timestamp,
    samples: u64,
    bytes: u64,
    tag: u64,
}

impl Catalogue {
    /// What a keeper has of `range`; links and extent are the hub's to say.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub fn of(keeper: &dyn Historian, range: TimeRange) -> Result<Self, KeepError> {
        Self::shown(keeper, 0, range)
    }

    /// As [`Self::of`] for viewers of a site with the tag `shown` of [`Numbers::tag`]: the same chunks are another page to them.
    pub(crate) fn shown(keeper: &dyn Historian, shown: u64, range: TimeRange) -> Result<Self, KeepError> {
        let slab = StoreConfig::default().slab;
        // A round over nothing seals nothing: what comes in afterwards, however old, is not in pages yet.
        let mut until = sealed_until(keeper)?;
        let any = |level: &Level| keeper.extent(*level).map(|extent| extent.is_some());
        if !Level::TIERS.iter().map(any).collect::<Result<Vec<_>, _>>()?.contains(&true) {
            until = None;
        }
        let mut levels = Vec::new();
        let mut gone = Some(Timestamp::MAX);
        for level in Level::TIERS {
            let before = outside(keeper, level)?;
            gone = gone.filter(|_| before > Timestamp::MIN).map(|gone| gone.min(before));
            let of_level = sums(keeper, level, range)?.into_iter().filter(|(start, _)| until.is_some_and(|until| *start < until));
            let pages = of_level.map(|(start, sum)| PageRow {
                start_us: start.as_micros(),
                end_us: sum.end.as_micros(),
                version: sum.tag.wrapping_add(shown),
                samples: sum.samples,
                bytes: sum.bytes,
                parts: parts(sum.bytes),
            });
            levels.push(LevelPages { level, slab_us: level.slab(slab).as_micros(), pages: pages.collect() });
        }
        Ok(Self {
            format: 1,
            now_us: 0,
            extent_us: None,
            sealed_until_us: until.map(Timestamp::as_micros),
            outside_before_us: gone.map(Timestamp::as_micros),
            levels,
            links: Vec::new(),
        })
    }

    /// Pages of all levels.
    pub(crate) fn levels(&self) -> &[LevelPages] {
        &self.levels
    }

    /// Before this, history of every level was removed, in microseconds.
    pub(crate) fn outside_before(&self) -> Option<Timestamp> {
        self.outside_before_us.map(Timestamp::from_micros)
    }

    /// Adds what the hub knows, and returns the JSON with a tag that does not depend on the clock.
    pub fn finish(
        mut self,
        extent: Option<TimeRange>,
        links: impl Iterator<Item = (u32, &'static str, i64)>,
        now: Timestamp,
    ) -> (Vec<u8>, u64) {
        self.extent_us = extent.map(|extent| [extent.start.as_micros(), extent.end.as_micros()]);
        self.links = links.collect();
        let tag = crate::pack::fnv64(&serde_json::to_vec(&self).unwrap_or_default());
        self.now_us = now.as_micros();
        (serde_json::to_vec(&self).unwrap_or_default(), tag)
    }
}

fn parts(bytes: u64) -> u64 {
    bytes.div_ceil(PART_BYTES).max(1)
}

/// Pages by start: chunks that begin within one slab of the level; for raw ones with what is carried in, for coarser ones with
/// the raw ones that stand in for them.
fn sums(keeper: &dyn Historian, level: Level, range: TimeRange) -> Result<BTreeMap<Timestamp, Sum>, KeepError> {
    let slab = level.slab(StoreConfig::default().slab);
    let mut all: BTreeMap<Timestamp, Sum> = BTreeMap::new();
    let stands_in =
        keeper.pages(Level::Raw, range)?.into_iter().filter(|page| level != Level::Raw && page.end.since(page.start) >= slab);
    for page in keeper.pages(level, range)?.into_iter().chain(stands_in) {
        let none = Sum { end: page.end, samples: 0, bytes: 0, tag: 0 };
        let sum = all.entry(page.start.floor_to(slab)).or_insert(none);
        sum.end = sum.end.max(page.end);
        (sum.samples, sum.bytes) = (sum.samples + page.samples, sum.bytes + page.bytes);
        sum.tag = sum.tag.wrapping_add(page.tag);
    }
    let (Level::Raw, Some(last)) = (level, all.keys().next_back().copied()) else { return Ok(all) };
    let first = all.keys().next().map_or(Ok(TimeRange::new(last, last)), |first| carried::chain(keeper, *first))?;
    // Of every instant: what is kept since the last whole state before it, that included.
    let mut state = (0, 0_u64);
    let mut instants =
        keeper.pages(Level::Carried, TimeRange::new(first.start, last + Span::from_micros(1)))?.into_iter().peekable();
    for (start, sum) in &mut all {
        while let Some(page) = instants.next_if(|page| page.start <= *start) {
            let (bytes, tag) = if carried::is_whole(&page) { (0, 0) } else { state };
            state = (bytes + page.bytes, tag.wrapping_add(page.tag));
        }
        sum.bytes += state.0;
        sum.tag = sum.tag.wrapping_add(state.1);
    }
    Ok(all)
}

/// What belongs to a page, in the order in which it is told.
fn of_page(keeper: &dyn Historian, level: Level, start: Timestamp) -> Result<Vec<Kept>, KeepError> {
    let slab = level.slab(StoreConfig::default().slab);
    let own = keeper.starting(level, TimeRange::new(start, start + slab))?;
    if level == Level::Raw {
        if own.is_empty() {
            return Ok(own);
        }
        let mut all = keeper.starting(Level::Carried, carried::chain(keeper, start)?)?;
        all.extend(own);
        return Ok(all);
    }
    let mut all = own;
    let long = keeper.starting(Level::Raw, TimeRange::new(start, start + Span::from_micros(1)))?;
    all.extend(long.into_iter().filter(|kept| kept.key.range().span() >= slab));
    Ok(all)
}

/// One part of a page.
#[derive(Debug, Default)]
pub struct Part {
    /// Its chunks, as kept.
    pub chunks: Vec<Blob>,
    /// What there is besides, and can't be read.
    pub missing: Vec<Missing>,
}

/// One part of a page. None where the page is not (any more) of this version, or has no such part.
///
/// # Errors
/// Where the keeper cannot be read.
pub fn part(keeper: &dyn Historian, level: Level, start: Timestamp, version: u64, part: u64) -> Result<Option<Part>, KeepError> {
    part_for(keeper, None, level, start, version, part)
}

/// As [`part`], under a site's positions where `numbers` says which those are.
///
/// # Errors
/// As [`part`].
pub(crate) fn part_for(
    keeper: &dyn Historian,
    numbers: Option<&Numbers>,
    level: Level,
    start: Timestamp,
    version: u64,
    part: u64,
) -> Result<Option<Part>, KeepError> {
    let slab = level.slab(StoreConfig::default().slab);
    if level == Level::Carried || start.floor_to(slab) != start {
        return Ok(None);
    }
    let all = of_page(keeper, level, start)?;
    if all.is_empty() {
        return Ok(None);
    }
    let tag = all.iter().fold(numbers.map_or(0, Numbers::tag), |sum, kept| sum.wrapping_add(kept.tag()));
    let bytes: u64 = all.iter().map(|kept| kept.bytes).sum();
    if tag != version || part >= parts(bytes) {
        return Ok(None);
    }
    let mut offset = 0;
    let mut found = Part::default();
    for kept in all {
        if offset / PART_BYTES == part {
            match damage::piece(keeper, &kept.key)? {
                Piece::Whole(bytes) => match numbers {
                    Some(numbers) => found.chunks.extend(shown(numbers, &kept.key, bytes)?.into_iter().map(|(_, bytes)| bytes)),
                    None => found.chunks.push(bytes),
                },
                Piece::Missing(missing) => found.missing.push(missing),
                // Replaced since the catalogue was read.
                Piece::Gone => return Ok(None),
            }
        }
        offset += kept.bytes;
    }
    Ok(Some(found))
}

/// A chunk under the site's positions.
fn shown(numbers: &Numbers, key: &ChunkKey, bytes: Blob) -> Result<Vec<(ChunkKey, Blob)>, KeepError> {
    let damaged = |error: HistorianError| KeepError::Damaged { what: format!("chunk {key}"), why: error.to_string() };
    numbers.shown(key, bytes).map_err(damaged)
}

/// One chunk by the key that viewers know it under; none where there is none (any more).
///
/// # Errors
/// Where the keeper cannot be read, or the chunk is damaged.
pub(crate) fn one(keeper: &dyn Historian, numbers: &Numbers, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
    let Some(number) = numbers.number(key.first_signal) else { return Ok(None) };
    let width = StoreConfig::default().lane_signals;
    let Some(kept) = keeper.kept(key.level, key.start, number / width * width)? else { return Ok(None) };
    if (kept.key.version, kept.key.end) != (key.version, key.end) {
        return Ok(None);
    }
    let Some(bytes) = keeper.chunk(&kept.key)? else { return Ok(None) };
    Ok(shown(numbers, &kept.key, bytes)?.into_iter().find(|(shown, _)| shown == key).map(|(_, bytes)| bytes))
}

/// A stretch of kept history: its chunks, cut to it where they reach over its ends, and where to go on.
#[derive(Debug)]
pub struct Stretch {
    /// Chunks in the order of the catalogue.
    pub chunks: Vec<Vec<u8>>,
    /// What there is besides, and can't be read: cut to the stretch, too.
    pub missing: Vec<Missing>,
    /// Where the next stretch begins; none where nothing is kept after this.
    pub next: Option<Timestamp>,
    /// What was looked at, and the tags of the chunks that were there.
    seen: (Level, TimeRange, u64),
}

/// How often a stretch is read anew because its chunks were joined or replaced meanwhile. Then what is gone is said to be missing.
const TRIES: u32 = 20;

/// The first page about `range`, at the finest level that is left of its time, under the site's positions. Nothing is left out because
/// it moved while this was read.
///
/// # Errors
/// Where the keeper cannot be read.
pub(crate) fn stretch(keeper: &dyn Historian, numbers: &Numbers, range: TimeRange) -> Result<Stretch, KeepError> {
    let mut tries = 1;
    loop {
        if let Some(found) = look(keeper, numbers, range, tries == TRIES)? {
            return Ok(found);
        }
        tries += 1;
    }
}

/// Whether what a stretch was read from is still what is kept there: nothing was sealed, joined or removed since.
///
/// # Errors
/// Where the keeper cannot be read.
pub(crate) fn is_still(keeper: &dyn Historian, stretch: &Stretch) -> Result<bool, KeepError> {
    let (level, range, tag) = stretch.seen;
    Ok(tag_of(&keeper.catalogue(level, range)?) == tag)
}

fn tag_of(all: &[Kept]) -> u64 {
    all.iter().fold(0, |sum, kept| sum.wrapping_add(kept.tag()))
}

/// One look at a stretch; none where a chunk of it was replaced before it could be read, unless it is the `last` look.
fn look(keeper: &dyn Historian, numbers: &Numbers, range: TimeRange, last: bool) -> Result<Option<Stretch>, KeepError> {
    let mut until = range.end;
    let mut level = Level::Hour;
    for finer in [Level::FiveMinutes, Level::Raw] {
        let gone = begins(keeper, finer)?;
        if range.start < gone {
            until = until.min(gone);
            break;
        }
        level = finer;
    }
    let after = |t: Timestamp| (t < range.end).then_some(t);
    let Some(page) = keeper.pages(level, TimeRange::new(range.start, until))?.into_iter().next() else {
        let seen = (level, TimeRange::new(range.start, until), 0);
        return Ok(Some(Stretch { chunks: Vec::new(), missing: Vec::new(), next: after(until), seen }));
    };
    let mut cut = TimeRange::new(page.start.max(range.start), page.end.min(until));
    // Not to read a page of hundreds of megabytes for an answer of a few: about as much of it as fits.
    let bytes: u64 = keeper.catalogue(level, cut)?.iter().map(|kept| kept.bytes).sum();
    if bytes > MOST {
        let span = (cut.span().as_micros() as f64 * (MOST as f64 / bytes as f64)) as i64;
        cut.end = cut.start + Span::from_micros(span.max(1));
    }
    let (mut chunks, mut missing) = (Vec::new(), Vec::new());
    let all = keeper.catalogue(level, cut)?;
    let seen = (level, cut, tag_of(&all));
    for kept in all {
        let (key, inside) = (kept.key, kept.key.range().intersect(cut));
        let bytes = match damage::piece(keeper, &key)? {
            Piece::Whole(bytes) => bytes,
            Piece::Gone if !last => return Ok(None),
            Piece::Gone => {
                missing.push(Missing { range: inside, ..Missing::of(&key, "it is replaced again and again".to_owned()) });
                continue;
            }
            Piece::Missing(one) => {
                missing.push(Missing { range: inside, ..one });
                continue;
            }
        };
        for (key, bytes) in shown(numbers, &key, bytes)? {
            if inside == key.range() {
                chunks.push(bytes.to_vec());
            } else if let Ok(piece) = chunk::within(ChunkKey { start: inside.start, end: inside.end, ..key }, &bytes) {
                chunks.extend((piece.samples > 0).then_some(piece.bytes));
            }
        }
    }
    Ok(Some(Stretch { chunks, missing, next: after(cut.end), seen }))
}

/// From the first to the end of the last thing kept of any level.
///
/// # Errors
/// Where the keeper cannot be read.
pub fn extent(keeper: &dyn Historian) -> Result<Option<TimeRange>, KeepError> {
    let mut all = Vec::new();
    let mut cut = false;
    for level in Level::TIERS {
        // A coarse slab may begin before its first and end after its last sample; finer ones tell where those are, unless
        // what they had was removed.
        let range = keeper.extent(level)?;
        let finer: Option<TimeRange> = all.iter().copied().reduce(TimeRange::union);
        all.extend(match (range, finer) {
            (Some(range), Some(finer)) if cut => Some(TimeRange::new(range.start.min(finer.start), finer.end)),
            (Some(_), Some(finer)) => Some(finer),
            (range, _) => range,
        });
        // A level that has nothing between two others hides nothing of the coarser one.
        cut = outside(keeper, level)? > Timestamp::MIN || cut && range.is_none();
    }
    Ok(all.into_iter().reduce(TimeRange::union))
}

/// From the first to the end of the last thing kept, to the hour also where the first page is long. Looks into that page once.
#[derive(Debug, Default)]
pub(crate) struct Extent(Option<(Page, Timestamp)>);

impl Extent {
    /// As [`extent`].
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub(crate) fn of(&mut self, keeper: &dyn Historian) -> Result<Option<TimeRange>, KeepError> {
        let Some(extent) = extent(keeper)? else { return Ok(None) };
        let instant = TimeRange::new(extent.start, extent.start + Span::from_micros(1));
        let page = keeper.pages(Level::Raw, instant)?.into_iter().find(|page| page.start == extent.start);
        let Some(page) = page else { return Ok(Some(extent)) };
        let start = match &self.0 {
            Some((known, start)) if *known == page => *start,
            _ => first_sample(keeper, extent.start)?,
        };
        self.0 = Some((page, start));
        Ok(Some(TimeRange::new(start, extent.end)))
    }
}

/// Where the samples of a long page begin; the start of any other, which is right to the hour.
fn first_sample(keeper: &dyn Historian, start: Timestamp) -> Result<Timestamp, KeepError> {
    let kept = keeper.starting(Level::Raw, TimeRange::new(start, start + Span::from_micros(1)))?;
    let mut first = None;
    for kept in kept.iter().filter(|kept| kept.key.range().span() > StoreConfig::default().slab) {
        let range = match keeper.chunk(&kept.key) {
            Ok(bytes) => bytes.and_then(|bytes| chunk::inspect(&bytes).ok()).map(|(_, _, range)| range),
            Err(KeepError::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        first = range.into_iter().filter(|range| !range.is_empty()).map(|range| range.start).chain(first).min();
    }
    Ok(first.unwrap_or(start))
}

//! The raw pages of a keeper, in memory: where they lie, about how much is in them, and how long a new one may be. Pages are
//! short where samples are dense and long where they are far apart; none overlaps another. Knows no chunks.
//!
//! A page is a slab of one hour, six hours, a day, four days, and so on in steps of four, and begins at a whole multiple of
//! its length since 1970. One as long as a slab of a coarser level **stands in** for that level: it holds at most a few
//! times as many samples as that level would keep of them, so that these are not kept twice.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};

use twin_historian::Level;
use twin_historian::chunk::Census;
use twin_historian::historian::{Historian, KeepError};
use twin_model::{Span, TimeRange, Timestamp};

use crate::stores::ALWAYS;

/// Samples of a lane beyond which a page of more than one slab is cut into shorter ones.
pub(super) const WIDE_SAMPLES: u64 = 1 << 17;
/// Bytes of a lane beyond which it is; also what packing cannot make small (texts).
pub(super) const WIDE_BYTES: usize = 1 << 20;
/// Bytes of all lanes beyond which it is: what is cut or joined goes into one commit.
pub(super) const WIDE_PAGE_BYTES: u64 = 16 << 20;
/// Pages are joined as long as their lanes have at most this many bytes on average: headers are a hundredth of it.
const LANE_BYTES: u64 = 64 << 10;
/// And all lanes together.
const PAGE_BYTES: u64 = 8 << 20;
const PAGE_SAMPLES: u64 = 1 << 21;
/// A page stands in for a coarser level where it has at most this many times the samples that level would keep.
const STANDS_IN: u64 = 4;

/// Lengths of pages, ascending.
pub(super) fn spans(slab: Span) -> impl DoubleEndedIterator<Item = Span> + Clone {
    let longer = (0..16).map(move |step| slab.as_micros().checked_mul(6 * 4_i64.pow(step)));
    let all: Vec<Span> = std::iter::once(slab).chain(longer.flatten().map(Span::from_micros)).collect();
    all.into_iter()
}

/// The stretch of a length that holds an instant and begins at a whole multiple of it; none beyond the ends of time.
pub(super) fn cell(t: Timestamp, span: Span) -> Option<TimeRange> {
    let start = t.as_micros().div_euclid(span.as_micros()).checked_mul(span.as_micros())?;
    let end = start.checked_add(span.as_micros())?;
    Some(TimeRange::new(Timestamp::from_micros(start), Timestamp::from_micros(end)))
}

/// Of one page, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tile {
    pub(super) samples: u64,
    pub(super) bytes: u64,
    /// Lanes in it.
    pub(super) lanes: u64,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Tiles {
    slab: Span,
    all: BTreeMap<Timestamp, (Timestamp, Tile)>,
}

impl Tiles {
    /// Those of a keeper.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn load(keeper: &dyn Historian, slab: Span) -> Result<Self, KeepError> {
        let mut tiles = Self { slab, all: BTreeMap::new() };
        tiles.refresh(keeper, ALWAYS)?;
        Ok(tiles)
    }

    /// Reads those anew that begin in `range`.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub(super) fn refresh(&mut self, keeper: &dyn Historian, range: TimeRange) -> Result<(), KeepError> {
        let pages = keeper.pages(Level::Raw, range)?;
        let old: Vec<Timestamp> = self.all.range(range.start..range.end).map(|(start, _)| *start).collect();
        for start in &old {
            self.all.remove(start);
        }
        for page in pages.into_iter().filter(|page| range.contains(page.start)) {
            // Parts of one slab are one page.
            let start = page.start.floor_to(self.slab);
            let (end, tile) = self.all.entry(start).or_insert((start + self.slab, Tile::default()));
            *end = page.end.max(*end);
            tile.samples += page.samples;
            tile.bytes += page.bytes;
            tile.lanes = tile.lanes.max(page.chunks);
        }
        Ok(())
    }

    /// The page that holds an instant.
    pub(super) fn find(&self, t: Timestamp) -> Option<TimeRange> {
        let (start, (end, _)) = self.all.range(..=t).next_back()?;
        (t < *end).then_some(TimeRange::new(*start, *end))
    }

    /// What is in the page that begins at an instant.
    pub(super) fn tile(&self, start: Timestamp) -> Tile {
        self.all.get(&start).map_or_else(Tile::default, |(_, tile)| *tile)
    }

    /// Those that begin in `range`.
    pub(super) fn within(&self, range: TimeRange) -> impl DoubleEndedIterator<Item = (TimeRange, Tile)> + '_ {
        let all = self.all.range((Included(range.start), Excluded(range.end.max(range.start))));
        all.map(|(start, (end, tile))| (TimeRange::new(*start, *end), *tile))
    }

    /// Notes that a lane of a page was written.
    pub(super) fn note(&mut self, page: TimeRange, samples: u64, bytes: u64) {
        let (_, tile) = self.all.entry(page.start).or_insert((page.end, Tile::default()));
        tile.samples += samples;
        tile.bytes += bytes;
    }

    /// How long a new page about `t` may be, where nothing is kept yet: one slab, or as long as what is new (`census`, ascending) is
    /// sparse enough, no older page is in the way, and it ends by `upto`. At most `most` long.
    pub(super) fn choose(&self, t: Timestamp, census: &[Census], upto: Timestamp, most: Span) -> TimeRange {
        let start = t.floor_to(self.slab);
        let short = TimeRange::new(start, start + self.slab);
        let longer = spans(self.slab).rev().filter(|span| *span > self.slab && *span <= most);
        let cells = longer.filter_map(|span| cell(t, span));
        let mut free =
            cells.filter(|cell| cell.end <= upto && self.find(cell.start).is_none() && self.within(*cell).next().is_none());
        free.find(|cell| self.sparse(*cell, census)).unwrap_or(short)
    }

    fn sparse(&self, cell: TimeRange, census: &[Census]) -> bool {
        let from = census.partition_point(|one| one.start < cell.start);
        let (mut samples, mut five, mut hour) = (0, 0, 0);
        for one in census.iter().skip(from).take_while(|one| one.start < cell.end) {
            samples += one.samples;
            five += one.five_minutes;
            hour += one.hour;
            if samples > WIDE_SAMPLES / 2 {
                return false;
            }
        }
        let stands_in =
            |level: Level, kept: u64| cell.span() < level.slab(self.slab) || samples <= kept.saturating_mul(STANDS_IN);
        stands_in(Level::FiveMinutes, five) && stands_in(Level::Hour, hour)
    }

    /// The longest stretch about the page that begins at `start` whose pages are small enough to be one, and that ends by
    /// `upto`. None where the page is as long as it can be.
    ///
    /// # Errors
    /// Where the keeper cannot be read.
    pub(super) fn grown(
        &self,
        keeper: &dyn Historian,
        start: Timestamp,
        after: Timestamp,
        upto: Timestamp,
        most: Span,
    ) -> Result<Option<TimeRange>, KeepError> {
        let Some(page) = self.find(start) else { return Ok(None) };
        for span in spans(self.slab).rev().filter(|span| *span > page.span() && *span <= most) {
            let Some(cell) = cell(start, span).filter(|cell| cell.end <= upto && cell.start >= after) else { continue };
            if self.small(cell) && self.may_stand_in(keeper, cell)? {
                return Ok(Some(cell));
            }
        }
        Ok(None)
    }

    fn small(&self, cell: TimeRange) -> bool {
        let mut sum = Tile::default();
        for (page, tile) in self.within(cell) {
            sum.samples += tile.samples;
            sum.bytes += tile.bytes;
            sum.lanes = sum.lanes.max(tile.lanes);
            if page.end > cell.end || sum.samples > PAGE_SAMPLES || sum.bytes > PAGE_BYTES {
                return false;
            }
        }
        sum.bytes <= LANE_BYTES.saturating_mul(sum.lanes.max(1))
            && sum.samples <= (WIDE_SAMPLES / 2).saturating_mul(sum.lanes.max(1))
    }

    /// Whether one page over all of `cell` holds little more than the coarser levels that it would stand in for.
    fn may_stand_in(&self, keeper: &dyn Historian, cell: TimeRange) -> Result<bool, KeepError> {
        for level in [Level::FiveMinutes, Level::Hour] {
            let slab = level.slab(self.slab);
            if cell.span() < slab {
                continue;
            }
            let fine: u64 = self.within(cell).filter(|(page, _)| page.span() < slab).map(|(_, tile)| tile.samples).sum();
            let kept: u64 = keeper.pages(level, cell)?.iter().map(|page| page.samples).sum();
            if fine > kept.saturating_mul(STANDS_IN) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next shorter length of a page; none for one slab.
    pub(super) fn shorter(&self, span: Span) -> Option<Span> {
        spans(self.slab).rev().find(|shorter| *shorter < span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = Span::from_secs(3_600);

    #[test]
    fn lengths_are_whole_multiples_of_each_other_and_of_coarser_slabs() {
        let all: Vec<Span> = spans(HOUR).collect();
        assert_eq!(all[..4], [HOUR, HOUR * 6, HOUR * 24, HOUR * 96]);
        assert!(all.len() > 14 && all.windows(2).all(|pair| pair[1].as_micros() % pair[0].as_micros() == 0));
        assert!(Level::TIERS.iter().all(|level| all.contains(&level.slab(HOUR))));
    }

    #[test]
    fn the_ends_of_time_have_no_page_beyond_them() {
        for t in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_micros(0), Timestamp::from_micros(-1)] {
            for cell in spans(HOUR).filter_map(|span| cell(t, span)) {
                assert!(cell.contains(t), "{t} {cell:?}");
            }
        }
        let tiles = Tiles { slab: HOUR, all: BTreeMap::new() };
        let census = [Census { start: Timestamp::MIN, samples: 1, five_minutes: 1, hour: 1 }];
        let range = tiles.choose(Timestamp::MIN, &census, Timestamp::MAX, Span::from_micros(i64::MAX));
        assert!(range.contains(Timestamp::MIN), "{range:?}");
    }

    #[test]
    fn a_new_page_is_as_long_as_it_is_sparse_and_never_lies_over_another() {
        let mut tiles = Tiles { slab: HOUR, all: BTreeMap::new() };
        let at = |hour: i64| Timestamp::from_secs(hour * 3_600);
        let slabs = |every: i64, n: i64, samples: u64, kept: u64| -> Vec<Census> {
            (0..n).map(|i| Census { start: at(i * every), samples, five_minutes: kept, hour: kept.min(5) }).collect()
        };
        let most = Span::from_micros(i64::MAX);
        let hours = |tiles: &Tiles, census: &[Census], upto: i64| {
            tiles.choose(at(0), census, at(upto), most).span().as_micros() / HOUR.as_micros()
        };
        assert_eq!(hours(&tiles, &slabs(1, 10_000, 7, 7), 10_000), 6_144, "hourly values of seven signals");
        assert_eq!(hours(&tiles, &slabs(1, 10_000, 7, 7), 100), 96, "never beyond what is finished");
        assert_eq!(hours(&tiles, &slabs(1, 10_000, 3_600, 60), 10_000), 1, "a signal a second");
        assert_eq!(hours(&tiles, &slabs(1, 10_000, 60, 60), 10_000), 24, "a signal a minute: an hour of it keeps five of sixty");
        tiles.note(TimeRange::new(at(30), at(31)), 1, 1);
        assert_eq!(hours(&tiles, &slabs(1, 10_000, 7, 7), 10_000), 24);
    }
}

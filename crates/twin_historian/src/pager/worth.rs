//! How much a page is worth to a reader: the smaller, the more.

use twin_model::{Span, TimeRange, Timestamp};

use super::{Page, Pager, State};
use crate::chunk::Level;

/// The page under the playhead, at the level that fits the speed.
pub(super) const UNDER_PLAYHEAD: u64 = 0;
/// Up to here: what the next seconds will show.
pub(super) const NEAR: u64 = 1 << 40;
/// From here on: the whole past at the coarsest level.
const OVERVIEW: u64 = NEAR + 1;
/// From here on, by distance: extracts of the visible stretch.
const VISIBLE: u64 = 1 << 50;
/// From here on, by distance: everything else.
const FAR: u64 = 1 << 56;
/// Not worth fetching at all.
pub(super) const NOTHING: u64 = u64::MAX;

/// Seconds of playing that are fetched ahead.
const AHEAD_S: f64 = 20.0;
/// The part of the measured speed of fetching that playing may count on.
const SHARE: f64 = 0.5;
/// The coarsest level of all time is held where it takes at most this part of the budget.
const OVERVIEW_PART: u64 = 6;

/// Bytes that a page takes in memory, before correction. Extracts are irregular and cost more a sample (docs/PERFORMANCE.md).
pub(super) fn weight(page: &Page, scale: f64) -> u64 {
    let each = if page.level == Level::Raw { 1.3 } else { 8.0 };
    (page.samples as f64 * each * scale) as u64 + 4_096
}

impl Pager {
    /// The level at which playing at this speed can keep up.
    pub(super) fn level_for(&self, speed: f64) -> Level {
        let rate = |level: Level| {
            let of_level = self.slots.range((level, Timestamp::MIN)..=(level, Timestamp::MAX));
            let (bytes, span) = of_level.fold((0.0, 0.0), |(bytes, span), (_, slot)| {
                (bytes + slot.page.bytes as f64, span + slot.page.range.span().as_secs_f64())
            });
            (span > 0.0).then(|| bytes / span)
        };
        let can = self.config.bytes_per_second * SHARE;
        let fits = |level: &Level| rate(*level).is_some_and(|rate| rate * speed.abs() <= can);
        let mut known = Level::TIERS.into_iter().filter(|level| rate(*level).is_some());
        known.clone().find(fits).or_else(|| known.next_back()).unwrap_or(Level::Raw)
    }

    /// What a page is worth now.
    pub(super) fn worth(&self, page: &Page) -> u64 {
        let wanted = self.level_for(self.focus.speed);
        self.worth_at(page, wanted)
    }

    fn worth_at(&self, page: &Page, wanted: Level) -> u64 {
        let focus = &self.focus;
        let distance = distance(page.range, focus.playhead);
        let ahead = Span::from_secs_f64((focus.speed.abs() * AHEAD_S).min(1e9)).max(Span::from_secs(600));
        let coming = if focus.speed < 0.0 {
            TimeRange::new(focus.playhead - ahead, focus.playhead)
        } else {
            TimeRange::new(focus.playhead, focus.playhead + ahead)
        };
        if page.level == wanted {
            if page.range.contains(focus.playhead) {
                return UNDER_PLAYHEAD;
            }
            if !page.range.intersect(coming).is_empty() {
                return 1 + (distance.as_micros() as u64 >> 16).min(NEAR - 2);
            }
        }
        let far = (distance.as_micros() as u64 >> 10).min(FAR >> 1);
        match page.level {
            Level::Hour if self.overview_fits() => OVERVIEW + (far >> 20),
            Level::FiveMinutes | Level::Hour if !page.range.intersect(focus.view).is_empty() => VISIBLE + far,
            Level::Raw => FAR + far,
            Level::FiveMinutes | Level::Hour | Level::Carried => NOTHING,
        }
    }

    fn overview_fits(&self) -> bool {
        let all = self.slots.range((Level::Hour, Timestamp::MIN)..=(Level::Hour, Timestamp::MAX));
        all.map(|(_, slot)| weight(&slot.page, self.scale)).sum::<u64>() <= self.config.budget_bytes / OVERVIEW_PART
    }

    /// The page most worth having that is not here and not wholly on its way.
    pub(super) fn best(&self) -> Option<((Level, Timestamp), u64)> {
        let wanted = self.level_for(self.focus.speed);
        let open = self.slots.iter().filter(|(_, slot)| match slot.state {
            State::Absent => true,
            State::Coming { asked, .. } => asked < slot.page.parts,
            State::Here | State::Lost => false,
        });
        let useful = open.filter(|(_, slot)| !self.is_finer_here(slot.page.level, slot.page.range));
        // What was begun is finished before something of the same worth begins; failed ones wait behind their like.
        let rank = |slot: &super::Slot| match slot.state {
            State::Coming { .. } => 0,
            State::Absent => 1 + slot.tries,
            State::Here | State::Lost => u32::MAX,
        };
        let ranked = useful.map(|(place, slot)| (self.worth_at(&slot.page, wanted), rank(slot), *place));
        ranked.min().filter(|(worth, ..)| *worth != NOTHING).map(|(worth, _, place)| (place, worth))
    }

    /// The page least worth having among those here.
    pub(super) fn worst(&self) -> Option<((Level, Timestamp), u64)> {
        let wanted = self.level_for(self.focus.speed);
        let here = self.slots.iter().filter(|(_, slot)| slot.state == State::Here);
        here.map(|(place, slot)| (self.worth_at(&slot.page, wanted), *place)).max().map(|(worth, place)| (place, worth))
    }

    /// Whether a finer level is here for the whole of a stretch, so that a coarser one adds nothing.
    pub(super) fn is_finer_here(&self, level: Level, range: TimeRange) -> bool {
        if level == Level::Raw {
            return false;
        }
        let mut at = range.start;
        for (part, found) in self.cover(range) {
            if part.start > at || !found.is_finer_than(level) {
                return false;
            }
            at = part.end;
        }
        at >= range.end
    }

    pub(super) fn guessed(&self) -> u64 {
        self.slots.values().filter(|slot| slot.state == State::Here).map(|slot| weight(&slot.page, 1.0)).sum()
    }

    pub(super) fn weight_held(&self) -> u64 {
        let taking = |slot: &&super::Slot| matches!(slot.state, State::Here | State::Coming { .. });
        self.slots.values().filter(taking).map(|slot| weight(&slot.page, self.scale)).sum()
    }
}

/// How far an instant lies outside a stretch.
fn distance(range: TimeRange, t: Timestamp) -> Span {
    if t < range.start { range.start.since(t) } else { t.since(range.end).max(Span::ZERO) }
}

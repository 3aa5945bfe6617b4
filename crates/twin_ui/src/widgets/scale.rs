//! Time along a line, with long empty stretches folded to a slot each. Refuses to know which stretches are empty, and painting.

use twin_model::{Span, TimeRange, Timestamp};

/// Folded stretches at most; further ones stay as long as they are.
const MOST: usize = 6;
/// Width of a folded stretch, in points.
const SLOT: f32 = 26.0;

/// Time from left to right. Without folds it is linear; with them it is linear between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// What is in sight.
    pub(crate) range: TimeRange,
    /// Where it begins, in points.
    pub(crate) left: f32,
    /// Where it ends, in points.
    pub(crate) right: f32,
    folds: [Option<TimeRange>; MOST],
}

impl Scale {
    /// A linear one.
    pub(crate) fn new(range: TimeRange, left: f32, right: f32) -> Self {
        Self { range, left, right, folds: [None; MOST] }
    }

    /// The same with stretches folded, which are sorted and apart; those not wholly in sight stay as they are, and so do
    /// all where the slots would take half of the width.
    pub(crate) fn folded(mut self, stretches: impl IntoIterator<Item = TimeRange>) -> Self {
        let inside =
            |stretch: &TimeRange| !stretch.is_empty() && stretch.start > self.range.start && stretch.end < self.range.end;
        let kept: Vec<TimeRange> = stretches.into_iter().filter(inside).take(MOST).collect();
        if kept.len() as f32 * SLOT * 2.0 < self.right - self.left {
            for (slot, stretch) in self.folds.iter_mut().zip(kept) {
                *slot = Some(stretch);
            }
        }
        self
    }

    /// What is folded.
    pub(crate) fn folds(&self) -> impl Iterator<Item = TimeRange> + '_ {
        self.folds.iter().flatten().copied()
    }

    /// Whether an instant lies within a folded stretch, not at its edges.
    pub(crate) fn is_folded(&self, t: Timestamp) -> bool {
        self.folds().any(|fold| fold.contains(t) && t != fold.start)
    }

    /// Width that the whole range would take at the pace of what is not folded.
    pub(crate) fn full_width(&self) -> f32 {
        (self.range.span().as_micros() as f64 / self.pace()) as f32
    }

    /// Microseconds per point where nothing is folded.
    fn pace(&self) -> f64 {
        let hidden: i64 = self.folds().map(|fold| fold.span().as_micros()).sum();
        let slots = self.folds().count() as f32 * SLOT;
        let open = (self.range.span().as_micros() - hidden).max(1);
        open as f64 / f64::from((self.right - self.left - slots).max(1.0))
    }

    /// Where an instant stands; far outside it is as good as outside.
    pub(crate) fn x(&self, t: Timestamp) -> f32 {
        let mut open = t.as_micros() as f64 - self.range.start.as_micros() as f64;
        let mut slots = 0.0;
        for fold in self.folds().take_while(|fold| fold.start < t) {
            let within = fold.end.min(t).since(fold.start).as_micros() as f64;
            open -= within;
            slots += within / fold.span().as_micros().max(1) as f64;
        }
        let width = f64::from(self.right - self.left);
        // Infinities upset the tessellator.
        let along = (open / self.pace() + slots * f64::from(SLOT)).clamp(-8.0 * width, 9.0 * width);
        self.left + along as f32
    }

    /// What stands at a place.
    pub(crate) fn t(&self, x: f32) -> Timestamp {
        let pace = self.pace();
        let later = |t: Timestamp, points: f32| t + Span::from_micros((f64::from(points) * pace) as i64);
        let (mut at, mut t) = (self.left, self.range.start);
        for fold in self.folds() {
            let start = at + (fold.start.since(t).as_micros() as f64 / pace) as f32;
            if x <= start {
                break;
            }
            if x < start + SLOT {
                let part = f64::from((x - start) / SLOT);
                return fold.start + Span::from_micros((fold.span().as_micros() as f64 * part) as i64);
            }
            (at, t) = (start + SLOT, fold.end);
        }
        later(t, x - at)
    }

    /// The part of a range that is in sight, as horizontal places.
    pub(crate) fn cut(&self, range: TimeRange) -> Option<(f32, f32)> {
        let seen = range.intersect(self.range);
        (!seen.is_empty()).then(|| (self.x(seen.start), self.x(seen.end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(s)
    }

    fn range(a: i64, b: i64) -> TimeRange {
        TimeRange::new(at(a), at(b))
    }

    fn check(folds: &[(i64, i64)], places: &[(i64, f32)]) {
        let scale = Scale::new(range(0, 1_000), 100.0, 1_100.0).folded(folds.iter().map(|(a, b)| range(*a, *b)));
        for (t, x) in places {
            assert!((scale.x(at(*t)) - x).abs() < 0.01, "{t} stands at {} instead of {x}", scale.x(at(*t)));
            let back = scale.t(*x).since(at(*t)).abs();
            assert!(back < Span::from_millis(200), "{x} is {:?} instead of {t}", scale.t(*x));
        }
    }

    #[test]
    fn without_folds_it_is_linear() {
        check(&[], &[(0, 100.0), (500, 600.0), (1_000, 1_100.0), (-100, 0.0), (1_200, 1_300.0)]);
    }

    #[test]
    fn a_fold_is_a_slot_and_the_rest_has_its_room() {
        // 500 of 1,000 s are left for 974 of 1,000 points.
        check(&[(200, 700)], &[(0, 100.0), (200, 489.6), (450, 502.6), (700, 515.6), (1_000, 1_100.0)]);
    }

    #[test]
    fn what_is_not_wholly_in_sight_is_not_folded() {
        check(&[(-100, 700)], &[(0, 100.0), (500, 600.0)]);
        check(&[(700, 1_000)], &[(0, 100.0), (500, 600.0)]);
        check(&[(300, 300)], &[(0, 100.0), (500, 600.0)]);
    }

    #[test]
    fn narrow_places_fold_nothing() {
        let scale = Scale::new(range(0, 1_000), 0.0, 50.0).folded([range(200, 700)]);
        assert_eq!(scale.folds().count(), 0);
    }

    #[test]
    fn order_is_kept_and_every_place_is_found_again() {
        let folds = [range(100, 300), range(300, 450), range(600, 999)];
        let scale = Scale::new(range(0, 1_000), 30.0, 900.0).folded(folds);
        assert_eq!(scale.folds().count(), 3);
        let mut before = f32::NEG_INFINITY;
        for nth in -200..1_300 {
            let x = scale.x(at(nth));
            assert!(x > before, "at {nth}");
            before = x;
            assert!((scale.x(scale.t(x)) - x).abs() < 0.05, "{x} again");
        }
        assert!(scale.is_folded(at(200)) && scale.is_folded(at(700)) && !scale.is_folded(at(500)) && !scale.is_folded(at(100)));
    }
}

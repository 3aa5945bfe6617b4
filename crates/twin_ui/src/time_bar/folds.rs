//! Which stretches of the time bar are long and empty, so that they can be folded away. Refuses to know painting.

use twin_model::{Span, TimeRange, Timestamp};

use super::lanes::missing;
use crate::view::ViewModel;

/// Shorter ones are never folded: a pause of minutes is something to look at.
const LEAST: Span = Span::from_secs(3_600);
/// Nor are those that take less than this part of what is in sight.
const LEAST_PART: i64 = 8;
/// Edges stand on a grid of this part of what is in sight, so that they stay while the view slides.
const GRID: i64 = 64;

/// Long stretches between data of which it is known that there is none, oldest first. What is not loaded is not empty, and
/// neither is what a branch covers.
pub(super) fn empty_stretches(vm: &ViewModel, view: TimeRange) -> Vec<TimeRange> {
    let timeline = &vm.timeline;
    let Some(range) = timeline.density.range.filter(|range| !range.is_empty()) else { return Vec::new() };
    let grid = Span::from_micros((view.span().as_micros() / GRID).max(1));
    let start = timeline.retained_from.unwrap_or(timeline.extent.start).max(timeline.extent.start);
    let known = TimeRange::new(start, vm.clock.live_edge.unwrap_or(timeline.extent.end).max(start));
    let taken: Vec<TimeRange> =
        missing(timeline).into_iter().chain(vm.what_if.branches.iter().map(|branch| branch.range)).collect();
    let inner = |run: TimeRange| {
        let run = run.intersect(known);
        let start = (run.start + grid).floor_to(grid);
        TimeRange::new(start, run.end.floor_to(grid).max(start))
    };
    let long = |run: &TimeRange| run.span() >= LEAST && run.span().as_micros() >= view.span().as_micros() / LEAST_PART;
    let free = |run: &TimeRange| taken.iter().all(|other| other.intersect(*run).is_empty());
    runs(range, &timeline.density.buckets).into_iter().map(inner).filter(long).filter(free).collect()
}

/// Runs of buckets without a sample, as time.
fn runs(range: TimeRange, buckets: &[u32]) -> Vec<TimeRange> {
    let length = range.span().as_micros() as f64 / buckets.len().max(1) as f64;
    let edge = |nth: usize| -> Timestamp { range.start + Span::from_micros((length * nth as f64) as i64) };
    let mut out: Vec<TimeRange> = Vec::new();
    let mut from = None;
    for (nth, count) in buckets.iter().enumerate() {
        if *count == 0 {
            from.get_or_insert(nth);
        } else if let Some(first) = from.take() {
            out.push(TimeRange::new(edge(first), edge(nth)));
        }
    }
    // A run to the end may go on beyond it: what follows is not known here.
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{BranchId, BranchView, DensityView, SiteView};

    const HOUR: i64 = 3_600;

    fn hours(a: i64, b: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_secs(a * HOUR), Timestamp::from_secs(b * HOUR))
    }

    /// A week of hours in which there is data in some only.
    fn plant(data: impl Fn(i64) -> bool) -> ViewModel {
        let mut vm = ViewModel::empty(SiteView::default());
        vm.timeline.extent = hours(0, 168);
        vm.clock.live_edge = Some(Timestamp::from_secs(168 * HOUR));
        let buckets = (0..168).map(|hour| u32::from(data(hour)) * 60).collect();
        vm.timeline.density = DensityView { range: Some(hours(0, 168)), buckets };
        vm
    }

    fn check(name: &str, vm: &ViewModel, expect: &[(i64, i64)]) {
        let got = empty_stretches(vm, hours(0, 168));
        assert_eq!(got.len(), expect.len(), "{name}: {got:?}");
        for (range, (from, to)) in got.iter().zip(expect) {
            // Within two steps of the grid, and never more than is empty.
            let empty = hours(*from, *to);
            assert_eq!(range.intersect(empty), *range, "{name}");
            assert!(range.span() + Span::from_secs(6 * HOUR) > empty.span(), "{name}: {range:?} of {empty:?}");
        }
    }

    #[test]
    fn long_empty_stretches_between_data_are_found() {
        check("a weekend", &plant(|hour| !(100..148).contains(&hour)), &[(100, 148)]);
        check("two nights are too short for a week", &plant(|hour| hour % 24 < 12), &[]);
        check("nothing at all", &plant(|_| false), &[]);
        check("the beginning", &plant(|hour| hour > 40), &[(0, 41)]);
        check("up to the live edge", &plant(|hour| hour < 100), &[]);
    }

    #[test]
    fn minutes_are_never_folded() {
        let mut vm = plant(|hour| !(100..148).contains(&hour));
        // The same picture within a few minutes.
        let start = vm.timeline.extent.start;
        vm.timeline.extent = TimeRange::new(start, start + Span::from_secs(900));
        vm.timeline.density.range = Some(vm.timeline.extent);
        vm.clock.live_edge = Some(vm.timeline.extent.end);
        assert_eq!(empty_stretches(&vm, vm.timeline.extent), []);
    }

    #[test]
    fn what_is_not_loaded_or_a_branch_is_not_empty() {
        let mut vm = plant(|hour| !(100..148).contains(&hour));
        vm.timeline.loaded = vec![hours(0, 110), hours(120, 168)];
        check("not loaded", &vm, &[]);
        let mut vm = plant(|hour| !(100..148).contains(&hour));
        let branch = BranchView { id: BranchId(1), name: String::new(), range: hours(90, 110), shown: true, status: Vec::new() };
        vm.what_if.branches.push(branch);
        check("a branch", &vm, &[]);
        let mut vm = plant(|hour| hour > 40);
        vm.timeline.retained_from = Some(Timestamp::from_secs(39 * HOUR));
        check("not kept", &vm, &[]);
    }

    #[test]
    fn edges_stay_while_the_view_slides() {
        let vm = plant(|hour| !(100..148).contains(&hour));
        let slid = Span::from_secs(400);
        let mut moved = vm.clone();
        moved.timeline.density.range = Some(TimeRange::new(hours(0, 168).start + slid, hours(0, 168).end + slid));
        let view = hours(0, 168);
        assert_eq!(
            empty_stretches(&vm, view)[0].end,
            empty_stretches(&moved, TimeRange::new(view.start + slid, view.end + slid))[0].end
        );
    }
}

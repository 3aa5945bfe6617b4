//! Alarm and event ticks: one mark each, or one mark with a count where they crowd.

use egui::{Align2, Rect, Stroke, Ui, pos2, vec2};
use twin_model::AlarmState;

use super::super::Scale;
use crate::icon;
use crate::theme::{self, Type, tokens};
use crate::view::{TickKind, TimeTick, ViewModel};
use crate::widgets::{alarm_mark, icon, measure, status_mark, text};

/// Marks nearer than this merge.
const CROWDED: f32 = 15.0;

/// Room about a mark without a count, and what a count's digit adds to it.
const MARK: f32 = 13.0;
const COUNT: (f32, f32) = (23.0, 7.5);

/// Ticks that share a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cluster {
    first: f32,
    last: f32,
    count: usize,
    worst: TickKind,
}

impl Cluster {
    fn middle(&self) -> f32 {
        f32::midpoint(self.first, self.last)
    }

    fn width(&self) -> f32 {
        match self.count {
            0 | 1 => MARK,
            count => COUNT.0 + COUNT.1 * (count.ilog10() + 1) as f32,
        }
    }

    /// What it covers of the lane.
    pub(super) fn extent(&self) -> (f32, f32) {
        (self.middle() - self.width() / 2.0, self.middle() + self.width() / 2.0)
    }

    fn join(&mut self, other: &Self) {
        self.last = other.last;
        self.count += other.count;
        if rank(other.worst) < rank(self.worst) {
            self.worst = other.worst;
        }
    }
}

/// Lower is more pressing.
fn rank(kind: TickKind) -> (u8, u8) {
    match kind {
        TickKind::Alarm(priority) => (0, priority.number()),
        TickKind::Status(status) => (1, u8::MAX - status.rank()),
        TickKind::Revision => (2, 0),
        TickKind::Event => (3, 0),
    }
}

/// Merges ticks, which are sorted by time, from left to right.
fn clusters(ticks: impl Iterator<Item = (f32, TickKind)>) -> Vec<Cluster> {
    let mut near: Vec<Cluster> = Vec::new();
    for (x, kind) in ticks {
        let one = Cluster { first: x, last: x, count: 1, worst: kind };
        match near.last_mut().filter(|cluster| x - cluster.last < CROWDED && x - cluster.first < 4.0 * CROWDED) {
            Some(cluster) => cluster.join(&one),
            None => near.push(one),
        }
    }
    // Counts are wider than the marks that they stand for: those that would lie over each other merge too.
    let mut out: Vec<Cluster> = Vec::with_capacity(near.len());
    for mut cluster in near {
        while let Some(before) = out.pop_if(|before| before.extent().1 + 1.0 > cluster.extent().0) {
            let mut joined = before;
            joined.join(&cluster);
            cluster = joined;
        }
        out.push(cluster);
    }
    out
}

/// The ticks in sight.
pub(super) fn seen(scale: Scale, vm: &ViewModel) -> Vec<Cluster> {
    clusters(vm.timeline.ticks.iter().filter(|tick| scale.range.contains(tick.t)).map(|tick| (scale.x(tick.t), tick.kind)))
}

/// Paints the lane.
pub(super) fn paint(ui: &Ui, lane: Rect, clusters: &[Cluster]) {
    let t = tokens(ui);
    for cluster in clusters {
        let middle = cluster.middle();
        let count = (cluster.count > 1).then(|| cluster.count.to_string());
        let words = count.as_ref().map_or(0.0, |count| measure(ui, count, Type::Small) + 3.0);
        let center = pos2(middle - words / 2.0, lane.center().y);
        if cluster.count > 1 {
            let group = Rect::from_center_size(pos2(middle, lane.center().y), vec2(words + 18.0, 15.0));
            ui.painter().rect_filled(group, 7.5, t.surface2);
        }
        match cluster.worst {
            TickKind::Alarm(priority) => alarm_mark(ui, center, 11.0, priority, AlarmState::AckActive),
            TickKind::Status(status) => status_mark(ui, center, 10.0, status),
            TickKind::Revision => icon(ui, center, icon::CUBE, 12.0, t.secondary),
            TickKind::Event => {
                ui.painter().vline(center.x, lane.shrink(3.0).y_range(), Stroke::new(theme::BOLD, t.faint));
            }
        }
        if let Some(count) = count {
            let place = Rect::from_min_size(pos2(center.x + 8.0, lane.top()), vec2(words, lane.height()));
            text(ui, place, Align2::LEFT_CENTER, &count, Type::Small, t.text);
        }
    }
}

/// Words of the ticks near a place, nearest first.
pub(super) fn near(scale: Scale, x: f32, vm: &ViewModel) -> Vec<String> {
    let mut near: Vec<(&TimeTick, f32)> = vm
        .timeline
        .ticks
        .iter()
        .map(|tick| (tick, (scale.x(tick.t) - x).abs()))
        .filter(|(_, off)| *off < CROWDED / 2.0)
        .collect();
    near.sort_by(|a, b| a.1.total_cmp(&b.1));
    near.into_iter().map(|(tick, _)| tick.label.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_model::{Priority, Status};

    #[test]
    fn crowded_ticks_become_a_count_with_the_most_pressing_mark() {
        let ticks = [
            (10.0, TickKind::Event),
            (18.0, TickKind::Alarm(Priority::Low)),
            (25.0, TickKind::Alarm(Priority::Critical)),
            (90.0, TickKind::Status(Status::Failure)),
        ];
        let got = clusters(ticks.into_iter());
        assert_eq!(got.len(), 2);
        assert_eq!((got[0].count, got[0].worst), (3, TickKind::Alarm(Priority::Critical)));
        assert_eq!((got[1].count, got[1].worst), (1, TickKind::Status(Status::Failure)));
    }

    #[test]
    fn counts_never_lie_over_each_other() {
        let mut seed = 7u32;
        for size in [3, 20, 90, 400] {
            let mut places: Vec<f32> = (0..size)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 8) as f32 / 16_777_216.0 * 900.0
                })
                .collect();
            places.sort_by(f32::total_cmp);
            let got = clusters(places.iter().map(|x| (*x, TickKind::Event)));
            assert_eq!(got.iter().map(|cluster| cluster.count).sum::<usize>(), size);
            for pair in got.windows(2) {
                assert!(pair[0].extent().1 < pair[1].extent().0, "{pair:?}");
            }
        }
    }

    #[test]
    fn a_long_crowd_is_cut_so_that_its_place_stays_clear() {
        let ticks = (0..40).map(|nth| (nth as f32 * 8.0, TickKind::Event));
        assert!(clusters(ticks).len() >= 4);
    }
}

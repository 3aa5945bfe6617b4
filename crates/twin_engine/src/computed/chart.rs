//! Computed signals in charts: a value for every sample of what they read, in ranges with too many of these at chosen instants.

use std::ops::ControlFlow;

use twin_historian::{Envelope, EnvelopeMaker};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp};

use super::walk::Change;
use super::{Computed, Inputs, walk};
use crate::basis;

/// Samples of what a signal reads up to which every one of them is a value of the chart. Beyond, the chart is made of the instants at
/// which what it reads was first, last, lowest and highest in each bucket, and says that it is thinned.
pub(crate) const EXACT: u64 = 1 << 16;
/// Samples that are looked up for a chart of chosen instants.
const LOOKS: usize = 1 << 20;

/// A computed signal over a range in at most about `points` buckets. Its points stand where they came into force.
///
/// No line is drawn over a stretch in which something that was needed was silent for longer than its own gap limit.
pub(crate) fn envelope(computed: &Computed, place: usize, inputs: Inputs<'_>, range: TimeRange, points: usize) -> Envelope {
    let reads = computed.reads(place);
    let range = close(reads, &inputs, range);
    let each = (LOOKS / 4 / reads.len().saturating_mul(reads.len()).max(1)).clamp(2, points.max(2));
    let outlines: Vec<Envelope> =
        reads.iter().map(|signal| basis::envelope(inputs.store, *signal, (range, inputs.known), each)).collect();
    let count: u64 = outlines.iter().map(Envelope::samples).sum();
    let mut chart = Chart::new(computed, place, inputs, EnvelopeMaker::new(range, count, points));
    if let Some(before) = computed.next_change(place, inputs.store, range.start, twin_historian::Direction::Backward) {
        chart.before(before);
    }
    let mut thinned: Vec<TimeRange> = inputs.store.coarse_in(range).map(|(part, _)| part).collect();
    if count <= EXACT {
        walk(computed, place, inputs, range, &mut |change| {
            chart.push(&change);
            ControlFlow::Continue(())
        });
    } else {
        thinned = vec![range];
        for t in chosen(&outlines) {
            let instant = TimeRange::new(t, t + Span::from_micros(1));
            walk(computed, place, inputs, instant, &mut |change| {
                chart.push(&change);
                ControlFlow::Continue(())
            });
        }
    }
    thinned.extend(outlines.iter().flat_map(|outline| outline.thinned.iter().copied()));
    chart.finish(range.end, TimeRange::merged(thinned))
}

/// Replaces open ends by the extent of what is read.
fn close(reads: &[SignalIndex], inputs: &Inputs<'_>, range: TimeRange) -> TimeRange {
    let extents = reads.iter().filter_map(|signal| inputs.store.extent_of(*signal));
    let Some(extent) = extents.reduce(TimeRange::union) else { return range };
    let start = if range.start == Timestamp::MIN { extent.start.min(range.end) } else { range.start };
    let end = if range.end == Timestamp::MAX { extent.end.max(range.start) } else { range.end };
    TimeRange::new(start, end)
}

/// Instants at which what is read stands out, in order.
fn chosen(outlines: &[Envelope]) -> Vec<Timestamp> {
    let of = |bucket: &twin_historian::EnvelopeBucket| [bucket.first.t, bucket.min.t, bucket.max.t, bucket.last.t];
    let mut all: Vec<Timestamp> = outlines.iter().flat_map(|outline| outline.buckets.iter().flat_map(of)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

struct Chart<'a> {
    computed: &'a Computed,
    place: usize,
    inputs: Inputs<'a>,
    maker: EnvelopeMaker,
    /// When what is drawn last came into force.
    drawn: Option<Timestamp>,
    /// From how far apart changes leave a gap: the least limit of what is read.
    gap: Option<Span>,
}

impl<'a> Chart<'a> {
    fn new(computed: &'a Computed, place: usize, inputs: Inputs<'a>, maker: EnvelopeMaker) -> Self {
        // What a branch computes has the times of its steps, and is never silent.
        let limits = computed.gaps(place).iter().flatten().copied().filter(|_| !inputs.predictions);
        Self { computed, place, inputs, maker, drawn: None, gap: limits.min() }
    }

    fn before(&mut self, t: Timestamp) {
        let held = self.computed.at(self.place, &self.inputs, t);
        if let Some(sample) = held.sample {
            self.drawn = sample.has_value().then_some(t);
            self.maker.before(Sample { source_time: t, ..sample });
        }
    }

    fn push(&mut self, change: &Change<'_>) {
        let Some(sample) = &change.sample else {
            // Something was never seen: what is drawn breaks here.
            let nothing = Sample::without_value(change.t, twin_model::ValueKind::Float, change.outcome.quality);
            return self.maker.push(&nothing, false, false);
        };
        let current = self.current(change);
        self.maker.push(sample, current, self.gap_before(change.t));
        if current && sample.has_value() {
            self.drawn = Some(change.t);
        }
    }

    /// Whether everything that was needed had spoken within its gap limit.
    fn current(&self, change: &Change<'_>) -> bool {
        let allowance = self.inputs.store.allowance_at(change.t);
        let limits = self.computed.gaps(self.place).iter().zip(self.computed.reads(self.place)).enumerate();
        self.inputs.predictions
            || limits.filter(|(_, (_, signal))| change.needed.contains(signal)).all(|(at, (limit, _))| {
                let age = change.taken(at).map(|taken| change.t.since(taken));
                limit.is_none_or(|limit| age.is_none_or(|age| age <= limit.max(allowance)))
            })
    }

    fn gap_before(&self, t: Timestamp) -> bool {
        let allowance = self.inputs.store.allowance_at(t);
        self.gap.zip(self.drawn).is_some_and(|(gap, drawn)| t.since(drawn) > gap.max(allowance))
    }

    fn finish(self, end: Timestamp, thinned: Vec<TimeRange>) -> Envelope {
        let mut after = None;
        let last = end - Span::from_micros(1);
        let next = self.computed.next_change(self.place, self.inputs.store, last, twin_historian::Direction::Forward);
        if let Some(t) = next.filter(|_| end != Timestamp::MAX) {
            let held = self.computed.at(self.place, &self.inputs, t);
            after = held.sample.map(|sample| (Sample { source_time: t, ..sample }, self.gap_before(t)));
        }
        self.maker.finish(after, thinned)
    }
}

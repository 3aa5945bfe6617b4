//! Reads of one signal, and of all signals over time.

use std::ops::ControlFlow;

use twin_model::{Flags, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use super::{Column, Store};
use crate::envelope::{Builder, Envelope, bucket_width};
use crate::row::closed;
use crate::spec::Direction;

/// Samples beyond which [`Store::density`] answers from counts by second instead of from the samples.
const EXACT_DENSITY: u64 = 20_000;

impl Store {
    /// The newest sample at or before `t`.
    pub fn latest_at(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        let column = self.columns.get(signal.at())?;
        column.series.at(&self.shared.arena, t.as_micros()).and_then(|row| column.sample(&row))
    }

    /// Every sample with a source time in `range`, in source-time order, until `f` breaks.
    pub fn for_each_sample(&self, signal: SignalIndex, range: TimeRange, f: &mut dyn FnMut(&Sample) -> ControlFlow<()>) {
        let Some(column) = self.columns.get(signal.at()) else { return };
        let (from, to) = (range.start.as_micros(), range.end.as_micros());
        let _stopped_early = column.series.for_each(&self.shared.arena, from, to, &mut |row| match column.sample(row) {
            Some(sample) => f(&sample),
            None => ControlFlow::Continue(()),
        });
    }

    /// One signal over a range in at most about `max_points` buckets (at least 2), every peak kept. Gaps by the signal's
    /// [`SignalSpec::gap_after`](crate::SignalSpec::gap_after).
    pub fn envelope(&self, signal: SignalIndex, range: TimeRange, max_points: usize) -> Envelope {
        let gap_after = self.columns.get(signal.at()).and_then(|column| column.spec.gap_after);
        self.envelope_with(signal, range, max_points, gap_after)
    }

    /// As [`Self::envelope`], with a gap limit of the caller's.
    pub fn envelope_with(&self, signal: SignalIndex, range: TimeRange, max_points: usize, gap_after: Option<Span>) -> Envelope {
        self.envelope_of(signal, range, max_points, (gap_after, i64::MAX))
    }

    /// As [`Self::envelope_with`], from samples that had been received by `known`.
    pub(super) fn envelope_of(
        &self,
        signal: SignalIndex,
        range: TimeRange,
        max_points: usize,
        (gap_after, known): (Option<Span>, i64),
    ) -> Envelope {
        let range = self.close_range(signal, range);
        let mut envelope = Envelope {
            range,
            width: Span::from_micros(1),
            buckets: Vec::new(),
            gaps: Vec::new(),
            before: None,
            after: None,
            thinned: Vec::new(),
        };
        let Some(column) = self.columns.get(signal.at()) else { return envelope };
        let arena = &self.shared.arena;
        let (from, to) = (range.start.as_micros(), range.end.as_micros().max(range.start.as_micros()));
        let enough = max_points as u64 + 1;
        let count = match known {
            i64::MAX => column.series.count_up_to(arena, from, to, enough),
            known => column.series.count_known(arena, (from, to), known, enough),
        };
        let width = bucket_width(range, count, max_points);
        let mut builder = Builder::new(width, gap_after);
        let before = from.checked_sub(1).and_then(|t| match known {
            i64::MAX => column.series.at(arena, t),
            known => column.series.newest_known(arena, t, known, &|_| true),
        });
        if let Some(row) = before.filter(|row| row.number().is_some()) {
            builder.before(row.t);
        }
        column.series.envelope(arena, (from, to), known, &mut builder);
        let after = match (known, to.checked_sub(1)) {
            (i64::MAX, Some(t)) => column.series.after(arena, t),
            (i64::MAX, None) => column.series.at(arena, to),
            (known, _) => column.series.first_known(arena, to, known),
        };
        let after_drawn = after.filter(|row| row.number().is_some()).map(|row| row.t);
        builder.next_gap(after_drawn.and_then(|t| column.series.gap_before(arena, t, builder.gap_after())));
        (envelope.buckets, envelope.gaps) = builder.finish(after_drawn);
        envelope.width = Span::from_micros(width);
        envelope.before = before.and_then(|row| column.sample(&row));
        envelope.after = after.and_then(|row| column.sample(&row));
        let thinned = column.series.thinned_range(arena).map(|thinned| thinned.intersect(range));
        envelope.thinned = thinned.filter(|thinned| !thinned.is_empty()).into_iter().collect();
        self.forgive_coarse(&mut envelope);
        envelope
    }

    /// Where a stretch is here at a coarser level only, samples up to its bucket apart are no gap: those between them are
    /// elsewhere. Longer gaps keep both their sides at every level and are real.
    fn forgive_coarse(&self, envelope: &mut Envelope) {
        let reach = |gap: &TimeRange| TimeRange::new(gap.start, Timestamp::from_micros(gap.end.as_micros().saturating_add(1)));
        let bucket = |gap: TimeRange| self.coarse_in(gap).filter_map(|(_, level)| level.bucket()).max();
        envelope.gaps.retain(|gap| bucket(reach(gap)).is_none_or(|bucket| gap.span() > bucket));
        for one in &mut envelope.buckets {
            one.broken &= bucket(TimeRange::new(one.start, one.end)).is_none();
        }
        envelope.thinned.extend(self.coarse_in(envelope.range).map(|(part, _)| part));
    }

    /// Replaces open ends by the signal's extent.
    fn close_range(&self, signal: SignalIndex, range: TimeRange) -> TimeRange {
        let Some(extent) = self.extent_of(signal) else { return range };
        let start = if range.start == Timestamp::MIN { extent.start.min(range.end) } else { range.start };
        let end = if range.end == Timestamp::MAX { extent.end.max(range.start) } else { range.end };
        TimeRange::new(start, end)
    }

    /// Source time of the signal's next sample strictly after `t`, or strictly before it.
    pub fn next_sample_time(&self, signal: SignalIndex, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        let series = &self.columns.get(signal.at())?.series;
        let row = match direction {
            Direction::Forward => series.after(&self.shared.arena, t.as_micros()),
            Direction::Backward => series.at(&self.shared.arena, t.as_micros().checked_sub(1)?),
        };
        row.map(|row| Timestamp::from_micros(row.t))
    }

    /// Source time of the next sample of any signal strictly after `t`, or strictly before it. Looks at every signal.
    pub fn next_time(&self, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        let times = (0..self.columns.len()).filter_map(|at| self.next_sample_time(SignalIndex::from_at(at), t, direction));
        match direction {
            Direction::Forward => times.min(),
            Direction::Backward => times.max(),
        }
    }

    /// Source time of the earliest sample of any signal at or after `t`: where a walk over what exists goes on, however far
    /// that is. Looks at every signal.
    pub fn first_from(&self, t: Timestamp) -> Option<Timestamp> {
        let times = self.columns.iter().filter_map(|column| column.series.at_or_after(&self.shared.arena, t.as_micros()));
        times.min().map(Timestamp::from_micros)
    }

    /// The signals that have a sample in `range`, ascending.
    pub fn changed_in(&self, range: TimeRange) -> Vec<SignalIndex> {
        let (from, to) = (range.start.as_micros(), range.end.as_micros());
        let has = |column: &Column| column.series.at_or_after(&self.shared.arena, from).is_some_and(|t| t < to);
        let with = self.columns.iter().enumerate().filter(|(_, column)| from < to && has(column));
        with.map(|(at, _)| SignalIndex::from_at(at)).collect()
    }

    /// How long the signal held each of its values in `range`, in order of first appearance. A value holds until the next
    /// sample; the time before the first sample, and after one without a value, counts for none. Meant for states: a noisy signal has many values.
    pub fn time_in_state(&self, signal: SignalIndex, range: TimeRange) -> Vec<(Value, Span)> {
        let mut totals: Vec<(Value, Span)> = Vec::new();
        if range.is_empty() {
            return totals;
        }
        let mut add = |value: Value, span: Span| match totals.iter_mut().find(|(held, _)| *held == value) {
            Some((_, total)) => *total = *total + span,
            None => totals.push((value, span)),
        };
        let mut held = self.latest_at(signal, range.start).and_then(|sample| Some((range.start, sample.given()?.clone())));
        self.for_each_sample(signal, range, &mut |sample| {
            if let Some((since, value)) = held.take() {
                add(value, sample.source_time.since(since));
            }
            held = sample.given().map(|value| (sample.source_time, value.clone()));
            ControlFlow::Continue(())
        });
        if let Some((since, value)) = held {
            add(value, range.end.since(since));
        }
        totals
    }

    /// By how much a counter grew in `range`, from the value that held at its start. A fall is a reset to zero, after which
    /// the new value counts in full. None where there is no number to begin with.
    pub fn increase(&self, signal: SignalIndex, range: TimeRange) -> Option<f64> {
        let number = |sample: &Sample| sample.value.as_f64().filter(|v| v.is_finite() && !sample.flags.has(Flags::NULL));
        let mut last = self.latest_at(signal, range.start).as_ref().and_then(number);
        let mut sum = 0.0;
        self.for_each_sample(signal, range, &mut |sample| {
            if let Some(v) = number(sample) {
                sum += last.map_or(0.0, |last| if v >= last { v - last } else { v });
                last = Some(v);
            }
            ControlFlow::Continue(())
        });
        last.map(|_| sum)
    }

    /// From the first to just after the last sample of any signal.
    pub fn extent(&self) -> Option<TimeRange> {
        let first = self.columns.iter().filter_map(|c| c.series.first_time()).min()?;
        let last = self.columns.iter().filter_map(|c| c.series.last_time()).max()?;
        Some(closed(first, last))
    }

    /// From the signal's first to just after its last sample.
    pub fn extent_of(&self, signal: SignalIndex) -> Option<TimeRange> {
        let series = &self.columns.get(signal.at())?.series;
        Some(closed(series.first_time()?, series.last_time()?))
    }

    /// Samples over all signals in each of `buckets` equal parts of `range`. Exact up to 20,000 samples in the range;
    /// beyond that from counts by second (older than some days: by 16 minutes) divided in proportion. Samples that were
    /// thinned still count.
    pub fn density(&self, range: TimeRange, buckets: usize) -> Vec<u32> {
        let mut out = vec![0_u32; buckets];
        if buckets == 0 || range.is_empty() {
            return out;
        }
        if self.density.about(range) > EXACT_DENSITY {
            self.density.spread(range, &mut out);
            return out;
        }
        if self.thinned().is_some_and(|thinned| !thinned.intersect(range).is_empty()) {
            self.density.spread(range, &mut out);
            return out;
        }
        let start = i128::from(range.start.as_micros());
        let span = i128::from(range.end.as_micros()) - start;
        for column in &self.columns {
            let _never_stops =
                column.series.for_each(&self.shared.arena, range.start.as_micros(), range.end.as_micros(), &mut |row| {
                    let bucket = (i128::from(row.t) - start) * buckets as i128 / span;
                    if let Some(slot) = usize::try_from(bucket).ok().and_then(|at| out.get_mut(at)) {
                        *slot = slot.saturating_add(1);
                    }
                    ControlFlow::Continue(())
                });
        }
        out
    }

    /// The stretch in which the byte budget took samples of any signal away. Reads in it answer from the samples that
    /// stayed: first, last, lowest, highest, worst and the edges of gaps of every stretch of 128 or more.
    pub fn thinned(&self) -> Option<TimeRange> {
        let ranges = self.columns.iter().filter_map(|column| column.series.thinned_range(&self.shared.arena));
        ranges.reduce(TimeRange::union)
    }

    /// Samples with an earlier source time than this were dropped for the byte budget; none where nothing was.
    pub const fn dropped_before(&self) -> Option<Timestamp> {
        self.sweep.dropped_before()
    }

    /// Whether the byte budgets of numbers or texts took samples with a source time in `range` away, so that they can't be exported
    /// from here any more. Says yes where it can't tell.
    pub fn may_lack(&self, range: TimeRange) -> bool {
        self.texts_given_up_before().is_some_and(|end| end > range.start) || self.took_from(self.columns.iter(), range)
    }

    /// Whether the byte budget took samples of these columns away in `range`.
    pub(super) fn took_from<'a>(&self, mut columns: impl Iterator<Item = &'a Column>, range: TimeRange) -> bool {
        let thinned = |column: &Column| {
            column.series.thinned_range(&self.shared.arena).is_some_and(|thinned| !thinned.intersect(range).is_empty())
        };
        self.dropped_before().is_some_and(|end| end > range.start) || columns.any(thinned)
    }

    /// The word of a text signal's code ([`Point::v`](crate::Point::v) of a text signal).
    pub fn word(&self, signal: SignalIndex, code: f64) -> Option<&str> {
        self.columns.get(signal.at())?.word(code as u64).map(|word| &**word)
    }
}

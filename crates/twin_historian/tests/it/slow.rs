//! The slow obvious twin: one sorted vector per signal, every read a scan.

use std::collections::BTreeMap;

use twin_historian::{Appended, Counters, Direction, EnvelopeBucket, Known, Point, SignalSpec, ValueAt};
use twin_model::{Flags, Sample, SignalIndex, Span, TimeRange, Timestamp, Value, ValueKind};

/// A source time further after the received time is refused, as by default.
const FUTURE_LIMIT: Span = Span::from_secs(3_600);

/// Samples by signal, sorted by source time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slow {
    signals: BTreeMap<SignalIndex, Vec<Sample>>,
    /// Newest source time that was ever appended as neither store-and-forward data nor a prediction.
    live: BTreeMap<SignalIndex, Timestamp>,
    /// Source time appended last.
    previous: BTreeMap<SignalIndex, Timestamp>,
    pub(crate) counters: Counters,
}

fn is_live(sample: &Sample) -> bool {
    !sample.flags.has(Flags::HISTORICAL) && !sample.flags.has(Flags::PREDICTED)
}

impl Slow {
    pub(crate) fn append(&mut self, signal: SignalIndex, sample: &Sample) -> Appended {
        if self.refuses(sample) {
            self.counters.quarantined += 1;
            return Appended::Quarantined;
        }
        let t = sample.source_time;
        self.counters.nan += u64::from(matches!(sample.value, Value::Float(v) if v.is_nan()));
        self.counters.infinite += u64::from(matches!(sample.value, Value::Float(v) if v.is_infinite()));
        self.counters.kind_mismatch += u64::from(sample.value.kind() != ValueKind::Float);
        self.counters.backward += u64::from(self.previous.insert(signal, t).is_some_and(|previous| t < previous));
        if is_live(sample) {
            self.live.entry(signal).and_modify(|live| *live = t.max(*live)).or_insert(t);
        }
        let samples = self.signals.entry(signal).or_default();
        if let Some(old) = samples.iter_mut().find(|old| old.source_time == t) {
            self.counters.duplicates += 1;
            if sample.received_time >= old.received_time {
                let same = old.value == sample.value && old.quality == sample.quality && old.flags == sample.flags;
                self.counters.duplicates_replaced += u64::from(!same);
                self.counters.stored += 1;
                *old = sample.clone();
            }
            return Appended::Duplicate;
        }
        let newest = samples.last().is_none_or(|last| last.source_time < t);
        samples.push(sample.clone());
        samples.sort_by_key(|sample| sample.source_time);
        self.counters.stored += 1;
        self.counters.late += u64::from(!newest);
        if newest { Appended::New } else { Appended::Late }
    }

    fn refuses(&mut self, sample: &Sample) -> bool {
        let ahead = sample.source_time.since(sample.received_time);
        if ahead <= Span::ZERO || sample.flags.has(Flags::PREDICTED) {
            return false;
        }
        self.counters.max_ahead = self.counters.max_ahead.max(ahead);
        self.counters.ahead_of_received += u64::from(ahead <= FUTURE_LIMIT);
        ahead > FUTURE_LIMIT
    }

    /// The sample held for the newest source time that came as live data. A store-and-forward copy of it replaces it and does not
    /// make an older one live.
    pub(crate) fn live(&self, signal: SignalIndex) -> Option<Sample> {
        self.at(signal, *self.live.get(&signal)?)
    }

    /// The newest by `t` that is no prediction.
    pub(crate) fn measured_at(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        let measured = |sample: &&Sample| sample.source_time <= t && !sample.flags.has(Flags::PREDICTED);
        self.all(signal).iter().rfind(measured).cloned()
    }

    /// The newest that came as a live one, lies at most an hour beyond `t` and had been received by then.
    pub(crate) fn ahead_at(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        let until = t + FUTURE_LIMIT;
        let within = |sample: &&Sample| sample.source_time > t && sample.source_time <= until && sample.received_time <= t;
        self.all(signal).iter().rfind(|sample| within(sample) && is_live(sample)).cloned()
    }

    pub(crate) fn all(&self, signal: SignalIndex) -> &[Sample] {
        self.signals.get(&signal).map_or(&[], |samples| samples)
    }

    pub(crate) fn inside(&self, signal: SignalIndex, range: TimeRange) -> Vec<Sample> {
        self.all(signal).iter().filter(|sample| range.contains(sample.source_time)).cloned().collect()
    }

    pub(crate) fn at(&self, signal: SignalIndex, t: Timestamp) -> Option<Sample> {
        self.all(signal).iter().rfind(|sample| sample.source_time <= t).cloned()
    }

    /// What had been received by `known`, and nothing else.
    pub(crate) fn known_by(&self, known: Timestamp) -> Self {
        let mut past = self.clone();
        past.signals.values_mut().for_each(|samples| samples.retain(|sample| sample.received_time <= known));
        past
    }

    pub(crate) fn next(&self, signal: SignalIndex, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        let mut times = self.all(signal).iter().map(|sample| sample.source_time);
        match direction {
            Direction::Forward => times.find(|time| *time > t),
            Direction::Backward => times.rfind(|time| *time < t),
        }
    }

    /// The value at `t` as known at `seen`, of an analog signal with a gap after `gap`: on the line between two sound numbers.
    pub(crate) fn value_at(
        &self,
        signal: SignalIndex,
        t: Timestamp,
        seen: Timestamp,
        linear: bool,
        gap: Span,
    ) -> Option<ValueAt> {
        let t = t.min(seen);
        let before = self.at(signal, t)?;
        let sound = |sample: &Sample| {
            let numeric = sample.value.kind() != ValueKind::Text && !sample.quality.is_bad();
            number(sample, &[]).filter(|_| numeric)
        };
        let after = self.all(signal).iter().find(|sample| sample.source_time > t && sample.source_time <= seen);
        let ends = after.and_then(|after| Some((after.source_time, sound(&before)?, sound(after)?)));
        let (value, known) = match ends {
            _ if before.source_time == t => (before.value.clone(), Known::Sampled),
            Some((next, a, b)) if linear && next.since(before.source_time) <= gap => {
                let part = t.since(before.source_time).as_micros() as f64 / next.since(before.source_time).as_micros() as f64;
                (Value::Float(a * (1.0 - part) + b * part), Known::Interpolated(next))
            }
            _ => (before.value.clone(), Known::Held),
        };
        Some(ValueAt { value, known, sample: before })
    }

    pub(crate) fn next_of_any(&self, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        let times = self.signals.keys().filter_map(|signal| self.next(*signal, t, direction));
        match direction {
            Direction::Forward => times.min(),
            Direction::Backward => times.max(),
        }
    }

    pub(crate) fn changed_in(&self, range: TimeRange) -> Vec<SignalIndex> {
        self.signals.keys().copied().filter(|signal| !self.inside(*signal, range).is_empty()).collect()
    }

    pub(crate) fn extent_of(&self, signal: SignalIndex) -> Option<TimeRange> {
        let (first, last) = (self.all(signal).first()?, self.all(signal).last()?);
        Some(TimeRange::new(first.source_time, last.source_time + Span::from_micros(1)))
    }

    pub(crate) fn extent(&self) -> Option<TimeRange> {
        self.signals.keys().filter_map(|signal| self.extent_of(*signal)).reduce(TimeRange::union)
    }

    /// By the value that holds at each edge between samples.
    pub(crate) fn time_in_state(&self, signal: SignalIndex, range: TimeRange) -> Vec<(Value, Span)> {
        let mut edges = vec![range.start];
        edges.extend(self.inside(signal, range).iter().map(|sample| sample.source_time));
        edges.push(range.end);
        let mut totals: Vec<(Value, Span)> = Vec::new();
        for pair in edges.windows(2) {
            // A reading without a value holds nothing.
            let Some(held) = self.at(signal, pair[0]).filter(Sample::has_value) else { continue };
            match totals.iter_mut().find(|(value, _)| *value == held.value) {
                Some((_, total)) => *total = *total + pair[1].since(pair[0]),
                None => totals.push((held.value, pair[1].since(pair[0]))),
            }
        }
        totals
    }

    /// The sum of the rises, of every number that counts after a number.
    pub(crate) fn increase(&self, signal: SignalIndex, range: TimeRange) -> Option<f64> {
        let number = |sample: &Sample| number(sample, &[]).filter(|_| sample.value.kind() != ValueKind::Text);
        let start = self.at(signal, range.start);
        let inside = self.inside(signal, range);
        let inside = inside.iter().filter(|sample| sample.source_time > range.start);
        let numbers: Vec<f64> = start.as_ref().into_iter().chain(inside).filter_map(number).collect();
        numbers.first()?;
        Some(numbers.windows(2).fold(0.0, |sum, w| sum + if w[1] >= w[0] { w[1] - w[0] } else { w[1] }))
    }

    pub(crate) fn density(&self, range: TimeRange, buckets: usize) -> Vec<u32> {
        let mut out = vec![0; buckets];
        let span = range.span().as_micros() as i128;
        for sample in self.signals.values().flatten().filter(|sample| range.contains(sample.source_time)) {
            let into = sample.source_time.since(range.start).as_micros() as i128;
            out[(into * buckets as i128 / span) as usize] += 1;
        }
        out
    }

    /// Width of buckets, buckets and gaps, from their definitions. Text values are numbered in the order of `words`.
    pub(crate) fn envelope(
        &self,
        signal: SignalIndex,
        range: TimeRange,
        points: usize,
        gap_after: Option<Span>,
        words: &[String],
    ) -> (Span, Vec<EnvelopeBucket>, Vec<TimeRange>) {
        let number = |sample: &Sample| number(sample, words);
        let inside = self.inside(signal, range);
        let span = range.span().as_micros();
        let width = if inside.len() <= points { 1 } else { (span as u64).div_ceil(points as u64 - 1) as i64 };
        let bucket_of = |t: Timestamp| t.as_micros().div_euclid(width);
        let mut buckets: BTreeMap<i64, EnvelopeBucket> = BTreeMap::new();
        for number_of_bucket in inside.iter().map(|sample| bucket_of(sample.source_time)) {
            let members: Vec<&Sample> =
                inside.iter().filter(|sample| bucket_of(sample.source_time) == number_of_bucket).collect();
            let drawn: Vec<Point> =
                members.iter().filter_map(|sample| number(sample).map(|v| Point { t: sample.source_time, v })).collect();
            let (Some(first), Some(last)) = (drawn.first(), drawn.last()) else { continue };
            let lowest = drawn.iter().fold(*first, |a, b| if b.v < a.v { *b } else { a });
            let highest = drawn.iter().fold(*first, |a, b| if b.v > a.v { *b } else { a });
            let bucket = EnvelopeBucket {
                start: Timestamp::from_micros(number_of_bucket * width),
                end: Timestamp::from_micros((number_of_bucket + 1) * width),
                first: *first,
                last: *last,
                min: lowest,
                max: highest,
                count: members.len() as u32,
                worst: members.iter().map(|sample| sample.quality).max().unwrap_or_default(),
                broken: false,
            };
            buckets.insert(number_of_bucket, bucket);
        }
        let before = self.all(signal).iter().rfind(|sample| sample.source_time < range.start);
        let after = self.all(signal).iter().find(|sample| sample.source_time >= range.end);
        let mut gaps = Vec::new();
        let mut last: Option<Timestamp> = before.filter(|sample| number(sample).is_some()).map(|sample| sample.source_time);
        let mut last_is_inside = false;
        let mut broken = false;
        for (sample, is_inside) in inside.iter().map(|sample| (sample, true)).chain(after.map(|sample| (sample, false))) {
            let t = sample.source_time;
            if number(sample).is_none() {
                broken = is_inside;
                continue;
            }
            if let Some(last) = last
                && (broken || gap_after.is_some_and(|limit| t.since(last) > limit))
            {
                match buckets.get_mut(&bucket_of(t)) {
                    Some(bucket) if is_inside && last_is_inside && bucket_of(last) == bucket_of(t) => bucket.broken = true,
                    _ => gaps.push(TimeRange::new(last, t)),
                }
            }
            (last, last_is_inside, broken) = (Some(t), is_inside, false);
        }
        (Span::from_micros(width), buckets.into_values().collect(), gaps)
    }
}

/// The signals of the tests: floats with a gap after `gap`.
pub(crate) fn specs(gap: Span) -> Vec<SignalSpec> {
    vec![SignalSpec::new(twin_model::SignalKind::Analog, ValueKind::Float).with_gap_after(gap); crate::bursts::SIGNALS as usize]
}

/// The number that a chart draws: finite, text as its position in `words`.
pub(crate) fn number(sample: &Sample, words: &[String]) -> Option<f64> {
    if sample.flags.has(Flags::NULL) {
        return None;
    }
    match &sample.value {
        Value::Text(text) => words.iter().position(|word| **word == **text).map(|at| at as f64),
        value => value.as_f64().filter(|v| v.is_finite()),
    }
}

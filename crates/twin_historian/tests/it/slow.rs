//! The slow obvious twin: one sorted vector per signal, every read a scan.

use std::collections::BTreeMap;

use twin_historian::{Direction, EnvelopeBucket, Point};
use twin_model::{Flags, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

/// Samples by signal, sorted by source time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slow {
    signals: BTreeMap<SignalIndex, Vec<Sample>>,
}

impl Slow {
    pub(crate) fn append(&mut self, signal: SignalIndex, sample: &Sample) {
        let samples = self.signals.entry(signal).or_default();
        if let Some(old) = samples.iter_mut().find(|old| old.source_time == sample.source_time) {
            if sample.received_time >= old.received_time {
                *old = sample.clone();
            }
            return;
        }
        samples.push(sample.clone());
        samples.sort_by_key(|sample| sample.source_time);
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

    pub(crate) fn next(&self, signal: SignalIndex, t: Timestamp, direction: Direction) -> Option<Timestamp> {
        let mut times = self.all(signal).iter().map(|sample| sample.source_time);
        match direction {
            Direction::Forward => times.find(|time| *time > t),
            Direction::Backward => times.rfind(|time| *time < t),
        }
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

    /// Buckets and gaps, from their definitions. Text values are numbered in the order of `words`.
    pub(crate) fn envelope(
        &self,
        signal: SignalIndex,
        range: TimeRange,
        points: usize,
        gap_after: Option<Span>,
        words: &[String],
    ) -> (Vec<EnvelopeBucket>, Vec<TimeRange>) {
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
        (buckets.into_values().collect(), gaps)
    }
}

fn number(sample: &Sample, words: &[String]) -> Option<f64> {
    if sample.flags.has(Flags::NULL) {
        return None;
    }
    match &sample.value {
        Value::Text(text) => words.iter().position(|word| **word == **text).map(|at| at as f64),
        value => value.as_f64().filter(|v| v.is_finite()),
    }
}

//! What a chart draws of one signal over a range: few buckets that keep every peak, and the gaps between them.
//!
//! Knows samples and block summaries, not how they are stored.

use twin_model::{Quality, Sample, Span, TimeRange, Timestamp};

/// A drawn sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Its source time.
    pub t: Timestamp,
    /// Its value: finite; booleans 0 and 1; text its code in order of first appearance
    /// ([`Store::word`](crate::Store::word)).
    pub v: f64,
}

/// The samples of one bucket. Its four points are real samples; drawing `first`, `min`, `max`, `last` in time order gives
/// the same pixels as drawing all of them, where a bucket is at most a pixel wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnvelopeBucket {
    /// Start of the bucket (its samples may begin later).
    pub start: Timestamp,
    /// End of the bucket, exclusive.
    pub end: Timestamp,
    /// Earliest drawable sample.
    pub first: Point,
    /// Latest drawable sample.
    pub last: Point,
    /// Lowest drawable sample, the earliest of equals.
    pub min: Point,
    /// Highest drawable sample, the earliest of equals.
    pub max: Point,
    /// Samples in the bucket, drawable or not.
    pub count: u32,
    /// The worst quality among them (by its bits).
    pub worst: Quality,
    /// Whether a gap lies wholly inside the bucket.
    pub broken: bool,
}

/// One signal over a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The range that was asked for; ends left open (`Timestamp::MIN`, `MAX`) are replaced by the signal's extent.
    pub range: TimeRange,
    /// Width of a bucket; one microsecond where every bucket is a single sample.
    pub width: Span,
    /// Buckets that have a drawable sample, in time order. Bucket edges are whole multiples of `width` since the epoch, so
    /// that a panned chart does not flicker.
    pub buckets: Vec<EnvelopeBucket>,
    /// Stretches over which no line may be drawn, in time order, from the last drawable sample before to the first after:
    /// no sample for longer than the gap limit, or only samples without a number. May start before the range and end
    /// after it. Gaps inside one bucket are not listed ([`EnvelopeBucket::broken`]).
    pub gaps: Vec<TimeRange>,
    /// The newest sample before the range.
    pub before: Option<Sample>,
    /// The oldest sample after the range. It lies beyond the range: a reader that must not see past the playhead ends the
    /// range there and leaves this one alone.
    pub after: Option<Sample>,
    /// Stretches inside the range in which the byte budget took samples away; the extremes are still exact there.
    pub thinned: Vec<TimeRange>,
}

impl Envelope {
    /// Lowest and highest drawn value in the range.
    pub fn min_max(&self) -> Option<(f64, f64)> {
        self.buckets.iter().fold(None, |span, b| {
            let (low, high) = span.unwrap_or((b.min.v, b.max.v));
            Some((low.min(b.min.v), high.max(b.max.v)))
        })
    }

    /// Samples in the drawn buckets.
    pub fn samples(&self) -> u64 {
        self.buckets.iter().map(|b| u64::from(b.count)).sum()
    }
}

/// Makes an [`Envelope`] of values that no store holds, because they follow from those of others.
#[derive(Debug)]
pub struct EnvelopeMaker {
    range: TimeRange,
    builder: Builder,
    before: Option<Sample>,
}

impl EnvelopeMaker {
    /// For a range without open ends, of about `count` values, in at most about `max_points` buckets (at least 2).
    pub fn new(range: TimeRange, count: u64, max_points: usize) -> Self {
        Self { range, builder: Builder::new(bucket_width(range, count, max_points), None), before: None }
    }

    /// Tells of the newest value before the range.
    pub fn before(&mut self, sample: Sample) {
        if drawn(&sample).is_some() {
            self.builder.before(sample.source_time.as_micros());
        }
        self.before = Some(sample);
    }

    /// Adds the next value of the range, in order of time. One that may not be drawn counts all the same; `gap` says whether there
    /// is a gap between it and the one drawn before.
    pub fn push(&mut self, sample: &Sample, draw: bool, gap: bool) {
        let value = drawn(sample).filter(|_| draw);
        self.builder.next_gap(value.map(|_| gap));
        self.builder.push(sample.source_time.as_micros(), value, sample.judged_quality().bits());
    }

    /// The envelope; `after` is the oldest value after the range, and whether there is a gap before it. `thinned` are stretches of the
    /// range in which not every value was looked at.
    pub fn finish(mut self, after: Option<(Sample, bool)>, thinned: Vec<TimeRange>) -> Envelope {
        let drawn_after = after.as_ref().filter(|(sample, _)| drawn(sample).is_some());
        self.builder.next_gap(drawn_after.map(|(_, gap)| *gap));
        let width = Span::from_micros(self.builder.width);
        let (buckets, gaps) = self.builder.finish(drawn_after.map(|(sample, _)| sample.source_time.as_micros()));
        Envelope { range: self.range, width, buckets, gaps, before: self.before, after: after.map(|(sample, _)| sample), thinned }
    }
}

/// The number that is drawn of a sample; texts have none here.
fn drawn(sample: &Sample) -> Option<f64> {
    sample.given()?.as_f64().filter(|value| value.is_finite())
}

/// What is known of consecutive samples, all of them drawable and without a gap between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) first: (i64, f64),
    pub(crate) last: (i64, f64),
    pub(crate) min: (i64, f64),
    pub(crate) max: (i64, f64),
    pub(crate) count: u32,
    pub(crate) worst: u16,
}

/// Builds an [`Envelope`] from samples in time order.
#[derive(Debug)]
pub(crate) struct Builder {
    width: i64,
    gap_after: i64,
    open: Option<(i64, EnvelopeBucket)>,
    open_has_point: bool,
    buckets: Vec<EnvelopeBucket>,
    gaps: Vec<TimeRange>,
    last_drawn: Option<i64>,
    undrawn_since: bool,
    /// Whether the next sample follows a gap, where its distance does not tell (thinned stretches).
    known_gap: Option<bool>,
}

/// Width for a range: one microsecond where each of `count` samples can have a bucket of its own, else just wide enough for
/// at most `max_points` buckets whatever the alignment.
pub(crate) fn bucket_width(range: TimeRange, count: u64, max_points: usize) -> i64 {
    let points = max_points.max(2) as i64;
    if count <= points as u64 {
        return 1;
    }
    let span = range.span().as_micros();
    (span / (points - 1)).saturating_add(i64::from(span % (points - 1) != 0)).max(1)
}

impl Builder {
    pub(crate) fn new(width: i64, gap_after: Option<Span>) -> Self {
        Self {
            width: width.max(1),
            gap_after: gap_after.map_or(i64::MAX, Span::as_micros),
            open: None,
            open_has_point: false,
            buckets: Vec::new(),
            gaps: Vec::new(),
            last_drawn: None,
            undrawn_since: false,
            known_gap: None,
        }
    }

    /// The bucket number of an instant.
    pub(crate) fn bucket_of(&self, t: i64) -> i64 {
        t.div_euclid(self.width)
    }

    /// First instant after the bucket of `t`.
    pub(crate) fn bucket_end(&self, t: i64) -> i64 {
        self.bucket_of(t).saturating_add(1).saturating_mul(self.width)
    }

    pub(crate) const fn gap_after(&self) -> i64 {
        self.gap_after
    }

    /// Tells of the newest drawable sample before the range.
    pub(crate) fn before(&mut self, t: i64) {
        self.last_drawn = Some(t);
    }

    /// Says whether the sample pushed next follows a gap, whatever its distance.
    pub(crate) fn next_gap(&mut self, gap: Option<bool>) {
        self.known_gap = gap;
    }

    /// Adds one sample.
    pub(crate) fn push(&mut self, t: i64, value: Option<f64>, quality: u16) {
        let Some(v) = value else {
            self.enter(t, (t, 0.0), quality);
            if let Some((_, bucket)) = &mut self.open {
                bucket.count += 1;
            }
            self.undrawn_since = true;
            return;
        };
        self.push_run(&Run { first: (t, v), last: (t, v), min: (t, v), max: (t, v), count: 1, worst: quality });
    }

    /// Adds consecutive samples that all lie in one bucket.
    pub(crate) fn push_run(&mut self, run: &Run) {
        self.enter(run.first.0, run.first, run.worst);
        self.note_gap(run.first.0);
        self.last_drawn = Some(run.last.0);
        let fresh = !self.open_has_point;
        self.open_has_point = true;
        let Some((_, bucket)) = &mut self.open else { return };
        bucket.count += run.count;
        bucket.last = point(run.last);
        if fresh {
            bucket.first = point(run.first);
            bucket.min = point(run.min);
            bucket.max = point(run.max);
            return;
        }
        if run.min.1 < bucket.min.v {
            bucket.min = point(run.min);
        }
        if run.max.1 > bucket.max.v {
            bucket.max = point(run.max);
        }
    }

    /// Ends the range; `after` is the time of the oldest drawable sample after it.
    pub(crate) fn finish(mut self, after: Option<i64>) -> (Vec<EnvelopeBucket>, Vec<TimeRange>) {
        self.flush();
        if let Some(t) = after {
            self.note_gap(t);
        }
        (self.buckets, self.gaps)
    }

    fn enter(&mut self, t: i64, at: (i64, f64), quality: u16) {
        let number = self.bucket_of(t);
        if let Some((open, bucket)) = &mut self.open
            && *open == number
        {
            bucket.worst = bucket.worst.max(Quality::from_bits(quality));
            return;
        }
        self.flush();
        let start = Timestamp::from_micros(number.saturating_mul(self.width));
        let end = Timestamp::from_micros(number.saturating_add(1).saturating_mul(self.width));
        let p = point(at);
        let worst = Quality::from_bits(quality);
        let bucket = EnvelopeBucket { start, end, first: p, last: p, min: p, max: p, count: 0, worst, broken: false };
        self.open = Some((number, bucket));
    }

    fn flush(&mut self) {
        if let Some((_, bucket)) = self.open.take()
            && self.open_has_point
        {
            self.buckets.push(bucket);
        }
        self.open_has_point = false;
    }

    /// Records the break between the last drawn sample and one at `t`, if there is one.
    fn note_gap(&mut self, t: i64) {
        let broken = std::mem::take(&mut self.undrawn_since);
        let Some(last) = self.last_drawn else { return };
        let gap = self.known_gap.take().unwrap_or_else(|| t.saturating_sub(last) > self.gap_after);
        if !broken && !gap {
            return;
        }
        match &mut self.open {
            Some((number, bucket)) if self.open_has_point && last.div_euclid(self.width) == *number => bucket.broken = true,
            _ => self.gaps.push(TimeRange::new(Timestamp::from_micros(last), Timestamp::from_micros(t))),
        }
    }
}

const fn point((t, v): (i64, f64)) -> Point {
    Point { t: Timestamp::from_micros(t), v }
}

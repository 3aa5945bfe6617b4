//! Reads the trend of a rule's signal from history: which stretch, which points, and whether they cover enough of it.

use twin_health::{Outlook, trend};
use twin_model::{HealthRule, RuleKind, Signal, SignalIndex, SignalKind, Span, Status, TimeRange, Timestamp};

use crate::record::Record;

/// Stretches before the playhead that are looked at, shortest first: what the value does now counts more than what it did.
pub const WINDOWS: [Span; 3] = [Span::from_secs(5 * 60), Span::from_secs(30 * 60), Span::from_secs(2 * 3_600)];
/// Points per stretch.
const POINTS: usize = 48;
/// The part of a stretch that points have to cover, and the part that gaps may take.
const COVER: (f64, f64) = (0.5, 0.25);

/// How far back it is looked whether the value was on its way before and turned.
const MEMORY: Span = Span::from_secs(24 * 3_600);

/// The first worse limit that the signal's trend before `t` runs into, from what had been received by `known` where that
/// matters.
///
/// The shortest stretch with a trend decides the direction; longer ones may only say when, further ahead. A value that was
/// further on its way within [`MEMORY`] and turned before the limit, as one that swings or warms up every morning does, is
/// expected to do so again: then there is no outlook.
pub(crate) fn of(
    signal: &Signal,
    rule: &HealthRule,
    now: Status,
    record: &Record,
    index: SignalIndex,
    (t, known): (Timestamp, Option<Timestamp>),
) -> Option<Outlook> {
    let RuleKind::Range { bands, .. } = &rule.kind else { return None };
    if signal.kind != SignalKind::Analog {
        return None;
    }
    let mut direction = 0.0;
    for window in WINDOWS {
        let range = TimeRange::new(t - window, t + Span::from_micros(1));
        let Some(line) = read(record, index, (range, known), window) else { continue };
        if line.slope * direction < 0.0 {
            return None;
        }
        direction = line.slope;
        if let Some(outlook) = trend::outlook(&line, bands, now).filter(|outlook| outlook.at > t) {
            let before = TimeRange::new(t - MEMORY, t - window);
            let reached = record.envelope(index, (before, known), POINTS).min_max();
            return reached.is_none_or(|reached| !turned(reached, &outlook)).then_some(outlook);
        }
    }
    None
}

fn read(
    record: &Record,
    signal: SignalIndex,
    (range, known): (TimeRange, Option<Timestamp>),
    window: Span,
) -> Option<trend::Trend> {
    let envelope = record.envelope(signal, (range, known), POINTS);
    let missing: f64 = envelope.gaps.iter().map(|gap| gap.intersect(range).span().as_secs_f64()).sum();
    if missing > window.as_secs_f64() * COVER.1 {
        return None;
    }
    // The newest of each bucket: a mean would hide wild points from the median that is there to ignore them.
    let points: Vec<(Timestamp, f64)> = envelope.buckets.iter().map(|bucket| (bucket.last.t, bucket.last.v)).collect();
    trend::trend(&points).filter(|line| line.window.as_secs_f64() >= window.as_secs_f64() * COVER.0)
}

/// Whether a value that has been between `low` and `high` was beyond its level now, but not at the limit.
fn turned((low, high): (f64, f64), outlook: &Outlook) -> bool {
    let line = &outlook.trend;
    if line.slope > 0.0 { high > line.level && high < outlook.limit } else { low < line.level && low > outlook.limit }
}

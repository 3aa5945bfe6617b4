//! When signals were silent: stretches in which their data was stale or their source was gone, for the time bar.

use twin_historian::{Direction, Store};
use twin_model::{Model, Quality, SignalIndex, Span, TimeRange};

use crate::sources::SourceLinks;

/// Looks into the store per strip, all signals together.
const LOOKS: usize = 12_000;
/// Looks per signal: most, and fewest that are worth it.
const PROBES: (usize, usize) = (180, 6);

/// How often to look at each of `signals` signals; `None` where they are too many to look at all.
pub(crate) fn probes(signals: usize) -> Option<usize> {
    let probes = (LOOKS / signals.max(1)).min(PROBES.0);
    (probes >= PROBES.1).then_some(probes)
}

/// Stretches of `range` in which a signal was stale or offline (freshness of `twin_health`), sorted and apart.
///
/// Their ends are exact. A silence that lies wholly between two of the `probes` looks is not found: it is shorter than a few
/// points of a time bar. Where the byte budget took samples away (`thinned`, of the whole store) silence can't be told from
/// thinning, and is not claimed.
pub(crate) fn of(
    model: &Model,
    store: &Store,
    links: &SourceLinks,
    signal: SignalIndex,
    range: TimeRange,
    (probes, thinned): (usize, Option<TimeRange>),
) -> Vec<TimeRange> {
    let spec = model.signal(signal);
    let mut out = spec.source.map_or_else(Vec::new, |source| links.down_within(source, range));
    let step = Span::from_micros((range.span().as_micros() / probes.max(1) as i64).max(1));
    let newest = range.end - Span::from_micros(1);
    let mut t = range.start;
    while t < range.end {
        let next = if t < newest && t + step > newest { newest } else { t + step };
        let silent_from = store.measured_at(signal, t).and_then(|sample| {
            if sample.quality == Quality::BAD_NO_COMMUNICATION {
                return Some(sample.source_time);
            }
            // Of an extract, samples as far apart as its bucket say nothing.
            let limit = spec.stale_limit()?.max(store.allowance_at(t));
            (t.since(sample.source_time) > limit).then(|| sample.source_time + limit)
        });
        t = match silent_from.filter(|_| !thinned.is_some_and(|thinned| thinned.contains(t))) {
            Some(from) => {
                let until = store.next_sample_time(signal, t, Direction::Forward).map_or(range.end, |t| t.min(range.end));
                out.push(TimeRange::new(from.max(range.start), until));
                until.max(next)
            }
            None => next,
        };
    }
    TimeRange::merged(out)
}

/// The silence of a signal since its newest sample, as far as it lies in `range`, and the times in which its source was down.
pub(crate) fn lasting(
    model: &Model,
    store: &Store,
    links: &SourceLinks,
    signal: SignalIndex,
    range: TimeRange,
) -> Vec<TimeRange> {
    let spec = model.signal(signal);
    let mut out = spec.source.map_or_else(Vec::new, |source| links.down_within(source, range));
    // A reading that lies ahead breaks no silence yet.
    let newest = store.measured_at(signal, range.end - Span::from_micros(1));
    if let (Some(newest), Some(limit)) = (newest, spec.stale_limit()) {
        out.push(TimeRange::new((newest.source_time + limit).max(range.start), range.end));
    }
    TimeRange::merged(out)
}

//! When signals were silent: stretches in which their data was stale or their source was gone, for the time bar.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use twin_historian::{Direction, Store};
use twin_model::{Model, Quality, SignalIndex, Span, TimeRange};

use crate::computed::{Computed, Inputs, Kind, walk};
use crate::record::Record;
use crate::sources::SourceLinks;

/// Changes of a computed signal that are followed in a stretch in which something that it reads was silent; what comes after counts as
/// silent, too.
const CHANGES: usize = 4_096;

/// Looks into the store per strip, all signals together.
const LOOKS: usize = 12_000;
/// Looks per signal: most, and fewest that are worth it.
const PROBES: (usize, usize) = (180, 6);

/// How often to look at each of `signals` signals; `None` where they are too many to look at all.
fn probes(signals: usize) -> Option<usize> {
    let probes = (LOOKS / signals.max(1)).min(PROBES.0);
    (probes >= PROBES.1).then_some(probes)
}

/// When signals of a record were silent in a range; each is looked at once.
pub(crate) struct Silences<'a> {
    model: &'a Model,
    record: &'a Record,
    links: &'a SourceLinks,
    range: TimeRange,
    /// Looks per signal; `None`: only silence that still lasts is looked for.
    probes: Option<usize>,
    thinned: Option<TimeRange>,
    found: BTreeMap<(SignalIndex, Option<Span>), Vec<TimeRange>>,
}

impl<'a> Silences<'a> {
    /// For questions about so many signals.
    pub(crate) fn new(model: &'a Model, record: &'a Record, links: &'a SourceLinks, range: TimeRange, signals: usize) -> Self {
        let thinned = record.store().thinned();
        Self { model, record, links, range, probes: probes(signals), thinned, found: BTreeMap::new() }
    }

    /// Stretches in which a signal was silent, sorted and apart; of a computed one, in which something that it was needed for was.
    pub(crate) fn of(&mut self, signal: SignalIndex) -> Vec<TimeRange> {
        let computed = self.record.computed();
        let Kind::Computed(place) = computed.kind(signal) else { return self.measured(signal, None) };
        let own = self.model.signal(signal).stale_limit();
        let chooses = computed.plan().all().get(place).is_some_and(|it| it.chooses);
        let mut all = Vec::new();
        for read in computed.reads(place) {
            let silent = self.measured(*read, own);
            if chooses {
                let inputs = self.record.inputs(None);
                all.extend(silent.into_iter().flat_map(|part| needed_in(computed, place, inputs, *read, part)));
            } else {
                all.extend(silent);
            }
        }
        TimeRange::merged(all)
    }

    /// The same of a measured signal, whose limit is at most `limit`.
    fn measured(&mut self, signal: SignalIndex, limit: Option<Span>) -> Vec<TimeRange> {
        if let Some(found) = self.found.get(&(signal, limit)) {
            return found.clone();
        }
        let own = self.model.signal(signal).stale_limit();
        let least = own.into_iter().chain(limit).min();
        let (model, store, links) = (self.model, self.record.store(), self.links);
        let silent = match self.probes {
            Some(probes) => of(model, store, links, (signal, least), self.range, (probes, self.thinned)),
            None => lasting(model, store, links, (signal, least), self.range),
        };
        let silent = self.record.but_away(silent);
        self.found.insert((signal, limit), silent.clone());
        silent
    }
}

/// The parts of a stretch in which a computed signal was needed for one that it reads.
fn needed_in(computed: &Computed, place: usize, inputs: Inputs<'_>, read: SignalIndex, part: TimeRange) -> Vec<TimeRange> {
    let mut out = Vec::new();
    let mut since = computed.at(place, &inputs, part.start).needed.contains(&read).then_some(part.start);
    let mut changes = 0;
    walk(computed, place, inputs, part, &mut |change| {
        changes += 1;
        match (since, change.needed.contains(&read)) {
            (None, true) => since = Some(change.t),
            (Some(start), false) => {
                out.push(TimeRange::new(start, change.t));
                since = None;
            }
            _ => {}
        }
        if changes < CHANGES {
            return ControlFlow::Continue(());
        }
        since = since.or(Some(change.t));
        ControlFlow::Break(())
    });
    out.extend(since.map(|start| TimeRange::new(start, part.end)));
    out
}

/// Stretches of `range` in which a signal was stale or offline (freshness of `twin_health`), sorted and apart.
///
/// Their ends are exact. A silence that lies wholly between two of the `probes` looks is not found: it is shorter than a few
/// points of a time bar. `limit` is the age from which it is stale. Where the byte budget took samples away (`thinned`, of the whole store) silence can't be told from
/// thinning, and is not claimed.
fn of(
    model: &Model,
    store: &Store,
    links: &SourceLinks,
    (signal, limit): (SignalIndex, Option<Span>),
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
            let limit = limit?.max(store.allowance_at(t));
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
fn lasting(
    model: &Model,
    store: &Store,
    links: &SourceLinks,
    (signal, limit): (SignalIndex, Option<Span>),
    range: TimeRange,
) -> Vec<TimeRange> {
    let spec = model.signal(signal);
    let mut out = spec.source.map_or_else(Vec::new, |source| links.down_within(source, range));
    // A reading that lies ahead breaks no silence yet.
    let newest = store.measured_at(signal, range.end - Span::from_micros(1));
    if let (Some(newest), Some(limit)) = (newest, limit) {
        out.push(TimeRange::new((newest.source_time + limit).max(range.start), range.end));
    }
    TimeRange::merged(out)
}

//! Stretches of history as frames: from the keeper what the hub no longer holds, then from the hub; with what can't be read.

use twin_historian::StoreConfig;
use twin_historian::historian::KeepError;
use twin_model::{Span, TimeRange, Timestamp, limits};
use twin_protocol::{Dictionary, History};

use crate::history::damage::Missing;
use crate::history::pages::{self, Stretch};
use crate::hub::Hub;
use crate::lacks::{Damaged, Lacks, NoHistory, marks};
use crate::turns::Asker;

/// Bytes of chunks after which a history answer ends; the rest is for the next request.
const HISTORY_BYTES: usize = limits::ANSWER_BYTES;
/// Bytes that one step of an answer adds at most, but for what is of one instant: with what was there before, a frame that every
/// viewer reads.
const STEP_BYTES: usize = limits::CHUNK_BYTES + limits::ANSWER_BYTES;
/// How often a stretch is read anew because more of it was sealed meanwhile.
const TRIES: u32 = 20;
/// Samples that are packed at once: about as many bytes as an answer has, and four times that of the worst noise.
const STEP_SAMPLES: u64 = 4 << 20;

/// Chunks of a range until the answer is large enough: from the keeper what the hub no longer holds, as it is kept where a
/// whole chunk lies in the range, then from the hub. Goes from what exists to what exists next: time without samples costs nothing.
///
/// With what the answer lacks, where that is to be left out.
///
/// # Errors
/// Where what was kept can't be read: nothing of it now, or, where that is not to be left out, the beginning of the stretch.
pub fn history_of(hub: &Hub, range: TimeRange, damaged: Damaged) -> Result<(History, Vec<Lacks>), NoHistory> {
    history_for(hub, (range, None), damaged, &Asker::default())
}

/// The same: of what had been received by `known` where that is said, and no further once the asker has left.
///
/// # Errors
/// As [`history_of`].
pub(crate) fn history_for(
    hub: &Hub,
    (range, known): (TimeRange, Option<Timestamp>),
    damaged: Damaged,
    asker: &Asker,
) -> Result<(History, Vec<Lacks>), NoHistory> {
    // What can't be read says nothing about how far history goes: then there is no answer rather than an empty one.
    let persist = hub.persist().filter(|_| hub.cold().is_some());
    persist.map(|persist| persist.try_extent()).transpose()?;
    let extent = hub.extent();
    let mut history =
        History { extent, next: None, links: hub.links_in(range), dictionary: Dictionary::of(hub.model()), chunks: Vec::new() };
    let mut lacks: Vec<Lacks> = Vec::new();
    let Some(extent) = extent else { return Ok((history, lacks)) };
    let end = range.end.min(extent.end);
    // Asked for again at every step: memory gives up more while an answer is made.
    let cold = || hub.cold().unwrap_or(Timestamp::MIN).min(end);
    let mut from = range.start.max(extent.start);
    let begun = from;
    // Where to read up to, so that an answer ends before what can't be read.
    let mut until = end;
    let mut bytes = 0;
    while from < end && !asker.has_left() {
        if bytes >= HISTORY_BYTES {
            history.next = Some(from);
            break;
        }
        let kept_until = cold();
        let step = if from < kept_until { kept(hub, from, kept_until.min(until))? } else { held(hub, from, until) };
        if from >= kept_until && cold() > kept_until {
            continue;
        }
        let Step { chunks, next, missing } = step;
        if let Some(first) = missing.iter().map(|missing| missing.range.start).min() {
            if let Some(persist) = hub.persist() {
                persist.tell_missing(&missing);
            }
            if damaged == Damaged::Refuse && first > from {
                until = first;
                continue;
            }
            if damaged == Damaged::Refuse && from > begun {
                history.next = Some(from);
                break;
            }
            if damaged == Damaged::Refuse {
                return Err(NoHistory::Lacks(hub.lacks(&missing)));
            }
            let new = hub.lacks(&missing);
            if damaged == Damaged::Mark {
                // Before the readings that there are: those win where they are of the very same time.
                history.chunks.extend(marks(hub.model(), &new));
            }
            lacks.extend(new);
        }
        // What was read counts, not what is left of it: an answer of which little had been received is as much work.
        bytes += chunks.iter().map(Vec::len).sum::<usize>();
        match known {
            None => history.chunks.extend(chunks),
            Some(known) => history.chunks.extend(chunks.iter().filter_map(|chunk| as_known(chunk, known))),
        }
        from = next;
        if from >= until {
            until = end;
        }
    }
    Ok((history, lacks))
}

/// A chunk without what had not been received by then; none where nothing is left.
fn as_known(chunk: &[u8], known: Timestamp) -> Option<Vec<u8>> {
    let left = twin_historian::chunk::known(chunk, known);
    let left = left.inspect_err(|error| tracing::error!(%error, "a piece of history can't be read"));
    left.ok().flatten().map(|chunk| chunk.bytes)
}

/// What one step gives of a stretch.
struct Step {
    chunks: Vec<Vec<u8>>,
    next: Timestamp,
    /// What was kept of it besides, and can't be read.
    missing: Vec<Missing>,
}

/// What the hub holds of the first slab from `from` on that has samples, and where to go on; with what it lacks of that time because
/// that could not be read at the start.
fn held(hub: &Hub, from: Timestamp, end: Timestamp) -> Step {
    let (chunks, next) = in_memory(hub, from, end).unwrap_or((Vec::new(), end));
    let absent = hub.persist().map_or(&[][..], |persist| persist.absent());
    let cut = |missing: &Missing| Missing { range: missing.range.intersect(TimeRange::new(from, next)), ..missing.clone() };
    let missing = absent.iter().map(cut).filter(|missing| !missing.range.is_empty()).collect();
    Step { chunks, next, missing }
}

/// None where it holds nothing before `end`.
fn in_memory(hub: &Hub, from: Timestamp, end: Timestamp) -> Option<(Vec<Vec<u8>>, Timestamp)> {
    let first = hub.with_store(|store| store.first_from(from)).filter(|first| *first < end)?;
    let slab = StoreConfig::default().slab;
    let mut next = (first.floor_to(slab) + slab).min(end);
    // An hour per lock at most: live samples are never kept waiting for a long export.
    let samples = hub.with_store(|store| store.density(TimeRange::new(first, next), 1).first().map_or(0, |n| u64::from(*n)));
    if samples > STEP_SAMPLES {
        next = part(first, next, STEP_SAMPLES as f64 / samples as f64);
    }
    loop {
        let chunks = hub.with_store(|store| store.export_chunks(TimeRange::new(first, next)));
        let bytes: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        if bytes <= STEP_BYTES || next.since(first) <= Span::from_micros(1) {
            return Some((chunks.into_iter().map(|chunk| chunk.bytes).collect(), next));
        }
        next = part(first, next, STEP_BYTES as f64 / bytes as f64 * 0.8);
    }
}

/// The end of the first part of a stretch; never its start.
fn part(from: Timestamp, to: Timestamp, share: f64) -> Timestamp {
    let span = (to.since(from).as_micros() as f64 * share) as i64;
    from + Span::from_micros(span.max(1))
}

/// What is kept of the first page from `from` on, and where to go on: `cold` after the last.
fn kept(hub: &Hub, from: Timestamp, cold: Timestamp) -> Result<Step, KeepError> {
    let Some(persist) = hub.persist() else { return Ok(Step { chunks: Vec::new(), next: cold, missing: Vec::new() }) };
    let (mut end, mut tries) = (cold, 0);
    loop {
        let found = pages::stretch(persist.read().as_ref(), persist.numbers(), TimeRange::new(from, end))?;
        let next = found.next.unwrap_or(end);
        // What came late and is in no chunk yet; what is left over here of given-up slabs comes twice, which is harmless.
        let late = hub.with_store(|store| store.export_chunks(TimeRange::new(from, next)));
        // What went from here to the keeper between the two is in neither.
        if tries < TRIES && !pages::is_still(persist.read().as_ref(), &found)? {
            tries += 1;
            continue;
        }
        let Stretch { mut chunks, missing, .. } = found;
        chunks.extend(late.into_iter().map(|chunk| chunk.bytes));
        let bytes: usize = chunks.iter().map(Vec::len).sum();
        if bytes <= STEP_BYTES || next.since(from) <= Span::from_micros(1) {
            return Ok(Step { chunks, next, missing });
        }
        end = part(from, next, STEP_BYTES as f64 / bytes as f64 * 0.8);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stores::empty_store;
    use twin_model::{Model, Sample, SignalIndex, Value};

    #[test]
    fn time_without_samples_is_one_step() {
        let site = "[site]\nid = \"s\"\n[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\" }, { name = \"y\" }]\n";
        let loaded = twin_site::load(site, "site.toml", &mut |_| Err("no files here".into()));
        let model: Arc<Model> = Arc::new(loaded.model);
        let hub = Hub::new(model.clone(), Timestamp::MIN, crate::RingLimits::default(), empty_store(&model, 1 << 20), None);
        let years = [-60_000, -1_970, 0, 54, 55];
        for year in years {
            for n in 0..3 {
                let t = Timestamp::from_secs(year * 31_556_952 + n);
                hub.ingest(&[(SignalIndex(n as u32 % 2), Sample::new(t, Value::Float(1.0)))]);
            }
        }
        let (mut from, mut steps, mut chunks) = (Timestamp::MIN, 0, 0);
        while let Some((pieces, next)) = in_memory(&hub, from, Timestamp::MAX) {
            assert!(next > from);
            (from, steps, chunks) = (next, steps + 1, chunks + pieces.len());
        }
        assert_eq!((steps, chunks), (years.len(), years.len()));
    }
}

//! History over HTTP: the catalogue, pages and chunks as they are kept, and answers over any range.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use twin_historian::historian::KeepError;
use twin_historian::{ChunkKey, Level, MemoryHistorian, StoreConfig};
use twin_model::{Span, TimeRange, Timestamp, limits};
use twin_protocol::{Dictionary, History, Page, ServerFrame, encode_server};

use crate::answers;
use crate::history::damage::Missing;
use crate::history::pages::{self, Catalogue, Stretch};
use crate::hub::Hub;
use crate::lacks::{Damaged, Lacks, NoHistory, marks, refused, with_missing};
use crate::pack::{Coding, Packed, fnv64};
use crate::server::{Answer, App, FOR_EVER, REVALIDATE, accepted, missing, respond};
use crate::turns::Asker;

/// Bytes of chunks after which a history answer ends; the rest is for the next request.
const HISTORY_BYTES: usize = limits::ANSWER_BYTES;
/// Bytes that one step of an answer adds at most, but for what is of one instant: with what was there before, a frame that every
/// viewer reads.
const STEP_BYTES: usize = limits::CHUNK_BYTES + limits::ANSWER_BYTES;
/// Samples that are packed at once: about as many bytes as an answer has, and four times that of the worst noise.
const STEP_SAMPLES: u64 = 4 << 20;

#[derive(Deserialize)]
pub(crate) struct Range {
    from: Option<String>,
    to: Option<String>,
    /// Only samples that had been received by then.
    known: Option<String>,
    /// `left-out` or `marked`: what can be read, where something can't be.
    damaged: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PageWish {
    damaged: Option<String>,
}

impl Range {
    fn read(&self) -> Result<TimeRange, String> {
        let from = instant(self.from.as_deref(), Timestamp::MIN)?;
        Ok(TimeRange::new(from, instant(self.to.as_deref(), Timestamp::MAX)?))
    }

    fn known(&self) -> Result<Option<Timestamp>, String> {
        let known = self.known.as_deref().map(|known| instant(Some(known), Timestamp::MAX)).transpose();
        known.map_err(|why| format!("known: {why}"))
    }
}

fn instant(text: Option<&str>, otherwise: Timestamp) -> Result<Timestamp, String> {
    let Some(text) = text else { return Ok(otherwise) };
    let micros = text.parse::<i64>().map(Timestamp::from_micros);
    micros.or_else(|_| text.parse()).map_err(|e: twin_model::TimeError| e.to_string())
}

/// Which words for what can't be read there are.
const DAMAGED: &str = "damaged: only left-out and marked have a meaning";

fn wrong(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response()
}

/// A keeper that cannot be read now is the server's trouble, not the client's.
fn trouble(hub: &Hub, error: &KeepError) -> Response {
    if let Some(persist) = hub.persist() {
        persist.failed(error);
    }
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
}

pub(crate) async fn history(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(wish): Query<Range>,
    headers: HeaderMap,
) -> Response {
    let (range, known) = match wish.read().and_then(|read| Ok((read, wish.known()?))) {
        Err(why) => return wrong(&why),
        Ok(both) => both,
    };
    let Some(damaged) = Damaged::read(wish.damaged.as_deref()) else { return wrong(DAMAGED) };
    let of = app.clone();
    let read = move |asker: &Asker| {
        let (history, lacks) = match history_for(&of.hub, (range, known), damaged, asker) {
            Ok(found) => found,
            Err(NoHistory::Unread(error)) => return trouble(&of.hub, &error),
            Err(NoHistory::Lacks(lacks)) => return refused(&of.hub, &lacks),
        };
        let body = encoded(&ServerFrame::History(history));
        let (tag, size) = (fnv64(&body), body.len());
        let media_type = "application/vnd.orrery.history";
        let answer = respond(&headers, Answer { media_type, coding: Coding::Identity, body, size, tag, cache: REVALIDATE });
        with_missing(answer, &lacks)
    };
    answers::history(&app, peer.ip(), read).await
}

/// A frame as bytes, without the spare ones of a buffer that grew: those would be held beside the room that is booked.
fn encoded(frame: &ServerFrame) -> Bytes {
    encode_server(frame).into_boxed_slice().into()
}

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

fn history_for(
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
    let cold = hub.cold().unwrap_or(Timestamp::MIN).min(end);
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
        let step = if from < cold { kept(hub, from, cold.min(until))? } else { held(hub, from, until) };
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
                return Err(NoHistory::Lacks(Lacks::all(hub, &missing)));
            }
            let new = Lacks::all(hub, &missing);
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
    let mut end = cold;
    loop {
        let found = pages::stretch(persist.read().as_ref(), persist.numbers(), TimeRange::new(from, end));
        let Stretch { mut chunks, next, missing } = found?;
        let next = next.unwrap_or(end);
        // What came late and is in no chunk yet; what is left over here of given-up slabs comes twice, which is harmless.
        let late = hub.with_store(|store| store.export_chunks(TimeRange::new(from, next)));
        chunks.extend(late.into_iter().map(|chunk| chunk.bytes));
        let bytes: usize = chunks.iter().map(Vec::len).sum();
        if bytes <= STEP_BYTES || next.since(from) <= Span::from_micros(1) {
            return Ok(Step { chunks, next, missing });
        }
        end = part(from, next, STEP_BYTES as f64 / bytes as f64 * 0.8);
    }
}

pub(crate) async fn catalogue(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(range): Query<Range>,
    headers: HeaderMap,
) -> Response {
    if range.known.is_some() {
        return wrong("pages are kept whole, so known= has no meaning here; ask /api/history");
    }
    let range = match range.read() {
        Err(why) => return wrong(&why),
        Ok(range) => range,
    };
    let of = app.clone();
    let read = move |_: &Asker| {
        let found = match of.hub.persist() {
            Some(persist) => Catalogue::shown(persist.read().as_ref(), persist.numbers().tag(), range),
            None => Catalogue::of(&MemoryHistorian::new(), range),
        };
        let catalogue = match found {
            Err(error) => return trouble(&of.hub, &error),
            Ok(catalogue) => catalogue,
        };
        let links = of.hub.links_in(range);
        let links = links.iter().map(|link| (link.source, link.state.as_str(), link.at.as_micros()));
        let (json, tag) = catalogue.finish(of.hub.extent(), links, of.clock.now());
        let size = json.len();
        let (coding, body) = Packed::new(json).best(&accepted(&headers));
        respond(&headers, Answer { media_type: "application/json", coding, body, size, tag, cache: REVALIDATE })
    };
    answers::history(&app, peer.ip(), read).await
}

/// What a viewer is to do where it asked for something that is no more.
const AGAIN: &str = "history has changed since, or there is no such piece; read /api/catalogue again";

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((level, start, version, part)): Path<(String, String, String, String)>,
    Query(wish): Query<PageWish>,
    headers: HeaderMap,
) -> Response {
    let Some(damaged) = Damaged::read(wish.damaged.as_deref()) else { return wrong(DAMAGED) };
    let read = || {
        let level: Level = level.parse().ok()?;
        let start = Timestamp::from_micros(start.parse().ok()?);
        let tag = u64::from_str_radix(&version, 16).ok().filter(|_| version.len() == 16)?;
        Some((level, start, tag, part.parse::<u64>().ok()?))
    };
    let Some((level, start, version, part)) = read() else { return missing(AGAIN) };
    let of = app.clone();
    let read = move |_: &Asker| {
        let Some(persist) = of.hub.persist() else { return missing(AGAIN) };
        let found = pages::part_for(persist.read().as_ref(), Some(persist.numbers()), level, start, version, part);
        let pages::Part { chunks, missing: lost } = match found {
            Err(error) => return trouble(&of.hub, &error),
            Ok(None) => return missing(AGAIN),
            Ok(Some(part)) => part,
        };
        persist.tell_missing(&lost);
        let lacks = Lacks::all(&of.hub, &lost);
        if damaged == Damaged::Refuse && !lacks.is_empty() {
            return refused(&of.hub, &lacks);
        }
        let marks = if damaged == Damaged::Mark { marks(of.hub.model(), &lacks) } else { Vec::new() };
        let chunks = marks.into_iter().chain(chunks.iter().map(|chunk| chunk.to_vec())).collect();
        // What can't be read now may be mended under the same version.
        let cache = if lacks.is_empty() { FOR_EVER } else { REVALIDATE };
        let body = encoded(&ServerFrame::Page(Page { chunks }));
        let (tag, size) = (fnv64(&body), body.len());
        let media_type = "application/vnd.orrery.page";
        with_missing(respond(&headers, Answer { media_type, coding: Coding::Identity, body, size, tag, cache }), &lacks)
    };
    answers::history(&app, peer.ip(), read).await
}

pub(crate) async fn chunk(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Ok(key) = key.parse::<ChunkKey>() else { return missing(AGAIN) };
    let of = app.clone();
    let read = move |_: &Asker| {
        let Some(persist) = of.hub.persist() else { return missing(AGAIN) };
        let found = pages::one(persist.read().as_ref(), persist.numbers(), &key);
        let body: Bytes = match found {
            Err(error) => return trouble(&of.hub, &error),
            Ok(None) => return missing(AGAIN),
            Ok(Some(bytes)) => bytes.to_vec().into(),
        };
        let (tag, size) = (fnv64(&body), body.len());
        let media_type = "application/vnd.orrery.chunk";
        respond(&headers, Answer { media_type, coding: Coding::Identity, body, size, tag, cache: FOR_EVER })
    };
    answers::history(&app, peer.ip(), read).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::empty_store;
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

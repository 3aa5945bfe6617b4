//! History over HTTP: the catalogue, pages and chunks as they are kept, and answers over any range.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::Semaphore;
use twin_historian::historian::KeepError;
use twin_historian::{ChunkKey, Level, MemoryHistorian, StoreConfig};
use twin_model::{TimeRange, Timestamp};
use twin_protocol::{Dictionary, History, Page, ServerFrame, encode_server};

use crate::history::pages::{self, Catalogue, Stretch};
use crate::hub::Hub;
use crate::pack::{Coding, Packed, fnv64};
use crate::server::{Answer, App, FOR_EVER, REVALIDATE, accepted, blocking, missing, respond};

/// Bytes of chunks in one history answer; the rest is for the next request.
const HISTORY_BYTES: usize = 2 << 20;

/// History answers that are made at the same time.
static TURNS: Semaphore = Semaphore::const_new(4);

#[derive(Deserialize)]
pub(crate) struct Range {
    from: Option<String>,
    to: Option<String>,
}

impl Range {
    fn read(&self) -> Result<TimeRange, String> {
        let from = instant(self.from.as_deref(), Timestamp::MIN)?;
        Ok(TimeRange::new(from, instant(self.to.as_deref(), Timestamp::MAX)?))
    }
}

fn instant(text: Option<&str>, otherwise: Timestamp) -> Result<Timestamp, String> {
    let Some(text) = text else { return Ok(otherwise) };
    let micros = text.parse::<i64>().map(Timestamp::from_micros);
    micros.or_else(|_| text.parse()).map_err(|e: twin_model::TimeError| e.to_string())
}

fn wrong(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response()
}

/// A keeper that cannot be read now is the server's trouble, not the client's.
fn trouble(error: &KeepError) -> Response {
    tracing::error!(%error, "history can't be read");
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
}

pub(crate) async fn history(State(app): State<Arc<App>>, Query(range): Query<Range>, headers: HeaderMap) -> Response {
    let range = match range.read() {
        Err(why) => return wrong(&why),
        Ok(range) => range,
    };
    // Packing chunks keeps a core busy; many askers at once wait their turn instead of starving the stream.
    let _turn = TURNS.acquire().await;
    blocking(move || {
        let body: Bytes = encode_server(&ServerFrame::History(history_of(&app.hub, range))).into();
        let (tag, size) = (fnv64(&body), body.len());
        let media_type = "application/vnd.orrery.history";
        respond(&headers, Answer { media_type, coding: Coding::Identity, body, size, tag, cache: REVALIDATE })
    })
    .await
}

/// Chunks of a range, slab by slab until the answer is large enough: from the keeper what the hub no longer holds, as it is
/// kept where a whole chunk lies in the range, then from the hub.
pub fn history_of(hub: &Hub, range: TimeRange) -> History {
    let extent = hub.extent();
    let mut history =
        History { extent, next: None, links: hub.links_in(range), dictionary: Dictionary::of(hub.model()), chunks: Vec::new() };
    let Some(extent) = extent else { return history };
    let slab = StoreConfig::default().slab;
    let end = range.end.min(extent.end);
    let cold = hub.cold().unwrap_or(Timestamp::MIN).min(end);
    let mut from = range.start.max(extent.start);
    let mut bytes = 0;
    while from < end {
        if bytes >= HISTORY_BYTES {
            history.next = Some(from);
            break;
        }
        let (chunks, next) = if from < cold {
            let Stretch { mut chunks, next } = kept(hub, TimeRange::new(from, cold));
            let next = next.unwrap_or(cold);
            // What came late and is in no chunk yet; what is left over here of given-up slabs comes twice, which is harmless.
            let late = hub.with_store(|store| store.export_chunks(TimeRange::new(from, next)));
            chunks.extend(late.into_iter().map(|chunk| chunk.bytes));
            (chunks, next)
        } else {
            // One hour per lock: live samples are never kept waiting for a long export.
            let to = (from.floor_to(slab) + slab).min(end);
            let chunks = hub.with_store(|store| store.export_chunks(TimeRange::new(from, to)));
            (chunks.into_iter().map(|chunk| chunk.bytes).collect(), to)
        };
        bytes += chunks.iter().map(Vec::len).sum::<usize>();
        history.chunks.extend(chunks);
        from = next;
    }
    history
}

fn kept(hub: &Hub, range: TimeRange) -> Stretch {
    let Some(persist) = hub.persist() else { return Stretch::default() };
    let found = pages::stretch(persist.read().as_ref(), range);
    // What cannot be read is missing from the answer; `fsck` and the log say what it was.
    found.unwrap_or_else(|error| {
        tracing::error!(%error, "a stretch of history can't be read");
        let slab = StoreConfig::default().slab;
        let next = range.start.floor_to(slab) + slab;
        Stretch { chunks: Vec::new(), next: (next < range.end).then_some(next) }
    })
}

pub(crate) async fn catalogue(State(app): State<Arc<App>>, Query(range): Query<Range>, headers: HeaderMap) -> Response {
    let range = match range.read() {
        Err(why) => return wrong(&why),
        Ok(range) => range,
    };
    blocking(move || {
        let found = match app.hub.persist() {
            Some(persist) => Catalogue::of(persist.read().as_ref(), range),
            None => Catalogue::of(&MemoryHistorian::new(), range),
        };
        let catalogue = match found {
            Err(error) => return trouble(&error),
            Ok(catalogue) => catalogue,
        };
        let links = app.hub.links_in(range);
        let links = links.iter().map(|link| (link.source, link.state.as_str(), link.at.as_micros()));
        let (json, tag) = catalogue.finish(app.hub.extent(), links, app.clock.now());
        let size = json.len();
        let (coding, body) = Packed::new(json).best(&accepted(&headers));
        respond(&headers, Answer { media_type: "application/json", coding, body, size, tag, cache: REVALIDATE })
    })
    .await
}

/// What a viewer is to do where it asked for something that is no more.
const AGAIN: &str = "history has changed since, or there is no such piece; read /api/catalogue again";

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Path((level, start, version, part)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let read = || {
        let level: Level = level.parse().ok()?;
        let start = Timestamp::from_micros(start.parse().ok()?);
        let tag = u64::from_str_radix(&version, 16).ok().filter(|_| version.len() == 16)?;
        Some((level, start, tag, part.parse::<u64>().ok()?))
    };
    let Some((level, start, version, part)) = read() else { return missing(AGAIN) };
    let _turn = TURNS.acquire().await;
    blocking(move || {
        let Some(persist) = app.hub.persist() else { return missing(AGAIN) };
        let found = pages::part(persist.read().as_ref(), level, start, version, part);
        let chunks = match found {
            Err(error) => return trouble(&error),
            Ok(None) => return missing(AGAIN),
            Ok(Some(chunks)) => chunks.iter().map(|chunk| chunk.to_vec()).collect(),
        };
        let body: Bytes = encode_server(&ServerFrame::Page(Page { chunks })).into();
        let (tag, size) = (fnv64(&body), body.len());
        let media_type = "application/vnd.orrery.page";
        respond(&headers, Answer { media_type, coding: Coding::Identity, body, size, tag, cache: FOR_EVER })
    })
    .await
}

pub(crate) async fn chunk(State(app): State<Arc<App>>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    let Ok(key) = key.parse::<ChunkKey>() else { return missing(AGAIN) };
    blocking(move || {
        let Some(persist) = app.hub.persist() else { return missing(AGAIN) };
        let found = persist.read().chunk(&key);
        let body: Bytes = match found {
            Err(error) => return trouble(&error),
            Ok(None) => return missing(AGAIN),
            Ok(Some(bytes)) => bytes.to_vec().into(),
        };
        let (tag, size) = (fnv64(&body), body.len());
        let media_type = "application/vnd.orrery.chunk";
        respond(&headers, Answer { media_type, coding: Coding::Identity, body, size, tag, cache: FOR_EVER })
    })
    .await
}

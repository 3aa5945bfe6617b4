//! History over HTTP: the catalogue, pages and chunks as they are kept, and answers over any range.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use twin_historian::historian::KeepError;
use twin_historian::{ChunkKey, Level, MemoryHistorian};
use twin_model::{TimeRange, Timestamp};
use twin_protocol::{Page, ServerFrame, encode_server};

use crate::answers;
use crate::app::App;
use crate::excerpt::history_for;
use crate::history::pages::{self, Catalogue};
use crate::http::{Answer, FOR_EVER, REVALIDATE, accepted, missing, respond};
use crate::hub::Hub;
use crate::lacks::{Damaged, NoHistory, marks, refused, with_missing};
use crate::pack::{Coding, Packed, fnv64};
use crate::turns::Asker;

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
            Err(NoHistory::Lacks(lacks)) => return refused(of.hub.model(), &lacks),
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
        let lacks = of.hub.lacks(&lost);
        if damaged == Damaged::Refuse && !lacks.is_empty() {
            return refused(of.hub.model(), &lacks);
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

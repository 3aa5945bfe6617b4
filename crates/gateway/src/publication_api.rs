//! `/api/publication` and `/api/piece`: what a viewer gets of the site, now and as it was.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use twin_publication::{PieceHash, PieceKind};

use crate::answers;
use crate::app::App;
use crate::http::{Answer, FOR_EVER, REVALIDATE, accepted, blocking, missing, respond};
use crate::pack::{Coding, Packed, fnv64};
use crate::page::Content;
use crate::publish::shelf::{Piece, Served};

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// How long a question for the manifest waits for a compile that goes on, before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(20);

/// The manifest in force. Asked for again at every visit: it is the one thing that changes. Who asks while the site is being compiled
/// waits a while: asking again would only be slower.
pub(crate) async fn manifest(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.publication.wait(PATIENCE).await;
    blocking(move || match served(&app) {
        Err(refusal) => *refusal,
        Ok(served) => document(&headers, &served.manifest),
    })
    .await
}

/// The list of revisions, the one in force last.
pub(crate) async fn revisions(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    blocking(move || match served(&app) {
        Err(refusal) => *refusal,
        Ok(_) => app.publication.list().map_or_else(|| missing("no revisions"), |list| document(&headers, &list)),
    })
    .await
}

/// The manifest of a revision by its number.
pub(crate) async fn revision(State(app): State<Arc<App>>, Path(number): Path<String>, headers: HeaderMap) -> Response {
    blocking(move || {
        if let Err(refusal) = served(&app) {
            return *refusal;
        }
        // One spelling, as for names of pieces.
        let number = number.parse::<u64>().ok().filter(|parsed| parsed.to_string() == number);
        match number.and_then(|number| app.publication.manifest(number)) {
            Some(manifest) => document(&headers, &manifest),
            None if number.is_some_and(|number| app.publication.lists(number)) => {
                missing("what was kept of this revision is gone or damaged; the gateway says so at its start")
            }
            None => missing("no such revision; /api/publication/revisions lists them"),
        }
    })
    .await
}

/// A piece of any revision by its name, to be kept for ever.
pub(crate) async fn piece(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let of = app.clone();
    let found = tokio::task::spawn_blocking(move || -> Result<_, Box<Response>> {
        served(&of)?;
        let found = name.parse::<PieceHash>().ok().and_then(|hash| of.publication.piece(hash));
        let tag = fnv64(name.as_bytes());
        Ok(match found {
            None => (missing("no such piece; /api/publication names them"), None),
            Some(Piece::Held(kind, content)) => (send(&headers, &content, media_type(kind, &content), tag, FOR_EVER), None),
            Some(Piece::File(file)) => {
                let size = usize::try_from(file.bytes()).unwrap_or(usize::MAX);
                let (coding, body, cache) = (Coding::Identity, Bytes::new(), FOR_EVER);
                (respond(&headers, Answer { media_type: BYTES, coding, body, size, tag, cache }), Some(file))
            }
        })
    });
    match found.await {
        Ok(Ok((head, Some(file)))) if head.status() == StatusCode::OK => {
            answers::page(&app, peer.ip(), head, Content::File(file)).await
        }
        Ok(Ok((response, _))) => response,
        Ok(Err(refusal)) => *refusal,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn document(headers: &HeaderMap, content: &Packed) -> Response {
    send(headers, content, JSON, fnv64(content.plain()), REVALIDATE)
}

fn send(headers: &HeaderMap, content: &Packed, media_type: &str, tag: u64, cache: &'static str) -> Response {
    let (coding, body) = content.best(&accepted(headers));
    respond(headers, Answer { media_type, coding, body, size: content.plain().len(), tag, cache })
}

/// What is served, or why there is nothing. Boxed: an answer is large, and this is the rare case.
fn served(app: &App) -> Result<Arc<Served>, Box<Response>> {
    match app.publication.now() {
        Some(Ok(served)) => Ok(served),
        Some(Err(why)) => {
            let words = format!("the site could not be compiled: {why}\n");
            Err(Box::new((StatusCode::INTERNAL_SERVER_ERROR, words).into_response()))
        }
        None => {
            let words = "the site is still being compiled; try again in 1 s\n";
            Err(Box::new((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], words).into_response()))
        }
    }
}

/// Of an earlier piece it shows what it is for.
fn media_type(kind: Option<PieceKind>, content: &Packed) -> &'static str {
    match kind {
        Some(PieceKind::Model | PieceKind::History) => JSON,
        Some(PieceKind::SceneIndex | PieceKind::Geometry | PieceKind::Image | PieceKind::Asset) => BYTES,
        None if content.plain().starts_with(b"{\"format\":\"orrery.") => JSON,
        None => BYTES,
    }
}

//! `/api/publication` and `/api/piece`: what a viewer gets of the site.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use twin_publication::{PieceHash, PieceKind};

use crate::pack::{Packed, fnv64};
use crate::publish::shelf::{Compile, Served};
use crate::server::{Answer, App, FOR_EVER, REVALIDATE, accepted, blocking, missing, respond};
use crate::term;

/// How long a question for the manifest waits for a compile that goes on, before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(20);

/// The manifest. Asked for again at every visit: it is the one thing that changes. Who asks while the site is being compiled waits a
/// while: asking again would only be slower.
pub(crate) async fn manifest(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    begin(&app);
    app.publication.wait(PATIENCE).await;
    blocking(move || match shelf(&app) {
        Err(refusal) => *refusal,
        Ok(served) => {
            let tag = fnv64(served.manifest.plain());
            send(&headers, &served.manifest, "application/json", tag, REVALIDATE)
        }
    })
    .await
}

/// A piece by its name, to be kept for ever.
pub(crate) async fn piece(State(app): State<Arc<App>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    blocking(move || {
        let served = match shelf(&app) {
            Err(refusal) => return *refusal,
            Ok(served) => served,
        };
        let found = name.parse::<PieceHash>().ok().and_then(|hash| served.piece(hash));
        let Some((kind, content)) = found else { return missing("no such piece; /api/publication names them") };
        send(&headers, content, media_type(kind), fnv64(name.as_bytes()), FOR_EVER)
    })
    .await
}

fn send(headers: &HeaderMap, content: &Packed, media_type: &str, tag: u64, cache: &'static str) -> Response {
    let (coding, body) = content.best(&accepted(headers));
    respond(headers, Answer { media_type, coding, body, size: content.plain().len(), tag, cache })
}

/// Compiles the site, and packs what comes of it.
fn fill(app: &App, compile: Compile) {
    app.publication.fill(compile());
    match app.publication.get() {
        Some(Ok(served)) => served.warm(),
        Some(Err(why)) => term::warn(&format!("there is no publication of the site: {why}")),
        None => {}
    }
}

fn begin(app: &Arc<App>) {
    if let Some(compile) = app.publication.begin() {
        let app = app.clone();
        drop(tokio::task::spawn_blocking(move || fill(&app, compile)));
    }
}

/// What is served, or why there is nothing. Boxed: an answer is large, and this is the rare case.
fn shelf(app: &Arc<App>) -> Result<&Served, Box<Response>> {
    begin(app);
    match app.publication.get() {
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

fn media_type(kind: PieceKind) -> &'static str {
    match kind {
        PieceKind::Model | PieceKind::History => "application/json",
        PieceKind::SceneIndex | PieceKind::Geometry | PieceKind::Image | PieceKind::Asset => "application/octet-stream",
    }
}

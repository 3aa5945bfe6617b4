//! Routes and headers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get, post};
use axum::{Json, Router};
use tokio::sync::watch;
use twin_protocol::Capabilities;

use crate::access::{self, Access, Connection, Entry, Event, Head, Need, Role};
use crate::clock::Clock;
use crate::hub::Hub;
use crate::lease::LeaseTimes;
use crate::pack::Coding;
use crate::page::Page;
use crate::peers::Peers;
use crate::publish::shelf::Shelf;
use crate::sources::Inbox;
use crate::{alarms, answers, history_api, ingest, metrics, publication_api, ready, stream};

pub use crate::lacks::{Damaged, Lacks, NoHistory};
pub use crate::life::run;
pub use history_api::history_of;

/// What a server may be told besides the site.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Who may show the page in a frame: a CSP source list for `frame-ancestors`.
    pub frame_ancestors: String,
    /// Clients at a time.
    pub max_clients: usize,
    /// Connections at a time; none: twice the clients and 1,024.
    pub connections: Option<usize>,
    /// Senders of one source at a time.
    pub max_senders: usize,
    /// Bytes of answers made for one request each (history, files of a page folder) that may be on their way at a time.
    pub answer_bytes: usize,
    /// A request for whose answer there is no room waits this long for some.
    pub room_patience: Duration,
    /// What one address may have of connections, clients, senders and bytes on their way, in percent of all.
    pub address_share: u8,
    /// When silent peers are pinged and let go.
    pub lease: LeaseTimes,
    /// A request's head has to be complete this long after the answer before, its body this long after its head.
    pub request_timeout: Duration,
    /// Silence after which a client gets a keep-alive.
    pub keep_alive: Duration,
    /// A peer that takes next to nothing of an answer or a frame for this long is let go.
    pub send_timeout: Duration,
    /// What the server says that it can do.
    pub capabilities: Capabilities,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            frame_ancestors: "'self'".to_owned(),
            max_clients: 500,
            connections: None,
            max_senders: 128,
            answer_bytes: 256 << 20,
            room_patience: Duration::from_secs(2),
            address_share: 50,
            lease: LeaseTimes::default(),
            request_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            send_timeout: Duration::from_secs(30),
            capabilities: Capabilities::RESUME.with(Capabilities::HISTORY),
        }
    }
}

/// What all handlers share.
pub struct App {
    /// Samples and clients.
    pub hub: Arc<Hub>,
    /// Now.
    pub clock: Clock,
    /// The page.
    pub page: Page,
    /// Another one where another site is served.
    pub site_hash: String,
    /// Manifests and pieces.
    pub publication: Arc<Shelf>,
    /// Sources that take samples in.
    pub inboxes: Vec<Inbox>,
    /// Who may come in.
    pub access: Access,
    /// Seats and room.
    pub peers: Peers,
    /// Settings.
    pub config: ServerConfig,
    /// Turns true when the server stops.
    pub stopping: watch::Receiver<bool>,
}

/// A way in: what it needs stands beside what it does, so that none can be added without saying.
pub struct Route {
    /// As axum writes paths.
    pub path: &'static str,
    /// Asked by the one layer before the handler runs.
    pub need: Need,
    handler: MethodRouter<Arc<App>>,
}

/// Every way in but the page itself, which is in nobody's way: its files hold no data.
pub fn routes() -> Vec<Route> {
    let (view, send, manage) = (Need::Role(Role::View), Need::Role(Role::Send), Need::Role(Role::Manage));
    let route = |path, need, handler| Route { path, need, handler };
    vec![
        route("/api/site", view, any(gone)),
        route("/api/asset/{*path}", view, any(gone)),
        route("/api/publication", view, get(publication_api::manifest)),
        route("/api/publication/revisions", view, get(publication_api::revisions)),
        route("/api/publication/{number}", view, get(publication_api::revision)),
        route("/api/piece/{hash}", view, get(publication_api::piece)),
        route("/api/history", view, get(history_api::history)),
        route("/api/catalogue", view, get(history_api::catalogue)),
        route("/api/page/{level}/{start}/{version}/{part}", view, get(history_api::page)),
        route("/api/chunk/{*key}", view, get(history_api::chunk)),
        route("/api/counters", view, get(counters)),
        route("/api/alarms/{id}/acknowledge", manage, post(alarms::acknowledge)),
        route("/api/access", manage, get(access_list)),
        route("/healthz", Need::Nothing, get(ready::healthz)),
        route("/readyz", Need::Nothing, get(ready::readyz)),
        route("/metrics", view, get(metrics)),
        route("/stream", view, any(stream::upgrade)),
        route("/ingest", send, any(ingest::upgrade)),
    ]
}

/// All routes behind the one layer.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    let mut needs = HashMap::new();
    for Route { path, need, handler } in routes() {
        needs.insert(path, need);
        // Answers that are made for each request; pieces and the page inside the program are shared by all, and answers about
        // history take their room with their turn.
        let booked = ["/api/publication", "/api/piece/", "/api/history", "/api/catalogue", "/api/page/", "/api/chunk/"];
        let made = path.starts_with("/api/") && !booked.iter().any(|booked| path.starts_with(booked));
        let small = middleware::from_fn_with_state(app.clone(), answers::small);
        router = router.route(path, if made { handler.layer(small) } else { handler });
    }
    let guarded = Guarded { app: app.clone(), needs: Arc::new(needs) };
    let page = get(page).with_state(app.clone());
    router.fallback_service(page).layer(middleware::from_fn_with_state(guarded, guard)).with_state(app)
}

#[derive(Clone)]
struct Guarded {
    app: Arc<App>,
    needs: Arc<HashMap<&'static str, Need>>,
}

/// The one layer: who may come in, the audit of what is managed, and the headers of every answer.
async fn guard(State(Guarded { app, needs }): State<Guarded>, mut request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let need = match request.extensions().get::<MatchedPath>() {
        // A route that is in no table would be a hole; it takes the highest role.
        Some(path) => needs.get(path.as_str()).copied().unwrap_or(Need::Role(Role::Manage)),
        None => Need::Nothing,
    };
    let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>().map(|info| info.0.ip());
    let connection = request.extensions().get::<Connection>().copied().unwrap_or_default();
    let connection = Connection { peer: connection.peer.or(peer), ..connection };
    let source = (need == Need::Role(Role::Send)).then(|| ingest::wanted(&app, request.uri())).flatten();
    let head = Head { method: request.method(), uri: request.uri(), headers: request.headers() };
    let wish = access::Wish { need, source: source.map(|(_, id)| id) };
    let mut response = match access::admit(&app.access, head, connection, wish) {
        Err(refusal) => refusal.into_response(),
        Ok(entry) => {
            let managed = match (&entry, need) {
                (Entry::Known(caller), Need::Role(Role::Manage)) => {
                    Some((caller.name.clone(), format!("{} {}", request.method(), request.uri().path())))
                }
                _ => None,
            };
            request.extensions_mut().insert(connection);
            request.extensions_mut().insert(entry);
            let response = next.run(request).await;
            if let Some((who, what)) = managed {
                app.access.audit().write(&Event {
                    who: &who,
                    address: connection.peer,
                    what: &what,
                    status: response.status().as_u16(),
                });
            }
            response
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // What was given to one caller is not for the caches of others.
    let shared = headers.get(header::CACHE_CONTROL).is_some_and(|value| value == FOR_EVER);
    if shared && app.access.asks() && need != Need::Nothing {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER_FOR_ONE));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(&host, &app.config.frame_ancestors)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// No inline script or style, nothing from elsewhere; WebAssembly is the one exception that the viewer needs. Sockets are
/// named with the host, because older browsers do not count `ws:` as `'self'`.
fn policy(host: &str, frame_ancestors: &str) -> String {
    let plain = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    let sockets = if plain { format!(" ws://{host} wss://{host}") } else { String::new() };
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
         connect-src 'self'{sockets}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"
    )
}

pub(crate) fn accepted(headers: &HeaderMap) -> Vec<Coding> {
    Coding::accepted(headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()))
}

/// The body of an answer and how it may be kept.
pub(crate) struct Answer<'a> {
    pub(crate) media_type: &'a str,
    pub(crate) coding: Coding,
    pub(crate) body: Bytes,
    /// Length unpacked, for progress bars.
    pub(crate) size: usize,
    pub(crate) tag: u64,
    pub(crate) cache: &'static str,
}

pub(crate) fn respond(request: &HeaderMap, answer: Answer<'_>) -> Response {
    let tag = format!("\"{:016x}{}\"", answer.tag, answer.coding.name().unwrap_or(""));
    let known = request.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response = Response::builder()
        .header(header::ETAG, &tag)
        .header(header::CACHE_CONTROL, answer.cache)
        .header(header::VARY, "Accept-Encoding");
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return response.status(StatusCode::NOT_MODIFIED).body(Body::empty()).unwrap_or_default();
    }
    if let Some(coding) = answer.coding.name() {
        response = response.header(header::CONTENT_ENCODING, coding);
    }
    response
        .header(header::CONTENT_TYPE, answer.media_type)
        .header("x-uncompressed-length", answer.size)
        .body(Body::from(answer.body))
        .unwrap_or_default()
}

pub(crate) fn missing(what: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("{what}\n")).into_response()
}

pub(crate) const REVALIDATE: &str = "no-cache";
pub(crate) const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_EVER_FOR_ONE: &str = "private, max-age=31536000, immutable";

/// Runs work that packs or reads files apart from the threads that serve sockets.
pub(crate) async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn page(State(app): State<Arc<App>>, ConnectInfo(peer): ConnectInfo<SocketAddr>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(path) = percent_decode(uri.path()) else { return missing("no such page") };
    let (of, accepted) = (app.clone(), accepted(&headers));
    let Ok(file) = tokio::task::spawn_blocking(move || of.page.file(&path, &accepted)).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Some(file) = file else { return missing("no such page") };
    let cache = if file.immutable { FOR_EVER } else { REVALIDATE };
    let (coding, size, tag) = (file.coding, file.size, file.tag);
    let body = Bytes::new();
    let head = respond(&headers, Answer { media_type: file.media_type, coding, body, size, tag, cache });
    if head.status() == StatusCode::OK { answers::page(&app, peer.ip(), head, file.body).await } else { head }
}

/// Where the site file and its models were, for whoever still asks.
async fn gone() -> Response {
    let words =
        "the site file and its models are not served any more; /api/publication names what a viewer needs (docs/PROTOCOL.md)\n";
    (StatusCode::GONE, words).into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics::text(&app)).into_response()
}

async fn counters(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(crate::counters::json(&app))).into_response()
}

/// Who may come in, for those who decide about it. No hashes: whoever reads this needs none of them.
async fn access_list(State(app): State<Arc<App>>) -> Response {
    let grants = app.access.grants();
    let tokens: Vec<serde_json::Value> = grants
        .iter()
        .map(|grant| {
            let roles: Vec<&str> = grant.roles().map(Role::as_str).collect();
            let expires = grant.expires().map(|end| end.to_string());
            serde_json::json!({ "name": *grant.name, "roles": roles, "sources": grant.sources(), "expires": expires })
        })
        .collect();
    let json = serde_json::json!({ "format": 1, "asks": app.access.asks(), "tokens": tokens });
    ([(header::CACHE_CONTROL, "no-store")], Json(json)).into_response()
}

pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_host_never_gets_into_the_policy() {
        assert!(policy("plant:7077", "'self'").contains("ws://plant:7077"));
        assert!(!policy("x; script-src *", "'self'").contains("script-src *"));
    }
}

//! Routes and headers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get, post};
use axum::{Json, Router};

use crate::access::{self, Connection, Entry, Event, Head, Need, Role};
use crate::app::App;
use crate::config::source_list;
use crate::http::{Answer, FOR_EVER, FOR_EVER_FOR_ONE, REVALIDATE, accepted, missing, percent_decode, respond};
use crate::{alarms, answers, history_api, ingest, metrics, publication_api, ready, stream};

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
    headers.insert(header::CONTENT_SECURITY_POLICY, policy_header(&host, &app.config.frame_ancestors));
    response
}

/// The policy as a header; never none. Where the list of who may frame the page is no list, nobody may.
fn policy_header(host: &str, frame_ancestors: &str) -> HeaderValue {
    let list = source_list(frame_ancestors).unwrap_or_else(|_| "'none'".to_owned());
    HeaderValue::from_str(&policy(host, &list)).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_host_never_gets_into_the_policy() {
        assert!(policy("plant:7077", "'self'").contains("ws://plant:7077"));
        assert!(!policy("x; script-src *", "'self'").contains("script-src *"));
    }

    #[test]
    fn there_is_a_policy_whatever_stands_for_who_may_frame_the_page() {
        for ancestors in ["'self'\nhttps://evil.example", "\0", "", "'self'; script-src *", "\u{fc}", "'self', *"] {
            let header = policy_header("plant:7077", ancestors);
            let text = header.to_str().unwrap();
            assert!(
                text.ends_with("frame-ancestors 'none'") && text.contains("script-src 'self'") && !text.contains("script-src *"),
                "{text}"
            );
        }
        assert!(policy_header("\n", "'self'\n").to_str().unwrap().ends_with("frame-ancestors 'self'"), "what can be trimmed is");
    }
}

//! `/ingest`: others push samples in as JSON lines.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use twin_protocol::CloseCode;

use crate::hub::add;
use crate::server::App;
use crate::sources::Inbox;

/// Bytes of one message.
const MESSAGE_BYTES: usize = 1 << 20;
/// Lines of one message.
const LINES: usize = 10_000;
/// Complaints answered per message; the rest is summed up.
const COMPLAINTS: usize = 20;

#[derive(Deserialize)]
pub(crate) struct Params {
    token: Option<String>,
    source: Option<String>,
}

pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Query(params): Query<Params>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let model = app.hub.model();
    let named = |inbox: &Inbox| {
        let id = model.sources().get(inbox.source.at()).map_or("", |source| source.id.as_str());
        params.source.as_deref().is_none_or(|wanted| wanted == id)
    };
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    let presented = params.token.as_deref().or(bearer);
    let Some((inbox, token)) = app.inboxes.iter().find(|(inbox, _)| named(inbox)) else {
        return (StatusCode::NOT_FOUND, "the site has no source of kind websocket (of that name)\n").into_response();
    };
    if token.as_deref().is_some_and(|token| !same(token, presented.unwrap_or(""))) {
        return (StatusCode::UNAUTHORIZED, "missing or wrong token\n").into_response();
    }
    let inbox = inbox.clone();
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES).max_frame_size(MESSAGE_BYTES);
    upgrade.on_upgrade(move |socket| async move { serve(socket, &app, &inbox).await })
}

/// Compares in a time that does not tell where the first difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

async fn serve(mut socket: WebSocket, app: &App, inbox: &Inbox) {
    if !inbox.come() {
        return close(&mut socket, CloseCode::Busy, "as many senders as allowed are connected; try again later").await;
    }
    let mut stopping = app.stopping.clone();
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            () = crate::stream::stopped(&mut stopping) => {
                close(&mut socket, CloseCode::GoingAway, "the server stops").await;
                break;
            }
        };
        let lines = match message {
            Some(Ok(Message::Text(text))) => text.to_string(),
            Some(Ok(Message::Binary(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Err(error)) => {
                close(&mut socket, CloseCode::TooLarge, &error.to_string()).await;
                break;
            }
            None | Some(Ok(Message::Close(_))) => break,
        };
        if !take(&mut socket, app, inbox, &lines).await {
            break;
        }
    }
    inbox.go();
}

async fn close(socket: &mut WebSocket, code: CloseCode, reason: &str) {
    let reason: String = reason.chars().take(60).collect();
    drop(socket.send(Message::Close(Some(CloseFrame { code: code.number(), reason: reason.into() }))).await);
}

/// Reads a message's lines; false where the sender has gone.
async fn take(socket: &mut WebSocket, app: &App, inbox: &Inbox, text: &str) -> bool {
    let now = app.clock.now();
    let mut complaints = Vec::new();
    let mut bad = 0_u64;
    for (at, line) in text.lines().enumerate() {
        let result = match (at, line.trim()) {
            (_, "") => continue,
            (LINES.., _) => Err(format!("more than {LINES} lines in one message; send smaller ones")),
            (_, line) => inbox.line(app.hub.model(), line, now).map_err(|e| e.to_string()),
        };
        if let Err(why) = result {
            bad += 1;
            if complaints.len() < COMPLAINTS {
                complaints.push(serde_json::json!({ "error": why, "line": at + 1 }).to_string());
            }
            if at >= LINES {
                break;
            }
        }
    }
    add(&app.hub.totals.bad_lines, bad);
    if complaints.is_empty() { true } else { socket.send(Message::Text(complaints.join("\n").into())).await.is_ok() }
}

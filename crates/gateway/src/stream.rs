//! `/stream`: one task per client, which carries the hub's frames to a socket.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use twin_protocol::{
    Capabilities, ClientFrame, ClientHello, Close, CloseCode, Form, Hello, Limits, ProtocolError, SUBPROTOCOL_BIN,
    SUBPROTOCOL_JSON, ServerFrame, choose_version, decode_client, decode_server, encode_server, json,
};

use crate::access::{Connection, Entry, Role};
use crate::hub::{Place, add};
use crate::server::App;

/// A client has this long to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How often a replay tells its clock.
const REPLAY_CLOCK: Duration = Duration::from_millis(250);
/// What the socket itself takes before it is cut off; the protocol's own limit is lower and gets a proper close.
const SOCKET_LIMIT: usize = 256 << 10;

pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(entry): Extension<Entry>,
    Extension(connection): Extension<Connection>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade =
        upgrade.protocols([SUBPROTOCOL_BIN, SUBPROTOCOL_JSON]).max_message_size(SOCKET_LIMIT).max_frame_size(SOCKET_LIMIT);
    let chosen = upgrade.selected_protocol().and_then(|name| name.to_str().ok());
    let form = chosen.and_then(Form::from_subprotocol).unwrap_or(Form::Binary);
    upgrade.on_upgrade(move |socket| async move { serve(Client { socket, form, app, entry, connection }).await })
}

struct Client {
    socket: WebSocket,
    form: Form,
    app: Arc<App>,
    entry: Entry,
    connection: Connection,
}

/// Why a connection ends, of a viewer or a sender.
pub(crate) enum End {
    /// The peer has gone; nothing to say.
    Gone,
    /// Say why, then close.
    Close(CloseCode, String),
}

impl From<ProtocolError> for End {
    fn from(error: ProtocolError) -> Self {
        Self::Close(error.close_code(), error.to_string())
    }
}

async fn serve(mut client: Client) {
    let totals = &client.app.clone().hub.totals;
    let before = totals.clients.fetch_add(1, Ordering::Relaxed);
    add(&totals.clients_ever, 1);
    let end = if before >= client.app.config.max_clients as u64 {
        End::Close(CloseCode::Busy, format!("{before} clients are connected, which is all that are allowed; try again later"))
    } else {
        match converse(&mut client).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    };
    if let End::Close(code, reason) = end {
        if matches!(code, CloseCode::Malformed | CloseCode::TooLarge) {
            add(&totals.bad_frames, 1);
        }
        client.close(code, &reason).await;
    }
    totals.clients.fetch_sub(1, Ordering::Relaxed);
}

enum Never {}

async fn converse(client: &mut Client) -> Result<Never, End> {
    let app = client.app.clone();
    let mut stopping = app.stopping.clone();
    let hello = tokio::select! {
        hello = timeout(HELLO_WITHIN, client.hello()) => hello
            .map_err(|_| End::Close(CloseCode::Handshake, "no hello within 10 s".to_owned()))??,
        () = stopped(&mut stopping) => return Err(stops()),
    };
    let caller = match &client.entry {
        Entry::Known(caller) => caller.clone(),
        Entry::Later => {
            let shown = app.access.present(hello.token.as_ref(), Role::View, None, client.connection.peer);
            shown.map_err(|refusal| End::Close(CloseCode::Unauthorized, refusal.words))?
        }
    };
    let version = choose_version(&hello.versions)?;
    // Subscribed before the first look, so that nothing falls between.
    let mut changes = app.hub.changes();
    let mut place = client.open(version, &hello).await?;
    // A viewer cannot know how fast a replay's clock runs; it is told often.
    let period = if app.config.capabilities.has(Capabilities::REPLAY) { REPLAY_CLOCK } else { app.config.keep_alive };
    let mut keep_alive = Instant::now() + period;
    loop {
        client.drain(&mut place).await?;
        tokio::select! {
            changed = changes.changed() => changed.map_err(|_| stops())?,
            message = client.socket.recv() => client.answer(message).await?,
            () = sleep_until(keep_alive) => {
                if !app.access.still(&caller, Role::View, None) {
                    return Err(End::Close(CloseCode::Unauthorized, "the token is not good any more".to_owned()));
                }
                client.send(&ServerFrame::KeepAlive { server_time: app.clock.now() }).await?;
                keep_alive = Instant::now() + period;
            }
            () = stopped(&mut stopping) => return Err(stops()),
        }
    }
}

/// Completes when the server stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server.
    drop(stopping.wait_for(|stop| *stop).await);
}

fn stops() -> End {
    End::Close(CloseCode::GoingAway, "the server stops".to_owned())
}

impl Client {
    async fn hello(&mut self) -> Result<ClientHello, End> {
        loop {
            let message = self.socket.recv().await;
            match self.read(message)? {
                Some(ClientFrame::Hello(hello)) => return Ok(hello),
                Some(ClientFrame::Ping { .. }) => {
                    return Err(End::Close(CloseCode::Handshake, "the first frame must be a hello".to_owned()));
                }
                None => {}
            }
        }
    }

    async fn open(&mut self, version: u16, hello: &ClientHello) -> Result<Place, End> {
        let app = self.app.clone();
        let now = app.clock.now();
        let frame = ServerFrame::Hello(Hello {
            version,
            epoch: app.hub.epoch(),
            seq: app.hub.seq(),
            site: app.hub.model().site().id.clone(),
            site_hash: app.site_hash.clone(),
            capabilities: app.config.capabilities,
            keep_alive_ms: u32::try_from(app.config.keep_alive.as_millis()).unwrap_or(u32::MAX),
            server_time: now,
            history: app.hub.extent(),
        });
        self.send(&frame).await?;
        self.send_encoded(app.hub.dictionary()).await?;
        let (frames, place) = app.hub.open(hello.resume, now);
        for frame in &frames {
            self.send(frame).await?;
        }
        Ok(place)
    }

    /// Sends everything that the hub has for this place; a slow socket makes the place fall behind, never a queue grow.
    async fn drain(&mut self, place: &mut Place) -> Result<(), End> {
        loop {
            let frames = self.app.hub.next(place);
            if frames.is_empty() {
                return Ok(());
            }
            for frame in frames {
                self.send_encoded(frame).await?;
            }
        }
    }

    async fn answer(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        match self.read(message)? {
            Some(ClientFrame::Ping { nonce }) => {
                let server_time = self.app.clock.now();
                self.send(&ServerFrame::Pong { nonce, server_time }).await
            }
            Some(ClientFrame::Hello(_)) => Err(End::Close(CloseCode::Handshake, "hello was said before".to_owned())),
            None => Ok(()),
        }
    }

    fn read(&self, message: Option<Result<Message, axum::Error>>) -> Result<Option<ClientFrame>, End> {
        match message {
            None | Some(Ok(Message::Close(_))) => Err(End::Gone),
            Some(Err(error)) => {
                // The socket's own limit, or a broken connection, for which the close goes nowhere.
                let text = error.to_string();
                let large = text.contains("too long") || text.contains("large") || text.contains("Space limit");
                let code = if large { CloseCode::TooLarge } else { CloseCode::Malformed };
                Err(End::Close(code, text))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(bytes))) if self.form == Form::Binary => {
                Ok(Some(decode_client(&bytes, &Limits::CLIENT_FRAMES)?))
            }
            Some(Ok(Message::Text(text))) if self.form == Form::Json => {
                Ok(Some(json::decode_client(&text, &Limits::CLIENT_FRAMES)?))
            }
            Some(Ok(Message::Binary(_))) => Err(wrong_form("text", SUBPROTOCOL_JSON)),
            Some(Ok(Message::Text(_))) => Err(wrong_form("binary", SUBPROTOCOL_BIN)),
        }
    }

    async fn send(&mut self, frame: &ServerFrame) -> Result<(), End> {
        let message = match self.form {
            Form::Binary => Message::Binary(encode_server(frame).into()),
            Form::Json => Message::Text(json::encode_server(frame).into()),
        };
        self.put(message).await
    }

    /// A frame that is already in binary form; JSON clients are for debugging and pay for the detour.
    async fn send_encoded(&mut self, frame: Bytes) -> Result<(), End> {
        match self.form {
            Form::Binary => self.put(Message::Binary(frame)).await,
            Form::Json => {
                let frame = decode_server(&frame, &Limits::SERVER_FRAMES)?;
                self.send(&frame).await
            }
        }
    }

    async fn put(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.app.config.send_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(CloseCode::TimedOut, "the client took nothing for too long".to_owned())),
        }
    }

    async fn close(&mut self, code: CloseCode, reason: &str) {
        let last = ServerFrame::Close(Close { code: code.number(), reason: reason.to_owned() });
        let text: String = reason.chars().take(60).collect();
        let frame = CloseFrame { code: code.number(), reason: text.into() };
        // Both may fail, the peer may be gone; either is fine.
        let goodbye = async {
            if self.send(&last).await.is_ok() {
                drop(self.socket.send(Message::Close(Some(frame))).await);
                // Reading on lets the peer see the close instead of a reset while it is still sending.
                while let Some(Ok(message)) = self.socket.recv().await {
                    if matches!(message, Message::Close(_)) {
                        break;
                    }
                }
            }
        };
        drop(timeout(Duration::from_secs(1), goodbye).await);
    }
}

fn wrong_form(wanted: &str, subprotocol: &str) -> End {
    End::Close(CloseCode::Malformed, format!("subprotocol {subprotocol} takes {wanted} messages"))
}

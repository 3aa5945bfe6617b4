//! `/stream`: one task per client, which carries the hub's frames to a socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use twin_protocol::{
    Capabilities, ClientFrame, ClientHello, Close, CloseCode, Dictionary, Form, Hello, Limits, ProtocolError, Revision,
    SUBPROTOCOL_BIN, SUBPROTOCOL_JSON, ServerFrame, choose_version, decode_client, encode_server, json,
};

use crate::accept::stopped;
use crate::access::{Connection, Entry, Role};
use crate::app::App;
use crate::hub::{Next, Place, Totals, add};
use crate::lease::{Due, Lease};
use crate::peers::{Guest, NoRoom};
use crate::ws::{Buffers, Error, Kind, Message, Socket, Upgrade};

/// A client has this long to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How often a replay tells its clock.
const REPLAY_CLOCK: Duration = Duration::from_millis(250);
/// What the socket itself takes before it is cut off; the protocol's own limit is lower and gets a proper close. Clients say
/// little: a small buffer is what keeps an idle one cheap.
const BUFFERS: Buffers = Buffers { read: 2 << 10, message: 256 << 10 };
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// To a peer whose token was good when it came.
pub(crate) const GONE: &str = "this token is not good any more: it was taken back, or its time is over";
/// To a peer whose lease is over.
pub(crate) const SILENT: &str = "nothing was heard for too long, not even an answer to pings; connect again";

pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(entry): Extension<Entry>,
    Extension(connection): Extension<Connection>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    upgrade: Upgrade,
) -> Response {
    let upgrade = upgrade.protocols(&[SUBPROTOCOL_BIN, SUBPROTOCOL_JSON]);
    let form = upgrade.selected().and_then(Form::from_subprotocol).unwrap_or(Form::Binary);
    upgrade.on_upgrade(BUFFERS, move |socket| async move {
        let (lease, hub) = (Lease::new(app.config.lease), app.hub.clone());
        hub.vitals().attend(serve(Client { socket, form, app, entry, connection, lease }, peer)).await;
    })
}

struct Client {
    socket: Socket,
    form: Form,
    app: Arc<App>,
    entry: Entry,
    connection: Connection,
    lease: Lease,
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

/// A viewer that is counted, also where its task breaks.
struct Counted<'a>(&'a Totals);

impl<'a> Counted<'a> {
    fn new(totals: &'a Totals) -> Self {
        add(&totals.clients, 1);
        add(&totals.clients_ever, 1);
        Self(totals)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(mut client: Client, peer: SocketAddr) {
    let app = client.app.clone();
    let totals = &app.hub.totals;
    let _counted = Counted::new(totals);
    let end = match converse(&mut client, peer).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    if let End::Close(code, reason) = end {
        if matches!(code, CloseCode::Malformed | CloseCode::TooLarge) {
            add(&totals.bad_frames, 1);
        }
        client.close(code, &reason).await;
    }
}

enum Never {}

/// A seat among the viewers, or why there is none.
fn seat(app: &App, peer: SocketAddr) -> Result<Guest, End> {
    app.peers.viewers.come(0, peer.ip(), 1).map_err(|full| {
        let words = match full {
            NoRoom::All(n) => format!("{n} clients are connected, which is all that are allowed; try again later"),
            NoRoom::Address(n) => {
                format!("{n} clients of this address are connected, its share of all; try again later, or see --address-share")
            }
        };
        End::Close(CloseCode::Busy, words)
    })
}

async fn converse(client: &mut Client, peer: SocketAddr) -> Result<Never, End> {
    let app = client.app.clone();
    let mut stopping = app.stopping.clone();
    // Who has still to show a token takes no seat from those who have one. Until then it has a connection's, for so long as a hello
    // may take.
    let taken = match &client.entry {
        Entry::Known(_) => Some(seat(&app, peer)?),
        Entry::Later => None,
    };
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
    let _seat = match taken {
        Some(taken) => taken,
        None => seat(&app, peer)?,
    };
    let version = choose_version(&hello.versions)?;
    // Subscribed before the first look, so that nothing falls between.
    let mut changes = app.hub.changes();
    let mut told = app.publication.told();
    let mut place = client.open(version, &hello).await?;
    // A viewer cannot know how fast a replay's clock runs; it is told often.
    let period = if app.config.capabilities.has(Capabilities::REPLAY) { REPLAY_CLOCK } else { app.config.keep_alive };
    let mut keep_alive = Instant::now() + period;
    client.revision(&mut told).await?;
    loop {
        client.drain(&mut place, &stopping).await?;
        tokio::select! {
            changed = changes.changed() => changed.map_err(|_| stops())?,
            changed = told.changed() => {
                changed.map_err(|_| stops())?;
                client.revision(&mut told).await?;
            }
            message = client.socket.recv() => client.answer(message).await?,
            () = client.lease.due() => client.ping().await?,
            () = sleep_until(keep_alive) => {
                if !app.access.still(&caller, Role::View, None) {
                    return Err(End::Close(CloseCode::Unauthorized, GONE.to_owned()));
                }
                client.send(&ServerFrame::KeepAlive { server_time: app.clock.now() }).await?;
                keep_alive = Instant::now() + period;
            }
            () = stopped(&mut stopping) => return Err(stops()),
        }
    }
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
        match self.form {
            Form::Binary => self.put(app.hub.dictionary()).await?,
            Form::Json => self.send_next(Next::Own(ServerFrame::Dictionary(Dictionary::of(app.hub.model())))).await?,
        }
        let (frames, place) = app.hub.open(hello.resume, now);
        for frame in frames {
            self.send_next(Next::Own(frame)).await?;
        }
        Ok(place)
    }

    /// Says which revision is in force, once there is one. Of several since the last time only the newest.
    async fn revision(&mut self, told: &mut watch::Receiver<Option<Revision>>) -> Result<(), End> {
        let newest = *told.borrow_and_update();
        match newest {
            Some(revision) => self.send(&ServerFrame::Revision(revision)).await,
            None => Ok(()),
        }
    }

    /// Sends everything that the hub has for this place; a slow socket makes the place fall behind, never a queue grow. A client
    /// that is always behind is listened to all the same.
    async fn drain(&mut self, place: &mut Place, stopping: &watch::Receiver<bool>) -> Result<(), End> {
        loop {
            let frames = self.app.hub.advance(place, self.app.clock.now());
            if frames.is_empty() {
                return Ok(());
            }
            for frame in frames {
                self.send_next(frame).await?;
            }
            while let Some(message) = self.socket.recv_now() {
                self.answer(message).await?;
            }
            if *stopping.borrow() {
                return Err(stops());
            }
            self.ping().await?;
        }
    }

    /// Asks a silent client whether it lives, where that is due.
    async fn ping(&mut self) -> Result<(), End> {
        match self.lease.judge() {
            Due::Nothing => Ok(()),
            Due::Ping => self.in_time(|socket| socket.send(Message::Ping(Bytes::new()))).await,
            Due::Over => Err(End::Close(CloseCode::TimedOut, SILENT.to_owned())),
        }
    }

    async fn answer(&mut self, message: Option<Result<Message, Error>>) -> Result<(), End> {
        self.lease.renew();
        match self.read(message)? {
            Some(ClientFrame::Ping { nonce }) => {
                let server_time = self.app.clock.now();
                self.send(&ServerFrame::Pong { nonce, server_time }).await
            }
            Some(ClientFrame::Hello(_)) => Err(End::Close(CloseCode::Handshake, "hello was said before".to_owned())),
            None => Ok(()),
        }
    }

    fn read(&self, message: Option<Result<Message, Error>>) -> Result<Option<ClientFrame>, End> {
        match message {
            None | Some(Ok(Message::Close(_))) => Err(End::Gone),
            Some(Err(error)) => {
                // The socket's own limit, or a broken connection, for which the close goes nowhere.
                let code = if matches!(error, Error::Capacity(_)) { CloseCode::TooLarge } else { CloseCode::Malformed };
                Err(End::Close(code, error.to_string()))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
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
        let bytes = match self.form {
            Form::Binary => encode_server(frame).into(),
            Form::Json => Bytes::from(json::encode_server(frame)),
        };
        self.put(bytes).await
    }

    /// A frame that others may get, too, or that is large.
    async fn send_next(&mut self, next: Next) -> Result<(), End> {
        let bytes = match self.form {
            Form::Binary => next.binary(),
            Form::Json => self.app.hub.text_of(next).await?,
        };
        self.put(bytes).await
    }

    async fn put(&mut self, bytes: Bytes) -> Result<(), End> {
        let kind = if self.form == Form::Json { Kind::Text } else { Kind::Binary };
        self.in_time(|socket| socket.share(kind, bytes)).await
    }

    async fn in_time<'a, F>(&'a mut self, sending: impl FnOnce(&'a mut Socket) -> F) -> Result<(), End>
    where
        F: Future<Output = Result<(), Error>>,
    {
        match timeout(self.app.config.send_timeout, sending(&mut self.socket)).await {
            Ok(Ok(())) => Ok(()),
            // Half a frame may be out: nothing that makes sense can follow it.
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    async fn close(&mut self, code: CloseCode, reason: &str) {
        let last = ServerFrame::Close(Close { code: code.number(), reason: reason.to_owned() });
        // Both may fail, the peer may be gone; either is fine.
        if let Ok(Ok(())) = timeout(GOODBYE, self.send(&last)).await {
            self.socket.close(code.number(), reason, GOODBYE).await;
        }
    }
}

fn wrong_form(wanted: &str, subprotocol: &str) -> End {
    End::Close(CloseCode::Malformed, format!("subprotocol {subprotocol} takes {wanted} messages"))
}

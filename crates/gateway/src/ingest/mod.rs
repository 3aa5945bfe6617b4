//! `/ingest`: others push samples in, as JSON lines or in binary frames, and get to know when they are safe.
//!
//! One task per sender. It reads a message, puts its samples into the source's inbox and remembers which answers it owes;
//! an answer goes out once the pump has put the samples into a batch and the disk has committed that batch. A sender
//! that is too fast is not refused but not read: its socket fills up, and TCP tells it.

mod seen;
mod take;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::timeout;
use twin_protocol::{Close, CloseCode, IngestAck, Limits, SUBPROTOCOL_INGEST_BIN, ServerFrame, encode_server};

use crate::access::{Caller, Connection, Entry, Refusal, Role};
use crate::app::App;
use crate::hub::add;
use crate::lease::{Due, Lease};
use crate::peers::NoRoom;
use crate::sources::{Inbox, Progress};
use crate::stream::{End, SILENT};
use crate::ws::{Buffers, Error, Message, Socket, Upgrade};
use seen::Alarms;
use take::{Taken, Taker, token_line};

/// Answers that may be owed to one sender; with more it is not read.
const OWED: usize = 1_024;
/// Batches that may wait for the disk before senders that await answers are not read.
const UNSAFE_BATCHES: u64 = 64;
/// And their bytes: a quarter of what the keeper takes before batches stay in memory only.
const UNSAFE_BYTES: usize = 16 << 20;
/// Why a sender gets no answer.
const LOST: &str = "not kept; connect again, send what was not acknowledged";
/// Bytes that are read from a sender at a time.
const READ: usize = 64 << 10;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// A page has this long to bring its token.
const TOKEN_WITHIN: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Params {
    source: Option<String>,
}

/// The source that a request for `/ingest` is about: the one that it names, else the first of its kind.
pub(crate) fn wanted<'a>(app: &'a App, uri: &Uri) -> Option<(&'a Inbox, &'a str)> {
    let params = Query::<Params>::try_from_uri(uri).ok()?.0;
    let mut all = app.inboxes.iter().map(|inbox| (inbox, source_id(app, inbox)));
    all.find(|(_, id)| params.source.as_deref().is_none_or(|wanted| wanted == *id))
}

fn source_id<'a>(app: &'a App, inbox: &Inbox) -> &'a str {
    app.hub.model().sources().get(inbox.source.at()).map_or("", |source| source.id.as_str())
}

pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(entry): Extension<Entry>,
    Extension(connection): Extension<Connection>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    upgrade: Upgrade,
) -> Response {
    let Some((inbox, id)) = wanted(&app, &uri) else {
        return (StatusCode::NOT_FOUND, "the site has no source of kind websocket (of that name)\n").into_response();
    };
    let (inbox, id) = (inbox.clone(), id.to_owned());
    let buffers = Buffers { read: READ, message: Limits::INGEST_FRAMES.frame_bytes };
    let upgrade = upgrade.protocols(&[SUBPROTOCOL_INGEST_BIN]);
    upgrade.on_upgrade(buffers, move |mut socket| async move {
        let (caller, first) = match entry {
            Entry::Known(caller) => (caller, None),
            Entry::Later => match introduce(&mut socket, &app, &id, connection).await {
                Ok(introduced) => introduced,
                Err(refusal) => {
                    let line = serde_json::json!({ "error": refusal.words }).to_string();
                    timeout(GOODBYE, socket.send(Message::Text(line.into()))).await.ok();
                    return socket.close(CloseCode::Unauthorized.number(), &refusal.words, GOODBYE).await;
                }
            },
        };
        // After the token: who is not let in takes no seat of a sender's, only that of a connection.
        let _seat = match app.peers.senders.come(inbox.source.0, peer.ip(), 1) {
            Ok(seat) => seat,
            Err(full) => return socket.close(CloseCode::Busy.number(), &no_seat(full), GOODBYE).await,
        };
        app.hub.vitals().attend(serve(socket, &app, &inbox, (caller, connection.peer), first)).await;
    })
}

/// Reads the token out of a page's first message, and what else is in it.
async fn introduce(
    socket: &mut Socket,
    app: &App,
    source: &str,
    connection: Connection,
) -> Result<(Caller, Option<Message>), Refusal> {
    let first = async {
        loop {
            match socket.recv().await {
                Some(Ok(Message::Text(text))) => return Some(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    };
    let text = timeout(TOKEN_WITHIN, first).await.ok().flatten();
    let (line, rest) = text.as_ref().map(|text| text.split_once('\n').unwrap_or((text, ""))).unwrap_or_default();
    let caller = app.access.present(token_line(line).as_ref(), Role::Send, Some(source), connection.peer)?;
    Ok((caller, (!rest.trim().is_empty()).then(|| Message::Text(rest.into()))))
}

/// A sender that is counted, also where its task breaks.
struct Counted<'a>(&'a Inbox);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.go();
    }
}

fn no_seat(full: NoRoom) -> String {
    match full {
        NoRoom::All(n) => format!("{n} senders are connected, which is all that are allowed; try later"),
        NoRoom::Address(n) => format!("{n} senders of this address are connected, its share; try later"),
    }
}

async fn serve(socket: Socket, app: &App, inbox: &Inbox, (caller, peer): (Caller, Option<IpAddr>), first: Option<Message>) {
    inbox.come();
    let _counted = Counted(inbox);
    let caller = Arc::new(caller);
    let taker = Taker::new(app, inbox, Alarms::new(app, inbox.source, caller.clone(), peer));
    let lease = Lease::new(app.config.lease);
    let losses = app.hub.persist().filter(|persist| persist.outlives()).map(crate::history::Persist::losses);
    let mut sender = Sender { socket, app, inbox, taker, caller, lease, owed: VecDeque::new(), held: None, losses };
    if let End::Close(code, reason) = sender.converse(first).await {
        sender.close(code, &reason).await;
    }
}

/// What a sender is to be told once its samples are safe.
enum Answer {
    /// To a line `{"ack": ...}`, in the form that it came in.
    Line { name: serde_json::Value, taken: u64, refused: u64 },
    /// To a push.
    Push(IngestAck),
}

impl Answer {
    fn message(self, durable: bool) -> Message {
        match self {
            Self::Line { name, taken, refused } => {
                let line = serde_json::json!({ "ack": name, "samples": taken, "refused": refused, "durable": durable });
                Message::Text(line.to_string().into())
            }
            Self::Push(ack) => Message::Binary(encode_server(&ServerFrame::IngestAck(IngestAck { durable, ..ack })).into()),
        }
    }
}

struct Owed {
    /// Position in the inbox behind everything that it answers for.
    mark: u64,
    /// The batch that holds the last of it, once known.
    seq: Option<u64>,
    answer: Answer,
}

struct Sender<'a> {
    socket: Socket,
    app: &'a App,
    inbox: &'a Inbox,
    taker: Taker<'a>,
    caller: Arc<Caller>,
    lease: Lease,
    /// In the order of the questions.
    owed: VecDeque<Owed>,
    /// What did not fit into the inbox; nothing is read meanwhile.
    held: Option<Taken>,
    /// Changes where samples that are not acknowledged were lost.
    losses: Option<watch::Receiver<u64>>,
}

impl Sender<'_> {
    async fn converse(&mut self, first: Option<Message>) -> End {
        if let Some(first) = first
            && let Err(end) = self.hear(Some(Ok(first))).await
        {
            return end;
        }
        let mut recheck = tokio::time::interval(crate::access::NOTICED_WITHIN);
        let mut stopping = self.app.stopping.clone();
        let (mut progress, mut durable) = (self.inbox.progress(), self.app.hub.durable());
        loop {
            if let Err(end) = self.settle(&mut progress, &mut durable).await {
                return end;
            }
            let waits = self.held.is_some() || !self.owed.is_empty();
            let reads = self.reads(&progress, &durable);
            if !reads {
                // Who is not listened to can't be found silent.
                self.lease.renew();
            }
            tokio::select! {
                message = self.socket.recv(), if reads => {
                    self.lease.renew();
                    if let Err(end) = self.hear(message).await {
                        return end;
                    }
                }
                _ = recheck.tick() => {
                    if !self.app.access.still(&self.caller, Role::Send, Some(source_id(self.app, self.inbox))) {
                        return End::Close(CloseCode::Unauthorized, crate::stream::GONE.to_owned());
                    }
                }
                () = self.lease.due() => {
                    if let Err(end) = self.ping(reads).await {
                        return end;
                    }
                }
                Ok(()) = progress.changed(), if waits => {}
                Ok(()) = durable.changed(), if waits => {}
                () = crate::accept::stopped(&mut stopping) => {
                    return End::Close(CloseCode::GoingAway, "the server stops".to_owned());
                }
            }
        }
    }

    /// Asks a silent sender whether it lives, where that is due. One that is not read only gets the question: where nobody is
    /// there to confirm it, the system breaks the connection.
    async fn ping(&mut self, reads: bool) -> Result<(), End> {
        match self.lease.judge() {
            Due::Nothing => Ok(()),
            Due::Over if reads => Err(End::Close(CloseCode::TimedOut, SILENT.to_owned())),
            Due::Ping | Due::Over => self.send(Message::Ping(Bytes::new()), true).await,
        }
    }

    /// Whether there is room for more. A sender that wants no answers is not held up by a disk that fails: its values
    /// are for the live picture.
    fn reads(&self, progress: &watch::Receiver<Progress>, durable: &watch::Receiver<u64>) -> bool {
        let behind = || progress.borrow().seq.saturating_sub(*durable.borrow());
        let few = || self.owed.len() < OWED && behind() < UNSAFE_BATCHES && !self.disk_is_behind();
        self.held.is_none() && (self.owed.is_empty() || few())
    }

    /// Whether so much waits for the disk that what is to be acknowledged should wait with its sender.
    fn disk_is_behind(&self) -> bool {
        self.app.hub.persist().is_some_and(|persist| persist.outlives() && persist.pending() > UNSAFE_BYTES)
    }

    /// Puts in what was held and sends the answers that are due.
    async fn settle(&mut self, progress: &mut watch::Receiver<Progress>, durable: &mut watch::Receiver<u64>) -> Result<(), End> {
        let (done, safe) = (*progress.borrow_and_update(), *durable.borrow_and_update());
        let behind = self.disk_is_behind();
        if let Some(held) = self.held.take_if(|held| held.answers.is_empty() || !behind) {
            self.put(held);
        }
        for owed in self.owed.iter_mut().skip_while(|owed| owed.seq.is_some()) {
            if owed.mark > done.settled {
                break;
            }
            owed.seq = Some(done.seq);
        }
        // Said before the number that would make these answers due. Which of them are meant is not known: all are asked for again.
        let lost = self.losses.as_mut().is_some_and(|losses| {
            let lost = losses.has_changed().unwrap_or(false);
            losses.mark_unchanged();
            lost
        });
        if lost && !self.owed.is_empty() {
            return Err(End::Close(CloseCode::GoingAway, LOST.to_owned()));
        }
        let on_disk = self.app.hub.persist().is_some_and(crate::history::Persist::outlives);
        let mut sent = 0;
        while self.owed.front().is_some_and(|owed| owed.seq.is_some_and(|seq| seq <= safe)) {
            let Some(owed) = self.owed.pop_front() else { break };
            self.send(owed.answer.message(on_disk), false).await?;
            sent += 1;
        }
        if sent > 0 {
            add(&self.inbox.counts().acks, sent);
            self.flush().await?;
        }
        Ok(())
    }

    async fn hear(&mut self, message: Option<Result<Message, Error>>) -> Result<(), End> {
        let taken = match message {
            None | Some(Ok(Message::Close(_))) => return Err(End::Gone),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            // The socket's own limit.
            Some(Err(Error::Capacity(_))) => {
                let (most, lines) = (Limits::INGEST_FRAMES.frame_bytes, twin_model::limits::MESSAGE_BYTES);
                let words = format!("a frame may have {most} bytes, a message of lines {lines}; nothing of this one is taken");
                return Err(End::Close(CloseCode::TooLarge, words));
            }
            // A broken connection, for which the close goes nowhere.
            Some(Err(error)) => return Err(End::Close(CloseCode::Malformed, error.to_string())),
            Some(Ok(Message::Binary(bytes))) if twin_protocol::is_frame(&bytes) => {
                self.taker.frame(&bytes).inspect_err(|_| {
                    add(&self.app.hub.totals.bad_frames, 1);
                })?
            }
            Some(Ok(Message::Binary(bytes))) => self.taker.lines(&String::from_utf8_lossy(&bytes)),
            Some(Ok(Message::Text(text))) => self.taker.lines(&text),
        };
        if !taken.complaints.is_empty() {
            self.send(Message::Text(taken.complaints.join("\n").into()), true).await?;
        }
        self.put(taken);
        Ok(())
    }

    /// Into the inbox, or held where that is full.
    fn put(&mut self, mut taken: Taken) {
        let n = taken.samples.len() as u64 - taken.aside;
        match self.inbox.put(&mut taken.samples) {
            Some(mark) => {
                add(&self.inbox.counts().taken, n);
                self.owed.extend(taken.answers.into_iter().map(|answer| Owed { mark, seq: None, answer }));
            }
            None => {
                add(&self.inbox.counts().waits, u64::from(!taken.held));
                taken.held = true;
                self.held = Some(taken);
            }
        }
    }

    async fn send(&mut self, message: Message, flush: bool) -> Result<(), End> {
        let sending = async { if flush { self.socket.send(message).await } else { self.socket.feed(message).await } };
        in_time(self.app.config.send_timeout, sending).await
    }

    async fn flush(&mut self) -> Result<(), End> {
        in_time(self.app.config.send_timeout, self.socket.flush()).await
    }

    async fn close(&mut self, code: CloseCode, reason: &str) {
        if self.taker.binary() {
            let last = ServerFrame::Close(Close { code: code.number(), reason: reason.chars().take(60).collect() });
            if timeout(GOODBYE, self.socket.send(Message::Binary(encode_server(&last).into()))).await.is_err() {
                return;
            }
        } else if code == CloseCode::TooLarge {
            // Programs that read lines show them; few show why a connection was closed.
            let line = serde_json::json!({ "error": reason }).to_string();
            if timeout(GOODBYE, self.socket.send(Message::Text(line.into()))).await.is_err() {
                return;
            }
        }
        self.socket.close(code.number(), reason, GOODBYE).await;
    }
}

async fn in_time(patience: Duration, sending: impl Future<Output = Result<(), Error>>) -> Result<(), End> {
    match timeout(patience, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Close(CloseCode::TimedOut, "the sender took no answer for too long".to_owned())),
    }
}

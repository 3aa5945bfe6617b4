//! `/ingest`: others push samples in, as JSON lines or in binary frames, and get to know when they are safe.
//!
//! One task per sender. It reads a message, puts its samples into the source's inbox and remembers which answers it owes;
//! an answer goes out once the pump has put the samples into a batch and the disk has committed that batch. A sender
//! that is too fast is not refused but not read: its socket fills up, and TCP tells it.

mod take;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use futures_util::SinkExt as _;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::timeout;
use twin_protocol::{Close, CloseCode, IngestAck, Limits, SUBPROTOCOL_INGEST_BIN, ServerFrame, encode_server};

use crate::access::{Caller, Connection, Entry, Refusal, Role};
use crate::hub::add;
use crate::server::App;
use crate::sources::{Inbox, Progress};
use crate::stream::End;
use take::{Taken, Taker, token_line};

/// Bytes of one message of lines.
const MESSAGE_BYTES: usize = twin_model::limits::MESSAGE_BYTES;
/// Answers that may be owed to one sender; with more it is not read.
const OWED: usize = 1_024;
/// Batches that may wait for the disk before senders that await answers are not read.
const UNSAFE_BATCHES: u64 = 64;
/// And their bytes: a quarter of what the keeper takes before batches stay in memory only.
const UNSAFE_BYTES: usize = 16 << 20;

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
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some((inbox, id)) = wanted(&app, &uri) else {
        return (StatusCode::NOT_FOUND, "the site has no source of kind websocket (of that name)\n").into_response();
    };
    let (inbox, id) = (inbox.clone(), id.to_owned());
    let limit = Limits::INGEST_FRAMES.frame_bytes;
    let upgrade = upgrade.protocols([SUBPROTOCOL_INGEST_BIN]).max_message_size(limit).max_frame_size(limit);
    upgrade.on_upgrade(move |mut socket| async move {
        let (caller, first) = match entry {
            Entry::Known(caller) => (caller, None),
            Entry::Later => match introduce(&mut socket, &app, &id, connection).await {
                Ok(introduced) => introduced,
                Err(refusal) => {
                    let line = serde_json::json!({ "error": refusal.words }).to_string();
                    let reason: String = refusal.words.chars().take(60).collect();
                    let close = CloseFrame { code: CloseCode::Unauthorized.number(), reason: reason.into() };
                    let goodbye = async {
                        drop(socket.send(Message::Text(line.into())).await);
                        drop(socket.send(Message::Close(Some(close))).await);
                    };
                    drop(timeout(Duration::from_secs(1), goodbye).await);
                    return;
                }
            },
        };
        serve(socket, &app, &inbox, caller, first).await;
    })
}

/// Reads the token out of a page's first message, and what else is in it.
async fn introduce(
    socket: &mut WebSocket,
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

async fn serve(socket: WebSocket, app: &App, inbox: &Inbox, caller: Caller, first: Option<Message>) {
    let welcome = inbox.come();
    let taker = Taker::new(app, inbox);
    let mut sender = Sender { socket, app, inbox, taker, caller, owed: VecDeque::new(), held: None };
    let end = if welcome {
        let end = sender.converse(first).await;
        inbox.go();
        end
    } else {
        End::Close(CloseCode::Busy, "as many senders as allowed are connected; try again later".to_owned())
    };
    if let End::Close(code, reason) = end {
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
    socket: WebSocket,
    app: &'a App,
    inbox: &'a Inbox,
    taker: Taker<'a>,
    caller: Caller,
    /// In the order of the questions.
    owed: VecDeque<Owed>,
    /// What did not fit into the inbox; nothing is read meanwhile.
    held: Option<Taken>,
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
            tokio::select! {
                message = self.socket.recv(), if self.reads(&progress, &durable) => {
                    if let Err(end) = self.hear(message).await {
                        return end;
                    }
                }
                _ = recheck.tick() => {
                    if !self.app.access.still(&self.caller, Role::Send, Some(source_id(self.app, self.inbox))) {
                        return End::Close(CloseCode::Unauthorized, "the token is not good any more".to_owned());
                    }
                }
                Ok(()) = progress.changed(), if waits => {}
                Ok(()) = durable.changed(), if waits => {}
                () = crate::stream::stopped(&mut stopping) => {
                    return End::Close(CloseCode::GoingAway, "the server stops".to_owned());
                }
            }
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

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let taken = match message {
            None | Some(Ok(Message::Close(_))) => return Err(End::Gone),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Err(error)) => {
                // The socket's own limit, or a broken connection, for which the close goes nowhere.
                let text = error.to_string();
                let large = text.contains("too long") || text.contains("large") || text.contains("Space limit");
                return Err(End::Close(if large { CloseCode::TooLarge } else { CloseCode::Malformed }, text));
            }
            Some(Ok(Message::Binary(bytes))) if twin_protocol::is_frame(&bytes) => {
                self.taker.frame(&bytes).inspect_err(|_| {
                    add(&self.app.hub.totals.bad_frames, 1);
                })?
            }
            Some(Ok(Message::Binary(bytes))) => self.taker.lines(&String::from_utf8_lossy(lines_fit(&bytes)?)),
            Some(Ok(Message::Text(text))) => {
                lines_fit(text.as_bytes())?;
                self.taker.lines(&text)
            }
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
        let reason: String = reason.chars().take(60).collect();
        if self.taker.binary() {
            let last = ServerFrame::Close(Close { code: code.number(), reason: reason.clone() });
            drop(self.send(Message::Binary(encode_server(&last).into()), true).await);
        }
        let frame = CloseFrame { code: code.number(), reason: reason.into() };
        drop(self.send(Message::Close(Some(frame)), true).await);
    }
}

async fn in_time(patience: Duration, sending: impl Future<Output = Result<(), axum::Error>>) -> Result<(), End> {
    match timeout(patience, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Close(CloseCode::TimedOut, "the sender took no answer for too long".to_owned())),
    }
}

fn lines_fit(bytes: &[u8]) -> Result<&[u8], End> {
    if bytes.len() <= MESSAGE_BYTES {
        return Ok(bytes);
    }
    Err(End::Close(CloseCode::TooLarge, format!("a message of lines may have {MESSAGE_BYTES} bytes; send smaller ones")))
}

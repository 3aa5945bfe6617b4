//! A sender of samples over a real `/ingest` socket in binary form, with a bounded number of pushes on the way. What the
//! bench and `orrery bench feed` share; `examples/push.py` is the same in another language.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use twin_model::SignalId;
use twin_protocol::{Batch, Entry, IngestFrame, Limits, SUBPROTOCOL_INGEST_BIN, ServerFrame, decode_server, encode_ingest};

use crate::clock::instant;
use crate::remote::Remote;
use crate::wire::Wire;

/// An answer is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of everything sent so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    /// Samples handed to the socket.
    pub(super) sent: u64,
    /// Samples that an answer called taken.
    pub(super) acked: u64,
    /// Samples that an answer called refused.
    pub(super) refused: u64,
    /// Whether every answer promised that its samples survive a power cut.
    pub(super) durable: bool,
    /// The longest time from sending to the answer.
    pub(super) slowest: Duration,
}

/// One connection.
pub(super) struct Sender {
    socket: WebSocketStream<Wire>,
    /// Pushes without an answer: number, samples, when they were sent.
    open: VecDeque<(u64, u64, Instant)>,
    window: usize,
    seq: u64,
    account: Account,
    /// The first words of the server about what it refused.
    pub(super) refusal: Option<String>,
}

impl Sender {
    /// Connects and says which signals it will send. At most `window` pushes are on the way at a time.
    pub(super) async fn connect(remote: &Remote, path: &str, signals: Vec<SignalId>, window: usize) -> Result<Self> {
        let request = remote.socket(path, SUBPROTOCOL_INGEST_BIN)?;
        let connected = remote.connect().await.map_err(|error| remote.unreached(&error));
        let stream = connected.with_context(|| format!("can't connect to {}", remote.host()))?;
        let opened = tokio_tungstenite::client_async(request, stream).await.map_err(|error| remote.not_opened(&error));
        let (socket, _) = opened.context("the gateway does not open /ingest")?;
        let account = Account { durable: true, ..Account::default() };
        let mut sender = Self { socket, open: VecDeque::new(), window: window.max(1), seq: 0, account, refusal: None };
        sender.say(&IngestFrame::Dictionary(signals)).await?;
        Ok(sender)
    }

    /// Sends samples, whose ids are positions in the dictionary; waits for answers where too many are open.
    pub(super) async fn push(&mut self, entries: Vec<Entry>) -> Result<()> {
        while self.open.len() >= self.window {
            self.answer().await?;
        }
        self.seq += 1;
        let n = entries.len() as u64;
        let frame = IngestFrame::Push(Batch { seq: self.seq, entries });
        self.open.push_back((self.seq, n, instant()));
        self.account.sent += n;
        self.say(&frame).await
    }

    /// Reads answers until `end`.
    pub(super) async fn listen_until(&mut self, end: tokio::time::Instant) -> Result<()> {
        while !self.open.is_empty() {
            match tokio::time::timeout_at(end, self.answer()).await {
                Ok(answered) => answered?,
                Err(_) => return Ok(()),
            }
        }
        tokio::time::sleep_until(end).await;
        Ok(())
    }

    /// Waits for all answers.
    pub(super) async fn settle(&mut self) -> Result<Account> {
        while !self.open.is_empty() {
            self.answer().await?;
        }
        Ok(self.account)
    }

    async fn say(&mut self, frame: &IngestFrame) -> Result<()> {
        self.socket.send(Message::Binary(encode_ingest(frame).into())).await.context("the gateway has gone")
    }

    async fn answer(&mut self) -> Result<()> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message =
                message.context("no answer in 60 s")?.context("the gateway has gone")?.context("the gateway has gone")?;
            let Message::Binary(bytes) = message else { continue };
            match decode_server(&bytes, &Limits::SERVER_FRAMES)? {
                ServerFrame::IngestAck(ack) => {
                    let (seq, n, sent) = self.open.pop_front().context("an answer to nothing")?;
                    anyhow::ensure!(
                        ack.seq == seq && ack.taken + ack.refused == n,
                        "push {seq} of {n} samples got an answer to {} of {}",
                        ack.seq,
                        ack.taken + ack.refused
                    );
                    self.account.acked += ack.taken;
                    self.account.refused += ack.refused;
                    self.account.durable &= ack.durable;
                    self.account.slowest = self.account.slowest.max(sent.elapsed());
                    self.refusal = self.refusal.take().or_else(|| ack.reasons.into_iter().next());
                    return Ok(());
                }
                ServerFrame::Close(close) => anyhow::bail!("the gateway closed: {}", close.reason),
                _ => {}
            }
        }
    }
}

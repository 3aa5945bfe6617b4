//! The live stream: connect, greet, resume, decode, reconnect with growing pauses. Feeds the engine in arrival order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use twin_engine::Engine;
use twin_model::{Sample, SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_protocol::{
    Batch, ClientFrame, ClientHello, Close, CloseCode, Hello, Limits, LinkState, Resume, ServerFrame, SourceLink, decode_server,
    encode_client,
};
use twin_protocol::{SUBPROTOCOL_BIN, Urgency, VERSIONS, urgency};

use super::clock::SiteClock;
use crate::platform::{Heeds, Socket, SocketEvent, Waker, greeting_token, shut_out};

/// Pauses between tries, in seconds; the last repeats.
const PAUSES: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];
/// The pause after a refusal, in seconds, where nobody can be asked for another token: the one that we have may be given back.
const REFUSED_PAUSE: f64 = 60.0;
/// Seconds between two questions for the server's clock.
const PING_EVERY: f64 = 1.0;
/// Keep-alive periods of silence after which the link counts as dead.
const SILENCES: f64 = 3.0;
/// Frames taken in per poll; the rest waits for the next frame so that drawing goes on.
const FRAMES_A_POLL: usize = 512;

/// Where the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPhase {
    /// Being made.
    Connecting,
    /// Works.
    Up,
    /// Broken; tried again later.
    Down,
    /// There is none: the plant is a copy in files.
    None,
}

/// What the viewer is to be woken for: what it shows changes with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// It shows the present: samples and news of the plant.
    Live,
    /// It shows another instant, which samples of now don't change: news only. Samples wait (at most some hundred messages) and
    /// are taken in with the next frame.
    Elsewhere,
}

/// The same where sockets see it.
#[derive(Clone, Default)]
struct Watch(Arc<AtomicBool>);

impl Watch {
    fn set(&self, attention: Attention) {
        self.0.store(attention == Attention::Elsewhere, Ordering::Relaxed);
    }

    fn heeds(&self) -> Heeds {
        let elsewhere = self.0.clone();
        Arc::new(move |bytes| match urgency(bytes) {
            Urgency::Beat => false,
            Urgency::Samples => !elsewhere.load(Ordering::Relaxed),
            Urgency::News => true,
        })
    }
}

/// The stream of one gateway.
pub struct Stream {
    url: String,
    waker: Waker,
    watch: Watch,
    socket: Option<Socket>,
    phase: LinkPhase,
    since: Option<Timestamp>,
    /// Why it broke.
    reason: String,
    /// What the server said before it closed; the socket's own words are cut short.
    said: Option<Close>,
    /// The server does not let us in with the token that we have.
    shut_out: bool,
    tries: usize,
    next_try: f64,
    last_heard: f64,
    last_ping: f64,
    silence: f64,
    /// Run of the server that this connection is to.
    epoch: u64,
    /// Epoch and last sequence number taken in.
    place: Option<(u64, u64)>,
    newest_received: Option<Timestamp>,
    ids: Vec<Option<SignalIndex>>,
    /// How often the server has said what it serves.
    tellings: u32,
    /// What the last hello said of history, once.
    history: Option<Option<TimeRange>>,
    gaps: Vec<TimeRange>,
    /// Samples and bytes taken in, and values left out by the server.
    pub counts: Counts,
    sources: Vec<(String, LinkState, Timestamp, String)>,
    replay: bool,
}

/// What the stream has carried so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Samples taken in.
    pub samples: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Values that the server left out because we were slow.
    pub left_out: u64,
    /// Frames that could not be read.
    pub bad_frames: u64,
    /// Connections made.
    pub connections: u32,
}

impl Stream {
    pub(super) fn new(base: &str, waker: Waker) -> Self {
        let url = format!("{}/stream", base.replacen("http", "ws", 1));
        Self {
            url,
            waker,
            watch: Watch::default(),
            socket: None,
            phase: LinkPhase::Connecting,
            since: None,
            reason: String::new(),
            said: None,
            shut_out: false,
            tries: 0,
            next_try: 0.0,
            last_heard: 0.0,
            last_ping: 0.0,
            silence: 15.0,
            epoch: 0,
            place: None,
            newest_received: None,
            ids: Vec::new(),
            tellings: 0,
            history: None,
            gaps: Vec::new(),
            counts: Counts::default(),
            sources: Vec::new(),
            replay: false,
        }
    }

    /// The stream of a plant that has none.
    pub(super) fn none(waker: Waker) -> Self {
        Self { phase: LinkPhase::None, ..Self::new("", waker) }
    }

    /// Where the link stands.
    pub fn phase(&self) -> LinkPhase {
        self.phase
    }

    /// By the site's clock, since when.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Why it broke.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Why the server does not let us in, where that is why there is no link.
    pub fn shut_out(&self) -> Option<&str> {
        self.shut_out.then_some(self.reason.as_str())
    }

    /// Seconds until the next try; `None` where none is planned.
    pub fn retry_in(&self, now: f64) -> Option<f64> {
        (self.phase == LinkPhase::Down && self.next_try.is_finite()).then(|| (self.next_try - now).max(0.0))
    }

    /// Whether the server replays a recording.
    pub fn is_replay(&self) -> bool {
        self.replay
    }

    /// The links from the gateway to its sources: id, state, since when, words.
    pub fn sources(&self) -> &[(String, LinkState, Timestamp, String)] {
        &self.sources
    }

    pub(super) fn tellings(&self) -> u32 {
        self.tellings
    }

    pub(super) fn take_gaps(&mut self) -> Vec<TimeRange> {
        std::mem::take(&mut self.gaps)
    }

    /// What the server holds, once per connection.
    pub(super) fn take_history_extent(&mut self) -> Option<Option<TimeRange>> {
        self.history.take()
    }

    pub(super) fn attend(&self, attention: Attention) {
        self.watch.set(attention);
    }

    pub(super) fn retry_now(&mut self) {
        self.next_try = 0.0;
        self.tries = 0;
    }

    /// Takes in what has come. True where anything reached the engine.
    pub(super) fn poll(&mut self, engine: &mut Engine, clock: &mut SiteClock, now: f64) -> bool {
        if self.phase == LinkPhase::None {
            return false;
        }
        if self.socket.is_none() {
            if now >= self.next_try {
                self.phase = LinkPhase::Connecting;
                self.last_heard = now;
                self.said = None;
                self.socket = Some(Socket::connect(&self.url, SUBPROTOCOL_BIN, self.waker.clone(), self.watch.heeds()));
            }
            return false;
        }
        let mut fed = false;
        let mut drained = false;
        for _ in 0..FRAMES_A_POLL {
            let Some((event, at)) = self.socket.as_ref().and_then(Socket::poll) else {
                drained = true;
                break;
            };
            match event {
                SocketEvent::Opened => self.greet(),
                SocketEvent::Message(bytes) => {
                    self.last_heard = at;
                    self.counts.bytes += bytes.len() as u64;
                    fed |= self.take(&bytes, engine, clock, at);
                }
                SocketEvent::Overflowed => return self.broken(clock, now, "too much arrived while the page was hidden", fed),
                SocketEvent::Closed { code, reason } => {
                    let Close { code, reason } = self.said.take().unwrap_or(Close { code, reason });
                    self.broken(clock, now, &reason, fed);
                    if code == CloseCode::Unauthorized.number() {
                        self.refused(now);
                    }
                    return fed;
                }
            }
        }
        if !drained {
            // What came while nobody looked is more than that: nothing else wakes for it, and the newest of it was not heard yet.
            (self.waker)();
            return fed;
        }
        if now - self.last_heard > self.silence {
            return self.broken(clock, now, "the server has gone silent", fed);
        }
        if self.phase == LinkPhase::Up && now - self.last_ping > PING_EVERY {
            self.last_ping = now;
            self.send(&ClientFrame::Ping { nonce: (now * 1e3) as u64 });
        }
        fed
    }

    fn send(&self, frame: &ClientFrame) {
        if let Some(socket) = &self.socket {
            socket.send(encode_client(frame));
        }
    }

    fn greet(&self) {
        let agent = concat!("orrery-viewer/", env!("CARGO_PKG_VERSION")).to_owned();
        let resume = self.place.map(|(epoch, seq)| Resume { epoch, seq, last_time: self.newest_received });
        self.send(&ClientFrame::Hello(ClientHello { versions: VERSIONS.to_vec(), agent, resume, token: greeting_token() }));
    }

    fn broken(&mut self, clock: &SiteClock, now: f64, reason: &str, fed: bool) -> bool {
        self.socket = None;
        self.shut_out = false;
        if self.phase != LinkPhase::Down {
            self.since = clock.at(now);
        }
        self.phase = LinkPhase::Down;
        reason.clone_into(&mut self.reason);
        self.next_try = now + PAUSES[self.tries.min(PAUSES.len() - 1)];
        self.tries += 1;
        fed
    }

    /// Trying on with the same token would only fill the server's log of refusals.
    fn refused(&mut self, now: f64) {
        self.shut_out = true;
        self.next_try = if shut_out() { f64::INFINITY } else { now + REFUSED_PAUSE };
    }

    fn take(&mut self, bytes: &[u8], engine: &mut Engine, clock: &mut SiteClock, now: f64) -> bool {
        let frame = match decode_server(bytes, &Limits::SERVER_FRAMES) {
            Ok(frame) => frame,
            Err(error) => {
                self.counts.bad_frames += 1;
                tracing::warn!("a frame from the server can't be read: {error}");
                return false;
            }
        };
        match frame {
            ServerFrame::Hello(hello) => {
                clock.hear(hello.server_time, now);
                self.welcomed(&hello);
                false
            }
            ServerFrame::Dictionary(dictionary) => {
                self.ids = dictionary.resolve(engine.model());
                // History comes under the same numbers, and the model may lack signals of the running plant, or compute others.
                engine.number(&self.ids);
                false
            }
            ServerFrame::Snapshot(snapshot) => {
                clock.hear(snapshot.at, now);
                self.feed(engine, Batch { seq: snapshot.seq, entries: snapshot.entries })
            }
            ServerFrame::Batch(batch) => self.feed(engine, batch),
            ServerFrame::Gap(gap) => {
                self.gaps.push(gap.range);
                false
            }
            ServerFrame::Lag(lag) => {
                self.counts.left_out += lag.left_out;
                self.gaps.push(lag.range);
                false
            }
            ServerFrame::Sources(links) => {
                self.note_links(engine, links);
                true
            }
            ServerFrame::KeepAlive { server_time } | ServerFrame::Pong { server_time, .. } => {
                clock.hear(server_time, now);
                false
            }
            ServerFrame::Close(close) => {
                self.said = Some(close);
                false
            }
            ServerFrame::Revision(_) => {
                // What it is stands in the manifest, which is asked for again.
                self.tellings = self.tellings.wrapping_add(1);
                false
            }
            ServerFrame::History(_) | ServerFrame::Page(_) | ServerFrame::IngestAck(_) | ServerFrame::Unknown { .. } => false,
        }
    }

    /// The server has let us in.
    fn welcomed(&mut self, hello: &Hello) {
        self.phase = LinkPhase::Up;
        self.shut_out = false;
        self.since = Some(hello.server_time);
        self.tries = 0;
        self.counts.connections += 1;
        self.silence = (f64::from(hello.keep_alive_ms) / 1e3 * SILENCES).max(3.0);
        self.replay = hello.capabilities.has(twin_protocol::Capabilities::REPLAY);
        // Only samples make it our place: were it taken now and the link broke before the gap was told, the next
        // resume would hide it.
        self.epoch = hello.epoch;
        self.tellings = self.tellings.wrapping_add(1);
        self.history = Some(hello.history);
    }

    /// Where the server's links to its sources stand now.
    fn note_links(&mut self, engine: &mut Engine, links: Vec<SourceLink>) {
        for link in &links {
            let at = engine.model().sources().iter().position(|source| source.id == link.source);
            if let Some(at) = at {
                engine.note_link(SourceIndex::from_at(at), link.since, link.state != LinkState::Down);
            }
        }
        self.sources = links.into_iter().map(|link| (link.source, link.state, link.since, link.detail)).collect();
    }

    fn feed(&mut self, engine: &mut Engine, batch: Batch) -> bool {
        let before = self.place.filter(|(epoch, _)| *epoch == self.epoch).map_or(0, |(_, seq)| seq);
        self.place = Some((self.epoch, batch.seq.max(before)));
        let samples: Vec<(SignalIndex, Sample)> =
            batch.entries.into_iter().filter_map(|entry| Some(((*self.ids.get(entry.id.0 as usize)?)?, entry.sample))).collect();
        self.newest_received = samples.iter().map(|(_, sample)| sample.received_time).chain(self.newest_received).max();
        self.counts.samples += samples.len() as u64;
        engine.ingest(&samples);
        !samples.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_protocol::{Gap, GapReason, encode_server};

    #[test]
    fn a_viewer_is_woken_for_what_changes_its_picture() {
        let at = Timestamp::from_secs(1);
        let range = TimeRange::new(at, at);
        let beats = [ServerFrame::KeepAlive { server_time: at }, ServerFrame::Pong { nonce: 1, server_time: at }];
        let samples = [ServerFrame::Batch(Batch { seq: 1, entries: Vec::new() })];
        let news = [
            ServerFrame::Gap(Gap { range, reason: GapReason::Away }),
            ServerFrame::Sources(Vec::new()),
            ServerFrame::Close(Close { code: 1001, reason: "stops".into() }),
        ];
        let watch = Watch::default();
        let heeds = watch.heeds();
        for (attention, woken_for_samples) in [(Attention::Live, true), (Attention::Elsewhere, false), (Attention::Live, true)] {
            watch.set(attention);
            assert!(beats.iter().all(|frame| !heeds(&encode_server(frame))), "{attention:?}");
            assert!(samples.iter().all(|frame| heeds(&encode_server(frame)) == woken_for_samples), "{attention:?}");
            assert!(news.iter().all(|frame| heeds(&encode_server(frame))), "{attention:?}");
            assert!(heeds(b"no frame") && heeds(b""), "what can't be read is looked at");
        }
    }
}

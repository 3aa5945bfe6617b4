//! The frames of the stream as plain data, the same for the binary and the JSON form.

use twin_model::{Model, Sample, Secret, SignalId, SignalIndex, TimeRange, Timestamp, ValueKind};

/// What a server sends.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerFrame {
    /// First frame of every connection.
    Hello(Hello),
    /// Which signal each dense id stands for; comes before the first frame that uses ids.
    Dictionary(Dictionary),
    /// The newest sample of every signal that has one.
    Snapshot(Snapshot),
    /// Samples since the previous sequence number.
    Batch(Batch),
    /// Samples exist that this client will not get over the stream.
    Gap(Gap),
    /// State of the links between gateway and sources.
    Sources(Vec<SourceLink>),
    /// The client was too slow and got newest values instead of all.
    Lag(Lag),
    /// Sent when nothing else was, so that silence means a dead link.
    KeepAlive {
        /// The server's clock.
        server_time: Timestamp,
    },
    /// Answer to [`ClientFrame::Ping`].
    Pong {
        /// The number from the ping.
        nonce: u64,
        /// The server's clock when it answered.
        server_time: Timestamp,
    },
    /// Why the connection ends; the WebSocket close follows.
    Close(Close),
    /// Body of `GET /api/history`; never on the stream.
    History(History),
    /// Body of `GET /api/page/...`; never on the stream.
    Page(Page),
    /// Answer to [`IngestFrame::Push`], on `/ingest` only.
    IngestAck(IngestAck),
    /// Which revision of the site's publication is in force.
    Revision(Revision),
    /// A kind from 0x40 up that this side does not know: to be skipped, so that newer servers can add to it.
    Unknown {
        /// Its kind byte.
        kind: u8,
    },
}

/// What a viewer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// First frame of every connection.
    Hello(ClientHello),
    /// Asks for a [`ServerFrame::Pong`].
    Ping {
        /// Any number.
        nonce: u64,
    },
}

/// What a sender of samples says on `/ingest` in binary form.
#[derive(Debug, Clone, PartialEq)]
pub enum IngestFrame {
    /// Which signal each id of the pushes that follow stands for, by position. A later one replaces it.
    Dictionary(Vec<SignalId>),
    /// Samples, with a number of the sender's own that the answer repeats. Receive times are the server's to say: it replaces
    /// those in the frame.
    Push(Batch),
}

/// Which revision of the site's publication is in force: said once after the start of a connection, as soon as there is one, and
/// again whenever its manifest has changed. With the number that was said before, only what stands beside the plant has
/// (findings).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Its number, as in the manifest.
    pub number: u64,
    /// Since when it describes the plant.
    pub valid_from: Timestamp,
}

/// What became of a push. In the order of the pushes, one for each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IngestAck {
    /// The number of the push.
    pub seq: u64,
    /// Samples of it that were taken.
    pub taken: u64,
    /// Samples of it that were not.
    pub refused: u64,
    /// The samples taken survive kill -9 and a power cut of the server. False where the server has no disk: they are in memory.
    pub durable: bool,
    /// Why samples were refused, for people; a server says the first few.
    pub reasons: Vec<String>,
}

/// Optional abilities of a server, as bits. Unknown bits are kept and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// Answers `resume`.
    pub const RESUME: Self = Self(1);
    /// Serves `GET /api/history`.
    pub const HISTORY: Self = Self(2);
    /// Takes samples at `/ingest`.
    pub const INGEST: Self = Self(4);
    /// Replays something recorded: its samples are not of now.
    pub const REPLAY: Self = Self(8);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are there.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The server introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The version that the rest of the connection speaks.
    pub version: u16,
    /// Number of this run of the server; sequence numbers are comparable only within one. Below 2^53.
    pub epoch: u64,
    /// Sequence number of the newest batch so far; 0 before the first.
    pub seq: u64,
    /// Site id.
    pub site: String,
    /// Short name of the site as it is served, to be compared and no more: where it is another one than in the hello before, another
    /// site is served, and a viewer asks for its manifest anew.
    pub site_hash: String,
    /// What this server can do.
    pub capabilities: Capabilities,
    /// Milliseconds of silence after which the server sends a keep-alive; a viewer gives up after three.
    pub keep_alive_ms: u32,
    /// The server's clock.
    pub server_time: Timestamp,
    /// What history holds, by source time.
    pub history: Option<TimeRange>,
}

/// Position of a signal in the [`Dictionary`] of this connection. Not the viewer's own [`SignalIndex`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DictId(pub u32);

/// One line of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryEntry {
    /// The signal.
    pub signal: SignalId,
    /// The kind of its values.
    pub kind: ValueKind,
}

/// Signal of each [`DictId`], by position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dictionary {
    /// By [`DictId`].
    pub entries: Vec<DictionaryEntry>,
}

impl Dictionary {
    /// The dictionary whose ids are the model's own indices.
    pub fn of(model: &Model) -> Self {
        let entries = model.signals().iter();
        Self { entries: entries.map(|s| DictionaryEntry { signal: s.id.clone(), kind: s.value_kind }).collect() }
    }

    /// The model's index of each id; `None` for signals that the model does not know. By [`DictId`].
    pub fn resolve(&self, model: &Model) -> Vec<Option<SignalIndex>> {
        self.entries.iter().map(|entry| model.find_signal(entry.signal.as_str())).collect()
    }
}

/// One sample of one signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The signal.
    pub id: DictId,
    /// The reading.
    pub sample: Sample,
}

/// Samples since the previous sequence number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// Position in the stream, from 1, without holes on one connection except after [`ServerFrame::Lag`] or a gap.
    pub seq: u64,
    /// The samples. The codec orders them by id; the order within one id is kept.
    pub entries: Vec<Entry>,
}

impl Batch {
    /// Puts the entries into the order that the codec gives them: by id, arrival order within an id.
    pub fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.id);
    }
}

/// What holds of every signal that has a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Everything up to this batch is in it.
    pub seq: u64,
    /// The server's clock when it was taken.
    pub at: Timestamp,
    /// One entry per signal that was ever seen, by id: what holds at [`Self::at`]. Where its source's clock runs ahead, before it
    /// the newest reading that lies ahead.
    pub entries: Vec<Entry>,
}

/// Why samples are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// The client was away for longer than the server's back-fill reaches.
    Away,
    /// The server was restarted in between.
    Restarted,
    /// The server itself had no connection to its source.
    Source,
}

impl GapReason {
    /// All, by code.
    pub const ALL: [Self; 3] = [Self::Away, Self::Restarted, Self::Source];

    /// Name in the JSON form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Restarted => "restarted",
            Self::Source => "source",
        }
    }
}

/// A stretch of time for which this connection carries no samples; history may have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Half-open, by receive time.
    pub range: TimeRange,
    /// Why.
    pub reason: GapReason,
}

/// Whether the gateway hears from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Not tried yet.
    Unknown,
    /// Connected.
    Up,
    /// Lost; the gateway tries again.
    Down,
    /// The source said that it is done.
    Ended,
}

impl LinkState {
    /// All, by code.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Up, Self::Down, Self::Ended];

    /// Name in the JSON form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
            Self::Ended => "ended",
        }
    }
}

/// State of one link gateway to source. Says nothing about the values; those carry quality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLink {
    /// Source id as in the site file.
    pub source: String,
    /// State.
    pub state: LinkState,
    /// Since when, by the server's clock.
    pub since: Timestamp,
    /// Words for people; empty when all is well.
    pub detail: String,
}

/// Values were conflated: of each signal only the newest sample of a stretch was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Last sequence number that was sent whole.
    pub from_seq: u64,
    /// Sequence number of the conflated batch that follows.
    pub to_seq: u64,
    /// Samples left out.
    pub left_out: u64,
    /// Receive time of the oldest batch left out up to now: what to fetch from history to be whole again.
    pub range: TimeRange,
}

/// Why the connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// Number of [`crate::CloseCode`], or another that a newer server knows.
    pub code: u16,
    /// Words for people.
    pub reason: String,
}

/// The client introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// Versions that it speaks.
    pub versions: Vec<u16>,
    /// Name and version of the program, for logs; may be empty.
    pub agent: String,
    /// Where an earlier connection broke off: asks for what came since instead of a snapshot.
    pub resume: Option<Resume>,
    /// Who it is, for clients that can't send a header with the request (web pages). Leave it out where the header went.
    pub token: Option<Secret>,
}

/// Where a client left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// Epoch of the connection that broke.
    pub epoch: u64,
    /// Last sequence number that arrived.
    pub seq: u64,
    /// Newest receive time that it has, so that a gap can be bounded.
    pub last_time: Option<Timestamp>,
}

/// A change of a source link in history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkChange {
    /// Position of the source in the site file.
    pub source: u32,
    /// State from then on.
    pub state: LinkState,
    /// Since when.
    pub at: Timestamp,
}

/// One part of a page of history: chunks of one stretch and level, as they are kept; opaque here as in [`History`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Encoded chunks in the order of the catalogue: what is carried in first, then by first signal.
    pub chunks: Vec<Vec<u8>>,
}

/// A piece of history: sealed chunks, opaque here, readable by `twin_historian`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// What the server holds altogether, by source time.
    pub extent: Option<TimeRange>,
    /// Where the answer stopped because it grew too long: ask again from here.
    pub next: Option<Timestamp>,
    /// Link changes within the range, and the state at its start, in time order.
    pub links: Vec<LinkChange>,
    /// Signal of each chunk position, as in the stream's dictionary.
    pub dictionary: Dictionary,
    /// Encoded chunks in the order (signal, start).
    pub chunks: Vec<Vec<u8>>,
}

//! The JSON form of the frames, for debugging and scripts (subprotocol `orrery.v1.json`).
//!
//! One object per message with `"frame"` naming the kind. Times are integers in microseconds since 1970 (`_us`), exact
//! in JavaScript. Floats that JSON cannot say are `{"float": "NaN"}`, `"Infinity"`, `"-Infinity"`.

use serde::{Deserialize, Serialize};
use twin_model::{Flags, Quality, Sample, Secret, TimeRange, Timestamp, Value, ValueKind};

use crate::codec::SKIPPABLE;
use crate::frame::{
    Batch, Capabilities, ClientFrame, ClientHello, Close, DictId, Dictionary, DictionaryEntry, Entry, Gap, GapReason, Hello,
    History, IngestAck, Lag, LinkChange, LinkState, Page, Resume, Revision, ServerFrame, Snapshot, SourceLink,
};
use crate::{Limits, ProtocolError};

/// Writes a server frame.
pub fn encode_server(frame: &ServerFrame) -> String {
    serde_json::to_string(&server_out(frame)).unwrap_or_default()
}

/// Writes a client frame.
pub fn encode_client(frame: &ClientFrame) -> String {
    let out = match frame {
        ClientFrame::Hello(v) => ClientJson::Hello {
            versions: v.versions.clone(),
            agent: v.agent.clone(),
            resume: v.resume.map(|r| ResumeJson {
                epoch: r.epoch,
                seq: r.seq,
                last_time_us: r.last_time.map(Timestamp::as_micros),
            }),
            token: v.token.as_ref().map(|token| token.expose().to_owned()),
        },
        ClientFrame::Ping { nonce } => ClientJson::Ping { nonce: *nonce },
    };
    serde_json::to_string(&out).unwrap_or_default()
}

/// Reads a server frame. Unknown fields are ignored.
///
/// # Errors
/// [`ProtocolError`] for anything else than one whole frame within `limits`.
pub fn decode_server(text: &str, limits: &Limits) -> Result<ServerFrame, ProtocolError> {
    server_in(parse(text, limits)?, limits)
}

/// Reads a client frame. Unknown fields are ignored.
///
/// # Errors
/// [`ProtocolError`] for anything else than one whole frame within `limits`.
pub fn decode_client(text: &str, limits: &Limits) -> Result<ClientFrame, ProtocolError> {
    Ok(match parse(text, limits)? {
        ClientJson::Hello { versions, agent, resume, token } => {
            bounded("versions", versions.len(), limits.entries)?;
            let resume =
                resume.map(|r| Resume { epoch: r.epoch, seq: r.seq, last_time: r.last_time_us.map(Timestamp::from_micros) });
            ClientFrame::Hello(ClientHello { versions, agent, resume, token: token.map(Secret::new) })
        }
        ClientJson::Ping { nonce } => ClientFrame::Ping { nonce },
    })
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, limits: &Limits) -> Result<T, ProtocolError> {
    bounded("frame", text.len(), limits.frame_bytes)?;
    serde_json::from_str(text).map_err(|e| ProtocolError::Json(e.to_string()))
}

fn bounded(what: &'static str, size: usize, limit: usize) -> Result<(), ProtocolError> {
    if size > limit { Err(ProtocolError::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
enum ClientJson {
    Hello {
        versions: Vec<u16>,
        #[serde(default)]
        agent: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<ResumeJson>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    Ping {
        nonce: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct ResumeJson {
    epoch: u64,
    seq: u64,
    #[serde(default)]
    last_time_us: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
enum ServerJson {
    Hello {
        version: u16,
        epoch: u64,
        seq: u64,
        site: String,
        site_hash: String,
        capabilities: u64,
        keep_alive_ms: u32,
        server_time_us: i64,
        history: Option<RangeJson>,
    },
    Dictionary {
        signals: Vec<DictionaryJson>,
    },
    Snapshot {
        seq: u64,
        at_us: i64,
        samples: Vec<SampleJson>,
    },
    Batch {
        seq: u64,
        samples: Vec<SampleJson>,
    },
    Gap {
        range: RangeJson,
        reason: String,
    },
    Sources {
        sources: Vec<LinkJson>,
    },
    Lag {
        from_seq: u64,
        to_seq: u64,
        left_out: u64,
        range: RangeJson,
    },
    KeepAlive {
        server_time_us: i64,
    },
    Pong {
        nonce: u64,
        server_time_us: i64,
    },
    Close {
        code: u16,
        reason: String,
    },
    History {
        extent: Option<RangeJson>,
        next_us: Option<i64>,
        links: Vec<LinkChangeJson>,
        signals: Vec<DictionaryJson>,
        chunks: Vec<String>,
    },
    Page {
        chunks: Vec<String>,
    },
    IngestAck {
        seq: u64,
        taken: u64,
        refused: u64,
        durable: bool,
        #[serde(default)]
        reasons: Vec<String>,
    },
    Revision {
        revision: u64,
        valid_from_us: i64,
    },
    Unknown {
        kind: u8,
    },
    /// A name that this side does not know: passed over, as its kind would be in the binary form.
    #[serde(other)]
    Other,
}

#[derive(Serialize, Deserialize)]
struct RangeJson {
    start_us: i64,
    end_us: i64,
}

#[derive(Serialize, Deserialize)]
struct DictionaryJson {
    signal: String,
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct LinkJson {
    source: String,
    state: String,
    since_us: i64,
    #[serde(default)]
    detail: String,
}

#[derive(Serialize, Deserialize)]
struct LinkChangeJson {
    source: u32,
    state: String,
    at_us: i64,
}

#[derive(Serialize, Deserialize)]
struct SampleJson {
    id: u32,
    time_us: i64,
    received_us: i64,
    /// `null` where there is no value (flag 16).
    value: Option<ValueJson>,
    /// Upper 16 bits of an OPC UA StatusCode; 0 is good.
    #[serde(default)]
    quality: u16,
    #[serde(default)]
    flags: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ValueJson {
    Bool(bool),
    Int(i64),
    Float(f64),
    Special { float: String },
    Text(String),
}

impl From<&Value> for ValueJson {
    fn from(value: &Value) -> Self {
        match value {
            Value::Float(v) if v.is_finite() => Self::Float(*v),
            Value::Float(v) if v.is_nan() => Self::Special { float: "NaN".into() },
            Value::Float(v) => Self::Special { float: if *v > 0.0 { "Infinity" } else { "-Infinity" }.into() },
            Value::Int(v) => Self::Int(*v),
            Value::Bool(v) => Self::Bool(*v),
            Value::Text(v) => Self::Text(v.to_string()),
        }
    }
}

impl ValueJson {
    fn value(self, limits: &Limits) -> Result<Value, ProtocolError> {
        Ok(match self {
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::Float(v) => Value::Float(v),
            Self::Special { float } => Value::Float(match float.as_str() {
                "NaN" => f64::NAN,
                "Infinity" => f64::INFINITY,
                "-Infinity" => f64::NEG_INFINITY,
                _ => return Err(ProtocolError::malformed("value", "float is none of NaN, Infinity, -Infinity")),
            }),
            Self::Text(v) => {
                bounded("text", v.len(), limits.text_bytes)?;
                Value::text(&v)
            }
        })
    }
}

fn range_out(range: TimeRange) -> RangeJson {
    RangeJson { start_us: range.start.as_micros(), end_us: range.end.as_micros() }
}

fn range_in(range: &RangeJson) -> TimeRange {
    TimeRange::new(Timestamp::from_micros(range.start_us), Timestamp::from_micros(range.end_us))
}

fn samples_out(entries: &[Entry]) -> Vec<SampleJson> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.id);
    let one = |entry: &Entry| SampleJson {
        id: entry.id.0,
        time_us: entry.sample.source_time.as_micros(),
        received_us: entry.sample.received_time.as_micros(),
        value: (!entry.sample.flags.has(Flags::NULL)).then(|| ValueJson::from(&entry.sample.value)),
        quality: entry.sample.quality.bits(),
        flags: entry.sample.flags.0,
    };
    sorted.into_iter().map(one).collect()
}

fn samples_in(samples: Vec<SampleJson>, limits: &Limits) -> Result<Vec<Entry>, ProtocolError> {
    bounded("samples", samples.len(), limits.samples)?;
    let one = |s: SampleJson| {
        let flags = if s.value.is_some() { Flags(s.flags) } else { Flags(s.flags).with(Flags::NULL) };
        let sample = Sample {
            source_time: Timestamp::from_micros(s.time_us),
            received_time: Timestamp::from_micros(s.received_us),
            value: s.value.map_or(Ok(ValueKind::Float.placeholder()), |value| value.value(limits))?,
            quality: Quality::from_bits(s.quality),
            flags,
        };
        Ok(Entry { id: DictId(s.id), sample })
    };
    samples.into_iter().map(one).collect()
}

fn dictionary_out(dictionary: &Dictionary) -> Vec<DictionaryJson> {
    let entries = dictionary.entries.iter();
    entries.map(|e| DictionaryJson { signal: e.signal.to_string(), kind: e.kind.as_str().to_owned() }).collect()
}

fn dictionary_in(signals: Vec<DictionaryJson>, limits: &Limits) -> Result<Dictionary, ProtocolError> {
    bounded("entries", signals.len(), limits.entries)?;
    let one = |e: DictionaryJson| {
        let kind = ValueKind::parse(&e.kind).ok_or(ProtocolError::malformed("value kind", "unknown"))?;
        Ok(DictionaryEntry { signal: e.signal.as_str().into(), kind })
    };
    Ok(Dictionary { entries: signals.into_iter().map(one).collect::<Result<_, _>>()? })
}

fn state_in(name: &str) -> Result<LinkState, ProtocolError> {
    let state = LinkState::ALL.into_iter().find(|state| state.as_str() == name);
    state.ok_or(ProtocolError::malformed("link state", "unknown"))
}

fn server_out(frame: &ServerFrame) -> ServerJson {
    match frame {
        ServerFrame::Hello(v) => ServerJson::Hello {
            version: v.version,
            epoch: v.epoch,
            seq: v.seq,
            site: v.site.clone(),
            site_hash: v.site_hash.clone(),
            capabilities: v.capabilities.0,
            keep_alive_ms: v.keep_alive_ms,
            server_time_us: v.server_time.as_micros(),
            history: v.history.map(range_out),
        },
        ServerFrame::Dictionary(v) => ServerJson::Dictionary { signals: dictionary_out(v) },
        ServerFrame::Snapshot(v) => {
            ServerJson::Snapshot { seq: v.seq, at_us: v.at.as_micros(), samples: samples_out(&v.entries) }
        }
        ServerFrame::Batch(v) => ServerJson::Batch { seq: v.seq, samples: samples_out(&v.entries) },
        ServerFrame::Gap(v) => ServerJson::Gap { range: range_out(v.range), reason: v.reason.as_str().to_owned() },
        ServerFrame::Sources(v) => ServerJson::Sources { sources: v.iter().map(link_out).collect() },
        ServerFrame::Lag(v) => {
            ServerJson::Lag { from_seq: v.from_seq, to_seq: v.to_seq, left_out: v.left_out, range: range_out(v.range) }
        }
        ServerFrame::KeepAlive { server_time } => ServerJson::KeepAlive { server_time_us: server_time.as_micros() },
        ServerFrame::Pong { nonce, server_time } => ServerJson::Pong { nonce: *nonce, server_time_us: server_time.as_micros() },
        ServerFrame::Close(v) => ServerJson::Close { code: v.code, reason: v.reason.clone() },
        ServerFrame::History(v) => ServerJson::History {
            extent: v.extent.map(range_out),
            next_us: v.next.map(Timestamp::as_micros),
            links: v.links.iter().map(link_change_out).collect(),
            signals: dictionary_out(&v.dictionary),
            chunks: v.chunks.iter().map(|chunk| hex(chunk)).collect(),
        },
        ServerFrame::Page(v) => ServerJson::Page { chunks: v.chunks.iter().map(|chunk| hex(chunk)).collect() },
        ServerFrame::IngestAck(v) => ServerJson::IngestAck {
            seq: v.seq,
            taken: v.taken,
            refused: v.refused,
            durable: v.durable,
            reasons: v.reasons.clone(),
        },
        ServerFrame::Revision(v) => ServerJson::Revision { revision: v.number, valid_from_us: v.valid_from.as_micros() },
        ServerFrame::Unknown { kind } => ServerJson::Unknown { kind: *kind },
    }
}

fn server_in(json: ServerJson, limits: &Limits) -> Result<ServerFrame, ProtocolError> {
    Ok(match json {
        ServerJson::Hello { version, epoch, seq, site, site_hash, capabilities, keep_alive_ms, server_time_us, history } => {
            ServerFrame::Hello(Hello {
                version,
                epoch,
                seq,
                site,
                site_hash,
                capabilities: Capabilities(capabilities),
                keep_alive_ms,
                server_time: Timestamp::from_micros(server_time_us),
                history: history.as_ref().map(range_in),
            })
        }
        ServerJson::Dictionary { signals } => ServerFrame::Dictionary(dictionary_in(signals, limits)?),
        ServerJson::Snapshot { seq, at_us, samples } => {
            ServerFrame::Snapshot(Snapshot { seq, at: Timestamp::from_micros(at_us), entries: samples_in(samples, limits)? })
        }
        ServerJson::Batch { seq, samples } => ServerFrame::Batch(Batch { seq, entries: samples_in(samples, limits)? }),
        ServerJson::Gap { range, reason } => ServerFrame::Gap(Gap { range: range_in(&range), reason: gap_reason_in(&reason)? }),
        ServerJson::Sources { sources } => {
            bounded("entries", sources.len(), limits.entries)?;
            ServerFrame::Sources(sources.into_iter().map(link_in).collect::<Result<_, _>>()?)
        }
        ServerJson::Lag { from_seq, to_seq, left_out, range } => {
            ServerFrame::Lag(Lag { from_seq, to_seq, left_out, range: range_in(&range) })
        }
        ServerJson::KeepAlive { server_time_us } => {
            ServerFrame::KeepAlive { server_time: Timestamp::from_micros(server_time_us) }
        }
        ServerJson::Pong { nonce, server_time_us } => {
            ServerFrame::Pong { nonce, server_time: Timestamp::from_micros(server_time_us) }
        }
        ServerJson::Close { code, reason } => ServerFrame::Close(Close { code, reason }),
        ServerJson::History { extent, next_us, links, signals, chunks } => ServerFrame::History(History {
            extent: extent.as_ref().map(range_in),
            next: next_us.map(Timestamp::from_micros),
            links: links.iter().map(link_change_in).collect::<Result<_, _>>()?,
            dictionary: dictionary_in(signals, limits)?,
            chunks: chunks.iter().map(|text| unhex(text)).collect::<Result<_, _>>()?,
        }),
        ServerJson::Page { chunks } => {
            bounded("entries", chunks.len(), limits.entries)?;
            ServerFrame::Page(Page { chunks: chunks.iter().map(|text| unhex(text)).collect::<Result<_, _>>()? })
        }
        ServerJson::IngestAck { seq, taken, refused, durable, reasons } => {
            bounded_texts(&reasons, limits)?;
            ServerFrame::IngestAck(IngestAck { seq, taken, refused, durable, reasons })
        }
        ServerJson::Revision { revision, valid_from_us } => {
            ServerFrame::Revision(Revision { number: revision, valid_from: Timestamp::from_micros(valid_from_us) })
        }
        ServerJson::Other => ServerFrame::Unknown { kind: u8::MAX },
        ServerJson::Unknown { kind } if kind >= SKIPPABLE => ServerFrame::Unknown { kind },
        ServerJson::Unknown { kind } => return Err(ProtocolError::Kind(kind)),
    })
}

fn gap_reason_in(reason: &str) -> Result<GapReason, ProtocolError> {
    let known = GapReason::ALL.into_iter().find(|known| known.as_str() == reason);
    known.ok_or(ProtocolError::malformed("gap reason", "unknown"))
}

fn bounded_texts(texts: &[String], limits: &Limits) -> Result<(), ProtocolError> {
    bounded("entries", texts.len(), limits.entries)?;
    texts.iter().try_for_each(|text| bounded("text", text.len(), limits.text_bytes))
}

fn link_out(link: &SourceLink) -> LinkJson {
    LinkJson {
        source: link.source.clone(),
        state: link.state.as_str().to_owned(),
        since_us: link.since.as_micros(),
        detail: link.detail.clone(),
    }
}

fn link_in(link: LinkJson) -> Result<SourceLink, ProtocolError> {
    let (state, since) = (state_in(&link.state)?, Timestamp::from_micros(link.since_us));
    Ok(SourceLink { source: link.source, state, since, detail: link.detail })
}

fn link_change_out(link: &LinkChange) -> LinkChangeJson {
    LinkChangeJson { source: link.source, state: link.state.as_str().to_owned(), at_us: link.at.as_micros() }
}

fn link_change_in(link: &LinkChangeJson) -> Result<LinkChange, ProtocolError> {
    Ok(LinkChange { source: link.source, state: state_in(&link.state)?, at: Timestamp::from_micros(link.at_us) })
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |&d| char::from(d));
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, ProtocolError> {
    let bad = || ProtocolError::malformed("chunk", "not hexadecimal");
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8).ok_or_else(bad);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Ok(digit(*high)? << 4 | digit(*low)?),
        _ => Err(bad()),
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

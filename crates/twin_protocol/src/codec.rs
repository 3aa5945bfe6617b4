//! The binary form: four header bytes, then the body, LZ4-compressed where that is shorter.

use twin_model::{Secret, SignalId, TimeRange, Timestamp};

use crate::frame::{
    Batch, Capabilities, ClientFrame, ClientHello, Close, Dictionary, DictionaryEntry, Gap, GapReason, Hello, History, IngestAck,
    IngestFrame, Lag, LinkChange, LinkState, Page, Resume, Revision, ServerFrame, Snapshot, SourceLink,
};
use crate::wire::{Reader, Writer};
use crate::{Limits, ProtocolError, VERSION, batch};

/// First byte of every frame: `O`.
const MAGIC: u8 = 0x4F;
/// Bit of the fourth byte: the body is an LZ4 block behind its length.
const COMPRESSED: u8 = 1;
/// Bodies below this are not worth a try.
const TRY_LZ4_FROM: usize = 96;
/// LZ4's best possible ratio; a larger claim is a lie.
const LZ4_MAX_RATIO: usize = 255;
/// Kinds from here up may be skipped by those who do not know them.
pub(crate) const SKIPPABLE: u8 = 0x40;

const HELLO: u8 = 0x01;
const DICTIONARY: u8 = 0x02;
const SNAPSHOT: u8 = 0x03;
const BATCH: u8 = 0x04;
const GAP: u8 = 0x05;
const SOURCES: u8 = 0x06;
const LAG: u8 = 0x07;
const KEEP_ALIVE: u8 = 0x08;
const PONG: u8 = 0x09;
const CLOSE: u8 = 0x0A;
const HISTORY: u8 = 0x0B;
const PAGE: u8 = 0x0C;
const INGEST_ACK: u8 = 0x0D;
/// Among the kinds that may be skipped: viewers from before there were revisions pass over it.
const REVISION: u8 = 0x40;
const CLIENT_HELLO: u8 = 0x21;
const PING: u8 = 0x22;
const INGEST_DICTIONARY: u8 = 0x23;
const PUSH: u8 = 0x24;

/// Writes a server frame. [`ServerFrame::Unknown`] writes an empty body of its kind.
pub fn encode_server(frame: &ServerFrame) -> Vec<u8> {
    let mut w = Writer::new();
    let kind = match frame {
        ServerFrame::Hello(v) => write_hello(v, &mut w),
        ServerFrame::Dictionary(v) => {
            write_dictionary(v, &mut w);
            DICTIONARY
        }
        ServerFrame::Snapshot(v) => write_snapshot(v, &mut w),
        ServerFrame::Batch(v) => {
            w.varint(v.seq);
            batch::write(&v.entries, &mut w);
            BATCH
        }
        ServerFrame::Gap(v) => {
            write_range(v.range, &mut w);
            w.byte(position(&GapReason::ALL, &v.reason));
            GAP
        }
        ServerFrame::Sources(v) => write_sources(v, &mut w),
        ServerFrame::Lag(v) => write_lag(v, &mut w),
        ServerFrame::KeepAlive { server_time } => {
            w.zigzag(server_time.as_micros());
            KEEP_ALIVE
        }
        ServerFrame::Pong { nonce, server_time } => {
            w.varint(*nonce);
            w.zigzag(server_time.as_micros());
            PONG
        }
        ServerFrame::Close(v) => {
            w.varint(u64::from(v.code));
            w.text(&v.reason);
            CLOSE
        }
        ServerFrame::History(v) => write_history(v, &mut w),
        ServerFrame::Page(v) => {
            write_chunks(&v.chunks, &mut w);
            PAGE
        }
        ServerFrame::IngestAck(v) => write_ingest_ack(v, &mut w),
        ServerFrame::Revision(v) => {
            w.varint(v.number);
            w.zigzag(v.valid_from.as_micros());
            REVISION
        }
        ServerFrame::Unknown { kind } => *kind,
    };
    // History is made of packed chunks: LZ4 would only cost time. A sender need not know LZ4 to read its answers.
    finish(kind, &w.out, !matches!(kind, HISTORY | PAGE | INGEST_ACK))
}

/// Writes a client frame.
pub fn encode_client(frame: &ClientFrame) -> Vec<u8> {
    let mut w = Writer::new();
    let kind = match frame {
        ClientFrame::Hello(v) => {
            w.varint(v.versions.len() as u64);
            for &version in &v.versions {
                w.varint(u64::from(version));
            }
            w.text(&v.agent);
            w.byte(u8::from(v.resume.is_some()));
            if let Some(resume) = &v.resume {
                w.varint(resume.epoch);
                w.varint(resume.seq);
                write_option_time(resume.last_time, &mut w);
            }
            // Behind what the first readers knew, who pass over it.
            if let Some(token) = &v.token {
                w.byte(1);
                w.text(token.expose());
            }
            CLIENT_HELLO
        }
        ClientFrame::Ping { nonce } => {
            w.varint(*nonce);
            PING
        }
    };
    finish(kind, &w.out, false)
}

/// Reads a server frame. Control frames may carry further fields that a newer version added; those are ignored.
///
/// # Errors
/// [`ProtocolError`] for anything else than one whole frame within `limits`.
pub fn decode_server(bytes: &[u8], limits: &Limits) -> Result<ServerFrame, ProtocolError> {
    let mut space = Vec::new();
    let (kind, body) = open(bytes, limits, &mut space)?;
    let r = &mut Reader::new(body, *limits);
    Ok(match kind {
        HELLO => ServerFrame::Hello(read_hello(r)?),
        DICTIONARY => ServerFrame::Dictionary(read_dictionary(r)?),
        SNAPSHOT => {
            let (seq, at) = (r.varint("seq")?, read_time(r)?);
            let entries = batch::read(r)?;
            ended(r)?;
            ServerFrame::Snapshot(Snapshot { seq, at, entries })
        }
        BATCH => {
            let seq = r.varint("seq")?;
            let entries = batch::read(r)?;
            ended(r)?;
            ServerFrame::Batch(Batch { seq, entries })
        }
        GAP => ServerFrame::Gap(Gap { range: read_range(r)?, reason: choose(&GapReason::ALL, r, "gap reason")? }),
        SOURCES => ServerFrame::Sources(read_sources(r)?),
        LAG => ServerFrame::Lag(Lag {
            from_seq: r.varint("lag")?,
            to_seq: r.varint("lag")?,
            left_out: r.varint("lag")?,
            range: read_range(r)?,
        }),
        KEEP_ALIVE => ServerFrame::KeepAlive { server_time: read_time(r)? },
        PONG => ServerFrame::Pong { nonce: r.varint("pong")?, server_time: read_time(r)? },
        CLOSE => ServerFrame::Close(Close { code: r.narrow("close code")?, reason: r.text("close reason")?.to_owned() }),
        HISTORY => ServerFrame::History(read_history(r)?),
        PAGE => ServerFrame::Page(Page { chunks: read_chunks(r)? }),
        INGEST_ACK => {
            let (seq, taken, refused) = (r.varint("ack")?, r.varint("ack")?, r.varint("ack")?);
            let durable = r.byte("ack")? != 0;
            let n = r.count(r.limits().entries, 1, "entries")?;
            let reasons = (0..n).map(|_| r.text("reason").map(str::to_owned)).collect::<Result<_, _>>()?;
            ServerFrame::IngestAck(IngestAck { seq, taken, refused, durable, reasons })
        }
        REVISION => ServerFrame::Revision(Revision { number: r.varint("revision")?, valid_from: read_time(r)? }),
        kind if kind >= SKIPPABLE => ServerFrame::Unknown { kind },
        kind => return Err(ProtocolError::Kind(kind)),
    })
}

/// Reads a client frame.
///
/// # Errors
/// [`ProtocolError`] for anything else than one whole frame within `limits`.
pub fn decode_client(bytes: &[u8], limits: &Limits) -> Result<ClientFrame, ProtocolError> {
    let mut space = Vec::new();
    let (kind, body) = open(bytes, limits, &mut space)?;
    let r = &mut Reader::new(body, *limits);
    Ok(match kind {
        CLIENT_HELLO => {
            let n = r.count(limits.entries, 1, "versions")?;
            let versions = (0..n).map(|_| r.narrow("version")).collect::<Result<_, _>>()?;
            let agent = r.text("agent")?.to_owned();
            let resume = if r.byte("resume")? == 0 {
                None
            } else {
                let (epoch, seq) = (r.varint("resume")?, r.varint("resume")?);
                Some(Resume { epoch, seq, last_time: read_option_time(r)? })
            };
            let token = if r.left() > 0 && r.byte("token")? == 1 { Some(Secret::new(r.text("token")?)) } else { None };
            ClientFrame::Hello(ClientHello { versions, agent, resume, token })
        }
        PING => ClientFrame::Ping { nonce: r.varint("ping")? },
        kind => return Err(ProtocolError::Kind(kind)),
    })
}

/// Writes a frame of a sender.
pub fn encode_ingest(frame: &IngestFrame) -> Vec<u8> {
    let mut w = Writer::new();
    let kind = match frame {
        IngestFrame::Dictionary(signals) => {
            w.varint(signals.len() as u64);
            for signal in signals {
                w.text(signal.as_str());
            }
            INGEST_DICTIONARY
        }
        IngestFrame::Push(v) => {
            w.varint(v.seq);
            batch::write(&v.entries, &mut w);
            PUSH
        }
    };
    finish(kind, &w.out, true)
}

/// Reads a frame of a sender.
///
/// # Errors
/// [`ProtocolError`] for anything else than one whole frame within `limits`.
pub fn decode_ingest(bytes: &[u8], limits: &Limits) -> Result<IngestFrame, ProtocolError> {
    let mut space = Vec::new();
    let (kind, body) = open(bytes, limits, &mut space)?;
    let r = &mut Reader::new(body, *limits);
    let frame = match kind {
        INGEST_DICTIONARY => {
            let n = r.count(limits.entries, 1, "entries")?;
            IngestFrame::Dictionary((0..n).map(|_| r.text("signal id").map(SignalId::from)).collect::<Result<_, _>>()?)
        }
        PUSH => IngestFrame::Push(Batch { seq: r.varint("seq")?, entries: batch::read(r)? }),
        kind => return Err(ProtocolError::Kind(kind)),
    };
    ended(r)?;
    Ok(frame)
}

/// Whether a message of `/ingest` is a frame; anything else there is lines of JSON, which never begin like one.
pub fn is_frame(bytes: &[u8]) -> bool {
    bytes.first() == Some(&MAGIC)
}

/// How soon a frame of the server matters to who shows a plant, as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Says that the link lives and what time it is, nothing else.
    Beat,
    /// Carries samples, or says how many were left out.
    Samples,
    /// Anything else, and what can't be read.
    News,
}

/// How soon a frame of the server matters. Looks at the header only: costs nothing, and says nothing about whether the rest is sound.
pub fn urgency(bytes: &[u8]) -> Urgency {
    match bytes {
        [MAGIC, _, KEEP_ALIVE | PONG, ..] => Urgency::Beat,
        [MAGIC, _, BATCH | LAG, ..] => Urgency::Samples,
        _ => Urgency::News,
    }
}

fn finish(kind: u8, body: &[u8], compress: bool) -> Vec<u8> {
    if compress && body.len() >= TRY_LZ4_FROM {
        let packed = lz4_flex::block::compress(body);
        if packed.len() + 4 < body.len() {
            let mut out = vec![MAGIC, VERSION as u8, kind, COMPRESSED];
            out.extend_from_slice(&(body.len() as u32).to_le_bytes());
            out.extend_from_slice(&packed);
            return out;
        }
    }
    let mut out = Vec::with_capacity(4 + body.len());
    out.extend_from_slice(&[MAGIC, VERSION as u8, kind, 0]);
    out.extend_from_slice(body);
    out
}

/// Checks the header and gives the kind and the plain body, unpacked into `space` where it was packed.
fn open<'a>(bytes: &'a [u8], limits: &Limits, space: &'a mut Vec<u8>) -> Result<(u8, &'a [u8]), ProtocolError> {
    check_size("frame", bytes.len(), limits.frame_bytes)?;
    let Some((&[magic, version, kind, flags], body)) = bytes.split_first_chunk::<4>() else {
        return Err(ProtocolError::Truncated("header"));
    };
    if magic != MAGIC {
        return Err(ProtocolError::Magic);
    }
    if u16::from(version) != VERSION {
        return Err(ProtocolError::Version { theirs: version.to_string(), ours: VERSION.to_string() });
    }
    match flags {
        0 => {
            check_size("body", body.len(), limits.body_bytes)?;
            Ok((kind, body))
        }
        COMPRESSED => {
            let (size, packed) = body.split_first_chunk::<4>().ok_or(ProtocolError::Truncated("body length"))?;
            let size = u32::from_le_bytes(*size) as usize;
            check_size("body", size, limits.body_bytes)?;
            if size > packed.len().saturating_mul(LZ4_MAX_RATIO) {
                return Err(ProtocolError::malformed("body length", "more than LZ4 can pack"));
            }
            *space = vec![0; size];
            let wrote = lz4_flex::block::decompress_into(packed, space)
                .map_err(|_| ProtocolError::malformed("compressed body", "not an LZ4 block"))?;
            if wrote != size {
                return Err(ProtocolError::malformed("compressed body", "length differs from what was announced"));
            }
            Ok((kind, space))
        }
        _ => Err(ProtocolError::malformed("header", "unknown flags")),
    }
}

fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), ProtocolError> {
    if size > limit { Err(ProtocolError::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
}

/// Sample frames must end where their columns end: bytes behind them mean a broken writer.
fn ended(r: &Reader<'_>) -> Result<(), ProtocolError> {
    if r.left() == 0 { Ok(()) } else { Err(ProtocolError::malformed("frame", "bytes after the last column")) }
}

fn position<T: PartialEq>(all: &[T], v: &T) -> u8 {
    all.iter().position(|other| other == v).unwrap_or(0) as u8
}

fn choose<T: Copy>(all: &[T], r: &mut Reader<'_>, what: &'static str) -> Result<T, ProtocolError> {
    all.get(usize::from(r.byte(what)?)).copied().ok_or(ProtocolError::malformed(what, "unknown code"))
}

fn read_time(r: &mut Reader<'_>) -> Result<Timestamp, ProtocolError> {
    r.zigzag("time").map(Timestamp::from_micros)
}

fn write_range(range: TimeRange, w: &mut Writer) {
    w.zigzag(range.start.as_micros());
    w.zigzag(range.end.as_micros());
}

fn read_range(r: &mut Reader<'_>) -> Result<TimeRange, ProtocolError> {
    Ok(TimeRange::new(read_time(r)?, read_time(r)?))
}

fn write_option_time(t: Option<Timestamp>, w: &mut Writer) {
    w.byte(u8::from(t.is_some()));
    if let Some(t) = t {
        w.zigzag(t.as_micros());
    }
}

fn read_option_time(r: &mut Reader<'_>) -> Result<Option<Timestamp>, ProtocolError> {
    if r.byte("time")? == 0 { Ok(None) } else { read_time(r).map(Some) }
}

fn write_option_range(range: Option<TimeRange>, w: &mut Writer) {
    w.byte(u8::from(range.is_some()));
    if let Some(range) = range {
        write_range(range, w);
    }
}

fn read_option_range(r: &mut Reader<'_>) -> Result<Option<TimeRange>, ProtocolError> {
    if r.byte("range")? == 0 { Ok(None) } else { read_range(r).map(Some) }
}

fn write_hello(v: &Hello, w: &mut Writer) -> u8 {
    w.varint(u64::from(v.version));
    w.varint(v.epoch);
    w.varint(v.seq);
    w.text(&v.site);
    w.text(&v.site_hash);
    w.varint(v.capabilities.0);
    w.varint(u64::from(v.keep_alive_ms));
    w.zigzag(v.server_time.as_micros());
    write_option_range(v.history, w);
    HELLO
}

fn read_hello(r: &mut Reader<'_>) -> Result<Hello, ProtocolError> {
    Ok(Hello {
        version: r.narrow("version")?,
        epoch: r.varint("epoch")?,
        seq: r.varint("seq")?,
        site: r.text("site id")?.to_owned(),
        site_hash: r.text("site hash")?.to_owned(),
        capabilities: Capabilities(r.varint("capabilities")?),
        keep_alive_ms: r.narrow("keep-alive period")?,
        server_time: read_time(r)?,
        history: read_option_range(r)?,
    })
}

fn write_dictionary(v: &Dictionary, w: &mut Writer) {
    w.varint(v.entries.len() as u64);
    for entry in &v.entries {
        w.byte(batch::kind_code(entry.kind));
        w.text(entry.signal.as_str());
    }
}

fn read_dictionary(r: &mut Reader<'_>) -> Result<Dictionary, ProtocolError> {
    let n = r.count(r.limits().entries, 2, "entries")?;
    let mut entries = Vec::with_capacity(n);
    for _ in 0..n {
        let kind = batch::kind_of(r.byte("value kind")?).ok_or(ProtocolError::malformed("value kind", "unknown"))?;
        entries.push(DictionaryEntry { kind, signal: r.text("signal id")?.into() });
    }
    Ok(Dictionary { entries })
}

fn write_snapshot(v: &Snapshot, w: &mut Writer) -> u8 {
    w.varint(v.seq);
    w.zigzag(v.at.as_micros());
    batch::write(&v.entries, w);
    SNAPSHOT
}

fn write_lag(v: &Lag, w: &mut Writer) -> u8 {
    w.varint(v.from_seq);
    w.varint(v.to_seq);
    w.varint(v.left_out);
    write_range(v.range, w);
    LAG
}

fn write_ingest_ack(v: &IngestAck, w: &mut Writer) -> u8 {
    w.varint(v.seq);
    w.varint(v.taken);
    w.varint(v.refused);
    w.byte(u8::from(v.durable));
    w.varint(v.reasons.len() as u64);
    for reason in &v.reasons {
        w.text(reason);
    }
    INGEST_ACK
}

fn write_sources(links: &[SourceLink], w: &mut Writer) -> u8 {
    w.varint(links.len() as u64);
    for link in links {
        w.text(&link.source);
        w.byte(position(&LinkState::ALL, &link.state));
        w.zigzag(link.since.as_micros());
        w.text(&link.detail);
    }
    SOURCES
}

fn read_sources(r: &mut Reader<'_>) -> Result<Vec<SourceLink>, ProtocolError> {
    let n = r.count(r.limits().entries, 4, "entries")?;
    let mut links = Vec::with_capacity(n);
    for _ in 0..n {
        links.push(SourceLink {
            source: r.text("source id")?.to_owned(),
            state: choose(&LinkState::ALL, r, "link state")?,
            since: read_time(r)?,
            detail: r.text("link detail")?.to_owned(),
        });
    }
    Ok(links)
}

fn write_history(v: &History, w: &mut Writer) -> u8 {
    write_option_range(v.extent, w);
    write_option_time(v.next, w);
    w.varint(v.links.len() as u64);
    for link in &v.links {
        w.varint(u64::from(link.source));
        w.byte(position(&LinkState::ALL, &link.state));
        w.zigzag(link.at.as_micros());
    }
    write_dictionary(&v.dictionary, w);
    write_chunks(&v.chunks, w);
    HISTORY
}

fn write_chunks(chunks: &[Vec<u8>], w: &mut Writer) {
    w.varint(chunks.len() as u64);
    for chunk in chunks {
        w.blob(chunk);
    }
}

fn read_chunks(r: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let n = r.count(r.limits().entries, 1, "entries")?;
    let limit = r.limits().body_bytes;
    (0..n).map(|_| r.blob(limit, "chunk").map(<[u8]>::to_vec)).collect()
}

fn read_history(r: &mut Reader<'_>) -> Result<History, ProtocolError> {
    let (extent, next) = (read_option_range(r)?, read_option_time(r)?);
    let n = r.count(r.limits().entries, 3, "entries")?;
    let mut links = Vec::with_capacity(n);
    for _ in 0..n {
        let (source, state) = (r.narrow("source")?, choose(&LinkState::ALL, r, "link state")?);
        links.push(LinkChange { source, state, at: read_time(r)? });
    }
    let dictionary = read_dictionary(r)?;
    Ok(History { extent, next, links, dictionary, chunks: read_chunks(r)? })
}

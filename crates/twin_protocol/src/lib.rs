//! Stream protocol v1: frames, binary and JSON codec, handshake, limits, and the recording file.
//!
//! Holds what goes over the wire and into recordings, as plain data with `encode`/`decode`. Refuses to know sockets,
//! files, clocks and the meaning of values. Start at [`ServerFrame`] and [`ClientFrame`]; `docs/PROTOCOL.md` is the
//! same thing for people who write a client in another language.

mod batch;
mod codec;
mod error;
mod float;
mod frame;
mod handshake;
pub mod json;
mod limits;
pub mod recording;
mod wire;

pub use batch::pieces;
pub use codec::{
    Urgency, decode_client, decode_ingest, decode_server, encode_client, encode_ingest, encode_server, is_frame, urgency,
};
pub use error::{CloseCode, ProtocolError};
pub use frame::{
    Batch, Capabilities, ClientFrame, ClientHello, Close, DictId, Dictionary, DictionaryEntry, Entry, Gap, GapReason, Hello,
    History, IngestAck, IngestFrame, Lag, LinkChange, LinkState, Page, Resume, Revision, ServerFrame, Snapshot, SourceLink,
};
pub use handshake::{Form, SUBPROTOCOL_BIN, SUBPROTOCOL_INGEST_BIN, SUBPROTOCOL_JSON, VERSION, VERSIONS, choose_version};
pub use limits::Limits;

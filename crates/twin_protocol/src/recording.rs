//! The recording file (`.orrec`): what a viewer gets of a site, and the frames of its stream, in one appendable file.
//!
//! Holds the byte layout of both versions: version 2 holds a publication (manifests, and pieces by their names), version 1 the
//! site file with its models. Refuses to open files, and to know what manifests, pieces and models mean: the caller appends what
//! [`encode_record`] gives and reads through [`Records`] over the bytes. A record is written whole or not at all as far as a reader
//! is concerned: a torn tail (power cut while writing) ends the reading with a [`Torn`] report and loses only itself.

use crate::wire::{Reader, Writer};
use crate::{Limits, ProtocolError, ServerFrame, decode_server, encode_server};

/// First bytes of every recording; as in PNG, the high bit and line ends expose transfers that mangle bytes.
const MAGIC: &[u8; 8] = b"\x89ORREC\r\n";
/// As many of them tell a recording, also one whose line ends were mangled.
const TELLING: usize = 6;
/// Version of the layout that is written.
pub const VERSION: u16 = 2;
/// The oldest version that is read.
pub const OLDEST: u16 = 1;
/// Kind byte, length and checksum before each payload.
const RECORD_HEAD: usize = 9;

const SITE: u8 = 1;
const ASSET: u8 = 2;
const FRAME: u8 = 3;
const MANIFEST: u8 = 4;
const PIECE: u8 = 5;
/// Kinds from here up are skipped by readers that do not know them.
const SKIPPABLE: u8 = 0x40;
/// Bytes whose checksums are tried in the search for a whole record behind damage.
const SEARCH_BYTES: usize = 64 << 20;

/// Bytes of the name of a piece: a SHA-256.
pub const NAME_BYTES: usize = 32;
/// Bytes of an asset of version 1, or of a frame, that a recording may hold.
pub const ASSET_BYTES: usize = 256 << 20;
/// Bytes of the site file of version 1, of a path, or of a text in a frame, that a recording may hold.
pub const SITE_BYTES: usize = 16 << 20;
/// Bytes of a manifest that a recording may hold.
pub const MANIFEST_BYTES: usize = 32 << 20;
/// Bytes of a piece that a recording may hold.
pub const PIECE_BYTES: usize = 512 << 20;

/// One entry of a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// Version 1: the site file, first in every such recording.
    Site {
        /// Its file name, for messages.
        file_name: String,
        /// Its text.
        toml: String,
    },
    /// Version 1: a file that the site refers to, so that one recording shows the plant anywhere.
    Asset {
        /// Path as the site file writes it.
        path: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// Version 2: a manifest, which describes the plant from its instant on. The pieces that it names stand before it, so that what
    /// a manifest names is there wherever the file is torn.
    Manifest(Vec<u8>),
    /// Version 2: a piece of a publication. Each stands in a recording once, whatever manifests name it.
    Piece {
        /// Its name, the SHA-256 of its bytes; whoever uses them compares.
        name: [u8; NAME_BYTES],
        /// Its content.
        bytes: Vec<u8>,
    },
    /// A frame of the stream: dictionary, snapshot, batches, links, gaps, or a piece of history.
    Frame(ServerFrame),
}

/// How a recording ends when it does not end cleanly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Bytes that are good; a writer that appends cuts the file here first.
    pub good_bytes: u64,
    /// Bytes behind them that are not.
    pub lost_bytes: u64,
    /// What is wrong there.
    pub why: ProtocolError,
    /// Whether a whole record stands behind it: then nobody was interrupted while writing, but the file was damaged since.
    pub damaged: bool,
}

impl Record {
    /// Whether a reader takes this record: everything behind one that it does not take is lost to it, so such a one must not be
    /// written. Frames of a server always are.
    ///
    /// # Errors
    /// [`ProtocolError::TooLarge`] with what is too large.
    pub fn fits(&self) -> Result<(), ProtocolError> {
        let (what, size, limit) = match self {
            Self::Site { file_name, toml } => ("site file", file_name.len().max(toml.len()), SITE_BYTES),
            Self::Asset { path, .. } if path.len() > SITE_BYTES => ("asset path", path.len(), SITE_BYTES),
            Self::Asset { bytes, .. } => ("asset", bytes.len(), ASSET_BYTES),
            Self::Manifest(bytes) => ("manifest", bytes.len(), MANIFEST_BYTES),
            Self::Piece { bytes, .. } => ("piece", bytes.len(), PIECE_BYTES),
            Self::Frame(_) => return Ok(()),
        };
        if size > limit { Err(ProtocolError::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
    }
}

/// Whether a file that begins so is a recording, whole or damaged.
pub fn is_recording(start: &[u8]) -> bool {
    MAGIC.get(..TELLING).is_some_and(|telling| start.starts_with(telling))
}

/// The bytes that a new recording begins with.
pub fn file_header() -> Vec<u8> {
    file_header_of(VERSION)
}

/// The bytes that a recording of another version begins with: for tests of those who read them.
pub fn file_header_of(version: u16) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

/// The bytes to append for one record.
pub fn encode_record(record: &Record) -> Vec<u8> {
    let mut w = Writer::new();
    let kind = match record {
        Record::Site { file_name, toml } => {
            w.text(file_name);
            w.text(toml);
            SITE
        }
        Record::Asset { path, bytes } => {
            w.text(path);
            w.blob(bytes);
            ASSET
        }
        Record::Manifest(bytes) => {
            w.raw(bytes);
            MANIFEST
        }
        Record::Piece { name, bytes } => {
            w.raw(name);
            w.raw(bytes);
            PIECE
        }
        Record::Frame(frame) => {
            w.raw(&encode_server(frame));
            FRAME
        }
    };
    let mut out = Vec::with_capacity(RECORD_HEAD + w.out.len());
    out.push(kind);
    out.extend_from_slice(&(w.out.len() as u32).to_le_bytes());
    out.extend_from_slice(&checksum(kind, &w.out).to_le_bytes());
    out.extend_from_slice(&w.out);
    out
}

fn checksum(kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}

fn within<'a>(what: &'static str, bytes: &'a [u8], limit: usize) -> Result<&'a [u8], ProtocolError> {
    if bytes.len() > limit {
        return Err(ProtocolError::TooLarge { what, size: bytes.len() as u64, limit: limit as u64 });
    }
    Ok(bytes)
}

/// Reads the records of a recording in order; ends at the first that is not whole.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    version: u16,
    limits: Limits,
    torn: Option<Torn>,
}

impl<'a> Records<'a> {
    /// Starts reading.
    ///
    /// # Errors
    /// [`ProtocolError::Magic`] or [`ProtocolError::Version`] where the file is no recording of a known version.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ProtocolError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(ProtocolError::Magic)?;
        let Some((&[a, b, _, _], _)) = rest.split_first_chunk::<4>() else {
            return Err(ProtocolError::Truncated("recording header"));
        };
        let version = u16::from_le_bytes([a, b]);
        if !(OLDEST..=VERSION).contains(&version) {
            return Err(ProtocolError::Version { theirs: version.to_string(), ours: format!("{OLDEST} to {VERSION}") });
        }
        // A recording is a file that the user chose: large assets are fine, absurd claims are not.
        let limits =
            Limits { frame_bytes: ASSET_BYTES, body_bytes: ASSET_BYTES, text_bytes: SITE_BYTES, ..Limits::SERVER_FRAMES };
        Ok(Self { bytes, at: MAGIC.len() + 4, version, limits, torn: None })
    }

    /// The version of the layout: what stands in the place of the site.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// What was found behind the last good record; `None` at a clean end. Meaningful after the last item.
    pub fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// Bytes read so far that are good.
    pub fn good_bytes(&self) -> u64 {
        self.at as u64
    }

    fn read(&self, rest: &[u8]) -> Result<(usize, Option<Record>), ProtocolError> {
        let mut head = Reader::new(rest, self.limits);
        let kind = head.byte("record kind")?;
        let size = u32::from_le_bytes(head.array("record length")?) as usize;
        let sum = u32::from_le_bytes(head.array("record checksum")?);
        let payload = head.take(size, "record")?;
        if checksum(kind, payload) != sum {
            return Err(ProtocolError::malformed("record", "checksum differs"));
        }
        Ok((RECORD_HEAD + size, self.decode(kind, payload)?))
    }

    /// Whether a record whose checksum fits stands anywhere behind the first byte. They are not read: whose samples they hold
    /// may have stood in what is damaged.
    fn whole_record_in(&self, rest: &[u8]) -> bool {
        let mut work = SEARCH_BYTES;
        for at in 1..rest.len() {
            let Some((&[kind, a, b, c, d, e, f, g, h], behind)) = rest.get(at..).and_then(|rest| rest.split_first_chunk()) else {
                return false;
            };
            let size = u32::from_le_bytes([a, b, c, d]) as usize;
            let known = [SITE, ASSET, FRAME, MANIFEST, PIECE].contains(&kind) || kind >= SKIPPABLE;
            let Some(payload) = behind.get(..size).filter(|_| known) else { continue };
            let Some(left) = work.checked_sub(size) else { return false };
            work = left;
            // An empty one proves nothing: eight bytes may be anything.
            if !payload.is_empty() && checksum(kind, payload) == u32::from_le_bytes([e, f, g, h]) {
                return true;
            }
        }
        false
    }

    fn decode(&self, kind: u8, payload: &[u8]) -> Result<Option<Record>, ProtocolError> {
        let r = &mut Reader::new(payload, self.limits);
        let old = self.version == OLDEST;
        Ok(Some(match kind {
            SITE if old => {
                Record::Site { file_name: r.text("site file name")?.to_owned(), toml: r.text("site file")?.to_owned() }
            }
            ASSET if old => {
                let path = r.text("asset path")?.to_owned();
                Record::Asset { path, bytes: r.blob(self.limits.body_bytes, "asset")?.to_vec() }
            }
            MANIFEST if !old => Record::Manifest(within("manifest", payload, MANIFEST_BYTES)?.to_vec()),
            PIECE if !old => {
                let name = r.array("name of a piece")?;
                Record::Piece { name, bytes: within("piece", r.take(r.left(), "piece")?, PIECE_BYTES)?.to_vec() }
            }
            FRAME => Record::Frame(decode_server(payload, &self.limits)?),
            kind if kind >= SKIPPABLE => return Ok(None),
            kind => return Err(ProtocolError::Kind(kind)),
        }))
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.torn.is_none() {
            let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
            match self.read(rest) {
                Ok((size, record)) => {
                    self.at += size;
                    if record.is_some() {
                        return record;
                    }
                }
                Err(why) => {
                    let damaged = self.whole_record_in(rest);
                    self.torn = Some(Torn { good_bytes: self.at as u64, lost_bytes: rest.len() as u64, why, damaged });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;

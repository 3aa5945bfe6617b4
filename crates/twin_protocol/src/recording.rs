//! The recording file (`.orrec`): a site, its models and the frames of its stream, in one appendable file.
//!
//! Holds the byte layout. Refuses to open files: the caller appends what [`encode_record`] gives and reads through
//! [`Records`] over the bytes. A record is written whole or not at all as far as a reader is concerned: a torn tail
//! (power cut while writing) ends the reading with a [`Torn`] report and loses only itself.

use crate::wire::{Reader, Writer};
use crate::{Limits, ProtocolError, ServerFrame, decode_server, encode_server};

/// First bytes of every recording; as in PNG, the high bit and line ends expose transfers that mangle bytes.
const MAGIC: &[u8; 8] = b"\x89ORREC\r\n";
/// Version of the layout.
const VERSION: u16 = 1;
/// Kind byte, length and checksum before each payload.
const RECORD_HEAD: usize = 9;

const SITE: u8 = 1;
const ASSET: u8 = 2;
const FRAME: u8 = 3;
/// Kinds from here up are skipped by readers that do not know them.
const SKIPPABLE: u8 = 0x40;

/// Bytes of an asset, or of a frame, that a recording may hold.
pub const ASSET_BYTES: usize = 256 << 20;
/// Bytes of the site file, or of a path, that a recording may hold.
pub const SITE_BYTES: usize = 16 << 20;

/// One entry of a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// The site file, first in every recording.
    Site {
        /// Its file name, for messages.
        file_name: String,
        /// Its text.
        toml: String,
    },
    /// A file that the site refers to, so that one recording shows the plant anywhere.
    Asset {
        /// Path as the site file writes it.
        path: String,
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
            Self::Frame(_) => return Ok(()),
        };
        if size > limit { Err(ProtocolError::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
    }
}

/// The bytes that a new recording begins with.
pub fn file_header() -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_le_bytes());
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

/// Reads the records of a recording in order; ends at the first that is not whole.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
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
        if version != VERSION {
            return Err(ProtocolError::Version { theirs: version.to_string(), ours: VERSION.to_string() });
        }
        // A recording is a file that the user chose: large assets are fine, absurd claims are not.
        let limits =
            Limits { frame_bytes: ASSET_BYTES, body_bytes: ASSET_BYTES, text_bytes: SITE_BYTES, ..Limits::SERVER_FRAMES };
        Ok(Self { bytes, at: MAGIC.len() + 4, limits, torn: None })
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

    fn decode(&self, kind: u8, payload: &[u8]) -> Result<Option<Record>, ProtocolError> {
        let r = &mut Reader::new(payload, self.limits);
        Ok(Some(match kind {
            SITE => Record::Site { file_name: r.text("site file name")?.to_owned(), toml: r.text("site file")?.to_owned() },
            ASSET => {
                let path = r.text("asset path")?.to_owned();
                Record::Asset { path, bytes: r.blob(self.limits.body_bytes, "asset")?.to_vec() }
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
                    self.torn = Some(Torn { good_bytes: self.at as u64, lost_bytes: rest.len() as u64, why });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_model::Timestamp;

    fn sample() -> (Vec<u8>, Vec<Record>) {
        let records = vec![
            Record::Site { file_name: "site.toml".into(), toml: "[site]\n".into() },
            Record::Asset { path: "a.glb".into(), bytes: vec![7; 300] },
            Record::Frame(ServerFrame::KeepAlive { server_time: Timestamp::from_secs(5) }),
        ];
        let mut bytes = file_header();
        bytes.extend(records.iter().flat_map(encode_record));
        (bytes, records)
    }

    #[test]
    fn a_recording_reads_back_whole() {
        let (bytes, records) = sample();
        let mut reader = Records::new(&bytes).unwrap();
        assert_eq!(reader.by_ref().collect::<Vec<_>>(), records);
        assert_eq!((reader.torn(), reader.good_bytes()), (None, bytes.len() as u64));
    }

    #[test]
    fn a_torn_tail_loses_only_itself_wherever_it_is_cut() {
        let (bytes, records) = sample();
        let last = encode_record(&records[2]).len();
        for cut in bytes.len() - last + 1..bytes.len() {
            let mut reader = Records::new(&bytes[..cut]).unwrap();
            assert_eq!(reader.by_ref().collect::<Vec<_>>(), records[..2]);
            let torn = reader.torn().unwrap();
            assert_eq!((torn.good_bytes + torn.lost_bytes) as usize, cut);
        }
    }

    #[test]
    fn a_flipped_bit_is_found_by_the_checksum() {
        let (mut bytes, _) = sample();
        let at = bytes.len() - 1;
        bytes[at] ^= 1;
        let mut reader = Records::new(&bytes).unwrap();
        assert_eq!(reader.by_ref().count(), 2);
        assert!(reader.torn().unwrap().why.to_string().contains("checksum"));
    }

    #[test]
    fn what_a_reader_would_not_take_is_not_to_be_written() {
        let asset = |bytes: usize| Record::Asset { path: "a.glb".into(), bytes: vec![0; bytes] };
        assert_eq!(asset(ASSET_BYTES).fits(), Ok(()));
        let error = asset(ASSET_BYTES + 1).fits().unwrap_err().to_string();
        assert_eq!(error, "asset of 268435457 is over the limit of 268435456");
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(Records::new(b"glTF....").unwrap_err(), ProtocolError::Magic);
    }
}

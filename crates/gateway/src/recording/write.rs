//! A recording being written: the file, record by record, and what a running hub gives it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use twin_model::{Span, TimeRange, Timestamp};
use twin_protocol::recording::{Record, encode_record, file_header};
use twin_protocol::{Limits, ServerFrame, decode_server};
use twin_publication::{Manifest, PieceHash};

use crate::GatewayError;
use crate::excerpt::history_of;
use crate::hub::{Hub, Place};
use crate::lacks::{Damaged, NoHistory};
use crate::revisions::Publication;

/// A recording that is being written, record by record.
pub struct RecordingFile {
    path: PathBuf,
    file: File,
    /// Pieces that are in it.
    pieces: BTreeSet<PieceHash>,
    /// The last manifest in it.
    last: Option<Manifest>,
    /// Bytes written.
    pub bytes: u64,
}

impl RecordingFile {
    /// Makes the file; one that exists is replaced.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn create(path: &Path) -> Result<Self, GatewayError> {
        let file = File::create(path).map_err(|source| GatewayError::Write { path: path.to_owned(), source })?;
        let mut out = Self { path: path.to_owned(), file, pieces: BTreeSet::new(), last: None, bytes: 0 };
        out.write(&file_header())?;
        Ok(out)
    }

    /// The last manifest in it.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.last.as_ref()
    }

    /// Pieces that are in it.
    pub fn pieces(&self) -> &BTreeSet<PieceHash> {
        &self.pieces
    }

    /// Appends a revision of the plant: the pieces that are not in the file yet, then the manifest, so that what it names is there
    /// wherever the file is torn. It comes after what is there (see [`follow`]); what says nothing new is left out. Says whether it
    /// was appended.
    ///
    /// # Errors
    /// Where the file cannot be written, or the publication lacks a piece or is more than a recording holds.
    pub fn revision(&mut self, publication: &Publication) -> Result<bool, GatewayError> {
        let mut manifest = publication.manifest.clone();
        if let Some(last) = &self.last {
            follow(&mut manifest, last);
            if manifest == *last {
                return Ok(false);
            }
        }
        let odd = |source| GatewayError::Publication { path: self.path.clone(), source };
        let bytes = manifest.write().map_err(odd)?;
        for (kind, piece) in manifest.pieces() {
            if self.pieces.contains(&piece.hash) {
                continue;
            }
            let Some(bytes) = publication.pieces.get(&piece.hash) else {
                let why = format!("the piece {} ({}) is not there", piece.hash, kind.as_str());
                return Err(GatewayError::Recording { path: self.path.clone(), why });
            };
            self.record(&Record::Piece { name: piece.hash.to_bytes(), bytes: bytes.to_vec() })?;
            self.pieces.insert(piece.hash);
        }
        self.record(&Record::Manifest(bytes))?;
        self.last = Some(manifest);
        Ok(true)
    }

    /// Appends a frame of the stream. What is said about links to people, which may repeat addresses and paths, stays out of it.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn frame(&mut self, mut frame: ServerFrame) -> Result<(), GatewayError> {
        if let ServerFrame::Sources(links) = &mut frame {
            links.iter_mut().for_each(|link| link.detail.clear());
        }
        self.record(&Record::Frame(frame))
    }

    /// Appends a record; refused where a reader would not take it and all that comes after it.
    fn record(&mut self, record: &Record) -> Result<(), GatewayError> {
        record.fits().map_err(|why| GatewayError::Recording { path: self.path.clone(), why: why.to_string() })?;
        self.write(&encode_record(record))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), GatewayError> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| GatewayError::Write { path: self.path.clone(), source })
    }
}

/// Gives a manifest its place after another one: a server that was started again may count from 1 anew, its clock may have been set
/// back, and between two manifests of one plant there may have been another that nobody saw. What is the same plant has the same
/// number and instant, another one later ones.
fn follow(manifest: &mut Manifest, last: &Manifest) {
    if last.same_plant(manifest) {
        (manifest.revision, manifest.valid_from) = (last.revision, last.valid_from);
    } else {
        manifest.revision = manifest.revision.max(last.revision.saturating_add(1));
        manifest.valid_from = manifest.valid_from.max(last.valid_from + Span::from_micros(1));
    }
}

/// Writes what a hub gets.
pub struct Recorder {
    /// The file.
    pub file: RecordingFile,
    /// Stretches of history that could not be read, for people: they are not in the recording.
    pub missing: Vec<String>,
    place: Place,
}

impl Recorder {
    /// Starts a recording: what the site is, what is known of `history`, the newest values.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn start(
        path: &Path,
        publication: &Publication,
        hub: &Hub,
        history: TimeRange,
        now: Timestamp,
    ) -> Result<Self, GatewayError> {
        let mut file = RecordingFile::create(path)?;
        let (frames, place) = hub.open(None, now);
        file.revision(publication)?;
        let mut recorder = Self { file, missing: Vec::new(), place: place.whole() };
        recorder.frame(&hub.dictionary())?;
        let mut range = history;
        // What lies ahead of the clock was taken in, too, and comes into force while it is recorded.
        range.end = hub.extent().map_or(range.end, |extent| extent.end.max(range.end));
        loop {
            let (piece, lacks) = match history_of(hub, range, Damaged::LeaveOut) {
                Ok(found) => found,
                Err(NoHistory::Unread(source)) => return Err(GatewayError::History { path: "the data folder".into(), source }),
                Err(NoHistory::Lacks(_)) => break,
            };
            recorder.missing.extend(lacks.iter().map(|lacks| lacks.words(hub.model())));
            let next = piece.next;
            recorder.file.frame(ServerFrame::History(piece))?;
            match next {
                Some(next) => range.start = next,
                None => break,
            }
        }
        for frame in frames {
            recorder.file.frame(frame)?;
        }
        Ok(recorder)
    }

    /// Appends what the hub has new at `now`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn poll(&mut self, hub: &Hub, now: Timestamp) -> Result<(), GatewayError> {
        loop {
            let frames = hub.next(&mut self.place, now);
            if frames.is_empty() {
                return Ok(());
            }
            for frame in frames {
                self.frame(&frame)?;
            }
        }
    }

    fn frame(&mut self, bytes: &[u8]) -> Result<(), GatewayError> {
        match decode_server(bytes, &Limits::SERVER_FRAMES) {
            Ok(frame) => self.file.frame(frame),
            // Our own frames always decode; a recording without one of them beats no recording.
            Err(_) => Ok(()),
        }
    }
}

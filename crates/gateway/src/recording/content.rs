//! From records to what they add up to: which revisions of a plant a recording holds, and the frames with the one in force.
//!
//! A piece is kept where its bytes have its name, a manifest where all that it names is there. What is not good is left out and
//! said once; a recording that is left without any plant is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use twin_model::Timestamp;
use twin_protocol::ServerFrame;
use twin_protocol::recording::{Record, Records};
use twin_publication::{Manifest, PieceHash, PublicationError, ViewerModel, limits};
use twin_site::LoadedSite;

use crate::publish;
use crate::revisions::Publication;

/// Words about a file that ends before it says what it is of.
const BEGUN: &str = "it does not begin with a site; was it cut off while it was started?";

const _: () = {
    use twin_protocol::recording;
    assert!(limits::PIECE_BYTES <= recording::PIECE_BYTES && limits::MANIFEST_BYTES <= recording::MANIFEST_BYTES);
};

/// See the module's head.
pub(super) struct Content {
    /// What describes the plant.
    pub(super) plant: Plant,
    /// Frames in their order, each with the number of the revision that was in force where it stands.
    pub(super) frames: Vec<(usize, ServerFrame)>,
    /// What a person should know.
    pub(super) remarks: Vec<String>,
    /// Whether whole records are left out because of damage before them.
    pub(super) damaged: bool,
}

/// What describes the plant of a recording.
pub(super) enum Plant {
    /// Version 1: a site file and its files, and its model as it would be published.
    Site { site: Box<SiteFiles>, viewer: Arc<ViewerModel> },
    /// Version 2: revisions, those before the newest ascending, and the pieces that they name.
    Revisions { earlier: Vec<Described>, newest: Box<Described>, pieces: BTreeMap<PieceHash, Bytes> },
}

/// What a recording of version 1 holds of its site.
pub(super) struct SiteFiles {
    loaded: LoadedSite,
    /// By the path that the site file uses.
    files: BTreeMap<String, Vec<u8>>,
}

/// A revision whose pieces are all there.
pub(super) struct Described {
    manifest: Manifest,
    viewer: Arc<ViewerModel>,
    /// When it was first shown: at its instant; what only has other findings, behind the samples before which it stands.
    due: Timestamp,
}

impl Plant {
    /// The number of the newest revision, from 0.
    pub(super) fn newest(&self) -> usize {
        match self {
            Self::Site { .. } => 0,
            Self::Revisions { earlier, .. } => earlier.len(),
        }
    }

    /// The number of the revision that was valid at an instant: the last that had begun, before the first one the first.
    pub(super) fn at(&self, at: Timestamp) -> usize {
        match self {
            Self::Site { .. } => 0,
            Self::Revisions { earlier, newest, .. } if newest.manifest.valid_from <= at => earlier.len(),
            Self::Revisions { earlier, .. } => earlier.iter().rposition(|it| it.manifest.valid_from <= at).unwrap_or(0),
        }
    }

    /// The model of a revision.
    pub(super) fn viewer(&self, revision: usize) -> &Arc<ViewerModel> {
        match self {
            Self::Site { viewer, .. } => viewer,
            Self::Revisions { earlier, newest, .. } => &earlier.get(revision).unwrap_or(newest).viewer,
        }
    }

    /// The models of all revisions, in their order.
    pub(super) fn viewers(&self) -> Vec<&Arc<ViewerModel>> {
        (0..=self.newest()).map(|revision| self.viewer(revision)).collect()
    }

    /// When a revision was first shown; of version 1 nobody knows.
    pub(super) fn due(&self, revision: usize) -> Timestamp {
        match self {
            Self::Site { .. } => Timestamp::MIN,
            Self::Revisions { earlier, newest, .. } => earlier.get(revision).unwrap_or(newest).due,
        }
    }

    pub(super) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        let (earlier, newest) = match self {
            Self::Site { .. } => (&[][..], None),
            Self::Revisions { earlier, newest, .. } => (&earlier[..], Some(newest)),
        };
        earlier.iter().map(|described| &described.manifest).chain(newest.map(|newest| &newest.manifest))
    }

    /// See [`super::Recording::identity`].
    pub(super) fn identity(&self, revision: usize) -> String {
        match self {
            Self::Site { site, .. } => publish::identity::of_recording(&site.loaded, &site.files),
            Self::Revisions { earlier, newest, .. } => publish::identity::of(&earlier.get(revision).unwrap_or(newest).manifest),
        }
    }

    /// See [`super::Recording::publication`].
    pub(super) fn publication(&self, revision: usize, at: Timestamp) -> Result<Publication, PublicationError> {
        match self {
            Self::Site { site, .. } => publish::compile_recording(&site.loaded, &site.files, at),
            Self::Revisions { earlier, newest, pieces } => {
                let manifest = earlier.get(revision).unwrap_or(newest).manifest.clone();
                let named = manifest.pieces().map(|(_, piece)| piece.hash);
                let pieces = named.filter_map(|name| Some((name, pieces.get(&name)?.clone()))).collect();
                Ok(Publication { manifest, pieces })
            }
        }
    }
}

/// Reads all records.
pub(super) fn read(bytes: &[u8]) -> Result<Content, String> {
    let mut records = Records::new(bytes).map_err(|error| error.to_string())?;
    let mut content = if records.version() == twin_protocol::recording::OLDEST {
        of_site(&mut records)?
    } else {
        of_publication(&mut records)?
    };
    if let Some(torn) = records.torn() {
        content.damaged = torn.damaged;
        content.remarks.insert(
            0,
            if torn.damaged {
                format!(
                    "the recording is damaged at byte {}: what was recorded from there on is missing, {} bytes with whole records among them ({}); \
                     take it from a copy of the file",
                    torn.good_bytes, torn.lost_bytes, torn.why
                )
            } else {
                format!("the recording's end is torn: {} bytes are left out ({})", torn.lost_bytes, torn.why)
            },
        );
    }
    Ok(content)
}

/// Version 1.
fn of_site(records: &mut Records<'_>) -> Result<Content, String> {
    let Some(Record::Site { file_name, toml }) = records.next() else { return Err(BEGUN.to_owned()) };
    let (mut files, mut frames) = (BTreeMap::new(), Vec::new());
    for record in records {
        match record {
            Record::Asset { path, bytes } => {
                files.insert(path, bytes);
            }
            Record::Frame(frame) => frames.push((0, frame)),
            Record::Site { .. } | Record::Manifest(_) | Record::Piece { .. } => {}
        }
    }
    let mut file = |path: &str| files.get(path).cloned().ok_or_else(|| "not in the recording".to_owned());
    let loaded = twin_site::load(&toml, &file_name, &mut file);
    if !loaded.usable {
        return Err("its site can't be used".to_owned());
    }
    let viewer = publish::viewer_model(&loaded).map_err(|error| format!("its site can't be used: {error}"))?;
    let site = Box::new(SiteFiles { loaded, files });
    Ok(Content { plant: Plant::Site { site, viewer: Arc::new(viewer) }, frames, remarks: Vec::new(), damaged: false })
}

/// Version 2.
fn of_publication(records: &mut Records<'_>) -> Result<Content, String> {
    let (mut gathered, mut frames) = (Gathered::new(), Vec::new());
    for record in records {
        match record {
            Record::Piece { name, bytes } => gathered.piece(PieceHash::from(name), bytes),
            Record::Manifest(bytes) => gathered.manifest(&bytes),
            Record::Frame(frame) => {
                gathered.heard(&frame);
                frames.push((gathered.list.len().saturating_sub(1), frame));
            }
            Record::Site { .. } | Record::Asset { .. } => {}
        }
    }
    let remarks = gathered.remarks();
    let Gathered { pieces, list: mut earlier, refused, .. } = gathered;
    let Some(newest) = earlier.pop().map(Box::new) else {
        let why = refused.map(|(_, why)| format!("what it says of its site can't be used: {why}"));
        return Err(why.unwrap_or_else(|| BEGUN.to_owned()));
    };
    Ok(Content { plant: Plant::Revisions { earlier, newest, pieces }, frames, remarks, damaged: false })
}

/// What was read of a recording of version 2 so far.
struct Gathered {
    pieces: BTreeMap<PieceHash, Bytes>,
    /// Models by their pieces: a revision of the scene alone has the model of the one before.
    models: BTreeMap<PieceHash, Arc<ViewerModel>>,
    list: Vec<Described>,
    /// The newest instant at which something had come.
    heard: Timestamp,
    damaged: usize,
    /// How many manifests were not taken, and what was wrong with the first of them.
    refused: Option<(usize, String)>,
}

impl Gathered {
    fn new() -> Self {
        let (pieces, models, list) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { pieces, models, list, heard: Timestamp::MIN, damaged: 0, refused: None }
    }

    /// Notes when a frame came.
    fn heard(&mut self, frame: &ServerFrame) {
        let at = match frame {
            ServerFrame::Snapshot(snapshot) => Some(snapshot.at),
            ServerFrame::Batch(batch) => batch.entries.iter().map(|entry| entry.sample.received_time).max(),
            _ => None,
        };
        self.heard = self.heard.max(at.unwrap_or(self.heard));
    }

    fn piece(&mut self, name: PieceHash, bytes: Vec<u8>) {
        if PieceHash::of(&bytes) == name {
            self.pieces.entry(name).or_insert_with(|| bytes.into());
        } else {
            self.damaged += 1;
        }
    }

    fn manifest(&mut self, bytes: &[u8]) {
        match self.described(bytes) {
            Ok(described) => self.list.push(described),
            Err(why) => self.refused.get_or_insert((0, why)).0 += 1,
        }
    }

    fn described(&mut self, bytes: &[u8]) -> Result<Described, String> {
        let manifest = Manifest::read(bytes).map_err(|error| error.to_string())?;
        for (kind, piece) in manifest.pieces() {
            let found = self.pieces.get(&piece.hash).map(Bytes::len);
            if found.map(|bytes| bytes as u64) != Some(piece.bytes) {
                let number = manifest.revision;
                return Err(format!("the piece {} ({}) of revision {number} is not in it", piece.hash, kind.as_str()));
            }
        }
        let key = |manifest: &Manifest| (manifest.revision, manifest.valid_from);
        let mut due = manifest.valid_from;
        if let Some(before) = self.list.last() {
            let (last, next) = (key(&before.manifest), key(&manifest));
            // The same revision again has other findings; what is older than what stands before it was not appended by us.
            if next != last && (next.0 <= last.0 || next.1 <= last.1) {
                return Err(format!("revision {} stands behind revision {} and is not later", next.0, last.0));
            }
            due = if next == last { self.heard.max(before.due) } else { due.max(before.due) };
        }
        let name = manifest.model.hash;
        let viewer = match self.models.get(&name) {
            Some(known) => known.clone(),
            None => {
                let bytes = self.pieces.get(&name).map(Bytes::as_ref).unwrap_or_default();
                Arc::new(ViewerModel::read(bytes).map_err(|error| error.to_string())?)
            }
        };
        self.models.insert(name, viewer.clone());
        Ok(Described { manifest, viewer, due })
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.damaged > 0 {
            remarks.push(format!("{} pieces of the recording are damaged and left out", self.damaged));
        }
        if let Some((count, why)) = &self.refused {
            remarks.push(format!("{count} revisions of the recording can't be used and are left out; the first: {why}"));
        }
        remarks
    }
}

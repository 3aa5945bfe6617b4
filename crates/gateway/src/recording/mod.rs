//! Recordings on disk: what a site was and what came from it, in one file.
//!
//! Read in this order: [`Recording`] (one read from disk, as the viewer's model of an instant and what is known of its signals),
//! `content` (records become revisions of a publication and frames), `frames` (frames become samples, links and chunks of history),
//! [`RecordedSource`] and [`Playing`] (played again, over the one plant that `plant` finds), [`Recorder`] (written). Whatever the version of the file, what a site is comes out of the
//! model of its publication.

mod content;
mod frames;
mod plant;
mod playing;
mod source;
mod write;

use std::path::Path;
use std::sync::Arc;

use twin_model::{Model, Sample, SignalIndex, TimeRange, Timestamp};
use twin_protocol::LinkChange;
use twin_publication::{Manifest, PublicationError, ViewerModel};

use crate::GatewayError;
use crate::revisions::Publication;
use content::{Content, Plant};
use plant::OnePlant;

pub use playing::Playing;
pub use source::RecordedSource;
pub use write::{Recorder, RecordingFile};

/// A recording read from disk.
pub struct Recording {
    /// What viewers know of its site.
    pub viewer: Arc<ViewerModel>,
    /// Pieces of history from before the recording.
    pub chunks: Vec<Vec<u8>>,
    /// Samples in the order they arrived.
    pub samples: Vec<(SignalIndex, Sample)>,
    /// Link changes in the order they arrived.
    pub links: Vec<LinkChange>,
    /// When recording began, where it began with what was known then.
    pub began: Option<Timestamp>,
    /// What a person should know.
    pub remarks: Vec<String>,
    /// Whether the file was damaged after it was written, so that part of what was recorded is missing; a torn end is none of that.
    pub damaged: bool,
    plant: Plant,
    /// The revision that is shown.
    shown: usize,
    /// The first revision that is played.
    first: usize,
    /// Whose signals the samples are of, where it is not the shown revision's model.
    played: Option<Model>,
}

/// Whose twins and signals a recording is read as, where it holds several revisions of its plant.
#[derive(Debug, Clone, Copy)]
pub enum Reading<'a> {
    /// The newest revision's.
    Newest,
    /// Those of the revision that was valid at an instant; of the first one before it began.
    At(Timestamp),
    /// All that the revisions which can be played one after the other have: for whoever serves it.
    Played,
    /// Those of a model from elsewhere: what is recorded of signals that it does not have is left out.
    Of(&'a Model),
}

/// Reads a recording as its newest revision.
///
/// # Errors
/// Where it is none. A torn end is a remark.
pub fn read(path: &Path) -> Result<Recording, GatewayError> {
    read_as(path, Reading::Newest)
}

/// Reads a recording as a revision of it, or as a model from elsewhere.
///
/// # Errors
/// As [`read`].
pub fn read_as(path: &Path, reading: Reading<'_>) -> Result<Recording, GatewayError> {
    let bytes = std::fs::read(path).map_err(|source| GatewayError::Read { path: path.to_owned(), source })?;
    parse(&bytes, reading).map_err(|why| GatewayError::Recording { path: path.to_owned(), why })
}

/// Reads a recording from bytes.
///
/// # Errors
/// A sentence where they are none.
pub fn parse(bytes: &[u8], reading: Reading<'_>) -> Result<Recording, String> {
    if !twin_protocol::recording::is_recording(bytes) {
        let what = if bytes.is_empty() { "it is empty" } else { "it is not an Orrery recording" };
        return Err(format!("{what}; `orrery record SITE FILE` makes one"));
    }
    let Content { plant, frames, mut remarks, damaged } = content::read(bytes)?;
    let shown = match reading {
        Reading::At(at) => plant.at(at),
        Reading::Newest | Reading::Played | Reading::Of(_) => plant.newest(),
    };
    let viewer = plant.viewer(shown).clone();
    let (mut first, mut played) = (shown, None);
    if let (Reading::Played, Some(one)) = (reading, OnePlant::of(&plant.viewers())) {
        let since = plant.due(one.first);
        remarks
            .extend(one.why.map(|why| format!("how its site was before {since} is not shown, as that was another plant: {why}")));
        (first, played) = (one.first, Some(one.model));
    }
    let model = match reading {
        Reading::Of(model) => model,
        _ => played.as_ref().unwrap_or(&viewer.model),
    };
    let taken = frames::take(frames, &plant, model);
    Ok(Recording {
        viewer,
        chunks: taken.chunks,
        samples: taken.samples,
        links: taken.links,
        began: taken.began,
        remarks,
        damaged,
        plant,
        shown,
        first,
        played,
    })
}

impl Recording {
    /// Twins, signals and rules of its site. Of one that is read to be played, all signals of all revisions, and no rules where
    /// that is more than the newest one has.
    pub fn model(&self) -> &Model {
        self.played.as_ref().unwrap_or(&self.viewer.model)
    }

    /// The manifest that is shown; none in a file of version 1.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifests().nth(self.shown)
    }

    /// The manifests that it holds, in their order; none in a file of version 1.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.plant.manifests()
    }

    /// A short name of what is shown: another one where another site is.
    pub fn identity(&self) -> String {
        self.plant.identity(self.shown)
    }

    /// What there is to know of its site for whoever serves it. A file of version 1 holds no publication: it is compiled, valid
    /// from an instant.
    ///
    /// # Errors
    /// As [`crate::publish::compile_recording`].
    pub fn publication(&self, at: Timestamp) -> Result<Publication, PublicationError> {
        self.plant.publication(self.shown, at)
    }

    /// What was recorded live: from its beginning, or else the first receive time, to the last receive time, or to the last change
    /// of its site where that is later. The newest value of a signal that seldom speaks may be far older than the beginning; a
    /// replay does not go back to it.
    pub fn extent(&self) -> Option<TimeRange> {
        let changed = (self.first + 1..=self.shown).map(|revision| self.plant.due(revision)).max();
        let received = || self.samples.iter().map(|(_, sample)| sample.received_time);
        let (first, last) = match (received().min(), received().max(), self.began, changed) {
            (Some(first), Some(last), ..) => (first, last),
            // A plant of which nothing came while its site changed.
            (_, _, Some(began), Some(changed)) if changed > began => (began, began),
            _ => return None,
        };
        let last = changed.map_or(last, |changed| changed.max(last));
        let first = self.began.map_or(first, |began| began.clamp(first, last));
        Some(TimeRange::new(first, last))
    }
}

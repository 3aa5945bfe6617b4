//! Recordings on disk: what a site was and what came from it, in one file.
//!
//! Read in this order: [`Recording`] (one read from disk, as the viewer's model of an instant and what is known of its signals),
//! `content` (records become revisions of a publication and frames), `frames` (frames become samples, links and chunks of history),
//! [`RecordedSource`] (played again), [`Recorder`] (written). Whatever the version of the file, what a site is comes out of the
//! model of its publication.

mod content;
mod frames;
mod source;
mod write;

use std::path::Path;
use std::sync::Arc;

use twin_model::{Model, Sample, SignalIndex, TimeRange, Timestamp};
use twin_protocol::LinkChange;
use twin_publication::{Manifest, PublicationError, ViewerModel};

use crate::GatewayError;
use crate::publish::Publication;
use content::{Content, Plant};

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
    plant: Plant,
    /// The revision that is shown.
    shown: usize,
}

/// Whose twins and signals a recording is read as, where it holds several revisions of its plant.
#[derive(Debug, Clone, Copy)]
pub enum Reading<'a> {
    /// The newest revision's.
    Newest,
    /// Those of the revision that was valid at an instant; of the first one before it began.
    At(Timestamp),
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
    let Content { plant, frames, remarks } = content::read(bytes)?;
    let shown = match reading {
        Reading::At(at) => plant.at(at),
        Reading::Newest | Reading::Of(_) => plant.newest(),
    };
    let viewer = plant.viewer(shown).clone();
    let model = if let Reading::Of(model) = reading { model } else { &viewer.model };
    let taken = frames::take(frames, &plant, model);
    Ok(Recording {
        viewer,
        chunks: taken.chunks,
        samples: taken.samples,
        links: taken.links,
        began: taken.began,
        remarks,
        plant,
        shown,
    })
}

impl Recording {
    /// Twins, signals and rules of its site.
    pub fn model(&self) -> &Model {
        &self.viewer.model
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

    /// What was recorded live: from its beginning, or else the first receive time, to the last receive time. The newest value
    /// of a signal that seldom speaks may be far older than the beginning; a replay does not go back to it.
    pub fn extent(&self) -> Option<TimeRange> {
        let first = self.samples.iter().map(|(_, s)| s.received_time).min()?;
        let last = self.samples.iter().map(|(_, s)| s.received_time).max()?;
        let first = self.began.map_or(first, |began| began.clamp(first, last));
        Some(TimeRange::new(first, last))
    }
}

//! The model of a site on the wire: everything that a rule, reason, alarm, what-if, tree, search or link needs, and how a viewer
//! starts.
//!
//! Holds the form, its writer and its reader; see decision 0023 for why it is JSON by rows. Refuses to hold what a viewer has no
//! need of: addresses of sources, tokens, paths of files.

mod read;
mod rows;
mod words;
mod write;

use twin_model::{Model, SignalIndex, Timestamp, TwinIndex};

use crate::error::PublicationError;

/// Where the time bar starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Follows live data.
    Now,
    /// At the start of what was recorded.
    Recorded,
    /// Paused at an instant.
    At(Timestamp),
}

/// How a viewer starts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Where the camera stands, metres, Y up; `None` frames the whole site.
    pub eye: Option<[f64; 3]>,
    /// What it looks at.
    pub target: Option<[f64; 3]>,
    /// Where the time bar starts; `None` follows live data.
    pub time: Option<Start>,
    /// Twin that is selected.
    pub select: Option<TwinIndex>,
    /// Signals in the chart, in this order.
    pub chart: Vec<SignalIndex>,
    /// `auto`, `dark` or `light`.
    pub theme: Option<String>,
}

/// A model file that stands in the site, without the path of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Id of the model; several placements may share one.
    pub id: String,
    /// From the file's coordinates to the site's (metres, Y up): a matrix of four columns of four, column after column, as in
    /// glTF.
    pub transform: [f64; 16],
    /// Globs of node paths that belong to no twin on purpose.
    pub background: Vec<String>,
}

/// A point in space that tells about a twin, for example a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// Its name.
    pub name: String,
    /// The twin that it tells about, where there is one.
    pub twin: Option<TwinIndex>,
    /// Metres, Y up.
    pub position: [f32; 3],
}

/// What a viewer knows of a site before the first sample.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewerModel {
    /// Twins, signals, rules and so on.
    pub model: Model,
    /// How the viewer starts.
    pub view: View,
    /// Placed models, in the order in which the scene counts them.
    pub placements: Vec<Placement>,
    /// Twins that have no geometry on purpose, in model order.
    pub no_geometry: Vec<TwinIndex>,
    /// Points in space.
    pub anchors: Vec<Anchor>,
}

impl ViewerModel {
    /// The model as JSON, canonical: fields in one order, no blanks, defaults left out. Equal models have equal bytes.
    ///
    /// # Errors
    /// Where the reader would refuse it: too many of something, or a view's instant that no calendar has.
    pub fn write(&self) -> Result<Vec<u8>, PublicationError> {
        write::write(self)
    }

    /// Reads a model. Fields that are not known are passed over; a word that is not known (another kind of rule) is refused,
    /// because a rule that is left out would show as if all were well.
    ///
    /// # Errors
    /// In words with the place, for example `rules[12].kind: …`.
    pub fn read(bytes: &[u8]) -> Result<Self, PublicationError> {
        read::read(bytes)
    }
}

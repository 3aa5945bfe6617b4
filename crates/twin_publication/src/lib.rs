//! What a viewer gets of a site: a small manifest, and pieces that never change because their names are the hashes of their
//! bytes.
//!
//! Holds the formats of manifest, list of revisions, model and catalogue of history, each with writer, reader and one set of limits. Refuses to know
//! files, sockets, clocks, site files and renderers: instants and bytes are arguments. Start at [`Manifest`] and [`ViewerModel`];
//! `docs/PROTOCOL.md`, "Publication", describes the bytes for whoever writes a viewer.

mod error;
mod hash;
mod history;
mod instant;
pub mod limits;
mod list;
mod manifest;
mod model;
mod piece;
mod revisions;
mod wire;

pub use error::PublicationError;
pub use hash::{NoHash, PieceHash};
pub use history::{HistoryLevel, HistoryLink, HistoryPage, HistorySignal, PublishedHistory};
pub use manifest::{Asset, Finding, Manifest, Scene, SiteName};
pub use model::{Anchor, Placement, Start, View, ViewerModel};
pub use piece::{PieceKind, PieceRef};
pub use revisions::{Revision, Revisions, revision_at};

/// Version of the manifest's form that is written, and the newest that is read.
pub const MANIFEST_VERSION: u32 = 1;
/// Version of the model's form that is written, and the newest that is read.
pub const MODEL_VERSION: u32 = 1;
/// Version of the form of the catalogue of history that is written, and the newest that is read.
pub const HISTORY_VERSION: u32 = 1;
/// Version of the form of the list of revisions that is written, and the newest that is read.
pub const REVISIONS_VERSION: u32 = 1;

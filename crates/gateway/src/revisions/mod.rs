//! Publications in folders: the one in force, and earlier ones with the instants from which they were.
//!
//! Read in this order: [`folder`] (what lies where, and how it is read), [`target`] (written so that a kill leaves the old one whole),
//! `numbering` (which revision comes next), [`earlier`] (what a folder has of any revision), `intact` (whether something is missing
//! that was there), `copied` (from one folder into another). Knows no site files and no server.

pub(crate) mod copied;
pub mod earlier;
pub mod folder;
mod intact;
pub(crate) mod numbering;
pub mod target;

use std::collections::BTreeMap;

use axum::body::Bytes;
use twin_publication::{Manifest, PieceHash};

/// A compiled site: its manifest, and the bytes of every piece that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// What viewers ask for first.
    pub manifest: Manifest,
    /// Each piece once, by its name.
    pub pieces: BTreeMap<PieceHash, Bytes>,
}

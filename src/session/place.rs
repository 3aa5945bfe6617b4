//! Where a publication is to be had: the one place that knows the addresses of manifest and pieces.

use twin_publication::PieceHash;

/// Where to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `http://host:port` without a slash at the end.
    base: String,
}

impl Place {
    /// What the gateway at `base` serves.
    pub(super) fn gateway(base: &str) -> Self {
        Self { base: base.to_owned() }
    }

    /// The manifest in force.
    pub(super) fn manifest(&self) -> String {
        format!("{}/api/publication", self.base)
    }

    /// The list of all revisions.
    pub(super) fn revisions(&self) -> String {
        format!("{}/api/publication/revisions", self.base)
    }

    /// The manifest of one of them.
    pub(super) fn revision(&self, number: u64) -> String {
        format!("{}/api/publication/{number}", self.base)
    }

    /// A piece by its name.
    pub(super) fn piece(&self, hash: PieceHash) -> String {
        format!("{}/api/piece/{hash}", self.base)
    }
}

//! Where a plant is to be had: from a gateway, or as files that any web server hands out. The one place that knows the addresses of
//! manifest, revisions and pieces.

use twin_publication::PieceHash;

/// Where to ask. Addresses are without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A gateway, like `http://host:port`: it has everything, and what comes from now on.
    Gateway(String),
    /// A folder on a web server, like `https://host/plants/north`, as `orrery publish` writes it: what there was, and nothing live.
    Folder(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Gateway(String::new())
    }
}

impl Place {
    /// The same, with an address that ends as it should.
    pub(super) fn trimmed(self) -> Self {
        let trimmed = |base: String| base.trim_end_matches('/').to_owned();
        match self {
            Self::Gateway(base) => Self::Gateway(trimmed(base)),
            Self::Folder(base) => Self::Folder(trimmed(base)),
        }
    }

    /// Whether there is nobody to talk to, only files.
    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Where everything of it begins.
    pub(super) fn base(&self) -> &str {
        match self {
            Self::Gateway(base) | Self::Folder(base) => base,
        }
    }

    /// The manifest in force.
    pub(super) fn manifest(&self) -> String {
        match self {
            Self::Gateway(base) => format!("{base}/api/publication"),
            Self::Folder(base) => format!("{base}/manifest.json"),
        }
    }

    /// The list of revisions: all, or those before the one in force.
    pub(super) fn revisions(&self) -> String {
        match self {
            Self::Gateway(base) => format!("{base}/api/publication/revisions"),
            Self::Folder(base) => format!("{base}/revisions.json"),
        }
    }

    /// The manifest of one of them.
    pub(super) fn revision(&self, number: u64) -> String {
        match self {
            Self::Gateway(base) => format!("{base}/api/publication/{number}"),
            Self::Folder(base) => format!("{base}/revisions/{number}.json"),
        }
    }

    /// A piece by its name.
    pub(super) fn piece(&self, hash: PieceHash) -> String {
        match self {
            Self::Gateway(base) => format!("{base}/api/piece/{hash}"),
            Self::Folder(base) => format!("{base}/pieces/{hash}"),
        }
    }
}

//! What can be wrong with a publication: what, where, and what to do about it.

use twin_model::ModelError;

use crate::hash::{NoHash, PieceHash};

/// Why bytes are not what they should be, or why something cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicationError {
    /// More bytes than anybody writes.
    #[error("{what} has {bytes} bytes; at most {most} are read. Compile the site anew, or split it")]
    TooLarge {
        /// `the manifest`, `the model`, `the piece`.
        what: &'static str,
        /// How many there are.
        bytes: usize,
        /// How many may be.
        most: usize,
    },
    /// More of something than fits into one publication.
    #[error("{what}: {count} are too many; a publication has at most {most}. Split the site")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many may be.
        most: usize,
    },
    /// The bytes are not the JSON that they should be.
    #[error("{what} can't be read: {why}. Fetch it again; if that doesn't help, compile the site anew")]
    Malformed {
        /// `the manifest`, `the model`, `the list of revisions`.
        what: &'static str,
        /// What is wrong, with its place.
        why: String,
    },
    /// Something else altogether.
    #[error("this is not {what}: its format is '{found}'. Check the address or the file name")]
    OtherFormat {
        /// What was wanted.
        what: &'static str,
        /// What it says that it is; empty where it says nothing.
        found: String,
    },
    /// Written by a later version in a form that has changed its meaning.
    #[error("{what} is of version {found}, and this program reads up to {known}. Reload the page, or install the newer Orrery")]
    Newer {
        /// What it is.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The newest that is understood.
        known: u32,
    },
    /// A value that makes no sense where it stands.
    #[error("{at}: {why}")]
    Invalid {
        /// Where, for example `rules[12].kind`.
        at: String,
        /// What is wrong and what may stand there.
        why: String,
    },
    /// The model contradicts itself.
    #[error("the model contradicts itself: {0}")]
    Model(#[from] ModelError),
    /// A piece is not the one that was named.
    #[error("the piece {wanted} is damaged: its bytes have the hash {found}. Fetch it again, or compile the site anew")]
    Differs {
        /// Its name.
        wanted: PieceHash,
        /// The hash of its bytes.
        found: PieceHash,
    },
    /// A piece of another length than the manifest says.
    #[error("the piece {wanted} has {found} bytes instead of {expected}. Fetch it again, or compile the site anew")]
    Length {
        /// Its name.
        wanted: PieceHash,
        /// How many bytes there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// A text that is no name of a piece.
    #[error(transparent)]
    NoHash(#[from] NoHash),
    /// A revision that is not later than the one before it.
    #[error(
        "revision {number} would be valid from {at}, which is not after {before}, when revision {previous} began. Name a later instant"
    )]
    NotLater {
        /// The new revision.
        number: u64,
        /// Its instant.
        at: String,
        /// The revision before it.
        previous: u64,
        /// The instant of that.
        before: String,
    },
}

impl PublicationError {
    /// A value that makes no sense at a place.
    pub(crate) fn invalid(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { at: at.into(), why: why.into() }
    }
}

//! Pieces: bytes that never change, and the check that they are what they are called.

use serde::{Deserialize, Serialize};

use crate::error::PublicationError;
use crate::hash::PieceHash;
use crate::limits::PIECE_BYTES;

/// A piece as a manifest names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PieceRef {
    /// Its name.
    #[serde(rename = "sha256")]
    pub hash: PieceHash,
    /// How many bytes it has, unpacked.
    pub bytes: u64,
}

impl PieceRef {
    /// The reference to these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { hash: PieceHash::of(bytes), bytes: bytes.len() as u64 }
    }

    /// Whether `bytes` are this piece: their length first, which costs nothing, then their hash.
    ///
    /// # Errors
    /// [`PublicationError::TooLarge`], [`PublicationError::Length`] or [`PublicationError::Differs`].
    pub fn check(&self, bytes: &[u8]) -> Result<(), PublicationError> {
        if bytes.len() > PIECE_BYTES {
            return Err(PublicationError::TooLarge { what: "the piece", bytes: bytes.len(), most: PIECE_BYTES });
        }
        if bytes.len() as u64 != self.bytes {
            return Err(PublicationError::Length { wanted: self.hash, found: bytes.len() as u64, expected: self.bytes });
        }
        let found = PieceHash::of(bytes);
        if found == self.hash { Ok(()) } else { Err(PublicationError::Differs { wanted: self.hash, found }) }
    }
}

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PieceKind {
    /// Twins, signals, rules: read by [`ViewerModel::read`](crate::ViewerModel::read).
    Model,
    /// The header of the scene.
    SceneIndex,
    /// Geometry of the scene.
    Geometry,
    /// An image that the scene's materials use.
    Image,
    /// A file that people open: a document, a font.
    Asset,
    /// The catalogue of sealed history.
    History,
}

impl PieceKind {
    /// The name in machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::SceneIndex => "scene_index",
            Self::Geometry => "geometry",
            Self::Image => "image",
            Self::Asset => "asset",
            Self::History => "history",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_or_one_byte_more_is_another_piece() {
        let piece = PieceRef::of(b"cell");
        assert_eq!(piece.check(b"cell"), Ok(()));
        assert!(matches!(piece.check(b"cemm"), Err(PublicationError::Differs { .. })));
        assert!(matches!(piece.check(b"cell "), Err(PublicationError::Length { found: 5, expected: 4, .. })));
        assert!(matches!(piece.check(b""), Err(PublicationError::Length { .. })));
    }
}

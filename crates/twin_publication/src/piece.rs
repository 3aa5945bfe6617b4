//! Pieces: bytes that never change, named by their SHA-256 (FIPS 180-4), and the check that they are what they are called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::PublicationError;
use crate::limits::PIECE_BYTES;

/// The SHA-256 of all bytes of a piece; its name. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceHash([u8; 32]);

impl PieceHash {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash itself, as binary files hold it.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl From<[u8; 32]> for PieceHash {
    /// A name that was read as the hash itself.
    fn from(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl fmt::Display for PieceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PieceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PieceHash {
    type Err = PublicationError;

    /// Reads 64 digits `0-9a-f`. Capitals are refused: a name has one spelling, on any file system.
    fn from_str(text: &str) -> Result<Self, PublicationError> {
        // Only as much of a hostile text as a person could use.
        let bad = || PublicationError::NoHash(text.chars().take(80).collect());
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for PieceHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PieceHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

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
    fn names_are_sha_256_as_the_standard_has_it() {
        // FIPS 180-4's own examples (NIST, "SHA-256 Example").
        for (bytes, name) in [
            (&b"abc"[..], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ] {
            assert_eq!(PieceHash::of(bytes).to_string(), name);
            assert_eq!(name.parse::<PieceHash>().unwrap(), PieceHash::of(bytes));
            assert_eq!(PieceHash::from(PieceHash::of(bytes).to_bytes()).to_string(), name);
            assert_eq!(PieceRef::of(bytes).check(bytes), Ok(()));
        }
    }

    #[test]
    fn one_bit_or_one_byte_more_is_another_piece() {
        let piece = PieceRef::of(b"cell");
        assert!(matches!(piece.check(b"cemm"), Err(PublicationError::Differs { .. })));
        assert!(matches!(piece.check(b"cell "), Err(PublicationError::Length { found: 5, expected: 4, .. })));
        assert!(matches!(piece.check(b""), Err(PublicationError::Length { .. })));
    }

    #[test]
    fn a_name_has_one_spelling() {
        let name = PieceHash::of(b"abc").to_string();
        for bad in
            [&name[1..], &name.to_uppercase(), &format!("{name}0"), "", "../manifest.json", &"\u{e9}".repeat(32), &"+".repeat(64)]
        {
            assert!(bad.parse::<PieceHash>().is_err(), "{bad}");
        }
    }
}

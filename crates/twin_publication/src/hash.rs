//! Names of pieces: SHA-256 (FIPS 180-4).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A text that is no name of a piece.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the name of a piece; names are 64 digits 0-9 a-f, the SHA-256 of the bytes")]
pub struct NoHash(String);

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
    type Err = NoHash;

    /// Reads 64 digits `0-9a-f`. Capitals are refused: a name has one spelling, on any file system.
    fn from_str(text: &str) -> Result<Self, NoHash> {
        // Only as much of a hostile text as a person could use.
        let bad = || NoHash(text.chars().take(80).collect());
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
        }
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

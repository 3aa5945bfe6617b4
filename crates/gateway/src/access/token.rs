//! Tokens and their hashes.
//!
//! A token has 256 random bits, so one round of SHA-256 is enough to keep it: nobody finds it by trying, whereas a slow hash
//! (which passwords need, because people choose them) would cost every request tens of milliseconds (decisions/0017).

use std::fmt::Write as _;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use twin_model::Secret;

/// What a token begins with, so that people and scanners of repositories know one when they see it.
const PREFIX: &str = "orrery-";
/// How a hash is written.
const HASH_PREFIX: &str = "sha256:";

/// SHA-256 of a token.
#[derive(Clone, Copy, Eq)]
pub struct Hash([u8; SHA256_OUTPUT_LEN]);

impl Hash {
    /// The hash of a token.
    pub fn of(token: &Secret) -> Self {
        let mut out = [0; SHA256_OUTPUT_LEN];
        for (to, from) in out.iter_mut().zip(digest(&SHA256, token.expose().as_bytes()).as_ref()) {
            *to = *from;
        }
        Self(out)
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix(HASH_PREFIX)?.as_bytes();
        let mut out = [0; SHA256_OUTPUT_LEN];
        if hex.len() != out.len() * 2 {
            return None;
        }
        for (to, pair) in out.iter_mut().zip(hex.chunks(2)) {
            let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
            *to = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Self(out))
    }

    /// The first bits, to tell tokens apart in lists.
    pub fn short(&self) -> String {
        hex(&self.0).chars().take(12).collect()
    }
}

impl PartialEq for Hash {
    /// In a time that does not tell where the first difference is.
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{HASH_PREFIX}{}", hex(&self.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.short())
    }
}

/// A new token out of the system's randomness.
///
/// # Errors
/// Where the system has none.
pub fn new_token() -> std::io::Result<Secret> {
    let mut bits = [0; 32];
    SystemRandom::new().fill(&mut bits).map_err(|_| std::io::Error::other("the system gives no random numbers"))?;
    Ok(Secret::new(format!("{PREFIX}{}", hex(&bits))))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a text can't fail.
        write!(out, "{byte:02x}").ok();
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_random_and_its_hash_is_the_one_that_everybody_knows() {
        let (a, b) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(a.expose(), b.expose());
        assert_eq!(a.expose().len(), PREFIX.len() + 64);
        let abc = Hash::of(&Secret::new("abc"));
        // FIPS 180-2, appendix B.1.
        assert_eq!(abc.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Hash::parse(&abc.to_string()), Some(abc));
        assert_ne!(Hash::of(&a), Hash::of(&b));
    }

    #[test]
    fn what_is_no_hash_is_none() {
        let whole = Hash::of(&Secret::new("abc")).to_string();
        for text in [
            "",
            "sha256:",
            &whole[..70],
            &whole.replace("sha256", "md5"),
            &format!("{whole}0"),
            &whole.replace("ba", "bx"),
            "sha256:\u{e9}",
        ] {
            assert_eq!(Hash::parse(text), None, "{text}");
        }
        assert!(Hash::parse(&whole.to_uppercase().replace("SHA256", "sha256")).is_some());
    }
}

//! Content with its brotli and gzip forms, each made on first use and kept.

use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::Bytes;

/// Below this, packing saves nothing worth its headers.
const WORTH: usize = 512;

/// How a response body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// The best coding that an `Accept-Encoding` header allows. Weights other than zero count alike.
    pub fn accepted(header: Option<&str>) -> Vec<Self> {
        let mut allowed = Vec::new();
        for part in header.unwrap_or("").split(',') {
            let (name, rest) = part.split_once(';').unwrap_or((part, ""));
            let weight = rest.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
            if weight <= 0.0 {
                continue;
            }
            match name.trim() {
                "br" => allowed.insert(0, Self::Brotli),
                "gzip" => allowed.push(Self::Gzip),
                _ => {}
            }
        }
        allowed
    }

    /// Name in `Content-Encoding`.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
        }
    }
}

/// See the module's head.
pub struct Packed {
    plain: Bytes,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Packed {
    /// Content that is not packed yet.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { plain: bytes.into(), brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// The same for content that others hold, too.
    pub fn shared(bytes: Bytes) -> Self {
        Self { plain: bytes, brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// The content as it is.
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// The content in the first of `accepted` that makes it smaller. The first call packs (0.1 s per MB): not for async code.
    pub fn best(&self, accepted: &[Coding]) -> (Coding, Bytes) {
        if self.plain.len() >= WORTH
            && let Some(coding) = accepted.first()
        {
            let packed = match coding {
                Coding::Brotli => self.brotli.get_or_init(|| brotli(&self.plain)),
                Coding::Gzip => self.gzip.get_or_init(|| gzip(&self.plain)),
                Coding::Identity => &self.plain,
            };
            if !packed.is_empty() && packed.len() < self.plain.len() {
                return (*coding, packed.clone());
            }
        }
        (Coding::Identity, self.plain.clone())
    }
}

fn brotli(bytes: &[u8]) -> Bytes {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 6, lgwin: 22, ..Default::default() };
    match brotli::BrotliCompress(&mut std::io::Cursor::new(bytes), &mut out, &params) {
        Ok(_) => out.into(),
        Err(_) => Bytes::new(),
    }
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default().into()
}

/// Unpacks what [`gzip`] or the page's build packed. Empty where it is no gzip.
pub(crate) fn gunzip(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(size);
    let mut decoder = flate2::write::GzDecoder::new(&mut out);
    let done = decoder.write_all(bytes).and_then(|()| decoder.finish().map(|_| ()));
    if done.is_err() {
        out.clear();
    }
    out
}

/// FNV-1a, 64 bits: a stable name for content (entity tags, not security).
pub fn fnv64(bytes: &[u8]) -> u64 {
    let mut hash = Fnv64::default();
    hash.add(bytes);
    hash.finish()
}

/// [`fnv64`] of what comes in pieces.
pub(crate) struct Fnv64(u64);

impl Default for Fnv64 {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv64 {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    }

    pub(crate) fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_preferred_and_a_weight_of_zero_forbids() {
        for (header, wanted) in [
            ("gzip, deflate, br", vec![Coding::Brotli, Coding::Gzip]),
            ("gzip;q=1.0, br;q=0", vec![Coding::Gzip]),
            ("identity", vec![]),
        ] {
            assert_eq!(Coding::accepted(Some(header)), wanted, "{header}");
        }
        assert!(Coding::accepted(None).is_empty());
    }

    #[test]
    fn what_does_not_shrink_stays_as_it_is() {
        let text = Packed::new(b"orrery ".repeat(300));
        let (coding, body) = text.best(&[Coding::Gzip]);
        assert_eq!((coding, gunzip(&body, 2_100)), (Coding::Gzip, text.plain().to_vec()));
        assert_eq!(text.best(&[Coding::Brotli]).0, Coding::Brotli);
        assert_eq!(Packed::new(vec![1; 10]).best(&[Coding::Gzip]).0, Coding::Identity);
    }
}

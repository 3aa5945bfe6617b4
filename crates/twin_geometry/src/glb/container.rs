//! The outer file: a binary glTF container (glTF 2.0 section 4) or bare JSON, told apart by the first four bytes.

use std::ops::Range;

use super::error::{GlbError, Warnings, quote};

const MAGIC: &[u8] = b"glTF";
const JSON: u32 = 0x4E4F_534A;
const BIN: u32 = 0x004E_4942;
const AGAIN: &str = "export or download the file again";

/// Where the parts lie in the file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    /// The JSON text, without byte-order mark and padding.
    pub(super) json: Range<usize>,
    /// The binary chunk.
    pub(super) bin: Option<Range<usize>>,
    /// Whether it is a binary container.
    pub(super) binary: bool,
}

/// Finds the parts.
///
/// # Errors
/// [`GlbError::Malformed`] for an empty or truncated file, a foreign format, a wrong version or a chunk out of bounds.
pub(super) fn open(bytes: &[u8], warnings: &mut Warnings) -> Result<Container, GlbError> {
    if bytes.is_empty() {
        return Err(GlbError::malformed("file", "the file is empty", AGAIN));
    }
    if bytes.starts_with(MAGIC) {
        return open_binary(bytes, warnings);
    }
    let first = bytes.iter().copied().find(|b| !b.is_ascii_whitespace());
    if first != Some(b'{') && !bytes.starts_with(b"\xEF\xBB\xBF") {
        let head = quote(&String::from_utf8_lossy(bytes.get(..12).unwrap_or(bytes)));
        let what = format!("neither a GLB container nor JSON: it begins with \"{head}\"");
        return Err(GlbError::malformed("file", what, "export the model as GLB (glTF 2.0 binary)"));
    }
    Ok(Container { json: trim(bytes, 0..bytes.len(), warnings), bin: None, binary: false })
}

fn open_binary(bytes: &[u8], warnings: &mut Warnings) -> Result<Container, GlbError> {
    let (Some(version), Some(length)) = (u32_at(bytes, 4), u32_at(bytes, 8)) else {
        return Err(GlbError::malformed("GLB header", "the file ends inside its 12-byte header", AGAIN));
    };
    if version != 2 {
        let what = format!("container version {version}; only version 2 can be read");
        return Err(GlbError::malformed("GLB header", what, "export the model as glTF 2.0"));
    }
    let length = length as usize;
    if length < 12 || length > bytes.len() {
        let what = format!("the header promises {length} bytes, the file has {}", bytes.len());
        return Err(GlbError::malformed("GLB header", what, AGAIN));
    }
    if length < bytes.len() {
        let what = format!("{} bytes after the end of the container are ignored", bytes.len() - length);
        warnings.add("GLB header", what, "");
    }
    chunks(bytes.get(..length).unwrap_or(bytes), warnings)
}

fn chunks(bytes: &[u8], warnings: &mut Warnings) -> Result<Container, GlbError> {
    let (mut json, mut bin) = (None, None);
    let (mut at, mut number) = (12, 0);
    while at < bytes.len() {
        let part = format!("GLB chunk {number}");
        let (Some(size), Some(kind)) = (u32_at(bytes, at), u32_at(bytes, at + 4)) else {
            return Err(GlbError::malformed(part, "the file ends inside a chunk header", AGAIN));
        };
        let start = at + 8;
        let Some(end) = start.checked_add(size as usize).filter(|&end| end <= bytes.len()) else {
            let what = format!("the chunk promises {size} bytes, {} are left", bytes.len() - start);
            return Err(GlbError::malformed(part, what, AGAIN));
        };
        if number == 0 && kind != JSON {
            return Err(GlbError::malformed(part, "the first chunk is not JSON", AGAIN));
        }
        let slot = match kind {
            JSON => Some(&mut json),
            BIN => Some(&mut bin),
            _ => None,
        };
        match slot {
            Some(slot) if slot.is_none() => *slot = Some(start..end),
            Some(_) => warnings.add(part, "a second chunk of this kind is ignored", "export the file again"),
            None => warnings.add(part, format!("a chunk of unknown kind {kind:#010x} is ignored"), ""),
        }
        // Chunks are padded to four bytes; some writers pad without counting the padding in the chunk's size.
        at = end;
        number += 1;
        if number > 64 {
            return Err(GlbError::malformed("GLB", "more than 64 chunks", AGAIN));
        }
    }
    let Some(json) = json else {
        return Err(GlbError::malformed("GLB", "there is no JSON chunk", AGAIN));
    };
    Ok(Container { json: trim(bytes, json, warnings), bin, binary: true })
}

/// Drops a byte-order mark and the zero padding that some writers use instead of spaces.
fn trim(bytes: &[u8], range: Range<usize>, warnings: &mut Warnings) -> Range<usize> {
    let text = bytes.get(range.clone()).unwrap_or_default();
    let mut start = range.start;
    if text.starts_with(b"\xEF\xBB\xBF") {
        warnings.add("JSON", "a byte-order mark is ignored", "save the JSON as UTF-8 without a mark");
        start += 3;
    }
    let padding = text.iter().rev().take_while(|&&b| b == 0).count();
    start..(range.end - padding).max(start)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

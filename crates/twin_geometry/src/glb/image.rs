//! Reads just enough of an image to know its kind and size. Decoding is the viewer's work.

/// Media type and width and height in pixels of a PNG or JPEG, from its header; `None` for anything else.
pub(super) fn inspect(bytes: &[u8]) -> Option<(&'static str, [u32; 2])> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(("image/png", [be32(bytes, 16)?, be32(bytes, 20)?]));
    }
    if bytes.starts_with(&[0xFF, 0xD8]) {
        return Some(("image/jpeg", jpeg_size(bytes)?));
    }
    None
}

/// Walks the JPEG segments (ITU-T T.81 annex B) to the frame header.
fn jpeg_size(bytes: &[u8]) -> Option<[u32; 2]> {
    let mut at = 2;
    loop {
        while *bytes.get(at)? == 0xFF && *bytes.get(at + 1)? == 0xFF {
            at += 1;
        }
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        // SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC).
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            return Some([be16(bytes, at + 7)?, be16(bytes, at + 5)?]);
        }
        // Markers without a length: TEM, RSTn, SOI; EOI and SOS end the header.
        match marker {
            0xD9 | 0xDA => return None,
            0x01 | 0xD0..=0xD8 => at += 2,
            _ => at += 2 + (be16(bytes, at + 2)? as usize).max(2),
        }
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(*bytes.get(at)?) << 8 | u32::from(*bytes.get(at + 1)?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(be16(bytes, at)? << 16 | be16(bytes, at + 2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn png_and_jpeg_headers_are_read() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 16]);
        assert_eq!(inspect(&png), Some(("image/png", [256, 16])));
        let jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xFF, 0xC2, 0, 11, 8, 0, 9, 0, 7];
        assert_eq!(inspect(&jpeg), Some(("image/jpeg", [7, 9])));
    }

    #[test]
    fn truncated_and_foreign_headers_are_refused() {
        assert_eq!(inspect(b"\x89PNG\r\n\x1a\n\0"), None);
        assert_eq!(inspect(&[0xFF, 0xD8]), None);
        assert_eq!(inspect(&[0xFF, 0xD8, 0xFF, 0xD9]), None);
        assert_eq!(inspect(b"RIFF....WEBP"), None);
        assert_eq!(inspect(b""), None);
    }
}

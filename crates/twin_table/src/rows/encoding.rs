//! Encodings of tables: bytes become UTF-8, and lengths of UTF-8 lengths of bytes again. Refuses to guess beyond marks and zeros.

/// How a table's text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// Windows-1252, which is what most people mean by Latin-1 or ANSI.
    Windows1252,
}

/// Windows-1252 from 0x80 to 0x9F; the five that it leaves open stand for themselves (WHATWG Encoding Standard).
const CP1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“', '”',
    '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

impl Encoding {
    /// The words of a site file.
    pub const WORDS: [&'static str; 4] = ["utf-8", "utf-16le", "utf-16be", "windows-1252"];

    /// Reads a word of a site file.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "utf-8" => Some(Self::Utf8),
            "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            "windows-1252" => Some(Self::Windows1252),
            _ => None,
        }
    }

    /// The encoding of a file that begins so, and the length of its mark. A byte order mark wins over what was declared; without
    /// both, zeros at every other place of the first letters tell UTF-16, everything else is UTF-8.
    pub fn of(start: &[u8], declared: Option<Self>) -> (Self, usize) {
        match start {
            [0xef, 0xbb, 0xbf, ..] => return (Self::Utf8, 3),
            [0xff, 0xfe, ..] => return (Self::Utf16Le, 2),
            [0xfe, 0xff, ..] => return (Self::Utf16Be, 2),
            _ => {}
        }
        let guess = match start {
            [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Self::Utf16Le,
            [0, a, 0, b, ..] if *a != 0 && *b != 0 => Self::Utf16Be,
            _ => Self::Utf8,
        };
        (declared.unwrap_or(guess), 0)
    }

    /// Appends `bytes` to `out` as UTF-8 and gives how many of them were used; the rest is the beginning of a letter. UTF-8 is
    /// passed on as it is, broken or not. At the end of a file nothing is left over.
    pub(crate) fn decode(self, bytes: &[u8], end: bool, out: &mut Vec<u8>) -> usize {
        match self {
            Self::Utf8 => {
                out.extend_from_slice(bytes);
                bytes.len()
            }
            Self::Windows1252 => {
                let letter = |byte: &u8| match byte {
                    0x80..=0x9f => CP1252.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
                    byte => char::from(*byte),
                };
                bytes.iter().for_each(|byte| push(out, letter(byte)));
                bytes.len()
            }
            Self::Utf16Le | Self::Utf16Be => self.decode_units(bytes, end, out),
        }
    }

    fn decode_units(self, bytes: &[u8], end: bool, out: &mut Vec<u8>) -> usize {
        let unit = |at: usize| {
            let pair: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
            Some(if self == Self::Utf16Le { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
        };
        let mut at = 0;
        while let Some(first) = unit(at) {
            let high = (0xd800..0xdc00).contains(&first);
            let second = if high { unit(at + 2) } else { None };
            if high && second.is_none() && !end {
                return at;
            }
            let pair = second.filter(|low| (0xdc00..0xe000).contains(low));
            match char::decode_utf16([first].into_iter().chain(pair)).next().and_then(Result::ok) {
                Some(letter) => push(out, letter),
                // Half a pair is no letter: as three bytes that are no UTF-8 (the same number in the same scheme), so that its cell is
                // broken, as it is with broken UTF-8.
                None => out.extend([0xed, 0x80 | (first >> 6 & 0x3f) as u8, 0x80 | (first & 0x3f) as u8]),
            }
            at += if pair.is_some() { 4 } else { 2 };
        }
        // Half a letter at the end of a file is none.
        if end { bytes.len() } else { at }
    }

    /// How many bytes of the file a piece of decoded text stands for.
    pub(crate) fn raw_len(self, text: &[u8]) -> u64 {
        let letters = || text.iter().filter(|byte| !(0x80..0xc0).contains(*byte));
        let count = match self {
            Self::Utf8 => text.len(),
            Self::Windows1252 => letters().count(),
            Self::Utf16Le | Self::Utf16Be => letters().map(|lead| if *lead >= 0xf0 { 4 } else { 2 }).sum(),
        };
        count as u64
    }
}

fn push(out: &mut Vec<u8>, letter: char) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn marks_declarations_and_zeros_tell_the_encoding() {
        for (start, declared, expected) in [
            (&b"\xef\xbb\xbfa"[..], None, (Encoding::Utf8, 3)),
            (b"\xff\xfea\0", Some(Encoding::Utf8), (Encoding::Utf16Le, 2)),
            (b"\xfe\xff\0a", None, (Encoding::Utf16Be, 2)),
            (b"T\0i\0", None, (Encoding::Utf16Le, 0)),
            (b"\0T\0i", None, (Encoding::Utf16Be, 0)),
            (b"Time", None, (Encoding::Utf8, 0)),
            (b"Time", Some(Encoding::Windows1252), (Encoding::Windows1252, 0)),
            (b"", None, (Encoding::Utf8, 0)),
        ] {
            assert_eq!(Encoding::of(start, declared), expected, "{start:?}");
        }
    }

    #[test]
    fn text_comes_out_of_every_encoding_in_any_pieces_and_its_length_can_be_told_again() {
        let text = "Füllen °C 💧 €";
        for (encoding, bytes) in [
            (Encoding::Utf8, text.as_bytes().to_vec()),
            (Encoding::Utf16Le, utf16(text, true)),
            (Encoding::Utf16Be, utf16(text, false)),
        ] {
            for piece in 1..7 {
                let (mut out, mut carry) = (Vec::new(), Vec::new());
                for part in bytes.chunks(piece) {
                    carry.extend_from_slice(part);
                    let used = encoding.decode(&carry, false, &mut out);
                    carry.drain(..used);
                }
                encoding.decode(&carry, true, &mut out);
                assert_eq!(String::from_utf8(out.clone()).unwrap(), text);
                assert_eq!(encoding.raw_len(&out), bytes.len() as u64);
            }
        }
        let mut out = Vec::new();
        Encoding::Windows1252.decode(b"F\xfcllen \xb0C \x80", true, &mut out);
        assert_eq!(String::from_utf8(out.clone()).unwrap(), "Füllen °C €");
        assert_eq!(Encoding::Windows1252.raw_len(&out), 11);
    }

    #[test]
    fn half_a_pair_is_no_text_and_has_its_length() {
        let mut out = Vec::new();
        let lone = [0x3d, 0xd8, b'a', 0, 0x3d, 0xd8, 7];
        assert_eq!(Encoding::Utf16Le.decode(&lone, true, &mut out), lone.len());
        assert_eq!(out, [0xed, 0xa0, 0xbd, b'a', 0xed, 0xa0, 0xbd]);
        assert!(std::str::from_utf8(&out[..3]).is_err(), "no reader of cells takes it for a text");
        assert_eq!(Encoding::Utf16Le.raw_len(&out), 6);
    }
}

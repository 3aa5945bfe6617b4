//! What a file that is no text is, by its first bytes, and what to do with it. Knows no contents beyond them.

use super::Encoding;

/// How far zeros are counted, and how many of a hundred bytes make it no text: what is none has many early, and a log may have some
/// where a device pads its texts.
const LOOKED_AT: usize = 512;
const ZEROS_PERCENT: usize = 10;

/// First bytes, what begins so, and what to do. The bytes are those of the formats' own descriptions: RFC 1952 (gzip), 8878 (Zstandard),
/// PKWARE's APPNOTE (ZIP), ISO 32000 (PDF), SQLite's and Parquet's file formats, MS-CFB (older Excel), ISO/IEC 15948 (PNG), HDF5.
const KNOWN: [(&[u8], &str, &str); 13] = [
    (b"\x1f\x8b", "compressed by gzip", "unpack it (gunzip) and name the unpacked file"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard", "unpack it (zstd -d) and name the unpacked file"),
    (b"BZh", "compressed by bzip2", "unpack it (bunzip2) and name the unpacked file"),
    (b"\xfd7zXZ\0", "compressed by xz", "unpack it (unxz) and name the unpacked file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and name the file in it"),
    (
        b"PAR1",
        "a Parquet table",
        "a source reads CSV: export it as CSV, or put it into history with orrery import-samples FILE.parquet",
    ),
    (b"%PDF", "a PDF document", "export the table as CSV from where the document was made"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an older Excel or Word", "save the sheet as CSV (UTF-8)"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export the table as CSV"),
    (b"\x89PNG", "a picture (PNG)", "name the table"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "name the table"),
    (b"ORRC", "a chunk of history", "put it out with orrery export"),
];

/// What a file is that begins so, where it is no text: what it is, and what to do.
pub(super) fn foreign(start: &[u8], declared: Option<Encoding>) -> Option<(String, &'static str)> {
    if let Some((_, what, help)) = KNOWN.iter().find(|(magic, ..)| start.starts_with(magic)) {
        return Some(((*what).to_owned(), help));
    }
    if start.starts_with(b"PK\x03\x04") {
        let holds = |name: &[u8]| start.windows(name.len()).any(|piece| piece == name);
        let sheet = holds(b"xl/") || holds(b"[Content_Types].xml") || holds(b"opendocument.spreadsheet");
        return Some(match sheet {
            true => ("a spreadsheet (Excel, LibreOffice)".to_owned(), "save the sheet as CSV (UTF-8) and name that file"),
            false => ("a ZIP archive".to_owned(), "unpack it and name the file in it"),
        });
    }
    let text = start.get(..LOOKED_AT).unwrap_or(start);
    // Whole lines of text before the first zero: where the power failed, a block of zeros stands behind them.
    let plain = |byte: &u8| *byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r');
    let before = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if before.iter().any(|byte| matches!(byte, b'\n' | b'\r')) && before.iter().all(plain) {
        return None;
    }
    // UTF-16 without a mark has a zero at every other place.
    let wide = matches!(Encoding::of(text, declared).0, Encoding::Utf16Le | Encoding::Utf16Be);
    let zeros = text.iter().filter(|byte| **byte == 0).count();
    if !wide && zeros * 100 > text.len() * ZEROS_PERCENT {
        let bytes: Vec<String> = text.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        return Some((format!("no text; it begins with the bytes {}", bytes.join(" ")), "name a table of text (CSV)"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_named_and_tables_in_any_encoding_are_none() {
        for (start, what, help) in [
            (&b"\x1f\x8b\x08\0\x25\x0e"[..], "gzip", "gunzip"),
            (b"PK\x03\x04\x14\0\0\0[Content_Types].xml", "spreadsheet", "CSV"),
            (b"PK\x03\x04\x14\0\0\0log.csv", "ZIP", "unpack"),
            (b"PAR1\x15\x04", "Parquet", "import-samples"),
            (b"%PDF-1.7\n", "PDF", "CSV"),
            (b"\x7fELF\x02\x01\x01\0\0", "7f 45 4c 46", "CSV"),
        ] {
            let found = foreign(start, None).unwrap();
            assert!(found.0.contains(what) && found.1.contains(help), "{found:?}");
        }
        for text in
            [&b"Time;A\r\n1;2\r\n"[..], b"T\0i\0m\0e\0;\0", b"\0T\0i\0m\0e", b"\xff\xfeT\0", b"\xef\xbb\xbfTime", b"", b"P;K\n"]
        {
            assert_eq!(foreign(text, None), None, "{text:?}");
        }
        assert_eq!(foreign(b"\x2d\x4e\x3b\0\x41\0\x0a\0", Some(Encoding::Utf16Le)), None, "declared");
        assert_eq!(foreign(b"Time;Name;A\n2026-03-02T08:00:00Z;P1\0\0\0\0;21.5\n", None), None, "padded by a device");
        let failed = [&b"T,A\n2026-03-02T08:00:00Z,21.5\n"[..], &[0; 400]].concat();
        assert_eq!(foreign(&failed, None), None, "where the power failed");
        assert!(foreign(&[&b"\x01\n"[..], &[0; 100]].concat(), None).is_some() && foreign(&[0; 100], None).is_some());
    }
}

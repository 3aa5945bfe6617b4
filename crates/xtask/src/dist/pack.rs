//! Gzip without a time or a name in it, sums, and templates with their values filled in.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, bail, ensure};
use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use sha2::{Digest as _, Sha256};

/// Nothing that is packed here unpacks to more; a module of the page has some 30 MB.
const MOST: u64 = 1 << 30;

/// Packs as small as gzip gets. The same bytes give the same bytes: no time, no name, no system.
///
/// # Errors
/// Never in practice; memory is written to.
pub(super) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Unpacks gzip.
///
/// # Errors
/// Where it is damaged, or unpacks to more than a gibibyte.
pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    MultiGzDecoder::new(bytes).take(MOST + 1).read_to_end(&mut out).context("can't unpack it")?;
    ensure!(out.len() as u64 <= MOST, "it unpacks to more than {MOST} bytes");
    Ok(out)
}

/// SHA-256 in lower-case hexadecimal, as `sha256sum` writes it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(out, "{byte:02x}").unwrap_or_default();
    }
    out
}

/// `@NAME@` replaced by its value, in one pass: a value may hold what looks like a name.
///
/// # Errors
/// For a name without a value.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('@') {
        out.push_str(before);
        let name = after.split_once('@').filter(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase()));
        let Some((name, after_name)) = name else {
            out.push('@');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => bail!("nothing is known for @{name}@"),
        }
        rest = after_name;
    }
    out.push_str(rest);
    Ok(out)
}

/// The newest version of glibc that a program's symbols ask for, for example `2.34`. Names of versions stand in its table of
/// strings.
pub(super) fn glibc_needed(program: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"GLIBC_2.";
    let digits = |from: usize| {
        let digits: String =
            program.iter().skip(from).take(3).map(|byte| char::from(*byte)).take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    let newest = program
        .windows(NAME.len())
        .enumerate()
        .filter(|(_, window)| *window == NAME)
        .filter_map(|(at, _)| digits(at + NAME.len()));
    newest.max().map(|minor| format!("2.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::testkit::{Folder, judge};

    #[test]
    fn gzip_holds_no_time_and_unpacks_to_what_it_was() {
        let bytes = b"orrery ".repeat(10_000);
        let packed = gzip(&bytes).unwrap();
        assert_eq!(packed[4..8], [0; 4], "no time");
        assert_eq!(packed[3], 0, "no name");
        assert_eq!(packed, gzip(&bytes).unwrap());
        assert_eq!(gunzip(&packed).unwrap(), bytes);
        assert!(gunzip(&packed[..packed.len() - 9]).is_err());
        assert!(gunzip(b"no gzip").is_err());
        let folder = Folder::new("gzip");
        folder.write("a.gz", packed);
        if let Some(text) = judge("gzip", &["-dc", "a.gz"], &folder.0) {
            assert_eq!(text.len(), bytes.len());
        }
    }

    #[test]
    fn the_sum_is_that_of_sha256sum() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_name_without_a_value_is_an_error_and_an_address_is_none() {
        let values = [("A", "1"), ("WHO", "people <people@plant.example>, @A@")];
        assert_eq!(fill("a@A@@A@ x@y.z @WHO@ @", &values).unwrap(), "a11 x@y.z people <people@plant.example>, @A@ @");
        assert!(fill("@NOBODY@", &values).unwrap_err().to_string().contains("NOBODY"));
    }

    #[test]
    fn the_newest_glibc_of_a_program_is_found() {
        assert_eq!(glibc_needed(b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0").as_deref(), Some("2.34"));
        assert_eq!(glibc_needed(b"GLIBC_2.").as_deref(), None);
        assert_eq!(glibc_needed(b"static").as_deref(), None);
    }
}

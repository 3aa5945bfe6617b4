//! The few bytes of `ar` that a Debian package is wrapped in (deb(5)): a magic, then members with a header of 60 characters
//! each.

use anyhow::{Context as _, Result, ensure};

const MAGIC: &[u8] = b"!<arch>\n";
/// Ends every header.
const END: &[u8] = b"`\n";

/// An archive of these members, in this order: names without a slash, at most 15 characters.
///
/// # Errors
/// Where a name or a size does not fit its field.
pub(super) fn write(members: &[(&str, &[u8])], epoch: u64) -> Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    for (name, content) in members {
        ensure!(!name.is_empty() && name.len() < 16 && !name.contains(['/', ' ']), "'{name}' is no name within ar");
        let header = format!("{name:<16}{epoch:<12}{:<6}{:<6}{:<8}{:<10}", 0, 0, 100_644, content.len());
        ensure!(header.len() == 58, "'{name}' is too large for ar");
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(END);
        out.extend_from_slice(content);
        if content.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    Ok(out)
}

/// Names and contents of an archive that [`write()`] made.
///
/// # Errors
/// Where it is something else, or cut short.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(String, &[u8])>> {
    let mut rest = bytes.strip_prefix(MAGIC).context("this is no ar archive")?;
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (head, after) = rest.split_at_checked(60).context("a header of ar is cut short")?;
        ensure!(head.ends_with(END), "a header of ar does not end as it should");
        let head = std::str::from_utf8(head).context("a header of ar is no text")?;
        let name = head.get(..16).unwrap_or_default().trim_end().to_owned();
        let size: usize =
            head.get(48..58).unwrap_or_default().trim_end().parse().with_context(|| format!("{name} has no size"))?;
        let content = after.get(..size).with_context(|| format!("{name} is cut short"))?;
        rest = after.get(size.saturating_add(size % 2)..).with_context(|| format!("{name} is not filled up"))?;
        members.push((name, content));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::testkit::{Folder, judge};

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let bytes = write(&[("debian-binary", b"2.0\n"), ("odd", b"x")], 1_772_439_304).unwrap();
        let golden = "!<arch>\ndebian-binary   1772439304  0     0     100644  4         `\n2.0\n\
                      odd             1772439304  0     0     100644  1         `\nx\n";
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), golden);
        assert_eq!(read(&bytes).unwrap(), [("debian-binary".to_owned(), &b"2.0\n"[..]), ("odd".to_owned(), &b"x"[..])]);
        let folder = Folder::new("ar");
        folder.write("a.deb", bytes);
        if let Some(listing) = judge("ar", &["t", "a.deb"], &folder.0) {
            assert_eq!(listing, "debian-binary\nodd\n");
        }
    }

    #[test]
    fn what_does_not_fit_or_is_cut_is_refused() {
        for name in ["", "a/b", "with blank", "sixteen-letters-"] {
            assert!(write(&[(name, b"")], 0).is_err(), "{name}");
        }
        assert!(write(&[("a", b"")], 1 << 62).is_err(), "a time beyond the field");
        let bytes = write(&[("a", b"xyz")], 0).unwrap();
        for cut in [0, 7, 9, 67, 70, 71] {
            assert!(read(&bytes[..cut]).is_err(), "{cut}");
        }
        let huge = String::from_utf8(bytes).unwrap().replace("3         `", "9999999999`");
        assert!(read(huge.as_bytes()).is_err());
    }
}

//! Tar archives as POSIX says (ustar), written by hand so that nothing of the machine gets in: entries in order, one time,
//! owner root.
//!
//! Field widths and the checksum are those of IEEE Std 1003.1, pax, "ustar Interchange Format".

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};

use super::tree::{File, Tree};

/// Headers and contents are filled up to this.
const BLOCK: usize = 512;
/// The name's field; longer ones continue to the left in the field of 155 for the prefix.
const NAME: usize = 100;
/// See [`NAME`].
const PREFIX: usize = 155;

/// The tree as an archive. `top` is what stands before every path, with its slash, for example `./`.
///
/// # Errors
/// Where a path or a size does not fit ustar's fields.
pub(super) fn write(tree: &Tree, top: &str, epoch: u64) -> Result<Vec<u8>> {
    ensure!(top.ends_with('/'), "the top '{top}' wants a slash at its end");
    // A folder's name ends with a slash here, and so comes before what lies in it.
    let mut entries: BTreeMap<String, Option<&File>> = BTreeMap::from([(top.to_owned(), None)]);
    entries.extend(tree.folders().into_iter().map(|folder| (format!("{top}{folder}/"), None)));
    entries.extend(tree.files().map(|(path, file)| (format!("{top}{path}"), Some(file))));
    let mut out = Vec::new();
    for (name, file) in entries {
        let (kind, mode) = file.map_or((b'5', 0o755), |file| (b'0', file.mode));
        let content = file.map_or(&[][..], |file| &file.bytes);
        out.extend_from_slice(&header(&name, kind, mode, content.len() as u64, epoch)?);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    Ok(out)
}

fn header(name: &str, kind: u8, mode: u32, size: u64, epoch: u64) -> Result<Vec<u8>> {
    let (prefix, name) = split(name)?;
    let mut out = Vec::with_capacity(BLOCK);
    text(&mut out, name, NAME)?;
    octal(&mut out, u64::from(mode), 8)?;
    octal(&mut out, 0, 8)?;
    octal(&mut out, 0, 8)?;
    octal(&mut out, size, 12)?;
    octal(&mut out, epoch, 12)?;
    // The checksum counts its own field as blanks.
    out.extend_from_slice(b"        ");
    out.push(kind);
    text(&mut out, "", 100)?;
    out.extend_from_slice(b"ustar\x0000");
    text(&mut out, "root", 32)?;
    text(&mut out, "root", 32)?;
    octal(&mut out, 0, 8)?;
    octal(&mut out, 0, 8)?;
    text(&mut out, prefix, PREFIX)?;
    out.resize(BLOCK, 0);
    let sum: u64 = out.iter().map(|byte| u64::from(*byte)).sum();
    let field = format!("{sum:06o}\0 ");
    out.splice(148..156, field.bytes());
    Ok(out)
}

/// A path as prefix and name; the slash between them is in neither.
fn split(path: &str) -> Result<(&str, &str)> {
    if path.len() <= NAME {
        return Ok(("", path));
    }
    // Not the slash at the end of a folder's name: what is left would be nothing.
    let inner = path.trim_end_matches('/').len();
    let cut = path.match_indices('/').map(|(at, _)| at).find(|at| *at < inner && path.len() - at - 1 <= NAME);
    match cut.map(|at| path.split_at(at)) {
        Some((prefix, name)) if prefix.len() <= PREFIX => Ok((prefix, name.trim_start_matches('/'))),
        _ => bail!("'{path}' is too long for an archive"),
    }
}

fn text(out: &mut Vec<u8>, text: &str, width: usize) -> Result<()> {
    ensure!(text.len() <= width, "'{text}' is longer than its field");
    out.extend_from_slice(text.as_bytes());
    out.resize(out.len() + width - text.len(), 0);
    Ok(())
}

fn octal(out: &mut Vec<u8>, value: u64, width: usize) -> Result<()> {
    let digits = format!("{value:0fill$o}\0", fill = width - 1);
    ensure!(digits.len() == width, "{value} is too large for an archive");
    out.extend_from_slice(digits.as_bytes());
    Ok(())
}

/// Names and contents of an archive that [`write()`] made, folders left out.
///
/// # Errors
/// Where a header, its checksum or its length is wrong.
pub(super) fn read(mut bytes: &[u8]) -> Result<Vec<(String, &[u8])>> {
    let mut files = Vec::new();
    loop {
        let (head, rest) = bytes.split_at_checked(BLOCK).context("the archive ends without its two empty blocks")?;
        if head.iter().all(|byte| *byte == 0) {
            return Ok(files);
        }
        let field = |from: usize, width: usize| -> Result<String> {
            let field = head.get(from..from + width).context("a header is short")?;
            let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
            Ok(std::str::from_utf8(text).context("a header is no text")?.trim().to_owned())
        };
        let number = |from, width| Ok::<_, anyhow::Error>(u64::from_str_radix(&field(from, width)?, 8)?);
        let sum: u64 =
            head.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
        ensure!(number(148, 8)? == sum, "a header's checksum is wrong");
        let (prefix, name) = (field(345, PREFIX)?, field(0, NAME)?);
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let size = usize::try_from(number(124, 12)?)?;
        let content = rest.get(..size).with_context(|| format!("{name} is cut short"))?;
        bytes = rest.get(size.next_multiple_of(BLOCK)..).with_context(|| format!("{name} is not filled up"))?;
        if head.get(156) == Some(&b'0') {
            files.push((name, content));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::testkit::{Folder, judge};
    use crate::dist::tree::{PLAIN, PROGRAM};

    fn little() -> Tree {
        let mut tree = Tree::default();
        tree.add("share/web/index.html", *b"<p>", PLAIN).unwrap();
        tree.add("share/web.txt", vec![b'x'; 512], PLAIN).unwrap();
        tree.add("bin/orrery", vec![7; 1_025], PROGRAM).unwrap();
        tree.add(&format!("{}/{}", "deep".repeat(20), "name".repeat(20)), *b"", PLAIN).unwrap();
        tree
    }

    #[test]
    fn what_is_written_is_read_back_and_two_runs_give_the_same_bytes() {
        let tree = little();
        let bytes = write(&tree, "./", 1_772_439_304).unwrap();
        assert_eq!(bytes, write(&little(), "./", 1_772_439_304).unwrap());
        let read = read(&bytes).unwrap();
        let mut names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let mut wanted: Vec<String> = tree.files().map(|(path, _)| format!("./{path}")).collect();
        wanted.sort_unstable();
        assert_eq!(names, wanted);
        assert!(read.iter().any(|(name, content)| name == "./bin/orrery" && *content == [7; 1_025]));
    }

    #[test]
    fn a_cut_or_changed_archive_is_refused() {
        let bytes = write(&little(), "./", 0).unwrap();
        for cut in [0, 1, 511, 600, bytes.len() - 1_500] {
            assert!(read(&bytes[..cut]).is_err(), "{cut}");
        }
        let mut changed = bytes.clone();
        changed[100] ^= 1;
        assert!(read(&changed).unwrap_err().to_string().contains("checksum"));
    }

    #[test]
    fn names_that_do_not_fit_are_refused_and_long_ones_are_split_at_a_slash() {
        let long = format!("{}/{}", "a".repeat(155), "b".repeat(100));
        assert_eq!(split(&long).unwrap(), (&*"a".repeat(155), &*"b".repeat(100)));
        let folder = format!("{}/{}/", "a".repeat(99), "b".repeat(50));
        assert_eq!(split(&folder).unwrap().1, format!("{}/", "b".repeat(50)));
        for odd in
            ["x".repeat(101), format!("{}/b", "a".repeat(256)), format!("a/{}", "b".repeat(101)), format!("{}/", "x".repeat(101))]
        {
            assert!(split(&odd).is_err(), "{odd}");
        }
        assert!(octal(&mut Vec::new(), 1 << 33, 12).is_err(), "8 GiB");
    }

    #[test]
    fn the_systems_tar_reads_it_with_owner_root_and_one_time() {
        let folder = Folder::new("tar");
        folder.write("a.tar", write(&little(), "top/", 1_772_439_304).unwrap());
        let Some(listing) = judge("tar", &["--numeric-owner", "-tvf", "a.tar"], &folder.0) else { return };
        let lines: Vec<&str> = listing.lines().collect();
        assert_eq!(lines.len(), 9, "{listing}");
        assert!(lines.iter().all(|line| line.contains(" 0/0 ") && line.contains("2026-03-02 08:15")), "{listing}");
        assert!(lines[0].ends_with("top/") && listing.contains("-rwxr-xr-x 0/0            1025"), "{listing}");
    }
}

//! A Debian package (deb(5)): `ar` around its version, what dpkg has to know, and the files. No tool of Debian is needed.

use anyhow::{Result, bail, ensure};

use super::tree::Tree;
use super::{ar, pack, tar};

/// The package of these control files (`control`, `conffiles`, scripts) and these files, by their paths below `/`.
///
/// # Errors
/// Where dpkg would refuse it, or its policy is broken in a way that can be seen from here.
pub(super) fn write(control: &Tree, data: &Tree, epoch: u64) -> Result<Vec<u8>> {
    check(control, data)?;
    let control = pack::gzip(&tar::write(control, "./", epoch)?)?;
    let data = pack::gzip(&tar::write(data, "./", epoch)?)?;
    ar::write(&[("debian-binary", b"2.0\n"), ("control.tar.gz", &control), ("data.tar.gz", &data)], epoch)
}

/// Debian's name of the machine that a Rust target is for.
///
/// # Errors
/// For targets that Debian has no port for, or that were not thought of.
pub(super) fn architecture(target: &str) -> Result<&'static str> {
    let known = [("x86_64", "amd64"), ("aarch64", "arm64"), ("armv7", "armhf"), ("riscv64gc", "riscv64"), ("i686", "i386")];
    let machine = target.split('-').next().unwrap_or_default();
    match known.iter().find(|(rust, _)| *rust == machine) {
        Some((_, debian)) if target.contains("-linux-gnu") => Ok(debian),
        _ => bail!("no Debian package can be made for {target}; leave it out with --only gateway --only window"),
    }
}

/// A version as Debian orders it: what comes before a release (`0.2.0-rc.1`) sorts before it.
pub(super) fn version(version: &str) -> String {
    version.replacen('-', "~", 1).replace('-', ".")
}

fn check(control: &Tree, data: &Tree) -> Result<()> {
    let text = |name: &str| {
        let file = control.files().find(|(path, _)| *path == name);
        file.map(|(_, file)| String::from_utf8_lossy(&file.bytes).into_owned())
    };
    let fields = text("control").unwrap_or_default();
    ensure!(
        fields.ends_with('\n') && !fields.contains("\n\n"),
        "the control file is one paragraph, with an end of line at its end"
    );
    for field in ["Package", "Version", "Architecture", "Maintainer", "Installed-Size", "Depends", "Description"] {
        let starts = |line: &str| line.split_once(": ").is_some_and(|(name, value)| name == field && !value.is_empty());
        ensure!(fields.lines().any(starts), "the control file lacks {field}");
    }
    for line in text("conffiles").unwrap_or_default().lines() {
        let there = |path: &str| line.strip_prefix('/') == Some(path);
        ensure!(data.files().any(|(path, _)| there(path)), "the package has no {line}, which its conffiles name");
    }
    for (path, file) in control.files().filter(|(path, _)| !matches!(*path, "control" | "conffiles")) {
        ensure!(["preinst", "postinst", "prerm", "postrm"].contains(&path), "dpkg knows no {path}");
        ensure!(file.bytes.starts_with(b"#!/bin/sh\nset -e\n") && file.mode == 0o755, "{path} is no script that stops at errors");
    }
    for (path, file) in data.files().filter(|(path, _)| path.starts_with("etc/")) {
        let conffile = text("conffiles").unwrap_or_default().lines().any(|line| line.strip_prefix('/') == Some(path));
        ensure!(conffile, "/{path} has to be a conffile, or an upgrade would undo people's changes");
        ensure!(file.mode == 0o644, "/{path} is a program?");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::testkit::{Folder, judge};
    use crate::dist::tree::{PLAIN, PROGRAM};

    const CONTROL: &str = "Package: little\nVersion: 1.2~rc1\nArchitecture: amd64\nMaintainer: A <a@plant.example>\n\
                           Installed-Size: 5\n\
                           Depends: libc6 (>= 2.34)\nDescription: a little one\n Longer.\n";

    fn little() -> (Tree, Tree) {
        let (mut control, mut data) = (Tree::default(), Tree::default());
        control.add("control", CONTROL, PLAIN).unwrap();
        control.add("conffiles", "/etc/default/little\n", PLAIN).unwrap();
        control.add("postinst", "#!/bin/sh\nset -e\nexit 0\n", PROGRAM).unwrap();
        data.add("etc/default/little", "A=1\n", PLAIN).unwrap();
        data.add("usr/bin/little", vec![1; 3_000], PROGRAM).unwrap();
        (control, data)
    }

    #[test]
    fn dpkg_reads_what_it_was_not_needed_for() {
        let (control, data) = little();
        let bytes = write(&control, &data, 1_772_439_304).unwrap();
        assert_eq!(bytes, write(&control, &data, 1_772_439_304).unwrap(), "two runs, the same bytes");
        let folder = Folder::new("deb");
        folder.write("little.deb", bytes);
        let Some(info) = judge("dpkg-deb", &["--info", "little.deb"], &folder.0) else { return };
        assert!(info.contains("Version: 1.2~rc1") && info.contains("postinst             #!/bin/sh"), "{info}");
        let listing = judge("dpkg-deb", &["--contents", "little.deb"], &folder.0).unwrap();
        assert!(listing.contains("-rwxr-xr-x root/root      3000 2026-03-02 08:15 ./usr/bin/little"), "{listing}");
        judge("dpkg-deb", &["--raw-extract", "little.deb", "out"], &folder.0);
        assert_eq!(std::fs::read(folder.0.join("out/usr/bin/little")).unwrap(), [1; 3_000]);
        assert_eq!(std::fs::read_to_string(folder.0.join("out/DEBIAN/control")).unwrap(), CONTROL);
    }

    #[test]
    fn what_dpkg_or_its_policy_would_refuse_is_refused_here() {
        let wrong = |change: &dyn Fn(&mut Tree, &mut Tree)| {
            let (mut control, mut data) = little();
            change(&mut control, &mut data);
            write(&control, &data, 0).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
        };
        assert_eq!(wrong(&|_, _| {}), "taken");
        let lacking = CONTROL.replace("Depends: libc6 (>= 2.34)\n", "");
        let with = |text: String| {
            let (_, data) = little();
            let mut control = Tree::default();
            control.add("control", text, PLAIN).unwrap();
            control.add("conffiles", "/etc/default/little\n", PLAIN).unwrap();
            write(&control, &data, 0).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
        };
        assert!(with(lacking).contains("lacks Depends"));
        assert!(with(CONTROL.replace("Maintainer: A", "\nMaintainer: A")).contains("one paragraph"));
        assert!(wrong(&|_, data| data.add("etc/little/x", *b"", PLAIN).unwrap()).contains("conffile"));
        assert!(wrong(&|control, _| control.add("postrm", *b"#!/bin/bash\n", PROGRAM).unwrap()).contains("postrm"));
        assert!(wrong(&|control, _| control.add("md5sum", *b"", PLAIN).unwrap()).contains("md5sum"));
    }

    #[test]
    fn names_are_debians() {
        assert_eq!(architecture("x86_64-unknown-linux-gnu").unwrap(), "amd64");
        assert_eq!(architecture("aarch64-unknown-linux-gnu").unwrap(), "arm64");
        assert!(architecture("x86_64-unknown-linux-musl").is_err() && architecture("x86_64-pc-windows-msvc").is_err());
        assert_eq!(version("0.1.0"), "0.1.0");
        assert_eq!(version("0.2.0-rc-a.1"), "0.2.0~rc.a.1");
    }
}

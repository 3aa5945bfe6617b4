//! Packages of a little program and page, made and looked into by everybody who has to read them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::testkit::{Folder, judge};
use super::*;

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn facts(root: &Path) -> Facts<'_> {
    let maintainer = "Ann <ann@plant.example>";
    Facts {
        root,
        version: "0.1.0-rc.1",
        target: TARGET,
        epoch: 1_772_439_304,
        maintainer,
        licences: "all of them",
        rust_copyright: Some(b"<p>"),
    }
}

/// What most tests look into, made once: packing takes a second or two.
static MADE: LazyLock<Files> = LazyLock::new(made);

/// All packages, from a program of some bytes and a page of one file, with the project's own files around them.
fn made() -> Files {
    let folder = Folder::new("page");
    folder.write("index.html", "<p>page</p>");
    folder.write("a.js", "1");
    folder.write("a.js.br", "packed");
    folder.write(".symbols/names", "/work/secret");
    let root = util::root();
    let program = b"\x7fELF GLIBC_2.34 GLIBC_2.2.5".to_vec();
    let gateway = Product::gateway(&root, program.clone(), &folder.0).unwrap();
    let window = Product::window(&root, program).unwrap();
    let facts = facts(&root);
    vec![gateway.archive(&facts), gateway.debian(&facts), window.archive(&facts), window.debian(&facts)]
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// Paths and texts of what lies in an archive, or in a Debian package's data or control part.
fn inside(files: &Files, name: &str, part: &str) -> BTreeMap<String, String> {
    let bytes = &files.iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("no {name}")).1;
    let member = if part.is_empty() {
        bytes.clone()
    } else {
        ar::read(bytes).unwrap().into_iter().find(|(member, _)| member == part).unwrap().1.to_vec()
    };
    let unpacked = pack::gunzip(&member).unwrap();
    tar::read(&unpacked).unwrap().into_iter().map(|(path, bytes)| (path, String::from_utf8_lossy(bytes).into_owned())).collect()
}

const DEB: &str = "orrery_0.1.0~rc.1_amd64.deb";

#[test]
fn two_runs_give_the_same_bytes_and_nothing_of_this_machine_is_in_them() {
    let files = &*MADE;
    assert_eq!(*files, made());
    clean(&Machine::this(), files).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let archive = |name: &str| format!("{name}-0.1.0-rc.1-{TARGET}.tar.gz");
    assert_eq!(names, [&archive("orrery"), DEB, &archive("orrery-viewer"), "orrery-viewer_0.1.0~rc.1_amd64.deb"]);
}

#[test]
fn the_page_lies_where_the_program_looks_for_it_in_every_package() {
    let files = &*MADE;
    let top = format!("orrery-0.1.0-rc.1-{TARGET}");
    let archive = inside(files, &format!("{top}.tar.gz"), "");
    let data = inside(files, DEB, "data.tar.gz");
    for (prefix, files) in [(top.as_str(), &archive), ("./usr", &data)] {
        assert!(files.contains_key(&format!("{prefix}/bin/orrery")), "{prefix}");
        assert_eq!(files[&format!("{prefix}/share/orrery/web/index.html")], "<p>page</p>");
        assert!(files.contains_key(&format!("{prefix}/share/orrery/demo/site.toml")));
        assert!(
            files.keys().all(|path| !path.contains("/.") || path.starts_with("./usr") || path.starts_with("./etc")),
            "nothing hidden"
        );
    }
    for name in ["README.txt", "LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-LICENSES.txt"] {
        assert!(archive.contains_key(&format!("{top}/{name}")), "{name}");
    }
    assert!(archive[&format!("{top}/README.txt")].contains("glibc 2.34 or newer"));
}

#[test]
fn the_debian_package_says_what_dpkg_has_to_know() {
    let files = &*MADE;
    let control = inside(files, DEB, "control.tar.gz");
    let fields = &control["./control"];
    for line in [
        "Version: 0.1.0~rc.1",
        "Architecture: amd64",
        "Maintainer: Ann <ann@plant.example>",
        "Depends: libc6 (>= 2.34), libgcc-s1, adduser",
    ] {
        assert!(fields.lines().any(|it| it == line), "{line}\n{fields}");
    }
    assert_eq!(control["./conffiles"], "/etc/default/orrery\n");
    let data = inside(files, DEB, "data.tar.gz");
    // What the service is told is what the package brings.
    let unit = &data["./usr/lib/systemd/system/orrery.service"];
    assert!(unit.contains("EnvironmentFile=/etc/default/orrery\nExecStart=/usr/bin/orrery serve"), "{unit}");
    assert!(data["./etc/default/orrery"].contains("ORRERY_SITE=/usr/share/orrery/demo\n"));
    assert!(data["./usr/share/doc/orrery/copyright"].contains("\n Permission is hereby granted"));
    let viewer = inside(files, "orrery-viewer_0.1.0~rc.1_amd64.deb", "data.tar.gz");
    let entry = &viewer["./usr/share/applications/orrery-viewer.desktop"];
    let kind = entry.lines().find_map(|line| line.strip_prefix("MimeType=")).unwrap().trim_end_matches(';');
    assert!(viewer["./usr/share/mime/packages/orrery-viewer.xml"].contains(&format!("<mime-type type=\"{kind}\">")));
    let demo = entry.lines().find_map(|line| line.strip_prefix("Path=")).unwrap();
    assert!(
        viewer.contains_key(&format!(".{demo}/site.toml")),
        "started without a file, the window opens the site of its folder"
    );
}

#[test]
fn tools_of_debian_and_systemd_take_the_packages() {
    let (files, folder) = (&*MADE, Folder::new("tools"));
    for (name, bytes) in files {
        folder.write(name, bytes);
        if name.ends_with(".deb") {
            judge("dpkg-deb", &["--raw-extract", name, &format!("out-{name}")], &folder.0);
        }
    }
    let out = folder.0.join(format!("out-{DEB}"));
    for script in ["postinst", "prerm", "postrm"] {
        folder.write(script, inside(files, DEB, "control.tar.gz")[&format!("./{script}")].clone());
        judge("sh", &["-n", script], &folder.0);
    }
    if !out.is_dir() {
        return;
    }
    let units = out.join("usr/lib/systemd/system/orrery.service");
    let text = std::fs::read_to_string(&units).unwrap();
    // The judge asks for the program that is started, and it is not installed here.
    folder.write(
        "orrery.service",
        text.replace("/usr/bin/orrery serve", "/bin/true").replace("EnvironmentFile=", "EnvironmentFile=-"),
    );
    judge("systemd-analyze", &["verify", "--man=no", "./orrery.service"], &folder.0);
    judge(
        "desktop-file-validate",
        &["out-orrery-viewer_0.1.0~rc.1_amd64.deb/usr/share/applications/orrery-viewer.desktop"],
        &folder.0,
    );
    judge("update-mime-database", &["out-orrery-viewer_0.1.0~rc.1_amd64.deb/usr/share/mime"], &folder.0);
    if judge("man", &["--version"], &folder.0).is_some() {
        let page = judge("man", &["-l", &format!("out-{DEB}/usr/share/man/man1/orrery.1.gz")], &folder.0).unwrap();
        assert!(page.contains("/usr/share/orrery/demo"), "{page}");
    }
}

#[test]
fn a_package_without_its_page_is_none() {
    let folder = Folder::new("no-page");
    folder.write("viewer.js", "1");
    let error = Product::gateway(&util::root(), Vec::new(), &folder.0).err().unwrap();
    assert!(format!("{error:#}").contains("index.html"), "{error:#}");
}

#[test]
fn results_take_the_place_of_results_and_of_nothing_else() {
    let folder = Folder::new("out");
    let out = folder.0.join("packages");
    let files = |version: &str| vec![(format!("orrery-{version}.tar.gz"), b"x".to_vec()), (SUMS.to_owned(), b"s".to_vec())];
    replaceable(&out).unwrap();
    replace(&stage(&out, &files("1")).unwrap(), &out).unwrap();
    replace(&stage(&out, &files("2")).unwrap(), &out).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [SUMS, "orrery-2.tar.gz"], "nothing of the version before");
    folder.write("packages/thesis.txt", "years");
    assert!(replaceable(&out).unwrap_err().to_string().contains("thesis.txt"));
    assert!(replace(&stage(&out, &files("3")).unwrap(), &out).is_err());
    assert!(out.join("thesis.txt").exists() && out.join("orrery-2.tar.gz").exists());
    assert!(replaceable(&out.join("thesis.txt")).is_err(), "a file");
}

#[test]
fn sums_are_those_that_sha256sum_checks() {
    let folder = Folder::new("sums");
    let mut files = vec![("b".to_owned(), b"2".to_vec()), ("a".to_owned(), b"1".to_vec())];
    let text = sums(&mut files);
    assert!(text.starts_with("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  a\n"), "{text}");
    for (name, bytes) in &files {
        folder.write(name, bytes);
    }
    folder.write(SUMS, text);
    judge("sha256sum", &["--check", "--strict", SUMS], &folder.0);
}

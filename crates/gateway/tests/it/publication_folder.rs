//! `orrery compile`: a folder that is whole at every moment, revisions that are made when the plant changes and only then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gateway::publish::compile;
use gateway::revisions::Publication;
use gateway::revisions::folder::{self, Change, Since};
use gateway::revisions::target;
use gateway::site::Site;
use serde_json::Value as Json;
use twin_model::{Span, Timestamp};
use twin_publication::{Manifest, PieceRef, Scene};

use crate::world::{Folder, SITE, at, orrery};

fn compiled(site: &Path) -> Publication {
    compile(&Site::read_usable(site).unwrap(), at(0)).unwrap().publication
}

/// Every file below a folder with its bytes, by its path; the lock has none.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with(".lock") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// A site, a folder for its publication, and the command over both.
struct Bench {
    folder: Folder,
    out: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = Folder::new();
        let out = folder.0.join("out");
        Self { folder, out }
    }

    fn compile(&self, toml: &str, at: &str) -> Json {
        let site = self.folder.write("site.toml", toml).display().to_string();
        let out = self.out.display().to_string();
        let (code, said, err) = orrery(&["compile", &site, "-o", &out, "--at", at, "--json"]);
        assert!(code < 2, "{err}");
        serde_json::from_str(&said).unwrap()
    }

    fn manifest(&self) -> Manifest {
        Manifest::read(&std::fs::read(self.out.join("manifest.json")).unwrap()).unwrap()
    }
}

#[test]
fn an_unchanged_site_makes_no_revision_and_writes_nothing() {
    let bench = Bench::new();
    let first = bench.compile(SITE, "2026-03-02T00:00:00Z");
    assert_eq!(
        (&first["revision"], &first["changed"], &first["valid_from"]),
        (&1.into(), &"revision".into(), &"2026-03-02T00:00:00Z".into())
    );
    assert_eq!((first["pieces"][0]["written"].as_bool(), &first["pieces"][0]["kind"]), (Some(true), &"model".into()));
    let before = files(&bench.out);
    assert_eq!(before.keys().map(|name| name.split('/').next().unwrap()).collect::<Vec<_>>(), ["manifest.json", "pieces"]);
    let times = |path: &str| std::fs::metadata(bench.out.join(path)).unwrap().modified().unwrap();
    let written = times("manifest.json");
    // A comment, another order of keys, another instant: the plant is what it was.
    for toml in [
        SITE.to_owned(),
        format!("# note\n{SITE}"),
        SITE.replace("id = \"little\"\nname = \"Little plant\"", "name = \"Little plant\"\nid = \"little\""),
    ] {
        let again = bench.compile(&toml, "2027-01-01T00:00:00Z");
        assert_eq!((&again["revision"], &again["changed"]), (&1.into(), &"nothing".into()));
        assert_eq!((&again["valid_from"], &again["written_bytes"]), (&"2026-03-02T00:00:00Z".into(), &0.into()));
        assert_eq!((files(&bench.out), times("manifest.json")), (before.clone(), written));
    }
}

#[test]
fn a_changed_site_is_a_new_revision_and_earlier_ones_stay_readable() {
    let bench = Bench::new();
    let names = ["little", "Small", "Tiny"];
    let mut manifests = Vec::new();
    for (n, name) in names.into_iter().enumerate() {
        let toml = SITE.replace("Little plant", name).replace("80.0", &format!("8{n}.0"));
        let made = bench.compile(&toml, &format!("2026-03-0{}T00:00:00Z", n + 2));
        assert_eq!((&made["revision"], &made["changed"]), (&(n + 1).into(), &"revision".into()));
        manifests.push(std::fs::read(bench.out.join("manifest.json")).unwrap());
    }
    let all = folder::revisions(&bench.out).unwrap();
    let day = |n: i64| at(0) - Span::from_micros(at(0).as_micros().rem_euclid(86_400_000_000)) + Span::from_secs(86_400 * n);
    for (instant, number) in
        [(day(-9), 1), (day(0), 1), (day(1) - Span::from_micros(1), 1), (day(1), 2), (day(2), 3), (Timestamp::MAX, 3)]
    {
        assert_eq!(all.at(instant).unwrap().number, number, "{instant}");
    }
    for (n, manifest) in manifests.iter().enumerate() {
        let revision = &all.as_slice()[n];
        revision.manifest.check(manifest).unwrap();
        if n < 2 {
            assert_eq!(&std::fs::read(bench.out.join(format!("revisions/{}.json", n + 1))).unwrap(), manifest);
        }
        for (_, piece) in Manifest::read(manifest).unwrap().pieces() {
            piece.check(&std::fs::read(bench.out.join("pieces").join(piece.hash.to_string())).unwrap()).unwrap();
        }
    }
    // Back to what it was once: a revision of its own, whose pieces are there already.
    let back = bench.compile(&SITE.replace("Little plant", names[0]), "2026-03-09T00:00:00Z");
    assert_eq!((&back["revision"], &back["written_bytes"]), (&4.into(), &0.into()));
}

#[test]
fn findings_alone_are_told_under_the_same_revision() {
    let bench = Bench::new();
    let odd = SITE.replace(
        "[[sources]]",
        "[[twins]]\nid = \"unbound\"\ninterface = \"pump\"\n[[models]]\nid = \"m\"\npath = \"gone.glb\"\n[[sources]]",
    );
    bench.compile(&odd, "2026-03-02T00:00:00Z");
    let first = bench.manifest();
    let made = bench.compile(&format!("# one line more\n{odd}"), "2026-03-03T00:00:00Z");
    assert_eq!((&made["changed"], &made["revision"]), (&"remarks".into(), &1.into()));
    let second = bench.manifest();
    assert!(first.same_plant(&second) && first.valid_from == second.valid_from);
    let line = |manifest: &Manifest| manifest.findings.iter().find(|it| it.code == "twin.unbound").unwrap().line;
    assert_eq!(line(&second), line(&first) + 1);
    assert!(!bench.out.join("revisions.json").exists(), "there is no earlier revision");
}

#[test]
fn a_revision_begins_after_the_one_before_it() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    let publication = |name: &str| compiled(&folder.write("site.toml", SITE.replace("Little plant", name)));
    let begun = |name: &str, since| target::write(&out, publication(name), since).map(|written| written.manifest.valid_from);
    assert_eq!(begun("a", Since::Fixed(at(100))).unwrap(), at(100));
    for instant in [at(99), at(100)] {
        let error = anyhow::Error::from(begun("b", Since::Fixed(instant)).unwrap_err());
        assert!(format!("{error:#}").contains("Name a later instant"), "{error:#}");
    }
    // A clock that was set back.
    assert_eq!(begun("b", Since::Clock(at(5))).unwrap(), at(100) + Span::from_micros(1));
    assert_eq!(begun("c", Since::Clock(at(200))).unwrap(), at(200));
}

#[test]
fn a_folder_is_read_back_with_every_piece_compared_to_its_name() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    let mut publication = compiled(&folder.write("site.toml", SITE));
    // A scene with equal pieces.
    let mut keep = |text: &str| {
        let piece = PieceRef::of(text.as_bytes());
        publication.pieces.insert(piece.hash, text.to_owned().into());
        piece
    };
    let scene =
        Scene { index: keep("index"), geometry: ["b", "a", "b", "c"].map(keep).to_vec(), images: Vec::new(), first: vec![0] };
    publication.manifest.scene = Some(scene);
    let written = target::write(&out, publication.clone(), Since::Fixed(at(0))).unwrap();
    assert_eq!((written.change, written.pieces.len()), (Change::Revision, 5), "equal pieces are written once");
    assert_eq!(folder::read(&out).unwrap(), publication);
    let cell = out.join("pieces").join(PieceRef::of(b"b").hash.to_string());
    for bad in [&b"c"[..], b"bb", b""] {
        std::fs::write(&cell, bad).unwrap();
        assert!(folder::read(&out).is_err());
    }
    std::fs::remove_file(&cell).unwrap();
    assert!(folder::read(&out).is_err());
    // Compiling again mends it, and nothing else.
    let again = target::write(&out, publication.clone(), Since::Fixed(at(9))).unwrap();
    assert_eq!((again.change, again.pieces), (Change::Nothing, vec![PieceRef::of(b"b")]));
    assert_eq!(folder::read(&out).unwrap(), publication);
}

#[test]
fn what_cannot_be_written_leaves_the_old_publication_whole() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    let first = compiled(&folder.write("site.toml", SITE));
    target::write(&out, first.clone(), Since::Fixed(at(0))).unwrap();
    let second = compiled(&folder.write("site.toml", SITE.replace("80.0", "81.0")));
    // Where a piece, an earlier revision, the list of them, or the manifest would go, there is a folder: a full disk at each
    // step.
    let piece = second.manifest.model.hash.to_string();
    for blocked in [format!("pieces/{piece}"), "revisions/1.json".to_owned(), "revisions.json".to_owned()] {
        let place = out.join(&blocked);
        std::fs::create_dir_all(place.join("x")).unwrap();
        assert!(target::write(&out, second.clone(), Since::Fixed(at(1))).is_err(), "{blocked}");
        std::fs::remove_dir_all(&place).unwrap();
        assert_eq!(folder::read(&out).unwrap(), first, "{blocked}");
        assert!(!files(&out).keys().any(|name| name.contains(".partial-")), "{blocked}");
    }
    let written = target::write(&out, second, Since::Fixed(at(1))).unwrap();
    assert_eq!((written.manifest.revision, folder::revisions(&out).unwrap().as_slice().len()), (2, 2));
}

#[test]
fn a_folder_of_another_site_or_of_something_else_is_left_alone() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    let site = |text: &str| folder.write("site.toml", text).display().to_string();
    let named = out.display().to_string();
    let mine = site(SITE);
    assert_eq!(orrery(&["compile", &mine, "-o", &named]).0, 0);
    let before = files(&out);
    let other = site(&SITE.replace("id = \"little\"", "id = \"other\""));
    let (code, _, err) = orrery(&["compile", &other, "-o", &named]);
    assert!(code == 2 && err.contains("it holds the site 'little'"), "{err}");
    assert_eq!(files(&out), before);
    for (text, words) in
        [("{}", "its format is ''"), ("{\"format\":\"orrery.publication\",\"version\":2}", "install the newer Orrery")]
    {
        std::fs::write(out.join("manifest.json"), text).unwrap();
        let (code, _, err) = orrery(&["compile", &mine, "-o", &named]);
        assert!(code == 2 && err.contains(words), "{err}");
        assert_eq!(std::fs::read_to_string(out.join("manifest.json")).unwrap(), text);
    }
    let file = folder.write("a-file", "x").display().to_string();
    assert_eq!(orrery(&["compile", &mine, "-o", &file]).0, 2);
}

#[test]
fn exit_codes_are_those_of_check_and_a_site_that_cannot_be_used_writes_nothing() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    let named = out.display().to_string();
    for (toml, code) in [("[site\n".to_owned(), 2), (SITE.replace("bands =", "bandz ="), 1), (SITE.to_owned(), 0)] {
        let site = folder.write("site.toml", &toml).display().to_string();
        assert_eq!(orrery(&["compile", &site, "-o", &named]).0, code, "{toml}");
        assert_eq!(out.exists(), code < 2);
    }
    let (_, said, _) = orrery(&["compile", &folder.0.display().to_string(), "-o", &named]);
    assert!(said.contains("stays: nothing has changed"), "{said}");
}

#[test]
fn what_no_viewer_could_read_is_not_published() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    // A hundredth of its range is zero.
    let knob = "[[knobs]]\nid = \"k\"\nmin = 0.0\nmax = 5e-324\ntargets = [{ scale = \"pump-01.flow\" }]\n[[sources]]";
    let site = folder.write("site.toml", SITE.replace("[[sources]]", knob)).display().to_string();
    let (code, _, err) = orrery(&["compile", &site, "-o", &out.display().to_string()]);
    assert!(code == 2 && err.contains("knobs[0]: min < max") && !out.exists(), "{err}");
}

#[test]
fn two_compiles_into_one_folder_take_turns() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    let sites: Vec<PathBuf> =
        (0..6).map(|n| folder.write(&format!("{n}/site.toml"), SITE.replace("80.0", &format!("8{}.0", n % 3)))).collect();
    let start = |site: &PathBuf| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orrery"));
        command.arg("compile").arg(site).arg("-o").arg(&out).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let running: Vec<_> = sites.iter().map(start).collect();
    for mut program in running {
        assert!(program.wait().unwrap().success());
    }
    let revisions = folder::revisions(&out).unwrap();
    let numbers: Vec<u64> = revisions.as_slice().iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!((3..=6).contains(&numbers.len()), "{numbers:?}");
    folder::read(&out).unwrap();
    for number in &numbers[..numbers.len() - 1] {
        let bytes = std::fs::read(out.join(format!("revisions/{number}.json"))).unwrap();
        for (_, piece) in Manifest::read(&bytes).unwrap().pieces() {
            piece.check(&std::fs::read(out.join("pieces").join(piece.hash.to_string())).unwrap()).unwrap();
        }
    }
}

#[test]
fn a_compile_that_is_killed_leaves_a_whole_publication() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    let hall = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sites/bottling/site.toml");
    let toml = std::fs::read_to_string(hall).unwrap();
    let site = folder.write("site.toml", &toml);
    target::write(&out, compiled(&site), Since::Fixed(at(0))).unwrap();
    let mut kept = 0;
    for n in 0..12_u32 {
        let changed = folder.write("site.toml", format!("{toml}\n[[twins]]\nid = \"new-{n}\"\nbind = false\n"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_orrery"));
        command.arg("compile").arg(&changed).arg("-o").arg(&out).stdout(Stdio::null()).stderr(Stdio::null());
        let mut program = command.spawn().unwrap();
        // At another point each time: as soon as its lock, its first piece, … can be seen, or at its end.
        let pieces = || std::fs::read_dir(out.join("pieces")).map_or(0, Iterator::count);
        let (before, turns) = (pieces(), n * 40);
        let mut seen = 0;
        while program.try_wait().unwrap().is_none() && seen <= turns {
            seen += if pieces() > before { 1 } else { 0 };
            std::thread::yield_now();
        }
        program.kill().ok();
        program.wait().unwrap();
        let whole = folder::read(&out).unwrap();
        kept = kept.max(whole.manifest.revision);
        assert_eq!(folder::revisions(&out).unwrap().at(Timestamp::MAX).unwrap().number, whole.manifest.revision);
    }
    let last = target::write(&out, compiled(&site), Since::Clock(Timestamp::from_secs(4_000_000_000))).unwrap();
    assert!(last.manifest.revision >= kept);
    assert!(!files(&out).keys().any(|name| name.contains(".partial-")), "what was half written is gone");
}

//! A plant as files: what `orrery publish` writes is what the server has, nothing more and nothing less.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use twin_historian::{Store, StoreConfig};
use twin_model::{SignalIndex, TimeRange, Timestamp};
use twin_protocol::{Limits, ServerFrame, decode_server};
use twin_publication::{Manifest, PieceRef, PublishedHistory, Revisions, ViewerModel};

use crate::revisions_then::Week;
use crate::world::{Folder, SITE, orrery};

/// A page of this program as far as publishing looks at it.
const INDEX: &str = r#"<script type="module" src="boot-1.js" data-wasm="viewer-1.wasm" data-packed="1" id="boot"></script>"#;

fn page(folder: &Folder) -> String {
    for (name, text) in
        [("index.html", INDEX), ("boot-1.js", "boot"), ("viewer-1.wasm", "module"), ("viewer-1.wasm.gz", "packed")]
    {
        folder.write(&format!("page/{name}"), text);
    }
    folder.0.join("page").display().to_string()
}

/// A published folder, read as PROTOCOL.md has it.
struct Copy {
    folder: PathBuf,
    manifest: Manifest,
    history: PublishedHistory,
}

impl Copy {
    fn read(folder: &Path) -> Self {
        let manifest = Manifest::read(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
        let history = PublishedHistory::read(&piece(folder, manifest.history.unwrap())).unwrap();
        Self { folder: folder.to_owned(), manifest, history }
    }

    /// Every sample of a level, as `signal time value`, in order.
    fn samples(&self, level: &str) -> Vec<String> {
        let config = StoreConfig { budget_bytes: usize::MAX / 2, ..StoreConfig::default() }.believing();
        let model = ViewerModel::read(&piece(&self.folder, self.manifest.model)).unwrap().model;
        let mut store = Store::new(model.signals().iter().map(Into::into), config);
        let ids: Vec<Option<SignalIndex>> = self.history.signals.iter().map(|it| model.find_signal(it.signal.as_str())).collect();
        let pages = self.history.levels.iter().filter(|it| it.level == level).flat_map(|it| &it.pages);
        for part in pages.flat_map(|page| &page.parts) {
            let Ok(ServerFrame::Page(page)) = decode_server(&piece(&self.folder, *part), &Limits::SERVER_FRAMES) else {
                panic!("{part:?} is no page")
            };
            for chunk in page.chunks {
                store.import_renumbered(&chunk, &ids).unwrap();
            }
        }
        let mut all = Vec::new();
        for signal in model.signal_indices() {
            store.for_each_sample(signal, TimeRange::new(Timestamp::MIN, Timestamp::MAX), &mut |sample| {
                let twin_model::Value::Float(value) = sample.value else { panic!("{sample:?} is no number") };
                all.push(line(model.signal(signal).id.as_str(), sample.source_time, value));
                ControlFlow::Continue(())
            });
        }
        all
    }
}

fn piece(folder: &Path, piece: PieceRef) -> Vec<u8> {
    let bytes = std::fs::read(folder.join("pieces").join(piece.hash.to_string())).unwrap();
    piece.check(&bytes).unwrap();
    bytes
}

/// A sample in the same words wherever it comes from.
fn line(signal: &str, time: Timestamp, value: f64) -> String {
    format!("{signal} {time} {value}")
}

/// Rows of an exported table in the same words.
fn exported(args: &[&str]) -> Vec<String> {
    let (code, table, err) = orrery(&[&["export"], args, &["-o", "-"]].concat());
    assert_eq!(code, 0, "{err}");
    let mut rows = table.lines();
    let head: Vec<&str> = rows.next().unwrap().split(',').collect();
    let column = |name: &str| head.iter().position(|it| *it == name).unwrap_or_else(|| panic!("{head:?}"));
    let (signal, time, value) = (column("signal"), column("source_time"), column("value_double"));
    let cells = |row: &str| row.split(',').map(str::to_owned).collect::<Vec<_>>();
    rows.map(cells).map(|row| line(&row[signal], row[time].parse().unwrap(), row[value].parse().unwrap())).collect()
}

fn publish(args: &[&str]) -> Json {
    let (code, out, err) = orrery(&[&["publish", "--json"], args].concat());
    // Findings are told, and it is published all the same.
    assert!(code < 2, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// Every file of a folder with its bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                all.insert(path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

#[test]
fn a_copy_has_every_sample_every_revision_and_the_page_and_the_same_bytes_the_second_time() {
    let week = Week::new();
    let page = page(&week.folder);
    let out = week.folder.0.join("copy");
    let args = [&*week.site, "--data", &*week.data, "-o", out.to_str().unwrap(), "--web", &*page];
    let made = publish(&args);
    assert_eq!((&made["revision"], &made["history"]["samples"]), (&3.into(), &6.into()), "{made}");
    let copy = Copy::read(&out);
    assert_eq!((copy.manifest.revision, copy.manifest.live.as_deref()), (3, None));
    let mut wanted = exported(&[&*week.site, "--data", &*week.data, "--judge-by", "now"]);
    wanted.sort();
    let mut found = copy.samples("raw");
    found.sort();
    assert!(found.len() == 5 && found == wanted, "{found:?}\n{wanted:?}");
    // What the site of today does not have is not thrown away; it is not named, as on a gateway.
    assert!(copy.history.signals.iter().all(|it| !it.signal.as_str().starts_with("pump-02")));
    // The day of the last sample, not today: nothing of it is newer.
    assert_eq!(copy.history.now.to_string(), "2026-03-04T12:00:00Z");
    let listed = Revisions::read(&std::fs::read(out.join("revisions.json")).unwrap()).unwrap();
    assert_eq!(listed.as_slice().iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2]);
    for revision in listed.as_slice() {
        let bytes = std::fs::read(out.join(format!("revisions/{}.json", revision.number))).unwrap();
        revision.manifest.check(&bytes).unwrap();
        for (_, each) in Manifest::read(&bytes).unwrap().pieces() {
            piece(&out, each);
        }
    }
    let index = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert!(
        index.contains("data-folder=\".\"") && index.contains("\"viewer-1.wasm.gz\"") && index.contains("data-packed=\"6\""),
        "{index}"
    );
    assert_eq!(std::fs::read_to_string(out.join("viewer-1.wasm.gz")).unwrap(), "packed");
    // No folder of the machine, nothing hidden that was left behind.
    let here = week.folder.0.display().to_string();
    let all = files(&out);
    for (name, bytes) in &all {
        assert!(!bytes.windows(here.len()).any(|it| it == here.as_bytes()), "{} names {here}", name.display());
    }
    assert!(!out.join(".history").exists());
    let again = publish(&args);
    assert_eq!((&again["written"], &again["changed"]), (&0.into(), &"remarks".into()), "{again}");
    assert_eq!(files(&out), all);
}

#[test]
fn a_day_of_tables_is_published_with_its_extracts_and_equals_what_export_says() {
    let folder = Folder::new();
    let page = page(&folder);
    let mut table = "t,one,two\n".to_owned();
    for n in 0..30 * 3_600 {
        let t = Timestamp::from_secs(1_772_409_600 + n);
        table += &format!("{t},{}.5,{}\n", n % 97, n % 3);
    }
    folder.write("log.csv", table);
    let base = SITE.split("[[sources]]").next().unwrap();
    let source = "[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\ntime = { column = \"t\" }\n\
                  columns = { one = \"pump-01.flow\", two = \"pump-02.flow\" }\n";
    let site = folder.write("site.toml", format!("{base}{source}")).display().to_string();
    let out = folder.0.join("copy");
    publish(&[&*site, "-o", out.to_str().unwrap(), "--web", &*page]);
    let copy = Copy::read(&out);
    let (mut found, mut wanted) = (copy.samples("raw"), exported(&[&*site, "--sources"]));
    found.sort();
    wanted.sort();
    assert_eq!(found.len(), 2 * 30 * 3_600);
    assert!(found == wanted, "{:?}", found.iter().zip(&wanted).find(|(found, wanted)| found != wanted));
    // A client that shows all of it needs no raw page for that.
    let extracts = copy.samples("5min").len();
    assert!((100..found.len() / 2).contains(&extracts), "{extracts}");
    assert_eq!(copy.history.now.to_string(), "2026-03-03T05:59:59Z");
}

#[test]
fn what_nothing_names_any_more_is_taken_away_when_it_is_old_and_asked_for() {
    let week = Week::new();
    let page = page(&week.folder);
    let out = week.folder.0.join("copy");
    let args = [&*week.site, "--data", &*week.data, "-o", out.to_str().unwrap(), "--web", &*page];
    publish(&args);
    let before = files(&out);
    let late = week.folder.write("late.csv", "signal,time,value\npump-01.flow,2026-03-04T13:00:00Z,91\n").display().to_string();
    let (code, _, err) = orrery(&["import-samples", &week.site, "--data", &week.data, &late]);
    assert_eq!(code, 0, "{err}");
    publish(&args);
    // An open page may still ask for what it knows of.
    assert!(before.keys().filter(|name| name.starts_with("pieces")).all(|name| out.join(name).exists()));
    let pruned = |age: &str| publish(&[&args[..], &["--prune", age]].concat())["pruned"].clone();
    assert_eq!(pruned("1d"), 0);
    let gone = pruned("0s");
    assert!(gone.as_u64().is_some_and(|gone| gone > 1), "the page of before and its catalogue: {gone}");
    let copy = Copy::read(&out);
    assert_eq!(copy.samples("raw").len(), 6);
    let listed = Revisions::read(&std::fs::read(out.join("revisions.json")).unwrap()).unwrap();
    for revision in listed.as_slice() {
        let manifest = std::fs::read(out.join(format!("revisions/{}.json", revision.number))).unwrap();
        Manifest::read(&manifest).unwrap().pieces().for_each(|(_, each)| drop(piece(&out, each)));
    }
    assert_eq!(pruned("0s"), 0);
}

#[test]
fn a_site_without_a_sample_and_a_folder_of_somebody_else() {
    let folder = Folder::new();
    let page = page(&folder);
    let site = folder.write("site.toml", SITE).display().to_string();
    let out = folder.0.join("copy");
    publish(&[&*site, "-o", out.to_str().unwrap(), "--web", &*page]);
    let copy = Copy::read(&out);
    assert_eq!((copy.history.extent, copy.samples("raw").len()), (None, 0));
    // Another site does not take its place.
    let other = folder.write("other/site.toml", SITE.replace("little", "another")).display().to_string();
    let before = files(&out);
    let (code, _, err) = orrery(&["publish", &other, "-o", out.to_str().unwrap(), "--web", &page]);
    assert!(code == 2 && err.contains("it holds the site 'little'"), "{code} {err}");
    assert_eq!(files(&out), before);
    // Nor does a plant take that of somebody's files.
    folder.write("mine/index.html", "mine");
    let mine = folder.0.join("mine");
    let (code, _, err) = orrery(&["publish", &site, "-o", mine.to_str().unwrap(), "--web", &page]);
    assert!(code == 2 && err.contains("index.html") && err.contains("empty folder"), "{code} {err}");
    assert_eq!(files(&mine).len(), 1);
    // A folder that is no data folder, a page that is none.
    let (code, _, err) = orrery(&["publish", &site, "--data", &page, "-o", out.to_str().unwrap(), "--web", &page]);
    assert!(code == 2 && err.contains("history"), "{code} {err}");
    let (code, _, err) = orrery(&["publish", &site, "-o", out.to_str().unwrap(), "--web", mine.to_str().unwrap()]);
    assert!(code == 2 && err.contains("another version"), "{code} {err}");
}

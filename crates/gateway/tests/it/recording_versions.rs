//! Both versions of the recording file: the same plant out of either, revisions within one file, and what is not good in one.

use std::path::Path;

use gateway::publish::compile;
use gateway::recording::{Reading, parse, read};
use gateway::revisions::Publication;
use gateway::site::Site;
use twin_historian::{Store, StoreConfig};
use twin_model::{SignalIndex, TimeRange, Timestamp, Value};
use twin_protocol::recording::{Record, encode_record, file_header_of};
use twin_protocol::*;

use crate::assets::{corners, triangle};
use crate::world::{Folder, orrery};

/// A plant of two tanks; `high` is where a level is too high, `order` the tanks in the order of the file.
pub(crate) fn site(high: f64, order: [&str; 2], sources: [&str; 2]) -> String {
    let twin = |id: &str| format!("[[twins]]\nid = \"{id}\"\ninterface = \"tank\"\nbind = false\n");
    let source = |id: &str| format!("[[sources]]\nid = \"{id}\"\nkind = \"websocket\"\n");
    format!(
        r#"[site]
id = "tanks"
[[interfaces]]
id = "tank"
[[interfaces.signals]]
name = "level"
unit = "%"
[[interfaces.rules]]
id = "high"
kind = "range"
signal = "level"
bands = [{{ above = {high:?}, status = "failure" }}]
[[models]]
id = "m"
path = "m.gltf"
background = ["**"]
[[knobs]]
id = "k"
targets = [{{ scale = "left.level" }}]
min = -1.0
max = 1.0
{}{}{}{}"#,
        twin(order[0]),
        twin(order[1]),
        source(sources[0]),
        source(sources[1]),
    )
}

fn gltf() -> String {
    triangle("m.bin", "skin.png")
}

pub(crate) fn at(s: i64) -> Timestamp {
    Timestamp::from_secs(1_772_439_304 + s)
}

pub(crate) fn loaded(folder: &Folder, name: &str, text: &str) -> Site {
    folder.write(&format!("{name}/m.gltf"), gltf());
    folder.write(&format!("{name}/m.bin"), corners(1.0));
    Site::read_usable(&folder.write(&format!("{name}/site.toml"), text)).unwrap()
}

/// The site as a revision, valid from so many seconds on.
pub(crate) fn revision(site: &Site, number: u64, from: i64) -> Publication {
    let mut made = compile(site, at(from)).unwrap().publication;
    made.manifest.revision = number;
    made
}

/// The records of a publication: pieces, each once, then the manifest.
pub(crate) fn published(publication: &Publication) -> Vec<Record> {
    let piece = |(name, bytes): (&twin_publication::PieceHash, &axum::body::Bytes)| Record::Piece {
        name: name.to_bytes(),
        bytes: bytes.to_vec(),
    };
    let manifest = Record::Manifest(publication.manifest.write().unwrap());
    publication.pieces.iter().map(piece).chain([manifest]).collect()
}

pub(crate) fn old(site: &Site) -> Vec<Record> {
    vec![
        Record::Site { file_name: "site.toml".into(), toml: site.toml.clone() },
        Record::Asset { path: "m.gltf".into(), bytes: gltf().into() },
        Record::Asset { path: "m.bin".into(), bytes: corners(1.0) },
    ]
}

pub(crate) fn file(version: u16, records: &[Record]) -> Vec<u8> {
    let mut bytes = file_header_of(version);
    bytes.extend(records.iter().flat_map(encode_record));
    bytes
}

pub(crate) fn entry(id: u32, s: i64, value: f64) -> Entry {
    let sample = twin_model::Sample { received_time: at(s), ..twin_model::Sample::new(at(s), Value::Float(value)) };
    Entry { id: DictId(id), sample }
}

/// What a gateway of the site says: history of 10 and 20 s, in which only the first signal has values, links, and live values.
pub(crate) fn frames(site: &Site) -> Vec<Record> {
    let model = &site.loaded.model;
    let mut store = Store::new(model.signals().iter().map(Into::into), StoreConfig::default());
    for (s, value) in [(10, 95.0), (20, 50.0)] {
        store.append(SignalIndex(0), &entry(0, s, value).sample);
    }
    let chunks = store.export_chunks(TimeRange::new(at(0), at(100))).into_iter().map(|chunk| chunk.bytes).collect();
    let dictionary = Dictionary::of(model);
    let links = vec![LinkChange { source: 1, state: LinkState::Down, at: at(15) }];
    let history = History { dictionary: dictionary.clone(), chunks, links, ..History::default() };
    let down = SourceLink {
        source: model.sources()[0].id.clone(),
        state: LinkState::Down,
        since: at(25),
        detail: "can't reach plc-0815".into(),
    };
    let frames = [
        ServerFrame::Dictionary(dictionary),
        ServerFrame::History(history),
        ServerFrame::Snapshot(Snapshot { seq: 1, at: at(30), entries: vec![entry(0, 20, 50.0)] }),
        ServerFrame::Sources(vec![down]),
        ServerFrame::Batch(Batch { seq: 2, entries: vec![entry(0, 31, 85.0), entry(1, 32, 20.0)] }),
    ];
    frames.into_iter().map(Record::Frame).collect()
}

pub(crate) const LEFT_RIGHT: [&str; 2] = ["left", "right"];
pub(crate) const A_B: [&str; 2] = ["a", "b"];

fn run(args: &[&str]) -> String {
    let (code, out, err) = orrery(args);
    assert_eq!((code, &*err), (0, ""), "{args:?}");
    out
}

#[test]
fn either_version_tells_the_same_of_the_same_plant() {
    let folder = Folder::new();
    let site = loaded(&folder, "site", &site(80.0, LEFT_RIGHT, A_B));
    let mut said: Vec<Vec<String>> = Vec::new();
    for (version, records) in [(1, old(&site)), (2, published(&revision(&site, 1, 0)))] {
        let bytes = file(version, &[records, frames(&site)].concat());
        let path = folder.write(&format!("{version}.orrec"), bytes).display().to_string();
        let read = read(Path::new(&path)).unwrap();
        assert_eq!((read.model(), read.remarks.len(), read.chunks.len()), (&site.loaded.model, 0, 1));
        let named = read.publication(at(0)).unwrap();
        assert_eq!(named, revision(&site, 1, 0), "version {version} is the publication of the site");
        let place = folder.0.join("site").display().to_string();
        let (then, now) = (at(12).to_string(), at(40).to_string());
        said.push(vec![
            run(&["state", "--recording", &path, "--at", &then, "--json"]),
            run(&["state", "--recording", &path, "--at", &now, "--json"]),
            run(&["state", "--recording", &path, "--at", &now, "--as-known", "--json"]),
            run(&["whatif", &place, "--recording", &path, "--at", &now, "--json"]),
        ]);
        let table = folder.0.join("table.csv").display().to_string();
        let (code, _, err) = orrery(&["export", "--recording", &path, "-o", &table]);
        assert_eq!(code, 0, "{err}");
        said.last_mut().unwrap().push(std::fs::read_to_string(table).unwrap());
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0][4].lines().count(), 5, "{}", said[0][4]);
    assert!(said[0][0].contains("\"failure\"") && said[0][1].contains("\"failure\""), "{}", said[0][0]);
}

/// Tanks, sources and limits change places half way.
pub(crate) fn changed(folder: &Folder) -> (Site, Site, Vec<u8>) {
    let before = loaded(folder, "before", &site(80.0, LEFT_RIGHT, A_B));
    let after = loaded(folder, "after", &site(90.0, ["right", "left"], ["b", "a"]));
    let (one, two) = (revision(&before, 1, 0), revision(&after, 2, 50));
    // What is shared stands once.
    let fresh = published(&two).into_iter().filter(|record| !published(&one).contains(record)).collect::<Vec<_>>();
    assert!(fresh.len() == 2 && one.pieces.len() > 2, "the scene is the same: {} of {}", fresh.len(), one.pieces.len());
    let later = [
        ServerFrame::Dictionary(Dictionary::of(&after.loaded.model)),
        ServerFrame::Sources(vec![SourceLink { source: "a".into(), state: LinkState::Up, since: at(55), detail: String::new() }]),
        ServerFrame::Batch(Batch { seq: 3, entries: vec![entry(0, 60, 10.0), entry(1, 61, 85.0)] }),
    ];
    let later: Vec<Record> = later.into_iter().map(Record::Frame).collect();
    let bytes = file(2, &[published(&one), frames(&before), fresh, later].concat());
    (before, after, bytes)
}

#[test]
fn a_revision_in_the_middle_is_read_as_of_its_instant_and_samples_keep_their_signals() {
    let folder = Folder::new();
    let (before, after, bytes) = changed(&folder);
    let path = folder.write("both.orrec", &bytes).display().to_string();
    let state = |s: i64| -> serde_json::Value {
        serde_json::from_str(&run(&["state", "--recording", &path, "--at", &at(s).to_string(), "--json"])).unwrap()
    };
    let status = |json: &serde_json::Value| -> Vec<(String, String)> {
        let word = |it: &serde_json::Value| it.as_str().unwrap().to_owned();
        json["twins"].as_array().unwrap().iter().map(|twin| (word(&twin["id"]), word(&twin["status"]))).collect()
    };
    let is = |pairs: [(&str, &str); 2]| pairs.map(|(twin, status)| (twin.to_owned(), status.to_owned())).to_vec();
    // 95 and 85 are too high as long as 80 is the limit; the first revision also counts before it began.
    for (s, expected) in [
        (12, is([("left", "failure"), ("right", "unknown")])),
        (40, is([("left", "failure"), ("right", "normal")])),
        (49, is([("left", "failure"), ("right", "normal")])),
        (50, is([("left", "normal"), ("right", "normal")])),
        (70, is([("left", "normal"), ("right", "normal")])),
    ] {
        assert_eq!(status(&state(s)), expected, "at {s}");
    }
    for (reading, model) in [
        (Reading::Newest, &after.loaded.model),
        (Reading::At(at(-9)), &before.loaded.model),
        (Reading::At(at(50)), &after.loaded.model),
    ] {
        let read = parse(&bytes, reading).unwrap();
        assert_eq!((read.model(), read.manifests().count(), read.remarks.len()), (model, 2, 0));
        let left = model.find_signal("left.level").unwrap();
        let live: Vec<_> = read.samples.iter().filter(|(signal, _)| *signal == left).map(|(_, it)| it.value.clone()).collect();
        assert_eq!(live, [50.0, 85.0, 85.0].map(Value::Float));
        let mut store = Store::new(model.signals().iter().map(Into::into), StoreConfig::default());
        for chunk in &read.chunks {
            store.import_chunk(chunk).unwrap();
        }
        assert_eq!(store.latest_at(left, at(12)).unwrap().value, Value::Float(95.0), "history is under its own numbers");
        let source = |id: &str| model.sources().iter().position(|source| source.id == id).unwrap() as u32;
        let links: Vec<_> = read.links.iter().map(|link| (link.source, link.at)).collect();
        assert_eq!(links, [(source("b"), at(15)), (source("a"), at(25)), (source("a"), at(55))]);
    }
    // A site given beside the recording is the one that is computed with, whatever order it has its signals in.
    let rows = |site: &str| run(&["whatif", site, "--recording", &path, "--at", &at(40).to_string(), "--json"]);
    let (one, two) = (folder.0.join("before").display().to_string(), folder.0.join("after").display().to_string());
    assert!(rows(&one).contains("\"left_out\"") && rows(&two).contains("\"left_out\""));
}

#[test]
fn what_is_damaged_or_missing_in_a_publication_is_said_and_never_shown() {
    let folder = Folder::new();
    let site = loaded(&folder, "site", &site(80.0, LEFT_RIGHT, A_B));
    let (one, two) = (published(&revision(&site, 1, 0)), published(&revision(&site, 2, 50)));
    let model = revision(&site, 1, 0).manifest.model;
    let without = |records: &[Record]| -> Vec<Record> {
        let is_model = |record: &Record| matches!(record, Record::Piece { name, .. } if *name == model.hash.to_bytes());
        records.iter().filter(|record| !is_model(record)).cloned().collect()
    };
    let mut lies = one.clone();
    for record in &mut lies {
        if let Record::Piece { bytes, .. } = record {
            bytes[3] ^= 1;
        }
    }
    let refused = |records: &[Record]| parse(&file(2, records), Reading::Newest).err().unwrap();
    assert!(refused(&[]).contains("it does not begin with a site"));
    assert!(refused(&frames(&site)).contains("it does not begin with a site"));
    assert!(refused(&without(&one)).contains(&format!("the piece {} (model) of revision 1 is not in it", model.hash)));
    assert!(refused(&lies).contains("is not in it"), "a piece that is not what it is called is none");
    assert!(refused(&[Record::Manifest(b"{}".to_vec())]).contains("this is not the manifest"));
    let last = one.len() - 1;
    let backwards = [&[one[last].clone()], &one[..last]].concat();
    assert!(refused(&backwards).contains("is not in it"), "pieces stand before the manifest that names them");
    // A later revision that is not good leaves the one before in force.
    let Record::Manifest(second) = &two[two.len() - 1] else { panic!("the manifest is last") };
    let text = String::from_utf8(second.clone()).unwrap();
    let (began, begins) = ("2026-03-02T08:15:04.000000Z", "2026-03-02T08:15:54.000000Z");
    for (later, words) in [
        (text.replace(&model.hash.to_string(), &"0".repeat(64)), "is not in it"),
        (text.replace("\"revision\":2", "\"revision\":1"), "not later"),
        (text.replace(begins, began), "not later"),
        (text.replace("orrery.publication", "orrery.poem"), "orrery.poem"),
    ] {
        assert_ne!(later, text, "{words}");
        let records = [one.clone(), vec![Record::Manifest(later.into_bytes())], frames(&site)].concat();
        let read = parse(&file(2, &records), Reading::Newest).unwrap();
        assert_eq!((read.manifests().count(), read.remarks.len(), read.samples.len()), (1, 1, 3));
        assert!(read.remarks[0].starts_with("1 revisions") && read.remarks[0].contains(words), "{:?}", read.remarks);
    }
    // The same revision again has other findings.
    let again = text.replace("\"revision\":2", "\"revision\":1").replace(begins, began);
    let read = parse(&file(2, &[one, vec![Record::Manifest(again.into_bytes())]].concat()), Reading::Newest).unwrap();
    assert_eq!((read.manifests().count(), read.remarks.len()), (2, 0));
}

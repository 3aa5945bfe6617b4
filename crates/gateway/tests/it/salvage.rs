//! Repair saves what can be read: bytes are altered anywhere in a data folder, and every sample whose own bytes are as they were is
//! there afterwards; what is missing is told; nothing is invented; a kill in the middle loses nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Database, FILE, fsck};
use gateway::site::Site;
use gateway::stores::empty_store;
use rusqlite::Connection;
use twin_historian::chunk;
use twin_model::{Model, Sample, SignalIndex, TimeRange, Timestamp, Value};
use twin_protocol::{Limits, ServerFrame, decode_server};

use crate::series::Random;
use crate::world::{Folder, SITE, at, orrery};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
const PAGE: usize = 4_096;

pub(crate) type Samples = BTreeMap<(u32, Timestamp), Value>;

/// A folder with history in chunks of some pages each, and batches that no chunk has.
pub(crate) fn folder() -> (Folder, Site) {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let plant = plant(&site, &PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() }).unwrap();
    let mut random = Random(7);
    for batch in 0..120 {
        let one = |n: i64, random: &mut Random| {
            let t = at(batch * 300 + n);
            let value = match n % 3 {
                0 => (0, Value::Float(random.below(1 << 50) as f64 / 1_024.0)),
                1 => (4, Value::Float(random.below(100) as f64)),
                _ => (3, Value::text(&format!("state {}", random.below(900)))),
            };
            (SignalIndex(value.0), Sample::new(t, value.1))
        };
        plant.hub.ingest(&(0..40).map(|n| one(n, &mut random)).collect::<Vec<_>>());
        plant.hub.flush();
    }
    plant.hub.seal(at(20 * 3_600));
    for batch in 0..30 {
        let one = |n: i64| (SignalIndex(5), Sample::new(at(21 * 3_600 + batch * 60 + n), Value::Int(batch * 100 + n)));
        plant.hub.ingest(&(0..50).map(one).collect::<Vec<_>>());
        plant.hub.flush();
    }
    assert!(plant.hub.persist().unwrap().sync());
    (folder, site)
}

pub(crate) fn read(model: &Model, data: &Path) -> Samples {
    let mut store = empty_store(model, 1 << 30);
    Database::open_to_read(data).unwrap().load(model, &mut store).unwrap();
    samples(model, &store)
}

/// All samples of a store.
pub(crate) fn samples(model: &Model, store: &twin_historian::Store) -> Samples {
    let mut all = Samples::new();
    for signal in model.signal_indices() {
        store.for_each_sample(signal, ALWAYS, &mut |sample| {
            all.insert((signal.0, sample.source_time), sample.value.clone());
            ControlFlow::Continue(())
        });
    }
    all
}

/// What lies in one piece: its bytes, and the samples in it by number.
struct Piece {
    bytes: Vec<u8>,
    samples: Vec<(u32, Timestamp)>,
}

/// Every raw chunk and journal entry, by way of SQL.
fn pieces(data: &Path) -> Vec<Piece> {
    let connection = Connection::open(data.join(FILE)).unwrap();
    let blobs = |sql: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let chunks = blobs("SELECT bytes FROM blob WHERE id IN (SELECT blob FROM chunk WHERE level = 0)").into_iter().map(|bytes| {
        let samples =
            chunk::runs(&bytes).unwrap().into_iter().flat_map(|run| run.times.into_iter().map(move |t| (run.signal, t)));
        Piece { samples: samples.collect(), bytes }
    });
    let entries = blobs("SELECT bytes FROM journal").into_iter().map(|bytes| {
        let Ok(ServerFrame::Batch(batch)) = decode_server(&bytes, &Limits::SERVER_FRAMES) else { panic!() };
        let samples = batch.entries.iter().map(|entry| (entry.id.0, entry.sample.source_time)).collect();
        Piece { samples, bytes }
    });
    chunks.chain(entries).collect()
}

/// From when to when each raw chunk says that it is, as findings name it.
fn spans(data: &Path) -> Vec<String> {
    let connection = Connection::open(data.join(FILE)).unwrap();
    let mut statement = connection.prepare("SELECT start_us || '_' || end_us FROM chunk WHERE level = 0").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn within(hay: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && hay.windows(needle.len()).any(|window| window == needle)
}

/// Whether a page may hold part of a piece: its beginning on a leaf, or more of it on an overflow page.
fn holds(page: &[u8], piece: &[u8]) -> bool {
    within(page, &piece[..piece.len().min(24)]) || within(piece, &page[4..12])
}

/// Samples that may be lost when these bytes of a file are hit: those of pieces that have a part on the same pages.
fn excused(pieces: &[Piece], file: &[u8], places: &[usize]) -> BTreeSet<(u32, Timestamp)> {
    let hit: BTreeSet<usize> = places.iter().map(|place| place / PAGE).collect();
    pieces
        .iter()
        .filter(|piece| hit.iter().any(|page| holds(&file[page * PAGE..(page + 1) * PAGE], &piece.bytes)))
        .flat_map(|piece| piece.samples.iter().copied())
        .collect()
}

fn spoil(path: &Path, random: &mut Random, flips: u64, within: Option<u64>) -> Vec<usize> {
    let mut bytes = std::fs::read(path).unwrap();
    let places: Vec<usize> = (0..flips).map(|_| random.below(within.unwrap_or(bytes.len() as u64)) as usize).collect();
    for place in &places {
        bytes[*place] ^= 1 + random.below(255) as u8;
    }
    std::fs::write(path, bytes).unwrap();
    places
}

pub(crate) fn copy(from: &Path, to: &Path) {
    drop(std::fs::remove_dir_all(to));
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The property, over seeds; every fourth hits the header of the file only.
#[test]
fn after_a_repair_every_sample_is_there_whose_page_was_not_hit_and_the_loss_is_told() {
    let (folder, site) = folder();
    let (good, data) = (folder.0.join("data"), folder.0.join("hurt"));
    let model = &site.loaded.model;
    let reference = read(model, &good);
    assert_eq!(reference.len(), 120 * 40 + 30 * 50);
    let day = |t: Timestamp| t.as_micros().div_euclid(86_400_000_000) * 86_400_000_000;
    let kept = [
        day(reference.keys().map(|(_, t)| *t).min().unwrap()),
        day(reference.keys().map(|(_, t)| *t).max().unwrap()) + 86_400_000_000,
    ];
    let spans = spans(&good);
    let (pieces, file) = (pieces(&good), std::fs::read(good.join(FILE)).unwrap());
    assert!(file.len() > 30 * PAGE, "{} pages", file.len() / PAGE);
    let cases = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 1_500 } else { 48 };
    for seed in 0..cases {
        let mut random = Random(seed);
        copy(&good, &data);
        let flips = [1, 1, 1, 4][random.below(4) as usize];
        let places = spoil(&data.join(FILE), &mut random, flips, (seed % 4 == 3).then_some(100));
        let report = fsck::check(&data, true).unwrap();
        let have = read(model, &data);
        let excused = excused(&pieces, &file, &places);
        let mut lost = 0;
        for (sample, value) in &reference {
            match have.get(sample) {
                Some(found) => assert_eq!(found, value, "seed {seed}: {sample:?} is what it was"),
                None => {
                    lost += 1;
                    assert!(
                        excused.contains(sample),
                        "seed {seed}: {sample:?} is lost, and only bytes {places:?} were hit: {report:#?}"
                    );
                }
            }
        }
        assert!(have.keys().all(|sample| reference.contains_key(sample)), "seed {seed}: nothing is invented");
        assert!(lost == 0 || report.lost(), "seed {seed}: {lost} are lost and nothing is told: {report:#?}");
        if report.lost_uncounted == 0 {
            assert_eq!(report.lost_samples, lost, "seed {seed}, bytes {places:?}: {report:#?}");
        }
        if lost > 0 {
            assert!(report.findings.iter().any(|finding| !finding.mended), "seed {seed}: a loss is never called mended");
        }
        // The time that is named has all of the loss in it, where all of it can be named.
        let times = || reference.keys().filter(|key| !have.contains_key(key)).map(|(_, t)| t.as_micros());
        if let (Some(first), Some(last), 0) = (times().min(), times().max(), report.lost_uncounted) {
            let told = report.lost_us.unwrap_or_else(|| panic!("seed {seed}: lost, and nobody says when: {report:#?}"));
            assert!(told[0] <= first && last <= told[1], "seed {seed}: {first} to {last} are lost: {report:#?}");
            // Pieces are whole days at most, and several may be lost. A description that was hit itself may claim more.
            let as_written =
                |subject: &str| !subject.starts_with("raw/") || spans.iter().any(|span| subject.contains(span.as_str()));
            let exact = report.findings.iter().all(|finding| finding.lost_us.is_none() || as_written(&finding.subject));
            assert!(
                !exact || (told[0] >= kept[0] && told[1] <= kept[1]),
                "seed {seed}: no longer than what is kept: {report:#?}"
            );
        }
        assert!(report.lost() || report.lost_us.is_none(), "seed {seed}: {report:#?}");
        assert_eq!(fsck::check(&data, false).unwrap().findings, [], "seed {seed}, bytes {places:?}: sound afterwards");
    }
}

#[test]
fn any_byte_of_the_header_may_be_damaged_without_a_loss() {
    let (folder, site) = folder();
    let (good, data) = (folder.0.join("data"), folder.0.join("hurt"));
    let reference = read(&site.loaded.model, &good);
    let step = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 1 } else { 7 };
    for place in (0..100).step_by(step).chain([16, 18, 19, 60]) {
        copy(&good, &data);
        let mut bytes = std::fs::read(data.join(FILE)).unwrap();
        bytes[place] ^= 0x55;
        std::fs::write(data.join(FILE), bytes).unwrap();
        let report = fsck::check(&data, true).unwrap();
        assert!(!report.lost() && report.findings.iter().all(|finding| finding.mended), "byte {place}: {report:?}");
        assert_eq!(read(&site.loaded.model, &data), reference, "byte {place}");
    }
}

#[test]
fn any_letter_of_what_the_file_says_of_its_tables_may_be_damaged_without_a_loss() {
    let (folder, site) = folder();
    let (good, data) = (folder.0.join("data"), folder.0.join("hurt"));
    let reference = read(&site.loaded.model, &good);
    let file = std::fs::read(good.join(FILE)).unwrap();
    // All descriptions stand on the first page, behind its header and the places of its rows.
    let texts: Vec<usize> = (200..PAGE).filter(|at| file[*at].is_ascii_alphanumeric() || file[*at] == b'_').collect();
    assert!(texts.len() > 900, "{} letters", texts.len());
    let step = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 1 } else { 19 };
    let column = file.windows(12).position(|part| part == b"why TEXT NOT").expect("a column that only repairs read");
    for place in texts.into_iter().step_by(step).chain(column..column + 3) {
        copy(&good, &data);
        // Another letter: a word stays a word, so that the description may still make sense.
        let mut bytes = file.clone();
        bytes[place] = if bytes[place] == b'x' { b'q' } else { b'x' };
        std::fs::write(data.join(FILE), bytes).unwrap();
        let report = fsck::check(&data, true).unwrap_or_else(|error| panic!("byte {place}: {error}"));
        assert!(!report.lost() && report.findings.iter().all(|finding| finding.mended), "byte {place}: {report:?}");
        assert_eq!(read(&site.loaded.model, &data), reference, "byte {place}");
        assert_eq!(fsck::check(&data, false).unwrap().findings, [], "byte {place}: sound afterwards");
    }
}

#[test]
fn a_page_that_calls_itself_by_another_kind_loses_nothing() {
    let (folder, site) = folder();
    let (good, data) = (folder.0.join("data"), folder.0.join("hurt"));
    let reference = read(&site.loaded.model, &good);
    let file = std::fs::read(good.join(FILE)).unwrap();
    // The pages of journal and chunks, of names and of the catalogue: all that hold rows.
    let leaves: Vec<usize> =
        (1..file.len() / PAGE).map(|page| page * PAGE).filter(|at| [0x0d, 0x0a].contains(&file[*at])).collect();
    assert!(leaves.len() > 6, "{leaves:?}");
    for place in leaves {
        for kind in [0x0d, 0x0a, 0x05, 0x02, 0x00, 0xff].into_iter().filter(|kind| *kind != file[place]) {
            copy(&good, &data);
            let mut bytes = file.clone();
            bytes[place] = kind;
            std::fs::write(data.join(FILE), bytes).unwrap();
            let report = fsck::check(&data, true).unwrap_or_else(|error| panic!("byte {place}: {error}"));
            assert!(!report.lost() && report.findings.iter().all(|finding| finding.mended), "byte {place}, {kind}: {report:?}");
            assert_eq!(read(&site.loaded.model, &data), reference, "byte {place}, {kind}");
        }
    }
}

/// Where in the file the row numbers of the journal's entries stand, each of one byte.
fn row_numbers(file: &[u8], entries: &[Vec<u8>]) -> Vec<usize> {
    let mut places = Vec::new();
    for page in file.chunks(PAGE).enumerate().filter(|(_, page)| page[0] == 0x0d).map(|(at, _)| at * PAGE) {
        let half = |at: usize| usize::from(u16::from_be_bytes([file[page + at], file[page + at + 1]]));
        for cell in (0..half(3)).map(|cell| page + half(8 + cell * 2)) {
            let number = cell + 1 + usize::from(file[cell] >= 0x80);
            let row = &file[number..(number + 160).min(page + PAGE)];
            if entries.iter().any(|entry| within(row, entry)) {
                places.push(number);
            }
        }
    }
    places
}

#[test]
fn entries_that_claim_one_place_in_the_journal_are_all_kept() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let (good, data) = (folder.0.join("data"), folder.0.join("hurt"));
    let options = PlantOptions { data: Some(good.clone()), ..PlantOptions::default() };
    let one = plant(&site, &options).unwrap();
    for n in 0..12 {
        one.hub.ingest(&[(SignalIndex(0), Sample::new(at(n), Value::Float(n as f64)))]);
        one.hub.flush();
        assert!(one.hub.persist().unwrap().sync());
    }
    drop(one);
    let reference = read(&site.loaded.model, &good);
    let entries: Vec<Vec<u8>> = pieces(&good).into_iter().map(|piece| piece.bytes).collect();
    let file = std::fs::read(good.join(FILE)).unwrap();
    let numbers = row_numbers(&file, &entries);
    assert!(numbers.len() == entries.len() && entries.len() >= 8, "{} entries: {numbers:?}", entries.len());
    for number in [0, 1, 5, 7].map(|n| numbers[n]) {
        for bit in [1, 2, 4, 8] {
            copy(&good, &data);
            let mut bytes = file.clone();
            bytes[number] ^= bit;
            std::fs::write(data.join(FILE), bytes).unwrap();
            let report = fsck::check(&data, true).unwrap();
            assert!(!report.findings.is_empty() && !report.lost(), "byte {number}, bit {bit}: {report:#?}");
            assert_eq!(read(&site.loaded.model, &data), reference, "byte {number}, bit {bit}");
            assert_eq!(fsck::check(&data, false).unwrap().findings, [], "byte {number}, bit {bit}: sound afterwards");
        }
    }
}

#[test]
fn a_damaged_log_gives_back_what_lies_behind_the_damage() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let model = &site.loaded.model;
    let options = PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() };
    let plant = plant(&site, &options).unwrap();
    for batch in 0..60 {
        let one = |n: i64| (SignalIndex(1), Sample::new(at(batch * 10 + n), Value::Int(batch * 100 + n)));
        plant.hub.ingest(&(0..10).map(one).collect::<Vec<_>>());
        plant.hub.flush();
        assert!(plant.hub.persist().unwrap().sync());
    }
    // As a power cut leaves it: the log is not folded in.
    let cut = folder.0.join("cut");
    copy(&folder.0.join("data"), &cut);
    drop(plant);
    let log = gateway::history::wal::log_of(&cut.join(FILE));
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = 32 + (bytes.len() - 32) / (24 + PAGE) / 2 * (24 + PAGE) + 2_000;
    bytes[middle] ^= 4;
    std::fs::write(&log, bytes).unwrap();
    let (code, _, err) = orrery(&["serve", &text(&folder.0.join("site.toml")), "--data", &text(&cut), "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 2);
    assert!(err.contains("behind damaged ones") && err.contains("fsck"), "a server would forget it for good: {err}");
    let report = fsck::check(&cut, true).unwrap();
    let have = read(model, &cut);
    assert!(have.len() >= 590 && have.len() <= 600, "{} of 600, {report:?}", have.len());
    assert!(have.contains_key(&(1, at(599))), "the newest is there");
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_kill_in_the_middle_of_a_repair_leaves_the_old_file_or_the_new_one() {
    let (folder, site) = folder();
    let (good, data) = (folder.0.join("data"), folder.0.join("hurt"));
    let reference = read(&site.loaded.model, &good);
    let kills = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 200 } else { 10 };
    for kill in 0..kills {
        copy(&good, &data);
        let mut bytes = std::fs::read(data.join(FILE)).unwrap();
        bytes[19] ^= 0x55;
        std::fs::write(data.join(FILE), bytes).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_orrery"))
            .args(["fsck", &text(&data), "--repair"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Not to wait for anything, but to be at another place each time; any place will do.
        std::thread::sleep(std::time::Duration::from_millis(kill * 4 % 160));
        child.kill().unwrap();
        child.wait().unwrap();
        fsck::check(&data, true).unwrap();
        assert_eq!(read(&site.loaded.model, &data), reference, "kill {kill}");
        assert_eq!(fsck::check(&data, false).unwrap().findings, [], "kill {kill}");
    }
}

#[test]
fn nothing_begins_from_nothing_beside_what_looks_like_history() {
    let (folder, _) = folder();
    let site = text(&folder.0.join("site.toml"));
    let data = folder.0.join("data");
    let refused = |what: &str| {
        let (code, _, err) = orrery(&["serve", &site, "--data", &text(&data), "--listen", "127.0.0.1:0"]);
        assert_eq!(code, 2, "{what}: {err}");
        assert!(err.contains("nothing begins from nothing"), "{what}: {err}");
        assert!(!data.join(FILE).exists() || data.join(FILE).metadata().unwrap().len() == 0, "{what}");
    };
    std::fs::rename(data.join(FILE), data.join("history.damaged-1.sqlite3")).unwrap();
    refused("set aside");
    std::fs::rename(data.join("history.damaged-1.sqlite3"), folder.0.join("elsewhere")).unwrap();
    refused("moved away");
    std::fs::write(data.join(FILE), b"").unwrap();
    refused("cut to nothing");
    std::fs::rename(folder.0.join("elsewhere"), data.join(FILE)).unwrap();
    assert_eq!(orrery(&["fsck", &text(&data)]).0, 0, "put back, all is well");
}

/// What went into a file that was moved away is out of reach: it must not be acknowledged.
#[cfg(unix)]
#[test]
fn a_folder_that_is_moved_or_unlocked_while_serving_stops_acknowledgements() {
    for unlocked in [false, true] {
        let folder = Folder::new();
        let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
        let data = folder.0.join("data");
        let plant = plant(&site, &PlantOptions { data: Some(data.clone()), ..PlantOptions::default() }).unwrap();
        let put = |s: i64| {
            plant.hub.ingest(&[(SignalIndex(1), Sample::new(at(s), Value::Int(s)))]);
            plant.hub.flush();
            plant.hub.persist().unwrap().sync()
        };
        assert!(put(1));
        assert_eq!(*plant.hub.durable().borrow(), 1);
        if unlocked {
            std::fs::remove_file(data.join("lock")).unwrap();
        } else {
            std::fs::rename(&data, folder.0.join("moved")).unwrap();
        }
        assert!(!put(2), "unlocked: {unlocked}");
        assert_eq!(*plant.hub.durable().borrow(), 1, "unlocked: {unlocked}");
        if !unlocked {
            std::fs::rename(folder.0.join("moved"), &data).unwrap();
            assert!(put(3), "put back, it goes on");
            assert_eq!(*plant.hub.durable().borrow(), 3);
        }
    }
}

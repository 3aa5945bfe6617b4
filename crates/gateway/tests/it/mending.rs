//! Torn ends, damaged pieces, refusing disks: found, said, mended; and copies that read back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::RingLimits;
use gateway::assemble::{PlantOptions, plant};
use gateway::history::{FILE, Persist, Setup, fsck, wal};
use gateway::hub::Hub;
use gateway::site::Site;
use gateway::stores::empty_store;
use rusqlite::Connection;
use twin_historian::historian::{Blob, Change, Entry, Historian, KeepError, Kept, Page, Position};
use twin_historian::{ChunkKey, Level, MemoryHistorian};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};

use crate::world::{Folder, SITE, at, orrery};

fn open(folder: &Folder) -> (Arc<Hub>, Vec<String>) {
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let options = PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() };
    let plant = plant(&site, &options).unwrap();
    (plant.hub, plant.remarks)
}

fn put(hub: &Hub, from: i64, to: i64) {
    for s in (from..to).step_by(10) {
        // A counter without a period: nothing between two of its samples is a gap.
        hub.ingest(&[(SignalIndex(1), Sample::new(at(s), Value::Int(s)))]);
        hub.flush();
    }
    assert!(hub.persist().unwrap().sync());
}

fn count(hub: &Hub) -> u32 {
    crate::disk::everything(hub).density(TimeRange::new(at(-1), at(1_000_000)), 1)[0]
}

/// A copy of a folder's files as they are now, while it is open: what a power cut would leave.
fn cut(from: &Folder) -> Folder {
    let to = Folder::new();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        to.write(&format!("data/{name}"), std::fs::read(from.0.join("data").join(name)).unwrap());
    }
    to
}

fn log(folder: &Folder) -> std::path::PathBuf {
    wal::log_of(&folder.0.join("data").join(FILE))
}

#[test]
fn a_torn_end_of_the_log_is_mended_and_told() {
    let folder = Folder::new();
    let (hub, remarks) = open(&folder);
    assert_eq!(remarks, Vec::<String>::new());
    for n in 0..10 {
        put(&hub, n * 30, n * 30 + 30);
    }
    let whole = cut(&folder);
    let path = whole.0.join("data").join(FILE);
    let report = wal::inspect(&path).unwrap().unwrap();
    assert!(report.frames > 0 && !report.is_torn(), "{report:?}");
    let (again, remarks) = open(&whole);
    assert_eq!((remarks, count(&again)), (Vec::new(), 30), "a whole log is no news");
    // Cut within the last transaction, and altered in the middle of it.
    for (name, spoil) in [
        ("cut", Box::new(|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 100)) as Box<dyn Fn(&mut Vec<u8>)>),
        (
            "altered",
            Box::new(|bytes: &mut Vec<u8>| {
                // A sector: one byte the log puts right by itself (wal_damage.rs).
                let at = bytes.len() - 2_000;
                bytes[at..at + 512].fill(0xa5);
            }),
        ),
    ] {
        let torn = cut(&folder);
        let mut bytes = std::fs::read(log(&torn)).unwrap();
        spoil(&mut bytes);
        std::fs::write(log(&torn), bytes).unwrap();
        let found = wal::inspect(&torn.0.join("data").join(FILE)).unwrap().unwrap();
        assert!(found.is_torn() && found.frames > 0 && found.frames < report.frames, "{name}: {found:?}");
        let (hub, remarks) = open(&torn);
        assert!(remarks.len() == 1 && remarks[0].contains("torn") && remarks[0].contains("bytes"), "{name}: {remarks:?}");
        assert!((1..30).contains(&count(&hub)), "{name}: what was committed before is there");
        drop(hub);
        assert_eq!(fsck::check(&torn.0.join("data"), false).unwrap().findings, [], "{name}");
        assert_eq!(open(&torn).1, Vec::<String>::new(), "{name}: told once");
    }
}

/// Only the last handle can fold the log into the file, so the one that may write must be the last. Often: it was a race once.
#[test]
fn after_an_orderly_stop_the_whole_history_is_in_one_file() {
    let folder = Folder::new();
    for round in 0..60 {
        let (hub, _) = open(&folder);
        put(&hub, round * 10, round * 10 + 10);
        drop(hub);
        assert!(!log(&folder).exists(), "round {round}: {} bytes of log", log(&folder).metadata().unwrap().len());
    }
}

#[test]
fn a_file_cut_short_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let (hub, _) = open(&folder);
    put(&hub, 0, 40_000);
    hub.seal(gateway::clock::wall());
    assert!(hub.persist().unwrap().sync());
    drop(hub);
    let path = folder.0.join("data").join(FILE);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let site = folder.0.join("site.toml").display().to_string();
    let data = folder.0.join("data").display().to_string();
    let (code, _, err) = orrery(&["serve", &site, "--data", &data, "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 2);
    for part in ["is damaged", "cut short", "orrery fsck", "backup"] {
        assert!(err.contains(part), "{part} in {err}");
    }
    let (code, out, err) = orrery(&["fsck", &data]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("database.damaged"), "{out}");
    let (code, out, err) = orrery(&["fsck", &data, "--repair", "--json"]);
    assert_eq!(code, 1, "{out}{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(json["set_aside"][0].as_str().unwrap().contains("history.damaged-1.sqlite3"), "{json}");
    assert!(folder.0.join("data/history.damaged-1.sqlite3").exists(), "nothing is deleted");
    assert_eq!(orrery(&["fsck", &data]).0, 0, "mended");
    open(&folder);
}

/// Alters one byte in the middle of a blob, behind the keeper's back.
fn spoil(folder: &Folder, table: &str, place: &str) {
    let connection = Connection::open(folder.0.join("data").join(FILE)).unwrap();
    let sql = format!("SELECT rowid, bytes FROM {table} {place} LIMIT 1");
    let (row, mut bytes): (i64, Vec<u8>) = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    connection.execute(&format!("UPDATE {table} SET bytes = ?1 WHERE rowid = ?2"), rusqlite::params![bytes, row]).unwrap();
}

#[test]
fn a_damaged_journal_entry_is_left_out_told_and_kept_aside() {
    let folder = Folder::new();
    let (hub, _) = open(&folder);
    put(&hub, 0, 300);
    drop(hub);
    spoil(&folder, "journal", "ORDER BY position DESC");
    let report = fsck::check(&folder.0.join("data"), false).unwrap();
    assert_eq!((report.findings.len(), report.findings[0].code), (1, "journal.damaged"));
    let (hub, remarks) = open(&folder);
    assert!(remarks.iter().any(|remark| remark.contains("journal entry") && remark.contains("checksum")), "{remarks:?}");
    assert_eq!(count(&hub), 29, "the others are there");
    drop(hub);
    let report = fsck::check(&folder.0.join("data"), false).unwrap();
    assert_eq!(report.findings, []);
    assert!(report.set_aside[0].starts_with("journal entry"), "{:?}", report.set_aside);
}

#[test]
fn fsck_finds_damaged_chunks_moves_them_aside_and_rebuilds_what_can_be() {
    let folder = Folder::new();
    let (hub, _) = open(&folder);
    put(&hub, 0, 40_000);
    hub.seal(gateway::clock::wall());
    assert!(hub.persist().unwrap().sync());
    drop(hub);
    let data = folder.0.join("data");
    let clean = fsck::check(&data, false).unwrap();
    assert_eq!(clean.findings, []);
    assert!(clean.chunks > 20 && clean.samples > 3_900, "{clean:?}");
    let of = |level: u8, at: u8| {
        format!("WHERE id IN (SELECT blob FROM chunk WHERE level = {level} ORDER BY start_us LIMIT 1 OFFSET {at})")
    };
    for (level, at) in [(0, 0), (1, 0), (15, 5)] {
        spoil(&folder, "blob", &of(level, at));
    }
    let connection = Connection::open(data.join(FILE)).unwrap();
    connection.execute("UPDATE page SET bytes = bytes + 1 WHERE level = 2", []).unwrap();
    drop(connection);
    let text = data.display().to_string();
    let (code, out, _) = orrery(&["fsck", &text, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let codes: std::collections::BTreeSet<&str> =
        json["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(code, 1);
    for wanted in ["chunk.damaged", "coarse.stale", "carried.stale", "page.stale"] {
        assert!(codes.contains(wanted), "{wanted} in {out}");
    }
    let (code, out, _) = orrery(&["fsck", &text, "--repair"]);
    assert_eq!(code, 1);
    assert!(out.contains("mended"), "{out}");
    let (code, out, _) = orrery(&["fsck", &text]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(out.matches("set aside: chunk").count(), 3, "{out}");
    assert_eq!(orrery(&["fsck", "/nowhere"]).0, 2);
}

#[test]
fn a_backup_is_taken_beside_a_writer_reads_back_and_never_overwrites() {
    let folder = Folder::new();
    let (hub, _) = open(&folder);
    put(&hub, 0, 20_000);
    hub.seal(gateway::clock::wall());
    assert!(hub.persist().unwrap().sync());
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (hub, stop) = (hub.clone(), stop.clone());
        std::thread::spawn(move || {
            let mut s = 20_000;
            while !stop.load(Ordering::Relaxed) {
                hub.ingest(&[(SignalIndex(0), Sample::new(at(s), Value::Float(1.0)))]);
                hub.flush();
                s += 10;
                std::thread::yield_now();
            }
        })
    };
    let (data, to) = (folder.0.join("data").display().to_string(), folder.0.join("copy").display().to_string());
    let (code, out, err) = orrery(&["backup", &data, &to, "--json"]);
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(json["chunks"].as_u64().unwrap() > 5 && json["samples"].as_u64().unwrap() > 1_000, "{json}");
    let (code, _, err) = orrery(&["backup", &data, &to]);
    assert_eq!(code, 2);
    assert!(err.contains("exists already"), "{err}");
    assert_eq!(fsck::check(&folder.0.join("copy"), false).unwrap().findings, []);
    let site = Site::read_usable(&folder.0.join("site.toml")).unwrap();
    let copy = plant(&site, &PlantOptions { data: Some(folder.0.join("copy")), ..PlantOptions::default() }).unwrap();
    assert!(count(&copy.hub) >= 2_000);
    assert_eq!(orrery(&["backup", "/nowhere", &to]).0, 2);
}

/// A keeper whose commits fail while a switch is on.
pub(crate) struct Refusing {
    pub(crate) inner: MemoryHistorian,
    pub(crate) full: Arc<AtomicBool>,
}

impl Historian for Refusing {
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError> {
        if self.full.load(Ordering::Acquire) {
            return Err(KeepError::Unavailable { doing: "written", why: "no space left".to_owned() });
        }
        self.inner.commit(changes)
    }

    fn catalogue(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        self.inner.catalogue(level, range)
    }

    fn chunk(&self, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
        self.inner.chunk(key)
    }

    fn journal(
        &self,
        after: Position,
        f: &mut dyn FnMut(Entry) -> bool,
        damaged: &mut dyn FnMut(Position, String),
    ) -> Result<(), KeepError> {
        self.inner.journal(after, f, damaged)
    }

    fn note(&self, name: &str) -> Result<Option<String>, KeepError> {
        self.inner.note(name)
    }

    fn pages(&self, level: Level, range: TimeRange) -> Result<Vec<Page>, KeepError> {
        self.inner.pages(level, range)
    }

    fn reader(&self) -> Result<Box<dyn Historian>, KeepError> {
        self.inner.reader()
    }

    fn extent(&self, level: Level) -> Result<Option<TimeRange>, KeepError> {
        self.inner.extent(level)
    }

    fn bytes(&self, level: Level) -> Result<u64, KeepError> {
        self.inner.bytes(level)
    }
}

/// A plant whose keeper refuses while `full` is set.
struct Filling {
    model: Arc<twin_model::Model>,
    full: Arc<AtomicBool>,
    reader: Box<dyn Historian>,
    hub: Hub,
}

fn filling(setup: Setup) -> Filling {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let model = Arc::new(site.loaded.model.clone());
    let full = Arc::new(AtomicBool::new(false));
    let keeper = MemoryHistorian::new();
    let reader = keeper.reader().unwrap();
    let refusing = Refusing { inner: keeper, full: full.clone() };
    let persist = Persist::over(Box::new(refusing), &model, setup, true, None).unwrap();
    let hub = Hub::new(model.clone(), at(0), RingLimits::default(), empty_store(&model, 256 << 20), Some(persist));
    Filling { model, full, reader, hub }
}

#[test]
fn a_full_disk_stops_acknowledgements_not_the_plant_and_everything_is_made_up_for() {
    let setup = Setup { commit_every: Duration::from_millis(1), ..Setup::default() };
    let Filling { model, full, reader, hub } = filling(setup);
    let persist = hub.persist().unwrap();
    // Texts that nothing can pack: about a megabyte a batch.
    let noise = |seed: i64| {
        let mut state = seed as u64 * 2 + 1;
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:016x}", state ^ (state >> 29))
        };
        (0..3_000).map(|_| word()).collect::<String>()
    };
    let put = |s: i64| {
        let entry = |n: i64| {
            let t = Timestamp::from_micros(at(s).as_micros() + n);
            (SignalIndex(3), Sample::new(t, Value::text(&noise(s * 20 + n))))
        };
        hub.ingest(&(0..20).map(entry).collect::<Vec<_>>());
        hub.flush();
    };
    put(0);
    assert!(persist.sync());
    assert_eq!(*hub.durable().borrow(), 1);
    full.store(true, Ordering::Release);
    let mut s = 0;
    while persist.totals().given_up.load(Ordering::Relaxed) == 0 {
        s += 1;
        put(s);
        assert!(s < 1_000, "the queue has no bound");
    }
    assert!(persist.pending() <= 64 << 20, "{}", persist.pending());
    assert!(!persist.sync(), "and it is told");
    assert!(persist.failing() && persist.totals().errors.load(Ordering::Relaxed) > 0);
    assert_eq!(*hub.durable().borrow(), 1, "nothing more is acknowledged");
    full.store(false, Ordering::Release);
    assert!(persist.sync());
    assert!(*hub.durable().borrow() < hub.seq(), "what was given up is not durable yet");
    hub.mend();
    assert!(persist.sync());
    assert_eq!(*hub.durable().borrow(), hub.seq());
    // All of it can be read back from the journal.
    let mut back = empty_store(&model, 1 << 30);
    let mut each = |entry: Entry| {
        if back.import_chunk(&entry.bytes).is_err() {
            let frame = twin_protocol::decode_server(&entry.bytes, &twin_protocol::Limits::SERVER_FRAMES).unwrap();
            let twin_protocol::ServerFrame::Batch(batch) = frame else { panic!() };
            for entry in &batch.entries {
                back.append(SignalIndex(entry.id.0), &entry.sample);
            }
        }
        true
    };
    reader.journal(Position(0), &mut each, &mut |_, why| panic!("{why}")).unwrap();
    let all = |store: &twin_historian::Store| {
        let mut all = 0;
        store.for_each_sample(SignalIndex(3), TimeRange::new(Timestamp::MIN, Timestamp::MAX), &mut |_| {
            all += 1;
            std::ops::ControlFlow::Continue(())
        });
        all
    };
    assert_eq!(all(&back), (s + 1) * 20);
}

/// Rounds come every half minute: a disk that refuses for long must hold up neither samples nor a stop.
#[test]
fn rounds_of_sealing_wait_for_no_disk_that_refuses() {
    let Filling { full, reader, hub, .. } = filling(Setup::default());
    put(&hub, 0, 600);
    full.store(true, Ordering::Release);
    // Far more than the queue of the thread that seals has room for.
    (0..60).for_each(|_| hub.seal(at(2 * 3_600)));
    put_unsure(&hub, 600);
    full.store(false, Ordering::Release);
    assert!(hub.persist().unwrap().sync());
    assert_eq!(*hub.durable().borrow(), hub.seq(), "what came meanwhile is kept, too");
    let always = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
    let samples: u32 = reader.catalogue(Level::Raw, always).unwrap().iter().map(|kept| kept.samples).sum();
    assert_eq!(samples, 60, "the slab waited for the disk");
}

fn put_unsure(hub: &Hub, s: i64) {
    hub.ingest(&[(SignalIndex(1), Sample::new(at(s), Value::Int(s)))]);
    hub.flush();
}

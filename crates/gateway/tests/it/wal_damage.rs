//! The write-ahead log of a folder that a kill left, damaged anywhere: no command loses without a word what was acknowledged, no
//! reader changes a byte, a server does not begin what would forget it, and a repair gets it back and keeps what was there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Database, FILE, SyncPolicy, backup, fsck, wal};
use gateway::hub::Hub;
use gateway::site::Site;
use gateway::stores::empty_store;
use rusqlite::Connection;
use twin_model::{Model, Sample, SignalIndex, Value};

use crate::salvage::{Samples, copy, read, text};
use crate::series::Random;
use crate::world::{Folder, SITE, at, orrery};

/// Bytes before the first frame, and of a frame with its page.
pub(crate) const HEADER: usize = 32;
pub(crate) const FRAME: usize = 24 + 4_096;

/// How far the log was folded in before the kill.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Folded {
    /// The file has no table yet: the log has everything.
    Never,
    /// The file has some of it, and the log was begun anew over older frames.
    Once,
}

/// A folder as a kill leaves it, in `good`, and a place for what is done to copies of it.
pub(crate) struct Killed {
    pub(crate) folder: Folder,
    pub(crate) model: Model,
    pub(crate) all: Samples,
}

impl Killed {
    pub(crate) fn with(folded: Folded) -> Self {
        let folder = Folder::new();
        let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
        let data = folder.0.join("data");
        let plant = plant(&site, &PlantOptions { data: Some(data.clone()), ..PlantOptions::default() }).unwrap();
        let mut random = Random(3);
        put(&plant.hub, &mut random, 0..40);
        if folded == Folded::Once {
            plant.hub.seal(at(2 * 3_600));
            assert!(plant.hub.persist().unwrap().sync());
            let other = Connection::open(data.join(FILE)).unwrap();
            let busy: i64 = other.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0)).unwrap();
            assert_eq!(busy, 0, "folded in, and to be begun anew");
        }
        put(&plant.hub, &mut random, 40..60);
        copy(&data, &folder.0.join("good"));
        drop(plant);
        let all = read(&site.loaded.model, &data);
        assert_eq!(all.len(), 60 * 30);
        Self { folder, model: site.loaded.model, all }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    pub(crate) fn log(&self) -> Vec<u8> {
        std::fs::read(wal::log_of(&self.path("good").join(FILE))).unwrap()
    }

    /// A copy of the folder with another log.
    pub(crate) fn hurt(&self, log: &[u8]) -> PathBuf {
        let data = self.path("hurt");
        copy(&self.path("good"), &data);
        std::fs::write(wal::log_of(&data.join(FILE)), log).unwrap();
        data
    }

    /// Holds every command to it that it tells of a folder of which something is gone, in these words, and changes nothing in it: who
    /// reads gives what is there, who writes or copies refuses. Returns the file of the export.
    pub(crate) fn every_command_tells(&self, data: &Path, words: &str, what: &str) -> String {
        let before = bytes(data);
        let (site, of) = (text(&self.path("site.toml")), text(data));
        let (out, to, newest) = (text(&self.path("out.csv")), text(&self.path("to")), at(60 * 60).to_string());
        let table = text(&self.folder.write("z.csv", "signal,time,value\npump-01.flow,2026-03-02T08:00:00Z,70\n"));
        let commands: [(&[&str], i32); 8] = [
            (&["fsck", &of], 1),
            (&["export", &site, "--data", &of, "-o", &out], 1),
            (&["state", &site, "--data", &of, "--at", &newest], 1),
            (&["history", "list", &of], 1),
            (&["backup", &of, &to], 2),
            (&["serve", &site, "--data", &of, "--listen", "127.0.0.1:0"], 2),
            (&["import-samples", &site, &table, "--data", &of], 2),
            (&["history", "remove", &of, "pump-01.flow", "--yes"], 2),
        ];
        for (args, wanted) in commands {
            let (code, said, err) = orrery(args);
            assert_eq!(code, wanted, "{what}: {args:?}: {said}{err}");
            assert!(format!("{said}{err}").contains(words), "{what}: {args:?}: {said}{err}");
            assert_eq!(bytes(data), before, "{what}: {args:?} changes nothing");
        }
        out
    }

    /// Frames of the log as it was begun last: those that carry its header's salts.
    pub(crate) fn frames(&self) -> usize {
        let log = self.log();
        log[HEADER..].chunks_exact(FRAME).take_while(|frame| frame[8..16] == log[16..24]).count()
    }

    /// How many samples are missing in what was read of a folder; what is there is what it was.
    pub(crate) fn lacking(&self, have: &Samples, what: &str) -> usize {
        for (sample, value) in have {
            assert_eq!(Some(value), self.all.get(sample), "{what}: {sample:?} is what was written");
        }
        self.all.len() - have.len()
    }
}

/// Acknowledged batches of numbers and texts, each in a commit of its own; texts over several pages.
fn put(hub: &Hub, random: &mut Random, batches: std::ops::Range<i64>) {
    for batch in batches {
        let mut one = |n: i64| {
            let t = at(batch * 60 + n);
            let value = match n % 3 {
                0 => (0, Value::Float(random.below(1 << 50) as f64 / 1_024.0)),
                1 => (5, Value::Int(batch * 100 + n)),
                _ => (3, Value::text(&(0..60).map(|_| format!("{:08x}", random.below(1 << 32))).collect::<String>())),
            };
            (SignalIndex(value.0), Sample::new(t, value.1))
        };
        hub.ingest(&(0..30).map(&mut one).collect::<Vec<_>>());
        hub.flush();
        assert!(hub.persist().unwrap().sync());
    }
}

/// Bytes of all files of a folder but for SQLite's index of the log, which it makes anew.
pub(crate) fn bytes(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(data).unwrap().map(|file| file.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.map(|path| (name(&path), std::fs::read(&path).unwrap())).filter(|(name, _)| !name.ends_with("-shm")).collect()
}

/// Samples by a reader, and whether it was said that some are missing; none where it refused.
pub(crate) fn by_reader(killed: &Killed, data: &Path) -> Option<(Samples, bool, Vec<String>)> {
    let database = Database::open_to_read(data).ok()?;
    let mut store = empty_store(&killed.model, 1 << 30);
    let loaded = database.load(&killed.model, &mut store).ok()?;
    let said = loaded.unreadable > 0 && !loaded.missing.is_empty();
    drop(database);
    Some((crate::salvage::samples(&killed.model, &store), said, loaded.remarks))
}

/// The promise, on a damaged log: readers, a copy, a look, a start and a repair. Returns what is lost after the repair.
fn hold_to(killed: &Killed, log: &[u8], what: &str) -> usize {
    let data = killed.hurt(log);
    let before = bytes(&data);
    let (have, said, remarks) = by_reader(killed, &data).unwrap_or_else(|| panic!("{what}: readers are answered"));
    let lacking = killed.lacking(&have, what);
    assert!(lacking == 0 || said || !remarks.is_empty(), "{what}: {lacking} samples are missing, and nobody is told");
    let to = killed.path("copy");
    drop(std::fs::remove_dir_all(&to));
    if let Ok(done) = backup(&data, &to) {
        let lacking = killed.lacking(&read(&killed.model, &to), what);
        assert!(lacking == 0 || !done.remarks.is_empty(), "{what}: a copy that lacks {lacking} samples says so");
    }
    let looked = fsck::check(&data, false).unwrap();
    assert_eq!(bytes(&data), before, "{what}: readers change nothing");
    let damaged = !looked.findings.is_empty();
    let told = damaged || looked.unfinished_pages > 0;
    assert!(lacking == 0 || told, "{what}: {looked:?}");
    let start = killed.path("start");
    copy(&data, &start);
    match Database::open(&start) {
        Ok(database) => {
            assert!(!damaged, "{what}: a server begins with what fsck calls damaged");
            assert!(killed.lacking(&read(&killed.model, &start), what) == 0 || !database.remarks().is_empty(), "{what}");
        }
        Err(error) => {
            assert!(error.to_string().contains("orrery fsck --repair"), "{what}: {error}");
            assert_eq!(bytes(&start), before, "{what}: a start that is refused changes nothing");
        }
    }
    let report = fsck::check(&data, true).unwrap();
    let after = killed.lacking(&read(&killed.model, &data), what);
    assert!(after <= lacking, "{what}: a repair gets back what a reader does");
    assert!(after == 0 || report.lost() || report.unfinished_pages > 0, "{what}: {after} are lost: {report:?}");
    if report.lost() && report.lost_uncounted == 0 {
        assert_eq!(report.lost_samples, after as u64, "{what}: {report:?}");
    }
    if damaged {
        let kept = bytes(&data);
        for (name, aside) in
            [(FILE.to_owned(), "history.damaged-1.sqlite3"), (format!("{FILE}-wal"), "history.damaged-1.sqlite3-wal")]
        {
            assert_eq!(kept.get(aside), before.get(&name), "{what}: {name} is set aside as it was");
        }
    }
    assert_eq!(fsck::check(&data, false).unwrap().findings, [], "{what}: sound afterwards");
    after
}

fn cases(few: usize, many: usize) -> usize {
    if std::env::var_os("ORRERY_LONG_TESTS").is_some() { many } else { few }
}

#[test]
fn any_byte_of_the_logs_header_may_be_damaged_without_a_loss() {
    for folded in [Folded::Never, Folded::Once] {
        let killed = Killed::with(folded);
        let log = killed.log();
        for place in (0..HEADER).step_by(cases(4, 1)) {
            let mut hurt = log.clone();
            hurt[place] ^= 0x55;
            assert_eq!(hold_to(&killed, &hurt, &format!("header byte {place}")), 0);
        }
        let all = ("all of it", log.len());
        for (name, until) in [("the header", HEADER), ("the header and the first frame", HEADER + FRAME), all] {
            let mut hurt = log.clone();
            hurt[..until].fill(0);
            let lost = hold_to(&killed, &hurt, name);
            assert!(until > HEADER || lost == 0, "{lost}");
        }
    }
}

/// One byte of a page in four can't be told from others by the checksum: it costs the piece that it is in, and no more than that.
#[test]
fn a_damaged_byte_of_a_frame_takes_no_more_than_the_piece_that_it_is_in() {
    for folded in [Folded::Never, Folded::Once] {
        let killed = Killed::with(folded);
        let (log, frames) = (killed.log(), killed.frames());
        assert!(frames > 20, "{frames}");
        let mut random = Random(11);
        for frame in [0, frames / 2, frames - 2, frames - 1] {
            let heads = (0..24).step_by(cases(6, 1));
            let pages = (0..cases(3, 60)).map(|_| 24 + random.below(4_096) as usize);
            for place in heads.chain(pages).collect::<Vec<_>>() {
                let mut hurt = log.clone();
                hurt[HEADER + frame * FRAME + place] ^= 0x55;
                let lost = hold_to(&killed, &hurt, &format!("frame {frame} of {frames}, byte {place}"));
                // The salts and the checksum, and the lower three bytes of a word.
                let certain = (8..24).contains(&place) || place % 4 != 3;
                assert!(lost == 0 || (!certain && lost <= 30), "frame {frame} of {frames}, byte {place}: {lost}");
            }
        }
    }
}

/// Of how many batches a page may hold something: a leaf of a table of each of its rows (SQLite's file format, 1.6: kind 13, then at 3 the
/// number of cells), what flows over of one.
fn batches_in(page: &[u8]) -> usize {
    if page[0] == 13 { usize::from(u16::from_be_bytes([page[3], page[4]])).max(1) } else { 1 }
}

#[test]
fn what_several_damaged_bytes_take_is_told_and_no_more_than_that_is_lost() {
    for folded in [Folded::Never, Folded::Once] {
        let killed = Killed::with(folded);
        let (log, frames) = (killed.log(), killed.frames());
        let ours = HEADER + frames * FRAME;
        for seed in 0..cases(10, 600) as u64 {
            let mut random = Random(seed);
            let mut hurt = log.clone();
            let first = random.below(ours as u64) as usize;
            // Two bytes anywhere, two of one frame, a sector, some pages.
            let (places, what) = match seed % 4 {
                0 => (vec![first, random.below(ours as u64) as usize], "two bytes"),
                1 => (vec![first, (first + 700).min(ours - 1)], "two bytes nearby"),
                2 => ((first / 512 * 512..(first / 512 * 512 + 512).min(ours)).collect(), "a sector"),
                _ => ((first..(first + 9_000).min(ours)).collect(), "some pages"),
            };
            let mut pages = BTreeSet::new();
            for place in places {
                hurt[place] ^= 1 + random.below(255) as u8;
                pages.extend(place.checked_sub(HEADER).map(|behind| behind / FRAME));
            }
            let lost = hold_to(&killed, &hurt, &format!("{what} at {first} of {ours}, seed {seed}"));
            let most: usize = pages.iter().map(|frame| batches_in(&log[HEADER + frame * FRAME + 24..][..4_096])).sum();
            assert!(
                lost <= most * 30,
                "{what} at {first} of {ours}, seed {seed}: {lost} samples are lost, {most} batches were hit"
            );
        }
    }
}

#[test]
fn bytes_left_over_from_before_the_log_was_begun_anew_are_nobodys_loss() {
    let killed = Killed::with(Folded::Once);
    let (log, ours) = (killed.log(), HEADER + killed.frames() * FRAME);
    assert!(log.len() > ours + 3 * FRAME, "{} frames are left over", (log.len() - ours) / FRAME);
    let mut random = Random(5);
    for _ in 0..cases(4, 40) {
        let place = ours + random.below((log.len() - ours) as u64) as usize;
        let mut hurt = log.clone();
        hurt[place] ^= 0x10;
        let data = killed.hurt(&hurt);
        assert_eq!(fsck::check(&data, false).unwrap().findings, [], "byte {place}");
        let (have, said, remarks) = by_reader(&killed, &data).unwrap();
        assert_eq!((killed.lacking(&have, "left over"), said, remarks), (0, false, Vec::new()), "byte {place}");
    }
}

#[test]
fn every_command_tells_of_a_damaged_log_and_none_touches_it() {
    let killed = Killed::with(Folded::Once);
    let (site, to) = (text(&killed.path("site.toml")), text(&killed.path("to")));
    let mut hurt = killed.log();
    hurt[10] ^= 0x55;
    // Beyond mending: two bytes of one page, which no later frame has again.
    let mut worse = killed.log();
    let page = |frame: usize| worse[HEADER + frame * FRAME..][..4].to_vec();
    let once = |frame: &usize| (frame + 1..killed.frames()).all(|later| page(later) != page(*frame));
    let frame = HEADER + (killed.frames() / 2..killed.frames()).find(once).unwrap() * FRAME;
    worse[frame + 2_000] ^= 0x55;
    worse[frame + 2_700] ^= 0x55;
    for (log, lossless) in [(hurt, true), (worse, false)] {
        let path = killed.hurt(&log);
        let (data, before) = (text(&path), bytes(&path));
        let newest = at(60 * 60).to_string();
        let out = text(&killed.path("out.csv"));
        let commands: [(&[&str], [i32; 2]); 7] = [
            (&["fsck", &data], [1, 1]),
            (&["export", &site, "--data", &data, "-o", &out], [0, 1]),
            (&["state", &site, "--data", &data, "--at", &newest], [0, 1]),
            (&["history", "list", &data], [0, 1]),
            (&["backup", &data, &to], [2, 2]),
            (&["serve", &site, "--data", &data, "--listen", "127.0.0.1:0"], [2, 2]),
            (&["history", "remove", &data, "pump-01.flow", "--yes"], [2, 2]),
        ];
        for (args, codes) in commands {
            let (code, said, err) = orrery(args);
            assert_eq!(code, codes[usize::from(!lossless)], "{args:?}: {said}{err}");
            assert!(format!("{said}{err}").contains("of its log"), "{args:?}: {said}{err}");
            assert!(format!("{said}{err}").contains("--repair"), "{args:?}: {said}{err}");
            assert_eq!(bytes(&path), before, "{args:?}");
        }
        let rows = std::fs::read_to_string(killed.path("out.csv")).unwrap().lines().count() - 1;
        assert_eq!(rows == killed.all.len(), lossless, "{rows} rows of {}", killed.all.len());
    }
}

/// A power cut may damage the log of a server that does not wait for the disk: it starts, says so, and keeps what SQLite would forget.
#[test]
fn without_full_synchronisation_a_start_goes_on_and_keeps_the_damaged_log() {
    let killed = Killed::with(Folded::Once);
    let mut hurt = killed.log();
    hurt[HEADER + 3 * FRAME + 100] ^= 1;
    let data = killed.hurt(&hurt);
    let database = Database::open_with(&data, SyncPolicy::Normal).unwrap();
    assert!(database.remarks()[0].contains("history.damaged-1.sqlite3-wal"), "{:?}", database.remarks());
    drop(database);
    assert_eq!(std::fs::read(data.join("history.damaged-1.sqlite3-wal")).unwrap(), hurt);
}

/// Of the file a reader gets what is whole, and is told of the rest or refused.
#[test]
fn a_damaged_byte_of_the_file_beside_a_log_is_told_to_readers_and_changes_nothing() {
    for folded in [Folded::Never, Folded::Once] {
        let killed = Killed::with(folded);
        let file = std::fs::read(killed.path("good").join(FILE)).unwrap();
        for seed in 0..cases(20, 2_000) as u64 {
            let mut random = Random(seed);
            let data = killed.hurt(&killed.log());
            let mut hurt = file.clone();
            let place = random.below(if seed % 4 == 0 { 100 } else { file.len() as u64 }) as usize;
            hurt[place] ^= 1 + random.below(255) as u8;
            std::fs::write(data.join(FILE), &hurt).unwrap();
            let before = bytes(&data);
            if let Some((have, said, _)) = by_reader(&killed, &data) {
                let lacking = killed.lacking(&have, &format!("byte {place}"));
                assert!(lacking == 0 || said, "byte {place}: {lacking} samples are missing, and nobody is told");
            }
            assert_eq!(bytes(&data), before, "byte {place}");
        }
    }
}

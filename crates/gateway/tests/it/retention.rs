//! How long history is kept: by age and bytes, level by level, with a clock that the test moves.

use gateway::assemble::{PlantOptions, plant};
use gateway::history::Setup;
use gateway::hub::Hub;
use gateway::site::Site;
use twin_historian::historian::{Limits, Retention};
use twin_historian::{Historian as _, Level};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use crate::world::{Folder, SITE, at, orrery};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
const HOUR: i64 = 3_600;

fn hub(folder: &Folder, retention: Retention, disk: bool) -> std::sync::Arc<Hub> {
    let site = folder.write("site.toml", SITE);
    let setup = Setup { retention, ..Setup::default() };
    let data = disk.then(|| folder.0.join("data"));
    let options = PlantOptions { data, setup, ..PlantOptions::default() };
    plant(&Site::read_usable(&site).unwrap(), &options).unwrap().hub
}

fn age(hours: i64) -> Limits {
    Limits { age: Some(Span::from_secs(hours * HOUR)), bytes: None }
}

fn saw(s: i64) -> f64 {
    (s / 10 * 37 % 1_000) as f64
}

/// All bits of it are noise: eight bytes a sample, whatever packs them.
fn noise(s: i64) -> f64 {
    let z = (s as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    1.0 + (z >> 12) as f64 / (1_u64 << 52) as f64
}

/// Two signals every ten seconds for some hours from `at(0)`, sealed.
fn fill(hub: &Hub, hours: std::ops::Range<i64>, f: fn(i64) -> f64) {
    fill_with(hub, hours, [0, 4], &|s| Value::Float(f(s)));
}

fn fill_with(hub: &Hub, hours: std::ops::Range<i64>, signals: [u32; 2], f: &dyn Fn(i64) -> Value) {
    for s in (hours.start * HOUR..hours.end * HOUR).step_by(10) {
        hub.ingest(&signals.map(|signal| (SignalIndex(signal), Sample::new(at(s), f(s + i64::from(signal))))));
    }
    hub.flush();
    seal(hub);
}

fn seal(hub: &Hub) {
    hub.seal(gateway::clock::wall());
    assert!(hub.persist().unwrap().sync());
}

fn retain(hub: &Hub, now: Timestamp) {
    hub.retain(now);
    assert!(hub.persist().unwrap().sync());
}

fn starts(keeper: &dyn twin_historian::Historian, level: Level) -> Vec<i64> {
    keeper.pages(level, ALWAYS).unwrap().iter().map(|page| page.start.since(first()).as_micros() / 1_000_000 / HOUR).collect()
}

/// Start of the hour of `at(0)`.
fn first() -> Timestamp {
    at(0).floor_to(Span::from_secs(HOUR))
}

fn reader(folder: &Folder) -> gateway::history::Database {
    gateway::history::Database::open_to_read(&folder.0.join("data")).unwrap()
}

#[test]
fn raw_goes_by_age_and_coarser_levels_still_answer() {
    let folder = Folder::new();
    let retention = Retention { raw: age(5), five_minutes: age(48), hour: Limits::default() };
    let hub = hub(&folder, retention, true);
    fill(&hub, 0..20, saw);
    assert_eq!(starts(reader(&folder).keeper(), Level::Raw), (0..=20).collect::<Vec<_>>());
    retain(&hub, first() + Span::from_secs(15 * HOUR));
    assert_eq!(
        starts(reader(&folder).keeper(), Level::Raw),
        (10..=20).collect::<Vec<_>>(),
        "five hours of raw before now, and what came after"
    );
    let expired = hub.persist().unwrap().totals().expired.load(std::sync::atomic::Ordering::Relaxed);
    assert!(expired >= 10, "{expired}");
    // What is left of the first hours is what a picture of them needs: extremes of every five minutes.
    let store = crate::disk::everything(&hub);
    let peak = |range: TimeRange| {
        let mut peak = f64::NEG_INFINITY;
        store.for_each_sample(SignalIndex(0), range, &mut |sample| {
            peak = peak.max(sample.value.as_f64().unwrap());
            std::ops::ControlFlow::Continue(())
        });
        peak
    };
    let hours = TimeRange::new(at(0), at(2 * HOUR));
    let highest = (0..2 * HOUR).step_by(10).map(saw).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(peak(hours), highest);
    assert_eq!(hub.extent().unwrap().start.floor_to(Span::from_secs(6 * HOUR)), first().floor_to(Span::from_secs(6 * HOUR)));
    retain(&hub, first() + Span::from_secs(15 * HOUR));
    let again = hub.persist().unwrap().totals().expired.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(again, expired, "once is enough");
}

#[test]
fn what_is_answered_from_extracts_says_so() {
    let folder = Folder::new();
    let retention = Retention { raw: age(5), five_minutes: age(48), hour: Limits::default() };
    let hub = hub(&folder, retention, true);
    fill(&hub, 0..20, saw);
    retain(&hub, first() + Span::from_secs(15 * HOUR));
    let (site, data) = (folder.0.join("site.toml").display().to_string(), folder.0.join("data").display().to_string());
    let state = |t: i64| {
        let (_, out, err) = orrery(&["state", &site, "--data", &data, "--at", &at(t).to_string(), "--json"]);
        (serde_json::from_str::<serde_json::Value>(&out).unwrap(), err)
    };
    let (json, err) = state(2 * HOUR);
    assert_eq!(json["detail"], "5min", "{json}");
    assert!(err.contains("only extracts are kept (5min)"), "{err}");
    let value = &json["twins"][0]["signals"][0];
    assert!(value["value"].is_number() && value["quality"] == "good", "{value}");
    let (json, err) = state(12 * HOUR);
    assert!(json.get("detail").is_none() && !err.contains("extracts"), "every reading is there: {err}");
}

#[test]
fn a_late_sample_of_a_time_whose_raw_chunks_are_gone_goes_into_the_coarser_ones_only() {
    let folder = Folder::new();
    let retention = Retention { raw: age(5), ..Retention::default() };
    let hub = hub(&folder, retention, true);
    fill(&hub, 0..20, saw);
    retain(&hub, first() + Span::from_secs(15 * HOUR));
    let raw = starts(reader(&folder).keeper(), Level::Raw);
    hub.ingest(&[(SignalIndex(0), Sample { received_time: at(20 * HOUR), ..Sample::new(at(HOUR + 5), Value::Float(1e6)) })]);
    hub.flush();
    seal(&hub);
    assert_eq!(starts(reader(&folder).keeper(), Level::Raw), raw, "raw is not brought back");
    let store = crate::disk::everything(&hub);
    assert_eq!(store.latest_at(SignalIndex(0), at(HOUR + 6)).unwrap().value, Value::Float(1e6));
    assert_eq!(gateway::history::fsck::check(&folder.0.join("data"), false).unwrap().findings, []);
    // The same after a start: what was given up is not taken for news.
    drop(hub);
    let hub = self::hub(&folder, retention, true);
    seal(&hub);
    assert_eq!(starts(reader(&folder).keeper(), Level::Raw), raw);
    assert_eq!(crate::disk::everything(&hub).latest_at(SignalIndex(0), at(HOUR + 6)).unwrap().value, Value::Float(1e6));
}

#[test]
fn bytes_bound_a_level_and_what_is_gone_at_every_level_is_told() {
    let folder = Folder::new();
    let most = 3_000;
    let bytes = |bytes: u64| Limits { age: None, bytes: Some(bytes) };
    let retention = Retention { raw: bytes(most), five_minutes: bytes(1), hour: bytes(1) };
    let hub = hub(&folder, retention, true);
    // Counters without a period: no gaps, so that an hour keeps far less of them than there is, and is a page of its own.
    fill_with(&hub, 0..30, [1, 5], &|s| Value::Int(saw(s) as i64));
    let before = reader(&folder).keeper().bytes(Level::Raw).unwrap();
    assert!(before > most, "{before}");
    retain(&hub, at(30 * HOUR));
    let database = reader(&folder);
    let keeper: &dyn twin_historian::Historian = database.keeper();
    let after = keeper.bytes(Level::Raw).unwrap();
    assert!(after <= most && after > most / 2, "{after}");
    let gone = gateway::history::pages::Catalogue::of(keeper, ALWAYS).unwrap();
    let (json, _) = gone.finish(hub.extent(), std::iter::empty(), at(0));
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let outside = json["outside_before_us"].as_i64().unwrap();
    assert!(outside > at(0).as_micros() && outside <= json["levels"][0]["pages"][0]["start_us"].as_i64().unwrap(), "{json}");
    // Space comes back to the file system with the removals.
    let connection = rusqlite::Connection::open(folder.0.join("data/history.sqlite3")).unwrap();
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(pragma("auto_vacuum") == 2 && pragma("freelist_count") < 8, "{} free", pragma("freelist_count"));
    assert!(hub.persist().unwrap().totals().expired_bytes.load(std::sync::atomic::Ordering::Relaxed) >= before - after);
}

#[test]
fn without_a_data_folder_memory_keeps_what_its_budget_allows() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let hub = plant(&site, &PlantOptions { memory_bytes: 4 << 20, ..PlantOptions::default() }).unwrap().hub;
    for day in 0..40 {
        fill(&hub, day * 24..day * 24 + 24, noise);
        retain(&hub, at(day * 24 * HOUR));
    }
    let persist = hub.persist().unwrap();
    let kept: u64 = Level::TIERS.iter().map(|level| persist.kept_bytes(*level)).sum();
    assert!((1 << 20..=2 << 20).contains(&kept), "{kept}");
    let store = hub.with_store(|store| store.bytes().total());
    assert!(store < 3 << 20, "{store}");
    let extent = hub.extent().unwrap();
    assert!(extent.start > at(0) && extent.end > at(39 * 24 * HOUR), "{extent:?}");
    assert_eq!(*hub.durable().borrow(), hub.seq(), "memory promises nothing and makes nobody wait");
}

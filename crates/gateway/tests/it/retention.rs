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
fn what_the_site_has_no_more_goes_by_age_like_the_rest() {
    let folder = Folder::new();
    let retention = Retention { raw: age(5), five_minutes: age(5), hour: age(5) };
    let all = hub(&folder, retention, true);
    fill(&all, 0..10, saw);
    drop(all);
    let one = SITE.replace("[[twins]]\nid = \"pump-02\"\ninterface = \"pump\"\nbind = false\n", "");
    assert_ne!(one, SITE);
    let site = folder.write("site.toml", &one);
    let options = PlantOptions {
        data: Some(folder.0.join("data")),
        setup: Setup { retention, ..Setup::default() },
        ..PlantOptions::default()
    };
    let (site_path, data) = (site.display().to_string(), folder.0.join("data").display().to_string());
    let kept = || {
        let (_, out, err) = orrery(&["history", "list", &site_path, "--data", &data, "--json"]);
        let listed: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        let of = |id: &str| {
            let row = listed["series"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("{listed}"));
            (row["in_site"].as_bool().unwrap(), row["samples"].as_u64().unwrap())
        };
        (of("pump-01.flow"), of("pump-02.flow"))
    };
    let hub = plant(&Site::read_usable(&site).unwrap(), &options).unwrap().hub;
    assert_eq!(kept(), ((true, 3_600), (false, 3_600)), "kept until retention takes it");
    retain(&hub, first() + Span::from_secs(12 * HOUR));
    let (here, gone) = kept();
    assert_eq!(here.1, gone.1, "by one rule");
    let (_, table, err) = orrery(&["export", &site_path, "--data", &data, "-o", "-"]);
    let exported = table.lines().filter(|line| line.starts_with("pump-01.flow,")).count() as u64;
    assert_eq!(here.1, exported, "each reading that is left is counted once: {err}");
    assert!(!starts(reader(&folder).keeper(), Level::Raw).contains(&6), "readings of before are gone");
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
    let export = |from: i64, to: i64| {
        let range = ["--from", &at(from).to_string(), "--to", &at(to).to_string()];
        orrery(&[&["export", &*site, "--data", &*data, "-o", "-"], &range[..]].concat())
    };
    let (code, _, err) = export(2 * HOUR, 3 * HOUR);
    assert!(code == 0 && err.contains("only extracts are kept (5min)") && err.contains("the others are gone"), "{err}");
    assert!(!export(12 * HOUR, 13 * HOUR).2.contains("extracts"), "every reading is there");
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

/// What every surface says of a folder in which readings lie further apart than any limit but the last.
#[test]
fn readings_far_apart_outlive_the_finer_levels_and_none_that_was_superseded_comes_back() {
    const DAY: i64 = 24 * HOUR;
    let many = |every: i64, count: i64| (1..=count).map(|n| -n * every).rev().collect::<Vec<i64>>();
    let season = (0..1_440).map(|minute| -300 * DAY + minute * 60).collect::<Vec<i64>>();
    for (name, times) in [
        ("three", vec![-400 * DAY, -200 * DAY, -30 * DAY]),
        ("a month apart", many(30 * DAY, 12)),
        ("ten days apart", many(10 * DAY, 40)),
        ("one day of a season", season),
    ] {
        for (raw, five_minutes) in [(24, 7 * 24), (24, 24), (2, 24)] {
            let folder = Folder::new();
            let retention = Retention { raw: age(raw), five_minutes: age(five_minutes), hour: Limits::default() };
            let first_hub = hub(&folder, retention, true);
            for (n, t) in times.iter().enumerate() {
                let sample = Sample { received_time: at(*t), ..Sample::new(at(*t), Value::Float(n as f64)) };
                first_hub.ingest(&[(SignalIndex(0), sample)]);
            }
            first_hub.flush();
            seal(&first_hub);
            retain(&first_hub, at(0));
            drop(first_hub);
            let newest = (times.len() - 1) as f64;
            let (site, data) = (folder.0.join("site.toml").display().to_string(), folder.0.join("data").display().to_string());
            let now = at(0).to_string();
            let (_, out, err) = orrery(&["state", &site, "--data", &data, "--at", &now, "--judge-by", "now", "--json"]);
            let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
            let value = &json["twins"][0]["signals"][0];
            assert_eq!(
                (&value["value"], &value["time"]),
                (&newest.into(), &at(*times.last().unwrap()).to_string().into()),
                "{name}, {raw} h"
            );
            // Extracts of an hour keep some readings of each, and those of different hours all.
            let hours: std::collections::BTreeSet<i64> = times.iter().map(|t| t.div_euclid(HOUR)).collect();
            let (_, table, err) = orrery(&["export", &site, "--data", &data, "-o", "-"]);
            let rows = table.lines().count() - 1;
            assert!(rows >= hours.len(), "{name}, {raw} h: {rows} rows of {} hours; {err}", hours.len());
            let (_, listed, err) = orrery(&["history", "list", &site, "--data", &data, "--json"]);
            let listed: serde_json::Value = serde_json::from_str(&listed).unwrap_or_else(|_| panic!("{err}"));
            let counted: u64 = listed["series"].as_array().unwrap().iter().filter_map(|it| it["samples"].as_u64()).sum();
            assert!(counted >= hours.len() as u64, "{name}: {listed}");
            // A server that starts again has the same for whoever comes.
            let again = hub(&folder, retention, true);
            let extent = again.extent().expect("what is kept has an extent");
            assert!(extent.start <= at(times[0]) && extent.end > at(*times.last().unwrap()), "{name}: {extent:?}");
            let (history, lacks) = gateway::excerpt::history_of(&again, ALWAYS, gateway::lacks::Damaged::Refuse).unwrap();
            assert!(!history.chunks.is_empty() && lacks.is_empty(), "{name}");
            let (frames, _) = again.open(None, at(0));
            let sent = frames.iter().find_map(|frame| match frame {
                twin_protocol::ServerFrame::Snapshot(snapshot) => {
                    snapshot.entries.first().map(|entry| entry.sample.value.clone())
                }
                _ => None,
            });
            assert_eq!(sent, Some(Value::Float(newest)), "{name}, {raw} h");
        }
    }
}

#[test]
fn when_every_level_is_over_what_held_last_still_holds() {
    let folder = Folder::new();
    let retention = Retention { raw: age(24), five_minutes: age(24), hour: age(48) };
    let first_hub = hub(&folder, retention, true);
    for (n, days) in [400, 200, 30].into_iter().enumerate() {
        let t = at(-days * 24 * HOUR);
        let of = |value| Sample { received_time: t, ..Sample::new(t, value) };
        first_hub.ingest(&[(SignalIndex(0), of(Value::Float(n as f64))), (SignalIndex(3), of(Value::text(&format!("v{n}"))))]);
    }
    first_hub.flush();
    seal(&first_hub);
    retain(&first_hub, at(0));
    drop(first_hub);
    let (site, data) = (folder.0.join("site.toml").display().to_string(), folder.0.join("data").display().to_string());
    let now = at(0).to_string();
    let (_, out, err) = orrery(&["state", &site, "--data", &data, "--at", &now, "--judge-by", "now", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    let signals = &json["twins"][0]["signals"];
    assert_eq!((&signals[0]["value"], &signals[3]["value"]), (&2.0.into(), &"v2".into()), "{json}");
    let again = hub(&folder, retention, true);
    let (frames, _) = again.open(None, at(0));
    let sent = frames.iter().find_map(|frame| match frame {
        twin_protocol::ServerFrame::Snapshot(snapshot) => {
            Some(snapshot.entries.iter().map(|entry| entry.sample.value.clone()).collect::<Vec<_>>())
        }
        _ => None,
    });
    assert_eq!(sent, Some(vec![Value::Float(2.0), Value::text("v2")]));
}

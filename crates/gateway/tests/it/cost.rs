//! What history costs follows the samples, not the time between them; and however pages were joined and cut, reads are those of
//! a sorted list, also after a kill at any commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gateway::RingLimits;
use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Database, FILE, Persist, Setup, SqliteHistorian, SyncPolicy, fsck, pages};
use gateway::hub::Hub;
use gateway::site::Site;
use gateway::stores::empty_store;
use twin_historian::historian::{Blob, Change, Entry, Historian, KeepError, Kept, LEVELS, Limits, Page, Position, Retention};
use twin_historian::{ChunkKey, Level, Store, StoreConfig};
use twin_model::{Model, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use crate::world::{Folder, orrery, shared};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Numbers from a seed: splitmix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: i64) -> i64 {
        (self.next() % n as u64) as i64
    }
}

fn site(folder: &Folder, signals: usize) -> Site {
    let mut text = "[site]\nid = \"far\"\n".to_owned();
    for at in 0..signals {
        write!(text, "[[twins]]\nid = \"t{at:04}\"\nsignals = [{{ name = \"v\" }}]\n").unwrap();
    }
    text += "[[sources]]\nid = \"push\"\nkind = \"websocket\"\n";
    Site::read_usable(&folder.write("site.toml", text)).unwrap()
}

fn hub_in(site: &Site, data: &Path, retention: Retention) -> Arc<Hub> {
    let setup = Setup { commit_every: Duration::from_millis(1), retention };
    let options = PlantOptions { data: Some(data.to_owned()), setup, sync: SyncPolicy::Off, ..PlantOptions::default() };
    plant(site, &options).unwrap().hub
}

fn t(s: i64) -> Timestamp {
    Timestamp::from_secs(s)
}

type List = BTreeMap<(u32, i64), f64>;

/// Samples into a hub and into the list that it is compared with.
fn put(hub: &Hub, list: &mut List, samples: &[(u32, i64, f64)]) {
    let take = |(signal, s, v): &(u32, i64, f64)| {
        let sample = Sample { received_time: Timestamp::MAX, ..Sample::new(t(*s), Value::Float(*v)) };
        (SignalIndex(*signal), sample)
    };
    for part in samples.chunks(40_000) {
        hub.ingest(&part.iter().map(take).collect::<Vec<_>>());
        hub.flush();
    }
    list.extend(samples.iter().map(|(signal, s, v)| ((*signal, *s), *v)));
}

fn seal(hub: &Hub, upto: i64) {
    hub.seal(t(upto));
    hub.persist().unwrap().sync();
}

fn list_of(store: &Store) -> List {
    let mut list = List::new();
    for signal in 0..store.signals() as u32 {
        store.for_each_sample(SignalIndex(signal), ALWAYS, &mut |sample| {
            list.insert((signal, sample.source_time.as_micros() / 1_000_000), sample.value.as_f64().unwrap());
            ControlFlow::Continue(())
        });
    }
    list
}

fn everything_on_disk(model: &Model, data: &Path) -> Store {
    let config = StoreConfig { budget_bytes: 1 << 30, ..StoreConfig::default() };
    let mut store = Store::new(model.signals().iter().map(Into::into), config);
    let loaded = Database::open_to_read(data).unwrap().load(model, &mut store).unwrap();
    assert_eq!(loaded.unreadable, 0, "{:?}", loaded.remarks);
    store
}

fn assert_same(found: &List, list: &List, what: &str) {
    assert_eq!(found.len(), list.len(), "{what}");
    let odd = list.iter().zip(found).find(|(a, b)| a != b);
    assert_eq!(odd, None, "{what}");
}

/// Chunks and bytes over all levels.
fn weight(data: &Path) -> (usize, u64) {
    let database = Database::open_to_read(data).unwrap();
    let keeper = database.keeper();
    let chunks: Vec<Kept> = LEVELS.iter().flat_map(|level| keeper.catalogue(*level, ALWAYS).unwrap()).collect();
    (chunks.len(), chunks.iter().map(|kept| kept.bytes).sum())
}

/// Whatever the span: 200 signals that spoke once, and then some samples of one of them.
#[test]
fn cost_follows_samples() {
    let years = 365 * DAY;
    for (seed, span) in [(1, HOUR), (2, DAY), (3, years), (4, 50 * years), (5, 4_000 * years)] {
        let folder = Folder::new();
        let site = site(&folder, 200);
        let data = folder.0.join("data");
        let hub = hub_in(&site, &data, Retention::default());
        let mut list = List::new();
        let now = 1_772_000_000;
        put(&hub, &mut list, &(0..200).map(|signal| (signal, now - span - DAY, f64::from(signal))).collect::<Vec<_>>());
        seal(&hub, now);
        let (chunks_before, bytes_before) = weight(&data);
        let commits = || hub.persist().unwrap().totals().commits.load(Ordering::Relaxed);
        let commits_before = commits();
        let mut dice = Dice(seed);
        let k = 500;
        let samples: Vec<(u32, i64, f64)> = (0..k).map(|n| (3, now - 1 - dice.below(span), f64::from(n))).collect();
        put(&hub, &mut list, &samples);
        seal(&hub, now + DAY);
        let (chunks, bytes) = weight(&data);
        let commits = commits() - commits_before;
        let k = k as usize;
        assert!(chunks <= chunks_before + k / 4, "{chunks_before} to {chunks} chunks for {k} samples over {span} s");
        assert!(bytes <= bytes_before + 24 * k as u64, "{bytes_before} to {bytes} bytes for {k} samples over {span} s");
        assert!(commits <= 8 + k as u64 / 4, "{commits} commits for {k} samples over {span} s");
        assert_eq!(fsck::check(&data, false).unwrap().findings, []);
        drop(hub);
        assert_same(&list_of(&everything_on_disk(&site.loaded.model, &data)), &list, "after a stop");
    }
}

/// Sparse and dense, early and late: what the hub and the disk went through.
fn story(hub: &Hub, list: &mut List, mut after: impl FnMut(&Hub)) {
    let from = 480_000 * HOUR;
    let hourly = |days: std::ops::Range<i64>, signals: std::ops::Range<u32>, shift: i64| -> Vec<(u32, i64, f64)> {
        let hours = days.start * 24..days.end * 24;
        hours
            .flat_map(|hour| signals.clone().map(move |signal| (signal, from + hour * HOUR + shift, (hour % 7) as f64)))
            .collect()
    };
    // Days of hourly values, sealed day by day.
    for day in 0..12 {
        put(hub, list, &hourly(day..day + 1, 0..3, 10));
        seal(hub, from + (day + 1) * DAY);
        after(hub);
    }
    // Late ones of another lane, years before, between, and in every fifth hour.
    put(hub, list, &[(68, from - 3_000 * DAY, 1.5), (68, from - 40 * DAY, 2.5), (1, from - 3 * DAY, 3.5)]);
    let scattered: Vec<(u32, i64, f64)> = (0..50).map(|n| (67, from + n * 5 * HOUR + 1_800, n as f64)).collect();
    put(hub, list, &scattered);
    seal(hub, from + 12 * DAY);
    after(hub);
    // A dense hour in the middle of it: 64 signals a second.
    let dense = (0..2_400).flat_map(|s| (0..64).map(move |signal| (signal, from + 5 * DAY + 2 * HOUR + s, (s % 100) as f64)));
    put(hub, list, &dense.collect::<Vec<_>>());
    seal(hub, from + 12 * DAY);
    after(hub);
    // Late again, into cut and uncut pages, and over a value that is there.
    put(hub, list, &[(2, from + 5 * DAY + 30 * 60, -1.0), (0, from + 10, -2.0), (69, from + 11 * DAY, -3.0)]);
    put(hub, list, &hourly(12..20, 0..3, 20));
    seal(hub, from + 20 * DAY);
    after(hub);
}

/// A viewer that fetches one page only knows the state at its start, and its samples.
fn assert_pages(model: &Model, data: &Path, list: &List) {
    let database = Database::open_to_read(data).unwrap();
    let keeper = database.keeper();
    let (json, _) = pages::Catalogue::of(keeper, ALWAYS).unwrap().finish(None, std::iter::empty(), Timestamp::MIN);
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    for (at, level) in [Level::Raw, Level::FiveMinutes, Level::Hour].into_iter().enumerate() {
        let mut end = i64::MIN;
        let mut held = 0;
        for page in json["levels"][at]["pages"].as_array().unwrap() {
            let us = |name: &str| page[name].as_i64().unwrap();
            assert!(us("start_us") >= end && us("start_us") % json["levels"][at]["slab_us"].as_i64().unwrap() == 0, "{page}");
            end = us("end_us");
            let range = TimeRange::new(Timestamp::from_micros(us("start_us")), Timestamp::from_micros(end));
            let version = u64::from_str_radix(page["version"].as_str().unwrap(), 16).unwrap();
            let config = StoreConfig { budget_bytes: 1 << 30, ..StoreConfig::default() };
            let mut store = Store::new(model.signals().iter().map(Into::into), config);
            let mut bytes = 0;
            for part in 0..us("parts") as u64 {
                for chunk in
                    pages::part(keeper, level, range.start, version, part).unwrap().expect("a page of the catalogue").chunks
                {
                    bytes += chunk.len() as i64;
                    store.import_chunk(&chunk).unwrap();
                }
            }
            assert_eq!(bytes, us("bytes"), "{page}");
            let of_page = list.iter().filter(|((_, s), _)| range.contains(t(*s)));
            if level == Level::Raw {
                held += of_page.clone().count();
                for signal in 0..model.signals().len() as u32 {
                    let before = list.range((signal, i64::MIN)..(signal, range.start.as_micros() / 1_000_000)).next_back();
                    let found = store.latest_at(SignalIndex(signal), Timestamp::from_micros(us("start_us") - 1));
                    let found = found.map(|sample| (sample.source_time.as_micros() / 1_000_000, sample.value.as_f64().unwrap()));
                    assert_eq!(found, before.map(|((_, s), v)| (*s, *v)), "signal {signal} before {}", range.start);
                }
            }
            // Extremes of a page are in every level of it.
            for signal in [0, 2, 67] {
                let high = |list: &List| list.iter().filter(|((s, _), _)| *s == signal).map(|(_, v)| *v).reduce(f64::max);
                let inside = |list: List| list.into_iter().filter(|((_, s), _)| range.contains(t(*s))).collect::<List>();
                let all: List = of_page.clone().map(|(place, v)| (*place, *v)).collect();
                assert_eq!(high(&inside(list_of(&store))), high(&all), "{level} {page}");
            }
        }
        assert!(level != Level::Raw || held == list.len(), "every sample is in one page: {held} of {}", list.len());
    }
}

#[test]
fn however_pages_were_joined_and_cut_reads_are_those_of_a_sorted_list() {
    let folder = Folder::new();
    let site = site(&folder, 70);
    let model = &site.loaded.model;
    let data = folder.0.join("data");
    let hub = hub_in(&site, &data, Retention::default());
    let (mut list, mut steps) = (List::new(), 0);
    let mut longest = Span::ZERO;
    let mut most = 0;
    let snapshot = std::cell::RefCell::new(Vec::new());
    story(&hub, &mut list, |hub| {
        steps += 1;
        let keeper = Database::open_to_read(&data).unwrap();
        let pages = keeper.keeper().pages(Level::Raw, ALWAYS).unwrap();
        longest = pages.iter().map(|page| page.end.since(page.start)).fold(longest, Span::max);
        most = pages.len().max(most);
        snapshot.borrow_mut().push(list_of(&crate::disk::everything(hub)).len());
        assert_eq!(fsck::check(&data, false).unwrap().findings, [], "step {steps}");
    });
    assert!(longest >= Span::from_secs(1_000 * DAY), "scattered samples lie in long pages: {longest:?}");
    assert!(most < 60, "{most} pages");
    assert_same(&list_of(&crate::disk::everything(&hub)), &list, "over the wire");
    assert_pages(model, &data, &list);
    drop(hub);
    assert_same(&list_of(&everything_on_disk(model, &data)), &list, "from disk");
    // A start reads the newest and knows what held before it.
    let hub = hub_in(&site, &data, Retention::default());
    for signal in 0..70 {
        let newest = list.range((signal, i64::MIN)..(signal + 1, i64::MIN)).next_back().map(|(_, v)| *v);
        let held = hub.with_store(|store| store.latest_at(SignalIndex(signal), Timestamp::MAX));
        assert_eq!(held.and_then(|sample| sample.value.as_f64()), newest, "signal {signal}");
    }
    assert_same(&list_of(&crate::disk::everything(&hub)), &list, "over the wire after a start");
}

/// A keeper that dies after some commits: from then on nothing reaches the file.
struct Mortal {
    inner: SqliteHistorian,
    left: Arc<AtomicI64>,
}

impl Historian for Mortal {
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError> {
        if self.left.fetch_sub(1, Ordering::AcqRel) <= 0 {
            return Err(KeepError::Unavailable { doing: "written", why: "it was killed".to_owned() });
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

/// Until it is so.
fn wait(so: &dyn Fn() -> bool) {
    while !so() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Some days of hourly values, late and scattered ones; what was committed to the journal when the keeper died.
fn until_death(site: &Site, data: &Path, commits: i64) -> (List, i64) {
    std::fs::create_dir_all(data).unwrap();
    let model = Arc::new(site.loaded.model.clone());
    let left = Arc::new(AtomicI64::new(commits));
    {
        let database = Database::open_with(data, SyncPolicy::Off).unwrap();
        drop(database.start(&model, &mut empty_store(&model, 1 << 20)).unwrap());
    }
    let inner = SqliteHistorian::open(&data.join(FILE), SyncPolicy::Off).unwrap();
    let setup = Setup { commit_every: Duration::from_millis(1), ..Setup::default() };
    let persist = Persist::over(Box::new(Mortal { inner, left: left.clone() }), &model, setup, true, None).unwrap();
    let hub = Hub::new(model.clone(), t(0), RingLimits::default(), empty_store(&model, 256 << 20), Some(persist));
    let mut list = List::new();
    let mut safe = List::new();
    let from = 490_000 * HOUR;
    for day in 0..6 {
        let hourly = (0..24).map(|hour| (0, from + day * DAY + hour * HOUR, hour as f64));
        let late = (0..3).map(|n| (68, from - (day * 7 + n) * 11 * DAY, (day + n) as f64));
        put(&hub, &mut list, &hourly.chain(late).collect::<Vec<_>>());
        let alive = || left.load(Ordering::Acquire) > 0;
        wait(&|| !alive() || *hub.durable().borrow() == hub.seq());
        if *hub.durable().borrow() == hub.seq() {
            safe.clone_from(&list);
        }
        let upto = t(from + (day + 1) * DAY);
        hub.seal(upto);
        wait(&|| !alive() || hub.persist().unwrap().sealed_until().is_some_and(|until| until >= upto));
        if !alive() {
            break;
        }
    }
    (safe, left.load(Ordering::Acquire))
}

#[test]
fn a_kill_at_any_commit_loses_nothing_that_was_durable() {
    let mut commits = 1;
    loop {
        let folder = Folder::new();
        let site = site(&folder, 70);
        let data = folder.0.join("data");
        let (safe, left) = until_death(&site, &data, commits);
        let found = list_of(&everything_on_disk(&site.loaded.model, &data));
        for (place, v) in &safe {
            assert_eq!(found.get(place), Some(v), "{place:?} after {commits} commits");
        }
        assert_eq!(fsck::check(&data, false).unwrap().findings, [], "after {commits} commits");
        if left > 0 {
            assert!(commits > 20 && !safe.is_empty(), "{commits}");
            break;
        }
        commits += 1 + commits / 12;
    }
}

#[test]
fn when_the_time_of_a_long_raw_page_is_over_coarser_levels_keep_their_part() {
    let folder = Folder::new();
    let site = site(&folder, 3);
    let data = folder.0.join("data");
    let from = 480_000 * HOUR;
    let raw = Limits { age: Some(Span::from_secs(10 * DAY)), bytes: None };
    let mut list = List::new();
    {
        // Written without a limit: pages are as long as they like.
        let hub = hub_in(&site, &data, Retention::default());
        put(&hub, &mut list, &(0..60 * 24).map(|hour| (0, from + hour * HOUR, hour as f64)).collect::<Vec<_>>());
        put(&hub, &mut list, &[(2, from - DAY, 7.0)]);
        seal(&hub, from + 64 * DAY);
    }
    let hub = hub_in(&site, &data, Retention { raw, ..Retention::default() });
    let now = from + 60 * DAY;
    hub.retain(t(now));
    assert!(hub.persist().unwrap().sync());
    let database = Database::open_to_read(&data).unwrap();
    let pages = database.keeper().pages(Level::Raw, ALWAYS).unwrap();
    let first = pages.first().unwrap().start;
    assert!(first >= t(now - 13 * DAY) && first <= t(now - 10 * DAY), "what is too old has gone, and not much less: {first}");
    for level in [Level::FiveMinutes, Level::Hour] {
        let kept: u64 =
            database.keeper().pages(level, TimeRange::new(Timestamp::MIN, first)).unwrap().iter().map(|p| p.samples).sum();
        assert!(kept >= 47 * 24, "{level}: {kept}");
    }
    assert_same(&list_of(&crate::disk::everything(&hub)), &list, "every hourly value is the first of its hour");
    assert_eq!(fsck::check(&data, false).unwrap().findings, []);
    // Late into what has gone and into what stays.
    put(&hub, &mut list, &[(1, from + 3 * DAY, 1.0), (1, now - DAY, 2.0)]);
    seal(&hub, from + 64 * DAY);
    hub.retain(t(now));
    assert!(hub.persist().unwrap().sync());
    assert_same(&list_of(&crate::disk::everything(&hub)), &list, "late ones, too");
    assert_eq!(fsck::check(&data, false).unwrap().findings, []);
}

/// Two years of hourly values of a transformer.
#[test]
fn a_real_hourly_file_takes_four_bytes_a_sample() {
    let Some(shared) = shared("a_real_hourly_file_takes_four_bytes_a_sample") else { return };
    let text = std::fs::read_to_string(shared.join("C-telemetry/ett-transformer/ETTh1.csv")).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').skip(1).collect();
    let folder = Folder::new();
    let signals: String = names.iter().map(|name| format!("{{ name = \"{name}\" }}, ")).collect();
    let site = folder.write("site.toml", format!("[site]\nid = \"ett\"\n[[twins]]\nid = \"t\"\nsignals = [{signals}]\n"));
    let mut table = "signal,time,value\n".to_owned();
    let (mut count, mut last) = (0, "");
    for line in lines {
        let mut cells = line.split(',');
        let time = cells.next().unwrap();
        for (name, value) in names.iter().zip(cells) {
            writeln!(table, "t.{name},{}Z,{value}", time.replace(' ', "T")).unwrap();
            count += 1;
        }
        last = time;
    }
    let table = folder.write("long.csv", table);
    let data = folder.0.join("data");
    let (site, data_text) = (site.display().to_string(), data.display().to_string());
    let (code, out, err) = orrery(&["import-samples", &site, "--data", &data_text, &table.display().to_string(), "--json"]);
    assert_eq!(code, 0, "{out}{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["new"], count);
    let bytes = std::fs::metadata(data.join(FILE)).unwrap().len();
    assert!(bytes <= 4 * count, "{bytes} bytes for {count} samples");
    assert_eq!(fsck::check(&data, false).unwrap().findings, []);
    let at = format!("{}Z", last.replace(' ', "T"));
    let (code, out, err) = orrery(&["state", &site, "--data", &data_text, "--at", &at, "--json"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(&at), "{out}");
}

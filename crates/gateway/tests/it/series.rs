//! A change of the site never destroys history: whatever ids come and go, in whatever order, sealed or not, what was kept under an
//! id is there when the site has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway::assemble::{Plant, PlantOptions, plant};
use gateway::history::{FILE, fsck};
use gateway::hub::Hub;
use gateway::site::Site;
use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, TimeRange, Timestamp, Value};
use twin_protocol::{Limits, ServerFrame, decode_server};

use crate::disk::everything;
use crate::world::{Folder, Wish, World, at, orrery};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

/// A site of twins with one signal `x` each, in this order.
fn site(ids: &[&str], value: &str) -> String {
    let twin =
        |id: &&str| format!("[[twins]]\nid = \"{id}\"\nbind = false\nsignals = [{{ name = \"x\", value = \"{value}\" }}]\n");
    let twins: String = ids.iter().map(twin).collect();
    format!("[site]\nid = \"plant\"\n{twins}\n[[sources]]\nid = \"script\"\nkind = \"websocket\"\n")
}

/// As `serve` does, in this process.
pub(crate) fn open(folder: &Folder, toml: &str) -> Plant {
    let site = Site::read_usable(&folder.write("site.toml", toml)).unwrap();
    let options = PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() };
    plant(&site, &options).unwrap()
}

pub(crate) fn put(hub: &Hub, id: &str, s: i64, value: Value) {
    let signal = hub.model().find_signal(id).unwrap();
    hub.ingest(&[(signal, Sample::new(at(s), value))]);
    hub.flush();
}

pub(crate) fn settle(hub: &Hub, seal: bool) {
    if seal {
        hub.seal(at(400 * 3_600));
    }
    assert!(hub.persist().unwrap().sync());
}

fn of(store: &Store, hub: &Hub, id: &str) -> Vec<(Timestamp, Value)> {
    let mut all = Vec::new();
    let Some(signal) = hub.model().find_signal(id) else { return all };
    store.for_each_sample(signal, ALWAYS, &mut |sample| {
        all.push((sample.source_time, sample.value.clone()));
        std::ops::ControlFlow::Continue(())
    });
    all
}

/// Values of an id as a viewer of this site gets them.
pub(crate) fn seen(hub: &Arc<Hub>, id: &str) -> Vec<Value> {
    of(&everything(hub), hub, id).into_iter().map(|(_, value)| value).collect()
}

#[test]
fn a_typo_in_an_id_and_its_mending_lose_nothing() {
    let folder = Folder::new();
    for sealed in [true, false] {
        let folder = if sealed { &folder } else { &Folder::new() };
        let start = i64::from(!sealed) * 8 * 3_600;
        let (right, typo) = (site(&["pump-01", "pump-02"], "float"), site(&["pump-1", "pump-02"], "float"));
        let one = open(folder, &right);
        for n in 0..300 {
            put(&one.hub, "pump-01.x", start + n * 60, Value::Float(n as f64));
            put(&one.hub, "pump-02.x", start + n * 60, Value::Float(-n as f64));
        }
        settle(&one.hub, sealed);
        let before = seen(&one.hub, "pump-01.x");
        drop(one);
        // Rounds of sealing under the wrong name trim the journal, in which the other's samples were.
        let two = open(folder, &typo);
        assert!(
            two.remarks.iter().any(|remark| remark.contains("pump-01.x") && remark.contains("orrery history")),
            "{:?}",
            two.remarks
        );
        assert_eq!(seen(&two.hub, "pump-1.x"), Vec::<Value>::new());
        assert_eq!(seen(&two.hub, "pump-02.x").len(), before.len());
        put(&two.hub, "pump-1.x", start + 30, Value::Float(0.5));
        put(&two.hub, "pump-02.x", start + 30, Value::Float(0.5));
        for _ in 0..3 {
            settle(&two.hub, true);
        }
        drop(two);
        let three = open(folder, &right);
        assert_eq!(seen(&three.hub, "pump-01.x"), before, "sealed: {sealed}");
        assert_eq!(seen(&three.hub, "pump-02.x").len(), before.len() + 1);
        put(&three.hub, "pump-01.x", start + 301 * 60, Value::Float(301.0));
        settle(&three.hub, sealed);
        drop(three);
        assert_eq!(fsck::check(&folder.0.join("data"), false).unwrap().findings, [], "sealed: {sealed}");
    }
    let files: Vec<_> = std::fs::read_dir(folder.0.join("data")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(files.iter().all(|name| !name.to_string_lossy().contains("before-site-change")), "{files:?}");
}

#[test]
fn another_kind_of_value_keeps_the_old_values_and_takes_the_new_ones() {
    let folder = Folder::new();
    let kinds =
        [("float", Value::Float(1.5)), ("text", Value::text("open")), ("int", Value::Int(7)), ("float", Value::Float(2.5))];
    let mut all = Vec::new();
    for (at, (kind, value)) in kinds.into_iter().enumerate() {
        let plant = open(&folder, &site(&["a", "b"], kind));
        assert_eq!(seen(&plant.hub, "b.x"), all, "{kind}");
        put(&plant.hub, "b.x", at as i64 * 4_000, value.clone());
        all.push(value);
        settle(&plant.hub, at % 2 == 0);
        assert_eq!(seen(&plant.hub, "b.x"), all, "{kind}");
    }
}

#[test]
fn a_site_with_errors_changes_nothing_that_is_kept() {
    let folder = Folder::new();
    let right = site(&["a", "b", "c"], "float");
    let one = open(&folder, &right);
    for id in ["a.x", "b.x", "c.x"] {
        put(&one.hub, id, 60, Value::Float(1.0));
    }
    settle(&one.hub, false);
    drop(one);
    let wrong = right.replacen("id = \"a\"", "idd = \"a\"", 1);
    let table = |folder: &Folder| {
        let connection = rusqlite::Connection::open(folder.0.join("data").join(FILE)).unwrap();
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let mut statement = connection.prepare("SELECT number, id FROM series ORDER BY number").unwrap();
        statement.query_map([], read).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let before = table(&folder);
    assert_eq!(before.len(), 3);
    let two = open(&folder, &wrong);
    assert!(two.hub.model().find_signal("a.x").is_none(), "the error takes the twin away");
    settle(&two.hub, true);
    drop(two);
    assert_eq!(table(&folder), before);
    let three = open(&folder, &right);
    assert_eq!(seen(&three.hub, "a.x"), [Value::Float(1.0)]);
}

#[tokio::test]
async fn viewers_of_another_order_get_pages_and_chunks_under_their_own_positions() {
    let folder = Folder::new();
    let ids: Vec<String> = (0..150).map(|n| format!("t{n:03}")).collect();
    let mut order: Vec<&str> = ids.iter().map(String::as_str).collect();
    let one = open(&folder, &site(&order, "float"));
    for hour in 0..3 {
        for (n, id) in ids.iter().enumerate() {
            put(&one.hub, &format!("{id}.x"), hour * 3_600 + n as i64, Value::Float((hour * 1_000) as f64 + n as f64));
        }
    }
    settle(&one.hub, true);
    drop(one);
    order.reverse();
    order.swap(3, 77);
    let path = folder.write("site.toml", site(&order, "float"));
    let wish = Wish { options: PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() }, ..Wish::default() };
    let world = World::serve(&path, wish).await;
    // A start joins and seals what it can; pages stay what they are from here on.
    assert!(world.hub.persist().unwrap().sync());
    let list: serde_json::Value = serde_json::from_slice(&world.get("/api/catalogue", "").await.2).unwrap();
    let mut all = Store::new(world.hub.model().signals().iter().map(Into::into), StoreConfig::default());
    let mut chunks = 0;
    for page in list["levels"][0]["pages"].as_array().unwrap() {
        let url = format!("/api/page/raw/{}/{}/0", page["start_us"], page["version"].as_str().unwrap());
        let (status, _, body) = world.get(&url, "").await;
        assert_eq!(status, 200, "{url}");
        let ServerFrame::Page(part) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!() };
        for chunk in &part.chunks {
            let key = all.import_chunk(chunk).unwrap().key;
            let (status, _, bytes) = world.get(&format!("/api/chunk/{key}"), "").await;
            assert_eq!((status, &bytes), (200, chunk), "a chunk by its key is the same bytes");
            chunks += 1;
        }
    }
    assert!(chunks >= 3, "{chunks}");
    let live = everything(&world.hub);
    for (n, id) in ids.iter().enumerate() {
        let wanted: Vec<_> =
            (0..3).map(|hour| (at(hour * 3_600 + n as i64), Value::Float((hour * 1_000) as f64 + n as f64))).collect();
        assert_eq!(of(&all, &world.hub, &format!("{id}.x")), wanted, "{id} by pages");
        assert_eq!(of(&live, &world.hub, &format!("{id}.x")), wanted, "{id} by /api/history");
    }
    // The site as it was is another site to a viewer's cache.
    let tags = |list: &serde_json::Value| {
        list["levels"][0]["pages"].as_array().unwrap().iter().map(|page| page["version"].clone()).collect::<Vec<_>>()
    };
    let changed = tags(&list);
    world.stop().await;
    let back = World::serve(
        &folder.write("site.toml", site(&ids.iter().map(String::as_str).collect::<Vec<_>>(), "float")),
        Wish { options: PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() }, ..Wish::default() },
    )
    .await;
    assert!(back.hub.persist().unwrap().sync());
    let list: serde_json::Value = serde_json::from_slice(&back.get("/api/catalogue", "").await.2).unwrap();
    assert!(tags(&list).iter().all(|tag| !changed.contains(tag)));
    back.stop().await;
}

/// A file as the version before wrote it: numbers are the positions of the site that wrote last.
#[test]
fn a_data_folder_of_the_version_before_opens_without_a_loss_and_keeps_what_its_site_loses() {
    let folder = Folder::new();
    let one = open(&folder, &site(&["a", "b", "c"], "float"));
    for (n, id) in ["a.x", "b.x", "c.x"].into_iter().enumerate() {
        put(&one.hub, id, 60, Value::Float(n as f64));
    }
    settle(&one.hub, true);
    put(&one.hub, "b.x", 200_000, Value::Float(9.0));
    settle(&one.hub, false);
    drop(one);
    let connection = rusqlite::Connection::open(folder.0.join("data").join(FILE)).unwrap();
    let older = "DROP TABLE series; ALTER TABLE journal DROP COLUMN samples; PRAGMA user_version = 1;";
    connection.execute_batch(older).unwrap();
    drop(connection);
    let two = open(&folder, &site(&["c", "d", "a"], "float"));
    let values = |id: &str| seen(&two.hub, id);
    assert_eq!((values("c.x"), values("d.x"), values("a.x")), (vec![Value::Float(2.0)], vec![], vec![Value::Float(0.0)]));
    settle(&two.hub, true);
    drop(two);
    let three = open(&folder, &site(&["a", "b"], "float"));
    assert_eq!(seen(&three.hub, "b.x"), [Value::Float(1.0), Value::Float(9.0)]);
}

type Model = BTreeMap<String, BTreeMap<Timestamp, Value>>;

/// One run of a server: which ids its site has in which order, what comes in, and whether it is sealed.
#[derive(Debug)]
struct Run {
    ids: Vec<u64>,
    samples: Vec<(u64, i64, i64)>,
    seals: bool,
}

/// SplitMix64: the same runs for the same seed, everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn run(&mut self) -> Run {
        let mut ids: Vec<u64> = (0..90).collect();
        for at in (1..ids.len()).rev() {
            ids.swap(at, self.below(at as u64 + 1) as usize);
        }
        ids.truncate(1 + self.below(90) as usize);
        let one = |random: &mut Self| {
            let id = ids[random.below(ids.len() as u64) as usize];
            (id, random.below(90_000) as i64, random.below(1 << 40) as i64)
        };
        let samples = (0..1 + self.below(60)).map(|_| one(self)).collect();
        Run { samples, seals: self.below(2) == 0, ids }
    }
}

fn check(folder: &Folder, runs: &[Run]) {
    let mut model = Model::new();
    for (number, run) in runs.iter().enumerate() {
        let names: Vec<String> = run.ids.iter().map(|id| format!("t{id:02}")).collect();
        let plant = open(folder, &site(&names.iter().map(String::as_str).collect::<Vec<_>>(), "int"));
        for (id, s, value) in &run.samples {
            let (id, value) = (format!("t{id:02}.x"), Value::Int(*value));
            put(&plant.hub, &id, *s, value.clone());
            model.entry(id).or_default().insert(at(*s), value);
        }
        settle(&plant.hub, run.seals);
        let store = everything(&plant.hub);
        for name in &names {
            let id = format!("{name}.x");
            let wanted: Vec<_> = model.get(&id).into_iter().flatten().map(|(t, value)| (*t, value.clone())).collect();
            assert_eq!(of(&store, &plant.hub, &id), wanted, "{id} in run {number}");
        }
    }
}

/// A property over seeds: an id shows what was ever taken in under it.
#[test]
fn whatever_sites_follow_each_other_an_id_has_all_its_samples() {
    let cases = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 200 } else { 6 };
    for seed in 0..cases {
        let mut random = Random(seed);
        let runs: Vec<Run> = (0..2 + random.below(5)).map(|_| random.run()).collect();
        let folder = Folder::new();
        check(&folder, &runs);
        let report = fsck::check(&folder.0.join("data"), false).unwrap();
        assert_eq!(report.findings, [], "seed {seed}: {runs:?}");
    }
}

/// What a site kept as `old.x`, partly in the journal only, and as `gone.x`; the paths of another site that has neither, and of the
/// data.
fn kept_by_another_site(folder: &Folder) -> (String, String) {
    let plant = open(folder, &site(&["old", "b", "gone"], "float"));
    for n in 0..200 {
        put(&plant.hub, "old.x", n * 60, Value::Float(n as f64));
        put(&plant.hub, "gone.x", n * 60, Value::Float(1.0));
    }
    settle(&plant.hub, true);
    put(&plant.hub, "old.x", 300_000, Value::Float(-1.0));
    settle(&plant.hub, false);
    let path = folder.write("site.toml", site(&["new", "b"], "float"));
    (path.to_str().unwrap().to_owned(), folder.0.join("data").to_str().unwrap().to_owned())
}

/// Id, kind, samples, and whether the site has it.
type Listed = (String, String, u64, bool);

fn listed(path: &str, data: &str, more: &[&str]) -> Vec<Listed> {
    let (code, out, err) = orrery(&[&["history", "list", path, "--data", data, "--json"], more].concat());
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let row = |row: &serde_json::Value| {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        (text("id"), text("kind"), row["samples"].as_u64().unwrap(), row["in_site"].as_bool().unwrap())
    };
    json["series"].as_array().unwrap().iter().map(row).collect()
}

fn floats(id: &str, samples: u64, in_site: bool) -> Listed {
    (id.to_owned(), "float".to_owned(), samples, in_site)
}

#[test]
fn what_is_kept_is_listed_renamed_and_removed_by_hand() {
    let folder = Folder::new();
    let (path, data) = kept_by_another_site(&folder);
    let kept = [floats("b.x", 0, true), floats("gone.x", 200, false), floats("old.x", 201, false)];
    assert_eq!(listed(&path, &data, &[]), kept);
    // Another id for what has none of that id yet.
    let (code, out, err) = orrery(&["history", "rename", &data, "old.x", "new.x"]);
    assert_eq!((code, out.trim()), (0, "old.x is new.x now: 201 samples"), "{err}");
    let plant = open(&folder, &site(&["new", "b"], "float"));
    assert_eq!(seen(&plant.hub, "new.x").len(), 201);
    let (code, _, err) = orrery(&["history", "rename", &data, "b.x", "c.x"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("another server uses this data folder"), "{err}");
    drop(plant);
    for (args, said) in [
        (["history", "rename", &data, "nobody.x", "b.x"], "no series 'nobody.x'"),
        (["history", "rename", &data, "b.x", "no id"], "no id of a series"),
        (["history", "rename", &data, "b.x", "b.x"], "'b.x' is its id already"),
        (["history", "rename", &data, "b.x", "b.hot#acknowledged"], "acknowledgements of alarms, and of nothing else"),
        (["history", "remove", &data, "gone.x", "--json"], "--yes"),
        (["history", "list", "/nowhere", "--json", "--json"], ""),
    ] {
        let (code, _, err) = orrery(&args);
        assert_eq!(code, 2, "{args:?}");
        assert!(err.contains(said), "{args:?}: {err}");
    }
    assert_eq!(orrery(&["history", "remove", &data, "gone.x", "--yes"]).0, 0);
    assert_eq!(listed(&path, &data, &["--absent"]), [], "removed by hand, and only so");
    assert_eq!(fsck::check(&folder.0.join("data"), false).unwrap().findings, []);
}

#[test]
fn a_series_becomes_part_of_another_only_where_a_person_says_so() {
    let folder = Folder::new();
    let (path, data) = kept_by_another_site(&folder);
    let (code, _, err) = orrery(&["history", "rename", &data, "old.x", "new.x"]);
    assert_eq!(code, 0, "{err}");
    let plant = open(&folder, &site(&["new", "b"], "float"));
    // Some of it again, received later, under the other id: both become one.
    for n in 0..10 {
        let signal = plant.hub.model().find_signal("b.x").unwrap();
        let later = Sample { received_time: at(900_000), ..Sample::new(at(n * 60), Value::Float(500.0)) };
        plant.hub.ingest(&[(signal, later)]);
        plant.hub.flush();
    }
    put(&plant.hub, "b.x", 300_001, Value::Float(7.0));
    settle(&plant.hub, true);
    drop(plant);
    let merge = ["history", "rename", &path, "--data", &data, "new.x", "b.x", "--json", "--merge", "--yes"];
    for (given, said) in [(8, "--merge to do it"), (9, "different values at 10 of the same instants")] {
        let (code, out, err) = orrery(&merge[..given]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        for part in ["b.x exists", "new.x (201 float samples", "b.x (11 float samples", said] {
            assert!(err.contains(part), "{part}: {err}");
        }
    }
    assert_eq!(listed(&path, &data, &[])[..1], [floats("b.x", 11, true)], "a refusal changes nothing");
    let (code, out, err) = orrery(&merge);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let said = (&json["merged"], &json["moved"], &json["overwritten"]);
    assert_eq!((code, said), (0, (&true.into(), &201.into(), &10.into())), "{err}");
    assert_eq!(fsck::check(&folder.0.join("data"), false).unwrap().findings, []);
    let plant = open(&folder, &site(&["new", "b"], "float"));
    let merged = seen(&plant.hub, "b.x");
    assert_eq!(
        (merged.len(), &merged[0], &merged[10], &merged[201]),
        (202, &Value::Float(500.0), &Value::Float(10.0), &Value::Float(7.0))
    );
    assert_eq!(seen(&plant.hub, "new.x"), Vec::<Value>::new());
}

#[test]
fn series_of_different_kinds_never_become_one_and_equal_samples_are_no_contradiction() {
    let folder = Folder::new();
    let words = "[[twins]]\nid = \"w\"\nbind = false\nsignals = [{ name = \"x\", value = \"text\" }]\n";
    let plant = open(&folder, &format!("{}{words}", site(&["a", "b", "empty"], "float")));
    for n in 0..20 {
        put(&plant.hub, "a.x", n * 60, Value::Float(n as f64));
        put(&plant.hub, "b.x", (n + 10) * 60, Value::Float((n + 10) as f64));
        put(&plant.hub, "w.x", n * 60, Value::text("RUN"));
    }
    settle(&plant.hub, true);
    drop(plant);
    let data = folder.0.join("data").to_str().unwrap().to_owned();
    for to in ["a.x", "empty.x"] {
        let (code, _, err) = orrery(&["history", "rename", &data, "w.x", to, "--merge", "--yes"]);
        assert!(code == 2 && err.contains("different kinds") && err.contains("w.x (20 text samples"), "{to}: {err}");
    }
    // Sealed, and still in the journal: each sample counts once. Ten instants say the same in both.
    let (code, out, err) = orrery(&["history", "rename", &data, "a.x", "b.x", "--merge", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let said = (&json["merged"], &json["moved"], &json["overwritten"]);
    assert_eq!((code, said), (0, (&true.into(), &20.into(), &0.into())), "{err}");
    // What has no samples loses none, and nothing is merged with it.
    let (code, out, err) = orrery(&["history", "rename", &data, "b.x", "empty.x"]);
    assert_eq!((code, out.trim()), (0, "b.x is empty.x now: 30 samples"), "{err}");
    let (code, out, err) = orrery(&["history", "remove", &data, "empty.x", "--yes"]);
    assert_eq!((code, out.trim()), (0, "empty.x is removed: 30 samples"), "{err}");
}

//! What `orrery state` says of twins that have fallen silent and of readings without a value.

use serde_json::Value as Json;

use crate::world::{Folder, orrery};

/// Two furnaces, each with one judged signal that is expected every minute.
const FURNACES: &str = r#"
[site]
id = "kiln"

[[interfaces]]
id = "furnace"
[[interfaces.signals]]
name = "heat"
unit = "°C"
period = "1min"
[[interfaces.rules]]
id = "hot"
kind = "range"
signal = "heat"
bands = [{ above = 900, status = "maintenance" }, { above = 1000, status = "failure" }]

[[twins]]
id = "works"
[[twins]]
id = "east"
interface = "furnace"
parent = "works"
[[twins]]
id = "west"
interface = "furnace"
parent = "works"
"#;

struct Kiln {
    folder: Folder,
    site: String,
}

impl Kiln {
    fn new() -> Self {
        let folder = Folder::new();
        let site = folder.write("site.toml", FURNACES).display().to_string();
        Self { folder, site }
    }

    /// Takes a table in, as other programs hand one over.
    fn import(&self, rows: &str) {
        let table = self.folder.write("t.csv", format!("signal,time,value,quality\n{rows}")).display().to_string();
        let (code, _, err) = orrery(&["import-samples", &self.site, "--data", &self.data(), &table]);
        assert_eq!(code, 0, "{err}");
    }

    fn data(&self) -> String {
        self.folder.0.join("data").display().to_string()
    }

    fn state(&self, at: &str, more: &[&str]) -> String {
        let data = self.data();
        let args = [&["state", &self.site, "--data", &data, "--at", at], more].concat();
        let (code, out, err) = orrery(&args);
        assert_eq!(code, 0, "{err}");
        out
    }

    fn twin(&self, id: &str, at: &str) -> Json {
        let json: Json = serde_json::from_str(&self.state(at, &["--json"])).unwrap();
        let twins = json["twins"].as_array().unwrap().clone();
        twins.into_iter().find(|twin| twin["id"] == id).unwrap()
    }
}

#[test]
fn seven_years_after_its_last_sample_a_twin_is_unknown_and_what_it_was_is_said_apart() {
    let kiln = Kiln::new();
    kiln.import("east.heat,2019-03-02T08:00:00Z,950,\nwest.heat,2019-03-02T08:00:00Z,20,\n");
    let then = kiln.twin("east", "2019-03-02T08:05:00Z");
    assert_eq!((&then["status"], &then["last_known"]), (&"maintenance".into(), &Json::Null));
    let now = kiln.twin("east", "2026-03-02T08:00:00Z");
    assert_eq!((&now["status"], &now["freshness"]), (&"unknown".into(), &"stale".into()));
    assert_eq!(now["last_known"]["status"], "maintenance");
    assert_eq!(now["last_known"]["since"], "2019-03-02T08:00:00Z");
    assert_eq!(now["reasons"][0]["text"], "Heat: no value for 7 years; was Maintenance required");
    assert_eq!(kiln.twin("west", "2026-03-02T08:00:00Z")["last_known"]["status"], "normal");
    let people = kiln.state("2026-03-02T08:00:00Z", &[]);
    assert!(
        people.contains("2 unknown;") && !people.contains("normal;"),
        "a works that only groups counts for nothing: {people}"
    );
    let problems = kiln.state("2026-03-02T08:00:00Z", &["--problems"]);
    assert!(problems.contains("east") && problems.contains("west") && !problems.contains("works"), "{problems}");
}

#[test]
fn a_reading_without_a_value_is_none_whatever_its_quality_says() {
    let kiln = Kiln::new();
    kiln.import(
        "east.heat,2026-03-02T08:00:00Z,950,\neast.heat,2026-03-02T08:01:00Z,,good\nwest.heat,2026-03-02T08:01:00Z,NaN,\n",
    );
    for (twin, last) in [("east", Json::from("maintenance")), ("west", Json::Null)] {
        let it = kiln.twin(twin, "2026-03-02T08:01:10Z");
        let signal = &it["signals"][0];
        assert_eq!(
            (&signal["value"], &signal["quality"], &signal["freshness"]),
            (&Json::Null, &"bad_no_data".into(), &"live".into())
        );
        assert_eq!((&it["status"], &it["score"]), (&"unknown".into(), &Json::Null));
        assert_eq!(it["last_known"]["status"], last);
        assert_eq!(it["reasons"][0]["value"], Json::Null);
        assert!(it["reasons"][0]["text"].as_str().unwrap().starts_with("Heat has no usable value: bad no data"), "{it}");
    }
    let before = kiln.twin("east", "2026-03-02T08:00:59Z");
    assert_eq!((&before["status"], &before["signals"][0]["value"]), (&"maintenance".into(), &950.0.into()));
}

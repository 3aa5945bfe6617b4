//! No work that grows with a time span: samples of any two times are as far apart as one step.

use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Setup, fsck};
use gateway::site::Site;
use twin_historian::historian::{Limits as Kept, Retention};
use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::*;

use crate::disk::read;
use crate::world::{Folder, SITE, World, orrery};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

fn sample(t: Timestamp, value: f64) -> Sample {
    // Received whenever: a sample of the far future is no clock that runs ahead here.
    Sample { received_time: Timestamp::MAX, ..Sample::new(t, Value::Float(value)) }
}

/// Hour by hour this answer would take some five thousand million steps.
#[tokio::test]
async fn an_answer_over_all_time_walks_only_what_exists() {
    let world = World::start().await;
    let times = [i64::MIN, i64::MIN + 1, -62_135_596_800_000_000, 0, 1_772_439_304_000_000, i64::MAX - 1];
    let samples: Vec<(SignalIndex, Sample)> =
        times.iter().map(|t| (SignalIndex(0), sample(Timestamp::from_micros(*t), *t as f64))).collect();
    world.hub.ingest(&samples);
    world.hub.flush();
    let (status, _, body) = world.get("/api/history", "").await;
    assert_eq!(status, 200);
    let ServerFrame::History(history) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!() };
    assert_eq!(history.next, None);
    let mut back = Store::new(world.hub.model().signals().iter().map(Into::into), StoreConfig::default());
    for chunk in &history.chunks {
        back.import_chunk(chunk).unwrap();
    }
    let mut found = Vec::new();
    back.for_each_sample(SignalIndex(0), ALWAYS, &mut |sample| {
        found.push(sample.source_time.as_micros());
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(found, times);
    for path in ["/api/catalogue", "/api/history?from=-62135596800000000&to=253402300799000000", "/metrics"] {
        assert_eq!(world.get(path, "").await.0, 200, "{path}");
    }
}

/// Hour by hour each of these would take some eighty million looks at the disk.
#[test]
fn every_command_over_a_folder_of_ten_thousand_years_walks_only_what_exists() {
    const TIMES: [&str; 3] = ["0001-01-01T00:00:01Z", "2026-03-02T08:15:04Z", "9999-12-30T20:00:00Z"];
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE.replacen("id = \"little\"", "id = \"little\"\nyears = [1, 9999]", 1));
    let data = folder.0.join("data");
    let open = |retention: Retention| {
        let setup = Setup { retention, ..Setup::default() };
        let options = PlantOptions { data: Some(data.clone()), setup, ..PlantOptions::default() };
        plant(&Site::read_usable(&site).unwrap(), &options).unwrap().hub
    };
    let hub = open(Retention::default());
    for (at, t) in TIMES.iter().enumerate() {
        hub.ingest(&[(SignalIndex(0), sample(t.parse().unwrap(), at as f64))]);
        hub.flush();
    }
    for _ in 0..2 {
        hub.seal("9999-12-30T22:00:00Z".parse().unwrap());
        assert!(hub.persist().unwrap().sync());
    }
    drop(hub);
    assert_eq!(read(&site, &data, "pump-01.flow"), (Some(Value::Float(2.0)), 3), "as a viewer gets it");
    let report = fsck::check(&data, false).unwrap();
    assert_eq!((report.findings.len(), report.samples, report.journal_entries), (0, 3, 0), "{report:?}");
    let (place, kept) = (site.display().to_string(), data.display().to_string());
    let (code, csv, err) = orrery(&["export", &place, "--data", &kept, "-o", "-"]);
    let times: Vec<Timestamp> = csv.lines().skip(1).map(|row| row.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!((code, times), (0, TIMES.map(|t| t.parse::<Timestamp>().unwrap()).to_vec()), "{err}");
    for (at, value) in [("0900-01-01T00:00:00Z", 0.0), ("2026-03-02T09:00:00Z", 1.0), ("9999-12-30T21:00:00Z", 2.0)] {
        let (_, out, err) = orrery(&["state", &place, "--data", &kept, "--at", at, "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        assert_eq!(json["twins"][0]["signals"][0]["value"], value, "{at}: {err}");
    }
    // What is older than a day goes, whatever lies between.
    let day = Kept { age: Some(Span::from_secs(86_400)), bytes: None };
    let hub = open(Retention { raw: day, five_minutes: day, hour: day });
    hub.retain("2026-03-02T09:00:00Z".parse().unwrap());
    assert!(hub.persist().unwrap().sync());
    drop(hub);
    assert_eq!(read(&site, &data, "pump-01.flow").0, Some(Value::Float(2.0)));
    let report = fsck::check(&data, false).unwrap();
    assert_eq!((report.findings.len(), report.samples), (0, 2), "{report:?}");
}

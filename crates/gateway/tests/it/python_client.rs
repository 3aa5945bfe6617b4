//! The clients that were written from docs/PROTOCOL.md alone, in another language: one hears what the gateway says, one is
//! heard by it.

use std::process::{Command, Stdio};

use gateway::assemble::PlantOptions;
use gateway::site::Site;
use twin_model::{Sample, SignalIndex, Value};

use crate::recording_versions::{file, published, revision};
use crate::world::{Folder, SITE, Wish, World, at};

/// Whether there is a Python; a visible line where not.
fn python(test: &str) -> bool {
    let works = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        eprintln!("SKIPPED (no python3): {test}");
    }
    works
}

#[tokio::test]
async fn a_client_in_another_language_reads_every_kind_of_value() {
    if !python("a_client_in_another_language_reads_every_kind_of_value") {
        return;
    }
    let world = World::start().await;
    let kinds = [Value::Float(21.37), Value::Int(-7), Value::Bool(true), Value::Text("rinse".into())];
    let first: Vec<_> = (0..).map(SignalIndex).zip(kinds.map(|value| Sample::new(at(1), value))).collect();
    world.hub.ingest(&first);
    world.hub.flush();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/client.py");
    let address = world.address.to_string();
    let listening =
        tokio::task::spawn_blocking(move || Command::new("python3").args([script, &address, "1.5"]).output().unwrap());
    // Many alike, so that the frame is worth compressing; the newest of a signal comes last.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let later: Vec<_> = (0..4_000).map(|n| (SignalIndex(4), Sample::new(at(2 + n), Value::Float(1e300 / 3.0)))).collect();
    world.hub.ingest(&later);
    world.hub.flush();
    let output = listening.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let value = |signal: &str| json["signals"][signal]["value"].clone();
    assert_eq!(value("pump-01.flow"), 21.37);
    assert_eq!(value("pump-01.starts"), -7);
    assert_eq!(value("pump-01.running"), true);
    assert_eq!(value("pump-01.mode"), "rinse");
    assert_eq!(json["signals"]["pump-01.flow"]["time_us"], at(1).as_micros());
    assert_eq!(value("pump-02.flow"), 1e300 / 3.0);
    assert_eq!(json["signals"]["pump-02.flow"]["time_us"], at(4_001).as_micros());
    world.stop().await;
}

/// What the client prints of a publication, or what it says instead.
fn publication(args: &[&str]) -> Result<serde_json::Value, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/client.py");
    let output = Command::new("python3").args([script, "publication"]).args(args).output().unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[tokio::test]
async fn a_client_in_another_language_reads_what_the_site_is() {
    if !python("a_client_in_another_language_reads_what_the_site_is") {
        return;
    }
    let world = World::start().await;
    let address = world.address.to_string();
    let said = tokio::task::spawn_blocking(move || publication(&[&address])).await.unwrap().unwrap();
    assert_eq!((&said["site"], &said["revision"], &said["pieces"]), (&"little".into(), &1.into(), &1.into()));
    let ids = |list: &str| -> Vec<String> {
        said[list].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let model = world.hub.model();
    assert_eq!(ids("twins"), model.twins().iter().map(|twin| twin.id.to_string()).collect::<Vec<_>>());
    assert_eq!(ids("signals"), model.signals().iter().map(|signal| signal.id.to_string()).collect::<Vec<_>>());
    assert_eq!(said["signals"][1], serde_json::json!({ "id": "pump-01.starts", "unit": "", "value": "int" }));
    let rule = serde_json::json!({ "id": "flow-high", "twin": "pump-02", "signal": "pump-02.flow", "kind": "range" });
    assert_eq!(said["rules"][1], rule);
    world.stop().await;
}

#[test]
fn a_client_in_another_language_reads_a_folder_as_it_is_and_as_it_was() {
    if !python("a_client_in_another_language_reads_a_folder_as_it_is_and_as_it_was") {
        return;
    }
    let folder = Folder::new();
    let out = folder.0.join("out").display().to_string();
    for (day, site) in
        [("02", SITE.to_owned()), ("04", SITE.replace("pump-02", "pump-07")), ("06", SITE.replace("\"l/min\"", "\"m\u{b3}/h\""))]
    {
        let site = folder.write("site.toml", site).display().to_string();
        let (code, _, err) = crate::world::orrery(&["compile", &site, "-o", &out, "--at", &format!("2026-03-{day}T00:00:00Z")]);
        assert_eq!(code, 0, "{err}");
    }
    let now = publication(&[&out]).unwrap();
    assert_eq!(
        (&now["revision"], &now["signals"][0]["unit"], &now["twins"][1]["id"]),
        (&3.into(), &"m\u{b3}/h".into(), &"pump-02".into())
    );
    for (time, revision, twin) in [
        ("2020-01-01T00:00:00Z", 1, "pump-02"),
        ("2026-03-04T00:59:59.999999+01:00", 1, "pump-02"),
        ("2026-03-04T00:00:00Z", 2, "pump-07"),
        ("2026-03-05T23:59:59.999999Z", 2, "pump-07"),
        ("2026-03-06T00:00:00Z", 3, "pump-02"),
        ("2030-01-01T00:00:00Z", 3, "pump-02"),
    ] {
        let said = publication(&[&out, time]).unwrap();
        assert_eq!((&said["revision"], &said["twins"][1]["id"]), (&revision.into(), &twin.into()), "{time}");
    }
    // A piece that is not what it is called.
    let pieces: Vec<_> = std::fs::read_dir(folder.0.join("out/pieces")).unwrap().map(|it| it.unwrap().path()).collect();
    for piece in pieces {
        let mut bytes = std::fs::read(&piece).unwrap();
        bytes[10] ^= 1;
        std::fs::write(&piece, bytes).unwrap();
    }
    assert!(publication(&[&out]).unwrap_err().contains("is damaged"));
}

#[test]
fn a_client_in_another_language_reads_a_recording_as_it_is_and_as_it_was() {
    if !python("a_client_in_another_language_reads_a_recording_as_it_is_and_as_it_was") {
        return;
    }
    let folder = Folder::new();
    let (.., bytes) = crate::recording_versions::changed(&folder);
    let path = |name: &str, bytes: &[u8]| folder.write(name, bytes).display().to_string();
    let whole = path("whole.orrec", &bytes);
    let first = |said: &serde_json::Value| (said["revision"].clone(), said["twins"][0]["id"].clone());
    let (one, two) = ((1.into(), "left".into()), (2.into(), "right".into()));
    assert_eq!(first(&publication(&[&whole]).unwrap()), two);
    // 08:15:04 and 50 s later.
    for (time, expected) in [
        ("2020-01-01T00:00:00Z", &one),
        ("2026-03-02T08:15:53.999999Z", &one),
        ("2026-03-02T09:15:54+01:00", &two),
        ("2030-01-01T00:00:00Z", &two),
    ] {
        assert_eq!(first(&publication(&[&whole, time]).unwrap()), *expected, "{time}");
    }
    // A revision that stands there twice has other findings; one that stands alone is the best that is known of before.
    let old = Site::read_usable(&folder.0.join("before/site.toml")).unwrap();
    let new = Site::read_usable(&folder.0.join("after/site.toml")).unwrap();
    let mut noted = revision(&old, 4, 0);
    noted.manifest.findings.push(crate::recording_changes::finding("noted").1);
    let again = [published(&revision(&old, 4, 0)), published(&noted), published(&revision(&new, 5, 50))].concat();
    let alone = published(&revision(&new, 5, 50));
    let (again, alone) = (path("again.orrec", &file(2, &again)), path("alone.orrec", &file(2, &alone)));
    let then = "2026-03-02T08:15:14Z";
    assert_eq!(first(&publication(&[&again, then]).unwrap()), (4.into(), "left".into()));
    assert_eq!(first(&publication(&[&alone, then]).unwrap()), (5.into(), "right".into()));
    // A site of `orrery record`, torn behind what it says of itself.
    let site = folder.0.join("before").display().to_string();
    let made = folder.0.join("made.orrec").display().to_string();
    assert_eq!(crate::world::orrery(&["record", &site, &made, "--for", "1s"]).0, 0);
    let recorded = std::fs::read(&made).unwrap();
    let torn = path("torn.orrec", &recorded[..recorded.len() - 5]);
    assert_eq!(first(&publication(&[&torn]).unwrap()), one);
    assert_eq!(publication(&[&torn]).unwrap(), publication(&[&made]).unwrap());
    for (name, bytes, words) in [
        ("begun.orrec", &bytes[..40], "it does not say what it is of"),
        ("old.orrec", b"\x89ORREC\r\n\x01\0\0\0", "this program reads recordings of version 2"),
    ] {
        let error = publication(&[&path(name, bytes)]).unwrap_err();
        assert!(error.contains(words), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_sender_in_another_language_gets_to_know_that_its_samples_are_safe() {
    if !python("a_sender_in_another_language_gets_to_know_that_its_samples_are_safe") {
        return;
    }
    let folder = Folder::new();
    let options = PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() };
    let world = World::start_with(SITE, Wish { pump: true, options, ..Wish::default() }).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/push.py");
    let address = world.address.to_string();
    let pushing = move || {
        let args = [script, &address, "1.5", "pump-01.flow", "pump-02.flow", "pump-03.flow"];
        Command::new("python3").args(args).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(pushing).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json, serde_json::json!({ "sent": 45, "acked": 30, "refused": 15, "only_in_memory": 0 }));
    assert_eq!(world.hub.with_store(|store| store.counters().stored), 30);
    world.stop().await;
}

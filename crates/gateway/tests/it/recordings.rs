//! Recordings: written from a site, read back, replayed.

use gateway::recording;

use crate::world::{Folder, Wish, World, orrery};

const CSV_SITE: &str = r#"
[site]
id = "logged"
[[twins]]
id = "tank"
bind = false
[[twins.signals]]
name = "level"
unit = "%"
period = "10s"
[[twins.rules]]
id = "high"
kind = "range"
signal = "level"
bands = [{ above = 80.0, status = "failure" }]
[[models]]
id = "m"
path = "m.gltf"
background = ["**"]
[[sources]]
id = "log"
kind = "csv"
path = "log.csv"
time = { column = "t" }
columns = { level = "tank.level" }
"#;

fn site(folder: &Folder) -> String {
    let mut csv = String::from("t,level\n");
    for n in 0..60 {
        csv += &format!("2026-03-02T08:{n:02}:00Z,{}\n", n * 2);
    }
    folder.write("log.csv", csv);
    folder.write("m.gltf", r#"{"asset":{"version":"2.0"},"nodes":[{"name":"a"}],"scenes":[{"nodes":[0]}],"scene":0}"#);
    folder.write("site.toml", CSV_SITE).display().to_string()
}

#[test]
fn a_recording_holds_the_site_its_models_and_every_sample() {
    let folder = Folder::new();
    let site = site(&folder);
    let file = folder.0.join("day.orrec").display().to_string();
    let (code, _, err) = orrery(&["record", &site, &file, "--speed", "max"]);
    assert_eq!(code, 0, "{err}");
    let read = recording::read(std::path::Path::new(&file)).unwrap();
    assert_eq!(read.samples.len(), 60);
    assert!(read.files.contains_key("m.gltf") && read.toml.contains("logged") && read.remarks.is_empty());
    let at = "2026-03-02T08:45:30Z";
    let (_, from_site, _) = orrery(&["state", &site, "--at", at, "--json"]);
    let (code, from_recording, _) = orrery(&["state", "--recording", &file, "--at", at, "--json"]);
    assert_eq!(code, 0);
    assert_eq!(from_recording, from_site, "a recording tells the same as the site");
    assert!(from_site.contains("\"status\": \"failure\""), "{from_site}");
}

#[test]
fn a_torn_recording_is_read_up_to_the_tear() {
    let folder = Folder::new();
    let site = site(&folder);
    let file = folder.0.join("day.orrec");
    let path = file.display().to_string();
    assert_eq!(orrery(&["record", &site, &path, "--speed", "max"]).0, 0);
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
    let (code, _, err) = orrery(&["state", "--recording", &path, "--at", "2026-03-02T08:45:30Z"]);
    assert_eq!(code, 0);
    assert!(err.contains("the recording's end is torn"), "{err}");
    std::fs::write(&file, b"GIF89a").unwrap();
    let (code, _, err) = orrery(&["replay", &path]);
    assert_eq!(code, 2);
    assert!(err.contains("not an Orrery"), "{err}");
}

#[tokio::test]
async fn a_running_gateway_can_be_recorded_from_elsewhere() {
    let folder = Folder::new();
    site(&folder);
    let text = CSV_SITE.replace(
        "[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\n",
        "[[sources]]\nid = \"log\"\nkind = \"websocket\"\n",
    );
    let text = text.replace("time = { column = \"t\" }\ncolumns = { level = \"tank.level\" }\n", "");
    folder.write("site.toml", text);
    let world = World::serve(&folder.0.join("site.toml"), Wish::default()).await;
    let now = gateway::clock::wall();
    world.put(0, now - twin_model::Span::from_secs(60), 10.0);
    let file = folder.0.join("live.orrec").display().to_string();
    let url = format!("http://{}/", world.address);
    let recording = {
        let file = file.clone();
        tokio::task::spawn_blocking(move || orrery(&["record", &url, &file, "--for", "2s"]))
    };
    // Samples while the recorder listens: it is there once the hub knows a client.
    while world.hub.totals.clients.load(std::sync::atomic::Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    for n in 0..10 {
        ticks.tick().await;
        world.put(0, gateway::clock::wall(), f64::from(n));
    }
    let (code, _, err) = recording.await.unwrap();
    assert_eq!(code, 0, "{err}");
    let read = recording::read(std::path::Path::new(&file)).unwrap();
    assert!(read.files.contains_key("m.gltf") && !read.chunks.is_empty());
    let live = read.extent().unwrap();
    assert!(
        live.start >= now && live.start <= live.end,
        "a replay begins where recording began, not at the oldest value: {live:?}"
    );
    // The last of them; how many came after the snapshot depends on when the recorder was ready.
    assert_eq!(read.samples.last().unwrap().1.value, twin_model::Value::Float(9.0));
    let (code, _, err) = orrery(&["record", "http://127.0.0.1:9/", &file]);
    assert_eq!((code, err.contains("stream of http://127.0.0.1:9/")), (2, true), "{err}");
    world.stop().await;
}

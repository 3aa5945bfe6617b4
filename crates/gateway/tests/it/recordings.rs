//! Recordings: written from a site, read back, replayed.

use std::path::Path;
use std::sync::Arc;

use gateway::publish::{compile, shelf::Shelf};
use gateway::recording;
use gateway::remote::Remote;
use gateway::revisions::folder::Since;
use gateway::site::Site;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use twin_protocol::recording::{Record, Records, VERSION};

use crate::publication::indiscreet;
use crate::secrets::Program;
use crate::world::{Folder, SITE, Wish, World, at, orrery};

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

/// The log begins at 08:00, which is 904 s before `at(0)`.
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
    let read = recording::read(Path::new(&file)).unwrap();
    assert_eq!(read.samples.len(), 60);
    let published = compile(&Site::read_usable(Path::new(&site)).unwrap(), at(0)).unwrap().publication;
    assert_eq!((read.manifests().count(), read.remarks.len(), read.model().site().id.as_str()), (1, 0, "logged"));
    let valid_from = read.manifest().unwrap().valid_from;
    let recorded = read.publication(at(0)).unwrap();
    assert!(recorded.pieces == published.pieces && recorded.manifest.same_plant(&published.manifest));
    assert!((at(-904)..=at(-904 + 59 * 60)).contains(&valid_from), "by the clock of the log, not the wall's: {valid_from}");
    let at = "2026-03-02T08:45:30Z";
    let (_, from_site, _) = orrery(&["state", &site, "--at", at, "--json"]);
    let (code, from_recording, _) = orrery(&["state", "--recording", &file, "--at", at, "--json"]);
    assert_eq!(code, 0);
    assert_eq!(from_recording, from_site, "a recording tells the same as the site");
    assert!(from_site.contains("\"status\": \"failure\""), "{from_site}");
}

/// Where each record of a recording ends.
fn ends_of_records(bytes: &[u8]) -> Vec<usize> {
    let mut records = twin_protocol::recording::Records::new(bytes).unwrap();
    let mut ends = Vec::new();
    while records.next().is_some() {
        ends.push(records.good_bytes() as usize);
    }
    ends
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
    // A byte of a frame that others follow: nobody was interrupted there.
    let mut hurt = bytes.clone();
    let ends = ends_of_records(&bytes);
    hurt[ends[ends.len() - 3] - 1] ^= 1;
    std::fs::write(&file, &hurt).unwrap();
    for args in [["state", "--recording", &path, "--at", "2026-03-02T08:45:30Z"], ["export", "--recording", &path, "-o", "-"]] {
        let (code, _, err) = orrery(&args);
        assert_eq!(code, 1, "{args:?}: {err}");
        assert!(err.contains("the recording is damaged at byte") && !err.contains("torn"), "{err}");
    }
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
    let read = recording::read(Path::new(&file)).unwrap();
    assert!(read.manifests().count() == 1 && !read.chunks.is_empty());
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

/// What a recording says of its site: manifests and pieces as they are.
fn described(file: &str) -> Vec<Record> {
    let bytes = std::fs::read(file).unwrap();
    let records = Records::new(&bytes).unwrap();
    assert_eq!(records.version(), VERSION);
    records.filter(|record| !matches!(record, Record::Frame(_))).collect()
}

#[test]
fn a_recording_of_a_recording_says_the_same_of_the_plant_byte_by_byte() {
    let folder = Folder::new();
    let site = site(&folder);
    let named = |name: &str| folder.0.join(name).display().to_string();
    let (first, second) = (named("first.orrec"), named("second.orrec"));
    assert_eq!(orrery(&["record", &site, &first, "--speed", "max"]).0, 0);
    let replay = Program::serve(&["replay", &first], &[]);
    let (code, _, err) = orrery(&["record", &replay.address, &second, "--for", "1s"]);
    assert_eq!(code, 0, "{err}");
    replay.stop();
    let manifests = |records: &[Record]| records.iter().filter(|it| matches!(it, Record::Manifest(_))).count();
    let (one, two) = (described(&first), described(&second));
    assert!(one == two && manifests(&one) == 1 && one.len() == 2, "{one:?} {two:?}");
}

/// Everything that a recording says, as text: frames unpacked.
fn text_of(file: &str) -> String {
    let bytes = std::fs::read(file).unwrap();
    let texts = Records::new(&bytes).unwrap().map(|record| match record {
        Record::Manifest(bytes) | Record::Piece { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        Record::Frame(frame) => twin_protocol::json::encode_server(&frame),
        other => panic!("{other:?}"),
    });
    texts.collect::<Vec<_>>().join("\n").to_lowercase()
}

#[test]
fn nothing_secret_is_in_any_byte_of_a_recording_whoever_made_it() {
    let folder = Folder::new();
    let site = indiscreet(&folder).display().to_string();
    folder.write("private/secret-file-0815", "s3cret-IN-FILE-0815");
    let named = |name: &str| folder.0.join(name).display().to_string();
    let files = [named("site.orrec"), named("remote.orrec"), named("again.orrec")];
    let secrets = [("SECRET_VARIABLE_0815", "s3cret-IN-ENV-0815")];
    let (code, _, err) = orrery(&["record", &site, &files[0], "--for", "1s"]);
    assert!(code == 0 && err.contains("it is not in the recording"), "{code}: {err}");
    for (args, file) in [(["serve", &*site], &files[1]), (["replay", &*files[1]], &files[2])] {
        let program = Program::serve(&args, &secrets);
        let (code, _, err) = orrery(&["record", &program.address, file, "--for", "1s"]);
        assert_eq!(code, 0, "{err}");
        program.stop();
    }
    let own = folder.0.display().to_string().to_lowercase();
    for file in &files {
        let text = text_of(file);
        // What it is about is there, and that two of its sources are down.
        assert!(text.contains("pump-01.flow") && text.contains("\"source\":\"disk\""), "{file}: {text}");
        // The mark alone would be met in the digits of a time.
        for secret in ["-0815", "_0815", "s3cret", "passw0rd", "secret_variable", "://", "comment", "can't read", ".csv", &own] {
            assert!(!text.contains(secret), "{file}: {secret}: {text}");
        }
    }
}

#[tokio::test]
async fn a_gateway_that_still_compiles_its_site_is_waited_for() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let made = compile(&site, at(0)).unwrap().publication;
    let shelf = Arc::new(Shelf::default());
    let world = World::with_publication(&site, shelf.clone()).await;
    let remote = Remote::parse(&format!("http://{}/", world.address)).unwrap();
    let stopped = remote.publication(&|| true).await.unwrap_err().to_string();
    assert!(stopped.contains("ended before the gateway had compiled its site"), "{stopped}");
    // Nothing is there before the question is on its way: the recorder looks at whether to go on while it waits for the answer.
    let waits = std::cell::Cell::new(0);
    let looks = || {
        waits.set(waits.get() + 1);
        if waits.get() == 3 {
            shelf.place(made.clone(), Since::Fixed(at(0))).unwrap();
        }
        false
    };
    let waited = remote.publication(&looks).await;
    assert!(waits.get() >= 3);
    assert_eq!(waited.unwrap(), made);
    world.stop().await;
}

/// A server that answers each connection with what the next text says, whatever is asked.
async fn answering(answers: Vec<String>) -> (Remote, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let remote = Remote::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let server = tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (remote, server)
}

#[tokio::test]
async fn what_is_no_publication_is_refused_with_words() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let made = compile(&site, at(0)).unwrap().publication;
    let manifest = String::from_utf8(made.manifest.write().unwrap()).unwrap();
    let model = String::from_utf8(made.pieces[&made.manifest.model.hash].to_vec()).unwrap();
    let ok = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    for (answers, words) in [
        (vec!["HTTP/1.1 503 Busy\r\n\r\nno room".to_owned()], "answered with 503: no room"),
        (vec!["HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\nsoon".to_owned(), ok("{}")], "this is not the manifest"),
        (vec!["HTTP/1.1 404 Not Found\r\n\r\n".to_owned()], "is this a gateway of Orrery, and of this version?"),
        (vec!["HTTP/1.1 500 Oh\r\n\r\nthe site could not be compiled: x".to_owned()], "could not be compiled: x"),
        (vec![ok(&manifest), ok(&model.replace("pump-01", "pump-11"))], "is damaged"),
        (vec![ok(&manifest), ok(&format!("{model} "))], "bytes instead of"),
        (vec![ok(&manifest), "HTTP/1.1 404 Not Found\r\n\r\n".to_owned()], "answered with 404"),
    ] {
        let (remote, server) = answering(answers).await;
        let error = remote.publication(&|| false).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        server.await.unwrap();
    }
    let (remote, server) = answering(vec![ok(&manifest), ok(&model)]).await;
    assert_eq!(remote.publication(&|| false).await.unwrap(), made);
    server.await.unwrap();
}

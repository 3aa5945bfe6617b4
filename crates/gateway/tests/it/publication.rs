//! What a publication holds and what it never holds, and how it is served.

use std::path::Path;
use std::sync::Arc;

use gateway::publish::compile;
use gateway::publish::shelf::Shelf;
use gateway::revisions::Publication;
use gateway::revisions::folder::Since;
use gateway::site::Site;
use twin_publication::{Manifest, PieceHash, ViewerModel};

use crate::world::{Folder, SITE, World, at, orrery, shared};

fn compiled(site: &Path) -> Publication {
    compile(&Site::read_usable(site).unwrap(), at(0)).unwrap().publication
}

/// Every byte that somebody else gets to see.
fn published(publication: &Publication) -> Vec<Vec<u8>> {
    let manifest = publication.manifest.write().unwrap();
    publication.pieces.values().map(|bytes| bytes.to_vec()).chain([manifest]).collect()
}

fn model(publication: &Publication) -> ViewerModel {
    ViewerModel::read(&publication.pieces[&publication.manifest.model.hash]).unwrap()
}

#[test]
fn a_publication_has_the_sites_own_model_and_views() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sites = vec!["assets/sites/bottling"];
    if shared("a_publication_has_the_sites_own_model_and_views").is_some() {
        sites.extend(["tests/fixtures/duplex", "tests/fixtures/cookie-factory", "tests/fixtures/skab"]);
    }
    for name in sites {
        let allowed: Vec<_> = shared(name).into_iter().collect();
        let site = Site::read_usable_with(&root.join(name), &allowed).unwrap();
        let publication = compile(&site, at(0)).unwrap().publication;
        let viewer = model(&publication);
        let loaded = &site.loaded;
        assert_eq!(viewer.model, loaded.model, "{name}");
        assert_eq!((&viewer.view.chart, viewer.view.select), (&loaded.settings.chart, loaded.settings.select), "{name}");
        assert_eq!((viewer.view.eye, &viewer.view.theme), (loaded.settings.eye, &loaded.settings.theme), "{name}");
        assert_eq!((&viewer.no_geometry, viewer.anchors.len()), (&loaded.no_geometry, loaded.anchors.len()), "{name}");
        let placed: Vec<_> =
            loaded.assets.iter().map(|asset| (&asset.id, asset.transform.to_cols_array(), &asset.background)).collect();
        let read: Vec<_> = viewer.placements.iter().map(|it| (&it.id, it.transform, &it.background)).collect();
        assert_eq!(read, placed, "{name}");
        assert_eq!(Manifest::read(&publication.manifest.write().unwrap()).unwrap(), publication.manifest);
        println!(
            "{name}: model of {} bytes, manifest of {}",
            publication.manifest.model.bytes,
            publication.manifest.write().unwrap().len()
        );
    }
}

/// A site that is full of what must not get out, and broken where that makes findings repeat it.
pub(crate) fn indiscreet(folder: &Folder) -> std::path::PathBuf {
    let more = format!(
        r#"token = "s3cret-LITERAL-0815"
tokens = "s3cret-MISSPELT-0815"
[[sources]]
id = "by-env"
kind = "websocket"
token = {{ env = "SECRET_VARIABLE_0815" }}
[[sources]]
id = "by-file"
kind = "websocket"
token = {{ file = "{0}/private/secret-file-0815" }}
[[sources]]
id = "log"
kind = "csv"
path = "https://ann:passw0rd-0815@historian.internal-0815/log.csv"
time = {{ column = "t" }}
columns = {{ flow = "pump-02.flow" }}
[[sources]]
id = "disk"
kind = "csv"
path = "{0}/private/absolute-0815.csv"
time = {{ column = "t" }}
columns = {{ flow = "pump-01.flow" }}
[[models]]
id = "hall"
path = "{0}/private/model-0815.glb"
[[models]]
id = "web"
path = "https://ann:passw0rd-0815@models.internal-0815/hall.glb"
[[models]]
id = "odd"
path = "odd.glb"
unit = "s3cret-UNIT-0815"
[[imports]]
kind = "twinmaker"
entities = "{0}/private/entities-0815.json"
[[bindings]]
twin = "pump-01"
node = "nowhere"
[check]
allow = ["s3cret-CODE-0815"]
"#,
        folder.0.display()
    );
    folder.write("odd.glb", "no model at all");
    folder
        .write("site/site.toml", format!("# comment-0815: the password of ann is passw0rd-0815\n{SITE}{more}\n# another-0815\n"))
}

#[test]
fn nothing_secret_is_in_any_byte_of_a_publication() {
    let folder = Folder::new();
    let path = indiscreet(&folder);
    let site = Site::read_usable(&path).unwrap();
    let publication = compile(&site, at(0)).unwrap().publication;
    let findings = &publication.manifest.findings;
    for code in ["model.unreadable", "key.unknown", "value.invalid"] {
        assert!(findings.iter().any(|finding| finding.code == code), "{code}: {findings:?}");
    }
    let own = folder.0.display().to_string();
    let host = std::env::temp_dir().display().to_string();
    for bytes in published(&publication) {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for secret in [
            "-0815",
            "_0815",
            "s3cret",
            "passw0rd",
            "secret_variable",
            "https://",
            "comment",
            &own.to_lowercase(),
            &host.to_lowercase(),
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    // The operator gets to see them: the same findings in full.
    let said = orrery(&["compile", &path.display().to_string(), "-o", &folder.0.join("out").display().to_string()]);
    assert_eq!(said.0, 1);
    assert!(said.1.contains("model-0815.glb") && said.1.contains("secret.written"), "{}", said.1);
    assert!(!said.1.contains("s3cret-LITERAL") && !said.2.contains("s3cret-LITERAL"));
}

#[test]
fn the_same_site_has_the_same_bytes_wherever_it_lies_and_whenever_it_was_written() {
    let (one, two) = (Folder::new(), Folder::new());
    let hall = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sites/bottling");
    for (folder, name) in [(&one, "a"), (&two, "another/deeper")] {
        for file in ["site.toml", "hall.glb"] {
            folder.write(&format!("{name}/{file}"), std::fs::read(hall.join(file)).unwrap());
        }
    }
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(86_400);
    let file = std::fs::File::options().write(true).open(two.0.join("another/deeper/site.toml")).unwrap();
    file.set_modified(old).unwrap();
    let (one, two) = (compiled(&one.0.join("a")), compiled(&two.0.join("another/deeper")));
    assert_eq!(one, two);
    assert_eq!(published(&one), published(&two));
    assert_eq!(one, compiled(&hall), "and in the repository");
}

#[test]
fn what_means_the_same_is_the_same_model() {
    let hash = |toml: &str| {
        let folder = Folder::new();
        compiled(&folder.write("site.toml", toml)).manifest.model.hash
    };
    let base = hash(SITE);
    for same in [
        format!(
            "# a comment\n\n{}\n\n# the end",
            SITE.replace("unit = \"l/min\"\nperiod = \"1s\"", "period = \"1000ms\" # as the PLC sends\nunit = 'l/min'")
        ),
        SITE.replace("id = \"little\"\nname = \"Little plant\"", "name = \"Little plant\"\nid = \"little\""),
        SITE.replace("{ above = 80.0, status = \"maintenance\" }", "{ status = \"maintenance\", above = 80 }"),
        SITE.replace('\n', "\r\n"),
        format!("\u{feff}{SITE}"),
    ] {
        assert_eq!(hash(&same), base, "{same}");
    }
    for other in [SITE.replace("80.0", "80.1"), SITE.replace("l/min", "l/h"), SITE.replace("pump-02", "pump-03")] {
        assert_ne!(hash(&other), base);
    }
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

#[tokio::test]
async fn the_manifest_is_asked_for_again_and_its_pieces_are_kept_for_ever() {
    let world = World::start().await;
    let (status, head, body) = world.get("/api/publication", "").await;
    assert_eq!((status, header(&head, "cache-control"), header(&head, "content-type")), (200, "no-cache", "application/json"));
    let manifest = Manifest::read(&body).unwrap();
    let tag = header(&head, "etag").to_owned();
    assert_eq!(world.get("/api/publication", &format!("If-None-Match: {tag}\r\n")).await.0, 304);
    let address = format!("/api/piece/{}", manifest.model.hash);
    let (status, head, body) = world.get(&address, "").await;
    assert_eq!((status, header(&head, "cache-control")), (200, "public, max-age=31536000, immutable"));
    manifest.model.check(&body).unwrap();
    assert_eq!(ViewerModel::read(&body).unwrap().model, **world.hub.model());
    let tag = header(&head, "etag").to_owned();
    assert_eq!(world.get(&address, &format!("If-None-Match: {tag}\r\n")).await.0, 304);
    for (accept, coding) in [("br", "br"), ("gzip", "gzip"), ("gzip, br", "br")] {
        let (_, head, packed) = world.get(&address, &format!("Accept-Encoding: {accept}\r\n")).await;
        assert_eq!((header(&head, "content-encoding"), packed.len() < body.len()), (coding, true));
        assert_eq!(header(&head, "x-uncompressed-length"), body.len().to_string());
    }
    world.stop().await;
}

#[tokio::test]
async fn only_pieces_that_the_manifest_names_can_be_had() {
    let world = World::start().await;
    let (_, _, body) = world.get("/api/publication", "").await;
    let name = Manifest::read(&body).unwrap().model.hash.to_string();
    let other = PieceHash::of(b"other").to_string();
    for path in [&*other, &name.to_uppercase(), &name[..63], "..", "%2e%2e%2fsite.toml", "a/b", "%ff", ""] {
        let (status, _, _) = world.get(&format!("/api/piece/{path}"), "").await;
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
    world.stop().await;
}

#[test]
fn a_running_server_and_one_of_a_recording_serve_the_publication_of_the_site() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    let recording = folder.0.join("a.orrec").display().to_string();
    let (code, _, err) = orrery(&["record", &site, &recording, "--for", "1s"]);
    assert_eq!(code, 0, "{err}");
    let model = Site::read_usable(Path::new(&site)).unwrap().loaded.model;
    for args in [["serve", &*site], ["replay", &*recording]] {
        let program = crate::secrets::Program::serve(&args, &[]);
        let host = program.address.trim_start_matches("http://").to_owned();
        let fetch = |path: &str| waited(&host, path);
        let manifest = Manifest::read(&fetch("/api/publication")).unwrap();
        let bytes = fetch(&format!("/api/piece/{}", manifest.model.hash));
        manifest.model.check(&bytes).unwrap();
        assert_eq!(ViewerModel::read(&bytes).unwrap().model, model, "{args:?}");
        program.stop();
    }
}

/// What is answered once the site is compiled.
pub(crate) fn waited(host: &str, path: &str) -> Vec<u8> {
    loop {
        let (status, body) = get(host, path);
        match status {
            503 => std::thread::yield_now(),
            200 => break body,
            other => panic!("{path}: {other}"),
        }
    }
}

pub(crate) fn get(host: &str, path: &str) -> (u16, Vec<u8>) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&bytes[..split]).split(' ').nth(1).unwrap().parse().unwrap();
    (status, bytes[split + 4..].to_vec())
}

#[tokio::test]
async fn without_a_publication_the_answer_says_why_and_whether_to_come_again() {
    for (failed, status, words, again) in [(false, 503, "still being compiled", "1"), (true, 500, "twins: 3 are too many", "")] {
        let folder = Folder::new();
        let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
        let shelf = Arc::new(Shelf::default());
        if failed {
            shelf.fail("twins: 3 are too many");
        }
        let world = World::with_publication(&site, shelf).await;
        // Who asks for the manifest while it is compiled waits: see below.
        let at_once = ["/api/publication", "/api/publication/revisions", "/api/publication/1", "/api/piece/x"];
        for path in at_once.into_iter().skip(usize::from(!failed)) {
            let (code, head, body) = world.get(path, "").await;
            assert_eq!((code, header(&head, "retry-after")), (status, again), "{path}");
            assert!(String::from_utf8_lossy(&body).contains(words), "{path}: {body:?}");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn who_asks_for_a_manifest_that_is_being_compiled_gets_it_when_it_is_there() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let shelf = Arc::new(Shelf::default());
    let world = World::with_publication(&site, shelf.clone()).await;
    let compiled = compile(&site, at(0)).unwrap().publication;
    let fill = async {
        // Behind this answer the question for the manifest is on its way, or the answer would be there at once: right either way.
        assert_eq!(world.get("/api/piece/x", "").await.0, 503);
        shelf.place(compiled.clone(), Since::Fixed(at(0))).unwrap();
    };
    let ((status, _, body), ()) = tokio::join!(world.get("/api/publication", ""), fill);
    assert_eq!((status, Manifest::read(&body).unwrap().model), (200, compiled.manifest.model));
    world.stop().await;
}

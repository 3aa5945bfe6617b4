//! Plain requests: headers, files, history, metrics.

use twin_historian::{Store, StoreConfig};
use twin_model::{SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::*;
use twin_publication::Manifest;

use crate::world::{Folder, SITE, Wish, World, at};

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

#[tokio::test]
async fn every_answer_carries_a_strict_policy() {
    let world = World::start().await;
    for path in ["/", "/api/publication", "/healthz", "/metrics", "/nothing"] {
        let (_, head, _) = world.get(path, "").await;
        let policy = header(&head, "content-security-policy");
        assert!(policy.starts_with("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'self'") && policy.contains("object-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(policy.contains(&format!("ws://{}", world.address)), "{policy}");
        assert_eq!(header(&head, "x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn the_page_is_served_packed_and_kept_by_name() {
    let folder = Folder::new();
    folder.write("index.html", "<p>page</p>");
    folder.write("viewer-0123456789abcdef.js", "let a = 1;");
    folder.write("viewer-0123456789abcdef.js.br", "packed");
    folder.write(".symbols/names.bin", "secret");
    let wish = Wish { web: Some(folder.0.clone()), ..Wish::default() };
    let world = World::start_with(SITE, wish).await;
    let (status, head, body) = world.get("/", "").await;
    assert_eq!((status, &body[..]), (200, &b"<p>page</p>"[..]));
    assert_eq!(header(&head, "cache-control"), "no-cache");
    let tag = header(&head, "etag").to_owned();
    assert_eq!(world.get("/", &format!("If-None-Match: {tag}\r\n")).await.0, 304);
    let (_, head, body) = world.get("/viewer-0123456789abcdef.js", "Accept-Encoding: gzip, br\r\n").await;
    assert_eq!(&body[..], b"packed");
    assert_eq!((header(&head, "content-encoding"), header(&head, "x-uncompressed-length")), ("br", "10"));
    assert_eq!(header(&head, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&head, "content-type"), "text/javascript; charset=utf-8");
    for path in ["/.symbols/names.bin", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2f..%2fetc/passwd", "/a%00b", "/%zz"] {
        assert_eq!(world.get(path, "").await.0, 404, "{path}");
    }
}

/// A glTF that names a file beside itself and one that it must not have.
const GLTF: &str = r#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"nodes":[{"name":"n","mesh":0}],
"meshes":[{"primitives":[{"attributes":{"POSITION":0},"material":0}]}],
"materials":[{"pbrMetallicRoughness":{"baseColorTexture":{"index":0}}}],"textures":[{"source":0}],"images":[{"uri":"../secret.txt"}],
"accessors":[{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3","min":[0,0,0],"max":[1,1,0]}],
"bufferViews":[{"buffer":0,"byteLength":36}],
"buffers":[{"uri":"parts/a%20b.bin","byteLength":36}]}"#;

#[tokio::test]
async fn no_file_of_the_site_can_be_had_and_the_answer_says_what_can() {
    let folder = Folder::new();
    folder.write("secret.txt", "secret");
    folder.write("site/other.glb", "not named");
    folder.write("site/models/thing.gltf", GLTF);
    folder.write("site/models/parts/a b.bin", [0; 36]);
    let site = folder.write(
        "site/site.toml",
        format!("{SITE}\n[[models]]\nid = \"m\"\npath = \"models/thing.gltf\"\n[[models]]\nid = \"gone\"\npath = \"gone.glb\"\n"),
    );
    let world = World::serve(&site, Wish::default()).await;
    for path in [
        "/api/site",
        "/api/asset/models/thing.gltf",
        "/api/asset/0123456789abcdef/thing.gltf",
        "/api/asset/../site.toml",
        "/api/asset/%2e%2e/secret.txt",
        "/api/asset//etc/passwd",
    ] {
        let (status, _, body) = world.get(path, "").await;
        let words = String::from_utf8(body).unwrap();
        assert!(status == 410 && words.contains("/api/publication names what a viewer needs"), "{path}: {status} {words}");
        let (status, ..) = world.get(path, "If-None-Match: *\r\nRange: bytes=0-1\r\n").await;
        assert_eq!(status, 410, "{path}");
    }
    for path in ["/api/asset/", "/api/asset", "/site.toml", "/models/thing.gltf", "/api/piece/../site.toml"] {
        assert!(matches!(world.get(path, "").await.0, 404 | 410), "{path}");
    }
    // What is published of it is neither the file nor what lies beside it.
    let manifest = Manifest::read(&world.get("/api/publication", "").await.2).unwrap();
    assert!(manifest.pieces().count() > 1, "the triangle is a scene");
    for (_, piece) in manifest.pieces() {
        let (status, _, body) = world.get(&format!("/api/piece/{}", piece.hash), "").await;
        assert_eq!(status, 200);
        piece.check(&body).unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(!text.contains("secret") && !text.contains("bufferViews") && !text.contains("[[models]]"), "{text}");
    }
    world.stop().await;
}

#[tokio::test]
async fn history_comes_as_chunks_that_the_historian_reads() {
    let world = World::start().await;
    for s in 0..600 {
        world.put(0, at(s * 10), s as f64);
    }
    let path = format!("/api/history?from={}&to=2026-03-02T10:00:00Z", at(100));
    let (status, head, body) = world.get(&path, "").await;
    assert_eq!((status, header(&head, "cache-control")), (200, "no-cache"));
    let ServerFrame::History(history) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!() };
    assert_eq!((history.next, history.extent.map(|range| range.start)), (None, Some(at(0))));
    assert_eq!(history.dictionary, Dictionary::of(world.hub.model()));
    let mut store = Store::new(world.hub.model().signals().iter().map(Into::into), StoreConfig::default());
    for chunk in &history.chunks {
        store.import_chunk(chunk).unwrap();
    }
    assert_eq!(store.extent().unwrap().start, at(100), "half-open from the left");
    assert_eq!(store.latest_at(SignalIndex(0), at(6_000)).unwrap().value, Value::Float(599.0));
    let tag = header(&head, "etag").to_owned();
    assert_eq!(world.get(&path, &format!("If-None-Match: {tag}\r\n")).await.0, 304);
    let (status, _, body) = world.get("/api/history?from=yesterday", "").await;
    assert_eq!(status, 400);
    assert!(String::from_utf8(body).unwrap().contains("write it like"));
}

#[tokio::test]
async fn health_and_metrics_answer() {
    let world = World::start().await;
    world.put(0, at(1), 1.0);
    assert_eq!(world.get("/healthz", "").await.2, b"ok\n");
    let (_, head, body) = world.get("/metrics", "").await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!(header(&head, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in ["orrery_samples_total 1", "orrery_batches_total 1", "orrery_clients 0", "orrery_source_up{source=\"script\"} 0"]
    {
        assert!(text.lines().any(|each| each == line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn pages_of_others_may_not_open_our_sockets() {
    let world = World::start().await;
    for path in ["/stream", "/ingest"] {
        assert!(world.try_socket(path, None, Some("https://evil.example")).await.is_err());
        assert!(world.try_socket(path, None, Some(&format!("http://{}", world.address))).await.is_ok());
    }
}

/// Five finished hours of one signal (a counter without a period: every hour is dense enough for a page of its own), and one
/// sample of another in the second hour.
fn fill(world: &World) {
    for s in 0..1_600 {
        world.put(1, at(s * 10), s as f64);
    }
    world.put(4, at(5_000), 4.0);
    world.hub.seal(gateway::clock::wall());
    assert!(world.hub.persist().unwrap().sync());
}

async fn catalogue(world: &World, query: &str) -> serde_json::Value {
    let (status, head, body) = world.get(&format!("/api/catalogue{query}"), "").await;
    assert_eq!((status, header(&head, "cache-control")), (200, "no-cache"));
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn the_catalogue_lists_pages_that_hold_every_sealed_sample() {
    let world = World::start().await;
    let empty = catalogue(&world, "").await;
    assert_eq!(
        (&empty["format"], &empty["extent_us"], &empty["levels"][0]["pages"]),
        (&1.into(), &().into(), &serde_json::json!([]))
    );
    fill(&world);
    let list = catalogue(&world, "").await;
    let until = list["sealed_until_us"].as_i64().unwrap();
    assert!(until >= at(4 * 3_600).floor_to(Span::from_secs(3_600)).as_micros(), "what ended is in pages");
    assert!(list["outside_before_us"].is_null() && list["now_us"].as_i64().unwrap() > until);
    let levels: Vec<&str> = list["levels"].as_array().unwrap().iter().map(|l| l["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["raw", "5min", "1h"]);
    assert_eq!(list["levels"][1]["slab_us"], 21_600_000_000_i64);
    // Pages and the unsealed end together are all of history; with its page's carried-in state any hour answers alone.
    let mut all = Store::new(world.hub.model().signals().iter().map(Into::into), StoreConfig::default());
    let mut pages = 0;
    let mut last = i64::MIN;
    for page in list["levels"][0]["pages"].as_array().unwrap() {
        let (start, version) = (page["start_us"].as_i64().unwrap(), page["version"].as_str().unwrap());
        assert!(start > last && page["parts"] == 1 && page["bytes"].as_u64().unwrap() > 48);
        last = start;
        let url = format!("/api/page/raw/{start}/{version}/0");
        let (status, head, body) = world.get(&url, "").await;
        assert_eq!((status, header(&head, "cache-control")), (200, "public, max-age=31536000, immutable"));
        let tag = header(&head, "etag").to_owned();
        assert_eq!(world.get(&url, &format!("If-None-Match: {tag}\r\n")).await.0, 304);
        let ServerFrame::Page(part) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!() };
        let mut alone = Store::new(world.hub.model().signals().iter().map(Into::into), StoreConfig::default());
        for chunk in &part.chunks {
            let key = all.import_chunk(chunk).unwrap().key;
            alone.import_chunk(chunk).unwrap();
            let (status, head, bytes) = world.get(&format!("/api/chunk/{key}"), "").await;
            assert_eq!((status, &bytes), (200, chunk), "a chunk by its key is the same bytes");
            assert_eq!(header(&head, "content-type"), "application/vnd.orrery.chunk");
        }
        let start = Timestamp::from_micros(start);
        for signal in [SignalIndex(1), SignalIndex(4)] {
            let whole = crate::disk::everything(&world.hub).latest_at(signal, start);
            assert_eq!(alone.latest_at(signal, start), whole, "state at {start}");
        }
        pages += 1;
    }
    assert_eq!(pages, 5);
    assert_eq!(all.density(TimeRange::new(at(0), Timestamp::from_micros(until)), 1), [1_601]);
    let some = catalogue(&world, &format!("?from={}&to={}", at(3_600).as_micros(), at(3_601).as_micros())).await;
    assert_eq!(some["levels"][0]["pages"].as_array().unwrap().len(), 1);
    for wrong in
        ["raw/5/0000000000000000/0", "raw/x/0000000000000000/0", "2h/0/0000000000000000/0", "carried/0/0000000000000000/0"]
    {
        let (status, _, body) = world.get(&format!("/api/page/{wrong}"), "").await;
        assert_eq!(status, 404, "{wrong}");
        assert!(String::from_utf8(body).unwrap().contains("read /api/catalogue again"));
    }
    for wrong in ["raw/0+6/0_1/v1", "nonsense"] {
        assert_eq!(world.get(&format!("/api/chunk/{wrong}"), "").await.0, 404, "{wrong}");
    }
}

#[tokio::test]
async fn a_late_sample_gives_its_page_another_version_and_the_old_one_is_gone() {
    let world = World::start().await;
    fill(&world);
    let before = catalogue(&world, "").await;
    let (_, head, _) = world.get("/api/catalogue", "").await;
    let tag = header(&head, "etag").to_owned();
    assert_eq!(world.get("/api/catalogue", &format!("If-None-Match: {tag}\r\n")).await.0, 304);
    // The other signal was silent since the second hour: what is carried into all later hours changes.
    world.put(4, at(5_001), 5.0);
    world.hub.seal(gateway::clock::wall());
    assert!(world.hub.persist().unwrap().sync());
    let after = catalogue(&world, "").await;
    assert_eq!(world.get("/api/catalogue", &format!("If-None-Match: {tag}\r\n")).await.0, 200);
    let version = |list: &serde_json::Value, at: usize| list["levels"][0]["pages"][at]["version"].as_str().unwrap().to_owned();
    assert_eq!(version(&before, 0), version(&after, 0));
    for page in 1..5 {
        assert_ne!(version(&before, page), version(&after, page), "page {page}");
    }
    let start = before["levels"][0]["pages"][1]["start_us"].as_i64().unwrap();
    assert_eq!(world.get(&format!("/api/page/raw/{start}/{}/0", version(&before, 1)), "").await.0, 404);
    assert_eq!(world.get(&format!("/api/page/raw/{start}/{}/0", version(&after, 1)), "").await.0, 200);
    assert_eq!(world.get(&format!("/api/page/raw/{start}/{}/1", version(&after, 1)), "").await.0, 404, "no such part");
}

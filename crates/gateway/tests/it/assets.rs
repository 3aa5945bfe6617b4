//! Model files over HTTP: an address stands for everything that a model consists of.

use serde_json::Value as Json;

use crate::world::{Folder, SITE, Wish, World, orrery};

/// A triangle whose three positions are in the file `buffer`, with a texture in `image`.
pub(crate) fn triangle(buffer: &str, image: &str) -> String {
    format!(
        r#"{{"asset":{{"version":"2.0"}},"scene":0,"scenes":[{{"nodes":[0]}}],"nodes":[{{"name":"Pump","mesh":0}}],
        "meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}},"material":0}}]}}],
        "materials":[{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}}],
        "textures":[{{"source":0}}],"images":[{{"uri":"{image}"}}],
        "accessors":[{{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3"}}],
        "bufferViews":[{{"buffer":0,"byteLength":36}}],"buffers":[{{"uri":"{buffer}","byteLength":36}}]}}"#
    )
}

/// Nine floats: a triangle of the size.
pub(crate) fn corners(size: f32) -> Vec<u8> {
    [0.0, 0.0, 0.0, size, 0.0, 0.0, 0.0, size, 0.0].iter().flat_map(|value: &f32| value.to_le_bytes()).collect()
}

fn site(models: &[&str]) -> String {
    let models = models.iter().enumerate().map(|(at, path)| format!("[[models]]\nid = \"m{at}\"\npath = \"{path}\"\n"));
    format!("{SITE}\n{}", models.collect::<String>())
}

struct Seen {
    hash: String,
    urls: Vec<String>,
}

impl Seen {
    async fn of(world: &World) -> Self {
        let json: Json = serde_json::from_slice(&world.get("/api/site", "").await.2).unwrap();
        let url = |asset: &Json| asset["url"].as_str().unwrap().to_owned();
        Self {
            hash: json["hash"].as_str().unwrap().to_owned(),
            urls: json["assets"].as_array().unwrap().iter().map(url).collect(),
        }
    }
}

fn beside(url: &str, name: &str) -> String {
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}

fn etag(head: &str) -> String {
    head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned()
}

#[tokio::test]
async fn another_buffer_or_texture_beside_the_same_text_is_another_asset() {
    let folder = Folder::new();
    folder.write("pump.gltf", triangle("pump.bin", "skin.png"));
    let site = folder.write("site.toml", site(&["pump.gltf"]));
    let mut before: Vec<(String, String, String)> = Vec::new();
    for (buffer, image) in [(corners(1.0), "red"), (corners(2.0), "red"), (corners(2.0), "tan")] {
        folder.write("pump.bin", &buffer);
        folder.write("skin.png", image);
        let world = World::serve(&site, Wish::default()).await;
        let seen = Seen::of(&world).await;
        let url = beside(&seen.urls[0], "pump.bin");
        let (_, head, body) = world.get(&url, "").await;
        assert_eq!(body, buffer);
        let (_, image_head, body) = world.get(&beside(&seen.urls[0], "skin.png"), "").await;
        assert_eq!(body, image.as_bytes());
        for (hash, old, _) in &before {
            assert!(*hash != seen.hash && *old != url, "{url} was known before");
        }
        if let Some((.., old)) = before.last() {
            let tags = format!("{} {}", etag(&head), etag(&image_head));
            assert_ne!(*old, tags, "other bytes of the same length must not count as the same");
        }
        before.push((seen.hash, url, format!("{} {}", etag(&head), etag(&image_head))));
        world.stop().await;
    }
}

#[tokio::test]
async fn an_address_keeps_its_content_while_the_file_is_written_anew() {
    let folder = Folder::new();
    folder.write("pump.gltf", triangle("pump.bin", "skin.png"));
    folder.write("pump.bin", corners(1.0));
    let site = folder.write("site.toml", site(&["pump.gltf"]));
    let world = World::serve(&site, Wish::default()).await;
    folder.write("pump.bin", corners(7.0));
    let seen = Seen::of(&world).await;
    assert_eq!(world.get(&beside(&seen.urls[0], "pump.bin"), "").await.2, corners(1.0));
    assert_eq!(world.get(&beside(&seen.urls[0], "skin.png"), "").await.0, 404);
}

#[tokio::test]
async fn equal_texts_in_two_folders_each_have_their_own_buffer() {
    let folder = Folder::new();
    for (name, size) in [("small", 1.0), ("big", 4.0)] {
        folder.write(&format!("{name}/scene.gltf"), triangle("scene.bin", "skin.png"));
        folder.write(&format!("{name}/scene.bin"), corners(size));
    }
    let site = folder.write("site.toml", site(&["small/scene.gltf", "big/scene.gltf"]));
    let world = World::serve(&site, Wish::default()).await;
    let seen = Seen::of(&world).await;
    assert_ne!(seen.urls[0], seen.urls[1]);
    for (url, size) in seen.urls.iter().zip([1.0, 4.0]) {
        assert_eq!(world.get(&beside(url, "scene.bin"), "").await.2, corners(size), "{url}");
    }
}

#[tokio::test]
async fn what_check_reads_the_page_gets_however_its_path_is_spelt() {
    // What a browser asks for, once it has taken `.` and `..` out: the same for all spellings.
    for spelling in
        ["data/a b.bin", "./data/a%20b.bin", "x/../data/a b.bin", "data//a%20b.bin", "data\\\\a b.bin", "%64ata/a b.bin"]
    {
        let folder = Folder::new();
        folder.write("m/pump.gltf", triangle(spelling, "skin.png"));
        folder.write("m/data/a b.bin", corners(3.0));
        let path = folder.write("site.toml", site(&["./m/pump.gltf"]));
        let (_, out, _) = orrery(&["check", &path.display().to_string()]);
        assert!(out.contains("1 models with 1 nodes"), "{spelling}: {out}");
        let world = World::serve(&path, Wish::default()).await;
        let seen = Seen::of(&world).await;
        let (status, _, body) = world.get(&beside(&seen.urls[0], "data/a%20b.bin"), "").await;
        assert_eq!((status, body), (200, corners(3.0)), "{spelling}");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_model_is_not_hidden_by_a_file_beside_it_of_its_own_name() {
    let folder = Folder::new();
    folder.write("pump.gltf", triangle("pump.gltf", "skin.png"));
    let site = folder.write("site.toml", site(&["pump.gltf"]));
    let world = World::serve(&site, Wish::default()).await;
    let seen = Seen::of(&world).await;
    assert_eq!(world.get(&seen.urls[0], "").await.2, triangle("pump.gltf", "skin.png").as_bytes());
}

fn checked(site: &std::path::Path) -> (i32, Json) {
    let (code, out, _) = orrery(&["check", &site.display().to_string(), "--json"]);
    (code, serde_json::from_str(&out).unwrap())
}

#[test]
fn check_warns_of_a_twin_that_shows_nothing_and_refuses_what_it_cannot_place() {
    let folder = Folder::new();
    let twin = "[[twins]]\nid = \"pipe\"\nbind = { name = \"Pump\" }\n";
    let lines = triangle("pump.bin", "skin.png").replace("\"material\":0", "\"mode\":1");
    let foreign = triangle("pump.bin", "skin.png").replacen(
        '{',
        "{\"extensionsUsed\":[\"ACME_bend\"],\"extensionsRequired\":[\"ACME_bend\"],",
        1,
    );
    folder.write("pump.bin", corners(1.0));
    let path = folder.write("site.toml", format!("[site]\nid = \"s\"\n[[models]]\nid = \"m\"\npath = \"pump.gltf\"\n{twin}"));
    for (text, finding, bound) in [
        (triangle("pump.bin", "skin.png"), None, 1),
        (lines, Some(("warning", "twin.invisible")), 0),
        (foreign, Some(("error", "model.unreadable")), 0),
    ] {
        folder.write("pump.gltf", &text);
        let (code, json) = checked(&path);
        let serious =
            json["findings"].as_array().unwrap().iter().filter(|it| it["severity"] != "info" && it["code"] != "twin.unbound");
        let serious: Vec<_> = serious.map(|it| (it["severity"].as_str().unwrap(), it["code"].as_str().unwrap())).collect();
        assert_eq!(serious, finding.into_iter().collect::<Vec<_>>(), "{json}");
        assert_eq!((code, &json["summary"]["bound_twins"]), (i32::from(finding.is_some()), &Json::from(bound)));
    }
}

#[test]
fn known_cases_of_geometry_are_right() {
    let Some(data) = crate::world::shared("known_cases_of_geometry_are_right") else { return };
    let cases = data.parent().unwrap().join("cases");
    if !cases.is_dir() {
        eprintln!("SKIPPED known_cases_of_geometry_are_right (no {})", cases.display());
        return;
    }
    for (case, code, twins, nodes) in [
        ("21-cesium-rtc", 0, 2, 2),
        ("24b-dot-slash-buffer", 0, 1, 1),
        ("25-names-on-meshes", 0, 2, 2),
        ("49-id-beyond-2-to-53", 0, 1, 1),
        ("53-pipe-centre-lines", 1, 0, 1),
    ] {
        let (found, json) = checked(&cases.join(case));
        let summary = &json["summary"];
        assert_eq!(
            (found, &summary["bound_twins"], &summary["bound_nodes"]),
            (code, &Json::from(twins), &Json::from(nodes)),
            "{case}: {json}"
        );
    }
}

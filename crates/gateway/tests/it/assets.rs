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

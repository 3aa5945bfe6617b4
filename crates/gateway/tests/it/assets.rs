//! Model files: what is served is everything that a model consists of, whatever its files are called and wherever they lie.

use gateway::publish::identity::of_site;
use gateway::site::Site;
use serde_json::Value as Json;
use twin_publication::Manifest;
use twin_scene::cells::Index;

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

/// What is served of a site: the short name of it, and its manifest.
async fn served(world: &World) -> (String, Manifest) {
    let (status, _, body) = world.get("/api/publication", "").await;
    assert_eq!(status, 200);
    (world.app.site_hash.clone(), Manifest::read(&body).unwrap())
}

/// The boxes of a scene's parts as the place of their largest corner, in metres.
async fn sizes(world: &World, manifest: &Manifest) -> Vec<f32> {
    let scene = manifest.scene.as_ref().unwrap();
    let (_, _, body) = world.get(&format!("/api/piece/{}", scene.index.hash), "").await;
    Index::read(&body).unwrap().parts.iter().map(|part| part.bounds.max.x.round()).collect()
}

#[tokio::test]
async fn another_buffer_or_texture_beside_the_same_text_is_another_site() {
    let folder = Folder::new();
    folder.write("pump.gltf", triangle("pump.bin", "skin.png"));
    let site = folder.write("site.toml", site(&["pump.gltf"]));
    let mut before: Vec<(String, Manifest)> = Vec::new();
    for (buffer, image) in [(corners(1.0), "red"), (corners(2.0), "red"), (corners(2.0), "tan")] {
        folder.write("pump.bin", &buffer);
        folder.write("skin.png", image);
        let world = World::serve(&site, Wish::default()).await;
        let (hash, manifest) = served(&world).await;
        assert!(before.iter().all(|(old, _)| *old != hash), "{hash} was known before");
        if let Some((_, old)) = before.first() {
            assert!(!old.same_plant(&manifest), "other bytes of the same length must not count as the same");
        }
        before.push((hash, manifest));
        world.stop().await;
    }
    // And the same again is the same again.
    folder.write("pump.bin", corners(1.0));
    folder.write("skin.png", "red");
    folder.write("site.toml", format!("# a comment\n{}", std::fs::read_to_string(&site).unwrap()));
    let world = World::serve(&site, Wish::default()).await;
    let (hash, manifest) = served(&world).await;
    assert!(hash == before[0].0 && manifest.same_plant(&before[0].1));
    world.stop().await;
}

#[test]
fn what_a_node_shows_and_which_file_stands_where_are_part_of_a_sites_name() {
    let folder = Folder::new();
    for (name, size) in [("a", 1.0), ("b", 2.0)] {
        folder.write(&format!("{name}.gltf"), triangle(&format!("{name}.bin"), "skin.png"));
        folder.write(&format!("{name}.bin"), corners(size));
    }
    let bind = |twin: &str| format!("[[bindings]]\ntwin = \"{twin}\"\nname = \"Pump\"\n");
    let texts = [
        site(&["a.gltf", "b.gltf", "a.gltf"]),
        site(&["a.gltf", "b.gltf", "b.gltf"]),
        format!("{}{}", site(&["a.gltf", "b.gltf", "a.gltf"]), bind("pump-01")),
        format!("{}{}", site(&["a.gltf", "b.gltf", "a.gltf"]), bind("pump-02")),
    ];
    let name = |text: &String| of_site(&Site::read_usable(&folder.write("site.toml", text)).unwrap());
    let mut names: Vec<String> = texts.iter().map(name).collect();
    assert_eq!(name(&texts[0].replace("\n\n", "\n# between\n\n\n")), names[0], "places in the file are no part of it");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), texts.len());
}

#[tokio::test]
async fn a_piece_keeps_its_content_while_the_file_is_written_anew() {
    let folder = Folder::new();
    folder.write("pump.gltf", triangle("pump.bin", "skin.png"));
    folder.write("pump.bin", corners(1.0));
    let site = folder.write("site.toml", site(&["pump.gltf"]));
    let world = World::serve(&site, Wish::default()).await;
    let (_, before) = served(&world).await;
    folder.write("pump.bin", corners(7.0));
    let (_, manifest) = served(&world).await;
    assert_eq!(before, manifest);
    for (_, piece) in manifest.pieces() {
        let (status, head, body) = world.get(&format!("/api/piece/{}", piece.hash), "").await;
        assert!(status == 200 && head.contains("immutable"), "{head}");
        piece.check(&body).unwrap();
    }
    assert_eq!(sizes(&world, &manifest).await, [1.0]);
    world.stop().await;
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
    let (_, manifest) = served(&world).await;
    assert_eq!(sizes(&world, &manifest).await, [1.0, 4.0]);
    world.stop().await;
}

#[tokio::test]
async fn what_check_reads_viewers_get_however_its_path_is_spelt() {
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
        let (_, manifest) = served(&world).await;
        assert_eq!(sizes(&world, &manifest).await, [3.0], "{spelling}");
        world.stop().await;
    }
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

#[tokio::test]
async fn cases_of_models_that_share_their_text_are_right() {
    if let Some(case) = crate::tables_played::case("32-texture-or-buffer-changed") {
        let folder = Folder::new();
        for name in ["site.toml", "pump.gltf", "pump.bin"] {
            folder.write(name, std::fs::read(case.join(name)).unwrap());
        }
        let mut before = None;
        for size in [1.0_f32, 4.0] {
            // As if it were exported again: the same text beside corners elsewhere.
            let mut bytes = std::fs::read(case.join("pump.bin")).unwrap();
            for corner in bytes[..96].chunks_exact_mut(4) {
                let value = f32::from_le_bytes([corner[0], corner[1], corner[2], corner[3]]) * size;
                corner.copy_from_slice(&value.to_le_bytes());
            }
            folder.write("pump.bin", bytes);
            let world = World::serve(&folder.0.join("site.toml"), Wish::default()).await;
            let (hash, manifest) = served(&world).await;
            assert_eq!(sizes(&world, &manifest).await, [size]);
            let scene = manifest.scene.as_ref().unwrap().index.hash;
            if let Some((old_hash, old_scene)) = before.replace((hash.clone(), scene)) {
                assert!(old_hash != hash && old_scene != scene, "what may be kept for ever has another name");
            }
            world.stop().await;
        }
    }
    if let Some(case) = crate::tables_played::case("41-same-gltf-two-folders") {
        let text = |name: &str| std::fs::read(case.join(name)).unwrap();
        assert!(text("small/scene.gltf") == text("big/scene.gltf") && text("small/scene.bin") != text("big/scene.bin"));
        let world = World::serve(&case.join("site.toml"), Wish::default()).await;
        let (_, manifest) = served(&world).await;
        let sizes = sizes(&world, &manifest).await;
        // The big one stands five metres away.
        assert!(sizes.len() == 2 && sizes.iter().any(|x| *x < 5.0) && sizes.iter().any(|x| *x >= 6.0), "{sizes:?}");
        world.stop().await;
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

//! Small model files made here, and the same files broken at random: the loader must answer, never panic or over-allocate.

use proptest::prelude::*;
use twin_geometry::glb::{self, GlbError, Limits, Loader, Stage};
use twin_scene::geometry::{AlphaMode, SceneModel};

use crate::container::glb;

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A unit square of two triangles: positions at 0, u16 indices (0 1 2, 2 1 3) at 48, u8 indices at 60, tokens at 66.
fn square() -> Vec<u8> {
    let mut bin = floats(&[0., 0., 0., 1., 0., 0., 0., 1., 0., 1., 1., 0.]);
    bin.extend([0u16, 1, 2, 2, 1, 3].iter().flat_map(|index| index.to_le_bytes()));
    bin.extend([0u8, 1, 2, 2, 1, 3, 0, 0]);
    bin
}

/// A file that draws the square with these extra members of the primitive, accessors and top level.
fn file(primitive: &str, accessors: &str, top: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"asset":{{"version":"2.0"}},"scene":0,"scenes":[{{"nodes":[0]}}],
        "nodes":[{{"name":"plant","children":[1]}},{{"mesh":0,"translation":[1,2,3],"extras":{{"twin":"a"}}}}],
        "meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}}{primitive}}}]}}],
        "accessors":[{{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3"}}{accessors}],
        "bufferViews":[{{"buffer":0,"byteLength":48}},{{"buffer":0,"byteOffset":48,"byteLength":20}}],
        "buffers":[{{"byteLength":68}}]{top}}}"#
    );
    glb(&json, &square())
}

const U16: &str = r#",{"bufferView":1,"componentType":5123,"count":6,"type":"SCALAR"}"#;

fn none(_: &str) -> Result<Vec<u8>, String> {
    Err("no files here".to_owned())
}

fn load(bytes: &[u8]) -> Result<SceneModel, GlbError> {
    glb::load(bytes, &mut none, &Limits::default())
}

fn triangles(primitive: &str, accessors: &str) -> usize {
    load(&file(primitive, accessors, "")).expect("loads").scene_triangles()
}

#[test]
fn lists_strips_and_fans_become_triangles() {
    assert_eq!(triangles(r#","indices":1"#, U16), 2);
    assert_eq!(triangles(r#","mode":5"#, ""), 2);
    assert_eq!(triangles(r#","mode":6"#, ""), 2);
    assert_eq!(triangles("", ""), 1);
    assert_eq!(triangles(r#","mode":1"#, ""), 0);
}

#[test]
fn strips_keep_their_facing() {
    let model = load(&file(r#","mode":5"#, "", "")).expect("loads");
    assert!(model.meshes[0].primitives[0].normals.iter().all(|normal| *normal == [0.0, 0.0, 1.0]));
}

#[test]
fn nodes_have_paths_transforms_and_extras() {
    let model = load(&file("", "", "")).expect("loads");
    assert_eq!(model.nodes[1].path, "plant/#1");
    assert_eq!(model.nodes[1].extras["twin"], "a");
    assert_eq!(model.bounds().min.to_array(), [1.0, 2.0, 3.0]);
    assert_eq!(model.roots, [0]);
}

#[test]
fn indices_beyond_the_vertices_cost_only_their_triangles() {
    // Twelve bytes of the float 1.0 and zeros: 0 0 128, 63 0 0, 0 0 0, 0 0 0.
    let accessors = r#",{"bufferView":0,"byteOffset":12,"componentType":5121,"count":12,"type":"SCALAR"}"#;
    let model = load(&file(r#","indices":1"#, accessors, "")).expect("loads");
    assert_eq!(model.scene_triangles(), 2);
    assert!(model.warnings.iter().any(|warning| warning.message.starts_with("2 triangles")), "{:?}", model.warnings);
}

#[test]
fn accessors_out_of_bounds_cost_the_primitive_and_are_named() {
    for accessor in [
        r#",{"bufferView":1,"componentType":5123,"count":4000000000,"type":"SCALAR"}"#,
        r#",{"bufferView":1,"componentType":5123,"count":18446744073709551615,"type":"SCALAR"}"#,
        r#",{"bufferView":1,"byteOffset":18446744073709551615,"componentType":5123,"count":3,"type":"SCALAR"}"#,
        r#",{"bufferView":9,"componentType":5123,"count":3,"type":"SCALAR"}"#,
        r#",{"bufferView":1,"componentType":5126,"count":3,"type":"SCALAR"}"#,
        r#",{"bufferView":1,"componentType":77,"count":3,"type":"SCALAR"}"#,
        r#",{"bufferView":1,"componentType":5123,"count":0,"type":"SCALAR"}"#,
        r#",{"bufferView":1,"componentType":5123,"count":3,"type":"MAT4"}"#,
        r#",{"componentType":5125,"count":4000000,"type":"SCALAR"}"#,
    ] {
        let model = load(&file(r#","indices":1"#, accessor, "")).expect(accessor);
        assert_eq!(model.scene_triangles(), 0, "{accessor}");
        assert!(model.warnings.iter().any(|w| w.at == "/meshes/0/primitives/0"), "{accessor}: {:?}", model.warnings);
    }
}

#[test]
fn a_count_without_data_is_charged_before_it_is_allocated() {
    let accessors = r#",{"componentType":5126,"count":900000000000,"type":"VEC3","sparse":{"count":1,
        "indices":{"bufferView":1,"componentType":5123},"values":{"bufferView":0}}}"#;
    let json = file("", accessors, "");
    let text = String::from_utf8_lossy(&json).replace(r#""POSITION":0"#, r#""POSITION":1"#);
    let end = text.rfind("]}").expect("json") + 2;
    let start = text.find('{').expect("json");
    let error = load(&glb(&text[start..end], &square())).expect_err("too many vertices");
    assert!(matches!(error, GlbError::Limit { what: "vertices", .. }), "{error}");
}

#[test]
fn normalized_integers_become_floats() {
    let accessors = r#",{"bufferView":1,"componentType":5121,"normalized":true,"count":4,"type":"VEC3"}"#;
    let model = load(&file(r#","mode":5"#, accessors, "")).expect("loads");
    assert_eq!(model.scene_triangles(), 2);
    let json = r#"{"asset":{"version":"2.0"},"extensionsUsed":["KHR_mesh_quantization"],
        "extensionsRequired":["KHR_mesh_quantization"],"nodes":[{"mesh":0}],
        "meshes":[{"primitives":[{"attributes":{"POSITION":0}}]}],"buffers":[{"byteLength":12}],
        "bufferViews":[{"buffer":0,"byteLength":12,"byteStride":4}],
        "accessors":[{"bufferView":0,"componentType":5120,"normalized":true,"count":3,"type":"VEC3"}]}"#;
    let model = load(&glb(json, &[0, 0, 0, 9, 127, 0, 0, 9, 0, 0x81, 0, 9])).expect("loads");
    assert_eq!(model.meshes[0].primitives[0].positions, [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]);
}

#[test]
fn gpu_instances_become_nodes() {
    let json = r#"{"asset":{"version":"2.0"},"extensionsUsed":["EXT_mesh_gpu_instancing"],
        "nodes":[{"name":"row","mesh":0,"scale":[2,2,2],"extensions":{"EXT_mesh_gpu_instancing":{"attributes":{"TRANSLATION":0}}}}],
        "meshes":[{"primitives":[{"attributes":{"POSITION":0}}]}],"buffers":[{"byteLength":48}],
        "bufferViews":[{"buffer":0,"byteLength":48}],
        "accessors":[{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3"}]}"#;
    let model = load(&glb(json, &square()[..48])).expect("loads");
    assert_eq!(model.nodes.len(), 5);
    assert_eq!((model.nodes[0].mesh, model.nodes[4].mesh, model.nodes[4].parent), (None, Some(0), Some(0)));
    assert_eq!(model.nodes[4].path, "row/@3");
    assert_eq!(model.nodes[4].world.w_axis.to_array(), [2.0, 2.0, 0.0, 1.0]);
    assert_eq!(model.scene_triangles(), 4);
}

#[test]
fn materials_are_reduced_to_what_is_drawn() {
    let top = r#","materials":[{"name":"glass","alphaMode":"BLEND","doubleSided":true,"emissiveFactor":[0,0.5,0],
        "pbrMetallicRoughness":{"baseColorFactor":[0.5,0.25,7,0.5],"metallicFactor":0,"baseColorTexture":{"index":9}},
        "extensions":{"KHR_materials_unlit":{},"KHR_materials_emissive_strength":{"emissiveStrength":4}}},
        {"alphaMode":"MASK"}]"#;
    let model = load(&file(r#","material":0"#, "", top)).expect("loads");
    let material = &model.materials[0];
    assert_eq!(material.base_color, [0.5, 0.25, 1.0, 0.5]);
    assert_eq!((material.emissive, material.metallic, material.roughness), ([0.0, 2.0, 0.0], 0.0, 1.0));
    assert_eq!((material.alpha, material.unlit, material.double_sided), (AlphaMode::Blend, true, true));
    assert_eq!(model.materials[1].alpha, AlphaMode::Mask { cutoff: 0.5 });
    assert!(model.warnings.iter().any(|warning| warning.message.contains("texture 9")));
}

#[test]
fn ids_beyond_64_bits_keep_their_digits_as_texts() {
    let json = r#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0,1]}],"nodes":[
        {"name":"a","extras":{"id":36893488147419103233,"near":36893488147419103232,"list":[1,[-9223372036854775809],2.5e-3],
            "text":"at \"36893488147419103233\" and \\","most":9223372036854775807,"above":9223372036854775808,"least":-9223372036854775808}},
        {"name":"b","extras":{"id":0.36893488147419103233,"big":36893488147419103233e2}}]}"#;
    let model = load(json.as_bytes()).expect("loads");
    let wanted = serde_json::json!({
        "id": "36893488147419103233", "near": "36893488147419103232", "list": [1, ["-9223372036854775809"], 0.0025],
        "text": "at \"36893488147419103233\" and \\", "most": i64::MAX, "above": "9223372036854775808", "least": i64::MIN,
    });
    assert_eq!(model.nodes[0].extras, wanted);
    assert!(["id", "big"].iter().all(|key| model.nodes[1].extras[key].is_f64()), "{:?}", model.nodes[1].extras);
}

#[test]
fn a_material_of_which_nothing_is_ever_seen_is_told() {
    for (material, seen) in [
        (r#"{"alphaMode":"MASK","pbrMetallicRoughness":{"baseColorFactor":[1,1,1,0]}}"#, false),
        (r#"{"alphaMode":"MASK","alphaCutoff":0.9,"pbrMetallicRoughness":{"baseColorFactor":[1,1,1,0.8]}}"#, false),
        (r#"{"alphaMode":"BLEND","pbrMetallicRoughness":{"baseColorFactor":[1,1,1,0]}}"#, false),
        (r#"{"alphaMode":"MASK","alphaCutoff":0,"pbrMetallicRoughness":{"baseColorFactor":[1,1,1,0]}}"#, true),
        (r#"{"alphaMode":"MASK","pbrMetallicRoughness":{"baseColorFactor":[1,1,1,0.5]}}"#, true),
        (r#"{"alphaMode":"BLEND","pbrMetallicRoughness":{"baseColorFactor":[1,1,1,0.01]}}"#, true),
        // OPAQUE has no use for alpha.
        (r#"{"pbrMetallicRoughness":{"baseColorFactor":[1,1,1,0]}}"#, true),
    ] {
        let model = load(&file(r#","material":0"#, "", &format!(r#","materials":[{material}]"#))).expect("loads");
        let told = model.warnings.iter().any(|warning| warning.message.contains("is not drawn"));
        assert_eq!(told, !seen, "{material}: {:?}", model.warnings);
    }
}

#[test]
fn limits_are_met_before_memory_is() {
    let bytes = file(r#","indices":1"#, U16, "");
    let tight = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        glb::load(&bytes, &mut none, &limits).expect_err("over the limit")
    };
    for error in [
        tight(|limits| limits.max_bytes = 100),
        tight(|limits| limits.max_json_bytes = 100),
        tight(|limits| limits.max_nodes = 1),
        tight(|limits| limits.max_depth = 1),
        tight(|limits| limits.max_vertices = 3),
        tight(|limits| limits.max_triangles = 1),
        tight(|limits| limits.max_decoded_bytes = 50),
        tight(|limits| limits.max_items = 1),
    ] {
        assert!(matches!(error, GlbError::Limit { .. }), "{error}");
    }
}

#[test]
fn a_deep_chain_of_nodes_is_refused_without_recursion() {
    let mut nodes: Vec<String> = (1..100_000).map(|child| format!(r#"{{"children":[{child}]}}"#)).collect();
    nodes.push("{}".to_owned());
    let json = format!(r#"{{"asset":{{"version":"2.0"}},"nodes":[{}]}}"#, nodes.join(","));
    let error = load(json.as_bytes()).expect_err("too deep");
    assert!(matches!(error, GlbError::Limit { what: "levels of nodes", .. }), "{error}");
}

/// Repeats an entry with a running number in it.
fn many(count: usize, entry: impl Fn(usize) -> String) -> String {
    (0..count).map(entry).collect::<Vec<_>>().join(",")
}

#[test]
fn work_grows_with_the_file_not_with_its_square() {
    let n = 100_000;
    let chain = many(n, |at| if at + 1 < n { format!(r#"{{"children":[{}]}}"#, at + 1) } else { "{}".to_owned() });
    let all = many(n, |at| at.to_string());
    let deep = format!(r#"{{"asset":{{"version":"2.0"}},"scenes":[{{"nodes":[{all}]}}],"nodes":[{chain}]}}"#);
    let names = many(n, |at| format!(r#""KHR_materials_{at}""#));
    let extensions = format!(r#"{{"asset":{{"version":"2.0"}},"extensionsUsed":[{names}],"extensionsRequired":[{names}]}}"#);
    let buffers = many(n, |_| r#"{"byteLength":0}"#.to_owned());
    let paints = many(n, |at| format!(r#"{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":{at}}}}}}}"#));
    let textures = many(n, |at| format!(r#"{{"source":{at}}}"#));
    let textured = |images: &str, buffers: &str| {
        format!(
            r#"{{"asset":{{"version":"2.0"}},"materials":[{paints}],"textures":[{textures}],"images":[{images}],
            "bufferViews":[{{"buffer":0,"byteLength":0}}],"buffers":[{buffers}]}}"#
        )
    };
    let inside = many(n, |_| r#"{"bufferView":0}"#.to_owned());
    let outside = many(n, |at| format!(r#"{{"uri":"{at}.png"}}"#));
    for (json, what) in [
        (deep, "levels of nodes"),
        (extensions, "extensions"),
        (textured(&inside, &buffers), "entries"),
        (textured(&outside, r#"{"byteLength":0}"#), "files beside the model"),
    ] {
        let error = load(json.as_bytes()).expect_err(what);
        assert!(matches!(&error, GlbError::Limit { what: found, .. } if *found == what), "{what}: {error}");
    }
    let model = load(textured(&inside, r#"{"byteLength":0}"#).as_bytes()).expect("loads without textures");
    assert_eq!((model.materials.len(), model.images.len()), (n, 0));
}

#[test]
fn deeply_nested_json_is_refused() {
    let json =
        format!(r#"{{"asset":{{"version":"2.0"}},"nodes":[{{"extras":{}1{}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(load(json.as_bytes()), Err(GlbError::Malformed { .. })));
}

#[test]
fn steps_report_progress_and_wait_for_files() {
    let json = r#"{"asset":{"version":"2.0"},"nodes":[{"mesh":0},{"mesh":1}],
        "meshes":[{"primitives":[{"attributes":{"POSITION":0}},{"attributes":{"POSITION":0}}]},
        {"primitives":[{"attributes":{"POSITION":0}}]}],"buffers":[{"byteLength":36,"uri":"a%20b.bin"}],
        "bufferViews":[{"buffer":0,"byteLength":36}],
        "accessors":[{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3"}]}"#;
    let mut loader = Loader::new(json.as_bytes(), Limits::default()).expect("small");
    assert_eq!(loader.step(1).expect("structure").stage, Stage::Files);
    assert_eq!(loader.missing(), ["a b.bin"]);
    assert_eq!(loader.step(1).expect("waits").stage, Stage::Files);
    loader.provide("a b.bin", Ok(square()));
    let mut seen = Vec::new();
    while loader.progress().stage != Stage::Done {
        let progress = loader.step(1).expect("a step");
        seen.push((progress.stage, progress.done, progress.total));
    }
    let done: Vec<usize> = seen.iter().map(|(_, done, _)| *done).collect();
    assert!(done.is_sorted() && seen.iter().all(|(_, _, total)| *total == 3), "{seen:?}");
    let model = loader.finish().expect("done");
    assert_eq!((model.meshes.len(), model.scene_triangles()), (2, 3));
}

#[test]
fn a_missing_buffer_names_the_file_and_a_missing_image_only_warns() {
    let top = r#","images":[{"uri":"wood.png"}],"textures":[{"source":0}],
        "materials":[{"pbrMetallicRoughness":{"baseColorTexture":{"index":0}}}]"#;
    let model = load(&file("", "", top)).expect("loads without its texture");
    assert!(model.warnings.iter().any(|w| w.at == "/images/0" && w.message.contains("no files here")), "{:?}", model.warnings);
    let bytes = glb(r#"{"asset":{"version":"2.0"},"buffers":[{"byteLength":1},{"byteLength":9,"uri":"x.bin"}]}"#, &[1]);
    let error = load(&bytes).expect_err("no buffer");
    assert!(matches!(&error, GlbError::File { uri, .. } if uri == "x.bin"), "{error}");
}

/// A file with most features in it, as the ground for mutations.
fn rich() -> Vec<u8> {
    let accessors = r#",{"bufferView":1,"componentType":5123,"count":6,"type":"SCALAR"},
        {"bufferView":0,"componentType":5126,"count":4,"type":"VEC3","sparse":{"count":2,
        "indices":{"bufferView":1,"byteOffset":2,"componentType":5123},"values":{"bufferView":0,"byteOffset":12}}},
        {"bufferView":1,"componentType":5121,"normalized":true,"count":4,"type":"VEC4"}"#;
    let top = r#","materials":[{"pbrMetallicRoughness":{"baseColorTexture":{"index":0}}}],"textures":[{"source":0}],
        "images":[{"bufferView":1}],"extensionsUsed":["EXT_mesh_gpu_instancing"]"#;
    let primitive = r#","indices":1,"material":0},{"attributes":{"POSITION":2,"NORMAL":0,"COLOR_0":3},"mode":5"#;
    file(primitive, accessors, top)
}

/// Tokens that turn numbers and names of the JSON into hostile ones.
const TOKENS: &[&str] = &[
    "-1",
    "4294967295",
    "18446744073709551615",
    "1e308",
    "0",
    "255",
    "null",
    "[]",
    "{}",
    "\"\"",
    "5121",
    "5125",
    "5126",
    "\"VEC4\"",
    "9007199254740992",
    "6",
    "3",
    "0.5",
    "true",
];

fn replace_number(text: &str, which: usize, token: &str) -> String {
    let mut spots = Vec::new();
    let bytes = text.as_bytes();
    for at in 1..bytes.len() {
        if bytes[at].is_ascii_digit() && matches!(bytes[at - 1], b':' | b'[' | b',') {
            let end = (at..bytes.len()).find(|&end| !bytes[end].is_ascii_digit()).unwrap_or(bytes.len());
            spots.push(at..end);
        }
    }
    let spot = spots[which % spots.len()].clone();
    format!("{}{token}{}", &text[..spot.start], &text[spot.end..])
}

fn small() -> Limits {
    Limits { max_decoded_bytes: 1 << 22, max_vertices: 100_000, max_triangles: 100_000, max_nodes: 1_000, ..Limits::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn bytes_broken_at_random_never_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = rich();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        drop(glb::load(&bytes, &mut none, &small()));
    }

    #[test]
    fn truncated_files_never_panic(end in any::<prop::sample::Index>()) {
        let bytes = rich();
        drop(glb::load(&bytes[..end.index(bytes.len())], &mut none, &small()));
    }

    #[test]
    fn numbers_replaced_by_hostile_ones_never_panic(edits in prop::collection::vec((any::<usize>(), 0..TOKENS.len()), 1..5)) {
        let bytes = rich();
        let json_end = 20 + u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
        let mut text = String::from_utf8(bytes[20..json_end].to_vec()).expect("text");
        for (which, token) in edits {
            text = replace_number(&text, which, TOKENS[token]);
        }
        if let Ok(model) = glb::load(&glb(&text, &square()), &mut none, &small()) {
            for primitive in model.meshes.iter().flat_map(|mesh| &mesh.primitives) {
                prop_assert!(primitive.indices.iter().all(|&index| (index as usize) < primitive.positions.len()));
                prop_assert_eq!(primitive.normals.len(), primitive.positions.len());
            }
        }
    }
}

#[test]
fn the_ground_of_the_mutations_is_good() {
    let model = load(&rich()).expect("loads");
    assert_eq!(model.scene_triangles(), 4);
    assert_eq!(model.meshes[0].primitives[1].colors.len(), 4);
}

#[test]
fn nodes_of_a_scene_that_is_not_shown_are_told() {
    let told = |scenes: &str, node: &str| {
        let json = format!(r#"{{"asset":{{"version":"2.0"}},"scenes":{scenes},"nodes":[{{"name":"a"{node}}},{{"name":"b"}}]}}"#);
        load(json.as_bytes()).expect("loads").warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(r#"[{"nodes":[0]},{"nodes":[0]}]"#, ""), Vec::<String>::new());
    let other = told(r#"[{"nodes":[0]},{"nodes":[0,1]}],"scene":0"#, "");
    assert!(other.iter().any(|said| said.contains("of 2 scenes 0 is shown; 1 has nodes that it has not")), "{other:?}");
    assert_eq!(told(r#"[{"nodes":[0]},{"nodes":[0,1]}],"scene":1"#, ""), Vec::<String>::new());
    let zero = told(r#"[{"nodes":[0,1]}]"#, r#","rotation":[0,0,0,0]"#);
    assert!(zero.iter().any(|said| said.contains("the rotation is zero")), "{zero:?}");
}

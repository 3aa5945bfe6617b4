//! Every model file of the shared data through the loader: known statistics of good files, honest refusal of bad ones.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use twin_geometry::glb::{self, GlbError, Limits};
use twin_scene::geometry::SceneModel;

use crate::shared;

fn load(path: &Path) -> Result<SceneModel, GlbError> {
    let bytes = std::fs::read(path).expect("test file");
    let folder = path.parent().expect("a folder").to_path_buf();
    let mut external = |name: &str| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
    glb::load(&bytes, &mut external, &Limits::default())
}

fn model_files(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("folder").flatten() {
            let path = entry.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("glb" | "gltf") => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// Model invariants that later stages index by without looking again.
fn check_model(name: &str, model: &SceneModel) {
    for (at, node) in model.nodes.iter().enumerate() {
        assert!(node.world.is_finite() && node.local.is_finite(), "{name}: node {at}");
        assert!(node.children.iter().all(|&child| model.nodes[child].parent == Some(at)), "{name}: node {at}");
        assert!(node.mesh.is_none_or(|mesh| mesh < model.meshes.len()), "{name}: node {at}");
    }
    for primitive in model.meshes.iter().flat_map(|mesh| &mesh.primitives) {
        let vertices = primitive.positions.len();
        assert!(vertices > 0 && primitive.indices.len() >= 3 && primitive.indices.len().is_multiple_of(3), "{name}");
        assert!(primitive.indices.iter().all(|&index| (index as usize) < vertices), "{name}");
        assert_eq!(primitive.normals.len(), vertices, "{name}");
        assert!(primitive.uvs.is_empty() || primitive.uvs.len() == vertices, "{name}");
        assert!(primitive.colors.is_empty() || primitive.colors.len() == vertices, "{name}");
        assert!(primitive.positions.iter().flatten().all(|value| value.is_finite()), "{name}");
        let unit = |n: &[f32; 3]| ((n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt() - 1.0).abs() < 0.01;
        assert!(primitive.normals.iter().all(unit), "{name}");
        assert!(primitive.material.is_none_or(|material| material < model.materials.len()), "{name}");
    }
}

fn run_all(test: &str, sub: &str, least: usize) {
    let Some(data) = shared::data(test) else { return };
    let files = model_files(&data.join(sub));
    assert!(files.len() >= least, "{} files under {sub}", files.len());
    for path in files {
        let name = path.display().to_string();
        let size = std::fs::metadata(&path).expect("size").len();
        let started = SystemTime::UNIX_EPOCH.elapsed().expect("clock");
        let result = catch_unwind(AssertUnwindSafe(|| load(&path)));
        let took = SystemTime::UNIX_EPOCH.elapsed().expect("clock").saturating_sub(started);
        assert!(took < Duration::from_secs(20), "{name} took {took:?}");
        match result.unwrap_or_else(|_| panic!("{name} made the loader panic")) {
            Ok(model) => {
                check_model(&name, &model);
                assert!((model.bytes() as u64) < size * 40 + (4 << 20), "{name}: {} bytes from {size}", model.bytes());
            }
            Err(error) => {
                assert!(!error.help().is_empty() && !error.at().is_empty(), "{name}: {error}");
                assert!(error.to_string().len() < 600, "{name}: {error}");
            }
        }
    }
}

#[test]
fn every_gltf_file_of_the_shared_data_loads_or_is_refused_without_panic() {
    run_all("every_gltf_file", "A-gltf", 100);
}

#[test]
fn every_tile_of_the_shared_data_loads_or_is_refused_without_panic() {
    run_all("every_tile", "B-building/3dtiles", 40);
}

/// Good files: nodes, meshes, materials, triangles drawn in the scene.
const KNOWN: &[(&str, [usize; 4])] = &[
    ("aws-cookiefactory/CookieFactoryMixer.glb", [8, 4, 4, 22_083]),
    ("aws-cookiefactory/CookieFactoryWaterTank.glb", [26, 19, 9, 1_275]),
    ("assemblies/2CylinderEngine.glb", [82, 29, 34, 121_496]),
    ("assemblies/many-cubes/many-cubes.gltf", [506, 501, 0, 6_012]),
    ("derived-from-ifc/duplex_guid.glb", [215, 153, 20, 26_348]),
    ("derived-from-ifc/fzk_names.glb", [83, 40, 9, 21_668]),
    ("derived-from-ifc/tall_names.glb", [55, 34, 9, 5_460]),
    ("features/Fox.glb", [26, 1, 1, 576]),
    ("features/cakeBirthday.glb", [8, 6, 7, 1_332]),
    ("features/gltf_extras.glb", [1, 1, 1, 12]),
    ("features/sparse/SimpleSparseAccessor.gltf", [1, 1, 0, 12]),
    ("features/hierarchy/CubeHierarchy.gltf", [8, 3, 3, 48]),
    ("features/ext-structural-metadata/FeatureIdAttributeAndPropertyTable/FeatureIdAttributeAndPropertyTable.gltf", [1, 1, 1, 8]),
];

#[test]
fn good_files_have_their_known_statistics() {
    let Some(data) = shared::data("good_files_have_their_known_statistics") else { return };
    for (file, expect) in KNOWN {
        let model = load(&data.join("A-gltf").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let found = [model.nodes.len(), model.meshes.len(), model.materials.len(), model.scene_triangles()];
        assert_eq!(&found, expect, "{file}");
    }
}

#[test]
fn the_thirteen_kuka_parts_have_their_known_triangles() {
    let Some(data) = shared::data("the_thirteen_kuka_parts") else { return };
    let files = model_files(&data.join("A-gltf/robots"));
    let triangles: usize = files.iter().map(|path| load(path).expect("a part").scene_triangles()).sum();
    assert_eq!((files.len(), triangles), (13, 73_989));
}

#[test]
fn names_are_kept_empty_and_duplicated_ones_too() {
    let Some(data) = shared::data("names_are_kept") else { return };
    let names = |file: &str| -> (usize, usize) {
        let model = load(&data.join("A-gltf").join(file)).expect(file);
        let mut names: Vec<String> = model.nodes.iter().filter_map(|node| node.name.clone()).collect();
        let named = names.len();
        names.sort();
        names.dedup();
        (named, names.len())
    };
    assert_eq!(names("derived-from-ifc/duplex_guid.glb"), (215, 215));
    // README: 37 distinct names of 55 nodes, 6 of them used more than once.
    assert_eq!(names("derived-from-ifc/tall_names.glb"), (55, 37));
    assert_eq!(names("derived-from-ifc/fzk_names.glb").0, 81);
    assert_eq!(names("assemblies/2CylinderEngine.glb"), (0, 0));
    assert_eq!(names("features/cakeBirthday.glb"), (8, 3));
}

#[test]
fn features_survive() {
    let Some(data) = shared::data("features_survive") else { return };
    let model = |file: &str| load(&data.join("A-gltf/features").join(file)).expect(file);
    let extras = model("gltf_extras.glb");
    assert_eq!(extras.nodes[0].extras["my_custom_object_property"], 39);
    assert_eq!(extras.meshes[0].extras["some_custom_mesh_property"], 0.5);
    assert_eq!(extras.materials[0].extras["my_material_property"], "some important information");
    let unicode = model("unicode-uri/Unicode ❤♻ Test.gltf");
    assert_eq!((unicode.images.len(), unicode.scene_triangles()), (1, 2));
    assert_eq!(unicode.materials[0].base_color_image, Some(0));
    assert_eq!(unicode.meshes[0].primitives[0].uvs.len(), unicode.meshes[0].primitives[0].positions.len());
    let fox = model("Fox.glb");
    assert_eq!(fox.images[0].mime, "image/png");
    assert!(fox.warnings.iter().any(|warning| warning.message.contains("animations are not played")), "{:?}", fox.warnings);
    let paths: Vec<String> = model("hierarchy/CubeHierarchy.gltf").nodes.into_iter().map(|node| node.path).collect();
    assert!(paths.iter().any(|path| path.matches('/').count() == 2), "{paths:?}");
}

#[test]
fn compressed_files_name_the_extension_and_the_command() {
    let Some(data) = shared::data("compressed_files") else { return };
    for (file, name) in [("BoxDraco.gltf", "KHR_draco_mesh_compression"), ("BoxMeshopt.glb", "EXT_meshopt_compression")] {
        let error = load(&data.join("A-gltf/features/gltf-transform").join(file)).expect_err(file);
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("gltf-transform"), "{text}");
    }
}

/// Files that the Khronos validator passes and this loader refuses, with the reason.
const REFUSED_THOUGH_VALID: &[(&str, &str)] = &[
    ("buffer/non_relative_uri.gltf", "names a foreign host; only files beside the model are read"),
    ("asset/min_version_valid.gltf", "asks for a reader of glTF 2.1"),
];

/// Files with validator errors that load without a word, with the reason.
const SILENT_THOUGH_INVALID: &[(&str, &str)] = &[];

#[test]
fn khronos_verdicts_are_matched() {
    let Some(data) = shared::data("khronos_verdicts_are_matched") else { return };
    let folder = data.join("A-gltf/hostile/khronos-validator");
    let (mut bad, mut good, mut faults) = (0, 0, Vec::new());
    for path in model_files(&folder) {
        let name = path.strip_prefix(&folder).expect("below").to_string_lossy().replace('\\', "/");
        let report = std::fs::read(format!("{}.report.json", path.display())).expect("report");
        let report: serde_json::Value = serde_json::from_slice(&report).expect("report");
        let errors = report["issues"]["numErrors"].as_u64().expect("numErrors");
        let result = load(&path);
        let quiet = matches!(&result, Ok(model) if model.warnings.is_empty());
        let listed = |list: &[(&str, &str)]| list.iter().any(|(file, _)| *file == name);
        if errors > 0 {
            bad += 1;
            if quiet != listed(SILENT_THOUGH_INVALID) {
                faults.push(format!("{name}: {errors} errors, loaded silently: {quiet}"));
            }
        } else {
            good += 1;
            if result.is_err() != listed(REFUSED_THOUGH_VALID) {
                faults.push(format!("{name}: valid, but {:?}", result.err()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!((bad, good), (52, 21));
}

#[test]
fn magnum_verdicts_are_matched() {
    let Some(data) = shared::data("magnum_verdicts_are_matched") else { return };
    let mut faults = Vec::new();
    for path in model_files(&data.join("A-gltf/hostile/magnum-gltfimporter")) {
        let name = path.file_name().expect("name").to_string_lossy().to_string();
        let bad = ["invalid", "oob", "error", "unsupported", "legacy"].iter().any(|word| name.contains(word));
        match load(&path) {
            Ok(model) if bad && model.warnings.is_empty() => faults.push(format!("{name}: loaded silently")),
            // `empty.glb` has no bytes; scene-custom-fields has the number `56.0f`, which is not JSON.
            Err(error) if !bad && !["empty.glb", "scene-custom-fields.gltf"].contains(&name.as_str()) => {
                faults.push(format!("{name}: {error}"));
            }
            _ => {}
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn cycles_and_second_parents_are_named() {
    let Some(data) = shared::data("cycles_and_second_parents_are_named") else { return };
    let text = |file: &str| load(&data.join("A-gltf/hostile").join(file)).expect_err(file).to_string();
    assert!(text("assimp/RecursiveNodes/RecursiveNodes.gltf").contains("its own ancestor"));
    assert!(text("magnum-gltfimporter/scene-invalid-cycle-deep.gltf").contains("its own ancestor"));
    assert!(text("magnum-gltfimporter/scene-invalid-multiple-parents.gltf").contains("two parents, 0 and 1"));
    assert!(text("magnum-gltfimporter/scene-invalid-child-oob.gltf").contains("child 7 does not exist"));
    assert!(text("assimp/MissingBin/BoxTextured.gltf").contains("cannot be read"));
}

//! What a file says about place, size, shape and visibility is what is drawn, or the file is refused. Small files made by hand
//! after what people report about viewers; each test names its kind.

use std::sync::Arc;

use glam::{DMat4, DVec3, Vec3};
use serde_json::{Value as Json, json};
use twin_geometry::glb::{self, GlbError, Limits};
use twin_scene::geometry::{Look, SceneModel};
use twin_scene::merge::{MergePlan, Placed, Settings, plan};
use twin_site::bind::AssetNodes;
use twin_site::check::{AssetState, CheckReport, check, too_far};
use twin_site::{LoadedSite, load};

use crate::container::glb as container;

/// Little-endian bytes of floats.
fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn push(list: &mut Json, item: Json) {
    list.as_array_mut().expect("a list").push(item);
}

/// A triangle with corners at the origin, at 1 along X and at 1 along Y, then whatever `more` holds.
struct File {
    json: Json,
    bin: Vec<u8>,
}

impl File {
    fn new(nodes: Json) -> Self {
        let mut file = Self {
            json: json!({
                "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}],
                "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
                "accessors": [], "bufferViews": [],
            }),
            bin: Vec::new(),
        };
        let count = nodes.as_array().map_or(0, Vec::len);
        let children: Vec<u64> = nodes
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|node| node["children"].as_array().cloned().unwrap_or_default())
            .filter_map(|at| at.as_u64())
            .collect();
        let roots: Vec<usize> = (0..count).filter(|at| !children.contains(&(*at as u64))).collect();
        file.json["scenes"][0]["nodes"] = json!(roots);
        file.json["nodes"] = nodes;
        file.accessor("VEC3", 5126, &floats(&[0., 0., 0., 1., 0., 0., 0., 1., 0.]), 3);
        file
    }

    /// Adds an accessor over bytes of its own.
    fn accessor(&mut self, kind: &str, component: u32, bytes: &[u8], count: usize) -> usize {
        let view = self.json["bufferViews"].as_array().map_or(0, Vec::len);
        push(&mut self.json["bufferViews"], json!({"buffer": 0, "byteOffset": self.bin.len(), "byteLength": bytes.len()}));
        self.bin.extend(bytes);
        self.bin.resize(self.bin.len().next_multiple_of(4), 0);
        push(&mut self.json["accessors"], json!({"bufferView": view, "componentType": component, "count": count, "type": kind}));
        view
    }

    fn with(mut self, key: &str, value: Json) -> Self {
        self.json[key] = value;
        self
    }

    fn uses(self, extension: &str, required: bool) -> Self {
        let list = json!([extension]);
        let file = self.with("extensionsUsed", list.clone());
        if required { file.with("extensionsRequired", list) } else { file }
    }

    fn load(&self) -> Result<SceneModel, GlbError> {
        let mut json = self.json.clone();
        json["buffers"] = json!([{"byteLength": self.bin.len()}]);
        glb::load(&container(&json.to_string(), &self.bin), &mut |_| Err("no files".to_owned()), &Limits::default())
    }

    fn model(&self) -> SceneModel {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }
}

fn placed(model: SceneModel, at: DVec3) -> Placed {
    Placed { model: Arc::new(model), transform: DMat4::from_translation(at), twins: Vec::new() }
}

fn merged(model: SceneModel) -> MergePlan {
    plan(&[placed(model, DVec3::ZERO)], &Settings::default())
}

/// Lowest corner of the parts, in the site's space, by part.
fn corners(plan: &MergePlan) -> Vec<DVec3> {
    plan.parts.iter().map(|part| part.bounds.min.as_dvec3() + plan.origin).collect()
}

fn near(a: DVec3, b: DVec3) -> bool {
    (a - b).length() < 1e-4
}

fn faults(model: &SceneModel) -> Vec<String> {
    model.warnings.iter().filter(|warning| warning.matters).map(ToString::to_string).collect()
}

fn site(rest: &str) -> LoadedSite {
    let text = format!("[site]\nid = \"s\"\n[[models]]\nid = \"m\"\npath = \"m.glb\"\n{rest}");
    load(&text, "site.toml", &mut |_| Err("none".to_owned()))
}

fn twin(bind: &str) -> LoadedSite {
    site(&format!("[[twins]]\nid = \"t\"\nbind = {{ {bind} }}\n"))
}

fn report(site: &LoadedSite, model: &SceneModel) -> CheckReport {
    check(site, &[AssetState::of(0, model)])
}

fn findings(site: &LoadedSite, model: &SceneModel) -> Vec<(&'static str, &'static str, String)> {
    let found = report(site, model).findings.into_iter().filter(|it| it.severity != "info");
    found.map(|it| (it.severity, it.code, it.message)).collect()
}

// ---- far from the origin

#[test]
fn pumps_a_hand_apart_stay_apart_at_five_thousand_kilometres() {
    let nodes = json!([
        {"mesh": 0, "translation": [500_000.0, 100.0, -5_000_000.0]},
        {"mesh": 0, "translation": [500_000.2, 100.0, -5_000_000.0]},
        {"mesh": 0, "translation": [500_000.4, 100.0, -5_000_000.0]}
    ]);
    let plan = merged(File::new(nodes).model());
    let chunk = &plan.chunks[0];
    for (part, x) in [(0u32, 500_000.0), (1, 500_000.2), (2, 500_000.4)] {
        let first = chunk.parts.iter().position(|of| *of == part).expect("a vertex");
        let place = Vec3::from(chunk.positions[first]).as_dvec3() + plan.origin;
        assert!(near(place, DVec3::new(x, 100.0, -5_000_000.0)), "{place}");
    }
    let steps: Vec<f32> = plan.parts.windows(2).map(|two| two[1].bounds.min.x - two[0].bounds.min.x).collect();
    assert!(steps.iter().all(|step| (step - 0.2).abs() < 1e-4), "{steps:?}");
}

#[test]
fn models_that_the_site_file_places_far_away_keep_their_distance() {
    let text = |x: &str| {
        format!("[[models]]\nid = \"m{x}\"\npath = \"m.glb\"\ntranslate = [{x}, 0, -5000000]\nrotate_deg = [0, 90, 0]\n")
    };
    let site =
        load(&format!("[site]\nid = \"s\"\n{}{}", text("691000.1"), text("691000.3")), "site.toml", &mut |_| Err(String::new()));
    let model = Arc::new(File::new(json!([{"mesh": 0}])).model());
    let placed: Vec<Placed> = site
        .assets
        .iter()
        .map(|asset| Placed { model: Arc::clone(&model), transform: asset.transform, twins: Vec::new() })
        .collect();
    let plan = plan(&placed, &Settings::default());
    let corners = corners(&plan);
    assert!(near(corners[0], DVec3::new(691_000.1, 0.0, -5_000_001.0)), "{corners:?}");
    assert!((plan.parts[1].bounds.min.x - plan.parts[0].bounds.min.x - 0.2).abs() < 1e-4);
    // Picking counts from the same origin.
    let mut bvh = twin_scene::bvh::SceneBvh::new(&placed, &plan.parts);
    let middle = plan.parts[1].bounds.center();
    let hit = bvh.raycast(&twin_scene::bvh::Ray::new(middle + Vec3::X * 3.0, Vec3::NEG_X), &|_| true).expect("a hit");
    assert_eq!(hit.part.0, 1);
}

#[test]
fn a_site_near_its_origin_keeps_its_coordinates() {
    let plan = merged(File::new(json!([{"mesh": 0, "translation": [1_500, 0, -2_000]}])).model());
    assert_eq!(plan.origin, DVec3::ZERO);
    assert_eq!(plan.parts[0].bounds.min, Vec3::new(1_500.0, 0.0, -2_000.0));
}

#[test]
fn a_stray_node_neither_blurs_the_plant_nor_vanishes_without_a_count() {
    let mut nodes: Vec<Json> = (0..9).map(|at| json!({"mesh": 0, "translation": [7e6 + 0.3 * f64::from(at), 0, 0]})).collect();
    nodes.push(json!({"mesh": 0, "translation": [-3e8, 0, 0]}));
    nodes.push(json!({"mesh": 0, "translation": [1e300, 0, 0]}));
    let plan = merged(File::new(json!(nodes)).model());
    assert_eq!((plan.parts.len(), plan.too_far), (10, 1));
    let steps: Vec<f32> = plan.parts[..9].windows(2).map(|two| two[1].bounds.min.x - two[0].bounds.min.x).collect();
    assert!(steps.iter().all(|step| (step - 0.3).abs() < 1e-3), "{steps:?}");
}

#[test]
fn a_node_beyond_what_can_be_drawn_is_named_and_not_drawn_however_it_comes_there() {
    let near = || json!({"name": "pump", "mesh": 0});
    let site = site("[[twins]]\nid = \"t\"\nbind = { name = \"pump\" }\n");
    let wild = [
        // A place that 32 bits do not hold; one that they do, and no picture; scales; a matrix.
        json!([near(), {"name": "lost", "mesh": 0, "translation": [1e39, 0, 0]}]),
        json!([near(), {"name": "lost", "mesh": 0, "translation": [0, -1e13, 0]}]),
        json!([near(), {"name": "lost", "mesh": 0, "scale": [1, 1e60, 1]}]),
        json!([near(), {"name": "above", "scale": [1e200, 1, 1], "children": [2]}, {"name": "lost", "mesh": 0, "scale": [1e100, 1, 1]}]),
        json!([near(), {"name": "lost", "mesh": 0, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1e39, 1]}]),
        // All that there is, so that nothing else tells where the plant is.
        json!([{"name": "lost", "mesh": 0, "translation": [1e39, 0, 0]}]),
    ];
    for nodes in wild {
        let model = Arc::new(File::new(nodes.clone()).model());
        let drawn = model.drawn().count();
        let scene = Placed { model: Arc::clone(&model), transform: DMat4::IDENTITY, twins: Vec::new() };
        let plan = plan(std::slice::from_ref(&scene), &Settings::default());
        assert_eq!((plan.parts.len(), plan.too_far), (drawn - 1, 1), "{nodes}");
        assert!(plan.parts.iter().all(|part| part.bounds.reach() <= 1.0) && plan.origin == DVec3::ZERO, "{nodes}");
        let found = too_far(&site, &[(0, scene)]);
        assert_eq!((found.len(), found[0].code), (1, "model.inexact"), "{nodes}");
        assert!(found[0].message.contains("lost' of model 'm'"), "{}", found[0].message);
    }
    // Of many some are named, and the rest counted.
    let many: Vec<Json> = (0..8).map(|n| json!({"name": format!("n{n}"), "mesh": 0, "translation": [0, 0, -1e20]})).collect();
    let scene = Placed { model: Arc::new(File::new(json!(many)).model()), transform: DMat4::IDENTITY, twins: Vec::new() };
    let found = too_far(&site, &[(0, scene)]);
    assert!(found[0].message.starts_with("nodes 'n0', 'n1', 'n2', 'n3', 'n4' and 3 more of model 'm'"), "{}", found[0].message);
    // A number that no number type holds, and a product without a place: the file is refused and the node named.
    let text = File::new(json!([near(), {"name": "lost", "mesh": 0, "translation": [77, 0, 0]}])).json.to_string();
    let error = glb::load(text.replace("77", "1e400").as_bytes(), &mut |_| Err(String::new()), &Limits::default()).unwrap_err();
    assert!(error.at() == "/nodes/1" && error.to_string().contains("'lost': number out of range"), "{error}");
    let file = File::new(json!([
        near(),
        {"name": "above", "scale": [1e200, 1, 1], "children": [2]},
        {"name": "lost", "mesh": 0, "scale": [1e200, 1, 1]}
    ]));
    let error = file.load().unwrap_err();
    assert!(error.at() == "/nodes/2" && error.to_string().contains("node 'above/lost'"), "{error}");
}

#[test]
fn a_mesh_far_from_its_own_origin_that_its_node_brings_back_is_drawn_and_picked_there() {
    // Exporters that keep survey coordinates in the vertices: exact in 32 bits here, moved back by the node.
    let mut file = File::new(json!([{"mesh": 0, "translation": [-4_194_304.25, 0, 0]}]));
    let x = 4_194_304.0;
    let at = file.accessor("VEC3", 5126, &floats(&[x, 0., 0., x + 1.0, 0., 0., x, 1., 0.]), 3);
    file.json["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = json!(at);
    let scene = [placed(file.model(), DVec3::ZERO)];
    let plan = plan(&scene, &Settings::default());
    assert!(near(corners(&plan)[0], DVec3::new(-0.25, 0.0, 0.0)), "{:?}", corners(&plan));
    let mut bvh = twin_scene::bvh::SceneBvh::new(&scene, &plan.parts);
    let ray = |x: f32| twin_scene::bvh::Ray::new(Vec3::new(x, 0.1, 5.0), Vec3::NEG_Z);
    assert!(bvh.raycast(&ray(0.6), &|_| true).is_some() && bvh.raycast(&ray(0.7), &|_| true).is_none());
}

#[test]
fn parents_and_children_add_up_in_64_bits() {
    let nodes = json!([
        {"children": [1], "matrix": [1,0,0,0, 0,1,0,0, 0,0,1,0, 6378137.25,0,0,1]},
        {"children": [2], "translation": [-6378137.0, 0, 0]},
        {"mesh": 0, "scale": [1, 1, 1]}
    ]);
    let plan = merged(File::new(nodes).model());
    assert_eq!(plan.parts[0].bounds.min, Vec3::new(0.25, 0.0, 0.0));
}

// ---- CESIUM_RTC

#[test]
fn a_relative_to_centre_model_stands_at_its_centre() {
    let nodes = json!([{"mesh": 0, "translation": [1, 2, 3]}, {"children": [2]}, {"mesh": 0}]);
    for required in [false, true] {
        let center = [1_215_012.5, -4_736_312.75, 4_081_607.25];
        let file =
            File::new(nodes.clone()).uses("CESIUM_RTC", required).with("extensions", json!({"CESIUM_RTC": {"center": center}}));
        let plan = merged(file.model());
        let found = corners(&plan);
        assert!(
            near(found[0], DVec3::from(center) + DVec3::new(1.0, 2.0, 3.0)) && near(found[1], DVec3::from(center)),
            "{found:?}"
        );
    }
    for broken in [json!({}), json!({"CESIUM_RTC": {}}), json!({"CESIUM_RTC": {"center": [1, 2]}})] {
        let file = File::new(nodes.clone()).uses("CESIUM_RTC", true).with("extensions", broken.clone());
        assert!(file.load().is_err(), "{broken}");
    }
}

// ---- visibility

#[test]
fn hidden_nodes_and_everything_below_them_are_not_drawn() {
    let hide = |visible: Json| json!({"KHR_node_visibility": visible});
    let nodes = json!([
        {"name": "open", "mesh": 0, "extensions": hide(json!({"visible": true}))},
        {"name": "shut", "mesh": 0, "children": [2], "extensions": hide(json!({"visible": false}))},
        {"name": "inside", "mesh": 0, "extensions": hide(json!({"visible": true}))},
        {"name": "plain", "mesh": 0, "extensions": hide(json!({}))}
    ]);
    let file = File::new(nodes).uses("KHR_node_visibility", true);
    let model = file.model();
    assert_eq!(model.looks(), [Look::Drawn, Look::Hidden, Look::Hidden, Look::Drawn]);
    let shown: Vec<u32> = merged(model.clone()).parts.iter().map(|part| part.node).collect();
    assert_eq!(shown, [0, 3]);
    let site = site(
        "background = [\"**\"]\n[[twins]]\nid = \"t\"\nbind = { name = \"inside\" }\n[[twins]]\nid = \"u\"\nbind = { name = \"open\" }\n",
    );
    let found = findings(&site, &model);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1), ("warning", "twin.invisible"));
    assert!(found[0].2.contains("shut/inside") && found[0].2.contains("hides it"), "{found:?}");
    assert_eq!(report(&site, &model).summary.bound_twins, 1);
}

#[test]
fn a_twin_of_which_nothing_can_be_seen_is_a_finding_and_not_bound() {
    let mut file = File::new(json!([
        {"name": "lines", "mesh": 1}, {"name": "dots", "mesh": 2}, {"name": "empty"}, {"name": "gone", "mesh": 3},
        {"name": "flat", "mesh": 0, "scale": [0, 0, 0]}, {"name": "glass", "mesh": 4},
        {"name": "line", "children": [7, 8]}, {"name": "machine", "mesh": 0}, {"name": "wire", "mesh": 1},
        {"name": "cut", "mesh": 5}, {"name": "high", "mesh": 6}
    ]));
    let primitive = |extra: Json| {
        let mut primitive = json!({"attributes": {"POSITION": 0}});
        primitive.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        json!({"primitives": [primitive]})
    };
    for extra in [json!({"mode": 1}), json!({"mode": 0}), json!({"attributes": {"POSITION": 77}}), json!({"material": 0})] {
        file.json["meshes"].as_array_mut().expect("meshes").push(primitive(extra));
    }
    for material in [1, 2] {
        file.json["meshes"].as_array_mut().expect("meshes").push(primitive(json!({"material": material})));
    }
    let faint = |alpha: f32| json!({"baseColorFactor": [1, 1, 1, alpha]});
    let file = file.with(
        "materials",
        json!([
            {"alphaMode": "BLEND", "pbrMetallicRoughness": faint(0.0)},
            {"alphaMode": "MASK", "pbrMetallicRoughness": faint(0.3)},
            {"alphaMode": "MASK", "alphaCutoff": 2.0}
        ]),
    );
    let model = file.model();
    for (name, words) in [
        ("lines", "only lines or points"),
        ("dots", "only lines or points"),
        ("empty", "no geometry"),
        ("gone", "nothing that can be read"),
        ("flat", "no size"),
        ("glass", "fully transparent"),
        ("cut", "fully transparent"),
        ("high", "fully transparent"),
    ] {
        let site = twin(&format!("name = \"{name}\""));
        let found: Vec<_> = findings(&site, &model).into_iter().filter(|it| it.1 == "twin.invisible").collect();
        assert!(found.len() == 1 && found[0].2.contains(words), "{name}: {found:?}");
        let report = report(&site, &model);
        assert_eq!((report.summary.bound_twins, report.exit_code()), (0, 1), "{name}");
    }
    // A group shows what stands in it, also where that belongs to other twins.
    let site = site("[[twins]]\nid = \"t\"\nbind = { name = \"line\" }\n[[twins]]\nid = \"u\"\nbind = { name = \"machine\" }\n");
    assert!(findings(&site, &model).iter().all(|it| it.1 != "twin.invisible"));
    assert_eq!(report(&site, &model).summary.bound_twins, 2);
}

// ---- skins and morph targets

/// A triangle that hangs on two joints: the corner at the origin and the one along X on the first, the third on the second.
fn skinned(nodes: Json, inverse: Option<&[f32]>) -> File {
    let mut file = File::new(nodes);
    let joints = file.accessor("VEC4", 5121, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 3);
    let weights = file.accessor("VEC4", 5126, &floats(&[1., 0., 0., 0., 1., 0., 0., 0., 1., 0., 0., 0.]), 3);
    file.json["meshes"][0]["primitives"][0]["attributes"]["JOINTS_0"] = json!(joints);
    file.json["meshes"][0]["primitives"][0]["attributes"]["WEIGHTS_0"] = json!(weights);
    file.json["skins"] = json!([{"joints": [1, 2]}]);
    if let Some(inverse) = inverse {
        file.json["skins"][0]["inverseBindMatrices"] = json!(file.accessor("MAT4", 5126, &floats(inverse), 2));
    }
    file
}

fn world(model: &SceneModel, node: usize) -> Vec<DVec3> {
    let node = &model.nodes[node];
    let mesh = &model.meshes[node.mesh.expect("a mesh")];
    mesh.primitives[0].positions.iter().map(|at| node.world.transform_point3(Vec3::from(*at).as_dvec3())).collect()
}

#[test]
fn a_skinned_mesh_stands_where_its_joints_are_whatever_its_node_says() {
    let nodes = |place: Json| {
        json!([{"mesh": 0, "skin": 0, "translation": place, "scale": place},
               {"translation": [10, 0, 0], "children": [2]}, {"translation": [0, 5, 0]},
               {"translation": [1, 0, 0], "children": [0]}])
    };
    for place in [json!([0, 0, 0]), json!([7, 8, 9])] {
        let model = skinned(nodes(place), None).model();
        assert_eq!(model.looks()[0], Look::Drawn);
        let found = world(&model, 0);
        let right = [DVec3::new(10.0, 0.0, 0.0), DVec3::new(11.0, 0.0, 0.0), DVec3::new(10.0, 6.0, 0.0)];
        assert!(found.iter().zip(right).all(|(a, b)| near(*a, b)), "{found:?}");
        assert_eq!(faults(&model), [] as [String; 0]);
    }
    // Inverse bind matrices bring the mesh into the joints' spaces: here they undo both joints, so that it stays as modelled.
    let shift = |x: f32, y: f32| [1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., -x, -y, 0., 1.];
    let inverse = [shift(10.0, 0.0), shift(10.0, 5.0)].concat();
    let found = world(&skinned(nodes(json!([1, 1, 1])), Some(&inverse)).model(), 0);
    assert!(near(found[0], DVec3::ZERO) && near(found[2], DVec3::Y), "{found:?}");
}

#[test]
fn one_mesh_on_two_skins_and_on_none_has_three_shapes() {
    let nodes = json!([
        {"mesh": 0, "skin": 0}, {"translation": [10, 0, 0]}, {"translation": [10, 0, 0]},
        {"mesh": 0, "skin": 1, "translation": [3, 3, 3]}, {"mesh": 0, "translation": [0, 0, 50]}, {"translation": [0, 20, 0]}
    ]);
    let mut file = skinned(nodes, None);
    push(&mut file.json["skins"], json!({"joints": [5, 5]}));
    let model = file.model();
    let first = |node: usize| world(&model, node)[0];
    assert!(near(first(0), DVec3::X * 10.0) && near(first(3), DVec3::Y * 20.0) && near(first(4), DVec3::Z * 50.0));
    assert_eq!((model.meshes.len(), model.scene_triangles()), (3, 3));
}

#[test]
fn a_skin_far_away_keeps_its_digits() {
    let nodes = json!([{"mesh": 0, "skin": 0}, {"translation": [4e6, 0, 0]}, {"translation": [4000000.2, 0, 0]}]);
    let found = world(&skinned(nodes, None).model(), 0);
    assert!(near(found[0], DVec3::X * 4e6) && near(found[2], DVec3::new(4_000_000.2, 1.0, 0.0)), "{found:?}");
}

#[test]
fn a_skin_that_cannot_be_followed_is_not_drawn_somewhere_else() {
    let nodes = json!([{"mesh": 0, "skin": 0}, {"translation": [10, 0, 0]}, {}]);
    let mut no_weights = skinned(nodes.clone(), None);
    no_weights.json["meshes"][0]["primitives"][0]["attributes"]["WEIGHTS_0"] = json!(99);
    let mut few_joints = skinned(nodes.clone(), None);
    few_joints.json["skins"][0]["joints"] = json!([1]);
    let mut no_matrices = skinned(nodes.clone(), None);
    no_matrices.json["skins"][0]["inverseBindMatrices"] = json!(0);
    for file in [no_weights, few_joints, no_matrices] {
        let model = file.model();
        assert_eq!((model.scene_triangles(), faults(&model).len()), (0, 1), "{:?}", model.warnings);
    }
    let mut wild = skinned(nodes, None);
    wild.json["skins"][0]["joints"] = json!([1, 9]);
    assert!(matches!(wild.load(), Err(GlbError::Malformed { at, .. }) if at == "/skins/0/joints"));
}

#[test]
fn morph_targets_stand_at_their_default_weights() {
    let mut file = File::new(json!([{"mesh": 0}, {"mesh": 0, "weights": [0, 2]}, {"mesh": 0, "weights": [0, 0]}]));
    let up = file.accessor("VEC3", 5126, &floats(&[0., 0., 1., 0., 0., 1., 0., 0., 1.]), 3);
    let out = file.accessor("VEC3", 5126, &floats(&[5., 0., 0., 0., 0., 0., 0., 0., 0.]), 3);
    file.json["meshes"][0]["primitives"][0]["targets"] = json!([{"POSITION": up}, {"POSITION": out}]);
    file.json["meshes"][0]["weights"] = json!([0.5, 0]);
    let model = file.model();
    assert!(near(world(&model, 0)[0], DVec3::Z * 0.5) && near(world(&model, 1)[0], DVec3::X * 10.0));
    assert!(near(world(&model, 2)[0], DVec3::ZERO));
}

// ---- extensions

#[test]
fn what_a_file_requires_is_obeyed_or_the_file_is_refused() {
    let nodes = json!([{"mesh": 0}]);
    for name in
        ["ACME_anything", "KHR_materials_displacement", "AGI_articulations", "MAXAR_nonvisual_geometry", "KHR_interactivity"]
    {
        let error = File::new(nodes.clone()).uses(name, true).load().expect_err(name);
        assert!(matches!(&error, GlbError::Unsupported { extension, .. } if extension == name), "{error}");
        let model = File::new(nodes.clone()).uses(name, false).model();
        assert_eq!(faults(&model).len(), 1, "{name}: {:?}", model.warnings);
        assert!(findings(&twin("node = \"#0\""), &model).iter().any(|it| it.0 == "warning" && it.1 == "model.inexact"));
    }
    for name in ["KHR_lights_punctual", "KHR_materials_clearcoat", "EXT_structural_metadata", "KHR_mesh_quantization"] {
        let model = File::new(nodes.clone()).uses(name, true).model();
        assert_eq!(faults(&model), [] as [String; 0], "{name}");
    }
}

#[test]
fn copies_whose_places_cannot_be_read_are_not_drawn_at_one_place() {
    let instancing = |attributes: Json| {
        let extension = json!({"EXT_mesh_gpu_instancing": {"attributes": attributes}});
        File::new(json!([{"name": "row", "mesh": 0, "extensions": extension}])).uses("EXT_mesh_gpu_instancing", true)
    };
    let model = instancing(json!({"TRANSLATION": 9})).model();
    assert_eq!((model.scene_triangles(), faults(&model).len()), (0, 1));
    assert_eq!(instancing(json!({"TRANSLATION": 0})).model().scene_triangles(), 3);
}

#[test]
fn strips_that_begin_anew_do_not_tie_their_ends_together() {
    let mut file = File::new(json!([{"mesh": 0}]));
    let at: Vec<f32> = (0..8).flat_map(|x| [(x / 2) as f32, (x % 2) as f32, 0.0]).collect();
    let positions = file.accessor("VEC3", 5126, &floats(&at), 8);
    let strip: Vec<u8> = [0u16, 1, 2, 3, 0xFFFF, 4, 5, 6].iter().flat_map(|at| at.to_le_bytes()).collect();
    let indices = file.accessor("SCALAR", 5123, &strip, 8);
    file.json["meshes"][0]["primitives"][0] = json!({"attributes": {"POSITION": positions}, "indices": indices, "mode": 5});
    let model = file.uses("EXT_mesh_primitive_restart", true).model();
    assert_eq!(model.scene_triangles(), 3);
    let normals = &model.meshes[0].primitives[0].normals;
    assert!(normals.iter().all(|normal| normal[2] == normals[0][2]), "all face the same way: {normals:?}");
}

#[test]
fn the_highest_index_in_a_list_costs_its_own_triangle_and_no_other_and_is_told() {
    let mut file = File::new(json!([{"mesh": 0}]));
    let at: Vec<f32> = (0..6).flat_map(|x| [(x / 2) as f32, (x % 2) as f32, 0.0]).collect();
    let positions = file.accessor("VEC3", 5126, &floats(&at), 6);
    let list: Vec<u8> = [0u16, 1, 2, 0xFFFF, 3, 4, 3, 4, 5].iter().flat_map(|at| at.to_le_bytes()).collect();
    let indices = file.accessor("SCALAR", 5123, &list, 9);
    file.json["meshes"][0]["primitives"][0] = json!({"attributes": {"POSITION": positions}, "indices": indices});
    let model = file.model();
    assert_eq!(model.scene_triangles(), 2, "what stands behind it stays in threes");
    let said = faults(&model);
    assert!(said.iter().any(|words| words.contains("1 of its indices are the highest of their type")), "{said:?}");
}

#[test]
fn a_corner_that_is_nowhere_costs_its_triangles_and_pulls_nothing_to_the_origin() {
    let mut file = File::new(json!([{"mesh": 0}]));
    let at = [9., 9., 9., 10., 9., 9., 9., 10., 9., f32::NAN, 1., 1., 10., 10., 9., 10., 9., 9.];
    let positions = file.accessor("VEC3", 5126, &floats(&at), 6);
    file.json["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = json!(positions);
    let model = file.model();
    assert_eq!((model.scene_triangles(), faults(&model).len()), (1, 1));
    assert_eq!(model.bounds().min, Vec3::splat(9.0));
}

#[test]
fn coordinates_that_lost_their_digits_in_the_file_are_remarked() {
    let mut file = File::new(json!([{"mesh": 0}]));
    let x = 12_958_095.0;
    let at = file.accessor("VEC3", 5126, &floats(&[x, 0., 0., x + 10.0, 0., 0., x, 10., 0.]), 3);
    file.json["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = json!(at);
    let model = file.model();
    assert!(model.warnings.iter().any(|it| it.message.contains("steps across it")), "{:?}", model.warnings);
    assert_eq!(File::new(json!([{"mesh": 0}])).model().warnings, []);
}

#[test]
fn a_matrix_that_is_no_place_refuses_the_model() {
    let matrix = |last: [f64; 4]| json!([{"mesh": 0, "matrix": [1,0,0,last[0], 0,1,0,last[1], 0,0,1,last[2], 5,0,0,last[3]]}]);
    assert!(
        matches!(File::new(matrix([0.0, 0.0, 0.1, 1.0])).load(), Err(GlbError::Malformed { at, .. }) if at == "/nodes/0/matrix")
    );
    assert!(File::new(matrix([0.0, 0.0, 0.0, 0.0])).load().is_err());
    let rounded = File::new(matrix([1e-9, 0.0, -1e-9, 1.0 - 1e-9])).model();
    assert!(near(world(&rounded, 0)[0], DVec3::X * 5.0));
}

// ---- names and tags

#[test]
fn a_node_without_a_name_is_found_by_its_meshs_name_path_glob_and_tags() {
    let mut file = File::new(json!([
        {"name": "hall", "children": [1, 2]}, {"mesh": 0}, {"mesh": 1, "extras": {"tag": "own"}}, {"name": "P-9", "mesh": 1}
    ]));
    file.json["meshes"] = json!([
        {"name": "P-101", "extras": {"tag": "T1"}, "primitives": [{"attributes": {"POSITION": 0}, "extras": {"serial": 9007199254740993u64}}]},
        {"name": "P-102", "extras": {"tag": "T2", "kind": "pump"}, "primitives": [{"attributes": {"POSITION": 0}}]}
    ]);
    let model = file.model();
    let bound = |bind: &str| -> Vec<usize> {
        let site = twin(bind);
        let report = site.bind(&[AssetNodes::of(0, &model)]);
        report.lists[0].twins.iter().enumerate().filter(|(_, twin)| twin.is_some()).map(|(at, _)| at).collect()
    };
    for (bind, nodes) in [
        ("name = \"P-101\"", vec![1]),
        ("node = \"hall/P-101\"", vec![1]),
        ("node = \"hall/#1\"", vec![1]),
        ("glob = \"hall/P-10?\"", vec![1, 2]),
        ("glob = \"**/#*\"", vec![1, 2]),
        ("global_id = \"P-102\"", vec![2]),
        ("extras = { tag = \"T1\" }", vec![1]),
        ("extras = { serial = 9007199254740993 }", vec![1]),
        ("extras = { serial = 9007199254740992 }", vec![]),
        ("extras = { kind = \"pump\" }", vec![2, 3]),
        ("extras = { tag = \"own\" }", vec![2]),
        // The node's own tag wins over that of its mesh.
        ("extras = { tag = \"T2\" }", vec![3]),
        ("name = \"P-9\"", vec![3]),
    ] {
        assert_eq!(bound(bind), nodes, "{bind}");
    }
    let found = findings(&site(""), &model);
    assert!(found.iter().any(|it| it.1 == "node.unbound" && it.2.contains("'hall/P-101'")), "{found:?}");
}

#[test]
fn a_nodes_own_name_wins_over_the_same_name_of_a_mesh() {
    let mut file = File::new(json!([{"name": "Pump", "children": [1]}, {"mesh": 0}]));
    file.json["meshes"][0]["name"] = json!("Pump");
    let model = file.model();
    let report = twin("name = \"Pump\"").bind(&[AssetNodes::of(0, &model)]);
    assert_eq!(report.problems, []);
    assert_eq!(report.lists[0].direct, [true, false]);
}

#[test]
fn two_nodes_of_one_named_mesh_are_said_to_be_ambiguous() {
    let mut file = File::new(json!([{"mesh": 0}, {"mesh": 0}]));
    file.json["meshes"][0]["name"] = json!("Bolt");
    let found = findings(&twin("name = \"Bolt\""), &file.model());
    assert!(found.iter().any(|it| it.1 == "binding.ambiguous"), "{found:?}");
}

proptest::proptest! {
    /// Where a vertex ends up is the product of all transforms, whatever their size, to a millimetre.
    #[test]
    fn every_vertex_stands_where_its_transforms_put_it(
        site in proptest::array::uniform3(-8_000_000i32..8_000_000),
        up in proptest::array::uniform3(-5_000i32..5_000),
        down in proptest::array::uniform3(-5_000i32..5_000),
        turn in 0u32..360,
        scale in 1u32..40,
    ) {
        let place = |at: [i32; 3]| at.map(|value| f64::from(value) * 0.001);
        let half = f64::from(turn).to_radians() * 0.5;
        let size = f64::from(scale) * 0.1;
        let nodes = json!([
            {"translation": place(up), "rotation": [0.0, half.sin(), 0.0, half.cos()], "children": [1]},
            {"mesh": 0, "translation": place(down), "scale": [size, size, size]}
        ]);
        let at = site.map(f64::from);
        let scene = [placed(File::new(nodes).model(), DVec3::from(at))];
        let plan = plan(&scene, &Settings::default());
        let (sin, cos) = f64::from(turn).to_radians().sin_cos();
        for (found, corner) in plan.chunks[0].positions.iter().zip([DVec3::ZERO, DVec3::X, DVec3::Y]) {
            let local = DVec3::from(place(down)) + corner * size;
            let turned = DVec3::new(cos * local.x + sin * local.z, local.y, -sin * local.x + cos * local.z);
            let right = DVec3::from(at) + DVec3::from(place(up)) + turned;
            let found = Vec3::from(*found).as_dvec3() + plan.origin;
            proptest::prop_assert!((found - right).length() < 1e-3, "{} is not {}", found, right);
        }
    }
}

#[test]
fn a_sparse_value_for_an_element_that_does_not_exist_is_a_fault_and_nothing_is_dropped() {
    let sparse = |index: u16| {
        let mut file = File::new(json!([{"name": "A", "mesh": 0}]));
        let indices = file.accessor("SCALAR", 5123, &index.to_le_bytes(), 1);
        let values = file.accessor("VEC3", 5126, &floats(&[0., 100., 0.]), 1);
        file.json["accessors"][0]["sparse"] = json!({
            "count": 1, "indices": {"bufferView": indices, "componentType": 5123}, "values": {"bufferView": values},
        });
        file.model()
    };
    let model = sparse(2);
    assert_eq!((model.scene_triangles(), faults(&model)), (1, Vec::new()));
    assert_eq!(model.meshes[0].primitives[0].positions[2], [0., 100., 0.]);
    for beyond in [3, 9, u16::MAX] {
        let model = sparse(beyond);
        let told = faults(&model);
        assert_eq!((model.scene_triangles(), told.len()), (0, 1), "{told:?}");
        assert!(told[0].contains(&format!("accessor 0: sparse index {beyond} is beyond the 3 elements")), "{told:?}");
    }
}

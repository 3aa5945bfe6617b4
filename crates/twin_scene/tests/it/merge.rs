//! Merging: nothing is lost, nothing is invented, and every triangle knows its part.

use std::collections::BTreeSet;
use std::sync::Arc;

use glam::{DMat4, DVec3, Mat4, Quat, Vec3};
use serde_json::Value;
use twin_geometry::glb::{self, Limits};
use twin_model::TwinIndex;
use twin_scene::geometry::{AlphaMode, Image, Material, Mesh, Node, Primitive, SceneModel};
use twin_scene::merge::{Class, EDGE_CLASSES, MergePlan, PartIndex, Placed, Planner, Settings, feature_edges, plan};

use crate::shared;

/// A box of twelve triangles with flat normals, from the origin to `size`.
pub(crate) fn cube(size: Vec3) -> Primitive {
    let mut cube = Primitive::default();
    for axis in 0..3 {
        for side in [0.0, 1.0] {
            let normal = Vec3::AXES[axis] * (side * 2.0 - 1.0);
            let (u, v) = (Vec3::AXES[(axis + 1) % 3], Vec3::AXES[(axis + 2) % 3]);
            let corner = Vec3::AXES[axis] * side;
            let base = cube.positions.len() as u32;
            for (a, b) in [(0., 0.), (1., 0.), (1., 1.), (0., 1.)] {
                cube.positions.push(((corner + u * a + v * b) * size).to_array());
                cube.normals.push(normal.to_array());
            }
            let quad = if side > 0.0 { [0, 1, 2, 0, 2, 3] } else { [0, 2, 1, 0, 3, 2] };
            cube.indices.extend(quad.map(|at| base + at));
        }
    }
    cube
}

pub(crate) fn node(mesh: Option<usize>, local: Mat4) -> Node {
    Node {
        name: None,
        path: String::new(),
        parent: None,
        children: Vec::new(),
        mesh,
        local: local.as_dmat4(),
        world: local.as_dmat4(),
        extras: Value::Null,
        in_scene: true,
        hidden: false,
        mesh_name: None,
        alias: None,
    }
}

pub(crate) fn model(meshes: Vec<Mesh>, materials: Vec<Material>, nodes: Vec<Node>) -> SceneModel {
    let roots = (0..nodes.len()).collect();
    SceneModel { nodes, meshes, materials, roots, ..SceneModel::default() }
}

pub(crate) fn placed(model: SceneModel) -> Placed {
    Placed { model: Arc::new(model), transform: DMat4::IDENTITY, twins: Vec::new() }
}

fn mesh(primitives: Vec<Primitive>) -> Mesh {
    Mesh { primitives, ..Mesh::default() }
}

fn painted(material: usize) -> Primitive {
    Primitive { material: Some(material), ..cube(Vec3::ONE) }
}

/// Corners of a triangle, rounded and sorted, so that facing and order do not matter.
fn bag(corners: [Vec3; 3]) -> [[i64; 3]; 3] {
    let mut bag = corners.map(|corner| corner.to_array().map(|value| (f64::from(value) * 1e4).round() as i64));
    bag.sort_unstable();
    bag
}

/// The slow, obvious twin: every triangle of every part, from the mesh and through the chunks, one by one.
fn check_plan(name: &str, placed: &[Placed], plan: &MergePlan, settings: &Settings) {
    for chunk in &plan.chunks {
        let vertices = chunk.positions.len();
        assert!(vertices > 0 && vertices <= settings.max_vertices, "{name}: {vertices} vertices");
        let lengths = [chunk.normals.len(), chunk.colors.len(), chunk.surfaces.len(), chunk.parts.len()];
        assert_eq!(lengths, [vertices; 4], "{name}");
        assert_eq!(chunk.uvs.len(), if matches!(chunk.class, Class::Textured { .. }) { vertices } else { 0 }, "{name}");
        assert!(chunk.runs.is_sorted() && chunk.runs.first().is_some_and(|run| run.0 == 0), "{name}");
        assert!(chunk.positions.iter().all(|&position| chunk.bounds.contains(position.into())), "{name}");
        for (triangle, corners) in (0u32..).zip(chunk.indices.chunks_exact(3)) {
            let part = chunk.part_of(triangle).expect("a part");
            assert!(corners.iter().all(|&corner| chunk.parts[corner as usize] == part.0), "{name}: triangle {triangle}");
        }
        assert_eq!(chunk.part_of(chunk.triangle_count() as u32), None);
    }
    let mut seen = 0usize;
    for (index, part) in (0u32..).map(PartIndex).zip(&plan.parts) {
        let model = &placed[part.asset as usize].model;
        let mesh = &model.meshes[model.nodes[part.node as usize].mesh.expect("a mesh")];
        let world = placed[part.asset as usize].transform * model.nodes[part.node as usize].world;
        let source: Vec<[Vec3; 3]> = mesh
            .primitives
            .iter()
            .flat_map(|p| (0..p.triangle_count()).map(|at| p.triangle(at).expect("corners")))
            .map(|corners| corners.map(|corner| (world.transform_point3(Vec3::from(corner).as_dvec3()) - plan.origin).as_vec3()))
            .collect();
        assert_eq!(part.triangles as usize, source.len(), "{name}");
        let mut numbers = BTreeSet::new();
        for piece in &part.pieces {
            let chunk = &plan.chunks[piece.chunk as usize];
            for (offset, triangle) in piece.triangles.clone().enumerate() {
                assert_eq!(chunk.part_of(triangle), Some(index), "{name}");
                let at = triangle as usize * 3;
                let corners = [0, 1, 2].map(|corner| Vec3::from(chunk.positions[chunk.indices[at + corner] as usize]));
                let number = piece.first as usize + offset;
                assert_eq!(bag(corners), bag(source[number]), "{name}: part {index:?} triangle {number}");
                assert!(numbers.insert(number), "{name}: triangle {number} twice");
                assert!(corners.iter().all(|&corner| part.bounds.contains(corner)), "{name}");
            }
        }
        assert_eq!(numbers.len(), source.len(), "{name}: part {index:?} has lost triangles");
        seen += numbers.len();
    }
    assert_eq!(seen, plan.triangle_count(), "{name}");
    for (chunk, lines) in plan.lines.iter().enumerate() {
        assert_eq!(lines.positions.len(), lines.parts.len());
        assert!(lines.positions.len().is_multiple_of(2) && lines.positions.len() <= settings.max_vertices.max(2));
        let class = EDGE_CLASSES.iter().position(|longest| *longest == lines.longest).expect("a class");
        let above = class.checked_sub(1).map_or(-1.0, |shorter| EDGE_CLASSES[shorter]);
        for edge in lines.positions.chunks_exact(2) {
            let length = Vec3::from(edge[0]).distance(Vec3::from(edge[1]));
            assert!(length > above && length <= lines.longest, "{name}: {length} in the class up to {}", lines.longest);
        }
        let ranges = plan.parts.iter().zip(0u32..).flat_map(|(part, index)| part.lines.iter().map(move |piece| (piece, index)));
        for (piece, index) in ranges.filter(|(piece, _)| piece.chunk as usize == chunk) {
            let range = piece.vertices.start as usize..piece.vertices.end as usize;
            assert!(lines.parts[range].iter().all(|&part| part == index), "{name}");
        }
    }
}

fn check(name: &str, placed: &[Placed], settings: Settings) -> MergePlan {
    let plan = plan(placed, &settings);
    check_plan(name, placed, &plan, &settings);
    plan
}

#[test]
fn untextured_opaque_parts_of_any_colour_share_one_chunk() {
    let paint = |color: [f32; 4]| Material { base_color: color, ..Material::default() };
    let materials = vec![paint([1.0, 0.0, 0.0, 1.0]), paint([0.0, 0.5, 0.0, 1.0]), Material { unlit: true, ..paint([1.0; 4]) }];
    let meshes = (0..3).map(|material| mesh(vec![painted(material)])).collect();
    let nodes = (0..3).map(|at| node(Some(at), Mat4::from_translation(Vec3::X * 2.0 * at as f32))).collect();
    let plan = check("colours", &[placed(model(meshes, materials, nodes))], Settings::default());
    assert_eq!((plan.chunks.len(), plan.parts.len()), (1, 3));
    let colors: BTreeSet<[u8; 4]> = plan.chunks[0].colors.iter().copied().collect();
    assert_eq!(colors, BTreeSet::from([[255, 0, 0, 255], [0, 188, 0, 255], [255, 255, 255, 255]]));
    assert_eq!(plan.chunks[0].surfaces.iter().filter(|surface| surface[3] == 1).count(), 24);
}

#[test]
fn textured_and_transparent_parts_have_chunks_of_their_own() {
    let blend = Material { alpha: AlphaMode::Blend, base_color: [1.0, 1.0, 1.0, 0.5], ..Material::default() };
    let solid = Material { base_color: [1.0; 4], ..blend.clone() };
    let wood = Material { base_color_image: Some(0), ..Material::default() };
    let sides = Material { double_sided: true, ..Material::default() };
    let materials = vec![blend, solid, wood, sides];
    let mut primitives: Vec<Primitive> = (0..4).map(painted).collect();
    primitives[2].uvs = vec![[0.5, 0.25]; 24];
    let mut scene = model(vec![mesh(primitives)], materials, vec![node(Some(0), Mat4::IDENTITY)]);
    scene.images.push(Image { name: None, mime: "image/png", size: [1, 1], bytes: Vec::new() });
    let one = placed(scene);
    let plan = check("classes", &[one.clone(), one], Settings::default());
    let classes: Vec<Class> = plan.chunks.iter().map(|chunk| chunk.class).collect();
    let expect = [
        Class::Opaque { double_sided: false },
        Class::Opaque { double_sided: true },
        Class::Textured { asset: 0, material: 2 },
        Class::Blend { double_sided: false },
    ];
    assert_eq!(classes, expect, "the same model placed twice shares its texture");
    assert_eq!(plan.chunks[3].colors[0][3], 128);
    assert_eq!(plan.parts[1].pieces.len(), 4);
}

#[test]
fn a_part_larger_than_a_chunk_is_split_and_loses_nothing() {
    let mut big = Primitive::default();
    for at in 0..500u32 {
        let x = at as f32;
        big.positions.extend([[x, 0.0, 0.0], [x, 1.0, 0.0]]);
        big.normals.extend([[0.0, 0.0, 1.0]; 2]);
        if at > 0 {
            let base = at * 2;
            big.indices.extend([base - 2, base, base - 1, base - 1, base, base + 1]);
        }
    }
    let scene = model(vec![mesh(vec![big, cube(Vec3::ONE)])], Vec::new(), vec![node(Some(0), Mat4::IDENTITY); 3]);
    for max_vertices in [3, 7, 50, 333, 1_000, 5_000] {
        check("big", &[placed(scene.clone())], Settings { max_vertices, ..Settings::default() });
    }
}

#[test]
fn mirrored_scaled_and_flattened_parts_keep_facing_and_normals() {
    let matrices = [
        Mat4::from_scale(Vec3::new(-1.0, 1.0, 1.0)),
        Mat4::from_scale_rotation_translation(Vec3::new(1e-3, 5e-4, 2e-3), Quat::from_rotation_y(1.0), Vec3::ONE),
        Mat4::from_scale(Vec3::new(3.0, 1.0, -2.0)),
        Mat4::from_scale(Vec3::new(1.0, 0.0, 1.0)),
    ];
    let nodes = matrices.iter().map(|matrix| node(Some(0), *matrix)).collect();
    let scene = model(vec![mesh(vec![cube(Vec3::ONE)])], Vec::new(), nodes);
    let plan = plan(&[placed(scene)], &Settings::default());
    for chunk in &plan.chunks {
        for corners in chunk.indices.chunks_exact(3) {
            let [a, b, c] = [0, 1, 2].map(|at| Vec3::from(chunk.positions[corners[at] as usize]));
            let face = (b - a).cross(c - a);
            let normal = Vec3::from(chunk.normals[corners[0] as usize]);
            assert!((normal.length() - 1.0).abs() < 1e-3);
            if face.length() > 1e-12 {
                let aligned = face.normalize().dot(normal);
                assert!(aligned > 0.99, "part {}: {aligned}", chunk.parts[corners[0] as usize]);
            }
        }
    }
}

#[test]
fn parts_take_the_twin_of_their_nearest_bound_ancestor() {
    let mut nodes = vec![node(None, Mat4::IDENTITY), node(Some(0), Mat4::IDENTITY), node(Some(0), Mat4::IDENTITY)];
    nodes.extend([node(Some(0), Mat4::IDENTITY), node(Some(0), Mat4::IDENTITY)]);
    nodes[0].children = vec![1, 2];
    nodes[2].children = vec![3];
    let mut scene = model(vec![mesh(vec![cube(Vec3::ONE)])], Vec::new(), nodes);
    scene.roots = vec![0, 4];
    let mut placed = placed(scene);
    placed.twins = vec![Some(TwinIndex(7)), None, Some(TwinIndex(3))];
    let plan = plan(&[placed], &Settings::default());
    let twins: Vec<Option<u32>> = plan.parts.iter().map(|part| part.twin.map(|twin| twin.0)).collect();
    assert_eq!(twins, [Some(7), Some(3), Some(3), None]);
    assert_eq!(plan.parts_of(TwinIndex(3)).collect::<Vec<_>>(), [PartIndex(1), PartIndex(2)]);
    assert_eq!(plan.parts_of(TwinIndex(4)).count(), 0);
    assert_eq!((plan.part_of_node(0, 3), plan.part_of_node(0, 0)), (Some(PartIndex(2)), None));
    assert_eq!(plan.bounds_of(TwinIndex(7)).max, Vec3::ONE);
}

#[test]
fn a_cube_has_twelve_edges_and_a_flat_grid_only_its_outline() {
    let angle = 30f32.to_radians();
    assert_eq!(feature_edges(&mesh(vec![cube(Vec3::ONE)]), angle).len(), 12);
    let mut grid = Primitive::default();
    for y in 0..5u32 {
        for x in 0..5u32 {
            grid.positions.push([x as f32, y as f32, 0.0]);
            if x > 0 && y > 0 {
                let (a, b, c, d) = (y * 5 + x, y * 5 + x - 1, y * 5 + x - 5, y * 5 + x - 6);
                grid.indices.extend([d, c, a, d, a, b]);
            }
        }
    }
    assert_eq!(feature_edges(&mesh(vec![grid.clone()]), angle).len(), 16);
    // The same grid drawn from both sides is still flat.
    let mut back = grid.clone();
    back.indices = grid.indices.chunks_exact(3).flat_map(|t| [t[0], t[2], t[1]]).collect();
    assert_eq!(feature_edges(&mesh(vec![grid, back]), angle).len(), 16);
    assert_eq!(feature_edges(&Mesh::default(), angle).len(), 0);
}

#[test]
fn amplification_by_many_nodes_is_bounded() {
    let scene = model(vec![mesh(vec![cube(Vec3::ONE)])], Vec::new(), vec![node(Some(0), Mat4::IDENTITY); 100]);
    let placed = [placed(scene)];
    let few = plan(&placed, &Settings { max_triangles: 120, ..Settings::default() });
    assert_eq!((few.triangle_count(), few.left_out, few.parts.len()), (120, 90, 100));
    let edges = |settings: Settings| {
        let plan = plan(&placed, &settings);
        (plan.lines.iter().map(|lines| lines.positions.len() / 2).sum::<usize>(), plan.without_edges)
    };
    assert_eq!(edges(Settings { max_edges: 30, ..Settings::default() }), (24, 98));
    assert_eq!(edges(Settings { max_edge_triangles: 11, ..Settings::default() }), (0, 100));
    assert_eq!(edges(Settings { min_edge: 1.01, ..Settings::default() }), (0, 0));
    assert_eq!(edges(Settings { min_edge: 0.99, ..Settings::default() }), (1_200, 0));
    assert_eq!(edges(Settings { edge_angle: None, ..Settings::default() }), (0, 0));
}

#[test]
fn steps_give_the_same_plan_as_one_go() {
    let scene = model(vec![mesh(vec![cube(Vec3::ONE)])], Vec::new(), vec![node(Some(0), Mat4::IDENTITY); 20]);
    let placed = [placed(scene)];
    let mut planner = Planner::new(placed.to_vec(), Settings::default());
    let mut steps = 0;
    while !planner.step(12).finished {
        steps += 1;
    }
    let progress = planner.progress();
    assert_eq!((progress.done, progress.total), (480, 480));
    assert!(steps >= 30, "{steps}");
    assert_eq!(planner.finish(), plan(&placed, &Settings::default()));
}

#[test]
fn nothing_to_draw_gives_an_empty_plan() {
    let plan = check("nothing", &[placed(SceneModel::default())], Settings::default());
    assert!(plan.chunks.is_empty() && plan.bounds.is_empty());
    assert_eq!(self::plan(&[], &Settings::default()), MergePlan::default());
}

/// Loads a file of the shared data.
pub(crate) fn shared_model(test: &str, file: &str) -> Option<SceneModel> {
    let path = shared::data(test)?.join("A-gltf").join(file);
    let folder = path.parent()?.to_path_buf();
    let bytes = std::fs::read(&path).expect("test file");
    let mut external = |name: &str| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
    Some(glb::load(&bytes, &mut external, &Limits::default()).expect("loads"))
}

#[test]
fn real_models_merge_into_few_chunks() {
    let files = [
        ("aws-cookiefactory/CookieFactoryMixer.glb", 4),
        ("assemblies/2CylinderEngine.glb", 4),
        ("assemblies/many-cubes/many-cubes.gltf", 1),
        ("derived-from-ifc/duplex_guid.glb", 3),
        ("features/cakeBirthday.glb", 1),
    ];
    for (file, most) in files {
        let Some(model) = shared_model("real_models_merge_into_few_chunks", file) else { return };
        let triangles = model.scene_triangles();
        let plan = check(file, &[placed(model)], Settings::default());
        assert_eq!(plan.triangle_count(), triangles, "{file}");
        assert!(plan.chunks.len() <= most, "{file}: {} chunks", plan.chunks.len());
        assert!(!plan.lines.is_empty(), "{file}");
    }
}

#[test]
fn twenty_six_mixers_from_one_file_are_placed_apart() {
    let Some(model) = shared_model("twenty_six_mixers", "aws-cookiefactory/CookieFactoryMixer.glb") else { return };
    let model = Arc::new(model);
    let at = |x: u32| DMat4::from_translation(DVec3::X * 10.0 * f64::from(x));
    let placed: Vec<Placed> =
        (0..26).map(|x| Placed { model: Arc::clone(&model), transform: at(x), twins: vec![Some(TwinIndex(x)); 1] }).collect();
    let plan = plan(&placed, &Settings::default());
    assert_eq!(plan.triangle_count(), 26 * 22_083);
    let bounds: Vec<_> = (0..26).map(|x| plan.bounds_of(TwinIndex(x))).collect();
    assert!(bounds.iter().all(|bounds| !bounds.is_empty()), "the root of each copy is bound");
    assert!(bounds.windows(2).all(|pair| (pair[1].min.x - pair[0].min.x - 10.0).abs() < 1e-2));
}

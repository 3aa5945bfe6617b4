//! The hierarchies against brute force: same hit, same parts, whatever the geometry.

use std::sync::Arc;

use glam::{DMat4, EulerRot, Mat4, Quat, Vec3, Vec4};
use proptest::prelude::*;
use twin_scene::bvh::{Hit, MeshBvh, Ray, SceneBvh, Tree, ray_triangle};
use twin_scene::geometry::{Aabb, Mesh, Primitive};
use twin_scene::merge::{PartIndex, Placed, Settings, plan};

use crate::merge::{cube, model, node, placed, shared_model};

fn soup(triangles: &[[[f32; 3]; 3]]) -> Mesh {
    let positions: Vec<[f32; 3]> = triangles.iter().flatten().copied().collect();
    let indices = (0..positions.len() as u32).collect();
    Mesh { primitives: vec![Primitive { positions, indices, ..Primitive::default() }], ..Mesh::default() }
}

/// Brute force over one mesh: nearest triangle, the lower number at a tie.
fn slow(triangles: &[[[f32; 3]; 3]], ray: &Ray) -> Option<(f32, u32)> {
    let hits = triangles.iter().zip(0u32..).filter_map(|(corners, at)| Some((ray_triangle(ray, &corners.map(Vec3::from))?, at)));
    hits.min_by(|a, b| a.partial_cmp(b).expect("finite"))
}

/// proptest 1.12's own float ranges now and then fail an assertion inside.
fn real(low: f32, high: f32) -> impl Strategy<Value = f32> {
    any::<u16>().prop_map(move |step| low + (high - low) * f32::from(step) / 65_535.0)
}

fn coordinate() -> impl Strategy<Value = f32> {
    // Whole numbers make shared corners, coplanar and degenerate triangles, and rays along the faces of boxes.
    prop_oneof![3 => (-4i32..=4).prop_map(|value| value as f32), 2 => real(-4.0, 4.0), 1 => real(-1e-3, 1e-3)]
}

fn point() -> impl Strategy<Value = [f32; 3]> {
    [coordinate(), coordinate(), coordinate()]
}

fn triangles(most: usize) -> impl Strategy<Value = Vec<[[f32; 3]; 3]>> {
    prop::collection::vec([point(), point(), point()], 0..most)
}

fn transform() -> impl Strategy<Value = Mat4> {
    (point(), [(); 3].map(|()| real(-3.0, 3.0)), [(); 3].map(|()| real(0.2, 3.0)), any::<bool>()).prop_map(
        |(translation, angles, scale, mirror)| {
            let [x, y, z] = angles;
            let turn = Quat::from_euler(EulerRot::XYZ, x, y, z);
            let scale = Vec3::from(scale) * if mirror { Vec3::new(-1.0, 1.0, 1.0) } else { Vec3::ONE };
            Mat4::from_scale_rotation_translation(scale, turn, translation.into())
        },
    )
}

/// Brute force over a scene: nearest hit distance of each part that is hit.
fn slow_scene(scene: &[Placed], parts: &[twin_scene::merge::Part], ray: &Ray) -> Vec<(f32, PartIndex)> {
    let mut hits = Vec::new();
    for (index, part) in (0u32..).map(PartIndex).zip(parts) {
        let placed = &scene[part.asset as usize].model;
        let mesh = &placed.meshes[placed.nodes[part.node as usize].mesh.expect("a mesh")];
        for primitive in &mesh.primitives {
            for corners in (0..primitive.triangle_count()).filter_map(|at| primitive.triangle(at)) {
                let corners = corners.map(|corner| part.world.transform_point3(Vec3::from(corner).as_dvec3()).as_vec3());
                hits.extend(ray_triangle(ray, &corners).map(|t| (t, index)));
            }
        }
    }
    hits.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
    hits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_mesh_is_hit_where_brute_force_hits_it(soup_of in triangles(60), origin in point(), target in point()) {
        let direction = Vec3::from(target) - Vec3::from(origin);
        prop_assume!(direction != Vec3::ZERO);
        let ray = Ray::new(origin.into(), direction);
        let found = MeshBvh::build(&soup(&soup_of)).raycast(&ray);
        prop_assert_eq!(found.map(|hit| (hit.t, hit.triangle)), slow(&soup_of, &ray));
    }

    #[test]
    fn rays_along_an_axis_see_flat_boxes(soup_of in triangles(40), origin in point(), axis in 0usize..3, up in any::<bool>()) {
        let ray = Ray::new(origin.into(), Vec3::AXES[axis] * if up { 1.0 } else { -1.0 });
        let found = MeshBvh::build(&soup(&soup_of)).raycast(&ray);
        prop_assert_eq!(found.map(|hit| (hit.t, hit.triangle)), slow(&soup_of, &ray));
    }

    #[test]
    fn a_scene_is_hit_where_brute_force_hits_it(
        soup_of in triangles(12),
        places in prop::collection::vec(transform(), 1..12),
        origin in point(),
        target in point(),
        hidden in 0u32..12,
    ) {
        let direction = Vec3::from(target) - Vec3::from(origin);
        prop_assume!(direction.length() > 1e-2);
        let mut meshes = vec![soup(&soup_of)];
        meshes.push(Mesh { primitives: vec![cube(Vec3::ONE)], ..Mesh::default() });
        let nodes = places.iter().enumerate().map(|(at, place)| node(Some(at % 2), *place)).collect();
        let scene = [placed(model(meshes, Vec::new(), nodes))];
        let parts = plan(&scene, &Settings::default()).parts;
        let ray = Ray::new(origin.into(), direction);
        let shown = |part: PartIndex| part.0 != hidden;
        let slow: Vec<(f32, PartIndex)> = slow_scene(&scene, &parts, &ray).into_iter().filter(|(_, part)| shown(*part)).collect();
        let fast = SceneBvh::new(&scene, &parts).raycast(&ray, &shown);
        // Corners are transformed in one, the ray in the other: at a grazing hit rounding decides, so ask for agreement
        // where brute force has a hit with some room around it.
        match (fast, slow.first()) {
            (Some(hit), Some((t, _))) => {
                let near = slow.iter().any(|(t, part)| *part == hit.part && (t - hit.t).abs() < 1e-3 * (1.0 + t.abs()));
                prop_assert!(near || grazing(&scene, &parts, &ray, &hit), "{:?} against {:?}", hit, slow);
                prop_assert!(hit.t <= t + 1e-3 * (1.0 + t.abs()) || slow_is_grazing(&scene, &parts, &ray, *t), "{:?} {:?}", hit, slow);
                prop_assert!((hit.normal.length() - 1.0).abs() < 1e-3 && hit.normal.dot(direction) <= 1e-4);
            }
            (None, Some((t, _))) => prop_assert!(slow_is_grazing(&scene, &parts, &ray, *t), "missed {:?}", slow),
            (Some(hit), None) => prop_assert!(grazing(&scene, &parts, &ray, &hit), "invented {:?}", hit),
            (None, None) => {}
        }
    }

    #[test]
    fn boxes_and_frusta_find_what_a_list_finds(places in prop::collection::vec(transform(), 0..60), a in point(), b in point()) {
        let nodes = places.iter().map(|place| node(Some(0), *place)).collect();
        let meshes = vec![Mesh { primitives: vec![cube(Vec3::splat(0.3))], ..Mesh::default() }];
        let scene = [placed(model(meshes, Vec::new(), nodes))];
        let parts = plan(&scene, &Settings::default()).parts;
        let bvh = SceneBvh::new(&scene, &parts);
        let query = Aabb::of_points([Vec3::from(a), Vec3::from(b)]);
        let mut found = Vec::new();
        bvh.in_box(&query, &mut |part| found.push(part.0));
        found.sort_unstable();
        let expect: Vec<u32> = (0u32..).zip(&parts).filter(|(_, part)| part.bounds.intersects(&query)).map(|(at, _)| at).collect();
        prop_assert_eq!(&found, &expect);
        // The same box as six planes finds the same parts: for boxes along the axes the plane test is exact.
        let planes: Vec<Vec4> = (0..3)
            .flat_map(|axis| [Vec3::AXES[axis].extend(-query.min[axis]), (-Vec3::AXES[axis]).extend(query.max[axis])])
            .collect();
        let mut found = Vec::new();
        bvh.in_frustum(&planes, &mut |part| found.push(part.0));
        found.sort_unstable();
        prop_assert_eq!(found, expect);
    }
}

/// How near to an edge of some triangle, or how flat on it, the ray passes: such hits may go either way.
fn near_an_edge(ray: &Ray, corners: &[Vec3; 3], t: f32) -> bool {
    let point = ray.at(t);
    let [a, b, c] = *corners;
    let normal = (b - a).cross(c - a);
    let flat = normal.normalize_or_zero().dot(ray.direction.normalize_or_zero()).abs() < 2e-2;
    let distance = |from: Vec3, to: Vec3| {
        let along = to - from;
        let s =
            if along.length_squared() > 0.0 { ((point - from).dot(along) / along.length_squared()).clamp(0.0, 1.0) } else { 0.0 };
        (from + along * s - point).length()
    };
    let at_end = t * ray.direction.length() < 1e-3;
    flat || at_end || [distance(a, b), distance(b, c), distance(c, a)].into_iter().any(|d| d < 2e-3 * (1.0 + point.length()))
}

fn world_triangles(scene: &[Placed], parts: &[twin_scene::merge::Part]) -> Vec<[Vec3; 3]> {
    let mut all = Vec::new();
    for part in parts {
        let placed = &scene[part.asset as usize].model;
        let mesh = &placed.meshes[placed.nodes[part.node as usize].mesh.expect("a mesh")];
        for primitive in &mesh.primitives {
            let corners = (0..primitive.triangle_count()).filter_map(|at| primitive.triangle(at));
            all.extend(
                corners.map(|corners| corners.map(|corner| part.world.transform_point3(Vec3::from(corner).as_dvec3()).as_vec3())),
            );
        }
    }
    all
}

fn grazing(scene: &[Placed], parts: &[twin_scene::merge::Part], ray: &Ray, hit: &Hit) -> bool {
    slow_is_grazing(scene, parts, ray, hit.t)
}

fn slow_is_grazing(scene: &[Placed], parts: &[twin_scene::merge::Part], ray: &Ray, t: f32) -> bool {
    let point = ray.at(t);
    let touches = |corners: &[Vec3; 3]| {
        let bounds = Aabb::of_points(corners.iter().copied());
        let room = Vec3::splat(1e-2 * (1.0 + point.length()));
        Aabb { min: bounds.min - room, max: bounds.max + room }.contains(point)
    };
    world_triangles(scene, parts).iter().filter(|corners| touches(corners)).any(|corners| near_an_edge(ray, corners, t))
}

#[test]
fn a_ray_finds_part_triangle_point_and_normal() {
    let nodes = vec![
        node(Some(0), Mat4::from_translation(Vec3::Z * -10.0)),
        node(Some(0), Mat4::from_scale_rotation_translation(Vec3::new(4.0, 4.0, 1.0), Quat::IDENTITY, Vec3::Z * -20.0)),
    ];
    let meshes = vec![Mesh { primitives: vec![cube(Vec3::ONE)], ..Mesh::default() }];
    let scene = [placed(model(meshes, Vec::new(), nodes))];
    let parts = plan(&scene, &Settings::default()).parts;
    let mut bvh = SceneBvh::new(&scene, &parts);
    let ray = Ray::new(Vec3::new(0.5, 0.25, 0.0), Vec3::Z * -2.0);
    let hit = bvh.raycast(&ray, &|_| true).expect("a hit");
    assert_eq!((hit.part, hit.t, hit.normal), (PartIndex(0), 4.5, Vec3::Z));
    assert_eq!(hit.point, Vec3::new(0.5, 0.25, -9.0));
    let behind = bvh.raycast(&ray, &|part| part.0 == 1).expect("a hit");
    assert_eq!((behind.part, behind.t), (PartIndex(1), 9.5));
    assert_eq!(bvh.raycast(&ray.up_to(4.5), &|_| true), None, "the end of a ray is not part of it");
    assert_eq!(bvh.raycast(&Ray::new(Vec3::X * 9.0, Vec3::NEG_Z), &|_| true), None);
}

#[test]
fn flattened_parts_can_be_hit() {
    let nodes = vec![node(Some(0), Mat4::from_scale(Vec3::new(2.0, 0.0, 2.0)))];
    let meshes = vec![Mesh { primitives: vec![cube(Vec3::ONE)], ..Mesh::default() }];
    let scene = [placed(model(meshes, Vec::new(), nodes))];
    let parts = plan(&scene, &Settings::default()).parts;
    let mut bvh = SceneBvh::new(&scene, &parts);
    let hit = bvh.raycast(&Ray::new(Vec3::new(1.5, 3.0, 1.25), Vec3::NEG_Y), &|_| true).expect("a hit");
    assert_eq!((hit.t, hit.normal), (3.0, Vec3::Y));
}

#[test]
fn steps_build_what_rays_would_build() {
    let Some(model) = shared_model("steps_build_what_rays_would_build", "assemblies/2CylinderEngine.glb") else { return };
    let model = Arc::new(model);
    let scene = [Placed { model: Arc::clone(&model), transform: DMat4::IDENTITY, twins: Vec::new() }];
    let merged = plan(&scene, &Settings::default());
    let (mut stepped, mut lazy) = (SceneBvh::new(&scene, &merged.parts), SceneBvh::new(&scene, &merged.parts));
    let mut steps = 0;
    let center = merged.bounds.center();
    while !stepped.step(2_000) {
        steps += 1;
        if steps == 5 {
            // A ray in the middle of building must not confuse it.
            assert_eq!(stepped.raycast(&Ray::new(center + Vec3::Z * 1e3, Vec3::Z), &|_| true), None);
            stepped.raycast(&Ray::new(center + Vec3::Z * 1e3, Vec3::NEG_Z), &|_| true);
        }
    }
    assert!(steps > 5, "{steps}");
    let (done, total) = stepped.progress();
    assert_eq!(done, total);
    let mut hits = 0;
    for at in 0..200u32 {
        let angle = at as f32 * 0.1;
        let from = center + Vec3::new(angle.cos(), (angle * 0.7).sin(), angle.sin()) * merged.bounds.radius() * 3.0;
        let aim =
            center + Vec3::new((angle * 3.1).sin(), (angle * 1.7).cos(), (angle * 2.3).sin()) * merged.bounds.radius() * 0.4;
        let ray = Ray::new(from, aim - from);
        let hit = stepped.raycast(&ray, &|_| true);
        assert_eq!(hit, lazy.raycast(&ray, &|_| true));
        hits += u32::from(hit.is_some());
        if at % 10 == 0 {
            let slow = slow_scene(&scene, &merged.parts, &ray);
            assert_eq!(hit.is_some(), !slow.is_empty(), "ray {at}");
            if let (Some(hit), Some((t, _))) = (hit, slow.first()) {
                assert!((hit.t - t).abs() < 1e-3, "ray {at}: {} against {t}", hit.t);
            }
        }
    }
    assert!(hits > 60, "{hits} of 200 rays hit the engine");
}

#[test]
fn trees_of_equal_empty_and_huge_boxes_are_built() {
    let same = Aabb { min: Vec3::ZERO, max: Vec3::ONE };
    let huge = Aabb { min: Vec3::splat(-3e38), max: Vec3::splat(3e38) };
    for boxes in [vec![], vec![same; 1_000], vec![Aabb::EMPTY; 10], vec![huge; 100], [vec![same; 50], vec![huge; 50]].concat()] {
        let expect = boxes.iter().filter(|bounds| !bounds.is_empty()).count();
        let tree = Tree::build(boxes);
        let mut order = tree.order().to_vec();
        order.sort_unstable();
        order.dedup();
        assert_eq!(order.len(), expect);
    }
}

//! Coarser levels: nothing is absent, and nothing is further from where it should be than the index says.

use std::sync::Arc;

use glam::{DVec3, Vec3};
use twin_scene::cells::{CellSettings, CellView, Compiled, Index, compile};
use twin_scene::geometry::{Aabb, Mesh};
use twin_scene::merge::{Placed, Settings, plan};

use crate::cells_oracle::{level_bytes, small};
use crate::merge::{cube, model, node, placed, shared_model};
use crate::scenes::{hills, scene, tube};

/// Corners of a level's triangles, in the scene's space, with their part.
fn triangles(compiled: &Compiled, index: &Index, cell: u32, level: u32) -> Vec<(u32, [Vec3; 3])> {
    let view = CellView::read(index, cell, level, level_bytes(compiled, index, cell, level)).expect("reads");
    let mut all = Vec::new();
    for group in view.groups() {
        for (range, local) in view.runs(group) {
            let part = index.parts_in(cell)[usize::from(local)].0;
            all.extend(range.map(|at| {
                let corners = view.triangle(index, cell, group, at).expect("corners");
                (part, corners.map(|corner| (corner - index.origin).as_vec3()))
            }));
        }
    }
    all
}

/// Distance from a point to a triangle (Ericson, Real-Time Collision Detection, 5.1.5).
fn distance(p: Vec3, [a, b, c]: [Vec3; 3]) -> f32 {
    let segment = |from: Vec3, to: Vec3| {
        let along = to - from;
        let length = along.length_squared();
        let share = if length > 0.0 { ((p - from).dot(along) / length).clamp(0.0, 1.0) } else { 0.0 };
        p.distance(from + along * share)
    };
    let nearest_side = segment(a, b).min(segment(b, c)).min(segment(c, a));
    let normal = (b - a).cross(c - a).normalize_or_zero();
    let foot = p - normal * (p - a).dot(normal);
    let inside = [(a, b), (b, c), (c, a)].into_iter().all(|(from, to)| (to - from).cross(foot - from).dot(normal) >= 0.0);
    if normal != Vec3::ZERO && inside { nearest_side.min(p.distance(foot)) } else { nearest_side }
}

/// Every part has something at every level, inside its box and about as large; no vertex of it is further from that than is said.
fn check(name: &str, placed: &[Placed], settings: CellSettings) -> Compiled {
    let compiled = compile(placed, &settings);
    let index = Index::read(&compiled.index).expect("an index");
    for cell in 0..index.cells.len() as u32 {
        let full = triangles(&compiled, &index, cell, 0);
        for level in 1..index.cells[cell as usize].levels.len() as u32 {
            let info = index.level(cell, level).expect("listed");
            assert!(info.triangles * 2 <= index.level(cell, level - 1).expect("listed").triangles, "{name}: worth a level");
            let coarse = triangles(&compiled, &index, cell, level);
            let fine = 2.0 * index.cells[cell as usize].grid.step() as f32 + index.bounds.reach() * 2e-7;
            for part in index.parts_in(cell) {
                let of = |all: &[(u32, [Vec3; 3])]| -> Vec<[Vec3; 3]> {
                    all.iter().filter(|(own, _)| *own == part.0).map(|(_, corners)| *corners).collect()
                };
                let (full, coarse) = (of(&full), of(&coarse));
                assert!(!coarse.is_empty(), "{name}: part {part:?} is absent from level {level} of cell {cell}");
                let boxes = [&full, &coarse].map(|all| Aabb::of_points(all.iter().flatten().copied()));
                let room = info.error + fine;
                let shrunk = (boxes[0].min - boxes[1].min).abs().max((boxes[0].max - boxes[1].max).abs()).max_element();
                assert!(shrunk <= room, "{name}: part {part:?} of {:?} became {:?}, within {room}", boxes[0], boxes[1]);
                assert!(
                    boxes[0].grown(fine).contains(boxes[1].min) && boxes[0].grown(fine).contains(boxes[1].max),
                    "{name}: {part:?}"
                );
                let every = (full.len() / 50).max(1);
                for corner in full.iter().step_by(every).flatten() {
                    let away = coarse.iter().map(|triangle| distance(*corner, *triangle)).fold(f32::INFINITY, f32::min);
                    assert!(
                        away <= room,
                        "{name}: {corner} of part {part:?} is {away} from level {level}, which says {}",
                        info.error
                    );
                }
            }
        }
    }
    compiled
}

fn one(meshes: Vec<Mesh>, places: Vec<glam::Mat4>) -> Vec<Placed> {
    let count = meshes.len();
    let nodes = places.into_iter().enumerate().map(|(at, place)| node(Some(at % count), place)).collect();
    vec![placed(model(meshes, Vec::new(), nodes))]
}

fn mesh(primitive: twin_scene::geometry::Primitive) -> Mesh {
    Mesh { primitives: vec![primitive], ..Mesh::default() }
}

#[test]
fn every_part_keeps_its_place_and_size_at_every_level() {
    for (seed, about) in [(1, DVec3::ZERO), (2, DVec3::new(3.4e6, 300.0, -5.8e6)), (3, DVec3::ZERO)] {
        check("small cells", &scene(seed, 120, 20.0, about), small());
        let compiled =
            check("medley", &scene(seed, 120, 20.0, about), CellSettings { cell_triangles: 9_000, ..CellSettings::default() });
        assert!(compiled.summary.coarse_triangles * 3 < compiled.summary.triangles, "{:?}", compiled.summary);
    }
}

#[test]
fn hills_become_a_tenth_and_a_hundredth() {
    let placed = one(vec![mesh(hills(120, 100.0, 2.0))], vec![glam::Mat4::IDENTITY]);
    let compiled = check("hills", &placed, CellSettings { dense: 28_800, ..CellSettings::default() });
    let index = Index::read(&compiled.index).expect("an index");
    let sum =
        |level: usize| index.cells.iter().filter_map(|cell| cell.levels.get(level)).map(|level| level.triangles).sum::<u32>();
    assert_eq!(sum(0), 28_800);
    assert!((500..2_900).contains(&sum(1)) && (30..400).contains(&sum(2)), "{} {}", sum(1), sum(2));
    // The second is for dense scenes.
    let compiled = compile(&placed, &CellSettings { dense: 28_801, ..CellSettings::default() });
    let index = Index::read(&compiled.index).expect("an index");
    assert!(index.cells.iter().all(|cell| cell.levels.len() == 2));
}

#[test]
fn a_box_among_bolts_stays_a_box_and_a_bolt_becomes_four_triangles() {
    let mut places = vec![glam::Mat4::from_scale(Vec3::new(10.0, 3.0, 0.2))];
    places.extend((0..99).map(|at| glam::Mat4::from_translation(Vec3::new(at as f32 * 0.1, 3.2, 0.0))));
    let meshes = vec![mesh(cube(Vec3::ONE)), mesh(tube(0.01, 0.05, 20))];
    let nodes = places.into_iter().enumerate().map(|(at, place)| node(Some(at.min(1)), place)).collect();
    let compiled = check("bolts", &[placed(model(meshes, Vec::new(), nodes))], CellSettings::default());
    let index = Index::read(&compiled.index).expect("an index");
    let last = |cell: u32| index.cells[cell as usize].levels.len() as u32 - 1;
    let all: Vec<_> = (0..index.cells.len() as u32).flat_map(|cell| triangles(&compiled, &index, cell, last(cell))).collect();
    let count = |part: u32| all.iter().filter(|(own, _)| *own == part).count();
    assert_eq!((count(0), count(1), count(99)), (12, 4, 4));
}

#[test]
fn what_is_thin_on_something_large_does_not_vanish() {
    // A rail along a tank, in one mesh; and a hundred balls of one mesh, far from one another.
    let mut rail = tube(2.0, 12.0, 96);
    let base = rail.positions.len() as u32;
    let thin = tube(0.01, 12.0, 8);
    rail.positions.extend(thin.positions.iter().map(|[x, y, z]| [x + 5.0, *y, *z]));
    rail.normals.extend(&thin.normals);
    rail.indices.extend(thin.indices.iter().map(|index| index + base));
    check("rail", &one(vec![mesh(rail)], vec![glam::Mat4::IDENTITY]), CellSettings::default());
    let mut balls = twin_scene::geometry::Primitive::default();
    for at in 0..100u32 {
        let ball = tube(0.05, 0.1, 12);
        let base = balls.positions.len() as u32;
        balls.positions.extend(ball.positions.iter().map(|[x, y, z]| [x + at as f32 * 0.7, y + (at % 7) as f32, *z]));
        balls.normals.extend(&ball.normals);
        balls.indices.extend(ball.indices.iter().map(|index| index + base));
    }
    check("balls", &one(vec![mesh(balls)], vec![glam::Mat4::IDENTITY]), CellSettings::default());
}

#[test]
fn parts_without_area_or_size_have_levels_too() {
    let flat = glam::Mat4::from_scale(Vec3::new(1.0, 0.0, 1.0));
    let line = glam::Mat4::from_scale(Vec3::new(1.0, 0.0, 0.0));
    let point = glam::Mat4::from_scale(Vec3::ZERO);
    let meshes = vec![mesh(hills(20, 3.0, 0.3))];
    check("flat", &one(meshes, vec![flat, line, point, glam::Mat4::IDENTITY]), CellSettings::default());
}

#[test]
fn the_first_picture_needs_few_pieces() {
    let compiled = check("pieces", &scene(4, 400, 60.0, DVec3::ZERO), small());
    let index = Index::read(&compiled.index).expect("an index");
    let mut coarsest: Vec<u32> = index.cells.iter().filter_map(|cell| cell.levels.last()).map(|level| level.piece).collect();
    coarsest.sort_unstable();
    coarsest.dedup();
    let bytes: usize = coarsest.iter().map(|piece| compiled.cells[*piece as usize].len()).sum();
    assert_eq!(bytes as u64, compiled.summary.coarse_bytes, "nothing else is in them");
    assert!(coarsest.len() <= bytes / small().coarse_piece * 2 + 1, "{} pieces of {bytes} bytes", coarsest.len());
    assert!(coarsest.len() * 4 < index.cells.len(), "{} pieces for {} cells", coarsest.len(), index.cells.len());
}

#[test]
fn real_models_have_coarse_levels_that_keep_what_they_promise() {
    for file in ["aws-cookiefactory/CookieFactoryMixer.glb", "assemblies/2CylinderEngine.glb", "derived-from-ifc/duplex_guid.glb"]
    {
        let Some(model) = shared_model("real_models_have_coarse_levels", file) else { return };
        let placed = [Placed { model: Arc::new(model), transform: glam::DMat4::IDENTITY, twins: Vec::new() }];
        let compiled = check(file, &placed, CellSettings::default());
        assert!(
            compiled.summary.coarse_triangles * 4 < plan(&placed, &Settings::default()).triangle_count() as u64 * 3,
            "{file}"
        );
    }
}

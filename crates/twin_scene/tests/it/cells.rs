//! Scenes in pieces: nothing is lost, nothing is invented, nothing is elsewhere; the same models give the same bytes.

use std::sync::Arc;

use glam::{DVec3, Vec3};
use twin_scene::cells::{CellSettings, Index, compile};
use twin_scene::geometry::SceneModel;
use twin_scene::merge::{PartIndex, Placed};

use crate::cells_oracle::{check, small};
use crate::merge::shared_model;
use crate::scenes::{Dice, medley, scene};

#[test]
fn a_scene_in_pieces_is_the_merged_scene_wherever_it_stands() {
    let places = [DVec3::ZERO, DVec3::new(2_683_141.25, 408.0, 1_247_923.5), DVec3::new(-3e8, 2e8, 4e8)];
    for (seed, about) in (1u64..).zip(places) {
        for (nodes, reach) in [(1, 1.0), (40, 6.0), (100, 20.0)] {
            let name = format!("seed {seed}, {nodes} nodes");
            let (compiled, index) = check(&name, &scene(seed, nodes, reach, about), small());
            assert!(nodes < 40 || index.cells.len() > 3, "{name}: {} cells", index.cells.len());
            assert_eq!(compiled.images.len(), index.images.len());
            assert!(nodes < 40 || compiled.images.len() == 2, "{name}: what two files have in common is there once");
        }
    }
}

#[test]
fn sparse_scenes_and_large_parts_keep_their_millimetres() {
    // Bolts over a hundred kilometres; and one part much larger than all others.
    let mut dice = Dice(9);
    let wide = scene(5, 60, 50_000.0, DVec3::ZERO);
    let (_, index) = check("sparse", &wide, CellSettings { cell_triangles: 65_535, cell_vertices: 131_070, ..small() });
    assert!(index.cells.iter().any(|cell| cell.grid.wide), "32 bits where 16 do not reach");
    let mut mixed = medley(&mut dice, 30, 3.0);
    mixed.nodes[4].world = glam::DMat4::from_scale(DVec3::splat(4_000.0));
    let (_, index) = check("mixed", &[crate::merge::placed(mixed)], small());
    let small_cells = index.cells.iter().filter(|cell| cell.bounds.radius() < 40.0).count();
    assert!(small_cells >= 1, "the large part does not spoil the cells of the small ones");
}

#[test]
fn a_part_with_more_triangles_than_a_cell_is_cut() {
    let model = crate::merge::model(
        vec![twin_scene::geometry::Mesh { primitives: vec![crate::scenes::hills(60, 100.0, 3.0)], ..Default::default() }],
        Vec::new(),
        vec![crate::merge::node(Some(0), glam::Mat4::from_rotation_y(0.3))],
    );
    let (_, index) = check("hills", &[crate::merge::placed(model)], small());
    assert!(index.cells.len() >= 12, "{} cells of 7,200 triangles", index.cells.len());
    let most = index.cells.iter().map(|cell| cell.levels[0].triangles).max();
    assert!(most.is_some_and(|most| most <= 600), "{most:?}");
    let all: Vec<_> = index.cells_of(PartIndex(0)).collect();
    assert_eq!(all.len(), index.cells.len(), "the part is in every cell");
    let middles: Vec<Vec3> = index.cells.iter().map(|cell| cell.bounds.center()).collect();
    assert!(index.cells.iter().all(|cell| cell.bounds.radius() < 60.0), "cells are near: {middles:?}");
}

#[test]
fn parts_of_any_size_and_shape_come_back_or_are_named() {
    let mut dice = Dice(17);
    let mut odd = medley(&mut dice, 40, 5.0);
    let place = |at: f64| glam::DMat4::from_translation(DVec3::splat(at));
    let size = |by: f64| glam::DMat4::from_scale(DVec3::splat(by));
    let shear = glam::DMat4::from_cols_array_2d(&[
        [1.0, 0.7, 0.0, 0.0],
        [-2.0, 1.0, 0.3, 0.0],
        [0.0, 0.0, 1.0, 0.0],
        [1.0, 2.0, 3.0, 1.0],
    ]);
    let worlds =
        [place(1e13), place(f64::NAN), place(5e9), size(1e-9), size(1e-3), size(700.0), size(0.0), shear, size(-1.0), place(9e5)];
    for (node, world) in odd.nodes.iter_mut().zip(worlds) {
        node.world = world;
    }
    let (compiled, _) = check("odd", &[crate::merge::placed(odd)], small());
    assert_eq!(compiled.summary.too_far, [(0, 0), (0, 1), (0, 2)]);
}

#[test]
fn texture_coordinates_that_are_no_numbers_do_not_spoil_a_cell() {
    let mut dice = Dice(18);
    let mut broken = medley(&mut dice, 30, 5.0);
    broken.meshes[3].primitives[0].uvs[1] = [f32::NAN, f32::INFINITY];
    let compiled = compile(&[crate::merge::placed(broken)], &small());
    let index = Index::read(&compiled.index).expect("an index");
    for cell in 0..index.cells.len() as u32 {
        let bytes = crate::cells_oracle::level_bytes(&compiled, &index, cell, 0);
        assert!(twin_scene::cells::CellView::read(&index, cell, 0, bytes).is_ok());
    }
}

#[test]
fn bounds_on_triangles_and_edges_hold_as_in_the_merged_scene() {
    let placed = scene(3, 60, 9.0, DVec3::ZERO);
    let few = CellSettings { max_triangles: 2_000, max_edge_triangles: 60, ..small() };
    let (compiled, _) = check("bounded", &placed, few);
    assert!(compiled.summary.left_out > 10 && compiled.summary.triangles <= 2_000, "{:?}", compiled.summary);
    let none = compile(&placed, &CellSettings { max_edges: 0, ..small() });
    assert!(none.summary.edges == 0 && none.summary.without_edges > 0);
    check("no edges", &placed, CellSettings { edge_cosine: None, ..small() });
}

#[test]
fn nothing_to_draw_gives_an_empty_scene() {
    for placed in [Vec::new(), vec![crate::merge::placed(SceneModel::default())]] {
        let (compiled, index) = check("nothing", &placed, CellSettings::default());
        assert!(compiled.cells.is_empty() && index.cells.is_empty() && index.bounds.is_empty());
    }
}

#[test]
fn the_same_models_give_the_same_bytes() {
    let first = compile(&scene(7, 80, 12.0, DVec3::new(5e5, 0.0, 5e6)), &small());
    let again = scene(7, 80, 12.0, DVec3::new(5e5, 0.0, 5e6));
    assert_eq!(compile(&again, &small()), first);
    // Each placed model under an address of its own.
    let apart: Vec<Placed> =
        again.iter().map(|placed| Placed { model: Arc::new((*placed.model).clone()), ..placed.clone() }).collect();
    assert_eq!(compile(&apart, &small()), first);
}

#[test]
fn a_change_in_one_corner_leaves_the_other_cells_as_they_are() {
    let mut dice = Dice(11);
    let model = medley(&mut dice, 300, 30.0);
    let before = compile(&[crate::merge::placed(model.clone())], &small());
    let mut changed = model;
    changed.nodes.push(crate::merge::node(Some(0), glam::Mat4::from_translation(Vec3::splat(20.0))));
    changed.roots.push(300);
    let after = compile(&[crate::merge::placed(changed)], &small());
    let index = Index::read(&before.index).expect("an index");
    let full = |index: &Index| index.cells.iter().map(|cell| cell.levels[0].piece as usize).collect::<Vec<_>>();
    let same = full(&index).into_iter().filter(|piece| after.cells.contains(&before.cells[*piece])).count();
    assert!(same * 4 > index.cells.len() * 3, "{same} of {} cells are as they were", index.cells.len());
}

#[test]
fn real_models_come_back_whole() {
    let files = [
        "aws-cookiefactory/CookieFactoryMixer.glb",
        "assemblies/2CylinderEngine.glb",
        "assemblies/many-cubes/many-cubes.gltf",
        "derived-from-ifc/duplex_guid.glb",
        "features/cakeBirthday.glb",
        "../B-building/3dtiles/SparseImplicitQuadtree/content/content_5__25_12.glb",
    ];
    for file in files {
        let Some(model) = shared_model("real_models_come_back_whole", file) else { return };
        let far = glam::DMat4::from_translation(DVec3::new(4_468_000.0, 520.0, 5_334_000.0));
        let placed = [Placed { model: Arc::new(model), transform: far, twins: Vec::new() }];
        let settings = CellSettings { min_edge: 0.029_7, ..CellSettings::default() };
        let (compiled, _) = check(file, &placed, settings);
        let (coarse, full) = (compiled.summary.coarse_triangles, compiled.summary.triangles);
        // Small cells of few large parts are as coarse as they can be.
        assert!(coarse * 2 <= full || full < 7_000, "{file}: {:?}", compiled.summary);
    }
}

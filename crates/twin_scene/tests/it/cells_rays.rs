//! Rays, boxes and frusta over cells against the hierarchies over the models themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use glam::{DVec3, Vec3, Vec4};
use twin_scene::bvh::{Ray, SceneBvh};
use twin_scene::cells::{CellScene, CellSettings, Compiled, Index, compile};
use twin_scene::geometry::Aabb;
use twin_scene::merge::{PartIndex, Placed, Settings, plan};

use crate::cells_oracle::{level_bytes, small};
use crate::merge::{cube, model, node, placed, shared_model};
use crate::scenes::{Dice, scene};

/// A scene with one level of every cell here: the one that `choose` picks of so many.
fn loaded(compiled: &Compiled, choose: impl Fn(u32) -> u32) -> CellScene {
    let index = Index::read(&compiled.index).expect("an index");
    let mut scene = CellScene::new(index.clone());
    for cell in 0..index.cells.len() as u32 {
        let level = choose(index.cells[cell as usize].levels.len() as u32);
        scene.insert(cell, level, level_bytes(compiled, &index, cell, level)).expect("reads");
    }
    scene
}

/// Across the scene, or at one of its parts.
fn random_ray(dice: &mut Dice, bounds: &Aabb, parts: &[twin_scene::merge::Part]) -> Ray {
    let bounds = &if dice.roll(2) == 0 { *bounds } else { parts[dice.roll(parts.len() as u64) as usize].bounds };
    let from = bounds.center() + dice.place(1.0).normalize_or(Vec3::X) * bounds.radius() * dice.real(0.05, 2.0);
    let aim = bounds.center() + dice.place(0.5) * bounds.size();
    Ray::new(from, (aim - from).normalize_or(Vec3::Z))
}

/// What is hit at full detail is what is hit in the models; where the two differ, the ray passes an edge within a few millimetres.
fn check(name: &str, placed: &[Placed], settings: CellSettings, rays: usize) {
    let compiled = compile(placed, &settings);
    let mut cells = loaded(&compiled, |_| 0);
    let merged = plan(placed, &Settings::default());
    let mut models = SceneBvh::new(placed, &merged.parts);
    let room = 3e-3 + merged.bounds.radius() * 3e-5;
    let (mut dice, mut hits, mut grazing) = (Dice(99), 0, 0);
    for at in 0..rays {
        let ray = random_ray(&mut dice, &merged.bounds, &merged.parts);
        let shown = |part: PartIndex| at % 3 > 0 || part.0 % 4 != 1;
        let (found, expected) = (cells.raycast(&ray, &shown), models.raycast(&ray, &shown));
        hits += usize::from(expected.is_some());
        if let Some(hit) = &found {
            assert!(shown(hit.part) && hit.level == Some(0), "{name}: {hit:?}");
            assert!((hit.normal.length() - 1.0).abs() < 1e-3 && hit.normal.dot(ray.direction) <= 1e-4, "{name}: {hit:?}");
            assert!((hit.point - ray.at(hit.t)).length() <= 1e-3 * (1.0 + hit.t), "{name}");
        }
        let same = match (&found, &expected) {
            (Some(found), Some(expected)) => found.part == expected.part && (found.t - expected.t).abs() <= room,
            (None, None) => true,
            _ => false,
        };
        if same {
            continue;
        }
        // Of the rays beside it, one of the models' must find what this one found.
        let beside = (0..64).map(|_| {
            let moved = ray.origin + dice.place(1.0) * room;
            models.raycast(&Ray::new(moved, ray.direction), &shown)
        });
        let alike = beside.into_iter().any(|beside| match (&found, &beside) {
            (Some(found), Some(beside)) => (found.t - beside.t).abs() <= 40.0 * room,
            (None, None) => true,
            _ => false,
        });
        assert!(alike, "{name}: ray {at} finds {found:?} instead of {expected:?}");
        grazing += 1;
    }
    assert!(hits * 5 > rays, "{name}: {hits} of {rays} hit");
    assert!(grazing * 25 < hits, "{name}: {grazing} of {hits} differ");
}

#[test]
fn rays_hit_the_same_part_as_in_the_models() {
    check("near", &scene(21, 120, 8.0, DVec3::ZERO), small(), 1_500);
    check("far", &scene(22, 120, 8.0, DVec3::new(5.2e6, 100.0, -3.1e6)), small(), 1_500);
    check("sparse", &scene(23, 80, 900.0, DVec3::ZERO), CellSettings::default(), 300);
}

#[test]
fn rays_hit_the_same_part_of_real_models() {
    for file in ["aws-cookiefactory/CookieFactoryMixer.glb", "assemblies/2CylinderEngine.glb", "derived-from-ifc/duplex_guid.glb"]
    {
        let Some(model) = shared_model("rays_hit_the_same_part_of_real_models", file) else { return };
        let placed = [Placed { model: Arc::new(model), transform: glam::DMat4::IDENTITY, twins: Vec::new() }];
        check(file, &placed, CellSettings { cell_triangles: 4_000, ..CellSettings::default() }, 600);
    }
}

#[test]
fn every_part_can_be_hit_at_every_level_and_by_its_box_before() {
    let nodes = (0..200u32)
        .map(|at| node(Some(0), glam::Mat4::from_translation(Vec3::new((at % 20) as f32, 0.0, (at / 20) as f32) * 3.0)));
    let meshes = vec![twin_scene::geometry::Mesh { primitives: vec![cube(Vec3::new(1.0, 0.3, 0.6))], ..Default::default() }];
    let compiled = compile(&[placed(model(meshes, Vec::new(), nodes.collect()))], &small());
    let above = |part: &twin_scene::cells::IndexPart| Ray::new(part.center() + Vec3::new(0.01, 5.0, -0.02), Vec3::NEG_Y);
    let index = Index::read(&compiled.index).expect("an index");
    let mut scenes = [CellScene::new(index), loaded(&compiled, |levels| levels - 1), loaded(&compiled, |_| 0)];
    for (at, scene) in scenes.iter_mut().enumerate() {
        for part in 0..200 {
            let ray = above(&scene.index().parts[part as usize].clone());
            let hit = scene.raycast(&ray, &|_| true).unwrap_or_else(|| panic!("part {part} of scene {at} is not there"));
            assert_eq!((hit.part, hit.level.is_none()), (PartIndex(part), at == 0));
            assert!(hit.t >= 4.8 && hit.t <= 5.2 && hit.normal.y > 0.2, "{hit:?}");
        }
    }
    // Of what is here the finest counts; and what is given up is gone.
    let (mut index, full) = (CellScene::new(scenes[0].index().clone()), &mut scenes[2]);
    std::mem::swap(&mut index, full);
    let mut scene = index;
    let cell = 0;
    let coarsest = scene.index().cells[0].levels.len() as u32 - 1;
    scene.insert(cell, coarsest, level_bytes(&compiled, &scene.index().clone(), cell, coarsest)).expect("reads");
    assert_eq!((scene.finest(cell), scene.here()[0]), (Some(0), 1 | 1 << coarsest));
    let bytes = scene.bytes();
    scene.remove(cell, 0);
    assert_eq!(scene.finest(cell), Some(coarsest));
    assert!(scene.bytes() < bytes);
}

#[test]
fn a_ray_within_a_box_that_is_not_here_yet_sees_what_stands_in_it() {
    let scale = |by: f32| glam::Mat4::from_scale(Vec3::splat(by));
    let nodes = vec![node(Some(0), scale(10.0)), node(Some(0), glam::Mat4::from_translation(Vec3::new(7.0, 5.0, 5.0)))];
    let meshes = vec![twin_scene::geometry::Mesh { primitives: vec![cube(Vec3::ONE)], ..Default::default() }];
    let compiled = compile(&[placed(model(meshes, Vec::new(), nodes))], &small());
    let mut scene = CellScene::new(Index::read(&compiled.index).expect("an index"));
    let inside = scene.raycast(&Ray::new(Vec3::new(1.0, 5.5, 5.5), Vec3::X), &|_| true).expect("a hit");
    assert_eq!((inside.part, inside.normal), (PartIndex(1), Vec3::NEG_X));
    assert!((inside.t - 6.0).abs() < 0.01);
    let outside = scene.raycast(&Ray::new(Vec3::new(-1.0, 5.5, 5.5), Vec3::X), &|_| true).expect("a hit");
    assert_eq!(outside.part, PartIndex(0));
    assert_eq!(
        scene.raycast(&Ray::new(Vec3::new(-1.0, 5.5, 5.5), Vec3::X).up_to(outside.t), &|_| true),
        None,
        "an end is outside"
    );
}

#[test]
fn boxes_and_frusta_find_what_a_list_finds() {
    let placed = scene(31, 200, 15.0, DVec3::new(1e5, 0.0, 2e5));
    let compiled = compile(&placed, &small());
    let scene = CellScene::new(Index::read(&compiled.index).expect("an index"));
    let bounds = scene.index().bounds;
    let mut dice = Dice(5);
    let mut some = 0;
    for _ in 0..200 {
        let corner = |dice: &mut Dice| bounds.center() + dice.place(0.5) * bounds.size();
        let query = Aabb::of_points([corner(&mut dice), corner(&mut dice)]);
        let list = (0u32..).zip(&scene.index().parts).filter(|(_, part)| part.bounds.intersects(&query));
        let expected: Vec<u32> = list.map(|(at, _)| at).collect();
        let mut found = Vec::new();
        scene.in_box(&query, &mut |part| found.push(part.0));
        assert_eq!(found, expected);
        let planes: Vec<Vec4> = (0..3)
            .flat_map(|axis| [Vec3::AXES[axis].extend(-query.min[axis]), (-Vec3::AXES[axis]).extend(query.max[axis])])
            .collect();
        let mut found = Vec::new();
        scene.in_frustum(&planes, &mut |part| found.push(part.0));
        assert_eq!(found, expected);
        some += usize::from(!expected.is_empty());
    }
    assert!(some > 50);
}

#[test]
fn outlines_get_the_triangles_that_are_here() {
    let placed = scene(41, 60, 6.0, DVec3::ZERO);
    let compiled = compile(&placed, &small());
    let (full, coarse) = (loaded(&compiled, |_| 0), loaded(&compiled, |levels| levels - 1));
    for part in (0..full.index().parts.len() as u32).map(PartIndex) {
        let count = |scene: &CellScene| {
            let mut corners = BTreeSet::new();
            let mut count = 0;
            scene.triangles_of(part, &mut |triangle| {
                count += 1;
                corners.extend(triangle.map(|corner| corner.to_array().map(f32::to_bits)));
                assert!(triangle.iter().all(|corner| scene.index().parts[part.at()].bounds.grown(2e-3).contains(*corner)));
            });
            count
        };
        let own = full.index().parts[part.at()];
        assert_eq!(count(&full), own.triangles);
        assert!((1..=own.triangles).contains(&count(&coarse)), "{part:?}");
    }
}

//! The promises of the generated geometry: names, sizes, sound triangles, the committed file.

use std::collections::BTreeSet;

use super::scene::{Scene, normal, position};
use super::{bottling, cubes, parts};

/// Every twin id that the demo site binds.
fn twin_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "hall",
        "filling-line",
        "packing-line",
        "utilities",
        "process",
        "climate",
        "mixer-01",
        "heat-exchanger-01",
        "pasteurizer-01",
        "depalletizer-01",
        "rinser-01",
        "filler-01",
        "capper-01",
        "labeller-01",
        "inspector-01",
        "checkweigher-01",
        "packer-01",
        "palletizer-01",
        "wrapper-01",
        "dryer-01",
        "air-receiver-01",
        "chiller-01",
        "boiler-01",
        "switchgear-01",
        "transformer-01",
        "filler-bearing-01",
        "cip-01",
        "water-treatment-01",
        "pipe-rack-01",
        "scanner-01",
    ]
    .map(str::to_owned)
    .to_vec();
    for (kind, count) in [
        ("tank", 3),
        ("pump", 6),
        ("motor", 6),
        ("valve", 4),
        ("conveyor", 8),
        ("robot", 2),
        ("compressor", 2),
        ("ahu", 2),
        ("dock", 2),
        ("conveyor-motor", 4),
        ("agv", 2),
    ] {
        ids.extend((1..=count).map(|i| format!("{kind}-{i:02}")));
    }
    ids
}

#[test]
fn every_twin_of_the_site_has_a_node_of_its_name_and_a_solid_extent() {
    let parts = parts();
    for id in twin_ids() {
        let part = parts.iter().find(|p| p.twin == id).unwrap_or_else(|| panic!("no twin {id}"));
        assert_eq!(part.nodes[0], id);
        assert!((0..3).all(|a| part.max[a] > part.min[a]), "{id} has no extent");
        assert!(part.min[0] > -31.0 && part.max[0] < 31.0 && part.min[2] > -13.0 && part.max[2] < 13.0, "{id} leaves the hall");
    }
    assert_eq!(parts.len(), twin_ids().len(), "a twin that the site does not know");
}

#[test]
fn machines_stand_on_the_floor_unless_they_hang() {
    let hung = ["valve", "filler-bearing", "ahu", "pipe-rack", "motor", "climate"];
    for part in parts() {
        if !hung.iter().any(|h| part.twin.starts_with(h)) && part.twin != "hall" {
            assert!(part.min[1].abs() < 0.03, "{} starts at y = {}", part.twin, part.min[1]);
        }
    }
}

#[test]
fn names_are_unique_and_parts_are_named_after_their_twin() {
    let scene = super::bottling::build();
    let names: BTreeSet<&str> = scene.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names.len(), scene.nodes.len());
    assert!(scene.nodes.len() >= 400, "only {} nodes", scene.nodes.len());
    for (i, node) in scene.nodes.iter().enumerate() {
        if node.twin != i {
            let prefix = format!("{}/", scene.nodes[node.twin].name);
            assert!(node.name.starts_with(&prefix), "{} is not below {prefix}", node.name);
        }
    }
}

#[test]
fn the_filler_s_bearing_is_below_the_filler() {
    let scene = super::bottling::build();
    let filler = scene.nodes.iter().find(|n| n.name == "filler-01").expect("filler");
    assert!(filler.children.iter().any(|c| scene.nodes[*c].name == "filler-bearing-01"));
}

fn check_triangles(scene: &Scene) {
    for (m, mesh) in scene.meshes.iter().enumerate() {
        let owner = scene.nodes.iter().find(|n| n.mesh == Some(m)).map_or("?", |n| n.name.as_str());
        for prim in mesh {
            assert!(prim.indices.iter().all(|i| (*i as usize) < prim.vertices.len()), "{owner}: index out of range");
            for g in &prim.vertices {
                let n = normal(g);
                let len = (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt();
                assert!((len - 1.0).abs() < 0.004, "{owner}: normal of length {len}");
            }
            let turned = prim.indices.chunks_exact(3).filter(|t| against_normals(prim, t)).count();
            assert_eq!(turned, 0, "{owner}: {turned} triangles face against their normals (material {})", prim.mat);
        }
    }
}

fn against_normals(prim: &super::scene::BakedPrim, t: &[u32]) -> bool {
    let p = |k: usize| super::math::V3::from(position(&prim.vertices[t[k] as usize]));
    let n = |k: usize| super::math::V3::from(normal(&prim.vertices[t[k] as usize]));
    let face = (p(1) - p(0)).cross(p(2) - p(0));
    // Slivers below a square millimetre are too small to have a trustworthy direction on the grid.
    face.len() > 2e-6 && face.norm().dot(n(0) + n(1) + n(2)) < 0.0
}

#[test]
fn triangles_are_wound_outwards_with_unit_normals() {
    check_triangles(&super::bottling::build());
    check_triangles(&super::cubes::build(5));
}

#[test]
fn the_hall_stays_within_its_budget() {
    let bytes = bottling();
    assert!(bytes.len() <= 4_000_000, "{} bytes", bytes.len());
}

#[test]
fn two_runs_give_the_same_bytes() {
    assert!(bottling() == bottling());
    assert!(cubes(100) == cubes(100));
}

#[test]
fn the_committed_hall_is_what_the_code_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/sites/bottling/hall.glb");
    let committed =
        std::fs::read(path).expect("assets/sites/bottling/hall.glb; run `cargo run -p twin_testkit --example make_bottling`");
    assert!(committed == bottling(), "stale file: run `cargo run -p twin_testkit --example make_bottling`");
}

#[test]
fn the_container_s_lengths_add_up() {
    for bytes in [bottling(), cubes(0), cubes(1), cubes(10_000)] {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
        assert_eq!(&bytes[..4], b"glTF");
        assert_eq!(word(8), bytes.len());
        let json = word(12);
        assert_eq!(json % 4, 0);
        if bytes.len() > 20 + json {
            assert_eq!(20 + json + 8 + word(20 + json), bytes.len());
        }
    }
}

#[test]
fn cubes_are_numbered_from_one() {
    let text = String::from_utf8_lossy(&cubes(3)).into_owned();
    assert!(text.contains("\"cube-00001\"") && text.contains("\"cube-00003\"") && !text.contains("\"cube-00004\""));
}

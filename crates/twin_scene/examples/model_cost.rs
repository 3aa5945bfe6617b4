//! Prints what model files cost: loading, merging, building the picking tree, one ray. `model_cost FILE...`
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool that measures and prints")]

use std::sync::Arc;
use std::time::Instant;

use glam::{DMat4, Vec3};
use twin_geometry::glb::{self, Limits};
use twin_scene::bvh::{Ray, SceneBvh};
use twin_scene::geometry::{Mesh, Primitive, SceneModel};
use twin_scene::merge::{Placed, Settings, plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in std::env::args().skip(1) {
        let folder = std::path::Path::new(&file).parent().map(std::path::Path::to_path_buf).unwrap_or_default();
        let bytes = std::fs::read(&file)?;
        let started = Instant::now();
        let mut external = |name: &str| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
        let model = glb::load(&bytes, &mut external, &Limits::default())?;
        let name = file.rsplit('/').next().unwrap_or_default();
        println!("{name}: {} kB, load {:.1} ms", bytes.len() / 1000, millis(started));
        measure(model);
    }
    println!("synthetic sphere of a million triangles:");
    measure(sphere(1_000));
    Ok(())
}

fn measure(model: SceneModel) {
    println!("  {} nodes, {} triangles, {} kB decoded", model.nodes.len(), model.scene_triangles(), model.bytes() / 1000);
    let placed = [Placed { model: Arc::new(model), transform: DMat4::IDENTITY, twins: Vec::new() }];
    let started = Instant::now();
    let bare = plan(&placed, &Settings { edge_angle: None, ..Settings::default() });
    let without = millis(started);
    let started = Instant::now();
    let merged = plan(&placed, &Settings::default());
    let (chunks, lines) = (bare.chunks.len(), merged.lines.iter().map(|lines| lines.positions.len() / 2).sum::<usize>());
    println!("  merge {without:.1} ms into {chunks} chunks; with {lines} edges {:.1} ms", millis(started));
    let started = Instant::now();
    let mut bvh = SceneBvh::new(&placed, &merged.parts);
    bvh.step(usize::MAX);
    println!("  picking tree {:.1} ms, {} kB", millis(started), bvh.bytes() / 1000);
    let (center, radius) = (merged.bounds.center(), merged.bounds.radius());
    let started = Instant::now();
    let mut hits = 0;
    for at in 0..10_000u32 {
        let turn = at as f32 * 0.01;
        let from = center + Vec3::new(turn.cos(), (turn * 0.7).sin(), turn.sin()) * radius * 2.0;
        let aim = center + Vec3::new((turn * 3.1).sin(), (turn * 1.7).cos(), (turn * 2.3).sin()) * radius * 0.5;
        hits += u32::from(bvh.raycast(&Ray::new(from, aim - from), &|_| true).is_some());
    }
    println!("  {:.2} us a ray, {hits} of 10000 hit", millis(started) / 10.0);
}

fn millis(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// `2 * n * n / 2` triangles.
fn sphere(n: u32) -> SceneModel {
    let mut sphere = Primitive::default();
    for y in 0..=n / 2 {
        for x in 0..=n {
            let (a, b) = (x as f32 / n as f32 * std::f32::consts::TAU, y as f32 / n as f32 * std::f32::consts::TAU);
            let normal = [b.sin() * a.cos(), b.cos(), b.sin() * a.sin()];
            sphere.positions.push(normal);
            sphere.normals.push(normal);
            if x > 0 && y > 0 {
                let at = y * (n + 1) + x;
                sphere.indices.extend([at, at - 1, at - n - 1, at - 1, at - n - 2, at - n - 1]);
            }
        }
    }
    let json = br#"{"asset":{"version":"2.0"},"nodes":[{"name":"sphere"}]}"#;
    let mut model = glb::load(json, &mut |_| Err(String::new()), &Limits::default()).unwrap_or_default();
    model.meshes.push(Mesh { primitives: vec![sphere], ..Mesh::default() });
    model.nodes.iter_mut().for_each(|node| node.mesh = Some(0));
    model
}

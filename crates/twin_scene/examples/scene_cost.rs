//! Prints what a scene in pieces costs: compiling, bytes, reading, rays. `scene_cost parts N | hills N | FILE...`: N parts of 20
//! triangles, or a landscape of about N triangles in one mesh, or model files.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool that measures and prints")]

use std::sync::Arc;
use std::time::Instant;

use glam::{DMat4, DVec3, Vec3};
use twin_geometry::glb::{self, Limits};
use twin_scene::bvh::Ray;
use twin_scene::cells::{CellScene, CellSettings, CellView, Index, compile_into};
use twin_scene::geometry::{Mesh, Node, Primitive, SceneModel};
use twin_scene::merge::{PartIndex, Placed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [kind, count] if kind == "parts" => measure(kind, parts(count.parse()?)?),
        [kind, count] if kind == "hills" => measure(kind, hills(count.parse()?)?),
        files => {
            for file in files {
                let folder = std::path::Path::new(file).parent().map(std::path::Path::to_path_buf).unwrap_or_default();
                let mut external = |name: &str| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
                measure(file, glb::load(&std::fs::read(file)?, &mut external, &Limits::default())?)?;
            }
            Ok(())
        }
    }
}

fn measure(name: &str, model: SceneModel) -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{name}: {} nodes, {} triangles, {} MB decoded",
        model.nodes.len(),
        model.scene_triangles(),
        model.bytes() / 1_000_000
    );
    let placed = [Placed { model: Arc::new(model), transform: DMat4::IDENTITY, twins: Vec::new() }];
    let mut pieces = Vec::new();
    let started = Instant::now();
    let compiled = compile_into(&placed, &CellSettings::default(), &mut |piece, _| pieces.push(piece));
    let seconds = started.elapsed().as_secs_f64();
    drop(placed);
    let summary = &compiled.summary;
    let each = |bytes: u64, of: u64| bytes as f64 / of.max(1) as f64;
    println!("  compile {seconds:.2} s into {} cells, {} pieces; peak {}", summary.cells, pieces.len(), peak());
    println!(
        "  index {} kB, {:.1} bytes a part",
        compiled.index.len() / 1000,
        each(compiled.index.len() as u64, summary.parts as u64)
    );
    println!(
        "  {} kB, {:.1} bytes a triangle, {} edges",
        summary.bytes / 1000,
        each(summary.bytes, summary.triangles),
        summary.edges
    );
    let share = each(summary.coarse_triangles * 100, summary.triangles);
    println!("  coarsest {} triangles ({share:.1} %), {} kB", summary.coarse_triangles, summary.coarse_bytes / 1000);
    let started = Instant::now();
    let index = Index::read(&compiled.index)?;
    println!("  read the index {:.2} ms", millis(started));
    read(&index, &pieces)
}

fn read(index: &Index, pieces: &[Vec<u8>]) -> Result<(), Box<dyn std::error::Error>> {
    let numbers = 0u32..u32::try_from(index.cells.len())?;
    let levels: Vec<u32> = index.cells.iter().map(|cell| cell.levels.len() as u32 - 1).collect();
    let bytes = |cell: u32, level: u32| {
        let info = index.level(cell, level)?;
        pieces.get(info.piece as usize)?.get(info.offset as usize..(info.offset + info.length) as usize)
    };
    let started = Instant::now();
    for (cell, level) in numbers.clone().zip(&levels) {
        CellView::read(index, cell, *level, bytes(cell, *level).unwrap_or_default())?;
    }
    println!("  check the coarsest levels {:.2} ms", millis(started));
    let started = Instant::now();
    let mut scene = CellScene::new(index.clone());
    println!("  trees over cells {:.2} ms", millis(started));
    let started = Instant::now();
    for cell in numbers {
        scene.insert(cell, 0, bytes(cell, 0).unwrap_or_default())?;
    }
    println!("  take in all of it {:.2} ms, {} MB held for rays", millis(started), scene.bytes() / 1_000_000);
    for round in ["first", "second"] {
        let started = Instant::now();
        let hits = rays(&mut scene, index);
        println!("  {round} 10000 rays {:.2} us each, {hits} hit", millis(started) / 10.0);
    }
    Ok(())
}

fn rays(scene: &mut CellScene, index: &Index) -> usize {
    let (center, radius) = (index.bounds.center(), index.bounds.radius());
    let hit = |at: &u32| {
        let turn = *at as f32 * 0.01;
        let from = center + Vec3::new(turn.cos(), (turn * 0.7).sin().abs() + 0.2, turn.sin()) * radius;
        let aim = center + Vec3::new((turn * 3.1).sin(), 0.0, (turn * 2.3).sin()) * index.bounds.size() * 0.4;
        scene.raycast(&Ray::new(from, aim - from), &|part: PartIndex| part.0 < u32::MAX).is_some()
    };
    (0..10_000u32).filter(hit).count()
}

fn millis(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// The most memory that the process has held, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}

/// A hall of prisms with ten sides and an end each: 20 triangles, eight places a floor apart.
fn parts(count: u32) -> Result<SceneModel, Box<dyn std::error::Error>> {
    let mut prism = Primitive::default();
    for at in 0..10u32 {
        let turn = |at: u32| f64::from(at) / 10.0 * std::f64::consts::TAU;
        let ends = [turn(at), turn(at + 1)].map(|turn| Vec3::new(turn.cos() as f32 * 0.2, 0.0, turn.sin() as f32 * 0.2));
        let normal = (ends[0] + ends[1]).normalize_or(Vec3::X);
        let base = prism.positions.len() as u32;
        for end in ends {
            prism.positions.extend([end.to_array(), (end + Vec3::Y * 0.6).to_array()]);
            prism.normals.extend([normal.to_array(); 2]);
        }
        prism.indices.extend([base, base + 1, base + 2, base + 2, base + 1, base + 3]);
    }
    let side = (f64::from(count) / 8.0).sqrt().ceil() as u32;
    let place = |at: u32| DVec3::new(f64::from(at / 8 % side), f64::from(at % 8) * 0.7, f64::from(at / 8 / side));
    let named = |at: u32| (format!("plant/area {}/line {}/valve {at}", at / 5_000, at / 200), place(at));
    with_mesh(prism, (0..count).map(named))
}

/// A square kilometre of hills.
fn hills(triangles: u32) -> Result<SceneModel, Box<dyn std::error::Error>> {
    let side = (f64::from(triangles) / 2.0).sqrt() as u32;
    let mut hills = Primitive::default();
    for z in 0..=side {
        for x in 0..=side {
            let (u, v) = (x as f32 / side as f32, z as f32 / side as f32);
            let height = ((u * 31.0).sin() + (v * 23.0).cos()) * 12.0 + ((u * 400.0).sin() * (v * 380.0).sin()) * 0.6;
            hills.positions.push([u * 1_000.0, height, v * 1_000.0]);
            hills.normals.push([0.0, 1.0, 0.0]);
            if x > 0 && z > 0 {
                let at = z * (side + 1) + x;
                hills.indices.extend([at, at - side - 1, at - 1, at - 1, at - side - 1, at - side - 2]);
            }
        }
    }
    with_mesh(hills, std::iter::once(("land".to_owned(), DVec3::ZERO)))
}

fn with_mesh(mesh: Primitive, places: impl Iterator<Item = (String, DVec3)>) -> Result<SceneModel, Box<dyn std::error::Error>> {
    let json = br#"{"asset":{"version":"2.0"},"nodes":[{"name":"one"}]}"#;
    let mut model = glb::load(json, &mut |_| Err(String::new()), &Limits::default())?;
    let pattern = model.nodes.first().cloned().ok_or("a node")?;
    model.meshes.push(Mesh { primitives: vec![mesh], ..Mesh::default() });
    let node = |(path, at): (String, DVec3)| {
        let world = DMat4::from_translation(at);
        Node { path, mesh: Some(0), local: world, world, ..pattern.clone() }
    };
    model.nodes = places.map(node).collect();
    model.roots = (0..model.nodes.len()).collect();
    Ok(model)
}

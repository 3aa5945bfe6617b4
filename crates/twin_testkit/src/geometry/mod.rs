//! The demo plant's geometry as GLB bytes: deterministic, made by code alone; knows nothing of telemetry, files or renderers.
//!
//! [`bottling`] is the hall of the demo site, [`parts`] says which nodes belong to which twin, [`cubes`] is a field of
//! equal parts for measurements. `cargo run -p twin_testkit --example make_bottling` writes the hall into `assets/`.

mod bottling;
mod cubes;
mod glb;
mod material;
mod math;
mod mesh;
mod scene;
mod shapes;
mod sweep;

#[cfg(test)]
mod tests;

use scene::{Scene, grow};

/// One twin of the hall as geometry: its nodes and its extent.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The twin's id, which is also the name of its root node.
    pub twin: String,
    /// Names of all nodes of this twin, root first; nodes of twins nested below it are not listed here.
    pub nodes: Vec<String>,
    /// Lower corner of the twin's box in world space, metres, twins nested below it included.
    pub min: [f32; 3],
    /// Upper corner of the twin's box in world space, metres, twins nested below it included.
    pub max: [f32; 3],
}

/// The bottling hall as one GLB file: about 60 x 24 x 9 m, origin at the middle of the floor, Y up, the line along +X,
/// walls on the -Z and -X sides only. Every call gives the same bytes, on every machine.
pub fn bottling() -> Vec<u8> {
    glb::write(&bottling::build())
}

/// The twins of [`bottling`] with their nodes and boxes, in the order of the file's nodes.
pub fn parts() -> Vec<Part> {
    parts_of(&bottling::build())
}

/// A field of `n` separate cube nodes `cube-00001`, `cube-00002`, ... sharing one mesh, half a metre wide on a square
/// grid of one metre. For measurements; not part of any site.
pub fn cubes(n: u32) -> Vec<u8> {
    glb::write(&cubes::build(n))
}

fn parts_of(scene: &Scene) -> Vec<Part> {
    let mut bounds: Vec<Option<(math::V3, math::V3)>> = (0..scene.nodes.len()).map(|i| scene.world_bounds(i)).collect();
    // Children always come after their parent, so one pass from the end carries every box up to the roots.
    for i in (0..scene.nodes.len()).rev() {
        for child in &scene.nodes[i].children {
            if let Some((low, high)) = bounds[*child] {
                bounds[i] = Some(grow(bounds[i], low, high));
            }
        }
    }
    let mut out: Vec<Part> = Vec::new();
    for (i, node) in scene.nodes.iter().enumerate() {
        if node.twin == i {
            let (low, high) = bounds[i].unwrap_or((node.world.t, node.world.t));
            let nodes = scene.nodes.iter().filter(|n| n.twin == i).map(|n| n.name.clone()).collect();
            out.push(Part { twin: node.name.clone(), nodes, min: [low.x, low.y, low.z], max: [high.x, high.y, high.z] });
        }
    }
    out
}

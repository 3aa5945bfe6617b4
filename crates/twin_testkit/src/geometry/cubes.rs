//! A field of equal cubes for measurements with very many parts.

use super::material::Mat;
use super::math::Xf;
use super::mesh::Mesh;
use super::scene::Scene;

/// `n` twins `cube-00001`... on a square grid of one metre, centred on the origin, all sharing one mesh.
pub(crate) fn build(n: u32) -> Scene {
    let mut scene = Scene::default();
    let side = (libm::ceil(libm::sqrt(f64::from(n))) as u32).max(1);
    let cube = Mesh::of(|m| m.blk(Mat::MachineGrey, [0.0, 0.0, 0.0], [0.5, 0.5, 0.5], 0.03));
    let middle = (side - 1) as f32 * 0.5;
    for i in 0..n {
        let (column, row) = (i % side, i / side);
        let xf = Xf::at(column as f32 - middle, 0.0, row as f32 - middle);
        scene.twin_with_mesh(&format!("cube-{:05}", i + 1), xf, &cube);
    }
    scene
}

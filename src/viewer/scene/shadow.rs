//! The floor's contact shadow, baked once: parts near the floor are drawn from above into a small map and blurred.
//!
//! Cheaper than any shadow map, and the same on every machine. Knows plain geometry only.

use twin_scene::cells::CellScene;
use twin_scene::geometry::Aabb;

/// Side of the map in texels.
pub const SIZE: usize = 512;
/// Geometry above this height in metres throws no contact shadow.
const REACH_M: f32 = 3.0;
/// Geometry below this is the floor itself.
const FLOOR_M: f32 = 0.06;

/// A baked map with its place on the floor.
#[derive(Debug, Clone, PartialEq)]
pub struct FloorShadow {
    /// Darkness per texel, row by row from the low z side, 0 (none) to 255.
    pub texels: Vec<u8>,
    /// Middle of the map: x and z in metres.
    pub centre: [f32; 2],
    /// Side of the map in metres.
    pub extent: f32,
}

/// Bakes the map from what is here of a scene; the floor is taken at height zero.
pub fn bake(scene: &CellScene) -> FloorShadow {
    let all = scene.index().bounds;
    let bounds = if all == Aabb::EMPTY { Aabb { min: glam::Vec3::ZERO, max: glam::Vec3::ONE } } else { all };
    let extent = (bounds.max.x - bounds.min.x).max(bounds.max.z - bounds.min.z).max(1.0) * 1.06;
    let centre = [(bounds.min.x + bounds.max.x) * 0.5, (bounds.min.z + bounds.max.z) * 0.5];
    let mut map = vec![0.0_f32; SIZE * SIZE];
    let to_map = |x: f32, z: f32| {
        let scale = SIZE as f32 / extent;
        ((x - centre[0]) * scale + SIZE as f32 * 0.5, (z - centre[1]) * scale + SIZE as f32 * 0.5)
    };
    for (cell, info) in (0u32..).zip(&scene.index().cells) {
        if info.bounds.max.y < FLOOR_M || info.bounds.min.y > REACH_M {
            continue;
        }
        scene.triangles_in(cell, &mut |p| {
            let low = p[0].y.min(p[1].y).min(p[2].y);
            let high = p[0].y.max(p[1].y).max(p[2].y);
            if high >= FLOOR_M && low <= REACH_M {
                // Nearer the floor is darker.
                let weight = (1.0 - (low.max(0.0) / REACH_M)).clamp(0.0, 1.0).powi(2);
                fill(&mut map, p.map(|p| to_map(p.x, p.z)), weight);
            }
        });
    }
    for _ in 0..2 {
        blur(&mut map, 3);
    }
    let texels = map.iter().map(|v| (v.clamp(0.0, 1.0) * 255.0) as u8).collect();
    FloorShadow { texels, centre, extent }
}

/// Darkens the texels of a triangle to at least `weight`.
fn fill(map: &mut [f32], p: [(f32, f32); 3], weight: f32) {
    let clamp = |v: f32| v.clamp(0.0, (SIZE - 1) as f32) as usize;
    let (x0, x1) = (clamp(p.iter().map(|p| p.0).fold(f32::INFINITY, f32::min)), clamp(p.iter().map(|p| p.0).fold(0.0, f32::max)));
    let (y0, y1) = (clamp(p.iter().map(|p| p.1).fold(f32::INFINITY, f32::min)), clamp(p.iter().map(|p| p.1).fold(0.0, f32::max)));
    let side = |a: (f32, f32), b: (f32, f32), q: (f32, f32)| (b.0 - a.0) * (q.1 - a.1) - (b.1 - a.1) * (q.0 - a.0);
    let area = side(p[0], p[1], p[2]);
    for y in y0..=y1 {
        for x in x0..=x1 {
            let q = (x as f32 + 0.5, y as f32 + 0.5);
            let s = [side(p[0], p[1], q), side(p[1], p[2], q), side(p[2], p[0], q)];
            let inside = if area >= 0.0 { s.iter().all(|s| *s >= -0.5) } else { s.iter().all(|s| *s <= 0.5) };
            // Slivers and upright walls cover no centre; they still stand on something.
            if inside || x1 - x0 < 2 || y1 - y0 < 2 {
                let texel = &mut map[y * SIZE + x];
                *texel = texel.max(weight);
            }
        }
    }
}

/// Box blur in both directions with running sums.
fn blur(map: &mut [f32], radius: usize) {
    let mut line = vec![0.0_f32; SIZE];
    let width = (2 * radius + 1) as f32;
    for vertical in [false, true] {
        for at in 0..SIZE {
            let index = |i: usize| if vertical { i * SIZE + at } else { at * SIZE + i };
            for (i, value) in line.iter_mut().enumerate() {
                *value = map[index(i)];
            }
            let mut sum: f32 = line.iter().take(radius).sum();
            for i in 0..SIZE {
                sum += line.get(i + radius).copied().unwrap_or(0.0);
                map[index(i)] = sum / width;
                if i >= radius {
                    sum -= line[i - radius];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_darkens_its_texels_only() {
        let mut map = vec![0.0; SIZE * SIZE];
        fill(&mut map, [(100.0, 100.0), (140.0, 100.0), (100.0, 140.0)], 0.8);
        assert_eq!(map[110 * SIZE + 110], 0.8);
        assert_eq!(map[138 * SIZE + 138], 0.0);
        assert_eq!(map[50 * SIZE + 50], 0.0);
    }

    #[test]
    fn blurring_keeps_the_amount_inside() {
        let mut map = vec![0.0; SIZE * SIZE];
        map[256 * SIZE + 256] = 1.0;
        blur(&mut map, 3);
        let sum: f32 = map.iter().sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
        assert!(map[256 * SIZE + 256] < 0.03);
    }
}

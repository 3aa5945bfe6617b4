//! Cuts a scene into cells: an octree that is split only where there is too much, so that a change in one corner leaves the cells of
//! the others as they are.

use glam::Vec3;

use super::CellSettings;
use super::fragments::Fragment;
use super::grid::{Grid, coarsest_step};
use crate::geometry::Aabb;

/// Parts whose radius is more than this share of the scene's stand apart, as in [`merge`](crate::merge): floors and walls would make
/// the boxes of cells of small parts useless.
const LARGE: f32 = 0.25;
/// A cell with at most so many triangles may rather have wide positions than be cut on: sparse scenes would fall into crumbs.
const SPARSE: u32 = 4_096;
/// Deeper, octants are smaller than what 32-bit floats tell apart.
const DEEPEST: u32 = 48;

/// What goes into each cell, near cells next to each other, those of large parts last.
pub(super) fn cut(fragments: Vec<Fragment>, settings: &CellSettings) -> Vec<Vec<Fragment>> {
    let all = bounds_of(&fragments);
    let large = |fragment: &Fragment| fragment.is_whole() && fragment.bounds.radius() > LARGE * all.radius();
    let (large, small): (Vec<Fragment>, Vec<Fragment>) = fragments.into_iter().partition(large);
    // Halving a power of two gives the same octants whatever the scene's size is.
    let powers = std::iter::successors(Some(1f32), |half| Some(half * 2.0).filter(|half| half.is_finite()));
    let half = powers.into_iter().find(|half| *half >= all.reach()).unwrap_or(f32::MAX);
    let octants = Octants { settings };
    let mut cells = octants.divide(small, Vec3::ZERO, half, 0);
    cells.extend(octants.divide(large, Vec3::ZERO, half, 0));
    cells
}

fn bounds_of(fragments: &[Fragment]) -> Aabb {
    fragments.iter().fold(Aabb::EMPTY, |all, fragment| all.union(&fragment.bounds))
}

/// What decides whether fragments fit into one cell.
#[derive(Debug, Clone, Copy)]
struct Load {
    triangles: u64,
    vertices: u64,
    count: usize,
    bounds: Aabb,
    /// Diagonal of the smallest part.
    smallest: f32,
}

impl Load {
    fn of(fragments: &[Fragment]) -> Self {
        Self {
            triangles: fragments.iter().map(|fragment| u64::from(fragment.triangles)).sum(),
            vertices: fragments.iter().map(|fragment| u64::from(fragment.vertices)).sum(),
            count: fragments.len(),
            bounds: bounds_of(fragments),
            smallest: fragments.iter().map(|fragment| fragment.size).fold(f32::INFINITY, f32::min),
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            triangles: self.triangles + other.triangles,
            vertices: self.vertices + other.vertices,
            count: self.count + other.count,
            bounds: self.bounds.union(&other.bounds),
            smallest: self.smallest.min(other.smallest),
        }
    }
}

struct Octants<'a> {
    settings: &'a CellSettings,
}

impl Octants<'_> {
    fn fits(&self, load: &Load) -> bool {
        let settings = self.settings;
        let few = load.triangles <= u64::from(settings.cell_triangles()) && load.vertices <= u64::from(settings.cell_vertices);
        let extent = f64::from(load.bounds.size().max_element());
        let coarsest = coarsest_step(f64::from(load.smallest));
        let sparse = load.triangles <= u64::from(SPARSE) && Grid::reaches(extent, coarsest);
        load.count <= 1 || (few && (sparse || Grid::is_narrow(extent, coarsest)))
    }

    /// Cells of what has its middle in the octant about `middle`, in Morton order.
    fn divide(&self, fragments: Vec<Fragment>, middle: Vec3, half: f32, depth: u32) -> Vec<Vec<Fragment>> {
        if fragments.is_empty() {
            return Vec::new();
        }
        if self.fits(&Load::of(&fragments)) {
            return vec![fragments];
        }
        if depth >= DEEPEST {
            return self.halve(fragments);
        }
        let mut octants: [Vec<Fragment>; 8] = Default::default();
        for fragment in fragments {
            let upper = fragment.bounds.center().cmpge(middle).bitmask() as usize;
            if let Some(octant) = octants.get_mut(upper) {
                octant.push(fragment);
            }
        }
        let mut cells: Vec<(Vec<Fragment>, bool)> = Vec::new();
        for (at, octant) in octants.into_iter().enumerate() {
            let side = |axis: usize| if at >> axis & 1 == 1 { half * 0.5 } else { half * -0.5 };
            let inner = self.divide(octant, middle + Vec3::new(side(0), side(1), side(2)), half * 0.5, depth + 1);
            // Only an octant that was not cut on joins with the next: cells stay compact.
            let whole = inner.len() == 1;
            cells.extend(inner.into_iter().map(|cell| (cell, whole)));
        }
        self.join(cells)
    }

    /// Puts neighbours together while they fit.
    fn join(&self, cells: Vec<(Vec<Fragment>, bool)>) -> Vec<Vec<Fragment>> {
        let mut joined: Vec<(Vec<Fragment>, Load, bool)> = Vec::new();
        for (cell, whole) in cells {
            let load = Load::of(&cell);
            match joined.last_mut() {
                Some((last, before, true)) if whole && self.fits(&before.and(&load)) => {
                    last.extend(cell);
                    *before = before.and(&load);
                }
                _ => joined.push((cell, load, whole)),
            }
        }
        joined.into_iter().map(|(cell, ..)| cell).collect()
    }

    /// Cuts a heap in which place makes no difference, in the order of the parts.
    fn halve(&self, mut fragments: Vec<Fragment>) -> Vec<Vec<Fragment>> {
        if self.fits(&Load::of(&fragments)) {
            return vec![fragments];
        }
        let rest = fragments.split_off(fragments.len() / 2);
        let mut cells = self.halve(fragments);
        cells.extend(self.halve(rest));
        cells
    }
}

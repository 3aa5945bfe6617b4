//! Which triangle of a cell a ray meets. The tree is not stored: triangles lie in the block near ones next to each other, so boxes
//! about runs of eight, and about runs of eight of those, are one pass over the cell, made when a ray first comes by.

use glam::{DVec3, Vec3};

use super::block::{CellView, Layout};
use super::grid::Grid;
use crate::bvh::{Ray, ray_triangle};
use crate::geometry::{Aabb, face_normal};

/// Triangles of a leaf, and children of a node.
const FAN: usize = 8;

/// What of a level is kept for rays and outlines: positions, indices and where they belong.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) level: u32,
    layout: Layout,
    positions: Vec<u8>,
    indices: Vec<u8>,
    tree: Option<Boxes>,
}

/// Where a ray meets a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Met {
    pub(super) t: f32,
    /// Number of the part in the cell.
    pub(super) part: u16,
    /// Unit normal, either way.
    pub(super) normal: Vec3,
}

/// Boxes on the lattice, leaves first, then boxes of eight boxes, and so on up to one.
#[derive(Debug, Clone, Default)]
struct Boxes {
    /// Group and first triangle of each leaf.
    leaves: Vec<(u32, u32)>,
    levels: Vec<Vec<[[u32; 3]; 2]>>,
}

impl Kept {
    /// Keeps what rays need of a level.
    pub(super) fn of(view: &CellView<'_>, level: u32) -> Self {
        let (positions, indices) = (view.positions().to_vec(), view.indices().to_vec());
        Self { level, layout: view.layout.clone(), positions, indices, tree: None }
    }

    /// Bytes held, the tree included that the first ray will make.
    pub(super) fn bytes(&self) -> usize {
        self.positions.len() + self.indices.len() + self.layout.triangles as usize / FAN * 40
    }

    pub(super) fn triangle_count(&self) -> u32 {
        self.layout.triangles
    }

    /// Corners of all triangles, in the site's space.
    pub(super) fn triangles(&self, grid: &Grid, visit: &mut dyn FnMut([DVec3; 3])) {
        for group in &self.layout.groups {
            for triangle in 0..(group.indices.end - group.indices.start) / 3 {
                if let Some(corners) = self.layout.corners(&self.positions, &self.indices, group, triangle) {
                    visit(corners.map(|corner| grid.place(corner)));
                }
            }
        }
    }

    /// Corners of the triangles of one part, in the site's space.
    pub(super) fn triangles_of(&self, part: u16, grid: &Grid, visit: &mut dyn FnMut([DVec3; 3])) {
        for group in &self.layout.groups {
            let own = self.layout.runs_of(group).filter(|(_, other)| *other == part);
            for triangle in own.flat_map(|(range, _)| range) {
                if let Some(corners) = self.layout.corners(&self.positions, &self.indices, group, triangle) {
                    visit(corners.map(|corner| grid.place(corner)));
                }
            }
        }
    }

    /// The nearest triangle of the parts that pass; of two at the same distance, that whose part `before` puts first.
    ///
    /// `origin` is the ray's in the site's space. Everything is moved there before it becomes 32 bits wide, so that what is near the
    /// eye keeps its digits in a cell of any size.
    pub(super) fn raycast(&mut self, grid: &Grid, origin: DVec3, ray: &Ray, shown: &dyn Fn(u16) -> bool) -> Option<Met> {
        let mut tree = self.tree.take().unwrap_or_else(|| Boxes::new(self));
        let shift = (grid.origin - origin, grid.step());
        let met = self.along(&mut tree, shift, ray, shown);
        self.tree = Some(tree);
        met
    }

    fn along(&self, tree: &mut Boxes, shift: (DVec3, f64), ray: &Ray, shown: &dyn Fn(u16) -> bool) -> Option<Met> {
        let mut reach = Ray::new(Vec3::ZERO, ray.direction).up_to(ray.max_t);
        let mut best: Option<Met> = None;
        let top = tree.levels.len().checked_sub(1)?;
        let mut stack: Vec<(f32, usize, usize)> = vec![(0.0, top, 0)];
        while let Some((t, level, at)) = stack.pop() {
            if t > reach.max_t {
                continue;
            }
            let Some(below) = level.checked_sub(1) else {
                self.leaf(tree, at, shift, ray.max_t, &mut reach, shown, &mut best);
                continue;
            };
            let children = tree.levels.get(below).map(Vec::as_slice).unwrap_or_default();
            let start = at * FAN;
            let near = reach.up_to(reach.max_t.next_up());
            let mut entered: Vec<(f32, usize, usize)> = (start..(start + FAN).min(children.len()))
                .filter_map(|child| Some((near.enters(&placed(children.get(child)?, shift))?, below, child)))
                .collect();
            entered.sort_by(|one, other| other.0.total_cmp(&one.0));
            stack.extend(entered);
        }
        best
    }

    #[allow(clippy::too_many_arguments, reason = "the state of one walk")]
    fn leaf(
        &self,
        tree: &Boxes,
        at: usize,
        shift: (DVec3, f64),
        most: f32,
        reach: &mut Ray,
        shown: &dyn Fn(u16) -> bool,
        best: &mut Option<Met>,
    ) {
        let Some(&(number, first)) = tree.leaves.get(at) else { return };
        let Some(group) = self.layout.groups.get(number as usize) else { return };
        for triangle in first..first.saturating_add(FAN as u32) {
            let Some(corners) = self.layout.corners(&self.positions, &self.indices, group, triangle) else { break };
            let corners = corners.map(|corner| point(corner, shift));
            let Some(t) = ray_triangle(&reach.up_to(reach.max_t.next_up()), &corners).filter(|t| *t < most) else { continue };
            let Some(part) = self.layout.part_of(group, triangle).filter(|part| shown(*part)) else { continue };
            if best.is_none_or(|best| (t, part) < (best.t, best.part)) {
                let [a, b, c] = corners;
                *best = Some(Met { t, part, normal: face_normal(a, b, c) });
                reach.max_t = t;
            }
        }
    }
}

impl Layout {
    /// The part of a triangle of a group.
    fn part_of(&self, group: &super::block::Group, triangle: u32) -> Option<u16> {
        let runs = self.runs.get(group.runs.start as usize..group.runs.end as usize)?;
        let after = runs.partition_point(|(first, _)| *first <= triangle);
        runs.get(after.checked_sub(1)?).map(|(_, part)| *part)
    }
}

fn point(numbers: [u32; 3], (origin, step): (DVec3, f64)) -> Vec3 {
    (origin + DVec3::from(numbers.map(f64::from)) * step).as_vec3()
}

/// A box a step larger than it is: rays along its faces would otherwise be judged by rounding.
fn placed([min, max]: &[[u32; 3]; 2], (origin, step): (DVec3, f64)) -> Aabb {
    let place = |numbers: &[u32; 3], by: f64| (origin + (DVec3::from(numbers.map(f64::from)) + by) * step).as_vec3();
    Aabb { min: place(min, -1.0), max: place(max, 1.0) }
}

impl Boxes {
    fn new(kept: &Kept) -> Self {
        let mut boxes = Self::default();
        let mut leaves = Vec::new();
        for (number, group) in (0u32..).zip(&kept.layout.groups) {
            let count = (group.indices.end - group.indices.start) / 3;
            for first in (0..count).step_by(FAN) {
                let mut bounds = [[u32::MAX; 3], [0; 3]];
                for triangle in first..count.min(first + FAN as u32) {
                    let corners = kept.layout.corners(&kept.positions, &kept.indices, group, triangle);
                    corners.into_iter().flatten().for_each(|corner| widen(&mut bounds, &[corner, corner]));
                }
                boxes.leaves.push((number, first));
                leaves.push(bounds);
            }
        }
        while leaves.len() > 1 {
            let above = leaves.chunks(FAN).map(|children| {
                let mut bounds = [[u32::MAX; 3], [0; 3]];
                children.iter().for_each(|child| widen(&mut bounds, child));
                bounds
            });
            let above = above.collect();
            boxes.levels.push(std::mem::replace(&mut leaves, above));
        }
        if !leaves.is_empty() {
            boxes.levels.push(leaves);
        }
        boxes
    }
}

fn widen([min, max]: &mut [[u32; 3]; 2], by: &[[u32; 3]; 2]) {
    for axis in 0..3 {
        min[axis] = min[axis].min(by[0][axis]);
        max[axis] = max[axis].max(by[1][axis]);
    }
}

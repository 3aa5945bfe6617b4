//! What a viewer holds of a scene in pieces: the index and the levels that are here. Answers rays and boxes from those.

use std::sync::Arc;

use glam::{DVec3, Vec3, Vec4};

use super::pick::Kept;
use super::{CellError, CellView, Index};
use crate::bvh::{Ray, Tree, reaches_inside};
use crate::geometry::Aabb;
use crate::merge::PartIndex;

/// What a ray met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellHit {
    /// Along the ray, in units of its direction.
    pub t: f32,
    /// The part.
    pub part: PartIndex,
    /// Where, in the scene's space.
    pub point: Vec3,
    /// Unit normal of what was met, turned towards the ray's origin.
    pub normal: Vec3,
    /// The level of detail that was asked; `None` where nothing of the cell was here and the part's box stood in for it.
    pub level: Option<u32>,
}

/// A scene of which some cells are here.
#[derive(Debug)]
pub struct CellScene {
    index: Arc<Index>,
    /// By cell; finest first.
    here: Vec<Vec<Kept>>,
    /// Over the cells, for rays.
    cells: Tree,
    /// Over the boxes about all parts of each cell, which may reach beyond it.
    reaches: Tree,
}

impl CellScene {
    /// A scene of which nothing is here yet.
    pub fn new(index: impl Into<Arc<Index>>) -> Self {
        let index: Arc<Index> = index.into();
        let numbers = 0..super::bytes::number(index.cells.len());
        let reach = |cell: u32| {
            let boxes = index.parts_in(cell).iter().filter_map(|part| index.parts.get(part.at()));
            boxes.fold(Aabb::EMPTY, |all, part| all.union(&part.bounds))
        };
        let reaches = Tree::build(numbers.map(reach));
        let cells = Tree::build(index.cells.iter().map(|cell| cell.bounds));
        Self { here: vec![Vec::new(); index.cells.len()], cells, reaches, index }
    }

    /// The table of contents.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The same, to be held while the scene itself is asked.
    pub fn shared_index(&self) -> Arc<Index> {
        self.index.clone()
    }

    /// Takes a level in. The bytes may go afterwards: what rays need of them is kept.
    ///
    /// # Errors
    /// Where they are not those of that level, see [`CellView::read`]; then nothing changes.
    pub fn insert(&mut self, cell: u32, level: u32, bytes: &[u8]) -> Result<(), CellError> {
        let view = CellView::read(&self.index, cell, level, bytes)?;
        self.insert_view(cell, level, &view)
    }

    /// The same from a view that was read with this scene's index.
    ///
    /// # Errors
    /// Where the index lists no such level.
    pub fn insert_view(&mut self, cell: u32, level: u32, view: &CellView<'_>) -> Result<(), CellError> {
        let here = self.here.get_mut(cell as usize).filter(|_| self.index.level(cell, level).is_some());
        let here = here.ok_or(CellError::Unlisted { cell, level })?;
        let at = here.partition_point(|kept| kept.level < level);
        if here.get(at).is_some_and(|kept| kept.level == level) {
            here.remove(at);
        }
        here.insert(at, Kept::of(view, level));
        Ok(())
    }

    /// Gives a level up; nothing happens where it is not here.
    pub fn remove(&mut self, cell: u32, level: u32) {
        self.here.get_mut(cell as usize).into_iter().for_each(|here| here.retain(|kept| kept.level != level));
    }

    /// The finest level of a cell that is here: the one to draw.
    pub fn finest(&self, cell: u32) -> Option<u32> {
        self.here.get(cell as usize)?.first().map(|kept| kept.level)
    }

    /// Which levels of each cell are here, a bit each, as [`order`](fn@super::order) takes them.
    pub fn here(&self) -> Vec<u8> {
        let bit = |kept: &Kept| 1u8.checked_shl(kept.level).unwrap_or_default();
        self.here.iter().map(|here| here.iter().map(bit).fold(0, |all, bit| all | bit)).collect()
    }

    /// Bytes held for rays, trees that rays will make included.
    pub fn bytes(&self) -> usize {
        let held: usize = self.here.iter().flatten().map(Kept::bytes).sum();
        held + self.cells.bytes() + self.reaches.bytes()
    }

    /// The nearest surface of the parts that pass the filter, seen from either side; of two at the same distance, that of the part
    /// with the lower number. Each cell answers from its finest level that is here, and by the boxes of its parts where none is
    /// (boxes about the ray's origin do not count then: one is within the box of many a building).
    pub fn raycast(&mut self, ray: &Ray, filter: &dyn Fn(PartIndex) -> bool) -> Option<CellHit> {
        let Self { index, here, cells, .. } = self;
        let mut best: Option<CellHit> = None;
        let mut reach = *ray;
        cells.along(ray, &mut |range| {
            for &cell in cells.order().get(range).unwrap_or_default() {
                let near = reach.up_to(reach.max_t.next_up());
                let Some(hit) = meet(index, here, cell, &near, filter) else { continue };
                if hit.t < ray.max_t && best.is_none_or(|best| (hit.t, hit.part) < (best.t, best.part)) {
                    reach.max_t = hit.t;
                    best = Some(hit);
                }
            }
            reach.max_t.next_up()
        });
        let mut hit = best?;
        hit.point = ray.at(hit.t);
        if hit.normal.dot(ray.direction) > 0.0 {
            hit.normal = -hit.normal;
        }
        Some(hit)
    }

    /// Calls `visit` with every drawn part whose bounds share a point with the box, ascending.
    pub fn in_box(&self, bounds: &Aabb, visit: &mut dyn FnMut(PartIndex)) {
        self.where_box(&|other| other.intersects(bounds), visit);
    }

    /// Calls `visit` with every drawn part whose bounds are not wholly outside one of the planes, ascending. A plane is `(n, d)` with
    /// `n·p + d >= 0` inside. Near the corners of the frustum a few parts too many are visited.
    pub fn in_frustum(&self, planes: &[Vec4], visit: &mut dyn FnMut(PartIndex)) {
        self.where_box(&|bounds| planes.iter().all(|plane| reaches_inside(bounds, plane)), visit);
    }

    fn where_box(&self, test: &dyn Fn(&Aabb) -> bool, visit: &mut dyn FnMut(PartIndex)) {
        let mut found: Vec<PartIndex> = Vec::new();
        self.reaches.where_box(test, &mut |cell| {
            let parts = self.index.parts_in(cell).iter();
            found.extend(parts.filter(|part| self.index.parts.get(part.at()).is_some_and(|part| test(&part.bounds))));
        });
        found.sort_unstable();
        found.dedup();
        found.into_iter().for_each(visit);
    }

    /// Calls `visit` with the corners, in the scene's space, of all triangles of a cell as they are here.
    pub fn triangles_in(&self, cell: u32, visit: &mut dyn FnMut([Vec3; 3])) {
        let kept = self.here.get(cell as usize).and_then(|here| here.first());
        if let (Some(kept), Some(info)) = (kept, self.index.cell(cell)) {
            let origin = self.index.origin;
            kept.triangles(&info.grid, &mut |corners| visit(corners.map(|corner| (corner - origin).as_vec3())));
        }
    }

    /// Triangles that are here and drawn: of each cell those of its finest level.
    pub fn triangle_count(&self) -> u64 {
        self.here.iter().filter_map(|here| here.first()).map(|kept| u64::from(kept.triangle_count())).sum()
    }

    /// Calls `visit` with the corners, in the scene's space, of all triangles of a part as they are here: for outlines.
    pub fn triangles_of(&self, part: PartIndex, visit: &mut dyn FnMut([Vec3; 3])) {
        for (cell, local) in self.index.cells_of(part) {
            let kept = self.here.get(cell as usize).and_then(|here| here.first());
            let (Some(kept), Some(info)) = (kept, self.index.cell(cell)) else { continue };
            let origin = self.index.origin;
            kept.triangles_of(local, &info.grid, &mut |corners| visit(corners.map(|corner| (corner - origin).as_vec3())));
        }
    }
}

/// Asks one cell; point and side of the normal are still to be found.
fn meet(index: &Index, here: &mut [Vec<Kept>], cell: u32, near: &Ray, filter: &dyn Fn(PartIndex) -> bool) -> Option<CellHit> {
    let info = index.cell(cell)?;
    let parts = index.parts_in(cell);
    let Some(kept) = here.get_mut(cell as usize).and_then(|here| here.first_mut()) else {
        return meet_boxes(index, &info.bounds, parts, near, filter);
    };
    let shown = |local: u16| parts.get(usize::from(local)).is_some_and(|part| filter(*part));
    let origin: DVec3 = index.origin + near.origin.as_dvec3();
    let met = kept.raycast(&info.grid, origin, near, &shown)?;
    let part = *parts.get(usize::from(met.part))?;
    Some(CellHit { t: met.t, part, point: Vec3::ZERO, normal: met.normal, level: Some(kept.level) })
}

fn meet_boxes(
    index: &Index,
    cell: &Aabb,
    parts: &[PartIndex],
    near: &Ray,
    filter: &dyn Fn(PartIndex) -> bool,
) -> Option<CellHit> {
    let mut best: Option<CellHit> = None;
    for part in parts.iter().filter(|part| filter(**part)) {
        // Of a part that reaches beyond the cell, what is here is meant.
        let Some(own) = index.parts.get(part.at()) else { continue };
        let bounds = Aabb { min: own.bounds.min.max(cell.min), max: own.bounds.max.min(cell.max) };
        if bounds.is_empty() || bounds.contains(near.origin) {
            continue;
        }
        let Some(t) = near.enters(&bounds) else { continue };
        if best.is_none_or(|best| t < best.t) {
            best = Some(CellHit { t, part: *part, point: Vec3::ZERO, normal: face_of(&bounds, near.at(t)), level: None });
        }
    }
    best
}

/// Normal of the face of a box on which a point lies.
fn face_of(bounds: &Aabb, point: Vec3) -> Vec3 {
    let (low, high) = ((point - bounds.min).abs(), (point - bounds.max).abs());
    let nearest = low.min(high);
    let axis = if nearest.x <= nearest.y && nearest.x <= nearest.z { 0 } else { usize::from(nearest.z < nearest.y) + 1 };
    let normal = Vec3::AXES.get(axis).copied().unwrap_or(Vec3::Y);
    if low[axis] < high[axis] { -normal } else { normal }
}

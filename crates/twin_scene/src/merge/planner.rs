//! Merging as an object that works in small steps, so that a single-threaded page can draw between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use glam::{DVec3, Vec3};

use super::builder::{Builder, Item, class};
use super::edges::feature_edges;
use super::parts::{Listed, list_parts};
use super::{Class, MergePlan, Part, PartIndex, Placed, Progress, Settings};
use crate::geometry::{Aabb, Material, Mesh};

/// A merge in progress. Call [`Planner::step`] until it has finished, then take the plan.
#[derive(Debug)]
pub struct Planner {
    placed: Vec<Placed>,
    /// First position of the same model in `placed`, by position.
    same: Vec<u32>,
    settings: Settings,
    origin: DVec3,
    too_far: usize,
    parts: Vec<Part>,
    /// Exact bounds of what has been appended, by part.
    exact: Vec<Aabb>,
    /// Primitives to append: sorted by class, then by place.
    queue: Vec<Queued>,
    /// Parts whose edges to append, sorted by place.
    outlines: Vec<PartIndex>,
    next: usize,
    next_outline: usize,
    builder: Builder,
    /// Edges of meshes that have been met, by model and mesh.
    edges: BTreeMap<(u32, usize), Vec<[[f32; 3]; 2]>>,
    done: u64,
    total: u64,
    left_out: usize,
    edge_count: usize,
    without_edges: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Queued {
    class: Class,
    place: u64,
    part: PartIndex,
    primitive: usize,
    first: u32,
}

impl Planner {
    /// Lists the parts and sorts them by class and place; no vertex is touched yet.
    pub fn new(placed: Vec<Placed>, settings: Settings) -> Self {
        let Listed { parts, origin, too_far } = list_parts(&placed);
        let too_far = too_far.len();
        let same = (0..placed.len()).map(|at| first_of_same_model(&placed, at)).collect();
        let mut planner = Self {
            placed,
            same,
            settings,
            origin,
            too_far,
            exact: vec![Aabb::EMPTY; parts.len()],
            parts,
            queue: Vec::new(),
            outlines: Vec::new(),
            next: 0,
            next_outline: 0,
            builder: Builder::new(settings.max_vertices),
            edges: BTreeMap::new(),
            done: 0,
            total: 0,
            left_out: 0,
            edge_count: 0,
            without_edges: 0,
        };
        planner.fill_queue();
        planner
    }

    fn fill_queue(&mut self) {
        let bounds = self.parts.iter().fold(Aabb::EMPTY, |all, part| all.union(&part.bounds));
        let mut triangles = 0u64;
        let mut places = Vec::new();
        for (index, part) in (0u32..).map(PartIndex).zip(&self.parts) {
            triangles = triangles.saturating_add(u64::from(part.triangles));
            if triangles > self.settings.max_triangles {
                triangles -= u64::from(part.triangles);
                self.left_out += 1;
                continue;
            }
            let place = place(&bounds, part);
            places.push((place, index));
            self.total += u64::from(part.triangles);
            queue_part(&self.placed, &self.same, index, part, place, &mut self.queue);
        }
        self.queue.sort_unstable();
        if self.settings.edge_angle.is_some() {
            places.sort_unstable();
            self.outlines = places.into_iter().map(|(_, part)| part).collect();
            self.total *= 2;
        }
    }

    /// Works until about `budget` triangles have been handled (at least one primitive), edges counting as many again.
    pub fn step(&mut self, budget: u64) -> Progress {
        let end = self.done.saturating_add(budget.max(1));
        while self.done < end && (self.append_next() || self.outline_next()) {}
        self.progress()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let finished = self.next == self.queue.len() && self.next_outline == self.outlines.len();
        Progress { done: self.done, total: self.total, finished }
    }

    /// The plan; finishes what is left.
    pub fn finish(mut self) -> MergePlan {
        while !self.step(u64::MAX).finished {}
        for (part, exact) in self.parts.iter_mut().zip(&self.exact).filter(|(_, exact)| !exact.is_empty()) {
            part.bounds = *exact;
            part.center = exact.center();
        }
        let bounds = self.parts.iter().fold(Aabb::EMPTY, |all, part| all.union(&part.bounds));
        let numbered = (0u32..).map(PartIndex).zip(&self.parts);
        let mut by_twin: Vec<_> = numbered.filter_map(|(index, part)| part.twin.map(|twin| (twin, index))).collect();
        by_twin.sort_unstable();
        MergePlan {
            origin: self.origin,
            too_far: self.too_far,
            parts: self.parts,
            chunks: self.builder.chunks,
            lines: self.builder.lines,
            bounds,
            left_out: self.left_out,
            without_edges: self.without_edges,
            by_twin,
        }
    }

    /// Appends the next primitive; false when none is left.
    fn append_next(&mut self) -> bool {
        let Some(&queued) = self.queue.get(self.next) else { return false };
        self.next += 1;
        let Some(part) = self.parts.get_mut(queued.part.at()) else { return true };
        let Some((placed, mesh)) = mesh_of(&self.placed, part) else { return true };
        let Some(primitive) = mesh.primitives.get(queued.primitive) else { return true };
        let fallback = Material::default();
        let material = primitive.material.and_then(|at| placed.model.materials.get(at)).unwrap_or(&fallback);
        let item = Item { class: queued.class, part: queued.part, primitive, material, first: queued.first };
        let bounds = self.builder.add(item, part);
        if let Some(exact) = self.exact.get_mut(queued.part.at()) {
            *exact = exact.union(&bounds);
        }
        self.done += primitive.triangle_count() as u64;
        true
    }

    /// Appends the edges of the next part; false when none is left.
    fn outline_next(&mut self) -> bool {
        let Some(&index) = self.outlines.get(self.next_outline) else { return false };
        self.next_outline += 1;
        let Some(part) = self.parts.get_mut(index.at()) else { return true };
        let (Some(angle), Some((placed, mesh))) = (self.settings.edge_angle, mesh_of(&self.placed, part)) else {
            return true;
        };
        self.done += u64::from(part.triangles);
        if part.triangles as usize > self.settings.max_edge_triangles {
            self.without_edges += 1;
            return true;
        }
        let model = self.same.get(part.asset as usize).copied().unwrap_or(part.asset);
        let number = placed.model.nodes.get(part.node as usize).and_then(|node| node.mesh).unwrap_or_default();
        let edges = self.edges.entry((model, number)).or_insert_with(|| feature_edges(mesh, angle));
        let placed = in_place(edges, part, self.settings.min_edge);
        if self.edge_count + placed.len() > self.settings.max_edges {
            self.without_edges += 1;
            return true;
        }
        self.edge_count += placed.len();
        self.builder.add_lines(index, part, &placed);
        true
    }
}

fn mesh_of<'a>(placed: &'a [Placed], part: &Part) -> Option<(&'a Placed, &'a Mesh)> {
    let placed = placed.get(part.asset as usize)?;
    let mesh = placed.model.nodes.get(part.node as usize)?.mesh?;
    Some((placed, placed.model.meshes.get(mesh)?))
}

/// The edges of a part in the plan's space that are at least `shortest` long.
fn in_place(edges: &[[[f32; 3]; 2]], part: &Part, shortest: f32) -> Vec<[Vec3; 2]> {
    let moved = edges.iter().map(|edge| edge.map(|corner| part.world.transform_point3(Vec3::from(corner).as_dvec3()).as_vec3()));
    moved.filter(|[a, b]| a.distance(*b) >= shortest).collect()
}

fn first_of_same_model(placed: &[Placed], at: usize) -> u32 {
    let model = placed.get(at).map(|placed| &placed.model);
    let same = |other: &Placed| model.is_some_and(|model| Arc::ptr_eq(model, &other.model));
    u32::try_from(placed.iter().position(same).unwrap_or(at)).unwrap_or(u32::MAX)
}

fn queue_part(placed: &[Placed], same: &[u32], index: PartIndex, part: &Part, place: u64, queue: &mut Vec<Queued>) {
    let Some((placed, mesh)) = mesh_of(placed, part) else { return };
    let fallback = Material::default();
    let asset = same.get(part.asset as usize).copied().unwrap_or(part.asset);
    let mut first = 0u32;
    for (number, primitive) in mesh.primitives.iter().enumerate() {
        let material = primitive.material.and_then(|at| placed.model.materials.get(at)).unwrap_or(&fallback);
        queue.push(Queued { class: class(asset, primitive, material), place, part: index, primitive: number, first });
        first = first.saturating_add(u32::try_from(primitive.triangle_count()).unwrap_or(u32::MAX));
    }
}

/// Sorts near parts next to each other: the Morton code of the centre. Parts that span a good deal of the scene (floors,
/// walls) come after all others, so that they do not make the bounds of a chunk of small parts useless for culling.
fn place(scene: &Aabb, part: &Part) -> u64 {
    let size = scene.size().max(Vec3::splat(f32::MIN_POSITIVE));
    let relative = (part.center - scene.min) / size;
    let cell = |value: f32| (value.clamp(0.0, 1.0) * 1023.0) as u64;
    let code = spread(cell(relative.x)) | spread(cell(relative.y)) << 1 | spread(cell(relative.z)) << 2;
    let large = part.bounds.radius() > 0.25 * scene.radius();
    code | u64::from(large) << 32
}

/// Ten bits, two zeros between each.
fn spread(value: u64) -> u64 {
    (0..10).fold(0, |all, bit| all | (value >> bit & 1) << (3 * bit))
}

//! From placed models to the pieces of a scene.

use glam::{DVec3, Vec3};

use super::bake::{Baked, Kitchen};
use super::bytes::number;
use super::coarse::{Coarse, Simplifier};
use super::cut::cut;
use super::edges::Edges;
use super::fragments::{Fragment, Fragments};
use super::grid::{Grid, coarsest_step};
use super::index::{CellInfo, Index, IndexPart, LevelInfo, Lookup, Names};
use super::looks::EncodedImage;
use super::shape::Shape;
use super::{CellSettings, block};
use crate::geometry::Aabb;
use crate::merge::{Listed, PartIndex, Placed, Progress, list_parts};

/// A scene in pieces. Pieces refer to one another by position.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compiled {
    /// The table of contents, for [`Index::read`].
    pub index: Vec<u8>,
    /// Geometry; levels of cells lie in them as the index says.
    pub cells: Vec<Vec<u8>>,
    /// Images of textured materials.
    pub images: Vec<EncodedImage>,
    /// Pieces that hold the coarsest level of all cells, ascending: what a first picture needs.
    pub first: Vec<u32>,
    /// What is in it and what is not.
    pub summary: Summary,
}

/// Figures of a compiled scene.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Parts, those left out included.
    pub parts: usize,
    /// Cells.
    pub cells: usize,
    /// Triangles at full detail.
    pub triangles: u64,
    /// Triangles of the coarsest level of all cells.
    pub coarse_triangles: u64,
    /// Edges at full detail.
    pub edges: u64,
    /// Bytes of all pieces of geometry.
    pub bytes: u64,
    /// Bytes of the coarsest level of all cells: what the first picture needs.
    pub coarse_bytes: u64,
    /// Parts without triangles because of [`CellSettings::max_triangles`]: to be reported.
    pub left_out: usize,
    /// Nodes (placed model, node) too far from all others to be drawn: to be reported.
    pub too_far: Vec<(u32, u32)>,
    /// Parts without edges because of [`CellSettings::max_edge_triangles`] or [`CellSettings::max_edges`].
    pub without_edges: usize,
}

/// Compiles in memory. See [`compile_into`] for scenes whose pieces are better written out as they come.
pub fn compile(placed: &[Placed], settings: &CellSettings) -> Compiled {
    let mut cells = Vec::new();
    let compiled = compile_into(placed, settings, &mut |piece, _| cells.push(piece));
    Compiled { cells, ..compiled }
}

/// Compiles, giving away each piece of geometry as soon as it is whole, in the order of their numbers, with how far it is in
/// triangles; [`Compiled::cells`] stays empty. Holds one cell at a time besides the models.
///
/// The same models give the same bytes on any machine. A level's bytes depend on what is in its cell alone, as long as the scene's
/// origin stays, which moves in steps of 512 m at sites far from their own, and [`CellSettings::max_edges`] is not reached.
pub fn compile_into(placed: &[Placed], settings: &CellSettings, emit: &mut dyn FnMut(Vec<u8>, Progress)) -> Compiled {
    let Listed { parts, origin, too_far } = list_parts(placed);
    let Fragments { all, pieces, left_out } = Fragments::of(placed, &parts, settings);
    let mut kitchen = Kitchen::new(placed, &parts, &pieces);
    let mut edges = Edges::default();
    let mut boxes: Vec<Aabb> = vec![Aabb::EMPTY; parts.len()];
    let total = all.iter().map(|fragment| u64::from(fragment.triangles)).sum();
    let mut shelf = Shelf::new(emit, total, settings.coarse_piece);
    let mut slots: Vec<PartIndex> = Vec::new();
    let mut summary = Summary { parts: parts.len(), left_out, ..Summary::default() };
    let shares = if total < settings.dense { &settings.coarse_shares[..1] } else { &settings.coarse_shares };
    for cell in cut(all, settings) {
        let ordered = Kitchen::in_order(&cell);
        let mut baked = kitchen.bake(&ordered);
        edges.add(&kitchen, settings, &ordered, &mut baked);
        let made = Made::new(&baked, &cell, shares, origin);
        for (part, [min, max]) in baked.parts.iter().zip(&baked.boxes) {
            if let Some(bounds) = boxes.get_mut(part.at()) {
                *bounds = bounds.union(&outwards(*min, *max, origin, made.grid.step()));
            }
        }
        let start = slots.len();
        slots.extend(&baked.parts);
        made.count(&mut summary);
        shelf.put(made, baked.materials, start..slots.len());
    }
    let (cells, lengths) = shelf.close();
    let mut names = Names::default();
    let mut rows = Vec::with_capacity(parts.len());
    for (part, exact) in parts.iter().zip(boxes) {
        let bounds = if exact.is_empty() { part.bounds } else { exact };
        rows.push(IndexPart { model: part.asset, node: part.node, twin: part.twin, bounds, triangles: part.triangles });
        let node = placed.get(part.asset as usize).and_then(|placed| placed.model.nodes.get(part.node as usize));
        names.push(node.map_or("", |node| node.path.as_str()));
    }
    names.close();
    (summary.cells, summary.too_far, summary.without_edges) = (cells.len(), too_far, edges.without());
    let index = Index {
        origin,
        bounds: rows.iter().fold(Aabb::EMPTY, |all, part| all.union(&part.bounds)),
        lookup: Lookup::new(&rows, &slots, &cells),
        parts: rows,
        names,
        models: number(placed.len()),
        materials: kitchen.looks.materials.clone(),
        images: kitchen.looks.infos(),
        pieces: lengths,
        cells,
        left_out: number(left_out),
        too_far: number(summary.too_far.len()),
        without_edges: number(summary.without_edges),
        slots,
    };
    let (first, images) = (index.first_pieces(), kitchen.looks.encoded());
    Compiled { index: index.write(), cells: Vec::new(), images, first, summary }
}

/// A box of places of the site in the scene's space, with room for rounding to the lattice and to 32 bits.
fn outwards(min: DVec3, max: DVec3, origin: DVec3, step: f64) -> Aabb {
    if !min.cmple(max).all() {
        return Aabb::EMPTY;
    }
    let half = step * 0.5;
    let down = |value: f32| value.next_down();
    let up = |value: f32| value.next_up();
    let (low, high) = ((min - origin - half).as_vec3().to_array(), (max - origin + half).as_vec3().to_array());
    Aabb { min: Vec3::from(low.map(down)), max: Vec3::from(high.map(up)) }
}

/// A cell with its levels as bytes.
struct Made {
    grid: Grid,
    bounds: Aabb,
    levels: Vec<(LevelInfo, Vec<u8>)>,
}

impl Made {
    fn new(baked: &Baked, cell: &[Fragment], shares: &[f64], origin: DVec3) -> Self {
        let smallest = cell.iter().map(|fragment| baked.size_of(fragment)).fold(f64::INFINITY, f64::min);
        let (mut min, mut max) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for place in baked.shape.places() {
            (min, max) = (min.min(place), max.max(place));
        }
        let grid = Grid::over(min, max, coarsest_step(smallest));
        let bounds = outwards(min, max, origin, grid.step());
        let mut levels = vec![written(&baked.shape, &grid, grid.step() * 0.75f64.sqrt())];
        let simplifier = Simplifier::new(&baked.shape, grid);
        for share in shares {
            let Some(Coarse { shape, error }) = simplifier.level(*share) else { continue };
            let last = levels.last().map_or(u32::MAX, |(level, _)| level.triangles);
            if shape.triangles() as u64 * 2 <= u64::from(last) {
                levels.push(written(&shape, &grid, error));
            }
        }
        Self { grid, bounds, levels }
    }

    fn count(&self, summary: &mut Summary) {
        if let Some((full, _)) = self.levels.first() {
            summary.triangles += u64::from(full.triangles);
            summary.edges += u64::from(full.edges);
        }
        summary.bytes += self.levels.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
        if let Some((coarsest, bytes)) = self.levels.last() {
            summary.coarse_triangles += u64::from(coarsest.triangles);
            summary.coarse_bytes += bytes.len() as u64;
        }
    }
}

fn written(shape: &Shape, grid: &Grid, error: f64) -> (LevelInfo, Vec<u8>) {
    let bytes = block::write(shape, grid);
    let info = LevelInfo {
        error: (error as f32).next_up(),
        triangles: number(shape.triangles()),
        vertices: number(shape.vertices()),
        edges: number(shape.edges.len()),
        piece: 0,
        offset: 0,
        length: number(bytes.len()),
    };
    (info, bytes)
}

/// Puts levels into pieces: full detail has one of its own, coarser ones share.
struct Shelf<'a> {
    emit: &'a mut dyn FnMut(Vec<u8>, Progress),
    progress: Progress,
    lengths: Vec<u32>,
    cells: Vec<CellInfo>,
    /// For the coarsest levels, which the first picture needs, and for those between.
    open: [Pending; 2],
    limit: usize,
}

/// A piece that is being filled.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// Cells and levels in it.
    of: Vec<(usize, usize)>,
}

impl<'a> Shelf<'a> {
    fn new(emit: &'a mut dyn FnMut(Vec<u8>, Progress), total: u64, limit: usize) -> Self {
        let progress = Progress { done: 0, total, finished: false };
        Self { emit, progress, lengths: Vec::new(), cells: Vec::new(), open: Default::default(), limit }
    }

    fn put(&mut self, made: Made, materials: Vec<u32>, slots: std::ops::Range<usize>) {
        let cell = self.cells.len();
        self.progress.done += made.levels.first().map_or(0, |(full, _)| u64::from(full.triangles));
        let last = made.levels.len().saturating_sub(1);
        let infos = made.levels.iter().map(|(level, _)| *level).collect();
        self.cells.push(CellInfo { grid: made.grid, bounds: made.bounds, levels: infos, materials, slots });
        for (level, (_, bytes)) in made.levels.into_iter().enumerate() {
            if level == 0 && last > 0 {
                self.place(Pending { bytes, of: vec![(cell, 0)] });
                continue;
            }
            let shared = usize::from(level != last);
            let full =
                self.open.get(shared).is_some_and(|open| !open.bytes.is_empty() && open.bytes.len() + bytes.len() > self.limit);
            if full {
                self.flush(shared);
            }
            if let Some(open) = self.open.get_mut(shared) {
                let info = self.cells.get_mut(cell).and_then(|cell| cell.levels.get_mut(level));
                info.into_iter().for_each(|info| info.offset = number(open.bytes.len()));
                open.of.push((cell, level));
                open.bytes.extend(bytes);
            }
        }
    }

    fn flush(&mut self, shared: usize) {
        if let Some(pending) = self.open.get_mut(shared).map(std::mem::take).filter(|pending| !pending.bytes.is_empty()) {
            self.place(pending);
        }
    }

    fn place(&mut self, pending: Pending) {
        let piece = number(self.lengths.len());
        for (cell, level) in pending.of {
            let info = self.cells.get_mut(cell).and_then(|cell| cell.levels.get_mut(level));
            info.into_iter().for_each(|info| info.piece = piece);
        }
        self.lengths.push(number(pending.bytes.len()));
        (self.emit)(pending.bytes, self.progress);
    }

    fn close(mut self) -> (Vec<CellInfo>, Vec<u32>) {
        self.progress.finished = true;
        self.flush(0);
        self.flush(1);
        (self.cells, self.lengths)
    }
}

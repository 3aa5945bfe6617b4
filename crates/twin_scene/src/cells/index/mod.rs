//! The table of contents of a scene: its parts, its textured materials, its cells, and where each level of each cell lies.

mod names;
mod read;
mod write;

use std::ops::Range;

use glam::{DVec3, Vec3};
use twin_model::TwinIndex;

pub use names::Names;

use super::grid::Grid;
use crate::geometry::{Aabb, AlphaMode};
use crate::merge::PartIndex;

/// How an index begins.
pub(super) const MAGIC: &[u8; 8] = b"ORRSCENE";
/// The newest format of an index.
pub(super) const VERSION: u16 = 1;
/// Most levels of a cell.
pub(super) const MOST_LEVELS: usize = 4;

/// What a scene consists of. Boxes count from [`Index::origin`], as everything in a [`MergePlan`](crate::merge::MergePlan) does.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Where the scene's space has its origin in the site's space.
    pub origin: DVec3,
    /// Bounds of all parts; empty without any.
    pub bounds: Aabb,
    /// One per [`PartIndex`]: by placed model, then by node.
    pub parts: Vec<IndexPart>,
    /// What each part's node is called.
    pub names: Names,
    /// Number of placed models, those without parts included.
    pub models: u32,
    /// Materials with an image.
    pub materials: Vec<TexturedMaterial>,
    /// What is known of the images before they are here; their bytes are pieces of their own.
    pub images: Vec<ImageInfo>,
    /// Bytes of each piece of geometry.
    pub pieces: Vec<u32>,
    /// Where the scene is cut into.
    pub cells: Vec<CellInfo>,
    /// Parts without triangles because the scene had more than the compiler takes: to be reported to the user.
    pub left_out: u32,
    /// Nodes too far from all others to be drawn: to be reported to the user.
    pub too_far: u32,
    /// Parts without edges because there were too many.
    pub without_edges: u32,
    /// Parts of all cells, cell by cell, ascending within a cell.
    pub(super) slots: Vec<PartIndex>,
    pub(super) lookup: Lookup,
}

/// One drawn node of one placed model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexPart {
    /// Position of the model in the list of placed models.
    pub model: u32,
    /// Index of the node in that model.
    pub node: u32,
    /// The twin that the node or its nearest bound ancestor stands for.
    pub twin: Option<TwinIndex>,
    /// Around everything of it, as it is drawn at full detail.
    pub bounds: Aabb,
    /// Triangles of its mesh.
    pub triangles: u32,
}

/// A material with an image; what has none is in the vertices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TexturedMaterial {
    /// Position in [`Index::images`].
    pub image: u32,
    /// How the alpha of image and vertex colour is used.
    pub alpha: AlphaMode,
    /// Whether back faces are drawn.
    pub double_sided: bool,
}

/// An image before it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// `image/png` or `image/jpeg`.
    pub mime: &'static str,
    /// Width and height in pixels.
    pub size: [u32; 2],
}

/// One cell: a corner of the scene.
#[derive(Debug, Clone, PartialEq)]
pub struct CellInfo {
    /// On which lattice its vertices lie, at every level.
    pub grid: Grid,
    /// Around everything that is drawn of it at any level.
    pub bounds: Aabb,
    /// Full detail first.
    pub levels: Vec<LevelInfo>,
    /// Positions in [`Index::materials`], by the number that the cell itself gives them.
    pub materials: Vec<u32>,
    /// Its parts in the list of all slots, see [`Index::parts_in`].
    pub(super) slots: Range<usize>,
}

/// One level of detail of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelInfo {
    /// How far at most a point of the surface is from where the source has it, in the site's units.
    pub error: f32,
    /// Triangles.
    pub triangles: u32,
    /// Vertices of the faces.
    pub vertices: u32,
    /// Edges.
    pub edges: u32,
    /// Position in [`Index::pieces`].
    pub piece: u32,
    /// Where in the piece it begins, in bytes.
    pub offset: u32,
    /// How many bytes it has.
    pub length: u32,
}

/// What is looked up from the other side; made when an index is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lookup {
    by_twin: Vec<(TwinIndex, PartIndex)>,
    /// Slots of parts, part by part; a slot tells its cell.
    of_parts: Vec<u32>,
    /// Where in `of_parts` those of a part begin; one more than there are parts.
    starts: Vec<u32>,
    /// Piece, cell and level of all levels.
    by_piece: Vec<(u32, u32, u32)>,
}

impl Lookup {
    pub(super) fn new(parts: &[IndexPart], slots: &[PartIndex], cells: &[CellInfo]) -> Self {
        let numbered = (0u32..).map(PartIndex).zip(parts);
        let mut by_twin: Vec<_> = numbered.filter_map(|(index, part)| part.twin.map(|twin| (twin, index))).collect();
        by_twin.sort_unstable();
        let mut starts = vec![0u32; parts.len() + 1];
        for part in slots {
            if let Some(count) = starts.get_mut(part.at() + 1) {
                *count += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut of_parts = vec![0u32; slots.len()];
        for (slot, part) in (0u32..).zip(slots) {
            if let Some(place) = next.get_mut(part.at()) {
                if let Some(out) = of_parts.get_mut(*place as usize) {
                    *out = slot;
                }
                *place += 1;
            }
        }
        let levels = (0u32..).zip(cells).flat_map(|(at, cell)| (0u32..).zip(&cell.levels).map(move |level| (at, level)));
        let mut by_piece: Vec<_> = levels.map(|(cell, (level, info))| (info.piece, cell, level)).collect();
        by_piece.sort_unstable();
        Self { by_twin, of_parts, starts, by_piece }
    }
}

impl Index {
    /// That of a scene without anything in it.
    pub fn empty() -> Self {
        Self {
            origin: DVec3::ZERO,
            bounds: Aabb::EMPTY,
            parts: Vec::new(),
            names: Names::default(),
            models: 0,
            materials: Vec::new(),
            images: Vec::new(),
            pieces: Vec::new(),
            cells: Vec::new(),
            left_out: 0,
            too_far: 0,
            without_edges: 0,
            slots: Vec::new(),
            lookup: Lookup::new(&[], &[], &[]),
        }
    }

    /// The cell of that number.
    pub fn cell(&self, cell: u32) -> Option<&CellInfo> {
        self.cells.get(cell as usize)
    }

    /// One level of one cell; 0 is full detail.
    pub fn level(&self, cell: u32, level: u32) -> Option<&LevelInfo> {
        self.cell(cell)?.levels.get(level as usize)
    }

    /// Pieces that hold the coarsest level of all cells, ascending: what a first picture needs.
    pub fn first_pieces(&self) -> Vec<u32> {
        let mut first: Vec<u32> = self.cells.iter().filter_map(|cell| cell.levels.last()).map(|level| level.piece).collect();
        first.sort_unstable();
        first.dedup();
        first
    }

    /// Cells and levels that lie in a piece, ascending.
    pub fn levels_in(&self, piece: u32) -> impl Iterator<Item = (u32, u32)> {
        let by_piece = &self.lookup.by_piece;
        let start = by_piece.partition_point(|(other, ..)| *other < piece);
        by_piece.iter().skip(start).take_while(move |(other, ..)| *other == piece).map(|(_, cell, level)| (*cell, *level))
    }

    /// Parts that have something in a cell, ascending: the position here is the number that the cell's vertices carry.
    pub fn parts_in(&self, cell: u32) -> &[PartIndex] {
        self.cell(cell).and_then(|cell| self.slots.get(cell.slots.clone())).unwrap_or_default()
    }

    /// The slot of the first part of a cell. Slots number all parts of all cells through: a table with one entry per slot colours
    /// a scene, entry `first_slot(cell) + number in the cell`.
    pub fn first_slot(&self, cell: u32) -> u32 {
        self.cell(cell).map_or(0, |cell| super::bytes::number(cell.slots.start))
    }

    /// The part of each slot, in the order of slots.
    pub fn slots(&self) -> &[PartIndex] {
        &self.slots
    }

    /// How many slots there are.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// The slots of a part, ascending: one for each cell that has something of it.
    pub fn slots_of(&self, part: PartIndex) -> &[u32] {
        let bound = |at: usize| self.lookup.starts.get(at).map(|start| *start as usize);
        let range = bound(part.at()).zip(bound(part.at() + 1));
        range.and_then(|(start, end)| self.lookup.of_parts.get(start..end)).unwrap_or_default()
    }

    /// The cells of a part, ascending, each with the part's number in it.
    pub fn cells_of(&self, part: PartIndex) -> impl Iterator<Item = (u32, u16)> {
        self.slots_of(part).iter().filter_map(|&slot| {
            let cell = self.cells.partition_point(|cell| cell.slots.end <= slot as usize);
            let local = slot as usize - self.cells.get(cell)?.slots.start;
            Some((u32::try_from(cell).ok()?, u16::try_from(local).ok()?))
        })
    }

    /// Parts of a twin, ascending: those of nodes bound to it, not those of its child twins.
    pub fn parts_of(&self, twin: TwinIndex) -> impl Iterator<Item = PartIndex> {
        let by_twin = &self.lookup.by_twin;
        let start = by_twin.partition_point(|(other, _)| *other < twin);
        by_twin.iter().skip(start).take_while(move |(other, _)| *other == twin).map(|(_, part)| *part)
    }

    /// The part of a node; `None` where the node draws nothing.
    pub fn part_of_node(&self, model: u32, node: u32) -> Option<PartIndex> {
        let at = self.parts.binary_search_by_key(&(model, node), |part| (part.model, part.node)).ok()?;
        u32::try_from(at).ok().map(PartIndex)
    }

    /// Bounds of a twin's parts; empty where it has none.
    pub fn bounds_of(&self, twin: TwinIndex) -> Aabb {
        let boxes = self.parts_of(twin).filter_map(|part| self.parts.get(part.at()));
        boxes.fold(Aabb::EMPTY, |all, part| all.union(&part.bounds))
    }

    /// The path of a part's node: names from the root down joined by `/`, as [`Node::path`](crate::geometry::Node::path) has them.
    pub fn path(&self, part: PartIndex) -> Option<String> {
        self.names.get(part.at())
    }
}

impl IndexPart {
    /// Middle of the bounds: where a label or the camera's focus goes.
    pub fn center(&self) -> Vec3 {
        self.bounds.center()
    }
}

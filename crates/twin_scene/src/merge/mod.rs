//! Turns many small meshes into few large ones, so that a plant costs tens of draws instead of thousands, while every
//! part keeps a number of its own for colour, hover, isolation and picking. Knows nothing of a renderer.
//!
//! # How a viewer uses it
//! Every drawn node becomes a [`Part`] with a dense [`PartIndex`]. Every vertex carries its part's number. The viewer keeps
//! one small texture with one texel per part: the texel of part `p` holds the status colour of `parts[p].twin` (several
//! parts may share a twin), and also what concerns the part alone: hovered, selected, ghosted, hidden. Changing a colour is
//! one texel write; no mesh or material is touched.
//!
//! # Far from the origin
//! A site may stand in national coordinates, where 32-bit floats know half metres. Everything in a plan therefore counts from
//! [`MergePlan::origin`], which lies among the parts; sums are made in 64 bits before.
//!
//! Start with [`plan`], or with [`Planner`] where a page must keep drawing.

mod builder;
mod edges;
mod parts;
mod planner;

use std::ops::Range;
use std::sync::Arc;

use glam::{DMat4, DVec3, Vec3};
use twin_model::TwinIndex;

use crate::geometry::{Aabb, SceneModel};

pub(crate) use builder::{Baker, Item, class_of_length, plain_class};
pub(crate) use edges::edges_below;
pub use edges::feature_edges;
pub use parts::{Listed, list_parts};
pub use planner::Planner;

/// A model file placed in the site. The same model may be placed many times; give it as the same [`Arc`] then.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The loaded file.
    pub model: Arc<SceneModel>,
    /// From the file's space to the site's.
    pub transform: DMat4,
    /// Which twin a node is bound to, by node index; shorter is as good as `None`. A node without a twin of its own takes
    /// that of its nearest bound ancestor.
    pub twins: Vec<Option<TwinIndex>>,
}

/// Position of a part in [`MergePlan::parts`]; also its texel in the palette texture and its number in the vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartIndex(pub u32);

impl PartIndex {
    /// The index as a position in a slice.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// One drawn node of one placed model: the smallest thing that can be picked, coloured or hidden.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Position of the model in the list of placed models.
    pub asset: u32,
    /// Index of the node in that model.
    pub node: u32,
    /// The twin that the node or its nearest bound ancestor stands for.
    pub twin: Option<TwinIndex>,
    /// From the mesh's space to the plan's: the site's, counted from [`MergePlan::origin`].
    pub world: DMat4,
    /// Bounds in the plan's space.
    pub bounds: Aabb,
    /// Middle of the bounds: where a label or the camera's focus goes.
    pub center: Vec3,
    /// Triangles of its mesh: primitives in file order, triangles in file order. [`Piece::first`] counts in this order.
    pub triangles: u32,
    /// Where its triangles lie in the chunks, in chunk order.
    pub pieces: Vec<Piece>,
    /// Where its edges lie in the line chunks: vertex ranges, short edges first.
    pub lines: Vec<LinePiece>,
}

/// A run of a part's triangles in one chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Position in [`MergePlan::chunks`].
    pub chunk: u32,
    /// Triangles of the chunk; index range times three.
    pub triangles: Range<u32>,
    /// Number of the first of them in the part's own order.
    pub first: u32,
}

/// A run of a part's edge vertices in one line chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePiece {
    /// Position in [`MergePlan::lines`].
    pub chunk: u32,
    /// Vertices of the line chunk, two per edge.
    pub vertices: Range<u32>,
}

/// What can be drawn with one material: parts of one class share chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// No texture and not transparent: colour, roughness and so on are in the vertices.
    Opaque {
        /// Whether back faces are drawn.
        double_sided: bool,
    },
    /// A material with an image.
    Textured {
        /// First position in the list of placed models at which this model stands.
        asset: u32,
        /// Index in that model's materials: image, alpha mode and sides are there.
        material: u32,
    },
    /// No texture, blended with what is behind; opacity is the alpha of the vertex colour.
    Blend {
        /// Whether back faces are drawn.
        double_sided: bool,
    },
}

/// [`Chunk::surfaces`] bit of the fourth byte: shown without lighting.
pub const UNLIT: u8 = 1;

/// One merged mesh: indexed triangles in the plan's space. All vertex lists have the same length.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Which material draws it.
    pub class: Class,
    /// Positions in the plan's space.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals.
    pub normals: Vec<[f32; 3]>,
    /// Base colour times vertex colour: red, green, blue encoded as sRGB, alpha linear. 255 in alpha where opaque.
    pub colors: Vec<[u8; 4]>,
    /// Roughness, metallic and glow (light of its own, in the vertex's colour) in 255ths, then flags ([`UNLIT`]).
    pub surfaces: Vec<[u8; 4]>,
    /// The part's number, the same for the three corners of any triangle.
    pub parts: Vec<u32>,
    /// Texture coordinates; empty unless the class is [`Class::Textured`].
    pub uvs: Vec<[f32; 2]>,
    /// Three per triangle, below the number of positions; fits 16 bits under the default [`Settings`].
    pub indices: Vec<u32>,
    /// Bounds of all positions.
    pub bounds: Aabb,
    /// First triangle and part of each run of triangles, ascending.
    pub runs: Vec<(u32, PartIndex)>,
}

/// Edges as pairs of vertices (a line list without indices), all of about the same length.
///
/// A hall seen as a whole has a hundred thousand edges shorter than a few pixels: bevels, bolts, rims. Drawn, they cost more
/// than all faces and make the picture darker, not clearer. Edges of one length share chunks, so that a viewer leaves out a
/// chunk while its [`longest`](Self::longest) edge is too short to be seen from where the camera is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineChunk {
    /// No edge of it is longer, in the site's units; infinite for the longest class.
    pub longest: f32,
    /// Two per edge, in the plan's space.
    pub positions: Vec<[f32; 3]>,
    /// The part's number, one per position.
    pub parts: Vec<u32>,
    /// Bounds of all positions.
    pub bounds: Aabb,
}

/// How to merge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Most vertices of a chunk. The default, 65 535, lets the indices be 16 bits wide; the last 16-bit value is a restart
    /// mark in WebGL2 and stays free.
    pub max_vertices: usize,
    /// Edges are drawn where the faces on both sides differ by more than this angle in radians, and where there is a face
    /// on one side only; `None` for no edges. The default is 30 degrees, as usual in CAD viewers.
    pub edge_angle: Option<f32>,
    /// Edges shorter than this, in the site's units, are left out: bevels and the rims of bolts are many and tiny. The default
    /// is 0.
    pub min_edge: f32,
    /// Meshes with more triangles get no edges: scans and terrain have no edges worth drawing, and finding them would
    /// take too long for one step.
    pub max_edge_triangles: usize,
    /// Most edges in all, at 32 bytes each; parts beyond it get none.
    pub max_edges: usize,
    /// Most triangles in all, at about 60 bytes each: a small file may place a large mesh on very many nodes. Parts beyond
    /// it get no triangles and are counted in [`MergePlan::left_out`].
    pub max_triangles: u64,
}

/// Upper bounds of the length classes of [`LineChunk`], in the site's units (metres in a usual site); doubling, because what
/// matters is length over distance.
pub const EDGE_CLASSES: [f32; 6] = [0.125, 0.25, 0.5, 1.0, 2.0, f32::INFINITY];

/// Most vertices of a line chunk: small enough that it covers one corner of the site and is judged by its own distance.
const MAX_LINE_VERTICES: usize = 8_192;

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_vertices: 65_535,
            edge_angle: Some(30f32.to_radians()),
            min_edge: 0.0,
            max_edge_triangles: 250_000,
            max_edges: 4_000_000,
            max_triangles: 8_000_000,
        }
    }
}

/// The merged scene.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MergePlan {
    /// Where the plan's space has its origin in the site's space: zero for a site near its own origin. Everything else here
    /// counts from it.
    pub origin: DVec3,
    /// One entry per [`PartIndex`]: by placed model, then by node.
    pub parts: Vec<Part>,
    /// Merged meshes: opaque first, then textured, then blended; near ones next to each other.
    pub chunks: Vec<Chunk>,
    /// Edges; empty where none were asked for.
    pub lines: Vec<LineChunk>,
    /// Bounds of all parts.
    pub bounds: Aabb,
    /// Parts without triangles because of [`Settings::max_triangles`]: to be reported to the user.
    pub left_out: usize,
    /// Nodes that would stand so far from all others, or at all, that no picture could hold them, so that they are not drawn: to be
    /// reported to the user.
    pub too_far: usize,
    /// Parts without edges because of [`Settings::max_edge_triangles`] or [`Settings::max_edges`].
    pub without_edges: usize,
    by_twin: Vec<(TwinIndex, PartIndex)>,
}

/// How far a [`Planner`] is, in triangles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Work done.
    pub done: u64,
    /// Work in all.
    pub total: u64,
    /// Nothing is left to do.
    pub finished: bool,
}

/// Merges in one go.
pub fn plan(placed: &[Placed], settings: &Settings) -> MergePlan {
    let mut planner = Planner::new(placed.to_vec(), *settings);
    while !planner.step(u64::MAX).finished {}
    planner.finish()
}

impl Chunk {
    /// The part of a triangle; `None` beyond the last.
    pub fn part_of(&self, triangle: u32) -> Option<PartIndex> {
        if triangle as usize >= self.indices.len() / 3 {
            return None;
        }
        let after = self.runs.partition_point(|(first, _)| *first <= triangle);
        self.runs.get(after.checked_sub(1)?).map(|(_, part)| *part)
    }

    /// Number of triangles.
    pub fn triangle_count(&self) -> usize {
        self.indices.len() / 3
    }
}

impl MergePlan {
    /// Parts of a twin, ascending: those of nodes bound to it, not those of its child twins.
    pub fn parts_of(&self, twin: TwinIndex) -> impl Iterator<Item = PartIndex> {
        let start = self.by_twin.partition_point(|(other, _)| *other < twin);
        self.by_twin.iter().skip(start).take_while(move |(other, _)| *other == twin).map(|(_, part)| *part)
    }

    /// The part of a node; `None` where the node draws nothing.
    pub fn part_of_node(&self, asset: u32, node: u32) -> Option<PartIndex> {
        let at = self.parts.binary_search_by_key(&(asset, node), |part| (part.asset, part.node)).ok()?;
        u32::try_from(at).ok().map(PartIndex)
    }

    /// Bounds of a twin's parts; empty where it has none.
    pub fn bounds_of(&self, twin: TwinIndex) -> Aabb {
        let boxes = self.parts_of(twin).filter_map(|part| self.parts.get(part.at()));
        boxes.fold(Aabb::EMPTY, |all, part| all.union(&part.bounds))
    }

    /// Triangles of all chunks.
    pub fn triangle_count(&self) -> usize {
        self.chunks.iter().map(Chunk::triangle_count).sum()
    }
}

//! A scene in pieces: cut into cells, each at several levels of detail, as bytes that a viewer hands to its graphics processor.
//!
//! Natively, [`compile`] turns placed models into an index, pieces of geometry and images; the same models give the same bytes. In the
//! page, [`Index::read`] and [`CellView::read`] check the bytes and look into them, [`order`](fn@order) says what to fetch and what to
//! give up, and [`CellScene`] answers rays and boxes from what is here. The bytes are described in docs/PROTOCOL.md, "Scene
//! pieces". Knows no hash, no address and no renderer: pieces have numbers.
//!
//! # Promises
//! * A vertex is within a millimetre of where the source puts it, or a hundred-thousandth of its part's diagonal, whichever is
//!   larger, wherever on Earth the site is.
//! * Every part has something at every level of each of its cells: what is coarse can still be coloured and picked.
//! * Bytes from outside are checked before anything is allocated or believed.
//!
//! ```
//! use twin_scene::cells::{CellScene, CellSettings, Index, compile};
//!
//! let compiled = compile(&[], &CellSettings::default());
//! let index = Index::read(&compiled.index)?;
//! assert_eq!(index.pieces.len(), compiled.cells.len());
//! let mut scene = CellScene::new(index);
//! for cell in 0..scene.index().cells.len() as u32 {
//!     let level = scene.index().level(cell, 0).copied().expect("full detail");
//!     let piece = &compiled.cells[level.piece as usize];
//!     scene.insert(cell, 0, &piece[level.offset as usize..][..level.length as usize])?;
//! }
//! # Ok::<(), twin_scene::cells::CellError>(())
//! ```

mod bake;
mod block;
mod bytes;
mod class;
mod coarse;
mod compile;
mod cut;
mod edges;
mod error;
mod fragments;
mod grid;
mod index;
mod looks;
mod order;
mod pick;
mod scene;
mod shape;

pub use block::{CellShape, CellView, Group};
pub use class::CellClass;
pub use compile::{Compiled, Summary, compile, compile_into};
pub use error::CellError;
pub use grid::{Grid, from_octahedral};
pub use index::{CellInfo, ImageInfo, Index, IndexPart, LevelInfo, Names, TexturedMaterial};
pub use looks::EncodedImage;
pub use order::{Ask, Budgets, Order, State, View, order};
pub use scene::{CellHit, CellScene};

/// Half the square root of three, as the viewer's angle.
const COSINE_OF_30_DEGREES: f32 = 0.866_025_4;

/// How to cut and to simplify.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellSettings {
    /// About the most triangles of a cell, at most 65 535.
    pub cell_triangles: u32,
    /// About the most vertices of a cell, at most 262 140; each 65 535 are a group with indices of its own.
    pub cell_vertices: u32,
    /// Shares of the triangles that coarser levels aim at, the finer first; one that is not at most half of the level before is left
    /// out.
    pub coarse_shares: [f64; 2],
    /// A scene of fewer triangles has no use for the coarser of the two: the finer is small enough for a first picture, and looks it.
    pub dense: u64,
    /// About the most bytes of a piece that holds coarse levels of several cells.
    pub coarse_piece: usize,
    /// Cosine of the angle between faces from which their edge is drawn, see
    /// [`Settings::edge_angle`](crate::merge::Settings::edge_angle); `None` for no edges. The angle itself would have to be turned into
    /// this by the platform's own cosine, which is not the same everywhere.
    pub edge_cosine: Option<f32>,
    /// See [`Settings::min_edge`](crate::merge::Settings::min_edge).
    pub min_edge: f32,
    /// See [`Settings::max_edge_triangles`](crate::merge::Settings::max_edge_triangles).
    pub max_edge_triangles: usize,
    /// Most edges in all, at 16 bytes each; parts beyond it get none.
    pub max_edges: usize,
    /// Most triangles in all: a small file may place a large mesh on very many nodes. Parts beyond it get none and are counted.
    pub max_triangles: u64,
}

impl Default for CellSettings {
    /// Cells of one or two megabytes; edges from three centimetres, as the viewer draws them; a hundred million triangles.
    fn default() -> Self {
        Self {
            cell_triangles: 65_535,
            cell_vertices: 131_070,
            coarse_shares: [0.07, 0.01],
            dense: 4_000_000,
            coarse_piece: 1 << 20,
            edge_cosine: Some(COSINE_OF_30_DEGREES),
            min_edge: 0.03,
            max_edge_triangles: 250_000,
            max_edges: 40_000_000,
            max_triangles: 100_000_000,
        }
    }
}

impl CellSettings {
    fn cell_triangles(&self) -> u32 {
        self.cell_triangles.clamp(4, 65_535)
    }

    fn cell_vertices(&self) -> u32 {
        self.cell_vertices.clamp(12, 262_140)
    }
}

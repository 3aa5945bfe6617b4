//! The scene as far as it is here: which levels of which cells came, what to ask for next, and what the world has not taken in yet.
//! Knows no Bevy, and no health beyond the colour codes that it keeps.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use glam::{Vec3, Vec4};
use twin_engine::PartCodes;
use twin_model::TwinIndex;
use twin_scene::bvh::Ray;
use twin_scene::cells::{Ask, Budgets, CellHit, CellScene, Index, State, View, order};
use twin_scene::merge::PartIndex;

use super::framing::{Corners, box_to_frame};
use crate::platform;
use crate::session::{Arrival, Pieces, ScenePiece};

/// Bytes on their way at most, apart from what the first picture needs: what a link of 20 Mbit/s brings in three seconds, so that what
/// is asked for still is what is looked at when it comes.
const IN_FLIGHT_BYTES: u64 = 8 << 20;
/// Pixels by which a picture may be wrong without anything finer being asked for.
const TOLERANCE_PX: f32 = 1.0;

/// How the scene is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// The camera, in the scene's space.
    pub eye: Vec3,
    /// Vertical field of view in radians.
    pub fov_y: f32,
    /// Height of the picture in physical pixels.
    pub height: f32,
    /// Left, right, lower and upper side of what is seen: `n·p + d >= 0` inside.
    pub planes: [Vec4; 4],
}

/// One level of one cell as it came.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The cell.
    pub cell: u32,
    /// The level; 0 is full detail.
    pub level: u32,
    piece: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Fresh {
    /// Its bytes, for [`CellView`](twin_scene::cells::CellView).
    pub fn bytes(&self) -> &[u8] {
        self.piece.get(self.range.clone()).unwrap_or_default()
    }
}

/// The 3D scene.
pub struct Stage {
    /// What is here, for rays, boxes and outlines.
    pub scene: CellScene,
    /// What the palette texture holds, part by part.
    pub codes: PartCodes,
    /// The body of each twin, without long pipes: where a mark points and what the camera frames. `None` without geometry.
    bodies: Vec<Option<Corners>>,
    /// Levels on their way, a bit each, by cell.
    asked: Vec<u8>,
    /// Pieces that can't be had.
    lost: BTreeSet<u32>,
    /// Pieces that came and were not looked into yet.
    came: VecDeque<(u32, Vec<u8>)>,
    /// Levels that the world has not taken in yet.
    pub fresh: Vec<Fresh>,
    /// Cells and levels that the world has not given up yet.
    pub dropped: Vec<(u32, u32)>,
    /// Images that the world has not taken in yet, by their position in the index.
    pub images: Vec<(u32, Vec<u8>)>,
    images_asked: bool,
    /// Draws of the world, as of the last frame: for the performance overlay.
    pub draws: usize,
    /// How it was looked at when it was last decided what to ask for.
    ordered: Option<Sight>,
}

impl Stage {
    /// A scene of which nothing is here, of a model with so many twins.
    pub fn new(index: Arc<Index>, twins: usize) -> Self {
        Self {
            asked: vec![0; index.cells.len()],
            codes: codes(&index, twins),
            bodies: bodies(&index, twins),
            scene: CellScene::new(index),
            lost: BTreeSet::new(),
            came: VecDeque::new(),
            fresh: Vec::new(),
            dropped: Vec::new(),
            images: Vec::new(),
            images_asked: false,
            draws: 0,
            ordered: None,
        }
    }

    /// Shows another model's twins, which has so many. The scene itself names them by position, so it must be the same.
    pub fn show_model(&mut self, twins: usize) {
        self.codes = codes(self.index(), twins);
        self.bodies = bodies(self.index(), twins);
    }

    /// The table of contents.
    pub fn index(&self) -> &Index {
        self.scene.index()
    }

    /// The body of a twin by its lowest and highest corner; `None` where it has no geometry.
    pub fn body(&self, twin: TwinIndex) -> Option<Corners> {
        self.bodies.get(twin.at()).copied().flatten()
    }

    /// The twin that a part shows.
    pub fn twin_of(&self, part: PartIndex) -> Option<TwinIndex> {
        self.index().parts.get(part.at())?.twin
    }

    /// What a ray meets first, of everything or of some twins, which ascend.
    pub fn pick(&mut self, ray: &Ray, among: Option<&[TwinIndex]>) -> Option<CellHit> {
        let index = self.scene.shared_index();
        let twin = |part: PartIndex| index.parts.get(part.at()).and_then(|part| part.twin);
        let within = |twins: &[TwinIndex], part| twin(part).is_some_and(|twin| twins.binary_search(&twin).is_ok());
        self.scene.raycast(ray, &|part| among.is_none_or(|twins| within(twins, part)))
    }

    /// Boxes of the parts of some twins.
    pub fn boxes_of(&self, twins: &[TwinIndex]) -> Vec<Corners> {
        boxes(self.index(), twins)
    }

    /// Whether something of every cell is here, or given up: there is a picture.
    pub fn is_whole(&self) -> bool {
        self.came.is_empty()
            && (0u32..).zip(&self.index().cells).all(|(cell, info)| {
                let given_up = || info.levels.last().is_none_or(|level| self.lost.contains(&level.piece));
                self.scene.finest(cell).is_some() || given_up()
            })
    }

    /// Whether nothing more is on its way to it.
    pub fn asked_for_nothing(&self) -> bool {
        self.came.is_empty() && self.asked.iter().all(|asked| *asked == 0)
    }

    /// Whether it has to be moved on without anything having come or moved.
    pub fn is_busy(&self) -> bool {
        !self.came.is_empty()
    }

    /// Takes in what came until a moment of the monotonic clock (but at least one piece), and asks for what is to come next. Answers
    /// why pieces can't be had. `unhealthy` says which twins are to come first among equals.
    pub fn advance(
        &mut self,
        pieces: &mut Pieces,
        sight: &Sight,
        unhealthy: &dyn Fn(TwinIndex) -> bool,
        now: f64,
        until: f64,
    ) -> Vec<String> {
        let mut failures = Vec::new();
        let mut changed = false;
        for Arrival { piece, outcome } in pieces.poll(now) {
            match (piece, outcome) {
                (ScenePiece::Geometry(at), Ok(bytes)) => self.came.push_back((at, bytes)),
                (ScenePiece::Geometry(at), Err(why)) => {
                    self.give_up(at);
                    failures.push(why);
                    changed = true;
                }
                (ScenePiece::Image(at), Ok(bytes)) => self.images.push((at, bytes)),
                (ScenePiece::Image(_), Err(why)) => failures.push(why),
            }
        }
        while let Some((piece, bytes)) = self.came.pop_front() {
            failures.extend(self.take_in(piece, bytes));
            changed = true;
            if platform::monotonic() > until {
                break;
            }
        }
        if changed || self.ordered != Some(*sight) {
            self.ordered = Some(*sight);
            self.ask(pieces, sight, unhealthy);
        }
        failures
    }

    fn give_up(&mut self, piece: u32) {
        self.lost.insert(piece);
        let Self { asked, scene, .. } = self;
        for (cell, level) in scene.index().levels_in(piece) {
            asked[cell as usize] &= !(1 << level);
        }
    }

    /// Looks into a piece; answers what of it can't be read.
    fn take_in(&mut self, piece: u32, bytes: Vec<u8>) -> Option<String> {
        let bytes = Arc::new(bytes);
        let levels: Vec<(u32, u32)> = self.index().levels_in(piece).collect();
        let mut failure = None;
        for (cell, level) in levels {
            self.asked[cell as usize] &= !(1 << level);
            let Some(info) = self.index().level(cell, level) else { continue };
            let start = info.offset as usize;
            let range = start..start.saturating_add(info.length as usize);
            let fresh = Fresh { cell, level, piece: bytes.clone(), range };
            match self.scene.insert(cell, level, fresh.bytes()) {
                Ok(()) => self.fresh.push(fresh),
                Err(error) => {
                    self.lost.insert(piece);
                    failure = Some(error.to_string());
                }
            }
        }
        failure
    }

    /// Asks for the coarsest level of every cell first; once there is a picture, for what is most wrong in it, and gives up what there is
    /// no room for.
    fn ask(&mut self, pieces: &mut Pieces, sight: &Sight, unhealthy: &dyn Fn(TwinIndex) -> bool) {
        let whole = self.is_whole();
        let index = self.scene.index();
        let here = self.scene.here();
        // Only of cells that have something to wish for: parts are many, and this runs whenever the camera moves.
        let troubled = |part: &PartIndex| index.parts.get(part.at()).and_then(|part| part.twin).is_some_and(unhealthy);
        let waits = |(cell, here): (u32, &u8)| whole && here & 1 == 0 && index.parts_in(cell).iter().any(troubled);
        let troubled: Vec<bool> = (0u32..).zip(&here).map(waits).collect();
        let Sight { eye, fov_y, height, ref planes } = *sight;
        let view = View { eye, fov_y, height, tolerance: TOLERANCE_PX, planes };
        let in_flight = if whole { IN_FLIGHT_BYTES } else { u64::MAX };
        let budgets = Budgets { in_flight, memory: platform::SCENE_BYTES };
        let order = order(index, &view, &budgets, &State { here: &here, asked: &self.asked, unhealthy: &troubled });
        let coarsest = |cell: u32| index.cells.get(cell as usize).map_or(0, |cell| cell.levels.len().saturating_sub(1) as u32);
        let wanted = |ask: &&Ask| (whole || ask.level == coarsest(ask.cell)) && !self.lost.contains(&ask.piece);
        for ask in order.ask.iter().filter(wanted) {
            pieces.ask(ScenePiece::Geometry(ask.piece));
            self.asked[ask.cell as usize] |= 1 << ask.level;
        }
        if whole && !std::mem::replace(&mut self.images_asked, true) {
            (0..self.scene.index().images.len() as u32).for_each(|image| pieces.ask(ScenePiece::Image(image)));
        }
        for (cell, level) in order.drop {
            self.scene.remove(cell, level);
            self.fresh.retain(|fresh| (fresh.cell, fresh.level) != (cell, level));
            self.dropped.push((cell, level));
        }
    }
}

fn boxes(index: &Index, twins: &[TwinIndex]) -> Vec<Corners> {
    let parts = twins.iter().flat_map(|twin| index.parts_of(*twin));
    parts.filter_map(|part| index.parts.get(part.at())).map(|part| (part.bounds.min, part.bounds.max)).collect()
}

fn codes(index: &Index, twins: usize) -> PartCodes {
    PartCodes::new(twins, index.parts.iter().map(|part| part.twin))
}

fn bodies(index: &Index, twins: usize) -> Vec<Option<Corners>> {
    (0..twins).map(TwinIndex::from_at).map(|twin| box_to_frame(&boxes(index, &[twin]))).collect()
}

//! What to fetch next and what to give up. A pure function of what is seen, what is here and what there is room for.

use std::cmp::Reverse;

use glam::{Vec3, Vec4};

use super::index::{CellInfo, Index};
use crate::bvh::reaches_inside;

/// A level is given up only for one whose absence is at least so many times as wrong: otherwise the two would take turns.
const HYSTERESIS: f32 = 2.0;
/// What is outside the picture counts so much: a turn of the head away.
const OUTSIDE: f32 = 1.0 / 16.0;
/// Nearest distance that counts, in the site's units: within a cell everything would be infinitely wrong.
const NEAREST: f32 = 0.1;

/// How the scene is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View<'a> {
    /// The camera, in the scene's space.
    pub eye: Vec3,
    /// Vertical field of view in radians.
    pub fov_y: f32,
    /// Height of the picture in pixels.
    pub height: f32,
    /// What is good enough: a level that is wrong by at most so many pixels needs no finer one. 1 is not to be told from the source.
    pub tolerance: f32,
    /// Planes of the view frustum, `n·p + d >= 0` inside; none where everything counts as seen.
    pub planes: &'a [Vec4],
}

/// How much there is room for, in bytes of levels as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Asked for and not here yet. One piece may always be.
    pub in_flight: u64,
    /// Here and asked for. The coarsest levels are held whatever this is: nothing is ever absent.
    pub memory: u64,
}

/// What is here, by cell. Shorter lists are as good as zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State<'a> {
    /// Levels that are here, a bit each, full detail lowest; see [`CellScene::here`](super::CellScene::here).
    pub here: &'a [u8],
    /// Levels that were asked for and have not come yet.
    pub asked: &'a [u8],
    /// Whether something in it is unhealthy: of cells that are about equally wrong, those come first.
    pub unhealthy: &'a [bool],
}

/// A level to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The cell.
    pub cell: u32,
    /// The level.
    pub level: u32,
    /// The piece in which it lies. Levels that share one are asked for together, one after the other.
    pub piece: u32,
}

/// What to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// To fetch, most urgent first.
    pub ask: Vec<Ask>,
    /// Cells and levels to give up, before anything is fetched.
    pub drop: Vec<(u32, u32)>,
}

/// What to fetch and to give up. First the coarsest level of every cell, nearest first; then what is most wrong on the screen,
/// by powers of two, unhealthy first among equals. Screen error is `error / distance` times pixels per radian in the middle of the
/// picture. Nothing is given up before there is need for its room.
pub fn order(index: &Index, view: &View<'_>, budgets: &Budgets, state: &State<'_>) -> Order {
    let mut plan = Plan::new(index, view, state);
    plan.make_room(0, f32::INFINITY, budgets.memory);
    let mut wishes: Vec<Wish> = plan.seen.iter().filter_map(|seen| plan.wish(seen)).collect();
    wishes.sort_unstable_by_key(Wish::rank);
    for wish in wishes {
        let mates = plan.mates(&wish);
        let size: u64 = mates.iter().map(|ask| plan.size(ask.cell, ask.level)).sum();
        if size == 0 {
            // Came along with one before.
            continue;
        }
        let full = plan.in_flight > 0 && plan.in_flight + size > budgets.in_flight;
        if full || !(plan.make_room(size, wish.error, budgets.memory) || wish.missing) {
            break;
        }
        plan.in_flight += size;
        plan.used += size;
        for ask in &mates {
            plan.pieces.get_mut(ask.piece as usize).into_iter().for_each(|asked| *asked = true);
        }
        plan.order.ask.extend(mates);
    }
    plan.order
}

/// A cell as it is seen.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    cell: u32,
    info: &'a CellInfo,
    distance: f32,
    /// Pixels for each unit of error.
    pixels: f32,
    here: u8,
    asked: u8,
    unhealthy: bool,
}

/// One level that would make the picture better.
#[derive(Debug, Clone, Copy)]
struct Wish {
    cell: u32,
    level: u32,
    /// Nothing of the cell is here.
    missing: bool,
    unhealthy: bool,
    /// Pixels by which the picture is wrong without it.
    error: f32,
    distance: f32,
}

impl Wish {
    /// Lower is earlier. Positive floats order as their bits do.
    fn rank(&self) -> impl Ord + use<> {
        let power = self.error.to_bits() >> 23;
        let nearest = self.distance.to_bits();
        // What is missing is all equally absent: the nearest first.
        let (power, error) = if self.missing { (0, 0) } else { (power, self.error.to_bits()) };
        (!self.missing, Reverse(power), !self.unhealthy, Reverse(error), nearest, self.cell)
    }
}

struct Plan<'a> {
    index: &'a Index,
    seen: Vec<Seen<'a>>,
    in_flight: u64,
    used: u64,
    /// What may be given up: how wrong the picture is without it, cell and level; what is missed most first.
    spare: Vec<(f32, u32, u32)>,
    /// Whether each piece is asked for by this order.
    pieces: Vec<bool>,
    tolerance: f32,
    order: Order,
}

impl<'a> Plan<'a> {
    fn new(index: &'a Index, view: &View<'_>, state: &State<'_>) -> Self {
        let half = (view.fov_y * 0.5).clamp(1e-3, 1.5).tan();
        let per_radian = view.height.max(1.0) * 0.5 / half;
        let seen = (0u32..).zip(&index.cells).map(|(cell, info)| {
            let at = cell as usize;
            let outside = view.eye.clamp(info.bounds.min, info.bounds.max).distance(view.eye);
            let distance = if outside.is_finite() { outside.max(NEAREST) } else { f32::MAX };
            let inside = view.planes.iter().all(|plane| reaches_inside(&info.bounds, plane));
            let here = state.here.get(at).copied().unwrap_or_default();
            Seen {
                cell,
                info,
                distance,
                pixels: per_radian / distance * if inside { 1.0 } else { OUTSIDE },
                here,
                asked: state.asked.get(at).copied().unwrap_or_default() & !here,
                unhealthy: state.unhealthy.get(at).copied().unwrap_or_default(),
            }
        });
        let (seen, pieces) = (seen.collect(), vec![false; index.pieces.len()]);
        let (spare, tolerance, order) = (Vec::new(), view.tolerance, Order::default());
        let mut plan = Self { index, seen, in_flight: 0, used: 0, spare, pieces, tolerance, order };
        for seen in &plan.seen {
            plan.in_flight += seen.bytes(seen.asked);
            plan.used += seen.bytes(seen.asked | seen.here);
            plan.spare.extend(seen.spare());
        }
        plan.spare.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
        plan
    }

    /// The level that a cell should have next.
    fn wish(&self, seen: &Seen<'_>) -> Option<Wish> {
        let coarsest = seen.levels().last()?.0;
        let (level, missing) = match seen.finest(seen.here | seen.asked) {
            None => (coarsest, true),
            // Something is on its way: first that.
            Some(_) if seen.asked != 0 => return None,
            Some(finest) => (seen.enough(self.tolerance).min(finest), false),
        };
        let error = seen.wrong(seen.here);
        let wanted = missing || (error > self.tolerance && seen.here >> level & 1 == 0);
        let Seen { cell, unhealthy, distance, .. } = *seen;
        wanted.then_some(Wish { cell, level, missing, unhealthy, error, distance })
    }

    /// All levels of the wish's piece that are not here and not asked for.
    fn mates(&self, wish: &Wish) -> Vec<Ask> {
        let Some(piece) = self.index.level(wish.cell, wish.level).map(|level| level.piece) else { return Vec::new() };
        let there = |cell: u32, level: u32| {
            let known = self.seen.get(cell as usize).is_some_and(|seen| (seen.here | seen.asked) >> level & 1 == 1);
            // Pieces are asked for whole.
            known || self.pieces.get(piece as usize).copied().unwrap_or(true)
        };
        let own = self.index.levels_in(piece).filter(|(cell, level)| !there(*cell, *level));
        own.map(|(cell, level)| Ask { cell, level, piece }).collect()
    }

    fn size(&self, cell: u32, level: u32) -> u64 {
        self.index.level(cell, level).map_or(0, |level| level.length.into())
    }

    /// Gives up what is missed least until `size` more bytes fit; false, and nothing given up, where they can't for what is at stake.
    fn make_room(&mut self, size: u64, error: f32, memory: u64) -> bool {
        let mut taken = 0;
        let mut need = self.used.saturating_add(size).saturating_sub(memory);
        for (missed, cell, level) in self.spare.iter().rev() {
            if need == 0 || missed * HYSTERESIS > error {
                break;
            }
            need = need.saturating_sub(self.size(*cell, *level));
            taken += 1;
        }
        // A budget that shrank takes what there is; a wish takes all or nothing.
        if need > 0 && size > 0 {
            return false;
        }
        for (_, cell, level) in self.spare.split_off(self.spare.len() - taken).into_iter().rev() {
            self.used -= self.size(cell, level).min(self.used);
            self.order.drop.push((cell, level));
        }
        need == 0
    }
}

impl Seen<'_> {
    fn levels(&self) -> impl DoubleEndedIterator<Item = (u32, f32)> {
        self.info.levels.iter().enumerate().map(|(at, level)| (super::bytes::number(at), level.error))
    }

    fn finest(&self, set: u8) -> Option<u32> {
        (set != 0).then(|| set.trailing_zeros())
    }

    /// Pixels by which the picture is wrong with these levels.
    fn wrong(&self, set: u8) -> f32 {
        let level = self.finest(set).and_then(|finest| self.info.levels.get(finest as usize));
        let error = level.map_or(self.info.bounds.radius() * 2.0, |level| level.error);
        (error * self.pixels).clamp(0.0, f32::MAX)
    }

    /// The coarsest level that is good enough.
    fn enough(&self, tolerance: f32) -> u32 {
        self.levels().rev().find(|(_, error)| error * self.pixels <= tolerance).map_or(0, |(level, _)| level)
    }

    fn bytes(&self, set: u8) -> u64 {
        let own = (0u32..8).zip(&self.info.levels).filter(|(at, _)| set >> at & 1 == 1);
        own.map(|(_, level)| u64::from(level.length)).sum()
    }

    /// Levels that are here besides the coarsest one, with how wrong the picture is without them.
    fn spare(&self) -> Vec<(f32, u32, u32)> {
        let Some(finest) = self.finest(self.here) else { return Vec::new() };
        let last = self.info.levels.len().saturating_sub(1) as u32;
        let own = (0..last).filter(|level| self.here >> level & 1 == 1);
        own.map(|level| {
            // One behind a finer one is not seen at all.
            let missed = if level > finest { 0.0 } else { self.wrong(self.here & !(1 << level)) };
            (missed, self.cell, level)
        })
        .collect()
    }
}

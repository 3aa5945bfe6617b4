//! What is fetched first and what is given up.

use glam::{DVec3, Vec3, Vec4};
use twin_scene::cells::{Ask, Budgets, CellSettings, Index, Order, State, View, compile, order};

use crate::cells_oracle::small;
use crate::scenes::scene;

const ROOMY: Budgets = Budgets { in_flight: u64::MAX, memory: u64::MAX };

fn view(eye: Vec3) -> View<'static> {
    View { eye, fov_y: 0.72, height: 1_080.0, tolerance: 1.0, planes: &[] }
}

fn index() -> Index {
    let settings = CellSettings { coarse_piece: 60_000, ..small() };
    Index::read(&compile(&scene(51, 300, 60.0, DVec3::ZERO), &settings).index).expect("an index")
}

fn state<'a>(here: &'a [u8], asked: &'a [u8]) -> State<'a> {
    State { here, asked, unhealthy: &[] }
}

fn coarsest(index: &Index) -> Vec<u8> {
    index.cells.iter().map(|cell| 1 << (cell.levels.len() - 1)).collect()
}

fn bytes(index: &Index, asks: &[Ask]) -> u64 {
    asks.iter().map(|ask| u64::from(index.level(ask.cell, ask.level).expect("listed").length)).sum()
}

/// Pixels by which a cell is wrong with a level.
fn wrong(index: &Index, view: &View<'_>, cell: u32, level: u32) -> f32 {
    let info = &index.cells[cell as usize];
    let distance = view.eye.clamp(info.bounds.min, info.bounds.max).distance(view.eye).max(0.1);
    info.levels[level as usize].error / distance * view.height * 0.5 / (view.fov_y * 0.5).tan()
}

#[test]
fn first_of_all_comes_the_coarsest_level_of_every_cell_the_nearest_first() {
    let index = index();
    let near = view(index.bounds.max);
    let asked = order(&index, &near, &ROOMY, &state(&[], &[])).ask;
    let levels: Vec<u8> = coarsest(&index);
    assert_eq!(asked.len(), index.cells.len(), "of each one, once");
    assert!(asked.iter().all(|ask| levels[ask.cell as usize] == 1 << ask.level), "and no other");
    let distance = |ask: &Ask| {
        let bounds = index.cells[ask.cell as usize].bounds;
        near.eye.clamp(bounds.min, bounds.max).distance(near.eye)
    };
    let nearest = asked.iter().map(distance).fold(f32::INFINITY, f32::min);
    let first: Vec<&Ask> = asked.iter().take_while(|ask| ask.piece == asked[0].piece).collect();
    assert!(first.iter().any(|ask| distance(ask) == nearest), "the nearest is in the first piece");
    // Pieces are asked for whole, and each once.
    let mut pieces: Vec<u32> = asked.iter().map(|ask| ask.piece).collect();
    pieces.dedup();
    let count = pieces.len();
    pieces.sort_unstable();
    pieces.dedup();
    assert_eq!(pieces.len(), count);
}

#[test]
fn nothing_that_is_here_or_on_its_way_is_asked_for() {
    let index = index();
    let all = order(&index, &view(Vec3::ZERO), &ROOMY, &state(&[], &[])).ask;
    let asked: Vec<u8> = coarsest(&index);
    assert_eq!(order(&index, &view(Vec3::ZERO), &ROOMY, &state(&[], &asked)), Order::default(), "{} are on their way", all.len());
    assert_eq!(order(&index, &view(Vec3::ZERO), &ROOMY, &state(&vec![0xff; index.cells.len()], &[])), Order::default());
}

#[test]
fn then_comes_what_is_most_wrong_until_all_is_good_enough() {
    let index = index();
    let from = view(index.bounds.min);
    let mut here = coarsest(&index);
    let mut rounds = 0;
    loop {
        let ask = order(&index, &from, &Budgets { in_flight: 30_000, memory: u64::MAX }, &state(&here, &[])).ask;
        let Some(first) = ask.first() else { break };
        let now = |cell: u32| wrong(&index, &from, cell, here[cell as usize].trailing_zeros());
        let most = (0..index.cells.len() as u32).map(now).fold(0.0, f32::max);
        assert!(now(first.cell) * 2.0 >= most, "{} of {most}", now(first.cell));
        assert!(now(first.cell) > 1.0, "what is good enough stays");
        ask.iter().for_each(|ask| here[ask.cell as usize] |= 1 << ask.level);
        rounds += 1;
        assert!(rounds < 1_000, "it ends");
    }
    assert!(rounds > 3, "{rounds}");
    for cell in 0..index.cells.len() as u32 {
        let finest = here[cell as usize].trailing_zeros();
        assert!(finest == 0 || wrong(&index, &from, cell, finest) <= 1.0, "cell {cell}");
    }
    // From far away the coarse levels are good enough.
    let far = view(index.bounds.center() + Vec3::X * 1e6);
    assert_eq!(order(&index, &far, &ROOMY, &state(&coarsest(&index), &[])), Order::default());
}

#[test]
fn the_unhealthy_come_first_among_equals_only() {
    let index = index();
    let from = view(index.bounds.center() + Vec3::Y * 30.0);
    let here = coarsest(&index);
    let plain = order(&index, &from, &ROOMY, &state(&here, &[])).ask;
    let power = |ask: &Ask| wrong(&index, &from, ask.cell, here[ask.cell as usize].trailing_zeros()).to_bits() >> 23;
    let single = |ask: &&Ask| index.levels_in(ask.piece).count() == 1;
    let (first, last) = plain
        .iter()
        .filter(single)
        .find_map(|first| {
            Some((first, plain.iter().filter(single).rfind(|ask| ask.cell != first.cell && power(ask) == power(first))?))
        })
        .expect("two that are about equally wrong");
    let mut unhealthy = vec![false; index.cells.len()];
    unhealthy[last.cell as usize] = true;
    let ask = order(&index, &from, &ROOMY, &State { unhealthy: &unhealthy, ..state(&here, &[]) }).ask;
    let at = |asks: &[Ask], wanted: &Ask| asks.iter().position(|ask| ask == wanted);
    assert!(at(&plain, first) < at(&plain, last) && at(&ask, last) < at(&ask, first));
    let worst = plain.last().expect("some").cell;
    unhealthy.fill(false);
    unhealthy[worst as usize] = true;
    let ask = order(&index, &from, &ROOMY, &State { unhealthy: &unhealthy, ..state(&here, &[]) }).ask;
    assert_eq!(ask[0].cell, plain[0].cell, "what is much less wrong waits, however it is");
}

#[test]
fn what_is_outside_the_picture_comes_after_what_is_in_it() {
    let index = index();
    let middle = index.bounds.center();
    // Only the right half is seen.
    let planes = [Vec4::new(1.0, 0.0, 0.0, -middle.x)];
    let from = View { planes: &planes, ..view(middle + Vec3::Z * 80.0) };
    let ask = order(&index, &from, &Budgets { in_flight: 60_000, memory: u64::MAX }, &state(&coarsest(&index), &[])).ask;
    assert!(!ask.is_empty() && ask.iter().all(|ask| index.cells[ask.cell as usize].bounds.max.x >= middle.x), "{ask:?}");
}

#[test]
fn budgets_hold_and_the_coarsest_level_comes_all_the_same() {
    let index = index();
    let from = view(index.bounds.center());
    let few = Budgets { in_flight: 100_000, memory: 0 };
    let ask = order(&index, &from, &few, &state(&[], &[])).ask;
    assert!(!ask.is_empty() && bytes(&index, &ask) <= 100_000, "nothing is absent for want of room");
    // A single piece may be larger than the budget.
    let one = order(&index, &from, &Budgets { in_flight: 1, memory: u64::MAX }, &state(&[], &[])).ask;
    assert!(!one.is_empty() && one.iter().all(|ask| ask.piece == one[0].piece));
    let here = coarsest(&index);
    assert_eq!(order(&index, &from, &few, &state(&here, &[])), Order::default(), "no room for anything finer");
    // A budget that shrank takes away what is finer, but never what is coarsest.
    let full = vec![0b111u8; index.cells.len()];
    let drop = order(&index, &from, &few, &state(&full, &[])).drop;
    let finer: usize = index.cells.iter().map(|cell| cell.levels.len() - 1).sum();
    assert_eq!(drop.len(), finer);
    assert!(drop.iter().all(|(cell, level)| (*level as usize) < index.cells[*cell as usize].levels.len() - 1));
}

#[test]
fn within_a_memory_budget_it_settles_and_follows_the_eye_without_turns() {
    let index = index();
    let sum = |levels: &mut dyn Iterator<Item = &twin_scene::cells::LevelInfo>| {
        levels.map(|level| u64::from(level.length)).sum::<u64>()
    };
    let whole = sum(&mut index.cells.iter().flat_map(|cell| &cell.levels));
    let least = sum(&mut index.cells.iter().filter_map(|cell| cell.levels.last()));
    let budgets = Budgets { in_flight: 40_000, memory: least + (whole - least) / 3 };
    let mut here = coarsest(&index);
    let mut settled_at = Vec::new();
    for eye in [index.bounds.min, index.bounds.max, index.bounds.min] {
        let from = view(eye);
        let mut came = vec![0u32; index.cells.len() * 4];
        for round in 0.. {
            assert!(round < 500, "it settles");
            let next = order(&index, &from, &budgets, &state(&here, &[]));
            for (cell, level) in &next.drop {
                here[*cell as usize] &= !(1 << level);
            }
            for ask in &next.ask {
                here[ask.cell as usize] |= 1 << ask.level;
                came[ask.cell as usize * 4 + ask.level as usize] += 1;
            }
            let used: u64 = index
                .cells
                .iter()
                .zip(&here)
                .map(|(cell, here)| {
                    cell.levels
                        .iter()
                        .enumerate()
                        .filter(|(at, _)| here >> at & 1 == 1)
                        .map(|(_, level)| u64::from(level.length))
                        .sum::<u64>()
                })
                .sum();
            assert!(used <= budgets.memory, "{used} of {}", budgets.memory);
            assert!(here.iter().all(|here| *here != 0), "nothing is absent");
            if next == Order::default() {
                break;
            }
        }
        assert!(came.iter().all(|times| *times <= 1), "nothing comes twice while the eye rests");
        let nearest = (0..index.cells.len()).min_by(|a, b| {
            let distance = |at: usize| index.cells[at].bounds.center().distance(eye);
            distance(*a).total_cmp(&distance(*b))
        });
        settled_at.push(here[nearest.expect("some")].trailing_zeros());
    }
    assert_eq!(settled_at, [0, 0, 0], "what is near is at full detail");
}

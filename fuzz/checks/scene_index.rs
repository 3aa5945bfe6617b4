//! What must hold of any bytes as the index of a scene. Used by the fuzzer, and by the tests over the kept corpus.

use twin_model::TwinIndex;
use twin_scene::bvh::Ray;
use twin_scene::cells::{Budgets, CellScene, Index, State, View, order};
use twin_scene::geometry::Aabb;
use twin_scene::merge::PartIndex;

/// Words; or an index that is the same after another trip, whose numbers all point at something, and that answers without anything
/// being here.
pub(crate) fn check(bytes: &[u8]) {
    let index = match Index::read(bytes) {
        Ok(index) => index,
        Err(error) => {
            assert!(error.to_string().len() > 20, "words: {error}");
            return;
        }
    };
    assert_eq!(Index::read(&index.write()).as_ref(), Ok(&index), "what is written is what was read");
    numbers(&index);
    let cells = index.cells.len();
    for (memory, here) in [(0, 0u8), (u64::MAX, 0), (1 << 20, 1), (0, 0xff)] {
        let view = View { eye: glam::Vec3::ONE, fov_y: 0.7, height: 720.0, tolerance: 1.0, planes: &[] };
        let state = State { here: &vec![here; cells], asked: &[], unhealthy: &[true] };
        let plan = order(&index, &view, &Budgets { in_flight: 1 << 20, memory }, &state);
        assert!(plan.ask.iter().all(|ask| index.level(ask.cell, ask.level).is_some_and(|level| level.piece == ask.piece)));
        assert!(plan.drop.iter().all(|(cell, level)| here >> level & 1 == 1 && index.level(*cell, *level).is_some()));
    }
    let mut scene = CellScene::new(index);
    for direction in [glam::Vec3::X, glam::Vec3::new(-0.3, 1e-20, 2.0)] {
        if let Some(hit) = scene.raycast(&Ray::new(glam::Vec3::splat(-3.0), direction), &|part| part.0 != 1) {
            assert!(hit.part.0 != 1 && hit.part.at() < scene.index().parts.len() && !hit.t.is_nan());
        }
    }
    let mut found = 0;
    scene.in_box(&Aabb { min: glam::Vec3::NEG_INFINITY, max: glam::Vec3::INFINITY }, &mut |_| found += 1);
    assert!(found <= scene.index().parts.len(), "every part once");
}

fn numbers(index: &Index) {
    for (at, part) in (0u32..).map(PartIndex).zip(&index.parts) {
        assert!(part.model < index.models && !part.bounds.is_empty());
        assert_eq!(index.part_of_node(part.model, part.node), Some(at));
        assert!(part.twin.is_none_or(|twin| index.parts_of(twin).any(|part| part == at)));
        for (cell, local) in index.cells_of(at) {
            assert_eq!(index.parts_in(cell).get(usize::from(local)), Some(&at), "a part is where it is said to be");
        }
    }
    // Long paths of a hostile index are worth a few only.
    for at in (0u32..).map(PartIndex).take(index.parts.len().min(100)) {
        assert!(index.path(at).is_some_and(|path| path.len() <= 4_096));
    }
    assert_eq!(index.path(PartIndex(u32::MAX)), None);
    assert!(index.bounds_of(TwinIndex(u32::MAX)).is_empty());
    for (cell, info) in (0u32..).zip(&index.cells) {
        assert!(info.materials.iter().all(|material| (*material as usize) < index.materials.len()));
        assert!(index.parts_in(cell).iter().all(|part| part.at() < index.parts.len()));
        for (level, info) in (0u32..).zip(&info.levels) {
            let piece = index.pieces.get(info.piece as usize).copied().unwrap_or_default();
            assert!(info.offset.checked_add(info.length).is_some_and(|end| end <= piece), "a level lies in its piece");
            assert!(index.levels_in(info.piece).any(|own| own == (cell, level)));
        }
    }
    assert!(index.materials.iter().all(|material| (material.image as usize) < index.images.len()));
}

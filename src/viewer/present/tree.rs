//! The rows of the asset tree and what the legend counts: made once for a site, then brought up to date where a twin changed.

use twin_engine::{Changed, Engine, TwinState};
use twin_model::{Model, TwinIndex};
use twin_ui::view::{FreshnessCounts, StatusCounts, TreeRow, ViewModel};

/// Where the row of each twin stands, and what changed since rows were last brought up to date.
#[derive(Debug, Default)]
pub struct TreeKept {
    rows: Vec<u32>,
    /// Adds up from refresh to refresh.
    pub changed: Changed,
}

/// Brings rows and counts up to the engine's frame.
pub(super) fn tree(kept: &mut TreeKept, vm: &mut ViewModel, engine: &Engine) {
    let (model, frame) = (engine.model(), engine.frame());
    let changed = std::mem::take(&mut kept.changed);
    let twins = frame.twins.len();
    if kept.rows.len() != twins || vm.tree.len() > twins {
        build(kept, vm, model, &frame.twins);
    } else if changed.all {
        model.twin_indices().for_each(|twin| renew(kept, vm, twin, &frame.twins));
    } else {
        changed.twins.iter().for_each(|twin| renew(kept, vm, *twin, &frame.twins));
    }
    if changed.all || !changed.twins.is_empty() {
        vm.tree_stamp += 1;
        count(vm, model, &frame.twins);
    }
}

fn build(kept: &mut TreeKept, vm: &mut ViewModel, model: &Model, twins: &[TwinState]) {
    vm.tree.clear();
    vm.tree_stamp += 1;
    kept.rows = vec![u32::MAX; twins.len()];
    let mut stack: Vec<(TwinIndex, u16)> = model.roots().map(|twin| (twin, 0)).collect();
    stack.reverse();
    while let Some((index, depth)) = stack.pop() {
        let twin = model.twin(index);
        let Some(state) = twins.get(index.at()) else { continue };
        kept.rows[index.at()] = vm.tree.len() as u32;
        vm.tree.push(TreeRow {
            twin: index,
            id: twin.id.to_string(),
            name: twin.display_name.clone(),
            depth,
            judged: twin.is_judged(),
            status: state.status,
            last_known: state.last_known,
            rollup: state.rollup,
            troubled: state.troubled,
            silent: state.silent,
            freshness: state.freshness,
            alarms: state.alarms,
            priority: state.rollup_priority,
        });
        stack.extend(twin.children.iter().rev().map(|child| (*child, depth.saturating_add(1))));
    }
    count(vm, model, twins);
}

fn renew(kept: &TreeKept, vm: &mut ViewModel, twin: TwinIndex, twins: &[TwinState]) {
    let row = kept.rows.get(twin.at()).and_then(|row| vm.tree.get_mut(*row as usize));
    let (Some(row), Some(state)) = (row, twins.get(twin.at())) else { return };
    row.status = state.status;
    row.last_known = state.last_known;
    row.rollup = state.rollup;
    row.troubled = state.troubled;
    row.silent = state.silent;
    row.freshness = state.freshness;
    row.alarms = state.alarms;
    row.priority = state.rollup_priority;
}

fn count(vm: &mut ViewModel, model: &Model, twins: &[TwinState]) {
    vm.status_counts = StatusCounts::default();
    vm.freshness_counts = FreshnessCounts::default();
    for (twin, state) in model.twins().iter().zip(twins) {
        // An asset of which nothing is known counts as unknown; what only groups others is no asset.
        if twin.is_judged() || twin.children.is_empty() {
            vm.status_counts.0[usize::from(state.status.code())] += 1;
            vm.freshness_counts.0[usize::from(state.freshness.code())] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use twin_engine::bench::{Load, ViewConfig};
    use twin_engine::{EngineCommand, EngineConfig, SeekTo};
    use twin_model::{Span, Timestamp};
    use twin_ui::view::SiteView;

    use super::*;

    #[test]
    fn rows_that_are_brought_up_to_date_are_those_that_would_be_made_anew() {
        let config = ViewConfig { twins: 60, changes: 60, seconds: 0, frames: 0, seed: 7 };
        let mut load = Load::new(config);
        let mut engine = Engine::new(load.model().clone(), EngineConfig::default());
        let (mut vm, mut kept) = (ViewModel::empty(SiteView::default()), TreeKept::default());
        let start = Timestamp::from_secs(1_772_409_600);
        let mut samples = Vec::new();
        for step in 1..200_i64 {
            load.until(start + Span::from_secs(step), &mut samples);
            engine.ingest(&samples);
            let t = start + Span::from_secs(if step % 3 == 0 { step * 7 % 40 } else { step });
            engine.apply(EngineCommand::Seek(SeekTo::Exact(t))).expect("seeking works");
            kept.changed.add(engine.refresh(), engine.model().twins().len());
            // Panels are not filled with every frame.
            if step % 2 == 0 {
                tree(&mut kept, &mut vm, &engine);
                let (mut anew, mut fresh) = (ViewModel::empty(SiteView::default()), TreeKept::default());
                tree(&mut fresh, &mut anew, &engine);
                assert_eq!(vm.tree, anew.tree, "after {step} steps");
                assert_eq!((vm.status_counts, vm.freshness_counts), (anew.status_counts, anew.freshness_counts));
            }
        }
        assert!(vm.tree.iter().any(|row| row.troubled > 0) && vm.tree.len() == engine.model().twins().len());
    }
}

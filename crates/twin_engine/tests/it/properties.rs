//! Named properties: no look-ahead; live equals replay, whatever the order of arrival.

use proptest::prelude::*;
use twin_engine::StateReport;
use twin_model::{Sample, SignalIndex};

use crate::plant::{at, engine, reading};

fn samples() -> impl Strategy<Value = Vec<(SignalIndex, Sample)>> {
    proptest::collection::vec((0_u32..3, 0_i64..300, 0_u8..120), 1..300)
        .prop_map(|all| all.into_iter().map(|(signal, t, v)| reading(SignalIndex(signal), t, f64::from(v) / 4.0)).collect())
}

/// Of one instant the last one counts, so duplicates are settled before orders are compared.
fn settled(mut all: Vec<(SignalIndex, Sample)>) -> Vec<(SignalIndex, Sample)> {
    let mut seen = std::collections::BTreeMap::new();
    for (signal, sample) in all.drain(..) {
        seen.insert((sample.source_time, signal), sample);
    }
    seen.into_iter().map(|((_, signal), sample)| (signal, sample)).collect()
}

fn replayed(samples: &[(SignalIndex, Sample)], t: i64) -> StateReport {
    let mut e = engine();
    e.ingest(samples);
    e.state_at(at(t))
}

proptest! {
    #[test]
    fn nothing_from_after_an_instant_changes_its_state(all in samples(), t in 0_i64..300) {
        let all = settled(all);
        let known: Vec<_> = all.iter().filter(|(_, sample)| sample.source_time <= at(t)).cloned().collect();
        prop_assert_eq!(replayed(&known, t), replayed(&all, t));
    }

    #[test]
    fn live_equals_replay_at_every_instant(all in samples(), batch in 1_usize..40) {
        let all = settled(all);
        let mut live = engine();
        for group in all.chunks(batch) {
            live.ingest(group);
            let t = group.last().map_or(0, |(_, sample)| sample.source_time.as_micros() / 1_000_000);
            let known: Vec<_> = all.iter().filter(|(_, sample)| sample.source_time <= at(t)).cloned().collect();
            let here: Vec<_> = live.state_at(at(t)).twins;
            // Samples of the same instant may still be in the next group.
            if known.len() == all.iter().position(|each| each == group.last().unwrap()).unwrap() + 1 {
                prop_assert_eq!(here, replayed(&known, t).twins);
            }
        }
        for t in (0..300).step_by(17) {
            prop_assert_eq!(live.state_at(at(t)), replayed(&all, t));
        }
    }

    #[test]
    fn the_order_of_arrival_never_matters(all in samples(), seed in any::<u64>()) {
        let all = settled(all);
        let mut shuffled = all.clone();
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        let mut e = engine();
        for group in shuffled.chunks(7) {
            e.ingest(group);
        }
        for t in (0..300).step_by(23) {
            prop_assert_eq!(e.state_at(at(t)), replayed(&all, t));
        }
    }
}

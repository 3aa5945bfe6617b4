//! Named property: live equals replay. What a follower was shown at an instant is what history says of that instant, given the
//! samples that had been received by then.
//!
//! What may differ is exactly one thing: a sample that was still on its way, or whose successor was. So history restricted to what had been received gives
//! the same answer always, and all of history wherever nothing of that instant or before came later.

use proptest::prelude::*;
use twin_engine::{ActiveAlarm, Engine, EngineCommand, SeekTo, StateReport, TwinState};
use twin_health::TwinHealth;
use twin_historian::{Chunk, SignalSpec, Store, StoreConfig};
use twin_model::{Flags, Quality, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};

use crate::plant::{at, engine, model};

/// Everything that is on the screen about health at an instant.
#[derive(Debug, PartialEq)]
struct Shown {
    twins: Vec<TwinState>,
    alarms: Vec<ActiveAlarm>,
    reasons: Vec<TwinHealth>,
    report: StateReport,
}

fn shown(engine: &mut Engine) -> Shown {
    engine.refresh();
    let reasons = engine.model().twin_indices().map(|twin| engine.explain(twin)).collect();
    let report = engine.state_at(engine.playback().playhead());
    Shown { twins: engine.frame().twins.clone(), alarms: engine.frame().alarms.clone(), reasons, report }
}

type Samples = Vec<(SignalIndex, Sample)>;

/// Readings of five minutes with lags of receipt up to `longest`, some of them doubled, bad, without a value, or stored and
/// forwarded; in order of receipt.
fn recording(longest: i64) -> impl Strategy<Value = Samples> {
    let lag = prop_oneof![6 => 0..2_000.min(longest + 1), 2 => 0..=longest, 1 => -3_000.min(longest)..=0];
    let one = (0_u32..3, 0_i64..300_000, lag, 0_u8..120, 0_u8..40);
    proptest::collection::vec(one, 1..250).prop_map(|all| {
        let mut samples: Samples = all
            .into_iter()
            .map(|(signal, t, lag, v, odd)| {
                let source_time = Timestamp::from_millis(t);
                let sample = Sample {
                    source_time,
                    received_time: source_time + Span::from_millis(lag),
                    value: Value::Float(if odd == 5 { f64::NAN } else { f64::from(v) }),
                    quality: [Quality::BAD, Quality::UNCERTAIN].get(usize::from(odd)).copied().unwrap_or(Quality::GOOD),
                    flags: if odd == 6 || lag > 20_000 {
                        Flags::HISTORICAL
                    } else {
                        [Flags::NONE, Flags::NULL][usize::from(odd == 7)]
                    },
                };
                (SignalIndex(signal), sample)
            })
            .collect();
        samples.sort_by_key(|(signal, sample)| (sample.received_time, sample.source_time, *signal));
        // Which of two comes first that were taken and received at once is no property of time.
        samples.dedup_by_key(|(signal, sample)| (*signal, sample.source_time, sample.received_time));
        samples
    })
}

/// Follows the recording as it comes in, looking every `period`; what was shown at each look.
fn followed(samples: &Samples, period: Span) -> Vec<(Timestamp, Shown)> {
    let mut live = engine();
    let (mut waiting, mut looks) = (&samples[..], Vec::new());
    let mut now = at(0);
    while !waiting.is_empty() || now < at(320) {
        let come = waiting.partition_point(|(_, sample)| sample.received_time <= now);
        live.ingest(&waiting[..come]);
        waiting = &waiting[come..];
        live.tick(Some(now), period, true);
        assert_eq!(live.playback().playhead(), now, "a follower is at the live edge");
        looks.push((now, shown(&mut live)));
        now = now + period;
    }
    looks
}

/// The samples as chunks, cut at a stretch of `slab`.
fn chunks(samples: &[(SignalIndex, Sample)], slab: Span) -> Vec<Chunk> {
    let config = StoreConfig { slab, lane_signals: 2, ..StoreConfig::default() };
    let mut store = Store::new(model().signals().iter().map(SignalSpec::from), config);
    for (signal, sample) in samples {
        store.append(*signal, sample);
    }
    store.export_chunks(TimeRange::new(Timestamp::MIN, Timestamp::MAX))
}

/// An engine that never saw any of it live.
fn from_history(mut chunks: Vec<Chunk>, backwards: bool) -> Engine {
    let mut replay = engine();
    if backwards {
        chunks.reverse();
    }
    for chunk in &chunks {
        replay.import_chunk(&chunk.bytes).expect("what was written can be read");
    }
    replay.tick(None, Span::ZERO, false);
    replay
}

fn seen_at(replay: &mut Engine, t: Timestamp) -> Shown {
    replay.apply(EngineCommand::Seek(SeekTo::Exact(t))).expect("a seek always works");
    shown(replay)
}

fn config() -> ProptestConfig {
    let long = std::env::var_os("ORRERY_LONG_TESTS").is_some();
    ProptestConfig { cases: if long { 2_000 } else { 64 }, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn live_equals_replay_of_what_had_been_received_by_then(
        samples in recording(120_000), period in 2_i64..60, slab in 5_i64..400, backwards: bool
    ) {
        for (t, live) in followed(&samples, Span::from_secs(period)) {
            let known = &samples[..samples.partition_point(|(_, sample)| sample.received_time <= t)];
            let mut replay = from_history(chunks(known, Span::from_secs(slab)), backwards);
            prop_assert_eq!(seen_at(&mut replay, t), live, "at {}", t);
        }
    }

    #[test]
    fn live_equals_replay_of_everything_wherever_nothing_was_still_on_its_way(
        samples in recording(20_000), period in 1_i64..30, slab in 5_i64..400, backwards: bool
    ) {
        let mut replay = from_history(chunks(&samples, Span::from_secs(slab)), backwards);
        // Backwards in time, as somebody who drags the playhead from the end.
        for (t, live) in followed(&samples, Span::from_secs(period)).into_iter().rev() {
            // A reading ahead of the instant is seen by its clock; one that came later for the very same time took its place.
            let replaces = |signal: SignalIndex, later: &Sample| {
                let same = |sample: &Sample| sample.source_time == later.source_time && sample.received_time <= t;
                samples.iter().any(|(other, sample)| *other == signal && same(sample))
            };
            let on_its_way = |(signal, sample): &(SignalIndex, Sample)| {
                sample.received_time > t && (sample.source_time <= t || replaces(*signal, sample))
            };
            if !samples.iter().any(on_its_way) {
                prop_assert_eq!(seen_at(&mut replay, t), live, "at {}", t);
            }
        }
    }

    #[test]
    fn without_lag_live_equals_replay_at_every_instant(samples in recording(0), period in 1_i64..30, slab in 5_i64..400) {
        let mut replay = from_history(chunks(&samples, Span::from_secs(slab)), false);
        for (t, live) in followed(&samples, Span::from_secs(period)) {
            prop_assert_eq!(seen_at(&mut replay, t), live, "at {}", t);
        }
    }
}

#[test]
fn the_recordings_of_these_properties_raise_and_clear_alarms_and_change_statuses() {
    // So that the properties above compare more than silence.
    let rise = |t: i64| (SignalIndex(2), Sample::float(at(t), if (100..150).contains(&t) { 95.0 } else { 50.0 }));
    let looks = followed(&(0..300).map(rise).collect(), Span::from_secs(10));
    let alarms: Vec<usize> = looks.iter().map(|(_, shown)| shown.alarms.len()).collect();
    assert!(alarms.contains(&1) && alarms.first() == Some(&0) && alarms.last() == Some(&0), "{alarms:?}");
    let statuses: std::collections::BTreeSet<_> =
        looks.iter().flat_map(|(_, shown)| shown.reasons.iter().map(|health| health.status)).collect();
    assert!(statuses.len() > 1, "{statuses:?}");
}

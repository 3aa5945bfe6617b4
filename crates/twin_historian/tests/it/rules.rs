//! The rules for what is taken in and what is answered, one literal case each.

use twin_historian::{Appended, Cursor, Direction, SignalSpec, Snapshot, Store, StoreConfig};
use twin_model::{Flags, Quality, Sample, SignalKind, Span, TimeRange, Timestamp, Value, ValueKind};

use crate::kit::{ALWAYS, S0, S1, all, analog, at, pairs, range, secs, snapshot};

#[test]
fn a_late_sample_goes_into_history_and_never_moves_the_live_value_back() {
    let mut store = analog(1);
    assert_eq!(store.append(S0, &at(10, 10, 1.0)), Appended::New);
    assert_eq!(store.append(S0, &at(5, 11, 2.0)), Appended::Late);
    assert_eq!(store.live(S0).unwrap().value, Value::Float(1.0));
    assert_eq!(store.latest_at(S0, secs(100)).unwrap().value, Value::Float(1.0));
    assert_eq!(store.latest_at(S0, secs(7)).unwrap().value, Value::Float(2.0));
    assert_eq!(store.counters().late, 1);
}

#[test]
fn store_and_forward_data_holds_from_its_time_on_and_is_no_clock_that_runs_ahead() {
    let mut store = analog(1);
    store.append(S0, &at(10, 10, 1.0));
    let historical = |t: i64, value: f64| Sample { flags: Flags::HISTORICAL, ..at(t, 20, value) };
    assert_eq!(store.append(S0, &historical(12, 2.0)), Appended::New);
    assert_eq!(store.append(S0, &historical(5, 3.0)), Appended::Late);
    assert_eq!(store.append(S0, &historical(60, 4.0)), Appended::New);
    let holds = |t: i64| store.measured_at(S0, secs(t)).unwrap().value;
    assert_eq!([9, 11, 30, 60].map(holds), [3.0, 1.0, 2.0, 4.0].map(Value::Float));
    assert_eq!((store.live(S0).unwrap().value, store.ahead_at(S0, secs(30))), (Value::Float(1.0), None));
}

#[test]
fn neither_the_future_nor_a_forecast_is_what_now_shows() {
    let mut store = analog(1);
    store.append(S0, &at(10, 10, 1.0));
    store.append(S0, &at(11, 11, 2.0));
    let forecast = Sample { flags: Flags::PREDICTED, ..at(12, 11, 3.0) };
    store.append(S0, &forecast);
    // A device whose clock is five minutes ahead.
    store.append(S0, &at(315, 15, 4.0));
    let live = |now: i64| store.measured_at(S0, secs(now)).map(|sample| sample.value);
    assert_eq!(live(9), None, "nothing was measured by then");
    assert_eq!(live(10), Some(Value::Float(1.0)));
    assert_eq!(live(20), Some(Value::Float(2.0)), "measured, and by then");
    assert_eq!(live(315), Some(Value::Float(4.0)), "its time has come");
    let ahead = |now: i64| store.ahead_at(S0, secs(now)).map(|sample| sample.source_time);
    assert_eq!((ahead(14), ahead(15), ahead(314), ahead(315)), (None, Some(secs(315)), Some(secs(315)), None));
    assert_eq!(store.live(S0).unwrap().value, Value::Float(4.0), "nothing is lost");
}

#[test]
fn predictions_hold_nothing_and_are_looked_through_within_a_bound() {
    let mut store = analog(1);
    for t in 0..40_000 {
        store.append(S0, &Sample { flags: Flags::PREDICTED, ..at(t, 0, 1.0) });
    }
    assert_eq!(store.measured_at(S0, secs(50_000)), None);
    store.append(S0, &at(40_000, 40_000, 7.0));
    for t in 40_001..80_000 {
        store.append(S0, &Sample { flags: Flags::PREDICTED, ..at(t, 0, 1.0) });
    }
    // Behind more of them than anybody looks through it is not found; nearer it is.
    let holds = |t: i64| store.measured_at(S0, secs(t)).map(|sample| sample.value);
    assert_eq!((holds(50_000), holds(70_000)), (Some(Value::Float(7.0)), None));
}

#[test]
fn of_two_samples_with_one_source_time_the_later_received_wins() {
    let check = |first: (i64, f64), second: (i64, f64), wins: f64| {
        let mut store = analog(1);
        store.append(S0, &at(5, first.0, first.1));
        assert_eq!(store.append(S0, &at(5, second.0, second.1)), Appended::Duplicate);
        assert_eq!(pairs(&store, S0), [(5, wins)]);
        assert_eq!(store.counters().duplicates, 1);
    };
    check((6, 1.0), (7, 2.0), 2.0);
    check((7, 1.0), (6, 2.0), 1.0);
    check((6, 1.0), (6, 2.0), 2.0);
}

#[test]
fn a_clock_that_steps_back_is_counted_once_and_its_samples_as_late() {
    let mut store = analog(1);
    for (t, r) in [(100, 100), (101, 101), (41, 102), (42, 103), (43, 104), (102, 105)] {
        store.append(S0, &at(t, r, 0.0));
    }
    assert_eq!((store.counters().backward, store.counters().late), (1, 3));
}

#[test]
fn a_far_future_sample_is_quarantined_and_a_near_one_only_counted() {
    let mut store = analog(1);
    assert_eq!(store.append(S0, &at(4_000, 0, 1.0)), Appended::Quarantined);
    assert_eq!(store.append(S0, &at(60, 0, 2.0)), Appended::New);
    assert_eq!(store.latest_at(S0, Timestamp::MAX).unwrap().value, Value::Float(2.0));
    let counters = store.counters();
    assert_eq!((counters.quarantined, counters.ahead_of_received), (1, 1));
    assert_eq!(counters.max_ahead, Span::from_secs(4_000));
    assert_eq!(store.quarantined().next().unwrap().sample.value, Value::Float(1.0));
}

#[test]
fn a_prediction_may_lie_in_the_future() {
    let mut store = analog(1);
    let sample = Sample { flags: Flags::PREDICTED, ..at(1_000_000, 0, 1.0) };
    assert_eq!(store.append(S0, &sample), Appended::New);
}

#[test]
fn a_sample_of_an_unknown_signal_is_refused_and_counted() {
    let mut store = analog(1);
    assert_eq!(store.append(S1, &at(1, 1, 1.0)), Appended::Quarantined);
    assert_eq!(store.counters().unknown_signal, 1);
    assert_eq!(store.latest_at(S1, secs(9)), None);
}

#[test]
fn nan_and_infinities_are_kept_bit_for_bit_counted_and_break_the_line() {
    let mut store = analog(1);
    let odd = f64::from_bits(0x7ff8_0000_0000_1234);
    for (t, v) in [(0, 1.0), (1, odd), (2, f64::INFINITY), (3, -0.0), (4, 2.0)] {
        store.append(S0, &at(t, t, v));
    }
    let bits: Vec<u64> = all(&store, S0, ALWAYS).iter().map(|s| s.value.as_f64().unwrap().to_bits()).collect();
    assert_eq!(bits, [1.0, odd, f64::INFINITY, -0.0, 2.0].map(f64::to_bits));
    assert_eq!((store.counters().nan, store.counters().infinite), (1, 1));
    let envelope = store.envelope(S0, range(0, 5), 100);
    assert_eq!(envelope.buckets.len(), 3);
    assert_eq!(envelope.gaps, [range(0, 3)]);
    assert_eq!(envelope.min_max(), Some((-0.0, 2.0)));
}

#[test]
fn every_kind_of_value_comes_back_even_where_the_signal_declares_another() {
    let mut store = Store::new([SignalSpec::new(SignalKind::Discrete, ValueKind::Text)], StoreConfig::default());
    let values =
        [Value::text("RUN"), Value::Int(-7), Value::Bool(true), Value::Float(0.5), Value::text("STOP"), Value::text("RUN")];
    for (t, value) in values.iter().enumerate() {
        store.append(S0, &Sample::new(secs(t as i64), value.clone()));
    }
    let back: Vec<Value> = all(&store, S0, ALWAYS).into_iter().map(|s| s.value).collect();
    assert_eq!(back, values);
    assert_eq!(store.counters().kind_mismatch, 3);
    assert_eq!(snapshot(&store, secs(4)).get(S0).unwrap().value, Value::text("STOP"));
    assert_eq!(store.word(S0, 1.0), Some("STOP"));
}

#[test]
fn quality_flags_and_both_clocks_come_back() {
    let mut store = analog(1);
    let sample = Sample {
        source_time: Timestamp::from_micros(1_000_001),
        received_time: Timestamp::from_micros(1_234_567),
        value: Value::Float(1.5),
        quality: Quality::BAD_SENSOR_FAILURE,
        flags: Flags::MANUAL.with(Flags::SIMULATED),
    };
    store.append(S0, &sample);
    assert_eq!(all(&store, S0, ALWAYS), std::slice::from_ref(&sample));
    assert_eq!(snapshot(&store, secs(2)).get(S0), Some(sample));
    assert_eq!(snapshot(&store, secs(1)).get(S0), None);
}

#[test]
fn a_snapshot_shows_each_signal_as_of_the_instant() {
    let mut store = analog(3);
    for t in 0..10 {
        store.append(S0, &at(t, t, t as f64));
    }
    store.append(S1, &at(4, 4, 40.0));
    let shot = snapshot(&store, secs(5));
    assert_eq!(shot.len(), 3);
    assert_eq!((shot.number(S0), shot.number(S1)), (Some(5.0), Some(40.0)));
    assert_eq!(shot.iter().filter(|(_, sample)| sample.is_some()).count(), 2);
    assert_eq!(snapshot(&store, secs(3)).get(S1), None);
}

#[test]
fn neighbours_are_strictly_before_and_after() {
    let mut store = analog(1);
    for t in [1, 5, 9] {
        store.append(S0, &at(t, t, 0.0));
    }
    let next = |t, direction| store.next_sample_time(S0, secs(t), direction).map(|t| t.as_micros() / 1_000_000);
    assert_eq!((next(5, Direction::Forward), next(5, Direction::Backward)), (Some(9), Some(1)));
    assert_eq!((next(9, Direction::Forward), next(1, Direction::Backward)), (None, None));
    assert_eq!((next(0, Direction::Forward), next(10, Direction::Backward)), (Some(1), Some(9)));
}

#[test]
fn an_envelope_keeps_every_peak_and_draws_gaps_as_gaps() {
    let mut store = analog(1);
    for t in (0..1_000).chain(2_000..3_000) {
        let v = if t == 777 { 99.0 } else { (t % 7) as f64 };
        store.append(S0, &at(t, t, v));
    }
    let envelope = store.envelope(S0, range(100, 2_900), 50);
    assert!(envelope.buckets.len() <= 50, "{}", envelope.buckets.len());
    assert_eq!(envelope.min_max(), Some((0.0, 99.0)));
    assert_eq!(envelope.samples(), 1_800);
    assert_eq!(envelope.gaps, [range(999, 2_000)]);
    assert_eq!(envelope.before.unwrap().source_time, secs(99));
    assert_eq!(envelope.after.unwrap().source_time, secs(2_900));
}

#[test]
fn few_samples_come_as_they_are() {
    let mut store = analog(1);
    for t in [0, 1, 2, 10] {
        store.append(S0, &at(t, t, t as f64));
    }
    let envelope = store.envelope(S0, ALWAYS, 100);
    assert_eq!(envelope.buckets.iter().map(|b| b.first.v).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 10.0]);
    assert_eq!(envelope.gaps, [range(2, 10)]);
    assert_eq!((envelope.before, envelope.after), (None, None));
}

#[test]
fn density_counts_samples_of_all_signals_by_bucket() {
    let mut store = analog(2);
    for t in 0..10 {
        store.append(S0, &at(t, t, 0.0));
    }
    store.append(S1, &at(9, 9, 0.0));
    assert_eq!(store.density(range(0, 10), 5), [2, 2, 2, 2, 3]);
    assert_eq!(store.density(range(-10, 20), 3), [0, 11, 0]);
    assert_eq!(store.density(range(5, 5), 2), [0, 0]);
}

#[test]
fn extents_end_just_after_the_last_sample() {
    let mut store = analog(2);
    assert_eq!(store.extent(), None);
    store.append(S0, &at(3, 3, 0.0));
    store.append(S1, &at(7, 7, 0.0));
    let just_after = |t| secs(t) + Span::from_micros(1);
    assert_eq!(store.extent(), Some(TimeRange::new(secs(3), just_after(7))));
    assert_eq!(store.extent_of(S0), Some(TimeRange::new(secs(3), just_after(3))));
}

#[test]
fn instants_at_the_ends_of_time_are_answered_not_overflowed() {
    let mut store = analog(1);
    store.append(S0, &Sample::float(Timestamp::MIN, 1.0));
    store.append(S0, &Sample::float(Timestamp::MAX, 2.0));
    assert_eq!(store.latest_at(S0, Timestamp::MIN).unwrap().value, Value::Float(1.0));
    assert_eq!(store.latest_at(S0, Timestamp::MAX).unwrap().value, Value::Float(2.0));
    assert!(!store.envelope(S0, ALWAYS, 10).buckets.is_empty());
    assert_eq!(store.density(ALWAYS, 4).len(), 4);
    assert!(!store.export_chunks(ALWAYS).is_empty());
    store.seal(Timestamp::MAX);
}

#[test]
fn time_in_state_counts_what_holds_from_before_and_nothing_before_the_first_sample() {
    let mut store = Store::new([SignalSpec::new(SignalKind::Discrete, ValueKind::Text)], StoreConfig::default());
    for (t, word) in [(10, "RUN"), (20, "STOP"), (25, "RUN")] {
        store.append(S0, &Sample::new(secs(t), Value::text(word)));
    }
    let check = |from, to, expected: &[(&str, i64)]| {
        let expected: Vec<_> = expected.iter().map(|(word, s)| (Value::text(word), Span::from_secs(*s))).collect();
        assert_eq!(store.time_in_state(S0, range(from, to)), expected);
    };
    check(0, 30, &[("RUN", 15), ("STOP", 5)]);
    check(22, 26, &[("STOP", 3), ("RUN", 1)]);
    check(0, 10, &[]);
    check(30, 30, &[]);
}

#[test]
fn a_counter_grows_by_its_rises_and_starts_again_after_a_reset() {
    let mut store = analog(1);
    for (t, v) in [(0, 100.0), (1, 104.0), (2, 3.0), (3, 5.0)] {
        store.append(S0, &at(t, t, v));
    }
    assert_eq!(store.increase(S0, range(0, 10)), Some(9.0));
    assert_eq!(store.increase(S0, range(1, 3)), Some(3.0));
    assert_eq!(store.increase(S0, range(-5, 0)), None);
}

#[test]
fn steps_over_all_signals_stop_at_every_sample() {
    let mut store = analog(2);
    store.append(S0, &at(1, 1, 0.0));
    store.append(S1, &at(3, 3, 0.0));
    assert_eq!(store.next_time(secs(1), Direction::Forward), Some(secs(3)));
    assert_eq!(store.next_time(secs(3), Direction::Backward), Some(secs(1)));
    assert_eq!(store.changed_in(range(1, 3)), [S0]);
    assert_eq!(store.changed_in(range(3, 3)), []);
}

#[test]
fn a_cursor_that_comes_from_another_store_or_a_clone_misleads_nobody() {
    let fill = |offset: f64| {
        let mut store = analog(2);
        for t in 0..1_000 {
            store.append(S0, &at(t, t, t as f64 + offset));
        }
        store
    };
    let (first, second) = (fill(0.0), fill(0.5));
    let mut clone = first.clone();
    clone.append(S0, &at(300, 2_000, -1.0));
    let mut cursor = Cursor::new();
    let mut out = Snapshot::new();
    for (store, expected) in [(&first, 300.0), (&second, 300.5), (&first, 300.0), (&clone, -1.0), (&first, 300.0)] {
        store.snapshot_at(secs(300), &mut cursor, &mut out);
        assert_eq!(out.number(S0), Some(expected));
    }
}

//! What stands between two samples.

use proptest::prelude::*;
use twin_historian::{Known, SignalSpec, Store, StoreConfig};
use twin_model::{Flags, HoldPolicy, Quality, Sample, SignalKind, Span, Value, ValueKind};

use crate::kit::{S0, analog, at, secs};

fn store(kind: SignalKind, samples: &[(i64, f64)]) -> Store {
    let spec = SignalSpec::new(kind, ValueKind::Float).with_gap_after(Span::from_secs(30));
    let mut store = Store::new([spec], StoreConfig::default());
    for (t, v) in samples {
        store.append(S0, &at(*t, *t, *v));
    }
    store
}

#[test]
fn between_two_samples_the_last_holds_or_a_line_is_drawn_and_says_so() {
    let check = |kind, policy, t: i64, seen: i64, value: f64, known: Known| {
        let got = store(kind, &[(10, 1.0), (20, 3.0), (100, 9.0)]).value_at(S0, secs(t), secs(seen), policy);
        let got = got.expect("a value");
        assert_eq!((got.value, got.known), (Value::Float(value), known), "{kind:?} {policy:?} at {t} seen from {seen}");
    };
    use HoldPolicy::{Hold, Linear};
    use SignalKind::{Analog, Counter, Discrete};
    check(Analog, Linear, 15, 50, 2.0, Known::Interpolated(secs(20)));
    check(Analog, Hold, 15, 50, 1.0, Known::Held);
    check(Analog, Linear, 20, 50, 3.0, Known::Sampled);
    // The next sample is not known yet: the line would look ahead.
    check(Analog, Linear, 15, 19, 1.0, Known::Held);
    check(Analog, Linear, 15, 20, 2.0, Known::Interpolated(secs(20)));
    // Not across a gap, not for states and counters, not beyond what is seen.
    check(Analog, Linear, 60, 200, 3.0, Known::Held);
    check(Discrete, Linear, 15, 50, 1.0, Known::Held);
    check(Counter, Linear, 15, 50, 1.0, Known::Held);
    check(Analog, Linear, 150, 15, 1.0, Known::Held);
    assert!(store(Analog, &[(10, 1.0)]).value_at(S0, secs(9), secs(50), Linear).is_none());
}

#[test]
fn no_line_is_drawn_to_what_is_no_sound_number() {
    for odd in [
        at(12, 12, f64::NAN),
        Sample { flags: Flags::NULL, ..at(12, 12, 0.0) },
        Sample { quality: Quality::BAD, ..at(12, 12, 5.0) },
        Sample { value: Value::text("x"), ..at(12, 12, 0.0) },
    ] {
        let mut store = analog(1);
        store.append(S0, &at(10, 10, 1.0));
        store.append(S0, &odd);
        let got = store.value_at(S0, secs(11), secs(50), HoldPolicy::Linear).expect("a value");
        assert_eq!((got.value, got.known), (Value::Float(1.0), Known::Held), "{odd:?}");
    }
}

proptest! {
    /// What is answered for an instant, seen from a later one, does not change with anything after that.
    #[test]
    fn a_value_between_samples_never_looks_ahead(
        samples in prop::collection::vec((0..100_i64, -5.0..5.0_f64), 1..30),
        t in 0..100_i64,
        seen in 0..100_i64,
    ) {
        let whole = store(SignalKind::Analog, &samples);
        let past: Vec<_> = samples.iter().copied().filter(|(t, _)| *t <= seen).collect();
        let known = store(SignalKind::Analog, &past);
        let ask = |store: &Store| store.value_at(S0, secs(t), secs(seen), HoldPolicy::Linear);
        prop_assert_eq!(ask(&whole), ask(&known));
        if let Some(got) = ask(&whole) {
            let values: Vec<f64> = past.iter().map(|(_, v)| *v).collect();
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            let v = got.value.as_f64().unwrap_or(f64::NAN);
            prop_assert!(low - 1e-9 <= v && v <= high + 1e-9);
        }
    }
}

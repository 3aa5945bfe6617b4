//! Distinct texts have a budget of their own: they stay within it, push no number out, and no number pushes them out.

use twin_historian::{Sealed, SignalSpec, Store, StoreConfig, chunk};
use twin_model::{Sample, SignalIndex, SignalKind, Value, ValueKind};

use crate::kit::{ALWAYS, all, range, secs};

const BUDGET: usize = 8 << 20;

/// Two numbers, two texts.
fn store() -> Store {
    let number = SignalSpec::new(SignalKind::Analog, ValueKind::Float);
    let text = SignalSpec::new(SignalKind::Discrete, ValueKind::Text);
    Store::new([number, number, text, text], StoreConfig { budget_bytes: BUDGET, ..StoreConfig::default() })
}

fn number(store: &mut Store, t: i64) {
    store.append(SignalIndex(0), &Sample::new(secs(t), Value::Float((t * 7_919 % 1_009) as f64 / 100.0)));
}

/// A text of some bytes that is the only one of its kind.
fn text(store: &mut Store, signal: u32, t: i64, bytes: usize) {
    let text = format!("{t:09}{}", "x".repeat(bytes - 9));
    store.append(SignalIndex(signal), &Sample::new(secs(t), Value::text(&text)));
}

fn count(store: &Store, signal: u32) -> usize {
    all(store, SignalIndex(signal), ALWAYS).len()
}

#[test]
fn texts_keep_to_their_budget_and_take_no_number() {
    let mut store = store();
    assert_eq!(store.text_budget() + store.number_budget(), BUDGET);
    for t in 0..20_000 {
        number(&mut store, t);
        text(&mut store, 2, t, 1_000);
        if t % 1_000 == 0 {
            store.append(SignalIndex(3), &Sample::new(secs(t), Value::text(["RUN", "STOP"][(t / 1_000 % 2) as usize])));
        }
        assert!(store.bytes().text <= store.text_budget(), "at {t}");
    }
    let counters = store.counters();
    assert_eq!((counters.thinned, count(&store, 0)), (0, 20_000), "no number went");
    assert_eq!(count(&store, 3), 20, "nor a text of a signal that has few");
    let left = all(&store, SignalIndex(2), ALWAYS);
    assert_eq!(counters.texts_given_up as usize + left.len(), 20_000, "what went is counted");
    assert!(left.len() > 500, "{} are left", left.len());
    let ascending: Vec<i64> = (20_000 - left.len() as i64..20_000).collect();
    let times: Vec<i64> = left.iter().map(|sample| sample.source_time.as_micros() / 1_000_000).collect();
    assert_eq!(times, ascending, "the oldest go");
    for sample in &left {
        let Value::Text(text) = &sample.value else { panic!() };
        assert!(text.starts_with(&format!("{:09}", sample.source_time.as_micros() / 1_000_000)), "and the rest is as it was");
    }
}

#[test]
fn numbers_take_no_text() {
    let mut store = store();
    for t in 0..1_000 {
        text(&mut store, 2, t, 1_000);
    }
    // More than their budget holds: random bits do not pack.
    for t in 0..2_000_000_i64 {
        let bits = (t as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        store.append(SignalIndex(1), &Sample::new(secs(t), Value::Float(f64::from_bits(bits >> 12 | 0x3ff0_0000_0000_0000))));
    }
    assert!(store.counters().thinned > 0, "{:?}", store.bytes());
    assert_eq!((store.counters().texts_given_up, count(&store, 2)), (0, 1_000));
}

#[test]
fn the_newest_text_of_a_signal_stays_whatever_it_takes() {
    let spec = SignalSpec::new(SignalKind::Discrete, ValueKind::Text);
    let mut store = Store::new(vec![spec; 100], StoreConfig { budget_bytes: 1 << 20, ..StoreConfig::default() });
    for t in 0..3 {
        for signal in 0..100 {
            text(&mut store, signal, t * 100 + i64::from(signal), 60_000);
        }
    }
    for signal in 0..100 {
        let newest = store.latest_at(SignalIndex(signal), secs(1_000)).unwrap();
        assert_eq!(newest.source_time, secs(200 + i64::from(signal)));
    }
    assert!(store.counters().texts_given_up >= 150, "{:?}", store.counters());
}

#[test]
fn a_slab_whose_texts_went_before_it_was_sealed_says_so() {
    let mut store = store();
    for t in 0..9_000 {
        text(&mut store, 2, t, 1_000);
    }
    // Of the first hour nothing is left, of the second something may be.
    assert!(all(&store, SignalIndex(2), range(0, 3_600)).is_empty());
    let sealed = store.seal(secs(7_200));
    let short: Vec<&Sealed> = sealed.iter().filter(|one| one.missing && !one.whole).collect();
    assert_eq!(short.len(), 2);
    assert_eq!((short[0].chunk.key.range(), short[0].chunk.samples), (range(0, 3_600), 0));
    assert_eq!(chunk::digest(&short[0].chunk.bytes), Ok(short[0].digest));
    assert_eq!(store.seal(secs(7_200)), [], "it says so once");
    // What goes after it was sealed is in a chunk: nothing is missing.
    for t in 9_000..12_000 {
        text(&mut store, 2, t, 1_000);
    }
    assert_eq!(store.seal(secs(7_200)), []);
    assert!(store.seal(secs(10_800)).iter().all(|one| one.chunk.key.range() == range(7_200, 10_800)));
}

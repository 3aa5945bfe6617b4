//! What must hold of any bytes as a table of samples, Parquet or CSV. Used by the fuzzer, and by the tests over the kept corpus.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use gateway::exchange::{Import, Named, Totals};
use gateway::stores::{ALWAYS, patient_store};
use twin_historian::Store;
use twin_model::{Model, SignalIndex};
use twin_table::TimeSpec;

use super::pump;

static MODEL: LazyLock<Model> = LazyLock::new(|| pump::model("", ""));

/// First and last bytes of a Parquet file.
const PARQUET: &[u8; 4] = b"PAR1";

/// The bytes as a CSV table.
#[allow(dead_code, reason = "each target uses one of the two")]
pub(crate) fn csv(bytes: &[u8]) {
    if !bytes.starts_with(PARQUET) {
        check(bytes);
    }
}

/// The bytes as a Parquet table, whatever stands where its mark belongs.
#[allow(dead_code, reason = "each target uses one of the two")]
pub(crate) fn parquet(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    if let Some(start) = bytes.first_chunk_mut() {
        *start = *PARQUET;
    }
    if let Some(end) = bytes.last_chunk_mut() {
        *end = *PARQUET;
    }
    check(&bytes);
}

/// An error in words, or rows that add up; what was taken in is there, and taking it in again changes nothing.
fn check(bytes: &[u8]) {
    let mut store = patient_store(&MODEL);
    let first = take(&mut store, bytes);
    let mut held = 0;
    for signal in 0..MODEL.signals().len() as u32 {
        store.for_each_sample(SignalIndex(signal), ALWAYS, &mut |_| {
            held += 1;
            ControlFlow::Continue(())
        });
    }
    assert_eq!(held, first.0.new, "what is counted is held");
    let again = take(&mut store, bytes);
    assert_eq!((again.0.new, again.0.replaced), (0, 0), "importing twice changes nothing");
    assert_eq!((again.0.rows, again.0.refused, &again.1, &again.2), (first.0.rows, first.0.refused, &first.1, &first.2));
}

/// The totals, the named rows and what the table as a whole is refused for.
fn take(store: &mut Store, bytes: &[u8]) -> (Totals, Vec<Named>, Result<(), String>) {
    let mut import = Import::new(&MODEL, TimeSpec::default(), store);
    let outcome = import.bytes("table", bytes.to_vec());
    let Totals { rows, new, replaced, already_there, kept, refused } = import.totals;
    assert_eq!(rows, new + replaced + already_there + kept + refused, "every row is counted once");
    assert_eq!(import.refused().map(|(_, n)| n).sum::<u64>(), refused);
    let named = import.named().to_vec();
    assert!(named.len() <= 5 * import.refused().count(), "{} rows named", named.len());
    assert!(named.iter().all(|row| !row.what.is_empty() && row.what.len() < 2_000), "{named:?}");
    assert!(outcome.as_ref().err().is_none_or(|why| !why.is_empty()), "an error has words");
    (import.totals, named, outcome)
}

//! What the gateway counts about samples, as one list for `/metrics` and `/api/counters`: every kind of odd sample has its
//! number, and the newest that were kept aside can be looked at.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value as Json, json};
use twin_health::clock_ahead;
use twin_historian::{BytesReport, Counters, Quarantined, Store};
use twin_model::{Flags, Model, SignalIndex, Span, TimeRange, Value, limits};

use crate::app::App;
use crate::sources::{Inbox, Refusal};

/// Name, meaning and number of everything that the store counts. Names are those of [`Counters`].
pub(crate) fn store(counters: &Counters) -> [(&'static str, &'static str, u64); 16] {
    let lead = u64::try_from(counters.max_ahead.as_micros()).unwrap_or(0);
    [
        ("stored", "Samples stored", counters.stored),
        ("late", "Samples behind their signal's newest", counters.late),
        ("backward", "Times that a signal's source time went back from one sample to the next", counters.backward),
        ("duplicates", "Samples with a source time already held", counters.duplicates),
        ("duplicates_replaced", "Duplicates that differed from the sample they replaced", counters.duplicates_replaced),
        ("quarantined", "Samples from too far in the future, kept aside", counters.quarantined),
        ("too_large", "Samples with a text longer than can be kept, kept aside in part", counters.too_large),
        ("ahead_of_received", "Stored samples with a source time after their receipt", counters.ahead_of_received),
        ("max_ahead_us", "Largest lead of a source time over its receipt, in microseconds", lead),
        ("nan", "Stored samples that are NaN", counters.nan),
        ("infinite", "Stored samples that are infinite", counters.infinite),
        ("kind_mismatch", "Samples of another kind than declared", counters.kind_mismatch),
        ("unknown_signal", "Samples of signals that the site does not have", counters.unknown_signal),
        ("imported", "Samples read from disk", counters.imported),
        ("thinned", "Samples that the memory budget took away", counters.thinned),
        ("texts_given_up", "Samples that the memory budget of texts took away", counters.texts_given_up),
    ]
}

/// Heap bytes by part of the store; `waste` is within `blocks`.
pub(crate) fn bytes(report: &BytesReport) -> [(&'static str, usize); 9] {
    [
        ("signals", report.signals),
        ("heads", report.heads),
        ("blocks", report.blocks),
        ("waste", report.waste),
        ("directory", report.directory),
        ("late", report.late),
        ("text", report.text),
        ("density", report.density),
        ("other", report.other),
    ]
}

/// Source id of an inbox.
pub(crate) fn source_of<'a>(model: &'a Model, inbox: &Inbox) -> &'a str {
    model.sources().get(inbox.source.at()).map_or("", |source| source.id.as_str())
}

/// Samples refused, with the word for why.
pub(crate) fn refused(inbox: &Inbox) -> impl Iterator<Item = (&'static str, u64)> {
    Refusal::ALL.iter().zip(&inbox.counts().refused).map(|(why, total)| (why.as_str(), read(total)))
}

/// Samples in history, each source time of a signal once; those count too that were thinned or are on disk only.
pub(crate) fn samples(store: &Store) -> u64 {
    // The store counts in slots of 16 minutes: a range that cuts none is counted exactly.
    let slot = Span::from_secs(960);
    let Some(extent) = store.extent() else { return 0 };
    let range = TimeRange::new(extent.start.floor_to(slot), extent.end.floor_to(slot) + slot);
    store.density(range, 1).first().map_or(0, |n| u64::from(*n))
}

/// Body of `GET /api/counters`.
pub(crate) fn json(app: &App) -> Json {
    let now = app.clock.now();
    let (counters, report, aside, samples, budgets, clocks) = app.hub.with_store(|store| {
        let ahead = |signal| store.ahead_at(signal, now).as_ref().and_then(clock_ahead).map(|by| (by, signal));
        let mut clocks: Vec<(Span, SignalIndex)> = app.hub.model().signal_indices().filter_map(ahead).collect();
        clocks.sort_by_key(|(by, signal)| (Reverse(*by), *signal));
        let aside: Vec<Quarantined> = store.quarantined().cloned().collect();
        let budgets = json!({ "numbers": store.number_budget(), "texts": store.text_budget() });
        (store.counters(), store.bytes(), aside, samples(store), budgets, clocks)
    });
    let model = app.hub.model();
    let mut parts: Map<String, Json> = bytes(&report).into_iter().map(|(part, n)| (part.to_owned(), json!(n))).collect();
    parts.insert("total".to_owned(), json!(report.total()));
    let inbox = |inbox: &Inbox| {
        let counts = inbox.counts();
        json!({
            "source": source_of(model, inbox),
            "senders": inbox.senders().0,
            "taken": read(&counts.taken),
            "refused": refused(inbox).map(|(why, n)| (why.to_owned(), json!(n))).collect::<Map<_, _>>(),
            "acks": read(&counts.acks),
            "waits": read(&counts.waits),
        })
    };
    let clock =
        |(by, signal): &(Span, SignalIndex)| json!({ "signal": model.signal(*signal).id.as_str(), "ahead_s": by.as_secs_f64() });
    json!({
        "samples": samples,
        "store": store(&counters).into_iter().map(|(name, _, n)| (name.to_owned(), json!(n))).collect::<Map<_, _>>(),
        "bytes": parts,
        "budgets": budgets,
        "ingest": app.inboxes.iter().map(inbox).collect::<Vec<_>>(),
        "clocks": { "ahead": clocks.len(), "signals": clocks.iter().take(CLOCKS).map(clock).collect::<Vec<_>>() },
        "quarantined": aside.iter().map(|one| quarantined(model, one)).collect::<Vec<_>>(),
    })
}

/// Signals whose clock runs ahead that are named; all are counted.
const CLOCKS: usize = 100;

fn quarantined(model: &Model, one: &Quarantined) -> Json {
    let sample = &one.sample;
    let id = model.signals().get(one.signal.at()).map(|signal| signal.id.as_str());
    let ahead = sample.source_time.as_micros().saturating_sub(sample.received_time.as_micros());
    json!({
        "signal": id,
        "time_us": sample.source_time.as_micros(),
        "received_us": sample.received_time.as_micros(),
        "value": match &sample.value {
            _ if sample.flags.has(Flags::NULL) => Json::Null,
            // JSON has no word for NaN and infinities.
            Value::Float(v) => serde_json::Number::from_f64(*v).map_or_else(|| json!(v.to_string()), Json::Number),
            Value::Int(v) => json!(v),
            Value::Bool(v) => json!(v),
            Value::Text(v) => json!(v.as_ref()),
        },
        "quality": sample.quality.bits(),
        "flags": sample.flags.0,
        "why": match id {
            None => "the site has no such signal".to_owned(),
            Some(_) if ahead <= 0 => format!("its text is longer than {} bytes; this is its beginning", limits::TEXT_BYTES),
            Some(_) => format!("its time is {} s after its receipt", ahead / 1_000_000),
        },
    })
}

pub(crate) fn read(total: &AtomicU64) -> u64 {
    total.load(Ordering::Relaxed)
}

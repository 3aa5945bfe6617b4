//! `/metrics` in the Prometheus text format.

use std::sync::atomic::{AtomicU64, Ordering};

use twin_historian::historian::LEVELS;
use twin_protocol::LinkState;

use crate::history::Persist;
use crate::server::App;

/// The whole page.
pub fn text(app: &App) -> String {
    let hub = &app.hub;
    let totals = &hub.totals;
    let mut out = Text::default();
    let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
    out.counter("orrery_samples_total", "Samples taken in", read(&totals.samples));
    out.counter("orrery_batches_total", "Batches made", read(&totals.batches));
    out.counter("orrery_batch_bytes_total", "Bytes of batch frames, encoded once for all clients", read(&totals.batch_bytes));
    out.gauge("orrery_clients", "Clients connected", read(&totals.clients));
    out.counter("orrery_clients_total", "Clients ever connected", read(&totals.clients_ever));
    out.counter("orrery_resumed_total", "Connections that got their missed batches", read(&totals.resumed));
    out.counter("orrery_gaps_total", "Connections that were told of a gap", read(&totals.gaps));
    out.counter("orrery_conflations_total", "Times that a slow client got newest values only", read(&totals.conflations));
    out.counter("orrery_left_out_total", "Samples that slow clients did not get", read(&totals.left_out));
    out.counter("orrery_bad_frames_total", "Frames of clients that made no sense", read(&totals.bad_frames));
    out.counter("orrery_bad_lines_total", "Lines at /ingest that could not be used", read(&totals.bad_lines));
    let (batches, bytes) = hub.backfill();
    out.gauge("orrery_backfill_batches", "Batches kept for clients that come back", batches as u64);
    out.gauge("orrery_backfill_bytes", "Their bytes", bytes as u64);
    let (counters, report) = hub.with_store(|store| (store.counters(), store.bytes()));
    out.gauge("orrery_store_bytes", "Heap of the time store", report.total() as u64);
    for (name, help, value) in [
        ("orrery_store_stored_total", "Samples stored", counters.stored),
        ("orrery_store_late_total", "Samples behind their signal's newest", counters.late),
        ("orrery_store_duplicates_total", "Samples with a source time already held", counters.duplicates),
        ("orrery_store_quarantined_total", "Samples from too far in the future", counters.quarantined),
        ("orrery_store_unknown_signal_total", "Samples of signals that the site does not have", counters.unknown_signal),
        ("orrery_store_nan_total", "Stored samples that are NaN", counters.nan),
        ("orrery_store_kind_mismatch_total", "Samples of another kind than declared", counters.kind_mismatch),
        ("orrery_store_imported_total", "Samples read from disk", counters.imported),
        ("orrery_store_thinned_total", "Samples that the memory budget took away", counters.thinned),
    ] {
        out.counter(name, help, value);
    }
    if let Some(persist) = hub.persist() {
        kept(persist, &mut out);
    }
    out.head("orrery_source_up", "Whether the gateway hears from a source", "gauge");
    for link in hub.links() {
        let up = u64::from(link.state == LinkState::Up);
        out.line(&format!("orrery_source_up{{source=\"{}\"}}", escape(&link.source)), up);
    }
    out.0
}

/// What the keeper has and did.
fn kept(persist: &Persist, out: &mut Text) {
    let totals = persist.totals();
    let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
    if persist.outlives() {
        out.counter("orrery_disk_commits_total", "Transactions written", read(&totals.commits));
        out.counter("orrery_disk_errors_total", "Transactions that failed; tried again twice a second", read(&totals.errors));
        out.counter(
            "orrery_disk_given_up_total",
            "Batches that waited in memory because the disk was slow",
            read(&totals.given_up),
        );
        out.counter("orrery_disk_bytes_total", "Bytes of history written", read(&totals.bytes));
        out.counter("orrery_disk_damaged_total", "Kept pieces found damaged", read(&totals.damaged));
        out.gauge("orrery_disk_slowest_commit_us", "Longest time from a batch to its commit", read(&totals.slowest_us));
        out.gauge("orrery_disk_pending_bytes", "Bytes of batches not committed yet", persist.pending() as u64);
        out.gauge("orrery_disk_failing", "Whether the last commit failed", u64::from(persist.failing()));
        out.gauge("orrery_durable_batch", "Newest batch that survives a kill", *persist.durable().borrow());
    }
    out.counter("orrery_history_expired_total", "Chunks removed by --keep", read(&totals.expired));
    out.counter("orrery_history_expired_bytes_total", "Their bytes", read(&totals.expired_bytes));
    out.head("orrery_history_kept_bytes", "Bytes of chunks kept, by level", "gauge");
    for level in LEVELS {
        out.line(&format!("orrery_history_kept_bytes{{level=\"{level}\"}}"), persist.kept_bytes(level));
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, value: u64) {
        self.0.push_str(&format!("{name} {value}\n"));
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.line(name, value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        self.line(name, value);
    }
}

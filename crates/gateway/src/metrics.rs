//! `/metrics` in the Prometheus text format.

use std::sync::atomic::AtomicU64;

use twin_historian::historian::LEVELS;
use twin_protocol::LinkState;

use crate::app::App;
use crate::counters::{self, read};
use crate::history::Persist;
use crate::hub::Hub;
use crate::sources::{Inbox, IngestCounts};

/// The whole page.
pub fn text(app: &App) -> String {
    let hub = &app.hub;
    let totals = &hub.totals;
    let mut out = Text::default();
    out.counter("orrery_samples_total", "Samples taken in", read(&totals.samples));
    out.counter("orrery_batches_total", "Batches made", read(&totals.batches));
    out.counter("orrery_batch_bytes_total", "Bytes of batch frames, encoded once for all clients", read(&totals.batch_bytes));
    out.gauge("orrery_clients", "Clients connected", read(&totals.clients));
    out.counter("orrery_clients_total", "Clients ever connected", read(&totals.clients_ever));
    let seats = &app.peers.seats;
    out.gauge("orrery_connections", "Connections open, sockets included", seats.taken() as u64);
    out.gauge("orrery_connections_max", "Connections that may be open", seats.most() as u64);
    out.counter("orrery_connections_total", "Connections ever taken", read(&seats.counts.ever));
    out.counter("orrery_connections_refused_total", "Connections refused because all seats worked", read(&seats.counts.refused));
    out.counter("orrery_connections_let_go_total", "Idle connections that made room for others", read(&seats.counts.let_go));
    out.gauge("orrery_answer_bytes", "Bytes of answers on their way", app.peers.answers.taken() as u64);
    let vitals = hub.vitals();
    out.counter("orrery_broken_connections_total", "Connections whose task broke", read(&vitals.broken_connections));
    out.counter("orrery_deaths_total", "Threads and sources that broke", vitals.deaths().len() as u64);
    let reasons = crate::ready::reasons(app);
    out.gauge("orrery_ready", "Whether /readyz says ready", u64::from(reasons.is_empty()));
    out.head("orrery_not_ready", "Why not, by code", "gauge");
    for code in crate::ready::CODES {
        let now = reasons.iter().any(|reason| reason.code == code);
        out.line(&format!("orrery_not_ready{{code=\"{code}\"}}"), u64::from(now));
    }
    out.counter("orrery_resumed_total", "Connections that got their missed batches", read(&totals.resumed));
    out.counter("orrery_gaps_total", "Connections that were told of a gap", read(&totals.gaps));
    out.counter("orrery_conflations_total", "Times that a slow client got newest values only", read(&totals.conflations));
    out.counter("orrery_left_out_total", "Samples that slow clients did not get", read(&totals.left_out));
    out.counter("orrery_json_batches_total", "JSON forms of batches, made once for all clients", read(&totals.texts));
    out.counter("orrery_bad_frames_total", "Frames of clients that made no sense", read(&totals.bad_frames));
    out.counter("orrery_repeated_total", "Samples that said again what was held already", read(&totals.repeated));
    out.counter("orrery_bad_lines_total", "Lines at /ingest that could not be used", read(&totals.bad_lines));
    let (batches, bytes) = hub.backfill();
    out.gauge("orrery_backfill_batches", "Batches kept for clients that come back", batches as u64);
    out.gauge("orrery_backfill_bytes", "Their bytes", bytes as u64);
    store(hub, &mut out);
    ingest(app, &mut out);
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

/// What the time store holds, and what odd samples it was given.
fn store(hub: &Hub, out: &mut Text) {
    let (counters, report, budgets) =
        hub.with_store(|store| (store.counters(), store.bytes(), (store.number_budget(), store.text_budget())));
    out.gauge("orrery_store_bytes", "Heap of the time store", report.total() as u64);
    out.head("orrery_store_part_bytes", "Heap of the time store by part; waste is within blocks", "gauge");
    for (part, n) in counters::bytes(&report) {
        out.line(&format!("orrery_store_part_bytes{{part=\"{part}\"}}"), n as u64);
    }
    out.head("orrery_store_budget_bytes", "Heap that the time store may take for distinct texts, and for all else", "gauge");
    out.line("orrery_store_budget_bytes{of=\"numbers\"}", budgets.0 as u64);
    out.line("orrery_store_budget_bytes{of=\"texts\"}", budgets.1 as u64);
    for (name, help, value) in counters::store(&counters) {
        if name == "max_ahead_us" {
            out.gauge("orrery_store_max_ahead_us", help, value);
        } else {
            out.counter(&format!("orrery_store_{name}_total"), help, value);
        }
    }
}

/// What the keeper has and did.
fn kept(persist: &Persist, out: &mut Text) {
    let totals = persist.totals();
    if persist.outlives() {
        out.counter("orrery_disk_commits_total", "Transactions written", read(&totals.commits));
        out.counter("orrery_disk_errors_total", "Transactions that failed; tried again twice a second", read(&totals.errors));
        out.counter(
            "orrery_disk_given_up_total",
            "Batches that waited in memory because the disk was slow",
            read(&totals.given_up),
        );
        out.counter(
            "orrery_disk_lost_total",
            "Times that memory ran out while history could not be written; what was not acknowledged then is lost",
            read(&totals.lost),
        );
        out.counter("orrery_disk_bytes_total", "Bytes of history written", read(&totals.bytes));
        out.counter("orrery_disk_damaged_total", "Kept pieces found damaged, each counted once", persist.damaged());
        out.counter(
            "orrery_disk_reads_refused_total",
            "Reads of kept history that failed because it could not be reached",
            persist.refused_reads(),
        );
        out.gauge(
            "orrery_disk_unreadable",
            "Whether kept history as a whole can't be read any more",
            u64::from(persist.unreadable().is_some()),
        );
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

/// What senders at `/ingest` did, by source.
fn ingest(app: &App, out: &mut Text) {
    let model = app.hub.model();
    let labelled = |inbox: &Inbox| format!("source=\"{}\"", escape(counters::source_of(model, inbox)));
    let inboxes = || app.inboxes.iter().map(|inbox| (inbox, labelled(inbox)));
    out.head("orrery_ingest_senders", "Senders connected", "gauge");
    for (inbox, source) in inboxes() {
        out.line(&format!("orrery_ingest_senders{{{source}}}"), inbox.senders().0 as u64);
    }
    type Total = fn(&IngestCounts) -> &AtomicU64;
    let totals: [(&str, &str, Total); 3] = [
        ("orrery_ingest_taken_total", "Samples taken from senders", |counts| &counts.taken),
        ("orrery_ingest_acks_total", "Acknowledgements sent", |counts| &counts.acks),
        ("orrery_ingest_waits_total", "Times that a sender was not read because too much waited", |counts| &counts.waits),
    ];
    for (name, help, total) in totals {
        out.head(name, help, "counter");
        for (inbox, source) in inboxes() {
            out.line(&format!("{name}{{{source}}}"), read(total(inbox.counts())));
        }
    }
    out.head("orrery_ingest_refused_total", "Samples of senders that were not taken, by reason", "counter");
    for (inbox, source) in inboxes() {
        for (why, n) in counters::refused(inbox) {
            out.line(&format!("orrery_ingest_refused_total{{{source},why=\"{why}\"}}"), n);
        }
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

//! `/healthz` and `/readyz`: does this server live, and is it of use. Judges nothing that is not known already.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use std::sync::Arc;

use crate::publish::shelf::Remark;
use crate::server::App;

/// Why a server is not ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// For programs: one of [`CODES`].
    pub code: &'static str,
    /// For people: what it is and what follows.
    pub what: String,
}

/// All codes.
pub const CODES: [&str; 8] =
    ["loading", "thread.dead", "source.dead", "sources.stalled", "disk.damaged", "disk.refuses", "disk.behind", "sealer.behind"];

#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    reasons: &'a [Reason],
    #[serde(skip_serializing_if = "<[Reason]>::is_empty")]
    remarks: &'a [Reason],
}

/// Everything that is wrong now; nothing where the server is ready.
pub fn reasons(app: &App) -> Vec<Reason> {
    let vitals = app.hub.vitals();
    let mut reasons: Vec<Reason> = Vec::new();
    for death in vitals.deaths() {
        let (code, follows) = if death.fatal { ("thread.dead", "the program ends") } else { ("source.dead", "the others go on") };
        reasons.push(Reason { code, what: format!("{} broke: {}; {follows}", death.what, death.why) });
    }
    if let Some(silent) = vitals.stalled() {
        let what = format!("sources were not asked for {} s: nothing new is taken in", silent.as_secs());
        reasons.push(Reason { code: "sources.stalled", what });
    }
    if let Some(persist) = app.hub.persist().filter(|persist| persist.outlives()) {
        if let Some(why) = persist.unreadable() {
            let what = format!(
                "kept history can't be read any more: {why}; nothing more is written or acknowledged; stop the server and run \
                 orrery fsck --repair"
            );
            reasons.push(Reason { code: "disk.damaged", what });
        }
        if persist.failing() {
            let what = "history can't be written: samples wait in memory and are not acknowledged".to_owned();
            reasons.push(Reason { code: "disk.refuses", what });
        }
        if persist.missing_some() {
            let what = "the disk is slow: some samples are in memory only and are not acknowledged yet".to_owned();
            reasons.push(Reason { code: "disk.behind", what });
        }
    }
    if let Some(behind) = app.hub.sealing_behind() {
        let what = format!("finished hours were not sealed for {} min: the journal grows", behind.as_secs() / 60);
        reasons.push(Reason { code: "sealer.behind", what });
    }
    reasons
}

/// What a person should mend, while the server is of use: a server that is ended for it would have the same to say again.
fn remarks(app: &App) -> Vec<Reason> {
    let damaged = app.hub.persist().map_or(0, crate::history::Persist::damaged);
    let what = format!(
        "{damaged} pieces of the kept history can't be read, and readers are told that they are missing; orrery fsck says what they are"
    );
    let damaged = (damaged > 0).then_some(Reason { code: "history.damaged", what });
    let site = app.publication.remark().map(|Remark { code, what }| Reason { code, what });
    damaged.into_iter().chain(site).collect()
}

/// The answer of `/readyz`.
fn answer(reasons: &[Reason], remarks: &[Reason]) -> Response {
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(Ready { ready, reasons, remarks })).into_response()
}

/// Before there is anything to serve.
pub(crate) fn loading() -> Response {
    answer(&[Reason { code: "loading", what: "the site, its sources and its history are being read".to_owned() }], &[])
}

pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    answer(&reasons(&app), &remarks(&app))
}

pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Response {
    if app.hub.vitals().is_fatal() {
        return (StatusCode::INTERNAL_SERVER_ERROR, "dying; /readyz says why\n").into_response();
    }
    "ok\n".into_response()
}

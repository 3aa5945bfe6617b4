//! `/healthz` and `/readyz`: does this server live, and is it of use. Judges nothing that is not known already.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use std::sync::Arc;

use crate::app::App;
use crate::publish::shelf::Remark;

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Bytes;
    use tokio::sync::watch;
    use twin_historian::MemoryHistorian;
    use twin_model::{Model, TimeRange, Timestamp};

    use super::*;
    use crate::access::Access;
    use crate::clock::Clock;
    use crate::config::ServerConfig;
    use crate::history::{Persist, Setup};
    use crate::hub::Hub;
    use crate::page::Page;
    use crate::peers::Peers;
    use crate::publish::shelf::Shelf;
    use crate::stores::empty_store;

    /// A server over a keeper that outlives it, as it says.
    fn app() -> App {
        let site = "[site]\nid = \"s\"\n[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\" }]\n";
        let loaded = twin_site::load(site, "site.toml", &mut |_| Err("no files here".into()));
        let model: Arc<Model> = Arc::new(loaded.model);
        let persist = Persist::over(Box::new(MemoryHistorian::new()), &model, Setup::default(), true, None).unwrap();
        let store = empty_store(&model, 1 << 20);
        let hub = Arc::new(Hub::new(model, Timestamp::MIN, crate::RingLimits::default(), store, Some(persist)));
        let config = ServerConfig::default();
        App {
            hub,
            clock: Clock::live(),
            page: Page::Missing,
            site_hash: String::new(),
            publication: Arc::new(Shelf::default()),
            inboxes: Vec::new(),
            peers: Peers::new(&config),
            config,
            access: Access::default(),
            stopping: watch::channel(false).1,
        }
    }

    /// The one reason why a server is not ready.
    fn only(app: &App) -> Reason {
        let mut reasons = reasons(app);
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert!(CODES.contains(&reasons[0].code), "{reasons:?}");
        assert_eq!(answer(&reasons, &[]).status(), StatusCode::SERVICE_UNAVAILABLE);
        reasons.remove(0)
    }

    #[test]
    fn a_server_is_not_ready_while_samples_are_in_memory_only() {
        let app = app();
        assert_eq!(reasons(&app), []);
        // More than may be on its way to the disk.
        let persist = app.hub.persist().unwrap();
        let times = TimeRange::new(Timestamp::from_secs(1), Timestamp::from_secs(2));
        persist.tail(1, Bytes::from(vec![0; 80 << 20]), 1, times);
        let found = only(&app);
        assert_eq!(found.code, "disk.behind", "slow, and not one that refuses: {}", found.what);
        assert!(found.what.contains("not acknowledged yet"), "{}", found.what);
        persist.made_up(1);
        assert!(persist.sync());
        assert_eq!(reasons(&app), [], "made up for");
    }

    #[test]
    fn a_server_is_not_ready_where_no_round_of_sealing_ends_for_ten_minutes() {
        let app = app();
        app.hub.seal_begin();
        app.hub.began_sealing(Duration::from_secs(400));
        assert_eq!(reasons(&app), []);
        app.hub.began_sealing(Duration::from_secs(660));
        let found = only(&app);
        assert_eq!(found.code, "sealer.behind");
        assert!(found.what.contains("min: the journal grows"), "{}", found.what);
        app.hub.seal(Timestamp::from_secs(7_200));
        assert!(app.hub.persist().unwrap().sync());
        assert_eq!(reasons(&app), [], "a round that ends makes up for all before it");
    }

    #[test]
    fn a_server_is_not_ready_where_nobody_asks_its_sources() {
        let app = app();
        let vitals = app.hub.vitals();
        assert_eq!(reasons(&app), [], "without a pump nobody is silent");
        vitals.beat_before(Duration::from_secs(5));
        assert_eq!(reasons(&app), []);
        vitals.beat_before(Duration::from_secs(45));
        let found = only(&app);
        assert_eq!(found.code, "sources.stalled");
        assert!(found.what.starts_with("sources were not asked for "), "{}", found.what);
        vitals.beat();
        assert_eq!(reasons(&app), []);
    }
}

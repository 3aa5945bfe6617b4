//! The life of a server: it listens while it still loads, serves, and lets everybody go with a word, by order or because a part
//! of it broke.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::accept::{self, Arrive, Deadlines, Seats};
use crate::app::App;
use crate::arrival::Door;
use crate::config::ServerConfig;
use crate::ready;
use crate::server::router;

/// Requests that come while the server loads wait this long for it.
const LOADING: Duration = Duration::from_secs(20);

/// What a server needs to take connections, before it has anything to tell.
pub struct Doorway<A> {
    /// Where connections come from.
    pub listener: TcpListener,
    /// What they are wrapped in.
    pub arrive: A,
    /// Seats, those of [`App::peers`].
    pub seats: Arc<Seats>,
    /// How long a peer may take for what.
    pub deadlines: Deadlines,
}

impl<A: Arrive> Doorway<A> {
    /// With the deadlines of a configuration.
    pub fn new(listener: TcpListener, arrive: A, seats: Arc<Seats>, config: &ServerConfig) -> Self {
        let ServerConfig { request_timeout, send_timeout, .. } = *config;
        let deadlines = Deadlines { head: request_timeout, body: request_timeout, send: send_timeout };
        Self { listener, arrive, seats, deadlines }
    }
}

/// Serves until `shutdown` completes, then lets every client go with a word.
///
/// # Errors
/// Where a part broke without which the server is of no use ([`crate::vitals`]).
pub async fn run(
    listener: TcpListener,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let door = Doorway::new(listener, Door::plain(), app.peers.seats.clone(), &app.config);
    run_loading(door, stop, shutdown, async { Ok::<_, std::io::Error>(app) }).await.map(|_| ())
}

/// The same for what still loads: `/healthz` and `/readyz` answer at once, everything else waits some seconds for it. Gives what was
/// loaded, or nothing where `shutdown` came first.
///
/// # Errors
/// Those of `load`, and as [`run`].
pub async fn run_loading<A: Arrive, E: From<std::io::Error>>(
    door: Doorway<A>,
    stop: watch::Sender<bool>,
    shutdown: impl Future<Output = ()>,
    load: impl Future<Output = Result<Arc<App>, E>>,
) -> Result<Option<Arc<App>>, E> {
    let (ready, waiting) = watch::channel(None);
    let handler = move |request| answer(waiting.clone(), request);
    let Doorway { listener, arrive, seats, deadlines } = door;
    let router = Router::new().fallback(handler);
    let serving = accept::serve(listener, arrive, router, seats, deadlines, stop.subscribe());
    tokio::pin!(serving, shutdown);
    let loaded = tokio::select! {
        loaded = load => Some(loaded?),
        () = &mut shutdown => None,
        () = &mut serving => return Ok(None),
    };
    let mut broke = None;
    if let Some(app) = &loaded {
        ready.send_replace(Some(router_of(app)));
        tokio::select! {
            () = &mut shutdown => {}
            why = app.hub.vitals().fatal() => broke = Some(why),
            () = &mut serving => return Ok(loaded),
        }
    }
    stop.send_replace(true);
    serving.await;
    match broke {
        Some(why) => Err(std::io::Error::other(why).into()),
        None => Ok(loaded),
    }
}

fn router_of(app: &Arc<App>) -> Router {
    router(app.clone())
}

/// Hands a request to the routes once there are some.
async fn answer(mut ready: watch::Receiver<Option<Router>>, request: Request<Body>) -> Response {
    if ready.borrow().is_none() {
        match request.uri().path() {
            "/healthz" => return "ok\n".into_response(),
            "/readyz" => return ready::loading(),
            _ => {}
        }
        // Also where the server stops or fails to load: then nothing comes any more.
        timeout(LOADING, ready.wait_for(Option::is_some)).await.ok();
    }
    let routes = ready.borrow().clone();
    let Some(routes) = routes else {
        let head = [(header::RETRY_AFTER, "5")];
        return (StatusCode::SERVICE_UNAVAILABLE, head, "still loading; /readyz tells when that is done\n").into_response();
    };
    match TowerToHyperService::new(routes).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

//! Room for answers that are made for one request: booked before they are made, and held until their last byte is written. Answers
//! that nobody reads must not fill this program's memory. Knows nothing of what is answered.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::Instant;
use twin_model::limits;

use crate::app::App;
use crate::page::Content;
use crate::peers::Guest;
use crate::turns::{Asker, Turns};

/// What an answer about history is at most; one that is larger, which takes odd data, goes out where there is room for all of it.
const HISTORY_MOST: usize = limits::FRAME_BYTES;
/// What any other answer is, nearly always.
const SMALL: usize = 64 << 10;

/// Everything that reads history for somebody takes its turn: packing chunks keeps a core busy, and many askers at once are not to
/// starve the stream.
static TURNS: LazyLock<Turns> = LazyLock::new(Turns::default);

fn no_room() -> Response {
    let words = "too many answers are on their way unread; try again in 2 s\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], words).into_response()
}

/// Room for a small answer, as a layer.
pub(crate) async fn small(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match app.peers.answers.come_within(app.config.room_patience, 0, peer.ip(), SMALL).await {
        Err(_) => no_room(),
        Ok(room) => held(next.run(request).await, room).await,
    }
}

/// An answer that `work` makes of history, in its turn. The room is taken with the turn: who waits for one has none yet.
pub(crate) async fn history(app: &App, peer: IpAddr, work: impl FnOnce(&Asker) -> Response + Send + 'static) -> Response {
    let answers = &app.peers.answers;
    let mut end = None;
    loop {
        let turn = match TURNS.take().await {
            Err(refused) => return refused,
            Ok(turn) => turn,
        };
        let until = *end.get_or_insert_with(|| Instant::now() + app.config.room_patience);
        let given_back = answers.given_back(until);
        if let Ok(room) = answers.come(0, peer, HISTORY_MOST) {
            // The room goes with the work, which ends later than the wait for it where the asker leaves.
            let made = turn.work(move |asker| (work(asker), room)).await;
            let Some((response, room)) = made else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
            return held(response, room).await;
        }
        drop(turn);
        if !given_back.await {
            return no_room();
        }
    }
}

/// Puts what a file of the page holds into an answer to it. What all answers share takes no room.
pub(crate) async fn page(app: &App, peer: IpAddr, response: Response, content: Content) -> Response {
    let body = match content {
        Content::Shared(bytes) => Body::from(bytes),
        Content::File(file) => match app.peers.answers.come_within(app.config.room_patience, 0, peer, file.held()).await {
            Err(_) => return no_room(),
            Ok(room) => Body::new(file.body(room)),
        },
    };
    response.map(|_| body)
}

/// A response whose bytes hold their room, to the last of them: its body may be through while they wait to be written.
async fn held(response: Response, mut room: Guest) -> Response {
    let (head, body) = response.into_parts();
    // These answers are made whole: nothing is waited for here.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    if room.set(bytes.len()).is_err() {
        return no_room();
    }
    Response::from_parts(head, Body::from(Bytes::from_owner(Held { bytes, _room: room })))
}

/// Bytes with the room that they take.
struct Held {
    bytes: Bytes,
    _room: Guest,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

//! The server's side of a WebSocket (RFC 6455): the handshake, messages in, and messages out that many peers share without a copy
//! for each. Knows no frames of ours.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

pub(crate) use tokio_tungstenite::tungstenite::protocol::CloseFrame;
pub(crate) use tokio_tungstenite::tungstenite::{Error, Message};

/// What a socket may cost while it is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buffers {
    /// Bytes that are read at a time, and kept for the next time.
    pub(crate) read: usize,
    /// Bytes of one message from the peer.
    pub(crate) message: usize,
}

/// A request that wants to become a socket.
pub(crate) struct Upgrade {
    on: OnUpgrade,
    accept: String,
    offered: Vec<String>,
    chosen: Option<&'static str>,
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let no = |what: &str| {
            let head = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
            (StatusCode::UPGRADE_REQUIRED, head, format!("this address speaks WebSocket: {what}\n")).into_response()
        };
        if parts.method != Method::GET {
            return Err(no("the method must be GET"));
        }
        if !lists(&parts.headers, &header::CONNECTION, "upgrade") || !lists(&parts.headers, &header::UPGRADE, "websocket") {
            return Err(no("the request must ask for an upgrade to it"));
        }
        if parts.headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(no("its version must be 13"));
        }
        let Some(key) = parts.headers.get(header::SEC_WEBSOCKET_KEY) else { return Err(no("it needs a Sec-WebSocket-Key")) };
        let accept = derive_accept_key(key.as_bytes());
        let offered = listed(&parts.headers, &header::SEC_WEBSOCKET_PROTOCOL).map(str::to_owned).collect();
        let Some(on) = parts.extensions.remove::<OnUpgrade>() else { return Err(no("this connection can't be upgraded")) };
        Ok(Self { on, accept, offered, chosen: None })
    }
}

/// The comma-separated words of all headers of a name.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    listed(headers, name).any(|one| one.eq_ignore_ascii_case(word))
}

impl Upgrade {
    /// Takes the first of `known` subprotocols that the peer offers.
    pub(crate) fn protocols(mut self, known: &[&'static str]) -> Self {
        self.chosen = known.iter().find(|name| self.offered.iter().any(|offered| offered == *name)).copied();
        self
    }

    /// The subprotocol that was agreed on.
    pub(crate) fn selected(&self) -> Option<&'static str> {
        self.chosen
    }

    /// Answers the request, and hands the socket to `talk` once the peer has that answer.
    pub(crate) fn on_upgrade<F>(self, buffers: Buffers, talk: impl FnOnce(Socket) -> F + Send + 'static) -> Response<Body>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { on, accept, chosen, .. } = self;
        tokio::spawn(async move {
            // A peer that has gone before its answer is nobody's fault.
            if let Ok(upgraded) = on.await {
                talk(Socket::new(upgraded, buffers).await).await;
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.extend(HeaderValue::try_from(accept).ok().map(|accept| (header::SEC_WEBSOCKET_ACCEPT, accept)));
        headers.extend(chosen.map(|name| (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name))));
        response
    }
}

/// What a whole message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

/// See the module's head.
pub(crate) struct Socket {
    inner: WebSocketStream<TokioIo<Upgraded>>,
}

impl Socket {
    async fn new(upgraded: Upgraded, buffers: Buffers) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(buffers.read)
            // What is written goes out at once: see `share`.
            .write_buffer_size(0)
            .max_message_size(Some(buffers.message))
            .max_frame_size(Some(buffers.message));
        Self { inner: WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await }
    }

    /// The peer's next message; none once the connection is closed. Answers pings on the way.
    pub(crate) async fn recv(&mut self) -> Option<Result<Message, Error>> {
        self.inner.next().await
    }

    /// The peer's next message where it is here already.
    pub(crate) fn recv_now(&mut self) -> Option<Option<Result<Message, Error>>> {
        self.inner.next().now_or_never()
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Where the connection is broken.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.inner.send(message).await
    }

    /// Takes a message to be sent with the next [`Self::flush`].
    ///
    /// # Errors
    /// Where the connection is broken.
    pub(crate) async fn feed(&mut self, message: Message) -> Result<(), Error> {
        self.inner.feed(message).await
    }

    /// Sends what was taken.
    ///
    /// # Errors
    /// Where the connection is broken.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        self.inner.flush().await
    }

    /// Sends one whole message whose bytes others may send, too: they go from where they are into the system's buffer. Where this
    /// is given up half-way, the socket is of no more use.
    ///
    /// # Errors
    /// Where the connection is broken.
    pub(crate) async fn share(&mut self, kind: Kind, payload: Bytes) -> Result<(), Error> {
        // Answers to pings, which must not end up inside.
        self.inner.flush().await?;
        let (head, n) = frame_head(kind, payload.len());
        let mut whole = hyper::body::Buf::chain(head.get(..n).unwrap_or_default(), payload);
        self.inner.get_mut().write_all_buf(&mut whole).await?;
        self.inner.get_mut().flush().await?;
        Ok(())
    }

    /// Says goodbye, and reads on for at most `patience`: a peer that is still sending then sees the close and no reset.
    pub(crate) async fn close(&mut self, code: u16, reason: &str, patience: Duration) {
        let reason: String = reason.chars().take(60).collect();
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let goodbye = async {
            if self.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
            loop {
                match self.recv().await {
                    Some(Ok(Message::Close(_))) | None => return,
                    Some(Ok(_)) => {}
                    // In the middle of a message that is not understood: what is left of it goes by unread.
                    Some(Err(_)) => break,
                }
            }
            let mut unread = vec![0; 64 << 10];
            while self.inner.get_mut().read(&mut unread).await.is_ok_and(|n| n > 0) {}
        };
        timeout(patience, goodbye).await.ok();
    }
}

/// Head of an unmasked whole message, and its length.
fn frame_head(kind: Kind, len: usize) -> ([u8; 10], usize) {
    let mut head = [0; 10];
    head[0] = if kind == Kind::Text { 0x81 } else { 0x82 };
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ ..126), _) => {
            head[1] = short;
            (head, 2)
        }
        (_, Ok(middle)) => {
            head[1] = 126;
            head[2..4].copy_from_slice(&middle.to_be_bytes());
            (head, 4)
        }
        _ => {
            head[1] = 127;
            head[2..].copy_from_slice(&(len as u64).to_be_bytes());
            (head, 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_message_has_the_length_in_as_few_bytes_as_the_standard_wants() {
        for (len, wanted) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65_535, vec![0x82, 126, 0xFF, 0xFF]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let (head, n) = frame_head(Kind::Binary, len);
            assert_eq!(head[..n], wanted, "{len}");
        }
        assert_eq!(frame_head(Kind::Text, 1).0[0], 0x81);
    }

    #[test]
    fn words_of_a_header_may_stand_in_several_lines_and_any_case() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.append(header::CONNECTION, HeaderValue::from_static("x"));
        assert!(lists(&headers, &header::CONNECTION, "upgrade") && lists(&headers, &header::CONNECTION, "X"));
        assert!(!lists(&headers, &header::CONNECTION, "up"));
    }
}

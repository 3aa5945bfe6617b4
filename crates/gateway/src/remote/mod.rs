//! Another gateway as a source of a recording: who it is and its stream. What it answers to plain questions, which are what it
//! publishes of its site and history, is in `http`, what it published before in `revisions`.

mod http;
mod revisions;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request};
use tokio_tungstenite::tungstenite::{self, Message};
use twin_model::Secret;
use twin_protocol::{
    ClientFrame, ClientHello, Limits, Resume, SUBPROTOCOL_BIN, ServerFrame, VERSIONS, decode_server, encode_client,
};

use crate::GatewayError;
use crate::wire::Wire;

pub use revisions::Following;

/// Longest wait for an answer or for a sign of life.
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway somewhere.
#[derive(Debug, Clone)]
pub struct Remote {
    /// `host:port`
    host: String,
    secure: bool,
    tls: Option<Arc<ClientConfig>>,
    token: Option<Secret>,
}

impl Remote {
    /// The gateway of an address like `http://127.0.0.1:7077/` or `https://plant/`; `None` where the text is no such address.
    /// One with a name or password before the host is none: secrets do not belong into addresses.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return None,
        };
        let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty() && !host.contains('@'))?;
        let port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if port { host.to_owned() } else { format!("{host}:{}", if secure { 443 } else { 80 }) };
        Some(Self { host, secure, tls: None, token: None })
    }

    /// Shows a token.
    #[must_use]
    pub fn with_token(self, token: Option<Secret>) -> Self {
        Self { token, ..self }
    }

    /// Trusts whom a configuration trusts; needed for addresses of https and wss.
    #[must_use]
    pub fn with_tls(self, tls: Arc<ClientConfig>) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Whether the address asks for TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Where nobody is there, or TLS was asked for and can't be had: it is never left out silently.
    pub async fn connect(&self) -> std::io::Result<Wire> {
        match (&self.tls, self.secure) {
            (None, true) => Err(std::io::Error::other("the address asks for TLS, and nobody said whom to trust")),
            (tls, secure) => Wire::connect(&self.host, tls.as_ref().filter(|_| secure)).await,
        }
    }

    /// A request for a socket, with the token in its header.
    ///
    /// # Errors
    /// Where the path is none.
    pub fn socket(&self, path: &str, subprotocol: &str) -> Result<Request<()>, GatewayError> {
        let scheme = if self.secure { "wss" } else { "ws" };
        let mut request = format!("{scheme}://{}{path}", self.host).into_client_request().map_err(|e| self.fail(e))?;
        let headers = request.headers_mut();
        if let Ok(name) = subprotocol.parse() {
            headers.insert("sec-websocket-protocol", name);
        }
        if let Some(token) = &self.token {
            let value = format!("Bearer {}", token.expose()).parse::<HeaderValue>();
            let mut value = value.map_err(|_| self.fail("the token does not fit into a header"))?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        Ok(request)
    }

    /// Words about a socket that did not open: what the gateway itself said, where it did.
    pub(crate) fn not_opened(&self, error: &tungstenite::Error) -> GatewayError {
        match error {
            tungstenite::Error::Http(response) => {
                let body = response.body().as_deref().unwrap_or_default();
                let words: String = String::from_utf8_lossy(body).trim().chars().take(300).collect();
                self.fail(format!("the gateway answered {}: {words}", response.status().as_u16()))
            }
            other => self.fail(other),
        }
    }

    /// `host:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn fail(&self, why: impl std::fmt::Display) -> GatewayError {
        let scheme = if self.secure { "https" } else { "http" };
        GatewayError::Stream { url: format!("{scheme}://{}/", self.host), why: why.to_string() }
    }

    /// Words about a gateway that can't be reached: what the system says, and what to look at.
    pub(crate) fn unreached(&self, error: &std::io::Error) -> GatewayError {
        use std::io::ErrorKind;
        let help = match error.kind() {
            ErrorKind::ConnectionRefused => {
                format!("; is a gateway running there? `orrery serve SITE --listen {}` starts one", self.host)
            }
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimedOut => {
                "; check the address, and what lies between".to_owned()
            }
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof => {
                "; is a gateway there, and does it speak https where the address says so?".to_owned()
            }
            // The system has no kind for it.
            _ if error.to_string().contains("lookup") => "; check the name of the machine".to_owned(),
            _ => String::new(),
        };
        self.fail(format!("{error}{help}"))
    }

    /// Opens the stream.
    ///
    /// # Errors
    /// Where it does not open.
    pub async fn stream(&self, resume: Option<Resume>) -> Result<RemoteStream, GatewayError> {
        let open = async {
            let request = self.socket("/stream", SUBPROTOCOL_BIN)?;
            let stream = self.connect().await.map_err(|e| self.unreached(&e))?;
            let opened = tokio_tungstenite::client_async(request, stream).await;
            let (mut socket, _) = opened.map_err(|e| self.not_opened(&e))?;
            let agent = concat!("orrery record ", env!("CARGO_PKG_VERSION")).to_owned();
            let hello = ClientFrame::Hello(ClientHello { versions: VERSIONS.to_vec(), agent, resume, token: None });
            socket.send(Message::Binary(encode_client(&hello).into())).await.map_err(|e| self.fail(e))?;
            Ok(RemoteStream {
                socket,
                remote: self.clone(),
                epoch: 0,
                place: resume.unwrap_or(Resume { epoch: 0, seq: 0, last_time: None }),
            })
        };
        timeout(PATIENCE, open).await.map_err(|_| self.fail("no answer in time"))?
    }
}

/// An open stream of another gateway.
pub struct RemoteStream {
    socket: WebSocketStream<Wire>,
    remote: Remote,
    /// Run of the server that this connection is to.
    epoch: u64,
    place: Resume,
}

impl RemoteStream {
    /// The next frame.
    ///
    /// # Errors
    /// Where the stream ended, broke, or was silent for too long.
    pub async fn next(&mut self) -> Result<ServerFrame, GatewayError> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.map_err(|_| self.remote.fail("silent for too long"))?;
            match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let frame = decode_server(&bytes, &Limits::SERVER_FRAMES).map_err(|e| self.remote.fail(e))?;
                    self.note(&frame);
                    return Ok(frame);
                }
                Some(Ok(Message::Close(_))) | None => return Err(self.remote.fail("the stream ended")),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.remote.fail(error)),
            }
        }
    }

    fn note(&mut self, frame: &ServerFrame) {
        let (seq, entries) = match frame {
            // Only samples make it our place: were it taken now and the link broke before the gap was told, the next resume
            // would hide it.
            ServerFrame::Hello(hello) => {
                self.epoch = hello.epoch;
                return;
            }
            ServerFrame::Snapshot(snapshot) => (snapshot.seq, &snapshot.entries),
            ServerFrame::Batch(batch) => (batch.seq, &batch.entries),
            _ => return,
        };
        (self.place.epoch, self.place.seq) = (self.epoch, seq);
        let newest = entries.iter().map(|entry| entry.sample.received_time).max();
        self.place.last_time = newest.max(self.place.last_time);
    }

    /// Where to go on after the connection broke.
    pub fn place(&self) -> Resume {
        self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_gateways_are_told_from_paths() {
        for (text, host) in [
            ("http://127.0.0.1:7077/", Some("127.0.0.1:7077")),
            ("http://plant", Some("plant:80")),
            ("ws://plant:1/stream", Some("plant:1")),
            ("assets/sites/bottling", None),
            ("http://", None),
            ("https://plant", Some("plant:443")),
            ("WSS://plant:8443/stream", Some("plant:8443")),
            ("https://user:pass@plant/", None),
            ("ftp://plant", None),
        ] {
            assert_eq!(Remote::parse(text).map(|remote| remote.host).as_deref(), host, "{text}");
        }
    }
}

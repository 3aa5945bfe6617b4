//! How connections arrive: as they are, or over TLS. Says of each where it came in and whether it showed a client certificate,
//! which [`crate::access`] asks about.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::Extensions;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::accept::Arrive;
use crate::access::Connection;
use crate::wire::Wire;

/// First byte of a TLS connection: a handshake record (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;
/// Answer to somebody who speaks HTTP where TLS is spoken.
const NOT_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n\
    this gateway speaks https (and wss); write https:// in the address\n";

/// See the module's head.
#[derive(Clone)]
pub struct Door(Option<TlsAcceptor>);

impl Door {
    /// Connections as they are.
    pub fn plain() -> Self {
        Self(None)
    }

    /// TLS only.
    pub fn tls(config: Arc<ServerConfig>) -> Self {
        Self(Some(config.into()))
    }
}

impl Arrive for Door {
    type Stream = Wire;

    async fn arrive(&self, tcp: TcpStream, peer: SocketAddr) -> std::io::Result<(Wire, Extensions)> {
        let local = tcp.local_addr().ok().map(|address| address.ip());
        let mut connection = Connection { peer: Some(peer.ip()), local, certified: false };
        let wire = match &self.0 {
            None => Wire::Plain(tcp),
            Some(acceptor) => {
                let mut first = [0];
                if tcp.peek(&mut first).await? == 1 && first != [HANDSHAKE] {
                    // A fresh socket takes this at once or never.
                    tcp.try_write(NOT_HTTP).ok();
                    return Err(std::io::Error::other("no TLS"));
                }
                let stream = acceptor.accept(tcp).await?;
                // What was shown was verified: rustls refuses the others.
                connection.certified = stream.get_ref().1.peer_certificates().is_some_and(|chain| !chain.is_empty());
                Wire::Tls(Box::new(stream.into()))
            }
        };
        let mut extensions = Extensions::new();
        extensions.insert(connection);
        Ok((wire, extensions))
    }

    fn plain(&self) -> bool {
        self.0.is_none()
    }
}

//! What a server may be told besides the site.

use std::time::Duration;

use twin_protocol::Capabilities;

use crate::lease::LeaseTimes;

/// What a server may be told besides the site.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Who may show the page in a frame: a CSP source list for `frame-ancestors`.
    pub frame_ancestors: String,
    /// Clients at a time.
    pub max_clients: usize,
    /// Connections at a time; none: twice the clients and 1,024.
    pub connections: Option<usize>,
    /// Senders of one source at a time.
    pub max_senders: usize,
    /// Bytes of answers made for one request each (history, files of a page folder) that may be on their way at a time.
    pub answer_bytes: usize,
    /// A request for whose answer there is no room waits this long for some.
    pub room_patience: Duration,
    /// What one address may have of connections, clients, senders and bytes on their way, in percent of all.
    pub address_share: u8,
    /// When silent peers are pinged and let go.
    pub lease: LeaseTimes,
    /// A request's head has to be complete this long after the answer before, its body this long after its head.
    pub request_timeout: Duration,
    /// Silence after which a client gets a keep-alive.
    pub keep_alive: Duration,
    /// A peer that takes next to nothing of an answer or a frame for this long is let go.
    pub send_timeout: Duration,
    /// What the server says that it can do.
    pub capabilities: Capabilities,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            frame_ancestors: "'self'".to_owned(),
            max_clients: 500,
            connections: None,
            max_senders: 128,
            answer_bytes: 256 << 20,
            room_patience: Duration::from_secs(2),
            address_share: 50,
            lease: LeaseTimes::default(),
            request_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            send_timeout: Duration::from_secs(30),
            capabilities: Capabilities::RESUME.with(Capabilities::HISTORY),
        }
    }
}

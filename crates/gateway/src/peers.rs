//! What peers may have of this server: seats and room, bounded in all and by address. Knows no sockets.

use std::sync::Arc;

use crate::accept::Seats;
use crate::server::ServerConfig;

/// Connections beside those of clients: pages, models, history, senders.
const BESIDE: usize = 1_024;

/// What all peers share.
pub struct Peers {
    /// Connections.
    pub seats: Arc<Seats>,
}

impl Peers {
    /// As a configuration has it.
    pub fn new(config: &ServerConfig) -> Self {
        let connections = config.connections.unwrap_or_else(|| Self::connections_for(config.max_clients));
        Self { seats: Seats::new(connections, share_of(connections, config.address_share)) }
    }

    /// Connections that so many clients need, with what they fetch beside their stream.
    pub fn connections_for(clients: usize) -> usize {
        clients.saturating_mul(2).saturating_add(BESIDE)
    }
}

/// What one address may have of `most`, at least one.
fn share_of(most: usize, percent: u8) -> usize {
    (most.saturating_mul(usize::from(percent.min(100))) / 100).max(1)
}

//! What handlers share. Each takes of it what it needs.

use std::sync::Arc;

use tokio::sync::watch;

use crate::access::Access;
use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::hub::Hub;
use crate::page::Page;
use crate::peers::Peers;
use crate::publish::shelf::Shelf;
use crate::sources::Inbox;

/// What all handlers share.
pub struct App {
    /// Samples and clients.
    pub hub: Arc<Hub>,
    /// Now.
    pub clock: Clock,
    /// The page.
    pub page: Page,
    /// Another one where another site is served.
    pub site_hash: String,
    /// Manifests and pieces.
    pub publication: Arc<Shelf>,
    /// Sources that take samples in.
    pub inboxes: Vec<Inbox>,
    /// Who may come in.
    pub access: Access,
    /// Seats and room.
    pub peers: Peers,
    /// Settings.
    pub config: ServerConfig,
    /// Turns true when the server stops.
    pub stopping: watch::Receiver<bool>,
}

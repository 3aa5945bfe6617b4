//! Who may come in, and who may do what. One layer in front of every route and both sockets ([`Access::admit`]) asks three
//! things in this order: is the request meant for this gateway (`hosts`), does a web page of somebody else stand behind it
//! (`hosts` again), and does its sender hold a token for what it wants (`grants`). Knows no samples and no routes but by what
//! they need.

mod audit;
mod failures;
mod grants;
mod hosts;
mod layer;
mod secret;
mod token;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use twin_model::Secret;

pub use audit::{Audit, Event};
pub use grants::{Grant, Grants, entry};
pub use hosts::{Hosts, host_name, origin};
pub use layer::{Connection, Entry, Head, Wish, admit};
pub use secret::{NamedToken, judge, token_of};
pub(crate) use secret::{read_text, readable_by_others};
pub use token::{Hash, new_token};

use failures::Failures;
use grants::Watched;

/// What a token may be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sees the plant: site, models, history, the stream, counters.
    View,
    /// Sends samples in.
    Send,
    /// Changes what others see or may do. Every use is in the audit log.
    Manage,
}

impl Role {
    /// All.
    pub const ALL: [Self; 3] = [Self::View, Self::Send, Self::Manage];

    /// The word of the access file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Send => "send",
            Self::Manage => "manage",
        }
    }
}

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the page without any data, and the sign of life.
    Nothing,
    /// A token with this role, where tokens are asked for.
    Role(Role),
}

/// Somebody who was let in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For the audit log: the name in the access file, `source:ID` for a source's own token, empty where nobody is asked.
    pub name: Arc<str>,
    /// `None` where nobody is asked, so nothing can be taken back either.
    grant: Option<Grant>,
}

impl Caller {
    fn anybody() -> Self {
        Self { name: "".into(), grant: None }
    }

    /// Whether it was asked for a token and showed one.
    pub fn was_asked(&self) -> bool {
        self.grant.is_some()
    }
}

/// A request that is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 400, 401, 403 or 429.
    pub status: StatusCode,
    /// What to do about it. Never holds anything of the request.
    pub words: String,
    /// Seconds to wait, for 429.
    pub retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), retry_after: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.words)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"orrery\""));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Longest wait for a changed access file to be looked at, and for an open socket to notice that its token is no more.
pub const NOTICED_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// The doorkeeper. By default it stands at a loopback address and asks nobody for a token.
#[derive(Debug, Default)]
pub struct Access {
    /// Tokens by file; without, everybody may do everything but send to a source that has a token of its own.
    watched: Option<Watched>,
    /// Tokens of sources, from the site file.
    own: Vec<(String, Hash)>,
    hosts: Hosts,
    /// Other origins whose pages may connect.
    origins: Vec<String>,
    failures: Failures,
    audit: Audit,
    /// A sender has to show a client certificate.
    certificates: bool,
}

impl Access {
    /// Asks for the tokens of an access file.
    ///
    /// # Errors
    /// Words, where the file can't be used.
    pub fn with_file(mut self, path: &std::path::Path) -> Result<Self, crate::GatewayError> {
        self.watched = Some(Watched::open(path)?);
        Ok(self)
    }

    /// Asks senders to a source for its own token.
    #[must_use]
    pub fn with_source(mut self, id: &str, token: &Secret) -> Self {
        self.own.push((id.to_owned(), Hash::of(token)));
        self
    }

    /// Answers to these names.
    #[must_use]
    pub fn with_hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Lets pages of these origins connect.
    #[must_use]
    pub fn with_origins(mut self, origins: &[String]) -> Self {
        self.origins = origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        self
    }

    /// Writes down what was managed and who was refused.
    #[must_use]
    pub fn with_audit(mut self, audit: Audit) -> Self {
        self.audit = audit;
        self
    }

    /// Asks senders for a client certificate.
    #[must_use]
    pub fn with_certificates(mut self) -> Self {
        self.certificates = true;
        self
    }

    /// Whether tokens are asked for at all.
    pub fn asks(&self) -> bool {
        self.watched.is_some()
    }

    /// What was granted, newest state of the file; empty where nobody is asked.
    pub fn grants(&self) -> Arc<Grants> {
        self.watched.as_ref().map(|watched| watched.now(&self.audit)).unwrap_or_default()
    }

    /// What is granted this very moment.
    fn newest_grants(&self) -> Arc<Grants> {
        self.watched.as_ref().map(|watched| watched.at_once(&self.audit)).unwrap_or_default()
    }

    /// The audit log.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Whether a caller may manage at this very moment: of a token, the newest state of the file counts.
    pub fn manages(&self, caller: &Caller) -> bool {
        let Some(grant) = &caller.grant else { return !self.asks() };
        let now = || self.grants().find(&grant.hash).is_some_and(|now| now.allows(Role::Manage));
        !grant.is_source_token() && !grant.has_expired(crate::clock::wall()) && now()
    }

    /// Writes down what a sender was refused, as often as wrong tokens of its address are.
    pub fn note_refused(&self, caller: &Caller, peer: Option<IpAddr>, what: &str) {
        if self.failures.note(peer, crate::clock::instant()).is_ok() {
            let status = StatusCode::FORBIDDEN.as_u16();
            self.audit.write(&Event { who: &caller.name, address: peer, what, status });
        }
    }

    /// Whether what a caller was let in for still holds: its token was neither taken out of the file nor is its time over, and it
    /// still has the role, for the source where samples are sent.
    pub fn still(&self, caller: &Caller, role: Role, source: Option<&str>) -> bool {
        let Some(grant) = &caller.grant else { return true };
        if grant.has_expired(crate::clock::wall()) {
            return false;
        }
        grant.is_source_token()
            || self
                .grants()
                .find(&grant.hash)
                .is_some_and(|now| now.allows(role) && source.is_none_or(|source| now.may_send_to(source)))
    }
}

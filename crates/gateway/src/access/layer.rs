//! The one layer: decides about a request by its head, before any handler sees it.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use twin_model::Secret;

use super::hosts::{host_of, once, origin_allowed};
use super::{Access, Caller, Event, Grant, Hash, Need, Refusal, Role};
use crate::clock::{instant, wall};

/// What is known about the connection that a request came over; an extension of the request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connection {
    /// The peer's address.
    pub peer: Option<IpAddr>,
    /// The address of this machine that it came in at.
    pub local: Option<IpAddr>,
    /// The peer showed a client certificate of the authority that senders need.
    pub certified: bool,
}

/// How far a request got; an extension of the request.
#[derive(Debug, Clone)]
pub enum Entry {
    /// It may do what it asks for.
    Known(Caller),
    /// A page, which can't send a header with a socket: its first message has to bring the token.
    Later,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// What its route needs.
    pub need: Need,
    /// The source that samples are for, where the route is `/ingest`.
    pub source: Option<&'a str>,
}

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its address.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
}

/// Decides about a request.
///
/// # Errors
/// The answer to give instead.
pub fn admit(access: &Access, head: Head<'_>, connection: Connection, wish: Wish<'_>) -> Result<Entry, Refusal> {
    let Head { method, uri, headers } = head;
    let Some(host) = host_of(uri, headers) else {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "the request has no Host, or several"));
    };
    if !access.hosts.allows(host, connection.local) {
        let words = "this gateway is not called that; start it with --host NAME for every name that it is to answer to";
        return Err(Refusal::new(StatusCode::FORBIDDEN, words));
    }
    let Need::Role(role) = wish.need else {
        token_in_address(uri)?;
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        return if reads {
            Ok(Entry::Known(Caller::anybody()))
        } else {
            own_page(access, headers, host).map(|()| Entry::Known(Caller::anybody()))
        };
    };
    own_page(access, headers, host)?;
    token_in_address(uri)?;
    if role == Role::Send && access.certificates && !connection.certified {
        let words =
            "senders have to show a client certificate of the authority that this gateway was started with (--tls-client-ca)";
        return Err(Refusal::new(StatusCode::FORBIDDEN, words));
    }
    let token = bearer(headers)?;
    if token.is_none() && asked_by_page(headers) && headers.contains_key(header::UPGRADE) && access.needs_token(role, wish.source)
    {
        return Ok(Entry::Later);
    }
    access.present(token.as_ref(), role, wish.source, connection.peer).map(Entry::Known)
}

/// Whether a web page stands behind a request: browsers name it, programs do not.
fn asked_by_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN)
}

/// A token in an address would be in logs, histories and links.
fn token_in_address(uri: &Uri) -> Result<(), Refusal> {
    let key =
        |pair: &str| crate::http::percent_decode(pair.split('=').next().unwrap_or("")).unwrap_or_default().to_ascii_lowercase();
    let named = |pair: &str| matches!(key(pair).as_str(), "token" | "access_token" | "bearer");
    if !uri.query().unwrap_or("").split(['&', ';']).any(named) {
        return Ok(());
    }
    let words = "a token in an address ends up in logs and links, so it is not taken from there; send the header \
                 'Authorization: Bearer TOKEN' (a page: in its first message), and take another token: this one has been seen";
    Err(Refusal::new(StatusCode::BAD_REQUEST, words))
}

/// Pages of others may not ask for data or change things, whatever their browser knows.
fn own_page(access: &Access, headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
    let foreign = || {
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "a page of this origin may not connect; start the gateway with --allow-origin ORIGIN",
        ))
    };
    match once(headers, &header::ORIGIN) {
        // Twice, or no text.
        None => foreign(),
        Some(Some(origin)) if origin_allowed(origin, host, &access.origins) => Ok(()),
        Some(Some(_)) => foreign(),
        Some(None) => {
            // Pictures and scripts come without an origin; newer browsers say where they come from all the same. Following a
            // link is fine.
            let says = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            let others = matches!(says("sec-fetch-site"), Some("cross-site" | "same-site"));
            if others && says("sec-fetch-mode") != Some("navigate") { foreign() } else { Ok(()) }
        }
    }
}

/// The token of the header, if there is one.
fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
    let wrong = || Refusal::new(StatusCode::UNAUTHORIZED, "write the header once, as: Authorization: Bearer TOKEN");
    let Some(value) = once(headers, &header::AUTHORIZATION).ok_or_else(wrong)? else { return Ok(None) };
    let (scheme, token) = value.split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(wrong());
    }
    Ok(Some(Secret::new(token.trim())))
}

/// The answer to somebody without a token.
fn ask(role: Role) -> Refusal {
    let words = format!(
        "this asks for a token with the role {}; send the header 'Authorization: Bearer TOKEN' (a page: in its first message). \
         Whoever runs the gateway makes one: orrery access new FILE --role {}",
        role.as_str(),
        role.as_str()
    );
    Refusal::new(StatusCode::UNAUTHORIZED, words)
}

impl Access {
    /// Whether a token is needed for a role, of a source where samples are to be sent.
    pub(super) fn needs_token(&self, role: Role, source: Option<&str>) -> bool {
        let owned = || self.own.iter().any(|(id, _)| source == Some(id.as_str()));
        self.asks() || (role == Role::Send && owned())
    }

    /// Lets in whoever holds the right token, or anybody where none is needed. Counts and writes down the others.
    ///
    /// # Errors
    /// [`Refusal`]: 401 without or with a wrong token, 403 where its role or sources do not fit, 429 after too many wrong ones.
    pub fn present(
        &self,
        token: Option<&Secret>,
        role: Role,
        source: Option<&str>,
        peer: Option<IpAddr>,
    ) -> Result<Caller, Refusal> {
        if !self.needs_token(role, source) {
            return Ok(Caller::anybody());
        }
        let Some(token) = token else { return Err(ask(role)) };
        let hash = Hash::of(token);
        let own = self.own.iter().find(|(_, own)| *own == hash).map(|(id, hash)| Grant::of_source(id, *hash));
        // A token that nobody knows may be new: a look at the file is cheap, and wrong ones are limited per address.
        let found = own.or_else(|| self.grants().find(&hash).cloned()).or_else(|| self.newest_grants().find(&hash).cloned());
        let (refusal, who) = match found {
            None => {
                let words =
                    "this token is not known here; whoever runs the gateway makes one: orrery access new FILE --role ROLE";
                (Refusal::new(StatusCode::UNAUTHORIZED, words), "".into())
            }
            Some(grant) if grant.has_expired(wall()) => {
                let words =
                    "this token's time is over; whoever runs the gateway makes another: orrery access new FILE --role ROLE";
                (Refusal::new(StatusCode::UNAUTHORIZED, words), grant.name)
            }
            Some(grant) if !grant.allows(role) => {
                let roles: Vec<&str> = grant.roles().map(Role::as_str).collect();
                let words = format!("this token is for: {}; this asks for the role {}", roles.join(", "), role.as_str());
                (Refusal::new(StatusCode::FORBIDDEN, words), grant.name)
            }
            Some(grant) if source.is_some_and(|source| role == Role::Send && !grant.may_send_to(source)) => {
                let words = "this token may not send to this source; sources = [\"ID\"] of the access file says to which";
                (Refusal::new(StatusCode::FORBIDDEN, words), grant.name)
            }
            Some(grant) => return Ok(Caller { name: grant.name.clone(), grant: Some(grant) }),
        };
        if let Err(seconds) = self.failures.note(peer, instant()) {
            // Who holds a token that is known does not guess; only the log is spared.
            if !who.is_empty() {
                return Err(refusal);
            }
            let words = format!("too many wrong tokens from this address; wait {seconds} s (a right one is taken at any time)");
            return Err(Refusal { retry_after: Some(seconds), ..Refusal::new(StatusCode::TOO_MANY_REQUESTS, words) });
        }
        let what = format!("refused: {}", role.as_str());
        self.audit.write(&Event { who: &who, address: peer, what: &what, status: refusal.status.as_u16() });
        Err(refusal)
    }
}

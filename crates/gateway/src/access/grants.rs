//! The access file: tokens as hashes, with names, roles, sources and an end. Looked at again when it changes, so that a token
//! is taken back without a restart.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use twin_model::Timestamp;

use super::audit::{Audit, Event};
use super::{Hash, Role};
use crate::GatewayError;
use crate::clock::instant;

/// Most tokens in one file; each request compares with all of them.
const TOKENS: usize = 10_000;
/// Bytes of an access file.
const FILE_BYTES: u64 = 8 << 20;
/// How often a change of the file is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// What one token is good for.
#[derive(Debug, Clone)]
pub struct Grant {
    /// For people and the audit log.
    pub name: Arc<str>,
    /// Of the token.
    pub hash: Hash,
    roles: Vec<Role>,
    /// Sources that may be sent to; `None` means all.
    sources: Option<Arc<[String]>>,
    expires: Option<Timestamp>,
    /// It comes from the site file, not from the access file.
    own: bool,
}

impl Grant {
    /// A source's own token: sends to it and nothing else.
    pub(super) fn of_source(id: &str, hash: Hash) -> Self {
        let sources = Some([id.to_owned()].into());
        Self { name: format!("source:{id}").into(), hash, roles: vec![Role::Send], sources, expires: None, own: true }
    }

    /// Whether it has a role.
    pub fn allows(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Roles, in the order of [`Role::ALL`].
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(|role| self.allows(*role))
    }

    /// Sources that it may send to; `None` means all.
    pub fn sources(&self) -> Option<&[String]> {
        self.sources.as_deref()
    }

    /// From when on it is worth nothing.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Whether its time is over.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| now >= end)
    }

    pub(super) fn is_source_token(&self) -> bool {
        self.own
    }

    pub(super) fn may_send_to(&self, source: &str) -> bool {
        self.allows(Role::Send) && self.sources.as_ref().is_none_or(|all| all.iter().any(|id| id == source))
    }
}

/// All tokens of a file, in its order.
#[derive(Debug, Default)]
pub struct Grants(Vec<Grant>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    #[serde(default)]
    tokens: Vec<toml::Spanned<TokenToml>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenToml {
    name: String,
    roles: Vec<String>,
    hash: String,
    sources: Option<Vec<String>>,
    expires: Option<String>,
}

impl Grants {
    /// Reads the text of an access file.
    ///
    /// # Errors
    /// Words with the line. They never repeat what stands there: it might be a token that somebody took for its hash.
    pub fn parse(text: &str) -> Result<Self, String> {
        let line = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
        let file: FileToml = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or_else(String::new, |span| format!("line {}: ", line(span.start)));
            // The reader's own words may quote values; what it stumbled over is one of few things.
            format!(
                "{place}not an access file; each [[tokens]] has name, roles, hash and may have sources, expires, nothing else"
            )
        })?;
        if file.tokens.len() > TOKENS {
            return Err(format!("{} tokens; at most {TOKENS} are read", file.tokens.len()));
        }
        let mut grants: Vec<Grant> = Vec::with_capacity(file.tokens.len());
        for token in file.tokens {
            let line = line(token.span().start);
            let grant = grant(token.into_inner()).map_err(|why| format!("line {line}: {why}"))?;
            if grants.iter().any(|other| other.name == grant.name) {
                return Err(format!(
                    "line {line}: the name '{}' is there twice; the audit log could not tell them apart",
                    grant.name
                ));
            }
            grants.push(grant);
        }
        Ok(Self(grants))
    }

    /// All, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// The grant of a token by its hash. Compares with all of them whatever it finds, so that time tells nothing.
    pub fn find(&self, hash: &Hash) -> Option<&Grant> {
        self.0.iter().fold(None, |found, grant| if grant.hash == *hash { Some(grant) } else { found })
    }
}

fn grant(token: TokenToml) -> Result<Grant, String> {
    let name = token.name.trim();
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err("'name' must be a short text; the audit log shows it".to_owned());
    }
    let mut roles = Vec::new();
    for word in &token.roles {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == word);
        roles.push(role.ok_or_else(|| format!("'{name}' has a role that there is none of; write view, send or manage"))?);
    }
    if roles.is_empty() {
        return Err(format!("'{name}' has no role; write roles = [\"view\"], [\"send\"] or [\"manage\"]"));
    }
    let hash = Hash::parse(&token.hash).ok_or_else(|| {
        format!("the hash of '{name}' is not 'sha256:' and 64 hexadecimal digits; make one with: orrery access new")
    })?;
    let expires = token.expires.map(|text| text.parse::<Timestamp>()).transpose();
    let expires = expires.map_err(|_| format!("'expires' of '{name}' is no instant; write it like \"2027-01-01T00:00:00Z\""))?;
    let sources = token.sources.map(Into::into);
    Ok(Grant { name: name.into(), hash, roles, sources, expires, own: false })
}

/// The table of a new token, as `orrery access new` writes it.
pub fn entry(name: &str, roles: &[Role], sources: &[String], expires: Option<Timestamp>, hash: &Hash) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let list = |all: Vec<String>| format!("[{}]", all.join(", "));
    let mut out = format!("[[tokens]]\nname = {}\n", text(name));
    out += &format!("roles = {}\n", list(roles.iter().map(|role| text(role.as_str())).collect()));
    if !sources.is_empty() {
        out += &format!("sources = {}\n", list(sources.iter().map(|id| text(id)).collect()));
    }
    if let Some(expires) = expires {
        out += &format!("expires = {}\n", text(&expires.to_string()));
    }
    out + &format!("hash = \"{hash}\"\n")
}

/// A file that is looked at again when it changes.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    grants: Arc<Grants>,
    looked: Instant,
    seen: Option<Seen>,
    /// What was read last, or why it could not be read.
    text: Result<String, String>,
}

/// What tells two states of a file apart at little cost, most of the time: its time and size, which file it is, and when that was
/// last touched.
type Seen = (Option<SystemTime>, u64, [u64; 2], [i64; 2]);

impl Watched {
    pub(super) fn open(path: &Path) -> Result<Self, GatewayError> {
        let seen = seen(path);
        let text = super::secret::read_text(path, FILE_BYTES);
        let granted = text.as_deref().map_err(Clone::clone).and_then(granted);
        let grants = Arc::new(granted.map_err(|why| GatewayError::Access { path: path.to_owned(), why })?);
        Ok(Self { path: path.to_owned(), state: Mutex::new(State { grants, looked: instant(), seen, text }) })
    }

    /// What is granted now. A file that is broken or gone changes nothing: a half-written file must not lock everybody out.
    ///
    /// Once a second it is read again whatever the system says of it: a file written in its place, or another one moved there, may
    /// have the time and the size of the one before, and some systems tell no more.
    pub(super) fn now(&self, audit: &Audit) -> Arc<Grants> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = instant();
            state.seen = seen(&self.path);
            self.read(&mut state, audit);
        }
        state.grants.clone()
    }

    /// The same, looked for at once: whoever comes with a token that was made a moment ago is let in. Strangers can cause this as
    /// often as they like, so the file is read only where it looks different.
    pub(super) fn at_once(&self, audit: &Audit) -> Arc<Grants> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen(&self.path);
        if seen != state.seen {
            state.seen = seen;
            self.read(&mut state, audit);
        }
        state.grants.clone()
    }

    fn read(&self, state: &mut State, audit: &Audit) {
        let text = super::secret::read_text(&self.path, FILE_BYTES);
        if text == state.text {
            return;
        }
        let what = match text.as_deref().map_err(Clone::clone).and_then(granted) {
            Ok(grants) => {
                let what = format!("access file read again: {} tokens", grants.0.len());
                state.grants = Arc::new(grants);
                what
            }
            Err(why) => {
                let error = GatewayError::Access { path: self.path.clone(), why };
                format!("access file not read, the tokens stay as they were: {error}")
            }
        };
        state.text = text;
        audit.write(&Event { who: "", address: None, what: &what, status: 0 });
    }
}

fn seen(path: &Path) -> Option<Seen> {
    let meta = std::fs::metadata(path).ok()?;
    let (file, touched) = identity(&meta);
    Some((meta.modified().ok(), meta.len(), file, touched))
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> ([u64; 2], [i64; 2]) {
    use std::os::unix::fs::MetadataExt as _;
    ([meta.dev(), meta.ino()], [meta.ctime(), meta.ctime_nsec()])
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> ([u64; 2], [i64; 2]) {
    ([0; 2], [0; 2])
}

/// What the text of the file grants.
fn granted(text: &str) -> Result<Grants, String> {
    if text.trim().is_empty() {
        // What an editor leaves for a moment between emptying a file and writing it.
        return Err(
            "it is empty; make a token with: orrery access new FILE, or leave a comment where nobody shall come in".to_owned()
        );
    }
    Grants::parse(text)
}

#[cfg(test)]
mod tests;

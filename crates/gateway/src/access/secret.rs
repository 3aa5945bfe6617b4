//! Reads secrets: from the environment, from a file, or out of the site file. Words about them name the place, never the text.

use std::path::Path;

use twin_model::Secret;
use twin_site::{Diagnostic, Severity, SourceKind, TokenSource, codes};

use crate::GatewayError;
use crate::files::{read_all, regular};
use crate::site::Site;

/// Bytes of a file with one token.
const FILE_BYTES: u64 = 64 << 10;

/// The token of a source, by the source's id.
#[derive(Debug, Clone)]
pub struct NamedToken {
    /// Id of the source.
    pub source: String,
    /// What a sender has to present.
    pub token: Secret,
}

/// Why a token is not to be had.
struct Lack {
    /// The code of the finding.
    code: &'static str,
    /// Words about the place, never about the text.
    why: String,
    /// Whether it may be there for the server all the same: the environment of whoever checks is seldom the server's.
    elsewhere: bool,
}

/// Findings about the tokens that a server would ask senders for: what it would not start with, and which files others may read.
/// Tokens in the site file itself were found by its reader.
pub fn judge(site: &Site) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for def in &site.loaded.sources {
        let SourceKind::WebSocket { token: Some(from @ (TokenSource::Env(_) | TokenSource::File(_))), .. } = &def.kind else {
            continue;
        };
        let mut say = |severity, code, message: String, help: &str| {
            let (at, subject) = (def.at.clone(), def.id.clone());
            found.push(Diagnostic { severity, code, at, subject, message, help: help.to_owned() });
        };
        let mut remarks = Vec::new();
        let read = text_of(site, &def.id, from, &mut remarks).and_then(|text| token_in(&text, from));
        for remark in remarks {
            say(Severity::Warning, codes::SECRET_READABLE, remark, "");
        }
        if let Err(Lack { code, why, elsewhere }) = read {
            let severity = if elsewhere { Severity::Info } else { Severity::Error };
            let help = if elsewhere {
                "orrery serve does not start where it is not set"
            } else {
                "orrery serve does not start until it is mended: a token is one line"
            };
            say(severity, code, format!("source '{}': {why}", def.id), help);
        }
    }
    found
}

/// Reads the token of a source; remarks for people go to `remarks`.
///
/// # Errors
/// Where it is not to be had: a source that shall have a token is not opened without.
pub fn token_of(site: &Site, id: &str, from: &TokenSource, remarks: &mut Vec<String>) -> Result<NamedToken, GatewayError> {
    let token = text_of(site, id, from, remarks).and_then(|text| token_in(&text, from));
    let token = token.map_err(|lack| GatewayError::Source { id: id.to_owned(), why: lack.why })?;
    Ok(NamedToken { source: id.to_owned(), token })
}

/// The text with a token in it.
fn text_of(site: &Site, id: &str, from: &TokenSource, remarks: &mut Vec<String>) -> Result<String, Lack> {
    let lack = |code, elsewhere, why| Lack { code, why, elsewhere };
    match from {
        TokenSource::Literal(token) => {
            remarks.push(format!(
                "the token of source '{id}' stands in the site file, for everybody who gets to see the file; \
                 write token = {{ env = \"NAME\" }} or {{ file = \"path\" }}"
            ));
            Ok(token.expose().to_owned())
        }
        TokenSource::Env(name) => std::env::var(name).map_err(|_| {
            let missing = "which is not set, or no text; set it, or start without this source";
            lack(codes::VALUE_INVALID, true, format!("its token is in the environment variable {name}, {missing}"))
        }),
        TokenSource::File(path) => {
            let file = site.place(path);
            if let Some(words) = readable_by_others(&file) {
                remarks.push(format!("the token of source '{id}': {words}"));
            }
            let unreadable = |why| lack(codes::FILE_UNREADABLE, false, format!("its token is in {}: {why}", file.display()));
            read_text(&file, FILE_BYTES).map_err(unreadable)
        }
        TokenSource::Unusable => {
            let why = "its token can't be used; orrery check says where it is written".to_owned();
            Err(lack(codes::VALUE_INVALID, false, why))
        }
    }
}

/// The token that a text holds, and nothing else but white space around it.
fn token_in(text: &str, from: &TokenSource) -> Result<Secret, Lack> {
    let token = text.trim();
    if !token.is_empty() && !token.chars().any(char::is_control) {
        return Ok(Secret::new(token));
    }
    let code = if matches!(from, TokenSource::File(_)) { codes::FILE_INVALID } else { codes::VALUE_INVALID };
    Err(Lack { code, why: "its token is empty, or of several lines".to_owned(), elsewhere: false })
}

/// A regular file as text. Devices and pipes are not opened: they could hold the program up for ever.
pub(crate) fn read_text(path: &Path, most: u64) -> Result<String, String> {
    let bytes = regular(path).and_then(|file| read_all(file, most));
    let bytes = bytes.map_err(|why| format!("can't read {}: {why}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8 text", path.display()))
}

/// Words where everybody on this machine may read a secret's file.
pub(crate) fn readable_by_others(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).ok()?.permissions());
        (mode & 0o004 != 0).then(|| format!("everybody on this machine may read {}; chmod 600 it", path.display()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

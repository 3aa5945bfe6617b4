//! Reads secrets: from the environment, from a file, or out of the site file. Words about them name the place, never the text.

use std::path::Path;

use twin_model::Secret;
use twin_site::TokenSource;

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

/// Reads the token of a source; remarks for people go to `remarks`.
///
/// # Errors
/// Where it is not to be had: a source that shall have a token is not opened without.
pub fn token_of(site: &Site, id: &str, from: &TokenSource, remarks: &mut Vec<String>) -> Result<NamedToken, GatewayError> {
    let wrong = |why: String| GatewayError::Source { id: id.to_owned(), why };
    let text = match from {
        TokenSource::Literal(token) => {
            remarks.push(format!(
                "the token of source '{id}' stands in the site file, for everybody who gets to see the file; \
                 write token = {{ env = \"NAME\" }} or {{ file = \"path\" }}"
            ));
            token.expose().to_owned()
        }
        TokenSource::Env(name) => {
            let missing = "which is not set, or no text; set it, or start without this source";
            std::env::var(name).map_err(|_| wrong(format!("its token is in the environment variable {name}, {missing}")))?
        }
        TokenSource::File(path) => {
            let file = site.place(path);
            if let Some(words) = readable_by_others(&file) {
                remarks.push(format!("the token of source '{id}': {words}"));
            }
            read_text(&file, FILE_BYTES).map_err(|why| wrong(format!("its token is in {}: {why}", file.display())))?
        }
        TokenSource::Unusable => return Err(wrong("its token can't be used; orrery check says where it is written".to_owned())),
    };
    let token = text.trim();
    if token.is_empty() || token.chars().any(char::is_control) {
        return Err(wrong("its token is empty, or of several lines".to_owned()));
    }
    Ok(NamedToken { source: id.to_owned(), token: Secret::new(token) })
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

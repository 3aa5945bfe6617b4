//! Versions and subprotocol names, and how two peers settle on one.

use crate::ProtocolError;

/// The protocol version that this crate writes.
pub const VERSION: u16 = 1;
/// The versions that this crate reads, newest first.
pub const VERSIONS: &[u16] = &[VERSION];
/// WebSocket subprotocol of the binary form.
pub const SUBPROTOCOL_BIN: &str = "orrery.v1.bin";
/// WebSocket subprotocol of the JSON form, for debugging and scripts.
pub const SUBPROTOCOL_JSON: &str = "orrery.v1.json";

/// WebSocket subprotocol of the binary form of `/ingest`. Asking for it is optional: each message shows what it is.
pub const SUBPROTOCOL_INGEST_BIN: &str = "orrery.ingest.v1.bin";

/// How frames are written on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Binary messages; the default where the client asks for no subprotocol.
    Binary,
    /// Text messages.
    Json,
}

impl Form {
    /// The form of a subprotocol name.
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        match name {
            SUBPROTOCOL_BIN => Some(Self::Binary),
            SUBPROTOCOL_JSON => Some(Self::Json),
            _ => None,
        }
    }

    /// The subprotocol name of a form.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Binary => SUBPROTOCOL_BIN,
            Self::Json => SUBPROTOCOL_JSON,
        }
    }
}

/// The newest version that both sides speak.
///
/// # Errors
/// [`ProtocolError::Version`] where there is none.
pub fn choose_version(theirs: &[u16]) -> Result<u16, ProtocolError> {
    let both = VERSIONS.iter().copied().filter(|ours| theirs.contains(ours)).max();
    both.ok_or_else(|| ProtocolError::Version { theirs: list(theirs), ours: list(VERSIONS) })
}

fn list(versions: &[u16]) -> String {
    if versions.is_empty() {
        return "(none)".to_owned();
    }
    versions.iter().take(16).map(u16::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_chosen() {
        assert_eq!(choose_version(&[9, 1]), Ok(1));
        let error = choose_version(&[7, 8]).unwrap_err();
        assert_eq!(error.to_string(), "protocol version 7, 8 is not supported; this side speaks 1");
        assert!(choose_version(&[]).is_err());
    }

    #[test]
    fn subprotocol_names_map_both_ways() {
        for form in [Form::Binary, Form::Json] {
            assert_eq!(Form::from_subprotocol(form.subprotocol()), Some(form));
        }
        assert_eq!(Form::from_subprotocol("orrery.v2.bin"), None);
    }
}

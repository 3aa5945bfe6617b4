//! The arguments of commands that talk to another gateway: who they are and whom they trust.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use twin_model::Secret;

use crate::remote::Remote;
use crate::tls;

/// Where the token is, where no argument says so.
const TOKEN_VARIABLE: &str = "ORRERY_TOKEN";

/// Who a client is and whom it trusts.
#[derive(Debug, clap::Args)]
pub(super) struct ClientArgs {
    /// File with the token that the gateway asks for; default: the environment variable ORRERY_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The token itself, for tests: other users of this machine can see it
    #[arg(long, value_name = "TEXT", conflicts_with = "token_file")]
    token: Option<String>,
    /// Authorities that may vouch for the gateway, PEM; default: those of the system
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Client certificate to show, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl ClientArgs {
    /// The gateway of an address; `None` where the text is no such address.
    pub(super) fn remote(&self, text: &str) -> Result<Option<Remote>> {
        if text.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().unwrap_or("").contains('@')) {
            anyhow::bail!(
                "an address must not hold a name or password; write the token into a file and name it with --token-file"
            );
        }
        let Some(remote) = Remote::parse(text) else { return Ok(None) };
        let remote = remote.with_token(self.token()?);
        if !remote.is_secure() {
            return Ok(Some(remote));
        }
        let identity = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(tls::Identity::read(certificate, key)?),
            _ => None,
        };
        Ok(Some(remote.with_tls(tls::client(self.tls_ca.as_deref(), identity)?)))
    }

    fn token(&self) -> Result<Option<Secret>> {
        let text = match (&self.token, &self.token_file) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(path)) => {
                let text = crate::access::read_text(path, 64 << 10).map_err(|why| anyhow::anyhow!(why));
                Some(text.context("the token can't be read")?)
            }
            (None, None) => std::env::var(TOKEN_VARIABLE).ok(),
        };
        let token = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        // Printable ASCII, so that it fits into a header; the words must not repeat it.
        if token.as_ref().is_some_and(|text| !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')) {
            anyhow::bail!("the token holds something that no token holds; is it the right file?");
        }
        Ok(token.map(Secret::new))
    }
}

//! The arguments that decide who may come in, for every command that serves.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use crate::access::{Access, Audit, Grant, Grants, Hosts, NamedToken, host_name, origin, readable_by_others, token_of};
use crate::site::Site;
use crate::{term, tls};

/// Who may come in.
#[derive(Debug, clap::Args)]
pub(super) struct DoorArgs {
    /// File of tokens that are asked for (orrery access new); without, whoever can connect may do everything
    #[arg(long, value_name = "FILE")]
    access: Option<PathBuf>,
    /// Where the audit log goes; default with --access and --data: audit.jsonl in the data folder
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Let everybody in who can connect, also from other machines
    #[arg(long, conflicts_with = "access")]
    open_to_all: bool,
    /// Another name that this gateway answers to, for example plant.example; may be repeated
    #[arg(long = "host", value_name = "NAME", value_parser = host_name)]
    hosts: Vec<String>,
    /// Another web origin whose pages may connect, for example https://portal.example; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Certificate chain for https and wss, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// https with a certificate that nobody vouches for, for a first try; kept in the data folder where there is one
    #[arg(long, conflicts_with = "tls_cert")]
    tls_self_signed: bool,
    /// Authority, PEM, whose client certificates senders have to show
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
}

impl DoorArgs {
    /// The doorkeeper of a server that listens on `address`, which `listen` asked for.
    pub(super) fn access(
        &self,
        address: SocketAddr,
        listen: Option<&str>,
        tokens: &[NamedToken],
        data: Option<&Path>,
    ) -> Result<Access> {
        let ip = address.ip().to_canonical();
        if !ip.is_loopback() && self.access.is_none() && !self.open_to_all {
            anyhow::bail!(
                "other machines can reach {address}, and everybody there could see the plant and send to it. \
                 Make a token and have it asked for:\n  orrery access new access.toml --role view\n  {} --access access.toml\n\
                 or, where everybody may, add --open-to-all",
                command_line()
            );
        }
        let named = listen.and_then(|text| text.rsplit_once(':')).map(|(host, _)| host.to_owned());
        let named = named.filter(|host| host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_err());
        let names: Vec<String> = self.hosts.iter().cloned().chain(named).collect();
        let mut access = Access::default().with_hosts(Hosts::new(ip, &names)).with_origins(&self.allow_origin);
        if self.tls_client_ca.is_some() {
            access = access.with_certificates();
        }
        if let Some(path) = &self.access {
            if let Some(words) = writable_by_others(path) {
                term::warn(&words);
            }
            access = access.with_file(path)?;
        }
        let beside = self.access.as_ref().and(data).map(|folder| folder.join("audit.jsonl"));
        if let Some(path) = self.audit.clone().or(beside) {
            access = access.with_audit(Audit::to_file(&path)?);
        } else if self.access.is_some() {
            term::warn("no audit log is kept; name a file with --audit FILE");
        }
        Ok(tokens.iter().fold(access, |access, named| access.with_source(&named.source, &named.token)))
    }
}

impl DoorArgs {
    /// TLS, where it was asked for.
    pub(super) fn tls(&self, address: SocketAddr, data: Option<&Path>) -> Result<Option<Arc<rustls::ServerConfig>>> {
        let identity = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                if let Some(words) = readable_by_others(key) {
                    term::warn(&words);
                }
                tls::Identity::read(certificate, key)?
            }
            _ if self.tls_self_signed => {
                let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
                names.extend((!address.ip().is_unspecified()).then(|| address.ip().to_string()));
                let host = |name: &String| name.split(':').next().unwrap_or_default().to_owned();
                names.extend(self.hosts.iter().map(host));
                let identity = tls::self_signed(names, data)?;
                term::note("nobody vouches for this certificate; browsers will warn. Compare its SHA-256:");
                term::note(&format!("  {}", identity.fingerprint()));
                if let Some(folder) = data {
                    term::note(&format!("for --tls-ca of other programs: {}", folder.join(tls::SELF_SIGNED.0).display()));
                }
                identity
            }
            _ if self.tls_client_ca.is_some() => {
                anyhow::bail!("client certificates need TLS: add --tls-cert and --tls-key, or --tls-self-signed for a first try")
            }
            _ => return Ok(None),
        };
        Ok(Some(tls::server(identity, self.tls_client_ca.as_deref())?))
    }
}

/// The tokens of a site's sources, and what a person should know about them.
pub(super) fn tokens(site: &Site, remarks: &mut Vec<String>) -> Result<Vec<NamedToken>> {
    let mut all = Vec::new();
    for def in &site.loaded.sources {
        if let twin_site::SourceKind::WebSocket { token: Some(from), .. } = &def.kind {
            all.push(token_of(site, &def.id, from, remarks)?);
        }
    }
    Ok(all)
}

/// Words for tokens of the access file that name sources which nobody can send to: those that `pushed` lacks.
pub(super) fn aimless(grants: &Grants, pushed: &[String]) -> Vec<String> {
    let each = |grant: &Grant| {
        let lost: Vec<&str> = grant.sources()?.iter().filter(|id| !pushed.contains(id)).map(String::as_str).collect();
        let lost = lost.into_iter().map(twin_table::quoted).collect::<Vec<_>>().join(", ");
        (!lost.is_empty()).then(|| {
            let has = if pushed.is_empty() { "none".to_owned() } else { pushed.join(", ") };
            format!(
                "the token of '{}' is for {lost}, which the site has not as a source that senders push to; it has: {has}",
                grant.name
            )
        })
    };
    grants.iter().filter_map(each).collect()
}

/// What was typed, so that it can be typed again with more.
fn command_line() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let quoted =
        |arg: String| if !arg.is_empty() && arg.chars().all(plain) { arg } else { format!("'{}'", arg.replace('\'', r"'\''")) };
    let name = |arg: String| Path::new(&arg).file_name().map_or(arg.clone(), |name| name.to_string_lossy().into_owned());
    let args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    args.enumerate().map(|(at, arg)| quoted(if at == 0 { name(arg) } else { arg })).collect::<Vec<_>>().join(" ")
}

/// Words where others could write themselves into the access file.
fn writable_by_others(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).ok()?.permissions());
        (mode & 0o022 != 0).then(|| format!("others may write {} and let themselves in; chmod go-w it", path.display()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

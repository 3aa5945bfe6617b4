//! A connection to a gateway, plain or TLS, and who we are there. Whom to trust is decided in `gateway::tls`.

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConnection, StreamOwned};
use twin_model::Secret;

/// Who we are at the gateway, and who vouches for it.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    pub(super) token: Option<Secret>,
    /// Authorities; empty where no address asks for TLS.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    tls: Option<Arc<rustls::ClientConfig>>,
}

static CREDENTIALS: Mutex<Option<Credentials>> = Mutex::new(None);

/// Sets them, once, before the first connection. `secure`: the address asks for TLS; `authorities`: a file, else the system's.
///
/// # Errors
/// Words, where the authorities can't be read.
pub fn set_credentials(token: Option<Secret>, secure: bool, authorities: Option<&Path>) -> std::result::Result<(), String> {
    let mut credentials = Credentials { token, ..Credentials::default() };
    if secure {
        credentials.authorities = gateway::tls::authorities(authorities).map_err(|error| error.to_string())?;
        credentials.tls = Some(gateway::tls::client(authorities, None).map_err(|error| error.to_string())?);
    }
    if let Ok(mut kept) = CREDENTIALS.lock() {
        *kept = Some(credentials);
    }
    Ok(())
}

pub(super) fn credentials() -> Credentials {
    CREDENTIALS.lock().ok().and_then(|kept| kept.clone()).unwrap_or_default()
}

/// See the module's head.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Puts TLS over a connection; the handshake happens with the first bytes.
    pub(super) fn secure(stream: TcpStream, host: &str) -> std::result::Result<Self, String> {
        let config = credentials().tls.ok_or("the address asks for TLS, and nobody said whom to trust")?;
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
        let connection = ClientConnection::new(config, name).map_err(|error| error.to_string())?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, stream))))
    }

    /// The socket below.
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buf),
            Self::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buf),
            Self::Tls(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

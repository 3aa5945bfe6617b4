//! TLS on both ends: the server's certificate, client certificates of senders, and what a client trusts. rustls with `ring`,
//! chosen by hand so that nothing else gets linked by a feature of somebody's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// What is wrong with a certificate or key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file holds no certificate or key that can be used.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// Certificate and key do not fit, or something else in the middle.
    #[error("TLS: {0}")]
    Other(String),
}

fn wrong(path: &Path, why: impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), why: why.to_string() }
}

fn other(error: impl std::fmt::Display) -> TlsError {
    TlsError::Other(error.to_string())
}

/// The arithmetic behind TLS: `ring`.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = crate::access::read_text(path, 1 << 20).map_err(|why| wrong(path, why))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|_| wrong(path, "a certificate in it can't be read; it must be PEM"))?;
    if found.is_empty() {
        return Err(wrong(path, "it holds no certificate; it must be PEM, from -----BEGIN CERTIFICATE-----"));
    }
    Ok(found)
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| wrong(path, error))?;
    }
    Ok(roots)
}

/// A certificate chain and its key, both PEM.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From two files.
    ///
    /// # Errors
    /// [`TlsError`] in words that never hold anything of the key.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let text = crate::access::read_text(key, 1 << 20).map_err(|why| wrong(key, why))?;
        let found = PrivateKeyDer::from_pem_slice(text.as_bytes());
        let found = found.map_err(|_| wrong(key, "it holds no private key; it must be PEM, without a password"))?;
        Ok(Self { chain: certificates(certificate)?, key: found })
    }

    /// SHA-256 of the certificate, to be compared by eye: what browsers and `openssl x509 -fingerprint -sha256` show.
    pub fn fingerprint(&self) -> String {
        let bytes = self.chain.first().map(|first| ring::digest::digest(&ring::digest::SHA256, first));
        let hex = bytes.iter().flat_map(|digest| digest.as_ref()).map(|byte| format!("{byte:02X}"));
        hex.collect::<Vec<_>>().join(":")
    }
}

/// What a server needs. `senders` is the authority whose certificates senders must show; other clients may come without.
///
/// # Errors
/// [`TlsError`].
pub fn server(identity: Identity, senders: Option<&Path>) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(other)?;
    let builder = match senders {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), provider());
            builder.with_client_cert_verifier(verifier.allow_unauthenticated().build().map_err(other)?)
        }
    };
    let mut config = builder.with_single_cert(identity.chain, identity.key).map_err(other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What a client trusts: the authorities of a file, else those of the system. `identity` is shown to servers that ask.
///
/// # Errors
/// [`TlsError`].
pub fn client(authorities: Option<&Path>, identity: Option<Identity>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match authorities {
        Some(path) => roots(path)?,
        None => {
            let mut roots = RootCertStore::empty();
            // What can't be read of them is not trusted; without any, the handshake says so.
            roots.add_parsable_certificates(self::authorities(None)?);
            roots
        }
    };
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(other)?;
    let builder = builder.with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_auth_cert(identity.chain, identity.key).map_err(other)?,
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The authorities of a file, else those of the system.
///
/// # Errors
/// [`TlsError`].
pub fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    file.map_or_else(|| Ok(rustls_native_certs::load_native_certs().certs), certificates)
}

/// Names of the files that [`self_signed`] keeps.
pub const SELF_SIGNED: (&str, &str) = ("self-signed-cert.pem", "self-signed-key.pem");

/// A certificate for a first try that nobody vouches for, good for `names`. With a folder it is kept there, so that it is the
/// same after a restart and clients can name it with `--tls-ca`.
///
/// # Errors
/// [`TlsError`].
pub fn self_signed(names: Vec<String>, folder: Option<&Path>) -> Result<Identity, TlsError> {
    let files = folder.map(|folder| (folder.join(SELF_SIGNED.0), folder.join(SELF_SIGNED.1)));
    if let Some((certificate, key)) = &files
        && certificate.exists()
        && key.exists()
    {
        return Identity::read(certificate, key);
    }
    let made = rcgen::generate_simple_self_signed(names).map_err(other)?;
    if let Some((certificate, key)) = &files {
        write(key, &made.signing_key.serialize_pem(), 0o600)?;
        write(certificate, &made.cert.pem(), 0o644)?;
    }
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(other)?;
    Ok(Identity { chain: vec![made.cert.der().clone()], key })
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    // One of the pair may be left over from a run that was cut off.
    if path.exists() {
        std::fs::remove_file(path).map_err(|error| wrong(path, error))?;
    }
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| wrong(path, error))
}

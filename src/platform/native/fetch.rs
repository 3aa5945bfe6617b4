//! Downloads on a thread each.
#![allow(clippy::disallowed_methods, reason = "downloads run on threads of their own")]

use std::io::Read as _;
use std::sync::{Arc, Mutex};

use super::super::{FetchState, Waker};
use super::wire::credentials;

/// Largest body that is taken in.
const MAX_BODY: u64 = 1024 * 1024 * 1024;

/// One download.
pub struct Fetch {
    state: Arc<Mutex<FetchState>>,
}

impl Fetch {
    /// Starts downloading.
    pub fn start(url: &str, waker: Waker) -> Self {
        Self::begin(url, false, waker)
    }

    /// Sends an empty JSON object; what comes is the answer.
    pub fn post(url: &str, waker: Waker) -> Self {
        Self::begin(url, true, waker)
    }

    fn begin(url: &str, post: bool, waker: Waker) -> Self {
        let state = Arc::new(Mutex::new(FetchState::Running { seen: 0, total: None }));
        let (shared, url) = (state.clone(), url.to_owned());
        std::thread::spawn(move || {
            let outcome = download(&url, post, &shared, &waker);
            if let Ok(mut state) = shared.lock() {
                *state = outcome.map_or_else(FetchState::Failed, FetchState::Done);
            }
            waker();
        });
        Self { state }
    }

    /// Where it stands; a finished body is handed out once.
    pub fn poll(&self) -> FetchState {
        let Ok(mut state) = self.state.lock() else { return FetchState::Taken };
        match &*state {
            FetchState::Running { .. } | FetchState::Taken => state.clone(),
            FetchState::Done(_) | FetchState::Failed(_) => std::mem::replace(&mut *state, FetchState::Taken),
        }
    }
}

/// Asks with our token, and trusts whom we were told to trust.
fn ask(url: &str, post: bool) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    let credentials = credentials();
    let mut config = ureq::Agent::config_builder();
    if !credentials.authorities.is_empty() {
        let roots = credentials.authorities.iter().map(|der| ureq::tls::Certificate::from_der(der).to_owned());
        let tls = ureq::tls::TlsConfig::builder()
            .root_certs(ureq::tls::RootCerts::Specific(Arc::new(roots.collect())))
            .unversioned_rustls_crypto_provider(gateway::tls::provider());
        config = config.tls_config(tls.build());
    }
    let agent = ureq::Agent::new_with_config(config.build());
    let bearer = credentials.token.map(|token| format!("Bearer {}", token.expose()));
    if post {
        let request = agent.post(url).header("content-type", "application/json");
        return match bearer {
            Some(bearer) => request.header("authorization", bearer).send("{}"),
            None => request.send("{}"),
        };
    }
    let request = agent.get(url);
    match bearer {
        Some(bearer) => request.header("authorization", bearer).call(),
        None => request.call(),
    }
}

fn download(url: &str, post: bool, shared: &Arc<Mutex<FetchState>>, waker: &Waker) -> Result<Vec<u8>, String> {
    let response = ask(url, post).map_err(|error| match error {
        ureq::Error::StatusCode(401 | 403) => {
            format!("the gateway does not let us in; name a file with a token: --token-file FILE ({url})")
        }
        error => format!("{error} ({url})"),
    })?;
    let total = response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let mut body = response.into_body().into_with_config().limit(MAX_BODY).reader();
    let mut bytes = Vec::with_capacity(total.unwrap_or(0).min(64 * 1024 * 1024) as usize);
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        // Nobody else holds the state any more: the answer is not wanted.
        if Arc::strong_count(shared) == 1 {
            return Err("given up".to_owned());
        }
        let read = body.read(&mut buffer).map_err(|error| format!("{error} ({url})"))?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&buffer[..read]);
        if let Ok(mut state) = shared.lock() {
            *state = FetchState::Running { seen: bytes.len() as u64, total };
        }
        waker();
    }
}

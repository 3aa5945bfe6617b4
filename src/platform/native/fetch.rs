//! Downloads on a thread each.
#![allow(clippy::disallowed_methods, reason = "downloads run on threads of their own")]

use std::io::Read as _;
use std::sync::{Arc, Mutex};

use super::super::{FetchState, Refusal, Waker};
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
                *state = outcome.into();
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
            FetchState::Done(_) | FetchState::Failed(_) | FetchState::Later(_) => {
                std::mem::replace(&mut *state, FetchState::Taken)
            }
        }
    }
}

/// Asks with our token, and trusts whom we were told to trust.
fn ask(url: &str, post: bool) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    let credentials = credentials();
    // What a refusal says is read like an answer: how long to wait stands in it.
    let mut config = ureq::Agent::config_builder().http_status_as_error(false);
    // Also where nobody vouches for anybody: without a provider, a redirect to https would end the thread, and nobody hear of it.
    let roots = credentials.authorities.iter().map(|der| ureq::tls::Certificate::from_der(der).to_owned());
    let tls = ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::Specific(Arc::new(roots.collect())))
        .unversioned_rustls_crypto_provider(gateway::tls::provider());
    config = config.tls_config(tls.build());
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

fn download(url: &str, post: bool, shared: &Arc<Mutex<FetchState>>, waker: &Waker) -> Result<Vec<u8>, Refusal> {
    let failed = |error: &dyn std::fmt::Display| Refusal::Failed(format!("{error} ({url})"));
    let response = ask(url, post).map_err(|error| failed(&error))?;
    let status = response.status().as_u16();
    let busy = || Refusal::busy(response.headers().get("retry-after").and_then(|value| value.to_str().ok()));
    match status {
        200..=299 => {}
        401 | 403 => return Err(failed(&"the gateway does not let us in; name a file with a token: --token-file FILE")),
        503 => return Err(busy().unwrap_or_else(|| failed(&"the gateway is busy"))),
        _ => return Err(failed(&format_args!("http status: {status}"))),
    }
    let total = response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let mut body = response.into_body().into_with_config().limit(MAX_BODY).reader();
    let mut bytes = Vec::with_capacity(total.unwrap_or(0).min(64 * 1024 * 1024) as usize);
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        // Nobody else holds the state any more: the answer is not wanted.
        if Arc::strong_count(shared) == 1 {
            return Err(Refusal::Failed("given up".to_owned()));
        }
        let read = body.read(&mut buffer).map_err(|error| failed(&error))?;
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

//! The native window over TLS: its downloads and its stream, against a gateway in this process.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a server of its own, and failures of a test")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use gateway::access::{Hash, Role, entry, new_token};
use gateway::tls::{SELF_SIGNED, self_signed};
use orrery::platform::{Fetch, FetchState, Socket, SocketEvent, set_credentials};
use twin_model::Secret;
use twin_protocol::{ClientFrame, ClientHello, Limits, SUBPROTOCOL_BIN, ServerFrame, VERSION, decode_server, encode_client};

const PATIENCE: Duration = Duration::from_secs(60);

const SITE: &str = r#"
[site]
id = "tanks"
[[twins]]
id = "north"
bind = false
signals = [{ name = "level", unit = "m", period = "10s" }]
[[sources]]
id = "script"
kind = "websocket"
"#;

/// Whom this process trusts is one thing for all its threads: as for a window, which opens one address.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A gateway that speaks TLS under the name localhost and asks for tokens.
struct Guarded {
    root: PathBuf,
    port: u16,
    token: Secret,
    _alone: MutexGuard<'static, ()>,
}

impl Guarded {
    fn start(name: &str) -> Self {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let root = std::env::temp_dir().join(format!("orrery-secure-{name}-{}", std::process::id()));
        for folder in ["mine", "other"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
            self_signed(vec!["localhost".to_owned()], Some(&root.join(folder))).unwrap();
        }
        let token = new_token().unwrap();
        std::fs::write(root.join("access.toml"), entry("window", &Role::ALL, &[], None, &Hash::of(&token))).unwrap();
        std::fs::write(root.join("site.toml"), SITE).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let path = |name: &str| root.join(name).display().to_string();
        let (certificate, key) = (path(&format!("mine/{}", SELF_SIGNED.0)), path(&format!("mine/{}", SELF_SIGNED.1)));
        let (site, access, listen) = (path("site.toml"), path("access.toml"), format!("127.0.0.1:{port}"));
        let args = ["orrery", "serve", &site, "--listen", &listen, "--access", &access, "--host", "localhost"];
        let args: Vec<_> =
            args.into_iter().chain(["--tls-cert", &certificate, "--tls-key", &key]).map(std::ffi::OsString::from).collect();
        // It serves until the process of the tests ends.
        std::thread::spawn(move || gateway::cli::run(args));
        let guarded = Self { root, port, token, _alone: alone };
        until(|| std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        guarded
    }

    /// Trusts whoever signed the certificate in a folder, and shows a token.
    fn trust(&self, folder: &str, token: Option<&Secret>) {
        set_credentials(token.cloned(), true, Some(&self.root.join(folder).join(SELF_SIGNED.0))).unwrap();
    }

    fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://localhost:{}{path}", self.port)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Nobody else in this process speaks TLS or has a token.
        drop(set_credentials(None, false, None));
        drop(std::fs::remove_dir_all(&self.root));
    }
}

/// Waits for what comes from another thread.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a download ends with.
fn ended(fetch: &Fetch) -> Result<Vec<u8>, String> {
    until(|| match fetch.poll() {
        FetchState::Running { .. } => None,
        FetchState::Done(bytes) => Some(Ok(bytes)),
        FetchState::Failed(why) => Some(Err(why)),
        other => panic!("{other:?}"),
    })
}

fn get(url: &str) -> Result<Vec<u8>, String> {
    ended(&Fetch::start(url, Arc::new(|| {})))
}

fn event(socket: &Socket) -> SocketEvent {
    until(|| socket.poll()).0
}

fn connect(url: &str) -> Socket {
    Socket::connect(url, SUBPROTOCOL_BIN, Arc::new(|| {}), Arc::new(|_| true))
}

/// Why there is no stream at an address: the first thing that is heard of it.
fn refused(url: &str) -> String {
    match event(&connect(url)) {
        SocketEvent::Closed { code: 0, reason } => reason,
        other => panic!("{url}: {other:?}"),
    }
}

#[test]
fn a_window_speaks_https_and_wss_to_a_gateway_that_it_trusts_and_shows_its_token() {
    let guarded = Guarded::start("trusted");
    guarded.trust("mine", Some(&guarded.token));
    let manifest: serde_json::Value = serde_json::from_slice(&get(&guarded.url("https", "/api/publication")).unwrap()).unwrap();
    assert_eq!(manifest["site"]["id"], "tanks", "{manifest}");
    // There is no such alarm, which only those get to know who may acknowledge.
    let nothing = Fetch::post(&guarded.url("https", "/api/alarms/none/acknowledge"), Arc::new(|| {}));
    let said = ended(&nothing).unwrap_err();
    assert!(said.contains("404"), "{said}");
    let socket = connect(&guarded.url("wss", "/stream"));
    assert_eq!(event(&socket), SocketEvent::Opened);
    let hello = ClientHello { versions: vec![VERSION], agent: "test".into(), resume: None, token: None };
    socket.send(encode_client(&ClientFrame::Hello(hello)));
    let SocketEvent::Message(bytes) = event(&socket) else { panic!("an answer to a greeting") };
    assert!(matches!(decode_server(&bytes, &Limits::SERVER_FRAMES), Ok(ServerFrame::Hello(_))));
}

#[test]
fn a_window_without_the_right_token_is_told_what_to_do_and_says_nothing_of_the_one_it_has() {
    let guarded = Guarded::start("strange");
    let wrong = Secret::new("not-the-token-0815".to_owned());
    for token in [None, Some(&wrong)] {
        guarded.trust("mine", token);
        let said = get(&guarded.url("https", "/api/publication")).unwrap_err();
        assert!(said.contains("--token-file FILE"), "{said}");
        let stream = refused(&guarded.url("wss", "/stream"));
        assert!(stream.contains("401"), "{stream}");
        assert!(![said, stream].iter().any(|words| words.contains(wrong.expose())));
    }
}

#[test]
fn a_window_refuses_a_gateway_that_its_authority_does_not_vouch_for_or_that_has_another_name() {
    let guarded = Guarded::start("another");
    guarded.trust("other", Some(&guarded.token));
    let (https, wss) = (guarded.url("https", "/api/publication"), guarded.url("wss", "/stream"));
    for said in [get(&https).unwrap_err(), refused(&wss)] {
        assert!(said.contains("invalid peer certificate"), "{said}");
        assert!(!said.contains(guarded.token.expose()));
    }
    // The same gateway by a name that its certificate does not have.
    guarded.trust("mine", Some(&guarded.token));
    assert!(get(&https).is_ok());
    let by_number = |url: &str| url.replace("localhost", "127.0.0.1");
    for said in [get(&by_number(&https)).unwrap_err(), refused(&by_number(&wss))] {
        assert!(said.contains("not valid for name"), "{said}");
    }
    // A file without a certificate, and none at all.
    for (file, words) in [("access.toml", "it holds no certificate"), ("nowhere.pem", "No such file")] {
        let said = set_credentials(None, true, Some(&guarded.root.join(file))).unwrap_err();
        assert!(said.contains(words) && said.contains(file), "{said}");
    }
}

#[test]
fn a_window_that_was_not_told_whom_to_trust_opens_no_stream_over_tls_and_says_so() {
    let guarded = Guarded::start("nobody");
    set_credentials(Some(guarded.token.clone()), false, None).unwrap();
    assert_eq!(refused(&guarded.url("wss", "/stream")), "the address asks for TLS, and nobody said whom to trust");
    // The same port without TLS answers, and not with what was asked for.
    let said = get(&guarded.url("http", "/api/publication")).unwrap_err();
    assert!(said.contains("400"), "{said}");
}

/// As where a proxy sends `http://` on to `https://`, or a machine has no authorities at all.
#[test]
fn a_download_over_tls_that_was_not_told_whom_to_trust_fails_with_words() {
    let guarded = Guarded::start("untold");
    set_credentials(Some(guarded.token.clone()), false, None).unwrap();
    let said = get(&guarded.url("https", "/api/publication")).unwrap_err();
    assert!(said.contains("certificate") || said.contains("trust"), "{said}");
}

//! Who may come in, and who may do what: every way in, with and without tokens, from pages of others, by wrong names.

use axum::http::StatusCode;
use futures_util::SinkExt as _;
use gateway::access::{Access, Audit, Hash, Need, Role, entry, new_token};
use gateway::config::ServerConfig;
use gateway::server::routes;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use twin_model::{Secret, SignalIndex};
use twin_protocol::*;

use crate::acknowledge::{TANKS, post};
use crate::world::{Folder, SITE, Socket, Wish, World};

/// A gateway that asks for tokens, and the tokens.
pub(crate) struct Guarded {
    pub(crate) world: World,
    pub(crate) folder: Folder,
    tokens: Vec<(&'static str, Secret)>,
}

impl Guarded {
    async fn start(site: &str) -> Self {
        Self::start_with(site, ServerConfig::default()).await
    }

    async fn start_with(site: &str, config: ServerConfig) -> Self {
        let folder = Folder::new();
        let soon = "2020-01-01T00:00:00Z".parse().unwrap();
        let mut tokens = Vec::new();
        let mut file = String::new();
        for (name, roles, sources, expires) in [
            ("view", vec![Role::View], vec![], None),
            ("send", vec![Role::Send], vec![], None),
            ("manage", vec![Role::Manage], vec![], None),
            ("all", Role::ALL.to_vec(), vec![], None),
            ("elsewhere", vec![Role::Send], vec!["other".to_owned()], None),
            ("over", Role::ALL.to_vec(), vec![], Some(soon)),
        ] {
            let token = new_token().unwrap();
            file += &entry(name, &roles, &sources, expires, &Hash::of(&token));
            tokens.push((name, token));
        }
        let path = folder.write("access.toml", file);
        let audit = Audit::to_file(&folder.0.join("audit.jsonl")).unwrap();
        let access = Access::default().with_file(&path).unwrap().with_audit(audit);
        // Open sockets look at their token as often as they say that they live.
        let config = ServerConfig { keep_alive: Duration::from_millis(50), ..config };
        let world = World::start_with(site, Wish { access, config, pump: true, ..Wish::default() }).await;
        Self { world, folder, tokens }
    }

    fn token(&self, name: &str) -> &str {
        self.tokens.iter().find(|(known, _)| *known == name).unwrap().1.expose()
    }

    fn audit(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.folder.0.join("audit.jsonl")).unwrap();
        for (name, token) in &self.tokens {
            assert!(!text.contains(token.expose()), "the token of {name} is in the audit log");
        }
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Status and the whole answer to a request as written.
pub(crate) async fn ask(world: &World, request: impl AsRef<[u8]>) -> (u16, String) {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    let mut bytes = Vec::new();
    // A socket that was opened stays open; its status line is all that counts.
    let end = async { while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 && !whole(&bytes) {} };
    tokio::time::timeout(Duration::from_secs(20), end).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), text)
}

/// Whether an answer is complete, or a socket stands.
fn whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    head.starts_with("http/1.1 101") || length.is_some_and(|length| bytes.len() >= head.len() + 4 + length)
}

/// A request that would open a socket where there is one.
fn request(world: &World, method: &str, path: &str, headers: &str) -> String {
    let host = world.address;
    let upgrade = if matches!(path.split('?').next(), Some("/stream" | "/ingest")) {
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    } else {
        "Connection: close\r\n"
    };
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{upgrade}{headers}\r\n")
}

/// Every route with something in the place of its parts.
fn ways_in() -> Vec<(String, Need)> {
    let fill =
        |path: &str| path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
    routes().iter().map(|route| (fill(route.path), route.need)).collect()
}

#[tokio::test]
async fn every_way_in_asks_for_its_role_and_for_nothing_else() {
    let guarded = Guarded::start(SITE).await;
    let ways = ways_in();
    assert!(ways.len() >= 12);
    for (path, need) in ways {
        for method in ["GET", "POST"] {
            let status = async |headers: String| ask(&guarded.world, request(&guarded.world, method, &path, &headers)).await.0;
            let bearer = |name: &str| format!("Authorization: Bearer {}\r\n", guarded.token(name));
            let passed =
                |status: u16| !matches!(status, 0 | 400..=403 | 421 | 429 | 500..) || (path.contains("/api/") && status == 400);
            let Need::Role(role) = need else {
                let status = status(String::new()).await;
                assert!(!matches!(status, 0 | 400..=403 | 429), "{method} {path} asks nobody: {status}");
                continue;
            };
            for (headers, wanted) in [
                (String::new(), 401),
                ("Authorization: Bearer wrong\r\n".to_owned(), 401),
                ("Authorization: Basic dTpw\r\n".to_owned(), 401),
                (format!("{0}{0}", bearer("all")), 401),
                (bearer("over"), 401),
            ] {
                let status = status(headers.clone()).await;
                // Many wrong tokens of one address are refused in fewer words.
                assert!(status == wanted || (status == 429 && headers.contains("wrong")), "{method} {path} {headers}: {status}");
            }
            for name in ["view", "send", "manage"] {
                let status = status(bearer(name)).await;
                if name == role.as_str() {
                    assert!(passed(status), "{method} {path} {name}: {status}");
                } else {
                    assert_eq!(status, 403, "{method} {path} {name}");
                }
            }
            assert!(passed(status(bearer("all")).await), "{method} {path}");
        }
    }
    guarded.audit();
    guarded.world.stop().await;
}

#[tokio::test]
async fn the_page_itself_is_open_and_what_was_given_to_one_is_not_for_the_caches_of_others() {
    let guarded = Guarded::start(SITE).await;
    assert_eq!(guarded.world.get("/", "").await.0, 200);
    assert_eq!(guarded.world.get("/healthz", "").await.2, b"ok\n");
    let (status, head, body) = guarded.world.get("/api/publication", "").await;
    assert_eq!(status, 401);
    assert!(head.contains("www-authenticate: bearer"), "{head}");
    let words = String::from_utf8(body).unwrap();
    assert!(words.contains("Authorization: Bearer TOKEN") && words.contains("orrery access new"), "{words}");
    let bearer = format!("Authorization: bearer {}\r\n", guarded.token("view"));
    assert_eq!(guarded.world.get("/api/publication", &bearer).await.0, 200, "the scheme in any case");
    guarded.world.stop().await;
}

#[tokio::test]
async fn a_token_in_an_address_is_refused_with_words_on_every_way_in() {
    let guarded = Guarded::start(SITE).await;
    let token = guarded.token("all").to_owned();
    let ways = ways_in().into_iter().map(|(path, _)| path).chain(["/".to_owned()]);
    for path in ways {
        for query in
            [format!("token={token}"), format!("a=1&Token={token}"), format!("%74oken={token}"), format!("access_token={token}")]
        {
            let headers = format!("Authorization: Bearer {token}\r\n");
            let (status, text) = ask(&guarded.world, request(&guarded.world, "GET", &format!("{path}?{query}"), &headers)).await;
            assert_eq!(status, 400, "{path} {text}");
            assert!(text.contains("ends up in logs") && !text.contains(&token), "{text}");
        }
    }
    guarded.world.stop().await;
}

#[tokio::test]
async fn every_way_in_is_closed_to_requests_under_another_name() {
    let world = World::start().await;
    let port = world.address.port();
    let ways = ways_in().into_iter().map(|(path, _)| path).chain(["/".to_owned(), "/no/such".to_owned()]);
    for path in ways {
        for (host, wanted) in [
            ("Host: evil.example\r\n".to_owned(), 403),
            (format!("Host: evil.example:{port}\r\n"), 403),
            ("Host: 169.254.169.254\r\n".to_owned(), 403),
            ("Host: x\r\n".to_owned(), 403),
            (String::new(), 400),
            ("Host:\r\n".to_owned(), 403),
            (format!("Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n"), 400),
            (format!("Host: 127.0.0.1:{port}\u{e9}\r\n"), 400),
        ] {
            let plain = request(&world, "GET", &path, "");
            let asked = plain.replace(&format!("Host: {}\r\n", world.address), &host);
            assert_eq!(ask(&world, &asked).await.0, wanted, "{path} {host}");
        }
        let absolute = request(&world, "GET", &path, "").replacen(&path, &format!("http://evil.example:{port}{path}"), 1);
        assert_eq!(ask(&world, &absolute).await.0, 400, "{path} in absolute form");
    }
    for host in ["localhost", "LOCALHOST:1", "[::1]:7", "127.0.0.1"] {
        let asked = format!("GET /api/publication HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(ask(&world, asked).await.0, 200, "{host}");
    }
}

#[tokio::test]
async fn pages_of_others_open_no_socket_ask_for_no_data_and_change_nothing() {
    let access = Access::default().with_origins(&["https://Portal.example/".to_owned()]);
    let world = World::start_with(SITE, Wish { access, ..Wish::default() }).await;
    let port = world.address.port();
    let own = format!("Origin: http://127.0.0.1:{port}\r\n");
    for (path, good) in [("/stream", 101), ("/ingest", 101), ("/api/publication", 200)] {
        for origin in [
            "null",
            "file://",
            "https://evil.example",
            "http://localhost:3000",
            &format!("http://localhost:{port}"),
            &format!("http://user@127.0.0.1:{port}"),
            "http://evil\u{e9}.example",
            "",
        ] {
            // Latin-1 bytes, as a browser of another mind might send.
            let asked: Vec<u8> =
                request(&world, "GET", path, &format!("Origin: {origin}\r\n")).chars().map(|c| c as u8).collect();
            let (status, text) = ask(&world, asked).await;
            assert_eq!(status, 403, "{path} {origin}");
            assert!(text.contains("--allow-origin"), "{text}");
        }
        let twice = ask(&world, request(&world, "GET", path, &format!("{own}{own}"))).await;
        assert_eq!(twice.0, 403, "{path}");
        for origin in [&own, "Origin: https://portal.example\r\n", ""] {
            assert_eq!(ask(&world, request(&world, "GET", path, origin)).await.0, good, "{path} {origin}");
        }
    }
    for (headers, wanted) in [
        ("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 200),
        ("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n", 200),
    ] {
        assert_eq!(ask(&world, request(&world, "GET", "/metrics", headers)).await.0, wanted, "{headers}");
    }
    assert_eq!(ask(&world, request(&world, "GET", "/", "Origin: https://evil.example\r\n")).await.0, 200, "no data in the page");
    assert_eq!(ask(&world, request(&world, "POST", "/", "Origin: https://evil.example\r\n")).await.0, 403);
}

/// A socket as a page opens it: with an origin and without a token.
async fn page_socket(world: &World, path: &str, form: Option<&str>) -> Socket {
    let origin = format!("http://{}", world.address);
    world.try_socket(path, form, Some(&origin)).await.unwrap()
}

#[tokio::test]
async fn a_page_brings_its_token_in_the_first_message_of_either_socket() {
    let guarded = Guarded::start(SITE).await;
    let world = &guarded.world;
    let hello = |token: Option<&str>| {
        ClientFrame::Hello(ClientHello {
            versions: vec![VERSION],
            agent: "page".into(),
            resume: None,
            token: token.map(Secret::new),
        })
    };
    let mut viewer = page_socket(world, "/stream", Some(SUBPROTOCOL_BIN)).await;
    viewer.say(&hello(Some(guarded.token("view")))).await;
    assert!(matches!(viewer.frame().await, ServerFrame::Hello(_)));
    for (token, words) in
        [(None, "asks for a token"), (Some("wrong"), "not known here"), (Some(guarded.token("send")), "this token is for: send")]
    {
        let mut viewer = page_socket(world, "/stream", Some(SUBPROTOCOL_BIN)).await;
        viewer.say(&hello(token)).await;
        let (code, reason) = viewer.closed().await;
        assert_eq!(code, CloseCode::Unauthorized.number());
        assert!(reason.contains(words), "{reason}");
    }
    let mut viewer = page_socket(world, "/stream", Some(SUBPROTOCOL_JSON)).await;
    viewer.text(&json::encode_client(&hello(Some(guarded.token("view"))))).await;
    assert!(viewer.message().await.unwrap().to_text().unwrap().contains("\"frame\":\"hello\""));

    let line = r#"{"signal":"pump-01.flow","value":1}"#;
    let mut sender = page_socket(world, "/ingest", None).await;
    sender.text(&format!("{{\"token\":\"{}\"}}\n{line}\n{{\"ack\":1}}", guarded.token("send"))).await;
    let answer = sender.message().await.unwrap().into_text().unwrap();
    assert!(answer.contains("\"ack\":1") && answer.contains("\"samples\":1"), "{answer}");
    // Once more, later, and by somebody who is known already: no complaint, and nothing is repeated.
    sender.text(&format!("{{\"token\":\"{}\"}}\n{{\"ack\":2}}", guarded.token("view"))).await;
    let answer = sender.message().await.unwrap().into_text().unwrap();
    assert!(answer.contains("\"ack\":2") && answer.contains("\"refused\":0"), "{answer}");
    for first in [
        line.to_owned(),
        "{\"token\":\"wrong\"}".to_owned(),
        format!("{{\"token\":\"{}\"}}", guarded.token("elsewhere")),
        "{\"token\":5}".to_owned(),
    ] {
        let mut sender = page_socket(world, "/ingest", None).await;
        sender.text(&format!("{first}\n{line}")).await;
        let answer = sender.message().await.unwrap().into_text().unwrap();
        assert!(answer.starts_with("{\"error\":") && !answer.contains("wrong\\\""), "{answer}");
        let Some(Message::Close(Some(close))) = sender.message().await else { panic!("{first}") };
        assert_eq!(u16::from(close.code), CloseCode::Unauthorized.number());
    }
    guarded.audit();
    guarded.world.stop().await;
}

#[tokio::test]
async fn a_sources_own_token_opens_that_source_and_nothing_else() {
    let site = format!("{SITE}token = \"open sesame\"\n[[sources]]\nid = \"free\"\nkind = \"websocket\"\n")
        .replace("bind = false", "bind = false\nsource = \"script\"");
    let open = World::start_with(&site, Wish::default()).await;
    let guarded = Guarded::start(&site).await;
    let status = async |world: &World, path: &str, token: &str| {
        let headers = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        ask(world, request(world, "GET", path, &headers)).await.0
    };
    let (send, elsewhere) = (guarded.token("send"), guarded.token("elsewhere"));
    for (path, token, in_open, in_guarded) in [
        ("/ingest", "", 401, 401),
        ("/ingest", "wrong", 401, 401),
        ("/ingest", "open sesame", 101, 101),
        ("/ingest?source=script", "open sesame", 101, 101),
        ("/ingest?source=free", "", 101, 401),
        ("/ingest?source=free", "open sesame", 101, 403),
        ("/ingest?source=nothing", "open sesame", 404, 404),
        ("/api/publication", "open sesame", 200, 403),
        ("/ingest", send, 401, 101),
        ("/ingest", elsewhere, 401, 403),
    ] {
        assert_eq!(status(&open, path, token).await, in_open, "open: {path} {token}");
        assert_eq!(status(&guarded.world, path, token).await, in_guarded, "guarded: {path} {token}");
    }
    let (_, _, body) = open.get("/api/publication", "").await;
    assert!(!String::from_utf8_lossy(&body).contains("sesame"));
    guarded.world.stop().await;
}

#[tokio::test]
async fn a_token_made_a_moment_ago_opens_the_door_at_once() {
    let guarded = Guarded::start(SITE).await;
    let path = guarded.folder.0.join("access.toml");
    for name in ["first", "second", "third"] {
        let known = format!("Authorization: Bearer {}\r\n", guarded.token("view"));
        assert_eq!(guarded.world.get("/api/catalogue", &known).await.0, 200, "the file was just looked at");
        let token = new_token().unwrap();
        let text = std::fs::read_to_string(&path).unwrap() + &entry(name, &[Role::View], &[], None, &Hash::of(&token));
        std::fs::write(&path, text).unwrap();
        let new = format!("Authorization: Bearer {}\r\n", token.expose());
        assert_eq!(guarded.world.get("/api/catalogue", &new).await.0, 200, "{name}");
    }
    guarded.world.stop().await;
}

#[tokio::test]
async fn a_token_that_is_taken_out_of_the_file_ends_what_it_had_opened() {
    let guarded = Guarded::start(SITE).await;
    let path = guarded.folder.0.join("access.toml");
    let whole = std::fs::read_to_string(&path).unwrap();
    let mut viewer = page_socket(&guarded.world, "/stream", Some(SUBPROTOCOL_BIN)).await;
    let token = Some(Secret::new(guarded.token("view")));
    viewer.say(&ClientFrame::Hello(ClientHello { versions: vec![VERSION], agent: String::new(), resume: None, token })).await;
    let mut sender = page_socket(&guarded.world, "/ingest", None).await;
    sender.text(&format!("{{\"token\":\"{}\"}}\n{{\"ack\":1}}", guarded.token("send"))).await;
    assert!(sender.message().await.unwrap().to_text().unwrap().contains("ack"));
    // A file that is broken for a moment ends nothing.
    std::fs::write(&path, "[[tokens]]\nname =").unwrap();
    let keep = |frame: ServerFrame| matches!(frame, ServerFrame::KeepAlive { .. }).then_some(());
    let noticed = |words: &'static str| guarded.audit().iter().any(|event| event["what"].as_str().unwrap().contains(words));
    while !noticed("the tokens stay as they were") {
        viewer.until(keep).await;
    }
    let bearer = format!("Authorization: Bearer {}\r\n", guarded.token("view"));
    assert_eq!(guarded.world.get("/api/publication", &bearer).await.0, 200);
    std::fs::write(
        &path,
        whole
            .split("[[tokens]]")
            .filter(|part| part.contains("\"all\""))
            .map(|part| format!("[[tokens]]{part}"))
            .collect::<String>(),
    )
    .unwrap();
    assert_eq!(viewer.closed().await.0, CloseCode::Unauthorized.number());
    loop {
        match sender.message().await {
            Some(Message::Close(Some(close))) => break assert_eq!(u16::from(close.code), CloseCode::Unauthorized.number()),
            Some(_) => {}
            None => panic!("the sender was cut off without a word"),
        }
    }
    assert_eq!(guarded.world.get("/api/publication", &bearer).await.0, 401);
    guarded.world.stop().await;
}

#[tokio::test]
async fn what_is_managed_is_written_down_and_so_is_who_was_refused() {
    let guarded = Guarded::start(SITE).await;
    let bearer = |name: &str| format!("Authorization: Bearer {}\r\n", guarded.token(name));
    let (status, head, body) = guarded.world.get("/api/access", &bearer("manage")).await;
    assert_eq!(status, 200);
    assert!(head.contains("cache-control: no-store"));
    let text = String::from_utf8(body).unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        list["tokens"][4],
        serde_json::json!({ "name": "elsewhere", "roles": ["send"], "sources": ["other"], "expires": null })
    );
    assert!(!text.contains("sha256"), "no hashes");
    guarded.world.get("/api/access", &bearer("view")).await;
    guarded.world.get("/api/publication", "Authorization: Bearer wrong\r\n").await;
    let events: Vec<_> = guarded
        .audit()
        .iter()
        .map(|e| (e["who"].clone(), e["what"].clone(), e["status"].clone(), e["address"].clone()))
        .collect();
    let event = |who: &str, what: &str, status: u16| (who.into(), what.into(), status.into(), "127.0.0.1".into());
    assert_eq!(
        events,
        [event("manage", "GET /api/access", 200), event("view", "refused: manage", 403), event("", "refused: view", 401)]
    );
    guarded.world.stop().await;
}

#[tokio::test]
async fn an_alarm_is_acknowledged_by_who_may_manage_and_the_log_says_who_it_was() {
    let guarded = Guarded::start(TANKS).await;
    guarded.world.put(0, guarded.world.app.clock.now(), 95.0);
    let ask = async |name: &str| {
        let token = if name.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", guarded.token(name)) };
        let headers = format!("Content-Type: application/json\r\n{token}");
        post(&guarded.world, "/api/alarms/tank-1.high/acknowledge", &headers, r#"{"by": "Ann"}"#).await
    };
    for (name, wanted) in [("", 401), ("view", 403), ("send", 403)] {
        assert_eq!(ask(name).await.0, wanted, "{name}");
    }
    let acknowledged = || guarded.world.hub.with_store(|store| store.live(SignalIndex(1)));
    assert_eq!(acknowledged(), None, "nobody has seen it yet");
    let (status, answer) = ask("manage").await;
    assert_eq!((status, &answer["alarm"], &answer["by"]), (200, &"tank-1.high".into(), &"Ann".into()), "{answer}");
    let events: Vec<_> =
        guarded.audit().into_iter().map(|e| (e["who"].clone(), e["what"].clone(), e["status"].clone())).collect();
    let event = |who: &str, what: &str, status: u16| (who.into(), what.into(), status.into());
    let what = "POST /api/alarms/tank-1.high/acknowledge";
    assert_eq!(
        events,
        [event("view", "refused: manage", 403), event("send", "refused: manage", 403), event("manage", what, 200)]
    );
    guarded.world.stop().await;
}

#[tokio::test]
async fn an_address_that_keeps_guessing_has_to_wait_and_a_right_token_never_has() {
    let guarded = Guarded::start(SITE).await;
    let wrong = "Authorization: Bearer wrong\r\n";
    for _ in 0..10 {
        assert_eq!(guarded.world.get("/api/publication", wrong).await.0, 401);
    }
    let (status, head, body) = guarded.world.get("/api/publication", wrong).await;
    assert_eq!(StatusCode::from_u16(status).unwrap(), StatusCode::TOO_MANY_REQUESTS);
    assert!(head.contains("retry-after: ") && String::from_utf8(body).unwrap().contains("too many wrong tokens"));
    let right = format!("Authorization: Bearer {}\r\n", guarded.token("view"));
    assert_eq!(guarded.world.get("/api/publication", &right).await.0, 200);
    assert_eq!(guarded.audit().len(), 10, "the log is not filled by one who guesses");
    guarded.world.stop().await;
}

#[tokio::test]
async fn who_is_not_let_in_gets_no_seat_among_the_senders() {
    let guarded = Guarded::start(SITE).await;
    let mut waiting = Vec::new();
    for _ in 0..70 {
        waiting.push(page_socket(&guarded.world, "/ingest", None).await);
    }
    let mut sender = page_socket(&guarded.world, "/ingest", None).await;
    sender.inner.send(Message::Text(format!("{{\"token\":\"{}\"}}\n{{\"ack\":1}}", guarded.token("send")).into())).await.unwrap();
    assert!(sender.message().await.unwrap().to_text().unwrap().contains("\"ack\":1"));
    drop(waiting);
    guarded.world.stop().await;
}

#[tokio::test]
async fn who_is_not_let_in_gets_no_seat_among_the_viewers() {
    let guarded = Guarded::start_with(SITE, ServerConfig { max_clients: 2, ..ServerConfig::default() }).await;
    let hello = |token: &str| {
        let token = Some(Secret::new(token));
        ClientFrame::Hello(ClientHello { versions: vec![VERSION], agent: "page".into(), resume: None, token })
    };
    let mut waiting = Vec::new();
    for nth in 0..8 {
        let mut stranger = page_socket(&guarded.world, "/stream", Some(SUBPROTOCOL_BIN)).await;
        if nth % 2 == 0 {
            stranger.say(&hello("guessed")).await;
        }
        waiting.push(stranger);
    }
    let mut viewer = page_socket(&guarded.world, "/stream", Some(SUBPROTOCOL_BIN)).await;
    viewer.say(&hello(guarded.token("view"))).await;
    assert!(matches!(viewer.frame().await, ServerFrame::Hello(_)));
    // Who is let in still has to find one: half of two is what one address may have.
    let mut second = page_socket(&guarded.world, "/stream", Some(SUBPROTOCOL_BIN)).await;
    second.say(&hello(guarded.token("view"))).await;
    let (code, reason) = second.closed().await;
    assert_eq!(code, CloseCode::Busy.number(), "{reason}");
    drop(waiting);
    guarded.world.stop().await;
}

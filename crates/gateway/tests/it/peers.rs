//! Peers that hold on, send nothing or take nothing: each has its time and its seat, and never another's.

use std::io::ErrorKind;
use std::time::Duration;

use gateway::arrival::Door;
use gateway::assemble::{PlantOptions, plant};
use gateway::config::ServerConfig;
use gateway::life::{Doorway, run_loading};
use gateway::site::Site;
use gateway::tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::world::{Folder, PATIENCE, SITE, Wish, World, closed};

/// Far below any patience of a test.
const SOON: Duration = Duration::from_millis(100);

async fn world(config: ServerConfig) -> World {
    World::start_with(SITE, Wish { config, ..Wish::default() }).await
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.address).await.unwrap()
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Asks for `/healthz` and keeps the connection; the status, or 0 where it was closed.
async fn health(stream: &mut TcpStream) -> u16 {
    stream.write_all(HEALTH).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\nok\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    let status = head.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
    status.and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn a_head_that_does_not_end_and_a_connection_that_asks_nothing_are_closed() {
    let world = world(ServerConfig { request_timeout: SOON, ..ServerConfig::default() }).await;
    let mut silent = connect(&world).await;
    closed(&mut silent).await;
    let mut trickle = connect(&world).await;
    trickle.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ").await.unwrap();
    closed(&mut trickle).await;
    let mut idle = connect(&world).await;
    assert_eq!(health(&mut idle).await, 200);
    closed(&mut idle).await;
    world.app.peers.seats.empty().await;
}

#[tokio::test]
async fn a_body_that_does_not_end_is_given_up_with_its_connection() {
    let world = world(ServerConfig { request_timeout: SOON, ..ServerConfig::default() }).await;
    let head = "POST /api/alarms/none/acknowledge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for begun in [format!("{head}Content-Length: 100\r\n\r\n{{"), format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n")]
    {
        let mut slow = connect(&world).await;
        slow.write_all(begun.as_bytes()).await.unwrap();
        closed(&mut slow).await;
    }
    world.app.peers.seats.empty().await;
    // Who sends all of it hears what is wrong with it.
    let mut whole = connect(&world).await;
    whole.write_all(format!("{head}Content-Length: 2\r\n\r\n{{}}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    whole.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let config = ServerConfig { request_timeout: SOON, ..ServerConfig::default() };
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let app = World::app(&site, plant(&site, &PlantOptions::default()).unwrap(), Wish { config, ..Wish::default() }, stopping);
    let seats = app.peers.seats.clone();
    let tls = tls::server(tls::self_signed(vec!["localhost".to_owned()], None).unwrap(), None).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = Doorway::new(listener, Door::tls(tls), seats.clone(), &app.config);
    let server = tokio::spawn(run_loading(door, stop, std::future::pending::<()>(), async { Ok::<_, std::io::Error>(app) }));
    // Nothing at all, and the beginning of a client's first word.
    for begun in [&b""[..], &[0x16, 0x03, 0x01, 0x00, 0xc8, 0x01]] {
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(begun).await.unwrap();
        closed(&mut slow).await;
        seats.empty().await;
    }
    server.abort();
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_let_go() {
    let folder = Folder::new();
    folder.write("index.html", "hi");
    // More than any system buffers for one connection.
    folder.write("large.bin", vec![b'x'; 64 << 20]);
    let config = ServerConfig { send_timeout: SOON, ..ServerConfig::default() };
    let world = World::start_with(SITE, Wish { config, web: Some(folder.0.clone()), ..Wish::default() }).await;
    let mut deaf = connect(&world).await;
    deaf.write_all(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    // Not a byte is read until the server has let go.
    tokio::time::timeout(PATIENCE, world.app.peers.seats.empty()).await.unwrap();
    let (status, _, body) = world.get("/large.bin", "").await;
    assert_eq!((status, body.len()), (200, 64 << 20), "who reads gets all of it");
}

#[tokio::test]
async fn idle_connections_make_room_for_who_asks_something() {
    let world = world(ServerConfig { connections: Some(4), address_share: 100, ..ServerConfig::default() }).await;
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(connect(&world).await);
    }
    for _ in 0..12 {
        assert_eq!(health(&mut connect(&world).await).await, 200);
    }
    // The first ones were let go for it.
    closed(&mut held[0]).await;
    let (_, _, body) = world.get("/metrics", "").await;
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("orrery_connections_max 4\n") && text.contains("orrery_connections_refused_total 0\n"), "{text}");
}

#[tokio::test]
async fn one_address_leaves_seats_for_others() {
    let world = world(ServerConfig { connections: Some(4), ..ServerConfig::default() }).await;
    // Sockets do not idle.
    let _one = world.client(None).await;
    let _two = world.client(None).await;
    let mut third = connect(&world).await;
    let mut answer = String::new();
    let read = third.read_to_string(&mut answer).await;
    assert!(read.is_ok() && answer.starts_with("HTTP/1.1 503 ") && answer.contains("Retry-After: 5\r\n"), "{read:?} {answer}");
    let socket = TcpSocket::new_v4().unwrap();
    if let Err(error) = socket.bind(([127, 0, 0, 2], 0).into()) {
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        return eprintln!("SKIPPED (this machine has no 127.0.0.2): one_address_leaves_seats_for_others");
    }
    let mut other = socket.connect(world.address).await.unwrap();
    assert_eq!(health(&mut other).await, 200);
}

#[tokio::test]
async fn requests_on_their_way_are_answered_when_the_server_stops() {
    let folder = Folder::new();
    folder.write("index.html", "hi");
    folder.write("large.bin", vec![b'x'; 32 << 20]);
    let world = World::start_with(SITE, Wish { web: Some(folder.0.clone()), ..Wish::default() }).await;
    let mut reader = connect(&world).await;
    let mut idle = connect(&world).await;
    assert_eq!(health(&mut idle).await, 200);
    reader.write_all(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    reader.read_exact(&mut first).await.unwrap();
    let stop = tokio::spawn(world.stop());
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() > 32 << 20, "{}", rest.len());
    closed(&mut idle).await;
    stop.await.unwrap();
}

#[cfg(unix)]
#[test]
fn a_program_that_may_open_few_files_goes_on_serving() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::process::{Command, Stdio};
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE);
    let line = "ulimit -n 32; exec \"$0\" serve \"$1\" --listen 127.0.0.1:0 --address-share 100";
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_orrery")]).arg(&site).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let held: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(&address).unwrap()).collect();
    let mut asker = std::net::TcpStream::connect(&address).unwrap();
    asker.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let read = asker.read_to_string(&mut answer);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(held);
    assert!(read.is_ok() && answer.starts_with("HTTP/1.1 200 OK"), "{read:?} {answer}");
}

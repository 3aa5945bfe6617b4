//! Answers that nobody reads, many at once: what is booked and held of them stays within the budget and within an address's share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::config::ServerConfig;
use gateway::peers::Guests;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use twin_model::{Sample, SignalIndex, Value};
use twin_protocol::{Limits, ServerFrame, decode_server};

use crate::world::{Folder, PATIENCE, SITE, Wish, World, at};

/// All at once.
const MANY: usize = 60;

async fn world(answer_bytes: usize, web: Option<&Folder>) -> World {
    let config = ServerConfig { answer_bytes, room_patience: Duration::from_millis(100), ..ServerConfig::default() };
    World::start_with(SITE, Wish { config, web: web.map(|folder| folder.0.clone()), ..Wish::default() }).await
}

/// Asks on a connection of its own, whose buffer is so small that an unread answer stays with the server.
async fn ask(world: &World, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut stream = socket.connect(world.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", world.address);
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// All of them ask before any reads. Those that are answered, with nothing read but the status; the refused are told why.
async fn ask_at_once(world: &World, path: &str) -> Vec<TcpStream> {
    let mut asked = Vec::new();
    for _ in 0..MANY {
        asked.push(ask(world, path).await);
    }
    let mut answered = Vec::new();
    for mut stream in asked {
        let mut status = [0; 12];
        tokio::time::timeout(PATIENCE, stream.read_exact(&mut status)).await.unwrap().unwrap();
        match &status {
            b"HTTP/1.1 200" => answered.push(stream),
            b"HTTP/1.1 503" => {
                let said = String::from_utf8(rest(stream).await).unwrap();
                assert!(
                    said.contains("retry-after: 2\r\n") && said.ends_with("on their way unread; try again in 2 s\n"),
                    "{said}"
                );
            }
            _ => panic!("{}", String::from_utf8_lossy(&status)),
        }
    }
    answered
}

async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

async fn body(stream: TcpStream) -> Vec<u8> {
    let bytes = rest(stream).await;
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    bytes[head + 4..].to_vec()
}

/// The most that was ever booked while it was looked.
struct Most(Arc<AtomicBool>, std::thread::JoinHandle<usize>);

impl Most {
    fn of(guests: &Arc<Guests>) -> Self {
        let (end, guests) = (Arc::new(AtomicBool::new(false)), guests.clone());
        let ends = end.clone();
        let look = move || {
            let mut most = 0;
            while !ends.load(Ordering::Relaxed) {
                most = most.max(guests.taken());
                std::thread::yield_now();
            }
            most
        };
        Self(end, std::thread::spawn(look))
    }

    fn end(self) -> usize {
        self.0.store(true, Ordering::Relaxed);
        self.1.join().unwrap()
    }
}

async fn all_given_back(world: &World) {
    tokio::time::timeout(PATIENCE, world.app.peers.seats.empty()).await.unwrap();
    assert_eq!(world.app.peers.answers.taken(), 0);
}

#[tokio::test]
async fn an_unread_file_of_a_page_folder_holds_two_pieces_and_not_its_size() {
    let content: Vec<u8> = (0..16_u32 << 20).map(|n| (n % 251) as u8).collect();
    let folder = Folder::new();
    folder.write("index.html", "hi");
    folder.write("large.bin", &content);
    let world = world(2 << 20, Some(&folder)).await;
    let most = Most::of(&world.app.peers.answers);
    let mut answered = ask_at_once(&world, "/large.bin").await;
    // Of one address's megabyte, 128 KiB each.
    assert_eq!((answered.len(), world.app.peers.answers.taken()), (8, 1 << 20));
    let (status, head, said) = world.get("/api/catalogue", "").await;
    assert_eq!((status, head.contains("retry-after: 2")), (503, true), "{}", String::from_utf8_lossy(&said));
    assert_eq!(world.get("/healthz", "").await.0, 200, "what is small goes on");
    // Who leaves makes room for who waits, and who reads gets all of it.
    drop(answered.pop());
    let mut again = ask(&world, "/large.bin").await;
    let mut status = [0; 12];
    again.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    assert!(body(again).await == content);
    for stream in answered.drain(..3) {
        assert!(body(stream).await == content);
    }
    drop(answered);
    all_given_back(&world).await;
    let most = most.end();
    assert!(most <= 1 << 20, "{most}");
    assert_eq!(world.get("/api/catalogue", "").await.0, 200);
    world.stop().await;
}

#[tokio::test]
async fn unread_answers_about_history_are_booked_before_they_are_made() {
    const SHARE: usize = 48 << 20;
    let world = world(2 * SHARE, None).await;
    // Four megabytes that don't pack: texts of letters by chance.
    let mut state = 1_u32;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + (state >> 26) as u8)
    };
    for s in 0..70 {
        let text: String = (0..60_000).map(|_| letter()).collect();
        world.hub.ingest(&[(SignalIndex(3), Sample::new(at(s), Value::Text(text.into())))]);
    }
    let (_, _, whole) = world.get("/api/history", "").await;
    assert!(whole.len() > 2 << 20, "{}", whole.len());
    let most = Most::of(&world.app.peers.answers);
    let mut answered = ask_at_once(&world, "/api/history").await;
    // A frame of 16 MiB at most is booked for each that is being made, its size from then on.
    let fit = (SHARE - (16 << 20)) / whole.len() + 1;
    assert!((1..=fit).contains(&answered.len()), "{} of {fit}", answered.len());
    assert_eq!(world.app.peers.answers.taken(), answered.len() * whole.len());
    let read = body(answered.pop().unwrap()).await;
    assert!(matches!(decode_server(&read, &Limits::SERVER_FRAMES), Ok(ServerFrame::History(_))) && read == whole);
    drop(answered);
    all_given_back(&world).await;
    let most = most.end();
    assert!((whole.len()..=SHARE).contains(&most), "{most}");
    assert_eq!(world.get("/api/history", "").await.2, whole);
    world.stop().await;
}

//! Sockets whose peer has gone without a word, and viewers of the JSON form.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use gateway::config::ServerConfig;
use gateway::lease::LeaseTimes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use twin_protocol::*;

use crate::world::{PATIENCE, SITE, Wish, World, at, closed};

/// Short for a test, and long for a machine that is busy.
const SHORT: LeaseTimes = LeaseTimes { ping: Duration::from_millis(200), lease: Duration::from_secs(3) };

async fn world(config: ServerConfig) -> World {
    World::start_with(SITE, Wish { config, pump: true, ..Wish::default() }).await
}

/// A socket at `path` whose peer never answers anything any more: no library that would answer pings by itself.
async fn vanished(address: SocketAddr, path: &str, last_words: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream.write_all(last_words).await.unwrap();
    stream
}

/// A binary message of a client whose mask is zero.
fn masked(frame: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x82, 0x80 | u8::try_from(frame.len()).unwrap(), 0, 0, 0, 0];
    bytes.extend(frame);
    bytes
}

#[tokio::test]
async fn senders_that_vanish_give_their_seats_back_and_one_that_idles_but_lives_stays() {
    let world = world(ServerConfig { max_senders: 4, address_share: 100, lease: SHORT, ..ServerConfig::default() }).await;
    let mut idle = world.socket("/ingest", None).await;
    let mut gone = Vec::new();
    for _ in 0..3 {
        gone.push(vanished(world.address, "/ingest", b"").await);
    }
    let mut pings = 0;
    let living = async {
        // Longer than a lease; the library answers as it reads.
        while pings < 20 {
            pings += usize::from(matches!(idle.inner.next().await, Some(Ok(Message::Ping(_)))));
        }
    };
    tokio::time::timeout(PATIENCE, living).await.unwrap();
    for mut one in gone {
        closed(&mut one).await;
    }
    idle.text("{\"signal\":\"pump-01.flow\",\"value\":1}\n{\"ack\":7}").await;
    let answer = loop {
        match idle.message().await {
            Some(Message::Text(text)) => break text,
            Some(Message::Ping(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(answer.contains("\"ack\":7"), "{answer}");
    assert_eq!(world.app.inboxes[0].senders().0, 1, "only the one that lives");
    world.stop().await;
}

#[tokio::test]
async fn a_viewer_that_vanishes_is_let_go_with_a_word() {
    let world = world(ServerConfig { lease: SHORT, ..ServerConfig::default() }).await;
    let hello = ClientFrame::Hello(ClientHello { versions: vec![VERSION], agent: "gone".into(), resume: None, token: None });
    let mut gone = vanished(world.address, "/stream", &masked(&encode_client(&hello))).await;
    let mut said = Vec::new();
    drop(tokio::time::timeout(PATIENCE, gone.read_to_end(&mut said)).await.expect("closed in time"));
    let words = b"nothing was heard for too long";
    assert!(said.windows(words.len()).any(|part| part == words), "{}", String::from_utf8_lossy(&said));
    while world.hub.totals.clients.load(Ordering::Relaxed) > 0 {
        tokio::task::yield_now().await;
    }
    world.stop().await;
}

#[tokio::test]
async fn one_address_has_its_share_of_viewers_and_of_senders() {
    let world = world(ServerConfig { max_clients: 4, max_senders: 4, ..ServerConfig::default() }).await;
    let _viewers = [world.client(None).await, world.client(None).await];
    let mut third = world.socket("/stream", None).await;
    let (code, reason) = third.closed().await;
    assert!(code == 4004 && reason.starts_with("2 clients of this address"), "{code} {reason}");
    let _senders = [world.socket("/ingest", None).await, world.socket("/ingest", None).await];
    let mut third = world.socket("/ingest", None).await;
    let Some(Message::Close(Some(frame))) = third.message().await else { panic!("no close") };
    assert_eq!(u16::from(frame.code), 4004);
    assert!(frame.reason.starts_with("2 senders of this address"), "{}", frame.reason);
    // From another address there is still room.
    let socket = TcpSocket::new_v4().unwrap();
    if socket.bind(([127, 0, 0, 2], 0).into()).is_err() {
        return eprintln!("SKIPPED (this machine has no 127.0.0.2): the other address");
    }
    let stream = socket.connect(world.address).await.unwrap();
    let (mut other, _) = tokio_tungstenite::client_async(format!("ws://{}/stream", world.address), stream).await.unwrap();
    let hello = ClientFrame::Hello(ClientHello { versions: vec![VERSION], agent: "other".into(), resume: None, token: None });
    futures_util::SinkExt::send(&mut other, Message::Binary(encode_client(&hello).into())).await.unwrap();
    let Some(Ok(Message::Binary(first))) = other.next().await else { panic!("no answer") };
    assert!(matches!(decode_server(&first, &Limits::SERVER_FRAMES), Ok(ServerFrame::Hello(_))));
    world.stop().await;
}

#[tokio::test]
async fn a_batch_is_made_once_for_all_viewers_of_the_json_form() {
    let world = World::start().await;
    let mut viewers = Vec::new();
    for _ in 0..12 {
        let mut viewer = world.socket("/stream", Some(SUBPROTOCOL_JSON)).await;
        viewer
            .text(&json::encode_client(&ClientFrame::Hello(ClientHello {
                versions: vec![1],
                agent: "j".into(),
                resume: None,
                token: None,
            })))
            .await;
        loop {
            let Some(Message::Text(text)) = viewer.message().await else { panic!("no text") };
            if text.contains("\"frame\":\"snapshot\"") {
                break;
            }
        }
        viewers.push(viewer);
    }
    for s in 1..=3 {
        world.put(0, at(s), s as f64);
    }
    let mut all = Vec::new();
    for viewer in &mut viewers {
        let mut batches = Vec::new();
        while batches.len() < 3 {
            let Some(Message::Text(text)) = viewer.message().await else { panic!("no text") };
            if text.contains("\"frame\":\"batch\"") {
                batches.push(text.to_string());
            }
        }
        all.push(batches);
    }
    let ServerFrame::Batch(second) = json::decode_server(&all[0][1], &Limits::SERVER_FRAMES).unwrap() else { panic!() };
    assert_eq!((second.seq, second.entries.len()), (2, 1));
    assert!(all.iter().all(|one| *one == all[0]));
    assert_eq!(world.hub.totals.texts.load(Ordering::Relaxed), 3);
}

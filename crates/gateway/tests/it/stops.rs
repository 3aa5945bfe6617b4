//! A stop that could not write everything ends with code 2 and says so; what was acknowledged before is there.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream as Plain;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Instant;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use twin_model::Value;

use crate::disk::read;
use crate::world::{Folder, PATIENCE, SITE};

pub(crate) struct Limited {
    child: Child,
    said: ChildStderr,
    pub(crate) address: String,
}

impl Limited {
    /// A server whose files may have `blocks` of 512 bytes (of 1,024 with some shells), as on a disk that is full then.
    pub(crate) fn start(site: &Path, data: &Path, blocks: Option<u32>) -> Self {
        Self::start_as(Path::new(env!("CARGO_BIN_EXE_orrery")), site, data, blocks)
    }

    /// The same by another name of the program.
    pub(crate) fn start_as(program: &Path, site: &Path, data: &Path, blocks: Option<u32>) -> Self {
        let limit = blocks.map_or_else(String::new, |blocks| format!("trap '' XFSZ; ulimit -f {blocks}; "));
        let mut child = Command::new("sh")
            .args(["-c", &format!("{limit}exec \"$@\""), "sh"])
            .args([program, Path::new("serve"), site, Path::new("--data"), data, Path::new("--listen"), Path::new("127.0.0.1:0")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = child.stderr.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(!address.is_empty(), "the server prints its address");
        Self { child, said, address }
    }

    pub(crate) async fn sender(&self) -> WebSocketStream<TcpStream> {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        tokio_tungstenite::client_async(format!("ws://{}/ingest", self.address), stream).await.unwrap().0
    }

    /// An answer with its head, as far as it is text.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut socket = Plain::connect(&self.address).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until `/readyz` says that the disk refuses.
    fn refused(&self) {
        let begun = Instant::now();
        loop {
            let answer = self.get("/readyz");
            if answer.starts_with("HTTP/1.1 503") && answer.contains("disk.refuses") {
                return;
            }
            assert!(begun.elapsed() < PATIENCE * 3, "the disk never refuses: {answer}");
            std::thread::yield_now();
        }
    }

    /// Asks it to stop: its exit code and what it said.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

pub(crate) async fn acknowledged(socket: &mut WebSocketStream<TcpStream>, line: &str) {
    socket.send(Message::Text(format!("{line}\n{{\"ack\":1}}").into())).await.unwrap();
    let answer = loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            break text;
        }
    };
    assert!(answer.contains("\"durable\":true"), "{answer}");
}

/// A line with a text that nothing can pack.
fn noise(n: u64) -> String {
    let letters: String =
        (0..2_000_u64).map(|k| format!("{:016x}", (n * 2_000 + k).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))).collect();
    format!("{{\"signal\":\"pump-01.mode\",\"value\":\"{letters}\"}}")
}

#[tokio::test]
async fn a_stop_on_a_full_disk_ends_with_2_and_what_was_acknowledged_is_there() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    // A first run without a limit makes the files; it stops with everything written.
    let server = Limited::start(&site, &data, None);
    acknowledged(&mut server.sender().await, "{\"signal\":\"pump-01.starts\",\"value\":1}").await;
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    // Room for little more: 2 MiB at most, while some 8 MiB come.
    let server = Limited::start(&site, &data, Some(2_048));
    let mut sender = server.sender().await;
    acknowledged(&mut sender, "{\"signal\":\"pump-01.starts\",\"value\":2}").await;
    for n in 0..250 {
        sender.send(Message::Text(noise(n).into())).await.unwrap();
    }
    server.refused();
    let (code, said) = server.stop();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the last samples could not be written, and are lost"), "{said}");
    let (newest, count) = read(&site, &data, "pump-01.starts");
    assert_eq!((newest, count), (Some(Value::Int(2)), 2), "what was acknowledged");
}

#[tokio::test]
async fn a_stop_without_its_folder_ends_with_2() {
    let folder = Folder::new();
    let (site, data, gone) = (folder.write("site.toml", SITE), folder.0.join("data"), folder.0.join("gone"));
    let server = Limited::start(&site, &data, None);
    let mut sender = server.sender().await;
    acknowledged(&mut sender, "{\"signal\":\"pump-01.starts\",\"value\":1}").await;
    std::fs::rename(&data, &gone).unwrap();
    sender.send(Message::Text("{\"signal\":\"pump-01.starts\",\"value\":2}\n{\"ack\":2}".into())).await.unwrap();
    server.refused();
    let (code, said) = server.stop();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("could not be written"), "{said}");
    let (newest, _) = read(&site, &gone, "pump-01.starts");
    assert_eq!(newest, Some(Value::Int(1)), "what was acknowledged is in the folder that went away");
}

//! A WebSocket on a thread of its own.
#![allow(clippy::disallowed_methods, reason = "the socket lives on a thread of its own")]

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tungstenite::client::IntoClientRequest as _;
use tungstenite::http::HeaderValue;
use tungstenite::{Error, Message, WebSocket};

use super::super::{Heeds, Inbox, SocketEvent, Waker, monotonic};
use super::wire::{Wire, credentials};

/// Messages that may wait to be sent; more are dropped (the viewer sends a handful in its life).
const OUTGOING: usize = 64;

/// Longest silence of a gateway that is greeted.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// One connection; dropped means closed.
pub struct Socket {
    inbox: Arc<Mutex<Inbox>>,
    outgoing: SyncSender<Vec<u8>>,
}

impl Socket {
    /// Starts connecting to a `ws://` or `wss://` address with a subprotocol.
    pub fn connect(url: &str, protocol: &str, waker: Waker, heeds: Heeds) -> Self {
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let (outgoing, queue) = sync_channel(OUTGOING);
        let (shared, url, protocol) = (inbox.clone(), url.to_owned(), protocol.to_owned());
        std::thread::spawn(move || {
            let (code, reason) = match open(&url, &protocol) {
                Ok(mut socket) => {
                    tell(&shared, &waker, SocketEvent::Opened);
                    talk(&mut socket, &queue, &mut |bytes| {
                        let heeded = heeds(&bytes);
                        if push(&shared, SocketEvent::Message(bytes)) || heeded {
                            waker();
                        }
                    })
                }
                Err(reason) => (0, reason),
            };
            tell(&shared, &waker, SocketEvent::Closed { code, reason });
        });
        Self { inbox, outgoing }
    }

    /// Sends a binary message; dropped where the connection is gone or far behind.
    pub fn send(&self, bytes: Vec<u8>) {
        let _dropped_when_full = self.outgoing.try_send(bytes);
    }

    /// The next event, and when it came.
    pub fn poll(&self) -> Option<(SocketEvent, f64)> {
        self.inbox.lock().ok()?.pop()
    }
}

fn tell(inbox: &Mutex<Inbox>, waker: &Waker, event: SocketEvent) {
    push(inbox, event);
    waker();
}

/// Whether so much waits now that it has to be taken in.
fn push(inbox: &Mutex<Inbox>, event: SocketEvent) -> bool {
    let Ok(mut inbox) = inbox.lock() else { return false };
    inbox.push(event, monotonic());
    inbox.is_filling()
}

fn open(url: &str, protocol: &str) -> Result<WebSocket<Wire>, String> {
    let mut request = url.into_client_request().map_err(|error| format!("{error} ({url})"))?;
    let value = HeaderValue::from_str(protocol).map_err(|error| error.to_string())?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", value);
    if let Some(token) = credentials().token {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_| "the token does not fit into a header".to_owned())?;
        value.set_sensitive(true);
        request.headers_mut().insert("Authorization", value);
    }
    let uri = request.uri();
    let secure = uri.scheme_str() == Some("wss");
    let host = uri.host().ok_or_else(|| format!("no host in {url}"))?.to_owned();
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let reach = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((reach, port)).map_err(|error| format!("can't reach {host}: {error}"))?;
    stream.set_read_timeout(Some(HANDSHAKE)).map_err(|error| error.to_string())?;
    let wire = if secure { Wire::secure(stream, &host)? } else { Wire::Plain(stream) };
    let (socket, _) = tungstenite::client(request, wire).map_err(|error| format!("{error} ({url})"))?;
    // Short enough that what we send does not wait long behind a silent server.
    socket.get_ref().tcp().set_read_timeout(Some(Duration::from_millis(50))).map_err(|error| error.to_string())?;
    Ok(socket)
}

fn talk(socket: &mut WebSocket<Wire>, queue: &Receiver<Vec<u8>>, take: &mut dyn FnMut(Vec<u8>)) -> (u16, String) {
    loop {
        match queue.try_recv() {
            Ok(bytes) => {
                if let Err(error) = socket.send(Message::binary(bytes)) {
                    return (0, error.to_string());
                }
            }
            Err(TryRecvError::Empty) => {}
            // The owner is gone.
            Err(TryRecvError::Disconnected) => {
                let _closing_anyway = socket.close(None);
                return (1000, String::new());
            }
        }
        match socket.read() {
            Ok(Message::Binary(bytes)) => take(bytes.to_vec()),
            Ok(Message::Text(text)) => take(text.as_bytes().to_vec()),
            Ok(Message::Close(frame)) => {
                return frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
            }
            Ok(_) => {}
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return (0, error.to_string()),
        }
    }
}

//! A WebSocket of the browser.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::{SinkExt as _, StreamExt as _};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use wasm_bindgen_futures::spawn_local;

use super::super::{Heeds, Inbox, SocketEvent, Waker, monotonic};

type Sink = futures_util::stream::SplitSink<WebSocket, Message>;

/// Messages that wait to go out. The viewer says little (greeting, pings, acknowledgements); what exceeds this is dropped,
/// as on a connection that is gone: the gateway then ends a link that stays silent.
const MAX_WAITING: usize = 64;

/// What goes out, and the way out while nobody is using it.
#[derive(Default)]
struct Outbox {
    waiting: VecDeque<Vec<u8>>,
    sink: Option<Sink>,
}

/// One connection; dropped means closed.
pub struct Socket {
    inbox: Rc<RefCell<Inbox>>,
    outbox: Rc<RefCell<Outbox>>,
    alive: Rc<Cell<bool>>,
}

impl Socket {
    /// Starts connecting with a subprotocol.
    pub fn connect(url: &str, protocol: &str, waker: Waker, heeds: Heeds) -> Self {
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let outbox = Rc::new(RefCell::new(Outbox::default()));
        let alive = Rc::new(Cell::new(true));
        match WebSocket::open_with_protocol(url, protocol) {
            Ok(socket) => {
                let (write, read) = socket.split();
                outbox.borrow_mut().sink = Some(write);
                // gloo queues what is sent before the connection stands, so that the greeting may go out at once.
                inbox.borrow_mut().push(SocketEvent::Opened, monotonic());
                spawn_local(listen(read, inbox.clone(), outbox.clone(), alive.clone(), waker, heeds));
            }
            Err(error) => {
                inbox.borrow_mut().push(SocketEvent::Closed { code: 0, reason: error.to_string() }, monotonic());
                waker();
            }
        }
        Self { inbox, outbox, alive }
    }

    /// Sends a binary message after those before it; dropped where the connection is gone.
    pub fn send(&self, bytes: Vec<u8>) {
        let mut outbox = self.outbox.borrow_mut();
        if outbox.waiting.len() < MAX_WAITING {
            outbox.waiting.push_back(bytes);
        }
        // Taken out while it is awaited: nothing else may hold it across the wait. Whoever has it sends what came since.
        if let Some(write) = outbox.sink.take() {
            spawn_local(drain(write, self.outbox.clone(), self.alive.clone()));
        }
    }

    /// The next event, and when it came.
    pub fn poll(&self) -> Option<(SocketEvent, f64)> {
        self.inbox.borrow_mut().pop()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.alive.set(false);
        if let Some(mut write) = self.outbox.borrow_mut().sink.take() {
            spawn_local(async move {
                let _closing_anyway = write.close().await;
            });
        }
    }
}

async fn drain(mut write: Sink, outbox: Rc<RefCell<Outbox>>, alive: Rc<Cell<bool>>) {
    loop {
        let next = outbox.borrow_mut().waiting.pop_front();
        let Some(bytes) = next else { break };
        if write.send(Message::Bytes(bytes)).await.is_err() {
            // Closed: nothing goes out any more, and saying so again would only fill the console.
            return;
        }
    }
    if alive.get() {
        outbox.borrow_mut().sink = Some(write);
    } else {
        let _closing_anyway = write.close().await;
    }
}

async fn listen(
    mut read: futures_util::stream::SplitStream<WebSocket>,
    inbox: Rc<RefCell<Inbox>>,
    outbox: Rc<RefCell<Outbox>>,
    alive: Rc<Cell<bool>>,
    waker: Waker,
    heeds: Heeds,
) {
    let mut end = (1005, String::new());
    while let Some(message) = read.next().await {
        if !alive.get() {
            return;
        }
        let bytes = match message {
            Ok(Message::Bytes(bytes)) => bytes,
            Ok(Message::Text(text)) => text.into_bytes(),
            Err(WebSocketError::ConnectionClose(close)) => {
                end = (close.code, close.reason);
                continue;
            }
            Err(error) => {
                end = (0, error.to_string());
                continue;
            }
        };
        let heeded = heeds(&bytes);
        let mut inbox = inbox.borrow_mut();
        inbox.push(SocketEvent::Message(bytes), monotonic());
        if heeded || inbox.is_filling() {
            waker();
        }
    }
    outbox.borrow_mut().sink = None;
    inbox.borrow_mut().push(SocketEvent::Closed { code: end.0, reason: end.1 }, monotonic());
    waker();
}

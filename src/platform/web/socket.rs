//! A WebSocket of the browser.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::{SinkExt as _, StreamExt as _};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use wasm_bindgen_futures::spawn_local;

use super::super::{Inbox, SocketEvent, Waker};

type Sink = futures_util::stream::SplitSink<WebSocket, Message>;

/// One connection; dropped means closed.
pub struct Socket {
    inbox: Rc<RefCell<Inbox>>,
    sink: Rc<RefCell<Option<Sink>>>,
    alive: Rc<Cell<bool>>,
}

impl Socket {
    /// Starts connecting with a subprotocol.
    pub fn connect(url: &str, protocol: &str, waker: Waker) -> Self {
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let sink = Rc::new(RefCell::new(None));
        let alive = Rc::new(Cell::new(true));
        match WebSocket::open_with_protocol(url, protocol) {
            Ok(socket) => {
                let (write, read) = socket.split();
                *sink.borrow_mut() = Some(write);
                // gloo queues what is sent before the connection stands, so that the greeting may go out at once.
                inbox.borrow_mut().push(SocketEvent::Opened);
                spawn_local(listen(read, inbox.clone(), alive.clone(), waker));
            }
            Err(error) => {
                inbox.borrow_mut().push(SocketEvent::Closed { code: 0, reason: error.to_string() });
                waker();
            }
        }
        Self { inbox, sink, alive }
    }

    /// Sends a binary message; dropped where the connection is gone.
    pub fn send(&self, bytes: Vec<u8>) {
        let sink = self.sink.clone();
        spawn_local(async move {
            // Taken out while it is awaited: nothing else may hold it across the wait.
            let taken = sink.borrow_mut().take();
            if let Some(mut write) = taken {
                let _gone_when_closed = write.send(Message::Bytes(bytes)).await;
                *sink.borrow_mut() = Some(write);
            }
        });
    }

    /// The next event.
    pub fn poll(&self) -> Option<SocketEvent> {
        self.inbox.borrow_mut().pop()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.alive.set(false);
        if let Some(mut write) = self.sink.borrow_mut().take() {
            spawn_local(async move {
                let _closing_anyway = write.close().await;
            });
        }
    }
}

async fn listen(
    mut read: futures_util::stream::SplitStream<WebSocket>,
    inbox: Rc<RefCell<Inbox>>,
    alive: Rc<Cell<bool>>,
    waker: Waker,
) {
    let mut end = (1005, String::new());
    while let Some(message) = read.next().await {
        if !alive.get() {
            return;
        }
        match message {
            Ok(Message::Bytes(bytes)) => inbox.borrow_mut().push(SocketEvent::Message(bytes)),
            Ok(Message::Text(text)) => inbox.borrow_mut().push(SocketEvent::Message(text.into_bytes())),
            Err(WebSocketError::ConnectionClose(close)) => end = (close.code, close.reason),
            Err(error) => end = (0, error.to_string()),
        }
        waker();
    }
    inbox.borrow_mut().push(SocketEvent::Closed { code: end.0, reason: end.1 });
    waker();
}

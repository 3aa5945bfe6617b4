//! The bounded queue between a socket's callbacks and the frame loop.

use std::collections::VecDeque;

use super::SocketEvent;

/// Most bytes that wait between two frames. A hidden page gets no frames while its socket goes on delivering.
pub const SOCKET_QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// Events in order, bounded in bytes. Overflow drops every waiting message and says so once; the owner reconnects.
#[derive(Debug, Default)]
pub struct Inbox {
    events: VecDeque<SocketEvent>,
    bytes: usize,
}

impl Inbox {
    /// Adds an event at the end.
    pub fn push(&mut self, event: SocketEvent) {
        let size = if let SocketEvent::Message(bytes) = &event { bytes.len() } else { 0 };
        if self.bytes + size > SOCKET_QUEUE_BYTES {
            self.events.clear();
            self.bytes = 0;
            self.events.push_back(SocketEvent::Overflowed);
            return;
        }
        self.bytes += size;
        self.events.push_back(event);
    }

    /// Takes the oldest event.
    pub fn pop(&mut self) -> Option<SocketEvent> {
        let event = self.events.pop_front()?;
        if let SocketEvent::Message(bytes) = &event {
            self.bytes -= bytes.len();
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_in_order() {
        let mut inbox = Inbox::default();
        inbox.push(SocketEvent::Opened);
        inbox.push(SocketEvent::Message(vec![1]));
        assert_eq!(inbox.pop(), Some(SocketEvent::Opened));
        assert_eq!(inbox.pop(), Some(SocketEvent::Message(vec![1])));
        assert_eq!(inbox.pop(), None);
    }

    #[test]
    fn overflow_drops_what_waits_and_says_so() {
        let mut inbox = Inbox::default();
        for _ in 0..5 {
            inbox.push(SocketEvent::Message(vec![0; 8 * 1024 * 1024]));
        }
        assert_eq!(inbox.pop(), Some(SocketEvent::Overflowed));
        assert_eq!(inbox.pop(), None);
        inbox.push(SocketEvent::Message(vec![7]));
        assert_eq!(inbox.pop(), Some(SocketEvent::Message(vec![7])));
    }
}

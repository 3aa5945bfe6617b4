//! The bounded queue between a socket's callbacks and the frame loop.

use std::collections::VecDeque;

use super::SocketEvent;

/// Bytes, and events, that wait without anybody being woken for them; a viewer at rest takes them in with one frame then.
const AT_REST: (usize, usize) = (4 * 1024 * 1024, 512);

/// Most bytes that wait between two frames. A hidden page gets no frames while its socket goes on delivering.
pub const SOCKET_QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// Events in order, bounded in bytes. Overflow drops every waiting message and says so once; the owner reconnects.
#[derive(Debug, Default)]
pub struct Inbox {
    /// With the moment of their arrival, by the monotonic clock.
    events: VecDeque<(SocketEvent, f64)>,
    bytes: usize,
}

impl Inbox {
    /// Adds an event at the end, which came at `at`.
    pub fn push(&mut self, event: SocketEvent, at: f64) {
        let size = if let SocketEvent::Message(bytes) = &event { bytes.len() } else { 0 };
        if self.bytes + size > SOCKET_QUEUE_BYTES {
            self.events.clear();
            self.bytes = 0;
            self.events.push_back((SocketEvent::Overflowed, at));
            return;
        }
        self.bytes += size;
        self.events.push_back((event, at));
    }

    /// Takes the oldest event, and when it came.
    pub fn pop(&mut self) -> Option<(SocketEvent, f64)> {
        let (event, at) = self.events.pop_front()?;
        if let SocketEvent::Message(bytes) = &event {
            self.bytes -= bytes.len();
        }
        Some((event, at))
    }

    /// Whether so much waits that it has to be taken in, whatever it is.
    pub fn is_filling(&self) -> bool {
        self.bytes > AT_REST.0 || self.events.len() > AT_REST.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_in_order_with_the_time_of_their_arrival() {
        let mut inbox = Inbox::default();
        inbox.push(SocketEvent::Opened, 1.0);
        inbox.push(SocketEvent::Message(vec![1]), 2.5);
        assert_eq!(inbox.pop(), Some((SocketEvent::Opened, 1.0)));
        assert_eq!(inbox.pop(), Some((SocketEvent::Message(vec![1]), 2.5)));
        assert_eq!(inbox.pop(), None);
    }

    #[test]
    fn overflow_drops_what_waits_and_says_so() {
        let mut inbox = Inbox::default();
        for _ in 0..5 {
            inbox.push(SocketEvent::Message(vec![0; 8 * 1024 * 1024]), 0.0);
        }
        assert_eq!(inbox.pop(), Some((SocketEvent::Overflowed, 0.0)));
        assert_eq!(inbox.pop(), None);
        inbox.push(SocketEvent::Message(vec![7]), 1.0);
        assert_eq!(inbox.pop(), Some((SocketEvent::Message(vec![7]), 1.0)));
    }

    #[test]
    fn what_nobody_is_woken_for_has_an_end() {
        let mut inbox = Inbox::default();
        for _ in 0..=AT_REST.1 {
            assert!(!inbox.is_filling());
            inbox.push(SocketEvent::Message(vec![0]), 0.0);
        }
        assert!(inbox.is_filling());
        while inbox.pop().is_some() {}
        inbox.push(SocketEvent::Message(vec![0; AT_REST.0 + 1]), 0.0);
        assert!(inbox.is_filling());
    }
}

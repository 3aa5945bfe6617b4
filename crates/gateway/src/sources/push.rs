//! The source that empties an [`Inbox`]: what others push in at `/ingest`.

use twin_model::{Sample, SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_protocol::LinkState;

use super::inbox::Inbox;
use super::{Polled, Source, Wake};

/// Empties an [`Inbox`]. Its link is up while a sender is connected.
pub struct PushSource {
    inbox: Inbox,
}

impl PushSource {
    /// The source of an inbox.
    pub fn new(inbox: Inbox) -> Self {
        Self { inbox }
    }
}

impl Source for PushSource {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn poll(&mut self, _: Timestamp, out: &mut Polled) {
        self.inbox.poll(&mut out.samples);
        if let Some(why) = &self.inbox.refuses {
            out.links.push((self.inbox.source, LinkState::Down, why.to_string()));
            return;
        }
        let (state, detail) = match self.inbox.senders() {
            (0, false) => (LinkState::Unknown, "waiting for a sender at /ingest"),
            (0, true) => (LinkState::Down, "the sender has gone"),
            _ => (LinkState::Up, ""),
        };
        out.links.push((self.inbox.source, state, detail.to_owned()));
    }

    fn settled(&mut self, seq: u64) {
        self.inbox.settle(seq);
    }

    fn stands_for(&self) -> Vec<SourceIndex> {
        vec![self.inbox.source]
    }

    fn wake_by(&mut self, wake: &Wake) {
        self.inbox.wake_by(wake.clone());
    }
}

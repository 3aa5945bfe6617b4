//! The newest batches, encoded, for clients that are a little behind. Bounded by count and bytes: the oldest goes first.

use std::collections::VecDeque;

use axum::body::Bytes;
use twin_model::Timestamp;

/// One batch as it goes over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) seq: u64,
    pub(crate) frame: Bytes,
    /// Samples in all batches up to and with this one, since the start of the server.
    pub(crate) total: u64,
    /// Newest receive time in it.
    pub(crate) received: Timestamp,
}

/// Bounds of a [`Ring`].
#[derive(Debug, Clone, Copy)]
pub struct RingLimits {
    /// Batches.
    pub batches: usize,
    /// Bytes of frames.
    pub bytes: usize,
}

impl Default for RingLimits {
    /// Some two minutes at ten batches a second, at most 16 MiB.
    fn default() -> Self {
        Self { batches: 1_200, bytes: 16 << 20 }
    }
}

#[derive(Debug)]
pub(crate) struct Ring {
    items: VecDeque<Sent>,
    bytes: usize,
    limits: RingLimits,
}

impl Ring {
    pub(crate) fn new(limits: RingLimits) -> Self {
        Self { items: VecDeque::new(), bytes: 0, limits }
    }

    pub(crate) fn push(&mut self, sent: Sent) {
        self.bytes += sent.frame.len();
        self.items.push_back(sent);
        while self.items.len() > self.limits.batches || (self.bytes > self.limits.bytes && self.items.len() > 1) {
            if let Some(old) = self.items.pop_front() {
                self.bytes -= old.frame.len();
            }
        }
    }

    /// The batch with this number, if it is still here.
    pub(crate) fn get(&self, seq: u64) -> Option<&Sent> {
        let first = self.items.front()?.seq;
        self.items.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// Batches behind `seq` that are held, and their bytes up to a few hundred.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(seq: u64, bytes: usize) -> Sent {
        Sent { seq, frame: vec![0; bytes].into(), total: seq, received: Timestamp::from_secs(0) }
    }

    #[test]
    fn the_oldest_goes_first_by_count_and_by_bytes() {
        let mut ring = Ring::new(RingLimits { batches: 3, bytes: 100 });
        for seq in 1..=5 {
            ring.push(sent(seq, 10));
        }
        assert!(ring.get(2).is_none() && ring.get(3).is_some() && ring.get(5).is_some() && ring.get(6).is_none());
        ring.push(sent(6, 95));
        assert_eq!((ring.len(), ring.bytes()), (1, 95));
        ring.push(sent(7, 500));
        assert!(ring.get(7).is_some(), "the newest always stays");
    }
}

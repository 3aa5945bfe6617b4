//! The end of history that is in no page yet, and holes in the stream: asked for by time.

use std::collections::VecDeque;

use twin_model::TimeRange;

use crate::platform::{Fetch, FetchState, Waker};

/// Tries before a stretch is given up and drawn as a gap.
const TRIES: u32 = 4;
/// Stretches that may wait; beyond it the oldest wish is forgotten and stays a gap.
const WAITING: usize = 1_000;

/// Stretches wanted and the one on its way.
#[derive(Default)]
pub(super) struct Tail {
    wanted: VecDeque<(TimeRange, u32)>,
    running: Option<(TimeRange, u32, Fetch)>,
}

impl Tail {
    /// Wants a stretch, before those already wanted.
    pub(super) fn want(&mut self, range: TimeRange) {
        if range.is_empty() || self.wanted.iter().any(|(known, _)| *known == range) {
            return;
        }
        self.wanted.push_front((range, 0));
        self.wanted.truncate(WAITING);
    }

    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some() || !self.wanted.is_empty()
    }

    /// Asks for the next stretch unless one is on its way.
    pub(super) fn ask(&mut self, base: &str, waker: &Waker) {
        if self.running.is_none()
            && let Some((range, tries)) = self.wanted.pop_front()
        {
            // What the gateway can't read comes as a loss with its time, not as a value from before that goes on.
            let url = format!("{base}/api/history?from={}&to={}&damaged=marked", range.start, range.end);
            self.running = Some((range, tries, Fetch::start(&url, waker.clone())));
        }
    }

    /// What has arrived: the stretch and its bytes, or why it did not come.
    pub(super) fn poll(&mut self) -> Option<(TimeRange, Result<Vec<u8>, String>)> {
        let (range, tries, fetch) = self.running.as_ref()?;
        let (range, tries) = (*range, *tries);
        let outcome = match fetch.poll() {
            FetchState::Running { .. } => return None,
            FetchState::Taken => Err("lost".to_owned()),
            FetchState::Failed(why) => Err(why),
            FetchState::Later(_) => Err(super::BUSY.to_owned()),
            FetchState::Done(bytes) => Ok(bytes),
        };
        self.running = None;
        if outcome.is_err() && tries + 1 < TRIES {
            self.wanted.push_back((range, tries + 1));
        }
        Some((range, outcome))
    }
}

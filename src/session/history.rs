//! History over HTTP: the stretch around now first, then further back, a few chunks a frame.

use std::collections::VecDeque;

use twin_engine::Engine;
use twin_model::{SourceIndex, Span, TimeRange};
use twin_protocol::{Limits, LinkState, ServerFrame, decode_server};

use crate::platform::{Fetch, FetchState, Waker, monotonic};

/// How far back the first request goes, and by what factor each further one grows.
const FIRST: Span = Span::from_secs(30 * 60);
const GROWTH: i64 = 4;
/// Tries before a stretch is given up and drawn as a gap.
const TRIES: u32 = 4;
/// Seconds spent on chunks per poll, at least one chunk: signals may be few with long chunks, or many with short ones.
const POLL_S: f64 = 0.006;
/// Decoded history kept at most; what lies further back is not fetched.
const BUDGET_BYTES: usize = 192 << 20;

/// History on its way.
pub struct History {
    base: String,
    waker: Waker,
    wanted: VecDeque<(TimeRange, u32)>,
    running: Option<(TimeRange, u32, Fetch)>,
    chunks: VecDeque<Vec<u8>>,
    extent: Option<TimeRange>,
    /// Stretches that are here, merged and sorted.
    loaded: Vec<TimeRange>,
    pending: Option<TimeRange>,
    /// Bytes received.
    pub bytes: u64,
    problem: Option<String>,
}

impl History {
    pub(super) fn new(base: &str, waker: Waker) -> Self {
        Self {
            base: base.to_owned(),
            waker,
            wanted: VecDeque::new(),
            running: None,
            chunks: VecDeque::new(),
            extent: None,
            loaded: Vec::new(),
            pending: None,
            bytes: 0,
            problem: None,
        }
    }

    /// Everything that the server holds, as far as known.
    pub fn extent(&self) -> Option<TimeRange> {
        self.extent
    }

    /// Stretches that are here.
    pub fn loaded(&self) -> &[TimeRange] {
        &self.loaded
    }

    /// Whether more is on its way.
    pub fn is_busy(&self) -> bool {
        self.running.is_some() || !self.chunks.is_empty() || !self.wanted.is_empty()
    }

    /// Whether the first, most wanted stretch is here.
    pub fn has_first(&self) -> bool {
        !self.loaded.is_empty() || self.extent.is_none()
    }

    /// Why the last request failed.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Plans to fetch all that the server holds, newest stretch first. A reconnect fetches only what is not here yet.
    pub(super) fn begin(&mut self, extent: TimeRange) {
        self.extent = Some(self.extent.map_or(extent, |known| known.union(extent)));
        self.wanted.clear();
        let mut end = extent.end;
        let mut reach = FIRST;
        while end > extent.start {
            let start = (end - reach).max(extent.start);
            for missing in self.missing(TimeRange::new(start, end)) {
                self.wanted.push_back((missing, 0));
            }
            end = start;
            reach = reach * GROWTH;
        }
    }

    /// Wants a stretch before everything else: the stream had a hole there.
    pub(super) fn want(&mut self, range: TimeRange) {
        if !range.is_empty() {
            self.wanted.push_front((range, 0));
        }
    }

    /// The parts of a range that are not here.
    fn missing(&self, range: TimeRange) -> Vec<TimeRange> {
        let mut out = Vec::new();
        let mut at = range.start;
        for have in &self.loaded {
            if have.end <= at {
                continue;
            }
            if have.start >= range.end {
                break;
            }
            if have.start > at {
                out.push(TimeRange::new(at, have.start));
            }
            at = at.max(have.end);
        }
        if at < range.end {
            out.push(TimeRange::new(at, range.end));
        }
        out
    }

    fn note_loaded(&mut self, range: TimeRange) {
        self.loaded.push(range);
        self.loaded.sort_by_key(|range| range.start);
        let mut merged: Vec<TimeRange> = Vec::with_capacity(self.loaded.len());
        for range in self.loaded.drain(..) {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        self.loaded = merged;
    }

    /// Moves on; true where samples reached the engine. Closes gaps that history could fill.
    pub(super) fn poll(&mut self, engine: &mut Engine, gaps: &mut Vec<TimeRange>) -> bool {
        let mut fed = false;
        let until = monotonic() + POLL_S;
        while let Some(chunk) = self.chunks.pop_front() {
            match engine.import_chunk(&chunk) {
                Ok(done) => fed |= done.samples > 0,
                Err(error) => self.problem = Some(format!("a piece of history can't be read: {error}")),
            }
            if monotonic() > until {
                break;
            }
        }
        if !self.chunks.is_empty() {
            (self.waker)();
            return fed;
        }
        if let Some(range) = self.pending.take() {
            self.note_loaded(range);
            gaps.retain(|gap| !(range.start <= gap.start && gap.end <= range.end));
        }
        self.receive(engine);
        if engine.reality().store().bytes().total() >= BUDGET_BYTES {
            self.give_up_the_rest();
        }
        if self.running.is_none()
            && let Some((range, tries)) = self.wanted.pop_front()
        {
            let url = format!("{}/api/history?from={}&to={}", self.base, range.start, range.end);
            self.running = Some((range, tries, Fetch::start(&url, self.waker.clone())));
        }
        fed
    }

    /// What is wanted still stays with the server: shown as not loaded, and nothing is on its way any more.
    fn give_up_the_rest(&mut self) {
        if !self.wanted.is_empty() {
            tracing::info!(
                "history fills its {} MiB; {} stretches further back are left out",
                BUDGET_BYTES >> 20,
                self.wanted.len()
            );
            self.wanted.clear();
        }
    }

    fn receive(&mut self, engine: &mut Engine) {
        let Some((range, tries, fetch)) = &self.running else { return };
        let (range, tries) = (*range, *tries);
        let failed = match fetch.poll() {
            FetchState::Running { .. } => return,
            FetchState::Taken => "lost".to_owned(),
            FetchState::Failed(why) => why,
            FetchState::Done(bytes) => {
                self.bytes += bytes.len() as u64;
                self.running = None;
                match decode_server(&bytes, &Limits::SERVER_FRAMES) {
                    Ok(ServerFrame::History(history)) => return self.take(history, range, engine),
                    Ok(_) => "the server answered with something else".to_owned(),
                    Err(error) => error.to_string(),
                }
            }
        };
        self.running = None;
        tracing::warn!("history {}..{}: {failed}", range.start, range.end);
        self.problem = Some(failed);
        if tries + 1 < TRIES {
            self.wanted.push_back((range, tries + 1));
        }
    }

    fn take(&mut self, history: twin_protocol::History, range: TimeRange, engine: &mut Engine) {
        self.problem = None;
        if let Some(extent) = history.extent {
            self.extent = Some(self.extent.map_or(extent, |known| known.union(extent)));
        }
        for link in &history.links {
            engine.note_link(SourceIndex(link.source), link.at, link.state != LinkState::Down);
        }
        let done = history.next.map_or(range.end, |next| next.min(range.end));
        if done < range.end {
            self.wanted.push_front((TimeRange::new(done, range.end), 0));
        }
        self.chunks = history.chunks.into();
        self.pending = Some(TimeRange::new(range.start, done));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use twin_model::Timestamp;

    use super::*;

    fn range(a: i64, b: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_secs(a), Timestamp::from_secs(b))
    }

    fn history() -> History {
        History::new("http://x", Arc::new(|| {}))
    }

    #[test]
    fn the_newest_stretch_is_wanted_first() {
        let mut h = history();
        h.begin(range(0, 86_400));
        assert_eq!(h.wanted[0].0, range(86_400 - 1_800, 86_400));
        assert_eq!(h.wanted.back().unwrap().0.start, Timestamp::from_secs(0));
    }

    #[test]
    fn a_reconnect_fetches_only_what_is_missing() {
        let mut h = history();
        h.note_loaded(range(0, 100));
        h.note_loaded(range(200, 300));
        assert_eq!(h.missing(range(50, 400)), [range(100, 200), range(300, 400)]);
        h.note_loaded(range(100, 200));
        assert_eq!(h.loaded(), [range(0, 300)]);
    }
}

//! History over HTTP: the unsealed end and holes by time, everything sealed in pages that the pager chooses, taken in a few
//! chunks a frame, within a budget.

mod catalogue;
mod origin;
mod tail;

use std::collections::VecDeque;

use twin_engine::{Engine, Ready};
use twin_historian::pager::{Arrival, Cover, Focus, Page, Pager, PagerConfig, Request, Step};
use twin_historian::{Level, StoreConfig};
use twin_model::{SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::{Limits, LinkState, ServerFrame, decode_server};
use twin_publication::PieceRef;

use self::origin::{Origin, Told};
use self::tail::Tail;
use super::place::Place;
use crate::platform::{Fetch, FetchState, Waker, monotonic};

/// Seconds spent on chunks per poll, at least one chunk: signals may be few with long chunks, or many with short ones. Where a picture
/// takes long, a part of that time: else a day of history takes minutes of pictures that nobody needs.
const POLL_S: std::ops::RangeInclusive<f64> = 0.006..=0.250;
/// The part of the time between two polls that may be spent on chunks.
const POLL_SHARE: f64 = 0.2;
/// What a page may be told to hold of history, in MiB: the most is what it holds unless told otherwise, of the store's 256 MiB, so
/// that live samples have room until the next step.
pub const HISTORY_MIB: std::ops::RangeInclusive<f64> = 1.0..=224.0;
/// The same in bytes, as the store measures it.
const BUDGET_BYTES: u64 = mebibytes(*HISTORY_MIB.end());

const fn mebibytes(n: f64) -> u64 {
    (n * (1 << 20) as f64) as u64
}
/// Seconds between two looks at the catalogue: hours end, and late samples make new versions.
const LOOK_EVERY_S: f64 = 60.0;
/// Seconds between two looks at what is on its way; what arrives wakes by itself.
const LOOK_WHILE_BUSY_S: f64 = 0.25;
/// The same where something failed and is tried again.
const LOOK_AFTER_FAILURE_S: f64 = 1.0;
/// How far the catalogue is read anew at each look; the whole of it when a connection is made.
const LOOK_BACK: Span = Span::from_secs(3 * 86_400);
/// Seconds between two sums of what the store takes.
const SUM_EVERY_S: f64 = 1.0;
/// Steps of the pager per poll.
const STEPS: usize = 16;

/// Why nothing came from a server that will have it later; what failed is asked for again anyway.
const BUSY: &str = "the server is busy";

/// A page's part on its way.
struct Coming {
    request: Request,
    fetch: Fetch,
    began: f64,
}

/// What a batch of chunks is part of.
enum Piece {
    Part { id: u64, bytes: u64, began: f64 },
    Tail(TimeRange),
}

/// History on its way.
pub struct History {
    origin: Origin,
    waker: Waker,
    pager: Pager,
    tail: Tail,
    coming: Vec<Coming>,
    /// Arrived and not yet taken in, with what it is part of.
    arrived: VecDeque<(Piece, VecDeque<Vec<u8>>)>,
    catalogue: Option<(Fetch, TimeRange)>,
    next_look: f64,
    next_sum: f64,
    /// When it was last moved on.
    last_poll: f64,
    whole_look: bool,
    /// What lies ahead of the clock is still to be asked for.
    look_ahead: bool,
    extent: Option<TimeRange>,
    outside_before: Option<Timestamp>,
    /// Up to here the end of history is here or asked for; `None` before the first catalogue.
    begun: bool,
    /// Where the clock of a plant stands that is a copy in files.
    stands_at: Option<Timestamp>,
    /// Until when the stream has been whole since it was last broken.
    streamed: Option<Timestamp>,
    cover: Vec<(TimeRange, Cover)>,
    cover_of: u64,
    revision: u64,
    /// Bytes received.
    pub bytes: u64,
    problem: Option<String>,
}

impl History {
    pub(super) fn new(place: &Place, waker: Waker) -> Self {
        Self {
            origin: Origin::of(place),
            waker,
            pager: Pager::new(PagerConfig { budget_bytes: BUDGET_BYTES, ..PagerConfig::default() }),
            tail: Tail::default(),
            coming: Vec::new(),
            arrived: VecDeque::new(),
            catalogue: None,
            next_look: f64::INFINITY,
            next_sum: 0.0,
            last_poll: f64::NEG_INFINITY,
            whole_look: true,
            look_ahead: true,
            extent: None,
            outside_before: None,
            begun: false,
            stands_at: None,
            streamed: None,
            cover: Vec::new(),
            cover_of: 0,
            revision: 1,
            bytes: 0,
            problem: None,
        }
    }

    /// Everything that the server holds, as far as known.
    pub fn extent(&self) -> Option<TimeRange> {
        self.extent
    }

    /// Before this, the server keeps nothing any more.
    pub fn outside_before(&self) -> Option<Timestamp> {
        self.outside_before
    }

    /// What is here of all that the server holds, as of the last poll: stretches that ascend and do not overlap.
    pub fn cover(&self) -> &[(TimeRange, Cover)] {
        &self.cover
    }

    fn renew_cover(&mut self) {
        if self.cover_of != self.revision {
            self.cover_of = self.revision;
            let all = self.extent.unwrap_or(TimeRange::new(Timestamp::MIN, Timestamp::MIN));
            self.cover = self.pager.cover(TimeRange::new(all.start, Timestamp::MAX));
        }
    }

    /// Whether more is on its way.
    pub fn is_busy(&self) -> bool {
        self.catalogue.is_some() || self.tail.is_busy() || self.pager.is_busy() || !self.arrived.is_empty()
    }

    /// Why the last request failed.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// A connection was made at `now`: the catalogue is read anew.
    pub(super) fn begin(&mut self, extent: Option<TimeRange>, now: Timestamp) {
        self.extent = [self.extent, extent].into_iter().flatten().reduce(TimeRange::union);
        (self.whole_look, self.look_ahead) = (true, true);
        self.next_look = 0.0;
        self.streamed.get_or_insert(now);
        self.pager.retry();
    }

    /// History of a plant in files is what this catalogue lists.
    pub(super) fn listed_in(&mut self, piece: Option<PieceRef>) {
        if let Origin::Folder { catalogue, .. } = &mut self.origin {
            *catalogue = piece;
            self.next_look = 0.0;
        }
    }

    /// Where the clock of a plant stands that is a copy in files, once its catalogue is here.
    pub(super) fn stands_at(&self) -> Option<Timestamp> {
        self.stands_at
    }

    /// Wants a stretch before everything else: the stream had a hole there.
    pub(super) fn want(&mut self, range: TimeRange) {
        self.streamed = Some(range.end.max(self.streamed.unwrap_or(range.end)));
        self.tail.want(range);
    }

    /// The stream is whole up to `now`.
    pub(super) fn note_streamed(&mut self, now: Timestamp) {
        // Once a second is enough for what is drawn of it.
        let Some(from) = self.streamed.filter(|from| *from + Span::from_secs(1) <= now) else { return };
        self.pager.note_held(TimeRange::new(from, now));
        self.streamed = Some(now);
        self.extent = Some(self.extent.map_or(TimeRange::new(from, now), |extent| extent.union(TimeRange::new(from, now))));
        self.revision += 1;
    }

    /// Holds at most so many MiB from now on, within [`HISTORY_MIB`].
    pub(super) fn set_budget(&mut self, megabytes: f64) {
        self.pager.set_budget(mebibytes(megabytes.clamp(*HISTORY_MIB.start(), *HISTORY_MIB.end())));
    }

    /// Where the person looks, and how fast.
    pub(super) fn look(&mut self, engine: &mut Engine, view: Option<TimeRange>) {
        let playback = engine.playback();
        let playing = playback.state() == twin_engine::PlayState::Playing;
        let speed = if playing { playback.speed() } else { 0.0 };
        let playhead = playback.playhead();
        let view = view.or(self.extent).unwrap_or(TimeRange::new(playhead, playhead));
        self.pager.focus(Focus { playhead, speed, view });
        // Two seconds of playing, so that no frame walks beyond what was looked at.
        let reach = Span::from_secs_f64((speed.abs() * 2.0).max(60.0));
        let ready = self.pager.ready_about(playhead, reach).map_or(Ready::Nothing, Ready::Within);
        engine.note_ready(ready);
        engine.note_kept(self.extent);
    }

    /// Moves on; true where samples reached the engine. Closes gaps that history could fill.
    pub(super) fn poll(&mut self, engine: &mut Engine, gaps: &mut Vec<TimeRange>) -> bool {
        let fed = self.take_in(engine, gaps);
        self.read_catalogue(engine);
        if let Some((range, outcome)) = self.tail.poll() {
            match outcome.and_then(|bytes| self.open_tail(range, &bytes, engine)) {
                Ok(()) => self.problem = None,
                Err(why) => self.fail(&format!("{}..{}", range.start, range.end), why),
            }
        }
        self.receive_parts();
        // What arrived is taken in before more is asked for: memory stays bounded by two answers.
        if self.arrived.len() < 3 {
            if let Some(base) = self.origin.stretch() {
                self.tail.ask(base, &self.waker);
            }
            if self.begun {
                self.ask_for_pages(engine);
            }
        }
        self.note_bytes(engine);
        self.renew_cover();
        if !self.arrived.is_empty() {
            (self.waker)();
        }
        fed
    }

    /// Seconds until it has to be moved on even where nothing arrives; infinity where a look now and then is enough.
    pub(super) fn due_in(&self) -> f64 {
        if self.is_busy() {
            LOOK_WHILE_BUSY_S
        } else if self.problem.is_some() {
            LOOK_AFTER_FAILURE_S
        } else {
            f64::INFINITY
        }
    }

    /// Tells the pager what history takes, now and then: summing over all signals is no work for every frame.
    fn note_bytes(&mut self, engine: &Engine) {
        let now = monotonic();
        if now >= self.next_sum {
            self.next_sum = now + SUM_EVERY_S;
            self.pager.note_bytes(engine.reality().store().bytes().total() as u64);
        }
    }

    fn take_in(&mut self, engine: &mut Engine, gaps: &mut Vec<TimeRange>) -> bool {
        let mut fed = false;
        let now = monotonic();
        let since = now - std::mem::replace(&mut self.last_poll, now);
        let until = now + (since * POLL_SHARE).clamp(*POLL_S.start(), *POLL_S.end());
        while let Some((piece, chunks)) = self.arrived.front_mut() {
            if let Some(chunk) = chunks.pop_front() {
                match engine.import_chunk(&chunk) {
                    Ok(done) => fed |= done.samples > 0,
                    Err(error) => self.problem = Some(format!("a piece of history can't be read: {error}")),
                }
            } else {
                self.revision += 1;
                match piece {
                    Piece::Tail(range) => {
                        self.pager.note_held(*range);
                        gaps.retain(|gap| !(range.start <= gap.start && gap.end <= range.end));
                    }
                    Piece::Part { id, bytes, began } => {
                        self.pager.note_speed(*bytes, monotonic() - *began);
                        if let Arrival::Whole(details) = self.pager.arrived(*id) {
                            details.into_iter().for_each(|(range, level)| engine.note_detail(range, level));
                        }
                    }
                }
                self.arrived.pop_front();
            }
            if monotonic() > until {
                break;
            }
        }
        fed
    }

    fn read_catalogue(&mut self, engine: &mut Engine) {
        if let Some((fetch, about)) = &self.catalogue {
            let about = *about;
            let outcome = match fetch.poll() {
                FetchState::Running { .. } => return,
                FetchState::Taken => Err("lost".to_owned()),
                FetchState::Failed(why) => Err(why),
                FetchState::Later(_) => Err(BUSY.to_owned()),
                FetchState::Done(bytes) => {
                    self.bytes += bytes.len() as u64;
                    self.origin.read(&bytes)
                }
            };
            self.catalogue = None;
            self.next_look = monotonic() + LOOK_EVERY_S;
            match outcome {
                Ok(Told { catalogue, copy }) => {
                    self.problem = None;
                    if let Some((dictionary, now)) = copy {
                        engine.number(&dictionary.resolve(engine.model()));
                        self.stands_at = Some(now);
                        self.next_look = f64::INFINITY;
                    }
                    self.take_catalogue(catalogue, about, engine);
                }
                Err(why) => {
                    self.whole_look |= !self.begun;
                    self.next_look = monotonic() + 5.0;
                    self.fail("catalogue", why);
                }
            }
        } else if monotonic() >= self.next_look {
            let since = self.extent.filter(|_| !self.whole_look).map(|extent| extent.end - LOOK_BACK);
            let about = TimeRange::new(since.unwrap_or(Timestamp::MIN), Timestamp::MAX);
            let Some(url) = self.origin.catalogue(since) else {
                self.next_look = f64::INFINITY;
                return;
            };
            self.whole_look = false;
            self.catalogue = Some((Fetch::start(&url, self.waker.clone()), about));
        }
    }

    fn take_catalogue(&mut self, catalogue: catalogue::Catalogue, about: TimeRange, engine: &mut Engine) {
        self.revision += 1;
        self.outside_before = catalogue.outside_before;
        for link in &catalogue.links {
            engine.note_link(SourceIndex(link.source), link.at, link.state != LinkState::Down);
        }
        if let Some(extent) = catalogue.extent {
            let end = self.extent.map_or(extent.end, |known| known.end.max(extent.end));
            let whole = TimeRange::new(extent.start, end.max(extent.start));
            self.extent = Some(whole);
            // The end that no page holds yet, up to where the stream took over.
            let from = catalogue.sealed_until.unwrap_or(extent.start);
            let until = self.streamed.unwrap_or(whole.end).max(from);
            for hole in holes(self.pager.held(), TimeRange::new(from, until)) {
                self.tail.want(hole);
            }
            // Readings that lay ahead of the clock when the stream took over: nobody sends them again when their time comes.
            let ahead = TimeRange::new(until, extent.end.min(until + StoreConfig::default().future_limit));
            if std::mem::take(&mut self.look_ahead) && !ahead.is_empty() {
                self.tail.want(ahead);
            }
        }
        let sealed = catalogue.sealed_until.unwrap_or(Timestamp::MAX);
        self.pager.set_catalogue(about, catalogue.pages.into_iter().filter_map(|page| up_to(page, sealed)));
        self.begun = true;
    }

    fn ask_for_pages(&mut self, engine: &mut Engine) {
        for _ in 0..STEPS {
            match self.pager.step() {
                Step::Rest => return,
                Step::Evict(range, level) => {
                    engine.reduce(range, level);
                    self.revision += 1;
                }
                Step::Cancel(id) => self.coming.retain(|coming| coming.request.id != id),
                Step::Fetch(request) => {
                    let Some(url) = self.origin.part(&request) else {
                        self.pager.failed(request.id);
                        continue;
                    };
                    let fetch = Fetch::start(&url, self.waker.clone());
                    self.coming.push(Coming { request, fetch, began: monotonic() });
                    self.revision += 1;
                }
            }
        }
    }

    fn receive_parts(&mut self) {
        let mut at = 0;
        while let Some(coming) = self.coming.get(at) {
            let outcome = match coming.fetch.poll() {
                FetchState::Running { .. } => {
                    at += 1;
                    continue;
                }
                FetchState::Taken => Err("lost".to_owned()),
                FetchState::Failed(why) => Err(why),
                FetchState::Later(_) => Err(BUSY.to_owned()),
                FetchState::Done(bytes) => {
                    let whole = self.origin.check(&coming.request, &bytes);
                    whole.and_then(|()| open_page(&bytes)).map(|chunks| (chunks, bytes.len() as u64))
                }
            };
            let Coming { request, began, .. } = self.coming.remove(at);
            match outcome {
                // An answer that nobody waits for any more is dropped.
                Ok(_) if !self.pager.is_waited_for(request.id) => {}
                Ok((chunks, bytes)) => {
                    self.problem = None;
                    self.bytes += bytes;
                    self.arrived.push_back((Piece::Part { id: request.id, bytes, began }, chunks));
                }
                Err(why) => {
                    if self.pager.failed(request.id) {
                        self.fail(&format!("page {} {}", request.level, request.range.start), why);
                        // Most likely the page has another version by now.
                        self.next_look = self.next_look.min(monotonic() + 1.0);
                        self.whole_look = true;
                    }
                    self.revision += 1;
                }
            }
        }
    }

    fn open_tail(&mut self, range: TimeRange, bytes: &[u8], engine: &mut Engine) -> Result<(), String> {
        self.bytes += bytes.len() as u64;
        let history = match decode_server(bytes, &Limits::SERVER_FRAMES) {
            Ok(ServerFrame::History(history)) => history,
            Ok(_) => return Err("the server answered with something else".to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        for link in &history.links {
            engine.note_link(SourceIndex(link.source), link.at, link.state != LinkState::Down);
        }
        let done = history.next.map_or(range.end, |next| next.min(range.end));
        self.tail.want(TimeRange::new(done, range.end));
        self.arrived.push_back((Piece::Tail(TimeRange::new(range.start, done)), history.chunks.into()));
        Ok(())
    }

    fn fail(&mut self, what: &str, why: String) {
        tracing::warn!("history, {what}: {why}");
        self.problem = Some(why);
    }
}

/// What of a stretch is in none of `held`, in order of time.
fn holes(held: &[TimeRange], range: TimeRange) -> Vec<TimeRange> {
    let whole = if range.is_empty() { Vec::new() } else { vec![range] };
    held.iter().fold(whole, |holes, each| holes.iter().flat_map(|hole| hole.without(*each)).collect())
}

/// The page as far as it says anything: a coarse slab that is not over holds only what was sealed.
fn up_to(mut page: Page, sealed: Timestamp) -> Option<Page> {
    if page.level != Level::Raw {
        page.range.end = page.range.end.min(sealed);
    }
    (!page.range.is_empty()).then_some(page)
}

/// The chunks of a page's part.
fn open_page(bytes: &[u8]) -> Result<VecDeque<Vec<u8>>, String> {
    match decode_server(bytes, &Limits::SERVER_FRAMES) {
        Ok(ServerFrame::Page(page)) => Ok(page.chunks.into()),
        Ok(_) => Err("the server answered with something else".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Levels as people say them.
pub fn level_words(level: Level) -> &'static str {
    match level {
        Level::Raw | Level::Carried => "every sample",
        Level::FiveMinutes => "extracts of 5 minutes",
        Level::Hour => "hourly extracts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(from: i64, to: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_secs(from), Timestamp::from_secs(to))
    }

    #[test]
    fn only_what_is_not_here_is_asked_for_again() {
        assert_eq!(holes(&[], s(10, 20)), [s(10, 20)]);
        assert_eq!(holes(&[s(0, 30)], s(10, 20)), []);
        assert_eq!(holes(&[s(10, 20)], s(10, 20)), []);
        assert_eq!(holes(&[s(0, 12), s(14, 15), s(19, 40)], s(10, 20)), [s(12, 14), s(15, 19)]);
        assert_eq!(
            holes(&[s(0, 18)], s(10, 20)),
            [s(18, 20)],
            "a link that was away for two seconds costs two seconds, not a day"
        );
        assert_eq!(holes(&[s(0, 5), s(30, 40)], s(10, 20)), [s(10, 20)]);
        assert_eq!(holes(&[s(12, 40)], s(10, 20)), [s(10, 12)]);
        assert_eq!(holes(&[s(0, 5)], s(20, 20)), []);
    }
}

//! Which history a reader with little memory should hold: what to fetch next, what to give up, what is here at which level.
//!
//! A page is all chunks of one slab of one level, in a few parts. The pager knows the catalogue of pages, where the reader
//! looks and how fast it moves, and answers one question at a time ([`Pager::step`]). It fetches nothing itself, and knows
//! neither bytes nor clocks. Requests carry numbers: an answer to one that was given up is recognized and dropped.
//!
//! Bounds: pages held never weigh more than the budget, but for the page under the playhead and those that arrived by
//! themselves ([`Pager::note_held`]); two requests run at a time.

mod cover;
mod worth;

pub use cover::Cover;

use std::collections::BTreeMap;

use twin_model::{TimeRange, Timestamp};

use crate::chunk::Level;

/// A page in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How fine.
    pub level: Level,
    /// Its slab.
    pub range: TimeRange,
    /// Changes whenever anything in it does; part of its address.
    pub version: String,
    /// Samples in it.
    pub samples: u64,
    /// Bytes to transfer.
    pub bytes: u64,
    /// Parts to ask for, at least 1.
    pub parts: u32,
}

/// Where the reader looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Focus {
    /// The instant that is shown.
    pub playhead: Timestamp,
    /// Plant time per second; negative backwards, 0 while standing.
    pub speed: f64,
    /// The stretch that the time bar or the chart shows.
    pub view: TimeRange,
}

/// A part of a page to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Number of this request; never used twice.
    pub id: u64,
    /// Level of the page.
    pub level: Level,
    /// Slab of the page.
    pub range: TimeRange,
    /// Version of the page.
    pub version: String,
    /// Which part, from 0.
    pub part: u32,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask for this.
    Fetch(Request),
    /// Keep of this stretch only what this level has ([`Store::reduce`](crate::Store::reduce)); for [`Level::Raw`]: give it up.
    Evict(TimeRange, Level),
    /// Stop waiting for the answer to this request: something else is more urgent.
    Cancel(u64),
    /// Nothing, until something arrives or the reader moves.
    Rest,
}

/// What an arrived part means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Take it in; more parts of its page follow.
    Part,
    /// Take it in; its page is whole now. These stretches are at the level named from now on.
    Whole(Vec<(TimeRange, Level)>),
    /// Nobody waits for it any more: drop it.
    Stale,
}

/// Limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PagerConfig {
    /// Bytes that held samples may take, as the reader stores them.
    pub budget_bytes: u64,
    /// Bytes a second that fetching and taking in was seen or is guessed to manage; [`Pager::note_speed`] corrects it.
    pub bytes_per_second: f64,
}

impl Default for PagerConfig {
    /// 256 MiB; 4 MB/s until better is known.
    fn default() -> Self {
        Self { budget_bytes: 256 << 20, bytes_per_second: 4e6 }
    }
}

/// Times that a page is asked for before it counts as lost.
const TRIES: u32 = 4;
/// Requests at a time: one travels while another is taken in.
const RUNNING: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not here.
    Absent,
    /// On its way: parts taken in, and parts asked for.
    Coming { here: u32, asked: u32 },
    /// Here.
    Here,
    /// Given up after too many tries.
    Lost,
}

#[derive(Debug, Clone)]
struct Slot {
    page: Page,
    state: State,
    /// Tries that failed since it was last here.
    tries: u32,
    /// The latest end of it and all pages of its level before it: a look back from an instant ends where this does not reach it.
    reach: Timestamp,
}

#[derive(Debug, Clone)]
struct Running {
    id: u64,
    place: (Level, Timestamp),
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Pager {
    config: PagerConfig,
    slots: BTreeMap<(Level, Timestamp), Slot>,
    focus: Focus,
    running: Vec<Running>,
    next_id: u64,
    /// Stretches that are here without having been asked for: streamed, or from the unsealed end.
    held: Vec<TimeRange>,
    /// Measured bytes held over what the samples of held pages were guessed to take.
    scale: f64,
}

impl Pager {
    /// One that knows no catalogue yet.
    pub fn new(config: PagerConfig) -> Self {
        let nowhere = TimeRange::new(Timestamp::MIN, Timestamp::MIN);
        Self {
            config,
            slots: BTreeMap::new(),
            focus: Focus { playhead: Timestamp::MIN, speed: 0.0, view: nowhere },
            running: Vec::new(),
            next_id: 1,
            held: Vec::new(),
            scale: 1.0,
        }
    }

    /// Takes the catalogue of a stretch in: pages in it that are not listed are gone. A page whose version changed is wanted
    /// anew; what is here of it stays until then.
    pub fn set_catalogue(&mut self, about: TimeRange, pages: impl IntoIterator<Item = Page>) {
        let mut old = BTreeMap::new();
        let inside: Vec<_> = self.slots.iter().filter(|(_, slot)| !slot.page.range.intersect(about).is_empty()).collect();
        for place in inside.into_iter().map(|(place, _)| *place).collect::<Vec<_>>() {
            old.extend(self.slots.remove(&place).map(|slot| (place, slot)));
        }
        for page in pages {
            let place = (page.level, page.range.start);
            let known = old.remove(&place).filter(|slot| slot.page.version == page.version).map(|slot| slot.state);
            let streamed = page.level == Level::Raw && self.held.iter().any(|held| covers(*held, page.range));
            let state = if streamed { State::Here } else { known.unwrap_or(State::Absent) };
            let reach = page.range.end;
            self.slots.insert(place, Slot { page, state, tries: 0, reach });
        }
        let mut before = (Level::Raw, Timestamp::MIN);
        for ((level, _), slot) in &mut self.slots {
            let earlier = if before.0 == *level { before.1 } else { Timestamp::MIN };
            slot.reach = slot.page.range.end.max(earlier);
            before = (*level, slot.reach);
        }
        let slots = &self.slots;
        self.running.retain(|running| slots.get(&running.place).is_some_and(|slot| matches!(slot.state, State::Coming { .. })));
    }

    /// Says that a stretch is here without having been asked for. Pages within what is so held need not be fetched.
    pub fn note_held(&mut self, range: TimeRange) {
        if range.is_empty() {
            return;
        }
        self.held.push(range);
        self.held = TimeRange::merged(std::mem::take(&mut self.held));
    }

    /// Stretches that were noted as held, ascending and apart.
    pub fn held(&self) -> &[TimeRange] {
        &self.held
    }

    /// Corrects the guess of what held samples take: `bytes` is what the reader's store measures.
    pub fn note_bytes(&mut self, bytes: u64) {
        let guessed = self.guessed();
        if guessed > 4 << 20 {
            self.scale = (bytes as f64 / guessed as f64).clamp(0.5, 16.0);
        }
    }

    /// Corrects the guess of how fast history comes: a part of `bytes` took `seconds` to arrive and be taken in.
    pub fn note_speed(&mut self, bytes: u64, seconds: f64) {
        if bytes > 16_384 && seconds > 0.0 {
            let seen = bytes as f64 / seconds;
            self.config.bytes_per_second = (0.7 * self.config.bytes_per_second + 0.3 * seen).clamp(1e4, 1e10);
        }
    }

    /// Bytes that held samples may take from now on; what is over it goes with the next steps.
    pub fn set_budget(&mut self, budget_bytes: u64) {
        self.config.budget_bytes = budget_bytes;
    }

    /// Where the reader looks now.
    pub fn focus(&mut self, focus: Focus) {
        self.focus = focus;
    }

    /// What to do next. Call again after each step until it rests, and whenever something arrived or the reader moved.
    pub fn step(&mut self) -> Step {
        let Some((place, worth)) = self.best() else { return self.relieve() };
        if self.running.len() >= RUNNING {
            return self.make_way(worth);
        }
        let weight = self.slots.get(&place).map_or(0, |slot| worth::weight(&slot.page, self.scale));
        let held = self.weight_held();
        let under = worth == worth::UNDER_PLAYHEAD;
        if held + weight > self.config.budget_bytes {
            match self.worst() {
                Some((worst, its)) if its > worth => return self.evict(worst),
                _ if !under => return Step::Rest,
                _ => {}
            }
        }
        self.ask(place)
    }

    /// Gives up what no longer fits although nothing is wanted: live data grows.
    fn relieve(&mut self) -> Step {
        if self.weight_held() > self.config.budget_bytes
            && let Some((worst, its)) = self.worst()
            && its > worth::NEAR
        {
            return self.evict(worst);
        }
        Step::Rest
    }

    /// With all requests running: one that is much less urgent gives way.
    fn make_way(&mut self, worth: u64) -> Step {
        let worth_of = |running: &Running| self.slots.get(&running.place).map_or(u64::MAX, |slot| self.worth(&slot.page));
        let least = self.running.iter().enumerate().map(|(at, running)| (worth_of(running), at)).max();
        match least {
            Some((least, at)) if worth <= worth::NEAR && least > worth::NEAR => {
                let running = self.running.swap_remove(at);
                if let Some(slot) = self.slots.get_mut(&running.place) {
                    slot.state = State::Absent;
                }
                let place = running.place;
                self.running.retain(|other| other.place != place);
                Step::Cancel(running.id)
            }
            _ => Step::Rest,
        }
    }

    fn ask(&mut self, place: (Level, Timestamp)) -> Step {
        let Some(slot) = self.slots.get_mut(&place) else { return Step::Rest };
        let (here, part) = match slot.state {
            State::Coming { here, asked } => (here, asked),
            State::Absent | State::Here | State::Lost => (0, 0),
        };
        slot.state = State::Coming { here, asked: part + 1 };
        let id = self.next_id;
        self.next_id += 1;
        self.running.push(Running { id, place });
        let page = &slot.page;
        Step::Fetch(Request { id, level: page.level, range: page.range, version: page.version.clone(), part })
    }

    fn evict(&mut self, place: (Level, Timestamp)) -> Step {
        let Some(slot) = self.slots.get(&place) else { return Step::Rest };
        let (range, level) = (slot.page.range, slot.page.level);
        // What a coarser page that is here holds of the stretch stays; without one, all of it goes.
        let here = |other: &&Slot| other.state == State::Here && other.page.level > level && covers(other.page.range, range);
        let keeps = self.slots.values().filter(here).map(|slot| slot.page.level).min().unwrap_or(Level::Raw);
        for slot in self.slots.values_mut() {
            let finer = keeps == Level::Raw || slot.page.level < keeps;
            if slot.state == State::Here && finer && !slot.page.range.intersect(range).is_empty() {
                slot.state = State::Absent;
            }
        }
        self.held = self.held.iter().flat_map(|held| held.without(range)).collect();
        Step::Evict(range, keeps)
    }

    /// Whether the answer to a request is still of use.
    pub fn is_waited_for(&self, id: u64) -> bool {
        self.running.iter().any(|running| running.id == id)
    }

    /// A part arrived: whether it is still waited for, and what it completes.
    pub fn arrived(&mut self, id: u64) -> Arrival {
        let Some(at) = self.running.iter().position(|running| running.id == id) else { return Arrival::Stale };
        let place = self.running.swap_remove(at).place;
        let Some(slot) = self.slots.get_mut(&place) else { return Arrival::Stale };
        let State::Coming { here, asked } = slot.state else { return Arrival::Stale };
        if here + 1 < slot.page.parts.max(1) {
            slot.state = State::Coming { here: here + 1, asked };
            return Arrival::Part;
        }
        (slot.state, slot.tries) = (State::Here, 0);
        let (range, level) = (slot.page.range, slot.page.level);
        Arrival::Whole(self.coarse_parts(range, level))
    }

    /// A request failed; its page is tried again later, a few times. False where nobody waited for it.
    pub fn failed(&mut self, id: u64) -> bool {
        let Some(at) = self.running.iter().position(|running| running.id == id) else { return false };
        let place = self.running.swap_remove(at).place;
        self.running.retain(|other| other.place != place);
        if let Some(slot) = self.slots.get_mut(&place) {
            slot.tried();
        }
        true
    }

    /// Forgets that pages were lost: the link is back.
    pub fn retry(&mut self) {
        for slot in self.slots.values_mut().filter(|slot| slot.state == State::Lost) {
            (slot.state, slot.tries) = (State::Absent, 0);
        }
    }

    /// Whether anything is on its way.
    pub fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// Pages known.
    pub fn pages(&self) -> usize {
        self.slots.len()
    }
}

impl Slot {
    fn tried(&mut self) {
        self.tries += 1;
        self.state = if self.tries >= TRIES { State::Lost } else { State::Absent };
    }
}

/// Whether `outer` holds all of `inner`.
fn covers(outer: TimeRange, inner: TimeRange) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

//! Pieces of a publication on their way: each checked against its name, a few at a time, asked for again where that failed.

use std::collections::VecDeque;

use twin_publication::{Manifest, PieceRef, Scene};

use super::place::Place;
use crate::platform::{Fetch, FetchState, Waker};

/// Downloads at a time: what browsers do side by side over HTTP/1.1, less one for whatever else is asked.
const AT_A_TIME: usize = 5;
/// Pauses before the next try, in seconds; after the last one a piece is given up.
const PAUSES_S: [f64; 3] = [1.0, 4.0, 15.0];

/// One piece on its way.
pub(super) struct PieceFetch {
    piece: PieceRef,
    url: String,
    fetch: Option<Fetch>,
    tries: usize,
    next_try: f64,
    seen: u64,
    waker: Waker,
}

impl PieceFetch {
    pub(super) fn start(place: &Place, piece: PieceRef, waker: &Waker) -> Self {
        let url = place.piece(piece.hash);
        let fetch = Some(Fetch::start(&url, waker.clone()));
        Self { piece, url, fetch, tries: 0, next_try: f64::INFINITY, seen: 0, waker: waker.clone() }
    }

    /// Bytes that have come, and bytes in all.
    pub(super) fn seen(&self) -> (u64, u64) {
        (self.seen.min(self.piece.bytes), self.piece.bytes)
    }

    /// Its bytes, or why they can't be had, once.
    pub(super) fn poll(&mut self, now: f64) -> Option<Result<Vec<u8>, String>> {
        let Some(fetch) = &self.fetch else {
            if now >= self.next_try {
                self.fetch = Some(Fetch::start(&self.url, self.waker.clone()));
            }
            return None;
        };
        let why = match fetch.poll() {
            FetchState::Running { seen, .. } => {
                self.seen = seen;
                return None;
            }
            FetchState::Taken => "its bytes were lost".to_owned(),
            FetchState::Later(seconds) => {
                (self.fetch, self.next_try) = (None, now + seconds);
                return None;
            }
            FetchState::Failed(why) => why,
            FetchState::Done(bytes) => match self.piece.check(&bytes) {
                Ok(()) => return Some(Ok(bytes)),
                Err(error) => error.to_string(),
            },
        };
        let Some(pause) = PAUSES_S.get(self.tries) else { return Some(Err(why)) };
        tracing::warn!("a piece did not come: {why}; trying again in {pause} s");
        self.tries += 1;
        (self.fetch, self.next_try, self.seen) = (None, now + pause, 0);
        None
    }
}

/// Which piece of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScenePiece {
    /// Geometry, by its position in the manifest.
    Geometry(u32),
    /// An image, by its position in the manifest.
    Image(u32),
}

/// A piece that came, or did not.
#[derive(Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which.
    pub piece: ScenePiece,
    /// Its bytes, or why they can't be had.
    pub outcome: Result<Vec<u8>, String>,
}

/// Geometry and images of a scene on their way.
pub struct Pieces {
    place: Place,
    waker: Waker,
    scene: Option<Scene>,
    /// Asked for and not begun; bounded by the pieces of the manifest, because nothing is asked for twice.
    waiting: VecDeque<ScenePiece>,
    coming: Vec<(ScenePiece, PieceFetch)>,
    /// Bytes of what came so far.
    came: u64,
}

impl Pieces {
    /// The pieces of no scene.
    pub(super) fn none(place: &Place, waker: &Waker) -> Self {
        Self { place: place.clone(), waker: waker.clone(), scene: None, waiting: VecDeque::new(), coming: Vec::new(), came: 0 }
    }

    /// Those of this manifest from now on; what was on its way is let go.
    pub(super) fn of(&mut self, manifest: &Manifest) {
        *self = Self { scene: manifest.scene.clone(), ..Self::none(&self.place, &self.waker) };
    }

    /// Asks for a piece, behind those that were asked for before.
    pub fn ask(&mut self, piece: ScenePiece) {
        if !self.waiting.contains(&piece) && self.coming.iter().all(|(other, _)| *other != piece) {
            self.waiting.push_back(piece);
        }
    }

    /// Whether anything is on its way.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.coming.is_empty()
    }

    /// Bytes that have come, and of all that was asked for.
    pub fn seen(&self) -> (u64, u64) {
        let coming = self.coming.iter().map(|(_, fetch)| fetch.seen());
        let waiting = self.waiting.iter().filter_map(|piece| Some((0, self.named(*piece)?.bytes)));
        coming.chain(waiting).fold((self.came, self.came), |all, one| (all.0 + one.0, all.1 + one.1))
    }

    fn named(&self, piece: ScenePiece) -> Option<PieceRef> {
        let scene = self.scene.as_ref()?;
        match piece {
            ScenePiece::Geometry(at) => scene.geometry.get(at as usize).copied(),
            ScenePiece::Image(at) => scene.images.get(at as usize).copied(),
        }
    }

    /// Seconds until it has to be moved on where nothing arrives; infinity where nothing is on its way.
    pub(super) fn due_in(&self) -> f64 {
        if self.is_busy() { 0.25 } else { f64::INFINITY }
    }

    /// What came since the last time. `now` is of the monotonic clock, in seconds.
    pub fn poll(&mut self, now: f64) -> Vec<Arrival> {
        let mut arrived = Vec::new();
        let mut came = 0;
        self.coming.retain_mut(|(piece, fetch)| {
            let Some(outcome) = fetch.poll(now) else { return true };
            came += fetch.seen().1;
            arrived.push(Arrival { piece: *piece, outcome });
            false
        });
        self.came += came;
        while self.coming.len() < AT_A_TIME {
            let Some(piece) = self.waiting.pop_front() else { break };
            match self.named(piece) {
                Some(named) => self.coming.push((piece, PieceFetch::start(&self.place, named, &self.waker))),
                None => arrived.push(Arrival { piece, outcome: Err("the manifest names no such piece".to_owned()) }),
            }
        }
        arrived
    }
}

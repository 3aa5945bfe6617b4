//! The publication on its way: the manifest, then model and header of the scene side by side.

use std::sync::Arc;

use twin_publication::{Manifest, ViewerModel};
use twin_scene::cells::Index;

use super::Stage;
use super::pieces::PieceFetch;
use super::place::Place;
use crate::platform::{Fetch, FetchState, Waker};

/// What is shown: one revision of one site.
#[derive(Debug, Clone)]
pub struct Published {
    /// What it consists of.
    pub manifest: Manifest,
    /// Twins, signals, rules, views.
    pub model: Arc<ViewerModel>,
    /// The scene's table of contents; of a site without geometry an empty one.
    pub index: Arc<Index>,
}

/// A piece that is read as soon as it is here.
enum Reading<T> {
    Coming(PieceFetch),
    Here(Arc<T>),
}

impl<T> Reading<T> {
    fn poll(&mut self, now: f64, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<(), String> {
        if let Self::Coming(fetch) = self
            && let Some(bytes) = fetch.poll(now).transpose()?
        {
            *self = Self::Here(Arc::new(read(&bytes)?));
        }
        Ok(())
    }

    fn stage(&self, name: &str) -> Stage {
        let name = name.to_owned();
        match self {
            Self::Here(_) => Stage { name, seen: 0, total: None, done: true, failed: None },
            Self::Coming(fetch) => {
                let (seen, total) = fetch.seen();
                Stage { name, seen, total: Some(total), done: false, failed: None }
            }
        }
    }
}

struct Reads {
    manifest: Manifest,
    model: Reading<ViewerModel>,
    index: Reading<Index>,
}

enum Phase {
    /// The manifest, or a pause until it is asked for again.
    Manifest {
        fetch: Option<Fetch>,
        next_try: f64,
    },
    Pieces(Box<Reads>),
    Over,
}

/// The download of a publication.
pub struct PublicationJob {
    /// Where its manifest is to be had.
    manifest: String,
    /// Whether a manifest of the plant that is shown already is passed over.
    news_only: bool,
    place: Place,
    waker: Waker,
    phase: Phase,
    /// Whether the server said that it has none yet.
    compiling: bool,
    failed: Option<String>,
    /// What is shown already: pieces of it are not fetched again.
    shown: Option<Published>,
}

impl PublicationJob {
    /// Starts it. `shown` is what the viewer shows already, if anything.
    pub(super) fn start(place: &Place, shown: Option<Published>, waker: &Waker) -> Self {
        Self { news_only: true, ..Self::of(place.manifest(), place, shown, waker) }
    }

    /// The same of the manifest at an address, which comes also where it describes the plant that is shown.
    pub(super) fn of(manifest: String, place: &Place, shown: Option<Published>, waker: &Waker) -> Self {
        let fetch = Some(Fetch::start(&manifest, waker.clone()));
        let (place, waker) = (place.clone(), waker.clone());
        Self {
            manifest,
            news_only: false,
            place,
            waker,
            phase: Phase::Manifest { fetch, next_try: 0.0 },
            compiling: false,
            failed: None,
            shown,
        }
    }

    /// Why it failed, if it did.
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Asks again where it failed.
    pub(super) fn retry(&mut self) {
        if self.failed.take().is_some() {
            self.phase = Phase::Manifest { fetch: None, next_try: 0.0 };
            (self.waker)();
        }
    }

    /// Whether nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Seconds until it has to be moved on where nothing arrives.
    pub(super) fn due_in(&self) -> f64 {
        if self.is_over() { f64::INFINITY } else { 0.25 }
    }

    /// For the loading panel.
    pub fn stages(&self) -> Vec<Stage> {
        let over = self.is_over() && self.failed.is_none();
        let name = if self.compiling { "Site (being compiled)" } else { "Site" };
        let stage = |name: &str, done| Stage { name: name.to_owned(), seen: 0, total: None, done, failed: None };
        match &self.phase {
            Phase::Pieces(reads) => vec![stage("Site", true), reads.model.stage("Model"), reads.index.stage("Scene")],
            _ => vec![Stage { failed: self.failed.clone(), ..stage(name, over) }, stage("Model", over), stage("Scene", over)],
        }
    }

    /// The publication, once; never where it is the one that is shown already. `now` is of the monotonic clock, in seconds.
    pub(super) fn poll(&mut self, now: f64) -> Option<Published> {
        match self.advance(now) {
            Ok(published) => published,
            Err(why) => {
                (self.phase, self.failed) = (Phase::Over, Some(why));
                None
            }
        }
    }

    fn advance(&mut self, now: f64) -> Result<Option<Published>, String> {
        match &mut self.phase {
            Phase::Over => {}
            Phase::Manifest { fetch: fetch @ None, next_try } => {
                if now >= *next_try {
                    *fetch = Some(Fetch::start(&self.manifest, self.waker.clone()));
                }
            }
            Phase::Manifest { fetch: Some(fetch), .. } => match fetch.poll() {
                FetchState::Running { .. } => {}
                FetchState::Taken => return Err("the server's answer was lost".to_owned()),
                FetchState::Failed(why) => return Err(why),
                FetchState::Later(seconds) => {
                    self.compiling = true;
                    self.phase = Phase::Manifest { fetch: None, next_try: now + seconds };
                }
                FetchState::Done(bytes) => {
                    let manifest = Manifest::read(&bytes).map_err(|error| {
                        format!("what the server answered is no publication: {error}; is it an Orrery gateway?")
                    })?;
                    self.phase = self.ask(manifest);
                }
            },
            Phase::Pieces(reads) => {
                let Reads { manifest, model, index } = &mut **reads;
                model.poll(now, |bytes| ViewerModel::read(bytes).map_err(|error| error.to_string()))?;
                index.poll(now, |bytes| Index::read(bytes).map_err(|error| error.to_string()))?;
                if let (Reading::Here(model), Reading::Here(index)) = (model, index) {
                    let published = Published { manifest: manifest.clone(), model: model.clone(), index: index.clone() };
                    self.phase = Phase::Over;
                    return Ok(Some(published));
                }
            }
        }
        Ok(None)
    }

    /// Asks for what of a manifest is not here.
    fn ask(&self, manifest: Manifest) -> Phase {
        if self.news_only && self.shown.as_ref().is_some_and(|shown| shown.manifest.same_plant(&manifest)) {
            return Phase::Over;
        }
        let coming = |piece| PieceFetch::start(&self.place, piece, &self.waker);
        let shown = self.shown.as_ref();
        let model = match shown.filter(|shown| shown.manifest.model == manifest.model) {
            Some(shown) => Reading::Here(shown.model.clone()),
            None => Reading::Coming(coming(manifest.model)),
        };
        let of_scene = |manifest: &Manifest| manifest.scene.as_ref().map(|scene| scene.index);
        let index = match (shown, of_scene(&manifest)) {
            (Some(shown), wanted) if of_scene(&shown.manifest) == wanted => Reading::Here(shown.index.clone()),
            (_, Some(index)) => Reading::Coming(coming(index)),
            (_, None) => Reading::Here(Arc::new(Index::empty())),
        };
        Phase::Pieces(Box::new(Reads { manifest, model, index }))
    }
}

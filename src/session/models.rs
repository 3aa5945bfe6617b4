//! Model files on their way: downloaded with real counts, decoded a few primitives at a time, each failing alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use twin_geometry::glb::{Limits, Loader, Stage as GlbStage};
use twin_scene::geometry::SceneModel;

use super::Stage;
use super::site::{ServedFile, ServedSite};
use crate::platform::{Fetch, FetchState, Waker, monotonic};

/// Primitives decoded between two looks at the clock.
const PRIMITIVES_A_STEP: usize = 48;

enum Phase {
    Fetching(Fetch),
    Decoding { loader: Box<Loader<'static>>, beside: BTreeMap<String, Fetch> },
    Done(Arc<SceneModel>),
    Failed(String),
}

/// One model file.
pub struct ModelJob {
    /// Path as the site file writes it.
    pub path: String,
    url: String,
    base: String,
    seen: u64,
    total: Option<u64>,
    phase: Phase,
    waker: Waker,
}

impl ModelJob {
    fn start(base: &str, file: &ServedFile, waker: &Waker) -> Self {
        let phase = match &file.missing {
            Some(why) => Phase::Failed(format!("{}: {why}", file.path)),
            None => Phase::Fetching(Fetch::start(&format!("{base}{}", file.url), waker.clone())),
        };
        Self {
            path: file.path.clone(),
            url: file.url.clone(),
            base: base.to_owned(),
            seen: 0,
            total: (file.bytes > 0).then_some(file.bytes),
            phase,
            waker: waker.clone(),
        }
    }

    /// The decoded model.
    pub fn model(&self) -> Option<&Arc<SceneModel>> {
        if let Phase::Done(model) = &self.phase { Some(model) } else { None }
    }

    /// Why it can't be shown.
    pub fn failed(&self) -> Option<&str> {
        if let Phase::Failed(why) = &self.phase { Some(why) } else { None }
    }

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done(_) | Phase::Failed(_))
    }

    fn poll(&mut self, until: f64) {
        match &mut self.phase {
            Phase::Fetching(fetch) => match fetch.poll() {
                FetchState::Running { seen, .. } => self.seen = seen,
                FetchState::Taken => {}
                FetchState::Failed(why) => self.phase = Phase::Failed(why),
                FetchState::Done(bytes) => {
                    self.seen = bytes.len() as u64;
                    self.phase = match Loader::new(bytes, Limits::default()) {
                        Ok(loader) => Phase::Decoding { loader: Box::new(loader), beside: BTreeMap::new() },
                        Err(error) => Phase::Failed(format!("{}: {error}", self.path)),
                    };
                    (self.waker)();
                }
            },
            Phase::Decoding { .. } => self.decode(until),
            Phase::Done(_) | Phase::Failed(_) => {}
        }
    }

    /// Decodes until that moment of the monotonic clock, or as far as it can for now.
    fn decode(&mut self, until: f64) {
        while self.decode_some() && monotonic() < until {}
    }

    /// Decodes a few primitives; true where more can be done at once.
    fn decode_some(&mut self) -> bool {
        let Phase::Decoding { loader, beside } = &mut self.phase else { return false };
        for path in loader.missing() {
            let folder = self.url.rsplit_once('/').map_or("", |(folder, _)| folder);
            let url = format!("{}{folder}/{}", self.base, encode(&path));
            let fetch = beside.entry(path.clone()).or_insert_with(|| Fetch::start(&url, self.waker.clone()));
            match fetch.poll() {
                FetchState::Done(bytes) => loader.provide(&path, Ok(bytes)),
                FetchState::Failed(why) => loader.provide(&path, Err(why)),
                FetchState::Running { .. } | FetchState::Taken => {}
            }
        }
        let outcome = loader.step(PRIMITIVES_A_STEP);
        match outcome {
            Err(error) => self.phase = Phase::Failed(format!("{}: {error}", self.path)),
            Ok(progress) if progress.stage == GlbStage::Done => {
                if let Phase::Decoding { loader, .. } = std::mem::replace(&mut self.phase, Phase::Failed(String::new())) {
                    self.phase = match loader.finish() {
                        Ok(model) => Phase::Done(Arc::new(model)),
                        Err(error) => Phase::Failed(format!("{}: {error}", self.path)),
                    };
                }
            }
            Ok(_) => {
                (self.waker)();
                return beside.is_empty();
            }
        }
        false
    }

    fn stage(&self) -> Stage {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path).to_owned();
        Stage {
            name: format!("Model {name}"),
            seen: self.seen,
            total: self.total,
            done: matches!(self.phase, Phase::Done(_)),
            failed: self.failed().map(str::to_owned),
        }
    }
}

/// Percent-encodes what may not stand in a path.
fn encode(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// All model files of a site.
#[derive(Default)]
pub struct Models {
    jobs: Vec<ModelJob>,
}

impl Models {
    pub(super) fn start(base: &str, served: &ServedSite, waker: &Waker) -> Self {
        Self { jobs: served.files.iter().map(|file| ModelJob::start(base, file, waker)).collect() }
    }

    pub(super) fn poll(&mut self, until: f64) {
        for job in &mut self.jobs {
            job.poll(until);
        }
    }

    /// One per file.
    pub fn jobs(&self) -> &[ModelJob] {
        &self.jobs
    }

    /// Whether every file is here or given up.
    pub fn are_over(&self) -> bool {
        self.jobs.iter().all(ModelJob::is_over)
    }

    /// For the loading panel.
    pub fn stages(&self) -> Vec<Stage> {
        self.jobs.iter().map(ModelJob::stage).collect()
    }

    /// The decoded model of a path.
    pub fn model(&self, path: &str) -> Option<&Arc<SceneModel>> {
        self.jobs.iter().find(|job| job.path == path)?.model()
    }
}

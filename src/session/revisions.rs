//! Which revisions of the site there were, and the one of an instant on its way (docs/PROTOCOL.md, "The publication").

use std::collections::BTreeSet;

use twin_model::Timestamp;
use twin_publication::{Manifest, Revision, Revisions, revision_at};

use super::place::Place;
use super::publication::{PublicationJob, Published};
use crate::platform::{Fetch, FetchState, Waker};

/// Numbers remembered as not to be had; beyond it the lowest is forgotten, and asked for again.
const MISSED: usize = 1_000;

/// The list of revisions, and one of them on its way.
pub struct RevisionsJob {
    place: Place,
    waker: Waker,
    list: Vec<Revision>,
    /// The one in force, where the list has only those before it.
    in_force: Option<Revision>,
    fetch: Option<Fetch>,
    coming: Option<(u64, PublicationJob)>,
    missed: BTreeSet<u64>,
}

impl RevisionsJob {
    pub(super) fn new(place: &Place, waker: &Waker) -> Self {
        let (place, waker) = (place.clone(), waker.clone());
        Self { place, waker, list: Vec::new(), in_force: None, fetch: None, coming: None, missed: BTreeSet::new() }
    }

    /// Another revision is in force, or the server is another run: asks for the list again.
    pub fn renew(&mut self) {
        self.missed.clear();
        self.fetch = Some(Fetch::start(&self.place.revisions(), self.waker.clone()));
    }

    /// Which one is in force, where the list has only those before it, as in files.
    pub(super) fn note_in_force(&mut self, manifest: &Manifest) {
        // Its hash is for whoever compares files; here it was read already.
        let manifest_bytes = manifest.write().unwrap_or_default();
        self.in_force = Some(Revision::of(manifest, &manifest_bytes));
        self.renew();
    }

    /// Every revision that is known, in ascending order of number and instant, the one in force last; empty until the server has said.
    pub fn list(&self) -> &[Revision] {
        &self.list
    }

    /// The revision that was in force at an instant, where it can be had.
    pub fn at(&self, t: Timestamp) -> Option<Revision> {
        revision_at(&self.list, t).copied().filter(|revision| !self.missed.contains(&revision.number))
    }

    /// Asks for a revision, unless it is on its way; only the last that was asked for comes. `shown` is what the viewer shows, of which
    /// nothing is fetched again.
    pub fn ask(&mut self, number: u64, shown: &Published) {
        if self.coming.as_ref().is_none_or(|(coming, _)| *coming != number) {
            let job = PublicationJob::of(self.place.revision(number), &self.place, Some(shown.clone()), &self.waker);
            self.coming = Some((number, job));
        }
    }

    /// Whether one is on its way.
    pub fn is_coming(&self) -> bool {
        self.coming.is_some()
    }

    /// Nothing is wanted any more.
    pub fn let_go(&mut self) {
        self.coming = None;
    }

    /// Seconds until it has to be moved on where nothing arrives.
    pub(super) fn due_in(&self) -> f64 {
        let list = if self.fetch.is_some() { 0.25 } else { f64::INFINITY };
        self.coming.as_ref().map_or(list, |(_, job)| job.due_in().min(list))
    }

    /// Takes the list in. True where it is another than before.
    pub fn poll_list(&mut self) -> bool {
        let Some(fetch) = &self.fetch else { return false };
        let list = match fetch.poll() {
            FetchState::Running { .. } => return false,
            FetchState::Done(bytes) => Revisions::read(&bytes).map_err(|error| error.to_string()),
            FetchState::Failed(why) => Err(why),
            FetchState::Later(_) | FetchState::Taken => Err("the server is busy".to_owned()),
        };
        self.fetch = None;
        match list.map(|list| self.with_newest(list)) {
            Ok(list) => {
                let before = std::mem::replace(&mut self.list, list.as_slice().to_vec());
                before != self.list
            }
            // Everything is judged by the revision in force then, which the viewer says.
            Err(why) => {
                tracing::warn!("revisions of the site: {why}");
                if self.in_force.is_some() {
                    self.list = self.with_newest(Revisions::default()).as_slice().to_vec();
                }
                false
            }
        }
    }

    fn with_newest(&self, mut list: Revisions) -> Revisions {
        if let Some(newest) = self.in_force {
            list.forget_from(newest.number);
            if let Err(error) = list.add(newest) {
                tracing::warn!("revisions of the site: {error}");
            }
        }
        list
    }

    /// The revision that was asked for, once; an error where it can't be had. `now` is of the monotonic clock, in seconds.
    pub fn poll(&mut self, now: f64) -> Option<Result<Published, String>> {
        let (number, job) = self.coming.as_mut()?;
        let number = *number;
        let outcome = match job.poll(now) {
            Some(published) if is_of(&published.manifest, number) => Ok(published),
            Some(_) => Err("the server answered with another revision".to_owned()),
            None if job.is_over() => Err(job.failed().unwrap_or("it is what is shown already").to_owned()),
            None => return None,
        };
        self.coming = None;
        if outcome.is_err() {
            self.miss(number);
        }
        Some(outcome)
    }

    /// A revision can't be shown: it is not asked for again until another is in force.
    pub fn miss(&mut self, number: u64) {
        self.missed.insert(number);
        if self.missed.len() > MISSED {
            self.missed.pop_first();
        }
    }
}

fn is_of(manifest: &Manifest, number: u64) -> bool {
    manifest.revision == number
}

//! A recording's revisions one after the other, as they came into force while it was made.

use twin_model::Timestamp;
use twin_publication::PublicationError;

use super::Recording;
use crate::revisions::Publication;

/// See the module's head.
pub struct Playing {
    recording: Recording,
    next: usize,
}

impl Playing {
    /// From the first revision on that can be played.
    pub fn new(recording: Recording) -> Self {
        Self { next: recording.first, recording }
    }

    /// When the next revision comes into force; the first is from the beginning. `None` behind the last.
    pub fn due(&self) -> Option<Timestamp> {
        let due = if self.next == self.recording.first { Timestamp::MIN } else { self.recording.plant.due(self.next) };
        (self.next <= self.recording.plant.newest()).then_some(due)
    }

    /// Whether a revision had to be compiled: a recording of version 1 holds none.
    pub fn is_compiled(&self) -> bool {
        self.recording.manifest().is_none()
    }

    /// The next revision as it is published; one that has to be compiled is valid from `now`. `None` behind the last.
    ///
    /// # Errors
    /// As [`crate::publish::compile_recording`].
    pub fn advance(&mut self, now: Timestamp) -> Option<Result<Publication, PublicationError>> {
        self.due()?;
        let made = self.recording.plant.publication(self.next, now);
        self.next += 1;
        Some(made)
    }
}

//! What computed signals say at the instant on show, kept as long as nothing that they read changes.
//!
//! One slot a signal, so that its bound is the model.

use twin_historian::{Direction, Snapshot};
use twin_model::{Sample, SignalIndex, Timestamp};

use super::{Computed, Held, Inputs, MICROSECOND};

/// Changes whenever what a signal reads did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Version {
    /// Of what it reads.
    pub(crate) own: u64,
    /// Of the whole record: what was taken away.
    pub(crate) record: u64,
}

/// What one signal says, and for how long.
#[derive(Debug, Clone)]
struct Slot {
    from: Timestamp,
    until: Timestamp,
    version: Option<Version>,
    sample: Option<Sample>,
    needed: Box<[SignalIndex]>,
}

impl Default for Slot {
    fn default() -> Self {
        Self { from: Timestamp::MAX, until: Timestamp::MIN, version: None, sample: None, needed: Box::default() }
    }
}

/// What all computed signals say at one instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    all: Vec<Slot>,
}

impl Slots {
    /// Brings every slot to `t` and puts what it says into a snapshot of that instant. Evaluates those of which something that they read
    /// has changed since, on the basis of [`Inputs`], and no other; as it was known, all.
    pub(crate) fn bring(
        &mut self,
        computed: &Computed,
        inputs: &Inputs<'_>,
        t: Timestamp,
        version: &dyn Fn(usize) -> Version,
        snapshot: &mut Snapshot,
    ) {
        self.all.resize_with(computed.plan().all().len(), Slot::default);
        for (place, slot) in self.all.iter_mut().enumerate() {
            let now = version(place);
            let holds = slot.version == Some(now) && slot.from <= t && t < slot.until;
            if !holds || inputs.known.is_some() {
                let Held { sample, needed, .. } = computed.at(place, inputs, t);
                let next = computed.next_change(place, inputs.store, t, Direction::Forward);
                let last = computed.next_change(place, inputs.store, t + MICROSECOND, Direction::Backward);
                *slot = Slot {
                    from: last.unwrap_or(Timestamp::MIN),
                    until: next.unwrap_or(Timestamp::MAX),
                    // Of what was known another instant may know more.
                    version: inputs.known.is_none().then_some(now),
                    sample,
                    needed: needed.into(),
                };
            }
        }
        for (it, slot) in computed.plan().all().iter().zip(&self.all) {
            snapshot.set(it.signal, slot.sample.as_ref());
        }
    }

    /// Fills every slot with what `read` gives of the measured signals, for this instant only.
    pub(crate) fn fill(&mut self, computed: &Computed, read: &dyn Fn(SignalIndex) -> Option<Sample>) {
        self.all.clear();
        for place in 0..computed.plan().all().len() {
            let Held { sample, needed, .. } = computed.held(place, &mut |signal| read(signal));
            self.all.push(Slot { sample, needed: needed.into(), ..Slot::default() });
        }
    }

    /// What the signal at a place says.
    pub(crate) fn sample(&self, place: usize) -> Option<&Sample> {
        self.all.get(place)?.sample.as_ref()
    }

    /// The measured signals that it was needed for.
    pub(crate) fn needed(&self, place: usize) -> &[SignalIndex] {
        self.all.get(place).map_or(&[], |slot| &slot.needed)
    }
}

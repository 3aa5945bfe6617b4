//! What became different from one frame to the next.

use twin_model::TwinIndex;

/// What a refresh changed. Who looks less often than it is refreshed adds them up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The frame was computed anew: ages, values and charts may be others even where nothing else here says so.
    pub moved: bool,
    /// Any twin may have changed; [`Self::twins`] says nothing then.
    pub all: bool,
    /// Twins with another state, roll-ups included, in ascending order until frames are added up.
    pub twins: Vec<TwinIndex>,
    /// Which alarms are not normal, or where one of them stands.
    pub alarms: bool,
    /// Another branch is on show, or none any more.
    pub branch: bool,
}

impl Changed {
    /// Everything: for who looks for the first time.
    pub fn everything() -> Self {
        Self { moved: true, all: true, twins: Vec::new(), alarms: true, branch: true }
    }

    /// Adds what a later refresh changed. At most `twins` are listed, those of the model; of more, all count as changed.
    pub fn add(&mut self, later: Self, twins: usize) {
        self.moved |= later.moved;
        self.alarms |= later.alarms;
        self.branch |= later.branch;
        self.all |= later.all || self.twins.len() + later.twins.len() > twins;
        if self.all {
            self.twins = Vec::new();
        } else if self.twins.is_empty() {
            self.twins = later.twins;
        } else {
            self.twins.extend(later.twins);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(twins: &[u32]) -> Changed {
        Changed { moved: true, twins: twins.iter().copied().map(TwinIndex).collect(), ..Changed::default() }
    }

    #[test]
    fn what_is_added_up_holds_each_change_and_never_more_than_the_model() {
        let mut sum = Changed::default();
        sum.add(of(&[1, 4]), 4);
        sum.add(of(&[0, 4]), 4);
        assert_eq!((sum.all, sum.twins.clone()), (false, [1, 4, 0, 4].map(TwinIndex).to_vec()));
        sum.add(of(&[2]), 4);
        assert_eq!((sum.all, sum.twins.len()), (true, 0));
        sum.add(of(&[3]), 4);
        assert!(sum.all && sum.twins.is_empty());
    }
}

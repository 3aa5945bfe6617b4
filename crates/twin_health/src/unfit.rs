//! Whether the newest reading of a signal may speak for an instant, and if not, why: the one rule for all that judges by it,
//! looks ahead from it or departs from it. Knows no words; `reason` has those of rules.

use twin_model::{Freshness, Model, Quality, Sample, SignalIndex, Timestamp};

use crate::view::{Input, RuleView, input};

/// Why the newest reading of a signal may not speak for an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// There is none at or before the instant.
    NeverSeen,
    /// The link of its source is down, or the reading was the source's goodbye.
    Offline {
        /// Since when, where that can be said.
        since: Option<Timestamp>,
    },
    /// It is beyond the signal's hold limit.
    Stale {
        /// When it was taken.
        taken: Timestamp,
    },
    /// It is current, and of no use.
    Unusable {
        /// Its quality; bad.
        quality: Quality,
        /// Whether it has a value all the same.
        has_value: bool,
    },
}

impl Unfit {
    pub(crate) fn of(input: Input, latest: Option<&Sample>) -> Option<Self> {
        match (input.freshness, latest) {
            (Freshness::Offline, _) => Some(Self::Offline { since: input.silent_since }),
            (Freshness::NeverSeen, _) | (_, None) => Some(Self::NeverSeen),
            (Freshness::Stale, Some(sample)) => Some(Self::Stale { taken: sample.source_time }),
            (Freshness::Live | Freshness::Late, Some(sample)) if !sample.usable() => {
                Some(Self::Unusable { quality: sample.judged_quality(), has_value: sample.has_value() })
            }
            (Freshness::Live | Freshness::Late, Some(_)) => None,
        }
    }
}

/// Why the newest reading of a signal at or before `t`, the view's instant, may not speak for it; `None` where it may: it is current
/// ([`Freshness::is_current`]) and usable ([`Sample::usable`]), so that uncertain values may, too, as in rules.
pub fn unfit(model: &Model, view: &dyn RuleView, signal: SignalIndex, t: Timestamp) -> Option<Unfit> {
    Unfit::of(input(model, view, signal, t), view.sample(signal).as_ref())
}

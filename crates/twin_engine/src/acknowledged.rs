//! Alarms with what people acknowledged laid over them, at the instant that is looked at.
//!
//! The machine of an alarm knows its condition only. Acknowledgements are samples of a signal of their own
//! ([`Model::acknowledgements`]), so that they are kept, sent and scrubbed like all others.

use twin_health::Told;
use twin_historian::Store;
use twin_model::{AlarmIndex, AlarmState, Model, TimeRange, Timestamp};

use crate::basis;

/// Where an alarm stands at `t` and since when; `None` before its first sample. Acknowledgements count up to `upto`, and as
/// far as they had been received by `known` where that matters.
///
/// An active alarm is acknowledged by the first acknowledgement since it became active, and one that returned waits for
/// one since it was last active. Raised again it asks again.
pub(crate) fn standing(
    model: &Model,
    told: &Told<'_>,
    store: &Store,
    alarm: AlarmIndex,
    (t, upto, known): (Timestamp, Timestamp, Option<Timestamp>),
) -> Option<(AlarmState, Timestamp)> {
    let entry = told.at(t)?;
    let (state, since) = (entry.outcome.alarm(), entry.since);
    if !state.is_unacknowledged() {
        return Some((state, since));
    }
    let signal = model.acknowledgements(alarm);
    let seen = signal.and_then(|signal| basis::latest(store, signal, t.min(upto), known)).filter(twin_model::Sample::usable);
    let Some(seen) = seen.map(|sample| sample.source_time) else { return Some((state, since)) };
    // A returned alarm asks about the time when it was active.
    let active = told.before(since).filter(|before| before.outcome.alarm().is_active()).map(|before| before.since);
    let asks_since = if state == AlarmState::ReturnedUnack { active.unwrap_or(since) } else { since };
    Some(match state {
        _ if seen < asks_since => (state, since),
        AlarmState::ReturnedUnack => (AlarmState::Normal, since.max(seen)),
        _ => (AlarmState::AckActive, first_since(store, signal, (since, known)).unwrap_or(seen)),
    })
}

/// The first acknowledgement at or after an instant: later ones change nothing.
fn first_since(
    store: &Store,
    signal: Option<twin_model::SignalIndex>,
    (since, known): (Timestamp, Option<Timestamp>),
) -> Option<Timestamp> {
    let mut first = None;
    store.for_each_known(signal?, TimeRange::new(since, Timestamp::MAX), known.unwrap_or(Timestamp::MAX), &mut |sample| {
        first = Some(sample.source_time);
        std::ops::ControlFlow::Break(())
    });
    first
}

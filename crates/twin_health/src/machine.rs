//! The small deterministic machines behind rules and alarms: samples of one signal in, an outcome out.
//!
//! Common to all: a wanted outcome becomes the outcome once it has been wanted for its delay without interruption, where
//! time passes between samples too. Samples are fed in source-time order; [`crate::Timeline`] takes care of late ones.

use twin_model::{AckPolicy, AlarmCondition, AlarmState, Band, Flags, Limit, Quality, QualityClass, RuleKind, Sample, Span};
use twin_model::{Status, Timestamp, Value};

/// What a machine says: a status code for rules, a position in [`AlarmState::ALL`] for alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The code.
    pub code: u8,
    /// Bands that are passed, bit by position (range rules; the first 32 bands).
    pub passed: u32,
}

impl Outcome {
    const fn of(code: u8) -> Self {
        Self { code, passed: 0 }
    }

    /// As the status of a rule.
    pub fn status(self) -> Status {
        Status::from_code(self.code).unwrap_or(Status::Unknown)
    }

    /// As the state of an alarm.
    pub fn alarm(self) -> AlarmState {
        AlarmState::ALL.get(usize::from(self.code)).copied().unwrap_or(AlarmState::Normal)
    }
}

/// The sample that brought an outcome about.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// Its source time.
    pub time: Timestamp,
    /// Its value.
    pub value: Value,
    /// Its quality.
    pub quality: Quality,
}

impl From<&Sample> for Cause {
    fn from(sample: &Sample) -> Self {
        Self { time: sample.source_time, value: sample.value.clone(), quality: sample.quality }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Pending {
    outcome: Outcome,
    due: Timestamp,
    cause: Cause,
}

/// Where a machine stands after some samples.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What it says.
    pub outcome: Outcome,
    /// Since when.
    pub since: Timestamp,
    /// The sample that brought it about.
    pub cause: Cause,
    pending: Option<Pending>,
}

/// A rule or alarm as a machine.
#[derive(Debug, Clone, Copy)]
pub enum Machine<'a> {
    /// A health rule. [`RuleKind::Stale`] never says more than normal here: age is judged at the cursor.
    Rule(&'a RuleKind),
    /// An alarm.
    Alarm(&'a AlarmCondition),
}

/// What a sample asks for.
enum Wish {
    /// Says nothing (bad quality, no number): the outcome stays, and what was pending is no longer uninterrupted.
    Nothing,
    /// An outcome after a delay.
    Outcome(Outcome, Span),
}

impl Machine<'_> {
    /// Takes the next sample; `state` is `None` before the first.
    ///
    /// Returns the outcomes adopted on the way, oldest first: a delay that matured before the sample, then the sample's own.
    pub fn step(&self, state: Option<State>, sample: &Sample) -> (State, [Option<State>; 2]) {
        let t = sample.source_time;
        let mut adopted = [None, None];
        let mut state = match state {
            Some(mut state) => {
                if mature(&mut state, t) {
                    adopted[0] = Some(state.clone());
                }
                state
            }
            None => {
                let state = State { outcome: self.rest(), since: t, cause: sample.into(), pending: None };
                adopted[0] = Some(state.clone());
                state
            }
        };
        match self.wish(state.outcome, sample) {
            Wish::Nothing => state.pending = None,
            Wish::Outcome(wanted, _) if wanted.code == state.outcome.code => {
                state.outcome = wanted;
                state.pending = None;
            }
            Wish::Outcome(wanted, delay) => {
                let waiting = state.pending.as_ref().is_some_and(|pending| pending.outcome.code == wanted.code);
                if delay <= Span::ZERO {
                    state = State { outcome: wanted, since: t, cause: sample.into(), pending: None };
                    adopted[1] = Some(state.clone());
                } else if !waiting {
                    state.pending = Some(Pending { outcome: wanted, due: t + delay, cause: sample.into() });
                }
            }
        }
        (state, adopted)
    }

    /// The outcome before anything is known to be wrong.
    fn rest(&self) -> Outcome {
        match self {
            Self::Rule(_) => Outcome::of(Status::Normal.code()),
            Self::Alarm(_) => Outcome::of(0),
        }
    }

    fn wish(&self, now: Outcome, sample: &Sample) -> Wish {
        match self {
            Self::Rule(RuleKind::Range { bands, deadband, on_delay, off_delay }) => {
                let Some(value) = usable_number(sample) else { return Wish::Nothing };
                let wanted = range_outcome(bands, *deadband, now.passed, value);
                Wish::Outcome(wanted, if wanted.code > now.code { *on_delay } else { *off_delay })
            }
            Self::Rule(RuleKind::Match { cases, otherwise }) => {
                if is_null(sample) {
                    return Wish::Nothing;
                }
                let status = first_match(cases, &sample.value).unwrap_or(*otherwise);
                Wish::Outcome(Outcome::of(status.code()), Span::ZERO)
            }
            Self::Rule(RuleKind::Quality { uncertain, bad }) => {
                let status = match sample.quality.class() {
                    QualityClass::Good => Status::Normal,
                    QualityClass::Uncertain => *uncertain,
                    // A broken link is shown as freshness; the device itself may be well.
                    QualityClass::Bad if sample.quality == Quality::BAD_NO_COMMUNICATION => return Wish::Nothing,
                    QualityClass::Bad => *bad,
                };
                Wish::Outcome(Outcome::of(status.code()), Span::ZERO)
            }
            Self::Rule(RuleKind::Stale { .. }) => Wish::Nothing,
            Self::Alarm(AlarmCondition::Limit { limit, deadband, on_delay, off_delay, ack }) => {
                let Some(value) = usable_number(sample) else { return Wish::Nothing };
                let active = now.alarm().is_active();
                if passes(*limit, value, if active { *deadband } else { 0.0 }) {
                    Wish::Outcome(alarm_outcome(AlarmState::UnackActive), *on_delay)
                } else {
                    let waits = *ack == AckPolicy::Required && now.alarm() != AlarmState::Normal;
                    let rest = if waits { AlarmState::ReturnedUnack } else { AlarmState::Normal };
                    Wish::Outcome(alarm_outcome(rest), *off_delay)
                }
            }
            Self::Alarm(AlarmCondition::Reported { states, otherwise }) => {
                if is_null(sample) {
                    return Wish::Nothing;
                }
                Wish::Outcome(alarm_outcome(first_match(states, &sample.value).unwrap_or(*otherwise)), Span::ZERO)
            }
        }
    }
}

impl State {
    /// The state that an entry of a timeline stands for, with nothing pending.
    pub(crate) fn settled(entry: &crate::Entry) -> Self {
        Self { outcome: entry.outcome, since: entry.since, cause: entry.cause.clone(), pending: None }
    }

    /// The state once time has advanced to `t` without another sample.
    #[must_use]
    pub fn at(&self, t: Timestamp) -> Self {
        let mut state = self.clone();
        mature(&mut state, t);
        state
    }

    /// When a pending outcome becomes the outcome, if no sample speaks against it.
    pub fn due(&self) -> Option<Timestamp> {
        self.pending.as_ref().map(|pending| pending.due)
    }
}

/// Adopts the pending outcome where its time has come.
fn mature(state: &mut State, t: Timestamp) -> bool {
    if state.pending.as_ref().is_none_or(|pending| pending.due > t) {
        return false;
    }
    if let Some(pending) = state.pending.take() {
        *state = State { outcome: pending.outcome, since: pending.due, cause: pending.cause, pending: None };
    }
    true
}

fn is_null(sample: &Sample) -> bool {
    sample.flags.has(Flags::NULL) || sample.quality.is_bad()
}

/// The number, where it may be judged: not null, not bad, not NaN.
fn usable_number(sample: &Sample) -> Option<f64> {
    if is_null(sample) {
        return None;
    }
    sample.value.as_f64().filter(|value| !value.is_nan())
}

fn first_match<T: Copy>(cases: &[(Value, T)], value: &Value) -> Option<T> {
    let same = |case: &Value| case == value || (case.as_f64().is_some() && case.as_f64() == value.as_f64());
    cases.iter().find(|(case, _)| same(case)).map(|(_, result)| *result)
}

fn passes(limit: Limit, value: f64, deadband: f64) -> bool {
    match limit {
        Limit::Above(limit) => value > limit - deadband,
        Limit::Below(limit) => value < limit + deadband,
    }
}

/// The worst status among the passed bands; a band that was passed is left only beyond its deadband.
fn range_outcome(bands: &[Band], deadband: f64, passed_before: u32, value: f64) -> Outcome {
    let mut outcome = Outcome::of(Status::Normal.code());
    for (at, band) in bands.iter().enumerate().take(32) {
        let held = passed_before >> at & 1 == 1;
        if passes(band.limit, value, if held { deadband } else { 0.0 }) {
            outcome.passed |= 1 << at;
            outcome.code = outcome.code.max(band.status.code());
        }
    }
    outcome
}

fn alarm_outcome(state: AlarmState) -> Outcome {
    Outcome::of(AlarmState::ALL.iter().position(|each| *each == state).unwrap_or(0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(deadband: f64, on_s: i64, off_s: i64) -> RuleKind {
        let band = |limit, status| Band { limit: Limit::Above(limit), status };
        RuleKind::Range {
            bands: vec![band(4.5, Status::Maintenance), band(7.1, Status::OutOfSpecification), band(11.0, Status::Failure)],
            deadband,
            on_delay: Span::from_secs(on_s),
            off_delay: Span::from_secs(off_s),
        }
    }

    fn check(kind: &RuleKind, values: &[(i64, f64)], at: i64, expected: Status) {
        let mut state = None;
        for (t, v) in values.iter().filter(|(t, _)| *t <= at) {
            state = Some(Machine::Rule(kind).step(state, &Sample::float(Timestamp::from_secs(*t), *v)).0);
        }
        let status = state.map_or(Status::Unknown, |state| state.at(Timestamp::from_secs(at)).outcome.status());
        assert_eq!(status, expected, "{values:?} at {at}");
    }

    #[test]
    fn bands_give_the_worst_passed_status() {
        let rule = range(0.0, 0, 0);
        for (value, expected) in [
            (4.5, Status::Normal),
            (4.6, Status::Maintenance),
            (7.2, Status::OutOfSpecification),
            (99.0, Status::Failure),
            (f64::INFINITY, Status::Failure),
        ] {
            check(&rule, &[(0, value)], 0, expected);
        }
    }

    #[test]
    fn nothing_is_known_before_the_first_sample() {
        check(&range(0.0, 0, 0), &[(5, 9.0)], 4, Status::Unknown);
    }

    #[test]
    fn a_band_is_left_only_beyond_its_deadband() {
        let rule = range(0.5, 0, 0);
        check(&rule, &[(0, 7.2), (1, 6.8)], 1, Status::OutOfSpecification);
        check(&rule, &[(0, 7.2), (1, 6.6)], 1, Status::Maintenance);
        check(&rule, &[(0, 6.8)], 0, Status::Maintenance);
    }

    #[test]
    fn a_worse_status_counts_after_its_delay_even_without_another_sample() {
        let rule = range(0.0, 10, 0);
        check(&rule, &[(0, 1.0), (5, 9.0)], 14, Status::Normal);
        check(&rule, &[(0, 1.0), (5, 9.0)], 15, Status::OutOfSpecification);
    }

    #[test]
    fn an_interruption_starts_the_delay_anew() {
        let rule = range(0.0, 10, 0);
        check(&rule, &[(0, 1.0), (5, 9.0), (12, 1.0), (13, 9.0)], 20, Status::Normal);
        check(&rule, &[(0, 1.0), (5, 9.0), (12, 1.0), (13, 9.0)], 23, Status::OutOfSpecification);
    }

    #[test]
    fn a_better_status_waits_for_the_off_delay() {
        let rule = range(0.0, 0, 30);
        check(&rule, &[(0, 9.0), (10, 1.0)], 39, Status::OutOfSpecification);
        check(&rule, &[(0, 9.0), (10, 1.0)], 40, Status::Normal);
    }

    #[test]
    fn nan_and_bad_values_change_nothing() {
        let rule = range(0.0, 0, 0);
        check(&rule, &[(0, 9.0), (1, f64::NAN)], 1, Status::OutOfSpecification);
        let state = Machine::Rule(&rule).step(None, &Sample::float(Timestamp::from_secs(0), 1.0)).0;
        let bad = Sample::float(Timestamp::from_secs(1), 99.0).with_quality(Quality::BAD_SENSOR_FAILURE);
        assert_eq!(Machine::Rule(&rule).step(Some(state), &bad).0.outcome.status(), Status::Normal);
    }

    #[test]
    fn quality_has_its_own_rule_and_a_dead_link_is_not_a_dead_device() {
        let rule = RuleKind::Quality { uncertain: Status::OutOfSpecification, bad: Status::Failure };
        let step = |quality| {
            let sample = Sample::float(Timestamp::from_secs(0), 1.0).with_quality(quality);
            Machine::Rule(&rule).step(None, &sample).0.outcome.status()
        };
        assert_eq!(step(Quality::GOOD), Status::Normal);
        assert_eq!(step(Quality::UNCERTAIN), Status::OutOfSpecification);
        assert_eq!(step(Quality::BAD_SENSOR_FAILURE), Status::Failure);
        assert_eq!(step(Quality::BAD_NO_COMMUNICATION), Status::Normal);
    }

    fn alarm(ack: AckPolicy, values: &[f64]) -> AlarmState {
        let condition =
            AlarmCondition::Limit { limit: Limit::Above(90.0), deadband: 5.0, on_delay: Span::ZERO, off_delay: Span::ZERO, ack };
        let mut state = None;
        for (t, value) in values.iter().enumerate() {
            let sample = Sample::float(Timestamp::from_secs(t as i64), *value);
            state = Some(Machine::Alarm(&condition).step(state, &sample).0);
        }
        state.unwrap().outcome.alarm()
    }

    #[test]
    fn an_alarm_rises_holds_in_its_deadband_and_clears() {
        assert_eq!(alarm(AckPolicy::Auto, &[50.0]), AlarmState::Normal);
        assert_eq!(alarm(AckPolicy::Auto, &[50.0, 91.0]), AlarmState::UnackActive);
        assert_eq!(alarm(AckPolicy::Auto, &[50.0, 91.0, 86.0]), AlarmState::UnackActive);
        assert_eq!(alarm(AckPolicy::Auto, &[50.0, 91.0, 84.0]), AlarmState::Normal);
        assert_eq!(alarm(AckPolicy::Required, &[50.0, 91.0, 84.0]), AlarmState::ReturnedUnack);
        assert_eq!(alarm(AckPolicy::Required, &[50.0, 91.0, 84.0, 95.0]), AlarmState::UnackActive);
    }

    #[test]
    fn reported_states_are_taken_as_they_come() {
        let condition = AlarmCondition::Reported {
            states: vec![(Value::text("ACTIVE"), AlarmState::UnackActive), (Value::text("ACKNOWLEDGED"), AlarmState::AckActive)],
            otherwise: AlarmState::Normal,
        };
        let step = |text| {
            let sample = Sample::new(Timestamp::from_secs(0), Value::text(text));
            Machine::Alarm(&condition).step(None, &sample).0.outcome.alarm()
        };
        assert_eq!(step("ACTIVE"), AlarmState::UnackActive);
        assert_eq!(step("ACKNOWLEDGED"), AlarmState::AckActive);
        assert_eq!(step("NORMAL"), AlarmState::Normal);
    }
}

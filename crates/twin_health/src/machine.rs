//! The small deterministic machines behind rules and alarms: samples of one signal in, an outcome out.
//!
//! Common to all: a wanted outcome becomes the outcome once it has been wanted for its delay without interruption, where
//! time passes between samples too. A rule with several bands waits for each status apart: what goes to and fro between two bad
//! ones has been bad all the time, and is at least the lesser of them after the delay; likewise on the way back. Samples are fed
//! in source-time order; [`crate::Timeline`] takes care of late ones.

use twin_model::{AckPolicy, AlarmCondition, AlarmState, Band, Limit, MAX_BANDS, Quality, QualityClass, RuleKind, Sample};
use twin_model::{Span, Status, Timestamp, Value};

const MICROSECOND: Span = Span::from_micros(1);
/// Code of a judgement that was never made.
const NEVER: u8 = u8::MAX;

/// What a machine says: a status code for rules, a position in [`AlarmState::ALL`] for alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The code. While a rule's newest sample has nothing to judge it is that of unknown.
    pub code: u8,
    /// The code of the last judgement: [`Self::code`], except while the newest sample has nothing to judge.
    judged: u8,
    /// Bands that are passed, bit by position (range rules, [`MAX_BANDS`] at most).
    pub passed: u32,
}

impl Outcome {
    const fn of(code: u8) -> Self {
        Self { code, judged: code, passed: 0 }
    }

    /// A rule that has judged nothing yet.
    const NOTHING: Self = Self { code: Status::Unknown.code(), judged: NEVER, passed: 0 };

    /// The same while there is nothing to judge. The bands stay passed: what follows is held against their deadbands.
    const fn blind(self) -> Self {
        Self { code: Status::Unknown.code(), ..self }
    }

    /// Whether the newest sample has nothing to judge.
    const fn is_blind(self) -> bool {
        self.code != self.judged
    }

    /// What was last judged; `None` before the first judgement.
    const fn last(self) -> Option<Self> {
        if self.judged == NEVER { None } else { Some(Self { code: self.judged, ..self }) }
    }

    /// As the status of a rule.
    pub fn status(self) -> Status {
        Status::from_code(self.code).unwrap_or(Status::Unknown)
    }

    /// The last status that a rule came to, also where there is nothing to judge now; unknown before the first.
    pub fn last_status(self) -> Status {
        Status::from_code(self.judged).unwrap_or(Status::Unknown)
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
    /// Its value; a placeholder where there was none.
    pub value: Value,
    /// How far it can be used ([`Sample::judged_quality`]).
    pub quality: Quality,
}

impl From<&Sample> for Cause {
    fn from(sample: &Sample) -> Self {
        Self { time: sample.source_time, value: sample.value.clone(), quality: sample.judged_quality() }
    }
}

/// An outcome that waits for its delay.
#[derive(Debug, Clone, PartialEq)]
struct Pending {
    outcome: Outcome,
    due: Timestamp,
    cause: Cause,
    /// Whether a sample asked for just this, and not only for more.
    exact: bool,
}

/// Outcomes that one sample brings with it, at most: as many as statuses can mature before it, and its own.
pub(crate) type Adopted = Vec<State>;

/// Where a machine stands after some samples.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What it says.
    pub outcome: Outcome,
    /// Since when.
    pub since: Timestamp,
    /// The sample that brought it about.
    pub cause: Cause,
    /// What waits, nearest to the outcome first; the others are further from it and are due no earlier.
    pending: Vec<Pending>,
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
    /// There is nothing to judge (bad quality, no number): a rule is blind until there is, an alarm stays as it is, and what
    /// was pending is no longer uninterrupted.
    Nothing,
    /// An outcome after a delay.
    Outcome(Outcome, Span),
}

impl Machine<'_> {
    /// Takes the next sample; `state` is `None` before the first.
    ///
    /// Returns the outcomes adopted on the way, oldest first: a delay that matured before the sample or the sight that came
    /// back with it, then the sample's own.
    ///
    /// A rule that gets something to judge again goes on from its last judgement, with its delays and deadbands: a sensor
    /// that fails for a moment neither skips a delay nor resets what was known.
    pub fn step(&self, state: Option<State>, sample: &Sample) -> (State, Adopted) {
        let t = sample.source_time;
        let mut adopted = Vec::new();
        let begin = |outcome| State { outcome, since: t, cause: sample.into(), pending: Vec::new() };
        let rule = matches!(self, Self::Rule(_));
        let mut state = match state {
            Some(mut state) => {
                while mature(&mut state, t - MICROSECOND) {
                    adopted.push(state.clone());
                }
                // What is due just now has lasted only if the sample of now does not speak against it.
                self.contradict(&mut state, sample);
                while mature(&mut state, t) {
                    adopted.push(state.clone());
                }
                state
            }
            None => {
                let state = begin(if rule { Outcome::NOTHING } else { self.rest() });
                adopted.push(state.clone());
                state
            }
        };
        let known = state.outcome.last().unwrap_or_else(|| self.rest());
        let (wanted, delay) = match self.wish(known, sample) {
            Wish::Nothing => {
                state.pending.clear();
                if rule && state.outcome.status() != Status::Unknown {
                    state = begin(state.outcome.blind());
                    adopted.push(state.clone());
                }
                return (state, adopted);
            }
            Wish::Outcome(wanted, delay) => (wanted, delay),
        };
        if state.outcome.is_blind() {
            state = begin(known);
            adopted.push(state.clone());
        }
        if wanted.code == state.outcome.code {
            state.outcome = wanted;
            state.pending.clear();
        } else if delay <= Span::ZERO {
            state = begin(wanted);
            adopted.push(state.clone());
        } else {
            self.wait(&mut state, wanted, t + delay, sample);
        }
        (state, adopted)
    }

    /// Lets go of what would be due with a sample that asks for something else.
    fn contradict(&self, state: &mut State, sample: &Sample) {
        if !state.pending.iter().any(|pending| pending.due == sample.source_time) {
            return;
        }
        let known = state.outcome.last().unwrap_or_else(|| self.rest());
        let asked = match self.wish(known, sample) {
            Wish::Outcome(wanted, _) => self.on_the_way(state.outcome, wanted),
            Wish::Nothing => Vec::new(),
        };
        let asked_for = |pending: &Pending| asked.iter().any(|outcome| outcome.code == pending.outcome.code);
        state.pending.retain(|pending| pending.due > sample.source_time || asked_for(pending));
    }

    /// Lets `wanted` wait, and all that lies between it and what is said; what waits longer goes on waiting.
    fn wait(&self, state: &mut State, wanted: Outcome, due: Timestamp, sample: &Sample) {
        let mut before = std::mem::take(&mut state.pending);
        for outcome in self.on_the_way(state.outcome, wanted) {
            let exact = outcome.code == wanted.code;
            let known = before.iter().position(|pending| pending.outcome.code == outcome.code);
            state.pending.push(match known.map(|at| before.swap_remove(at)) {
                None => Pending { outcome, due, cause: sample.into(), exact },
                Some(known) if exact && !known.exact => Pending { outcome, due: known.due, cause: sample.into(), exact },
                Some(known) => known,
            });
        }
    }

    /// Outcomes that hold, too, while `wanted` is wanted and `now` is said, nearest to what is said first and `wanted` last. Whoever is
    /// in a failure is in need of maintenance at least; whoever is well again is no worse than that.
    fn on_the_way(&self, now: Outcome, wanted: Outcome) -> Vec<Outcome> {
        let Self::Rule(RuleKind::Range { bands, .. }) = self else { return vec![wanted] };
        let (from, to) = (now.status(), wanted.status());
        let between = |status: &Status| if to > from { from < *status && *status < to } else { to < *status && *status < from };
        let mut statuses: Vec<Status> = bands.iter().map(|band| band.status).filter(between).collect();
        statuses.sort_unstable();
        statuses.dedup();
        if to < from {
            statuses.reverse();
        }
        let lesser = |status: Status| {
            let (_, most) = may_have_passed(bands, status);
            Outcome { passed: wanted.passed & most, ..Outcome::of(status.code()) }
        };
        statuses.into_iter().map(lesser).chain([wanted]).collect()
    }

    /// The outcome that a sample leaves behind whatever was passed before, with nothing pending, where the machine says
    /// `now` and goes on saying it. None where that depends on older samples.
    pub(crate) fn settled_by(&self, now: Outcome, sample: &Sample) -> Option<Outcome> {
        if let Self::Rule(RuleKind::Range { bands, deadband, on_delay, off_delay }) = self
            && let Some(value) = sample.usable_number()
        {
            let (certain, most) = may_have_passed(bands, now.status());
            // What waited may have become the outcome because worse or better was wanted, with none of its own bands passed.
            let least = if (*on_delay).max(*off_delay) > Span::ZERO { 0 } else { certain };
            let outcome = range_outcome(bands, *deadband, least, value);
            return Some(outcome).filter(|it| it.code == now.code && *it == range_outcome(bands, *deadband, most, value));
        }
        match self.wish(now, sample) {
            Wish::Outcome(wanted, _) => (!now.is_blind() && wanted.code == now.code).then_some(wanted),
            Wish::Nothing => (now.is_blind() || matches!(self, Self::Alarm(_))).then_some(now),
        }
    }

    /// Whether nothing was waiting any more when an outcome began: a sample brought it about then and there, or there is none beyond it.
    /// One between the others may have begun by its delay while another waited on.
    pub(crate) fn begins_settled(&self, entry: &crate::Entry) -> bool {
        let Self::Rule(RuleKind::Range { bands, .. }) = self else { return true };
        let status = entry.outcome.status();
        entry.since == entry.cause.time || status <= Status::Normal || bands.iter().all(|band| band.status <= status)
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
                let Some(value) = sample.usable_number() else { return Wish::Nothing };
                let wanted = range_outcome(bands, *deadband, now.passed, value);
                Wish::Outcome(wanted, if wanted.status() > now.status() { *on_delay } else { *off_delay })
            }
            Self::Rule(RuleKind::Match { cases, otherwise }) => {
                if !sample.usable() {
                    return Wish::Nothing;
                }
                let status = first_match(cases, &sample.value).unwrap_or(*otherwise);
                Wish::Outcome(Outcome::of(status.code()), Span::ZERO)
            }
            Self::Rule(RuleKind::Quality { uncertain, bad }) => {
                let status = match sample.judged_quality().class() {
                    QualityClass::Good => Status::Normal,
                    QualityClass::Uncertain => *uncertain,
                    // A broken link is shown as freshness; the device itself may be well.
                    QualityClass::Bad if sample.quality == Quality::BAD_NO_COMMUNICATION => return Wish::Nothing,
                    QualityClass::Bad => *bad,
                };
                Wish::Outcome(Outcome::of(status.code()), Span::ZERO)
            }
            Self::Rule(RuleKind::Stale { .. }) => Wish::Outcome(self.rest(), Span::ZERO),
            Self::Alarm(AlarmCondition::Limit { limit, deadband, on_delay, off_delay, ack }) => {
                let Some(value) = sample.usable_number() else { return Wish::Nothing };
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
                if !sample.usable() {
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
        Self { outcome: entry.outcome, since: entry.since, cause: entry.cause.clone(), pending: Vec::new() }
    }

    /// The same with another outcome of the same code.
    #[must_use]
    pub(crate) fn with(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// Whether it says just this, with nothing pending.
    pub(crate) fn is_settled_at(&self, outcome: Outcome) -> bool {
        self.pending.is_empty() && self.outcome == outcome
    }

    /// The state once time has advanced to `t` without another sample.
    #[must_use]
    pub fn at(&self, t: Timestamp) -> Self {
        let mut state = self.clone();
        while mature(&mut state, t) {}
        state
    }

    /// This state, and each that follows from it up to `t` without another sample.
    pub(crate) fn steps(&self, t: Timestamp) -> Vec<Self> {
        let mut steps = vec![self.clone()];
        let mut state = self.clone();
        while mature(&mut state, t) {
            steps.push(state.clone());
        }
        steps
    }

    /// When the next pending outcome becomes the outcome, if no sample speaks against it.
    pub fn due(&self) -> Option<Timestamp> {
        self.pending.first().map(|pending| pending.due)
    }
}

/// Adopts the next pending outcome where its time has come: of several that are due at one instant the furthest.
fn mature(state: &mut State, t: Timestamp) -> bool {
    let Some(due) = state.due().filter(|due| *due <= t) else { return false };
    let together = state.pending.iter().take_while(|pending| pending.due == due).count();
    let later = state.pending.split_off(together);
    let Some(Pending { outcome, cause, .. }) = state.pending.pop() else { return false };
    *state = State { outcome, since: due, cause, pending: later };
    true
}

fn first_match<T: Copy>(cases: &[(Value, T)], value: &Value) -> Option<T> {
    // Whole numbers beyond 2^53 differ where floats no longer do.
    let same = |case: &Value| match (case, value) {
        (Value::Int(case), Value::Int(value)) => case == value,
        _ => case == value || (case.as_f64().is_some() && case.as_f64() == value.as_f64()),
    };
    cases.iter().find(|(case, _)| same(case)).map(|(_, result)| *result)
}

/// Whether a value is beyond a limit, or within the deadband behind it.
pub(crate) fn passes(limit: Limit, value: f64, deadband: f64) -> bool {
    match limit {
        Limit::Above(limit) => value > limit - deadband,
        Limit::Below(limit) => value < limit + deadband,
    }
}

/// The worst status among the passed bands; a band that was passed is left only beyond its deadband.
fn range_outcome(bands: &[Band], deadband: f64, passed_before: u32, value: f64) -> Outcome {
    let mut worst = Status::Normal;
    let mut passed = 0;
    for (at, band) in bands.iter().enumerate().take(MAX_BANDS) {
        let held = passed_before >> at & 1 == 1;
        if passes(band.limit, value, if held { deadband } else { 0.0 }) {
            passed |= 1 << at;
            worst = worst.max(band.status);
        }
    }
    Outcome { passed, ..Outcome::of(worst.code()) }
}

/// Bands that are passed for certain while a range rule says `status`, and those that may be.
fn may_have_passed(bands: &[Band], status: Status) -> (u32, u32) {
    let (mut gives, mut most) = (0, 0);
    for (at, band) in bands.iter().enumerate().take(MAX_BANDS) {
        gives |= u32::from(band.status == status) << at;
        most |= u32::from(band.status.max(status) == status) << at;
    }
    // One of those that give it is passed: which one is clear where there is no other.
    let certain = status != Status::Normal && gives.count_ones() == 1;
    (if certain { gives } else { 0 }, most)
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
    fn what_ends_just_when_its_delay_does_has_not_lasted() {
        // IEC 61131-3, on-delay timer: the output follows once the time is over while the input holds.
        let rule = range(0.0, 10, 20);
        check(&rule, &[(0, 1.0), (5, 9.0), (15, 9.0)], 15, Status::OutOfSpecification);
        check(&rule, &[(0, 1.0), (5, 9.0), (15, 1.0)], 60, Status::Normal);
        // Of two that are due together the one that is still asked for.
        check(&rule, &[(0, 1.0), (5, 12.0), (15, 5.0)], 15, Status::Maintenance);
        let failing = [(0, 12.0), (10, 12.0), (20, 1.0), (40, 12.0)];
        check(&rule, &failing[..3], 40, Status::Normal);
        check(&rule, &failing, 60, Status::Failure);
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
    fn what_goes_to_and_fro_between_bad_values_is_at_least_the_lesser_after_the_delay() {
        let rule = range(0.0, 20, 0);
        let swinging: Vec<(i64, f64)> = (0..36).map(|n| (10 * n, if n % 2 == 0 { 5.0 } else { 9.0 })).collect();
        check(&rule, &swinging, 10, Status::Normal);
        for t in (20..350).step_by(5) {
            check(&rule, &swinging, t, Status::Maintenance);
        }
        // Rising: each status counts from when it was passed.
        let rising = [(0, 1.0), (10, 5.0), (25, 9.0), (40, 9.0)];
        for (at, expected) in
            [(29, Status::Normal), (30, Status::Maintenance), (44, Status::Maintenance), (45, Status::OutOfSpecification)]
        {
            check(&rule, &rising, at, expected);
        }
        // Also between two samples, and where nothing in between was ever asked for.
        check(&rule, &[(0, 1.0), (10, 5.0), (25, 9.0)], 31, Status::Maintenance);
        check(&rule, &[(0, 1.0), (10, 5.0), (25, 9.0)], 60, Status::OutOfSpecification);
        check(&rule, &[(0, 1.0), (10, 12.0), (25, 5.0), (26, 12.0)], 35, Status::Maintenance);
        check(&rule, &[(0, 1.0), (10, 12.0)], 30, Status::Failure);
    }

    #[test]
    fn what_goes_to_and_fro_below_a_bad_value_is_no_worse_than_that_after_the_delay() {
        let rule = range(0.0, 0, 30);
        let values: Vec<(i64, f64)> =
            [(0, 12.0)].into_iter().chain((1..36).map(|n| (10 * n, if n % 2 == 1 { 1.0 } else { 5.0 }))).collect();
        check(&rule, &values, 39, Status::Failure);
        for t in (40..350).step_by(5) {
            check(&rule, &values, t, Status::Maintenance);
        }
        let well = [(0, 12.0), (10, 5.0), (30, 1.0)];
        for (at, expected) in [(39, Status::Failure), (40, Status::Maintenance), (59, Status::Maintenance), (60, Status::Normal)]
        {
            check(&rule, &well, at, expected);
        }
    }

    #[test]
    fn a_rule_without_anything_to_judge_is_unknown_and_remembers_its_last_judgement() {
        let rule = range(0.0, 0, 0);
        for nothing in [
            Sample::float(Timestamp::from_secs(1), f64::NAN),
            Sample::float(Timestamp::from_secs(1), 99.0).with_quality(Quality::BAD_SENSOR_FAILURE),
            Sample::without_value(Timestamp::from_secs(1), twin_model::ValueKind::Float, Quality::GOOD),
        ] {
            let first = Machine::Rule(&rule).step(None, &nothing).0;
            assert_eq!((first.outcome.status(), first.outcome.last_status()), (Status::Unknown, Status::Unknown));
            let state = Machine::Rule(&rule).step(None, &Sample::float(Timestamp::from_secs(0), 9.0)).0;
            let (state, adopted) = Machine::Rule(&rule).step(Some(state), &nothing);
            assert_eq!((state.outcome.status(), state.outcome.last_status()), (Status::Unknown, Status::OutOfSpecification));
            assert_eq!((state.since, state.cause.quality.is_bad()), (Timestamp::from_secs(1), true));
            assert_eq!(adopted.len(), 1);
            let again = Sample { source_time: Timestamp::from_secs(2), ..nothing };
            let (state, adopted) = Machine::Rule(&rule).step(Some(state), &again);
            assert_eq!((state.since, adopted.len()), (Timestamp::from_secs(1), 0));
        }
    }

    #[test]
    fn sight_that_comes_back_goes_on_from_the_last_judgement() {
        // 9 is out of specification, held until it has been well for 30 s; nothing to judge at 10 s.
        let rule = range(0.5, 20, 30);
        let values = [(0, 1.0), (1, 9.0), (25, 9.0), (30, f64::NAN), (31, 1.0)];
        check(&rule, &values, 30, Status::Unknown);
        check(&rule, &values, 31, Status::OutOfSpecification);
        check(&rule, &values, 61, Status::Normal);
        // A worse value waits for its delay also after a gap, and deadbands still hold.
        check(&rule, &[(0, 1.0), (1, f64::NAN), (2, 9.0)], 21, Status::Normal);
        check(&rule, &[(0, 1.0), (1, f64::NAN), (2, 9.0)], 22, Status::OutOfSpecification);
        let still = range(0.5, 0, 0);
        check(&still, &[(0, 7.2), (1, f64::NAN), (2, 6.8)], 2, Status::OutOfSpecification);
    }

    #[test]
    fn an_alarm_stays_as_it_is_while_there_is_nothing_to_judge() {
        assert_eq!(alarm(AckPolicy::Auto, &[91.0, f64::NAN]), AlarmState::UnackActive);
        assert_eq!(alarm(AckPolicy::Auto, &[f64::NAN]), AlarmState::Normal);
    }

    #[test]
    fn whole_numbers_match_to_the_last_digit() {
        let rule = RuleKind::Match { cases: vec![(Value::Int((1 << 53) + 1), Status::Failure)], otherwise: Status::Normal };
        let step = |v| Machine::Rule(&rule).step(None, &Sample::new(Timestamp::from_secs(0), Value::Int(v))).0.outcome.status();
        assert_eq!([step((1 << 53) + 1), step(1 << 53)], [Status::Failure, Status::Normal]);
    }

    #[test]
    fn an_unknown_band_never_hides_a_worse_one_and_counts_over_normal() {
        let band = |limit, status| Band { limit: Limit::Above(limit), status };
        let rule = RuleKind::Range {
            bands: vec![band(1.0, Status::Unknown), band(2.0, Status::Maintenance)],
            deadband: 0.0,
            on_delay: Span::ZERO,
            off_delay: Span::ZERO,
        };
        check(&rule, &[(0, 1.5)], 0, Status::Unknown);
        check(&rule, &[(0, 2.5)], 0, Status::Maintenance);
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
        assert_eq!(step(Quality::BAD_NO_COMMUNICATION), Status::Unknown);
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

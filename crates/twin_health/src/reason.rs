//! Why a twin has its status, in words: one plain sentence for each rule that is not normal.

use twin_model::{Band, Limit, Model, Quality, RuleIndex, RuleKind, Sample, SignalIndex, Span, Status, Timestamp, Value};

use crate::machine::passes;
use crate::text::{lasting, quantity};
use crate::timeline::Entry;
use crate::unfit::Unfit;
use crate::view::Input;

/// Why a twin has its status.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The rule.
    pub rule: RuleIndex,
    /// The signal that it reads.
    pub signal: SignalIndex,
    /// What it gives.
    pub status: Status,
    /// Since when.
    pub since: Timestamp,
    /// The newest value, which need not be the one that passed the limit; `None` where there is none.
    pub value: Option<Value>,
    /// Its source time.
    pub time: Option<Timestamp>,
    /// Its quality; bad where there is no value.
    pub quality: Quality,
    /// The limit that is passed.
    pub threshold: Option<f64>,
    /// The next limit towards worse, and what it gives.
    pub next: Option<(f64, Status)>,
    /// One plain sentence.
    pub text: String,
}

/// The reason of a rule that gives `status` and is not normal. `before` is its last judgement, for one that can't judge now.
pub(crate) fn reason(
    model: &Model,
    index: RuleIndex,
    status: Status,
    entry: Option<&Entry>,
    latest: Option<&Sample>,
    (input, before): (Input, Option<Status>),
    t: Timestamp,
) -> Reason {
    let rule = model.rule(index);
    let signal = model.signal(rule.signal);
    let name = &signal.display_name;
    let unit = &signal.unit.0;
    let given = latest.and_then(Sample::given);
    let shown = given.map_or_else(|| "unknown".to_owned(), |value| shown(value, unit));
    let silence = if status == Status::Unknown { silence(name, latest, input, t) } else { None };
    let mut threshold = None;
    let mut next = None;
    let text = match (silence, &rule.kind) {
        (Some(silence), _) => {
            let was =
                before.filter(|was| *was != Status::Unknown).map_or_else(String::new, |was| format!("; was {}", was.label()));
            format!("{silence}{was}")
        }
        (None, RuleKind::Range { bands, deadband, on_delay, off_delay }) => {
            let own = limit_of(bands, entry, status, (given.and_then(Value::as_f64), *deadband));
            next = own.and_then(|limit| next_band(bands, limit, status));
            let delays = (*on_delay, *off_delay);
            match held(bands, *deadband, delays, (own, status), given.and_then(Value::as_f64)) {
                Some((at, words, yet)) => {
                    threshold = Some(at);
                    format!("{name} {shown} {words} {}{yet}", quantity(at, unit))
                }
                None => format!("{name} {shown}"),
            }
        }
        (None, RuleKind::Match { .. }) => format!("{name} is {shown}"),
        (None, RuleKind::Quality { .. }) => {
            let quality = latest.map_or(Quality::BAD, Sample::judged_quality);
            format!("{name}: the value can't be {}: {}", if quality.is_bad() { "used" } else { "fully trusted" }, words(quality))
        }
        (None, RuleKind::Stale { .. }) => {
            let age = latest.map_or(0, |sample| t.since(sample.source_time).as_micros() / 1_000_000);
            format!("{name} has not been heard of for {age} s")
        }
    };
    Reason {
        rule: index,
        signal: rule.signal,
        status,
        since: input
            .silent_since
            .or_else(|| entry.map(|entry| entry.since))
            .or_else(|| latest.map(|sample| sample.source_time))
            .unwrap_or(t),
        value: given.cloned(),
        time: latest.map(|sample| sample.source_time),
        quality: latest.map_or(Quality::BAD, Sample::judged_quality),
        threshold,
        next,
        text,
    }
}

/// A value as a sentence has it.
fn shown(value: &Value, unit: &str) -> String {
    match value {
        Value::Text(word) => word.to_string(),
        Value::Bool(on) => (if *on { "on" } else { "off" }).to_owned(),
        value => quantity(value.as_f64().unwrap_or(f64::NAN), unit),
    }
}

/// The limit for which a rule of bands has its status: of that status the first that the value passes, else the first that it is still
/// near; else the first that was passed when the status began, and the first of it where that is not known. A value may have gone from
/// one to another, on the other side even, without a change of status.
fn limit_of(bands: &[Band], entry: Option<&Entry>, status: Status, (value, deadband): (Option<f64>, f64)) -> Option<Limit> {
    let began = entry.map_or(0, |entry| entry.outcome.passed);
    let own = || bands.iter().enumerate().filter(|(_, band)| band.status == status);
    let now = |by: f64| own().find(|(_, band)| value.is_some_and(|value| passes(band.limit, value, by)));
    let first = now(0.0).or_else(|| now(deadband)).or_else(|| own().find(|(at, _)| began >> (at & 31) & 1 == 1));
    first.or_else(|| own().next()).map(|(_, band)| band.limit)
}

/// How a value stands to the limit that counts: which it is, in words, and what is waited for. `own` is the limit of the status.
///
/// A status lasts while its limit is passed, while the value is back within the deadband, and until it has been back for the delay; and
/// it is the least that is known while a worse limit is passed and its own delay is not over.
fn held(
    bands: &[Band],
    deadband: f64,
    (on_delay, off_delay): (Span, Span),
    (own, status): (Option<Limit>, Status),
    value: Option<f64>,
) -> Option<(f64, &'static str, String)> {
    let own = own?;
    let passed = |limit: Limit, by: f64| value.is_none_or(|value| passes(limit, value, by));
    let (at, beyond, near, back) = words_of(own);
    if passed(own, 0.0) {
        return Some((at, beyond, String::new()));
    }
    if passed(own, deadband) {
        return Some((at, near, String::new()));
    }
    match bands.iter().find(|band| band.status > status && passed(band.limit, 0.0)) {
        Some(worse) => {
            let (at, beyond, ..) = words_of(worse.limit);
            Some((at, beyond, format!(", not yet for {}", lasting(on_delay))))
        }
        None => Some((at, back, format!(", not yet for {}", lasting(off_delay)))),
    }
}

/// A limit, and the words for a value beyond it, one back within the deadband, and one that is back.
const fn words_of(limit: Limit) -> (f64, &'static str, &'static str, &'static str) {
    match limit {
        Limit::Above(at) => (at, "is above", "is still near, not yet well below,", "is back below"),
        Limit::Below(at) => (at, "is below", "is still near, not yet well above,", "is back above"),
    }
}

/// Why a rule has nothing to judge; `None` where it has.
fn silence(name: &str, latest: Option<&Sample>, input: Input, t: Timestamp) -> Option<String> {
    let since = |from: Timestamp| lasting(t.since(from));
    Some(match Unfit::of(input, latest)? {
        Unfit::NeverSeen => format!("{name}: no value yet"),
        Unfit::Offline { since: from } => {
            let lasted = from.map_or_else(String::new, |from| format!(" for {}", since(from)));
            format!("{name}: its source has been offline{lasted}")
        }
        Unfit::Stale { taken } => format!("{name}: no value for {}", since(taken)),
        Unfit::Unusable { quality: Quality::BAD, has_value: false } => format!("{name} has no value"),
        Unfit::Unusable { quality, .. } => format!("{name} has no usable value: {}", words(quality)),
    })
}

/// The nearest limit beyond this one, on the same side, with a worse status.
fn next_band(bands: &[Band], passed: Limit, status: Status) -> Option<(f64, Status)> {
    let worse = bands.iter().filter(|band| band.status > status);
    let nearest = |limits: Vec<(f64, Status)>, sign: f64| limits.into_iter().min_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)));
    match passed {
        Limit::Above(from) => {
            let limits = worse.filter_map(|band| match band.limit {
                Limit::Above(limit) if limit >= from => Some((limit, band.status)),
                _ => None,
            });
            nearest(limits.collect(), 1.0)
        }
        Limit::Below(from) => {
            let limits = worse.filter_map(|band| match band.limit {
                Limit::Below(limit) if limit <= from => Some((limit, band.status)),
                _ => None,
            });
            nearest(limits.collect(), -1.0)
        }
    }
}

fn words(quality: Quality) -> String {
    quality.to_string().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_a_status_is_the_one_that_the_value_is_at_now() {
        let band = |limit, status| Band { limit, status };
        let bands = [
            band(Limit::Above(60.0), Status::Maintenance),
            band(Limit::Above(100.0), Status::Failure),
            band(Limit::Below(20.0), Status::Maintenance),
            band(Limit::Below(10.0), Status::Failure),
        ];
        let limit = |status, value| limit_of(&bands, None, status, (Some(value), 2.0));
        for (status, value, expected) in [
            (Status::Failure, 105.0, Limit::Above(100.0)),
            (Status::Failure, 5.0, Limit::Below(10.0)),
            (Status::Failure, 11.0, Limit::Below(10.0)),
            (Status::Maintenance, 65.0, Limit::Above(60.0)),
            (Status::Maintenance, 15.0, Limit::Below(20.0)),
        ] {
            assert_eq!(limit(status, value), Some(expected), "{status:?} {value}");
        }
        assert_eq!(limit(Status::FunctionCheck, 5.0), None);
    }

    #[test]
    fn a_reason_says_what_is_passed_and_what_is_waited_for() {
        let band = |limit, status| Band { limit, status };
        let bands = [
            band(Limit::Above(60.0), Status::Maintenance),
            band(Limit::Above(80.0), Status::Failure),
            band(Limit::Below(5.0), Status::Failure),
        ];
        let delays = (Span::from_secs(20), Span::from_secs(30));
        let said = |own, status, value: f64| {
            let (at, words, yet) = held(&bands, 2.0, delays, (Some(own), status), Some(value)).unwrap();
            format!("{words} {at}{yet}")
        };
        let (high, bad, low) = (Limit::Above(80.0), Limit::Above(60.0), Limit::Below(5.0));
        for (own, status, value, expected) in [
            (high, Status::Failure, 90.0, "is above 80"),
            (high, Status::Failure, 79.0, "is still near, not yet well below, 80"),
            (high, Status::Failure, 20.0, "is back below 80, not yet for 30 s"),
            (low, Status::Failure, 1.0, "is below 5"),
            (low, Status::Failure, 6.0, "is still near, not yet well above, 5"),
            (low, Status::Failure, 20.0, "is back above 5, not yet for 30 s"),
            (bad, Status::Maintenance, 85.0, "is above 60"),
            (bad, Status::Maintenance, 1.0, "is below 5, not yet for 20 s"),
            (bad, Status::Maintenance, 50.0, "is back below 60, not yet for 30 s"),
        ] {
            assert_eq!(said(own, status, value), expected, "{status:?} {value}");
        }
    }
}

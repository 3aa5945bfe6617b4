//! Why a twin has its status, in words: one plain sentence for each rule that is not normal.

use twin_model::{Band, Limit, Model, Quality, RuleIndex, RuleKind, Sample, Status, Timestamp, Value};

use crate::health::{Input, Reason};
use crate::text::{lasting, quantity};
use crate::timeline::Entry;
use crate::unfit::Unfit;

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
    let shown = given.map(|value| match value {
        Value::Text(word) => word.to_string(),
        Value::Bool(on) => (if *on { "on" } else { "off" }).to_owned(),
        value => quantity(value.as_f64().unwrap_or(f64::NAN), unit),
    });
    let shown = shown.unwrap_or_else(|| "unknown".to_owned());
    let silence = if status == Status::Unknown { silence(name, latest, input, t) } else { None };
    let mut threshold = None;
    let mut next = None;
    let text = match &rule.kind {
        _ if silence.is_some() => {
            let was =
                before.filter(|was| *was != Status::Unknown).map_or_else(String::new, |was| format!("; was {}", was.label()));
            format!("{}{was}", silence.unwrap_or_default())
        }
        RuleKind::Range { bands, .. } => {
            let passed = entry.map_or(0, |entry| entry.outcome.passed);
            let worst = bands
                .iter()
                .enumerate()
                .filter(|(at, band)| passed >> (at & 31) & 1 == 1 && band.status == status)
                .map(|(_, band)| band.limit)
                .next();
            next = worst.and_then(|limit| next_band(bands, limit, status));
            match worst {
                Some(Limit::Above(limit)) => {
                    threshold = Some(limit);
                    let value = given.and_then(Value::as_f64);
                    let word =
                        if value.is_none_or(|value| value > limit) { "is above" } else { "is still near, not yet well below," };
                    format!("{name} {shown} {word} {}", quantity(limit, unit))
                }
                Some(Limit::Below(limit)) => {
                    threshold = Some(limit);
                    let value = given.and_then(Value::as_f64);
                    let word =
                        if value.is_none_or(|value| value < limit) { "is below" } else { "is still near, not yet well above," };
                    format!("{name} {shown} {word} {}", quantity(limit, unit))
                }
                None => format!("{name} {shown}"),
            }
        }
        RuleKind::Match { .. } => format!("{name} is {shown}"),
        RuleKind::Quality { .. } => {
            let quality = latest.map_or(Quality::BAD, Sample::judged_quality);
            format!("{name}: the value can't be {}: {}", if quality.is_bad() { "used" } else { "fully trusted" }, words(quality))
        }
        RuleKind::Stale { .. } => {
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

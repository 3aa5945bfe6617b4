//! A twin at an instant: status, freshness, score and the reasons, from rule outcomes and newest samples.

use twin_model::{
    Freshness, HealthRule, Limit, Model, Quality, RuleIndex, RuleKind, Sample, SignalIndex, Span, Status, Timestamp, TwinIndex,
    Value,
};

use crate::freshness::freshness;
use crate::text::quantity;
use crate::timeline::Entry;

/// Which status wins when several hold. NE 107 names no order beyond F and C; vendors differ on S and M.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// From best to worst; statuses left out rank below all others.
    pub order: Vec<Status>,
}

impl Default for Policy {
    /// F over C over S over M over normal over unknown.
    fn default() -> Self {
        Self { order: Status::ALL.to_vec() }
    }
}

impl Policy {
    /// Position of a status, higher is worse.
    pub fn rank(&self, status: Status) -> usize {
        self.order.iter().position(|each| *each == status).map_or(0, |at| at + 1)
    }

    /// The worse of two.
    pub fn worse(&self, a: Status, b: Status) -> Status {
        if self.rank(b) > self.rank(a) { b } else { a }
    }
}

/// How the caller answers for rules and samples at the instant in question.
pub trait RuleView {
    /// What a rule says, if it has seen a sample.
    fn rule(&self, rule: RuleIndex) -> Option<Entry>;
    /// The newest sample of a signal at or before the instant.
    fn sample(&self, signal: SignalIndex) -> Option<Sample>;
    /// Whether the source of a signal is known to be down at the instant.
    fn source_offline(&self, signal: SignalIndex) -> bool;
    /// How old a value may look only because an extract of the samples is at hand instead of all: not counted as age.
    fn slack(&self) -> Span {
        Span::ZERO
    }
}

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
    /// The newest value, which need not be the one that passed the limit.
    pub value: Option<Value>,
    /// Its source time.
    pub time: Option<Timestamp>,
    /// Its quality.
    pub quality: Quality,
    /// The limit that is passed.
    pub threshold: Option<f64>,
    /// The next limit towards worse, and what it gives.
    pub next: Option<(f64, Status)>,
    /// One plain sentence.
    pub text: String,
}

/// A twin at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinHealth {
    /// Worst status of its rules; unknown where no rule has seen anything.
    pub status: Status,
    /// 1 far from every limit, 0 at the worst one; `None` without range rules that have seen a number.
    pub score: Option<f64>,
    /// Since when it has that status.
    pub since: Option<Timestamp>,
    /// Worst freshness among its signals that were ever seen; never seen where none was.
    pub freshness: Freshness,
    /// Every rule that is not normal, worst first, then by rule order.
    pub reasons: Vec<Reason>,
}

/// Status and freshness of a twin, without words: what a whole site is coloured by.
pub fn judge(model: &Model, policy: &Policy, view: &dyn RuleView, twin: TwinIndex, t: Timestamp) -> (Status, Freshness) {
    let it = model.twin(twin);
    let freshness = twin_freshness(model, view, twin, t);
    let mut status = Status::Unknown;
    for rule in &it.rules {
        if let Some((given, _)) = given_by(model, view, model.rule(*rule), *rule, t) {
            status = policy.worse(status, given);
        }
    }
    (without_rules(status, it.rules.is_empty(), freshness), freshness)
}

/// A twin that nothing judges is normal while it is heard of.
fn without_rules(status: Status, no_rules: bool, freshness: Freshness) -> Status {
    if no_rules && freshness != Freshness::NeverSeen { Status::Normal } else { status }
}

/// Everything about a twin at an instant.
pub fn explain(model: &Model, policy: &Policy, view: &dyn RuleView, twin: TwinIndex, t: Timestamp) -> TwinHealth {
    let it = model.twin(twin);
    let freshness = twin_freshness(model, view, twin, t);
    let mut status = Status::Unknown;
    let mut since: Option<Timestamp> = None;
    let mut score: Option<f64> = None;
    let mut reasons = Vec::new();
    for &index in &it.rules {
        let rule = model.rule(index);
        let Some((given, entry)) = given_by(model, view, rule, index, t) else { continue };
        let began = entry.as_ref().map(|entry| entry.since);
        if policy.rank(given) > policy.rank(status) || status == Status::Unknown {
            status = given;
            since = began;
        } else if given == status {
            // In trouble since the first rule said so; well only since the last one stopped.
            let both = since.into_iter().chain(began);
            since = if given == Status::Normal { both.max() } else { both.min() };
        }
        let latest = view.sample(rule.signal);
        if let Some(margin) = latest.as_ref().and_then(|sample| margin(model, rule, sample)) {
            score = Some(score.map_or(margin, |score: f64| score.min(margin)));
        }
        if given != Status::Normal {
            reasons.push(reason(model, rule, index, given, entry.as_ref(), latest.as_ref(), t));
        }
    }
    reasons.sort_by(|a, b| policy.rank(b.status).cmp(&policy.rank(a.status)).then(a.rule.cmp(&b.rule)));
    let status = without_rules(status, it.rules.is_empty(), freshness);
    TwinHealth { status, score, since, freshness, reasons }
}

/// Worst among the signals ever seen, so that one silent sensor shows; signals never seen count only where all are.
fn twin_freshness(model: &Model, view: &dyn RuleView, twin: TwinIndex, t: Timestamp) -> Freshness {
    let mut worst: Option<Freshness> = None;
    for &signal in &model.twin(twin).signals {
        let one = freshness(model.signal(signal), view.sample(signal).as_ref(), t - view.slack(), view.source_offline(signal));
        if one != Freshness::NeverSeen {
            worst = Some(worst.map_or(one, |worst| worst.max(one)));
        }
    }
    worst.unwrap_or(Freshness::NeverSeen)
}

/// What a rule gives at t, and the entry behind it; `None` where it knows nothing.
fn given_by(
    model: &Model,
    view: &dyn RuleView,
    rule: &HealthRule,
    index: RuleIndex,
    t: Timestamp,
) -> Option<(Status, Option<Entry>)> {
    if let RuleKind::Stale { status } = &rule.kind {
        let sample = view.sample(rule.signal)?;
        let fresh = freshness(model.signal(rule.signal), Some(&sample), t - view.slack(), view.source_offline(rule.signal));
        let given = if fresh >= Freshness::Stale { *status } else { Status::Normal };
        return Some((given, None));
    }
    view.rule(index).map(|entry| (entry.outcome.status(), Some(entry)))
}

/// How much room is left: for each side of a range rule `(limit − value) / (limit − reference)`, clamped to 0..1.
///
/// `limit` is that of the worst band on the side, `reference` the far end of the instrument's range on the other side, or
/// zero. Our own measure, linear on purpose; it ranks parts of a kind and is not a probability.
fn margin(model: &Model, rule: &HealthRule, sample: &Sample) -> Option<f64> {
    let RuleKind::Range { bands, .. } = &rule.kind else { return None };
    let value = sample.value.as_f64().filter(|value| value.is_finite() && !sample.quality.is_bad())?;
    let range = model.signal(rule.signal).range;
    let worst = bands.iter().map(|band| band.status.code()).max()?;
    bands
        .iter()
        .filter(|band| band.status.code() == worst)
        .filter_map(|band| {
            let (room, whole) = match band.limit {
                Limit::Above(limit) => (limit - value, limit - range.map_or(0.0, |(low, _)| low)),
                Limit::Below(limit) => (value - limit, range.map_or(0.0, |(_, high)| high) - limit),
            };
            (whole > 0.0).then(|| (room / whole).clamp(0.0, 1.0))
        })
        .reduce(f64::min)
}

fn reason(
    model: &Model,
    rule: &HealthRule,
    index: RuleIndex,
    status: Status,
    entry: Option<&Entry>,
    latest: Option<&Sample>,
    t: Timestamp,
) -> Reason {
    let signal = model.signal(rule.signal);
    let name = &signal.display_name;
    let unit = &signal.unit.0;
    let shown = latest.map(|sample| match &sample.value {
        Value::Text(word) => word.to_string(),
        Value::Bool(on) => (if *on { "on" } else { "off" }).to_owned(),
        value => quantity(value.as_f64().unwrap_or(f64::NAN), unit),
    });
    let shown = shown.unwrap_or_else(|| "unknown".to_owned());
    let mut threshold = None;
    let mut next = None;
    let text = match &rule.kind {
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
                    let value = latest.and_then(|sample| sample.value.as_f64());
                    let word =
                        if value.is_none_or(|value| value > limit) { "is above" } else { "is still near, not yet well below," };
                    format!("{name} {shown} {word} {}", quantity(limit, unit))
                }
                Some(Limit::Below(limit)) => {
                    threshold = Some(limit);
                    let value = latest.and_then(|sample| sample.value.as_f64());
                    let word =
                        if value.is_none_or(|value| value < limit) { "is below" } else { "is still near, not yet well above," };
                    format!("{name} {shown} {word} {}", quantity(limit, unit))
                }
                None => format!("{name} {shown}"),
            }
        }
        RuleKind::Match { .. } => format!("{name} is {shown}"),
        RuleKind::Quality { .. } => {
            let quality = latest.map_or(Quality::BAD, |sample| sample.quality);
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
        since: entry.map_or_else(|| latest.map_or(t, |sample| sample.source_time), |entry| entry.since),
        value: latest.map(|sample| sample.value.clone()),
        time: latest.map(|sample| sample.source_time),
        quality: latest.map_or(Quality::BAD, |sample| sample.quality),
        threshold,
        next,
        text,
    }
}

/// The nearest limit beyond this one, on the same side, with a worse status.
fn next_band(bands: &[twin_model::Band], passed: Limit, status: Status) -> Option<(f64, Status)> {
    let worse = bands.iter().filter(|band| band.status.code() > status.code());
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
    use std::collections::HashMap;

    use twin_model::{Band, ModelBuilder, Signal, SignalKind, SiteInfo, Unit, ValueKind};

    use super::*;
    use crate::machine::Machine;
    use crate::timeline::Timeline;

    struct View {
        rules: HashMap<RuleIndex, Timeline>,
        samples: HashMap<SignalIndex, Sample>,
        t: Timestamp,
    }

    impl RuleView for View {
        fn rule(&self, rule: RuleIndex) -> Option<Entry> {
            self.rules.get(&rule)?.at(self.t)
        }
        fn sample(&self, signal: SignalIndex) -> Option<Sample> {
            self.samples.get(&signal).cloned()
        }
        fn source_offline(&self, _: SignalIndex) -> bool {
            false
        }
    }

    fn plant() -> Model {
        let mut b = ModelBuilder::new(SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() });
        let twin = b.twin("pump", "Pump", "i", None);
        let signal = b.signal(Signal {
            id: "pump.vibration".into(),
            twin,
            name: "vibration".into(),
            display_name: "Vibration".into(),
            unit: Unit("mm/s".into()),
            kind: SignalKind::Analog,
            value_kind: ValueKind::Float,
            expected_period: Some(Span::from_secs(1)),
            late_after: None,
            stale_after: None,
            range: Some((0.0, 20.0)),
            source: None,
            source_key: String::new(),
        });
        b.rule(HealthRule {
            id: "vibration".into(),
            twin,
            signal,
            kind: RuleKind::Range {
                bands: vec![
                    Band { limit: Limit::Above(4.5), status: Status::Maintenance },
                    Band { limit: Limit::Above(7.1), status: Status::OutOfSpecification },
                    Band { limit: Limit::Above(10.0), status: Status::Failure },
                ],
                deadband: 0.2,
                on_delay: Span::ZERO,
                off_delay: Span::ZERO,
            },
            note: "ISO 20816-3".into(),
        });
        b.rule(HealthRule {
            id: "stale".into(),
            twin,
            signal,
            kind: RuleKind::Stale { status: Status::Failure },
            note: String::new(),
        });
        b.build().unwrap()
    }

    fn at(value: f64, age_s: i64) -> TwinHealth {
        let model = plant();
        let sample = Sample::float(Timestamp::from_secs(100), value);
        let mut timeline = Timeline::default();
        timeline.push(Machine::Rule(&model.rule(RuleIndex(0)).kind), &sample);
        let t = Timestamp::from_secs(100 + age_s);
        let view = View { rules: [(RuleIndex(0), timeline)].into(), samples: [(SignalIndex(0), sample)].into(), t };
        let health = explain(&model, &Policy::default(), &view, TwinIndex(0), t);
        assert_eq!(judge(&model, &Policy::default(), &view, TwinIndex(0), t), (health.status, health.freshness));
        health
    }

    #[test]
    fn a_reason_names_value_limit_and_what_comes_next() {
        let health = at(7.8, 0);
        assert_eq!(health.status, Status::OutOfSpecification);
        let reason = &health.reasons[0];
        assert_eq!(reason.text, "Vibration 7.8\u{2009}mm/s is above 7.1\u{2009}mm/s");
        assert_eq!((reason.threshold, reason.next), (Some(7.1), Some((10.0, Status::Failure))));
        assert!((health.score.unwrap() - 0.22).abs() < 1e-9);
    }

    #[test]
    fn nothing_seen_is_unknown_not_normal() {
        let model = plant();
        let view = View { rules: HashMap::new(), samples: HashMap::new(), t: Timestamp::from_secs(0) };
        let health = explain(&model, &Policy::default(), &view, TwinIndex(0), view.t);
        assert_eq!((health.status, health.freshness), (Status::Unknown, Freshness::NeverSeen));
        assert!(health.reasons.is_empty() && health.score.is_none());
    }

    #[test]
    fn a_stale_rule_speaks_up_while_the_old_status_stays_visible_as_stale() {
        let health = at(1.0, 60);
        assert_eq!((health.status, health.freshness), (Status::Failure, Freshness::Stale));
        assert_eq!(health.reasons[0].text, "Vibration has not been heard of for 60 s");
    }

    #[test]
    fn the_order_is_configurable() {
        let mut policy = Policy::default();
        assert_eq!(policy.worse(Status::Maintenance, Status::OutOfSpecification), Status::OutOfSpecification);
        policy.order = vec![Status::Unknown, Status::Normal, Status::OutOfSpecification, Status::Maintenance, Status::Failure];
        assert_eq!(policy.worse(Status::Maintenance, Status::OutOfSpecification), Status::Maintenance);
    }
}

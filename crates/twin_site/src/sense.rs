//! What can be read and still makes no sense: bands that hide each other, keys without effect, limits in the wrong order.
//!
//! Warnings, apart from what would be judged wrongly. Each place is named once, however many twins inherit it.

use std::collections::BTreeSet;

use twin_model::{Band, Limit, MAX_BANDS, Signal, Status, Value};

use super::codes;
use super::contents::{RawAlarm, RawRule};
use super::diag::{Diagnostics, Location};
use super::names::FullTwin;
use super::read::Word;

/// Whether the bands of a rule can be judged; says what is odd about them.
pub(super) fn bands(bands: &[Band], id: &Word, twin: &FullTwin, out: &mut Diagnostics) -> bool {
    let (rule, subject) = (id.as_str(), twin.id.as_str());
    if bands.len() > MAX_BANDS {
        let message = format!("rule '{rule}' of twin '{subject}' has {} bands; it is not used", bands.len());
        out.error(
            codes::TOO_MANY,
            &id.at,
            subject,
            message,
            format!("a rule has at most {MAX_BANDS} bands; make two rules of it"),
        );
        return false;
    }
    for (at, band) in bands.iter().enumerate() {
        for other in bands.iter().skip(at + 1) {
            let Some(what) = odd(band, other).or_else(|| odd(other, band)) else { continue };
            let message = format!("rule '{rule}' of twin '{subject}': {what}");
            let help = "of all passed bands the worst status counts: let it get worse with distance, and leave room between";
            out.warning_once(codes::BANDS_OVERLAP, &id.at, subject, message, help);
        }
    }
    true
}

/// What is odd about two bands, seen from the first.
fn odd(a: &Band, b: &Band) -> Option<String> {
    let hidden = |word: &str, near: f64, far: f64, nearer: Status, farther: Status| {
        let what = format!("{} {word} {far} never shows, since {word} {near} is {}", farther.as_str(), nearer.as_str());
        (nearer >= farther).then_some(what)
    };
    match (a.limit, b.limit) {
        (Limit::Above(near), Limit::Above(far)) if near < far => hidden("above", near, far, a.status, b.status),
        (Limit::Below(near), Limit::Below(far)) if near > far => hidden("below", near, far, a.status, b.status),
        (Limit::Above(x), Limit::Above(y)) | (Limit::Below(x), Limit::Below(y)) if x == y => {
            Some(format!("two bands begin at {x}, and only the worse of {} and {} shows", a.status.as_str(), b.status.as_str()))
        }
        (Limit::Above(low), Limit::Below(high)) if low < high => {
            Some(format!("values from {low} to {high} are above the one and below the other limit, and no value is within both"))
        }
        _ => None,
    }
}

/// Keys of a rule that its kind does not read.
pub(super) fn rule_keys(raw: &RawRule, kind: &str, twin: &FullTwin, out: &mut Diagnostics) {
    let range = [
        ("bands", raw.bands.is_some()),
        ("deadband", raw.deadband.is_some()),
        ("on_delay", raw.on_delay.is_some()),
        ("off_delay", raw.off_delay.is_some()),
    ];
    let of_match = [("cases", raw.cases.is_some()), ("otherwise", raw.otherwise.is_some())];
    let quality = [("uncertain", raw.uncertain.is_some()), ("bad", raw.bad.is_some())];
    let stale = [("status", raw.status.is_some())];
    let all: [(&str, &[(&str, bool)]); 4] = [("range", &range), ("match", &of_match), ("quality", &quality), ("stale", &stale)];
    for (of, keys) in all.into_iter().filter(|(of, _)| *of != kind) {
        unused(keys, &format!("rule '{}'", raw.id.as_str()), (kind, of), &raw.id.at, twin, out);
    }
}

/// Keys of an alarm that its kind does not read.
pub(super) fn alarm_keys(raw: &RawAlarm, kind: &str, twin: &FullTwin, out: &mut Diagnostics) {
    let limit = [
        ("above or below", raw.limit.is_some()),
        ("deadband", raw.deadband.is_some()),
        ("on_delay", raw.on_delay.is_some()),
        ("off_delay", raw.off_delay.is_some()),
        ("acknowledge", raw.ack.is_some()),
    ];
    let reported = [("states", raw.states.is_some()), ("otherwise", raw.otherwise.is_some())];
    let all: [(&str, &[(&str, bool)]); 2] = [("limit", &limit), ("reported", &reported)];
    for (of, keys) in all.into_iter().filter(|(of, _)| *of != kind) {
        unused(keys, &format!("alarm '{}'", raw.id.as_str()), (kind, of), &raw.id.at, twin, out);
    }
}

fn unused(keys: &[(&str, bool)], what: &str, (kind, of): (&str, &str), at: &Location, twin: &FullTwin, out: &mut Diagnostics) {
    for (key, _) in keys.iter().filter(|(_, given)| *given) {
        let message = format!("{key} of {what} of twin '{}' does nothing: its kind is {kind}", twin.id.as_str());
        out.warning_once(codes::KEY_UNUSED, at, twin.id.as_str(), message, &format!("delete it; kind = \"{of}\" reads it"));
    }
}

/// Values that stand twice in cases: the first of them counts.
pub(super) fn cases<T>(cases: &[(Value, T)], what: &str, at: &Location, twin: &FullTwin, out: &mut Diagnostics) {
    let mut seen = BTreeSet::new();
    for (value, _) in cases {
        if !seen.insert(value.to_string()) {
            let message = format!("{what} of twin '{}' has a second case for {value}, which never counts", twin.id.as_str());
            out.warning_once(codes::KEY_UNUSED, at, twin.id.as_str(), message, "delete it");
        }
    }
}

/// A signal that is stale before it is late.
pub(super) fn ages(signal: &Signal, at: &Location, twin: &str, out: &mut Diagnostics) {
    if let (Some(late), Some(stale)) = (signal.late_limit(), signal.stale_limit())
        && stale < late
    {
        let default = |written: Option<_>, words: &'static str| if written.is_none() { words } else { "" };
        let message = format!(
            "signal '{}' is stale after {stale}{}, before it is late after {late}{}",
            signal.id.as_str(),
            default(signal.stale_after, " (ten periods)"),
            default(signal.late_after, " (three periods)"),
        );
        let help = "let stale_after be longer than late_after; write both where one is";
        out.warning_once(codes::STALE_BEFORE_LATE, at, twin, message, help);
    }
}

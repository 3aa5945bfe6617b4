//! Words for times that are refused, with the notation that they look like.

use twin_model::Timestamp;

use super::number::Unit;
use super::{Pattern, TimeFault, TimeFormat, TimeReader, TimeSpec};
use crate::quoted;

/// Patterns that exports use most. Of a text that fits several, the first is named.
const USUAL: [&str; 12] = [
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%S%.f",
    "%Y%m%d%H%M%S",
];

pub(super) fn explain(spec: &TimeSpec, text: &str, fault: &TimeFault) -> String {
    let shown = quoted(text);
    let proposal = || propose(spec, text).map(|(format, t)| format!("; it looks like {t}: write format = \"{format}\""));
    match fault {
        TimeFault::Unread if text.trim().is_empty() => "there is no time".to_owned(),
        TimeFault::Unread => {
            format!("{shown} is not a time in the format {}{}", spec.format.as_str(), proposal().unwrap_or_default())
        }
        TimeFault::Implausible(t) => {
            let help = proposal().unwrap_or_else(|| "; if it is right, write years = [\u{2026}] under [site]".to_owned());
            let which = match &spec.format {
                TimeFormat::Epoch(unit) => format!("as {}", unit.words()),
                other => format!("as {}", other.as_str()),
            };
            format!("{shown} {which} is {}, which is not within the years {}{help}", shown_time(*t), spec.years)
        }
        TimeFault::NoZone => format!("{shown} has no offset; write one (2026-03-02T08:15:04+01:00), or say which zone it is in"),
        TimeFault::Zone(why) => format!("{shown}: {why}"),
    }
}

/// An instant, or its year where the calendar ends.
fn shown_time(t: Timestamp) -> String {
    let years = t.as_micros() / 31_556_952_000_000;
    if (-1_970..8_030).contains(&years) { t.to_string() } else { format!("about the year {}", 1970 + years) }
}

/// The notation in which a text would be a plausible time, and that time.
fn propose(spec: &TimeSpec, text: &str) -> Option<(String, Timestamp)> {
    let epochs = Unit::ALL.into_iter().map(TimeFormat::Epoch);
    let patterns = USUAL.iter().filter_map(|pattern| Pattern::new(pattern).ok().map(TimeFormat::Pattern));
    let all = epochs.chain([TimeFormat::Rfc3339, TimeFormat::Serial(false)]).chain(patterns);
    let zone = spec.zone.clone().unwrap_or_else(super::Zone::utc);
    all.filter(|format| *format != spec.format).find_map(|format| {
        let name = format.as_str().to_owned();
        let spec = TimeSpec { format, zone: Some(zone.clone()), years: spec.years };
        TimeReader::new(spec).read(0, text).ok().map(|read| (name, read.t))
    })
}

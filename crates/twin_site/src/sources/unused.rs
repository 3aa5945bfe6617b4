//! Keys of sources that can be read and do nothing where they stand, beyond those of another kind of source.

use twin_table::TimeFormat;

use super::SourceKind;
use crate::codes;
use crate::diag::Diagnostics;
use crate::read::Section;
use crate::source_keys::SourceClock;

/// Says which keys of a source nobody reads, and why.
pub(super) fn keys(s: &Section<'_>, kind: &SourceKind, out: &mut Diagnostics) {
    match kind {
        SourceKind::Csv(csv) => {
            layout(s, out);
            times(s, &csv.table.times.format, out);
        }
        SourceKind::WebSocket { clock: SourceClock::Received, .. } => {
            for key in ["time", "zone"].into_iter().filter(|key| s.has(key)) {
                unused(
                    s,
                    key,
                    "the time of receipt counts, times of senders are not read",
                    "delete it, or clock = \"received\"",
                    out,
                );
            }
        }
        SourceKind::WebSocket { times: spec, .. } => {
            if let Some(time) = s.table("time") {
                for key in ["column", "date", "time"].into_iter().filter(|key| time.has(key)) {
                    unused(&time, key, "a sender has no columns", "delete it; 'format' says how senders write times", out);
                }
            }
            times(s, &spec.format, out);
        }
        SourceKind::Synthetic { .. } => {}
    }
}

fn layout(s: &Section<'_>, out: &mut Diagnostics) {
    if s.choice("layout") != Some("long") {
        for key in ["key", "value", "values"].into_iter().filter(|key| s.has(key)) {
            unused(s, key, "the layout is wide, one column a signal", "delete it, or write layout = \"long\"", out);
        }
        return;
    }
    if s.has("columns") {
        unused(s, "columns", "the layout is long, one row a sample", "delete it, or write layout = \"wide\"", out);
    }
    if !s.map("values").is_empty() {
        for key in ["key", "value"].into_iter().filter(|key| s.has(key)) {
            unused(s, key, "'values' names columns and their keys", "delete one of them", out);
        }
    }
}

fn times(s: &Section<'_>, format: &TimeFormat, out: &mut Diagnostics) {
    let time = s.table("time");
    if let Some(time) = time.as_ref().filter(|time| time.has("origin"))
        && !matches!(format, TimeFormat::Seconds { .. })
    {
        unused(time, "origin", &format!("the format is {}", format.as_str()), "delete it; format = \"seconds\" reads it", out);
    }
    let offset = time.filter(|time| time.has("offset"));
    // What a sender writes as a text is read as RFC 3339 in any case.
    if !format.needs_zone() && s.choice("kind") == Some("csv") {
        let why = format!("times written as {} say themselves which instant they mean", format.as_str());
        if let Some(time) = &offset {
            unused(time, "offset", &why, "delete it", out);
        }
        if s.has("zone") {
            unused(s, "zone", &why, "delete it", out);
        }
    } else if s.has("zone") && offset.is_some() {
        unused(s, "zone", "'offset' of its time goes before it", "delete one of them", out);
    }
}

fn unused(s: &Section<'_>, key: &'static str, why: &str, help: &str, out: &mut Diagnostics) {
    out.warning(codes::KEY_UNUSED, &s.at_key(key), key, format!("'{key}' does nothing: {why}"), help.to_owned());
}

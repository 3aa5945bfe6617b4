//! Which keys of a source say how it is read, and whether one of them is wrong: then the source is not read at all, for by the defaults
//! its values and times could be others than they are.

use std::fmt;

use super::diag::{Diagnostic, Diagnostics, Location, Severity, closest};
use super::read::Section;
use super::source_keys::KEYS_OF_KIND;
use super::spec::Ty;

/// Keys of a source that say nothing about how what comes is read.
const OTHERS: [&str; 8] = ["id", "feeds", "plant", "seed", "start", "token", "speed", "loop"];
/// Letters of a key that a message repeats.
const SHOWN: usize = 60;
/// The tables in a source that say how it is read.
const TABLES: [&str; 2] = ["time", "quality"];

/// Why a source is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// Where it is written.
    pub at: Location,
    /// What is wrong.
    pub what: String,
    /// How to mend it; may be empty.
    pub help: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "; {}", self.help) }
    }
}

impl From<Diagnostic> for Misread {
    fn from(Diagnostic { at, message, help, .. }: Diagnostic) -> Self {
        Self { at, what: message, help }
    }
}

/// Whether a key of a source of this kind says how it is read.
fn reads(kind: &str, key: &str) -> bool {
    !OTHERS.contains(&key) && KEYS_OF_KIND.iter().any(|(name, kinds)| *name == key && kinds.contains(&kind))
}

/// The first key of a source, in the order of the file, that says how it is read and is of the wrong type, or is missing in its table, or that
/// is none and nearly one: in the source itself and in its tables.
pub(crate) fn by_structure(s: &Section<'_>, kind: &str) -> Option<Misread> {
    if kind == "synthetic" {
        return None;
    }
    let mut out = Diagnostics::default();
    look(s, kind, &|key| reads(kind, key), &mut out);
    for name in TABLES.into_iter().filter(|name| reads(kind, name)) {
        if let Some(table) = s.table(name) {
            look(&table, kind, &|_| true, &mut out);
        }
    }
    first(&out)
}

/// The first error among findings about how a source is read.
pub(crate) fn first(found: &Diagnostics) -> Option<Misread> {
    let errors = found.list().iter().filter(|finding| finding.severity == Severity::Error);
    errors.min_by_key(|finding| (finding.at.line, finding.at.column)).cloned().map(Misread::from)
}

fn look(s: &Section<'_>, kind: &str, is_reading: &dyn Fn(&str) -> bool, out: &mut Diagnostics) {
    let before = out.list().len();
    for entry in s.entries() {
        match entry.known {
            // Its tables are looked at key by key.
            Some(Ty::Table(_) | Ty::ColumnOr(_)) if entry.is_table => {}
            Some(_) if is_reading(entry.key) => s.judge(&entry, out),
            Some(_) => {}
            None => {
                let Some(help) = meant(s, kind, entry.key, is_reading) else { continue };
                let shown: String = entry.key.chars().take(SHOWN).collect();
                out.error(
                    super::codes::KEY_UNKNOWN,
                    &entry.at,
                    entry.key,
                    format!("'{shown}' is not a key of a {}", s.name()),
                    help,
                );
            }
        }
    }
    // One that is written otherwise is missing, too.
    if out.list().len() > before {
        return;
    }
    for key in s.missing() {
        let message = format!("its {} has no '{key}'", s.name());
        out.error(super::codes::KEY_MISSING, &s.at(), key, message, format!("add {key} = \u{2026}"));
    }
}

/// Which key of those that say how a source is read was meant by one that is none; `None` where it is near to no such.
fn meant(s: &Section<'_>, kind: &str, key: &str, is_reading: &dyn Fn(&str) -> bool) -> Option<String> {
    let near = closest(key, s.names().filter(|name| is_reading(name)));
    let other = closest(key, s.names().filter(|name| !is_reading(name)));
    // Of two that are equally near, the one that changes what is read.
    match closest(key, near.into_iter().chain(other)) {
        Some(nearest) if near == Some(nearest) => return Some(format!("did you mean '{nearest}'?")),
        Some(_) => return None,
        None => {}
    }
    // A key that stands in another of these tables than it belongs to.
    let of_source = KEYS_OF_KIND.iter().map(|(name, _)| *name).filter(|name| reads(kind, name));
    if let Some(near) = closest(key, of_source) {
        return Some(format!("'{near}' belongs into the source itself"));
    }
    TABLES.into_iter().filter(|name| reads(kind, name)).find_map(|name| {
        let near = closest(key, s.names_of(name))?;
        Some(format!("'{near}' belongs into the table '{name}' of the source"))
    })
}

/// Whether a key that `[site]` does not have was meant to be its zone.
pub(crate) fn nearly_a_zone(key: &str, names: impl Iterator<Item = &'static str>) -> bool {
    match closest(key, names) {
        Some(near) => near == "time_zone",
        None => closest(key, ["zone", "timezone"]).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_source_says_how_it_is_read_or_is_known_to_say_something_else() {
        let known = |key: &&str| KEYS_OF_KIND.iter().any(|(name, _)| *name == *key);
        assert_eq!(OTHERS.iter().filter(|key| !known(key)).count(), 0);
        assert!(
            reads("csv", "decimal") && !reads("websocket", "decimal") && reads("websocket", "zone") && !reads("csv", "speed")
        );
    }
}

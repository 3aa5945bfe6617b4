//! First pass over a site file: unknown keys, missing keys, wrong types; everything that `spec` alone can tell.
//!
//! Later passes read only what has the right type, so that nothing is reported twice.

use std::sync::Arc;

use serde_spanned::Spanned;
use toml::de::{DeArray, DeTable, DeValue};
use twin_model::{Span, Timestamp};

use super::codes;
use super::diag::{Diagnostics, LineIndex, Location};
use super::spec::{TableSpec, Ty};

/// A text file with its name and line starts.
#[derive(Debug)]
pub(crate) struct SourceText<'a> {
    pub(crate) file: Arc<str>,
    pub(crate) text: &'a str,
    lines: LineIndex,
}

impl<'a> SourceText<'a> {
    pub(crate) fn new(file: &str, text: &'a str) -> Self {
        Self { file: file.into(), text, lines: LineIndex::new(text) }
    }

    pub(crate) fn at(&self, offset: usize) -> Location {
        let (line, column) = self.lines.line_column(self.text, offset);
        Location { file: Arc::clone(&self.file), line, column }
    }
}

/// Reports everything in `table` that `spec` forbids. `path` names the table in messages, for example `twins[2]`.
pub(crate) fn table(
    source: &SourceText<'_>,
    spec: &TableSpec,
    table: &DeTable<'_>,
    at: usize,
    path: &str,
    out: &mut Diagnostics,
) {
    for (key, value) in table.iter() {
        let name = key.get_ref().as_ref();
        match spec.key(name) {
            Some(known) => self::value(source, known.ty, value, &join(path, name), out),
            None => unknown_key(source, spec, key, out),
        }
    }
    for key in spec.keys.iter().filter(|key| key.required && table.get(key.name).is_none()) {
        out.error(
            codes::KEY_MISSING,
            &source.at(at),
            path,
            format!("{} has no '{}'", named(spec, path), key.name),
            format!("add {} = \u{2026}  ({})", key.name, key.help),
        );
    }
}

fn named(spec: &TableSpec, path: &str) -> String {
    if path.is_empty() { format!("the {}", spec.name) } else { path.to_owned() }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn unknown_key(source: &SourceText<'_>, spec: &TableSpec, key: &Spanned<std::borrow::Cow<'_, str>>, out: &mut Diagnostics) {
    let name = key.get_ref().as_ref();
    let all = spec.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ");
    let help = out.suggest(name, spec.keys.iter().map(|key| key.name), &format!("a {} has: {all}", spec.name));
    out.error(codes::KEY_UNKNOWN, &source.at(key.span().start), name, format!("'{name}' is not a key of a {}", spec.name), help);
}

pub(crate) fn value(source: &SourceText<'_>, ty: Ty, value: &Spanned<DeValue<'_>>, path: &str, out: &mut Diagnostics) {
    let at = value.span().start;
    match (ty, value.get_ref()) {
        (Ty::Table(spec) | Ty::Bind(spec) | Ty::ColumnOr(spec), DeValue::Table(inner)) => {
            table(source, spec, inner, at, path, out);
        }
        (Ty::Tables(spec) | Ty::Bind(spec), DeValue::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match item.get_ref() {
                    DeValue::Table(inner) => table(source, spec, inner, item.span().start, &path, out),
                    other => wrong(source, item.span().start, &path, "a table", other, out),
                }
            }
        }
        (Ty::TextMap | Ty::TextsMap | Ty::ScalarMap, DeValue::Table(inner)) => {
            let entry = match ty {
                Ty::TextMap => Ty::Text,
                Ty::TextsMap => Ty::Texts,
                _ => Ty::Scalar,
            };
            for (key, item) in inner.iter() {
                self::value(source, entry, item, &join(path, key.get_ref()), out);
            }
        }
        (Ty::Secret, found) => {
            if super::secrets::token(found) == super::secrets::TokenSource::Unusable {
                let help =
                    "write { env = \"NAME\" }, { file = \"path\" }, or a text that is not empty; until then nobody gets in";
                let message = format!("{path} can't be used; what it holds is not repeated here");
                out.error(codes::VALUE_INVALID, &source.at(at), path, message, help.to_owned());
            }
        }
        (_, found) => {
            if let Err(expected) = scalar(ty, found) {
                wrong(source, at, path, &expected, found, out);
            }
        }
    }
}

/// `Err` says what was expected.
fn scalar(ty: Ty, value: &DeValue<'_>) -> Result<(), String> {
    let yes_if = |ok: bool, expected: &str| if ok { Ok(()) } else { Err(expected.to_owned()) };
    match ty {
        Ty::Text => yes_if(value.is_str(), "a text in quotes"),
        Ty::Id => match value.as_str() {
            Some(text) => wrong_id(text).map_or(Ok(()), |why| Err(format!("an id, {why}"))),
            None => Err("an id: a text in quotes".to_owned()),
        },
        Ty::Number => yes_if(number(value).is_some(), "a finite number"),
        Ty::Integer => yes_if(integer(value).is_some(), "a whole number"),
        Ty::Bool => yes_if(matches!(value, DeValue::Boolean(_)), "true or false"),
        Ty::Duration => match value.as_str().map(str::parse::<Span>) {
            Some(Ok(span)) if !span.is_negative() => Ok(()),
            _ => Err("a duration such as \"250ms\", \"5s\", \"2h\"".to_owned()),
        },
        Ty::Instant => yes_if(instant(value).is_some(), "an instant with its offset such as 2026-03-02T08:15:04Z"),
        Ty::Start => yes_if(
            matches!(value.as_str(), Some("recorded" | "now")) || instant(value).is_some(),
            "\"recorded\", \"now\" or an instant with its offset such as 2026-03-02T08:15:04Z",
        ),
        Ty::Choice(words) => match value.as_str() {
            Some(word) if words.contains(&word) => Ok(()),
            Some(word) => Err(match super::diag::closest(word, words.iter().copied()) {
                Some(similar) => format!("'{similar}' (or another of {})", words.join(", ")),
                None => format!("one of {}", words.join(", ")),
            }),
            None => Err(format!("one of {}", words.join(", "))),
        },
        Ty::Range => match numbers::<2>(value) {
            Some([low, high]) if low <= high => Ok(()),
            Some([high, low]) => Err(format!("two numbers [low, high], the smaller one first: [{low}, {high}]")),
            None => Err("two numbers [low, high]".to_owned()),
        },
        Ty::Vec3 => yes_if(numbers::<3>(value).is_some(), "three numbers [x, y, z]"),
        Ty::Scale => yes_if(
            number(value).map(|n| [n; 3]).or_else(|| numbers::<3>(value)).is_some_and(|all| all.iter().all(|n| *n != 0.0)),
            "a number other than zero, or three of them",
        ),
        Ty::Texts => yes_if(
            value.is_str() || value.as_array().is_some_and(|items| items.iter().all(|item| item.get_ref().is_str())),
            "a text or a list of texts",
        ),
        Ty::Scalar => yes_if(
            value.is_str() || matches!(value, DeValue::Boolean(_)) || number(value).is_some() || integer(value).is_some(),
            "a text, a number, true or false",
        ),
        Ty::Column | Ty::ColumnOr(_) => yes_if(
            value.is_str() || integer(value).is_some_and(|n| (0..10_000).contains(&n)),
            "a column name, or its position from 0",
        ),
        Ty::Priority => yes_if(
            matches!(value.as_str(), Some("critical" | "high" | "medium" | "low"))
                || integer(value).is_some_and(|n| (1..=4).contains(&n)),
            "1 to 4, or critical, high, medium, low",
        ),
        Ty::TextMap | Ty::TextsMap | Ty::ScalarMap | Ty::Table(_) | Ty::Secret => Err("a table".to_owned()),
        Ty::Tables(spec) => Err(format!("a list of tables, each a {}", spec.name)),
        Ty::Bind(_) => yes_if(matches!(value, DeValue::Boolean(false)), "false, a table, or a list of tables"),
    }
}

/// Whether a text may stand as an id.
pub(crate) fn is_id(text: &str) -> bool {
    wrong_id(text).is_none()
}

/// Longest id, in bytes of UTF-8.
pub(crate) const MAX_ID_BYTES: usize = 512;

/// Why a text may not stand as an id.
fn wrong_id(text: &str) -> Option<String> {
    let control = text.chars().position(char::is_control);
    match control {
        _ if text.is_empty() => Some("which is never empty".to_owned()),
        _ if text.len() > MAX_ID_BYTES => {
            Some(format!("which has at most {MAX_ID_BYTES} bytes of UTF-8; this one has {}", text.len()))
        }
        Some(at) => Some(format!("which holds no control characters; character {} of this one is one", at + 1)),
        None => (text.trim() != text).then(|| "which has no spaces at its ends".to_owned()),
    }
}

pub(crate) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let DeValue::Integer(digits) = value else { return None };
    i64::from_str_radix(digits.as_str(), digits.radix()).ok()
}

pub(crate) fn number(value: &DeValue<'_>) -> Option<f64> {
    let n = match value {
        DeValue::Float(digits) => digits.as_str().parse().ok()?,
        DeValue::Integer(_) => integer(value)? as f64,
        _ => return None,
    };
    f64::is_finite(n).then_some(n)
}

pub(crate) fn numbers<const N: usize>(value: &DeValue<'_>) -> Option<[f64; N]> {
    let found: Vec<f64> = value.as_array()?.iter().map(|item| number(item.get_ref())).collect::<Option<_>>()?;
    found.try_into().ok()
}

pub(crate) fn instant(value: &DeValue<'_>) -> Option<Timestamp> {
    match value {
        DeValue::String(text) => text.parse().ok(),
        DeValue::Datetime(t) => t.to_string().parse().ok(),
        _ => None,
    }
}

/// A short list of numbers as it stands.
fn listed(items: &DeArray<'_>) -> Option<String> {
    let numbers: Vec<String> =
        items.iter().take(5).map(|item| Some(number(item.get_ref())?.to_string())).collect::<Option<_>>()?;
    (items.len() < 5 && !items.is_empty()).then(|| format!("[{}]", numbers.join(", ")))
}

fn wrong(source: &SourceText<'_>, at: usize, path: &str, expected: &str, found: &DeValue<'_>, out: &mut Diagnostics) {
    let shown = match found {
        DeValue::String(text) => format!("\"{}\"", twin_table::listed(text)),
        DeValue::Integer(n) => n.to_string(),
        DeValue::Float(n) => n.to_string(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(t) => t.to_string(),
        DeValue::Array(items) => listed(items).unwrap_or_else(|| "a list".to_owned()),
        DeValue::Table(_) => "a table".to_owned(),
    };
    out.error(codes::VALUE_INVALID, &source.at(at), path, format!("{path} cannot be {shown}"), format!("write {expected}"));
}

//! A site file and its imports without secrets, for whoever may see the plant but not get into it.
//!
//! Works on the text by the places that the TOML reader gives, so that everything else stays as it was written. What `spec`
//! does not know may be a misspelt token and goes too, and so do comments. Refuses to let through what it can't read.

use std::ops::Range;

use serde_json::Value as Json;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::secrets::{self, TokenSource};
use super::spec::{ROOT, TableSpec, Ty};

/// What stands where a secret stood.
const REDACTED: &str = "REDACTED";
/// Parts of names under which imported files may hold secrets.
const NAMES: [&str; 6] = ["token", "password", "passwd", "secret", "credential", "apikey"];

/// The text of a site file without secrets and comments; it loads to the same twins. What is no TOML is left out as a whole.
pub fn redacted_site(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return "# this file is no TOML and was left out: it might hold secrets\n".to_owned();
    }
    let mut cuts = Vec::new();
    table(&ROOT, root.get_ref(), &mut cuts);
    for token in toml_parser::Source::new(text).lex() {
        if token.kind() == TokenKind::Comment {
            cuts.push((token.span().start()..token.span().end(), String::new()));
        }
    }
    apply(text, cuts)
}

/// An imported file without secrets: texts under names like `apiToken`. JSON is all that is
/// imported; what is no JSON is left out as a whole.
pub fn redacted_import(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Ok(mut json) = serde_json::from_slice::<Json>(bytes) else {
        return b"\"this file is no JSON and was left out: it might hold secrets\"".to_vec();
    };
    if hide(&mut json, false) { serde_json::to_vec(&json).unwrap_or_default() } else { bytes.to_vec() }
}

type Cut = (Range<usize>, String);

fn apply(text: &str, mut cuts: Vec<Cut>) -> String {
    cuts.sort_by_key(|(range, _)| range.start);
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (range, instead) in cuts {
        // Nothing overlaps: a comment is in no value but a list or table, and of those only the leaves are cut.
        out.push_str(text.get(at..range.start.max(at)).unwrap_or_default());
        out.push_str(&instead);
        at = range.end.max(at);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

fn table(spec: &TableSpec, table: &DeTable<'_>, cuts: &mut Vec<Cut>) {
    for (key, value) in table.iter() {
        match spec.key(key.get_ref()) {
            Some(known) => self::value(known.ty, value, cuts),
            None => leaves(value, &|| format!("\"{REDACTED}\""), cuts),
        }
    }
}

fn value(ty: Ty, value: &Spanned<DeValue<'_>>, cuts: &mut Vec<Cut>) {
    match (ty, value.get_ref()) {
        (Ty::Table(spec) | Ty::Bind(spec), DeValue::Table(inner)) => table(spec, inner, cuts),
        (Ty::Tables(spec) | Ty::Bind(spec), DeValue::Array(items)) => {
            for item in items.iter() {
                match item.get_ref() {
                    DeValue::Table(inner) => table(spec, inner, cuts),
                    _ => leaves(item, &|| format!("\"{REDACTED}\""), cuts),
                }
            }
        }
        (Ty::Secret, found) => match secrets::token(found) {
            // Names of a variable or a file tell nothing that opens a door.
            TokenSource::Env(_) | TokenSource::File(_) => {}
            // What stands where a number was taken out.
            TokenSource::Literal(text) if text.expose() == REDACTED => {}
            TokenSource::Literal(_) => leaves(value, &|| format!("{{ env = \"{REDACTED}\" }}"), cuts),
            TokenSource::Unusable => leaves(value, &|| format!("\"{REDACTED}\""), cuts),
        },
        (Ty::TextMap | Ty::TextsMap | Ty::ScalarMap, _) | (Ty::Bind(_), DeValue::Boolean(_)) => {}
        // A table where none may be, or none where one must be: what it holds may be meant for another place.
        (Ty::Table(_) | Ty::Tables(_) | Ty::Bind(_), _) | (_, DeValue::Table(_)) => {
            leaves(value, &|| format!("\"{REDACTED}\""), cuts);
        }
        _ => {}
    }
}

/// Cuts every value that is neither list nor table: only those have one place in the text, however the tables are written.
fn leaves(value: &Spanned<DeValue<'_>>, instead: &dyn Fn() -> String, cuts: &mut Vec<Cut>) {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().for_each(|item| leaves(item, instead, cuts)),
        DeValue::Table(inner) => inner.iter().for_each(|(_, item)| leaves(item, instead, cuts)),
        _ => cuts.push((value.span(), instead())),
    }
}

/// Whether anything was hidden. `inside`: below a name that speaks of a secret.
fn hide(json: &mut Json, inside: bool) -> bool {
    match json {
        Json::Array(items) => items.iter_mut().fold(false, |any, item| hide(item, inside) | any),
        Json::Object(fields) => {
            let mut any = false;
            for (name, value) in fields.iter_mut() {
                let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
                let speaks = NAMES.iter().any(|part| plain.contains(part));
                // Below such a name only the values of TwinMaker's properties go: types and names are needed to read the rest.
                let here = (speaks && value.is_string()) || (inside && plain == "stringvalue");
                if let (true, Json::String(text)) = (here, &mut *value) {
                    any |= text != REDACTED;
                    REDACTED.clone_into(text);
                } else {
                    any |= hide(value, inside || speaks);
                }
            }
            any
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;

//! Placeholders in texts of interfaces: `{twin}`, `{parent}`, `{name}` and a twin's own `vars`.

use std::collections::BTreeMap;

use super::codes;
use super::diag::Diagnostics;
use super::read::Word;

/// Longest text that placeholders may make, in bytes.
const MAX_FILLED: usize = 16 * 1024;

/// The text with every placeholder filled; unknown ones stay as they are and are reported for `twin`.
pub(crate) fn fill(text: &Word, vars: &BTreeMap<String, String>, twin: &Word, out: &mut Diagnostics) -> String {
    let mut filled = String::with_capacity(text.as_str().len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        match vars.get(name) {
            Some(value) => filled.push_str(value),
            None => {
                let help = out.suggest(name, vars.keys().map(String::as_str), "add it to 'vars' of the twin");
                let message = format!("twin '{}' has no value for {{{name}}}", twin.as_str());
                out.error(codes::PLACEHOLDER_UNKNOWN, &text.at, twin.as_str(), message, help);
                filled.push_str(&format!("{{{name}}}"));
            }
        }
        rest = tail;
        if filled.len() > MAX_FILLED {
            let message = format!("a text of twin '{}' grows beyond {MAX_FILLED} bytes", twin.as_str());
            out.error(codes::TOO_MANY, &text.at, twin.as_str(), message, "shorten the values of its placeholders".to_owned());
            return String::new();
        }
    }
    filled.push_str(rest);
    filled
}

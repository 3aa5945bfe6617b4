//! Offsets that a pattern holds as text: the `Z` of `%H:%M:%SZ`. Passed over, they would put every time into another zone.

use super::super::iso::{offset, says_utc};
use super::super::zone::Zone;
use super::Item;

/// An offset that is the same in every text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fixed {
    /// Seconds ahead of UTC.
    pub(super) seconds: i64,
    /// As in [`super::Written`].
    pub(super) utc: bool,
}

/// What stands around an offset and says nothing.
const AROUND: [char; 12] = ['(', ')', '[', ']', '{', '}', '<', '>', ',', ';', '"', '\''];

/// The offset that a pattern holds as text, if any.
///
/// # Errors
/// Words for the author of the site file, where there are several, or digits that may be something else.
pub(super) fn fixed(items: &[Item]) -> Result<Option<Fixed>, String> {
    let mut found = None;
    for (text, from, to) in runs(items) {
        let Some((fixed, word)) = offset_in(&text, items, (from, to))? else { continue };
        // `GMT%z`, as JavaScript writes: the name is a part of the offset.
        if fixed.seconds == 0 && items.get(to) == Some(&Item::Offset) && word.len() == 3 {
            continue;
        }
        if items.contains(&Item::Offset) || found.is_some_and(|other: Fixed| other.seconds != fixed.seconds) {
            return Err(format!("it says the offset twice: '{word}' is one, too"));
        }
        found = Some(fixed);
    }
    Ok(found)
}

/// Texts between directives and blanks, with the positions of their first letter and behind their last.
fn runs(items: &[Item]) -> Vec<(String, usize, usize)> {
    let mut runs: Vec<(String, usize, usize)> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let Item::Literal(c) = item else { continue };
        match runs.last_mut() {
            Some((text, _, to)) if *to == at => {
                text.push(*c);
                *to = at + 1;
            }
            _ => runs.push((c.to_string(), at, at + 1)),
        }
    }
    runs
}

/// The offset at the end of a text, and how it is written.
fn offset_in<'t>(text: &'t str, items: &[Item], (from, to): (usize, usize)) -> Result<Option<(Fixed, &'t str)>, String> {
    let text = text.trim_matches(AROUND);
    for (at, first) in text.char_indices() {
        let (before, word) = text.split_at(at);
        let within_a_word = first.is_alphabetic() && before.ends_with(char::is_alphabetic);
        let name = ["utc", "gmt"].iter().any(|name| word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        if within_a_word || !(name || matches!(first, 'Z' | 'z' | '+' | '-')) {
            continue;
        }
        // `UTC+1` is read as `+01:00`; alone, an offset is written with all its digits.
        let Some(seconds) = offset(word).or_else(|| name.then(|| Zone::offset_meant(word)).flatten().and_then(|o| offset(&o)))
        else {
            continue;
        };
        // A letter or digits between date and time are marks of their own.
        if !name && !stands_behind_the_time(items, (from, to), before) {
            continue;
        }
        let digits = word.trim_start_matches('-');
        if first == '-' && !digits.contains(':') && !items.contains(&Item::Second) {
            return Err(format!(
                "'{word}' may be an offset, or a part of the time; write %z, or what it is (%M, %S), in its place"
            ));
        }
        return Ok(Some((Fixed { seconds, utc: says_utc(word) }, word)));
    }
    Ok(None)
}

/// Whether the hour, or something finer, stands before a text, or nothing of date and time behind it.
fn stands_behind_the_time(items: &[Item], (from, to): (usize, usize), before: &str) -> bool {
    use Item::{Blank, Fraction, Hour, Hour12, Literal, MaybeFraction, Meridiem, Minute, Offset, Second, ZoneName};
    let of_time = |item: &Item| matches!(item, Hour | Hour12 | Minute | Second | Fraction | MaybeFraction | Meridiem);
    let of_none = |item: &Item| matches!(item, Literal(_) | Blank | Offset | ZoneName);
    let last = items.get(..from).unwrap_or_default().iter().rev().find(|item| **item != Blank);
    // `%H:00:00Z`: its last digits are text.
    let digits = !before.contains(|c: char| c.is_alphabetic());
    digits && last.is_some_and(of_time) || items.get(to..).unwrap_or_default().iter().all(of_none)
}

//! The keys of a sender's line, those included that nobody reads: one of them may be what a key is called elsewhere, or misspelt.

use std::borrow::Cow;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Keys that nobody reads, of one line, that are looked at.
const UNREAD: usize = 16;
/// Keys in the messages of other systems that hold the time, in small letters and without anything between words.
const TIMES: [&str; 7] = ["timestamp", "ts", "datetime", "sourcetime", "sourcetimestamp", "eventtime", "measuredat"];
/// The same, for the quality.
const QUALITIES: [&str; 2] = ["statuscode", "qualitycode"];
/// What lines can't say, and frames can.
const FLAGS: [&str; 4] = ["predicted", "forecast", "historical", "flags"];

/// What stands in a line.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) signal: Option<Cow<'a, str>>,
    /// `null` is a value; only a field that is not there is none.
    pub(super) value: Option<&'a RawValue>,
    pub(super) time: Option<&'a RawValue>,
    pub(super) quality: Option<&'a RawValue>,
    pub(super) ack: Option<serde_json::Value>,
    pub(super) acknowledge: Option<Cow<'a, str>>,
    pub(super) by: Option<serde_json::Value>,
    /// Key and value, in the line's order.
    unread: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with signal and value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(Text(key)) = map.next_key()? {
                    match key.as_ref() {
                        "signal" => put(&mut fields.signal, "signal", text(&mut map)?)?,
                        "value" => put(&mut fields.value, "value", Some(map.next_value()?))?,
                        "time" => put(&mut fields.time, "time", some(map.next_value()?))?,
                        "quality" => put(&mut fields.quality, "quality", some(map.next_value()?))?,
                        "ack" => put(&mut fields.ack, "ack", map.next_value()?)?,
                        "acknowledge" => put(&mut fields.acknowledge, "acknowledge", text(&mut map)?)?,
                        "by" => put(&mut fields.by, "by", map.next_value()?)?,
                        _ => {
                            let value = map.next_value()?;
                            if fields.unread.len() < UNREAD {
                                fields.unread.push((key, value));
                            }
                        }
                    }
                }
                Ok(fields)
            }
        }
        from.deserialize_map(Object)
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    Ok(map.next_value::<Option<Text<'de>>>()?.map(|Text(text)| text))
}

/// `null` is nothing.
fn some(raw: &RawValue) -> Option<&RawValue> {
    (raw.get() != "null").then_some(raw)
}

fn put<T, E: Error>(slot: &mut Option<T>, name: &'static str, value: Option<T>) -> Result<(), E> {
    if slot.is_some() {
        return Err(E::duplicate_field(name));
    }
    *slot = value;
    Ok(())
}

impl Fields<'_> {
    /// A key whose meaning would be lost: the reading would count as taken now, or as good, or as measured, and is none of it.
    /// Words for the sender. `timed`: its own times are read.
    pub(super) fn lost(&self, timed: bool) -> Option<String> {
        let hint = |(key, value): &(Cow<'_, str>, &RawValue)| {
            let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
            let is = |names: &[&str]| names.contains(&plain.as_str());
            let instead = if timed && self.time.is_none() && (is(&TIMES) || near(&plain, "time")) {
                "the time of a reading is called 'time'"
            } else if self.quality.is_none() && (is(&QUALITIES) || near(&plain, "quality")) {
                "the quality of a reading is called 'quality'"
            } else if is(&FLAGS) && !["false", "null", "0"].contains(&value.get()) {
                "a line is a measurement; predictions and stored data come in frames (docs/PROTOCOL.md)"
            } else {
                return None;
            };
            Some(format!("'{}' is not read: {instead}", shown(key)))
        };
        self.unread.iter().find_map(hint)
    }

    /// The other keys that nobody reads, in words, where there are some: enough to be said once.
    pub(super) fn passed_over(&self) -> Option<String> {
        if self.unread.is_empty() {
            return None;
        }
        let keys: Vec<String> = self.unread.iter().map(|(key, _)| format!("'{}'", shown(key))).collect();
        Some(format!("not read: {}; a line has signal, value, time, quality, and this is said once", keys.join(", ")))
    }
}

fn shown(key: &str) -> String {
    key.chars().take(40).collect()
}

/// Whether a key is a name but for one letter too many or too few, two that changed places or, in a long name, another letter:
/// a tile is no time.
fn near(key: &str, name: &str) -> bool {
    let (a, b) = (key.as_bytes(), name.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    match (a, b) {
        ([], []) => true,
        ([a0, a1, ..], [b0, b1, ..]) if a0 == b1 && a1 == b0 => a.get(2..) == b.get(2..),
        _ => {
            let other = name.len() > 6 && a.get(1..).is_some_and(|rest| b.get(1..) == Some(rest));
            other || a.get(1..) == Some(b) || b.get(1..) == Some(a)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_whose_meaning_would_be_lost_are_told_and_others_are_not() {
        for (line, found) in [
            (r#"{"signal": "a", "value": 1, "timestamp": 1772438400000}"#, true),
            (r#"{"ts" : "2026-03-02T08:00:00Z", "signal": "a", "value": 1}"#, true),
            (r#"{"signal": "a", "value": 1, "Time": 5}"#, true),
            (r#"{"signal": "a", "value": 1, "tiem": 5}"#, true),
            (r#"{"signal": "a", "value": 1, "source_timestamp": 5}"#, true),
            (r#"{"signal": "a", "value": 1, "qualty": "bad"}"#, true),
            (r#"{"signal": "a", "value": 1, "Quality": "bad"}"#, true),
            (r#"{"signal": "a", "value": 1, "qualify": "bad"}"#, true),
            (r#"{"signal": "a", "value": 1, "StatusCode": 0}"#, true),
            (r#"{"signal": "a", "value": 1, "predicted": true}"#, true),
            (r#"{"signal": "a", "value": 1, "flags": 4}"#, true),
            (r#"{"signal": "a", "value": 1, "predicted": false}"#, false),
            (r#"{"signal": "a", "value": "ts"}"#, false),
            (r#"{"signal": "ts", "value": 1}"#, false),
            (r#"{"signal": "a", "value": "\"ts\": 5"}"#, false),
            (r#"{"signal": "a", "value": 1, "time": 5, "ts": 6}"#, false),
            (r#"{"signal": "a", "value": 1, "unit": "°C", "type": "sample", "tile": 3, "fts": 5}"#, false),
            (r#"{"signal": "a", "value": 1, "unit": "°C", "type": "sample", "name": "x", "host": {"ts": 1}}"#, false),
        ] {
            let fields: Fields<'_> = serde_json::from_str(line).unwrap();
            assert_eq!(fields.lost(true).is_some(), found, "{line}");
        }
        let fields: Fields<'_> = serde_json::from_str(r#"{"signal": "a", "value": 1, "ts": 5, "unit": "m"}"#).unwrap();
        assert_eq!(fields.lost(false), None, "its times are not read");
        assert!(fields.passed_over().unwrap().starts_with("not read: 'ts', 'unit';"));
    }

    #[test]
    fn a_key_twice_is_no_line() {
        assert!(serde_json::from_str::<Fields<'_>>(r#"{"signal": "a", "value": 1, "value": 2}"#).is_err());
        assert!(serde_json::from_str::<Fields<'_>>("[1]").is_err());
        let fields: Fields<'_> = serde_json::from_str(r#"{"signal": "\u0061", "value": null, "time": null}"#).unwrap();
        assert!(fields.signal.as_deref() == Some("a") && fields.value.is_some() && fields.time.is_none());
    }
}

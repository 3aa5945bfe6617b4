//! The keys of a sender's line, those included that nobody reads: one of them may be what a key is called elsewhere, or misspelt.

use std::borrow::Cow;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use twin_model::unit;

use super::inbox::SenderRules;
use super::meanings::{Meaning, Name};
use super::scalar::{Scalar, scalar};

/// Keys that nobody reads, of one line: each is looked at, so that no line may have more.
const UNREAD: usize = 1_000;

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
                            if fields.unread.len() >= UNREAD {
                                return Err(A::Error::custom(format!("a line has at most {UNREAD} keys that nobody reads")));
                            }
                            fields.unread.push((key, map.next_value()?));
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
    pub(super) fn lost(&self, timed: bool, rules: &SenderRules) -> Option<String> {
        let hint = |(key, value): &(Cow<'_, str>, &RawValue)| {
            let instead = match Name::new(key).lost(value, &rules.times, rules.qualities)? {
                Meaning::Time if timed && self.time.is_none() => "the time of a reading is called 'time'",
                Meaning::Quality if self.says_no_quality() => "the quality of a reading is called 'quality'",
                Meaning::Old if !timed => "a reading from before now has no place here, as no times of this source are read",
                Meaning::Old if self.time.is_none() => "a reading from before now needs its own time, called 'time'",
                Meaning::Away if self.says_no_quality() && !self.has_no_value() => "the quality of a reading is called 'quality'",
                Meaning::Flags => "a line is a measurement; predictions and stored data come in frames (docs/PROTOCOL.md)",
                Meaning::Time | Meaning::Old | Meaning::Quality | Meaning::Away => return None,
            };
            Some(format!("'{}' is not read: {instead}", shown(key)))
        };
        self.unread.iter().find_map(hint)
    }

    /// Whether `quality` is not there, or empty: then what stands elsewhere is all that is known.
    fn says_no_quality(&self) -> bool {
        let empty = |raw: &&RawValue| matches!(scalar(raw), Scalar::Text(text) if text.trim().is_empty());
        self.quality.as_ref().is_none_or(empty)
    }

    /// Whether it is bad as it is. Were it refused, the value before it would stay as if it were current.
    fn has_no_value(&self) -> bool {
        self.value.is_some_and(|raw| raw.get() == "null")
    }

    /// A unit beside the value that is not the signal's: the value would be taken as something else than it is. Words for the
    /// sender. A signal without a unit takes any.
    pub(super) fn other_unit(&self, signal: &str, unit: &str) -> Option<String> {
        if unit.is_empty() {
            return None;
        }
        let other = |(key, value): &(Cow<'_, str>, &RawValue)| {
            let given = Name::new(key).unit(value).filter(|given| !unit::alike(given, unit))?;
            let (key, given) = (shown(key), twin_table::quoted(&given));
            Some(format!("'{key}' is not read: {signal} is in {unit}, not in {given}; send it in {unit}, nothing is converted"))
        };
        self.unread.iter().find_map(other)
    }

    /// The other keys that nobody reads.
    pub(super) fn passed_over(&self) -> Vec<String> {
        self.unread.iter().map(|(key, _)| shown(key)).collect()
    }
}

fn shown(key: &str) -> String {
    key.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use twin_model::SourceIndex;

    use super::*;
    use crate::sources::Inbox;

    /// Names of times.
    const TIMES: &[&str] = &[
        "timestamp",
        "ts",
        "Time",
        "tiem",
        "source_timestamp",
        "t",
        "date",
        "datetime",
        "at",
        "when",
        "@timestamp",
        "timestamps",
        "timestampMs",
        "timestamp_ms",
        "timestampms",
        "ts_us",
        "tsNs",
        "time_s",
        "timeSeconds",
        "epochMillis",
        "epoch",
        "Date-Time",
        "measured_at",
        "measuredAt",
        "created_at",
        "time_utc",
        "event_time",
        "SourceTimeStamp",
        "plctimestamp",
        "UTCTime",
        "_time",
    ];

    /// Qualities, by name and by what stands there.
    const QUALITIES: &[&str] = &[
        r#""qualty": "bad""#,
        r#""Quality": "bad""#,
        r#""qualify": "bad""#,
        r#""q": "Bad""#,
        r#""q": 192"#,
        r#""qual": "meh""#,
        r#""opcQuality": "Bad""#,
        r#""StatusCode": 2147483648"#,
        r#""status_code": "0x808C0000""#,
        r#""dataquality": false"#,
        r#""status": "BadSensorFailure""#,
        r#""status": "uncertain""#,
        r#""state": -2147483648"#,
        r#""status": "stale""#,
        r#""good": false"#,
        r#""valid": false"#,
        r#""is_valid": 0"#,
        r#""ok": "no""#,
        r#""isGood": false"#,
        r#""quality_ok": false"#,
        r#""valueOk": false"#,
        r#""stale": true"#,
        r#""bad": 1"#,
        r#""invalid": "yes""#,
        r#""fault": true"#,
        r#""error": "sensor broken""#,
    ];

    /// Keys that nobody needs to read.
    const NOTHING_LOST: &[&str] = &[
        r#""predicted": false"#,
        r#""q": "good""#,
        r#""q": 0"#,
        r#""StatusCode": 0"#,
        r#""quality_ok": true"#,
        r#""qual": """#,
        r#""status": "Good""#,
        r#""status": "running""#,
        r#""status": 4"#,
        r#""state": "ERROR""#,
        r#""link_quality": 120"#,
        r#""good": true"#,
        r#""valid": {"to": 5}"#,
        r#""stale": false"#,
        r#""fault": "none""#,
        r#""error": 0.3"#,
        r#""pump_fault": true"#,
        r#""cycle_time": 3.2"#,
        r#""uptime": 1700000000"#,
        r#""run_time_ms": 1700000000"#,
        r#""time_zone": "Europe/Berlin""#,
        r#""calibration_date": "2020-01-01""#,
        r#""located_at": "hall 3""#,
        r#""response_time": 12"#,
        r#""fts": 5"#,
        r#""tile": 3"#,
        r#""unit": "°C""#,
        r#""type": "sample""#,
        r#""name": "ts""#,
        r#""host": {"ts": 1}"#,
        r#""seq": 1700000000"#,
        r#""id": "t""#,
    ];

    #[test]
    fn keys_whose_meaning_would_be_lost_are_told_and_others_are_not() {
        let rules = Inbox::new(SourceIndex(0)).rules;
        let lost = |more: &str| {
            let line = format!(r#"{{"signal": "a", "value": 1, {more}}}"#);
            serde_json::from_str::<Fields<'_>>(&line).unwrap().lost(true, &rules)
        };
        for name in TIMES {
            let words = lost(&format!(r#""{name}": 1600000000000"#)).unwrap_or_default();
            assert_eq!(words, format!("'{name}' is not read: the time of a reading is called 'time'"));
            assert_eq!(lost(&format!(r#""{name}": null"#)), None, "{name}: nothing is lost");
            assert_eq!(lost(&format!(r#""time": 5, "{name}": 6"#)), None, "{name}: the time is known");
        }
        for more in QUALITIES {
            let words = lost(more).unwrap_or_default();
            assert!(words.ends_with("is not read: the quality of a reading is called 'quality'"), "{more}: {words}");
            assert!(lost(&format!(r#""quality": " ", {more}"#)).is_some(), "{more}: an empty one says nothing");
            assert_eq!(
                lost(&format!(r#""quality": "bad", {}"#, more.replace("Quality\":", "Quality2\":"))),
                None,
                "{more}: it is known"
            );
        }
        for more in [r#""predicted": true"#, r#""flags": 4"#, r#""isForecast": true"#, r#""simulated": 1"#] {
            assert!(lost(more).is_some_and(|words| words.contains("frames")), "{more}");
        }
        for more in NOTHING_LOST {
            assert_eq!(lost(more), None, "{more}");
        }
        let fields: Fields<'_> = serde_json::from_str(r#"{"signal": "a", "value": 1, "ts": 5, "unit": "m"}"#).unwrap();
        assert_eq!(fields.lost(false, &rules), None, "its times are not read");
        assert_eq!(fields.passed_over(), ["ts", "unit"]);
    }

    const TIME: &str = "is not read: the time of a reading is called 'time'";
    const OLD: &str = "is not read: a reading from before now needs its own time, called 'time'";
    const QUALITY: &str = "is not read: the quality of a reading is called 'quality'";

    const DAY: &str = r#""2026-03-02T08:00:00Z""#;
    const NUMBER: &str = "1772438400";

    /// Times by a word about how the reading came.
    const UPDATES: &[(&str, &str)] = &[
        ("last_updated", DAY),
        ("last_changed", DAY),
        ("lastUpdate", DAY),
        ("lastupdated", DAY),
        ("Last Update [ms]", "1772438400000"),
        ("last_seen", DAY),
        ("last_seen", "1772438400000"),
        ("last_seen", r#""1772438400""#),
        ("lastSeenUtc", r#""20260302T080000Z""#),
        ("device_last_seen", DAY),
        ("lastReported", DAY),
        ("last_value_update", NUMBER),
        ("lastContact", DAY),
        ("last-message", r#""02.03.2026 08:00""#),
        ("last_poll", NUMBER),
        ("last_reading", DAY),
        ("latest_measurement", DAY),
        ("updated", DAY),
        ("updated", NUMBER),
        ("updated_at", DAY),
        ("reported_at", NUMBER),
        ("reported", DAY),
        ("polled", DAY),
        ("received", DAY),
        ("generated", DAY),
        ("measured", NUMBER),
        ("as_of", DAY),
        ("letzte_Aktualisierung", DAY),
        ("dt", NUMBER),
        ("dt_txt", r#""2026-03-02 08:00:00""#),
        ("tst", DAY),
    ];

    /// What a broker, a buffer or a start kept.
    const KEPT: &[&str] = &[
        r#""retained": true"#,
        r#""retain": true"#,
        r#""retain": 1"#,
        r#""isRetained": "true""#,
        r#""mqtt_retained": true"#,
        r#""cached": true"#,
        r#""from_cache": "yes""#,
        r#""replayed": true"#,
        r#""buffered": true"#,
        r#""backfill": true"#,
        r#""restored": true"#,
    ];

    /// These say nothing of when the reading was.
    const NOT_OF_BEFORE: &[&str] = &[
        r#""last_updated": null, "last_seen": "", "updated": true, "dt": 0.1, "last_update": "ok""#,
        r#""updated_by": "2026-03-02T08:00:00Z", "update_available": true, "update": "2026-03-02 08:00""#,
        r#""update": {"installed_version": 587814449, "latest_version": -1, "state": null}"#,
        r#""last_error": "2026-03-02T08:00:00Z", "last_boot": "2026-03-02T08:00:00Z""#,
        r#""last_service": "2026-03-02", "last_alarm": "2026-03-02T08:00:00Z""#,
        r#""online_since": "2026-03-02T08:00:00Z", "uptime": 1772438400, "uptime_s": 30"#,
        r#""last_seen": 12, "last_contact": "0170 1234567", "last_tag": "04A3124455", "last_update": "KB5034441""#,
        r#""received": 1772438400, "sent": 1772438400, "generated": 1772438400, "last_reading": 1772438400"#,
        r#""age": 0, "age_s": null, "ageMs": -3, "age": "new""#,
        r#""age_group": 3, "age_years": 12, "average": 5, "voltage": 230, "max_age": 60, "sensor_age": 4"#,
        r#""retained": false, "retain": 0, "cached": null, "replayed": "no", "buffered": """#,
        r#""cached": 81234, "buffered": 1, "retain_days": 1, "cache": true, "replays": 1"#,
        r#""battery": 97, "rssi": -71, "seq": 1772438400, "id": 5, "name": "age", "host": "dt", "topic": "last_seen""#,
    ];

    #[test]
    fn readings_of_before_are_not_taken_as_of_now() {
        let rules = Inbox::new(SourceIndex(0)).rules;
        let lost = |more: &str, timed: bool| {
            let line = format!(r#"{{"signal": "a", "value": 1, {more}}}"#);
            serde_json::from_str::<Fields<'_>>(&line).unwrap().lost(timed, &rules)
        };
        let mut faults = Vec::new();
        let ages = ["age", "age_s", "ageMs", "agems", "age_minutes", "dataAge", "value_age_seconds", "Alter", "secondsAgo"]
            .map(|key| (key, "30"));
        let ages = ages.into_iter().chain([
            ("age", "0.5"),
            ("age", r#""30""#),
            ("seconds_since_last_update", "12"),
            ("last_seen_ago", "12"),
        ]);
        for (key, what) in UPDATES.iter().copied().chain(ages) {
            let more = format!(r#""{key}": {what}"#);
            let found = [
                lost(&more, true).unwrap_or_default() == format!("'{key}' {TIME}"),
                lost(&format!(r#""time": 5, {more}"#), true).is_none(),
                // No time is read, whatever it is.
                lost(&more, false).is_none(),
            ];
            if found != [true; 3] {
                faults.push(format!("{more}: {found:?}"));
            }
        }
        for more in KEPT {
            let untimed = lost(more, false).unwrap_or_default();
            let found = [
                lost(more, true).unwrap_or_default().ends_with(OLD),
                lost(&format!(r#""time": 5, {more}"#), true).is_none(),
                // Nothing else tells when it was.
                untimed.ends_with("a reading from before now has no place here, as no times of this source are read"),
                lost(&format!(r#""time": 5, {more}"#), false).is_some(),
            ];
            if found != [true; 4] {
                faults.push(format!("{more}: {found:?}"));
            }
        }
        for more in NOT_OF_BEFORE {
            if let Some(words) = lost(more, true) {
                faults.push(format!("{more}: {words}"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// What can only be said of one that is not there.
    const AWAY: &[&str] = &[
        r#""state": "unavailable""#,
        r#""state": "unknown""#,
        r#""state": "Offline""#,
        r#""status": "not responding""#,
        r#""device_status": "offline""#,
        r#""sensorState": "unreachable""#,
        r#""availability": "offline""#,
        r#""availability": "unknown""#,
        r#""availability": false"#,
        r#""LWT": "Offline""#,
        r#""connection": "lost""#,
        r#""connection_state": "disconnected""#,
        r#""available": false"#,
        r#""available": "no""#,
        r#""is_available": false"#,
        r#""online": false"#,
        r#""online": 0"#,
        r#""deviceOnline": "false""#,
        r#""connected": false"#,
        r#""reachable": false"#,
        r#""alive": false"#,
        r#""fresh": false"#,
        r#""offline": true"#,
        r#""isOffline": 1"#,
        r#""unavailable": true"#,
        r#""disconnected": "true""#,
        r#""outdated": true"#,
        r#""is_stale": true"#,
    ];

    /// These say nothing of the kind.
    const NOT_AWAY: &[&str] = &[
        r#""state": "running", "status": "off", "STATE": "idle", "status": "OK", "state": 0"#,
        r#""state": "disconnected", "pump_state": "offline", "door_status": "unknown", "update_state": "unavailable""#,
        r#""availability": "online", "availability": 0.0, "availability": 97.3, "availability": null"#,
        r#""available": true, "available": 0, "online": true, "online": 3, "connected": 5, "reachable": "yes""#,
        r#""offline": false, "offline": 3, "unavailable": null, "disconnected": 0, "is_stale": false"#,
        r#""connection": "mqtt", "connection": {"online": false}, "connectivity": "lte", "LWT": "Online""#,
        r#""update_available": false, "wifi_connected": false, "battery_available": false, "cable_connected": false"#,
        r#""active": false, "enabled": false, "present": false, "online_since": false, "linkquality": 0"#,
    ];

    #[test]
    fn values_of_what_is_away_are_not_taken_as_good() {
        let rules = Inbox::new(SourceIndex(0)).rules;
        let lost = |value: &str, more: &str| {
            let line = format!(r#"{{"signal": "a", "value": {value}, {more}}}"#);
            serde_json::from_str::<Fields<'_>>(&line).unwrap().lost(true, &rules)
        };
        let mut faults = Vec::new();
        for more in AWAY {
            let found = [
                lost("1", more).unwrap_or_default().ends_with(QUALITY),
                lost("1", &format!(r#""time": 5, {more}"#)).is_some(),
                lost("1", &format!(r#""quality": "", {more}"#)).is_some(),
                lost("1", &format!(r#""quality": "good", {more}"#)).is_none(),
                // It is bad as it is: were it refused, the value before it would stay as if it were current.
                more.contains("stale") || lost("null", more).is_none(),
            ];
            if found != [true; 5] {
                faults.push(format!("{more}: {found:?}"));
            }
        }
        for more in NOT_AWAY {
            if let Some(words) = lost("1", more) {
                faults.push(format!("{more}: {words}"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn times_and_qualities_in_other_languages_are_told_as_those_in_english_are() {
        let rules = Inbox::new(SourceIndex(0)).rules;
        for (more, found) in [
            (r#""Messzeit": 5"#, Some("'time'")),
            (r#""fecha_hora": 5"#, Some("'time'")),
            (r#""Güte": "Bad""#, Some("'quality'")),
            (r#""gültig": false"#, Some("'quality'")),
            (r#""Fehler": "Fühlerbruch""#, Some("'quality'")),
            (r#""status": "Bad, Vendor 17""#, Some("'quality'")),
            (r#""status": "Bad [Comm Failure]""#, Some("'quality'")),
            (r#""gültig": true"#, None),
            (r#""Fehler": "keine""#, None),
            (r#""status": "badge read""#, None),
        ] {
            let line = format!(r#"{{"signal": "a", "value": 1, {more}}}"#);
            let words = serde_json::from_str::<Fields<'_>>(&line).unwrap().lost(true, &rules);
            assert_eq!(words.is_some(), found.is_some(), "{more}: {words:?}");
            assert!(found.is_none_or(|name| words.unwrap_or_default().ends_with(name)), "{more}");
        }
    }

    #[test]
    fn zeros_of_opc_da_are_bad_where_the_source_says_so() {
        let rules = Inbox::new(SourceIndex(0)).reading(twin_table::TimeSpec::default(), twin_table::Codes::OpcDa).rules;
        for (line, found) in [
            (r#"{"q": 0}"#, true),
            (r#"{"q": "0x18"}"#, true),
            (r#"{"q": 192}"#, false),
            (r#"{"q": "0xC0"}"#, false),
            (r#"{"status": 0}"#, false),
            (r#"{"status": "0x10"}"#, false),
            (r#"{"status": "0x808C"}"#, true),
            (r#"{"status": "0x808C0000"}"#, true),
        ] {
            let fields: Fields<'_> = serde_json::from_str(line).unwrap();
            assert_eq!(fields.lost(true, &rules).is_some(), found, "{line}");
        }
    }

    #[test]
    fn a_unit_that_is_not_the_signals_is_told_and_spellings_of_the_same_are_not() {
        for (key, given, unit, found) in [
            ("unit", "°F", "°C", true),
            ("engineeringUnits", "psi", "bar", true),
            ("uom", "MW", "mW", true),
            ("units", "\u{2103}", "°C", false),
            ("unit_of_measurement", " bar ", "bar", false),
            ("unit", "°F", "", false),
            ("unit", "", "bar", false),
            ("module", "psi", "bar", false),
            // As in other languages, where times and qualities are known, too.
            ("Einheit", "°F", "°C", true),
            ("einheit", "Grad", "°C", false),
            ("Maßeinheit", "psi", "bar", true),
            ("unité", "psi", "bar", true),
            ("unidad", "psi", "bar", true),
            ("valueUnit", "°F", "°C", true),
            ("unit_symbol", "°F", "°C", true),
            ("Einheitlich", "psi", "bar", false),
        ] {
            let line = serde_json::json!({ key: given }).to_string();
            let fields: Fields<'_> = serde_json::from_str(&line).unwrap();
            assert_eq!(fields.other_unit("a", unit).is_some(), found, "{line} {unit}");
        }
    }

    #[test]
    fn a_key_behind_many_others_is_looked_at_and_too_many_are_no_line() {
        let line = |n: usize| {
            let tags: String = (0..n).map(|at| format!("\"tag{at}\": 1, ")).collect();
            format!(r#"{{"signal": "a", "value": 1, {tags} "timestamp": 5}}"#)
        };
        let rules = Inbox::new(SourceIndex(0)).rules;
        let long = line(900);
        assert!(serde_json::from_str::<Fields<'_>>(&long).unwrap().lost(true, &rules).is_some());
        assert!(serde_json::from_str::<Fields<'_>>(&line(1_000)).is_err());
    }

    #[test]
    fn a_key_twice_is_no_line() {
        assert!(serde_json::from_str::<Fields<'_>>(r#"{"signal": "a", "value": 1, "value": 2}"#).is_err());
        assert!(serde_json::from_str::<Fields<'_>>("[1]").is_err());
        let fields: Fields<'_> = serde_json::from_str(r#"{"signal": "\u0061", "value": null, "time": null}"#).unwrap();
        assert!(fields.signal.as_deref() == Some("a") && fields.value.is_some() && fields.time.is_none());
    }
}

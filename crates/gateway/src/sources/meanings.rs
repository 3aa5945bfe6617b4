//! What a key of a line may stand for in the messages of other systems. Knows names and what stands under them, no signals and no
//! samples.
//!
//! A key that only may be a time or a quality (`cycle_time`, `status`) counts as one where what stands under it is one: a
//! reading must not be refused for a word about something else.

use std::borrow::Cow;

use serde_json::value::RawValue;
use twin_model::{Quality, Timestamp};
use twin_table::cell::ReadQuality;
use twin_table::{QualityReader, TimeSpec};

use super::scalar::{Scalar, scalar};

/// Units that stand behind the name of a time: `timestamp_ms`, `tsUtc`.
const TIME_UNITS: [&str; 23] = [
    "ms",
    "s",
    "us",
    "ns",
    "sec",
    "secs",
    "second",
    "seconds",
    "milli",
    "millis",
    "milliseconds",
    "micro",
    "micros",
    "microseconds",
    "nano",
    "nanos",
    "nanoseconds",
    "utc",
    "gmt",
    "local",
    "iso",
    "iso8601",
    "rfc3339",
];
/// A time by these names, whatever stands there.
const TIMES: [&str; 50] = [
    "time",
    "timestamp",
    "ts",
    "t",
    "date",
    "datetime",
    "at",
    "when",
    "epoch",
    "instant",
    "stamp",
    "timeofday",
    "unixtime",
    "unixtimestamp",
    "epochtime",
    "sourcetime",
    "sourcetimestamp",
    "sourcets",
    "eventtime",
    "eventtimestamp",
    "devicetime",
    "sampletime",
    "measuredat",
    "measurementtime",
    "recordedat",
    "observedat",
    "sampledat",
    "zeit",
    "zeitstempel",
    "datum",
    "horodatage",
    "fecha",
    "zeitpunkt",
    "messzeit",
    "messzeitpunkt",
    "uhrzeit",
    "heure",
    "dateheure",
    "hora",
    "fechahora",
    "datahora",
    "orario",
    "dataora",
    "tijd",
    "tijdstip",
    "tijdstempel",
    "tidpunkt",
    "tidsstempel",
    "tidsstämpel",
    "czas",
];
/// A name with one of these as its last or first word may be that of a time.
const TIME_WORDS: [&str; 13] =
    ["time", "timestamp", "ts", "tst", "dt", "date", "datetime", "at", "epoch", "instant", "stamp", "unix", "clock"];
/// `last_updated`, `lastSeen`: how a reading came, and so its time where a date stands there. What else was last (`last_error`,
/// `last_boot`) is about the machine.
const LAST: [&str; 50] = [
    "update",
    "updated",
    "change",
    "changed",
    "seen",
    "heard",
    "report",
    "reported",
    "contact",
    "contacted",
    "poll",
    "polled",
    "refresh",
    "refreshed",
    "receive",
    "received",
    "reception",
    "rx",
    "measured",
    "sampled",
    "recorded",
    "observed",
    "collected",
    "acquired",
    "captured",
    "logged",
    "publish",
    "published",
    "sent",
    "transmission",
    "transmitted",
    "message",
    "msg",
    "packet",
    "telegram",
    "communication",
    "communicated",
    "comm",
    "comms",
    "sync",
    "synced",
    "scan",
    "scanned",
    "fetch",
    "fetched",
    "modified",
    "written",
    "active",
    "activity",
    "checkin",
];
/// The same where a number may be the reading itself, or count them.
const LAST_READ: [&str; 4] = ["read", "reading", "sample", "measurement"];
/// The same without a word for last.
const CAME: [&str; 26] = [
    "updated",
    "changed",
    "seen",
    "reported",
    "polled",
    "refreshed",
    "measured",
    "sampled",
    "recorded",
    "observed",
    "acquired",
    "captured",
    "fetched",
    "logged",
    "modified",
    "created",
    "asof",
    "aktualisiert",
    "letzteaktualisierung",
    "zuletztaktualisiert",
    "zuletztgesehen",
    "letzteänderung",
    "gemessen",
    "actualizado",
    "misajour",
    "misàjour",
];
/// And where a number may count messages, bytes or what a plant makes.
const CAME_COUNTED: [&str; 6] = ["received", "sent", "published", "read", "generated", "collected"];
/// How long ago a reading was taken, without words of units: not how old a sensor is, or may be.
const AGES: [&str; 22] = [
    "age",
    "dataage",
    "valueage",
    "sampleage",
    "readingage",
    "measurementage",
    "signalage",
    "messageage",
    "cacheage",
    "alter",
    "âge",
    "edad",
    "leeftijd",
    "ago",
    "lastseenago",
    "lastupdateago",
    "lastupdatedago",
    "updatedago",
    "sinceupdate",
    "sincelastupdate",
    "sincelastseen",
    "sincelastmessage",
];
/// Units of an age that no time has. In days and years machines and people are old.
const AGE_UNITS: [&str; 7] = ["min", "mins", "minute", "minutes", "h", "hour", "hours"];
/// What a broker kept, in whatever way it is said.
const RETAINED: [&str; 4] = ["retain", "retained", "mqttretain", "mqttretained"];
/// What was kept elsewhere, where a word says yes: numbers count what is kept.
const KEPT: [&str; 14] = [
    "cached",
    "fromcache",
    "buffered",
    "frombuffer",
    "replay",
    "replayed",
    "backfill",
    "backfilled",
    "restored",
    "archived",
    "fromarchive",
    "fromhistory",
    "historic",
    "old",
];
/// Whose being there is that of the reading, beside [`OF_THE_READING`].
const ITS_DEVICE: [&str; 4] = ["device", "entity", "node", "thing"];
/// `false` under these says that what measures is away, or that its value is an old one.
const THERE: [&str; 8] = ["available", "online", "connected", "reachable", "alive", "responding", "fresh", "uptodate"];
/// And `true` under these.
const NOT_THERE: [&str; 13] = [
    "offline",
    "unavailable",
    "notavailable",
    "disconnected",
    "notconnected",
    "unreachable",
    "notreachable",
    "connectionlost",
    "commerror",
    "commfailure",
    "outdated",
    "expired",
    "timedout",
];
/// Under these stands a word for it.
const STATES: [&str; 3] = ["state", "status", "zustand"];
/// And under these such a word or `false`: they are about nothing else.
const CONNECTIONS: [&str; 8] = [
    "availability",
    "availabilitystate",
    "availabilitystatus",
    "reachability",
    "connection",
    "connectionstate",
    "connectionstatus",
    "lwt",
];
/// Words that say that what measures is away.
const AWAY: [&str; 13] = [
    "unavailable",
    "notavailable",
    "unknown",
    "offline",
    "unreachable",
    "notreachable",
    "notresponding",
    "noresponse",
    "nodata",
    "nocommunication",
    "connectionlost",
    "nichtverfügbar",
    "unbekannt",
];
/// The same of a connection: a switch that is disconnected is in order.
const CUT: [&str; 6] = ["disconnected", "notconnected", "lost", "down", "dead", "getrennt"];
/// Times that are not when a reading was taken.
const OTHER_TIMES: [&str; 30] = [
    "boot",
    "start",
    "started",
    "end",
    "ended",
    "install",
    "installed",
    "calibration",
    "calibrated",
    "manufacture",
    "manufactured",
    "expiry",
    "expires",
    "expiration",
    "next",
    "due",
    "service",
    "maintenance",
    "build",
    "built",
    "release",
    "commissioned",
    "birth",
    "cycle",
    "run",
    "up",
    "down",
    "response",
    "delay",
    "zone",
];
/// Whose quality is that of the reading.
const OF_THE_READING: [&str; 18] = [
    "quality",
    "is",
    "opc",
    "ua",
    "da",
    "hda",
    "value",
    "data",
    "sample",
    "reading",
    "measurement",
    "signal",
    "sensor",
    "source",
    "tag",
    "point",
    "code",
    "flag",
];
/// Words that say how far a value can be trusted, beside those of OPC UA.
const DOUBTS: [&str; 8] = ["invalid", "notvalid", "stale", "questionable", "suspect", "unreliable", "notgood", "badquality"];
/// `true` under these says that a value is good, `false` that it is not.
const GOOD: [&str; 12] =
    ["good", "valid", "ok", "usable", "trusted", "trustworthy", "reliable", "gültig", "gueltig", "valide", "valido", "válido"];
/// And the other way round.
const NOT_GOOD: [&str; 24] = [
    "bad",
    "stale",
    "invalid",
    "fault",
    "faulty",
    "failed",
    "failure",
    "suspect",
    "questionable",
    "uncertain",
    "unreliable",
    "substituted",
    "stuck",
    "frozen",
    "outofrange",
    "overrange",
    "underrange",
    "error",
    "ungültig",
    "ungueltig",
    "fehler",
    "fehlerhaft",
    "gestört",
    "gestoert",
];
/// What lines can't say, and frames can.
const FLAGS: [&str; 6] = ["predicted", "prediction", "forecast", "historical", "simulated", "flags"];
/// Names of the unit of a value, in the languages in which times and qualities are known, too.
const UNITS: [&str; 30] = [
    "unit",
    "units",
    "uom",
    "unitofmeasure",
    "unitofmeasurement",
    "engineeringunit",
    "engineeringunits",
    "engunit",
    "engunits",
    "unitname",
    "unitsymbol",
    "valueunit",
    "valueunits",
    "displayunit",
    "displayunits",
    "einheit",
    "einheiten",
    "messeinheit",
    "maßeinheit",
    "masseinheit",
    "unité",
    "unite",
    "unidad",
    "unidade",
    "unità",
    "unita",
    "eenheid",
    "enhet",
    "enhed",
    "jednostka",
];
/// Texts that say that there is nothing to be said.
const NOTHING: [&str; 18] = [
    "", "none", "no", "off", "false", "0", "null", "ok", "good", "noerror", "kein", "keine", "keiner", "nein", "aucun", "aucune",
    "ninguno", "nessuno",
];
/// The smallest StatusCode that is not good, as a whole number of 32 bits (OPC UA part 4): smaller numbers are a machine's own.
const NOT_GOOD_CODE: i64 = 0x4000_0000;
/// Seconds from 1990 to 2100, for numbers in whatever unit.
const EPOCH_S: std::ops::Range<f64> = 631_152_000.0..4_102_444_800.0;
/// Digits that a date has at least.
const DATE_DIGITS: usize = 6;
/// Digits of a date and a time without anything between them.
const WHOLE_DATE_DIGITS: usize = 12;

/// What a key takes away from a reading by not being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// When it was taken.
    Time,
    /// That it was taken before, and not when.
    Old,
    /// How far it can be trusted.
    Quality,
    /// That what measures is away, so that nobody knows the value.
    Away,
    /// That it is no measurement of now.
    Flags,
}

/// A key as people write it: its words, in small letters.
pub(super) struct Name {
    words: Vec<String>,
    /// All letters without what stands between them.
    plain: String,
}

impl Name {
    /// `sourceTimestampMs`, `source_timestamp_ms` and `Source Timestamp [ms]` are the same words.
    pub(super) fn new(key: &str) -> Self {
        let (mut words, mut word) = (Vec::new(), String::new());
        let mut chars = key.chars().peekable();
        let mut before = ' ';
        while let Some(c) = chars.next() {
            let acronym_ends = before.is_uppercase() && c.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase());
            let begins = !c.is_alphanumeric() || c.is_uppercase() && !before.is_uppercase() || acronym_ends;
            if begins && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            before = c;
        }
        if !word.is_empty() {
            words.push(word);
        }
        let plain = words.concat();
        Self { words, plain }
    }

    /// What is lost where this key is not read; `None` where nothing is.
    pub(super) fn lost(&self, raw: &RawValue, times: &TimeSpec, qualities: QualityReader) -> Option<Meaning> {
        let value = Given::of(raw);
        if matches!(value, Given::Nothing) {
            return None;
        }
        if self.is_time(&value, times) {
            Some(Meaning::Time)
        } else if self.says_not_good(&value, qualities) {
            Some(Meaning::Quality)
        } else if self.of_the_reading(&FLAGS) && value.says_yes() {
            Some(Meaning::Flags)
        } else if self.says_kept(&value) {
            Some(Meaning::Old)
        } else if self.says_away(&value) {
            Some(Meaning::Away)
        } else {
            None
        }
    }

    /// The unit that stands under this key, where it is a unit's.
    pub(super) fn unit(&self, raw: &RawValue) -> Option<String> {
        match Given::of(raw) {
            Given::Text(text) if UNITS.contains(&self.plain.as_str()) => {
                Some(text.trim().to_owned()).filter(|unit| !unit.is_empty())
            }
            _ => None,
        }
    }

    fn is_time(&self, value: &Given<'_>, times: &TimeSpec) -> bool {
        let units = self.words.iter().rev().take_while(|word| TIME_UNITS.contains(&word.as_str())).count();
        let words = self.words.get(..self.words.len().saturating_sub(units)).unwrap_or_default();
        let plain = words.concat();
        // `timestampms`: no word of its own.
        let bare = TIME_UNITS.iter().filter(|unit| unit.len() > 1).find_map(|unit| plain.strip_suffix(unit)).unwrap_or(&plain);
        let known = |name: &str| TIMES.contains(&name) || near(name, "time") || near(name, "timestamp");
        if known(&plain) || bare.len() > 1 && known(bare) {
            return true;
        }
        let other = words.iter().any(|word| OTHER_TIMES.contains(&word.as_str()));
        let is = |word: Option<&String>| word.is_some_and(|word| TIME_WORDS.contains(&word.as_str()));
        let may_be = is(words.first()) || is(words.last()) || plain.ends_with("timestamp") || plain.ends_with("datetime");
        if may_be && !other && value.is_instant(times) || value.is_positive() && is_age(words, bare) {
            return true;
        }
        let number = matches!(value, Given::Number(_));
        let came = |name: &str| match name.strip_prefix("last").or_else(|| name.strip_prefix("latest")) {
            Some(what) => LAST.contains(&what) || LAST_READ.contains(&what) && !number,
            None => CAME.contains(&name) || CAME_COUNTED.contains(&name) && !number,
        };
        let apart = words.iter().filter(|word| !beside(word, &ITS_DEVICE)).map(String::as_str).collect::<String>();
        (came(&plain) || came(bare) || came(&apart)) && value.is_date(times)
    }

    fn says_kept(&self, value: &Given<'_>) -> bool {
        if !value.is_yes() {
            return false;
        }
        let number = matches!(value, Given::Number(_));
        self.of_the_reading(&RETAINED) || !number && self.of_the_reading(&KEPT)
    }

    fn says_away(&self, value: &Given<'_>) -> bool {
        let named = |names: &[&str]| self.is_one_of(names, &ITS_DEVICE);
        let number = matches!(value, Given::Number(_));
        let word = || matches!(value, Given::Text(_)).then(|| value.plain());
        let away = word().is_some_and(|word| AWAY.contains(&word.as_str()));
        let cut = || word().is_some_and(|word| CUT.contains(&word.as_str()));
        // So many places may be available: none is a number like others.
        let none_left = || number && self.plain.ends_with("available");
        away && (named(&STATES) || named(&CONNECTIONS) || named(&THERE))
            || (cut() || !number && value.says_no()) && named(&CONNECTIONS)
            || value.says_no() && !none_left() && named(&THERE)
            || value.is_yes() && named(&NOT_THERE)
    }

    fn says_not_good(&self, value: &Given<'_>, qualities: QualityReader) -> bool {
        let plain = self.plain.as_str();
        let of_it = |name: &str| ["is", "opc", "data", "value"].iter().any(|of| plain.strip_prefix(of) == Some(name));
        let is = |name: &str| plain == name || of_it(name);
        let own = self.of_the_reading(&["quality", "qual", "validity", "statuscode"]) || near(plain, "quality");
        if own
            || matches!(
                plain,
                "q" | "qualität" | "qualitaet" | "güte" | "qualité" | "calidad" | "qualità" | "qualidade" | "kwaliteit"
            )
            || is("quality")
            || is("statuscode")
        {
            return !value.is_good(qualities);
        }
        let about = self.words.iter().any(|word| matches!(word.as_str(), "quality" | "status" | "state"));
        if about && value.is_doubt(qualities) {
            return true;
        }
        if self.of_the_reading(&GOOD) || GOOD.iter().any(|name| is(name)) {
            return value.says_no();
        }
        let not_good = self.of_the_reading(&NOT_GOOD) || NOT_GOOD.iter().any(|name| is(name));
        // An error of 0.3 is what a reading may be off by.
        not_good && value.says_yes() && !(plain.ends_with("error") && matches!(value, Given::Number(_)))
    }

    /// Whether it is one of `names`, with nothing beside it but what all say of a reading.
    fn of_the_reading(&self, names: &[&str]) -> bool {
        self.is_one_of(names, &[])
    }

    /// The same with `whose` beside it, too.
    fn is_one_of(&self, names: &[&str], whose: &[&str]) -> bool {
        let all = |words: &[String]| words.iter().all(|word| beside(word, whose));
        (0..self.words.len()).any(|from| {
            (from + 1..=self.words.len().min(from + 3)).any(|to| {
                let (before, rest) = self.words.split_at(from);
                let (name, after) = rest.split_at(to - from);
                names.contains(&name.concat().as_str()) && all(before) && all(after)
            })
        })
    }
}

/// What stands under a key.
enum Given<'a> {
    Nothing,
    Switch(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    /// A list or an object.
    Other(&'a str),
}

impl<'a> Given<'a> {
    fn of(raw: &'a RawValue) -> Self {
        match scalar(raw) {
            Scalar::Null => Self::Nothing,
            Scalar::Text(text) if text.trim().is_empty() => Self::Nothing,
            Scalar::Text(text) => Self::Text(text),
            Scalar::Literal("true") => Self::Switch(true),
            Scalar::Literal("false") => Self::Switch(false),
            Scalar::Literal(number) => Self::Number(number),
            Scalar::Other => Self::Other(raw.get()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Nothing => "",
            Self::Switch(yes) => {
                if *yes {
                    "true"
                } else {
                    "false"
                }
            }
            Self::Number(text) | Self::Other(text) => text,
            Self::Text(text) => text,
        }
    }

    /// Its letters and digits, small.
    fn plain(&self) -> String {
        self.text().chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }

    /// Whether it is a date and a time rather than a duration or a place.
    fn is_instant(&self, times: &TimeSpec) -> bool {
        let declared = |text: &str| times.read_near_in(&times.format, text, Timestamp::MAX).is_ok();
        match self {
            Self::Nothing | Self::Switch(_) => false,
            Self::Number(text) => {
                let number = text.parse::<f64>().unwrap_or_default();
                [1.0, 1e3, 1e6, 1e9].iter().any(|unit| EPOCH_S.contains(&(number / unit))) || declared(text)
            }
            Self::Text(text) => text.bytes().filter(u8::is_ascii_digit).count() >= DATE_DIGITS || declared(text),
            Self::Other(text) => text.bytes().filter(u8::is_ascii_digit).count() >= DATE_DIGITS,
        }
    }

    /// Whether it is an instant where numbers and texts of all sorts may stand: parts, telephones, versions.
    fn is_date(&self, times: &TimeSpec) -> bool {
        if !self.is_instant(times) {
            return false;
        }
        let text = self.text().trim();
        let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
        match self {
            Self::Nothing | Self::Switch(_) | Self::Other(_) => false,
            Self::Number(_) => true,
            Self::Text(_) if text.parse::<f64>().is_ok() => Given::Number(text).is_instant(times),
            Self::Text(_) => {
                count(|c| matches!(c, b'-' | b':' | b'.' | b'/')) >= 2 || count(u8::is_ascii_digit) >= WHOLE_DATE_DIGITS
            }
        }
    }

    fn is_positive(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Text(_)) && self.text().trim().parse::<f64>().is_ok_and(|n| n > 0.0)
    }

    fn quality(&self, qualities: QualityReader) -> Option<Quality> {
        match qualities.read(self.text()) {
            ReadQuality::Known(quality) => Some(quality),
            // A machine whose badge was read is not bad.
            ReadQuality::Unknown(quality) if quality.is_bad() => {
                let first = Name::new(self.text()).words.into_iter().next();
                first.is_some_and(|word| word == "bad").then_some(quality)
            }
            ReadQuality::Unknown(_) | ReadQuality::LooksLikeOpcDa => None,
        }
    }

    /// Where a quality stands: it is one, and good.
    fn is_good(&self, qualities: QualityReader) -> bool {
        match self {
            Self::Nothing => true,
            Self::Switch(yes) => *yes,
            Self::Other(_) => false,
            Self::Text(_) if GOOD.contains(&self.plain().as_str()) || self.plain() == "true" => true,
            Self::Number(_) | Self::Text(_) => self.quality(qualities).is_some_and(Quality::is_good),
        }
    }

    /// Where anything may stand: it is the quality of a value, and not good.
    fn is_doubt(&self, qualities: QualityReader) -> bool {
        let not_good = || self.quality(qualities).is_some_and(|quality| !quality.is_good());
        let text = self.text().trim();
        let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let number = hex.map_or_else(|| text.parse::<i64>(), |hex| i64::from_str_radix(hex, 16));
        // In hexadecimal half of a StatusCode is one, too.
        let own = 0..if hex.is_some() { NOT_GOOD_CODE >> 16 } else { NOT_GOOD_CODE };
        match (self, number) {
            (Self::Number(_) | Self::Text(_), Ok(code)) => !own.contains(&code) && not_good(),
            (Self::Text(_), Err(_)) => not_good() || DOUBTS.contains(&self.plain().as_str()),
            _ => false,
        }
    }

    fn says_no(&self) -> bool {
        let plain = || self.plain();
        match self {
            Self::Switch(yes) => !yes,
            Self::Number(text) => text.parse::<f64>() == Ok(0.0),
            Self::Text(_) => {
                matches!(plain().as_str(), "false" | "no" | "0" | "n" | "bad" | "uncertain") || DOUBTS.contains(&plain().as_str())
            }
            Self::Nothing | Self::Other(_) => false,
        }
    }

    /// Yes itself, rather than anything that is not no.
    fn is_yes(&self) -> bool {
        match self {
            Self::Switch(yes) => *yes,
            Self::Number(text) => text.parse::<f64>() == Ok(1.0),
            Self::Text(_) => matches!(self.plain().as_str(), "true" | "yes" | "1" | "y" | "ja" | "oui" | "sí" | "si"),
            Self::Nothing | Self::Other(_) => false,
        }
    }

    fn says_yes(&self) -> bool {
        match self {
            Self::Switch(yes) => *yes,
            Self::Number(text) => text.parse::<f64>() != Ok(0.0),
            Self::Text(_) => !NOTHING.contains(&self.plain().as_str()),
            Self::Other(text) => !matches!(*text, "[]" | "{}"),
            Self::Nothing => false,
        }
    }
}

/// Whether a word beside a name says no more than whose it is.
fn beside(word: &str, whose: &[&str]) -> bool {
    OF_THE_READING.contains(&word) || whose.contains(&word)
}

/// Whether `words` are those of an age; `bare` where its unit is no word of its own.
fn is_age(words: &[String], bare: &str) -> bool {
    let unit = |word: &str| word == "time" || TIME_UNITS.contains(&word) || AGE_UNITS.contains(&word);
    let name = || words.iter().map(String::as_str).filter(|word| !unit(word)).collect::<String>();
    bare == "age" || AGES.contains(&name().as_str())
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

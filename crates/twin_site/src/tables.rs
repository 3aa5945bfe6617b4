//! Sources that are tables: how a CSV file is to be read, and what times without an offset mean. `twin_table` does the reading.

use std::collections::BTreeMap;

use twin_model::Timestamp;
use twin_table::time::FORMATS;
use twin_table::{
    CellRules, Codes, Column, Empty, Encoding, KeyPart, Layout, Nulls, NumberStyle, QualityColumn, TableDef, TimeColumns,
    TimeFormat, TimeSpec, Years, Zone,
};

use super::codes;
use super::diag::{Diagnostics, Location};
use super::misread::nearly_a_zone;
use super::read::{Section, StartAt, Word};
use super::source_keys::{SourceClock, incomplete, whole};
use super::validate;

/// What a site says about times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SiteTimes {
    /// The zone of its people, where it names one.
    pub zone: Option<Zone>,
    /// It means to name one, and that does not exist: times that need it can't be read.
    pub zone_wrong: bool,
    /// Years that are believed.
    pub years: Years,
}

/// Who says what a time without an offset means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneFrom {
    /// The source: its `zone`, or the `offset` of its times.
    Source,
    /// The site's `time_zone`.
    Site,
    /// Nobody; UTC is assumed where the notation never has an offset.
    Nobody,
}

/// A CSV file and how it is played.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvSource {
    /// File, relative to the site file.
    pub path: String,
    /// How it is read. Values are read as the value kind of the signal that they feed.
    pub table: TableDef,
    /// Who said which zone its times are in.
    pub zone_from: ZoneFrom,
    /// Replay speed; 1 is real time. Positive.
    pub speed: f64,
    /// Whether to start again at the end.
    pub repeat: bool,
    /// Where the first instant is put.
    pub start: StartAt,
    /// Where its keys are written.
    pub places: BTreeMap<&'static str, Location>,
}

/// Keys whose places findings about a table point to.
const PLACES: [&str; 15] = [
    "path",
    "skip_lines",
    "separator",
    "encoding",
    "header",
    "units_row",
    "decimal",
    "time",
    "received",
    "key",
    "value",
    "values",
    "columns",
    "quality",
    "loop",
];

/// Reads zone and years of `[site]`.
pub(crate) fn site_times(root: &Section<'_>, out: &mut Diagnostics) -> SiteTimes {
    let mut times = SiteTimes::default();
    let Some(site) = root.table("site") else { return times };
    if let Some(word) = site.word("time_zone") {
        let offset = word.as_str().starts_with(['+', '-']);
        match Zone::new(word.as_str()) {
            Ok(zone) if !offset => times.zone = Some(zone),
            Ok(_) => {
                let message = format!("'{}' is not the name of a time zone", word.as_str());
                let help = "write an IANA name such as Europe/Berlin or UTC; offsets change over the year".to_owned();
                out.error(codes::VALUE_INVALID, &word.at, "site.time_zone", message, help);
            }
            Err(why) => {
                let (message, help) = why.split_once("; ").unwrap_or((&why, ""));
                let message = message.replace("is no time zone", "is not the name of a time zone");
                let help = match Zone::offset_meant(word.as_str()) {
                    Some(_) => "write an IANA name such as Europe/Berlin or UTC; offsets change over the year".to_owned(),
                    None => help.replace(", an offset such as +01:00,", ""),
                };
                out.error(codes::VALUE_INVALID, &word.at, "site.time_zone", message, help);
            }
        }
    }
    let misspelt = || site.entries().any(|entry| entry.known.is_none() && nearly_a_zone(entry.key, site.names()));
    times.zone_wrong = times.zone.is_none() && (site.has("time_zone") || misspelt());
    if let Some((first, last)) = site.range("years") {
        match Years::new(first as i64, last as i64).filter(|_| first.fract() == 0.0 && last.fract() == 0.0) {
            Some(years) => times.years = years,
            None => {
                let message = format!("times can't be of the years {first} to {last}");
                let help = "write two whole years between 1 and 9999, the earlier first".to_owned();
                out.error(codes::VALUE_INVALID, &site.at_key("years"), "years", message, help);
            }
        }
    }
    times
}

/// Zone and years for a source; the zone of its own key goes before that of the site.
fn zone(s: &Section<'_>, time: Option<&Section<'_>>, site: &SiteTimes, out: &mut Diagnostics) -> (Option<Zone>, ZoneFrom) {
    if let Some(word) = time.and_then(|time| time.word("offset")) {
        if let Some(zone) = Zone::new(word.as_str()).ok().filter(|_| !word.as_str().contains('/')) {
            return (Some(zone), ZoneFrom::Source);
        }
        let message = format!("'{}' is not a fixed offset", word.as_str());
        let help = match (Zone::offset_meant(word.as_str()), Zone::new(word.as_str())) {
            (Some(offset), _) => format!("write it as \"{offset}\""),
            (None, Ok(_)) => {
                format!("write UTC or an offset such as +01:00; a named zone goes into the source: zone = \"{}\"", word.as_str())
            }
            (None, Err(_)) => "write UTC or an offset such as +01:00".to_owned(),
        };
        out.error(codes::VALUE_INVALID, &word.at, "offset", message, help);
        return (None, ZoneFrom::Source);
    }
    if let Some(word) = s.word("zone") {
        match Zone::new(word.as_str()) {
            Ok(zone) => return (Some(zone), ZoneFrom::Source),
            Err(why) => {
                let (message, help) = why.split_once("; ").unwrap_or((&why, ""));
                out.error(codes::VALUE_INVALID, &word.at, "zone", message.to_owned(), help.to_owned());
                return (None, ZoneFrom::Source);
            }
        }
    }
    match &site.zone {
        Some(zone) => (Some(zone.clone()), ZoneFrom::Site),
        None => (None, ZoneFrom::Nobody),
    }
}

/// How senders write times: `time` and `zone` of a websocket source. Numbers are microseconds where nobody says otherwise.
pub(crate) fn sender_times(s: &Section<'_>, site: &SiteTimes, out: &mut Diagnostics) -> TimeSpec {
    let time = s.table("time");
    let micros = || TimeFormat::Epoch(twin_table::time::Unit::Micros);
    let format = time.as_ref().filter(|time| time.has("format")).and_then(|time| format(time, out)).unwrap_or_else(micros);
    let (zone, _) = zone(s, time.as_ref(), site, out);
    TimeSpec { format, zone, years: site.years }
}

/// What numbers in `quality` of a websocket source mean.
pub(crate) fn sender_codes(s: &Section<'_>, out: &mut Diagnostics) -> Codes {
    // A position or a table is what tables have: a sender has no columns.
    let raw = s.raw("quality").filter(|value| value.as_str().is_some() || value.is_table() || validate::integer(value).is_some());
    let Some(raw) = raw else { return Codes::OpcUa };
    let word = raw.as_str();
    word.and_then(codes_of).unwrap_or_else(|| {
        let message = word.map_or_else(
            || "a sender has no column of qualities".to_owned(),
            |word| format!("'{word}' are no codes of qualities"),
        );
        out.error(codes::VALUE_INVALID, &s.at_key("quality"), "quality", message, "write opc_ua or opc_da".to_owned());
        Codes::OpcUa
    })
}

fn codes_of(word: &str) -> Option<Codes> {
    match word {
        "opc_ua" => Some(Codes::OpcUa),
        "opc_da" => Some(Codes::OpcDa),
        _ => None,
    }
}

pub(crate) type CsvAndColumns = (CsvSource, Vec<(Word, String)>);

/// Reads the keys of a CSV source. Where one is missing or wrong, what stands for it is nothing to read a file by: `out` has an error then.
pub(crate) fn csv(s: &Section<'_>, id: &Word, site: &SiteTimes, speed: f64, out: &mut Diagnostics) -> CsvAndColumns {
    let path = s.text("path").or_else(|| incomplete(s, id, "path", out)).unwrap_or_default();
    let time = s.table("time").or_else(|| incomplete(s, id, "time", out));
    let header = s.bool("header").unwrap_or(true);
    let (layout, columns) = layout(s, id, header, out).unwrap_or_else(|| (Layout::Wide { columns: Vec::new() }, Vec::new()));
    let time_columns = time.as_ref().and_then(|time| time_columns(time, id, header, out));
    let received = if s.has("received") { column(s, "received", header, out) } else { None };
    let time_columns = time_columns.and_then(|columns| by_clock(s, id, (columns, received), out));
    let (time_columns, received) = time_columns.unwrap_or((TimeColumns::One(Column::Index(0)), None));
    let format = time.as_ref().and_then(|time| format(time, out)).unwrap_or(TimeFormat::Rfc3339);
    let (mut zone, mut zone_from) = zone(s, time.as_ref(), site, out);
    if zone.is_none() && zone_from == ZoneFrom::Nobody && format.needs_zone() && format != TimeFormat::Rfc3339 {
        let help = "write zone = \"Europe/Berlin\" (or \"UTC\") in the source, or time_zone under [site]".to_owned();
        if site.zone_wrong {
            let message = format!("the times of '{}' have no offset, and the time_zone of the site can't be used", id.as_str());
            out.error(codes::ZONE_MISSING, &s.at_key("time"), id.as_str(), message, help);
        } else {
            let message =
                format!("the times of '{}' have no offset, and nobody says which zone they are in; taken as UTC", id.as_str());
            out.warning(codes::ZONE_MISSING, &s.at_key("time"), id.as_str(), message, help);
        }
        (zone, zone_from) = (Some(Zone::utc()), ZoneFrom::Nobody);
    }
    let table = TableDef {
        separator: separator(s, out),
        encoding: s.choice("encoding").and_then(Encoding::parse),
        skip_lines: whole(s, "skip_lines", out).and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
        header,
        units_row: s.bool("units_row").unwrap_or(false),
        time: time_columns,
        times: TimeSpec { format, zone, years: site.years },
        received,
        layout,
        quality: quality(s, header, out),
        cells: cells(s, out),
        empty: if s.choice("empty") == Some("no_sample") { Empty::NoSample } else { Empty::NoValue },
    };
    let mut places: BTreeMap<&'static str, Location> =
        PLACES.into_iter().filter(|key| s.has(key)).map(|key| (key, s.at_key(key))).collect();
    if SourceClock::read(s) == SourceClock::Received {
        // What is found about times is about the column that they are read from.
        places.insert("time", s.at_key("received"));
    }
    let start = s.start("start").unwrap_or(StartAt::Recorded);
    let repeat = s.bool("loop").unwrap_or(false);
    (CsvSource { path: path.replace('\\', "/"), table, zone_from, speed, repeat, start, places }, columns)
}

/// Where the times of rows stand: in a table whose source's clock is wrong they are those of receipt, and no others are read.
fn by_clock(
    s: &Section<'_>,
    id: &Word,
    (time, received): (TimeColumns, Option<Column>),
    out: &mut Diagnostics,
) -> Option<(TimeColumns, Option<Column>)> {
    match (SourceClock::read(s), received) {
        (SourceClock::Source, received) => Some((time, received)),
        (SourceClock::Received, Some(received)) => Some((TimeColumns::One(received.clone()), Some(received))),
        (SourceClock::Received, None) => {
            // A column of the wrong type was reported before.
            if !s.has("received") {
                let message = format!(
                    "the time of receipt counts for '{}', but the table does not say when its rows were received",
                    id.as_str()
                );
                let help = "name the column that does: received = \u{2026}; or delete clock = \"received\"".to_owned();
                out.error(codes::KEY_MISSING, &s.at_key("clock"), id.as_str(), message, help);
            }
            None
        }
    }
}

fn cells(s: &Section<'_>, out: &mut Diagnostics) -> CellRules {
    // Blanks around a cell are cut before it is compared.
    let texts = |key: &str| s.words(key).iter().map(|word| word.as_str().trim().to_owned()).collect();
    meant_twice(s, out);
    let letter = |key: &str| s.choice(key).and_then(|text| text.chars().next());
    let (decimal, thousands) = (letter("decimal"), letter("thousands"));
    let mut numbers =
        NumberStyle { decimal: decimal.unwrap_or('.'), thousands, declared: decimal.is_some() || thousands.is_some() };
    if decimal.is_none() && thousands == Some('.') {
        numbers.decimal = ',';
    } else if thousands == Some(numbers.decimal) {
        let message = format!("'{}' can't be both: the decimal mark and the mark between thousands", numbers.decimal);
        let help = "write decimal = \",\" with thousands = \".\", or the other way round".to_owned();
        out.error(codes::VALUE_INVALID, &s.at_key("thousands"), "thousands", message, help);
        numbers.thousands = None;
    }
    let null = if s.has("null") { texts("null") } else { vec![String::new()] };
    CellRules { numbers, null: Nulls::new(null, &numbers), on: texts("on"), off: texts("off") }
}

/// Says where one text is to mean two things. Texts for on and off are compared without case; what means no value counts as it stands, but
/// such a cell would be the other one, too.
fn meant_twice(s: &Section<'_>, out: &mut Diagnostics) {
    let folded = |word: &Word| word.as_str().trim().to_lowercase();
    for (key, meant, before) in [("off", "off", &["on"][..]), ("null", "no value", &["on", "off"])] {
        for word in s.words(key) {
            let other = |other: &&'static str| {
                let found = s.words(other).into_iter().find(|first| folded(first) == folded(&word))?;
                Some((*other, found))
            };
            let Some((as_what, first)) = before.iter().find_map(other) else { continue };
            let message = format!(
                "'{}' is to mean {meant} here, and {as_what} as '{}' at {}; no cell can mean both",
                word.as_str().trim(),
                first.as_str().trim(),
                first.at
            );
            let help = format!("take it out of '{key}' or out of '{as_what}'");
            out.error(codes::VALUE_INVALID, &word.at, key, message, help);
        }
    }
}

fn quality(s: &Section<'_>, header: bool, out: &mut Diagnostics) -> Option<QualityColumn> {
    if let Some(table) = s.table("quality") {
        let codes = table.choice("codes").and_then(codes_of).unwrap_or_default();
        return column(&table, "column", header, out).map(|column| QualityColumn { column, codes });
    }
    if !s.has("quality") {
        return None;
    }
    column(s, "quality", header, out).map(|column| QualityColumn { column, codes: Codes::OpcUa })
}

fn time_columns(time: &Section<'_>, id: &Word, header: bool, out: &mut Diagnostics) -> Option<TimeColumns> {
    match (time.has("column"), time.has("date"), time.has("time")) {
        (true, false, false) => column(time, "column", header, out).map(TimeColumns::One),
        (false, true, true) => {
            let (date, clock) = (column(time, "date", header, out)?, column(time, "time", header, out)?);
            Some(TimeColumns::DateAndTime(date, clock))
        }
        (false, true, false) => column(time, "date", header, out).map(TimeColumns::One),
        (true, ..) => {
            let message = format!("the time of '{}' stands in 'column', or in 'date' and 'time', not in both", id.as_str());
            out.error(codes::VALUE_INVALID, &time.at(), id.as_str(), message, "delete one of them".to_owned());
            None
        }
        (false, false, _) => {
            let message = format!("the time of source '{}' has no 'column'", id.as_str());
            let help = "write time = { column = \u{2026} }, or time = { date = \u{2026}, time = \u{2026} }".to_owned();
            out.error(codes::KEY_MISSING, &time.at(), id.as_str(), message, help);
            None
        }
    }
}

fn format(s: &Section<'_>, out: &mut Diagnostics) -> Option<TimeFormat> {
    let (text, origin): (_, Option<Timestamp>) = (s.text("format").unwrap_or_else(|| "rfc3339".to_owned()), s.instant("origin"));
    match TimeFormat::parse(&text, origin) {
        Some(Ok(format)) => Some(format),
        Some(Err(why)) => {
            let help = "write a pattern like %d.%m.%Y %H:%M:%S; a date in a column of its own is time = { date = \u{2026}, time = \u{2026} }";
            out.error(codes::VALUE_INVALID, &s.at_key("format"), "format", why, help.to_owned());
            None
        }
        None => {
            let otherwise = format!("write {}, or a pattern like %Y-%m-%d %H:%M:%S", FORMATS.join(", "));
            let help = out.suggest(&text, FORMATS, &otherwise);
            out.error(codes::VALUE_INVALID, &s.at_key("format"), "format", format!("'{text}' is not a time format"), help);
            None
        }
    }
}

pub(crate) fn speed(s: &Section<'_>, out: &mut Diagnostics) -> f64 {
    match s.number("speed") {
        Some(speed) if speed > 0.0 => speed,
        Some(speed) => {
            let help = "write a positive number, 1 is real time".to_owned();
            out.error(codes::VALUE_INVALID, &s.at_key("speed"), "speed", format!("speed cannot be {speed}"), help);
            1.0
        }
        None => 1.0,
    }
}

fn separator(s: &Section<'_>, out: &mut Diagnostics) -> u8 {
    let Some(text) = s.text("separator") else { return b',' };
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => *byte,
        _ => {
            let help = "write one character, for example \",\" or \";\" or \"\\t\"".to_owned();
            out.error(
                codes::VALUE_INVALID,
                &s.at_key("separator"),
                "separator",
                format!("'{text}' cannot separate fields"),
                help,
            );
            b','
        }
    }
}

/// The column under `key`; without a header only positions make sense.
fn column(s: &Section<'_>, key: &'static str, header: bool, out: &mut Diagnostics) -> Option<Column> {
    let raw = s.raw(key)?;
    match (raw.as_str(), validate::integer(raw)) {
        (Some(name), _) => {
            let found = column_of(name, header);
            if found.is_none() {
                no_header(&s.at_key(key), name, out);
            }
            found
        }
        (None, Some(n)) => usize::try_from(n).ok().map(Column::Index),
        (None, None) => None,
    }
}

/// A column as written in text: a name, or a position where there is no header.
fn column_of(text: &str, header: bool) -> Option<Column> {
    if header { Some(Column::Name(text.to_owned())) } else { text.parse().ok().map(Column::Index) }
}

fn no_header(at: &Location, name: &str, out: &mut Diagnostics) {
    let message = format!("column '{name}' is named, but the file has no header");
    let help = "write the column's position, counted from 0, or header = true".to_owned();
    out.error(codes::VALUE_INVALID, at, name, message, help);
}

fn layout(s: &Section<'_>, id: &Word, header: bool, out: &mut Diagnostics) -> Option<(Layout, Vec<(Word, String)>)> {
    if s.choice("layout") == Some("long") {
        let mut values = Vec::new();
        for (name, keys) in s.map("values") {
            let (Some(column), Some(key)) = (column_of(name.as_str(), header), keys.first()) else {
                no_header(&name.at, name.as_str(), out);
                continue;
            };
            values.push((column, key_parts(key, header, out)?));
        }
        if values.is_empty() {
            let template = s.word("key").or_else(|| incomplete(s, id, "key", out))?;
            let value = if s.has("value") { column(s, "value", header, out) } else { incomplete(s, id, "value", out) }?;
            values.push((value, key_parts(&template, header, out)?));
        }
        return Some((Layout::Long { values }, Vec::new()));
    }
    if !s.has("columns") {
        return incomplete(s, id, "columns", out);
    }
    let mut columns = Vec::new();
    let mut feeds = Vec::new();
    for (name, signals) in s.map("columns") {
        let Some(column) = column_of(name.as_str(), header) else {
            no_header(&name.at, name.as_str(), out);
            continue;
        };
        columns.push((column, name.text.to_string()));
        feeds.extend(signals.into_iter().map(|signal| (signal, name.text.to_string())));
    }
    Some((Layout::Wide { columns }, feeds))
}

/// Cuts `{asset}.{attribute}` into its parts.
fn key_parts(template: &Word, header: bool, out: &mut Diagnostics) -> Option<Vec<KeyPart>> {
    let mut parts = Vec::new();
    let mut rest = template.as_str();
    while let Some(open) = rest.find('{') {
        let Some(close) = rest.get(open..).and_then(|tail| tail.find('}')).map(|at| at + open) else {
            let message = format!("'{}' has a '{{' without '}}'", template.as_str());
            let help = "write it like {asset}.{attribute} or {2}.{3}".to_owned();
            out.error(codes::VALUE_INVALID, &template.at, "key", message, help);
            return None;
        };
        if open > 0 {
            parts.push(KeyPart::Text(rest.get(..open)?.to_owned()));
        }
        let name = rest.get(open + 1..close)?;
        match column_of(name, header) {
            Some(column) => parts.push(KeyPart::Column(column)),
            None => {
                no_header(&template.at, name, out);
                return None;
            }
        }
        rest = rest.get(close + 1..)?;
    }
    if !rest.is_empty() {
        parts.push(KeyPart::Text(rest.to_owned()));
    }
    Some(parts)
}

//! Sources as written: what they are, how a CSV file is to be read, which signals they feed.

use std::collections::BTreeMap;

use twin_model::{SourceIndex, Span};

use super::codes;
use super::diag::{Diagnostics, Location};
use super::read::{Section, StartAt, Word};
use super::secrets::{self, TokenSource};
use super::time_format::{TimeFormat, parse_offset};
use super::validate;

/// A source of a loaded site.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceDef {
    /// Its position in the model.
    pub index: SourceIndex,
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: SourceKind,
    /// Where it is written.
    pub at: Location,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceKind {
    /// A deterministic generator.
    Synthetic {
        /// Which one, for example `bottling`.
        plant: String,
        /// The same seed gives the same data.
        seed: u64,
        /// Where its first instant is put.
        start: StartAt,
    },
    /// Replay of a CSV file.
    Csv(CsvSource),
    /// Others push samples in.
    WebSocket {
        /// What a sender must present; `None` lets anyone in.
        token: Option<TokenSource>,
    },
}

impl SourceKind {
    /// The word of the site file.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Synthetic { .. } => "synthetic",
            Self::Csv(_) => "csv",
            Self::WebSocket { .. } => "websocket",
        }
    }
}

/// A column of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its position, from 0.
    Index(usize),
}

/// How rows become samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CsvLayout {
    /// One row per sample.
    Long {
        /// Parts of the key that is matched with the source keys of signals.
        key: Vec<KeyPart>,
        /// Column of the value.
        value: Column,
    },
    /// One column per signal.
    Wide {
        /// Column and the source key of the signals that it feeds: the column as it is written in the site file.
        columns: Vec<(Column, String)>,
    },
}

/// A piece of a key template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// Text as it stands.
    Text(String),
    /// The row's text in a column.
    Column(Column),
}

/// How a CSV file is to be read. Values are read as the value kind of the signal that they feed.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvSource {
    /// File, relative to the site file.
    pub path: String,
    /// Byte between fields.
    pub separator: u8,
    /// Whether the first line (after `skip_lines`) names the columns.
    pub header: bool,
    /// Lines to leave out at the start.
    pub skip_lines: usize,
    /// Column of the time.
    pub time: Column,
    /// How times are written.
    pub time_format: TimeFormat,
    /// Long or wide.
    pub layout: CsvLayout,
    /// Column of the quality.
    pub quality: Option<Column>,
    /// Texts that mean no value.
    pub null: Vec<String>,
    /// Replay speed; 1 is real time. Positive.
    pub speed: f64,
    /// Whether to start again at the end.
    pub repeat: bool,
    /// Where the first instant is put.
    pub start: StartAt,
}

/// A source before the model is built.
#[derive(Debug)]
pub(crate) struct RawSource {
    pub(crate) id: Word,
    pub(crate) kind: SourceKind,
    pub(crate) feeds: Vec<Word>,
    /// Wide CSV: signal id and the column that feeds it, as written.
    pub(crate) columns: Vec<(Word, String)>,
}

/// Most sources in one site.
const MAX_SOURCES: usize = 1_000;

/// Reads `[[sources]]`.
pub(crate) fn read(root: &Section<'_>, out: &mut Diagnostics) -> Vec<RawSource> {
    let mut all: Vec<RawSource> = Vec::new();
    for section in root.tables("sources") {
        let Some(id) = section.word("id") else { continue };
        if all.len() >= MAX_SOURCES {
            let message = format!("more than {MAX_SOURCES} sources; the rest is left out");
            out.error(codes::TOO_MANY, &id.at, id.as_str(), message, "let one source feed many signals".to_owned());
            break;
        }
        if all.iter().any(|source| source.id.text == id.text) {
            let message = format!("source '{}' is defined twice", id.as_str());
            out.error(codes::ID_DUPLICATE, &id.at, id.as_str(), message, "rename or delete one".to_owned());
            continue;
        }
        let Some((kind, columns)) = kind(&section, &id, out) else { continue };
        unused(&section, kind.as_str(), out);
        all.push(RawSource { id, kind, feeds: section.words("feeds"), columns });
    }
    all
}

/// Keys that only one kind of source has.
const KEYS_OF_KIND: [(&str, &[&str]); 3] = [
    ("synthetic", &["plant", "seed"]),
    ("websocket", &["token"]),
    (
        "csv",
        &[
            "path",
            "layout",
            "separator",
            "header",
            "skip_lines",
            "time",
            "key",
            "value",
            "quality",
            "columns",
            "null",
            "speed",
            "loop",
        ],
    ),
];

fn unused(s: &Section<'_>, kind: &str, out: &mut Diagnostics) {
    for (owner, keys) in KEYS_OF_KIND.iter().filter(|(owner, _)| *owner != kind) {
        for key in keys.iter().filter(|key| s.has(key)) {
            let message = format!("'{key}' has no effect in a source of kind {kind}");
            out.warning(codes::KEY_UNUSED, &s.at_key(key), key, message, format!("it belongs to kind = \"{owner}\""));
        }
    }
}

type KindAndColumns = (SourceKind, Vec<(Word, String)>);

fn kind(s: &Section<'_>, id: &Word, out: &mut Diagnostics) -> Option<KindAndColumns> {
    match s.choice("kind")? {
        "synthetic" => {
            let plant = s.text("plant").or_else(|| incomplete(s, id, "plant", out))?;
            let seed = s.integer("seed").unwrap_or(1).unsigned_abs();
            Some((SourceKind::Synthetic { plant, seed, start: s.start("start").unwrap_or(StartAt::Recorded) }, Vec::new()))
        }
        "websocket" => Some((SourceKind::WebSocket { token: token(s, id, out) }, Vec::new())),
        _ => csv(s, id, out).map(|(csv, columns)| (SourceKind::Csv(csv), columns)),
    }
}

fn token(s: &Section<'_>, id: &Word, out: &mut Diagnostics) -> Option<TokenSource> {
    let token = secrets::token(s.raw("token")?);
    if matches!(token, TokenSource::Literal(_)) {
        let message = format!("source '{}' has its token in the site file, for everybody who gets to see the file", id.as_str());
        let help = "write token = { env = \"NAME\" } or token = { file = \"path\" }, and take another token".to_owned();
        out.warning(codes::SECRET_WRITTEN, &s.at_key("token"), id.as_str(), message, help);
    }
    Some(token)
}

fn incomplete<T>(s: &Section<'_>, id: &Word, key: &str, out: &mut Diagnostics) -> Option<T> {
    // A key of the wrong type was reported before.
    if !s.has(key) {
        let message = format!("source '{}' has no '{key}'", id.as_str());
        let help = format!("add {key} = \u{2026}; docs/SITE.md lists what each kind of source needs");
        out.error(codes::KEY_MISSING, &s.at(), id.as_str(), message, help);
    }
    None
}

fn csv(s: &Section<'_>, id: &Word, out: &mut Diagnostics) -> Option<(CsvSource, Vec<(Word, String)>)> {
    let path = s.text("path").or_else(|| incomplete(s, id, "path", out))?;
    let time = s.table("time").or_else(|| incomplete(s, id, "time", out))?;
    let header = s.bool("header").unwrap_or(true);
    let (layout, columns) = layout(s, id, header, out)?;
    Some((
        CsvSource {
            path: path.replace('\\', "/"),
            separator: separator(s, out),
            header,
            skip_lines: s.integer("skip_lines").and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            time: column(&time, "column", header, out)?,
            time_format: time_format(&time, out)?,
            layout,
            quality: if s.has("quality") { column(s, "quality", header, out) } else { None },
            null: if s.has("null") { s.words("null").iter().map(|w| w.text.to_string()).collect() } else { vec![String::new()] },
            speed: speed(s, out),
            repeat: s.bool("loop").unwrap_or(false),
            start: s.start("start").unwrap_or(StartAt::Recorded),
        },
        columns,
    ))
}

fn speed(s: &Section<'_>, out: &mut Diagnostics) -> f64 {
    match s.number("speed") {
        Some(speed) if speed > 0.0 => speed,
        Some(speed) => {
            let message = format!("speed cannot be {speed}");
            out.error(
                codes::VALUE_INVALID,
                &s.at_key("speed"),
                "speed",
                message,
                "write a positive number, 1 is real time".to_owned(),
            );
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

fn layout(s: &Section<'_>, id: &Word, header: bool, out: &mut Diagnostics) -> Option<(CsvLayout, Vec<(Word, String)>)> {
    if s.choice("layout") == Some("long") {
        let template = s.word("key").or_else(|| incomplete(s, id, "key", out))?;
        let value = if s.has("value") { column(s, "value", header, out) } else { incomplete(s, id, "value", out) }?;
        return Some((CsvLayout::Long { key: key_parts(&template, header, out)?, value }, Vec::new()));
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
    Some((CsvLayout::Wide { columns }, feeds))
}

/// Cuts `{asset}.{attribute}` into its parts.
fn key_parts(template: &Word, header: bool, out: &mut Diagnostics) -> Option<Vec<KeyPart>> {
    let mut parts = Vec::new();
    let mut rest = template.as_str();
    while let Some(open) = rest.find('{') {
        let Some(close) = rest.get(open..).and_then(|tail| tail.find('}')).map(|at| at + open) else {
            let message = format!("'{}' has a '{{' without '}}'", template.as_str());
            out.error(
                codes::VALUE_INVALID,
                &template.at,
                "key",
                message,
                "write it like {asset}.{attribute} or {2}.{3}".to_owned(),
            );
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

fn time_format(s: &Section<'_>, out: &mut Diagnostics) -> Option<TimeFormat> {
    let (text, offset, origin) = (s.text("format"), s.word("offset"), s.instant("origin"));
    Some(match text.as_deref().unwrap_or("rfc3339") {
        "rfc3339" => TimeFormat::Rfc3339,
        "epoch_s" => TimeFormat::EpochSeconds,
        "epoch_ms" => TimeFormat::EpochMillis,
        "epoch_us" => TimeFormat::EpochMicros,
        "seconds" => TimeFormat::Seconds { origin: origin.unwrap_or(twin_model::Timestamp::from_micros(0)) },
        pattern if pattern.contains('%') => {
            let offset = offset.map_or(Some(Span::ZERO), |word| {
                let parsed = parse_offset(word.as_str());
                if parsed.is_none() {
                    let message = format!("'{}' is not a fixed offset", word.as_str());
                    let help = "write UTC or an offset such as +01:00; named zones change over the year".to_owned();
                    out.error(codes::VALUE_INVALID, &word.at, "offset", message, help);
                }
                parsed
            });
            TimeFormat::Pattern { pattern: pattern.to_owned(), offset: offset? }
        }
        other => {
            let words = ["rfc3339", "epoch_s", "epoch_ms", "epoch_us", "seconds"];
            let help = out.suggest(
                other,
                words,
                "write rfc3339, epoch_s, epoch_ms, epoch_us, seconds, or a pattern like %Y-%m-%d %H:%M:%S",
            );
            out.error(codes::VALUE_INVALID, &s.at_key("format"), "format", format!("'{other}' is not a time format"), help);
            return None;
        }
    })
}

/// Source keys of wide columns by signal id, for the build.
pub(crate) fn wide_columns(sources: &[RawSource], out: &mut Diagnostics) -> BTreeMap<String, (usize, String)> {
    let mut fed: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        for (signal, column) in &source.columns {
            if fed.insert(signal.text.to_string(), (at, column.clone())).is_some() {
                let message = format!("signal '{}' is fed by two columns", signal.as_str());
                out.error(codes::ID_DUPLICATE, &signal.at, signal.as_str(), message, "take it out of one of them".to_owned());
            }
        }
    }
    fed
}

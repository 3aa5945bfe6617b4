//! One row of a table as a sample: what each cell may say, and why a row is refused. Knows neither files nor history.

use std::borrow::Cow;

use twin_historian::chunk::MAX_WORD_BYTES;
use twin_model::{Flags, Model, Quality, Sample, SignalIndex, Timestamp, Value, ValueKind};

use super::{FLAG_NAMES, kind_word};

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Signal,
    SourceTime,
    ReceivedTime,
    Kind,
    /// A value of whatever kind the signal has.
    Value,
    /// A value of this kind.
    ValueOf(ValueKind),
    Unit,
    Quality,
    QualityName,
    Flags,
    FlagNames,
}

impl Field {
    pub(super) const COUNT: usize = 14;

    /// The field of a column's name; `None` where the column is not used.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Some(match name.trim() {
            "signal" => Self::Signal,
            "source_time" | "time" => Self::SourceTime,
            "received_time" => Self::ReceivedTime,
            "kind" => Self::Kind,
            "value" => Self::Value,
            "value_double" => Self::ValueOf(ValueKind::Float),
            "value_int64" => Self::ValueOf(ValueKind::Int),
            "value_bool" => Self::ValueOf(ValueKind::Bool),
            "value_text" => Self::ValueOf(ValueKind::Text),
            "unit" => Self::Unit,
            "quality" => Self::Quality,
            "quality_name" => Self::QualityName,
            "flags" => Self::Flags,
            "flag_names" => Self::FlagNames,
            _ => return None,
        })
    }

    pub(super) const fn at(self) -> usize {
        match self {
            Self::Signal => 0,
            Self::SourceTime => 1,
            Self::ReceivedTime => 2,
            Self::Kind => 3,
            Self::Value => 4,
            Self::ValueOf(ValueKind::Float) => 5,
            Self::ValueOf(ValueKind::Int) => 6,
            Self::ValueOf(ValueKind::Bool) => 7,
            Self::ValueOf(ValueKind::Text) => 8,
            Self::Unit => 9,
            Self::Quality => 10,
            Self::QualityName => 11,
            Self::Flags => 12,
            Self::FlagNames => 13,
        }
    }
}

/// The columns that a table uses, from its header.
///
/// # Errors
/// Where one that every table needs is missing.
pub(super) fn fields<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Result<Vec<Option<Field>>, String> {
    let mut seen = [false; Field::COUNT];
    let mut fields = Vec::new();
    for name in names.clone() {
        // Of two columns for the same the first counts.
        let field =
            Field::by_name(name).filter(|field| seen.get_mut(field.at()).is_some_and(|seen| !std::mem::replace(seen, true)));
        fields.push(field);
    }
    let has = |field: Field| seen.get(field.at()).is_some_and(|seen| *seen);
    let value = has(Field::Value) || KINDS.iter().any(|kind| has(Field::ValueOf(*kind)));
    let needs =
        [(has(Field::Signal), "signal"), (has(Field::SourceTime), "source_time or time"), (value, "value or value_double")];
    match needs.iter().find(|(there, _)| !there) {
        None => Ok(fields),
        Some((_, missing)) => {
            let all: Vec<&str> = names.take(30).collect();
            Err(format!("it has no column {missing}; it has: {}. docs/HISTORIAN.md names the columns", all.join(", ")))
        }
    }
}

/// What stands in one cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing: no such column, null, or no text.
    Empty,
    Text(&'a str),
    Float(f64),
    Int(i64),
    Bool(bool),
    Time(i64),
    /// A time whose zone nobody knows.
    LocalTime,
    /// Bytes that are no UTF-8.
    Broken,
}

/// The cells of a row by [`Field::at`].
pub(super) type Cells<'a> = [Cell<'a>; Field::COUNT];

pub(super) const NO_CELLS: Cells<'static> = [const { Cell::Empty }; Field::COUNT];

/// What kind of mistake a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The site has no such signal.
    UnknownSignal,
    /// No time, or none that can be read.
    BadTime,
    /// No value, or none that the signal takes.
    BadValue,
    /// The values are in another unit than the signal.
    OtherUnit,
    /// A quality or flags that can't be read.
    BadQualityOrFlags,
    /// The row itself is broken.
    BrokenRow,
}

impl Reason {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::UnknownSignal, Self::BadTime, Self::BadValue, Self::OtherUnit, Self::BadQualityOrFlags, Self::BrokenRow];
}

/// Why a row is not taken and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    /// What stands in the row.
    pub(super) what: String,
    /// How to mend it.
    pub(super) help: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(reason: Reason, what: impl Into<String>, help: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, what: what.into(), help: help.into() }
    }
}

const KINDS: [ValueKind; 4] = [ValueKind::Float, ValueKind::Int, ValueKind::Bool, ValueKind::Text];
/// Whole numbers up to here are the same as a float.
const EXACT: i64 = 1 << 53;
/// Longest piece of a cell that a message quotes, in characters.
const QUOTED: usize = 40;
/// Microseconds of the years 1 to 9999, all but their last day: what RFC 3339 can say in any zone.
const CALENDAR: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_207_199_999_999;

/// Reads rows for a model. Remembers the last signal: tables have long runs of one.
pub(super) struct RowReader<'a> {
    model: &'a Model,
    last: Option<(String, SignalIndex)>,
}

impl<'a> RowReader<'a> {
    pub(super) const fn new(model: &'a Model) -> Self {
        Self { model, last: None }
    }

    /// The sample that a row means. Without a received time it is store-and-forward data, received when it was taken.
    pub(super) fn sample(&mut self, cells: &Cells<'_>) -> Result<(SignalIndex, Sample), Refusal> {
        let signal = self.signal(cell(cells, Field::Signal))?;
        let known = self.model.signal(signal);
        if let Cell::Text(unit) = cell(cells, Field::Unit)
            && !known.unit.0.is_empty()
            && *unit != known.unit.0
        {
            let what = format!("values of '{}' are in {}, the row is in {}", known.id.as_str(), known.unit.0, quoted(unit));
            return Err(Refusal::new(Reason::OtherUnit, what, "convert the values, or leave the unit out if it is only a name"));
        }
        let source_time = time(cell(cells, Field::SourceTime), "source time")?
            .ok_or_else(|| Refusal::new(Reason::BadTime, "it has no source time", TIME_HELP))?;
        let received = time(cell(cells, Field::ReceivedTime), "received time")?;
        let value = value(cells, known.value_kind, known.id.as_str())?;
        let quality = first(cells, Field::Quality, Field::QualityName).map_or(Ok(Quality::GOOD), quality)?;
        let mut flags = first(cells, Field::Flags, Field::FlagNames).map_or(Ok(Flags::NONE), flags)?;
        if received.is_none() {
            flags = flags.with(Flags::HISTORICAL);
        }
        Ok((signal, Sample { source_time, received_time: received.unwrap_or(source_time), value, quality, flags }))
    }

    fn signal(&mut self, cell: &Cell<'_>) -> Result<SignalIndex, Refusal> {
        let Cell::Text(id) = cell else {
            let what = if *cell == Cell::Empty { "it names no signal" } else { "its signal is no text" };
            return Err(Refusal::new(Reason::UnknownSignal, what, SIGNAL_HELP));
        };
        match &self.last {
            Some((last, signal)) if last == id => Ok(*signal),
            _ => {
                let found = self.model.find_signal(id);
                let signal = found.ok_or_else(|| {
                    Refusal::new(Reason::UnknownSignal, format!("there is no signal {}", quoted(id)), SIGNAL_HELP)
                })?;
                self.last = Some(((*id).to_owned(), signal));
                Ok(signal)
            }
        }
    }
}

const SIGNAL_HELP: &str = "signals are named <twin>.<signal> as in the site file; add it there, or leave these rows out";
const TIME_HELP: &str = "write times like 2026-03-02T08:15:04.120Z; in Parquet use a timestamp with UTC";

fn cell<'c, 'a>(cells: &'c Cells<'a>, field: Field) -> &'c Cell<'a> {
    cells.get(field.at()).unwrap_or(&Cell::Empty)
}

/// The first of two cells that says something.
fn first<'c, 'a>(cells: &'c Cells<'a>, a: Field, b: Field) -> Option<&'c Cell<'a>> {
    [cell(cells, a), cell(cells, b)].into_iter().find(|cell| **cell != Cell::Empty)
}

fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("'{}'", short.escape_debug())
}

fn shown(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Empty => "nothing".to_owned(),
        Cell::Text(text) => quoted(text),
        Cell::Float(v) => format!("{v:?}"),
        Cell::Int(v) => v.to_string(),
        Cell::Bool(v) => v.to_string(),
        Cell::Time(_) | Cell::LocalTime => "a time".to_owned(),
        Cell::Broken => "bytes that are no UTF-8".to_owned(),
    }
}

fn time(cell: &Cell<'_>, which: &str) -> Result<Option<Timestamp>, Refusal> {
    let refused = |what: String| Err(Refusal::new(Reason::BadTime, what, TIME_HELP));
    let t = match cell {
        Cell::Empty => return Ok(None),
        Cell::Time(us) => Timestamp::from_micros(*us),
        Cell::Text(text) => match text.parse() {
            Ok(t) => t,
            Err(_) => return refused(format!("its {which} {} is not a time", quoted(text))),
        },
        Cell::LocalTime => {
            let help = "say which zone: in pandas df[c].dt.tz_localize('UTC'), in SQL a TIMESTAMP WITH TIME ZONE";
            return Err(Refusal::new(Reason::BadTime, format!("its {which} has no time zone"), help));
        }
        other => return refused(format!("its {which} is {}", shown(other))),
    };
    if CALENDAR.contains(&t.as_micros()) { Ok(Some(t)) } else { refused(format!("its {which} {t} is beyond the calendar")) }
}

/// The value of a row for a signal of `wanted` kind.
fn value(cells: &Cells<'_>, wanted: ValueKind, id: &str) -> Result<Value, Refusal> {
    let refused = |what: String, help: &'static str| Err(Refusal::new(Reason::BadValue, what, help));
    let (said, cell) = match cell(cells, Field::Kind) {
        Cell::Empty => {
            let of_kind = KINDS.into_iter().find(|kind| *cell(cells, Field::ValueOf(*kind)) != Cell::Empty);
            (of_kind.unwrap_or(wanted), cell(cells, of_kind.map_or(Field::Value, Field::ValueOf)))
        }
        Cell::Text(word) => {
            let Some(kind) = KINDS.into_iter().find(|kind| kind_word(*kind) == *word) else {
                return refused(format!("there is no kind {}", quoted(word)), "kinds are double, int64, bool and text");
            };
            match first(cells, Field::ValueOf(kind), Field::Value) {
                Some(cell) => (kind, cell),
                // CSV has one way to write an empty text and no text.
                None if kind == ValueKind::Text => (kind, &Cell::Text("")),
                None => (kind, &Cell::Empty),
            }
        }
        other => return refused(format!("its kind is {}", shown(other)), "kinds are double, int64, bool and text"),
    };
    if *cell == Cell::Empty {
        return refused(format!("it has no value for '{id}'"), "write a value (NaN is one for numbers), or leave the row out");
    }
    let read = read_value(cell, said).and_then(|value| fit(value, wanted));
    let Some(value) = read else {
        let takes = match wanted {
            ValueKind::Float => "takes numbers",
            ValueKind::Int => "takes whole numbers",
            ValueKind::Bool => "takes true and false",
            ValueKind::Text => "takes texts",
        };
        let of_kind = if said == wanted { String::new() } else { format!(" of kind {}", kind_word(said)) };
        let what = format!("'{id}' {takes}, the row has {}{of_kind}", shown(cell));
        return refused(what, "mend the value, or the signal's `value` in the site file");
    };
    match &value {
        Value::Text(text) if text.len() > MAX_WORD_BYTES => {
            refused(format!("the text for '{id}' has {} bytes", text.len()), "shorten it to 65536 bytes of UTF-8")
        }
        _ => Ok(value),
    }
}

/// A cell as a value of the kind that the row says.
fn read_value(cell: &Cell<'_>, kind: ValueKind) -> Option<Value> {
    match (kind, cell) {
        (ValueKind::Float, Cell::Text(text)) => text.trim().parse().ok().map(Value::Float),
        (ValueKind::Int, Cell::Text(text)) => text.trim().parse().ok().map(Value::Int),
        (ValueKind::Bool, Cell::Text(text)) => match text.trim() {
            "true" | "True" | "TRUE" | "1" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        (ValueKind::Text, Cell::Text(text)) => Some(Value::text(text)),
        // Columns of Parquet are typed; whether the signal takes it is another question.
        (_, Cell::Float(v)) => Some(Value::Float(*v)),
        (_, Cell::Int(v)) => Some(Value::Int(*v)),
        (_, Cell::Bool(v)) => Some(Value::Bool(*v)),
        (_, Cell::Time(_) | Cell::LocalTime | Cell::Broken | Cell::Empty) => None,
    }
}

/// The value as the kind that a signal takes, where it is exactly the same.
fn fit(value: Value, wanted: ValueKind) -> Option<Value> {
    match (wanted, value) {
        (wanted, value) if value.kind() == wanted => Some(value),
        (ValueKind::Float, Value::Int(v)) if (-EXACT..=EXACT).contains(&v) => Some(Value::Float(v as f64)),
        // pandas turns whole numbers into floats where any is missing.
        (ValueKind::Int, Value::Float(v)) if v.fract() == 0.0 && v.abs() <= EXACT as f64 => Some(Value::Int(v as i64)),
        (ValueKind::Bool, Value::Int(v)) if v == 0 || v == 1 => Some(Value::Bool(v == 1)),
        _ => None,
    }
}

/// A number (also hexadecimal), a name, or `good(0x0012)` as the export writes what has no name.
fn quality(cell: &Cell<'_>) -> Result<Quality, Refusal> {
    let bits = match cell {
        Cell::Int(v) => u16::try_from(*v).ok(),
        Cell::Text(text) => {
            let text = text.trim();
            let hex = |hex: &str| hex.strip_prefix("0x").and_then(|hex| u16::from_str_radix(hex, 16).ok());
            let with_class = || {
                let (class, rest) = text.split_once('(')?;
                hex(rest.strip_suffix(')')?).filter(|bits| Quality::from_bits(*bits).class().as_str() == class)
            };
            let number = text.parse().ok().or_else(|| hex(text));
            number.or_else(|| Quality::parse(text).map(Quality::bits)).or_else(with_class)
        }
        _ => None,
    };
    bits.map(Quality::from_bits).ok_or_else(|| {
        let help = "write the upper 16 bits of an OPC UA StatusCode (0 is good, 32768 bad), or good, uncertain, bad";
        Refusal::new(Reason::BadQualityOrFlags, format!("its quality is {}", shown(cell)), help)
    })
}

/// A number, or names with `|` between.
fn flags(cell: &Cell<'_>) -> Result<Flags, Refusal> {
    let bits = match cell {
        Cell::Int(v) => u8::try_from(*v).ok(),
        Cell::Text(text) => text.trim().parse().ok().or_else(|| {
            text.split('|')
                .try_fold(0, |bits, word| FLAG_NAMES.iter().find(|(_, name)| *name == word.trim()).map(|(flag, _)| bits | flag.0))
        }),
        _ => None,
    };
    bits.map(Flags).ok_or_else(|| {
        let help = "write a number up to 255, or names with | between: historical, simulated, predicted, manual, null";
        Refusal::new(Reason::BadQualityOrFlags, format!("its flags are {}", shown(cell)), help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_another_kind_only_where_nothing_is_lost() {
        for (value, wanted, expected) in [
            (Value::Int(5), ValueKind::Float, Some(Value::Float(5.0))),
            (Value::Int(EXACT + 1), ValueKind::Float, None),
            (Value::Float(5.0), ValueKind::Int, Some(Value::Int(5))),
            (Value::Float(5.5), ValueKind::Int, None),
            (Value::Float(f64::NAN), ValueKind::Int, None),
            (Value::Float(1e300), ValueKind::Int, None),
            (Value::Int(1), ValueKind::Bool, Some(Value::Bool(true))),
            (Value::Int(2), ValueKind::Bool, None),
            (Value::text("5"), ValueKind::Float, None),
            (Value::Float(5.0), ValueKind::Text, None),
        ] {
            assert_eq!(fit(value, wanted), expected);
        }
    }

    #[test]
    fn qualities_read_back_as_they_are_written() {
        for bits in [0_u16, 0x0096, 0x4000, 0x4093, 0x8031, 0x80ab, 0x0012, 0xffff] {
            let q = Quality::from_bits(bits);
            for text in [bits.to_string(), q.to_string(), format!("{bits:#06x}")] {
                assert_eq!(quality(&Cell::Text(&text)).unwrap(), q, "{text}");
            }
        }
        for bad in ["", "65536", "-1", "fine", "bad(0x)", "good(0x80ab)"] {
            assert!(quality(&Cell::Text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_read_back_as_they_are_written() {
        for bits in 1..32 {
            let names = super::super::flag_names(Flags(bits));
            assert_eq!(flags(&Cell::Text(&names)).unwrap(), Flags(bits), "{names}");
        }
        assert_eq!(flags(&Cell::Text("255")).unwrap(), Flags(255));
        assert!(flags(&Cell::Text("historical|new")).is_err() && flags(&Cell::Int(256)).is_err());
    }

    #[test]
    fn a_table_without_a_needed_column_is_named_with_what_it_has() {
        let error = fields(["signal", "when", "value"].into_iter()).unwrap_err();
        assert!(error.contains("no column source_time or time") && error.contains("signal, when, value"), "{error}");
        let found = fields(["value", "extra", "time", "source_time", "signal"].into_iter()).unwrap();
        assert_eq!(found, [Some(Field::Value), None, Some(Field::SourceTime), None, Some(Field::Signal)]);
    }
}

//! What a single cell of a table may say: times, values, qualities, flags. Knows no columns.

use std::borrow::Cow;

use twin_model::{Flags, Quality, SignalIndex, Timestamp, Value, ValueKind};
pub(super) use twin_table::quoted;
use twin_table::time::{ReadTime, TimeCounts};
use twin_table::{TimeFault, TimeFormat, TimeReader, TimeSpec};

use super::FLAG_NAMES;
use super::row::{Reason, Refusal};

/// What stands in one cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing: no such column, null, or no text.
    Empty,
    Text(&'a str),
    Float(f64),
    /// Whole numbers, also those of unsigned columns.
    Int(i128),
    Bool(bool),
    Time(i64),
    /// What a clock of a zone that the table does not name showed, as if it were UTC.
    LocalTime(i64),
    /// Bytes that are no UTF-8.
    Broken,
}

/// Whole numbers up to here are the same as a float.
const EXACT: i64 = 1 << 53;
/// How to mend a time.
pub(super) const TIME_HELP: &str =
    "write times like 2026-03-02T08:15:04.120Z, or say how they are written: --time-format; in Parquet use a timestamp with UTC";

/// A cell for a message.
pub(super) fn shown(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Empty => "nothing".to_owned(),
        Cell::Text(text) => quoted(text),
        Cell::Float(v) => format!("{v:?}"),
        Cell::Int(v) => v.to_string(),
        Cell::Bool(v) => v.to_string(),
        Cell::Time(_) | Cell::LocalTime(_) => "a time".to_owned(),
        Cell::Broken => "bytes that are no UTF-8".to_owned(),
    }
}

/// How a reader takes a text.
type ReadBy<'a> = dyn Fn(&mut TimeReader, &str) -> Result<ReadTime, TimeFault> + 'a;

/// Reads the times of one column.
pub(super) struct Times {
    /// Texts and numbers, as declared.
    declared: TimeReader,
    /// Typed times without a zone.
    typed: TimeReader,
    /// For messages.
    which: &'static str,
}

impl Times {
    pub(super) fn new(which: &'static str, spec: &TimeSpec) -> Self {
        let typed = TimeSpec { format: TimeFormat::Rfc3339, ..spec.clone() };
        Self { declared: TimeReader::new(spec.clone()), typed: TimeReader::new(typed), which }
    }

    /// What was special so far.
    pub(super) fn counts(&self) -> TimeCounts {
        let mut all = self.declared.counts;
        all.add(self.typed.counts);
        all
    }

    /// The source time in a cell of a row of a signal; `None` where it is empty. Of the hour that comes twice in autumn the order
    /// of the signal's rows tells which it is.
    pub(super) fn read(&mut self, cell: &Cell<'_>, signal: SignalIndex) -> Result<Option<Timestamp>, Refusal> {
        self.read_by(cell, &|reader, text| reader.read(u64::from(signal.0), text))
    }

    /// When a row with this source time was received; `None` where the cell is empty. Of the hour that comes twice the source
    /// time tells which it is.
    pub(super) fn read_receipt(&mut self, cell: &Cell<'_>, source: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        self.read_by(cell, &|reader, text| reader.read_receipt(text, source))
    }

    fn read_by(&mut self, cell: &Cell<'_>, read: &ReadBy<'_>) -> Result<Option<Timestamp>, Refusal> {
        let which = self.which;
        let refused = |what: String| Err(Refusal::new(Reason::BadTime, what, TIME_HELP));
        let number = |n: &dyn std::fmt::Display| Cow::Owned(n.to_string());
        let text: Cow<'_, str> = match cell {
            Cell::Empty => return Ok(None),
            Cell::Text(text) => Cow::Borrowed(*text),
            // A column of numbers is read like the same digits in a text.
            Cell::Int(v) => number(v),
            Cell::Float(v) => number(v),
            Cell::Time(us) => {
                let (t, years) = (Timestamp::from_micros(*us), &self.declared.spec().years);
                if years.contains(t) {
                    return Ok(Some(t));
                }
                let help = "write years = [\u{2026}] under [site] if it is right";
                return refused(format!("its {which} {t} is not within the years {years}; {help}"));
            }
            Cell::LocalTime(us) => {
                let shown = Timestamp::from_micros(*us).to_string();
                let civil = shown.strip_suffix('Z').unwrap_or(&shown);
                return match read(&mut self.typed, civil) {
                    Ok(read) => Ok(Some(read.t)),
                    Err(TimeFault::NoZone) => {
                        let help = "say which zone: --zone, time_zone under [site], in pandas df[c].dt.tz_localize('UTC')";
                        Err(Refusal::new(Reason::BadTime, format!("its {which} has no time zone"), help))
                    }
                    Err(fault) => refused(format!("its {which} {}", self.typed.explain(civil, &fault))),
                };
            }
            Cell::Bool(_) | Cell::Broken => return refused(format!("its {which} is {}", shown(cell))),
        };
        match read(&mut self.declared, &text) {
            Ok(read) => Ok(Some(read.t)),
            Err(fault) => {
                let why = self.declared.explain(&text, &fault);
                let why = why.replace("write format = ", "say --time-format ");
                let why = why.replace("say which zone it is in", "say which zone it is in (--zone, or time_zone under [site])");
                refused(format!("its {which} {why}"))
            }
        }
    }
}

/// A cell as a value of the kind that the row says.
pub(super) fn read_value(cell: &Cell<'_>, kind: ValueKind) -> Option<Value> {
    match (kind, cell) {
        (ValueKind::Float, Cell::Text(text)) => text.trim().parse().ok().map(Value::Float),
        // Programs without whole numbers write 2.0; whether it is one is another question.
        (ValueKind::Int, Cell::Text(text)) => {
            let text = text.trim();
            text.parse().ok().map(Value::Int).or_else(|| text.parse().ok().map(Value::Float))
        }
        (ValueKind::Bool, Cell::Text(text)) => match text.trim() {
            "true" | "True" | "TRUE" | "1" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        (ValueKind::Text, Cell::Text(text)) => Some(Value::text(text)),
        // Columns of Parquet are typed; whether the signal takes that, too.
        (_, Cell::Float(v)) => Some(Value::Float(*v)),
        (_, Cell::Int(v)) => i64::try_from(*v).ok().map(Value::Int),
        (_, Cell::Bool(v)) => Some(Value::Bool(*v)),
        (_, Cell::Time(_) | Cell::LocalTime(_) | Cell::Broken | Cell::Empty) => None,
    }
}

/// The value as the kind that a signal takes, where it is exactly the same.
pub(super) fn fit(value: Value, wanted: ValueKind) -> Option<Value> {
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
pub(super) fn quality(cell: &Cell<'_>) -> Result<Quality, Refusal> {
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
pub(super) fn flags(cell: &Cell<'_>) -> Result<Flags, Refusal> {
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
}

//! What a single cell of a table may say: times, values, qualities, flags. Knows no columns.

use twin_model::{Flags, Quality, Timestamp, Value, ValueKind};
pub(super) use twin_table::quoted;
use twin_table::{TimeFault, TimeSpec};

use super::FLAG_NAMES;
use super::row::{Reason, Refusal};

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

/// Whole numbers up to here are the same as a float.
const EXACT: i64 = 1 << 53;
/// How to mend a time.
pub(super) const TIME_HELP: &str = "write times like 2026-03-02T08:15:04.120Z; in Parquet use a timestamp with UTC";

/// A cell for a message.
pub(super) fn shown(cell: &Cell<'_>) -> String {
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

/// The time in a cell, read by the rules of the site; `None` where it is empty. `which` is for the message.
pub(super) fn time(cell: &Cell<'_>, which: &str, times: &TimeSpec) -> Result<Option<Timestamp>, Refusal> {
    let refused = |what: String| Err(Refusal::new(Reason::BadTime, what, TIME_HELP));
    let t = match cell {
        Cell::Empty => return Ok(None),
        Cell::Time(us) => Timestamp::from_micros(*us),
        Cell::Text(text) => {
            // Of an hour that comes twice the first is taken: rows of a table are in no order.
            return match times.read_near(text, Timestamp::MIN) {
                Ok(t) => Ok(Some(t)),
                Err(TimeFault::Unread) => refused(format!("its {which} {} is not a time", quoted(text))),
                Err(fault) => refused(format!("its {which} {}", times.explain(text, &fault))),
            };
        }
        Cell::LocalTime => {
            let help = "say which zone: in pandas df[c].dt.tz_localize('UTC'), in SQL a TIMESTAMP WITH TIME ZONE";
            return Err(Refusal::new(Reason::BadTime, format!("its {which} has no time zone"), help));
        }
        other => return refused(format!("its {which} is {}", shown(other))),
    };
    if times.years.contains(t) {
        Ok(Some(t))
    } else {
        refused(format!(
            "its {which} {t} is not within the years {}; write years = [\u{2026}] under [site] if it is right",
            times.years
        ))
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
        (_, Cell::Int(v)) => Some(Value::Int(*v)),
        (_, Cell::Bool(v)) => Some(Value::Bool(*v)),
        (_, Cell::Time(_) | Cell::LocalTime | Cell::Broken | Cell::Empty) => None,
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

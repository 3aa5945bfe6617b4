//! Rows as CSV: shortest numbers that read back to the same bits, times with six digits of seconds.

use std::fmt::Write as _;
use std::io::Write;

use twin_model::{Flags, Model, Sample, SignalIndex, Timestamp, Value};

use super::{COLUMNS, RowSink, flag_names, kind_word};

/// Writes a header line and then rows.
pub(super) struct CsvRows<'a, W: Write> {
    model: &'a Model,
    out: csv::Writer<W>,
    time: TimeText,
    cell: String,
}

impl<'a, W: Write> CsvRows<'a, W> {
    pub(super) fn begin(model: &'a Model, out: W) -> Result<Self, String> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(COLUMNS).map_err(|e| e.to_string())?;
        Ok(Self { model, out, time: TimeText::default(), cell: String::new() })
    }

    fn fields(&mut self, signal: SignalIndex, sample: &Sample) -> Result<(), csv::Error> {
        let known = self.model.signal(signal);
        self.out.write_field(known.id.as_str())?;
        for t in [sample.source_time, sample.received_time] {
            self.cell.clear();
            self.time.push(t, &mut self.cell);
            self.out.write_field(&self.cell)?;
        }
        self.out.write_field(kind_word(sample.value.kind()))?;
        self.cell.clear();
        let place = match &sample.value {
            // A placeholder in a column of numbers would be taken for one.
            _ if sample.flags.has(Flags::NULL) => 4,
            Value::Float(v) => {
                push_float(*v, &mut self.cell);
                0
            }
            Value::Int(v) => {
                push(&mut self.cell, format_args!("{v}"));
                1
            }
            Value::Bool(v) => {
                push(&mut self.cell, format_args!("{v}"));
                2
            }
            Value::Text(v) => {
                self.cell.push_str(v);
                3
            }
        };
        for at in 0..4 {
            self.out.write_field(if at == place { self.cell.as_str() } else { "" })?;
        }
        self.out.write_field(&known.unit.0)?;
        self.cell.clear();
        push(&mut self.cell, format_args!("{}", sample.quality.bits()));
        self.out.write_field(&self.cell)?;
        self.cell.clear();
        push(&mut self.cell, format_args!("{}", sample.quality));
        self.out.write_field(&self.cell)?;
        self.cell.clear();
        push(&mut self.cell, format_args!("{}", sample.flags.0));
        self.out.write_field(&self.cell)?;
        self.out.write_field(flag_names(sample.flags))?;
        self.out.write_record(None::<&[u8]>)
    }
}

impl<W: Write> RowSink for CsvRows<'_, W> {
    fn row(&mut self, signal: SignalIndex, sample: &Sample) -> Result<(), String> {
        self.fields(signal, sample).map_err(|e| e.to_string())
    }

    fn finish(mut self: Box<Self>) -> Result<(), String> {
        self.out.flush().map_err(|e| e.to_string())
    }
}

/// A number as the shortest text that reads back to the same bits, always with a point or an exponent; `NaN`, `inf`,
/// `-inf`. The sign of a NaN is kept (`-NaN`), other bits of it have no text.
fn push_float(v: f64, out: &mut String) {
    if v.is_nan() {
        out.push_str(if v.is_sign_negative() { "-NaN" } else { "NaN" });
    } else {
        push(out, format_args!("{v:?}"));
    }
}

fn push(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    out.write_fmt(what).ok();
}

/// Times as RFC 3339 in UTC with six digits. Remembers the last second: rows of one signal often share it.
#[derive(Default)]
struct TimeText {
    second: Option<i64>,
    words: String,
}

impl TimeText {
    fn push(&mut self, t: Timestamp, out: &mut String) {
        let (second, micros) = (t.as_micros().div_euclid(1_000_000), t.as_micros().rem_euclid(1_000_000));
        if self.second != Some(second) {
            self.second = Some(second);
            self.words = Timestamp::from_secs(second).to_string();
        }
        match self.words.strip_suffix('Z') {
            Some(words) => push(out, format_args!("{words}.{micros:06}Z")),
            // Beyond the calendar there are only microseconds.
            None => push(out, format_args!("{t}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_back_to_the_same_bits() {
        let cases = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e300, "1e300"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "NaN"),
            (-f64::NAN, "-NaN"),
        ];
        for (v, text) in cases {
            let mut out = String::new();
            push_float(v, &mut out);
            assert_eq!(out, text);
            assert_eq!(out.parse::<f64>().unwrap().to_bits(), v.to_bits(), "{text}");
        }
    }

    #[test]
    fn times_have_six_digits_before_and_after_1970() {
        let mut text = TimeText::default();
        for (us, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_772_439_304_120_000, "2026-03-02T08:15:04.120000Z"),
            (i64::MAX, "9223372036854775807us"),
        ] {
            let mut out = String::new();
            text.push(Timestamp::from_micros(us), &mut out);
            assert_eq!(out, expected);
        }
    }
}

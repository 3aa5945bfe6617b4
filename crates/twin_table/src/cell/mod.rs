//! The one reader of cells: a text becomes a value of the signal's kind, or a statement that there is none and why.

mod number;
mod quality;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use twin_model::limits::TEXT_BYTES;
use twin_model::{Quality, Sample, Timestamp, Value, ValueKind};

pub use number::NumberStyle;
pub use quality::{Codes, QualityReader, ReadQuality};

use crate::quoted;
use number::{Number, NumberFault, Same};

/// Different texts that are kept to be shared; beyond it every text is one of its own.
const SHARED_TEXTS: usize = 10_000;

/// What a cell says.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A value.
    Value(Value),
    /// The nearest number that the signal can hold; digits are lost, all of them where it is too close to zero.
    Rounded(Value),
    /// There is none, and the cell says so.
    Absent(Quality),
    /// Nothing that can be read as a value of the signal.
    Unreadable(Unreadable),
}

/// Why a text is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Not a value of the kind.
    Kind(ValueKind),
    /// A number or a text beyond what the signal can hold.
    TooLarge(ValueKind),
    /// A number with a comma or with groups of digits, which nobody declared.
    OtherStyle,
    /// Not text at all.
    Broken,
}

impl Unreadable {
    /// The quality of a sample that has this instead of a value.
    pub const fn quality(self) -> Quality {
        match self {
            Self::TooLarge(_) => Quality::BAD_OUT_OF_RANGE,
            Self::Kind(_) | Self::OtherStyle | Self::Broken => TYPE_MISMATCH,
        }
    }

    /// What is wrong, for a person; `text` is what stands in the cell.
    pub fn words(self, text: &str) -> String {
        let shown = quoted(text);
        match self {
            Self::Kind(kind) => format!("{shown} is not {}", kind_words(kind)),
            Self::TooLarge(ValueKind::Text) => {
                let size = Some(text.trim().len()).filter(|size| *size > TEXT_BYTES).unwrap_or(text.len());
                format!("a text of {size} bytes is too long ({TEXT_BYTES} at most): {shown}")
            }
            Self::TooLarge(ValueKind::Int) => format!("{shown} is beyond whole numbers of 64 bits"),
            Self::TooLarge(_) => format!("{shown} is beyond the largest number, 1.8e308"),
            Self::OtherStyle => {
                format!("{shown} has a comma or groups of digits; say how numbers are written: decimal, thousands")
            }
            Self::Broken => "the cell is not text in the file's encoding".to_owned(),
        }
    }
}

/// `Bad_TypeMismatch`.
const TYPE_MISMATCH: Quality = Quality::from_bits(0x8074);

/// What a signal of a kind takes, for a message.
pub const fn kind_words(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Float => "a number",
        ValueKind::Int => "a whole number",
        ValueKind::Bool => "a switch (true, false, 1, 0)",
        ValueKind::Text => "a text",
    }
}

/// How cells are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellRules {
    /// Numbers.
    pub numbers: NumberStyle,
    /// Texts that mean "no value", beside the usual words.
    pub null: Nulls,
    /// Texts that mean on, beside the usual words; compared without case.
    pub on: Vec<String>,
    /// Texts that mean off.
    pub off: Vec<String>,
}

impl Default for CellRules {
    /// Decimal points, and only an empty text is no text.
    fn default() -> Self {
        Self {
            numbers: NumberStyle::default(),
            null: Nulls::new(vec![String::new()], &NumberStyle::default()),
            on: Vec::new(),
            off: Vec::new(),
        }
    }
}

/// Texts that mean "no value": compared exactly, after blanks are cut, and for signals that are no texts as numbers, too, where they are
/// some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nulls {
    texts: Vec<String>,
    numbers: Vec<Same>,
}

impl Nulls {
    /// These texts. Numbers among them are read in the style of the cells, and where they are none in it, with a decimal point.
    pub fn new(texts: Vec<String>, style: &NumberStyle) -> Self {
        let plain = NumberStyle::default();
        let read = |text: &String| style.read(text.trim()).or_else(|_| plain.read(text.trim())).ok();
        let numbers = texts.iter().filter_map(read).map(|number| number.same()).collect();
        Self { texts, numbers }
    }

    fn has_text(&self, cut: &str) -> bool {
        self.texts.iter().any(|null| null == cut)
    }

    /// `-9999.0` is -9999.
    fn has_number(&self, number: &Number) -> bool {
        self.numbers.contains(&number.same())
    }
}

impl CellRules {
    /// Reads a cell for a signal of a kind; blanks around it mean nothing. Texts are shared through `texts`.
    pub fn read(&self, text: &str, kind: ValueKind, texts: &mut Texts) -> Cell {
        self.read_text(text, text.trim(), kind, texts)
    }

    /// The same of a cell in quotes, whose blanks are part of a text.
    pub fn read_as_it_stands(&self, text: &str, kind: ValueKind, texts: &mut Texts) -> Cell {
        self.read_text(text, text, kind, texts)
    }

    fn read_text(&self, text: &str, as_text: &str, kind: ValueKind, texts: &mut Texts) -> Cell {
        let cut = text.trim();
        // Devices fill texts up to a width.
        let as_text = if kind == ValueKind::Text { as_text.trim_end_matches('\0') } else { as_text };
        if self.null.has_text(cut) || (cut.is_empty() && kind != ValueKind::Text) {
            return Cell::Absent(words::NO_DATA);
        }
        match kind {
            // Every store refuses such a one: then the text before would stay on the screen as if it were current.
            ValueKind::Text if as_text.len() > TEXT_BYTES => Cell::Unreadable(Unreadable::TooLarge(kind)),
            ValueKind::Text => Cell::Value(texts.share(as_text)),
            ValueKind::Bool => self.switch(cut),
            ValueKind::Float | ValueKind::Int => self.number(cut, kind),
        }
    }

    fn switch(&self, text: &str) -> Cell {
        let own = |words: &[String]| words.iter().any(|word| word.to_lowercase() == text.to_lowercase());
        // Visual Basic writes true as -1.
        let known = if own(&self.on) {
            Some(true)
        } else if own(&self.off) {
            Some(false)
        } else if let Some(on) = words::switch(text) {
            Some(on)
        } else {
            let number = self.numbers.read(text).ok();
            if number.is_some_and(|number| self.null.has_number(&number)) {
                return Cell::Absent(words::NO_DATA);
            }
            match number.and_then(|number| number.int) {
                Some(0) => Some(false),
                Some(1 | -1) => Some(true),
                _ => None,
            }
        };
        match known {
            Some(on) => Cell::Value(Value::Bool(on)),
            None => words::no_value(text).map_or(Cell::Unreadable(Unreadable::Kind(ValueKind::Bool)), Cell::Absent),
        }
    }

    fn number(&self, text: &str, kind: ValueKind) -> Cell {
        let number = match self.numbers.read(text) {
            Ok(number) => number,
            Err(fault) => {
                if let Some(quality) = words::no_value(text) {
                    return Cell::Absent(quality);
                }
                return Cell::Unreadable(match fault {
                    NumberFault::Unread => Unreadable::Kind(kind),
                    NumberFault::TooLarge => Unreadable::TooLarge(kind),
                    NumberFault::OtherStyle => Unreadable::OtherStyle,
                });
            }
        };
        if self.null.has_number(&number) {
            return Cell::Absent(words::NO_DATA);
        }
        match (kind, number.int) {
            (ValueKind::Int, Some(int)) => Cell::Value(Value::Int(int)),
            (ValueKind::Int, None) if !number.fraction || number.float.abs() >= BEYOND_INTS => {
                Cell::Unreadable(Unreadable::TooLarge(kind))
            }
            (ValueKind::Int, None) => Cell::Unreadable(Unreadable::Kind(kind)),
            _ if number.rounded => Cell::Rounded(Value::Float(number.float)),
            _ => Cell::Value(Value::Float(number.float)),
        }
    }
}

/// 2^63: no whole number of 64 bits is as large.
const BEYOND_INTS: f64 = 9_223_372_036_854_775_808.0;

impl Cell {
    /// The sample of a cell: its value with the given quality, or none, which is bad for the reason that is known best.
    pub fn sample(self, t: Timestamp, kind: ValueKind, quality: Quality) -> Sample {
        let absent = |why: Quality| if quality.is_bad() { quality } else { why };
        match self {
            Self::Value(value) | Self::Rounded(value) => Sample::new(t, value).with_quality(quality),
            Self::Absent(why) => Sample::without_value(t, kind, absent(why)),
            Self::Unreadable(why) => Sample::without_value(t, kind, absent(why.quality())),
        }
    }
}

/// Texts that were read before: a column of states holds few words many times.
#[derive(Debug, Clone, Default)]
pub struct Texts(HashMap<Box<str>, Arc<str>>);

impl Texts {
    fn share(&mut self, text: &str) -> Value {
        if let Some(known) = self.0.get(text) {
            return Value::Text(known.clone());
        }
        let word: Arc<str> = text.into();
        if self.0.len() < SHARED_TEXTS && text.len() <= 256 {
            self.0.insert(text.into(), word.clone());
        }
        Value::Text(word)
    }
}

/// Whether a text says that there is no value.
pub(crate) fn is_no_value(text: &str) -> bool {
    words::no_value(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, kind: ValueKind) -> Cell {
        CellRules::default().read(text, kind, &mut Texts::default())
    }

    #[test]
    fn a_text_that_no_store_takes_is_a_reading_without_a_value() {
        let long = "x".repeat(TEXT_BYTES);
        assert!(matches!(read(&format!(" {long} "), ValueKind::Text), Cell::Value(_)));
        let more = long + "x";
        let Cell::Unreadable(why) = read(&more, ValueKind::Text) else { panic!("it is a value") };
        assert_eq!(why.quality(), Quality::BAD_OUT_OF_RANGE);
        let words = why.words(&more);
        assert!(words.starts_with("a text of 65537 bytes is too long (65536 at most): 'xxx") && words.len() < 300, "{words}");
    }

    #[test]
    fn a_cell_is_a_value_or_says_why_there_is_none() {
        use ValueKind::{Bool, Float, Int, Text};
        for (text, kind, expected) in [
            (" 21.5 ", Float, Cell::Value(Value::Float(21.5))),
            ("8.0", Int, Cell::Value(Value::Int(8))),
            ("9007199254740993", Int, Cell::Value(Value::Int(9_007_199_254_740_993))),
            ("9007199254740993", Float, Cell::Rounded(Value::Float(9_007_199_254_740_992.0))),
            ("9007199254740992", Float, Cell::Value(Value::Float(9_007_199_254_740_992.0))),
            ("9223372036854775807", Float, Cell::Rounded(Value::Float(9_223_372_036_854_775_808.0))),
            ("0.1000000000000000055", Float, Cell::Value(Value::Float(0.1))),
            ("9223372036854775808", Int, Cell::Unreadable(Unreadable::TooLarge(Int))),
            ("1e30", Int, Cell::Unreadable(Unreadable::TooLarge(Int))),
            ("9007199254740993.5", Int, Cell::Unreadable(Unreadable::Kind(Int))),
            ("1e30", Float, Cell::Value(Value::Float(1e30))),
            ("1.5", Int, Cell::Unreadable(Unreadable::Kind(Int))),
            ("1e400", Float, Cell::Unreadable(Unreadable::TooLarge(Float))),
            ("21,5", Float, Cell::Unreadable(Unreadable::OtherStyle)),
            ("oops", Float, Cell::Unreadable(Unreadable::Kind(Float))),
            ("", Float, Cell::Absent(words::NO_DATA)),
            ("  ", Text, Cell::Absent(words::NO_DATA)),
            ("Bad", Float, Cell::Absent(Quality::BAD)),
            ("Bad", Text, Cell::Value(Value::text("Bad"))),
            ("ERROR\0\0\0", Text, Cell::Value(Value::text("ERROR"))),
            ("a\0b", Text, Cell::Value(Value::text("a\0b"))),
            ("-1", Bool, Cell::Value(Value::Bool(true))),
            ("0.0", Bool, Cell::Value(Value::Bool(false))),
            ("2", Bool, Cell::Unreadable(Unreadable::Kind(Bool))),
            ("#N/A", Bool, Cell::Absent(Quality::BAD)),
        ] {
            assert_eq!(read(text, kind), expected, "{text} {kind:?}");
        }
        let rules = CellRules {
            on: vec!["ÖFFNEN".to_owned()],
            null: Nulls::new(vec!["-9999".to_owned()], &NumberStyle::default()),
            ..CellRules::default()
        };
        assert_eq!(rules.read("öffnen", Bool, &mut Texts::default()), Cell::Value(Value::Bool(true)));
        assert_eq!(rules.read("-9999", Float, &mut Texts::default()), Cell::Absent(words::NO_DATA));
        assert_eq!(rules.read("", Text, &mut Texts::default()), Cell::Value(Value::text("")), "nobody said that this is none");
    }

    #[test]
    fn no_value_never_looks_good() {
        let t = Timestamp::from_secs(1);
        for text in ["", "NaN", "oops", "1e400", "-", "#VALUE!", "21,5", "inf", "null"] {
            for kind in [ValueKind::Float, ValueKind::Int, ValueKind::Bool] {
                let sample = read(text, kind).sample(t, kind, Quality::GOOD);
                assert!(sample.quality.is_bad() && !sample.has_value(), "{text} {kind:?}");
            }
        }
        let reported = read("", ValueKind::Float).sample(t, ValueKind::Float, Quality::BAD_SENSOR_FAILURE);
        assert_eq!(reported.quality, Quality::BAD_SENSOR_FAILURE, "the source knows better");
    }

    #[test]
    fn whole_numbers_with_an_exponent_keep_their_digits_and_what_is_lost_is_told() {
        use ValueKind::{Float, Int};
        for (text, kind, expected) in [
            ("9.007199254740993e15", Int, Cell::Value(Value::Int(9_007_199_254_740_993))),
            ("1e16", Int, Cell::Value(Value::Int(10_000_000_000_000_000))),
            ("1E17", Int, Cell::Value(Value::Int(100_000_000_000_000_000))),
            ("1e18", Int, Cell::Value(Value::Int(1_000_000_000_000_000_000))),
            ("-9.223372036854775808e18", Int, Cell::Value(Value::Int(i64::MIN))),
            ("1e19", Int, Cell::Unreadable(Unreadable::TooLarge(Int))),
            ("1e-1", Int, Cell::Unreadable(Unreadable::Kind(Int))),
            ("1e-400", Int, Cell::Unreadable(Unreadable::Kind(Int))),
            ("9.007199254740993e15", Float, Cell::Rounded(Value::Float(9_007_199_254_740_992.0))),
            ("1e-400", Float, Cell::Rounded(Value::Float(0.0))),
            ("4e-324", Float, Cell::Rounded(Value::Float(5e-324))),
            ("0e-400", Float, Cell::Value(Value::Float(0.0))),
        ] {
            assert_eq!(read(text, kind), expected, "{text} {kind:?}");
        }
    }

    #[test]
    fn a_number_that_means_no_value_means_it_in_every_spelling() {
        use ValueKind::{Bool, Float, Int, Text};
        let null = |words: &[&str], style: &NumberStyle| Nulls::new(words.iter().map(|word| (*word).to_owned()).collect(), style);
        let plain = NumberStyle::default();
        let rules = CellRules { null: null(&["-9999", "1e3", "9007199254740993"], &plain), ..CellRules::default() };
        let comma = NumberStyle { decimal: ',', thousands: Some('.'), declared: true };
        let german = CellRules { numbers: comma, null: null(&["-9999", "-99,9"], &comma), ..CellRules::default() };
        for (rules, text, kind, none) in [
            (&rules, "-9999.0", Float, true),
            (&rules, "-9999.00", Int, true),
            (&rules, "-9.999e3", Float, true),
            (&rules, "+1000", Int, true),
            (&rules, "-9999.5", Float, false),
            (&rules, "9007199254740992", Int, false),
            (&rules, "-9999.0", Text, false),
            (&german, "-9999,0", Float, true),
            (&german, "-9.999", Float, true),
            (&german, "-99,90", Float, true),
            (&german, "-99,91", Float, false),
        ] {
            let read = rules.read(text, kind, &mut Texts::default());
            assert_eq!(read == Cell::Absent(words::NO_DATA), none, "{text} {kind:?}: {read:?}");
        }
        let rules = CellRules { null: null(&["-1"], &plain), ..CellRules::default() };
        assert_eq!(rules.read("-1.0", Bool, &mut Texts::default()), Cell::Absent(words::NO_DATA), "true, if nobody had said so");
    }

    #[test]
    fn a_text_in_quotes_keeps_its_blanks_and_a_number_does_not_mind_them() {
        let rules = CellRules::default();
        let read = |text: &str, kind| rules.read_as_it_stands(text, kind, &mut Texts::default());
        assert_eq!(read("  pad  ", ValueKind::Text), Cell::Value(Value::text("  pad  ")));
        assert_eq!(read("   ", ValueKind::Text), Cell::Absent(words::NO_DATA));
        assert_eq!(read(" 21.5 ", ValueKind::Float), Cell::Value(Value::Float(21.5)));
        assert_eq!(
            read(&" ".repeat(TEXT_BYTES + 1).replacen(' ', "x", 1), ValueKind::Text),
            Cell::Unreadable(Unreadable::TooLarge(ValueKind::Text))
        );
    }
}

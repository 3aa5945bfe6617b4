//! Cells of a table that no export wrote: read by the same rules as tables of sources and lines of senders (`twin_table`).

use twin_model::{Quality, Value, ValueKind};
use twin_table::cell::{ReadQuality, Texts, Unreadable};
use twin_table::time::TimeCounts;
use twin_table::{Cell as Read, CellRules, Encoding, QualityReader, TimeSpec};

use super::cells::{Cell, quoted, shown};
use super::row::{Reason, Refusal};

/// How a table is written, where its own columns do not say so.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Between the cells of a CSV row.
    pub separator: u8,
    /// Of a CSV file, where no byte order mark says it; UTF-8 where `None`.
    pub encoding: Option<Encoding>,
    /// Times without an offset, epochs, and which years are believed.
    pub times: TimeSpec,
    /// Numbers, switches, and what means none.
    pub cells: CellRules,
    /// What numbers for qualities mean.
    pub qualities: QualityReader,
}

impl Default for Rules {
    fn default() -> Self {
        let (times, cells, qualities) = (TimeSpec::default(), CellRules::default(), QualityReader::default());
        Self { separator: b',', encoding: None, times, cells, qualities }
    }
}

impl From<TimeSpec> for Rules {
    fn from(times: TimeSpec) -> Self {
        Self { times, ..Self::default() }
    }
}

/// Something that a row is taken with, and that its owner should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Odd {
    /// What stands there is no value of the signal: taken as a reading without a value, of quality bad.
    NoValue,
    /// A number that the signal cannot hold to the last digit.
    Rounded,
    /// A quality that nobody knows: taken as uncertain, or as bad where its word begins so.
    UnknownQuality,
    /// A time of receipt that can't be read: taken as received when it was measured.
    ReceivedTime,
}

impl Odd {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [Self::NoValue, Self::Rounded, Self::UnknownQuality, Self::ReceivedTime];
}

/// What was special about the times of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct TimesSeen {
    /// Times without an offset, read in the declared zone.
    pub without_offset: u64,
    /// Of the hour that comes twice in autumn.
    pub folds: u64,
    /// Of them: those of which nothing tells which pass they are.
    pub guesses: u64,
    /// Of the hour that never comes in spring.
    pub skipped: u64,
}

impl TimesSeen {
    pub(super) const fn of(counts: TimeCounts) -> Self {
        Self { without_offset: counts.zoned, folds: counts.folds, guesses: counts.guesses, skipped: counts.skipped }
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.without_offset += other.without_offset;
        self.folds += other.folds;
        self.guesses += other.guesses;
        self.skipped += other.skipped;
    }
}

/// Reads values and qualities of one table, and keeps what is odd about the row at hand.
pub(super) struct Reading {
    cells: CellRules,
    qualities: QualityReader,
    texts: Texts,
    /// About the row at hand.
    pub(super) odd: Vec<(Odd, String)>,
}

impl Reading {
    pub(super) fn new(rules: &Rules) -> Self {
        let odd = Vec::new();
        Self { cells: rules.cells.clone(), qualities: rules.qualities, texts: Texts::default(), odd }
    }

    /// A cell as a value of a signal.
    pub(super) fn value(&mut self, cell: &Cell<'_>, wanted: ValueKind, id: &str) -> Result<Read, Refusal> {
        let number;
        let text = match cell {
            Cell::Empty => "",
            Cell::Text(text) => text,
            // A column of numbers is read like the same digits in a text, whatever mark texts have.
            Cell::Int(v) => {
                number = self.marked(v.to_string());
                &number
            }
            Cell::Float(v) if wanted == ValueKind::Float && v.is_finite() => return Ok(Read::Value(Value::Float(*v))),
            // All its digits; the shortest text of it ends in zeros that are not its own.
            Cell::Float(v) if wanted == ValueKind::Int && v.is_finite() && v.fract() == 0.0 => {
                number = format!("{v:.0}");
                &number
            }
            Cell::Float(v) => {
                number = self.marked(format!("{v:?}"));
                &number
            }
            Cell::Bool(v) => {
                if *v {
                    "true"
                } else {
                    "false"
                }
            }
            Cell::Broken => {
                self.odd.push((Odd::NoValue, format!("{id}: {}", Unreadable::Broken.words(""))));
                return Ok(Read::Unreadable(Unreadable::Broken));
            }
            Cell::Time(_) | Cell::LocalTime(_) => {
                let what = format!("'{id}' takes {}, the row has a time", twin_table::cell::kind_words(wanted));
                return Err(Refusal::new(Reason::BadValue, what, "name the column of values 'value', and that of times 'time'"));
            }
        };
        let read = self.cells.read_as_it_stands(text, wanted, &mut self.texts);
        match &read {
            // Once told which mark is meant, the same row is another value: nothing is written until then.
            Read::Unreadable(why @ Unreadable::OtherStyle) => {
                let help = "for example --decimal , (with --thousands . where there are any)";
                return Err(Refusal::new(Reason::BadValue, format!("{id}: {}", why.words(text)), help));
            }
            Read::Unreadable(why) => {
                self.odd.push((Odd::NoValue, format!("{id}: {}; taken as a reading without a value", why.words(text))));
            }
            Read::Rounded(value) => self.odd.push((Odd::Rounded, format!("{id}: {} is taken as {value}", quoted(text)))),
            Read::Value(_) | Read::Absent(_) => {}
        }
        Ok(read)
    }

    fn marked(&self, digits: String) -> String {
        if self.cells.numbers.decimal == '.' { digits } else { digits.replace('.', &self.cells.numbers.decimal.to_string()) }
    }

    /// A cell as a quality.
    pub(super) fn quality(&mut self, cell: &Cell<'_>) -> Result<Quality, Refusal> {
        let number;
        let text = match cell {
            Cell::Text(text) => text,
            Cell::Int(v) => {
                number = v.to_string();
                number.as_str()
            }
            Cell::Float(v) => {
                number = v.to_string();
                number.as_str()
            }
            other => {
                self.odd.push((Odd::UnknownQuality, format!("{} is no known quality; taken as uncertain", shown(other))));
                return Ok(Quality::UNCERTAIN);
            }
        };
        let read = self.qualities.read(text);
        match read {
            ReadQuality::Known(_) => {}
            ReadQuality::Unknown(_) => self.odd.extend(read.words(text).map(|words| (Odd::UnknownQuality, words))),
            // 192 is good there and 0 is bad: no number of this table means what it would mean here.
            ReadQuality::LooksLikeOpcDa => {
                let help = "numbers of OPC DA need --quality opc_da (192 is good there); else write names or StatusCodes";
                return Err(Refusal::new(Reason::BadQualityOrFlags, format!("its quality is {}", quoted(text)), help));
            }
        }
        Ok(read.quality())
    }
}

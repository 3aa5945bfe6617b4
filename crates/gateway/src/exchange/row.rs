//! One row of a table as a sample: what each column is about, and why a row is refused. Knows neither files nor history.

use std::borrow::Cow;

use twin_historian::chunk::MAX_WORD_BYTES;
use twin_model::{Flags, Model, Quality, Sample, SignalIndex, Value, ValueKind};
use twin_table::Cell as Read;

use super::cells::{Cell, TIME_HELP, Times, fit, flags, quality, quoted, read_value, shown};
use super::kind_word;
use super::reading::{Odd, Reading, Rules, TimesSeen};

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
    for (at, name) in names.clone().enumerate() {
        if Field::by_name(name).is_some()
            && let Some(first) = names.clone().take(at).position(|other| other.trim() == name.trim())
        {
            let (first, second) = (first + 1, at + 1);
            return Err(format!(
                "its columns {first} and {second} are both called {}; rename the one that is not meant",
                name.trim()
            ));
        }
        let field = Field::by_name(name);
        if let Some(seen) = field.and_then(|field| seen.get_mut(field.at()))
            && std::mem::replace(seen, true)
        {
            let alike = |other: &&str| Field::by_name(other) == field;
            let (first, other) = names.clone().enumerate().find(|(_, other)| alike(other)).unwrap_or_default();
            return Err(format!(
                "its columns {} ({}) and {} ({}) are two for one thing; rename the one that is not meant",
                first + 1,
                other.trim(),
                at + 1,
                name.trim()
            ));
        }
        fields.push(field);
    }
    let has = |field: Field| seen.get(field.at()).is_some_and(|seen| *seen);
    let value = has(Field::Value) || KINDS.iter().any(|kind| has(Field::ValueOf(*kind)));
    let needs =
        [(has(Field::Signal), "signal"), (has(Field::SourceTime), "source_time or time"), (value, "value or value_double")];
    if let Some((_, missing)) = needs.iter().find(|(there, _)| !there) {
        let all: Vec<String> = names.take(30).map(|name| twin_table::listed(name.trim())).collect();
        return Err(format!("it has no column {missing}; it has: {}. docs/HISTORIAN.md names the columns", all.join(", ")));
    }
    for (at, name) in names.enumerate() {
        if let Some(meant) = super::meant::field(name, &has) {
            let name = twin_table::listed(name.trim());
            return Err(format!(
                "its column {} is called {name}, which nobody reads: call it {meant} if that is what it says, else something else",
                at + 1
            ));
        }
    }
    Ok(fields)
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

/// Reads rows for a model. Remembers the last signal: tables have long runs of one.
pub(super) struct RowReader<'a> {
    model: &'a Model,
    source_times: Times,
    received_times: Times,
    reading: Reading,
    last: Option<(String, SignalIndex)>,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(model: &'a Model, rules: &Rules) -> Self {
        let (source_times, received_times) = (Times::new("source time", &rules.times), Times::new("received time", &rules.times));
        Self { model, source_times, received_times, reading: Reading::new(rules), last: None }
    }

    /// What was special about all times so far.
    pub(super) fn times_seen(&self) -> TimesSeen {
        let mut seen = TimesSeen::of(self.source_times.counts());
        seen.add(TimesSeen::of(self.received_times.counts()));
        seen
    }

    /// What is odd about the last row that was read; it is taken all the same.
    pub(super) fn odd(&mut self) -> impl Iterator<Item = (Odd, String)> + '_ {
        self.reading.odd.drain(..)
    }

    /// The sample that a row means. Without a received time it is store-and-forward data, received when it was taken.
    pub(super) fn sample(&mut self, cells: &Cells<'_>) -> Result<(SignalIndex, Sample), Refusal> {
        self.reading.odd.clear();
        let signal = self.signal(cell(cells, Field::Signal))?;
        let known = self.model.signal(signal);
        if let Cell::Text(unit) = cell(cells, Field::Unit)
            && !known.unit.0.is_empty()
            && !twin_model::unit::alike(unit, &known.unit.0)
        {
            let what = format!("values of '{}' are in {}, the row is in {}", known.id.as_str(), known.unit.0, quoted(unit));
            return Err(Refusal::new(Reason::OtherUnit, what, "convert the values, or leave the unit out if it is only a name"));
        }
        let source_time = self.source_times.read(cell(cells, Field::SourceTime), signal)?;
        let source_time = source_time.ok_or_else(|| Refusal::new(Reason::BadTime, "it has no source time", TIME_HELP))?;
        let received = match self.received_times.read_receipt(cell(cells, Field::ReceivedTime), source_time) {
            Ok(received) => received,
            // As in a source: the reading is worth more than when it was received.
            Err(refusal) => {
                let words = format!("{}; taken as received when it was measured", refusal.what);
                self.reading.odd.push((Odd::ReceivedTime, words));
                None
            }
        };
        let quality = self.quality(cells)?;
        let mut flags = first(cells, Field::Flags, Field::FlagNames).map_or(Ok(Flags::NONE), flags)?;
        if received.is_none() {
            flags = flags.with(Flags::HISTORICAL);
        }
        let received_time = received.unwrap_or(source_time);
        let read =
            if flags.has(Flags::NULL) { None } else { value(cells, known.value_kind, known.id.as_str(), &mut self.reading)? };
        let read = read.map_or_else(
            || Sample::without_value(source_time, known.value_kind, quality),
            |read| read.sample(source_time, known.value_kind, quality),
        );
        Ok((signal, Sample { received_time, flags: flags.with(read.flags), ..read }))
    }

    /// The quality of a row. What an export wrote beside its name is a number with 16 bits that is read as it stands.
    fn quality(&mut self, cells: &Cells<'_>) -> Result<Quality, Refusal> {
        let exported = *cell(cells, Field::QualityName) != Cell::Empty;
        match first(cells, Field::Quality, Field::QualityName) {
            None => Ok(Quality::GOOD),
            Some(cell) if exported => quality(cell).or_else(|_| self.reading.quality(cell)),
            Some(cell) => self.reading.quality(cell),
        }
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
                if self.model.is_computed(signal) {
                    let what = format!("{} is computed from other signals and takes no samples", quoted(id));
                    return Err(Refusal::new(Reason::UnknownSignal, what, "leave these rows out; it follows from the others"));
                }
                self.last = Some(((*id).to_owned(), signal));
                Ok(signal)
            }
        }
    }
}

const SIGNAL_HELP: &str = "signals are named <twin>.<signal> as in the site file; add it there, or leave these rows out";

fn cell<'c, 'a>(cells: &'c Cells<'a>, field: Field) -> &'c Cell<'a> {
    cells.get(field.at()).unwrap_or(&Cell::Empty)
}

/// The first of two cells that says something.
fn first<'c, 'a>(cells: &'c Cells<'a>, a: Field, b: Field) -> Option<&'c Cell<'a>> {
    [cell(cells, a), cell(cells, b)].into_iter().find(|cell| **cell != Cell::Empty)
}

/// The kind of which a row says that its value is; `None` where it leaves it to the signal.
fn said_kind(cells: &Cells<'_>) -> Result<Option<ValueKind>, Refusal> {
    let refused = |what: String, help: &'static str| Err(Refusal::new(Reason::BadValue, what, help));
    let mut filled = KINDS.into_iter().filter(|kind| *cell(cells, Field::ValueOf(*kind)) != Cell::Empty);
    let word = match cell(cells, Field::Kind) {
        Cell::Empty => {
            let first = filled.next();
            if let (Some(first), Some(second)) = (first, filled.next()) {
                let what = format!("it has a {} and a {}", column_of(first), column_of(second));
                return refused(what, "leave out the one that is not meant, or say its kind");
            }
            return Ok(first);
        }
        Cell::Text(word) => word,
        other => return refused(format!("its kind is {}", shown(other)), "kinds are double, int64, bool and text"),
    };
    let Some(kind) = KINDS.into_iter().find(|kind| kind_word(*kind) == *word) else {
        return refused(format!("there is no kind {}", quoted(word)), "kinds are double, int64, bool and text");
    };
    let own = [Field::ValueOf(kind), Field::Value].into_iter().any(|field| *cell(cells, field) != Cell::Empty);
    match filled.next() {
        Some(other) if !own => refused(
            format!("its kind is {word} and its value a {}", column_of(other)),
            "mend the kind, or put the value into its column",
        ),
        _ => Ok(Some(kind)),
    }
}

/// What a row says for a signal of `wanted` kind; `None` where a typed column says that there is nothing.
fn value(cells: &Cells<'_>, wanted: ValueKind, id: &str, reading: &mut Reading) -> Result<Option<Read>, Refusal> {
    let refused = |what: String, help: &'static str| Err(Refusal::new(Reason::BadValue, what, help));
    let said = said_kind(cells)?;
    let plain = cell(cells, Field::Value);
    let read = match said {
        None => reading.value(plain, wanted, id)?,
        Some(kind) => match cell(cells, Field::ValueOf(kind)) {
            Cell::Empty if *plain != Cell::Empty => {
                if !compatible(kind, wanted) {
                    return mismatch(plain, kind, wanted, id);
                }
                reading.value(plain, wanted, id)?
            }
            // CSV has one way to write an empty text and no text.
            Cell::Empty if kind == ValueKind::Text && wanted == kind => Read::Value(Value::text("")),
            Cell::Empty => return Ok(None),
            // A typed column is read to the last bit.
            typed => {
                let read = match read_value(typed, kind).and_then(|value| fit(value, wanted)) {
                    Some(value) => Read::Value(value),
                    None if kind == wanted && matches!(typed, Cell::Text(_)) => reading.value(typed, wanted, id)?,
                    None => return mismatch(typed, kind, wanted, id),
                };
                if *plain != Cell::Empty && reading.value(plain, wanted, id).ok().as_ref() != Some(&read) {
                    let what = format!("its value says {} and its {} {}", shown(plain), column_of(kind), shown(typed));
                    return refused(what, "leave out the column that is not meant");
                }
                read
            }
        },
    };
    match &read {
        Read::Value(Value::Text(text)) if text.len() > MAX_WORD_BYTES => {
            refused(format!("the text for '{id}' has {} bytes", text.len()), "shorten it to 65536 bytes of UTF-8")
        }
        _ => Ok(Some(read)),
    }
}

/// The column with values of a kind.
const fn column_of(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Float => "value_double",
        ValueKind::Int => "value_int64",
        ValueKind::Bool => "value_bool",
        ValueKind::Text => "value_text",
    }
}

/// Whether values of a kind may be written for a signal of another at all.
fn compatible(said: ValueKind, wanted: ValueKind) -> bool {
    use ValueKind::{Bool, Float, Int};
    said == wanted || matches!((said, wanted), (Int, Float | Bool) | (Float, Int))
}

fn mismatch(cell: &Cell<'_>, said: ValueKind, wanted: ValueKind, id: &str) -> Result<Option<Read>, Refusal> {
    let takes = match wanted {
        ValueKind::Float => "takes numbers",
        ValueKind::Int => "takes whole numbers",
        ValueKind::Bool => "takes true and false",
        ValueKind::Text => "takes texts",
    };
    let of_kind = if said == wanted { String::new() } else { format!(" of kind {}", kind_word(said)) };
    let what = format!("'{id}' {takes}, the row has {}{of_kind}", shown(cell));
    Err(Refusal::new(Reason::BadValue, what, "mend the value, or the signal's `value` in the site file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_a_needed_column_is_named_with_what_it_has() {
        let error = fields(["signal", "when", "value"].into_iter()).unwrap_err();
        assert!(error.contains("no column source_time or time") && error.contains("signal, when, value"), "{error}");
        let error = fields(["signal", "time", "value", "time"].into_iter()).unwrap_err();
        assert!(error.contains("columns 2 and 4 are both called time"), "{error}");
        assert!(fields(["signal", "x", "x", "time", "value"].into_iter()).is_ok(), "nobody reads x");
        let found = fields(["value", "extra", "time", "signal"].into_iter()).unwrap();
        assert_eq!(found, [Some(Field::Value), None, Some(Field::SourceTime), Some(Field::Signal)]);
        let error = fields(["value", "time", "extra", "source_time", "signal"].into_iter()).unwrap_err();
        assert!(error.contains("columns 2 (time) and 4 (source_time) are two for one thing"), "{error}");
    }

    #[test]
    fn a_row_that_says_its_value_twice_is_taken_only_where_both_are_the_same() {
        let cells = |kind: &'static str, filled: &[(Field, &'static str)]| {
            let mut cells = NO_CELLS;
            for (field, text) in [(Field::Kind, kind)].iter().chain(filled).filter(|(_, text)| !text.is_empty()) {
                cells[field.at()] = Cell::Text(text);
            }
            cells
        };
        let (plain, double, int) = (Field::Value, Field::ValueOf(ValueKind::Float), Field::ValueOf(ValueKind::Int));
        let read = |cells: &Cells<'_>| {
            let read = value(cells, ValueKind::Float, "a.b", &mut Reading::new(&Rules::default()));
            read.map(|read| match read {
                Some(Read::Value(Value::Float(v))) => v,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(read(&cells("", &[(plain, "5.0"), (double, "5")])).unwrap(), 5.0);
        assert_eq!(read(&cells("double", &[(plain, "5"), (double, "5"), (int, "7")])).unwrap(), 5.0, "its kind says which");
        let what = |cells: &Cells<'_>| read(cells).unwrap_err().what;
        assert_eq!(what(&cells("", &[(plain, "6"), (double, "5")])), "its value says '6' and its value_double '5'");
        assert_eq!(what(&cells("double", &[(plain, "n/a"), (double, "5")])), "its value says 'n/a' and its value_double '5'");
        assert_eq!(what(&cells("", &[(double, "5"), (int, "7")])), "it has a value_double and a value_int64");
    }
}

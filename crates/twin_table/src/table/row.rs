//! One row into samples. What can't be read is a sample without a value, never a value that stays.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read;

use twin_model::limits::AHEAD;
use twin_model::{Quality, Sample, SignalIndex};

use super::plan::{Cells, Part, Plan};
use super::{Began, Empty, Met, Place, Table, cell};
use crate::cell::{Cell, ReadQuality, Unreadable};
use crate::names::composed;
use crate::rows::{self, Oddity, Row};
use crate::table::report::{Seen, Undeclared};
use crate::time::{Opening, ReadTime};
use crate::{QualityReader, quoted};

/// Readings near changes of the clock that are remembered to see which are lost (24 bytes each).
const CHANGES: usize = 200_000;

/// The key of a row's series.
pub(super) fn key(parts: &[Part], cells: &rows::Cells, plan: &Plan) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Cell(at) => match cell(cells, *at).unwrap_or("") {
            "" => plan.defaults.get(*at).cloned().unwrap_or_default(),
            text => text.to_owned(),
        },
    };
    parts.iter().map(part).collect()
}

impl<R: Read> Table<'_, R> {
    /// The text of a row's time: one cell, or date and time of day with a blank between.
    pub(super) fn time_text<'r>(&self, row: &'r Row, plan: &Plan) -> Option<Cow<'r, str>> {
        let first = cell(&row.cells, plan.time.0)?;
        match plan.time.1 {
            None => Some(Cow::Borrowed(first)),
            Some(at) => Some(Cow::Owned(format!("{first} {}", cell(&row.cells, at)?))),
        }
    }

    /// Appends a row's samples; `None` where it has no time.
    pub(super) fn row(&mut self, row: &Row, out: &mut Vec<(SignalIndex, Sample)>) -> Option<Place> {
        if self.passed_over(row) {
            return None;
        }
        let broken = row.oddity.and_then(Oddity::broken);
        if let Some(what) = &broken {
            self.report
                .note(Seen::Broken, row.line, || format!("{what}; what is left of the row gives readings without a value"));
            if row.cells.is_empty() {
                return None;
            }
        }
        self.report.rows += 1;
        if let Some(header) = self.unusable {
            self.report.note(Seen::Row, row.line, || format!("it stands under the header of line {header} and is left out"));
            return None;
        }
        let plan = self.plans.get(self.plan)?.clone();
        if self.too_odd(row) {
            return None;
        }
        // A time that is broken off may read as another one.
        let last_of_time = plan.time.1.map_or(plan.time.0, |at| at.max(plan.time.0));
        if broken.is_some() && row.cells.len() <= last_of_time + 1 {
            return None;
        }
        let fits = broken.is_none() && self.fits(row, &plan);
        let keys = self.keys(row, &plan);
        let place = self.place(row, &plan, keys.first())?;
        let before = out.len();
        self.samples(row, &plan, &keys, fits, &place, out);
        if out.len() > before && place.time.since(place.received) > AHEAD {
            let Place { time, received, .. } = place;
            self.report.note(Seen::Ahead, row.line, || format!("it is of {time} and was received at {received}"));
        }
        Some(place)
    }

    /// Notes what is odd about how a row is written; whether the row is left out for it.
    fn too_odd(&mut self, row: &Row) -> bool {
        let text = |at: usize| row.cells.get(at).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        let most = rows::ROW_BYTES >> 20;
        match row.oddity {
            Some(Oddity::TooLong) => {
                self.report.note(Seen::Row, row.line, || format!("it is longer than {most} MiB and is left out"));
                return true;
            }
            Some(Oddity::OpenQuote(at)) => {
                let text = text(at);
                self.report.note(Seen::Quote, row.line, || {
                    format!("the quote of {} never closes; it is read as it stands", quoted(&text))
                });
            }
            Some(Oddity::LongQuote(at)) => {
                let text = text(at);
                self.report.note(Seen::Row, row.line, || {
                    format!("the quoted text {} does not end within {most} MiB; its lines are read as they stand", quoted(&text))
                });
            }
            Some(Oddity::Zeros(_) | Oddity::BrokenOff(_) | Oddity::HalfLetter) | None => {}
        }
        false
    }

    /// Appends the samples of all cells that feed a signal. `keys`: of a long table, in the order of its values.
    fn samples(
        &mut self,
        row: &Row,
        plan: &Plan,
        keys: &[String],
        fits: bool,
        place: &Place,
        out: &mut Vec<(SignalIndex, Sample)>,
    ) {
        let quality = self.quality(row, plan);
        match &plan.cells {
            Cells::Wide(columns) => {
                for (at, feeds) in columns {
                    self.count(row, *at);
                    for feed in feeds.iter() {
                        self.sample(row, *at, feed, quality, fits, place, out);
                    }
                }
            }
            Cells::Long(values) => {
                let all = self.feeds;
                for ((at, _), key) in values.iter().zip(keys) {
                    let Some(feeds) = all.get(&*composed(key)) else {
                        self.report.unknown(key);
                        continue;
                    };
                    for feed in feeds {
                        self.sample(row, *at, feed, quality, fits, place, out);
                    }
                }
            }
        }
    }

    /// Whether cells stand under their names. Empty ones beyond the last name are separators at the end of a line.
    fn fits(&mut self, row: &Row, plan: &Plan) -> bool {
        let (found, wanted) = (row.cells.len(), plan.width());
        if wanted == 0 || found == wanted {
            return true;
        }
        let longer = (wanted..found).any(|at| cell(&row.cells, at) != Some(""));
        if found < wanted || longer {
            let names = plan.names.len();
            let help = if longer { "; is a cell that holds the separator not in quotes?" } else { "" };
            self.report.note(Seen::Row, row.line, || format!("it has {found} cells, the header has {names} names{help}"));
        }
        // Where rows have names of their own, one that is shorter may lack its name.
        !(longer || found < wanted && plan.shift > 0)
    }

    /// Whether NUL bytes stand in the place of a row; says where.
    pub(super) fn passed_over(&mut self, row: &Row) -> bool {
        let Some(zeros @ Oddity::Zeros(_)) = row.oddity else { return false };
        self.report.note(Seen::Broken, row.line, || format!("{}, and are passed over", zeros.broken().unwrap_or_default()));
        true
    }

    /// Keeps in mind the first cell for which the table is to be refused.
    fn undeclared(&mut self, quality: bool, line: u64, text: &str) {
        self.report.undeclared.get_or_insert_with(|| Undeclared { quality, line, text: text.to_owned() });
    }

    fn keys(&self, row: &Row, plan: &Plan) -> Vec<String> {
        match &plan.cells {
            Cells::Wide(_) => Vec::new(),
            Cells::Long(values) => values.iter().map(|(_, parts)| key(parts, &row.cells, plan)).collect(),
        }
    }

    fn place(&mut self, row: &Row, plan: &Plan, key: Option<&String>) -> Option<Place> {
        let mut series = 0;
        if self.times.wants_series()
            && let Some(key) = key
        {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            series = hasher.finish();
        }
        let text = self.time_text(row, plan).unwrap_or_default();
        let read = match self.times.read(series, &text) {
            Ok(read) => read,
            Err(fault) => {
                let times = &self.times;
                self.report.note(Seen::Time, row.line, || times.explain(&text, &fault));
                return None;
            }
        };
        self.near_change = read.near_change;
        if read.guess {
            let t = read.t;
            self.report.note(Seen::Guess, row.line, || format!("{} is taken for {t}", quoted(&text)));
        }
        if read.opening != Opening::None {
            self.opening(series, row.line, &read);
        }
        let mut received = read.t;
        let receipt = plan.received.filter(|_| !self.by_receipt).and_then(|at| cell(&row.cells, at));
        if let Some(text) = receipt.filter(|text| !text.is_empty()) {
            match self.times.read_receipt(text, read.t) {
                Ok(read) => received = read.t,
                Err(fault) => {
                    let times = &self.times;
                    self.report.note(Seen::Receipt, row.line, || times.explain(text, &fault));
                }
            }
        }
        self.report.timed += 1;
        let (line, offset, bytes, time) = (row.line, row.offset, row.bytes, read.t);
        Some(Place { line, offset, bytes, time, received, by_order: read.by_order, plan: self.plan })
    }

    /// Keeps in mind where a series begins within an hour that came twice, until a row tells which it was.
    fn opening(&mut self, series: u64, line: u64, read: &ReadTime) {
        match read.opening {
            Opening::None => {}
            Opening::Begins => {
                if let Some(before) = self.openings.insert(series, Began { line, t: read.t, rows: 1 }) {
                    self.note_opening(before);
                }
            }
            // A guess of its own is noted already.
            Opening::GoesOn => {
                if let Some(began) = self.openings.get_mut(&series).filter(|_| !read.guess) {
                    began.rows += 1;
                }
            }
            Opening::Told => {
                self.openings.remove(&series);
            }
        }
    }

    /// Notes the beginnings of which no row told which pass they are.
    pub(super) fn note_openings(&mut self) {
        let mut all: Vec<Began> = self.openings.drain().map(|(_, began)| began).collect();
        all.sort_unstable_by_key(|began| began.line);
        for began in all {
            self.note_opening(began);
        }
    }

    fn note_opening(&mut self, Began { line, t, rows }: Began) {
        self.report.note_all(Seen::Guess, rows, line, || {
            let more = if rows > 1 { format!(", and {} rows behind it hang on that", rows - 1) } else { String::new() };
            format!("its series begins within that hour (or goes on there after a gap); the row is taken for {t}{more}")
        });
    }

    fn quality(&mut self, row: &Row, plan: &Plan) -> Quality {
        let Some(at) = plan.quality else { return Quality::GOOD };
        let reader = QualityReader { codes: self.def.quality.as_ref().map_or_else(Default::default, |quality| quality.codes) };
        let Some(bytes) = row.cells.get(at) else { return Quality::UNCERTAIN };
        // What is no text is no known quality, either.
        let text = String::from_utf8_lossy(bytes);
        let read = reader.read(&text);
        match read {
            ReadQuality::Known(_) => {}
            ReadQuality::Unknown(_) => self.report.note(Seen::Quality, row.line, || read.words(&text).unwrap_or_default()),
            ReadQuality::LooksLikeOpcDa => {
                self.undeclared(true, row.line, &text);
                self.report.note(Seen::Quality, row.line, || {
                    format!("{} is a number of OPC DA; write codes = \"opc_da\"", quoted(&text))
                });
            }
        }
        read.quality()
    }

    fn count(&mut self, row: &Row, at: usize) {
        if self.report.columns.len() <= at {
            self.report.columns.resize(at + 1, (0, 0));
        }
        if let Some((cells, empty)) = self.report.columns.get_mut(at) {
            *cells += 1;
            *empty += u64::from(row.cells.get(at).is_none_or(<[u8]>::is_empty));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a cell is known by all of them")]
    fn sample(
        &mut self,
        row: &Row,
        at: usize,
        feed: &super::Feed,
        quality: Quality,
        fits: bool,
        place: &Place,
        out: &mut Vec<(SignalIndex, Sample)>,
    ) {
        let bytes = row.cells.get(at).unwrap_or_default();
        let read = match std::str::from_utf8(bytes) {
            Ok(text) if text.trim().is_empty() && self.def.empty == Empty::NoSample => return,
            // What stands under a name by accident is no reading of it.
            Ok(_) if !fits => Cell::Absent(Quality::BAD),
            // In quotes, its blanks are meant.
            Ok(text) if row.cells.was_quoted(at) => self.def.cells.read_as_it_stands(text, feed.kind, &mut self.texts),
            Ok(text) => self.def.cells.read(text, feed.kind, &mut self.texts),
            Err(_) => Cell::Unreadable(Unreadable::Broken),
        };
        match &read {
            Cell::Unreadable(why) => {
                let why = *why;
                if why == Unreadable::OtherStyle {
                    self.undeclared(false, row.line, &String::from_utf8_lossy(bytes));
                }
                self.report.note(Seen::Value, row.line, || why.words(&String::from_utf8_lossy(bytes)));
            }
            Cell::Rounded(value) => {
                let value = value.clone();
                self.report
                    .note(Seen::Rounded, row.line, || format!("{} is taken as {value}", quoted(&String::from_utf8_lossy(bytes))));
            }
            Cell::Value(_) | Cell::Absent(_) => {}
        }
        let mut sample = read.sample(place.time, feed.kind, quality);
        sample.received_time = place.received;
        self.report.samples += 1;
        self.report.without_value += u64::from(!sample.has_value());
        if self.met.len() <= feed.signal.at() {
            self.met.resize(feed.signal.at() + 1, Met::NOTHING);
        }
        if let Some(met) = self.met.get_mut(feed.signal.at()) {
            let again = met.last == place.time;
            let mut lost = again && !self.by_receipt;
            self.report.crossed |= !again && (met.first..=met.newest).contains(&place.time);
            *met = Met { last: place.time, first: met.first.min(place.time), newest: met.newest.max(place.time) };
            if self.near_change && !self.by_receipt {
                let one = (feed.signal, place.time);
                lost |= self.changes.contains(&one);
                if self.changes.len() < CHANGES {
                    self.changes.insert(one);
                }
                if lost {
                    self.report.note(Seen::Lost, row.line, || format!("another row is of {}, too, and is lost", place.time));
                }
            }
            self.report.overwritten += u64::from(lost);
            self.report.overwritten_first = self.report.overwritten_first.or(lost.then_some((row.line, place.time)));
        }
        out.push((feed.signal, sample));
    }
}

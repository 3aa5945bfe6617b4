//! CSV files: reading them by the site file's description, and replaying them.

use std::collections::HashMap;
use std::sync::Arc;

use twin_model::{Model, Quality, Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp, Value, ValueKind};
use twin_protocol::LinkState;
use twin_scene::site::{Column, CsvLayout, CsvSource, KeyPart};

use super::{Polled, Source};

/// Faults listed by line; the rest is only counted.
const FAULTS_LISTED: usize = 5;

/// What a CSV file holds for a site: samples in file order.
#[derive(Debug, Clone, Default)]
pub struct CsvRows {
    /// Samples in the order of the file; source and receive time are the recorded time.
    pub samples: Vec<(SignalIndex, Sample)>,
    /// Rows of data read.
    pub rows: u64,
    /// Cells or rows that could not be used.
    pub faults: u64,
    /// The first few of them.
    pub listed: Vec<CsvFault>,
    /// Long layout: keys that no signal of this source has, with how often they came, by key.
    pub unknown_keys: Vec<(String, u64)>,
}

/// A row or cell that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFault {
    /// Line in the file, from 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

struct Plan<'a> {
    def: &'a CsvSource,
    time: usize,
    quality: Option<usize>,
    layout: Layout,
}

enum Layout {
    Long { key: Vec<Part>, value: usize, by_key: HashMap<String, Vec<(SignalIndex, ValueKind)>> },
    Wide(Vec<(usize, Vec<(SignalIndex, ValueKind)>)>),
}

enum Part {
    Text(String),
    Column(usize),
}

/// Reads a CSV file for the signals of `source`.
///
/// # Errors
/// One sentence, where the description does not fit the file at all; single cells that make no sense are listed instead.
pub fn read_csv(bytes: &[u8], def: &CsvSource, model: &Model, source: SourceIndex) -> Result<CsvRows, String> {
    let (body, skipped) = skip_lines(bytes, def.skip_lines);
    let mut reader = csv::ReaderBuilder::new().delimiter(def.separator).has_headers(false).flexible(true).from_reader(body);
    let mut records = reader.byte_records();
    let mut first = None;
    let mut header = None;
    if def.header {
        header = Some(records.next().ok_or("the file is empty")?.map_err(|e| e.to_string())?);
        // A header one name short names all columns but the first (as R writes row names).
        first = records.next().transpose().map_err(|e| e.to_string())?;
    }
    let names: Vec<String> = header.iter().flatten().map(text).collect();
    let shift = usize::from(first.as_ref().is_some_and(|row| row.len() == names.len() + 1 && !names.is_empty()));
    let plan = plan(def, model, source, &names, shift)?;
    let mut out = CsvRows::default();
    let mut unknown: HashMap<String, u64> = HashMap::new();
    let mut words: HashMap<Vec<u8>, Arc<str>> = HashMap::new();
    for record in first.into_iter().map(Ok).chain(records) {
        let record = record.map_err(|e| e.to_string())?;
        out.rows += 1;
        let line = record.position().map_or(0, csv::Position::line) + skipped;
        read_row(&plan, &record, line, &mut out, &mut unknown, &mut words);
    }
    out.unknown_keys = unknown.into_iter().collect();
    out.unknown_keys.sort();
    Ok(out)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().trim_start_matches('\u{feff}').to_owned()
}

fn skip_lines(bytes: &[u8], lines: usize) -> (&[u8], u64) {
    let mut rest = bytes;
    for _ in 0..lines {
        let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
        rest = rest.get(end..).unwrap_or_default();
    }
    (rest, lines as u64)
}

fn plan<'a>(def: &'a CsvSource, model: &Model, source: SourceIndex, names: &[String], shift: usize) -> Result<Plan<'a>, String> {
    let at = |column: &Column| match column {
        Column::Index(at) => Ok(*at),
        Column::Name(name) => {
            let found = names.iter().position(|known| known == name).map(|at| at + shift);
            found.ok_or_else(|| format!("{} has no column '{name}'; it has: {}", def.path, names.join(", ")))
        }
    };
    let mut by_key: HashMap<String, Vec<(SignalIndex, ValueKind)>> = HashMap::new();
    for signal in model.signal_indices().filter(|s| model.signal(*s).source == Some(source)) {
        let known = model.signal(signal);
        by_key.entry(known.source_key.clone()).or_default().push((signal, known.value_kind));
    }
    let layout = match &def.layout {
        CsvLayout::Long { key, value } => {
            let part = |part: &KeyPart| match part {
                KeyPart::Text(text) => Ok(Part::Text(text.clone())),
                KeyPart::Column(column) => at(column).map(Part::Column),
            };
            Layout::Long { key: key.iter().map(part).collect::<Result<_, String>>()?, value: at(value)?, by_key }
        }
        CsvLayout::Wide { columns } => {
            let column = |(column, key): &(Column, String)| Ok((at(column)?, by_key.get(key).cloned().unwrap_or_default()));
            Layout::Wide(columns.iter().map(column).collect::<Result<_, String>>()?)
        }
    };
    let quality = def.quality.as_ref().map(at).transpose()?;
    Ok(Plan { def, time: at(&def.time)?, quality, layout })
}

fn read_row(
    plan: &Plan<'_>,
    record: &csv::ByteRecord,
    line: u64,
    out: &mut CsvRows,
    unknown: &mut HashMap<String, u64>,
    words: &mut HashMap<Vec<u8>, Arc<str>>,
) {
    let cell = |at: usize| record.get(at).and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::trim);
    let mut fault = |what: String| {
        out.faults += 1;
        if out.listed.len() < FAULTS_LISTED {
            out.listed.push(CsvFault { line, what });
        }
    };
    let Some(time) = cell(plan.time).and_then(|text| plan.def.time_format.parse(text)) else {
        return fault(format!("'{}' is not a time in the format of the site file", cell(plan.time).unwrap_or("")));
    };
    let quality = match plan.quality.and_then(cell).filter(|text| !text.is_empty()) {
        None => Quality::GOOD,
        Some(text) => match Quality::parse(text) {
            Some(quality) => quality,
            None => return fault(format!("'{text}' is not a quality")),
        },
    };
    let cells: Vec<(usize, &Vec<(SignalIndex, ValueKind)>)> = match &plan.layout {
        Layout::Wide(columns) => columns.iter().map(|(at, feeds)| (*at, feeds)).collect(),
        Layout::Long { key, value, by_key } => {
            let part = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::Column(at) => cell(*at).unwrap_or("").to_owned(),
            };
            let key: String = key.iter().map(part).collect();
            let Some(feeds) = by_key.get(&key) else {
                *unknown.entry(key).or_default() += 1;
                return;
            };
            vec![(*value, feeds)]
        }
    };
    for (at, feeds) in cells {
        let Some(text) = cell(at) else {
            if !feeds.is_empty() {
                fault(format!("column {at} is missing or not UTF-8"));
            }
            continue;
        };
        if plan.def.null.iter().any(|null| null == text) {
            continue;
        }
        for (signal, kind) in feeds {
            match value(text, *kind, words) {
                Some(value) => out.samples.push((*signal, Sample::new(time, value).with_quality(quality))),
                None => fault(format!("'{text}' is not {}", kind_words(*kind))),
            }
        }
    }
}

fn value(text: &str, kind: ValueKind, words: &mut HashMap<Vec<u8>, Arc<str>>) -> Option<Value> {
    Some(match kind {
        ValueKind::Float => Value::Float(text.parse().ok()?),
        ValueKind::Int => {
            let whole = || text.parse::<f64>().ok().filter(|v| v.fract() == 0.0 && v.abs() < 9e15).map(|v| v as i64);
            Value::Int(text.parse().ok().or_else(whole)?)
        }
        ValueKind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "1.0" | "on" | "yes" => Value::Bool(true),
            "false" | "0" | "0.0" | "off" | "no" => Value::Bool(false),
            _ => return None,
        },
        ValueKind::Text => match words.get(text.as_bytes()) {
            Some(word) => Value::Text(word.clone()),
            None => {
                let word: Arc<str> = text.into();
                words.insert(text.as_bytes().to_vec(), word.clone());
                Value::Text(word)
            }
        },
    })
}

fn kind_words(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Float => "a number",
        ValueKind::Int => "a whole number",
        ValueKind::Bool => "a switch (true, false, 1, 0)",
        ValueKind::Text => "a text",
    }
}

/// Replays rows in file order, at the pace of their times.
pub struct CsvReplay {
    source: SourceIndex,
    samples: Vec<(SignalIndex, Sample)>,
    /// Running maximum of the times up to each sample: the moment at which it is due.
    due: Vec<Timestamp>,
    at: usize,
    /// What is added to recorded times (before pacing).
    shift: Span,
    /// Length of one round, for loops.
    round: Span,
    repeat: bool,
    /// Maps recorded to server time: `(start, speed)` where times are moved, `None` where they stay as recorded.
    moved: Option<(Timestamp, f64)>,
    first: Timestamp,
}

impl CsvReplay {
    /// Replays `rows`. `moved` puts the first row at an instant and squeezes the spacing by a speed; without it times stay
    /// as recorded (and the server's clock is that of the recording).
    pub fn new(source: SourceIndex, rows: CsvRows, repeat: bool, moved: Option<(Timestamp, f64)>) -> Self {
        let samples = rows.samples;
        let mut newest = Timestamp::MIN;
        let due: Vec<Timestamp> = samples
            .iter()
            .map(|(_, sample)| {
                newest = newest.max(sample.source_time);
                newest
            })
            .collect();
        let first = samples.iter().map(|(_, s)| s.source_time).min().unwrap_or(Timestamp::MIN);
        let last = due.last().copied().unwrap_or(first);
        let distinct = due.windows(2).filter(|pair| pair.first() != pair.last()).count().max(1) as i64;
        // One usual step lies between the last row and the first of the next round.
        let step = Span::from_micros((last.since(first).as_micros() / distinct).max(1));
        let round = last.since(first) + step;
        Self { source, samples, due, at: 0, shift: Span::ZERO, round, repeat, moved, first }
    }

    /// First and last recorded time; `None` without rows.
    pub fn extent(&self) -> Option<TimeRange> {
        self.due.last().map(|last| TimeRange::new(self.first, *last))
    }

    fn map(&self, t: Timestamp) -> Timestamp {
        let t = t + self.shift;
        match self.moved {
            None => t,
            Some((start, speed)) => start + Span::from_secs_f64(t.since(self.first).as_secs_f64() / speed),
        }
    }
}

impl Source for CsvReplay {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn stands_for(&self) -> Vec<SourceIndex> {
        vec![self.source]
    }

    fn poll(&mut self, now: Timestamp, out: &mut Polled) {
        loop {
            while let Some(due) = self.due.get(self.at)
                && self.map(*due) <= now
                && let Some((signal, sample)) = self.samples.get(self.at)
            {
                let mut sample = sample.clone();
                sample.received_time = self.map(*due);
                sample.source_time = self.map(sample.source_time);
                out.samples.push((*signal, sample));
                self.at += 1;
            }
            // The bound keeps one poll short even where a clock jumps far ahead.
            if self.at < self.due.len() || !self.repeat || self.due.is_empty() || out.samples.len() > 1_000_000 {
                break;
            }
            self.at = 0;
            self.shift = self.shift + self.round;
        }
        let ended = self.at >= self.due.len() && !self.repeat;
        let (state, detail) = if ended { (LinkState::Ended, "the recording is over") } else { (LinkState::Up, "") };
        out.links.push((self.source, state, detail.to_owned()));
    }
}

#[cfg(test)]
mod tests;

//! What an answer about history lacks because it can't be read: as a value, in words, and as a header.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use twin_historian::Store;
use twin_historian::historian::KeepError;
use twin_model::{Model, Quality, Sample, SignalIndex, TimeRange, Timestamp};

use crate::history::damage;
use crate::stores::{ALWAYS, empty_store};

/// Header of an answer about history that lacks something: stretches of microseconds since 1970, half-open, and signals by position.
pub(crate) const MISSING: &str = "orrery-missing";
/// Stretches that a header names: some kilobytes.
const NAMED: usize = 64;
/// What the store that makes [`marks`] may take: a sample of every signal.
const MARKS_BYTES: usize = 64 << 20;

/// A stretch of history that an answer lacks, and the signals that it may be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacks {
    /// Source times, half-open.
    pub range: TimeRange,
    /// The site's signals.
    pub signals: Vec<SignalIndex>,
    /// What is wrong with what was kept of it.
    pub why: String,
}

impl Lacks {
    /// For people: which time of which signals is missing, and why.
    pub fn words(&self, model: &Model) -> String {
        format!("{}: {}", damage::words(model, self.range, &self.signals), self.why)
    }
}

/// What to do about what was kept and can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damaged {
    /// An answer ends before it, and one that would begin with it is none.
    Refuse,
    /// It is left out, and named beside the answer.
    LeaveOut,
    /// As [`Self::LeaveOut`], and [`lost`] stands where it begins: for whoever shows the answer.
    Mark,
}

impl Damaged {
    /// As an address says it; none where that has no meaning.
    pub(crate) fn read(wish: Option<&str>) -> Option<Self> {
        match wish {
            None => Some(Self::Refuse),
            Some("left-out") => Some(Self::LeaveOut),
            Some("marked") => Some(Self::Mark),
            Some(_) => None,
        }
    }
}

/// Where something that was kept can't be read, nobody knows what held from its beginning to the next reading that there is: that a
/// value from before went on is not known. OPC UA has a word for it, `Bad_DataLost` (Part 8, 6.3.3).
pub(crate) fn lost(model: &Model, signal: SignalIndex, begin: Timestamp) -> Sample {
    Sample::without_value(begin, model.signal(signal).value_kind, Quality::BAD_DATA_LOST)
}

/// [`lost`] of all signals of what is missing, as chunks.
pub(crate) fn marks(model: &Model, lacks: &[Lacks]) -> Vec<Vec<u8>> {
    if lacks.is_empty() {
        return Vec::new();
    }
    let mut store: Store = empty_store(model, MARKS_BYTES);
    for lacks in lacks {
        for signal in &lacks.signals {
            store.append(*signal, &lost(model, *signal, lacks.range.start));
        }
    }
    let range = ALWAYS;
    store.export_chunks(range).into_iter().map(|chunk| chunk.bytes).collect()
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoHistory {
    /// What was kept of the beginning of the stretch can't be read.
    Lacks(Vec<Lacks>),
    /// Nothing can be read now.
    Unread(KeepError),
}

impl From<KeepError> for NoHistory {
    fn from(error: KeepError) -> Self {
        Self::Unread(error)
    }
}

/// The answer where the stretch begins with what can't be read: as of a page.
pub(crate) fn refused(model: &Model, lacks: &[Lacks]) -> Response {
    let words: Vec<String> = lacks.iter().take(NAMED).map(|lacks| lacks.words(model)).collect();
    let end = lacks.iter().map(|lacks| lacks.range.end).max().unwrap_or(Timestamp::MAX);
    let after = end.as_micros();
    let words =
        format!("{}; ask from={after} for what comes after it, or with damaged=left-out for what is left\n", words.join("\n"));
    with_missing((StatusCode::INTERNAL_SERVER_ERROR, words).into_response(), lacks)
}

/// Names what an answer lacks in its header.
pub(crate) fn with_missing(mut answer: Response, lacks: &[Lacks]) -> Response {
    let one = |lacks: &Lacks| {
        let (start, end) = (lacks.range.start.as_micros(), lacks.range.end.as_micros());
        let ends = lacks.signals.first().zip(lacks.signals.last());
        ends.map_or_else(|| format!("{start}/{end}"), |(first, last)| format!("{start}/{end};signals={}-{}", first.0, last.0))
    };
    let mut named: Vec<String> = lacks.iter().take(NAMED).map(one).collect();
    if lacks.len() > NAMED {
        named.push("more".to_owned());
    }
    if let (false, Ok(value)) = (named.is_empty(), named.join(", ").parse()) {
        answer.headers_mut().insert(MISSING, value);
    }
    answer
}

/// What a part of [`MISSING`] says, for people.
pub(crate) fn missing_words(part: &str) -> String {
    let (stretch, signals) = part.trim().split_once(";signals=").unwrap_or((part.trim(), ""));
    let time = |text: &str| text.parse().ok().map(Timestamp::from_micros);
    let ends = stretch.split_once('/').and_then(|(start, end)| time(start).zip(time(end)));
    let Some((start, end)) = ends else { return "more of the gateway's history can't be read and is missing".to_owned() };
    let of = if signals.is_empty() { String::new() } else { format!(" of signals {signals} (by position)") };
    let stretch = crate::term::stretch(TimeRange::new(start, end));
    format!("the gateway can't read its history {stretch}{of}: it is missing")
}

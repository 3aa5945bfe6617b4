//! The catalogue of a publication's history: which pages there are, each as pieces. What `/api/catalogue` is to a gateway, for
//! whoever has files only.

use serde::{Deserialize, Serialize};
use twin_model::{SignalId, Span, TimeRange, Timestamp, ValueKind};

use crate::error::PublicationError;
use crate::limits::{FEW, HISTORY_BYTES, HISTORY_LINKS, HISTORY_PAGES, HISTORY_SIGNALS, NAME_BYTES};
use crate::list::List;
use crate::piece::PieceRef;
use crate::wire::{Form, name};

const FORM: Form =
    Form { what: "the catalogue of history", format: "orrery.history", version: crate::HISTORY_VERSION, most: HISTORY_BYTES };

/// Levels of detail that are listed at most; there are three.
const LEVELS: usize = 16;

/// Everything that is kept of a plant's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedHistory {
    /// Where the plant's clock stood when it was published.
    pub now: Timestamp,
    /// From the first to the end of the last sample, half-open; `None` where there is none.
    pub extent: Option<TimeRange>,
    /// History before this was removed at every level because its time was over.
    pub outside_before: Option<Timestamp>,
    /// Signals by the positions under which chunks name them.
    pub signals: Vec<HistorySignal>,
    /// Pages by level of detail.
    pub levels: Vec<HistoryLevel>,
    /// When links to sources went up and down, in order of time.
    pub links: Vec<HistoryLink>,
}

/// Pages of one level of detail, ascending, none over another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLevel {
    /// Its name, as the catalogue of a gateway has it (docs/PROTOCOL.md, "Paging").
    pub level: String,
    /// Pages begin at whole multiples of this since 1970.
    pub slab: Span,
    /// The pages.
    pub pages: Vec<HistoryPage>,
}

/// A stretch of history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// When, half-open.
    pub range: TimeRange,
    /// Samples of its level in it, without what is carried in.
    pub samples: u64,
    /// Its parts, in order, each a *page* frame of the protocol; at least one.
    pub parts: Vec<PieceRef>,
}

/// A signal that history is kept of, as the dictionary of the stream has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySignal {
    /// Its id.
    pub signal: SignalId,
    /// The kind of its values.
    pub kind: ValueKind,
}

/// A link to a source changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLink(
    /// Position of the source in the model.
    pub u32,
    /// What it was from then on, as the catalogue of a gateway has it.
    pub String,
    /// When, in microseconds.
    pub i64,
);

#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
    now_us: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extent_us: Option<[i64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outside_before_us: Option<i64>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    signals: List<SignalRow, HISTORY_SIGNALS>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    levels: List<LevelRow, LEVELS>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    links: List<HistoryLink, HISTORY_LINKS>,
}

#[derive(Serialize, Deserialize)]
struct SignalRow {
    signal: String,
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct LevelRow {
    level: String,
    slab_us: i64,
    #[serde(default)]
    pages: List<PageRow, HISTORY_PAGES>,
}

#[derive(Serialize, Deserialize)]
struct PageRow {
    start_us: i64,
    end_us: i64,
    samples: u64,
    parts: List<PieceRef, FEW>,
}

impl PublishedHistory {
    /// The catalogue as JSON; equal ones have equal bytes.
    ///
    /// # Errors
    /// What [`Self::read`] would refuse.
    pub fn write(&self) -> Result<Vec<u8>, PublicationError> {
        self.check()?;
        let page = |page: &HistoryPage| PageRow {
            start_us: page.range.start.as_micros(),
            end_us: page.range.end.as_micros(),
            samples: page.samples,
            parts: page.parts.iter().copied().collect(),
        };
        let level = |level: &HistoryLevel| LevelRow {
            level: level.level.clone(),
            slab_us: level.slab.as_micros(),
            pages: level.pages.iter().map(page).collect(),
        };
        let head = FORM.head();
        FORM.write(&Document {
            format: head.format,
            version: head.version,
            now_us: self.now.as_micros(),
            extent_us: self.extent.map(|extent| [extent.start.as_micros(), extent.end.as_micros()]),
            outside_before_us: self.outside_before.map(Timestamp::as_micros),
            signals: self.signals.iter().map(SignalRow::of).collect(),
            levels: self.levels.iter().map(level).collect(),
            links: self.links.iter().cloned().collect(),
        })
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// In words: pages that overlap or are empty, pages without parts, more of something than there can be.
    pub fn read(bytes: &[u8]) -> Result<Self, PublicationError> {
        let document: Document = FORM.read(bytes, |document: &Document| (&document.format, document.version))?;
        let at = Timestamp::from_micros;
        let page = |row: PageRow| HistoryPage {
            range: TimeRange::new(at(row.start_us), at(row.end_us)),
            samples: row.samples,
            parts: row.parts.0,
        };
        let level = |row: LevelRow| HistoryLevel {
            level: row.level,
            slab: Span::from_micros(row.slab_us),
            pages: row.pages.0.into_iter().map(page).collect(),
        };
        let read = Self {
            now: at(document.now_us),
            extent: document.extent_us.map(|[start, end]| TimeRange::new(at(start), at(end))),
            outside_before: document.outside_before_us.map(at),
            signals: document.signals.0.into_iter().enumerate().map(SignalRow::read).collect::<Result<_, _>>()?,
            levels: document.levels.0.into_iter().map(level).collect(),
            links: document.links.0,
        };
        read.check()?;
        Ok(read)
    }

    /// One rule for writer and reader.
    fn check(&self) -> Result<(), PublicationError> {
        if self.extent.is_some_and(|extent| extent.start >= extent.end) {
            return Err(PublicationError::invalid("extent_us", "what holds nothing has no extent; leave it out"));
        }
        for (at, signal) in self.signals.iter().enumerate() {
            name(signal.signal.as_str(), || format!("signals[{at}]"))?;
        }
        few("signals", self.signals.len(), HISTORY_SIGNALS)?;
        few("levels", self.levels.len(), LEVELS)?;
        few("links", self.links.len(), HISTORY_LINKS)?;
        for (at, level) in self.levels.iter().enumerate() {
            name(&level.level, || format!("levels[{at}].level"))?;
            few("pages", level.pages.len(), HISTORY_PAGES)?;
            pages(at, &level.pages)?;
        }
        Ok(())
    }
}

impl SignalRow {
    fn of(signal: &HistorySignal) -> Self {
        Self { signal: signal.signal.to_string(), kind: signal.kind.as_str().to_owned() }
    }

    fn read((at, row): (usize, Self)) -> Result<HistorySignal, PublicationError> {
        let why = "this kind of values is not known here; reload the page or install the newer Orrery";
        let kind = ValueKind::parse(&row.kind).ok_or_else(|| PublicationError::invalid(format!("signals[{at}].kind"), why))?;
        Ok(HistorySignal { signal: row.signal.as_str().into(), kind })
    }
}

fn few(what: &'static str, count: usize, most: usize) -> Result<(), PublicationError> {
    if count <= most { Ok(()) } else { Err(PublicationError::TooMany { what, count, most }) }
}

fn pages(level: usize, pages: &[HistoryPage]) -> Result<(), PublicationError> {
    let mut before = None;
    for (at, page) in pages.iter().enumerate() {
        let wrong = |why: &str| Err(PublicationError::invalid(format!("levels[{level}].pages[{at}]"), why));
        if page.range.start >= page.range.end {
            return wrong("a page ends after it starts");
        }
        if before.is_some_and(|before| before > page.range.start) {
            return wrong("pages stand in ascending order and none lies over another");
        }
        if page.parts.is_empty() {
            return wrong("a page has at least one part");
        }
        few("parts of a page", page.parts.len(), FEW)?;
        before = Some(page.range.end);
    }
    Ok(())
}

const _: () = assert!(NAME_BYTES >= 1_024, "an id of a signal is a name");

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_secs(start), Timestamp::from_secs(end))
    }

    fn page(start: i64, end: i64) -> HistoryPage {
        HistoryPage { range: range(start, end), samples: 7, parts: vec![PieceRef::of(b"a"), PieceRef::of(b"b")] }
    }

    fn signal(signal: &str, kind: ValueKind) -> HistorySignal {
        HistorySignal { signal: signal.into(), kind }
    }

    fn whole() -> PublishedHistory {
        PublishedHistory {
            now: Timestamp::from_secs(9_000),
            extent: Some(range(10, 9_000)),
            outside_before: Some(Timestamp::from_secs(5)),
            signals: vec![signal("pump.flow", ValueKind::Float), signal("pump.mode", ValueKind::Text)],
            levels: vec![
                HistoryLevel {
                    level: "raw".into(),
                    slab: Span::from_secs(3_600),
                    pages: vec![page(0, 3_600), page(3_600, 7_200)],
                },
                HistoryLevel { level: "1h".into(), slab: Span::from_secs(345_600), pages: Vec::new() },
            ],
            links: vec![HistoryLink(0, "up".into(), 10_000_000)],
        }
    }

    #[test]
    fn a_catalogue_comes_back_as_it_was() {
        let empty =
            PublishedHistory { extent: None, outside_before: None, signals: vec![], levels: vec![], links: vec![], ..whole() };
        for history in [whole(), empty] {
            let bytes = history.write().unwrap();
            assert_eq!(PublishedHistory::read(&bytes).unwrap(), history);
            assert_eq!(PublishedHistory::read(&bytes).unwrap().write().unwrap(), bytes);
        }
    }

    #[test]
    fn what_makes_no_sense_is_neither_written_nor_read() {
        let raw = |pages: Vec<HistoryPage>| {
            let mut history = whole();
            history.levels[0].pages = pages;
            history
        };
        let no_parts = HistoryPage { parts: Vec::new(), ..page(0, 5) };
        let backwards = PublishedHistory { extent: Some(range(5, 5)), ..whole() };
        let long = PublishedHistory { signals: vec![signal(&"x".repeat(NAME_BYTES + 1), ValueKind::Int)], ..whole() };
        for (history, words) in [
            (raw(vec![page(5, 5)]), "ends after it starts"),
            (raw(vec![page(0, 10), page(9, 20)]), "ascending order"),
            (raw(vec![page(20, 30), page(0, 10)]), "ascending order"),
            (raw(vec![no_parts]), "at least one part"),
            (backwards, "leave it out"),
            (long, "signals[0]"),
        ] {
            let error = history.write().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let text = String::from_utf8(whole().write().unwrap()).unwrap();
        for (from, to, words) in [
            ("\"start_us\":3600000000", "\"start_us\":3599999999", "levels[0].pages[1]"),
            ("orrery.history", "orrery.model", "orrery.model"),
            ("\"version\":1", "\"version\":2", "version 2"),
            ("\"text\"", "\"json\"", "signals[1].kind"),
        ] {
            let error = PublishedHistory::read(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

//! The states of sources' links over time, as notes of the keeper: one for each hour with changes and one that lists the hours.
//! Bounded: the oldest hours are forgotten.

use std::collections::{BTreeMap, BTreeSet};

use twin_historian::historian::{Change, Historian, KeepError};
use twin_model::{Span, Timestamp};
use twin_protocol::{LinkChange, LinkState};

/// Changes remembered, over all hours.
const MOST: usize = 10_000;
/// Note that lists the hours.
const INDEX: &str = "links";
const HOUR: Span = Span::from_secs(3_600);

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Lines `<microseconds> <state> <source>` by the hour's start.
    hours: BTreeMap<i64, Vec<String>>,
    touched: BTreeSet<i64>,
    count: usize,
}

impl Links {
    /// What a keeper has.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn load(keeper: &dyn Historian) -> Result<Self, KeepError> {
        let mut links = Self::default();
        let index = keeper.note(INDEX)?.unwrap_or_default();
        for hour in index.lines().filter_map(|line| line.parse::<i64>().ok()) {
            let lines: Vec<String> = keeper.note(&name(hour))?.unwrap_or_default().lines().map(str::to_owned).collect();
            links.count += lines.len();
            links.hours.insert(hour, lines);
        }
        Ok(links)
    }

    pub(super) fn push(&mut self, at: Timestamp, source: &str, state: LinkState) {
        let state = LinkState::ALL.iter().position(|known| *known == state).unwrap_or(0);
        let hour = at.floor_to(HOUR).as_micros();
        self.hours.entry(hour).or_default().push(format!("{} {state} {source}", at.as_micros()));
        self.touched.insert(hour);
        self.count += 1;
        while self.count > MOST
            && self.hours.len() > 1
            && let Some((hour, lines)) = self.hours.pop_first()
        {
            self.count -= lines.len();
            self.touched.insert(hour);
        }
    }

    /// What is to be written since the last [`Self::committed`].
    pub(super) fn changes(&self) -> Vec<Change> {
        if self.touched.is_empty() {
            return Vec::new();
        }
        let text = |hour: &i64| self.hours.get(hour).map(|lines| lines.join("\n")).unwrap_or_default();
        let notes = self.touched.iter().map(|hour| Change::Note { name: name(*hour), text: text(hour) });
        let index = self.hours.keys().map(|hour| format!("{hour}\n")).collect();
        notes.chain([Change::Note { name: INDEX.to_owned(), text: index }]).collect()
    }

    /// What [`Self::changes`] told is kept now.
    pub(super) fn committed(&mut self) {
        self.touched.clear();
    }

    /// All changes by time, of the sources that `position` still knows.
    pub(super) fn all(&self, position: &dyn Fn(&str) -> Option<u32>) -> Vec<LinkChange> {
        let read = |line: &String| {
            let (at, rest) = line.split_once(' ')?;
            let (state, source) = rest.split_once(' ')?;
            let state = *LinkState::ALL.get(state.parse::<usize>().ok()?)?;
            Some(LinkChange { source: position(source)?, state, at: Timestamp::from_micros(at.parse().ok()?) })
        };
        let mut all: Vec<LinkChange> = self.hours.values().flatten().filter_map(read).collect();
        all.sort_by_key(|change| change.at);
        all
    }
}

fn name(hour: i64) -> String {
    format!("{INDEX}/{hour}")
}

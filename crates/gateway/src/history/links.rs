//! The states of sources' links over time, as notes of the keeper: one for each hour with changes and one that lists the hours.
//! Bounded: the oldest hours are forgotten. A server that was killed said of no link that it ended: [`Links::unended`] tells which.

use std::collections::{BTreeMap, BTreeSet};

use twin_historian::historian::{Change, Historian, KeepError};
use twin_model::{Model, Span, Timestamp};
use twin_protocol::{LinkChange, LinkState};

/// Changes remembered, over all hours.
const MOST: usize = 10_000;
/// Note that lists the hours.
const INDEX: &str = "links";
const HOUR: Span = Span::from_secs(3_600);
/// Note with the newest moment, in microseconds, at which a server said that it runs.
const LIVED: &str = "lived";
/// Kind of the sources that are up while somebody is connected.
const SENDER: &str = "websocket";

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Lines `<microseconds> <state> <source>` by the hour's start.
    hours: BTreeMap<i64, Vec<String>>,
    touched: BTreeSet<i64>,
    count: usize,
    lived: Option<Timestamp>,
    /// Whether [`LIVED`] is to be written.
    lives: bool,
}

impl Links {
    /// What a keeper has.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn load(keeper: &dyn Historian) -> Result<Self, KeepError> {
        let lived = keeper.note(LIVED)?.and_then(|text| text.parse().ok()).map(Timestamp::from_micros);
        let mut links = Self { lived, ..Self::default() };
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
        let lived = self.lived.filter(|_| self.lives);
        let lived = lived.map(|at| Change::Note { name: LIVED.to_owned(), text: at.as_micros().to_string() });
        if self.touched.is_empty() {
            return lived.into_iter().collect();
        }
        let text = |hour: &i64| self.hours.get(hour).map(|lines| lines.join("\n")).unwrap_or_default();
        let notes = self.touched.iter().map(|hour| Change::Note { name: name(*hour), text: text(hour) });
        let index = self.hours.keys().map(|hour| format!("{hour}\n")).collect();
        notes.chain([Change::Note { name: INDEX.to_owned(), text: index }]).chain(lived).collect()
    }

    /// What [`Self::changes`] told is kept now.
    pub(super) fn committed(&mut self) {
        self.touched.clear();
        self.lives = false;
    }

    /// Ids of the sources that are up after the last change of each and can't be without a server: senders, which a server that ends with a
    /// word sees go, and what the site does not have. A file or a generator says nothing when its server ends, however that does.
    pub(super) fn unended(&self, model: &Model) -> Vec<String> {
        let silent = |id: &str| model.sources().iter().any(|source| source.id == id && source.kind != SENDER);
        let mut up = BTreeSet::new();
        for (_, state, source) in self.lines() {
            match state {
                LinkState::Up => up.insert(source),
                LinkState::Down | LinkState::Ended => up.remove(source),
                // Not tried yet: a later server that no sender found.
                LinkState::Unknown => false,
            };
        }
        up.into_iter().filter(|id| !silent(id)).map(str::to_owned).collect()
    }

    /// Sources that are down from then on.
    pub(super) fn end(&mut self, ended: &[(String, Timestamp)]) {
        ended.iter().for_each(|(source, at)| self.push(*at, source, LinkState::Down));
    }

    /// The server that keeps this runs, by its clock.
    pub(super) fn live(&mut self, now: Timestamp) {
        (self.lived, self.lives) = (Some(now), true);
    }

    /// When the newest change was.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.lines().map(|(at, ..)| at).max()
    }

    /// When a server last said that it runs.
    pub(super) fn lived(&self) -> Option<Timestamp> {
        self.lived
    }

    /// Time, state and source of all changes, in order of their hours.
    fn lines(&self) -> impl Iterator<Item = (Timestamp, LinkState, &str)> {
        fn read(line: &str) -> Option<(Timestamp, LinkState, &str)> {
            let (at, rest) = line.split_once(' ')?;
            let (state, source) = rest.split_once(' ')?;
            let state = *LinkState::ALL.get(state.parse::<usize>().ok()?)?;
            Some((Timestamp::from_micros(at.parse().ok()?), state, source))
        }
        self.hours.values().flatten().filter_map(|line| read(line))
    }

    /// All changes by time, of the sources that `position` still knows.
    pub(super) fn all(&self, position: &dyn Fn(&str) -> Option<u32>) -> Vec<LinkChange> {
        let known = |(at, state, source): (Timestamp, LinkState, &str)| Some(LinkChange { source: position(source)?, state, at });
        let mut all: Vec<LinkChange> = self.lines().filter_map(known).collect();
        all.sort_by_key(|change| change.at);
        all
    }
}

fn name(hour: i64) -> String {
    format!("{INDEX}/{hour}")
}

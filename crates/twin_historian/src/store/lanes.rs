//! Lanes: which signals are kept together in one chunk, and under which numbers. Knows no samples.
//!
//! A store counts its signals as its site does. A keeper outlives sites: it gives every series a number for ever. Where the two
//! differ, chunks to keep ([`Store::seal`](super::Store::seal)) have the keeper's numbers and its lanes, and chunks for others
//! ([`Store::export_chunks`](super::Store::export_chunks)) have the site's.

use std::collections::BTreeMap;

use twin_model::SignalIndex;

/// A run of neighbouring numbers, and which of them are signals here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    /// Its first number.
    pub(super) first: u32,
    /// Numbers in it that have been given to anybody.
    pub(super) width: u32,
    /// Offsets from the first number, ascending, and the columns of their signals.
    pub(super) members: Vec<(u32, u32)>,
}

impl Lane {
    /// Whether every number of it is a signal here: only then can what the store holds be all there is.
    pub(super) const fn complete(&self) -> bool {
        self.members.len() == self.width as usize
    }

    /// Neighbouring columns under their own positions.
    fn of_columns(first: u32, width: u32) -> Self {
        Self { first, width, members: (0..width).map(|offset| (offset, first + offset)).collect() }
    }
}

/// All lanes of a store.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    /// Ascending by first number; those without a signal here are left out.
    pub(super) kept: Vec<Lane>,
    /// Place in `kept` by column.
    of: Vec<u32>,
    /// Column by number; none where numbers are positions.
    columns: Option<BTreeMap<u32, u32>>,
}

impl Lanes {
    /// Numbers are positions.
    pub(super) fn by_position(signals: u32, width: u32) -> Self {
        let kept: Vec<Lane> = by_position(signals, width).collect();
        Self { of: (0..signals).map(|column| column / width).collect(), kept, columns: None }
    }

    /// The n-th signal has `numbers[n]`; `given` numbers have been given out so far. None where two have the same.
    pub(super) fn by_number(numbers: &[u32], given: u32, width: u32) -> Option<Self> {
        let columns: BTreeMap<u32, u32> = numbers.iter().enumerate().map(|(at, number)| (*number, at as u32)).collect();
        if columns.len() != numbers.len() {
            return None;
        }
        let given = columns.last_key_value().map_or(given, |(last, _)| given.max(last.saturating_add(1)));
        let mut kept: Vec<Lane> = Vec::new();
        let mut of = vec![0; numbers.len()];
        for (number, column) in &columns {
            let first = number / width * width;
            if kept.last().is_none_or(|lane| lane.first != first) {
                kept.push(Lane { first, width: width.min(given - first), members: Vec::new() });
            }
            let at = kept.len() as u32 - 1;
            if let (Some(lane), Some(slot)) = (kept.last_mut(), of.get_mut(*column as usize)) {
                lane.members.push((number - first, *column));
                *slot = at;
            }
        }
        let same = numbers.iter().enumerate().all(|(at, number)| at as u32 == *number);
        Some(Self { kept, of, columns: (!same).then_some(columns) })
    }

    /// Place of the lane that begins with a number.
    pub(super) fn find(&self, first: u32) -> Option<usize> {
        self.kept.binary_search_by_key(&first, |lane| lane.first).ok()
    }

    /// Place of the lane that a column is kept in.
    pub(super) fn of(&self, column: SignalIndex) -> u32 {
        self.of.get(column.at()).copied().unwrap_or(0)
    }

    /// The signal under a number; none where it is no signal here.
    pub(super) fn signal(&self, number: u32) -> Option<SignalIndex> {
        match &self.columns {
            Some(columns) => columns.get(&number).map(|column| SignalIndex(*column)),
            None => ((number as usize) < self.of.len()).then_some(SignalIndex(number)),
        }
    }

    /// Whether numbers are positions.
    pub(super) const fn positions(&self) -> bool {
        self.columns.is_none()
    }
}

/// Lanes of neighbouring positions.
pub(super) fn by_position(signals: u32, width: u32) -> impl Iterator<Item = Lane> {
    (0..signals.div_ceil(width)).map(move |lane| Lane::of_columns(lane * width, width.min(signals - lane * width)))
}

//! The samples of one signal.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::row::Row;

/// Words of a text signal by code, in order of first appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    words: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Words {
    pub(crate) fn code(&mut self, word: &Arc<str>) -> u64 {
        if let Some(code) = self.codes.get(word) {
            return u64::from(*code);
        }
        let code = self.words.len();
        self.words.push(word.clone());
        self.codes.insert(word.clone(), code as u32);
        self.bytes += word.len() + 16 + 24 + 32;
        code as u64
    }

    pub(crate) fn word(&self, code: u64) -> Option<&Arc<str>> {
        self.words.get(usize::try_from(code).ok()?)
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What an insertion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// Newest of all.
    New,
    /// Behind the newest.
    Late,
    /// In place of a sample of the same source time; whether anything but the clocks differs.
    Replaced(bool),
    /// Not at all: the sample of the same source time was received later.
    Outdated,
}

/// Rows in strictly ascending source time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    rows: Vec<Row>,
}

impl Series {
    pub(crate) fn insert(&mut self, row: Row) -> Inserted {
        if self.rows.last().is_none_or(|last| last.t < row.t) {
            self.rows.push(row);
            return Inserted::New;
        }
        match self.rows.binary_search_by_key(&row.t, |r| r.t) {
            Ok(at) if self.rows[at].r > row.r => Inserted::Outdated,
            Ok(at) => {
                let old = std::mem::replace(&mut self.rows[at], row);
                Inserted::Replaced((old.bits, old.q, old.f, old.k) != (row.bits, row.q, row.f, row.k))
            }
            Err(at) => {
                self.rows.insert(at, row);
                Inserted::Late
            }
        }
    }

    /// Newest row at or before `t`.
    pub(crate) fn at(&self, t: i64) -> Option<Row> {
        let n = self.rows.partition_point(|r| r.t <= t);
        n.checked_sub(1).map(|at| self.rows[at])
    }

    /// Oldest row strictly after `t`.
    pub(crate) fn after(&self, t: i64) -> Option<Row> {
        self.rows.get(self.rows.partition_point(|r| r.t <= t)).copied()
    }

    /// Time of the oldest row at or after `t`.
    pub(crate) fn at_or_after(&self, t: i64) -> Option<i64> {
        self.rows.get(self.rows.partition_point(|r| r.t < t)).map(|r| r.t)
    }

    /// Rows with `from <= t < to`, in order.
    pub(crate) fn for_each(&self, from: i64, to: i64, f: &mut dyn FnMut(&Row) -> ControlFlow<()>) -> ControlFlow<()> {
        let start = self.rows.partition_point(|r| r.t < from);
        for row in self.rows[start..].iter().take_while(|r| r.t < to) {
            f(row)?;
        }
        ControlFlow::Continue(())
    }

    pub(crate) fn first_time(&self) -> Option<i64> {
        self.rows.first().map(|r| r.t)
    }

    pub(crate) fn last_time(&self) -> Option<i64> {
        self.rows.last().map(|r| r.t)
    }

    /// Rows with `from <= t < to`.
    pub(crate) fn count_in(&self, from: i64, to: i64) -> u64 {
        let start = self.rows.partition_point(|r| r.t < from);
        let end = self.rows.partition_point(|r| r.t < to);
        end.saturating_sub(start) as u64
    }

    pub(crate) fn head_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }
}

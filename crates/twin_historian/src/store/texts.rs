//! The budget of distinct texts. Numbers are packed to a byte and can be thinned; texts are as long as they are, and thinning
//! would tell another story. So they have a budget of their own, and a rule of their own: the signal whose texts take most
//! gives up its oldest samples until its texts have halved. Neither pushes the other out.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use twin_model::{SignalIndex, Timestamp, ValueKind};

use super::{Column, Store};
use crate::row::{Row, TEXT, closed};

/// Of the budget of a store with text signals, one part in this many is for texts.
const SHARE: usize = 4;
/// Of a store without: texts come there only by mistake, and are held beside its numbers.
const STRAY_SHARE: usize = 16;

/// Where the texts of a store stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// Bytes of all distinct texts.
    pub(super) bytes: usize,
    /// The budget is looked at once they are more than this.
    look_at: usize,
    /// Of samples at or before this some went.
    given_up_to: Option<i64>,
    /// Whether any signal declares texts.
    declared: bool,
}

impl Texts {
    pub(super) fn new(kinds: impl IntoIterator<Item = ValueKind>) -> Self {
        Self { declared: kinds.into_iter().any(|kind| kind == ValueKind::Text), ..Self::default() }
    }
}

impl Column {
    /// Whether most of its samples have a text of their own: the budget of texts decides about those, and no number does. What
    /// such samples take beside their texts is little against what each text is counted for.
    pub(crate) fn is_prose(&self) -> bool {
        self.words.as_ref().is_some_and(|words| words.count() * 2 > self.series.room())
    }
}

impl Store {
    /// Bytes that distinct texts may take: a quarter of the budget where a signal declares texts. The newest sample of each
    /// signal stays even beyond it.
    pub const fn text_budget(&self) -> usize {
        self.config.budget_bytes / if self.texts.declared { SHARE } else { STRAY_SHARE }
    }

    /// Bytes that everything else may take: the rest.
    pub const fn number_budget(&self) -> usize {
        if self.texts.declared { self.config.budget_bytes - self.config.budget_bytes / SHARE } else { self.config.budget_bytes }
    }

    /// Before this, samples went to keep the budget of texts; none where none went.
    pub fn texts_given_up_before(&self) -> Option<Timestamp> {
        self.texts.given_up_to.map(|t| Timestamp::from_micros(t.saturating_add(1)))
    }

    /// Looks at the bytes of texts after one was added.
    #[inline]
    pub(super) fn keep_texts(&mut self) {
        if self.texts.bytes > self.texts.look_at.max(self.text_budget()) {
            self.relieve();
        }
    }

    #[cold]
    fn relieve(&mut self) {
        let budget = self.text_budget();
        let mut barren = Vec::new();
        while self.texts.bytes > budget {
            let weight = |at: &usize| self.columns.get(*at).and_then(|c| c.words.as_ref()).map_or(0, |words| words.bytes());
            let heaviest = (0..self.columns.len()).filter(|at| !barren.contains(at)).max_by_key(weight);
            let Some(at) = heaviest.filter(|at| weight(at) > 0 && barren.len() < 8) else { break };
            if self.halve(at) == 0 {
                barren.push(at);
            }
        }
        // Where little can be given up, it is not tried with every sample.
        self.texts.look_at = if self.texts.bytes > budget { self.texts.bytes + budget / 16 } else { 0 };
    }

    /// Gives up the oldest samples of a signal until its texts have halved; returns the bytes of texts that went.
    fn halve(&mut self, at: usize) -> usize {
        let Some(column) = self.columns.get_mut(at) else { return 0 };
        let Some(words) = &mut column.words else { return 0 };
        let before = words.bytes();
        let mut last_use: HashMap<u64, i64> = words.all().map(|code| (code, i64::MIN)).collect();
        let _never_stops = column.series.for_each(&self.shared.arena, i64::MIN, i64::MAX, &mut |row| {
            if row.k == TEXT {
                last_use.insert(row.bits, row.t);
            }
            ControlFlow::Continue(())
        });
        // The walk ends before the end of time.
        if let Some(row) = column.series.at(&self.shared.arena, i64::MAX).filter(|row| row.k == TEXT) {
            last_use.insert(row.bits, row.t);
        }
        let limit = column.series.forgettable().unwrap_or(i64::MIN);
        let mut oldest: Vec<(i64, u64)> = last_use.into_iter().map(|(code, t)| (t, code)).collect();
        oldest.sort_unstable();
        let (mut upto, mut left) = (None, before);
        let mut given_up = Vec::new();
        for (t, code) in oldest {
            // What no sample has goes first, and costs none.
            let unused = t == i64::MIN;
            if t > limit && !unused || !unused && left <= before / 2 && upto.is_none_or(|upto| t > upto) {
                break;
            }
            if !unused {
                upto = Some(t);
            }
            left -= words.weight(code).min(left);
            given_up.push(code);
        }
        given_up.iter().for_each(|code| words.give_up(*code));
        let went = before - words.bytes();
        self.texts.bytes = self.texts.bytes.saturating_sub(went);
        if let Some(upto) = upto {
            self.forget(at as u32, upto);
        }
        went
    }

    /// Forgets the texts of a signal that no sample has any more, where they are worth a look at all of its samples.
    pub(super) fn forget_unused(&mut self, at: usize) {
        /// Bytes of texts below which a signal is not looked at.
        const WORTH: usize = 64 << 10;
        let Some(column) = self.columns.get_mut(at) else { return };
        let Some(words) = column.words.as_mut().filter(|words| words.bytes() > WORTH) else { return };
        let mut unused: HashSet<u64> = words.all().collect();
        let _never_stops = column.series.for_each(&self.shared.arena, i64::MIN, i64::MAX, &mut |row| {
            if row.k == TEXT {
                unused.remove(&row.bits);
            }
            ControlFlow::Continue(())
        });
        if let Some(row) = column.series.at(&self.shared.arena, i64::MAX).filter(|row| row.k == TEXT) {
            unused.remove(&row.bits);
        }
        let before = words.bytes();
        unused.into_iter().for_each(|code| words.give_up(code));
        self.texts.bytes = self.texts.bytes.saturating_sub(before - words.bytes());
    }

    /// Forgets the samples of a signal up to an instant, and remembers where they are: with the keeper, or in its journal.
    fn forget(&mut self, signal: u32, upto: i64) {
        let mut times: Vec<i64> = Vec::new();
        let slab = self.config.slab.as_micros();
        let (mut first, mut count) = (None, 0);
        if let Some(column) = self.columns.get_mut(signal as usize) {
            let mut gone = |row: &Row| {
                first.get_or_insert(row.t);
                count += 1;
                let start = row.t.div_euclid(slab).saturating_mul(slab);
                if times.last() != Some(&start) {
                    times.push(start);
                }
            };
            column.series.forget_to(signal, upto, &mut gone, &mut self.shared);
        }
        self.counters.texts_given_up += count;
        for start in times {
            self.note_missing(SignalIndex(signal), start);
        }
        if let Some(first) = first {
            self.texts.given_up_to = self.texts.given_up_to.max(Some(upto));
            self.note_elsewhere(closed(first, upto));
        }
    }
}

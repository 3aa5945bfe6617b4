//! The state of all signals at an instant.

use twin_model::Timestamp;

use super::{Column, Store};
use crate::series::{Aim, BATCH, Place};
use crate::snapshot::{Cursor, Snapshot};

impl Store {
    /// The state of all signals at `t` into `out`. `cursor` remembers places between calls; steps to nearby instants with
    /// the same cursor are cheaper than jumps, and any cursor gives the same answer.
    pub fn snapshot_at(&self, t: Timestamp, cursor: &mut Cursor, out: &mut Snapshot) {
        if cursor.store != self.identity {
            *cursor = Cursor { store: self.identity, ..Cursor::new() };
        }
        cursor.places.resize(self.columns.len(), Place::NOWHERE);
        cursor.revisions.resize(self.shared.revisions.len(), 0);
        out.t = t;
        out.resize(self.columns.len());
        let batches = self.columns.chunks(BATCH).zip(cursor.places.chunks_mut(BATCH));
        let revisions = self.shared.revisions.iter().zip(&mut cursor.revisions);
        for (number, ((columns, places), (now, then))) in batches.zip(revisions).enumerate() {
            if now != then {
                places.fill(Place::NOWHERE);
                *then = *now;
            }
            self.snapshot_batch(t.as_micros(), number * BATCH, columns, places, out);
        }
    }

    /// In three passes, so that the waits for memory of different signals overlap: fields, directory entries, blocks.
    fn snapshot_batch(&self, t: i64, first: usize, columns: &[Column], places: &mut [Place], out: &mut Snapshot) {
        let arena = &self.shared.arena;
        let mut aims = [Aim::Nowhere; BATCH];
        for ((column, place), aim) in columns.iter().zip(&*places).zip(&mut aims) {
            *aim = if place.holds(t) { Aim::Known } else { column.series.aim(t) };
        }
        for ((column, place), aim) in columns.iter().zip(&mut *places).zip(&mut aims) {
            if let Aim::Block(guess) = *aim {
                *place = column.series.place(guess, t);
                *aim = Aim::Known;
            }
        }
        for (at, ((column, place), aim)) in columns.iter().zip(places).zip(&aims).enumerate() {
            let row = match aim {
                Aim::Known => Some(place.row(arena, t)),
                Aim::Head => column.series.head_row(t),
                Aim::Anywhere => column.series.at(arena, t),
                Aim::Nowhere | Aim::Block(_) => None,
            };
            out.put(first + at, row, |code| column.word(code).cloned());
        }
    }
}

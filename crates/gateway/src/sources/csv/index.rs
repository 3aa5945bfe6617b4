//! Where the rows of a file are in time: stretches of it in which times only rise or only fall. Bounded whatever the file is.

use twin_model::limits::AHEAD;
use twin_model::{Span, TimeRange, Timestamp};
use twin_table::{Place, TableError};

use super::spread;

/// Stretches of one file; with 48 bytes each, 200 MB. A file in order, either way, needs one for every 512 rows or 64 KiB.
const MOST: usize = 4_000_000;
/// Rows and bytes of one stretch: what is held of it while it is played.
const ROWS: u32 = 512;
const BYTES: u64 = 64 << 10;
/// Rows that are named where something is told of some.
const NAMED: usize = 3;
/// A pause longer than this ends a stretch, so that single rows far away from the others are stretches of their own.
pub(super) const PAUSE: Span = Span::from_secs(30 * 86_400);

/// A stretch of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// Earliest and latest moment at which a row is due.
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) offset: u64,
    pub(super) bytes: u32,
    pub(super) rows: u32,
    line: u32,
    plan: u16,
    /// It is one row whose time, `time`, can't be told from its text alone.
    by_order: bool,
    time: Timestamp,
}

impl Segment {
    /// The place of its first row.
    pub(super) fn place(&self) -> Place {
        Place {
            line: u64::from(self.line),
            offset: self.offset,
            bytes: u64::from(self.bytes),
            time: self.time,
            received: self.first,
            by_order: self.by_order,
            plan: usize::from(self.plan),
        }
    }
}

/// The stretches of a file in order of their first moment.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) segments: Vec<Segment>,
    extent: Option<TimeRange>,
    /// From here on rows lie ahead of now.
    ahead: Timestamp,
    /// Mean time between moments at which rows are due.
    pub(super) step: Span,
}

impl Index {
    /// First and last moment, without rows far away from all others.
    pub(super) fn extent(&self) -> Option<TimeRange> {
        self.extent
    }

    /// Rows that don't set the clock, because they are far away from the others or ahead of now.
    pub(super) fn far(&self) -> Rows {
        let within =
            |segment: &Segment| self.extent.is_some_and(|extent| extent.start <= segment.last && segment.first <= extent.end);
        self.rows(|segment| !within(segment))
    }

    /// Rows ahead of now that are played all the same.
    pub(super) fn ahead(&self) -> Rows {
        let played = |segment: &Segment| self.extent.is_some_and(|extent| segment.first <= extent.end);
        self.rows(|segment| segment.first > self.ahead && played(segment))
    }

    fn rows(&self, are: impl Fn(&Segment) -> bool) -> Rows {
        let mut found = Rows::default();
        for segment in self.segments.iter().filter(|segment| are(segment)) {
            found.count += u64::from(segment.rows);
            if found.named.len() < NAMED {
                found.named.push((u64::from(segment.line), segment.time));
            }
        }
        found
    }
}

/// Rows of which something is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) count: u64,
    /// Line and time of the first row of the first stretches of them, in order of time; line 0 where nobody counted lines.
    pub(super) named: Vec<(u64, Timestamp)>,
}

/// Takes places in the order of the file.
#[derive(Debug)]
pub(super) struct Builder {
    segments: Vec<Segment>,
    /// See [`Index`].
    ahead: Timestamp,
    /// Of the stretch at hand: its newest row, and whether times rise in it, once known.
    newest: Option<Timestamp>,
    rises: Option<bool>,
    moments: u64,
}

impl Builder {
    /// For a file that is looked at now: what lies more than an hour ahead of it was not measured.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { segments: Vec::new(), ahead: now + AHEAD, newest: None, rises: None, moments: 0 }
    }

    pub(super) fn add(&mut self, place: &Place) -> Result<(), TableError> {
        let t = place.received.max(place.time);
        let before = self.newest.replace(t);
        self.moments += u64::from(before != Some(t));
        if let (Some(segment), Some(before)) = (self.segments.last_mut(), before) {
            let next = segment.offset + u64::from(segment.bytes) == place.offset && usize::from(segment.plan) == place.plan;
            let bytes = u64::from(segment.bytes) + place.bytes;
            let room = segment.rows < ROWS && bytes <= BYTES && !segment.by_order && !place.by_order;
            let rises = t > before;
            let same_way = t == before || self.rises.is_none_or(|known| known == rises);
            let same_side = (before > self.ahead) == (t > self.ahead);
            if next && room && same_way && same_side && t.since(before).abs() <= PAUSE {
                if t != before {
                    self.rises = Some(rises);
                }
                (segment.first, segment.last) = (segment.first.min(t), segment.last.max(t));
                (segment.bytes, segment.rows) = (u32::try_from(bytes).unwrap_or(u32::MAX), segment.rows + 1);
                return Ok(());
            }
        }
        if self.segments.len() >= MOST {
            let what =
                format!("its rows are in no order of time (more than {MOST} stretches), which is too much to put in order");
            return Err(TableError { key: "path", what, help: "sort the file by time".to_owned() });
        }
        self.rises = None;
        self.segments.push(Segment {
            first: t,
            last: t,
            offset: place.offset,
            bytes: u32::try_from(place.bytes).unwrap_or(u32::MAX),
            rows: 1,
            line: u32::try_from(place.line).unwrap_or(u32::MAX),
            plan: u16::try_from(place.plan).unwrap_or(u16::MAX),
            by_order: place.by_order,
            time: place.time,
        });
        Ok(())
    }

    pub(super) fn finish(self) -> Index {
        let mut segments = self.segments;
        segments.sort_by_key(|segment| (segment.first, segment.offset));
        let extent = spread::extent(&segments, self.ahead);
        let span = extent.map_or(Span::ZERO, TimeRange::span).as_micros();
        let step = Span::from_micros((span / i64::try_from(self.moments.saturating_sub(1).max(1)).unwrap_or(i64::MAX)).max(1));
        Index { segments, extent, ahead: self.ahead, step }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of twelve bytes.
    fn place(row: u64, second: i64) -> Place {
        let time = Timestamp::from_secs(second);
        Place { line: row + 2, offset: row * 12, bytes: 12, time, received: time, by_order: false, plan: 0 }
    }

    #[test]
    fn a_file_in_order_needs_few_stretches_and_one_in_no_order_is_refused_before_memory_ends() {
        const ROWS_OF_FILE: i64 = 100_000;
        let builder = || Builder::new(Timestamp::from_secs(10_000_000));
        for step in [1, -1, 0] {
            let mut builder = builder();
            for row in 0..ROWS_OF_FILE {
                builder.add(&place(row as u64, 1_000_000 + step * row)).unwrap();
            }
            let found = builder.segments.len();
            assert!(found <= ROWS_OF_FILE as usize / ROWS as usize + 1, "{step}: {found} stretches");
        }
        // What the head of this file promises: 200 MB.
        assert_eq!(size_of::<Segment>() * MOST, 192_000_000);
        let mut builder = builder();
        builder.add(&place(0, 7)).unwrap();
        let one = builder.segments[0];
        builder.segments.resize(MOST, one);
        builder.add(&place(1, 8)).expect("a row that goes on with the last stretch needs none");
        let refused = builder.add(&place(9, 3)).unwrap_err();
        assert_eq!((refused.key, refused.help.as_str()), ("path", "sort the file by time"));
        assert!(refused.what.contains("in no order of time") && builder.segments.len() == MOST, "{}", refused.what);
    }
}

//! Where the rows of a file are in time: stretches of it in which times only rise or only fall. Bounded whatever the file is.

use twin_model::{Span, TimeRange, Timestamp};
use twin_table::{Place, TableError};

/// Stretches of one file; with 48 bytes each, 200 MB. A file in order, either way, needs one for every 512 rows or 64 KiB.
const MOST: usize = 4_000_000;
/// Rows and bytes of one stretch: what is held of it while it is played.
const ROWS: u32 = 512;
const BYTES: u64 = 64 << 10;
/// A pause longer than this ends a stretch, so that single rows far away from the others are stretches of their own.
const PAUSE: Span = Span::from_secs(30 * 86_400);
/// Rows far away from all others, of each hundred, that don't set the clock.
const FAR_PERCENT: u64 = 1;
/// Rows together from which on others can be far away.
const CORE_ROWS: u64 = 3;

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
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) segments: Vec<Segment>,
    extent: Option<TimeRange>,
    /// Mean time between moments at which rows are due.
    pub(super) step: Span,
}

impl Index {
    /// First and last moment, without rows far away from all others.
    pub(super) fn extent(&self) -> Option<TimeRange> {
        self.extent
    }

    /// Rows far away from all others.
    pub(super) fn far(&self) -> u64 {
        let within =
            |segment: &&Segment| self.extent.is_some_and(|extent| extent.start <= segment.last && segment.first <= extent.end);
        self.segments.iter().filter(|segment| !within(segment)).map(|segment| u64::from(segment.rows)).sum()
    }
}

/// Takes places in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Builder {
    segments: Vec<Segment>,
    /// Of the stretch at hand: its newest row, and whether times rise in it, once known.
    newest: Option<Timestamp>,
    rises: Option<bool>,
    moments: u64,
}

impl Builder {
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
            if next && room && same_way && t.since(before).abs() <= PAUSE {
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
        let extent = extent(&segments);
        let span = extent.map_or(Span::ZERO, TimeRange::span).as_micros();
        let step = Span::from_micros((span / i64::try_from(self.moments.saturating_sub(1).max(1)).unwrap_or(i64::MAX)).max(1));
        Index { segments, extent, step }
    }
}

/// From the first to the last moment. Rows at an end, at most one in a hundred, are left out where the pause between them and the
/// others is longer than a month and than twice the time that those take: a clock that was not set, a year mistyped.
fn extent(segments: &[Segment]) -> Option<TimeRange> {
    // Groups of stretches without a long pause between them: first, last, rows.
    let mut groups: Vec<(Timestamp, Timestamp, u64)> = Vec::new();
    for segment in segments {
        let rows = u64::from(segment.rows);
        match groups.last_mut() {
            Some(group) if segment.first.since(group.1) <= PAUSE => {
                group.1 = group.1.max(segment.last);
                group.2 += rows;
            }
            _ => groups.push((segment.first, segment.last, rows)),
        }
    }
    let few = (groups.iter().map(|group| group.2).sum::<u64>() * FAR_PERCENT / 100).max(1);
    let most = groups.iter().map(|group| group.2).max().filter(|rows| *rows >= CORE_ROWS);
    let core = most.and_then(|most| groups.iter().position(|group| group.2 == most));
    let (before, mut own, after) = match core {
        None => return Some(TimeRange::new(groups.first()?.0, groups.last()?.1)),
        Some(at) => (groups.get(..at)?, *groups.get(at)?, groups.get(at + 1..)?),
    };
    let (mut before, mut after) = (before, after);
    loop {
        let rows = |groups: &[(Timestamp, Timestamp, u64)]| groups.iter().map(|group| group.2).sum::<u64>();
        let near = |pause: Span| pause.as_micros() <= PAUSE.as_micros().max(own.1.since(own.0).as_micros().saturating_mul(2));
        if let [rest @ .., next] = before
            && (near(own.0.since(next.1)) || rows(before) > few)
        {
            (own.0, before) = (next.0, rest);
        } else if let [next, rest @ ..] = after
            && (near(next.0.since(own.1)) || rows(after) > few)
        {
            (own.1, after) = (next.1, rest);
        } else {
            return Some(TimeRange::new(own.0, own.1));
        }
    }
}

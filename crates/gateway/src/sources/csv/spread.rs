//! Which rows of a file set its clock: all but a few that are far away from the others in time. Knows stretches, no rows.

use twin_model::limits::AHEAD;
use twin_model::{Span, TimeRange, Timestamp};

use super::index::{PAUSE, Segment};

/// Rows far away from all others, of each hundred, that don't set the clock; one in any case.
const FAR_PERCENT: u64 = 1;
/// Rows together from which on others can be far away: of two rows far from each other nobody can tell which is wrong, unless one lies
/// ahead of now.
const CORE_ROWS: u64 = 2;

/// Stretches without a long pause between them.
#[derive(Debug, Clone, Copy)]
struct Group {
    first: Timestamp,
    last: Timestamp,
    rows: u64,
}

/// From the first to the last moment that sets the clock, of stretches in order of time. `ahead` is where what lies ahead of now begins.
///
/// Rows at an end, at most one in a hundred or one, are left out where the pause between them and the others is longer than a month
/// and than twice the time that those take: a clock that was not set, a year mistyped. Rows ahead of now are left out where they are no
/// more than the others and the pause is longer than an hour and than twice the time that those take: no reading was taken then, and a
/// plan goes on from what was. Where everything lies ahead it is a plan, and all of it counts.
pub(super) fn extent(segments: &[Segment], ahead: Timestamp) -> Option<TimeRange> {
    let groups = groups(segments, ahead);
    let (now, later) = groups.split_at(groups.partition_point(|group| group.first <= ahead));
    let own = core(now);
    if let (Some(own), Some(next)) = (own, later.first())
        && rows(later) <= rows(now)
        && next.first.since(own.end) > longest(AHEAD, own.span())
    {
        return Some(own);
    }
    core(&groups)
}

/// A pause up to this leaves the next row among the others.
fn longest(least: Span, taken: Span) -> Span {
    Span::from_micros(least.as_micros().max(taken.as_micros().saturating_mul(2)))
}

fn rows(groups: &[Group]) -> u64 {
    groups.iter().map(|group| group.rows).sum()
}

fn groups(segments: &[Segment], ahead: Timestamp) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for segment in segments {
        let rows = u64::from(segment.rows);
        let of_now = segment.first <= ahead;
        match groups.last_mut() {
            Some(group) if segment.first.since(group.last) <= PAUSE && (group.first <= ahead) == of_now => {
                group.last = group.last.max(segment.last);
                group.rows += rows;
            }
            _ => groups.push(Group { first: segment.first, last: segment.last, rows }),
        }
    }
    groups
}

/// The group of most rows, with what is not far away from it on both sides.
fn core(groups: &[Group]) -> Option<TimeRange> {
    let few = (rows(groups) * FAR_PERCENT / 100).max(1);
    let most = groups.iter().map(|group| group.rows).max().filter(|rows| *rows >= CORE_ROWS);
    let Some(at) = most.and_then(|most| groups.iter().position(|group| group.rows == most)) else {
        return Some(TimeRange::new(groups.first()?.first, groups.iter().map(|group| group.last).max()?));
    };
    let (mut before, mut own, mut after) = (groups.get(..at)?, *groups.get(at)?, groups.get(at + 1..)?);
    loop {
        let near = |pause: Span| pause <= longest(PAUSE, own.last.since(own.first));
        if let [rest @ .., next] = before
            && (near(own.first.since(next.last)) || rows(before) > few)
        {
            (own.first, before) = (next.first, rest);
        } else if let [next, rest @ ..] = after
            && (near(next.first.since(own.last)) || rows(after) > few)
        {
            (own.last, after) = (own.last.max(next.last), rest);
        } else {
            return Some(TimeRange::new(own.first, own.last));
        }
    }
}

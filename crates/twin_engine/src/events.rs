//! What happened when: alarm and status changes for the time bar, strips of status, and steps from one to the next.

use twin_health::{Policy, Timeline};
use twin_model::{AlarmIndex, AlarmState, Model, RuleIndex, Status, TimeRange, Timestamp, TwinIndex};

use crate::command::Direction;
use crate::record::Record;

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// An alarm changed its state.
    Alarm(AlarmIndex, AlarmState),
    /// A rule of a twin gave another status.
    Status(TwinIndex, RuleIndex, Status),
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub t: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// A stretch of one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusSpan {
    /// When.
    pub range: TimeRange,
    /// Which.
    pub status: Status,
}

/// Events within a range, oldest first, at most `most`: beyond that alarms come first, then the newest status changes.
pub(crate) fn within(model: &Model, record: &Record, range: TimeRange, most: usize) -> Vec<Event> {
    let mut alarms = Vec::new();
    for at in 0..model.alarms().len() {
        let index = AlarmIndex::from_at(at);
        for entry in after_first(record.alarm_timeline(index), range) {
            alarms.push(Event { t: entry.since, kind: EventKind::Alarm(index, entry.outcome.alarm()) });
        }
    }
    let mut statuses = Vec::new();
    for (at, rule) in model.rules().iter().enumerate() {
        let index = RuleIndex::from_at(at);
        for entry in after_first(record.rule_timeline(index), range) {
            statuses.push(Event { t: entry.since, kind: EventKind::Status(rule.twin, index, entry.outcome.status()) });
        }
    }
    keep_newest(&mut alarms, most);
    keep_newest(&mut statuses, most - alarms.len());
    alarms.append(&mut statuses);
    alarms.sort_by_key(|event| event.t);
    alarms
}

fn keep_newest(events: &mut Vec<Event>, most: usize) {
    if events.len() > most {
        events.sort_by_key(|event| event.t);
        events.drain(..events.len() - most);
    }
}

/// Entries in the range apart from the one with which the timeline begins: a first sample is no event.
fn after_first(timeline: &Timeline, range: TimeRange) -> impl Iterator<Item = &twin_health::Entry> {
    let entries = timeline.within(range);
    let skip = entries.first().is_some_and(|first| timeline.previous_before(first.since).is_none());
    entries.iter().skip(usize::from(skip))
}

/// The nearest event strictly before or after `t`.
pub(crate) fn step(model: &Model, record: &Record, t: Timestamp, direction: Direction) -> Option<Timestamp> {
    let timelines = (0..model.rules().len())
        .map(|at| record.rule_timeline(RuleIndex::from_at(at)))
        .chain((0..model.alarms().len()).map(|at| record.alarm_timeline(AlarmIndex::from_at(at))));
    let times = timelines.filter_map(|timeline| match direction {
        Direction::Forward => {
            let next = timeline.next_after(t)?;
            if timeline.previous_before(next).is_some() { Some(next) } else { timeline.next_after(next) }
        }
        Direction::Back => timeline.previous_before(t).filter(|before| timeline.previous_before(*before).is_some()),
    });
    match direction {
        Direction::Forward => times.min(),
        Direction::Back => times.max(),
    }
}

/// Worst status over time of one twin, or of all; spans touch and cover the range from the first known status on.
pub(crate) fn strip(
    model: &Model,
    record: &Record,
    policy: &Policy,
    twin: Option<TwinIndex>,
    range: TimeRange,
) -> Vec<StatusSpan> {
    let rules: Vec<RuleIndex> = match twin {
        Some(twin) => model.twin(twin).rules.clone(),
        None => (0..model.rules().len()).map(RuleIndex::from_at).collect(),
    };
    let mut counts = [0_u32; Status::ALL.len()];
    let mut now: Vec<Option<Status>> = Vec::with_capacity(rules.len());
    let mut changes: Vec<(Timestamp, usize, Status)> = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let timeline = record.rule_timeline(*rule);
        let start = timeline.outcome_at(range.start).map(|outcome| outcome.status());
        if let Some(status) = start {
            counts[usize::from(status.code())] += 1;
        }
        now.push(start);
        changes.extend(timeline.within(range).iter().map(|entry| (entry.since, at, entry.outcome.status())));
    }
    changes.sort_by_key(|(t, ..)| *t);
    let worst = |counts: &[u32; 6]| {
        let held = Status::ALL.into_iter().filter(|status| counts[usize::from(status.code())] > 0);
        held.reduce(|a, b| policy.worse(a, b))
    };
    let mut spans = Vec::new();
    let mut open = worst(&counts).map(|status| (range.start, status));
    for (t, at, status) in changes {
        if let Some(before) = now[at].replace(status) {
            counts[usize::from(before.code())] -= 1;
        }
        counts[usize::from(status.code())] += 1;
        let next = worst(&counts);
        if next != open.map(|(_, status)| status) {
            close(&mut spans, open, t);
            open = next.map(|status| (t, status));
        }
    }
    close(&mut spans, open, range.end);
    spans
}

fn close(spans: &mut Vec<StatusSpan>, open: Option<(Timestamp, Status)>, end: Timestamp) {
    if let Some((start, status)) = open
        && start < end
    {
        spans.push(StatusSpan { range: TimeRange::new(start, end), status });
    }
}

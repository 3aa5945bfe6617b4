//! What happened when: alarm and status changes for the time bar, strips of status, and steps from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use twin_health::{Policy, Timeline, Told};
use twin_historian::Store;
use twin_model::{
    AlarmIndex, AlarmState, Model, RuleIndex, RuleKind, SignalIndex, Span, Status, TimeRange, Timestamp, TwinIndex,
};

use crate::acknowledged;
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
    /// Whether the data behind it was stale: of a twin, any of its signals, as its part shows it in 3D; of a site, the
    /// signals of every rule that gives the status.
    pub stale: bool,
}

/// Events within a range, oldest first, at most `most`: beyond that alarms come first, then the newest status changes.
/// Acknowledgements are read from `acks`.
pub(crate) fn within(model: &Model, record: &Record, acks: &Store, range: TimeRange, most: usize) -> Vec<Event> {
    let mut alarms = Vec::new();
    for at in 0..model.alarms().len() {
        let index = AlarmIndex::from_at(at);
        let timeline = record.alarm_timeline(index);
        let told = Told::was(timeline);
        let state_at = |t: Timestamp| acknowledged::standing(model, &told, acks, index, (t, t, None)).map(|(state, _)| state);
        for entry in after_first(timeline, range) {
            let state = state_at(entry.since).unwrap_or(entry.outcome.alarm());
            alarms.push(Event { t: entry.since, kind: EventKind::Alarm(index, state) });
        }
        let Some(signal) = model.acknowledgements(index) else { continue };
        acks.for_each_sample(signal, range, &mut |sample| {
            let t = sample.source_time;
            let (before, after) = (state_at(t - Span::from_micros(1)), state_at(t));
            if let Some(state) = after.filter(|_| before != after) {
                alarms.push(Event { t, kind: EventKind::Alarm(index, state) });
            }
            ControlFlow::Continue(())
        });
        // An alarm raised in the instant of its acknowledgement is one event.
        alarms.sort_by_key(|event| event.t);
        alarms.dedup();
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

/// Events that deserve a mark of their own, of events that are sorted by time: alarms that became active and statuses worse
/// than normal, each cause once.
///
/// A rule and the alarm on the same limit change in the same instant, and to a person that is one thing: the alarm. Neither
/// is an alarm that was active and is now acknowledged, nor one that returned; those are worth a step, not a mark.
pub fn marked_events(model: &Model, events: &[Event]) -> Vec<Event> {
    let mut active: BTreeMap<AlarmIndex, bool> = BTreeMap::new();
    let mut raised: BTreeSet<(Timestamp, TwinIndex)> = BTreeSet::new();
    // The last judgement of each rule: a sensor that fails for a moment makes no new event of what was known before.
    let mut known: BTreeMap<RuleIndex, Status> = BTreeMap::new();
    let mut kept: Vec<Event> = Vec::with_capacity(events.len());
    for event in events {
        match event.kind {
            EventKind::Alarm(index, state) => {
                let was = active.insert(index, state.is_active()).unwrap_or(false);
                if state.is_active() && !was {
                    raised.insert((event.t, model.alarm(index).twin));
                    kept.push(*event);
                }
            }
            EventKind::Status(_, _, Status::Unknown) => {}
            EventKind::Status(_, rule, status) => {
                if known.insert(rule, status) != Some(status) && status.is_trouble() {
                    kept.push(*event);
                }
            }
        }
    }
    kept.retain(|event| match event.kind {
        EventKind::Status(twin, ..) => !raised.contains(&(event.t, twin)),
        EventKind::Alarm(..) => true,
    });
    kept
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
    let signals = (0..model.alarms().len()).filter_map(|at| model.acknowledgements(AlarmIndex::from_at(at)));
    let acknowledged = signals.filter_map(|signal| match direction {
        Direction::Forward => record.store().next_sample_time(signal, t, twin_historian::Direction::Forward),
        Direction::Back => record.store().next_sample_time(signal, t, twin_historian::Direction::Backward),
    });
    let times = timelines.filter_map(|timeline| match direction {
        Direction::Forward => {
            let next = timeline.next_after(t)?;
            if timeline.previous_before(next).is_some() { Some(next) } else { timeline.next_after(next) }
        }
        Direction::Back => timeline.previous_before(t).filter(|before| timeline.previous_before(*before).is_some()),
    });
    let times = times.chain(acknowledged);
    match direction {
        Direction::Forward => times.min(),
        Direction::Back => times.max(),
    }
}

/// Answers when a signal was silent, as sorted ranges.
pub(crate) type Silence<'a> = dyn FnMut(SignalIndex) -> Vec<TimeRange> + 'a;

/// What happens to one rule of a strip.
#[derive(Debug, Clone, Copy)]
enum Change {
    Gives(Status),
    Silent(bool),
}

/// One rule of a strip at the sweep's instant.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// What its timeline says, once it says anything.
    given: Option<Status>,
    silent: bool,
    /// What its silence gives: unknown, or what a rule about staleness says where that is worse.
    if_silent: Status,
}

impl Slot {
    /// As `twin_health` judges a rule at one instant: unknown before its first sample and while silent.
    fn status(self) -> Status {
        if self.silent { self.if_silent } else { self.given.unwrap_or(Status::Unknown) }
    }
}

/// How many rules give each status, and how many of those by data that is not silent.
#[derive(Default)]
struct Counts {
    held: [u32; Status::ALL.len()],
    heard: [u32; Status::ALL.len()],
    /// Rules that have seen anything.
    seen: u32,
}

impl Counts {
    fn add(&mut self, slot: Slot) {
        let at = usize::from(slot.status().code());
        self.held[at] += 1;
        self.heard[at] += u32::from(!slot.silent);
        self.seen += u32::from(slot.given.is_some());
    }

    fn take(&mut self, slot: Slot) {
        let at = usize::from(slot.status().code());
        self.held[at] -= 1;
        self.heard[at] -= u32::from(!slot.silent);
        self.seen -= u32::from(slot.given.is_some());
    }

    /// The worst status held, and whether all that give it are silent; `None` before anything was seen.
    fn worst(&self, policy: &Policy) -> Option<(Status, bool)> {
        if self.seen == 0 {
            return None;
        }
        let held = Status::ALL.into_iter().filter(|status| self.held[usize::from(status.code())] > 0);
        let worst = held.reduce(|a, b| policy.worse(a, b))?;
        Some((worst, self.heard[usize::from(worst.code())] == 0))
    }
}

/// Worst status over time of one twin, or of all; spans touch and cover the range from the first known status on.
pub(crate) fn strip(
    model: &Model,
    record: &Record,
    policy: &Policy,
    twin: Option<TwinIndex>,
    range: TimeRange,
    silence: &mut Silence<'_>,
) -> Vec<StatusSpan> {
    let rules: Vec<RuleIndex> = match twin {
        Some(twin) => model.twin(twin).rules.clone(),
        None => (0..model.rules().len()).map(RuleIndex::from_at).collect(),
    };
    let mut counts = Counts::default();
    let mut slots: Vec<Slot> = Vec::with_capacity(rules.len());
    let mut changes: Vec<(Timestamp, usize, Change)> = Vec::new();
    for (at, index) in rules.iter().enumerate() {
        let (rule, timeline) = (model.rule(*index), record.rule_timeline(*index));
        let given = timeline.outcome_at(range.start).map(|outcome| outcome.status());
        let if_silent = if let RuleKind::Stale { status } = rule.kind { Status::Unknown.max(status) } else { Status::Unknown };
        let silent = silence(rule.signal);
        let slot = Slot { given, silent: silent.iter().any(|range_of| range_of.contains(range.start)), if_silent };
        counts.add(slot);
        slots.push(slot);
        changes.extend(timeline.within(range).iter().map(|entry| (entry.since, at, Change::Gives(entry.outcome.status()))));
        changes.extend(silent.iter().flat_map(|s| [(s.start, at, Change::Silent(true)), (s.end, at, Change::Silent(false))]));
    }
    changes.retain(|(t, ..)| range.contains(*t));
    changes.sort_by_key(|(t, ..)| *t);
    let mut spans = Vec::new();
    let mut open = counts.worst(policy).map(|worst| (range.start, worst));
    for (t, at, change) in changes {
        counts.take(slots[at]);
        match change {
            Change::Gives(status) => slots[at].given = Some(status),
            Change::Silent(silent) => slots[at].silent = silent,
        }
        counts.add(slots[at]);
        let next = counts.worst(policy);
        if next != open.map(|(_, worst)| worst) {
            close(&mut spans, open, t);
            open = next.map(|worst| (t, worst));
        }
    }
    close(&mut spans, open, range.end);
    let Some(twin) = twin else { return spans };
    let silent = model.twin(twin).signals.iter().flat_map(|signal| silence(*signal)).collect();
    marked(&spans, &TimeRange::merged(silent))
}

fn close(spans: &mut Vec<StatusSpan>, open: Option<(Timestamp, (Status, bool))>, end: Timestamp) {
    if let Some((start, (status, stale))) = open
        && start < end
    {
        spans.push(StatusSpan { range: TimeRange::new(start, end), status, stale });
    }
}

/// The same statuses, cut so that exactly what lies within `silent` (sorted, apart) is stale.
fn marked(spans: &[StatusSpan], silent: &[TimeRange]) -> Vec<StatusSpan> {
    let mut out: Vec<StatusSpan> = Vec::new();
    let mut push = |start: Timestamp, end: Timestamp, status: Status, stale: bool| {
        if start >= end {
            return;
        }
        match out.last_mut() {
            Some(last) if last.range.end == start && last.status == status && last.stale == stale => last.range.end = end,
            _ => out.push(StatusSpan { range: TimeRange::new(start, end), status, stale }),
        }
    };
    for span in spans {
        let mut at = span.range.start;
        for quiet in silent.iter().map(|quiet| quiet.intersect(span.range)).filter(|quiet| !quiet.is_empty()) {
            push(at, quiet.start, span.status, false);
            push(quiet.start, quiet.end, span.status, true);
            at = quiet.end;
        }
        push(at, span.range.end, span.status, false);
    }
    out
}

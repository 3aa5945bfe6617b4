//! What the time bar and the inspector say about time: stale stretches, and where a value is going.

use twin_engine::{EngineCommand, Event, EventKind, SeekTo, marked_events};
use twin_model::{AlarmIndex, AlarmState, Quality, RuleIndex, Sample, Span, Status, TimeRange, Timestamp, TwinIndex};

use crate::plant::{LEVEL, PUMP, TANK, VIBRATION, at, engine, reading};

/// Start, status and staleness of a strip, in seconds.
fn strip(e: &twin_engine::Engine, twin: Option<twin_model::TwinIndex>, from: i64, to: i64) -> Vec<(i64, Status, bool)> {
    let spans = e.status_strip(twin, TimeRange::new(at(from), at(to)));
    for pair in spans.windows(2) {
        assert_eq!(pair[0].range.end, pair[1].range.start, "spans touch");
    }
    spans.iter().map(|s| (s.range.start.as_micros() / 1_000_000, s.status, s.stale)).collect()
}

#[test]
fn silence_is_stale_from_its_limit_to_the_next_sample() {
    let mut e = engine();
    // Expected every second: stale once older than ten.
    let heard = (0..=100).chain(200..=300).map(|s| reading(VIBRATION, s, 1.0));
    e.ingest(&heard.collect::<Vec<_>>());
    let expected = [(0, Status::Normal, false), (110, Status::Unknown, true), (200, Status::Normal, false)];
    assert_eq!(strip(&e, Some(PUMP), 0, 301), expected);
    // The tank was never seen: of the site as a whole nothing can be said.
    assert_eq!(strip(&e, None, 0, 301), [(0, Status::Unknown, false)]);
}

/// Second by second, or hour by hour, this would not end.
#[test]
fn events_and_strips_over_all_time_walk_only_what_exists() {
    let begins = [-62_135_596_799, 1_772_439_304, 253_402_200_000];
    let mut e = engine();
    for begin in begins {
        e.ingest(&[reading(VIBRATION, begin, 12.0), reading(VIBRATION, begin + 5, 12.0), reading(VIBRATION, begin + 6, 1.0)]);
    }
    let always = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
    for twin in [None, Some(PUMP)] {
        let spans = e.status_strip(twin, always);
        assert!(spans.len() <= 13, "{spans:?}");
        // Before the first reading nothing is said.
        assert_eq!((spans.first().unwrap().range.start, spans.last().unwrap().range.end), (at(begins[0]), always.end));
        assert!(spans.windows(2).all(|pair| pair[0].range.end == pair[1].range.start), "{spans:?}");
    }
    let failed = |event: &&Event| matches!(event.kind, EventKind::Status(PUMP, _, Status::Failure));
    let events = e.events(always, 1_000);
    assert_eq!(events.iter().filter(failed).map(|event| event.t).collect::<Vec<_>>(), begins.map(|begin| at(begin + 2)));
}

#[test]
fn one_cause_is_one_mark() {
    let model = crate::plant::model();
    let event = |s: i64, kind: EventKind| Event { t: at(s), kind };
    let alarm = |s: i64, state: AlarmState| event(s, EventKind::Alarm(AlarmIndex(0), state));
    let owner = model.alarm(AlarmIndex(0)).twin;
    let other = if owner == PUMP { TANK } else { PUMP };
    let status = |s: i64, twin: TwinIndex, status: Status| event(s, EventKind::Status(twin, RuleIndex(0), status));
    let check = |name: &str, events: &[Event], expected: &[usize]| {
        let expected: Vec<Event> = expected.iter().map(|nth| events[*nth]).collect();
        assert_eq!(marked_events(&model, events), expected, "{name}");
    };
    let (unack, ack) = (AlarmState::UnackActive, AlarmState::AckActive);
    check("rule and alarm at once", &[status(5, owner, Status::Failure), alarm(5, unack)], &[1]);
    check("whichever comes first", &[alarm(5, unack), status(5, owner, Status::Failure)], &[0]);
    check("an alarm that waits is its own", &[status(5, owner, Status::Failure), alarm(9, unack)], &[0, 1]);
    check("another twin's change too", &[alarm(5, unack), status(5, other, Status::Failure)], &[0, 1]);
    check("acknowledging is no second mark", &[alarm(5, unack), alarm(7, ack)], &[0]);
    check("returning is none", &[alarm(5, unack), alarm(7, AlarmState::ReturnedUnack), alarm(9, AlarmState::Normal)], &[0]);
    check("raised again it is", &[alarm(5, unack), alarm(7, AlarmState::Normal), alarm(9, unack)], &[0, 2]);
    check("getting well is none", &[status(5, owner, Status::Normal), status(6, owner, Status::Unknown)], &[]);
}

#[test]
fn a_tail_without_data_is_stale_up_to_the_end() {
    let mut e = engine();
    e.ingest(&[reading(VIBRATION, 0, 1.0), reading(VIBRATION, 1, 1.0)]);
    assert_eq!(strip(&e, Some(PUMP), 0, 86_400), [(0, Status::Normal, false), (11, Status::Unknown, true)]);
}

#[test]
fn a_goodbye_is_stale_at_once() {
    let mut e = engine();
    let goodbye = Sample::float(at(5), 1.0).with_quality(Quality::BAD_NO_COMMUNICATION);
    e.ingest(&[reading(VIBRATION, 4, 1.0), (VIBRATION, goodbye), reading(VIBRATION, 8, 1.0)]);
    let got = strip(&e, Some(PUMP), 4, 10);
    assert_eq!(got.iter().map(|(t, _, stale)| (*t, *stale)).collect::<Vec<_>>(), [(4, false), (5, true), (8, false)]);
}

#[test]
fn a_site_in_which_anything_is_silent_is_not_normal() {
    let mut e = engine();
    let mut samples: Vec<_> = (0..=300).map(|s| reading(LEVEL, s, 50.0)).collect();
    samples.push(reading(VIBRATION, 0, 1.0));
    e.ingest(&samples);
    assert_eq!(strip(&e, None, 0, 301), [(0, Status::Normal, false), (10, Status::Unknown, true)]);
    assert_eq!(strip(&e, Some(TANK), 0, 301), [(0, Status::Normal, false)]);
    let mut e = engine();
    e.ingest(&(0..=300).map(|s| reading(LEVEL, s, 50.0)).collect::<Vec<_>>());
    e.ingest(&[reading(VIBRATION, 0, 12.0), reading(VIBRATION, 3, 12.0)]);
    // The failure rests on a signal that fell silent.
    assert_eq!(strip(&e, None, 4, 301), [(4, Status::Failure, false), (13, Status::Unknown, true)]);
}

#[test]
fn the_strip_says_at_every_instant_what_the_picture_of_that_instant_shows() {
    let mut e = engine();
    let beats = [0, 1, 5, 30, 31, 60, 61, 62, 90];
    e.ingest(&beats.map(|s| reading(VIBRATION, s, if s < 40 { 12.0 } else { 1.0 })));
    e.ingest(&[reading(LEVEL, 3, 50.0), (LEVEL, Sample::without_value(at(8), twin_model::ValueKind::Float, Quality::GOOD))]);
    e.ingest(&[reading(LEVEL, 12, 50.0), (LEVEL, Sample::float(at(70), 1.0).with_quality(Quality::BAD_NO_COMMUNICATION))]);
    for twin in [PUMP, TANK] {
        let spans = e.status_strip(Some(twin), TimeRange::new(at(0), at(120)));
        let id = e.model().twin(twin).id.to_string();
        // Half seconds: the strip's edges are half-open, the picture's are not.
        for half in 1..240 {
            let t = twin_model::Timestamp::from_millis(half * 500 + 1);
            let shown = e.state_at(t).twins.into_iter().find(|each| each.id == id).map(|each| each.status);
            let barred = spans.iter().find(|span| span.range.contains(t)).map_or(Status::Unknown, |span| span.status);
            assert_eq!(shown, Some(barred), "{id} at {t}");
        }
    }
}

/// The outlook of the vibration rule with values up to 1,000 s, seen from `seen`.
fn outlook(seen: i64, value: impl Fn(f64) -> f64) -> Option<(f64, Status, i64)> {
    let mut e = engine();
    e.ingest(&(0..=1_000).map(|s| reading(VIBRATION, s, value(s as f64))).collect::<Vec<_>>());
    e.tick(Some(at(1_000)), Span::ZERO, true);
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(seen)))).expect("a seek always works");
    let rule = e.model().twin(PUMP).rules[0];
    e.outlook(rule).map(|out| (out.limit, out.status, out.at.as_micros() / 1_000_000))
}

#[test]
fn a_rising_value_is_foretold_at_its_next_limit() {
    // 5.0 is reached at 1,100 s.
    let Some((limit, status, when)) = outlook(600, |s| 0.5 + s * 4.5 / 1_100.0) else { panic!("no outlook") };
    assert_eq!((limit, status), (5.0, Status::Maintenance));
    assert!((1_090..=1_110).contains(&when), "{when}");
    // Past the first limit, the next one counts: 10.0 at 1,000 s.
    let Some((limit, status, when)) = outlook(800, |s| s / 100.0) else { panic!("no outlook") };
    assert_eq!((limit, status), (10.0, Status::Failure));
    assert!((995..=1_005).contains(&when), "{when}");
}

#[test]
fn nothing_is_foretold_from_after_the_playhead() {
    // Flat until 700, then steep: at 650 nobody can know.
    assert_eq!(outlook(650, |s| if s < 700.0 { 1.0 } else { 1.0 + (s - 700.0) / 100.0 }), None);
}

#[test]
fn still_falling_and_distant_values_have_no_outlook() {
    assert_eq!(outlook(900, |_| 3.0), None);
    assert_eq!(outlook(900, |s| 4.9 - s / 1_000.0), None);
    assert_eq!(outlook(900, |s| 1.0 + s * 1e-5), None);
}

#[test]
fn a_value_that_swings_or_warms_up_again_is_not_foretold() {
    let saw = |period: f64, top: f64| move |s: f64| top * ((s / period).fract());
    // Has turned at 4 before: it will again. Has passed 5 before: it will again, too.
    assert_eq!(outlook(805, saw(500.0, 4.0)), None);
    let Some((limit, ..)) = outlook(805, saw(500.0, 8.0)) else { panic!("no outlook") };
    assert_eq!(limit, 5.0);
}

#[test]
fn stale_data_foretells_nothing() {
    let mut e = engine();
    e.ingest(&(0..=600).map(|s| reading(VIBRATION, s, s as f64 / 150.0)).collect::<Vec<_>>());
    e.tick(Some(at(700)), Span::ZERO, true);
    assert_eq!(e.outlook(e.model().twin(PUMP).rules[0]), None);
}

//! What a reader with little memory fetches and gives up.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use twin_historian::Level;
use twin_historian::pager::{Arrival, Cover, Focus, Page, Pager, PagerConfig, Request, Step};
use twin_model::{Span, TimeRange, Timestamp};

use crate::kit::{range, secs};

const HOUR: i64 = 3_600;

fn page(level: Level, start: i64, samples: u64) -> Page {
    let slab = level.slab(Span::from_secs(HOUR)).as_micros() / 1_000_000;
    Page { level, range: range(start, start + slab), version: "a".into(), samples, bytes: samples / 2, parts: 1 }
}

/// Hours of raw pages and six-hour pages of extracts.
fn catalogue(hours: i64, samples: u64) -> Vec<Page> {
    let raw = (0..hours).map(|hour| page(Level::Raw, hour * HOUR, samples));
    let rough = (0..hours / 6).map(|at| page(Level::FiveMinutes, at * 6 * HOUR, samples / 10));
    raw.chain(rough).chain([page(Level::Hour, 0, samples / 50)]).collect()
}

fn pager(budget_bytes: u64, pages: Vec<Page>) -> Pager {
    let mut pager = Pager::new(PagerConfig { budget_bytes, ..PagerConfig::default() });
    pager.set_catalogue(range(0, 1_000 * HOUR), pages);
    pager
}

fn look(playhead: i64, speed: f64) -> Focus {
    Focus { playhead: secs(playhead), speed, view: range(0, 24 * HOUR) }
}

/// Steps until it rests, every request answered at once; what was fetched and given up.
fn settle(pager: &mut Pager) -> (Vec<Request>, Vec<TimeRange>) {
    let (mut fetched, mut evicted) = (Vec::new(), Vec::new());
    for _ in 0..10_000 {
        match pager.step() {
            Step::Fetch(request) => {
                assert_ne!(pager.arrived(request.id), Arrival::Stale);
                fetched.push(request);
            }
            Step::Evict(range, _) => evicted.push(range),
            Step::Cancel(id) => panic!("nothing runs, but {id} is cancelled"),
            Step::Rest => return (fetched, evicted),
        }
    }
    panic!("the pager never rests");
}

#[test]
fn what_is_under_the_playhead_comes_first_then_what_is_ahead_then_the_rest() {
    let mut pager = pager(1 << 30, catalogue(24, 1_000_000));
    pager.focus(look(10 * HOUR + 1_800, 60.0));
    let (fetched, evicted) = settle(&mut pager);
    let starts: Vec<i64> =
        fetched.iter().filter(|r| r.level == Level::Raw).map(|r| r.range.start.as_micros() / 3_600_000_000).collect();
    assert_eq!(starts[..1], [10], "{starts:?}");
    assert_eq!(starts.len(), 24, "in the end everything is here");
    assert_eq!(evicted, []);
    assert_eq!(pager.cover(range(0, 24 * HOUR)), [(range(0, 24 * HOUR), Cover::Here(Level::Raw))]);
    pager.focus(look(20 * HOUR, -1.0));
    assert_eq!(pager.step(), Step::Rest);
}

#[test]
fn playing_backwards_fetches_what_lies_behind() {
    let mut pager = pager(1 << 30, catalogue(24, 1_000_000));
    pager.focus(look(10 * HOUR + 60, -200.0));
    let (fetched, _) = settle(&mut pager);
    let raw: Vec<i64> =
        fetched.iter().filter(|r| r.level == Level::Raw).map(|r| r.range.start.as_micros() / 3_600_000_000).collect();
    assert_eq!(raw[..2], [10, 9]);
}

#[test]
fn a_speed_that_raw_samples_cannot_follow_is_played_from_extracts() {
    let pages = catalogue(24, 100_000_000);
    let mut fast = pager(4 << 30, pages.clone());
    fast.focus(look(10 * HOUR, 1_000.0));
    let Step::Fetch(first) = fast.step() else { panic!("nothing is fetched") };
    assert_eq!(first.level, Level::FiveMinutes, "50 MB an hour at 1000x are 14 MB/s, extracts of 5 minutes 0.2 MB/s");
    (0..20).for_each(|_| fast.note_speed(10_000, 0.001));
    (0..20).for_each(|_| fast.note_speed(100_000, 1.0));
    fast.failed(first.id);
    let Step::Fetch(first) = fast.step() else { panic!("nothing is fetched") };
    assert_eq!(first.level, Level::Hour, "a slow link carries hourly extracts at best");
    let mut slow = pager(4 << 30, pages);
    slow.focus(look(10 * HOUR, 1.0));
    let Step::Fetch(first) = slow.step() else { panic!("nothing is fetched") };
    assert_eq!(first.level, Level::Raw);
}

#[test]
fn what_does_not_fit_gives_way_to_what_is_nearer() {
    // Each hour takes about 13 MB: some four fit beside the extracts.
    let mut pager = pager(80 << 20, catalogue(48, 10_000_000));
    pager.focus(look(3 * HOUR + 60, 1.0));
    settle(&mut pager);
    assert_eq!(pager.at(secs(3 * HOUR)), Some(Cover::Here(Level::Raw)));
    pager.focus(look(40 * HOUR, 1.0));
    let (_, evicted) = settle(&mut pager);
    assert!(!evicted.is_empty());
    assert_eq!(pager.at(secs(40 * HOUR)), Some(Cover::Here(Level::Raw)));
    assert_ne!(pager.at(secs(3 * HOUR)), Some(Cover::Here(Level::Raw)));
    assert!(matches!(pager.at(secs(20 * HOUR)), Some(Cover::Here(_))), "extracts of all time are here");
}

#[test]
fn an_answer_that_nobody_waits_for_is_dropped() {
    let mut pager = pager(1 << 30, catalogue(200, 1_000_000));
    pager.focus(look(100 * HOUR, 0.0));
    let mut running = Vec::new();
    while let Step::Fetch(request) = pager.step() {
        running.push(request);
    }
    assert_eq!(running.len(), 2, "two at a time");
    let first = running.remove(0);
    assert_eq!(first.range.start, secs(100 * HOUR));
    assert!(matches!(pager.arrived(first.id), Arrival::Whole(_)));
    while let Step::Fetch(request) = pager.step() {
        running.push(request);
    }
    pager.focus(look(5 * HOUR, 0.0));
    let Step::Cancel(gone) = pager.step() else { panic!("a far page should give way") };
    assert_eq!(pager.arrived(gone), Arrival::Stale);
    let Step::Fetch(now) = pager.step() else { panic!("the page under the playhead should be asked for") };
    assert_eq!(now.range.start, secs(5 * HOUR));
    assert_eq!(pager.arrived(999), Arrival::Stale);
}

#[test]
fn a_page_in_parts_is_here_with_its_last_part() {
    let mut pager = pager(1 << 30, vec![Page { parts: 3, ..page(Level::Raw, 0, 1_000_000) }]);
    pager.focus(look(10, 0.0));
    let mut parts = Vec::new();
    for left in [2, 1, 0] {
        let Step::Fetch(request) = pager.step() else { panic!("part missing") };
        parts.push(request.part);
        let arrival = pager.arrived(request.id);
        assert_eq!(arrival == Arrival::Part, left > 0, "{arrival:?}");
        assert_eq!(pager.at(secs(10)), Some(if left > 0 { Cover::Coming } else { Cover::Here(Level::Raw) }));
    }
    assert_eq!(parts, [0, 1, 2]);
}

#[test]
fn a_page_that_fails_is_tried_again_and_then_lost_until_the_link_is_back() {
    let mut pager = pager(1 << 30, vec![page(Level::Raw, 0, 1_000)]);
    pager.focus(look(10, 0.0));
    for _ in 0..4 {
        let Step::Fetch(request) = pager.step() else { panic!("it should be tried again") };
        assert!(pager.failed(request.id));
        assert!(!pager.failed(request.id));
    }
    assert_eq!((pager.step(), pager.at(secs(10))), (Step::Rest, Some(Cover::Lost)));
    assert!(pager.ready_about(secs(10), Span::from_secs(60)).is_some(), "nobody waits for what is lost");
    pager.retry();
    assert!(matches!(pager.step(), Step::Fetch(_)));
}

#[test]
fn what_was_streamed_need_not_be_fetched_and_a_new_version_must() {
    let mut pager = pager(1 << 30, vec![]);
    pager.note_held(range(0, 2 * HOUR));
    pager.set_catalogue(range(0, 10 * HOUR), [page(Level::Raw, 0, 1_000), page(Level::Raw, 2 * HOUR, 1_000)]);
    pager.focus(look(10, 0.0));
    let (fetched, _) = settle(&mut pager);
    assert_eq!(fetched.iter().map(|r| r.range.start).collect::<Vec<_>>(), [secs(2 * HOUR)]);
    let newer = Page { version: "b".into(), ..page(Level::Raw, 2 * HOUR, 1_001) };
    pager.set_catalogue(range(2 * HOUR, 3 * HOUR), [newer]);
    let (fetched, _) = settle(&mut pager);
    assert_eq!(fetched.iter().map(|r| r.version.as_str()).collect::<Vec<_>>(), ["b"], "late samples are fetched");
    pager.set_catalogue(range(0, 10 * HOUR), []);
    assert_eq!(pager.pages(), 0, "what retention took is gone");
}

#[test]
fn playing_waits_at_the_edge_of_what_is_here() {
    let mut pager = pager(1 << 30, vec![page(Level::Raw, 0, 1_000), page(Level::Raw, HOUR, 1_000)]);
    pager.focus(look(10, 0.0));
    let Step::Fetch(request) = pager.step() else { panic!("nothing is fetched") };
    assert_eq!(pager.ready_about(secs(10), Span::from_secs(60)), None, "nothing is here yet");
    pager.arrived(request.id);
    assert_eq!(pager.ready_about(secs(3_590), Span::from_secs(60)), Some(range(3_530, HOUR)));
    settle(&mut pager);
    assert_eq!(pager.ready_about(secs(3_590), Span::from_secs(60)), Some(range(3_530, 3_650)));
}

proptest! {
    /// However the reader moves: it ends with what it looks at, within its budget, and never asks twice for the same.
    #[test]
    fn the_reader_always_gets_what_it_looks_at(
        hours in 1..60_i64,
        sizes in prop::collection::vec(1_000..8_000_000_u64, 60),
        moves in prop::collection::vec((0..60_i64, -1_000.0..1_000.0_f64), 1..8),
        budget in (30_u64..200).prop_map(|mb| mb << 20),
    ) {
        let mut pages = catalogue(hours, 1_000_000);
        for (page, samples) in pages.iter_mut().zip(&sizes) {
            page.samples = *samples;
        }
        let mut here: BTreeMap<(Level, Timestamp), u64> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        let mut pager = pager(budget, pages.clone());
        for (hour, speed) in moves {
            let playhead = secs(hour.min(hours - 1) * HOUR + 7);
            pager.focus(Focus { playhead, speed, view: range(0, hours * HOUR) });
            let (fetched, evicted) = settle(&mut pager);
            for request in &fetched {
                prop_assert!(ids.insert(request.id));
            }
            for gone in &evicted {
                prop_assert!(!gone.is_empty());
            }
            here.clear();
            for page in &pages {
                if pager.cover(page.range).iter().any(|(_, cover)| *cover == Cover::Here(page.level)) {
                    here.insert((page.level, page.range.start), page.samples);
                }
            }
            let held: f64 = here.iter().map(|((level, _), n)| *n as f64 * if *level == Level::Raw { 1.3 } else { 8.0 }).sum();
            prop_assert!(held <= budget as f64 + 8e6 * 1.3 + 1e6, "{held} of {budget}");
            prop_assert!(matches!(pager.at(playhead), Some(Cover::Here(_))), "{:?}", pager.at(playhead));
        }
    }
}

//! History that is here in parts: extracts look neither stale nor broken, what was given up keeps its status, and the
//! playhead may go where only somebody else has data.

use twin_engine::{Engine, EngineCommand, PlayState, Ready, SeekTo};
use twin_historian::chunk::{Chunk, Coarse, coarsen};
use twin_historian::{Level, SignalSpec, Store, StoreConfig};
use twin_model::{Freshness, Sample, SignalIndex, Span, Status, TimeRange};

use crate::plant::*;

const HOUR: i64 = 3_600;

fn hour(n: i64) -> TimeRange {
    TimeRange::new(at(n * HOUR), at((n + 1) * HOUR))
}

/// Three hours at 1 Hz; the pump shakes too much for ten minutes of the second.
fn samples() -> Vec<(SignalIndex, Sample)> {
    let value = |s: i64| if (5_000..5_600).contains(&s) { 12.0 } else { 1.0 + (s % 7) as f64 / 10.0 };
    (0..3 * HOUR).flat_map(|s| [reading(VIBRATION, s, value(s)), reading(LEVEL, s, 50.0)]).collect()
}

fn chunks() -> Vec<Chunk> {
    let mut store = Store::new(model().signals().iter().map(SignalSpec::from), StoreConfig::default());
    for (signal, sample) in samples() {
        store.append(signal, &sample);
    }
    (0..3).flat_map(|n| store.export_chunks(hour(n))).collect()
}

fn rough(chunk: &Chunk) -> Chunk {
    let how = Coarse { level: Level::FiveMinutes, raw_slab: Span::from_secs(HOUR), gap_after: &|_| Some(Span::from_secs(3)) };
    coarsen(&chunk.bytes, None, &how).expect("a chunk of our own")
}

fn show(e: &mut Engine, s: i64) -> (Status, Freshness) {
    e.apply(EngineCommand::Seek(SeekTo::Exact(at(s)))).expect("a seek always works");
    e.refresh();
    let twin = e.frame().twins[PUMP.at()];
    (twin.status, twin.freshness)
}

#[test]
fn an_extract_shows_the_status_of_its_time_and_does_not_look_stale() {
    let mut e = engine();
    for (n, chunk) in chunks().iter().enumerate() {
        e.import_chunk(&rough(chunk).bytes).expect("a chunk of our own");
        e.note_detail(hour(n as i64), Level::FiveMinutes);
    }
    for (s, status) in [(1_000, Status::Normal), (5_450, Status::Failure), (7_000, Status::Normal)] {
        let (seen, fresh) = show(&mut e, s);
        assert_eq!(seen, status, "at {s}");
        assert!(fresh <= Freshness::Late, "at {s}: {fresh:?}");
    }
    let strip = e.status_strip(Some(PUMP), TimeRange::new(at(0), at(3 * HOUR)));
    assert!(strip.iter().all(|span| !span.stale), "{strip:?}");
    assert!(strip.iter().any(|span| span.status == Status::Failure));
}

#[test]
fn a_silence_longer_than_the_bucket_is_stale_in_an_extract_too() {
    let mut e = engine();
    let mut store = Store::new(model().signals().iter().map(SignalSpec::from), StoreConfig::default());
    for (signal, sample) in samples().into_iter().filter(|(_, sample)| !(at(600)..at(2_400)).contains(&sample.source_time)) {
        store.append(signal, &sample);
    }
    for chunk in store.export_chunks(hour(0)) {
        e.import_chunk(&rough(&chunk).bytes).expect("a chunk of our own");
    }
    e.note_detail(hour(0), Level::FiveMinutes);
    assert_eq!(show(&mut e, 2_000).1, Freshness::Stale);
    assert!(show(&mut e, 700).1 <= Freshness::Late, "within the bucket nobody can know");
}

#[test]
fn all_samples_on_top_of_an_extract_give_the_same_as_all_samples_alone() {
    let (mut fine, mut both) = (engine(), engine());
    for chunk in &chunks() {
        fine.import_chunk(&chunk.bytes).expect("a chunk of our own");
        both.import_chunk(&rough(chunk).bytes).expect("a chunk of our own");
    }
    both.note_detail(TimeRange::new(at(0), at(3 * HOUR)), Level::FiveMinutes);
    for (n, chunk) in chunks().iter().enumerate().rev() {
        both.import_chunk(&chunk.bytes).expect("a chunk of our own");
        both.note_detail(hour(n as i64), Level::Raw);
    }
    for s in (0..3 * HOUR).step_by(61) {
        assert_eq!(fine.state_at(at(s)), both.state_at(at(s)), "at {s}");
    }
}

#[test]
fn what_was_given_up_keeps_its_status_and_comes_back_whole() {
    let mut e = engine();
    e.ingest(&samples());
    let whole: Vec<_> = (0..3 * HOUR).step_by(61).map(|s| e.state_at(at(s))).collect();
    let strip = e.status_strip(Some(PUMP), TimeRange::new(at(0), at(3 * HOUR)));
    assert!(e.reduce(hour(1), Level::Raw) > 5_000);
    let statuses = |strip: &[twin_engine::StatusSpan]| strip.iter().map(|span| span.status).collect::<Vec<_>>();
    let now = e.status_strip(Some(PUMP), TimeRange::new(at(0), at(3 * HOUR)));
    assert!(statuses(&now).contains(&Status::Failure), "{now:?}");
    for chunk in &chunks() {
        e.import_chunk(&chunk.bytes).expect("a chunk of our own");
    }
    assert_eq!(whole, (0..3 * HOUR).step_by(61).map(|s| e.state_at(at(s))).collect::<Vec<_>>());
    assert_eq!(strip, e.status_strip(Some(PUMP), TimeRange::new(at(0), at(3 * HOUR))));
}

#[test]
fn what_was_made_coarser_shows_its_status_and_comes_back_whole() {
    let mut e = engine();
    e.ingest(&samples());
    let whole: Vec<_> = (0..3 * HOUR).step_by(61).map(|s| e.state_at(at(s))).collect();
    assert!(e.reduce(hour(1), Level::FiveMinutes) > 5_000);
    for (s, status) in [(4_000, Status::Normal), (5_450, Status::Failure), (7_000, Status::Normal)] {
        assert_eq!(show(&mut e, s).0, status, "at {s}");
    }
    for chunk in &chunks() {
        e.import_chunk(&chunk.bytes).expect("a chunk of our own");
    }
    e.note_detail(hour(1), Level::Raw);
    assert_eq!(whole, (0..3 * HOUR).step_by(61).map(|s| e.state_at(at(s))).collect::<Vec<_>>());
}

#[test]
fn the_playhead_goes_where_only_the_server_has_data_and_waits_there() {
    let mut e = engine();
    e.ingest(&samples()[14_000..]);
    e.note_kept(Some(TimeRange::new(at(-9 * HOUR), at(3 * HOUR))));
    e.tick(Some(at(3 * HOUR)), Span::ZERO, true);
    e.apply(EngineCommand::Seek(SeekTo::Clamped(at(-5 * HOUR)))).expect("a seek always works");
    assert_eq!(e.playback().playhead(), at(-5 * HOUR));
    e.note_ready(Ready::Nothing);
    e.apply(EngineCommand::Play).expect("playing always works");
    e.tick(Some(at(3 * HOUR)), Span::from_secs(1), true);
    assert_eq!((e.playback().playhead(), e.playback().buffering()), (at(-5 * HOUR), true));
    e.note_ready(Ready::All);
    e.tick(Some(at(3 * HOUR)), Span::from_secs(1), true);
    assert_eq!((e.playback().playhead(), e.playback().state()), (at(-5 * HOUR + 1), PlayState::Playing));
}

#[test]
fn history_under_the_numbers_of_a_plant_with_other_signals_comes_to_the_signals_it_is_of() {
    // The plant that runs has a signal that the model lacks in front of the level, which stands before the vibration there.
    let sent = [None, Some(LEVEL), None, Some(VIBRATION)];
    let mut store = Store::new(sent.map(|_| SignalSpec::from(&model().signals()[0])), StoreConfig::default());
    for s in 0..600 {
        for (position, value) in [(0, 77.0), (1, 50.0 + (s % 50) as f64), (2, 88.0), (3, if s > 300 { 12.0 } else { 1.0 })] {
            store.append(SignalIndex(position), &Sample::float(at(s), value));
        }
    }
    let chunks = store.export_chunks(hour(0));
    let (mut numbered, mut told) = (engine(), engine());
    numbered.number(&sent);
    for chunk in &chunks {
        numbered.import_chunk(&chunk.bytes).expect("a chunk of a plant with more signals");
    }
    for s in 0..600 {
        told.ingest(&[reading(LEVEL, s, 50.0 + (s % 50) as f64), reading(VIBRATION, s, if s > 300 { 12.0 } else { 1.0 })]);
    }
    for s in [0, 299, 301, 302, 303, 450, 599, 700] {
        assert_eq!(numbered.state_at(at(s)), told.state_at(at(s)), "at {s}");
        assert_eq!(show(&mut numbered, s), show(&mut told, s), "at {s}");
    }
    // Another model of the same signals judges them under the same numbers.
    assert!(numbered.judge_by(model_with(0.5)));
    for chunk in &chunks {
        assert!(numbered.import_chunk(&chunk.bytes).expect("the same again").touched.is_some());
    }
    assert_eq!(show(&mut numbered, 100).0, Status::Maintenance);
    // A chunk with more numbers than the dictionary is none of its plant.
    numbered.number(&[None, Some(LEVEL)]);
    assert!(chunks.iter().any(|chunk| numbered.import_chunk(&chunk.bytes).is_err()));
    // In the order of the model nothing is translated, and what the model lacks is refused as ever.
    numbered.number(&[Some(SignalIndex(0)), Some(SignalIndex(1)), Some(SignalIndex(2))]);
    assert!(chunks.iter().any(|chunk| numbered.import_chunk(&chunk.bytes).is_err()));
}

//! What every keeper of history must do. Each check panics with the rule that is broken; run them from a test.

use twin_model::{TimeRange, Timestamp};

use super::{Change, Entry, Historian, LEVELS, Limits, Position, Retention};
use crate::chunk::{Chunk, ChunkKey, Level};

/// Makes an empty keeper.
pub type Make<'a> = dyn FnMut() -> Box<dyn Historian> + 'a;

/// Runs the whole suite, with a fresh keeper for each rule.
///
/// # Panics
/// Where a rule is broken; the message says which.
pub fn check(make: &mut Make<'_>) {
    for rule in [
        a_chunk_comes_back_bit_for_bit,
        a_higher_version_replaces_and_a_lower_one_does_not,
        only_the_very_version_is_removed,
        the_catalogue_lists_what_meets_a_range_in_order,
        levels_do_not_mix,
        the_journal_keeps_order_and_is_trimmed_by_place_and_time,
        positions_are_never_used_twice,
        notes_are_kept_replaced_and_forgotten,
        bytes_and_extent_add_up,
        clearing_leaves_nothing,
        a_commit_of_nothing_changes_nothing,
        retention_takes_whole_slabs_oldest_first,
        news_stay_as_long_as_they_lean_on_what_was_before,
        many_chunks_are_found_again,
        pages_are_the_catalogue_summed_up,
        a_reader_sees_what_was_committed_and_writes_nothing,
    ] {
        rule(make().as_mut());
    }
}

fn t(s: i64) -> Timestamp {
    Timestamp::from_secs(s)
}

fn always() -> TimeRange {
    TimeRange::new(Timestamp::MIN, Timestamp::MAX)
}

fn key(level: Level, first_signal: u32, start: i64, end: i64, version: u32) -> ChunkKey {
    ChunkKey { level, first_signal, signals: 64, start: t(start), end: t(end), version }
}

/// A chunk whose bytes are anything: keepers do not look into them.
fn chunk(key: ChunkKey, fill: u8, length: usize) -> Chunk {
    Chunk { key, samples: length as u32, bytes: (0..length).map(|at| fill.wrapping_add(at as u8)).collect() }
}

fn raw(first_signal: u32, hour: i64, version: u32) -> Chunk {
    chunk(key(Level::Raw, first_signal, hour * 3_600, (hour + 1) * 3_600, version), version as u8, 100)
}

fn put(keeper: &mut dyn Historian, chunks: impl IntoIterator<Item = Chunk>) {
    let changes: Vec<Change> = chunks.into_iter().map(Change::Put).collect();
    keeper.commit(&changes).expect("a commit of chunks");
}

fn keys(keeper: &dyn Historian, level: Level, range: TimeRange) -> Vec<ChunkKey> {
    keeper.catalogue(level, range).expect("the catalogue").into_iter().map(|kept| kept.key).collect()
}

fn entries(keeper: &dyn Historian, after: Position) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut keep = |entry| {
        all.push(entry);
        true
    };
    keeper.journal(after, &mut keep, &mut |at, why| panic!("entry {at:?} is damaged: {why}")).expect("the journal");
    all
}

fn append(from: i64, to: i64, bytes: &[u8]) -> Change {
    Change::Append { times: TimeRange::new(t(from), t(to)), bytes: bytes.into(), samples: 0 }
}

fn a_chunk_comes_back_bit_for_bit(keeper: &mut dyn Historian) {
    let made = raw(64, 5, 3);
    put(keeper, [made.clone()]);
    assert_eq!(keeper.chunk(&made.key).expect("a chunk").as_deref(), Some(made.bytes.as_slice()), "bytes as put");
    let kept = keeper.catalogue(Level::Raw, always()).expect("the catalogue");
    assert_eq!(kept.len(), 1, "one chunk is listed once");
    let crc = crc32fast::hash(&made.bytes);
    assert_eq!((kept[0].key, kept[0].samples, kept[0].bytes, kept[0].crc), (made.key, made.samples, 100, crc), "as put");
    assert_eq!(keeper.chunk(&key(Level::Raw, 64, 0, 3_600, 3)).expect("a look-up"), None, "another chunk is none");
}

fn a_higher_version_replaces_and_a_lower_one_does_not(keeper: &mut dyn Historian) {
    put(keeper, [raw(0, 1, 2)]);
    put(keeper, [raw(0, 1, 5)]);
    put(keeper, [raw(0, 1, 3)]);
    assert_eq!(keys(keeper, Level::Raw, always()), [raw(0, 1, 5).key], "the highest version stays");
    assert_eq!(keeper.chunk(&raw(0, 1, 2).key).expect("a look-up"), None, "an old version is gone");
    put(keeper, [chunk(raw(0, 1, 5).key, 77, 10)]);
    let bytes = keeper.chunk(&raw(0, 1, 5).key).expect("a look-up");
    assert_eq!(bytes.map(|bytes| bytes.len()), Some(100), "the same version again changes nothing: chunks are immutable");
}

fn only_the_very_version_is_removed(keeper: &mut dyn Historian) {
    put(keeper, [raw(0, 1, 2), raw(64, 1, 1)]);
    keeper.commit(&[Change::Remove(raw(0, 1, 1).key)]).expect("a removal");
    assert_eq!(keys(keeper, Level::Raw, always()).len(), 2, "another version is not removed");
    keeper.commit(&[Change::Remove(raw(0, 1, 2).key)]).expect("a removal");
    assert_eq!(keys(keeper, Level::Raw, always()), [raw(64, 1, 1).key], "the very version is");
    keeper.commit(&[Change::Remove(raw(0, 1, 2).key)]).expect("removing again is harmless");
}

fn the_catalogue_lists_what_meets_a_range_in_order(keeper: &mut dyn Historian) {
    put(keeper, [raw(64, 2, 1), raw(0, 2, 1), raw(0, 1, 1), raw(0, 4, 1)]);
    let hours = |from: i64, to: i64| keys(keeper, Level::Raw, TimeRange::new(t(from), t(to)));
    assert_eq!(hours(0, 20_000), [raw(0, 1, 1).key, raw(0, 2, 1).key, raw(64, 2, 1).key, raw(0, 4, 1).key], "by start, signal");
    assert_eq!(hours(7_199, 7_200), [raw(0, 1, 1).key], "ends are exclusive");
    assert_eq!(hours(7_200, 7_201), [raw(0, 2, 1).key, raw(64, 2, 1).key], "starts are inclusive");
    assert_eq!(hours(10_800, 14_400), [], "nothing where nothing is");
    assert_eq!(hours(9_000, 9_000), [], "an empty range meets nothing");
    assert_eq!(hours(8_000, 8_001).len(), 2, "a range inside a chunk meets it");
    let starting = |from: i64, to: i64| {
        let found = keeper.starting(Level::Raw, TimeRange::new(t(from), t(to))).expect("the catalogue");
        found.into_iter().map(|kept| kept.key).collect::<Vec<_>>()
    };
    assert_eq!(starting(7_200, 14_400), [raw(0, 2, 1).key, raw(64, 2, 1).key], "what begins in a range, by start, signal");
    assert_eq!(starting(8_000, 14_400), [], "and not what only reaches into it");
    assert_eq!(starting(9_000, 9_000), [], "an empty range has no start");
}

fn levels_do_not_mix(keeper: &mut dyn Historian) {
    let carried = chunk(key(Level::Carried, 0, 3_600, 3_600, 1), 9, 20);
    let coarse = chunk(key(Level::FiveMinutes, 0, 0, 21_600, 1), 8, 30);
    put(keeper, [raw(0, 1, 1), carried.clone(), coarse.clone()]);
    assert_eq!(keys(keeper, Level::Raw, always()), [raw(0, 1, 1).key]);
    assert_eq!(
        keys(keeper, Level::FiveMinutes, TimeRange::new(t(20_000), t(20_001))),
        [coarse.key],
        "a long chunk is found late"
    );
    assert_eq!(keys(keeper, Level::Carried, TimeRange::new(t(3_600), t(3_601))), [carried.key], "an instant lies in a range");
    assert_eq!(keys(keeper, Level::Carried, TimeRange::new(t(0), t(3_600))), [], "and not before it");
    assert_eq!(keeper.bytes(Level::FiveMinutes).expect("bytes"), 30);
}

fn the_journal_keeps_order_and_is_trimmed_by_place_and_time(keeper: &mut dyn Historian) {
    let first = keeper.commit(&[append(10, 20, b"a"), append(30, 40, b"b")]).expect("an append");
    let second = keeper.commit(&[append(5, 15, b"c"), append(100, 110, b"")]).expect("an append");
    assert!(second > first, "positions ascend");
    let all = entries(keeper, Position(0));
    let bytes: Vec<&[u8]> = all.iter().map(|entry| &*entry.bytes).collect();
    assert_eq!(bytes, [b"a".as_slice(), b"b", b"c", b""], "in the order of appending");
    assert_eq!((all[1].position, all[3].position), (first, second), "a commit tells the newest position");
    assert_eq!(all[0].times, TimeRange::new(t(10), t(20)));
    assert_eq!(entries(keeper, first).len(), 2, "reading goes on behind a position");
    keeper.commit(&[Change::Trim { upto: first, before: t(40) }]).expect("a trim");
    let left: Vec<Vec<u8>> = entries(keeper, Position(0)).iter().map(|entry| entry.bytes.to_vec()).collect();
    assert_eq!(left, [b"b".to_vec(), b"c".to_vec(), b"".to_vec()], "newer places and later times stay");
}

fn positions_are_never_used_twice(keeper: &mut dyn Historian) {
    let first = keeper.commit(&[append(1, 2, b"a")]).expect("an append");
    keeper.commit(&[Change::Trim { upto: first, before: t(100) }]).expect("a trim");
    assert_eq!(entries(keeper, Position(0)), []);
    let second = keeper.commit(&[append(1, 2, b"b")]).expect("an append");
    assert!(second > first, "a trimmed place stays used");
}

fn notes_are_kept_replaced_and_forgotten(keeper: &mut dyn Historian) {
    let note = |text: &str| Change::Note { name: "signals".to_owned(), text: text.to_owned() };
    assert_eq!(keeper.note("signals").expect("a note"), None);
    keeper.commit(&[note("f a\nf ü\n")]).expect("a note");
    keeper.commit(&[note("f b\n")]).expect("a note");
    assert_eq!(keeper.note("signals").expect("a note").as_deref(), Some("f b\n"));
    keeper.commit(&[note("")]).expect("a note");
    assert_eq!(keeper.note("signals").expect("a note"), None);
}

fn bytes_and_extent_add_up(keeper: &mut dyn Historian) {
    for level in LEVELS {
        assert_eq!((keeper.bytes(level).expect("bytes"), keeper.extent(level).expect("extent")), (0, None), "empty at first");
    }
    put(keeper, [raw(0, 2, 1), raw(64, 9, 1)]);
    put(keeper, [chunk(raw(0, 2, 2).key, 1, 250)]);
    assert_eq!(keeper.bytes(Level::Raw).expect("bytes"), 350, "a replaced chunk counts no more");
    assert_eq!(keeper.extent(Level::Raw).expect("extent"), Some(TimeRange::new(t(7_200), t(36_000))));
    keeper.commit(&[Change::Remove(raw(64, 9, 1).key)]).expect("a removal");
    assert_eq!(keeper.bytes(Level::Raw).expect("bytes"), 250);
    assert_eq!(keeper.extent(Level::Raw).expect("extent"), Some(TimeRange::new(t(7_200), t(10_800))));
}

fn clearing_leaves_nothing(keeper: &mut dyn Historian) {
    put(keeper, [raw(0, 2, 1)]);
    let note = Change::Note { name: "site".to_owned(), text: "x".to_owned() };
    let before = keeper.commit(&[append(1, 2, b"a"), note]).expect("a commit");
    keeper.commit(&[Change::Clear]).expect("a clearing");
    assert_eq!(keys(keeper, Level::Raw, always()), []);
    assert_eq!(entries(keeper, Position(0)), []);
    assert_eq!(keeper.note("site").expect("a note"), None);
    let after = keeper.commit(&[append(1, 2, b"b")]).expect("an append");
    assert!(after > before, "places go on");
}

fn a_commit_of_nothing_changes_nothing(keeper: &mut dyn Historian) {
    let at = keeper.commit(&[append(1, 2, b"a")]).expect("an append");
    assert_eq!(keeper.commit(&[]).expect("an empty commit"), at);
}

fn retention_takes_whole_slabs_oldest_first(keeper: &mut dyn Historian) {
    put(keeper, (0..6).flat_map(|hour| [raw(0, hour, 1), raw(64, hour, 1)]));
    let carried = |hour: i64| chunk(key(Level::Carried, 0, hour * 3_600, hour * 3_600, 1), 1, 10);
    put(keeper, (1..6).map(carried));
    let limits = |age, bytes| Retention { raw: Limits { age, bytes }, ..Retention::default() };
    let plan = |keeper: &dyn Historian, retention: Retention| retention.plan(keeper, t(6 * 3_600), usize::MAX).expect("a plan");
    assert_eq!(plan(keeper, limits(None, None)), [], "nothing goes without limits");
    let by_bytes = plan(keeper, limits(None, Some(850)));
    let raw_gone = by_bytes.iter().filter(|change| matches!(change, Change::Remove(key) if key.level == Level::Raw)).count();
    assert_eq!(raw_gone, 4, "350 bytes too many are two slabs of two chunks");
    let by_age = plan(keeper, limits(Some(twin_model::Span::from_secs(2 * 3_600)), None));
    keeper.commit(&by_age).expect("a removal");
    assert_eq!(keys(keeper, Level::Raw, always()).iter().map(|key| key.start).min(), Some(t(4 * 3_600)));
    assert_eq!(keys(keeper, Level::Carried, always()), [carried(4).key, carried(5).key], "carried-in state goes with its time");
    assert_eq!(plan(keeper, limits(Some(twin_model::Span::from_secs(2 * 3_600)), None)), [], "once is enough");
}

fn news_stay_as_long_as_they_lean_on_what_was_before(keeper: &mut dyn Historian) {
    let hour = |hour: i64| hour * 3_600;
    put(keeper, (0..8).map(|hour| raw(0, hour, 1)));
    // Whole states at 1, 4 and 7; between them only what each page ended with.
    let carried = |at: i64, whole: bool| {
        let key = key(Level::Carried, 0, hour(at), hour(at), 1);
        let end = if whole { key.end } else { Timestamp::from_micros(key.end.as_micros() + 1) };
        chunk(ChunkKey { end, ..key }, at as u8, 10)
    };
    put(keeper, (1..8).map(|at| carried(at, at % 3 == 1)));
    let retention = |hours: i64| Retention {
        raw: Limits { age: Some(twin_model::Span::from_secs(hour(hours))), bytes: None },
        ..Retention::default()
    };
    let mut left = |hours: i64| {
        let plan = retention(hours).plan(keeper, t(hour(8)), usize::MAX).expect("a plan");
        keeper.commit(&plan).expect("a removal");
        keys(keeper, Level::Carried, always()).iter().map(|key| key.start.as_micros() / 1_000_000 / 3_600).collect::<Vec<_>>()
    };
    // Raw from 3 on is left: the state there is that of 1 with the news of 2 and 3.
    assert_eq!(left(5), [1, 2, 3, 4, 5, 6, 7]);
    // From 5 on: the whole state of 4 and the news of 5.
    assert_eq!(left(3), [4, 5, 6, 7]);
    assert_eq!(left(1), [7]);
}

fn many_chunks_are_found_again(keeper: &mut dyn Historian) {
    let all: Vec<Chunk> = (0..40).flat_map(|hour| (0..5).map(move |lane| raw(lane * 64, hour, 1))).collect();
    put(keeper, all.iter().rev().cloned());
    assert_eq!(keys(keeper, Level::Raw, always()), all.iter().map(|chunk| chunk.key).collect::<Vec<_>>());
    for one in &all {
        assert_eq!(keeper.chunk(&one.key).expect("a chunk").as_deref(), Some(one.bytes.as_slice()));
    }
}

fn pages_are_the_catalogue_summed_up(keeper: &mut dyn Historian) {
    put(keeper, [raw(0, 2, 1), raw(64, 2, 1), raw(0, 5, 1)]);
    let pages = |keeper: &dyn Historian| keeper.pages(Level::Raw, always()).expect("pages");
    let first = pages(keeper);
    let sums = |at: usize| first.get(at).map(|page| (page.start, page.end, page.chunks, page.samples, page.bytes));
    assert_eq!(sums(0), Some((t(7_200), t(10_800), 2, 200, 200)), "a page is what begins together");
    assert_eq!((sums(1), first.len()), (Some((t(18_000), t(21_600), 1, 100, 100)), 2));
    let tags: u64 = keeper
        .catalogue(Level::Raw, TimeRange::new(t(7_200), t(7_201)))
        .expect("the catalogue")
        .iter()
        .fold(0, |sum, kept| sum.wrapping_add(kept.tag()));
    assert_eq!(first.first().map(|page| page.tag), Some(tags), "its tag is the sum of tags");
    put(keeper, [chunk(raw(64, 2, 2).key, 9, 50)]);
    let second = pages(keeper);
    assert_eq!(second.first().map(|page| (page.chunks, page.bytes)), Some((2, 150)), "a replaced chunk counts no more");
    assert_ne!(first.first().map(|page| page.tag), second.first().map(|page| page.tag), "and the tag tells");
    assert_eq!(first.get(1), second.get(1));
    keeper.commit(&[Change::Remove(raw(0, 5, 1).key)]).expect("a removal");
    assert_eq!(pages(keeper).len(), 1, "a page without chunks is none");
    assert_eq!(keeper.kept(Level::Raw, t(7_200), 64).expect("a look-up").map(|kept| kept.key), Some(raw(64, 2, 2).key));
    assert_eq!(keeper.kept(Level::Raw, t(7_200), 65).expect("a look-up"), None);
}

fn a_reader_sees_what_was_committed_and_writes_nothing(keeper: &mut dyn Historian) {
    let mut reader = keeper.reader().expect("a reader");
    put(keeper, [raw(0, 2, 1)]);
    assert_eq!(keys(reader.as_ref(), Level::Raw, always()), [raw(0, 2, 1).key], "also what came after it was made");
    put(keeper, [raw(0, 2, 2)]);
    assert_eq!(reader.chunk(&raw(0, 2, 2).key).expect("a chunk").as_deref(), Some(raw(0, 2, 2).bytes.as_slice()));
    assert!(reader.commit(&[Change::Remove(raw(0, 2, 2).key)]).is_err(), "it refuses to write");
    assert_eq!(keys(keeper, Level::Raw, always()), [raw(0, 2, 2).key]);
}

//! Literal files, played by a clock that the tests turn.

use std::path::PathBuf;

use twin_protocol::LinkState;
use twin_site::SourceKind;

use super::*;
use crate::sources::{Polled, Source as _};

/// Half an hour after the newest readings of these files.
const NOW: i64 = 1_772_440_200;

/// A folder with a site of one signal and its table; gone with the test.
struct Bench(PathBuf);

impl Drop for Bench {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn bench(name: &str, source: &str, table: &str) -> Bench {
    let folder = std::env::temp_dir().join(format!("orrery-csv-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let site = format!(
        "[site]\nid = \"s\"\nyears = [1960, 2100]\n[[twins]]\nid = \"t\"\nbind = false\nsignals = [{{ name = \"a\" }}]\n[[sources]]\nid = \"log\"\n\
         kind = \"csv\"\npath = \"log.csv\"\ntime = {{ column = \"t\", format = \"epoch_s\" }}\ncolumns = {{ A = \"t.a\" }}\n{source}\n"
    );
    std::fs::write(folder.join("site.toml"), site).unwrap();
    std::fs::write(folder.join("log.csv"), table).unwrap();
    Bench(folder)
}

impl Bench {
    fn open(&self) -> Result<CsvFile, TableError> {
        let site = Site::read_usable(&self.0).unwrap();
        let SourceKind::Csv(def) = &site.loaded.sources[0].kind else { panic!("a csv source") };
        CsvFile::open(&site, &site.loaded.sources[0], def, Timestamp::from_secs(NOW))
    }

    fn replay(&self) -> CsvReplay {
        CsvReplay::new(self.open().unwrap(), Timestamp::from_secs(5_000))
    }
}

/// Source times in seconds and the link, once the clock shows `second`.
fn poll(replay: &mut CsvReplay, second: i64) -> (Vec<f64>, LinkState) {
    let mut out = Polled::default();
    replay.poll(Timestamp::from_secs(second), &mut out);
    let times = out.samples.iter().map(|(_, s)| s.source_time.as_secs_f64()).collect();
    (times, out.links[0].1)
}

fn rows(times: impl IntoIterator<Item = i64>) -> String {
    let rows: String = times.into_iter().map(|t| format!("{t},{}\n", t % 7)).collect();
    format!("t,A\n{rows}")
}

#[test]
fn rows_are_played_in_order_of_time_whatever_their_order_in_the_file() {
    let falling: Vec<i64> = (0..3_000).rev().collect();
    let woven: Vec<i64> = (0..3_000).map(|n| (n * 1_237) % 3_000).collect();
    let by_machine: Vec<i64> = (0..3).flat_map(|machine| (0..1_000).map(move |n| n * 3 + machine)).collect();
    for (name, times) in [("falling", falling), ("woven", woven), ("by_machine", by_machine)] {
        let bench = bench(name, "", &rows(times));
        let mut replay = bench.replay();
        assert_eq!(replay.extent(), Some(TimeRange::new(Timestamp::from_secs(0), Timestamp::from_secs(2_999))), "{name}");
        let mut seen = Vec::new();
        for second in (0..3_000).step_by(11) {
            let (times, link) = poll(&mut replay, second);
            assert_eq!(link, LinkState::Up, "{name}");
            seen.extend(times);
            assert_eq!(seen.len() as i64, second + 1, "{name}: what is past is there, and nothing else");
        }
        seen.extend(poll(&mut replay, 9_999).0);
        assert_eq!(seen, (0..3_000).map(f64::from).collect::<Vec<_>>(), "{name}");
        assert_eq!(poll(&mut replay, 9_999), (Vec::new(), LinkState::Ended), "{name}");
    }
}

#[test]
fn a_row_far_away_does_not_set_the_clock_and_is_not_lost() {
    let (old, new) = (-31_536_000, 4_070_908_800);
    let mut times: Vec<i64> = (1_772_438_400..1_772_438_500).collect();
    times.insert(50, new);
    times.insert(20, old);
    let bench = bench("far", "", &rows(times));
    let mut replay = bench.replay();
    let start = Timestamp::from_secs(1_772_438_400);
    assert_eq!(replay.extent(), Some(TimeRange::new(start, start + Span::from_secs(99))));
    let (first, _) = poll(&mut replay, 1_772_438_400);
    assert_eq!(first, [old as f64, 1_772_438_400.0]);
    let (rest, link) = poll(&mut replay, 1_772_438_499);
    assert_eq!((rest.len(), link), (99, LinkState::Ended), "the clock of a recording ends here");
    assert_eq!(poll(&mut replay, new).0, [new as f64]);
}

#[test]
fn a_file_of_few_rows_far_apart_is_what_it_is() {
    let bench = bench("few", "", &rows([100, 1_000_000_000]));
    assert_eq!(bench.open().unwrap().extent().unwrap().span(), Span::from_secs(999_999_900));
}

/// The seconds that set the clock, and what is said.
fn clock(name: &str, times: &[i64]) -> (Option<(i64, i64)>, String) {
    let bench = bench(name, "", &rows(times.iter().copied()));
    let file = bench.open().unwrap();
    let seconds = |t: Timestamp| t.as_micros() / 1_000_000;
    (file.extent().map(|extent| (seconds(extent.start), seconds(extent.end))), file.remarks("log").join("; "))
}

#[test]
fn one_wrong_row_never_sets_the_clock_however_few_there_are_and_is_named_with_its_line_and_time() {
    const T: i64 = 1_772_438_400;
    let (y2062, y2000) = (2_908_512_000, 946_684_800);
    for (at, (times, line, time)) in [
        (vec![T, T + 1, y2062], 4, "2062-03-02"),
        (vec![T, y2062], 3, "2062-03-02"),
        (vec![y2062, T], 2, "2062-03-02"),
        (vec![T, T + 86_400 * 2], 3, "2026-03-04"),
        (vec![y2000, T, T + 60], 2, "2000-01-01"),
        (vec![T, y2000, T + 60], 3, "2000-01-01"),
    ]
    .into_iter()
    .enumerate()
    {
        let good: Vec<i64> = times.iter().copied().filter(|t| (T..=T + 60).contains(t)).collect();
        let (extent, said) = clock(&format!("wrong{at}"), &times);
        assert_eq!(extent, Some((good[0], good[good.len() - 1])), "{times:?}");
        let words = format!("1 row is far away from all others in time and doesn't set the clock: line {line} {time}");
        assert!(said.contains(&words), "{said}");
    }
}

#[test]
fn a_plan_is_played_whole_and_says_from_where_it_lies_ahead() {
    const T: i64 = 1_772_438_400;
    let later: Vec<i64> = (0..30).map(|day| T + (day + 100) * 86_400).collect();
    // All of it ahead; one row; hours that go on from what was; and more rows ahead than there were.
    let through: Vec<i64> = (-72..72).map(|hour| T + hour * 3_600).collect();
    let mostly: Vec<i64> = [T, T + 60, T + 120].into_iter().chain(later.iter().copied()).collect();
    for (name, times, ahead) in
        [("all", later.clone(), 30), ("one", vec![later[0]], 1), ("through", through, 70), ("mostly", mostly, 30)]
    {
        let (extent, said) = clock(name, &times);
        assert_eq!(extent, Some((times[0], times[times.len() - 1])), "{name}");
        let words = if ahead == 1 { "1 row lies ahead of now".to_owned() } else { format!("{ahead} rows lie ahead of now") };
        assert!(said.contains(&words) && !said.contains("far away"), "{name}: {said}");
    }
    let (_, said) = clock("past", &[T, T + 60]);
    assert_eq!(said, "");
}

#[test]
fn readings_now_and_then_are_what_they_are() {
    let monthly: Vec<i64> = (0..12).map(|month| 1_700_000_000 + month * 31 * 86_400).collect();
    let twice: Vec<i64> = monthly.iter().copied().chain([monthly[3] + 60]).collect();
    for (name, times) in [("monthly", &monthly), ("twice", &twice)] {
        let (extent, said) = clock(name, times);
        assert_eq!((extent, said.contains("far away")), (Some((monthly[0], monthly[11])), false), "{name}: {said}");
    }
}

#[test]
fn loops_go_on_in_time_and_a_loop_over_no_time_is_refused() {
    let looped = bench("loop", "loop = true", &rows([30, 10, 20]));
    let (times, state) = poll(&mut looped.replay(), 75);
    assert_eq!((times, state), (vec![10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0], LinkState::Up));
    for table in [rows([10]), rows([10, 10])] {
        let error = bench("still", "loop = true", &table).open().err().unwrap();
        assert!(error.key == "loop" && error.to_string().contains("can't be played in a loop"), "{error}");
    }
}

#[test]
fn start_moves_all_times_alike() {
    let moved = bench("moved", "start = \"now\"\nspeed = 10", &rows([30, 10, 20]));
    assert_eq!(poll(&mut moved.replay(), 5_010).0, [5_000.0, 5_010.0], "the spacing stays, whatever the speed");
    let at = bench("at", "start = 1970-01-01T00:01:00Z", &rows([30, 10, 20]));
    assert_eq!(poll(&mut at.replay(), 999).0, [60.0, 70.0, 80.0]);
    let mut file = at.open().unwrap();
    let shift = file.shift(Timestamp::from_secs(7));
    let mut all = Vec::new();
    file.each(shift, &mut |samples| all.append(samples)).unwrap();
    let times: Vec<f64> = all.iter().map(|(_, s)| s.source_time.as_secs_f64()).collect();
    assert_eq!(times, [60.0, 70.0, 80.0], "the same without a clock; each signal's in order of time, as the file is in none");
}

#[test]
fn a_file_that_shrinks_while_it_is_played_takes_its_link_down() {
    let bench = bench("shrinks", "", &rows(0..2_000));
    let mut replay = bench.replay();
    assert_eq!(poll(&mut replay, 10).0.len(), 11);
    std::fs::write(bench.0.join("log.csv"), "t,A\n").unwrap();
    assert_eq!(poll(&mut replay, 9_999).1, LinkState::Down);
}

#[test]
fn a_file_that_is_not_what_it_is_declared_to_be_says_so() {
    for (table, part) in [
        ("", "the file is empty"),
        ("x,A\n1,2\n", "it has no column 't'; it has: x, A"),
        ("t,A\nnoon,2\n", "line 2: 'noon' is not a time in the format epoch_s"),
        ("t,A\n1772438400000,2\n", "write format = \"epoch_ms\""),
    ] {
        let error = bench("wrong", "", table).open().err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// What holds of every instant once all rows were handed out one after the other, as a store takes them: the last counts.
fn held(samples: &[(SignalIndex, Sample)]) -> std::collections::BTreeMap<Timestamp, Option<f64>> {
    samples.iter().map(|(_, sample)| (sample.source_time, sample.value.as_f64())).collect()
}

#[test]
fn of_rows_of_one_instant_the_last_of_the_file_counts_and_the_others_are_counted_in_any_order() {
    let mut seed = 9_u32;
    let mut below = move |n: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(seed >> 8) % i64::from(n)
    };
    let given = vec![
        ("apart", vec![10, 20, 10]),
        ("falling", vec![30, 40, 20, 40]),
        ("woven", vec![30, 90, 0, 30]),
        ("together", vec![10, 10, 20, 10, 20]),
        ("none", vec![50, 40, 60, 30]),
    ];
    let random = (0..60).map(|_| ("random", (0..1 + below(40)).map(|_| below(30)).collect()));
    for (name, times) in given.into_iter().chain(random.collect::<Vec<_>>()) {
        let table: String = times.iter().enumerate().map(|(n, t)| format!("{t},{n}\n")).collect();
        let bench = bench("again", "", &format!("t,A\n{table}"));
        let mut file = bench.open().unwrap();
        let distinct: std::collections::BTreeSet<_> = times.iter().collect();
        let report = file.report.clone();
        assert_eq!(report.overwritten as usize, times.len() - distinct.len(), "{name} {times:?}");
        assert_eq!(report.overwritten_first.is_some(), report.overwritten > 0, "{name} {times:?}");
        let site = Site::read_usable(&bench.0).unwrap();
        let said = judge(&site).into_iter().any(|found| found.message.contains("take the place of one"));
        assert_eq!(said, report.overwritten > 0, "{name} {times:?}");
        let (mut in_file, mut played) = (Vec::new(), Polled::default());
        file.each(Span::ZERO, &mut |samples| in_file.append(samples)).unwrap();
        bench.replay().poll(Timestamp::from_secs(9_999), &mut played);
        assert_eq!(held(&played.samples), held(&in_file), "{name} {times:?}");
    }
    let bench = bench("named", "", "t,A\n10,1\n20,5\n10,2\n");
    let report = bench.open().unwrap().report;
    assert_eq!(report.overwritten_first, Some((4, Timestamp::from_secs(10))));
    assert_eq!(report.uncompared, 0);
}

#[test]
fn readings_that_were_received_at_once_are_a_microsecond_apart_as_those_of_senders_are() {
    let source = "received = \"t\"\nclock = \"received\"";
    for (name, table, expected) in [
        ("at_once", "t,A\n10,1\n10,2\n10,2\n11,4\n", &[(0, 1.0), (1, 2.0), (2, 2.0), (1_000_000, 4.0)][..]),
        ("in_no_order", "t,A\n11,4\n10,1\n12,5\n10,2\n", &[(0, 1.0), (1, 2.0), (1_000_000, 4.0), (2_000_000, 5.0)]),
    ] {
        let bench = bench(name, source, table);
        let mut file = bench.open().unwrap();
        let (mut whole, mut played) = (Vec::new(), Polled::default());
        file.each(Span::ZERO, &mut |samples| whole.append(samples)).unwrap();
        bench.replay().poll(Timestamp::from_secs(9_999), &mut played);
        let seen = |samples: &[(SignalIndex, Sample)]| -> Vec<(i64, f64)> {
            assert!(samples.iter().all(|(_, sample)| sample.received_time == sample.source_time));
            let one = |sample: &Sample| (sample.source_time.as_micros() - 10_000_000, sample.value.as_f64().unwrap());
            samples.iter().map(|(_, sample)| one(sample)).collect()
        };
        assert_eq!((seen(&whole).as_slice(), seen(&played.samples).as_slice()), (expected, expected), "{name}");
        assert_eq!((file.report.overwritten, file.report.uncompared), (0, 0), "{name}");
        let site = Site::read_usable(&bench.0).unwrap();
        assert!(judge(&site).iter().all(|found| !found.message.contains("take the place of one")), "{name}");
    }
}

#[test]
fn what_is_too_much_to_compare_is_said() {
    let mut file = bench("much", "", "t,A\n10,1\n20,5\n10,2\n40,3\n20,6\n").open().unwrap();
    assert_eq!((file.report.overwritten, file.remarks("log").join("\n").contains("compared")), (2, false));
    file.report.overwritten = 0;
    super::again::count(&mut file, 3).unwrap();
    assert_eq!((file.report.overwritten, file.report.uncompared), (1, 2));
    let said = file.remarks("log").join("\n");
    assert!(said.contains("the last 2 samples are in no order and more than can be compared"), "{said}");
}

//! Where a value is going: a robust straight line through its last points, and when that line meets a limit.
//!
//! A prediction, and nothing more: it knows no physics and no points from after the instant. Refuses to speak where the line
//! is not clearly better than no line, and to look further ahead than a few times as far as it looks back.

use twin_model::{Band, Limit, Span, Status, Timestamp};

/// Fewest points that a trend is read from.
pub const MIN_POINTS: usize = 12;
/// Most points used; of more, evenly chosen ones are.
pub const MAX_POINTS: usize = 64;
/// How far ahead of the newest point a line is drawn, as a multiple of the time that its points cover. Ours: beyond it, wear
/// that grows and set-points that move make a straight line worthless.
pub const REACH: f64 = 4.0;
/// Standard score that the Mann-Kendall statistic has to pass: one in a thousand series without a trend does.
const SIGNIFICANT: f64 = 3.29;
/// The line has to climb this many robust standard deviations of what is left about it.
const CLIMB: f64 = 3.0;
/// The slope of the later half is at least this part of that of the earlier one; otherwise the value is settling.
const FADES: f64 = 0.6;
/// From the median absolute deviation to a standard deviation, for normal noise.
const MAD_TO_SIGMA: f64 = 1.4826;

/// A straight line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Time of the newest point.
    pub t: Timestamp,
    /// The line's value there.
    pub level: f64,
    /// Change per second.
    pub slope: f64,
    /// Time that the points cover.
    pub window: Span,
}

/// A limit that a trend runs into.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// The limit.
    pub limit: f64,
    /// What passing it gives.
    pub status: Status,
    /// When the line meets it.
    pub at: Timestamp,
    /// The line.
    pub trend: Trend,
}

/// The trend of points in time order; `None` where there is none that can be told from noise.
///
/// Slope: Theil-Sen, the median of the slopes of all pairs (Sen 1968), which up to 29 % of wild points do not move.
/// Significance: Mann-Kendall (Mann 1945, Kendall 1975) with correction for ties, at 0.1 %, so that asking for several windows
/// stays honest. Since neighbours in a process resemble each other, which that test does not know, two conditions of our own
/// are added: both halves have to go the same way without the later one fading (a motor that warms up), and the climb has to stand out of what is left about the line.
pub fn trend(points: &[(Timestamp, f64)]) -> Option<Trend> {
    let points = thin(points);
    let (first, last) = (points.first()?.0, points.last()?.0);
    let window = last.since(first);
    if points.len() < MIN_POINTS || window <= Span::ZERO {
        return None;
    }
    let xy: Vec<(f64, f64)> = points.iter().map(|(t, v)| (t.since(last).as_secs_f64(), *v)).collect();
    let slope = sen(&xy)?;
    let (early, late) = xy.split_at(xy.len() / 2);
    let (early, late) = (sen(early)?, sen(late)?);
    let goes_on = early * slope > 0.0 && late * slope > 0.0 && late.abs() >= FADES * early.abs();
    if !goes_on || mann_kendall(&xy).abs() < SIGNIFICANT {
        return None;
    }
    let level = median(xy.iter().map(|(x, y)| y - slope * x).collect())?;
    let spread = median(xy.iter().map(|(x, y)| (y - level - slope * x).abs()).collect())? * MAD_TO_SIGMA;
    let climb = slope.abs() * window.as_secs_f64();
    (climb > CLIMB * spread).then_some(Trend { t: last, level, slope, window })
}

/// The first limit of worse status than `now` that a trend meets within its reach.
///
/// The line is drawn from its level at the newest point; a limit that it has passed already is none of its business, since
/// the rule's own deadband and delay decide about it.
pub fn outlook(trend: &Trend, bands: &[Band], now: Status) -> Option<Outlook> {
    let reach = trend.window.as_secs_f64() * REACH;
    let meets = bands.iter().filter(|band| band.status > now).filter_map(|band| {
        let (limit, rising) = match band.limit {
            Limit::Above(limit) => (limit, true),
            Limit::Below(limit) => (limit, false),
        };
        let room = limit - trend.level;
        let ahead = room / trend.slope;
        let towards = (trend.slope > 0.0) == rising && room * trend.slope > 0.0;
        (towards && ahead <= reach).then_some((ahead, limit, band.status))
    });
    let (ahead, limit, status) = meets.min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(Outlook { limit, status, at: trend.t + Span::from_secs_f64(ahead), trend: *trend })
}

/// Usable points, evenly chosen where there are many; the newest is always among them.
fn thin(points: &[(Timestamp, f64)]) -> Vec<(Timestamp, f64)> {
    let usable: Vec<_> = points.iter().copied().filter(|(_, v)| v.is_finite()).collect();
    let every = usable.len().div_ceil(MAX_POINTS).max(1);
    let mut chosen: Vec<_> = usable.iter().rev().step_by(every).copied().collect();
    chosen.reverse();
    chosen
}

/// Median slope of all pairs.
fn sen(xy: &[(f64, f64)]) -> Option<f64> {
    let pairs = xy.iter().enumerate().flat_map(|(at, a)| xy.iter().skip(at + 1).map(move |b| (*a, *b)));
    median(pairs.filter(|(a, b)| b.0 > a.0).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect())
}

/// Standard score of Kendall's S, with the variance corrected for equal values and the step of one for continuity.
fn mann_kendall(xy: &[(f64, f64)]) -> f64 {
    let mut s = 0.0;
    for (at, a) in xy.iter().enumerate() {
        for b in xy.iter().skip(at + 1) {
            s += if b.1 > a.1 { 1.0 } else { f64::from(i8::from(b.1 >= a.1) - 1) };
        }
    }
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut values: Vec<f64> = xy.iter().map(|(_, y)| *y).collect();
    values.sort_by(f64::total_cmp);
    let ties: f64 = values.chunk_by(|a, b| a == b).map(|equal| term(equal.len() as f64)).sum();
    let variance = (term(xy.len() as f64) - ties) / 18.0;
    if variance <= 0.0 || s == 0.0 { 0.0 } else { (s - f64::signum(s)) / variance.sqrt() }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if below.len() < middle || values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values.iter().take(middle).copied().fold(f64::NEG_INFINITY, f64::max);
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(s)
    }

    /// Noise in −0.5..0.5 without a pattern.
    fn noise(seed: u64) -> f64 {
        let mut x = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x ^= x >> 29;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^= x >> 32;
        (x % 100_000) as f64 / 100_000.0 - 0.5
    }

    fn series(count: i64, step: i64, f: impl Fn(f64, u64) -> f64) -> Vec<(Timestamp, f64)> {
        (0..count).map(|nth| (at(nth * step), f((nth * step) as f64, nth as u64))).collect()
    }

    const BANDS: [Band; 3] = [
        Band { limit: Limit::Above(4.5), status: Status::Maintenance },
        Band { limit: Limit::Above(7.1), status: Status::OutOfSpecification },
        Band { limit: Limit::Below(0.5), status: Status::Failure },
    ];

    fn check(points: &[(Timestamp, f64)], now: Status, expected: Option<(f64, i64)>) {
        let got = trend(points).and_then(|trend| outlook(&trend, &BANDS, now)).map(|out| (out.limit, out.at));
        match (got, expected) {
            (None, None) => {}
            (Some((limit, when)), Some((wanted, seconds))) => {
                assert_eq!(limit, wanted);
                let off = when.since(at(seconds)).as_secs_f64().abs();
                let ahead = (seconds - points.last().map_or(0, |p| p.0.as_micros() / 1_000_000)) as f64;
                assert!(off <= ahead * 0.1 + 1.0, "{when} instead of {}", at(seconds));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_steady_rise_meets_its_next_limit() {
        // 3.0 and rising 0.001 a second: 4.5 after 1500 s, seen from 600 s.
        check(&series(61, 10, |t, _| 3.0 + 0.001 * t), Status::Normal, Some((4.5, 1_500)));
    }

    #[test]
    fn noise_about_a_rise_and_some_wild_points_do_not_move_it() {
        let points = series(61, 10, |t, n| 3.0 + 0.001 * t + 0.1 * noise(n) + if n % 9 == 4 { 40.0 } else { 0.0 });
        check(&points, Status::Normal, Some((4.5, 1_500)));
    }

    #[test]
    fn a_limit_already_passed_is_left_to_the_rule() {
        check(&series(61, 10, |t, _| 4.4 + 0.001 * t), Status::Normal, Some((7.1, 2_700)));
        check(&series(61, 10, |t, _| 4.4 + 0.001 * t), Status::OutOfSpecification, None);
    }

    #[test]
    fn falling_values_meet_lower_limits_only() {
        check(&series(61, 10, |t, _| 2.0 - 0.001 * t), Status::Normal, Some((0.5, 1_500)));
        let upper = [Band { limit: Limit::Above(4.5), status: Status::Maintenance }];
        let falling = trend(&series(61, 10, |t, _| 2.0 - 0.001 * t)).expect("a trend");
        assert_eq!(outlook(&falling, &upper, Status::Normal), None);
    }

    #[test]
    fn what_lies_too_far_ahead_is_not_foretold() {
        check(&series(61, 10, |t, _| 1.0 + 0.0001 * t), Status::Normal, None);
    }

    #[test]
    fn no_trend_no_word() {
        for (name, points) in [
            ("still", series(61, 10, |_, _| 3.0)),
            ("noise", series(61, 10, |_, n| 3.0 + noise(n))),
            ("there and back", series(61, 10, |t, _| 3.0 + 0.002 * (300.0 - (t - 300.0).abs()))),
            ("a step", series(61, 10, |t, _| if t < 300.0 { 3.0 } else { 4.0 })),
            ("settling", series(61, 10, |t, _| 3.0 + 2.0 * (1.0 - (-t / 200.0).exp()))),
            ("few", series(8, 10, |t, _| t)),
            ("one instant", vec![(at(5), 1.0); 40]),
            ("not a number", series(61, 10, |_, _| f64::NAN)),
            ("nothing", Vec::new()),
        ] {
            assert_eq!(trend(&points), None, "{name}");
        }
    }

    #[test]
    fn pure_noise_is_rarely_taken_for_a_trend() {
        let taken = (0..400_u64).filter(|run| trend(&series(60, 10, |_, n| noise(run * 1_000 + n))).is_some()).count();
        assert!(taken <= 1, "{taken} of 400");
    }

    #[test]
    fn medians_of_both_parities() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn shifting_time_and_value_shifts_the_line(slope in 0.001_f64..0.1, shift in -1_000_i64..1_000, lift in -50.0_f64..50.0) {
            let base = series(40, 5, |t, n| slope * t + 0.01 * slope * noise(n));
            let moved: Vec<_> = base.iter().map(|(t, v)| (*t + Span::from_secs(shift), v + lift)).collect();
            let (a, b) = (trend(&base).unwrap(), trend(&moved).unwrap());
            prop_assert!((a.slope - b.slope).abs() < 1e-6 * slope);
            prop_assert!((b.level - a.level - lift).abs() < 1e-6);
            prop_assert_eq!(b.t, a.t + Span::from_secs(shift));
        }
    }
}

//! What the plant is meant to do at a second: shifts, breaks, products, the incidents of the day before and the story.
//!
//! A pure function of seed, start and time. Refuses to know how machines react to it.

use core::f64::consts::TAU;

use super::noise;

/// The documented story, in seconds after the start; it repeats every [`PERIOD`](story::PERIOD) seconds.
pub mod story {
    /// Seconds from one telling to the next.
    pub const PERIOD: i64 = 1_200;
    /// First spall in the bearing: vibration begins to grow by [`RATE`] (before the start, so that it shows at once).
    pub const ONSET: i64 = -50;
    /// Growth of the bearing's vibration during the story, per hour: 1.356 % a second.
    pub const RATE: f64 = 48.8;
    /// Vibration at nominal speed when growth begins, mm/s.
    pub const ONSET_VIBRATION: f64 = 1.083;
    /// Vibration passes 2.8 mm/s (maintenance) at about this second; the rule adds its delay of 5 s.
    pub const MAINTENANCE: i64 = 20;
    /// Vibration passes 4.5 mm/s (out of specification).
    pub const OUT_OF_SPECIFICATION: i64 = 55;
    /// Vibration passes 8.9 mm/s (failure).
    pub const FAILURE: i64 = 105;
    /// The operator slows the filler to 70 %.
    pub const SLOWED: i64 = 130;
    /// The filler is stopped for the repair.
    pub const STOPPED: i64 = 540;
    /// The bearing is new and the filler runs again.
    pub const REPAIRED: i64 = 600;
    /// The temperature sensor [`SILENT_SIGNAL`] sends its last sample before this second; it is stale 13 s after it.
    pub const SENSOR_SILENT: i64 = 28;
    /// It sends again.
    pub const SENSOR_BACK: i64 = 150;
    /// The sensor that goes silent.
    pub const SILENT_SIGNAL: &str = "mixer-01.product_temperature";
    /// The fleet's link goes down: each of its signals sends one `Bad_NoCommunication` and falls silent.
    pub const SOURCE_DOWN: i64 = 75;
    /// The link is back.
    pub const SOURCE_UP: i64 = 120;
    /// The source that drops off.
    pub const DROPPED_SOURCE: &str = "fleet";
    /// The inlet valve of tank 2 sticks open.
    pub const VALVE_STUCK: i64 = 8;
    /// The valve is freed and throttled; the level alarm (above 85 %) has risen at about 50 s and clears at about 100 s.
    pub const VALVE_FREED: i64 = 52;
    /// The level control takes over again.
    pub const VALVE_NORMAL: i64 = 115;
    /// The alarm that rises and clears.
    pub const ALARM: &str = "tank-02.high-level";
}

/// Incidents of the day before, as `(first, last)` seconds relative to the start, last not included.
pub mod incidents {
    /// A spall in the filler bearing grows for three hours.
    pub const BEARING_GROWTH: (i64, i64) = (-19 * 3_600, -16 * 3_600);
    /// Growth in that time, per hour of running at nominal speed.
    pub const BEARING_RATE: f64 = 1.1;
    /// The filler stands for the replacement of the bearing.
    pub const BEARING_REPAIR: (i64, i64) = (-16 * 3_600, -16 * 3_600 + 1_500);
    /// The chiller trips; chilled water and product warm up.
    pub const CHILLER_TRIP: (i64, i64) = (-11 * 3_600, -11 * 3_600 + 1_500);
    /// A roll of labels tears: jam at the labeller, the line before it blocks, behind it starves.
    pub const LABELLER_JAM: (i64, i64) = (-5 * 3_600, -5 * 3_600 + 270);
    /// Compressor 1 trips at this second of the local day in the night before, for [`COMPRESSOR_LENGTH`] seconds.
    pub const COMPRESSOR_CLOCK: i64 = 2 * 3_600 + 40 * 60;
    /// How long compressor 1 stands.
    pub const COMPRESSOR_LENGTH: i64 = 720;
}

/// Length of the history before the start, in seconds.
pub const HISTORY: i64 = 86_400;
/// The plant's clock is UTC+1 all year.
pub const LOCAL_OFFSET: i64 = 3_600;

pub(crate) const SHIFTS: &[&str] = &["early", "late", "night"];
pub(crate) const PRODUCTS: &[&str] = &["still-0.5l", "cola-0.6l", "lemon-1.0l"];
pub(crate) const LINE_STATES: &[&str] = &["production", "break", "changeover", "handover"];

/// Rated speed of the product in bottles per hour, and litres a bottle: 12 m³/h for each.
const RATED: [(f64, f64); 3] = [(24_000.0, 0.5), (20_000.0, 0.6), (12_000.0, 1.0)];

const SHIFT: i64 = 8 * 3_600;
/// Nothing is planned to stop from this long before the start to the end of the first telling.
const QUIET_BEFORE: i64 = 900;

/// The plan of one plant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Second of the start since the epoch.
    pub(crate) start: i64,
}

/// What holds at one second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) seed: u64,
    /// Seconds since the epoch.
    pub(crate) second: i64,
    /// Seconds after the start, negative before it.
    pub(crate) since: i64,
    /// Second of the story, from [`story::ONSET`]; `None` in the day before.
    pub(crate) phase: Option<i64>,
    /// Index into [`SHIFTS`].
    pub(crate) shift: usize,
    /// Index into [`PRODUCTS`].
    pub(crate) product: usize,
    /// Index into [`LINE_STATES`].
    pub(crate) line: usize,
    /// Seconds since the changeover began; only meaningful in one.
    pub(crate) into_changeover: i64,
    /// Rated speed in bottles per hour.
    pub(crate) rated: f64,
    /// Litres per bottle.
    pub(crate) litres: f64,
    /// Outdoor temperature, °C.
    pub(crate) outdoor: f64,
    /// Hour of the local day.
    pub(crate) hour: f64,
}

impl Plan {
    /// The plan at a second since the epoch.
    pub(crate) fn at(&self, second: i64) -> Now {
        let since = second - self.start;
        let quiet = (-QUIET_BEFORE..story::PERIOD).contains(&since);
        let local = second + LOCAL_OFFSET;
        let (shift_number, into) = shift_of(local);
        let (line, _) = if quiet { (0, false) } else { line_state(into) };
        // In the quiet time the product stays as it was when the quiet began.
        let (frozen_shift, frozen_into) =
            if quiet { shift_of(self.start - QUIET_BEFORE + LOCAL_OFFSET) } else { (shift_number, into) };
        let (_, changed) = line_state(frozen_into);
        let product = (frozen_shift + i64::from(changed)).rem_euclid(3) as usize;
        let (rated, litres) = RATED[product];
        let hour = local.rem_euclid(86_400) as f64 / 3_600.0;
        Now {
            seed: self.seed,
            second,
            since,
            phase: phase(since),
            shift: shift_number.rem_euclid(3) as usize,
            product,
            line,
            into_changeover: into - CHANGEOVER.0,
            rated,
            litres,
            outdoor: 9.0 + 4.5 * libm::sin((hour - 9.0) / 24.0 * TAU) + 1.5 * noise::wander(self.seed, 0x0D, second, 14_400),
            hour,
        }
    }

    /// The first second at which samples exist.
    pub(crate) const fn first(&self) -> i64 {
        self.start - HISTORY
    }
}

/// Changeover within a shift, in seconds after its beginning.
const CHANGEOVER: (i64, i64) = (5 * 3_600, 5 * 3_600 + 1_200);

/// Number of the shift since the epoch and the seconds since it began, of a local second. Shift 0 of a day begins at 06:00.
const fn shift_of(local: i64) -> (i64, i64) {
    let shifted = local - 6 * 3_600;
    (shifted.div_euclid(SHIFT), shifted.rem_euclid(SHIFT))
}

/// State of the line at a second of a shift, and whether the changeover has begun.
fn line_state(into: i64) -> (usize, bool) {
    let changed = into >= CHANGEOVER.0;
    let state = if (CHANGEOVER.0..CHANGEOVER.1).contains(&into) {
        2
    } else if (2 * 3_600..2 * 3_600 + 900).contains(&into) || (4 * 3_600 - 1_800..4 * 3_600).contains(&into) {
        1
    } else if into >= SHIFT - 300 {
        3
    } else {
        0
    };
    (state, changed)
}

fn phase(since: i64) -> Option<i64> {
    (since >= story::ONSET).then(|| (since - story::ONSET).rem_euclid(story::PERIOD) + story::ONSET)
}

impl Now {
    /// Whether the story is between two of its seconds.
    pub(crate) fn in_story(&self, from: i64, to: i64) -> bool {
        self.phase.is_some_and(|p| from <= p && p < to)
    }

    /// Whether an incident of the day before is on.
    pub(crate) const fn in_incident(&self, (from, to): (i64, i64)) -> bool {
        from <= self.since && self.since < to
    }

    /// Whether the line is meant to produce.
    pub(crate) const fn producing(&self) -> bool {
        self.line == 0
    }

    /// Random trouble keeps away from the first telling, so that the story is told undisturbed.
    pub(crate) fn undisturbed(&self) -> bool {
        (-QUIET_BEFORE..=story::SENSOR_BACK + 30).contains(&self.since)
    }

    /// Whether compressor 1 stands in the night before the start.
    pub(crate) fn compressor_tripped(&self) -> bool {
        let at = (self.second + LOCAL_OFFSET).rem_euclid(86_400) - incidents::COMPRESSOR_CLOCK;
        self.since < -600 && (0..incidents::COMPRESSOR_LENGTH).contains(&at)
    }

    /// The filler's speed as a share of the set-point, lowered by the operator when the bearing fails.
    pub(crate) fn filler_override(&self) -> f64 {
        if self.in_story(story::SLOWED, story::STOPPED) { 0.7 } else { 1.0 }
    }

    /// Whether the filler stands for work on its bearing.
    pub(crate) fn filler_in_repair(&self) -> bool {
        self.in_story(story::STOPPED, story::REPAIRED) || self.in_incident(incidents::BEARING_REPAIR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { seed: 1, start: 1_800_000_000 };

    #[test]
    fn the_line_produces_around_any_start() {
        for hour in 0..24 {
            let plan = Plan { seed: 1, start: 1_800_000_000 + hour * 3_600 };
            let product = plan.at(plan.start).product;
            for since in -QUIET_BEFORE..story::PERIOD {
                let now = plan.at(plan.start + since);
                assert!(now.producing() && now.product == product, "hour {hour}, second {since}");
            }
        }
    }

    #[test]
    fn a_day_has_three_shifts_with_breaks_and_changeovers() {
        let mut seconds = [0_usize; 4];
        for s in PLAN.first()..PLAN.start - QUIET_BEFORE {
            seconds[PLAN.at(s).line] += 1;
        }
        let total: usize = seconds.iter().sum();
        assert!(seconds[0] * 100 / total > 80, "{seconds:?}");
        assert!(seconds.iter().all(|&s| s > 0), "{seconds:?}");
    }

    #[test]
    fn the_story_repeats() {
        assert_eq!(phase(-51), None);
        assert_eq!(phase(-50), Some(-50));
        assert_eq!(phase(0), Some(0));
        assert_eq!(phase(1_149), Some(1_149));
        assert_eq!(phase(1_150), Some(-50));
    }
}

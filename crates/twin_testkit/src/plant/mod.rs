//! The synthetic bottling plant: a deterministic source of samples with real relations between its signals.
//!
//! Same seed, start and range give the same bits however the range is cut. Refuses to know clocks, files and the network;
//! the caller asks for ranges of source time. Everything is integrated on a grid of whole seconds since the epoch; a
//! copy of the state is kept for every simulated hour, so that jumping back costs at most an hour of stepping.

mod catalog;
mod climate;
mod line;
mod liquid;
mod logistics;
mod noise;
mod plan;
mod utilities;

use std::collections::BTreeMap;

use twin_model::{Flags, Quality, Sample, Span, TimeRange, Timestamp, Value};

use catalog::{Catalog, Entry, Link, Read};
use plan::{Now, Plan};

pub use catalog::SignalInfo;
pub use plan::{HISTORY, LOCAL_OFFSET, incidents, story};

/// Seconds of simulation before the first sample, in which temperatures and buffers settle.
const WARM_UP: i64 = 2_400;
/// Seconds between kept copies of the state.
const CHECKPOINT: i64 = 3_600;
/// Signals that report changes repeat themselves this often, in seconds, so that a window of history knows its states.
const HEARTBEAT: i64 = 300;

/// What the parts of the plant tell each other within one second.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bus {
    /// Air in the hall, °C.
    ambient: f64,
    /// Electric load of the line and the plant so far, kW.
    power: f64,
    /// Product drawn by the filler, m³/h.
    draw: f64,
    /// Speed of the filler as a share of the rated speed.
    ratio: f64,
    /// Speed of the rinser as a share of the rated speed.
    rinse: f64,
    /// Speed of the packer as a share of the rated speed.
    packing: f64,
    /// Pallets wrapped so far.
    pallets: f64,
    /// Product after the heat exchanger, °C.
    product_out: f64,
    /// Flow through the pasteurizer, m³/h.
    pasteurized: f64,
    /// Chilled water supply, °C.
    chilled: f64,
    /// Heat that the chilled water takes up, kW.
    cooling: f64,
    /// Steam used, kg/h.
    steam: f64,
    /// Compressed air used, m³/min.
    air: f64,
    /// Fresh water used, m³/h.
    water: f64,
}

/// The state of the whole plant after one second.
#[derive(Clone)]
struct Sim {
    /// The next second to simulate.
    next: i64,
    line: line::Line,
    liquid: liquid::Liquid,
    utilities: utilities::Utilities,
    climate: climate::Climate,
    logistics: logistics::Logistics,
    bus: Bus,
    /// The truth of the last simulated second, by signal.
    truth: Vec<f64>,
    /// The truth of the second before it.
    before: Vec<f64>,
}

impl Sim {
    fn new(catalog: &mut Catalog, plan: &Plan) -> Self {
        let next = plan.first() - WARM_UP;
        let now = plan.at(next);
        let line = line::Line::new(catalog, &now);
        let liquid = liquid::Liquid::new(catalog, &now);
        let utilities = utilities::Utilities::new(catalog, &now);
        let climate = climate::Climate::new(catalog);
        let logistics = logistics::Logistics::new(catalog, &now);
        let bus = Bus { ambient: 21.0, chilled: 5.0, product_out: 8.0, ..Bus::default() };
        let truth = vec![0.0; catalog.entries.len()];
        Self { next, line, liquid, utilities, climate, logistics, bus, before: truth.clone(), truth }
    }

    fn step(&mut self, plan: &Plan) -> Now {
        let now = plan.at(self.next);
        self.before.copy_from_slice(&self.truth);
        let (bus, truth) = (&mut self.bus, &mut self.truth[..]);
        bus.power = 0.0;
        self.climate.step(&now, bus, truth);
        self.line.step(&now, bus, truth);
        self.liquid.step(&now, bus, truth);
        self.logistics.step(&now, bus, truth);
        self.utilities.step(&now, bus, truth);
        self.next += 1;
        now
    }
}

/// The bottling plant. Clone it to look elsewhere in time without losing the place.
#[derive(Clone)]
pub struct Bottling {
    plan: Plan,
    catalog: std::sync::Arc<Catalog>,
    silent: usize,
    sim: Sim,
    kept: BTreeMap<i64, Sim>,
}

impl Bottling {
    /// A plant whose story begins at `start`, rounded down to a second; its history begins [`HISTORY`] seconds earlier.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        let plan = Plan { seed, start: start.as_micros().div_euclid(1_000_000) };
        let mut catalog = Catalog::default();
        let sim = Sim::new(&mut catalog, &plan);
        let silent = catalog.find(story::SILENT_SIGNAL).unwrap_or(usize::MAX);
        let kept = BTreeMap::from([(sim.next, sim.clone())]);
        Self { plan, catalog: catalog.into(), silent, sim, kept }
    }

    /// The signals in the order of their positions in [`Self::samples`].
    pub fn signals(&self) -> &[SignalInfo] {
        &self.catalog.infos
    }

    /// Ids of the signals, `<twin>.<name>`, by position.
    pub fn signal_ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.catalog.infos.iter().map(|info| info.id.as_str())
    }

    /// The first second of the story.
    pub fn start(&self) -> Timestamp {
        Timestamp::from_secs(self.plan.start)
    }

    /// The first instant at which samples can exist.
    pub fn first(&self) -> Timestamp {
        Timestamp::from_secs(self.plan.first())
    }

    /// Hands every sample with a source time in `range` to `take`, in source-time order, with the position of its signal.
    ///
    /// `min_period` thins measured numbers and counters for history: none comes more often. Signals that report changes
    /// are not thinned. The samples of a range do not depend on earlier calls; going forward is cheapest, jumping back
    /// costs at most an hour of stepping, jumping far ahead the seconds between (some 500,000 a second in release).
    pub fn samples(&mut self, range: TimeRange, min_period: Option<Span>, take: &mut dyn FnMut(usize, Sample)) {
        let first = range.start.max(self.first());
        if range.end <= first {
            return;
        }
        let begin = first.as_micros().div_euclid(1_000_000);
        let end = range.end.as_micros().saturating_add(999_999).div_euclid(1_000_000);
        let least = min_period.map_or(0, |p| p.as_micros().saturating_add(999_999).div_euclid(1_000_000));
        self.seek(begin);
        while self.sim.next < end {
            let now = self.advance();
            for link in Link::ALL {
                let t = Timestamp::from_micros(now.second * 1_000_000 + link.scan_us());
                if range.contains(t) {
                    self.scan(&now, link, t, least, take);
                }
            }
        }
    }

    /// Brings the simulation to just before `second`.
    fn seek(&mut self, second: i64) {
        let nearest = self.kept.range(..=second).next_back();
        if let Some((&at, sim)) = nearest
            && (self.sim.next > second || at > self.sim.next)
        {
            self.sim = sim.clone();
        }
        while self.sim.next < second {
            self.advance();
        }
    }

    fn advance(&mut self) -> Now {
        if self.sim.next.rem_euclid(CHECKPOINT) == 0 && !self.kept.contains_key(&self.sim.next) {
            self.kept.insert(self.sim.next, self.sim.clone());
        }
        self.sim.step(&self.plan)
    }

    /// Emits what one controller reads in this second.
    fn scan(&self, now: &Now, link: Link, t: Timestamp, least: i64, take: &mut dyn FnMut(usize, Sample)) {
        let down = link == Link::Fleet && now.in_story(story::SOURCE_DOWN, story::SOURCE_UP);
        let fell = down && now.phase == Some(story::SOURCE_DOWN);
        if down && !fell {
            return;
        }
        let back = link == Link::Fleet && now.phase == Some(story::SOURCE_UP);
        let opening = now.second == self.plan.first();
        let jitter = (noise::hash(now.seed, 0xF00 + link as u64, now.second) % 8_000) as i64;
        let received = t + Span::from_micros(link.latency_us() + jitter);
        for (signal, entry) in self.catalog.entries.iter().enumerate() {
            if entry.link != link {
                continue;
            }
            let due = fell || back || opening || self.is_due(now.second, signal, entry, least);
            if !due || (signal == self.silent && now.in_story(story::SENSOR_SILENT, story::SENSOR_BACK)) {
                continue;
            }
            let (value, quality) = self.read(now, signal, entry);
            let quality = if fell { Quality::BAD_NO_COMMUNICATION } else { quality };
            take(signal, Sample { source_time: t, received_time: received, value, quality, flags: Flags::NONE });
        }
    }

    fn is_due(&self, second: i64, signal: usize, entry: &Entry, least: i64) -> bool {
        let lane = signal as i64;
        if entry.period == 0 {
            let changed = self.sim.truth.get(signal) != self.sim.before.get(signal);
            return changed || (second + lane).rem_euclid(HEARTBEAT) == 0;
        }
        let period = entry.period.max(least);
        (second + lane).rem_euclid(period) == 0
    }

    /// The instrument's reading of the truth: noise, rounding, range, and now and then a doubtful quality.
    fn read(&self, now: &Now, signal: usize, entry: &Entry) -> (Value, Quality) {
        let truth = self.sim.truth.get(signal).copied().unwrap_or_default();
        match entry.read {
            Read::Switch => (Value::Bool(truth >= 0.5), Quality::GOOD),
            Read::Count => (Value::Int(truth as i64), Quality::GOOD),
            Read::Words(_) => {
                let text = entry.texts.get(truth as usize).cloned().unwrap_or_else(|| "unknown".into());
                (Value::Text(text), Quality::GOOD)
            }
            Read::Meter { digits } => (Value::Float(libm::floor(truth * scale(digits)) / scale(digits)), Quality::GOOD),
            Read::Float { digits } => measured(now, signal, entry, truth, digits),
        }
    }
}

fn measured(now: &Now, signal: usize, entry: &Entry, truth: f64, digits: u8) -> (Value, Quality) {
    let lane = 0x1_0000 + signal as u64;
    let noisy = if entry.noise > 0.0 { truth + entry.noise * noise::normal(now.seed, lane, now.second) } else { truth };
    let rounded = libm::round(noisy * scale(digits)) / scale(digits);
    let (low, high) = entry.range.unwrap_or((f64::MIN, f64::MAX));
    let value = rounded.clamp(low, high);
    // A sensor that measures nothing negative reads zero, not minus zero.
    let value = if value == 0.0 { 0.0 } else { value };
    // Rarely a self-check doubts the sensor for a while: once in some two weeks for each.
    let doubtful =
        entry.noise > 0.0 && !now.undisturbed() && noise::episode(now.seed, lane ^ 0xDD_0000, now.second, 14_400, 0.012, 20, 90);
    // Noise alone never exceeds 3.5 standard deviations.
    let quality = if noisy > high + 4.0 * entry.noise || noisy < low - 4.0 * entry.noise {
        Quality::UNCERTAIN_UNITS_EXCEEDED
    } else if doubtful {
        Quality::UNCERTAIN_SENSOR_NOT_ACCURATE
    } else {
        Quality::GOOD
    };
    (Value::Float(value), quality)
}

const fn scale(digits: u8) -> f64 {
    match digits {
        0 => 1.0,
        1 => 10.0,
        2 => 100.0,
        _ => 1_000.0,
    }
}

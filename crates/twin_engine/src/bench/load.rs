//! A plant for the benchmark of the view: halls of lines of machines, each with ten signals, a rule on each and an alarm. Seeded; the
//! same on every machine.

use std::sync::Arc;

use twin_historian::bench::Random;
use twin_model::{
    AckPolicy, Alarm, AlarmCondition, Band, HealthRule, Limit, Model, ModelBuilder, Priority, RuleKind, Sample, Signal,
    SignalIndex, SignalKind, SiteInfo, Source, SourceIndex, Span, Status, Timestamp, TwinIndex, Unit, Value, ValueKind,
};

use super::ViewConfig;

/// First instant of the load: 2026-03-02T00:00:00Z.
pub(super) const START: Timestamp = Timestamp::from_secs(1_772_409_600);
/// Machines of a line, and lines of a hall.
const WIDTH: usize = 20;
/// Values wander between 0 and 100; a rule says maintenance above this, failure above the next.
const LIMITS: [f64; 2] = [85.0, 95.0];
/// Furthest step of a value.
const STEP: f64 = 3.0;

/// From 0 to 1.
fn share(random: &mut Random) -> f64 {
    (random.next() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The plant and where its values stand.
pub struct Load {
    model: Arc<Model>,
    config: ViewConfig,
    values: Vec<f64>,
    random: Random,
    /// Samples made so far; each comes `1 / changes` seconds after the one before.
    made: u64,
}

impl Load {
    /// A plant of that size.
    ///
    /// # Panics
    /// Never: the model refers to what it holds.
    pub fn new(config: ViewConfig) -> Self {
        let mut random = Random(config.seed);
        let values = (0..config.signals()).map(|_| share(&mut random) * LIMITS[0]).collect();
        Self { model: Arc::new(model(config)), config, values, random, made: 0 }
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The twin that each part of the scene shows; every thousandth part shows none.
    pub fn twin_of_parts(&self) -> Vec<Option<TwinIndex>> {
        let groups = self.model.twins().len() - self.config.twins;
        let of = |part: usize| TwinIndex::from_at(groups + part / ViewConfig::PARTS_OF_A_TWIN);
        (0..self.config.parts()).map(|part| (part % 1_000 != 999).then(|| of(part))).collect()
    }

    /// The samples up to an instant that were not given before. Signals speak in turn, so that each has the same period.
    pub fn until(&mut self, t: Timestamp, out: &mut Vec<(SignalIndex, Sample)>) {
        out.clear();
        let rate = self.config.changes as i64;
        let upto = (i128::from(t.since(START).as_micros()) * i128::from(rate) / 1_000_000) as u64;
        while self.made < upto {
            let at = (self.made % self.config.signals() as u64) as usize;
            let micros = (i128::from(self.made + 1) * 1_000_000 / i128::from(rate)) as i64;
            let time = START + Span::from_micros(micros);
            out.push((SignalIndex::from_at(at), self.sample(at, time)));
            self.made += 1;
        }
    }

    fn sample(&mut self, at: usize, time: Timestamp) -> Sample {
        let value = &mut self.values[at];
        *value = (*value + (share(&mut self.random) - 0.5) * 2.0 * STEP).clamp(0.0, 100.0);
        // Most of the time of a plant all is well: what stands at the top is brought back.
        if *value > LIMITS[1] && self.random.next().is_multiple_of(8) {
            *value = LIMITS[0] / 2.0;
        }
        let rounded = (*value * 10.0).round() / 10.0;
        let mut sample = Sample::float(time, rounded);
        if is_state(at) {
            sample.value = Value::Int((rounded / 25.0) as i64);
        }
        sample
    }
}

fn model(config: ViewConfig) -> Model {
    let mut builder = ModelBuilder::new(SiteInfo { id: "bench".into(), name: "Bench".into(), time_zone: "UTC".into() });
    let lines = config.twins.div_ceil(WIDTH);
    let halls = lines.div_ceil(WIDTH);
    let sources = ["plc-1", "plc-2"].map(|id| builder.source(Source { id: id.into(), kind: "websocket".into() }));
    let site = builder.twin("site", "Site", "bench", None);
    let halls: Vec<TwinIndex> =
        (0..halls).map(|at| builder.twin(format!("hall-{at}").as_str(), "Hall", "bench", Some(site))).collect();
    let lines: Vec<TwinIndex> =
        (0..lines).map(|at| builder.twin(format!("line-{at}").as_str(), "Line", "bench", Some(halls[at / WIDTH]))).collect();
    for at in 0..config.twins {
        let twin = builder.twin(format!("m-{at}").as_str(), &format!("Machine {at}"), "bench", Some(lines[at / WIDTH]));
        machine(&mut builder, twin, (at, sources[at % sources.len()]), config);
    }
    builder.build().expect("the model refers to what it holds")
}

fn machine(builder: &mut ModelBuilder, twin: TwinIndex, (number, source): (usize, SourceIndex), config: ViewConfig) {
    let period = Span::from_secs((config.signals() / config.changes) as i64);
    for at in 0..ViewConfig::SIGNALS_OF_A_TWIN {
        let state = is_state(at);
        let signal = builder.signal(Signal {
            id: format!("m-{number}.s{at}").as_str().into(),
            twin,
            name: format!("s{at}"),
            display_name: format!("Signal {at}"),
            unit: Unit("mm/s".into()),
            kind: if state { SignalKind::Discrete } else { SignalKind::Analog },
            value_kind: if state { ValueKind::Int } else { ValueKind::Float },
            expected_period: Some(period),
            late_after: None,
            stale_after: None,
            range: Some((0.0, 100.0)),
            source: Some(source),
            source_key: String::new(),
        });
        let kind = rule(at, period);
        builder.rule(HealthRule { id: format!("r{at}"), twin, signal, kind, note: String::new() });
        if at == 0 {
            let fail = LIMITS[1];
            builder.alarm(Alarm {
                id: format!("m-{number}.high"),
                twin,
                signal,
                priority: Priority::from_number((number % 4) as u8 + 1).unwrap_or(Priority::Low),
                condition: AlarmCondition::Limit {
                    limit: Limit::Above(fail),
                    deadband: 1.0,
                    on_delay: Span::ZERO,
                    off_delay: Span::ZERO,
                    ack: if number.is_multiple_of(2) { AckPolicy::Required } else { AckPolicy::Auto },
                },
                message: "Value high".into(),
            });
        }
    }
}

/// The rule of the signal at that place of its machine: mostly bands, half of them with a delay.
fn rule(at: usize, period: Span) -> RuleKind {
    let bands = LIMITS.into_iter().zip([Status::Maintenance, Status::Failure]);
    match at {
        6 => RuleKind::Quality { uncertain: Status::OutOfSpecification, bad: Status::Failure },
        7 => RuleKind::Stale { status: Status::Failure },
        _ if is_state(at) => RuleKind::Match { cases: vec![(Value::Int(3), Status::FunctionCheck)], otherwise: Status::Normal },
        _ => RuleKind::Range {
            bands: bands.map(|(limit, status)| Band { limit: Limit::Above(limit), status }).collect(),
            deadband: 1.0,
            on_delay: if at.is_multiple_of(2) { period * 2 } else { Span::ZERO },
            off_delay: Span::ZERO,
        },
    }
}

/// One signal in ten is a state.
const fn is_state(at: usize) -> bool {
    at % ViewConfig::SIGNALS_OF_A_TWIN == ViewConfig::SIGNALS_OF_A_TWIN - 1
}

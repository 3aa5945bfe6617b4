//! A small site for tests, and helpers to run it.

use twin_model::*;
use twin_scenario::{Run, Scenario, ScenarioError};

pub(crate) type Outputs = Vec<(SignalIndex, Timestamp, f64)>;

pub(crate) const FORK: Timestamp = Timestamp::from_secs(1_700_000_000);

/// Collects signals `m.<name>` with their values at the fork, models and knobs.
pub(crate) struct Site {
    pub(crate) builder: ModelBuilder,
    pub(crate) values: Vec<Option<f64>>,
    names: Vec<String>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let info = SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() };
        let mut builder = ModelBuilder::new(info);
        builder.twin("m", "Machine", "i", None);
        Self { builder, values: Vec::new(), names: Vec::new() }
    }

    pub(crate) fn signal(&mut self, name: &str, value: impl Into<Option<f64>>) -> SignalIndex {
        self.special(name, "", SignalKind::Analog, ValueKind::Float, value)
    }

    pub(crate) fn special(
        &mut self,
        name: &str,
        unit: &str,
        kind: SignalKind,
        value_kind: ValueKind,
        value: impl Into<Option<f64>>,
    ) -> SignalIndex {
        self.values.push(value.into());
        self.names.push(name.to_owned());
        self.builder.signal(Signal {
            id: SignalId::new(format!("m.{name}")),
            twin: TwinIndex(0),
            name: name.to_owned(),
            display_name: name.to_owned(),
            unit: Unit(unit.to_owned()),
            kind,
            value_kind,
            expected_period: None,
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: String::new(),
        })
    }

    pub(crate) fn find(&self, name: &str) -> SignalIndex {
        SignalIndex::from_at(self.names.iter().position(|known| known == name).unwrap())
    }

    pub(crate) fn model(&mut self, name: &str, kind: ProcessKind, expr: &str) {
        self.bounded(name, kind, expr, None);
    }

    pub(crate) fn bounded(&mut self, name: &str, kind: ProcessKind, expr: &str, clamp: Option<(f64, f64)>) {
        let signal = self.find(name);
        self.builder.process(ProcessModel { signal, kind, expr: expr.to_owned(), clamp, start: ProcessStart::default() });
    }

    /// A model that follows its equation from the fork on.
    pub(crate) fn exact(&mut self, name: &str, kind: ProcessKind, expr: &str) {
        let (signal, start) = (self.find(name), ProcessStart::Model);
        self.builder.process(ProcessModel { signal, kind, expr: expr.to_owned(), clamp: None, start });
    }

    pub(crate) fn knob(&mut self, id: &str, unit: &str, neutral: f64, targets: Vec<KnobTarget>) -> KnobIndex {
        self.builder.knob(Knob {
            id: id.into(),
            display_name: id.into(),
            targets,
            unit: unit.into(),
            min: -1_000.0,
            max: 1_000.0,
            neutral,
            step: 1.0,
        })
    }

    pub(crate) fn build(&self) -> Model {
        self.builder.clone().build().unwrap()
    }

    pub(crate) fn start(&self, scenario: Scenario) -> Result<Run, Vec<ScenarioError>> {
        Run::new(&self.build(), scenario, &|signal| self.values[signal.at()])
    }

    /// All outputs of a run over `horizon` in steps of `step`, with these settings.
    pub(crate) fn run(&self, horizon: &str, step: &str, settings: &[(KnobIndex, f64)]) -> Outputs {
        let run = self.start(scenario(horizon, step, settings)).unwrap_or_else(|errors| panic!("{errors:?}"));
        finish(run, &[u32::MAX])
    }

    /// The values of one signal in such a run.
    pub(crate) fn values(&self, name: &str, horizon: &str, step: &str, settings: &[(KnobIndex, f64)]) -> Vec<f64> {
        values_of(&self.run(horizon, step, settings), self.find(name))
    }
}

pub(crate) fn scenario(horizon: &str, step: &str, settings: &[(KnobIndex, f64)]) -> Scenario {
    Scenario {
        name: "what if".into(),
        fork: FORK,
        horizon: span(horizon),
        step: span(step),
        seed: 7,
        settings: settings.to_vec(),
    }
}

pub(crate) fn span(text: &str) -> Span {
    text.parse().unwrap()
}

/// Runs to the end in slices of these sizes, over and over.
pub(crate) fn finish(mut run: Run, slices: &[u32]) -> Outputs {
    let mut outputs = Vec::new();
    for budget in slices.iter().cycle() {
        let done = run.step(*budget).done;
        run.drain(&mut |signal, t, value| outputs.push((signal, t, value)));
        if done {
            break;
        }
    }
    outputs
}

pub(crate) fn values_of(outputs: &Outputs, signal: SignalIndex) -> Vec<f64> {
    outputs.iter().filter(|(s, _, _)| *s == signal).map(|(_, _, v)| *v).collect()
}

/// FNV-1a over signal, time and value bits.
pub(crate) fn hash(outputs: &Outputs) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (signal, t, value) in outputs {
        let bytes = signal.0.to_le_bytes().into_iter().chain(t.as_micros().to_le_bytes()).chain(value.to_bits().to_le_bytes());
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// A filler whose bearing wears: every kind of model, chained, with three knobs.
pub(crate) fn filler() -> (Site, [KnobIndex; 3]) {
    let mut site = Site::new();
    let ambient = site.special("ambient", "°C", SignalKind::Analog, ValueKind::Float, 22.5);
    let speed = site.special("speed", "1/min", SignalKind::Analog, ValueKind::Float, 180.0);
    site.special("load", "%", SignalKind::Analog, ValueKind::Float, 61.3);
    site.special("temperature", "°C", SignalKind::Analog, ValueKind::Float, 48.7);
    let vibration = site.special("vibration_rms", "mm/s", SignalKind::Analog, ValueKind::Float, 1.9);
    site.special("bottles", "1", SignalKind::Counter, ValueKind::Int, 12_000.0);
    site.special("power", "kW", SignalKind::Analog, ValueKind::Float, 7.4);
    site.bounded("load", ProcessKind::Assign, "20 + 0.0012 * m.speed ^ 2 + 3 * ln(1 + m.vibration_rms)", Some((0.0, 150.0)));
    site.model("temperature", ProcessKind::Lag { tau: span("20min") }, "m.ambient + 0.4 * m.load");
    site.model("vibration_rms", ProcessKind::Growth, "0.08 * pow(m.speed / 180, 3) * exp((m.temperature - 48.7) / 40)");
    site.bounded("bottles", ProcessKind::Integrate, "if(m.vibration_rms > 7.1, 0, m.speed / 60)", Some((0.0, f64::INFINITY)));
    site.model("power", ProcessKind::Assign, "0.11 * m.load + sqrt(m.speed) / 20");
    let knobs = [
        site.knob("speed", "%", 0.0, vec![KnobTarget::Scale(speed)]),
        site.knob("ambient", "°C", 0.0, vec![KnobTarget::Offset(ambient)]),
        site.knob("bearing", "h", 0.0, vec![KnobTarget::ResetAt { signal: vibration, value: 1.1, planned: span("10h") }]),
    ];
    (site, knobs)
}

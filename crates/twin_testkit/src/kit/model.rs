//! Small models for tests, in few words. Mistakes panic: they are the test's own.

use std::collections::BTreeMap;

use twin_model::{
    AckPolicy, Alarm, AlarmCondition, AlarmIndex, Band, HealthRule, Knob, KnobIndex, KnobTarget, Limit, Model, ModelBuilder,
    Priority, ProcessKind, ProcessModel, RuleIndex, RuleKind, Signal, SignalIndex, SignalKind, SiteInfo, Source, SourceIndex,
    Span, Status, TwinIndex, Unit, ValueKind,
};

/// Builds a [`Model`] by ids. A signal `twin.name` makes its twin where it does not exist yet.
///
/// ```
/// use twin_testkit::kit::SmallModel;
/// let mut m = SmallModel::new();
/// let speed = m.float("pump-01.speed");
/// m.bands("pump-01.speed", &[(100.0, twin_model::Status::Failure)]);
/// let model = m.build();
/// assert_eq!(model.find_signal("pump-01.speed"), Some(speed));
/// ```
#[derive(Debug, Clone)]
pub struct SmallModel {
    builder: ModelBuilder,
    twins: BTreeMap<String, TwinIndex>,
    signals: BTreeMap<String, (SignalIndex, TwinIndex)>,
}

impl Default for SmallModel {
    fn default() -> Self {
        Self::new()
    }
}

impl SmallModel {
    /// An empty site `test` in UTC.
    pub fn new() -> Self {
        let site = SiteInfo { id: "test".into(), name: "Test".into(), time_zone: "UTC".into() };
        Self { builder: ModelBuilder::new(site), twins: BTreeMap::new(), signals: BTreeMap::new() }
    }

    /// A twin without a parent; the same one where it exists.
    pub fn twin(&mut self, id: &str) -> TwinIndex {
        if let Some(twin) = self.twins.get(id) {
            return *twin;
        }
        let twin = self.builder.twin(id, id, "thing", None);
        self.twins.insert(id.to_owned(), twin);
        twin
    }

    /// A twin inside another; both are made where they do not exist.
    pub fn under(&mut self, parent: &str, id: &str) -> TwinIndex {
        let parent = self.twin(parent);
        let twin = self.twin(id);
        self.builder.set_parent(twin, parent);
        twin
    }

    /// A source.
    pub fn source(&mut self, id: &str) -> SourceIndex {
        self.builder.source(Source { id: id.to_owned(), kind: "synthetic".to_owned() })
    }

    /// A continuous number every second.
    pub fn float(&mut self, id: &str) -> SignalIndex {
        self.signal(id, SignalKind::Analog, ValueKind::Float, |_| {})
    }

    /// A count every second.
    pub fn count(&mut self, id: &str) -> SignalIndex {
        self.signal(id, SignalKind::Counter, ValueKind::Int, |_| {})
    }

    /// A word that is reported when it changes.
    pub fn text(&mut self, id: &str) -> SignalIndex {
        self.signal(id, SignalKind::Discrete, ValueKind::Text, |s| s.expected_period = None)
    }

    /// A contact that is reported when it changes.
    pub fn switch(&mut self, id: &str) -> SignalIndex {
        self.signal(id, SignalKind::Discrete, ValueKind::Bool, |s| s.expected_period = None)
    }

    /// Any signal: `change` gets one of a period of one second, without range and source.
    pub fn signal(&mut self, id: &str, kind: SignalKind, value_kind: ValueKind, change: impl FnOnce(&mut Signal)) -> SignalIndex {
        let Some((twin_id, name)) = id.split_once('.') else { panic!("'{id}' is not <twin>.<name>") };
        let twin = self.twin(twin_id);
        let mut signal = Signal {
            id: id.into(),
            twin,
            name: name.to_owned(),
            display_name: name.to_owned(),
            unit: Unit::default(),
            kind,
            value_kind,
            expected_period: Some(Span::from_secs(1)),
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: id.to_owned(),
        };
        change(&mut signal);
        let index = self.builder.signal(signal);
        self.signals.insert(id.to_owned(), (index, twin));
        index
    }

    fn find(&self, id: &str) -> (SignalIndex, TwinIndex) {
        self.signals.get(id).copied().unwrap_or_else(|| panic!("no signal '{id}' was added"))
    }

    /// A rule of any kind on the twin of a signal.
    pub fn rule(&mut self, id: &str, signal: &str, kind: RuleKind) -> RuleIndex {
        let (signal, twin) = self.find(signal);
        self.builder.rule(HealthRule { id: id.to_owned(), twin, signal, kind, note: String::new() })
    }

    /// Bands above limits, without deadband and delays.
    pub fn bands(&mut self, signal: &str, bands: &[(f64, Status)]) -> RuleIndex {
        let bands = bands.iter().map(|(limit, status)| Band { limit: Limit::Above(*limit), status: *status }).collect();
        let kind = RuleKind::Range { bands, deadband: 0.0, on_delay: Span::ZERO, off_delay: Span::ZERO };
        self.rule(&format!("bands-{signal}"), signal, kind)
    }

    /// An alarm above a limit, of medium priority, without deadband, delays and acknowledgement.
    pub fn alarm_above(&mut self, id: &str, signal: &str, limit: f64) -> AlarmIndex {
        let (signal, twin) = self.find(signal);
        let condition = AlarmCondition::Limit {
            limit: Limit::Above(limit),
            deadband: 0.0,
            on_delay: Span::ZERO,
            off_delay: Span::ZERO,
            ack: AckPolicy::Auto,
        };
        self.builder.alarm(Alarm {
            id: id.to_owned(),
            twin,
            signal,
            priority: Priority::Medium,
            condition,
            message: id.to_owned(),
        })
    }

    /// A process model without clamp.
    pub fn process(&mut self, signal: &str, kind: ProcessKind, expr: &str) {
        let (signal, _) = self.find(signal);
        self.builder.process(ProcessModel {
            signal,
            kind,
            expr: expr.to_owned(),
            clamp: None,
            start: twin_model::ProcessStart::default(),
        });
    }

    /// A knob from -100 to 100 that is neutral at 0.
    pub fn knob(&mut self, id: &str, targets: Vec<KnobTarget>) -> KnobIndex {
        self.builder.knob(Knob {
            id: id.to_owned(),
            display_name: id.to_owned(),
            targets,
            unit: String::new(),
            min: -100.0,
            max: 100.0,
            neutral: 0.0,
            step: 1.0,
        })
    }

    /// The builder below, for what has no helper here.
    pub fn builder(&mut self) -> &mut ModelBuilder {
        &mut self.builder
    }

    /// The model.
    pub fn build(self) -> Model {
        self.builder.build().unwrap_or_else(|error| panic!("the test's model is wrong: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_model_has_what_was_said() {
        let mut m = SmallModel::new();
        m.under("line", "pump-01");
        let speed = m.float("pump-01.speed");
        let state = m.text("pump-01.state");
        m.bands("pump-01.speed", &[(10.0, Status::Maintenance), (20.0, Status::Failure)]);
        m.alarm_above("pump-01.fast", "pump-01.speed", 30.0);
        m.process("pump-01.speed", ProcessKind::Assign, "1");
        m.knob("speed", vec![KnobTarget::Scale(speed)]);
        let model = m.build();
        assert_eq!(model.find_signal("pump-01.state"), Some(state));
        assert_eq!(model.signal(state).expected_period, None);
        let pump = model.find_twin("pump-01").map(|twin| model.twin(twin)).expect("the pump");
        assert_eq!(pump.parent, model.find_twin("line"));
        assert_eq!((pump.signals.len(), pump.rules.len(), pump.alarms.len()), (2, 1, 1));
    }
}

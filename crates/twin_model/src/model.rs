//! A loaded site as dense arrays, and the builder that is the only way to make one.

use std::collections::HashMap;

use crate::{
    AckPolicy, Alarm, AlarmCondition, AlarmIndex, ComputedSignal, HealthRule, Knob, KnobIndex, KnobTarget, ProcessModel,
    RuleIndex, Signal, SignalIndex, SignalKind, SourceIndex, TwinId, TwinIndex, Unit, ValueKind,
};

/// Name and place of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteInfo {
    /// Id of the site, for example `bottling`.
    pub id: String,
    /// Words for people.
    pub name: String,
    /// IANA time zone in which people there read clocks, for example `Europe/Berlin`.
    pub time_zone: String,
}

/// A type of twin (DTDL Interface).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// DTMI, for example `dtmi:orrery:demo:Pump;1`.
    pub id: String,
    /// Words for people.
    pub display_name: String,
}

/// A directed edge between twins (DTDL Relationship), for example `feeds`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Name of the relationship.
    pub name: String,
    /// From.
    pub source: TwinIndex,
    /// To.
    pub target: TwinIndex,
}

/// A supplier of samples; its link state is shown apart from the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Id, for example `plc-1`.
    pub id: String,
    /// Kind as the gateway names it, for example `synthetic`, `csv`, `websocket`.
    pub kind: String,
}

/// An instance of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// Its identity.
    pub id: TwinId,
    /// Words for people.
    pub display_name: String,
    /// Interface id.
    pub interface: String,
    /// The twin that contains it.
    pub parent: Option<TwinIndex>,
    /// The twins that it contains, in model order.
    pub children: Vec<TwinIndex>,
    /// Its signals, in model order.
    pub signals: Vec<SignalIndex>,
    /// The rules that decide its status, in model order.
    pub rules: Vec<RuleIndex>,
    /// Its alarms, in model order.
    pub alarms: Vec<AlarmIndex>,
}

impl Twin {
    /// Whether anything can be said about its health. What only groups others (a hall, a line) has no status of its own: it
    /// counts for nothing and takes no part in what stands above it.
    pub fn is_judged(&self) -> bool {
        !self.signals.is_empty() || !self.rules.is_empty()
    }
}

/// Everything that is known about a site before the first sample. Immutable once built.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    site: SiteInfo,
    interfaces: Vec<Interface>,
    twins: Vec<Twin>,
    signals: Vec<Signal>,
    rules: Vec<HealthRule>,
    alarms: Vec<Alarm>,
    relationships: Vec<Relationship>,
    sources: Vec<Source>,
    processes: Vec<ProcessModel>,
    knobs: Vec<Knob>,
    /// Ascending by signal.
    computed: Vec<ComputedSignal>,
    twin_by_id: HashMap<TwinId, TwinIndex>,
    signal_by_id: HashMap<crate::SignalId, SignalIndex>,
    /// By alarm: the signal that carries its acknowledgements.
    acknowledgements: Vec<Option<SignalIndex>>,
}

impl Model {
    /// The signal on which acknowledgements of an alarm are kept, a text (who) each; `None` where nobody has to acknowledge.
    ///
    /// It is made by [`ModelBuilder::build`] and belongs to no twin's list: acknowledgements go the way of samples, so that
    /// they are kept, sent and scrubbed with everything else.
    pub fn acknowledgements(&self, alarm: AlarmIndex) -> Option<SignalIndex> {
        self.acknowledgements.get(alarm.at()).copied().flatten()
    }

    /// The alarm of an id, which is unique within the site.
    pub fn find_alarm(&self, id: &str) -> Option<AlarmIndex> {
        self.alarms.iter().position(|alarm| alarm.id == id).map(AlarmIndex::from_at)
    }

    /// The site.
    pub fn site(&self) -> &SiteInfo {
        &self.site
    }

    /// Interfaces, in file order.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Twins by [`TwinIndex`].
    pub fn twins(&self) -> &[Twin] {
        &self.twins
    }

    /// Signals by [`SignalIndex`].
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// Rules by [`RuleIndex`].
    pub fn rules(&self) -> &[HealthRule] {
        &self.rules
    }

    /// Alarms by [`AlarmIndex`].
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// Relationships, in file order.
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }

    /// Sources by [`SourceIndex`].
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Process models for what-if runs, at most one per signal.
    pub fn processes(&self) -> &[ProcessModel] {
        &self.processes
    }

    /// Knobs by [`KnobIndex`].
    pub fn knobs(&self) -> &[Knob] {
        &self.knobs
    }

    /// Signals that follow from others, ascending by signal, at most one entry per signal.
    pub fn computed(&self) -> &[ComputedSignal] {
        &self.computed
    }

    /// How a signal follows from others; `None` where it is measured.
    pub fn computation(&self, signal: SignalIndex) -> Option<&ComputedSignal> {
        let at = self.computed.binary_search_by_key(&signal, |computed| computed.signal).ok()?;
        self.computed.get(at)
    }

    /// Whether a signal follows from others, so that nobody may feed it.
    pub fn is_computed(&self, signal: SignalIndex) -> bool {
        self.computation(signal).is_some()
    }

    /// The signal that a name stands for in an expression of a twin: a signal of the twin by its name, else any by its whole id.
    pub fn find_signal_from(&self, twin: TwinIndex, name: &str) -> Option<SignalIndex> {
        let own = self.twins.get(twin.at()).and_then(|twin| self.find_signal(&format!("{}.{name}", twin.id)));
        own.or_else(|| self.find_signal(name))
    }

    /// The twin of an index from this model.
    pub fn twin(&self, twin: TwinIndex) -> &Twin {
        &self.twins[twin.at()]
    }

    /// The signal of an index from this model.
    pub fn signal(&self, signal: SignalIndex) -> &Signal {
        &self.signals[signal.at()]
    }

    /// The rule of an index from this model.
    pub fn rule(&self, rule: RuleIndex) -> &HealthRule {
        &self.rules[rule.at()]
    }

    /// The alarm of an index from this model.
    pub fn alarm(&self, alarm: AlarmIndex) -> &Alarm {
        &self.alarms[alarm.at()]
    }

    /// The twin of a stable id.
    pub fn find_twin(&self, id: &str) -> Option<TwinIndex> {
        self.twin_by_id.get(id).copied()
    }

    /// The signal of a stable id (`<twin>.<name>`).
    pub fn find_signal(&self, id: &str) -> Option<SignalIndex> {
        self.signal_by_id.get(id).copied()
    }

    /// Twins without a parent, in model order.
    pub fn roots(&self) -> impl Iterator<Item = TwinIndex> + '_ {
        self.twins.iter().enumerate().filter(|(_, twin)| twin.parent.is_none()).map(|(at, _)| TwinIndex::from_at(at))
    }

    /// All twin indices in order.
    pub fn twin_indices(&self) -> impl Iterator<Item = TwinIndex> + use<> {
        (0..self.twins.len()).map(TwinIndex::from_at)
    }

    /// All signal indices in order.
    pub fn signal_indices(&self) -> impl Iterator<Item = SignalIndex> + use<> {
        (0..self.signals.len()).map(SignalIndex::from_at)
    }
}

/// Why a model cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Two twins, or two signals, with the same id; or two expressions of one computed signal.
    #[error("{what} id '{id}' is used twice; ids must be unique within a site")]
    Duplicate {
        /// `twin`, `signal` or `computed signal`.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// An index that points nowhere.
    #[error("{from} refers to {what} number {index}, but there are only {count}")]
    Dangling {
        /// Who refers.
        from: String,
        /// To what kind of thing.
        what: &'static str,
        /// The index.
        index: u32,
        /// How many there are.
        count: usize,
    },
    /// A twin contains itself.
    #[error("twin '{0}' is contained in itself; follow its parents and break the circle")]
    ParentCycle(String),
}

/// Collects the parts of a site in any order of kinds; [`Self::build`] checks them together.
///
/// The `children`, `signals`, `rules` and `alarms` lists of pushed twins are ignored and derived.
#[derive(Debug, Clone)]
pub struct ModelBuilder {
    model: Model,
}

impl ModelBuilder {
    /// An empty site.
    pub fn new(site: SiteInfo) -> Self {
        Self {
            model: Model {
                site,
                interfaces: Vec::new(),
                twins: Vec::new(),
                signals: Vec::new(),
                rules: Vec::new(),
                alarms: Vec::new(),
                relationships: Vec::new(),
                sources: Vec::new(),
                processes: Vec::new(),
                knobs: Vec::new(),
                computed: Vec::new(),
                twin_by_id: HashMap::new(),
                signal_by_id: HashMap::new(),
                acknowledgements: Vec::new(),
            },
        }
    }

    /// Adds an interface.
    pub fn interface(&mut self, interface: Interface) {
        self.model.interfaces.push(interface);
    }

    /// Adds a twin.
    pub fn twin(&mut self, id: impl Into<TwinId>, display_name: &str, interface: &str, parent: Option<TwinIndex>) -> TwinIndex {
        self.model.twins.push(Twin {
            id: id.into(),
            display_name: display_name.to_owned(),
            interface: interface.to_owned(),
            parent,
            children: Vec::new(),
            signals: Vec::new(),
            rules: Vec::new(),
            alarms: Vec::new(),
        });
        TwinIndex::from_at(self.model.twins.len() - 1)
    }

    /// Names the parent of a twin that was added before its parent was.
    pub fn set_parent(&mut self, twin: TwinIndex, parent: TwinIndex) {
        if let Some(twin) = self.model.twins.get_mut(twin.at()) {
            twin.parent = Some(parent);
        }
    }

    /// Adds a signal.
    pub fn signal(&mut self, signal: Signal) -> SignalIndex {
        self.model.signals.push(signal);
        SignalIndex::from_at(self.model.signals.len() - 1)
    }

    /// Adds a rule.
    pub fn rule(&mut self, rule: HealthRule) -> RuleIndex {
        self.model.rules.push(rule);
        RuleIndex::from_at(self.model.rules.len() - 1)
    }

    /// Adds an alarm.
    pub fn alarm(&mut self, alarm: Alarm) -> AlarmIndex {
        self.model.alarms.push(alarm);
        AlarmIndex::from_at(self.model.alarms.len() - 1)
    }

    /// Adds a relationship.
    pub fn relationship(&mut self, relationship: Relationship) {
        self.model.relationships.push(relationship);
    }

    /// Adds a source.
    pub fn source(&mut self, source: Source) -> SourceIndex {
        self.model.sources.push(source);
        SourceIndex::from_at(self.model.sources.len() - 1)
    }

    /// Adds a process model.
    pub fn process(&mut self, process: ProcessModel) {
        self.model.processes.push(process);
    }

    /// Adds a knob.
    pub fn knob(&mut self, knob: Knob) -> KnobIndex {
        self.model.knobs.push(knob);
        KnobIndex::from_at(self.model.knobs.len() - 1)
    }

    /// Says that a signal follows from others.
    pub fn computed(&mut self, computed: ComputedSignal) {
        self.model.computed.push(computed);
    }

    /// Checks every reference and derives the lists of each twin.
    ///
    /// # Errors
    /// The first [`ModelError`] found, in the order twins, signals, rules, alarms, relationships, processes, knobs, computed signals.
    pub fn build(self) -> Result<Model, ModelError> {
        let mut m = self.model;
        let seen = m.signals.len();
        add_acknowledgements(&mut m);
        for (at, twin) in m.twins.iter().enumerate() {
            if m.twin_by_id.insert(twin.id.clone(), TwinIndex::from_at(at)).is_some() {
                return Err(ModelError::Duplicate { what: "twin", id: twin.id.to_string() });
            }
        }
        for (at, signal) in m.signals.iter().enumerate() {
            if m.signal_by_id.insert(signal.id.clone(), SignalIndex::from_at(at)).is_some() {
                return Err(ModelError::Duplicate { what: "signal", id: signal.id.to_string() });
            }
        }
        m.computed.sort_by_key(|computed| computed.signal);
        check_references(&m)?;
        check_computed(&m)?;
        check_parents(&m.twins)?;
        derive_lists(&mut m, seen);
        Ok(m)
    }
}

/// What the id of a signal ends in that holds who acknowledged an alarm, behind the alarm's.
pub const ACKNOWLEDGED: &str = "#acknowledged";

/// Adds a signal for the acknowledgements of every alarm that needs them, behind all others: their indices stay what they were.
fn add_acknowledgements(m: &mut Model) {
    let mut made: HashMap<String, SignalIndex> = HashMap::new();
    let mut of_alarm = vec![None; m.alarms.len()];
    for (alarm, slot) in m.alarms.iter().zip(&mut of_alarm) {
        if !matches!(alarm.condition, AlarmCondition::Limit { ack: AckPolicy::Required, .. }) {
            continue;
        }
        let signals = &mut m.signals;
        let index = made.entry(alarm.id.clone()).or_insert_with(|| {
            let id = format!("{}{ACKNOWLEDGED}", alarm.id);
            signals.push(Signal {
                id: id.as_str().into(),
                twin: alarm.twin,
                name: id.clone(),
                display_name: format!("Acknowledged: {}", alarm.message),
                unit: Unit::default(),
                kind: SignalKind::Discrete,
                value_kind: ValueKind::Text,
                expected_period: None,
                late_after: None,
                stale_after: None,
                range: None,
                source: None,
                source_key: id,
            });
            SignalIndex::from_at(signals.len() - 1)
        });
        *slot = Some(*index);
    }
    m.acknowledgements = of_alarm;
}

fn check_references(m: &Model) -> Result<(), ModelError> {
    let twins = m.twins.len();
    let signals = m.signals.len();
    let inside = |from: String, what: &'static str, index: u32, count: usize| {
        if (index as usize) < count { Ok(()) } else { Err(ModelError::Dangling { from, what, index, count }) }
    };
    for twin in &m.twins {
        if let Some(parent) = twin.parent {
            inside(format!("twin '{}'", twin.id), "twin", parent.0, twins)?;
        }
    }
    for signal in &m.signals {
        inside(format!("signal '{}'", signal.id), "twin", signal.twin.0, twins)?;
        if let Some(source) = signal.source {
            inside(format!("signal '{}'", signal.id), "source", source.0, m.sources.len())?;
        }
    }
    for rule in &m.rules {
        inside(format!("rule '{}'", rule.id), "twin", rule.twin.0, twins)?;
        inside(format!("rule '{}'", rule.id), "signal", rule.signal.0, signals)?;
    }
    for alarm in &m.alarms {
        inside(format!("alarm '{}'", alarm.id), "twin", alarm.twin.0, twins)?;
        inside(format!("alarm '{}'", alarm.id), "signal", alarm.signal.0, signals)?;
    }
    for edge in &m.relationships {
        inside(format!("relationship '{}'", edge.name), "twin", edge.source.0, twins)?;
        inside(format!("relationship '{}'", edge.name), "twin", edge.target.0, twins)?;
    }
    for process in &m.processes {
        inside("process model".to_owned(), "signal", process.signal.0, signals)?;
    }
    for knob in &m.knobs {
        for target in &knob.targets {
            let (KnobTarget::Scale(signal)
            | KnobTarget::Offset(signal)
            | KnobTarget::Set(signal)
            | KnobTarget::ResetAt { signal, .. }) = target;
            inside(format!("knob '{}'", knob.id), "signal", signal.0, signals)?;
        }
    }
    Ok(())
}

/// At most one expression a signal.
fn check_computed(m: &Model) -> Result<(), ModelError> {
    for computed in &m.computed {
        let (index, count) = (computed.signal.0, m.signals.len());
        if computed.signal.at() >= count {
            return Err(ModelError::Dangling { from: "computed signal".to_owned(), what: "signal", index, count });
        }
    }
    for pair in m.computed.windows(2) {
        if let [one, other] = pair
            && one.signal == other.signal
        {
            let id = m.signal(one.signal).id.to_string();
            return Err(ModelError::Duplicate { what: "computed signal", id });
        }
    }
    Ok(())
}

/// Walks up from every twin with a hop limit: longer than there are twins means a circle.
fn check_parents(twins: &[Twin]) -> Result<(), ModelError> {
    // 0 = not looked at, 1 = on the current walk, 2 = known to end at a root.
    let mut mark = vec![0_u8; twins.len()];
    let mut walk = Vec::new();
    for start in 0..twins.len() {
        let mut at = Some(start);
        while let Some(i) = at {
            match mark[i] {
                2 => break,
                1 => return Err(ModelError::ParentCycle(twins[i].id.to_string())),
                _ => {}
            }
            mark[i] = 1;
            walk.push(i);
            at = twins[i].parent.map(TwinIndex::at);
        }
        for i in walk.drain(..) {
            mark[i] = 2;
        }
    }
    Ok(())
}

/// Fills the lists of twins; signals from `seen` on are in none.
fn derive_lists(m: &mut Model, seen: usize) {
    for twin in &mut m.twins {
        twin.children.clear();
        twin.signals.clear();
        twin.rules.clear();
        twin.alarms.clear();
    }
    for at in 0..m.twins.len() {
        if let Some(parent) = m.twins[at].parent {
            m.twins[parent.at()].children.push(TwinIndex::from_at(at));
        }
    }
    for (at, signal) in m.signals.iter().enumerate().take(seen) {
        m.twins[signal.twin.at()].signals.push(SignalIndex::from_at(at));
    }
    for (at, rule) in m.rules.iter().enumerate() {
        m.twins[rule.twin.at()].rules.push(RuleIndex::from_at(at));
    }
    for (at, alarm) in m.alarms.iter().enumerate() {
        m.twins[alarm.twin.at()].alarms.push(AlarmIndex::from_at(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ModelBuilder {
        ModelBuilder::new(SiteInfo { id: "s".into(), name: "S".into(), time_zone: "UTC".into() })
    }

    #[test]
    fn children_follow_parents_in_model_order() {
        let mut b = builder();
        let hall = b.twin("hall", "Hall", "i", None);
        let a = b.twin("a", "A", "i", Some(hall));
        let c = b.twin("c", "C", "i", Some(hall));
        let model = b.build().unwrap();
        assert_eq!(model.twin(hall).children, [a, c]);
        assert_eq!(model.roots().collect::<Vec<_>>(), [hall]);
        assert_eq!(model.find_twin("c"), Some(c));
    }

    #[test]
    fn a_twin_id_used_twice_is_named() {
        let mut b = builder();
        b.twin("x", "", "i", None);
        b.twin("x", "", "i", None);
        assert_eq!(b.build().unwrap_err(), ModelError::Duplicate { what: "twin", id: "x".into() });
    }

    #[test]
    fn a_circle_of_parents_is_refused() {
        let mut b = builder();
        let x = b.twin("x", "", "i", None);
        let y = b.twin("y", "", "i", Some(x));
        b.set_parent(x, y);
        assert!(matches!(b.build(), Err(ModelError::ParentCycle(_))));
    }

    #[test]
    fn a_computed_signal_is_found_by_its_signal_and_has_one_expression() {
        let signal = |twin: TwinIndex, id: &str| Signal {
            id: id.into(),
            twin,
            name: id.split('.').next_back().unwrap_or(id).to_owned(),
            display_name: String::new(),
            unit: Unit::default(),
            kind: SignalKind::Analog,
            value_kind: ValueKind::Float,
            expected_period: None,
            late_after: None,
            stale_after: None,
            range: None,
            source: None,
            source_key: String::new(),
        };
        let mut b = builder();
        let x = b.twin("x", "", "i", None);
        let y = b.twin("y", "", "i", None);
        let [a, own, other] = [(x, "x.a"), (x, "x.y.a"), (y, "y.a")].map(|(twin, id)| b.signal(signal(twin, id)));
        b.computed(ComputedSignal { signal: other, expr: "x.a".into() });
        b.computed(ComputedSignal { signal: own, expr: "a + 1".into() });
        let twice = {
            let mut b = b.clone();
            b.computed(ComputedSignal { signal: own, expr: "a + 2".into() });
            b.build()
        };
        assert_eq!(twice.unwrap_err(), ModelError::Duplicate { what: "computed signal", id: "x.y.a".into() });
        let dangling = {
            let mut b = b.clone();
            b.computed(ComputedSignal { signal: SignalIndex(9), expr: "a".into() });
            b.build()
        };
        assert!(matches!(dangling, Err(ModelError::Dangling { index: 9, count: 3, .. })));
        let model = b.build().unwrap();
        assert_eq!([a, own, other].map(|signal| model.is_computed(signal)), [false, true, true]);
        assert_eq!(model.computation(own).map(|it| it.expr.as_str()), Some("a + 1"));
        // The twin's own signal `y.a` goes before the whole id.
        assert_eq!((model.find_signal_from(x, "y.a"), model.find_signal_from(y, "x.a")), (Some(own), Some(a)));
    }

    #[test]
    fn a_dangling_reference_says_who_and_what() {
        let mut b = builder();
        let x = b.twin("x", "", "i", None);
        b.relationship(Relationship { name: "feeds".into(), source: x, target: TwinIndex(7) });
        let text = b.build().unwrap_err().to_string();
        assert!(text.contains("feeds") && text.contains('7'), "{text}");
    }
}

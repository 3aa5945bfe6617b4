//! Models for tests: one with every kind of thing in it, and any number of made-up ones by seed.

use proptest::prelude::ProptestConfig;
use twin_model::{
    AckPolicy, Alarm, AlarmCondition, AlarmState, Band, ComputedSignal, HealthRule, Interface, Knob, KnobTarget, Limit, Model,
    ModelBuilder, Priority, ProcessKind, ProcessModel, ProcessStart, Relationship, RuleKind, Signal, SignalIndex, SignalKind,
    SiteInfo, Source, SourceIndex, Span, Status, Timestamp, TwinIndex, Unit, Value, ValueKind,
};
use twin_publication::{Anchor, Placement, Start, View, ViewerModel};

/// 256 cases; in the nightly lane (`ORRERY_LONG_TESTS=1`) 30 times as many.
pub(crate) fn cases() -> ProptestConfig {
    let long = std::env::var_os("ORRERY_LONG_TESTS").is_some();
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = wanted.unwrap_or(if long { 7_680 } else { 256 });
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Numbers from a seed (SplitMix64, Steele et al. 2014): the same on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }

    fn chance(&mut self) -> bool {
        self.roll() & 1 == 1
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance().then(|| make(self))
    }

    /// Any number but NaN, which equals nothing.
    fn number(&mut self) -> f64 {
        let any = f64::from_bits(self.roll());
        self.of(&[0.0, -0.0, 80.5, -3.0, 1e300, f64::INFINITY, if any.is_nan() { 0.1 + 0.2 } else { any }])
    }

    fn span(&mut self) -> Span {
        let any = self.roll() as i64;
        Span::from_micros(self.of(&[0, 1, 1_000_000, 86_400_000_000, i64::MAX, any]))
    }

    fn text(&mut self) -> String {
        self.of(&["", "flow", "Füllstand \u{1f4a7}", "a \"b\" \\ c\n\t\u{0}", "</script>", "\u{202e}x", "{twin}", "N/A"])
            .to_owned()
    }

    fn value(&mut self) -> Value {
        match self.below(4) {
            0 => Value::Float(self.of(&[1.0, -0.0, f64::NAN, f64::from_bits(0xfff8_0000_0000_0001), f64::NEG_INFINITY])),
            1 => Value::Int(self.roll() as i64),
            2 => Value::Bool(self.chance()),
            _ => Value::text(&self.text()),
        }
    }

    fn status(&mut self) -> Status {
        self.of(&Status::ALL)
    }

    fn limit(&mut self) -> Limit {
        let at = self.number();
        if self.chance() { Limit::Above(at) } else { Limit::Below(at) }
    }
}

fn rule_kind(dice: &mut Dice) -> RuleKind {
    match dice.below(4) {
        0 => {
            let bands = (0..dice.below(5)).map(|_| Band { limit: dice.limit(), status: dice.status() }).collect();
            RuleKind::Range { bands, deadband: dice.number().abs(), on_delay: dice.span(), off_delay: dice.span() }
        }
        1 => {
            let cases = (0..dice.below(4)).map(|_| (dice.value(), dice.status())).collect();
            RuleKind::Match { cases, otherwise: dice.status() }
        }
        2 => RuleKind::Quality { uncertain: dice.status(), bad: dice.status() },
        _ => RuleKind::Stale { status: dice.status() },
    }
}

fn condition(dice: &mut Dice) -> AlarmCondition {
    if dice.chance() {
        let states = (0..dice.below(4)).map(|_| (dice.value(), dice.of(&AlarmState::ALL))).collect();
        return AlarmCondition::Reported { states, otherwise: dice.of(&AlarmState::ALL) };
    }
    AlarmCondition::Limit {
        limit: dice.limit(),
        deadband: dice.number().abs(),
        on_delay: dice.span(),
        off_delay: dice.span(),
        ack: dice.of(&[AckPolicy::Auto, AckPolicy::Required]),
    }
}

fn signal(dice: &mut Dice, n: usize, twin: TwinIndex, owner: &str, sources: usize) -> Signal {
    let name = dice.of(&[format!("s{n}"), format!("s{n}.a.b"), format!("Grün {n}")]);
    let id = dice.of(&[format!("{owner}.{name}"), format!("{owner}.{name}"), format!("other-{n}"), format!("{owner}{n}")]);
    let display_name = dice.of(&[name.clone(), "Words".to_owned(), String::new()]);
    Signal {
        twin,
        display_name,
        unit: Unit(dice.of(&["", "°C", "1/min"]).to_owned()),
        kind: dice.of(&[SignalKind::Analog, SignalKind::Discrete, SignalKind::Counter]),
        value_kind: dice.of(&[ValueKind::Float, ValueKind::Int, ValueKind::Bool, ValueKind::Text]),
        expected_period: dice.maybe(Dice::span),
        late_after: dice.maybe(Dice::span),
        stale_after: dice.maybe(Dice::span),
        range: dice.maybe(|dice| (-dice.number().abs(), dice.number().abs())),
        source: (sources > 0).then(|| SourceIndex::from_at(dice.below(sources))).filter(|_| dice.chance()),
        source_key: dice.of(&[id.clone(), String::new(), "ns=2;s=x".to_owned()]),
        id: id.as_str().into(),
        name,
    }
}

/// A made-up site: every kind of thing, odd texts, numbers that JSON has no words for, parents that come later.
pub(crate) fn model(seed: u64) -> Model {
    let dice = &mut Dice(seed);
    let site = SiteInfo { id: dice.text(), name: dice.text(), time_zone: "Europe/Berlin".into() };
    let mut b = ModelBuilder::new(site);
    for n in 0..dice.below(3) {
        b.interface(Interface { id: format!("i{n}"), display_name: dice.of(&[format!("i{n}"), "Pump".into(), String::new()]) });
    }
    let sources = dice.below(3);
    for n in 0..sources {
        b.source(Source { id: format!("plc-{n}"), kind: dice.of(&["csv", "websocket"]).to_owned() });
    }
    let twins = 1 + dice.below(8);
    for n in 0..twins {
        // Never below itself: a parent has a higher number.
        let parent = (n + 1 < twins && dice.chance()).then(|| TwinIndex::from_at(n + 1 + dice.below(twins - n - 1)));
        b.twin(&*format!("t{n}"), &dice.of(&[format!("t{n}"), "Words".into(), String::new()]), &dice.text(), parent);
    }
    let signals = dice.below(20);
    for n in 0..signals {
        let twin = dice.below(twins);
        let made = signal(dice, n, TwinIndex::from_at(twin), &format!("t{twin}"), sources);
        b.signal(made);
    }
    if signals > 0 {
        fill(&mut b, dice, twins, signals);
    }
    b.build().unwrap()
}

fn fill(b: &mut ModelBuilder, dice: &mut Dice, twins: usize, signals: usize) {
    let any_twin = |dice: &mut Dice| TwinIndex::from_at(dice.below(twins));
    let any_signal = |dice: &mut Dice| SignalIndex::from_at(dice.below(signals));
    for n in 0..dice.below(8) {
        let (twin, signal) = (any_twin(dice), any_signal(dice));
        b.rule(HealthRule { id: format!("r{n}"), twin, signal, kind: rule_kind(dice), note: dice.text() });
    }
    for n in 0..dice.below(8) {
        let (twin, signal, condition) = (any_twin(dice), any_signal(dice), condition(dice));
        let priority = Priority::from_number(1 + dice.below(4) as u8).unwrap();
        b.alarm(Alarm { id: format!("a{n}"), twin, signal, priority, condition, message: dice.text() });
    }
    for _ in 0..dice.below(4) {
        b.relationship(Relationship { name: dice.text(), source: any_twin(dice), target: any_twin(dice) });
    }
    for _ in 0..dice.below(4) {
        let tau = Span::from_micros(1 + dice.below(1 << 40) as i64);
        b.process(ProcessModel {
            signal: any_signal(dice),
            kind: dice.of(&[ProcessKind::Assign, ProcessKind::Lag { tau }, ProcessKind::Integrate, ProcessKind::Growth]),
            expr: dice.text(),
            clamp: dice.maybe(|dice| (-dice.number().abs(), dice.number().abs())),
            start: dice.of(&[ProcessStart::Observed, ProcessStart::Model]),
        });
    }
    // One expression a signal.
    for at in (0..signals).filter(|_| dice.below(8) == 0).collect::<Vec<_>>() {
        b.computed(ComputedSignal { signal: SignalIndex::from_at(at), expr: dice.text() });
    }
    for n in 0..dice.below(4) {
        let targets = (0..dice.below(4)).map(|_| target(dice, signals)).collect();
        let (id, display_name) = (format!("k{n}"), dice.of(&[format!("k{n}"), "Speed".to_owned()]));
        b.knob(Knob { id, display_name, targets, unit: "%".into(), min: -20.0, max: 1e9, neutral: -0.0, step: 0.1 });
    }
}

fn target(dice: &mut Dice, signals: usize) -> KnobTarget {
    let signal = SignalIndex::from_at(dice.below(signals));
    let reset = KnobTarget::ResetAt { signal, value: dice.number(), planned: dice.span() };
    dice.of(&[KnobTarget::Scale(signal), KnobTarget::Offset(signal), KnobTarget::Set(signal), reset])
}

/// The same with what a viewer needs besides.
pub(crate) fn viewer(seed: u64) -> ViewerModel {
    let model = model(seed);
    let dice = &mut Dice(seed ^ 0xabcd);
    let (twins, signals) = (model.twins().len(), model.signals().len());
    let place = |dice: &mut Dice| [dice.number(), dice.number(), dice.number()];
    let chart = if signals == 0 { 0 } else { dice.below(4) };
    ViewerModel {
        view: View {
            eye: dice.maybe(place),
            target: dice.maybe(place),
            time: dice.of(&[None, Some(Start::Now), Some(Start::Recorded), Some(Start::At(Timestamp::from_micros(-1)))]),
            select: dice.maybe(|dice| TwinIndex::from_at(dice.below(twins))),
            // Also signals of acknowledgements, which are in no row.
            chart: (0..chart).map(|_| SignalIndex::from_at(dice.below(signals))).collect(),
            theme: dice.maybe(|_| "dark".to_owned()),
        },
        placements: (0..dice.below(3))
            .map(|n| Placement {
                id: format!("hall-{n}"),
                transform: if dice.chance() {
                    std::array::from_fn(|at| f64::from(u8::from(at % 5 == 0)))
                } else {
                    [dice.number(); 16]
                },
                background: (0..dice.below(3)).map(|_| dice.text()).collect(),
            })
            .collect(),
        no_geometry: (0..dice.below(3)).map(|_| TwinIndex::from_at(dice.below(twins))).collect(),
        anchors: (0..dice.below(3))
            .map(|_| Anchor {
                name: dice.text(),
                twin: dice.maybe(|dice| TwinIndex::from_at(dice.below(twins))),
                position: [0.1, -0.0, f32::MAX],
            })
            .collect(),
        model,
    }
}

/// A viewer's model with nothing but the plant.
pub(crate) fn bare(model: Model) -> ViewerModel {
    ViewerModel { model, view: View::default(), placements: Vec::new(), no_geometry: Vec::new(), anchors: Vec::new() }
}

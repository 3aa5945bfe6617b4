//! All computed signals of a model, checked together: what each reads, in which order they follow, and which can't be computed.
//!
//! Whoever reports what is wrong with a site and whoever computes ask the same plan, so that they never disagree.

use twin_model::{Model, SignalIndex, ValueKind, limits};

use crate::check::{Expression, Operand};
use crate::error::ExprError;
use crate::input::Input;
use crate::order::{after_inputs, sweep};
use crate::outcome::Outcome;
use crate::types::Type;

/// A computed signal that can be computed.
#[derive(Debug, Clone)]
pub struct Computed {
    /// The signal.
    pub signal: SignalIndex,
    /// What it is.
    pub expression: Expression,
    /// The measured signals that it follows from, directly and through others, ascending.
    pub measured: Vec<SignalIndex>,
    /// The computed signals below it, as places in the plan, ascending.
    below: Vec<usize>,
    /// How many stand on top of each other, itself included.
    levels: usize,
    /// Whether it depends on values which of the measured signals are needed.
    pub chooses: bool,
}

/// Why a computed signal has no value.
#[derive(Debug, Clone, PartialEq)]
pub enum Obstacle {
    /// Its text is no expression, or its types do not fit.
    Expression(ExprError),
    /// A name in it is no signal.
    Unknown {
        /// As it is written.
        name: String,
        /// Where, in characters from 1.
        column: u32,
    },
    /// It gives another kind of value than the signal has.
    Kind(Type),
    /// It names no signal: nothing would ever say when it holds.
    Constant,
    /// It follows from more signals than [`limits::COMPUTED_FROM`].
    TooMany(usize),
    /// More computed signals stand on top of each other than [`limits::COMPUTED_LEVELS`].
    TooDeep(usize),
    /// The expressions before it have more than [`limits::COMPUTED_BYTES`] together with it.
    TooLong,
    /// It follows from itself: each reads the next, the last reads the first. Told of the first one only.
    Circle(Vec<SignalIndex>),
    /// It reads one that can't be computed, for a reason that is told of that one.
    Below,
}

/// The computed signals of a model.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order of the model, those that can't be computed left out.
    all: Vec<Computed>,
}

impl Plan {
    /// Reads and checks every computed signal of a model; of those that can't be computed, why.
    ///
    /// The reasons are in the order of the model; circles last.
    pub fn of(model: &Model) -> (Self, Vec<(SignalIndex, Obstacle)>) {
        let mut obstacles = Vec::new();
        let mut read: Vec<Option<Expression>> = Vec::with_capacity(model.computed().len());
        let mut bytes = 0_usize;
        for computed in model.computed() {
            bytes = bytes.saturating_add(computed.expr.len());
            let compiled = if bytes > limits::COMPUTED_BYTES { Err(Obstacle::TooLong) } else { compile(model, computed.signal) };
            match compiled {
                Ok(expression) => read.push(Some(expression)),
                Err(why) => {
                    obstacles.push((computed.signal, why));
                    read.push(None);
                }
            }
        }
        let place = |signal: SignalIndex| model.computed().binary_search_by_key(&signal, |it| it.signal).ok();
        // What can't be read at all stands in no order, and whoever reads it finds nothing there.
        let reads: Vec<Vec<usize>> = read
            .iter()
            .map(|expression| expression.iter().flat_map(Expression::inputs).filter_map(|it| place(it.signal)).collect())
            .collect();
        let (order, stuck) = sweep(&reads, &vec![false; reads.len()]);
        let mut done: Vec<Option<Computed>> = vec![None; reads.len()];
        for at in order {
            let (Some(expression), Some(reads)) = (read.get_mut(at).and_then(Option::take), reads.get(at)) else { continue };
            let signal = model.computed().get(at).map_or(SignalIndex(u32::MAX), |it| it.signal);
            match gather(signal, expression, reads, &done) {
                Ok(computed) => done[at] = Some(computed),
                Err(why) => obstacles.push((signal, why)),
            }
        }
        obstacles.sort_by_key(|(signal, _)| *signal);
        if !stuck.is_empty() {
            let name = |at: &usize| model.computed().get(*at).map(|it| it.signal);
            for circle in after_inputs(&reads).err().unwrap_or_default() {
                let circle: Vec<SignalIndex> = circle.iter().filter_map(name).collect();
                obstacles.extend(circle.first().copied().map(|first| (first, Obstacle::Circle(circle))));
            }
        }
        (Self::close(done), obstacles)
    }

    /// Leaves the gaps out: places below move to where their signals are then.
    fn close(done: Vec<Option<Computed>>) -> Self {
        let mut moved = Vec::with_capacity(done.len());
        let mut kept = 0;
        for one in &done {
            moved.push(kept);
            kept += usize::from(one.is_some());
        }
        let mut all: Vec<Computed> = done.into_iter().flatten().collect();
        for below in all.iter_mut().flat_map(|one| &mut one.below) {
            *below = moved.get(*below).copied().unwrap_or(*below);
        }
        Self { all }
    }

    /// Those that can be computed, ascending by signal.
    pub fn all(&self) -> &[Computed] {
        &self.all
    }

    /// Where a signal is among [`Self::all`]; `None` where it is measured or can't be computed.
    pub fn place(&self, signal: SignalIndex) -> Option<usize> {
        self.all.binary_search_by_key(&signal, |it| it.signal).ok()
    }

    /// What the signal at a place of [`Self::all`] says. `read` gives a measured signal; it is asked at most once for each, and
    /// only for those that are needed, also by computed signals in between.
    ///
    /// Of an outcome without needed inputs, as of a place that is none, nothing was read.
    pub fn evaluate(&self, place: usize, read: &mut dyn FnMut(SignalIndex) -> Input) -> Evaluated {
        let Some(computed) = self.all.get(place) else {
            return Evaluated { outcome: None, needed: Vec::new() };
        };
        let mut run = Run {
            plan: self,
            top: computed,
            read,
            measured: vec![None; if computed.below.is_empty() { 0 } else { computed.measured.len() }],
            below: vec![None; computed.below.len()],
            needed: Vec::new(),
        };
        let outcome = run.outcome(computed);
        Evaluated { outcome: Some(outcome), needed: run.needed }
    }
}

/// What a computed signal says.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The result; `None` of a place that is none.
    pub outcome: Option<Outcome>,
    /// The measured signals that were needed, in the order in which they were read.
    pub needed: Vec<SignalIndex>,
}

/// One evaluation, with what was read on the way: a signal that several read is read once.
struct Run<'a> {
    plan: &'a Plan,
    top: &'a Computed,
    read: &'a mut dyn FnMut(SignalIndex) -> Input,
    /// By place in `top.measured`; empty where only the top reads, which asks once by itself.
    measured: Vec<Option<Input>>,
    /// By place in `top.below`.
    below: Vec<Option<Input>>,
    needed: Vec<SignalIndex>,
}

impl Run<'_> {
    /// Recurses as deep as computed signals stand on top of each other, [`limits::COMPUTED_LEVELS`] at most.
    fn outcome(&mut self, of: &Computed) -> Outcome {
        of.expression.evaluate(&mut |input| {
            let Some(signal) = of.expression.inputs().get(input).map(|it| it.signal) else { return Input::unseen() };
            match self.plan.place(signal) {
                Some(place) => self.computed(place),
                None => self.measured(signal),
            }
        })
    }

    fn computed(&mut self, place: usize) -> Input {
        let slot = self.top.below.binary_search(&place).ok();
        if let Some(known) = slot.and_then(|slot| self.below.get(slot)?.clone()) {
            return known;
        }
        let plan = self.plan;
        let input = plan.all.get(place).map_or_else(Input::unseen, |of| self.outcome(of).as_input());
        if let Some(slot) = slot.and_then(|slot| self.below.get_mut(slot)) {
            *slot = Some(input.clone());
        }
        input
    }

    fn measured(&mut self, signal: SignalIndex) -> Input {
        let slot = self.top.measured.binary_search(&signal).ok();
        if let Some(known) = slot.and_then(|slot| self.measured.get(slot)?.clone()) {
            return known;
        }
        self.needed.push(signal);
        let input = (self.read)(signal);
        if let Some(slot) = slot.and_then(|slot| self.measured.get_mut(slot)) {
            *slot = Some(input.clone());
        }
        input
    }
}

/// The expression of one computed signal, by itself.
fn compile(model: &Model, signal: SignalIndex) -> Result<Expression, Obstacle> {
    let (Some(computed), spec) = (model.computation(signal), model.signal(signal)) else { return Err(Obstacle::Constant) };
    let syntax = crate::parse(&computed.expr).map_err(Obstacle::Expression)?;
    let unknown = syntax.names.iter().find(|(name, _)| model.find_signal_from(spec.twin, name).is_none());
    if let Some((name, column)) = unknown {
        return Err(Obstacle::Unknown { name: name.clone(), column: *column });
    }
    let mut resolve = |name: &str| {
        let found = model.find_signal_from(spec.twin, name).map(|at| (at, model.signal(at)));
        let operand =
            |(signal, it): (SignalIndex, &twin_model::Signal)| Operand { signal, kind: it.value_kind, unit: it.unit.clone() };
        found.map(operand).ok_or_else(String::new)
    };
    let expression = Expression::of(syntax, &mut resolve).map_err(Obstacle::Expression)?;
    if expression.inputs().is_empty() {
        return Err(Obstacle::Constant);
    }
    let fits = match expression.gives() {
        Type::Number => spec.value_kind == ValueKind::Float,
        Type::Boolean => spec.value_kind == ValueKind::Bool,
        Type::Text => spec.value_kind == ValueKind::Text,
    };
    if fits { Ok(expression) } else { Err(Obstacle::Kind(expression.gives())) }
}

/// What a computed signal follows from, where all that it reads is done. `reads` are the computed ones among its inputs.
fn gather(signal: SignalIndex, expression: Expression, reads: &[usize], done: &[Option<Computed>]) -> Result<Computed, Obstacle> {
    let ready: Vec<(usize, &Computed)> = reads.iter().filter_map(|at| Some((*at, done.get(*at)?.as_ref()?))).collect();
    let is_ready = |input: &Operand| ready.iter().any(|(_, one)| one.signal == input.signal);
    let mut measured: Vec<SignalIndex> =
        expression.inputs().iter().filter(|input| !is_ready(input)).map(|input| input.signal).collect();
    if ready.len() < reads.len() {
        return Err(Obstacle::Below);
    }
    let chooses = expression.chooses() || ready.iter().any(|(_, one)| one.chooses);
    let (mut below, mut levels) = (Vec::new(), 1);
    let tidy = |measured: &mut Vec<SignalIndex>, below: &mut Vec<usize>| {
        measured.sort_unstable();
        measured.dedup();
        below.sort_unstable();
        below.dedup();
        let all = below.len() + measured.len();
        if all > limits::COMPUTED_FROM { Err(Obstacle::TooMany(all)) } else { Ok(()) }
    };
    for (at, one) in ready {
        levels = levels.max(one.levels + 1);
        below.push(at);
        below.extend(&one.below);
        measured.extend(&one.measured);
        // Now and then, so that a list never grows far beyond the limit.
        if below.len() + measured.len() > limits::COMPUTED_FROM {
            tidy(&mut measured, &mut below)?;
        }
    }
    tidy(&mut measured, &mut below)?;
    if levels > limits::COMPUTED_LEVELS {
        return Err(Obstacle::TooDeep(levels));
    }
    Ok(Computed { signal, expression, measured, below, levels, chooses })
}

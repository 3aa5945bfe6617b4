//! Turns knob settings into what they do to columns. Knows nothing of models or stepping.

use twin_model::{Knob, KnobIndex, KnobTarget, Model, Span};

use crate::plan::{Plan, target_signal};
use crate::{Scenario, ScenarioError};

/// What a turned knob does to the value of a column, at every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Effect {
    Scale(f64),
    Offset(f64),
    Set(f64),
}

impl Effect {
    /// The value after it.
    pub(crate) fn apply(self, value: f64) -> f64 {
        match self {
            Self::Scale(factor) => value * factor,
            Self::Offset(amount) => value + amount,
            Self::Set(setting) => setting,
        }
    }
}

/// A planned moment at which a column is set anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reset {
    /// When, after the fork, zero or more.
    pub(crate) at: Span,
    /// Which column.
    pub(crate) column: usize,
    /// To what.
    pub(crate) value: f64,
}

/// All that the knobs of a site do in one scenario.
#[derive(Debug, Clone)]
pub(crate) struct Turned {
    /// Effects by column, in the order of the site's knobs and their targets, whatever the order of the settings.
    pub(crate) effects: Vec<Vec<Effect>>,
    /// Resets by time, planned ones of knobs that nobody turned included.
    pub(crate) resets: Vec<Reset>,
}

/// Checks the settings and works out what they do. `has_value` says whether a column has a value at the fork.
pub(crate) fn turn(
    model: &Model,
    plan: &Plan,
    scenario: &Scenario,
    has_value: &dyn Fn(usize) -> bool,
    errors: &mut Vec<ScenarioError>,
) -> Turned {
    let settings = settings_by_knob(model, scenario, errors);
    let mut turned = Turned { effects: vec![Vec::new(); plan.signals.len()], resets: Vec::new() };
    for (knob, setting) in model.knobs().iter().zip(settings) {
        for target in &knob.targets {
            let Some(column) = plan.column(target_signal(target)) else { continue };
            if has_value(column) {
                add(&mut turned, knob, target, column, setting);
            } else if setting.is_some() {
                let signal = model.signal(target_signal(target)).id.to_string();
                errors.push(ScenarioError::NoValue { knob: knob.id.clone(), signal, why: None });
            }
        }
    }
    // Stable: resets of the same moment stay in the order of the site's knobs.
    turned.resets.sort_by_key(|reset| reset.at);
    turned
}

/// By knob of the site: its setting, where it is turned away from neutral.
fn settings_by_knob(model: &Model, scenario: &Scenario, errors: &mut Vec<ScenarioError>) -> Vec<Option<f64>> {
    let knobs = model.knobs();
    let mut given = vec![None; knobs.len()];
    for &(KnobIndex(index), setting) in &scenario.settings {
        let (Some(knob), Some(slot)) = (knobs.get(index as usize), given.get_mut(index as usize)) else {
            errors.push(ScenarioError::NoSuchKnob { index, count: knobs.len() });
            continue;
        };
        if slot.is_some() {
            errors.push(ScenarioError::SetTwice { knob: knob.id.clone() });
        } else if !(knob.min..=knob.max).contains(&setting) && setting != knob.neutral {
            let (knob, unit, min, max) = (knob.id.clone(), knob.unit.clone(), knob.min, knob.max);
            errors.push(ScenarioError::Setting { knob, setting, min, max, unit });
        }
        *slot = Some(setting);
    }
    given.iter().zip(knobs).map(|(setting, knob)| setting.filter(|s| *s != knob.neutral)).collect()
}

fn add(turned: &mut Turned, knob: &Knob, target: &KnobTarget, column: usize, setting: Option<f64>) {
    if let KnobTarget::ResetAt { value, planned, .. } = target {
        let at = *planned + setting.map_or(Span::ZERO, |hours| Span::from_secs_f64(hours * 3_600.0));
        turned.resets.push(Reset { at: at.max(Span::ZERO), column, value: *value });
        return;
    }
    let (Some(setting), Some(effects)) = (setting, turned.effects.get_mut(column)) else { return };
    effects.push(match target {
        KnobTarget::Scale(_) if knob.unit == "%" => Effect::Scale(1.0 + setting / 100.0),
        KnobTarget::Scale(_) => Effect::Scale(setting),
        KnobTarget::Offset(_) => Effect::Offset(setting),
        KnobTarget::Set(_) | KnobTarget::ResetAt { .. } => Effect::Set(setting),
    });
}

//! What can be wrong with a site's process models or with a scenario. Texts are for the person who wrote the site file.

use twin_expr::ExprError;

use crate::fork::without_value;

/// Why a run cannot start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// The horizon is zero or negative.
    #[error("the horizon must be longer than zero")]
    Horizon,
    /// The step is zero or negative.
    #[error("the step must be longer than zero")]
    Step,
    /// More steps than [`MAX_STEPS`](crate::MAX_STEPS).
    #[error("the horizon has {steps} steps, the limit is {limit}; shorten it or make the step longer")]
    TooManySteps {
        /// Steps asked for.
        steps: u64,
        /// The limit.
        limit: u64,
    },
    /// An expression that cannot be compiled.
    #[error("model of '{signal}': {error} (in '{expr}')")]
    Expr {
        /// The modelled signal.
        signal: String,
        /// The text, at most its first 200 characters.
        expr: String,
        /// What is wrong and where.
        error: ExprError,
    },
    /// Signals that follow from each other within the same instant.
    #[error("the models of {} follow from each other at once; give one of them a lag", circle(.signals))]
    Cycle {
        /// The circle, starting at its signal that comes first in the site; the last one leads back to the first.
        signals: Vec<String>,
    },
    /// Two models for one signal.
    #[error("'{signal}' has two models; keep one")]
    TwoModels {
        /// The signal.
        signal: String,
    },
    /// A lag without a positive time constant.
    #[error("model of '{signal}': the time constant must be longer than zero")]
    Tau {
        /// The signal.
        signal: String,
    },
    /// Clamp bounds that are crossed or not numbers.
    #[error("model of '{signal}': the clamp from {low} to {high} holds no value; write the lower bound first")]
    Clamp {
        /// The signal.
        signal: String,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// A model, an input or a knob on a signal that carries words.
    #[error("{user} uses '{signal}', whose values are text; only numbers and switches can be simulated")]
    TextSignal {
        /// Who uses it.
        user: String,
        /// The signal of the model that uses it; none where a knob does.
        modelled: Option<String>,
        /// The signal.
        signal: String,
    },
    /// A setting for a knob that the site does not have.
    #[error("there is no knob number {index}; the site has {count}")]
    NoSuchKnob {
        /// The index.
        index: u32,
        /// How many there are.
        count: usize,
    },
    /// Two settings for one knob.
    #[error("knob '{knob}' is set twice")]
    SetTwice {
        /// The knob.
        knob: String,
    },
    /// A setting outside the knob's travel, or not a number.
    #[error("knob '{knob}' cannot be set to {setting}; its travel is from {min} to {max} {unit}")]
    Setting {
        /// The knob.
        knob: String,
        /// What was asked for.
        setting: f64,
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Unit.
        unit: String,
    },
    /// A knob target that says nothing, for example a reset to NaN.
    #[error("knob '{knob}': the reset value of '{signal}' is not a number")]
    ResetValue {
        /// The knob.
        knob: String,
        /// The signal.
        signal: String,
    },
    /// A knob is turned whose signal has no value at the fork.
    #[error("knob '{knob}' changes '{signal}', which {}; choose {}", without_value(why.as_deref()), another(why.as_deref()))]
    NoValue {
        /// The knob.
        knob: String,
        /// The signal.
        signal: String,
        /// Why it has none that counts, where whoever gives the values knows ([`Self::explained`]).
        why: Option<String>,
    },
}

impl ScenarioError {
    /// The same with what is known about why a signal has no value that counts, for example `last reading is 3 h old`.
    #[must_use]
    pub fn explained(mut self, of: &dyn Fn(&str) -> Option<String>) -> Self {
        if let Self::NoValue { signal, why, .. } = &mut self {
            *why = of(signal);
        }
        self
    }

    /// The signal whose process model is wrong, where it is one model's fault; of a circle the first.
    pub fn modelled(&self) -> Option<&str> {
        match self {
            Self::Expr { signal, .. } | Self::TwoModels { signal } | Self::Tau { signal } | Self::Clamp { signal, .. } => {
                Some(signal)
            }
            Self::Cycle { signals } => signals.first().map(String::as_str),
            Self::TextSignal { modelled, .. } => modelled.as_deref(),
            _ => None,
        }
    }
}

/// A signal without any reading may have one later; one that fell silent had one before.
const fn another(why: Option<&str>) -> &'static str {
    if why.is_none() { "a later one" } else { "another one" }
}

fn circle(signals: &[String]) -> String {
    let mut text = String::new();
    for signal in signals.iter().chain(signals.first()) {
        if !text.is_empty() {
            text.push_str(" <- ");
        }
        text.push_str(signal);
    }
    text
}

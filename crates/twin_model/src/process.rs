//! Definitions of process models and knobs for what-if runs. Their evaluation lives in `twin_scenario`.

use crate::{SignalIndex, Span};

/// How a signal follows from others. Expressions are texts in the grammar of `twin_expr`, over signal ids.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessKind {
    /// `y = expr`, at once.
    Assign,
    /// First-order lag: `tau · dy/dt = expr − y` (thermal mass, filter).
    Lag {
        /// Time constant, positive.
        tau: Span,
    },
    /// Integration: `dy/dt = expr`, with `expr` per second (levels, counts).
    Integrate,
    /// Exponential growth at the relative rate `expr` per hour (wear): `dy/dt = y · expr / 3600 s`.
    Growth,
}

/// Where an assignment or a lag begins, when its observed value is not what its expression says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProcessStart {
    /// At the observed value; the difference to what the model computes there is carried on as a constant offset, as in
    /// model-predictive control: what the model gets wrong at the fork, it gets wrong by the same amount later.
    #[default]
    Observed,
    /// As the equation says, without an offset: an assignment equals its expression from the fork on, and a lag moves from
    /// the observed value to its expression with its time constant.
    Model,
}

impl ProcessStart {
    /// The name used in files and machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Model => "model",
        }
    }
}

/// The model of one signal.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessModel {
    /// The signal that it computes.
    pub signal: SignalIndex,
    /// How it follows.
    pub kind: ProcessKind,
    /// Expression text, for example `hall.ambient + 0.3 * filler-01.load`.
    pub expr: String,
    /// Values are kept within these, in the signal's unit.
    pub clamp: Option<(f64, f64)>,
    /// Where it begins; integrals and growth begin at the observed value and know no other start.
    pub start: ProcessStart,
}

/// What a knob changes.
#[derive(Debug, Clone, PartialEq)]
pub enum KnobTarget {
    /// Multiplies a signal: a setting of `+20 %` is the factor 1.2.
    Scale(SignalIndex),
    /// Adds to a signal, in its unit.
    Offset(SignalIndex),
    /// Replaces a signal's value.
    Set(SignalIndex),
    /// Moves the moment at which a signal is reset to a value, for example when a worn bearing is replaced.
    ResetAt {
        /// The signal that is reset.
        signal: SignalIndex,
        /// The value after the reset.
        value: f64,
        /// When the reset is planned, after the fork; the knob's setting, in hours, postpones it.
        planned: Span,
    },
}

/// Something that a planner may change in a what-if run.
#[derive(Debug, Clone, PartialEq)]
pub struct Knob {
    /// Id, for example `conveyor-speed`.
    pub id: String,
    /// Words for people, for example `Conveyor speed`.
    pub display_name: String,
    /// What it changes, applied in order.
    pub targets: Vec<KnobTarget>,
    /// Unit of the setting as shown: `%` for scale, the signal's unit for offset and set, `h` for resets.
    pub unit: String,
    /// Smallest setting.
    pub min: f64,
    /// Largest setting.
    pub max: f64,
    /// Setting at which nothing changes.
    pub neutral: f64,
    /// Step of the slider.
    pub step: f64,
}

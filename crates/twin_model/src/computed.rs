//! Signals that follow from others at every instant. Their evaluation lives in `twin_expr`, their derivation in `twin_engine`.

use crate::SignalIndex;

/// What a computed signal is: an expression over other signals, measured or computed.
///
/// It has a place among the signals of its twin like any other (name, unit, kind of value, rules, alarms), and no samples: whoever
/// shows it derives it from the samples of what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedSignal {
    /// The signal that follows.
    pub signal: SignalIndex,
    /// Expression text in the grammar of `twin_expr`, over names of signals of the same twin and whole signal ids; where both fit, the
    /// twin's own counts.
    pub expr: String,
}

//! What a signal's value is between two samples, and how that is known.

use twin_model::{HoldPolicy, Sample, SignalIndex, SignalKind, Span, Timestamp, Value};

use super::Store;
use crate::spec::Direction;

/// How a value at an instant is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// A sample of that very instant.
    Sampled,
    /// The last sample, which holds.
    Held,
    /// On the straight line to the next sample, whose source time is given. To be labelled as interpolated wherever it is shown.
    Interpolated(Timestamp),
}

/// A value at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueAt {
    /// The value.
    pub value: Value,
    /// How it is known.
    pub known: Known,
    /// The sample at or before the instant: its age, quality and flags.
    pub sample: Sample,
}

impl Store {
    /// The value at `t`, as known at `seen` (the playhead): nothing with a source time after `seen` has any influence, and where
    /// `t` lies after `seen` it is what holds at `seen`.
    ///
    /// With [`HoldPolicy::Linear`] an analog signal runs straight between two numbers, unless there is a gap between them, the
    /// next one is not known yet, or one of them is null, bad or no finite number; otherwise, and for every state and
    /// counter, the last value holds. What holds may be no value: ask [`Sample::has_value`] of the sample. A counter's difference is [`Store::increase`].
    pub fn value_at(&self, signal: SignalIndex, t: Timestamp, seen: Timestamp, policy: HoldPolicy) -> Option<ValueAt> {
        let t = t.min(seen);
        let sample = self.latest_at(signal, t)?;
        if sample.source_time == t {
            return Some(ValueAt { value: sample.value.clone(), known: Known::Sampled, sample });
        }
        let line = if policy == HoldPolicy::Linear { self.line(signal, &sample, t, seen) } else { None };
        let (value, known) = line.unwrap_or_else(|| (sample.value.clone(), Known::Held));
        Some(ValueAt { value, known, sample })
    }

    fn line(&self, signal: SignalIndex, before: &Sample, t: Timestamp, seen: Timestamp) -> Option<(Value, Known)> {
        let spec = self.columns.get(signal.at())?.spec;
        if spec.kind != SignalKind::Analog {
            return None;
        }
        let next = self.next_sample_time(signal, t, Direction::Forward).filter(|next| *next <= seen)?;
        let after = self.latest_at(signal, next)?;
        let apart = next.since(before.source_time);
        let limit = spec.gap_after.map_or(Span::from_micros(i64::MAX), |gap| gap.max(self.allowance_at(t)));
        if apart > limit {
            return None;
        }
        let number = |sample: &Sample| sample.usable_number().filter(|v| v.is_finite());
        let (a, b) = (number(before)?, number(&after)?);
        let part = t.since(before.source_time).as_micros() as f64 / apart.as_micros() as f64;
        // This form is exact at both ends and never overshoots them.
        Some((Value::Float(a * (1.0 - part) + b * part), Known::Interpolated(next)))
    }
}

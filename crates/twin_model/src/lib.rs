//! The vocabulary of Orrery: twins, signals, samples, quality, status and time.
//!
//! Holds plain data and the checks that make it consistent. Refuses to know files, wires, clocks, health evaluation
//! and pixels. Start reading at [`Model`] (what a site consists of) and [`Sample`] (what arrives from it).

mod computed;
mod ids;
pub mod limits;
mod model;
mod natural;
mod opc_da;
mod process;
mod quality;
mod rules;
mod sample;
mod secret;
mod signal;
mod status;
mod status_codes;
mod time;
pub mod unit;
mod value;

pub use computed::ComputedSignal;
pub use ids::{AlarmIndex, KnobIndex, RuleIndex, SignalId, SignalIndex, SourceIndex, TwinId, TwinIndex};
pub use model::{ACKNOWLEDGED, Interface, Model, ModelBuilder, ModelError, Relationship, SiteInfo, Source, Twin};
pub use natural::natural_order;
pub use process::{Knob, KnobTarget, ProcessKind, ProcessModel, ProcessStart};
pub use quality::{Quality, QualityClass};
pub use rules::{AckPolicy, Alarm, AlarmCondition, Band, HealthRule, Limit, MAX_BANDS, Priority, RuleKind};
pub use sample::{Flags, Sample};
pub use secret::Secret;
pub use signal::{HoldPolicy, Signal, SignalKind, Unit};
pub use status::{AlarmState, Freshness, Status};
pub use time::{Span, TimeError, TimeRange, Timestamp};
pub use value::{Value, ValueKind};

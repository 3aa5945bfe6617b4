//! The facade: model, history, playback, health, alarms and what-if behind one clock.
//!
//! Owns what changes and hands out what is shown; every view goes the same way, live, scrubbed or what-if:
//! snapshot at t, rule outcomes at t, [`ViewFrame`]. Refuses to know wires, files, clocks and pixels: samples, commands and
//! instants are arguments. Start at [`Engine`].

mod acknowledged;
mod basis;
#[cfg(test)]
extern crate self as twin_engine;

pub mod bench;
mod branch;
mod changed;
mod command;
mod computed;
mod departure;
mod engine;
mod events;
mod frame;
mod outlook;
mod parts;
mod playback;
mod recall;
mod record;
mod renew;
mod report;
mod scope;
mod series;
mod silence;
mod sources;
mod timelines;

pub use basis::Basis;
pub use branch::{Branch, BranchId, Comparison, RunProgress};
pub use changed::Changed;
pub use command::{Direction, EngineCommand, SeekTo};
pub use computed::Computed;
pub use departure::ModelStart;
pub use engine::{BRANCH_BYTES, DEFAULT_BRANCHES, Engine, EngineConfig, EngineError};
pub use events::{Event, EventKind, StatusSpan, marked_events};
pub use frame::{ActiveAlarm, TwinState, ViewFrame};
pub use outlook::WINDOWS;
pub use parts::{Marks, PartCodes};
pub use playback::{PlayState, Playback, Ready, SPEED_LIMITS};
pub use record::{Ingested, Record};
pub use renew::{LEAST_WAIT_S, MOST_WAIT_S, Renewal, WAIT_PER_COST};
pub use report::{AlarmReport, OutlookReport, ReasonReport, SignalReport, StateReport, TwinReport};
pub use scope::{DerivationReport, InputReport};
pub use series::ChartSeries;
pub use sources::SourceLinks;
pub use timelines::TIMELINE_BYTES;

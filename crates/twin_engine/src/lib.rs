//! The facade: model, history, playback, health, alarms and what-if behind one clock.
//!
//! Owns what changes and hands out what is shown; every view goes the same way, live, scrubbed or what-if:
//! snapshot at t, rule outcomes at t, [`ViewFrame`]. Refuses to know wires, files, clocks and pixels: samples, commands and
//! instants are arguments. Start at [`Engine`].

mod acknowledged;
mod basis;
mod branch;
mod command;
mod engine;
mod events;
mod frame;
mod outlook;
mod playback;
mod record;
mod renew;
mod report;
mod series;
mod silence;
mod sources;

pub use basis::Basis;
pub use branch::{Branch, BranchId, Comparison, RunProgress};
pub use command::{Direction, EngineCommand, SeekTo};
pub use engine::{BRANCH_BYTES, DEFAULT_BRANCHES, Engine, EngineConfig, EngineError};
pub use events::{Event, EventKind, StatusSpan, marked_events};
pub use frame::{ActiveAlarm, TwinState, ViewFrame};
pub use outlook::WINDOWS;
pub use playback::{PlayState, Playback, Ready, SPEED_LIMITS};
pub use record::{Ingested, Record, TIMELINE_BYTES};
pub use renew::{LEAST_WAIT_S, MOST_WAIT_S, Renewal, WAIT_PER_COST};
pub use report::{AlarmReport, OutlookReport, ReasonReport, SignalReport, StateReport, TwinReport};
pub use series::ChartSeries;
pub use sources::SourceLinks;

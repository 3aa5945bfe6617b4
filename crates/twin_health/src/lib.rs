//! From samples to status: rule and alarm machines, their timelines, freshness, and the palette that shows them.
//!
//! Everything is a pure function of samples and an instant; nothing from after that instant has any influence. Refuses to
//! know stores, clocks and pixels. Start at [`Timeline`] (what a rule said when) and [`judge`](health::judge) (a twin at t).

pub mod health;
pub mod machine;
pub mod palette;
pub mod text;
pub mod timeline;
pub mod trend;

mod amend;
mod freshness;
mod reason;
mod told;
mod unfit;
mod view;

pub use freshness::{Ages, CLOCK_TOLERANCE, clock_ahead, freshness, freshness_of_parts};
pub use health::{Judged, LastKnown, Policy, TwinHealth, explain, judge};
pub use machine::{Cause, Machine, Outcome, State};
pub use reason::Reason;
pub use timeline::{Entry, Timeline};
pub use told::{History, Told};
pub use trend::{Outlook, Trend};
pub use unfit::{Unfit, unfit};
pub use view::{RuleView, by_age, given, given_in, rule_status, signal_freshness};

//! The engine as its users see it: no look-ahead, live equals replay, branches marked and apart.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod acknowledge;
mod ahead;
mod bounds;
mod computed;
mod judged;
mod known;
mod live_replay;
mod paging;
mod plant;
mod properties;
mod time_bar;
mod views;
mod what_if;

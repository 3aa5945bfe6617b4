//! Promises of the expression language.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod computed;
mod corpus;
mod explain;
mod grammar;
mod kit;
mod model;
mod process;
mod properties;
mod quality;
mod trees;
mod types;
mod units;

//! Promises of the expression language.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod grammar;
mod process;

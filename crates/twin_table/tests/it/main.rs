//! Promises over any text: the kept corpus of the fuzzer, and properties.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod autumn;
mod cells;
mod corpus;
mod properties;

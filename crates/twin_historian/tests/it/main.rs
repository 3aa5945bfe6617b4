//! The store's public promises: literal cases, comparison with a slow obvious twin, hostile bytes, golden bytes, real data.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod budget;
mod bursts;
mod chunks;
mod corpus;
mod holding;
mod keepers;
mod kit;
mod levels;
mod paging;
mod pair;
mod parts;
mod properties;
mod real;
mod rules;
mod runs;
mod slow;
mod texts;
mod thinning;

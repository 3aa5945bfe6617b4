//! Publications from outside: what comes back, what the page of the protocol shows, what hostile bytes can do.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod corpus;
mod hostile;
mod page;
mod plants;
mod roundtrip;

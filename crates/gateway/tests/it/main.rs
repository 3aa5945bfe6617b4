//! The gateway from outside: a real server, real sockets, real files.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

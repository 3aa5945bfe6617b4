//! The time store: chunks, latest-at, envelopes, density and retention.

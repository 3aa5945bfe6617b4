//! Bevy-free end-to-end tests.

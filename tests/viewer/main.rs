//! Headless viewer tests.

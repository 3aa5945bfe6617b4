//! Orrery's viewer: the thin Bevy shell around `twin_engine` and `twin_ui`.
//!
//! `platform` knows which machine this is, `session` talks to a gateway, the rest (feature `viewer`) turns the engine's
//! view into pixels and pointer into commands. Nothing here decides what a plant's state is. Start at [`app::run`].

pub mod platform;
pub mod session;

#[cfg(feature = "viewer")]
mod viewer;
#[cfg(feature = "viewer")]
pub use viewer::*;

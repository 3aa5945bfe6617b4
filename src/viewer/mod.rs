//! The Bevy side: systems that drain, apply, present and paint. No decision about a plant is taken here.

mod app;
mod commands;
mod framing;
mod hooks;
mod input;
mod link;
mod paint;
mod present;
mod scene;
mod stage;
mod state;
mod then;
mod ui_shell;

pub use app::{Start, run};
pub use hooks::{admitted as hook_admitted, command as hook_command, state as hook_state};
pub use link::ViewLink;
pub use stage::{Fresh, Sight, Stage};

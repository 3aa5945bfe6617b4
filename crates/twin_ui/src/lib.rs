//! Panels of the viewer over a plain view model: egui only, no Bevy.
//!
//! The host fills a [`view::ViewModel`], calls [`shell`] inside an egui pass and carries out the [`UiCommand`]s that come
//! back. Panels change nothing but [`UiState`]. Start reading at [`shell`] (the layout) and [`theme`] (every colour and size).

pub mod format;
pub mod theme;
pub mod view;

mod command;
mod icon;
mod keys;
mod panels;
mod screen;
mod shell;
mod shortcuts;
mod state;
mod time_bar;
mod widgets;

pub use command::{Direction, Side, UiCommand};
pub use shell::{ShellOutput, shell};
pub use state::{RightTab, Sheet, UiState};

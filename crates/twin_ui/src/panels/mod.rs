//! The panels: plain functions over the view model.

mod alarms;
mod bars;
mod cards;
mod inspector;
mod rails;
mod tree;
mod viewport;
mod what_if;
mod why;

pub(crate) use bars::{toggle_theme, top_bar};
pub(crate) use cards::{fatal, help, toasts};
pub(crate) use rails::{bottom_tabs, close_right, left_rail, open_right, right, right_rail};
pub(crate) use tree::tree;
pub(crate) use viewport::viewport;

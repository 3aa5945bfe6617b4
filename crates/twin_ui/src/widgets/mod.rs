//! The small parts that panels are made of: painted marks, buttons, rows, sliders, lines.

mod controls;
mod marks;
mod plot;
mod scale;
mod text;

pub(crate) use controls::{
    ButtonKind, button, button_width, empty, focus_ring, icon_button, icon_button_lit, link_row, section, segmented, slider,
};
pub(crate) use marks::{alarm_mark, badge, freshness_icon, hatch, keycap, pill, status_mark, swatch};
pub(crate) use plot::{LineStyle, Plot, dashed_h, envelope, scale_of_bands, sparkline};
pub(crate) use scale::Scale;
pub(crate) use text::{find, found_text, icon, measure, number_unit, paragraph, text};

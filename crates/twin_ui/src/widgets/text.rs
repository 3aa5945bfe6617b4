//! Text painted into a place: elided at its edge, never spilling out of it.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align2, Color32, Galley, Pos2, Rect, Stroke, Ui, pos2, vec2};

use crate::format::THIN;
use crate::theme::{self, Type, icon_font, tokens};

/// A line of text that ends in `…` where it is wider than `width`.
pub(crate) fn elided(ui: &Ui, text: &str, kind: Type, color: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), kind.font(), color);
    job.wrap = TextWrapping { max_width: width.max(0.0), max_rows: 1, break_anywhere: true, overflow_character: Some('…') };
    ui.painter().layout_job(job)
}

/// Paints one line into `rect` at `align`, elided to its width; returns where it stands.
pub(crate) fn text(ui: &Ui, rect: Rect, align: Align2, text: &str, kind: Type, color: Color32) -> Rect {
    let galley = elided(ui, text, kind, color, rect.width());
    let place = align.align_size_within_rect(galley.size(), rect);
    let place = place.translate(ui_round(ui, place.min) - place.min);
    ui.painter().galley(place.min, galley, color);
    place
}

/// Where `needle` stands in `text`, whatever the case of either, as bytes of `text`. An empty needle stands nowhere.
pub(crate) fn find(text: &str, needle: &str) -> Option<Range<usize>> {
    if needle.is_empty() {
        return None;
    }
    if text.is_ascii() && needle.is_ascii() {
        let at = text.as_bytes().windows(needle.len()).position(|part| part.eq_ignore_ascii_case(needle.as_bytes()))?;
        return Some(at..at + needle.len());
    }
    text.char_indices().find_map(|(from, _)| {
        let mut wanted = needle.chars().flat_map(char::to_lowercase).peekable();
        for (at, letter) in text[from..].char_indices() {
            for part in letter.to_lowercase() {
                if wanted.next() != Some(part) {
                    return None;
                }
            }
            if wanted.peek().is_none() {
                return Some(from..from + at + letter.len_utf8());
            }
        }
        None
    })
}

/// Paints a name into `rect`, shortened in its middle, because names that begin alike end differently; what was searched
/// for in it is set off.
pub(crate) fn found_text(ui: &Ui, rect: Rect, name: &str, needle: &str, kind: Type, color: Color32) -> Rect {
    let fits = |words: &str| measure(ui, words, kind) <= rect.width();
    let shown = if fits(name) { name.to_owned() } else { shortened(name, fits) };
    let Some(found) = find(&shown, needle) else {
        return text(ui, rect, Align2::LEFT_CENTER, &shown, kind, color);
    };
    let t = tokens(ui);
    let plain = TextFormat { font_id: kind.font(), color, ..Default::default() };
    let set_off =
        TextFormat { color: t.text, underline: Stroke::new(theme::BOLD, t.accent), background: t.surface3, ..plain.clone() };
    let mut job = LayoutJob::default();
    job.append(&shown[..found.start], 0.0, plain.clone());
    job.append(&shown[found.clone()], 0.0, set_off);
    job.append(&shown[found.end..], 0.0, plain);
    job.wrap = TextWrapping { max_width: rect.width(), max_rows: 1, break_anywhere: true, overflow_character: Some('…') };
    let galley = ui.painter().layout_job(job);
    let place = Align2::LEFT_CENTER.align_size_within_rect(galley.size(), rect);
    let place = place.translate(ui_round(ui, place.min) - place.min);
    ui.painter().galley(place.min, galley, color);
    place
}

/// The longest beginning and end of a text, of about the same length, that fit with `…` between them.
fn shortened(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let letters: Vec<char> = text.chars().collect();
    let cut = |kept: usize| -> String {
        let head = kept.div_ceil(2);
        let (head, tail) = (&letters[..head], &letters[letters.len() - (kept - head)..]);
        head.iter().chain(&['…']).chain(tail).collect()
    };
    let (mut fit, mut over) = (0, letters.len());
    while over - fit > 1 {
        let middle = usize::midpoint(fit, over);
        if fits(&cut(middle)) {
            fit = middle;
        } else {
            over = middle;
        }
    }
    cut(fit)
}

fn ui_round(ui: &Ui, at: Pos2) -> Pos2 {
    let ppp = ui.pixels_per_point();
    pos2((at.x * ppp).round() / ppp, (at.y * ppp).round() / ppp)
}

/// Width of a line of text.
pub(crate) fn measure(ui: &Ui, text: &str, kind: Type) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), kind.font(), Color32::PLACEHOLDER).size().x
}

/// Paints an icon about a point.
pub(crate) fn icon(ui: &Ui, center: Pos2, icon: char, size: f32, color: Color32) {
    let galley = ui.painter().layout_no_wrap(icon.to_string(), icon_font(size), color);
    let at = ui_round(ui, center - galley.size() / 2.0);
    ui.painter().galley(at, galley, color);
}

/// Paints a number right-aligned in `rect`, its unit in the secondary colour after a thin space; the number ends where the
/// unit begins, so that digits of one list stand below each other where the units are alike.
pub(crate) fn number_unit(ui: &Ui, rect: Rect, number: &str, unit: &str, kind: Type, color: Color32) -> Rect {
    let t = tokens(ui);
    let mut job = LayoutJob::default();
    job.append(number, 0.0, TextFormat { font_id: kind.font(), color, ..Default::default() });
    if !unit.is_empty() {
        let unit_kind = if matches!(kind, Type::Large | Type::Title) { Type::Body } else { Type::Small };
        let format = TextFormat { font_id: unit_kind.font(), color: t.secondary, ..Default::default() };
        job.append(&format!("{THIN}{unit}"), 0.0, format);
    }
    job.wrap = TextWrapping { max_width: rect.width(), max_rows: 1, break_anywhere: true, overflow_character: Some('…') };
    let galley = ui.painter().layout_job(job);
    let place = Align2::RIGHT_CENTER.align_size_within_rect(galley.size(), rect);
    let place = place.translate(ui_round(ui, place.min) - place.min);
    ui.painter().galley(place.min, galley, color);
    place
}

/// Lays out wrapped text in the flow of a `Ui`.
pub(crate) fn paragraph(ui: &mut Ui, text: &str, kind: Type, color: Color32) -> Rect {
    let width = ui.available_width();
    let galley = ui.painter().layout(text.to_owned(), kind.font(), color, width);
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y), egui::Sense::hover());
    ui.painter().galley(rect.min, galley, color);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, text));
    rect
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_is_found_whatever_the_case() {
        let check = |text: &str, needle: &str, expect: Option<&str>| {
            assert_eq!(find(text, needle).map(|at| &text[at]), expect, "'{needle}' in '{text}'");
        };
        check("Transfer pump 1", "PUMP", Some("pump"));
        check("Kühler", "KÜH", Some("Küh"));
        check("Großer Kühler", "kühler", Some("Kühler"));
        check("İstanbul pump", "pump", Some("pump"));
        check("pump", "pumpe", None);
        check("pump", "", None);
        check("", "a", None);
    }

    #[test]
    fn long_names_keep_their_beginning_and_their_end() {
        let check = |text: &str, room: usize, expect: &str| {
            assert_eq!(shortened(text, |words| words.chars().count() <= room), expect);
        };
        check("Motor of product pump 2", 11, "Motor…ump 2");
        check("Motor of product pump 2", 2, "M…");
        check("Motor of product pump 2", 0, "…");
    }
}

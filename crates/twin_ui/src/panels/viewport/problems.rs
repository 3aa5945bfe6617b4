//! What went wrong and stays wrong: the most important as a small card, the others behind it. Never more than a quarter of
//! the view.

use std::cmp::Reverse;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, Color32, Galley, Rect, Sense, Ui, UiBuilder, pos2, vec2};
use std::sync::Arc;

use super::float;
use crate::command::UiCommand;
use crate::icon;
use crate::state::UiState;
use crate::theme::{self, S4, S8, S12, Type, tokens};
use crate::view::{LinkState, ProblemKind, ProblemView, Severity, ViewModel};
use crate::widgets::{ButtonKind, button, button_width, icon, icon_button, text};

/// The part of the view that problems may cover.
const SHARE: f32 = 0.25;
/// Width of the card where there is room.
const WIDTH: f32 = 340.0;
/// Width of the orientation mark at the right.
const ORIENTATION: f32 = 70.0;
/// Room for the picture at the left of the words and for the cross at their right.
const ASIDE: (f32, f32) = (40.0, 34.0);

/// What a card says, as laid out.
struct Words {
    lines: Vec<Arc<Galley>>,
    cut: bool,
}

impl Words {
    fn height(&self) -> f32 {
        self.lines.iter().map(|line| line.size().y + S4).sum()
    }
}

/// Problems at the top left of the view.
pub(super) fn problems(ui: &mut Ui, rect: Rect, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let sorted = sorted(vm);
    let Some(first) = sorted.first() else {
        state.problems_open = false;
        return;
    };
    // Beside the orientation mark, not over it.
    let width = WIDTH.min(rect.width() - 3.0 * S12 - ORIENTATION);
    let room = (rect.area() * SHARE / width.max(1.0)).min(rect.height() - 2.0 * S12).max(0.0);
    let at = rect.min + vec2(S12, S12);
    if state.problems_open {
        unfolded(ui, Rect::from_min_size(at, vec2(width, room)), &sorted, state, out);
    } else {
        compact(ui, Rect::from_min_size(at, vec2(width, room)), first, sorted.len(), state, out);
    }
}

/// The most important first. A gateway that is away has its own banner over a plant that is on show.
fn sorted(vm: &ViewModel) -> Vec<&ProblemView> {
    let banner = vm.loading.is_none() && matches!(vm.links.gateway, LinkState::Down | LinkState::Connecting);
    let shown = |problem: &&ProblemView| problem.severity != Severity::Fatal && !(banner && problem.kind == ProblemKind::Gateway);
    let mut sorted: Vec<&ProblemView> = vm.problems.iter().filter(shown).collect();
    sorted.sort_by_key(|problem| (Reverse(problem.severity), problem.id));
    sorted
}

fn lay(ui: &Ui, words: &str, kind: Type, color: Color32, width: f32, rows: usize) -> Arc<Galley> {
    let mut job = LayoutJob::simple(words.to_owned(), kind.font(), color, width);
    job.wrap = TextWrapping { max_width: width, max_rows: rows, break_anywhere: false, overflow_character: Some('…') };
    ui.painter().layout_job(job)
}

/// Title, detail and help, in at most so many rows each; empty ones are left out.
fn lines(ui: &Ui, problem: &ProblemView, width: f32, rows: [usize; 3]) -> Words {
    let t = tokens(ui);
    let parts = [
        (&problem.title, Type::BodyBold, t.text, rows[0]),
        (&problem.detail, Type::Small, t.secondary, rows[1]),
        (&problem.help, Type::Small, t.text, rows[2]),
    ];
    let mut words = Words { lines: Vec::new(), cut: false };
    for (said, kind, color, rows) in parts.into_iter().filter(|(said, ..)| !said.is_empty()) {
        if rows == 0 {
            words.cut = true;
            continue;
        }
        let line = lay(ui, said, kind, color, width, rows);
        words.cut |= line.elided;
        words.lines.push(line);
    }
    words
}

/// One problem in few words; the rest is one press away.
fn compact(ui: &mut Ui, most: Rect, problem: &ProblemView, count: usize, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let wrap = most.width() - ASIDE.0 - ASIDE.1;
    let foot = 30.0;
    let height = |words: &Words| {
        let footed = words.cut || count > 1 || problem.can_retry;
        words.height() + 2.0 * S12 - S4 + if footed { foot } else { 0.0 }
    };
    let attempts = [[2, 1, 2], [2, 1, 0], [1, 0, 0]];
    let mut words = lines(ui, problem, wrap, attempts[0]);
    for rows in attempts {
        words = lines(ui, problem, wrap, rows);
        if height(&words) <= most.height() {
            break;
        }
    }
    let more = match (count, words.cut) {
        (1, false) => None,
        (1, true) => Some("Details".to_owned()),
        (n, _) => Some(format!("{} more", n - 1)),
    };
    let place = most.with_max_y(most.top() + height(&words));
    float(ui, place, state);
    let ui = &ui.new_child(UiBuilder::new().id_salt(("problem", problem.id)).max_rect(place));
    let bottom = say(ui, place.min, problem, words, out, place.right());
    let mut x = place.left() + ASIDE.0;
    if problem.can_retry {
        let retry = Rect::from_min_size(pos2(x, bottom + 2.0), vec2(button_width(ui, None, "Try again"), 24.0));
        if button(ui, retry, None, "Try again", ButtonKind::Normal).clicked() {
            out.push(UiCommand::Retry(Some(problem.id)));
        }
        x = retry.right() + S8;
    }
    if let Some(more) = more {
        let unfold = Rect::from_min_size(pos2(x, bottom + 2.0), vec2(button_width(ui, Some(icon::CARET_DOWN), &more), 24.0));
        if button(ui, unfold, Some(icon::CARET_DOWN), &more, ButtonKind::Normal).clicked() {
            state.problems_open = true;
        }
    }
}

/// Every problem in full, in a list that scrolls.
fn unfolded(ui: &mut Ui, most: Rect, sorted: &[&ProblemView], state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let head = 36.0;
    let wrap = most.width() - ASIDE.0 - ASIDE.1;
    let rows: Vec<(&ProblemView, Words, f32)> = sorted
        .iter()
        .map(|problem| {
            let words = lines(ui, problem, wrap, [usize::MAX; 3]);
            let height = words.height() + 2.0 * S8 + if problem.can_retry { 30.0 } else { 0.0 };
            (*problem, words, height)
        })
        .collect();
    let wanted: f32 = rows.iter().map(|(.., height)| height).sum();
    let place = most.with_max_y(most.top() + (head + wanted).min(most.height()));
    float(ui, place, state);
    let title = if sorted.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", sorted.len()) };
    let top = place.with_max_y(place.top() + head);
    text(ui, top.shrink2(vec2(S12, 0.0)), Align2::LEFT_CENTER, &title, Type::SmallBold, t.secondary);
    let fold = Rect::from_center_size(pos2(top.right() - 18.0, top.center().y), theme::square(24.0));
    if icon_button(ui, fold, icon::CARET_UP, "Fold the problems").clicked() {
        state.problems_open = false;
    }
    let body = place.with_min_y(top.bottom());
    let mut inner = ui.new_child(UiBuilder::new().id_salt("problems").max_rect(body));
    inner.shrink_clip_rect(body);
    inner.spacing_mut().item_spacing.y = 0.0;
    egui::ScrollArea::vertical().id_salt("problem-list").auto_shrink(false).show(&mut inner, |ui| {
        for (problem, words, height) in rows {
            let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
            ui.painter().hline(row.x_range().shrink(S12), row.top(), t.hairline());
            let ui = &ui.new_child(UiBuilder::new().id_salt(("problem", problem.id)).max_rect(row));
            let bottom = say(ui, row.min - vec2(0.0, S12 - S8), problem, words, out, row.right());
            let retry = Rect::from_min_size(pos2(row.left() + ASIDE.0, bottom), vec2(button_width(ui, None, "Try again"), 24.0));
            if problem.can_retry && button(ui, retry, None, "Try again", ButtonKind::Normal).clicked() {
                out.push(UiCommand::Retry(Some(problem.id)));
            }
        }
    });
}

/// Picture, words and cross; returns where the words end.
fn say(ui: &Ui, min: egui::Pos2, problem: &ProblemView, words: Words, out: &mut Vec<UiCommand>, right: f32) -> f32 {
    let t = tokens(ui);
    icon(ui, min + vec2(22.0, S12 + 8.0), picture(problem.kind), 18.0, t.text);
    let mut at = min + vec2(ASIDE.0, S12);
    for line in words.lines {
        let height = line.size().y;
        ui.painter().galley(at, line, t.text);
        at.y += height + S4;
    }
    let close = Rect::from_min_size(pos2(right - 30.0, min.y + 6.0), theme::square(24.0));
    if icon_button(ui, close, icon::X, &format!("Hide: {}", problem.title)).clicked() {
        out.push(UiCommand::DismissProblem(problem.id));
    }
    at.y
}

/// The picture of a kind of problem.
pub(in crate::panels) fn picture(kind: ProblemKind) -> char {
    match kind {
        ProblemKind::Model => icon::CUBE,
        ProblemKind::Site => icon::FILE_X,
        ProblemKind::Gateway => icon::CLOUD_SLASH,
        ProblemKind::Graphics => icon::DESKTOP,
        ProblemKind::Crash => icon::WARNING,
    }
}

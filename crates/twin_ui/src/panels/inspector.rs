//! The inspector: one twin's state, why it has it, every signal with value, unit, age and quality, its relationships.

use egui::{Align2, CursorIcon, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use twin_health::text::rounded;
use twin_model::{Freshness, QualityClass, SignalKind, Status, natural_order};

use super::why;
use crate::command::UiCommand;
use crate::screen::{Screen, Width};
use crate::state::{Sheet, UiState};
use crate::theme::{self, S4, S8, S12, S16, Type, tokens};
use crate::view::{InspectorView, SignalView, ViewModel};
use crate::widgets::{
    empty, focus_ring, freshness_icon, icon, icon_button, icon_button_lit, link_row, measure, number_unit, section, sparkline,
    status_mark, text,
};
use crate::{format, icon};

/// The inspector.
pub(crate) fn inspector(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let body = ui.max_rect();
    let area = egui::ScrollArea::vertical().id_salt(("inspect", vm.primary())).auto_shrink(false);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = S4;
        egui::Frame::NONE.inner_margin(egui::Margin::symmetric(S12 as i8, S12 as i8)).show(ui, |ui| {
            ui.set_width(body.width() - 2.0 * S12);
            let Some(view) = &vm.inspector else {
                nothing(ui, screen, vm, state, out);
                return;
            };
            head(ui, view, vm, state, out);
            for (nth, reason) in view.reasons.iter().enumerate() {
                why::card(ui, reason, nth == 0, vm, state, out);
            }
            if view.reasons.is_empty() {
                calm(ui, view);
            }
            for outlook in &view.outlooks {
                why::outlook(ui, outlook, vm, state, out);
            }
            signals(ui, screen, view, state, out);
            relations(ui, view, out);
        });
    });
}

/// Twins that need attention and are named while nothing is selected.
const WORST: usize = 8;

fn nothing(ui: &mut Ui, screen: &Screen, vm: &ViewModel, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    empty(
        ui,
        icon::CROSSHAIR_SIMPLE,
        "Nothing selected",
        "Press a part in the 3D view or a line in the tree to see its values and why it has its colour.",
    );
    let mut worst: Vec<_> = vm.tree.iter().filter(|row| row.is_pressing()).collect();
    worst.sort_by(|a, b| b.urgency().cmp(&a.urgency()).then_with(|| natural_order(&a.name, &b.name)));
    if worst.is_empty() {
        return;
    }
    section(ui, "Needs attention", &worst.len().to_string());
    let more = worst.len().saturating_sub(WORST);
    for row in worst.into_iter().take(WORST) {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
        let response =
            ui.interact(rect, ui.id().with(("worst", row.twin)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        if response.hovered() {
            ui.painter().rect_filled(rect.expand2(vec2(S4, 0.0)), theme::control_radius(), t.surface2);
            out.push(UiCommand::Hover(Some(row.twin)));
        }
        status_mark(ui, pos2(rect.left() + 8.0, rect.center().y), 14.0, row.status);
        let words = rect.with_min_x(rect.left() + 24.0);
        text(ui, words, Align2::LEFT_CENTER, &row.name, Type::Body, t.text);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &row.name));
        if response.clicked() {
            state.reveal = Some(row.twin);
            out.push(UiCommand::Select { twin: Some(row.twin), additive: false });
        }
    }
    if more > 0 {
        the_others(ui, screen, more, state);
    }
}

/// Says how many more there are, and shows them all in the tree.
fn the_others(ui: &mut Ui, screen: &Screen, more: usize, state: &mut UiState) {
    let t = tokens(ui);
    let words = format!("and {more} more");
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    let response = ui.interact(rect, ui.id().with("more"), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    let ink = if response.hovered() { t.text } else { t.secondary };
    let at = text(ui, rect.with_min_x(rect.left() + 24.0), Align2::LEFT_CENTER, &words, Type::Body, ink);
    icon(ui, pos2(at.right() + 10.0, rect.center().y), icon::CARET_RIGHT, 11.0, ink);
    focus_ring(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &words));
    if response.on_hover_text("Show only these in the tree").clicked() {
        state.search.clear();
        state.troubled_only = true;
        if screen.width == Width::Sheet {
            state.sheet = Some(Sheet::Assets);
        } else {
            state.left_open = Some(true);
        }
    }
}

fn head(ui: &mut Ui, view: &InspectorView, vm: &ViewModel, state: &UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    path(ui, view, out);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    let side = 26.0;
    let cell = |at: f32| Rect::from_min_size(pos2(row.right() - side - at * (side + 2.0), row.top()), theme::square(side));
    if icon_button(ui, cell(0.0), icon::CROSSHAIR_SIMPLE, "Fly to it (F)").clicked() {
        out.push(UiCommand::Focus(view.twin));
    }
    if icon_button_lit(ui, cell(1.0), icon::SELECTION_ALL, "Show only this (I)", vm.isolated).clicked() {
        out.push(UiCommand::Isolate(!vm.isolated));
    }
    let name = row.with_max_x(cell(1.0).left() - S4);
    let at = text(ui, name, Align2::LEFT_CENTER, &view.name, Type::Title, t.text);
    let response = ui.interact(at, ui.id().with("name"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &view.name));
    let _hint = response.on_hover_text(format!("{}\n{} · {}", view.name, view.interface, view.id));
    state_line(ui, view, vm, state);
    ui.add_space(S4);
}

fn path(ui: &mut Ui, view: &InspectorView, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let mut x = row.left();
    let total: f32 = view.path.iter().map(|(_, name)| measure(ui, name, Type::Small) + 14.0).sum();
    let shrink = ((row.width() - 4.0) / total.max(1.0)).min(1.0);
    for (twin, name) in &view.path {
        let width = measure(ui, name, Type::Small) * shrink - if shrink < 1.0 { 4.0 } else { 0.0 };
        let place = Rect::from_min_size(pos2(x, row.top()), vec2(width.max(8.0) + 1.0, row.height()));
        let response =
            ui.interact(place, ui.id().with(("path", *twin)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        let ink = if response.hovered() { t.text } else { t.faint };
        text(ui, place, Align2::LEFT_CENTER, name, Type::Small, ink);
        icon(ui, pos2(place.right() + 7.0, row.center().y), icon::CARET_RIGHT, 9.0, t.faint);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Link, true, name));
        if response.clicked() {
            out.push(UiCommand::Select { twin: Some(*twin), additive: false });
        }
        x = place.right() + 13.0;
    }
    text(ui, row.with_min_x(x), Align2::LEFT_CENTER, &view.interface, Type::Small, t.faint);
}

fn state_line(ui: &mut Ui, view: &InspectorView, vm: &ViewModel, state: &UiState) {
    let t = tokens(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    status_mark(ui, pos2(row.left() + 11.0, row.center().y), 22.0, view.status);
    let current = is_current(view);
    // How near a limit an old value stood says nothing about now.
    let score = view.score.filter(|_| current);
    let right = row.right() - if score.is_some() { 88.0 } else { 0.0 };
    let words = Rect::from_min_max(pos2(row.left() + 32.0, row.top()), pos2(right, row.bottom()));
    let (upper, lower) = (words.with_max_y(words.center().y + 1.0), words.with_min_y(words.center().y + 1.0));
    let title = title(view);
    text(ui, upper, Align2::LEFT_CENTER, &title, Type::BodyBold, t.text);
    let since = view.since.map(|since| {
        let at = state.zone.brief(since, vm.clock.playhead);
        format!("since {at}, {}", format::span(vm.clock.playhead.since(since)))
    });
    let fresh = (view.freshness != Freshness::Live).then(|| view.freshness.label().to_owned());
    let line = match heard(view) {
        Some(heard) if !current => heard,
        _ => [since, fresh].into_iter().flatten().collect::<Vec<_>>().join(" · "),
    };
    let line = if line.is_empty() { "Data is live".to_owned() } else { line };
    text(ui, lower, Align2::LEFT_CENTER, &line, Type::Small, t.secondary);
    if let Some(score) = score {
        let words = format!("Margin {:.0}{}%", score.clamp(0.0, 1.0) * 100.0, format::THIN);
        let bar = Rect::from_min_size(pos2(row.right() - 72.0, row.center().y + 7.0), vec2(72.0, 4.0));
        text(
            ui,
            Rect::from_min_max(pos2(bar.left() - 8.0, row.top() + 4.0), pos2(bar.right(), bar.top() - 1.0)),
            Align2::RIGHT_CENTER,
            &words,
            Type::Small,
            t.secondary,
        );
        ui.painter().rect_filled(bar, 2.0, t.surface3);
        let filled = bar.with_max_x(bar.left() + bar.width() * score.clamp(0.0, 1.0) as f32);
        ui.painter().rect_filled(filled, 2.0, t.secondary);
    }
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{title}, {line}")));
    let since = view.since.map(|since| format!("{} since\n{}", view.status.label(), state.zone.both(since)));
    let margin = score.map(|_| "Margin: the room left before the worst limit".to_owned());
    let hint = [since, margin].into_iter().flatten().collect::<Vec<_>>().join("\n");
    if !hint.is_empty() {
        let _hint = response.on_hover_text(hint);
    }
}

/// Whether what is known of a twin is about now.
fn is_current(view: &InspectorView) -> bool {
    matches!(view.freshness, Freshness::Live | Freshness::Late)
}

/// The status, and what was known before it or a part of it fell silent.
fn title(view: &InspectorView) -> String {
    let was = view.last_known.map_or_else(String::new, |(was, _)| format!("; was {}", was.label()));
    format!("{}{was}", view.status.label())
}

/// How old what is known is, for example `Stale, last heard 29 d ago`: the newest of the signals that make the twin so.
fn heard(view: &InspectorView) -> Option<String> {
    let alike = view.signals.iter().filter(|signal| signal.freshness == view.freshness);
    let age = alike.filter_map(|signal| signal.age).min()?;
    Some(format!("{}, last heard {}", view.freshness.label(), format::ago_calm(age)))
}

fn calm(ui: &mut Ui, view: &InspectorView) {
    let t = tokens(ui);
    let words = match view.status {
        Status::Unknown if view.signals.is_empty() => "It has no signals of its own.",
        Status::Unknown => "No rule judges its signals, or none has a value yet.",
        _ => "All its rules are within limits.",
    };
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::hover());
    ui.painter().rect_filled(row, theme::card_radius(), t.surface1);
    text(ui, row.shrink2(vec2(S12, 0.0)), Align2::LEFT_CENTER, words, Type::Small, t.secondary);
}

fn signals(ui: &mut Ui, screen: &Screen, view: &InspectorView, state: &mut UiState, out: &mut Vec<UiCommand>) {
    if view.signals.is_empty() {
        return;
    }
    ui.add_space(S8);
    let head = section(ui, "Signals", "");
    let charted = view.signals.iter().any(|signal| signal.charted);
    let label = if state.chart_open { "Hide the chart" } else { "Show the chart" };
    let place = Rect::from_center_size(pos2(head.right() - 12.0, head.center().y), theme::square(24.0));
    if icon_button_lit(ui, place, icon::CHART_LINE, label, state.chart_open && charted).clicked() {
        state.chart_open = !state.chart_open;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    for signal in &view.signals {
        signal_row(ui, screen.sizes.row_two, signal, state, out);
    }
    ui.spacing_mut().item_spacing.y = S4;
}

fn signal_row(ui: &mut Ui, height: f32, signal: &SignalView, state: &mut UiState, out: &mut Vec<UiCommand>) {
    let t = tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    if !ui.is_rect_visible(rect) {
        return;
    }
    let response =
        ui.interact(rect, ui.id().with(("signal", signal.signal)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(S8, 0.0)), theme::control_radius(), t.surface2);
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), egui::Stroke::new(theme::HAIR, t.line.gamma_multiply(0.5)));
    if signal.charted {
        let bar =
            Rect::from_min_max(pos2(rect.left() - S8, rect.top() + S8), pos2(rect.left() - S8 + theme::BOLD, rect.bottom() - S8));
        ui.painter().rect_filled(bar, 1.0, t.accent);
    }
    let value_width = if rect.width() > 300.0 { 96.0 } else { 80.0 };
    let spark_width = if rect.width() > 300.0 { 60.0 } else { 40.0 };
    let names = rect.with_max_x(rect.right() - value_width - spark_width - S4 - S12);
    let (upper, lower) = (names.with_max_y(rect.center().y + 1.0), names.with_min_y(rect.center().y - 1.0));
    let mut from = names.left();
    if signal.status > Status::Normal {
        status_mark(ui, pos2(from + 5.0, upper.center().y + 2.0), 10.0, signal.status);
        from += 16.0;
    }
    text(ui, upper.with_min_x(from).translate(vec2(0.0, 2.0)), Align2::LEFT_CENTER, &signal.name, Type::Body, t.text);
    let (age, dim) = age_words(signal);
    let mut words = lower.translate(vec2(0.0, -2.0));
    if let Some(symbol) = freshness_icon(signal.freshness) {
        icon(ui, pos2(words.left() + 6.0, words.center().y), symbol, 12.0, t.secondary);
        words.min.x += 16.0;
    }
    text(ui, words, Align2::LEFT_CENTER, &age, Type::Small, t.faint);
    let spark = Rect::from_center_size(
        pos2(rect.right() - value_width - spark_width / 2.0 - S4, rect.center().y),
        vec2(spark_width, 22.0),
    );
    let line = if dim { t.faint } else { t.secondary };
    sparkline(ui, spark, &signal.spark, line, signal.kind != SignalKind::Analog);
    let place = rect.with_min_x(rect.right() - value_width);
    let shown = signal.value.as_ref().map_or_else(|| "–".to_owned(), format::value);
    let unit = if signal.value.is_some() { signal.unit.as_str() } else { "" };
    number_unit(ui, place, &shown, unit, Type::BodyBold, if dim { t.faint } else { t.text });
    focus_ring(ui, &response);
    response.widget_info(|| {
        let label = format!("{}: {}, {age}", signal.name, format::with_unit(&shown, unit));
        WidgetInfo::selected(WidgetType::Button, true, signal.charted, label)
    });
    if response.clicked() {
        if !signal.charted {
            state.chart_open = true;
        }
        out.push(UiCommand::ToggleChart(signal.signal));
    }
    let _hint = response.on_hover_ui(|ui| signal_hint(ui, signal, state));
}

/// "2 s ago, good": how old, how usable, or by how much its clock is wrong; and whether the value says little about now.
fn age_words(signal: &SignalView) -> (String, bool) {
    let stale = matches!(signal.freshness, Freshness::Stale | Freshness::Offline | Freshness::NeverSeen);
    // An age by a wrong clock says nothing.
    let ahead = signal.ahead.map(|ahead| format!("clock {} ahead", format::span(rounded(ahead))));
    let Some(age) = signal.age else {
        return (ahead.unwrap_or_else(|| "never seen".to_owned()), true);
    };
    let quality = match signal.quality.class() {
        QualityClass::Good => "good",
        QualityClass::Uncertain => "uncertain",
        QualityClass::Bad if signal.value.is_none() => "no value",
        QualityClass::Bad => "bad",
    };
    (format!("{}, {quality}", ahead.unwrap_or_else(|| format::ago_calm(age))), stale || signal.quality.is_bad())
}

/// The value with every digit that came.
fn exact(signal: &SignalView) -> String {
    let none = if signal.time.is_some() { "No value" } else { "No value yet" };
    signal.value.as_ref().map_or_else(|| none.to_owned(), |v| format::with_unit(&v.to_string(), &signal.unit))
}

fn signal_hint(ui: &mut Ui, signal: &SignalView, state: &UiState) {
    let t = tokens(ui);
    ui.label(egui::RichText::new(exact(signal)).font(Type::BodyBold.font()).color(t.text));
    let mut lines = vec![format!("{} · quality {}", signal.freshness.label(), signal.quality)];
    lines.extend(signal.time.map(|time| state.zone.both(time)));
    lines.extend(signal.ahead.map(|ahead| {
        format!(
            "The clock of its source is {} ahead: what it sends is shown once that time has come",
            format::span(rounded(ahead))
        )
    }));
    lines.push(if signal.charted { "Press to take it off the chart" } else { "Press to chart it" }.to_owned());
    ui.label(egui::RichText::new(lines.join("\n")).font(Type::Small.font()).color(t.secondary));
}

fn relations(ui: &mut Ui, view: &InspectorView, out: &mut Vec<UiCommand>) {
    if view.relations.is_empty() {
        return;
    }
    ui.add_space(S16);
    section(ui, "Relationships", &view.relations.len().to_string());
    for (nth, relation) in view.relations.iter().enumerate() {
        let lead = if relation.outgoing { relation.name.clone() } else { format!("← {}", relation.name) };
        let response = link_row(ui, 26.0, relation.other_status, &lead, &relation.other_name, ("relation", nth));
        if response.hovered() {
            out.push(UiCommand::Hover(Some(relation.other)));
        }
        if response.clicked() {
            out.push(UiCommand::Select { twin: Some(relation.other), additive: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_model::{Quality, SignalIndex, Span, TwinIndex, Value};

    fn signal(freshness: Freshness, age: i64) -> SignalView {
        SignalView {
            signal: SignalIndex(0),
            name: String::new(),
            value: Some(twin_model::Value::Float(1.0)),
            unit: String::new(),
            time: None,
            age: Some(Span::from_secs(age)),
            quality: Quality::GOOD,
            freshness,
            status: Status::Normal,
            kind: SignalKind::Analog,
            spark: Vec::new(),
            charted: false,
            ahead: None,
        }
    }

    fn check(status: Status, was: Option<Status>, freshness: Freshness, expect_title: &str, expect_heard: Option<&str>) {
        let view = InspectorView {
            twin: TwinIndex(0),
            id: String::new(),
            name: String::new(),
            interface: String::new(),
            path: Vec::new(),
            status,
            since: None,
            last_known: was.map(|was| (was, None)),
            freshness,
            score: Some(0.06),
            reasons: Vec::new(),
            outlooks: Vec::new(),
            signals: vec![
                signal(Freshness::Live, 1),
                signal(Freshness::Stale, 29 * 86_400),
                signal(Freshness::Stale, 30 * 86_400),
            ],
            relations: Vec::new(),
        };
        assert_eq!(title(&view), expect_title);
        assert_eq!(heard(&view).as_deref(), expect_heard);
    }

    #[test]
    fn a_clock_that_runs_ahead_is_told_instead_of_an_age() {
        let ahead = |signal| SignalView { ahead: Some(Span::from_millis(299_700)), ..signal };
        let words = age_words(&ahead(signal(Freshness::Live, 2)));
        assert_eq!(words, ("clock 5\u{2009}min ahead, good".to_owned(), false));
        let none = SignalView { age: None, value: None, ..ahead(signal(Freshness::NeverSeen, 0)) };
        assert_eq!(age_words(&none), ("clock 5\u{2009}min ahead".to_owned(), true));
    }

    #[test]
    fn a_reading_without_a_value_is_called_so() {
        let none = SignalView { value: None, quality: Quality::BAD, ..signal(Freshness::Live, 2) };
        assert_eq!(age_words(&none), ("2\u{2009}s ago, no value".to_owned(), true));
        assert_eq!(age_words(&SignalView { quality: Quality::BAD, ..signal(Freshness::Live, 2) }).0, "2\u{2009}s ago, bad");
    }

    #[test]
    fn every_digit_of_a_whole_number_can_be_seen() {
        let of = |v| exact(&SignalView { value: Some(Value::Int(v)), unit: String::new(), ..signal(Freshness::Live, 2) });
        assert_eq!(of((1 << 53) + 1), "9007199254740993");
        assert_eq!(of(i64::MIN), "-9223372036854775808");
    }

    #[test]
    fn a_twin_that_fell_silent_says_what_it_was() {
        let stale = "Stale, last heard 29\u{2009}d ago";
        check(Status::Normal, None, Freshness::Live, "Normal", Some("Live, last heard 1\u{2009}s ago"));
        check(Status::Unknown, Some(Status::Normal), Freshness::Stale, "Unknown; was Normal", Some(stale));
        check(Status::Unknown, Some(Status::Failure), Freshness::Stale, "Unknown; was Failure", Some(stale));
        check(Status::Maintenance, Some(Status::Failure), Freshness::Stale, "Maintenance required; was Failure", Some(stale));
        check(Status::Unknown, None, Freshness::NeverSeen, "Unknown", None);
    }
}

//! The time bar under the pointer, and who owns the pointer.

use egui::{Event, Modifiers, MouseWheelUnit, Pos2, TouchPhase, pos2, vec2};
use egui_kittest::kittest::Queryable;
use twin_model::{TimeRange, Timestamp};
use twin_ui::UiCommand;
use twin_ui::view::PlayMode;

use crate::fake;
use crate::rig::{Rig, drag, press, taken, wide};

type Harness = egui_kittest::Harness<'static, Rig>;

fn bar(harness: &Harness) -> egui::Rect {
    let name = harness.query_all_by(|node| node.label().is_some_and(|label| label.starts_with("Time bar,"))).next();
    name.expect("the time bar").rect()
}

fn at(harness: &Harness, part: f32) -> Pos2 {
    let bar = bar(harness);
    // Below the ticks, above the axis.
    pos2(bar.left() + bar.width() * part, bar.top() + 42.0)
}

fn time_at(harness: &Harness, part: f32) -> Timestamp {
    let view = harness.state().state.time_view().expect("a visible stretch");
    view.start + twin_model::Span::from_micros((view.span().as_micros() as f64 * f64::from(part)) as i64)
}

fn near(a: Timestamp, b: Timestamp) -> bool {
    a.since(b).abs() < twin_model::Span::from_millis(1_500)
}

#[test]
fn a_click_seeks() {
    let mut harness = wide(fake::history());
    taken(&mut harness);
    let place = at(&harness, 0.3);
    press(&mut harness, place);
    let commands = taken(&mut harness);
    assert!(matches!(commands.as_slice(), [UiCommand::Seek(t)] if near(*t, time_at(&harness, 0.3))), "{commands:?}");
}

#[test]
fn a_drag_scrubs_all_the_way() {
    let mut harness = wide(fake::history());
    taken(&mut harness);
    let (from, to) = (at(&harness, 0.3), at(&harness, 0.6));
    drag(&mut harness, from, to);
    let commands = taken(&mut harness);
    assert!(commands.len() >= 3 && commands.iter().all(|command| matches!(command, UiCommand::Seek(_))), "{commands:?}");
    assert!(matches!(commands.last(), Some(UiCommand::Seek(t)) if near(*t, time_at(&harness, 0.6))), "{commands:?}");
}

#[test]
fn beyond_the_live_edge_there_is_only_live() {
    let mut harness = wide(fake::history());
    taken(&mut harness);
    let place = at(&harness, 0.99);
    press(&mut harness, place);
    assert_eq!(taken(&mut harness), [UiCommand::Follow]);
}

#[test]
fn shift_drag_selects_a_loop() {
    let mut harness = wide(fake::history());
    taken(&mut harness);
    let (from, to) = (at(&harness, 0.2), at(&harness, 0.4));
    harness.event(Event::ModifiersChanged(Modifiers::SHIFT));
    drag(&mut harness, from, to);
    harness.event(Event::ModifiersChanged(Modifiers::NONE));
    let commands = taken(&mut harness);
    let expect = TimeRange::new(time_at(&harness, 0.2), time_at(&harness, 0.4));
    assert!(
        matches!(commands.as_slice(), [UiCommand::SetLoop(Some(range))] if near(range.start, expect.start) && near(range.end, expect.end)),
        "{commands:?}"
    );
}

fn wheel(harness: &mut Harness, place: Pos2, by: f32) {
    harness.hover_at(place);
    harness.run_steps(1);
    harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, by),
        phase: TouchPhase::Move,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(30);
}

#[test]
fn the_wheel_zooms_about_the_pointer() {
    let mut harness = wide(fake::history());
    let place = at(&harness, 0.25);
    let (fixed, before) = (time_at(&harness, 0.25), harness.state().state.time_view().expect("view").span());
    wheel(&mut harness, place, 160.0);
    let after = harness.state().state.time_view().expect("view").span();
    assert!(after < before, "{after} instead of {before}");
    assert!(near(time_at(&harness, 0.25), fixed));
}

#[test]
fn the_live_edge_keeps_its_place_while_following() {
    let mut harness = wide(fake::live());
    let place = at(&harness, 0.25);
    wheel(&mut harness, place, -160.0);
    let view = harness.state().state.time_view().expect("view");
    let part = fake::now().since(view.start).as_secs_f64() / view.span().as_secs_f64();
    assert!((part - 0.94).abs() < 0.01, "{part}");
    assert_eq!(harness.state().vm.clock.mode, PlayMode::Following);
}

#[test]
fn the_view_says_what_it_shows_once() {
    let mut harness = wide(fake::history());
    let shown = harness.state().commands.iter().filter(|command| matches!(command, UiCommand::ShowRange(_))).count();
    assert_eq!(shown, 1);
    harness.state_mut().commands.clear();
    harness.run_steps(5);
    assert!(harness.state().commands.is_empty(), "{:?}", harness.state().commands);
}

#[test]
fn panels_and_cards_own_the_pointer_the_view_does_not() {
    let mut harness = wide(fake::live());
    for (place, owned) in [
        (pos2(100.0, 300.0), true),
        (pos2(1100.0, 300.0), true),
        (pos2(640.0, 20.0), true),
        (pos2(640.0, 700.0), true),
        (pos2(300.0, 622.0), true),
        (pos2(600.0, 500.0), false),
    ] {
        harness.hover_at(place);
        harness.run_steps(2);
        assert_eq!(harness.state().output.captures_pointer, owned, "at {place:?}");
    }
}

#[test]
fn hovering_a_row_lights_its_part() {
    let mut harness = wide(fake::live());
    let place = harness.get_by_label("Capper").rect().center();
    harness.state_mut().commands.clear();
    harness.hover_at(place);
    harness.run_steps(3);
    let hovers: Vec<_> =
        harness.state().commands.iter().filter(|command| matches!(command, UiCommand::Hover(_))).cloned().collect();
    assert_eq!(hovers, [UiCommand::Hover(Some(twin_model::TwinIndex(13)))]);
}

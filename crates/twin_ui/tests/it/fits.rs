//! Nothing is cut off: every text lies within the screen and within the clip of its panel, at every size and in every state.

use egui::Shape;
use twin_ui::view::ViewModel;
use twin_ui::{RightTab, Sheet, UiState};

use crate::fake;
use crate::rig::{rig, with};

/// Every text of the last pass with its rectangle and clip.
fn check(name: &str, size: (f32, f32), vm: ViewModel, state: UiState) {
    let mut vm = vm;
    let probe = rig(size, vm.clone(), state.clone());
    fake::mark(&mut vm, probe.state().output.viewport);
    let harness = rig(size, vm, state);
    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(size.0, size.1));
    let mut seen_texts = Vec::new();
    for (at, clipped) in harness.output().shapes.iter().enumerate() {
        let Shape::Text(text) = &clipped.shape else { continue };
        let rect = text.visual_bounding_rect();
        let words = text.galley.text();
        // Lists may cut a row at their lower edge; nothing may be cut at the side.
        if !rect.intersects(clipped.clip_rect) || !rect.is_positive() {
            continue;
        }
        let seen = clipped.clip_rect.x_range();
        let fits = rect.left() >= seen.min - 1.0 && rect.right() <= seen.max + 1.0;
        assert!(fits, "{name} at {size:?}: '{words}' at {rect:?} is cut by {:?}", clipped.clip_rect);
        seen_texts.push((at, rect.intersect(clipped.clip_rect).shrink(1.5), words.to_owned()));
        assert!(rect.left() >= -1.0 && rect.right() <= screen.right() + 1.0, "{name} at {size:?}: '{words}' leaves the screen");
    }
    assert!(seen_texts.len() > 3, "{name} at {size:?} says nothing");
    for (nth, (at, rect, words)) in seen_texts.iter().enumerate() {
        for (later, over, other) in &seen_texts[nth + 1..] {
            let shared = rect.intersect(*over);
            let hidden = harness.output().shapes[*at..*later].iter().any(|shape| covers(&shape.shape, shared));
            assert!(!shared.is_positive() || hidden, "{name} at {size:?}: '{other}' is written over '{words}' at {shared:?}");
        }
    }
}

/// Whether a shape hides what was painted before it there.
fn covers(shape: &Shape, rect: egui::Rect) -> bool {
    match shape {
        Shape::Rect(filled) => filled.fill.a() > 200 && filled.rect.contains(rect.center()),
        Shape::Circle(circle) => circle.fill.a() > 200 && circle.center.distance(rect.center()) < circle.radius,
        Shape::Path(path) => path.fill.a() > 200 && path.visual_bounding_rect().contains(rect.center()),
        Shape::Vec(shapes) => shapes.iter().any(|shape| covers(shape, rect)),
        _ => false,
    }
}

const SIZES: [(f32, f32); 4] = [(1280.0, 720.0), (1000.0, 700.0), (800.0, 600.0), (1920.0, 1080.0)];

fn everywhere(name: &str, vm: &ViewModel, state: &UiState) {
    for size in SIZES {
        check(name, size, vm.clone(), state.clone());
    }
}

#[test]
fn live_and_history_fit() {
    everywhere("live", &fake::live(), &UiState::default());
    let open = with(|s| {
        s.chart_open = true;
        s.legend_open = true;
        s.perf_open = true;
    });
    everywhere("history", &fake::history(), &open);
    everywhere("as known", &fake::known(), &open);
    check("as known", (390.0, 844.0), fake::known(), UiState::default());
}

#[test]
fn what_if_fits() {
    let state = with(|s| {
        s.right_tab = RightTab::WhatIf;
        s.right_open = Some(true);
    });
    everywhere("what-if", &fake::branched(), &state);
    everywhere("running", &fake::running(), &state);
}

#[test]
fn trouble_fits() {
    everywhere("disconnected", &fake::disconnected(), &UiState::default());
    everywhere("foretold", &fake::foretold(), &UiState::default());
    everywhere("troubled", &fake::troubled(), &UiState::default());
    everywhere("patchy", &fake::patchy(), &UiState::default());
    everywhere("loading", &fake::loading(), &UiState::default());
    everywhere("empty", &fake::nothing(), &UiState::default());
    everywhere("crashed", &fake::crashed(), &UiState::default());
    let mut vm = fake::live();
    vm.alarms = fake::flood();
    everywhere(
        "flood",
        &vm,
        &with(|s| {
            s.right_tab = RightTab::Alarms;
            s.right_open = Some(true);
        }),
    );
}

#[test]
fn a_telephone_fits() {
    for sheet in [None, Some(Sheet::Assets), Some(Sheet::Right), Some(Sheet::Chart)] {
        for vm in [fake::live(), fake::branched(), fake::disconnected(), fake::troubled(), fake::patchy()] {
            check(
                "telephone",
                (390.0, 844.0),
                vm,
                with(|s| {
                    s.sheet = sheet;
                }),
            );
        }
    }
    let state = with(|s| {
        s.sheet = Some(Sheet::Right);
        s.right_tab = RightTab::WhatIf;
    });
    check("telephone", (390.0, 844.0), fake::branched(), state);
}

#[test]
fn very_long_names_are_shortened_not_spilled() {
    let mut vm = fake::live();
    let long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
    vm.site.name = long.to_owned();
    for row in &mut vm.tree {
        row.name = format!("{long} {}", row.name);
    }
    for alarm in &mut vm.alarms {
        alarm.message = long.to_owned();
        alarm.twin_name = long.to_owned();
    }
    if let Some(inspector) = &mut vm.inspector {
        inspector.name = long.to_owned();
        inspector.interface = long.to_owned();
        for signal in &mut inspector.signals {
            signal.name = long.to_owned();
            signal.unit = "kWh/m²·a".to_owned();
        }
    }
    everywhere(
        "long",
        &vm,
        &with(|s| {
            s.chart_open = true;
        }),
    );
    everywhere(
        "long",
        &vm,
        &with(|s| {
            s.right_tab = RightTab::Alarms;
        }),
    );
}

//! Controls found by their names do what they say.

use egui::Key;
use egui_kittest::kittest::Queryable;
use twin_model::{AlarmIndex, AlarmState, KnobIndex, SignalIndex, TwinIndex};
use twin_ui::view::{BranchId, JudgedView, Theme};
use twin_ui::{Direction, RightTab, UiCommand, UiState};

use crate::fake;
use crate::rig::{Rig, rig, taken, wide, with};

type Harness = egui_kittest::Harness<'static, Rig>;

fn check(mut harness: Harness, label: &str, expect: &[UiCommand]) -> Harness {
    taken(&mut harness);
    harness.get_by_label(label).click();
    assert_eq!(taken(&mut harness), expect, "after pressing '{label}'");
    harness
}

fn at_tab(vm: twin_ui::view::ViewModel, tab: RightTab) -> Harness {
    // Tall, so that the whole panel is in sight.
    rig(
        (1280.0, 1100.0),
        vm,
        with(|s| {
            s.right_tab = tab;
        }),
    )
}

#[test]
fn a_tree_row_selects_its_twin() {
    check(wide(fake::live()), "Transfer pump 1", &[UiCommand::Select { twin: Some(TwinIndex(5)), additive: false }]);
}

#[test]
fn folding_hides_rows_and_sends_nothing() {
    let harness = check(wide(fake::live()), "Fold Process", &[]);
    assert!(harness.query_by_label("Mixer").is_none());
    assert!(harness.query_by_label("Unfold Process").is_some());
}

#[test]
fn searching_keeps_hits_and_their_ancestors() {
    let mut harness = wide(fake::live());
    harness.state_mut().state.search = "robot".to_owned();
    harness.run_steps(2);
    assert!(harness.query_by_label("Palletizing robot 2").is_some());
    assert!(harness.query_by_label("Packing line").is_some());
    assert!(harness.query_by_label("Mixer").is_none());
}

#[test]
fn slash_goes_to_the_search_field() {
    let mut harness = wide(fake::live());
    harness.key_press(Key::Slash);
    harness.run_steps(3);
    assert!(harness.get_by_label("Search twins").is_focused());
    assert!(harness.state().output.captures_keyboard);
}

#[test]
fn only_what_needs_attention() {
    let harness = check(wide(fake::live()), "Only what needs attention", &[]);
    assert!(harness.query_by_label("Capper").is_some());
    assert!(harness.query_by_label("Rinser").is_none());
}

#[test]
fn transport_buttons_speak_for_themselves() {
    check(wide(fake::live()), "Pause", &[UiCommand::Pause]);
    check(wide(fake::history()), "Play", &[UiCommand::Play]);
    check(wide(fake::live()), "Previous event (Ctrl ←)", &[UiCommand::StepEvent(Direction::Back)]);
    check(wide(fake::live()), "Next event (Ctrl →)", &[UiCommand::StepEvent(Direction::Forward)]);
}

#[test]
fn the_way_back_to_live_is_offered_in_history_only() {
    let mut harness = wide(fake::history());
    taken(&mut harness);
    for button in harness.get_all_by_label("Return to live") {
        button.click();
    }
    assert_eq!(taken(&mut harness), [UiCommand::Follow, UiCommand::Follow]);
    assert!(wide(fake::live()).query_by_label("Return to live").is_none());
}

#[test]
fn as_it_was_and_as_it_was_known_are_told_apart_and_one_press_away() {
    let harness = check(wide(fake::history()), "Show it as it was known then (K)", &[UiCommand::ShowAsKnown(true)]);
    assert!(harness.query_by_label("As it was").is_none(), "as it was is what is shown unless somebody asks");
    check(wide(fake::known()), "Show it as it was (K)", &[UiCommand::ShowAsKnown(false)]);
    check(wide(fake::known()), "As it was", &[UiCommand::ShowAsKnown(false)]);
    for (vm, expected) in [(fake::history(), true), (fake::known(), false)] {
        let mut harness = wide(vm);
        taken(&mut harness);
        harness.key_press(Key::K);
        assert_eq!(taken(&mut harness), [UiCommand::ShowAsKnown(expected)]);
    }
    check(
        rig((390.0, 844.0), fake::history(), UiState::default()),
        "Show it as it was known then (K)",
        &[UiCommand::ShowAsKnown(true)],
    );
    // Live, and in a branch, there is no difference and no switch.
    for vm in [fake::live(), fake::branched()] {
        let mut harness = wide(vm);
        taken(&mut harness);
        assert!(harness.query_by_label("Show it as it was known then (K)").is_none());
        harness.key_press(Key::K);
        assert_eq!(taken(&mut harness), []);
    }
}

#[test]
fn the_site_of_then_and_todays_are_told_apart_and_one_press_away() {
    let by = |by_then: bool| {
        let mut vm = fake::history();
        vm.clock.judged = Some(JudgedView { by_then, revision: 2 });
        vm
    };
    let harness = check(wide(by(true)), "Judge it by today's site (J)", &[UiCommand::JudgeByThen(false)]);
    assert!(harness.query_by_label("Today's site").is_some(), "the banner's way out");
    check(wide(by(true)), "Today's site", &[UiCommand::JudgeByThen(false)]);
    let harness = check(wide(by(false)), "Judge it by the site of then (J)", &[UiCommand::JudgeByThen(true)]);
    assert!(harness.query_by_label("Today's site").is_none(), "today's site needs no banner");
    for by_then in [true, false] {
        let mut harness = wide(by(by_then));
        assert_eq!(painted(&harness).iter().any(|text| text == "Site of then: revision 2"), by_then);
        taken(&mut harness);
        harness.key_press(Key::J);
        assert_eq!(taken(&mut harness), [UiCommand::JudgeByThen(!by_then)]);
    }
    check(rig((390.0, 844.0), by(true), UiState::default()), "Judge it by today's site (J)", &[UiCommand::JudgeByThen(false)]);
    // Where nothing differs there is no switch.
    let mut harness = wide(fake::history());
    taken(&mut harness);
    assert!(harness.query_by_label("Judge it by the site of then (J)").is_none());
    harness.key_press(Key::J);
    assert_eq!(taken(&mut harness), []);
}

/// Every text that is painted.
fn painted(harness: &Harness) -> Vec<String> {
    let shapes = harness.output().shapes.iter();
    shapes
        .filter_map(
            |clipped| if let egui::Shape::Text(text) = &clipped.shape { Some(text.galley.text().to_owned()) } else { None },
        )
        .collect()
}

#[test]
fn while_it_is_shown_as_known_the_time_bar_says_that_strip_and_marks_are_as_it_was() {
    let words = "Strip and marks: as it was";
    for size in [(1280.0, 720.0), (640.0, 360.0), (390.0, 844.0)] {
        for (vm, expected) in [(fake::known(), true), (fake::history(), false), (fake::live(), false), (fake::branched(), false)]
        {
            let harness = rig(size, vm, UiState::default());
            assert_eq!(painted(&harness).iter().any(|said| said == words), expected, "at {size:?}");
        }
    }
}

#[test]
fn time_from_before_the_first_value_is_not_called_thrown_away() {
    for (expired, words, other) in [(false, "before the first value", "not kept"), (true, "not kept", "before the first value")] {
        let mut vm = fake::history();
        let view = twin_ui::view::DensityView::clone(&vm.timeline.density).range.unwrap();
        vm.timeline.retained_from = Some(view.start + twin_model::Span::from_micros(view.span().as_micros() / 2));
        vm.timeline.expired = expired;
        let said = painted(&wide(vm));
        assert!(said.iter().any(|text| text == words) && !said.iter().any(|text| text == other), "{said:?}");
    }
}

#[test]
fn the_speed_menu_goes_both_ways() {
    let mut harness = check(wide(fake::live()), "Speed 1×", &[]);
    harness.get_by_label("−10×").click();
    assert_eq!(taken(&mut harness), [UiCommand::SetSpeed(-10.0)]);
}

#[test]
fn keys_run_the_clock() {
    let mut harness = wide(fake::history());
    taken(&mut harness);
    harness.key_press(Key::Space);
    assert_eq!(taken(&mut harness), [UiCommand::Play]);
    harness.key_press(Key::End);
    assert_eq!(taken(&mut harness), [UiCommand::Follow]);
    harness.key_press(Key::ArrowLeft);
    assert_eq!(taken(&mut harness), [UiCommand::StepSample(Direction::Back)]);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::ArrowRight);
    assert_eq!(taken(&mut harness), [UiCommand::StepEvent(Direction::Forward)]);
    harness.key_press(Key::Escape);
    assert_eq!(taken(&mut harness), [UiCommand::Select { twin: None, additive: false }]);
}

#[test]
fn keys_belong_to_the_search_field_while_it_has_the_focus() {
    let mut harness = wide(fake::history());
    harness.key_press(Key::Slash);
    taken(&mut harness);
    harness.key_press(Key::Space);
    harness.key_press(Key::A);
    assert_eq!(taken(&mut harness), []);
}

#[test]
fn theme_link_and_views() {
    check(wide(fake::live()), "Light theme (T)", &[UiCommand::SetTheme(Theme::Light)]);
    check(wide(fake::live()), "Copy a link to this view", &[UiCommand::CopyLink]);
    check(wide(fake::live()), "Show the whole site (H)", &[UiCommand::Home]);
    check(wide(fake::live()), "Look from above", &[UiCommand::LookFrom(twin_ui::Side::Top)]);
}

#[test]
fn the_inspector_says_value_age_and_quality() {
    let harness = wide(fake::live());
    assert!(harness.query_by_label("Vibration RMS: 7.42\u{2009}mm/s, now, good").is_some());
    assert!(harness.query_by_label("Why: Vibration of 7.42 mm/s is above 7.1 mm/s").is_some());
}

#[test]
fn a_signal_goes_to_the_chart() {
    let mut harness = at_tab(fake::live(), RightTab::Inspect);
    taken(&mut harness);
    harness.get_by_label("Speed: 1482\u{2009}1/min, now, good").click();
    assert_eq!(taken(&mut harness), [UiCommand::ToggleChart(SignalIndex(2))]);
    assert!(harness.state().state.chart_open);
    harness.get_by_label("Take Vibration RMS of Filler main bearing off the chart").click();
    assert_eq!(taken(&mut harness), [UiCommand::ToggleChart(SignalIndex(0))]);
}

#[test]
fn an_ancestor_in_the_path_is_a_link() {
    let mut harness = wide(fake::live());
    taken(&mut harness);
    let links: Vec<_> = harness.get_all_by_label("Filling line").collect();
    links.last().expect("in tree and path").click();
    assert_eq!(taken(&mut harness), [UiCommand::Select { twin: Some(TwinIndex(8)), additive: false }]);
}

#[test]
fn alarms_select_their_twin() {
    let label = "Alarm priority 2: Level above 92 %, Active, unacknowledged";
    check(at_tab(fake::live(), RightTab::Alarms), label, &[UiCommand::Select { twin: Some(TwinIndex(3)), additive: false }]);
}

#[test]
fn a_returned_alarm_that_nobody_saw_waits_until_its_button_is_pressed() {
    let mut vm = fake::live();
    vm.alarms.retain(|alarm| alarm.state == AlarmState::ReturnedUnack);
    vm.alarms[0].can_acknowledge = true;
    let harness = at_tab(vm, RightTab::Alarms);
    assert!(painted(&harness).iter().any(|text| text == "0 active, 1 unacknowledged"), "{:?}", painted(&harness));
    // The row below the button would select the twin: one press is one command.
    check(harness, "Acknowledge: Outlet temperature low", &[UiCommand::Acknowledge(AlarmIndex(3))]);
}

#[test]
fn no_button_offers_to_acknowledge_what_was_seen_or_what_is_for_its_source_to_acknowledge() {
    let states = [
        AlarmState::UnackActive,
        AlarmState::AckActive,
        AlarmState::ReturnedUnack,
        AlarmState::Shelved,
        AlarmState::SuppressedByDesign,
        AlarmState::OutOfService,
        AlarmState::Normal,
    ];
    for state in states {
        for can_acknowledge in [false, true] {
            let mut vm = fake::live();
            vm.alarms.truncate(1);
            (vm.alarms[0].state, vm.alarms[0].can_acknowledge) = (state, can_acknowledge);
            let harness = at_tab(vm, RightTab::Alarms);
            let row = format!("Alarm priority 1: Bearing vibration very high, {}", state.label());
            assert!(harness.query_by_label(&row).is_some(), "{state:?} is in the list");
            let button = harness.query_by_label("Acknowledge: Bearing vibration very high").is_some();
            assert_eq!(button, can_acknowledge && state.is_unacknowledged(), "{state:?}, {can_acknowledge}");
        }
    }
}

#[test]
fn what_a_reader_must_know_about_the_models_stands_below_their_results() {
    let words = "filler-bearing-01.vibration: starts as observed, so its model runs +3\u{2009}mm/s off its equation";
    for said in [true, false] {
        let mut vm = fake::branched();
        let results = vm.what_if.results.as_mut().expect("results");
        results.remarks = if said { vec![words.to_owned()] } else { Vec::new() };
        let harness = at_tab(vm, RightTab::WhatIf);
        assert_eq!(harness.query_by_label(words).is_some(), said);
        assert_eq!(harness.query_by_label_contains("off its equation").is_some(), said);
    }
}

#[test]
fn what_if_runs_and_cancels() {
    check(at_tab(fake::branched(), RightTab::WhatIf), "Run the scenario", &[UiCommand::RunScenario]);
    check(at_tab(fake::branched(), RightTab::WhatIf), "Reset", &[UiCommand::ResetKnobs]);
    check(at_tab(fake::running(), RightTab::WhatIf), "Cancel", &[UiCommand::CancelScenario]);
    check(at_tab(fake::history(), RightTab::WhatIf), "1 d", &[UiCommand::SetHorizon(twin_model::Span::from_secs(86_400))]);
}

#[test]
fn a_knob_turns_with_the_keyboard() {
    let mut harness = at_tab(fake::history(), RightTab::WhatIf);
    taken(&mut harness);
    harness.get_by_label("Conveyor speed").focus();
    harness.run_steps(1);
    harness.key_press(Key::ArrowRight);
    assert_eq!(taken(&mut harness), [UiCommand::SetKnob { knob: KnobIndex(0), value: 1.0 }]);
}

#[test]
fn a_branch_is_shown_as_not_real_and_left_again() {
    check(at_tab(fake::branched(), RightTab::WhatIf), "Scenario Speed −10 %", &[UiCommand::ViewBranch(Some(BranchId(1)))]);
    let mut harness = wide(fake::branched());
    taken(&mut harness);
    harness.get_all_by_label("Back to reality").next().expect("banner").click();
    assert_eq!(taken(&mut harness), [UiCommand::ViewBranch(None)]);
}

#[test]
fn the_broken_link_is_named() {
    let harness = check(wide(fake::disconnected()), "Try now", &[UiCommand::Retry(None)]);
    let words = "No link to the gateway since 14:02:19. The newest values are from 14:02:31. Next try in 3\u{2009}s.";
    assert!(harness.query_by_label(words).is_some());
    let mut vm = fake::disconnected();
    vm.links.refused = Some("this token is not good any more".to_owned());
    vm.links.retry_in = None;
    let words = "The gateway does not let this screen in since 14:02:19. this token is not good any more";
    assert!(wide(vm).query_by_label(words).is_some());
    let mut vm = fake::live();
    vm.links.sources[0].state = twin_ui::view::LinkState::Down;
    let words = "Source plc-1 does not answer. The gateway is reachable; values of this source stand still.";
    assert!(wide(vm).query_by_label(words).is_some());
    let mut vm = fake::live();
    vm.links.sources[0].devices_down = (1, 42);
    let words = "1 device does not answer. Gateway and sources are reachable; look for the hatched parts.";
    assert!(wide(vm).query_by_label(words).is_some());
}

#[test]
fn problems_can_be_retried_and_hidden() {
    check(wide(fake::disconnected()), "Try again", &[UiCommand::Retry(Some(1))]);
    check(wide(fake::disconnected()), "Hide: The model of the pasteurizer cannot be shown", &[UiCommand::DismissProblem(1)]);
    check(wide(fake::crashed()), "Load again", &[UiCommand::Reload]);
}

#[test]
fn of_many_problems_one_is_shown_and_the_others_are_a_press_away() {
    let (first, second) =
        ("Hide: The model of the pasteurizer cannot be shown", "Hide: site.toml names a unit that is not known");
    let mut harness = wide(fake::troubled());
    taken(&mut harness);
    assert!(harness.query_by_label(first).is_some());
    assert!(harness.query_by_label(second).is_none());
    harness.get_by_label("2 more").click();
    assert_eq!(taken(&mut harness), []);
    for label in [first, second] {
        assert!(harness.query_by_label(label).is_some(), "{label}");
    }
    harness.get_by_label(first).click();
    assert_eq!(taken(&mut harness), [UiCommand::DismissProblem(1)]);
    harness.get_by_label("Fold the problems").click();
    assert_eq!(taken(&mut harness), []);
    assert!(harness.query_by_label(second).is_none());
}

#[test]
fn problems_leave_three_quarters_of_the_view_free() {
    for size in [(1280.0, 720.0), (800.0, 600.0), (390.0, 844.0)] {
        for open in [false, true] {
            let mut vm = fake::troubled();
            for id in 10..60 {
                let mut more = vm.problems[1].clone();
                more.id = id;
                vm.problems.push(more);
            }
            let mut harness = rig(size, vm, UiState::default());
            taken(&mut harness);
            if open {
                harness.get_by_label("52 more").click();
                harness.run_steps(3);
            }
            let view = harness.state().output.viewport;
            // The pointer is the view's wherever nothing floats.
            let mut owned = 0;
            let mut all = 0;
            for x in 0..24 {
                for y in 0..24 {
                    let part = egui::vec2((x as f32 + 0.5) / 24.0, (y as f32 + 0.5) / 24.0);
                    harness.hover_at(view.min + view.size() * part);
                    harness.run_steps(1);
                    all += 1;
                    // Legend and orientation mark keep to the right and the bottom; cards stand at the left.
                    let card = part.y < 0.8 && part.x < 0.95;
                    owned += i32::from(card && harness.state().output.captures_pointer);
                }
            }
            assert!(owned * 100 <= all * 33, "{owned} of {all} at {size:?}, open {open}");
        }
    }
}

#[test]
fn every_way_out_of_the_what_if_panel_tells_the_host() {
    check(at_tab(fake::history(), RightTab::WhatIf), "Close the panel", &[UiCommand::OpenWhatIf(false)]);
    check(at_tab(fake::history(), RightTab::Inspect), "Close the panel", &[]);
    for (label, size) in [("Close the panel", (390.0, 844.0)), ("What-if", (390.0, 844.0))] {
        let state = with(|s| {
            s.right_tab = RightTab::WhatIf;
            s.sheet = Some(twin_ui::Sheet::Right);
        });
        let harness = check(rig(size, fake::history(), state), label, &[UiCommand::OpenWhatIf(false)]);
        assert_eq!(harness.state().state.sheet, None);
    }
    let mut harness = rig(
        (390.0, 844.0),
        fake::history(),
        with(|s| {
            s.right_tab = RightTab::WhatIf;
            s.sheet = Some(twin_ui::Sheet::Right);
        }),
    );
    taken(&mut harness);
    harness.key_press(Key::Escape);
    assert_eq!(taken(&mut harness), [UiCommand::OpenWhatIf(false)]);
    let harness = at_tab(fake::history(), RightTab::WhatIf);
    assert_eq!(harness.state().state.right_open, None);
    let harness = check(harness, "Close the panel", &[UiCommand::OpenWhatIf(false)]);
    assert_eq!(harness.state().state.right_open, Some(false));
    assert!(harness.query_by_label("Run the baseline").is_none(), "the panel is gone");
}

#[test]
fn predictions_are_called_predictions() {
    let harness = wide(fake::live());
    let words = "Prediction: Reaches 11\u{2009}mm/s in about 1\u{2009}h 35\u{2009}min at the current trend";
    assert!(harness.query_by_label(words).is_some());
    let harness = wide(fake::foretold());
    let words = "Prediction: Motor current reaches 25\u{2009}A in about 6\u{2009}h 30\u{2009}min at the current trend";
    assert!(harness.query_by_label(words).is_some());
}

#[test]
fn a_branch_beyond_the_live_edge_is_in_sight_to_its_end() {
    let harness = wide(fake::branched());
    let view = harness.state().state.time_view().expect("a view");
    let branch = &harness.state().vm.what_if.branches[1];
    assert!(view.contains(branch.range.start) && view.contains(branch.range.end), "{view:?}");
}

#[test]
fn the_legend_unfolds() {
    let harness = check(wide(fake::live()), "Unfold the legend", &[]);
    assert!(harness.query_by_label("Fold the legend").is_some());
}

#[test]
fn figures_and_help_open_by_key() {
    let mut harness = wide(fake::live());
    taken(&mut harness);
    harness.key_press(Key::F3);
    assert_eq!(taken(&mut harness), [UiCommand::ShowPerf(true)]);
    harness.key_press(Key::Questionmark);
    harness.run_steps(2);
    assert!(harness.query_by_label("Close the help").is_some());
    assert!(harness.state().output.captures_pointer);
}

#[test]
fn ten_thousand_rows_only_lay_out_what_is_seen() {
    let mut vm = fake::live();
    vm.tree = fake::huge_tree();
    let mut harness = wide(vm);
    harness.run_steps(1);
    assert!(harness.query_by_label("Hall 1").is_some());
    assert!(harness.query_by_label("Hall 90").is_none());
}

#[test]
fn rails_open_panels_over_the_view() {
    let mut harness = rig((800.0, 600.0), fake::live(), UiState::default());
    assert!(harness.query_by_label("Mixer").is_none());
    harness.get_by_label("Assets").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Mixer").is_some());
}

#[test]
fn tabs_open_sheets_on_a_telephone() {
    let mut harness = rig((390.0, 844.0), fake::live(), UiState::default());
    harness.get_by_label("Assets").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Mixer").is_some());
    harness.get_by_label("Close the tree").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Mixer").is_none());
}

#[test]
fn escape_takes_the_search_then_the_selection() {
    let mut harness = wide(fake::live());
    harness.state_mut().state.search = "pump".to_owned();
    harness.state_mut().state.troubled_only = true;
    taken(&mut harness);
    harness.key_press(Key::Escape);
    assert_eq!(taken(&mut harness), []);
    assert_eq!((harness.state().state.search.as_str(), harness.state().state.troubled_only), ("", false));
    harness.key_press(Key::Escape);
    assert_eq!(taken(&mut harness), [UiCommand::Select { twin: None, additive: false }]);
}

#[test]
fn the_search_says_how_many_it_found() {
    let mut harness = wide(fake::live());
    let all = harness.state().vm.tree.len();
    assert!(harness.query_by_label(&format!("{all} twins")).is_some());
    harness.state_mut().state.search = "Palletizing".to_owned();
    harness.run_steps(2);
    let hits = harness.state().vm.tree.iter().filter(|row| row.name.contains("Palletizing")).count();
    assert!(harness.query_by_label(&format!("{hits} of {all} twins")).is_some());
}

#[test]
fn more_than_fit_are_counted_and_shown_in_the_tree() {
    let mut vm = fake::live();
    vm.selection.clear();
    vm.inspector = None;
    for row in &mut vm.tree {
        (row.judged, row.status) = (true, twin_model::Status::Maintenance);
    }
    let label = format!("and {} more", vm.tree.len() - 8);
    let harness = check(wide(vm), &label, &[]);
    assert!(harness.state().state.troubled_only);
    assert_eq!(harness.state().state.left_open, Some(true));
}

#[test]
fn links_are_as_they_are_now_whatever_instant_is_on_show() {
    let mut vm = fake::history();
    vm.links.sources[0].state = twin_ui::view::LinkState::Down;
    let words = "Now: Source plc-1 does not answer. The gateway is reachable; values of this source stand still.";
    assert!(wide(vm).query_by_label(words).is_some());
}

#[test]
fn a_site_without_a_model_says_so() {
    let mut vm = fake::live();
    vm.no_model = true;
    assert!(wide(vm).query_by_label("This site has no 3D model").is_some());
    assert!(wide(fake::live()).query_by_label("This site has no 3D model").is_none());
}

#[test]
fn the_quality_of_the_picture_is_chosen_in_the_help() {
    let open = with(|s| s.help_open = true);
    check(rig((1280.0, 720.0), fake::live(), open.clone()), "High", &[UiCommand::SetQuality(true)]);
    check(rig((1280.0, 720.0), fake::live(), open.clone()), "Quick", &[]);
    let mut vm = fake::live();
    vm.high_quality = true;
    check(rig((390.0, 844.0), vm, open), "Quick", &[UiCommand::SetQuality(false)]);
}

#[test]
fn a_flood_of_marks_is_counted_where_it_crowds() {
    let mut vm = fake::live();
    let probe = wide(vm.clone());
    fake::mark(&mut vm, probe.state().output.viewport);
    let one = vm.markers[1].clone();
    for nth in 0..40u32 {
        let mut more = one.clone();
        more.twin = TwinIndex(100 + nth);
        more.name = format!("Part {nth}");
        more.at.x += (nth % 7) as f32;
        vm.markers.push(more);
    }
    let label = "Marks of 41 twins, worst Palletizing robot 1";
    check(wide(vm), label, &[UiCommand::Select { twin: Some(TwinIndex(19)), additive: false }]);
}

#[test]
fn every_tab_of_a_telephone_opens_what_it_says_whatever_was_open() {
    let shown = |harness: &Harness| match harness.state().state.sheet {
        None => "",
        Some(twin_ui::Sheet::Assets) => "Assets",
        Some(twin_ui::Sheet::Chart) => "Chart",
        Some(twin_ui::Sheet::Right) => match harness.state().state.right_tab {
            RightTab::Inspect => "Inspect",
            RightTab::Alarms => "Alarms",
            RightTab::WhatIf => "What-if",
        },
    };
    let tabs = ["Assets", "Inspect", "Alarms", "Chart", "What-if"];
    for from in 0..tabs.len() {
        for to in (0..tabs.len()).filter(|to| *to != from) {
            let mut harness = rig((390.0, 844.0), fake::live(), UiState::default());
            for tab in [from, to] {
                // By place: a finger knows no labels.
                crate::rig::press(&mut harness, egui::pos2(39.0 + 78.0 * tab as f32, 815.0));
                harness.run_steps(2);
                assert_eq!(shown(&harness), tabs[tab], "{} after {}", tabs[to], tabs[from]);
            }
        }
    }
}

#[test]
fn long_empty_stretches_fold_and_that_can_be_switched_off() {
    let mut harness = wide(fake::week());
    let extent = harness.state().vm.timeline.extent;
    harness.state_mut().vm.clock.mode = twin_ui::view::PlayMode::Paused;
    harness.state_mut().state.show_range(extent);
    let mut harness = check(harness, "Show stretches without data at full length", &[]);
    assert!(!harness.state().state.fold_empty);
    harness.get_by_label("Fold long stretches without data").click();
    taken(&mut harness);
    assert!(harness.state().state.fold_empty);
    assert!(wide(fake::live()).query_by_label("Show stretches without data at full length").is_none());
}

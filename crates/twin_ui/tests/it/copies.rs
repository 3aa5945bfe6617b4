//! A copy in files: its end is no present, and nothing of it is called live.

use egui::Key;
use egui_kittest::kittest::Queryable;
use twin_ui::UiCommand;
use twin_ui::view::ViewModel;

use crate::fake;
use crate::rig::{taken, wide};

fn copy(mut vm: ViewModel) -> ViewModel {
    vm.clock.copy = true;
    vm
}

#[test]
fn at_its_end_a_copy_stands_and_playing_it_begins_anew() {
    let mut harness = wide(copy(fake::live()));
    taken(&mut harness);
    assert!(harness.query_by_label("Play").is_some() && harness.query_by_label("Pause").is_none());
    harness.key_press(Key::Space);
    assert_eq!(taken(&mut harness), [UiCommand::Play]);
    let mut live = wide(fake::live());
    taken(&mut live);
    live.key_press(Key::Space);
    assert_eq!(taken(&mut live), [UiCommand::Pause], "a plant that lives goes on");
}

#[test]
fn from_the_past_of_a_copy_the_way_leads_to_its_end() {
    let mut harness = wide(copy(fake::history()));
    taken(&mut harness);
    assert!(harness.query_by_label("Return to live").is_none());
    harness.get_by_label("To the end").click();
    assert_eq!(taken(&mut harness), [UiCommand::Follow]);
}

//! The viewer without a window: links, and what a host page may ask and say.

mod program;
mod publication;

use orrery::{ViewLink, hook_command, hook_state};
use serde_json::Value;

fn answer(command: &str) -> Value {
    serde_json::from_str(&hook_command(command)).expect("an answer is JSON")
}

#[test]
fn a_command_that_is_known_is_taken() {
    assert_eq!(answer(r#"{"select": "filler-01"}"#)["ok"], true);
    assert_eq!(answer(r#"{"seek": "2026-03-02T08:15:04Z", "pause": true}"#)["ok"], true);
}

#[test]
fn an_unknown_command_is_refused_with_what_is_known() {
    let error = answer(r#"{"jump": 3}"#)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("jump") && error.contains("seek"), "{error}");
    assert!(answer("[]")["error"].is_string());
    assert!(answer("{")["error"].as_str().unwrap().contains("JSON"));
}

#[test]
fn commands_are_bounded() {
    let refused = (0..1_000).map(|_| answer(r#"{"home": true}"#)).filter(|answer| answer["error"].is_string()).count();
    assert!(refused > 0);
}

#[test]
fn the_state_is_json_before_anything_runs() {
    let state: Value = serde_json::from_str(&hook_state()).unwrap();
    assert_eq!(state["phase"], "starting");
}

#[test]
fn a_link_with_a_time_says_the_time_and_one_without_is_live() {
    assert_eq!(ViewLink::from_fragment("t=live"), ViewLink::default());
    let link = ViewLink::from_fragment("t=2026-03-02T08%3A15%3A04Z&sel=a,b&speed=-2");
    assert_eq!((link.time.is_some(), link.select.len(), link.speed), (true, 2, Some(-2.0)));
}

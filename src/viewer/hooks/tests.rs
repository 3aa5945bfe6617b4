//! What a host page is answered: never `ok` for what will not be done, and always which command is at fault.

use super::*;

fn answer(text: &str) -> Value {
    serde_json::from_str(&command(text)).unwrap()
}

fn waiting() -> usize {
    WAITING.with_borrow(VecDeque::len)
}

/// As before the first frame; threads of tests may be used again.
fn start() {
    WAITING.take();
    SITE.take();
}

fn load() {
    start();
    let mut site = twin_testkit::kit::SmallModel::new();
    site.float("pump.flow");
    SITE.set((Some(Arc::new(site.build())), vec![3]));
}

#[test]
fn what_is_not_understood_is_answered_with_its_name_and_nothing_of_it_waits() {
    load();
    for (text, named) in [
        (r#"{"historyMegabytes": 500}"#, "historyMegabytes: wants a number from 1 to 224"),
        (r#"{"viewBranch": 7}"#, "viewBranch: there is no branch 7"),
        (r"{}", "an empty command"),
        (r#"{"dance": 1}"#, "'dance'"),
        (r#"{"select": "pump", "speed": 0}"#, "speed: wants"),
        (r#"{"pause": true, "seek": ""}"#, "seek: "),
        (r#"{"camera": [0, 0, 0, 0, 0, 1e999]}"#, "not JSON"),
        (r"[]", "an object"),
        (r"null", "an object"),
        (r"", "not JSON"),
        (r"undefined", "not JSON"),
    ] {
        let said = answer(text);
        assert_eq!(said["ok"], json!(false), "{text}: {said}");
        assert!(said["error"].as_str().unwrap().contains(named), "{text}: {said}");
    }
    assert_eq!(waiting(), 0);
}

#[test]
fn what_is_understood_waits_for_the_next_frame_and_the_queue_has_an_end() {
    load();
    for _ in 0..MAX_WAITING {
        assert_eq!(answer(r#"{"select": "pump", "viewBranch": 3}"#), json!({ "ok": true }));
    }
    let said = answer(r#"{"select": null}"#);
    assert!(said["ok"] == json!(false) && said["error"].as_str().unwrap().contains("waiting"), "{said}");
    assert_eq!(waiting(), MAX_WAITING);
}

#[test]
fn names_wait_for_the_site_and_what_no_site_could_mend_does_not() {
    start();
    assert_eq!(answer(r#"{"select": "pump"}"#), json!({ "ok": true }));
    for text in [r#"{"select": 5}"#, r#"{"chart": {"show": [5]}}"#, r#"{"viewBranch": 0}"#] {
        assert_eq!(answer(text)["ok"], json!(false), "{text}");
    }
    assert_eq!(waiting(), 1);
}

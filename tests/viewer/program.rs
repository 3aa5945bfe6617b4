//! The desktop program as a person starts it, where no window can be had.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Exit code, what it prints and what it complains of, without a display.
fn viewer(args: &[&str]) -> (Option<i32>, String, String) {
    static NTH: AtomicU32 = AtomicU32::new(0);
    let name = format!("orrery-viewer-{}-{}", std::process::id(), NTH.fetch_add(1, Ordering::Relaxed));
    let empty = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&empty).expect("a folder without a site");
    let output = Command::new(env!("CARGO_BIN_EXE_viewer"))
        .args(args)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(&empty)
        .output()
        .expect("the program runs");
    drop(std::fs::remove_dir(&empty));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_it_says_so_and_offers_the_browser() {
    let site = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/sites/bottling");
    for (target, instead) in [
        (site, format!("orrery serve --open {site}")),
        ("week.orrec", "orrery replay --open week.orrec".to_owned()),
        ("https://plant.example", "Open https://plant.example in a browser".to_owned()),
    ] {
        let (code, out, err) = viewer(&[target]);
        assert_eq!((code, &*out), (Some(2), ""), "{target}: {err}");
        for words in ["There is no display", "WAYLAND_DISPLAY", &instead] {
            assert!(err.contains(words), "{target}: {words}: {err}");
        }
        assert!(!err.contains("panicked"), "{target}: {err}");
    }
}

#[test]
fn it_says_its_version_its_help_and_what_it_does_not_understand_from_any_folder() {
    let (code, out, _) = viewer(&["--version"]);
    assert_eq!((code, out.trim()), (Some(0), concat!("orrery viewer ", env!("CARGO_PKG_VERSION"))));
    let (code, out, _) = viewer(&["--help"]);
    assert!(code == Some(0) && out.contains("--tls-ca FILE") && out.contains("viewer SITE"), "{out}");
    for (args, words) in [
        (&[][..], "there is no site.toml in this folder"),
        (&["a", "b"], "unknown argument 'b'"),
        (&["--size", "large"], "--size wants WIDTHxHEIGHT"),
    ] {
        let (code, _, err) = viewer(args);
        assert!(code == Some(2) && err.contains(words), "{args:?}: {err}");
    }
}

//! `cargo verify`: every check as a lane, fastest first, stopping at the first that fails.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::util::{self, Step};
use crate::web::Quality;
use crate::{advisories, demo, licences, nightly, tidy, tools};

struct Lane {
    name: &'static str,
    what: &'static str,
    /// Only with `--all`.
    nightly: bool,
    run: fn() -> Result<()>,
}

const LANES: [Lane; 10] = [
    Lane { name: "format", what: "rustfmt", nightly: false, run: format },
    Lane { name: "tidy", what: "rules that no compiler knows", nightly: false, run: tidy::check },
    Lane { name: "licences", what: "licences and banned dependencies", nightly: false, run: licences::check },
    Lane { name: "advisories", what: "known faults of what is linked", nightly: false, run: advisories::check },
    Lane { name: "core", what: "tests without Bevy", nightly: false, run: core },
    Lane { name: "clippy-core", what: "clippy without Bevy", nightly: false, run: clippy_core },
    Lane { name: "viewer", what: "tests of the viewer, headless", nightly: false, run: viewer },
    Lane { name: "clippy-viewer", what: "clippy of the viewer, native and wasm", nightly: false, run: clippy_viewer },
    Lane { name: "browser", what: "the shipped page in a real browser", nightly: false, run: browser },
    Lane { name: "nightly", what: "long property and kill tests, fuzzing, soak", nightly: true, run: nightly::run },
];

/// Runs the lanes asked for.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let value_of = |flag: &str| args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1)).map(String::as_str);
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    if has("--list") {
        for lane in &LANES {
            println!("{:14} {}{}", lane.name, lane.what, if lane.nightly { " (with --all)" } else { "" });
        }
        return Ok(());
    }
    let known =
        |name: &str| LANES.iter().position(|lane| lane.name == name).with_context(|| format!("no lane '{name}'; see --list"));
    let first = value_of("--from").map(known).transpose()?.unwrap_or(0);
    let only = value_of("--only").map(known).transpose()?;
    let start = Instant::now();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (at, lane) in LANES.iter().enumerate() {
        let wanted = only.map_or(at >= first && (!lane.nightly || has("--all")), |only| only == at);
        if !wanted {
            continue;
        }
        println!("\n━━ {}: {}", lane.name, lane.what);
        let began = Instant::now();
        let outcome = (lane.run)();
        times.push((lane.name, began.elapsed()));
        println!("━━ {} took {}", lane.name, util::seconds(began.elapsed()));
        if let Err(error) = outcome {
            report(&times, start.elapsed());
            return Err(error.context(format!("lane '{}' failed; again with: cargo verify --only {}", lane.name, lane.name)));
        }
    }
    if times.is_empty() {
        bail!("no lane was run");
    }
    report(&times, start.elapsed());
    println!("all lanes passed");
    Ok(())
}

fn report(times: &[(&str, Duration)], total: Duration) {
    println!("\nlane            wall time");
    for (name, time) in times {
        println!("{name:15} {}", util::seconds(*time));
    }
    println!("{:15} {}", "total", util::seconds(total));
}

fn format() -> Result<()> {
    Step::new("cargo fmt --check", "cargo").args(["fmt", "--all", "--check"]).run()
}

fn core() -> Result<()> {
    let log = util::target_dir().join("core-tests.log");
    let shown = log.display().to_string();
    // One compile for all Bevy-free packages; the log is kept to count tests that skipped for want of something.
    std::fs::create_dir_all(util::target_dir())?;
    let mut tests = Step::new("cargo core", "bash")
        .args(["-c", &format!("set -o pipefail; cargo test --workspace --no-default-features -- --nocapture 2>&1 | tee '{shown}' | grep -v '^test .* ok$'")]);
    if let Some(python) = tools::ensure_python() {
        tests = tests.env("ORRERY_PYTHON", python);
    }
    tests.run()?;
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    for line in skipped(&text) {
        println!("   {line}");
    }
    println!("   {} tests or parts of them skipped", skipped(&text).len());
    Ok(())
}

/// What tests said that they could not do, for example `SKIPPED (no shared data): name`. The name of the test may stand before it
/// on the line.
fn skipped(log: &str) -> Vec<&str> {
    log.lines().filter_map(|line| line.find("SKIPPED (").and_then(|at| line.get(at..))).map(str::trim).collect()
}

fn clippy_core() -> Result<()> {
    Step::new("clippy", "cargo")
        .args(["clippy", "--workspace", "--no-default-features", "--all-targets", "--", "-D", "warnings"])
        .run()
}

fn viewer() -> Result<()> {
    ensure_native_libraries()?;
    Step::new("viewer tests", "cargo").args(["test", "--package", "orrery"]).run()
}

fn clippy_viewer() -> Result<()> {
    ensure_native_libraries()?;
    tools::ensure_wasm_target()?;
    Step::new("clippy, native", "cargo")
        .args(["clippy", "--package", "orrery", "--all-targets", "--", "-D", "warnings"])
        .run()?;
    Step::new("clippy, wasm", "cargo")
        .args(["clippy", "--package", "orrery", "--bin", "viewer", "--target", tools::WASM])
        .env("CLIPPY_CONF_DIR", util::root().join(".ci/clippy_wasm"))
        .args(["--", "-D", "warnings"])
        .run()
}

fn browser() -> Result<()> {
    tools::ensure_debian(&[("chromium", "chromium"), ("npm", "npm")])?;
    let (gateway, _) = demo::build(Quality::Release)?;
    let folder = util::root().join("tests").join("browser");
    if !folder.join("node_modules").join("playwright-core").is_dir() {
        Step::new("installing playwright-core", "npm")
            .args(["ci", "--no-audit", "--no-fund", "--prefix"])
            .args([&folder])
            .run()?;
    }
    let mut files: Vec<String> = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs"))
        .collect();
    files.sort();
    for name in files {
        let run = |what: &str| {
            Step::new(format!("browser suite, {name}{what}"), "node")
                .args(["--test", &format!("tests/browser/{name}")])
                .env("ORRERY_BIN", &gateway)
                .limit(Duration::from_secs(12 * 60))
                .run()
        };
        // Software rendering on a busy machine misses a deadline now and then: once more, and said aloud.
        if let Err(error) = run("") {
            println!("   FLAKY? {name} failed ({error:#}); once more");
            run(", once more")?;
        }
    }
    Ok(())
}

/// What the linker wants for the native window.
fn ensure_native_libraries() -> Result<()> {
    tools::ensure_debian(&[
        ("pkg-config", "pkg-config"),
        ("/usr/include/X11/Xlib.h", "libx11-dev"),
        ("/usr/share/doc/libxkbcommon-x11-0", "libxkbcommon-x11-0"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_skipped_is_counted_with_its_reason() {
        let log = "test a ... SKIPPED (no shared data): a\ntest a ... ok\nSKIPPED (no pandas): b\nnothing SKIPPED here\n";
        assert_eq!(skipped(log), ["SKIPPED (no shared data): a", "SKIPPED (no pandas): b"]);
    }
}

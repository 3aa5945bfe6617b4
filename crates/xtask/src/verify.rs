//! `cargo verify`: every check as a lane, fastest first, stopping at the first that fails.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::util::{self, Step};
use crate::web::{self, Quality};
use crate::{advisories, ahead, dist, licences, nightly, tidy, tools};

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
    Lane { name: "licences", what: "licences and banned dependencies", nightly: false, run: licensed },
    Lane { name: "advisories", what: "known faults of what is linked", nightly: false, run: advisories::check },
    Lane { name: "core", what: "tests without Bevy", nightly: false, run: core },
    Lane { name: "clippy-core", what: "clippy without Bevy", nightly: false, run: clippy_core },
    Lane { name: "viewer", what: "tests of the viewer, headless", nightly: false, run: viewer },
    Lane { name: "clippy-viewer", what: "clippy of the viewer, native and wasm", nightly: false, run: clippy_viewer },
    Lane { name: "browser", what: "the shipped page in a real browser", nightly: false, run: browser },
    Lane { name: "nightly", what: "long property and kill tests, fuzzing, soak", nightly: true, run: nightly::run },
];

/// The lanes that arguments ask for, by their place in [`LANES`]; none where they ask for the list.
///
/// # Errors
/// For what is no option or no lane: a run of half an hour should be the one that was meant.
fn wanted(args: &[String]) -> Result<Option<Vec<usize>>> {
    let known = |name: Option<&String>| {
        let name = name.context("name a lane; see --list")?;
        LANES.iter().position(|lane| lane.name == name).with_context(|| format!("no lane '{name}'; see --list"))
    };
    let (mut all, mut first, mut only) = (false, 0, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => return Ok(None),
            "--all" => all = true,
            "--from" => first = known(args.next())?,
            "--only" => only.push(known(args.next())?),
            other => bail!("unknown option '{other}'; see: cargo xtask help"),
        }
    }
    let chosen =
        |at: usize, lane: &Lane| if only.is_empty() { at >= first && (all || !lane.nightly) } else { only.contains(&at) };
    Ok(Some(LANES.iter().enumerate().filter(|(at, lane)| chosen(*at, lane)).map(|(at, _)| at).collect()))
}

/// Runs the lanes asked for.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let Some(wanted) = wanted(args)? else {
        for lane in &LANES {
            println!("{:14} {}{}", lane.name, lane.what, if lane.nightly { " (with --all)" } else { "" });
        }
        return Ok(());
    };
    let start = Instant::now();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let names: Vec<&str> = wanted.iter().filter_map(|at| Some(LANES.get(*at)?.name)).collect();
    let mut page = None;
    for lane in wanted.iter().filter_map(|at| LANES.get(*at)) {
        println!("\n━━ {}: {}", lane.name, lane.what);
        let began = Instant::now();
        // Elsewhere the page is mostly built already, and nothing should go on behind the back of whoever reads what failed.
        if lane.name == "viewer" && names.contains(&"browser") && util::on_build_server() {
            page = Some(ahead::Page::begin()?);
        }
        let ready = if lane.name == "browser" { page.take().map_or(Ok(()), ahead::Page::finish) } else { Ok(()) };
        let outcome = ready.and_then(|()| (lane.run)());
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

/// Licences, and whether the text of every one that is shipped can be had.
fn licensed() -> Result<()> {
    licences::check()?;
    dist::check_texts()
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
    let page = web::build(Quality::Release)?;
    // The program that the core tests have built: another one with all optimisation and the page in it would cost a tenth of the whole
    // run (the soak has that one).
    Step::new("building the gateway", "cargo")
        .args(["test", "--workspace", "--no-default-features", "--no-run", "--quiet"])
        .run()?;
    let gateway = util::target_dir().join("debug").join("orrery");
    let folder = tools::ensure_playwright()?;
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
                .env("ORRERY_WEB", &page)
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

    #[test]
    fn the_lanes_that_run_are_those_that_were_meant() {
        let lanes = |args: &[&str]| {
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            wanted(&args).map(|found| {
                let names = found.unwrap_or_default().into_iter().filter_map(|at| Some(LANES.get(at)?.name));
                names.collect::<Vec<_>>().join(" ")
            })
        };
        let usual = lanes(&[]).unwrap_or_default();
        assert!(usual.starts_with("format tidy") && usual.ends_with("browser"), "{usual}");
        assert_eq!(lanes(&["--all"]).unwrap_or_default(), format!("{usual} nightly"));
        assert_eq!(lanes(&["--only", "core", "--only", "format"]).unwrap_or_default(), "format core");
        assert_eq!(lanes(&["--from", "clippy-viewer"]).unwrap_or_default(), "clippy-viewer browser");
        assert_eq!(lanes(&["--list"]).unwrap_or_default(), "");
        for odd in [&["--help"][..], &["--only"], &["--only", "core,format"], &["--form", "core"], &["core"]] {
            assert!(lanes(odd).is_err(), "{odd:?}");
        }
    }
}

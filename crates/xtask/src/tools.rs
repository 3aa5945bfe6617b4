//! The tools that a build of the page needs beyond Rust itself: looked for first, installed where missing.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::util::{self, Step};

/// The target of the page.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// The last trunk that builds with the pinned toolchain.
const TRUNK: &str = "0.21.14";

/// Installs what `cargo demo` needs and is missing.
pub(crate) fn ensure_for_page() -> Result<()> {
    ensure_wasm_target()?;
    ensure_wasm_bindgen()?;
    ensure_trunk()?;
    if !util::on_path("node") {
        bail!("node is missing; it compresses the page. Install it, for example: apt-get install -y nodejs npm");
    }
    Ok(())
}

/// Makes sure that the standard library for the page's target is there.
pub(crate) fn ensure_wasm_target() -> Result<()> {
    let installed = || {
        let libdir = util::output_of("rustc", &["--print", "target-libdir", "--target", WASM]);
        libdir.is_some_and(|dir| std::fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some()))
    };
    if installed() {
        return Ok(());
    }
    if !util::on_path("rustup") {
        bail!("the standard library for {WASM} is missing and there is no rustup; type: rustup target add {WASM}");
    }
    // rustup may end with an odd word although it worked, or wait long for a server: bounded, then looked at.
    let outcome = Step::new(format!("installing the {WASM} target"), "rustup")
        .args(["target", "add", WASM])
        .limit(Duration::from_secs(300))
        .run();
    if installed() {
        return Ok(());
    }
    outcome.and_then(|()| bail!("it is still missing")).with_context(|| format!("type: rustup target add {WASM}"))
}

fn ensure_wasm_bindgen() -> Result<()> {
    let wanted = locked_version("wasm-bindgen")?;
    let found = util::output_of("wasm-bindgen", &["--version"]);
    if found.as_deref().and_then(|text| text.split_whitespace().nth(1)) == Some(wanted.as_str()) {
        return Ok(());
    }
    // Without --locked: the lock file shipped with the tool names versions that were withdrawn.
    Step::new(format!("installing wasm-bindgen-cli {wanted} (about 5 minutes, once)"), "cargo")
        .args(["install", "wasm-bindgen-cli", "--version", &format!("={wanted}")])
        .run()
        .with_context(|| format!("type: cargo install wasm-bindgen-cli --version ={wanted}"))
}

fn ensure_trunk() -> Result<()> {
    let found = util::output_of("trunk", &["--version"]);
    if found.as_deref().and_then(|text| text.split_whitespace().nth(1)) == Some(TRUNK) {
        return Ok(());
    }
    let args = ["install", "trunk", "--version", TRUNK, "--locked", "--no-default-features", "--features", "rustls"];
    // Its own profile optimises across all its crates, which doubles the wait; it only starts other programs.
    Step::new(format!("installing trunk {TRUNK} (about 4 minutes, once)"), "cargo")
        .args(args)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .run()
        .with_context(|| format!("type: cargo {}", args.join(" ")))
}

/// A Python with pandas, DuckDB and pyarrow for the tests that compare with them: that of `ORRERY_PYTHON`, else one in the target
/// folder, made where it is missing. `None`, and a word why, where that can't be had: those tests skip then.
pub(crate) fn ensure_python() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("ORRERY_PYTHON") {
        return Some(PathBuf::from(python));
    }
    // Whole paths: tests run in the folders of their crates.
    let folder = util::root().join(util::target_dir()).join("python");
    let python = folder.join(if cfg!(windows) { "Scripts" } else { "bin" }).join("python");
    let has = |modules: &str| util::output_of(&python.to_string_lossy(), &["-c", &format!("import {modules}")]).is_some();
    if has("pandas, duckdb, pyarrow") {
        return Some(python);
    }
    // Neither may hold the lane up for long, or fail it: a machine without network has the other tests.
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let outcome = Step::new("making a Python for the tests (once)", "python3")
        .args(["-m", "venv"])
        .args([&folder])
        .limit(minutes(2))
        .run()
        .and_then(|()| {
            Step::new("installing pandas, duckdb and pyarrow (once)", &python.to_string_lossy())
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"])
                .args(["pandas", "duckdb", "pyarrow"])
                .limit(minutes(6))
                .run()
        });
    if let Err(error) = outcome {
        println!("   no Python for the tests that compare with pandas or DuckDB: {error:#}");
    }
    has("pandas").then_some(python)
}

/// Makes sure that `cargo +nightly fuzz` can be run.
pub(crate) fn ensure_fuzzer() -> Result<()> {
    let nightly = util::output_of("rustup", &["toolchain", "list"]).is_some_and(|list| list.contains("nightly"));
    if !nightly {
        bail!("no nightly toolchain; type: rustup toolchain install nightly --profile minimal");
    }
    if util::output_of("cargo", &["fuzz", "--version"]).is_some() {
        return Ok(());
    }
    Step::new("installing cargo-fuzz (about 2 minutes, once)", "cargo")
        .args(["install", "cargo-fuzz"])
        .limit(Duration::from_secs(900))
        .run()
        .context("type: cargo install cargo-fuzz")
}

/// Makes sure that Debian packages are there, by the program or file that each brings.
pub(crate) fn ensure_debian(needs: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = needs
        .iter()
        .filter(|(file, _)| !(util::on_path(file) || std::path::Path::new(file).exists()))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get update && apt-get install -y {}", missing.join(" "));
    let is_root = util::output_of("id", &["-u"]).as_deref() == Some("0");
    if !(is_root && util::on_path("apt-get")) {
        bail!("missing: {}; type, as root: {by_hand}", missing.join(", "));
    }
    Step::new("reading the package lists", "apt-get").args(["update", "-qq"]).run()?;
    Step::new(format!("installing {}", missing.join(" ")), "apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(&missing)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
        .with_context(|| format!("type: {by_hand}"))
}

/// The version of a package in Cargo.lock.
fn locked_version(package: &str) -> Result<String> {
    let lock: toml::Table = std::fs::read_to_string(util::root().join("Cargo.lock"))?.parse()?;
    lock.get("package")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .find(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package))
        .and_then(|entry| entry.get("version").and_then(toml::Value::as_str))
        .map(str::to_owned)
        .with_context(|| format!("Cargo.lock names no {package}"))
}

/// Installs what drives browsers where it is not there yet; answers the folder of the browser suite.
pub(crate) fn ensure_playwright() -> Result<PathBuf> {
    let folder = util::root().join("tests").join("browser");
    if !folder.join("node_modules").join("playwright-core").is_dir() {
        let step = Step::new("installing playwright-core", "npm").args(["ci", "--no-audit", "--no-fund", "--prefix"]);
        step.args([&folder]).run()?;
    }
    Ok(folder)
}

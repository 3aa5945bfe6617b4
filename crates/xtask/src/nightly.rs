//! The lane of long checks: properties with many cases, fuzzing for a bounded time, the soak. What is not there is skipped aloud.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::util::{self, Step};
use crate::web::Quality;
use crate::{demo, tools};

/// Seconds that each fuzz target gets, where `ORRERY_FUZZ_SECONDS` says nothing else.
const FUZZ_SECONDS: u64 = 120;

/// All of it, the likeliest to fail first.
pub(crate) fn run() -> Result<()> {
    let python = tools::ensure_python();
    let mut tests = Step::new("long tests", "cargo").args(["test", "--release", "--workspace", "--no-default-features"]);
    tests = tests.env("ORRERY_LONG_TESTS", "1");
    if let Some(python) = &python {
        tests = tests.env("ORRERY_PYTHON", python);
    }
    tests.run()?;
    fuzz()?;
    soak()
}

/// Every target of `fuzz/Cargo.toml` for a while, beginning with the kept inputs. New ones stay in the target folder; one that
/// fails its check ends the lane, and its file is named by the fuzzer.
fn fuzz() -> Result<()> {
    if let Err(error) = tools::ensure_fuzzer() {
        println!("   SKIPPED (no fuzzer): {error:#}");
        return Ok(());
    }
    let seconds = std::env::var("ORRERY_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(FUZZ_SECONDS);
    let found = util::target_dir().join("fuzz-found");
    for target in fuzz_targets()? {
        let found = found.join(&target);
        let kept = util::root().join("fuzz").join("corpus").join(&target);
        for folder in [&found, &kept] {
            std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
        }
        Step::new(format!("fuzzing {target} for {seconds} s"), "cargo")
            .args(["+nightly", "fuzz", "run", &target])
            .args([&found, &kept])
            .args(["--", &format!("-max_total_time={seconds}"), "-print_final_stats=1", "-verbosity=0"])
            .args(limits(&target))
            .env("CARGO_TARGET_DIR", util::target_dir().join("fuzz"))
            // The first target builds everything anew, with the sanitizer.
            .limit(Duration::from_secs(seconds + 30 * 60))
            .run()?;
    }
    Ok(())
}

/// The longest input, the longest time for one and the most memory.
fn limits(target: &str) -> [&'static str; 3] {
    match target {
        // The Parquet decoder reserves what a page claims to unpack to, at most 2 GiB.
        "samples_parquet" => ["-max_len=1024", "-timeout=30", "-rss_limit_mb=5000"],
        _ => ["-max_len=1024", "-timeout=10", "-rss_limit_mb=2048"],
    }
}

fn fuzz_targets() -> Result<Vec<String>> {
    let manifest: toml::Table = std::fs::read_to_string(util::root().join("fuzz").join("Cargo.toml"))?.parse()?;
    let targets = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(targets.filter_map(|target| target.get("name")?.as_str().map(str::to_owned)).collect())
}

/// Many signals for minutes into the gateway with browsers attached.
fn soak() -> Result<()> {
    let script = Path::new("tests").join("soak").join("soak.mjs");
    if !util::root().join(&script).is_file() {
        println!("   SKIPPED (no soak): there is no {}", script.display());
        return Ok(());
    }
    tools::ensure_debian(&[("chromium", "chromium"), ("npm", "npm")])?;
    let (gateway, _) = demo::build(Quality::Release)?;
    tools::ensure_playwright()?;
    Step::new("soak", "node").args([&script]).env("ORRERY_BIN", &gateway).limit(Duration::from_secs(45 * 60)).run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fuzz_target_is_found_and_has_its_file_and_kept_inputs() {
        let targets = fuzz_targets().unwrap_or_default();
        assert!(targets.len() >= 10, "{targets:?}");
        for target in targets {
            let folder = util::root().join("fuzz");
            assert!(folder.join("fuzz_targets").join(format!("{target}.rs")).is_file(), "{target}");
            assert!(
                std::fs::read_dir(folder.join("corpus").join(&target)).is_ok_and(|mut files| files.next().is_some()),
                "{target}"
            );
        }
    }
}

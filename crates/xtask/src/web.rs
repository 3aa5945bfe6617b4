//! Builds the page: trunk for the bundle, then hashed names and precompressed files for the gateway.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::util::{self, Step};
use crate::{stamp, tools};

/// How much work goes into a small bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    /// What is shipped: fat link-time optimisation, names removed, brotli 11.
    Release,
    /// For the edit-reload loop: quick to build, large, not compressed.
    Dev,
}

impl Quality {
    /// `--dev` asks for the quick one; release is the default.
    pub(crate) fn from_args(args: &[String]) -> Self {
        if args.iter().any(|arg| arg == "--dev") { Self::Dev } else { Self::Release }
    }

    /// Name of the cargo profile for wasm.
    pub(crate) const fn wasm_profile(self) -> &'static str {
        match self {
            Self::Release => "wasm-release",
            Self::Dev => "wasm-dev",
        }
    }

    /// The release profile is named in index.html, where a bare `trunk build --release` finds it too.
    fn trunk_args(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["build", "--release", "--offline", "true", "--dist"],
            Self::Dev => &["build", "--cargo-profile", "wasm-dev", "--offline", "true", "--dist"],
        }
    }

    /// Its folder within `dist/`.
    const fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "dev",
        }
    }
}

/// Builds the page unless nothing changed; returns its folder.
pub(crate) fn build(quality: Quality) -> Result<PathBuf> {
    build_with(quality, quality.folder(), &[])
}

/// Builds the page with more in its environment, into a folder of its own within `dist/`; returns that folder.
pub(crate) fn build_with(quality: Quality, folder: &str, environment: &[(&str, String)]) -> Result<PathBuf> {
    let dist = util::root().join("dist").join(folder);
    let now = stamp::of_inputs(&format!("{quality:?} {} {environment:?}", dist.display()))?;
    let name = format!("web-{folder}");
    if stamp::is_current(&name, &now) && dist.join("index.html").is_file() {
        println!("── the page is up to date");
        return Ok(dist);
    }
    tools::ensure_for_page()?;
    let start = Instant::now();
    let staging = dist.with_extension("staging");
    let step = Step::new(format!("building the page ({})", quality.wasm_profile()), "trunk")
        .args(quality.trunk_args())
        .args([&staging])
        .env("NO_COLOR", "true");
    environment.iter().fold(step, |step, (key, value)| step.env(key, value)).run()?;
    let effort = if quality == Quality::Release { "release" } else { "dev" };
    Step::new("naming files by content and compressing them", "node")
        .args([util::root().join("web/pack.mjs").as_os_str(), staging.as_os_str(), effort.as_ref()])
        .run()?;
    if dist.exists() {
        std::fs::remove_dir_all(&dist).with_context(|| format!("can't replace {}", dist.display()))?;
    }
    std::fs::rename(&staging, &dist).with_context(|| format!("can't move the page to {}", dist.display()))?;
    stamp::remember(&name, &now)?;
    println!("── the page is built: {} in {}", dist.display(), util::seconds(start.elapsed()));
    Ok(dist)
}

//! `cargo demo`: build what is missing, start the demo plant, print one address, stop cleanly.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::util::{self, Step};
use crate::web::{self, Quality};

struct Options {
    quality: Quality,
    site: String,
    listen: Option<String>,
    browser: bool,
    build_only: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            quality: Quality::from_args(args),
            site: "assets/sites/bottling/site.toml".to_owned(),
            listen: None,
            browser: true,
            build_only: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--release" | "--dev" => {}
                "--site" => options.site = args.next().context("--site wants a folder or a site.toml")?.clone(),
                "--listen" => options.listen = Some(args.next().context("--listen wants an address")?.clone()),
                "--no-browser" => options.browser = false,
                "--build-only" => options.build_only = true,
                other => bail!("unknown option '{other}'; see: cargo xtask help"),
            }
        }
        Ok(options)
    }
}

/// Builds and serves the demo.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    let (gateway, dist) = build(options.quality)?;
    if options.build_only {
        return Ok(());
    }
    let mut command = Command::new(gateway);
    command.current_dir(util::root()).arg("serve").arg(&options.site);
    if options.quality == Quality::Dev {
        command.arg("--web").arg(dist);
    }
    if let Some(listen) = &options.listen {
        command.args(["--listen", listen]);
    }
    if options.browser && (std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some()) {
        command.arg("--open");
    }
    // Ctrl-C reaches the gateway too (same terminal); it stops cleanly and we end with it.
    let status = command.status().context("can't start the gateway")?;
    if status.success() { Ok(()) } else { bail!("the gateway ended with {status}") }
}

/// The gateway's program and the page's folder.
pub(crate) fn build(quality: Quality) -> Result<(PathBuf, PathBuf)> {
    let dist = web::build(quality)?;
    let mut step =
        Step::new("building the gateway", "cargo").args(["build", "--release", "--package", "gateway", "--bin", "orrery"]);
    if quality == Quality::Release {
        // Embedded, so that one file is the whole server.
        step = step.env("ORRERY_WEB_DIST", &dist);
    }
    step.run()?;
    Ok((util::target_dir().join("release").join("orrery"), dist))
}

//! The page built ahead of its lane, beside the lanes before it: half of that build is one thread that optimises across all crates, in
//! whose time the other core had nothing to do.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{tools, util};

/// A build of the shipped page that is under way. Ends it when dropped.
pub(crate) struct Page {
    build: Child,
    /// What it prints, so that it stands in one piece.
    log: PathBuf,
}

impl Page {
    /// Begins.
    pub(crate) fn begin() -> Result<Self> {
        // The lanes beside it want it, too, and it is not installed twice at once.
        tools::ensure_wasm_target()?;
        std::fs::create_dir_all(util::target_dir())?;
        let log = util::target_dir().join("page.log");
        let file = File::create(&log).with_context(|| format!("can't write {}", log.display()))?;
        let mut build = Command::new(std::env::current_exe()?);
        build.arg("web").current_dir(util::root()).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        println!("── building the page beside the next lanes; what it prints follows in the browser lane");
        Ok(Self { build: build.spawn().context("can't begin to build the page")?, log })
    }

    /// Waits for its end, and prints what it printed.
    ///
    /// # Errors
    /// Where it failed.
    pub(crate) fn finish(mut self) -> Result<()> {
        println!("── waiting for the page");
        let status = self.build.wait()?;
        print!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        if !status.success() {
            bail!("the page could not be built ({status}); again with: cargo xtask web");
        }
        Ok(())
    }
}

impl Drop for Page {
    /// Where a lane before it failed.
    fn drop(&mut self) {
        if matches!(self.build.try_wait(), Ok(None)) {
            self.build.kill().ok();
            self.build.wait().ok();
        }
    }
}

//! Running other programs with a clear word before, and a clear error after.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Top folder of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Whether this is a build server: `CI=true`.
pub(crate) fn on_build_server() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Where cargo puts what it builds. With `CI=true` outside the checkout, so that fresh clones share it.
pub(crate) fn target_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("CARGO_TARGET_DIR") {
        return PathBuf::from(dir);
    }
    if on_build_server() {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
        if let Some(cache) = cache {
            return cache.join("orrery").join("target");
        }
    }
    root().join("target")
}

/// Whether a program of that name is on the PATH.
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// What a program prints, trimmed, or nothing where it can't be run.
pub(crate) fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(root()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// One program run as one step.
pub(crate) struct Step {
    what: String,
    command: Command,
    limit: Option<Duration>,
}

impl Step {
    /// A step described by `what` that runs `program` in the project's top folder.
    pub(crate) fn new(what: impl Into<String>, program: &str) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root()).env("CARGO_TARGET_DIR", target_dir()).stdin(Stdio::null());
        Self { what: what.into(), command, limit: None }
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Ends the program after this long.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Runs it, its output going where ours goes.
    pub(crate) fn run(mut self) -> Result<()> {
        println!("── {}", self.what);
        let start = Instant::now();
        let mut child =
            self.command.spawn().with_context(|| format!("{}: can't start {:?}", self.what, self.command.get_program()))?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if self.limit.is_some_and(|limit| start.elapsed() > limit) {
                child.kill()?;
                child.wait()?;
                bail!("{} took longer than {} s and was ended", self.what, start.elapsed().as_secs());
            }
            std::thread::sleep(Duration::from_millis(30));
        };
        if !status.success() {
            bail!("{} failed ({status}): {:?}", self.what, self.command);
        }
        Ok(())
    }
}

/// Seconds as people read them.
pub(crate) fn seconds(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    if s < 60.0 { format!("{s:.1} s") } else { format!("{}:{:02} min", s as u64 / 60, s as u64 % 60) }
}

//! Runs the time store and its peers on the same load, one process each, and prints one table per size.
//!
//! `cargo run --release --manifest-path benches/time_store/Cargo.toml -- [SIGNALSxSECONDS …] [--json] [--only NAME,…]`.
//! Builds `benches/rerun` (some 300 crates, minutes the first time) and runs `benches/duckdb/peer.py` with the Python that
//! `PYTHON` names (needs `pip install duckdb numpy`). Ends with 1 where a peer could not run or answers differ.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use time_store_peers::table::{Ratio, markdown, ratios};
use time_store_peers::{Figures, Peer, Plan, maps::Maps, measure, orrery::Orrery, sqlite::Sqlite};

/// Peers in the order of the table; the first is ours.
const PEERS: [&str; 5] = ["orrery", "btreemap", "rerun", "duckdb", "sqlite"];
/// Sizes without arguments: many signals for an hour, few signals for a day.
const SIZES: [(usize, i64); 2] = [(1_000, 3_600), (40, 86_400)];
const SEED: u64 = 1;

/// What the command line asks for.
struct Args {
    sizes: Vec<(usize, i64)>,
    json: bool,
    only: Option<Vec<String>>,
    /// In a child process: the peer and the folder of its plan.
    child: Option<(String, PathBuf)>,
}

#[derive(Serialize)]
struct Report {
    machine: String,
    runs: Vec<Run>,
}

/// One size.
#[derive(Serialize)]
struct Run {
    signals: usize,
    seconds: i64,
    peers: Vec<Figures>,
    ratios: Vec<Ratio>,
    /// Peers that could not run, and why.
    missing: Vec<(String, String)>,
    /// Peers whose answers differ from ours.
    disagree: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let args = parse(std::env::args().skip(1))?;
    if let Some((peer, folder)) = &args.child {
        let plan: Plan = serde_json::from_slice(&std::fs::read(folder.join("plan.json"))?)?;
        println!("{}", serde_json::to_string(&run_here(peer, &plan, folder)?)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut runs = Vec::new();
    for (signals, seconds) in &args.sizes {
        let run = run(&args, *signals, *seconds)?;
        if !args.json {
            people(&run);
        }
        runs.push(run);
    }
    let good = runs.iter().all(|run| run.missing.is_empty() && run.disagree.is_empty());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&Report { machine: machine(), runs })?);
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Args> {
    let mut args = Args { sizes: Vec::new(), json: false, only: None, child: None };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => args.json = true,
            "--only" => args.only = Some(words.next().context("--only needs names")?.split(',').map(str::to_owned).collect()),
            "--child" => {
                let (peer, folder) = (words.next().context("--child needs a peer")?, words.next().context("and a folder")?);
                args.child = Some((peer, PathBuf::from(folder)));
            }
            size => {
                let (signals, seconds) =
                    size.split_once('x').with_context(|| format!("{size}: want SIGNALSxSECONDS, as 1000x3600"))?;
                let (signals, seconds) = (signals.parse()?, seconds.parse()?);
                ensure!(signals > 0 && seconds > 0, "{size}: signals and seconds must be more than 0");
                args.sizes.push((signals, seconds));
            }
        }
    }
    for name in args.only.iter().flatten() {
        ensure!(PEERS.contains(&name.as_str()), "--only {name}: there are {}", PEERS.join(", "));
    }
    if args.sizes.is_empty() {
        args.sizes = SIZES.to_vec();
    }
    Ok(args)
}

/// Runs the peers of one size, each in a process of its own.
fn run(args: &Args, signals: usize, seconds: i64) -> Result<Run> {
    let plan = Plan::new(signals, seconds, SEED);
    let wanted = |name: &str| name == PEERS[0] || args.only.as_ref().is_none_or(|only| only.iter().any(|n| n == name));
    let mut run = Run { signals, seconds, peers: Vec::new(), ratios: Vec::new(), missing: Vec::new(), disagree: Vec::new() };
    for name in PEERS.into_iter().filter(|name| wanted(name)) {
        eprintln!("{signals} signals x {seconds} s: {name} …");
        let folder = Folder::new(name)?;
        match child(name, &plan, &folder.0) {
            Ok(figures) => run.peers.push(figures),
            Err(error) => run.missing.push((name.to_owned(), format!("{error:#}"))),
        }
    }
    ensure!(!run.missing.iter().any(|(name, _)| name == PEERS[0]), "our own run failed: {:?}", run.missing);
    let (ours, peers) = run.peers.split_first().context("nothing ran")?;
    run.ratios = ratios(ours, peers);
    run.disagree = peers.iter().filter(|peer| peer.answers != ours.answers).map(|peer| peer.peer.clone()).collect();
    Ok(run)
}

/// Starts a peer and reads its figures from the last line that it prints.
fn child(name: &str, plan: &Plan, folder: &Path) -> Result<Figures> {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no folder of benches")?;
    let mut command = match name {
        "rerun" => {
            let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
            cargo.args(["run", "--release", "--quiet", "--locked", "--manifest-path"]);
            cargo.arg(benches.join("rerun/Cargo.toml")).arg("--");
            cargo
        }
        "duckdb" => {
            plan.write(folder)?;
            let mut python = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned()));
            python.arg(benches.join("duckdb/peer.py"));
            python
        }
        _ => {
            let mut this = Command::new(std::env::current_exe()?);
            this.args(["--child", name]);
            this
        }
    };
    std::fs::write(folder.join("plan.json"), serde_json::to_vec(plan)?)?;
    // Below the checkout, so that cargo takes the project's own toolchain.
    command.current_dir(benches);
    let output = command.arg(folder).stderr(Stdio::inherit()).output().with_context(|| format!("can't start {command:?}"))?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    serde_json::from_str(text.lines().last().unwrap_or_default()).context("its last line is not its figures")
}

fn run_here(name: &str, plan: &Plan, folder: &Path) -> Result<Figures> {
    match name {
        "orrery" => measure("Orrery", plan, || Ok(Box::new(Orrery::new(plan)) as Box<dyn Peer>)),
        "btreemap" => measure("BTreeMap", plan, || Ok(Box::new(Maps::new(plan)) as Box<dyn Peer>)),
        "sqlite" => {
            let name = format!("SQLite {}", rusqlite::version());
            measure(&name, plan, || Ok(Box::new(Sqlite::new(plan, folder)?) as Box<dyn Peer>))
        }
        _ => bail!("no peer is named {name}"),
    }
}

fn people(run: &Run) {
    let Some((ours, peers)) = run.peers.split_first() else { return };
    println!("\n{}. In brackets: the peer's cost divided by ours; over 1 Orrery is ahead.\n", machine());
    println!("{}\n", markdown(&format!("{} signals x {} s at 1 Hz", run.signals, run.seconds), ours, peers));
    for figures in &run.peers {
        let [jumps, drags, ranges] = figures.reads;
        println!("* {}: {}. {jumps} jumps, {drags} steps, {ranges} ranges.", figures.peer, figures.note);
    }
    for (name, why) in &run.missing {
        println!("* {name} is missing: {why}");
    }
    if run.disagree.is_empty() {
        let [jumps, drags, ranges] = &ours.answers;
        println!("* Same answers from all: {} jumps, {} steps, {} ranges compared.", jumps.len(), drags.len(), ranges.len());
    } else {
        println!("* DIFFERENT ANSWERS from {}: their figures mean nothing.", run.disagree.join(", "));
    }
}

/// Cores and processor, as the system names them.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    format!("{cores} cores, {}", name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()))
}

/// A folder that goes with the run.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("orrery-peers-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("can't make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is a file in a folder for temporary things.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

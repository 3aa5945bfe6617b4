//! The command line: arguments in, exit codes out. 0: done; 1: done, with findings; 2: could not be done.

mod access;
mod backup;
mod bench;
mod bench_disk;
mod bench_durable;
mod bench_rows;
mod bench_sparse;
mod bench_time;
mod bench_view;
mod check;
mod client;
mod compile;
mod door;
mod export;
mod feed;
mod file_size;
mod fsck;
mod history;
mod import;
mod keep;
mod publish;
mod record;
mod replay;
mod sender;
mod serve;
mod state;
mod whatif;
mod when;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use twin_model::Timestamp;
use twin_site::Severity;

use crate::recording::Reading;
use crate::site::Site;
use crate::then::{JudgeBy, Kept};
use crate::{GatewayError, term};

pub use serve::ServeArgs;
pub use state::state_json;
use when::instant;

/// A living plant in the browser: serve it, check it, ask it, record it.
#[derive(Debug, Parser)]
#[command(name = "orrery", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves a site: the page, its history and its live stream
    Serve(serve::ServeArgs),
    /// Finds everything that is wrong with a site
    Check(check::CheckArgs),
    /// Compiles a site into what viewers get: a manifest, and pieces that never change
    Compile(compile::CompileArgs),
    /// Writes a site with its history and the page as files that any web server hands out
    Publish(publish::PublishArgs),
    /// Prints the health of every twin at an instant, with the reasons
    State(state::StateArgs),
    /// Writes a recording of a site: what is published of it, its history and what arrives from now on
    Record(record::RecordArgs),
    /// Writes samples as one table, Parquet or CSV
    Export(export::ExportArgs),
    /// Puts samples from Parquet and CSV tables into the history of a data folder
    ImportSamples(import::ImportArgs),
    /// Serves a recording
    Replay(replay::ReplayArgs),
    /// Computes what would happen if knobs were turned
    Whatif(whatif::WhatifArgs),
    /// Copies the history of a data folder, also while a server writes it
    Backup(backup::BackupArgs),
    /// Checks the history of a data folder piece by piece, and mends it
    Fsck(fsck::FsckArgs),
    /// Lists the series of a data folder; gives one another id, or removes it
    History(history::HistoryArgs),
    /// Makes tokens for `serve --access`
    Access(access::AccessArgs),
    /// Measures the codec, the time store and the server on this machine
    Bench(bench::BenchArgs),
}

/// Runs the program's own arguments.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs a command line, program name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let is_for_errors = error.use_stderr();
            // Help and version come this way too and are no failure.
            let printed = error.print();
            let lost = printed.err().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe && !is_for_errors);
            lost.iter().for_each(not_printed);
            return ExitCode::from(if is_for_errors || lost.is_some() { 2 } else { 0 });
        }
    };
    crate::log::listen();
    file_size::limits_are_errors();
    // Whether somebody can read what a server prints says nothing about how it ran.
    let serves = matches!(cli.command, Command::Serve(_) | Command::Replay(_));
    let result = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::State(args) => state::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Export(args) => export::run(&args),
        Command::ImportSamples(args) => import::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Whatif(args) => whatif::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Fsck(args) => fsck::run(&args),
        Command::History(args) => history::run(&args),
        Command::Access(args) => access::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    let unsaid = term::unsaid();
    unsaid.into_iter().for_each(not_printed);
    match result {
        Ok(_) if unsaid.is_some() && !serves => ExitCode::from(2),
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            term::note(&format!("error: {}", chain(&error)));
            ExitCode::from(2)
        }
    }
}

/// Says that whoever asked did not get all of the answer.
fn not_printed(why: &std::io::Error) {
    term::note(&format!(
        "error: what was asked for can't be written to standard output; check where it goes and the space left there\n  because: {why}"
    ));
}

/// The message and its causes, each on a line of its own.
fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join("\n  because: ")
}

fn span(text: &str) -> Result<twin_model::Span, String> {
    text.parse().map_err(|e: twin_model::TimeError| e.to_string())
}

/// Reads a replay speed: a positive number, or `max`.
fn speed(text: &str) -> Result<f64, String> {
    match text {
        "max" => Ok(f64::INFINITY),
        number => {
            let parsed: Option<f64> = number.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0);
            parsed.ok_or_else(|| format!("'{number}' is not a speed; write a positive number (1 is real time), or max"))
        }
    }
}

/// The site argument that most commands take.
#[derive(Debug, clap::Args)]
struct SiteArg {
    /// Site file, or a folder with a site.toml
    #[arg(value_name = "SITE")]
    site: PathBuf,
    #[command(flatten)]
    allow: AllowArgs,
}

impl SiteArg {
    /// See [`usable`].
    fn usable(&self) -> Result<(Site, usize), GatewayError> {
        usable(&self.site, &self.allow)
    }
}

/// Faults of a site file that are told one by one.
const FAULTS: usize = 20;

/// A site that is good enough to run, and how many errors its file has. They are told: a rule or a source that is left out would else be missed
/// by nobody, and what it judges or feeds be shown as if all were well.
fn usable(site: &Path, allow: &AllowArgs) -> Result<(Site, usize), GatewayError> {
    let site = Site::read_usable_with(site, &allow.allow_dir)?;
    let errors = || site.loaded.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    errors().take(FAULTS).for_each(|finding| term::note(&finding.to_string()));
    let count = errors().count();
    if count > FAULTS {
        term::note(&format!("and {} more; orrery check names them all", count - FAULTS));
    }
    Ok((site, count))
}

/// A data folder. Whoever names the database in it is told so before anything else is looked for beside it.
fn data_folder() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path: PathBuf| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let words = || format!("it is a file; name the data folder that it is in: {}", folder.display());
        if path.is_file() { Err(words()) } else { Ok(path) }
    })
}

/// By which revision of a site something is judged.
#[derive(Debug, clap::Args)]
struct ThenArgs {
    /// Folder with the site's revisions (`serve --cache`); default: publication in the data folder
    #[arg(long, value_name = "DIR", conflicts_with = "recording")]
    cache: Option<PathBuf>,
    /// The site as it was at that instant, or as its file is now
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    judge_by: JudgeBy,
}

/// Where it cannot be told how the site was.
const NOT_THEN: &str = "how the site was then can't be read; --judge-by now takes its file as it is now";

impl ThenArgs {
    /// As which of its revisions a recording is read for an instant: its newest is how its site is now.
    fn reading(&self, at: Timestamp) -> Reading<'static> {
        match self.judge_by {
            JudgeBy::Then => Reading::At(at),
            JudgeBy::Now => Reading::Newest,
        }
    }

    /// Where revisions may lie.
    fn kept(&self, data: Option<&Path>) -> Kept {
        match (&self.cache, data) {
            (Some(folder), _) => Kept::Named(folder.clone()),
            (None, Some(data)) => Kept::Beside(serve::publication_in(data)),
            (None, None) => Kept::Nowhere,
        }
    }
}

/// Where a site may read from.
#[derive(Debug, clap::Args)]
struct AllowArgs {
    /// Another folder that the site may name files in, beside its own; may be repeated
    #[arg(long, value_name = "DIR")]
    allow_dir: Vec<PathBuf>,
}

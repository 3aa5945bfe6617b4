//! `orrery fsck`: every piece of a data folder looked at, and mended where asked. Its JSON is a contract (docs/CLI.md).

use std::path::PathBuf;

use anyhow::Result;
use twin_model::{TimeRange, Timestamp};

use crate::history::fsck::{Report, check};
use crate::term;

/// Arguments of `orrery fsck`.
#[derive(Debug, clap::Args)]
pub(super) struct FsckArgs {
    /// Data folder of `orrery serve --data`
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Moves what is damaged aside and computes anew what can be; no server may use the folder
    #[arg(long)]
    repair: bool,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &FsckArgs) -> Result<u8> {
    let report = check(&args.data, args.repair)?;
    if args.json {
        term::say(&serde_json::to_string_pretty(&report)?);
    } else {
        people(&report);
    }
    Ok(report.exit_code())
}

fn people(report: &Report) {
    for finding in &report.findings {
        term::say(&format!("{}: {}: {}", finding.code, finding.subject, finding.message));
        term::say(&format!("  {}", if finding.mended { "mended" } else { finding.help }));
    }
    if report.lost() {
        let when = report.lost_us.map_or_else(String::new, |[first, last]| {
            format!(" {}", term::stretch(TimeRange::new(Timestamp::from_micros(first), Timestamp::from_micros(last))))
        });
        term::say(&format!(
            "lost: {} samples{when}{}",
            report.lost_samples,
            match report.lost_uncounted {
                0 => String::new(),
                pieces => format!(", and those of {pieces} pieces that nobody can count"),
            }
        ));
    }
    for piece in &report.set_aside {
        term::say(&format!("set aside: {piece}"));
    }
    if report.unfinished_pages > 0 {
        term::say(&format!("{} pages of a write that was cut short are left out by the next start", report.unfinished_pages));
    }
    term::say(&format!(
        "{} findings; {} chunks with {} samples in {} bytes, {} journal entries",
        report.findings.len() as u64 + report.more,
        report.chunks,
        report.samples,
        report.bytes,
        report.journal_entries
    ));
}

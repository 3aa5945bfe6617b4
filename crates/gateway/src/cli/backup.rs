//! `orrery backup`: a copy of a data folder, also while a server writes it. Its JSON is a contract (docs/CLI.md).

use std::path::PathBuf;

use anyhow::Result;
use twin_model::{TimeRange, Timestamp};

use crate::history::backup;
use crate::term;

/// Arguments of `orrery backup`.
#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// Data folder of `orrery serve --data`
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Folder that gets the copy; it must not hold one
    #[arg(value_name = "TO")]
    to: PathBuf,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BackupArgs) -> Result<u8> {
    let done = backup(&args.data, &args.to)?;
    for remark in &done.remarks {
        term::warn(remark);
    }
    let code = u8::from(!done.left_out.is_empty());
    if args.json {
        term::say(&serde_json::to_string_pretty(&done)?);
        return Ok(code);
    }
    let of = done.extent_us.map_or_else(String::new, |[start, end]| {
        format!(" {}", term::stretch(TimeRange::new(Timestamp::from_micros(start), Timestamp::from_micros(end))))
    });
    term::say(&format!(
        "{}: {} chunks with {} samples{of}, {} journal entries, {} bytes; read back and whole; {} revisions of the site",
        done.file.display(),
        done.chunks,
        done.samples,
        done.journal_entries,
        done.bytes,
        done.revisions
    ));
    Ok(code)
}

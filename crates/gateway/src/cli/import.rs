//! `orrery import-samples`: tables into the history of a data folder. Its JSON is a contract (docs/CLI.md).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;
use twin_table::{TimeFormat, TimeSpec};

use crate::exchange::{Import, Named, Reason, Totals, history::OpenHistory};
use crate::term;

/// Arguments of `orrery import-samples`.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// Data folder of `orrery serve --data`; no server may be using it
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Parquet and CSV files of `orrery export`, or any with the columns signal, time and value
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ImportJson<'a> {
    #[serde(flatten)]
    totals: Totals,
    refused_by_reason: BTreeMap<Reason, u64>,
    first_refused: &'a [Named],
}

pub(super) fn run(args: &ImportArgs) -> Result<u8> {
    let site = args.site.usable()?;
    let times = TimeSpec { format: TimeFormat::Rfc3339, zone: site.loaded.times.zone, years: site.loaded.times.years };
    let model = Arc::new(site.loaded.model);
    let mut remarks = Vec::new();
    let mut history = OpenHistory::open(&model, &args.data, &mut remarks)?;
    for remark in &remarks {
        term::warn(remark);
    }
    let mut import = Import::new(&model, times, &mut history.store);
    for file in &args.files {
        import.table(file)?;
    }
    let (totals, changed) = (import.totals, import.changed());
    let out = ImportJson { totals, refused_by_reason: import.refused().collect(), first_refused: import.named() };
    let (json, named) = (serde_json::to_string_pretty(&out)?, import.named().to_vec());
    // Said only when it is true: on disk.
    if changed {
        history.save()?;
    }
    for row in &named {
        let Named { file, row, numbered, what, help, .. } = row;
        term::warn(&format!("{file}, {numbered} {row}: {what}; {help}"));
    }
    if args.json {
        term::say(&json);
    } else {
        term::say(&summary(&totals));
    }
    Ok(u8::from(totals.refused > 0))
}

fn summary(totals: &Totals) -> String {
    let Totals { rows, new, replaced, already_there, kept, refused } = totals;
    format!(
        "{rows} rows: {new} new, {replaced} replaced, {already_there} already there, {kept} kept as they were, {refused} refused"
    )
}

//! `orrery import-samples`: tables into the history of a data folder. Its JSON is a contract (docs/CLI.md).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;
use twin_table::time::FORMATS;
use twin_table::{CellRules, Codes, Encoding, NumberStyle, QualityReader, TimeFormat, TimeSpec, Zone};

use crate::exchange::{Import, Named, Noted, Odd, Reason, Rules, TimesSeen, Totals, history::OpenHistory};
use crate::site::Site;
use crate::term;

/// Arguments of `orrery import-samples`.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// Data folder of `orrery serve --data`; no server may be using it
    #[arg(long, value_name = "DIR", value_parser = super::data_folder())]
    data: PathBuf,
    /// Parquet and CSV files of `orrery export`, or any with the columns signal, time and value
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What separates the cells of CSV files: one character, or tab
    #[arg(long, value_name = "CHARACTER", default_value = ",")]
    separator: String,
    /// Encoding of CSV files without a byte order mark
    #[arg(long, value_name = "ENCODING", value_parser = Encoding::WORDS)]
    encoding: Option<String>,
    /// Zone of times without an offset: an IANA name, an offset, or UTC; default the site's time_zone
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// How times are written: a word or a pattern of docs/SITE.md, "Times"
    #[arg(long, value_name = "FORMAT", default_value = "rfc3339")]
    time_format: String,
    /// Decimal mark of numbers
    #[arg(long, value_name = "MARK", value_parser = [".", ","])]
    decimal: Option<String>,
    /// Mark between groups of three digits
    #[arg(long, value_name = "MARK", value_parser = [",", ".", " ", "'"])]
    thousands: Option<String>,
    /// What numbers for qualities mean
    #[arg(long, value_name = "CODES", value_parser = ["opc_ua", "opc_da"], default_value = "opc_ua")]
    quality: String,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

impl ImportArgs {
    fn rules(&self, site: &Site) -> Result<Rules> {
        let format = match TimeFormat::parse(&self.time_format, None) {
            Some(Ok(format)) => format,
            Some(Err(why)) => anyhow::bail!("--time-format: {why}"),
            None => anyhow::bail!(
                "--time-format: '{}' is not a time format; write {}, or a pattern like %d.%m.%Y %H:%M:%S",
                self.time_format,
                FORMATS.join(", ")
            ),
        };
        let own = self.zone.as_deref().map(Zone::new).transpose().map_err(|why| anyhow::anyhow!("--zone: {why}"))?;
        let zone = own.or_else(|| site.loaded.times.zone.clone());
        let mark = |mark: &Option<String>| mark.as_deref().and_then(|mark| mark.chars().next());
        let (decimal, thousands) = (mark(&self.decimal), mark(&self.thousands));
        // As in the site file: thousands of points mean a decimal comma.
        let usual = if thousands == Some('.') { ',' } else { '.' };
        let numbers =
            NumberStyle { decimal: decimal.unwrap_or(usual), thousands, declared: decimal.is_some() || thousands.is_some() };
        anyhow::ensure!(thousands != Some(numbers.decimal), "--decimal and --thousands can't be the same mark");
        let separator = match self.separator.as_bytes() {
            b"tab" | b"\\t" => b'\t',
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => *byte,
            _ => anyhow::bail!("--separator: '{}' cannot separate cells; write one character, or tab", self.separator),
        };
        let codes = if self.quality == "opc_da" { Codes::OpcDa } else { Codes::OpcUa };
        Ok(Rules {
            separator,
            encoding: self.encoding.as_deref().and_then(Encoding::parse),
            times: TimeSpec { format, zone, years: site.loaded.times.years },
            cells: CellRules { numbers, ..CellRules::default() },
            qualities: QualityReader { codes },
        })
    }
}

#[derive(Serialize)]
struct ImportJson<'a> {
    #[serde(flatten)]
    totals: Totals,
    refused_by_reason: BTreeMap<Reason, u64>,
    first_refused: &'a [Named],
    noted_by_kind: BTreeMap<Odd, u64>,
    first_noted: &'a [Noted],
    times: TimesJson,
}

#[derive(Serialize)]
struct TimesJson {
    #[serde(flatten)]
    seen: TimesSeen,
    /// The zone that times without an offset were read in.
    zone: Option<String>,
}

pub(super) fn run(args: &ImportArgs) -> Result<u8> {
    let (site, _) = args.site.usable()?;
    let rules = args.rules(&site)?;
    let zone = rules.times.zone.as_ref().map(|zone| zone.as_str().to_owned());
    let model = Arc::new(site.loaded.model);
    let mut remarks = Vec::new();
    let mut history = OpenHistory::open(&model, &args.data, &mut remarks)?;
    for remark in &remarks {
        term::warn(remark);
    }
    let mut import = Import::new(&model, rules, &mut history.store);
    for file in &args.files {
        import.table(file)?;
    }
    let (totals, changed) = (import.totals, import.changed());
    let times = TimesJson { seen: import.times_seen(), zone: zone.clone().filter(|_| import.times_seen().without_offset > 0) };
    let out = ImportJson {
        totals,
        refused_by_reason: import.refused().collect(),
        first_refused: import.named(),
        noted_by_kind: import.odd().collect(),
        first_noted: import.noted(),
        times,
    };
    let json = serde_json::to_string_pretty(&out)?;
    let (named, noted, seen) = (import.named().to_vec(), import.noted().to_vec(), import.times_seen());
    let odd: u64 = import.odd().map(|(_, count)| count).sum();
    // Said only when it is true: on disk.
    if changed {
        history.save(totals.new)?;
    }
    for row in &named {
        let Named { file, row, numbered, what, help, .. } = row;
        term::warn(&format!("{file}, {numbered} {row}: {what}; {help}"));
    }
    for row in &noted {
        let Noted { file, row, numbered, what, .. } = row;
        term::warn(&format!("{file}, {numbered} {row}: {what}"));
    }
    if let Some(words) = zone_words(seen, zone.as_deref()) {
        term::note(&words);
    }
    if args.json {
        term::say(&json);
    } else {
        term::say(&summary(&totals, odd));
    }
    Ok(u8::from(totals.refused > 0 || odd > 0))
}

/// Which clock times without an offset were taken for.
fn zone_words(seen: TimesSeen, zone: Option<&str>) -> Option<String> {
    let zone = zone.filter(|_| seen.without_offset > 0)?;
    let mut words = format!("{} times without an offset are read as {zone}", seen.without_offset);
    if seen.folds > 0 {
        words.push_str(&format!("; {} of the hour that comes twice in autumn, told apart by the order of rows", seen.folds));
    }
    if seen.guesses > 0 {
        words.push_str(&format!("; of {} of them nothing tells which it was, so that it is a guess", seen.guesses));
    }
    if seen.skipped > 0 {
        words.push_str(&format!("; {} of the hour that never comes in spring, read as if the clock had stayed", seen.skipped));
    }
    Some(words)
}

fn summary(totals: &Totals, odd: u64) -> String {
    let Totals { rows, new, replaced, already_there, kept, refused } = totals;
    let odd = if odd > 0 { format!(", {odd} remarks") } else { String::new() };
    format!(
        "{rows} rows: {new} new, {replaced} replaced, {already_there} already there, {kept} kept as they were, {refused} refused{odd}"
    )
}

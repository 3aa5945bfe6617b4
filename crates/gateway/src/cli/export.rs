//! `orrery export`: history as one table for other programs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use twin_engine::Computed;
use twin_historian::{Level, Store};
use twin_model::{Model, SignalIndex, TimeRange, Timestamp};
use twin_site::bind::Glob;

use super::usable;
use crate::exchange::{self, Format, history};
use crate::headless::{self, From};
use crate::recording::{self, Recording};
use crate::site::Site;
use crate::then::{Chosen, model_at};
use crate::{clock, term};

/// Arguments of `orrery export`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("from_where").required(true)))]
pub(super) struct ExportArgs {
    /// Site file, or a folder with a site.toml; not needed with --recording
    #[arg(value_name = "SITE", required_unless_present = "recording")]
    site: Option<PathBuf>,
    #[command(flatten)]
    allow: super::AllowArgs,
    /// Read the data folder of `orrery serve --data`; the server may be running
    #[arg(long, value_name = "DIR", value_parser = super::data_folder(), group = "from_where")]
    data: Option<PathBuf>,
    /// Read a recording, which holds its own site
    #[arg(long, value_name = "FILE", group = "from_where")]
    recording: Option<PathBuf>,
    #[command(flatten)]
    then: super::ThenArgs,
    /// Read the site's CSV files and run its generators, up to --to
    #[arg(long, group = "from_where")]
    sources: bool,
    /// First source time
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    from: Option<Timestamp>,
    /// First source time that is left out
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    to: Option<Timestamp>,
    /// Only signals whose id matches, like 'pump-*.flow'; may be given more than once
    #[arg(long, value_name = "GLOB")]
    signal: Vec<String>,
    /// Computed signals, too: a row for every sample of what they follow from, with the time from which the value held
    #[arg(long)]
    computed: bool,
    /// Default: by the ending of FILE; csv to standard output
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(args: &ExportArgs) -> Result<u8> {
    let format = format(args)?;
    let range = TimeRange::new(args.from.unwrap_or(Timestamp::MIN), args.to.unwrap_or(Timestamp::MAX));
    if range.is_empty() {
        bail!("--from is not before --to; nothing lies between them");
    }
    let (mut remarks, mut unusable) = (Vec::new(), 0);
    let exported = match (&args.recording, &args.site) {
        (Some(path), _) => {
            let recording = recording::read_as(path, args.then.reading(last_of(range)))?;
            named_by_recording(&recording, range);
            unusable += usize::from(recording.damaged);
            let store = history::of_recording(&recording, &mut remarks);
            remarks.extend(extracts(&store, range));
            write(args, recording.model(), &store, range, format)?
        }
        (None, Some(site)) => {
            let (site, faults) = usable(site, &args.allow)?;
            unusable += faults;
            let model = &named_by(args, &site, range)?;
            if let Some(folder) = &args.data {
                let (store, lacks) = history::read_about(model, &site.loaded.model, folder, range, &mut remarks)?;
                let signals = chosen(model, &args.signal)?;
                let asked = lacks.iter().filter(|lacks| lacks.signals.iter().any(|signal| signals.contains(signal)));
                for lacks in asked {
                    unusable += 1;
                    remarks.push(lacks.words(model));
                }
                remarks.extend(extracts(&store, range));
                write(args, model, &store, range, format)?
            } else {
                let to = args.to.unwrap_or_else(clock::wall);
                let filled = headless::fill_by(&site, model.clone(), &From::Sources, to, args.from.unwrap_or_else(clock::wall))?;
                remarks.extend(filled.remarks);
                unusable += filled.unusable;
                let store = filled.engine.reality().store();
                if store.thinned().is_some() {
                    remarks.push("the sources give more than fits in memory; the oldest samples were thinned".to_owned());
                }
                write(args, model, store, range, format)?
            }
        }
        (None, None) => bail!("name a site or a recording"),
    };
    for remark in &remarks {
        term::warn(remark);
    }
    let what = format!("{} samples of {} signals, {} bytes", exported.rows, exported.signals, exported.bytes);
    if exported.cut {
        term::note(&format!("{what} were given out when whoever read them went away; the rest was not written"));
    } else {
        term::note(&what);
    }
    Ok(u8::from(unusable > 0))
}

/// Says of which part of a range not every reading is kept any more.
fn extracts(store: &Store, range: TimeRange) -> Option<String> {
    let all: Vec<_> = store.coarse_in(range).collect();
    let stretch = term::stretch(TimeRange::new(all.first()?.0.start, all.last()?.0.end));
    let levels: BTreeSet<Level> = all.iter().map(|(_, level)| *level).collect();
    let levels: Vec<String> = levels.iter().map(Level::to_string).collect();
    Some(format!(
        "{stretch} there are stretches of which only extracts are kept ({}): some readings of each, each with its own time; the \
         others are gone",
        levels.join(", ")
    ))
}

/// The model that names what is in the table: of the revision in force at the range's end. Says which, where it is not the site's
/// of now.
fn named_by(args: &ExportArgs, site: &Site, range: TimeRange) -> Result<Model> {
    let Chosen { model, revision, remark } =
        model_at(site, &args.then.kept(args.data.as_deref()), last_of(range), args.then.judge_by).context(super::NOT_THEN)?;
    if let Some(remark) = remark {
        term::warn(&remark);
    } else if let Some(then) = revision.filter(|revision| !revision.now) {
        of_revision(then.number, then.valid_from, range);
    }
    Ok(model)
}

/// The last instant of a range.
fn last_of(range: TimeRange) -> Timestamp {
    Timestamp::from_micros(range.end.as_micros().saturating_sub(1))
}

/// Says which revision of a recording names what is in the table, where it is not the newest.
fn named_by_recording(recording: &Recording, range: TimeRange) {
    let newest = recording.manifests().last().map(|newest| newest.revision);
    if let Some(shown) = recording.manifest().filter(|shown| Some(shown.revision) != newest) {
        of_revision(shown.revision, shown.valid_from, range);
    }
}

/// Says that an earlier revision names what is in the table.
fn of_revision(number: u64, valid_from: Timestamp, range: TimeRange) {
    let earlier = if range.start < valid_from { "; what lies before that is named by it, too" } else { "" };
    term::note(&format!(
        "signals and units are those of revision {number}, valid from {valid_from}, which was in force at the end of the range{earlier}"
    ));
}

fn write(args: &ExportArgs, model: &Model, store: &Store, range: TimeRange, format: Format) -> Result<exchange::Exported> {
    let signals = chosen(model, &args.signal)?;
    let computed = args.computed.then(|| Computed::new(model));
    if computed.is_none() && !args.signal.is_empty() && signals.iter().all(|signal| model.is_computed(*signal)) {
        term::warn("what was chosen is computed from other signals and kept nowhere; --computed derives it");
    }
    Ok(exchange::export(model, (store, computed.as_ref()), &signals, range, format, &args.output)?)
}

fn format(args: &ExportArgs) -> Result<Format> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let ending = args.output.extension().map(|ending| ending.to_ascii_lowercase());
    match ending.as_ref().and_then(|ending| ending.to_str()) {
        Some("parquet") => Ok(Format::Parquet),
        Some("csv") => Ok(Format::Csv),
        _ if args.output.as_os_str() == "-" => Ok(Format::Csv),
        _ => bail!("{} does not end in .parquet or .csv; name a --format", args.output.display()),
    }
}

/// The signals that match any pattern, in the site's order.
fn chosen(model: &Model, patterns: &[String]) -> Result<Vec<SignalIndex>> {
    let id = |signal: &SignalIndex| model.signal(*signal).id.as_str();
    let mut chosen = vec![patterns.is_empty(); model.signals().len()];
    for pattern in patterns {
        let glob = Glob::new(pattern);
        let mut any = false;
        for (signal, chosen) in model.signal_indices().zip(&mut chosen) {
            if glob.matches(id(&signal)) {
                (any, *chosen) = (true, true);
            }
        }
        if !any {
            let first: Vec<&str> = model.signals().iter().take(3).map(|signal| signal.id.as_str()).collect();
            bail!("no signal matches '{pattern}'; the site has {} signals, like {}", model.signals().len(), first.join(", "));
        }
    }
    Ok(model.signal_indices().zip(chosen).filter(|(_, chosen)| *chosen).map(|(signal, _)| signal).collect())
}

//! `orrery history`: which series a data folder keeps, and what only a person may do with them. Its JSON is a contract (docs/CLI.md).

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;
use twin_model::Timestamp;

use crate::history::by_hand::{self, Listed, SeriesRow};
use crate::history::{FILE, PUBLICATION};
use crate::revisions::earlier;
use crate::site::Site;
use crate::term;

/// Arguments of `orrery history`.
#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Lists what is kept: id, kind of values, samples, extent, and whether the site has it; a server may be running
    List(ListArgs),
    /// Gives a series another id; where that has samples already, both become one only with --merge. No server may use the folder
    Rename(RenameArgs),
    /// Says in which unit the samples of a series are, or converts them. No server may use the folder
    Unit(UnitArgs),
    /// Removes a series and its samples for good. No server may use the folder
    Remove(RemoveArgs),
}

#[derive(Debug, clap::Args)]
struct WhereArgs {
    /// Data folder of `orrery serve --data`, or a site whose data folder --data names
    #[arg(value_name = "SITE|DIR")]
    place: PathBuf,
    /// Data folder, where a site is named
    #[arg(long, value_name = "DIR", value_parser = super::data_folder())]
    data: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Only what the site does not have
    #[arg(long, requires = "data")]
    absent: bool,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct RenameArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Id as it is, `<twin>.<signal>`
    #[arg(value_name = "FROM")]
    from: String,
    /// Id as it shall be
    #[arg(value_name = "TO")]
    to: String,
    /// Where TO has samples already, make both one series; this can't be undone
    #[arg(long)]
    merge: bool,
    /// Of different samples of one instant keep the later received only
    #[arg(long, requires = "merge")]
    yes: bool,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct UnitArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Id of the series, as `orrery history list` has it
    #[arg(value_name = "ID")]
    id: String,
    /// Its unit
    #[arg(value_name = "UNIT")]
    unit: String,
    /// Compute the values anew from the unit that they are in; without it they stay what they are
    #[arg(long)]
    convert: bool,
    /// Where the signal has other readings of the same instants in that unit, keep the later received only
    #[arg(long)]
    yes: bool,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct RemoveArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Id of the series, `<twin>.<signal>`
    #[arg(value_name = "ID")]
    id: String,
    /// Its samples are gone after this
    #[arg(long)]
    yes: bool,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ListJson {
    series: Vec<SeriesRow>,
}

#[derive(Serialize)]
struct RenameJson<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(flatten)]
    done: by_hand::Renamed,
}

#[derive(Serialize)]
struct RemoveJson<'a> {
    id: &'a str,
    removed: u64,
}

impl WhereArgs {
    /// The data folder, and the site where one was named.
    fn read(&self) -> Result<(&Path, Option<Site>)> {
        match &self.data {
            Some(data) => Ok((data, Some(Site::read_usable(&self.place)?))),
            // A site is no data folder, though it may look like one to whoever forgot --data.
            None if self.place.is_file() || self.place.join("site.toml").exists() && !self.place.join(FILE).exists() => {
                bail!("{} holds no {FILE}; name a data folder, or a site and its --data", self.place.display())
            }
            None => Ok((&self.place, None)),
        }
    }
}

pub(super) fn run(args: &HistoryArgs) -> Result<u8> {
    match &args.what {
        What::List(args) => list(args),
        What::Rename(args) => rename(args),
        What::Unit(args) => unit(args),
        What::Remove(args) => remove(args),
    }
}

fn list(args: &ListArgs) -> Result<u8> {
    let (folder, site) = args.place.read()?;
    let Listed { mut series, remarks, unreadable } = by_hand::list(folder, site.as_ref().map(|site| &site.loaded.model))?;
    for remark in &remarks {
        term::warn(remark);
    }
    if unreadable > 0 {
        term::warn(&format!(
            "{unreadable} pieces of saved history can't be read; their samples are in no row (`orrery fsck` lists them)"
        ));
    }
    let code = u8::from(unreadable > 0);
    if args.absent {
        series.retain(|row| row.in_site == Some(false));
    }
    if args.json {
        term::say(&serde_json::to_string_pretty(&ListJson { series })?);
        return Ok(code);
    }
    let time = |us: Option<i64>| us.map_or_else(|| "-".to_owned(), |us| Timestamp::from_micros(us).to_string());
    let site = |in_site: Option<bool>| match in_site {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    let cells = |row: &SeriesRow| {
        let numbers = [row.samples.to_string(), time(row.first_us), time(row.last_us)];
        let [samples, first, last] = numbers;
        let unit = row.unit.clone().unwrap_or_else(|| "-".to_owned());
        vec![row.id.clone(), row.kind.to_owned(), unit, samples, first, last, site(row.in_site).to_owned()]
    };
    let rows: Vec<Vec<String>> = series.iter().map(cells).collect();
    term::say(&term::table(&["series", "kind", "unit", "samples", "first", "last", "in site"], &rows));
    Ok(code)
}

fn rename(args: &RenameArgs) -> Result<u8> {
    let (folder, site) = args.place.read()?;
    let (from, to) = (args.from.as_str(), args.to.as_str());
    let allowed = by_hand::Allowed { merge: args.merge, overwrite: args.yes };
    let done = by_hand::rename(folder, from, to, allowed)?;
    if let Some(site) = site.filter(|site| site.loaded.model.find_signal(to).is_none()) {
        term::warn(&format!("{} has no signal {to}; it is shown when it has one", site.file_name()));
    }
    if args.json {
        term::say(&serde_json::to_string_pretty(&RenameJson { from, to, done })?);
    } else if done.merged {
        let gone = match done.overwritten {
            0 => String::new(),
            instants => format!("; at {instants} instants only the later received of two different values is left"),
        };
        term::say(&format!("{from} is part of {to} now: {} samples moved{gone}", done.moved));
    } else {
        term::say(&format!("{from} is {to} now: {} samples", done.moved));
    }
    Ok(0)
}

fn unit(args: &UnitArgs) -> Result<u8> {
    let (folder, site) = args.place.read()?;
    let how = crate::history::How { convert: args.convert, overwrite: args.yes };
    let done = crate::history::relabel(folder, &args.id, &args.unit, how)?;
    let model = site.as_ref().map(|site| (&site.loaded.model, site.file_name()));
    if let Some((model, name)) = model
        && let Some(signal) = model.find_signal(&done.id).map(|signal| model.signal(signal))
        && !signal.unit.0.is_empty()
        && !twin_model::unit::alike(&signal.unit.0, &done.unit)
    {
        let (id, unit) = (&done.id, &signal.unit.0);
        term::warn(&format!("{name} has {id} in {unit}; what is in {} is shown when it has it in that", done.unit));
    }
    let then = earlier::other_units(&folder.join(PUBLICATION), &done.id, &done.unit);
    if let (Some((first, said)), Some((last, _))) = (then.first(), then.last()) {
        let which = if first == last { format!("revision {first}") } else { format!("revisions {first} to {last}") };
        term::warn(&format!(
            "the site of {which} has it in {said}: `state` and `export` of that time leave these readings out (--judge-by now shows them); \
             a page shows that time by today's site"
        ));
    }
    if args.json {
        term::say(&serde_json::to_string_pretty(&done)?);
        return Ok(0);
    }
    let crate::history::Relabelled { id, from, unit, samples, converted, overwritten } = &done;
    let gone = match overwritten {
        0 => String::new(),
        instants => format!("; at {instants} instants only the later received of two different values is left"),
    };
    let from = from.as_deref().filter(|from| !from.is_empty()).unwrap_or("no unit");
    let how = if *converted { "converted from" } else { "which said" };
    term::say(&format!("{id} is in {unit} now, {how} {from}: {samples} samples{gone}"));
    Ok(0)
}

fn remove(args: &RemoveArgs) -> Result<u8> {
    let (folder, _) = args.place.read()?;
    let id = args.id.as_str();
    if !args.yes {
        bail!(
            "this removes every sample of {id} from {} for good; say --yes to do it (`orrery backup` copies first)",
            folder.display()
        );
    }
    let removed = by_hand::remove(folder, id)?;
    if args.json {
        term::say(&serde_json::to_string_pretty(&RemoveJson { id, removed })?);
    } else {
        term::say(&format!("{id} is removed: {removed} samples"));
    }
    Ok(0)
}

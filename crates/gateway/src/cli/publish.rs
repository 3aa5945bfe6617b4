//! `orrery publish`: a site with its history and the page, as files that any web server hands out.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use twin_model::{Span, TimeRange, Timestamp};
use twin_publication::{PieceRef, PublishedHistory};
use twin_site::check::{CheckReport, Finding};

use crate::page::Page;
use crate::publish::{self, Compiled};
use crate::revisions::folder::{Change, MANIFEST, Since};
use crate::revisions::target::{Target, Written};
use crate::static_site::beside;
use crate::static_site::past::Past;
use crate::{clock, term};

/// Where the copy of history lies while it is read.
const WORK: &str = ".history";

/// Arguments of `orrery publish`.
#[derive(Debug, clap::Args)]
pub(super) struct PublishArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// History of the data folder of `orrery serve --data`, which may be running; without it what the site's own sources have
    #[arg(long, value_name = "DIR", value_parser = super::data_folder())]
    data: Option<PathBuf>,
    /// Folder to write, which a web server then hands out; made where there is none, brought up to date where it is one
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Folder of the page to lay beside it, instead of the program's own
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// Takes pieces away that nothing in the folder names any more, once they are so old, for example 7d
    #[arg(long, value_name = "AGE", value_parser = super::span)]
    prune: Option<Span>,
    /// When a new revision begins, instead of now: for tests
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    at: Option<Timestamp>,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &PublishArgs) -> Result<u8> {
    let site = crate::site::Site::read_usable_with(&args.site.site, &args.site.allow.allow_dir)?;
    let page = Page::of_program(args.web.as_deref(), std::env::current_exe().ok().as_deref());
    if !page.exists() {
        bail!(
            "there is no page to lay beside the plant: --web names the folder of a built one (cargo demo --build-only makes it)"
        );
    }
    may_write(&args.output)?;
    let since = args.at.map_or_else(|| Since::Clock(clock::wall()), Since::Fixed);
    let Compiled { mut publication, report } =
        publish::compile(&site, args.at.unwrap_or_else(clock::wall)).context("the site can't be compiled")?;
    let target = Target::open(&args.output)?;
    let past = match &args.data {
        Some(data) => Past::of_data(&site, data, &args.output.join(WORK))?,
        None => Past::of_sources(&site)?,
    };
    for remark in &past.remarks {
        term::warn(remark);
    }
    beside::lay(&page, &args.output)?;
    let mut made = Made::default();
    let history = past.publish(&mut |piece, bytes| {
        let new = target.piece(piece, bytes)?;
        made.note(piece, new);
        Ok(())
    })?;
    let bytes = history.write().context("history can't be listed")?;
    let piece = PieceRef::of(&bytes);
    publication.pieces.insert(piece.hash, bytes.into());
    publication.manifest.history = Some(piece);
    let revisions = args.data.as_deref().map(super::serve::publication_in).filter(|folder| folder.join(MANIFEST).exists());
    target.list_revisions()?;
    let written = target.write(publication, revisions.as_deref(), since)?;
    for remark in &written.left_out {
        term::warn(remark);
    }
    written.pieces.iter().for_each(|piece| made.note(*piece, true));
    beside::lay_index(&page, &args.output)?;
    if let Some(age) = args.prune {
        made.pruned = prune(&target, &history, age)?;
    }
    if args.json {
        term::say(&serde_json::to_string_pretty(&made.json(&written, &history, &report))?);
    } else {
        people(args, &written, &history, &made, &report);
    }
    Ok(report.exit_code().max(u8::from(past.unusable + written.left_out.len() > 0)))
}

/// Nobody's files are written over: a folder is empty, or holds a publication.
fn may_write(folder: &Path) -> Result<()> {
    if folder.join(MANIFEST).exists() {
        return Ok(());
    }
    let mut entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("can't look into {}", folder.display())),
    };
    // What a publish left that did not come to its end: its pieces are used again.
    let foreign = entries.find(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        !name.starts_with('.') && !["pieces", "revisions", "revisions.json"].contains(&&*name) && !is_of_page(&name)
    });
    match foreign {
        Some(entry) => bail!(
            "{} holds {}, which is not of a publication; name an empty folder",
            folder.display(),
            entry.file_name().to_string_lossy()
        ),
        None => Ok(()),
    }
}

/// Files of a page that was laid without a manifest.
fn is_of_page(name: &str) -> bool {
    let ending = name.trim_end_matches(".gz").rsplit('.').next();
    let hashed = ["boot", "viewer", "style", "icon"].iter().any(|known| name.starts_with(known));
    hashed && matches!(ending, Some("js" | "css" | "wasm" | "svg"))
}

/// Takes away what whoever opened the page so long ago may still have asked for, and nobody since.
fn prune(target: &Target, history: &PublishedHistory, age: Span) -> Result<usize> {
    let parts = history.levels.iter().flat_map(|level| &level.pages).flat_map(|page| &page.parts);
    Ok(target.prune(parts.map(|part| part.hash).collect(), clock::wall() - age)?)
}

/// Counts what is written.
#[derive(Default)]
struct Made {
    pruned: usize,
    parts: u64,
    bytes: u64,
    new: u64,
    new_bytes: u64,
}

impl Made {
    fn note(&mut self, piece: PieceRef, new: bool) {
        self.parts += 1;
        self.bytes += piece.bytes;
        if new {
            self.new += 1;
            self.new_bytes += piece.bytes;
        }
    }

    fn json<'a>(&self, written: &'a Written, history: &PublishedHistory, report: &'a CheckReport) -> Json<'a> {
        let manifest = &written.manifest;
        Json {
            site: &manifest.site.id,
            revision: manifest.revision,
            valid_from: manifest.valid_from.to_string(),
            changed: written.change.as_str(),
            history: HistoryJson {
                from: history.extent.map(|extent| extent.start.to_string()),
                to: history.extent.map(|_| history.now.to_string()),
                pages: pages(history),
                samples: samples(history),
            },
            written: self.new,
            written_bytes: self.new_bytes,
            pruned: self.pruned,
            left_out: &written.left_out,
            findings: &report.findings,
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    site: &'a str,
    revision: u64,
    valid_from: String,
    changed: &'static str,
    history: HistoryJson,
    written: u64,
    written_bytes: u64,
    pruned: usize,
    left_out: &'a [String],
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct HistoryJson {
    from: Option<String>,
    to: Option<String>,
    pages: usize,
    samples: u64,
}

fn pages(history: &PublishedHistory) -> usize {
    history.levels.iter().map(|level| level.pages.len()).sum()
}

/// Of the finest level, where all are.
fn samples(history: &PublishedHistory) -> u64 {
    history.levels.first().into_iter().flat_map(|level| &level.pages).map(|page| page.samples).sum()
}

fn people(args: &PublishArgs, written: &Written, history: &PublishedHistory, made: &Made, report: &CheckReport) {
    super::check::findings(report);
    let folder = args.output.display();
    let of = match written.change {
        Change::Revision => format!("revision {}", written.manifest.revision),
        Change::Remarks | Change::Nothing => format!("revision {}, as before", written.manifest.revision),
    };
    term::say(&match history.extent {
        Some(extent) => format!(
            "{folder}: {of}, history {} ({} samples in {} pages)",
            term::stretch(TimeRange::new(extent.start, history.now)),
            samples(history),
            pages(history)
        ),
        None => format!("{folder}: {of}, without history"),
    });
    let gone = if made.pruned > 0 { format!("; {} old ones taken away", made.pruned) } else { String::new() };
    term::say(&format!("{} pieces written, with {} bytes{gone}", made.new, made.new_bytes));
    term::say("any web server can hand it out, for example: python3 -m http.server --directory FOLDER");
}

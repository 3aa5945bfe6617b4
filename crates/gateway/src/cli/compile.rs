//! `orrery compile`: a site into a folder that any file server can hand out.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;
use twin_model::Timestamp;
use twin_publication::Manifest;
use twin_site::check::{CheckReport, Finding};

use crate::publish::{self, Compiled};
use crate::revisions::folder::{Change, Since};
use crate::revisions::target::{self, Written};
use crate::{clock, term};

/// Arguments of `orrery compile`.
#[derive(Debug, clap::Args)]
pub(super) struct CompileArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// Folder of the publication; made where there is none
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// When a new revision begins, instead of now: for a change that was made at another time, and for tests
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    at: Option<Timestamp>,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CompileArgs) -> Result<u8> {
    // Faults are told with all other findings, below.
    let site = crate::site::Site::read_usable_with(&args.site.site, &args.site.allow.allow_dir)?;
    let now = clock::wall();
    let Compiled { publication, report } =
        publish::compile(&site, args.at.unwrap_or(now)).context("the site can't be compiled")?;
    let written = target::write(&args.output, publication, args.at.map_or(Since::Clock(now), Since::Fixed))?;
    if args.json {
        term::say(&serde_json::to_string_pretty(&Made::of(&written, &report))?);
    } else {
        people(args, &written, &report);
    }
    Ok(report.exit_code())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Made<'a> {
    site: &'a str,
    revision: u64,
    valid_from: String,
    changed: &'static str,
    bytes: u64,
    written_bytes: u64,
    pieces: Vec<Piece>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Piece {
    kind: &'static str,
    sha256: String,
    bytes: u64,
    written: bool,
}

impl<'a> Made<'a> {
    fn of(written: &'a Written, report: &'a CheckReport) -> Self {
        let manifest = &written.manifest;
        let piece = |(kind, piece): (twin_publication::PieceKind, twin_publication::PieceRef)| Piece {
            kind: kind.as_str(),
            sha256: piece.hash.to_string(),
            bytes: piece.bytes,
            written: written.pieces.contains(&piece),
        };
        Self {
            site: &manifest.site.id,
            revision: manifest.revision,
            valid_from: manifest.valid_from.to_string(),
            changed: written.change.as_str(),
            bytes: manifest.pieces().map(|(_, piece)| piece.bytes).sum(),
            written_bytes: written.pieces.iter().map(|piece| piece.bytes).sum(),
            pieces: manifest.pieces().map(piece).collect(),
            findings: &report.findings,
        }
    }
}

fn people(args: &CompileArgs, written: &Written, report: &CheckReport) {
    super::check::findings(report);
    let Manifest { revision, valid_from, .. } = &written.manifest;
    let folder = args.output.display();
    term::say(&match written.change {
        Change::Revision => format!("revision {revision} of {folder}, valid from {valid_from}"),
        Change::Remarks => format!("revision {revision} of {folder} stays, with other findings: the plant has not changed"),
        Change::Nothing => format!("revision {revision} of {folder} stays: nothing has changed"),
    });
    let pieces: Vec<_> = written.manifest.pieces().collect();
    let bytes: u64 = pieces.iter().map(|(_, piece)| piece.bytes).sum();
    let new: u64 = written.pieces.iter().map(|piece| piece.bytes).sum();
    let word = if pieces.len() == 1 { "piece" } else { "pieces" };
    term::say(&format!("{} {word} with {bytes} bytes; {} written, with {new} bytes", pieces.len(), written.pieces.len()));
}

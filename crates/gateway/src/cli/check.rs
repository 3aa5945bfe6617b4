//! `orrery check`: every finding about a site, for people or as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use twin_geometry::glb;
use twin_scene::geometry::SceneModel;
use twin_scene::merge::Placed;
use twin_site::check::{AssetState, CheckReport, check_with, too_far};

use crate::site::Site;
use crate::term;

/// Arguments of `orrery check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> Result<u8> {
    let site = Site::read_with(&args.site.site, &args.site.allow.allow_dir)?;
    let report = report(&site);
    if args.json {
        term::say(&serde_json::to_string_pretty(&report)?);
    } else {
        people(&report);
    }
    Ok(report.exit_code())
}

/// Loads every model of a site and checks everything against everything.
pub(crate) fn report(site: &Site) -> CheckReport {
    // One file may be placed many times; it is read once.
    let mut models: HashMap<&str, Result<Arc<SceneModel>, String>> = HashMap::new();
    for path in site.loaded.model_files() {
        models.insert(path, load(site, path).map(Arc::new));
    }
    let missing = Err("it was not read".to_owned());
    let states: Vec<AssetState<'_>> = site
        .loaded
        .assets
        .iter()
        .enumerate()
        .map(|(at, asset)| match models.get(asset.path.as_str()).unwrap_or(&missing) {
            Ok(scene) => AssetState::of(at, scene),
            Err(why) => AssetState::unreadable(why.clone()),
        })
        .collect();
    let mut beside = crate::sources::judge(site);
    beside.extend(crate::assemble::unknown_plants(site));
    let placed = site.loaded.assets.iter().enumerate().filter_map(|(at, asset)| {
        let model = models.get(asset.path.as_str())?.as_ref().ok()?;
        Some((at, Placed { model: Arc::clone(model), transform: asset.transform, twins: Vec::new() }))
    });
    beside.extend(too_far(&site.loaded, &placed.collect::<Vec<_>>()));
    check_with(&site.loaded, &states, beside)
}

fn load(site: &Site, path: &str) -> Result<SceneModel, String> {
    let bytes = site.read_file(path)?;
    let mut beside = |name: &str| site.read_beside(path, name);
    glb::load(&bytes, &mut beside, &glb::Limits::default()).map_err(|e| e.to_string())
}

fn people(report: &CheckReport) {
    for finding in &report.findings {
        let place = match (finding.line, finding.column) {
            (0, _) => finding.file.clone(),
            (line, 0) => format!("{}:{line}", finding.file),
            (line, column) => format!("{}:{line}:{column}", finding.file),
        };
        term::say(&format!("{place}: {}[{}]: {}", finding.severity, finding.code, finding.message));
        if !finding.help.is_empty() {
            term::say(&format!("  help: {}", finding.help));
        }
    }
    let count = |severity: &str| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let s = &report.summary;
    term::say(&format!(
        "{} errors, {} warnings, {} remarks; {} models with {} nodes ({} bound), {} twins ({} bound), {} signals",
        count("error"),
        count("warning"),
        count("info"),
        s.models,
        s.nodes,
        s.bound_nodes,
        s.twins,
        s.bound_twins,
        s.signals
    ));
}

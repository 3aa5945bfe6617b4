//! `orrery check`: everything that is wrong with a site, as data. Refuses to read files and to print.

use std::collections::HashMap;

use serde::Serialize;

use twin_model::TwinIndex;

use crate::LoadedSite;
use crate::bind::{AssetNodes, BindReport};
use crate::codes;
use crate::diag::{Diagnostic, Location, Severity};
use twin_scene::geometry::SceneModel;

mod far;

pub use far::too_far;

/// What became of one model file.
#[derive(Debug, Clone)]
pub struct AssetState<'a> {
    /// Its nodes; `Err` says in words for people why they could not be read.
    pub nodes: Result<AssetNodes<'a>, String>,
    /// Remarks of the model's reader.
    pub notes: Vec<String>,
    /// What the model's reader could not show as the file says.
    pub faults: Vec<String>,
}

impl<'a> AssetState<'a> {
    /// The state of a model that was read; `asset` is its position among the site's assets.
    pub fn of(asset: usize, model: &'a SceneModel) -> Self {
        let words =
            |matters: bool| model.warnings.iter().filter(move |it| it.matters == matters).map(ToString::to_string).collect();
        Self { nodes: Ok(AssetNodes::of(asset, model)), notes: words(false), faults: words(true) }
    }

    /// The state of a model that could not be read.
    pub fn unreadable(why: String) -> Self {
        Self { nodes: Err(why), notes: Vec::new(), faults: Vec::new() }
    }
}

/// One finding as machine output. The fields are a contract: they stay, others may be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// Stable code, listed in `docs/SITE.md`.
    pub code: &'static str,
    /// File name.
    pub file: String,
    /// Line from 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// Column from 1; 0 where the line as a whole is meant.
    pub column: u32,
    /// Whom it is about, for example a twin id or `model:node/path`.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// Counts for a first look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Placed models that could be read.
    pub models: usize,
    /// Nodes in them.
    pub nodes: usize,
    /// Nodes that belong to a twin.
    pub bound_nodes: usize,
    /// Twins.
    pub twins: usize,
    /// Twins with at least one node and something to see there.
    pub bound_twins: usize,
    /// Signals.
    pub signals: usize,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Findings: the site file's first, then per model.
    pub findings: Vec<Finding>,
    /// Counts.
    pub summary: Summary,
    #[serde(skip)]
    usable: bool,
}

impl CheckReport {
    /// 0: nothing to mend; 1: errors or warnings; 2: there is no site to show.
    pub fn exit_code(&self) -> u8 {
        if !self.usable { 2 } else { u8::from(self.findings.iter().any(|finding| finding.severity != Severity::Info.as_str())) }
    }
}

impl From<&Diagnostic> for Finding {
    fn from(found: &Diagnostic) -> Self {
        Self {
            severity: found.severity.as_str(),
            code: found.code,
            file: found.at.file.to_string(),
            line: found.at.line,
            column: found.at.column,
            subject: found.subject.clone(),
            message: found.message.clone(),
            help: found.help.clone(),
        }
    }
}

/// Checks a loaded site against its models: `states` has one entry per [`LoadedSite::assets`], in that order. A state that is
/// missing counts as not read.
pub fn check(site: &LoadedSite, states: &[AssetState<'_>]) -> CheckReport {
    check_with(site, states, Vec::new())
}

/// The same with findings of whoever read the other files that the site names (its tables), or placed its models ([`too_far`]).
pub fn check_with(site: &LoadedSite, states: &[AssetState<'_>], tables: Vec<Diagnostic>) -> CheckReport {
    let lists: Vec<AssetNodes<'_>> = states
        .iter()
        .enumerate()
        .filter_map(|(asset, state)| Some(AssetNodes { asset, nodes: state.nodes.as_ref().ok()?.nodes.clone() }))
        .collect();
    let report = site.bind(&lists);
    let mut found = site.diagnostics.clone();
    unreadable(site, states, &mut found);
    found.extend(tables);
    found.extend(report.problems.iter().cloned());
    unbound(site, &lists, &report, &mut found);
    let findings = found.iter().filter(|finding| !site.settings.allow.iter().any(|code| code == finding.code));
    CheckReport {
        findings: findings.map(Finding::from).collect(),
        summary: Summary {
            models: lists.len(),
            nodes: lists.iter().map(|list| list.nodes.len()).sum(),
            bound_nodes: report.bound_nodes(),
            twins: site.model.twins().len(),
            bound_twins: report.bound_twins(),
            signals: site.model.signals().len(),
        },
        usable: site.usable,
    }
}

/// One finding per file, however often it is placed.
fn unreadable(site: &LoadedSite, states: &[AssetState<'_>], found: &mut Vec<Diagnostic>) {
    let mut placed: HashMap<&str, Vec<&str>> = HashMap::new();
    for asset in &site.assets {
        placed.entry(asset.path.as_str()).or_default().push(asset.id.as_str());
    }
    for (at, asset) in site.assets.iter().enumerate() {
        let not_read = Err("it was not read".to_owned());
        let state = states.get(at);
        let nodes = state.map_or(&not_read, |state| &state.nodes);
        let notes = state.map_or(&[][..], |state| &state.notes).iter().map(|note| (Severity::Info, codes::MODEL_NOTE, note));
        let faults = state.map_or(&[][..], |state| &state.faults).iter();
        let remarks = faults.map(|fault| (Severity::Warning, codes::MODEL_INEXACT, fault)).chain(notes);
        let why = match nodes {
            Ok(_) => None,
            Err(why) => Some(why.as_str()),
        };
        let mut remarks = remarks.peekable();
        if why.is_none() && remarks.peek().is_none() {
            continue;
        }
        // Taken out by the first that tells about the file.
        let Some(placed) = placed.remove(asset.path.as_str()) else { continue };
        if let Some(why) = why {
            found.push(Diagnostic {
                severity: Severity::Error,
                code: codes::MODEL_UNREADABLE,
                at: asset.at.clone(),
                subject: asset.id.clone(),
                message: format!("cannot load '{}' for model {}: {why}", asset.path, placed.join(", ")),
                help: "check the path, which is relative to the site file; everything else still works".to_owned(),
            });
        }
        found.extend(remarks.map(|(severity, code, note)| Diagnostic {
            severity,
            code,
            at: asset.at.clone(),
            subject: asset.id.clone(),
            message: format!("'{}': {note}", asset.path),
            help: String::new(),
        }));
    }
}

fn unbound(site: &LoadedSite, lists: &[AssetNodes<'_>], report: &BindReport, found: &mut Vec<Diagnostic>) {
    for node in &report.unbound_nodes {
        let asset = lists.get(node.list).and_then(|list| site.assets.get(list.asset));
        let path = lists.get(node.list).and_then(|list| list.nodes.get(node.node)).map_or("", |node| node.shown_path());
        let Some(asset) = asset else { continue };
        found.push(Diagnostic {
            severity: Severity::Warning,
            code: codes::NODE_UNBOUND,
            at: asset.at.clone(),
            subject: format!("{}:{path}", asset.id),
            message: format!("node '{path}' of model '{}' belongs to no twin", asset.id),
            help: "bind it, or list it under 'background' of the model".to_owned(),
        });
    }
    let file = site.assets.first().map(|asset| asset.at.file.clone());
    let place = |twin: TwinIndex| {
        let at = Location { file: file.clone().unwrap_or_else(|| "".into()), line: 0, column: 0 };
        site.twin_locations.get(twin.at()).cloned().unwrap_or(at)
    };
    for (twin, node, look) in &report.invisible_twins {
        let list = lists.get(node.list);
        let model = list.and_then(|list| site.assets.get(list.asset)).map_or("", |asset| asset.id.as_str());
        let path = list.and_then(|list| list.nodes.get(node.node)).map_or("", |node| node.shown_path());
        let id = site.model.twin(*twin).id.to_string();
        found.push(Diagnostic {
            severity: Severity::Warning,
            code: codes::TWIN_INVISIBLE,
            at: place(*twin),
            message: format!("nothing of twin '{id}' can be seen at node '{path}' of model '{model}': {}", look.reason()),
            subject: id,
            help: "bind it to a node with surfaces, or export the model with them".to_owned(),
        });
    }
    for twin in &report.unbound_twins {
        let at = place(*twin);
        let id = site.model.twin(*twin).id.to_string();
        found.push(Diagnostic {
            severity: Severity::Warning,
            code: codes::TWIN_UNBOUND,
            at,
            message: format!("twin '{id}' has no node in any model"),
            subject: id,
            help: "bind it, or write bind = false if it has no geometry".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;

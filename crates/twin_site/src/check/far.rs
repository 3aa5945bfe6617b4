//! Nodes that no picture can hold together with the others, by name.

use crate::LoadedSite;
use crate::codes;
use crate::diag::{Diagnostic, Severity};
use twin_scene::merge::{Placed, list_parts};

/// Nodes of a model that are named; the rest is counted.
const NAMED: usize = 5;

/// A finding for every model with nodes that are not drawn because they are too far away, from all others or at all. `placed` are the
/// models that could be read with their places, each with its position among the site's assets.
pub fn too_far(site: &LoadedSite, placed: &[(usize, Placed)]) -> Vec<Diagnostic> {
    let scene: Vec<Placed> = placed.iter().map(|(_, placed)| placed.clone()).collect();
    let far = list_parts(&scene).too_far;
    let of_one = far.chunk_by(|a, b| a.0 == b.0);
    of_one.filter_map(|nodes| finding(site, placed.get(nodes.first()?.0 as usize)?, nodes)).collect()
}

fn finding(site: &LoadedSite, (asset, placed): &(usize, Placed), nodes: &[(u32, u32)]) -> Option<Diagnostic> {
    let asset = site.assets.get(*asset)?;
    let path = |node: u32| placed.model.nodes.get(node as usize).map(|node| node.alias.as_deref().unwrap_or(&node.path));
    let named: Vec<String> =
        nodes.iter().take(NAMED).filter_map(|(_, node)| path(*node)).map(|path| format!("'{path}'")).collect();
    let more = nodes.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (word, verb) = if nodes.len() == 1 { ("node", "is") } else { ("nodes", "are") };
    let message = format!(
        "{word} {}{more} of model '{}' would stand further away than any picture reaches, and {verb} not drawn",
        named.join(", "),
        asset.id
    );
    let help = "correct its translation, matrix or scale, or those above it; or unit, translate and scale of the model";
    Some(Diagnostic {
        severity: Severity::Warning,
        code: codes::MODEL_INEXACT,
        at: asset.at.clone(),
        subject: asset.id.clone(),
        message,
        help: help.to_owned(),
    })
}

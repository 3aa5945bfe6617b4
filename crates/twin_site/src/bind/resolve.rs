//! From bindings and node lists to one twin per node, and everything that does not fit.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value as Json;
use twin_model::{Model, TwinIndex};

use super::alike;
use super::glob::Glob;
use super::index::NodeIndex;
use crate::codes;
use crate::diag::{Diagnostic, Severity, closest};
use crate::{BindKey, BindingDef, ModelAsset};
use twin_scene::geometry::{Look, Node, SceneModel};

/// A node as bindings see it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeRef<'a> {
    /// Its name in the file; `None` where it has none.
    pub name: Option<&'a str>,
    /// The name of its mesh, where it has none itself. It counts where no node has that name.
    pub mesh_name: Option<&'a str>,
    /// Names from the root joined by `/`; `#<index>` stands for a missing name.
    pub path: &'a str,
    /// The path with the names of meshes in the place of missing names, where that differs. It counts where no node has that
    /// path.
    pub alias: Option<&'a str>,
    /// Position of its parent in the same list.
    pub parent: Option<u32>,
    /// Its extras, where it has any.
    pub extras: Option<&'a Json>,
    /// The extras of its mesh; they count for keys that its own extras do not have.
    pub mesh_extras: Option<&'a Json>,
    /// Whether it has geometry; only such nodes are reported as unbound.
    pub has_mesh: bool,
    /// What there is to see of it.
    pub look: Look,
}

impl<'a> NodeRef<'a> {
    /// The path that people see in other programs.
    pub fn shown_path(&self) -> &'a str {
        self.alias.unwrap_or(self.path)
    }
}

/// The nodes of one asset.
#[derive(Debug, Clone, Default)]
pub struct AssetNodes<'a> {
    /// Position in [`LoadedSite::assets`](crate::LoadedSite::assets).
    pub asset: usize,
    /// Its nodes.
    pub nodes: Vec<NodeRef<'a>>,
}

impl<'a> AssetNodes<'a> {
    /// The nodes of a loaded model, at the same positions. Nodes outside the shown scene keep their position and lose name
    /// and path, so that nothing binds to what nobody sees.
    pub fn of(asset: usize, model: &'a SceneModel) -> Self {
        let filled = |extras: &'a Json| Some(extras).filter(|extras| !extras.is_null());
        let node = |(node, look): (&'a Node, Look)| {
            let parent = node.parent.and_then(|parent| u32::try_from(parent).ok());
            if !node.in_scene {
                return NodeRef { parent, ..NodeRef::default() };
            }
            let mesh = node.mesh.and_then(|mesh| model.meshes.get(mesh));
            NodeRef {
                name: node.name.as_deref(),
                mesh_name: node.mesh_name.as_deref(),
                path: &node.path,
                alias: node.alias.as_deref(),
                parent,
                extras: filled(&node.extras),
                mesh_extras: mesh.and_then(|mesh| filled(&mesh.extras)),
                has_mesh: node.mesh.is_some(),
                look,
            }
        };
        Self { asset, nodes: model.nodes.iter().zip(model.looks()).map(node).collect() }
    }
}

/// A node: which list of those given, which node in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Position among the lists given to [`resolve`].
    pub list: usize,
    /// Position in that list.
    pub node: usize,
}

/// What [`resolve`] works on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The twins.
    pub model: &'a Model,
    /// The assets that bindings may name.
    pub assets: &'a [ModelAsset],
    /// The bindings.
    pub bindings: &'a [BindingDef],
    /// Twins that have no geometry on purpose.
    pub no_geometry: &'a [TwinIndex],
    /// Node lists of the assets that could be read.
    pub nodes: &'a [AssetNodes<'a>],
}

/// The twin of each node of one list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssetBinding {
    /// Position in [`LoadedSite::assets`](crate::LoadedSite::assets).
    pub asset: usize,
    /// One entry per node: its twin, its own or its nearest bound ancestor's.
    pub twins: Vec<Option<TwinIndex>>,
    /// One entry per node: whether a binding names the node itself.
    pub direct: Vec<bool>,
}

/// Result of [`resolve`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BindReport {
    /// One entry per list given, in that order.
    pub lists: Vec<AssetBinding>,
    /// Nodes with geometry and without a twin, apart from declared background.
    pub unbound_nodes: Vec<NodeId>,
    /// Twins without a node, apart from those without geometry on purpose; in model order.
    pub unbound_twins: Vec<TwinIndex>,
    /// Twins with nodes of which nothing can be seen, neither of these nodes nor of anything below them; with such a node and
    /// the reason, in model order.
    pub invisible_twins: Vec<(TwinIndex, NodeId, Look)>,
    /// Dangling, ambiguous, conflicting and outdated bindings, in the order of the site file.
    pub problems: Vec<Diagnostic>,
}

impl BindReport {
    /// How many twins have at least one node and something to see.
    pub fn bound_twins(&self) -> usize {
        let all: HashSet<TwinIndex> = self.lists.iter().flat_map(|list| list.twins.iter().flatten().copied()).collect();
        all.len() - self.invisible_twins.len()
    }

    /// How many nodes belong to a twin.
    pub fn bound_nodes(&self) -> usize {
        self.lists.iter().map(|list| list.twins.iter().flatten().count()).sum()
    }
}

/// Findings beyond this many get no suggestion: each costs a pass over all nodes.
const MAX_SEARCHES: usize = 50;

/// A twin's claim to a node: smaller rank is more exact.
#[derive(Debug, Clone, Copy)]
struct Claim {
    rank: u8,
    binding: usize,
}

/// Resolves all bindings. Costs about nodes plus matches: exact keys and globs with a fixed name use look-ups.
pub fn resolve(input: &Input<'_>) -> BindReport {
    let index = NodeIndex::new(input.nodes);
    let mut problems = Vec::new();
    let mut claims: BTreeMap<NodeId, Vec<Claim>> = BTreeMap::new();
    for (at, binding) in input.bindings.iter().enumerate() {
        for (node, rank) in choose(binding, input, &index, &mut problems) {
            claims.entry(node).or_default().push(Claim { rank, binding: at });
        }
    }
    let direct = settle(&claims, input, &index, &mut problems);
    let lists: Vec<AssetBinding> = input.nodes.iter().enumerate().map(|(list, asset)| inherit(list, asset, &direct)).collect();
    let unbound_nodes = unbound_nodes(input, &lists);
    let bound: HashSet<TwinIndex> = lists.iter().flat_map(|list| list.twins.iter().flatten().copied()).collect();
    let purposeful: HashSet<TwinIndex> = input.no_geometry.iter().copied().collect();
    let unbound_twins = input.model.twin_indices().filter(|twin| !bound.contains(twin) && !purposeful.contains(twin)).collect();
    let invisible_twins = invisible_twins(input, &lists);
    BindReport { lists, unbound_nodes, unbound_twins, invisible_twins, problems }
}

/// A twin shows something if one of its nodes does, or anything below them: a line of machines is seen in its machines.
fn invisible_twins(input: &Input<'_>, lists: &[AssetBinding]) -> Vec<(TwinIndex, NodeId, Look)> {
    let mut found: BTreeMap<TwinIndex, Option<(NodeId, Look)>> = BTreeMap::new();
    for (list, (asset, binding)) in input.nodes.iter().zip(lists).enumerate() {
        let seen = seen_below(asset);
        for (node, twin) in binding.twins.iter().enumerate() {
            let (Some(twin), Some(it)) = (twin, asset.nodes.get(node)) else { continue };
            let entry = found.entry(*twin).or_insert(Some((NodeId { list, node }, it.look)));
            match entry {
                Some(_) if seen.get(node) == Some(&true) => *entry = None,
                // A node with a mesh tells more about the reason than the group around it.
                Some((at, look)) if *look == Look::Nothing && it.look != Look::Nothing => {
                    (*at, *look) = (NodeId { list, node }, it.look);
                }
                _ => {}
            }
        }
    }
    found.into_iter().filter_map(|(twin, why)| why.map(|(node, look)| (twin, node, look))).collect()
}

/// Whether each node or anything below it is drawn.
fn seen_below(asset: &AssetNodes<'_>) -> Vec<bool> {
    let mut seen = vec![false; asset.nodes.len()];
    for (start, node) in asset.nodes.iter().enumerate().filter(|(_, node)| node.look == Look::Drawn) {
        let (mut at, mut above) = (Some(start), node.parent);
        while let Some(slot) = at.and_then(|at| seen.get_mut(at)).filter(|slot| !**slot) {
            *slot = true;
            at = above.map(|above| above as usize);
            above = at.and_then(|at| asset.nodes.get(at)).and_then(|node| node.parent);
        }
    }
    seen
}

const fn rank(key: &BindKey) -> u8 {
    match key {
        BindKey::Path(_) => 0,
        BindKey::GlobalId(_) => 1,
        BindKey::Name(_) => 2,
        BindKey::Extras(_) => 3,
        BindKey::Glob(_) => 4,
        BindKey::Whole => 5,
    }
}

const fn finds_one(key: &BindKey) -> bool {
    matches!(key, BindKey::Path(_) | BindKey::GlobalId(_) | BindKey::Name(_))
}

fn shown(key: &BindKey) -> String {
    match key {
        BindKey::Path(text) => format!("node \"{text}\""),
        BindKey::GlobalId(text) => format!("global_id \"{text}\""),
        BindKey::Name(text) => format!("name \"{text}\""),
        BindKey::Glob(text) => format!("glob \"{text}\""),
        BindKey::Extras(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            format!("extras {{ {} }}", pairs.join(", "))
        }
        BindKey::Whole => "the whole model".to_owned(),
    }
}

/// The nodes that a binding takes, each with the rank of its claim.
fn choose(binding: &BindingDef, input: &Input<'_>, index: &NodeIndex<'_>, problems: &mut Vec<Diagnostic>) -> Vec<(NodeId, u8)> {
    let wanted =
        |asset: usize| binding.model.as_ref().is_none_or(|model| input.assets.get(asset).is_some_and(|asset| asset.id == *model));
    let found: Vec<(&BindKey, Vec<NodeId>)> = binding.keys.iter().map(|key| (key, find(key, index, &wanted, input))).collect();
    let mut votes: BTreeMap<NodeId, (usize, u8, bool)> = BTreeMap::new();
    for (key, nodes) in &found {
        for node in nodes {
            let vote = votes.entry(*node).or_insert((0, u8::MAX, false));
            vote.0 += 1;
            vote.1 = vote.1.min(rank(key));
            vote.2 |= finds_one(key);
        }
    }
    let most = votes.values().map(|(count, ..)| *count).max().unwrap_or(0);
    let winners: Vec<(NodeId, u8, bool)> =
        votes.iter().filter(|(_, (count, ..))| *count == most).map(|(node, (_, rank, one))| (*node, *rank, *one)).collect();
    if winners.is_empty() {
        // A file that could not be read is one finding already; its bindings need not be one each.
        if all_readable(binding, input) {
            let search = problems.len() < MAX_SEARCHES;
            problems.push(dangling(binding, input, index, search));
        }
        return Vec::new();
    }
    if winners.len() > 1 && winners.iter().any(|(.., one)| *one) {
        let nodes: Vec<NodeId> = winners.iter().map(|(node, ..)| *node).collect();
        problems.push(ambiguous(binding, input, index, &nodes));
        return Vec::new();
    }
    // Lists of nodes are sorted, see `NodeIndex`.
    let lost = |nodes: &[NodeId]| !winners.iter().any(|(node, ..)| nodes.binary_search(node).is_ok());
    for (key, nodes) in found.iter().filter(|(_, nodes)| lost(nodes)) {
        let what = if nodes.is_empty() { "finds nothing" } else { "finds another node" };
        let message = format!("{} of twin '{}' {what}; the other keys decide", shown(key), name(binding, input));
        let help = "the model has changed: bring this key up to date or delete it".to_owned();
        problems.push(problem(Severity::Warning, codes::BINDING_OUTDATED, binding, input, message, help));
    }
    winners.into_iter().map(|(node, rank, _)| (node, rank)).collect()
}

fn find(key: &BindKey, index: &NodeIndex<'_>, wanted: &dyn Fn(usize) -> bool, input: &Input<'_>) -> Vec<NodeId> {
    let mut nodes = match key {
        BindKey::Path(path) => index.path(path).to_vec(),
        BindKey::Name(name) => index.name(name).to_vec(),
        BindKey::GlobalId(id) => index.global_id(id).to_vec(),
        BindKey::Extras(pairs) => index.extras(pairs),
        BindKey::Glob(pattern) => index.glob(pattern),
        BindKey::Whole => index.roots(wanted),
    };
    let here = |node: &NodeId| input.nodes.get(node.list).is_some_and(|list| wanted(list.asset));
    nodes.retain(here);
    if nodes.is_empty() {
        nodes = index.alike(key);
        nodes.retain(here);
    }
    nodes
}

/// Whether every asset that the binding may look in was read.
fn all_readable(binding: &BindingDef, input: &Input<'_>) -> bool {
    let read: HashSet<usize> = input.nodes.iter().map(|list| list.asset).collect();
    let meant = |asset: &ModelAsset| binding.model.as_ref().is_none_or(|model| asset.id == *model);
    input.assets.iter().enumerate().filter(|(_, asset)| meant(asset)).all(|(at, _)| read.contains(&at))
}

fn name(binding: &BindingDef, input: &Input<'_>) -> String {
    input.model.twins().get(binding.twin.at()).map_or_else(String::new, |twin| twin.id.to_string())
}

fn problem(
    severity: Severity,
    code: &'static str,
    binding: &BindingDef,
    input: &Input<'_>,
    message: String,
    help: String,
) -> Diagnostic {
    Diagnostic { severity, code, at: binding.at.clone(), subject: name(binding, input), message, help }
}

/// `search` says whether to look for a similar name, which costs a pass over all nodes.
fn dangling(binding: &BindingDef, input: &Input<'_>, index: &NodeIndex<'_>, search: bool) -> Diagnostic {
    let keys: Vec<String> = binding.keys.iter().map(shown).collect();
    let message = format!("{} finds no node for twin '{}'", keys.join(", "), name(binding, input));
    let similar = binding.keys.iter().filter(|_| search).find_map(|key| match key {
        BindKey::Path(text) => closest(text, index.paths()),
        BindKey::Name(text) => closest(text, index.names()),
        _ => None,
    });
    let help = match similar {
        Some(similar) => format!("did you mean '{similar}'?"),
        None => "compare with the node names of the model; 'orrery check' lists unbound nodes".to_owned(),
    };
    problem(Severity::Error, codes::BINDING_DANGLING, binding, input, message, help)
}

fn ambiguous(binding: &BindingDef, input: &Input<'_>, index: &NodeIndex<'_>, nodes: &[NodeId]) -> Diagnostic {
    let keys: Vec<String> = binding.keys.iter().map(shown).collect();
    let show = |node: &NodeId| {
        let asset =
            input.nodes.get(node.list).and_then(|list| input.assets.get(list.asset)).map_or("", |asset| asset.id.as_str());
        format!("{asset}:{}", index.node(*node).map_or("", |node| node.shown_path()))
    };
    let some: Vec<String> = nodes.iter().take(3).map(show).collect();
    let more = if nodes.len() > some.len() { ", \u{2026}" } else { "" };
    let message =
        format!("{} of twin '{}' fits {} nodes: {}{more}", keys.join(", "), name(binding, input), nodes.len(), some.join(", "));
    let help = "none is bound; add a key that only one of them has (node, model), or use glob if all are meant".to_owned();
    problem(Severity::Error, codes::BINDING_AMBIGUOUS, binding, input, message, help)
}

/// The twin of each claimed node; conflicts are reported once per pair of bindings.
fn settle(
    claims: &BTreeMap<NodeId, Vec<Claim>>,
    input: &Input<'_>,
    index: &NodeIndex<'_>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<NodeId, TwinIndex> {
    let mut direct = BTreeMap::new();
    let mut conflicts: BTreeMap<(usize, usize), (NodeId, usize)> = BTreeMap::new();
    for (node, claims) in claims {
        let best = claims.iter().map(|claim| claim.rank).min().unwrap_or(u8::MAX);
        let best: Vec<&Claim> = claims.iter().filter(|claim| claim.rank == best).collect();
        let twin = |claim: &Claim| input.bindings.get(claim.binding).map(|binding| binding.twin);
        let Some(first) = best.first() else { continue };
        match best.iter().find(|claim| twin(claim) != twin(first)) {
            Some(other) => conflicts.entry((first.binding, other.binding)).or_insert((*node, 0)).1 += 1,
            None => {
                direct.extend(twin(first).map(|twin| (*node, twin)));
            }
        }
    }
    for ((a, b), (node, count)) in conflicts {
        let (Some(a), Some(b)) = (input.bindings.get(a), input.bindings.get(b)) else { continue };
        let path = index.node(node).map_or("", |node| node.shown_path());
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        let message = format!("'{}' and '{}' both claim node '{path}'{more}", name(a, input), name(b, input));
        let help = format!("the node stays unbound; make one key more exact (the other is at {})", a.at);
        problems.push(problem(Severity::Error, codes::BINDING_CONFLICT, b, input, message, help));
    }
    direct
}

/// Every node takes the twin of its nearest bound ancestor. Parents may stand after their children in the list.
fn inherit(list: usize, asset: &AssetNodes<'_>, direct: &BTreeMap<NodeId, TwinIndex>) -> AssetBinding {
    let own = |node: usize| direct.get(&NodeId { list, node }).copied();
    let count = asset.nodes.len();
    let mut twins: Vec<Option<Option<TwinIndex>>> = vec![None; count];
    for start in 0..count {
        let (mut walk, mut at) = (Vec::new(), Some(start));
        let mut answer = None;
        while let Some(i) = at {
            match (twins.get(i), own(i)) {
                (Some(Some(known)), _) => answer = *known,
                (Some(None), Some(twin)) => {
                    walk.push(i);
                    answer = Some(twin);
                }
                // A list with a circle of parents ends here instead of never.
                (Some(None), None) if walk.len() <= count => {
                    walk.push(i);
                    at = asset.nodes.get(i).and_then(|node| node.parent).map(|parent| parent as usize);
                    continue;
                }
                _ => {}
            }
            break;
        }
        for i in walk {
            if let Some(slot) = twins.get_mut(i) {
                *slot = Some(answer);
            }
        }
    }
    let direct = (0..count).map(|node| own(node).is_some()).collect();
    AssetBinding { asset: asset.asset, twins: twins.into_iter().map(Option::flatten).collect(), direct }
}

fn unbound_nodes(input: &Input<'_>, lists: &[AssetBinding]) -> Vec<NodeId> {
    let mut unbound = Vec::new();
    for (list, (asset, binding)) in input.nodes.iter().zip(lists).enumerate() {
        let globs = input.assets.get(asset.asset).map_or(&[][..], |asset| &asset.background).iter();
        let background: Vec<Glob> = globs.map(|glob| Glob::new(&alike::composed(glob))).collect();
        for (node, (seen, twin)) in asset.nodes.iter().zip(&binding.twins).enumerate() {
            if seen.has_mesh
                && twin.is_none()
                && !background
                    .iter()
                    .any(|glob| alike::fits(glob, seen.path) || seen.alias.is_some_and(|alias| alike::fits(glob, alias)))
            {
                unbound.push(NodeId { list, node });
            }
        }
    }
    unbound
}

//! Look-ups over the nodes of all models, so that ten thousand bindings do not each walk a hundred thousand nodes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;
use twin_model::Value;

use super::alike::{self, Alike, What};
use super::glob::{Glob, Hint};
use super::resolve::{AssetNodes, NodeId, NodeRef};
use crate::BindKey;

/// Keys of extras under which exporters write an IFC GlobalId.
const GLOBAL_ID_KEYS: [&str; 5] = ["GlobalId", "globalId", "global_id", "ifcGlobalId", "guid"];

/// Nodes by path, name, GlobalId and extras. Lists are in the order of assets and nodes.
pub(crate) struct NodeIndex<'a> {
    assets: &'a [AssetNodes<'a>],
    by_path: HashMap<&'a str, Vec<NodeId>>,
    by_name: HashMap<&'a str, Vec<NodeId>>,
    /// The same by names of meshes, for nodes that have none: asked where no node is called so.
    by_alias: HashMap<&'a str, Vec<NodeId>>,
    by_mesh_name: HashMap<&'a str, Vec<NodeId>>,
    by_last: BTreeMap<&'a str, Vec<NodeId>>,
    /// By every piece of a path that the node adds to its parent's: one, or more where a name holds a `/`.
    by_own: HashMap<&'a str, Vec<NodeId>>,
    by_global_id: HashMap<&'a str, Vec<NodeId>>,
    by_extra: HashMap<(&'a str, String), Vec<NodeId>>,
    children: Vec<Vec<Vec<u32>>>,
    alike: Alike,
}

impl<'a> NodeIndex<'a> {
    pub(crate) fn new(assets: &'a [AssetNodes<'a>]) -> Self {
        let mut index = Self {
            assets,
            by_path: HashMap::new(),
            by_name: HashMap::new(),
            by_alias: HashMap::new(),
            by_mesh_name: HashMap::new(),
            by_last: BTreeMap::new(),
            by_own: HashMap::new(),
            by_global_id: HashMap::new(),
            by_extra: HashMap::new(),
            children: Vec::with_capacity(assets.len()),
            alike: Alike::default(),
        };
        for (list, asset) in assets.iter().enumerate() {
            let mut children = vec![Vec::new(); asset.nodes.len()];
            for (at, node) in asset.nodes.iter().enumerate() {
                let id = NodeId { list, node: at };
                let parent = node.parent.and_then(|parent| asset.nodes.get(parent as usize));
                index.add(id, node);
                index.add_pieces(id, node.path, parent.map_or("", |parent| parent.path));
                if let Some(alias) = node.alias {
                    index.add_pieces(id, alias, parent.map_or("", NodeRef::shown_path));
                }
                if let Some(siblings) = node.parent.and_then(|parent| children.get_mut(parent as usize)) {
                    siblings.push(u32::try_from(at).unwrap_or(u32::MAX));
                }
            }
            index.children.push(children);
        }
        index
    }

    /// Adds end and pieces of one of the paths of a node; what both of its paths have is listed once.
    fn add_pieces(&mut self, id: NodeId, path: &'a str, above: &str) {
        if path.is_empty() {
            return;
        }
        let once = |list: &mut Vec<NodeId>| {
            if list.last() != Some(&id) {
                list.push(id);
            }
        };
        once(self.by_last.entry(last(path)).or_default());
        for piece in path.strip_prefix(above).unwrap_or(path).split('/').filter(|piece| !piece.is_empty()) {
            once(self.by_own.entry(piece).or_default());
        }
    }

    fn add(&mut self, id: NodeId, node: &NodeRef<'a>) {
        // A node without a path is not shown: it keeps its position and is found by nothing.
        if node.path.is_empty() {
            return;
        }
        self.by_path.entry(node.path).or_default().push(id);
        self.alike.add(What::Path, node.path, id);
        if let Some(alias) = node.alias {
            self.by_alias.entry(alias).or_default().push(id);
            self.alike.add(What::Alias, alias, id);
        }
        if let Some(name) = node.mesh_name {
            self.by_mesh_name.entry(name).or_default().push(id);
            self.alike.add(What::MeshName, name, id);
        }
        if let Some(name) = node.name {
            self.alike.add(What::Name, name, id);
            self.alike.add(What::GlobalId, name, id);
            self.by_name.entry(name).or_default().push(id);
            self.by_global_id.entry(name).or_default().push(id);
        }
        let own = node.extras.and_then(Json::as_object);
        let mesh = node.mesh_extras.and_then(Json::as_object).into_iter().flatten();
        let more = mesh.filter(|(key, _)| own.is_none_or(|own| !own.contains_key(key.as_str())));
        for (key, value) in own.into_iter().flatten().chain(more) {
            if let Some(text) = canonical_json(value) {
                self.alike.add_extra(key, &text, id);
                self.by_extra.entry((key.as_str(), text)).or_default().push(id);
            }
            if let Json::String(text) = value
                && GLOBAL_ID_KEYS.contains(&key.as_str())
                && node.name != Some(text.as_str())
            {
                self.by_global_id.entry(text.as_str()).or_default().push(id);
                self.alike.add(What::GlobalId, text, id);
            }
        }
    }

    /// Nodes that a key finds by how their texts look; sorted. For where nothing has the very characters.
    pub(crate) fn alike(&self, key: &BindKey) -> Vec<NodeId> {
        let mut found = match key {
            BindKey::Path(text) => self.alike_text(text, [(What::Path, &self.by_path), (What::Alias, &self.by_alias)]),
            BindKey::Name(text) => self.alike_text(text, [(What::Name, &self.by_name), (What::MeshName, &self.by_mesh_name)]),
            BindKey::GlobalId(text) => {
                self.alike_text(text, [(What::GlobalId, &self.by_global_id), (What::MeshName, &self.by_mesh_name)])
            }
            BindKey::Extras(pairs) => self.alike_extras(pairs),
            BindKey::Glob(pattern) => self.alike_glob(pattern),
            BindKey::Whole => Vec::new(),
        };
        found.sort_unstable();
        found.dedup();
        found
    }

    fn alike_text(&self, text: &str, indices: [(What, &HashMap<&str, Vec<NodeId>>); 2]) -> Vec<NodeId> {
        let text = alike::composed(text);
        let of = |(what, index): (What, &HashMap<&str, Vec<NodeId>>)| {
            let same = index.get(&*text).map_or(&[][..], Vec::as_slice);
            [same, self.alike.text(what, &text)].concat()
        };
        indices.into_iter().map(of).find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn alike_extras(&self, wanted: &[(String, Value)]) -> Vec<NodeId> {
        let mut found: Option<Vec<NodeId>> = None;
        for (key, value) in wanted {
            let value = canonical(value);
            let (key, value) = (alike::composed(key), alike::composed(&value).into_owned());
            let alike = self.alike.extra(&key, &value);
            let same = self.by_extra.get(&(&*key, value)).map_or(&[][..], Vec::as_slice);
            let list = [same, alike].concat();
            found = Some(match found {
                None => list,
                Some(before) => before.into_iter().filter(|id| list.contains(id)).collect(),
            });
        }
        found.unwrap_or_default()
    }

    fn alike_glob(&self, pattern: &str) -> Vec<NodeId> {
        let composed = alike::composed(pattern);
        let mut found = if matches!(composed, Cow::Owned(_)) { self.glob(&composed) } else { Vec::new() };
        if !self.alike.is_empty() {
            let glob = Glob::new(&composed);
            found.extend(self.alike.candidates(&glob).into_iter().filter(|id| {
                let node = self.node(*id);
                node.is_some_and(|node| {
                    alike::fits(&glob, node.path) || node.alias.is_some_and(|alias| alike::fits(&glob, alias))
                })
            }));
        }
        found
    }

    pub(crate) fn path(&self, path: &str) -> &[NodeId] {
        first_of(path, [&self.by_path, &self.by_alias])
    }

    pub(crate) fn name(&self, name: &str) -> &[NodeId] {
        first_of(name, [&self.by_name, &self.by_mesh_name])
    }

    pub(crate) fn global_id(&self, id: &str) -> &[NodeId] {
        first_of(id, [&self.by_global_id, &self.by_mesh_name])
    }

    /// All paths, in the order of assets and nodes.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'a str> {
        self.assets.iter().flat_map(|asset| asset.nodes.iter().map(NodeRef::shown_path))
    }

    /// All names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.by_last.keys().copied()
    }

    /// Nodes that have every one of the values.
    pub(crate) fn extras(&self, wanted: &[(String, Value)]) -> Vec<NodeId> {
        let mut found: Option<Vec<NodeId>> = None;
        for (key, value) in wanted {
            let list = self.by_extra.get(&(key.as_str(), canonical(value))).map_or(&[][..], Vec::as_slice);
            found = Some(match found {
                None => list.to_vec(),
                Some(before) => before.into_iter().filter(|id| list.binary_search(id).is_ok()).collect(),
            });
        }
        found.unwrap_or_default()
    }

    /// Nodes whose path fits.
    pub(crate) fn glob(&self, pattern: &str) -> Vec<NodeId> {
        let glob = Glob::new(pattern);
        let fits = |id: &NodeId| {
            let node = self.node(*id).filter(|node| !node.path.is_empty());
            node.is_some_and(|node| glob.matches(node.path) || node.alias.is_some_and(|alias| glob.matches(alias)))
        };
        let mut found: Vec<NodeId> = match glob.hint() {
            Hint::Last(name) => self.by_last.get(name).into_iter().flatten().copied().filter(fits).collect(),
            Hint::LastPrefix(prefix) => {
                let range = self.by_last.range(prefix..).take_while(|(name, _)| name.starts_with(prefix));
                range.flat_map(|(_, ids)| ids.iter().copied()).filter(fits).collect()
            }
            Hint::Above(name) => self.below(name).into_iter().filter(fits).collect(),
            Hint::None => self.all().filter(fits).collect(),
        };
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The nodes that bring `name` into their path, and everything below them.
    fn below(&self, name: &str) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = self.by_own.get(name).cloned().unwrap_or_default();
        let mut seen: std::collections::HashSet<NodeId> = found.iter().copied().collect();
        let mut at = 0;
        while let Some(id) = found.get(at).copied() {
            at += 1;
            let children = self.children.get(id.list).and_then(|children| children.get(id.node));
            for child in children.into_iter().flatten() {
                let child = NodeId { list: id.list, node: *child as usize };
                if seen.insert(child) {
                    found.push(child);
                }
            }
        }
        found
    }

    /// Nodes without a parent in lists whose asset passes `wanted`.
    pub(crate) fn roots(&self, wanted: impl Fn(usize) -> bool) -> Vec<NodeId> {
        self.all()
            .filter(|id| self.assets.get(id.list).is_some_and(|asset| wanted(asset.asset)))
            .filter(|id| self.node(*id).is_some_and(|node| node.parent.is_none() && !node.path.is_empty()))
            .collect()
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&'a NodeRef<'a>> {
        self.assets.get(id.list)?.nodes.get(id.node)
    }

    fn all(&self) -> impl Iterator<Item = NodeId> {
        let assets = self.assets.iter().enumerate();
        assets.flat_map(|(list, asset)| (0..asset.nodes.len()).map(move |node| NodeId { list, node }))
    }
}

/// The nodes of the first look-up that knows the text.
fn first_of<'i>(text: &str, indices: [&'i HashMap<&str, Vec<NodeId>>; 2]) -> &'i [NodeId] {
    indices.into_iter().find_map(|index| index.get(text)).map_or(&[], Vec::as_slice)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A text that is equal for equal values. Integers compare as integers, all 64 bits of them; a float equals an integer only
/// where it is that whole number, so that `3.0` finds `3` and 9007199254740992.0 does not find 9007199254740993.
fn canonical(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("s{text}"),
        Value::Bool(b) => format!("b{b}"),
        Value::Int(n) => format!("n{n}"),
        Value::Float(n) => number(*n),
    }
}

fn canonical_json(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(format!("s{text}")),
        Json::Bool(b) => Some(format!("b{b}")),
        Json::Number(n) if n.is_i64() || n.is_u64() => Some(format!("n{n}")),
        Json::Number(n) => Some(number(n.as_f64()?)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// 2^64: whole floats below it print as the integers that they are.
const WHOLE: f64 = 18_446_744_073_709_551_616.0;

fn number(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < WHOLE { format!("n{}", n as i128) } else { format!("f{n}") }
}

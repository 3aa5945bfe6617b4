//! Reads the JSON into the tree of nodes and the tables that decoding needs, and checks every reference in it.

use std::collections::HashSet;

use glam::{DMat4, DVec3};
use serde_json::Value;

use super::deform::{self, Job};
use super::error::{GlbError, Warnings, quote};
use super::json::{self, EXPORT, Raw, Uint, objects};
use super::limits::Account;
use super::material::{self, Paint};
use super::{extensions, graph};
use twin_scene::geometry::Node;

/// Everything the JSON says, with references checked where a wrong one would be fatal.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
    pub(super) meshes: Vec<MeshRecord>,
    pub(super) paints: Vec<Paint>,
    pub(super) images: Vec<json::Image>,
    pub(super) accessors: Vec<json::Accessor>,
    pub(super) views: Vec<json::BufferView>,
    pub(super) buffers: Vec<json::Buffer>,
    pub(super) instancing: Vec<(usize, json::InstancingAttributes)>,
    pub(super) skins: Vec<json::Skin>,
    /// Where each node stands, for the joints of skins; empty without skins.
    pub(super) stands: Vec<DMat4>,
    /// Whether the file says that the highest index of a type begins strips anew.
    pub(super) begins_anew: bool,
    /// What becomes a mesh of the model: one for each mesh of the file, then its further shapes. Nodes point here.
    pub(super) jobs: Vec<Job>,
}

#[derive(Debug)]
pub(super) struct MeshRecord {
    pub(super) name: Option<String>,
    pub(super) extras: Value,
    pub(super) primitives: Vec<PrimitiveRecord>,
    /// Default weights of its morph targets.
    pub(super) weights: Vec<f32>,
}

impl MeshRecord {
    /// About what a copy of name and extras takes.
    pub(super) fn bytes(&self) -> usize {
        let text = if self.extras.is_null() { 0 } else { self.extras.to_string().len() * 16 };
        text + self.name.as_ref().map_or(0, String::len) + 128
    }
}

#[derive(Debug, Clone)]
pub(super) struct PrimitiveRecord {
    pub(super) attributes: json::Attributes,
    pub(super) indices: Option<Uint>,
    pub(super) material: Option<usize>,
    pub(super) mode: u64,
    pub(super) targets: Vec<json::Target>,
    pub(super) draco: bool,
}

/// Reads the JSON text of a model file.
///
/// # Errors
/// Any [`GlbError`] but [`GlbError::File`].
pub(super) fn read(text: &[u8], account: &mut Account, warnings: &mut Warnings) -> Result<Document, GlbError> {
    let help = "split the model into several files";
    super::limits::Limits::check("JSON", "bytes of JSON", text.len() as u64, account.limits.max_json_bytes, help)?;
    let root: json::Root<'_> =
        serde_json::from_slice(text).map_err(|error| GlbError::malformed("JSON", quote(&error.to_string()), EXPORT))?;
    version(root.asset, warnings)?;
    extensions::check(
        root.extensions_used.as_deref().unwrap_or_default(),
        root.extensions_required.as_deref().unwrap_or_default(),
        warnings,
    )?;
    note_empty(&root, warnings);
    if root.animations.as_ref().is_some_and(|list| !list.is_empty()) {
        warnings.add("/animations", "animations are not played; the model stands as its nodes say", "");
    }
    tables(&root, account, warnings)
}

fn tables(root: &json::Root<'_>, account: &mut Account, warnings: &mut Warnings) -> Result<Document, GlbError> {
    let limit = account.limits.max_items;
    let textures: Vec<json::Texture> = objects("/textures", list(&root.textures), limit)?;
    let images: Vec<json::Image> = objects("/images", list(&root.images), limit)?;
    let mut document = Document {
        accessors: objects("/accessors", list(&root.accessors), limit)?,
        views: objects("/bufferViews", list(&root.buffer_views), limit)?,
        buffers: objects("/buffers", list(&root.buffers), account.limits.max_files)?,
        begins_anew: extensions::begins_anew(root.extensions_used.as_deref().unwrap_or_default()),
        ..Document::default()
    };
    for (index, record) in objects("/materials", list(&root.materials), limit)?.into_iter().enumerate() {
        let at = format!("/materials/{index}");
        document.paints.push(material::paint(&at, record, &textures, images.len(), account, warnings)?);
    }
    document.images = images;
    meshes(&mut document, list(&root.meshes), account, warnings)?;
    nodes(&mut document, root, account, warnings)?;
    Ok(document)
}

fn list<'a, 'b>(field: &'b Option<Vec<Raw<'a>>>) -> &'b [Raw<'a>] {
    field.as_deref().unwrap_or_default()
}

fn meshes(document: &mut Document, raw: &[Raw<'_>], account: &mut Account, warnings: &mut Warnings) -> Result<(), GlbError> {
    let limit = account.limits.max_items;
    let mut total = 0u64;
    for (index, record) in objects::<json::Mesh<'_>>("/meshes", raw, limit)?.into_iter().enumerate() {
        let at = format!("/meshes/{index}");
        total += record.primitives.len() as u64;
        super::limits::Limits::check(&at, "primitives", total, limit, "split the model into several files")?;
        let mut extras = graph::extras(&at, record.extras, account)?;
        let mut primitives = Vec::with_capacity(record.primitives.len());
        let all = objects::<json::Primitive<'_>>(&format!("{at}/primitives"), &record.primitives, limit)?;
        for (number, primitive) in all.into_iter().enumerate() {
            let targets = primitive.targets.as_deref().unwrap_or_default();
            let targets = objects(&format!("{at}/primitives/{number}/targets"), targets, limit)?;
            complete(&mut extras, graph::extras(&at, primitive.extras, account)?);
            primitives.push(PrimitiveRecord {
                attributes: primitive.attributes,
                indices: primitive.indices,
                material: primitive.material.map(Uint::at),
                mode: primitive.mode.map_or(4, |mode| mode.0),
                targets,
                draco: primitive.extensions.is_some_and(|extensions| extensions.draco.is_some()),
            });
        }
        if primitives.is_empty() {
            warnings.add(format!("{at}/primitives"), "the mesh has no primitives", "");
        }
        let weights = record.weights.unwrap_or_default();
        document.meshes.push(MeshRecord { name: graph::named(record.name), extras, primitives, weights });
    }
    Ok(())
}

fn nodes(document: &mut Document, root: &json::Root<'_>, account: &mut Account, warnings: &mut Warnings) -> Result<(), GlbError> {
    let raw = list(&root.nodes);
    document.skins = objects("/skins", list(&root.skins), account.limits.max_items)?;
    deform::check(&document.skins, raw.len())?;
    let counts = [document.meshes.len(), document.skins.len(), list(&root.cameras).len()];
    let mut shapes = Vec::new();
    for (index, mut record) in objects::<json::Node<'_>>("/nodes", raw, account.limits.max_nodes)?.into_iter().enumerate() {
        let at = format!("/nodes/{index}");
        references(&at, &record, counts)?;
        oddities(&at, &record, document, warnings);
        if let Some(instancing) = record.extensions.as_mut().and_then(|extensions| extensions.instancing.take()) {
            document.instancing.push((index, instancing.attributes));
        }
        shapes.push(deform::shape(&record, &document.meshes));
        let mut node = graph::node(&at, record, account, warnings)?;
        if node.name.is_none() {
            node.mesh_name = node.mesh.and_then(|mesh| document.meshes.get(mesh)).and_then(|mesh| mesh.name.clone());
        }
        document.nodes.push(node);
    }
    graph::link(&mut document.nodes)?;
    let scene = shown_scene(root, account.limits.max_items, warnings)?;
    document.roots = graph::roots(&document.nodes, scene, warnings)?;
    graph::place(&mut document.nodes, &document.roots, center(root)?, account)?;
    document.jobs = deform::jobs(&mut document.nodes, &document.meshes, shapes);
    deform::stand(document);
    Ok(())
}

/// What CESIUM_RTC adds to all positions; a file that names the extension and no centre has no place.
fn center(root: &json::Root<'_>) -> Result<DVec3, GlbError> {
    let named = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| list.iter().any(|name| name == "CESIUM_RTC"));
    match root.extensions.as_ref().and_then(|extensions| extensions.rtc) {
        Some(rtc) => Ok(DVec3::from_array(rtc.center)),
        None if named(&root.extensions_required) || named(&root.extensions_used) => {
            let what = "CESIUM_RTC is used but its centre is missing, so that nobody knows where the model stands";
            Err(GlbError::malformed("/extensions/CESIUM_RTC", what, EXPORT))
        }
        None => Ok(DVec3::ZERO),
    }
}

/// Adds the keys of `more` that are not there yet.
fn complete(extras: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    if extras.is_null() {
        *extras = Value::Object(serde_json::Map::new());
    }
    let Value::Object(extras) = extras else { return };
    for (key, value) in more {
        extras.entry(key).or_insert(value);
    }
}

/// References of a node to a mesh, a skin and a camera, whose numbers are `counts`.
fn references(at: &str, node: &json::Node<'_>, counts: [usize; 3]) -> Result<(), GlbError> {
    let fields = [("mesh", node.mesh), ("skin", node.skin), ("camera", node.camera)];
    for ((field, target), count) in fields.into_iter().zip(counts) {
        if let Some(target) = target.filter(|target| target.at() >= count) {
            let what = format!("{field} {} does not exist; the file has {count}", target.0);
            return Err(GlbError::malformed(format!("{at}/{field}"), what, EXPORT));
        }
    }
    Ok(())
}

/// Combinations that the format forbids and that do not matter for a still picture.
fn oddities(at: &str, node: &json::Node<'_>, document: &Document, warnings: &mut Warnings) {
    let Some(mesh) = node.mesh.and_then(|mesh| document.meshes.get(mesh.at())) else {
        if node.skin.is_some() || node.weights.is_some() {
            warnings.add(at, "a skin or weights without a mesh are ignored", "");
        }
        return;
    };
    let skinned = mesh.primitives.iter().any(|primitive| primitive.attributes.joints.is_some());
    match (node.skin.is_some(), skinned) {
        (true, true) => {}
        (true, false) => warnings.add(at, "the node has a skin but its mesh has no joints", ""),
        (false, true) => warnings.add(at, "the mesh has joints but the node has no skin", ""),
        (false, false) => {}
    }
    let targets = mesh.primitives.first().map_or(0, |primitive| primitive.targets.len());
    if node.weights.as_ref().is_some_and(|weights| weights.len() != targets) {
        warnings.add(format!("{at}/weights"), format!("the mesh has {targets} morph targets, not as many as weights"), "");
    }
}

/// The listed nodes of the default scene, or of the first scene where no default is named; `None` without scenes.
fn shown_scene(root: &json::Root<'_>, limit: u64, warnings: &mut Warnings) -> Result<Option<(usize, Vec<usize>)>, GlbError> {
    let scenes: Vec<json::Scene> = objects("/scenes", list(&root.scenes), limit)?;
    for (index, scene) in scenes.iter().enumerate() {
        let listed = scene.nodes.as_deref().unwrap_or_default();
        if scene.nodes.is_some() && listed.is_empty() {
            warnings.add(format!("/scenes/{index}/nodes"), "the array is empty", "");
        }
        if let Some(bad) = listed.iter().find(|node| node.at() >= list(&root.nodes).len()) {
            let what = format!("node {} does not exist; the file has {} nodes", bad.0, list(&root.nodes).len());
            return Err(GlbError::malformed(format!("/scenes/{index}/nodes"), what, EXPORT));
        }
    }
    let wanted = root.scene.map_or(0, Uint::at);
    if root.scene.is_some() && wanted >= scenes.len() {
        let message = format!("scene {wanted} does not exist; the file has {}", scenes.len());
        warnings.add("/scene", message, "set it to an existing scene");
    }
    let at = if wanted < scenes.len() { wanted } else { 0 };
    let shown: HashSet<usize> =
        scenes.get(at).into_iter().flat_map(|scene| scene.nodes.iter().flatten()).map(|node| node.at()).collect();
    let more = |scene: &json::Scene| scene.nodes.iter().flatten().any(|node| !shown.contains(&node.at()));
    if let Some(other) = scenes.iter().position(more) {
        let message =
            format!("of {} scenes {at} is shown; {other} has nodes that it has not, and nothing binds to them", scenes.len());
        warnings.add("/scenes", message, "export what is to be shown as one scene");
    }
    Ok(scenes.get(at).map(|scene| (at, scene.nodes.iter().flatten().map(|node| node.at()).collect())))
}

/// glTF 2.0 section 5.7 forbids empty arrays at the top.
fn note_empty(root: &json::Root<'_>, warnings: &mut Warnings) {
    let arrays = [
        ("/scenes", &root.scenes),
        ("/nodes", &root.nodes),
        ("/meshes", &root.meshes),
        ("/accessors", &root.accessors),
        ("/bufferViews", &root.buffer_views),
        ("/buffers", &root.buffers),
        ("/materials", &root.materials),
        ("/textures", &root.textures),
        ("/images", &root.images),
        ("/cameras", &root.cameras),
        ("/skins", &root.skins),
        ("/animations", &root.animations),
    ];
    for (at, array) in arrays {
        if array.as_ref().is_some_and(Vec::is_empty) {
            warnings.add(at, "the array is empty", "leave it out");
        }
    }
}

/// Accepts every 2.x file that does not ask for more than 2.0 (glTF 2.0 section 3.2).
fn version(asset: Option<Raw<'_>>, warnings: &mut Warnings) -> Result<(), GlbError> {
    let help = "export the model as glTF 2.0";
    let Some(asset) = asset else {
        return Err(GlbError::malformed("/asset", "the asset with its version is missing; is this a glTF file?", help));
    };
    let asset: json::Asset = json::object("/asset", asset)?;
    let version = parse_version("/asset/version", &asset.version)?;
    let least = asset.min_version.as_deref().map(|text| parse_version("/asset/minVersion", text)).transpose()?;
    if version.0 != 2 {
        let what = format!("glTF version {}; only 2.x can be read", quote(&asset.version));
        return Err(GlbError::malformed("/asset/version", what, help));
    }
    if let Some(least) = least.filter(|&least| least > (2, 0)) {
        let what = format!("needs a reader of version {}.{}; this one reads 2.0", least.0, least.1);
        return Err(GlbError::malformed("/asset/minVersion", what, help));
    }
    if version.1 > 0 {
        warnings.add("/asset/version", format!("version {} is read as 2.0", quote(&asset.version)), "");
    }
    Ok(())
}

fn parse_version(at: &str, text: &str) -> Result<(u32, u32), GlbError> {
    let parts = text.split_once('.');
    let numbers = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let what = || format!("\"{}\" is not a version like 2.0", quote(text));
    numbers.ok_or_else(|| GlbError::malformed(at, what(), "write \"2.0\""))
}

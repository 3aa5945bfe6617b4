//! TwinMaker scenes: models are placed, tags become anchors, nodes are bound to the twins of their entities.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use glam::{DMat4, DVec3};
use serde_json::Value as Json;

use super::super::{Imported, RawAnchor};
use super::entities::Entities;
use super::rule_maps::{self, Use};
use super::{Config, skipped};
use crate::bindings::{BindKey, RawBinding};
use crate::codes;
use crate::diag::Diagnostics;
use crate::models::{ModelAsset, Placement};
use crate::paths;
use crate::read::Word;

/// Most nodes of a scene that are looked at.
const MAX_NODES: usize = 200_000;

struct Scene<'a> {
    nodes: &'a [Json],
    /// Values of `${…}` in data bindings.
    template: HashMap<&'a str, &'a str>,
    metres_per_unit: f64,
    path: &'a Word,
    config: &'a Config,
    entities: &'a Entities,
}

/// A node on the way down: its place, and the model that it stands in.
struct Visit {
    node: usize,
    parent: DMat4,
    model: Option<String>,
}

/// Where everything that is found goes.
struct Sink<'a> {
    all: &'a mut Imported,
    out: &'a mut Diagnostics,
    /// What nobody can carry over, with how often.
    left: BTreeMap<String, usize>,
    /// Where rule maps are used.
    uses: BTreeSet<Use>,
    /// Ids of assets.
    taken: HashSet<String>,
    /// Last number given to a name.
    used: HashMap<String, usize>,
}

impl Sink<'_> {
    /// The name itself, or with the next number that makes it unique.
    fn free_id(&mut self, name: &str) -> String {
        let mut id = name.to_owned();
        while !self.taken.insert(id.clone()) {
            let used = self.used.entry(name.to_owned()).or_insert(1);
            *used += 1;
            id = format!("{name}-{used}");
        }
        id
    }

    fn leave(&mut self, what: &str) {
        *self.left.entry(what.to_owned()).or_insert(0) += 1;
    }
}

pub(super) fn read(json: &Json, path: &Word, config: &Config, entities: &Entities, all: &mut Imported, out: &mut Diagnostics) {
    let Some(nodes) = json.get("nodes").and_then(Json::as_array) else {
        let message = format!("'{}' has no list 'nodes'", path.as_str());
        out.error(codes::FILE_INVALID, &path.at, path.as_str(), message, "name a TwinMaker scene file".to_owned());
        return;
    };
    super::version(json, "specVersion", &["1.0"], path, out);
    super::version(json, "version", &["1"], path, out);
    if let Some(unit) = json.get("unit").filter(|unit| unit.as_str().and_then(metres_per).is_none()) {
        let message = format!("'{}' says unit {unit}, which is unknown; metres are taken", path.as_str());
        let help = "TwinMaker spells units out: \"meters\", \"millimeters\", \"feet\"".to_owned();
        out.warning(codes::FILE_INVALID, &path.at, path.as_str(), message, help);
    }
    let template = json.pointer("/properties/dataBindingConfig/template").and_then(Json::as_object).into_iter().flatten();
    let scene = Scene {
        nodes,
        template: template.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect(),
        metres_per_unit: json.get("unit").and_then(Json::as_str).and_then(metres_per).unwrap_or(1.0),
        path,
        config,
        entities,
    };
    let taken = all.assets.iter().map(|asset| asset.id.clone()).collect();
    let mut sink = Sink { all, out, left: BTreeMap::new(), uses: BTreeSet::new(), taken, used: HashMap::new() };
    scene.walk(json, &mut sink);
    let Sink { left, uses, .. } = sink;
    skipped(left, path, "scene components", "only models, tags and their entities have a meaning here", out);
    let rules = json.get("rules").and_then(Json::as_object).map_or(0, serde_json::Map::len);
    let carried = if config.rules { rule_maps::add(json, &uses, path, all, out) } else { 0 };
    if rules > carried {
        let message = format!("{} rule maps of '{}' were not carried over", rules - carried, path.as_str());
        let help = "their targets are icons and colours; write rules with a status on the interface, or set rules = true";
        out.info(codes::IMPORT_SKIPPED, &path.at, path.as_str(), message, help.to_owned());
    }
}

/// TwinMaker spells units out.
fn metres_per(unit: &str) -> Option<f64> {
    let short = match unit {
        "millimeters" => "mm",
        "centimeters" => "cm",
        "decimeters" => "dm",
        "meters" => "m",
        "kilometers" => "km",
        "inches" => "in",
        "feet" => "ft",
        "yards" => "yd",
        "miles" => "mi",
        _ => return None,
    };
    crate::models::metres_per(short)
}

impl Scene<'_> {
    fn walk(&self, json: &Json, sink: &mut Sink<'_>) {
        let world = DMat4::from_scale(DVec3::splat(self.metres_per_unit));
        let roots = json.get("rootNodeIndexes").and_then(Json::as_array).into_iter().flatten().filter_map(index);
        let mut stack: Vec<Visit> = roots.map(|node| Visit { node, parent: world, model: None }).collect();
        stack.reverse();
        let mut seen = HashSet::new();
        while let Some(visit) = stack.pop() {
            let Some(node) = self.nodes.get(visit.node) else {
                let message = format!("'{}' refers to node {}, which does not exist", self.path.as_str(), visit.node);
                sink.out.warning(codes::FILE_INVALID, &self.path.at, self.path.as_str(), message, String::new());
                continue;
            };
            // Each node once, so that circles end; and not endlessly many.
            if !seen.insert(visit.node) || seen.len() > MAX_NODES {
                continue;
            }
            let place = visit.parent * transform(node);
            let model = self.components(visit.node, node, place, visit.model, sink);
            let children = node.get("children").and_then(Json::as_array).into_iter().flatten().filter_map(index);
            let start = stack.len();
            stack.extend(children.map(|child| Visit { node: child, parent: place, model: model.clone() }));
            if let Some(added) = stack.get_mut(start..) {
                added.reverse();
            }
        }
    }

    /// Takes over the components of one node; answers the model that its children stand in.
    fn components(&self, at: usize, node: &Json, place: DMat4, mut model: Option<String>, sink: &mut Sink<'_>) -> Option<String> {
        let name = node.get("name").and_then(Json::as_str).unwrap_or("node");
        for component in components(node) {
            sink.uses.extend(self.rule_map(component));
            match component.get("type").and_then(Json::as_str).unwrap_or_default() {
                "ModelRef" => {
                    if let Some(id) = self.model_ref(name, component, place, sink) {
                        self.bind(&id, self.entity(at, name), BindKey::Whole, sink.all);
                        model = Some(id);
                    }
                }
                "SubModelRef" => {
                    let selector = component.get("selector").and_then(Json::as_str);
                    if let (Some(selector), Some(model)) = (selector, &model) {
                        self.bind(model, self.bound_entity(node), BindKey::Name(selector.to_owned()), sink.all);
                    }
                }
                "Tag" => {
                    let twin = self.context(component).and_then(|(entity, component)| self.twin(&entity, component.as_deref()));
                    let position = place.transform_point3(DVec3::ZERO).as_vec3().to_array();
                    sink.all.anchors.push(RawAnchor { name: name.to_owned(), twin: twin.map(str::to_owned), position });
                }
                // Where they name an entity, `entity` has used it.
                "EntityBinding" => {}
                "ModelShader" if self.config.rules => {}
                "ModelShader" => sink.leave("ModelShader (colour by rule)"),
                other => sink.leave(other),
            }
        }
        model
    }

    fn model_ref(&self, name: &str, component: &Json, place: DMat4, sink: &mut Sink<'_>) -> Option<String> {
        let uri = component.get("uri").and_then(Json::as_str).unwrap_or_default();
        let file = uri.rsplit('/').next().unwrap_or(uri);
        let lower = file.to_ascii_lowercase();
        if !lower.ends_with(".glb") && !lower.ends_with(".gltf") {
            let message = format!("model '{name}' of '{}' is '{uri}', which is no GLB or glTF file", self.path.as_str());
            sink.out.warning(codes::IMPORT_SKIPPED, &self.path.at, name, message, "convert it to GLB".to_owned());
            return None;
        }
        // The bucket of an `s3://` or web address is not here: the file name is what remains.
        let relative = if uri.contains("://") { file } else { uri };
        let id = sink.free_id(name);
        let written = component.get("unitOfMeasure").and_then(Json::as_str);
        let unit = written.and_then(metres_per);
        if let (Some(written), None) = (written, unit) {
            let message = format!("model '{name}' of '{}' is in '{written}', which is no known unit", self.path.as_str());
            sink.out.warning(codes::FILE_INVALID, &self.path.at, name, message, "the scene's unit is taken".to_owned());
        }
        let scale = unit.map_or(1.0, |metres| metres / self.metres_per_unit);
        sink.all.assets.push(ModelAsset {
            id: id.clone(),
            path: paths::join(&self.config.models_path, relative),
            transform: place * DMat4::from_scale(DVec3::splat(scale)),
            background: Vec::new(),
            at: self.path.at.clone(),
        });
        Some(id)
    }

    fn bind(&self, model: &str, entity: Option<String>, key: BindKey, all: &mut Imported) {
        let Some(twin) = entity.and_then(|entity| self.twin(&entity, None)) else { return };
        let at = &self.path.at;
        let model = Some(Word::new(model, at));
        all.bindings.push(RawBinding { twin: Word::new(twin, at), model, keys: vec![key], at: at.clone() });
    }

    fn twin(&self, entity: &str, component: Option<&str>) -> Option<&str> {
        self.entities.twin_of(entity, component, self.config.include_all)
    }

    /// The entity that a model node shows: by its own components, by the tags under it, by its name.
    fn entity(&self, at: usize, name: &str) -> Option<String> {
        let node = self.nodes.get(at)?;
        let tagged = || {
            let children = node.get("children").and_then(Json::as_array)?;
            children.iter().filter_map(index).filter_map(|child| self.nodes.get(child)).find_map(|child| self.bound_entity(child))
        };
        self.bound_entity(node).or_else(tagged).or_else(|| self.entities.only_one_called(name).map(str::to_owned))
    }

    fn bound_entity(&self, node: &Json) -> Option<String> {
        components(node).iter().find_map(|component| self.context(component)).map(|(entity, _)| entity)
    }

    /// Entity and component of a data binding, with `${…}` filled in.
    fn context(&self, component: &Json) -> Option<(String, Option<String>)> {
        let context = component.pointer("/valueDataBinding/dataBindingContext")?;
        let text = |key: &str| context.get(key).and_then(Json::as_str).map(|text| self.fill(text));
        Some((text("entityId")?, text("componentName")))
    }

    /// The rule map of a tag or a shader, with the twin and the property that it looks at.
    fn rule_map(&self, component: &Json) -> Option<Use> {
        let map = component.get("ruleBasedMapId")?.as_str()?.to_owned();
        let property = component.pointer("/valueDataBinding/dataBindingContext/propertyName")?.as_str()?.to_owned();
        let (entity, component) = self.context(component)?;
        Some(Use { map, twin: self.twin(&entity, component.as_deref())?.to_owned(), property })
    }

    fn fill(&self, text: &str) -> String {
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        name.and_then(|name| self.template.get(name)).map_or_else(|| text.to_owned(), |value| (*value).to_owned())
    }
}

fn components(node: &Json) -> &[Json] {
    node.get("components").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn index(value: &Json) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

/// Position, rotation (radians, three.js order XYZ) and scale of a scene node.
fn transform(node: &Json) -> DMat4 {
    let triple = |key: &str, default: f64| {
        let list = node.pointer(&format!("/transform/{key}")).and_then(Json::as_array);
        let number = |at: usize| list.and_then(|list| list.get(at)).and_then(Json::as_f64).filter(|n| n.is_finite());
        [0, 1, 2].map(|at| number(at).unwrap_or(default))
    };
    Placement { translate: triple("position", 0.0), rotate: triple("rotation", 0.0), scale: triple("scale", 1.0) }.matrix()
}

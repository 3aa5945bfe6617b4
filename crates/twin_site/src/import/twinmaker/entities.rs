//! TwinMaker entities: the tree of things, and which of their components have telemetry.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;
use twin_model::natural_order;

use super::super::Imported;
use super::component_types::Types;
use super::{Config, skipped};
use crate::bindings::Bind;
use crate::codes;
use crate::diag::Diagnostics;
use crate::read::Word;
use crate::twins::RawTwin;
use crate::validate::is_id;

/// A component with telemetry.
struct Component {
    name: String,
    type_id: String,
    asset_id: String,
    /// The twin that it becomes: its asset id, or where another has taken that, one made from its entity.
    twin_id: String,
}

struct Entity {
    id: String,
    name: String,
    parent: Option<String>,
    /// With telemetry; the main one first.
    components: Vec<Component>,
}

/// Entities in file order.
#[derive(Default)]
pub(super) struct Entities {
    list: Vec<Entity>,
    by_id: HashMap<String, usize>,
    from: Option<Word>,
}

impl Entities {
    pub(super) fn read(json: &Json, from: &Word, types: &Types, out: &mut Diagnostics) -> Self {
        let mut known = Self { from: Some(from.clone()), ..Self::default() };
        // The tool of AWS writes a bare list; its samples have an object around it.
        let Some(list) = json.as_array().or_else(|| json.get("entities").and_then(Json::as_array)) else {
            let message = format!("'{}' is no list of entities and has none under 'entities'", from.as_str());
            let help = match (json.get("entities").and_then(Json::as_str), json.get("entitySummaries")) {
                (Some(file), _) => format!("this is the index of an export; name its file '{file}'"),
                (None, Some(_)) => "these are summaries without components; export the entities with 'tmdt init'".to_owned(),
                (None, None) => "name a TwinMaker entities file".to_owned(),
            };
            out.error(codes::FILE_INVALID, &from.at, from.as_str(), message, help);
            return known;
        };
        super::version(json, "version", &["1", "1.0"], from, out);
        let mut left = BTreeMap::new();
        for (at, item) in list.iter().enumerate() {
            match entity(item, types, &mut left) {
                Some(entity) if !known.by_id.contains_key(&entity.id) => {
                    known.by_id.insert(entity.id.clone(), known.list.len());
                    known.list.push(entity);
                }
                found => {
                    let why = if found.is_some() { "has an entityId that is taken" } else { "has no usable entityId" };
                    let message = format!("entity number {at} of '{}' {why}; it is left out", from.as_str());
                    out.warning(codes::FILE_INVALID, &from.at, from.as_str(), message, String::new());
                }
            }
        }
        known.name_twins(from, out);
        let help = "write what matters of them into the site file";
        skipped(left, from, "components without telemetry of type", help, out);
        known
    }

    /// Components that share an asset id show the same data; each is a twin of its own, the first under the asset id.
    fn name_twins(&mut self, from: &Word, out: &mut Diagnostics) {
        let mut taken: HashMap<String, String> = HashMap::new();
        let components = self.list.iter().flat_map(|entity| &entity.components);
        let assets: BTreeSet<String> = components.map(|component| component.asset_id.clone()).collect();
        let mut free = |wish: &[String], owner: &str| {
            let numbered = (2..).map(|n| format!("{}-{n}", wish.last().map_or("twin", String::as_str)));
            let first = wish.first().and_then(|wish| taken.get(wish)).cloned();
            // A made-up id must not take that of another component.
            let usable = |id: &String| !taken.contains_key(id) && (first.is_none() || !assets.contains(id));
            let id = wish.iter().cloned().chain(numbered).find(usable).unwrap_or_default();
            taken.insert(id.clone(), owner.to_owned());
            (id, first)
        };
        for entity in &mut self.list {
            for component in &mut entity.components {
                let by_component = format!("{}-{}", entity.id, component.name);
                let owner = format!("{}.{}", entity.id, component.name);
                let (id, first) = free(&[component.asset_id.clone(), entity.id.clone(), by_component], &owner);
                if let Some(first) = first {
                    let message = format!(
                        "'{owner}' and '{first}' of '{}' have the same telemetryAssetId '{}'",
                        from.as_str(),
                        component.asset_id
                    );
                    let help = format!(
                        "both are twins and show the same data, the second as '{id}'; mend the id if they are two things"
                    );
                    out.warning(codes::ID_DUPLICATE, &from.at, &component.asset_id, message, help);
                }
                component.twin_id = id;
            }
        }
    }

    /// Adds the twins and returns the component types that they use as interface.
    pub(super) fn add_twins(
        &self,
        config: &Config,
        types: &Types,
        all: &mut Imported,
        out: &mut Diagnostics,
    ) -> BTreeSet<String> {
        let Some(from) = &self.from else { return BTreeSet::new() };
        let (mut used, mut unknown) = (BTreeSet::new(), BTreeMap::new());
        for entity in &self.list {
            let main = self.main_twin(entity, config.include_all);
            let above = self.parent_twin(entity, config.include_all);
            let vars = vars(entity);
            if entity.components.is_empty() && config.include_all {
                let mut twin = RawTwin::bare(Word::new(&entity.id, &from.at));
                twin.name = Some(entity.name.clone());
                twin.parent = above.map(|id| Word::new(id, &from.at));
                twin.bind = Some(Bind::Nothing);
                all.twins.push(twin);
            }
            for (at, component) in entity.components.iter().enumerate() {
                let mut twin = RawTwin::bare(Word::new(&component.twin_id, &from.at));
                twin.data_id = (component.twin_id != component.asset_id).then(|| component.asset_id.clone());
                let name = if at == 0 { entity.name.clone() } else { format!("{} {}", entity.name, component.name) };
                twin.name = Some(name);
                twin.parent = if at == 0 { above } else { main }.map(|id| Word::new(id, &from.at));
                twin.source.clone_from(&config.source);
                twin.vars.clone_from(&vars);
                // Only the main component is a thing that can be seen.
                twin.bind = (at > 0).then_some(Bind::Nothing);
                twin.interface = config.interfaces.get(&component.type_id).cloned();
                if twin.interface.is_none() && types.knows(&component.type_id) {
                    used.insert(component.type_id.clone());
                    twin.interface = Some(Word::new(&component.type_id, &from.at));
                }
                if twin.interface.is_none() {
                    *unknown.entry(component.type_id.clone()).or_insert(0) += 1;
                }
                all.twins.push(twin);
            }
        }
        for (type_id, count) in unknown {
            let message = format!("{count} twins of component type '{type_id}' have no interface, so no signals");
            let help = format!(
                "add \"{type_id}\" = \"<interface id>\" to 'interfaces' of the import, or name its file in component_types"
            );
            out.warning(codes::INTERFACE_UNKNOWN, &config.at, &type_id, message, help);
        }
        used
    }

    fn main_twin<'a>(&self, entity: &'a Entity, include_all: bool) -> Option<&'a str> {
        let main = entity.components.first().map(|component| component.twin_id.as_str());
        main.or(include_all.then_some(entity.id.as_str()))
    }

    /// The twin of the nearest entity above that has one.
    fn parent_twin(&self, entity: &Entity, include_all: bool) -> Option<&str> {
        let mut above = entity.parent.as_deref();
        // Entities may contain each other in a circle; more steps than entities means one.
        for _ in 0..self.list.len() {
            let parent = self.list.get(*self.by_id.get(above?)?)?;
            if let Some(twin) = self.main_twin(parent, include_all) {
                return Some(twin);
            }
            above = parent.parent.as_deref();
        }
        None
    }

    /// The twin of an entity, or of one of its components.
    pub(super) fn twin_of(&self, entity: &str, component: Option<&str>, include_all: bool) -> Option<&str> {
        let entity = self.list.get(*self.by_id.get(entity)?)?;
        let named = component.and_then(|name| entity.components.iter().find(|component| component.name == name));
        named.map(|component| component.twin_id.as_str()).or_else(|| self.main_twin(entity, include_all))
    }

    /// The id of the only entity of a name.
    pub(super) fn only_one_called(&self, name: &str) -> Option<&str> {
        let mut called = self.list.iter().filter(|entity| entity.name == name);
        let first = called.next()?;
        called.next().is_none().then_some(first.id.as_str())
    }
}

fn vars(entity: &Entity) -> BTreeMap<String, String> {
    let ids = entity.components.iter().map(|component| (component.name.clone(), component.twin_id.clone()));
    ids.chain([("entity".to_owned(), entity.id.clone()), ("entity_name".to_owned(), entity.name.clone())]).collect()
}

fn entity(item: &Json, types: &Types, left: &mut BTreeMap<String, usize>) -> Option<Entity> {
    let text = |key: &str| item.get(key).and_then(Json::as_str);
    let id = text("entityId").filter(|id| is_id(id))?.to_owned();
    let mut components = Vec::new();
    for (name, component) in item.get("components").and_then(Json::as_object).into_iter().flatten() {
        let type_id = component.get("componentTypeId").and_then(Json::as_str).unwrap_or_default().to_owned();
        let asset = component.pointer("/properties/telemetryAssetId/value/stringValue").and_then(Json::as_str);
        match asset.filter(|asset| is_id(asset)) {
            Some(asset) => {
                let asset_id = asset.to_owned();
                components.push(Component { name: name.clone(), type_id, twin_id: asset_id.clone(), asset_id });
            }
            None => *left.entry(type_id).or_insert(0) += 1,
        }
    }
    let alarm = |component: &Component| types.is_alarm(&component.type_id);
    components.sort_by(|a, b| alarm(a).cmp(&alarm(b)).then_with(|| natural_order(&a.name, &b.name)));
    Some(Entity {
        name: text("entityName").unwrap_or(&id).to_owned(),
        parent: text("parentEntityId").filter(|parent| *parent != "$ROOT").map(str::to_owned),
        components,
        id,
    })
}

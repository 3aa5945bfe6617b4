//! Bindings as written: which keys find the nodes of a twin.

use std::collections::BTreeMap;

use twin_model::{TwinIndex, Value};

use super::codes;
use super::diag::{Diagnostics, Location};
use super::read::{Section, Word};
use super::template;

/// One way to find nodes.
#[derive(Debug, Clone, PartialEq)]
pub enum BindKey {
    /// The node with exactly this path (`a/b/c`). Finds one.
    Path(String),
    /// The node with exactly this name, anywhere. Finds one.
    Name(String),
    /// The node of this IFC GlobalId: its name, or `GlobalId` in its extras. Finds one.
    GlobalId(String),
    /// All nodes whose path fits the pattern. Finds many.
    Glob(String),
    /// All nodes whose extras hold every one of these values. Finds many.
    Extras(Vec<(String, Value)>),
    /// All root nodes of the model. Finds many, gives way to every other key.
    Whole,
}

/// One binding of a loaded site.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingDef {
    /// The twin that the nodes show.
    pub twin: TwinIndex,
    /// Look only in assets of this model id; `None` looks in all.
    pub model: Option<String>,
    /// At least one key; several vote (see [`crate::bind`]).
    pub keys: Vec<BindKey>,
    /// Where it is written.
    pub at: Location,
}

/// A binding whose names are not resolved yet.
#[derive(Debug, Clone)]
pub(crate) struct RawBinding {
    pub(crate) twin: Word,
    pub(crate) model: Option<Word>,
    pub(crate) keys: Vec<BindKey>,
    pub(crate) at: Location,
}

/// What `bind` of a twin or an interface says.
#[derive(Debug, Clone)]
pub(crate) enum Bind {
    /// `bind = false`: no geometry, on purpose.
    Nothing,
    /// Where to look. In an interface, `twin` is the interface and texts may hold placeholders.
    To(Vec<RawBinding>),
}

impl Bind {
    /// The same for one twin, with placeholders filled.
    pub(crate) fn for_twin(&self, twin: &Word, vars: &BTreeMap<String, String>, out: &mut Diagnostics) -> Vec<RawBinding> {
        let Self::To(list) = self else { return Vec::new() };
        let fill = |text: &String, at: &Location, out: &mut Diagnostics| template::fill(&Word::new(text, at), vars, twin, out);
        let one = |template: &RawBinding| {
            let at = &template.at;
            let mut key = |key: &BindKey| match key {
                BindKey::Path(text) => BindKey::Path(fill(text, at, out)),
                BindKey::Name(text) => BindKey::Name(fill(text, at, out)),
                BindKey::GlobalId(text) => BindKey::GlobalId(fill(text, at, out)),
                BindKey::Glob(text) => BindKey::Glob(fill(text, at, out)),
                BindKey::Extras(pairs) => BindKey::Extras(
                    pairs
                        .iter()
                        .map(|(key, value)| match value {
                            Value::Text(text) => (key.clone(), Value::text(&fill(&text.to_string(), at, out))),
                            other => (key.clone(), other.clone()),
                        })
                        .collect(),
                ),
                BindKey::Whole => BindKey::Whole,
            };
            let keys = template.keys.iter().map(&mut key).collect();
            RawBinding { twin: twin.clone(), model: template.model.clone(), keys, at: template.at.clone() }
        };
        list.iter().map(one).collect()
    }
}

/// Reads `bind` of a twin or an interface; `None` where it is absent or of a wrong type.
pub(crate) fn read_bind(s: &Section<'_>, owner: &Word, out: &mut Diagnostics) -> Option<Bind> {
    if s.bool("bind") == Some(false) {
        return Some(Bind::Nothing);
    }
    let targets: Vec<Section<'_>> = s.table("bind").into_iter().chain(s.tables("bind")).collect();
    let mut found = Vec::new();
    for target in &targets {
        read_target(target, owner, &mut found, out);
    }
    (!targets.is_empty()).then_some(Bind::To(found))
}

/// Reads `[[bindings]]`.
pub(crate) fn read(root: &Section<'_>, found: &mut Vec<RawBinding>, out: &mut Diagnostics) {
    for section in root.tables("bindings") {
        if let Some(twin) = section.word("twin") {
            read_target(&section, &twin, found, out);
        }
    }
}

/// A key that holds texts, and what each text becomes.
type KeyKind = (&'static str, fn(String) -> BindKey);

/// Reads one table of keys; a key with a list makes one binding per item.
fn read_target(s: &Section<'_>, twin: &Word, found: &mut Vec<RawBinding>, out: &mut Diagnostics) {
    let model = s.word("model");
    let mut add = |keys: Vec<BindKey>, at: Location| {
        found.push(RawBinding { twin: twin.clone(), model: model.clone(), keys, at });
    };
    let kinds: [KeyKind; 4] =
        [("node", BindKey::Path), ("global_id", BindKey::GlobalId), ("name", BindKey::Name), ("glob", BindKey::Glob)];
    let lists: Vec<_> =
        kinds.into_iter().map(|(key, make)| (key, make, s.words(key))).filter(|(_, _, w)| !w.is_empty()).collect();
    let extras = s.scalars("extras");
    let key_count = lists.len() + usize::from(!extras.is_empty());
    let long = lists.iter().find(|(_, _, words)| words.len() > 1);
    match long {
        Some((_, make, words)) if key_count == 1 => {
            for word in words {
                add(vec![make(word.text.to_string())], word.at.clone());
            }
        }
        Some((key, ..)) => {
            let message = format!("'{key}' is a list, but other keys stand beside it: which belongs to which?");
            let help = "write one binding per node, or leave only the list".to_owned();
            out.error(codes::BINDING_INVALID, &s.at_key(key), twin.as_str(), message, help);
        }
        None => {
            let mut keys: Vec<BindKey> =
                lists.iter().filter_map(|(_, make, words)| Some(make(words.first()?.text.to_string()))).collect();
            if !extras.is_empty() {
                keys.push(BindKey::Extras(extras));
            }
            if keys.is_empty() && model.is_some() {
                keys.push(BindKey::Whole);
            }
            if keys.is_empty() {
                let message = format!("the binding of '{}' has no key that finds nodes", twin.as_str());
                let help = "add node, name, global_id, glob or extras; or model alone for a whole model".to_owned();
                out.error(codes::BINDING_INVALID, &s.at(), twin.as_str(), message, help);
            } else {
                add(keys, s.at());
            }
        }
    }
}

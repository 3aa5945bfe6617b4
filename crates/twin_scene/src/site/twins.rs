//! Twins as written or imported, before they are put together with their interfaces.

use std::collections::BTreeMap;

use super::bindings::{self, RawBinding};
use super::contents::Contents;
use super::diag::Diagnostics;
use super::read::{Section, Word};

/// A twin as written or imported.
#[derive(Debug, Clone)]
pub(crate) struct RawTwin {
    pub(crate) id: Word,
    pub(crate) name: Option<String>,
    pub(crate) interface: Option<Word>,
    pub(crate) parent: Option<Word>,
    pub(crate) source: Option<Word>,
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) relationships: Vec<(Word, Word)>,
    pub(crate) contents: Contents,
    /// `bind = false`: it has no geometry on purpose.
    pub(crate) no_geometry: bool,
}

impl RawTwin {
    /// A twin with an id and nothing else.
    pub(crate) fn bare(id: Word) -> Self {
        Self {
            id,
            name: None,
            interface: None,
            parent: None,
            source: None,
            vars: BTreeMap::new(),
            relationships: Vec::new(),
            contents: Contents::default(),
            no_geometry: false,
        }
    }
}

/// Reads `[[twins]]`, and the bindings written with them.
pub(crate) fn read(root: &Section<'_>, bindings: &mut Vec<RawBinding>, out: &mut Diagnostics) -> Vec<RawTwin> {
    root.tables("twins").iter().filter_map(|section| one(section, bindings, out)).collect()
}

fn one(s: &Section<'_>, found: &mut Vec<RawBinding>, out: &mut Diagnostics) -> Option<RawTwin> {
    let id = s.word("id")?;
    let targets: Vec<Section<'_>> = s.table("bind").into_iter().chain(s.tables("bind")).collect();
    for target in &targets {
        bindings::read_target(target, &id, found, out);
    }
    let edge = |edge: &Section<'_>| Some((edge.word("name")?, edge.word("target")?));
    let text = |texts: Vec<Word>| texts.first().map(|word| word.text.to_string());
    Some(RawTwin {
        name: s.text("name"),
        interface: s.word("interface"),
        parent: s.word("parent"),
        source: s.word("source"),
        vars: s.map("vars").into_iter().filter_map(|(key, texts)| Some((key.text.to_string(), text(texts)?))).collect(),
        relationships: s.tables("relationships").iter().filter_map(edge).collect(),
        contents: Contents::read(s, out),
        no_geometry: s.bool("bind") == Some(false),
        id,
    })
}

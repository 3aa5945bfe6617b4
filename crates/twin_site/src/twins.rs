//! Twins as written or imported, before they are put together with their interfaces.

use std::collections::BTreeMap;

use super::bindings::{self, Bind};
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
    /// What its signals are called in the data, before the dot, where that is not its id.
    pub(crate) data_id: Option<String>,
    pub(crate) relationships: Vec<(Word, Word)>,
    pub(crate) contents: Contents,
    /// How it finds its nodes; `None` leaves it to the interface.
    pub(crate) bind: Option<Bind>,
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
            data_id: None,
            relationships: Vec::new(),
            contents: Contents::default(),
            bind: None,
        }
    }
}

/// Reads `[[twins]]`.
pub(crate) fn read(root: &Section<'_>, out: &mut Diagnostics) -> Vec<RawTwin> {
    root.tables("twins").iter().filter_map(|section| one(section, out)).collect()
}

fn one(s: &Section<'_>, out: &mut Diagnostics) -> Option<RawTwin> {
    let id = s.word("id")?;
    let edge = |edge: &Section<'_>| Some((edge.word("name")?, edge.word("target")?));
    let text = |texts: Vec<Word>| texts.first().map(|word| word.text.to_string());
    Some(RawTwin {
        name: s.text("name"),
        interface: s.word("interface"),
        parent: s.word("parent"),
        source: s.word("source"),
        vars: s.map("vars").into_iter().filter_map(|(key, texts)| Some((key.text.to_string(), text(texts)?))).collect(),
        data_id: None,
        relationships: s.tables("relationships").iter().filter_map(edge).collect(),
        contents: Contents::read(s, out),
        bind: bindings::read_bind(s, &id, out),
        id,
    })
}

//! Types of twins: reading them and following `extends`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::bindings::{self, Bind};
use super::codes;
use super::contents::Contents;
use super::diag::Diagnostics;
use super::read::{Section, Word};

/// Longest chain of `extends`.
const MAX_EXTENDS: usize = 32;

/// An interface as written or imported.
#[derive(Debug, Clone)]
pub(crate) struct RawInterface {
    pub(crate) id: Word,
    pub(crate) name: Option<String>,
    pub(crate) extends: Option<Word>,
    pub(crate) source: Option<Word>,
    /// How its twins find their nodes; `None` where it does not say.
    pub(crate) bind: Option<Bind>,
    pub(crate) contents: Contents,
}

/// An interface with everything it inherits.
#[derive(Debug, Clone)]
pub(crate) struct FullInterface {
    pub(crate) name: String,
    pub(crate) source: Option<Word>,
    /// How its twins find their nodes; `None` where it does not say.
    pub(crate) bind: Option<Bind>,
    pub(crate) contents: Contents,
    /// Whether another interface extends it.
    pub(crate) extended: bool,
}

/// Interfaces in file order, with a look-up by id.
#[derive(Debug, Default)]
pub(crate) struct Interfaces {
    pub(crate) list: Vec<(Word, FullInterface)>,
    by_id: HashMap<Arc<str>, usize>,
}

impl Interfaces {
    pub(crate) fn get(&self, id: &str) -> Option<&FullInterface> {
        self.by_id.get(id).and_then(|at| self.list.get(*at)).map(|(_, full)| full)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(id, _)| id.as_str())
    }
}

/// Reads `[[interfaces]]`.
pub(crate) fn read(root: &Section<'_>, out: &mut Diagnostics) -> Vec<RawInterface> {
    let one = |s: &Section<'_>, out: &mut Diagnostics| {
        let id = s.word("id");
        Some(RawInterface {
            id: id.clone()?,
            name: s.text("name"),
            extends: s.word("extends"),
            source: s.word("source"),
            bind: id.as_ref().and_then(|id| bindings::read_bind(s, id, out)),
            contents: Contents::read(s, out),
        })
    };
    root.tables("interfaces").iter().filter_map(|section| one(section, out)).collect()
}

/// Resolves `extends` and refuses doubles.
pub(crate) fn resolve(raw: Vec<RawInterface>, out: &mut Diagnostics) -> Interfaces {
    let mut list: Vec<RawInterface> = Vec::with_capacity(raw.len());
    let mut by_id: HashMap<Arc<str>, usize> = HashMap::new();
    for interface in raw {
        if by_id.contains_key(&interface.id.text) {
            let message = format!("interface '{}' is defined twice", interface.id.as_str());
            out.error(codes::ID_DUPLICATE, &interface.id.at, interface.id.as_str(), message, "rename or delete one".to_owned());
            continue;
        }
        by_id.insert(interface.id.text.clone(), list.len());
        list.push(interface);
    }
    let bases: HashSet<Arc<str>> = list.iter().filter_map(|it| Some(it.extends.as_ref()?.text.clone())).collect();
    let mut full = Vec::with_capacity(list.len());
    for start in 0..list.len() {
        let mut resolved = flatten(&list, &by_id, start, out);
        resolved.extended = bases.contains(&list[start].id.text);
        full.push((list[start].id.clone(), resolved));
    }
    Interfaces { list: full, by_id }
}

/// Walks up `extends` from one interface and applies the changes from the top down.
fn flatten(list: &[RawInterface], by_id: &HashMap<Arc<str>, usize>, start: usize, out: &mut Diagnostics) -> FullInterface {
    let mut chain = vec![start];
    while let Some(base) = chain.last().and_then(|at| list[*at].extends.as_ref()) {
        match by_id.get(&base.text) {
            Some(at) if chain.contains(at) => {
                let message = format!("interface '{}' extends itself", list[start].id.as_str());
                let help = "take 'extends' out of one interface of the circle".to_owned();
                out.error(codes::INTERFACE_CYCLE, &base.at, list[start].id.as_str(), message, help);
                break;
            }
            Some(_) if chain.len() >= MAX_EXTENDS => {
                let message = format!("interface '{}' extends over more than {MAX_EXTENDS} steps", list[start].id.as_str());
                out.error(codes::TOO_MANY, &base.at, list[start].id.as_str(), message, "put interfaces together".to_owned());
                break;
            }
            Some(at) => chain.push(*at),
            None => {
                // Reported by the interface that says it, not again by each that extends it.
                if chain.len() == 1 {
                    let help = out.suggest(base.as_str(), list.iter().map(|it| it.id.as_str()), "define it, or delete 'extends'");
                    let message = format!("there is no interface '{}' to extend", base.as_str());
                    out.error(codes::INTERFACE_UNKNOWN, &base.at, list[start].id.as_str(), message, help);
                }
                break;
            }
        }
    }
    let mut contents = Contents::default();
    let (mut source, mut bind) = (None, None);
    for at in chain.iter().rev() {
        contents = contents.changed_by(&list[*at].contents, out);
        source = list[*at].source.clone().or(source);
        bind = list[*at].bind.clone().or(bind);
    }
    let own = &list[start];
    FullInterface { name: own.name.clone().unwrap_or_else(|| own.id.text.to_string()), source, bind, contents, extended: false }
}

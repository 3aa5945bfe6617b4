//! Names that look the same and are written with different characters: `é` as one, or as `e` and an accent, as tools on macOS write it
//! (Unicode's canonical equivalence, UAX 15). Asked only where nothing has the very characters.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::glob::{Glob, Hint};
use super::resolve::NodeId;

/// The one spelling (NFC) of all texts that look the same. Composed, so that `?` of a pattern is one letter.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    let composed: String = text.nfc().collect();
    if composed == text { Cow::Borrowed(text) } else { Cow::Owned(composed) }
}

/// Whether a path fits a pattern whose text was [`composed`], by how it looks.
pub(crate) fn fits(glob: &Glob, path: &str) -> bool {
    glob.matches(&composed(path))
}

/// What a text of a node is to the node. Order counts: of the two for a key, the first that finds anything decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Path,
    Alias,
    Name,
    MeshName,
    GlobalId,
}

/// Nodes by the one spelling of texts that are written in another; empty for most plants.
#[derive(Debug, Default)]
pub(crate) struct Alike {
    texts: HashMap<(What, String), Vec<NodeId>>,
    extras: HashMap<(String, String), Vec<NodeId>>,
    /// By every piece of a path.
    pieces: BTreeMap<String, Vec<NodeId>>,
    /// All of them.
    nodes: Vec<NodeId>,
}

impl Alike {
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.texts.is_empty() && self.extras.is_empty()
    }

    /// Adds a text of a node, if it is written in another spelling.
    pub(crate) fn add(&mut self, what: What, text: &str, id: NodeId) {
        let Cow::Owned(text) = composed(text) else { return };
        if matches!(what, What::Path | What::Alias) {
            for piece in text.split('/') {
                let ids = self.pieces.entry(piece.to_owned()).or_default();
                if ids.last() != Some(&id) {
                    ids.push(id);
                }
            }
            if self.nodes.last() != Some(&id) {
                self.nodes.push(id);
            }
        }
        self.texts.entry((what, text)).or_default().push(id);
    }

    /// Adds a value of a node's extras, if its key or its text is written in another spelling.
    pub(crate) fn add_extra(&mut self, key: &str, value: &str, id: NodeId) {
        let (key, value) = (composed(key), composed(value));
        if matches!((&key, &value), (Cow::Borrowed(_), Cow::Borrowed(_))) {
            return;
        }
        self.extras.entry((key.into_owned(), value.into_owned())).or_default().push(id);
    }

    /// Nodes that have a text, [`composed`], in another spelling.
    pub(crate) fn text(&self, what: What, composed: &str) -> &[NodeId] {
        self.texts.get(&(what, composed.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Nodes that have a value in their extras, both [`composed`], in another spelling.
    pub(crate) fn extra(&self, key: &str, value: &str) -> &[NodeId] {
        self.extras.get(&(key.to_owned(), value.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Nodes among which are all whose paths in another spelling fit a pattern; some more than once.
    pub(crate) fn candidates(&self, glob: &Glob) -> Vec<NodeId> {
        match glob.hint() {
            Hint::Last(name) | Hint::Above(name) => self.pieces.get(name).cloned().unwrap_or_default(),
            Hint::LastPrefix(prefix) => {
                let range = self.pieces.range(prefix.to_owned()..).take_while(|(piece, _)| piece.starts_with(prefix));
                range.flat_map(|(_, ids)| ids.iter().copied()).collect()
            }
            Hint::None => self.nodes.clone(),
        }
    }
}

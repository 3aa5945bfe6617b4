//! Twins, placements and anchors out of other systems' files, turned into what the site file could have said itself.
//!
//! Holds the `[[imports]]` tables. What cannot be carried over is a finding, never silence.

mod twinmaker;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use twin_model::{Model, TwinIndex};

use crate::bindings::RawBinding;
use crate::codes;
use crate::diag::{Diagnostics, Location};
use crate::interfaces::RawInterface;
use crate::read::Section;
use crate::twins::RawTwin;
use crate::{MAX_FILE_BYTES, ModelAsset, ReadFile};

/// A point in space that an import attaches to a twin, for example a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// Its name in the imported file.
    pub name: String,
    /// The twin it tells about; `None` where the import names none.
    pub twin: Option<TwinIndex>,
    /// Metres, Y up.
    pub position: [f32; 3],
}

/// An anchor whose twin is not resolved yet.
#[derive(Debug, Clone)]
pub(crate) struct RawAnchor {
    pub(crate) name: String,
    pub(crate) twin: Option<String>,
    pub(crate) position: [f32; 3],
}

impl RawAnchor {
    pub(crate) fn resolve(self, model: &Model) -> Anchor {
        Anchor { name: self.name, twin: self.twin.and_then(|id| model.find_twin(&id)), position: self.position }
    }
}

/// What all imports of a site bring.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) interfaces: Vec<RawInterface>,
    pub(crate) twins: Vec<RawTwin>,
    pub(crate) assets: Vec<ModelAsset>,
    pub(crate) bindings: Vec<RawBinding>,
    pub(crate) anchors: Vec<RawAnchor>,
}

/// Reads `[[imports]]`. `defined` holds the interface ids of the site file, which win over imported ones.
pub(crate) fn read(
    root: &Section<'_>,
    defined: &HashSet<String>,
    read_file: &mut ReadFile<'_>,
    out: &mut Diagnostics,
) -> Imported {
    let mut all = Imported::default();
    for section in root.tables("imports") {
        if section.choice("kind") == Some("twinmaker") {
            twinmaker::read(&section, defined, read_file, &mut all, out);
        }
    }
    all
}

/// Adds imported twins; one that the site file names as well is completed, and the site file's words win.
pub(crate) fn add_twins(twins: &mut Vec<RawTwin>, imported: Vec<RawTwin>, out: &mut Diagnostics) {
    let own: HashMap<Arc<str>, usize> = twins.iter().enumerate().map(|(at, twin)| (twin.id.text.clone(), at)).collect();
    for twin in imported {
        let Some(known) = own.get(&twin.id.text).and_then(|at| twins.get_mut(*at)) else {
            twins.push(twin);
            continue;
        };
        known.name = known.name.take().or(twin.name);
        known.interface = known.interface.take().or(twin.interface);
        known.parent = known.parent.take().or(twin.parent);
        known.source = known.source.take().or(twin.source);
        known.data_id = known.data_id.take().or(twin.data_id);
        for (key, value) in twin.vars {
            known.vars.entry(key).or_insert(value);
        }
        known.relationships.extend(twin.relationships);
        known.contents = twin.contents.changed_by(&known.contents, out);
        known.bind = known.bind.take().or(twin.bind);
    }
}

/// Reads and parses one JSON file; problems are findings.
fn json(path: &str, at: &Location, read_file: &mut ReadFile<'_>, out: &mut Diagnostics) -> Option<serde_json::Value> {
    let bytes = match read_file(path) {
        Ok(bytes) => bytes,
        Err(why) => {
            let message = format!("cannot read '{path}': {why}");
            out.error(codes::FILE_UNREADABLE, at, path, message, "check the path; it is relative to the site file".to_owned());
            return None;
        }
    };
    if bytes.len() > MAX_FILE_BYTES {
        let message = format!("'{path}' has {} MiB; at most {} are read", bytes.len() >> 20, MAX_FILE_BYTES >> 20);
        out.error(codes::FILE_TOO_LARGE, at, path, message, "export less at a time".to_owned());
        return None;
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text)
        .map_err(|error| {
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let place = Location { file: path.into(), line: count(error.line()), column: count(error.column()) };
            let message = format!("'{path}' is not valid JSON: {error}");
            out.error(codes::FILE_INVALID, &place, path, message, format!("it is imported at {at}"));
        })
        .ok()
}

//! Short names of what is served, by which a viewer sees that it is another site than before.
//!
//! Whoever serves says one at the beginning of a stream, before anything is compiled: so it is made of what goes into a publication.
//! What no viewer gets (comments, tokens, addresses of sources) has no part in it.

use std::collections::BTreeMap;

use twin_publication::{Manifest, PieceHash, PieceKind};
use twin_site::{LoadedSite, paths};

use super::model;
use crate::site::{Site, references};

/// Bytes of a file, or words.
type FileBytes = Result<Vec<u8>, String>;

/// The name of what a manifest describes: another one wherever [`Manifest::same_plant`] says no, and the same whatever its
/// number, its instant and its findings.
pub fn of(manifest: &Manifest) -> String {
    let mut seen = Seen::default();
    let assets = manifest.assets.iter().flat_map(|asset| [&asset.name, &asset.media_type]);
    for text in [&manifest.site.id, &manifest.site.name].into_iter().chain(assets) {
        seen.add(text.as_bytes());
    }
    for (kind, piece) in manifest.pieces().filter(|(kind, _)| *kind != PieceKind::History) {
        seen.add(kind.as_str().as_bytes());
        seen.add(&piece.hash.to_bytes());
    }
    for ordinal in manifest.scene.iter().flat_map(|scene| &scene.first) {
        seen.add(&ordinal.to_le_bytes());
    }
    seen.name()
}

/// The name of a site on disk: another one wherever its model, what its nodes show, a model file or a file that one
/// names is another.
pub fn of_site(site: &Site) -> String {
    of_files(&site.loaded, &|path| site.read_file(path), &|path, name| site.read_beside(path, name))
}

/// The same for the site of a recording, whose files are those of the recording.
pub fn of_recording(site: &LoadedSite, files: &BTreeMap<String, Vec<u8>>) -> String {
    let get = |path: &str| files.get(path).cloned().ok_or_else(String::new);
    let beside = |path: &str, name: &str| get(&paths::join(path.rsplit_once('/').map_or("", |(folder, _)| folder), name));
    of_files(site, &get, &beside)
}

fn of_files(site: &LoadedSite, read: &dyn Fn(&str) -> FileBytes, beside: &dyn Fn(&str, &str) -> FileBytes) -> String {
    let mut seen = Seen::default();
    // One that can't be written is not published either, and then there is nothing to tell apart.
    seen.add(&model::of(site).write().unwrap_or_default());
    for binding in &site.bindings {
        seen.add(format!("{:?}", (binding.twin, &binding.model, &binding.keys)).as_bytes());
    }
    let files = site.model_files();
    for asset in &site.assets {
        let at = files.iter().position(|path| *path == asset.path).unwrap_or_default();
        seen.add(&(at as u64).to_le_bytes());
    }
    for path in files {
        let Ok(bytes) = read(path) else {
            seen.add(b"");
            continue;
        };
        seen.add(&PieceHash::of(&bytes).to_bytes());
        for name in references(&bytes) {
            let hash = beside(path, &name).map(|bytes| PieceHash::of(&bytes).to_bytes());
            seen.add(hash.as_ref().map_or(&b""[..], |hash| hash));
        }
    }
    seen.name()
}

/// Parts of a name, each with its length before it, so that no two lists of parts look alike.
#[derive(Default)]
struct Seen(Vec<u8>);

impl Seen {
    fn add(&mut self, part: &[u8]) {
        self.0.extend((part.len() as u64).to_le_bytes());
        self.0.extend(part);
    }

    /// 16 hexadecimal digits: enough to tell one's own sites apart, and not meant to stand up to somebody who wants them equal.
    fn name(&self) -> String {
        let mut name = PieceHash::of(&self.0).to_string();
        name.truncate(16);
        name
    }
}

#[cfg(test)]
mod tests {
    use twin_model::Timestamp;
    use twin_publication::{Asset, PieceRef, Scene, SiteName};

    use super::*;

    #[test]
    fn a_manifest_has_another_name_wherever_it_is_of_another_plant_and_only_there() {
        let piece = |text: &str| PieceRef::of(text.as_bytes());
        let asset = |name: &str| Asset { name: name.into(), media_type: "text/plain".into(), piece: piece("note") };
        let base = Manifest {
            site: SiteName { id: "a".into(), name: "b".into() },
            revision: 1,
            valid_from: Timestamp::from_secs(0),
            model: piece("model"),
            scene: Some(Scene { index: piece("index"), geometry: vec![piece("x"), piece("y")], images: vec![], first: vec![] }),
            assets: vec![asset("one")],
            history: None,
            live: None,
            findings: Vec::new(),
        };
        let scene = |geometry: Vec<PieceRef>, images| Some(Scene { index: piece("index"), geometry, images, first: vec![] });
        let first = |first| Some(Scene { first, ..base.scene.clone().unwrap() });
        let all = [
            base.clone(),
            Manifest { revision: 7, valid_from: Timestamp::from_secs(9), ..base.clone() },
            Manifest { history: Some(piece("h")), live: Some("https://x/".into()), ..base.clone() },
            Manifest { site: SiteName { id: "ab".into(), name: String::new() }, ..base.clone() },
            Manifest { model: piece("other"), ..base.clone() },
            Manifest { scene: None, ..base.clone() },
            Manifest { scene: scene(vec![piece("y"), piece("x")], vec![]), ..base.clone() },
            Manifest { scene: scene(vec![piece("x")], vec![piece("y")]), ..base.clone() },
            Manifest { scene: first(vec![1]), ..base.clone() },
            Manifest { assets: vec![asset("two")], ..base.clone() },
            Manifest { assets: vec![], ..base.clone() },
        ];
        for (at, one) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                assert_eq!(of(one) == of(other), one.same_plant(other), "{at} and {other_at}");
            }
        }
    }
}

//! The manifest: the one small document of a publication that ever changes. It says which pieces there are, and since when.

use serde::{Deserialize, Serialize};
use twin_model::Timestamp;

use crate::error::PublicationError;
use crate::instant;
use crate::limits::{ASSETS, FINDING_BYTES, FINDINGS, GEOMETRY, IMAGES, MANIFEST_BYTES};
use crate::list::List;
use crate::piece::{PieceKind, PieceRef};
use crate::wire::{Form, name};

const FORM: Form =
    Form { what: "the manifest", format: "orrery.publication", version: crate::MANIFEST_VERSION, most: MANIFEST_BYTES };

/// Which site a publication is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteName {
    /// Id of the site, for example `bottling`.
    pub id: String,
    /// Words for people.
    pub name: String,
}

/// The pieces of a scene. They refer to one another by position in these lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// Its header: boxes, errors in metres and parts of all cells.
    pub index: PieceRef,
    /// Its pieces of geometry, by ordinal: levels of cells lie in them as the header says.
    pub geometry: Vec<PieceRef>,
    /// Images of its materials, by ordinal.
    pub images: Vec<PieceRef>,
    /// Ordinals of the geometry that holds the coarsest level of all cells, ascending: what a first picture needs, so that it can be
    /// asked for beside the header. May be empty, then only the header tells.
    pub first: Vec<u32>,
}

/// A file that people open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its name, without folders of the machine where it came from.
    pub name: String,
    /// Its media type, for example `application/pdf`.
    pub media_type: String,
    /// Its bytes.
    #[serde(flatten)]
    pub piece: PieceRef,
}

/// Something about the site that those who look at it should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `error`, `warning` or `info`; others may come.
    pub severity: String,
    /// Stable code, listed in `docs/SITE.md`.
    pub code: String,
    /// Whom it is about, for example a twin id; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// File in the folder of the site, without folders above it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Line from 1; 0 where the file as a whole is meant.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u32,
}

fn is_zero(line: &u32) -> bool {
    *line == 0
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The site.
    pub site: SiteName,
    /// Its revision: 1, then one more whenever anything of the plant changed.
    pub revision: u64,
    /// Since when this revision describes the plant.
    pub valid_from: Timestamp,
    /// Twins, signals, rules and views.
    pub model: PieceRef,
    /// The scene; `None` where none is published (yet).
    pub scene: Option<Scene>,
    /// Files beside it.
    pub assets: Vec<Asset>,
    /// The catalogue of sealed history; `None` where there is none beside the manifest.
    pub history: Option<PieceRef>,
    /// Address of a gateway with live data, `http` or `https`; `None` where there is none.
    pub live: Option<String>,
    /// What viewers should know, worst first.
    pub findings: Vec<Finding>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
    site: SiteName,
    revision: u64,
    valid_from: String,
    model: PieceRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scene: Option<SceneRow>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    assets: List<Asset, ASSETS>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<PieceRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live: Option<String>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    findings: List<Finding, FINDINGS>,
}

#[derive(Serialize, Deserialize)]
struct SceneRow {
    index: PieceRef,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    geometry: List<PieceRef, GEOMETRY>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    images: List<PieceRef, IMAGES>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    first: List<u32, GEOMETRY>,
}

impl Manifest {
    /// The manifest as JSON, canonical: fields in one order, no blanks, what is empty left out. Equal manifests have equal bytes.
    ///
    /// # Errors
    /// Where the reader would refuse it.
    pub fn write(&self) -> Result<Vec<u8>, PublicationError> {
        self.check()?;
        let head = FORM.head();
        let scene = self.scene.as_ref().map(|scene| SceneRow {
            index: scene.index,
            geometry: List(scene.geometry.clone()),
            images: List(scene.images.clone()),
            first: List(scene.first.clone()),
        });
        FORM.write(&Document {
            format: head.format,
            version: head.version,
            site: self.site.clone(),
            revision: self.revision,
            valid_from: instant::write(self.valid_from)?,
            model: self.model,
            scene,
            assets: List(self.assets.clone()),
            history: self.history,
            live: self.live.clone(),
            findings: List(self.findings.clone()),
        })
    }

    /// Reads a manifest. Fields that are not known are passed over: the format grows.
    ///
    /// # Errors
    /// In words: too large, not JSON, something else, a later version, or a value that makes no sense.
    pub fn read(bytes: &[u8]) -> Result<Self, PublicationError> {
        let document: Document = FORM.read(bytes, |document: &Document| (&document.format, document.version))?;
        let scene = document.scene.map(|scene| {
            let SceneRow { index, geometry, images, first } = scene;
            Scene { index, geometry: geometry.0, images: images.0, first: first.0 }
        });
        let manifest = Self {
            site: document.site,
            revision: document.revision,
            valid_from: instant::read(&document.valid_from, "valid_from")?,
            model: document.model,
            scene,
            assets: document.assets.0,
            history: document.history,
            live: document.live,
            findings: document.findings.0,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// Every piece with its kind, in the order of the document. A piece that is used twice comes twice.
    pub fn pieces(&self) -> impl Iterator<Item = (PieceKind, PieceRef)> + '_ {
        let of = |kind: PieceKind| move |piece: &PieceRef| (kind, *piece);
        let scene = self.scene.iter().flat_map(move |scene| {
            let index = std::iter::once((PieceKind::SceneIndex, scene.index));
            let geometry = scene.geometry.iter().map(of(PieceKind::Geometry));
            index.chain(geometry).chain(scene.images.iter().map(of(PieceKind::Image)))
        });
        let assets = self.assets.iter().map(|asset| (PieceKind::Asset, asset.piece));
        std::iter::once((PieceKind::Model, self.model))
            .chain(scene)
            .chain(assets)
            .chain(self.history.iter().map(of(PieceKind::History)))
    }

    /// Whether two manifests describe the same plant. Revision and instant are not compared, nor are history, the live address
    /// and findings, which change while the plant stays what it is (a line number, after a comment was written).
    pub fn same_plant(&self, other: &Self) -> bool {
        self.site == other.site && self.model == other.model && self.scene == other.scene && self.assets == other.assets
    }

    fn check(&self) -> Result<(), PublicationError> {
        if self.revision == 0 {
            return Err(PublicationError::invalid("revision", "revisions count from 1"));
        }
        self.counts()?;
        self.scene.as_ref().map_or(Ok(()), Scene::check)?;
        name(&self.site.id, || "site.id".to_owned())?;
        name(&self.site.name, || "site.name".to_owned())?;
        for (at, asset) in self.assets.iter().enumerate() {
            name(&asset.name, || format!("assets[{at}].name"))?;
            name(&asset.media_type, || format!("assets[{at}].media_type"))?;
        }
        for (at, finding) in self.findings.iter().enumerate() {
            finding.check(at)?;
        }
        self.live.as_deref().map_or(Ok(()), address)
    }

    fn counts(&self) -> Result<(), PublicationError> {
        let lists = [("assets", self.assets.len(), ASSETS), ("findings", self.findings.len(), FINDINGS)];
        let scene = self.scene.iter().flat_map(|scene| {
            [("pieces of geometry", scene.geometry.len(), GEOMETRY), ("images of the scene", scene.images.len(), IMAGES)]
        });
        match lists.into_iter().chain(scene).find(|(_, count, most)| count > most) {
            Some((what, count, most)) => Err(PublicationError::TooMany { what, count, most }),
            None => Ok(()),
        }
    }
}

impl Scene {
    /// Ordinals that exist, each once: there are at most as many as pieces.
    fn check(&self) -> Result<(), PublicationError> {
        let ascending = self.first.windows(2).all(|pair| pair[0] < pair[1]);
        let there = self.first.last().is_none_or(|last| (*last as usize) < self.geometry.len());
        if ascending && there {
            return Ok(());
        }
        Err(PublicationError::invalid("scene.first", "these are ordinals of geometry, ascending, each once"))
    }
}

impl Finding {
    fn check(&self, at: usize) -> Result<(), PublicationError> {
        for (field, text) in
            [("severity", &self.severity), ("code", &self.code), ("subject", &self.subject), ("file", &self.file)]
        {
            name(text, || format!("findings[{at}].{field}"))?;
        }
        if self.message.len() > FINDING_BYTES || self.help.len() > FINDING_BYTES {
            let why = format!("message and help have at most {FINDING_BYTES} bytes each; shorten them");
            return Err(PublicationError::invalid(format!("findings[{at}]"), why));
        }
        Ok(())
    }
}

/// A live address is read by everybody, so it has no place for a secret: no name or password, no query, no fragment.
fn address(text: &str) -> Result<(), PublicationError> {
    let invalid = |why: &str| Err(PublicationError::invalid("live", why));
    name(text, || "live".to_owned())?;
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return invalid("write an address like https://plant.example/");
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return invalid("this is no address; write one like https://plant.example/");
    }
    if text.contains(['@', '?', '#']) {
        return invalid("an address that everybody may read has no name, password, query or fragment");
    }
    Ok(())
}

#[cfg(test)]
mod tests;

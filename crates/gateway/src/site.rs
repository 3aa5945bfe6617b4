//! A site on disk: its file, the files that it names, and what of them the page may have.
//!
//! Only files that the site file names, and files that those models name beside themselves, are ever handed out: there is
//! no folder that a request could walk through.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use serde::Serialize;
use twin_scene::glb;
use twin_scene::site::{self, LoadedSite, Severity, paths};

use crate::GatewayError;
use crate::pack::{Coding, Packed, fnv64};

/// A site read from disk.
pub struct Site {
    /// What it means.
    pub loaded: LoadedSite,
    /// The site file.
    pub path: PathBuf,
    /// Its text.
    pub toml: String,
    /// Other files that were read to understand it (imports), by the path that the site file uses.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Site {
    /// Reads `site`, a site file or a folder with a `site.toml`.
    ///
    /// # Errors
    /// Only where the file cannot be read; findings are in [`LoadedSite::diagnostics`].
    pub fn read(site: &Path) -> Result<Self, GatewayError> {
        let path = if site.is_dir() { site.join("site.toml") } else { site.to_owned() };
        let bytes = std::fs::read(&path).map_err(|source| GatewayError::Read { path: path.clone(), source })?;
        let toml = String::from_utf8_lossy(&bytes).into_owned();
        let name = path.file_name().map_or_else(|| "site.toml".into(), |name| name.to_string_lossy().into_owned());
        let mut files = BTreeMap::new();
        let mut read = |relative: &str| {
            let bytes = std::fs::read(resolve(&path, relative)).map_err(|e| e.to_string())?;
            files.insert(relative.to_owned(), bytes.clone());
            Ok(bytes)
        };
        let loaded = site::load_bytes(&bytes, &name, &mut read);
        Ok(Self { loaded, path, toml, files })
    }

    /// The same, where the site must be good enough to run.
    ///
    /// # Errors
    /// The first finding of severity error where nothing is usable.
    pub fn read_usable(site: &Path) -> Result<Self, GatewayError> {
        let site = Self::read(site)?;
        if site.loaded.usable {
            return Ok(site);
        }
        let first = site.loaded.diagnostics.iter().find(|finding| finding.severity == Severity::Error);
        let why = first.map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        Err(GatewayError::Site { file: site.path.display().to_string(), why })
    }

    /// Where a path of the site file lies on this machine.
    pub fn resolve(&self, relative: &str) -> PathBuf {
        resolve(&self.path, relative)
    }

    /// File name of the site file, as findings show it.
    pub fn file_name(&self) -> String {
        self.path.file_name().map_or_else(|| "site.toml".into(), |name| name.to_string_lossy().into_owned())
    }
}

fn resolve(site: &Path, relative: &str) -> PathBuf {
    let shared = std::env::var("ORRERY_SHARED").ok();
    let relative = paths::with_shared(relative, shared.as_deref());
    site.parent().unwrap_or(Path::new("")).join(relative)
}

/// One file that the page may have.
pub struct AssetFile {
    /// Where it lies; `None` where its content came with a recording.
    path: Option<PathBuf>,
    content: OnceLock<Result<Packed, String>>,
    tag: u64,
    size: u64,
}

impl AssetFile {
    /// Its content, read on first use and kept; the error is words for people.
    pub fn content(&self) -> Result<&Packed, &str> {
        let read = || match &self.path {
            Some(path) => std::fs::read(path).map(Packed::new).map_err(|e| e.to_string()),
            None => Err("not in the recording".to_owned()),
        };
        self.content.get_or_init(read).as_ref().map_err(String::as_str)
    }
}

/// Everything that `/api/site` and `/api/asset` hand out.
#[derive(Default)]
pub struct Assets {
    files: BTreeMap<String, Arc<AssetFile>>,
    listed: Vec<Listed>,
}

#[derive(Serialize, Clone)]
struct Listed {
    /// Path as the site file writes it.
    path: String,
    url: String,
    bytes: u64,
    /// Why it cannot be had, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
}

impl Assets {
    /// Looks at every model of a site and the files that they name.
    pub fn of(site: &Site) -> Self {
        let mut assets = Self::default();
        for path in site.loaded.model_files() {
            let file = site.resolve(path);
            let bytes = std::fs::read(&file).map_err(|e| e.to_string());
            let beside = |name: &str| {
                let path = file.parent().unwrap_or(Path::new("")).join(name);
                std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file).map(|meta| (path, meta.len()))
            };
            assets.add(path, bytes, &|name| {
                let (path, size) = beside(name)?;
                Some(AssetFile {
                    tag: fnv64(path.display().to_string().as_bytes()),
                    path: Some(path),
                    content: OnceLock::new(),
                    size,
                })
            });
        }
        assets
    }

    /// The models of a recording, by the path that its site file uses.
    pub fn of_recording(site: &LoadedSite, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut assets = Self::default();
        for path in site.model_files() {
            let bytes = files.get(path).cloned().ok_or_else(|| "not in the recording".to_owned());
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            assets.add(path, bytes, &|name| {
                files.get(&paths::join(folder, name)).map(|bytes| AssetFile {
                    path: None,
                    tag: fnv64(bytes),
                    size: bytes.len() as u64,
                    content: OnceLock::from(Ok(Packed::new(bytes.clone()))),
                })
            });
        }
        assets
    }

    fn add(&mut self, path: &str, bytes: Result<Vec<u8>, String>, beside: &dyn Fn(&str) -> Option<AssetFile>) {
        let name = path.rsplit('/').next().unwrap_or(path);
        match bytes {
            Ok(bytes) => {
                let tag = fnv64(&bytes);
                let key = format!("{tag:016x}");
                for reference in references(&bytes) {
                    if let Some(file) = beside(&reference) {
                        self.files.insert(format!("{key}/{reference}"), Arc::new(file));
                    }
                }
                let url = format!("/api/asset/{key}/{}", percent_encode(name));
                let size = bytes.len() as u64;
                let file = AssetFile { path: None, tag, size, content: OnceLock::from(Ok(Packed::new(bytes))) };
                self.files.insert(format!("{key}/{name}"), Arc::new(file));
                self.listed.push(Listed { path: path.to_owned(), url, bytes: size, missing: None });
            }
            Err(why) => {
                self.listed.push(Listed { path: path.to_owned(), url: String::new(), bytes: 0, missing: Some(why) });
            }
        }
    }

    /// The file of a request path below `/api/asset/`, already percent-decoded. Only exact names exist.
    pub fn find(&self, path: &str) -> Option<Arc<AssetFile>> {
        self.files.get(path).cloned()
    }

    /// Packs every model as browsers ask for it, so that the first visitor need not wait. Takes a second per 10 MB.
    pub fn warm(&self) {
        for file in self.files.values() {
            if let Ok(content) = file.content() {
                drop(content.best(&[Coding::Brotli]));
            }
        }
    }

    /// Entity tag of a file.
    pub fn tag(file: &AssetFile) -> u64 {
        file.tag ^ file.size.rotate_left(32)
    }
}

/// Files beside the model that it needs; none where the model cannot be read.
pub(crate) fn references(bytes: &[u8]) -> Vec<String> {
    let Ok(mut loader) = glb::Loader::new(bytes, glb::Limits::default()) else { return Vec::new() };
    match loader.step(1) {
        Ok(_) => loader.missing(),
        Err(_) => Vec::new(),
    }
}

/// A file name as one step of a URL.
pub(crate) fn percent_encode(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[derive(Serialize)]
struct SiteJson<'a> {
    format: u32,
    id: &'a str,
    name: &'a str,
    hash: String,
    file: String,
    toml: &'a str,
    /// Side files that the site file imports, as text.
    files: BTreeMap<&'a str, String>,
    assets: &'a [Listed],
}

/// Body and hash of `/api/site`.
pub fn site_json(
    model: &twin_model::Model,
    file: String,
    toml: &str,
    files: &BTreeMap<String, Vec<u8>>,
    assets: &Assets,
) -> (Bytes, String) {
    let texts: BTreeMap<&str, String> =
        files.iter().map(|(path, bytes)| (path.as_str(), String::from_utf8_lossy(bytes).into_owned())).collect();
    let mut seen = toml.as_bytes().to_vec();
    for (path, text) in &texts {
        seen.extend(path.bytes().chain(text.bytes()));
    }
    seen.extend(assets.listed.iter().flat_map(|listed| listed.url.bytes()));
    let hash = format!("{:016x}", fnv64(&seen));
    let site = model.site();
    let (id, name) = (site.id.as_str(), site.name.as_str());
    let json = SiteJson { format: 1, id, name, hash: hash.clone(), file, toml, files: texts, assets: &assets.listed };
    (serde_json::to_vec(&json).unwrap_or_default().into(), hash)
}

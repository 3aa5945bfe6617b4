//! A site on disk: its file, and the files that it names.
//!
//! Nothing of it is handed out as it is: what viewers get is compiled by [`crate::publish`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use twin_geometry::glb;
use twin_site::{LoadedSite, Location, Severity, codes};

use crate::GatewayError;
use crate::files::{Folders, read_file, regular};
use crate::mistaken::not_a_site;

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
    /// Imports that could not be read, in the order in which they were asked for.
    pub absent: Vec<String>,
    folders: Folders,
}

/// Bytes of the largest file that is read as a whole: what no page could load is refused before it fills the memory.
fn most_bytes() -> u64 {
    glb::Limits::default().max_bytes
}

impl Site {
    /// Reads `site`, a site file or a folder with a `site.toml`. The files that it names may lie in its folder only.
    ///
    /// # Errors
    /// Only where the file cannot be read or is something else altogether; findings are in [`LoadedSite::diagnostics`].
    pub fn read(site: &Path) -> Result<Self, GatewayError> {
        Self::read_with(site, &[])
    }

    /// The same; what it names may lie in these folders, too.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with(site: &Path, allowed: &[PathBuf]) -> Result<Self, GatewayError> {
        let path = if site.is_dir() { site.join("site.toml") } else { site.to_owned() };
        if let Some((what, help)) = regular(&path).ok().and_then(|file| not_a_site(&path, file)) {
            return Err(GatewayError::NotASite { path, what, help });
        }
        let bytes = read_file(&path, most_bytes())?;
        let folders = Folders::of_site(&path, allowed);
        let toml = String::from_utf8_lossy(&bytes).into_owned();
        let name = path.file_name().map_or_else(|| "site.toml".into(), |name| name.to_string_lossy().into_owned());
        let (mut files, mut absent) = (BTreeMap::new(), Vec::new());
        let mut read = |relative: &str| {
            let bytes = folders.read(relative, most_bytes()).inspect_err(|_| absent.push(relative.to_owned()))?;
            files.insert(relative.to_owned(), bytes.clone());
            Ok(bytes)
        };
        let mut loaded = twin_site::load_bytes(&bytes, &name, &mut read);
        judge_processes(&mut loaded, &name);
        Ok(Self { loaded, path, toml, files, absent, folders })
    }

    /// The same, where the site must be good enough to run.
    ///
    /// # Errors
    /// The first finding of severity error where nothing is usable.
    pub fn read_usable(site: &Path) -> Result<Self, GatewayError> {
        Self::read_usable_with(site, &[])
    }

    /// The same; what it names may lie in these folders, too.
    ///
    /// # Errors
    /// As [`Self::read_usable`].
    pub fn read_usable_with(site: &Path, allowed: &[PathBuf]) -> Result<Self, GatewayError> {
        let site = Self::read_with(site, allowed)?;
        if site.loaded.usable {
            return Ok(site);
        }
        let first = site.loaded.diagnostics.iter().find(|finding| finding.severity == Severity::Error);
        let why = first.map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        Err(GatewayError::Site { file: site.path.display().to_string(), why })
    }

    /// Where a path of the site file would lie on this machine: for messages, and for tokens, which may lie anywhere. What else
    /// the site names is opened by [`Self::open`] and [`Self::read_file`].
    pub fn place(&self, relative: &str) -> PathBuf {
        self.folders.place(relative)
    }

    /// Opens a file that the site file names; the one door for that.
    ///
    /// # Errors
    /// Words for people.
    pub fn open(&self, relative: &str) -> Result<std::fs::File, String> {
        self.folders.open(relative)
    }

    /// Reads a file that the site file names.
    ///
    /// # Errors
    /// Words for people.
    pub fn read_file(&self, relative: &str) -> Result<Vec<u8>, String> {
        self.folders.read(relative, most_bytes())
    }

    /// Reads a file that a model names beside itself: `model` is the model's path in the site file, `name` what
    /// [`glb::Loader::missing`] asks for.
    ///
    /// # Errors
    /// Words for people.
    pub fn read_beside(&self, model: &str, name: &str) -> Result<Vec<u8>, String> {
        self.read_file(&Self::beside(model, name))
    }

    /// The path, from the site's folder, of a file that a model names beside itself.
    pub(crate) fn beside(model: &str, name: &str) -> String {
        let folder = model.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        format!("{folder}{name}")
    }

    /// File name of the site file, as findings show it.
    pub fn file_name(&self) -> String {
        self.path.file_name().map_or_else(|| "site.toml".into(), |name| name.to_string_lossy().into_owned())
    }
}

/// What a what-if run would refuse is a finding of the site, where the expression is written.
fn judge_processes(site: &mut LoadedSite, file: &str) {
    for error in twin_scenario::check(&site.model) {
        let place = error.modelled().and_then(|id| {
            let at = site.model.processes().iter().position(|process| site.model.signal(process.signal).id.as_str() == id)?;
            site.process_locations.get(at).cloned()
        });
        let at = place.unwrap_or_else(|| Location::whole(&file.into()));
        let same = |known: &twin_site::Diagnostic| known.at == at && known.code == codes::EXPRESSION_REFERENCE;
        // The site's reader has named every word that is no signal already.
        if site.diagnostics.iter().any(same) {
            continue;
        }
        let subject = error.modelled().unwrap_or_default().to_owned();
        let help =
            "docs/SITE.md, \"Expressions\", has the grammar; `orrery whatif` refuses to run until this is mended".to_owned();
        let (severity, code, message) = (Severity::Error, codes::PROCESS_INVALID, error.to_string());
        site.diagnostics.push(twin_site::Diagnostic { severity, code, at, subject, message, help });
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

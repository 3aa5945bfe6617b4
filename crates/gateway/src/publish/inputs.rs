//! What a publication is made from: which files, how they looked when they were read, and one hash over all of it.
//!
//! The files are the site's own, its imports, its models and what those name beside themselves. Tables of sources are among the
//! inputs only as far as `orrery check` has something to say of them: by size and time, not by content, which may be large and
//! grow; and a table that grows is the plant's business, so nothing watches it. The hash holds no path in readable form: it lies
//! in a folder that people may hand out.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use twin_publication::PieceHash;
use twin_site::SourceKind;

use crate::files::read_file;
use crate::site::{Site, references};

/// How a file looks from outside. Whoever writes it changes one of these, also where the clock stands still or its time is set
/// back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Which file it is, and when that was last touched: another one moved into its place may have the same size and time.
    identity: (u64, i64, i64),
}

impl Look {
    fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Self { bytes: meta.len(), modified: meta.modified().ok(), identity: identity(&meta) })
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.ino(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

/// Looks of files by where they lie; `None` of one that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Looks(BTreeMap<PathBuf, Option<Look>>);

impl Looks {
    /// The same files as they look now.
    pub(crate) fn again(&self) -> Self {
        Self(self.0.keys().map(|path| (path.clone(), Look::of(path))).collect())
    }

    /// Those of the files that `other` has.
    #[must_use]
    pub(crate) fn of(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|(path, _)| other.0.contains_key(*path)).map(|(path, look)| (path.clone(), *look)).collect())
    }

    /// Those of `earlier` where both have a file, and all others of both: what is known of each since the first time.
    #[must_use]
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(earlier.0.iter().map(|(path, look)| (path.clone(), *look)));
        Self(all)
    }
}

/// The inputs of a publication.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    /// How its files looked, each before it was read.
    pub looks: Looks,
    /// The hash of everything that compiling depends on, this program included. Equal hashes, equal publications.
    pub key: PieceHash,
}

impl Inputs {
    /// Reads what a site names. What the site was read from before is compared with what lies there now: where it differs, it
    /// looks like nothing that will be seen again.
    pub(crate) fn of(site: &Site) -> Self {
        let mut walk = Walk { site, looks: BTreeMap::new(), seen: Vec::new() };
        walk.told("program", program().as_deref().unwrap_or_default());
        walk.told("site", site.file_name().as_bytes());
        walk.told("text", site.toml.as_bytes());
        walk.known(&site.path, site.toml.len(), |bytes| *String::from_utf8_lossy(bytes) == *site.toml);
        for (path, bytes) in &site.files {
            walk.told("import", path.as_bytes());
            walk.told("content", bytes);
            walk.known(&site.place(path), bytes.len(), |now| now == bytes);
        }
        for path in &site.absent {
            walk.told("no import", path.as_bytes());
            let place = site.place(path);
            walk.looks.entry(place).or_insert(None);
        }
        for path in site.loaded.model_files() {
            walk.model(path);
        }
        for source in &site.loaded.sources {
            if let SourceKind::Csv(csv) = &source.kind {
                walk.table(&csv.path);
            }
        }
        Self { looks: Looks(walk.looks), key: PieceHash::of(&walk.seen) }
    }

    /// Whether the hash can be compared with one of another time: what this program is, is part of it.
    pub(crate) fn comparable() -> bool {
        program().is_some()
    }
}

struct Walk<'a> {
    site: &'a Site,
    looks: BTreeMap<PathBuf, Option<Look>>,
    seen: Vec<u8>,
}

impl Walk<'_> {
    /// Something that compiling depends on, of a kind. As hashes, so that no content can look like another list of contents.
    fn told(&mut self, kind: &str, bytes: &[u8]) {
        for part in [kind.as_bytes(), bytes] {
            self.seen.extend(PieceHash::of(part).to_string().into_bytes());
        }
    }

    /// A file that was read before now.
    fn known(&mut self, place: &Path, was: usize, same: impl FnOnce(&[u8]) -> bool) {
        let look = Look::of(place);
        // What is longer is something else.
        let unchanged = read_file(place, was as u64).is_ok_and(|bytes| same(&bytes));
        // A look that no file has: whoever looks again sees a change.
        let look = if unchanged { look } else { Some(Look { bytes: u64::MAX, modified: None, identity: (0, 0, 0) }) };
        self.looks.insert(place.to_owned(), look);
    }

    fn model(&mut self, path: &str) {
        self.told("model", path.as_bytes());
        let Some(bytes) = self.file(path, |site| site.read_file(path)) else { return };
        for name in references(&bytes) {
            self.told("beside", name.as_bytes());
            self.file(&Site::beside(path, &name), |site| site.read_beside(path, &name));
        }
    }

    fn file(&mut self, path: &str, read: impl FnOnce(&Site) -> Result<Vec<u8>, String>) -> Option<Vec<u8>> {
        let place = self.site.place(path);
        let look = Look::of(&place);
        self.looks.entry(place).or_insert(look);
        match read(self.site) {
            Ok(bytes) => {
                self.told("content", &bytes);
                Some(bytes)
            }
            Err(why) => {
                self.told("unreadable", why.as_bytes());
                None
            }
        }
    }

    /// A table is only looked at: see the module's head.
    fn table(&mut self, path: &str) {
        self.told("table", path.as_bytes());
        let look = Look::of(&self.site.place(path));
        let modified = look.and_then(|look| look.modified?.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
        let words = format!("{} {} {modified}", self.site.open(path).is_ok(), look.map_or(0, |look| look.bytes));
        self.told("look", words.as_bytes());
    }
}

/// What this program is: another build may compile the same site to something else. `None` where that can't be told.
fn program() -> Option<Vec<u8>> {
    let meta = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
    let built = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}", env!("CARGO_PKG_VERSION"), meta.len(), built.as_nanos()).into_bytes())
}

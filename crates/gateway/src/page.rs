//! The viewer's page: embedded in the program, or read from a folder, also from that which a package lays beside the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;

use crate::folder_file::{FolderFile, Known};
use crate::pack::{Coding, fnv64, gunzip};

/// A file of the page as the build script embeds it.
pub(crate) struct Embedded {
    pub(crate) path: &'static str,
    pub(crate) size: usize,
    pub(crate) raw: Option<&'static [u8]>,
    pub(crate) br: Option<&'static [u8]>,
    pub(crate) gz: Option<&'static [u8]>,
}

mod generated {
    use super::Embedded;
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// Where the page comes from.
pub enum Page {
    /// From the program itself.
    Embedded,
    /// From a folder; its files are listed once, at the start.
    Folder {
        /// The folder.
        root: PathBuf,
        /// Files in it, by URL path without the leading slash.
        files: BTreeMap<String, Known>,
    },
    /// There is none: a page that says how to get one.
    Missing,
}

/// What a file of the page holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Bytes that all answers share.
    Shared(Bytes),
    /// A file that each answer reads as it is taken.
    File(Arc<FolderFile>),
}

/// A body to answer with.
#[derive(Clone)]
pub struct PageFile {
    /// Media type.
    pub media_type: &'static str,
    /// Body.
    pub body: Content,
    /// How the body is packed.
    pub coding: Coding,
    /// Length when unpacked.
    pub size: usize,
    /// Whether its name changes with its content, so that it may be kept for ever.
    pub immutable: bool,
    /// Entity tag.
    pub tag: u64,
}

impl Page {
    /// The page of a folder, else the embedded one.
    pub fn choose(folder: Option<&Path>) -> Self {
        match folder {
            Some(root) => {
                let mut files = BTreeMap::new();
                list(root, root, &mut files, 0);
                let files = files.into_iter().map(|(name, path)| (name, Known::new(path))).collect();
                Self::Folder { root: root.to_owned(), files }
            }
            None if generated::FILES.is_empty() => Self::Missing,
            None => Self::Embedded,
        }
    }

    /// The page of a folder that was asked for, else the embedded one, else that which a package laid beside the program.
    pub fn of_program(asked: Option<&Path>, program: Option<&Path>) -> Self {
        match Self::choose(asked) {
            Self::Missing => program.and_then(beside).map_or(Self::Missing, |folder| Self::choose(Some(&folder))),
            page => page,
        }
    }

    /// Whether there is a page.
    pub fn exists(&self) -> bool {
        match self {
            Self::Embedded => true,
            Self::Folder { files, .. } => files.contains_key("index.html"),
            Self::Missing => false,
        }
    }

    /// Names of its files, without those that are only another form of one.
    pub(crate) fn names(&self) -> Vec<&str> {
        let all: Vec<&str> = match self {
            Self::Embedded => generated::FILES.iter().map(|file| file.path).collect(),
            Self::Folder { files, .. } => files.keys().map(String::as_str).collect(),
            Self::Missing => Vec::new(),
        };
        all.into_iter().filter(|name| !name.ends_with(".br") && !name.ends_with(".gz")).collect()
    }

    /// The file of a URL path (`/` is the index). Reads from disk where the page is a folder: not for async code.
    pub fn file(&self, path: &str, accepted: &[Coding]) -> Option<PageFile> {
        let path = path.trim_start_matches('/');
        let path = if path.is_empty() { "index.html" } else { path };
        match self {
            Self::Embedded => embedded(path, accepted),
            Self::Folder { files, .. } => from_folder(files, path, accepted),
            Self::Missing if path == "index.html" => {
                Some(answer(path, MISSING.as_bytes().into(), Coding::Identity, MISSING.len()))
            }
            Self::Missing => None,
        }
    }
}

/// Where packages lay the page: `share/orrery/web` beside the folder `bin` that the program lies in, once links to it are followed.
/// A program elsewhere, as in a build's folder, has none.
fn beside(program: &Path) -> Option<PathBuf> {
    let program = program.canonicalize().ok()?;
    let folder = program.parent().filter(|folder| folder.ends_with("bin"))?;
    let page = folder.parent()?.join("share/orrery/web");
    page.join("index.html").is_file().then_some(page)
}

fn embedded(path: &str, accepted: &[Coding]) -> Option<PageFile> {
    let file = generated::FILES.iter().find(|file| file.path == path)?;
    for coding in accepted {
        let packed = match coding {
            Coding::Brotli => file.br,
            Coding::Gzip => file.gz,
            Coding::Identity => None,
        };
        if let Some(packed) = packed {
            return Some(once(file.path, *coding, || answer(path, Bytes::from_static(packed), *coding, file.size)));
        }
    }
    let plain = || match (file.raw, file.gz) {
        (Some(raw), _) => Bytes::from_static(raw),
        (None, Some(gz)) => gunzip(gz, file.size).into(),
        (None, None) => Bytes::new(),
    };
    (file.raw.is_some() || file.gz.is_some())
        .then(|| once(file.path, Coding::Identity, || answer(path, plain(), Coding::Identity, file.size)))
}

/// A file of the program's own page in one form: made when it is first asked for and shared by all answers from then on. As many as
/// the page has files, so bounded.
fn once(path: &'static str, coding: Coding, make: impl FnOnce() -> PageFile) -> PageFile {
    static MADE: Mutex<BTreeMap<(&str, Option<&str>), PageFile>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry((path, coding.name())).or_insert_with(make).clone()
}

fn from_folder(files: &BTreeMap<String, Known>, path: &str, accepted: &[Coding]) -> Option<PageFile> {
    let plain = files.get(path)?;
    let size = std::fs::metadata(plain.path()).ok()?.len() as usize;
    let read = |file: Arc<FolderFile>, coding| PageFile {
        media_type: media_type(path),
        tag: file.tag(),
        body: Content::File(file),
        coding,
        size,
        immutable: is_hashed(path),
    };
    for coding in accepted {
        let extension = match coding {
            Coding::Brotli => "br",
            Coding::Gzip => "gz",
            Coding::Identity => continue,
        };
        if let Some(packed) = files.get(&format!("{path}.{extension}"))
            && let Ok(packed) = packed.open()
        {
            return Some(read(packed, *coding));
        }
    }
    Some(read(plain.open().ok()?, Coding::Identity))
}

fn answer(path: &str, body: Bytes, coding: Coding, size: usize) -> PageFile {
    let tag = fnv64(&body);
    PageFile { media_type: media_type(path), tag, body: Content::Shared(body), coding, size, immutable: is_hashed(path) }
}

/// Names like `viewer-0123456789abcdef.js` change with their content.
fn is_hashed(path: &str) -> bool {
    let hex = |part: &str| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    path.split(['-', '.', '_']).skip(1).any(|part| hex(part) && part.bytes().any(|b| b.is_ascii_digit()))
}

/// The media type of a file name; unknown ones are bytes.
pub fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "glb" => "model/gltf-binary",
        "gltf" => "model/gltf+json",
        "txt" | "md" | "toml" | "wgsl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn list(root: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        // Hidden files are for developers; links could lead out of the folder.
        let kind = entry.file_type();
        if entry.file_name().to_string_lossy().starts_with('.') || kind.as_ref().is_ok_and(std::fs::FileType::is_symlink) {
            continue;
        }
        let Ok(kind) = kind else { continue };
        if kind.is_dir() {
            if depth < 8 {
                list(root, &path, files, depth + 1);
            }
        } else if let (true, Ok(name)) = (kind.is_file(), path.strip_prefix(root)) {
            files.insert(name.to_string_lossy().replace('\\', "/"), path);
        }
    }
}

const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Orrery</title>\
<h1>The gateway runs, but the viewer's page was not built</h1>\
<p>Run <code>cargo demo</code>, or build the page with <code>cargo xtask web</code> and start the gateway with <code>--web dist</code>.</p>\
<p><a href=\"/api/publication\">/api/publication</a>, <a href=\"/healthz\">/healthz</a> and <a href=\"/metrics\">/metrics</a> answer.</p></html>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_files_are_unpacked_once_for_all_who_ask() {
        let make = || answer("x.wasm", vec![7; 1_000].into(), Coding::Identity, 1_000);
        let first = once("x.wasm", Coding::Identity, make);
        let again = once("x.wasm", Coding::Identity, || unreachable!("made before"));
        let (Content::Shared(first_body), Content::Shared(again)) = (first.body, again.body) else { unreachable!("not on disk") };
        assert_eq!(first_body.as_ptr(), again.as_ptr(), "shared, not copied");
        assert_eq!(once("x.wasm", Coding::Gzip, make).tag, first.tag);
    }

    #[test]
    fn only_names_with_a_content_hash_are_kept_for_ever() {
        for (name, hashed) in [
            ("viewer-0123456789abcdef.js", true),
            ("viewer-0123456789abcdef_bg.wasm", true),
            ("index.html", false),
            ("boot.js", false),
            ("facade-decade.css", false),
        ] {
            assert_eq!(is_hashed(name), hashed, "{name}");
        }
    }

    #[test]
    fn a_folder_hands_out_what_is_in_it_and_nothing_else() {
        let root = std::env::temp_dir().join(format!("orrery-page-{}", std::process::id()));
        std::fs::create_dir_all(root.join("sub/.secret")).unwrap();
        for (name, text) in [("index.html", "hi"), ("index.html.gz", "zip"), ("sub/a.js", "1"), ("sub/.secret/x", "no")] {
            std::fs::write(root.join(name), text).unwrap();
        }
        let page = Page::choose(Some(&root));
        assert_eq!(page.file("/", &[]).unwrap().tag, fnv64(b"hi"));
        assert_eq!(page.file("/index.html", &[Coding::Brotli, Coding::Gzip]).unwrap().tag, fnv64(b"zip"));
        assert!(page.file("/sub/a.js", &[]).is_some());
        for path in ["/sub/.secret/x", "/../Cargo.toml", "/sub/../index.html", "//etc/passwd"] {
            assert!(page.file(path, &[]).is_none(), "{path}");
        }
        std::fs::remove_dir_all(&root).unwrap();
    }
}

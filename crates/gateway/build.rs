//! Embeds the built page where `ORRERY_WEB_DIST` names its folder, so that one file is the whole server.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-env-changed=ORRERY_WEB_DIST");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("page.rs");
    let mut table = String::from("pub(crate) static FILES: &[Embedded] = &[\n");
    if let Some(dist) = std::env::var_os("ORRERY_WEB_DIST").map(PathBuf::from).filter(|dist| dist.is_dir()) {
        println!("cargo:rerun-if-changed={}", dist.display());
        let mut files = Vec::new();
        collect(&dist, &dist, &mut files);
        files.sort();
        for name in &files {
            row(&dist, name, &files, &mut table);
        }
    }
    table.push_str("];\n");
    std::fs::write(out, table).expect("OUT_DIR is writable");
}

/// One file: its packed siblings where there are any, else itself; who accepts neither gets the gzip one unpacked.
fn row(dist: &Path, name: &str, files: &[String], table: &mut String) {
    if name.ends_with(".br") || name.ends_with(".gz") {
        return;
    }
    let sibling = |extension: &str| {
        let packed = format!("{name}.{extension}");
        files.contains(&packed).then_some(packed)
    };
    let include = |name: Option<String>| match name {
        Some(name) => format!("Some(include_bytes!({:?}))", dist.join(name).display().to_string()),
        None => "None".to_owned(),
    };
    let (br, gz) = (sibling("br"), sibling("gz"));
    let raw = if gz.is_some() { None } else { Some(name.to_owned()) };
    let size = std::fs::metadata(dist.join(name)).map_or(0, |m| m.len());
    writeln!(
        table,
        "Embedded {{ path: {name:?}, size: {size}, raw: {}, br: {}, gz: {} }},",
        include(raw),
        include(br),
        include(gz)
    )
    .expect("strings grow");
}

/// Names below `root` with forward slashes; hidden files and folders are for developers and stay out.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the page's folder is readable").flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files);
        } else if let Ok(name) = path.strip_prefix(root) {
            files.push(name.to_string_lossy().replace('\\', "/"));
        }
    }
}

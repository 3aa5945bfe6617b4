//! The viewer's page beside a publication, for servers that have files and nothing else.

use std::path::Path;

use crate::GatewayError;
use crate::pack::Coding;
use crate::page::{Content, Page, PageFile};
use crate::revisions::folder::put;

/// The file that a browser asks for first; written last, so that what it names is there.
const INDEX: &str = "index.html";
/// What tells the page's boot script that manifest and pieces lie beside it.
const BOOT: &str = "id=\"boot\"";

/// Lays everything but the first file.
///
/// # Errors
/// Where there is no page, or the disk refuses.
pub(crate) fn lay(page: &Page, folder: &Path) -> Result<(), GatewayError> {
    for name in page.names().iter().filter(|name| **name != INDEX) {
        let (name, file) = chosen(page, name)?;
        let (parent, last) = match name.rsplit_once('/') {
            Some((parent, last)) => (folder.join(parent), last),
            None => (folder.to_owned(), name.as_str()),
        };
        std::fs::create_dir_all(&parent).map_err(|source| GatewayError::Write { path: parent.clone(), source })?;
        put(&parent, last, &bytes(&file)?)?;
    }
    Ok(())
}

/// Lays the first file.
///
/// # Errors
/// Where there is no page, it is of another program, or the disk refuses.
pub(crate) fn lay_index(page: &Page, folder: &Path) -> Result<(), GatewayError> {
    let file = found(page, INDEX, &[])?;
    let mut text = String::from_utf8_lossy(&bytes(&file)?).into_owned();
    if !text.contains(BOOT) {
        return Err(GatewayError::Page { why: "the page is of another version of the program".to_owned() });
    }
    text = text.replacen(BOOT, &format!("{BOOT} data-folder=\".\""), 1);
    for name in page.names().iter().filter(|name| is_module(name)) {
        let (laid, file) = chosen(page, name)?;
        text = text.replace(&format!("\"{name}\""), &format!("\"{laid}\""));
        if laid != *name {
            text = with_number(&text, "data-packed", length(&file));
        }
    }
    put(folder, INDEX, text.as_bytes())
}

/// The module is laid packed where the page has it so: a server of files sends it as it is, and the page unpacks it.
fn chosen(page: &Page, name: &str) -> Result<(String, PageFile), GatewayError> {
    let accepted: &[Coding] = if is_module(name) { &[Coding::Gzip] } else { &[] };
    let file = found(page, name, accepted)?;
    let laid = if file.coding == Coding::Gzip { format!("{name}.gz") } else { name.to_owned() };
    Ok((laid, file))
}

fn is_module(name: &str) -> bool {
    name.ends_with(".wasm")
}

fn found(page: &Page, name: &str, accepted: &[Coding]) -> Result<PageFile, GatewayError> {
    page.file(name, accepted).ok_or_else(|| GatewayError::Page { why: format!("it has no {name}") })
}

fn bytes(file: &PageFile) -> Result<Vec<u8>, GatewayError> {
    match &file.body {
        Content::Shared(bytes) => Ok(bytes.to_vec()),
        Content::File(file) => file.whole().map_err(|source| GatewayError::Page { why: source.to_string() }),
    }
}

fn length(file: &PageFile) -> u64 {
    match &file.body {
        Content::Shared(bytes) => bytes.len() as u64,
        Content::File(file) => file.bytes(),
    }
}

/// Sets a number in an attribute.
fn with_number(text: &str, attribute: &str, number: u64) -> String {
    let opening = format!("{attribute}=\"");
    let Some(from) = text.find(&opening).map(|at| at + opening.len()) else { return text.to_owned() };
    let Some(length) = text[from..].find('"') else { return text.to_owned() };
    format!("{}{number}{}", &text[..from], &text[from + length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_laid_for_a_server_of_files() {
        let root = std::env::temp_dir().join(format!("orrery-beside-{}", std::process::id()));
        let (page, folder) = (root.join("page"), root.join("folder"));
        std::fs::create_dir_all(page.join("sub")).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        let index =
            r#"<script src="boot-1.js" data-module="viewer.js" data-wasm="viewer.wasm" data-packed="7" id="boot"></script>"#;
        for (name, text) in [
            ("index.html", index),
            ("index.html.gz", "packed"),
            ("viewer.wasm", "module"),
            ("viewer.wasm.gz", "zip"),
            ("sub/icon.svg", "i"),
        ] {
            std::fs::write(page.join(name), text).unwrap();
        }
        let page = Page::choose(Some(&page));
        lay(&page, &folder).unwrap();
        assert!(!folder.join("index.html").exists(), "what it names comes first");
        lay_index(&page, &folder).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(
            read("index.html"),
            r#"<script src="boot-1.js" data-module="viewer.js" data-wasm="viewer.wasm.gz" data-packed="3" id="boot" data-folder="."></script>"#
        );
        assert_eq!((read("viewer.wasm.gz"), read("sub/icon.svg")), ("zip".to_owned(), "i".to_owned()));
        assert!(!folder.join("viewer.wasm").exists() && !folder.join("index.html.gz").exists());
        std::fs::write(root.join("page/index.html"), "<html></html>").unwrap();
        let error = lay_index(&Page::choose(Some(&root.join("page"))), &folder).unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
        std::fs::remove_dir_all(&root).unwrap();
    }
}

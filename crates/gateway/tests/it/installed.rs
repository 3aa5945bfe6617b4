//! A program as a package lays it, `bin` and `share` under one prefix, serves the page beside it without a word of where it is.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use gateway::page::Page;

use crate::stops::Limited;
use crate::world::{Folder, SITE};

#[test]
fn an_installed_program_serves_the_page_that_came_with_it() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE);
    // On the disk of the program, where it can be linked: a copy that is still open in another test's child can't be run.
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("installed-{}", std::process::id()));
    let (program, page) = (prefix.join("bin/orrery"), prefix.join("share/orrery/web/index.html"));
    for path in [&program, &page] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    }
    std::fs::hard_link(env!("CARGO_BIN_EXE_orrery"), &program).unwrap();
    std::fs::write(&page, "<p>the page of the package</p>").unwrap();
    let server = Limited::start_as(&program, &site, &folder.0.join("data"), None);
    let answer = server.get("/");
    let (code, said) = server.stop();
    std::fs::remove_dir_all(&prefix).unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("page"), "nothing is missing: {said}");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("<p>the page of the package</p>"), "{answer}");
}

/// Where the page of a program comes from, where it is a folder.
fn folder_of(asked: Option<&Path>, program: &Path) -> Option<PathBuf> {
    match Page::of_program(asked, Some(program)) {
        Page::Folder { root, .. } => Some(root),
        Page::Embedded | Page::Missing => None,
    }
}

#[test]
fn only_a_program_in_bin_finds_a_page_and_only_where_there_is_one() {
    let folder = Folder::new();
    let (installed, elsewhere) = (folder.write("bin/orrery", ""), folder.write("libexec/orrery", ""));
    let page = folder.write("share/orrery/web/viewer.js", "").parent().unwrap().canonicalize().unwrap();
    assert_eq!(folder_of(None, &installed), None, "a folder without an index is no page");
    folder.write("share/orrery/web/index.html", "hi");
    assert_eq!(folder_of(None, &installed), Some(page.clone()));
    assert_eq!(folder_of(None, &elsewhere), None);
    assert_eq!(folder_of(None, &folder.0.join("bin/gone")), None);
    let link = folder.0.join("libexec/link");
    std::os::unix::fs::symlink(&installed, &link).unwrap();
    assert_eq!(folder_of(None, &link), Some(page), "a link is followed to where the program lies");
    let asked = folder.0.join("libexec");
    assert_eq!(folder_of(Some(&asked), &installed), Some(asked), "what was asked for is taken, be it right or wrong");
}

//! `cargo xtask dist`: what people install. Archives and Debian packages of the gateway with its page and of the window, the
//! licences of all that is linked, a bill of materials, and sums.
//!
//! The same programs and the same sources give the same bytes: times are those of the sources, owners are root, entries are in
//! order. Nothing is left in the folder of results unless no file of it names a path of this machine. Start at [`run`];
//! docs/RELEASING.md says how it is used.

mod ar;
mod deb;
mod layout;
mod linked;
mod machine;
mod options;
mod pack;
mod sbom;
mod scan;
mod tar;
#[cfg(test)]
mod testkit;
mod texts;
mod tree;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use self::layout::{Facts, Product, date};
use self::machine::Machine;
use self::options::{Options, What};
use crate::licences;
use crate::util::{self, Step};
use crate::web::{self, Quality};

/// Name of the file with the sums of all others.
const SUMS: &str = "SHA256SUMS";
/// Name of the document of licences.
const LICENCES: &str = "THIRD-PARTY-LICENSES.txt";

/// Files by name.
type Files = Vec<(String, Vec<u8>)>;

/// Makes the packages.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    let out = options.out.clone().unwrap_or_else(|| util::root().join("dist").join("packages"));
    // Before the builds: they take long.
    replaceable(&out)?;
    let machine = Machine::this();
    let target = host()?;
    let epoch = epoch()?;
    let (document, bill) = papers(&target, epoch)?;
    println!("   {} crates ship no licence text and have SPDX's: {}", document.without.len(), document.without.join(", "));
    let rust_copyright = rust_copyright();
    let root = util::root();
    let facts = Facts {
        root: &root,
        version: env!("CARGO_PKG_VERSION"),
        target: &target,
        epoch,
        maintainer: &options.maintainer,
        licences: &document.text,
        rust_copyright: rust_copyright.as_deref(),
    };
    let mut files = packages(&options, &facts, &machine)?;
    files.push((format!("orrery-{}.cdx.json", facts.version), bill));
    files.push((LICENCES.to_owned(), document.text.clone().into_bytes()));
    let sums = sums(&mut files);
    files.push((SUMS.to_owned(), sums.clone().into_bytes()));
    let staging = stage(&out, &files)?;
    clean(&machine, &files)
        .with_context(|| format!("nothing was put into {}; look into {}", out.display(), staging.display()))?;
    replace(&staging, &out)?;
    println!("── {}, of {}\n{}", out.display(), date(epoch, "%Y-%m-%dT%H:%M:%SZ")?, sums.trim_end());
    Ok(())
}

/// For the lane `licences`: every text that a release would need can be had on this machine.
pub(crate) fn check_texts() -> Result<()> {
    let (document, bill) = papers(&host()?, 0)?;
    println!(
        "   licences: {} kB of texts, {} crates ship none of their own; bill of materials: {} kB",
        document.text.len() / 1_000,
        document.without.len(),
        bill.len() / 1_000
    );
    Ok(())
}

/// The document of licences and the bill of materials.
fn papers(target: &str, epoch: u64) -> Result<(texts::Document, Vec<u8>)> {
    let crates = linked::all(target)?;
    let version = env!("CARGO_PKG_VERSION");
    let fonts = util::root().join("assets").join("fonts");
    let read = |path: PathBuf| std::fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()));
    let toolchain = rustc("release: ")?;
    let mut others = Vec::new();
    for (name, file) in [("Inter (font)", "LICENSE-Inter.txt"), ("Phosphor Icons (font)", "LICENSE-Phosphor.txt")] {
        others.push((name.to_owned(), read(fonts.join(file))?));
    }
    for id in ["MIT", "Apache-2.0"] {
        let text = spdx::license_id(id).context("SPDX lost a licence")?.text().to_owned();
        others.push((format!("Rust's standard library {toolchain}, {id}"), text));
    }
    others.push((
        "SQLite, compiled into libsqlite3-sys".to_owned(),
        "The authors of SQLite disclaim copyright to its source code and have put it into the public domain.".to_owned(),
    ));
    let document = texts::document(version, &crates, &others, &licences::allowed()?)?;
    let lock = read(util::root().join("Cargo.lock"))?;
    let bill = sbom::document(version, &date(epoch, "%Y-%m-%dT%H:%M:%SZ")?, &toolchain, &lock, &crates)?;
    Ok((document, bill))
}

/// Builds, or takes, the programs, and packs what is wanted of them.
fn packages(options: &Options, facts: &Facts<'_>, machine: &Machine) -> Result<Files> {
    let mut files = Files::new();
    let (debian, gateway, window) = (options.wants(What::Deb), options.wants(What::Gateway), options.wants(What::Window));
    let flags = ("CARGO_ENCODED_RUSTFLAGS", machine.flags());
    let folder = util::root().join(util::target_dir()).join("dist");
    if gateway || debian {
        let page = match &options.web {
            Some(page) => page.clone(),
            None => {
                web::build_with(Quality::Release, "page", &[flags.clone(), ("CARGO_TARGET_DIR", folder.display().to_string())])?
            }
        };
        let program = program(options, facts.target, &folder, &flags, ("gateway", "orrery"))?;
        let product = Product::gateway(facts.root, program, &page)?;
        files.extend(gateway.then(|| product.archive(facts)).transpose()?);
        files.extend(debian.then(|| product.debian(facts)).transpose()?);
    }
    if window || debian {
        let program = program(options, facts.target, &folder, &flags, ("orrery", "viewer"))?;
        let product = Product::window(facts.root, program)?;
        files.extend(window.then(|| product.archive(facts)).transpose()?);
        files.extend(debian.then(|| product.debian(facts)).transpose()?);
    }
    Ok(files)
}

/// The bytes of a program: one that is there, else built without the page inside it, which lies beside it.
fn program(
    options: &Options,
    target: &str,
    folder: &Path,
    flags: &(&str, String),
    (package, name): (&str, &str),
) -> Result<Vec<u8>> {
    let path = match &options.programs {
        Some(programs) => programs.join(name),
        None => {
            Step::new(format!("building {name} ({})", options.profile), "cargo")
                .args([
                    "build",
                    "--locked",
                    "--profile",
                    &options.profile,
                    "--target",
                    target,
                    "--package",
                    package,
                    "--bin",
                    name,
                ])
                .env("CARGO_TARGET_DIR", folder)
                .env(flags.0, &flags.1)
                .env("ORRERY_WEB_DIST", "")
                .run()?;
            folder.join(target).join(&options.profile).join(name)
        }
    };
    std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))
}

/// What `rustc -vV` says behind a word.
fn rustc(word: &str) -> Result<String> {
    let text = util::output_of("rustc", &["-vV"]).context("can't run rustc")?;
    let value = text.lines().find_map(|line| line.strip_prefix(word));
    Ok(value.with_context(|| format!("rustc says no {word}"))?.to_owned())
}

fn host() -> Result<String> {
    rustc("host: ")
}

/// Rust's own list of who wrote its standard library; toolchains without documentation lack it.
fn rust_copyright() -> Option<Vec<u8>> {
    let sysroot = PathBuf::from(util::output_of("rustc", &["--print", "sysroot"])?);
    let bytes = std::fs::read(sysroot.join("share/doc/rust/COPYRIGHT-library.html")).ok();
    if bytes.is_none() {
        println!("   the toolchain has no list of who wrote Rust's standard library; type: rustup component add rust-docs");
    }
    bytes
}

/// The time of the sources: `SOURCE_DATE_EPOCH` (reproducible-builds.org), else that of the commit.
fn epoch() -> Result<u64> {
    let text = std::env::var("SOURCE_DATE_EPOCH").ok().or_else(|| util::output_of("git", &["log", "-1", "--format=%ct"]));
    let text = text.context("there is no commit to take the time from; say it in SOURCE_DATE_EPOCH, in seconds since 1970")?;
    text.trim().parse().with_context(|| format!("SOURCE_DATE_EPOCH is '{text}', which is no number of seconds"))
}

/// Sorts the files and gives their sums, as `sha256sum --check` reads them.
fn sums(files: &mut Files) -> String {
    files.sort();
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", pack::sha256(bytes))).collect()
}

/// Fails where a file holds a path of this machine.
fn clean(machine: &Machine, files: &Files) -> Result<()> {
    let paths = machine.paths();
    let mut problems = Vec::new();
    for (name, bytes) in files {
        problems.extend(paths.problems(name, bytes)?);
    }
    ensure!(problems.is_empty(), "packages name paths of this machine:\n       {}", problems.join("\n       "));
    Ok(())
}

/// Whether a folder is missing, empty, or holds only what this command makes: it is replaced as a whole, so that its sums are
/// those of all that lies in it.
fn replaceable(out: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(out) else {
        ensure!(!out.exists(), "{} is no folder", out.display());
        return Ok(());
    };
    let endings = [".tar.gz", ".deb", ".cdx.json"];
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let ours = name == SUMS
            || name == LICENCES
            || (name.starts_with("orrery") && endings.iter().any(|ending| name.ends_with(ending)));
        ensure!(ours, "{} holds '{name}', which is no package; name another folder with --out", out.display());
    }
    Ok(())
}

/// Writes the files beside the folder that they are for.
fn stage(out: &Path, files: &Files) -> Result<PathBuf> {
    let mut name = out.file_name().with_context(|| format!("{} is no name of a folder", out.display()))?.to_owned();
    name.push(".staging");
    let staging = out.with_file_name(name);
    remove(&staging)?;
    std::fs::create_dir_all(&staging).with_context(|| format!("can't make {}", staging.display()))?;
    for (name, bytes) in files {
        std::fs::write(staging.join(name), bytes).with_context(|| format!("can't write {name} to {}", staging.display()))?;
    }
    Ok(staging)
}

/// Puts what was staged in the folder's place.
fn replace(staging: &Path, out: &Path) -> Result<()> {
    replaceable(out)?;
    remove(out)?;
    std::fs::rename(staging, out).with_context(|| format!("can't move {} to {}", staging.display(), out.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => bail!("can't remove {}: {error}", folder.display()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

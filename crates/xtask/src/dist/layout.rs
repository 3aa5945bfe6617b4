//! Which file lies where in which package. One rule for all: `bin` and `share` under one prefix, which is `usr` in a Debian
//! package and the top of an archive; the gateway finds its page by it.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::tree::{PLAIN, PROGRAM, Tree};
use super::{deb, pack, tar};

/// Pages of the documentation for people who run it.
const DOCS: [&str; 6] = ["SITE", "CLI", "EMBED", "PROTOCOL", "HISTORIAN", "SECURITY"];
/// The demo plant.
const DEMO: &str = "assets/sites/bottling";

/// What all packages say alike.
pub(super) struct Facts<'a> {
    /// The project's folder.
    pub(super) root: &'a Path,
    /// Version of the project.
    pub(super) version: &'a str,
    /// Rust's name of the machine that it runs on.
    pub(super) target: &'a str,
    /// The time of everything in the packages, in seconds since 1970.
    pub(super) epoch: u64,
    /// Who answers for the packages, as Debian writes it.
    pub(super) maintainer: &'a str,
    /// Text of `THIRD-PARTY-LICENSES.txt`.
    pub(super) licences: &'a str,
    /// Rust's own list of who wrote its standard library, where the toolchain has it.
    pub(super) rust_copyright: Option<&'a [u8]>,
}

/// One program with what belongs to it.
pub(super) struct Product {
    /// Its name, which is also that of its packages.
    name: &'static str,
    /// Its bytes.
    program: Vec<u8>,
    /// What lies in `share/<name>`.
    share: Tree,
    /// What lies in `share/doc/<name>`.
    docs: Tree,
    /// What only a Debian package has, by the paths below `/`, and where it lies in `packaging/<name>`; `None` is the icon.
    system: &'static [(&'static str, Option<&'static str>)],
    /// Scripts of the Debian package.
    scripts: &'static [&'static str],
}

impl Product {
    /// The gateway with its page.
    ///
    /// # Errors
    /// Where something that belongs to it is not there.
    pub(super) fn gateway(root: &Path, program: Vec<u8>, page: &Path) -> Result<Self> {
        let (mut share, mut docs) = (Tree::default(), Tree::default());
        share.add_folder("web", page)?;
        share
            .files()
            .find(|(path, _)| *path == "web/index.html")
            .with_context(|| format!("{} holds no index.html", page.display()))?;
        share.add_folder("demo", &root.join(DEMO))?;
        share.add_file("site.schema.json", &root.join("assets/site.schema.json"), PLAIN)?;
        for name in DOCS {
            docs.add_file(&format!("{name}.md"), &root.join("docs").join(format!("{name}.md")), PLAIN)?;
        }
        docs.add_folder("examples", &root.join("examples"))?;
        docs.add_file("CHANGELOG.md", &root.join("CHANGELOG.md"), PLAIN)?;
        let system =
            &[("usr/lib/systemd/system/orrery.service", Some("orrery.service")), ("etc/default/orrery", Some("default"))];
        Ok(Self { name: "orrery", program, share, docs, system, scripts: &["postinst", "prerm", "postrm"] })
    }

    /// The window.
    ///
    /// # Errors
    /// As [`Self::gateway`].
    pub(super) fn window(root: &Path, program: Vec<u8>) -> Result<Self> {
        let (mut share, mut docs) = (Tree::default(), Tree::default());
        share.add_folder("demo", &root.join(DEMO))?;
        docs.add_file("CHANGELOG.md", &root.join("CHANGELOG.md"), PLAIN)?;
        let system = &[
            ("usr/share/applications/orrery-viewer.desktop", Some("orrery-viewer.desktop")),
            ("usr/share/mime/packages/orrery-viewer.xml", Some("orrery-viewer.xml")),
            ("usr/share/icons/hicolor/scalable/apps/orrery.svg", None),
        ];
        Ok(Self { name: "orrery-viewer", program, share, docs, system, scripts: &[] })
    }

    /// Its archive: name and bytes.
    ///
    /// # Errors
    /// Where a file or a value is missing.
    pub(super) fn archive(&self, facts: &Facts<'_>) -> Result<(String, Vec<u8>)> {
        let mut tree = self.prefix(facts, "share")?;
        tree.add("README.txt", self.filled(facts, "README.txt", "share", None)?, PLAIN)?;
        tree.add("THIRD-PARTY-LICENSES.txt", facts.licences, PLAIN)?;
        for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
            tree.add_file(name, &facts.root.join(name), PLAIN)?;
        }
        let name = format!("{}-{}-{}", self.name, facts.version, facts.target);
        let bytes = pack::gzip(&tar::write(&tree, &format!("{name}/"), facts.epoch)?)?;
        Ok((format!("{name}.tar.gz"), bytes))
    }

    /// Its Debian package: name and bytes.
    ///
    /// # Errors
    /// Where a file or a value is missing, or Debian has no such machine.
    pub(super) fn debian(&self, facts: &Facts<'_>) -> Result<(String, Vec<u8>)> {
        let mut data = Tree::default();
        data.merge("usr", &self.prefix(facts, "/usr/share")?)?;
        for (to, from) in self.system {
            match from {
                Some(from) => data.add(to, self.filled(facts, from, "/usr/share", None)?, PLAIN)?,
                None => data.add_file(to, &facts.root.join("web/icon.svg"), PLAIN)?,
            }
        }
        let docs = format!("usr/share/doc/{}", self.name);
        data.add(&format!("{docs}/copyright"), copyright(facts.root)?, PLAIN)?;
        data.add(&format!("{docs}/changelog.gz"), pack::gzip(self.changelog(facts)?.as_bytes())?, PLAIN)?;
        data.add(&format!("{docs}/THIRD-PARTY-LICENSES.txt.gz"), pack::gzip(facts.licences.as_bytes())?, PLAIN)?;
        let mut control = Tree::default();
        control.add("control", self.filled(facts, "control", "/usr/share", Some(data.installed_size()))?, PLAIN)?;
        let conffiles: String =
            data.files().filter(|(path, _)| path.starts_with("etc/")).map(|(path, _)| format!("/{path}\n")).collect();
        if !conffiles.is_empty() {
            control.add("conffiles", conffiles, PLAIN)?;
        }
        for script in self.scripts {
            control.add(script, self.filled(facts, script, "/usr/share", None)?, PROGRAM)?;
        }
        let (version, architecture) = (deb::version(facts.version), deb::architecture(facts.target)?);
        Ok((format!("{}_{version}_{architecture}.deb", self.name), deb::write(&control, &data, facts.epoch)?))
    }

    /// `bin` and `share`. `shared` is what the manual calls the latter.
    fn prefix(&self, facts: &Facts<'_>, shared: &str) -> Result<Tree> {
        let name = self.name;
        let mut tree = Tree::default();
        tree.add(&format!("bin/{name}"), self.program.clone(), PROGRAM)?;
        tree.merge(&format!("share/{name}"), &self.share)?;
        tree.merge(&format!("share/doc/{name}"), &self.docs)?;
        if let Some(text) = facts.rust_copyright {
            tree.add(&format!("share/doc/{name}/RUST-STD-COPYRIGHT.html"), text, PLAIN)?;
        }
        let manual = self.filled(facts, &format!("{name}.1"), shared, None)?;
        tree.add(&format!("share/man/man1/{name}.1.gz"), pack::gzip(manual.as_bytes())?, PLAIN)?;
        Ok(tree)
    }

    /// A file of `packaging/<name>` with its values filled in.
    fn filled(&self, facts: &Facts<'_>, file: &str, shared: &str, size: Option<u64>) -> Result<String> {
        let path = facts.root.join("packaging").join(self.name).join(file);
        let template = std::fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
        let version = if file == "control" { deb::version(facts.version) } else { facts.version.to_owned() };
        let glibc = pack::glibc_needed(&self.program).unwrap_or_else(|| "2.17".to_owned());
        let size = size.map(|size| size.to_string()).unwrap_or_default();
        let (date, share, doc) =
            (date(facts.epoch, "%Y-%m-%d")?, format!("{shared}/{}", self.name), format!("{shared}/doc/{}", self.name));
        let mut values =
            vec![("VERSION", &*version), ("TARGET", facts.target), ("LIBC", &glibc), ("MAINTAINER", facts.maintainer)];
        values.extend([("DATE", &*date), ("SHARE", &share), ("DOC", &doc)]);
        if file == "control" {
            values.extend([("ARCH", deb::architecture(facts.target)?), ("SIZE", &size)]);
        }
        pack::fill(&template, &values).with_context(|| path.display().to_string())
    }

    /// Debian's form of a changelog; what changed stands in ours.
    fn changelog(&self, facts: &Facts<'_>) -> Result<String> {
        Ok(format!(
            "{} ({}) unstable; urgency=medium\n\n  * /usr/share/doc/{}/CHANGELOG.md says what changed.\n\n -- {}  {}\n",
            self.name,
            deb::version(facts.version),
            self.name,
            facts.maintainer,
            date(facts.epoch, "%a, %d %b %Y %H:%M:%S +0000")?
        ))
    }
}

/// The time of the packages in words, UTC.
///
/// # Errors
/// For a time beyond every calendar.
pub(super) fn date(epoch: u64, form: &str) -> Result<String> {
    let instant = i64::try_from(epoch).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    Ok(instant.with_context(|| format!("{epoch} is no time"))?.strftime(form).to_string())
}

/// Debian's form of the licences, with the text of the MIT licence in it as such files have texts: a blank in front, and a
/// point for no line.
fn copyright(root: &Path) -> Result<String> {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).with_context(|| format!("can't read {name}"));
    let lines = read("LICENSE-MIT")?
        .lines()
        .map(|line| if line.is_empty() { " .".to_owned() } else { format!(" {line}") })
        .collect::<Vec<_>>();
    pack::fill(&read("packaging/copyright")?, &[("MIT", &lines.join("\n"))])
}

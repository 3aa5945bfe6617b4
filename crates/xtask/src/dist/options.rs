//! The options of `cargo xtask dist`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};

/// What can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The archive of the gateway with its page.
    Gateway,
    /// The archive of the window.
    Window,
    /// The Debian packages of both.
    Deb,
}

/// See `cargo xtask help`.
#[derive(Debug)]
pub(super) struct Options {
    /// What is made; empty: everything.
    only: Vec<What>,
    /// Where it goes.
    pub(super) out: Option<PathBuf>,
    /// The profile that is built with.
    pub(super) profile: String,
    /// A folder with `orrery` and `viewer`, instead of building them.
    pub(super) programs: Option<PathBuf>,
    /// A folder with the page, instead of building it.
    pub(super) web: Option<PathBuf>,
    /// Who answers for the Debian packages.
    pub(super) maintainer: String,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// For what is no option: a build of half an hour should be the one that was meant.
    pub(super) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            only: Vec::new(),
            out: None,
            profile: "dist".to_owned(),
            programs: None,
            web: None,
            // The domain that never is anybody's (RFC 2606): whoever publishes packages says who they are.
            maintainer: "The Orrery contributors <maintainers@orrery.invalid>".to_owned(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().filter(|value| !value.is_empty()).with_context(|| format!("{arg} wants a value"));
            match arg.as_str() {
                "--only" => options.only.push(match value()?.as_str() {
                    "gateway" => What::Gateway,
                    "window" => What::Window,
                    "deb" => What::Deb,
                    other => bail!("--only knows gateway, window and deb, not '{other}'"),
                }),
                // Relative to where it was typed; builds run in the project's folder.
                "--out" => options.out = Some(std::path::absolute(value()?)?),
                "--programs" => options.programs = Some(std::path::absolute(value()?)?),
                "--web" => options.web = Some(std::path::absolute(value()?)?),
                "--profile" => options.profile.clone_from(value()?),
                "--maintainer" => options.maintainer.clone_from(value()?),
                other => bail!("unknown option '{other}'; see: cargo xtask help"),
            }
        }
        ensure!(options.profile != "dev", "the profile dev is built with names of files; take dist or release");
        let (name, rest) = options.maintainer.split_once(" <").unwrap_or_default();
        let address = rest.strip_suffix('>').filter(|address| address.contains('@') && !address.contains(['<', '>', '\n']));
        ensure!(
            !name.is_empty() && !name.contains('\n') && address.is_some(),
            "--maintainer wants \"NAME <ADDRESS>\", not '{}'",
            options.maintainer
        );
        Ok(options)
    }

    /// Whether this is to be made.
    pub(super) fn wants(&self, what: What) -> bool {
        self.only.is_empty() || self.only.contains(&what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options> {
        Options::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_made_is_what_was_meant() {
        let all = parse(&[]).unwrap();
        assert!(all.wants(What::Gateway) && all.wants(What::Window) && all.wants(What::Deb));
        let some =
            parse(&["--only", "gateway", "--only", "deb", "--out", "x", "--maintainer", "Ann <ann@plant.example>"]).unwrap();
        assert!(some.wants(What::Gateway) && !some.wants(What::Window) && some.wants(What::Deb));
        assert!(some.out.unwrap().is_absolute());
    }

    #[test]
    fn what_was_not_meant_is_refused_before_anything_is_built() {
        for odd in [
            &["--only"][..],
            &["--only", "rpm"],
            &["--out"],
            &["--out", ""],
            &["deb"],
            &["--profile", "dev"],
            &["--maintainer", "Ann"],
            &["--maintainer", "Ann <ann>"],
            &["--maintainer", "Ann\nDepends: x <a@b>"],
            &["--maintainer", "Ann <a@b>\nX: <c@d>"],
        ] {
            assert!(parse(odd).is_err(), "{odd:?}");
        }
    }
}

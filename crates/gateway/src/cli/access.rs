//! `orrery access`: makes tokens and lists what they are good for. A token is printed once and kept as a hash only.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};
use twin_model::Span;

use crate::access::{Grants, Hash, Role, entry, new_token};
use crate::{clock, term};

/// Arguments of `orrery access`.
#[derive(Debug, clap::Args)]
pub(super) struct AccessArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a token, prints it once, and adds its hash to the access file
    New(NewArgs),
    /// Lists the tokens of an access file
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
struct NewArgs {
    /// Access file to add to, made where there is none; without, its lines are printed
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// What it may do; may be repeated
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<RoleArg>,
    /// Sources that it may send to; default all; may be repeated
    #[arg(long = "source", value_name = "ID")]
    sources: Vec<String>,
    /// Who has it, for the audit log; default: its roles and a number
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// When it ends, from now on, for example 90d
    #[arg(long, value_name = "TIME", value_parser = super::span)]
    expires: Option<Span>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    /// Sees the plant
    View,
    /// Sends samples
    Send,
    /// Changes what others see or may do
    Manage,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Access file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &AccessArgs) -> Result<u8> {
    match &args.command {
        Command::New(args) => new(args),
        Command::List(args) => list(args),
    }
}

fn new(args: &NewArgs) -> Result<u8> {
    let all = [(RoleArg::View, Role::View), (RoleArg::Send, Role::Send), (RoleArg::Manage, Role::Manage)];
    let roles: Vec<Role> = all.into_iter().filter(|(arg, _)| args.roles.contains(arg)).map(|(_, role)| role).collect();
    if !args.sources.is_empty() && !roles.contains(&Role::Send) {
        anyhow::bail!("--source says where a token may send to; add --role send");
    }
    if args.expires.is_some_and(|span| span <= Span::ZERO) {
        anyhow::bail!("--expires 0s is over at once; write how long it lasts, for example 90d");
    }
    let before = match &args.file {
        Some(path) if path.exists() => std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?,
        _ => String::new(),
    };
    let taken = Grants::parse(&before).map_err(|why| anyhow::anyhow!("the access file can't be used as it is: {why}"))?;
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let name = args.name.clone().unwrap_or_else(|| {
        let numbered = (1..).map(|n| format!("{} {n}", words.join("+")));
        numbered.into_iter().find(|name| taken.iter().all(|grant| *grant.name != **name)).unwrap_or_default()
    });
    let expires = args.expires.map(|span| clock::wall() + span);
    let token = new_token().context("no token could be made")?;
    let table = entry(&name, &roles, &args.sources, expires, &Hash::of(&token));
    // What is written has to be readable again, whatever the name holds.
    Grants::parse(&format!("{before}\n{table}")).map_err(|why| anyhow::anyhow!("{why}"))?;
    match &args.file {
        Some(path) => {
            term::note(&format!("the token of '{name}', which is shown only now:"));
            // First: the hash of a token that nobody saw would be good for nothing.
            term::show(token.expose())
                .with_context(|| format!("the token can't be shown, and {} is as it was", path.display()))?;
            append(path, &before, &table)
                .with_context(|| format!("can't write {}; the token is good for nothing", path.display()))?;
            term::note(&format!("'{name}' was added to {}", path.display()));
        }
        None => {
            term::note("the token, which is shown only now, and its lines for an access file:");
            term::show(&format!("{}\n\n{table}", token.expose())).context("the token can't be shown")?;
        }
    }
    Ok(0)
}

/// Adds a table at the end; a new file is its owner's only.
fn append(path: &std::path::Path, before: &str, table: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let gap = if before.is_empty() || before.ends_with("\n\n") {
        ""
    } else if before.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    let mut file = options.open(path)?;
    file.write_all(format!("{gap}{table}").as_bytes())?;
    file.sync_all()
}

fn list(args: &ListArgs) -> Result<u8> {
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("can't read {}", args.file.display()))?;
    let grants = Grants::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", args.file.display()))?;
    let now = clock::wall();
    let rows: Vec<Vec<String>> = grants
        .iter()
        .map(|grant| {
            let roles: Vec<&str> = grant.roles().map(Role::as_str).collect();
            let sources = grant.sources().map_or_else(|| "all".to_owned(), |all| all.join(", "));
            let sources = if grant.allows(Role::Send) { sources } else { String::new() };
            let ends = grant
                .expires()
                .map_or_else(String::new, |end| if grant.has_expired(now) { format!("{end} (over)") } else { end.to_string() });
            vec![grant.name.to_string(), roles.join(", "), sources, ends, grant.hash.short()]
        })
        .collect();
    term::say(&term::table(&["NAME", "ROLES", "SENDS TO", "ENDS", "HASH"], &rows));
    Ok(0)
}

//! The project's own commands. `cargo demo` builds everything and serves the demo plant; `cargo verify` runs every check;
//! `cargo xtask dist` makes what people install.
//!
//! Knows how to call tools and in which order; refuses to know the product. Start at [`demo::run`], [`verify::run`] and [`dist::run`].
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to people")]
#![allow(clippy::disallowed_methods, reason = "lanes are timed; core crates are where clocks are banned")]

mod advisories;
mod ahead;
mod demo;
mod dist;
mod licences;
mod nightly;
mod stamp;
mod tidy;
mod tools;
mod util;
mod verify;
mod web;

use std::process::ExitCode;

const HELP: &str = "\
cargo demo   [--release|--dev] [--site DIR] [--listen ADDR] [--no-browser] [--build-only]
             builds the page and the server, starts the demo plant, prints its address (Ctrl-C stops)
cargo verify [--all] [--from LANE] [--only LANE]... [--list]
             runs every check, fastest lanes first, and stops at the first that fails
cargo core   tests of everything that needs no Bevy
cargo xtask site   writes the demo geometry anew (byte-identical unless its generator changed)
cargo xtask web [--dev]   builds the page only, into dist/
cargo xtask dist [--only gateway|window|deb]... [--out DIR] [--profile NAME] [--programs DIR] [--web DIR] [--maintainer TEXT]
             makes archives, Debian packages, sums, licences and the bill of materials, into dist/packages (docs/RELEASING.md)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let help = rest.iter().any(|arg| arg == "--help" || arg == "-h");
    let result = match command {
        _ if help => {
            println!("{HELP}");
            Ok(())
        }
        "demo" => demo::run(rest),
        "verify" => verify::run(rest),
        "dist" => dist::run(rest),
        "web" => web::build(web::Quality::from_args(rest)).map(|_| ()),
        "site" => util::Step::new("demo geometry", "cargo")
            .args(["run", "--quiet", "--release", "--package", "twin_testkit", "--example", "make_bottling"])
            .run(),
        _ => {
            println!("{HELP}");
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! `orrery check`: every finding about a site, for people or as JSON.

use anyhow::Result;
use twin_site::check::{CheckReport, Finding};

use crate::publish::scene::Models;
use crate::site::Site;
use crate::term;

/// Arguments of `orrery check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    site: super::SiteArg,
    /// Print JSON (docs/CLI.md)
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> Result<u8> {
    let site = Site::read_with(&args.site.site, &args.site.allow.allow_dir)?;
    let mut report = Models::of_site(&site).report(&site);
    // Of this machine and not of the site, so no part of what is published.
    let of_tokens = crate::access::judge(&site);
    let allowed = |code: &str| site.loaded.settings.allow.iter().any(|allowed| allowed == code);
    report.findings.extend(of_tokens.iter().filter(|finding| !allowed(finding.code)).map(Finding::from));
    if args.json {
        term::say(&serde_json::to_string_pretty(&report)?);
    } else {
        people(&report);
    }
    Ok(report.exit_code())
}

fn people(report: &CheckReport) {
    findings(report);
    let count = |severity: &str| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let s = &report.summary;
    term::say(&format!(
        "{} errors, {} warnings, {} remarks; {} models with {} nodes ({} bound), {} twins ({} bound), {} signals",
        count("error"),
        count("warning"),
        count("info"),
        s.models,
        s.nodes,
        s.bound_nodes,
        s.twins,
        s.bound_twins,
        s.signals
    ));
}

/// Every finding with its place and its help.
pub(super) fn findings(report: &CheckReport) {
    for finding in &report.findings {
        let place = match (finding.line, finding.column) {
            (0, _) => finding.file.clone(),
            (line, 0) => format!("{}:{line}", finding.file),
            (line, column) => format!("{}:{line}:{column}", finding.file),
        };
        term::say(&format!("{place}: {}[{}]: {}", finding.severity, finding.code, finding.message));
        if !finding.help.is_empty() {
            term::say(&format!("  help: {}", finding.help));
        }
    }
}

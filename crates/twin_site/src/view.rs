//! How the viewer starts, and which findings `orrery check` shall accept.

use twin_model::{Model, SignalIndex, TwinIndex};

use super::codes;
use super::diag::Diagnostics;
use super::read::{Section, StartAt, Word};

/// Settings for the viewer and the checker.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Where the camera stands, metres, Y up; `None` frames the whole site.
    pub eye: Option<[f64; 3]>,
    /// What it looks at.
    pub target: Option<[f64; 3]>,
    /// Where the time bar starts; `None` follows live data.
    pub time: Option<StartAt>,
    /// Twin that is selected.
    pub select: Option<TwinIndex>,
    /// Signals in the chart.
    pub chart: Vec<SignalIndex>,
    /// `auto`, `dark` or `light`.
    pub theme: Option<String>,
    /// Codes of findings that are as they should be.
    pub allow: Vec<String>,
}

/// The same with unresolved names.
#[derive(Debug, Default)]
pub(crate) struct RawSettings {
    settings: Settings,
    select: Option<Word>,
    chart: Vec<Word>,
}

/// Reads `[view]` and `[check]`.
pub(crate) fn read(root: &Section<'_>, out: &mut Diagnostics) -> RawSettings {
    let mut raw = RawSettings::default();
    if let Some(view) = root.table("view") {
        raw.settings.eye = view.vec3("eye");
        raw.settings.target = view.vec3("target");
        raw.settings.time = view.start("time");
        raw.settings.theme = view.choice("theme").map(str::to_owned);
        raw.select = view.word("select");
        raw.chart = view.words("chart");
    }
    if let Some(check) = root.table("check") {
        for word in check.words("allow") {
            if codes::ALL.iter().any(|(code, _)| *code == word.as_str()) {
                raw.settings.allow.push(word.text.to_string());
            } else {
                let help = out.suggest(word.as_str(), codes::ALL.iter().map(|(code, _)| *code), "docs/SITE.md lists the codes");
                out.error(
                    codes::VALUE_INVALID,
                    &word.at,
                    word.as_str(),
                    format!("'{}' is no finding's code", word.as_str()),
                    help,
                );
            }
        }
    }
    raw
}

/// Resolves the names.
pub(crate) fn resolve(raw: RawSettings, model: &Model, out: &mut Diagnostics) -> Settings {
    let mut settings = raw.settings;
    if let Some(word) = raw.select {
        settings.select = model.find_twin(word.as_str());
        if settings.select.is_none() {
            let help = out.suggest(word.as_str(), model.twins().iter().map(|t| t.id.as_str()), "name a twin of this site");
            out.error(codes::TWIN_UNKNOWN, &word.at, "view.select", format!("there is no twin '{}'", word.as_str()), help);
        }
    }
    for word in raw.chart {
        match model.find_signal(word.as_str()) {
            Some(signal) => settings.chart.push(signal),
            None => {
                let help = out.suggest(word.as_str(), model.signals().iter().map(|s| s.id.as_str()), "signals are <twin>.<name>");
                out.error(codes::SIGNAL_UNKNOWN, &word.at, "view.chart", format!("there is no signal '{}'", word.as_str()), help);
            }
        }
    }
    settings
}

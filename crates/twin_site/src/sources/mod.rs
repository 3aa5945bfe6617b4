//! Sources as written: what they are and which signals they feed. How tables are read is in `tables`.

use std::collections::BTreeMap;

use twin_model::SourceIndex;
use twin_table::{Codes, TimeSpec};

mod unused;

use super::codes;
use super::diag::{Diagnostics, Location};
use super::misread::{self, Misread};
use super::read::{Section, StartAt, Word};
use super::secrets::{self, TokenSource};
use super::source_keys::{KEYS_OF_KIND, SourceClock, incomplete, whole};
use super::tables::{self, CsvSource, SiteTimes};

/// A source of a loaded site.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceDef {
    /// Its position in the model.
    pub index: SourceIndex,
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: SourceKind,
    /// Where it is written.
    pub at: Location,
    /// Wide tables: signal ids and the columns that feed them, as written.
    pub columns: Vec<(String, String)>,
    /// Globs of signal ids that it feeds.
    pub feeds: Vec<String>,
    /// Why it must not be read: a key that says how it is read is wrong, and what `kind` says of that is not what was meant.
    pub misread: Option<Misread>,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceKind {
    /// A deterministic generator.
    Synthetic {
        /// Which one, for example `bottling`.
        plant: String,
        /// The same seed gives the same data.
        seed: u64,
        /// Where its first instant is put.
        start: StartAt,
    },
    /// Replay of a CSV file.
    Csv(Box<CsvSource>),
    /// Others push samples in.
    WebSocket {
        /// What a sender must present; `None` lets anyone in.
        token: Option<TokenSource>,
        /// How senders write times.
        times: TimeSpec,
        /// What numbers for qualities mean.
        codes: Codes,
        /// Whose clock counts.
        clock: SourceClock,
    },
}

impl SourceKind {
    /// The word of the site file.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Synthetic { .. } => "synthetic",
            Self::Csv(_) => "csv",
            Self::WebSocket { .. } => "websocket",
        }
    }
}

/// A source before the model is built.
#[derive(Debug)]
pub(crate) struct RawSource {
    pub(crate) id: Word,
    pub(crate) kind: SourceKind,
    pub(crate) feeds: Vec<Word>,
    /// Wide CSV: signal id and the column that feeds it, as written.
    pub(crate) columns: Vec<(Word, String)>,
    pub(crate) misread: Option<Misread>,
}

/// Most sources in one site.
const MAX_SOURCES: usize = 1_000;

/// Reads `[[sources]]`.
pub(crate) fn read(root: &Section<'_>, site: &SiteTimes, out: &mut Diagnostics) -> Vec<RawSource> {
    let mut all: Vec<RawSource> = Vec::new();
    for section in root.tables("sources") {
        let Some(id) = section.word("id") else { continue };
        if all.len() >= MAX_SOURCES {
            let message = format!("more than {MAX_SOURCES} sources; the rest is left out");
            out.error(codes::TOO_MANY, &id.at, id.as_str(), message, "let one source feed many signals".to_owned());
            break;
        }
        if all.iter().any(|source| source.id.text == id.text) {
            let message = format!("source '{}' is defined twice", id.as_str());
            out.error(codes::ID_DUPLICATE, &id.at, id.as_str(), message, "rename or delete one".to_owned());
            continue;
        }
        let mut found = Diagnostics::default();
        let Some((kind, columns)) = kind(&section, &id, site, (&mut found, out)) else { continue };
        let misread = misread::by_structure(&section, kind.as_str()).or_else(|| misread::first(&found));
        out.take_over(found);
        unused(&section, kind.as_str(), out);
        unused::keys(&section, &kind, out);
        all.push(RawSource { id, kind, feeds: section.words("feeds"), columns, misread });
    }
    all
}

fn unused(s: &Section<'_>, kind: &str, out: &mut Diagnostics) {
    for (key, owners) in KEYS_OF_KIND.iter().filter(|(key, owners)| !owners.contains(&kind) && s.has(key)) {
        let message = format!("'{key}' has no effect in a source of kind {kind}");
        let owners: Vec<String> = owners.iter().map(|owner| format!("kind = \"{owner}\"")).collect();
        out.warning(codes::KEY_UNUSED, &s.at_key(key), key, message, format!("it belongs to {}", owners.join(" or ")));
    }
}

type KindAndColumns = (SourceKind, Vec<(Word, String)>);

/// `reading` takes what is found about how the source is read, `out` the rest.
fn kind(
    s: &Section<'_>,
    id: &Word,
    site: &SiteTimes,
    (reading, out): (&mut Diagnostics, &mut Diagnostics),
) -> Option<KindAndColumns> {
    match s.choice("kind")? {
        "synthetic" => {
            let plant = s.text("plant").or_else(|| incomplete(s, id, "plant", out))?;
            let seed = whole(s, "seed", out).unwrap_or(1);
            Some((SourceKind::Synthetic { plant, seed, start: s.start("start").unwrap_or(StartAt::Recorded) }, Vec::new()))
        }
        "websocket" => {
            let (times, codes) = (tables::sender_times(s, site, reading), tables::sender_codes(s, reading));
            let clock = SourceClock::read(s);
            Some((SourceKind::WebSocket { token: token(s, id, out), times, codes, clock }, Vec::new()))
        }
        _ => {
            let speed = tables::speed(s, out);
            let (csv, columns) = tables::csv(s, id, site, speed, reading);
            Some((SourceKind::Csv(Box::new(csv)), columns))
        }
    }
}

fn token(s: &Section<'_>, id: &Word, out: &mut Diagnostics) -> Option<TokenSource> {
    let token = secrets::token(s.raw("token")?);
    if matches!(token, TokenSource::Literal(_)) {
        let message = format!("source '{}' has its token in the site file, for everybody who gets to see the file", id.as_str());
        let help = "write token = { env = \"NAME\" } or token = { file = \"path\" }, and take another token".to_owned();
        out.warning(codes::SECRET_WRITTEN, &s.at_key("token"), id.as_str(), message, help);
    }
    Some(token)
}

/// The wide columns that name each signal, by its id: source, where it is written, and the column; of each source the first, in
/// the order of the file.
pub(crate) fn wide_columns<'a>(
    sources: &'a [RawSource],
    out: &mut Diagnostics,
) -> BTreeMap<&'a str, Vec<(usize, &'a Word, &'a str)>> {
    let mut naming: BTreeMap<&str, Vec<(usize, &Word, &str)>> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        for (signal, column) in &source.columns {
            let all = naming.entry(signal.as_str()).or_default();
            if all.last().is_some_and(|(last, ..)| *last == at) {
                let message = format!("signal '{}' is fed by two columns", signal.as_str());
                out.error(codes::ID_DUPLICATE, &signal.at, signal.as_str(), message, "take it out of one of them".to_owned());
                continue;
            }
            all.push((at, signal, column.as_str()));
        }
    }
    naming
}

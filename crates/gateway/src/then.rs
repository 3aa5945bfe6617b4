//! Which model an instant is judged by: that of the revision which was in force, or the site file as it is now.

use std::path::{Path, PathBuf};

use twin_model::{Model, SignalIndex, Timestamp};
use twin_publication::{PieceHash, PublicationError, Revision};

use crate::GatewayError;
use crate::history::units;
use crate::publish::model_piece;
use crate::revisions::{earlier, folder};
use crate::site::Site;

/// Whose names, rules and alarms count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum JudgeBy {
    /// Those of the revision that was in force at the instant
    #[default]
    Then,
    /// Those of the site file as it is now
    Now,
}

/// A revision by which something was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Its number.
    pub number: u64,
    /// Since when it was in force.
    pub valid_from: Timestamp,
    /// Whether it is that of the site file as it is now.
    pub now: bool,
}

/// A model, and which revision it is of; none where no folder lists any, or the site file is not published as it is now.
pub struct Chosen {
    /// The model.
    pub model: Model,
    /// See [`Chosen`].
    pub revision: Option<Judged>,
    /// Why it is not the site file's although nothing later is in force, for people.
    pub remark: Option<String>,
}

impl Chosen {
    fn of(model: Model, revision: Option<Judged>) -> Self {
        Self { model, revision, remark: None }
    }
}

/// Where revisions may lie.
#[derive(Debug, Clone, Default)]
pub enum Kept {
    /// Nowhere.
    #[default]
    Nowhere,
    /// In this folder of a data folder, where the server that keeps history keeps them. It may have none.
    Beside(PathBuf),
    /// In a folder that somebody named: it must have some.
    Named(PathBuf),
}

impl Kept {
    /// Refuses a folder that somebody named and that has another site: nothing is judged by that. Of one beside history whoever reads the
    /// history says so.
    fn of_site(&self, own: &str) -> Result<(), GatewayError> {
        let Self::Named(folder) = self else { return Ok(()) };
        let Some(other) = earlier::site_of(folder).filter(|other| other != own) else { return Ok(()) };
        let why = format!("it holds the site '{other}', and this one is '{own}'; name its own folder, or leave out --cache");
        let source = PublicationError::Invalid { at: folder::MANIFEST.to_owned(), why };
        Err(GatewayError::Publication { path: folder.clone(), source })
    }

    fn revisions(&self) -> Result<Option<(&Path, Vec<Revision>)>, GatewayError> {
        let folder = match self {
            Self::Nowhere => return Ok(None),
            Self::Beside(folder) | Self::Named(folder) => folder,
        };
        let all = folder::revisions(folder)?.as_slice().to_vec();
        match self {
            Self::Named(_) if all.is_empty() => {
                let source = std::io::Error::new(std::io::ErrorKind::NotFound, "it holds no publication");
                Err(GatewayError::Read { path: folder.join(folder::MANIFEST), source })
            }
            _ => Ok(Some((folder.as_path(), all)).filter(|(_, all)| !all.is_empty())),
        }
    }
}

/// The model for an instant. Before the newest revision it is that of the revision which was in force, before the first one that
/// of the first, which is the best that is known; from the newest on it is the site file's. Where that has a signal in another unit
/// or kind than the newest revision, it is the newest's: readings come in as that has them until a server is started with the file.
/// That one was is seen from the data folder, too, whose revisions may be elsewhere or may not have been writable.
///
/// # Errors
/// Where the folder, or what it has of that revision, cannot be read.
pub fn model_at(site: &Site, kept: &Kept, at: Timestamp, by: JudgeBy) -> Result<Chosen, GatewayError> {
    let today = site.loaded.model.clone();
    if by == JudgeBy::Then {
        kept.of_site(&today.site().id)?;
    }
    let revisions = match kept.revisions() {
        // Nobody asked for them.
        Err(_) if by == JudgeBy::Now && !matches!(kept, Kept::Named(_)) => None,
        revisions => revisions?,
    };
    let Some((folder, all)) = revisions else { return Ok(Chosen::of(today, None)) };
    let judged = |of: &Revision, now| Judged { number: of.number, valid_from: of.valid_from, now };
    let newest = all.last().filter(|newest| by == JudgeBy::Now || newest.valid_from <= at);
    match (newest, twin_publication::revision_at(&all, at)) {
        (None, Some(then)) => Ok(Chosen::of(earlier::model(folder, then)?.model, Some(judged(then, false)))),
        (Some(newest), _) => {
            // Where it cannot be read it is not known which one the site file is.
            if earlier::model_of(folder, newest).ok().zip(hash_of(site)).is_some_and(|(newest, now)| newest == now) {
                return Ok(Chosen::of(today, Some(judged(newest, true))));
            }
            let runs = earlier::model(folder, newest).ok().filter(|_| by == JudgeBy::Then).map(|known| known.model);
            match runs.and_then(|runs| Some((other_readings(&runs, &today, kept)?, runs))) {
                Some((what, model)) => {
                    let remark = Some(format!(
                        "the site file has {what}, and no server was started with it: shown is revision {}; --judge-by now takes the file",
                        newest.number
                    ));
                    Ok(Chosen { model, revision: Some(judged(newest, false)), remark })
                }
                None => Ok(Chosen::of(today, None)),
            }
        }
        (None, None) => Ok(Chosen::of(today, None)),
    }
}

/// The first signal whose readings mean something else in `new` than in `old`, and come in as `old` has it, in words.
fn other_readings(old: &Model, new: &Model, kept: &Kept) -> Option<String> {
    let measured = new.signal_indices().filter(|at| !new.is_computed(*at));
    let mut differing = measured.filter_map(|at| Some((at, difference(old, new, at)?))).peekable();
    differing.peek()?;
    let data = match kept {
        Kept::Beside(folder) => folder.parent(),
        Kept::Nowhere | Kept::Named(_) => None,
    };
    let taken_up = data.map(|data| units::taken_up(data, new));
    let waits = |at: SignalIndex| taken_up.as_ref().is_none_or(|taken_up| !taken_up(at));
    differing.find(|(at, _)| waits(*at)).map(|(_, words)| words)
}

/// How the readings of a signal of `new` differ from those of `old`, in words; none where they do not.
fn difference(old: &Model, new: &Model, at: SignalIndex) -> Option<String> {
    let (signal, known) = (new.signal(at), old.signal(old.find_signal(new.signal(at).id.as_str())?));
    let (unit, before) = (&signal.unit.0, &known.unit.0);
    let id = signal.id.as_str();
    if !unit.is_empty() && !before.is_empty() && !twin_model::unit::alike(unit, before) {
        return Some(format!("'{id}' in {unit}, not in {before}"));
    }
    let kinds = (signal.value_kind, known.value_kind);
    (kinds.0 != kinds.1).then(|| format!("'{id}' as {}, not as {}", kinds.0.as_str(), kinds.1.as_str()))
}

/// The name of the site's model; `None` of one that nobody could read.
fn hash_of(site: &Site) -> Option<PieceHash> {
    model_piece(&site.loaded).ok().map(|bytes| PieceHash::of(&bytes))
}

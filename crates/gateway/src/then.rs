//! Which model an instant is judged by: that of the revision which was in force, or the site file as it is now.

use std::path::{Path, PathBuf};

use twin_model::{Model, Timestamp};
use twin_publication::{PieceHash, Revision};

use crate::GatewayError;
use crate::publish::{earlier, folder, model_piece};
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
/// of the first, which is the best that is known; from the newest on it is the site file's.
///
/// # Errors
/// Where the folder, or what it has of that revision, cannot be read.
pub fn model_at(site: &Site, kept: &Kept, at: Timestamp, by: JudgeBy) -> Result<Chosen, GatewayError> {
    let today = site.loaded.model.clone();
    let revisions = match kept.revisions() {
        // Nobody asked for them.
        Err(_) if by == JudgeBy::Now && !matches!(kept, Kept::Named(_)) => None,
        revisions => revisions?,
    };
    let Some((folder, all)) = revisions else { return Ok(Chosen { model: today, revision: None }) };
    let newest = all.last().filter(|newest| by == JudgeBy::Now || newest.valid_from <= at);
    match (newest, twin_publication::revision_at(&all, at)) {
        (None, Some(then)) => {
            let revision = Judged { number: then.number, valid_from: then.valid_from, now: false };
            Ok(Chosen { model: earlier::model(folder, then)?.model, revision: Some(revision) })
        }
        (Some(newest), _) => {
            // Where it cannot be read it is not known which one the site file is.
            let same = earlier::model_of(folder, newest).ok().zip(hash_of(site)).is_some_and(|(newest, now)| newest == now);
            let revision = Judged { number: newest.number, valid_from: newest.valid_from, now: true };
            Ok(Chosen { model: today, revision: same.then_some(revision) })
        }
        (None, None) => Ok(Chosen { model: today, revision: None }),
    }
}

/// The name of the site's model; `None` of one that nobody could read.
fn hash_of(site: &Site) -> Option<PieceHash> {
    model_piece(&site.loaded).ok().map(|bytes| PieceHash::of(&bytes))
}

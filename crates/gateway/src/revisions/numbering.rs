//! Which number and instant a publication gets after the one before it, the same in a folder and in memory. Knows no files.

use twin_model::Timestamp;
use twin_publication::{Manifest, PublicationError, Revision, Revisions};

/// When a revision begins that has to be made.
#[derive(Debug, Clone, Copy)]
pub enum Since {
    /// What the clock shows; a little later where it was set back behind the revision before.
    Clock(Timestamp),
    /// This instant, which must lie after the revision before.
    Fixed(Timestamp),
}

/// What became of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new revision.
    Revision,
    /// The plant is what it was; findings or addresses beside it are others. The revision stays.
    Remarks,
    /// The manifest is what it was.
    Nothing,
}

impl Change {
    /// The word of machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revision => "revision",
            Self::Remarks => "remarks",
            Self::Nothing => "nothing",
        }
    }
}

/// Gives a manifest its number and instant after `before`, a manifest with its bytes. `earlier` becomes what is listed then:
/// everything before `manifest` where that is a new revision, and `before` with what was before it where not.
///
/// # Errors
/// Where the instant is not after the revision before.
pub(crate) fn follow(
    manifest: &mut Manifest,
    before: Option<(&Manifest, &[u8])>,
    earlier: &mut Revisions,
    since: Since,
) -> Result<Change, PublicationError> {
    if let Some((old, bytes)) = before {
        earlier.forget_from(old.revision);
        earlier.add(Revision::of(old, bytes))?;
        (manifest.revision, manifest.valid_from) = (old.revision, old.valid_from);
        if old == manifest {
            return Ok(Change::Nothing);
        }
        if old.same_plant(manifest) {
            return Ok(Change::Remarks);
        }
    }
    // Behind everything that is listed, also where the manifest itself was taken away.
    let last = earlier.as_slice().last().map_or(0, |last| last.number);
    manifest.revision = last.saturating_add(1);
    manifest.valid_from = begins(earlier, manifest, since)?;
    Ok(Change::Revision)
}

/// When a new revision begins.
fn begins(earlier: &Revisions, manifest: &Manifest, since: Since) -> Result<Timestamp, PublicationError> {
    let at = match since {
        Since::Clock(now) => earlier.next_instant(now),
        Since::Fixed(at) => at,
    };
    // Tried on a copy: what it refuses is not later than what is there.
    let next = Revision { number: manifest.revision, valid_from: at, manifest: manifest.model };
    earlier.clone().add(next).map(|()| at)
}

//! Revisions in time: which manifest was valid at an instant. Earlier manifests are kept under their number, and listed here.

use serde::{Deserialize, Serialize};
use twin_model::{Span, Timestamp};

use crate::error::PublicationError;
use crate::instant;
use crate::limits::{REVISIONS, REVISIONS_BYTES};
use crate::list::List;
use crate::manifest::Manifest;
use crate::piece::PieceRef;
use crate::wire::Form;

const FORM: Form =
    Form { what: "the list of revisions", format: "orrery.revisions", version: crate::REVISIONS_VERSION, most: REVISIONS_BYTES };

/// One revision of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub number: u64,
    /// Since when it was valid; until the next one.
    pub valid_from: Timestamp,
    /// Its manifest, as bytes.
    pub manifest: PieceRef,
}

impl Revision {
    /// The revision of a manifest, which was read from or is written as `bytes`.
    pub fn of(manifest: &Manifest, bytes: &[u8]) -> Self {
        Self { number: manifest.revision, valid_from: manifest.valid_from, manifest: PieceRef::of(bytes) }
    }
}

/// The revision that was valid at an instant, out of a list in ascending order: the last that had begun. Before the first one
/// there was none, and the first is the best that is known. `None` where the list is empty.
pub fn revision_at(revisions: &[Revision], at: Timestamp) -> Option<&Revision> {
    let begun = revisions.partition_point(|revision| revision.valid_from <= at);
    revisions.get(begun.saturating_sub(1))
}

/// Revisions in ascending order of number and instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revisions(Vec<Revision>);

#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
    #[serde(default)]
    revisions: List<Row, REVISIONS>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    revision: u64,
    valid_from: String,
    #[serde(flatten)]
    manifest: PieceRef,
}

impl Revisions {
    /// All of them.
    pub fn as_slice(&self) -> &[Revision] {
        &self.0
    }

    /// See [`revision_at`].
    pub fn at(&self, at: Timestamp) -> Option<&Revision> {
        revision_at(&self.0, at)
    }

    /// Adds a revision. One of the same number takes the place of what was there. Of more than [`REVISIONS`] the oldest leaves
    /// the list.
    ///
    /// # Errors
    /// [`PublicationError::NotLater`] where it begins before or with the one before it.
    pub fn add(&mut self, revision: Revision) -> Result<(), PublicationError> {
        self.0.retain(|known| known.number < revision.number);
        if let Some(last) = self.0.last().filter(|last| last.valid_from >= revision.valid_from) {
            return Err(PublicationError::NotLater {
                number: revision.number,
                at: revision.valid_from.to_string(),
                previous: last.number,
                before: last.valid_from.to_string(),
            });
        }
        self.0.push(revision);
        let over = self.0.len().saturating_sub(REVISIONS);
        self.0.drain(..over);
        Ok(())
    }

    /// Removes what is numbered `number` or higher: of a compile that did not come to its end.
    pub fn forget_from(&mut self, number: u64) {
        self.0.retain(|known| known.number < number);
    }

    /// Removes one, which can't be had any more.
    pub fn forget(&mut self, number: u64) {
        self.0.retain(|known| known.number != number);
    }

    /// The earliest instant at which another revision may begin, where the clock shows `now`: a clock that was set back would
    /// otherwise put it before what it replaces.
    pub fn next_instant(&self, now: Timestamp) -> Timestamp {
        self.0.last().map_or(now, |last| now.max(last.valid_from + Span::from_micros(1)))
    }

    /// The list as JSON; equal lists have equal bytes.
    ///
    /// # Errors
    /// An instant that no calendar has.
    pub fn write(&self) -> Result<Vec<u8>, PublicationError> {
        let row = |revision: &Revision| {
            let valid_from = instant::write(revision.valid_from)?;
            Ok(Row { revision: revision.number, valid_from, manifest: revision.manifest })
        };
        let revisions = self.0.iter().map(row).collect::<Result<_, PublicationError>>()?;
        let head = FORM.head();
        FORM.write(&Document { format: head.format, version: head.version, revisions })
    }

    /// Reads a list.
    ///
    /// # Errors
    /// In words, also where it is not in ascending order.
    pub fn read(bytes: &[u8]) -> Result<Self, PublicationError> {
        let document: Document = FORM.read(bytes, |document: &Document| (&document.format, document.version))?;
        let mut all: Vec<Revision> = Vec::with_capacity(document.revisions.0.len());
        for (at, row) in document.revisions.0.iter().enumerate() {
            let valid_from = instant::read(&row.valid_from, &format!("revisions[{at}].valid_from"))?;
            let revision = Revision { number: row.revision, valid_from, manifest: row.manifest };
            if all.last().is_some_and(|last| last.number >= revision.number || last.valid_from >= valid_from) {
                let why = "revisions stand in ascending order of number and instant";
                return Err(PublicationError::invalid(format!("revisions[{at}]"), why));
            }
            all.push(revision);
        }
        Ok(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(number: u64, s: i64) -> Revision {
        Revision { number, valid_from: Timestamp::from_secs(s), manifest: PieceRef::of(&number.to_le_bytes()) }
    }

    fn three() -> Revisions {
        let mut all = Revisions::default();
        [(1, 100), (2, 200), (5, 300)].into_iter().for_each(|(number, s)| all.add(revision(number, s)).unwrap());
        all
    }

    #[test]
    fn the_revision_of_an_instant_is_the_last_that_had_begun() {
        let all = three();
        for (micros, number) in [
            (i64::MIN, 1),
            (0, 1),
            (99_999_999, 1),
            (100_000_000, 1),
            (199_999_999, 1),
            (200_000_000, 2),
            (299_999_999, 2),
            (300_000_000, 5),
            (i64::MAX, 5),
        ] {
            assert_eq!(all.at(Timestamp::from_micros(micros)).unwrap().number, number, "{micros}");
        }
        assert_eq!(revision_at(&[], Timestamp::from_secs(1)), None);
        assert_eq!(revision_at(&[revision(7, 5)], Timestamp::MIN).unwrap().number, 7);
    }

    #[test]
    fn a_list_comes_back_as_it_was() {
        for all in [Revisions::default(), three()] {
            assert_eq!(Revisions::read(&all.write().unwrap()).unwrap(), all);
        }
    }

    #[test]
    fn a_revision_that_is_not_later_is_refused_and_one_of_the_same_number_replaces() {
        let mut all = three();
        for s in [299, 300] {
            let error = all.clone().add(revision(6, s)).unwrap_err().to_string();
            assert!(error.contains("revision 6") && error.contains("later instant"), "{error}");
        }
        all.add(revision(5, 250)).unwrap();
        assert_eq!(all.as_slice().last(), Some(&revision(5, 250)));
        all.add(revision(2, 150)).unwrap();
        assert_eq!(all.as_slice(), [revision(1, 100), revision(2, 150)]);
        all.forget_from(2);
        assert_eq!(all.as_slice(), [revision(1, 100)]);
        let mut all = three();
        all.forget(2);
        all.forget(9);
        assert_eq!(all.as_slice(), [revision(1, 100), revision(5, 300)]);
    }

    #[test]
    fn a_clock_that_was_set_back_never_puts_a_revision_before_the_last() {
        let all = three();
        for (now, next) in [(0, 300_000_001), (300_000_000, 300_000_001), (300_000_001, 300_000_001), (400_000_000, 400_000_000)]
        {
            assert_eq!(all.next_instant(Timestamp::from_micros(now)).as_micros(), next);
        }
        assert_eq!(Revisions::default().next_instant(Timestamp::from_secs(3)), Timestamp::from_secs(3));
    }

    #[test]
    fn a_list_out_of_order_is_refused_at_its_place() {
        let text = String::from_utf8(three().write().unwrap()).unwrap();
        for (from, to) in [("\"revision\":5", "\"revision\":2"), ("00:05:00", "00:03:20"), ("00:05:00", "25:05:00")] {
            let error = Revisions::read(text.replace(from, to).as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("revisions[2]"), "{error}");
        }
    }
}

//! What must hold of any bytes as a manifest, as a list of revisions, and as a catalogue of history. Used by the fuzzer, and by the tests over the kept
//! corpus.

use twin_model::Timestamp;
use twin_publication::{Manifest, PublishedHistory, Revision, Revisions, revision_at};

/// Refused in words; or what is read can be written, comes back equal, and is found in time.
pub(crate) fn check(bytes: &[u8]) {
    match Manifest::read(bytes) {
        Err(error) => assert!((1..2_000).contains(&error.to_string().len()), "{error}"),
        Ok(manifest) => {
            let written = manifest.write().expect("what is read can be written");
            assert_eq!(Manifest::read(&written).expect("and read again"), manifest);
            assert!(manifest.same_plant(&manifest) && manifest.pieces().count() > 0);
            let mut all = Revisions::default();
            all.add(Revision::of(&manifest, &written)).expect("the first of a list");
            assert_eq!(all.at(Timestamp::MIN), all.at(Timestamp::MAX));
            assert!(all.next_instant(Timestamp::MIN) >= manifest.valid_from);
        }
    }
    if let Ok(list) = Revisions::read(bytes) {
        assert_eq!(Revisions::read(&list.write().expect("what is read can be written")), Ok(list.clone()));
        for revision in list.as_slice() {
            assert_eq!(revision_at(list.as_slice(), revision.valid_from), Some(revision));
        }
    }
    if let Ok(history) = PublishedHistory::read(bytes) {
        assert_eq!(PublishedHistory::read(&history.write().expect("what is read can be written")), Ok(history));
    }
}

//! Upper bounds for whoever writes publications and whoever reads them: nobody can write what cannot be read back.
//!
//! Holds numbers only. A reader refuses bytes beyond them before it looks inside, and lists beyond them before it keeps another
//! entry, so that what a reader holds is in proportion to bytes that it really has.

/// Bytes of a manifest.
pub const MANIFEST_BYTES: usize = 32 << 20;
/// Bytes of a list of revisions.
pub const REVISIONS_BYTES: usize = 32 << 20;
/// Bytes of a catalogue of history.
pub const HISTORY_BYTES: usize = 256 << 20;
/// Bytes of one piece of any kind.
pub const PIECE_BYTES: usize = 512 << 20;
/// Bytes of a model.
pub const MODEL_BYTES: usize = 256 << 20;

/// Pieces of geometry of a scene.
pub const GEOMETRY: usize = 65_536;
/// Images of a scene.
pub const IMAGES: usize = 16_384;
/// Files beside the scene: documents, fonts.
pub const ASSETS: usize = 4_096;
/// Findings that viewers get.
pub const FINDINGS: usize = 1_000;
/// Bytes of message and of help of one finding.
pub const FINDING_BYTES: usize = 2_000;
/// Bytes of names in a manifest: of the site, of assets, of files in findings.
pub const NAME_BYTES: usize = 4_096;
/// Revisions that are listed. A site that changes every hour has them for 11 years.
pub const REVISIONS: usize = 100_000;

/// Pages of history of one level: a hundred years of hours.
pub const HISTORY_PAGES: usize = 1_000_000;
/// Signals that history is kept of: those of a model, with those for acknowledgements.
pub const HISTORY_SIGNALS: usize = SIGNALS + RULES;
/// Changes of links to sources that are listed.
pub const HISTORY_LINKS: usize = 1_000_000;

/// Interfaces of a model.
pub const INTERFACES: usize = 200_000;
/// Twins of a model.
pub const TWINS: usize = 200_000;
/// Signals of a model, without those for acknowledgements.
pub const SIGNALS: usize = 1_000_000;
/// Rules of a model; also alarms, process models and relationships.
pub const RULES: usize = 2_000_000;
/// Sources of a model.
pub const SOURCES: usize = 10_000;
/// Knobs of a model.
pub const KNOBS: usize = 100_000;
/// Cases of one rule, states of one alarm, targets of one knob, signals of a chart, names of background nodes of one placement.
pub const FEW: usize = 100_000;
/// Placed models; also anchors.
pub const PLACEMENTS: usize = 1_000_000;

/// What an entry of the manifest's list of pieces takes: 64 digits, a length of at most ten, words around them.
const PIECE_ENTRY: usize = 64 + 10 + 24;

const _: () = {
    let pieces = (GEOMETRY + IMAGES) * PIECE_ENTRY + GEOMETRY * 6 + ASSETS * (PIECE_ENTRY + 2 * 64);
    let findings = FINDINGS * (2 * FINDING_BYTES + 256);
    assert!(pieces + findings < MANIFEST_BYTES, "the largest manifest with names of usual length is read");
    assert!(REVISIONS * 192 < REVISIONS_BYTES, "the longest list of revisions is read");
    assert!(MODEL_BYTES <= PIECE_BYTES, "a model is a piece");
    assert!(HISTORY_BYTES <= PIECE_BYTES, "a catalogue of history is a piece");
};

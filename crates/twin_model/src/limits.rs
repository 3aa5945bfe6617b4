//! One set of upper bounds for whoever writes samples and whoever reads them, on the way from a socket to a chunk on disk.
//!
//! Holds numbers only. What is over a bound at the door is refused by name; what is large behind it is cut, by count and
//! by bytes. Every bound of a writer lies within that of its reader, which the compiler checks below: nobody can write what
//! cannot be read back. The table for people is in `docs/HISTORIAN.md`.

/// Bytes of UTF-8 of one value of a text signal. Longer ones are refused wherever samples come in.
pub const TEXT_BYTES: usize = 64 << 10;

/// Bytes of one message of JSON lines at `/ingest`.
pub const MESSAGE_BYTES: usize = 1 << 20;
/// Lines of one message at `/ingest`.
pub const MESSAGE_LINES: usize = 10_000;

/// Bytes of a frame of a sender, before and after decompression.
pub const PUSH_BYTES: usize = 4 << 20;
/// Samples of one push.
pub const PUSH_SAMPLES: usize = 1 << 16;
/// Bytes of the texts of one push, a text counted each time that a sample has it: a frame says it once, whoever keeps it may
/// have to say it each time.
pub const PUSH_TEXT_BYTES: usize = 64 << 20;

/// How far a reading may lie ahead of its receipt; one further ahead is kept aside and is no history. An hour: what a clock that
/// was set to another zone's summer time is off by.
pub const AHEAD: crate::Span = crate::Span::from_secs(3_600);

/// Samples that wait for one source between two rounds.
pub const INBOX_SAMPLES: usize = 200_000;
/// Bytes of the texts that wait for one source.
pub const INBOX_TEXT_BYTES: usize = 32 << 20;

/// Samples of one batch, which is one frame of the stream and one entry of the journal.
pub const BATCH_SAMPLES: usize = 50_000;
/// Bytes of one batch before compression, by the upper bound of each sample.
pub const BATCH_BYTES: usize = 2 << 20;
/// What a sample takes in a frame at most, besides its text: identity 5, both times 20, kind 2, value 11, quality 4, flags 3.
pub const SAMPLE_BYTES: usize = 48;

/// Samples of one chunk.
pub const CHUNK_SAMPLES: u64 = 1 << 22;
/// Bytes of a chunk that is written, where its time can be cut: one instant of a lane of 64 signals always fits.
pub const CHUNK_BYTES: usize = 8 << 20;
/// Bytes of a chunk that is read.
pub const CHUNK_READ_BYTES: usize = 64 << 20;

/// Bytes of chunks after which a part of a page, or an answer of history, ends.
pub const ANSWER_BYTES: usize = 2 << 20;

/// Bytes of a frame that a viewer reads.
pub const FRAME_BYTES: usize = 16 << 20;
/// Bytes of the body of such a frame after decompression.
pub const BODY_BYTES: usize = 64 << 20;
/// Samples of one frame that a viewer reads.
pub const FRAME_SAMPLES: usize = 1 << 20;

/// Bytes of an entry of the journal that is read, compressed or not. Far more than is written: entries from before there was
/// one set of limits are read too.
pub const JOURNAL_READ_BYTES: usize = 1 << 30;
/// Bytes of a text in an entry of the journal that is read; it was one message at most.
pub const JOURNAL_READ_TEXT_BYTES: usize = 4 << 20;

/// Signals that one computed signal follows from, directly and through other computed ones. Whoever writes a site is told, whoever
/// derives computes none that has more.
pub const COMPUTED_FROM: usize = 1_024;
/// Computed signals that stand on top of each other, the topmost included.
pub const COMPUTED_LEVELS: usize = 16;
/// Bytes of the expressions of all computed signals of a model together: of checked ones each takes some hundred times as much.
pub const COMPUTED_BYTES: usize = 8 << 20;

/// A signal's text and its number among the distinct ones.
const TEXT_FRAME_BYTES: usize = TEXT_BYTES + 8;

const _: () = {
    assert!(SAMPLE_BYTES + TEXT_FRAME_BYTES < BATCH_BYTES, "one sample fits into a batch");
    assert!(
        BATCH_SAMPLES < FRAME_SAMPLES && BATCH_BYTES * 8 <= FRAME_BYTES && FRAME_BYTES <= BODY_BYTES,
        "a batch is a frame, also as JSON"
    );
    assert!(BATCH_BYTES < JOURNAL_READ_BYTES && TEXT_BYTES <= JOURNAL_READ_TEXT_BYTES, "a batch is a journal entry");
    assert!(64 * (TEXT_BYTES + 64) < CHUNK_BYTES, "an instant of a lane is a chunk");
    assert!(CHUNK_BYTES <= CHUNK_READ_BYTES && CHUNK_READ_BYTES <= JOURNAL_READ_BYTES, "a chunk that is written is read");
    assert!(ANSWER_BYTES + CHUNK_BYTES < FRAME_BYTES, "a part of a page is a frame");
    assert!(MESSAGE_BYTES < PUSH_BYTES && TEXT_BYTES < MESSAGE_BYTES, "the longest text can be sent in either form");
};

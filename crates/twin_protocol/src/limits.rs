//! Upper bounds that a decoder checks before it allocates. The numbers are those of [`twin_model::limits`].

use twin_model::limits;

/// What a peer may send at most. Everything beyond is refused with a typed error before memory is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one frame as it arrives.
    pub frame_bytes: usize,
    /// Bytes of one frame's body after decompression.
    pub body_bytes: usize,
    /// Samples in one batch or snapshot.
    pub samples: usize,
    /// Entries of one dictionary, links, chunks of one history frame.
    pub entries: usize,
    /// Bytes of one text.
    pub text_bytes: usize,
}

impl Limits {
    /// For a viewer that reads a server: frames up to 16 MiB, bodies up to 64 MiB, a million samples.
    pub const SERVER_FRAMES: Self = Self {
        frame_bytes: limits::FRAME_BYTES,
        body_bytes: limits::BODY_BYTES,
        samples: limits::FRAME_SAMPLES,
        entries: 1 << 20,
        text_bytes: limits::TEXT_BYTES,
    };
    /// For a server that reads senders: frames and bodies up to 4 MiB, 65,536 samples a push, 262,144 signals. A text may be
    /// as long as its frame: one that is too long for a value is the fault of its sample and not of the frame.
    pub const INGEST_FRAMES: Self = Self {
        frame_bytes: limits::PUSH_BYTES,
        body_bytes: limits::PUSH_BYTES,
        samples: limits::PUSH_SAMPLES,
        entries: 1 << 18,
        text_bytes: limits::PUSH_BYTES,
    };
    /// For a server that reads viewers, which only ever send small control frames.
    pub const CLIENT_FRAMES: Self =
        Self { frame_bytes: 4 << 10, body_bytes: 4 << 10, samples: 0, entries: 16, text_bytes: 1 << 10 };
    /// For whoever reads a journal on disk, or a recording: what this and every earlier version may have written.
    pub const KEPT_FRAMES: Self = Self {
        frame_bytes: limits::JOURNAL_READ_BYTES,
        body_bytes: limits::JOURNAL_READ_BYTES,
        text_bytes: limits::JOURNAL_READ_TEXT_BYTES,
        ..Self::SERVER_FRAMES
    };
}

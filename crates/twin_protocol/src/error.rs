//! What can be wrong with a frame, and the close codes that tell the peer.

/// Why bytes or text are not a frame. Every variant has a [`CloseCode`] and prints a reason that fits a close frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Longer than [`crate::Limits`] allow.
    #[error("{what} of {size} is over the limit of {limit}")]
    TooLarge {
        /// What is too large: `frame`, `body`, `samples`, `entries`, `text`.
        what: &'static str,
        /// How large it says it is.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The bytes end in the middle of something.
    #[error("frame ends inside {0}")]
    Truncated(&'static str),
    /// The first bytes are not those of this protocol.
    #[error("not an Orrery frame")]
    Magic,
    /// A protocol version that this side does not speak.
    #[error("protocol version {theirs} is not supported; this side speaks {ours}")]
    Version {
        /// What the peer offered.
        theirs: String,
        /// What is spoken here.
        ours: String,
    },
    /// A frame kind that must be understood and is not.
    #[error("frame kind {0:#04x} is unknown")]
    Kind(u8),
    /// Bytes that cannot mean anything.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// Which part.
        what: &'static str,
        /// Why.
        why: &'static str,
    },
    /// The JSON form could not be read.
    #[error("JSON frame is malformed: {0}")]
    Json(String),
}

impl ProtocolError {
    pub(crate) const fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why }
    }

    /// The WebSocket close code that fits.
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::TooLarge { .. } => CloseCode::TooLarge,
            Self::Version { .. } => CloseCode::UnsupportedVersion,
            Self::Truncated(_) | Self::Magic | Self::Kind(_) | Self::Malformed { .. } | Self::Json(_) => CloseCode::Malformed,
        }
    }
}

/// WebSocket close codes used by the stream. 1xxx as in RFC 6455, 4xxx our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// 1001: the server stops; come back later.
    GoingAway,
    /// 1009: a frame was larger than allowed.
    TooLarge,
    /// 4000: bytes that are no frame.
    Malformed,
    /// 4001: no protocol version in common.
    UnsupportedVersion,
    /// 4002: the first frame was no hello, or none came in time.
    Handshake,
    /// 4003: nothing was heard from the peer for too long.
    TimedOut,
    /// 4004: as many clients as allowed are connected.
    Busy,
    /// 4005: missing or wrong token.
    Unauthorized,
}

impl CloseCode {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::GoingAway,
        Self::TooLarge,
        Self::Malformed,
        Self::UnsupportedVersion,
        Self::Handshake,
        Self::TimedOut,
        Self::Busy,
        Self::Unauthorized,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::TooLarge => 1009,
            Self::Malformed => 4000,
            Self::UnsupportedVersion => 4001,
            Self::Handshake => 4002,
            Self::TimedOut => 4003,
            Self::Busy => 4004,
            Self::Unauthorized => 4005,
        }
    }

    /// The code of a number, where it is one of ours.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }
}

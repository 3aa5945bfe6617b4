//! Everything that can be wrong with a piece of a scene: what, where, and what to do.

/// Why a piece of a scene can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// The bytes are something else.
    #[error("this is no {piece}: it does not begin with its mark; check which file or address it came from")]
    Another {
        /// What was expected.
        piece: &'static str,
    },
    /// Written by a newer program.
    #[error("the {piece} has format {found}, and this viewer reads up to {known}; reload the page, or update the viewer")]
    Version {
        /// What was read.
        piece: &'static str,
        /// The version that it says.
        found: u16,
        /// The newest version that is read.
        known: u16,
    },
    /// Fewer bytes than are announced.
    #[error("the {piece} ends at byte {at}, within its {field}; fetch it again: it was cut short")]
    Short {
        /// What was read.
        piece: &'static str,
        /// What was being read.
        field: &'static str,
        /// How many bytes there are.
        at: usize,
    },
    /// A number that can't be meant.
    #[error(
        "the {piece} says {found} for its {field}, where at most {most} can be; it is damaged: fetch it again or compile the site anew"
    )]
    Beyond {
        /// What was read.
        piece: &'static str,
        /// What says so.
        field: &'static str,
        /// What it says.
        found: u64,
        /// The largest that could be meant.
        most: u64,
    },
    /// A place or size that is no finite number, or a box that is inside out.
    #[error("the {piece} has no usable number for its {field}; it is damaged: fetch it again or compile the site anew")]
    NoNumber {
        /// What was read.
        piece: &'static str,
        /// Which.
        field: &'static str,
    },
    /// Two numbers that must agree.
    #[error(
        "the {piece} says {found} for its {field} and should say {expected}; it belongs to another scene or is damaged: fetch both again"
    )]
    Disagrees {
        /// What was read.
        piece: &'static str,
        /// Which.
        field: &'static str,
        /// What it says.
        found: u64,
        /// What is said elsewhere.
        expected: u64,
    },
    /// The index has no such cell or level.
    #[error("the scene has no level {level} of a cell {cell}; ask for those that its index lists")]
    Unlisted {
        /// The cell.
        cell: u32,
        /// The level.
        level: u32,
    },
}

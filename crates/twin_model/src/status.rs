//! The three channels that are never mixed: health status, freshness, alarm state.

use std::cmp::Ordering;

/// Condition of a device after NAMUR NE 107, or that nothing current says anything about it.
///
/// Compares by [`Self::rank`], the one order that machines, roll-up, legend, sorting and search share (decision 0015): F over
/// C over S over M over unknown over normal. A twin that has fallen silent isn't well, so it stands above those that are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nothing current to judge by: never seen, stale, source offline, or no usable value.
    Unknown,
    /// Fine.
    Normal,
    /// M: still valid, wear reserve nearly used.
    Maintenance,
    /// S: beyond the permitted range.
    OutOfSpecification,
    /// C: temporarily invalid, work in progress.
    FunctionCheck,
    /// F: invalid by a fault.
    Failure,
}

impl Status {
    /// All, by [`Self::code`]. For a list that people read take [`Self::BY_RANK`].
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Normal, Self::Maintenance, Self::OutOfSpecification, Self::FunctionCheck, Self::Failure];

    /// All, best first.
    pub const BY_RANK: [Self; 6] =
        [Self::Normal, Self::Unknown, Self::Maintenance, Self::OutOfSpecification, Self::FunctionCheck, Self::Failure];

    /// Position in [`Self::BY_RANK`]: higher is worse.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Unknown => 1,
            Self::Maintenance => 2,
            Self::OutOfSpecification => 3,
            Self::FunctionCheck => 4,
            Self::Failure => 5,
        }
    }

    /// Whether something is known to be wrong: neither normal nor unknown.
    pub const fn is_trouble(self) -> bool {
        self.rank() > Self::Unknown.rank()
    }

    /// The name used in files, on the wire and in machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Normal => "normal",
            Self::Maintenance => "maintenance",
            Self::OutOfSpecification => "out_of_specification",
            Self::FunctionCheck => "function_check",
            Self::Failure => "failure",
        }
    }

    /// Words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Normal => "Normal",
            Self::Maintenance => "Maintenance required",
            Self::OutOfSpecification => "Out of specification",
            Self::FunctionCheck => "Function check",
            Self::Failure => "Failure",
        }
    }

    /// The NE 107 letter, `?` for unknown and none for normal.
    pub const fn letter(self) -> Option<char> {
        match self {
            Self::Unknown => Some('?'),
            Self::Normal => None,
            Self::Maintenance => Some('M'),
            Self::OutOfSpecification => Some('S'),
            Self::FunctionCheck => Some('C'),
            Self::Failure => Some('F'),
        }
    }

    /// The status of a name in [`Self::as_str`]'s spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Position in [`Self::ALL`]; the value kept in stores and textures. Says nothing about what is worse.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The status of a [`Self::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl Ord for Status {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Status {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How current a value is against the cursor, freshest first. Says nothing about whether the value is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// Younger than the expected period allows for.
    Live,
    /// Older than expected, still within the hold limit.
    Late,
    /// Beyond the hold limit: the value says nothing about now.
    Stale,
    /// The source said goodbye or its link is down.
    Offline,
    /// No sample at or before the cursor.
    NeverSeen,
}

impl Freshness {
    /// All, freshest first.
    pub const ALL: [Self; 5] = [Self::Live, Self::Late, Self::Stale, Self::Offline, Self::NeverSeen];

    /// The name used in machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Late => "late",
            Self::Stale => "stale",
            Self::Offline => "offline",
            Self::NeverSeen => "never_seen",
        }
    }

    /// Words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Late => "Late",
            Self::Stale => "Stale",
            Self::Offline => "Source offline",
            Self::NeverSeen => "Never seen",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether a value may speak for the present: live or late.
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Live | Self::Late)
    }
}

/// Alarm life cycle after ISA-18.2 / IEC 62682.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmState {
    /// A: inactive.
    Normal,
    /// D: returned to normal before anyone acknowledged it.
    ReturnedUnack,
    /// G: hidden by the operator for a time.
    Shelved,
    /// H: hidden by logic.
    SuppressedByDesign,
    /// I: taken off by maintenance.
    OutOfService,
    /// C: active, acknowledged.
    AckActive,
    /// B: active, not acknowledged.
    UnackActive,
}

impl AlarmState {
    /// All states, quietest first.
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::ReturnedUnack,
        Self::Shelved,
        Self::SuppressedByDesign,
        Self::OutOfService,
        Self::AckActive,
        Self::UnackActive,
    ];

    /// The name used in files and machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ReturnedUnack => "returned_unacknowledged",
            Self::Shelved => "shelved",
            Self::SuppressedByDesign => "suppressed_by_design",
            Self::OutOfService => "out_of_service",
            Self::AckActive => "acknowledged",
            Self::UnackActive => "unacknowledged",
        }
    }

    /// Words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::ReturnedUnack => "Returned, unacknowledged",
            Self::Shelved => "Shelved",
            Self::SuppressedByDesign => "Suppressed by design",
            Self::OutOfService => "Out of service",
            Self::AckActive => "Active, acknowledged",
            Self::UnackActive => "Active, unacknowledged",
        }
    }

    /// The state of a name in [`Self::as_str`]'s spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether it waits for a person to acknowledge it, also where the condition is gone.
    pub const fn is_unacknowledged(self) -> bool {
        matches!(self, Self::UnackActive | Self::ReturnedUnack)
    }

    /// Whether the condition holds now and is shown to operators.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::UnackActive | Self::AckActive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_ranks_and_codes_stay_what_they_were() {
        for (at, status) in Status::BY_RANK.into_iter().enumerate() {
            assert_eq!(usize::from(status.rank()), at);
        }
        assert!(Status::BY_RANK.windows(2).all(|pair| pair[0] < pair[1]));
        let codes = Status::ALL.map(|status| (status.code(), status.as_str()));
        let names = ["unknown", "normal", "maintenance", "out_of_specification", "function_check", "failure"];
        assert_eq!(codes.map(|(_, name)| name), names);
        assert!(codes.iter().enumerate().all(|(at, (code, _))| usize::from(*code) == at));
    }

    #[test]
    fn silence_is_neither_well_nor_trouble() {
        assert!(Status::Unknown > Status::Normal && !Status::Unknown.is_trouble());
        assert!(Status::Maintenance > Status::Unknown && Status::Maintenance.is_trouble());
    }
}

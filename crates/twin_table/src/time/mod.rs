//! The one reader of times: what a declaration says is read, everything else is refused with what it looks like.

mod civil;
mod iso;
mod number;
mod order;
mod pattern;
mod propose;
mod reader;
mod zone;

use twin_model::Timestamp;

pub use number::Unit;
pub use order::Opening;
pub use pattern::Pattern;
pub use reader::TimeReader;
pub use zone::Zone;

use iso::Written;
use zone::Instants;

/// Notation of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// RFC 3339 and its kin of ISO 8601, with or without an offset.
    Rfc3339,
    /// A number since 1970-01-01T00:00:00Z.
    Epoch(Unit),
    /// Seconds since an instant, fractions allowed.
    Seconds {
        /// The instant of second 0.
        origin: Timestamp,
    },
    /// Day numbers of spreadsheets, since 1899-12-30 or (`true`) 1904-01-01.
    Serial(bool),
    /// A pattern such as `%d.%m.%Y %H:%M:%S`.
    Pattern(Pattern),
}

/// The words of [`TimeFormat`] in a site file, beside patterns.
pub const FORMATS: [&str; 8] = ["rfc3339", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "seconds", "excel", "excel_1904"];

impl TimeFormat {
    /// Reads a word of [`FORMATS`] (`seconds` counts from `origin`), or a pattern; `None` where it is neither.
    ///
    /// # Errors
    /// What is wrong with a pattern.
    pub fn parse(text: &str, origin: Option<Timestamp>) -> Option<Result<Self, String>> {
        if let Some(unit) = Unit::ALL.into_iter().find(|unit| unit.format() == text) {
            return Some(Ok(Self::Epoch(unit)));
        }
        Some(Ok(match text {
            "rfc3339" => Self::Rfc3339,
            "seconds" => Self::Seconds { origin: origin.unwrap_or(Timestamp::from_micros(0)) },
            "excel" => Self::Serial(false),
            "excel_1904" => Self::Serial(true),
            pattern if pattern.contains('%') => return Some(Pattern::new(pattern).map(Self::Pattern)),
            _ => return None,
        }))
    }

    /// As a site file writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Rfc3339 => "rfc3339",
            Self::Epoch(unit) => unit.format(),
            Self::Seconds { .. } => "seconds",
            Self::Serial(false) => "excel",
            Self::Serial(true) => "excel_1904",
            Self::Pattern(pattern) => pattern.as_str(),
        }
    }

    /// Whether its texts may come without an offset, so that a zone is needed.
    pub fn needs_zone(&self) -> bool {
        match self {
            Self::Rfc3339 | Self::Serial(_) => true,
            Self::Epoch(_) | Self::Seconds { .. } => false,
            Self::Pattern(pattern) => !pattern.says_zone(),
        }
    }

    /// What is wrong with a text that has the notation and is no time: 30 February, minute 60, a weekday that it was not.
    fn wrong(&self, text: &str) -> Option<String> {
        match self {
            Self::Rfc3339 => iso::wrong(text),
            Self::Pattern(pattern) => pattern.wrong(text),
            Self::Epoch(_) | Self::Seconds { .. } | Self::Serial(_) => None,
        }
    }

    fn written(&self, text: &str) -> Option<Written> {
        let instant = |local: i64| Written { local, offset: Some(0), ..Written::default() };
        match self {
            Self::Rfc3339 => iso::read(text),
            Self::Epoch(unit) => number::micros(text, *unit).map(instant),
            Self::Seconds { origin } => number::micros(text, Unit::Seconds)?.checked_add(origin.as_micros()).map(instant),
            Self::Serial(since_1904) => {
                // A date and a time of day in two columns come as two numbers.
                let (date, time) = text.trim().split_once(' ').map_or((text, None), |(date, time)| (date, Some(time)));
                let time = time.map_or(Some(0), number::share_of_day)?;
                number::serial(date, *since_1904).map(|local| Written { local: local + time, ..Written::default() })
            }
            Self::Pattern(pattern) => pattern.read(text),
        }
    }
}

/// Calendar years that times are believed in, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Years {
    first: i64,
    last: i64,
    /// Half-open, in microseconds.
    range: (i64, i64),
}

impl Default for Years {
    /// 1990 to 2100: no process historian is older, and epochs in a wrong unit fall outside (nanoseconds and microseconds of
    /// this century read as milliseconds are after the year 50,000, seconds read as milliseconds are in January 1970).
    fn default() -> Self {
        Self::new(1990, 2100).unwrap_or(Self { first: 1990, last: 2100, range: (i64::MIN, i64::MAX) })
    }
}

impl Years {
    /// `None` unless `1 <= first <= last <= 9999`.
    pub fn new(first: i64, last: i64) -> Option<Self> {
        let start = |year: i64| civil::days(year, 1, 1) * civil::DAY;
        (1 <= first && first <= last && last <= 9999).then(|| Self { first, last, range: (start(first), start(last + 1)) })
    }

    /// Whether an instant lies within.
    pub fn contains(&self, t: Timestamp) -> bool {
        (self.range.0..self.range.1).contains(&t.as_micros())
    }
}

impl std::fmt::Display for Years {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// How times are written, by whose clock, and in which years.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSpec {
    /// The notation.
    pub format: TimeFormat,
    /// What a text without offset means; `None`: such a text is refused.
    pub zone: Option<Zone>,
    /// What is believed.
    pub years: Years,
}

impl Default for TimeSpec {
    fn default() -> Self {
        Self { format: TimeFormat::Rfc3339, zone: None, years: Years::default() }
    }
}

impl TimeSpec {
    /// Whether a text has the notation, whatever instant it is.
    pub fn fits(&self, text: &str) -> bool {
        self.format.written(text).is_some()
    }

    /// Reads a time that comes alone. Of an hour that comes twice it takes the later one that is not after `now`.
    ///
    /// # Errors
    /// [`TimeFault`]; [`Self::explain`] has the words.
    pub fn read_near(&self, text: &str, now: Timestamp) -> Result<Timestamp, TimeFault> {
        self.read_near_counted(text, now).map(|(t, _)| t)
    }

    /// The same, with what was special about the text.
    ///
    /// # Errors
    /// [`TimeFault`]; [`Self::explain`] has the words.
    pub fn read_near_counted(&self, text: &str, now: Timestamp) -> Result<(Timestamp, TimeCounts), TimeFault> {
        self.read_near_in(&self.format, text, now)
    }

    /// The same, of a text that is in another notation than most.
    ///
    /// # Errors
    /// [`TimeFault`]; [`Self::explain`] of a specification with that notation has the words.
    pub fn read_near_in(&self, format: &TimeFormat, text: &str, now: Timestamp) -> Result<(Timestamp, TimeCounts), TimeFault> {
        let mut latest = |first, second| if second <= now.as_micros() { second } else { first };
        self.resolve(format, text, &mut latest).map(|(read, seen)| (read.t, seen))
    }

    /// A fault in words: what stands there, and what would mend it.
    pub fn explain(&self, text: &str, fault: &TimeFault) -> String {
        propose::explain(self, text, fault)
    }

    fn resolve(
        &self,
        format: &TimeFormat,
        text: &str,
        choose: &mut dyn FnMut(i64, i64) -> i64,
    ) -> Result<(ReadTime, TimeCounts), TimeFault> {
        let written = format.written(text).ok_or(TimeFault::Unread)?;
        let named = written.zone.as_deref().map(Zone::new).transpose().map_err(TimeFault::Zone)?;
        let mut seen = TimeCounts { leaps: u64::from(written.leaps), ..TimeCounts::default() };
        let mut near_change = false;
        let micros = if let Some(offset) = written.offset {
            if let Some(zone) = named.as_ref().filter(|_| !written.utc) {
                let agrees = zone.agrees(written.local, offset);
                agrees.map_err(|why| TimeFault::Zone(if written.abbreviated { zone::other_half(&why) } else { why }))?;
            }
            written.local.saturating_sub(offset.saturating_mul(1_000_000))
        } else {
            let zone = named.as_ref().or(self.zone.as_ref()).ok_or(TimeFault::NoZone)?;
            seen.zoned = u64::from(named.is_none());
            near_change = true;
            match zone.instants(written.local).ok_or(TimeFault::Unread)? {
                Instants::One(t) => {
                    near_change = zone.follows_a_gap(written.local);
                    t
                }
                Instants::Two(first, second) => {
                    seen.folds = 1;
                    choose(first, second)
                }
                Instants::Skipped(t) => {
                    seen.skipped = 1;
                    t
                }
            }
        };
        let read = ReadTime {
            t: Timestamp::from_micros(micros),
            by_order: seen.folds > 0,
            guess: false,
            opening: Opening::None,
            near_change,
        };
        if self.years.contains(read.t) { Ok((read, seen)) } else { Err(TimeFault::Implausible(read.t)) }
    }
}

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadTime {
    /// The instant.
    pub t: Timestamp,
    /// Only the order of the rows told which instant it is, so that reading it again alone may differ.
    pub by_order: bool,
    /// Not even the order of the rows told it.
    pub guess: bool,
    /// What it has to do with where its series begins within an hour that came twice.
    pub opening: Opening,
    /// It is of an hour that came twice or never, or of the one after: two texts may mean this instant.
    pub near_change: bool,
}

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFault {
    /// It does not fit the notation.
    Unread,
    /// It is a time, but in no plausible year.
    Implausible(Timestamp),
    /// It has no offset, and nobody said which zone it is in.
    NoZone,
    /// It names a zone that does not exist, or one whose clock never has its offset then.
    Zone(String),
}

/// What was special about times that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeCounts {
    /// Texts without offset, read in the declared zone.
    pub zoned: u64,
    /// Of the hour that comes twice in autumn; which pass it is was told by the order of the rows.
    pub folds: u64,
    /// Of them: those of which the order of the rows told nothing, so that the pass is a guess. Rows with which a series begins within
    /// such an hour count until a later row tells that they were read right.
    pub guesses: u64,
    /// Of the hour that never comes in spring; read as if the clock had not been put forward.
    pub skipped: u64,
    /// Sixty-first seconds, put a microsecond before the next minute.
    pub leaps: u64,
}

impl TimeCounts {
    /// Counts more.
    pub const fn add(&mut self, more: Self) {
        self.zoned += more.zoned;
        self.folds += more.folds;
        self.guesses += more.guesses;
        self.skipped += more.skipped;
        self.leaps += more.leaps;
    }
}

#[cfg(test)]
mod tests;

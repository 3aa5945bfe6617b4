//! One line of JSON from a sender: a sample, or the wish to be told when what came before is safe.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::value::RawValue;
use twin_model::limits::TEXT_BYTES;
use twin_model::{Flags, Model, Quality, Sample, SignalIndex, Timestamp, Value, ValueKind};
use twin_site::SourceClock;
use twin_table::cell::{ReadQuality, Texts, Unreadable};
use twin_table::time::{TimeCounts, Unit};
use twin_table::{Cell, CellRules, TimeFormat, TimeSpec, Years};

use super::fields::Fields;
use super::inbox::{Inbox, Refusal, SenderRules};
use super::scalar::{Scalar, scalar};

/// Bytes of the name of who acknowledges an alarm.
const BY: usize = 256;
/// Bytes of the name that a sender gives an acknowledgement.
const ACK_NAME: usize = 256;

/// Why a line of `/ingest` was dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No JSON object with `signal` and `value`, and none with `ack`.
    #[error("not a sample: {0}; write {{\"signal\": \"pump-01.flow\", \"value\": 21.37}}")]
    Json(String),
    /// The site has no such signal, or another source feeds it.
    #[error("signal '{0}' is not fed by this source; check its name, or let the plant's site file name it")]
    Signal(String),
    /// The text is longer than what can be kept.
    #[error("the text of '{signal}' has {size} bytes; a text has at most {limit} bytes of UTF-8")]
    Large {
        /// The signal.
        signal: String,
        /// Bytes of the text.
        size: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// A key that is not read, and would change what the reading means.
    #[error("{0}")]
    Key(String),
    /// The time makes no sense.
    #[error("{0}")]
    Time(String),
    /// It has no time of its own, and this server's clock was never set.
    #[error(
        "this server's clock says {0}, which is not within the years {1}: a reading without a time of its own can't be taken until it is set"
    )]
    Clock(Timestamp, Years),
    /// The quality makes no sense.
    #[error(
        "'{0}' is not a quality; write good, uncertain, bad or a StatusCode; for numbers of OPC DA the source needs quality = \"opc_da\""
    )]
    Quality(String),
    /// No alarm of that name has to be acknowledged.
    #[error(
        "no alarm '{0}' waits for acknowledgements; name it as <twin>.<alarm>, and set acknowledge = \"required\" in the site file"
    )]
    Alarm(String),
    /// Who acknowledged is no name.
    #[error("'by' must be a text of at most {BY} bytes: who acknowledges")]
    By,
    /// What an answer was asked for with is too long or no name.
    #[error("'ack' must be a whole number or a text of at most {ACK_NAME} bytes; the answer repeats it")]
    Ack,
}

impl LineError {
    /// Whether a value of a signal is larger than what can be kept.
    pub(crate) fn of_size(value: &Value, signal: &str) -> Option<Self> {
        match value {
            Value::Text(text) if text.len() > TEXT_BYTES => {
                Some(Self::Large { signal: signal.to_owned(), size: text.len(), limit: TEXT_BYTES })
            }
            _ => None,
        }
    }

    /// What it counts as.
    pub const fn refusal(&self) -> Refusal {
        match self {
            Self::Json(_) | Self::Key(_) | Self::Ack | Self::By => Refusal::Line,
            Self::Signal(_) | Self::Alarm(_) => Refusal::Signal,
            Self::Large { .. } => Refusal::Large,
            Self::Time(_) | Self::Clock(..) => Refusal::Time,
            Self::Quality(_) => Refusal::Quality,
        }
    }
}

/// What a sender should know about a line that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// It is about this line.
    Line(String),
    /// Keys that nobody reads, in the line's order. Enough to be said once of each.
    Keys(Vec<String>),
    /// Its time is of an hour that came twice, and which pass it is taken for. Enough to be said once.
    Pass(String),
    /// Its time has no offset, and in which zone such times are read; or it is under a name that nobody reads. Enough to be said once.
    Clock(String),
}

/// Keys that a remark names; of more it says how many.
const NAMED_KEYS: usize = 16;

impl Remark {
    /// Words for the sender.
    pub fn words(&self) -> Cow<'_, str> {
        let keys = match self {
            Self::Line(words) | Self::Pass(words) | Self::Clock(words) => return Cow::Borrowed(words),
            Self::Keys(keys) => keys,
        };
        let named: Vec<String> = keys.iter().take(NAMED_KEYS).map(|key| format!("'{key}'")).collect();
        let more = keys.len().saturating_sub(NAMED_KEYS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Cow::Owned(format!(
            "not read: {}{more}; a line has signal, value, time, quality, and this is said once",
            named.join(", ")
        ))
    }
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A sample, received now, and what its sender should know about it.
    Sample(SignalIndex, Sample, Option<Remark>),
    /// Asks for an answer with this name, an integer or a text.
    Ack(serde_json::Value),
}

/// Reads one line of a sender of `inbox`.
///
/// # Errors
/// [`LineError`], written for the sender.
pub fn read_line(model: &Model, inbox: &Inbox, line: &str, now: Timestamp) -> Result<Line, LineError> {
    let fields: Fields<'_> = serde_json::from_str(line).map_err(|e| no_json(line, &e))?;
    let timed = inbox.rules.clock == SourceClock::Source;
    if let Some(alarm) = &fields.acknowledge {
        return acknowledge_line(model, inbox, &fields, alarm, now);
    }
    if let Some(words) = fields.lost(timed, &inbox.rules) {
        return Err(LineError::Key(words));
    }
    let passed_over = fields.passed_over();
    let (name, given) = match (&fields.signal, fields.value, fields.ack.clone()) {
        (Some(name), Some(value), None) => (name.as_ref(), value),
        (None, None, Some(ack)) => return ack_name(ack),
        (_, _, Some(_)) => return Err(LineError::Json("'ack' stands in a line of its own".to_owned())),
        (None, ..) => return Err(LineError::Json("missing field `signal`".to_owned())),
        (_, None, _) => return Err(LineError::Json("missing field `value`".to_owned())),
    };
    let signal = inbox.find(model, name).ok_or_else(|| LineError::Signal(name.to_owned()))?;
    if let Some(words) = fields.other_unit(name, &model.signal(signal).unit.0) {
        return Err(LineError::Key(words));
    }
    let kind = model.signal(signal).value_kind;
    let (quality, odd) = fields.quality.map_or(Ok((Quality::GOOD, None)), |raw| quality(raw, &inbox.rules, name))?;
    let mut remark = odd.map(Remark::Line);
    let written = fields.time.filter(|_| timed);
    let own = written.map_or(Ok(None), |raw| time(raw, &inbox.rules.times, now))?;
    let read = value(given, kind);
    if let Cell::Value(value) = &read
        && let Some(error) = LineError::of_size(value, model.signal(signal).id.as_str())
    {
        return Err(error);
    }
    match &read {
        Cell::Unreadable(why) => {
            let why = why.words(&shown(given));
            remark = Some(Remark::Line(format!("{name}: {why}; taken as a reading without a value")));
        }
        Cell::Rounded(value) => remark = Some(Remark::Line(format!("{name}: {} is taken as {value}", shown(given)))),
        Cell::Value(_) | Cell::Absent(_) => {}
    }
    let zoned = own.is_some_and(|(_, seen)| seen.zoned > 0);
    let zone = || written.filter(|_| zoned).and_then(|raw| clock_of(raw, &inbox.rules.times));
    let pass = || written.zip(own).and_then(|(raw, (t, seen))| pass_of(raw, t, seen));
    // The gravest first: a guess about the time is worth more than keys that change nothing.
    remark = remark.or_else(|| pass().map(Remark::Pass));
    remark = remark.or_else(|| (!passed_over.is_empty()).then_some(Remark::Keys(passed_over)));
    remark = remark.or_else(|| zone().map(Remark::Clock));
    // Last, so that only what is taken has a time.
    let (source_time, received_time) = match own {
        Some((own, _)) => (own, now),
        None => inbox.received(signal, receipt(&inbox.rules.times, now)?),
    };
    let sample = Sample { received_time, ..read.sample(source_time, kind, quality) };
    Ok(Line::Sample(signal, sample, remark))
}

/// A line that acknowledges an alarm.
fn acknowledge_line(model: &Model, inbox: &Inbox, fields: &Fields<'_>, alarm: &str, now: Timestamp) -> Result<Line, LineError> {
    if fields.signal.is_some() || fields.ack.is_some() {
        return Err(LineError::Json("'acknowledge' stands in a line of its own".to_owned()));
    }
    let own = fields.time.filter(|_| inbox.rules.clock == SourceClock::Source);
    let read = own.map_or(Ok(None), |raw| time(raw, &inbox.rules.times, now))?;
    let remark = own.zip(read).and_then(|(raw, (t, seen))| pass_of(raw, t, seen));
    let taken = match read {
        Some((t, _)) => t,
        None => receipt(&inbox.rules.times, now)?,
    };
    // Nobody has seen an alarm that is still to come: a clock that runs ahead acknowledges when it is received.
    let (signal, sample) = acknowledgement(model, alarm, fields.by.as_ref(), taken.min(now), now)?;
    Ok(Line::Sample(signal, sample, remark.map(Remark::Pass)))
}

/// Says what to send instead of NaN, which many programs write and no JSON knows.
fn no_json(line: &str, error: &serde_json::Error) -> LineError {
    let plain: String = line.chars().filter(|c| !c.is_whitespace()).take(4_096).flat_map(char::to_lowercase).collect();
    let none = [":nan", ":-nan", ":inf", ":-inf"].iter().any(|word| plain.contains(word));
    let help = if none { "; JSON has no NaN and no Infinity: send null where there is no value" } else { "" };
    LineError::Json(format!("{error}{help}"))
}

/// An acknowledgement of an alarm as the sample that keeps it: who, at `taken`, entered by a person.
///
/// # Errors
/// [`LineError::Alarm`] where no such alarm has to be acknowledged, [`LineError::By`] where `by` is no name.
pub fn acknowledgement(
    model: &Model,
    alarm: &str,
    by: Option<&serde_json::Value>,
    taken: Timestamp,
    now: Timestamp,
) -> Result<(SignalIndex, Sample), LineError> {
    let signal = model.find_alarm(alarm).and_then(|alarm| model.acknowledgements(alarm));
    let signal = signal.ok_or_else(|| LineError::Alarm(alarm.to_owned()))?;
    let by = match by {
        None => "",
        Some(by) => by.as_str().filter(|by| by.len() <= BY).ok_or(LineError::By)?,
    };
    let value = Value::text(if by.trim().is_empty() { "somebody" } else { by.trim() });
    Ok((signal, Sample { received_time: now, flags: Flags::MANUAL, ..Sample::new(taken, value) }))
}

fn ack_name(ack: serde_json::Value) -> Result<Line, LineError> {
    let fits = ack.is_i64() || ack.is_u64() || ack.as_str().is_some_and(|text| text.len() <= ACK_NAME);
    if fits { Ok(Line::Ack(ack)) } else { Err(LineError::Ack) }
}

/// What is no value of the signal is a reading without one, as in a table: were it refused, the one before it would stay on the
/// screen as if it were current.
fn value(raw: &RawValue, kind: ValueKind) -> Cell {
    static RULES: LazyLock<CellRules> = LazyLock::new(CellRules::default);
    let read = |text: &str| RULES.read(text, kind, &mut Texts::default());
    match (kind, scalar(raw)) {
        (_, Scalar::Null) => Cell::Absent(Quality::BAD),
        // A text is what its sender wrote, with its blanks, and empty ones are texts; what fills it up to a width is none of it.
        (ValueKind::Text, Scalar::Text(text)) => Cell::Value(Value::text(text.trim_end_matches('\0'))),
        (_, Scalar::Other) => Cell::Unreadable(Unreadable::Kind(kind)),
        (_, Scalar::Text(text)) => read(&text),
        (_, Scalar::Literal(text)) => read(text),
    }
}

/// What stands in the line, without the quotes of a text.
fn shown(raw: &RawValue) -> String {
    match scalar(raw) {
        Scalar::Text(text) => text.into_owned(),
        _ => raw.get().to_owned(),
    }
}

/// The time of receipt as the time of a reading: not by a clock that was never set (machines without a battery begin in 1970), or history would begin
/// there for good.
pub(crate) fn receipt(rules: &TimeSpec, now: Timestamp) -> Result<Timestamp, LineError> {
    if rules.years.contains(now) { Ok(now) } else { Err(LineError::Clock(now, rules.years)) }
}

/// The time that a sender wrote, and what was special about it; `None` for null.
fn time(raw: &RawValue, rules: &TimeSpec, now: Timestamp) -> Result<Option<(Timestamp, TimeCounts)>, LineError> {
    static MICROS: TimeFormat = TimeFormat::Epoch(Unit::Micros);
    static TEXT: TimeFormat = TimeFormat::Rfc3339;
    let number = matches!(rules.format, TimeFormat::Epoch(_) | TimeFormat::Seconds { .. } | TimeFormat::Serial(_));
    let (text, format) = match scalar(raw) {
        Scalar::Literal(text) => (Cow::Borrowed(text), if number { &rules.format } else { &MICROS }),
        // Digits are digits, in quotes or not, as in a table; other texts are RFC 3339 where times are declared to be numbers.
        Scalar::Text(text) => {
            let format = if number && !rules.fits(&text) { &TEXT } else { &rules.format };
            (text, format)
        }
        Scalar::Null => return Ok(None),
        Scalar::Other => return Err(LineError::Time(for_sender("a time is a text or a number", rules))),
    };
    match rules.read_near_in(format, &text, now) {
        Ok(found) => Ok(Some(found)),
        Err(fault) => {
            let spec = TimeSpec { format: format.clone(), ..rules.clone() };
            Err(LineError::Time(for_sender(&spec.explain(&text, &fault), rules)))
        }
    }
}

/// A fault of a time in words for a sender, who can send something else and can't change the site file: both are said.
fn for_sender(words: &str, rules: &TimeSpec) -> String {
    let words = words
        .replace(": write format = ", " as ")
        .replace("write years = [\u{2026}] under [site]", "the plant's site file has to allow it (years under [site])")
        .replace("or say which zone it is in", "or let the plant's site file name its zone (zone of the source)");
    let format = &rules.format;
    let instead = match format {
        TimeFormat::Rfc3339 => "RFC 3339 with an offset, or a number of microseconds since 1970".to_owned(),
        TimeFormat::Pattern(pattern) => format!("a text as {}, or a number of microseconds since 1970", pattern.as_str()),
        TimeFormat::Epoch(unit) => format!("RFC 3339 with an offset, or a number of {} since 1970", unit.words()),
        TimeFormat::Seconds { origin } => format!("RFC 3339 with an offset, or a number of seconds since {origin}"),
        TimeFormat::Serial(_) => format!("RFC 3339 with an offset, or the day number of a spreadsheet ({})", format.as_str()),
    };
    format!("{words}; send {instead}; the plant's site file decides how times are written (time.format of the source)")
}

/// Words for a time without an offset: whose clock it is taken for.
fn clock_of(raw: &RawValue, rules: &TimeSpec) -> Option<String> {
    Some(format!(
        "{} has no offset; such times are read as {}, as the site file says, and this is said once",
        twin_table::quoted(&shown(raw)),
        rules.zone.as_ref()?.as_str()
    ))
}

/// Words for a time of an hour that came twice: single readings have no order that would tell which pass it was.
fn pass_of(raw: &RawValue, t: Timestamp, seen: TimeCounts) -> Option<String> {
    (seen.folds > 0).then(|| {
        format!(
            "{} is of an hour that came twice and has no offset, so that it is a guess: it is taken for {t}, the later pass that \
             is not in the future; send times with an offset, and this is said once",
            twin_table::quoted(&shown(raw))
        )
    })
}

/// A quality, and a remark where it is none that is known.
fn quality(raw: &RawValue, rules: &SenderRules, id: &str) -> Result<(Quality, Option<String>), LineError> {
    let text = match scalar(raw) {
        Scalar::Null => return Ok((Quality::GOOD, None)),
        Scalar::Text(text) => text,
        Scalar::Literal(text) => Cow::Borrowed(text),
        Scalar::Other => return Err(LineError::Quality(raw.get().chars().take(40).collect())),
    };
    let read = rules.qualities.read(&text);
    match read {
        ReadQuality::Known(quality) => Ok((quality, None)),
        ReadQuality::Unknown(quality) => Ok((quality, read.words(&text).map(|words| format!("{id}: {words}")))),
        // 192 is good there and 0 is bad: no number of this sender means what it would mean here.
        ReadQuality::LooksLikeOpcDa => Err(LineError::Quality(text.into_owned())),
    }
}

//! One line of JSON from a sender: a sample, or the wish to be told when what came before is safe.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use twin_model::limits::TEXT_BYTES;
use twin_model::{Flags, Model, Quality, Sample, SignalIndex, Timestamp, Value, ValueKind};

use super::inbox::{Inbox, Refusal};

/// Bytes of the name that a sender gives an acknowledgement.
const ACK_NAME: usize = 256;

/// Why a line of `/ingest` was dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No JSON object with `signal` and `value`, and none with `ack`.
    #[error("not a sample: {0}; write {{\"signal\": \"pump-01.flow\", \"value\": 21.37}}")]
    Json(String),
    /// The site has no such signal, or another source feeds it.
    #[error("signal '{0}' is not fed by this source; check the site file")]
    Signal(String),
    /// The value does not fit the signal.
    #[error("the value of '{0}' must be {1}")]
    Value(String, &'static str),
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
    /// The time makes no sense.
    #[error("'{0}' is not a time; write RFC 3339 with an offset, or microseconds since 1970")]
    Time(String),
    /// The quality makes no sense.
    #[error("'{0}' is not a quality; write good, uncertain, bad, or the upper 16 bits of a StatusCode")]
    Quality(String),
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
            Self::Json(_) | Self::Ack => Refusal::Line,
            Self::Signal(_) => Refusal::Signal,
            Self::Value(..) => Refusal::Value,
            Self::Large { .. } => Refusal::Large,
            Self::Time(_) => Refusal::Time,
            Self::Quality(_) => Refusal::Quality,
        }
    }
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A sample, received now.
    Sample(SignalIndex, Sample),
    /// Asks for an answer with this name, an integer or a text.
    Ack(serde_json::Value),
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    signal: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    value: Option<serde_json::Value>,
    #[serde(default)]
    time: Option<serde_json::Value>,
    #[serde(default)]
    quality: Option<serde_json::Value>,
    #[serde(default)]
    ack: Option<serde_json::Value>,
}

/// `null` is a value; only a field that is not there is none.
fn present<'a, D: Deserializer<'a>>(from: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(from).map(Some)
}

/// Reads one line of a sender of `inbox`.
///
/// # Errors
/// [`LineError`], written for the sender.
pub fn read_line(model: &Model, inbox: &Inbox, line: &str, now: Timestamp) -> Result<Line, LineError> {
    let fields: Fields<'_> = serde_json::from_str(line).map_err(|e| LineError::Json(e.to_string()))?;
    let (name, given) = match (fields.signal, fields.value, fields.ack) {
        (Some(name), Some(value), None) => (name, value),
        (None, None, Some(ack)) => return ack_name(ack),
        (_, _, Some(_)) => return Err(LineError::Json("'ack' stands in a line of its own".to_owned())),
        (None, ..) => return Err(LineError::Json("missing field `signal`".to_owned())),
        (_, None, _) => return Err(LineError::Json("missing field `value`".to_owned())),
    };
    let signal = inbox.find(model, &name).ok_or_else(|| LineError::Signal(name.clone().into_owned()))?;
    let quality = fields.quality.map_or(Ok(Quality::GOOD), |q| quality(&q))?;
    let kind = model.signal(signal).value_kind;
    let source_time = fields.time.map_or(Ok(now), |t| time(&t))?;
    if given.is_null() {
        let sample = Sample { received_time: now, ..Sample::without_value(source_time, kind, quality) };
        return Ok(Line::Sample(signal, sample));
    }
    let (value, flags) = (value(&given, kind, &name)?, Flags::NONE);
    if let Some(error) = LineError::of_size(&value, model.signal(signal).id.as_str()) {
        return Err(error);
    }
    Ok(Line::Sample(signal, Sample { source_time, received_time: now, value, quality, flags }))
}

fn ack_name(ack: serde_json::Value) -> Result<Line, LineError> {
    let fits = ack.is_i64() || ack.is_u64() || ack.as_str().is_some_and(|text| text.len() <= ACK_NAME);
    if fits { Ok(Line::Ack(ack)) } else { Err(LineError::Ack) }
}

fn value(json: &serde_json::Value, kind: ValueKind, id: &str) -> Result<Value, LineError> {
    let whole = |v: f64| (v.fract() == 0.0 && v.abs() < 9e15).then_some(v as i64);
    let (fits, wanted) = match kind {
        ValueKind::Float => (json.as_f64().map(Value::Float), "a number"),
        ValueKind::Int => (json.as_i64().or_else(|| json.as_f64().and_then(whole)).map(Value::Int), "a whole number"),
        ValueKind::Bool => {
            let number = json.as_i64().filter(|v| matches!(v, 0 | 1)).map(|v| v == 1);
            (json.as_bool().or(number).map(Value::Bool), "true or false")
        }
        ValueKind::Text => (json.as_str().map(Value::text), "a text"),
    };
    fits.ok_or_else(|| LineError::Value(id.to_owned(), wanted))
}

fn time(json: &serde_json::Value) -> Result<Timestamp, LineError> {
    let micros = json.as_i64().map(Timestamp::from_micros);
    let text = || json.as_str().and_then(|text| text.parse().ok());
    micros.or_else(text).ok_or_else(|| LineError::Time(json.to_string()))
}

fn quality(json: &serde_json::Value) -> Result<Quality, LineError> {
    let number = |number: u64| match u16::try_from(number) {
        Ok(bits) => Some(Quality::from_bits(bits)),
        Err(_) => u32::try_from(number).ok().map(Quality::from_status_code),
    };
    let bits = json.as_u64().and_then(number);
    let name = || json.as_str().and_then(Quality::parse);
    bits.or_else(name).ok_or_else(|| LineError::Quality(json.to_string()))
}

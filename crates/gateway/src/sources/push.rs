//! Samples that others push in as JSON lines: the inbox that `/ingest` fills and the source that empties it.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use twin_model::{Flags, Model, Quality, Sample, SignalIndex, SourceIndex, TimeRange, Timestamp, Value, ValueKind};
use twin_protocol::LinkState;

use super::{Polled, Source};

/// Samples that may wait between two polls; senders are told to slow down beyond it.
const INBOX: usize = 200_000;

/// Senders of one source at a time.
const SENDERS: usize = 64;

#[derive(Default)]
struct Box_ {
    samples: Vec<(SignalIndex, Sample)>,
    senders: usize,
    ever: bool,
}

/// Where `/ingest` puts samples of one source. Bounded: a full inbox refuses.
#[derive(Clone)]
pub struct Inbox {
    /// The source.
    pub source: SourceIndex,
    inner: Arc<Mutex<Box_>>,
}

/// Why a line of `/ingest` was dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No JSON object with `signal` and `value`.
    #[error("not a sample: {0}; write {{\"signal\": \"pump-01.flow\", \"value\": 21.37}}")]
    Json(String),
    /// The site has no such signal, or another source feeds it.
    #[error("signal '{0}' is not fed by this source; check the site file")]
    Signal(String),
    /// The value does not fit the signal.
    #[error("the value of '{0}' must be {1}")]
    Value(String, &'static str),
    /// The time makes no sense.
    #[error("'{0}' is not a time; write RFC 3339 with an offset, or microseconds since 1970")]
    Time(String),
    /// The quality makes no sense.
    #[error("'{0}' is not a quality; write good, uncertain, bad, or the upper 16 bits of a StatusCode")]
    Quality(String),
    /// Too many samples wait.
    #[error("too many samples at once; wait a moment and send again")]
    Full,
}

#[derive(Deserialize)]
struct Line {
    signal: String,
    value: serde_json::Value,
    #[serde(default)]
    time: Option<serde_json::Value>,
    #[serde(default)]
    quality: Option<serde_json::Value>,
}

impl Inbox {
    /// An empty inbox for a source.
    pub fn new(source: SourceIndex) -> Self {
        Self { source, inner: Arc::default() }
    }

    /// Reads one line and keeps its sample.
    ///
    /// # Errors
    /// [`LineError`], written for the sender.
    pub fn line(&self, model: &Model, line: &str, now: Timestamp) -> Result<(), LineError> {
        let (signal, sample) = parse(model, self.source, line, now)?;
        let mut inner = self.lock();
        if inner.samples.len() >= INBOX {
            return Err(LineError::Full);
        }
        inner.samples.push((signal, sample));
        Ok(())
    }

    /// Counts a sender in; false where there are too many.
    pub fn come(&self) -> bool {
        let mut inner = self.lock();
        let welcome = inner.senders < SENDERS;
        inner.senders += usize::from(welcome);
        inner.ever |= welcome;
        welcome
    }

    /// Counts a sender out that was counted in.
    pub fn go(&self) {
        let mut inner = self.lock();
        inner.senders = inner.senders.saturating_sub(1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Box_> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(model: &Model, source: SourceIndex, line: &str, now: Timestamp) -> Result<(SignalIndex, Sample), LineError> {
    let line: Line = serde_json::from_str(line).map_err(|e| LineError::Json(e.to_string()))?;
    let known = model.find_signal(&line.signal).filter(|s| model.signal(*s).source.is_none_or(|s| s == source));
    let by_key =
        || model.signal_indices().find(|s| model.signal(*s).source == Some(source) && model.signal(*s).source_key == line.signal);
    let signal = known.or_else(by_key).ok_or_else(|| LineError::Signal(line.signal.clone()))?;
    let quality = line.quality.map_or(Ok(Quality::GOOD), |q| quality(&q))?;
    let (value, flags) = if line.value.is_null() {
        (placeholder(model.signal(signal).value_kind), Flags::NULL)
    } else {
        (value(&line.value, model.signal(signal).value_kind, &line.signal)?, Flags::NONE)
    };
    let source_time = line.time.map_or(Ok(now), |t| time(&t))?;
    Ok((signal, Sample { source_time, received_time: now, value, quality, flags }))
}

fn placeholder(kind: ValueKind) -> Value {
    match kind {
        ValueKind::Float => Value::Float(0.0),
        ValueKind::Int => Value::Int(0),
        ValueKind::Bool => Value::Bool(false),
        ValueKind::Text => Value::text(""),
    }
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
    let bits = json.as_u64().and_then(|bits| u16::try_from(bits).ok()).map(Quality::from_bits);
    let name = || json.as_str().and_then(Quality::parse);
    bits.or_else(name).ok_or_else(|| LineError::Quality(json.to_string()))
}

/// Empties an [`Inbox`]. Its link is up while a sender is connected.
pub struct PushSource {
    inbox: Inbox,
}

impl PushSource {
    /// The source of an inbox.
    pub fn new(inbox: Inbox) -> Self {
        Self { inbox }
    }
}

impl Source for PushSource {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn poll(&mut self, _: Timestamp, out: &mut Polled) {
        let mut inner = self.inbox.lock();
        out.samples.append(&mut inner.samples);
        let (state, detail) = match (inner.senders, inner.ever) {
            (0, false) => (LinkState::Unknown, "waiting for a sender at /ingest"),
            (0, true) => (LinkState::Down, "the sender has gone"),
            _ => (LinkState::Up, ""),
        };
        out.links.push((self.inbox.source, state, detail.to_owned()));
    }
}

//! From the messages of one sender to samples and complaints. Knows no socket and waits for nothing.

use std::cell::Cell;
use std::collections::BTreeSet;

use twin_model::{Flags, Sample, Secret, SignalId, SignalIndex, Span, Timestamp, Value, limits};
use twin_protocol::{Batch, Entry, IngestAck, IngestFrame, Limits, ProtocolError, decode_ingest};
use twin_site::SourceClock;

use super::Answer;
use super::seen::{Alarms, not_a_sample};
use crate::app::App;
use crate::hub::add;
use crate::sources::{Inbox, Line, LineError, Refusal, Remark, read_line, receipt};

/// Lines of one message.
const LINES: usize = limits::MESSAGE_LINES;
/// Bytes of one message of lines.
const BYTES: usize = limits::MESSAGE_BYTES;
/// Bytes of a line that asks for an answer: a name of 256 bytes, each of them escaped.
const QUESTION: usize = 2_048;
/// Complaints answered per message; the rest is counted.
const COMPLAINTS: usize = 20;
/// Letters of a name that a complaint repeats: answers wait, and a sender may have called anything by any name.
const NAME: usize = 100;
/// Unknown signals of one connection for which a similar name is looked for: each costs a pass over all names.
const SUGGESTIONS: u8 = 3;
/// Remarks to one connection about keys that nobody reads: one for each line with keys that were not named before.
const KEY_SETS: u8 = 16;
/// Flags that a sender may set; others have no meaning yet.
const FLAGS: u8 = Flags::HISTORICAL.0 | Flags::SIMULATED.0 | Flags::PREDICTED.0 | Flags::MANUAL.0 | Flags::NULL.0;

/// Why store-and-forward data and predictions are refused of a source whose times are not read.
const UNTIMED: &str = "stored data and predictions say nothing without their time, and times of this source are not read \
                       (clock = \"received\" in the site file); send them to a source with clock = \"source\"";

/// What a message came to.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) samples: Vec<(SignalIndex, Sample)>,
    /// Of the samples: those that the store will keep aside, which counts as refused.
    pub(super) aside: u64,
    /// Answers that are due once the samples are safe.
    pub(super) answers: Vec<Answer>,
    /// Lines to be answered at once.
    pub(super) complaints: Vec<String>,
    /// About the line at hand: it is taken, but its sender should know something.
    pub(super) remark: Option<String>,
    /// It had to wait for room.
    pub(super) held: bool,
}

/// Lines of a message beyond what it may hold.
struct Beyond {
    /// The first of them, from 1.
    line: usize,
    /// Its bytes.
    bytes: usize,
    /// There are too many lines; else too many bytes.
    by_lines: bool,
    lines: u64,
}

impl Beyond {
    fn words(&self) -> String {
        let limit = if self.by_lines { format!("{LINES} lines") } else { format!("{BYTES} bytes") };
        let what = if self.lines == 1 && self.bytes > BYTES {
            format!("this line of {} bytes is", self.bytes)
        } else {
            format!("{} from this one on are", self.lines)
        };
        format!("a message may have {limit}; {what} not taken: send smaller messages")
    }
}

/// What a position of the sender's dictionary stands for.
enum Known {
    Ours(SignalIndex),
    /// No signal of this source.
    Unknown(SignalId),
    /// Holds who acknowledged an alarm, which is no sample.
    Acknowledged(SignalId),
}

/// What is known about one sender.
pub(super) struct Taker<'a> {
    app: &'a App,
    inbox: &'a Inbox,
    alarms: Alarms<'a>,
    /// A source time this far, in microseconds, after its receipt is no history.
    future_limit: i64,
    dictionary: Vec<Known>,
    /// Samples taken and refused since the last `{"ack": ...}`.
    taken: u64,
    refused: u64,
    binary: bool,
    /// The sender knows how its times without an offset are read.
    told_clock: bool,
    /// And that its times of an hour that came twice are guesses.
    told_pass: bool,
    /// And which of its keys nobody reads.
    told_keys: BTreeSet<String>,
    /// Remarks that this took, see [`KEY_SETS`].
    told_sets: u8,
    /// Names that were looked for, see [`SUGGESTIONS`].
    suggested: Cell<u8>,
}

impl<'a> Taker<'a> {
    pub(super) fn new(app: &'a App, inbox: &'a Inbox, alarms: Alarms<'a>) -> Self {
        let future_limit = app.hub.with_store(|store| store.config().future_limit.as_micros());
        Self {
            app,
            inbox,
            alarms,
            future_limit,
            dictionary: Vec::new(),
            taken: 0,
            refused: 0,
            binary: false,
            told_clock: false,
            told_pass: false,
            told_keys: BTreeSet::new(),
            told_sets: 0,
            suggested: Cell::new(0),
        }
    }

    /// Whether the sender ever spoke in frames.
    pub(super) fn binary(&self) -> bool {
        self.binary
    }

    /// Lines of JSON.
    pub(super) fn lines(&mut self, text: &str) -> Taken {
        let mut now = self.app.clock.now();
        let mut out = Taken::default();
        let (mut bad, mut end) = (0_u64, 0);
        let mut beyond: Option<Beyond> = None;
        for (at, whole) in text.split_inclusive('\n').enumerate() {
            end += whole.len();
            let line = whole.trim();
            // Who a sender is was settled before; what it says of that is never repeated.
            if line.is_empty() || token_line(line).is_some() {
                continue;
            }
            if beyond.is_some() || at >= LINES || end > BYTES {
                if !self.asks(line, now, &mut out) {
                    let first = Beyond { line: at + 1, bytes: whole.len(), by_lines: at >= LINES, lines: 0 };
                    beyond.get_or_insert(first).lines += 1;
                    self.refused += 1;
                }
                continue;
            }
            let before = out.samples.len();
            let complaint = self.line(line, now, &mut out);
            if out.samples.get(before).is_some_and(|(signal, _)| self.alarms.are_acknowledged_by(*signal)) {
                // What comes after it in the message comes later: an alarm that rises there was acknowledged by nobody.
                now = now + Span::from_micros(1);
            }
            if let Some(words) = out.remark.take()
                && out.complaints.len() < COMPLAINTS
            {
                out.complaints.push(serde_json::json!({ "warning": words, "line": at + 1 }).to_string());
            }
            let Some((why, words)) = complaint else { continue };
            bad += 1;
            self.refused += 1;
            self.inbox.counts().refuse(why, 1);
            if out.complaints.len() < COMPLAINTS {
                out.complaints.push(serde_json::json!({ "error": words, "line": at + 1 }).to_string());
            }
        }
        if let Some(beyond) = beyond {
            bad += beyond.lines;
            self.inbox.counts().refuse(Refusal::Line, beyond.lines);
            // Said whatever else was said: it is about more than one line.
            out.complaints.push(serde_json::json!({ "error": beyond.words(), "line": beyond.line }).to_string());
        }
        add(&self.app.hub.totals.bad_lines, bad);
        out
    }

    /// Whether a line beyond what a message may hold is a question: that gets its answer, or its sender would wait for ever.
    fn asks(&mut self, line: &str, now: Timestamp, out: &mut Taken) -> bool {
        let question = out.answers.len() < LINES
            && line.len() <= QUESTION
            && line.contains("\"ack\"")
            && matches!(read_line(self.app.hub.model(), self.inbox, line, now), Ok(Line::Ack(_)));
        question && self.line(line, now, out).is_none()
    }

    fn line(&mut self, line: &str, now: Timestamp, out: &mut Taken) -> Option<(Refusal, String)> {
        let read = read_line(self.app.hub.model(), self.inbox, line, now);
        if let Some(why) = &self.inbox.refuses
            && !matches!(read, Ok(Line::Ack(_)))
        {
            // What is wrong with a line can't be told, either.
            let name = match &read {
                Ok(Line::Sample(signal, ..)) => format!("{}: ", self.app.hub.model().signal(*signal).id.as_str()),
                _ => String::new(),
            };
            return Some((Refusal::Line, format!("{name}{why}")));
        }
        match read {
            Err(LineError::Signal(name)) => return Some((Refusal::Signal, self.unknown(&name))),
            Err(error) => return Some((error.refusal(), error.to_string())),
            Ok(Line::Ack(name)) => {
                let (taken, refused) = (std::mem::take(&mut self.taken), std::mem::take(&mut self.refused));
                out.answers.push(Answer::Line { name, taken, refused });
            }
            Ok(Line::Sample(signal, sample, remark)) => {
                // Entered by a person: a line that acknowledges, as no other can say that.
                if self.alarms.are_acknowledged_by(signal)
                    && let Err(words) = self.alarms.take(signal, sample.flags.has(Flags::MANUAL))
                {
                    return Some((Refusal::Signal, words));
                }
                out.remark = remark.filter(|remark| self.news(remark)).map(|remark| remark.words().into_owned());
                let aside = self.aside(&sample).map(|words| {
                    let model = self.app.hub.model();
                    (Refusal::Future, format!("{}: {words}", model.signal(signal).id.as_str()))
                });
                // The store keeps it aside and counts it, so that a person can look at it there.
                out.samples.push((signal, sample));
                self.taken += u64::from(aside.is_none());
                out.aside += u64::from(aside.is_some());
                return aside;
            }
        }
        None
    }

    /// Whether a remark says something that the sender was not told before.
    fn news(&mut self, remark: &Remark) -> bool {
        match remark {
            Remark::Line(_) => true,
            Remark::Clock(_) => !std::mem::replace(&mut self.told_clock, true),
            Remark::Pass(_) => !std::mem::replace(&mut self.told_pass, true),
            Remark::Keys(keys) => {
                let news = self.told_sets < KEY_SETS && keys.iter().any(|key| !self.told_keys.contains(key));
                if news {
                    self.told_sets += 1;
                    self.told_keys.extend(keys.iter().cloned());
                }
                news
            }
        }
    }

    /// A complaint about a name, with the one that may be meant.
    fn unknown(&self, name: &str) -> String {
        let complaint = LineError::Signal(name.to_owned()).to_string();
        let model = self.app.hub.model();
        if let Some(signal) = model.find_signal(name).filter(|signal| model.is_computed(*signal)) {
            return format!(
                "'{}' is computed from other signals and takes no samples; send those",
                model.signal(signal).id.as_str()
            );
        }
        let source = model.find_signal(name).and_then(|signal| model.sources().get(model.signal(signal).source?.at()));
        if let Some(source) = source {
            return format!("{complaint}: it is fed by '{0}'; connect with ?source={0} to send it", source.id);
        }
        if self.suggested.get() >= SUGGESTIONS {
            return complaint;
        }
        self.suggested.set(self.suggested.get() + 1);
        match self.inbox.similar(model, name) {
            Some(meant) => format!("{complaint}; did you mean '{meant}'?"),
            None => complaint,
        }
    }

    /// A frame of the binary form.
    pub(super) fn frame(&mut self, bytes: &[u8]) -> Result<Taken, ProtocolError> {
        self.binary = true;
        match decode_ingest(bytes, &Limits::INGEST_FRAMES)? {
            IngestFrame::Dictionary(signals) => {
                let model = self.app.hub.model();
                let known = |id: SignalId| match self.inbox.find(model, id.as_str()) {
                    Some(signal) if self.alarms.are_acknowledged_by(signal) => Known::Acknowledged(id),
                    Some(signal) => Known::Ours(signal),
                    None => Known::Unknown(id),
                };
                self.dictionary = signals.into_iter().map(known).collect();
                Ok(Taken::default())
            }
            IngestFrame::Push(batch) => Ok(self.push(batch)),
        }
    }

    fn push(&self, batch: Batch) -> Taken {
        let now = self.app.clock.now();
        let mut ack = IngestAck { seq: batch.seq, ..IngestAck::default() };
        if let Some(why) = &self.inbox.refuses {
            ack.refused = batch.entries.len() as _;
            self.inbox.counts().refuse(Refusal::Line, batch.entries.len() as u64);
            complain(&mut ack, || why.to_string());
            return Taken { answers: vec![Answer::Push(ack)], ..Taken::default() };
        }
        let mut unknown = (None, 0);
        let (mut large, mut texts, mut implausible) = (0, 0, 0);
        let mut samples = Vec::with_capacity(batch.entries.len());
        for Entry { id, sample } in batch.entries {
            let known = self.dictionary.get(id.0 as usize);
            let Some(Known::Ours(signal)) = known else {
                // Samples are sorted by id: one complaint for each.
                if unknown.0 != Some(id) {
                    complain(&mut ack, || match known {
                        Some(Known::Unknown(id)) => self.unknown(&shortened(id.as_str())),
                        Some(Known::Acknowledged(id)) => not_a_sample(&shortened(id.as_str())),
                        _ => format!("id {} is beyond the {} signals of the dictionary", id.0, self.dictionary.len()),
                    });
                }
                unknown = (Some(id), unknown.1 + 1);
                ack.refused += 1;
                continue;
            };
            let signal = *signal;
            if let Some(words) = self.too_large(signal, &sample.value, &mut texts) {
                complain(&mut ack, || words);
                ack.refused += 1;
                large += 1;
                continue;
            }
            let Some(sample) = self.timed(signal, sample, now, &mut ack) else {
                ack.refused += 1;
                implausible += 1;
                continue;
            };
            if let Some(words) = self.aside(&sample) {
                complain(&mut ack, || format!("{}: {words}", self.app.hub.model().signal(signal).id.as_str()));
                ack.refused += 1;
            } else {
                ack.taken += 1;
            }
            samples.push((signal, sample));
        }
        self.inbox.counts().refuse(Refusal::Signal, unknown.1);
        self.inbox.counts().refuse(Refusal::Large, large);
        self.inbox.counts().refuse(Refusal::Time, implausible);
        let aside = ack.refused - unknown.1 - large - implausible;
        self.inbox.counts().refuse(Refusal::Future, aside);
        Taken { samples, aside, answers: vec![Answer::Push(ack)], ..Taken::default() }
    }

    /// A sample of a push with the times that count here; `None`, and a complaint, where it has none.
    fn timed(&self, signal: SignalIndex, sample: Sample, now: Timestamp, ack: &mut IngestAck) -> Option<Sample> {
        let rules = &self.inbox.rules;
        let flags = Flags(sample.flags.0 & FLAGS);
        if rules.clock == SourceClock::Received {
            if sample.flags.has(Flags::HISTORICAL) || sample.flags.has(Flags::PREDICTED) {
                complain(ack, || UNTIMED.to_owned());
                return None;
            }
            if let Err(error) = receipt(&rules.times, now) {
                complain(ack, || error.to_string());
                return None;
            }
            // Both are the same then, so that none of these is ever kept aside.
            let (source_time, received_time) = self.inbox.received(signal, now);
            return Some(Sample { source_time, received_time, flags, ..sample });
        }
        let years = rules.times.years;
        if !years.contains(sample.source_time) {
            complain(ack, || {
                format!(
                    "{} is not within the years {years} of the plant's site file; frames hold microseconds since 1970",
                    sample.source_time
                )
            });
            return None;
        }
        Some(Sample { received_time: now, flags, ..sample })
    }

    /// Words where a value of a push is larger than what can be kept; `texts` counts the bytes of its texts so far, each as
    /// often as it occurs.
    fn too_large(&self, signal: SignalIndex, value: &Value, texts: &mut usize) -> Option<String> {
        let Value::Text(text) = value else { return None };
        let id = || self.app.hub.model().signal(signal).id.as_str();
        if let Some(error) = LineError::of_size(value, id()) {
            return Some(error.to_string());
        }
        *texts = texts.saturating_add(text.len());
        (*texts > limits::PUSH_TEXT_BYTES).then(|| {
            format!(
                "{}: the texts of this push have more than {} bytes, each counted as often as it occurs; send fewer in one push",
                id(),
                limits::PUSH_TEXT_BYTES
            )
        })
    }

    /// Words where the store will not take a sample into history, by the store's own rule.
    fn aside(&self, sample: &Sample) -> Option<String> {
        let ahead = sample.source_time.as_micros().saturating_sub(sample.received_time.as_micros());
        (ahead > self.future_limit && !sample.flags.has(Flags::PREDICTED)).then(|| {
            let whose = if receipt(&self.inbox.rules.times, sample.received_time).is_ok() {
                "set the clock".to_owned()
            } else {
                format!("that was never set, it says {}", sample.received_time)
            };
            format!("{} is {} s ahead of this server's clock; {whose}", sample.source_time, ahead / 1_000_000)
        })
    }
}

/// The token of a line `{"token": "..."}`.
pub(super) fn token_line(line: &str) -> Option<Secret> {
    #[derive(serde::Deserialize)]
    struct Fields {
        token: String,
    }
    // Looked at before every sample: the cheap question first.
    let inside = line.trim_start().strip_prefix('{')?.trim_start();
    let fields: Fields = inside.starts_with("\"token\"").then(|| serde_json::from_str(line).ok())??;
    Some(Secret::new(fields.token))
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}...", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

fn complain(ack: &mut IngestAck, words: impl FnOnce() -> String) {
    if ack.reasons.len() < COMPLAINTS {
        ack.reasons.push(words());
    }
}

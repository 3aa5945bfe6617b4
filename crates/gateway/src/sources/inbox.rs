//! Where `/ingest` puts samples until the pump takes them: bounded, in order of arrival, and able to say in which batch
//! they ended up. Knows nothing of sockets and of how samples are written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;
use twin_model::{Model, Sample, Signal, SignalIndex, SourceIndex, Timestamp, Value, limits};
use twin_site::SourceClock;
use twin_site::diag::closest;
use twin_table::{Codes, QualityReader, TimeFormat, TimeSpec};

use super::Wake;
use super::stamps::Stamps;

/// Samples that may wait between two polls. Beyond it, or beyond [`ROOM_BYTES`], senders wait, which their sockets tell them
/// (TCP back-pressure).
const ROOM: usize = limits::INBOX_SAMPLES;
/// Bytes of texts that may wait.
const ROOM_BYTES: usize = limits::INBOX_TEXT_BYTES;

/// Why a sample of a sender was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The line was no sample at all, or one too many in its message.
    Line,
    /// The site has no such signal, or another source feeds it.
    Signal,
    /// The time makes no sense.
    Time,
    /// The quality makes no sense.
    Quality,
    /// Too far in the future: kept aside by the store, not in history.
    Future,
    /// Larger than what can be kept.
    Large,
}

impl Refusal {
    /// All, in the order of [`IngestCounts::refused`].
    pub const ALL: [Self; 6] = [Self::Line, Self::Signal, Self::Time, Self::Quality, Self::Future, Self::Large];

    /// Name on `/metrics`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Signal => "signal",
            Self::Time => "time",
            Self::Quality => "quality",
            Self::Future => "future",
            Self::Large => "large",
        }
    }
}

/// Totals of one source's senders, for `/metrics`.
#[derive(Debug, Default)]
pub struct IngestCounts {
    /// Samples taken.
    pub taken: AtomicU64,
    /// Samples refused, by the position of [`Refusal::ALL`].
    pub refused: [AtomicU64; Refusal::ALL.len()],
    /// Acknowledgements sent.
    pub acks: AtomicU64,
    /// Times that a sender had to wait because [`Inbox`] was full.
    pub waits: AtomicU64,
}

impl IngestCounts {
    /// Counts samples that were refused.
    pub(crate) fn refuse(&self, why: Refusal, n: u64) {
        if let Some(total) = Refusal::ALL.iter().position(|one| *one == why).and_then(|at| self.refused.get(at)) {
            total.fetch_add(n, Ordering::Relaxed);
        }
    }
}

/// How far the pump has come with an inbox. Positions count the samples ever put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The pump took everything up to here: there is room again.
    pub polled: u64,
    /// Everything up to here is in the store and in batches ...
    pub settled: u64,
    /// ... that are numbered up to this.
    pub seq: u64,
}

#[derive(Default)]
struct Waiting {
    samples: Vec<(SignalIndex, Sample)>,
    /// Bytes of their texts.
    bytes: usize,
    /// Samples ever put in.
    entered: u64,
    senders: usize,
    ever: bool,
    wake: Option<Wake>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    progress: watch::Sender<Progress>,
    names: OnceLock<HashMap<String, SignalIndex>>,
    /// The signal found last, by any sender.
    found: AtomicU32,
    counts: IngestCounts,
    stamps: Stamps,
}

/// See the module's head. Clones are the same inbox.
#[derive(Clone)]
pub struct Inbox {
    /// The source.
    pub source: SourceIndex,
    /// How its senders write times and qualities in lines.
    pub rules: Arc<SenderRules>,
    /// Why nothing of its senders is taken: how it is to be read is not known.
    pub refuses: Option<Arc<str>>,
    shared: Arc<Shared>,
}

/// How senders write what stands in lines.
#[derive(Debug, Clone, PartialEq)]
pub struct SenderRules {
    /// Times: numbers by their format, texts as RFC 3339.
    pub times: TimeSpec,
    /// What numbers for qualities mean.
    pub qualities: QualityReader,
    /// Whose clock counts: with that of receipt, no times of senders are read.
    pub clock: SourceClock,
}

impl Default for SenderRules {
    /// Microseconds, and OPC UA.
    fn default() -> Self {
        let times = TimeSpec { format: TimeFormat::Epoch(twin_table::time::Unit::Micros), ..TimeSpec::default() };
        Self { times, qualities: QualityReader::default(), clock: SourceClock::default() }
    }
}

impl Inbox {
    /// An empty inbox for a source.
    pub fn new(source: SourceIndex) -> Self {
        let shared = Shared {
            waiting: Mutex::default(),
            progress: watch::Sender::new(Progress::default()),
            names: OnceLock::new(),
            found: AtomicU32::new(u32::MAX),
            counts: IngestCounts::default(),
            stamps: Stamps::default(),
        };
        Self { source, rules: Arc::default(), refuses: None, shared: Arc::new(shared) }
    }

    /// The same inbox, whose senders write times and qualities so.
    #[must_use]
    pub fn reading(mut self, times: TimeSpec, codes: Codes) -> Self {
        self.rules = Arc::new(SenderRules { times, qualities: QualityReader { codes }, clock: self.rules.clock });
        self
    }

    /// The same inbox, for which this clock counts.
    #[must_use]
    pub fn by(mut self, clock: SourceClock) -> Self {
        self.rules = Arc::new(SenderRules { clock, ..SenderRules::clone(&self.rules) });
        self
    }

    /// The same inbox, which takes nothing, and why.
    #[must_use]
    pub fn refusing(mut self, why: &str) -> Self {
        self.refuses = Some(why.into());
        self
    }

    /// Source time and receive time of a reading that has no time of its own that counts: both are that of its receipt.
    pub(crate) fn received(&self, signal: SignalIndex, now: Timestamp) -> (Timestamp, Timestamp) {
        let stamp = self.shared.stamps.next(signal, now);
        (stamp, stamp)
    }

    /// The signal that a sender means: by its id, or by its key in this source. `None` where the site has none such or
    /// another source feeds it, or it is computed.
    pub fn find(&self, model: &Model, name: &str) -> Option<SignalIndex> {
        // Senders go through their signals in the site's order, again and again: a look at the next one is cheaper than a hash.
        let next = SignalIndex(self.shared.found.load(Ordering::Relaxed).wrapping_add(1));
        let is_next = |signal: &Signal| signal.id.as_str() == name && may_feed(self.source, model, next, signal);
        let found = if model.signals().get(next.0 as usize).is_some_and(is_next) {
            next
        } else {
            *self.shared.names.get_or_init(|| names(model, self.source)).get(name)?
        };
        self.shared.found.store(found.0, Ordering::Relaxed);
        Some(found)
    }

    /// What a name that [`Self::find`] does not know was probably meant to be; costs a pass over all signals.
    pub(crate) fn similar<'a>(&self, model: &'a Model, name: &str) -> Option<&'a str> {
        let all = model.signal_indices().map(|at| (at, model.signal(at)));
        let ours = all.filter(|(at, signal)| may_feed(self.source, model, *at, signal)).map(|(_, signal)| signal);
        closest(name, ours.flat_map(|signal| [Some(signal.id.as_str()), key_of(self.source, signal)].into_iter().flatten()))
    }

    /// Moves samples in and wakes the pump; gives the position behind them. `None` where too many wait: then nothing was
    /// moved, and [`Self::progress`] tells when to try again. One call may go beyond the bound by what it brings.
    pub fn put(&self, samples: &mut Vec<(SignalIndex, Sample)>) -> Option<u64> {
        let mut waiting = self.lock();
        if (waiting.samples.len() >= ROOM || waiting.bytes >= ROOM_BYTES) && !samples.is_empty() {
            return None;
        }
        waiting.bytes += samples.iter().map(|(_, sample)| text_bytes(sample)).sum::<usize>();
        waiting.entered += samples.len() as u64;
        waiting.samples.append(samples);
        if let Some(wake) = &waiting.wake {
            wake.wake();
        }
        Some(waiting.entered)
    }

    /// How far the pump is, and a wake-up when it goes on.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.shared.progress.subscribe()
    }

    /// Totals.
    pub fn counts(&self) -> &IngestCounts {
        &self.shared.counts
    }

    /// Counts a sender in; false where there are too many.
    pub fn come(&self) {
        let mut waiting = self.lock();
        waiting.senders += 1;
        waiting.ever = true;
    }

    /// Counts a sender out that was counted in.
    pub fn go(&self) {
        let mut waiting = self.lock();
        waiting.senders = waiting.senders.saturating_sub(1);
    }

    /// Senders now, and whether there ever was one.
    pub fn senders(&self) -> (usize, bool) {
        let waiting = self.lock();
        (waiting.senders, waiting.ever)
    }

    pub(super) fn wake_by(&self, wake: Wake) {
        self.lock().wake = Some(wake);
    }

    /// Moves everything out.
    pub(super) fn poll(&self, out: &mut Vec<(SignalIndex, Sample)>) {
        let mut waiting = self.lock();
        let polled = waiting.entered;
        waiting.bytes = 0;
        if out.is_empty() {
            std::mem::swap(out, &mut waiting.samples);
        } else {
            out.append(&mut waiting.samples);
        }
        drop(waiting);
        self.shared.progress.send_if_modified(|progress| std::mem::replace(&mut progress.polled, polled) != polled);
    }

    /// Everything polled so far is in batches up to `seq`.
    pub(super) fn settle(&self, seq: u64) {
        self.shared.progress.send_if_modified(|progress| {
            let before = progress.settled;
            // An older number stays right for older samples; the newer one would only make their answers late.
            if before != progress.polled {
                (progress.settled, progress.seq) = (progress.polled, seq);
            }
            before != progress.settled
        });
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a sample's text.
fn text_bytes(sample: &Sample) -> usize {
    if let Value::Text(text) = &sample.value { text.len() } else { 0 }
}

/// What senders may call the signals of a source; ids come before keys.
fn names(model: &Model, source: SourceIndex) -> HashMap<String, SignalIndex> {
    let mut names = HashMap::new();
    for index in model.signal_indices() {
        if let Some(key) = key_of(source, model.signal(index)) {
            names.entry(key.to_owned()).or_insert(index);
        }
    }
    let ours = model.signal_indices().filter(|index| may_feed(source, model, *index, model.signal(*index)));
    names.extend(ours.map(|index| (model.signal(index).id.as_str().to_owned(), index)));
    names
}

/// Whether a source may feed a signal: no other does, and it isn't computed.
fn may_feed(source: SourceIndex, model: &Model, index: SignalIndex, signal: &Signal) -> bool {
    signal.source.is_none_or(|of| of == source) && !model.is_computed(index)
}

/// What a signal is called in the source that feeds it, where that has a name of its own for it.
fn key_of(source: SourceIndex, signal: &Signal) -> Option<&str> {
    Some(signal.source_key.as_str()).filter(|key| !key.is_empty() && signal.source == Some(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(n: usize) -> Vec<(SignalIndex, Sample)> {
        (0..n).map(|at| (SignalIndex(0), Sample::float(Timestamp::from_secs(at as i64), 0.0))).collect()
    }

    #[test]
    fn a_signal_is_found_by_id_before_key_in_whatever_order_senders_ask() {
        // The key of the first is the id of the third; the fourth is of another source.
        let signal =
            |name: &str, of: &str, key: &str| format!("{{ name = \"{name}\", source = \"{of}\", source_key = \"{key}\" }}");
        let signals = [("a", "one", "m.c"), ("b", "one", "b"), ("c", "one", "c"), ("d", "two", "d"), ("e", "one", "a")]
            .map(|(name, of, key)| signal(name, of, key));
        let text = format!(
            "[site]\nid = \"s\"\n[[twins]]\nid = \"m\"\nbind = false\nsignals = [{}]\n\
             [[sources]]\nid = \"one\"\nkind = \"websocket\"\n[[sources]]\nid = \"two\"\nkind = \"websocket\"\n",
            signals.join(", ")
        );
        let model = twin_site::load(&text, "site.toml", &mut |_| Err(String::new())).model;
        let inbox = Inbox::new(SourceIndex(0));
        let (a, b, c, e) = (Some(0), Some(1), Some(2), Some(4));
        let ids = [("m.a", a), ("m.b", b), ("m.c", c), ("m.d", None), ("m.e", e)];
        let keys = [("b", b), ("c", c), ("d", None), ("a", e), ("", None), ("m.x", None)];
        let known: Vec<_> = ids.into_iter().chain(keys).collect();
        for first in &known {
            for second in &known {
                for (name, expected) in [first, second] {
                    assert_eq!(inbox.find(&model, name), expected.map(SignalIndex), "{name} after {}", first.0);
                }
            }
        }
    }

    #[test]
    fn a_full_inbox_takes_nothing_and_loses_nothing() {
        let inbox = Inbox::new(SourceIndex(0));
        assert_eq!(inbox.put(&mut some(ROOM)), Some(ROOM as u64));
        let mut more = some(3);
        assert_eq!(inbox.put(&mut more), None);
        assert_eq!(more.len(), 3, "still the sender's");
        assert_eq!(inbox.put(&mut Vec::new()), Some(ROOM as u64), "nothing always fits");
        let mut out = Vec::new();
        inbox.poll(&mut out);
        assert_eq!(out.len(), ROOM);
        assert_eq!(inbox.put(&mut more), Some(ROOM as u64 + 3));
    }

    #[test]
    fn texts_fill_an_inbox_by_their_bytes_and_a_poll_empties_it_again() {
        let inbox = Inbox::new(SourceIndex(0));
        let text = Value::text(&"x".repeat(ROOM_BYTES / 512));
        let mut texts: Vec<_> = (0..512).map(|_| (SignalIndex(0), Sample::new(Timestamp::from_secs(0), text.clone()))).collect();
        // More than its room altogether, again and again.
        for round in 1..=3 {
            let mut some = texts.clone();
            assert_eq!(inbox.put(&mut some), Some(round * 512));
            assert_eq!(inbox.put(&mut texts), None, "round {round}: no room for more");
            inbox.poll(&mut Vec::new());
        }
    }

    #[test]
    fn progress_tells_the_batch_of_what_was_polled_and_not_of_what_came_since() {
        let inbox = Inbox::new(SourceIndex(0));
        let progress = inbox.progress();
        inbox.put(&mut some(2));
        inbox.poll(&mut Vec::new());
        inbox.put(&mut some(5));
        inbox.settle(9);
        assert_eq!(*progress.borrow(), Progress { polled: 2, settled: 2, seq: 9 });
        inbox.settle(10);
        assert_eq!(progress.borrow().seq, 9, "nothing of ours went into batch 10");
        inbox.poll(&mut Vec::new());
        inbox.settle(11);
        assert_eq!(*progress.borrow(), Progress { polled: 7, settled: 7, seq: 11 });
    }
}

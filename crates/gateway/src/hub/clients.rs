//! What a client of the stream gets: on arrival, on return after a break, and from then on. Knows no sockets.

use std::collections::BTreeMap;

use axum::body::Bytes;
use twin_historian::Store;
use twin_model::{SignalIndex, TimeRange, Timestamp};
use twin_protocol::{
    Batch, DictId, Entry, Gap, GapReason, Lag, ProtocolError, Resume, ServerFrame, Snapshot, encode_server, pieces,
};

use super::{Hub, Inner, add};
use crate::lacks::{self, Lacks};

/// A client this many batches behind gets newest values instead of every batch.
const CONFLATE_AFTER: u64 = 32;

/// Where a client is in the stream. The whole memory that a client costs.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Last batch that it got.
    seq: u64,
    /// Samples up to there.
    total: u64,
    /// Newest receive time up to there.
    received: Timestamp,
    /// Up to here it gets every batch, however far behind it is: the back-fill of a resume.
    whole_until: u64,
    links_version: u64,
}

impl Place {
    /// The same place of a client that wants every batch that is still held, never conflated ones.
    pub(crate) fn whole(self) -> Self {
        Self { whole_until: u64::MAX, ..self }
    }
}

/// A frame on its way to one client.
#[derive(Debug)]
pub(crate) enum Next {
    /// A batch that all clients get, in its binary form.
    Batch { seq: u64, frame: Bytes },
    /// For this client alone.
    Own(ServerFrame),
}

impl Next {
    /// Its binary form.
    pub(crate) fn binary(self) -> Bytes {
        match self {
            Self::Batch { frame, .. } => frame,
            Self::Own(frame) => encode_server(&frame).into(),
        }
    }
}

/// What somebody who comes new is told of a signal: what holds `now`, and before it (so that who keeps the last entry keeps what
/// holds) the newest reading that lies ahead, whose time will come. What else lies ahead is in history.
fn current(store: &Store, signal: SignalIndex, now: Timestamp) -> impl Iterator<Item = Entry> + use<> {
    let ahead = store.live(signal).filter(|sample| sample.source_time > now);
    let both = [ahead, store.measured_at(signal, now)];
    both.into_iter().flatten().map(move |sample| Entry { id: DictId(signal.0), sample })
}

impl Hub {
    /// The JSON form of a frame, made apart from the threads that serve sockets.
    pub(crate) async fn text_of(&self, next: Next) -> Result<Bytes, ProtocolError> {
        match next {
            Next::Batch { seq, frame } => self.texts.batch(seq, &frame, &self.totals.texts).await,
            Next::Own(frame) => self.texts.one(frame).await,
        }
    }

    /// What a new client gets first, after hello and dictionary, and where it is then.
    pub fn open(&self, resume: Option<Resume>, now: Timestamp) -> (Vec<ServerFrame>, Place) {
        let inner = self.lock();
        let mut frames = vec![ServerFrame::Sources(inner.links.clone())];
        // What waits for the first batch was received before this client came, and may be conflated all the same.
        let waiting = inner.pending.iter().map(|entry| entry.sample.received_time).min();
        let mut place = Place {
            seq: inner.seq,
            total: inner.total,
            received: if inner.seq == 0 { waiting.unwrap_or(now).min(now) } else { inner.received },
            whole_until: inner.seq,
            links_version: inner.links_version,
        };
        if let Some(resume) = resume {
            if resume.epoch == self.epoch && resume.seq == inner.seq {
                add(&self.totals.resumed, 1);
                return (frames, place);
            }
            if resume.epoch == self.epoch
                && let Some(next) = inner.ring.get(resume.seq.saturating_add(1))
            {
                let last = inner.ring.get(resume.seq);
                // The first batch held may be the first one missed; what came before it is then only known by count.
                place.seq = resume.seq;
                place.total = last.map_or(next.total, |last| last.total);
                place.received = last.map_or(next.received, |last| last.received).min(resume.last_time.unwrap_or(Timestamp::MAX));
                add(&self.totals.resumed, 1);
                return (frames, place);
            }
            let reason = if resume.epoch == self.epoch { GapReason::Away } else { GapReason::Restarted };
            // A client that has nothing may have missed everything that is held.
            let first = || self.extent_start(&inner).min(now);
            let from = resume.last_time.unwrap_or_else(first);
            // What came at this very microsecond may have been missed, too.
            let end = now.max(Timestamp::from_micros(inner.received.as_micros().saturating_add(1)));
            frames.push(ServerFrame::Gap(Gap { range: TimeRange::new(from.min(end), end), reason }));
            add(&self.totals.gaps, 1);
        }
        // What is kept of a signal from before it was computed is no value of it.
        let measured = self.model.signal_indices().filter(|signal| !self.model.is_computed(*signal));
        let mut entries: Vec<Entry> = measured.flat_map(|signal| current(&inner.store, signal, now)).collect();
        // Last, so that who keeps the last entry keeps what holds.
        entries.extend(self.lost(&inner.store, now));
        let mut parts: Vec<Vec<Entry>> = pieces(entries).collect();
        let last = parts.pop().unwrap_or_default();
        // Only the last part makes the place: a client that lost its link before it has to be told everything again.
        frames.extend(parts.into_iter().map(|entries| ServerFrame::Snapshot(Snapshot { seq: 0, at: now, entries })));
        frames.push(ServerFrame::Snapshot(Snapshot { seq: inner.seq, at: now, entries: last }));
        (frames, place)
    }

    /// What nobody knows `now`, because what was kept of it could not be read at the start and nothing came since.
    fn lost(&self, store: &Store, now: Timestamp) -> Vec<Entry> {
        let absent = self.persist().map_or(&[][..], |persist| persist.absent());
        let begun = absent.iter().filter(|missing| missing.range.start <= now).map(|missing| self.lacking(missing));
        let mut lost: BTreeMap<SignalIndex, Timestamp> = BTreeMap::new();
        for Lacks { range, signals, .. } in begun {
            for signal in signals.into_iter().filter(|signal| !self.model.is_computed(*signal)) {
                if store.measured_at(signal, now).is_none_or(|sample| sample.source_time < range.start) {
                    let begin = lost.entry(signal).or_insert(range.start);
                    *begin = range.start.min(*begin);
                }
            }
        }
        let entry = |(signal, begin): (SignalIndex, Timestamp)| Entry {
            id: DictId(signal.0),
            sample: lacks::lost(&self.model, signal, begin),
        };
        lost.into_iter().map(entry).collect()
    }

    /// Before anything that is held was received: the start of history or of this run, whichever is earlier.
    fn extent_start(&self, inner: &Inner) -> Timestamp {
        let run = Timestamp::from_micros(i64::try_from(self.epoch).unwrap_or(0));
        inner.store.extent().map_or(run, |extent| extent.start.min(run))
    }

    /// The next frames for a client at `now`, in binary form; empty when it has everything. Moves its place.
    pub fn next(&self, place: &mut Place, now: Timestamp) -> Vec<Bytes> {
        self.advance(place, now).into_iter().map(Next::binary).collect()
    }

    /// The same, in no form yet: what is for one client alone is encoded when nobody waits for the lock any more.
    pub(crate) fn advance(&self, place: &mut Place, now: Timestamp) -> Vec<Next> {
        let inner = self.lock();
        let mut frames = Vec::new();
        if place.links_version < inner.links_version {
            let changed = inner.links.iter().zip(&inner.link_version).filter(|(_, version)| **version > place.links_version);
            frames.push(Next::Own(ServerFrame::Sources(changed.map(|(link, _)| link.clone()).collect())));
            place.links_version = inner.links_version;
        }
        if place.seq >= inner.seq {
            return frames;
        }
        let behind = inner.seq - place.seq;
        match inner.ring.get(place.seq + 1) {
            Some(sent) if behind <= CONFLATE_AFTER || place.seq < place.whole_until => {
                frames.push(Next::Batch { seq: sent.seq, frame: sent.frame.clone() });
                (place.seq, place.total, place.received) = (sent.seq, sent.total, sent.received);
            }
            _ => self.conflate(&inner, place, now, &mut frames),
        }
        frames
    }

    fn conflate(&self, inner: &Inner, place: &mut Place, now: Timestamp, frames: &mut Vec<Next>) {
        let missed = |signal: &SignalIndex| inner.touched.get(signal.at()).is_some_and(|seq| *seq > place.seq);
        let mut entries: Vec<Entry> = Vec::new();
        let mut signals = 0;
        for signal in self.model.signal_indices().filter(missed) {
            let before = entries.len();
            entries.extend(current(&inner.store, signal, now));
            // Of two the client may have had one before: at least the newer one is of what it missed.
            signals += u64::from(entries.len() > before);
        }
        let left_out = (inner.total - place.total).saturating_sub(signals);
        // Newest values may be of what waits for its batch: what was received beside them is left out here, too.
        let newest = entries.iter().map(|entry| entry.sample.received_time).fold(inner.received, Timestamp::max);
        let end = Timestamp::from_micros(newest.as_micros().saturating_add(1));
        let lag = Lag { from_seq: place.seq, to_seq: inner.seq, left_out, range: TimeRange::new(place.received, end) };
        frames.push(Next::Own(ServerFrame::Lag(lag)));
        let mut parts = pieces(entries).peekable();
        if parts.peek().is_none() {
            frames.push(Next::Own(ServerFrame::Batch(Batch { seq: inner.seq, entries: Vec::new() })));
        }
        while let Some(entries) = parts.next() {
            // Only the last part moves the client's place: where its link breaks before, it is told of all of them again.
            let seq = if parts.peek().is_some() { place.seq } else { inner.seq };
            frames.push(Next::Own(ServerFrame::Batch(Batch { seq, entries })));
        }
        (place.seq, place.total, place.received) = (inner.seq, inner.total, inner.received);
        add(&self.totals.conflations, 1);
        add(&self.totals.left_out, left_out);
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "who has the hub and who encodes are two")]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use twin_model::{Sample, Value};

    use super::*;
    use crate::RingLimits;
    use crate::stores::empty_store;

    #[test]
    fn what_a_slow_client_gets_is_encoded_while_others_have_the_hub() {
        let site = "[site]\nid = \"s\"\n[[twins]]\nid = \"a\"\nsignals = [{ name = \"x\" }, { name = \"y\" }]\n";
        let model = Arc::new(twin_site::load(site, "site.toml", &mut |_| Err("no files here".into())).model);
        let store = empty_store(&model, 1 << 20);
        let hub = Hub::new(model, Timestamp::MIN, RingLimits::default(), store, None);
        let at = Timestamp::from_secs;
        let (_, mut place) = hub.open(None, at(0));
        for n in 1..=200 {
            hub.ingest(&[(SignalIndex(0), Sample::new(at(n), Value::Float(n as f64)))]);
            hub.flush();
        }
        let frames = hub.advance(&mut place, at(300));
        assert!(matches!(&frames[..], [Next::Own(ServerFrame::Lag(_)), Next::Own(ServerFrame::Batch(_))]), "{frames:?}");
        let held = hub.lock();
        let (done, encoded) = std::sync::mpsc::channel();
        let encoder = std::thread::spawn(move || done.send(frames.into_iter().map(Next::binary).collect::<Vec<_>>()));
        let encoded = encoded.recv_timeout(Duration::from_secs(60)).expect("encoded while somebody has the hub");
        drop(held);
        encoder.join().unwrap().unwrap();
        assert!(encoded.len() == 2 && encoded.iter().all(|frame| !frame.is_empty()));
    }
}

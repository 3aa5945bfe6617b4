//! Named property: a stream that breaks at random and is resumed is lossless, or says where the gap is.
//!
//! Spoken to the hub itself, so that a thousand breaks cost no socket. The client keeps samples as every client should: of two with one
//! source time the later received.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use gateway::RingLimits;
use gateway::hub::{Hub, Place};
use gateway::stores::empty_store;
use twin_historian::Store;
use twin_model::{Flags, Model, Sample, SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::*;

use crate::world::{SITE, at};

/// SplitMix64: a case is its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

type Held = BTreeMap<(u32, Timestamp), Sample>;

fn keep(held: &mut Held, signal: u32, sample: &Sample) {
    let slot = held.entry((signal, sample.source_time)).or_insert_with(|| sample.clone());
    if sample.received_time >= slot.received_time {
        *slot = sample.clone();
    }
}

/// A viewer: what it holds, where it is, and for which times of receipt it was told that it does not have everything.
#[derive(Default)]
struct Client {
    held: Held,
    told: Vec<TimeRange>,
    resume: Option<Resume>,
    place: Option<Place>,
    /// Of this connection. It counts for a resume only together with the first number that was read on it: otherwise a connection
    /// that breaks before its gap is read would hide the gap for ever.
    epoch: u64,
    /// Frames on their way. They are lost where the connection breaks.
    coming: VecDeque<ServerFrame>,
    gaps: usize,
    lags: usize,
    /// Connections that went on where the one before broke.
    resumed: usize,
}

impl Client {
    fn connect(&mut self, hub: &Hub, now: Timestamp) {
        let (frames, place) = hub.open(self.resume, now);
        self.resumed += usize::from(frames.len() == 1);
        self.epoch = hub.epoch();
        self.coming = frames.into();
        self.place = Some(place);
    }

    /// Whatever was under way is gone.
    fn lose_connection(&mut self) {
        self.place = None;
        self.coming.clear();
    }

    /// Takes one frame; false where there is none.
    fn read(&mut self, hub: &Hub, now: Timestamp) -> bool {
        let Some(place) = &mut self.place else { return false };
        if self.coming.is_empty() {
            let decode = |bytes: axum::body::Bytes| decode_server(&bytes, &Limits::SERVER_FRAMES).unwrap();
            self.coming.extend(hub.next(place, now).into_iter().map(decode));
        }
        let Some(frame) = self.coming.pop_front() else { return false };
        match frame {
            ServerFrame::Snapshot(snapshot) => {
                if self.resume.is_none() {
                    // A first visit: what came before is history, and nobody said otherwise.
                    self.told.push(TimeRange::new(Timestamp::MIN, snapshot.at + Span::from_micros(1)));
                }
                self.take(snapshot.seq, &snapshot.entries);
            }
            ServerFrame::Batch(batch) => self.take(batch.seq, &batch.entries),
            ServerFrame::Gap(gap) => {
                self.told.push(gap.range);
                self.gaps += 1;
            }
            ServerFrame::Lag(lag) => {
                assert_eq!(Some(lag.from_seq), self.resume.map(|resume| resume.seq), "it begins where the client is");
                self.told.push(lag.range);
                self.lags += 1;
            }
            ServerFrame::Sources(_) => {}
            other => panic!("{other:?}"),
        }
        true
    }

    fn take(&mut self, seq: u64, entries: &[Entry]) {
        let newest = entries.iter().map(|entry| entry.sample.received_time).max();
        let last_time = self.resume.and_then(|resume| resume.last_time).max(newest);
        self.resume = Some(Resume { epoch: self.epoch, seq, last_time });
        entries.iter().for_each(|entry| keep(&mut self.held, entry.id.0, &entry.sample));
    }

    fn was_told(&self, received: Timestamp) -> bool {
        self.told.iter().any(|range| range.contains(received))
    }
}

/// Samples of a moment: some late, some doubled, some stored and forwarded. Received now.
fn come_in(dice: &mut Dice, now: Timestamp) -> Vec<(SignalIndex, Sample)> {
    (0..1 + dice.below(6))
        .map(|_| {
            let late = if dice.one_in(5) { dice.below(30_000) } else { 0 };
            let whole_second = now.floor_to(Span::from_secs(1));
            let source_time = if dice.one_in(4) { whole_second } else { now - Span::from_millis(late as i64) };
            let sample = Sample {
                source_time,
                received_time: now,
                value: Value::Float(dice.below(1_000) as f64),
                flags: if late > 20_000 { Flags::HISTORICAL } else { Flags::NONE },
                ..Sample::float(now, 0.0)
            };
            (SignalIndex(dice.below(8) as u32), sample)
        })
        .collect()
}

fn everything(store: &Store) -> Held {
    let mut out = Held::new();
    for signal in 0..8 {
        store.for_each_sample(SignalIndex(signal), TimeRange::new(Timestamp::MIN, Timestamp::MAX), &mut |sample| {
            out.insert((signal, sample.source_time), sample.clone());
            ControlFlow::Continue(())
        });
    }
    out
}

fn hub(model: &Arc<Model>, epoch: Timestamp, batches: usize, store: Store) -> Hub {
    Hub::new(model.clone(), epoch, RingLimits { batches, bytes: 1 << 20 }, store, None)
}

/// One life of a plant and a client with a bad connection; how often each kind of trouble occurred.
fn run(model: &Arc<Model>, seed: u64) -> (usize, usize, usize) {
    let mut dice = Dice(seed);
    let batches = 3 + dice.below(80) as usize;
    let (breaks, restarts) = (2 + dice.below(60), 30 + dice.below(300));
    let mut hub_now = hub(model, at(0), batches, empty_store(model, 64 << 20));
    let mut client = Client::default();
    let (mut now, mut ever, mut deaf) = (at(0), Vec::new(), 0);
    for _ in 0..400 {
        now = now + Span::from_micros(1 + dice.below(700_000) as i64);
        let samples = come_in(&mut dice, now);
        hub_now.ingest(&samples);
        ever.extend(samples);
        if !dice.one_in(3) {
            hub_now.flush();
        }
        if dice.one_in(restarts) {
            hub_now.flush();
            now = now + Span::from_secs(1);
            let kept = hub_now.with_store(|store| store.clone());
            hub_now = hub(model, now, batches, kept);
            client.lose_connection();
        }
        // Now and then nobody reads for so long that the newest values must do.
        deaf = if dice.one_in(150) { 100 } else { deaf - i32::from(deaf > 0) };
        match (&client.place, dice.below(breaks)) {
            _ if deaf > 0 => {}
            (Some(_), 0) => client.lose_connection(),
            (None, n) if n > breaks / 2 => client.connect(&hub_now, now),
            // A slow reader takes a few frames, a quick one all.
            (Some(_), n) if n % 3 > 0 => {
                let most = if dice.one_in(2) { 2 } else { usize::MAX };
                let mut read = 0;
                while read < most && client.read(&hub_now, now) {
                    read += 1;
                }
            }
            _ => {}
        }
    }
    now = now + Span::from_secs(1);
    hub_now.flush();
    if client.place.is_none() {
        client.connect(&hub_now, now);
    }
    while client.read(&hub_now, now) {}
    let truth = hub_now.with_store(|store| everything(store));
    for (key, sample) in &truth {
        let held = client.held.get(key) == Some(sample);
        assert!(held || client.was_told(sample.received_time), "seed {seed}: {key:?} {sample:?} is missing without a word");
    }
    for (key, sample) in &client.held {
        assert!(ever.contains(&(SignalIndex(key.0), sample.clone())), "seed {seed}: {key:?} {sample:?} never came in");
    }
    for signal in 0..8 {
        let live = hub_now.with_store(|store| store.measured_at(SignalIndex(signal), now));
        let held = live.as_ref().map(|live| client.held.get(&(signal, live.source_time)));
        assert_eq!(held, live.as_ref().map(Some), "seed {seed}: the newest value of signal {signal}");
    }
    (client.gaps, client.lags, client.resumed)
}

#[test]
fn a_resume_is_lossless_or_says_where_the_gap_is() {
    let site = twin_site::load(SITE, "site.toml", &mut |_| Err("no files".to_owned()));
    let model = Arc::new(site.model);
    let long = std::env::var_os("ORRERY_LONG_TESTS").is_some();
    let mut seen = (0, 0, 0);
    for seed in 0..if long { 20_000 } else { 300 } {
        let (gaps, lags, resumed) = run(&model, seed);
        seen = (seen.0 + gaps, seen.1 + lags, seen.2 + resumed);
    }
    assert!(seen.0 > 100 && seen.1 > 100 && seen.2 > 100, "gaps, lags and resumes all occurred: {seen:?}");
}

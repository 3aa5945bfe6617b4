//! Keepers that read otherwise than they should: one that gives back other bytes than were put, and one whose reads take long. What a
//! keeper can't give back never leaves the journal, and what a reader waits for holds up no sender.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use gateway::RingLimits;
use gateway::assemble::{PlantOptions, plant};
use gateway::history::{FILE, Persist, Setup, SqliteHistorian, SyncPolicy, fsck};
use gateway::hub::Hub;
use gateway::site::Site;
use gateway::stores::empty_store;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use twin_historian::historian::{Blob, Change, Entry, Historian, KeepError, Kept, Page, Position};
use twin_historian::{ChunkKey, Level, MemoryHistorian};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};
use twin_protocol::{Limits, ServerFrame, decode_server};

use crate::salvage::{Samples, read};
use crate::world::{Folder, PATIENCE, SITE, Wish, World, at};

/// What a keeper does besides keeping.
trait Odd: Send + Sync {
    /// Before a commit.
    fn put(&self, _: &[Change]) {}
    /// What a read of a chunk gives instead of what is kept.
    fn chunk(&self, key: &ChunkKey, kept: Option<Blob>) -> Option<Blob>;
}

/// A keeper with a way of its own, which its readers have, too.
struct Keeper<O> {
    inner: Box<dyn Historian>,
    odd: Arc<O>,
}

impl<O: Odd + 'static> Historian for Keeper<O> {
    fn commit(&mut self, changes: &[Change]) -> Result<Position, KeepError> {
        self.odd.put(changes);
        self.inner.commit(changes)
    }

    fn catalogue(&self, level: Level, range: TimeRange) -> Result<Vec<Kept>, KeepError> {
        self.inner.catalogue(level, range)
    }

    fn chunk(&self, key: &ChunkKey) -> Result<Option<Blob>, KeepError> {
        Ok(self.odd.chunk(key, self.inner.chunk(key)?))
    }

    fn journal(
        &self,
        after: Position,
        f: &mut dyn FnMut(Entry) -> bool,
        damaged: &mut dyn FnMut(Position, String),
    ) -> Result<(), KeepError> {
        self.inner.journal(after, f, damaged)
    }

    fn note(&self, name: &str) -> Result<Option<String>, KeepError> {
        self.inner.note(name)
    }

    fn pages(&self, level: Level, range: TimeRange) -> Result<Vec<Page>, KeepError> {
        self.inner.pages(level, range)
    }

    fn reader(&self) -> Result<Box<dyn Historian>, KeepError> {
        Ok(Box::new(Self { inner: self.inner.reader()?, odd: self.odd.clone() }))
    }

    fn extent(&self, level: Level) -> Result<Option<TimeRange>, KeepError> {
        self.inner.extent(level)
    }

    fn bytes(&self, level: Level) -> Result<u64, KeepError> {
        self.inner.bytes(level)
    }
}

/// What is read of a raw chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Right,
    /// One bit is another, in the first read only.
    SpoiltOnce,
    /// In every read.
    Spoilt,
    /// Where the chunk took the place of another: that one's bytes, which are as good as any by themselves; in the first such read.
    OlderOnce,
}

/// Where a chunk stands.
type Slot = (Level, Timestamp, u32);

struct Reads {
    way: Read,
    done: AtomicUsize,
    /// The first chunk that was put in a place.
    first: Mutex<BTreeMap<Slot, (ChunkKey, Blob)>>,
}

impl Odd for Reads {
    fn put(&self, changes: &[Change]) {
        let mut first = self.first.lock().unwrap();
        for change in changes {
            if let Change::Put(chunk) = change {
                first.entry(chunk.key.slot()).or_insert_with(|| (chunk.key, chunk.bytes.as_slice().into()));
            }
        }
    }

    fn chunk(&self, key: &ChunkKey, kept: Option<Blob>) -> Option<Blob> {
        let bytes = kept?;
        if key.level != Level::Raw {
            return Some(bytes);
        }
        let once = || self.done.fetch_add(1, Ordering::Relaxed) == 0;
        let spoilt = || {
            let mut bytes = bytes.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            bytes.into()
        };
        let other = match self.way {
            Read::Right => None,
            Read::SpoiltOnce => once().then(spoilt),
            Read::Spoilt => Some(spoilt()),
            Read::OlderOnce => {
                let first = self.first.lock().unwrap().get(&key.slot()).cloned();
                first.filter(|(of, _)| of != key && once()).map(|(_, bytes)| bytes)
            }
        };
        Some(other.unwrap_or(bytes))
    }
}

/// Samples of one signal, a second after every ten, into the memory and the journal; and into what is expected to be kept.
fn put(hub: &Hub, seconds: impl Iterator<Item = i64>, all: &mut Samples) {
    let samples: Vec<(SignalIndex, Sample)> =
        seconds.map(|s| (SignalIndex(0), Sample::new(at(s), Value::Float(s as f64)))).collect();
    all.extend(samples.iter().map(|(signal, sample)| ((signal.0, sample.source_time), sample.value.clone())));
    hub.ingest(&samples);
    hub.flush();
    assert!(hub.persist().unwrap().sync());
}

fn in_journal(keeper: &dyn Historian) -> Samples {
    let mut all = Samples::new();
    let mut each = |entry: Entry| {
        let Ok(ServerFrame::Batch(batch)) = decode_server(&entry.bytes, &Limits::SERVER_FRAMES) else { panic!("no batch") };
        all.extend(batch.entries.into_iter().map(|entry| ((entry.id.0, entry.sample.source_time), entry.sample.value)));
        true
    };
    keeper.journal(Position(0), &mut each, &mut |_, why| panic!("{why}")).unwrap();
    all
}

#[test]
fn what_can_not_be_read_back_as_it_was_written_stays_in_the_journal_until_an_honest_keeper_has_it() {
    for way in [Read::Right, Read::SpoiltOnce, Read::Spoilt, Read::OlderOnce] {
        let folder = Folder::new();
        let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
        let options = PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() };
        // The folder says of which signals it is.
        drop(plant(&site, &options).unwrap());
        let data = folder.0.join("data");
        let inner = Box::new(SqliteHistorian::open(&data.join(FILE), SyncPolicy::Off).unwrap());
        let odd = Arc::new(Reads { way, done: AtomicUsize::new(0), first: Mutex::default() });
        let keeper = Keeper { inner, odd };
        let reader = keeper.reader().unwrap();
        let model = Arc::new(site.loaded.model.clone());
        let persist = Persist::over(Box::new(keeper), &model, Setup::default(), true, None).unwrap();
        let hub = Hub::new(model.clone(), at(0), RingLimits::default(), empty_store(&model, 256 << 20), Some(persist));
        let mut all = Samples::new();
        let mut before = Samples::new();
        // The second round puts chunks in the place of those of the first.
        for round in 0..3 {
            put(&hub, (0..3 * 360).map(|n| n * 10 + round), &mut all);
            hub.seal(at(5 * 3_600));
            assert!(hub.persist().unwrap().sync());
            if round == 0 {
                before.clone_from(&all);
            }
        }
        let journal = in_journal(reader.as_ref());
        let held = all.iter().filter(|(key, _)| way != Read::OlderOnce || !before.contains_key(key));
        let held: Samples = held.map(|(key, value)| (*key, value.clone())).collect();
        match way {
            Read::Right => assert_eq!(journal.len(), 0, "what is read back lets go of the journal"),
            _ => assert!(journal == held, "{way:?}: {} of {} are in the journal", journal.len(), held.len()),
        }
        assert_eq!(hub.persist().unwrap().damaged() > 0, way != Read::Right, "{way:?}");
        assert_eq!(hub.persist().unwrap().unreadable(), None, "{way:?}: one piece is not all of it");
        drop((hub, reader));

        // The next start is over the same file, read as it is.
        let honest = plant(&site, &options).unwrap();
        for _ in 0..2 {
            honest.hub.seal(at(5 * 3_600));
            assert!(honest.hub.persist().unwrap().sync());
        }
        drop(honest);
        let report = fsck::check(&data, false).unwrap();
        assert_eq!((report.findings.len(), report.journal_entries), (0, 0), "{way:?}: {report:?}");
        assert!(read(&model, &data) == all, "{way:?}: nothing is lost or invented");
    }
}

/// Reads of raw chunks wait while it is closed.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opens: Condvar,
    /// Reads of raw chunks that began.
    reads: AtomicUsize,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.opens.notify_all();
    }
}

impl Odd for Gate {
    fn chunk(&self, key: &ChunkKey, kept: Option<Blob>) -> Option<Blob> {
        if key.level == Level::Raw {
            self.reads.fetch_add(1, Ordering::AcqRel);
            let closed = self.closed.lock().unwrap();
            drop(self.opens.wait_while(closed, |closed| *closed).unwrap());
        }
        kept
    }
}

/// Opens the gate whatever happens: the threads behind it are those of every test.
struct Opened(Arc<Gate>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let wait = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn an_answer_about_history_that_waits_for_the_disk_holds_up_no_acknowledgement_and_ends_with_its_asker() {
    /// More than have a turn at once.
    const ASKERS: usize = 6;
    const HOURS: i64 = 6;
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let mut plant = plant(&site, &PlantOptions::default()).unwrap();
    let gate = Arc::new(Gate::default());
    let _opened = Opened(gate.clone());
    let keeper = Keeper { inner: Box::new(MemoryHistorian::new()), odd: gate.clone() };
    let model = plant.hub.model().clone();
    let persist = Persist::over(Box::new(keeper), &model, Setup::default(), true, None).unwrap();
    let epoch = gateway::clock::wall();
    plant.hub = Arc::new(Hub::new(model.clone(), epoch, RingLimits::default(), empty_store(&model, 64 << 20), Some(persist)));
    // Noise: small pages would be joined to one.
    let noise = |s: i64| f64::from_bits((0x3ff0 << 48) | ((s as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12));
    for hour in 0..HOURS {
        let sample = |s: i64| (SignalIndex(0), Sample::new(at(hour * 3_600 + s), Value::Float(noise(hour * 3_600 + s))));
        plant.hub.ingest(&(0..3_600).map(sample).collect::<Vec<_>>());
        plant.hub.flush();
    }
    assert!(plant.hub.persist().unwrap().sync());
    // The second round gives up here what the first one sealed.
    for _ in 0..2 {
        plant.hub.seal(at(48 * 3_600));
        assert!(plant.hub.persist().unwrap().sync());
    }
    assert!(plant.hub.cold().is_some_and(|cold| cold > at(HOURS * 3_600)), "all of it is with the keeper only");
    let world = World::run(&site, plant, Wish { pump: true, ..Wish::default() }).await;
    // Work holds on to what it reads from; so does a server that has served, for good.
    assert_eq!(world.get("/healthz", "").await.0, 200);
    tokio::time::timeout(PATIENCE, world.app.peers.seats.empty()).await.unwrap();
    let (alone, sealing) = (Arc::strong_count(&world.app), gate.reads.load(Ordering::Acquire));
    let reads = || gate.reads.load(Ordering::Acquire) - sealing;

    gate.set(true);
    let mut askers = Vec::new();
    for _ in 0..ASKERS {
        let mut asker = TcpStream::connect(world.address).await.unwrap();
        asker.write_all(b"GET /api/history HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        askers.push(asker);
    }
    until("nobody reads a chunk", || reads() > 0).await;
    let mut sender = world.socket("/ingest", None).await;
    for n in 0..3 {
        sender.text(&format!("{{\"signal\":\"pump-01.starts\",\"value\":{n}}}\n{{\"ack\":{n}}}")).await;
        assert_eq!(sender.line().await, serde_json::json!({ "ack": n, "samples": 1, "refused": 0, "durable": true }));
    }
    assert_eq!(reads(), 1, "the answer still waits for its first chunk");

    // Everybody leaves, and only then the disk answers.
    drop((askers, sender));
    tokio::time::timeout(PATIENCE, world.app.peers.seats.empty()).await.unwrap();
    gate.set(false);
    until("work for nobody goes on", || Arc::strong_count(&world.app) == alone).await;
    assert_eq!(reads(), 1, "no further chunk is read for who has left");
    let (status, _, body) = world.get("/api/history", "").await;
    assert_eq!(status, 200, "the turns are free again");
    let ServerFrame::History(history) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!() };
    let chunks = history.chunks.len();
    assert!(
        chunks >= HOURS as usize && reads() > HOURS as usize,
        "{chunks} chunks are of one answer, and each is read: {}",
        reads()
    );
    world.stop().await;
}

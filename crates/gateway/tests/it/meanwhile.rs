//! Readers beside a writer: whatever is sealed, joined, replaced or given up meanwhile, what was there when somebody asked is in the
//! answer, over the wire and from disk.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::assemble::{PlantOptions, plant};
use gateway::history::{Database, Setup, SyncPolicy, fsck};
use gateway::hub::Hub;
use gateway::site::Site;
use twin_historian::historian::Retention;
use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};

use crate::disk::everything;
use crate::kill::Rng;
use crate::world::{Folder, SITE};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
const HOUR: u64 = 3_600;
const START: u64 = 480_000 * HOUR;

/// Signal and second of each sample.
type Known = BTreeSet<(u32, u64)>;

fn known(store: &Store) -> Known {
    let mut all = Known::new();
    for signal in 0..store.signals() as u32 {
        store.for_each_sample(SignalIndex(signal), ALWAYS, &mut |sample| {
            all.insert((signal, sample.source_time.as_micros() as u64 / 1_000_000));
            ControlFlow::Continue(())
        });
    }
    all
}

/// Days of hourly values, each with late ones of days before, sealed in small steps.
fn write(hub: &Hub, sent: &Mutex<Known>, durable: &Mutex<Known>, days: u64) {
    let mut rng = Rng(7);
    for day in 0..days {
        let mut samples: Vec<(u32, u64)> =
            (0..24).flat_map(|hour| [0, 4].map(|signal| (signal, START + (day * 24 + hour) * HOUR))).collect();
        samples.extend((0..6).map(|_| (0, START + rng.next() % ((day + 1) * 24 * HOUR))));
        let sample =
            |(signal, s): &(u32, u64)| (SignalIndex(*signal), Sample::new(Timestamp::from_secs(*s as i64), Value::Float(1.0)));
        hub.ingest(&samples.iter().map(sample).collect::<Vec<_>>());
        hub.flush();
        sent.lock().unwrap().extend(samples);
        hub.seal(Timestamp::from_secs((START + (day + 1) * 24 * HOUR) as i64));
        hub.persist().unwrap().sync();
        let all = sent.lock().unwrap().clone();
        *durable.lock().unwrap() = all;
    }
}

#[test]
fn who_asks_while_history_is_sealed_and_joined_lacks_nothing_of_it() {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let data = folder.0.join("data");
    let setup = Setup { commit_every: Duration::from_millis(1), retention: Retention::default() };
    let options = PlantOptions { data: Some(data.clone()), setup, sync: SyncPolicy::Off, ..PlantOptions::default() };
    let hub = plant(&site, &options).unwrap().hub;
    let (sent, durable, over) = (Mutex::new(Known::new()), Mutex::new(Known::new()), AtomicBool::new(false));
    let days = if std::env::var_os("ORRERY_LONG_TESTS").is_some() { 1_500 } else { 150 };
    let asked = std::thread::scope(|scope| {
        scope.spawn(|| {
            write(&hub, &sent, &durable, days);
            over.store(true, Ordering::Release);
        });
        let wire = scope.spawn(|| {
            let mut asked = 0;
            while !over.load(Ordering::Acquire) {
                let before = sent.lock().unwrap().clone();
                let found = known(&everything(&hub));
                let lacks: Vec<_> = before.difference(&found).take(5).collect();
                assert!(lacks.is_empty(), "over the wire, {} of {}: {lacks:?}", before.difference(&found).count(), before.len());
                asked += 1;
            }
            asked
        });
        let mut asked = 0;
        while !over.load(Ordering::Acquire) {
            let before = durable.lock().unwrap().clone();
            let mut store = Store::new(hub.model().signals().iter().map(Into::into), StoreConfig::default());
            Database::open_to_read(&data).unwrap().load(hub.model(), &mut store).unwrap();
            let found = known(&store);
            assert_eq!(before.difference(&found).count(), 0, "from disk, of {}", before.len());
            assert_eq!(fsck::check(&data, false).unwrap().findings, []);
            asked += 1;
        }
        asked + wire.join().unwrap()
    });
    assert!(asked > 10, "asked {asked} times");
}

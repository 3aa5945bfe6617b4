//! A disk that refuses for longer than memory lasts: what can't be kept is never acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::assemble::{PlantOptions, plant};
use gateway::clock::wall;
use gateway::history::{Persist, Setup};
use gateway::hub::Hub;
use gateway::site::Site;
use gateway::stores::empty_store;
use tokio_tungstenite::tungstenite::Message;
use twin_historian::MemoryHistorian;
use twin_model::{Sample, SignalIndex, Timestamp, Value};

use crate::mending::Refusing;
use crate::world::{Folder, SITE, Wish, World, at};

/// A text that nothing can pack, of 16 bytes a word.
fn noise(seed: u64, words: usize) -> String {
    let mut state = seed * 2 + 1;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", state ^ (state >> 29))
    };
    (0..words).map(|_| word()).collect()
}

/// A world with `memory` bytes over a disk that is full when told so.
async fn over_a_disk_that_refuses(memory: usize) -> (World, Arc<AtomicBool>) {
    let folder = Folder::new();
    let site = Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let mut plant = plant(&site, &PlantOptions::default()).unwrap();
    let full = Arc::new(AtomicBool::new(false));
    let keeper = Refusing { inner: MemoryHistorian::new(), full: full.clone() };
    let model = plant.hub.model().clone();
    let setup = Setup { commit_every: Duration::from_millis(1), ..Setup::default() };
    let persist = Persist::over(Box::new(keeper), &model, setup, true, None).unwrap();
    plant.hub =
        Arc::new(Hub::new(model.clone(), wall(), gateway::RingLimits::default(), empty_store(&model, memory), Some(persist)));
    (World::run(&site, plant, Wish { pump: true, ..Wish::default() }).await, full)
}

/// Puts texts in that no sender waits for, `words` and `count` of them in a batch at second `n`.
fn fill(hub: &Hub, n: i64, count: i64, words: usize) {
    let texts = (0..count).map(|k| {
        let t = Timestamp::from_micros(at(n).as_micros() + k);
        (SignalIndex(3), Sample::new(t, Value::text(&noise((n * 20 + k) as u64, words))))
    });
    hub.ingest(&texts.collect::<Vec<_>>());
    hub.flush();
}

/// Fills the way to the disk, sends one sample whose sender waits, and fills memory `after` times more before the disk takes
/// things again. What the sender hears.
async fn heard(memory: usize, after: i64) -> (World, Option<Message>) {
    let (world, full) = over_a_disk_that_refuses(memory).await;
    let mut sender = world.socket("/ingest", None).await;
    let hub = world.hub.clone();
    full.store(true, Ordering::Release);
    let given_up = || hub.persist().unwrap().totals().given_up.load(Ordering::Relaxed);
    let mut n = 0;
    // To the brim: by megabytes, then by kilobytes, then by less than what the sender sends.
    for (count, words) in [(20, 3_000), (1, 3_000), (1, 20)] {
        let before = given_up();
        while given_up() == before {
            fill(&hub, n, count, words);
            n += 1;
            assert!(n < 2_000, "the way to the disk has no bound");
        }
    }
    let (before, seq) = (given_up(), hub.seq());
    let (t, value) = (at(n), noise(u64::MAX / 4, 60));
    sender.text(&format!("{{\"signal\":\"pump-01.mode\",\"value\":\"{value}\",\"time\":\"{t}\"}}\n{{\"ack\":1}}")).await;
    let mut seen = hub.changes();
    tokio::time::timeout(crate::world::PATIENCE, seen.wait_for(|now| *now > seq)).await.unwrap().unwrap();
    assert!(given_up() > before, "its batch is in memory only");
    (n + 1..n + 1 + after).for_each(|n| fill(&hub, n, 20, 3_000));
    full.store(false, Ordering::Release);
    let message = sender.message().await;
    (world, message)
}

#[tokio::test]
async fn what_memory_could_not_hold_while_the_disk_was_full_is_never_acknowledged() {
    // Of 16 MiB a quarter is for texts.
    let (world, message) = heard(16 << 20, 20).await;
    let Some(Message::Close(Some(close))) = message else { panic!("{message:?}") };
    assert_eq!(u16::from(close.code), 1001);
    assert!(close.reason.contains("send what was not acknowledged"), "{close:?}");
    // Once for each look that finds memory poorer, and how many there are hangs on the machine.
    let lost = world.hub.persist().unwrap().totals().lost.load(Ordering::Relaxed);
    assert!((1..=22).contains(&lost), "{lost}");
    let (_, _, metrics) = world.get("/metrics", "").await;
    assert!(String::from_utf8_lossy(&metrics).contains(&format!("orrery_disk_lost_total {lost}\n")));

    // Sent again, it is safe.
    let mut again = world.socket("/ingest", None).await;
    again.text("{\"signal\":\"pump-01.mode\",\"value\":\"kept\"}\n{\"ack\":2}").await;
    let Some(Message::Text(answer)) = again.message().await else { panic!("no answer") };
    assert!(answer.contains("\"ack\":2") && answer.contains("\"durable\":true"), "{answer}");
}

#[tokio::test]
async fn what_memory_did_hold_is_acknowledged_once_the_disk_takes_it() {
    let (world, message) = heard(1 << 30, 3).await;
    let Some(Message::Text(answer)) = message else { panic!("{message:?}") };
    assert!(answer.contains("\"ack\":1") && answer.contains("\"durable\":true"), "{answer}");
    assert_eq!(world.hub.persist().unwrap().totals().lost.load(Ordering::Relaxed), 0);
}

//! A client that does not read costs nothing and finds out what it missed.

use std::sync::atomic::Ordering;

use twin_model::{Sample, SignalIndex, Timestamp, Value};
use twin_protocol::*;

use crate::world::{Wish, World, at, values};

#[tokio::test]
async fn a_place_far_behind_gets_the_newest_of_each_signal_and_the_count_of_the_rest() {
    let world = World::start().await;
    world.put(0, at(0), 0.0);
    let (_, mut place) = world.hub.open(None, at(0));
    for s in 1..=100 {
        world.put(0, at(s), s as f64);
    }
    world.put(4, at(101), 5.0);
    let frames: Vec<ServerFrame> =
        world.hub.next(&mut place, at(200)).iter().map(|bytes| decode_server(bytes, &Limits::SERVER_FRAMES).unwrap()).collect();
    let [ServerFrame::Lag(lag), ServerFrame::Batch(batch)] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!((lag.from_seq, lag.to_seq, lag.left_out), (1, 102, 99));
    assert!(lag.range.start <= at(1) && lag.range.contains(at(101)), "{lag:?}");
    assert_eq!((batch.seq, values(&batch.entries)), (102, vec![(0, Value::Float(100.0)), (4, Value::Float(5.0))]));
    assert!(world.hub.next(&mut place, at(200)).is_empty(), "and is up to date then");
}

#[tokio::test]
async fn a_place_a_little_behind_gets_every_batch() {
    let world = World::start().await;
    let (_, mut place) = world.hub.open(None, at(0));
    for s in 1..=20 {
        world.put(0, at(s), s as f64);
    }
    for expected in 1..=20 {
        let frames = world.hub.next(&mut place, at(200));
        let [frame] = &frames[..] else { panic!("one at a time") };
        let Ok(ServerFrame::Batch(batch)) = decode_server(frame, &Limits::SERVER_FRAMES) else { panic!() };
        assert_eq!(batch.seq, expected);
    }
}

/// 2,000 signals whose values are noise, so that nothing compresses: 16 kB a batch.
fn wide_site() -> String {
    let mut site = String::from("[site]\nid = \"wide\"\n[[interfaces]]\nid = \"i\"\n");
    for at in 0..2_000 {
        site += &format!("[[interfaces.signals]]\nname = \"s{at}\"\n");
    }
    site + "[[twins]]\nid = \"t\"\ninterface = \"i\"\nbind = false\n[[sources]]\nid = \"script\"\nkind = \"websocket\"\n"
}

fn noise(seed: u64) -> f64 {
    // SplitMix64, only to have bits that do not compress.
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (z >> 11) as f64 / 3.0
}

#[tokio::test]
async fn a_client_that_stops_reading_is_conflated_and_catches_up() {
    let world = World::start_with(&wide_site(), Wish::default()).await;
    let mut client = world.client(None).await;
    client.until(|frame| matches!(frame, ServerFrame::Revision(_)).then_some(())).await;
    // 1,500 batches are 24 MB, more than the buffers of both sockets take, while the client reads nothing.
    let last = 1_500_u64;
    for seq in 1..=last {
        let t = Timestamp::from_millis(1_772_439_304_000 + seq as i64 * 100);
        let sample = |signal: u32| (SignalIndex(signal), Sample::new(t, Value::Float(noise(seq * 10_000 + u64::from(signal)))));
        world.hub.ingest(&(0..2_000).map(sample).collect::<Vec<_>>());
        world.hub.flush();
        tokio::task::yield_now().await;
    }
    let (mut got, mut left_out, mut newest) = (0_u64, 0_u64, Vec::new());
    let mut seq = 0;
    while seq < last {
        match client.frame().await {
            ServerFrame::Lag(lag) => {
                assert_eq!(lag.from_seq, seq, "nothing is missing without a word");
                left_out += lag.left_out;
            }
            ServerFrame::Batch(batch) => {
                got += batch.entries.len() as u64;
                seq = batch.seq;
                newest = batch.entries;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(left_out > 0, "the client was behind");
    assert_eq!(got + left_out, last * 2_000, "what was left out is counted to the sample");
    assert_eq!(newest[7].sample.value, Value::Float(noise(last * 10_000 + 7)), "and the newest values are there");
    assert!(world.hub.totals.conflations.load(Ordering::Relaxed) > 0);
}

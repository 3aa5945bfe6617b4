//! No work that grows with a time span: samples of any two times are as far apart as one step.

use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, SignalIndex, TimeRange, Timestamp, Value};
use twin_protocol::*;

use crate::world::World;

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

fn sample(t: Timestamp, value: f64) -> Sample {
    // Received whenever: a sample of the far future is no clock that runs ahead here.
    Sample { received_time: Timestamp::MAX, ..Sample::new(t, Value::Float(value)) }
}

/// Hour by hour this answer would take some five thousand million steps.
#[tokio::test]
async fn an_answer_over_all_time_walks_only_what_exists() {
    let world = World::start().await;
    let times = [i64::MIN, i64::MIN + 1, -62_135_596_800_000_000, 0, 1_772_439_304_000_000, i64::MAX - 1];
    let samples: Vec<(SignalIndex, Sample)> =
        times.iter().map(|t| (SignalIndex(0), sample(Timestamp::from_micros(*t), *t as f64))).collect();
    world.hub.ingest(&samples);
    world.hub.flush();
    let (status, _, body) = world.get("/api/history", "").await;
    assert_eq!(status, 200);
    let ServerFrame::History(history) = decode_server(&body, &Limits::SERVER_FRAMES).unwrap() else { panic!() };
    assert_eq!(history.next, None);
    let mut back = Store::new(world.hub.model().signals().iter().map(Into::into), StoreConfig::default());
    for chunk in &history.chunks {
        back.import_chunk(chunk).unwrap();
    }
    let mut found = Vec::new();
    back.for_each_sample(SignalIndex(0), ALWAYS, &mut |sample| {
        found.push(sample.source_time.as_micros());
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(found, times);
    for path in ["/api/catalogue", "/api/history?from=-62135596800000000&to=253402300799000000", "/metrics"] {
        assert_eq!(world.get(path, "").await.0, 200, "{path}");
    }
}

//! Cases of senders that went wrong with others, where they are at hand (../shared/cases): each has its right answer.

use gateway::assemble::PlantOptions;
use serde_json::Value as Json;
use tokio_tungstenite::tungstenite::Message;
use twin_model::SignalIndex;

use crate::tables_played::case;
use crate::world::{Folder, Wish, World, orrery};

async fn world(case: &std::path::Path, folder: &Folder) -> World {
    let options = PlantOptions { data: Some(folder.0.join("data")), ..PlantOptions::default() };
    World::serve(&case.join("site.toml"), Wish { options, pump: true, ..Wish::default() }).await
}

/// Everything that is said about some lines, up to the answer.
async fn said(world: &World, lines: &str) -> Vec<Json> {
    let mut sender = world.socket("/ingest", None).await;
    sender.text(&format!("{lines}\n{{\"ack\":1}}")).await;
    let mut said: Vec<Json> = Vec::new();
    while said.last().is_none_or(|line| line.get("ack").is_none()) {
        let Some(Message::Text(text)) = sender.message().await else { panic!("no answer to {lines}") };
        said.extend(text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()));
    }
    said
}

#[tokio::test]
async fn a_row_without_a_value_is_neither_zero_nor_good() {
    let Some(case) = case("08-null-with-good-quality") else { return };
    let folder = Folder::new();
    let world = world(&case, &folder).await;
    for value in ["21.5", "null"] {
        let said = said(&world, &format!("{{\"signal\":\"pump.temp\",\"value\":{value}}}")).await;
        let ack = serde_json::json!({ "ack": 1, "samples": 1, "refused": 0, "durable": true });
        assert_eq!(said, [ack], "{value}");
    }
    let (_, out, err) =
        orrery(&["state", case.to_str().unwrap(), "--at", "now", "--data", folder.0.join("data").to_str().unwrap(), "--json"]);
    let json: Json = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    let signal = &json["twins"][0]["signals"][0];
    assert!(signal["value"].is_null() && signal["quality"].as_str().unwrap().starts_with("bad"), "{signal}");
    assert_ne!(json["twins"][0]["status"], "normal", "{json}");
    world.stop().await;
}

#[tokio::test]
async fn a_bare_nan_is_refused_with_what_to_send_instead() {
    let Some(case) = case("09-nan-in-json") else { return };
    let folder = Folder::new();
    let world = world(&case, &folder).await;
    said(&world, "{\"signal\":\"pump.temp\",\"value\":21.5}").await;
    for bare in ["NaN", "nan"] {
        let said = said(&world, &format!("{{\"signal\":\"pump.temp\",\"value\":{bare}}}")).await;
        assert!(said[0]["error"].as_str().unwrap().contains("null"), "{bare}: {said:?}");
        assert_eq!((said[1]["samples"].as_i64(), said[1]["refused"].as_i64()), (Some(0), Some(1)), "{bare}: {said:?}");
    }
    // As a text it is a reading without a value, which takes the place of the last good one.
    said(&world, "{\"signal\":\"pump.temp\",\"value\":\"NaN\"}").await;
    let held = world.hub.with_store(|store| store.live(SignalIndex(0))).unwrap();
    assert!(held.quality.is_bad() && !held.has_value(), "{held:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_time_in_milliseconds_is_refused_and_history_does_not_begin_in_1970() {
    let Some(case) = case("51-milliseconds-as-time") else { return };
    let folder = Folder::new();
    let world = world(&case, &folder).await;
    let now = world.app.clock.now().as_micros();
    for time in
        [format!("{}", now / 1_000), format!("{}", now / 1_000_000), format!("{}000", now), format!("\"{}\"", now / 1_000)]
    {
        let said = said(&world, &format!("{{\"signal\":\"pump.temp\",\"value\":21.5,\"time\":{time}}}")).await;
        assert!(said[0]["error"].as_str().unwrap().contains("epoch_"), "{time}: {said:?}");
        assert_eq!(said[1]["refused"], 1, "{time}: {said:?}");
    }
    assert_eq!(world.hub.extent(), None);
    world.stop().await;
}

//! `/ingest`: samples from a script.

use tokio_tungstenite::tungstenite::Message;
use twin_model::{Flags, Quality, Value};
use twin_protocol::*;

use crate::world::{SITE, Wish, World, at};

#[tokio::test]
async fn lines_become_samples_and_faults_are_answered_one_by_one() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut sender = world.socket("/ingest", None).await;
    sender
        .text(
            r#"{"signal":"pump-01.flow","value":21.37,"time":"2026-03-02T08:15:04Z","quality":"uncertain"}
{"signal":"pump-01.starts","value":7.0,"time":1772439304000000}
{"signal":"pump-01.running","value":1,"time":1772439304000000}

{"signal":"pump-01.mode","value":null,"time":1772439304000000}
{"signal":"pump-01.nothing","value":1}
{"signal":"pump-01.flow","value":"much"}
{"signal":"pump-01.flow","value":1,"time":"today"}
{"signal":"pump-01.flow","value":1,"quality":"fine"}
oops"#,
        )
        .await;
    let Some(Message::Text(answer)) = sender.message().await else { panic!() };
    let lines: Vec<serde_json::Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<i64> = lines.iter().map(|line| line["line"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [6, 7, 8, 9, 10]);
    assert_eq!(lines[1]["error"], "the value of 'pump-01.flow' must be a number");
    let mut client = world.client(None).await;
    let mut entries = Vec::new();
    while entries.len() < 4 {
        match client.frame().await {
            ServerFrame::Snapshot(snapshot) => entries.extend(snapshot.entries),
            ServerFrame::Batch(batch) => entries.extend(batch.entries),
            _ => {}
        }
    }
    let found: Vec<_> = entries.iter().map(|e| (e.id.0, e.sample.value.clone(), e.sample.quality, e.sample.flags)).collect();
    assert_eq!(
        found,
        [
            (0, Value::Float(21.37), Quality::UNCERTAIN, Flags::NONE),
            (1, Value::Int(7), Quality::GOOD, Flags::NONE),
            (2, Value::Bool(true), Quality::GOOD, Flags::NONE),
            (3, Value::text(""), Quality::GOOD, Flags::NULL),
        ]
    );
    assert!(entries.iter().all(|entry| entry.sample.source_time == at(0) && entry.sample.received_time > at(0)));
    world.stop().await;
}

#[tokio::test]
async fn the_link_follows_the_sender() {
    let world = World::start_with(SITE, Wish { pump: true, ..Wish::default() }).await;
    let mut client = world.client(None).await;
    let state = |frame| if let ServerFrame::Sources(links) = frame { Some(links[0].state) } else { None };
    let sender = world.socket("/ingest", None).await;
    while client.until(state).await != LinkState::Up {}
    drop(sender);
    while client.until(state).await != LinkState::Down {}
    world.stop().await;
}

#[tokio::test]
async fn a_token_is_asked_for_where_the_site_has_one() {
    let site = format!("{SITE}token = \"open sesame\"\n");
    let world = World::start_with(&site, Wish::default()).await;
    assert!(world.try_socket("/ingest", None, None).await.is_err());
    assert!(world.try_socket("/ingest?token=wrong", None, None).await.is_err());
    assert!(world.try_socket("/ingest?token=open%20sesame", None, None).await.is_ok());
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_connection() {
    let world = World::start().await;
    let mut sender = world.socket("/ingest", None).await;
    sender.text(&" ".repeat(1_100_000)).await;
    loop {
        match sender.message().await {
            Some(Message::Close(Some(frame))) => return assert_eq!(u16::from(frame.code), 1009),
            Some(_) => {}
            None => panic!("closed without a word"),
        }
    }
}

//! A server that is killed says of no sender that it has gone: what nobody sends any more is not current, whoever is asked and
//! whether another server has begun since.

use gateway::assemble::{PlantOptions, plant};
use gateway::history::Database;
use gateway::hub::Hub;
use gateway::site::Site;
use serde_json::Value as Json;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use twin_historian::{Store, StoreConfig};
use twin_model::{Sample, SignalIndex, SourceIndex, Span, Timestamp, Value};
use twin_protocol::{LinkChange, LinkState};

use crate::disk::Server;
use crate::stops::acknowledged;
use crate::world::{Folder, at, orrery};

/// Reports changes only, and is pushed.
const CHANGES: &str = r#"
[site]
id = "v"

[[interfaces]]
id = "i"
signals = [{ name = "t" }]

[[twins]]
id = "p"
interface = "i"
bind = false

[[sources]]
id = "s"
kind = "websocket"
"#;
/// A source that says nothing when its server ends.
const TABLE: &str = "[[sources]]\nid = \"file\"\nkind = \"csv\"\npath = \"none.csv\"\n";

async fn sender(server: &Server) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(&server.address).await.unwrap();
    tokio_tungstenite::client_async(format!("ws://{}/ingest", server.address), stream).await.unwrap().0
}

/// The one signal as `orrery state` says it.
fn signal(site: &std::path::Path, data: &std::path::Path, at: &str) -> Json {
    let (_, out, err) = orrery(&["state", site.to_str().unwrap(), "--data", data.to_str().unwrap(), "--at", at, "--json"]);
    let json: Json = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    json["twins"][0]["signals"][0].clone()
}

#[tokio::test]
async fn after_a_kill_nothing_that_was_pushed_is_current() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", CHANGES), folder.0.join("data"));
    let fresh = |at: &str| signal(&site, &data, at)["freshness"].clone();
    let mut server = Server::start(&site, &data);
    let mut socket = sender(&server).await;
    acknowledged(&mut socket, "{\"signal\":\"p.t\",\"value\":5}").await;
    let beside = signal(&site, &data, "now");
    assert_eq!((&beside["freshness"], &beside["value"]), (&"live".into(), &5.0.into()), "a sender is connected: {beside}");
    let received = beside["time"].as_str().unwrap().to_owned();
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let nobody = Timestamp::from_micros(micros_now()).to_string();
    assert_eq!((fresh("now"), fresh(&nobody)), ("offline".into(), "offline".into()), "nobody runs");
    assert_eq!(fresh(&received), "live", "what was then is as it was");
    // Written down once, before it is ready.
    let mut server = Server::start(&site, &data);
    for at in ["now", nobody.as_str()] {
        assert_eq!(fresh(at), "offline", "a server without a sender, {at}");
    }
    let mut socket = sender(&server).await;
    acknowledged(&mut socket, "{\"signal\":\"p.t\",\"value\":5}").await;
    assert_eq!(fresh("now"), "live");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    for (at, wanted) in [("now", "offline"), (&nobody, "offline"), (&received, "live")] {
        assert_eq!(fresh(at), wanted, "after two kills, {at}");
    }
}

fn micros_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap()
}

/// A hub over the folder, which goes without a word for its links.
fn running(site: &std::path::Path, data: &std::path::Path, then: impl FnOnce(&Hub)) {
    let options = PlantOptions { data: Some(data.to_owned()), ..PlantOptions::default() };
    let plant = plant(&Site::read_usable(site).unwrap(), &options).unwrap();
    then(&plant.hub);
    assert!(plant.hub.persist().unwrap().sync());
}

/// All changes of links, as whoever opens the folder next has them. To write it: that waits for the lock, which a program that another test
/// starts at this moment has for an instant.
fn links(site: &std::path::Path, data: &std::path::Path) -> Vec<LinkChange> {
    let model = Site::read_usable(site).unwrap().loaded.model;
    let mut store = Store::new(model.signals().iter().map(Into::into), StoreConfig::default());
    Database::open(data).unwrap().load(&model, &mut store).unwrap().links
}

const SENDER: SourceIndex = SourceIndex(0);
const FILE: SourceIndex = SourceIndex(1);

fn change(source: SourceIndex, state: LinkState, at: Timestamp) -> LinkChange {
    LinkChange { source: source.0, state, at }
}

#[test]
fn a_link_without_an_end_ends_after_the_last_that_is_known() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", format!("{CHANGES}{TABLE}")), folder.0.join("data"));
    let moment = Span::from_micros(1);
    let up = [change(SENDER, LinkState::Up, at(1)), change(FILE, LinkState::Up, at(2))];
    running(&site, &data, |hub| {
        hub.set_link(SENDER, LinkState::Up, "", at(1));
        hub.set_link(FILE, LinkState::Up, "", at(2));
    });
    // A file says nothing when its server ends, however it does.
    let down = |t: i64| change(SENDER, LinkState::Down, at(t) + moment);
    assert_eq!(links(&site, &data), [&up[..], &[down(2)]].concat(), "the newest change of a link");
    running(&site, &data, |hub| hub.set_link(SENDER, LinkState::Up, "", at(10)));
    let so_far = [&up[..], &[down(2), change(SENDER, LinkState::Up, at(10))]].concat();
    assert_eq!(links(&site, &data), [&so_far[..], &[down(10)]].concat());
    running(&site, &data, |hub| {
        hub.set_link(SENDER, LinkState::Up, "", at(20));
        hub.ingest(&[(SignalIndex(0), Sample::new(at(30), Value::Float(5.0)))]);
        hub.flush();
    });
    let so_far = [&so_far[..], &[down(10), change(SENDER, LinkState::Up, at(20))]].concat();
    assert_eq!(links(&site, &data), [&so_far[..], &[down(30)]].concat(), "the newest receipt");
    running(&site, &data, |hub| {
        hub.set_link(SENDER, LinkState::Up, "", at(40));
        hub.retain(at(100));
    });
    let so_far = [&so_far[..], &[down(30), change(SENDER, LinkState::Up, at(40))]].concat();
    assert_eq!(links(&site, &data), [&so_far[..], &[down(100)]].concat(), "what a server says of itself once a minute");
    // Once written down it stays, whatever comes later.
    running(&site, &data, |hub| {
        hub.ingest(&[(SignalIndex(0), Sample::new(at(200), Value::Float(6.0)))]);
        hub.flush();
        hub.retain(at(300));
    });
    assert_eq!(links(&site, &data), [&so_far[..], &[down(100)]].concat());
}

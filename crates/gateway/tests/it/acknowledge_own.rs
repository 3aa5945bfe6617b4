//! Which alarms a sender may acknowledge: with a token those of its own source, unless it may manage; never as a sample of its own making.

use gateway::access::{Access, Audit, Hash, Role, entry, new_token};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use twin_model::{Flags, Sample, Secret, Timestamp, Value};
use twin_protocol::*;

use crate::world::{Folder, Socket, Wish, World};

/// Two sources, an alarm of each, and one of what follows from both.
const TWO: &str = r#"
[site]
id = "two"

[[twins]]
id = "r"
bind = false
source = "push"
signals = [{ name = "level" }]
[[twins.alarms]]
id = "high"
kind = "limit"
signal = "level"
above = 90
acknowledge = "required"

[[twins]]
id = "s"
bind = false
source = "two"
signals = [{ name = "level" }, { name = "both", kind = "computed", expression = "level + r.level" }]
[[twins.alarms]]
id = "high"
kind = "limit"
signal = "level"
above = 90
acknowledge = "required"
[[twins.alarms]]
id = "both"
kind = "limit"
signal = "both"
above = 180
acknowledge = "required"

[[sources]]
id = "push"
kind = "websocket"
[[sources]]
id = "two"
kind = "websocket"
"#;

struct Plant {
    world: World,
    folder: Folder,
    tokens: Vec<(&'static str, Secret)>,
}

impl Plant {
    async fn start(asks: bool, site: &str) -> Self {
        let folder = Folder::new();
        let (mut tokens, mut file) = (Vec::new(), String::new());
        let two = vec!["two".to_owned()];
        for (name, roles, sources) in [
            ("line two", vec![Role::Send], two.clone()),
            ("everywhere", vec![Role::Send], vec![]),
            ("boss", vec![Role::Send, Role::Manage], two),
        ] {
            let token = new_token().unwrap();
            file += &entry(name, &roles, &sources, None, &Hash::of(&token));
            tokens.push((name, token));
        }
        let mut access = Access::default().with_audit(Audit::to_file(&folder.0.join("audit.jsonl")).unwrap());
        if asks {
            access = access.with_file(&folder.write("access.toml", file)).unwrap();
        }
        let world = World::start_with(site, Wish { access, pump: true, ..Wish::default() }).await;
        Self { world, folder, tokens }
    }

    async fn sender(&self, source: &str, token: &str, form: Option<&str>) -> Socket {
        let mut request = format!("ws://{}/ingest?source={source}", self.world.address).into_client_request().unwrap();
        let known = self.tokens.iter().find(|(name, _)| *name == token).map_or(token, |(_, token)| token.expose());
        if !known.is_empty() {
            request.headers_mut().insert("authorization", format!("Bearer {known}").parse().unwrap());
        }
        if let Some(form) = form {
            request.headers_mut().insert("sec-websocket-protocol", form.parse().unwrap());
        }
        let stream = TcpStream::connect(self.world.address).await.unwrap();
        Socket { inner: tokio_tungstenite::client_async(request, stream).await.unwrap().0 }
    }

    /// What the store holds of who acknowledged an alarm.
    fn by(&self, alarm: &str) -> Option<String> {
        let signal = self.world.hub.model().find_signal(&format!("{alarm}#acknowledged")).unwrap();
        self.world.hub.with_store(|store| store.live(signal)).map(|sample| sample.value.to_string())
    }

    /// Who did what, by the audit log.
    fn audit(&self) -> Vec<(String, String, Json)> {
        let text = std::fs::read_to_string(self.folder.0.join("audit.jsonl")).unwrap();
        let event = |line: &str| {
            let event: Json = serde_json::from_str(line).unwrap();
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            (text("who"), text("what"), event["status"].clone())
        };
        text.lines().map(event).collect()
    }
}

/// The answers to some lines, up to that of a last question.
async fn said(sender: &mut Socket, lines: &[Json]) -> (Vec<String>, Json) {
    let mut text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    text.push(json!({ "ack": 1 }).to_string());
    sender.text(&text.join("\n")).await;
    let mut complaints = Vec::new();
    loop {
        let Some(Message::Text(answer)) = sender.message().await else { panic!("no answer") };
        for line in answer.lines() {
            let json: Json = serde_json::from_str(line).unwrap();
            if json.get("ack").is_some() {
                return (complaints, json);
            }
            complaints.push(json["error"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned());
        }
    }
}

#[tokio::test]
async fn a_sender_with_a_token_acknowledges_alarms_of_its_own_source_and_the_log_says_who_it_was() {
    let plant = Plant::start(true, TWO).await;
    let line = |alarm: &str| json!({ "acknowledge": alarm, "by": "Ann" });
    for token in ["line two", "everywhere"] {
        let mut sender = plant.sender("two", token, None).await;
        let (complaints, ack) = said(&mut sender, &[line("r.high"), line("s.both")]).await;
        assert_eq!((ack["samples"].as_u64(), ack["refused"].as_u64()), (Some(0), Some(2)), "{complaints:?}");
        for (complaint, alarm) in complaints.iter().zip(["r.high", "s.both"]) {
            assert!(complaint.contains(&format!("'{alarm}'")) && complaint.contains("?source=ID"), "{complaint}");
        }
    }
    assert_eq!((plant.by("r.high"), plant.by("s.both")), (None, None));
    let (complaints, ack) = said(&mut plant.sender("two", "line two", None).await, &[line("s.high")]).await;
    assert_eq!((complaints.len(), ack["samples"].as_u64()), (0, Some(1)), "{complaints:?}");
    assert_eq!(plant.by("s.high").as_deref(), Some("Ann"));
    let (complaints, _) = said(&mut plant.sender("push", "everywhere", None).await, &[line("r.high")]).await;
    assert_eq!((complaints.len(), plant.by("r.high").as_deref()), (0, Some("Ann")), "{complaints:?}");
    // Who may manage acknowledges anything, wherever it sends to.
    let boss = json!({ "acknowledge": "r.high", "by": "the boss" });
    let (complaints, _) = said(&mut plant.sender("two", "boss", None).await, &[boss, line("s.both")]).await;
    assert_eq!((complaints.len(), plant.by("r.high").as_deref()), (0, Some("the boss")), "{complaints:?}");
    assert_eq!(plant.by("s.both").as_deref(), Some("Ann"));
    let event = |who: &str, what: &str, status: Json| (who.to_owned(), what.to_owned(), status);
    let refused = |who, alarm| event(who, &format!("refused: acknowledge {alarm} over /ingest of source two"), 403.into());
    let taken = |who, alarm, source| event(who, &format!("acknowledge {alarm} over /ingest of source {source}"), Json::Null);
    assert_eq!(
        plant.audit(),
        [
            refused("line two", "r.high"),
            refused("line two", "s.both"),
            refused("everywhere", "r.high"),
            refused("everywhere", "s.both"),
            taken("line two", "s.high", "two"),
            taken("everywhere", "r.high", "push"),
            taken("boss", "r.high", "two"),
            taken("boss", "s.both", "two"),
        ]
    );
    plant.world.stop().await;
}

#[tokio::test]
async fn who_acknowledged_is_no_sample_that_a_sender_writes_itself_in_either_form() {
    for asks in [false, true] {
        let plant = Plant::start(asks, TWO).await;
        let token = |name| if asks { name } else { "" };
        for name in ["line two", "boss"] {
            let id = "s.high#acknowledged";
            let mut sender = plant.sender("two", token(name), None).await;
            let (complaints, ack) = said(
                &mut sender,
                &[
                    json!({ "signal": id, "value": "Ann" }),
                    json!({ "signal": id, "value": 7 }),
                    json!({ "signal": id, "value": "Ann", "time": "2099-01-01T00:00:00Z" }),
                    json!({ "signal": "r.high#acknowledged", "value": null, "time": "1995-01-01T00:00:00Z" }),
                ],
            )
            .await;
            assert_eq!((complaints.len(), ack["samples"].as_u64()), (4, Some(0)), "{complaints:?}");
            assert!(
                complaints[0].contains(id) && complaints[0].contains(r#"{"acknowledge":"s.high","by":"who"}"#),
                "{}",
                complaints[0]
            );
            let mut sender = plant.sender("two", token(name), Some(SUBPROTOCOL_INGEST_BIN)).await;
            let ids = ["s.level", id, "r.high#acknowledged"].map(Into::into).to_vec();
            let sample = |value| Sample { flags: Flags::MANUAL, ..Sample::new(plant.world.app.clock.now(), value) };
            let far = Sample::new(Timestamp::from_secs(4_000_000_000), Value::text("Ann"));
            let entries =
                [(0, sample(Value::Float(1.0))), (1, sample(Value::text("Ann"))), (1, far), (2, sample(Value::Float(5.0)))];
            let entries = entries.map(|(id, sample)| Entry { id: DictId(id), sample }).to_vec();
            for frame in [IngestFrame::Dictionary(ids), IngestFrame::Push(Batch { seq: 3, entries })] {
                futures_util::SinkExt::send(&mut sender.inner, Message::Binary(encode_ingest(&frame).into())).await.unwrap();
            }
            let ack = sender.until(|frame| if let ServerFrame::IngestAck(ack) = frame { Some(ack) } else { None }).await;
            assert_eq!((ack.taken, ack.refused), (1, 3), "{:?}", ack.reasons);
            assert!(ack.reasons[0].contains("send the line {\"acknowledge\":\"s.high\""), "{:?}", ack.reasons);
        }
        assert_eq!((plant.by("s.high"), plant.by("r.high")), (None, None));
        plant.world.stop().await;
    }
}

#[tokio::test]
async fn without_tokens_any_sender_acknowledges_and_a_sources_own_token_is_good_for_its_own_alarms() {
    let line = json!({ "acknowledge": "r.high", "by": "Ann" });
    let plant = Plant::start(false, TWO).await;
    let (complaints, _) = said(&mut plant.sender("two", "", None).await, std::slice::from_ref(&line)).await;
    assert_eq!((complaints.len(), plant.by("r.high").as_deref()), (0, Some("Ann")), "{complaints:?}");
    assert_eq!(plant.audit(), [], "nobody was asked who it is");
    plant.world.stop().await;

    for asks in [false, true] {
        let plant = Plant::start(asks, &format!("{TWO}token = \"open sesame\"\n")).await;
        let (complaints, _) = said(&mut plant.sender("two", "open sesame", None).await, std::slice::from_ref(&line)).await;
        assert!(complaints.len() == 1 && complaints[0].contains("'r.high'"), "{complaints:?}");
        let own = json!({ "acknowledge": "s.high" });
        let (complaints, _) = said(&mut plant.sender("two", "open sesame", None).await, &[own]).await;
        assert_eq!((complaints.len(), plant.by("s.high").as_deref()), (0, Some("somebody")), "{complaints:?}");
        assert_eq!(plant.by("r.high"), None);
        let who: Vec<String> = plant.audit().into_iter().map(|event| event.0).collect();
        assert_eq!(who, ["source:two", "source:two"]);
        plant.world.stop().await;
    }
}

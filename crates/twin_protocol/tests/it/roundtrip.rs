//! Every frame survives both forms; generated frames too.

use proptest::prelude::*;
use twin_model::{Flags, Quality, Sample, TimeRange, Timestamp, Value, ValueKind};
use twin_protocol::*;

pub(crate) fn time(s: i64) -> Timestamp {
    Timestamp::from_secs(1_772_439_304 + s)
}

pub(crate) fn every_server_frame() -> Vec<ServerFrame> {
    let range = TimeRange::new(time(0), time(60));
    let entry = |id, t, value| Entry { id: DictId(id), sample: Sample::new(time(t), value) };
    let entries = vec![
        entry(0, 1, Value::Float(21.37)),
        entry(1, 1, Value::Int(-4)),
        entry(1, 2, Value::Int(9)),
        entry(2, 2, Value::Bool(true)),
        Entry { id: DictId(3), sample: Sample::new(time(2), Value::text("RUN")).with_quality(Quality::BAD_NO_COMMUNICATION) },
    ];
    let dictionary = Dictionary {
        entries: vec![
            DictionaryEntry { signal: "pump-01.flow".into(), kind: ValueKind::Float },
            DictionaryEntry { signal: "filler-01.state".into(), kind: ValueKind::Text },
        ],
    };
    vec![
        ServerFrame::Hello(Hello {
            version: 1,
            epoch: 1_772_439_304_000_000,
            seq: 17,
            site: "bottling".into(),
            site_hash: "00c0ffee".into(),
            capabilities: Capabilities::RESUME.with(Capabilities::HISTORY),
            keep_alive_ms: 5_000,
            server_time: time(0),
            history: Some(range),
        }),
        ServerFrame::Dictionary(dictionary.clone()),
        ServerFrame::Snapshot(Snapshot { seq: 17, at: time(3), entries: entries.clone() }),
        ServerFrame::Batch(Batch { seq: 18, entries }),
        ServerFrame::Gap(Gap { range, reason: GapReason::Away }),
        ServerFrame::Sources(vec![SourceLink {
            source: "plc-1".into(),
            state: LinkState::Down,
            since: time(1),
            detail: "connection refused".into(),
        }]),
        ServerFrame::Lag(Lag { from_seq: 3, to_seq: 18, left_out: 4_000, range }),
        ServerFrame::KeepAlive { server_time: time(9) },
        ServerFrame::Pong { nonce: 7, server_time: time(9) },
        ServerFrame::Close(Close { code: CloseCode::GoingAway.number(), reason: "server stops".into() }),
        ServerFrame::History(History {
            extent: Some(range),
            next: Some(time(30)),
            links: vec![LinkChange { source: 0, state: LinkState::Up, at: time(0) }],
            dictionary,
            chunks: vec![vec![1, 2, 3], vec![0xFF; 40]],
        }),
        ServerFrame::Page(Page { chunks: vec![vec![0x4F, 0x52, 0x52], Vec::new(), vec![7; 60]] }),
        ServerFrame::IngestAck(IngestAck {
            seq: 4,
            taken: 299,
            refused: 1,
            durable: true,
            reasons: vec!["signal 'pump-09.flow' is not fed by this source; check the site file".into()],
        }),
        ServerFrame::Revision(Revision { number: 300, valid_from: time(5) }),
        ServerFrame::Unknown { kind: 0x7F },
    ]
}

pub(crate) fn every_client_frame() -> Vec<ClientFrame> {
    let hello = |resume| ClientFrame::Hello(ClientHello { versions: vec![1], agent: "viewer 0.1".into(), resume, token: None });
    vec![
        hello(None),
        hello(Some(Resume { epoch: 5, seq: 18, last_time: Some(time(4)) })),
        hello(Some(Resume { epoch: 5, seq: 18, last_time: None })),
        ClientFrame::Ping { nonce: 7 },
    ]
}

pub(crate) fn every_ingest_frame() -> Vec<IngestFrame> {
    let entry = |id, t, value| Entry { id: DictId(id), sample: Sample::new(time(t), value) };
    let entries = vec![entry(0, 1, Value::Float(21.37)), entry(0, 2, Value::Float(21.5)), entry(1, 2, Value::text("RUN"))];
    vec![
        IngestFrame::Dictionary(vec!["pump-01.flow".into(), "filler-01.state".into()]),
        IngestFrame::Dictionary(Vec::new()),
        IngestFrame::Push(Batch { seq: 4, entries }),
        IngestFrame::Push(Batch { seq: u64::MAX, entries: Vec::new() }),
    ]
}

#[test]
fn every_frame_of_a_sender_survives() {
    for frame in every_ingest_frame() {
        assert_eq!(decode_ingest(&encode_ingest(&frame), &Limits::INGEST_FRAMES).unwrap(), frame);
    }
}

#[test]
fn every_frame_survives_both_forms() {
    for frame in every_server_frame() {
        assert_eq!(decode_server(&encode_server(&frame), &Limits::SERVER_FRAMES).unwrap(), frame);
        assert_eq!(json::decode_server(&json::encode_server(&frame), &Limits::SERVER_FRAMES).unwrap(), frame);
    }
    for frame in every_client_frame() {
        assert_eq!(decode_client(&encode_client(&frame), &Limits::CLIENT_FRAMES).unwrap(), frame);
        assert_eq!(json::decode_client(&json::encode_client(&frame), &Limits::CLIENT_FRAMES).unwrap(), frame);
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        (-100_000_i32..100_000).prop_map(|v| Value::Float(f64::from(v) / 100.0)),
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
        "[a-zäß ]{0,6}".prop_map(|v| Value::text(&v)),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let time = prop_oneof![any::<i64>(), (0_i64..100).prop_map(|s| s * 1_000_000), (0_i64..9_999).prop_map(|ms| ms * 1_000)];
    (prop_oneof![0_u32..20, any::<u32>()], time.clone(), time, value(), any::<u16>(), any::<u8>()).prop_map(
        |(id, source, received, value, quality, flags)| Entry {
            id: DictId(id),
            sample: Sample {
                source_time: Timestamp::from_micros(source),
                received_time: Timestamp::from_micros(received),
                value,
                quality: Quality::from_bits(quality),
                flags: Flags(flags),
            },
        },
    )
}

pub(crate) fn batch() -> impl Strategy<Value = Batch> {
    (any::<u64>(), prop::collection::vec(entry(), 0..60)).prop_map(|(seq, entries)| {
        let mut batch = Batch { seq, entries };
        batch.sort();
        batch
    })
}

proptest! {
    #[test]
    fn any_batch_survives_the_binary_form(batch in batch()) {
        let frame = ServerFrame::Batch(batch);
        let bytes = encode_server(&frame);
        prop_assert_eq!(decode_server(&bytes, &Limits::SERVER_FRAMES).unwrap(), frame);
    }

    #[test]
    fn any_push_survives(batch in batch()) {
        let frame = IngestFrame::Push(batch);
        prop_assert_eq!(decode_ingest(&encode_ingest(&frame), &Limits::INGEST_FRAMES).unwrap(), frame);
    }

    #[test]
    fn any_batch_survives_the_json_form_but_for_the_bits_of_nan_and_of_what_is_no_value(batch in batch()) {
        let mut batch = batch;
        for entry in &mut batch.entries {
            if let Value::Float(v) = &mut entry.sample.value && v.is_nan() {
                *v = f64::NAN;
            }
            if entry.sample.flags.has(Flags::NULL) {
                entry.sample.value = Value::Float(0.0);
            }
        }
        let frame = ServerFrame::Batch(batch);
        prop_assert_eq!(json::decode_server(&json::encode_server(&frame), &Limits::SERVER_FRAMES).unwrap(), frame);
    }
}

#[test]
fn a_hello_may_bring_a_token_behind_what_the_first_servers_read() {
    let hello = |token: Option<&str>| {
        let token = token.map(twin_model::Secret::new);
        ClientFrame::Hello(ClientHello { versions: vec![1], agent: "page".into(), resume: None, token })
    };
    let (with, without) = (encode_client(&hello(Some("sesame"))), encode_client(&hello(None)));
    assert_eq!(with, [&without[..], &[1, 6], b"sesame"].concat(), "only ever appended");
    assert_eq!(decode_client(&with, &Limits::CLIENT_FRAMES).unwrap(), hello(Some("sesame")));
    // What comes behind is for later versions; a token of another shape is none.
    assert_eq!(decode_client(&[&without[..], &[0, 9, 9]].concat(), &Limits::CLIENT_FRAMES).unwrap(), hello(None));
    assert!(decode_client(&[&without[..], &[1, 9]].concat(), &Limits::CLIENT_FRAMES).is_err(), "cut off");
    let text = json::encode_client(&hello(Some("sesame")));
    assert_eq!(text, r#"{"frame":"hello","versions":[1],"agent":"page","token":"sesame"}"#);
    assert_eq!(json::decode_client(&text, &Limits::CLIENT_FRAMES).unwrap(), hello(Some("sesame")));
    assert!(!format!("{:?}", hello(Some("sesame"))).contains("sesame"));
}

//! The keeper in SQLite: the suite that every keeper must pass, older files, and what is written when slabs are sealed.

use gateway::history::{Database, SqliteHistorian, SyncPolicy};
use rusqlite::Connection;
use twin_historian::historian::{Historian, Position, conformance};
use twin_historian::{Level, Store, StoreConfig};
use twin_model::{Sample, SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::LinkState;

use crate::world::{Folder, SITE, at};

const ALWAYS: TimeRange = TimeRange::new(Timestamp::MIN, Timestamp::MAX);

#[test]
fn the_keeper_in_sqlite_conforms() {
    let folder = Folder::new();
    let mut made = 0;
    conformance::check(&mut || {
        made += 1;
        let path = folder.0.join(format!("{made}.sqlite3"));
        Box::new(SqliteHistorian::open(&path, SyncPolicy::Off).unwrap()) as Box<dyn Historian>
    });
    assert!(made > 10);
}

/// The tables as they were before levels, with two slabs of one lane, a chunk that stands beside one of them, a batch and a link.
fn older_file(path: &std::path::Path, model: &twin_model::Model) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE chunk (
                 first_signal INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, version INTEGER NOT NULL,
                 samples INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (first_signal, start_us)) WITHOUT ROWID;
             CREATE TABLE tail (
                 id INTEGER PRIMARY KEY, start_us INTEGER NOT NULL, last_us INTEGER NOT NULL, frame BLOB NOT NULL);
             CREATE TABLE link (at_us INTEGER NOT NULL, source TEXT NOT NULL, state INTEGER NOT NULL);",
        )
        .unwrap();
    let signals: String = model
        .signals()
        .iter()
        .map(|signal| {
            let kind = match signal.value_kind {
                twin_model::ValueKind::Float => 'f',
                twin_model::ValueKind::Int => 'i',
                twin_model::ValueKind::Bool => 'b',
                twin_model::ValueKind::Text => 't',
            };
            format!("{kind} {}\n", signal.id.as_str())
        })
        .collect();
    connection.execute("INSERT INTO meta VALUES ('site', 'pumps'), ('signals', ?1)", [signals]).unwrap();
    let mut store = Store::new(model.signals().iter().map(Into::into), StoreConfig::default());
    for s in 0..200 {
        store.append(SignalIndex(0), &Sample::new(at(s * 40), Value::Float(s as f64)));
    }
    let put = |start: Timestamp, end: Timestamp, version: u32, bytes: &[u8]| {
        let sql = "INSERT INTO chunk VALUES (0, ?1, ?2, ?3, 1, ?4)";
        connection.execute(sql, rusqlite::params![start.as_micros(), end.as_micros(), version, bytes]).unwrap();
    };
    let sealed = store.seal(at(100 * 3_600));
    for one in &sealed {
        put(one.chunk.key.start, one.chunk.key.end, 1, &one.chunk.bytes);
    }
    // A late sample of a slab that had been thinned: version 2 begins two microseconds early.
    let mut late = Store::new(model.signals().iter().map(Into::into), StoreConfig::default());
    late.append(SignalIndex(0), &Sample::new(at(7), Value::Float(-7.0)));
    let key = sealed[0].chunk.key;
    let beside = twin_historian::chunk::within(
        twin_historian::ChunkKey { start: key.start - Span::from_micros(2), version: 2, ..key },
        &late.export_chunks(ALWAYS)[0].bytes,
    )
    .unwrap();
    put(beside.key.start, beside.key.end, 2, &beside.bytes);
    connection.execute("INSERT INTO link VALUES (?1, 'script', 1)", [at(3).as_micros()]).unwrap();
    let entries = vec![twin_protocol::Entry { id: twin_protocol::DictId(0), sample: Sample::new(at(9_000), Value::Float(9.0)) }];
    let frame = twin_protocol::encode_server(&twin_protocol::ServerFrame::Batch(twin_protocol::Batch { seq: 1, entries }));
    let t = at(9_000).as_micros();
    connection.execute("INSERT INTO tail (start_us, last_us, frame) VALUES (?1, ?1, ?2)", rusqlite::params![t, frame]).unwrap();
}

#[test]
fn a_file_of_the_older_layout_is_brought_up_to_date_without_a_loss() {
    let folder = Folder::new();
    let site = gateway::site::Site::read_usable(&folder.write("site.toml", SITE)).unwrap();
    let model = &site.loaded.model;
    std::fs::create_dir_all(folder.0.join("data")).unwrap();
    older_file(&folder.0.join("data/history.sqlite3"), model);
    for again in 0..2 {
        let database = Database::open(&folder.0.join("data")).unwrap();
        let mut store = Store::new(model.signals().iter().map(Into::into), StoreConfig::default());
        let loaded = database.load(model, &mut store).unwrap();
        let links: Vec<LinkState> = loaded.links.iter().map(|change| change.state).collect();
        // Nobody wrote that the sender went, and no server runs.
        assert_eq!((loaded.unreadable, loaded.batches, &*links), (0, 1, &[LinkState::Up, LinkState::Down][..]), "time {again}");
        let mut samples = Vec::new();
        store.for_each_sample(SignalIndex(0), ALWAYS, &mut |sample| {
            samples.push((sample.source_time, sample.value.clone()));
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(samples.len(), 202);
        assert_eq!(samples[1], (at(7), Value::Float(-7.0)));
        let keeper = database.keeper();
        assert_eq!(keeper.layout().unwrap(), 2);
        assert!(keeper.catalogue(Level::Raw, ALWAYS).unwrap().iter().all(|kept| kept.key.start.as_micros() % 3_600_000_000 == 0));
        let mut entries = 0;
        let mut count = |_| {
            entries += 1;
            true
        };
        keeper.journal(Position(0), &mut count, &mut |_, why| panic!("{why}")).unwrap();
        assert_eq!(entries, 1);
    }
}

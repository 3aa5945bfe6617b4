//! History on disk: one SQLite file with sealed chunks, and the newest batches until a chunk holds them.
//!
//! A thread of its own collects what is to be written and commits at most 50 ms later, all in one transaction
//! (write-ahead log, synchronous FULL): after kill -9 or a power cut at most the last second is missing, and what is
//! there is whole. Where the disk refuses, sealed chunks wait for the next try; batches are given up first, because the
//! chunk of their hour will hold their samples too.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Bytes;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use tokio::sync::watch;
use twin_historian::{Chunk, Store, StoreConfig};
use twin_model::{Model, SignalIndex, SignalKind, TimeRange, Timestamp, ValueKind};
use twin_protocol::{Limits, LinkChange, LinkState, ServerFrame, decode_server};

use crate::GatewayError;
use crate::clock::instant;

/// Longest time that a sample waits for its commit.
const COMMIT_EVERY: Duration = Duration::from_millis(50);
/// Messages that may wait for the thread; beyond it batches are given up and counted.
const QUEUE: usize = 4_096;
/// Bytes of one unfinished group; beyond it batches are given up and counted.
const GROUP_BYTES: usize = 64 << 20;
/// Name of the database in the data folder.
const FILE: &str = "history.sqlite3";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk (
    first_signal INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, version INTEGER NOT NULL,
    samples INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (first_signal, start_us)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tail (
    id INTEGER PRIMARY KEY, start_us INTEGER NOT NULL, last_us INTEGER NOT NULL, frame BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS link (at_us INTEGER NOT NULL, source TEXT NOT NULL, state INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS link_at ON link (at_us);
";

enum Message {
    /// A batch with its number; 0 for samples from before the start, which nobody waits for.
    Tail(u64, Bytes, TimeRange),
    Link(LinkChange),
    Chunks(Vec<Chunk>),
    /// From here on chunks follow that hold everything in the batches written so far.
    Sealing,
    /// All of them were handed over: of those batches, the ones from wholly before this instant can go.
    Sealed(Timestamp),
    Sync(SyncSender<()>),
}

/// What the thread has done, for `/metrics`.
#[derive(Debug, Default)]
pub struct PersistTotals {
    /// Transactions.
    pub commits: AtomicU64,
    /// Transactions that failed.
    pub errors: AtomicU64,
    /// Batches given up.
    pub given_up: AtomicU64,
    /// Bytes of blobs written.
    pub bytes: AtomicU64,
}

/// Hands over to the writing thread. Dropping it commits the rest and waits for that.
pub struct Persist {
    send: Option<SyncSender<Message>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    totals: Arc<PersistTotals>,
    durable: Arc<Durable>,
}

/// The newest batch up to which everything is committed.
struct Durable {
    newest: watch::Sender<u64>,
    /// A batch was given up: from then on no later number may claim that all before it are safe.
    broken: AtomicBool,
}

impl Durable {
    fn publish(&self, seq: u64) {
        if !self.broken.load(Ordering::Acquire) {
            self.newest.send_if_modified(|newest| std::mem::replace(newest, seq.max(*newest)) < seq);
        }
    }
}

impl Persist {
    /// A batch as it went to clients, with its number; `times` are its first and last source time.
    pub(crate) fn tail(&self, seq: u64, frame: Bytes, times: TimeRange) {
        self.post(Message::Tail(seq, frame, times));
    }

    /// The number of the newest batch that survives kill -9 and a power cut, with all before it. Stands still once a batch
    /// had to be given up.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.newest.subscribe()
    }

    pub(crate) fn link(&self, change: LinkChange) {
        self.post(Message::Link(change));
    }

    /// Before the chunks of one round of sealing.
    pub(crate) fn sealing(&self) {
        self.insist(Message::Sealing);
    }

    /// Finished slabs.
    pub(crate) fn chunks(&self, chunks: Vec<Chunk>) {
        self.insist(Message::Chunks(chunks));
    }

    /// After the chunks: everything before `end` that came before [`Self::sealing`] is in some chunk.
    pub(crate) fn sealed(&self, end: Timestamp) {
        self.insist(Message::Sealed(end));
    }

    /// Chunks are never given up: waiting for the disk is right for them.
    fn insist(&self, message: Message) {
        if let Some(send) = &self.send
            && send.send(message).is_err()
        {
            self.totals.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything handed over so far is on disk.
    pub fn sync(&self) {
        let (done, wait) = sync_channel(1);
        if let Some(send) = &self.send
            && send.send(Message::Sync(done)).is_ok()
        {
            wait.recv_timeout(Duration::from_secs(10)).ok();
        }
    }

    /// What was written so far.
    pub fn totals(&self) -> &PersistTotals {
        &self.totals
    }

    fn post(&self, message: Message) {
        let Some(send) = &self.send else { return };
        match send.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.durable.broken.store(true, Ordering::Release);
                self.totals.given_up.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Persist {
    fn drop(&mut self) {
        self.send = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(thread.join());
        }
    }
}

/// The database of a data folder.
pub struct Database {
    path: PathBuf,
    connection: Connection,
    /// Held while the database may be written; two servers in one folder would write everything twice.
    lock: Option<File>,
}

/// What was on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Sealed chunks read.
    pub chunks: usize,
    /// Batches read.
    pub batches: usize,
    /// Chunks and batches that could not be read; their samples are missing.
    pub unreadable: usize,
    /// Signals of the saved history that the site no longer has; their samples stay in the file named here.
    pub dropped: Option<(usize, PathBuf)>,
    /// Link changes, oldest first.
    pub links: Vec<LinkChange>,
}

impl Database {
    /// Opens or makes the database in `folder`.
    ///
    /// # Errors
    /// Where the folder cannot be made or the file is no database of this program.
    pub fn open(folder: &Path) -> Result<Self, GatewayError> {
        std::fs::create_dir_all(folder).map_err(|source| GatewayError::Write { path: folder.to_owned(), source })?;
        let path = folder.join(FILE);
        let lock = lock(&folder.join("lock"))?;
        let connection = attempt(&path, "opening it", Connection::open(&path))?;
        attempt(&path, "choosing the write-ahead log", connection.pragma_update(None, "journal_mode", "WAL"))?;
        attempt(&path, "choosing full synchronisation", connection.pragma_update(None, "synchronous", "FULL"))?;
        attempt(&path, "making its tables", connection.execute_batch(SCHEMA))?;
        Ok(Self { path, connection, lock: Some(lock) })
    }

    /// Opens an existing database for reading; a server may be writing it at the same time.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open_to_read(folder: &Path) -> Result<Self, GatewayError> {
        let path = folder.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = attempt(&path, "opening it for reading", Connection::open_with_flags(&path, flags))?;
        Ok(Self { path, connection, lock: None })
    }

    /// Reads everything into `store`, whose signals are those of `model`. Where the site's signals changed since, samples
    /// are moved to where their signals are now.
    ///
    /// # Errors
    /// Where the database cannot be read. Single pieces that make no sense are counted, not fatal.
    pub fn load(&self, model: &Model, store: &mut Store) -> Result<Loaded, GatewayError> {
        let mut loaded = Loaded { links: self.links(model)?, ..Loaded::default() };
        let saved = self.meta("signals")?;
        match saved.filter(|saved| *saved != signals_text(model)) {
            None => self.read_into(store, &mut loaded)?,
            Some(saved) => self.remap(&saved, model, store, &mut loaded)?,
        }
        Ok(loaded)
    }

    fn remap(&self, saved: &str, model: &Model, store: &mut Store, loaded: &mut Loaded) -> Result<(), GatewayError> {
        let old: Vec<(&str, ValueKind)> =
            saved.lines().filter_map(|line| line.split_once(' ').map(|(k, id)| (id, kind_of(k)))).collect();
        let specs = old.iter().map(|(_, kind)| twin_historian::SignalSpec::new(SignalKind::Analog, *kind));
        let mut aside = Store::new(specs, StoreConfig { budget_bytes: usize::MAX / 2, ..StoreConfig::default() });
        self.read_into(&mut aside, loaded)?;
        let everything = TimeRange::new(Timestamp::MIN, Timestamp::MAX);
        let mut dropped = 0;
        for (at, (id, _)) in old.iter().enumerate() {
            let Some(new) = model.find_signal(id) else {
                dropped += 1;
                continue;
            };
            aside.for_each_sample(SignalIndex::from_at(at), everything, &mut |sample| {
                store.append(new, sample);
                std::ops::ControlFlow::Continue(())
            });
        }
        if dropped > 0 {
            loaded.dropped = Some((dropped, self.path.with_extension("before-site-change.sqlite3")));
        }
        Ok(())
    }

    fn read_into(&self, store: &mut Store, loaded: &mut Loaded) -> Result<(), GatewayError> {
        self.each("SELECT bytes FROM chunk ORDER BY start_us, first_signal", |bytes| match store.import_chunk(bytes) {
            Ok(_) => loaded.chunks += 1,
            Err(_) => loaded.unreadable += 1,
        })?;
        self.each("SELECT frame FROM tail ORDER BY id", |bytes| match decode_server(bytes, &Limits::SERVER_FRAMES) {
            Ok(ServerFrame::Batch(batch)) => {
                loaded.batches += 1;
                for entry in &batch.entries {
                    store.append(SignalIndex(entry.id.0), &entry.sample);
                }
            }
            _ => loaded.unreadable += 1,
        })
    }

    fn each(&self, sql: &str, mut f: impl FnMut(&[u8])) -> Result<(), GatewayError> {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                f(row.get_ref(0)?.as_blob()?);
            }
            Ok(())
        };
        attempt(&self.path, "reading it", read())
    }

    fn links(&self, model: &Model) -> Result<Vec<LinkChange>, GatewayError> {
        let position = |id: &str| model.sources().iter().position(|source| source.id == id);
        let read = || -> rusqlite::Result<Vec<LinkChange>> {
            let mut statement = self.connection.prepare("SELECT at_us, source, state FROM link ORDER BY at_us, rowid")?;
            let mut rows = statement.query([])?;
            let mut links = Vec::new();
            while let Some(row) = rows.next()? {
                let (at, source, state): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if let (Some(source), Some(&state)) = (position(&source), LinkState::ALL.get(usize::try_from(state).unwrap_or(0)))
                {
                    links.push(LinkChange { source: source as u32, state, at: Timestamp::from_micros(at) });
                }
            }
            Ok(links)
        };
        attempt(&self.path, "reading the links", read())
    }

    fn meta(&self, key: &str) -> Result<Option<String>, GatewayError> {
        let query = "SELECT value FROM meta WHERE key = ?1";
        attempt(&self.path, "reading it", self.connection.query_row(query, [key], |row| row.get(0)).optional())
    }

    /// Starts the writing thread for a site. Where the site's signals changed, the file as it was is kept beside, and
    /// `store` (loaded before) is written anew.
    ///
    /// # Errors
    /// Where the file holds another site's history, or cannot be written.
    pub fn start(mut self, model: &Model, store: &mut Store) -> Result<Persist, GatewayError> {
        let (site, signals) = (model.site().id.clone(), signals_text(model));
        let changed = self.meta("signals")?.is_some_and(|saved| saved != signals);
        if changed {
            let aside = self.path.with_extension("before-site-change.sqlite3");
            drop(std::fs::remove_file(&aside));
            let copy = self.connection.execute("VACUUM INTO ?1", [aside.display().to_string()]);
            attempt(&self.path, "keeping a copy before the site's change", copy)?;
        }
        let anew = changed.then(|| store.export_chunks(TimeRange::new(Timestamp::MIN, Timestamp::MAX)));
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            for (key, value) in [("site", &site), ("signals", &signals)] {
                transaction.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [key, value])?;
            }
            if let Some(chunks) = &anew {
                transaction.execute("DELETE FROM chunk", [])?;
                transaction.execute("DELETE FROM tail", [])?;
                for chunk in chunks {
                    put_chunk(&transaction, chunk)?;
                }
            }
            transaction.commit()
        };
        attempt(&self.path, "writing it", write(&mut self.connection))?;
        let sources = model.sources().iter().map(|source| source.id.clone()).collect();
        let totals = Arc::new(PersistTotals::default());
        let durable = Arc::new(Durable { newest: watch::Sender::new(0), broken: AtomicBool::new(false) });
        let (send, receive) = sync_channel(QUEUE);
        let writer = Writer {
            connection: self.connection,
            sources,
            totals: totals.clone(),
            durable: durable.clone(),
            group: Vec::new(),
            bytes: 0,
            sealing: 0,
            _lock: self.lock,
        };
        #[allow(clippy::disallowed_methods, reason = "the gateway may spawn; SQLite blocks and wants a thread of its own")]
        let thread = std::thread::spawn(move || writer.run(&receive));
        Ok(Persist { send: Some(send), thread: Mutex::new(Some(thread)), totals, durable })
    }
}

fn lock(path: &Path) -> Result<File, GatewayError> {
    let failed = |source| GatewayError::Write { path: path.to_owned(), source };
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(GatewayError::InUse { path: path.to_owned() }),
        // A file system without locks: better without than not at all.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn attempt<T>(path: &Path, what: &'static str, result: rusqlite::Result<T>) -> Result<T, GatewayError> {
    result.map_err(|source| GatewayError::Data { path: path.to_owned(), what, source })
}

/// Kind and id of every signal, one per line: what chunk positions mean.
fn signals_text(model: &Model) -> String {
    let line = |kind: ValueKind, id: &str| match kind {
        ValueKind::Float => format!("f {id}\n"),
        ValueKind::Int => format!("i {id}\n"),
        ValueKind::Bool => format!("b {id}\n"),
        ValueKind::Text => format!("t {id}\n"),
    };
    model.signals().iter().map(|signal| line(signal.value_kind, signal.id.as_str())).collect()
}

fn kind_of(letter: &str) -> ValueKind {
    match letter {
        "i" => ValueKind::Int,
        "b" => ValueKind::Bool,
        "t" => ValueKind::Text,
        _ => ValueKind::Float,
    }
}

fn put_chunk(transaction: &rusqlite::Transaction<'_>, chunk: &Chunk) -> rusqlite::Result<()> {
    let (key, sql) = (&chunk.key, "INSERT OR REPLACE INTO chunk VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    let values = params![key.first_signal, key.start.as_micros(), key.end.as_micros(), key.version, chunk.samples, chunk.bytes];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

struct Writer {
    connection: Connection,
    sources: Vec<String>,
    totals: Arc<PersistTotals>,
    durable: Arc<Durable>,
    group: Vec<Message>,
    bytes: usize,
    /// Newest batch when the current round of sealing began.
    sealing: i64,
    _lock: Option<File>,
}

impl Writer {
    fn run(mut self, receive: &Receiver<Message>) {
        let mut due = None;
        loop {
            let wait = due.map_or(Duration::from_secs(3_600), |due: std::time::Instant| due.saturating_duration_since(instant()));
            match receive.recv_timeout(wait) {
                Ok(Message::Sync(done)) => {
                    self.commit();
                    due = None;
                    done.send(()).ok();
                }
                Ok(message) => {
                    self.keep(message);
                    due.get_or_insert_with(|| instant() + COMMIT_EVERY);
                }
                Err(RecvTimeoutError::Timeout) => {
                    due = if self.commit() { None } else { Some(instant() + COMMIT_EVERY) };
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit();
                    return;
                }
            }
        }
    }

    fn keep(&mut self, message: Message) {
        self.bytes += match &message {
            Message::Tail(_, frame, _) => frame.len(),
            Message::Chunks(chunks) => chunks.iter().map(|chunk| chunk.bytes.len()).sum(),
            Message::Link(_) | Message::Sealing | Message::Sealed(_) | Message::Sync(_) => 0,
        };
        self.group.push(message);
        if self.bytes > GROUP_BYTES && !self.commit() {
            self.durable.broken.store(true, Ordering::Release);
            let before = self.group.len();
            self.group.retain(|message| !matches!(message, Message::Tail(..)));
            self.totals.given_up.fetch_add((before - self.group.len()) as u64, Ordering::Relaxed);
            self.bytes = 0;
        }
    }

    /// Writes the group in one transaction; keeps it where that fails.
    fn commit(&mut self) -> bool {
        if self.group.is_empty() {
            return true;
        }
        match write_group(&mut self.connection, &self.group, &self.sources, &mut self.sealing) {
            Ok(()) => {
                self.totals.commits.fetch_add(1, Ordering::Relaxed);
                self.totals.bytes.fetch_add(self.bytes as u64, Ordering::Relaxed);
                let seq = |message: &Message| if let Message::Tail(seq, ..) = message { *seq } else { 0 };
                self.durable.publish(self.group.iter().map(seq).max().unwrap_or(0));
                self.group.clear();
                self.bytes = 0;
                true
            }
            Err(error) => {
                if self.totals.errors.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::error!(%error, "history can't be written; trying again twice a second");
                    crate::term::warn(&format!("history can't be written: {error}; trying again twice a second"));
                }
                false
            }
        }
    }
}

fn write_group(connection: &mut Connection, group: &[Message], sources: &[String], sealing: &mut i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for message in group {
        match message {
            Message::Tail(_, frame, times) => {
                let sql = "INSERT INTO tail (start_us, last_us, frame) VALUES (?1, ?2, ?3)";
                let values = params![times.start.as_micros(), times.end.as_micros(), frame.as_ref()];
                transaction.prepare_cached(sql)?.execute(values)?;
            }
            Message::Link(change) => {
                let Some(source) = sources.get(change.source as usize) else { continue };
                let state = LinkState::ALL.iter().position(|state| *state == change.state).unwrap_or(0) as i64;
                let sql = "INSERT INTO link VALUES (?1, ?2, ?3)";
                transaction.prepare_cached(sql)?.execute(params![change.at.as_micros(), source, state])?;
            }
            Message::Chunks(chunks) => {
                for chunk in chunks {
                    put_chunk(&transaction, chunk)?;
                }
            }
            Message::Sealing => {
                let newest = "SELECT coalesce(max(id), 0) FROM tail";
                *sealing = transaction.prepare_cached(newest)?.query_row([], |row| row.get(0))?;
            }
            Message::Sealed(end) => {
                let sql = "DELETE FROM tail WHERE id <= ?1 AND last_us < ?2";
                transaction.prepare_cached(sql)?.execute(params![*sealing, end.as_micros()])?;
            }
            Message::Sync(_) => {}
        }
    }
    transaction.commit()
}

//! Rows in SQLite, clustered by signal and time.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rusqlite::{Connection, params};
use twin_model::Sample;

use crate::peer::{Bucket, Peer, State};
use crate::plan::{Plan, number};

/// `WITHOUT ROWID` with the primary key (signal, t) makes the table its own index: one search per signal and read.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -2000000;
    PRAGMA mmap_size = 8000000000;
    CREATE TABLE sample (signal INTEGER, t INTEGER, received INTEGER, v REAL, quality INTEGER, flags INTEGER,
                         PRIMARY KEY (signal, t)) WITHOUT ROWID;
    BEGIN";
const INSERT: &str = "INSERT OR REPLACE INTO sample VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
/// One search of the tree for each signal. Faster than one statement for all, in which SQLite repeats the search.
const LATEST: &str = "SELECT t, v FROM sample WHERE signal = ?1 AND t <= ?2 ORDER BY t DESC LIMIT 1";
const RANGE: &str = "
    SELECT t / ?1, MIN(v), MAX(v), COUNT(*) FROM sample WHERE signal = ?2 AND t >= ?3 AND t < ?4 GROUP BY t / ?1";

/// A database file of its own.
pub struct Sqlite {
    db: Connection,
    path: PathBuf,
    state: State,
}

impl Sqlite {
    /// A fresh database.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn new(plan: &Plan, folder: &Path) -> Result<Self> {
        let path = folder.join("peer.sqlite3");
        let db = Connection::open(&path)?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, path, state: State::of(plan.signals) })
    }
}

impl Peer for Sqlite {
    fn ingest(&mut self, batch: &[Sample]) -> Result<()> {
        let mut insert = self.db.prepare_cached(INSERT)?;
        for (at, s) in batch.iter().enumerate() {
            let (t, received) = (s.source_time.as_micros(), s.received_time.as_micros());
            insert.execute(params![at as i64, t, received, number(s), s.quality.bits(), s.flags.0])?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        Ok(self.db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    fn jump(&mut self, t: i64) -> Result<()> {
        self.state.values.fill(f64::NAN);
        self.state.times.fill(i64::MIN);
        let mut latest = self.db.prepare_cached(LATEST)?;
        for (signal, (time, value)) in self.state.times.iter_mut().zip(&mut self.state.values).enumerate() {
            let mut rows = latest.query([signal as i64, t])?;
            if let Some(row) = rows.next()? {
                (*time, *value) = (row.get(0)?, row.get(1)?);
            }
        }
        Ok(())
    }

    fn state(&self) -> State {
        self.state.clone()
    }

    fn range(&mut self, signal: u32, from: i64, to: i64, width: i64) -> Result<Vec<Bucket>> {
        let mut read = self.db.prepare_cached(RANGE)?;
        let bucket =
            |row: &rusqlite::Row<'_>| Ok(Bucket { number: row.get(0)?, min: row.get(1)?, max: row.get(2)?, count: row.get(3)? });
        Ok(read.query_map(params![width, signal, from, to], bucket)?.collect::<rusqlite::Result<_>>()?)
    }

    fn disk(&mut self) -> Result<Option<f64>> {
        Ok(Some(std::fs::metadata(&self.path)?.len() as f64))
    }

    fn in_memory(&self) -> bool {
        false
    }

    fn note(&self) -> String {
        "all fields, both clocks, rows clustered by (signal, t); one transaction, synchronous OFF; 2 GB of cache".to_owned()
    }
}

//! A data folder: the database in it, who may write it, and what a store gets from it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use twin_historian::historian::{Change, Historian, KeepError, Position};
use twin_historian::{Chunk, Level, Store, chunk};
use twin_model::{Model, SignalIndex, Span, TimeRange, Timestamp, Value};
use twin_protocol::{Limits, LinkChange, ServerFrame, decode_server};

use super::links::Links;
use super::moved::{Mapping, each_chunk, signals_text};
use super::sqlite::{SqliteHistorian, SyncPolicy};
use super::{ALWAYS, Persist, Setup, carried, outside, wal};
use crate::GatewayError;

/// Name of the database in the data folder.
pub const FILE: &str = "history.sqlite3";
/// Where history is written anew for a changed site, until it takes the place of the old file.
const MOVING: &str = "history.moving.sqlite3";
/// Where the file as it was before a change of the site stays.
const BEFORE: &str = "history.before-site-change.sqlite3";
/// Chunks of one commit while history moves.
const STEP: usize = 64;
/// Bytes in memory for each byte of a chunk, on the safe side: measured 1.7 on the load of `orrery bench time`.
const IN_MEMORY: u64 = 2;

/// The database of a data folder.
pub struct Database {
    path: PathBuf,
    keeper: SqliteHistorian,
    /// Held while the database may be written; two servers in one folder would write everything twice.
    lock: Option<File>,
    remarks: Vec<String>,
}

/// What was on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Chunks read.
    pub chunks: usize,
    /// Batches read.
    pub batches: usize,
    /// Chunks and batches that could not be read; their samples are missing.
    pub unreadable: usize,
    /// Signals of the saved history that the site no longer has; their samples stay in the file named here.
    pub dropped: Option<(usize, PathBuf)>,
    /// Link changes, oldest first.
    pub links: Vec<LinkChange>,
    /// What a person should know: what was torn, damaged and mended.
    pub remarks: Vec<String>,
    /// Before this, history is on disk only.
    pub from: Option<Timestamp>,
    /// Journal entries that are damaged, and why.
    damaged: Vec<(Position, String)>,
}

impl Database {
    /// Opens or makes the database in `folder`, with full synchronisation.
    ///
    /// # Errors
    /// Where the folder cannot be made, another server uses it, or the file is no database of this program.
    pub fn open(folder: &Path) -> Result<Self, GatewayError> {
        Self::open_with(folder, SyncPolicy::Full)
    }

    /// As [`Self::open`], with a choice of what commits survive.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(folder: &Path, sync: SyncPolicy) -> Result<Self, GatewayError> {
        std::fs::create_dir_all(folder).map_err(|source| GatewayError::Write { path: folder.to_owned(), source })?;
        let path = folder.join(FILE);
        let lock = lock(&folder.join("lock"))?;
        finish_move(folder)?;
        let mut remarks = Vec::new();
        // Before SQLite looks at it: afterwards nobody can tell what it left out.
        match wal::inspect(&path) {
            Ok(Some(found)) => remarks.extend(found.remark(&path)),
            Ok(None) => {}
            Err(source) => return Err(GatewayError::Read { path, source }),
        }
        wal::whole(&path)?;
        let keeper = attempt(&path, "opening it", SqliteHistorian::open(&path, sync))?;
        Ok(Self { path, keeper, lock: Some(lock), remarks })
    }

    /// Opens an existing database for reading; a server may be writing it at the same time.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open_to_read(folder: &Path) -> Result<Self, GatewayError> {
        let path = folder.join(FILE);
        let open = || SqliteHistorian::open_to_read(&path);
        let mut keeper = attempt(&path, "opening it for reading", open())?;
        if attempt(&path, "opening it for reading", keeper.layout())? != super::schema::LAYOUT {
            // An older layout: no server of this version has it open, so it can be brought up to date.
            drop(keeper);
            drop(Self::open(folder)?);
            keeper = attempt(&path, "opening it for reading", open())?;
        }
        Ok(Self { path, keeper, lock: None, remarks: Vec::new() })
    }

    /// The keeper, for reading.
    pub fn keeper(&self) -> &SqliteHistorian {
        &self.keeper
    }

    /// Reads everything into `store`, whose signals are those of `model`: every sample where they are kept, coarser ones
    /// before that. Where the site's signals changed since, samples are moved to where their signals are now.
    ///
    /// # Errors
    /// Where the database cannot be read. Single pieces that make no sense are counted, not fatal.
    pub fn load(&self, model: &Model, store: &mut Store) -> Result<Loaded, GatewayError> {
        self.load_before(model, store, Timestamp::MAX)
    }

    /// As [`Self::load`], but leaves out chunks that begin at or after `end`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_before(&self, model: &Model, store: &mut Store, end: Timestamp) -> Result<Loaded, GatewayError> {
        let mut read = || -> Result<Loaded, KeepError> {
            let mut loaded = self.loaded(model)?;
            let mapping = self.mapping(model)?;
            let mut stretches = vec![(Level::Raw, ALWAYS)];
            for (fine, coarse) in [(Level::Raw, Level::FiveMinutes), (Level::FiveMinutes, Level::Hour)] {
                let gone = outside(&self.keeper, fine)?;
                if gone > Timestamp::MIN {
                    stretches.push((coarse, TimeRange::new(Timestamp::MIN, gone)));
                    store.note_detail(TimeRange::new(outside(&self.keeper, coarse)?, gone), coarse);
                }
            }
            // What holds where samples begin, where older ones are gone.
            if stretches.len() > 1 {
                let instants = self.keeper.pages(Level::Carried, ALWAYS)?;
                let until = instants.iter().find(|page| carried::is_whole(page)).or(instants.last());
                if let (Some(first), Some(until)) = (instants.first(), until) {
                    stretches.push((Level::Carried, TimeRange::new(first.start, until.start + Span::from_micros(1))));
                }
            }
            for (level, range) in stretches.into_iter().rev() {
                let range = range.intersect(TimeRange::new(Timestamp::MIN, end));
                self.import(level, range, mapping.as_ref(), store, &mut loaded)?;
            }
            self.replay(mapping.as_ref(), store, &mut loaded)?;
            if let Some(mapping) = mapping.filter(|mapping| mapping.dropped() > 0) {
                loaded.dropped = Some((mapping.dropped(), self.path.with_file_name(BEFORE)));
            }
            Ok(loaded)
        };
        read().map_err(|source| self.failed(source))
    }

    /// Reads the newest history into an empty `store`: a day at most back from the newest slab that has begun by `now`
    /// (predictions lie beyond it and are read, too), and no more than half its budget. What is older stays on disk, and
    /// the store knows. Call [`Self::adopt`] first.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_newest(&self, model: &Model, store: &mut Store, now: Timestamp) -> Result<Loaded, GatewayError> {
        let mut read = || -> Result<Loaded, KeepError> {
            let mut loaded = self.loaded(model)?;
            let slab = store.config().slab;
            let mut room = (store.config().budget_bytes / 2) as u64 / IN_MEMORY;
            let pages = self.keeper.pages(Level::Raw, ALWAYS)?;
            let starts = || pages.iter().rev().map(|page| page.start.floor_to(slab));
            let newest = starts().find(|start| *start <= now).or_else(|| starts().next_back()).unwrap_or(Timestamp::MIN);
            let mut from = newest;
            for page in pages.iter().rev() {
                let start = page.start.floor_to(slab);
                if start < from && (page.bytes > room || newest.since(start) >= Span::from_secs(86_400)) {
                    break;
                }
                room = room.saturating_sub(page.bytes);
                from = from.min(start);
            }
            if from > Timestamp::MIN {
                store.note_kept_before(from);
                loaded.from = Some(from);
                self.import(Level::Carried, carried::chain(&self.keeper, from)?, None, store, &mut loaded)?;
                self.import(Level::Raw, TimeRange::new(from, Timestamp::MAX), None, store, &mut loaded)?;
                if store.texts_given_up_before().is_some() {
                    // There was no room for all texts of it: the keeper has them.
                    loaded.from = pages.iter().map(|page| page.end).max().max(Some(from));
                }
            }
            self.replay(None, store, &mut loaded)?;
            Ok(loaded)
        };
        read().map_err(|source| self.failed(source))
    }

    fn loaded(&self, model: &Model) -> Result<Loaded, KeepError> {
        let position = |id: &str| model.sources().iter().position(|source| source.id == id).map(|at| at as u32);
        let links = Links::load(&self.keeper)?.all(&position);
        Ok(Loaded { links, remarks: self.remarks.clone(), ..Loaded::default() })
    }

    fn mapping(&self, model: &Model) -> Result<Option<Mapping>, KeepError> {
        Ok(Mapping::of(self.keeper.note("signals")?.as_deref(), model))
    }

    fn import(
        &self,
        level: Level,
        range: TimeRange,
        mapping: Option<&Mapping>,
        store: &mut Store,
        loaded: &mut Loaded,
    ) -> Result<(), KeepError> {
        let signals = store.signals() as u32;
        each_chunk(&self.keeper, level, range, mapping, signals, &mut |bytes| {
            let why = match bytes {
                Ok(bytes) => store.import_chunk(&bytes).map(drop).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match why {
                Ok(()) => loaded.chunks += 1,
                Err(why) => {
                    loaded.unreadable += 1;
                    loaded.remark(&why);
                }
            }
            Ok(())
        })
    }

    /// The journal: what no chunk holds yet.
    fn replay(&self, mapping: Option<&Mapping>, store: &mut Store, loaded: &mut Loaded) -> Result<(), KeepError> {
        let mut damaged = Vec::new();
        let mut strange = Vec::new();
        let mut batches = 0;
        let mut each = |entry: twin_historian::historian::Entry| {
            let moved = mapping.map(|mapping| mapping.entry(&entry.bytes, store.signals() as u32));
            let pieces: Vec<&[u8]> = match &moved {
                None => vec![&entry.bytes],
                Some(moved) => moved.iter().map(Vec::as_slice).collect(),
            };
            for bytes in pieces {
                match take_in(bytes, store) {
                    Ok(()) => batches += 1,
                    Err(why) => strange.push((entry.position, why)),
                }
            }
            true
        };
        self.keeper.journal(Position(0), &mut each, &mut |position, why| damaged.push((position, why)))?;
        loaded.batches += batches;
        damaged.extend(strange);
        for (position, why) in &damaged {
            loaded.unreadable += 1;
            loaded.remark(&format!("journal entry {} is damaged: {why}", position.0));
        }
        loaded.damaged.extend(damaged);
        Ok(())
    }

    /// Where the site's signals are others than those of the saved history: writes history anew under their numbers, and keeps
    /// the file as it was beside. Returns how many signals are no more, and that file.
    ///
    /// # Errors
    /// Where a file cannot be written; the old one is as it was then.
    pub fn adopt(&mut self, model: &Model) -> Result<Option<(usize, PathBuf)>, GatewayError> {
        let Some(mapping) = self.mapping(model).map_err(|source| self.failed(source))? else { return Ok(None) };
        let moving = self.path.with_file_name(MOVING);
        discard(&moving);
        let mut new =
            attempt(&moving, "making a new one for the changed site", SqliteHistorian::open(&moving, SyncPolicy::Full))?;
        self.copy(&mapping, model, &mut new).map_err(|source| GatewayError::History { path: moving.clone(), source })?;
        close(new, &moving)?;
        let before = self.path.with_file_name(BEFORE);
        discard(&before);
        let old = attempt(&self.path, "closing it", SqliteHistorian::open_to_read(&self.path))?;
        close(std::mem::replace(&mut self.keeper, old), &self.path)?;
        let rename = |from: &Path, to: &Path| {
            std::fs::rename(from, to).map_err(|source| GatewayError::Write { path: to.to_owned(), source })
        };
        rename(&self.path, &before)?;
        rename(&moving, &self.path)?;
        self.keeper = attempt(&self.path, "opening it", SqliteHistorian::open(&self.path, SyncPolicy::Full))?;
        Ok((mapping.dropped() > 0).then(|| (mapping.dropped(), before)))
    }

    fn copy(&self, mapping: &Mapping, model: &Model, new: &mut SqliteHistorian) -> Result<(), KeepError> {
        let signals = model.signals().len() as u32;
        let mut changes: Vec<Change> = Vec::new();
        for level in twin_historian::historian::LEVELS {
            each_chunk(&self.keeper, level, ALWAYS, Some(mapping), signals, &mut |bytes| {
                // What is damaged stays in the file that is kept beside.
                if let Ok(bytes) = bytes
                    && let Ok((key, samples, _)) = chunk::inspect(&bytes)
                {
                    changes.push(Change::Put(Chunk { key, samples: samples as u32, bytes: bytes.to_vec() }));
                }
                if changes.len() >= STEP {
                    new.commit(&std::mem::take(&mut changes))?;
                }
                Ok(())
            })?;
        }
        let mut entries = Vec::new();
        let mut each = |entry: twin_historian::historian::Entry| {
            let moved = mapping.entry(&entry.bytes, signals).into_iter();
            entries.extend(moved.map(|bytes| Change::Append { times: entry.times, bytes: bytes.into() }));
            true
        };
        self.keeper.journal(Position(0), &mut each, &mut |_, _| {})?;
        new.commit(&changes)?;
        new.commit(&entries)?;
        let notes = self.keeper.notes()?.into_iter().filter(|(name, _)| name != "signals");
        let notes: Vec<Change> = notes.map(|(name, text)| Change::Note { name, text }).collect();
        new.commit(&notes)?;
        new.commit(&identity(model)).map(drop)
    }

    /// Starts the writing threads for a site, with the default [`Setup`]. `store` was loaded before and is left as it is.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn start(self, model: &Model, store: &mut Store) -> Result<Persist, GatewayError> {
        debug_assert_eq!(store.signals(), model.signals().len());
        self.start_with(model, Setup::default(), &Loaded::default())
    }

    /// As [`Self::start`]; what `loaded` found damaged in the journal is set aside.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(mut self, model: &Model, setup: Setup, loaded: &Loaded) -> Result<Persist, GatewayError> {
        self.adopt(model)?;
        let path = self.path.clone();
        let failed = |source| GatewayError::History { path: path.clone(), source };
        for (position, why) in &loaded.damaged {
            self.keeper.set_aside_entry(*position, why).map_err(failed)?;
        }
        self.keeper.commit(&identity(model)).map_err(failed)?;
        Persist::over(Box::new(self.keeper), model, setup, true, self.lock).map_err(failed)
    }

    fn failed(&self, source: KeepError) -> GatewayError {
        GatewayError::History { path: self.path.clone(), source }
    }
}

impl Loaded {
    /// The first few of what went wrong, and that there were more.
    fn remark(&mut self, why: &str) {
        const FEW: usize = 5;
        match self.unreadable {
            0..=FEW => self.remarks.push(format!("saved history: {why}")),
            at if at == FEW + 1 => {
                self.remarks.push("saved history: more pieces are damaged; `orrery fsck` lists them".to_owned());
            }
            _ => {}
        }
    }
}

/// A journal entry into the store: a batch as it went to clients, or a chunk of what did not reach the journal then.
fn take_in(bytes: &[u8], store: &mut Store) -> Result<(), String> {
    if bytes.starts_with(&chunk::MAGIC) {
        return store.import_chunk(bytes).map(drop).map_err(|error| error.to_string());
    }
    match decode_server(bytes, &Limits::KEPT_FRAMES) {
        Ok(ServerFrame::Batch(batch)) => {
            for mut entry in batch.entries {
                cut(&mut entry.sample.value);
                store.append(SignalIndex(entry.id.0), &entry.sample);
            }
            Ok(())
        }
        Ok(_) => Err("it is a frame of another kind".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Earlier versions acknowledged texts that no chunk can hold: what can be held of them is better than nothing.
fn cut(value: &mut Value) {
    if let Value::Text(text) = value
        && text.len() > chunk::MAX_WORD_BYTES
    {
        *value = Value::text(text.get(..text.floor_char_boundary(chunk::MAX_WORD_BYTES)).unwrap_or_default());
    }
}

fn identity(model: &Model) -> [Change; 2] {
    let note = |name: &str, text: String| Change::Note { name: name.to_owned(), text };
    [note("site", model.site().id.clone()), note("signals", signals_text(model))]
}

/// Writes everything from the log into the file, and closes it, so that the file alone is the database.
fn close(keeper: SqliteHistorian, path: &Path) -> Result<(), GatewayError> {
    attempt(path, "closing it", keeper.fold_log())?;
    drop(keeper);
    Ok(())
}

/// A move that was cut short between its last two steps.
fn finish_move(folder: &Path) -> Result<(), GatewayError> {
    let (path, moving) = (folder.join(FILE), folder.join(MOVING));
    if path.exists() || !moving.exists() {
        return Ok(());
    }
    std::fs::rename(&moving, &path).map_err(|source| GatewayError::Write { path, source })
}

/// Removes a database that nobody needs any more; missing files are fine.
fn discard(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        drop(std::fs::remove_file(PathBuf::from(name)));
    }
}

pub(super) fn lock(path: &Path) -> Result<File, GatewayError> {
    let failed = |source| GatewayError::Write { path: path.to_owned(), source };
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(GatewayError::InUse { path: path.to_owned() }),
        // A file system without locks: better without than not at all.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// The error for people: damage is told apart from trouble.
pub(super) fn attempt<T>(path: &Path, what: &'static str, result: rusqlite::Result<T>) -> Result<T, GatewayError> {
    result.map_err(|source| match super::sqlite::trouble("read", &source) {
        KeepError::Damaged { why, .. } => GatewayError::Damaged { path: path.to_owned(), why },
        KeepError::Unavailable { .. } => GatewayError::Data { path: path.to_owned(), what, source },
    })
}

//! A data folder: the database in it, who may write it, and what a store gets from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use twin_historian::historian::{Historian, KeepError, Kept, Position};
use twin_historian::{Level, Sealed, SignalSpec, Store, StoreConfig, chunk};
use twin_model::{Model, Sample, SignalIndex, SignalKind, Span, TimeRange, Timestamp, Value};
use twin_protocol::{Limits, LinkChange, ServerFrame, decode_server};

use super::damage::{self, Missing, Piece};
use super::links::Links;
use super::reading::{self, Private, Reading};
use super::series::{Numbers, Series};
use super::sqlite::{SqliteHistorian, SyncPolicy};
use super::units::{Apart, learn, with_samples};
use super::{Persist, Setup, begins, carried, guard, outside, salvage::replace, wal};
use crate::GatewayError;
use crate::clock::{instant, wall};
use crate::revisions::earlier;
use crate::stores::ALWAYS;

/// Name of the database in the data folder.
pub const FILE: &str = "history.sqlite3";
/// Where a server keeps what it publishes, in the data folder.
pub const PUBLICATION: &str = "publication";
/// Where history was written anew for a changed site until issue 9; a kill could leave it without its final name.
const MOVING: &str = "history.moving.sqlite3";
/// Bytes in memory for each byte of a chunk, on the safe side: measured 1.7 on the load of `orrery bench time`.
const IN_MEMORY: u64 = 2;

/// The database of a data folder.
pub struct Database {
    path: PathBuf,
    keeper: SqliteHistorian,
    /// Held while the database may be written; two servers in one folder would write everything twice.
    lock: Option<File>,
    remarks: Vec<String>,
    /// What a damaged folder lacks.
    missing: Vec<Missing>,
    /// Whether another program has it open to write.
    busy: bool,
    /// What it is read from where that is not the folder; goes after the keeper.
    _private: Option<Private>,
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
    /// Series of the saved history that the site does not have; they stay where they are.
    pub absent: usize,
    /// Link changes, oldest first.
    pub links: Vec<LinkChange>,
    /// Sources whose links a server that was killed left up, and from when on they count as down: in [`Self::links`], and not yet kept.
    ended: Vec<(String, Timestamp)>,
    /// When the newest sample of the journal was received.
    received: Option<Timestamp>,
    /// What a person should know: what was torn, damaged and mended.
    pub remarks: Vec<String>,
    /// What can't be read of what was to be: which time of which series.
    pub missing: Vec<Missing>,
    /// Before this, history is on disk only.
    pub from: Option<Timestamp>,
    /// Journal entries that are damaged, and why.
    damaged: Vec<(Position, String)>,
    /// What the journal holds of series that the site does not have: no store will seal it.
    strays: Vec<Sealed>,
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
        guard::own_file(folder)?;
        let mut lock = lock(&folder.join("lock"))?;
        let mended = replace::finish(folder)?;
        finish_move(folder)?;
        guard::may_begin(folder)?;
        // Before SQLite looks at it: afterwards nobody can tell what it left out.
        let looked = wal::look(&path).map_err(|source| GatewayError::Read { path: path.clone(), source })?;
        looked.not_newer(&path)?;
        let mut remarks: Vec<String> = looked.remark.into_iter().collect();
        remarks.extend(mended.map(|aside| {
            format!("a repair of history that was cut short is finished; what it could not save is in {} only", aside.display())
        }));
        if let Some(why) = looked.damage {
            if sync == SyncPolicy::Full || looked.lack == Some(wal::Lack::Foreign) || looked.lacking > 0 {
                return Err(GatewayError::Damaged { path, why });
            }
            // Without full synchronisation a power cut may do this, and what is lost was not promised to survive it.
            let aside = replace::log_aside(&path)?.map(|aside| format!("; a copy of the log as it was is {}", aside.display()));
            remarks.push(format!("the end of history is damaged: {why}{}", aside.unwrap_or_default()));
        }
        wal::whole(&path)?;
        if path.exists() {
            guard::may_begin_in(folder, &attempt(&path, "looking at it", SqliteHistorian::open_to_read(&path))?)?;
        }
        let mut keeper = attempt(&path, "opening it", SqliteHistorian::open(&path, sync))?;
        keeper.agrees().map_err(|source| damage::in_file(&path, source))?;
        keeper.guard(&[path.clone(), folder.join("lock")]);
        guard::mark(&mut lock, None);
        keeper.sign(&lock);
        Ok(Self { path, keeper, lock: Some(lock), remarks, missing: Vec::new(), busy: false, _private: None })
    }

    /// Opens an existing database for reading; a server may be writing it at the same time. All that is read is of one moment: what is
    /// sealed or joined meanwhile is in neither place twice, and missing in none. Changes no byte of history: where the log is damaged,
    /// or the file of an older layout, a private copy is read.
    ///
    /// # Errors
    /// Where there is none, or it can't be read.
    pub fn open_to_read(folder: &Path) -> Result<Self, GatewayError> {
        let Reading { keeper, remarks, missing, private, busy } = reading::open(folder)?;
        keeper.begin_reading().map_err(|source| damage::in_file(keeper.path(), source))?;
        Ok(Self { path: folder.join(FILE), keeper, lock: None, remarks, missing, busy, _private: private })
    }

    /// What a person should know of what was opened: what a kill left unfinished, and what is damaged.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// What a damaged folder lacks, whoever reads it.
    pub(super) fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// The keeper, and the lock while it is held.
    pub(super) fn into_parts(self) -> (SqliteHistorian, Option<File>) {
        (self.keeper, self.lock)
    }

    /// The keeper, for reading.
    pub fn keeper(&self) -> &SqliteHistorian {
        &self.keeper
    }

    /// Reads everything into the empty `store`, whose signals are those of `model`: every sample where they are kept, coarser
    /// ones before that. Series that the site does not have stay where they are.
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
            let mut loaded = self.begin(model, store)?;
            let mut stretches = vec![(Level::Raw, ALWAYS)];
            for (fine, coarse) in [(Level::Raw, Level::FiveMinutes), (Level::FiveMinutes, Level::Hour)] {
                let gone = begins(&self.keeper, fine)?;
                if gone > Timestamp::MIN {
                    stretches.push((coarse, TimeRange::new(Timestamp::MIN, gone)));
                    store.note_detail(TimeRange::new(begins(&self.keeper, coarse)?, gone), coarse);
                }
            }
            // What holds where every sample is kept from: all that is known of it, for what is superseded is still history.
            if stretches.len() > 1 {
                let instants = self.keeper.pages(Level::Carried, ALWAYS)?;
                let whole = self.keeper.extent(Level::Raw)?.map_or(Timestamp::MAX, |raw| raw.start);
                let until = instants.iter().rfind(|page| page.start <= whole);
                if let (Some(first), Some(until)) = (instants.first(), until) {
                    stretches.push((Level::Carried, TimeRange::new(first.start, until.start + Span::from_micros(1))));
                }
            }
            for (level, range) in stretches.into_iter().rev() {
                let range = range.intersect(TimeRange::new(Timestamp::MIN, end));
                self.import(level, range, store, &mut loaded)?;
            }
            self.replay(store, &mut loaded)?;
            self.end_links(model, &mut loaded)?;
            Ok(loaded)
        };
        read().map_err(|source| self.failed(source))
    }

    /// Reads the newest history into an empty `store`: a day at most back from the newest slab that has begun by `now`
    /// (predictions lie beyond it and are read, too), and no more than half its budget. What is older stays on disk, and
    /// the store knows.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_newest(&self, model: &Model, store: &mut Store, now: Timestamp) -> Result<Loaded, GatewayError> {
        let mut read = || -> Result<Loaded, KeepError> {
            let mut loaded = self.begin(model, store)?;
            let slab = store.config().slab;
            let mut room = (store.config().budget_bytes / 2) as u64 / IN_MEMORY;
            let pages = self.keeper.pages(Level::Raw, ALWAYS)?;
            let starts = || pages.iter().rev().map(|page| page.start.floor_to(slab));
            let newest = starts().find(|start| *start <= now).or_else(|| starts().next_back());
            // Where all of them are gone, what held at the end of the last one holds, and older extracts are with the keeper.
            let newest = newest.map_or_else(|| outside(&self.keeper, Level::Raw), Ok)?;
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
                self.import(Level::Carried, carried::chain(&self.keeper, from)?, store, &mut loaded)?;
                self.import(Level::Raw, TimeRange::new(from, Timestamp::MAX), store, &mut loaded)?;
                if store.texts_given_up_before().is_some() {
                    // There was no room for all texts of it: the keeper has them.
                    loaded.from = pages.iter().map(|page| page.end).max().max(Some(from));
                }
            }
            self.replay(store, &mut loaded)?;
            self.end_links(model, &mut loaded)?;
            Ok(loaded)
        };
        read().map_err(|source| self.failed(source))
    }

    /// Says to the store under which numbers its signals are kept, and reads what is read in any case.
    fn begin(&self, model: &Model, store: &mut Store) -> Result<Loaded, KeepError> {
        let (series, numbers) = self.numbered(model)?;
        let absent = series.absent(model).len();
        number(store, &numbers);
        let (remarks, missing) = (self.remarks.clone(), self.missing.clone());
        Ok(Loaded { remarks, absent, unreadable: missing.len(), missing, ..Loaded::default() })
    }

    /// After [`Self::replay`]: the changes of links. Nobody has the folder open to write, so nobody is connected: what a server that ended
    /// without a word left up counts as down after the last moment of which anything is known, which it surely lived to see.
    fn end_links(&self, model: &Model, loaded: &mut Loaded) -> Result<(), KeepError> {
        let mut links = Links::load(&self.keeper)?;
        if !self.busy
            && let Some(newest) = links.newest()
        {
            // Times of receipt may be a sender's own: nothing is known of what has not come.
            let known = loaded.received.max(links.lived()).map_or(newest, |known| known.max(newest));
            let at = (known + Span::from_micros(1)).min(wall()).max(newest);
            loaded.ended = links.unended(model).into_iter().map(|source| (source, at)).collect();
            links.end(&loaded.ended);
        }
        let position = |id: &str| model.sources().iter().position(|source| source.id == id).map(|at| at as u32);
        loaded.links = links.all(&position);
        Ok(())
    }

    /// Ids of the series that are kept here and that the site does not have.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn absent(&self, model: &Model) -> Result<Vec<String>, GatewayError> {
        let (series, _) = self.numbered(model).map_err(|source| self.failed(source))?;
        Ok(series.absent(model).into_iter().map(str::to_owned).collect())
    }

    /// What a person should know who reads the folder for a site: that it was kept for another one, where series of the same ids are taken for
    /// its own, and which samples of a stretch of time are in other units. `today` is the site as its file is now, where `model` is of then.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn about(&self, model: &Model, today: &Model, range: TimeRange) -> Result<Vec<String>, GatewayError> {
        let Some(folder) = self.path.parent() else { return Ok(Vec::new()) };
        let own = &model.site().id;
        let other = earlier::site_of(&folder.join(PUBLICATION)).filter(|kept| kept != own).map(|kept| {
            format!(
                "history in {} was kept for site '{kept}', and this is site '{own}': signals with the same ids are taken for the same; is it the \
                 folder of another plant?",
                folder.display(),
            )
        });
        Ok(other.into_iter().chain(Apart::words(&self.apart(model, range)?, today, folder)).collect())
    }

    /// The table of series, with the numbers of a site's signals. Units that no program wrote down are those of the newest revision
    /// beside the history, which is of the site that wrote it last; else the site's own.
    fn numbered(&self, model: &Model) -> Result<(Series, Numbers), KeepError> {
        let mut series = self.keeper.series()?;
        if let Some(folder) = self.path.parent() {
            learn(&mut series, folder);
        }
        // Where it can't be told whether any are there, they count as there.
        let mut used = |asked: &BTreeSet<u32>| with_samples(&self.keeper, asked, ALWAYS).unwrap_or_else(|_| asked.clone());
        let numbers = series.number(model, &mut used);
        Ok((series, numbers))
    }

    /// Samples in a stretch of time that are kept in another unit than a site has them in, and so are not shown.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn apart(&self, model: &Model, range: TimeRange) -> Result<Vec<Apart>, GatewayError> {
        let read = || -> Result<Vec<Apart>, KeepError> {
            let (series, _) = self.numbered(model)?;
            // Who may write sets them apart at its start; until then they have the names that they had.
            let on_disk = if self.lock.is_some() { series.clone() } else { self.keeper.series()? };
            let mut apart = series.apart(model, &on_disk);
            let numbers: BTreeSet<u32> = apart.iter().map(|(number, _)| *number).collect();
            let there = if numbers.is_empty() { numbers } else { with_samples(&self.keeper, &numbers, range)? };
            apart.retain(|(number, _)| there.contains(number));
            Ok(apart.into_iter().map(|(_, one)| one).collect())
        };
        read().map_err(|source| self.failed(source))
    }

    fn import(&self, level: Level, range: TimeRange, store: &mut Store, loaded: &mut Loaded) -> Result<(), KeepError> {
        for page in self.keeper.pages(level, range)? {
            for kept in of_page(&self.keeper, level, page.start)? {
                let missing = match damage::piece(&self.keeper, &kept.key)? {
                    Piece::Whole(bytes) => store.import_kept(&bytes).err().map(|error| Missing::of(&kept.key, error.to_string())),
                    Piece::Gone => continue,
                    Piece::Missing(missing) => Some(missing),
                };
                match missing {
                    None => loaded.chunks += 1,
                    Some(missing) => {
                        loaded.unreadable += 1;
                        loaded.remark(&format!("{} is damaged: {}", missing.what, missing.why));
                        loaded.missing.push(missing);
                    }
                }
            }
        }
        Ok(())
    }

    /// The journal: what no chunk holds yet.
    fn replay(&self, store: &mut Store, loaded: &mut Loaded) -> Result<(), KeepError> {
        let mut series = self.keeper.series()?;
        let mut strays = Strays::new(&mut series, store);
        let mut damaged = Vec::new();
        let mut strange = Vec::new();
        let mut batches = 0;
        let mut each = |entry: twin_historian::historian::Entry| {
            match strays.take_in(&entry.bytes, store) {
                Ok(()) => batches += 1,
                Err(why) => strange.push((entry.position, why)),
            }
            true
        };
        self.keeper.journal(Position(0), &mut each, &mut |position, why| damaged.push((position, why)))?;
        loaded.batches += batches;
        loaded.received = strays.received;
        loaded.strays = strays.finish();
        damaged.extend(strange);
        for (position, why) in &damaged {
            loaded.unreadable += 1;
            let what = format!("journal entry {}", position.0);
            loaded.remark(&format!("{what} is damaged: {why}"));
            let (_, times) = self.keeper.entry_claims(*position)?;
            // Its last time is in it.
            let end = times.end.max(times.start) + Span::from_micros(1);
            loaded.missing.push(Missing {
                range: TimeRange::new(times.start, end),
                carried: false,
                numbers: None,
                what,
                why: why.clone(),
            });
        }
        loaded.damaged.extend(damaged);
        Ok(())
    }

    /// Starts the writing threads for a site, with the default [`Setup`]. `store` was loaded before and is left as it is, or is empty.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn start(self, model: &Model, store: &mut Store) -> Result<Persist, GatewayError> {
        debug_assert_eq!(store.signals(), model.signals().len());
        if store.extent().is_none() {
            number(store, &self.numbered(model).map_err(|source| self.failed(source))?.1);
        }
        self.start_with(model, Setup::default(), &Loaded::default())
    }

    /// As [`Self::start`]; what `loaded` found damaged in the journal is set aside, and links that it found without an end are written down as
    /// ended.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(mut self, model: &Model, setup: Setup, loaded: &Loaded) -> Result<Persist, GatewayError> {
        let path = self.path.clone();
        let failed = |source| damage::in_file(&path, source);
        for (position, why) in &loaded.damaged {
            self.keeper.set_aside_entry(*position, why).map_err(failed)?;
        }
        let (series, numbers) = self.numbered(model).map_err(failed)?;
        self.keeper.set_series(&series, Some(&model.site().id)).map_err(failed)?;
        let mut links = Links::load(&self.keeper).map_err(failed)?;
        links.end(&loaded.ended);
        // At once, so that whoever reads beside this server has the same answer; where the disk refuses, with the first commit that it takes.
        if !loaded.ended.is_empty() && self.keeper.commit(&links.changes()).is_ok() {
            links.committed();
        }
        let persist = Persist::numbered(Box::new(self.keeper), links, model, numbers, setup, true, self.lock).map_err(failed)?;
        // Before any round of sealing may trim the journal.
        persist.at_start(&loaded.missing);
        loaded.strays.iter().for_each(|sealed| persist.lane(sealed.clone()));
        Ok(persist)
    }

    fn failed(&self, source: KeepError) -> GatewayError {
        damage::in_file(&self.path, source)
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

fn number(store: &mut Store, numbers: &Numbers) {
    let fits = store.number(numbers.all(), numbers.given());
    debug_assert!(fits, "numbers are given once");
}

/// The chunks of a level that begin at one instant.
pub(super) fn of_page(keeper: &dyn Historian, level: Level, start: Timestamp) -> Result<Vec<Kept>, KeepError> {
    let instant = TimeRange::new(start, start + Span::from_micros(1));
    Ok(keeper.catalogue(level, instant)?.into_iter().filter(|kept| kept.key.start == start).collect())
}

/// What the journal holds of series that a site does not have, so that it reaches chunks before the journal is trimmed.
struct Strays {
    /// Positions in `store` by number, of series that the site does not have.
    absent: BTreeMap<u32, u32>,
    store: Store,
    any: bool,
    /// When the newest of all samples in batches was received.
    received: Option<Timestamp>,
}

impl Strays {
    /// For a store that has its numbers.
    fn new(series: &mut Series, site: &Store) -> Self {
        let numbers: Vec<u32> = (0..series.all().len() as u32).filter(|number| site.position(*number).is_none()).collect();
        let spec = |number: &u32| SignalSpec {
            kind: SignalKind::Analog,
            value_kind: series.all().get(*number as usize).map_or(twin_model::ValueKind::Float, |one| one.kind),
            gap_after: None,
        };
        // They were judged when they came.
        let config = StoreConfig { budget_bytes: usize::MAX / 2, ..*site.config() }.believing();
        let mut store = Store::new(numbers.iter().map(spec), config);
        store.number(&numbers, series.all().len() as u32);
        // What chunks hold of them is not here.
        store.note_elsewhere(ALWAYS);
        let absent = numbers.iter().enumerate().map(|(at, number)| (*number, at as u32)).collect();
        Self { absent, store, any: false, received: None }
    }

    /// A journal entry into the stores: a batch under numbers, or a chunk of what did not reach the journal at first.
    fn take_in(&mut self, bytes: &[u8], site: &mut Store) -> Result<(), String> {
        if chunk::is_chunk(bytes) {
            site.import_kept(bytes).map_err(|error| error.to_string())?;
            let strays = self.store.import_kept(bytes).map_err(|error| error.to_string())?;
            self.any |= strays.samples > 0;
            return Ok(());
        }
        match decode_server(bytes, &Limits::KEPT_FRAMES) {
            Ok(ServerFrame::Batch(batch)) => {
                for mut entry in batch.entries {
                    cut(&mut entry.sample.value);
                    self.received = self.received.max(Some(entry.sample.received_time));
                    self.append(entry.id.0, &entry.sample, site)?;
                }
                Ok(())
            }
            Ok(_) => Err("it is a frame of another kind".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn append(&mut self, number: u32, sample: &Sample, site: &mut Store) -> Result<(), String> {
        if let Some(signal) = site.position(number) {
            site.append(signal, sample);
        } else if let Some(at) = self.absent.get(&number) {
            self.store.append(SignalIndex(*at), sample);
            self.any = true;
        } else {
            return Err(format!("it has a sample of series {number}, which has no name"));
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<Sealed> {
        if self.any { self.store.seal(Timestamp::MAX) } else { Vec::new() }
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

/// A move that was cut short between its last two steps.
fn finish_move(folder: &Path) -> Result<(), GatewayError> {
    let (path, moving) = (folder.join(FILE), folder.join(MOVING));
    if path.exists() || !moving.exists() {
        return Ok(());
    }
    std::fs::rename(&moving, &path).map_err(|source| GatewayError::Write { path, source })
}

/// How long whoever had the folder may take to let go of it: a program that is being started again, and a program that one started, which has
/// its files until it has become another. More would keep people from learning that another server runs.
const LET_GO: Duration = Duration::from_secs(2);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Takes the lock of a folder, or waits a moment for it.
pub(super) fn lock(path: &Path) -> Result<File, GatewayError> {
    let failed = |source| GatewayError::Write { path: path.to_owned(), source };
    let file = File::options().create(true).truncate(false).read(true).write(true).open(path).map_err(failed)?;
    let begun = instant();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LET_GO => std::thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => return Err(GatewayError::InUse { path: path.to_owned() }),
            // A file system without locks: better without than not at all.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// The error for people: damage is told apart from trouble.
pub(super) fn attempt<T>(path: &Path, what: &'static str, result: rusqlite::Result<T>) -> Result<T, GatewayError> {
    result.map_err(|source| match super::sqlite::trouble("read", &source) {
        KeepError::Damaged { why, .. } => GatewayError::Damaged { path: path.to_owned(), why },
        // What this program itself refuses says all.
        KeepError::Unavailable { why, .. } if matches!(source, rusqlite::Error::ToSqlConversionFailure(_)) => {
            GatewayError::Refused { path: path.to_owned(), why }
        }
        KeepError::Unavailable { .. } => GatewayError::Data { path: path.to_owned(), what, source },
    })
}

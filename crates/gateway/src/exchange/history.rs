//! The history of a data folder as a store in memory, and back. The only file of the exchange that knows the disk.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use twin_historian::Store;
use twin_model::{Model, TimeRange, Timestamp};

use crate::GatewayError;
use crate::clock::instant;
use crate::history::{Database, Loaded, Missing, Persist, Setup};
use crate::hub::Hub;
use crate::lacks::Lacks;
use crate::recording::Recording;
use crate::ring::RingLimits;
use crate::stores::{ALWAYS, patient_store};

/// Reads the history of a data folder; a server may be writing it.
///
/// # Errors
/// Where there is none, or it can't be read.
pub fn read(model: &Model, folder: &Path, remarks: &mut Vec<String>) -> Result<Store, GatewayError> {
    read_about(model, model, folder, ALWAYS, remarks).map(|(store, _)| store)
}

/// As [`read`], with what can't be read about a stretch of time. `today` is the site as its file is now, where `model` is of then.
///
/// # Errors
/// As [`read`].
pub fn read_about(
    model: &Model,
    today: &Model,
    folder: &Path,
    range: TimeRange,
    remarks: &mut Vec<String>,
) -> Result<(Store, Vec<Lacks>), GatewayError> {
    let mut store = patient_store(model);
    let database = Database::open_to_read(folder)?;
    let loaded = database.load(model, &mut store)?;
    remarks.extend(database.remarks().iter().cloned());
    note(&loaded, remarks);
    remarks.extend(database.about(model, today, range)?);
    let lacks = lacks(&loaded, &store, model, range);
    Ok((store, lacks))
}

/// What could not be read about a stretch of time, of signals of the site.
pub fn lacks(loaded: &Loaded, store: &Store, model: &Model, range: TimeRange) -> Vec<Lacks> {
    let met = loaded.missing.iter().filter(|missing| !missing.range.intersect(range).is_empty());
    let of = |missing: &Missing| {
        let signals = missing.signals(model, |number| store.position(number));
        Lacks { range: missing.range, signals, why: format!("{}: {}", missing.what, missing.why) }
    };
    met.map(of).filter(|lacks| !lacks.signals.is_empty()).collect()
}

/// The samples of a recording.
pub fn of_recording(recording: &Recording, remarks: &mut Vec<String>) -> Store {
    let mut store = patient_store(recording.model());
    remarks.extend(recording.remarks.iter().cloned());
    for chunk in &recording.chunks {
        if store.import_chunk(chunk).is_err() {
            remarks.push("a piece of history in the recording can't be read".to_owned());
        }
    }
    for (signal, sample) in &recording.samples {
        store.append(*signal, sample);
    }
    store
}

fn note(loaded: &Loaded, remarks: &mut Vec<String>) {
    if loaded.unreadable > 0 {
        remarks.push(format!("{} pieces of saved history can't be read and are missing", loaded.unreadable));
    }
    if loaded.absent > 0 {
        let series = loaded.absent;
        remarks
            .push(format!("history has {series} series that the site does not have; they are left out (`orrery history list`)"));
    }
}

/// The history of a data folder that nobody else may write meanwhile.
pub struct OpenHistory {
    /// All samples; what is put in is on disk after [`Self::save`].
    pub store: Store,
    database: Database,
    loaded: Loaded,
    folder: PathBuf,
    model: Arc<Model>,
}

impl OpenHistory {
    /// Opens or makes the history in `folder` and reads it.
    ///
    /// # Errors
    /// Where a server is using it, or it can't be read.
    pub fn open(model: &Arc<Model>, folder: &Path, remarks: &mut Vec<String>) -> Result<Self, GatewayError> {
        let database = Database::open(folder)?;
        let mut store = patient_store(model);
        let loaded = database.load(model, &mut store)?;
        remarks.extend(database.remarks().iter().cloned());
        note(&loaded, remarks);
        remarks.extend(database.about(model, model, ALWAYS)?);
        Ok(Self { store, database, loaded, folder: folder.to_owned(), model: model.clone() })
    }

    /// Writes what was put into the store, `new` samples and what took the place of others, as sealed chunks, and reads it back to be sure.
    ///
    /// # Errors
    /// Where it did not all reach the disk. What was there before is unharmed then; the import may be run again.
    pub fn save(self, new: u64) -> Result<(), GatewayError> {
        let Self { store, database, loaded, folder, model } = self;
        let Some(extent) = store.extent() else { return Ok(()) };
        let expected = counts(&store, &model);
        let upto = extent.end + store.config().slab;
        let persist = database.start_with(&model, Setup::default(), &loaded)?;
        persist.end_on_refusal();
        let hub = Hub::new(model.clone(), crate::clock::wall(), RingLimits::default(), store, Some(persist));
        // Unfinished hours too: chunks hold a sample as it is, whatever its times; a server seals such an hour again.
        let whole = sealed(&hub, upto);
        let why = hub.persist().and_then(Persist::refusal);
        let whole = whole && hub.persist().is_none_or(|persist| persist.totals().errors.load(Ordering::Relaxed) == 0);
        // Waits for the disk and lets the memory go before it is needed again.
        drop(hub);
        let again = read(&model, &folder, &mut Vec::new()).map(|again| counts(&again, &model));
        if whole && again.is_err() {
            return again.map(drop);
        }
        // A server that starts at this moment may have added to it.
        let lacking =
            again.ok().map(|again| again.iter().zip(&expected).map(|(found, wanted)| wanted.saturating_sub(*found)).sum());
        if whole && lacking == Some(0) {
            return Ok(());
        }
        let kept = lacking.map_or_else(
            || format!("how many of the {new} new samples are kept can't be read"),
            |lacking: u64| format!("{} of the {new} new samples are safely kept", new.saturating_sub(lacking)),
        );
        let why = why.unwrap_or_else(|| "not everything reached the disk".to_owned());
        let why = format!("{why}; {kept}; make room, and run the same import again: it goes on where this one ended");
        Err(GatewayError::Series { folder, why })
    }
}

/// How long the disk may refuse before an import ends: somebody waits for it, and it can be run again.
const REFUSED: Duration = Duration::from_secs(2);

/// Hands everything before `upto` over, and waits until it is kept; false where the disk refuses.
fn sealed(hub: &Hub, upto: Timestamp) -> bool {
    let Some(persist) = hub.persist() else { return false };
    let mut since = None;
    hub.seal_begin();
    while hub.seal_step(upto) && !hub.vitals().is_fatal() {
        since = persist.failing().then(|| since.unwrap_or_else(instant));
        if since.is_some_and(|since| since.elapsed() > REFUSED) {
            return false;
        }
        if !persist.room() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    persist.sync()
}

/// Samples of each signal.
fn counts(store: &Store, model: &Model) -> Vec<u64> {
    let count = |signal| {
        let mut count = 0;
        store.for_each_sample(signal, ALWAYS, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        count
    };
    model.signal_indices().map(count).collect()
}

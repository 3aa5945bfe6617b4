//! What a data folder keeps of which series, and what only a person may do with it while no server runs: give a series another id,
//! or remove it. Refuses to know sites beyond their ids.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use twin_historian::chunk::{self, MAX_SAMPLES};
use twin_historian::historian::{Blob, Change, Historian as _, KeepError, Kept, LEVELS, Position};
use twin_historian::{Chunk, ChunkKey, HistorianError, Level, StoreConfig};
use twin_model::unit::Conversion;
use twin_model::{ACKNOWLEDGED, Model, Timestamp, Value, ValueKind};
use twin_protocol::{Batch, DictId, Entry, Limits, ServerFrame, decode_server, encode_server};

use super::database::{Database, of_page};
use super::overlap::Instants;
use super::series::Series;
use super::sqlite::SqliteHistorian;
use super::{begins, damage, fsck, reading};
use crate::GatewayError;
use crate::stores::ALWAYS;

/// One kind of values of one series; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeriesRow {
    /// `<twin>.<signal>`.
    pub id: String,
    /// `float`, `int`, `bool` or `text`.
    pub kind: &'static str,
    /// Samples kept; where the raw ones are gone by order, those of the finest level that is left.
    pub samples: u64,
    /// Source time of the first, in microseconds; none without samples.
    pub first_us: Option<i64>,
    /// Source time of the last.
    pub last_us: Option<i64>,
    /// Whether the site has a signal of this id; none where no site was asked.
    pub in_site: Option<bool>,
    /// Unit of the values; none where nobody wrote it down.
    pub unit: Option<String>,
    /// The signal of which these are the values in another unit than its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apart_of: Option<String>,
}

/// Samples of one kind of one series.
#[derive(Debug, Clone, Copy)]
struct Tally {
    samples: u64,
    first: Timestamp,
    last: Timestamp,
}

type Tallies = BTreeMap<(u32, u8), Tally>;

fn count(tallies: &mut Tallies, number: u32, kind: ValueKind, t: Timestamp) {
    let tally = tallies.entry((number, kind as u8)).or_insert(Tally { samples: 0, first: t, last: t });
    tally.samples += 1;
    (tally.first, tally.last) = (tally.first.min(t), tally.last.max(t));
}

/// What a folder keeps.
#[derive(Debug, Default)]
pub struct Listed {
    /// By id and kind.
    pub series: Vec<SeriesRow>,
    /// What a person should know of the folder.
    pub remarks: Vec<String>,
    /// Pieces that can't be read: their samples are in no row.
    pub unreadable: u64,
}

/// What the folder keeps, by id; a server may be writing it.
///
/// # Errors
/// Where there is no history, or it cannot be read.
pub fn list(folder: &Path, model: Option<&Model>) -> Result<Listed, GatewayError> {
    let database = Database::open_to_read(folder)?;
    let keeper = database.keeper();
    let failed = |source| damage::in_file(keeper.path(), source);
    keeper.begin_reading().map_err(failed)?;
    let series = keeper.series().map_err(failed)?;
    let mut unreadable = database.missing().len() as u64;
    let tallies = tally(keeper, &mut unreadable).map_err(failed)?;
    let mut rows = Vec::new();
    for (number, one) in series.all().iter().enumerate().filter(|(_, one)| !one.id.is_empty()) {
        let number = number as u32;
        let in_site = model.map(|model| model.find_signal(&one.id).is_some());
        let row = |kind: ValueKind, tally: Option<&Tally>| SeriesRow {
            id: one.id.clone(),
            kind: kind.as_str(),
            samples: tally.map_or(0, |tally| tally.samples),
            first_us: tally.map(|tally| tally.first.as_micros()),
            last_us: tally.map(|tally| tally.last.as_micros()),
            in_site,
            unit: one.unit.clone(),
            apart_of: one.apart.clone(),
        };
        let kinds = [ValueKind::Float, ValueKind::Int, ValueKind::Bool, ValueKind::Text];
        let found = kinds.into_iter().filter_map(|kind| Some(row(kind, Some(tallies.get(&(number, kind as u8))?))));
        let before = rows.len();
        rows.extend(found);
        if rows.len() == before {
            rows.push(row(one.kind, None));
        }
    }
    rows.sort_by(|a, b| (&a.id, a.kind).cmp(&(&b.id, b.kind)));
    Ok(Listed { series: rows, remarks: database.remarks().to_vec(), unreadable })
}

/// Samples by number and kind: at each time of the finest level that is left, and of the journal what no chunk has. Counts the pieces
/// that can't be read.
fn tally(keeper: &SqliteHistorian, unreadable: &mut u64) -> Result<Tallies, KeepError> {
    let mut journal: BTreeMap<u32, BTreeMap<Timestamp, ValueKind>> = BTreeMap::new();
    let mut each = |entry: twin_historian::historian::Entry| {
        for (number, kind, t) in samples_of(&entry.bytes) {
            journal.entry(number).or_default().insert(t, kind);
        }
        true
    };
    keeper.journal(Position(0), &mut each, &mut |_, _| *unreadable += 1)?;
    let mut tallies = Tallies::new();
    let mut from = Timestamp::MAX;
    // Pages go as wholes: the first that a level has may reach back to where the next coarser one is asked as well.
    let mut seen: HashSet<(u32, Timestamp)> = HashSet::new();
    for level in Level::TIERS {
        // From here on a finer level has everything.
        let until = std::mem::replace(&mut from, begins(keeper, level)?);
        for page in keeper.pages(level, ALWAYS)?.iter().filter(|page| page.start < until) {
            for kept in of_page(keeper, level, page.start)? {
                let runs = match keeper.chunk(&kept.key) {
                    Ok(Some(bytes)) => chunk::runs(&bytes).ok(),
                    // Replaced since the catalogue was read.
                    Ok(None) => Some(Vec::new()),
                    Err(_) => None,
                };
                *unreadable += u64::from(runs.is_none());
                for run in runs.unwrap_or_default() {
                    let mut fresh = journal.get_mut(&run.signal);
                    for t in run.times.into_iter().filter(|t| *t < until) {
                        if t >= from || seen.insert((run.signal, t)) {
                            count(&mut tallies, run.signal, run.kind, t);
                        }
                        if let Some(fresh) = &mut fresh {
                            fresh.remove(&t);
                        }
                    }
                }
            }
        }
        if from == Timestamp::MIN {
            break;
        }
    }
    for (number, times) in journal {
        times.into_iter().for_each(|(t, kind)| count(&mut tallies, number, kind, t));
    }
    Ok(tallies)
}

/// Number, kind and source time of every sample of a journal entry; none of one that is damaged.
pub(super) fn samples_of(bytes: &[u8]) -> Vec<(u32, ValueKind, Timestamp)> {
    if chunk::is_chunk(bytes) {
        let runs = chunk::runs(bytes).unwrap_or_default();
        return runs.into_iter().flat_map(|run| run.times.into_iter().map(move |t| (run.signal, run.kind, t))).collect();
    }
    let Ok(ServerFrame::Batch(batch)) = decode_server(bytes, &Limits::KEPT_FRAMES) else { return Vec::new() };
    batch.entries.iter().map(|entry| (entry.id.0, entry.sample.value.kind(), entry.sample.source_time)).collect()
}

/// What [`rename`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// Whether there was a series of the new id, and both are one now.
    pub merged: bool,
    /// Samples of the series, each once.
    pub moved: u64,
    /// Instants that both had with different values, of which the later received stayed.
    pub overwritten: u64,
}

/// What a person allows [`rename`] to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Both may become one where both have samples.
    pub merge: bool,
    /// Of two different samples of one instant one may go.
    pub overwrite: bool,
}

/// Gives a series another id. Where that has a series already, the samples of both become one by the rule for equal source times,
/// as far as it is allowed; values of another kind never do. A stop in the middle leaves every sample in one of the two; the same
/// call again finishes.
///
/// # Errors
/// Where there is no such series, the new id is none or taken, a server uses the folder, or it cannot be written.
pub fn rename(folder: &Path, from: &str, to: &str, allowed: Allowed) -> Result<Renamed, GatewayError> {
    let (mut keeper, path, _lock) = open(folder)?;
    let failed = |source| damage::in_file(&path, source);
    let mut series = keeper.series().map_err(failed)?;
    let number = find(&series, folder, from)?;
    let refused = |why: String| GatewayError::Series { folder: folder.to_owned(), why };
    let sound = to.split_once('.').is_some_and(|(twin, signal)| !twin.is_empty() && !signal.is_empty());
    if !sound || to.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(refused(format!("'{to}' is no id of a series; write <twin>.<signal>")));
    }
    if from == to {
        return Err(refused(format!("'{to}' is its id already")));
    }
    if from.ends_with(ACKNOWLEDGED) != to.ends_with(ACKNOWLEDGED) {
        return Err(refused(format!(
            "ids that end in {ACKNOWLEDGED} are those of acknowledgements of alarms, and of nothing else"
        )));
    }
    let own = Instants::read(&keeper, number).map_err(failed)?;
    let moved = own.len();
    let Some(other) = series.find(to) else {
        series.rename(number, to);
        keeper.set_series(&series, None).map_err(failed)?;
        return Ok(Renamed { merged: false, moved, overwritten: 0 });
    };
    let there = Instants::read(&keeper, other).map_err(failed)?;
    // One without samples says nothing of any: it takes over what says what these mean, as an id that nobody has does.
    let merged = own.len() > 0 && there.len() > 0;
    if merged {
        one_unit(&series, number, other).map_err(refused)?;
    }
    let overwritten = own.contradictions(&there);
    let declared = |number: u32| series.all().get(number as usize).map(|one| one.kind);
    may_merge((from, &own), (to, &there, declared(other)), overwritten, allowed).map_err(refused)?;
    if there.len() == 0 {
        series.rename(other, "");
        series.rename(number, to);
        keeper.set_series(&series, None).map_err(failed)?;
        return Ok(Renamed { merged, moved, overwritten });
    }
    transfer(&mut keeper, number, Some(other), None).map_err(failed)?;
    series.rename(number, "");
    keeper.set_series(&series, None).map_err(failed)?;
    fsck::rebuild(&mut keeper).map_err(failed)?;
    Ok(Renamed { merged, moved, overwritten })
}

/// Why two series must not become one: their values are in different units.
fn one_unit(series: &Series, from: u32, to: u32) -> Result<(), String> {
    let [Some(from), Some(to)] = [from, to].map(|number| series.all().get(number as usize)) else { return Ok(()) };
    match (&from.unit, &to.unit) {
        (Some(own), Some(there)) if !from.fits(there) => Err(format!(
            "{} is in {own} and {} in {there}: they are no one series. If {} was in {there} all along, say so first (orrery history unit DIR '{}' \
             '{there}'); to have its values converted, where that is known, add --convert",
            from.id, to.id, from.id, from.id
        )),
        _ => Ok(()),
    }
}

/// Why two series must not become one. One without samples takes nothing from the other.
pub(super) fn may_merge(
    (from, own): (&str, &Instants),
    (to, there, declared): (&str, &Instants, Option<ValueKind>),
    overwritten: u64,
    allowed: Allowed,
) -> Result<(), String> {
    if own.len() == 0 {
        return Ok(());
    }
    let mut kinds = there.kinds();
    if kinds.is_empty() {
        kinds.extend(declared);
    }
    let words = |kinds: &[ValueKind]| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" and ");
    let about = |id: &str, kinds: &[ValueKind], all: &Instants| {
        let times = all.ends().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
        format!("{id} ({} {} samples{times})", all.len(), words(kinds))
    };
    let both = format!("{to} exists: {} and {}", about(from, &own.kinds(), own), about(to, &kinds, there));
    if own.kinds().iter().any(|kind| !kinds.contains(kind)) {
        return Err(format!("{both} have values of different kinds and never become one series; choose another id"));
    }
    if there.len() > 0 && !allowed.merge {
        return Err(format!(
            "{both} would become one series, which can't be undone; say --merge to do it (`orrery backup` copies first)"
        ));
    }
    if overwritten > 0 && !allowed.overwrite {
        return Err(format!(
            "{both} have different values at {overwritten} of the same instants; the later received of each two stays, the other is \
             gone for good; say --merge --yes to do it (`orrery backup` copies first)"
        ));
    }
    Ok(())
}

/// Removes a series and its samples for good; returns how many of the finest level there were, each once.
///
/// # Errors
/// As [`rename`].
pub fn remove(folder: &Path, id: &str) -> Result<u64, GatewayError> {
    let (mut keeper, path, _lock) = open(folder)?;
    let failed = |source| damage::in_file(&path, source);
    let mut series = keeper.series().map_err(failed)?;
    let number = find(&series, folder, id)?;
    let removed = Instants::read(&keeper, number).map_err(failed)?.len();
    transfer(&mut keeper, number, None, None).map_err(failed)?;
    series.rename(number, "");
    keeper.set_series(&series, None).map_err(failed)?;
    Ok(removed)
}

pub(super) type Opened = (SqliteHistorian, PathBuf, Option<std::fs::File>);

pub(super) fn open(folder: &Path) -> Result<Opened, GatewayError> {
    let path = folder.join(super::FILE);
    reading::may_change(folder)?;
    let (keeper, lock) = Database::open(folder)?.into_parts();
    Ok((keeper, path, lock))
}

pub(super) fn find(series: &Series, folder: &Path, id: &str) -> Result<u32, GatewayError> {
    series.find(id).ok_or_else(|| {
        let count = series.all().iter().filter(|one| !one.id.is_empty()).count();
        let why = format!("there is no series '{id}' among its {count}; `orrery history list` names them");
        GatewayError::Series { folder: folder.to_owned(), why }
    })
}

/// First number of the lane of a number.
fn lane(number: u32) -> u32 {
    let width = StoreConfig::default().lane_signals;
    number / width * width
}

/// Moves all samples of a number to another, or away: chunk by chunk, each in one commit, then the journal in one. Values are converted
/// on the way where that is asked for.
pub(super) fn transfer(
    keeper: &mut SqliteHistorian,
    from: u32,
    to: Option<u32>,
    scale: Option<Conversion>,
) -> Result<(), KeepError> {
    for level in LEVELS {
        for page in keeper.pages(level, ALWAYS)? {
            let Some(kept) = keeper.kept(level, page.start, lane(from))? else { continue };
            let Some(bytes) = keeper.chunk(&kept.key)? else { continue };
            let runs = chunk::runs(&bytes).map_err(|error| damaged(&kept.key, &error))?;
            if runs.iter().all(|run| run.signal != from) {
                continue;
            }
            let bytes = match scale {
                Some(scale) => converted(&bytes, from, scale).map_err(|error| damaged(&kept.key, &error))?,
                None => bytes,
            };
            let changes = match to {
                None => vec![without(&kept, &bytes, from)?],
                Some(to) if lane(to) == lane(from) => vec![joined(keeper, &kept, &bytes, from, to)?],
                Some(to) => vec![joined(keeper, &kept, &bytes, from, to)?, without(&kept, &bytes, from)?],
            };
            keeper.commit(&changes)?;
        }
    }
    keeper.rewrite_journal(&mut |bytes| {
        let here = samples_of(bytes).iter().any(|(number, _, _)| *number == from);
        here.then(|| renumbered(bytes, from, to, scale))
    })
}

/// The chunk with other values of a number.
fn converted(bytes: &[u8], number: u32, scale: Conversion) -> Result<Blob, HistorianError> {
    chunk::mapped(bytes, number, &|value| scale.apply(value)).map(|chunk| chunk.bytes.into())
}

fn damaged(key: &ChunkKey, error: &twin_historian::HistorianError) -> KeepError {
    KeepError::Damaged { what: format!("chunk {key}"), why: error.to_string() }
}

/// The chunk without a number; forgotten where nothing is left.
fn without(kept: &Kept, bytes: &Blob, from: u32) -> Result<Change, KeepError> {
    let key = ChunkKey { version: kept.key.version.saturating_add(1), ..kept.key };
    let rest = chunk::gather(key, &[bytes], &|number| (number != from).then_some(number));
    let rest = rest.map_err(|error| damaged(&kept.key, &error))?;
    Ok(if rest.samples > 0 { Change::Put(rest) } else { Change::Remove(kept.key) })
}

/// The chunk of the lane of `to` with the samples of `from`; both may be of one lane.
fn joined(keeper: &SqliteHistorian, kept: &Kept, bytes: &Blob, from: u32, to: u32) -> Result<Change, KeepError> {
    let first_signal = lane(to);
    let wrong = |error| damaged(&kept.key, &error);
    let signals = to - first_signal + 1;
    let (key, pieces) = if first_signal == kept.key.first_signal {
        let key = ChunkKey { signals: signals.max(kept.key.signals), version: kept.key.version.saturating_add(1), ..kept.key };
        (key, vec![bytes.clone()])
    } else {
        let other = keeper.kept(kept.key.level, kept.key.start, first_signal)?;
        let there = match &other {
            Some(other) => keeper.chunk(&other.key)?,
            None => None,
        };
        let key = ChunkKey {
            first_signal,
            signals: other.as_ref().map_or(signals, |other| other.key.signals.max(signals)),
            end: other.as_ref().map_or(kept.key.end, |other| other.key.end.max(kept.key.end)),
            version: other.as_ref().map_or(0, |other| other.key.version).saturating_add(1),
            ..kept.key
        };
        let own = chunk::gather(ChunkKey { end: kept.key.end, ..key }, &[bytes], &|number| (number == from).then_some(to));
        (key, there.into_iter().chain([Blob::from(own.map_err(wrong)?.bytes)]).collect())
    };
    let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
    let mut whole = chunk::gather(key, &borrowed, &|number| Some(if number == from { to } else { number })).map_err(wrong)?;
    if key.level == Level::Carried {
        // Of two that hold the newer does.
        whole = chunk::carry(key, &[&whole.bytes]).map_err(wrong)?.unwrap_or(whole);
    }
    if u64::from(whole.samples) > MAX_SAMPLES {
        let why = format!("both series together have {} samples there, and a chunk holds {MAX_SAMPLES}", whole.samples);
        return Err(KeepError::Unavailable { doing: "merged", why });
    }
    Ok(Change::Put(Chunk { key, samples: whole.samples, bytes: whole.bytes }))
}

/// A journal entry with another number in the place of one, or without it; no pieces where nothing is left.
fn renumbered(bytes: &[u8], from: u32, to: Option<u32>, scale: Option<Conversion>) -> Vec<(Vec<u8>, u32)> {
    if let Ok(key) = chunk::peek_key(bytes) {
        let other = scale.and_then(|scale| converted(bytes, from, scale).ok());
        let bytes = other.as_deref().unwrap_or(bytes);
        let rest = chunk::gather(key, &[bytes], &|number| (number != from).then_some(number)).ok();
        let own = to.and_then(|to| {
            let key = ChunkKey { first_signal: lane(to), signals: to - lane(to) + 1, ..key };
            chunk::gather(key, &[bytes], &|number| (number == from).then_some(to)).ok()
        });
        return rest.into_iter().chain(own).filter(|chunk| chunk.samples > 0).map(|chunk| (chunk.bytes, chunk.samples)).collect();
    }
    let Ok(ServerFrame::Batch(batch)) = decode_server(bytes, &Limits::KEPT_FRAMES) else { return vec![(bytes.to_vec(), 0)] };
    let number = |mut entry: Entry| {
        if entry.id.0 == from {
            entry.id = to.map(DictId)?;
            if let (Value::Float(value), Some(scale)) = (&mut entry.sample.value, scale) {
                *value = scale.apply(*value);
            }
        }
        Some(entry)
    };
    let entries: Vec<Entry> = batch.entries.into_iter().filter_map(number).collect();
    if entries.is_empty() {
        return Vec::new();
    }
    let samples = entries.len() as u32;
    vec![(encode_server(&ServerFrame::Batch(Batch { seq: batch.seq, entries })), samples)]
}

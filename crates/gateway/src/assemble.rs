//! From a site to a running plant: clock, sources, history, hub.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use twin_historian::Store;
use twin_historian::historian::{Limits, Retention};
use twin_model::{Model, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::{Capabilities, LinkChange};
use twin_site::{Diagnostic, Misread, Severity, SourceDef, SourceKind, StartAt, codes};

use crate::GatewayError;
use crate::clock::Clock;
use crate::history::{Database, Persist, Setup, SyncPolicy};
use crate::hub::Hub;
use crate::ring::RingLimits;
use crate::site::Site;
use crate::sources::{CsvFile, CsvReplay, Inbox, PushSource, Source, SyntheticSource, Unusable};
use crate::stores::ALWAYS;
use crate::stores::empty_store;

/// History that generators fill in before the start, at most.
const DAY: Span = Span::from_secs(86_400);

/// Samples of history that are handed over at once.
const PRELOAD: usize = 50_000;

/// What may be chosen besides the site.
#[derive(Debug, Clone)]
pub struct PlantOptions {
    /// Folder of the database; history lives in memory only without it.
    pub data: Option<PathBuf>,
    /// Bytes of history in memory: half for what is read and drawn most, half for the keeper where there is no data folder.
    pub memory_bytes: usize,
    /// How history is kept: how long, and how soon it is committed.
    pub setup: Setup,
    /// What a commit survives.
    pub sync: SyncPolicy,
    /// Back-fill for clients that come back.
    pub ring: RingLimits,
    /// Replaces the speed of CSV sources; infinite gives everything at once.
    pub speed: Option<f64>,
    /// What the clock shows at the start, instead of the wall's time. Not for sites that live in the time of their recordings.
    pub clock: Option<Timestamp>,
}

impl Default for PlantOptions {
    fn default() -> Self {
        Self {
            data: None,
            memory_bytes: 256 << 20,
            setup: Setup::default(),
            sync: SyncPolicy::default(),
            ring: RingLimits::default(),
            speed: None,
            clock: None,
        }
    }
}

/// Everything between the sources and the sockets.
pub struct Plant {
    /// Samples and clients.
    pub hub: Arc<Hub>,
    /// Now.
    pub clock: Clock,
    /// To be asked by a [`crate::sources::Pump`].
    pub sources: Vec<Box<dyn Source>>,
    /// Sources that take samples in.
    pub inboxes: Vec<Inbox>,
    /// What the server can say about itself.
    pub capabilities: Capabilities,
    /// What a person should know, in the order it was found.
    pub remarks: Vec<String>,
}

/// Reads the site's sources and what is on disk, and fills in history up to now.
///
/// # Errors
/// Where a source or the database cannot be used.
pub fn plant(site: &Site, options: &PlantOptions) -> Result<Plant, GatewayError> {
    let model = Arc::new(site.loaded.model.clone());
    let mut remarks = Vec::new();
    let (files, unusable) = csv_files(site, &mut remarks);
    let origin = options.clock.unwrap_or_else(crate::clock::wall);
    let (clock, replay) = choose_clock(site, &files, options, origin, &mut remarks)?;
    let now = clock.now();
    let hub = hub_of(&model, options, now, &mut remarks)?;
    let known = hub.with_store(|store| store.extent());
    let mut plant = Plant {
        hub,
        clock,
        sources: Vec::new(),
        inboxes: Vec::new(),
        capabilities: Capabilities::RESUME.with(Capabilities::HISTORY),
        remarks,
    };
    if replay {
        plant.capabilities = plant.capabilities.with(Capabilities::REPLAY);
    }
    for file in files {
        plant.sources.push(Box::new(CsvReplay::new(file, origin)));
    }
    for source in unusable {
        plant.sources.push(Box::new(source));
    }
    add_synthetic(site, &model, now, known, &mut plant)?;
    add_push(site, &mut plant);
    Ok(plant)
}

/// The history of a data folder, or an empty one, without any source.
///
/// # Errors
/// Where the database cannot be used.
pub(crate) fn hub_of(
    model: &Arc<Model>,
    options: &PlantOptions,
    now: Timestamp,
    remarks: &mut Vec<String>,
) -> Result<Arc<Hub>, GatewayError> {
    let Opened { store, persist, links, cold } = open_history(model, options, now, remarks)?;
    let hub = Arc::new(Hub::new(model.clone(), crate::clock::wall(), options.ring, store, Some(persist)));
    hub.preload_links(links);
    if let Some(cold) = cold {
        hub.note_cold(cold);
    }
    Ok(hub)
}

/// The store with the newest history, and the keeper of all of it.
struct Opened {
    store: Store,
    persist: Persist,
    links: Vec<LinkChange>,
    /// Before this, history is with the keeper only.
    cold: Option<Timestamp>,
}

fn open_history(
    model: &Model,
    options: &PlantOptions,
    now: Timestamp,
    remarks: &mut Vec<String>,
) -> Result<Opened, GatewayError> {
    let Some(folder) = &options.data else {
        // One budget for both: the store, and what is kept compressed beyond it.
        let half = options.memory_bytes / 2;
        let store = empty_store(model, half);
        let retention = within_bytes(options.setup.retention, half as u64);
        let setup = Setup { retention, ..options.setup };
        let path = PathBuf::from("memory");
        let persist = Persist::in_memory(model, setup).map_err(|source| GatewayError::History { path, source })?;
        return Ok(Opened { store, persist, links: Vec::new(), cold: None });
    };
    let mut store = empty_store(model, options.memory_bytes);
    let database = Database::open_with(folder, options.sync)?;
    let absent = database.absent(model)?;
    if let Some(first) = absent.first() {
        remarks.push(format!(
            "history has {} series that the site does not have, like {first}; they are kept, and shown again when the site has them \
             (`orrery history list` lists them, `orrery history rename` gives one another id)",
            absent.len()
        ));
    }
    remarks.extend(database.about(model, model, ALWAYS)?);
    let loaded = database.load_newest(model, &mut store, now)?;
    remarks.extend(loaded.remarks.iter().cloned());
    if loaded.unreadable > 0 {
        remarks.push(format!("{} pieces of saved history can't be read and are missing", loaded.unreadable));
    }
    let persist = database.start_with(model, options.setup, &loaded)?;
    Ok(Opened { store, persist, links: loaded.links, cold: loaded.from })
}

/// Limits for a keeper in memory: most of it for raw chunks; what was asked for stays where it is less.
fn within_bytes(asked: Retention, bytes: u64) -> Retention {
    let most = |limits: Limits, bytes: u64| Limits { bytes: Some(limits.bytes.map_or(bytes, |b| b.min(bytes))), ..limits };
    Retention {
        raw: most(asked.raw, bytes / 4 * 3),
        five_minutes: most(asked.five_minutes, bytes / 8),
        hour: most(asked.hour, bytes / 16),
    }
}

/// Opens the file of every CSV source. One that can't be used becomes a remark and a link that is down; the others run. So does one whose
/// keys don't say how it is read: by the defaults its values and times could be others than they are.
pub(crate) fn csv_files(site: &Site, remarks: &mut Vec<String>) -> (Vec<CsvFile>, Vec<Unusable>) {
    let (mut files, mut unusable) = (Vec::new(), Vec::new());
    for def in &site.loaded.sources {
        let SourceKind::Csv(csv) = &def.kind else { continue };
        if let Some(misread) = &def.misread {
            remarks.push(not_read(def, misread));
            unusable.push(Unusable::new(def.index, until_mended(misread)));
            continue;
        }
        match CsvFile::open(site, def, csv, crate::clock::wall()) {
            Ok(file) => {
                remarks.extend(file.remarks(&def.id));
                files.push(file);
            }
            Err(error) => {
                remarks.push(format!("source '{}' can't be used: {}: {error}", def.id, csv.path));
                unusable.push(Unusable::new(def.index, format!("{}: {error}", csv.path)));
            }
        }
    }
    (files, unusable)
}

/// Why a source is given up whose keys don't say how it is read.
fn until_mended(misread: &Misread) -> String {
    format!("not read until the site file is mended: {misread}")
}

/// The same, for whoever looks after the site.
pub(crate) fn not_read(def: &SourceDef, misread: &Misread) -> String {
    format!("source '{}' is {} ({})", def.id, until_mended(misread), misread.at)
}

/// A site that consists of recordings lives in their time; every other site lives now. `origin` is what it calls now.
///
/// Recordings that begin "now" at a speed of their own have a clock that begins now and runs at that speed: times keep their spacing,
/// and no row is put onto another.
fn choose_clock(
    site: &Site,
    files: &[CsvFile],
    options: &PlantOptions,
    origin: Timestamp,
    remarks: &mut Vec<String>,
) -> Result<(Clock, bool), GatewayError> {
    let only_csv = site.loaded.sources.iter().all(|def| matches!(def.kind, SourceKind::Csv(_)));
    let now = files.iter().any(|file| file.def.start == StartAt::Now);
    let live = options.clock.map_or_else(Clock::live, Clock::from);
    let extents = files.iter().filter_map(|file| {
        let (extent, shift) = (file.extent()?, file.shift(origin));
        Some(TimeRange::new(extent.start + shift, extent.end + shift))
    });
    let extents: Vec<TimeRange> = extents.collect();
    let (first, last) = (extents.iter().map(|e| e.start).min(), extents.iter().map(|e| e.end).max());
    let speed = options.speed.or_else(|| files.first().map(|file| file.def.speed)).unwrap_or(1.0);
    let (Some(first), Some(last), true) = (first, last, only_csv) else {
        beside_live_sources(site, files, options, origin, remarks);
        return Ok((live, false));
    };
    let endless = files.iter().any(|file| file.def.repeat);
    if !now {
        if options.clock.is_some() {
            return Err(GatewayError::ClockOfRecordings);
        }
        return Ok((Clock::replay(first, speed, if endless { Timestamp::MAX } else { last }), true));
    }
    // An exact comparison: 1 is what people write.
    if (speed - 1.0).abs() < f64::EPSILON {
        return Ok((live, false));
    }
    let end = if speed.is_infinite() && !endless { last.max(origin) } else { Timestamp::MAX };
    Ok((Clock::replay(origin, speed, end), false))
}

/// Says what a recording does in a site that lives now.
fn beside_live_sources(site: &Site, files: &[CsvFile], options: &PlantOptions, origin: Timestamp, remarks: &mut Vec<String>) {
    let live = site.loaded.sources.iter().find(|def| !matches!(def.kind, SourceKind::Csv(_)));
    let Some(live) = live else { return };
    for file in files {
        let id = site.loaded.sources.get(file.source.at()).map_or("", |def| def.id.as_str());
        let Some(extent) = file.extent() else { continue };
        let (first, last) = (extent.start + file.shift(origin), extent.end + file.shift(origin));
        if first < origin {
            remarks.push(format!(
                "source '{id}': the site lives now because of source '{}', so {} ({first} to {last}) is history from the first \
                 moment on as far as it is past; write start = \"now\" to have it played",
                live.id, file.def.path
            ));
        }
        let speed = options.speed.unwrap_or(file.def.speed);
        if file.def.start != StartAt::Recorded && (speed - 1.0).abs() > f64::EPSILON {
            remarks.push(format!("source '{id}': beside live sources it is played in real time; its speed has no effect"));
        }
    }
}

/// Generators that there are.
const PLANTS: [&str; 1] = ["bottling"];

/// Sources of generators that do not exist: `serve` refuses them, so `check` names them.
pub(crate) fn unknown_plants(site: &Site) -> Vec<Diagnostic> {
    let unknown = site.loaded.sources.iter().filter_map(|def| match &def.kind {
        SourceKind::Synthetic { plant, .. } if !PLANTS.contains(&plant.as_str()) => Some((def, plant)),
        _ => None,
    });
    let finding = |(def, plant): (&SourceDef, &String)| Diagnostic {
        severity: Severity::Error,
        code: codes::VALUE_INVALID,
        at: def.at.clone(),
        subject: def.id.clone(),
        message: format!("source '{}' is of a plant '{plant}', which does not exist", def.id),
        help: format!("write plant = \"{}\"", PLANTS.join("\" or \"")),
    };
    unknown.map(finding).collect()
}

/// A generator and the sources of the site that it stands behind.
pub(crate) struct SyntheticGroup {
    pub(crate) seed: u64,
    pub(crate) start: StartAt,
    pub(crate) sources: Vec<SourceIndex>,
}

/// Synthetic sources by plant: those with the same seed and start share one.
///
/// # Errors
/// A plant that does not exist.
pub(crate) fn synthetic_groups(site: &Site) -> Result<Vec<SyntheticGroup>, GatewayError> {
    let mut groups: BTreeMap<(u64, Option<Timestamp>), SyntheticGroup> = BTreeMap::new();
    for def in &site.loaded.sources {
        let SourceKind::Synthetic { plant, seed, start } = &def.kind else { continue };
        if !PLANTS.contains(&plant.as_str()) {
            let why = format!("there is no plant '{plant}'; write plant = \"bottling\"");
            return Err(GatewayError::Source { id: def.id.clone(), why });
        }
        let at = if let StartAt::Instant(t) = start { Some(*t) } else { None };
        let group = groups.entry((*seed, at));
        group.or_insert_with(|| SyntheticGroup { seed: *seed, start: *start, sources: Vec::new() }).sources.push(def.index);
    }
    Ok(groups.into_values().collect())
}

fn add_synthetic(
    site: &Site,
    model: &Model,
    now: Timestamp,
    known: Option<TimeRange>,
    plant: &mut Plant,
) -> Result<(), GatewayError> {
    for group in synthetic_groups(site)? {
        let start = if let StartAt::Instant(t) = group.start { t } else { now };
        let mut source = SyntheticSource::bottling(model, &group.sources, group.seed, start);
        // What is on disk already stays as it was; only the time since then is filled in.
        let from = (now - DAY).max(known.map_or(Timestamp::MIN, |known| known.end));
        let mut samples = Vec::with_capacity(PRELOAD);
        source.history(TimeRange::new(from.max(source.first()), now), &mut |signal, sample| {
            samples.push((signal, sample));
            if samples.len() >= PRELOAD {
                plant.hub.preload(&samples, now);
                samples.clear();
            }
        });
        plant.hub.preload(&samples, now);
        plant.sources.push(Box::new(source));
    }
    // At once, so that a kill in the first minute does not lose the day before.
    plant.hub.seal(now);
    Ok(())
}

fn add_push(site: &Site, plant: &mut Plant) {
    for def in &site.loaded.sources {
        let SourceKind::WebSocket { times, codes, clock, .. } = &def.kind else { continue };
        let mut inbox = Inbox::new(def.index).reading(times.clone(), *codes).by(*clock);
        if let Some(misread) = &def.misread {
            plant.remarks.push(not_read(def, misread));
            inbox = inbox.refusing(&format!("source '{}' is {}", def.id, until_mended(misread)));
        }
        plant.sources.push(Box::new(PushSource::new(inbox.clone())));
        plant.inboxes.push(inbox);
        plant.capabilities = plant.capabilities.with(Capabilities::INGEST);
    }
}

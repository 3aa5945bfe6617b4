//! The state of a site at an instant without a server: from its sources, from a data folder, or from a recording.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use twin_engine::{Engine, EngineConfig};
use twin_historian::StoreConfig;
use twin_model::{Model, Sample, SignalIndex, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::LinkState;
use twin_site::{SourceKind, StartAt};

use crate::GatewayError;
use crate::assemble::{csv_files, not_read, synthetic_groups};
use crate::exchange::history;
use crate::history::Database;
use crate::lacks;
use crate::lacks::Lacks;
use crate::recording::{self, Reading, Recording};
use crate::site::Site;
use crate::sources::{Source as _, SyntheticSource};
use crate::stores::patient_store;

/// Samples that are handed over at once.
const SLICE: usize = 50_000;

/// Where samples come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// The site's own sources: CSV files are read, generators run.
    Sources,
    /// A data folder of `orrery serve --data`.
    Data(PathBuf),
    /// A recording.
    Recording(PathBuf),
}

/// A filled engine and remarks for people.
pub struct Headless {
    /// The engine.
    pub engine: Engine,
    /// What a person should know.
    pub remarks: Vec<String>,
    /// Sources that could not be used; what they feed is missing.
    pub unusable: usize,
    /// What was kept, and can't be read.
    pub missing: Vec<Lacks>,
    /// Pieces that can't be read, those of series included that the site does not have.
    pub unreadable: usize,
}

impl Headless {
    /// Exit code of what was computed from this, of a site with so many faults: 1 where it is less than there should be.
    pub fn code(&self, faults: usize) -> u8 {
        u8::from(self.unusable + self.unreadable + faults > 0)
    }
}

/// Fills an engine with everything up to `at`. `start` is where generators begin that the site file starts "now".
///
/// # Errors
/// Where the site or what it is read from cannot be used.
pub fn fill(site: &Site, from: &From, at: Timestamp, start: Timestamp) -> Result<Headless, GatewayError> {
    fill_by(site, site.loaded.model.clone(), from, at, start)
}

/// The same, judged by a model that need not be the site's of now: of another revision of it.
///
/// # Errors
/// As [`fill`].
pub fn fill_by(site: &Site, model: Model, from: &From, at: Timestamp, start: Timestamp) -> Result<Headless, GatewayError> {
    let config = if *from == From::Sources { EngineConfig::default() } else { kept() };
    let mut engine = Engine::new(model, config);
    let mut remarks = Vec::new();
    let (mut unusable, mut missing, mut unreadable) = (0, Vec::new(), 0);
    // One signal comes after the other: what follows from several is folded once all are there.
    engine.hold_back();
    match from {
        From::Sources => unusable = from_sources(site, at, start, &mut engine, &mut remarks)?,
        From::Data(folder) => (missing, unreadable) = from_data(folder, &site.loaded.model, at, &mut engine, &mut remarks)?,
        From::Recording(path) => {
            let recording = recording::read_as(path, Reading::Of(engine.model()))?;
            unreadable = from_recording(&recording, &mut engine, &mut remarks);
        }
    }
    engine.settle();
    Ok(Headless { engine, remarks, unusable, missing, unreadable })
}

/// The state of a recording, whose site is inside it.
pub fn fill_from_recording(recording: &Recording) -> Headless {
    let mut engine = Engine::new(recording.model().clone(), kept());
    let mut remarks = Vec::new();
    engine.hold_back();
    let unreadable = from_recording(recording, &mut engine, &mut remarks);
    engine.settle();
    Headless { engine, remarks, unusable: 0, missing: Vec::new(), unreadable }
}

/// For what is kept already: whether its clock was right was judged when it came, or, of an import, does not matter.
fn kept() -> EngineConfig {
    EngineConfig { store: StoreConfig::default().believing(), ..EngineConfig::default() }
}

/// Where the signals and sources of one model stand in another.
struct Places {
    /// `None` where both are the same.
    signals: Option<Vec<Option<SignalIndex>>>,
    sources: Vec<Option<SourceIndex>>,
}

impl Places {
    fn of(from: &Model, to: &Model) -> Self {
        let source = |id: &str| to.sources().iter().position(|source| source.id == id).map(SourceIndex::from_at);
        let place = |signal: SignalIndex| {
            let found = to.find_signal(from.signal(signal).id.as_str())?;
            // One that is of another kind now says nothing about what it was.
            (to.signal(found).value_kind == from.signal(signal).value_kind).then_some(found)
        };
        let signals: Vec<Option<SignalIndex>> = from.signal_indices().map(place).collect();
        let same = from.signal_indices().zip(&signals).all(|(signal, place)| Some(signal) == *place);
        Self { signals: (!same).then_some(signals), sources: from.sources().iter().map(|known| source(&known.id)).collect() }
    }

    /// Samples of the one as those of the other; what it does not have is left out.
    fn moved<'a>(&self, samples: &'a [(SignalIndex, Sample)]) -> Cow<'a, [(SignalIndex, Sample)]> {
        let Some(signals) = &self.signals else { return Cow::Borrowed(samples) };
        let place = |signal: &SignalIndex| signals.get(signal.at()).copied().flatten();
        Cow::Owned(samples.iter().filter_map(|(signal, sample)| Some((place(signal)?, sample.clone()))).collect())
    }

    fn source(&self, source: SourceIndex) -> Option<SourceIndex> {
        self.sources.get(source.at()).copied().flatten()
    }
}

fn from_sources(
    site: &Site,
    at: Timestamp,
    start: Timestamp,
    engine: &mut Engine,
    remarks: &mut Vec<String>,
) -> Result<usize, GatewayError> {
    let (files, unusable) = csv_files(site, remarks);
    let mut failed = unusable.len();
    let places = Places::of(&site.loaded.model, engine.model());
    for mut file in files {
        let shift = file.shift(start);
        if let (true, Some(extent)) = (file.def.repeat, file.extent()) {
            let id = site.loaded.sources.get(file.source.at()).map_or("", |def| def.id.as_str());
            remarks.push(format!(
                "source '{id}': {} is played in a loop by a server; here it is read once, up to {}, and values grow old after that; \
                 --data or --recording shows what a server played",
                file.def.path,
                extent.end + shift
            ));
        }
        let read = file.each(shift, &mut |samples| {
            engine.ingest(&places.moved(samples));
        });
        if let Err(error) = read {
            failed += 1;
            remarks.push(format!("{}: {error}", file.def.path));
        }
    }
    for source in unusable.iter().filter_map(|source| places.source(source.source())) {
        engine.note_link(source, start.min(at), false);
    }
    for def in &site.loaded.sources {
        if matches!(def.kind, SourceKind::WebSocket { .. }) {
            if let Some(misread) = &def.misread {
                failed += 1;
                remarks.push(not_read(def, misread));
            }
            remarks.push(format!("source '{}' has nothing without a server; use --data or --recording", def.id));
        }
    }
    for group in synthetic_groups(site)? {
        let start = if let StartAt::Instant(t) = group.start { t } else { start };
        let mut source = SyntheticSource::bottling(&site.loaded.model, &group.sources, group.seed, start);
        let end = Timestamp::from_micros(at.as_micros().saturating_add(1));
        let mut samples = Vec::with_capacity(SLICE);
        source.history(TimeRange::new(source.first(), end.max(source.first())), &mut |signal, sample| {
            samples.push((signal, sample));
            if samples.len() >= SLICE {
                engine.ingest(&places.moved(&samples));
                samples.clear();
            }
        });
        engine.ingest(&places.moved(&samples));
        for (link, t, up) in source.link_changes(end) {
            if let Some(link) = places.source(link) {
                engine.note_link(link, t, up);
            }
        }
    }
    Ok(failed)
}

fn from_data(
    folder: &Path,
    today: &Model,
    at: Timestamp,
    engine: &mut Engine,
    remarks: &mut Vec<String>,
) -> Result<(Vec<Lacks>, usize), GatewayError> {
    let model = &engine.model().clone();
    let mut store = patient_store(model);
    // What lies ahead of the instant and was known by then tells of a clock that runs ahead.
    let ahead = StoreConfig::default().future_limit;
    let end = Timestamp::from_micros(at.as_micros().saturating_add(ahead.as_micros()).saturating_add(1));
    let database = Database::open_to_read(folder)?;
    let loaded = database.load_before(model, &mut store, end)?;
    let until = TimeRange::new(Timestamp::MIN, Timestamp::from_micros(at.as_micros().saturating_add(1)));
    remarks.extend(database.about(model, today, until)?);
    remarks.extend(loaded.remarks.iter().cloned());
    if loaded.unreadable > 0 {
        remarks.push(format!("{} pieces of saved history can't be read and are missing", loaded.unreadable));
    }
    let missing = history::lacks(&loaded, &store, model, TimeRange::new(Timestamp::MIN, end));
    remarks.extend(missing.iter().map(|lacks| lacks.words(model)));
    let range = TimeRange::new(Timestamp::MIN, end);
    let mut samples: Vec<(SignalIndex, Sample)> = Vec::new();
    for signal in model.signal_indices() {
        store.for_each_sample(signal, range, &mut |sample| {
            if sample.source_time <= at || sample.received_time <= at {
                samples.push((signal, sample.clone()));
            }
            std::ops::ControlFlow::Continue(())
        });
        let begun = missing.iter().filter(|lacks| lacks.range.start <= at && lacks.signals.contains(&signal));
        lost(model, signal, begun.map(|lacks| lacks.range.start), &mut samples);
        engine.ingest(&samples);
        samples.clear();
    }
    // Where only extracts are left, readings further apart than usual are no silence.
    store.coarse_in(range).for_each(|(coarse, level)| engine.note_detail(coarse, level));
    for change in loaded.links.iter().filter(|change| change.at <= at) {
        note(engine, change.source, change.at, change.state);
    }
    Ok((missing, loaded.unreadable))
}

/// Adds [`lacks::lost`] where something that was kept begins, unless there is a reading of that very time.
fn lost(model: &Model, signal: SignalIndex, begins: impl Iterator<Item = Timestamp>, samples: &mut Vec<(SignalIndex, Sample)>) {
    for begin in begins {
        let at = samples.partition_point(|(_, sample)| sample.source_time < begin);
        if samples.get(at).is_none_or(|(_, sample)| sample.source_time > begin) {
            samples.insert(at, (signal, lacks::lost(model, signal, begin)));
        }
    }
}

/// Returns how many pieces could not be read.
fn from_recording(recording: &Recording, engine: &mut Engine, remarks: &mut Vec<String>) -> usize {
    let mut unreadable = usize::from(recording.damaged);
    remarks.extend(recording.remarks.iter().cloned());
    for chunk in &recording.chunks {
        if engine.import_chunk(chunk).is_err() {
            unreadable += 1;
            remarks.push("a piece of history in the recording can't be read".to_owned());
        }
    }
    engine.ingest(&recording.samples);
    for change in &recording.links {
        note(engine, change.source, change.at, change.state);
    }
    unreadable
}

fn note(engine: &mut Engine, source: u32, at: Timestamp, state: LinkState) {
    match state {
        LinkState::Up => engine.note_link(twin_model::SourceIndex(source), at, true),
        LinkState::Down => engine.note_link(twin_model::SourceIndex(source), at, false),
        // A recording that is over and a link that was never tried say nothing about the values' age.
        LinkState::Unknown | LinkState::Ended => {}
    }
}

/// Longest what-if horizon.
pub const MAX_HORIZON: Span = Span::from_secs(400 * 86_400);

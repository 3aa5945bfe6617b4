//! Recordings on disk: writing one from a running hub, reading one back, and replaying it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use twin_model::{Sample, SignalIndex, SourceIndex, TimeRange, Timestamp};
use twin_protocol::recording::{Record, Records, encode_record, file_header};
use twin_protocol::{Entry, Limits, LinkChange, LinkState, ServerFrame, decode_server};
use twin_site::LoadedSite;

use crate::GatewayError;
use crate::hub::{Hub, Place};
use crate::server::{Damaged, NoHistory, history_of};
use crate::site::Site;
use crate::sources::{Polled, Source};

/// A recording read from disk.
pub struct Recording {
    /// Its site.
    pub site: LoadedSite,
    /// Name and text of its site file.
    pub file_name: String,
    /// Text of its site file.
    pub toml: String,
    /// Files by the path that the site file uses.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Pieces of history from before the recording.
    pub chunks: Vec<Vec<u8>>,
    /// Samples in the order they arrived.
    pub samples: Vec<(SignalIndex, Sample)>,
    /// Link changes in the order they arrived.
    pub links: Vec<LinkChange>,
    /// When recording began, where it began with what was known then.
    pub began: Option<Timestamp>,
    /// What a person should know.
    pub remarks: Vec<String>,
}

/// Reads a recording.
///
/// # Errors
/// Where it is none. A torn end is a remark.
pub fn read(path: &Path) -> Result<Recording, GatewayError> {
    let bytes = std::fs::read(path).map_err(|source| GatewayError::Read { path: path.to_owned(), source })?;
    parse(&bytes).map_err(|why| GatewayError::Recording { path: path.to_owned(), why })
}

/// Reads a recording from bytes.
///
/// # Errors
/// A sentence where they are none.
pub fn parse(bytes: &[u8]) -> Result<Recording, String> {
    let mut records = Records::new(bytes).map_err(|e| e.to_string())?;
    let Some(Record::Site { file_name, toml }) = records.next() else {
        return Err("it does not begin with a site; was it cut off while it was started?".to_owned());
    };
    let (mut files, mut frames) = (BTreeMap::new(), Vec::new());
    for record in records.by_ref() {
        match record {
            Record::Asset { path, bytes } => drop(files.insert(path, bytes)),
            Record::Frame(frame) => frames.push(frame),
            Record::Site { .. } => {}
        }
    }
    let site =
        twin_site::load(&toml, &file_name, &mut |path| files.get(path).cloned().ok_or_else(|| "not in the recording".to_owned()));
    let mut remarks = Vec::new();
    if let Some(torn) = records.torn() {
        remarks.push(format!("the recording's end is torn: {} bytes are left out ({})", torn.lost_bytes, torn.why));
    }
    let mut out = Recording {
        site,
        file_name,
        toml,
        files,
        chunks: Vec::new(),
        samples: Vec::new(),
        links: Vec::new(),
        began: None,
        remarks,
    };
    let mut ids = Vec::new();
    for frame in frames {
        out.take(frame, &mut ids);
    }
    Ok(out)
}

impl Recording {
    fn take(&mut self, frame: ServerFrame, ids: &mut Vec<Option<SignalIndex>>) {
        match frame {
            ServerFrame::Dictionary(dictionary) => *ids = dictionary.resolve(&self.site.model),
            ServerFrame::Snapshot(snapshot) => {
                if self.samples.is_empty() {
                    self.began = Some(snapshot.at);
                }
                self.keep(snapshot.entries, ids);
            }
            ServerFrame::Batch(batch) => self.keep(batch.entries, ids),
            ServerFrame::Sources(links) => {
                for link in links {
                    let source = self.site.model.sources().iter().position(|source| source.id == link.source);
                    if let Some(source) = source {
                        self.links.push(LinkChange { source: source as u32, state: link.state, at: link.since });
                    }
                }
            }
            ServerFrame::History(history) => {
                self.chunks.extend(history.chunks);
                self.links.extend(history.links);
            }
            _ => {}
        }
    }

    fn keep(&mut self, entries: Vec<Entry>, ids: &[Option<SignalIndex>]) {
        for entry in entries {
            if let Some(Some(signal)) = ids.get(entry.id.0 as usize) {
                self.samples.push((*signal, entry.sample));
            }
        }
    }

    /// What was recorded live: from its beginning, or else the first receive time, to the last receive time. The newest value
    /// of a signal that seldom speaks may be far older than the beginning; a replay does not go back to it.
    pub fn extent(&self) -> Option<TimeRange> {
        let first = self.samples.iter().map(|(_, s)| s.received_time).min()?;
        let last = self.samples.iter().map(|(_, s)| s.received_time).max()?;
        let first = self.began.map_or(first, |began| began.clamp(first, last));
        Some(TimeRange::new(first, last))
    }
}

/// Hands out a recording's samples at the pace at which they were received.
pub struct RecordedSource {
    samples: Vec<(Timestamp, SignalIndex, Sample)>,
    links: Vec<LinkChange>,
    sources: usize,
    at: usize,
    link_at: usize,
}

impl RecordedSource {
    /// Takes the samples and links out of a recording.
    pub fn new(recording: &mut Recording) -> Self {
        let mut newest = Timestamp::MIN;
        let due = |(signal, sample): (SignalIndex, Sample)| {
            newest = newest.max(sample.received_time);
            (newest, signal, sample)
        };
        let samples = std::mem::take(&mut recording.samples).into_iter().map(due).collect();
        let mut links = std::mem::take(&mut recording.links);
        links.sort_by_key(|link| link.at);
        Self { samples, links, sources: recording.site.model.sources().len(), at: 0, link_at: 0 }
    }
}

impl Source for RecordedSource {
    fn history(&mut self, _: TimeRange, _: &mut dyn FnMut(SignalIndex, Sample)) {}

    fn poll(&mut self, now: Timestamp, out: &mut Polled) {
        while let Some((due, signal, sample)) = self.samples.get(self.at)
            && *due <= now
        {
            out.samples.push((*signal, sample.clone()));
            self.at += 1;
        }
        while let Some(link) = self.links.get(self.link_at)
            && link.at <= now
        {
            out.links.push((SourceIndex(link.source), link.state, String::new()));
            self.link_at += 1;
        }
        if self.at >= self.samples.len() {
            let over = |source| (SourceIndex::from_at(source), LinkState::Ended, "the recording is over".to_owned());
            out.links.extend((0..self.sources).map(over));
        }
    }
}

/// A recording that is being written, record by record.
pub struct RecordingFile {
    path: PathBuf,
    file: File,
    /// Bytes written.
    pub bytes: u64,
}

impl RecordingFile {
    /// Makes the file; one that exists is replaced.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn create(path: &Path) -> Result<Self, GatewayError> {
        let file = File::create(path).map_err(|source| GatewayError::Write { path: path.to_owned(), source })?;
        let mut out = Self { path: path.to_owned(), file, bytes: 0 };
        out.write(&file_header())?;
        Ok(out)
    }

    /// Appends a record.
    ///
    /// # Errors
    /// Where the file cannot be written, or a reader would not take the record and all that comes after it.
    pub fn record(&mut self, record: &Record) -> Result<(), GatewayError> {
        record.fits().map_err(|why| GatewayError::Recording { path: self.path.clone(), why: why.to_string() })?;
        self.write(&encode_record(record))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), GatewayError> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| GatewayError::Write { path: self.path.clone(), source })
    }
}

/// Writes what a hub gets.
pub struct Recorder {
    /// The file.
    pub file: RecordingFile,
    /// Stretches of history that could not be read, for people: they are not in the recording.
    pub missing: Vec<String>,
    place: Place,
}

impl Recorder {
    /// Starts a recording: site, models, what is known of `history`, the newest values.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn start(path: &Path, site: &Site, hub: &Hub, history: TimeRange, now: Timestamp) -> Result<Self, GatewayError> {
        let mut file = RecordingFile::create(path)?;
        let (frames, place) = hub.open(None, now);
        file.record(&Record::Site { file_name: site.file_name(), toml: twin_site::redacted_site(&site.toml) })?;
        for (path, bytes) in asset_files(site) {
            let asset = Record::Asset { path, bytes };
            match (asset.fits(), &asset) {
                (Err(why), Record::Asset { path, .. }) => crate::term::warn(&format!("{path} is not in the recording: {why}")),
                _ => file.record(&asset)?,
            }
        }
        let mut recorder = Self { file, missing: Vec::new(), place: place.whole() };
        recorder.frame(&hub.dictionary())?;
        let mut range = history;
        // What lies ahead of the clock was taken in, too, and comes into force while it is recorded.
        range.end = hub.extent().map_or(range.end, |extent| extent.end.max(range.end));
        loop {
            let (piece, lacks) = match history_of(hub, range, Damaged::LeaveOut) {
                Ok(found) => found,
                Err(NoHistory::Unread(source)) => return Err(GatewayError::History { path: "the data folder".into(), source }),
                Err(NoHistory::Lacks(_)) => break,
            };
            recorder.missing.extend(lacks.iter().map(|lacks| lacks.words(hub.model())));
            let next = piece.next;
            recorder.file.record(&Record::Frame(ServerFrame::History(piece)))?;
            match next {
                Some(next) => range.start = next,
                None => break,
            }
        }
        for frame in frames {
            recorder.file.record(&Record::Frame(frame))?;
        }
        Ok(recorder)
    }

    /// Appends what the hub has new at `now`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn poll(&mut self, hub: &Hub, now: Timestamp) -> Result<(), GatewayError> {
        loop {
            let frames = hub.next(&mut self.place, now);
            if frames.is_empty() {
                return Ok(());
            }
            for frame in frames {
                self.frame(&frame)?;
            }
        }
    }

    fn frame(&mut self, bytes: &[u8]) -> Result<(), GatewayError> {
        match decode_server(bytes, &Limits::SERVER_FRAMES) {
            Ok(frame) => self.file.record(&Record::Frame(frame)),
            // Our own frames always decode; a recording without one of them beats no recording.
            Err(_) => Ok(()),
        }
    }
}

/// Imports, models and the files beside them, by the path that the site file would use.
fn asset_files(site: &Site) -> BTreeMap<String, Vec<u8>> {
    // A recording goes further than its site file: imports come without secrets, as the site itself does.
    let mut files: BTreeMap<String, Vec<u8>> =
        site.files.iter().map(|(path, bytes)| (path.clone(), twin_site::redacted_import(bytes))).collect();
    for path in site.loaded.model_files() {
        let Ok(bytes) = site.read_file(path) else { continue };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for reference in crate::site::references(&bytes) {
            if let Ok(bytes) = site.read_beside(path, &reference) {
                files.insert(twin_site::paths::join(folder, &reference), bytes);
            }
        }
        files.insert(path.to_owned(), bytes);
    }
    files
}

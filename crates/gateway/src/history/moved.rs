//! A site whose signals changed: which number each saved signal has now, and history under those numbers.

use std::collections::{BTreeMap, BTreeSet};

use twin_historian::historian::{Blob, Historian, KeepError, Kept};
use twin_historian::{ChunkKey, Level, StoreConfig, chunk};
use twin_model::{Model, TimeRange, ValueKind};
use twin_protocol::{Batch, DictId, Entry, Limits, ServerFrame, decode_server};

/// Kind and id of every signal, one per line: what the numbers in chunks mean.
pub(super) fn signals_text(model: &Model) -> String {
    let line = |kind: ValueKind, id: &str| match kind {
        ValueKind::Float => format!("f {id}\n"),
        ValueKind::Int => format!("i {id}\n"),
        ValueKind::Bool => format!("b {id}\n"),
        ValueKind::Text => format!("t {id}\n"),
    };
    model.signals().iter().map(|signal| line(signal.value_kind, signal.id.as_str())).collect()
}

/// From saved numbers to those of a model.
#[derive(Debug)]
pub(super) struct Mapping {
    to: Vec<Option<u32>>,
    /// Saved numbers by number now.
    from: BTreeMap<u32, u32>,
}

impl Mapping {
    /// None where nothing changed.
    pub(super) fn of(saved: Option<&str>, model: &Model) -> Option<Self> {
        let saved = saved.filter(|saved| *saved != signals_text(model))?;
        let id = |line: &str| line.split_once(' ').map_or("", |(_, id)| id).to_owned();
        let to: Vec<Option<u32>> = saved.lines().map(|line| model.find_signal(&id(line)).map(|signal| signal.0)).collect();
        let from = to.iter().enumerate().filter_map(|(old, new)| Some(((*new)?, old as u32))).collect();
        Some(Self { to, from })
    }

    /// Saved signals that are no more.
    pub(super) fn dropped(&self) -> usize {
        self.to.iter().filter(|to| to.is_none()).count()
    }

    fn now(&self, old: u32) -> Option<u32> {
        self.to.get(old as usize).copied().flatten()
    }

    /// A journal entry under today's numbers: a batch or some chunks. None where nothing of it is left.
    pub(super) fn entry(&self, bytes: &[u8], signals: u32) -> Vec<Vec<u8>> {
        if let Ok(key) = chunk::peek_key(bytes) {
            let lanes = lanes(signals);
            let moved = lanes.filter_map(|(first_signal, signals)| {
                chunk::gather(ChunkKey { first_signal, signals, ..key }, &[bytes], &|old| self.now(old)).ok()
            });
            return moved.filter(|chunk| chunk.samples > 0).map(|chunk| chunk.bytes).collect();
        }
        let Ok(ServerFrame::Batch(batch)) = decode_server(bytes, &Limits::KEPT_FRAMES) else { return Vec::new() };
        let entry = |entry: Entry| Some(Entry { id: DictId(self.now(entry.id.0)?), ..entry });
        let entries: Vec<Entry> = batch.entries.into_iter().filter_map(entry).collect();
        let encode = |entries| twin_protocol::encode_server(&ServerFrame::Batch(Batch { seq: batch.seq, entries }));
        twin_protocol::pieces(entries).map(encode).collect()
    }
}

/// First signal and width of every lane.
pub(super) fn lanes(signals: u32) -> impl Iterator<Item = (u32, u32)> {
    let width = StoreConfig::default().lane_signals;
    (0..signals.div_ceil(width)).map(move |lane| (lane * width, width.min(signals - lane * width)))
}

/// Takes a chunk, or why it cannot be read.
pub(super) type Take<'a> = &'a mut dyn FnMut(Result<Blob, KeepError>) -> Result<(), KeepError>;

/// Every chunk of a level about a stretch, page by page, under the numbers that `mapping` gives for `signals` signals.
///
/// # Errors
/// Where the keeper cannot be read; damaged chunks are handed over as such.
pub(super) fn each_chunk(
    keeper: &dyn Historian,
    level: Level,
    range: TimeRange,
    mapping: Option<&Mapping>,
    signals: u32,
    take: Take<'_>,
) -> Result<(), KeepError> {
    let read = |kept: &Kept| match keeper.chunk(&kept.key) {
        Ok(found) => Ok(found.map(Ok)),
        Err(damaged @ KeepError::Damaged { .. }) => Ok(Some(Err(damaged))),
        Err(other) => Err(other),
    };
    for page in keeper.pages(level, range)? {
        let instant = TimeRange::new(page.start, page.start + twin_model::Span::from_micros(1));
        let kept: Vec<Kept> = keeper.catalogue(level, instant)?.into_iter().filter(|kept| kept.key.start == page.start).collect();
        let Some(mapping) = mapping else {
            for one in &kept {
                if let Some(bytes) = read(one)? {
                    take(bytes)?;
                }
            }
            continue;
        };
        for (first_signal, width) in lanes(signals) {
            let olds: BTreeSet<u32> = mapping.from.range(first_signal..first_signal + width).map(|(_, old)| *old).collect();
            let holds = |key: &ChunkKey| olds.range(key.first_signal..key.first_signal + key.signals).next().is_some();
            let mut pieces = Vec::new();
            let mut key: Option<ChunkKey> = None;
            for one in kept.iter().filter(|one| holds(&one.key)) {
                match read(one)? {
                    Some(Ok(bytes)) => pieces.push(bytes),
                    Some(Err(damaged)) => take(Err(damaged))?,
                    None => continue,
                }
                let (end, version) = key.map_or((one.key.end, 1), |key| (key.end, key.version));
                let (end, version) = (end.max(one.key.end), version.max(one.key.version));
                key = Some(ChunkKey { first_signal, signals: width, end, version, ..one.key });
            }
            let borrowed: Vec<&[u8]> = pieces.iter().map(|bytes| &**bytes).collect();
            let Some(key) = key else { continue };
            match chunk::gather(key, &borrowed, &|old| mapping.now(old)) {
                Ok(chunk) if chunk.samples > 0 => take(Ok(chunk.bytes.into()))?,
                Ok(_) => {}
                Err(error) => take(Err(KeepError::Damaged { what: format!("chunk {key}"), why: error.to_string() }))?,
            }
        }
    }
    Ok(())
}

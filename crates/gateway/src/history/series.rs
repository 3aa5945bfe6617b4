//! The series of a data folder: an id gets a number once and keeps it, whatever the site file says later. Chunks and journal
//! hold these numbers; a site's positions are mapped onto them. Refuses to know where any of it is kept.

use std::collections::BTreeMap;

use twin_historian::historian::Blob;
use twin_historian::{Chunk, ChunkKey, HistorianError, chunk};
use twin_model::{Model, ValueKind};
use twin_protocol::{Batch, DictId, Entry, Limits, ProtocolError, ServerFrame, decode_server, encode_server, pieces};

/// What is known of one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct One {
    /// Kind of its values, as the site that wrote it last declared it; samples of other kinds may be among them.
    pub(crate) kind: ValueKind,
    /// `<twin>.<signal>`; empty where it was removed. Its number is never given to another.
    pub(crate) id: String,
    /// Unit of its values, empty where they were declared without one; `None` where nobody wrote it down.
    pub(crate) unit: Option<String>,
    /// The signal whose values in another unit than its own these are.
    pub(crate) apart: Option<String>,
}

impl One {
    /// One of which no unit is known.
    pub(crate) fn new(kind: ValueKind, id: String) -> Self {
        Self { kind, id, unit: None, apart: None }
    }
}

/// All series, by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Series(Vec<One>);

/// The letter of a kind in texts and tables.
pub(crate) const fn letter(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Float => "f",
        ValueKind::Int => "i",
        ValueKind::Bool => "b",
        ValueKind::Text => "t",
    }
}

/// The kind of a letter.
pub(crate) fn kind_of(letter: &str) -> Option<ValueKind> {
    Some(match letter {
        "f" => ValueKind::Float,
        "i" => ValueKind::Int,
        "b" => ValueKind::Bool,
        "t" => ValueKind::Text,
        _ => return None,
    })
}

impl Series {
    /// As [`Self::text`] writes it; none where a line makes no sense.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let line = |line: &str| {
            let (kind, id) = line.split_once(' ')?;
            Some(One::new(kind_of(kind)?, id.to_owned()))
        };
        text.lines().map(line).collect::<Option<Vec<One>>>().map(Self)
    }

    /// Kind and id of every number, one a line.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|one| format!("{} {}\n", letter(one.kind), one.id)).collect()
    }

    /// Series by number, those that were removed included.
    pub(crate) fn all(&self) -> &[One] {
        &self.0
    }

    /// Adds one under the next number.
    pub(crate) fn push(&mut self, one: One) {
        self.0.push(one);
    }

    /// The number of an id.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.0.iter().position(|one| one.id == id && !id.is_empty()).map(|at| at as u32)
    }

    /// Gives a number another id, or none where it is empty.
    pub(crate) fn rename(&mut self, number: u32, id: &str) {
        if let Some(one) = self.0.get_mut(number as usize) {
            id.clone_into(&mut one.id);
            one.apart = None;
        }
    }

    /// The one of a number.
    pub(super) fn one_mut(&mut self, number: u32) -> Option<&mut One> {
        self.0.get_mut(number as usize)
    }

    /// Series that a site does not have; those that are set apart of its signals are told by [`Self::apart`].
    pub(crate) fn absent(&self, model: &Model) -> Vec<&str> {
        let absent = |one: &&One| model.find_signal(one.apart.as_deref().unwrap_or(&one.id)).is_none();
        self.0.iter().filter(|one| !one.id.is_empty()).filter(absent).map(|one| one.id.as_str()).collect()
    }
}

/// The numbers of a site's signals in one data folder, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbers {
    of: Vec<u32>,
    /// Positions by number; none where both are the same.
    at: Option<BTreeMap<u32, u32>>,
    given: u32,
}

impl Numbers {
    pub(super) fn new(of: Vec<u32>, given: u32) -> Self {
        let same = of.iter().enumerate().all(|(at, number)| at as u32 == *number);
        let at = (!same).then(|| of.iter().enumerate().map(|(at, number)| (*number, at as u32)).collect());
        Self { of, at, given }
    }

    /// Numbers are positions: where there is no data folder.
    pub(crate) fn positions(signals: usize) -> Self {
        Self::new((0..signals as u32).collect(), signals as u32)
    }

    /// By position.
    pub(crate) fn all(&self) -> &[u32] {
        &self.of
    }

    /// Numbers given out so far.
    pub(crate) const fn given(&self) -> u32 {
        self.given
    }

    /// Position of a number; none where the site has no such signal.
    pub(crate) fn position(&self, number: u32) -> Option<u32> {
        match &self.at {
            Some(at) => at.get(&number).copied(),
            None => ((number as usize) < self.of.len()).then_some(number),
        }
    }

    /// Number of a position.
    pub(crate) fn number(&self, position: u32) -> Option<u32> {
        self.of.get(position as usize).copied()
    }

    /// 0 where everything kept is shown as it is kept; otherwise differs with what is shown of one and the same chunk.
    pub(crate) fn tag(&self) -> u64 {
        if self.at.is_none() && self.given as usize == self.of.len() {
            return 0;
        }
        crate::pack::fnv64(&self.of.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// A batch under numbers instead of positions, and its samples; more than one frame where one would be too long to be read again.
    ///
    /// # Errors
    /// Where it is no batch.
    pub(crate) fn frames(&self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, u32)>, ProtocolError> {
        let ServerFrame::Batch(batch) = decode_server(bytes, &Limits::KEPT_FRAMES)? else {
            return Err(ProtocolError::Malformed { what: "journal entry", why: "not a batch" });
        };
        let number = |entry: Entry| Some(Entry { id: DictId(self.number(entry.id.0)?), ..entry });
        let seq = batch.seq;
        let encode = |entries: Vec<Entry>| {
            let samples = entries.len() as u32;
            (encode_server(&ServerFrame::Batch(Batch { seq, entries })), samples)
        };
        Ok(pieces(batch.entries.into_iter().filter_map(number).collect()).map(encode).collect())
    }

    /// Whether numbers are positions, so that nothing need be written anew.
    pub(crate) const fn same(&self) -> bool {
        self.at.is_none()
    }

    /// A kept chunk as the site's viewers know its signals: itself where numbers are positions; otherwise its samples under
    /// positions, in more than one chunk where they are too far apart for one, in none where the site has none of its series.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn shown(&self, key: &ChunkKey, bytes: Blob) -> Result<Vec<(ChunkKey, Blob)>, HistorianError> {
        let numbers = key.first_signal..key.first_signal.saturating_add(key.signals);
        if numbers.clone().all(|number| self.position(number) == Some(number)) {
            return Ok(vec![(*key, bytes)]);
        }
        let mut positions: Vec<u32> = numbers.filter_map(|number| self.position(number)).collect();
        positions.sort_unstable();
        let mut shown = Vec::new();
        while let Some(first) = positions.first().copied() {
            let rest = positions.split_off(positions.partition_point(|at| at - first < chunk::MAX_SIGNALS));
            let signals = positions.last().map_or(1, |last| last - first + 1);
            let key = ChunkKey { first_signal: first, signals, ..*key };
            let Chunk { key, samples, bytes } = chunk::gather(key, &[&bytes], &|number| self.position(number))?;
            if samples > 0 {
                shown.push((key, bytes.into()));
            }
            positions = rest;
        }
        Ok(shown)
    }
}

#[cfg(test)]
mod tests {
    use twin_model::{Sample, Timestamp, Value};

    use super::*;

    fn series(ids: &[&str]) -> Series {
        Series(ids.iter().map(|id| One::new(ValueKind::Float, (*id).to_owned())).collect())
    }

    #[test]
    fn a_table_reads_back_and_a_removed_number_is_nobodys() {
        let mut table = series(&["a.x", "b.x"]);
        table.rename(0, "");
        assert_eq!(Series::parse(&table.text()), Some(table.clone()));
        assert_eq!((table.find("a.x"), table.find(""), table.find("b.x")), (None, None, Some(1)));
        assert_eq!(Series::parse("f a.x\nwhat"), None);
    }

    #[test]
    fn a_batch_goes_into_the_journal_under_numbers() {
        let numbers = Numbers::new(vec![7_000_000, 3], 8_000_000);
        let entry =
            |id: u32, text: &str| Entry { id: DictId(id), sample: Sample::new(Timestamp::from_secs(1), Value::text(text)) };
        let frame = encode_server(&ServerFrame::Batch(Batch { seq: 5, entries: vec![entry(0, "x"), entry(1, "y")] }));
        let frames = numbers.frames(&frame).unwrap();
        let Ok(ServerFrame::Batch(batch)) = decode_server(&frames[0].0, &Limits::KEPT_FRAMES) else { panic!() };
        let ids: Vec<u32> = batch.entries.iter().map(|entry| entry.id.0).collect();
        assert_eq!((frames.len(), batch.seq, ids), (1, 5, vec![3, 7_000_000]));
        assert!(numbers.frames(b"ORRC").is_err());
        assert_eq!(frames[0].1, 2);
    }
}

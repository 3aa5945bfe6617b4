//! The columnar block of samples that batches and snapshots share.
//!
//! Columns in order: ids, source times, delays, kinds, floats, integers, switches, texts, qualities, flags. Neighbours
//! in a column look alike, which is what varints, runs and LZ4 live on. Layout in `docs/PROTOCOL.md`.

use std::collections::HashMap;
use std::sync::Arc;

use twin_model::limits::{BATCH_BYTES, BATCH_SAMPLES, SAMPLE_BYTES};
use twin_model::{Flags, Quality, Sample, Timestamp, Value, ValueKind};

use crate::wire::{Reader, Writer};
use crate::{DictId, Entry, ProtocolError, float};

/// Time units that a column may be written in, by code.
const UNITS: [i64; 3] = [1, 1_000, 1_000_000];

pub(crate) fn kind_code(kind: ValueKind) -> u8 {
    match kind {
        ValueKind::Float => 0,
        ValueKind::Int => 1,
        ValueKind::Bool => 2,
        ValueKind::Text => 3,
    }
}

pub(crate) fn kind_of(code: u8) -> Option<ValueKind> {
    Some(match code {
        0 => ValueKind::Float,
        1 => ValueKind::Int,
        2 => ValueKind::Bool,
        3 => ValueKind::Text,
        _ => return None,
    })
}

/// Samples in pieces of which each is one frame, far below every limit of a reader: by count and by bytes, in order. A text
/// counts each time that it occurs, so that pieces are bounded in JSON too. Nothing for nothing.
pub fn pieces(entries: Vec<Entry>) -> impl Iterator<Item = Vec<Entry>> {
    let mut entries = entries.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut piece = Vec::new();
        let mut bytes = 0;
        while let Some(next) = entries.peek() {
            let more = frame_bytes(&next.sample);
            if !piece.is_empty() && (piece.len() >= BATCH_SAMPLES || bytes + more > BATCH_BYTES) {
                break;
            }
            bytes += more;
            piece.extend(entries.next());
        }
        (!piece.is_empty()).then_some(piece)
    })
}

/// Bytes that a sample takes in a frame at most.
fn frame_bytes(sample: &Sample) -> usize {
    SAMPLE_BYTES + if let Value::Text(text) = &sample.value { text.len() + 8 } else { 0 }
}

pub(crate) fn write(entries: &[Entry], w: &mut Writer) {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.id);
    w.varint(sorted.len() as u64);
    let mut last = 0;
    for entry in &sorted {
        w.varint(u64::from(entry.id.0 - last));
        last = entry.id.0;
    }
    write_times(sorted.iter().map(|e| e.sample.source_time.as_micros()), w);
    // Wrapping, like the reader: any pair of instants survives, even absurd ones.
    let delays = sorted.iter().map(|e| e.sample.received_time.as_micros().wrapping_sub(e.sample.source_time.as_micros()));
    write_times(delays, w);
    write_runs(sorted.iter().map(|e| u64::from(kind_code(e.sample.value.kind()))), w);
    write_values(&sorted, w);
    write_runs(sorted.iter().map(|e| u64::from(e.sample.quality.bits())), w);
    write_runs(sorted.iter().map(|e| u64::from(e.sample.flags.0)), w);
}

pub(crate) fn read(r: &mut Reader<'_>) -> Result<Vec<Entry>, ProtocolError> {
    let limit = r.limits().samples;
    // Each sample takes at least one byte in each of the id, time and delay columns.
    let n = r.count(limit, 3, "samples")?;
    let mut ids = Vec::with_capacity(n);
    let mut last = 0_u32;
    for _ in 0..n {
        let step: u32 = r.narrow("sample id")?;
        last = last.checked_add(step).ok_or(ProtocolError::malformed("sample id", "over 32 bits"))?;
        ids.push(DictId(last));
    }
    let times = read_times(n, r, "source time")?;
    let delays = read_times(n, r, "receive time")?;
    let kinds = read_runs(n, r, "value kind")?;
    let values = read_values(&kinds, r)?;
    let qualities = read_runs(n, r, "quality")?;
    let flags = read_runs(n, r, "flags")?;
    let mut entries = Vec::with_capacity(n);
    let columns = ids.into_iter().zip(times).zip(delays).zip(values).zip(qualities).zip(flags);
    for (((((id, time), delay), value), quality), flags) in columns {
        let quality = u16::try_from(quality).map_err(|_| ProtocolError::malformed("quality", "over 16 bits"))?;
        let flags = u8::try_from(flags).map_err(|_| ProtocolError::malformed("flags", "over 8 bits"))?;
        entries.push(Entry {
            id,
            sample: Sample {
                source_time: Timestamp::from_micros(time),
                received_time: Timestamp::from_micros(time.wrapping_add(delay)),
                value,
                quality: Quality::from_bits(quality),
                flags: Flags(flags),
            },
        });
    }
    Ok(entries)
}

/// First value, then differences, all in the coarsest unit that divides every one of them.
fn write_times(times: impl Iterator<Item = i64> + Clone, w: &mut Writer) {
    let mut last = 0_i64;
    let deltas = times.map(move |t| {
        let delta = t.wrapping_sub(last);
        last = t;
        delta
    });
    let code = (0..UNITS.len()).rev().find(|&code| deltas.clone().all(|d| d % UNITS[code] == 0)).unwrap_or(0);
    w.byte(code as u8);
    for delta in deltas {
        w.zigzag(delta / UNITS[code]);
    }
}

fn read_times(n: usize, r: &mut Reader<'_>, what: &'static str) -> Result<Vec<i64>, ProtocolError> {
    let unit = *UNITS.get(usize::from(r.byte(what)?)).ok_or(ProtocolError::malformed(what, "unknown unit"))?;
    let mut out = Vec::with_capacity(n);
    let mut last = 0_i64;
    for _ in 0..n {
        last = last.wrapping_add(r.zigzag(what)?.wrapping_mul(unit));
        out.push(last);
    }
    Ok(out)
}

/// Pairs of value and run length.
fn write_runs(values: impl Iterator<Item = u64>, w: &mut Writer) {
    let mut current: Option<(u64, u64)> = None;
    for v in values {
        match &mut current {
            Some((value, run)) if *value == v => *run += 1,
            _ => {
                if let Some((value, run)) = current {
                    w.varint(value);
                    w.varint(run);
                }
                current = Some((v, 1));
            }
        }
    }
    if let Some((value, run)) = current {
        w.varint(value);
        w.varint(run);
    }
}

fn read_runs(n: usize, r: &mut Reader<'_>, what: &'static str) -> Result<Vec<u64>, ProtocolError> {
    let mut out = Vec::with_capacity(n);
    while out.len() < n {
        let value = r.varint(what)?;
        let run = r.varint(what)?;
        if run == 0 || run > (n - out.len()) as u64 {
            return Err(ProtocolError::malformed(what, "run length does not fit"));
        }
        out.resize(out.len() + run as usize, value);
    }
    Ok(out)
}

fn write_values(sorted: &[&Entry], w: &mut Writer) {
    let mut floats = Vec::new();
    let mut ints = Writer::new();
    let mut bits = Vec::new();
    let mut texts: Vec<&Arc<str>> = Vec::new();
    for entry in sorted {
        match &entry.sample.value {
            Value::Float(v) => floats.push(*v),
            Value::Int(v) => ints.zigzag(*v),
            Value::Bool(v) => bits.push(*v),
            Value::Text(v) => texts.push(v),
        }
    }
    float::write(&floats, w);
    w.raw(&ints.out);
    for chunk in bits.chunks(8) {
        w.byte(chunk.iter().enumerate().fold(0, |byte, (at, &bit)| byte | (u8::from(bit) << at)));
    }
    if !texts.is_empty() {
        write_texts(&texts, w);
    }
}

/// Distinct texts in order of first use, then one position per sample.
fn write_texts(texts: &[&Arc<str>], w: &mut Writer) {
    let mut at: HashMap<&str, u64> = HashMap::new();
    // Samples of one frame share their texts: what was seen where it lies is not hashed again.
    let mut seen: HashMap<(*const u8, usize), u64> = HashMap::new();
    let mut distinct: Vec<&str> = Vec::new();
    let mut positions = Writer::new();
    for text in texts {
        let next = distinct.len() as u64;
        let position = *seen.entry((text.as_ptr(), text.len())).or_insert_with(|| *at.entry(text).or_insert(next));
        if position == next {
            distinct.push(text);
        }
        positions.varint(position);
    }
    w.varint(distinct.len() as u64);
    for text in distinct {
        w.text(text);
    }
    w.raw(&positions.out);
}

fn read_values(kinds: &[u64], r: &mut Reader<'_>) -> Result<Vec<Value>, ProtocolError> {
    let mut counts = [0_usize; 4];
    for &kind in kinds {
        let slot = usize::try_from(kind).ok().and_then(|kind| counts.get_mut(kind));
        *slot.ok_or(ProtocolError::malformed("value kind", "unknown"))? += 1;
    }
    let [floats, ints, bools, texts] = counts;
    let mut floats = float::read(floats, r)?.into_iter().map(Value::Float);
    let ints = (0..ints).map(|_| r.zigzag("integer column")).collect::<Result<Vec<_>, _>>()?;
    let mut ints = ints.into_iter().map(Value::Int);
    let bits = r.take(bools.div_ceil(8), "switch column")?;
    let mut bools = (0..bools).map(|at| Value::Bool(bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)));
    let mut texts = read_texts(texts, r)?.into_iter().map(Value::Text);
    let mut out = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let next = match kind {
            0 => floats.next(),
            1 => ints.next(),
            2 => bools.next(),
            _ => texts.next(),
        };
        // Never missing: the counts above came from the same column.
        out.push(next.ok_or(ProtocolError::Truncated("values"))?);
    }
    Ok(out)
}

fn read_texts(n: usize, r: &mut Reader<'_>) -> Result<Vec<Arc<str>>, ProtocolError> {
    if n == 0 {
        return Ok(Vec::new());
    }
    let distinct = r.count(n, 1, "text column")?;
    let texts = (0..distinct).map(|_| r.text("text").map(Arc::from)).collect::<Result<Vec<Arc<str>>, _>>()?;
    let mut out = Vec::with_capacity(n);
    for _ in 0..n {
        let position: usize = r.narrow("text position")?;
        out.push(texts.get(position).cloned().ok_or(ProtocolError::malformed("text position", "beyond the texts"))?);
    }
    Ok(out)
}

//! One column of whole numbers or of 64-bit patterns, in the smallest of several encodings.
//!
//! Every column is a byte that names the encoding, then its data; the number of entries is known from the section.

use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress_into};

use super::bytes::{Reader, put_varint, unzigzag, zigzag};
use crate::decimal;
use crate::error::HistorianError;

/// All entries are the same whole number.
pub(super) const CONSTANT: u8 = 0;
/// First whole number and the step to the next.
pub(super) const LINEAR: u8 = 1;
/// Zigzag varints of the differences.
pub(super) const VARINT: u8 = 2;
/// Runs: zigzag varint of the value, varint of the length.
pub(super) const RUNS: u8 = 3;
/// pco standalone of `i64`.
pub(super) const PCO_INT: u8 = 4;
/// As in the section before.
pub(super) const SAME: u8 = 5;
/// pco standalone of `f64`.
pub(super) const PCO_FLOAT: u8 = 6;
/// Exponent byte, then a column of whole numbers; value = number / 10^exponent.
pub(super) const DECIMAL: u8 = 7;
/// Eight bytes each.
pub(super) const RAW: u8 = 8;

/// From this many entries on pco is worth its header.
const PCO_FROM: usize = 24;

/// Level 8 is pco's default: measured 0.45 bytes a sample on drifting signals at 18 M samples/s.
fn pco<T: Number>(values: &[T]) -> Option<Vec<u8>> {
    simple_compress(values, &ChunkConfig::default()).ok()
}

/// Appends a column of whole numbers.
pub(super) fn put_ints(out: &mut Vec<u8>, v: &[i64]) {
    let Some(&first) = v.first() else { return out.push(RAW) };
    if v.iter().all(|x| *x == first) {
        out.push(CONSTANT);
        return put_varint(out, zigzag(first));
    }
    let step = v[1].wrapping_sub(first);
    if v.windows(2).all(|w| w[1].wrapping_sub(w[0]) == step) {
        out.push(LINEAR);
        put_varint(out, zigzag(first));
        return put_varint(out, zigzag(step));
    }
    let mut best = varints(v);
    let runs = 1 + v.windows(2).filter(|w| w[0] != w[1]).count();
    if runs * 2 < best.len() {
        shorter(&mut best, run_lengths(v));
    }
    if v.len() >= PCO_FROM
        && best.len() > 40
        && let Some(packed) = pco(v)
    {
        shorter(&mut best, with_length(PCO_INT, &packed));
    }
    out.extend_from_slice(&best);
}

fn shorter(best: &mut Vec<u8>, other: Vec<u8>) {
    if other.len() < best.len() {
        *best = other;
    }
}

fn with_length(code: u8, data: &[u8]) -> Vec<u8> {
    let mut out = vec![code];
    put_varint(&mut out, data.len() as u64);
    out.extend_from_slice(data);
    out
}

fn varints(v: &[i64]) -> Vec<u8> {
    let mut out = vec![VARINT];
    let mut last = 0_i64;
    for x in v {
        put_varint(&mut out, zigzag(x.wrapping_sub(last)));
        last = *x;
    }
    out
}

fn run_lengths(v: &[i64]) -> Vec<u8> {
    let mut out = vec![RUNS];
    for run in v.chunk_by(|a, b| a == b) {
        put_varint(&mut out, zigzag(run[0]));
        put_varint(&mut out, run.len() as u64);
    }
    out
}

/// Reads `n` whole numbers.
pub(super) fn get_ints(r: &mut Reader<'_>, n: usize) -> Result<Vec<i64>, HistorianError> {
    let code = r.u8()?;
    get_ints_as(code, r, n)
}

/// As [`get_ints`], the encoding already read.
pub(super) fn get_ints_as(code: u8, r: &mut Reader<'_>, n: usize) -> Result<Vec<i64>, HistorianError> {
    match code {
        CONSTANT => Ok(vec![unzigzag(r.varint()?); n]),
        LINEAR => {
            let (first, step) = (unzigzag(r.varint()?), unzigzag(r.varint()?));
            Ok((0..n as i64).map(|at| first.wrapping_add(step.wrapping_mul(at))).collect())
        }
        VARINT => {
            let mut last = 0_i64;
            let mut out = Vec::with_capacity(n);
            for _ in 0..n {
                last = last.wrapping_add(unzigzag(r.varint()?));
                out.push(last);
            }
            Ok(out)
        }
        RUNS => {
            let mut out = Vec::with_capacity(n);
            while out.len() < n {
                let value = unzigzag(r.varint()?);
                let length = r.count("samples in a run", (n - out.len()) as u64)?;
                if length == 0 {
                    return Err(HistorianError::Corrupt("a run is empty"));
                }
                out.resize(out.len() + length, value);
            }
            Ok(out)
        }
        PCO_INT => unpack::<i64>(r, n),
        _ => Err(HistorianError::Corrupt("a column has an unknown encoding")),
    }
}

fn unpack<T: Number + Default>(r: &mut Reader<'_>, n: usize) -> Result<Vec<T>, HistorianError> {
    let length = r.count("bytes in a column", super::MAX_BYTES as u64)?;
    let bytes = r.take(length)?;
    let mut out = vec![T::default(); n];
    match simple_decompress_into(bytes, &mut out) {
        Ok(progress) if progress.n_processed == n => Ok(out),
        Ok(_) => Err(HistorianError::Corrupt("a packed column has too few entries")),
        Err(_) => Err(HistorianError::Corrupt("a packed column cannot be unpacked")),
    }
}

/// Appends a column of `f64` bit patterns.
pub(super) fn put_floats(out: &mut Vec<u8>, bits: &[u64]) {
    let mut ints = Vec::with_capacity(bits.len());
    if let Some(exponent) = decimal::scale_all(bits, &mut ints) {
        out.extend_from_slice(&[DECIMAL, exponent]);
        return put_ints(out, &ints);
    }
    let mut best = Vec::with_capacity(1 + bits.len() * 8);
    best.push(RAW);
    best.extend(bits.iter().flat_map(|b| b.to_le_bytes()));
    if bits.windows(2).all(|w| w[0] == w[1]) {
        best.truncate(9);
        best[0] = CONSTANT;
    } else if bits.len() >= PCO_FROM {
        let floats: Vec<f64> = bits.iter().map(|b| f64::from_bits(*b)).collect();
        if let Some(packed) = pco(&floats) {
            shorter(&mut best, with_length(PCO_FLOAT, &packed));
        }
        let as_ints: Vec<i64> = bits.iter().map(|b| *b as i64).collect();
        if let Some(packed) = pco(&as_ints) {
            shorter(&mut best, with_length(PCO_INT, &packed));
        }
    }
    out.extend_from_slice(&best);
}

/// Reads `n` bit patterns of `f64`.
pub(super) fn get_floats(r: &mut Reader<'_>, n: usize) -> Result<Vec<u64>, HistorianError> {
    match r.u8()? {
        CONSTANT => Ok(vec![r.u64()?; n]),
        RAW => {
            let bytes = r.take(n.checked_mul(8).ok_or(HistorianError::Corrupt("a column is too long"))?)?;
            let words = bytes.chunks_exact(8).map(|b| b.try_into().map_or(0, u64::from_le_bytes));
            Ok(words.collect())
        }
        PCO_FLOAT => Ok(unpack::<f64>(r, n)?.into_iter().map(f64::to_bits).collect()),
        PCO_INT => Ok(unpack::<i64>(r, n)?.into_iter().map(|v| v as u64).collect()),
        DECIMAL => {
            let exponent = r.u8()?;
            if exponent > decimal::MAX_EXPONENT {
                return Err(HistorianError::Corrupt("a decimal exponent is out of range"));
            }
            Ok(get_ints(r, n)?.into_iter().map(|v| decimal::unscale(v, exponent).to_bits()).collect())
        }
        _ => Err(HistorianError::Corrupt("a column has an unknown encoding")),
    }
}

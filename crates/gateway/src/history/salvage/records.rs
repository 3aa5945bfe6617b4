//! The rows on one page of a database, its overflow pages included. Knows SQLite's format of records, not what they mean.

use std::io::{Read, Seek};

use twin_historian::chunk;

use super::pages::{PAGE, Pages, word};

/// Longest row that is read: a chunk and its row, with room.
pub(super) const LONGEST: u64 = 80 << 20;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
    /// A number or text that this program never writes.
    Other,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    /// Its row number; none in a table without row numbers.
    pub(super) row: Option<i64>,
    pub(super) values: Vec<Value>,
}

/// What a page holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) records: Vec<Record>,
    /// Rows that make no sense any more.
    pub(super) broken: u32,
}

const TABLE_LEAF: u8 = 0x0d;
const INDEX_LEAF: u8 = 0x0a;
const INDEX_INNER: u8 = 0x02;
/// Holds row numbers only; the others have none.
const TABLE_INNER: u8 = 0x05;
/// Kinds of pages that hold rows.
const HOLD_ROWS: [u8; 3] = [TABLE_LEAF, INDEX_LEAF, INDEX_INNER];

/// Reads the rows of a page. `tree` tells whether the map of the file calls it a page of a table or an index.
///
/// Its first byte says of which kind it is, and that byte may be what is damaged, also so that it names another kind: what fits a kind
/// whole is of that kind. Rows that are made up by chance are told by their checksums.
pub(super) fn of_page<S: Read + Seek>(pages: &mut Pages<S>, number: u32, page: &[u8], tree: bool) -> Found {
    let header = if number == 1 { 100 } else { 0 };
    let Some(claimed) = page.get(header).copied() else { return Found::default() };
    let claims_rows = HOLD_ROWS.contains(&claimed);
    let mut as_claimed = Found::default();
    if claims_rows {
        as_claimed = of_kind(pages, (header, claimed), page, usize::MAX);
        if as_claimed.broken == 0 {
            return as_claimed;
        }
    }
    for kind in HOLD_ROWS.into_iter().filter(|kind| *kind != claimed) {
        let found = of_kind(pages, (header, kind), page, 0);
        if found.broken == 0 && !found.records.is_empty() {
            return found;
        }
    }
    // Behind the kind: no gaps, no rows, and what they would hold begins at the end of the page.
    let empty = page.get(header + 1..header + 8) == Some(&[0, 0, 0, 0, (PAGE >> 8) as u8, 0, 0]);
    if !claims_rows && claimed != TABLE_INNER && tree && !empty {
        as_claimed.broken = 1;
    }
    as_claimed
}

/// Reads a page as one of that kind, until more than so many rows make no sense.
fn of_kind<S: Read + Seek>(pages: &mut Pages<S>, (header, kind): (usize, u8), page: &[u8], most_broken: usize) -> Found {
    let (front, child) = if kind == INDEX_INNER { (12, 4) } else { (8, 0) };
    let half = |at: usize| page.get(at..at + 2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_be_bytes);
    let cells = usize::from(half(header + 3));
    let mut found = Found::default();
    if header + front + cells * 2 > PAGE {
        found.broken = 1;
        return found;
    }
    // Damaged lengths and chains may claim the same pages again and again.
    let mut overflow = pages.overflow();
    for cell in 0..cells {
        let at = usize::from(half(header + front + cell * 2));
        match record(pages, &mut overflow, page, at + child, kind == TABLE_LEAF) {
            Some(record) if at > header => found.records.push(record),
            _ => found.broken += 1,
        }
        if found.broken as usize > most_broken {
            break;
        }
    }
    found
}

fn record<S: Read + Seek>(pages: &mut Pages<S>, overflow: &mut u32, page: &[u8], mut at: usize, table: bool) -> Option<Record> {
    let length = varint(page, &mut at)?;
    let row = if table { Some(varint(page, &mut at)? as i64) } else { None };
    let payload = payload(pages, overflow, page, at, length, table)?;
    let mut head = 0;
    let mut body = usize::try_from(varint(&payload, &mut head)?).ok()?;
    let end = body;
    let mut values = Vec::new();
    while head < end {
        let kind = varint(&payload, &mut head)?;
        values.push(value(&payload, &mut body, kind)?);
    }
    (head == end && body == payload.len()).then_some(Record { row, values })
}

/// The bytes of a row, of which what does not fit on the page lies in a chain of others.
fn payload<S: Read + Seek>(
    pages: &mut Pages<S>,
    overflow: &mut u32,
    page: &[u8],
    at: usize,
    length: u64,
    table: bool,
) -> Option<Vec<u8>> {
    if length > LONGEST {
        return None;
    }
    let length = length as usize;
    let most = if table { PAGE - 35 } else { (PAGE - 12) * 64 / 255 - 23 };
    let least = (PAGE - 12) * 32 / 255 - 23;
    let local = if length <= most {
        length
    } else {
        let local = least + (length - least) % (PAGE - 4);
        if local <= most { local } else { least }
    };
    let mut bytes = page.get(at..at + local)?.to_vec();
    let mut next = if local < length { word(page, at + local)? } else { 0 };
    while bytes.len() < length {
        *overflow = overflow.checked_sub(1)?;
        let more = pages.read(next)?;
        next = word(&more, 0)?;
        bytes.extend_from_slice(more.get(4..4 + (length - bytes.len()).min(PAGE - 4))?);
    }
    Some(bytes)
}

fn value(payload: &[u8], at: &mut usize, kind: u64) -> Option<Value> {
    let mut take = |count: usize| {
        let bytes = payload.get(*at..at.checked_add(count)?)?;
        *at += count;
        Some(bytes)
    };
    let int = |bytes: &[u8]| {
        let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
        bytes.iter().fold(sign, |number: i64, byte| number << 8 | i64::from(*byte))
    };
    Some(match kind {
        0 => Value::Null,
        1..=4 => Value::Int(int(take(kind as usize)?)),
        5 => Value::Int(int(take(6)?)),
        6 => Value::Int(int(take(8)?)),
        7 => take(8).map(|_| Value::Other)?,
        8 => Value::Int(0),
        9 => Value::Int(1),
        10 | 11 => return None,
        _ => {
            let bytes = take(usize::try_from((kind - 12) / 2).ok()?)?;
            // One altered bit makes bytes a text of the same letters; a chunk proves itself.
            if kind.is_multiple_of(2) || chunk::is_chunk(bytes) {
                Value::Blob(bytes.to_vec())
            } else {
                std::str::from_utf8(bytes).map_or(Value::Other, |text| Value::Text(text.to_owned()))
            }
        }
    })
}

/// SQLite's variable-length number: big-endian, 7 bits a byte, 8 in the ninth.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0_u64;
    for n in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if n == 8 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

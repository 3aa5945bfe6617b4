//! A Parquet table in batches: of this program or of any other that names its columns alike.

use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::data_type::ByteArray;
use parquet::file::reader::{ChunkReader, FileReader as _, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::FORMAT;
use super::cells::Cell;
use super::guard::guarded;
use super::parquet_claims::{self, Shared};
use super::parquet_pages::Checked;
use super::row::{Cells, Field, NO_CELLS, Refusal, fields};

/// Rows decoded at once.
const BATCH: usize = 8_192;

/// Rows that a byte of a file may stand for. Rows differ in signal or time, which takes a bit each, or, where times are evenly
/// spaced, some bytes for every 128 rows (a block of deltas).
const ROWS_A_BYTE: u64 = 1_000;

/// What the numbers of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Plain,
    /// The stored number is to be read without a sign: of 32 bits or fewer, else of 64.
    Unsigned {
        long: bool,
    },
    /// Microseconds are the stored number divided by the second, times the first. `utc` as the file says.
    Time {
        times: i64,
        by: i64,
        utc: bool,
    },
}

/// Values of a batch, only those that are not null.
enum Values {
    Bools(Vec<bool>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Vec<ByteArray>),
}

/// One used column of a batch.
struct Batch {
    field: Field,
    meaning: Meaning,
    values: Values,
    /// Per row 1 where there is a value; empty where every row has one.
    levels: Vec<i16>,
    /// Next value.
    next: usize,
}

/// Calls `each` with the number of every row, from 1, and its cells.
///
/// # Errors
/// Where the file is no Parquet or can't be decoded, or its columns are too few or of types that mean nothing here.
pub(super) fn read(
    table: impl ChunkReader + 'static,
    each: &mut dyn FnMut(u64, Result<&Cells<'_>, Refusal>),
) -> Result<(), String> {
    let bytes = table.len();
    parquet_claims::footer(&table)?;
    let table = Arc::new(table);
    let reader = guarded(|| SerializedFileReader::new(Shared(table.clone())).map_err(|e| words(&e)))?;
    let about = reader.metadata().file_metadata();
    let notes = about.key_value_metadata().into_iter().flatten();
    let format = notes.filter(|note| note.key == "orrery.format").find_map(|note| note.value.as_deref());
    if format.is_some_and(|format| format.parse::<u32>().map_or(true, |format| format > FORMAT)) {
        return Err(format!("it has format version {}, this orrery reads {FORMAT}; use a newer one", format.unwrap_or_default()));
    }
    believable(reader.metadata().row_groups().iter().map(|group| group.num_rows()), bytes)?;
    let columns = about.schema_descr().columns();
    let fields = fields(columns.iter().map(|column| column.path().parts().first().map_or("", String::as_str)))?;
    let mut used = Vec::new();
    for (at, (column, field)) in columns.iter().zip(&fields).enumerate() {
        if let Some(field) = field {
            used.push((at, *field, meaning(column)?));
        }
    }
    let mut row = 0;
    for group in 0..reader.num_row_groups() {
        let group = guarded(|| reader.get_row_group(group).map_err(|e| words(&e)))?;
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut readers = Vec::new();
        for (at, field, meaning) in &used {
            parquet_claims::pages(table.as_ref(), guarded(|| Ok(group.metadata().column(*at).byte_range()))?)?;
            let pages = guarded(|| group.get_column_page_reader(*at).map_err(|e| words(&e)))?;
            let column = get_column_reader(about.schema_descr().column(*at), Box::new(Checked(pages)));
            readers.push((column, *field, *meaning));
        }
        while left > 0 {
            let rows = left.min(BATCH);
            left -= rows;
            let mut batches = Vec::with_capacity(readers.len());
            for (reader, field, meaning) in &mut readers {
                batches.push(guarded(|| batch(reader, *field, *meaning, rows))?);
            }
            for at in 0..rows {
                row += 1;
                let mut cells = NO_CELLS;
                for batch in &mut batches {
                    batch.cell(at, &mut cells);
                }
                each(row, Ok(&cells));
            }
        }
    }
    Ok(())
}

/// Refuses a file that claims more rows than it can tell apart: they would be read one by one, for hours where there are billions.
fn believable(rows: impl Iterator<Item = i64>, bytes: u64) -> Result<(), String> {
    let rows = rows.fold(0_u64, |sum, rows| sum.saturating_add(u64::try_from(rows).unwrap_or(0)));
    if rows > bytes.saturating_mul(ROWS_A_BYTE) {
        return Err(format!("it claims {rows} rows in {bytes} bytes; it is damaged, write it anew"));
    }
    Ok(())
}

/// Says what to do where the decoder only says what it lacks.
fn words(error: &parquet::errors::ParquetError) -> String {
    let error = error.to_string();
    let help = if error.contains("feature") || error.contains("codec") || error.contains("compression") {
        "; write it with compression snappy or none"
    } else {
        "; is the file whole? copy it here again, or write it anew"
    };
    format!("{error}{help}")
}

fn meaning(column: &ColumnDescriptor) -> Result<Meaning, String> {
    let name = column.path().string();
    if column.max_rep_level() > 0 || column.max_def_level() > 1 || column.path().parts().len() > 1 {
        return Err(format!("its column {name} is nested; write one value a row"));
    }
    let time = |times, by, utc| Ok(Meaning::Time { times, by, utc });
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(t)), _) => match t.unit {
            TimeUnit::MILLIS => time(1_000, 1, t.is_adjusted_to_u_t_c),
            TimeUnit::MICROS => time(1, 1, t.is_adjusted_to_u_t_c),
            TimeUnit::NANOS => time(1, 1_000, t.is_adjusted_to_u_t_c),
        },
        (None, ConvertedType::TIMESTAMP_MILLIS) => time(1_000, 1, true),
        (None, ConvertedType::TIMESTAMP_MICROS) => time(1, 1, true),
        (Some(LogicalType::Integer(int)), _) if !int.is_signed => Ok(Meaning::Unsigned { long: int.bit_width > 32 }),
        (None, ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32) => Ok(Meaning::Unsigned { long: false }),
        (None, ConvertedType::UINT_64) => Ok(Meaning::Unsigned { long: true }),
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Err(unread(&name, "dates")),
        (None, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => Err(unread(&name, "times of day")),
        (None, ConvertedType::INTERVAL) => Err(unread(&name, "intervals")),
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json | LogicalType::Integer(_)), _)
        | (None, ConvertedType::DECIMAL) => {
            if column.converted_type() == ConvertedType::DECIMAL {
                Err(unread(&name, "decimals"))
            } else {
                Ok(Meaning::Plain)
            }
        }
        (None, _) => Ok(Meaning::Plain),
        (Some(LogicalType::Decimal(_)), _) => Err(unread(&name, "decimals")),
        (Some(_), _) => Err(unread(&name, "another type")),
    }
}

fn unread(column: &str, what: &str) -> String {
    format!("its column {column} holds {what}; write doubles, 64-bit integers, booleans, texts or timestamps")
}

fn batch(reader: &mut ColumnReader, field: Field, meaning: Meaning, rows: usize) -> Result<Batch, String> {
    let mut levels = Vec::new();
    macro_rules! values {
        ($reader:expr) => {{
            let mut values = Vec::new();
            // A reader stops at the end of a page.
            let mut got = 0;
            while got < rows {
                let (n, ..) = $reader.read_records(rows - got, Some(&mut levels), None, &mut values).map_err(|e| words(&e))?;
                if n == 0 {
                    return Err("a column ends before its row group does; the file is damaged".to_owned());
                }
                got += n;
            }
            values
        }};
    }
    let values = match reader {
        ColumnReader::BoolColumnReader(reader) => Values::Bools(values!(reader)),
        ColumnReader::Int32ColumnReader(reader) => Values::Ints(values!(reader).into_iter().map(i64::from).collect()),
        ColumnReader::Int64ColumnReader(reader) => Values::Ints(values!(reader)),
        ColumnReader::FloatColumnReader(reader) => Values::Floats(values!(reader).into_iter().map(f64::from).collect()),
        ColumnReader::DoubleColumnReader(reader) => Values::Floats(values!(reader)),
        ColumnReader::ByteArrayColumnReader(reader) => Values::Texts(values!(reader)),
        ColumnReader::Int96ColumnReader(_) => return Err(unread("of times", "the old 96-bit timestamps")),
        ColumnReader::FixedLenByteArrayColumnReader(_) => return Err(unread("of bytes", "bytes of fixed length")),
    };
    Ok(Batch { field, meaning, values, levels, next: 0 })
}

impl Batch {
    /// Puts the cell of row `at` into its place; rows must be asked for in order.
    fn cell<'a>(&'a mut self, at: usize, cells: &mut Cells<'a>) {
        if self.levels.get(at) == Some(&0) {
            return;
        }
        let next = self.next;
        self.next += 1;
        let cell = match &self.values {
            Values::Bools(values) => values.get(next).map(|v| Cell::Bool(*v)),
            Values::Floats(values) => values.get(next).map(|v| Cell::Float(*v)),
            Values::Ints(values) => values.get(next).map(|v| match self.meaning {
                Meaning::Plain => Cell::Int(i128::from(*v)),
                Meaning::Unsigned { long: false } => Cell::Int(i128::from(*v & i64::from(u32::MAX))),
                Meaning::Unsigned { long: true } => Cell::Int(i128::from(v.cast_unsigned())),
                Meaning::Time { times, by, utc: true } => Cell::Time(v.div_euclid(by).saturating_mul(times)),
                Meaning::Time { times, by, utc: false } => Cell::LocalTime(v.div_euclid(by).saturating_mul(times)),
            }),
            Values::Texts(values) => values.get(next).map(|v| std::str::from_utf8(v.data()).map_or(Cell::Broken, Cell::Text)),
        };
        if let (Some(cell), Some(place)) = (cell, cells.get_mut(self.field.at())) {
            *place = cell;
        }
    }
}

#[cfg(test)]
mod tests {
    use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// What a file with a value, stored as 32 bits or as 64, is read as.
    fn value(declared: &str, stored: i64) -> Result<String, String> {
        let schema = format!(
            "message m {{ required binary signal (STRING); required int64 time (TIMESTAMP(MILLIS,true)); required {declared}; }}"
        );
        let mut file = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut file, Arc::new(parse_message_type(&schema).unwrap()), Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for at in 0.. {
            let Some(mut column) = group.next_column().unwrap() else { break };
            match (at, declared.starts_with("int32")) {
                (0, _) => column.typed::<ByteArrayType>().write_batch(&["p.n".into()], None, None),
                (1, _) => column.typed::<Int64Type>().write_batch(&[1_772_438_400_000], None, None),
                (_, true) => column.typed::<Int32Type>().write_batch(&[stored as i32], None, None),
                (_, false) => column.typed::<Int64Type>().write_batch(&[stored], None, None),
            }
            .unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
        let mut found = String::new();
        read(axum::body::Bytes::from(file), &mut |_, cells| {
            found = super::super::cells::shown(&cells.unwrap()[Field::Value.at()]);
        })?;
        Ok(found)
    }

    #[test]
    fn a_number_without_a_sign_is_read_without_one() {
        for (declared, stored, expected) in [
            ("int32 value", -1, "-1"),
            ("int32 value (INTEGER(32,true))", -1, "-1"),
            ("int32 value (INTEGER(32,false))", -2, "4294967294"),
            ("int32 value (UINT_32)", -2, "4294967294"),
            ("int32 value (INTEGER(8,false))", 255, "255"),
            ("int64 value", i64::MIN, "-9223372036854775808"),
            ("int64 value (INTEGER(64,false))", -1, "18446744073709551615"),
            ("int64 value (UINT_64)", i64::MIN, "9223372036854775808"),
        ] {
            assert_eq!(value(declared, stored).as_deref(), Ok(expected), "{declared}");
        }
        for (declared, what) in [("int32 value (DATE)", "dates"), ("int32 value (DECIMAL(9,2))", "decimals")] {
            let error = value(declared, 20_514).unwrap_err();
            assert!(error.starts_with(&format!("its column value holds {what}; write doubles")), "{error}");
        }
    }

    #[test]
    fn a_file_may_not_claim_more_rows_than_it_can_tell_apart() {
        assert_eq!(believable([100_000, 194_000].into_iter(), 294), Ok(()));
        let error = believable([i64::MAX, i64::MAX, -1].into_iter(), 294).unwrap_err();
        assert_eq!(error, "it claims 18446744073709551614 rows in 294 bytes; it is damaged, write it anew");
        assert!(believable([294_001].into_iter(), 294).is_err());
        assert_eq!(believable(std::iter::empty(), 12), Ok(()));
    }
}

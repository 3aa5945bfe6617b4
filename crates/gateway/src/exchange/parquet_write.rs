//! Rows as Parquet: columns of one row group are collected, then encoded and let go.
//!
//! Encodings by what pays: dictionaries for words and for values (measured values repeat: instruments have a resolution),
//! deltas for times and whole numbers, split bytes for values whose dictionary grows too large.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use twin_model::{Flags, Model, Quality, Sample, SignalIndex, Value, ValueKind};

use super::{FORMAT, RowSink, flag_names, kind_word};

/// Rows of a row group: many enough to compress well, few enough to skip by time and to hold in memory.
const GROUP_ROWS: usize = 1 << 20;
/// Bytes of text after which a row group ends early.
const GROUP_TEXT: usize = 64 << 20;
/// Rows handed to a column at once.
const SLICE: usize = 8_192;

const SCHEMA: &str = "message samples {
    REQUIRED BYTE_ARRAY signal (STRING);
    REQUIRED INT64 source_time (TIMESTAMP(MICROS,true));
    REQUIRED INT64 received_time (TIMESTAMP(MICROS,true));
    REQUIRED BYTE_ARRAY kind (STRING);
    OPTIONAL DOUBLE value_double;
    OPTIONAL INT64 value_int64;
    OPTIONAL BOOLEAN value_bool;
    OPTIONAL BYTE_ARRAY value_text (STRING);
    REQUIRED BYTE_ARRAY unit (STRING);
    REQUIRED INT32 quality (INTEGER(16,false));
    REQUIRED BYTE_ARRAY quality_name (STRING);
    REQUIRED INT32 flags (INTEGER(8,false));
    REQUIRED BYTE_ARRAY flag_names (STRING);
}";

/// Writes row groups as they fill.
pub(super) struct ParquetRows<'a, W: Write + Send> {
    model: &'a Model,
    out: SerializedFileWriter<W>,
    group: Group,
}

/// The columns of a row group before they are encoded; `doubles` to `texts` hold only the values of their kind.
#[derive(Default)]
struct Group {
    signals: Vec<SignalIndex>,
    source_times: Vec<i64>,
    received_times: Vec<i64>,
    kinds: Vec<ValueKind>,
    /// Whether there is a value.
    given: Vec<bool>,
    doubles: Vec<f64>,
    ints: Vec<i64>,
    bools: Vec<bool>,
    texts: Vec<Arc<str>>,
    text_bytes: usize,
    qualities: Vec<u16>,
    flags: Vec<u8>,
}

impl<'a, W: Write + Send> ParquetRows<'a, W> {
    pub(super) fn begin(model: &'a Model, out: W) -> Result<Self, String> {
        let writer = || SerializedFileWriter::new(out, Arc::new(parse_message_type(SCHEMA)?), Arc::new(properties(model)));
        Ok(Self { model, out: writer().map_err(|e| e.to_string())?, group: Group::default() })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let group = std::mem::take(&mut self.group);
        let mut out = self.out.next_row_group()?;
        let model = self.model;
        words(&mut out, &group.signals, |signal| model.signal(signal).id.as_str().to_owned())?;
        required::<Int64Type>(&mut out, &group.source_times)?;
        required::<Int64Type>(&mut out, &group.received_times)?;
        words(&mut out, &group.kinds, |kind| kind_word(kind).to_owned())?;
        group.optional::<DoubleType>(&mut out, ValueKind::Float, &group.doubles)?;
        group.optional::<Int64Type>(&mut out, ValueKind::Int, &group.ints)?;
        group.optional::<BoolType>(&mut out, ValueKind::Bool, &group.bools)?;
        let texts: Vec<ByteArray> = group.texts.iter().map(|text| ByteArray::from(&**text)).collect();
        group.optional::<ByteArrayType>(&mut out, ValueKind::Text, &texts)?;
        words(&mut out, &group.signals, |signal| model.signal(signal).unit.0.clone())?;
        required::<Int32Type>(&mut out, &group.qualities.iter().map(|q| i32::from(*q)).collect::<Vec<_>>())?;
        words(&mut out, &group.qualities, |bits| Quality::from_bits(bits).to_string())?;
        required::<Int32Type>(&mut out, &group.flags.iter().map(|f| i32::from(*f)).collect::<Vec<_>>())?;
        words(&mut out, &group.flags, |bits| flag_names(Flags(bits)))?;
        out.close()?;
        Ok(())
    }
}

impl<W: Write + Send> RowSink for ParquetRows<'_, W> {
    fn row(&mut self, signal: SignalIndex, sample: &Sample) -> Result<(), String> {
        let group = &mut self.group;
        group.signals.push(signal);
        group.source_times.push(sample.source_time.as_micros());
        group.received_times.push(sample.received_time.as_micros());
        group.kinds.push(sample.value.kind());
        // A placeholder in a column of numbers would be taken for one.
        let given = !sample.flags.has(Flags::NULL);
        group.given.push(given);
        match &sample.value {
            _ if !given => {}
            Value::Float(v) => group.doubles.push(*v),
            Value::Int(v) => group.ints.push(*v),
            Value::Bool(v) => group.bools.push(*v),
            Value::Text(v) => {
                group.text_bytes += v.len();
                group.texts.push(v.clone());
            }
        }
        group.qualities.push(sample.quality.bits());
        group.flags.push(sample.flags.0);
        if group.signals.len() >= GROUP_ROWS || group.text_bytes >= GROUP_TEXT {
            self.write_group().map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), String> {
        if !self.group.signals.is_empty() {
            self.write_group().map_err(|e| e.to_string())?;
        }
        self.out.close().map_err(|e| e.to_string()).map(drop)
    }
}

impl Group {
    /// A column with a value where the row's kind is `kind` and it has one.
    fn optional<T: DataType>(
        &self,
        out: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
        kind: ValueKind,
        values: &[T::T],
    ) -> Result<(), ParquetError> {
        let levels: Vec<i16> = self.kinds.iter().zip(&self.given).map(|(k, given)| i16::from(*k == kind && *given)).collect();
        column::<T>(out, |write| write(values, Some(&levels)))
    }
}

/// A column with a value in every row.
fn required<T: DataType>(out: &mut SerializedRowGroupWriter<'_, impl Write + Send>, values: &[T::T]) -> Result<(), ParquetError> {
    column::<T>(out, |write| write(values, None))
}

/// A column of words that follow from keys. A key mostly repeats the one before, whose word is used again.
fn words<K: Copy + PartialEq>(
    out: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    keys: &[K],
    word: impl Fn(K) -> String,
) -> Result<(), ParquetError> {
    column::<ByteArrayType>(out, |write| {
        let mut last: Option<(K, ByteArray)> = None;
        let mut slice = Vec::with_capacity(SLICE);
        for keys in keys.chunks(SLICE) {
            slice.clear();
            for key in keys {
                let known = last.as_ref().filter(|(of, _)| of == key).map(|(_, word)| word.clone());
                let word = known.unwrap_or_else(|| ByteArray::from(word(*key).into_bytes()));
                slice.push(word.clone());
                last = Some((*key, word));
            }
            write(&slice, None)?;
        }
        Ok(())
    })
}

type WriteSlice<'a, T> = dyn FnMut(&[T], Option<&[i16]>) -> Result<(), ParquetError> + 'a;

fn column<T: DataType>(
    out: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    fill: impl FnOnce(&mut WriteSlice<'_, T::T>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    let next = out.next_column()?;
    let mut column = next.ok_or_else(|| ParquetError::General("the schema has fewer columns than a row".to_owned()))?;
    let typed = column.typed::<T>();
    fill(&mut |values, levels| typed.write_batch(values, levels, None).map(drop))?;
    column.close()
}

fn properties(model: &Model) -> WriterProperties {
    let note = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let notes = vec![
        note("orrery.format", FORMAT.to_string()),
        note("orrery.site", model.site().id.clone()),
        note("orrery.version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(notes))
        .set_column_encoding(ColumnPath::from("value_double"), Encoding::BYTE_STREAM_SPLIT);
    for name in ["source_time", "received_time", "value_int64", "quality", "flags"] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

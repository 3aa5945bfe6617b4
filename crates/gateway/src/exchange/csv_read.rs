//! A CSV table row by row. Goes by the names in its first line; every other cell is text.

use std::io::Read;

use super::row::{Cell, Cells, NO_CELLS, Reason, Refusal, fields};

/// Calls `each` with the line number of every row and its cells, or with why the row is none.
///
/// # Errors
/// Where the file can't be read, or its header names too little.
pub(super) fn read(input: impl Read, each: &mut dyn FnMut(u64, Result<&Cells<'_>, Refusal>)) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(|e| e.to_string())? {
        return Err("it is empty; the first line must name the columns".to_owned());
    }
    let names: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let fields = fields(names.iter().map(|name| name.trim_start_matches('\u{feff}')))?;
    // The reader counts lines where it begins to look for a row, so blank lines before it belong to the row's number.
    while reader.read_byte_record(&mut record).map_err(|e| e.to_string())? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != fields.len() {
            let what = format!("it has {} cells, the first line has {}", record.len(), fields.len());
            each(line, Err(Refusal::new(Reason::BrokenRow, what, "quote texts that hold commas, quotes or line ends")));
            continue;
        }
        let mut cells = NO_CELLS;
        for (field, bytes) in fields.iter().zip(record.iter()) {
            if let Some(cell) = field.and_then(|field| cells.get_mut(field.at())) {
                *cell = match std::str::from_utf8(bytes) {
                    Ok("") => Cell::Empty,
                    Ok(text) => Cell::Text(text),
                    Err(_) => Cell::Broken,
                };
            }
        }
        each(line, Ok(&cells));
    }
    Ok(())
}

//! What `orrery check` says about the tables of a site: each is opened, its header and its first and last rows are read.

use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use twin_site::{CsvSource, Diagnostic, Misread, Severity, SourceDef, SourceKind, StartAt, codes};
use twin_table::{Empty, Place, Report, Seen, Table, TableError};

use super::again::{Compared, HELD};
use super::index::{Builder, Index};
use super::{BUFFER, told};
use crate::site::Site;

/// Rows of the beginning that are read.
const FIRST_ROWS: u64 = 20_000;
/// Bytes of the end that are read.
const LAST_BYTES: u64 = 256 << 10;
/// Cells of a column from which on it can be told that most are empty.
const CELLS: u64 = 20;

/// Findings about every table that the site's sources name.
pub fn judge(site: &Site) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let live = site.loaded.sources.iter().find(|def| !matches!(def.kind, SourceKind::Csv(_)));
    for source in &site.loaded.sources {
        let SourceKind::Csv(def) = &source.kind else {
            found.extend(source.misread.iter().map(|misread| not_read(source, misread)));
            continue;
        };
        if let Some(misread) = &source.misread {
            found.push(not_read(source, misread));
            continue;
        }
        let mut say = |severity, code, key: &str, message: String, help: String| {
            let at = def.places.get(key).unwrap_or(&source.at).clone();
            found.push(Diagnostic { severity, code, at, subject: source.id.clone(), message, help });
        };
        match look(site, source, def) {
            Err(error) => {
                let code = if site.open(&def.path).is_ok() { codes::TABLE_INVALID } else { codes::FILE_UNREADABLE };
                let help =
                    if error.help.is_empty() { "mend the file, or how the source describes it".to_owned() } else { error.help };
                say(Severity::Error, code, error.key, format!("{}: {}", def.path, error.what), help);
            }
            Ok((report, index, between)) => {
                if let Some(Between { line, bytes }) = between {
                    let message = format!(
                        "{}: its {bytes} bytes between line {line} and the last {} KiB were not looked at; a server reads all of it first, and \
                         refuses it where a number or a quality in there needs to be declared",
                        def.path,
                        LAST_BYTES >> 10
                    );
                    say(Severity::Info, codes::TABLE_NOTE, "path", message, String::new());
                }
                report_of(def, &report, &mut say);
                for (wrong, message) in told::spread(def, &index) {
                    let (severity, code) =
                        if wrong { (Severity::Warning, codes::TABLE_ODD) } else { (Severity::Info, codes::TABLE_NOTE) };
                    let help = if wrong { "mend the times of these rows, or take them out" } else { "" };
                    say(severity, code, "time", message, help.to_owned());
                }
            }
        }
        if let (Some(live), StartAt::Recorded) = (live, def.start) {
            let message = format!(
                "the site lives now because of source '{}', so {} is history from the first moment on",
                live.id, def.path
            );
            say(Severity::Info, codes::TABLE_NOTE, "path", message, "write start = \"now\" to have it played".to_owned());
        }
    }
    found
}

/// A source that nobody reads, because how it is to be read is not known.
fn not_read(source: &SourceDef, misread: &Misread) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: codes::TABLE_INVALID,
        at: misread.at.clone(),
        subject: source.id.clone(),
        message: format!("source '{}' is not read until this is mended: {}", source.id, misread.what),
        help: misread.help.clone(),
    }
}

/// What a look at the beginning and the end of a file leaves out.
struct Between {
    /// Behind this one.
    line: u64,
    bytes: u64,
}

fn report_of(def: &CsvSource, report: &Report, say: &mut dyn FnMut(Severity, &'static str, &str, String, String)) {
    for (seen, count, named) in report.all() {
        let first: Vec<String> = named.iter().map(|fault| place_of(fault.line, &fault.what)).collect();
        let key = match seen {
            Seen::Time | Seen::Guess | Seen::Lost => "time",
            Seen::Ahead | Seen::Receipt => "received",
            Seen::Quality => "quality",
            Seen::Unit => "units_row",
            Seen::Row | Seen::Broken | Seen::Quote | Seen::Value | Seen::Rounded => "path",
        };
        let message = format!("{}: {}; {}", def.path, report.words(seen, count), first.join("; "));
        say(Severity::Warning, codes::TABLE_ODD, key, message, "mend the file, or how the source describes it".to_owned());
    }
    let sparse = report.columns.iter().filter(|(cells, empty)| *cells >= CELLS && empty * 2 > *cells).count();
    if sparse > 0 && def.table.empty == Empty::NoValue {
        let message =
            format!("{}: {sparse} columns are mostly empty, and every empty cell is a reading without a value", def.path);
        let help = "if the rows join series of different times, write empty = \"no_sample\"".to_owned();
        say(Severity::Warning, codes::TABLE_ODD, "columns", message, help);
    }
    for note in told::notes(def, report) {
        say(Severity::Info, codes::TABLE_NOTE, "path", format!("{}: {note}", def.path), String::new());
    }
    if report.samples == 0 {
        let message = format!("no signal gets anything from the {} rows of {} that were read", report.rows, def.path);
        say(
            Severity::Warning,
            codes::TABLE_ODD,
            "path",
            message,
            "compare its columns or keys with the signals' source_key".to_owned(),
        );
    }
}

/// Lines of the end of a file are not counted.
fn place_of(line: u64, what: &str) -> String {
    if line == 0 { format!("near the end: {what}") } else { format!("line {line}: {what}") }
}

/// Reads the beginning and the end of a table.
fn look(site: &Site, source: &SourceDef, def: &CsvSource) -> Result<(Report, Index, Option<Between>), TableError> {
    let feeds = site.loaded.feeds(source);
    let mut table = super::table(site, def, &feeds)?;
    let (mut builder, mut samples) = (Builder::new(crate::clock::wall()), Vec::new());
    let (mut times, mut last, mut ended) = (Vec::new(), None, false);
    let mut compared = Compared::new(HELD);
    for _ in 0..FIRST_ROWS {
        samples.clear();
        let Some(place) = table.next(&mut samples).map_err(super::unread)? else {
            ended = true;
            break;
        };
        builder.add(&place)?;
        compared.add(place.line, &samples);
        if times.len() < 2 && !times.contains(&place.time) {
            times.push(place.time);
        }
        last = Some(place);
    }
    let (mut report, known) = (table.report.clone(), table.known());
    told::usable(&report)?;
    let mut file = super::open(site, def)?;
    let size = file.metadata().map_err(super::unread)?.len();
    let read = last.map_or(size, |place| place.offset + place.bytes);
    // Rows behind the last one with a time were judged, too, where the end was reached.
    if ended || read >= size {
        if def.repeat && times.len() < 2 {
            let what = "all its rows have one time, so it can't be played in a loop".to_owned();
            return Err(TableError { key: "loop", what, help: "delete loop = true".to_owned() });
        }
        finish(compared, def, &mut report);
        return Ok((report, builder.finish(), None));
    }
    // Letters of two bytes begin at even places. Where the end begins before the beginning ends, it goes on from there.
    let far = (size.saturating_sub(LAST_BYTES) | 1) ^ 1;
    let (from, within) = if far > read { (far, true) } else { (read, false) };
    file.seek(SeekFrom::Start(from)).map_err(super::unread)?;
    let Some(place) = last else { return Ok((report, builder.finish(), None)) };
    let between = within.then(|| Between { line: place.line, bytes: from - read });
    let place = Place { line: 0, offset: from, by_order: false, ..place };
    let end = BufReader::with_capacity(BUFFER, file.take(LAST_BYTES + 2));
    let mut table = Table::again(end, &def.table, &feeds, &known, &place);
    if within {
        table.skip_to_next_line().map_err(super::unread)?;
    }
    samples.clear();
    while let Some(place) = table.next(&mut samples).map_err(super::unread)? {
        // Lines of the end are not counted.
        builder.add(&Place { line: 0, ..place })?;
        compared.add(0, &samples);
        samples.clear();
    }
    let mut report = report.with_end(table.report);
    finish(compared, def, &mut report);
    told::usable(&report)?;
    Ok((report, builder.finish(), between))
}

/// Notes which samples take the place of others; of what came at once none does.
fn finish(compared: Compared, def: &CsvSource, report: &mut Report) {
    if !def.table.by_receipt() {
        compared.finish(report);
    }
}

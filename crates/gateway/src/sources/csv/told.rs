//! What was found in a table, in words: for the terminal, for link states, and for whether it can be used at all.

use twin_site::{CsvSource, StartAt, ZoneFrom};
use twin_table::{Report, Seen, TableError, quoted};

use super::index::{Index, Rows};

/// Unknown keys that are named.
const KEYS: usize = 3;

/// Refuses a table none of whose rows has a time, for then it is not written as declared, and one whose cells may be others than they
/// look like, wherever the first of them stands.
///
/// # Errors
/// With the first row's fault.
pub(super) fn usable(report: &Report) -> Result<(), TableError> {
    if let Some(undeclared) = &report.undeclared {
        return Err(undeclared.error());
    }
    if report.rows == 0 || report.timed > 0 {
        return Ok(());
    }
    let first = report.of(Seen::Time).1.first();
    let what = first.map_or_else(|| "no row has a time".to_owned(), |fault| format!("line {}: {}", fault.line, fault.what));
    Err(TableError { key: "time", what, help: format!("none of its {} rows has a time that can be read", report.rows) })
}

/// One sentence for each kind of oddity, the gravest first. `id` is the source's.
pub(super) fn remarks(id: &str, def: &CsvSource, report: &Report) -> Vec<String> {
    let mut out = Vec::new();
    for (seen, count, named) in report.all() {
        let first: Vec<String> = named.iter().map(|fault| format!("line {}: {}", fault.line, fault.what)).collect();
        out.push(format!("source '{id}': {}: {}; {}", def.path, report.words(seen, count), first.join("; ")));
    }
    out.extend(notes(def, report).into_iter().map(|note| format!("source '{id}': {note}")));
    if report.samples == 0 {
        out.push(format!("source '{id}': no signal gets anything from {} ({} rows)", def.path, report.rows));
    }
    out
}

/// What is worth knowing and wrong with nothing.
pub(super) fn notes(def: &CsvSource, report: &Report) -> Vec<String> {
    let mut out = Vec::new();
    let times = &report.times;
    if times.zoned > 0
        && let Some(zone) = &def.table.times.zone
    {
        let who = match def.zone_from {
            ZoneFrom::Source => "",
            ZoneFrom::Site => ", the site's time_zone",
            ZoneFrom::Nobody => ", because nobody says which zone they are in",
        };
        out.push(format!("{} times without offset are read in {}{who}", times.zoned, zone.as_str()));
    }
    let told = times.folds.saturating_sub(times.guesses);
    if told > 0 {
        out.push(format!("{told} times are of an hour that came twice; the order of the rows told which it was"));
    }
    if times.skipped > 0 {
        let help = "if the file's clock is never put forward, write its offset as zone";
        out.push(format!("{} times are of an hour that never came; {help}", times.skipped));
    }
    if times.leaps > 0 {
        out.push(format!("{} seconds of 60 are put a microsecond before the next minute", times.leaps));
    }
    if report.overwritten > 0 {
        let first = match report.overwritten_first {
            Some((0, t)) => format!(", the first near the end, of {t}"),
            Some((line, t)) => format!(", the first in line {line}, of {t}"),
            None => String::new(),
        };
        out.push(format!("{} samples take the place of one of the same signal and instant{first}", report.overwritten));
    }
    if report.uncompared > 0 {
        let (last, help) = (report.uncompared, "sort the file by time, and none is left out");
        out.push(format!("the last {last} samples are in no order and more than can be compared: how many take another's place isn't known; {help}"));
    }
    if !report.unknown_keys.is_empty() {
        let keys: Vec<String> = report.unknown_keys.keys().take(KEYS).map(|key| quoted(key)).collect();
        let count = report.unknown_keys.len();
        out.push(format!("{count} keys of {} belong to no signal, for example {}", def.path, keys.join(", ")));
    }
    out
}

/// What is to be said of rows far away from the others, and of rows ahead of now; true where it wants mending.
pub(super) fn spread(def: &CsvSource, index: &Index) -> impl Iterator<Item = (bool, String)> {
    let path = &def.path;
    let (far, ahead) = (index.far(), index.ahead());
    let far = (far.count > 0).then(|| {
        let (rows, far) = (words(far.count, "is", "doesn't", "are", "don't"), named(&far));
        (true, format!("{path}: {} far away from all others in time and {} set the clock: {far}", rows.0, rows.1))
    });
    // Times that are moved are none of now.
    let plan = (ahead.count > 0 && def.start == StartAt::Recorded).then(|| {
        let (rows, first) = (words(ahead.count, "lies", "waits", "lie", "wait"), named(&ahead));
        (false, format!("{path}: {} ahead of now, as in a plan, and {} until the clock gets there: {first}", rows.0, rows.1))
    });
    far.into_iter().chain(plan)
}

fn words(count: u64, is: &str, does: &'static str, are: &str, they_do: &'static str) -> (String, &'static str) {
    if count == 1 { (format!("1 row {is}"), does) } else { (format!("{count} rows {are}"), they_do) }
}

/// The first rows, with their lines.
fn named(rows: &Rows) -> String {
    let one = |(line, t): &(u64, twin_model::Timestamp)| match line {
        0 => format!("near the end {t}"),
        line => format!("line {line} {t}"),
    };
    let more = if rows.count > rows.named.len() as u64 { " and more" } else { "" };
    format!("{}{more}", rows.named.iter().map(one).collect::<Vec<_>>().join(", "))
}

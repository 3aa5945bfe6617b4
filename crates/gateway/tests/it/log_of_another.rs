//! A log that is not that of the file beside it, or is gone: no command mixes two histories or begins an empty one, whoever asks is
//! told, and a repair keeps what the file has.

use std::path::Path;

use gateway::history::{Database, FILE, SyncPolicy, backup, fsck, wal};
use rusqlite::Connection;

use crate::salvage::{copy, read};
use crate::wal_damage::{Folded, Killed, by_reader, bytes};

/// What a folder may have in the place of its log.
fn no_logs() -> [(&'static str, Option<Vec<u8>>); 3] {
    let header = |killed: &Killed| killed.log()[..32].to_vec();
    [("no log", None), ("an empty log", Some(Vec::new())), ("a header", Some(header(&Killed::with(Folded::Never))))]
}

/// A folder as a kill left it, with something else where its log was.
fn with(killed: &Killed, log: Option<&[u8]>) -> std::path::PathBuf {
    let data = killed.hurt(log.unwrap_or_default());
    if log.is_none() {
        std::fs::remove_file(wal::log_of(&data.join(FILE))).unwrap();
    }
    data
}

/// What is promised of a folder whose own log is not there: returns how many samples a repair keeps.
fn hold_to(killed: &Killed, data: &Path, what: &str) -> usize {
    let (have, said, remarks) = by_reader(killed, data).unwrap_or_else(|| panic!("{what}: readers are answered"));
    killed.lacking(&have, what);
    assert!(said && remarks[0].contains("written last may"), "{what}: {said} {remarks:?}");
    let out = killed.every_command_tells(data, "written last may", what);
    let rows = std::fs::read_to_string(&out).unwrap().lines().count() - 1;
    assert_eq!(rows, have.len(), "{what}: an export has what a reader gets");
    let report = fsck::check(data, true).unwrap();
    assert!(report.lost() && report.findings.iter().any(|finding| finding.code == "log.missing"), "{what}: {report:?}");
    let kept = read(&killed.model, data);
    assert_eq!(kept, have, "{what}: a repair keeps what a reader gets");
    assert_eq!(fsck::check(data, false).unwrap().findings, [], "{what}: sound afterwards");
    assert!(Database::open(data).unwrap().remarks().is_empty(), "{what}: a server begins with it");
    kept.len()
}

#[test]
fn the_log_of_another_folder_is_never_taken_for_that_of_the_file() {
    let (never, once) = (Killed::with(Folded::Never), Killed::with(Folded::Once));
    let other = Killed::with(Folded::Never);
    let of_other = other.log();
    // Nothing was folded in but the tables, and what was before the log was begun anew.
    assert_eq!(hold_to(&never, &with(&never, Some(&of_other)), "all of it in the log"), 0);
    assert!(hold_to(&once, &with(&once, Some(&of_other)), "some of it in the log") > 0);
    // The other way round: another file under this log.
    let data = never.hurt(&never.log());
    std::fs::copy(once.path("good").join(FILE), data.join(FILE)).unwrap();
    assert!(hold_to(&never, &data, "another file") > 0);
}

/// No power cut makes the log of another file.
#[test]
fn without_full_synchronisation_the_log_of_another_is_refused_too() {
    let (killed, other) = (Killed::with(Folded::Once), Killed::with(Folded::Never));
    let data = with(&killed, Some(&other.log()));
    let before = bytes(&data);
    assert!(Database::open_with(&data, SyncPolicy::Off).is_err());
    assert_eq!(bytes(&data), before);
    let data = with(&killed, None);
    let database = Database::open_with(&data, SyncPolicy::Off).unwrap();
    assert!(database.remarks()[0].contains("its log is missing or empty"), "{:?}", database.remarks());
}

#[test]
fn a_log_that_is_gone_is_missed_by_every_command() {
    let (never, once) = (Killed::with(Folded::Never), Killed::with(Folded::Once));
    for (what, log) in no_logs() {
        assert_eq!(hold_to(&never, &with(&never, log.as_deref()), what), 0);
        assert!(hold_to(&once, &with(&once, log.as_deref()), what) > 0);
    }
}

/// A folder of an earlier version has neither a number of its file nor a line of its log.
#[test]
fn a_file_without_a_table_whose_log_is_gone_begins_nothing() {
    let killed = Killed::with(Folded::Never);
    let data = with(&killed, None);
    std::fs::remove_file(data.join(FILE)).unwrap();
    let made = Connection::open(data.join(FILE)).unwrap();
    made.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    made.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(made);
    let lock = data.join("lock");
    let first = std::fs::read_to_string(&lock).unwrap().lines().next().unwrap().to_owned();
    std::fs::write(&lock, format!("{first}\n")).unwrap();
    assert_eq!(hold_to(&killed, &data, "no table"), 0);
}

/// What people do with folders that is no fault.
#[test]
fn folders_that_were_stopped_killed_copied_or_restored_in_order_are_opened_without_a_word() {
    let killed = Killed::with(Folded::Once);
    let quiet = |data: &Path, what: &str| {
        let (have, said, remarks) = by_reader(&killed, data).unwrap();
        assert_eq!((killed.lacking(&have, what), said, remarks), (0, false, Vec::new()), "{what}");
        let database = Database::open(data).unwrap();
        assert_eq!(database.remarks(), [] as [String; 0], "{what}");
        drop(database);
        assert_eq!(fsck::check(data, false).unwrap().findings, [], "{what}");
    };
    let data = killed.hurt(&killed.log());
    let to = killed.path("backup");
    backup(&data, &to).unwrap();
    quiet(&data, "killed");
    let log = std::fs::metadata(wal::log_of(&data.join(FILE))).map_or(0, |log| log.len());
    assert_eq!(log, 0, "folded in by an orderly end");
    quiet(&data, "stopped");
    quiet(&to, "a backup");
    // Killed again and again: before anything was written, too.
    for turn in 0..3 {
        let database = Database::open(&data).unwrap();
        let again = killed.path(&format!("again-{turn}"));
        copy(&data, &again);
        drop(database);
        quiet(&again, "killed at its start");
    }
    // A backup in the place of a file that a kill left, whose log is taken away, as it must be; and left there, as it must not.
    let data = killed.hurt(&killed.log());
    std::fs::copy(to.join(FILE), data.join(FILE)).unwrap();
    assert!(Database::open(&data).is_err(), "the log of the original does not belong to its backup");
    std::fs::remove_file(wal::log_of(&data.join(FILE))).unwrap();
    quiet(&data, "a backup put in its place");
}

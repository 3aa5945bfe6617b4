//! Pages of the database that neither its file nor its log holds: nobody can say what was in them, so that no reader calls history whole
//! without them and no repair calls it mended; and they are found before SQLite opens anything, which folds the log in and removes it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gateway::history::{Database, FILE, SyncPolicy, backup, fsck, wal};
use rusqlite::Connection;

use crate::no_history::kept;
use crate::salvage::{copy, read, text};
use crate::wal_damage::{FRAME, Folded, HEADER, Killed, by_reader, bytes};
use crate::world::orrery;

const PAGE: usize = 4_096;

/// Cuts the file of a folder to so many pages, or removes it.
fn cut(data: &Path, pages: Option<usize>) {
    let path = data.join(FILE);
    match pages {
        Some(pages) => {
            let file = std::fs::read(&path).unwrap();
            std::fs::write(&path, &file[..(pages * PAGE).min(file.len())]).unwrap();
        }
        None => std::fs::remove_file(path).unwrap(),
    }
}

/// Pages that neither a file of so many pages nor the log has, up to the size that the log's last write says.
fn nowhere(killed: &Killed, pages: usize) -> BTreeSet<u32> {
    let log = killed.log();
    let word = |frame: usize, at: usize| u32::from_be_bytes(log[HEADER + frame * FRAME + at..][..4].try_into().unwrap());
    let frames = 0..killed.frames();
    let size = frames.clone().rev().map(|frame| word(frame, 4)).find(|size| *size > 0).unwrap();
    let logged: BTreeSet<u32> = frames.map(|frame| word(frame, 0)).collect();
    (pages as u32 + 1..=size).filter(|page| !logged.contains(page)).collect()
}

#[test]
fn pages_that_neither_the_file_nor_its_log_holds_are_a_loss_that_nobody_can_count() {
    for (folded, pages) in
        [(Folded::Never, None), (Folded::Never, Some(0)), (Folded::Never, Some(5)), (Folded::Once, None), (Folded::Once, Some(5))]
    {
        let killed = Killed::with(folded);
        let lacking = nowhere(&killed, pages.unwrap_or(0));
        let what = format!("{pages:?} pages are left, {lacking:?} are nowhere");
        assert!(!lacking.is_empty(), "{what}");
        let data = killed.hurt(&killed.log());
        cut(&data, pages);
        let before = bytes(&data);
        let (have, said, remarks) = by_reader(&killed, &data).unwrap();
        killed.lacking(&have, &what);
        assert!(said && remarks[0].contains("some of it is missing"), "{what}: {remarks:?}");
        assert!(remarks[0].contains(&format!("{} pages of it are neither", lacking.len())), "{what}: {remarks:?}");
        refused(&killed, &data, &what);
        assert_eq!(bytes(&data), before, "{what}: not one byte changes");
        let report = fsck::check(&data, true).unwrap();
        let lost = report.findings.iter().find(|finding| finding.code == "pages.lost");
        assert!(lost.is_some_and(|lost| lost.lost_us.is_none() && lost.lost_samples.is_none()), "{what}: {report:?}");
        let whole = report.findings.iter().find(|finding| finding.code == "database.damaged");
        assert!(report.lost_uncounted > 0 && whole.is_some_and(|whole| !whole.mended), "{what}: {report:?}");
        assert_eq!(read(&killed.model, &data), have, "{what}: a repair keeps what a reader gets");
        let log = format!("{FILE}-wal");
        assert_eq!(bytes(&data).get("history.damaged-1.sqlite3-wal"), before.get(&log), "{what}: the log is set aside");
        assert_eq!(fsck::check(&data, false).unwrap().findings, [], "{what}: sound afterwards");
    }
}

/// Every command tells of it, with what to do; whoever writes refuses, with any synchronisation.
fn refused(killed: &Killed, data: &Path, what: &str) {
    killed.every_command_tells(data, "--repair", what);
    for sync in [SyncPolicy::Normal, SyncPolicy::Off] {
        assert!(Database::open_with(data, sync).is_err(), "{what}");
    }
}

/// A folder as a kill leaves it whose log holds the whole database.
fn all_in_the_log(killed: &Killed) -> PathBuf {
    let data = killed.hurt(&killed.log());
    let writer = Connection::open(data.join(FILE)).unwrap();
    // A vacuum writes every page anew, and with a log into that.
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; VACUUM").unwrap();
    let whole = killed.path("whole");
    copy(&data, &whole);
    whole
}

#[test]
fn a_log_that_holds_every_page_gives_back_all_of_a_file_that_is_gone_emptied_or_cut() {
    let killed = Killed::with(Folded::Never);
    let whole = all_in_the_log(&killed);
    for pages in [None, Some(0)] {
        let data = killed.path("hurt");
        copy(&whole, &data);
        cut(&data, pages);
        let before = bytes(&data);
        let (have, said, remarks) = by_reader(&killed, &data).unwrap();
        assert!(!said && remarks[0].contains("is missing or empty, but its log has"), "{pages:?}: {remarks:?}");
        assert!(remarks[0].contains("nothing of it is missing"), "{pages:?}: {remarks:?}");
        assert_eq!(killed.lacking(&have, "no file"), 0);
        assert!(backup(&data, &killed.path("never")).is_err() && Database::open(&data).is_err());
        assert_eq!(fsck::check(&data, false).unwrap().findings[0].code, "database.damaged");
        assert_eq!(bytes(&data), before, "{pages:?}");
        let report = fsck::check(&data, true).unwrap();
        assert!(!report.lost() && report.findings.iter().all(|finding| finding.mended), "{report:?}");
        assert_eq!(killed.lacking(&read(&killed.model, &data), "mended"), 0);
        assert_eq!(bytes(&data).get("history.damaged-1.sqlite3-wal"), before.get("history.sqlite3-wal"), "{pages:?}");
    }
    // The log has every page: that the file is short is no damage, as after a kill in the middle of folding it in.
    let data = killed.path("hurt");
    copy(&whole, &data);
    cut(&data, Some(5));
    assert!(wal::inspect(&data.join(FILE)).unwrap().unwrap().frames > 5);
    assert_eq!(fsck::check(&data, false).unwrap().findings, []);
    let (have, said, remarks) = by_reader(&killed, &data).unwrap();
    assert_eq!((killed.lacking(&have, "short"), said, remarks), (0, false, Vec::new()));
    drop(Database::open(&data).unwrap());
    assert_eq!(killed.lacking(&read(&killed.model, &data), "folded in"), 0);
}

/// What only SQLite finds when it is asked for rows.
#[test]
fn damage_that_is_found_while_reading_comes_with_what_to_do() {
    let (folder, site, data) = kept();
    let path = Path::new(&data).join(FILE);
    let mut hurt = std::fs::read(&path).unwrap();
    // What a page calls itself: of every tree but the first, which describes the others.
    hurt.iter_mut().skip(2 * PAGE).step_by(PAGE).for_each(|kind| *kind = 0xff);
    std::fs::write(&path, &hurt).unwrap();
    let table = text(&folder.0.join("z.csv"));
    let commands: [&[&str]; 6] = [
        &["state", &site, "--data", &data, "--at", "2026-03-02T09:00:00Z"],
        &["export", &site, "--data", &data, "-o", "-"],
        &["history", "list", &data],
        &["history", "remove", &data, "pump-01.flow", "--yes"],
        &["import-samples", &site, "--data", &data, &table],
        &["serve", &site, "--data", &data, "--listen", "127.0.0.1:0"],
    ];
    for (n, args) in commands.into_iter().enumerate() {
        let (code, said, err) = orrery(args);
        assert!(err.contains("malformed") && err.contains("orrery fsck"), "{args:?}: {code} {said}{err}");
        // Whoever only reads gets it page by page; nobody writes into it.
        let read = code == 0 && err.contains("nothing of it is missing");
        assert!(if n < 3 { read } else { code == 2 }, "{args:?}: {code} {said}{err}");
        let file = std::fs::read(&path).unwrap();
        assert!(file[2 * PAGE..] == hurt[2 * PAGE..], "{args:?}");
    }
}

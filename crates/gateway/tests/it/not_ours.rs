//! What stands under the name of a history and is none of this program's, not in its own place, or not all of it: refused with words,
//! and not one byte changes. And what only looks like a trace of history, and is none.

use std::path::Path;

use gateway::history::{FILE, fsck};
use rusqlite::Connection;

use crate::no_history::{all_refuse, files, kept};
use crate::salvage::{copy, text};
use crate::world::{Folder, SITE, orrery};

const NEWER: &str = "it was written by a newer version of this program; use that one";

/// Holds whoever writes, checks or mends to it that a folder is refused with these words, each once, and stays as it is.
fn writers_refuse(folder: &Folder, site: &str, data: &str, words: &[&str]) {
    let (before, table) = (files(Path::new(data)), text(&folder.0.join("z.csv")));
    let commands: [&[&str]; 4] = [
        &["fsck", data],
        &["fsck", data, "--repair"],
        &["import-samples", site, "--data", data, &table],
        &["serve", site, "--data", data, "--listen", "127.0.0.1:0"],
    ];
    for args in commands {
        let (code, said, err) = orrery(args);
        assert!(code == 2 && said.is_empty(), "{args:?}: {code} {said}{err}");
        assert!(words.iter().all(|word| err.matches(word).count() == 1), "{args:?}: {err}");
        assert_eq!(files(Path::new(data)), before, "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_database_that_is_a_link_is_refused_with_the_folder_to_name_and_a_folder_may_be_one() {
    use std::os::unix::fs::symlink;
    let (folder, site, data) = kept();
    let own = text(&std::fs::canonicalize(&data).unwrap());
    let (linked, empty) = (folder.0.join("linked"), folder.0.join("empty"));
    for (link, to) in [(&linked, Path::new(&data).join(FILE)), (&empty, Path::new(&own).join("nothing.sqlite3"))] {
        std::fs::create_dir(link).unwrap();
        symlink(to, link.join(FILE)).unwrap();
        let name = format!("name the folder in which that is, {own}, or");
        all_refuse(&folder, &site, &text(link), &["it is a link to", &name]);
        writers_refuse(&folder, &site, &text(link), &["it is a link to", &name]);
    }
    assert!(!Path::new(&own).join("nothing.sqlite3").exists());
    let whole = folder.0.join("of-folder");
    symlink(&data, &whole).unwrap();
    for args in [
        &["import-samples", &*site, "--data", &text(&whole), &text(&folder.0.join("z.csv"))][..],
        &["export", &site, "--data", &text(&whole), "-o", "-"],
        &["fsck", &text(&whole)],
    ] {
        let (code, _, err) = orrery(args);
        assert_eq!(code, 0, "{args:?}: {err}");
    }
}

#[test]
fn a_history_of_a_newer_version_is_refused_by_everybody_and_said_once() {
    let (folder, site, data) = kept();
    let writer = Connection::open(Path::new(&data).join(FILE)).unwrap();
    writer.pragma_update(None, "user_version", 3).unwrap();
    // As a kill leaves it: only the log says it.
    let killed = folder.0.join("killed");
    copy(Path::new(&data), &killed);
    drop(writer);
    for data in [text(&killed), data] {
        all_refuse(&folder, &site, &data, &[NEWER]);
        writers_refuse(&folder, &site, &data, &[NEWER]);
        for args in [&["state", &*site, "--data", &data, "--at", "2026-03-02T09:00:00Z"][..], &["history", "list", &data]] {
            let (_, _, err) = orrery(args);
            assert_eq!(err.matches(NEWER).count(), 1, "{args:?}: {err}");
        }
    }
}

#[test]
fn a_backup_goes_into_no_folder_whose_files_would_be_taken_for_part_of_it() {
    let (folder, site, data) = kept();
    let lock = std::fs::read(Path::new(&data).join("lock")).unwrap();
    assert!(!lock.is_empty());
    for (name, bytes) in [
        ("history.sqlite3-wal", &b"of something else"[..]),
        ("history.sqlite3-shm", b"of something else"),
        ("history.sqlite3-journal", b"of something else"),
        ("history.salvaged.sqlite3", b"of something else"),
        ("lock", &lock),
    ] {
        let to = folder.write(&format!("to-{name}/{name}"), bytes).parent().unwrap().to_owned();
        let before = files(&to);
        let (code, said, err) = orrery(&["backup", &data, &text(&to)]);
        assert!(code == 2 && err.contains("exists already") && err.contains(name), "{name}: {code} {said}{err}");
        assert_eq!(files(&to), before, "{name}");
    }
    let to = folder.write("free/lock", "").parent().unwrap().to_owned();
    let (code, _, err) = orrery(&["backup", &data, &text(&to)]);
    assert_eq!(code, 0, "{err}");
    let table = text(&folder.0.join("z.csv"));
    assert_eq!(orrery(&["import-samples", &site, "--data", &text(&to), &table]).0, 0, "a server opens it");
}

#[test]
fn what_a_kill_leaves_before_anything_is_kept_is_no_trace_of_history() {
    let folder = Folder::new();
    let site = text(&folder.write("site.toml", SITE));
    let table = text(&folder.write("z.csv", "signal,time,value\npump-01.flow,2026-03-02T08:00:00Z,70\n"));
    // The head of a rollback journal of a database that had no page (https://www.sqlite.org/fileformat2.html#the_rollback_journal).
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    journal.resize(512, 0);
    for (name, with_file) in [("empty", true), ("missing", false)] {
        let data = folder.write(&format!("{name}/history.sqlite3-journal"), &journal).parent().unwrap().to_owned();
        std::fs::write(data.join("lock"), "").unwrap();
        if with_file {
            std::fs::write(data.join(FILE), "").unwrap();
        }
        all_refuse(&folder, &site, &text(&data), &["there is no history in"]);
        let marked = folder.0.join(format!("{name}-marked"));
        copy(&data, &marked);
        let (code, _, err) = orrery(&["import-samples", &site, "--data", &text(&data), &table]);
        assert_eq!(code, 0, "{name}: {err}");
        let (code, out, err) = orrery(&["export", &site, "--data", &text(&data), "-o", "-"]);
        assert!(code == 0 && out.contains("pump-01.flow"), "{name}: {err}");
        // What says that there was history is one still, and the journal is named with it.
        std::fs::copy(data.join("lock"), marked.join("lock")).unwrap();
        let (code, _, err) = orrery(&["import-samples", &site, "--data", &text(&marked), &table]);
        assert!(code == 2 && err.contains("history.sqlite3-journal, lock, which says"), "{name}: {err}");
    }
}

#[test]
fn a_repair_leaves_a_file_of_another_program_where_it_is_and_mends_one_of_ours() {
    let (folder, _, data) = kept();
    let alone = text(folder.write("alone/history.sqlite3", "").parent().unwrap());
    for data in [&alone, &data] {
        let path = Path::new(data).join(FILE);
        let ours = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let foreign = Connection::open(&path).unwrap();
        foreign.execute_batch("CREATE TABLE mine (a); CREATE INDEX journal ON mine (a); INSERT INTO mine VALUES (1)").unwrap();
        drop(foreign);
        let before = files(Path::new(data));
        for args in [&["fsck", &**data][..], &["fsck", data, "--repair"]] {
            let (code, said, err) = orrery(args);
            assert!(code == 2 && err.contains("it is a file of another program"), "{args:?}: {code} {said}{err}");
            assert_eq!(files(Path::new(data)), before, "{args:?}");
        }
        std::fs::write(&path, ours).unwrap();
    }
    let ours = Connection::open(Path::new(&data).join(FILE)).unwrap();
    ours.execute_batch("DROP TABLE note; DROP TABLE page; CREATE TABLE mine (a)").unwrap();
    drop(ours);
    let (code, said, err) = orrery(&["fsck", &data, "--repair"]);
    assert_eq!(code, 1, "{said}{err}");
    assert_eq!(fsck::check(Path::new(&data), false).unwrap().findings, []);
}

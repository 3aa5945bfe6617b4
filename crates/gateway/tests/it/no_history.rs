//! A folder without a readable database is never history in which nothing happened: whoever reads it goes by the rule of whoever
//! writes it. And a backup that is refused leaves nothing behind.

use std::path::Path;

use gateway::history::FILE;

use crate::world::{Folder, SITE, orrery};

/// A site and a data folder with a sample in it, closed in order.
pub(crate) fn kept() -> (Folder, String, String) {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    let table = folder.write("z.csv", "signal,time,value\npump-01.flow,2026-03-02T08:00:00Z,70\n").display().to_string();
    let data = folder.0.join("zd").display().to_string();
    let (code, _, err) = orrery(&["import-samples", &site, "--data", &data, &table]);
    assert_eq!(code, 0, "{err}");
    (folder, site, data)
}

/// Everything that is in a folder, with its bytes.
pub(crate) fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap_or_default())).collect()
}

/// Holds every reader to it that it refuses a folder with these words, changes nothing in it and leaves nothing elsewhere.
pub(crate) fn all_refuse(folder: &Folder, site: &str, data: &str, words: &[&str]) {
    let path = |name: &str| folder.0.join(name).display().to_string();
    let (out, to, published) = (path("out.csv"), path("copies/deep"), path("published"));
    let (web, table) = (folder.write("web/index.html", "<html></html>"), path("z.csv"));
    let (at, web) = ("2026-03-02T09:00:00Z", web.parent().unwrap().display().to_string());
    let before = Path::new(data).is_dir().then(|| files(Path::new(data)));
    let commands: [&[&str]; 8] = [
        &["state", site, "--data", data, "--at", at],
        &["export", site, "--data", data, "-o", &out],
        &["export", site, "--data", data, "-o", "-"],
        &["whatif", site, "--data", data, "--at", at],
        &["history", "list", site, "--data", data],
        &["backup", data, &to],
        &["publish", site, "--data", data, "-o", &published, "--web", &web],
        &["history", "remove", site, "--data", data, "pump-01.flow", "--yes"],
    ];
    for args in commands {
        let (code, said, err) = orrery(args);
        assert_eq!(code, 2, "{args:?}: {said}{err}");
        assert!(words.iter().all(|word| err.contains(word)) && said.is_empty(), "{args:?}: {said}{err}");
        assert!(!err.contains("Error code") && !err.contains("no such table"), "{args:?}: {err}");
    }
    assert_eq!(Path::new(data).is_dir().then(|| files(Path::new(data))), before, "nothing in it changes");
    for left in [&out, &path("copies")] {
        assert!(!Path::new(left).exists(), "{left} is left");
    }
    assert!(Path::new(&table).exists());
}

#[test]
fn an_emptied_or_missing_database_beside_its_lock_is_refused_by_everybody() {
    let (folder, site, data) = kept();
    let file = Path::new(&data).join(FILE);
    for emptied in [true, false] {
        if emptied {
            std::fs::write(&file, "").unwrap();
        } else {
            std::fs::remove_file(&file).unwrap();
        }
        let words = [
            "is missing, empty or without any table, but the folder has",
            "lock, which says that it had one",
            "restore a backup",
        ];
        all_refuse(&folder, &site, &data, &words);
        let recorded = folder.0.join("r.orrec").display().to_string();
        let table = folder.0.join("z.csv").display().to_string();
        for args in [
            &["record", &*site, &recorded, "--data", &data, "--for", "1s"][..],
            &["import-samples", &site, "--data", &data, &table],
        ] {
            let (code, _, err) = orrery(args);
            assert!(code == 2 && err.contains(words[0]), "{args:?}: {err}");
        }
    }
}

#[test]
fn a_folder_in_which_nothing_was_begun_has_no_history_to_read() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    folder.write("z.csv", "");
    let data = folder.0.join("zd").display().to_string();
    all_refuse(&folder, &site, &data, &["there is no history in", "there is no such folder", "name a data folder"]);
    std::fs::create_dir(&data).unwrap();
    all_refuse(&folder, &site, &data, &["there is no history in", "it holds no history.sqlite3", "name a data folder"]);
    let (code, _, err) = orrery(&["fsck", &data]);
    assert!(code == 2 && err.contains("it holds no history.sqlite3"), "{err}");
    folder.write("zd/history.sqlite3", "");
    all_refuse(&folder, &site, &data, &["there is no history in", "its history.sqlite3 is empty"]);
    let (code, out, err) = orrery(&["fsck", &data]);
    assert!(code == 1 && out.contains("database.damaged") && out.contains("it is empty"), "{out}{err}");
}

/// Two databases that SQLite reads without a word: one without any table, of this layout and of none, and one of another program.
fn foreign(folder: &Folder) -> [Vec<u8>; 3] {
    let scripts = ["PRAGMA user_version = 2; CREATE TABLE a (b); DROP TABLE a;", "CREATE TABLE a (b); DROP TABLE a;"];
    [scripts[0], scripts[1], "CREATE TABLE mine (a); INSERT INTO mine VALUES (1);"].map(|script| {
        let path = folder.0.join("foreign");
        drop(std::fs::remove_file(&path));
        rusqlite::Connection::open(&path).unwrap().execute_batch(script).unwrap();
        std::fs::read(path).unwrap()
    })
}

#[test]
fn a_database_without_tables_is_no_history_and_nothing_begins_in_it_where_there_was_one() {
    let (folder, site, data) = kept();
    let file = Path::new(&data).join(FILE);
    let whole = std::fs::read(&file).unwrap();
    let [with_layout, bare, _] = foreign(&folder);
    let gone =
        ["is missing, empty or without any table, but the folder has lock, which says that it had one", "restore a backup"];
    let table = folder.0.join("z.csv").display().to_string();
    for bytes in [with_layout, bare] {
        std::fs::write(&file, &bytes).unwrap();
        all_refuse(&folder, &site, &data, &gone);
        let (code, _, err) = orrery(&["import-samples", &site, "--data", &data, &table]);
        assert!(code == 2 && err.contains(gone[0]), "{err}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
        let (code, out, err) = orrery(&["fsck", &data]);
        assert!(code == 1 && out.contains("database.damaged"), "{code} {out}{err}");
        // A program that was killed when it began leaves one, too: nothing was kept in it, and the next one begins.
        let begun = folder.write("begun/history.sqlite3", "").parent().unwrap().display().to_string();
        std::fs::write(Path::new(&begun).join(FILE), &bytes).unwrap();
        all_refuse(&folder, &site, &begun, &["there is no history in", "has no table: nothing was begun there"]);
        let (code, _, err) = orrery(&["import-samples", &site, "--data", &begun, &table]);
        assert_eq!(code, 0, "{err}");
        std::fs::remove_dir_all(begun).unwrap();
    }
    std::fs::write(&file, whole).unwrap();
    let (code, out, err) = orrery(&["export", &site, "--data", &data, "-o", "-"]);
    assert!(code == 0 && out.contains("pump-01.flow"), "{err}");
}

#[test]
fn a_database_of_another_program_is_no_history_and_stays_as_it_is() {
    let (folder, site, data) = kept();
    let file = Path::new(&data).join(FILE);
    let [.., bytes] = foreign(&folder);
    std::fs::write(&file, &bytes).unwrap();
    all_refuse(&folder, &site, &data, &["history.sqlite3", "orrery fsck"]);
    let table = folder.0.join("z.csv").display().to_string();
    let (code, _, err) = orrery(&["import-samples", &site, "--data", &data, &table]);
    assert!(code == 2 && err.contains("orrery fsck"), "{err}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_backup_that_was_killed_between_its_last_two_names_is_taken_back_by_the_next() {
    let (folder, _, data) = kept();
    folder.write("zd/publication/mine.txt", "beside it");
    let to = folder.0.join("copy");
    // As a kill leaves it: the revisions have their name, the history has its first one.
    folder.write("copy/history.partial.sqlite3", "half of it");
    folder.write("copy/publication/revisions.json", "{}");
    let (code, _, err) = orrery(&["backup", &data, &to.display().to_string()]);
    assert_eq!(code, 0, "{err}");
    assert!(to.join(FILE).exists() && !to.join("history.partial.sqlite3").exists());
    assert!(!to.join("publication/revisions.json").exists(), "it was of the attempt before");
    // Somebody's own folder of that name is never touched.
    let mine = folder.write("other/publication/mine.txt", "mine");
    let (code, _, err) = orrery(&["backup", &data, &folder.0.join("other").display().to_string()]);
    assert!(code == 2 && err.contains("exists") && mine.exists(), "{err}");
}

#[test]
fn a_database_that_is_cut_short_is_refused_wherever_it_is_cut() {
    let (folder, site, data) = kept();
    let file = Path::new(&data).join(FILE);
    let whole = std::fs::read(&file).unwrap();
    for length in [1, 15, 16, 99, 100, 511, 512, 4_096, 8_192, whole.len() - 4_096, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        for args in [
            &["state", &*site, "--data", &data, "--at", "2026-03-02T09:00:00Z"][..],
            &["export", &site, "--data", &data, "-o", "-"],
            &["history", "list", &data],
            &["backup", &data, &folder.0.join("copy").display().to_string()],
        ] {
            let (code, said, err) = orrery(args);
            assert!(
                code == 2 && err.contains("is damaged") && err.contains("orrery fsck"),
                "{length}: {args:?}: {code} {said}{err}"
            );
        }
        assert!(!folder.0.join("copy").exists(), "{length}");
    }
}

#[test]
fn a_refused_backup_leaves_what_was_there_and_nothing_else() {
    let (folder, _, data) = kept();
    let (to, mine) = (folder.0.join("to"), folder.write("to/mine.txt", "mine"));
    let before = files(&to);
    let file = Path::new(&data).join(FILE);
    let whole = std::fs::read(&file).unwrap();
    // A byte of every page but the first, which is found when it is copied, or when the copy is read back.
    let hurt = |at: usize| {
        let mut bytes = whole.clone();
        bytes.iter_mut().skip(4_096).step_by(4_096).for_each(|byte| *byte ^= 0xff);
        bytes.truncate(bytes.len() - at);
        bytes
    };
    let [.., foreign] = foreign(&folder);
    for (bytes, what) in [(hurt(0), "hurt"), (hurt(4_096), "cut"), (Vec::new(), "empty"), (foreign, "of somebody else")] {
        std::fs::write(&file, bytes).unwrap();
        let (code, _, err) = orrery(&["backup", &data, &to.display().to_string()]);
        assert_eq!(code, 2, "{what}: {err}");
        assert!(err.contains("orrery fsck"), "{what}: {err}");
        assert!(err.contains(&data) && !err.contains("partial"), "{what}: what is wrong is the original: {err}");
        assert_eq!(files(&to), before, "{what}: {err}");
    }
    std::fs::write(&file, whole).unwrap();
    let (code, _, err) = orrery(&["backup", &data, &to.display().to_string()]);
    assert!(code == 0 && mine.exists() && to.join(FILE).exists(), "{err}");
}

#[test]
fn whoever_names_the_database_is_told_to_name_its_folder() {
    let (folder, site, data) = kept();
    let file = Path::new(&data).join(FILE).display().to_string();
    let table = folder.0.join("z.csv").display().to_string();
    let out = folder.0.join("out").display().to_string();
    let at = "2026-03-02T09:00:00Z";
    for args in [
        &["state", &*site, "--data", &file, "--at", at][..],
        &["whatif", &site, "--data", &file, "--at", at],
        &["export", &site, "--data", &file, "-o", "-"],
        &["import-samples", &site, "--data", &file, &table],
        &["history", "list", &site, "--data", &file],
        &["publish", &site, "--data", &file, "-o", &out],
        &["record", &site, &out, "--data", &file],
        &["serve", &site, "--data", &file, "--listen", "127.0.0.1:0"],
    ] {
        let (code, said, err) = orrery(args);
        assert!(code == 2 && said.is_empty(), "{args:?}: {said}{err}");
        assert!(err.contains(&format!("it is a file; name the data folder that it is in: {data}")), "{args:?}: {err}");
        assert!(!err.contains("--judge-by now"), "{args:?}: {err}");
    }
}

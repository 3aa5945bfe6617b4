//! Rows of the catalogue have no checksum of their own. Where one says something else than the chunk that it is of, nobody is told of
//! less without a word, readers get everything all the same, and a repair puts every chunk back where it says that it belongs.

use gateway::history::FILE;
use rusqlite::Connection;

use crate::salvage::{folder, read};
use crate::world::orrery;

/// What one altered bit makes of a row, of the first raw chunk where nothing else is said.
const ALTERED: [&str; 13] = [
    "UPDATE chunk SET start_us = start_us + (1 << 33) WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET start_us = start_us - (1 << 45) WHERE level = 0 AND start_us = (SELECT max(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET end_us = end_us + (1 << 56) WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET end_us = end_us - (1 << 52) WHERE level = 0 AND start_us = (SELECT max(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET signals = signals | 64 WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET first_signal = first_signal | 128 WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET level = 2 WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET crc = crc + 1 WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET samples = samples | 1024 WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE chunk SET blob = (SELECT blob FROM chunk WHERE level != 0 LIMIT 1) WHERE level = 0 AND start_us = (SELECT min(start_us) FROM chunk WHERE level = 0)",
    "UPDATE page SET start_us = start_us + (1 << 40) WHERE level = 0 AND start_us = (SELECT min(start_us) FROM page WHERE level = 0)",
    "UPDATE page SET end_us = end_us - (1 << 50) WHERE level = 0 AND start_us = (SELECT max(start_us) FROM page WHERE level = 0)",
    "UPDATE blob SET bytes = CAST(bytes AS TEXT) WHERE id = (SELECT blob FROM chunk WHERE level = 0 ORDER BY start_us LIMIT 1)",
];

#[test]
fn a_catalogue_that_is_wrong_about_a_chunk_loses_nothing_and_says_so() {
    let (folder, site) = folder();
    let whole = read(&site.loaded.model, &folder.0.join("data"));
    let path = folder.0.join("site.toml").display().to_string();
    for (n, sql) in ALTERED.into_iter().enumerate() {
        let data = folder.0.join(format!("data-{n}"));
        std::fs::create_dir(&data).unwrap();
        for name in [FILE, "lock"] {
            std::fs::copy(folder.0.join("data").join(name), data.join(name)).unwrap();
        }
        let connection = Connection::open(data.join(FILE)).unwrap();
        assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
        drop(connection);
        let of = data.display().to_string();
        let table = |of: &str| orrery(&["export", &path, "--data", of, "-o", "-"]);
        let is_text = sql.contains("AS TEXT");

        let (code, rows, err) = table(&of);
        let said = err.contains("fsck") || code != 0;
        assert!(said || is_text, "nobody would look for what is wrong: {sql}: {err}");
        if code == 0 {
            assert_eq!(rows.lines().count() - 1, whole.len(), "{sql}: {err}");
            assert_eq!(read(&site.loaded.model, &data), whole, "{sql}");
        }
        let copy = folder.0.join(format!("copy-{n}")).display().to_string();
        let (code, out, _) = orrery(&["backup", &of, &copy]);
        assert!(code != 0 || is_text, "a copy is whole, or none: {sql}: {out}");
        let (code, _, err) = orrery(&["fsck", &of]);
        assert!(code == 1 || is_text && code == 0, "{sql}: {code} {err}");
        let (_, out, err) = orrery(&["fsck", &of, "--repair"]);
        assert!(!out.contains("lost"), "{sql}: {out}{err}");
        assert_eq!(read(&site.loaded.model, &data), whole, "{sql}");
        assert_eq!(orrery(&["fsck", &of]).0, 0, "{sql}");
        let (code, rows, err) = table(&of);
        assert_eq!((code, rows.lines().count() - 1, err.contains("fsck")), (0, whole.len(), false), "{sql}: {err}");
    }
}

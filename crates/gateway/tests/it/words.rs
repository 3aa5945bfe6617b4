//! What the program says of tables that are not what people think they are: by name, line and number, and nothing that steers a terminal.

use crate::world::{Folder, orrery};

/// A pump whose oil temperature comes from a table.
fn site(column: &str) -> String {
    format!(
        "[site]\nid = \"plant\"\n[[twins]]\nid = \"pump\"\nbind = false\nsignals = [{{ name = \"oil\", unit = \"°C\" }}]\n[[sources]]\n\
         id = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\nseparator = \";\"\ntime = {{ column = \"Time\" }}\n\
         columns = {{ \"{column}\" = \"pump.oil\" }}\n"
    )
}

/// Exit code and everything that a command says of a site with this table.
fn say(column: &str, table: &[u8], command: &[&str]) -> (i32, String) {
    let folder = Folder::new();
    let site = folder.write("site.toml", site(column)).display().to_string();
    std::fs::write(folder.0.join("log.csv"), table).unwrap();
    let (code, out, err) = orrery(&[&command[..1], &[&*site], &command[1..]].concat());
    (code, format!("{out}{err}"))
}

fn table(header: &str) -> Vec<u8> {
    format!("{header}\n2026-03-02T08:00:00Z;21.5\n2026-03-02T08:01:00Z;22.5\n").into_bytes()
}

#[test]
fn a_name_that_looks_the_same_is_the_same_or_is_told_by_its_numbers() {
    let composed = "\u{d6}ltemp";
    for (site, file) in [(composed, "O\u{308}ltemp"), ("O\u{308}ltemp", composed), (composed, "\u{feff}Time;\u{d6}ltemp")] {
        let header = if file.contains(';') { file.to_owned() } else { format!("Time;{file}") };
        let (code, said) = say(site, &table(&header), &["check"]);
        assert_eq!((code, said.contains("error[")), (0, false), "{said}");
    }
    for (file, words) in [
        ("Oil\u{a0}temp", ["U+00A0", "U+0020"]),
        ("Oil \u{200b}temp", ["U+200B", "nothing"]),
        ("\u{41e}il temp", ["U+041E", "U+004F"]),
    ] {
        let (code, said) = say("Oil temp", &table(&format!("Time;{file}")), &["check"]);
        assert!(code == 1 && words.iter().all(|word| said.contains(word)) && said.contains("copy the name"), "{said}");
    }
}

#[test]
fn keys_of_a_long_table_look_as_they_are_compared() {
    let folder = Folder::new();
    let text = "[site]\nid = \"plant\"\n[[twins]]\nid = \"pump\"\nbind = false\nsignals = [{ name = \"oil\", source_key = \"\u{d6}l\" }]\n\
                [[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\nlayout = \"long\"\ntime = { column = \"t\" }\n\
                key = \"{tag}\"\nvalue = \"v\"\n";
    let site = folder.write("site.toml", text).display().to_string();
    folder.write("log.csv", "t,tag,v\n2026-03-02T08:00:00Z,O\u{308}l,21.5\n");
    let (code, out, err) = orrery(&["export", &site, "--sources", "-o", "-"]);
    assert!(code == 0 && out.contains("pump.oil") && out.contains("21.5"), "{out}{err}");
}

#[test]
fn a_file_that_is_no_table_is_named_by_its_first_bytes_and_never_printed() {
    let gzip = b"\x1f\x8b\x08\x00\x25\x0e\x1b[31m\x02\xff;\x0b\n";
    for (bytes, words) in [
        (&gzip[..], ["gzip", "gunzip"]),
        (b"PK\x03\x04\x14\0[Content_Types].xml\x1b[2J", ["spreadsheet", "save the sheet as CSV"]),
        (b"PK\x03\x04\x14\0log.csv", ["ZIP archive", "unpack it"]),
        (b"PAR1\x15\x04\x1b[2J", ["Parquet", "import-samples"]),
        (b"%PDF-1.7\n\x1b[2J", ["PDF", "export the table as CSV"]),
        (b"\x7fELF\0\0\x1b[2J\n", ["no text", "7f 45 4c 46"]),
    ] {
        for command in [&["check"][..], &["state", "--at", "now"], &["export", "--sources", "-o", "-"]] {
            let (code, said) = say("Oil", bytes, command);
            assert!(code == 1 && words.iter().all(|word| said.contains(word)), "{command:?}: {said}");
            assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
        }
    }
    let folder = Folder::new();
    let path = folder.write("site.toml", site("Oil")).display().to_string();
    folder.write("log.csv", "Time;Oil\n");
    std::fs::write(folder.0.join("samples.csv"), gzip).unwrap();
    let (file, data) = (folder.0.join("samples.csv").display().to_string(), folder.0.join("data").display().to_string());
    let (code, _, err) = orrery(&["import-samples", &path, "--data", &data, &file]);
    assert!(code != 0 && err.contains("gunzip") && !err.contains('\u{1b}'), "{err}");
}

#[test]
fn nothing_in_a_table_steers_the_terminal() {
    let evil = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}";
    let mut rows = table("Time;Oil");
    rows.extend(format!("{evil};{evil}\n2026-03-02T08:02:00Z;{evil}\n").bytes());
    for table in [table(&format!("Time;{evil}")), rows] {
        for command in [&["check"][..], &["state", "--at", "2026-03-02T08:03:00Z"], &["check", "--json"]] {
            let (_, said) = say("Oil", &table, command);
            let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!said.contains(steers), "{command:?}: {said:?}");
        }
    }
}

#[test]
fn a_row_of_another_year_is_told_with_its_line_by_every_command_that_reads_the_file() {
    let rows = "Time;Oil\n2026-03-02T08:00:01Z;20\n2062-03-02T08:00:30Z;95\n2026-03-02T08:00:02Z;21\n";
    for (command, code) in [
        (&["check"][..], 1),
        (&["state", "--at", "2026-03-02T08:05:00Z"], 0),
        (&["export", "--sources", "-o", "-", "--to", "2063-01-01T00:00:00Z"], 0),
    ] {
        let (found, said) = say("Oil", rows.as_bytes(), command);
        let words = "1 row is far away from all others in time and doesn't set the clock: line 3 2062-03-02T08:00:30";
        assert!(found == code && said.contains(words), "{command:?} {found}: {said}");
    }
}

//! What the command says: results that reach nobody are an error, instants are what they look like, and errors say what to do.

use std::process::{Command, Stdio};

use crate::commands::logged_site;
use crate::world::{Folder, SITE, orrery};

/// Runs the program with its results going to `out`: exit code and errors.
#[cfg(target_os = "linux")]
fn into(out: Stdio, args: &[&str]) -> (i32, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_orrery")).args(args).stdin(Stdio::null()).stdout(out).output().unwrap();
    (done.status.code().unwrap_or(-1), String::from_utf8(done.stderr).unwrap())
}

/// A device that is always full.
#[cfg(target_os = "linux")]
fn full() -> Stdio {
    std::fs::File::options().write(true).open("/dev/full").unwrap().into()
}

/// A pipe whose reader has gone away.
#[cfg(target_os = "linux")]
fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_can_not_be_written_is_an_error_and_a_closed_pipe_is_none() {
    let folder = Folder::new();
    let site = logged_site(&folder);
    let path = |name: &str| folder.0.join(name).display().to_string();
    let table = folder.write("z.csv", "signal,time,value\npump-01.flow,2026-03-02T08:00:00Z,70\n").display().to_string();
    let (data, access, at) = (path("zd"), path("access.toml"), "2026-03-02T08:00:03Z");
    assert_eq!(orrery(&["import-samples", &site, "--data", &data, &table]).0, 0);
    assert_eq!(orrery(&["access", "new", &access, "--role", "view"]).0, 0);
    let commands: [(&[&str], bool); 16] = [
        (&["check", &site], false),
        (&["check", &site, "--json"], false),
        (&["state", &site, "--at", at], false),
        (&["state", &site, "--at", at, "--json"], false),
        (&["whatif", &site, "--at", at, "--json"], false),
        (&["fsck", &data], false),
        (&["fsck", &data, "--json"], false),
        (&["history", "list", &data], false),
        (&["history", "list", &data, "--json"], false),
        (&["import-samples", &site, "--data", &data, &table], false),
        (&["access", "list", &access], false),
        (&["--help"], false),
        (&["state", "--help"], false),
        (&["--version"], false),
        (&["export", &site, "--data", &data, "-o", "-"], false),
        // The only showing of a token.
        (&["access", "new", "--role", "view"], true),
    ];
    for (args, always) in commands {
        let (code, err) = into(full(), args);
        assert_eq!(code, 2, "{args:?}: {err}");
        assert!(err.contains("No space left on device"), "{args:?}: {err}");
        let (code, err) = into(closed(), args);
        assert!(if always { code == 2 } else { code <= 1 }, "{args:?}: {code} {err}");
        assert_eq!(err.contains("error:"), always, "{args:?}: {err}");
    }
    let (code, err) = into(full(), &["backup", &data, &path("copy"), "--json"]);
    assert!(code == 2 && err.contains("standard output"), "{err}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_token_that_nobody_saw_is_not_added() {
    let folder = Folder::new();
    let access = folder.0.join("access.toml");
    let args = ["access", "new", access.to_str().unwrap(), "--role", "view"];
    for out in [full(), closed()] {
        let (code, err) = into(out, &args);
        assert!(code == 2 && err.contains("the token can't be shown") && err.contains("is as it was"), "{err}");
        assert!(!access.exists(), "{err}");
    }
    let (code, out, err) = orrery(&args);
    assert!(code == 0 && out.lines().count() == 1 && err.contains("was added to"), "{out}{err}");
}

#[test]
fn a_bare_number_is_no_instant_of_any_option() {
    let folder = Folder::new();
    let site = logged_site(&folder);
    let to = folder.0.join("to").display().to_string();
    let commands: [&[&str]; 9] = [
        &["state", &site, "--at"],
        &["state", &site, "--at", "now", "--start"],
        &["whatif", &site, "--at"],
        &["whatif", &site, "--at", "now", "--start"],
        &["export", &site, "--sources", "-o", "-", "--from"],
        &["export", &site, "--sources", "-o", "-", "--to"],
        &["compile", &site, "-o", &to, "--at"],
        &["publish", &site, "-o", &to, "--at"],
        &["serve", &site, "--listen", "127.0.0.1:0", "--clock"],
    ];
    for args in commands {
        for (number, unit) in [("1772438400", "seconds"), ("1772438400000", "milliseconds"), ("1772438400000000", "microseconds")]
        {
            let (code, out, err) = orrery(&[args, &[number]].concat());
            assert!(code == 2 && out.is_empty(), "{args:?} {number}: {out}{err}");
            assert!(
                err.contains(&format!("looks like {unit} since 1970: write 2026-03-02T08:00:00Z")),
                "{args:?} {number}: {err}"
            );
        }
    }
    let said = |at: &str| orrery(&["state", &site, "--at", at, "--json"]);
    assert_eq!(said("1772438403000000us"), said("2026-03-02T08:00:03Z"), "with its unit it is one");
}

#[test]
fn errors_about_what_is_missing_or_something_else_say_what_to_do() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    let path = |name: &str| folder.0.join(name).display().to_string();
    let log = folder.write("log.csv", "signal,time,value\n").display().to_string();
    let empty = folder.write("empty.orrec", "").display().to_string();
    let parquet = folder.write("cut.parquet", b"PAR1 and then nothing more").display().to_string();
    let (data, out) = (path("data"), path("out.orrec"));
    let is_there = "is a gateway running there? `orrery serve SITE --listen 127.0.0.1:1` starts one";
    let cases: [(&[&str], &[&str]); 6] = [
        (&["replay", &log], &["it is not an Orrery recording", "`orrery record SITE FILE` makes one"]),
        (
            &["state", "--recording", &log, "--at", "now"],
            &["it is not an Orrery recording", "`orrery record SITE FILE` makes one"],
        ),
        (&["state", "--recording", &empty, "--at", "now"], &["it is empty", "`orrery record SITE FILE` makes one"]),
        (&["record", "http://127.0.0.1:1/", &out], &["Connection refused", is_there]),
        (&["bench", "feed", "--url", "http://127.0.0.1:1/"], &["Connection refused", is_there]),
        (&["import-samples", &site, "--data", &data, &parquet], &["is the file whole?", "copy it here again"]),
    ];
    for (args, parts) in cases {
        let (code, said, err) = orrery(args);
        assert_eq!(code, 2, "{args:?}: {said}{err}");
        for part in parts {
            assert!(err.contains(part), "{args:?}: {part} in {err}");
        }
    }
}

#[test]
fn a_plant_without_problems_is_not_counted_as_nothing() {
    let folder = Folder::new();
    let site = logged_site(&folder);
    let text = std::fs::read_to_string(&site).unwrap();
    folder.write("site.toml", text.replace("[[twins]]\nid = \"pump-02\"\ninterface = \"pump\"\nbind = false\n", ""));
    let (code, out, err) = orrery(&["state", &site, "--at", "2026-03-02T08:00:00Z", "--problems"]);
    assert_eq!(code, 0, "{err}");
    let last = out.lines().last().unwrap();
    assert_eq!(last, "no problems; 0 alarms active, 0 unacknowledged", "{out}");
}

//! A file that reached the size that the system allows is a disk that is full: said, answered and ended with 2, never by a signal.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;
use twin_model::Value;

use crate::disk::read;
use crate::stops::{Limited, acknowledged};
use crate::world::{Folder, PATIENCE, SITE, at, orrery};

#[tokio::test]
async fn a_server_at_its_limit_of_file_sizes_lives_says_so_and_ends_with_2() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    // The limit as a shell sets it: nobody ignores the signal for the program.
    let limited =
        folder.write("limited", format!("#!/bin/sh\nulimit -f 2048\nexec \"{}\" \"$@\"\n", env!("CARGO_BIN_EXE_orrery")));
    std::fs::set_permissions(&limited, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = Limited::start_as(&limited, &site, &data, None);
    let mut sender = server.sender().await;
    acknowledged(&mut sender, "{\"signal\":\"pump-01.starts\",\"value\":2}").await;
    for n in 0..250_u64 {
        let letters: String = (0..2_000_u64)
            .map(|k| format!("{:016x}", (n * 2_000 + k).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)))
            .collect();
        let line = format!("{{\"signal\":\"pump-01.mode\",\"value\":\"{letters}\"}}");
        sender.send(Message::Text(line.into())).await.unwrap();
    }
    let begun = Instant::now();
    while !server.get("/readyz").contains("disk.refuses") {
        assert!(begun.elapsed() < PATIENCE * 3, "the disk never refuses");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (code, said) = server.stop();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("could not be written"), "{said}");
    assert_eq!(read(&site, &data, "pump-01.starts"), (Some(Value::Int(2)), 1), "what was acknowledged");

    let table = folder.0.join("table.csv");
    let shell = r#"ulimit -f 1; exec "$0" "$@""#;
    let export = Command::new("sh")
        .args(["-c", shell, env!("CARGO_BIN_EXE_orrery"), "export"])
        .args([&site, std::path::Path::new("--data"), &data, std::path::Path::new("-o"), &table])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&export.stderr);
    assert_eq!(export.status.code(), Some(2), "{:?} {said}", export.status);
    assert!(said.starts_with("error: "), "{said}");
}

#[test]
fn an_import_ends_where_the_disk_refuses_and_can_be_run_again() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    let table = table(&folder);
    let args = [Path::new("import-samples"), &site, Path::new("--data"), &data, &table];
    let mut import = Command::new("sh")
        .args(["-c", r#"ulimit -f 400; exec "$0" "$@""#, env!("CARGO_BIN_EXE_orrery")])
        .args(args)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while import.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE * 3 {
            import.kill().unwrap();
            import.wait().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = import.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("history can't be written").count(), 1, "{said}");
    for part in ["of the 60000 new samples are safely kept", "run the same import again"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let again: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
    let (code, out, err) = orrery(&again);
    assert!(code == 0 && out.starts_with("60000 rows"), "{out}{err}");
    assert_eq!(read(&site, &data, "pump-01.flow").1, 60_000);
}

/// 60,000 rows that nothing can pack.
fn table(folder: &Folder) -> PathBuf {
    let rows: String = (0..60_000_u64)
        .map(|n| {
            let value = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) >> 11) as f64 / (1_u64 << 53) as f64;
            format!("pump-01.flow,{},{value}\n", at(i64::try_from(n).unwrap()))
        })
        .collect();
    folder.write("b.csv", format!("signal,time,value\n{rows}"))
}

#[test]
fn a_backup_without_room_names_the_place_that_has_none() {
    let folder = Folder::new();
    let (site, data) = (folder.write("site.toml", SITE), folder.0.join("data"));
    let text = |path: &Path| path.display().to_string();
    let (code, _, err) = orrery(&["import-samples", &text(&site), "--data", &text(&data), &text(&table(&folder))]);
    assert_eq!(code, 0, "{err}");
    let to = folder.0.join("copy");
    let backup = Command::new("sh")
        .args(["-c", r#"ulimit -f 200; exec "$0" "$@""#, env!("CARGO_BIN_EXE_orrery"), "backup"])
        .args([&data, &to])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&backup.stderr);
    assert_eq!(backup.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("can't write {}; check the folder and the space left", text(&to))), "{said}");
    assert!(!to.exists(), "nothing is left: {said}");
}

//! A plant whose site changes while it is recorded: every revision is in the file.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use gateway::clock::wall;
use gateway::publish::compile;
use gateway::publish::shelf::{Remark, Shelf};
use gateway::recording::{self, RecordingFile};
use gateway::revisions::Publication;
use gateway::revisions::folder::Since;
use gateway::site::Site;
use twin_model::{Span, Timestamp};
use twin_protocol::recording::Record;
use twin_publication::{Finding, Manifest, Revisions};

use crate::recording_versions::at;
use crate::world::{Folder, PATIENCE, SITE, Wish, World, orrery};

/// The little site with another limit.
fn limited(folder: &Folder, limit: u32) -> Publication {
    let text = SITE.replace("above = 80.0", &format!("above = {limit}.0"));
    let path = folder.write(&format!("{limit}/site.toml"), text);
    compile(&Site::read_usable(&path).unwrap(), Timestamp::from_micros(0)).unwrap().publication
}

pub(crate) fn finding(code: &'static str) -> (Remark, Finding) {
    let what = format!("said of {code}");
    let finding = Finding {
        severity: "warning".into(),
        code: code.into(),
        subject: String::new(),
        message: what.clone(),
        help: String::new(),
        file: String::new(),
        line: 0,
    };
    (Remark { code, what }, finding)
}

/// Waits until a file that is being written holds something.
async fn until(file: &Path, holds: impl Fn(&recording::Recording) -> bool) {
    let wait = async {
        while !recording::read(file).is_ok_and(|read| holds(&read)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the recording does not get there");
}

fn numbers<'a>(manifests: impl Iterator<Item = &'a Manifest>) -> Vec<u64> {
    manifests.map(|manifest| manifest.revision).collect()
}

/// Asks a program to end and waits for its exit code.
fn interrupt(mut child: std::process::Child) -> Option<i32> {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap().code()
}

#[tokio::test]
async fn every_revision_that_is_in_force_while_it_is_recorded_is_in_a_recording() {
    let folder = Folder::new();
    let shelf = Arc::new(Shelf::default());
    let now = wall();
    let ago = |minutes: i64| now - Span::from_secs(minutes * 60);
    for (limit, minutes) in [(80, 120), (81, 30), (82, 10)] {
        shelf.place(limited(&folder, limit), Since::Fixed(ago(minutes))).unwrap();
    }
    let site = folder.write("site.toml", SITE);
    let world = World::serve(&site, Wish { publication: Some(shelf.clone()), ..Wish::default() }).await;
    world.put(0, ago(12), 80.5);
    let out = folder.0.join("day.orrec");
    let child = Command::new(env!("CARGO_BIN_EXE_orrery"))
        .args(["record", &format!("http://{}/", world.address), out.to_str().unwrap(), "--history", "15min"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // 81 was in force when what is recorded of before began, and 80 was not any more.
    until(&out, |read| numbers(read.manifests()) == [2, 3] && read.began.is_some()).await;
    // Three at once: the stream tells of the last one only.
    for limit in [83, 84, 85] {
        shelf.place(limited(&folder, limit), Since::Clock(wall())).unwrap();
    }
    world.put(0, wall(), 84.5);
    until(&out, |read| numbers(read.manifests()) == [2, 3, 4, 5, 6] && !read.samples.is_empty()).await;
    // Told, and nothing is new: the same again. Then other findings, which are no revision.
    shelf.place(limited(&folder, 85), Since::Clock(wall())).unwrap();
    shelf.note(Some(finding("site.refused"))).unwrap();
    until(&out, |read| numbers(read.manifests()) == [2, 3, 4, 5, 6, 6]).await;
    shelf.note(None).unwrap();
    until(&out, |read| numbers(read.manifests()) == [2, 3, 4, 5, 6, 6, 6]).await;
    assert_eq!(interrupt(child), Some(0));
    world.stop().await;
    let read = recording::read(&out).unwrap();
    assert_eq!(read.remarks, Vec::<String>::new());
    let listed = Revisions::read(shelf.list().unwrap().plain()).unwrap();
    let expected: Vec<_> = listed.as_slice().iter().map(|it| (it.number, it.valid_from)).skip(1).collect();
    let mut held: Vec<_> = read.manifests().map(|it| (it.revision, it.valid_from)).collect();
    held.dedup();
    assert_eq!(held, expected, "each has the number and the instant that it had where it was in force");
    let findings: Vec<usize> = read.manifests().skip(4).map(|manifest| manifest.findings.len()).collect();
    assert_eq!(findings, [findings[0], findings[0] + 1, findings[0]]);

    // 80.5 and 84.5 were too high by some of them.
    let path = out.to_str().unwrap();
    let state = |at: Timestamp, more: &[&str]| -> serde_json::Value {
        let at = at.to_string();
        let args = [&["state", "--recording", path, "--at", &at, "--json"][..], more].concat();
        let (code, said, err) = orrery(&args);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&said).unwrap()
    };
    let pump =
        |json: &serde_json::Value| (json["revision"]["number"].as_u64(), json["twins"][0]["status"].as_str().map(str::to_owned));
    assert_eq!(pump(&state(ago(11), &[])).0, Some(2));
    let (last, by_five) = (expected[4].1, expected[3].1);
    let end = read.extent().unwrap().end;
    assert!(end >= last, "a replay goes on until the last change");
    assert_eq!(pump(&state(end, &[])), (Some(6), Some("normal".into())));
    assert_eq!(pump(&state(by_five, &[])).0, Some(5));
    assert_eq!(pump(&state(ago(11), &["--judge-by", "now"])).0, Some(6));
    let table = folder.0.join("table.csv");
    let to = ago(5).to_string();
    let (code, _, said) = orrery(&["export", "--recording", path, "--to", &to, "-o", table.to_str().unwrap()]);
    assert!(code == 0 && said.contains("signals and units are those of revision 3"), "{said}");
}

#[test]
fn a_file_gets_later_numbers_and_instants_whatever_a_server_says_and_nothing_twice() {
    let folder = Folder::new();
    let path = folder.0.join("x.orrec");
    let mut out = RecordingFile::create(&path).unwrap();
    let as_said = |limit: u32, number: u64, from: i64| {
        let mut made = limited(&folder, limit);
        (made.manifest.revision, made.manifest.valid_from) = (number, at(from));
        made
    };
    let noted = |mut publication: Publication| {
        publication.manifest.findings.push(finding("x").1);
        publication
    };
    // As said by the server, whether it is new, and what is in the file then.
    for (said, new, held) in [
        (as_said(80, 7, 100), true, (7, at(100))),
        (as_said(80, 7, 100), false, (7, at(100))),
        (noted(as_said(80, 7, 100)), true, (7, at(100))),
        (as_said(81, 9, 200), true, (9, at(200))),
        // Started again without a folder: it counts from 1 anew, and is the same plant.
        (as_said(81, 1, 300), false, (9, at(200))),
        (as_said(82, 1, 400), true, (10, at(400))),
        // Its clock was set back.
        (as_said(83, 11, 50), true, (11, at(400) + Span::from_micros(1))),
        (as_said(80, 3, 3), true, (12, at(400) + Span::from_micros(2))),
    ] {
        assert_eq!(out.revision(&said).unwrap(), new, "{held:?}");
        let read = recording::read(&path).unwrap();
        let manifest = read.manifests().last().unwrap();
        assert_eq!(((manifest.revision, manifest.valid_from), read.remarks.len()), (held, 0));
        assert!(manifest.same_plant(&said.manifest));
    }
    let mut without = as_said(85, 20, 900);
    without.pieces.clear();
    assert!(out.revision(&without).unwrap_err().to_string().contains("(model) is not there"));
    // A piece is there once, whoever names it.
    out.revision(&as_said(81, 21, 901)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let pieces = twin_protocol::recording::Records::new(&bytes).unwrap().filter(|it| matches!(it, Record::Piece { .. })).count();
    assert_eq!(pieces, 4);
}

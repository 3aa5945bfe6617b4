//! A recording whose site changed, played: each revision comes into force again when the clock gets to its instant.

use std::path::Path;
use std::sync::Arc;

use gateway::clock::Clock;
use gateway::publish::shelf::Shelf;
use gateway::publisher::{Begun, Looked, Origin, Publisher};
use gateway::recording::{self, Playing, Reading, parse};
use gateway::revisions::folder::Change;
use gateway::site::Site;
use twin_model::{Model, Timestamp, Value};
use twin_protocol::recording::Record;
use twin_protocol::{Batch, Dictionary, ServerFrame, Snapshot};
use twin_publication::{Manifest, Revisions};

use crate::recording_versions::{A_B, LEFT_RIGHT, at, changed, entry, file, frames, loaded, published, revision, site};
use crate::secrets::Program;
use crate::world::{Folder, World, orrery};

/// A recording of two revisions of the tanks: the second from 50 s on, with another limit.
pub(crate) fn two(folder: &Folder) -> Vec<u8> {
    let before = loaded(folder, "before", &site(80.0, LEFT_RIGHT, A_B));
    let after = loaded(folder, "after", &site(90.0, LEFT_RIGHT, A_B));
    let (one, two) = (revision(&before, 1, 0), revision(&after, 2, 50));
    let fresh: Vec<Record> = published(&two).into_iter().filter(|record| !published(&one).contains(record)).collect();
    file(2, &[published(&one), frames(&before), fresh].concat())
}

fn played(bytes: &[u8], origin: Timestamp, speed: f64) -> (Publisher, Arc<Shelf>, Clock) {
    let read = parse(bytes, Reading::Played).unwrap();
    let clock = Clock::replay(origin, speed, read.extent().unwrap().end);
    let shelf = Arc::new(Shelf::default());
    (Publisher::new(Origin::Recording(Box::new(Playing::new(read))), shelf.clone(), clock), shelf, clock)
}

fn in_force(shelf: &Shelf) -> (u64, Vec<u64>) {
    let listed = Revisions::read(shelf.list().unwrap().plain()).unwrap();
    (shelf.now().unwrap().unwrap().told().number, listed.as_slice().iter().map(|it| it.number).collect())
}

#[test]
fn what_is_in_force_in_a_replay_is_what_was_at_the_instant_that_its_clock_shows() {
    let folder = Folder::new();
    let bytes = two(&folder);
    // The change comes behind the last sample, at 32 s.
    assert_eq!(parse(&bytes, Reading::Played).unwrap().extent().unwrap().end, at(50));
    for (origin, expected) in
        [(-9, (1, vec![1])), (30, (1, vec![1])), (49, (1, vec![1])), (50, (2, vec![1, 2])), (99, (2, vec![1, 2]))]
    {
        let (mut publisher, shelf, _) = played(&bytes, at(origin), 1e-9);
        assert_eq!((publisher.begin(), publisher.look()), (Begun::Kept, Looked::Same));
        assert_eq!(in_force(&shelf), expected, "at {origin}");
        let earlier = shelf.manifest(1).unwrap();
        assert_eq!(Manifest::read(earlier.plain()).unwrap().valid_from, at(0));
    }
    // One of version 1 is compiled.
    let old = loaded(&folder, "old", &site(80.0, LEFT_RIGHT, A_B));
    let bytes = file(1, &[crate::recording_versions::old(&old), frames(&old)].concat());
    let (mut publisher, shelf, _) = played(&bytes, at(30), 1e-9);
    assert_eq!((publisher.begin(), publisher.look()), (Begun::Compiled(Change::Revision), Looked::Same));
    assert_eq!(in_force(&shelf), (1, vec![1]));
}

#[tokio::test]
async fn viewers_of_a_replay_are_told_when_its_clock_gets_to_a_change() {
    let folder = Folder::new();
    let bytes = two(&folder);
    let (publisher, shelf, clock) = played(&bytes, at(30), 10.0);
    let text = site(80.0, LEFT_RIGHT, A_B);
    let little = loaded(&folder, "served", &text);
    let world = World::with_publication(&little, shelf.clone()).await;
    let mut viewer = world.client(None).await;
    let publishing = publisher.start(world.hub.vitals());
    let told = viewer.until(|frame| match frame {
        ServerFrame::Revision(revision) if revision.number == 2 => Some(revision),
        _ => None,
    });
    assert_eq!(told.await.valid_from, at(50));
    assert!(clock.now() >= at(50), "not before its time");
    assert_eq!(in_force(&shelf), (2, vec![1, 2]));
    drop(publishing);
    world.stop().await;
}

/// The tanks, one of them with a level only where it is said.
fn tanks(folder: &Folder, name: &str, twins: [&str; 2], unit: &str) -> Site {
    loaded(folder, name, &site(80.0, twins, A_B).replace("unit = \"%\"", &format!("unit = \"{unit}\"")))
}

fn said(model: &Model, seq: u64, entries: Vec<twin_protocol::Entry>) -> Vec<Record> {
    let frames = [
        ServerFrame::Dictionary(Dictionary::of(model)),
        ServerFrame::Snapshot(Snapshot { seq, at: entries[0].sample.received_time, entries: Vec::new() }),
        ServerFrame::Batch(Batch { seq: seq + 1, entries }),
    ];
    frames.into_iter().map(Record::Frame).collect()
}

#[test]
fn what_only_an_earlier_revision_has_is_played_and_what_is_of_another_plant_is_not() {
    let folder = Folder::new();
    let sites = [
        tanks(&folder, "litres", ["left", "right"], "l"),
        tanks(&folder, "two", ["left", "right"], "%"),
        tanks(&folder, "others", ["third", "right"], "%"),
        tanks(&folder, "last", ["fourth", "third"], "%"),
    ];
    let mut records = Vec::new();
    for (number, site) in (1..).zip(&sites) {
        let made = revision(site, number, number as i64 * 100);
        records.extend(published(&made).into_iter().filter(|record| !records.contains(record)).collect::<Vec<_>>());
        let s = number as i64 * 100 + 1;
        records.extend(said(&site.loaded.model, number * 10, vec![entry(0, s, s as f64), entry(1, s, -s as f64)]));
    }
    let bytes = file(2, &records);
    let read = parse(&bytes, Reading::Played).unwrap();
    let id = |signal| read.model().signal(signal).id.as_str();
    let played: Vec<_> = read.samples.iter().map(|(signal, sample)| (id(*signal), sample.value.clone())).collect();
    let signal = |id, value| (id, Value::Float(value));
    assert_eq!(
        played,
        [
            // By its id; what it was in other units is a person's guess, as with any change of a site.
            signal("left.level", 101.0),
            signal("right.level", -101.0),
            signal("left.level", 201.0),
            signal("right.level", -201.0),
            signal("third.level", 301.0),
            signal("right.level", -301.0),
            signal("fourth.level", 401.0),
            signal("third.level", -401.0),
        ]
    );
    assert_eq!(read.remarks.len(), 1, "{:?}", read.remarks);
    assert!(read.remarks[0].contains("signal 'left.level' has another unit"), "{:?}", read.remarks);
    // The newest one's signals have the numbers that they have in it.
    let newest = &sites[3].loaded.model;
    assert!(newest.signal_indices().all(|at| read.model().signal(at) == newest.signal(at)));
    let (mut publisher, shelf, _) = self::played(&bytes, at(0), 1e-9);
    publisher.begin();
    assert_eq!(in_force(&shelf), (2, vec![2]), "before the first that can be played it is the best that is known");
    // Sources in other places.
    let (_, _, bytes) = changed(&folder);
    let read = parse(&bytes, Reading::Played).unwrap();
    assert!(read.remarks.len() == 1 && read.remarks[0].contains("in the place of source 'a'"), "{:?}", read.remarks);
    let (mut publisher, shelf, _) = self::played(&bytes, at(0), 1e-9);
    publisher.begin();
    assert_eq!(in_force(&shelf), (2, vec![2]));
}

#[test]
fn a_plant_of_which_nothing_came_changes_in_its_replay_all_the_same() {
    let folder = Folder::new();
    let sites = [80.0, 90.0].map(|high| loaded(&folder, &format!("{high}"), &site(high, LEFT_RIGHT, A_B)));
    let [one, two] = [revision(&sites[0], 1, 0), revision(&sites[1], 2, 50)].map(|made| published(&made));
    let began = Record::Frame(ServerFrame::KeepAlive { server_time: at(20) });
    let bytes = file(2, &[one.clone(), vec![began.clone()], two].concat());
    let extent = parse(&bytes, Reading::Played).unwrap().extent().unwrap();
    assert_eq!((extent.start, extent.end), (at(20), at(50)));
    // Nothing ever happens in one that does not change.
    assert_eq!(parse(&file(2, &[one, vec![began]].concat()), Reading::Played).unwrap().extent(), None);
}

#[test]
fn a_replay_and_a_recording_of_it_hold_all_revisions_that_were_in_force() {
    let folder = Folder::new();
    let first = folder.write("first.orrec", two(&folder)).display().to_string();
    let second = folder.0.join("second.orrec");
    let replay = Program::serve(&["replay", &first, "--speed", "max"], &[]);
    let (code, _, err) = orrery(&["record", &replay.address, second.to_str().unwrap(), "--for", "1s"]);
    assert_eq!(code, 0, "{err}");
    replay.until("revision 2 is in force, as it was recorded, valid from 2026-03-02T08:15:54Z");
    replay.stop();
    let (one, two) = (recording::read(Path::new(&first)).unwrap(), recording::read(&second).unwrap());
    assert!(one.manifests().eq(two.manifests()) && one.manifests().count() == 2);
}

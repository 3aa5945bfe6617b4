//! Recordings that somebody cut or changed: words, or a plant that holds together.

use std::sync::Arc;

use gateway::clock::Clock;
use gateway::publish::shelf::Shelf;
use gateway::publisher::{Begun, Origin, Publisher};
use gateway::recording::{Playing, Reading, Recording, parse};
use twin_model::Timestamp;
use twin_protocol::recording::{Records, file_header_of};

use crate::recording_played::two;
use crate::recording_versions::{at, changed, file, frames, old};
use crate::world::Folder;

/// A recording with some bytes of its payloads changed and its checksums made right again.
fn spoilt(bytes: &[u8], seed: u64) -> Vec<u8> {
    let version = Records::new(bytes).unwrap().version();
    let mut out = file_header_of(version);
    let (mut rest, mut state) = (&bytes[out.len()..], seed | 1);
    while let Some((head, tail)) = rest.split_first_chunk::<9>() {
        let size = u32::from_le_bytes(head[1..5].try_into().unwrap()) as usize;
        let mut payload = tail[..size].to_vec();
        for _ in 0..2 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state % 3 == 0 && !payload.is_empty() {
                let place = (state >> 8) as usize % payload.len();
                payload[place] ^= 1 << (state % 8);
            }
        }
        let mut sum = crc32fast::Hasher::new();
        sum.update(&head[..1]);
        sum.update(&payload);
        out.push(head[0]);
        out.extend((payload.len() as u32).to_le_bytes());
        out.extend(sum.finalize().to_le_bytes());
        out.extend(payload);
        rest = &tail[size..];
    }
    out
}

fn sound(bytes: &[u8]) {
    for reading in [Reading::At(at(40)), Reading::Played] {
        let read = match parse(bytes, reading) {
            Ok(read) => read,
            Err(why) => return assert!(!why.is_empty()),
        };
        let signals = read.model().signals().len();
        assert!(read.samples.iter().all(|(signal, _)| signal.at() < signals));
        assert!(read.links.iter().all(|link| (link.source as usize) < read.model().sources().len()));
        // A site that is spoilt may be one that can't be published: words again.
        let Ok(publication) = read.publication(at(0)) else { return };
        for (_, piece) in publication.manifest.pieces() {
            piece.check(&publication.pieces[&piece.hash]).unwrap();
        }
        let newest = read.manifest().map_or(1, |manifest| manifest.revision);
        if matches!(reading, Reading::Played) {
            assert!(read.extent().is_none_or(|extent| extent.start <= extent.end));
            let shelf = played_to_its_end(read);
            assert_eq!(shelf.now().unwrap().unwrap().told().number, newest);
        }
    }
}

/// What is in force at the end of a replay.
fn played_to_its_end(read: Recording) -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::default());
    // In the year 9892, which calendars have.
    let end = Timestamp::from_secs(250_000_000_000);
    let origin = Origin::Recording(Box::new(Playing::new(read)));
    let mut publisher = Publisher::new(origin, shelf.clone(), Clock::replay(end, 1.0, end));
    assert_ne!(publisher.begin(), Begun::Failed);
    shelf
}

#[test]
fn whatever_is_cut_or_changed_a_recording_is_words_or_a_plant_whose_pieces_have_their_names() {
    let folder = Folder::new();
    let (before, _, bytes) = changed(&folder);
    let old = file(1, &[old(&before), frames(&before)].concat());
    for bytes in [&bytes, &two(&folder), &old] {
        for cut in (0..bytes.len()).step_by(7) {
            sound(&bytes[..cut]);
        }
        for seed in 1..400 {
            sound(&spoilt(bytes, seed * 0x9E37_79B9));
        }
    }
}

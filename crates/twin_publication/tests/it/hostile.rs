//! Bytes of an enemy: changed, cut, nested, repeated. Nothing panics, and what is taken in is whole.

use proptest::prelude::*;

use crate::corpus::{publication_manifest, publication_model};
use crate::plants::{Dice, cases, viewer};
use twin_publication::{PieceHash, ViewerModel};

/// Changes some bytes: others, fewer, more, pieces of itself.
fn spoil(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(5) {
            0 => bytes.truncate(at),
            1 => {
                let end = (at + dice.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            2 => {
                let end = (at + dice.below(60)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = dice.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            3 => {
                let word = [&b"-1"[..], b"4294967295", b"1e999", b"null", b"[[[[", b"{}", b"\"NaN\"", b"\\ud800", b"\xff"];
                bytes.splice(at..at, word[dice.below(word.len())].iter().copied());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = dice.roll() as u8;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn a_spoilt_model_is_refused_in_words_or_is_a_whole_one(seed in any::<u64>()) {
        let mut bytes = viewer(seed).write().unwrap();
        spoil(&mut bytes, &mut Dice(seed));
        publication_model::check(&bytes);
    }

    #[test]
    fn a_spoilt_manifest_is_refused_in_words_or_is_a_whole_one(seed in any::<u64>()) {
        let hash = PieceHash::of(b"x");
        let mut bytes = format!(
            "{{\"format\":\"orrery.publication\",\"version\":1,\"site\":{{\"id\":\"s\",\"name\":\"S\"}},\"revision\":2,\
             \"valid_from\":\"2026-03-02T08:15:04.000000Z\",\"model\":{{\"sha256\":\"{hash}\",\"bytes\":1}},\
             \"scene\":{{\"index\":{{\"sha256\":\"{hash}\",\"bytes\":1}},\"geometry\":[{{\"sha256\":\"{hash}\",\"bytes\":1}}]}},\
             \"live\":\"https://x/\",\"findings\":[{{\"severity\":\"info\",\"code\":\"c\",\"message\":\"m\",\"line\":3}}]}}"
        ).into_bytes();
        publication_manifest::check(&bytes);
        spoil(&mut bytes, &mut Dice(seed));
        publication_manifest::check(&bytes);
    }
}

#[test]
fn every_prefix_of_a_model_is_refused() {
    let large = (0..).map(|seed| viewer(seed).write().unwrap()).find(|bytes| bytes.len() > 2_000);
    let bytes = large.unwrap();
    for end in 0..bytes.len() {
        assert!(ViewerModel::read(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_deep_nest_is_refused_before_the_stack_ends() {
    for (open, shut) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = open.repeat(200_000) + "1" + &shut.repeat(200_000);
        for text in [deep.clone(), format!("{{\"format\":\"orrery.model\",\"version\":1,\"new\":{deep}}}")] {
            assert!(ViewerModel::read(text.as_bytes()).is_err());
        }
    }
}

#[test]
fn a_list_beyond_its_bound_is_refused_while_it_is_read() {
    let row = "{\"above\":1,\"status\":\"failure\"}";
    let bands = |n: usize| {
        let bands = vec![row; n].join(",");
        format!(
            "{{\"format\":\"orrery.model\",\"version\":1,\"site\":{{\"id\":\"\",\"name\":\"\",\"time_zone\":\"\"}},\"twins\":[{{\"id\":\"t\"}}],\
             \"signals\":[{{\"twin\":0,\"name\":\"x\"}}],\"rules\":[{{\"id\":\"r\",\"signal\":0,\"kind\":\"range\",\"bands\":[{bands}]}}]}}"
        )
    };
    assert!(ViewerModel::read(bands(twin_model::MAX_BANDS).as_bytes()).is_ok());
    let error = ViewerModel::read(bands(twin_model::MAX_BANDS + 1).as_bytes()).unwrap_err().to_string();
    assert!(error.contains("more than 32 entries"), "{error}");
}

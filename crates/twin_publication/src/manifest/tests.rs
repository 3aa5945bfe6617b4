//! Tests of the manifest: what comes back, what is refused, and in which words.

use super::*;

fn piece(text: &str) -> PieceRef {
    PieceRef::of(text.as_bytes())
}

fn finding(line: u32) -> Finding {
    Finding {
        severity: "warning".into(),
        code: "twin.unbound".into(),
        subject: "pump-01".into(),
        message: "twin 'pump-01' has no node in any model".into(),
        help: "bind it".into(),
        file: "site.toml".into(),
        line,
    }
}

fn full() -> Manifest {
    Manifest {
        site: SiteName { id: "hall".into(), name: "Halle \u{201e}Süd\u{201c}\n".into() },
        revision: 3,
        valid_from: Timestamp::from_secs(1_772_439_304),
        model: piece("model"),
        scene: Some(Scene {
            index: piece("index"),
            geometry: vec![piece("cell 0"), piece("cell 1"), piece("coarse")],
            images: vec![piece("image"), piece("image")],
            first: vec![0, 2],
        }),
        assets: vec![Asset { name: "manual.pdf".into(), media_type: "application/pdf".into(), piece: piece("pdf") }],
        history: Some(piece("catalogue")),
        live: Some("https://plant.example:7077/".into()),
        findings: vec![finding(12)],
    }
}

fn little() -> Manifest {
    Manifest { scene: None, assets: Vec::new(), history: None, live: None, findings: Vec::new(), ..full() }
}

#[test]
fn a_manifest_comes_back_as_it_was_and_equal_ones_have_equal_bytes() {
    for manifest in [full(), little()] {
        let bytes = manifest.write().unwrap();
        assert_eq!(Manifest::read(&bytes).unwrap(), manifest);
        assert_eq!(manifest.clone().write().unwrap(), bytes);
        let blanks = bytes.iter().filter(|b| b"\t\r\n".contains(b)).count();
        assert_eq!(blanks, 0, "no blanks between fields");
    }
}

#[test]
fn what_later_writers_add_is_passed_over() {
    let text = String::from_utf8(full().write().unwrap()).unwrap();
    let more = text
        .replacen("{\"format\"", "{\"poster\":{\"a\":[1,{}]},\"format\"", 1)
        .replace("\"line\":12", "\"line\":12,\"column\":7");
    assert_ne!(more, text);
    assert_eq!(Manifest::read(more.as_bytes()).unwrap(), full());
}

#[test]
fn a_later_version_is_refused_with_what_to_do_even_where_nothing_else_is_as_it_was() {
    for text in
        ["{\"format\":\"orrery.publication\",\"version\":2}", "{\"version\":7,\"site\":3,\"format\":\"orrery.publication\"}"]
    {
        let error = Manifest::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error, PublicationError::Newer { known: 1, .. }), "{error}");
        assert!(error.to_string().contains("Reload the page"), "{error}");
    }
}

#[test]
fn what_is_no_manifest_is_told_apart_from_a_damaged_one() {
    let bytes = full().write().unwrap();
    for (bytes, words) in [
        (&b"{\"format\":\"orrery.model\",\"version\":1}"[..], "its format is 'orrery.model'"),
        (b"{}", "its format is ''"),
        (b"<!doctype html>", "can't be read"),
        (b"", "can't be read"),
        (b"null", "can't be read"),
        (&bytes[..bytes.len() - 1], "can't be read"),
        (b"{\"format\":\"orrery.publication\",\"version\":0}", "no version 0"),
    ] {
        let error = Manifest::read(bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn every_prefix_of_a_manifest_is_refused_in_words() {
    let bytes = full().write().unwrap();
    for end in 0..bytes.len() {
        assert!(!Manifest::read(&bytes[..end]).unwrap_err().to_string().is_empty());
    }
}

#[test]
fn a_hostile_text_is_not_repeated_as_a_whole() {
    let long = "x".repeat(1 << 20);
    for text in
        [format!("{{\"format\":\"{long}\"}}"), format!("{{\"format\":\"orrery.publication\",\"version\":1,\"site\":\"{long}\"}}")]
    {
        let error = Manifest::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.len() < 1_000, "{}", error.len());
    }
}

#[test]
fn a_live_address_has_no_place_for_a_secret() {
    for (live, good) in [
        ("https://plant.example/", true),
        ("http://10.1.2.3:7077", true),
        ("https://ann:pw@plant.example/", false),
        ("https://plant.example/?token=x", false),
        ("https://plant.example/#x", false),
        ("javascript:alert(1)", false),
        ("//plant.example", false),
        ("https://", false),
        ("https:///x", false),
        ("https://plant.example/\nx", false),
    ] {
        let manifest = Manifest { live: Some(live.into()), ..little() };
        assert_eq!(manifest.write().is_ok(), good, "{live}");
        // And a reader trusts no writer.
        let text = String::from_utf8(little().write().unwrap()).unwrap();
        let with = text.trim_end_matches('}').to_owned() + "},\"live\":" + &serde_json::to_string(live).unwrap() + "}";
        assert_eq!(Manifest::read(with.as_bytes()).is_ok(), good, "{with}");
    }
}

#[test]
fn what_is_too_much_is_refused_by_writer_and_reader_alike() {
    let many = Manifest { findings: vec![finding(1); FINDINGS + 1], ..little() };
    assert!(matches!(many.write(), Err(PublicationError::TooMany { what: "findings", .. })));
    let most = Manifest { findings: vec![finding(1); FINDINGS], ..little() };
    let bytes = most.write().unwrap();
    assert_eq!(Manifest::read(&bytes).unwrap(), most);
    let text = String::from_utf8(bytes).unwrap();
    let row = serde_json::to_string(&finding(1)).unwrap();
    let more = text.replacen(&row, &format!("{row},{row}"), 1);
    assert!(Manifest::read(more.as_bytes()).is_err());
    let long = Manifest { site: SiteName { id: "x".repeat(5_000), name: String::new() }, ..little() };
    assert!(long.write().unwrap_err().to_string().starts_with("site.id: "));
    let mut wordy = finding(1);
    wordy.message = "x".repeat(FINDING_BYTES + 1);
    assert!(Manifest { findings: vec![wordy], ..little() }.write().is_err());
    assert!(Manifest { revision: 0, ..little() }.write().is_err());
    assert!(Manifest { valid_from: Timestamp::MAX, ..little() }.write().is_err());
}

#[test]
fn a_full_scene_of_the_largest_size_is_written_and_read() {
    let geometry = vec![PieceRef { bytes: u64::MAX / 1_000_000_000, ..piece("x") }; GEOMETRY];
    let scene = Scene { index: piece("i"), geometry, images: vec![piece("p"); IMAGES], first: (0..GEOMETRY as u32).collect() };
    let manifest = Manifest { scene: Some(scene), findings: vec![finding(9); FINDINGS], ..full() };
    assert_eq!(Manifest::read(&manifest.write().unwrap()).unwrap(), manifest);
}

#[test]
fn pieces_come_with_their_kinds_in_the_order_of_the_document() {
    let kinds: Vec<&str> = full().pieces().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["model", "scene_index", "geometry", "geometry", "geometry", "image", "image", "asset", "history"]);
    assert_eq!(full().pieces().nth(2).unwrap().1, piece("cell 0"));
}

#[test]
fn a_plant_is_the_same_whatever_is_said_about_it() {
    let other =
        Manifest { revision: 9, valid_from: Timestamp::MIN, findings: vec![finding(13)], live: None, history: None, ..full() };
    assert!(full().same_plant(&other));
    for other in [
        Manifest { model: piece("x"), ..full() },
        Manifest { scene: None, ..full() },
        Manifest { assets: Vec::new(), ..full() },
        Manifest { site: SiteName { id: "x".into(), name: "x".into() }, ..full() },
    ] {
        assert!(!full().same_plant(&other));
    }
}

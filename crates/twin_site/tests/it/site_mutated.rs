//! Site files that somebody, or something, has damaged: no panic, bounded findings, and the rest still loads.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use proptest::prelude::*;
use twin_site::LoadedSite;
use twin_site::check::check;

const SEEDS: [&str; 4] = [
    include_str!("../../../../tests/fixtures/cookie-factory/site.toml"),
    include_str!("../../../../tests/fixtures/duplex/site.toml"),
    include_str!("../../../../tests/fixtures/skab/site.toml"),
    include_str!("../../../../docs/SITE.md"),
];

fn text(seed: usize) -> String {
    let text = SEEDS[seed % SEEDS.len()];
    if text.starts_with("# The site file") {
        return text.split("```toml site\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    }
    text.to_owned()
}

fn entities(path: &str) -> Result<Vec<u8>, String> {
    match path.rsplit('/').next() {
        Some("entities.json") => Ok(br#"{"entities": [{"entityId": "e", "components": {"A": {"componentTypeId": "t",
            "properties": {"telemetryAssetId": {"value": {"stringValue": "x"}}}}}}]}"#
            .to_vec()),
        _ => Err("not here".to_owned()),
    }
}

fn survives(bytes: &[u8]) -> LoadedSite {
    let site = twin_site::load_bytes(bytes, "site.toml", &mut entities);
    assert!(site.diagnostics.len() <= twin_site::diag::MAX_DIAGNOSTICS + 1);
    let lines = u32::try_from(bytes.iter().filter(|byte| **byte == b'\n').count()).unwrap() + 1;
    for finding in &site.diagnostics {
        assert!(&*finding.at.file != "site.toml" || finding.at.line <= lines, "{finding}");
        assert!(!finding.message.is_empty());
    }
    assert!(check(&site, &[]).exit_code() <= 2);
    site
}

/// Texts that mean something in a site file, to be put where they do not belong.
const SPLICES: [&str; 24] = [
    "[[twins]]\n",
    "id = \"pump\"\n",
    "\"",
    "'''",
    "{",
    "}",
    "[",
    "]",
    "=",
    "\n",
    "nan",
    "-9223372036854775808",
    "1e999",
    "\u{0}",
    "false",
    "parent = \"x\"\n",
    "{twin}",
    "**/",
    "remove = true\n",
    "extends = \"machine\"\n",
    "2026-01-01",
    "\u{fffd}",
    "[site]\n",
    "\"\\u0000\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn flipped_cut_and_doubled_bytes_never_panic(
        seed in 0..4_usize,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        length in 0..400_usize,
        double in any::<bool>(),
    ) {
        let mut bytes = text(seed).into_bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let from = cut.index(bytes.len());
        let to = (from + length).min(bytes.len());
        if double {
            let piece = bytes[from..to].to_vec();
            bytes.splice(from..from, piece);
        } else {
            bytes.drain(from..to);
        }
        survives(&bytes);
    }

    #[test]
    fn words_in_the_wrong_place_never_panic(
        seed in 0..4_usize,
        splices in proptest::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&SPLICES[..])), 1..4),
    ) {
        let text = text(seed);
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (at, piece) in splices {
            let at = at.index(lines.len());
            lines.insert(at, piece);
        }
        survives(lines.concat().as_bytes());
    }

    #[test]
    fn lines_in_another_order_never_panic(seed in 0..4_usize, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let text = text(seed);
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (a, b) = (a.index(lines.len()), b.index(lines.len()));
        lines.swap(a, b);
        survives(lines.concat().as_bytes());
    }

    #[test]
    fn values_of_another_type_are_reported_and_the_rest_loads(line in any::<prop::sample::Index>(), value in prop::sample::select(&["7", "-1.5", "true", "\"x\"", "[]", "{}", "[{}]", "\"\"", "2026-01-01T00:00:00Z"][..])) {
        let text = text(3);
        let lines: Vec<&str> = text.lines().collect();
        let plain: Vec<usize> = (0..lines.len()).filter(|at| {
            let line = lines[*at];
            line.contains(" = ") && !line.starts_with(' ') && !line.ends_with(['[', '{'])
        }).collect();
        let at = plain[line.index(plain.len())];
        let (key, _) = lines[at].split_once(" = ").unwrap();
        let changed = format!("{key} = {value}");
        let mut lines = lines.clone();
        lines[at] = &changed;
        let site = survives(lines.join("\n").as_bytes());
        prop_assert!(site.usable, "{}", changed);
    }
}

#[test]
fn bombs_are_defused() {
    let deep = format!("[site]\nid = \"s\"\n[view]\nchart = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    survives(deep.as_bytes());
    survives(format!("a{} = 1\n", ".a".repeat(100_000)).as_bytes());
    let chain: String = (0..3_000).map(|n| format!("[[interfaces]]\nid = \"i{n}\"\nextends = \"i{}\"\n", n + 1)).collect();
    survives(format!("[site]\nid = \"s\"\n{chain}[[twins]]\nid = \"t\"\ninterface = \"i0\"\n").as_bytes());
    let misspelt: String = (0..20_000).map(|n| format!("[[twins]]\nid = \"twin-{n}\"\nparent = \"twin_{n}\"\n")).collect();
    let site = survives(format!("[site]\nid = \"s\"\n{misspelt}").as_bytes());
    assert_eq!(site.model.twins().len(), 20_000);
    let many =
        |table: &str, rest: &str| -> String { (0..30_000).map(|n| format!("[[{table}]]\nid = \"x{n}\"\n{rest}")).collect() };
    for (table, rest) in [
        ("models", "path = \"a.glb\"\ntwin = \"y\"\n"),
        ("sources", "kind = \"websocket\"\n"),
        ("knobs", "min = 0\nmax = 1\ntargets = [{ set = \"a.b\" }]\n"),
        ("interfaces", "extends = \"x29999\"\n"),
        ("twins", "interface = \"i\"\nparent = \"x1\"\nbind = { name = \"n\" }\n"),
    ] {
        survives(format!("[site]\nid = \"s\"\n{}", many(table, rest)).as_bytes());
    }
}

//! Which keys win, what is ambiguous, what is inherited.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use twin_model::TwinIndex;

use super::*;
use crate::{LoadedSite, load};
use twin_scene::geometry::Look;

const DRAWN: NodeRef<'static> = NodeRef {
    name: None,
    mesh_name: None,
    path: "",
    alias: None,
    parent: None,
    extras: None,
    mesh_extras: None,
    has_mesh: false,
    look: Look::Drawn,
};

/// Nodes as `(path, extras)`; parents follow from the paths.
struct Nodes {
    paths: Vec<String>,
    extras: Vec<Json>,
}

impl Nodes {
    fn new(nodes: &[(&str, Json)]) -> Self {
        Self {
            paths: nodes.iter().map(|(path, _)| (*path).to_owned()).collect(),
            extras: nodes.iter().map(|(_, extras)| extras.clone()).collect(),
        }
    }

    fn list(&self, asset: usize) -> AssetNodes<'_> {
        let parent = |path: &str| {
            let (above, _) = path.rsplit_once('/')?;
            self.paths.iter().position(|other| other == above).and_then(|at| u32::try_from(at).ok())
        };
        let nodes = self.paths.iter().zip(&self.extras).map(|(path, extras)| {
            let name = path.rsplit('/').next().filter(|name| !name.starts_with('#'));
            NodeRef { name, path, parent: parent(path), extras: Some(extras), has_mesh: true, ..DRAWN }
        });
        AssetNodes { asset, nodes: nodes.collect() }
    }
}

fn site(twins: &[&str], rest: &str) -> LoadedSite {
    let twins: String = twins.iter().map(|id| format!("[[twins]]\nid = \"{id}\"\n")).collect();
    let text = format!(
        "[site]\nid = \"s\"\n[[models]]\nid = \"m\"\npath = \"m.glb\"\nbackground = [\"floor/**\"]\n[[models]]\nid = \"n\"\npath = \"n.glb\"\n{twins}{rest}"
    );
    let site = load(&text, "site.toml", &mut |_| Err("none".into()));
    assert!(site.diagnostics.is_empty(), "{:?}", site.diagnostics);
    site
}

fn hall() -> Nodes {
    Nodes::new(&[
        ("hall", json!({})),
        ("hall/pump-1", json!({ "tag": "P1", "no": 1 })),
        ("hall/pump-1/motor", json!({})),
        ("hall/pump-1/motor/#3", json!({})),
        ("hall/pump-2", json!({ "tag": "P2", "no": 2.0, "GlobalId": "2O2Fr$t4X7Zf8NOew3FNtn" })),
        ("hall/pump-2/motor", json!({})),
        ("floor", json!({})),
        ("floor/tile", json!({})),
    ])
}

/// Twin names per node of `hall()` in model `m`, `-` for none, and the codes of all problems.
fn check(twins: &[&str], bindings: &str, expected: [&str; 8], codes: &[&str]) -> BindReport {
    let site = site(twins, bindings);
    let hall = hall();
    let other = Nodes::new(&[]);
    let report = site.bind(&[hall.list(0), other.list(1)]);
    let name = |twin: &Option<TwinIndex>| twin.map_or("-".to_owned(), |twin| site.model.twin(twin).id.to_string());
    let found: Vec<String> = report.lists[0].twins.iter().map(name).collect();
    assert_eq!(found, expected, "{:?}", report.problems);
    assert_eq!(report.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), codes, "{:?}", report.problems);
    report
}

fn bind(twin: &str, keys: &str) -> String {
    format!("[[bindings]]\ntwin = \"{twin}\"\n{keys}\n")
}

const NONE: [&str; 8] = ["-"; 8];
const P1: [&str; 8] = ["-", "a", "a", "a", "-", "-", "-", "-"];
const P2: [&str; 8] = ["-", "-", "-", "-", "a", "a", "-", "-"];

#[test]
fn every_kind_of_key_finds_its_node_and_all_below() {
    check(&["a"], &bind("a", "node = \"hall/pump-1\""), P1, &[]);
    check(&["a"], &bind("a", "name = \"pump-1\""), P1, &[]);
    check(&["a"], &bind("a", "glob = \"**/pump-1\""), P1, &[]);
    check(&["a"], &bind("a", "extras = { tag = \"P1\" }"), P1, &[]);
    check(&["a"], &bind("a", "extras = { tag = \"P2\", no = 2 }"), P2, &[]);
    check(&["a"], &bind("a", "global_id = \"2O2Fr$t4X7Zf8NOew3FNtn\""), P2, &[]);
    check(&["a"], &bind("a", "model = \"m\""), ["a"; 8], &[]);
}

#[test]
fn a_nearer_binding_wins_over_an_inherited_one() {
    let two = bind("a", "node = \"hall\"") + &bind("b", "node = \"hall/pump-1/motor\"");
    check(&["a", "b"], &two, ["a", "a", "b", "b", "a", "a", "-", "-"], &[]);
}

#[test]
fn a_more_exact_key_wins_over_a_vaguer_one_on_the_same_node() {
    let two = bind("b", "glob = \"hall/pump-*\"") + &bind("a", "name = \"pump-1\"");
    check(&["a", "b"], &two, ["-", "a", "a", "a", "b", "b", "-", "-"], &[]);
}

#[test]
fn a_name_that_fits_twice_binds_nothing_and_says_so() {
    let report = check(&["a"], &bind("a", "name = \"motor\""), NONE, &["binding.ambiguous"]);
    let message = &report.problems[0].message;
    assert!(message.contains("fits 2 nodes: m:hall/pump-1/motor, m:hall/pump-2/motor"), "{message}");
    assert_eq!(report.problems[0].at.line, 12);
}

#[test]
fn a_second_key_settles_what_the_first_leaves_open() {
    let both = bind("a", "name = \"motor\"\nglob = \"hall/pump-2/**\"");
    check(&["a"], &both, ["-", "-", "-", "-", "-", "a", "-", "-"], &[]);
}

#[test]
fn keys_that_disagree_are_outvoted_or_ambiguous() {
    let majority = bind("a", "node = \"hall/old\"\nname = \"pump-2\"\nextras = { tag = \"P2\" }");
    check(&["a"], &majority, P2, &["binding.outdated"]);
    let tie = bind("a", "name = \"pump-1\"\nextras = { tag = \"P2\" }");
    check(&["a"], &tie, NONE, &["binding.ambiguous"]);
}

#[test]
fn two_twins_with_equal_right_leave_the_node_unbound() {
    let two = bind("a", "name = \"pump-1\"") + &bind("b", "name = \"pump-1\"");
    let report = check(&["a", "b"], &two, NONE, &["binding.conflict"]);
    assert!(report.problems[0].message.contains("'a' and 'b' both claim node 'hall/pump-1'"), "{:?}", report.problems);
    let same = bind("a", "name = \"pump-1\"") + &bind("a", "name = \"pump-1\"");
    check(&["a"], &same, P1, &[]);
}

#[test]
fn a_binding_that_finds_nothing_suggests_a_similar_node() {
    let report = check(&["a"], &bind("a", "node = \"hall/pmup-1\""), NONE, &["binding.dangling"]);
    assert_eq!(report.problems[0].help, "did you mean 'hall/pump-1'?");
    check(&["a"], &bind("a", "model = \"n\"\nname = \"pump-1\""), NONE, &["binding.dangling"]);
}

#[test]
fn background_is_not_reported_as_unbound() {
    let report = check(&["a"], &bind("a", "node = \"hall\""), ["a", "a", "a", "a", "a", "a", "-", "-"], &[]);
    assert!(report.unbound_nodes.is_empty(), "{:?}", report.unbound_nodes);
    assert_eq!((report.bound_nodes(), report.bound_twins()), (6, 1));
}

#[test]
fn twins_without_nodes_are_listed_unless_that_is_meant() {
    let site = site(&["a", "b"], "bind = false\n");
    let report = site.bind(&[hall().list(0)]);
    assert_eq!(report.unbound_twins, [TwinIndex(0)]);
    assert_eq!(report.unbound_nodes.len(), 6);
}

#[test]
fn bindings_into_a_model_that_could_not_be_read_are_not_reported_one_by_one() {
    let site = site(&["a"], &bind("a", "name = \"pump-1\""));
    assert!(site.bind(&[]).problems.is_empty());
}

#[test]
fn parents_that_go_in_a_circle_end() {
    let site = site(&["a"], &bind("a", "name = \"x\""));
    let node = |name, parent| NodeRef { name: Some(name), path: name, parent: Some(parent), has_mesh: true, ..DRAWN };
    let nodes = vec![node("x", 1), node("y", 0), node("z", 2), node("w", 99)];
    let report = site.bind(&[AssetNodes { asset: 0, nodes }, AssetNodes { asset: 1, nodes: vec![] }]);
    assert_eq!(report.lists[0].twins, [Some(TwinIndex(0)), Some(TwinIndex(0)), None, None]);
}

#[test]
fn a_hundred_thousand_nodes_and_ten_thousand_bindings_are_looked_up_not_searched() {
    let paths: Vec<String> = (0..100_000).map(|n| format!("site/area-{}/unit-{n}", n / 100)).collect();
    let nodes: Vec<NodeRef<'_>> =
        paths.iter().map(|path| NodeRef { name: path.rsplit('/').next(), path, has_mesh: true, ..DRAWN }).collect();
    let twins: Vec<String> = (0..10_000).map(|n| format!("t{n}")).collect();
    let mut rest = String::new();
    for n in 0..10_000 {
        rest += &match n % 3 {
            0 => bind(&format!("t{n}"), &format!("glob = \"**/unit-{n}\"")),
            1 => bind(&format!("t{n}"), &format!("glob = \"site/*/unit-{n}?\"")),
            _ => bind(&format!("t{n}"), &format!("name = \"unit-{}\"", 50_000 + n)),
        };
    }
    let twins: Vec<&str> = twins.iter().map(String::as_str).collect();
    let site = site(&twins, &rest);
    let report = site.bind(&[AssetNodes { asset: 0, nodes }]);
    assert!(report.bound_nodes() > 20_000, "{}", report.bound_nodes());
}

/// How many of the nodes with these `no` the binding finds.
fn found(wanted: &str, values: &[Json]) -> usize {
    let paths: Vec<String> = (0..values.len()).map(|at| format!("n{at}")).collect();
    let extras = values.iter().map(|value| json!({ "no": value })).collect();
    let nodes = Nodes { paths, extras };
    let site = site(&["a"], &bind("a", &format!("extras = {{ no = {wanted} }}")));
    let report = site.bind(&[nodes.list(0), AssetNodes { asset: 1, nodes: vec![] }]);
    report.lists[0].twins.iter().flatten().count()
}

#[test]
fn integers_compare_as_integers_and_floats_only_where_they_are_whole() {
    let neighbours = [json!(9_007_199_254_740_992_u64), json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0)];
    assert_eq!(found("9007199254740993", &neighbours), 1);
    assert_eq!(found("9007199254740992", &neighbours), 2, "the integer and the float that is it");
    assert_eq!(
        found("9223372036854775807", &[json!(i64::MAX), json!(i64::MAX - 1), json!(u64::MAX), json!(9.223_372_036_854_776e18)]),
        1
    );
    assert_eq!(found("-9223372036854775808", &[json!(i64::MIN), json!(i64::MIN + 1)]), 1);
    assert_eq!(found("7", &[json!(7), json!(7.0), json!(7.5), json!("7"), json!(true), json!(null), json!([7])]), 2);
    assert_eq!(found("7.0", &[json!(7), json!(7.0)]), 2);
    assert_eq!(found("0.1", &[json!(0.1), json!(0.100_000_000_000_000_02)]), 1);
    assert_eq!(found("-0.0", &[json!(0), json!(0.0), json!(-0.0)]), 3);
    assert_eq!(found("1e300", &[json!(1e300), json!(1)]), 1);
}

/// The obvious way: every node against every binding, no index.
fn slowly(site: &LoadedSite, nodes: &AssetNodes<'_>) -> Vec<Option<TwinIndex>> {
    use crate::BindKey;
    let mut own: Vec<Vec<(u8, TwinIndex)>> = vec![Vec::new(); nodes.nodes.len()];
    for binding in &site.bindings {
        let [key] = binding.keys.as_slice() else { unreachable!("one key each") };
        let fits: Vec<usize> = (0..nodes.nodes.len())
            .filter(|at| match key {
                BindKey::Path(path) => nodes.nodes[*at].path == path,
                BindKey::Name(name) => nodes.nodes[*at].name == Some(name),
                BindKey::Glob(glob) => Glob::new(glob).matches(nodes.nodes[*at].path),
                _ => unreachable!(),
            })
            .collect();
        let rank = match key {
            BindKey::Path(_) => 0,
            BindKey::Name(_) => 2,
            _ => 4,
        };
        if rank == 4 || fits.len() == 1 {
            for at in fits {
                own[at].push((rank, binding.twin));
            }
        }
    }
    let settled: Vec<Option<TwinIndex>> = own
        .iter()
        .map(|claims| {
            let best = claims.iter().map(|(rank, _)| *rank).min()?;
            let mut twins = claims.iter().filter(|(rank, _)| *rank == best).map(|(_, twin)| *twin);
            let first = twins.next()?;
            twins.all(|twin| twin == first).then_some(first)
        })
        .collect();
    let mut answers = Vec::new();
    for start in 0..nodes.nodes.len() {
        let mut at = Some(start);
        let mut answer = None;
        while let Some(i) = at {
            answer = settled[i];
            at = if answer.is_some() { None } else { nodes.nodes[i].parent.map(|parent| parent as usize) };
        }
        answers.push(answer);
    }
    answers
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab]{1,2}", 1..4).prop_map(|names| names.join("/"))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        path().prop_map(|path| format!("node = \"{path}\"")),
        "[ab]{1,2}".prop_map(|name| format!("name = \"{name}\"")),
        proptest::collection::vec(prop_oneof![Just("**".to_owned()), "[ab*?]{1,2}"], 1..4)
            .prop_map(|names| format!("glob = \"{}\"", names.join("/"))),
    ]
}

proptest! {
    #[test]
    fn the_index_finds_what_the_obvious_search_finds(
        paths in proptest::collection::vec(path(), 0..12),
        keys in proptest::collection::vec((0..3_usize, key()), 0..8),
    ) {
        let mut paths = paths;
        paths.sort();
        paths.dedup();
        let nodes = Nodes { extras: vec![Json::Null; paths.len()], paths };
        let twins = ["x", "y", "z"];
        let rest: String = keys.iter().map(|(twin, key)| bind(twins[*twin], key)).collect();
        let site = site(&twins, &rest);
        let list = nodes.list(0);
        let report = site.bind(&[list.clone(), AssetNodes { asset: 1, nodes: vec![] }]);
        prop_assert_eq!(&report.lists[0].twins, &slowly(&site, &list));
    }
}

#[test]
fn names_that_look_the_same_bind_whichever_characters_they_are_written_with() {
    // `e` and an accent in the model, as tools on macOS write it, and one letter in the site file; and the other way round.
    let (apart, one) = ("pompe\u{301}e", "pomp\u{e9}e");
    for (file, site_file) in [(apart, one), (one, apart)] {
        let nodes = Nodes::new(&[
            ("hall", json!({})),
            (&format!("hall/{file}"), json!({ "tag": file, "GlobalId": format!("id-{file}") })),
            (&format!("hall/{file}/motor"), json!({})),
        ]);
        for key in [
            format!("name = \"{site_file}\""),
            format!("node = \"hall/{site_file}\""),
            format!("global_id = \"id-{site_file}\""),
            format!("extras = {{ tag = \"{site_file}\" }}"),
            format!("glob = \"**/{site_file}\""),
            "glob = \"**/pomp?e\"".to_owned(),
            format!("glob = \"**/{site_file}/mot*\""),
            format!("glob = \"**/{}*\"", site_file.trim_end_matches('e')),
        ] {
            let site = site(&["a"], &format!("[[bindings]]\ntwin = \"a\"\n{key}\n"));
            let report = site.bind(&[nodes.list(0)]);
            assert!(report.problems.is_empty(), "{key}: {:?}", report.problems);
            let motor = key.contains("mot*");
            assert_eq!(report.lists[0].direct, [false, !motor, motor], "{key}");
        }
    }
}

#[test]
fn the_very_characters_win_over_those_that_look_the_same() {
    let nodes = Nodes::new(&[("hall", json!({})), ("hall/caf\u{e9}", json!({})), ("hall/cafe\u{301}", json!({}))]);
    for (name, direct) in [("caf\u{e9}", [false, true, false]), ("cafe\u{301}", [false, false, true])] {
        let site = site(&["a"], &format!("[[bindings]]\ntwin = \"a\"\nname = \"{name}\"\n"));
        let report = site.bind(&[nodes.list(0)]);
        assert_eq!((report.lists[0].direct.as_slice(), report.problems.len()), (direct.as_slice(), 0), "{name:?}");
    }
}

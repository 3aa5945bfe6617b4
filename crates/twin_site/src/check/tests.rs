//! The shape of the report, and which findings make it fail.

use super::*;
use crate::bind::NodeRef;
use crate::load;
use twin_scene::geometry::Look;

fn loaded(rest: &str) -> LoadedSite {
    load(&format!("[site]\nid = \"s\"\n{rest}"), "site.toml", &mut |_| Err("no such file".into()))
}

fn node(path: &'static str) -> NodeRef<'static> {
    NodeRef { name: Some(path), path, has_mesh: true, look: Look::Drawn, ..NodeRef::default() }
}

fn read(asset: usize, paths: &[&'static str]) -> AssetState<'static> {
    let nodes = Ok(AssetNodes { asset, nodes: paths.iter().map(|path| node(path)).collect() });
    AssetState { nodes, notes: Vec::new(), faults: Vec::new() }
}

const TWO: &str = "[[models]]\nid = \"m\"\npath = \"m.glb\"\n[[models]]\nid = \"n\"\npath = \"gone.glb\"\n[[twins]]\nid = \"a\"\nbind = { name = \"x\" }\n";

#[test]
fn a_site_without_findings_exits_with_zero() {
    let site = loaded("[[models]]\nid = \"m\"\npath = \"m.glb\"\n[[twins]]\nid = \"a\"\nbind = { name = \"x\" }\n");
    let report = check(&site, &[read(0, &["x"])]);
    assert_eq!((report.findings.len(), report.exit_code()), (0, 0), "{report:?}");
    assert_eq!(report.summary, Summary { models: 1, nodes: 1, bound_nodes: 1, twins: 1, bound_twins: 1, signals: 0 });
}

#[test]
fn unbound_nodes_unbound_twins_and_missing_models_are_findings() {
    let site = loaded(&format!("{TWO}[[twins]]\nid = \"b\"\n"));
    let gone = AssetState::unreadable("no such file".into());
    let report = check(&site, &[read(0, &["x", "y"]), gone]);
    let short: Vec<_> = report.findings.iter().map(|it| (it.severity, it.code, it.line, it.subject.as_str())).collect();
    assert_eq!(
        short,
        [("error", "model.unreadable", 8, "n"), ("warning", "node.unbound", 5, "m:y"), ("warning", "twin.unbound", 13, "b"),]
    );
    assert_eq!(report.exit_code(), 1);
}

#[test]
fn remarks_do_not_change_the_exit_code_and_allowed_findings_are_left_out() {
    let site = loaded(
        "[[models]]\nid = \"m\"\npath = \"m.glb\"\ntwin = \"a\"\n[[twins]]\nid = \"a\"\n[check]\nallow = [\"model.unreadable\"]\n",
    );
    let noted = AssetState { notes: vec!["/meshes/0: has no normals".into()], ..read(0, &["x"]) };
    let report = check(&site, &[noted]);
    assert_eq!((report.findings.len(), report.findings[0].code, report.exit_code()), (1, "model.note", 0));
    assert!(check(&site, &[]).findings.iter().all(|finding| finding.code != "model.unreadable"));
}

#[test]
fn an_unusable_site_exits_with_two() {
    for text in ["", "[[twins]\n", "[[models]]\nid = 3\n"] {
        assert_eq!(check(&loaded(text), &[]).exit_code(), 2, "{text}");
    }
}

#[test]
fn the_machine_output_is_a_contract() {
    let site = loaded("[[twins]]\nid = \"a\"\nbind = false\nparent = \"b\"\n");
    let json = serde_json::to_string(&check(&site, &[])).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"findings":[{"severity":"error","code":"twin.unknown","file":"site.toml","line":6,"column":10,"#,
            r#""subject":"a","message":"the parent of 'a' is 'b', which is no twin","help":"did you mean 'a'?"}],"#,
            r#""summary":{"models":0,"nodes":0,"bound_nodes":0,"twins":1,"bound_twins":0,"signals":0}}"#
        )
    );
}

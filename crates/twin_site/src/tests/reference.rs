//! The reference holds what the loader reads.

use super::*;

/// A site file with every key of every table: what `docs/SITE.md` shows.
fn reference() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SITE.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.split("```toml site\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

#[test]
fn the_example_of_the_reference_loads_without_a_finding() {
    let read = |path: &str| match path {
        "factory/entities.json" => Ok(br#"{"entities": []}"#.to_vec()),
        "factory/scene.json" => Ok(br#"{"nodes": [], "rootNodeIndexes": []}"#.to_vec()),
        "factory/mixer.json" => Ok(br#"{"componentTypeId": "x"}"#.to_vec()),
        other => Err(format!("no {other}")),
    };
    let site = load(&reference(), "SITE.md", &mut { read });
    let all: Vec<String> = site.diagnostics.iter().map(ToString::to_string).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

type Keys = std::collections::BTreeSet<(&'static str, String)>;

/// Every key of every table that `values` show.
fn shown(spec: &'static spec::TableSpec, values: &[&toml::Value], keys: &mut Keys) {
    for key in spec.keys {
        let held: Vec<&toml::Value> = values.iter().filter_map(|value| value.get(key.name)).collect();
        if !held.is_empty() {
            keys.insert((spec.name, key.name.to_owned()));
        }
        if let spec::Ty::Table(inner) | spec::Ty::Tables(inner) | spec::Ty::Bind(inner) = key.ty {
            let items = held.iter().flat_map(|value| match value {
                toml::Value::Array(items) => items.iter().collect::<Vec<_>>(),
                other => vec![*other],
            });
            shown(inner, &items.filter(|value| value.is_table()).collect::<Vec<_>>(), keys);
        }
    }
}

fn all_keys(spec: &'static spec::TableSpec, keys: &mut Keys) {
    for key in spec.keys {
        keys.insert((spec.name, key.name.to_owned()));
        if let spec::Ty::Table(inner) | spec::Ty::Tables(inner) | spec::Ty::Bind(inner) = key.ty {
            all_keys(inner, keys);
        }
    }
}

#[test]
fn the_reference_shows_every_key_and_the_loader_reads_every_key() {
    let text = reference();
    let value: toml::Value = toml::from_str(&text).unwrap();
    let (mut all, mut seen) = (Keys::new(), Keys::new());
    all_keys(&spec::ROOT, &mut all);
    shown(&spec::ROOT, &[&value], &mut seen);
    assert_eq!(all.difference(&seen).collect::<Vec<_>>(), [] as [&(&str, String); 0], "docs/SITE.md does not show these");
    read::ASKED.with_borrow_mut(Keys::clear);
    load(&text, "SITE.md", &mut no_files);
    let asked = read::ASKED.with_borrow(Clone::clone);
    assert_eq!(all.difference(&asked).collect::<Vec<_>>(), [] as [&(&str, String); 0], "the loader never reads these");
}

#[test]
fn the_smallest_site_of_the_reference_loads_without_a_finding() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SITE.md");
    let text = std::fs::read_to_string(path).unwrap();
    clean(text.split("```toml small\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap());
}

#[test]
fn the_reference_lists_every_code_with_its_meaning() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SITE.md");
    let text = std::fs::read_to_string(path).unwrap();
    for (code, meaning) in codes::ALL {
        assert!(text.contains(&format!("| `{code}` | {meaning} |")), "docs/SITE.md lacks | `{code}` | {meaning} |");
    }
}

//! `--help` of every command and docs/CLI.md say the same: no option is missing on the page, and none is there that no
//! program has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value as Json;

use crate::world::{Folder, SITE, orrery};

/// Options by command, as their help lists them; commands that only hold others have none.
fn helps() -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let (code, out, err) = orrery(&args);
        assert_eq!(code, 0, "{args:?}: {err}");
        let mut part = "";
        let mut options = BTreeSet::new();
        for line in out.lines() {
            if !line.starts_with(' ') {
                part = if line.is_empty() { part } else { line };
                continue;
            }
            let word = line.split_whitespace().next().unwrap_or("");
            // Names stand two letters in, what is said of them further.
            if part == "Commands:" && line.starts_with("  ") && !line.starts_with("   ") && word != "help" {
                open.push(path.iter().cloned().chain([word.to_owned()]).collect());
            }
            if part == "Options:" && line.trim_start().starts_with('-') && line.find('-').is_some_and(|at| at <= 6) {
                options.extend(long_options(line.split("  ").find(|piece| piece.contains("--")).unwrap_or("")));
            }
        }
        options.remove("--help");
        options.remove("--version");
        all.insert(path.join(" "), options);
    }
    all
}

/// Every `--word` of a text.
fn long_options(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        let word: String =
            text[at + 2..].chars().take_while(|c| c.is_ascii_lowercase() || matches!(c, '-' | '0'..='9')).collect();
        if !matches!(before, Some('-' | 'a'..='z')) && word.starts_with(|c: char| c.is_ascii_lowercase()) {
            found.push(format!("--{}", word.trim_end_matches('-')));
        }
    }
    found
}

/// Text without what stands in fences and without other commands' lines (`` `orrery serve --data` ``).
fn plain(text: &str) -> String {
    let mut out = String::new();
    for (at, piece) in text.split("```").enumerate() {
        if at % 2 == 1 {
            continue;
        }
        for (at, span) in piece.split('`').enumerate() {
            if at % 2 == 0 || !span.starts_with("orrery ") {
                out.push_str(span);
                out.push(' ');
            }
        }
    }
    out
}

/// A row of the table of shared options: their names, and the commands that have them.
type Shared = (Vec<String>, BTreeSet<String>);

/// Sections of the page by command, and the rows of the table of shared options.
fn page() -> (BTreeMap<String, String>, Vec<Shared>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CLI.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (mut sections, mut shared) = (BTreeMap::new(), Vec::new());
    for section in text.split("\n## ").skip(1) {
        let (head, body) = section.split_once('\n').unwrap();
        if let Some(line) = head.strip_prefix("`orrery ") {
            let words = line.trim_end_matches('`').split(' ');
            let command: Vec<&str> =
                words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()) && !word.contains('|')).collect();
            sections.insert(command.join(" "), format!("{line} {}", plain(body)));
        } else if head.starts_with("Options of several") {
            for row in body.lines().filter(|line| line.starts_with("| `--")) {
                let cells: Vec<&str> = row.split('|').collect();
                let commands = cells[2].split(',').map(|word| word.trim().trim_matches('`').to_owned());
                shared.push((long_options(cells[1]), commands.collect()));
            }
        }
    }
    (sections, shared)
}

#[test]
fn the_page_of_commands_and_their_help_list_the_same_options() {
    let (helps, (sections, shared)) = (helps(), page());
    assert!(helps.len() > 15 && shared.len() > 4, "{helps:?} {shared:?}");
    let mut wrong = Vec::new();
    for (command, options) in &helps {
        let of_shared = |option: &String| shared.iter().any(|(names, of)| names.contains(option) && of.contains(command));
        let section = sections.get(command);
        if section.is_none() && !options.is_empty() {
            wrong.push(format!("CLI.md has no section `orrery {command}`"));
        }
        let said: BTreeSet<String> = section.map(|text| long_options(text).into_iter().collect()).unwrap_or_default();
        for option in options.iter().filter(|option| !said.contains(*option) && !of_shared(option)) {
            wrong.push(format!("CLI.md says nothing of `orrery {command} {option}`"));
        }
        for option in said.iter().filter(|option| !options.contains(*option)) {
            wrong.push(format!("CLI.md has `orrery {command} {option}`, which its help has not"));
        }
    }
    for command in sections.keys().filter(|command| !helps.contains_key(*command)) {
        wrong.push(format!("there is no command `orrery {command}`"));
    }
    for (names, commands) in &shared {
        for name in names {
            let has: BTreeSet<String> =
                helps.iter().filter(|(_, options)| options.contains(name)).map(|(it, _)| it.clone()).collect();
            // `serve` and `replay` have certificates of their own.
            let more: BTreeSet<&String> =
                has.difference(commands).filter(|it| !matches!(it.as_str(), "serve" | "replay")).collect();
            let less: BTreeSet<&String> = commands.difference(&has).collect();
            if !more.is_empty() || !less.is_empty() {
                wrong.push(format!("{name} of several commands: not named {more:?}, named and not there {less:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first block of JSON in a command's section of the page.
fn shown(page: &str, command: &str) -> Json {
    let head = format!("\n## `orrery {command}");
    let section = page.split(&head).nth(1).unwrap_or_else(|| panic!("no section {command}"));
    let block = section.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    serde_json::from_str(block).unwrap_or_else(|error| panic!("{command}: {error}\n{block}"))
}

fn keys(value: &Json) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_page_of_commands_shows_the_keys_of_their_json() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CLI.md")).unwrap();
    let folder = Folder::new();
    let text = |path: std::path::PathBuf| path.display().to_string();
    let site = text(folder.write("site.toml", SITE));
    let table =
        "signal,time,value\npump-01.flow,2026-03-02T08:15:04Z,70\npump-01.flow,soon,70\npump-01.flow,2026-03-02T08:15:05Z,x\n";
    let table = text(folder.write("lab.csv", table));
    let (data, copy, out) = (text(folder.0.join("data")), text(folder.0.join("copy")), text(folder.0.join("out")));
    let run = |command: &str, more: &[&str]| -> Json {
        let args: Vec<&str> = command.split(' ').chain(more.iter().copied()).chain(["--json"]).collect();
        let (code, out, err) = orrery(&args);
        assert!(code < 2, "{args:?}: {err}");
        serde_json::from_str(&out).unwrap()
    };
    for (command, more) in [
        ("import-samples", vec![&*site, "--data", &data, &table]),
        ("check", vec![&site]),
        ("compile", vec![&site, "-o", &out]),
        ("state", vec![&site, "--at", "2026-03-02T08:15:04Z", "--data", &data, "--cache", &out]),
        ("backup", vec![&data, &copy]),
        ("fsck", vec![&data]),
        ("history list", vec![&site, "--data", &data]),
        ("history rename", vec![&data, "pump-01.flow", "pump-02.flow"]),
        ("bench", vec!["--signals", "50", "--seconds", "1"]),
    ] {
        let (said, page) = (run(command, &more), shown(&page, command));
        assert_eq!(keys(&said), keys(&page), "{command}");
        for list in ["first_refused", "first_noted", "pieces", "series", "twins"] {
            if let (Some(said), Some(page)) = (said[list].get(0), page[list].get(0)) {
                assert_eq!(keys(said), keys(page), "{command}: {list}");
            }
        }
    }
}

#[test]
fn help_points_to_pages_and_sections_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for command in helps().keys() {
        let args: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).chain(["--help"]).collect();
        let (_, out, _) = orrery(&args);
        for (at, _) in out.match_indices("docs/") {
            let name: String =
                out[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-')).collect();
            let text = std::fs::read_to_string(root.join(name.trim_end_matches('.'))).unwrap_or_default();
            assert!(!text.is_empty(), "`orrery {command} --help` names {name}");
            let section = out[at + name.len()..].strip_prefix(", \"").and_then(|rest| rest.split('"').next());
            if let Some(section) = section {
                assert!(
                    text.lines().any(|line| line.starts_with('#') && line.contains(section)),
                    "{name} has no section {section}"
                );
            }
        }
    }
}

//! The README's own words run: the site, the script and the lines that a reader copies out of it, as they stand there.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::secrets::Program;
use crate::world::{Folder, PATIENCE, orrery};

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap()
}

/// What stands between the fences of a language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let opening = format!("\n```{language}\n");
    let after = text.split(&opening).skip(1);
    after.map(|rest| format!("{}\n", rest.split("\n```").next().unwrap())).collect()
}

/// The one block of a language that holds a text.
fn block(language: &str, holds: &str) -> String {
    let mut found: Vec<String> = blocks(language).into_iter().filter(|block| block.contains(holds)).collect();
    assert_eq!(found.len(), 1, "README.md has one {language} block with {holds}");
    found.remove(0)
}

/// The arguments of every line that calls the program, without its remark.
fn lines() -> Vec<Vec<String>> {
    let lines: Vec<String> = blocks("sh").iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let words = lines.iter().map(|line| line.split('#').next().unwrap().split_whitespace());
    let calls = words.filter_map(|mut words| {
        let program = words.next()?;
        (program.rsplit('/').next() == Some("orrery")).then(|| words.map(str::to_owned).collect())
    });
    calls.collect()
}

/// The one line that calls a command with a word, each of its words exchanged for what stands beside it.
fn line(command: &str, with: &str, exchange: &[(&str, &str)]) -> Vec<String> {
    let is = |line: &&Vec<String>| line[0] == command && line.iter().any(|word| word == with);
    let all = lines();
    let found: Vec<_> = all.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "README.md has one line `orrery {command}` with {with}");
    let mut used = 0;
    let swapped = found[0].iter().map(|word| match exchange.iter().find(|(old, _)| old == word) {
        Some((_, new)) => {
            used += 1;
            (*new).to_owned()
        }
        None => word.clone(),
    });
    let swapped = swapped.collect();
    assert_eq!(used, exchange.len(), "{:?} has not what is exchanged in it: {exchange:?}", found[0]);
    swapped
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// A folder with the README's site and a model of one cube, and their paths.
struct Workshop {
    _folder: Folder,
    site: String,
    history: String,
    root: std::path::PathBuf,
}

impl Workshop {
    fn new(site: &str) -> Self {
        let folder = Folder::new();
        folder.write("workshop/pump.glb", twin_testkit::geometry::cubes(1));
        folder.write("workshop/site.toml", site);
        let path = |name: &str| folder.0.join(name).display().to_string();
        Self { site: path("workshop"), history: path("history"), root: folder.0.clone(), _folder: folder }
    }

    /// The same with the CSV source in place of the one that was there, and the day's readings in its file.
    fn with_a_log(more: &str) -> Self {
        let (csv, whole) = (block("toml", "kind = \"csv\""), block("toml", "[site]"));
        let (plant, source) = whole.split_once("[[sources]]").unwrap();
        assert!(!source.contains("[["), "the source stands last, so that another can be put in its place");
        let workshop = Self::new(&format!("{plant}{csv}{more}"));
        let rows = "Time,Temp\n2026-03-02T08:00:00Z,20\n2026-03-02T08:00:01Z,61\n2026-03-02T08:00:02Z,85\n";
        std::fs::write(workshop.root.join("workshop/log.csv"), rows).unwrap();
        workshop
    }

    fn path(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }

    fn check(&self) {
        let (code, out, err) = orrery(&strs(&line("check", "workshop/", &[("workshop/", &self.site)])));
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains("0 errors, 0 warnings, 0 remarks"), "{out}");
    }

    /// What stands of the pump at a time: its status and its temperature.
    fn state(&self, at: &str, data: bool) -> (String, Option<f64>) {
        let data = if data { vec!["--data", &self.history] } else { Vec::new() };
        let (code, out, err) = orrery(&[&["state", &self.site, "--at", at, "--json"][..], &data].concat());
        assert_eq!(code, 0, "{err}");
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let pump = &json["twins"][0];
        assert_eq!((&pump["id"], &pump["signals"][0]["id"]), (&"pump-01".into(), &"pump-01.temperature".into()));
        (pump["status"].as_str().unwrap().to_owned(), pump["signals"][0]["value"].as_f64())
    }
}

/// A script that goes on until it is dropped.
struct Script(Child);

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Whether scripts can speak WebSocket here, as the README has them do; a visible line where not.
fn websockets(test: &str) -> bool {
    let asked = Command::new("python3").args(["-c", "import websockets"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let works = asked.is_ok_and(|status| status.success());
    if !works {
        eprintln!("SKIPPED (no python3 with websockets): {test}");
    }
    works
}

#[test]
fn the_whole_site_of_the_readme_has_no_mistake_and_its_script_feeds_it() {
    let workshop = Workshop::new(&block("toml", "[site]"));
    workshop.check();
    let serve = line("serve", "workshop/", &[("workshop/", &workshop.site), ("history/", &workshop.history)]);
    let program = Program::serve(&strs(&serve), &[]);
    let address = program.address.strip_prefix("http://").unwrap();
    let script = block("python", "websockets.connect");
    let (_, help, _) = orrery(&["serve", "--help"]);
    let (usual, _) = script.split_once("ws://").unwrap().1.split_once("/ingest").unwrap();
    assert!(help.contains(usual), "the script's address is the one that is served without --listen: {help}");
    if !websockets("the_whole_site_of_the_readme_has_no_mistake_and_its_script_feeds_it") {
        return;
    }
    let script = script.replace(usual, address);
    let mut script = Script(Command::new("python3").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap());
    let begun = Instant::now();
    let (status, value) = loop {
        let (status, value) = workshop.state("now", true);
        if let Some(value) = value {
            break (status, value);
        }
        assert_eq!(script.0.try_wait().unwrap(), None, "the script goes on");
        assert!(begun.elapsed() < PATIENCE, "nothing that the script sent is kept");
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert!((50.0..=90.0).contains(&value), "{value}");
    // By the site's own rule.
    let expected = if value > 80.0 {
        "failure"
    } else if value > 60.0 {
        "maintenance"
    } else {
        "normal"
    };
    assert_eq!(status, expected, "at {value} °C");
    drop(script);
    program.stop();
}

#[test]
fn the_csv_source_of_the_readme_stands_in_the_place_of_the_other_and_is_read() {
    let workshop = Workshop::with_a_log("");
    workshop.check();
    for (at, status, value) in [
        ("2026-03-02T07:59:59Z", "unknown", None),
        ("2026-03-02T08:00:00.5Z", "normal", Some(20.0)),
        ("2026-03-02T08:00:01.5Z", "maintenance", Some(61.0)),
        ("2026-03-02T08:00:02.5Z", "failure", Some(85.0)),
    ] {
        assert_eq!(workshop.state(at, false), (status.to_owned(), value), "{at}");
    }
    let start = readme().split_once("`start = ").unwrap().1.split_once('`').unwrap().0.to_owned();
    Workshop::with_a_log(&format!("start = {start}\n")).check();
}

#[test]
fn every_line_of_the_readme_that_calls_the_program_is_understood() {
    let lines = lines();
    assert!(lines.len() >= 11, "{lines:?}");
    for line in &lines {
        // Asked for help behind it, the program first reads what stands before.
        let (code, out, err) = orrery(&[&strs(line)[..], &["--help"]].concat());
        assert!(code == 0 && out.contains("Usage: orrery"), "orrery {line:?}: {err}");
    }
    let (code, ..) = orrery(&["record", "SITE", "day.orrec", "--for", "8 hours", "--help"]);
    assert_eq!(code, 2, "what is wrong is said before any help");
}

#[test]
fn lines_of_the_readme_without_a_screen_do_what_stands_beside_them() {
    let workshop = Workshop::with_a_log("");
    let site = ("SITE", &*workshop.site);
    let run = |line: Vec<String>| {
        let (code, out, err) = orrery(&strs(&line));
        assert_eq!(code, 0, "orrery {line:?}: {out}{err}");
        out
    };
    let out = run(line("state", "SITE", &[site]));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["twins"][0]["id"], "pump-01");
    // A second is enough to see a recording made.
    let day = workshop.path("day.orrec");
    run(line("record", "SITE", &[site, ("day.orrec", &day), ("8h", "1s")]));
    let replay = Program::serve(&strs(&line("replay", "day.orrec", &[("day.orrec", &day)])), &[]);
    assert!(replay.address.starts_with("http://127.0.0.1:"), "{}", replay.address);
    replay.stop();
    let lab = workshop.path("lab.csv");
    std::fs::write(&lab, "time,signal,value\n2026-03-02T09:00:00Z,pump-01.temperature,70\n").unwrap();
    run(line("import-samples", "SITE", &[site, ("history/", &workshop.history), ("lab.csv", &lab)]));
    assert_eq!(workshop.state("2026-03-02T09:00:00.5Z", true), ("maintenance".to_owned(), Some(70.0)));
    // The page is built apart from the program.
    std::fs::create_dir(workshop.root.join("page")).unwrap();
    std::fs::write(workshop.root.join("page/index.html"), "<script id=\"boot\"></script>").unwrap();
    let (public, page) = (workshop.path("public"), workshop.path("page"));
    let mut publish = line("publish", "SITE", &[site, ("history/", &workshop.history), ("public/", &public)]);
    publish.extend(["--web".to_owned(), page]);
    run(publish);
    assert!(std::path::Path::new(&public).join("index.html").is_file());
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/sites/bottling");
    let out = run(line("whatif", "SITE", &[("SITE", demo)]));
    assert!(out.contains("not a measurement") && out.contains("worse"), "{out}");
}

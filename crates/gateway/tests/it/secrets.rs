//! Secrets stay where they are: a token of the site is in nothing that any command says, writes or serves.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gateway::recording;
use gateway::site::Site;
use twin_protocol::recording::{Record, encode_record, file_header_of};
use twin_publication::Manifest;

use crate::publication::{get, waited as publication};
use crate::world::{Folder, PATIENCE, SITE, Wish, World, orrery};

const SECRET: &str = "s3cret-TOKEN-0815";

fn site_with(token: &str) -> String {
    format!("# the old token was {SECRET}\n{SITE}{token}\n")
}

/// A running program whose every word is kept.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    out: BufReader<std::process::ChildStdout>,
    /// What it has said on its console; it is read all the time.
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Program {
    pub(crate) fn serve(args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orrery"));
        command
            .args(args)
            .args(["--listen", "127.0.0.1:0"])
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let said = Arc::new(Mutex::new(String::new()));
        let listener = std::thread::spawn({
            let said = said.clone();
            move || {
                let mut line = String::new();
                while lines.read_line(&mut line).unwrap() > 0 {
                    said.lock().unwrap().push_str(&std::mem::take(&mut line));
                }
            }
        });
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().trim_end_matches('/').to_owned();
        let program = Self { child, address, out, said, listener: Some(listener) };
        if program.address.is_empty() {
            panic!("the server does not start: {}", program.stop());
        }
        program
    }

    /// Waits until it has said this: what it tells viewers and what it tells its console have no order.
    pub(crate) fn until(&self, words: &str) {
        let begun = Instant::now();
        while !self.said.lock().unwrap().contains(words) {
            assert!(begun.elapsed() < PATIENCE * 6, "it never said '{words}': {}", self.said.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that it said, after it was stopped.
    pub(crate) fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.out.read_to_string(&mut said).unwrap();
        self.listener.take().unwrap().join().unwrap();
        said.push_str(&self.said.lock().unwrap());
        self.child.wait().unwrap();
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn every_file_below(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { every_file_below(&entry, found) } else { found.push(entry) }
    }
}

/// Of all files that the commands have left; the two that the token was written into are not theirs.
fn no_file_holds_it(folder: &Folder) {
    let mut files = Vec::new();
    every_file_below(&folder.0, &mut files);
    assert!(
        files.iter().any(|file| file.ends_with("b.orrec"))
            && files.iter().any(|file| file.ends_with("copy/manifest.json"))
            && files.iter().any(|file| file.ends_with("history.sqlite3"))
    );
    for file in files.iter().filter(|file| !file.ends_with("site.toml") && !file.ends_with("token")) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{}", file.display());
    }
}

#[test]
fn a_token_is_in_nothing_that_any_command_says_or_writes() {
    let folder = Folder::new();
    let named = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let csv = "[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\ntime = { column = \"t\" }\ncolumns = { flow = \"pump-02.flow\" }\n";
    folder.write("site/log.csv", "t,flow\n2026-03-02T08:00:00Z,1\n");
    let site = folder.write("site/site.toml", site_with(&format!("token = \"{SECRET}\"\ntokens = \"{SECRET}\"\n{csv}")));
    let site = site.to_str().unwrap();
    let program = Program::serve(&["serve", site, "--data", &named("data")], &[]);
    let url = format!("{}/", program.address);
    let (recording, remote, table) = (named("out/a.orrec"), named("out/b.orrec"), named("out/table.csv"));
    let (copy, page) = (named("out/copy"), named("page"));
    folder.write("page/index.html", "<script id=\"boot\"></script>");
    folder.write("out/token", SECRET);
    let token = named("out/token");
    let mut said = Vec::new();
    for args in [
        vec!["check", site],
        vec!["check", site, "--json"],
        vec!["state", site, "--at", "2026-03-02T08:00:01Z"],
        vec!["state", site, "--at", "2026-03-02T08:00:01Z", "--json"],
        vec!["record", site, &recording, "--for", "1s"],
        vec!["record", &url, &remote, "--for", "1s"],
        vec![
            "bench",
            "feed",
            "--url",
            &url,
            "--token-file",
            &token,
            "--seconds",
            "1",
            "--signals",
            "1",
            "--source",
            "script",
            "--json",
        ],
        vec!["bench", "feed", "--url", &url, "--token", "wrong", "--seconds", "1", "--signals", "1", "--source", "script"],
        vec!["state", "--recording", &recording, "--at", "now", "--json"],
        vec!["export", site, "--data", &named("data"), "-o", &table],
        vec!["whatif", site, "--data", &named("data"), "--json"],
        vec!["fsck", &named("data")],
        vec!["publish", site, "--data", &named("data"), "-o", &copy, "--web", &page],
        vec!["serve", site, "--listen", "nonsense"],
    ] {
        let (_, out, err) = orrery(&args);
        said.push(format!("{args:?}\n{out}{err}"));
    }
    assert!(said[0].contains("secret.written"), "{}", said[0]);
    assert!(said[6].contains("\"acked\": "), "the right token opens: {}", said[6]);
    assert!(said[7].contains("401"), "{}", said[7]);
    said.push(program.stop());
    assert!(said.concat().contains("the token of source 'script' stands in the site file"), "it works, with a warning");
    let replay = Program::serve(&["replay", &remote], &[]);
    said.push(replay.stop());
    for text in &said {
        assert!(!text.contains(SECRET), "{text}");
    }
    no_file_holds_it(&folder);
    // What is left of the site is the site.
    let recorded = recording::read(std::path::Path::new(&remote)).unwrap();
    assert_eq!(recorded.model().twins().len(), Site::read(std::path::Path::new(site)).unwrap().loaded.model.twins().len());
}

#[test]
fn an_old_recording_that_holds_a_token_is_served_without() {
    let folder = Folder::new();
    let record = Record::Site { file_name: "site.toml".into(), toml: site_with(&format!("token = '''{SECRET}'''")) };
    let asset = Record::Asset { path: "entities.json".into(), bytes: format!("{{\"apiToken\":\"{SECRET}\"}}").into_bytes() };
    let path = folder.write("old.orrec", [file_header_of(1), encode_record(&record), encode_record(&asset)].concat());
    let program = Program::serve(&["replay", path.to_str().unwrap()], &[]);
    let host = program.address.trim_start_matches("http://").to_owned();
    let (status, body) = get(&host, "/api/site");
    assert!(status == 410 && !String::from_utf8_lossy(&body).contains(SECRET));
    let served = fetched(&host);
    assert!(served.contains("pump-01") && !served.contains(SECRET) && !served.contains("entities.json"), "{served}");
    // Nor is it in what is recorded of it.
    let again = folder.0.join("again.orrec");
    let (code, _, err) = orrery(&["record", &program.address, again.to_str().unwrap(), "--for", "1s"]);
    assert_eq!(code, 0, "{err}");
    assert!(!String::from_utf8_lossy(&std::fs::read(again).unwrap()).contains(SECRET));
    assert!(!program.stop().contains(SECRET));
}

/// Manifest and pieces as text.
fn fetched(host: &str) -> String {
    let body = publication(host, "/api/publication");
    let manifest = Manifest::read(&body).unwrap();
    let pieces = manifest.pieces().flat_map(|(_, piece)| publication(host, &format!("/api/piece/{}", piece.hash)));
    String::from_utf8_lossy(&body.iter().copied().chain(pieces).collect::<Vec<u8>>()).into_owned()
}

#[tokio::test]
async fn a_site_is_the_same_to_viewers_whatever_its_token_is() {
    let world = World::start_with(&site_with(&format!("token = \"{SECRET}\"")), Wish::default()).await;
    let other = World::start_with(&site_with("token = \"another\""), Wish::default()).await;
    assert_eq!(world.app.site_hash, other.app.site_hash, "the hash tells nothing about it");
    let (one, two) = (world.get("/api/publication", "").await.2, other.get("/api/publication", "").await.2);
    let (one, two) = (Manifest::read(&one).unwrap(), Manifest::read(&two).unwrap());
    assert!(one == two, "{one:?} {two:?}");
    let (_, _, model) = world.get(&format!("/api/piece/{}", one.model.hash), "").await;
    assert_eq!(twin_publication::ViewerModel::read(&model).unwrap().model, **world.hub.model());
    assert!(!String::from_utf8_lossy(&model).contains(SECRET));
}

#[test]
fn a_token_comes_from_the_environment_or_a_file_and_without_it_nothing_starts() {
    let folder = Folder::new();
    folder.write("elsewhere/token", format!("\n  {SECRET}\n"));
    let token = folder.0.join("elsewhere/token");
    let write = |name: &str, token: &str| folder.write(name, format!("{SITE}{token}\n")).to_str().unwrap().to_owned();
    let env = write("env/site.toml", "token = { env = \"ORRERY_TEST_TOKEN\" }");
    let file = write("file/site.toml", "token.file = \"../elsewhere/token\"");
    let feed = |address: &str| {
        let path = token.to_str().unwrap();
        orrery(&["bench", "feed", "--url", address, "--token-file", path, "--seconds", "1", "--signals", "1", "--json"])
    };
    for program in [Program::serve(&["serve", &env], &[("ORRERY_TEST_TOKEN", SECRET)]), Program::serve(&["serve", &file], &[])] {
        let (code, out, err) = feed(&program.address);
        assert!(code == 0 && out.contains("\"refused\": 0"), "{out}{err}");
        let (code, _, err) = orrery(&["bench", "feed", "--url", &program.address, "--seconds", "1", "--signals", "1"]);
        assert!(code == 2 && err.contains("401: this asks for a token with the role send"), "{err}");
        let said = program.stop();
        assert!(!said.contains(SECRET) && !said.contains("site file, for everybody"), "{said}");
    }
    for (site, words) in [
        (&env, "in the environment variable ORRERY_TEST_TOKEN, which is not set"),
        (&write("gone/site.toml", "token.file = \"gone.txt\""), "No such file"),
        (&write("folder/site.toml", "token.file = \".\""), "it is a folder"),
        (&write("empty/site.toml", "token.file = \"site.toml\""), "its token is empty, or of several lines"),
        (&write("wrong/site.toml", "token = 5"), "its token can't be used"),
    ] {
        let (code, out, err) = orrery(&["serve", site, "--listen", "127.0.0.1:0"]);
        assert!(code == 2 && err.contains(words), "{site}: {out}{err}");
    }
}

#[cfg(unix)]
#[test]
fn a_token_file_that_everybody_may_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let token = folder.write("token", SECRET);
    let site = folder.write("site.toml", format!("{SITE}token = {{ file = \"token\" }}\n"));
    for (mode, warned) in [(0o644, true), (0o640, false)] {
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(mode)).unwrap();
        let said = Program::serve(&["serve", site.to_str().unwrap()], &[]).stop();
        assert_eq!(said.contains("everybody on this machine may read"), warned, "{mode:o}: {said}");
    }
}

#[test]
fn an_address_that_others_reach_is_refused_with_the_line_to_type() {
    let folder = Folder::new();
    let site = folder.write("my site.toml", SITE);
    let site = site.to_str().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let (code, out, err) = orrery(&["serve", site, "--listen", listen]);
        if err.contains("can't listen") {
            continue;
        }
        assert_eq!(code, 2, "{out}{err}");
        assert!(
            err.contains(
                &format!("\n  orrery serve '{site}' --listen {listen} --access access.toml\n").replace("[::]:0", "'[::]:0'")
            ),
            "{err}"
        );
        assert!(err.contains("orrery access new access.toml --role view") && err.contains("--open-to-all"), "{err}");
        assert_eq!(out, "", "no address was served");
    }
    let (code, _, err) = orrery(&["serve", site, "--listen", "0.0.0.0:0", "--access", "x", "--open-to-all"]);
    assert!(code == 2 && err.contains("cannot be used with"), "{err}");
}

#[test]
fn tokens_are_made_printed_once_and_kept_as_hashes() {
    let folder = Folder::new();
    let file = folder.0.join("access.toml");
    let path = file.to_str().unwrap();
    let (code, view, err) = orrery(&["access", "new", path, "--role", "view"]);
    assert_eq!((code, view.lines().count()), (0, 1), "the token alone can be piped: {view}{err}");
    let (code, both, _) = orrery(&[
        "access",
        "new",
        path,
        "--role",
        "send",
        "--role",
        "view",
        "--source",
        "script",
        "--name",
        "line \"7\"",
        "--expires",
        "90d",
    ]);
    assert_eq!(code, 0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(view.trim()) && !text.contains(both.trim()) && text.contains("sha256:"), "{text}");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    let (code, list, _) = orrery(&["access", "list", path]);
    assert_eq!(code, 0);
    assert!(
        list.contains("view 1") && list.contains("line \"7\"") && list.contains("view, send") && list.contains("script"),
        "{list}"
    );
    let (code, printed, _) = orrery(&["access", "new", "--role", "manage"]);
    assert!(code == 0 && printed.lines().next().unwrap().starts_with("orrery-") && printed.contains("[[tokens]]"), "{printed}");
    for (args, words) in [
        (vec!["access", "new", path], "required"),
        (vec!["access", "new", path, "--role", "boss"], "possible values: view, send, manage"),
        (vec!["access", "new", path, "--role", "view", "--source", "x"], "add --role send"),
        (vec!["access", "new", path, "--role", "view", "--expires", "0s"], "--expires 0s is over at once"),
        (vec!["access", "new", path, "--role", "view", "--name", "view 1"], "the name 'view 1' is there twice"),
    ] {
        let (code, out, err) = orrery(&args);
        assert!(code == 2 && err.contains(words) && out.is_empty(), "{args:?}: {out}{err}");
    }
    // And the gateway takes them; of one that opens nothing it is said.
    let site = folder.write("site.toml", SITE);
    assert_eq!(orrery(&["access", "new", path, "--role", "send", "--source", "scritp", "--name", "typo"]).0, 0);
    folder.write("send", &both);
    let program = Program::serve(&["serve", site.to_str().unwrap(), "--access", path], &[]);
    let send = folder.0.join("send");
    let feed = |token: &str| {
        orrery(&["bench", "feed", "--url", &program.address, "--token-file", token, "--seconds", "1", "--signals", "1", "--json"])
    };
    let (code, out, err) = feed(send.to_str().unwrap());
    assert!(code == 0 && out.contains("\"acked\": 1"), "{out}{err}");
    folder.write("view", &view);
    let (code, _, err) = feed(folder.0.join("view").to_str().unwrap());
    assert!(code == 2 && err.contains("403: this token is for: view; this asks for the role send"), "{err}");
    let said = program.stop();
    let typo = "the token of 'typo' is for 'scritp', which the site has not as a source that senders push to; it has: script";
    assert!(said.contains(typo) && !said.contains("line \"7\""), "{said}");
}

#[test]
fn a_site_reads_in_its_own_folder_and_where_it_was_allowed_to() {
    let folder = Folder::new();
    folder.write("data/log.csv", "t,flow\n2026-03-02T08:00:00Z,42\n");
    let csv = "[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"../data/log.csv\"\ntime = { column = \"t\" }\ncolumns = { flow = \"pump-01.flow\" }\n";
    let site = folder.write("site/site.toml", SITE.replace("[[sources]]\nid = \"script\"\nkind = \"websocket\"\n", csv));
    let (site, data) = (site.to_str().unwrap(), folder.0.join("data"));
    let state = ["state", site, "--at", "2026-03-02T08:00:01Z", "--json"];
    let (code, out, err) = orrery(&state);
    assert!(code == 1 && !out.contains("42"), "one source is unusable, the rest runs: {out}");
    assert!(
        err.contains("source 'log' can't be used: ../data/log.csv: can't read it: it lies outside of the site's folder")
            && err.contains("--allow-dir /"),
        "{err}"
    );
    let (code, out, err) = orrery(&[&state[..], &["--allow-dir", data.to_str().unwrap()]].concat());
    assert!(code == 0 && out.contains("42"), "{out}{err}");
    #[cfg(unix)]
    {
        Command::new("mkfifo").arg(folder.0.join("site/pipe.toml")).status().unwrap();
        let (code, _, err) = orrery(&["check", folder.0.join("site/pipe.toml").to_str().unwrap()]);
        assert!(code == 2 && err.contains("no regular file"), "{err}");
    }
}

#[test]
fn check_finds_what_serve_refuses_of_a_token_and_who_may_read_its_file() {
    let folder = Folder::new();
    let site = folder.write("site.toml", format!("{SITE}token = {{ file = \"token\" }}\n"));
    let place = format!("site.toml:{}: ", SITE.lines().position(|line| line == "[[sources]]").unwrap() + 2);
    let (site, token) = (site.to_str().unwrap(), folder.0.join("token"));
    let two = format!("{SECRET}\n{SECRET}\n");
    for (text, code, words) in [
        (None, "file.unreadable", "its token is in"),
        (Some(""), "file.invalid", "its token is empty, or of several lines"),
        (Some(" \n\n"), "file.invalid", "its token is empty, or of several lines"),
        (Some(two.as_str()), "file.invalid", "its token is empty, or of several lines"),
    ] {
        if let Some(text) = text {
            folder.write("token", text);
            #[cfg(unix)]
            std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let (status, out, err) = orrery(&["check", site]);
        assert!(status == 1 && out.contains(words) && out.contains(&format!("error[{code}]")), "{text:?}: {out}{err}");
        assert!(out.lines().any(|line| line.starts_with(place.trim_end_matches(": ")) && line.contains(words)), "{place} {out}");
        let (refused, _, said) = orrery(&["serve", site, "--listen", "127.0.0.1:0"]);
        assert!(refused == 2 && said.contains(words), "{text:?}: {said}");
        for text in [out, err, said, orrery(&["check", site, "--json"]).1] {
            assert!(!text.contains(SECRET), "{text}");
        }
    }
    folder.write("token", format!("{SECRET}\n"));
    #[cfg(unix)]
    for (mode, warned) in [(0o644, true), (0o640, false)] {
        std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let (_, out, _) = orrery(&["check", site]);
        assert_eq!(
            out.contains("warning[secret.readable]: the token of source 'script': everybody on this machine may read"),
            warned,
            "{mode:o}: {out}"
        );
        assert!(!out.contains("error[file") && !out.contains(SECRET), "{out}");
    }
    // The environment of whoever checks is seldom the server's.
    let site = folder.write("site.toml", format!("{SITE}token = {{ env = \"ORRERY_NO_SUCH_TOKEN\" }}\n"));
    let (_, out, _) = orrery(&["check", site.to_str().unwrap()]);
    assert!(out.contains("info[value.invalid]: source 'script'") && out.contains("ORRERY_NO_SUCH_TOKEN"), "{out}");
}

//! A plant in files, read by the viewer's own session over a server that knows only files: every instant is what `orrery state` says.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a server of its own, and failures of a test")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::headless::{From, fill};
use gateway::site::Site;
use orrery::platform::monotonic;
use orrery::session::{LinkPhase, Place, Published, Session};
use twin_engine::{Engine, EngineCommand, EngineConfig, SeekTo};
use twin_model::{Span, Timestamp};

const PATIENCE: Duration = Duration::from_secs(120);

const SITE: &str = r#"
[site]
id = "tanks"
[[interfaces]]
id = "tank"
signals = [{ name = "level", unit = "m", period = "10s" }]
rules = [{ id = "high", kind = "range", signal = "level", bands = [{ above = 70, status = "maintenance" }, { above = 90, status = "failure" }] }]
[[twins]]
id = "north"
bind = false
interface = "tank"
signals = [{ name = "half", unit = "m", kind = "computed", expression = "level / 2" }]
[[twins]]
id = "south"
bind = false
interface = "tank"
[[sources]]
id = "log"
kind = "csv"
path = "log.csv"
time = { column = "t" }
columns = { one = "north.level", two = "south.level" }
"#;

/// Midnight before the first row.
const DAY: i64 = 1_772_409_600;

struct Copy {
    root: PathBuf,
    site: Site,
}

impl Copy {
    /// Two days, of which one tank was silent for the last hours.
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("orrery-copy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(root.join("page")).unwrap();
        let mut table = "t,one,two\n".to_owned();
        for n in 0..2 * 24 * 360 {
            let two = if n < 15_000 { format!("{}", n % 89) } else { String::new() };
            writeln!(table, "{},{}.25,{two}", Timestamp::from_secs(DAY + 10 * n), n % 101).unwrap();
        }
        std::fs::write(root.join("log.csv"), table).unwrap();
        std::fs::write(root.join("site.toml"), SITE).unwrap();
        std::fs::write(root.join("page/index.html"), r#"<script id="boot"></script>"#).unwrap();
        let path = |name: &str| root.join(name).display().to_string();
        let args = ["orrery", "publish", &*path("site.toml"), "-o", &*path("copy"), "--web", &*path("page")];
        let code = gateway::cli::run(args.map(std::ffi::OsString::from));
        assert_eq!(code, std::process::ExitCode::SUCCESS);
        Self { site: Site::read(&root.join("site.toml")).unwrap(), root }
    }

    /// Hands the files out; answers the address of the folder.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = self.root.join("copy");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                std::thread::spawn(move || answer(stream, &folder));
            }
        });
        format!("http://{address}/somewhere")
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.root));
    }
}

fn answer(mut stream: TcpStream, folder: &Path) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
    }
    let path = first.strip_prefix("GET /somewhere/").and_then(|rest| rest.split(' ').next()).unwrap_or("no such file");
    let body = std::fs::read(folder.join(path));
    let status = if body.is_ok() { 200 } else { 404 };
    let body = body.unwrap_or_default();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Whoever asked may have left.
    let _left = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// A viewer without a window.
struct Viewer {
    session: Session,
    published: Published,
    engine: Engine,
}

impl Viewer {
    fn open(base: String) -> Self {
        let mut session = Session::new(Place::Folder(base), Arc::new(|| {}));
        let published = until(|| {
            assert_eq!(session.publication.failed(), None);
            session.poll_publication(None, monotonic())
        });
        let engine = Engine::new(published.model.model.clone(), EngineConfig::default());
        Self { session, published, engine }
    }

    fn step(&mut self) {
        let now = monotonic();
        self.session.look(&mut self.engine, None);
        self.engine.tick(self.session.clock.at(now), Span::from_millis(5), false);
        self.session.poll(Some(&mut self.engine), now);
        self.session.revisions.poll_list();
    }

    /// Goes to an instant and waits until all that is wanted of it is here.
    fn seek(&mut self, t: Timestamp) {
        self.engine.apply(EngineCommand::Seek(SeekTo::Exact(t))).unwrap();
        self.settle();
    }

    fn settle(&mut self) {
        let mut still = 0;
        until(|| {
            self.step();
            still = if self.session.history().is_busy() { 0 } else { still + 1 };
            (still > 20).then_some(())
        });
    }
}

fn until<T>(mut step: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = step() {
            return found;
        }
        assert!(Instant::now() < end, "nothing came of it");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_copy_shows_at_every_instant_what_the_command_line_says_and_its_clock_stands() {
    let copy = Copy::new("whole");
    let mut viewer = Viewer::open(copy.serve());
    viewer.settle();
    let last = Timestamp::from_secs(DAY + 2 * 86_400 - 10);
    assert_eq!((viewer.session.clock.at(0.0), viewer.session.clock.at(1e6)), (Some(last), Some(last)));
    assert_eq!((viewer.session.link().phase(), viewer.session.is_copy()), (LinkPhase::None, true));
    assert_eq!(viewer.session.revisions.list().iter().map(|it| it.number).collect::<Vec<_>>(), [1]);
    assert_eq!(viewer.engine.live_edge(), Some(last));
    assert_eq!(viewer.published.manifest.revision, 1);
    for second in [0, 5, 705, 890, 86_399, 150_000, 2 * 86_400 - 10] {
        let at = Timestamp::from_secs(DAY + second);
        viewer.seek(at);
        assert_eq!(viewer.session.history().problem(), None);
        let said = fill(&copy.site, &From::Sources, at, at).unwrap().engine.state_at(at);
        assert_eq!(format!("{:?}", viewer.engine.state_at(at)), format!("{said:?}"), "{at}");
    }
}

#[test]
fn a_part_that_was_damaged_on_the_server_is_told_and_shows_no_value() {
    let copy = Copy::new("damaged");
    let pieces = copy.root.join("copy/pieces");
    let is_page = |path: &Path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(&[0x4f, 0x01]));
    let pages: Vec<PathBuf> =
        std::fs::read_dir(pieces).unwrap().flatten().map(|it| it.path()).filter(|path| is_page(path)).collect();
    assert!(pages.len() > 10, "{}", pages.len());
    for page in pages {
        let mut bytes = std::fs::read(&page).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(page, bytes).unwrap();
    }
    let mut viewer = Viewer::open(copy.serve());
    let why = until(|| {
        viewer.step();
        viewer.session.history().problem().map(str::to_owned)
    });
    assert!(why.contains("damaged"), "{why}");
    let state = viewer.engine.state_at(Timestamp::from_secs(DAY + 890));
    assert!(state.twins.iter().flat_map(|twin| &twin.signals).all(|signal| signal.value.is_none()), "{state:?}");
}

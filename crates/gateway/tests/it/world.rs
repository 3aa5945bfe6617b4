//! What the tests share: a small site, a server for it on a free port, a client that speaks the protocol.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use gateway::access::{Access, token_of};
use gateway::app::App;
use gateway::assemble::{Plant, PlantOptions, plant};
use gateway::config::ServerConfig;
use gateway::hub::Hub;
use gateway::life;
use gateway::page::Page;
use gateway::peers::Peers;
use gateway::publish::{self, shelf::Shelf};
use gateway::site::Site;
use gateway::sources::{Polled, Pump, Source, step};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use twin_model::{Sample, SignalIndex, Timestamp, Value};
use twin_protocol::*;
use twin_site::SourceKind;

/// Longest time that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Longest time that the program may take for what a test asks of it; minutes, because machines may be busy.
const PROGRAM: Duration = Duration::from_secs(300);

/// A folder that goes away with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("orrery-it-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A pump that others feed over `/ingest`.
pub(crate) const SITE: &str = r#"
[site]
id = "little"
name = "Little plant"

[[interfaces]]
id = "pump"
[[interfaces.signals]]
name = "flow"
unit = "l/min"
period = "1s"
[[interfaces.signals]]
name = "starts"
value = "int"
kind = "counter"
[[interfaces.signals]]
name = "running"
value = "bool"
[[interfaces.signals]]
name = "mode"
value = "text"
[[interfaces.rules]]
id = "flow-high"
kind = "range"
signal = "flow"
bands = [{ above = 80.0, status = "maintenance" }, { above = 95.0, status = "failure" }]
[[interfaces.alarms]]
id = "overflow"
kind = "limit"
signal = "flow"
above = 95.0
priority = 1
message = "Flow too high"

[[twins]]
id = "pump-01"
interface = "pump"
bind = false
[[twins]]
id = "pump-02"
interface = "pump"
bind = false

[[sources]]
id = "script"
kind = "websocket"
"#;

pub(crate) fn at(s: i64) -> Timestamp {
    Timestamp::from_secs(1_772_439_304 + s)
}

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Arc<Hub>,
    pub(crate) app: Arc<App>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    server: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
    pump: Option<Pump>,
    /// To be asked by [`Self::step`] where no pump asks them.
    sources: Vec<Box<dyn Source>>,
    clock: gateway::clock::Clock,
    _folder: Option<Folder>,
}

/// What a test wants different.
#[derive(Default)]
pub(crate) struct Wish {
    pub(crate) options: PlantOptions,
    pub(crate) config: ServerConfig,
    pub(crate) access: Access,
    /// Asks the sources in a thread, as the program does; without, only the test puts samples in.
    pub(crate) pump: bool,
    pub(crate) web: Option<PathBuf>,
    /// What is served instead of the site's own publication.
    pub(crate) publication: Option<Arc<Shelf>>,
}

impl World {
    /// Serves [`SITE`] without asking its sources.
    pub(crate) async fn start() -> Self {
        Self::start_with(SITE, Wish::default()).await
    }

    pub(crate) async fn start_with(site: &str, wish: Wish) -> Self {
        let folder = Folder::new();
        let path = folder.write("site.toml", site);
        let mut world = Self::serve(&path, wish).await;
        world._folder = Some(folder);
        world
    }

    pub(crate) async fn serve(site: &Path, wish: Wish) -> Self {
        let site = Site::read_usable(site).unwrap();
        let plant = plant(&site, &wish.options).unwrap();
        assert_eq!(plant.remarks, Vec::<String>::new());
        Self::run(&site, plant, wish).await
    }

    /// Serves a site with another publication than its own.
    pub(crate) async fn with_publication(site: &Site, publication: Arc<Shelf>) -> Self {
        let plant = plant(site, &PlantOptions::default()).unwrap();
        Self::run(site, plant, Wish { publication: Some(publication), ..Wish::default() }).await
    }

    /// Serves a plant that a test made itself.
    pub(crate) async fn run(site: &Site, mut plant: Plant, wish: Wish) -> Self {
        let mut sources = std::mem::take(&mut plant.sources);
        let pump = wish.pump.then(|| Pump::start(plant.hub.clone(), plant.clock, std::mem::take(&mut sources)));
        let (stop_streams, stopping) = watch::channel(false);
        let app = Self::app(site, plant, wish, stopping);
        let (hub, clock) = (app.hub.clone(), app.clock);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(life::run(listener, app.clone(), stop_streams, async move { drop(stopped.await) }));
        Self { address, hub, app, stop: Some(stop), server: Some(server), pump, sources, clock, _folder: None }
    }

    /// What a server answers with.
    pub(crate) fn app(site: &Site, plant: Plant, wish: Wish, stopping: watch::Receiver<bool>) -> Arc<App> {
        let access = site.loaded.sources.iter().fold(wish.access, |access, def| match &def.kind {
            SourceKind::WebSocket { token: Some(from), .. } => {
                access.with_source(&def.id, &token_of(site, &def.id, from, &mut Vec::new()).unwrap().token)
            }
            _ => access,
        });
        let config = ServerConfig { capabilities: plant.capabilities, ..wish.config };
        Arc::new(App {
            hub: plant.hub,
            clock: plant.clock,
            page: Page::choose(wish.web.as_deref()),
            site_hash: publish::identity::of_site(site),
            publication: wish
                .publication
                .unwrap_or_else(|| Arc::new(Shelf::of(publish::compile(site, at(0)).map(|it| it.publication)))),
            inboxes: plant.inboxes,
            peers: Peers::new(&config),
            config,
            access,
            stopping,
        })
    }

    /// How the server ends by itself.
    pub(crate) async fn ended(&mut self) -> std::io::Result<()> {
        tokio::time::timeout(PATIENCE, self.server.take().unwrap()).await.unwrap().unwrap()
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.server.take().unwrap()).await.unwrap().unwrap().unwrap();
        let pump = self.pump.take();
        tokio::task::spawn_blocking(move || drop(pump)).await.unwrap();
    }

    /// What the pump does in a round.
    pub(crate) fn step(&mut self) {
        step(&self.hub, self.clock.now(), &mut self.sources, &mut Polled::default());
    }

    /// One float sample of a signal, and the batch that carries it.
    pub(crate) fn put(&self, signal: u32, t: Timestamp, value: f64) {
        self.hub.ingest(&[(SignalIndex(signal), Sample::new(t, Value::Float(value)))]);
        self.hub.flush();
    }

    /// A raw HTTP/1.1 exchange: status, head, body.
    pub(crate) async fn get(&self, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let host = self.address;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        let split = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), bytes[split + 4..].to_vec())
    }

    pub(crate) async fn socket(&self, path: &str, subprotocol: Option<&str>) -> Socket {
        self.try_socket(path, subprotocol, None).await.unwrap()
    }

    pub(crate) async fn try_socket(
        &self,
        path: &str,
        subprotocol: Option<&str>,
        origin: Option<&str>,
    ) -> Result<Socket, tokio_tungstenite::tungstenite::Error> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request()?;
        if let Some(name) = subprotocol {
            request.headers_mut().insert("sec-websocket-protocol", name.parse().unwrap());
        }
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (inner, _) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Socket { inner })
    }

    /// A client that has said hello.
    pub(crate) async fn client(&self, resume: Option<Resume>) -> Socket {
        let mut socket = self.socket("/stream", Some(SUBPROTOCOL_BIN)).await;
        socket.hello(resume).await;
        socket
    }
}

pub(crate) struct Socket {
    pub(crate) inner: WebSocketStream<TcpStream>,
}

impl Socket {
    pub(crate) async fn hello(&mut self, resume: Option<Resume>) {
        self.say(&ClientFrame::Hello(ClientHello { versions: vec![VERSION], agent: "test".into(), resume, token: None })).await;
    }

    pub(crate) async fn say(&mut self, frame: &ClientFrame) {
        self.inner.send(Message::Binary(encode_client(frame).into())).await.unwrap();
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.inner.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next message; pings, which the library answers, are passed over.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.inner.next()).await.expect("a message in time");
            match next.and_then(Result::ok) {
                Some(Message::Ping(_)) => {}
                other => return other,
            }
        }
    }

    /// The next frame in binary form.
    pub(crate) async fn frame(&mut self) -> ServerFrame {
        match self.message().await {
            Some(Message::Binary(bytes)) => decode_server(&bytes, &Limits::SERVER_FRAMES).unwrap(),
            other => panic!("no frame but {other:?}"),
        }
    }

    /// The next frame of the wanted kind; others are passed over.
    pub(crate) async fn until<T>(&mut self, want: impl Fn(ServerFrame) -> Option<T>) -> T {
        loop {
            if let Some(found) = want(self.frame().await) {
                return found;
            }
        }
    }

    /// The close frame's code and reason, after the protocol's own word.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let mut said = None;
        loop {
            match self.message().await {
                Some(Message::Binary(bytes)) => {
                    if let Ok(ServerFrame::Close(close)) = decode_server(&bytes, &Limits::SERVER_FRAMES) {
                        said = Some(close);
                    }
                }
                Some(Message::Close(Some(frame))) => {
                    let said = said.expect("a close frame of the protocol comes first");
                    assert_eq!(said.code, u16::from(frame.code));
                    return (said.code, said.reason);
                }
                Some(_) => {}
                None => panic!("the connection broke without a word"),
            }
        }
    }
}

/// Completes when the server has closed the connection; what it says before is passed over.
pub(crate) async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is a close, too.
    drop(tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed in time"));
}

/// The batch's values by id.
pub(crate) fn values(entries: &[Entry]) -> Vec<(u32, Value)> {
    entries.iter().map(|entry| (entry.id.0, entry.sample.value.clone())).collect()
}

/// The built program, run to its end: exit code, output, errors. One that does not end is killed and fails the test: it would
/// hold up everything after it.
pub(crate) fn orrery(args: &[&str]) -> (i32, String, String) {
    use std::process::{Command, Stdio};
    let mut command = Command::new(env!("CARGO_BIN_EXE_orrery"));
    // The project's own fixtures have their data outside of their folder; this is where they may read it.
    if let Some(data) = shared_folder() {
        command.env("ORRERY_SHARED", data);
    }
    let mut child = command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (out, err) = (all_of(child.stdout.take().unwrap()), all_of(child.stderr.take().unwrap()));
    let begun = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if begun.elapsed() > PROGRAM {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    let Some(status) = status else { panic!("orrery {args:?} does not end: {out}{err}") };
    (status.code().unwrap_or(-1), out, err)
}

/// Reads a pipe to its end, so that whoever writes it never waits.
fn all_of(mut pipe: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

fn shared_folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("ORRERY_SHARED").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The folder of shared data; a visible line where it is absent.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let folder = shared_folder();
    if folder.is_none() {
        eprintln!("SKIPPED (no shared data): {test}");
    }
    folder
}

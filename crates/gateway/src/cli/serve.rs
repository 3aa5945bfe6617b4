//! `orrery serve`, and the parts of it that `replay` shares.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use twin_model::Timestamp;

use super::door::{self, DoorArgs};
use super::keep::Keep;
use crate::accept::connections_possible;
use crate::access::NamedToken;
use crate::app::App;
use crate::arrival::Door;
use crate::assemble::{Plant, PlantOptions, plant};
use crate::config::{ServerConfig, source_list};
use crate::history::{Setup, SyncPolicy};
use crate::hub::Hub;
use crate::life::{self, Doorway};
use crate::page::Page;
use crate::peers::Peers;
use crate::publish;
use crate::publish::shelf::Shelf;
use crate::publisher::{Origin, Publisher};
use crate::sources::Pump;
use crate::{GatewayError, term};

/// Port that is tried first; `orrery` on a phone keypad would be longer.
const PORT: u16 = 7077;
/// Ports tried after it where none was asked for.
const MORE_PORTS: u16 = 10;

/// Arguments of `orrery serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    #[command(flatten)]
    site: super::SiteArg,
    #[command(flatten)]
    listen: ListenArgs,
    /// Folder for history; without it history lives in memory and ends with the program
    #[arg(long, value_name = "DIR", value_parser = super::data_folder())]
    data: Option<PathBuf>,
    /// Folder for what viewers get of the site, with its earlier revisions; default: publication in the data folder, else memory
    /// only
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Megabytes of history in memory
    #[arg(long, value_name = "MB", default_value_t = 256)]
    memory: usize,
    /// What a commit to the data folder survives
    #[arg(long, value_name = "POLICY", default_value = "full", requires = "data")]
    sync: SyncPolicy,
    /// Longest wait, in milliseconds, for other samples to be committed with
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    commit_ms: u64,
    /// How long history is kept, by level: raw, 5min or 1h, and an age or a size, for example raw=30d, raw=20GB; may be repeated
    #[arg(long, value_name = "LEVEL=LIMIT", value_parser = super::keep::keep, requires = "data")]
    keep: Vec<Keep>,
    /// Replaces the replay speed of CSV sources: a number, 1 is real time, or max
    #[arg(long, value_parser = super::speed)]
    speed: Option<f64>,
    /// What the server's clock shows at the start, instead of now: a demonstration or a test on a day of one's choice
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    clock: Option<Timestamp>,
}

/// Arguments of every command that serves.
#[derive(Debug, clap::Args)]
pub(super) struct ListenArgs {
    #[command(flatten)]
    door: DoorArgs,
    /// Address and port; default 127.0.0.1:7077 or the next free port
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Folder of the built page; default: the page inside the program, else the one that a package laid beside it
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// Open the page in a browser
    #[arg(long)]
    open: bool,
    /// Pages that may show this one in a frame, as a CSP source list
    #[arg(long, value_name = "SOURCES", default_value = "'self'", value_parser = source_list)]
    frame_ancestors: String,
    /// Clients at a time
    #[arg(long, value_name = "N", default_value_t = 500)]
    max_clients: usize,
    /// Connections at a time; default: twice the clients and 1,024, at most what the system allows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,
    /// What one address may have of connections, clients and senders, in percent; 100 behind a proxy
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
    address_share: u8,
}

impl ListenArgs {
    pub(super) fn config(&self) -> ServerConfig {
        let wanted = self.max_connections.map_or_else(|| Peers::connections_for(self.max_clients), |n| n as usize);
        let possible = connections_possible().unwrap_or(usize::MAX);
        if self.max_connections.is_some() && possible < wanted {
            term::warn(&format!(
                "the system allows {possible} connections of the {wanted} asked for; raise its limit (ulimit -n)"
            ));
        }
        ServerConfig {
            connections: Some(wanted.min(possible)),
            address_share: self.address_share,
            frame_ancestors: self.frame_ancestors.clone(),
            max_clients: self.max_clients,
            ..ServerConfig::default()
        }
    }

    pub(super) fn page(&self) -> Result<Page> {
        let page = Page::of_program(self.web.as_deref(), std::env::current_exe().ok().as_deref());
        if let (Page::Folder { root, .. }, false) = (&page, page.exists()) {
            anyhow::bail!("{} holds no index.html; build the page with: cargo xtask web", root.display());
        }
        if !page.exists() {
            term::warn(
                "the viewer's page is not in this program, nor in share/orrery/web beside its folder bin; build it with: cargo demo \
                 --build-only",
            );
        }
        Ok(page)
    }
}

pub(super) fn run(args: &ServeArgs) -> Result<u8> {
    let (site, _) = args.site.usable()?;
    let memory_bytes = args.memory.max(8) << 20;
    let setup = Setup { commit_every: Duration::from_millis(args.commit_ms), retention: super::keep::retention(&args.keep) };
    let mut remarks = Vec::new();
    let now = args.clock.unwrap_or_else(crate::clock::wall);
    if !site.loaded.times.years.contains(now) {
        let years = site.loaded.times.years;
        remarks.push(format!(
            "the clock says {now}, which is not within the years {years}: set it; until then readings without a time are refused"
        ));
    }
    let tokens = door::tokens(&site, &mut remarks)?;
    let (data, sync, speed) = (args.data.clone(), args.sync, args.speed);
    let options = PlantOptions { data, memory_bytes, setup, sync, speed, clock: args.clock, ..PlantOptions::default() };
    let name = site.loaded.model.site().name.clone();
    let pushed = site.loaded.sources.iter().filter(|def| matches!(def.kind, twin_site::SourceKind::WebSocket { .. }));
    let pushed = Some(pushed.map(|def| def.id.clone()).collect());
    let named = Named { name, tokens, pushed, data: args.data.clone() };
    let allowed = args.site.allow.allow_dir.clone();
    let cache = args.cache.clone().or_else(|| args.data.as_deref().map(publication_in));
    let load = move || {
        let mut plant = plant(&site, &options)?;
        plant.remarks.append(&mut remarks);
        let hash = publish::identity::of_site(&site);
        let shelf = cache.map_or_else(Shelf::default, |folder| Shelf::over(folder, &plant.hub.model().site().id));
        let origin = Origin::Site { site: Box::new(site), allowed };
        Ok(Loaded { plant, hash, shelf, origin })
    };
    serve(load, named, &args.listen)
}

/// What is known of what is served before it is loaded.
pub(super) struct Named {
    /// The site's name, for people.
    pub(super) name: String,
    /// Tokens of sources.
    pub(super) tokens: Vec<NamedToken>,
    /// Sources that senders push to; none where it is not a site that is served.
    pub(super) pushed: Option<Vec<String>>,
    /// The data folder, where there is one.
    pub(super) data: Option<PathBuf>,
}

/// What is served.
pub(super) struct Loaded {
    /// Samples and sources.
    pub(super) plant: Plant,
    /// Another one where another site is served.
    pub(super) hash: String,
    /// Where its publication goes.
    pub(super) shelf: Shelf,
    /// What that is made of.
    pub(super) origin: Origin,
}

/// Where a server keeps what it publishes, in a data folder.
pub(super) fn publication_in(data: &Path) -> PathBuf {
    data.join(crate::history::PUBLICATION)
}

/// Loads a plant and serves it until someone stops it. Listens from the start: `/readyz` tells how far it is.
pub(super) fn serve(load: impl FnOnce() -> Result<Loaded> + Send + 'static, named: Named, listen: &ListenArgs) -> Result<u8> {
    let Named { name, tokens, pushed, data } = named;
    let page = listen.page()?;
    let mut config = listen.config();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start the runtime")?;
    let hub = runtime.block_on(async {
        let listener = bind(listen.listen.as_deref()).await?;
        let address = listener.local_addr().context("the listener has no address")?;
        if let Some(folder) = &data {
            // The audit log and a certificate may be kept in it. Where it can't be made, loading says so in words.
            std::fs::create_dir_all(folder).ok();
        }
        let access = listen.door.access(address, listen.listen.as_deref(), &tokens, data.as_deref())?;
        for remark in pushed.iter().flat_map(|pushed| door::aimless(&access.grants(), pushed)) {
            term::warn(&remark);
        }
        let tls = listen.door.tls(address, data.as_deref())?;
        if tls.is_none() && access.asks() && !address.ip().is_loopback() {
            term::warn("tokens cross the network readable for everybody on the way; add --tls-cert and --tls-key");
        }
        let (stop, stopping) = watch::channel(false);
        let stopped = stopped()?;
        let peers = Peers::new(&config);
        let url = url(address, tls.is_some());
        let door = Doorway::new(listener, tls.map_or_else(Door::plain, Door::tls), peers.seats.clone(), &config);
        let (mut running, mut publishing) = (None, None);
        let loading = async {
            let loaded = tokio::task::spawn_blocking(load).await.context("loading broke")??;
            let Loaded { mut plant, hash: site_hash, shelf, origin } = loaded;
            for remark in &plant.remarks {
                term::warn(remark);
            }
            config.capabilities = plant.capabilities;
            let (hub, clock, inboxes) = (plant.hub.clone(), plant.clock, std::mem::take(&mut plant.inboxes));
            running = Some(Pump::start(hub.clone(), clock, std::mem::take(&mut plant.sources)));
            let publication = Arc::new(shelf);
            let app = Arc::new(App { peers, hub, clock, page, site_hash, publication, inboxes, access, config, stopping });
            publishing = Some(Publisher::new(origin, app.publication.clone(), app.clock).start(app.hub.vitals()));
            term::note(&format!("{name} is served at"));
            term::say(&url);
            if listen.open {
                open(&url);
            }
            Ok::<_, anyhow::Error>(app)
        };
        let ended = life::run_loading(door, stop, stopped, loading).await;
        drop(publishing);
        // The pump's last batch must be on disk before the hub goes.
        tokio::task::spawn_blocking(move || drop(running)).await.context("the sources did not stop")?;
        let app = ended.context("the server ended")?;
        term::note("stopped");
        Ok::<_, anyhow::Error>(app.map(|app| app.hub.clone()))
    })?;
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(hub.as_deref().map_or(0, verdict))
}

/// The exit code of a server that was stopped: 2, and a word, where something of what came in is not kept.
fn verdict(hub: &Hub) -> u8 {
    let unreadable = hub.persist().and_then(|persist| {
        persist.look();
        persist.unreadable().map(str::to_owned)
    });
    if let Some(why) = unreadable {
        term::warn(&format!(
            "kept history can't be read: {why}; what came since that was found is lost, what was there before is saved as far as it \
             can be by `orrery fsck --repair`"
        ));
        return 2;
    }
    if !kept(hub) {
        term::warn("the last samples could not be written, and are lost");
        return 2;
    }
    0
}

/// Whether everything that came in is kept as it was promised; tries once more.
fn kept(hub: &Hub) -> bool {
    let Some(persist) = hub.persist() else { return true };
    // What did not reach the journal when it came, from memory.
    hub.mend();
    persist.sync() && (!persist.outlives() || (*hub.durable().borrow() >= hub.seq() && *persist.losses().borrow() == 0))
}

async fn bind(wanted: Option<&str>) -> Result<TcpListener, GatewayError> {
    let failed = |address: String, source| GatewayError::Listen { address, source };
    if let Some(address) = wanted {
        return TcpListener::bind(address).await.map_err(|source| failed(address.to_owned(), source));
    }
    for port in (PORT..PORT + MORE_PORTS).chain([0]) {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) if port == PORT => return Ok(listener),
            Ok(listener) => {
                let now = listener.local_addr().map_or(port, |address| address.port());
                term::warn(&format!(
                    "port {PORT} is taken, most likely by another orrery: this one is at {now}, and what is sent to {PORT} goes to the \
                     other; name a port with --listen to be refused instead"
                ));
                return Ok(listener);
            }
            Err(source) if port == 0 => return Err(failed("127.0.0.1".to_owned(), source)),
            Err(_) => {}
        }
    }
    Err(failed("127.0.0.1".to_owned(), std::io::ErrorKind::AddrInUse.into()))
}

/// The address that a browser on this machine can open.
fn url(address: SocketAddr, secure: bool) -> String {
    let host = if address.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else if address.is_ipv6() {
        format!("[{}]", address.ip())
    } else {
        address.ip().to_string()
    };
    format!("{}://{host}:{}/", if secure { "https" } else { "http" }, address.port())
}

/// Completes at Ctrl-C, or SIGTERM where there is such a thing. Listens from the call on, not from the first poll: whoever
/// reads the printed address may stop the program at once.
fn stopped() -> Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupted = signal(SignalKind::interrupt()).context("can't listen for Ctrl-C")?;
        let mut terminated = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
        Ok(async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn open(url: &str) {
    let (program, args): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let mut command = std::process::Command::new(program);
    command.args(args).arg(url).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    if command.stderr(std::process::Stdio::null()).spawn().is_err() {
        term::note("no browser could be opened; open the address above yourself");
    }
}

/// Where relative paths in messages are shown from.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

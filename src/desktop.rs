//! The desktop program: opens a site, a recording or a running gateway in a window.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to people")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use orrery::session::Place;

const HELP: &str = "\
Orrery's viewer in a window

{program} SITE       a folder with a site.toml, or the file itself: served from inside, offline
{program} RECORDING  an .orrec file
{program} URL        a running gateway, for example http://127.0.0.1:7077, or what orrery publish
                  wrote on a web server: https://plants.example/north/manifest.json
{program}            the site in this folder

  --view TEXT     a view as in a link, for example 't=2026-03-02T08:15:04Z&sel=filler-01'
  --token-file F  file with the token that the gateway asks for; default: the environment variable ORRERY_TOKEN
  --tls-ca FILE   authorities that may vouch for the gateway, PEM; default: those of the system
  --size WxH      size of the window
  --version       its version";

/// The help under the name that the program was called by: packages install it under another.
fn help() -> String {
    let called = std::env::args_os().next();
    let name = called.as_deref().and_then(|path| Path::new(path).file_stem()?.to_str()).unwrap_or("viewer");
    HELP.replace("{program}", name)
}

/// The demo plant, where the program is run from the project's folder.
const DEMO: &str = "assets/sites/bottling";

/// What the arguments ask for.
#[derive(Default)]
struct Asked {
    target: Option<String>,
    token_file: Option<String>,
    authorities: Option<String>,
    start: orrery::Start,
}

/// Reads the arguments. Where no window is to be opened, everything is said, and the exit code is what is left to do.
fn asked(mut args: impl Iterator<Item = String>) -> Result<Asked, ExitCode> {
    let mut asked = Asked::default();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => {
                println!("{}", help());
                return Err(ExitCode::SUCCESS);
            }
            "--version" | "-V" => {
                println!("orrery viewer {}", env!("CARGO_PKG_VERSION"));
                return Err(ExitCode::SUCCESS);
            }
            "--view" => asked.start.fragment = args.next().unwrap_or_default().trim_start_matches('#').to_owned(),
            "--token-file" => asked.token_file = args.next(),
            "--tls-ca" => asked.authorities = args.next(),
            "--size" => {
                let text = args.next().unwrap_or_default();
                asked.start.size = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
                if asked.start.size.is_none() {
                    return Err(refused(&format!("--size wants WIDTHxHEIGHT, for example 1280x720, not '{text}'")));
                }
            }
            _ if asked.target.is_none() => asked.target = Some(arg),
            other => return Err(refused(&format!("unknown argument '{other}'\n{}", help()))),
        }
    }
    Ok(asked)
}

/// Says why there will be no window.
fn refused(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}

/// Reads the arguments and runs the window.
pub(crate) fn main() -> ExitCode {
    let Asked { target, token_file, authorities, mut start } = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(code) => return code,
    };
    let here = || ["site.toml", DEMO].into_iter().find(|path| Path::new(path).exists()).map(str::to_owned);
    let Some(target) = target.or_else(here) else {
        return refused(&format!("there is no site.toml in this folder; say what to open\n\n{}", help()));
    };
    if let Some(missing) = no_display() {
        return refused(&format!("{missing}\n{}", instead(&target)));
    }
    orrery::platform::install_panic_hook(&instead(&target));
    start.place = match reach(&target, token_file.as_deref(), authorities.as_deref().map(Path::new)) {
        Ok(place) => place,
        Err(why) => return refused(&why),
    };
    match orrery::run(start) {
        bevy::app::AppExit::Success => ExitCode::SUCCESS,
        bevy::app::AppExit::Error(code) => ExitCode::from(code.get()),
    }
}

/// Where the target is served: by who runs already and gets our token, or else by a gateway inside this program.
fn reach(target: &str, token_file: Option<&str>, authorities: Option<&Path>) -> Result<Place, String> {
    let secure = target.starts_with("https://");
    if secure || target.starts_with("http://") {
        orrery::platform::set_credentials(token(token_file)?, secure, authorities)?;
        return Ok(place_of(target));
    }
    start_gateway(target).map(Place::Gateway)
}

/// What an address names: a gateway, or the manifest of a copy that lies beside it.
fn place_of(url: &str) -> Place {
    match url.strip_suffix("/manifest.json") {
        Some(folder) => Place::Folder(folder.to_owned()),
        None => Place::Gateway(url.trim_end_matches('/').to_owned()),
    }
}

/// What to do where no window can be had.
fn instead(target: &str) -> String {
    if target.starts_with("http://") || target.starts_with("https://") {
        format!("Open {target} in a browser instead.")
    } else {
        let command = if target.ends_with(".orrec") { "replay" } else { "serve" };
        format!("Open it in a browser instead: orrery {command} --open {target}")
    }
}

/// Why there can be no window, where that is known beforehand.
fn no_display() -> Option<&'static str> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let missing = cfg!(all(unix, not(target_os = "macos"))) && !set("DISPLAY") && !set("WAYLAND_DISPLAY");
    missing.then_some("There is no display: neither DISPLAY nor WAYLAND_DISPLAY is set, so that no window can be opened.")
}

/// The token for a gateway that asks for one.
fn token(file: Option<&str>) -> Result<Option<twin_model::Secret>, String> {
    let text = match file {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| format!("can't read {path}: {error}"))?),
        None => std::env::var("ORRERY_TOKEN").ok(),
    };
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')) {
        return Err("the token holds something that no token holds; is it the right file?".to_owned());
    }
    Ok(text.map(twin_model::Secret::new))
}

/// Starts a gateway inside this program, so that a site opens offline, and says its address; it ends with the window.
#[allow(clippy::disallowed_methods, reason = "the gateway runs beside the window")]
fn start_gateway(target: &str) -> Result<String, String> {
    let path = Path::new(target);
    if !path.exists() {
        return Err(format!("there is no '{target}'; give a site folder, a recording or an http:// address"));
    }
    let recording = path.extension().is_some_and(|extension| extension == "orrec");
    let address = free_address().map_err(|error| format!("no port to serve from: {error}"))?;
    let listen = address.to_string();
    let command = if recording { "replay" } else { "serve" };
    let args = ["orrery", command, target, "--listen", &listen].map(std::ffi::OsString::from);
    // It also takes Ctrl-C and the system's wish to end, and returns: the window goes with it.
    std::thread::spawn(move || {
        let code = gateway::cli::run(args);
        std::process::exit(if code == ExitCode::SUCCESS { 0 } else { 2 });
    });
    wait_for(address)?;
    Ok(format!("http://{address}"))
}

/// An address on this machine that nobody listens at.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

/// Waits until the gateway has loaded; it says itself why it does not start. It listens earlier, and lets who asks for the site wait.
#[allow(clippy::disallowed_methods, reason = "nothing is on screen yet")]
fn wait_for(address: SocketAddr) -> Result<(), String> {
    for _ in 0..600 {
        if has_loaded(address).unwrap_or(false) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the gateway inside did not start within 30 s".to_owned())
}

/// Whether the gateway has a site to show; it may still be compiling it, which the window says.
fn has_loaded(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(100))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(format!("HEAD /api/catalogue HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}

//! Desktop: threads for sockets and downloads, a settings file, no address bar.
#![allow(clippy::disallowed_methods, reason = "this module is where clocks are read and threads are started")]

mod fetch;
mod socket;
mod wire;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use twin_model::{Secret, Timestamp};

pub use fetch::Fetch;
pub use socket::Socket;
pub use wire::set_credentials;

/// The fragment given on the command line; the desktop has no address bar.
static FRAGMENT: Mutex<String> = Mutex::new(String::new());

pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

pub(super) fn monotonic() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// The token went in a header.
pub(super) fn greeting_token() -> Option<Secret> {
    None
}

/// The token was given at the start; nobody can be asked for another.
pub(super) fn shut_out() -> bool {
    false
}

pub(super) fn fragment() -> String {
    FRAGMENT.lock().map(|text| text.clone()).unwrap_or_default()
}

pub(super) fn set_fragment(fragment: &str) {
    if let Ok(mut text) = FRAGMENT.lock() {
        fragment.clone_into(&mut text);
    }
}

pub(super) fn link_with(fragment: &str) -> String {
    format!("orrery:#{fragment}")
}

fn settings_file(key: &str) -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(base.join("orrery").join(key))
}

pub(super) fn load_setting(key: &str) -> Option<String> {
    std::fs::read_to_string(settings_file(key)?).ok()
}

pub(super) fn store_setting(key: &str, value: &str) {
    let Some(file) = settings_file(key) else { return };
    // A setting that can't be kept is no reason to bother anyone.
    let _kept = file.parent().map(std::fs::create_dir_all).and_then(Result::ok).map(|()| std::fs::write(&file, value));
}

pub(super) fn prefers_light() -> bool {
    false
}

pub(super) fn prefers_reduced_motion() -> bool {
    std::env::var_os("ORRERY_REDUCED_MOTION").is_some()
}

/// Whether the first picture was shown.
static READY: AtomicBool = AtomicBool::new(false);

/// A window shows its progress in its panels.
pub(super) const HAS_COVER: bool = false;

pub(super) fn progress(_words: &str, _share: f32, _detail: &str) {}

pub(super) fn announce_ready() {
    READY.store(true, Ordering::Release);
}

pub(super) fn graphics_failed(message: &str) {
    tracing::error!("graphics: {message}");
}

pub(super) fn reload() {}

/// Until the first picture a panic means that there is no window system or no graphics driver: words instead of a backtrace,
/// and the end of the program, because the engine's other threads would wait for ever.
pub(super) fn install_panic_hook(instead: &str) {
    let (usual, instead) = (std::panic::take_hook(), instead.to_owned());
    std::panic::set_hook(Box::new(move |panic| {
        // Others than the engine's threads (a gateway inside, a download) have faults of their own.
        let thread = std::thread::current();
        let engine = thread.name().is_some_and(|name| name == "main" || name.contains("Task Pool"));
        if READY.load(Ordering::Acquire) || !engine {
            return usual(panic);
        }
        let why = panic.payload_as_str().unwrap_or("the engine gave no reason");
        let why = why.lines().next().unwrap_or_default();
        complain(&format!(
            "The window could not be opened: {why}\nIt needs a display and a graphics driver (Vulkan, Metal or DirectX 12).\n{instead}"
        ));
        std::process::exit(2);
    }));
}

#[allow(clippy::print_stderr, reason = "there is no window to say it in")]
fn complain(words: &str) {
    eprintln!("{words}");
}

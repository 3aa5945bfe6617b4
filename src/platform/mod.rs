//! The only place that knows which platform this is: clocks, sockets, downloads, the address bar, stored settings.
//!
//! `native` and `web` implement the same functions under the same names. Nothing here knows twins or Bevy.

mod queue;

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
use native as imp;
#[cfg(target_arch = "wasm32")]
use web as imp;

use std::sync::Arc;

use twin_model::{Secret, Timestamp};

pub use imp::{Fetch, Socket};
#[cfg(not(target_arch = "wasm32"))]
pub use native::set_credentials;
pub use queue::{Inbox, SOCKET_QUEUE_BYTES};

/// Called from callbacks and threads to have a frame drawn soon.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Whether a message is worth a frame by itself; others are taken in with the next one, or when many wait.
pub type Heeds = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// Something that happened on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// The connection stands.
    Opened,
    /// A binary message.
    Message(Vec<u8>),
    /// The queue was full: everything waiting was dropped. The connection must be made anew to be whole again.
    Overflowed,
    /// The connection ended or could not be made.
    Closed {
        /// Close code, 0 where there was none.
        code: u16,
        /// Words, for the banner.
        reason: String,
    },
}

/// Where a download stands.
#[derive(Debug, Clone, PartialEq)]
pub enum FetchState {
    /// Under way.
    Running {
        /// Bytes so far.
        seen: u64,
        /// Bytes in all, where the server says.
        total: Option<u64>,
    },
    /// Here; handed out once.
    Done(Vec<u8>),
    /// Failed, with a sentence that says why.
    Failed(String),
    /// Not there yet: the server asks to come back in so many seconds. Handed out once.
    Later(f64),
    /// Its result was taken already.
    Taken,
}

/// Why a download gave nothing.
#[derive(Debug)]
enum Refusal {
    /// For good.
    Failed(String),
    /// For so many seconds.
    Later(f64),
}

/// Longest pause between two questions that a server may ask for, in seconds.
const LONGEST_PAUSE_S: f64 = 30.0;

impl Refusal {
    /// What an answer means that says 503: in `Retry-After` stand seconds (RFC 9110, 10.2.3), a date is as good as one.
    fn busy(retry_after: Option<&str>) -> Option<Self> {
        let seconds = retry_after?.trim().parse().unwrap_or(1.0_f64);
        Some(Self::Later(if seconds.is_nan() { 1.0 } else { seconds.clamp(0.1, LONGEST_PAUSE_S) }))
    }
}

impl From<Result<Vec<u8>, Refusal>> for FetchState {
    fn from(outcome: Result<Vec<u8>, Refusal>) -> Self {
        match outcome {
            Ok(bytes) => Self::Done(bytes),
            Err(Refusal::Failed(why)) => Self::Failed(why),
            Err(Refusal::Later(seconds)) => Self::Later(seconds),
        }
    }
}

/// The token that has to be in the greeting of a stream; `None` where it went in a header, or there is none.
pub fn greeting_token() -> Option<Secret> {
    imp::greeting_token()
}

/// The gateway does not let us in any more. True where a person is asked for another token now, so that trying again with this one
/// makes no sense.
pub fn shut_out() -> bool {
    imp::shut_out()
}

/// The wall clock.
pub fn now() -> Timestamp {
    imp::now()
}

/// Seconds since some moment, never going backwards.
pub fn monotonic() -> f64 {
    imp::monotonic()
}

/// The folder that the page lies in beside a publication; of a page that a gateway sent there is none.
#[cfg(target_arch = "wasm32")]
pub fn folder() -> Option<String> {
    web::folder()
}

/// The part of the address after `#`: the shareable view. Empty on the desktop unless given at start.
pub fn fragment() -> String {
    imp::fragment()
}

/// Replaces the part after `#` without adding to the history of the browser.
pub fn set_fragment(fragment: &str) {
    imp::set_fragment(fragment);
}

/// A full link to this page with that fragment.
pub fn link_with(fragment: &str) -> String {
    imp::link_with(fragment)
}

/// A stored setting.
pub fn load_setting(key: &str) -> Option<String> {
    imp::load_setting(key)
}

/// Stores a setting; lost silently where the platform keeps none.
pub fn store_setting(key: &str, value: &str) {
    imp::store_setting(key, value);
}

/// Whether the person prefers light surfaces.
pub fn prefers_light() -> bool {
    imp::prefers_light()
}

/// Whether the person asked for less motion.
pub fn prefers_reduced_motion() -> bool {
    imp::prefers_reduced_motion()
}

/// Whether the page covers the viewer until the first picture and shows its progress itself.
pub const HAS_COVER: bool = imp::HAS_COVER;

/// Bytes of a scene's levels that are held besides the coarsest ones. What is drawn takes about as much again, and rays two thirds of it:
/// in a page all of it stays within half a gigabyte.
pub const SCENE_BYTES: u64 = if HAS_COVER { 160 << 20 } else { 1 << 30 };

/// Says on the cover how loading goes; `share` is of the whole, from 0 to 1.
pub fn progress(words: &str, share: f32, detail: &str) {
    imp::progress(words, share, detail);
}

/// Tells the page that the first picture is there.
pub fn announce_ready() {
    imp::announce_ready();
}

/// Shows the panel of last resort for a graphics failure.
pub fn graphics_failed(message: &str) {
    imp::graphics_failed(message);
}

/// Starts over.
pub fn reload() {
    imp::reload();
}

/// Makes panics readable: a panel in the page; on the desktop, until the first picture, words on the terminal with what to do
/// instead. Call once, first.
pub fn install_panic_hook(instead: &str) {
    imp::install_panic_hook(instead);
}

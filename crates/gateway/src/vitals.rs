//! Which parts of this program live. A thread that breaks is noticed at once, by a stated rule: what keeps or numbers samples is
//! fatal (the program ends with words and a code, and whoever started it starts it again), because a server without it would go
//! on smiling and keep nothing; a source is given up, and the others go on; a connection is its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::watch;

use crate::clock::instant;

/// A pump that did not ask the sources for this long is stuck.
const STALLED: Duration = Duration::from_secs(30);
/// Deaths that are remembered; a program that has more of them has other troubles.
const REMEMBERED: usize = 32;

/// Something that broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// What it was, for example `thread writer`.
    pub what: String,
    /// Its last words.
    pub why: String,
    /// Whether the program ends for it.
    pub fatal: bool,
}

/// See the module's head.
#[derive(Debug)]
pub struct Vitals {
    deaths: Mutex<Vec<Death>>,
    fatal: watch::Sender<Option<String>>,
    beat: Mutex<Option<Instant>>,
    /// Connections whose task broke.
    pub broken_connections: AtomicU64,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            deaths: Mutex::default(),
            fatal: watch::Sender::new(None),
            beat: Mutex::default(),
            broken_connections: AtomicU64::new(0),
        }
    }
}

impl Vitals {
    /// Starts a thread whose death is fatal.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn spawn(self: &Arc<Self>, name: &'static str, body: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
        let vitals = self.clone();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
                vitals.died(format!("thread {name}"), last_words(panic.as_ref()), true);
            }
        })
    }

    /// Does something whose breaking costs only itself.
    ///
    /// # Errors
    /// Its last words where it broke.
    pub fn attempt(&self, what: impl FnOnce() -> String, work: impl FnOnce()) -> Result<(), String> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
            let why = last_words(panic.as_ref());
            self.died(what(), why.clone(), false);
            why
        })
    }

    /// Attends to one connection. Where that breaks, it is counted, and the connection is gone.
    pub(crate) async fn attend(&self, talk: impl Future<Output = ()>) {
        if AssertUnwindSafe(talk).catch_unwind().await.is_err() {
            self.broken_connections.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A part without which the program is of no use could not be had.
    pub(crate) fn broke(&self, what: &str, why: &str) {
        self.died(what.to_owned(), why.to_owned(), true);
    }

    fn died(&self, what: String, why: String, fatal: bool) {
        let words = format!("{what} broke: {why}");
        crate::term::warn(&words);
        let mut deaths = self.lock();
        if deaths.len() < REMEMBERED {
            deaths.push(Death { what, why, fatal });
        }
        drop(deaths);
        if fatal {
            self.fatal.send_if_modified(|first| {
                let new = first.is_none();
                first.get_or_insert(words);
                new
            });
        }
    }

    /// What broke, in order.
    pub fn deaths(&self) -> Vec<Death> {
        self.lock().clone()
    }

    /// What the program has to end for, once there is something.
    pub async fn fatal(&self) -> String {
        let mut fatal = self.fatal.subscribe();
        // The sender is this one; it cannot be gone.
        fatal.wait_for(Option::is_some).await.ok().and_then(|why| why.clone()).unwrap_or_default()
    }

    /// Whether the program has to end.
    pub fn is_fatal(&self) -> bool {
        self.fatal.borrow().is_some()
    }

    /// The pump made a round.
    pub(crate) fn beat(&self) {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = Some(instant());
    }

    /// How long ago the pump's last round was, where that is too long.
    pub fn stalled(&self) -> Option<Duration> {
        let beat = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        beat.map(|beat| beat.elapsed()).filter(|silent| *silent > STALLED)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Death>> {
        self.deaths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a panic said, shortened.
fn last_words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "without a word".to_owned()).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Vitals {
        /// The pump's last round was so long ago.
        pub(crate) fn beat_before(&self, ago: Duration) {
            *self.beat.lock().unwrap() = Some(instant().checked_sub(ago).expect("a machine that runs for that long"));
        }
    }

    #[tokio::test]
    async fn a_thread_that_breaks_is_fatal_and_one_that_ends_is_not() {
        let vitals = Arc::new(Vitals::default());
        vitals.spawn("fine", || {}).unwrap().join().unwrap();
        assert!(!vitals.is_fatal());
        vitals.spawn("writer", || panic!("no {}", "paper")).unwrap().join().unwrap();
        assert_eq!(vitals.fatal().await, "thread writer broke: no paper");
        let death = Death { what: "thread writer".into(), why: "no paper".into(), fatal: true };
        assert_eq!(vitals.deaths(), [death]);
    }

    #[tokio::test]
    async fn what_breaks_alone_is_remembered_and_the_program_goes_on() {
        let vitals = Vitals::default();
        assert_eq!(vitals.attempt(|| "source 1".into(), || panic!("oops")), Err("oops".to_owned()));
        vitals.attend(async { panic!("one peer") }).await;
        assert!(!vitals.is_fatal());
        assert_eq!((vitals.deaths().len(), vitals.broken_connections.load(Ordering::Relaxed)), (1, 1));
    }
}

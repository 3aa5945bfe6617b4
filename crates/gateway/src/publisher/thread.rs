//! The thread that publishes, and what becomes of it where this program stumbles over a site.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::{BROKE, Origin, Publisher};
use crate::vitals::Vitals;

/// How often files are looked at. A change is in force after two looks that are alike, and a compile.
pub const LOOK: Duration = Duration::from_secs(2);

/// The thread that publishes. Dropping this ends it after what it does at the moment, which nobody waits for: what it writes is whole at
/// every moment.
pub struct Publishing {
    _hold: Sender<()>,
}

impl Publisher {
    /// Publishes in the background until the result is dropped. Where the thread dies the program ends with words, as with every thread
    /// whose work somebody relies on.
    pub fn start(self, vitals: &Arc<Vitals>) -> Publishing {
        let (hold, stop) = channel();
        if let Err(error) = vitals.spawn("publisher", move || self.run(&stop)) {
            vitals.broke("thread publisher", &error.to_string());
        }
        Publishing { _hold: hold }
    }

    /// Publishes what there is, then looks again and again until `stop` hangs up.
    fn run(mut self, stop: &Receiver<()>) {
        if catch_unwind(AssertUnwindSafe(|| self.begin())).is_err() {
            self.shelf.fail(BROKE);
        }
        while let Some(wait) = self.pause()
            && stop.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
        {
            if catch_unwind(AssertUnwindSafe(|| self.look())).is_err() {
                self.broke();
            }
        }
    }

    /// How long nothing has to be looked at; `None` where nothing will change any more.
    fn pause(&self) -> Option<Duration> {
        match &self.origin {
            Origin::Site { .. } => self.watch.is_some().then_some(LOOK),
            Origin::Recording(playing) => self.clock.until(playing.due()?),
        }
    }

    /// A look broke. A file that somebody saved must not end a server that takes samples in: it is refused, until it looks otherwise again.
    fn broke(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.looks = watch.looks.again();
            watch.changing = None;
        }
        self.refuse(vec![BROKE.to_owned()]);
    }
}

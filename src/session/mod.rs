//! The conversation with a gateway: site, models, history and the live stream, in slices that never hold a frame up.
//!
//! Feeds the engine and says what happened; decides nothing about what is shown. Knows no Bevy. Start at [`Session::poll`].

mod clock;
mod history;
mod models;
mod site;
mod stream;

pub use clock::SiteClock;
pub use history::{HISTORY_MIB, History, level_words};
pub use models::{ModelJob, Models};
pub use site::{ServedSite, SiteJob};
pub use stream::{Attention, LinkPhase, Stream};

use twin_engine::Engine;
use twin_model::{TimeRange, Timestamp};

use crate::platform::{Fetch, FetchState, Waker};

/// Seconds between two looks at a link that is not there.
const LINK_LOOK_S: f64 = 1.0;

/// What a poll brought.
#[derive(Debug, Default)]
pub struct News {
    /// Samples arrived or links changed.
    pub data: bool,
    /// The site served is another than the one loaded: start over.
    pub site_changed: bool,
    /// Why acknowledgements were not taken, for people.
    pub refused: Vec<String>,
}

/// A stage that is shown while the first view loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What it does, for people.
    pub name: String,
    /// Bytes so far.
    pub seen: u64,
    /// Bytes in all, where known.
    pub total: Option<u64>,
    /// Whether it is over.
    pub done: bool,
    /// Why it failed.
    pub failed: Option<String>,
}

/// Everything that goes on between this viewer and one gateway.
pub struct Session {
    /// `http://host:port` without a slash at the end.
    base: String,
    waker: Waker,
    /// The site file on its way, until it is here.
    pub site: SiteJob,
    /// The models on their way.
    pub models: Models,
    stream: Stream,
    history: History,
    /// The site's clock.
    pub clock: SiteClock,
    /// Acknowledgements on their way.
    acknowledging: Vec<Fetch>,
    /// Stretches for which neither stream nor history had anything.
    pub gaps: Vec<TimeRange>,
}

impl Session {
    /// Starts talking to the gateway at `base`.
    pub fn new(base: &str, waker: Waker) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self {
            site: SiteJob::start(&base, waker.clone()),
            models: Models::default(),
            stream: Stream::new(&base, waker.clone()),
            history: History::new(&base, waker.clone()),
            clock: SiteClock::default(),
            acknowledging: Vec::new(),
            gaps: Vec::new(),
            waker,
            base,
        }
    }

    /// The stream's state, for the banner.
    pub fn link(&self) -> &Stream {
        &self.stream
    }

    /// Says what to wake for.
    pub fn attend(&self, attention: Attention) {
        self.stream.attend(attention);
    }

    /// Seconds until it has to be moved on even where nothing wakes it; infinity where a look now and then is enough. One of few
    /// numbers, whatever the time: what paces the frames draws at once when its pace changes.
    pub fn due_in(&self) -> f64 {
        // The pause until the next try is counted down on the screen.
        let link =
            if self.stream.phase() == LinkPhase::Up || self.stream.shut_out().is_some() { f64::INFINITY } else { LINK_LOOK_S };
        self.history.due_in().min(link)
    }

    /// Where loading of history stands.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Holds at most so many MiB of history from now on, within [`HISTORY_MIB`].
    pub fn set_history_budget(&mut self, megabytes: f64) {
        self.history.set_budget(megabytes);
    }

    /// Tells the pager where the person looks, and the engine where it may go; `view` is the stretch on the time bar.
    pub fn look(&mut self, engine: &mut Engine, view: Option<TimeRange>) {
        self.history.look(engine, view);
    }

    /// Begins to fetch the models of a site that arrived.
    pub fn fetch_models(&mut self, served: &ServedSite) {
        self.models = Models::start(&self.base, served, &self.waker);
    }

    /// Tells the gateway that a person has seen an alarm; that it was taken in shows in the stream.
    pub fn acknowledge(&mut self, alarm: &str) {
        let url = format!("{}/api/alarms/{}/acknowledge", self.base, encoded(alarm));
        self.acknowledging.push(Fetch::post(&url, self.waker.clone()));
    }

    /// Tries again at once what failed: the site, or the connection.
    pub fn retry(&mut self) {
        if self.site.failed().is_some() {
            self.site = SiteJob::start(&self.base, self.waker.clone());
        }
        self.stream.retry_now();
    }

    /// Moves everything forward a little; models are decoded until `until`. Both are of the monotonic clock, in seconds.
    pub fn poll(&mut self, engine: Option<&mut Engine>, site_hash: &str, now: f64, until: f64) -> News {
        let mut news = News::default();
        self.models.poll(until);
        self.acknowledging.retain(|post| match post.poll() {
            FetchState::Running { .. } => true,
            FetchState::Failed(why) => {
                news.refused.push(format!("The alarm was not acknowledged: {why}"));
                false
            }
            FetchState::Done(_) | FetchState::Taken => false,
        });
        // Without an engine samples have nowhere to go; the socket waits so that nothing is lost.
        let Some(engine) = engine else { return news };
        news.data |= self.stream.poll(engine, &mut self.clock, now);
        if let Some(hash) = self.stream.served_hash()
            && hash != site_hash
        {
            news.site_changed = true;
        }
        for gap in self.stream.take_gaps() {
            self.history.want(gap);
            self.gaps.push(gap);
            // Gaps are drawn; more than this says nothing more.
            if self.gaps.len() > 1_000 {
                self.gaps.remove(0);
            }
        }
        let site_now = self.clock.at(now);
        if let Some(extent) = self.stream.take_history_extent() {
            self.history.begin(extent, site_now.unwrap_or(Timestamp::MIN));
        }
        if let (LinkPhase::Up, Some(site_now)) = (self.stream.phase(), site_now) {
            self.history.note_streamed(site_now);
        }
        news.data |= self.history.poll(engine, &mut self.gaps);
        news
    }
}

/// A piece of a path, with everything but letters, digits and `-._~` as `%XX`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

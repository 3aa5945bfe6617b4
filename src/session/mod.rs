//! The conversation with a gateway: publication, pieces of the scene, history and the live stream, in slices that never hold a frame up.
//!
//! Feeds the engine and says what happened; decides nothing about what is shown. Knows no Bevy. Start at [`Session::poll`].

mod clock;
mod history;
mod pieces;
mod place;
mod publication;
mod revisions;
mod stream;

pub use clock::SiteClock;
pub use history::{HISTORY_MIB, History, level_words};
pub use pieces::{Arrival, Pieces, ScenePiece};
pub use place::Place;
pub use publication::{PublicationJob, Published};
pub use revisions::RevisionsJob;
pub use stream::{Attention, LinkPhase, Stream};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use twin_engine::Engine;
use twin_model::{TimeRange, Timestamp};
use twin_publication::{Manifest, PieceRef};

use crate::platform::{Fetch, FetchState, Waker};

/// What is escaped in a step of a path: everything but what RFC 3986 (2.3) calls unreserved.
const STEP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Seconds between two looks at a link that is not there.
const LINK_LOOK_S: f64 = 1.0;

/// What a poll brought.
#[derive(Debug, Default)]
pub struct News {
    /// Samples arrived or links changed.
    pub data: bool,
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
    waker: Waker,
    place: Place,
    /// The publication on its way.
    pub publication: PublicationJob,
    /// Which revisions there were.
    pub revisions: RevisionsJob,
    /// Pieces of its scene on their way.
    pub pieces: Pieces,
    /// How often the gateway had said what it serves when the publication was last asked for.
    asked_at: u32,
    stream: Stream,
    history: History,
    /// The site's clock.
    pub clock: SiteClock,
    /// Acknowledgements on their way.
    acknowledging: Vec<Fetch>,
    /// The history of a plant in files.
    listed: Option<PieceRef>,
    /// Stretches for which neither stream nor history had anything.
    pub gaps: Vec<TimeRange>,
}

impl Session {
    /// Starts talking to a gateway, or reading what lies in a folder.
    pub fn new(place: Place, waker: Waker) -> Self {
        let place = place.trimmed();
        Self {
            publication: PublicationJob::start(&place, None, &waker),
            revisions: RevisionsJob::new(&place, &waker),
            pieces: Pieces::none(&place, &waker),
            asked_at: 0,
            stream: stream_of(&place, &waker),
            history: History::new(&place, waker.clone()),
            place,
            clock: SiteClock::default(),
            acknowledging: Vec::new(),
            listed: None,
            gaps: Vec::new(),
            waker,
        }
    }

    /// Whether the plant is a copy in files, of which nothing more is to come.
    pub fn is_copy(&self) -> bool {
        self.place.is_folder()
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
        self.history.due_in().min(link).min(self.pieces.due_in()).min(self.publication.due_in()).min(self.revisions.due_in())
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

    /// The publication in force, once it is here, and again whenever the gateway serves another; `shown` is the one that is known. `now`
    /// is of the monotonic clock, in seconds.
    pub fn poll_publication(&mut self, shown: Option<&Published>, now: f64) -> Option<Published> {
        // Asked once more after each greeting, the first included: what is here may be of the server's run before. An equal manifest
        // is no news.
        let told = self.stream.tellings();
        if shown.is_some() && told != self.asked_at && self.publication.is_over() {
            self.asked_at = told;
            self.publication = PublicationJob::start(&self.place, shown.cloned(), &self.waker);
            self.revisions.renew();
        }
        let published = self.publication.poll(now)?;
        if self.place.is_folder() {
            self.revisions.note_in_force(&published.manifest);
            self.listed = published.manifest.history;
            self.history.listed_in(self.listed);
        }
        Some(published)
    }

    /// Pieces are those of this manifest's scene from now on; what was on its way is let go.
    pub fn pieces_of(&mut self, manifest: &Manifest) {
        self.pieces.of(manifest);
    }

    /// Starts stream and history over, for another model; what the site's clock shows stays known.
    pub fn start_over(&mut self) {
        self.stream = stream_of(&self.place, &self.waker);
        self.asked_at = 0;
        self.history = History::new(&self.place, self.waker.clone());
        self.history.listed_in(self.listed);
        self.gaps.clear();
    }

    /// Tells the gateway that a person has seen an alarm; that it was taken in shows in the stream.
    pub fn acknowledge(&mut self, alarm: &str) {
        let url = format!("{}/api/alarms/{}/acknowledge", self.place.base(), utf8_percent_encode(alarm, STEP));
        self.acknowledging.push(Fetch::post(&url, self.waker.clone()));
    }

    /// Tries again at once what failed: the site, or the connection.
    pub fn retry(&mut self) {
        self.publication.retry();
        self.stream.retry_now();
    }

    /// Moves stream and history forward a little. `now` is of the monotonic clock, in seconds.
    pub fn poll(&mut self, engine: Option<&mut Engine>, now: f64) -> News {
        let mut news = News::default();
        self.acknowledging.retain(|post| match post.poll() {
            FetchState::Running { .. } => true,
            FetchState::Failed(why) => {
                news.refused.push(format!("The alarm was not acknowledged: {why}"));
                false
            }
            FetchState::Later(_) => {
                news.refused.push("The alarm was not acknowledged: the server is busy; try again".to_owned());
                false
            }
            FetchState::Done(_) | FetchState::Taken => false,
        });
        // Without an engine samples have nowhere to go; the socket waits so that nothing is lost.
        let Some(engine) = engine else { return news };
        news.data |= self.stream.poll(engine, &mut self.clock, now);
        for gap in self.stream.take_gaps() {
            self.history.want(gap);
            self.gaps.push(gap);
            // Gaps are drawn; more than this says nothing more.
            if self.gaps.len() > 1_000 {
                self.gaps.remove(0);
            }
        }
        if let Some(at) = self.history.stands_at() {
            self.clock.stand(at);
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

fn stream_of(place: &Place, waker: &Waker) -> Stream {
    match place {
        Place::Gateway(base) => Stream::new(base, waker.clone()),
        Place::Folder(_) => Stream::none(waker.clone()),
    }
}

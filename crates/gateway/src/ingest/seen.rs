//! Which alarms a sender may acknowledge: those of its own source. Somebody else's are for that source's senders, and for people.

use std::net::IpAddr;
use std::sync::Arc;

use twin_model::{ACKNOWLEDGED, AlarmIndex, SignalIndex, SourceIndex};

use crate::access::{Caller, Event};
use crate::app::App;

/// The alarms of a plant as one sender sees them.
pub(super) struct Alarms<'a> {
    app: &'a App,
    source: SourceIndex,
    caller: Arc<Caller>,
    peer: Option<IpAddr>,
    /// The first signal of an acknowledgement; none where no alarm wants any. They stand behind all others.
    first: Option<SignalIndex>,
}

impl<'a> Alarms<'a> {
    pub(super) fn new(app: &'a App, source: SourceIndex, caller: Arc<Caller>, peer: Option<IpAddr>) -> Self {
        let model = app.hub.model();
        let all = (0..model.alarms().len()).filter_map(|at| model.acknowledgements(AlarmIndex::from_at(at)));
        let first = all.min_by_key(|signal| signal.0);
        Self { app, source, caller, peer, first }
    }

    /// Whether a signal holds who acknowledged an alarm.
    pub(super) fn are_acknowledged_by(&self, signal: SignalIndex) -> bool {
        self.first.is_some_and(|first| signal.0 >= first.0)
    }

    /// Whether a sample of such a signal may be taken; `asked` where its line acknowledges, rather than calls the signal by its name.
    /// Where tokens are asked for, the audit log says who acknowledged what, as it does of those who do it by hand.
    ///
    /// # Errors
    /// Words for the sender.
    pub(super) fn take(&self, signal: SignalIndex, asked: bool) -> Result<(), String> {
        let id = self.app.hub.model().signal(signal).id.as_str();
        if !asked {
            return Err(not_a_sample(id));
        }
        if !self.caller.was_asked() {
            return Ok(());
        }
        let alarm = alarm_of(id);
        let access = &self.app.access;
        let model = self.app.hub.model();
        let source = model.sources().get(self.source.at()).map_or("", |source| source.id.as_str());
        if !self.is_own(signal) && !access.manages(&self.caller) {
            access.note_refused(
                &self.caller,
                self.peer,
                &format!("refused: acknowledge {alarm} over /ingest of source {source}"),
            );
            return Err(format!(
                "the alarm '{alarm}' is not of the source that this connection sends to, so it is not acknowledged here; connect with \
                 ?source=ID of its own source and a token for that, or take a token that has the role manage as well"
            ));
        }
        let what = format!("acknowledge {alarm} over /ingest of source {source}");
        access.audit().write(&Event { who: &self.caller.name, address: self.peer, what: &what, status: 0 });
        Ok(())
    }

    /// Whether every alarm that a signal acknowledges reads what this source feeds. What is computed may follow from anything, so
    /// that it is a source's own only where there is no other that feeds the plant.
    fn is_own(&self, signal: SignalIndex) -> bool {
        let model = self.app.hub.model();
        let feeds = |of: Option<SourceIndex>| of.is_none_or(|of| of == self.source);
        let own = |read: SignalIndex| {
            if model.is_computed(read) {
                model.signals().iter().all(|signal| feeds(signal.source))
            } else {
                feeds(model.signal(read).source)
            }
        };
        let all = model.alarms().iter().enumerate();
        let of_signal = all.filter(|(at, _)| model.acknowledgements(AlarmIndex::from_at(*at)) == Some(signal));
        of_signal.into_iter().all(|(_, alarm)| own(alarm.signal))
    }
}

fn alarm_of(id: &str) -> &str {
    id.strip_suffix(ACKNOWLEDGED).unwrap_or(id)
}

/// Why a sample of a signal that holds who acknowledged an alarm is refused, and what to send instead.
pub(super) fn not_a_sample(id: &str) -> String {
    let line = serde_json::json!({ "acknowledge": alarm_of(id), "by": "who" });
    format!("'{id}' holds who acknowledged an alarm and takes no samples; send the line {line}")
}

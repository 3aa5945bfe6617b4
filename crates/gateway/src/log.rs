//! What threads of this program remark in passing (`tracing`), on the terminal: warnings and errors of its own code, each place in it
//! at most once a minute, so that nobody who asks again and again fills the terminal. Libraries' remarks are theirs.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::clock::instant;

/// How long a place in the program is silent after a remark.
const SILENT: Duration = Duration::from_secs(60);

/// Shows remarks from here on.
pub(crate) fn listen() {
    // Whoever embeds this and listens already goes on listening.
    tracing::subscriber::set_global_default(Console::default()).ok();
}

/// See the module's head. As many places as the program has, so bounded.
#[derive(Default)]
struct Console(Mutex<HashMap<Identifier, (Instant, u64)>>);

impl Console {
    /// How many remarks of a place were held back before this one; none where this one is.
    fn turn(&self, place: Identifier, now: Instant) -> Option<u64> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match places.get_mut(&place) {
            Some((last, held)) if now.saturating_duration_since(*last) < SILENT => {
                *held += 1;
                None
            }
            Some(known) => Some(std::mem::replace(known, (now, 0)).1),
            None => {
                places.insert(place, (now, 0));
                Some(0)
            }
        }
    }
}

impl Subscriber for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN && metadata.target().starts_with("gateway")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        let Some(held) = self.turn(event.metadata().callsite(), instant()) else { return };
        let mut words = Words::default();
        event.record(&mut words);
        let Words { mut message, details } = words;
        if !details.is_empty() {
            write!(message, ": {details}").ok();
        }
        if held > 0 {
            write!(message, " (and {held} times more since it was last said)").ok();
        }
        crate::term::warn(&message);
    }

    // There are no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Words {
    message: String,
    details: String,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.message, "{value:?}").ok();
        } else {
            let comma = if self.details.is_empty() { "" } else { ", " };
            write!(self.details, "{comma}{value:?}").ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_speaks_once_a_minute_and_says_how_often_it_was_silent() {
        let (console, begun) = (Console::default(), instant());
        struct Place;
        impl tracing::Callsite for Place {
            fn set_interest(&self, _: tracing::subscriber::Interest) {}
            fn metadata(&self) -> &Metadata<'_> {
                unreachable!("nobody asks")
            }
        }
        static PLACE: Place = Place;
        let turn = |after| console.turn(Identifier(&PLACE), begun + Duration::from_secs(after));
        assert_eq!([turn(0), turn(1), turn(59), turn(61), turn(130)], [Some(0), None, None, Some(2), Some(0)]);
    }
}

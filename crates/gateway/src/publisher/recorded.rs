//! Publishes what a recording holds: each revision when its clock shows that it came into force.

use twin_model::Timestamp;

use super::{Begun, Looked, contained};
use crate::publish::shelf::Shelf;
use crate::recording::Playing;
use crate::revisions::folder::Change;
use crate::term;

/// The first step: what was in force where the recording begins, after what was before.
pub(super) fn begin(shelf: &Shelf, playing: &mut Playing, now: Timestamp) -> Result<Begun, String> {
    let begun = if playing.is_compiled() { Begun::Compiled(Change::Revision) } else { Begun::Kept };
    place_due(shelf, playing, now).map(|_| begun)
}

/// A look at the clock.
pub(super) fn look(shelf: &Shelf, playing: &mut Playing, now: Timestamp) -> Looked {
    match place_due(shelf, playing, now) {
        Ok(false) => Looked::Same,
        Ok(true) => Looked::Published(Change::Revision),
        Err(why) => {
            shelf.fail(&why);
            Looked::Refused
        }
    }
}

/// Puts in force what a recording has for this instant, one revision after the other; says whether that was any. Fails where
/// nothing is in force.
fn place_due(shelf: &Shelf, playing: &mut Playing, now: Timestamp) -> Result<bool, String> {
    let mut any = false;
    while playing.due().is_some_and(|due| due <= now) {
        match contained(|| playing.advance(now).map_or(Ok(()), |made| shelf.place_recorded(made?))) {
            Ok(()) => any = true,
            // What was in force stays.
            Err(why) if matches!(shelf.now(), Some(Ok(_))) => {
                term::warn(&format!("a revision of the recording is left out: {why}"));
            }
            Err(why) => return Err(why),
        }
    }
    Ok(any)
}

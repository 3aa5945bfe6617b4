//! What a publisher says: on the console in full, to viewers and to whoever asks whether the server is ready in words that
//! everybody may read.

use twin_model::Span;
use twin_publication::Finding;

use super::{Looked, Publisher};
use crate::publish::running::Fit;
use crate::publish::shelf::Remark;
use crate::term;

/// Errors that are told one by one.
const TOLD: usize = 5;
/// How far the start of a revision may lie ahead of the clock without a word: a clock that was put right by a little.
const AHEAD: Span = Span::from_secs(60);
/// Codes of findings in the manifest and of remarks in `/readyz`: the files have errors; or they describe what takes a restart.
const REFUSED: &str = "site.refused";
const RESTART: &str = "site.restart";

impl Publisher {
    /// Says on the console what is in force.
    pub(super) fn told(&self, how: &str) {
        if let Some(Ok(served)) = self.shelf.now() {
            let told = served.told();
            term::note(&format!("revision {} is in force, {how}, valid from {}", told.number, told.valid_from));
            if told.valid_from > self.now() + AHEAD {
                term::warn(&format!(
                    "the clock has not come to {} yet: it was ahead once, when a revision before this one was made. Until then \
                     instants are judged by that one where somebody looks back; --judge-by now takes the site as it is",
                    told.valid_from
                ));
            }
            // Apart, so that the next change need not wait for it. Where there is no thread for it, whoever asks first waits.
            std::thread::Builder::new().name("packer".to_owned()).spawn(move || served.warm()).ok();
        }
    }

    /// What is in force is what the files say.
    pub(super) fn fits(&self, fit: &Fit) {
        match fit {
            Fit::Shown(why) => self.restart(why),
            Fit::Whole | Fit::Not(_) => self.note(None),
        }
    }

    fn restart(&self, why: &str) {
        term::warn(&format!("{why}; restart the server to have that, too"));
        self.note(Some((
            RESTART,
            "the site's files say otherwise where data come from than the server that runs; a restart takes that over".to_owned(),
        )));
    }

    /// The files describe another plant than runs.
    pub(super) fn hold(&self, why: &str) -> Looked {
        term::warn(&format!(
            "the site on disk is not what runs: {why}; restart the server to have it, until then nothing of it is shown"
        ));
        let shown = self.in_force();
        let what = format!(
            "the site's files describe other signals or sources than run; {shown} is shown until the server is restarted"
        );
        self.note(Some((RESTART, what)));
        Looked::Held
    }

    /// The files have errors.
    pub(super) fn refuse(&self, mut words: Vec<String>) -> Looked {
        let (count, shown) = (words.len(), self.in_force());
        words.truncate(TOLD);
        for words in words {
            term::warn(&format!("the site on disk: {words}"));
        }
        let errors = if count == 1 { "an error".to_owned() } else { format!("{count} errors") };
        let what = format!("the site's files were changed and have {errors}; {shown} is shown until they are mended");
        term::warn(&format!("{what}; orrery check names them all"));
        self.note(Some((REFUSED, what)));
        Looked::Refused
    }

    fn in_force(&self) -> String {
        match self.shelf.now() {
            Some(Ok(served)) => format!("revision {}", served.told().number),
            _ => "nothing".to_owned(),
        }
    }

    /// Tells viewers, and whoever asks whether the server is ready.
    fn note(&self, note: Option<(&'static str, String)>) {
        let note = note.map(|(code, what)| {
            let finding = Finding {
                severity: "warning".to_owned(),
                code: code.to_owned(),
                subject: String::new(),
                message: what.clone(),
                help: "whoever runs the site sees the details on the console, and with `orrery check`".to_owned(),
                file: String::new(),
                line: 0,
            };
            (Remark { code, what }, finding)
        });
        if let Err(error) = self.shelf.note(note) {
            term::warn(&format!("viewers can't be told: {error}"));
        }
    }
}

//! Publishes a site while it is served: compiled in the background, from the folder where that has the same already, and again
//! whenever its files have changed. One thread, which asks files how they look and never reads what did not change.
//!
//! A file that is being written looks another way each time: only what looked alike twice is read, and what changed while it was
//! compiled is thrown away. A site with errors that the one in force has not changes nothing; one that does not fit the running
//! plant waits for a restart ([`crate::publish::running`]). Decision 0025 says why.

mod recorded;
mod thread;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use twin_model::Timestamp;
use twin_publication::{PieceHash, PublicationError};
use twin_site::Severity;
use twin_site::check::CheckReport;

use crate::clock::Clock;
use crate::publish::inputs::{Inputs, Looks};
use crate::publish::running::{Fit, Running};
use crate::publish::shelf::Shelf;
use crate::publish::{Compiled, compile, remembered};
use crate::recording::Playing;
use crate::revisions::Publication;
use crate::revisions::folder::{self, Change, Since};
use crate::site::Site;
use crate::term;

pub use thread::{LOOK, Publishing};

/// Said of a site over which this program stumbled.
const BROKE: &str = "compiling it broke, which is a fault of this program; please report it";

/// What is published.
pub enum Origin {
    /// A site on disk, as it was when the plant was made of it.
    Site {
        /// The site.
        site: Box<Site>,
        /// Folders that it may read from, beside its own.
        allowed: Vec<PathBuf>,
    },
    /// A recording, whose revisions come into force again when its clock shows that they did.
    Recording(Box<Playing>),
}

/// What the first step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It was compiled.
    Compiled(Change),
    /// The folder had it already.
    Kept,
    /// There is nothing to serve.
    Failed,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// All files look as they did.
    Same,
    /// Something looks otherwise than the last time; it is left alone until it looks alike twice.
    Waits,
    /// Files were touched, and say what they said before; or they changed while they were read and are looked at again.
    Nothing,
    /// It is in force.
    Published(Change),
    /// The files have errors, or can't be compiled; what was in force stays.
    Refused,
    /// The files describe another plant than runs; what was in force stays until a restart.
    Held,
}

/// See the module's head.
pub struct Publisher {
    origin: Origin,
    shelf: Arc<Shelf>,
    clock: Clock,
    /// Of a site on disk.
    watch: Option<Watch>,
}

struct Watch {
    running: Running,
    /// What was read last, and how the files looked.
    key: PieceHash,
    looks: Looks,
    /// How they looked the last time, where that was otherwise.
    changing: Option<Looks>,
    /// Errors of what is in force.
    errors: BTreeSet<PieceHash>,
}

/// Everything that is wrong enough to keep a change back: by a hash, as it may be remembered, in words.
fn errors(report: &CheckReport) -> BTreeMap<PieceHash, String> {
    let errors = report.findings.iter().filter(|finding| finding.severity == "error");
    errors
        .map(|finding| {
            let words = format!("[{}] {}", finding.code, finding.message);
            (PieceHash::of(format!("{}\n{words}", finding.subject).as_bytes()), words)
        })
        .collect()
}

/// Does work whose breaking costs only its result.
fn contained<T>(work: impl FnOnce() -> Result<T, PublicationError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(BROKE.to_owned()),
    }
}

impl Publisher {
    /// Nothing is read yet.
    pub fn new(origin: Origin, shelf: Arc<Shelf>, clock: Clock) -> Self {
        Self { origin, shelf, clock, watch: None }
    }

    /// The clock of a recording without a sample stands before every calendar.
    fn now(&self) -> Timestamp {
        self.clock.now().max(Timestamp::from_micros(0))
    }

    /// Puts the site in force for the first time.
    pub fn begin(&mut self) -> Begun {
        let now = self.now();
        let done = match &mut self.origin {
            Origin::Recording(playing) => recorded::begin(&self.shelf, playing, now),
            Origin::Site { .. } => self.begin_site(now),
        };
        match done {
            Ok(begun) => {
                self.told(match (&self.origin, begun) {
                    (Origin::Recording(_), Begun::Kept) => "as it was recorded",
                    (Origin::Site { .. }, Begun::Kept) => "as it was compiled before",
                    _ => "compiled",
                });
                begun
            }
            Err(why) => {
                term::warn(&format!("there is no publication of the site: {why}"));
                self.shelf.fail(&why);
                Begun::Failed
            }
        }
    }

    fn begin_site(&mut self, now: Timestamp) -> Result<Begun, String> {
        let Origin::Site { site, .. } = &self.origin else { return Ok(Begun::Failed) };
        let inputs = Inputs::of(site);
        let (done, errors) = match self.kept(&inputs) {
            Some(errors) => (Ok(Begun::Kept), errors),
            None => self.compiled_first(site, &inputs, now),
        };
        for lost in self.shelf.lost() {
            term::warn(&lost);
        }
        let running = Running::of(&site.loaded);
        self.watch = Some(Watch { running, key: inputs.key, looks: inputs.looks, changing: None, errors });
        done
    }

    /// What the folder has in force, where that was made of the same, is put in force here. Gives its errors.
    fn kept(&self, inputs: &Inputs) -> Option<BTreeSet<PieceHash>> {
        let folder = self.shelf.writable()?;
        let (kept, errors) = remembered::kept(folder, inputs)?;
        let revisions = folder::revisions(folder).ok()?;
        self.shelf.place_kept(kept, revisions).ok().map(|()| errors)
    }

    fn compiled_first(&self, site: &Site, inputs: &Inputs, now: Timestamp) -> (Result<Begun, String>, BTreeSet<PieceHash>) {
        match contained(|| compile(site, now)) {
            Err(why) => (Err(why), BTreeSet::new()),
            Ok(Compiled { publication, report }) => {
                let errors = errors(&report).into_keys().collect();
                let placed = contained(|| self.shelf.place(publication, Since::Clock(now)));
                if placed.is_ok() {
                    self.remember(inputs, &errors);
                }
                (placed.map(Begun::Compiled), errors)
            }
        }
    }

    /// Notes in the folder of what its manifest was made, unless something changed meanwhile.
    fn remember(&self, inputs: &Inputs, errors: &BTreeSet<PieceHash>) {
        let Some(folder) = self.shelf.writable().filter(|_| inputs.looks.again() == inputs.looks) else { return };
        if let Err(error) = remembered::remember(folder, inputs, errors) {
            term::warn(&format!("the site will be compiled again at the next start: {error}"));
        }
    }

    /// Looks at the files once.
    pub fn look(&mut self) -> Looked {
        let now = self.now();
        let (site, allowed) = match &mut self.origin {
            Origin::Site { site, allowed } => (site, allowed),
            Origin::Recording(playing) => {
                let looked = recorded::look(&self.shelf, playing, now);
                if looked != Looked::Same {
                    self.told("as it was recorded");
                }
                return looked;
            }
        };
        let Some(watch) = &mut self.watch else { return Looked::Same };
        let looks = watch.looks.again();
        if looks == watch.looks {
            watch.changing = None;
            return Looked::Same;
        }
        if watch.changing.as_ref() != Some(&looks) {
            watch.changing = Some(looks);
            return Looked::Waits;
        }
        watch.changing = None;
        match Site::read_with(&site.path, allowed) {
            Ok(new) => self.changed(&new, &looks),
            Err(error) => {
                watch.looks = looks;
                self.refuse(vec![error.to_string()])
            }
        }
    }

    /// A site whose files looked alike twice, and otherwise than before.
    fn changed(&mut self, site: &Site, settled: &Looks) -> Looked {
        let now = self.now();
        let inputs = Inputs::of(site);
        let Some(watch) = &mut self.watch else { return Looked::Same };
        // Of each file the first look, before anything of it was read.
        watch.looks = inputs.looks.since(settled);
        if inputs.key == watch.key {
            let fit = watch.running.fit(&site.loaded);
            self.fits(&fit);
            return Looked::Nothing;
        }
        if !site.loaded.usable {
            let errors = site.loaded.diagnostics.iter().filter(|found| found.severity == Severity::Error);
            return self.refuse(errors.map(ToString::to_string).collect());
        }
        let compiled = contained(|| compile(site, now));
        if watch.looks.again() != watch.looks {
            return Looked::Nothing;
        }
        let Compiled { publication, report } = match compiled {
            Ok(compiled) => compiled,
            Err(why) => return self.refuse(vec![why]),
        };
        let found = errors(&report);
        let new: Vec<String> =
            found.iter().filter(|(hash, _)| !watch.errors.contains(hash)).map(|(_, words)| words.clone()).collect();
        if !new.is_empty() {
            return self.refuse(new);
        }
        match watch.running.fit(&site.loaded) {
            Fit::Not(why) => self.hold(&why),
            fit => self.publish(publication, &inputs, found.into_keys().collect(), &fit),
        }
    }

    fn publish(&mut self, publication: Publication, inputs: &Inputs, errors: BTreeSet<PieceHash>, fit: &Fit) -> Looked {
        let now = self.now();
        let change = match contained(|| self.shelf.place(publication, Since::Clock(now))) {
            Ok(change) => change,
            Err(why) => return self.refuse(vec![why]),
        };
        self.remember(inputs, &errors);
        if let Some(watch) = &mut self.watch {
            watch.key = inputs.key;
            watch.errors = errors;
            watch.looks = watch.looks.of(&inputs.looks);
        }
        match change {
            Change::Revision => self.told("compiled"),
            Change::Remarks => self.told("with other findings"),
            Change::Nothing => {}
        }
        self.fits(fit);
        Looked::Published(change)
    }
}

//! What is published, as it is served: the revision in force, packed once; earlier ones from the folder that keeps them, or from
//! memory.
//!
//! Nothing is on it until the first compile is done. Without a folder, and where it can't be written, revisions of this run live
//! in memory: of earlier ones as many as `memory` says; then the oldest leaves, and its place in the list. Of a folder's earlier
//! manifests and pieces the last ones that were asked for are held.

mod held;
mod memory;
mod served;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use twin_model::Model;
use twin_protocol::Revision as Told;
use twin_publication::{Finding, Manifest, PieceHash, PublicationError, Revision, Revisions};

use crate::pack::Packed;
use crate::revisions::folder::{self, Change, Since};
use crate::revisions::numbering::follow;
use crate::revisions::{Publication, earlier, target};
use crate::{GatewayError, term};

use held::Held;
pub use held::Piece;
use memory::Inner;
pub use served::Served;

/// Why the site on disk is not all that runs and is shown: for those who run the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// For programs, as in `/readyz`.
    pub code: &'static str,
    /// For people; says nothing that not everybody may know.
    pub what: String,
}

/// See the module's head.
pub struct Shelf {
    folder: Option<PathBuf>,
    /// The folder could not be written.
    gave_up: AtomicBool,
    inner: Mutex<Inner>,
    held: Held,
    told: watch::Sender<Option<Told>>,
    /// Wakes whoever waits for the first compile.
    settled: Notify,
}

impl Default for Shelf {
    /// An empty one that keeps nothing.
    fn default() -> Self {
        let (gave_up, told) = (AtomicBool::new(false), watch::Sender::new(None));
        Self { folder: None, gave_up, inner: Mutex::default(), held: Held::default(), told, settled: Notify::new() }
    }
}

impl Shelf {
    /// An empty one over a folder, which may have revisions of the site already. One that has another site's is left alone.
    pub fn over(folder: PathBuf, site: &str) -> Self {
        match folder::manifest_of(&folder) {
            Ok(Some((manifest, _))) if manifest.site.id != site => {
                term::warn(&format!(
                    "{} holds what was published of the site '{}', not of '{site}': what is published now is kept in memory only; name \
                     another folder with --cache, or move that one away",
                    folder.display(),
                    manifest.site.id
                ));
                Self::default()
            }
            _ => Self { folder: Some(folder), ..Self::default() },
        }
    }

    /// One that is filled, in memory.
    pub fn of(compiled: Result<Publication, PublicationError>) -> Self {
        let shelf = Self::default();
        let placed = compiled.and_then(|publication| {
            let since = Since::Fixed(publication.manifest.valid_from);
            shelf.place(publication, since)
        });
        if let Err(error) = placed {
            shelf.fail(&error.to_string());
        }
        shelf
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a publication in force, as the revision after the one that is: written to the folder first, where there is one. A
    /// folder that can't be written is told of, and left alone from then on. One writer at a time.
    ///
    /// # Errors
    /// Where nobody could read it.
    pub fn place(&self, publication: Publication, since: Since) -> Result<Change, PublicationError> {
        let written = self.writable().and_then(|folder| match target::write(folder, publication.clone(), since) {
            Ok(written) => Some((written.manifest, written.change, folder::revisions(folder).unwrap_or_default())),
            Err(error) => {
                self.give_up(folder, &error);
                None
            }
        });
        let Publication { mut manifest, pieces } = publication;
        let (change, listed) = match written {
            Some((written, change, listed)) => {
                manifest = written;
                (change, listed)
            }
            None => self.follow(&mut manifest, since)?,
        };
        self.put(Publication { manifest, pieces }, listed, change == Change::Revision)?;
        Ok(change)
    }

    /// Puts what the folder has in force, as it is; `listed` are its revisions.
    ///
    /// # Errors
    /// As [`Self::place`].
    pub fn place_kept(&self, publication: Publication, listed: Revisions) -> Result<(), PublicationError> {
        self.put(publication, listed, false)
    }

    /// Puts what a recording has next in force, with the number and the instant that it has there. What was in force before stays
    /// listed; the same number again has other findings.
    ///
    /// # Errors
    /// As [`Self::place`], and where it is not later than what was in force before.
    pub fn place_recorded(&self, publication: Publication) -> Result<(), PublicationError> {
        let (before, listed) = {
            let inner = self.lock();
            (inner.now.clone().and_then(Result::ok), (*inner.revisions).clone())
        };
        let new = before.is_none_or(|before| before.plain().revision != publication.manifest.revision);
        self.put(publication, listed, new)
    }

    /// Numbers a manifest that no folder keeps.
    fn follow(&self, manifest: &mut Manifest, since: Since) -> Result<(Change, Revisions), PublicationError> {
        let (now, listed) = {
            let inner = self.lock();
            (inner.now.clone(), inner.revisions.clone())
        };
        let (before, mut earlier) = match now.and_then(Result::ok) {
            Some(before) => (Some((before.plain().clone(), before.listed.plain().to_vec())), (*listed).clone()),
            // What cannot be written may be there to be read.
            None => {
                let folder = self.folder.as_deref();
                let before = folder.and_then(|folder| folder::manifest_of(folder).ok().flatten());
                (before, folder.and_then(|folder| folder::revisions(folder).ok()).unwrap_or_default())
            }
        };
        let known = before.as_ref().map(|(before, bytes)| (before, &bytes[..]));
        let change = follow(manifest, known, &mut earlier, since)?;
        Ok((change, earlier))
    }

    fn put(&self, publication: Publication, mut listed: Revisions, new: bool) -> Result<(), PublicationError> {
        let before = self.now().and_then(Result::ok);
        let served = Served::new(publication.manifest, publication.pieces, before.as_deref())?;
        listed.forget_from(served.plain().revision);
        listed.add(Revision::of(served.plain(), served.listed.plain()))?;
        let told = served.told();
        let mut inner = self.lock();
        inner.now = Some(Ok(Arc::new(served)));
        inner.revisions = Arc::new(listed);
        inner.remark = None;
        if let (Some(before), true, None) = (before, new, self.writable()) {
            inner.keep(before);
        }
        inner.list = Some(Arc::new(Packed::new(inner.revisions.write()?)));
        drop(inner);
        self.told.send_replace(Some(told));
        self.settled.notify_waiters();
        Ok(())
    }

    /// Waits until there is something to serve, or it is known why not; at most so long.
    pub async fn wait(&self, most: Duration) {
        let mut settled = std::pin::pin!(self.settled.notified());
        // Heard from here on, also what happens before it is awaited.
        settled.as_mut().enable();
        if self.now().is_none() {
            // Whoever comes next sees whether it was in vain.
            tokio::time::timeout(most, settled).await.ok();
        }
    }

    /// Says that there is nothing to serve, and why; where there is something, that stays.
    pub fn fail(&self, why: &str) {
        let mut inner = self.lock();
        if !matches!(inner.now, Some(Ok(_))) {
            inner.now = Some(Err(why.to_owned()));
        }
        drop(inner);
        self.settled.notify_waiters();
    }

    /// Notes why the site on disk is not all that runs and is shown, or that it is. Viewers get it as a finding of the manifest.
    ///
    /// # Errors
    /// A finding that nobody could read.
    pub fn note(&self, remark: Option<(Remark, Finding)>) -> Result<(), PublicationError> {
        let (remark, finding) = remark.unzip();
        let mut inner = self.lock();
        if inner.remark == remark {
            return Ok(());
        }
        if let Some(Ok(served)) = inner.now.clone() {
            inner.now = Some(Ok(Arc::new(served.with(finding)?)));
            self.told.send_replace(Some(served.told()));
        }
        inner.remark = remark;
        Ok(())
    }

    /// See [`Self::note`].
    pub fn remark(&self) -> Option<Remark> {
        self.lock().remark.clone()
    }

    /// What is in force; nothing while it is still compiled, words where that failed.
    pub fn now(&self) -> Option<Result<Arc<Served>, String>> {
        self.lock().now.clone()
    }

    /// The model in force, where there is one.
    pub fn model(&self) -> Option<Arc<Model>> {
        self.now()?.ok().map(|served| served.model.clone())
    }

    /// What is in force, for those who want to be told: wakes whenever its manifest has changed.
    pub fn told(&self) -> watch::Receiver<Option<Told>> {
        self.told.subscribe()
    }

    /// The list of every revision that can be had, the one in force last.
    pub fn list(&self) -> Option<Arc<Packed>> {
        self.lock().list.clone()
    }

    /// What of the listed revisions is gone from the folder, in words; few of them. Reads files: not for async code.
    pub fn lost(&self) -> Vec<String> {
        const FEW: usize = 3;
        let Some(folder) = self.writable() else { return Vec::new() };
        let listed = self.lock().revisions.clone();
        let mut lost = earlier::gone(folder, listed.as_slice());
        let more = lost.len().saturating_sub(FEW);
        if more > 0 {
            lost.truncate(FEW);
            lost.push(format!("and {more} more revisions"));
        }
        lost
    }

    /// Whether a revision of this number is listed.
    pub fn lists(&self, number: u64) -> bool {
        self.lock().revisions.as_slice().iter().any(|revision| revision.number == number)
    }

    /// The manifest of a revision, as it is listed. Reads files: not for async code.
    pub fn manifest(&self, number: u64) -> Option<Arc<Packed>> {
        let (held, listed) = {
            let inner = self.lock();
            let listed = inner.revisions.as_slice().iter().find(|revision| revision.number == number).copied();
            (inner.all().find(|served| served.plain().revision == number).cloned(), listed)
        };
        match held {
            Some(served) => Some(served.listed.clone()),
            None => self.held.manifest(self.folder.as_deref()?, &listed?),
        }
    }

    /// A piece of any revision by its name. Reads files: not for async code.
    pub fn piece(&self, hash: PieceHash) -> Option<Piece> {
        let held = self.lock().all().find_map(|served| served.pieces.get(&hash).cloned());
        match held {
            Some((kind, content)) => Some(Piece::Held(Some(kind), content)),
            None => self.held.piece(self.folder.as_deref()?, hash),
        }
    }

    /// The folder, while it is written.
    pub(crate) fn writable(&self) -> Option<&Path> {
        self.folder.as_deref().filter(|_| !self.gave_up.load(Ordering::Acquire))
    }

    /// Says that revisions are not written any more.
    fn give_up(&self, folder: &Path, error: &GatewayError) {
        self.gave_up.store(true, Ordering::Release);
        term::warn(&format!(
            "what is published is kept in memory only until the program is started again, not in {}: {}",
            folder.display(),
            error.in_full()
        ));
    }
}

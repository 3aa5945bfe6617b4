//! Turns for heavy reads: few work at a time, few wait, a turn is given back when its work ends, and work whose asker has
//! left is told so. Knows nothing of what is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Reads that run at the same time: each keeps a core busy, and the stream needs some, too.
const AT_ONCE: usize = 4;
/// Reads that wait for a turn. A waiting one costs its socket and some hundred bytes.
const WAITING: usize = 512;

/// Whether somebody still waits for what is being worked out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker(Arc<AtomicBool>);

impl Asker {
    /// True once the connection of the asker has gone: what is left of the work is for nobody.
    pub(crate) fn has_left(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Held where the answer is awaited; the server drops it with the connection.
struct Waits(Asker);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Turns {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0) }
    }
}

/// One of those who wait; counts itself.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Turns {
    /// Waits for a turn.
    ///
    /// # Errors
    /// The answer, where too many wait already.
    pub(crate) async fn take(&self) -> Result<Turn, Response> {
        let wait = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= WAITING {
            let why = "the server answers as much history as it can already; ask again in a second\n";
            return Err((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], why).into_response());
        }
        // The semaphore is never closed.
        let turn = self.free.clone().acquire_owned().await;
        drop(wait);
        turn.map(|held| Turn { _held: held }).map_err(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}

/// Somebody's turn, until the work ends or this is dropped without any.
#[derive(Debug)]
pub(crate) struct Turn {
    _held: OwnedSemaphorePermit,
}

impl Turn {
    /// Does `work` apart from the threads that serve sockets. The turn ends with the work, not with the wait for it: an asker who
    /// leaves gives nobody else the core that still works for him.
    /// None where it broke.
    pub(crate) async fn work<T: Send + 'static>(self, work: impl FnOnce(&Asker) -> T + Send + 'static) -> Option<T> {
        let asker = Asker::default();
        let waits = Waits(asker.clone());
        let done = tokio::task::spawn_blocking(move || {
            let made = work(&asker);
            drop(self);
            made
        });
        let made = done.await.ok();
        drop(waits);
        made
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_turn_is_given_back_when_its_work_ends_and_not_when_its_asker_leaves() {
        let turns = Arc::new(Turns::default());
        let (seen, left) = channel();
        let (started, starts) = channel();
        let (go_on, wait) = channel::<()>();
        let asked = {
            let turns = turns.clone();
            tokio::spawn(async move {
                let work = move |asker: &Asker| {
                    started.send(()).unwrap();
                    wait.recv().unwrap();
                    seen.send(asker.has_left()).unwrap();
                };
                turns.take().await.unwrap().work(work).await
            })
        };
        tokio::task::spawn_blocking(move || starts.recv().unwrap()).await.unwrap();
        assert_eq!(turns.free.available_permits(), AT_ONCE - 1);
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
        assert_eq!(turns.free.available_permits(), AT_ONCE - 1, "the work goes on, and so does its turn");
        go_on.send(()).unwrap();
        assert!(
            tokio::task::spawn_blocking(move || left.recv().unwrap()).await.unwrap(),
            "the work is told that it is for nobody"
        );
        let all = turns.free.acquire_many(AT_ONCE as u32).await.unwrap();
        drop(all);
    }

    #[tokio::test]
    async fn whoever_would_wait_behind_too_many_is_told_to_come_again() {
        let turns = Turns::default();
        turns.waiting.store(WAITING, Ordering::Release);
        let answer = turns.take().await.unwrap_err();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        turns.waiting.store(0, Ordering::Release);
        assert_eq!(turns.take().await.unwrap().work(Asker::has_left).await, Some(false));
        assert_eq!(turns.waiting.load(Ordering::Acquire), 0);
    }
}

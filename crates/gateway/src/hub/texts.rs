//! Batches in their JSON form: made once for all viewers that want it, one at a time, and never on a thread that serves sockets.
//! Viewers of the binary form are not to notice that there are others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::{OnceCell, Semaphore};
use twin_protocol::{Limits, ProtocolError, ServerFrame, decode_server, json};

/// Forms held: a viewer that is further behind gets newest values, which are made for it alone.
const HELD: usize = 64;
/// Their bytes; the newest is held however large.
const HELD_BYTES: usize = 32 << 20;

type Form = Arc<OnceCell<Bytes>>;

/// See the module's head.
pub(super) struct Texts {
    held: Mutex<BTreeMap<u64, Form>>,
    turn: Arc<Semaphore>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { held: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Texts {
    /// The JSON form of batch `seq`, whose binary form is `frame`.
    pub(super) async fn batch(&self, seq: u64, frame: &Bytes, made: &AtomicU64) -> Result<Bytes, ProtocolError> {
        let form = self.form(seq);
        let make = || async {
            let frame = frame.clone();
            made.fetch_add(1, Ordering::Relaxed);
            self.make(move || decode_server(&frame, &Limits::SERVER_FRAMES)).await
        };
        form.get_or_try_init(make).await.cloned()
    }

    /// The JSON form of a frame that is for one viewer.
    pub(super) async fn one(&self, frame: ServerFrame) -> Result<Bytes, ProtocolError> {
        self.make(move || Ok(frame)).await
    }

    async fn make(
        &self,
        frame: impl FnOnce() -> Result<ServerFrame, ProtocolError> + Send + 'static,
    ) -> Result<Bytes, ProtocolError> {
        let turn = self.turn.clone().acquire_owned().await;
        let made = tokio::task::spawn_blocking(move || {
            let text = frame().map(|frame| Bytes::from(json::encode_server(&frame)));
            drop(turn);
            text
        });
        made.await.unwrap_or_else(|_| Err(ProtocolError::Json("this batch has no JSON form".to_owned())))
    }

    fn form(&self, seq: u64) -> Form {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let form = held.entry(seq).or_default().clone();
        let mut bytes: usize = held.values().filter_map(|form| form.get()).map(Bytes::len).sum();
        while held.len() > 1 && (held.len() > HELD || bytes > HELD_BYTES) {
            let Some((_, old)) = held.pop_first() else { break };
            bytes -= old.get().map_or(0, Bytes::len);
        }
        form
    }
}

//! What a shelf holds in memory: the revision in force, and earlier ones that no folder has, within limits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use twin_publication::Revisions;

use super::{Remark, Served};
use crate::pack::Packed;

/// Earlier revisions that are held.
const EARLIER_MOST: usize = 64;
/// Bytes of pieces, before they are packed, that only earlier revisions have.
const EARLIER_BYTES: u64 = 256 << 20;

/// See the module's head.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) now: Option<Result<Arc<Served>, String>>,
    /// All that can be had, the one in force last.
    pub(super) revisions: Arc<Revisions>,
    /// The same as it is sent.
    pub(super) list: Option<Arc<Packed>>,
    /// Earlier ones that no folder has, oldest first.
    before: VecDeque<Arc<Served>>,
    pub(super) remark: Option<Remark>,
}

impl Inner {
    /// Everything that is held, the one in force first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.now.iter().filter_map(|now| now.as_ref().ok()).chain(self.before.iter().rev())
    }

    /// Keeps a revision that is in force no more. Lets the oldest go while there is too much, and their places in the list.
    pub(super) fn keep(&mut self, served: Arc<Served>) {
        self.before.push_back(served);
        while self.before.len() > EARLIER_MOST || self.own_bytes() > EARLIER_BYTES {
            let Some(gone) = self.before.pop_front() else { return };
            Arc::make_mut(&mut self.revisions).forget(gone.told().number);
        }
    }

    /// Bytes of pieces that only earlier revisions have.
    fn own_bytes(&self) -> u64 {
        let now = self.now.as_ref().and_then(|now| now.as_ref().ok());
        let pieces = self.before.iter().flat_map(|served| &served.pieces);
        let own = pieces.filter(|(hash, _)| now.is_none_or(|now| !now.pieces.contains_key(hash)));
        let own: BTreeMap<_, _> = own.map(|(hash, (_, content))| (hash, content.plain().len() as u64)).collect();
        own.values().sum()
    }
}

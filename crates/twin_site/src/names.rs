//! What is known while a model is being built: names of twins and signals, and twins with all that their interfaces give them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use twin_model::{Signal, SignalId, SignalIndex, TwinIndex, ValueKind};

use super::computed::Written;
use super::contents::Contents;
use super::read::Word;

/// Names of twins and signals while the model is being built.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(super) twin_order: Vec<Arc<str>>,
    pub(super) twins: HashMap<Arc<str>, TwinIndex>,
    pub(super) signals: HashMap<SignalId, SignalIndex>,
    pub(super) list: Vec<Signal>,
    /// By `SignalIndex`, as in [`Built::decided`].
    pub(super) decided: Vec<bool>,
    /// Ascending by signal.
    pub(super) computed: Vec<Written>,
    /// Bytes of their expressions together.
    pub(super) computed_bytes: usize,
}

impl Names {
    pub(crate) fn find_twin(&self, id: &str) -> Option<TwinIndex> {
        self.twins.get(id).copied()
    }

    pub(crate) fn twin_ids(&self) -> impl Iterator<Item = &str> {
        self.twin_order.iter().map(|id| &**id)
    }

    pub(crate) fn find_signal(&self, id: &str) -> Option<SignalIndex> {
        self.signals.get(id).copied()
    }

    pub(crate) fn signal_ids(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|signal| signal.id.as_str())
    }

    pub(crate) fn unit(&self, signal: SignalIndex) -> &str {
        self.list.get(signal.at()).map_or("", |signal| signal.unit.0.as_str())
    }

    pub(crate) fn is_computed(&self, signal: SignalIndex) -> bool {
        self.computed.binary_search_by_key(&signal, |it| it.signal).is_ok()
    }

    pub(crate) fn value_kind(&self, signal: SignalIndex) -> ValueKind {
        self.list.get(signal.at()).map_or(ValueKind::Float, |signal| signal.value_kind)
    }
}

/// A twin with everything that its interface gives it.
pub(crate) struct FullTwin {
    pub(crate) index: TwinIndex,
    pub(crate) contents: Contents,
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) id: Word,
}

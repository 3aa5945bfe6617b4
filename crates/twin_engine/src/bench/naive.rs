//! The naive way from samples to colour codes, as a baseline and to check the other one: every outcome searched for in its timeline,
//! every part looked at.

use std::sync::Arc;

use twin_health::palette::{ViewFlags, texel, unbound_texel};
use twin_model::{Model, Status, TwinIndex};

use crate::engine::Engine;
use crate::frame::ViewFrame;
use crate::parts::Marks;

/// Codes made anew with every frame.
pub(crate) struct Naive {
    model: Arc<Model>,
    twins: Vec<Option<TwinIndex>>,
    frame: ViewFrame,
    codes: Vec<[u8; 4]>,
}

impl Naive {
    /// For a scene whose parts show these twins.
    pub(crate) fn new(twins: Vec<Option<TwinIndex>>, model: &Arc<Model>) -> Self {
        Self { model: model.clone(), codes: vec![unbound_texel(ViewFlags(0)); twins.len()], twins, frame: ViewFrame::plain() }
    }

    /// The codes, by part.
    pub(crate) fn codes(&self) -> &[[u8; 4]] {
        &self.codes
    }

    /// What was judged last.
    #[cfg(test)]
    pub(crate) fn frame(&self) -> &ViewFrame {
        &self.frame
    }

    /// Makes all codes for the engine's playhead.
    pub(crate) fn show(&mut self, engine: &Engine, marks: &Marks<'_>) {
        engine.fill(&mut self.frame);
        for (part, (code, twin)) in (0u32..).zip(self.codes.iter_mut().zip(&self.twins)) {
            let mut flags = 0;
            if marks.isolated.is_some_and(|shown| twin.is_none_or(|twin| !shown.contains(&twin))) {
                flags |= ViewFlags::GHOST;
            }
            if twin.is_some() && *twin == marks.hovered || twin.is_none() && marks.hovered_part == Some(part) {
                flags |= ViewFlags::HOVERED;
            }
            if twin.is_some_and(|twin| marks.selected.contains(&twin)) {
                flags |= ViewFlags::SELECTED;
            }
            let judged = twin.filter(|twin| self.model.twin(*twin).is_judged());
            *code = match judged.and_then(|twin| self.frame.twins.get(twin.at())) {
                Some(state) if state.status == Status::Unknown && self.frame.t.is_none() => unbound_texel(ViewFlags(flags)),
                Some(state) => texel(state.status, state.freshness, state.alarm, ViewFlags(flags)),
                None => unbound_texel(ViewFlags(flags)),
            };
        }
    }
}

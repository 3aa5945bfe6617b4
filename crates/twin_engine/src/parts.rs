//! The colour code of every part of a scene, kept from frame to frame so that only what changed is touched.
//!
//! A part shows its twin: status, freshness and alarm, and whether it is selected, pointed at or left aside. Many parts show one twin,
//! so a twin's code is made once and written where it differs from the last one.

use twin_health::palette::{UNBOUND, ViewFlags, texel, unbound_texel};
use twin_model::{Freshness, Model, Status, TwinIndex};

use crate::changed::Changed;
use crate::frame::ViewFrame;

/// What of a scene is shown apart from its health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks<'a> {
    /// Selected twins.
    pub selected: &'a [TwinIndex],
    /// Where something is isolated: the twins that are not left aside.
    pub isolated: Option<&'a [TwinIndex]>,
    /// The twin under the pointer.
    pub hovered: Option<TwinIndex>,
    /// The part under the pointer, by its position; counts only where it shows no twin.
    pub hovered_part: Option<u32>,
}

/// One code ([`twin_health::palette::texel`]) per part, in the scene's order.
#[derive(Debug, Clone, Default)]
pub struct PartCodes {
    codes: Vec<[u8; 4]>,
    /// Parts by twin: those of twin `n` are `parts[starts[n]..starts[n + 1]]`.
    starts: Vec<u32>,
    parts: Vec<u32>,
    /// Parts that show no twin.
    loose: Vec<u32>,
    /// What each twin's parts show now.
    shown: Vec<[u8; 4]>,
    /// Marks of each twin, as [`ViewFlags`].
    marks: Vec<u8>,
    isolated: bool,
    hovered: Option<TwinIndex>,
    hovered_part: Option<u32>,
    selected: Vec<TwinIndex>,
    isolate: Option<Vec<TwinIndex>>,
    /// Parts that are drawn faintly.
    faint: usize,
    /// Everything is to be made anew.
    stale: bool,
}

impl PartCodes {
    /// For a scene whose parts show these twins, of a model with so many twins.
    pub fn new(twins: usize, of_parts: impl Iterator<Item = Option<TwinIndex>> + Clone) -> Self {
        let mut starts = vec![0u32; twins + 1];
        let mut loose = Vec::new();
        let mut count = 0u32;
        for twin in of_parts.clone() {
            match twin.filter(|twin| twin.at() < twins) {
                Some(twin) => starts[twin.at() + 1] += 1,
                None => loose.push(count),
            }
            count += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut parts = vec![0u32; count as usize - loose.len()];
        for (part, twin) in (0u32..).zip(of_parts) {
            if let Some(twin) = twin.filter(|twin| twin.at() < twins) {
                parts[next[twin.at()] as usize] = part;
                next[twin.at()] += 1;
            }
        }
        let nothing = unbound_texel(ViewFlags(0));
        Self {
            codes: vec![nothing; count as usize],
            starts,
            parts,
            loose,
            shown: vec![nothing; twins],
            marks: vec![0; twins],
            stale: true,
            ..Self::default()
        }
    }

    /// The codes, by part.
    pub fn codes(&self) -> &[[u8; 4]] {
        &self.codes
    }

    /// Whether any part is drawn faintly: left aside, or never seen and not selected.
    pub const fn any_faint(&self) -> bool {
        self.faint > 0
    }

    /// Starts over, for a texture that is blank again: until the next [`Self::update`] every part shows no twin.
    pub fn forget(&mut self) {
        let nothing = unbound_texel(ViewFlags(0));
        self.codes.fill(nothing);
        self.shown.fill(nothing);
        (self.faint, self.stale) = (0, true);
    }

    /// Brings the codes up to a frame; `changed` is everything that changed in it since the last call. True where a code changed.
    pub fn update(&mut self, model: &Model, frame: &ViewFrame, changed: &Changed, marks: &Marks<'_>) -> bool {
        let all = std::mem::take(&mut self.stale) || changed.all;
        let mut any = self.mark_loose(marks, all);
        if all || self.selected != marks.selected || self.isolate.as_deref() != marks.isolated {
            self.mark_all(marks);
            for at in 0..self.marks.len() {
                any |= self.show(model, frame, TwinIndex::from_at(at));
            }
            return any;
        }
        for twin in &changed.twins {
            any |= self.show(model, frame, *twin);
        }
        if self.hovered != marks.hovered {
            for (twin, on) in [(self.hovered, false), (marks.hovered, true)] {
                if let Some((twin, mark)) = twin.and_then(|twin| Some((twin, self.marks.get_mut(twin.at())?))) {
                    *mark = *mark & !ViewFlags::HOVERED | if on { ViewFlags::HOVERED } else { 0 };
                    any |= self.show(model, frame, twin);
                }
            }
            self.hovered = marks.hovered;
        }
        any
    }

    /// Works out the marks of all twins.
    fn mark_all(&mut self, marks: &Marks<'_>) {
        self.marks.fill(if marks.isolated.is_some() { ViewFlags::GHOST } else { 0 });
        let mut each = |twins: &[TwinIndex], change: fn(u8) -> u8| {
            for twin in twins {
                if let Some(mark) = self.marks.get_mut(twin.at()) {
                    *mark = change(*mark);
                }
            }
        };
        each(marks.isolated.unwrap_or_default(), |mark| mark & !ViewFlags::GHOST);
        each(marks.selected, |mark| mark | ViewFlags::SELECTED);
        each(marks.hovered.as_slice(), |mark| mark | ViewFlags::HOVERED);
        self.selected = marks.selected.to_vec();
        self.isolate = marks.isolated.map(<[TwinIndex]>::to_vec);
        self.hovered = marks.hovered;
    }

    /// Parts that show no twin: only left aside or not, and pointed at or not.
    fn mark_loose(&mut self, marks: &Marks<'_>, all: bool) -> bool {
        let isolated = marks.isolated.is_some();
        let ghost = if isolated { ViewFlags::GHOST } else { 0 };
        let before = self.hovered_part;
        if !all && self.isolated == isolated && before == marks.hovered_part {
            return false;
        }
        let hovered = marks.hovered_part;
        let code = |part: u32| unbound_texel(ViewFlags(ghost | if hovered == Some(part) { ViewFlags::HOVERED } else { 0 }));
        let mut any = false;
        if all || self.isolated != isolated {
            for at in 0..self.loose.len() {
                any |= self.write(self.loose[at], code(self.loose[at]));
            }
        } else {
            for part in [before, hovered].into_iter().flatten() {
                if self.loose.binary_search(&part).is_ok() {
                    any |= self.write(part, code(part));
                }
            }
        }
        (self.isolated, self.hovered_part) = (isolated, hovered);
        any
    }

    /// Writes a twin's code to its parts where it is another than before.
    fn show(&mut self, model: &Model, frame: &ViewFrame, twin: TwinIndex) -> bool {
        let Some(flags) = self.marks.get(twin.at()).copied().map(ViewFlags) else { return false };
        // A twin without signals has no health of its own: an area, or a wall. It keeps its material.
        let state = frame.twins.get(twin.at()).filter(|_| model.twin(twin).is_judged());
        let code = match state {
            Some(state) if state.status == Status::Unknown && frame.t.is_none() => unbound_texel(flags),
            Some(state) => texel(state.status, state.freshness, state.alarm, flags),
            None => unbound_texel(flags),
        };
        if self.shown[twin.at()] == code {
            return false;
        }
        self.shown[twin.at()] = code;
        let range = self.starts[twin.at()] as usize..self.starts[twin.at() + 1] as usize;
        let any = !range.is_empty();
        for at in range {
            self.write(self.parts[at], code);
        }
        any
    }

    fn write(&mut self, part: u32, code: [u8; 4]) -> bool {
        let slot = &mut self.codes[part as usize];
        if *slot == code {
            return false;
        }
        self.faint = self.faint + usize::from(is_faint(&code)) - usize::from(is_faint(slot));
        *slot = code;
        true
    }
}

/// Whether a part is drawn by the faint pipeline, as `marks.wgsl` decides it too: what was never seen is, unless it is selected,
/// because the selection's outline is only hidden behind what is solid.
pub(crate) fn is_faint([status, freshness, _, flags]: &[u8; 4]) -> bool {
    let never_seen = *status != UNBOUND && *freshness == Freshness::NeverSeen.code();
    flags & ViewFlags::GHOST != 0 || (never_seen && flags & ViewFlags::SELECTED == 0)
}

#[cfg(test)]
mod tests;

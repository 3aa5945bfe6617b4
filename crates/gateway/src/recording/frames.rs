//! From frames to what is known of the signals of one model, whichever revision was in force when a frame was written.
//!
//! Frames speak of signals by the numbers of a dictionary and of sources by positions: both are those of the gateway that sent them.
//! Here they become positions of the model that was asked for, by their ids.

use std::collections::BTreeMap;

use twin_model::{Model, Sample, SignalIndex, TimeRange, Timestamp};
use twin_protocol::{Dictionary, Entry, LinkChange, ServerFrame};

use super::content::Plant;
use crate::stores::{ALWAYS, patient_store};

/// What the frames of a recording say.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) chunks: Vec<Vec<u8>>,
    pub(super) samples: Vec<(SignalIndex, Sample)>,
    pub(super) links: Vec<LinkChange>,
    pub(super) began: Option<Timestamp>,
}

/// Takes frames in, each with the revision in force.
pub(super) fn take(frames: Vec<(usize, ServerFrame)>, plant: &Plant, model: &Model) -> Taken {
    let sources = (0..).zip(model.sources()).map(|(at, source)| (source.id.as_str(), at)).collect();
    let mut taker = Taker { model, sources, ids: Vec::new(), out: Taken::default() };
    for (revision, frame) in frames {
        taker.take(frame, &plant.viewer(revision).model);
    }
    taker.out
}

struct Taker<'a> {
    model: &'a Model,
    /// Positions of the model's sources, by id.
    sources: BTreeMap<&'a str, u32>,
    ids: Vec<Option<SignalIndex>>,
    out: Taken,
}

impl Taker<'_> {
    /// Takes a frame in that a gateway of the model `theirs` sent.
    fn take(&mut self, frame: ServerFrame, theirs: &Model) {
        match frame {
            ServerFrame::Dictionary(dictionary) => self.ids = dictionary.resolve(self.model),
            ServerFrame::Snapshot(snapshot) => {
                if self.out.samples.is_empty() {
                    self.out.began = Some(snapshot.at);
                }
                self.keep(snapshot.entries);
            }
            ServerFrame::Batch(batch) => self.keep(batch.entries),
            ServerFrame::KeepAlive { server_time } if self.out.samples.is_empty() => {
                self.out.began.get_or_insert(server_time);
            }
            ServerFrame::Sources(links) => {
                let change = |link: twin_protocol::SourceLink| {
                    let source = *self.sources.get(link.source.as_str())?;
                    Some(LinkChange { source, state: link.state, at: link.since })
                };
                self.out.links.extend(links.into_iter().filter_map(change));
            }
            ServerFrame::History(history) => {
                self.out.chunks.extend(numbered(history.chunks, &history.dictionary, self.model));
                let change = |link: LinkChange| {
                    let source = theirs.sources().get(link.source as usize)?;
                    Some(LinkChange { source: *self.sources.get(source.id.as_str())?, ..link })
                };
                self.out.links.extend(history.links.into_iter().filter_map(change));
            }
            _ => {}
        }
    }

    fn keep(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if let Some(Some(signal)) = self.ids.get(entry.id.0 as usize) {
                self.out.samples.push((*signal, entry.sample));
            }
        }
    }
}

/// Chunks whose numbers are those of a dictionary as chunks whose numbers are the positions of a model.
fn numbered(chunks: Vec<Vec<u8>>, dictionary: &Dictionary, model: &Model) -> Vec<Vec<u8>> {
    let ids = dictionary.resolve(model);
    if ids.iter().enumerate().all(|(at, id)| *id == Some(SignalIndex::from_at(at))) {
        return chunks;
    }
    // Another plant, or an earlier one: read under its numbers, and written under these.
    let mut ours = patient_store(model);
    // What can't be read under their numbers must not be read under ours; whoever takes the chunks in counts and names it.
    let unread = chunks.iter().filter(|chunk| ours.import_renumbered(chunk, &ids).is_err()).count();
    let mut out = vec![Vec::new(); unread];
    let all = ours.extent().map_or(ALWAYS, |extent| TimeRange::new(extent.start, extent.end));
    out.extend(ours.export_chunks(all).into_iter().map(|chunk| chunk.bytes));
    out
}

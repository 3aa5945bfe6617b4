//! Where pages of history come from: a gateway's routes, or pieces that a publication's catalogue names. Knows addresses and what
//! comes from them, no stores.

use std::collections::BTreeMap;

use twin_historian::Level;
use twin_historian::pager::{Page, Request};
use twin_model::Timestamp;
use twin_protocol::{Dictionary, DictionaryEntry, LinkChange, LinkState};
use twin_publication::{HistoryLevel, HistoryLink, HistoryPage, PieceRef, PublishedHistory};

use super::super::place::Place;
use super::catalogue::{self, Catalogue};

/// Where to ask for history.
pub(super) enum Origin {
    /// A gateway, whose catalogue grows.
    Gateway(String),
    /// A publication in a folder.
    Folder {
        place: Place,
        /// Its catalogue, where it has history.
        catalogue: Option<PieceRef>,
        parts: BTreeMap<(Level, Timestamp), Vec<PieceRef>>,
    },
}

/// What a catalogue says, and of files what else they have to say about time and signals.
pub(super) struct Told {
    pub(super) catalogue: Catalogue,
    /// The numbers under which chunks name signals, and where the plant's clock stands.
    pub(super) copy: Option<(Dictionary, Timestamp)>,
}

impl Origin {
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Gateway(base) => Self::Gateway(base.clone()),
            Place::Folder(_) => Self::Folder { place: place.clone(), catalogue: None, parts: BTreeMap::new() },
        }
    }

    /// The address of the catalogue, where there is one; of a gateway's only from `since` on.
    pub(super) fn catalogue(&self, since: Option<Timestamp>) -> Option<String> {
        match self {
            Self::Gateway(base) => {
                let from = since.map_or(String::new(), |since| format!("?from={}", since.as_micros()));
                Some(format!("{base}/api/catalogue{from}"))
            }
            Self::Folder { place, catalogue, .. } => catalogue.map(|piece| place.piece(piece.hash)),
        }
    }

    /// Reads what came from there.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Told, String> {
        match self {
            Self::Gateway(_) => Ok(Told { catalogue: catalogue::read(bytes)?, copy: None }),
            Self::Folder { catalogue, parts, .. } => {
                catalogue.map_or(Ok(()), |piece| piece.check(bytes)).map_err(|error| error.to_string())?;
                let history = PublishedHistory::read(bytes).map_err(|error| error.to_string())?;
                Ok(told(history, parts))
            }
        }
    }

    /// The address of a stretch that is in no page yet; none where everything is in pages.
    pub(super) fn stretch(&self) -> Option<&str> {
        match self {
            Self::Gateway(base) => Some(base),
            Self::Folder { .. } => None,
        }
    }

    /// The address of a part of a page.
    pub(super) fn part(&self, request: &Request) -> Option<String> {
        let Request { level, range, version, part, .. } = request;
        match self {
            Self::Gateway(base) => {
                Some(format!("{base}/api/page/{level}/{}/{version}/{part}?damaged=marked", range.start.as_micros()))
            }
            Self::Folder { place, .. } => self.piece(request).map(|piece| place.piece(piece.hash)),
        }
    }

    /// Whether a part's bytes are what they should be, as far as that is known.
    pub(super) fn check(&self, request: &Request, bytes: &[u8]) -> Result<(), String> {
        self.piece(request).map_or(Ok(()), |piece| piece.check(bytes)).map_err(|error| error.to_string())
    }

    fn piece(&self, request: &Request) -> Option<PieceRef> {
        match self {
            Self::Gateway(_) => None,
            Self::Folder { parts, .. } => parts.get(&(request.level, request.range.start))?.get(request.part as usize).copied(),
        }
    }
}

fn told(history: PublishedHistory, parts: &mut BTreeMap<(Level, Timestamp), Vec<PieceRef>>) -> Told {
    parts.clear();
    let mut pages = Vec::new();
    for HistoryLevel { level, pages: listed, .. } in history.levels {
        // One that a later program writes is of no use here.
        let Ok(level) = level.parse::<Level>() else { continue };
        for HistoryPage { range, samples, parts: pieces } in listed {
            let bytes = pieces.iter().map(|piece| piece.bytes).sum();
            let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX).max(1);
            // Files don't change under a page: which version it is matters to nobody.
            pages.push(Page { level, range, version: "0".to_owned(), samples, bytes, parts: count });
            parts.insert((level, range.start), pieces);
        }
    }
    let link = |HistoryLink(source, state, at): HistoryLink| {
        let state = LinkState::ALL.into_iter().find(|known| known.as_str() == state)?;
        Some(LinkChange { source, state, at: Timestamp::from_micros(at) })
    };
    let catalogue = Catalogue {
        extent: history.extent,
        sealed_until: history.extent.map(|extent| extent.end),
        outside_before: history.outside_before,
        pages,
        links: history.links.into_iter().filter_map(link).collect(),
    };
    let entries = history.signals.into_iter().map(|signal| DictionaryEntry { signal: signal.signal, kind: signal.kind });
    Told { catalogue, copy: Some((Dictionary { entries: entries.collect() }, history.now)) }
}

//! The history of a plant as pieces of a publication: everything sealed, one piece for each part of a page, and the catalogue that
//! names them. Knows keepers and pieces, no folders and no sockets.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use twin_historian::StoreConfig;
use twin_model::{Signal, SourceIndex, Span, TimeRange, Timestamp};
use twin_protocol::{LinkChange, LinkState, Page, ServerFrame, encode_server};
use twin_publication::{HistoryLevel, HistoryLink, HistoryPage, HistorySignal, PieceRef, PublishedHistory};

use crate::assemble::{PlantOptions, hub_of};
use crate::headless::{self, From};
use crate::history::pages::{self, Catalogue, LevelPages, PageRow};
use crate::history::{PUBLICATION, Persist, Setup, copy_history};
use crate::hub::Hub;
use crate::revisions::earlier;
use crate::ring::RingLimits;
use crate::site::Site;
use crate::stores::{ALWAYS, patient_store};
use crate::{GatewayError, clock};

/// Where pieces go.
type Put<'a> = dyn FnMut(PieceRef, &[u8]) -> Result<(), GatewayError> + 'a;

/// The history of a plant, all of it sealed.
pub(crate) struct Past {
    hub: Arc<Hub>,
    /// Held until it was read.
    _copy: Option<Copy>,
    /// What a person should know.
    pub(crate) remarks: Vec<String>,
    /// Sources that could not be used; what they feed is missing.
    pub(crate) unusable: usize,
}

impl Past {
    /// Everything that a data folder has; a server may be writing it. What no chunk holds yet is sealed in a copy, in the folder `work`,
    /// which needs room for one and is gone afterwards.
    ///
    /// # Errors
    /// Where there is no history, it is damaged, or there is no room for the copy.
    pub(crate) fn of_data(site: &Site, data: &Path, work: &Path) -> Result<Self, GatewayError> {
        let copy = Copy::take(work)?;
        let mut remarks = copy_history(data, &copy.0)?.remarks;
        earlier::copy_newest_model(&data.join(PUBLICATION), &copy.0.join(PUBLICATION))?;
        let model = Arc::new(site.loaded.model.clone());
        let options = PlantOptions { data: Some(copy.0.clone()), ..PlantOptions::default() };
        let hub = hub_of(&model, &options, clock::wall(), &mut remarks)?;
        Self { hub, _copy: Some(copy), remarks, unusable: 0 }.sealed(data)
    }

    /// What a site's own sources have: its tables, and what its generators made of the day before.
    ///
    /// # Errors
    /// Where the site can't be used.
    pub(crate) fn of_sources(site: &Site) -> Result<Self, GatewayError> {
        let now = clock::wall();
        let filled = headless::fill(site, &From::Sources, now, now)?;
        let mut remarks = filled.remarks;
        let model = Arc::new(site.loaded.model.clone());
        let read = filled.engine.reality().store();
        if read.thinned().is_some() {
            remarks.push("the sources give more than fits in memory; the oldest samples were thinned".to_owned());
        }
        // One by one: what comes as whole chunks counts as kept already.
        let mut store = patient_store(&model);
        for signal in model.signal_indices() {
            read.for_each_sample(signal, ALWAYS, &mut |sample| {
                store.append(signal, sample);
                ControlFlow::Continue(())
            });
        }
        let path = PathBuf::from("memory");
        let persist = Persist::in_memory(&model, Setup::default()).map_err(|source| GatewayError::History { path, source })?;
        let hub = Arc::new(Hub::new(model.clone(), now, RingLimits::default(), store, Some(persist)));
        for at in 0..model.sources().len() {
            let source = at as u32;
            let change = |state, at| LinkChange { source, state, at };
            let down = filled.engine.links().down_within(SourceIndex::from_at(at), ALWAYS);
            hub.preload_links(
                down.iter().flat_map(|down| [change(LinkState::Down, down.start), change(LinkState::Up, down.end)]),
            );
        }
        Self { hub, _copy: None, remarks, unusable: filled.unusable }.sealed(Path::new("memory"))
    }

    /// Seals what is not sealed yet, the hour under way included.
    fn sealed(self, path: &Path) -> Result<Self, GatewayError> {
        let failed = || GatewayError::Table {
            path: path.to_owned(),
            why: "not everything could be sealed; check the space left where the publication is written".to_owned(),
        };
        let (Some(extent), Some(persist)) = (self.hub.extent(), self.hub.persist()) else { return Ok(self) };
        self.hub.seal(extent.end + StoreConfig::default().slab);
        let whole = persist.sync() && persist.totals().errors.load(Ordering::Relaxed) == 0;
        if whole { Ok(self) } else { Err(failed()) }
    }

    /// Puts every part of every page where `put` does, and lists them.
    ///
    /// # Errors
    /// Where something can't be read, or `put` fails.
    pub(crate) fn publish(&self, put: &mut Put<'_>) -> Result<PublishedHistory, GatewayError> {
        let extent = self.hub.extent();
        let wall = clock::wall();
        // Predictions, and readings of clocks that run ahead, lie beyond the instant that is shown last.
        let now = extent.map_or(wall, |extent| (extent.end - Span::from_micros(1)).min(wall).max(extent.start));
        let mut history = PublishedHistory {
            now,
            extent,
            outside_before: None,
            signals: self.hub.model().signals().iter().map(signal).collect(),
            levels: Vec::new(),
            links: self.hub.links_in(ALWAYS).iter().map(link).collect(),
        };
        let Some(persist) = self.hub.persist() else { return Ok(history) };
        let unread = |source| GatewayError::History { path: PathBuf::from("the copy of history"), source };
        let catalogue = Catalogue::shown(persist.read().as_ref(), persist.numbers().tag(), ALWAYS).map_err(unread)?;
        history.outside_before = catalogue.outside_before();
        for LevelPages { level, slab_us, pages } in catalogue.levels() {
            let mut listed = Vec::with_capacity(pages.len());
            for page in pages {
                listed.push(self.page(*level, page, put)?);
            }
            history.levels.push(HistoryLevel { level: level.to_string(), slab: Span::from_micros(*slab_us), pages: listed });
        }
        Ok(history)
    }

    fn page(&self, level: twin_historian::Level, page: &PageRow, put: &mut Put<'_>) -> Result<HistoryPage, GatewayError> {
        let at = Timestamp::from_micros;
        let (start, end) = (at(page.start_us), at(page.end_us));
        let damaged = |why: String| GatewayError::Damaged { path: PathBuf::from(crate::history::FILE), why };
        let gone = || damaged(format!("a page of {level} from {start} on can't be read"));
        let mut parts = Vec::new();
        for part in 0..page.parts {
            let persist = self.hub.persist().ok_or_else(gone)?;
            let found = pages::part_for(persist.read().as_ref(), Some(persist.numbers()), level, start, page.version, part);
            let read = found.map_err(|error| damaged(error.to_string()))?.ok_or_else(gone)?;
            if let Some(missing) = read.missing.first() {
                return Err(damaged(format!("{}: {}", missing.what, missing.why)));
            }
            let chunks = read.chunks.iter().map(|chunk| chunk.to_vec()).collect();
            let bytes = encode_server(&ServerFrame::Page(Page { chunks }));
            let piece = PieceRef::of(&bytes);
            put(piece, &bytes)?;
            parts.push(piece);
        }
        Ok(HistoryPage { range: TimeRange::new(start, end), samples: page.samples, parts })
    }
}

fn signal(signal: &Signal) -> HistorySignal {
    HistorySignal { signal: signal.id.clone(), kind: signal.value_kind }
}

fn link(change: &LinkChange) -> HistoryLink {
    HistoryLink(change.source, change.state.as_str().to_owned(), change.at.as_micros())
}

/// A folder for a copy of history, which is gone with this.
struct Copy(PathBuf);

impl Copy {
    fn take(work: &Path) -> Result<Self, GatewayError> {
        match fs::remove_dir_all(work) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(GatewayError::Write { path: work.to_owned(), source });
            }
            _ => {}
        }
        Ok(Self(work.to_owned()))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What can't be removed is removed by the next one.
        fs::remove_dir_all(&self.0).ok();
    }
}

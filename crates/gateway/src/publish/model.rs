//! From a loaded site to what a viewer needs of it. What is not taken here is not published: sources beyond id and kind, paths of
//! models, places in the site file.

use twin_publication::{Anchor, Placement, Start, View, ViewerModel};
use twin_site::{LoadedSite, StartAt};

/// The viewer's model of a site.
pub(super) fn of(site: &LoadedSite) -> ViewerModel {
    let settings = &site.settings;
    let time = settings.time.map(|time| match time {
        StartAt::Now => Start::Now,
        StartAt::Recorded => Start::Recorded,
        StartAt::Instant(at) => Start::At(at),
    });
    let placements = site.assets.iter().map(|asset| Placement {
        id: asset.id.clone(),
        transform: asset.transform.to_cols_array(),
        background: asset.background.clone(),
    });
    let anchors = site.anchors.iter().map(|it| Anchor { name: it.name.clone(), twin: it.twin, position: it.position });
    ViewerModel {
        model: site.model.clone(),
        view: View {
            eye: settings.eye,
            target: settings.target,
            time,
            select: settings.select,
            chart: settings.chart.clone(),
            theme: settings.theme.clone(),
        },
        placements: placements.collect(),
        no_geometry: site.no_geometry.clone(),
        anchors: anchors.collect(),
    }
}

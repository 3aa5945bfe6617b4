//! Edges that are worth drawing, of each part of a cell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use glam::Vec3;

use super::CellSettings;
use super::bake::{Baked, Kitchen};
use super::fragments::{Fragment, mesh_of};
use super::shape::Edge;
use crate::geometry::SceneModel;
use crate::merge::{Part, PartIndex, Placed, class_of_length, edges_below};

/// Finds edges, those of one mesh once.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// By model and mesh. Addresses only find what is known; no order comes from them.
    known: BTreeMap<(*const SceneModel, usize), Vec<[[f32; 3]; 2]>>,
    count: usize,
    without: BTreeSet<u32>,
}

impl Edges {
    /// Parts without edges because they, or all parts together, had too many.
    pub(super) fn without(&self) -> usize {
        self.without.len()
    }

    /// Appends the edges of a cell's fragments to its shape.
    pub(super) fn add(&mut self, kitchen: &Kitchen<'_>, settings: &CellSettings, ordered: &[&Fragment], baked: &mut Baked) {
        let Some(cosine) = settings.edge_cosine else { return };
        for fragment in ordered {
            let Some(part) = kitchen.parts.get(fragment.part as usize) else { continue };
            if part.triangles as usize > settings.max_edge_triangles {
                self.without.insert(fragment.part);
                continue;
            }
            let Ok(own) = baked.parts.binary_search(&PartIndex(fragment.part)) else { continue };
            let own = u16::try_from(own).unwrap_or(u16::MAX);
            let found = self.of(kitchen, part, fragment, cosine, own, settings.min_edge);
            if self.count + found.len() > settings.max_edges {
                self.without.insert(fragment.part);
                continue;
            }
            self.count += found.len();
            for end in found.iter().flat_map(|edge| edge.ends) {
                if let Some([min, max]) = baked.boxes.get_mut(usize::from(own)) {
                    (*min, *max) = (min.min(end), max.max(end));
                }
            }
            baked.shape.edges.extend(found);
        }
    }

    fn of(&mut self, kitchen: &Kitchen<'_>, part: &Part, fragment: &Fragment, cosine: f32, own: u16, shortest: f32) -> Vec<Edge> {
        let Some((placed, number)) = place_of(kitchen.placed, part) else { return Vec::new() };
        let Some(mesh) = mesh_of(kitchen.placed, part) else { return Vec::new() };
        let known = self.known.entry((Arc::as_ptr(&placed.model), number));
        let edges = known.or_insert_with(|| edges_below(mesh, cosine));
        let Some(node) = placed.model.nodes.get(part.node as usize) else { return Vec::new() };
        let world = placed.transform * node.world;
        let pieces = kitchen.pieces.get(&fragment.part);
        let mut found = Vec::new();
        for ends in edges.iter() {
            let here = ends.map(|end| part.world.transform_point3(Vec3::from(end).as_dvec3()).as_vec3());
            if pieces.is_some_and(|pieces| !pieces.owns(fragment, here[0] * 0.5 + here[1] * 0.5)) {
                continue;
            }
            let ends = ends.map(|end| world.transform_point3(Vec3::from(end).as_dvec3()));
            let length = ends[0].distance(ends[1]) as f32;
            if length >= shortest {
                found.push(Edge { class: class_of_length(length) as u8, part: own, ends });
            }
        }
        found
    }
}

fn place_of<'a>(placed: &'a [Placed], part: &Part) -> Option<(&'a Placed, usize)> {
    let placed = placed.get(part.asset as usize)?;
    Some((placed, placed.model.nodes.get(part.node as usize)?.mesh?))
}

//! Coarser levels of a cell. Every part keeps something of its size and place; nothing depends on anything but the cell.
//!
//! Vertices are gathered in cubes of a lattice whose side is a power of two of the cell's step (Rossignac and Borrel, 1993), and stand
//! where the planes about them come closest (Lindstrom, "Out-of-core simplification of large polygonal models", SIGGRAPH 2000). One
//! side for the whole cell: what is coarse is equally coarse, large walls stay as they are, and a part thinner than the side becomes
//! four triangles between its own outermost points. What would vanish although it belongs to a larger part (a rail on a tank)
//! keeps its largest triangle.

mod cluster;
mod part;

use std::collections::BTreeSet;

use glam::DVec3;

use super::block::MOST_VERTICES;
use super::grid::Grid;
use super::shape::{Edge, RawGroup, Shape, Vertex};
use cluster::{Clusters, PointOf};
use part::{Body, Corner};

/// What a part becomes when it is thinner than the side.
const HANDFUL: usize = 4;
/// A level may have so many times the triangles that were aimed at before the next side is tried.
const ROOM: f64 = 1.3;
/// The side is at most this part of the cell's diagonal: coarser than that, walls and machines would be no walls and machines any
/// more, and there is nothing left to gain.
const COARSEST: f64 = 1.0 / 16.0;
/// A cell with fewer triangles has one level: full detail.
const WORTH: usize = 256;

/// A coarser level and how far at most its surface is from where it should be, in the site's units.
pub(super) struct Coarse {
    pub(super) shape: Shape,
    pub(super) error: f64,
}

/// Makes coarser levels of one cell.
pub(super) struct Simplifier<'a> {
    full: &'a Shape,
    grid: Grid,
    bodies: Vec<Body>,
    /// Numbers on the cell's lattice, by group and vertex.
    places: Vec<Vec<[u32; 3]>>,
    /// Edges of each part.
    edges: Vec<Vec<u32>>,
    /// Of the cell, in the site's units.
    diagonal: f64,
}

impl<'a> Simplifier<'a> {
    pub(super) fn new(full: &'a Shape, grid: Grid) -> Self {
        let place = |vertex: &Vertex| grid.nearest(vertex.at);
        let places = full.groups.iter().map(|group| group.vertices.iter().map(place).collect()).collect();
        let mut edges = vec![Vec::new(); full.parts];
        for (at, edge) in (0u32..).zip(&full.edges) {
            if let Some(own) = edges.get_mut(usize::from(edge.part)) {
                own.push(at);
            }
        }
        let empty = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        let (min, max) = full.places().fold(empty, |(min, max), at| (min.min(at), max.max(at)));
        Self { full, grid, bodies: Body::all(full), places, edges, diagonal: (max - min).max(DVec3::ZERO).length() }
    }

    /// A level of about that share of the triangles, or of as few as there can be; `None` where nothing is gained.
    pub(super) fn level(&self, share: f64) -> Option<Coarse> {
        if self.full.triangles() < WORTH {
            return None;
        }
        let end = (1..32u32).find(|shift| self.side(*shift) > self.diagonal * COARSEST).unwrap_or(32);
        // The larger the side, the fewer triangles. From the coarse end, because what is looked for is near it.
        let mut first = end - 1;
        let least = self.estimate(first) as f64;
        let aim = (share * self.full.triangles() as f64).max(least * 1.1);
        while first > 0 && self.estimate(first - 1) as f64 <= aim {
            first -= 1;
        }
        let mut level = self.at(first);
        for shift in first + 1..end {
            if level.as_ref().is_some_and(|level| level.shape.triangles() as f64 <= aim * ROOM) {
                break;
            }
            let next = self.at(shift);
            let size = |level: &Option<Coarse>| level.as_ref().map_or(usize::MAX, |level| level.shape.triangles());
            if level.is_some() && size(&next) >= size(&level) {
                break;
            }
            level = next;
        }
        level.filter(|level| level.shape.triangles() * 2 <= self.full.triangles())
    }

    fn side(&self, shift: u32) -> f64 {
        self.grid.step() * (1u64 << shift) as f64
    }

    /// About how many triangles would be left.
    fn estimate(&self, shift: u32) -> usize {
        let side = self.side(shift);
        let left = self.bodies.iter().map(|body| {
            if body.thickness <= side {
                return body.triangles.len().min(HANDFUL);
            }
            let keys = |corners: &[Corner; 3]| corners.map(|corner| self.key(corner, shift));
            body.corners(self.full).filter(|corners| are_apart(keys(corners))).count().max(1)
        });
        left.sum()
    }

    fn key(&self, corner: Corner, shift: u32) -> [u32; 3] {
        let place = self.places.get(corner.group as usize).and_then(|places| places.get(corner.vertex as usize));
        place.copied().unwrap_or_default().map(|number| number >> shift)
    }

    /// The level with cubes of that side; `None` where it has more vertices than a group takes.
    fn at(&self, shift: u32) -> Option<Coarse> {
        let side = self.side(shift);
        let mut out = Builder::new(self.full);
        let mut point_of: PointOf = self.places.iter().map(|own| vec![0; own.len()]).collect();
        // Rounding to the lattice comes on top.
        let step = self.grid.step() * 0.75f64.sqrt();
        let mut error = 0f64;
        for (body, edges) in self.bodies.iter().zip(&self.edges) {
            if body.triangles.len() <= HANDFUL {
                out.keep(body);
                self.keep_edges(edges, side, &mut out);
            } else if body.thickness <= side {
                out.handful(body);
                error = error.max(body.thickness);
            } else {
                let clusters = Clusters::new(self.full, body, &|corner| self.key(corner, shift), &mut point_of);
                error = error.max(clusters.append(self.full, body, side, &mut out));
                let moved = |end: DVec3| clusters.stand_in(self.grid.nearest(end).map(|number| number >> shift));
                self.move_edges(edges, side, &moved, &mut out);
            }
        }
        Some(Coarse { shape: out.finish()?, error: error + step })
    }

    fn keep_edges(&self, edges: &[u32], side: f64, out: &mut Builder<'_>) {
        let own = edges.iter().filter_map(|at| self.full.edges.get(*at as usize));
        out.shape.edges.extend(own.filter(|edge| edge.ends[0].distance(edge.ends[1]) >= side * LONG).copied());
    }

    /// Edges whose ends moved; those that became short would be a thicket.
    fn move_edges(&self, edges: &[u32], side: f64, moved: &dyn Fn(DVec3) -> Option<DVec3>, out: &mut Builder<'_>) {
        let mut there = BTreeSet::new();
        for edge in edges.iter().filter_map(|at| self.full.edges.get(*at as usize)) {
            let [Some(a), Some(b)] = edge.ends.map(moved) else { continue };
            let bits = |end: DVec3| end.to_array().map(f64::to_bits);
            let key = [bits(a).min(bits(b)), bits(a).max(bits(b))];
            if a.distance(b) >= side * LONG && there.insert(key) {
                let class = crate::merge::class_of_length(a.distance(b) as f32) as u8;
                out.shape.edges.push(Edge { class, part: edge.part, ends: [a, b] });
            }
        }
    }
}

/// Edges of a coarser level are at least so many sides long.
const LONG: f64 = 4.0;

fn are_apart([a, b, c]: [[u32; 3]; 3]) -> bool {
    a != b && b != c && c != a
}

/// Puts triangles of a coarser level into groups like those they come from.
struct Builder<'a> {
    full: &'a Shape,
    shape: Shape,
    /// Where a vertex of the full level went that was taken over as it is; by group and vertex.
    kept: Vec<Vec<u16>>,
}

/// No vertex yet.
const NOWHERE: u16 = u16::MAX;

impl<'a> Builder<'a> {
    fn new(full: &'a Shape) -> Self {
        let groups = full.groups.iter().map(|group| RawGroup::new(group.class)).collect();
        let kept = full.groups.iter().map(|group| vec![NOWHERE; group.vertices.len()]).collect();
        Self { full, shape: Shape { parts: full.parts, groups, edges: Vec::new() }, kept }
    }

    /// Takes triangles over as they are.
    fn keep(&mut self, body: &Body) {
        for corners in body.corners(self.full) {
            self.original(corners, body.part);
        }
    }

    fn original(&mut self, corners: [Corner; 3], part: u16) {
        let points = corners.map(|corner| self.copy(corner));
        self.triangle(corners[0].group, points, part);
    }

    /// A vertex of the full level, as it is.
    fn copy(&mut self, corner: Corner) -> u16 {
        let Some(vertex) = corner.of(self.full).copied() else { return 0 };
        let known = self.kept.get(corner.group as usize).and_then(|kept| kept.get(corner.vertex as usize)).copied();
        if let Some(known) = known.filter(|known| *known != NOWHERE) {
            return known;
        }
        let at = self.point(corner.group, vertex);
        let kept = self.kept.get_mut(corner.group as usize).and_then(|kept| kept.get_mut(corner.vertex as usize));
        kept.into_iter().for_each(|kept| *kept = at);
        at
    }

    fn point(&mut self, group: u32, vertex: Vertex) -> u16 {
        let Some(group) = self.shape.groups.get_mut(group as usize) else { return 0 };
        group.vertices.push(vertex);
        // Beyond 16 bits the level is given up in the end.
        u16::try_from(group.vertices.len() - 1).unwrap_or(0)
    }

    fn triangle(&mut self, group: u32, points: [u16; 3], part: u16) {
        let Some(group) = self.shape.groups.get_mut(group as usize) else { return };
        group.open_run(part);
        group.indices.extend(points);
    }

    /// Four triangles between the outermost points, facing outwards.
    fn handful(&mut self, body: &Body) {
        let [a, b, c, d] = body.outermost;
        let points = [a, b, c, d].map(|corner| corner.of(self.full).copied());
        let [Some(p), Some(q), Some(r), Some(s)] = points else { return };
        let inwards = (q.at - p.at).cross(r.at - p.at).dot(s.at - p.at) < 0.0;
        // Of the group that has most of the part; a point of another group lends its place and colour.
        let own = [p, q, r, s].map(|vertex| self.point(body.group, vertex));
        let [a, b, c, d] = if inwards { [own[0], own[2], own[1], own[3]] } else { own };
        for corners in [[a, c, b], [a, b, d], [b, c, d], [a, d, c]] {
            self.triangle(body.group, corners, body.part);
        }
    }

    fn finish(mut self) -> Option<Shape> {
        self.shape.groups.retain(|group| !group.indices.is_empty());
        let fits = self.shape.groups.iter().all(|group| group.vertices.len() <= MOST_VERTICES);
        fits.then_some(self.shape)
    }
}

//! One part with its vertices gathered in cubes.

use glam::{DMat3, DVec3};

use super::part::{Body, Corner};
use super::{Builder, are_apart};
use crate::cells::bytes::number;
use crate::cells::shape::{Shape, Vertex};

/// Which point each vertex became, by group and vertex. One list serves all parts of a cell: no vertex has two.
pub(super) type PointOf = Vec<Vec<u32>>;

/// The cubes of one part that hold vertices.
pub(super) struct Clusters<'a> {
    /// Ascending.
    keys: Vec<[u32; 3]>,
    /// Where the vertices of each cube go.
    places: Vec<DVec3>,
    /// Vertices that look alike and stand in one cube, ascending by cube.
    points: Vec<Point>,
    /// Which of them each vertex became.
    point_of: &'a PointOf,
    /// How far a vertex moved at most.
    moved: f64,
}

struct Point {
    cube: u32,
    group: u32,
    like: Corner,
}

/// A triangle that would vanish: the cubes of its corners, twice the square of its area, and its number.
type Lost = ([u32; 2], f64, usize);

impl<'a> Clusters<'a> {
    pub(super) fn new(full: &Shape, body: &Body, key: &dyn Fn(Corner) -> [u32; 3], point_of: &'a mut PointOf) -> Self {
        let mut corners: Vec<Corner> = body.corners(full).flatten().collect();
        corners.sort_unstable();
        corners.dedup();
        let look = |corner: Corner| corner.of(full).map_or(0, facing);
        let mut sorted: Vec<([u32; 3], u32, u8, Corner)> =
            corners.iter().map(|&corner| (key(corner), corner.group, look(corner), corner)).collect();
        sorted.sort_unstable();
        let (mut keys, mut points) = (Vec::new(), Vec::new());
        for same in sorted.chunk_by(|one, other| one.0 == other.0) {
            let cube = number(keys.len());
            keys.extend(same.first().map(|(key, ..)| *key));
            for alike in same.chunk_by(|one, other| (one.1, one.2) == (other.1, other.2)) {
                let point = number(points.len());
                points.extend(alike.first().map(|(_, group, _, like)| Point { cube, group: *group, like: *like }));
                for (.., corner) in alike {
                    let place = point_of.get_mut(corner.group as usize).and_then(|own| own.get_mut(corner.vertex as usize));
                    place.into_iter().for_each(|place| *place = point);
                }
            }
        }
        let mut clusters = Self { keys, places: Vec::new(), points, point_of, moved: 0.0 };
        clusters.settle(full, body, &corners);
        clusters
    }

    fn point(&self, corner: Corner) -> u32 {
        let point = self.point_of.get(corner.group as usize).and_then(|own| own.get(corner.vertex as usize));
        point.copied().unwrap_or_default()
    }

    fn cube(&self, point: u32) -> u32 {
        self.points.get(point as usize).map_or(0, |point| point.cube)
    }

    /// Where what stood in a cube stands now.
    pub(super) fn stand_in(&self, key: [u32; 3]) -> Option<DVec3> {
        self.places.get(self.keys.binary_search(&key).ok()?).copied()
    }

    /// Finds a place for each cube's vertices: as near as can be to the planes of the triangles about them, and within them.
    fn settle(&mut self, full: &Shape, body: &Body, corners: &[Corner]) {
        let mut quadrics = vec![Quadric::default(); self.keys.len()];
        let place = |corner: &Corner| Some((self.cube(self.point(*corner)), corner.of(full)?.at));
        let places: Vec<(u32, DVec3)> = corners.iter().filter_map(place).collect();
        for (cube, at) in &places {
            if let Some(quadric) = quadrics.get_mut(*cube as usize) {
                quadric.add_vertex(*at);
            }
        }
        for corners in body.corners(full) {
            let [Some(a), Some(b), Some(c)] = corners.map(|corner| corner.of(full).map(|vertex| vertex.at)) else { continue };
            let normal = (b - a).cross(c - a);
            for corner in corners {
                let cube = self.cube(self.point(corner));
                if let Some(quadric) = quadrics.get_mut(cube as usize) {
                    quadric.add_plane(normal, a);
                }
            }
        }
        self.places = quadrics.iter().map(Quadric::nearest).collect();
        let moved = places.iter().filter_map(|(cube, at)| Some(self.places.get(*cube as usize)?.distance(*at)));
        self.moved = moved.fold(0.0, f64::max);
    }

    /// Appends what is left of the part; returns how far it is at most from what was.
    pub(super) fn append(&self, full: &Shape, body: &Body, side: f64, out: &mut Builder<'_>) -> f64 {
        let all: Vec<[Corner; 3]> = body.corners(full).collect();
        let (mut kept, mut lost): (Vec<([u32; 3], usize)>, Vec<Lost>) = (Vec::new(), Vec::new());
        for (at, corners) in all.iter().enumerate() {
            let [a, b, c] = corners.map(|corner| self.cube(self.point(corner)));
            if are_apart([a, b, c].map(|cube| [cube; 3])) {
                // The same way round, beginning at the lowest.
                let turned = if a < b && a < c {
                    [a, b, c]
                } else if b < c {
                    [b, c, a]
                } else {
                    [c, a, b]
                };
                kept.push((turned, at));
            } else {
                let size = doubled_area(full, corners).map_or(0.0, |normal| normal.length_squared());
                lost.push(([a.min(b).min(c), a.max(b).max(c)], size, at));
            }
        }
        kept.sort_unstable();
        kept.dedup_by_key(|(cubes, _)| *cubes);
        let rescued = self.rescued(full, &all, &kept, lost);
        let mut numbers: Vec<usize> = kept.into_iter().map(|(_, at)| at).collect();
        numbers.sort_unstable();
        let mut placed = vec![None; self.points.len()];
        for corners in numbers.iter().filter_map(|at| all.get(*at)) {
            let points = corners.map(|corner| self.placed(full, corner, &mut placed, out));
            out.triangle(corners[0].group, points, body.part);
        }
        for corners in rescued.iter().filter_map(|at| all.get(*at)) {
            out.original(*corners, body.part);
        }
        if rescued.is_empty() { self.moved } else { self.moved.max(side * 3f64.sqrt()) }
    }

    /// Of what would vanish: for every pair of cubes, or cube, that no triangle is left at, the largest triangle, and the largest
    /// that faces away from it.
    fn rescued(&self, full: &Shape, all: &[[Corner; 3]], kept: &[([u32; 3], usize)], mut lost: Vec<Lost>) -> Vec<usize> {
        let mut there: Vec<[u32; 2]> = Vec::new();
        for ([a, b, c], _) in kept {
            there.extend([[*a.min(b), *a.max(b)], [*b.min(c), *b.max(c)], [*c.min(a), *c.max(a)]]);
            there.extend([a, b, c].map(|cube| [*cube; 2]));
        }
        there.sort_unstable();
        there.dedup();
        lost.sort_unstable_by(|one, other| {
            (one.0, other.1, one.2).partial_cmp(&(other.0, one.1, other.2)).unwrap_or(one.2.cmp(&other.2))
        });
        let (edges, points): (Vec<Lost>, Vec<Lost>) = lost.into_iter().partition(|(cubes, ..)| cubes[0] != cubes[1]);
        let mut rescued = Vec::new();
        for same in
            [edges.as_slice(), points.as_slice()].into_iter().flat_map(|lost| lost.chunk_by(|one, other| one.0 == other.0))
        {
            let Some(&(cubes, _, largest)) = same.first() else { continue };
            if there.binary_search(&cubes).is_ok() {
                continue;
            }
            let normal = |at: usize| all.get(at).and_then(|corners| doubled_area(full, corners)).unwrap_or_default();
            let front = normal(largest);
            rescued.push(largest);
            rescued.extend(same.iter().map(|(.., at)| *at).find(|at| normal(*at).dot(front) < 0.0));
            // A cube at an end of an edge is not lost.
            for end in cubes.map(|cube| [cube; 2]) {
                if let Err(at) = there.binary_search(&end) {
                    there.insert(at, end);
                }
            }
        }
        rescued.sort_unstable();
        rescued
    }

    fn placed(&self, full: &Shape, corner: Corner, placed: &mut [Option<u16>], out: &mut Builder<'_>) -> u16 {
        let own = self.point(corner);
        if let Some(known) = placed.get(own as usize).copied().flatten() {
            return known;
        }
        let Some(point) = self.points.get(own as usize) else { return 0 };
        let Some(like) = point.like.of(full) else { return 0 };
        let at = self.places.get(point.cube as usize).copied().unwrap_or(like.at);
        let made = out.point(point.group, Vertex { at, ..*like });
        placed.get_mut(own as usize).into_iter().for_each(|known| *known = Some(made));
        made
    }
}

/// Which of six ways a vertex faces: those that face alike share a normal, so that corners stay sharp.
fn facing(vertex: &Vertex) -> u8 {
    let size = vertex.normal.abs();
    let axis = if size.x >= size.y && size.x >= size.z { 0 } else { u8::from(size.y < size.z) + 1 };
    axis * 2 + u8::from(vertex.normal[usize::from(axis)] < 0.0)
}

/// Normal of a triangle, as long as twice its area.
fn doubled_area(full: &Shape, corners: &[Corner; 3]) -> Option<DVec3> {
    let [a, b, c] = corners.map(|corner| corner.of(full).map(|vertex| vertex.at));
    let (a, b, c) = (a?, b?, c?);
    Some((b - a).cross(c - a))
}

/// Sum of squared distances from planes, weighted by the square of their triangles' areas, about the mean of the vertices.
#[derive(Debug, Clone, Default)]
struct Quadric {
    first: DVec3,
    sum: DVec3,
    count: f64,
    min: DVec3,
    max: DVec3,
    matrix: DMat3,
    right: DVec3,
}

/// How strongly a place is drawn to the mean where planes leave it free.
const PULL: f64 = 1e-3;

impl Quadric {
    fn add_vertex(&mut self, at: DVec3) {
        if self.count == 0.0 {
            (self.first, self.min, self.max, self.matrix) = (at, at, at, DMat3::ZERO);
        }
        // From the first, so that places in national coordinates keep their digits.
        self.sum += at - self.first;
        self.count += 1.0;
        (self.min, self.max) = (self.min.min(at), self.max.max(at));
    }

    fn add_plane(&mut self, normal: DVec3, at: DVec3) {
        let distance = normal.dot(at - self.first);
        self.matrix += DMat3::from_cols(normal * normal.x, normal * normal.y, normal * normal.z);
        self.right += normal * distance;
    }

    fn nearest(&self) -> DVec3 {
        let mean = self.sum / self.count.max(1.0);
        let trace = self.matrix.x_axis.x + self.matrix.y_axis.y + self.matrix.z_axis.z;
        let pull = trace * PULL;
        let inverse = (self.matrix + DMat3::from_diagonal(DVec3::splat(pull))).inverse();
        let best = inverse * (self.right + mean * pull);
        let best = if best.is_finite() { best } else { mean };
        (self.first + best).clamp(self.min, self.max)
    }
}

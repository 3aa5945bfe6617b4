//! A part of a cell as the simplifier sees it: its triangles, how thick it is, and its outermost points.

use glam::DVec3;

use crate::cells::shape::{Shape, Vertex};

/// A vertex of the full level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Corner {
    pub(super) group: u32,
    pub(super) vertex: u32,
}

impl Corner {
    pub(super) fn of(self, shape: &Shape) -> Option<&Vertex> {
        shape.groups.get(self.group as usize)?.vertices.get(self.vertex as usize)
    }
}

/// One part's share of a cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    pub(super) part: u16,
    /// Group and number in it.
    pub(super) triangles: Vec<(u32, u32)>,
    /// The group of most of its triangles.
    pub(super) group: u32,
    /// Two points far apart, the one furthest from the line between them, and the one furthest from the triangle of the three: of a
    /// plate all four corners.
    pub(super) outermost: [Corner; 4],
    /// No point of the surface is further from the line between the first two.
    pub(super) thickness: f64,
}

impl Body {
    /// All parts of a cell, in their order.
    pub(super) fn all(shape: &Shape) -> Vec<Self> {
        let mut bodies: Vec<Self> = (0..shape.parts).map(|_| Self::default()).collect();
        for (number, group) in (0u32..).zip(&shape.groups) {
            let ends = group.runs.iter().skip(1).map(|(first, _)| *first);
            let ends = ends.chain([crate::cells::bytes::number(group.triangles())]);
            for ((first, part), end) in group.runs.iter().zip(ends) {
                if let Some(body) = bodies.get_mut(usize::from(*part)) {
                    body.triangles.extend((*first..end).map(|at| (number, at)));
                }
            }
        }
        for (part, body) in (0u16..=u16::MAX).zip(&mut bodies) {
            body.part = part;
            body.measure(shape);
        }
        bodies
    }

    /// Corners of its triangles.
    pub(super) fn corners<'a>(&'a self, shape: &'a Shape) -> impl Iterator<Item = [Corner; 3]> + 'a {
        self.triangles.iter().filter_map(|&(group, at)| {
            let own = shape.groups.get(group as usize)?.indices.get(at as usize * 3..at as usize * 3 + 3)?;
            let &[a, b, c] = own else { return None };
            Some([a, b, c].map(|vertex| Corner { group, vertex: vertex.into() }))
        })
    }

    fn measure(&mut self, shape: &Shape) {
        let mut counts: Vec<(usize, u32)> = Vec::new();
        for same in self.triangles.chunk_by(|one, other| one.0 == other.0) {
            counts.extend(same.first().map(|(group, _)| (same.len(), *group)));
        }
        // Of equally many the first.
        self.group = counts.iter().rev().max_by_key(|(count, _)| *count).map_or(0, |(_, group)| *group);
        let places: Vec<(Corner, DVec3)> =
            self.corners(shape).flatten().filter_map(|corner| Some((corner, corner.of(shape)?.at))).collect();
        let Some(&(start, first)) = places.first() else { return };
        let middle = places.iter().map(|(_, at)| *at - first).sum::<DVec3>() / places.len() as f64 + first;
        let (a, p, _) = furthest(&places, (start, first), |at| at.distance_squared(middle));
        let (b, q, _) = furthest(&places, (a, p), |at| at.distance_squared(p));
        let (c, r, thick) = furthest(&places, (a, p), |at| from_segment(at, p, q));
        let (d, ..) = furthest(&places, (c, r), |at| from_triangle(at, [p, q, r]));
        self.outermost = [a, b, c, d];
        self.thickness = thick.sqrt();
    }
}

/// The first place with the largest measure; `start` where nothing is larger than zero.
fn furthest(places: &[(Corner, DVec3)], start: (Corner, DVec3), measure: impl Fn(DVec3) -> f64) -> (Corner, DVec3, f64) {
    let mut best = (start.0, start.1, 0.0);
    for &(corner, at) in places {
        let value = measure(at);
        if value > best.2 {
            best = (corner, at, value);
        }
    }
    best
}

/// Squared distance from a segment.
fn from_segment(at: DVec3, p: DVec3, q: DVec3) -> f64 {
    let along = q - p;
    let length = along.length_squared();
    let share = if length > 0.0 { ((at - p).dot(along) / length).clamp(0.0, 1.0) } else { 0.0 };
    at.distance_squared(p + along * share)
}

/// Squared distance from a triangle (Ericson, Real-Time Collision Detection, 5.1.5).
fn from_triangle(at: DVec3, [a, b, c]: [DVec3; 3]) -> f64 {
    let normal = (b - a).cross(c - a).normalize_or_zero();
    let height = (at - a).dot(normal);
    let foot = at - normal * height;
    let inside = [(a, b), (b, c), (c, a)].into_iter().all(|(from, to)| (to - from).cross(foot - from).dot(normal) >= 0.0);
    if inside && normal != DVec3::ZERO {
        return height * height;
    }
    from_segment(at, a, b).min(from_segment(at, b, c)).min(from_segment(at, c, a))
}

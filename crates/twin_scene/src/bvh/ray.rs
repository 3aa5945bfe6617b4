//! Rays, and their tests against boxes and triangles.

use glam::Vec3;

use crate::geometry::Aabb;

/// A half-line; `t` along it is in units of the direction's length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// Where it starts.
    pub origin: Vec3,
    /// Where it goes; any length but zero.
    pub direction: Vec3,
    /// Hits at or beyond this are not looked for.
    pub max_t: f32,
    inverse: Vec3,
}

/// Growth of the far side of a box, so that rounding never hides a triangle that lies on it: 1 + 2 γ(3), see Ize, "Robust
/// BVH Ray Traversal", JCGT 2013.
const FAR_SIDE: f32 = 1.000_000_4;

impl Ray {
    /// A ray without end.
    pub fn new(origin: Vec3, direction: Vec3) -> Self {
        // Zero components would make 0 times infinity on the faces of boxes; a tiny one has the same effect without.
        let invert = |value: f32| if value.abs() < 1e-30 { 1e30f32.copysign(value) } else { 1.0 / value };
        let inverse = Vec3::new(invert(direction.x), invert(direction.y), invert(direction.z));
        Self { origin, direction, max_t: f32::INFINITY, inverse }
    }

    /// The same ray ending at `max_t`.
    pub fn up_to(mut self, max_t: f32) -> Self {
        self.max_t = max_t;
        self
    }

    /// The point at `t`.
    pub fn at(&self, t: f32) -> Vec3 {
        self.origin + self.direction * t
    }

    /// Where the ray enters the box; `None` when it misses it before `max_t`.
    pub fn enters(&self, bounds: &Aabb) -> Option<f32> {
        let (a, b) = ((bounds.min - self.origin) * self.inverse, (bounds.max - self.origin) * self.inverse);
        let enter = a.min(b).max_element().max(0.0);
        let leave = a.max(b).min_element() * FAR_SIDE;
        if enter <= leave && enter < self.max_t { Some(enter) } else { None }
    }
}

/// Where the ray meets the triangle, from either side: `0 <= t < max_t` (Möller and Trumbore, JGT 1997).
pub fn ray_triangle(ray: &Ray, [a, b, c]: &[Vec3; 3]) -> Option<f32> {
    let (u, v) = (*b - *a, *c - *a);
    let p = ray.direction.cross(v);
    let determinant = u.dot(p);
    // Below this the ray lies in the triangle's plane, or the triangle is a line, as far as 32-bit floats can tell.
    if determinant.abs() <= 1e-7 * (u.length() * v.length() * ray.direction.length()) {
        return None;
    }
    let inverse = 1.0 / determinant;
    let s = ray.origin - *a;
    let first = s.dot(p) * inverse;
    let q = s.cross(u);
    let second = ray.direction.dot(q) * inverse;
    let t = v.dot(q) * inverse;
    let inside = first >= 0.0 && second >= 0.0 && first + second <= 1.0;
    if inside && t >= 0.0 && t < ray.max_t { Some(t) } else { None }
}

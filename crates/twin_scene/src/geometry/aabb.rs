//! Axis-aligned boxes.

use glam::{DMat4, DVec3, Vec3};

/// An axis-aligned box with both ends included; empty when `min > max` on any axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aabb {
    /// Lowest corner.
    pub min: Vec3,
    /// Highest corner.
    pub max: Vec3,
}

impl Default for Aabb {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Aabb {
    /// Holds nothing; the neutral element of [`Aabb::union`].
    pub const EMPTY: Self = Self { min: Vec3::INFINITY, max: Vec3::NEG_INFINITY };

    /// The smallest box around the points; empty for no points.
    pub fn of_points<P: Into<Vec3>>(points: impl IntoIterator<Item = P>) -> Self {
        points.into_iter().fold(Self::EMPTY, |mut all, point| {
            all.add(point.into());
            all
        })
    }

    /// Whether it holds no point.
    pub fn is_empty(&self) -> bool {
        !self.min.cmple(self.max).all()
    }

    /// Widens the box to hold the point.
    pub fn add(&mut self, point: Vec3) {
        self.min = self.min.min(point);
        self.max = self.max.max(point);
    }

    /// The smallest box around both.
    pub fn union(&self, other: &Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// The box with every face moved outwards; an empty box stays empty.
    pub fn grown(&self, by: f32) -> Self {
        if self.is_empty() { *self } else { Self { min: self.min - by, max: self.max + by } }
    }

    /// The largest absolute coordinate; zero for an empty box.
    pub fn reach(&self) -> f32 {
        if self.is_empty() { 0.0 } else { self.min.abs().max(self.max.abs()).max_element() }
    }

    /// The middle; the origin for an empty box.
    pub fn center(&self) -> Vec3 {
        // Halves first: the sum of two large coordinates may overflow.
        if self.is_empty() { Vec3::ZERO } else { self.min * 0.5 + self.max * 0.5 }
    }

    /// Edge lengths; zero for an empty box.
    pub fn size(&self) -> Vec3 {
        if self.is_empty() { Vec3::ZERO } else { self.max - self.min }
    }

    /// Half the diagonal: radius of the sphere around the box.
    pub fn radius(&self) -> f32 {
        self.size().length() * 0.5
    }

    /// Half the surface area, as the surface-area heuristic needs it; zero for an empty box.
    pub fn half_area(&self) -> f32 {
        let size = self.size();
        size.x * size.y + size.y * size.z + size.z * size.x
    }

    /// Whether the boxes share a point.
    pub fn intersects(&self, other: &Self) -> bool {
        self.min.cmple(other.max).all() && other.min.cmple(self.max).all()
    }

    /// Whether the point lies inside or on the box.
    pub fn contains(&self, point: Vec3) -> bool {
        self.min.cmple(point).all() && point.cmple(self.max).all()
    }

    /// The box around this box after an affine transform (Arvo, Graphics Gems 1990: per axis, not per corner).
    pub fn transformed(&self, matrix: &DMat4) -> Self {
        let [min, max] = self.corners_after(matrix);
        if self.is_empty() { Self::EMPTY } else { Self { min: min.as_vec3(), max: max.as_vec3() } }
    }

    /// The lowest and the highest corner of [`Aabb::transformed`] with all their digits: a box may lie far away.
    pub(crate) fn corners_after(&self, matrix: &DMat4) -> [DVec3; 2] {
        let translation = matrix.w_axis.truncate();
        let (mut min, mut max) = (translation, translation);
        let (low, high) = (self.min.as_dvec3(), self.max.as_dvec3());
        for (axis, low, high) in [(matrix.x_axis, low.x, high.x), (matrix.y_axis, low.y, high.y), (matrix.z_axis, low.z, high.z)]
        {
            let (a, b) = (axis.truncate() * low, axis.truncate() * high);
            min += a.min(b);
            max += a.max(b);
        }
        [min, max]
    }
}

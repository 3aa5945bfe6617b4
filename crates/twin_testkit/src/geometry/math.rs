//! Vectors, quaternions and rigid placements for the generator; knows nothing of meshes.
//!
//! Everything goes through `libm` and plain IEEE operations, so that the bytes are the same on every machine.

use std::ops::{Add, Mul, Neg, Sub};

/// A point or direction, metres, Y up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct V3 {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) z: f32,
}

/// Short constructor of [`V3`].
pub(crate) const fn v(x: f32, y: f32, z: f32) -> V3 {
    V3 { x, y, z }
}

impl V3 {
    pub(crate) const ZERO: V3 = v(0.0, 0.0, 0.0);
    pub(crate) const Y: V3 = v(0.0, 1.0, 0.0);

    pub(crate) fn dot(self, o: V3) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }

    pub(crate) fn cross(self, o: V3) -> V3 {
        v(self.y * o.z - self.z * o.y, self.z * o.x - self.x * o.z, self.x * o.y - self.y * o.x)
    }

    pub(crate) fn len(self) -> f32 {
        libm::sqrtf(self.dot(self))
    }

    /// The unit vector; +Y where the length is zero, so that a degenerate input never yields NaN.
    pub(crate) fn norm(self) -> V3 {
        let l = self.len();
        if l > 1e-9 { self * (1.0 / l) } else { V3::Y }
    }

    pub(crate) fn lerp(self, o: V3, t: f32) -> V3 {
        self + (o - self) * t
    }
}

impl From<[f32; 3]> for V3 {
    fn from(a: [f32; 3]) -> Self {
        v(a[0], a[1], a[2])
    }
}

impl Add for V3 {
    type Output = V3;
    fn add(self, o: V3) -> V3 {
        v(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl Sub for V3 {
    type Output = V3;
    fn sub(self, o: V3) -> V3 {
        v(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl Mul<f32> for V3 {
    type Output = V3;
    fn mul(self, s: f32) -> V3 {
        v(self.x * s, self.y * s, self.z * s)
    }
}

impl Neg for V3 {
    type Output = V3;
    fn neg(self) -> V3 {
        v(-self.x, -self.y, -self.z)
    }
}

/// Sine and cosine of an angle in degrees; exact at multiples of 90, so that turned boxes stay axis-aligned.
pub(crate) fn sin_cos(deg: f32) -> (f32, f32) {
    let quarter = deg / 90.0;
    if quarter == libm::floorf(quarter) {
        return match (quarter as i32).rem_euclid(4) {
            0 => (0.0, 1.0),
            1 => (1.0, 0.0),
            2 => (0.0, -1.0),
            _ => (-1.0, 0.0),
        };
    }
    let a = f64::from(deg) * std::f64::consts::PI / 180.0;
    (libm::sin(a) as f32, libm::cos(a) as f32)
}

/// A unit quaternion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quat {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) z: f32,
    pub(crate) w: f32,
}

impl Quat {
    pub(crate) const ID: Quat = Quat { x: 0.0, y: 0.0, z: 0.0, w: 1.0 };

    pub(crate) fn about(axis: V3, deg: f32) -> Quat {
        let (s, c) = sin_cos(deg * 0.5);
        let a = axis.norm();
        Quat { x: a.x * s, y: a.y * s, z: a.z * s, w: c }
    }

    pub(crate) fn mul(self, o: Quat) -> Quat {
        Quat {
            x: self.w * o.x + self.x * o.w + self.y * o.z - self.z * o.y,
            y: self.w * o.y - self.x * o.z + self.y * o.w + self.z * o.x,
            z: self.w * o.z + self.x * o.y - self.y * o.x + self.z * o.w,
            w: self.w * o.w - self.x * o.x - self.y * o.y - self.z * o.z,
        }
    }

    pub(crate) fn rotate(self, p: V3) -> V3 {
        let u = v(self.x, self.y, self.z);
        let t = u.cross(p) * 2.0;
        p + t * self.w + u.cross(t)
    }

    /// The shortest rotation that takes +Y to `dir` (a unit vector).
    pub(crate) fn y_to(dir: V3) -> Quat {
        if dir.y > 0.999_999 {
            return Quat::ID;
        }
        if dir.y < -0.999_999 {
            return Quat { x: 1.0, y: 0.0, z: 0.0, w: 0.0 };
        }
        let axis = V3::Y.cross(dir);
        let q = Quat { x: axis.x, y: axis.y, z: axis.z, w: 1.0 + dir.y };
        let l = libm::sqrtf(q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w);
        Quat { x: q.x / l, y: q.y / l, z: q.z / l, w: q.w / l }
    }
}

/// A rigid placement: rotate, then move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Xf {
    pub(crate) q: Quat,
    pub(crate) t: V3,
}

impl Xf {
    pub(crate) const ID: Xf = Xf { q: Quat::ID, t: V3::ZERO };

    pub(crate) fn at(x: f32, y: f32, z: f32) -> Xf {
        Xf { q: Quat::ID, t: v(x, y, z) }
    }

    pub(crate) fn to(p: V3) -> Xf {
        Xf { q: Quat::ID, t: p }
    }

    /// Turns about the own X axis, degrees.
    pub(crate) fn rx(self, deg: f32) -> Xf {
        Xf { q: self.q.mul(Quat::about(v(1.0, 0.0, 0.0), deg)), t: self.t }
    }

    /// Turns about the own Y axis, degrees, counter-clockwise seen from above.
    pub(crate) fn ry(self, deg: f32) -> Xf {
        Xf { q: self.q.mul(Quat::about(V3::Y, deg)), t: self.t }
    }

    /// Turns about the own Z axis, degrees.
    pub(crate) fn rz(self, deg: f32) -> Xf {
        Xf { q: self.q.mul(Quat::about(v(0.0, 0.0, 1.0), deg)), t: self.t }
    }

    /// Moves along the own axes.
    pub(crate) fn by(self, x: f32, y: f32, z: f32) -> Xf {
        Xf { q: self.q, t: self.point(v(x, y, z)) }
    }

    pub(crate) fn point(self, p: V3) -> V3 {
        self.q.rotate(p) + self.t
    }

    pub(crate) fn dir(self, d: V3) -> V3 {
        self.q.rotate(d)
    }

    /// `self` after `inner`: first `inner`, then `self`.
    pub(crate) fn then(self, inner: Xf) -> Xf {
        Xf { q: self.q.mul(inner.q), t: self.point(inner.t) }
    }
}

/// A counter-based generator: the same seed and counter always give the same number in `0.0..1.0`.
pub(crate) fn noise(seed: u32, counter: u32) -> f32 {
    let mut h = seed.wrapping_mul(0x9E37_79B9) ^ counter.wrapping_mul(0x85EB_CA6B);
    h ^= h >> 16;
    h = h.wrapping_mul(0x7FEB_352D);
    h ^= h >> 15;
    h = h.wrapping_mul(0x846C_A68B);
    h ^= h >> 16;
    (h >> 8) as f32 / 16_777_216.0
}

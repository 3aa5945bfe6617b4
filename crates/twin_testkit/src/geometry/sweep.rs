//! Shapes swept along a path: pipes with bends, conveyor rails along curves, rings.

use super::material::Mat;
use super::math::{V3, Xf, sin_cos, v};
use super::mesh::Mesh;

/// A point of a path and its direction there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Station {
    pub(crate) p: V3,
    pub(crate) d: V3,
}

/// Rounds the inner corners of a polyline with circular bends of `radius`; `steps` stations per quarter turn.
pub(crate) fn rounded(points: &[V3], radius: f32, steps: usize) -> Vec<Station> {
    let mut out = Vec::new();
    let last = points.len().saturating_sub(1);
    for (i, p) in points.iter().enumerate() {
        if i == 0 || i == last {
            let d = if i == 0 { points[1] - points[0] } else { points[last] - points[last - 1] };
            out.push(Station { p: *p, d: d.norm() });
            continue;
        }
        let (a, b) = ((points[i] - points[i - 1]).norm(), (points[i + 1] - points[i]).norm());
        let turn = libm::acosf(a.dot(b).clamp(-1.0, 1.0));
        if turn < 0.01 {
            continue;
        }
        let room = (points[i] - points[i - 1]).len().min((points[i + 1] - points[i]).len()) * 0.5;
        let tangent = libm::tanf(turn * 0.5);
        let r = radius.min(room / tangent);
        let centre = *p + (b - a).norm() * (r / libm::cosf(turn * 0.5));
        let start = *p - a * (r * tangent);
        let side = (start - centre).norm();
        let n = ((turn / std::f32::consts::FRAC_PI_2 * steps as f32 + 0.5) as usize).max(2);
        for k in 0..=n {
            let (s, c) = sin_cos(turn.to_degrees() * k as f32 / n as f32);
            out.push(Station { p: centre + (side * c + a * s) * r, d: (a * c - side * s).norm() });
        }
    }
    out
}

impl Mesh {
    /// A round pipe along a polyline with bends, closed at both ends.
    pub(crate) fn pipe(&mut self, mat: Mat, points: &[[f32; 3]], r: f32, bend: f32, segs: usize) {
        let points: Vec<V3> = points.iter().map(|p| V3::from(*p)).collect();
        self.tube(mat, &rounded(&points, bend, 4), r, segs);
    }

    /// A round tube through the stations, closed at both ends.
    pub(crate) fn tube(&mut self, mat: Mat, path: &[Station], r: f32, segs: usize) {
        let Some(first) = path.first() else { return };
        let mut side = if first.d.y.abs() > 0.9 { v(1.0, 0.0, 0.0) } else { first.d.cross(V3::Y).norm() };
        let prim = self.prim(mat);
        let mut previous: Option<Vec<u32>> = None;
        for (i, s) in path.iter().enumerate() {
            side = (side - s.d * side.dot(s.d)).norm();
            let up = side.cross(s.d);
            let normals: Vec<V3> = (0..segs)
                .map(|k| {
                    let (sn, cs) = sin_cos(360.0 * k as f32 / segs as f32);
                    (side * cs + up * sn).norm()
                })
                .collect();
            let ring: Vec<u32> = normals.iter().map(|n| prim.vert(s.p + *n * r, *n)).collect();
            if let Some(before) = previous {
                for k in 0..segs {
                    let n = (k + 1) % segs;
                    prim.quad(before[n], before[k], ring[k], ring[n]);
                }
            }
            previous = Some(ring);
            if i == 0 || i + 1 == path.len() {
                let out = if i == 0 { -s.d } else { s.d };
                let mid = prim.vert(s.p, out);
                let rim: Vec<u32> = normals.iter().map(|n| prim.vert(s.p + *n * r, out)).collect();
                for k in 0..segs {
                    let n = (k + 1) % segs;
                    if i == 0 { prim.tri(mid, rim[k], rim[n]) } else { prim.tri(mid, rim[n], rim[k]) }
                }
            }
        }
    }

    /// A rectangular section swept along a level path: `side` metres to the right of it, `low..high` above it.
    pub(crate) fn rail(&mut self, mat: Mat, path: &[Station], side: f32, width: f32, low: f32, high: f32) {
        let (near, far) = (side - width * 0.5, side + width * 0.5);
        let at = |s: &Station, lateral: f32, y: f32| s.p + s.d.cross(V3::Y).norm() * lateral + v(0.0, y, 0.0);
        let prim = self.prim(mat);
        for pair in path.windows(2) {
            let right = [pair[0].d.cross(V3::Y).norm(), pair[1].d.cross(V3::Y).norm()];
            let strips = [
                ((near, high), (far, high), None),
                ((far, low), (near, low), None),
                ((far, high), (far, low), Some(1.0)),
                ((near, low), (near, high), Some(-1.0)),
            ];
            for ((la, ya), (lb, yb), lateral) in strips {
                let normal = |i: usize| match lateral {
                    Some(s) => right[i] * s,
                    None => v(0.0, if ya == high { 1.0 } else { -1.0 }, 0.0),
                };
                let a = prim.vert(at(&pair[0], la, ya), normal(0));
                let b = prim.vert(at(&pair[0], lb, yb), normal(0));
                let c = prim.vert(at(&pair[1], lb, yb), normal(1));
                let d = prim.vert(at(&pair[1], la, ya), normal(1));
                prim.quad(a, b, c, d);
            }
        }
        if let (Some(a), Some(b)) = (path.first(), path.last()) {
            prim.flat_quad([at(a, near, low), at(a, near, high), at(a, far, high), at(a, far, low)].map(|p| p));
            prim.flat_quad([at(b, far, low), at(b, far, high), at(b, near, high), at(b, near, low)]);
        }
    }

    /// A ring about the placement's Y axis: major radius `big`, minor radius `small`.
    pub(crate) fn torus(&mut self, mat: Mat, xf: Xf, big: f32, small: f32, segs: usize, sides: usize) {
        let prim = self.prim(mat);
        let mut rings: Vec<Vec<u32>> = Vec::with_capacity(segs);
        for i in 0..segs {
            let (s, c) = sin_cos(360.0 * i as f32 / segs as f32);
            let ring = (0..sides)
                .map(|k| {
                    let (sk, ck) = sin_cos(360.0 * k as f32 / sides as f32);
                    let n = v(c * ck, sk, -s * ck);
                    prim.vert(xf.point(v(c * big, 0.0, -s * big) + n * small), xf.dir(n))
                })
                .collect();
            rings.push(ring);
        }
        for i in 0..segs {
            let (a, b) = (&rings[i], &rings[(i + 1) % segs]);
            for k in 0..sides {
                let n = (k + 1) % sides;
                prim.quad(a[k], b[k], b[n], a[n]);
            }
        }
    }
}

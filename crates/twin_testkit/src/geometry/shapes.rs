//! Solid building blocks: chamfered boxes, turned profiles, cylinders, prisms and flat plates.
//!
//! Chamfers keep the normals of the faces beside them, so that an edge shades like a rounded one at no extra cost.

use super::material::Mat;
use super::math::{Quat, V3, Xf, sin_cos, v};
use super::mesh::{Mesh, Prim};

/// Two profile segments that meet at less than this (cosine of 50 degrees) are shaded as one smooth surface.
const CREASE_COS: f32 = 0.642_8;

impl Mesh {
    /// A chamfered box with the middle of its underside at `at`.
    pub(crate) fn blk(&mut self, mat: Mat, at: [f32; 3], size: [f32; 3], bevel: f32) {
        self.bx(mat, Xf::at(at[0], at[1] + size[1] * 0.5, at[2]), size, bevel);
    }

    /// A chamfered box centred on the placement's origin; `bevel` is clamped to the size.
    pub(crate) fn bx(&mut self, mat: Mat, xf: Xf, size: [f32; 3], bevel: f32) {
        let h = V3::from(size) * 0.5;
        let b = bevel.min(h.x * 0.9).min(h.y * 0.9).min(h.z * 0.9).max(0.0);
        let prim = self.prim(mat);
        // corner[c][axis]: the vertex of corner c that lies on the face normal to that axis.
        let mut corner = [[0_u32; 3]; 8];
        for (c, slots) in corner.iter_mut().enumerate() {
            let s = [sign(c & 1), sign(c & 2), sign(c & 4)];
            for (axis, slot) in slots.iter_mut().enumerate() {
                let inset = |a: usize| if a == axis { 0.0 } else { b };
                let p = v(s[0] * (h.x - inset(0)), s[1] * (h.y - inset(1)), s[2] * (h.z - inset(2)));
                let mut n = [0.0; 3];
                n[axis] = s[axis];
                *slot = prim.vert(xf.point(p), xf.dir(n.into()));
            }
        }
        box_faces(prim, &corner);
        if b > 0.0 {
            box_edges(prim, &corner);
        }
    }

    /// A plain bar of rectangular section between two points; `up` leans the section's height towards it.
    pub(crate) fn beam(&mut self, mat: Mat, a: V3, b: V3, width: f32, height: f32) {
        let d = b - a;
        let len = d.len();
        let dir = d.norm();
        let flat = libm::sqrtf(dir.x * dir.x + dir.z * dir.z);
        let yaw = libm::atan2f(-dir.z, dir.x).to_degrees();
        let pitch = libm::atan2f(dir.y, flat).to_degrees();
        let mid = a.lerp(b, 0.5);
        let xf = if flat < 1e-4 { Xf::to(mid).rz(90.0) } else { Xf::to(mid).ry(yaw).rz(pitch) };
        self.bx(mat, xf, [len, height, width], 0.0);
    }

    /// A surface of revolution about the placement's Y axis. `profile` is (radius, y) from the bottom axis point
    /// outwards and up to the top axis point; open ends are allowed.
    pub(crate) fn lathe(&mut self, mat: Mat, xf: Xf, profile: &[(f32, f32)], segs: usize) {
        self.lathe_arc(mat, xf, profile, segs, 360.0);
    }

    /// As [`Mesh::lathe`], over `degrees` only (open at the cut).
    pub(crate) fn lathe_arc(&mut self, mat: Mat, xf: Xf, profile: &[(f32, f32)], segs: usize, degrees: f32) {
        let closed = degrees >= 360.0;
        let columns = if closed { segs } else { segs + 1 };
        let circle: Vec<(f32, f32)> = (0..columns).map(|i| sin_cos(degrees * i as f32 / segs as f32)).collect();
        let prim = self.prim(mat);
        let mut ring = |r: f32, y: f32, n: (f32, f32)| -> Vec<u32> {
            circle.iter().map(|(s, c)| prim.vert(xf.point(v(r * c, y, -r * s)), xf.dir(v(n.0 * c, n.1, -n.0 * s)))).collect()
        };
        let mut quads: Vec<(Vec<u32>, Vec<u32>, bool, bool)> = Vec::new();
        let joints = profile_normals(profile);
        let mut previous: Option<Vec<u32>> = None;
        for (i, pair) in profile.windows(2).enumerate() {
            let (before, after) = (joints[i], joints[i + 1]);
            let low = match (previous.take(), before.smooth) {
                (Some(shared), true) => shared,
                _ => ring(pair[0].0, pair[0].1, before.upper),
            };
            let high = ring(pair[1].0, pair[1].1, after.lower);
            previous = Some(high.clone());
            quads.push((low, high, pair[0].0 > 0.0, pair[1].0 > 0.0));
        }
        let spans = if closed { segs } else { segs.min(columns - 1) };
        for (low, high, low_open, high_open) in quads {
            for k in 0..spans {
                let n = (k + 1) % columns;
                match (low_open, high_open) {
                    (true, true) => prim.quad(low[k], low[n], high[n], high[k]),
                    (false, true) => prim.tri(low[k], high[n], high[k]),
                    (true, false) => prim.tri(low[k], low[n], high[k]),
                    (false, false) => {}
                }
            }
        }
    }

    /// A cylinder from `a` to `b` with chamfered rims.
    pub(crate) fn cyl(&mut self, mat: Mat, a: impl Into<V3>, b: impl Into<V3>, r: f32, segs: usize, bevel: f32) {
        let (a, b) = (a.into(), b.into());
        let h = (b - a).len();
        let xf = Xf { q: Quat::y_to((b - a).norm()), t: a };
        let e = bevel.min(r * 0.9).min(h * 0.45);
        if e > 0.0 {
            self.lathe(mat, xf, &[(0.0, 0.0), (r - e, 0.0), (r, e), (r, h - e), (r - e, h), (0.0, h)], segs);
        } else {
            self.lathe(mat, xf, &[(0.0, 0.0), (r, 0.0), (r, h), (0.0, h)], segs);
        }
    }

    /// A cylinder without end caps, for rods whose ends are buried in something else.
    pub(crate) fn bar(&mut self, mat: Mat, a: impl Into<V3>, b: impl Into<V3>, r: f32, segs: usize) {
        let (a, b) = (a.into(), b.into());
        let xf = Xf { q: Quat::y_to((b - a).norm()), t: a };
        self.lathe(mat, xf, &[(r, 0.0), (r, (b - a).len())], segs);
    }

    /// A prism: a star-shaped outline in the placement's XY plane (counter-clockwise from +Z), `depth` along Z,
    /// centred, with chamfered end faces.
    pub(crate) fn prism(&mut self, mat: Mat, xf: Xf, outline: &[(f32, f32)], depth: f32, bevel: f32) {
        let n = outline.len();
        let normals: Vec<(f32, f32)> = (0..n).map(|i| edge_normal(outline[i], outline[(i + 1) % n])).collect();
        let inset: Vec<(f32, f32)> =
            (0..n).map(|i| inset_point(outline[i], normals[(i + n - 1) % n], normals[i], bevel)).collect();
        let half = depth * 0.5;
        let prim = self.prim(mat);
        for side in [1.0_f32, -1.0] {
            let face: Vec<u32> =
                inset.iter().map(|p| prim.vert(xf.point(v(p.0, p.1, side * half)), xf.dir(v(0.0, 0.0, side)))).collect();
            let centre = inset.iter().fold((0.0, 0.0), |a, p| (a.0 + p.0 / n as f32, a.1 + p.1 / n as f32));
            let mid = prim.vert(xf.point(v(centre.0, centre.1, side * half)), xf.dir(v(0.0, 0.0, side)));
            for i in 0..n {
                let j = (i + 1) % n;
                if side > 0.0 { prim.tri(mid, face[i], face[j]) } else { prim.tri(mid, face[j], face[i]) }
            }
            if bevel > 0.0 {
                prism_chamfer(prim, xf, outline, &normals, &face, side, half - bevel);
            }
        }
        let z = half - bevel;
        for i in 0..n {
            let j = (i + 1) % n;
            let na = side_normal(normals[(i + n - 1) % n], normals[i], normals[i]);
            let nb = side_normal(normals[i], normals[j], normals[i]);
            let a = prim.vert(xf.point(v(outline[i].0, outline[i].1, z)), xf.dir(v(na.0, na.1, 0.0)));
            let b = prim.vert(xf.point(v(outline[i].0, outline[i].1, -z)), xf.dir(v(na.0, na.1, 0.0)));
            let c = prim.vert(xf.point(v(outline[j].0, outline[j].1, -z)), xf.dir(v(nb.0, nb.1, 0.0)));
            let d = prim.vert(xf.point(v(outline[j].0, outline[j].1, z)), xf.dir(v(nb.0, nb.1, 0.0)));
            prim.quad(a, b, c, d);
        }
    }

    /// A horizontal plate without thickness, seen from above: paint on the floor.
    pub(crate) fn paint(&mut self, mat: Mat, x0: f32, z0: f32, x1: f32, z1: f32, y: f32) {
        self.prim(mat).flat_quad([v(x0, y, z1), v(x1, y, z1), v(x1, y, z0), v(x0, y, z0)]);
    }
}

fn sign(bit: usize) -> f32 {
    if bit == 0 { -1.0 } else { 1.0 }
}

fn box_faces(prim: &mut Prim, c: &[[u32; 3]; 8]) {
    // Corner numbers: bit 0 = +x, bit 1 = +y, bit 2 = +z; each row counter-clockwise from outside.
    const FACES: [([usize; 4], usize); 6] =
        [([1, 3, 7, 5], 0), ([0, 4, 6, 2], 0), ([2, 6, 7, 3], 1), ([0, 1, 5, 4], 1), ([4, 5, 7, 6], 2), ([0, 2, 3, 1], 2)];
    for (q, axis) in FACES {
        prim.quad(c[q[0]][axis], c[q[1]][axis], c[q[2]][axis], c[q[3]][axis]);
    }
}

fn box_edges(prim: &mut Prim, c: &[[u32; 3]; 8]) {
    for axis in 0..3 {
        // The edges parallel to `axis`: faces `u` and `w` meet there.
        let (u, w) = ((axis + 1) % 3, (axis + 2) % 3);
        for mask in 0..4_usize {
            let base = ((mask & 1) << u) | ((mask >> 1) << w);
            let far = base | (1 << axis);
            let even = (mask == 0) || (mask == 3);
            let q = [c[base][u], c[base][w], c[far][w], c[far][u]];
            if even { prim.quad(q[0], q[1], q[2], q[3]) } else { prim.quad(q[3], q[2], q[1], q[0]) }
        }
    }
    for (i, slots) in c.iter().enumerate() {
        if i.count_ones() % 2 == 1 { prim.tri(slots[0], slots[1], slots[2]) } else { prim.tri(slots[2], slots[1], slots[0]) }
    }
}

/// The normals at one point of a profile: below and above it, and whether they are one.
#[derive(Clone, Copy)]
struct Joint {
    lower: (f32, f32),
    upper: (f32, f32),
    smooth: bool,
}

fn profile_normals(profile: &[(f32, f32)]) -> Vec<Joint> {
    let segment = |i: usize| -> ((f32, f32), f32) {
        let (dr, dy) = (profile[i + 1].0 - profile[i].0, profile[i + 1].1 - profile[i].1);
        let l = libm::sqrtf(dr * dr + dy * dy).max(1e-9);
        ((dy / l, -dr / l), l)
    };
    let last = profile.len() - 1;
    (0..=last)
        .map(|i| {
            let below = if i > 0 { Some(segment(i - 1)) } else { None };
            let above = if i < last { Some(segment(i)) } else { None };
            match (below, above) {
                (Some((a, la)), Some((b, lb))) if a.0 * b.0 + a.1 * b.1 > CREASE_COS => {
                    // Weighted by squared length: a chamfer bends, the large face beside it stays flat.
                    let n = unit2(a.0 * la * la + b.0 * lb * lb, a.1 * la * la + b.1 * lb * lb);
                    Joint { lower: n, upper: n, smooth: true }
                }
                (a, b) => {
                    let lower = a.or(b).map_or((1.0, 0.0), |s| s.0);
                    let upper = b.or(a).map_or((1.0, 0.0), |s| s.0);
                    Joint { lower: pole(profile[i].0, lower), upper: pole(profile[i].0, upper), smooth: false }
                }
            }
        })
        .collect()
}

/// On the axis a nearly flat cap gets an exactly vertical normal, so that a dome shows no pinch.
fn pole(r: f32, n: (f32, f32)) -> (f32, f32) {
    if r <= 0.0 && n.1.abs() > 0.8 { (0.0, n.1.signum()) } else { n }
}

fn unit2(x: f32, y: f32) -> (f32, f32) {
    let l = libm::sqrtf(x * x + y * y).max(1e-9);
    (x / l, y / l)
}

fn edge_normal(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    unit2(b.1 - a.1, a.0 - b.0)
}

fn inset_point(p: (f32, f32), n0: (f32, f32), n1: (f32, f32), by: f32) -> (f32, f32) {
    let m = unit2(n0.0 + n1.0, n0.1 + n1.1);
    let k = by / (m.0 * n1.0 + m.1 * n1.1).max(0.4);
    (p.0 - m.0 * k, p.1 - m.1 * k)
}

fn side_normal(before: (f32, f32), after: (f32, f32), own: (f32, f32)) -> (f32, f32) {
    if before.0 * after.0 + before.1 * after.1 > CREASE_COS { unit2(before.0 + after.0, before.1 + after.1) } else { own }
}

fn prism_chamfer(prim: &mut Prim, xf: Xf, outline: &[(f32, f32)], normals: &[(f32, f32)], face: &[u32], side: f32, z: f32) {
    let n = outline.len();
    for i in 0..n {
        let j = (i + 1) % n;
        let na = side_normal(normals[(i + n - 1) % n], normals[i], normals[i]);
        let nb = side_normal(normals[i], normals[j], normals[i]);
        let a = prim.vert(xf.point(v(outline[i].0, outline[i].1, side * z)), xf.dir(v(na.0, na.1, 0.0)));
        let b = prim.vert(xf.point(v(outline[j].0, outline[j].1, side * z)), xf.dir(v(nb.0, nb.1, 0.0)));
        if side > 0.0 { prim.quad(face[i], a, b, face[j]) } else { prim.quad(face[j], b, a, face[i]) }
    }
}

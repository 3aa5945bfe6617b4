//! Fittings that many machines share: feet, flanges, ladders, railings, cabinets, vessels, goods.

use crate::geometry::material::Mat;
use crate::geometry::math::{V3, Xf, sin_cos, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Bevel of large machine panels, metres.
pub(crate) const SOFT: f32 = 0.03;
/// Bevel of small parts, metres.
pub(crate) const FINE: f32 = 0.012;

/// Half of a flattened dome as profile points from the rim inwards; `height` above the rim.
fn dome(r: f32, rim: f32, height: f32) -> Vec<(f32, f32)> {
    (0..=6)
        .map(|i| {
            let (s, c) = sin_cos(90.0 * i as f32 / 6.0);
            (if i == 6 { 0.0 } else { r * c }, rim + height * s)
        })
        .collect()
}

/// A vessel with elliptical heads: bottom at y = 0, straight shell of `shell` metres, heads `head` metres deep.
pub(crate) fn vessel_profile(r: f32, shell: f32, head: f32) -> Vec<(f32, f32)> {
    let mut out: Vec<(f32, f32)> = dome(r, head, -head);
    out.reverse();
    out.extend(dome(r, head + shell, head));
    out
}

/// A band around a vertical shell.
pub(crate) fn band(m: &mut Mesh, mat: Mat, at: [f32; 3], r: f32, height: f32, segs: usize) {
    let e = 0.012;
    m.lathe(
        mat,
        Xf::at(at[0], at[1], at[2]),
        &[
            (r - 0.03, 0.0),
            (r + 0.018 - e, 0.0),
            (r + 0.018, e),
            (r + 0.018, height - e),
            (r + 0.018 - e, height),
            (r - 0.03, height),
        ],
        segs,
    );
}

/// A pipe flange: a disc across a pipe of radius `r` at `at`, facing `dir`.
pub(crate) fn flange(m: &mut Mesh, mat: Mat, at: [f32; 3], dir: [f32; 3], r: f32) {
    let (p, d) = (V3::from(at), V3::from(dir).norm());
    m.cyl(mat, p - d * 0.022, p + d * 0.022, r * 1.75, 14, 0.006);
}

/// Adjustable machine feet below `y` at the four corners of a rectangle.
pub(crate) fn feet(m: &mut Mesh, x: f32, z: f32, half_x: f32, half_z: f32, y: f32) {
    for (sx, sz) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
        let (fx, fz) = (x + sx * half_x, z + sz * half_z);
        m.bar(Mat::SteelDark, [fx, 0.02, fz], [fx, y + 0.01, fz], 0.022, 6);
        m.lathe(Mat::SteelDark, Xf::at(fx, 0.0, fz), &[(0.06, 0.0), (0.06, 0.022), (0.03, 0.034)], 8);
    }
}

/// A vertical ladder whose rungs lie along X, at depth `z`, from `y0` to `y1`, with safety hoops above 2.4 m.
pub(crate) fn ladder(m: &mut Mesh, x: f32, z: f32, y0: f32, y1: f32, hoops: bool) {
    for sx in [-0.22, 0.22] {
        m.beam(Mat::Galvanised, v(x + sx, y0, z), v(x + sx, y1 + 0.9, z), 0.04, 0.025);
    }
    let rungs = ((y1 - y0) / 0.3) as i32;
    for i in 1..=rungs {
        let y = y0 + i as f32 * 0.3;
        m.bar(Mat::Galvanised, [x - 0.22, y, z], [x + 0.22, y, z], 0.013, 5);
    }
    if hoops {
        let mut y = y0 + 2.4;
        while y < y1 + 0.9 {
            let mut ring: Vec<[f32; 3]> = vec![[x + 0.22, y, z]];
            ring.extend((0..=8).map(|i| {
                let (s, c) = sin_cos(180.0 * i as f32 / 8.0);
                [x + 0.34 * c, y, z + 0.06 + 0.6 * s]
            }));
            ring.push([x - 0.22, y, z]);
            for w in ring.windows(2) {
                m.beam(Mat::Safety, w[0].into(), w[1].into(), 0.012, 0.04);
            }
            y += 0.75;
        }
    }
}

/// A railing along a level polyline: posts, top rail, knee rail, toe board. `y` is the floor it stands on.
pub(crate) fn railing(m: &mut Mesh, mat: Mat, points: &[[f32; 2]], y: f32) {
    for pair in points.windows(2) {
        let (a, b) = (v(pair[0][0], y, pair[0][1]), v(pair[1][0], y, pair[1][1]));
        let len = (b - a).len();
        let posts = (len / 1.3).ceil().max(1.0) as i32;
        for i in 0..=posts {
            let p = a.lerp(b, i as f32 / posts as f32);
            m.bar(mat, p, p + v(0.0, 1.08, 0.0), 0.022, 6);
        }
        for h in [1.08, 0.56] {
            m.cyl(mat, a + v(0.0, h, 0.0), b + v(0.0, h, 0.0), 0.022, 6, 0.0);
        }
        m.beam(mat, a + v(0.0, 0.06, 0.0), b + v(0.0, 0.06, 0.0), 0.012, 0.1);
    }
}

/// An operator panel on an arm: post from the floor at `xf`, screen facing the placement's +Z.
pub(crate) fn panel(m: &mut Mesh, xf: Xf, height: f32) {
    m.bx(Mat::MachineGrey, xf.by(0.0, 0.02, 0.0), [0.3, 0.04, 0.3], 0.01);
    m.cyl(Mat::MachineGrey, xf.point(v(0.0, 0.0, 0.0)), xf.point(v(0.0, height, 0.0)), 0.035, 8, 0.0);
    let head = xf.by(0.0, height + 0.18, 0.03).rx(-12.0);
    m.bx(Mat::Slate, head, [0.52, 0.38, 0.09], FINE);
    m.bx(Mat::Screen, head.by(0.0, 0.02, 0.048), [0.44, 0.27, 0.012], 0.0);
    m.bx(Mat::MachineLight, head.by(-0.12, -0.155, 0.05), [0.05, 0.03, 0.02], 0.004);
    m.bx(Mat::MachineLight, head.by(0.12, -0.155, 0.05), [0.05, 0.03, 0.02], 0.004);
}

/// A signal column in neutral tones (its colours would compete with the status colours).
pub(crate) fn beacon(m: &mut Mesh, at: [f32; 3]) {
    let [x, y, z] = at;
    m.bar(Mat::SteelDark, [x, y, z], [x, y + 0.3, z], 0.018, 6);
    for (i, mat) in [Mat::Slate, Mat::MachineLight, Mat::MachineGrey, Mat::Lamp].into_iter().enumerate() {
        let base = y + 0.3 + i as f32 * 0.09;
        m.cyl(mat, [x, base, z], [x, base + 0.085, z], 0.045, 10, 0.008);
    }
}

/// A steel cabinet with a door outline, handle and vents; front at +Z, underside centre at `at`.
pub(crate) fn cabinet(m: &mut Mesh, mat: Mat, at: [f32; 3], size: [f32; 3]) {
    let [x, y, z] = at;
    let [w, h, d] = size;
    m.blk(Mat::Slate, [x, y, z], [w - 0.04, 0.1, d - 0.04], 0.0);
    m.blk(mat, [x, y + 0.1, z], [w, h - 0.1, d], 0.02);
    let front = z + d * 0.5;
    m.blk(mat, [x, y + 0.16, front + 0.008], [w - 0.09, h - 0.22, 0.03], 0.01);
    m.blk(Mat::Slate, [x + w * 0.5 - 0.11, y + h * 0.52, front + 0.03], [0.03, 0.16, 0.03], 0.008);
    for i in 0..4 {
        m.blk(Mat::SteelDark, [x, y + 0.26 + i as f32 * 0.05, front + 0.024], [w * 0.45, 0.018, 0.012], 0.0);
    }
}

/// A valve hand wheel of radius `r` across the placement's Y axis.
pub(crate) fn hand_wheel(m: &mut Mesh, mat: Mat, xf: Xf, r: f32) {
    m.torus(mat, xf, r, r * 0.12, 16, 6);
    for i in 0..3 {
        let (s, c) = sin_cos(120.0 * i as f32);
        m.bar(mat, xf.t, xf.point(v(r * c, 0.0, r * s)), r * 0.08, 5);
    }
    m.cyl(mat, xf.point(v(0.0, -0.02, 0.0)), xf.point(v(0.0, 0.025, 0.0)), r * 0.22, 8, 0.004);
}

/// What a bottle on the line already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bottle {
    /// Rinsed glass.
    Empty,
    /// Filled and capped.
    Full,
    /// Filled, capped and labelled.
    Labelled,
}

/// Largest radius of a bottle, metres.
pub(crate) const BOTTLE_RADIUS: f32 = 0.052;

/// One bottle, standing on the origin.
pub(crate) fn bottle(kind: Bottle) -> Mesh {
    let glass = if kind == Bottle::Empty { Mat::BottleEmpty } else { Mat::BottleFull };
    Mesh::of(|m| {
        let r = BOTTLE_RADIUS;
        let profile =
            [(r * 0.86, 0.0), (r, 0.012), (r, 0.175), (r * 0.86, 0.205), (r * 0.36, 0.25), (r * 0.32, 0.31), (0.0, 0.31)];
        m.lathe(glass, Xf::ID, &profile, 9);
        if kind != Bottle::Empty {
            m.lathe(
                Mat::Slate,
                Xf::at(0.0, 0.298, 0.0),
                &[(r * 0.42, 0.0), (r * 0.42, 0.026), (r * 0.34, 0.032), (0.0, 0.032)],
                8,
            );
        }
        if kind == Bottle::Labelled {
            m.lathe(Mat::Label, Xf::at(0.0, 0.06, 0.0), &[(r + 0.005, 0.0), (r + 0.005, 0.09)], 9);
        }
    })
}

/// A wooden pallet 1.2 x 0.8 m (EN 13698-1), 0.144 m high, long side along X.
pub(crate) fn pallet(m: &mut Mesh, xf: Xf) {
    for x in [-0.525, 0.0, 0.525] {
        m.bx(Mat::Wood, xf.by(x, 0.111, 0.0), [0.145, 0.022, 0.8], 0.0);
    }
    for z in [-0.34, -0.17, 0.0, 0.17, 0.34] {
        m.bx(Mat::Wood, xf.by(0.0, 0.133, z), [1.2, 0.022, 0.125], 0.004);
    }
    for z in [-0.345, 0.0, 0.345] {
        for x in [-0.525, 0.0, 0.525] {
            m.bx(Mat::Wood, xf.by(x, 0.061, z), [0.145, 0.08, 0.1], 0.0);
        }
        m.bx(Mat::Wood, xf.by(0.0, 0.011, z), [1.2, 0.022, 0.1], 0.0);
    }
}

/// Outer size of a crate, metres: it holds twelve bottles.
pub(crate) const CRATE: [f32; 3] = [0.4, 0.27, 0.3];

/// A crate with a rim, grip holes and bottle tops; underside centre on the origin.
pub(crate) fn crate_box(tops: bool) -> Mesh {
    Mesh::of(|m| {
        let [w, h, d] = CRATE;
        m.blk(Mat::Crate, [0.0, 0.0, 0.0], [w - 0.024, h - 0.03, d - 0.024], 0.0);
        m.blk(Mat::Crate, [0.0, h - 0.06, 0.0], [w - 0.004, 0.055, d - 0.004], 0.01);
        m.blk(Mat::Slate, [0.0, h * 0.5, 0.0], [0.11, 0.04, d - 0.01], 0.0);
        m.blk(Mat::Slate, [0.0, h * 0.5, 0.0], [w - 0.01, 0.04, 0.09], 0.0);
        if tops {
            for i in 0..12 {
                let (x, z) = ((i % 4) as f32 * 0.088 - 0.132, (i / 4) as f32 * 0.085 - 0.085);
                m.lathe(Mat::BottleFull, Xf::at(x, h - 0.006, z), &[(0.036, 0.0), (0.02, 0.04)], 6);
                m.lathe(Mat::Slate, Xf::at(x, h + 0.034, z), &[(0.024, 0.0), (0.022, 0.026), (0.0, 0.028)], 6);
            }
        }
    })
}

/// Height of one layer of crates on a pallet.
pub(crate) const LAYER: f32 = CRATE[1] + 0.004;

/// One layer on a pallet: 3 x 2 crates.
fn crate_layer(tops: bool) -> Mesh {
    let one = crate_box(tops);
    Mesh::of(|m| {
        for i in 0..6 {
            let z = (i / 3) as f32 * (CRATE[2] + 0.08) - (CRATE[2] + 0.08) * 0.5;
            m.add(&one, Xf::at((i % 3) as f32 * CRATE[0] - CRATE[0], 0.0, z));
        }
    })
}

/// Adds crates as on a pallet, one node per layer below `name`; only the top layer shows its bottles.
pub(crate) fn crate_stack(s: &mut Scene, parent: NodeId, name: &str, xf: Xf, layers: usize) {
    let stack = s.part(parent, name, xf, &Mesh::new());
    for layer in 0..layers {
        let place = Xf::at(0.0, layer as f32 * LAYER, 0.0);
        s.part(stack, &format!("{name}/layer-{}", layer + 1), place, &crate_layer(layer + 1 == layers));
    }
}

/// Adds crates in stretch film: the film ends below the top layer, whose bottles stay visible.
/// With `cover` the film closes over the top instead.
pub(crate) fn wrapped_load(s: &mut Scene, parent: NodeId, name: &str, xf: Xf, layers: usize, cover: bool) {
    let height = layers as f32 * LAYER;
    let top = if cover { height } else { height - 0.13 };
    let film = Mesh::of(|m| {
        m.blk(Mat::Film, [0.0, 0.0, 0.0], [1.21, top, 0.7], 0.03);
        for i in 1..layers {
            m.blk(Mat::Crate, [0.0, i as f32 * LAYER - 0.03, 0.0], [1.226, 0.05, 0.716], 0.02);
        }
    });
    let load = s.part(parent, name, xf, &film);
    if cover {
        return;
    }
    s.part(load, &format!("{name}/top-layer"), Xf::at(0.0, height - LAYER, 0.0), &crate_layer(true));
}

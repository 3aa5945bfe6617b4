//! The rotary filler: frame, bearing, carousel with nozzles and bottles, star wheels, guard.

use super::conveyor::TOP;
use super::kit::{Bottle, FINE, beacon, bottle, cabinet, flange, panel};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, sin_cos, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Places on the filler's carousel.
const PLACES: usize = 24;

/// The rotary filler; its slewing bearing is a twin of its own.
pub(crate) fn filler(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "filler-01", xf);
    s.fixed(id, "base", |m| {
        m.blk(Mat::Slate, [0.0, 0.0, 0.0], [4.5, 0.14, 3.3], 0.02);
        m.blk(Mat::Steel, [0.0, 0.14, 0.0], [4.7, 0.72, 3.4], 0.05);
        m.blk(Mat::SteelDark, [0.0, 0.84, 0.0], [4.62, 0.05, 3.32], 0.012);
    });
    s.fixed(id, "access-doors", |m| {
        for i in 0..4 {
            let x = -1.68 + i as f32 * 1.12;
            m.blk(Mat::MachineLight, [x, 0.22, 1.695], [1.04, 0.56, 0.03], 0.01);
            m.blk(Mat::Slate, [x + 0.38, 0.48, 1.715], [0.14, 0.03, 0.025], 0.006);
        }
    });
    bearing(s, id);
    carousel(s, id);
    stars(s, id);
    guard(s, id);
    s.fixed(id, "product-pipe", |m| {
        m.pipe(Mat::Steel, &[[0.0, 3.1, 0.0], [0.0, 5.9, 0.0], [0.0, 5.9, -13.0], [0.0, 5.62, -13.0]], 0.09, 0.45, 12);
        for p in [3.6, 5.0] {
            flange(m, Mat::SteelDark, [0.0, p, 0.0], [0.0, 1.0, 0.0], 0.09);
        }
        flange(m, Mat::SteelDark, [0.0, 5.9, -3.4], [0.0, 0.0, 1.0], 0.09);
        flange(m, Mat::SteelDark, [0.0, 5.9, -8.0], [0.0, 0.0, 1.0], 0.09);
    });
    s.fixed(id, "pipe-support", |m| {
        for z in [-1.95, -6.2] {
            m.blk(Mat::Structure, [0.0, 0.0, z], [0.12, 5.78, 0.12], 0.012);
            m.blk(Mat::SteelDark, [0.0, 0.0, z], [0.34, 0.025, 0.34], 0.0);
            m.blk(Mat::Structure, [0.0, 5.74, z], [0.36, 0.06, 0.14], 0.01);
        }
    });
    for (i, x) in [-1.55_f32, -0.75].into_iter().enumerate() {
        s.fixed(id, &format!("cabinet-{}", i + 1), |m| cabinet(m, Mat::MachineLight, [x, 0.0, -2.2], [0.78, 2.0, 0.5]));
    }
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(-1.3, 0.0, 2.75), 1.15));
}

/// The large bearing under the carousel: ring with bolts, seal, drive pinion housing and a vibration sensor in front.
fn bearing(s: &mut Scene, filler: NodeId) {
    let id = s.twin(Some(filler), "filler-bearing-01", Xf::at(0.0, 0.89, 0.0));
    s.fixed(id, "outer-ring", |m| {
        m.lathe(
            Mat::MachineBlue,
            Xf::ID,
            &[(1.2, 0.0), (1.56, 0.0), (1.58, 0.02), (1.58, 0.1), (1.56, 0.12), (1.44, 0.12), (1.44, 0.2), (1.2, 0.2)],
            48,
        );
    });
    s.fixed(id, "bolts", |m| {
        for i in 0..24 {
            let (sn, c) = sin_cos(15.0 * i as f32 + 7.5);
            m.cyl(Mat::SteelDark, [1.51 * c, 0.11, 1.51 * sn], [1.51 * c, 0.145, 1.51 * sn], 0.03, 6, 0.0);
        }
    });
    s.fixed(id, "seal", |m| m.lathe(Mat::Rubber, Xf::at(0.0, 0.19, 0.0), &[(1.41, 0.0), (1.41, 0.035)], 40));
    s.fixed(id, "pinion-housing", |m| {
        m.cyl(Mat::MachineBlue, [1.72, -0.02, 0.72], [1.72, 0.24, 0.72], 0.24, 20, 0.025);
        m.cyl(Mat::MachineBlue, [1.72, 0.24, 0.72], [1.72, 0.32, 0.72], 0.13, 16, 0.015);
        m.cyl(Mat::Slate, [1.72, 0.32, 0.72], [1.72, 0.62, 0.72], 0.115, 16, 0.02);
    });
    s.fixed(id, "vibration-sensor", |m| {
        m.cyl(Mat::Steel, [1.12, 0.06, 1.12], [1.19, 0.06, 1.19], 0.03, 8, 0.0);
        m.cyl(Mat::Steel, [1.19, 0.06, 1.19], [1.25, 0.06, 1.25], 0.042, 8, 0.006);
    });
}

/// Outline of the column in the middle of the carousel: radius and height.
const COLUMN: [(f32, f32); 11] = [
    (0.62, 0.0),
    (0.6, 0.05),
    (0.42, 0.2),
    (0.36, 0.3),
    (0.36, 1.3),
    (0.5, 1.42),
    (0.5, 1.5),
    (0.2, 1.62),
    (0.14, 1.7),
    (0.14, 1.95),
    (0.0, 1.95),
];

/// Outline of the bowl: a closed ring.
const BOWL: [(f32, f32); 10] = [
    (0.85, 0.42),
    (0.85, 0.06),
    (0.92, 0.0),
    (1.42, 0.0),
    (1.5, 0.06),
    (1.5, 0.36),
    (1.46, 0.42),
    (1.2, 0.47),
    (0.92, 0.47),
    (0.85, 0.42),
];

/// Everything that turns: table, lifters, bottles, nozzles, bowl, column.
fn carousel(s: &mut Scene, filler: NodeId) {
    let id = s.part(filler, "carousel", Xf::at(0.0, 1.1, 0.0), &Mesh::new());
    s.fixed(id, "turntable", |m| {
        m.lathe(
            Mat::Steel,
            Xf::ID,
            &[(0.3, 0.0), (1.43, 0.0), (1.46, 0.03), (1.46, 0.07), (1.43, 0.1), (0.9, 0.1), (0.86, 0.14), (0.3, 0.14)],
            48,
        );
    });
    s.fixed(id, "column", |m| {
        m.lathe(Mat::MachineLight, Xf::at(0.0, 0.1, 0.0), &COLUMN, 28);
    });
    s.fixed(id, "bowl", bowl);
    let lifter = Mesh::of(|m| {
        m.cyl(Mat::SteelDark, [0.0, 0.09, 0.0], [0.0, 0.14, 0.0], 0.07, 12, 0.01);
    });
    let nozzle = Mesh::of(nozzle);
    let (empty, full) = (bottle(Bottle::Empty), bottle(Bottle::Full));
    let radius = 1.3;
    for i in 0..PLACES {
        // Angle 0 is +X, growing towards -Z; the front gap between the two star wheels is around 270 degrees.
        let angle = 360.0 * (i as f32 + 0.5) / PLACES as f32;
        let place = Xf::ID.ry(angle);
        let n = i + 1;
        s.part(id, &format!("lifter-{n:02}"), place.by(radius, 0.0, 0.0), &lifter);
        s.part(id, &format!("nozzle-{n:02}"), place.by(radius, 0.0, 0.0), &nozzle);
        if !(255.0..285.0).contains(&angle) {
            // Bottles enter on the left (beyond 180 degrees, going round the back) and are full in the second half.
            let mesh = if (130.0..=285.0).contains(&angle) { &empty } else { &full };
            s.part(id, &format!("bottle-{n:02}"), place.by(radius, 0.14, 0.0), mesh);
        }
    }
}

/// The ring of product above the nozzles, with the arms and pipes that feed it from the column.
fn bowl(m: &mut Mesh) {
    m.lathe(Mat::Steel, Xf::at(0.0, 0.86, 0.0), &BOWL, 48);
    m.lathe(Mat::MachineLight, Xf::at(0.0, 1.0, 0.0), &[(1.506, 0.0), (1.512, 0.01), (1.512, 0.11), (1.506, 0.12)], 48);
    for i in 0..6 {
        let (sn, c) = sin_cos(60.0 * i as f32);
        m.beam(Mat::Steel, v(0.3 * c, 1.16, 0.3 * sn), v(0.9 * c, 1.16, 0.9 * sn), 0.08, 0.1);
        m.pipe(
            Mat::Steel,
            &[[0.2 * c, 1.86, 0.2 * sn], [0.62 * c, 1.86, 0.62 * sn], [1.05 * c, 1.5, 1.05 * sn], [1.05 * c, 1.3, 1.05 * sn]],
            0.035,
            0.12,
            6,
        );
    }
}

/// A filling valve with its guide rods.
fn nozzle(m: &mut Mesh) {
    m.cyl(Mat::MachineLight, [0.0, 0.66, 0.0], [0.0, 0.88, 0.0], 0.058, 10, 0.012);
    m.lathe(
        Mat::Steel,
        Xf::at(0.0, 0.47, 0.0),
        &[(0.0, 0.0), (0.032, 0.0), (0.032, 0.05), (0.05, 0.06), (0.05, 0.12), (0.024, 0.13), (0.024, 0.2)],
        9,
    );
    m.bx(Mat::Slate, Xf::at(0.07, 0.77, 0.0), [0.05, 0.1, 0.07], 0.008);
    for z in [-0.07, 0.07] {
        m.bar(Mat::Steel, [0.03, 0.14, z], [0.03, 0.88, z], 0.009, 5);
    }
}

/// Infeed screw and the two star wheels that hand the bottles over.
fn stars(s: &mut Scene, id: NodeId) {
    let star = Mesh::of(|m| {
        // Eight pockets, six points each.
        let outline: Vec<(f32, f32)> = (0..48)
            .map(|i| {
                let (sn, c) = sin_cos(7.5 * i as f32);
                let r = 0.37 + 0.035 * sin_cos(60.0 * i as f32).1;
                (r * c, r * sn)
            })
            .collect();
        for y in [0.07, 0.2] {
            m.prism(Mat::MachineGrey, Xf::at(0.0, y, 0.0).rx(-90.0), &outline, 0.03, 0.004);
        }
        m.cyl(Mat::Steel, [0.0, -0.12, 0.0], [0.0, 0.3, 0.0], 0.09, 14, 0.012);
        m.cyl(Mat::SteelDark, [0.0, -0.08, 0.0], [0.0, 0.0, 0.0], 0.46, 28, 0.01);
    });
    for (part, x, kind, first) in [("infeed-star", -1.2, Bottle::Empty, -22.5), ("outfeed-star", 1.2, Bottle::Full, 112.5)] {
        let wheel = s.part(id, part, Xf::at(x, TOP, 1.46), &star);
        let load = bottle(kind);
        for i in 0..3 {
            let place = Xf::ID.ry(first + 45.0 * i as f32).by(0.4, 0.0, 0.0);
            s.part(wheel, &format!("{part}/bottle-{}", i + 1), place, &load);
        }
    }
    s.fixed(id, "infeed-screw", |m| {
        m.cyl(Mat::MachineGrey, [-2.5, TOP + 0.13, 1.72], [-1.45, TOP + 0.13, 1.72], 0.05, 12, 0.012);
        for i in 0..8 {
            m.torus(Mat::MachineGrey, Xf::at(-2.4 + i as f32 * 0.125, TOP + 0.13, 1.72).rz(78.0), 0.055, 0.018, 12, 5);
        }
        m.blk(Mat::MachineBlue, [-2.62, TOP - 0.05, 1.72], [0.2, 0.3, 0.18], 0.02);
        m.blk(Mat::SteelDark, [-2.62, 0.0, 1.72], [0.08, TOP - 0.05, 0.08], 0.0);
    });
}

/// Posts, header beams and low panels: the cell stays open to the eye.
fn guard(s: &mut Scene, id: NodeId) {
    let (hx, hz, top) = (2.3, 1.66, 2.95);
    s.fixed(id, "guard-posts", |m| {
        for x in [-hx, 0.0, hx] {
            for z in [-hz, hz] {
                if x == 0.0 && z > 0.0 {
                    continue;
                }
                m.blk(Mat::Steel, [x, 0.86, z], [0.07, top - 0.86, 0.07], FINE);
            }
        }
    });
    s.fixed(id, "guard-header", |m| {
        for z in [-hz, hz] {
            m.blk(Mat::MachineLight, [0.0, top, z], [2.0 * hx + 0.14, 0.22, 0.14], 0.025);
        }
        for x in [-hx, hx] {
            m.blk(Mat::MachineLight, [x, top, 0.0], [0.14, 0.22, 2.0 * hz - 0.14], 0.025);
        }
    });
    s.fixed(id, "guard-glazing-bars", |m| {
        for x in [-hx, hx] {
            m.blk(Mat::SteelDark, [x, 1.9, 0.0], [0.04, 0.05, 2.0 * hz], 0.0);
        }
        m.blk(Mat::SteelDark, [0.0, 1.9, -hz], [2.0 * hx, 0.05, 0.04], 0.0);
        m.blk(Mat::Teal, [0.0, top + 0.06, hz + 0.072], [1.5, 0.1, 0.012], 0.0);
    });
    s.fixed(id, "beacon", |m| beacon(m, [hx, top + 0.22, hz]));
}

//! Process units on skids: pasteurizer, heat exchanger, cleaning in place, water treatment.

use super::kit::{FINE, band, beacon, cabinet, feet, flange, vessel_profile};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, sin_cos, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// A flash pasteurizer: plate pack, holding tube coil, balance tank and panel on one skid.
pub(crate) fn pasteurizer(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "pasteurizer-01", xf);
    skid(s, id, 4.2, 2.0);
    s.fixed(id, "plate-pack", |m| plate_pack(m, Xf::at(-1.35, 0.2, 0.3), 26, 0.7, 1.25));
    s.fixed(id, "holding-tube", |m| {
        // A serpentine of straight runs with half-circle ends.
        let mut points: Vec<[f32; 3]> = Vec::new();
        for i in 0..7 {
            let y = 0.65 + i as f32 * 0.26;
            let (a, b) = if i % 2 == 0 { (-0.6, 1.9) } else { (1.9, -0.6) };
            points.push([a, y, -0.55]);
            points.push([b, y, -0.55]);
        }
        m.pipe(Mat::Steel, &points, 0.06, 0.13, 10);
    });
    s.fixed(id, "tube-supports", |m| {
        for x in [-0.2, 0.65, 1.5] {
            m.blk(Mat::Structure, [x, 0.18, -0.66], [0.07, 2.3, 0.06], 0.008);
        }
    });
    s.fixed(id, "balance-tank", |m| {
        m.lathe(Mat::Steel, Xf::at(0.35, 0.55, 0.5), &vessel_profile(0.42, 0.8, 0.12), 24);
        for i in 0..3 {
            let (sn, c) = sin_cos(120.0 * i as f32 + 30.0);
            m.bar(Mat::Steel, [0.35 + 0.33 * c, 0.18, 0.5 + 0.33 * sn], [0.35 + 0.33 * c, 0.72, 0.5 + 0.33 * sn], 0.03, 8);
        }
    });
    s.fixed(id, "pipework", |m| {
        m.pipe(Mat::Steel, &[[0.35, 0.6, 0.5], [0.35, 0.32, 0.5], [-0.5, 0.32, 0.5], [-0.9, 0.32, 0.3]], 0.045, 0.1, 8);
        m.pipe(
            Mat::PipeWater,
            &[[-1.0, 1.2, 0.42], [-0.55, 1.2, 0.42], [-0.55, 2.55, 0.42], [-0.55, 2.55, -1.8], [-0.55, 5.65, -1.8]],
            0.045,
            0.12,
            8,
        );
        m.pipe(
            Mat::Insulation,
            &[[-1.0, 1.2, 0.18], [-0.72, 1.2, 0.18], [-0.72, 2.8, 0.18], [-0.72, 2.8, -1.7], [-0.72, 5.7, -1.7]],
            0.055,
            0.14,
            8,
        );
    });
    s.fixed(id, "cabinet", |m| cabinet(m, Mat::MachineLight, [1.6, 0.18, 0.55], [0.8, 1.9, 0.5]));
    s.fixed(id, "operator-screen", |m| {
        m.blk(Mat::Slate, [1.6, 1.5, 0.83], [0.42, 0.3, 0.02], 0.006);
        m.blk(Mat::Screen, [1.6, 1.53, 0.842], [0.34, 0.24, 0.01], 0.0);
    });
    s.fixed(id, "beacon", |m| beacon(m, [1.85, 2.08, 0.4]));
}

/// A welded skid frame with drip tray.
fn skid(s: &mut Scene, id: NodeId, w: f32, d: f32) {
    s.fixed(id, "skid", |m| {
        for z in [-d * 0.5 + 0.06, d * 0.5 - 0.06] {
            m.blk(Mat::Slate, [0.0, 0.0, z], [w, 0.16, 0.1], 0.012);
        }
        for i in 0..4 {
            let x = -w * 0.5 + 0.06 + (w - 0.12) * i as f32 / 3.0;
            m.blk(Mat::Slate, [x, 0.01, 0.0], [0.1, 0.14, d - 0.22], 0.0);
        }
        m.blk(Mat::Galvanised, [0.0, 0.15, 0.0], [w - 0.1, 0.03, d - 0.1], 0.006);
    });
}

/// A plate heat exchanger pack: fixed frame, plates, follower, carrying bars, tie rods; length along X.
fn plate_pack(m: &mut Mesh, xf: Xf, plates: usize, width: f32, height: f32) {
    let pitch = 0.026;
    let len = plates as f32 * pitch;
    let left = -len * 0.5;
    for (x, thick) in [(left - 0.05, 0.07), (left + len + 0.05, 0.07)] {
        m.bx(Mat::MachineBlue, xf.by(x, height * 0.5 + 0.1, 0.0), [thick, height + 0.2, width], 0.015);
    }
    for i in 0..plates {
        let mat = if i % 2 == 0 { Mat::Steel } else { Mat::SteelDark };
        let inset = if i % 2 == 0 { 0.0 } else { 0.03 };
        let x = left + (i as f32 + 0.5) * pitch;
        m.bx(mat, xf.by(x, height * 0.5 + 0.12, 0.0), [pitch - 0.002, height - inset, width - 0.1 - inset], 0.0);
    }
    let far = left + len + 0.75;
    for y in [0.14, height + 0.16] {
        m.cyl(Mat::Steel, xf.point(v(left, y, 0.0)), xf.point(v(far, y, 0.0)), 0.035, 8, 0.0);
    }
    m.bx(Mat::MachineBlue, xf.by(far, height * 0.5 + 0.1, 0.0), [0.07, height + 0.2, width * 0.3], 0.012);
    for z in [-width * 0.47, width * 0.47] {
        for k in 0..4 {
            let y = 0.22 + k as f32 * (height - 0.1) / 3.0;
            m.cyl(Mat::SteelDark, xf.point(v(left - 0.14, y, z)), xf.point(v(left + len + 0.24, y, z)), 0.016, 6, 0.0);
        }
    }
    for z in [-width * 0.25, width * 0.25] {
        for y in [0.3, height - 0.05] {
            let (a, b) = (xf.point(v(left - 0.08, y, z)), xf.point(v(left - 0.2, y, z)));
            m.cyl(Mat::Steel, a, b, 0.05, 12, 0.0);
            m.cyl(Mat::Steel, b, xf.point(v(left - 0.23, y, z)), 0.085, 14, 0.006);
        }
    }
}

pub(crate) fn heat_exchanger(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "heat-exchanger-01", xf);
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.15, 0.0, 0.0], [2.5, 0.12, 1.2], 0.025));
    s.fixed(id, "plate-pack", |m| plate_pack(m, Xf::at(-0.2, 0.24, 0.0), 36, 0.8, 1.5));
    s.fixed(id, "feet", |m| {
        for x in [-0.72, 0.32, 1.03] {
            m.blk(Mat::Slate, [x, 0.12, 0.0], [0.12, 0.14, 0.9], 0.012);
        }
    });
    s.fixed(id, "inlet-pipe", |m| {
        m.pipe(
            Mat::PipeWater,
            &[[-0.84, 0.54, 0.2], [-1.1, 0.54, 0.2], [-1.1, 2.4, 0.2], [-1.1, 2.4, -2.1], [-1.1, 5.7, -2.1]],
            0.06,
            0.16,
            10,
        );
        flange(m, Mat::SteelDark, [-1.1, 1.4, 0.2], [0.0, 1.0, 0.0], 0.06);
    });
    s.fixed(id, "outlet-pipe", |m| {
        m.pipe(
            Mat::Insulation,
            &[[-0.84, 1.69, -0.2], [-1.3, 1.69, -0.2], [-1.3, 2.9, -0.2], [-1.3, 2.9, -2.1], [-1.3, 5.7, -2.1]],
            0.07,
            0.16,
            10,
        );
        flange(m, Mat::SteelDark, [-1.3, 2.3, -0.2], [0.0, 1.0, 0.0], 0.07);
    });
}

/// A cleaning-in-place skid: three vessels, a pump manifold and a cabinet.
pub(crate) fn cip(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "cip-01", xf);
    skid(s, id, 3.9, 1.9);
    let vessel = Mesh::of(|m| {
        m.lathe(Mat::Steel, Xf::at(0.0, 0.4, 0.0), &vessel_profile(0.46, 1.35, 0.16), 24);
        band(m, Mat::SteelDark, [0.0, 1.5, 0.0], 0.46, 0.05, 24);
        band(m, Mat::SteelDark, [0.0, 0.75, 0.0], 0.46, 0.05, 24);
        for i in 0..3 {
            let (sn, c) = sin_cos(120.0 * i as f32 + 90.0);
            m.bar(Mat::Steel, [0.36 * c, 0.18, 0.36 * sn], [0.36 * c, 0.62, 0.36 * sn], 0.035, 8);
        }
        m.cyl(Mat::SteelDark, [0.0, 2.05, 0.0], [0.0, 2.13, 0.0], 0.17, 16, 0.01);
        m.cyl(Mat::Steel, [0.26, 1.98, 0.0], [0.26, 2.2, 0.0], 0.04, 8, 0.0);
    });
    for (i, part) in ["caustic-tank", "acid-tank", "rinse-tank"].into_iter().enumerate() {
        s.part(id, part, Xf::at(-1.35 + i as f32 * 1.06, 0.0, -0.3), &vessel);
    }
    s.fixed(id, "manifold", |m| {
        m.pipe(
            Mat::Steel,
            &[
                [-1.75, 0.34, 0.5],
                [1.3, 0.34, 0.5],
                [1.3, 0.9, 0.5],
                [1.3, 0.9, -0.6],
                [1.3, 2.7, -0.6],
                [1.3, 2.7, -1.6],
                [1.3, 5.7, -1.6],
            ],
            0.05,
            0.14,
            10,
        );
        for i in 0..3 {
            let x = -1.35 + i as f32 * 1.06;
            m.pipe(Mat::Steel, &[[x, 0.45, -0.3], [x, 0.34, -0.3], [x, 0.34, 0.48]], 0.04, 0.08, 8);
            m.cyl(Mat::MachineLight, [x, 0.36, 0.26], [x, 0.62, 0.26], 0.05, 10, 0.012);
            m.cyl(Mat::Slate, [x, 0.62, 0.26], [x, 0.67, 0.26], 0.03, 8, 0.006);
        }
    });
    s.fixed(id, "cabinet", |m| cabinet(m, Mat::MachineLight, [1.6, 0.18, 0.1], [0.56, 1.7, 0.5]));
}

/// Two pressure filter vessels, a softener and a reverse-osmosis bank.
pub(crate) fn water_treatment(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "water-treatment-01", xf);
    skid(s, id, 3.6, 2.3);
    let filter = Mesh::of(|m| {
        m.lathe(Mat::PipeWater, Xf::at(0.0, 0.3, 0.0), &vessel_profile(0.48, 1.5, 0.24), 24);
        m.lathe(Mat::Slate, Xf::at(0.0, 0.18, 0.0), &[(0.4, 0.0), (0.36, 0.3)], 20);
        m.cyl(Mat::Slate, [0.0, 2.26, 0.0], [0.0, 2.36, 0.0], 0.14, 14, 0.012);
        m.blk(Mat::MachineLight, [0.0, 2.36, 0.0], [0.24, 0.2, 0.24], 0.02);
    });
    for i in 0..3 {
        s.part(id, &format!("filter-{}", i + 1), Xf::at(-1.2 + i as f32 * 1.15, 0.0, -0.45), &filter);
    }
    s.fixed(id, "membrane-bank", |m| {
        for row in 0..3 {
            let y = 0.5 + row as f32 * 0.3;
            m.cyl(Mat::MachineLight, [-1.5, y, 0.7], [1.2, y, 0.7], 0.105, 14, 0.01);
            for x in [-1.52, 1.14] {
                m.cyl(Mat::SteelDark, [x, y, 0.7], [x + 0.08, y, 0.7], 0.125, 14, 0.008);
            }
        }
        for x in [-1.1, 0.8] {
            m.blk(Mat::Structure, [x, 0.18, 0.55], [0.07, 1.2, 0.07], 0.008);
            for row in 0..3 {
                m.blk(Mat::Structure, [x, 0.36 + row as f32 * 0.3, 0.66], [0.05, 0.04, 0.22], 0.0);
            }
        }
    });
    s.fixed(id, "header", |m| {
        m.pipe(Mat::PipeWater, &[[-1.6, 2.5, -0.15], [1.7, 2.5, -0.15], [1.7, 2.5, -1.9], [1.7, 5.7, -1.9]], 0.06, 0.16, 10);
        for i in 0..3 {
            let x = -1.2 + i as f32 * 1.15;
            m.bar(Mat::PipeWater, [x, 2.46, -0.3], [x, 2.5, -0.15], 0.04, 8);
        }
    });
    s.fixed(id, "panel", |m| {
        m.blk(Mat::MachineLight, [1.55, 0.9, 0.85], [0.4, 0.6, 0.25], FINE);
        m.blk(Mat::Screen, [1.55, 1.2, 0.98], [0.24, 0.16, 0.012], 0.0);
        m.blk(Mat::Structure, [1.55, 0.18, 0.8], [0.08, 0.74, 0.08], 0.0);
    });
    s.fixed(id, "feet", |m| feet(m, 0.0, 0.0, 1.7, 1.05, 0.02));
}

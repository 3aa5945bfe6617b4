//! The process area along the back wall: water treatment, tanks, mixer, pumps, pasteurizer, heat exchanger, CIP.

use super::drive::{pump, valve};
use super::kit::{FINE, SOFT, band, beacon, cabinet, feet, flange, ladder, panel, railing, vessel_profile};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, sin_cos, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Where the tanks and the mixer stand.
const TANK_X: [f32; 3] = [-22.9, -19.3, -15.7];
const TANK_Z: f32 = -8.5;
const MIXER_X: f32 = -12.2;
/// The row of pumps in front of the vessels.
const PUMP_Z: f32 = -5.5;

/// Adds everything of the process area.
pub(crate) fn build(s: &mut Scene, area: NodeId) {
    for (i, x) in TANK_X.into_iter().enumerate() {
        tank(s, area, i + 1, x);
    }
    mixer(s, area);
    platform(s, area);
    for (i, x) in [TANK_X[0], TANK_X[1], TANK_X[2], MIXER_X].into_iter().enumerate() {
        let p = pump(s, area, i + 1, Xf::at(x, 0.0, PUMP_Z));
        feed_pipes(s, p);
        let at = Xf::at(x + 1.8, 1.7, -6.9).ry(90.0);
        valve(s, area, i + 1, at, 0.07, i % 2 == 0);
    }
    let five = pump(s, area, 5, Xf::at(-6.6, 0.0, PUMP_Z));
    run(s, five, "suction-pipe", &[[-0.6, 0.46, 0.0], [-1.05, 0.46, 0.0], [-1.05, 0.46, -2.7], [-1.05, 0.62, -2.7]]);
    run(
        s,
        five,
        "discharge-pipe",
        &[[-0.28, 0.97, -0.2], [-0.28, 1.69, -0.2], [0.86, 1.69, -0.2], [0.86, 1.69, -2.7], [1.12, 1.69, -2.7]],
    );
    let six = pump(s, area, 6, Xf::at(-1.2, 0.0, PUMP_Z));
    run(
        s,
        six,
        "suction-pipe",
        &[[-0.6, 0.46, 0.0], [-1.2, 0.46, 0.0], [-1.2, 0.46, -2.0], [-1.2, 0.34, -2.3], [-1.2, 0.34, -2.8]],
    );
    run(
        s,
        six,
        "discharge-pipe",
        &[[-0.28, 0.97, -0.2], [-0.28, 2.2, -0.2], [2.2, 2.2, -0.2], [2.2, 2.2, -4.83], [2.2, 6.41, -4.83]],
    );
    pasteurizer(s, area, Xf::at(-8.0, 0.0, -8.7));
    heat_exchanger(s, area, Xf::at(-4.6, 0.0, -8.4));
    cip(s, area, Xf::at(-1.0, 0.0, -8.8));
    water_treatment(s, area, Xf::at(-27.0, 0.0, -8.6));
}

fn tank(s: &mut Scene, area: NodeId, number: usize, x: f32) {
    let id = s.twin(Some(area), &format!("tank-{number:02}"), Xf::at(x, 0.0, TANK_Z));
    let (r, shell, head, leg) = (1.25, 3.1, 0.42, 0.75);
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.0, 0.0, 0.0], [3.1, 0.1, 3.1], 0.03));
    s.fixed(id, "legs", |m| legs(m, r, leg + head));
    s.fixed(id, "vessel", |m| {
        m.lathe(Mat::Steel, Xf::at(0.0, leg, 0.0), &vessel_profile(r, shell, head), 36);
    });
    s.fixed(id, "jacket", |m| {
        let y = leg + head + 0.35;
        m.lathe(
            Mat::Insulation,
            Xf::at(0.0, y, 0.0),
            &[(r - 0.02, 0.0), (r + 0.06, 0.0), (r + 0.085, 0.025), (r + 0.085, 1.9), (r + 0.06, 1.925), (r - 0.02, 1.925)],
            36,
        );
        for h in [0.62, 1.26] {
            band(m, Mat::SteelDark, [0.0, y + h, 0.0], r + 0.08, 0.05, 36);
        }
    });
    s.fixed(id, "manway", |m| manway(m, r, leg + head + 2.72));
    s.fixed(id, "level-gauge", |m| {
        let (z, y0) = (r + 0.24, leg + head + 0.3);
        m.cyl(Mat::Window, [0.55, y0, z - 0.1], [0.55, y0 + 2.3, z - 0.1], 0.03, 8, 0.0);
        for y in [y0 - 0.02, y0 + 2.3] {
            m.blk(Mat::SteelDark, [0.55, y, z - 0.1], [0.1, 0.08, 0.1], FINE);
            m.bar(Mat::Steel, [0.5, y + 0.04, z - 0.38], [0.55, y + 0.04, z - 0.1], 0.022, 6);
        }
    });
    s.fixed(id, "nameplate", |m| {
        m.bx(Mat::MachineLight, Xf::at(0.0, leg + head + 1.3, r + 0.1), [0.62, 0.34, 0.03], 0.006);
        m.bx(Mat::Slate, Xf::at(0.0, leg + head + 1.3, r + 0.118), [0.5, 0.1, 0.01], 0.0);
    });
    s.fixed(id, "top-nozzles", |m| {
        let top = leg + 2.0 * head + shell;
        m.cyl(Mat::Steel, [0.0, top - 0.06, 0.0], [0.0, top + 0.22, 0.0], 0.11, 12, 0.0);
        flange(m, Mat::Steel, [0.0, top + 0.22, 0.0], [0.0, 1.0, 0.0], 0.11);
        m.cyl(Mat::Steel, [0.5, top - 0.16, 0.2], [0.5, top + 0.12, 0.2], 0.06, 10, 0.0);
        m.cyl(Mat::MachineLight, [0.5, top + 0.12, 0.2], [0.5, top + 0.28, 0.2], 0.08, 12, 0.015);
        m.cyl(Mat::Steel, [-0.55, top - 0.16, 0.1], [-0.55, top + 0.2, 0.1], 0.05, 10, 0.0);
        m.cyl(Mat::Slate, [-0.55, top + 0.2, 0.1], [-0.55, top + 0.32, 0.1], 0.07, 12, 0.015);
    });
    s.fixed(id, "drain", |m| {
        m.pipe(
            Mat::Steel,
            &[[0.0, leg + 0.05, 0.0], [0.0, 0.46, 0.0], [-1.1, 0.46, 0.0], [-1.1, 0.46, 3.0], [-0.6, 0.46, 3.0]],
            0.055,
            0.16,
            10,
        );
        flange(m, Mat::SteelDark, [0.0, 0.66, 0.0], [0.0, 1.0, 0.0], 0.06);
        flange(m, Mat::SteelDark, [-1.1, 0.46, 1.6], [0.0, 0.0, 1.0], 0.06);
    });
}

fn legs(m: &mut Mesh, r: f32, top: f32) {
    for i in 0..4 {
        let (s, c) = sin_cos(45.0 + 90.0 * i as f32);
        let (x, z) = (c * r * 0.86, s * r * 0.86);
        m.cyl(Mat::Steel, [x, 0.1, z], [x, top + 0.15, z], 0.075, 12, 0.0);
        m.cyl(Mat::SteelDark, [x, 0.1, z], [x, 0.13, z], 0.14, 14, 0.006);
    }
    for i in 0..4 {
        let (s, c) = sin_cos(45.0 + 90.0 * i as f32);
        let (t, d) = sin_cos(135.0 + 90.0 * i as f32);
        let k = r * 0.86;
        m.bar(Mat::Steel, [c * k, 0.45, s * k], [d * k, 0.45, t * k], 0.03, 8);
    }
}

fn manway(m: &mut Mesh, r: f32, y: f32) {
    m.bar(Mat::Steel, [0.0, y, r - 0.1], [0.0, y, r + 0.08], 0.27, 20);
    m.cyl(Mat::SteelDark, [0.0, y, r + 0.06], [0.0, y, r + 0.1], 0.32, 20, 0.008);
    let cap = Xf::at(0.0, y, r + 0.1).rx(90.0);
    m.lathe(Mat::Steel, cap, &[(0.29, 0.0), (0.29, 0.03), (0.2, 0.07), (0.0, 0.085)], 20);
    for i in 0..6 {
        let (s, c) = sin_cos(60.0 * i as f32 + 30.0);
        m.cyl(Mat::SteelDark, [0.285 * c, y + 0.285 * s, r + 0.1], [0.285 * c, y + 0.285 * s, r + 0.17], 0.022, 6, 0.0);
    }
    m.bx(Mat::SteelDark, Xf::at(0.36, y, r + 0.08), [0.08, 0.16, 0.06], 0.01);
}

fn mixer(s: &mut Scene, area: NodeId) {
    let id = s.twin(Some(area), "mixer-01", Xf::at(MIXER_X, 0.0, TANK_Z));
    let (r, shell, head, leg) = (0.95, 1.9, 0.34, 0.8);
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.0, 0.0, 0.0], [2.5, 0.1, 2.5], 0.03));
    s.fixed(id, "legs", |m| legs(m, r, leg + head));
    s.fixed(id, "vessel", |m| m.lathe(Mat::Steel, Xf::at(0.0, leg, 0.0), &vessel_profile(r, shell, head), 32));
    s.fixed(id, "jacket", |m| {
        for y in [0.25, 0.85, 1.45] {
            band(m, Mat::SteelDark, [0.0, leg + head + y, 0.0], r, 0.09, 32);
        }
    });
    s.fixed(id, "manway", |m| manway(m, r, leg + head + 1.1));
    let top = leg + 2.0 * head + shell;
    s.fixed(id, "gearbox", |m| {
        m.cyl(Mat::Steel, [0.0, top - 0.05, 0.0], [0.0, top + 0.12, 0.0], 0.24, 18, 0.01);
        m.blk(Mat::MachineBlue, [0.0, top + 0.12, 0.0], [0.4, 0.36, 0.4], SOFT);
        m.blk(Mat::MachineBlue, [0.32, top + 0.16, 0.0], [0.3, 0.28, 0.3], SOFT);
    });
    s.fixed(id, "agitator-motor", |m| {
        m.lathe(
            Mat::MachineBlue,
            Xf::at(0.0, top + 0.48, 0.0),
            &[(0.2, 0.0), (0.2, 0.03), (0.15, 0.05), (0.15, 0.44), (0.17, 0.45), (0.17, 0.56), (0.12, 0.61), (0.0, 0.61)],
            18,
        );
        for i in 0..14 {
            let angle = 360.0 * i as f32 / 14.0;
            m.bx(Mat::MachineBlue, Xf::at(0.0, top + 0.73, 0.0).ry(angle).by(0.16, 0.0, 0.0), [0.04, 0.36, 0.012], 0.0);
        }
    });
    s.fixed(id, "dosing-hopper", |m| {
        m.lathe(
            Mat::Steel,
            Xf::at(-0.55, top - 0.18, 0.2),
            &[(0.07, 0.0), (0.07, 0.2), (0.3, 0.5), (0.3, 0.72), (0.27, 0.72), (0.27, 0.52)],
            18,
        );
    });
    s.fixed(id, "drain", |m| {
        m.pipe(
            Mat::Steel,
            &[[0.0, leg + 0.05, 0.0], [0.0, 0.46, 0.0], [-1.1, 0.46, 0.0], [-1.1, 0.46, 3.0], [-0.6, 0.46, 3.0]],
            0.055,
            0.16,
            10,
        );
        flange(m, Mat::SteelDark, [0.0, 0.66, 0.0], [0.0, 1.0, 0.0], 0.06);
    });
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(1.25, 0.0, 1.5), 1.15));
}

/// A catwalk behind the tanks' heads, with stairs at the right end.
fn platform(s: &mut Scene, area: NodeId) {
    let (x0, x1, y) = (-24.6, -14.3, 4.55);
    s.fixed(area, "catwalk", |m| {
        m.blk(Mat::Galvanised, [(x0 + x1) * 0.5, y - 0.06, -6.72], [x1 - x0, 0.06, 0.86], 0.01);
        for z in [-7.1, -6.34] {
            m.blk(Mat::Structure, [(x0 + x1) * 0.5, y - 0.22, z], [x1 - x0, 0.16, 0.07], 0.0);
        }
        for x in [x0 + 0.1, -20.75, -17.15, x1 - 0.1] {
            for z in [-7.1, -6.34] {
                m.blk(Mat::Structure, [x, 0.0, z], [0.1, y - 0.22, 0.1], 0.012);
                m.blk(Mat::SteelDark, [x, 0.0, z], [0.24, 0.02, 0.24], 0.0);
            }
        }
    });
    s.fixed(area, "catwalk-railing", |m| {
        railing(m, Mat::Safety, &[[x1, -7.1], [x1, -6.34], [x0, -6.34], [x0, -7.1]], y);
    });
    s.fixed(area, "catwalk-ladder", |m| ladder(m, x0 + 0.7, -6.24, 0.0, y, true));
}

/// From a pump's discharge up, aside and back over the gap between two vessels to the rack.
fn feed_pipes(s: &mut Scene, pump: NodeId) {
    s.fixed(pump, "discharge-pipe", |m| {
        let (x, z) = (1.8, -0.2);
        m.pipe(
            Mat::Steel,
            &[[-0.28, 0.97, z], [-0.28, 1.7, z], [x, 1.7, z], [x, 1.7, -5.1], [x, 5.62, -5.1], [x, 5.62, -5.5]],
            0.06,
            0.2,
            10,
        );
        for p in [[0.8, 1.7, z], [x, 1.7, -2.6]] {
            let along = if p[0] == x { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] };
            flange(m, Mat::SteelDark, p, along, 0.062);
        }
        m.blk(Mat::Structure, [x, 0.0, -0.6], [0.08, 1.63, 0.08], 0.008);
        m.blk(Mat::SteelDark, [x, 0.0, -0.6], [0.22, 0.02, 0.22], 0.0);
    });
}

/// A pipe of a pump, with flanges where it leaves the pump.
fn run(s: &mut Scene, pump: NodeId, part: &str, points: &[[f32; 3]]) {
    s.fixed(pump, part, |m| m.pipe(Mat::Steel, points, 0.055, 0.18, 10));
}

/// A flash pasteurizer: plate pack, holding tube coil, balance tank and panel on one skid.
fn pasteurizer(s: &mut Scene, area: NodeId, xf: Xf) {
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

fn heat_exchanger(s: &mut Scene, area: NodeId, xf: Xf) {
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
fn cip(s: &mut Scene, area: NodeId, xf: Xf) {
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
fn water_treatment(s: &mut Scene, area: NodeId, xf: Xf) {
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

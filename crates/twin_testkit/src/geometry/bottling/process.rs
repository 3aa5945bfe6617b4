//! The process area along the back wall: water treatment, tanks, mixer, pumps, pasteurizer, heat exchanger, CIP.

use super::drive::{pump, valve};
use super::kit::{FINE, SOFT, band, flange, ladder, panel, railing, vessel_profile};
use super::skids::{cip, heat_exchanger, pasteurizer, water_treatment};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, sin_cos};
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

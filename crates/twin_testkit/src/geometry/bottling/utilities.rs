//! Compressed air, cold, steam and power: compressors, dryer, receiver, chiller, boiler, switchgear, transformer.

use super::kit::{FINE, SOFT, band, cabinet, flange, vessel_profile};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, sin_cos, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Adds everything of the utilities area.
pub(crate) fn build(s: &mut Scene, area: NodeId) {
    chiller(s, area, Xf::at(3.1, 0.0, -8.6));
    compressor(s, area, 1, Xf::at(6.5, 0.0, -8.4));
    compressor(s, area, 2, Xf::at(8.9, 0.0, -8.4));
    dryer(s, area, Xf::at(10.85, 0.0, -8.5));
    receiver(s, area, Xf::at(12.4, 0.0, -8.6));
    boiler(s, area, Xf::at(15.4, 0.0, -8.4));
    switchgear(s, area, Xf::at(-29.15, 0.0, -1.2).ry(90.0));
    transformer(s, area, Xf::at(-28.95, 0.0, 4.4).ry(90.0));
}

/// Louvres on a panel facing +Z, `w` by `h`, lower left corner at `at`.
fn louvres(m: &mut Mesh, at: [f32; 3], w: f32, h: f32) {
    let [x, y, z] = at;
    m.blk(Mat::Slate, [x + w * 0.5, y, z - 0.004], [w, h, 0.02], 0.0);
    let count = (h / 0.075) as usize;
    for i in 0..count {
        let cy = y + (i as f32 + 0.5) * h / count as f32;
        m.bx(Mat::MachineGrey, Xf::at(x + w * 0.5, cy, z + 0.012).rx(-35.0), [w - 0.02, 0.05, 0.012], 0.0);
    }
}

/// An axial fan seen from above: shroud, hub, blades, grille rings.
fn fan(m: &mut Mesh, at: [f32; 3], r: f32) {
    let [x, y, z] = at;
    m.lathe(Mat::Slate, Xf::at(x, y, z), &[(r * 1.06, 0.0), (r * 1.1, 0.02), (r * 1.06, 0.16), (r, 0.16), (r, 0.02)], 28);
    m.lathe(Mat::Rubber, Xf::at(x, y, z), &[(r * 1.02, 0.012), (0.0, 0.012)], 28);
    m.cyl(Mat::SteelDark, [x, y + 0.01, z], [x, y + 0.12, z], r * 0.2, 14, 0.015);
    for i in 0..6 {
        let place = Xf::at(x, y + 0.07, z).ry(60.0 * i as f32);
        m.bx(Mat::SteelDark, place.by(r * 0.56, 0.0, 0.0).rx(28.0), [r * 0.72, 0.012, r * 0.3], 0.0);
    }
    for k in [0.45, 0.78] {
        m.torus(Mat::Steel, Xf::at(x, y + 0.165, z), r * k, 0.008, 24, 4);
    }
    for i in 0..4 {
        let (s, c) = sin_cos(45.0 * i as f32);
        m.bar(Mat::Steel, [x - r * c, y + 0.165, z - r * s], [x + r * c, y + 0.165, z + r * s], 0.008, 4);
    }
}

fn chiller(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "chiller-01", xf);
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.0, 0.0, 0.0], [3.6, 0.12, 2.0], 0.03));
    s.fixed(id, "frame", |m| {
        for x in [-1.6, 0.0, 1.6] {
            for z in [-0.82, 0.82] {
                m.blk(Mat::MachineGrey, [x, 0.12, z], [0.1, 2.0, 0.1], FINE);
            }
        }
        m.blk(Mat::MachineLight, [0.0, 2.12, 0.0], [3.4, 0.16, 1.84], SOFT);
        m.blk(Mat::MachineGrey, [0.0, 0.12, 0.0], [3.36, 0.16, 1.76], 0.02);
    });
    s.fixed(id, "coils", |m| {
        for x in [-0.8, 0.8] {
            m.blk(Mat::SteelDark, [x, 1.0, 0.0], [1.53, 1.1, 1.62], 0.0);
            for i in 0..10 {
                m.blk(Mat::Galvanised, [x, 1.03 + i as f32 * 0.108, 0.0], [1.55, 0.035, 1.65], 0.0);
            }
        }
    });
    for (i, x) in [-0.8_f32, 0.8].into_iter().enumerate() {
        s.fixed(id, &format!("fan-{}", i + 1), |m| fan(m, [x, 2.28, 0.0], 0.62));
    }
    s.fixed(id, "compressor-screw", |m| {
        m.cyl(Mat::MachineBlue, [-1.3, 0.6, 0.3], [0.1, 0.6, 0.3], 0.24, 22, 0.04);
        m.cyl(Mat::MachineBlue, [-1.42, 0.6, 0.3], [-1.3, 0.6, 0.3], 0.17, 18, 0.03);
        m.blk(Mat::Slate, [-0.6, 0.26, 0.3], [0.9, 0.14, 0.34], 0.01);
    });
    s.fixed(id, "evaporator", |m| {
        m.cyl(Mat::Insulation, [-1.4, 0.56, -0.4], [1.4, 0.56, -0.4], 0.26, 22, 0.04);
        m.blk(Mat::Slate, [0.0, 0.26, -0.4], [1.8, 0.08, 0.3], 0.0);
    });
    s.fixed(id, "control-box", |m| {
        m.blk(Mat::MachineLight, [1.0, 0.27, 0.72], [1.0, 0.69, 0.24], 0.02);
        m.blk(Mat::Screen, [0.82, 0.64, 0.845], [0.26, 0.16, 0.012], 0.0);
    });
    s.fixed(id, "water-pipes", |m| {
        for (i, z) in [-0.52_f32, -0.28].into_iter().enumerate() {
            let top = 2.75 + i as f32 * 0.2;
            m.pipe(
                Mat::PipeWater,
                &[[1.35, 0.56, z], [1.95, 0.56, z], [1.95, top, z], [1.95, top, -2.2], [1.95, 5.7, -2.2]],
                0.07,
                0.18,
                10,
            );
            flange(m, Mat::SteelDark, [1.62, 0.56, z], [1.0, 0.0, 0.0], 0.06);
        }
    });
}

fn compressor(s: &mut Scene, area: NodeId, number: usize, xf: Xf) {
    let id = s.twin(Some(area), &format!("compressor-{number:02}"), xf);
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.0, 0.0, 0.0], [2.1, 0.1, 1.7], 0.03));
    s.fixed(id, "canopy", |m| {
        m.blk(Mat::Slate, [0.0, 0.1, 0.0], [1.82, 0.12, 1.42], 0.012);
        m.blk(Mat::MachineLight, [0.0, 0.22, 0.0], [1.9, 1.66, 1.5], 0.06);
        m.blk(Mat::MachineBlue, [0.0, 1.88, 0.0], [1.7, 0.1, 1.3], 0.03);
    });
    s.fixed(id, "doors", |m| {
        for x in [-0.46, 0.46] {
            m.blk(Mat::MachineLight, [x, 0.34, 0.755], [0.84, 1.36, 0.03], 0.012);
        }
        m.blk(Mat::Slate, [-0.1, 0.96, 0.78], [0.03, 0.18, 0.03], 0.006);
        m.blk(Mat::Slate, [0.1, 0.96, 0.78], [0.03, 0.18, 0.03], 0.006);
    });
    s.fixed(id, "intake-louvres", |m| louvres(m, [-0.8, 0.42, 0.775], 0.62, 0.42));
    s.fixed(id, "panel", |m| {
        m.blk(Mat::Slate, [0.5, 1.24, 0.775], [0.42, 0.3, 0.02], 0.006);
        m.blk(Mat::Screen, [0.5, 1.3, 0.788], [0.34, 0.18, 0.012], 0.0);
    });
    s.fixed(id, "exhaust-fan", |m| fan(m, [-0.35, 1.98, 0.0], 0.4));
    s.fixed(id, "outlet-pipe", |m| {
        m.pipe(Mat::PipeWater, &[[0.6, 1.95, -0.3], [0.6, 2.6, -0.3], [0.6, 2.6, -2.2], [0.6, 5.7, -2.2]], 0.055, 0.16, 10);
        flange(m, Mat::SteelDark, [0.6, 2.12, -0.3], [0.0, 1.0, 0.0], 0.055);
    });
}

fn dryer(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "dryer-01", xf);
    s.fixed(id, "housing", |m| {
        m.blk(Mat::Slate, [0.0, 0.0, 0.0], [0.9, 0.12, 0.9], 0.012);
        m.blk(Mat::MachineLight, [0.0, 0.12, 0.0], [1.0, 1.3, 1.0], 0.05);
    });
    s.fixed(id, "louvres", |m| louvres(m, [-0.38, 0.24, 0.52], 0.76, 0.5));
    s.fixed(id, "panel", |m| {
        m.blk(Mat::Slate, [0.0, 0.98, 0.505], [0.5, 0.26, 0.02], 0.006);
        m.blk(Mat::Screen, [-0.08, 1.03, 0.518], [0.26, 0.15, 0.012], 0.0);
    });
    s.fixed(id, "towers", |m| {
        for x in [-0.25, 0.25] {
            m.lathe(Mat::MachineBlue, Xf::at(x, 1.42, 0.0), &vessel_profile(0.19, 0.7, 0.1), 18);
        }
        m.pipe(Mat::Steel, &[[-0.25, 2.28, 0.0], [-0.25, 2.48, 0.0], [0.25, 2.48, 0.0], [0.25, 2.28, 0.0]], 0.035, 0.08, 8);
    });
    s.fixed(id, "pipe", |m| {
        m.pipe(Mat::PipeWater, &[[0.0, 2.48, 0.0], [0.0, 2.9, 0.0], [0.0, 2.9, -2.1], [0.0, 5.7, -2.1]], 0.045, 0.14, 8);
    });
}

fn receiver(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "air-receiver-01", xf);
    s.fixed(id, "vessel", |m| m.lathe(Mat::MachineLight, Xf::at(0.0, 0.42, 0.0), &vessel_profile(0.62, 2.1, 0.26), 28));
    s.fixed(id, "skirt", |m| {
        m.lathe(Mat::Slate, Xf::ID, &[(0.0, 0.0), (0.66, 0.0), (0.66, 0.04), (0.58, 0.05), (0.56, 0.6)], 24);
    });
    s.fixed(id, "bands", |m| {
        for y in [1.0, 2.5] {
            band(m, Mat::SteelDark, [0.0, y, 0.0], 0.62, 0.06, 28);
        }
    });
    s.fixed(id, "safety-valve", |m| {
        m.cyl(Mat::Steel, [0.0, 3.0, 0.0], [0.0, 3.22, 0.0], 0.05, 10, 0.0);
        m.cyl(Mat::SteelDark, [0.0, 3.18, 0.0], [0.0, 3.36, 0.0], 0.075, 10, 0.012);
        m.cyl(Mat::SteelDark, [0.0, 3.26, 0.0], [0.18, 3.26, 0.0], 0.045, 10, 0.006);
    });
    s.fixed(id, "gauge", |m| {
        m.bar(Mat::Steel, [0.0, 1.9, 0.58], [0.0, 1.9, 0.74], 0.016, 6);
        m.cyl(Mat::Steel, [0.0, 1.95, 0.72], [0.0, 1.95, 0.76], 0.09, 16, 0.008);
        m.cyl(Mat::Label, [0.0, 1.95, 0.758], [0.0, 1.95, 0.766], 0.076, 16, 0.0);
    });
    s.fixed(id, "pipe", |m| {
        m.pipe(Mat::PipeWater, &[[0.0, 2.2, -0.55], [0.0, 2.2, -1.6], [0.0, 5.7, -1.6], [0.0, 5.7, -1.95]], 0.055, 0.16, 10);
    });
}

/// A three-pass fire-tube boiler lying along Z, burner towards the aisle, stack through the roof.
fn boiler(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "boiler-01", xf);
    let y = 1.28;
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.0, 0.0, 0.0], [2.5, 0.12, 3.7], 0.03));
    s.fixed(id, "shell", |m| {
        let lie = Xf::at(0.0, y, -1.6).rx(90.0);
        m.lathe(Mat::Insulation, lie, &[(0.0, 0.0), (0.96, 0.0), (1.0, 0.04), (1.0, 2.96), (0.96, 3.0), (0.0, 3.0)], 36);
        for k in [0.4, 1.5, 2.6] {
            m.lathe(Mat::SteelDark, lie.by(0.0, k, 0.0), &[(0.98, 0.0), (1.014, 0.005), (1.014, 0.065), (0.98, 0.07)], 36);
        }
    });
    s.fixed(id, "smokebox-door", |m| {
        m.cyl(Mat::MachineBlue, [0.0, y, 1.38], [0.0, y, 1.5], 0.93, 36, 0.03);
        m.cyl(Mat::MachineBlue, [0.0, y, 1.5], [0.0, y, 1.54], 0.6, 30, 0.015);
        for i in 0..12 {
            let (sn, c) = sin_cos(30.0 * i as f32 + 15.0);
            m.cyl(Mat::SteelDark, [0.84 * c, y + 0.84 * sn, 1.49], [0.84 * c, y + 0.84 * sn, 1.54], 0.03, 6, 0.0);
        }
    });
    s.fixed(id, "burner", |m| {
        m.cyl(Mat::Slate, [0.0, y - 0.15, 1.52], [0.0, y - 0.15, 1.8], 0.28, 22, 0.03);
        m.blk(Mat::Slate, [0.0, y - 0.42, 1.98], [0.62, 0.56, 0.42], 0.05);
        m.cyl(Mat::MachineBlue, [0.31, y - 0.15, 1.98], [0.62, y - 0.15, 1.98], 0.16, 18, 0.025);
        m.pipe(
            Mat::Steel,
            &[[-0.3, y - 0.2, 1.98], [-0.75, y - 0.2, 1.98], [-0.75, 0.3, 1.98], [-0.75, 0.3, 1.0]],
            0.04,
            0.12,
            8,
        );
    });
    s.fixed(id, "saddles", |m| {
        for z in [-1.1, 0.9] {
            m.blk(Mat::Slate, [0.0, 0.12, z], [1.5, 0.36, 0.2], 0.012);
            for x in [-0.62, 0.62] {
                m.blk(Mat::Slate, [x, 0.12, z], [0.26, 0.66, 0.18], 0.012);
            }
        }
    });
    s.fixed(id, "stack", |m| stack(m, y));
    s.fixed(id, "steam-pipe", |m| {
        m.cyl(Mat::Steel, [0.0, y + 0.95, 0.3], [0.0, y + 1.16, 0.3], 0.12, 14, 0.01);
        m.pipe(
            Mat::Insulation,
            &[[0.0, y + 1.1, 0.3], [0.0, 3.3, 0.3], [-1.15, 3.3, 0.3], [-1.15, 6.47, 0.3], [-1.15, 6.47, -2.8]],
            0.09,
            0.24,
            12,
        );
    });
    s.fixed(id, "control-box", |m| {
        cabinet(m, Mat::MachineLight, [1.42, 0.0, 1.2], [0.5, 1.6, 0.4]);
        m.blk(Mat::Screen, [1.42, 1.2, 1.432], [0.26, 0.18, 0.012], 0.0);
    });
}

/// The boiler's stack with its clamps and its hood on three bars; `y` is the height of the boiler's axis.
fn stack(m: &mut Mesh, y: f32) {
    m.cyl(Mat::Galvanised, [0.0, y + 0.9, -1.25], [0.0, y + 1.2, -1.25], 0.36, 22, 0.02);
    m.cyl(Mat::Galvanised, [0.0, y + 1.2, -1.25], [0.0, 10.2, -1.25], 0.29, 22, 0.0);
    for h in [3.6, 5.6, 7.6] {
        m.lathe(Mat::SteelDark, Xf::at(0.0, h, -1.25), &[(0.28, 0.0), (0.315, 0.008), (0.315, 0.08), (0.28, 0.088)], 22);
    }
    m.lathe(Mat::SteelDark, Xf::at(0.0, 10.2, -1.25), &[(0.2, 0.1), (0.44, 0.1), (0.0, 0.34)], 20);
    for i in 0..3 {
        let (sn, c) = sin_cos(120.0 * i as f32);
        m.bar(Mat::SteelDark, [0.25 * c, 10.15, -1.25 + 0.25 * sn], [0.25 * c, 10.32, -1.25 + 0.25 * sn], 0.015, 5);
    }
}

/// A row of six switchgear cubicles; fronts towards the placement's +Z.
fn switchgear(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "switchgear-01", xf);
    s.fixed(id, "plinth", |m| m.blk(Mat::Slate, [0.0, 0.0, 0.0], [5.0, 0.1, 0.8], 0.015));
    let cubicle = Mesh::of(|m| {
        m.blk(Mat::MachineLight, [0.0, 0.0, 0.0], [0.8, 2.1, 0.78], 0.015);
        m.blk(Mat::MachineLight, [0.0, 0.1, 0.392], [0.74, 1.3, 0.03], 0.01);
        m.blk(Mat::MachineLight, [0.0, 1.46, 0.392], [0.74, 0.56, 0.03], 0.01);
        m.blk(Mat::Slate, [0.28, 0.66, 0.418], [0.03, 0.2, 0.03], 0.006);
        m.blk(Mat::Screen, [-0.14, 1.74, 0.408], [0.28, 0.18, 0.012], 0.0);
        for i in 0..3 {
            m.cyl(Mat::Slate, [0.14 + i as f32 * 0.08, 1.62, 0.4], [0.14 + i as f32 * 0.08, 1.62, 0.43], 0.022, 10, 0.004);
        }
        for i in 0..5 {
            m.blk(Mat::SteelDark, [0.0, 0.2 + i as f32 * 0.05, 0.406], [0.5, 0.018, 0.012], 0.0);
        }
        m.blk(Mat::Teal, [0.0, 2.04, 0.396], [0.74, 0.03, 0.012], 0.0);
    });
    for i in 0..6 {
        s.part(id, &format!("cubicle-{}", i + 1), Xf::at(-2.05 + i as f32 * 0.82, 0.1, 0.0), &cubicle);
    }
    s.fixed(id, "cable-tray", |m| {
        m.blk(Mat::Galvanised, [0.0, 2.55, -0.1], [5.0, 0.02, 0.4], 0.0);
        for z in [-0.3, 0.1] {
            m.blk(Mat::Galvanised, [0.0, 2.55, z], [5.0, 0.1, 0.02], 0.0);
        }
        for i in 0..6 {
            let x = -2.05 + i as f32 * 0.82;
            m.bar(Mat::Rubber, [x, 2.18, -0.1], [x, 2.57, -0.1], 0.05, 8);
        }
        m.bar(Mat::Rubber, [-2.45, 2.6, -0.1], [2.45, 2.6, -0.1], 0.045, 8);
        for x in [-2.4, 0.0, 2.4] {
            m.blk(Mat::Structure, [x, 2.48, -0.25], [0.05, 0.07, 0.8], 0.0);
        }
    });
}

/// An oil-filled distribution transformer: finned tank, bushings, conservator. Front towards the placement's +Z.
fn transformer(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "transformer-01", xf);
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.0, 0.0, 0.0], [2.5, 0.12, 1.45], 0.03));
    s.fixed(id, "tank", |m| {
        for z in [-0.3, 0.3] {
            m.blk(Mat::Slate, [0.0, 0.12, z], [1.6, 0.12, 0.1], 0.01);
        }
        m.blk(Mat::MachineGrey, [0.0, 0.24, 0.0], [1.7, 1.2, 0.8], 0.03);
        m.blk(Mat::MachineGrey, [0.0, 1.44, 0.0], [1.82, 0.08, 0.92], 0.015);
    });
    s.fixed(id, "cooling-fins", |m| {
        for i in 0..15 {
            let x = -0.77 + i as f32 * 0.11;
            for z in [-0.52, 0.52] {
                m.blk(Mat::MachineGrey, [x, 0.34, z], [0.03, 1.0, 0.26], 0.0);
            }
        }
        for i in 0..5 {
            let z = -0.3 + i as f32 * 0.15;
            for x in [-0.97, 0.97] {
                m.blk(Mat::MachineGrey, [x, 0.34, z], [0.26, 1.0, 0.03], 0.0);
            }
        }
    });
    let bushing = Mesh::of(|m| {
        let mut profile = vec![(0.075, 0.0)];
        for i in 0..4 {
            let y = 0.03 + i as f32 * 0.075;
            profile.extend([(0.04, y), (0.085, y + 0.03), (0.04, y + 0.06)]);
        }
        profile.extend([(0.03, 0.4), (0.0, 0.4)]);
        m.lathe(Mat::Insulation, Xf::ID, &profile, 14);
        m.cyl(Mat::Steel, [0.0, 0.39, 0.0], [0.0, 0.48, 0.0], 0.022, 8, 0.0);
    });
    for i in 0..3 {
        s.part(id, &format!("bushing-{}", i + 1), Xf::at(-0.5 + i as f32 * 0.4, 1.52, 0.2), &bushing);
    }
    s.fixed(id, "conservator", |m| {
        m.cyl(Mat::MachineGrey, [-0.7, 1.98, -0.25], [0.7, 1.98, -0.25], 0.19, 20, 0.04);
        for x in [-0.45, 0.45] {
            m.blk(Mat::MachineGrey, [x, 1.52, -0.25], [0.08, 0.32, 0.2], 0.0);
        }
    });
    s.fixed(id, "terminal-box", |m| {
        m.blk(Mat::MachineLight, [0.62, 0.5, 0.72], [0.5, 0.7, 0.16], 0.015);
        m.beam(Mat::SteelDark, v(0.62, 0.85, 0.5), v(0.62, 0.85, 0.66), 0.2, 0.2);
    });
    s.fixed(id, "fence", |m| {
        for x in [-1.35, 1.35] {
            m.blk(Mat::Safety, [x, 0.0, 1.0], [0.06, 1.1, 0.06], 0.01);
        }
        for y in [0.5, 1.04] {
            m.blk(Mat::Safety, [0.0, y, 1.0], [2.7, 0.05, 0.03], 0.0);
        }
    });
}

//! What runs above the machines: the pipe rack along the back wall, air handling units on their platform, ducts.

use super::kit::{FINE, flange, ladder, railing};
use crate::geometry::material::Mat;
use crate::geometry::math::Xf;
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Depth of the rack's middle and its two pipe levels.
const RACK_Z: f32 = -10.75;
const LEVELS: [f32; 2] = [5.55, 6.35];

/// Adds the pipe rack (owner: the process area).
pub(crate) fn rack(s: &mut Scene, area: NodeId) {
    let id = s.twin(Some(area), "pipe-rack-01", Xf::at(0.0, 0.0, RACK_Z));
    let (x0, x1) = (-28.6, 16.9);
    let bracket = Mesh::of(|m| {
        for y in LEVELS {
            m.blk(Mat::Structure, [0.0, y - 0.12, 0.0], [0.12, 0.12, 1.5], 0.01);
        }
        m.blk(Mat::Structure, [0.0, LEVELS[0] - 0.12, 0.7], [0.1, LEVELS[1] - LEVELS[0] + 0.2, 0.1], 0.01);
        m.beam(Mat::Structure, crate::geometry::math::v(0.0, 4.9, -0.75), crate::geometry::math::v(0.0, 5.44, 0.5), 0.08, 0.08);
    });
    for i in 0..8 {
        s.part(id, &format!("bracket-{:02}", i + 1), Xf::at(-29.72 + 5.944 * (i as f32 + 0.2), 0.0, 0.0), &bracket);
    }
    let pipes: [(&str, Mat, f32, usize, f32); 9] = [
        ("product-a", Mat::Steel, -0.5, 0, 0.07),
        ("product-b", Mat::Steel, -0.25, 0, 0.06),
        ("water", Mat::PipeWater, 0.0, 0, 0.09),
        ("chilled-supply", Mat::PipeWater, 0.27, 0, 0.08),
        ("chilled-return", Mat::PipeWater, 0.5, 0, 0.08),
        ("steam", Mat::Insulation, -0.45, 1, 0.12),
        ("condensate", Mat::Insulation, -0.1, 1, 0.07),
        ("air", Mat::PipeWater, 0.15, 1, 0.06),
        ("cip", Mat::Steel, 0.42, 1, 0.06),
    ];
    for (name, mat, z, level, r) in pipes {
        s.fixed(id, name, |m| {
            let y = LEVELS[level] + r;
            // The far end turns down to the floor behind the boiler; lengths differ, as in real racks.
            let end = x1 - 0.35 * (z + 0.6) - level as f32 * 0.4;
            m.pipe(mat, &[[x0, y, z], [end, y, z]], r, 0.2, 10);
            let mut x = x0 + 2.4;
            while x < end - 1.0 {
                flange(m, Mat::SteelDark, [x, y, z], [1.0, 0.0, 0.0], r * 0.8);
                x += 11.888;
            }
        });
    }
    s.fixed(id, "expansion-loop", |m| {
        let y = LEVELS[1] + 0.12;
        m.pipe(
            Mat::Insulation,
            &[[-0.6, y, -0.45], [-0.6, y + 0.75, -0.45], [0.7, y + 0.75, -0.45], [0.7, y, -0.45]],
            0.1,
            0.24,
            10,
        );
    });
    s.fixed(id, "cable-tray", |m| {
        m.blk(Mat::Galvanised, [(x0 + x1) * 0.5, LEVELS[1] + 0.5, 0.45], [x1 - x0, 0.02, 0.4], 0.0);
        for z in [0.25, 0.65] {
            m.blk(Mat::Galvanised, [(x0 + x1) * 0.5, LEVELS[1] + 0.5, z], [x1 - x0, 0.1, 0.02], 0.0);
        }
        for i in 0..8 {
            m.blk(Mat::Structure, [-29.72 + 5.944 * (i as f32 + 0.2), LEVELS[1] - 0.02, 0.7], [0.06, 0.52, 0.06], 0.0);
        }
    });
}

/// Adds the air handling (owner: the climate area).
pub(crate) fn climate(s: &mut Scene, area: NodeId) {
    platform(s, area);
    unit(s, area, 1, Xf::at(-28.2, PLATFORM, -1.4).ry(90.0));
    unit(s, area, 2, Xf::at(-28.2, PLATFORM, 5.2).ry(90.0));
    s.fixed(area, "duct-north", |m| {
        let y = 7.62;
        m.pipe(Mat::Galvanised, &[[-28.2, 6.0, -3.47], [-28.2, y, -3.47], [-28.2, y, -10.2], [17.0, y, -10.2]], 0.36, 0.7, 18);
        for i in 0..20 {
            let x = -25.6 + i as f32 * 2.15;
            m.lathe(
                Mat::SteelDark,
                Xf::at(x, y, -10.2).rz(90.0),
                &[(0.35, -0.02), (0.385, -0.02), (0.385, 0.02), (0.35, 0.02)],
                18,
            );
        }
    });
    let nozzle = Mesh::of(|m| {
        m.lathe(Mat::Galvanised, Xf::at(0.0, -0.62, 0.0), &[(0.3, 0.0), (0.3, 0.05), (0.17, 0.2), (0.17, 0.4)], 16);
        m.lathe(Mat::Slate, Xf::at(0.0, -0.6, 0.0), &[(0.0, 0.0), (0.28, 0.0)], 16);
    });
    for i in 0..7 {
        s.part(area, &format!("diffuser-north-{}", i + 1), Xf::at(-23.45 + i as f32 * 6.45, 7.62, -10.2), &nozzle);
    }
    s.fixed(area, "duct-west", |m| {
        m.pipe(Mat::Galvanised, &[[-28.2, 6.0, 7.05], [-28.2, 7.62, 7.05]], 0.36, 0.7, 18);
        m.pipe(Mat::Galvanised, &[[-28.2, 7.62, -2.3], [-28.2, 7.62, 11.2]], 0.4, 0.7, 18);
    });
    for i in 0..4 {
        s.part(area, &format!("diffuser-west-{}", i + 1), Xf::at(-28.2, 7.62, -2.4 + i as f32 * 3.9), &nozzle);
    }
}

/// Height of the platform's floor.
const PLATFORM: f32 = 3.4;

fn platform(s: &mut Scene, area: NodeId) {
    let (x0, x1, z0, z1) = (-29.5, -26.9, -4.9, 8.8);
    s.fixed(area, "platform", |m| {
        m.blk(Mat::Galvanised, [(x0 + x1) * 0.5, PLATFORM - 0.05, (z0 + z1) * 0.5], [x1 - x0, 0.05, z1 - z0], 0.01);
        for x in [x0 + 0.1, x1 - 0.1] {
            m.blk(Mat::Structure, [x, PLATFORM - 0.27, (z0 + z1) * 0.5], [0.12, 0.22, z1 - z0], 0.01);
        }
        for i in 0..4 {
            let z = z0 + 0.15 + i as f32 * (z1 - z0 - 0.3) / 3.0;
            m.blk(Mat::Structure, [(x0 + x1) * 0.5, PLATFORM - 0.25, z], [x1 - x0 - 0.3, 0.18, 0.1], 0.0);
            for x in [x0 + 0.1, x1 - 0.1] {
                m.blk(Mat::Structure, [x, 0.0, z], [0.14, PLATFORM - 0.27, 0.14], 0.012);
                m.blk(Mat::SteelDark, [x, 0.0, z], [0.3, 0.02, 0.3], 0.0);
            }
        }
    });
    s.fixed(area, "platform-railing", |m| {
        railing(m, Mat::Safety, &[[x0, z1], [x1, z1], [x1, z0], [x0, z0]], PLATFORM);
    });
    s.fixed(area, "platform-ladder", |m| ladder(m, x1 - 0.6, z1 + 0.08, 0.0, PLATFORM, true));
}

/// A modular air handling unit, 4.8 m long along X, sections with doors, intake louvre and roof spigot.
fn unit(s: &mut Scene, area: NodeId, number: usize, xf: Xf) {
    let id = s.twin(Some(area), &format!("ahu-{number:02}"), xf);
    s.fixed(id, "base-frame", |m| {
        for z in [-0.75, 0.75] {
            m.blk(Mat::Slate, [0.0, 0.0, z], [4.8, 0.14, 0.1], 0.01);
        }
        for i in 0..4 {
            m.blk(Mat::Slate, [-2.3 + i as f32 * 1.533, 0.0, 0.0], [0.1, 0.13, 1.4], 0.0);
        }
    });
    for (i, (name, x, w)) in
        [("filter", -1.85, 1.1), ("coil", -0.72, 1.1), ("fan", 0.78, 1.86), ("outlet", 2.07, 0.66)].into_iter().enumerate()
    {
        s.fixed(id, &format!("{name}-section"), |m| {
            m.blk(Mat::MachineLight, [x, 0.14, 0.0], [w, 1.7, 1.6], 0.03);
            m.blk(Mat::MachineLight, [x, 0.26, 0.805], [w - 0.2, 1.44, 0.03], 0.012);
            for y in [0.5, 1.3] {
                m.blk(Mat::Slate, [x + w * 0.5 - 0.16, y, 0.83], [0.05, 0.1, 0.03], 0.006);
            }
            if i == 2 {
                m.cyl(Mat::Slate, [x - 0.3, 1.1, 0.8], [x - 0.3, 1.1, 0.835], 0.2, 20, 0.008);
                m.cyl(Mat::Window, [x - 0.3, 1.1, 0.83], [x - 0.3, 1.1, 0.845], 0.16, 20, 0.0);
            }
        });
    }
    s.fixed(id, "intake", |m| {
        m.blk(Mat::Slate, [-2.43, 0.3, 0.0], [0.06, 1.36, 1.3], 0.0);
        for i in 0..11 {
            m.bx(Mat::MachineGrey, Xf::at(-2.48, 0.4 + i as f32 * 0.118, 0.0).rz(40.0), [0.09, 0.012, 1.28], 0.0);
        }
    });
    s.fixed(id, "spigot", |m| {
        let x = if number == 1 { 2.07 } else { -1.85 };
        let lift = Xf::at(x, 1.84, 0.0);
        m.lathe(Mat::Galvanised, lift, &[(0.46, 0.0), (0.46, 0.05), (0.38, 0.14), (0.38, 0.8)], 18);
    });
    s.fixed(id, "drive-box", |m| {
        m.blk(Mat::Slate, [0.78 + 0.55, 0.9, 0.88], [0.36, 0.5, 0.12], FINE);
        m.blk(Mat::Screen, [0.78 + 0.55, 1.2, 0.942], [0.2, 0.1, 0.012], 0.0);
    });
}

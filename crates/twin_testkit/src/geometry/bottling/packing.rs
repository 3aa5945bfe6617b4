//! The dry half of the line: inspector, labeller, checkweigher, packer, palletizer, wrapper, scanner, robots' surroundings.

use super::conveyor::{self, BOTTLES, CRATES, TOP, drive, load_file};
use super::kit::{Bottle, FINE, SOFT, beacon, bottle, cabinet, crate_box, crate_stack, pallet, panel, wrapped_load};
use super::robot::robot;
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// The line's depth between filler and packer.
const LINE_Z: f32 = 1.6;
/// The depth of the crate conveyor.
const CRATE_Z: f32 = 6.4;

/// Adds everything of the packing area.
pub(crate) fn build(s: &mut Scene, area: NodeId) {
    let (c4, path) = conveyor::build(s, area, 4, &[[-1.2, LINE_Z], [3.6, LINE_Z]], 0.0, BOTTLES);
    load_file(s, c4, &path, Bottle::Full, 0.21, 0.1, 0.1);
    inspector(s, area, Xf::at(1.2, 0.0, LINE_Z));
    let (c5, path) = conveyor::build(s, area, 5, &[[3.6, LINE_Z], [9.1, LINE_Z]], 0.0, BOTTLES);
    load_file(s, c5, &path, Bottle::Full, 0.21, 0.1, 3.6);
    labelled(s, c5, 2.9, 12);
    drive(s, area, 3, Xf::at(8.5, 0.0, LINE_Z + 0.2));
    labeller(s, area, Xf::at(5.6, 0.0, 0.2));
    checkweigher(s, area, Xf::at(9.95, 0.0, LINE_Z));
    let (c6, path) = conveyor::build(s, area, 6, &[[10.8, LINE_Z], [13.6, LINE_Z], [13.6, 4.0]], 1.2, BOTTLES);
    load_file(s, c6, &path, Bottle::Labelled, 0.2, 0.1, 0.1);
    let (c7, path) = conveyor::build(s, area, 7, &[[13.6, 4.0], [13.6, 5.3]], 0.0, BOTTLES);
    load_file(s, c7, &path, Bottle::Labelled, 0.16, 0.05, 0.05);
    packer(s, area, Xf::at(13.6, 0.0, CRATE_Z));
    let (c8, _) = conveyor::build(s, area, 8, &[[14.9, CRATE_Z], [21.0, CRATE_Z]], 0.0, CRATES);
    for i in 0..7 {
        s.part(c8, &format!("crate-{:02}", i + 1), Xf::at(0.45 + i as f32 * 0.82, TOP, 0.0), &crate_box(true));
    }
    drive(s, area, 4, Xf::at(20.4, 0.0, CRATE_Z + 0.3));
    scanner(s, area, Xf::at(15.75, 0.0, CRATE_Z));
    palletizer(s, area, Xf::at(22.9, 0.0, CRATE_Z));
    wrapper(s, area, Xf::at(27.0, 0.0, CRATE_Z));
    robot_cells(s, area);
}

fn labelled(s: &mut Scene, id: NodeId, from: f32, count: usize) {
    let mesh = bottle(Bottle::Labelled);
    for i in 0..count {
        let x = libm::roundf((from + i as f32 * 0.21) * 1000.0) / 1000.0;
        s.part(id, &format!("bottle-{:02}", 41 + i), Xf::at(x, TOP, 0.0), &mesh);
    }
}

/// A camera gantry over the conveyor with a light box behind the bottles.
fn inspector(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "inspector-01", xf);
    s.fixed(id, "portal", |m| {
        for z in [-0.5, 0.5] {
            m.blk(Mat::MachineLight, [0.0, 0.03, z], [0.16, 2.0, 0.16], 0.02);
            m.blk(Mat::SteelDark, [0.0, 0.0, z], [0.34, 0.03, 0.34], 0.006);
        }
        m.blk(Mat::MachineLight, [0.0, 2.03, 0.0], [0.2, 0.2, 1.2], SOFT);
    });
    s.fixed(id, "camera", |m| {
        m.blk(Mat::Slate, [0.0, 1.74, 0.0], [0.16, 0.26, 0.14], 0.02);
        m.cyl(Mat::Screen, [0.0, 1.64, 0.0], [0.0, 1.74, 0.0], 0.055, 14, 0.008);
        m.cyl(Mat::SteelDark, [0.0, 1.7, 0.0], [0.0, 1.75, 0.0], 0.07, 14, 0.008);
    });
    s.fixed(id, "side-cameras", |m| {
        for z in [-0.36, 0.36] {
            m.blk(Mat::Slate, [0.0, 1.32, z], [0.13, 0.12, 0.16], 0.015);
            let inner = z - 0.11 * z.signum();
            m.cyl(Mat::Screen, [0.0, 1.38, z], [0.0, 1.38, inner], 0.04, 12, 0.006);
        }
    });
    s.fixed(id, "ring-light", |m| {
        m.torus(Mat::MachineLight, Xf::at(0.0, 1.58, 0.0), 0.15, 0.028, 20, 8);
        m.torus(Mat::Lamp, Xf::at(0.0, 1.563, 0.0), 0.15, 0.018, 20, 6);
        for x in [-0.15, 0.15] {
            m.bar(Mat::SteelDark, [x, 1.6, 0.0], [x * 0.4, 2.05, 0.0], 0.01, 5);
        }
    });
    s.fixed(id, "hood", |m| {
        m.blk(Mat::MachineGrey, [0.0, 1.22, -0.66], [1.1, 0.95, 0.22], SOFT);
        m.blk(Mat::Lamp, [0.0, 1.3, -0.545], [0.86, 0.5, 0.012], 0.0);
        m.blk(Mat::Structure, [-0.42, 0.03, -0.68], [0.08, 1.2, 0.08], 0.0);
        m.blk(Mat::Structure, [0.42, 0.03, -0.68], [0.08, 1.2, 0.08], 0.0);
        m.blk(Mat::SteelDark, [0.0, 0.0, -0.68], [1.1, 0.03, 0.24], 0.006);
    });
    s.fixed(id, "reject-pusher", |m| {
        m.cyl(Mat::Steel, [0.75, TOP + 0.1, -0.62], [0.75, TOP + 0.1, -0.26], 0.05, 12, 0.008);
        m.blk(Mat::Slate, [0.75, TOP + 0.04, -0.24], [0.12, 0.12, 0.03], 0.006);
        m.blk(Mat::SteelDark, [0.75, 0.0, -0.52], [0.08, TOP + 0.05, 0.08], 0.0);
    });
    s.fixed(id, "reject-bin", |m| {
        m.blk(Mat::MachineGrey, [0.75, 0.0, 0.6], [0.6, 0.55, 0.45], 0.03);
        m.blk(Mat::Slate, [0.75, 0.552, 0.6], [0.5, 0.012, 0.35], 0.0);
    });
    s.fixed(id, "monitor", |m| panel(m, Xf::at(-0.75, 0.0, 0.75), 1.15));
    s.fixed(id, "beacon", |m| beacon(m, [0.0, 2.23, -0.45]));
}

/// A rotary labeller behind the conveyor with two label stations.
fn labeller(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "labeller-01", xf);
    s.fixed(id, "base", |m| {
        m.blk(Mat::Slate, [0.0, 0.0, 0.0], [2.3, 0.14, 2.1], 0.02);
        m.blk(Mat::MachineLight, [0.0, 0.14, 0.0], [2.4, 0.74, 2.2], 0.05);
        m.blk(Mat::Steel, [0.0, 0.88, 0.0], [2.34, 0.05, 2.14], 0.012);
        m.blk(Mat::MachineGrey, [0.0, 0.24, 1.095], [1.8, 0.5, 0.03], 0.01);
    });
    s.fixed(id, "carousel", |m| {
        m.lathe(
            Mat::Steel,
            Xf::at(0.0, 0.93, 0.2),
            &[(0.0, 0.0), (0.74, 0.0), (0.76, 0.02), (0.76, 0.06), (0.74, 0.08), (0.0, 0.08)],
            36,
        );
        m.cyl(Mat::MachineLight, [0.0, 1.0, 0.2], [0.0, 1.9, 0.2], 0.17, 20, 0.02);
        m.lathe(
            Mat::MachineLight,
            Xf::at(0.0, 1.55, 0.2),
            &[(0.16, 0.0), (0.7, 0.02), (0.76, 0.06), (0.76, 0.16), (0.7, 0.2), (0.16, 0.3)],
            36,
        );
    });
    let plain = bottle(Bottle::Full);
    let done = bottle(Bottle::Labelled);
    let plate = Mesh::of(|m| m.cyl(Mat::SteelDark, [0.0, 0.5, 0.0], [0.0, 0.56, 0.0], 0.045, 10, 0.008));
    let centring = Mesh::of(|m| {
        m.bar(Mat::Steel, [0.0, 0.32, 0.0], [0.0, 0.57, 0.0], 0.02, 8);
        m.add(&plate, Xf::at(0.0, -0.19, 0.0));
    });
    for i in 0..12 {
        let angle = 30.0 * i as f32 + 15.0;
        let place = Xf::at(0.0, 1.01, 0.2).ry(angle).by(0.64, 0.0, 0.0);
        s.part(id, &format!("centring-{:02}", i + 1), place, &centring);
        s.part(id, &format!("bottle-{:02}", i + 1), place, if (150.0..=330.0).contains(&angle) { &plain } else { &done });
    }
    for (i, x) in [-0.85_f32, 0.85].into_iter().enumerate() {
        s.fixed(id, &format!("label-station-{}", i + 1), |m| {
            m.blk(Mat::MachineGrey, [x, 0.93, -0.72], [0.5, 0.75, 0.4], SOFT);
            m.cyl(Mat::Label, [x, 1.72, -0.72], [x, 1.9, -0.72], 0.3, 28, 0.01);
            m.cyl(Mat::Slate, [x, 1.68, -0.72], [x, 1.94, -0.72], 0.07, 12, 0.008);
            m.cyl(Mat::SteelDark, [x, 1.68, -0.72], [x, 1.705, -0.72], 0.34, 28, 0.004);
            m.cyl(Mat::Steel, [x * 0.8, 0.93, -0.42], [x * 0.8, 1.5, -0.42], 0.05, 12, 0.008);
        });
    }
    s.fixed(id, "guard", |m| {
        for x in [-1.14, 1.14] {
            for z in [-1.0, 1.0] {
                m.blk(Mat::Steel, [x, 0.93, z], [0.06, 1.35, 0.06], 0.01);
            }
            m.blk(Mat::MachineLight, [x, 2.28, 0.0], [0.1, 0.16, 2.1], 0.02);
        }
        for z in [-1.0, 1.0] {
            m.blk(Mat::MachineLight, [0.0, 2.28, z], [2.18, 0.16, 0.1], 0.02);
        }
    });
    s.fixed(id, "cabinet", |m| cabinet(m, Mat::MachineLight, [-1.7, 0.0, -0.7], [0.7, 1.9, 0.5]));
    s.fixed(id, "beacon", |m| beacon(m, [1.14, 2.44, 1.0]));
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(-1.05, 0.0, 2.1), 1.1));
}

fn checkweigher(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "checkweigher-01", xf);
    s.fixed(id, "frame", |m| {
        m.blk(Mat::Steel, [0.0, 0.62, 0.0], [1.3, 0.2, 0.5], 0.02);
        m.blk(Mat::Steel, [0.0, 0.06, 0.0], [0.5, 0.58, 0.4], 0.03);
        m.blk(Mat::Slate, [0.0, 0.0, 0.0], [0.9, 0.06, 0.6], 0.012);
    });
    for (i, x) in [-0.56_f32, 0.0, 0.56].into_iter().enumerate() {
        s.fixed(id, &format!("belt-{}", i + 1), |m| {
            m.blk(Mat::Belt, [x, TOP - 0.06, 0.0], [0.53, 0.055, 0.3], 0.02);
            for z in [-0.158, 0.158] {
                m.blk(Mat::Steel, [x, TOP - 0.08, z], [0.53, 0.07, 0.025], 0.006);
            }
            m.blk(Mat::SteelDark, [x, 0.82, 0.0], [0.12, TOP - 0.88, 0.2], 0.0);
        });
    }
    s.fixed(id, "load-cell", |m| m.blk(Mat::MachineBlue, [0.0, 0.76, 0.28], [0.3, 0.14, 0.1], FINE));
    s.fixed(id, "terminal", |m| {
        m.blk(Mat::MachineGrey, [0.0, 0.06, -0.42], [0.08, 1.6, 0.08], 0.01);
        m.blk(Mat::SteelDark, [0.0, 0.0, -0.42], [0.34, 0.06, 0.28], 0.01);
        m.bx(Mat::Slate, Xf::at(0.0, 1.76, -0.38).rx(-10.0), [0.46, 0.32, 0.1], FINE);
        m.bx(Mat::Screen, Xf::at(0.0, 1.76, -0.38).rx(-10.0).by(0.0, 0.0, 0.053), [0.38, 0.24, 0.012], 0.0);
    });
    let one = bottle(Bottle::Labelled);
    for (i, x) in [-0.5_f32, 0.02, 0.6].into_iter().enumerate() {
        s.part(id, &format!("bottle-{:02}", i + 1), Xf::at(x, TOP, 0.0), &one);
    }
}

/// A pick-and-place packer: portal with two grippers over a bottle table and a crate lane.
fn packer(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "packer-01", xf);
    s.fixed(id, "base", |m| {
        m.blk(Mat::Slate, [0.0, 0.0, 0.0], [2.5, 0.12, 2.2], 0.02);
        m.blk(Mat::MachineLight, [0.0, 0.12, 0.0], [2.6, 0.66, 2.3], 0.05);
        m.blk(Mat::Steel, [0.0, 0.78, -0.6], [2.2, 0.21, 0.9], 0.015);
        m.blk(Mat::Belt, [0.0, 0.78, 0.3], [2.5, 0.2, 0.54], 0.02);
        m.blk(Mat::MachineGrey, [0.0, 0.24, 1.145], [2.0, 0.44, 0.03], 0.01);
    });
    s.fixed(id, "portal", |m| {
        for x in [-1.16, 1.16] {
            for z in [-0.98, 0.98] {
                m.blk(Mat::MachineLight, [x, 0.78, z], [0.16, 2.0, 0.16], 0.02);
            }
            m.blk(Mat::MachineLight, [x, 2.78, 0.0], [0.2, 0.22, 2.2], 0.025);
        }
        for z in [-0.98, 0.98] {
            m.blk(Mat::MachineLight, [0.0, 2.78, z], [2.14, 0.18, 0.16], 0.025);
        }
    });
    s.fixed(id, "bridge", |m| {
        m.blk(Mat::Teal, [0.0, 2.62, -0.2], [2.3, 0.2, 0.3], SOFT);
        m.blk(Mat::Slate, [-0.55, 2.1, -0.2], [0.22, 0.6, 0.24], 0.02);
        m.blk(Mat::Slate, [0.55, 2.1, -0.2], [0.22, 0.6, 0.24], 0.02);
        m.blk(Mat::MachineBlue, [0.0, 2.78, -0.2], [0.36, 0.26, 0.3], SOFT);
    });
    let grip = Mesh::of(|m| {
        m.cyl(Mat::Steel, [0.0, 1.62, 0.0], [0.0, 2.12, 0.0], 0.05, 12, 0.0);
        m.blk(Mat::MachineGrey, [0.0, 1.54, 0.0], [0.42, 0.08, 0.32], FINE);
        for i in 0..12 {
            let (x, z) = ((i % 4) as f32 * 0.1 - 0.15, (i / 4) as f32 * 0.1 - 0.1);
            m.lathe(Mat::Slate, Xf::at(x, 1.42, z), &[(0.0, 0.0), (0.028, 0.0), (0.032, 0.05), (0.02, 0.13)], 7);
        }
    });
    for (i, x) in [-0.55_f32, 0.55].into_iter().enumerate() {
        s.part(id, &format!("gripper-{}", i + 1), Xf::at(x, 0.0, -0.2), &grip);
    }
    s.fixed(id, "bottle-table", |m| {
        let one = bottle(Bottle::Labelled);
        for i in 0..24 {
            m.add(&one, Xf::at((i % 8) as f32 * 0.2 - 0.7, 0.99, (i / 8) as f32 * 0.16 - 0.78));
        }
    });
    for i in 0..4 {
        s.part(id, &format!("crate-{:02}", i + 1), Xf::at(-0.9 + i as f32 * 0.62, 0.98, 0.3), &crate_box(i > 1));
    }
    s.fixed(id, "cabinet", |m| cabinet(m, Mat::MachineLight, [-1.8, 0.0, 0.4], [0.7, 1.9, 0.5]));
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(0.9, 0.0, 1.6), 1.1));
    s.fixed(id, "beacon", |m| beacon(m, [1.16, 3.0, 0.98]));
}

/// A reading arch over the crate conveyor.
fn scanner(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "scanner-01", xf);
    s.fixed(id, "arch", |m| {
        for z in [-0.56, 0.56] {
            m.blk(Mat::MachineGrey, [0.0, 0.03, z], [0.14, 1.7, 0.1], 0.015);
            m.blk(Mat::SteelDark, [0.0, 0.0, z], [0.3, 0.03, 0.24], 0.006);
        }
        m.blk(Mat::MachineGrey, [0.0, 1.73, 0.0], [0.16, 0.14, 1.24], 0.02);
    });
    s.fixed(id, "reader-top", |m| {
        m.blk(Mat::Slate, [0.0, 1.57, 0.0], [0.24, 0.15, 0.3], 0.02);
        m.blk(Mat::Screen, [0.0, 1.562, 0.0], [0.14, 0.012, 0.22], 0.0);
    });
    s.fixed(id, "reader-sides", |m| {
        for z in [-0.47, 0.47] {
            m.blk(Mat::Slate, [0.0, 1.12, z], [0.2, 0.24, 0.12], 0.02);
            m.blk(Mat::Screen, [0.0, 1.18, z - 0.063 * z.signum()], [0.12, 0.12, 0.012], 0.0);
        }
    });
    s.fixed(id, "controller", |m| m.blk(Mat::MachineLight, [0.0, 0.7, 0.68], [0.3, 0.4, 0.14], FINE));
}

/// A layer palletizer: tall portal, layer table, hoist with a pallet half built.
fn palletizer(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "palletizer-01", xf);
    s.fixed(id, "base", |m| m.blk(Mat::Slate, [0.0, 0.0, 0.0], [3.6, 0.08, 2.5], 0.015));
    s.fixed(id, "portal", |m| {
        for x in [-1.6, 1.6] {
            for z in [-1.08, 1.08] {
                m.blk(Mat::MachineLight, [x, 0.08, z], [0.22, 3.7, 0.22], 0.025);
            }
            m.blk(Mat::MachineLight, [x, 3.78, 0.0], [0.22, 0.24, 2.38], 0.025);
        }
        for z in [-1.08, 1.08] {
            m.blk(Mat::MachineLight, [0.0, 3.78, z], [3.0, 0.24, 0.22], 0.025);
        }
    });
    s.fixed(id, "layer-table", |m| {
        m.blk(Mat::Steel, [-0.85, TOP - 0.1, 0.0], [1.3, 0.09, 1.3], FINE);
        for i in 0..9 {
            let x = -1.42 + i as f32 * 0.142;
            m.bar(Mat::SteelDark, [x, TOP - 0.03, -0.62], [x, TOP - 0.03, 0.62], 0.03, 8);
        }
        for z in [-0.66, 0.66] {
            m.blk(Mat::Steel, [-0.85, TOP - 0.12, z], [1.3, 0.2, 0.04], 0.01);
        }
        for x in [-1.3, -0.4] {
            for z in [-0.5, 0.5] {
                m.blk(Mat::Galvanised, [x, 0.08, z], [0.07, TOP - 0.2, 0.07], 0.0);
            }
        }
    });
    crate_stack(s, id, "layer", Xf::at(-0.85, TOP, 0.0), 1);
    s.fixed(id, "gripper", |m| {
        m.blk(Mat::Teal, [0.78, 2.5, 0.0], [1.36, 0.16, 1.1], SOFT);
        for z in [-0.366, 0.366] {
            m.blk(Mat::Slate, [0.78, 2.18, z], [1.2, 0.38, 0.05], FINE);
        }
        m.blk(Mat::MachineGrey, [0.78, 2.66, 0.0], [0.4, 1.0, 0.4], SOFT);
    });
    crate_stack(s, id, "gripped-layer", Xf::at(0.78, 2.188, 0.0), 1);
    s.fixed(id, "trolley", |m| {
        m.blk(Mat::Slate, [0.78, 3.62, 0.0], [0.8, 0.3, 2.04], SOFT);
        m.cyl(Mat::MachineBlue, [0.78, 4.05, -0.3], [0.78, 4.05, 0.25], 0.15, 16, 0.02);
        m.blk(Mat::MachineBlue, [0.78, 3.9, 0.4], [0.36, 0.36, 0.34], SOFT);
    });
    s.fixed(id, "pallet", |m| pallet(m, Xf::at(0.78, 0.34, 0.0)));
    s.fixed(id, "pallet-conveyor", |m| pallet_rollers(m, 0.0, 3.2));
    crate_stack(s, id, "stack", Xf::at(0.78, 0.486, 0.0), 4);
    s.fixed(id, "cabinet", |m| cabinet(m, Mat::MachineLight, [-1.0, 0.0, 1.75], [0.9, 1.9, 0.5]));
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(0.2, 0.0, 1.8), 1.1));
    s.fixed(id, "beacon", |m| beacon(m, [1.6, 4.02, 1.08]));
}

/// A low roller bed for pallets along X, `len` metres long from `x0`.
fn pallet_rollers(m: &mut Mesh, x0: f32, len: f32) {
    for z in [-0.5, 0.5] {
        m.blk(Mat::MachineGrey, [x0 + len * 0.5, 0.1, z], [len, 0.2, 0.06], 0.01);
        for i in 0..3 {
            m.blk(Mat::Slate, [x0 + 0.15 + (len - 0.3) * i as f32 * 0.5, 0.0, z], [0.1, 0.12, 0.1], 0.0);
        }
    }
    let count = (len / 0.2) as usize;
    for i in 0..count {
        let x = x0 + (i as f32 + 0.5) * len / count as f32;
        m.bar(Mat::SteelDark, [x, 0.29, -0.47], [x, 0.29, 0.47], 0.045, 8);
    }
}

/// A stretch wrapper with a ring arm over a roller bed.
fn wrapper(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "wrapper-01", xf);
    s.fixed(id, "roller-bed", |m| pallet_rollers(m, -1.1, 3.2));
    s.fixed(id, "mast", |m| {
        m.blk(Mat::Slate, [0.0, 0.0, -1.35], [1.0, 0.1, 0.9], 0.015);
        m.blk(Mat::MachineLight, [0.0, 0.1, -1.45], [0.5, 3.1, 0.45], 0.04);
        m.blk(Mat::MachineLight, [0.0, 3.2, -0.85], [0.5, 0.32, 1.65], 0.04);
        m.cyl(Mat::MachineBlue, [0.0, 3.52, 0.0], [0.0, 3.85, 0.0], 0.16, 16, 0.02);
        m.cyl(Mat::SteelDark, [0.0, 3.06, 0.0], [0.0, 3.21, 0.0], 0.2, 18, 0.012);
    });
    s.fixed(id, "rotary-arm", |m| {
        m.blk(Mat::Teal, [0.5, 2.92, 0.35], [0.2, 0.15, 0.2], 0.02);
        m.beam(Mat::Teal, v(0.0, 2.99, 0.0), v(0.98, 2.99, 0.66), 0.18, 0.14);
        m.blk(Mat::Teal, [0.98, 0.75, 0.66], [0.14, 2.32, 0.14], 0.02);
        m.blk(Mat::Slate, [0.98, 1.2, 0.835], [0.3, 0.6, 0.24], 0.02);
        m.cyl(Mat::Film, [0.98, 1.18, 1.06], [0.98, 1.76, 1.06], 0.12, 18, 0.008);
    });
    s.fixed(id, "pallet", |m| pallet(m, Xf::at(0.0, 0.34, 0.0)));
    wrapped_load(s, id, "load", Xf::at(0.0, 0.486, 0.0), 5, false);
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(-0.95, 0.0, 1.3), 1.1));
    s.fixed(id, "beacon", |m| beacon(m, [0.0, 3.52, -1.4]));
}

/// The two robots with their pallets, light curtains and fences.
fn robot_cells(s: &mut Scene, area: NodeId) {
    robot(s, area, "robot-01", Xf::at(17.3, 0.0, 4.85), [-62.0, 20.0, 20.0, 0.0, 50.0]);
    robot(s, area, "robot-02", Xf::at(18.2, 0.0, 8.15), [24.0, 10.0, 16.0, 0.0, 64.0]);
    for (i, (x, z, layers)) in [(19.35, 4.35, 3), (20.3, 8.3, 2)].into_iter().enumerate() {
        let spot = s.part(area, &format!("robot-pallet-{}", i + 1), Xf::at(x, 0.0, z), &Mesh::of(|m| pallet(m, Xf::ID)));
        crate_stack(s, spot, &format!("robot-stack-{}", i + 1), Xf::at(0.0, 0.146, 0.0), layers);
    }
    s.fixed(area, "cell-fence", |m| {
        fence(m, &[[15.9, 3.1], [20.6, 3.1]]);
        fence(m, &[[15.9, 3.1], [15.9, 5.6]]);
    });
    s.fixed(area, "light-curtain", |m| {
        for (x, z) in [(16.6, 9.0), (21.4, 9.0)] {
            m.blk(Mat::Slate, [x, 0.0, z], [0.2, 0.03, 0.2], 0.0);
            m.blk(Mat::Safety, [x, 0.03, z], [0.1, 1.5, 0.1], 0.015);

            m.blk(Mat::Screen, [x, 0.15, z + 0.052], [0.04, 1.3, 0.012], 0.0);
        }
    });
}

/// Posts with two slim rails and a low kick plate: a fence one can see through.
fn fence(m: &mut Mesh, points: &[[f32; 2]]) {
    for w in points.windows(2) {
        let (a, b) = (v(w[0][0], 0.0, w[0][1]), v(w[1][0], 0.0, w[1][1]));
        let n = ((b - a).len() / 1.2).ceil() as i32;
        for i in 0..=n {
            let p = a.lerp(b, i as f32 / n as f32);
            m.blk(Mat::Slate, [p.x, 0.0, p.z], [0.16, 0.02, 0.16], 0.0);
            m.blk(Mat::Safety, [p.x, 0.02, p.z], [0.06, 1.5, 0.06], 0.01);
        }
        for y in [0.2, 0.5, 0.8, 1.1, 1.4] {
            m.beam(Mat::SteelDark, a + v(0.0, y, 0.0), b + v(0.0, y, 0.0), 0.015, 0.03);
        }
    }
}

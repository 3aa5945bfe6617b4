//! A six-axis robot as a chain of nodes, one per axis, in a given pose.

use super::kit::{CRATE, FINE, SOFT, crate_box};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, sin_cos};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Height of the riser below the robot.
const RISER: f32 = 0.5;
/// Length of the upper arm and of the forearm.
const LINK: f32 = 0.98;

/// Adds a robot. `pose` is in degrees: turn of the base, lean of the upper arm, pitch of the forearm below level relative to
/// the upper arm, roll of the wrist, pitch of the tool; the tool hangs straight down when lean + pitch + tool pitch is 90.
pub(crate) fn robot(s: &mut Scene, area: NodeId, id: &str, xf: Xf, pose: [f32; 5]) {
    let id = s.twin(Some(area), id, xf);
    s.fixed(id, "riser", |m| {
        m.blk(Mat::SteelDark, [0.0, 0.0, 0.0], [0.9, 0.04, 0.9], 0.008);
        m.blk(Mat::Slate, [0.0, 0.04, 0.0], [0.66, RISER - 0.08, 0.66], 0.04);
        m.blk(Mat::SteelDark, [0.0, RISER - 0.04, 0.0], [0.76, 0.04, 0.76], 0.008);
    });
    s.fixed(id, "base", |m| {
        let base = Xf::at(0.0, RISER, 0.0);
        m.lathe(
            Mat::Slate,
            base,
            &[(0.0, 0.0), (0.34, 0.0), (0.34, 0.05), (0.28, 0.08), (0.25, 0.24), (0.27, 0.28), (0.27, 0.34), (0.0, 0.34)],
            28,
        );
        m.bx(Mat::Slate, Xf::at(-0.3, RISER + 0.14, 0.0), [0.22, 0.16, 0.24], 0.02);
    });
    let one = s.part(id, "axis-1", Xf::at(0.0, RISER + 0.34, 0.0).ry(pose[0]), &Mesh::of(turret));
    let two = s.part(one, "axis-2", Xf::at(0.22, 0.42, 0.0).rz(-pose[1]), &Mesh::of(upper_arm));
    let three = s.part(two, "axis-3", Xf::at(0.0, LINK, 0.0).rz(-pose[2]), &Mesh::of(elbow));
    let four = s.part(three, "axis-4", Xf::at(0.24, 0.1, 0.0).rx(pose[3]), &Mesh::of(forearm));
    let five = s.part(four, "axis-5", Xf::at(LINK - 0.24, 0.0, 0.0).rz(-pose[4]), &Mesh::of(wrist));
    let six = s.part(five, "axis-6", Xf::at(0.15, 0.0, 0.0), &Mesh::of(flange_disc));
    s.part(six, "gripper", Xf::at(0.05, 0.0, 0.0), &Mesh::of(gripper));
    let hold = Xf::at(0.14 + CRATE[1], 0.0, 0.0).rz(90.0);
    s.part(six, "crate", hold, &crate_box(true));
    s.fixed(one, "cable-loom", |m| {
        m.pipe(Mat::Rubber, &[[-0.2, 0.1, 0.16], [-0.3, 0.5, 0.2], [-0.05, 0.95, 0.27], [0.12, 0.8, 0.27]], 0.032, 0.2, 7);
    });
}

fn turret(m: &mut Mesh) {
    m.lathe(Mat::MachineLight, Xf::ID, &[(0.0, 0.0), (0.27, 0.0), (0.29, 0.03), (0.29, 0.14), (0.24, 0.2), (0.0, 0.2)], 28);
    let side = [(-0.26, 0.1), (0.3, 0.1), (0.42, 0.36), (0.38, 0.54), (0.24, 0.62), (0.06, 0.56), (-0.1, 0.36), (-0.28, 0.3)];
    m.prism(Mat::MachineLight, Xf::ID, &side, 0.3, 0.04);
    // The motor of axis 1 stands behind, that of axis 2 lies across.
    m.cyl(Mat::Slate, [-0.17, 0.2, 0.0], [-0.17, 0.52, 0.0], 0.1, 16, 0.02);
    m.cyl(Mat::Slate, [0.22, 0.42, -0.28], [0.22, 0.42, -0.14], 0.15, 20, 0.02);
    m.cyl(Mat::Slate, [0.22, 0.42, 0.14], [0.22, 0.42, 0.19], 0.2, 24, 0.015);
}

/// A link as the hull of two circles in the XY plane.
fn hull(a: (f32, f32), ra: f32, b: (f32, f32), rb: f32) -> Vec<(f32, f32)> {
    let yaw = libm::atan2f(b.1 - a.1, b.0 - a.0).to_degrees();
    let mut out = Vec::new();
    for i in 0..=9 {
        let (s, c) = sin_cos(yaw - 90.0 + 20.0 * i as f32);
        out.push((b.0 + rb * c, b.1 + rb * s));
    }
    for i in 0..=9 {
        let (s, c) = sin_cos(yaw + 90.0 + 20.0 * i as f32);
        out.push((a.0 + ra * c, a.1 + ra * s));
    }
    out
}

fn upper_arm(m: &mut Mesh) {
    m.prism(Mat::MachineLight, Xf::at(0.0, 0.0, 0.25), &hull((0.0, 0.0), 0.19, (0.0, LINK), 0.14), 0.13, 0.03);
    m.cyl(Mat::Teal, [0.0, 0.0, 0.31], [0.0, 0.0, 0.335], 0.12, 20, 0.01);
    m.cyl(Mat::Slate, [0.0, LINK, 0.305], [0.0, LINK, 0.33], 0.09, 18, 0.01);
}

fn elbow(m: &mut Mesh) {
    m.cyl(Mat::Slate, [0.0, 0.0, 0.14], [0.0, 0.0, 0.19], 0.15, 20, 0.012);
    let side = [(-0.2, -0.08), (-0.08, -0.16), (0.12, -0.12), (0.24, -0.04), (0.24, 0.24), (-0.06, 0.26), (-0.2, 0.16)];
    m.prism(Mat::MachineLight, Xf::at(0.0, 0.0, 0.02), &side, 0.26, 0.04);
    m.cyl(Mat::Slate, [-0.42, 0.1, -0.03], [-0.18, 0.1, -0.03], 0.085, 14, 0.02);
    m.cyl(Mat::Slate, [-0.36, 0.06, 0.1], [-0.18, 0.06, 0.1], 0.06, 12, 0.015);
    m.cyl(Mat::Slate, [0.0, 0.0, -0.2], [0.0, 0.0, -0.1], 0.11, 18, 0.02);
}

fn forearm(m: &mut Mesh) {
    let along = Xf::ID.rz(-90.0);
    m.lathe(Mat::Slate, along, &[(0.0, -0.02), (0.13, -0.02), (0.13, 0.04), (0.0, 0.04)], 20);
    m.lathe(
        Mat::MachineLight,
        along,
        &[(0.0, 0.03), (0.12, 0.03), (0.125, 0.06), (0.1, 0.4), (0.09, 0.5), (0.09, 0.54), (0.0, 0.54)],
        20,
    );
    for z in [-0.085, 0.085] {
        m.prism(Mat::MachineLight, Xf::at(0.0, 0.0, z), &hull((0.5, 0.0), 0.08, (LINK - 0.24, 0.0), 0.075), 0.05, 0.012);
    }
    m.cyl(Mat::Slate, [LINK - 0.24, 0.0, 0.108], [LINK - 0.24, 0.0, 0.125], 0.055, 14, 0.006);
    m.cyl(Mat::Slate, [LINK - 0.24, 0.0, -0.125], [LINK - 0.24, 0.0, -0.108], 0.055, 14, 0.006);
}

fn wrist(m: &mut Mesh) {
    m.cyl(Mat::MachineLight, [0.0, 0.0, -0.058], [0.0, 0.0, 0.058], 0.072, 18, 0.012);
    m.cyl(Mat::MachineLight, [0.0, 0.0, 0.0], [0.13, 0.0, 0.0], 0.055, 16, 0.01);
}

fn flange_disc(m: &mut Mesh) {
    m.cyl(Mat::Slate, [-0.025, 0.0, 0.0], [0.05, 0.0, 0.0], 0.065, 18, 0.008);
}

/// A clamp gripper that holds a crate; the tool axis is +X.
fn gripper(m: &mut Mesh) {
    let [w, h, d] = CRATE;
    m.bx(Mat::MachineGrey, Xf::at(0.03, 0.0, 0.0), [0.06, w + 0.06, d * 0.7], FINE);
    for y in [-1.0_f32, 1.0] {
        m.bx(Mat::Slate, Xf::at(0.06 + h * 0.42, y * (w * 0.5 + 0.02), 0.0), [h * 0.84, 0.03, d * 0.6], 0.008);
        m.bx(Mat::Steel, Xf::at(0.075, y * 0.12, 0.0), [0.05, 0.1, 0.09], 0.008);
    }
    m.cyl(Mat::Steel, [0.0, 0.0, 0.12], [0.0, 0.0, 0.22], 0.03, 10, 0.006);
    m.bx(Mat::Teal, Xf::at(0.0, 0.0, -0.13), [0.09, 0.16, 0.1], SOFT * 0.5);
}

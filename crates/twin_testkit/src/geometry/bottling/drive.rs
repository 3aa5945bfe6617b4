//! Electric motors, centrifugal pumps and valves: the rotating and moving equipment that several areas use.

use super::kit::{FINE, flange, hand_wheel};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, sin_cos, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// A foot-mounted totally enclosed fan-cooled motor: shaft along -X, centre of the frame at height `r + 0.06`.
/// `r` is the radius over the fins.
pub(crate) fn motor(s: &mut Scene, parent: NodeId, id: &str, xf: Xf, r: f32) {
    let id = s.twin(Some(parent), id, xf);
    motor_parts(s, id, "", Xf::ID, r);
}

/// The same motor as parts of another twin; part names get `prefix`.
pub(crate) fn motor_parts(s: &mut Scene, id: NodeId, prefix: &str, xf: Xf, r: f32) {
    let y = r + 0.06;
    let len = r * 3.1;
    let axis = xf.by(0.0, y, 0.0).rz(-90.0);
    let name = |part: &str| format!("{prefix}{part}");
    s.part(id, &name("housing"), Xf::ID, &Mesh::of(|m| motor_housing(m, axis, r, len)));
    s.part(id, &name("fins"), Xf::ID, &Mesh::of(|m| motor_fins(m, axis, r, len)));
    let cowl = Mesh::of(|m| {
        m.lathe(
            Mat::Slate,
            axis,
            &[(r * 0.9, len * 0.4), (r * 1.02, len * 0.41), (r * 1.02, len * 0.56), (r * 0.8, len * 0.62), (0.0, len * 0.62)],
            20,
        );
    });
    s.part(id, &name("fan-cover"), Xf::ID, &cowl);
    let shaft = Mesh::of(|m| {
        m.cyl(
            Mat::Steel,
            axis.point(v(0.0, -len * 0.5 - 0.02, 0.0)),
            axis.point(v(0.0, -len * 0.5 - 0.16, 0.0)),
            r * 0.16,
            10,
            0.005,
        );
    });
    s.part(id, &name("shaft"), Xf::ID, &shaft);
    let fittings = Mesh::of(|m| {
        m.bx(Mat::MachineBlue, xf.by(-len * 0.12, y + r * 1.02, 0.0), [r * 0.9, r * 0.5, r * 0.8], FINE);
        m.bx(Mat::Slate, xf.by(-len * 0.12, y + r * 1.29, 0.0), [r * 0.94, 0.025, r * 0.84], 0.006);
        m.cyl(Mat::Slate, xf.point(v(-len * 0.12, y + r, r * 0.38)), xf.point(v(-len * 0.12, y + r, r * 0.58)), 0.02, 8, 0.0);
    });
    s.part(id, &name("terminal-box"), Xf::ID, &fittings);
    let feet = Mesh::of(|m| {
        for x in [-len * 0.3, len * 0.26] {
            m.bx(Mat::MachineBlue, xf.by(x, 0.02, 0.0), [0.09, 0.04, r * 2.1], 0.008);
            m.bx(Mat::MachineBlue, xf.by(x, 0.03 + r * 0.22, 0.0), [0.06, r * 0.5, r * 1.15], 0.0);
        }
    });
    s.part(id, &name("feet"), Xf::ID, &feet);
}

fn motor_housing(m: &mut Mesh, axis: Xf, r: f32, len: f32) {
    let c = r * 0.86;
    m.lathe(
        Mat::MachineBlue,
        axis,
        &[
            (0.0, -len * 0.5 - 0.03),
            (c * 0.55, -len * 0.5 - 0.03),
            (c * 0.7, -len * 0.5),
            (c, -len * 0.5 + 0.02),
            (c, len * 0.42),
            (0.0, len * 0.42),
        ],
        20,
    );
}

fn motor_fins(m: &mut Mesh, axis: Xf, r: f32, len: f32) {
    let n = 24;
    for i in 0..n {
        let angle = 360.0 * (i as f32 + 0.5) / n as f32;
        // Leave room for the terminal box on top and for the feet below.
        let height = sin_cos(angle).0;
        if !(-0.8..=0.93).contains(&height) {
            continue;
        }
        let place = axis.ry(angle);
        m.bx(Mat::MachineBlue, place.by(r * 0.9, 0.0, 0.0), [r * 0.24, len * 0.8, 0.012], 0.0);
    }
}

/// Height of a pump's shaft above the floor.
const SHAFT: f32 = 0.46;

/// A centrifugal pump on a base plate, its shaft along X, with its own motor twin beside it.
/// Suction flange at (-0.62, 0.46, 0), discharge flange at (-0.28, 0.98, -0.2) in its own space.
pub(crate) fn pump(s: &mut Scene, parent: NodeId, number: usize, xf: Xf) -> NodeId {
    let id = s.twin(Some(parent), &format!("pump-{number:02}"), xf);
    s.fixed(id, "plinth", |m| m.blk(Mat::Pad, [0.16, 0.0, 0.0], [2.0, 0.12, 0.86], 0.025));
    s.fixed(id, "base-frame", |m| {
        m.blk(Mat::Slate, [0.16, 0.12, 0.26], [1.8, 0.1, 0.09], 0.01);
        m.blk(Mat::Slate, [0.16, 0.12, -0.26], [1.8, 0.1, 0.09], 0.01);
        m.blk(Mat::Slate, [0.17, 0.205, 0.0], [1.74, 0.03, 0.6], 0.008);
    });
    s.fixed(id, "casing", casing);
    s.fixed(id, "bearing-bracket", |m| {
        let axis = Xf::at(-0.2, SHAFT, 0.0).rz(-90.0);
        m.lathe(
            Mat::Teal,
            axis,
            &[(0.17, 0.0), (0.15, 0.04), (0.09, 0.1), (0.08, 0.24), (0.1, 0.25), (0.1, 0.3), (0.05, 0.31), (0.0, 0.31)],
            16,
        );
        m.blk(Mat::Teal, [0.04, 0.22, 0.0], [0.07, 0.18, 0.2], 0.01);
    });
    s.fixed(id, "coupling-guard", |m| {
        let axis = Xf::at(0.12, SHAFT, 0.0).rz(-90.0);
        m.lathe(Mat::Safety, axis, &[(0.0, 0.0), (0.1, 0.0), (0.11, 0.01), (0.11, 0.15), (0.1, 0.16), (0.0, 0.16)], 16);
        m.blk(Mat::Safety, [0.2, 0.22, 0.0], [0.15, 0.2, 0.2], 0.01);
    });
    s.fixed(id, "gauge", |m| {
        m.bar(Mat::Steel, [-0.28, 0.62, 0.08], [-0.28, 0.82, 0.08], 0.014, 6);
        m.cyl(Mat::Steel, [-0.28, 0.86, 0.06], [-0.28, 0.86, 0.1], 0.06, 14, 0.006);
        m.cyl(Mat::Label, [-0.28, 0.86, 0.098], [-0.28, 0.86, 0.106], 0.05, 14, 0.0);
    });
    motor(s, parent, &format!("motor-{number:02}"), xf.by(0.66, 0.235, 0.0), 0.165);
    id
}

/// Volute, suction and discharge nozzles.
fn casing(m: &mut Mesh) {
    // A spiral that grows with the angle and leaves upwards on the +Z side.
    let outline: Vec<(f32, f32)> = (0..22)
        .map(|i| {
            let t = i as f32 / 21.0;
            let (s, c) = sin_cos(15.0 + 330.0 * t);
            let r = 0.19 + 0.075 * t;
            (r * c, r * s)
        })
        .collect();
    m.prism(Mat::Teal, Xf::at(-0.28, SHAFT, 0.0).ry(90.0), &outline, 0.2, 0.05);
    let axis = Xf::at(-0.28, SHAFT, 0.0).rz(90.0);
    m.lathe(Mat::Teal, axis, &[(0.2, 0.07), (0.14, 0.12), (0.085, 0.18), (0.085, 0.32)], 16);
    flange(m, Mat::Teal, [-0.6, SHAFT, 0.0], [1.0, 0.0, 0.0], 0.085);
    m.lathe(Mat::Teal, Xf::at(-0.28, SHAFT, -0.2), &[(0.09, -0.02), (0.08, 0.12), (0.07, 0.3), (0.07, 0.5)], 14);
    flange(m, Mat::Teal, [-0.28, 0.96, -0.2], [0.0, 1.0, 0.0], 0.07);
    for z in [-0.16, 0.16] {
        m.blk(Mat::Teal, [-0.28, 0.22, z], [0.14, 0.16, 0.07], 0.01);
    }
}

/// A process valve on a pipe of radius `r` along X: flanged body, yoke, and either a hand wheel or a diaphragm actuator.
pub(crate) fn valve(s: &mut Scene, parent: NodeId, number: usize, xf: Xf, r: f32, actuated: bool) {
    let id = s.twin(Some(parent), &format!("valve-{number:02}"), xf);
    s.fixed(id, "body", |m| {
        let axis = Xf::ID.rz(-90.0);
        let b = r * 1.7;
        m.lathe(Mat::MachineBlue, axis, &[(r, -0.2), (r, -0.13), (b, -0.07), (b, 0.07), (r, 0.13), (r, 0.2)], 16);
        flange(m, Mat::MachineBlue, [-0.21, 0.0, 0.0], [1.0, 0.0, 0.0], r * 1.1);
        flange(m, Mat::MachineBlue, [0.21, 0.0, 0.0], [1.0, 0.0, 0.0], r * 1.1);
        flange(m, Mat::SteelDark, [-0.255, 0.0, 0.0], [1.0, 0.0, 0.0], r * 1.1);
        flange(m, Mat::SteelDark, [0.255, 0.0, 0.0], [1.0, 0.0, 0.0], r * 1.1);
    });
    s.fixed(id, "bonnet", |m| {
        m.cyl(Mat::MachineBlue, [0.0, r * 0.8, 0.0], [0.0, r * 1.7 + 0.06, 0.0], r * 0.9, 14, 0.008);
        m.bar(Mat::Steel, [0.0, r * 1.7 + 0.04, 0.0], [0.0, r + 0.34, 0.0], 0.018, 8);
        for x in [-0.055, 0.055] {
            m.bar(Mat::SteelDark, [x, r * 1.7 + 0.04, 0.0], [x, r + 0.3, 0.0], 0.014, 6);
        }
    });
    if actuated {
        s.fixed(id, "actuator", |m| {
            m.lathe(
                Mat::MachineLight,
                Xf::at(0.0, r + 0.28, 0.0),
                &[(0.0, 0.0), (0.05, 0.0), (0.15, 0.05), (0.17, 0.07), (0.17, 0.11), (0.15, 0.13), (0.08, 0.19), (0.0, 0.2)],
                18,
            );
            m.cyl(Mat::Slate, [0.0, r + 0.47, 0.0], [0.0, r + 0.54, 0.0], 0.04, 10, 0.01);
        });
        s.fixed(id, "positioner", |m| {
            m.blk(Mat::Slate, [0.0, r + 0.12, 0.12], [0.14, 0.15, 0.09], FINE);
            m.blk(Mat::Screen, [0.0, r + 0.17, 0.168], [0.08, 0.05, 0.008], 0.0);
        });
    } else {
        s.fixed(id, "hand-wheel", |m| hand_wheel(m, Mat::Slate, Xf::at(0.0, r + 0.33, 0.0), 0.15));
    }
}

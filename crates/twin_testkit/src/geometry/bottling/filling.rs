//! The wet half of the line: depalletizer, rinser, rotary filler with its bearing, capper.

use super::conveyor::{self, BOTTLES, TOP, drive, load_bottles, load_file};
use super::filler::filler;
use super::kit::{BOTTLE_RADIUS, Bottle, FINE, SOFT, beacon, bottle, cabinet, feet, pallet, panel};
use crate::geometry::material::Mat;
use crate::geometry::math::Xf;
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// The line's depth in this half of the hall.
const LINE_Z: f32 = 4.0;

/// Adds everything of the filling area.
pub(crate) fn build(s: &mut Scene, area: NodeId) {
    depalletizer(s, area, Xf::at(-25.0, 0.0, LINE_Z));
    let (c1, path) = conveyor::build(s, area, 1, &[[-23.6, LINE_Z], [-18.0, LINE_Z]], 0.0, BOTTLES);
    load_bottles(s, c1, &path, Bottle::Empty, 0.17, 0.2, 0.1);
    drive(s, area, 1, Xf::at(-18.6, 0.0, LINE_Z + 0.2));
    rinser(s, area, Xf::at(-16.6, 0.0, LINE_Z));
    let (c2, path) = conveyor::build(s, area, 2, &[[-15.2, LINE_Z], [-4.8, LINE_Z]], 0.0, BOTTLES);
    load_file(s, c2, &path, Bottle::Empty, 0.2, 0.1, 7.1);
    full_bottles(s, c2);
    drive(s, area, 2, Xf::at(-5.4, 0.0, LINE_Z + 0.2));
    filler(s, area, Xf::at(-10.2, 0.0, 2.0));
    capper(s, area, Xf::at(-6.7, 0.0, 2.35));
    let (c3, path) = conveyor::build(s, area, 3, &[[-4.8, LINE_Z], [-3.0, LINE_Z], [-3.0, 1.6], [-1.2, 1.6]], 1.1, BOTTLES);
    load_bottles(s, c3, &path, Bottle::Full, 0.19, 0.1, 0.1);
}

/// The second half of conveyor 02 carries what left the filler and the capper.
fn full_bottles(s: &mut Scene, id: NodeId) {
    let mesh = bottle(Bottle::Full);
    for i in 0..14 {
        let x = 7.4 + i as f32 * 0.205;
        s.part(id, &format!("bottle-{:02}", 41 + i), Xf::at(libm::roundf(x * 1000.0) / 1000.0, TOP, 0.0), &mesh);
    }
}

/// Bulk glass: a layer of bottles as seen from outside (only the rim of inner layers is built).
fn glass_layer(full: bool) -> Mesh {
    let one = Mesh::of(|m| {
        let r = BOTTLE_RADIUS;
        m.lathe(Mat::BottleEmpty, Xf::ID, &[(r, 0.0), (r, 0.19), (r * 0.36, 0.25), (r * 0.34, 0.31), (0.0, 0.31)], 6);
    });
    Mesh::of(|m| {
        let (nx, nz) = (10, 7);
        for i in 0..nx {
            for k in 0..nz {
                let rim = i == 0 || k == 0 || i == nx - 1 || k == nz - 1;
                if full || rim {
                    m.add(&one, Xf::at(i as f32 * 0.112 - 0.504, 0.0, k as f32 * 0.108 - 0.324));
                }
            }
        }
        m.blk(Mat::Carton, [0.0, -0.014, 0.0], [1.16, 0.012, 0.8], 0.0);
    })
}

fn depalletizer(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "depalletizer-01", xf);
    s.fixed(id, "base", |m| {
        m.blk(Mat::Slate, [0.0, 0.0, 0.0], [2.9, 0.08, 2.5], 0.015);
        m.blk(Mat::MachineGrey, [0.0, 0.08, 0.0], [1.5, 0.22, 1.3], 0.02);
    });
    s.fixed(id, "portal", |m| {
        for x in [-1.25, 1.25] {
            for z in [-1.05, 1.05] {
                m.blk(Mat::MachineLight, [x, 0.08, z], [0.2, 3.5, 0.2], 0.025);
            }
        }
        for z in [-1.05, 1.05] {
            m.blk(Mat::MachineLight, [0.0, 3.58, z], [2.7, 0.22, 0.2], 0.025);
        }
        for x in [-1.25, 1.25] {
            m.blk(Mat::MachineLight, [x, 3.58, 0.0], [0.2, 0.22, 1.9], 0.025);
        }
    });
    s.fixed(id, "lift-carriage", |m| {
        m.blk(Mat::Teal, [0.0, 2.35, 0.0], [2.24, 0.16, 1.5], SOFT);
        for x in [-1.12, 1.12] {
            m.blk(Mat::Slate, [x, 2.2, 0.0], [0.12, 0.45, 1.7], 0.02);
        }
        for z in [-0.4, 0.4] {
            m.blk(Mat::SteelDark, [0.0, 2.2, z], [1.4, 0.15, 0.12], FINE);
        }
    });
    s.fixed(id, "hoist", |m| {
        m.blk(Mat::MachineBlue, [0.0, 3.8, 0.0], [0.6, 0.34, 0.42], SOFT);
        m.cyl(Mat::MachineBlue, [0.3, 3.97, 0.0], [0.75, 3.97, 0.0], 0.13, 16, 0.02);
        m.blk(Mat::MachineLight, [0.0, 3.7, 0.0], [0.9, 0.1, 2.0], 0.02);
        for z in [-0.5, 0.5] {
            m.bar(Mat::SteelDark, [0.0, 2.5, z], [0.0, 3.72, z], 0.018, 6);
        }
    });
    s.fixed(id, "pallet", |m| pallet(m, Xf::at(0.0, 0.3, 0.0)));
    for layer in 0..4 {
        let xf = Xf::at(0.0, 0.46 + layer as f32 * 0.335, 0.0);
        s.part(id, &format!("glass-layer-{}", layer + 1), xf, &glass_layer(layer == 3));
    }
    s.fixed(id, "sweep-table", |m| {
        m.blk(Mat::Steel, [1.0, TOP - 0.06, 0.0], [0.86, 0.05, 1.0], FINE);
        m.blk(Mat::SteelDark, [1.0, TOP - 0.2, 0.0], [0.7, 0.14, 0.8], 0.0);
    });
    s.fixed(id, "guard", |m| {
        for z in [-1.15, 1.15] {
            m.blk(Mat::Safety, [0.0, 0.5, z], [2.3, 0.05, 0.03], 0.0);
            m.blk(Mat::Safety, [0.0, 0.95, z], [2.3, 0.05, 0.03], 0.0);
        }
    });
    s.fixed(id, "cabinet", |m| cabinet(m, Mat::MachineLight, [-0.9, 0.0, 1.75], [0.8, 1.8, 0.45]));
    s.fixed(id, "beacon", |m| beacon(m, [1.25, 3.8, 1.05]));
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(0.3, 0.0, 1.75), 1.1));
}

/// A tunnel rinser with two large sight windows.
fn rinser(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "rinser-01", xf);
    s.fixed(id, "frame", |m| {
        m.blk(Mat::Steel, [0.0, 0.2, 0.0], [2.8, 0.64, 1.3], SOFT);
        feet(m, 0.0, 0.0, 1.25, 0.5, 0.2);
        m.blk(Mat::SteelDark, [0.0, 0.82, 0.0], [2.7, 0.06, 1.2], 0.0);
    });
    s.fixed(id, "hood", |m| {
        let outline = [(-0.62, 0.0), (0.62, 0.0), (0.62, 0.85), (0.42, 1.12), (-0.42, 1.12), (-0.62, 0.85)];
        m.prism(Mat::MachineLight, Xf::at(0.0, 0.88, 0.0).ry(90.0), &outline, 2.5, 0.025);
    });
    s.fixed(id, "windows", |m| {
        for x in [-0.62, 0.62] {
            for z in [-0.63, 0.63] {
                m.blk(Mat::Slate, [x, 1.02, z], [1.08, 0.64, 0.03], 0.01);
                m.blk(Mat::Window, [x, 1.08, z * 1.02], [0.96, 0.52, 0.03], 0.0);
            }
        }
    });
    s.fixed(id, "tunnel-mouths", |m| {
        for x in [-1.27, 1.27] {
            m.blk(Mat::Slate, [x, 0.96, 0.0], [0.06, 0.56, 0.52], FINE);
        }
    });
    s.fixed(id, "exhaust", |m| {
        m.lathe(
            Mat::Galvanised,
            Xf::at(-0.6, 1.98, 0.0),
            &[(0.2, 0.0), (0.2, 0.04), (0.13, 0.14), (0.13, 0.9), (0.17, 0.9), (0.17, 0.96), (0.0, 1.04)],
            16,
        );
    });
    s.fixed(id, "water-supply", |m| {
        m.pipe(
            Mat::PipeWater,
            &[[0.6, 1.9, 0.0], [0.6, 2.5, 0.0], [0.6, 2.5, -0.95], [0.6, 0.5, -0.95], [0.2, 0.5, -0.95], [0.2, 0.5, -0.6]],
            0.045,
            0.12,
            8,
        );
    });
    s.fixed(id, "control-panel", |m| panel(m, Xf::at(1.0, 0.0, 1.0), 1.1));
    s.fixed(id, "beacon", |m| beacon(m, [1.1, 1.98, -0.3]));
}

/// Outline of the capper's turret: radius and height.
const TURRET: [(f32, f32); 11] = [
    (0.24, 0.0),
    (0.2, 0.1),
    (0.2, 0.85),
    (0.58, 0.9),
    (0.62, 0.94),
    (0.62, 1.2),
    (0.58, 1.26),
    (0.3, 1.34),
    (0.3, 1.6),
    (0.2, 1.68),
    (0.0, 1.68),
];

fn capper(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.twin(Some(area), "capper-01", xf);
    s.fixed(id, "base", |m| {
        m.blk(Mat::Slate, [0.0, 0.0, 0.0], [1.9, 0.14, 2.4], 0.02);
        m.blk(Mat::Steel, [0.0, 0.14, 0.0], [2.0, 0.75, 2.5], 0.05);
        m.blk(Mat::MachineLight, [0.0, 0.24, 1.245], [1.5, 0.5, 0.03], 0.01);
        for z in [-0.55, 0.45] {
            m.blk(Mat::MachineLight, [0.995, 0.24, z], [0.03, 0.5, 0.86], 0.01);
            m.blk(Mat::Slate, [1.015, 0.48, z + 0.3], [0.025, 0.03, 0.14], 0.006);
        }
        m.blk(Mat::SteelDark, [0.0, 0.875, 0.0], [1.9, 0.03, 2.4], 0.01);
    });
    s.fixed(id, "control-box", |m| {
        m.blk(Mat::MachineGrey, [0.72, 0.89, 0.95], [0.07, 0.55, 0.07], 0.01);
        m.bx(Mat::Slate, Xf::at(0.72, 1.56, 0.98).rx(-12.0), [0.36, 0.28, 0.09], FINE);
        m.bx(Mat::Screen, Xf::at(0.72, 1.56, 0.98).rx(-12.0).by(0.0, 0.01, 0.048), [0.3, 0.2, 0.012], 0.0);
    });
    s.fixed(id, "star", |m| {
        m.cyl(Mat::MachineGrey, [0.0, 0.89, 0.2], [0.0, 0.99, 0.2], 0.62, 28, 0.015);
        m.cyl(Mat::MachineGrey, [0.0, 1.14, 0.2], [0.0, 1.17, 0.2], 0.5, 28, 0.008);
    });
    s.fixed(id, "turret", |m| {
        m.lathe(Mat::MachineLight, Xf::at(0.0, 0.98, 0.2), &TURRET, 30);
    });
    let head = Mesh::of(|m| {
        m.cyl(Mat::Steel, [0.0, 0.52, 0.0], [0.0, 0.94, 0.0], 0.05, 10, 0.01);
        m.lathe(
            Mat::Slate,
            Xf::at(0.0, 0.36, 0.0),
            &[(0.0, 0.0), (0.035, 0.0), (0.045, 0.06), (0.06, 0.1), (0.06, 0.18), (0.0, 0.18)],
            10,
        );
    });
    let capped = bottle(Bottle::Full);
    for i in 0..8 {
        let place = Xf::at(0.0, 0.99, 0.2).ry(45.0 * i as f32 + 20.0);
        s.part(id, &format!("head-{:02}", i + 1), place.by(0.5, 0.0, 0.0), &head);
        s.part(id, &format!("bottle-{:02}", i + 1), place.by(0.5, 0.0, 0.0), &capped);
    }
    s.fixed(id, "cap-chute", |m| {
        m.pipe(Mat::Steel, &[[0.35, 3.0, -0.6], [0.35, 2.75, -0.2], [0.35, 2.3, 0.55], [0.3, 1.62, 0.78]], 0.05, 0.25, 8);
    });
    s.fixed(id, "cap-hopper", |m| {
        m.lathe(Mat::Steel, Xf::at(0.35, 3.0, -0.75), &[(0.12, 0.0), (0.5, 0.35), (0.5, 0.8), (0.46, 0.8), (0.46, 0.37)], 20);
        m.lathe(Mat::Slate, Xf::at(0.35, 3.0, -0.75), &[(0.47, 0.62), (0.0, 0.66)], 20);
        for x in [-0.1, 0.8] {
            m.blk(Mat::Structure, [x, 0.89, -1.05], [0.09, 2.5, 0.09], FINE);
        }
        m.blk(Mat::Structure, [0.35, 3.3, -1.05], [1.0, 0.09, 0.09], 0.0);
    });
    s.fixed(id, "beacon", |m| beacon(m, [-0.8, 0.89, -1.0]));
}

//! The hall itself: slab, paint, two walls with windows, steel frame, lights. The near sides stay open for the camera.

use super::kit::railing;
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Paint lies this far above what is under it, so that depth buffers keep them apart.
const LAYER: f32 = 0.006;
/// Height of the walls.
const WALL: f32 = 8.6;
/// Width of one bay between two columns.
const BAY: f32 = 6.0;
/// Bays of the back wall (from the left) that hold dock doors instead of windows.
const DOCK_BAYS: [usize; 2] = [8, 9];

/// Adds the building below the hall.
pub(crate) fn build(s: &mut Scene, hall: NodeId) {
    floor(s, hall);
    walls(s, hall);
    frame(s, hall);
    lights(s, hall);
    safety(s, hall);
}

fn floor(s: &mut Scene, hall: NodeId) {
    s.fixed(hall, "floor", |m| {
        m.blk(Mat::Floor, [0.0, -0.35, 0.0], [60.6, 0.35, 24.6], 0.06);
    });
    s.fixed(hall, "floor-joints", |m| {
        for i in -4..=4 {
            let x = i as f32 * BAY;
            m.paint(Mat::FloorJoint, x - 0.02, -11.9, x + 0.02, 12.1, LAYER);
        }
        for z in [-6.0, 0.0, 6.0] {
            m.paint(Mat::FloorJoint, -29.9, z - 0.02, 30.1, z + 0.02, LAYER);
        }
    });
    s.fixed(hall, "walkways", |m| {
        m.paint(Mat::Walkway, -29.0, 9.3, 29.4, 10.9, 2.0 * LAYER);
        m.paint(Mat::Walkway, -26.8, -3.7, 17.2, -2.3, 2.0 * LAYER);
        m.paint(Mat::Walkway, -28.2, -3.7, -26.8, 9.3, 2.0 * LAYER);
    });
    s.fixed(hall, "walkway-lines", |m| {
        let y = 3.0 * LAYER;
        let mut line = |x0: f32, z0: f32, x1: f32, z1: f32| m.paint(Mat::LineWhite, x0, z0, x1, z1, y);
        line(-29.0, 10.9, 29.4, 11.0);
        line(-29.0, 9.2, -28.2, 9.3);
        line(-26.8, 9.2, 29.4, 9.3);
        line(-26.8, -2.3, 17.2, -2.2);
        line(-28.2, -3.8, 17.2, -3.7);
        line(-28.3, -3.8, -28.2, 9.3);
        line(-26.8, -2.2, -26.7, 9.2);
        line(17.2, -3.8, 17.3, -2.2);
    });
    s.fixed(hall, "zebra-crossings", |m| {
        for (x0, z0, along) in [(-24.2, 9.45, false), (16.0, -3.55, false)] {
            for i in 0..3 {
                let o = i as f32 * 0.44;
                let (dx, dz) = if along { (o, 0.0) } else { (0.0, o) };
                m.paint(Mat::LineWhite, x0 + dx, z0 + dz, x0 + dx + 1.6, z0 + dz + 0.24, 3.0 * LAYER);
            }
        }
    });
    staging(s, hall);
}

/// Painted lanes where pallets wait before the docks.
fn staging(s: &mut Scene, hall: NodeId) {
    s.fixed(hall, "staging-lanes", |m| {
        for i in 0..5 {
            let x = 18.2 + i as f32 * 2.45;
            m.paint(Mat::Safety, x - 0.05, -8.6, x + 0.05, -4.4, 2.0 * LAYER);
        }
        m.paint(Mat::Safety, 18.15, -8.7, 28.05, -8.6, 2.0 * LAYER);
    });
    s.fixed(hall, "dock-keep-clear", |m| {
        for x in [21.0, 27.0] {
            for i in 0..7 {
                let x0 = x - 1.68 + i as f32 * 0.5;
                let y = 2.0 * LAYER;
                m.prim(Mat::Safety).flat_quad([
                    v(x0, y, -9.6),
                    v(x0 + 0.22, y, -9.6),
                    v(x0 + 0.62, y, -11.0),
                    v(x0 + 0.4, y, -11.0),
                ]);
            }
        }
    });
}

fn walls(s: &mut Scene, hall: NodeId) {
    let back = s.part(hall, "wall-north", Xf::at(-30.0, 0.0, -12.15), &Mesh::new());
    for bay in 0..10 {
        wall_bay(s, back, &format!("wall-north/bay-{:02}", bay + 1), bay as f32 * BAY, DOCK_BAYS.contains(&bay));
    }
    s.fixed(back, "wall-north/coping", |m| m.blk(Mat::WallTrim, [30.0 - 0.15, WALL, 0.0], [60.9, 0.14, 0.44], 0.03));
    // Turned so that its own +X runs from the front to the back and its +Z looks into the hall.
    let left = s.part(hall, "wall-west", Xf::at(-30.15, 0.0, 12.0).ry(90.0), &Mesh::new());
    for bay in 0..4 {
        wall_bay(s, left, &format!("wall-west/bay-{:02}", bay + 1), bay as f32 * BAY, false);
    }
    s.fixed(left, "wall-west/coping", |m| m.blk(Mat::WallTrim, [11.95, WALL, 0.0], [24.1, 0.14, 0.44], 0.03));
}

/// One bay of wall in its own space: from x to x + 6, inner face at z = +0.15.
fn wall_bay(s: &mut Scene, wall: NodeId, name: &str, x: f32, door: bool) {
    let at = Xf::at(x, 0.0, 0.0);
    if door {
        // The dock door is 3.2 m wide and 3.4 m high, in the middle of the bay.
        let shell = Mesh::of(|m| {
            m.blk(Mat::Wall, [0.7, 0.0, 0.0], [1.4, WALL, 0.3], 0.0);
            m.blk(Mat::Wall, [5.3, 0.0, 0.0], [1.4, WALL, 0.3], 0.0);
            m.blk(Mat::Wall, [3.0, 3.4, 0.0], [3.2, WALL - 3.4, 0.3], 0.0);
            m.blk(Mat::WallTrim, [0.7, 0.01, 0.02], [1.38, 1.0, 0.3], 0.0);
            m.blk(Mat::WallTrim, [5.3, 0.01, 0.02], [1.38, 1.0, 0.3], 0.0);
        });
        s.part(wall, name, at, &shell);
        return;
    }
    let (sill, head, left, right) = (3.3, 7.3, 0.75, 5.25);
    let shell = Mesh::of(|m| {
        m.blk(Mat::Wall, [3.0, 0.0, 0.0], [6.0, sill, 0.3], 0.0);
        m.blk(Mat::Wall, [3.0, head, 0.0], [6.0, WALL - head, 0.3], 0.0);
        m.blk(Mat::Wall, [left * 0.5, sill, 0.0], [left, head - sill, 0.3], 0.0);
        m.blk(Mat::Wall, [6.0 - left * 0.5, sill, 0.0], [left, head - sill, 0.3], 0.0);
        m.blk(Mat::WallTrim, [3.0, 0.01, 0.02], [5.98, 1.0, 0.3], 0.0);
        m.blk(Mat::WallTrim, [3.0, sill - 0.05, 0.1], [right - left + 0.2, 0.06, 0.3], 0.015);
    });
    let shell = s.part(wall, name, at, &shell);
    let (w, h) = (right - left, head - sill);
    s.fixed(shell, &format!("{name}/glass"), |m| m.blk(Mat::Sky, [3.0, sill - 0.02, -0.04], [w + 0.04, h + 0.04, 0.03], 0.0));
    s.fixed(shell, &format!("{name}/mullions"), |m| {
        for i in 0..=3 {
            m.blk(Mat::WallTrim, [left + 0.03 + i as f32 * (w - 0.06) / 3.0, sill, -0.02], [0.06, h, 0.12], 0.012);
        }
        for i in 0..=2 {
            m.blk(Mat::WallTrim, [3.0, sill + i as f32 * (h - 0.06) / 2.0, -0.02], [w - 0.04, 0.06, 0.1], 0.012);
        }
    });
}

/// An upright I-section with base plate, web along X.
fn column(height: f32) -> Mesh {
    Mesh::of(|m| {
        m.blk(Mat::SteelDark, [0.0, 0.0, 0.0], [0.5, 0.03, 0.5], 0.006);
        m.blk(Mat::Structure, [-0.15, 0.03, 0.0], [0.03, height - 0.03, 0.3], 0.0);
        m.blk(Mat::Structure, [0.15, 0.03, 0.0], [0.03, height - 0.03, 0.3], 0.0);
        m.blk(Mat::Structure, [0.0, 0.03, 0.0], [0.28, height - 0.03, 0.02], 0.0);
        m.blk(Mat::Structure, [0.0, height, 0.0], [0.42, 0.03, 0.42], 0.006);
    })
}

fn frame(s: &mut Scene, hall: NodeId) {
    let shaft = column(8.2);
    for i in 0..=10 {
        s.part(hall, &format!("column-north-{:02}", i + 1), Xf::at(-29.72 + i as f32 * 5.944, 0.0, -11.7), &shaft);
    }
    for i in 0..4 {
        s.part(hall, &format!("column-west-{:02}", i + 1), Xf::at(-29.7, 0.0, -6.0 + i as f32 * 5.9).ry(90.0), &shaft);
    }
    s.fixed(hall, "eaves-north", |m| m.blk(Mat::Structure, [0.0, 8.23, -11.7], [59.8, 0.24, 0.18], 0.012));
    s.fixed(hall, "eaves-west", |m| m.blk(Mat::Structure, [-29.7, 8.23, -0.05], [0.18, 0.24, 23.0], 0.012));
    let truss = truss(9.4);
    for i in 0..=5 {
        s.part(hall, &format!("truss-{:02}", i + 1), Xf::at(-29.72 + i as f32 * 11.888, 8.23, -11.55), &truss);
    }
    for (i, z) in [-8.6_f32, -5.4, -2.3].into_iter().enumerate() {
        s.fixed(hall, &format!("purlin-{:02}", i + 1), |m| m.blk(Mat::Structure, [0.0, 9.12, z], [59.8, 0.16, 0.1], 0.0));
    }
}

/// A cantilevered roof truss from the wall towards the hall, `len` metres along +Z, tapering to its tip.
fn truss(len: f32) -> Mesh {
    Mesh::of(|m| {
        let panels = 6;
        let low = |i: f32| v(0.0, 0.02 + 0.5 * i / panels as f32, len * i / panels as f32);
        let high = |i: f32| v(0.0, 0.85, len * i / panels as f32);
        m.beam(Mat::Structure, low(0.0), low(panels as f32), 0.12, 0.12);
        m.beam(Mat::Structure, high(0.0) - v(0.0, 0.0, 0.1), high(panels as f32) + v(0.0, 0.0, 0.05), 0.12, 0.12);
        for i in 0..panels {
            let i = i as f32;
            m.beam(Mat::Structure, low(i), high(i), 0.07, 0.07);
            m.beam(Mat::Structure, high(i), low(i + 1.0), 0.06, 0.06);
        }
        m.beam(Mat::Structure, low(panels as f32), high(panels as f32), 0.08, 0.08);
    })
}

fn lights(s: &mut Scene, hall: NodeId) {
    let lamp = Mesh::of(|m| {
        m.blk(Mat::MachineLight, [0.0, 0.03, 0.0], [2.4, 0.07, 0.24], 0.015);
        m.blk(Mat::Lamp, [0.0, 0.0, 0.0], [2.3, 0.04, 0.18], 0.01);
        for x in [-0.9, 0.9] {
            m.bar(Mat::SteelDark, [x, 0.09, 0.0], [x, 0.98, 0.0], 0.008, 4);
        }
    });
    for row in 0..2 {
        for i in 0..10 {
            let xf = Xf::at(-26.75 + i as f32 * 5.944, 8.16, -8.6 + row as f32 * 3.2);
            s.part(hall, &format!("light-{:02}", row * 10 + i + 1), xf, &lamp);
        }
    }
}

/// Guard rails, bollards and low kerbs at the cut sides.
fn safety(s: &mut Scene, hall: NodeId) {
    let bollard = Mesh::of(|m| {
        m.cyl(Mat::Slate, [0.0, 0.0, 0.0], [0.0, 0.025, 0.0], 0.16, 14, 0.005);
        m.lathe(Mat::Safety, Xf::at(0.0, 0.02, 0.0), &[(0.085, 0.0), (0.085, 0.9), (0.06, 0.95), (0.0, 0.965)], 14);
        m.lathe(Mat::Slate, Xf::at(0.0, 0.62, 0.0), &[(0.092, 0.0), (0.092, 0.12)], 14);
    });
    let spots: [[f32; 2]; 10] = [
        [18.9, -11.2],
        [23.1, -11.2],
        [24.9, -11.2],
        [29.1, -11.2],
        [17.6, -4.2],
        [17.6, -1.8],
        [-26.3, 8.7],
        [-26.3, -1.7],
        [12.0, 8.7],
        [28.9, 8.7],
    ];
    for (i, p) in spots.into_iter().enumerate() {
        s.part(hall, &format!("bollard-{:02}", i + 1), Xf::at(p[0], 0.0, p[1]), &bollard);
    }
    let guard = Mesh::of(|m| {
        for x in [-1.9, 0.0, 1.9] {
            m.blk(Mat::Slate, [x, 0.0, 0.0], [0.2, 0.02, 0.2], 0.0);
            m.blk(Mat::Safety, [x, 0.02, 0.0], [0.1, 0.46, 0.1], 0.01);
        }
        for y in [0.18, 0.4] {
            m.bx(Mat::Safety, Xf::at(0.0, y, 0.08), [4.1, 0.12, 0.05], 0.012);
        }
    });
    for (i, x) in [-21.2_f32, -16.9, -12.6].into_iter().enumerate() {
        s.part(hall, &format!("guard-rail-{:02}", i + 1), Xf::at(x, 0.0, -4.15), &guard);
    }
    s.fixed(hall, "handrail-front", |m| {
        railing(m, Mat::Galvanised, &[[-29.4, 11.75], [-20.0, 11.75]], 0.0);
        railing(m, Mat::Galvanised, &[[20.0, 11.75], [29.4, 11.75]], 0.0);
    });
}

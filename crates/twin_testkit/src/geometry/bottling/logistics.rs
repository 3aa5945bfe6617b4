//! Docks, driverless vehicles and the pallets that wait for them.

use super::kit::{FINE, SOFT, crate_stack, pallet, wrapped_load};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, noise};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};

/// Adds docks and vehicles (owner: the packing area).
pub(crate) fn build(s: &mut Scene, area: NodeId) {
    dock(s, area, 1, Xf::at(21.0, 0.0, -12.0));
    dock(s, area, 2, Xf::at(27.0, 0.0, -12.0));
    vehicle(s, area, 1, Xf::at(22.6, 0.0, -3.4).ry(180.0), true);
    vehicle(s, area, 2, Xf::at(26.4, 0.0, 2.6).ry(-90.0), false);
    waiting(s, area);
}

/// A sectional door with leveller, buffers and guides; the hall is towards +Z.
fn dock(s: &mut Scene, area: NodeId, number: usize, xf: Xf) {
    let id = s.twin(Some(area), &format!("dock-{number:02}"), xf);
    s.fixed(id, "frame", |m| {
        for x in [-1.68, 1.68] {
            m.blk(Mat::Slate, [x, 0.0, 0.06], [0.18, 3.5, 0.16], 0.015);
        }
        m.blk(Mat::Slate, [0.0, 3.385, 0.06], [3.54, 0.2, 0.16], 0.015);
        m.blk(Mat::MachineGrey, [0.0, 3.6, 0.16], [3.3, 0.36, 0.36], SOFT);
    });
    // Door 2 stands half open.
    let lift = if number == 2 { 1.5 } else { 0.02 };
    let panel = Mesh::of(|m| {
        m.blk(Mat::MachineLight, [0.0, 0.0, 0.0], [3.16, 0.66, 0.05], 0.015);
        for y in [0.16, 0.33, 0.5] {
            m.blk(Mat::WallTrim, [0.0, y, 0.027], [3.1, 0.012, 0.012], 0.0);
        }
    });
    let glazed = Mesh::of(|m| {
        m.blk(Mat::MachineLight, [0.0, 0.0, 0.0], [3.16, 0.66, 0.05], 0.015);
        for x in [-1.1, 0.0, 1.1] {
            m.blk(Mat::Slate, [x, 0.14, 0.02], [0.78, 0.38, 0.03], 0.012);
            m.blk(Mat::Window, [x, 0.18, 0.032], [0.7, 0.3, 0.02], 0.0);
        }
    });
    for i in 0..5 {
        let y = lift + i as f32 * 0.675;
        if y + 0.66 < 3.42 {
            s.part(id, &format!("door-panel-{}", i + 1), Xf::at(0.0, y, -0.02), if i == 2 { &glazed } else { &panel });
        }
    }
    s.fixed(id, "beyond", |m| m.blk(Mat::Slate, [0.0, 0.0, -0.2], [3.2, 3.4, 0.06], 0.0));
    s.fixed(id, "leveller", |m| {
        m.blk(Mat::SteelDark, [0.0, 0.012, 1.1], [2.3, 0.018, 2.0], 0.004);
        m.blk(Mat::Steel, [0.0, 0.026, 0.22], [2.1, 0.012, 0.26], 0.0);
        for x in [-1.18, 1.18] {
            m.blk(Mat::Safety, [x, 0.012, 1.1], [0.06, 0.02, 2.0], 0.0);
        }
    });
    s.fixed(id, "wheel-guides", |m| {
        for x in [-1.45, 1.45] {
            m.cyl(Mat::Safety, [x, 0.16, 0.25], [x, 0.16, 1.6], 0.08, 12, 0.02);
            for z in [0.35, 1.5] {
                m.blk(Mat::Slate, [x, 0.0, z], [0.2, 0.14, 0.14], 0.0);
            }
        }
    });
    s.fixed(id, "control-box", |m| {
        m.blk(Mat::MachineLight, [2.05, 1.1, 0.085], [0.34, 0.5, 0.18], FINE);
        m.blk(Mat::Screen, [2.05, 1.38, 0.177], [0.2, 0.12, 0.012], 0.0);
    });
    s.fixed(id, "number-plate", |m| {
        m.blk(Mat::Slate, [0.0, 4.2, 0.025], [0.9, 0.62, 0.06], FINE);
        for i in 0..number {
            let x = (i as f32 - (number as f32 - 1.0) * 0.5) * 0.24;
            m.blk(Mat::MachineLight, [x, 4.3, 0.056], [0.1, 0.42, 0.012], 0.0);
        }
    });
}

/// A low driverless pallet carrier, driving along its +X.
fn vehicle(s: &mut Scene, area: NodeId, number: usize, xf: Xf, loaded: bool) {
    let id = s.twin(Some(area), &format!("agv-{number:02}"), xf);
    s.fixed(id, "chassis", |m| {
        m.blk(Mat::MachineLight, [0.0, 0.08, 0.0], [1.7, 0.24, 0.94], 0.05);
        m.blk(Mat::Slate, [0.0, 0.05, 0.0], [1.62, 0.08, 0.86], 0.015);
        m.blk(Mat::Teal, [0.0, 0.19, 0.0], [1.712, 0.03, 0.952], 0.0);
        m.blk(Mat::Slate, [0.0, 0.32, 0.0], [1.3, 0.03, 0.74], 0.01);
    });
    s.fixed(id, "wheels", |m| {
        for x in [-0.55, 0.55] {
            for z in [-0.4, 0.4] {
                m.cyl(Mat::Rubber, [x, 0.1, z - 0.03], [x, 0.1, z + 0.03], 0.1, 14, 0.01);
            }
        }
    });
    s.fixed(id, "scanners", |m| {
        for (x, z) in [(0.8, 0.4), (-0.8, -0.4)] {
            m.cyl(Mat::Slate, [x, 0.24, z], [x, 0.38, z], 0.075, 16, 0.012);
            m.cyl(Mat::Screen, [x, 0.3, z], [x, 0.34, z], 0.079, 16, 0.0);
        }
    });
    s.fixed(id, "mast", |m| {
        m.blk(Mat::MachineLight, [-0.78, 0.3, 0.0], [0.12, 0.5, 0.5], 0.025);
        m.blk(Mat::Screen, [-0.714, 0.56, 0.0], [0.012, 0.16, 0.26], 0.0);
    });
    if loaded {
        s.part(id, "pallet", Xf::at(0.06, 0.355, 0.0), &Mesh::of(|m| pallet(m, Xf::ID)));
        wrapped_load(s, id, "load", Xf::at(0.06, 0.501, 0.0), 4, false);
    }
}

/// Pallets in the staging lanes, fewer towards the right, and a store of empty ones.
fn waiting(s: &mut Scene, area: NodeId) {
    let board = Mesh::of(|m| pallet(m, Xf::ID));
    let mut n = 0;
    for lane in 0..4 {
        for row in 0..(3 - lane / 2) {
            n += 1;
            let turn = (noise(5, n) - 0.5) * 3.0;
            let xf = Xf::at(19.42 + lane as f32 * 2.45, 0.0, -8.0 + row as f32 * 1.3).ry(libm::roundf(turn * 10.0) / 10.0);
            let id = s.part(area, &format!("staged-pallet-{n:02}"), xf, &board);
            let (name, top) = (format!("staged-load-{n:02}"), Xf::at(0.0, 0.146, 0.0));
            if (n + lane).is_multiple_of(3) {
                crate_stack(s, id, &name, top, 4);
            } else {
                wrapped_load(s, id, &name, top, if n.is_multiple_of(2) { 5 } else { 4 }, true);
            }
        }
    }
    for stack in 0..2 {
        let base = s.part(
            area,
            &format!("empty-pallets-{}", stack + 1),
            Xf::at(25.6 + stack as f32 * 1.5, 0.0, 10.3 - 1.8),
            &Mesh::new(),
        );
        for i in 0..(9 - stack * 3) {
            let turn = (noise(9, (stack * 20 + i) as u32) - 0.5) * 4.0;
            let xf = Xf::at(0.0, i as f32 * 0.146, 0.0).ry(libm::roundf(turn * 10.0) / 10.0);
            s.part(base, &format!("empty-pallet-{}-{:02}", stack + 1, i + 1), xf, &board);
        }
    }
}

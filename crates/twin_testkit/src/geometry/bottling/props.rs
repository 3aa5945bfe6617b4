//! What makes a hall look used: glass store, cap cartons, workbench, line desk, crossover stairs, people, wall boxes.

use super::kit::{FINE, SOFT, cabinet, pallet, railing};
use crate::geometry::material::Mat;
use crate::geometry::math::{Xf, noise, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};
use crate::geometry::sweep::rounded;

/// Adds the store and stations of the filling half.
pub(crate) fn filling(s: &mut Scene, area: NodeId) {
    glass_store(s, area);
    cap_store(s, area);
    workbench(s, area, Xf::at(-17.6, 0.0, -1.4));
}

/// Adds the stations of the packing half.
pub(crate) fn packing(s: &mut Scene, area: NodeId) {
    line_desk(s, area, Xf::at(1.4, 0.0, 6.6));
    label_store(s, area, Xf::at(7.6, 0.0, 6.8));
    crossover(s, area, Xf::at(2.85, 0.0, 1.6));
}

/// Adds people, wall boxes and the vehicles' painted path.
pub(crate) fn hall(s: &mut Scene, hall: NodeId) {
    people(s, hall);
    wall_boxes(s, hall);
    s.fixed(hall, "vehicle-path", |m| {
        let track = [v(26.4, 0.0, 4.7), v(26.4, 0.0, -3.4), v(19.0, 0.0, -3.4), v(19.0, 0.0, 1.2), v(26.4, 0.0, 1.2)];
        m.rail(Mat::MachineBlue, &rounded(&track, 1.1, 6), 0.0, 0.09, -0.05, 0.014);
    });
}

/// A pallet of new bottles in film: pale layers with cartons between them.
fn glass_pallet() -> Mesh {
    Mesh::of(|m| {
        pallet(m, Xf::ID);
        for layer in 0..5 {
            let y = 0.15 + layer as f32 * 0.33;
            m.blk(Mat::BottleEmpty, [0.0, y, 0.0], [1.16, 0.31, 0.78], 0.035);
            m.blk(Mat::Carton, [0.0, y + 0.312, 0.0], [1.19, 0.014, 0.8], 0.0);
        }
        m.blk(Mat::Wood, [0.0, 1.79, 0.0], [1.2, 0.05, 0.8], 0.008);
    })
}

fn glass_store(s: &mut Scene, area: NodeId) {
    let full = glass_pallet();
    s.fixed(area, "glass-store-marking", |m| {
        for i in 0..=4 {
            m.paint(Mat::LineWhite, -23.43 + i as f32 * 1.75, 5.8, -23.35 + i as f32 * 1.75, 8.6, 0.012);
        }
        m.paint(Mat::LineWhite, -23.35, 5.8, -16.43, 5.88, 0.012);
    });
    for i in 0..8_u32 {
        let (column, row) = (i % 4, i / 4);
        if i == 6 {
            continue;
        }
        let turn = libm::roundf((noise(3, i) - 0.5) * 40.0) / 10.0;
        let xf = Xf::at(-22.52 + column as f32 * 1.75, 0.0, 6.5 + row as f32 * 1.25).ry(turn);
        s.part(area, &format!("glass-pallet-{}", i + 1), xf, &full);
    }
}

fn cap_store(s: &mut Scene, area: NodeId) {
    let board = Mesh::of(|m| pallet(m, Xf::ID));
    for (i, (x, layers)) in [(-8.6_f32, 4_usize), (-6.9, 2)].into_iter().enumerate() {
        let id = s.part(area, &format!("cap-pallet-{}", i + 1), Xf::at(x, 0.0, 7.0).ry(1.5), &board);
        let cartons = Mesh::of(|m| {
            for n in 0..layers * 6 {
                let (layer, k) = (n / 6, n % 6);
                let wobble = (noise(41, n as u32) - 0.5) * 0.02;
                let at = [
                    (k % 3) as f32 * 0.395 - 0.395 + wobble,
                    0.147 + layer as f32 * 0.305,
                    (k / 3) as f32 * 0.395 - 0.197 + wobble,
                ];
                m.blk(Mat::Carton, at, [0.385, 0.3, 0.385], 0.01);
                m.blk(Mat::Label, [at[0], at[1] + 0.1, at[2] + 0.194], [0.14, 0.09, 0.012], 0.0);
            }
        });
        s.part(id, &format!("cap-cartons-{}", i + 1), Xf::ID, &cartons);
    }
}

/// A bench with drawers, vice and monitor; its user stands at the placement's +Z side.
fn workbench(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.part(area, "workbench", xf, &Mesh::new());
    s.fixed(id, "workbench/table", |m| {
        m.blk(Mat::Wood, [0.0, 0.84, 0.0], [2.2, 0.06, 0.8], 0.012);
        for x in [-1.0, 1.0] {
            for z in [-0.32, 0.32] {
                m.blk(Mat::Slate, [x, 0.0, z], [0.07, 0.84, 0.07], 0.0);
            }
        }
        m.blk(Mat::Slate, [0.0, 0.2, -0.3], [2.0, 0.05, 0.04], 0.0);
    });
    s.fixed(id, "workbench/drawers", |m| {
        m.blk(Mat::MachineBlue, [0.6, 0.3, 0.0], [0.6, 0.545, 0.66], 0.015);
        for i in 0..3 {
            m.blk(Mat::MachineBlue, [0.6, 0.33 + i as f32 * 0.16, 0.33], [0.54, 0.14, 0.02], 0.006);
            m.blk(Mat::Steel, [0.6, 0.4 + i as f32 * 0.16, 0.345], [0.2, 0.02, 0.02], 0.0);
        }
    });
    s.fixed(id, "workbench/tool-board", |m| {
        m.blk(Mat::MachineGrey, [0.0, 0.89, -0.36], [2.1, 0.86, 0.04], 0.01);
        for i in 0..9 {
            let h = 0.16 + noise(77, i) * 0.22;
            m.blk(Mat::Steel, [-0.85 + i as f32 * 0.21, 1.5 - h, -0.325], [0.035, h, 0.02], 0.0);
        }
    });
    s.fixed(id, "workbench/vice", |m| {
        m.blk(Mat::Slate, [-0.75, 0.9, 0.22], [0.16, 0.16, 0.2], FINE);
        m.blk(Mat::Slate, [-0.75, 0.9, 0.42], [0.16, 0.16, 0.06], FINE);
        m.cyl(Mat::Steel, [-0.75, 0.97, 0.34], [-0.75, 0.97, 0.56], 0.018, 8, 0.0);
    });
}

/// The line's desk: an angled console with four screens behind a low partition.
fn line_desk(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.part(area, "line-desk", xf, &Mesh::new());
    s.fixed(id, "line-desk/plinth", |m| m.blk(Mat::Pad, [0.0, 0.0, 0.1], [5.0, 0.08, 2.9], 0.03));
    s.fixed(id, "line-desk/console", |m| {
        m.blk(Mat::MachineLight, [0.0, 0.8, -0.3], [3.0, 0.05, 0.9], 0.015);
        for x in [-1.3, 0.0, 1.3] {
            m.blk(Mat::MachineGrey, [x, 0.08, -0.36], [0.08, 0.72, 0.7], 0.01);
        }
        m.blk(Mat::MachineGrey, [0.0, 0.36, -0.68], [2.9, 0.42, 0.03], 0.0);
        m.blk(Mat::Slate, [-0.4, 0.85, -0.1], [0.5, 0.02, 0.18], 0.004);
        m.blk(Mat::Slate, [0.5, 0.85, -0.1], [0.5, 0.02, 0.18], 0.004);
    });
    for i in 0..4 {
        let x = -1.08 + i as f32 * 0.72;
        let turn = -(x * 14.0);
        let screen = Mesh::of(|m| {
            m.bx(Mat::Slate, Xf::at(0.0, 0.0, 0.0), [0.66, 0.4, 0.04], 0.01);
            m.bx(Mat::Screen, Xf::at(0.0, 0.005, 0.02), [0.62, 0.35, 0.012], 0.0);
            m.bx(Mat::Slate, Xf::at(0.0, -0.24, -0.02), [0.05, 0.14, 0.03], 0.0);
        });
        s.part(id, &format!("line-desk/screen-{}", i + 1), Xf::at(x, 1.14, -0.5).ry(libm::roundf(turn)), &screen);
    }
    s.fixed(id, "line-desk/partition", |m| {
        for x in [-2.4, -0.8, 0.8, 2.4] {
            m.blk(Mat::Steel, [x, 0.08, -1.25], [0.06, 1.2, 0.06], 0.01);
        }
        for x in [-1.6, 0.0, 1.6] {
            m.blk(Mat::MachineLight, [x, 0.14, -1.25], [1.56, 0.5, 0.03], 0.008);
            m.blk(Mat::Window, [x, 0.66, -1.25], [1.56, 0.56, 0.02], 0.0);
        }
        m.blk(Mat::Steel, [0.0, 1.24, -1.25], [4.86, 0.05, 0.06], 0.01);
    });
    s.fixed(id, "line-desk/chair", |m| {
        m.blk(Mat::Slate, [0.3, 0.5, 0.62], [0.48, 0.08, 0.46], 0.03);
        m.bx(Mat::Slate, Xf::at(0.3, 0.83, 0.85).rx(8.0), [0.44, 0.5, 0.06], 0.025);
        m.cyl(Mat::SteelDark, [0.3, 0.1, 0.62], [0.3, 0.51, 0.62], 0.035, 8, 0.0);
        for i in 0..5 {
            let arm = Xf::at(0.3, 0.108, 0.62).ry(72.0 * i as f32);
            m.bx(Mat::Slate, arm.by(0.14, 0.0, 0.0), [0.28, 0.05, 0.05], 0.01);
        }
    });
    s.fixed(id, "line-desk/cabinet", |m| cabinet(m, Mat::MachineLight, [2.05, 0.08, -0.85], [0.7, 1.5, 0.5]));
}

/// A shelf with label reels beside two trolleys.
fn label_store(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.part(area, "label-store", xf, &Mesh::new());
    s.fixed(id, "label-store/shelf", |m| {
        for x in [-1.1, 0.0, 1.1] {
            for z in [-0.3, 0.3] {
                m.blk(Mat::MachineBlue, [x, 0.0, z], [0.06, 1.9, 0.06], 0.008);
            }
        }
        for y in [0.12, 0.72, 1.32, 1.86] {
            m.blk(Mat::Galvanised, [0.0, y, 0.0], [2.2, 0.04, 0.62], 0.006);
        }
    });
    let reel = Mesh::of(|m| {
        m.cyl(Mat::Label, [0.0, 0.0, -0.11], [0.0, 0.0, 0.11], 0.23, 22, 0.012);
        m.cyl(Mat::Carton, [0.0, 0.0, -0.116], [0.0, 0.0, 0.116], 0.06, 12, 0.0);
    });
    let mut n = 0;
    for row in 0..3 {
        for i in 0..4 {
            if (row, i) == (2, 3) || (row, i) == (1, 0) {
                continue;
            }
            n += 1;
            let xf = Xf::at(-0.83 + i as f32 * 0.53 + if i > 1 { 0.08 } else { 0.0 }, 0.39 + row as f32 * 0.6, 0.05);
            s.part(id, &format!("label-store/reel-{n:02}"), xf, &reel);
        }
    }
    s.fixed(id, "label-store/trolley", |m| {
        m.blk(Mat::Galvanised, [1.95, 0.2, 0.1], [0.6, 0.05, 0.8], 0.01);
        for x in [1.72, 2.18] {
            for z in [-0.22, 0.42] {
                m.cyl(Mat::Rubber, [x - 0.02, 0.09, z], [x + 0.02, 0.09, z], 0.09, 12, 0.0);
                m.blk(Mat::SteelDark, [x, 0.12, z], [0.05, 0.08, 0.05], 0.0);
            }
        }
        m.pipe(Mat::Steel, &[[1.7, 0.24, -0.27], [1.7, 1.0, -0.27], [2.2, 1.0, -0.27], [2.2, 0.24, -0.27]], 0.018, 0.1, 6);
        m.add(&reel, Xf::at(1.95, 0.37, 0.1).rx(90.0));
        m.add(&reel, Xf::at(1.95, 0.6, 0.1).rx(90.0));
    });
}

/// Stairs over the conveyor: two flights along Z and a small landing.
fn crossover(s: &mut Scene, area: NodeId, xf: Xf) {
    let id = s.part(area, "crossover", xf, &Mesh::new());
    let (deck, half, steps) = (1.55_f32, 0.5_f32, 5_usize);
    s.fixed(id, "crossover/deck", |m| {
        m.blk(Mat::Galvanised, [0.0, deck - 0.05, 0.0], [0.8, 0.05, 2.0 * half], 0.008);
        for x in [-0.41, 0.41] {
            m.blk(Mat::Structure, [x, deck - 0.14, 0.0], [0.04, 0.14, 2.0 * half + 0.04], 0.006);
            for z in [-half + 0.03, half - 0.03] {
                m.blk(Mat::Structure, [x, 0.0, z], [0.06, deck - 0.12, 0.06], 0.006);
            }
        }
    });
    s.fixed(id, "crossover/steps", |m| {
        for side in [-1.0_f32, 1.0] {
            for i in 1..=steps {
                let y = deck * (1.0 - i as f32 / (steps + 1) as f32);
                m.blk(Mat::Galvanised, [0.0, y - 0.04, side * (half + 0.22 * i as f32 - 0.08)], [0.76, 0.04, 0.24], 0.006);
            }
            for x in [-0.41, 0.41] {
                let (top, foot) = (v(x, deck - 0.06, side * half), v(x, 0.05, side * (half + 0.22 * (steps + 1) as f32)));
                m.beam(Mat::Structure, top, foot, 0.04, 0.16);
            }
        }
    });
    s.fixed(id, "crossover/railing", |m| {
        for x in [-0.41, 0.41] {
            railing(m, Mat::Safety, &[[x, -half], [x, half]], deck);
            for side in [-1.0_f32, 1.0] {
                let (top, foot) = (v(x, deck + 1.06, side * half), v(x, 0.95, side * (half + 0.22 * (steps + 1) as f32)));
                m.cyl(Mat::Safety, top, foot, 0.022, 6, 0.0);
                m.bar(Mat::Safety, foot - v(0.0, 0.95, 0.0), foot, 0.022, 6);
            }
        }
    });
}

/// Plain figures for scale, in the colours of the building.
fn people(s: &mut Scene, hall: NodeId) {
    let figure = Mesh::of(|m| {
        for x in [-0.09, 0.09] {
            m.lathe(
                Mat::Slate,
                Xf::at(x, 0.0, 0.0),
                &[(0.0, 0.0), (0.06, 0.0), (0.065, 0.08), (0.07, 0.45), (0.095, 0.84), (0.0, 0.86)],
                10,
            );
            m.blk(Mat::Rubber, [x, 0.0, 0.05], [0.1, 0.08, 0.26], 0.02);
        }
        m.lathe(
            Mat::MachineBlue,
            Xf::at(0.0, 0.8, 0.0),
            &[(0.0, 0.0), (0.15, 0.0), (0.165, 0.1), (0.185, 0.45), (0.15, 0.6), (0.06, 0.66), (0.0, 0.67)],
            14,
        );
        for x in [-1.0_f32, 1.0] {
            m.cyl(Mat::MachineBlue, [x * 0.2, 1.37, 0.0], [x * 0.26, 1.08, 0.03], 0.055, 9, 0.02);
            m.cyl(Mat::MachineBlue, [x * 0.26, 1.1, 0.03], [x * 0.2, 0.95, 0.26], 0.045, 9, 0.018);
        }
        m.lathe(
            Mat::Carton,
            Xf::at(0.0, 1.43, 0.01),
            &[(0.05, 0.0), (0.055, 0.08), (0.09, 0.12), (0.1, 0.2), (0.085, 0.27), (0.0, 0.3)],
            12,
        );
        m.lathe(
            Mat::MachineLight,
            Xf::at(0.0, 1.62, 0.01),
            &[(0.125, 0.0), (0.112, 0.02), (0.1, 0.09), (0.05, 0.13), (0.0, 0.14)],
            14,
        );
    });
    let spots = [
        (-11.4_f32, 5.4_f32, 160.0_f32),
        (2.2, 8.6, 185.0),
        (9.0, 10.1, 95.0),
        (-20.6, -2.9, 70.0),
        (6.9, -6.3, 190.0),
        (24.4, -6.4, 300.0),
    ];
    for (i, (x, z, turn)) in spots.into_iter().enumerate() {
        s.part(hall, &format!("person-{}", i + 1), Xf::at(x, 0.0, z).ry(turn), &figure);
    }
}

/// Distribution boards and boxes on the back wall, so that it does not stay bare.
fn wall_boxes(s: &mut Scene, hall: NodeId) {
    let board = Mesh::of(|m| {
        m.blk(Mat::MachineGrey, [0.0, 0.9, 0.13], [0.7, 1.1, 0.24], 0.015);
        m.blk(Mat::MachineGrey, [0.0, 0.95, 0.25], [0.62, 1.0, 0.02], 0.006);
        m.blk(Mat::Slate, [0.24, 1.4, 0.265], [0.03, 0.12, 0.02], 0.0);
        m.bar(Mat::Galvanised, [-0.15, 2.0, 0.1], [-0.15, 8.25, 0.1], 0.03, 6);
        m.bar(Mat::Galvanised, [0.15, 2.0, 0.1], [0.15, 8.25, 0.1], 0.03, 6);
    });
    for (i, x) in [-24.5_f32, -12.5, -0.55, 5.4, 17.45].into_iter().enumerate() {
        s.part(hall, &format!("distribution-board-{}", i + 1), Xf::at(x, 0.0, -12.0), &board);
    }
    s.fixed(hall, "notice-board", |m| {
        m.blk(Mat::Slate, [-29.98, 1.1, 10.0], [0.05, 1.1, 1.8], SOFT * 0.4);
        for i in 0..3 {
            m.blk(Mat::Label, [-29.95, 1.35, 9.45 + i as f32 * 0.55], [0.012, 0.6, 0.42], 0.0);
        }
    });
}

//! Bottle and crate conveyors, straight and curved, with the goods on them.

use super::kit::{BOTTLE_RADIUS, Bottle, bottle};
use crate::geometry::material::Mat;
use crate::geometry::math::{V3, Xf, noise, v};
use crate::geometry::mesh::Mesh;
use crate::geometry::scene::{NodeId, Scene};
use crate::geometry::sweep::{Station, rounded};

/// Height of every conveyor's surface above the floor.
pub(crate) const TOP: f32 = 1.0;

/// What a conveyor looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Width of the belt, metres.
    pub(crate) width: f32,
    /// Round rollers instead of a chain (for crates).
    pub(crate) rollers: bool,
    /// Guide rails for bottles.
    pub(crate) guides: bool,
}

/// The single-lane bottle conveyor.
pub(crate) const BOTTLES: Style = Style { width: 0.34, rollers: false, guides: true };
/// The crate conveyor.
pub(crate) const CRATES: Style = Style { width: 0.52, rollers: true, guides: false };

/// A conveyor along a level polyline (world x, z); inner corners become bends of `bend` metres.
/// Returns the twin's node; the root stands at the path's first point.
pub(crate) fn build(
    s: &mut Scene,
    area: NodeId,
    number: usize,
    path: &[[f32; 2]],
    bend: f32,
    style: Style,
) -> (NodeId, Vec<Station>) {
    let origin = path[0];
    let points: Vec<V3> = path.iter().map(|p| v(p[0] - origin[0], 0.0, p[1] - origin[1])).collect();
    let stations = rounded(&points, bend, 8);
    let id = s.twin(Some(area), &format!("conveyor-{number:02}"), Xf::at(origin[0], 0.0, origin[1]));
    let half = style.width * 0.5;
    s.fixed(id, "frame", |m| {
        for side in [-half - 0.03, half + 0.03] {
            m.rail(Mat::Steel, &stations, side, 0.035, TOP - 0.2, TOP + 0.015);
        }
        m.rail(Mat::SteelDark, &stations, 0.0, style.width, TOP - 0.17, TOP - 0.14);
    });
    if style.rollers {
        s.fixed(id, "rollers", |m| rollers(m, &stations, style.width));
    } else {
        s.fixed(id, "chain", |m| chain(m, &stations, style.width));
    }
    s.fixed(id, "legs", |m| legs(m, &stations, half + 0.03));
    if style.guides {
        s.fixed(id, "guide-rails", |m| guides(m, &stations, half));
    }
    s.fixed(id, "photo-eye", |m| {
        let end = at(&stations, length(&stations) - 0.25);
        let out = end.d.cross(V3::Y).norm();
        let base = end.p + out * (half + 0.062) + v(0.0, TOP - 0.1, 0.0);
        m.beam(Mat::SteelDark, base, base + v(0.0, 0.34, 0.0), 0.03, 0.03);
        let yaw = libm::atan2f(-end.d.z, end.d.x).to_degrees();
        m.bx(Mat::Slate, Xf::to(base + v(0.0, 0.3, 0.0)).ry(yaw), [0.05, 0.08, 0.05], 0.008);
    });
    (id, stations)
}

/// Total length of a path.
pub(crate) fn length(path: &[Station]) -> f32 {
    path.windows(2).map(|w| (w[1].p - w[0].p).len()).sum()
}

/// The point `along` metres from the start of a path.
pub(crate) fn at(path: &[Station], along: f32) -> Station {
    let mut left = along.max(0.0);
    for w in path.windows(2) {
        let span = (w[1].p - w[0].p).len();
        if left <= span && span > 1e-6 {
            let t = left / span;
            return Station { p: w[0].p.lerp(w[1].p, t), d: w[0].d.lerp(w[1].d, t).norm() };
        }
        left -= span;
    }
    path.last().copied().unwrap_or(Station { p: V3::ZERO, d: v(1.0, 0.0, 0.0) })
}

/// A slat chain: one slab with fine gaps between the slats.
fn chain(m: &mut Mesh, path: &[Station], width: f32) {
    m.rail(Mat::Belt, path, 0.0, width, TOP - 0.06, TOP - 0.012);
    let total = length(path);
    let slat = 0.24;
    let count = (total / slat) as usize;
    for i in 0..count {
        let here = at(path, (i as f32 + 0.5) * total / count as f32);
        let yaw = libm::atan2f(-here.d.z, here.d.x).to_degrees();
        m.bx(
            Mat::SteelDark,
            Xf::to(here.p + v(0.0, TOP - 0.014, 0.0)).ry(yaw),
            [total / count as f32 - 0.03, 0.026, width - 0.02],
            0.0,
        );
    }
}

fn rollers(m: &mut Mesh, path: &[Station], width: f32) {
    let total = length(path);
    let count = (total / 0.13) as usize;
    for i in 0..count {
        let here = at(path, (i as f32 + 0.5) * total / count as f32);
        let out = here.d.cross(V3::Y).norm() * (width * 0.5 + 0.02);
        let mid = here.p + v(0.0, TOP - 0.036, 0.0);
        m.bar(Mat::Steel, mid - out, mid + out, 0.036, 8);
    }
}

fn legs(m: &mut Mesh, path: &[Station], half: f32) {
    let total = length(path);
    let count = (total / 1.7).ceil().max(1.0) as usize;
    for i in 0..=count {
        let inset = 0.2 + (total - 0.4) * i as f32 / count as f32;
        let here = at(path, inset);
        let out = here.d.cross(V3::Y).norm() * half;
        for side in [1.0, -1.0] {
            let foot = here.p + out * side;
            m.beam(Mat::Galvanised, foot + v(0.0, 0.03, 0.0), foot + v(0.0, TOP - 0.19, 0.0), 0.05, 0.05);
            m.lathe(Mat::SteelDark, Xf::to(foot), &[(0.06, 0.0), (0.06, 0.022), (0.03, 0.034)], 8);
        }
        let y = v(0.0, 0.32, 0.0);
        m.beam(Mat::Galvanised, here.p - out + y, here.p + out + y, 0.04, 0.04);
        let y = v(0.0, TOP - 0.22, 0.0);
        m.beam(Mat::Galvanised, here.p - out + y, here.p + out + y, 0.04, 0.06);
    }
}

fn guides(m: &mut Mesh, path: &[Station], half: f32) {
    for side in [-1.0_f32, 1.0] {
        let lateral = side * (half - 0.02);
        m.rail(Mat::Steel, path, lateral, 0.014, TOP + 0.13, TOP + 0.16);
        let total = length(path);
        let count = (total / 0.85).ceil() as usize;
        for i in 0..=count {
            let here = at(path, 0.08 + (total - 0.16) * i as f32 / count as f32);
            let out = here.d.cross(V3::Y).norm() * side;
            let low = here.p + out * (half + 0.055) + v(0.0, TOP - 0.1, 0.0);
            let high = here.p + out * (half + 0.055) + v(0.0, TOP + 0.15, 0.0);
            m.beam(Mat::SteelDark, low, high, 0.016, 0.016);
            m.beam(Mat::SteelDark, high, here.p + out * (half - 0.02) + v(0.0, TOP + 0.148, 0.0), 0.014, 0.014);
        }
    }
}

/// Puts bottles on a conveyor in two staggered files, with a little irregularity, leaving `from` and `to` metres free.
pub(crate) fn load_bottles(s: &mut Scene, id: NodeId, path: &[Station], kind: Bottle, pitch: f32, from: f32, to: f32) {
    let mesh = bottle(kind);
    let total = length(path);
    let count = ((total - from - to) / pitch).max(0.0) as usize;
    for i in 0..count {
        let jitter = (noise(17, i as u32) - 0.5) * 0.03;
        let here = at(path, from + (i as f32 + 0.5) * pitch + jitter);
        let lateral = if i % 2 == 0 { 0.062 } else { -0.062 } + (noise(23, i as u32) - 0.5) * 0.03;
        let p = here.p + here.d.cross(V3::Y).norm() * lateral;
        s.part(id, &format!("bottle-{:02}", i + 1), Xf::at(round(p.x), TOP, round(p.z)), &mesh);
    }
}

/// Puts bottles in one file at the exact pitch (for machines that need them in step).
pub(crate) fn load_file(s: &mut Scene, id: NodeId, path: &[Station], kind: Bottle, pitch: f32, from: f32, to: f32) {
    let mesh = bottle(kind);
    let total = length(path);
    let count = ((total - from - to) / pitch.max(2.0 * BOTTLE_RADIUS)).max(0.0) as usize;
    for i in 0..count {
        let here = at(path, from + (i as f32 + 0.5) * pitch);
        s.part(id, &format!("bottle-{:02}", i + 1), Xf::at(round(here.p.x), TOP, round(here.p.z)), &mesh);
    }
}

fn round(x: f32) -> f32 {
    libm::roundf(x * 1000.0) / 1000.0
}

/// The geared drive of a conveyor, hanging below its frame: a twin of its own. The motor points along the placement's +Z.
pub(crate) fn drive(s: &mut Scene, area: NodeId, number: usize, xf: Xf) {
    let id = s.twin(Some(area), &format!("conveyor-motor-{number:02}"), xf);
    s.fixed(id, "gearbox", |m| {
        m.bx(Mat::MachineBlue, Xf::at(0.0, TOP - 0.1, 0.13), [0.24, 0.26, 0.2], 0.03);
        m.cyl(Mat::SteelDark, [0.0, TOP - 0.1, 0.0], [0.0, TOP - 0.1, 0.06], 0.07, 14, 0.01);
    });
    s.fixed(id, "motor", |m| {
        let axis = Xf::at(0.0, TOP - 0.1, 0.22).rx(90.0);
        m.lathe(
            Mat::MachineBlue,
            axis,
            &[(0.13, 0.0), (0.13, 0.02), (0.095, 0.03), (0.095, 0.26), (0.115, 0.265), (0.115, 0.35), (0.08, 0.38), (0.0, 0.38)],
            16,
        );
        for i in 0..14 {
            let angle = 360.0 * (i as f32 + 0.5) / 14.0;
            m.bx(Mat::MachineBlue, axis.ry(angle).by(0.103, 0.15, 0.0), [0.03, 0.21, 0.01], 0.0);
        }
    });
    s.fixed(id, "terminal-box", |m| m.bx(Mat::Slate, Xf::at(0.0, TOP + 0.05, 0.36), [0.12, 0.1, 0.13], 0.012));
    s.fixed(id, "bracket", |m| {
        m.beam(Mat::Galvanised, v(0.0, TOP - 0.26, 0.02), v(0.0, TOP - 0.26, 0.24), 0.12, 0.03);
        m.beam(Mat::Galvanised, v(0.0, 0.03, 0.2), v(0.0, TOP - 0.27, 0.2), 0.06, 0.06);
        m.cyl(Mat::SteelDark, [0.0, 0.0, 0.2], [0.0, 0.03, 0.2], 0.07, 10, 0.008);
    });
}

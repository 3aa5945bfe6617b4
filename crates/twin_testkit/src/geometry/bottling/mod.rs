//! The bottling hall, area by area. Every twin's root node carries the twin's id; parts are named `<twin>/<part>`.

mod building;
mod conveyor;
mod drive;
mod filler;
mod filling;
mod kit;
mod logistics;
mod overhead;
mod packing;
mod process;
mod props;
mod robot;
mod skids;
mod utilities;

use super::math::Xf;
use super::scene::Scene;

/// Builds the whole hall.
pub(crate) fn build() -> Scene {
    let mut s = Scene::default();
    let hall = s.twin(None, "hall", Xf::ID);
    building::build(&mut s, hall);
    props::hall(&mut s, hall);
    let filling_line = s.twin(Some(hall), "filling-line", Xf::ID);
    filling::build(&mut s, filling_line);
    props::filling(&mut s, filling_line);
    let packing_line = s.twin(Some(hall), "packing-line", Xf::ID);
    packing::build(&mut s, packing_line);
    props::packing(&mut s, packing_line);
    logistics::build(&mut s, packing_line);
    let process_area = s.twin(Some(hall), "process", Xf::ID);
    process::build(&mut s, process_area);
    overhead::rack(&mut s, process_area);
    let supply = s.twin(Some(hall), "utilities", Xf::ID);
    utilities::build(&mut s, supply);
    let climate = s.twin(Some(hall), "climate", Xf::ID);
    overhead::climate(&mut s, climate);
    s
}

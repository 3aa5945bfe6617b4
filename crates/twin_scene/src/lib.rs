//! Site file, model files, bindings and neutral geometry.
//!
//! Holds readers that turn text and bytes of others into plain data plus findings. Refuses to open files, to read clocks
//! and to know the renderer. Start at [`site::load`], then [`bind`] and [`check`].

pub mod bind;
pub mod bvh;
pub mod check;
pub mod geometry;
pub mod glb;
pub mod import;
pub mod merge;
pub mod site;

//! Neutral geometry, its merging into few meshes, and rays into it.
//!
//! Holds what a model is once it is read ([`geometry`]), the plan of meshes that draws many parts at once ([`merge`]), which part
//! a ray hits ([`bvh`]), and a scene in pieces at several levels of detail ([`cells`]). Refuses to know file formats, site files and the renderer.

pub mod bvh;
pub mod cells;
pub mod geometry;
pub mod merge;
mod srgb;

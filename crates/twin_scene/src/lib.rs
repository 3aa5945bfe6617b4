//! Neutral geometry, its merging into few meshes, and rays into it.
//!
//! Holds what a model is once it is read ([`geometry`]), the plan of meshes that draws many parts at once ([`merge`]), and which part
//! a ray hits ([`bvh`]). Refuses to know file formats, site files and the renderer.

pub mod bvh;
pub mod geometry;
pub mod merge;

//! Readers of model files: bytes of others become neutral geometry ([`twin_scene::geometry`]) and findings.
//!
//! Refuses to open files (what stands beside a model comes from the caller), to know the renderer and to know what the nodes of a
//! model mean. Start at [`glb::load`], or with [`glb::Loader`] where a page must keep drawing.

pub mod glb;

//! Tests of twin_geometry that need whole files or the shared data.

mod container;
mod glb_corpus;
mod glb_mutated;
mod shared;

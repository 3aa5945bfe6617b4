//! Tests of twin_scene that need more than one module or the shared data.

mod glb_corpus;
mod glb_mutated;
mod shared;

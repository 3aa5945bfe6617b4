//! Site file, model files, bindings and neutral geometry.

//! Platform entry of the viewer.
fn main() {}

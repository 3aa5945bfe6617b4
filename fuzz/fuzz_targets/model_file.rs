//! Model files: an error or a model, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut beside = |_: &str| Ok(vec![0; 64]);
    drop(twin_scene::glb::load(bytes, &mut beside, &twin_scene::glb::Limits::default()));
});

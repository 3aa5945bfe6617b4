//! Site files: findings, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let site = twin_scene::site::load_bytes(bytes, "site.toml", &mut |_| Ok(b"{}".to_vec()));
    let report = twin_scene::check::check(&site, &[]);
    assert!(report.exit_code() <= 2);
});

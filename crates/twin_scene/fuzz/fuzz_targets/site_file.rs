//! Any bytes as a site file, with an import that answers with the same bytes: no panic, no hang, bounded findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twin_scene::check::check;
use twin_scene::site;

fuzz_target!(|bytes: &[u8]| {
    let site = site::load_bytes(bytes, "site.toml", &mut |_| Ok(bytes.to_vec()));
    assert!(site.diagnostics.len() <= site::diag::MAX_DIAGNOSTICS + 1);
    assert!(check(&site, &[]).exit_code() <= 2);
});

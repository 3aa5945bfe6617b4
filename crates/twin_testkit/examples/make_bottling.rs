//! Writes the demo site's geometry: `cargo run -p twin_testkit --example make_bottling [FILE]`. The same bytes every time.

use std::io::{self, Write as _};
use std::path::PathBuf;

fn main() -> io::Result<()> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/sites/bottling/hall.glb");
    let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from(default), PathBuf::from);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bytes = twin_testkit::geometry::bottling();
    std::fs::write(&path, &bytes)?;
    writeln!(io::stdout(), "{}: {} bytes", path.display(), bytes.len())
}

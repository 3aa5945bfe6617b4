//! What a file is that was given in the place of a site file, and which command takes it. Told by its first bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Bytes of the beginning that are looked at.
const LOOK: u64 = 4_096;

/// What a file is instead of a site file, and what to do with it; `None` where it may be one.
pub(crate) fn not_a_site(path: &Path, file: File) -> Option<(&'static str, String)> {
    let mut start = Vec::new();
    file.take(LOOK).read_to_end(&mut start).ok()?;
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let shown = path.display();
    let in_site = |table: &str, keys: &str| {
        format!("name it in a site.toml, under [[{table}]] with {keys} (docs/SITE.md), and give that to orrery")
    };
    let import = format!("`orrery import-samples SITE --data DIR {shown}` puts its samples into the history of a site");
    let text = std::str::from_utf8(&start).unwrap_or_else(|error| valid(&start, error.valid_up_to()));
    let text = text.trim_start_matches('\u{feff}');
    Some(match () {
        () if twin_protocol::recording::is_recording(&start) => {
            ("a recording", format!("`orrery replay {shown}` serves it, `orrery state --recording {shown}` asks it"))
        }
        () if start.starts_with(b"PAR1") => ("a Parquet table", import),
        () if start.starts_with(b"SQLite format 3\0") => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            ("a database", format!("`orrery fsck {}` checks the history in its folder", folder.display()))
        }
        () if start.starts_with(b"glTF") || ending == "gltf" => ("a 3D model", in_site("models", &format!("path = \"{shown}\""))),
        () if ["csv", "tsv"].contains(&ending.as_str()) || is_table(text) => {
            let source = in_site("sources", &format!("kind = \"csv\" and path = \"{shown}\""));
            ("a table (CSV)", format!("to have it played and checked, {source}; {import}"))
        }
        () if text.trim_start().starts_with('{') => ("JSON", "a site file is TOML; docs/SITE.md has a first one".to_owned()),
        () => return None,
    })
}

fn valid(bytes: &[u8], end: usize) -> &str {
    bytes.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The first line of a site file that says anything is `[table]` or `key = value`; that of a table has cells and is neither.
fn is_table(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| !line.starts_with(['[', '{']) && !line.contains('=') && line.contains([',', ';', '\t']))
}

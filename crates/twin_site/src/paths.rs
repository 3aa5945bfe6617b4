//! Paths in site files. Core reads no environment: the caller passes what it found there.

/// Where the reader should look for `path`: as written, or, if `shared` is given (the value of `ORRERY_SHARED`) and the path
/// goes through a folder `shared/data`, under that folder instead.
///
/// The project's own fixtures name their data as `../../../../shared/data/…`; this lets them run wherever the data lies.
pub fn with_shared(path: &str, shared: Option<&str>) -> String {
    match (shared, path.split_once("shared/data/")) {
        (Some(root), Some((before, rest))) if before.is_empty() || before.ends_with('/') => {
            format!("{}/{rest}", root.trim_end_matches('/'))
        }
        _ => path.to_owned(),
    }
}

/// Joins a folder and a relative path with `/` and takes out `.` and `a/..`; leading `..` stay.
pub fn join(folder: &str, path: &str) -> String {
    let absolute = path.starts_with('/') || (folder.starts_with('/') && !path.is_empty());
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_folder_can_be_moved() {
        for (path, shared, expected) in [
            ("../../shared/data/a/b.csv", None, "../../shared/data/a/b.csv"),
            ("../../shared/data/a/b.csv", Some("/elsewhere/"), "/elsewhere/a/b.csv"),
            ("shared/data/b.csv", Some("/x"), "/x/b.csv"),
            ("unshared/data/b.csv", Some("/x"), "unshared/data/b.csv"),
        ] {
            assert_eq!(with_shared(path, shared), expected);
        }
    }

    #[test]
    fn joining_takes_out_detours() {
        for (folder, path, expected) in [
            ("", "a.glb", "a.glb"),
            ("../x/", "a.glb", "../x/a.glb"),
            ("a/b", "../c/./d", "a/c/d"),
            ("..", "../d", "../../d"),
            ("/a", "b", "/a/b"),
        ] {
            assert_eq!(join(folder, path), expected);
        }
    }
}

//! How many connections the system lets this program have open. Each is a file to it, beside those of history.

/// Files that are kept free for history, models and the program itself.
#[cfg(unix)]
const RESERVE: u64 = 128;
/// Connections beyond this are no use to anybody here.
#[cfg(unix)]
const MOST: u64 = 1 << 17;

/// Asks the system for as many open files as it allows this program, and gives how many of them may be connections. None where
/// the system does not say.
#[cfg(unix)]
pub fn connections_possible() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(MOST).min(MOST);
    let mut files = limit.current.unwrap_or(MOST);
    if files < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }).is_ok() {
        files = wanted;
    }
    usize::try_from(files.min(MOST).saturating_sub(RESERVE).max(16)).ok()
}

/// As on Unix: elsewhere sockets are no files.
#[cfg(not(unix))]
pub fn connections_possible() -> Option<usize> {
    None
}

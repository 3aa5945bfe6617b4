//! A file that may not grow any further (`ulimit -f`, a service's `LimitFSIZE`) is a disk that is full, and no reason to be killed.

/// From here on a write beyond the limit fails with words instead of ending the program by SIGXFSZ.
///
/// Rust ignores no signal but SIGPIPE by itself. With a handler, which does nothing and stays until the program ends, the system gives
/// the error EFBIG to whoever writes. Programs that this one starts have it as it was.
#[cfg(unix)]
pub(super) fn limits_are_errors() {
    use tokio::signal::unix::{SignalKind, signal};
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    // Where it can't be had all works as before, up to that limit.
    if let Ok(runtime) = runtime {
        runtime.block_on(async { signal(kind).ok() });
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub(super) fn limits_are_errors() {}

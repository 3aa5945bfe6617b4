//! Where a table goes: a file that gets its name only when it is whole, a pipe, or standard output. Knows no rows.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes collected before the system is asked to write.
const BUFFER: usize = 256 << 10;

/// See the module's head. Dropped without [`Self::keep`], it leaves nothing behind.
pub(super) struct Output {
    target: Mutex<BufWriter<Target>>,
    /// The unfinished file and its name to be.
    names: Option<(PathBuf, PathBuf)>,
    bytes: Arc<AtomicU64>,
    reader_left: Arc<AtomicBool>,
}

enum Kind {
    File(File),
    Stdout(io::Stdout),
}

struct Target {
    kind: Kind,
    bytes: Arc<AtomicU64>,
    reader_left: Arc<AtomicBool>,
}

impl Output {
    /// Opens what `path` names; `-` is standard output. A regular file is written under another name beside it at first,
    /// anything else (a pipe, a device) straight.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut names = None;
        let kind = if path.as_os_str() == "-" {
            Kind::Stdout(io::stdout())
        } else if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            Kind::File(File::options().write(true).open(path)?)
        } else {
            let name = path.file_name().filter(|_| !path.is_dir());
            let Some(name) = name else { return Err(io::Error::other("it is a folder; name a file in it")) };
            let partial = path.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
            let file = File::create(&partial)?;
            names = Some((partial, path.to_owned()));
            Kind::File(file)
        };
        let (bytes, reader_left) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let target = Target { kind, bytes: bytes.clone(), reader_left: reader_left.clone() };
        Ok(Self { target: Mutex::new(BufWriter::with_capacity(BUFFER, target)), names, bytes, reader_left })
    }

    /// What writes to it.
    pub(super) fn writer(&self) -> OutputWriter<'_> {
        OutputWriter(self)
    }

    /// Whether whoever read a pipe or standard output has gone away.
    pub(super) fn reader_left(&self) -> bool {
        self.reader_left.load(Ordering::Relaxed)
    }

    /// Brings everything to the disk and gives the file its name; returns its bytes.
    pub(super) fn keep(mut self) -> io::Result<u64> {
        let target = self.target.get_mut().unwrap_or_else(PoisonError::into_inner);
        let flushed = target.flush();
        if let Some((partial, path)) = &self.names {
            flushed?;
            if let Kind::File(file) = &target.get_ref().kind {
                file.sync_all()?;
            }
            std::fs::rename(partial, path)?;
            self.names = None;
        } else if !self.reader_left() {
            flushed?;
        }
        Ok(self.bytes.load(Ordering::Relaxed))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((partial, _)) = &self.names {
            std::fs::remove_file(partial).ok();
        }
    }
}

/// Borrowed by the writers of rows.
pub(super) struct OutputWriter<'a>(&'a Output);

impl Write for OutputWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.target.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.target.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.kind {
            Kind::File(file) => file.write(bytes),
            Kind::Stdout(stdout) => stdout.write(bytes),
        };
        match &written {
            Ok(written) => {
                self.bytes.fetch_add(*written as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.reader_left.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::File(file) => file.flush(),
            Kind::Stdout(stdout) => stdout.flush(),
        }
    }
}

//! What can go wrong in the gateway: what, where, and what to do about it.

use std::path::PathBuf;

/// An error of the gateway, written for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A file cannot be read.
    #[error("can't read {path}; check the path and its permissions", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("can't write {path}; check the folder and the space left", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The site cannot be used at all.
    #[error("{file} can't be used: {why}; `orrery check` lists every finding")]
    Site {
        /// The site file.
        file: String,
        /// The first error in it.
        why: String,
    },
    /// A file was given in the place of a site file that is something else.
    #[error("{path} is {what}, not a site file; {help}", path = path.display())]
    NotASite {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// Which command takes it.
        help: String,
    },
    /// A source cannot be used.
    #[error("source '{id}': {why}")]
    Source {
        /// Its id.
        id: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// A clock was asked for where the recordings have one.
    #[error("this site lives in the time of its recordings; leave --clock out, or give its sources start = \"now\"")]
    ClockOfRecordings,
    /// The database of `--data` cannot be used.
    #[error("history in {path}: {what}", path = path.display())]
    Data {
        /// The database.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: rusqlite::Error,
    },
    /// The database of `--data` is not what was written.
    #[error("history in {path} is damaged: {why}; `orrery fsck {folder}` lists what is wrong, `orrery fsck --repair` saves what can be read, or restore a backup", path = path.display(), folder = path.parent().unwrap_or(path).display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The database of `--data` is not for this program, or not in its own place. Nothing is wrong with it.
    #[error("history in {path}: {why}", path = path.display())]
    Refused {
        /// The database.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// There is no database where there was one.
    #[error("{path} is missing, empty or without any table, but the folder has {found}; nothing begins from nothing beside what looks like history: put the file back under its name, restore a backup, save what its log has with `orrery fsck --repair`, or name an empty folder", path = path.display())]
    Gone {
        /// The database that is not there.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// There is no database, and nothing says that there was one.
    #[error("there is no history in {folder}: {why}; name a data folder of `orrery serve --data`", folder = folder.display())]
    NoHistory {
        /// The folder.
        folder: PathBuf,
        /// What is there instead.
        why: &'static str,
    },
    /// A copy would replace what is there.
    #[error("{path} exists already, and nothing is overwritten unasked; choose another place", path = path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The keeper of history refuses.
    #[error("history in {path}", path = path.display())]
    History {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: twin_historian::historian::KeepError,
    },
    /// A series of a data folder cannot be renamed or removed.
    #[error("history in {folder}: {why}", folder = folder.display())]
    Series {
        /// The data folder.
        folder: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// A publication can't be made, or the folder of one is not what it should be.
    #[error("publication {path}", path = path.display())]
    Publication {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what to do.
        #[source]
        source: twin_publication::PublicationError,
    },
    /// Another server writes to the data folder.
    #[error("another server uses this data folder (it holds {path}); stop it, or give this one another --data", path = path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The access file cannot be used.
    #[error("access file {path}: {why}", path = path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// A recording cannot be used.
    #[error("recording {path}: {why}", path = path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The address cannot be listened on.
    #[error("can't listen on {address}; {}", listening(source))]
    Listen {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A stream from another gateway ended or made no sense.
    #[error("stream of {url}: {why}")]
    Stream {
        /// The gateway.
        url: String,
        /// What happened.
        why: String,
    },
    /// The viewer's page cannot be used.
    #[error("the viewer's page can't be laid beside the publication: {why}; --web names the folder of a built one")]
    Page {
        /// What is wrong.
        why: String,
    },
    /// An export file cannot be used.
    #[error("table {path}: {why}", path = path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
}

impl GatewayError {
    /// The words of this error with those of what it comes from, for where nobody prints the chain.
    pub(crate) fn in_full(&self) -> String {
        std::error::Error::source(self).map_or_else(|| self.to_string(), |why| format!("{self}: {why}"))
    }
}

/// What to do where an address cannot be listened on.
fn listening(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::AddrInUse => "another server is running there; stop it, or choose another port with --listen",
        ErrorKind::PermissionDenied => "the system does not allow it; choose a port from 1024 on with --listen",
        ErrorKind::AddrNotAvailable => {
            "this machine does not have that address; write 127.0.0.1:PORT, or 0.0.0.0:PORT for every address it has"
        }
        _ => "write an address and a port, like --listen 127.0.0.1:7077",
    }
}

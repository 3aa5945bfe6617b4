//! The audit log: who managed what, who was refused, when the tokens changed. One line of JSON each, only ever appended;
//! bounded by setting the full file aside once. Tokens are never in it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::GatewayError;

/// Bytes after which the log is set aside as FILE.1, which replaces an older FILE.1.
const BYTES: u64 = 16 << 20;

/// Something worth writing down.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Name of the token; empty where nobody was recognised, or the gateway itself did it.
    pub who: &'a str,
    /// From where.
    pub address: Option<IpAddr>,
    /// What was done or tried; at most some hundred bytes of it are kept.
    pub what: &'a str,
    /// The answer's HTTP status; 0 where there was none.
    pub status: u16,
}

/// Where events go: a file, or the tracing target `orrery::audit`.
#[derive(Debug, Default)]
pub struct Audit(Option<Mutex<Log>>);

#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
    most: u64,
}

impl Audit {
    /// Appends to a file.
    ///
    /// # Errors
    /// Where it can't be written: a gateway that shall keep an audit log does not start without.
    pub fn to_file(path: &Path) -> Result<Self, GatewayError> {
        Self::bounded(path, BYTES)
    }

    fn bounded(path: &Path, most: u64) -> Result<Self, GatewayError> {
        let failed = |source| GatewayError::Write { path: path.to_owned(), source };
        let file = append(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Self(Some(Mutex::new(Log { path: path.to_owned(), file, bytes, most }))))
    }

    /// Writes an event down. What can't be written is on the terminal: the plant's data goes on, and people must know.
    pub fn write(&self, event: &Event<'_>) {
        let what: String = event.what.chars().take(300).collect();
        tracing::info!(target: "orrery::audit", who = event.who, address = ?event.address, status = event.status, "{what}");
        let Some(log) = &self.0 else { return };
        let mut line = serde_json::json!({ "time": crate::clock::wall().to_string(), "who": event.who, "what": what });
        if let Some(fields) = line.as_object_mut() {
            fields.extend(event.address.map(|ip| ("address".to_owned(), ip.to_string().into())));
            fields.extend((event.status > 0).then(|| ("status".to_owned(), event.status.into())));
        }
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = log.append(&format!("{line}\n")) {
            crate::term::warn(&format!("the audit log {} can't be written: {error}", log.path.display()));
        }
    }
}

impl Log {
    fn append(&mut self, line: &str) -> std::io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.most {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            std::fs::rename(&self.path, aside)?;
            self.file = append(&self.path)?;
            self.bytes = 0;
        }
        self.file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_appended_to_and_never_grows_beyond_two_files() {
        let folder = std::env::temp_dir().join(format!("orrery-audit-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("audit.jsonl");
        std::fs::write(&path, "{\"before\":1}\n").unwrap();
        let audit = Audit::bounded(&path, 1_000).unwrap();
        for n in 0..100 {
            let what = format!("{n} {}\n\"", "x".repeat(400));
            audit.write(&Event { who: "me", address: Some("10.0.0.1".parse().unwrap()), what: &what, status: 200 });
        }
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        let (now, aside) = (text(&path), text(&folder.join("audit.jsonl.1")));
        assert!(now.len() <= 1_000 && aside.len() <= 1_000);
        for line in now.lines().chain(aside.lines()) {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!((&json["who"], &json["address"], &json["status"]), (&"me".into(), &"10.0.0.1".into(), &200.into()));
        }
        assert!(now.lines().last().unwrap().contains("\"99 x"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

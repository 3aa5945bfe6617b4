//! The site as the gateway serves it: fetched, read, and held with what was wrong in it.

use std::collections::BTreeMap;

use serde_json::Value;
use twin_site::LoadedSite;

use crate::platform::{Fetch, FetchState, Waker};

/// Where a model file is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedFile {
    /// Path as the site file writes it.
    pub path: String,
    /// Address below the gateway; empty where it is missing.
    pub url: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Why it can't be had.
    pub missing: Option<String>,
}

/// A site with the addresses of its models.
#[derive(Debug)]
pub struct ServedSite {
    /// Changes whenever anything of the site changes.
    pub hash: String,
    /// The site.
    pub site: LoadedSite,
    /// Its model files.
    pub files: Vec<ServedFile>,
}

/// The download of a site.
pub struct SiteJob {
    fetch: Option<Fetch>,
    seen: (u64, Option<u64>),
    failed: Option<String>,
}

impl SiteJob {
    /// Starts it.
    pub fn start(base: &str, waker: Waker) -> Self {
        Self { fetch: Some(Fetch::start(&format!("{base}/api/site"), waker)), seen: (0, None), failed: None }
    }

    /// Why it failed, if it did.
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Bytes so far and in all.
    pub fn seen(&self) -> (u64, Option<u64>) {
        self.seen
    }

    /// The site, once.
    pub fn poll(&mut self) -> Option<ServedSite> {
        match self.fetch.as_ref()?.poll() {
            FetchState::Running { seen, total } => self.seen = (seen, total),
            FetchState::Taken => {}
            FetchState::Failed(why) => {
                self.fetch = None;
                self.failed = Some(why);
            }
            FetchState::Done(bytes) => {
                self.fetch = None;
                match read(&bytes) {
                    Ok(served) => return Some(served),
                    Err(why) => self.failed = Some(why),
                }
            }
        }
        None
    }
}

/// Reads the body of `/api/site` (docs/PROTOCOL.md).
fn read(bytes: &[u8]) -> Result<ServedSite, String> {
    let json: Value = serde_json::from_slice(bytes).map_err(|error| format!("the server's answer is not JSON: {error}"))?;
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    let toml = text("toml").ok_or("the server's answer holds no site file; is it an Orrery gateway?")?;
    let name = text("file").unwrap_or_else(|| "site.toml".to_owned());
    let files: BTreeMap<&str, &str> = json["files"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(path, content)| Some((path.as_str(), content.as_str()?)))
        .collect();
    let mut read_file = |path: &str| {
        let content = files.get(path).ok_or_else(|| "the server did not send it".to_owned())?;
        Ok(content.as_bytes().to_vec())
    };
    let site = twin_site::load(&toml, &name, &mut read_file);
    let listed = json["assets"].as_array().into_iter().flatten().map(|entry| ServedFile {
        path: entry["path"].as_str().unwrap_or_default().to_owned(),
        url: entry["url"].as_str().unwrap_or_default().to_owned(),
        bytes: entry["bytes"].as_u64().unwrap_or(0),
        missing: entry["missing"].as_str().map(str::to_owned),
    });
    Ok(ServedSite { hash: text("hash").unwrap_or_default(), site, files: listed.collect() })
}

//! The gateway's catalogue of history: which pages there are, read from JSON (docs/PROTOCOL.md).

use serde_json::Value;
use twin_historian::Level;
use twin_historian::pager::Page;
use twin_model::{TimeRange, Timestamp};
use twin_protocol::{LinkChange, LinkState};

/// What the gateway keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Catalogue {
    /// All time that has samples.
    pub(super) extent: Option<TimeRange>,
    /// From here on history is not in pages yet.
    pub(super) sealed_until: Option<Timestamp>,
    /// Before this, retention took everything.
    pub(super) outside_before: Option<Timestamp>,
    /// Pages of all levels.
    pub(super) pages: Vec<Page>,
    /// When links to sources went up and down.
    pub(super) links: Vec<LinkChange>,
}

/// Pages read at most: a hundred years of hours.
const PAGES: usize = 1_000_000;

/// Reads the body of `/api/catalogue`. Entries that make no sense are left out.
pub(super) fn read(bytes: &[u8]) -> Result<Catalogue, String> {
    let json: Value = serde_json::from_slice(bytes).map_err(|error| format!("the catalogue of history is not JSON: {error}"))?;
    if json["format"].as_u64() != Some(1) {
        return Err("the catalogue of history has another format; reload the page".to_owned());
    }
    let us = |value: &Value| value.as_i64().map(Timestamp::from_micros);
    let extent = json["extent_us"].as_array().and_then(|pair| Some(TimeRange::new(us(pair.first()?)?, us(pair.get(1)?)?)));
    let mut pages = Vec::new();
    for level in json["levels"].as_array().into_iter().flatten() {
        let Some(name) = level["level"].as_str().and_then(|name| name.parse::<Level>().ok()) else { continue };
        let listed = level["pages"].as_array().into_iter().flatten();
        pages.extend(listed.filter_map(|entry| page(name, entry)).take(PAGES.saturating_sub(pages.len())));
    }
    let link = |entry: &Value| {
        let name = entry.get(1)?.as_str()?;
        let state = LinkState::ALL.into_iter().find(|state| state.as_str() == name)?;
        Some(LinkChange { source: u32::try_from(entry.get(0)?.as_u64()?).ok()?, state, at: us(entry.get(2)?)? })
    };
    Ok(Catalogue {
        extent: extent.filter(|extent| !extent.is_empty()),
        sealed_until: us(&json["sealed_until_us"]),
        outside_before: us(&json["outside_before_us"]),
        pages,
        links: json["links"].as_array().into_iter().flatten().filter_map(link).collect(),
    })
}

fn page(level: Level, entry: &Value) -> Option<Page> {
    let us = |key: &str| entry[key].as_i64().map(Timestamp::from_micros);
    let version = entry["version"].as_str().filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric()))?;
    let page = Page {
        level,
        range: TimeRange::new(us("start_us")?, us("end_us")?),
        version: version.to_owned(),
        samples: entry["samples"].as_u64()?,
        bytes: entry["bytes"].as_u64()?,
        parts: u32::try_from(entry["parts"].as_u64()?).ok()?.max(1),
    };
    (!page.range.is_empty()).then_some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_is_read_and_odd_entries_are_left_out() {
        let text = r#"{"format": 1, "now_us": 9000000000, "extent_us": [0, 9000000000], "sealed_until_us": 7200000000,
            "outside_before_us": null, "levels": [
              {"level": "raw", "slab_us": 3600000000, "pages": [
                {"start_us": 0, "end_us": 3600000000, "version": "00ff", "samples": 10, "bytes": 5, "parts": 1},
                {"start_us": 3600000000, "end_us": 3600000000, "version": "00ff", "samples": 10, "bytes": 5, "parts": 1},
                {"start_us": 0, "end_us": 3600000000, "version": "../x", "samples": 10, "bytes": 5, "parts": 1},
                {"start_us": "0"}]},
              {"level": "2h", "pages": [{}]}],
            "links": [[0, "down", 5], [0, "sideways", 5], "x"]}"#;
        let catalogue = read(text.as_bytes()).expect("a catalogue");
        assert_eq!(catalogue.pages.len(), 1);
        assert_eq!(catalogue.pages[0].range, TimeRange::new(Timestamp::from_secs(0), Timestamp::from_secs(3_600)));
        assert_eq!(catalogue.sealed_until, Some(Timestamp::from_secs(7_200)));
        assert_eq!(catalogue.outside_before, None);
        let link = LinkChange { source: 0, state: LinkState::Down, at: Timestamp::from_micros(5) };
        assert_eq!(catalogue.links, [link]);
    }

    #[test]
    fn other_formats_are_refused_with_a_word() {
        assert!(read(b"{").is_err());
        assert!(read(br#"{"format": 2}"#).expect_err("another format").contains("reload"));
    }
}

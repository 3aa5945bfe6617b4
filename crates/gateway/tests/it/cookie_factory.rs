//! A real twin that nobody here made: alarms counted directly in the CSV and by the program.

use std::collections::BTreeMap;
use std::path::Path;

use twin_model::Timestamp;

use crate::world::{orrery, shared};

#[test]
fn alarms_at_twenty_instants_equal_a_count_made_in_the_csv() {
    let Some(data) = shared("alarms_at_twenty_instants_equal_a_count_made_in_the_csv") else { return };
    let csv = std::fs::read_to_string(data.join("C-telemetry/aws-cookiefactory-v1/telemetry.csv")).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let assets: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[2]).collect();
    assert_eq!(assets.len(), 54);
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/cookie-factory/site.toml");
    let (first, last) = (rows[0][0].parse::<i64>().unwrap(), rows[rows.len() - 1][0].parse::<i64>().unwrap());
    let mut counts = Vec::new();
    for step in 0..20 {
        let ms = first + (last - first) * step / 19;
        let mut states: BTreeMap<&str, &str> = BTreeMap::new();
        for row in rows.iter().filter(|row| row[3] == "alarm_status" && row[0].parse::<i64>().unwrap() <= ms) {
            states.insert(row[2], row[4]);
        }
        let expected = states.values().filter(|state| matches!(**state, "ACTIVE" | "ACKNOWLEDGED")).count();
        let at = Timestamp::from_millis(ms).to_string();
        let (code, out, err) = orrery(&["state", site.to_str().unwrap(), "--at", &at, "--json"]);
        assert_eq!(code, 0, "{err}");
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let twins = json["twins"].as_array().unwrap();
        let ids: std::collections::BTreeSet<&str> = twins.iter().map(|twin| twin["id"].as_str().unwrap()).collect();
        assert_eq!(ids, assets, "all assets of the CSV are twins");
        let in_alarm = |twin: &&serde_json::Value| {
            let alarms = twin["alarms"].as_array().unwrap();
            alarms.iter().any(|alarm| matches!(alarm["state"].as_str(), Some("unacknowledged" | "acknowledged")))
        };
        assert_eq!(twins.iter().filter(in_alarm).count(), expected, "at {at}");
        counts.push(expected);
    }
    assert!(counts.iter().max() > counts.iter().min(), "the recording has alarms that come and go: {counts:?}");
}

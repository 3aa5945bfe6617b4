//! Times that a sender writes under a name that nobody reads: the reading would count as taken when it came, a stored one as fresh.

/// Names of a time in the messages of other systems.
const NAMES: [&str; 9] =
    ["timestamp", "ts", "Time", "Timestamp", "timeStamp", "datetime", "source_time", "sourceTimestamp", "SourceTimestamp"];

/// What a sender should know about a line without `time` that has one under another name; enough to be said once.
pub(super) fn time_of(line: &str) -> Option<String> {
    let name = NAMES.into_iter().find(|name| has_key(line, name))?;
    Some(format!(
        "'{name}' is not read: the time of a reading is called 'time'; without it readings count as taken when they come, and this is said once"
    ))
}

/// Whether an object of JSON has a key, seen from outside. A quote within a text has a backslash before it, so that no text
/// looks like a key.
fn has_key(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let after = line.get(at + name.len()..).and_then(|rest| rest.strip_prefix('"'));
        line.get(..at).is_some_and(|before| before.ends_with('"') && !before.ends_with("\\\""))
            && after.is_some_and(|rest| rest.trim_start().starts_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_under_another_name_is_told_and_a_text_about_times_is_not() {
        for (line, found) in [
            (r#"{"signal": "a", "value": 1, "timestamp": 1772438400000}"#, true),
            (r#"{"ts" : "2026-03-02T08:00:00Z", "signal": "a", "value": 1}"#, true),
            (r#"{"signal": "a", "value": 1, "Time":null}"#, true),
            (r#"{"signal": "a", "value": "ts"}"#, false),
            (r#"{"signal": "ts", "value": 1}"#, false),
            (r#"{"signal": "a", "value": "\"ts\": 5"}"#, false),
            (r#"{"signal": "a", "value": "timestamp: ts"}"#, false),
            (r#"{"signal": "a", "value": 1, "time": 5}"#, false),
            (r#"{"signal": "a", "value": 1, "fts": 5, "ts2": 6}"#, false),
        ] {
            assert_eq!(time_of(line).is_some(), found, "{line}");
        }
    }
}

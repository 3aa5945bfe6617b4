//! What must hold of any text as a line of a sender. Used by the fuzzer, and by the tests over the kept corpus.

use std::sync::LazyLock;

use gateway::sources::{Inbox, Line, LineError, read_line};
use twin_model::limits::TEXT_BYTES;
use twin_model::{Model, SourceIndex, Timestamp, Value, ValueKind};
use twin_table::{Codes, TimeFormat, TimeSpec, Zone};

use super::pump;

/// An alarm that has to be acknowledged.
const ALARM: &str = r#"
[[interfaces.alarms]]
id = "high"
kind = "limit"
signal = "flow"
above = 50
acknowledge = "required"
"#;

const SOURCE: &str = r#"
[[sources]]
id = "script"
kind = "websocket"
"#;

static MODEL: LazyLock<Model> = LazyLock::new(|| pump::model(ALARM, SOURCE));

/// Ways of writing times, with and without a zone, and both families of quality codes.
static INBOXES: LazyLock<Vec<Inbox>> = LazyLock::new(|| {
    let formats = ["rfc3339", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "excel", "%d.%m.%Y %H:%M:%S%.f", "seconds"];
    let inbox = |(at, word): (usize, &str)| {
        let format = TimeFormat::parse(word, None).and_then(Result::ok).unwrap_or(TimeFormat::Rfc3339);
        let zone = if at % 2 == 0 { Zone::new("Europe/Berlin").ok() } else { None };
        let codes = if at % 3 == 0 { Codes::OpcDa } else { Codes::OpcUa };
        Inbox::new(SourceIndex(0)).reading(TimeSpec { format, zone, ..TimeSpec::default() }, codes)
    };
    formats.into_iter().enumerate().map(inbox).collect()
});

const NOW: Timestamp = Timestamp::from_secs(1_772_440_000);

/// An error in words that is no longer than what was sent, each letter escaped, and a few sentences, or a sample of the signal's own kind, in a plausible
/// year, never a good reading without a value, the same at a second reading. The first byte says how its sender writes.
pub(crate) fn check(bytes: &[u8]) {
    let [first, line @ ..] = bytes else { return };
    let Ok(line) = std::str::from_utf8(line) else { return };
    let Some(inbox) = INBOXES.get(usize::from(*first) % INBOXES.len()) else { return };
    let found = read_line(&MODEL, inbox, line, NOW);
    assert_eq!(words(&found), words(&read_line(&MODEL, inbox, line, NOW)), "the same at a second reading");
    let (signal, sample, remark) = match found {
        Err(error) => {
            let words = error.to_string();
            return assert!(!words.is_empty() && words.len() <= 6 * line.len() + 1_000, "{} bytes of words", words.len());
        }
        Ok(Line::Ack(_)) => return,
        Ok(Line::Sample(signal, sample, remark)) => (signal, sample, remark),
    };
    assert!(remark.is_none_or(|remark| (1..=6 * line.len() + 1_000).contains(&remark.words().len())));
    assert_eq!(sample.value.kind(), MODEL.signal(signal).value_kind, "{sample:?}");
    assert!(sample.has_value() || sample.quality.is_bad(), "{sample:?}");
    assert!(inbox.rules.times.years.contains(sample.source_time), "{sample:?}");
    // Lines without a time of their own stand a microsecond apart.
    assert!(sample.received_time >= NOW && sample.received_time.as_micros() - NOW.as_micros() < 1_000_000_000);
    if let Value::Text(text) = &sample.value {
        assert!(text.len() <= TEXT_BYTES && sample.value.kind() == ValueKind::Text);
    }
}

/// What a line came to, without the times of what came without one, which move on. Words, because NaN is not equal to itself.
fn words(found: &Result<Line, LineError>) -> String {
    match found {
        Ok(Line::Sample(signal, sample, remark)) => {
            let t = (sample.source_time != sample.received_time).then_some(sample.source_time);
            format!("{signal:?} {t:?} {:?} {:?} {:?} {remark:?}", sample.value, sample.quality, sample.flags)
        }
        other => format!("{other:?}"),
    }
}

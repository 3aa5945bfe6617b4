//! Instants as publications write them: RFC 3339 in UTC with six digits of a second, always of one length.

use twin_model::Timestamp;

use crate::error::PublicationError;

/// The text of an instant, for example `2026-03-02T08:15:04.000000Z`. Equal instants have equal texts, and within the years 0 to
/// 9999 texts sort like instants.
///
/// # Errors
/// An instant outside of the years 0 to 9999, which RFC 3339 has no words for.
pub(crate) fn write(at: Timestamp) -> Result<String, PublicationError> {
    let text = at.to_string();
    let plain = text.strip_suffix('Z').filter(|text| text.len() >= 19 && text.starts_with(|c: char| c.is_ascii_digit()));
    let Some(plain) = plain else {
        return Err(PublicationError::invalid(text, "this instant is not within the years 0 to 9999"));
    };
    let (seconds, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    Ok(format!("{seconds}.{fraction:0<6}Z"))
}

/// The instant of a text; any RFC 3339 text with an offset is taken, of the same years.
///
/// # Errors
/// Where it is none, with `at`, the place where it stands.
pub(crate) fn read(text: &str, at: &str) -> Result<Timestamp, PublicationError> {
    let read = text.parse().map_err(|error: twin_model::TimeError| PublicationError::invalid(at, error.to_string()))?;
    // What is read can be written.
    write(read).map(|_| read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_one_text_of_one_length() {
        for (text, micros) in [
            ("1970-01-01T00:00:00.000000Z", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-03-02T08:15:04.120000Z", 1_772_439_304_120_000),
            ("2026-03-02T08:15:04.000001Z", 1_772_439_304_000_001),
            ("9999-12-30T21:59:59.999999Z", 253_402_207_199_999_999),
        ] {
            assert_eq!(write(Timestamp::from_micros(micros)).unwrap(), text);
            assert_eq!(read(text, "x").unwrap().as_micros(), micros);
        }
    }

    #[test]
    fn what_no_calendar_has_is_refused_and_a_time_without_offset_too() {
        for micros in [i64::MAX, i64::MIN, -99_999_999_999_999_999] {
            assert!(write(Timestamp::from_micros(micros)).is_err(), "{micros}");
        }
        let error = read("2026-03-02T08:15:04", "valid_from").unwrap_err().to_string();
        assert!(error.starts_with("valid_from: ") && error.contains("write it like"), "{error}");
    }
}

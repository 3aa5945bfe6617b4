//! What people and systems write where there is no value, and for on and off. Words only; compared without case and marks.

use twin_model::Quality;

/// Words that stand for "there is no value", with what they say about why. Sources: the system digital states of PI, error
/// values of spreadsheets, missing values of pandas and R, texts of OPC clients and loggers.
const NO_VALUE: [(&str, Quality); 52] = [
    ("nan", NO_DATA),
    ("nanind", NO_DATA),
    ("1qnan", NO_DATA),
    ("1ind", NO_DATA),
    ("na", NO_DATA),
    ("nat", NO_DATA),
    ("nd", NO_DATA),
    ("nv", NO_DATA),
    ("nil", NO_DATA),
    ("none", NO_DATA),
    ("null", NO_DATA),
    ("missing", NO_DATA),
    ("unavailable", NO_DATA),
    ("unknown", NO_DATA),
    ("undefined", NO_DATA),
    ("novalue", NO_DATA),
    ("nodata", NO_DATA),
    ("noresult", NO_DATA),
    ("notavailable", NO_DATA),
    ("ptcreated", NO_DATA),
    ("inf", Quality::BAD_OUT_OF_RANGE),
    ("infinity", Quality::BAD_OUT_OF_RANGE),
    ("1inf", Quality::BAD_OUT_OF_RANGE),
    ("overrange", Quality::BAD_OUT_OF_RANGE),
    ("underrange", Quality::BAD_OUT_OF_RANGE),
    ("overflow", Quality::BAD_OUT_OF_RANGE),
    ("underflow", Quality::BAD_OUT_OF_RANGE),
    ("outofrange", Quality::BAD_OUT_OF_RANGE),
    ("bad", Quality::BAD),
    ("badinput", Quality::BAD),
    ("badquality", Quality::BAD),
    ("badvalue", Quality::BAD),
    ("invalid", Quality::BAD),
    ("error", Quality::BAD),
    ("err", Quality::BAD),
    ("fail", Quality::BAD),
    ("failed", Quality::BAD),
    ("fault", Quality::BAD),
    ("calcfailed", Quality::BAD),
    ("iotimeout", TIMEOUT),
    ("timeout", TIMEOUT),
    ("commfail", Quality::BAD_NO_COMMUNICATION),
    ("commfailure", Quality::BAD_NO_COMMUNICATION),
    ("offline", Quality::BAD_NO_COMMUNICATION),
    ("intfshut", Quality::BAD_NO_COMMUNICATION),
    ("notconnect", Quality::BAD_NOT_CONNECTED),
    ("notconnected", Quality::BAD_NOT_CONNECTED),
    ("disconnected", Quality::BAD_NOT_CONNECTED),
    ("outofserv", Quality::BAD_OUT_OF_SERVICE),
    ("outofservice", Quality::BAD_OUT_OF_SERVICE),
    ("scanoff", Quality::BAD_OUT_OF_SERVICE),
    ("configure", Quality::BAD_CONFIGURATION_ERROR),
];

/// `Bad_NoData`: there is nothing.
pub(super) const NO_DATA: Quality = Quality::from_bits(0x809B);
/// `Bad_Timeout`.
const TIMEOUT: Quality = Quality::from_bits(0x800A);

/// Why there is no value, where a text says that there is none: an error word, the error value of a spreadsheet (`#VALUE!`,
/// `#DIV/0!`), the name of a bad OPC UA status, dashes.
pub(super) fn no_value(text: &str) -> Option<Quality> {
    let dashes = |c: char| matches!(c, '-' | '_' | '?' | '*' | '\u{2013}' | '\u{2014}');
    if text.chars().all(dashes) {
        return Some(NO_DATA);
    }
    if let Some(error) = text.strip_prefix('#') {
        let upper = |c: char| c.is_uppercase() || matches!(c, '/' | '0' | '!' | '?' | '\u{a1}' | '#' | '_');
        return error.chars().all(upper).then_some(Quality::BAD);
    }
    if text.len() > 40 {
        return None;
    }
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let known = NO_VALUE.iter().find(|(name, _)| *name == word).map(|(_, quality)| *quality);
    known.or_else(|| if word.starts_with("bad") { Quality::parse(text).filter(|quality| quality.is_bad()) } else { None })
}

/// Words for on and off, in pairs.
const SWITCHES: [(&str, &str); 15] = [
    ("true", "false"),
    ("on", "off"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("enabled", "disabled"),
    ("active", "inactive"),
    ("running", "stopped"),
    ("ein", "aus"),
    ("an", "aus"),
    ("ja", "nein"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("oui", "non"),
    ("verdadero", "falso"),
];

/// A switch by one of the usual words.
pub(super) fn switch(text: &str) -> Option<bool> {
    let fits = |word: &str| word.eq_ignore_ascii_case(text);
    SWITCHES.iter().find_map(|(on, off)| if fits(on) { Some(true) } else { fits(off).then_some(false) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_words_are_known_with_their_reason() {
        for (text, expected) in [
            ("NaN", NO_DATA),
            ("-nan(ind)", NO_DATA),
            ("1.#QNAN", NO_DATA),
            ("n/a", NO_DATA),
            ("--", NO_DATA),
            ("No Data", NO_DATA),
            ("Bad", Quality::BAD),
            ("[-11059] Bad Input", Quality::BAD),
            ("Bad Input", Quality::BAD),
            ("#VALUE!", Quality::BAD),
            ("#DIV/0!", Quality::BAD),
            ("#N/A", Quality::BAD),
            ("#NAME?", Quality::BAD),
            ("#WERT!", Quality::BAD),
            ("#####", Quality::BAD),
            ("I/O Timeout", TIMEOUT),
            ("Comm Fail", Quality::BAD_NO_COMMUNICATION),
            ("Over Range", Quality::BAD_OUT_OF_RANGE),
            ("-Infinity", Quality::BAD_OUT_OF_RANGE),
            ("BadSensorFailure", Quality::BAD_SENSOR_FAILURE),
        ] {
            let text = text.strip_prefix("[-11059] ").unwrap_or(text);
            assert_eq!(no_value(text), Some(expected), "{text}");
        }
        for text in ["oops", "Badger", "#3", "21.5", "good", "12-13"] {
            assert_eq!(no_value(text), None, "{text}");
        }
    }

    #[test]
    fn switches_are_read_in_the_spellings_that_people_use() {
        for (text, expected) in
            [("ON", Some(true)), ("Aus", Some(false)), ("Ja", Some(true)), ("f", Some(false)), ("open", None), ("", None)]
        {
            assert_eq!(switch(text), expected, "{text}");
        }
    }
}

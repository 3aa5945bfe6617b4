//! Numbers as people write them, by a declared style. Refuses to guess which of `1.070` and `1,070` is a thousand.

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberStyle {
    /// Between whole and part.
    pub decimal: char,
    /// Between groups of three digits; a blank stands for every kind of blank, an apostrophe for both.
    pub thousands: Option<char>,
    /// Whether someone said so. Where nobody did, a number with a comma means that someone should.
    pub declared: bool,
}

impl Default for NumberStyle {
    /// A decimal point, no groups, and nobody said so.
    fn default() -> Self {
        Self { decimal: '.', thousands: None, declared: false }
    }
}

/// A number of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    /// The nearest double.
    pub(crate) float: f64,
    /// Exactly, where it is a whole number of 64 bits.
    pub(crate) int: Option<i64>,
    /// There is something behind the point, whatever the exponent.
    pub(crate) fraction: bool,
    /// The double has other digits than the text: of a whole number that it can't hold, or of one too close to zero.
    pub(crate) rounded: bool,
}

/// What two spellings of one number have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Same {
    Whole(i64),
    /// Bits of the nearest double.
    Other(u64),
}

impl Number {
    pub(crate) fn same(&self) -> Same {
        self.int.map_or(Same::Other(self.float.to_bits()), Same::Whole)
    }
}

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberFault {
    Unread,
    /// Beyond what a double holds.
    TooLarge,
    /// It would be one with a comma or groups, which nobody declared.
    OtherStyle,
}

impl NumberStyle {
    pub(crate) fn read(self, text: &str) -> Result<Number, NumberFault> {
        // What machines write is as the parser wants it: no copy.
        if self.decimal == '.' && simple(text) {
            return number(text);
        }
        let mut plain = String::with_capacity(text.len());
        match self.plain(text, &mut plain) {
            true => number(&plain),
            false if !self.declared && other_style(text) => Err(NumberFault::OtherStyle),
            false => Err(NumberFault::Unread),
        }
    }

    /// The text with a decimal point and without groups; false where it is none in this style.
    fn plain(self, text: &str, out: &mut String) -> bool {
        let mut chars = text.chars().peekable();
        if chars.next_if(|c| matches!(c, '+' | '-' | '\u{2212}')).is_some_and(|sign| sign != '+') {
            out.push('-');
        }
        // Digits since the last separator of groups, and whether there was one.
        let (mut group, mut grouped, mut digits) = (0, false, 0);
        let zero = chars.peek() == Some(&'0');
        while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || self.groups(*c)) {
            if c.is_ascii_digit() {
                out.push(c);
                (group, digits) = (group + 1, digits + 1);
            } else {
                if group == 0 || group > 3 || (grouped && group != 3) {
                    return false;
                }
                (group, grouped) = (0, true);
            }
        }
        // Nobody writes 0.123 for 123: where a group begins with 0, its mark is that of another style.
        if grouped && (group != 3 || zero) {
            return false;
        }
        if chars.next_if_eq(&self.decimal).is_some() {
            out.push('.');
            while let Some(c) = chars.next_if(char::is_ascii_digit) {
                out.push(c);
                digits += 1;
            }
        }
        if digits == 0 {
            return false;
        }
        // Nor groups before an exponent.
        if !grouped && chars.next_if(|c| matches!(c, 'e' | 'E')).is_some() {
            out.push('e');
            if let Some(sign) = chars.next_if(|c| matches!(c, '+' | '-' | '\u{2212}')) {
                out.push(if sign == '+' { '+' } else { '-' });
            }
            let before = out.len();
            while let Some(c) = chars.next_if(char::is_ascii_digit) {
                out.push(c);
            }
            if out.len() == before {
                return false;
            }
        }
        chars.next().is_none()
    }

    fn groups(self, c: char) -> bool {
        match self.thousands {
            Some(' ') => matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
            Some('\'') => matches!(c, '\'' | '\u{2019}'),
            Some(own) => own == c,
            None => false,
        }
    }
}

/// Whether a text is digits with a sign or none, and a point and digits behind them or none: the same in every style with a point.
fn simple(text: &str) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = text.as_bytes();
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let whole = digits(rest);
    match rest.get(whole..) {
        Some([]) => whole > 0,
        Some([b'.', part @ ..]) => whole > 0 && digits(part) == part.len(),
        _ => false,
    }
}

fn number(plain: &str) -> Result<Number, NumberFault> {
    let float: f64 = plain.parse().map_err(|_| NumberFault::Unread)?;
    if float.is_infinite() {
        return Err(NumberFault::TooLarge);
    }
    let exponent = plain.contains('e');
    let (before, part) = plain.bytes().position(|b| b == b'.').map_or((plain, ""), |at| plain.split_at(at));
    let (int, fraction) = if exponent {
        Digits::of(plain).whole()
    } else {
        let fraction = part.bytes().skip(1).any(|b| b != b'0');
        let int = if matches!(before, "" | "-") { Some(0) } else { before.parse().ok() };
        (int.filter(|_| !fraction), fraction)
    };
    let rounded = if fraction {
        // Below here doubles have ever fewer digits, and then none.
        float.abs() < f64::MIN_POSITIVE && !Digits::of(plain).are_those_of(float)
    } else {
        // Whole numbers are compared as 128 bits: i64::MAX as a double is one more.
        match int {
            // What has an exponent was rounded by whoever wrote it, and may have no more digits than it shows.
            Some(int) => i128::from(int) != float as i128 && !(exponent && Digits::of(plain).are_those_of(float)),
            None => !exponent && before.trim_start_matches(['-', '0']) != format!("{:.0}", float.abs()),
        }
    };
    Ok(Number { float, int, fraction, rounded })
}

/// The digits of a number from the first to the last that is not zero, and the power of ten of the last.
struct Digits {
    negative: bool,
    digits: String,
    power: i64,
}

impl Digits {
    /// Of a number that a double can be read from.
    fn of(plain: &str) -> Self {
        let (mantissa, exponent) = plain.split_once('e').unwrap_or((plain, "0"));
        let (before, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // An exponent beyond 64 bits makes zero, or nothing that was a double, of any number that fits into memory.
        let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 });
        let all = [before.trim_start_matches('-'), part].concat();
        let kept = all.trim_end_matches('0');
        let cut = i64::try_from(all.len() - kept.len()).unwrap_or(i64::MAX / 4);
        let power = exponent - i64::try_from(part.len()).unwrap_or(i64::MAX / 4) + cut;
        Self { negative: plain.starts_with('-'), digits: kept.trim_start_matches('0').to_owned(), power }
    }

    /// The whole number of 64 bits that they are, and whether they have a part behind the point.
    fn whole(&self) -> (Option<i64>, bool) {
        if self.digits.is_empty() {
            return (Some(0), false);
        }
        let Ok(power) = u32::try_from(self.power) else { return (None, self.power < 0) };
        let value = self
            .digits
            .parse::<i128>()
            .ok()
            .zip(10_i128.checked_pow(power))
            .and_then(|(value, factor)| value.checked_mul(factor));
        (value.and_then(|value| i64::try_from(if self.negative { -value } else { value }).ok()), false)
    }

    /// Whether a double has them all, and nothing but zeros or what is further back.
    fn are_those_of(&self, float: f64) -> bool {
        let Some(places) = self.digits.len().checked_sub(1) else { return float == 0.0 };
        // No double has more digits than that.
        let written = format!("{:.*e}", places.min(800), float.abs());
        let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, ""));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit);
        let places = i64::try_from(places).unwrap_or(i64::MAX / 4);
        exponent.parse() == Ok(self.power.saturating_add(places)) && digits.eq(self.digits.bytes().take(801))
    }
}

/// Whether a text is a number in some style with a comma or groups of digits.
fn other_style(text: &str) -> bool {
    let style = |decimal, thousands| NumberStyle { decimal, thousands: Some(thousands), declared: true };
    [style(',', '.'), style(',', ' '), style('.', ','), style('.', ' '), style('.', '\''), style(',', '\'')]
        .into_iter()
        .any(|style| style.plain(text, &mut String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: NumberStyle = NumberStyle { decimal: ',', thousands: Some('.'), declared: true };

    fn float(style: NumberStyle, text: &str) -> Result<f64, NumberFault> {
        style.read(text).map(|number| number.float)
    }

    #[test]
    fn numbers_are_read_in_the_declared_style_only() {
        let plain = NumberStyle::default();
        let blanks = NumberStyle { decimal: ',', thousands: Some(' '), declared: true };
        let points = NumberStyle { decimal: '.', thousands: Some(','), declared: true };
        for (style, text, expected) in [
            (plain, "21.5", Ok(21.5)),
            (plain, "-.5e+3", Ok(-500.0)),
            (plain, "\u{2212}5.", Ok(-5.0)),
            (plain, "21,5", Err(NumberFault::OtherStyle)),
            (plain, "1,070.25", Err(NumberFault::OtherStyle)),
            (plain, "1 070", Err(NumberFault::OtherStyle)),
            (NumberStyle { declared: true, ..plain }, "21,5", Err(NumberFault::Unread)),
            (COMMA, "21,5", Ok(21.5)),
            (COMMA, "1.070", Ok(1070.0)),
            (COMMA, "-1.234.567,25", Ok(-1_234_567.25)),
            (COMMA, "1.07", Err(NumberFault::Unread)),
            (COMMA, "1234.567", Err(NumberFault::Unread)),
            (COMMA, "1.0700", Err(NumberFault::Unread)),
            (COMMA, "0.123", Err(NumberFault::Unread)),
            (COMMA, "-0.500", Err(NumberFault::Unread)),
            (COMMA, "00.500", Err(NumberFault::Unread)),
            (COMMA, "012.500", Err(NumberFault::Unread)),
            (COMMA, "0.123.456", Err(NumberFault::Unread)),
            (COMMA, "0.123,5", Err(NumberFault::Unread)),
            (COMMA, "1.000e-3", Err(NumberFault::Unread)),
            (COMMA, "1.000.000E3", Err(NumberFault::Unread)),
            (COMMA, "0,123", Ok(0.123)),
            (COMMA, "1.000", Ok(1000.0)),
            (COMMA, "10.000.000", Ok(10_000_000.0)),
            (COMMA, "1,5e-3", Ok(0.0015)),
            (COMMA, "007", Ok(7.0)),
            (points, "0,500", Err(NumberFault::Unread)),
            (points, "1,500", Ok(1500.0)),
            (blanks, "0 500", Err(NumberFault::Unread)),
            (plain, "0,500", Err(NumberFault::OtherStyle)),
            (plain, "1,000e-3", Err(NumberFault::OtherStyle)),
            (blanks, "1\u{202f}070,5", Ok(1070.5)),
            (blanks, "12 34", Err(NumberFault::Unread)),
            (plain, "1e400", Err(NumberFault::TooLarge)),
            (plain, "-1e400", Err(NumberFault::TooLarge)),
            (plain, "inf", Err(NumberFault::Unread)),
            (plain, "", Err(NumberFault::Unread)),
            (plain, "-", Err(NumberFault::Unread)),
            (plain, "5e", Err(NumberFault::Unread)),
            (plain, "0x10", Err(NumberFault::Unread)),
            (plain, "5 %", Err(NumberFault::Unread)),
        ] {
            assert_eq!(float(style, text), expected, "{text}");
        }
    }

    #[test]
    fn whole_numbers_keep_all_their_digits() {
        for (style, text, expected) in [
            (NumberStyle::default(), "9007199254740993", Some(9_007_199_254_740_993)),
            (NumberStyle::default(), "9007199254740993.000", Some(9_007_199_254_740_993)),
            (NumberStyle::default(), "-9223372036854775808", Some(i64::MIN)),
            (NumberStyle::default(), "9223372036854775808", None),
            (NumberStyle::default(), "1e3", Some(1_000)),
            (NumberStyle::default(), "1.5", None),
            (NumberStyle::default(), "9.007199254740993e15", Some(9_007_199_254_740_993)),
            (NumberStyle::default(), "-9.223372036854775808E+18", Some(i64::MIN)),
            (NumberStyle::default(), "9.223372036854775808e18", None),
            (NumberStyle::default(), "9223372036854775807000e-3", Some(i64::MAX)),
            (NumberStyle::default(), "1e16", Some(10_000_000_000_000_000)),
            (NumberStyle::default(), "1e18", Some(1_000_000_000_000_000_000)),
            (NumberStyle::default(), "1e19", None),
            (NumberStyle::default(), "0.00e99999999999999999999", Some(0)),
            (NumberStyle::default(), "150e-1", Some(15)),
            (NumberStyle::default(), "155e-1", None),
            (COMMA, "9,007199254740993e15", Some(9_007_199_254_740_993)),
            (COMMA, "9.007.199.254.740.993", Some(9_007_199_254_740_993)),
        ] {
            assert_eq!(style.read(text).unwrap().int, expected, "{text}");
        }
    }

    #[test]
    fn a_number_whose_digits_no_double_has_says_so() {
        for (text, fraction, rounded) in [
            ("9007199254740993", false, true),
            ("9007199254740993.0", false, true),
            ("9007199254740992", false, false),
            ("9.007199254740993e15", false, true),
            ("9.007199254740992e15", false, false),
            ("1.2345678901234568e18", false, false),
            ("1e23", false, false),
            ("99999999999999991611392.000", false, false),
            ("99999999999999991611393", false, true),
            ("0.1", true, false),
            ("1e-400", true, true),
            ("-1e-99999999999999999999", true, true),
            ("0e-400", false, false),
            ("0.0", false, false),
            (".0", false, false),
            ("5e-324", true, false),
            ("1e-320", true, false),
            ("1.23456e-320", true, true),
            ("2.2250738585072014e-308", true, false),
        ] {
            let number = NumberStyle::default().read(text).unwrap();
            assert_eq!((number.fraction, number.rounded), (fraction, rounded), "{text}");
        }
        let tiny = format!("0.{}1", "0".repeat(400));
        assert!(NumberStyle::default().read(&tiny).unwrap().rounded, "written out");
    }
}

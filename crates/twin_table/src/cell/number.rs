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
    /// Written without a part or an exponent.
    pub(crate) whole: bool,
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
        if grouped && group != 3 {
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
        if chars.next_if(|c| matches!(c, 'e' | 'E')).is_some() {
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
    let (point, exponent) = (plain.bytes().position(|b| b == b'.'), plain.bytes().any(|b| b == b'e'));
    let int = if exponent {
        // Doubles are exact up to here.
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
    } else {
        let (before, part) = point.and_then(|at| plain.split_at_checked(at)).unwrap_or((plain, ""));
        if part.bytes().skip(1).all(|b| b == b'0') { before.parse().ok() } else { None }
    };
    Ok(Number { float, int, whole: point.is_none() && !exponent })
}

/// Whole numbers up to here are doubles.
pub(crate) const EXACT: f64 = 9_007_199_254_740_992.0;

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
            (COMMA, "9.007.199.254.740.993", Some(9_007_199_254_740_993)),
        ] {
            assert_eq!(style.read(text).unwrap().int, expected, "{text}");
        }
    }
}

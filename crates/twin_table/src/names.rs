//! Names of columns: which are the same, and what tells two apart that look alike. Knows no tables.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// Letters of a difference that are named.
const NAMED: usize = 3;
/// Letters of Greek and Cyrillic that look like one of Latin, with that one (a part of Unicode's confusables.txt, UTS 39).
const TWINS: [(&str, &str); 2] =
    [("АВЕЅІЈКМНОРСТХУаеѕіјорсухѵ", "ABESIJKMHOPCTXYaesijopcyxv"), ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαν", "ABEZHIKMNOPTYXoav")];

/// A name as it is compared: without blanks around it, and [`composed`].
pub fn compared(name: &str) -> Cow<'_, str> {
    composed(name.trim())
}

/// A text in one spelling (NFC), so that `é` is the same whether it is written as one character or as `e` and an accent (UAX 15).
pub fn composed(name: &str) -> Cow<'_, str> {
    if name.is_ascii() || is_nfc_quick(name.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.nfc().collect())
}

/// Text of outside for a message: what can't be seen, or would steer a terminal, by its number.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_unseen(c) {
            out.push_str(&c.escape_unicode().to_string());
        } else {
            out.push(c);
        }
    }
    out
}

/// A character without a shape of its own: other blanks than the usual one, joiners, marks of direction and of byte order.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{180e}'
            | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// What two names have in common that look alike: blanks as one, nothing unseen, letters of other scripts as those of Latin.
fn shape(name: &str) -> String {
    let latin = |c: char| {
        let of = |(from, to): &(&str, &str)| from.chars().position(|twin| twin == c).and_then(|at| to.chars().nth(at));
        TWINS.iter().find_map(of).unwrap_or(c)
    };
    let blank =
        |c: char| c.is_whitespace() || matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}');
    let mut out = String::new();
    for c in compared(name).nfkc() {
        match c {
            c if blank(c) => out.push(' '),
            c if is_unseen(c) => {}
            c => out.push(latin(c)),
        }
    }
    out.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Says by number what differs in two names that look alike; none where they don't, or nothing differs.
pub(crate) fn lookalike(wanted: &str, there: &str) -> Option<String> {
    let (wanted, there) = (compared(wanted), compared(there));
    if wanted == there || shape(&wanted) != shape(&there) {
        return None;
    }
    let (a, b): (Vec<char>, Vec<char>) = (wanted.chars().collect(), there.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let number = |letters: &[char]| {
        let own = letters.get(..letters.len().saturating_sub(tail)).unwrap_or_default();
        let named: Vec<String> = own.iter().take(NAMED).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
        if named.is_empty() { "nothing".to_owned() } else { named.join(" ") }
    };
    let at = same + 1;
    Some(format!(
        "a column looks the same and is written otherwise: at letter {at} the file has {} and the site {}; copy the name from the file",
        number(b),
        number(a)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_in_two_spellings_is_one_name() {
        for (a, b) in [("O\u{308}ltemp", "\u{d6}ltemp"), (" caf\u{e9} ", "cafe\u{301}"), ("\u{212b}", "\u{c5}")] {
            assert_eq!(compared(a), compared(b));
            assert_eq!(lookalike(a, b), None);
        }
        assert_ne!(compared("Oltemp"), compared("\u{d6}ltemp"));
    }

    #[test]
    fn what_cannot_be_seen_in_a_name_is_told_by_its_number() {
        for (wanted, there, words) in [
            ("Oil temp", "Oil\u{a0}temp", ["letter 4", "U+00A0", "U+0020"]),
            ("Oil", "O\u{200b}il", ["letter 2", "file has U+200B", "site nothing"]),
            ("Temp", "\u{feff}Temp", ["letter 1", "U+FEFF", "nothing"]),
            ("Temp", "\u{422}emp", ["letter 1", "U+0422", "U+0054"]),
            ("\u{391}", "A", ["letter 1", "U+0041", "U+0391"]),
            ("\u{b5}m", "\u{3bc}m", ["letter 1", "U+03BC", "U+00B5"]),
        ] {
            let said = lookalike(wanted, there).unwrap_or_else(|| panic!("{wanted:?} {there:?}"));
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
        for (wanted, there) in [("Temp", "Tamp"), ("Temp", "temp"), ("", "a"), ("A", "A")] {
            assert_eq!(lookalike(wanted, there), None, "{wanted} {there}");
        }
    }

    #[test]
    fn what_would_steer_a_terminal_is_shown_by_its_number() {
        assert_eq!(visible("a\u{1b}[2Jb\r\u{9b}c\u{202e}\u{200b}é"), "a\\u{1b}[2Jb\\u{d}\\u{9b}c\\u{202e}\\u{200b}é");
    }

    #[test]
    fn each_letter_has_its_twin() {
        assert!(TWINS.iter().all(|(a, b)| a.chars().count() == b.chars().count()));
    }
}

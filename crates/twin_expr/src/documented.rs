//! docs/SITE.md against the parser: whoever writes an expression by its table is understood, and finds everything there is.

use crate::function::{FUNCTIONS, Function};
use crate::lex::{Token, lex};
use crate::parse::parse;
use crate::program;
use crate::syntax::Syntax;

const SITE: &str = include_str!("../../../docs/SITE.md");

/// The right cell of a row of the table of expressions.
fn row(named: &str) -> &'static str {
    let table = SITE.split_once("\n### Expressions\n").expect("the chapter").1;
    let line = table.lines().find_map(|line| line.strip_prefix(&format!("| {named} | "))).expect(named);
    line.strip_suffix(" |").expect("a row ends")
}

/// What stands in backticks.
fn code(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('`').skip(1).step_by(2)
}

/// The operators as they are written, in groups from the tightest to the loosest; remarks in brackets left out. A sign has no
/// backticks there: it is the group without one.
fn groups() -> Vec<Vec<&'static str>> {
    let mut outside = Vec::new();
    for part in row("operators, tightest first").split(" (") {
        let rest = part.split_once(')').map_or(part, |(_, rest)| rest);
        outside.push(rest);
    }
    outside.into_iter().flat_map(|part| part.split(", ")).filter(|group| !group.is_empty()).map(|it| code(it).collect()).collect()
}

fn operators() -> Vec<&'static str> {
    groups().into_iter().flatten().collect()
}

fn syntax(text: &str) -> Syntax {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_function_of_the_table_is_known_as_it_is_written_there_and_every_known_one_stands_there() {
    let written: Vec<&str> = code(row("functions")).collect();
    assert_eq!(written.len(), Function::ALL.len(), "{written:?}");
    for function in Function::ALL {
        // Only what takes any number of values has dots in the table; what messages say has its first values.
        let usage = function.usage();
        let expected = if function.folds() { usage.replace(')', ", …)") } else { usage.to_owned() };
        assert!(written.contains(&&*expected), "{expected} is not in {written:?}");
    }
    for usage in written {
        let (name, values) = usage.strip_suffix(')').unwrap().split_once('(').expect(usage);
        let values: Vec<&str> = values.split(", ").filter(|value| *value != "…").collect();
        syntax(&format!("{name}({})", values.join(", ")));
        let more = format!("{name}({}, more)", values.join(", "));
        assert_eq!(parse(&more).is_ok(), usage.contains('…'), "{more}");
        parse(&format!("{name}({})", values[1..].join(", "))).expect_err("fewer values than the table says");
    }
}

#[test]
fn a_message_about_functions_names_every_one_of_them() {
    let names = FUNCTIONS.strip_prefix("the functions are ").unwrap().replace(" and ", ", ");
    assert_eq!(names.split(", ").collect::<Vec<_>>(), Function::ALL.map(Function::as_str));
}

#[test]
fn every_operator_of_the_table_is_known_and_every_known_one_stands_there() {
    let table = operators();
    for operator in &table {
        syntax(&match *operator {
            "not" => "not a".to_owned(),
            operator => format!("a {operator} b"),
        });
    }
    // All signs of a keyboard, alone and in pairs, that are one token between two numbers.
    let signs: Vec<char> = (' '..='~').filter(char::is_ascii_punctuation).collect();
    let pairs = signs.iter().flat_map(|one| signs.iter().map(move |two| format!("{one}{two}")));
    let mut found = 0;
    for sign in signs.iter().map(char::to_string).chain(pairs) {
        let text = format!("1 {sign} 2");
        if lex(&text).is_ok_and(|tokens| tokens.len() == 4) && parse(&text).is_ok() {
            assert!(table.contains(&&*sign), "`{sign}` is an operator and not in the table");
            found += 1;
        }
    }
    // All short words that can't be the id of a signal.
    let letters = || ('a'..='z').map(Some).chain([None]);
    for a in 'a'..='z' {
        for (b, c) in letters().flat_map(|b| letters().map(move |c| (b, c))) {
            let word: String = [Some(a), b, c].into_iter().flatten().collect();
            if !matches!(lex(&word).as_deref(), Ok([(Token::Word(_), _), _])) {
                assert!(table.contains(&&*word), "'{word}' is an operator and not in the table");
                found += usize::from(b.is_some() || c.is_none());
            }
        }
    }
    assert_eq!(found, table.len(), "{table:?}");
}

#[test]
fn operators_bind_as_tightly_as_their_order_in_the_table_says() {
    let groups = groups();
    assert_eq!(groups.iter().filter(|group| group.is_empty()).count(), 1, "one sign: {groups:?}");
    for (at, tighter) in groups.iter().enumerate() {
        for looser in &groups[at + 1..] {
            for (tight, loose) in pairs(tighter, looser) {
                match (tight, loose) {
                    // Before one operand both: nothing can be bound otherwise.
                    ("", "not") => {}
                    // Before one operand, and between two.
                    ("not" | "", _) => {
                        assert_eq!(
                            syntax(&format!("{} a {loose} b", sign(tight))),
                            syntax(&format!("({} a) {loose} b", sign(tight)))
                        );
                    }
                    (_, "not" | "") => {
                        assert_eq!(
                            syntax(&format!("{} a {tight} b", sign(loose))),
                            syntax(&format!("{} (a {tight} b)", sign(loose)))
                        );
                    }
                    _ => {
                        assert_eq!(syntax(&format!("a {loose} b {tight} c")), syntax(&format!("a {loose} (b {tight} c)")));
                        assert_eq!(syntax(&format!("a {tight} b {loose} c")), syntax(&format!("(a {tight} b) {loose} c")));
                    }
                }
            }
        }
        for (one, other) in pairs(tighter, tighter).into_iter().filter(|(one, other)| ![*one, *other].contains(&"not")) {
            match one {
                "" => {}
                "^" => assert_eq!(syntax("a ^ b ^ c"), syntax("a ^ (b ^ c)")),
                "<" | "<=" | ">" | ">=" | "==" | "!=" => assert!(parse(&format!("a {one} b {other} c")).is_err(), "no chains"),
                _ => assert_eq!(syntax(&format!("a {one} b {other} c")), syntax(&format!("(a {one} b) {other} c"))),
            }
        }
    }
}

/// Every pair of two groups; the sign, which has no words in the table, as an empty text.
fn pairs(one: &[&'static str], other: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let words = |group: &[&'static str]| if group.is_empty() { vec![""] } else { group.to_vec() };
    words(one).into_iter().flat_map(|one| words(other).into_iter().map(move |other| (one, other))).collect()
}

fn sign(word: &'static str) -> &'static str {
    if word.is_empty() { "-" } else { word }
}

#[test]
fn what_the_table_says_of_an_example_is_what_it_gives() {
    let value = |text: &str| program::parse(&text.replace('−', "-"), &mut |_| Err(String::new())).unwrap().eval(&[]);
    let row = row("operators, tightest first");
    let mut seen = 0;
    for (before, after) in row.match_indices("` is ").map(|(at, word)| (&row[..at], &row[at + word.len()..])) {
        let example = before.rsplit_once('`').unwrap().1;
        let said = after.split([',', ')']).next().unwrap();
        assert_eq!(value(example), value(said), "{example} is {said}");
        seen += 1;
    }
    assert_eq!(seen, 2, "examples of powers and of a sign before one");
    for number in code(self::row("numbers")) {
        assert!(value(number).is_finite(), "{number}");
    }
    assert_eq!((value("true"), value("false")), (1.0, 0.0));
}

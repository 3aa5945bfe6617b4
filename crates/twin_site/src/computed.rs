//! Computed signals: what is wrong with their expressions, by file, line and remedy.
//!
//! Which of them can be computed is the plan's word ([`Plan::of`]), the same that those who compute go by.

use std::collections::HashSet;

use twin_expr::{Finding, Obstacle, Plan, Syntax, Type};
use twin_model::{Model, SignalIndex, limits};

use super::codes;
use super::diag::{Diagnostics, Location};
use super::read::Word;

/// The expression of a computed signal, where it has one, and where that stands.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) signal: SignalIndex,
    /// As it is written, placeholders filled; empty where it is missing, which is said already.
    pub(crate) text: String,
    pub(crate) at: Location,
}

/// A finding that is said once for each place, however many twins inherit it.
struct Said<'a> {
    out: &'a mut Diagnostics,
    places: HashSet<(Location, &'static str, String)>,
}

impl Said<'_> {
    /// `what` tells findings of one place apart.
    fn error(&mut self, code: &'static str, at: &Location, what: String, subject: &str, message: String, help: String) {
        if self.places.insert((at.clone(), code, what)) {
            self.out.error(code, at, subject, message, help);
        }
    }

    fn warning(&mut self, code: &'static str, at: &Location, what: String, subject: &str, message: String, help: String) {
        if self.places.insert((at.clone(), code, what)) {
            self.out.warning(code, at, subject, message, help);
        }
    }
}

/// Says what is wrong with the computed signals of a model. `written` is ascending by signal.
pub(crate) fn report(model: &Model, written: &[Written], out: &mut Diagnostics) {
    let (plan, obstacles) = Plan::of(model);
    let find = |signal: SignalIndex| {
        let at = written.binary_search_by_key(&signal, |it| it.signal).ok()?;
        written.get(at).filter(|it| !it.text.is_empty())
    };
    let mut said = Said { out, places: HashSet::new() };
    for (signal, why) in &obstacles {
        if let Some(it) = find(*signal) {
            obstacle(model, it, why, &mut said);
        }
    }
    for computed in plan.all() {
        let Some(it) = find(computed.signal) else { continue };
        let signal = model.signal(it.signal);
        let id = signal.id.as_str();
        for found in computed.expression.findings() {
            let message = format!("column {} of the expression of '{id}': {}", found.column, found.message);
            said.warning(codes::EXPRESSION_UNIT, &it.at, found.column.to_string(), id, message, found.hint.clone());
        }
        for (column, message, help) in odd_bounds(computed.expression.syntax(), &format!("the expression of '{id}'")) {
            said.warning(codes::EXPRESSION_BOUNDS, &it.at, column.to_string(), id, message, help);
        }
        if let Some(unit) = computed.expression.unit().filter(|unit| **unit != signal.unit) {
            let has = if signal.unit.0.is_empty() { "has no unit".to_owned() } else { format!("is in {}", signal.unit.0) };
            let message = format!("the expression of '{id}' gives {}, and the signal {has}", unit.0);
            let help = format!("write unit = \"{}\", or convert with a factor", unit.0);
            said.warning(codes::EXPRESSION_UNIT, &it.at, String::new(), id, message, help);
        }
    }
}

/// What of an expression was hardly meant: column, what it is, and what to do.
pub(crate) fn odd_bounds(syntax: &Syntax, what: &str) -> Vec<(u32, String, String)> {
    let said = |found: Finding| (found.column, format!("column {} of {what}: {}", found.column, found.message), found.hint);
    syntax.oddities().into_iter().map(said).collect()
}

fn obstacle(model: &Model, it: &Written, why: &Obstacle, said: &mut Said<'_>) {
    let signal = model.signal(it.signal);
    let (id, at) = (signal.id.as_str(), &it.at);
    match why {
        Obstacle::Expression(error) => {
            let message = format!("column {} of the expression of '{id}': {}", error.column, error.message);
            said.error(codes::EXPRESSION_INVALID, at, error.column.to_string(), id, message, error.hint.clone());
        }
        Obstacle::Unknown { name, column } => {
            let own = model.twin(signal.twin).signals.iter().map(|at| model.signal(*at).name.as_str());
            let all = model.signals().iter().map(|signal| signal.id.as_str());
            let otherwise = "name a signal of the twin, or any signal as <twin id>.<signal name>; put spaces around minus";
            let help =
                if name.contains('.') { said.out.suggest(name, all, otherwise) } else { said.out.suggest(name, own, otherwise) };
            let message = format!("column {column}: the expression of '{id}' mentions '{name}', which is no signal");
            said.error(codes::EXPRESSION_REFERENCE, at, column.to_string(), id, message, help);
        }
        Obstacle::Kind(gives) => {
            let (gives, value) = match gives {
                Type::Number => ("a number", "float"),
                Type::Boolean => ("true or false", "bool"),
                Type::Text => ("a text", "text"),
            };
            let has = signal.value_kind.as_str();
            let message = format!("the expression of '{id}' gives {gives}, and the signal has value = \"{has}\"");
            said.error(codes::EXPRESSION_INVALID, at, has.to_owned(), id, message, format!("write value = \"{value}\""));
        }
        Obstacle::Constant => {
            let message = format!("the expression of '{id}' names no signal, so that nothing says when it holds");
            let help = "name the signals that it follows from; limits belong into rules".to_owned();
            said.error(codes::EXPRESSION_INVALID, at, String::new(), id, message, help);
        }
        Obstacle::TooMany(count) => {
            let message =
                format!("'{id}' follows from {count} signals or more, at most {} are computed with", limits::COMPUTED_FROM);
            said.error(codes::TOO_MANY, at, String::new(), id, message, "leave some of them out".to_owned());
        }
        Obstacle::TooDeep(levels) => {
            let message =
                format!("{levels} computed signals stand on top of each other in '{id}', at most {}", limits::COMPUTED_LEVELS);
            let help = "let it read what those at the bottom read".to_owned();
            said.error(codes::TOO_MANY, at, String::new(), id, message, help);
        }
        Obstacle::TooLong => {
            let message = format!("the expressions of all computed signals have more than {} bytes", limits::COMPUTED_BYTES);
            said.error(codes::TOO_MANY, at, String::new(), id, message, "shorten them, or split the site".to_owned());
        }
        Obstacle::Circle(circle) => {
            let message = format!("'{id}' follows from itself: {}", chain(model, circle));
            let help = "break the circle; none of these is computed until then".to_owned();
            said.error(codes::EXPRESSION_CYCLE, at, String::new(), id, message, help);
        }
        // What stops it is said of the one that it reads.
        Obstacle::Below => {}
    }
}

/// `a → b → a`; of long circles the beginning and the end.
fn chain(model: &Model, circle: &[SignalIndex]) -> String {
    const SHOWN: usize = 8;
    let id = |signal: &SignalIndex| model.signal(*signal).id.as_str();
    let mut words: Vec<&str> = circle.iter().take(SHOWN).map(id).collect();
    if circle.len() > SHOWN {
        words.push("\u{2026}");
        words.extend(circle.last().map(id));
    }
    words.extend(circle.first().map(id));
    words.join(" \u{2192} ")
}

/// Whether a signal may be named where only measured ones make sense; says so where not.
pub(crate) fn measured(
    is_computed: bool,
    word: &Word,
    what: &str,
    code: &'static str,
    help: &str,
    out: &mut Diagnostics,
) -> bool {
    if is_computed {
        let message = format!("{what} '{}', which is computed", word.as_str());
        out.error(code, &word.at, word.as_str(), message, help.to_owned());
    }
    !is_computed
}

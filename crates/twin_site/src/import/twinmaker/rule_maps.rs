//! TwinMaker rule maps: icons and colours by comparison, read as health statuses.
//!
//! Their meaning is looks, not health, so this is done only where the site file asks for it. Differences that remain: the
//! first statement that holds decides there, the worst status here; `>=` and `<=` read as `>` and `<`.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;
use twin_model::{Band, Limit, Status, Value};

use super::super::Imported;
use crate::codes;
use crate::contents::RawRule;
use crate::diag::Diagnostics;
use crate::read::Word;

/// Where a scene uses a rule map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) map: String,
    pub(super) twin: String,
    pub(super) property: String,
}

/// A statement that could be read.
enum Statement {
    Band(Band),
    Case(Value, Status),
}

/// Adds a rule to every twin for which the scene uses a map; answers how many maps were used.
pub(super) fn add(json: &Json, uses: &BTreeSet<Use>, path: &Word, all: &mut Imported, out: &mut Diagnostics) -> usize {
    let twins: HashMap<String, usize> = all.twins.iter().enumerate().map(|(at, twin)| (twin.id.text.to_string(), at)).collect();
    let mut used = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for it in uses {
        let statements = json.pointer(&format!("/rules/{}/statements", it.map.replace('~', "~0").replace('/', "~1")));
        let Some(statements) = statements.and_then(Json::as_array) else { continue };
        let read: Vec<Option<Statement>> = statements.iter().map(|json| statement(json, &it.property)).collect();
        if read.iter().any(Option::is_none) && refused.insert(it.map.as_str()) {
            let message = format!(
                "rule map '{}' of '{}' has statements that are no plain comparison with '{}'",
                it.map,
                path.as_str(),
                it.property
            );
            out.info(codes::IMPORT_SKIPPED, &path.at, &it.map, message, "write them as rules of the interface".to_owned());
        }
        let twin = twins.get(&it.twin).and_then(|at| all.twins.get_mut(*at));
        if let (Some(twin), Some(rule)) = (twin, rule(it, read.into_iter().flatten(), path)) {
            twin.contents.rules.push(rule);
            used.insert(it.map.as_str());
        }
    }
    used.len()
}

fn rule(it: &Use, statements: impl Iterator<Item = Statement>, path: &Word) -> Option<RawRule> {
    let (mut bands, mut cases) = (Vec::new(), Vec::new());
    for statement in statements {
        match statement {
            Statement::Band(band) => bands.push(band),
            Statement::Case(value, status) => cases.push((value, status)),
        }
    }
    // A rule looks at numbers or at words; where a map mixes them, the words are the rarer slip.
    let kind = match (bands.is_empty(), cases.is_empty()) {
        (true, true) => return None,
        (false, _) => "range",
        (true, false) => "match",
    };
    Some(RawRule {
        id: Word::new(&it.map, &path.at),
        kind: Some(kind),
        signal: Some(Word::new(&it.property, &path.at)),
        bands: (kind == "range").then_some(bands),
        deadband: None,
        on_delay: None,
        off_delay: None,
        cases: (kind == "match").then_some(cases),
        otherwise: None,
        uncertain: None,
        bad: None,
        status: None,
        note: Some(format!("rule map {}", it.map)),
        remove: false,
    })
}

/// Reads `Temperature >= 100` with its target; `None` for anything else.
fn statement(json: &Json, property: &str) -> Option<Statement> {
    let status = status(json.get("target")?.as_str()?)?;
    let rest = json.get("expression")?.as_str()?.trim().strip_prefix(property)?.trim_start();
    let (operator, operand) =
        ["==", ">=", "<=", ">", "<"].iter().find_map(|word| Some((*word, rest.strip_prefix(word)?.trim())))?;
    let text = operand.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let number = operand.parse::<f64>().ok().filter(|number| number.is_finite());
    match (operator, text, number) {
        ("==", Some(text), _) => Some(Statement::Case(Value::text(text), status)),
        ("==", None, Some(number)) => Some(Statement::Case(Value::Float(number), status)),
        (">" | ">=", None, Some(number)) => Some(Statement::Band(Band { limit: Limit::Above(number), status })),
        ("<" | "<=", None, Some(number)) => Some(Statement::Band(Band { limit: Limit::Below(number), status })),
        _ => None,
    }
}

/// The status that an icon or a colour stands for by common use (red, orange, yellow, green).
fn status(target: &str) -> Option<Status> {
    let (kind, name) = target.rsplit_once(':')?;
    if kind.ends_with("icon") {
        return Some(match name {
            "Error" => Status::Failure,
            "Warning" => Status::Maintenance,
            "Info" => Status::Normal,
            _ => return None,
        });
    }
    if !kind.ends_with("color") {
        return None;
    }
    match name {
        "red" => return Some(Status::Failure),
        "orange" => return Some(Status::OutOfSpecification),
        "yellow" => return Some(Status::Maintenance),
        "green" => return Some(Status::Normal),
        _ => {}
    }
    let code = u32::from_str_radix(name.strip_prefix('#').filter(|digits| digits.len() == 6)?, 16).ok()?;
    let part = |shift: u32| f64::from((code >> shift) & 0xff);
    let (red, green, blue) = (part(16), part(8), part(0));
    // Between red (0) and green (1) on the warm side of the colour wheel; blues and greys stand for nothing.
    if red.max(green) < 2.0 * blue || red.max(green) < 64.0 {
        return None;
    }
    Some(match green / red.max(1.0) {
        share if share < 0.3 => Status::Failure,
        share if share < 0.7 => Status::OutOfSpecification,
        share if share < 1.2 => Status::Maintenance,
        _ => Status::Normal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_stand_for_a_status_by_common_use() {
        for (target, expected) in [
            ("iottwinmaker.common.icon:Error", Some(Status::Failure)),
            ("iottwinmaker.common.icon:Video", None),
            ("iottwinmaker.common.color:red", Some(Status::Failure)),
            ("iottwinmaker.common.color:#d85b12", Some(Status::OutOfSpecification)),
            ("iottwinmaker.common.color:#f0e010", Some(Status::Maintenance)),
            ("iottwinmaker.common.color:#01ff33", Some(Status::Normal)),
            ("iottwinmaker.common.color:#1030ff", None),
            ("iottwinmaker.common.number", None),
            ("", None),
        ] {
            assert_eq!(status(target), expected, "{target}");
        }
    }

    #[test]
    fn only_plain_comparisons_are_read() {
        let read = |expression: &str| statement(&serde_json::json!({ "expression": expression, "target": "x.color:red" }), "T");
        for fine in ["T > 1", " T<=-2.5 ", "T == 'ON'", "T==3"] {
            assert!(read(fine).is_some(), "{fine}");
        }
        for odd in ["(T - 55) / 10", "U > 1", "T > 'x'", "T >", "T > inf", "T", "", "TT > 1"] {
            assert!(read(odd).is_none(), "{odd}");
        }
    }
}

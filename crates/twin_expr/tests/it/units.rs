//! Sums of different units are remarked upon; everything else about units is left to the writer.

use crate::kit::compile;

fn check(text: &str, unit: Option<&str>, findings: &[&str]) {
    let expression = compile(text).unwrap();
    assert_eq!(expression.unit().map(|unit| unit.0.as_str()), unit, "{text}");
    let found: Vec<String> = expression.findings().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), findings.len(), "{text}: {found:?}");
    for (found, words) in found.iter().zip(findings) {
        assert!(found.contains(words), "{text}: {found}");
    }
}

#[test]
fn a_sum_of_different_units_is_a_finding_where_it_stands_and_no_error() {
    check("m.a + m.c", None, &["column 5: bar is added to °C; convert one of them with a factor, so that both are in °C"]);
    check("m.a - m.c", None, &["column 5: bar is subtracted from °C"]);
    check("m.a + m.c - `odd name/3`", None, &["column 5"]);
    check("max(m.a + m.c, m.c - m.a)", None, &["column 9", "column 20"]);
}

#[test]
fn numbers_products_and_unknown_units_fit_anything() {
    check("m.a + 5", Some("°C"), &[]);
    check("m.n + m.a", Some("°C"), &[]);
    check("m.a + 10 * m.c", Some("°C"), &[]);
    check("m.a * m.c", None, &[]);
    check("m.n + 1", None, &[]);
}

#[test]
fn a_unit_that_all_share_is_the_results() {
    check("m.a + m.b", Some("°C"), &[]);
    check("-m.a", Some("°C"), &[]);
    check("max(m.a, m.b, 3)", Some("°C"), &[]);
    check("clamp(m.a, 0, m.b)", Some("°C"), &[]);
    check("if(m.c > 3, m.a, m.b)", Some("°C"), &[]);
    check("if(m.run, m.a, m.c)", None, &[]);
    check("m.a > m.b", None, &[]);
}

#[test]
fn an_expression_full_of_mixed_sums_has_a_few_findings() {
    let text = vec!["(m.a + m.c)"; 250].join(" * ");
    assert_eq!(compile(&text).unwrap().findings().len(), 20);
}

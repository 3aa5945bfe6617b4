//! What fuzzing found worth keeping, through the same checks as under the fuzzer.

#[path = "../../../../fuzz/checks/expression.rs"]
mod expression;
#[path = "../../../../fuzz/checks/kept.rs"]
mod kept;

#[test]
fn every_kept_expression_passes_its_check() {
    kept::check_all("expression", expression::check);
}

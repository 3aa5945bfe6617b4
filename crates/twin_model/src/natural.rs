//! The order in which people expect names: numbers within them count as numbers, so that "Pump 2" comes before "Pump 10".

use std::cmp::Ordering;

/// Compares names as people do: runs of ASCII digits by their number, the rest by letters. A total order: names that differ are never
/// equal ("07" comes after "7").
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(left), digits(right));
        if !digits_a.is_empty() && !digits_b.is_empty() {
            let (number_a, number_b) = (digits_a.trim_start_matches('0'), digits_b.trim_start_matches('0'));
            // Of two numbers without leading zeros the longer is the larger, however long they are.
            let order = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
            if order.is_ne() {
                return order;
            }
            (left, right) = (&left[digits_a.len()..], &right[digits_b.len()..]);
            continue;
        }
        let (mut rest_a, mut rest_b) = (left.chars(), right.chars());
        match (rest_a.next(), rest_b.next()) {
            (Some(one), Some(other)) if one == other => (left, right) = (rest_a.as_str(), rest_b.as_str()),
            // One has ended, or they differ here. Of what is equal but for leading zeros that with fewer comes first.
            (one, other) => return one.cmp(&other).then_with(|| a.len().cmp(&b.len())).then_with(|| a.cmp(b)),
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sorted: &[&str]) {
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(natural_order(one, other), at.cmp(&other_at), "{one} {other}");
            }
        }
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        check(&["", "1", "Pump", "Pump 2", "Pump 2a", "Pump 10", "Pump 10.9", "Pump 10.10", "Pump A", "pump 1"]);
        check(&["filler-1", "filler-2", "filler-10", "filler-18446744073709551616", "filler-18446744073709551617"]);
    }

    #[test]
    fn names_that_differ_are_never_equal_and_the_order_has_no_circle() {
        check(&["a0", "a00", "a00b", "a1", "a01", "a01b", "a2", "ä1", "ä2", "漢10"]);
    }
}

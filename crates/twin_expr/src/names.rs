//! Finds the known id that a mistyped one most probably meant. Knows only texts.

/// The known id with the fewest edits to `wanted`, where these are at most a third of its length; the first of equals.
pub fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.chars().take(200).collect();
    let mut best: Option<(usize, &str)> = None;
    for id in known {
        let limit = best.map_or(wanted.len() / 3 + 1, |(edits, _)| edits);
        if id.chars().count().abs_diff(wanted.len()) >= limit {
            continue;
        }
        let edits = distance(&wanted, id);
        if edits < limit {
            best = Some((edits, id));
        }
    }
    best.map(|(_, id)| id)
}

/// Edits (insert, delete, replace) between two texts, by rows (Wagner and Fischer 1974).
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (j, cb) in b.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], j + 1);
        for (i, ca) in a.iter().enumerate() {
            let replaced = diagonal + usize::from(*ca != cb);
            diagonal = row[i + 1];
            row[i + 1] = replaced.min(diagonal + 1).min(row[i] + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_id_is_found_and_strangers_are_not() {
        let known = ["filler-01.speed", "filler-02.speed", "hall.ambient"];
        assert_eq!(nearest("filer-01.speed", known.into_iter()), Some("filler-01.speed"));
        assert_eq!(nearest("hall.ambeint", known.into_iter()), Some("hall.ambient"));
        assert_eq!(nearest("x", known.into_iter()), None);
        assert_eq!(nearest("", [].into_iter()), None);
    }

    #[test]
    fn distance_counts_edits() {
        let count = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), b);
        assert_eq!(count("kitten", "sitting"), 3);
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("abc", "abc"), 0);
    }
}

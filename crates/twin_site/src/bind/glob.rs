//! Patterns over node paths: `*` and `?` within a name, `**` for any number of names. No other character is special.

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of names, also none.
    Any,
    /// A name without wildcards.
    Literal(String),
    /// A name with wildcards, and the text before the first of them.
    Wild { pattern: Vec<char>, prefix: String },
}

/// What every match must have, so that an index can narrow the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hint<'a> {
    /// The last name is this.
    Last(&'a str),
    /// The last name starts with this.
    LastPrefix(&'a str),
    /// Some name above the last is this.
    Above(&'a str),
    /// Nothing to go by.
    None,
}

impl Glob {
    /// Compiles a pattern; every text is one.
    pub fn new(pattern: &str) -> Self {
        let mut segments: Vec<Segment> = Vec::new();
        for part in pattern.split('/') {
            let segment = if part == "**" {
                Segment::Any
            } else if part.contains(['*', '?']) {
                Segment::Wild {
                    pattern: part.chars().collect(),
                    prefix: part.chars().take_while(|c| !matches!(c, '*' | '?')).collect(),
                }
            } else {
                Segment::Literal(part.to_owned())
            };
            // Two `**` in a row say no more than one.
            if segment != Segment::Any || segments.last() != Some(&Segment::Any) {
                segments.push(segment);
            }
        }
        Self { segments }
    }

    /// Whether the whole path fits. Costs at most path times pattern length.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        wildcard(&names, &self.segments, |segment| *segment == Segment::Any, |name, segment| segment.matches(name))
    }

    /// The most selective thing that every match must have.
    pub(crate) fn hint(&self) -> Hint<'_> {
        match self.segments.last() {
            Some(Segment::Literal(name)) => Hint::Last(name),
            Some(Segment::Wild { prefix, .. }) if !prefix.is_empty() => Hint::LastPrefix(prefix),
            _ => self.above(),
        }
    }

    fn above(&self) -> Hint<'_> {
        let literal = self.segments.iter().rev().skip(1).find_map(|segment| match segment {
            Segment::Literal(name) => Some(name.as_str()),
            Segment::Any | Segment::Wild { .. } => None,
        });
        literal.map_or(Hint::None, Hint::Above)
    }
}

impl Segment {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(text) => text == name,
            Self::Wild { pattern, .. } => {
                let chars: Vec<char> = name.chars().collect();
                wildcard(&chars, pattern, |c| *c == '*', |c, p| *p == '?' || *p == *c)
            }
        }
    }
}

/// Matches `text` against `pattern`, in which `star` items stand for any run. Going back to the last star alone is enough:
/// an earlier one could only give up text that the later one can take as well.
fn wildcard<T, P>(text: &[T], pattern: &[P], star: impl Fn(&P) -> bool, same: impl Fn(&T, &P) -> bool) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match pattern.get(p) {
            Some(item) if star(item) => {
                back = Some((p, t));
                p += 1;
                continue;
            }
            Some(item) if text.get(t).is_some_and(|have| same(have, item)) => {
                t += 1;
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            _ => {}
        }
        match back {
            Some((star_at, from)) if from < text.len() => {
                back = Some((star_at, from + 1));
                t = from + 1;
                p = star_at + 1;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let glob = Glob::new(pattern);
        for path in yes {
            assert!(glob.matches(path), "{pattern} should fit {path}");
        }
        for path in no {
            assert!(!glob.matches(path), "{pattern} should not fit {path}");
        }
    }

    #[test]
    fn stars_stay_within_a_name_and_double_stars_do_not() {
        check("hall/*", &["hall/a", "hall/"], &["hall", "hall/a/b", "Hall/a"]);
        check("**/pump-*", &["pump-1", "a/pump-1", "a/b/pump-"], &["pump", "a/pump-1/x"]);
        check("a/**/z", &["a/z", "a/b/z", "a/b/c/z"], &["az", "a/b", "b/a/z"]);
        check("a/**", &["a/b", "a/b/c", "a"], &["b", "ab/c"]);
        check("**", &["", "a", "a/b"], &[]);
        check("**/a*b/c*d/**", &["x/ab/cd/y", "a/ab/a1b/c2d/y/z"], &["ab/x/cd/y"]);
        check("m?n", &["man", "m\u{fc}n"], &["mn", "m/n"]);
        check("pump-*.*", &["pump-01.flow"], &["pump-01"]);
        check("[ab](1)", &["[ab](1)"], &["a(1)"]);
    }

    #[test]
    fn hostile_patterns_cost_no_more_than_path_times_pattern() {
        let glob = Glob::new(&"*a".repeat(400));
        assert!(!glob.matches(&"a".repeat(4_000).replace("aaaaaaaaaa", "bbbbbbbbbb")));
        let deep = Glob::new(&"**/a/".repeat(200));
        assert!(!deep.matches(&"b/".repeat(2_000)));
    }

    #[test]
    fn hints_name_what_every_match_has() {
        for (pattern, hint) in [
            ("**/pump-01", Hint::Last("pump-01")),
            ("**/pump-0*", Hint::LastPrefix("pump-0")),
            ("hall/pump-01/**", Hint::Above("pump-01")),
            ("hall/*/x*", Hint::LastPrefix("x")),
            ("**/*", Hint::None),
        ] {
            assert_eq!(Glob::new(pattern).hint(), hint, "{pattern}");
        }
    }
}

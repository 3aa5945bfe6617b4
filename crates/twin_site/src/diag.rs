//! Findings about files: where, what is wrong, how to mend it; and "did you mean" for misspelt words.

use std::fmt;
use std::sync::Arc;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Part of the file was not used.
    Error,
    /// Used, but probably not what was meant.
    Warning,
    /// Worth knowing; never changes the exit code of `orrery check`.
    Info,
}

impl Severity {
    /// `error`, `warning` or `info`, as in machine output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A place in a text file, for people and editors.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// File name as it was given to the loader, or as it is written in the site file.
    pub file: Arc<str>,
    /// Line, counted from 1; 0 where the whole file is meant.
    pub line: u32,
    /// Column in characters, counted from 1; 0 where the whole line is meant.
    pub column: u32,
}

impl Location {
    /// The file as a whole.
    pub fn whole(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), line: 0, column: 0 }
    }
}

impl fmt::Display for Location {
    /// `file:line:column`, leaving out what is not known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.line > 0 && self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable code out of [`codes`](super::codes), for example `twin.unknown`.
    pub code: &'static str,
    /// Where.
    pub at: Location,
    /// Whom it is about, for example a twin id; may be empty.
    pub subject: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How to mend it; may be empty.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    /// `site.toml:12:3: error[twin.unknown]: message` and, on a second line, the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}[{}]: {}", self.at, self.severity.as_str(), self.code, self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

/// Most findings that one load keeps; a hostile file must not turn into a million messages.
pub const MAX_DIAGNOSTICS: usize = 1_000;

/// Most searches for a similar word in one load; each costs a pass over all candidates.
const MAX_SUGGESTIONS: usize = 50;

/// Most candidates that one search looks at.
const MAX_CANDIDATES: usize = 20_000;

/// Collects findings, up to [`MAX_DIAGNOSTICS`].
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    dropped: usize,
    suggested: usize,
}

impl Diagnostics {
    /// What was found so far, in the order in which it was.
    pub(crate) fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Takes over what was found elsewhere.
    pub(crate) fn take_over(&mut self, other: Self) {
        self.dropped += other.dropped;
        other.list.into_iter().for_each(|finding| self.push(finding));
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.list.len() < MAX_DIAGNOSTICS {
            self.list.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Adds an error.
    pub fn error(&mut self, code: &'static str, at: &Location, subject: &str, message: String, help: String) {
        self.push(Diagnostic { severity: Severity::Error, code, at: at.clone(), subject: subject.to_owned(), message, help });
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: &'static str, at: &Location, subject: &str, message: String, help: String) {
        self.push(Diagnostic { severity: Severity::Warning, code, at: at.clone(), subject: subject.to_owned(), message, help });
    }

    /// Adds a warning, unless the place has one of that code already: what many twins inherit is wrong once.
    pub fn warning_once(&mut self, code: &'static str, at: &Location, subject: &str, message: String, help: &str) {
        if !self.list.iter().any(|known| known.code == code && known.at == *at && known.subject != subject) {
            self.warning(code, at, subject, message, help.to_owned());
        }
    }

    /// Adds a remark.
    pub fn info(&mut self, code: &'static str, at: &Location, subject: &str, message: String, help: String) {
        self.push(Diagnostic { severity: Severity::Info, code, at: at.clone(), subject: subject.to_owned(), message, help });
    }

    /// "did you mean" among `candidates`, else `otherwise`. Stops searching after some dozens of misspelt words.
    pub fn suggest<'a>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
        self.suggested += 1;
        if self.suggested > MAX_SUGGESTIONS {
            return otherwise.to_owned();
        }
        match closest(word, candidates) {
            Some(similar) => format!("did you mean '{similar}'?"),
            None => otherwise.to_owned(),
        }
    }

    /// All findings in the order of file and line, with one remark more if some had to be dropped.
    pub fn finish(mut self, file: &Arc<str>) -> Vec<Diagnostic> {
        // The site file first, then the others by name; within a file from top to bottom.
        let key = |at: &Location| (at.file != *file, Arc::clone(&at.file), at.line, at.column);
        self.list.sort_by_key(|finding| key(&finding.at));
        if self.dropped > 0 {
            self.list.push(Diagnostic {
                severity: Severity::Error,
                code: super::codes::TOO_MANY,
                at: Location::whole(file),
                subject: String::new(),
                message: format!("{} more findings are not listed", self.dropped),
                help: "mend the ones above first; many often have one cause".to_owned(),
            });
        }
        self.list
    }
}

/// Turns byte offsets of one text into lines and columns.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Reads the text once.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1));
        Self { starts }
    }

    /// Line and column, both from 1, of a byte offset; offsets beyond the end give the last line.
    pub fn line_column(&self, text: &str, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = text.get(start..offset.min(text.len())).unwrap_or("");
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (count(line), count(before.chars().count() + 1))
    }
}

/// The candidate nearest to `word` by edit distance, if near enough to be a slip: a third of the word's length, at least
/// one, at most four edits. Of equally near ones the first wins. A difference in case alone is no distance.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = word.to_lowercase().chars().take(64).collect();
    let limit = (wanted.len() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
        let allowed = best.map_or(limit, |(distance, _)| distance.saturating_sub(1).min(limit));
        let length = candidate.chars().take(65).count();
        if length > 64 || length.abs_diff(wanted.len()) > allowed + 2 || best.is_some_and(|(distance, _)| distance == 0) {
            continue;
        }
        let text: Vec<char> = candidate.to_lowercase().chars().collect();
        if text.len().abs_diff(wanted.len()) > allowed {
            continue;
        }
        let distance = edit_distance(&wanted, &text);
        if distance <= allowed {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment: insert, delete, replace and swap of neighbours cost one each.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row: Vec<usize> = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cost = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(before_last[j - 2] + 1);
            }
            row[j] = cost;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let words = ["status", "signal", "stale_after", "late_after"];
        for (typed, meant) in [
            ("statsu", Some("status")),
            ("Signal", Some("signal")),
            ("stale_afer", Some("stale_after")),
            ("frobnicate", None),
            ("", None),
        ] {
            assert_eq!(closest(typed, words), meant, "{typed}");
        }
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "a\näöü = 1\n";
        let index = LineIndex::new(text);
        for (offset, expected) in [(0, (1, 1)), (2, (2, 1)), (6, (2, 3)), (999, (3, 1))] {
            assert_eq!(index.line_column(text, offset), expected, "{offset}");
        }
    }

    #[test]
    fn the_flood_of_findings_is_bounded_and_says_so() {
        let file: Arc<str> = "site.toml".into();
        let mut all = Diagnostics::default();
        for _ in 0..MAX_DIAGNOSTICS + 7 {
            all.error("x", &Location::whole(&file), "", "m".into(), String::new());
        }
        let list = all.finish(&file);
        assert_eq!(list.len(), MAX_DIAGNOSTICS + 1);
        assert!(list.last().unwrap().message.starts_with("7 more"));
    }
}

//! The words of one text signal by code.

use std::collections::HashMap;
use std::sync::Arc;

/// Words in order of first appearance; a word's position is its code. Words are never forgotten.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    words: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Words {
    /// Code of a word, a new one if need be.
    pub(crate) fn code(&mut self, word: &Arc<str>) -> u64 {
        if let Some(code) = self.codes.get(word) {
            return u64::from(*code);
        }
        let code = self.words.len();
        self.words.push(word.clone());
        self.codes.insert(word.clone(), code as u32);
        // Text with its two counts, both pointers, code and hash table overhead.
        self.bytes += word.len() + 16 + 16 + 24 + 16;
        code as u64
    }

    /// The word of a code.
    pub(crate) fn word(&self, code: u64) -> Option<&Arc<str>> {
        self.words.get(usize::try_from(code).ok()?)
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

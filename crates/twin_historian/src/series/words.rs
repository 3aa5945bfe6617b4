//! The words of one text signal by code.

use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a word besides its letters: its two counts, both pointers, code and hash table overhead.
const WORD: usize = 16 + 16 + 24 + 16;

/// Words by code, in order of first appearance; codes of words that were given up are used again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    words: Vec<Option<Arc<str>>>,
    codes: HashMap<Arc<str>, u32>,
    free: Vec<u32>,
    bytes: usize,
}

impl Words {
    /// Code of a word, a new one if need be.
    pub(crate) fn code(&mut self, word: &Arc<str>) -> u64 {
        if let Some(code) = self.codes.get(word) {
            return u64::from(*code);
        }
        let code = match self.free.pop() {
            Some(code) => code,
            None => {
                self.words.push(None);
                self.words.len() as u32 - 1
            }
        };
        if let Some(slot) = self.words.get_mut(code as usize) {
            *slot = Some(word.clone());
        }
        self.codes.insert(word.clone(), code);
        self.bytes += word.len() + WORD;
        u64::from(code)
    }

    /// The word of a code.
    pub(crate) fn word(&self, code: u64) -> Option<&Arc<str>> {
        self.words.get(usize::try_from(code).ok()?)?.as_ref()
    }

    /// Codes of all words.
    pub(crate) fn all(&self) -> impl Iterator<Item = u64> + '_ {
        self.words.iter().enumerate().filter(|(_, word)| word.is_some()).map(|(code, _)| code as u64)
    }

    /// Bytes that a word takes.
    pub(crate) fn weight(&self, code: u64) -> usize {
        self.word(code).map_or(0, |word| word.len() + WORD)
    }

    /// Forgets a word that no row has any more.
    pub(crate) fn give_up(&mut self, code: u64) {
        let Some(word) = usize::try_from(code).ok().and_then(|code| self.words.get_mut(code)).and_then(Option::take) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(word.len() + WORD);
        self.codes.remove(&word);
        self.free.push(code as u32);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.codes.len()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

//! Which words went and came between two pieces of text.

use std::ops::Range;

use crate::content::is_space;
use crate::merge::text::hunks::{Compared, Comparison};

/// Words that went and words that came in their place, as ranges of bytes; one of them may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WordChange {
    /// In the old text.
    pub old: Range<usize>,
    /// In the new text.
    pub new: Range<usize>,
}

/// The words that differ, in order, as `git diff --color-words` pairs them: a word is a run of bytes without white space.
pub fn word_changes(old: &[u8], new: &[u8]) -> Vec<WordChange> {
    let (old_words, new_words) = (words(old), words(new));
    let how = Comparison { indent_heuristic: false, ..Comparison::default() };
    let compared = Compared::of(&a_line_each(old, &old_words), &a_line_each(new, &new_words), &how);
    let bytes = |words: &[Range<usize>], changed: Range<usize>| match changed.is_empty() {
        // Behind the word before it; at the beginning where there is none.
        true => {
            let at = changed.start.checked_sub(1).map_or(0, |word| words[word].end);
            at..at
        }
        false => words[changed.start].start..words[changed.end - 1].end,
    };
    let changes = compared.changes.iter();
    changes
        .map(|change| WordChange {
            old: bytes(&old_words, change.old.clone()),
            new: bytes(&new_words, change.new.clone()),
        })
        .collect()
}

fn words(text: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let is_space = |byte: &u8| is_space(*byte);
        let start = at + text[at..].iter().take_while(|byte| is_space(byte)).count();
        let end = start + text[start..].iter().take_while(|byte| !is_space(byte)).count();
        if end > start {
            words.push(start..end);
        }
        at = end;
    }
    words
}

fn a_line_each(text: &[u8], words: &[Range<usize>]) -> Vec<u8> {
    words.iter().flat_map(|word| text[word.clone()].iter().copied().chain([b'\n'])).collect()
}

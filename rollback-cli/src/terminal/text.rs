//! Text from a repository on its way to a terminal: nothing in it may steer the terminal or change the
//! order in which letters are read.

use std::borrow::Cow;

use anstream::adapter::strip_str;
use rollback_core::RepoPath;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character could steer a terminal, reorder text, or hide in it.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The text with every unsafe character spelled out, such as `\x1b` or `\u{202e}`.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut escaped, c);
    }
    Cow::Owned(escaped)
}

/// The text of several lines: as [`escape`], but a line feed stays one and a tab stays one.
pub(crate) fn escape_lines(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => escaped.push(c),
            c => push(&mut escaped, c),
        }
    }
    escaped
}

/// A path for people: escaped, and bytes that are not UTF-8 as `\xff`.
pub(crate) fn path(path: &RepoPath) -> String {
    if path.is_root() {
        return ".".into();
    }
    let mut text = String::new();
    for chunk in path.as_bytes().utf8_chunks() {
        text.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

fn push(escaped: &mut String, c: char) {
    match c {
        '\n' => escaped.push_str("\\n"),
        '\t' => escaped.push_str("\\t"),
        '\r' => escaped.push_str("\\r"),
        c if u32::from(c) < 0x100 && is_unsafe(c) => {
            escaped.push_str(&format!("\\x{:02x}", u32::from(c)));
        }
        c if is_unsafe(c) => escaped.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => escaped.push(c),
    }
}

/// How many columns the text takes; its colours take none.
pub(crate) fn width(text: &str) -> usize {
    strip_str(text).map(UnicodeWidthStr::width).sum()
}

/// The text cut to fit into so many columns, the cut marked.
pub(crate) fn fit(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut fitted = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = c.width().unwrap_or(0);
        if used + next > room {
            break;
        }
        used += next;
        fitted.push(c);
    }
    fitted.push_str(ellipsis);
    fitted
}

/// The text followed by spaces up to so many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// The lines of a text none of which is wider than so many columns where that can be had by breaking at spaces.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in text.split(' ') {
        if !current.is_empty() && width(&current) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut current));
        } else if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

/// `1 path`, `2 paths`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_spelled_out() {
        assert_eq!(escape("\x1b]0;x\x07"), r"\x1b]0;x\x07");
        assert_eq!(escape("a\u{202e}b\u{2066}"), r"a\u{202e}b\u{2066}");
        assert_eq!(escape("\u{9b}31m"), r"\x9b31m");
        assert_eq!(escape("tab\tline\n"), r"tab\tline\n");
        assert_eq!(escape("Grüße, 世界"), "Grüße, 世界");
        assert_eq!(escape_lines("a\n\tb\x1b"), "a\n\tb\\x1b");
    }

    #[test]
    fn a_path_shows_the_bytes_that_are_no_text() {
        assert_eq!(path(&RepoPath::new(&b"caf\xe9/\n"[..])), r"caf\xe9/\n");
        assert_eq!(path(&RepoPath::default()), ".");
    }

    #[test]
    fn text_is_cut_by_columns_and_not_by_letters() {
        assert_eq!(fit("世界世界", 5, "…"), "世界…");
        assert_eq!(fit("short", 5, "…"), "short");
        assert_eq!(fit("longer", 5, "…"), "long…");
        assert_eq!(pad("世", 4), "世  ");
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
        assert_eq!(wrap("", 3), [""]);
    }
}

//! Lines and blanks as git counts them. Its `isspace` knows four bytes whatever the locale; a form feed is none.

use bstr::{BString, ByteVec};

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether the line, with or without its line feed, holds nothing but white space.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().copied().all(is_space)
}

/// The lines with their line feeds; the last one may lack it.
pub(super) fn lines(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// Up to the first line feed, without it.
pub(super) fn first_line(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

pub(super) fn without_leading_blank_lines(text: &[u8]) -> &[u8] {
    let blank: usize = lines(text).take_while(|line| is_blank(line)).map(<[u8]>::len).sum();
    &text[blank..]
}

pub(super) fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    &line[..end]
}

/// Ends the last line, unless there is none.
pub(super) fn complete_line(text: &mut BString) {
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push_byte(b'\n');
    }
}

/// Appends a paragraph: one blank line, then `paragraph`, then the end of its line.
pub(super) fn push_paragraph(text: &mut BString, paragraph: &[u8]) {
    complete_line(text);
    if !text.is_empty() && !text.ends_with(b"\n\n") {
        text.push_byte(b'\n');
    }
    text.push_str(paragraph);
    complete_line(text);
}

/// The text as comment lines. Like git, no blank stands between the comment string and a tab or an empty line.
pub(super) fn commented(text: &[u8], comment: &[u8]) -> BString {
    let mut out = BString::default();
    for line in lines(text) {
        out.push_str(comment);
        if !matches!(line[0], b'\n' | b'\t') {
            out.push_byte(b' ');
        }
        out.push_str(line);
    }
    complete_line(&mut out);
    out
}

/// The path as a message shows it: as it stands where it is plain text, else quoted as git quotes paths.
pub(super) fn shown_path(path: &[u8]) -> BString {
    let plain = |text: &str| !text.chars().any(|char| char.is_control() || matches!(char, '"' | '\\'));
    if std::str::from_utf8(path).is_ok_and(plain) {
        return path.into();
    }
    let mut out = BString::from("\"");
    for byte in path.iter().copied() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b' '..=b'~' => out.push_byte(byte),
            _ => out.push_str(format!("\\{byte:03o}")),
        }
    }
    out.push_byte(b'"');
    out
}

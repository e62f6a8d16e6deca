//! Pages that are made from lists: Markdown in lines that can be read as they are.

use std::collections::BTreeMap;
use std::fs;

use crate::mutants::project;

/// The width that lines keep to.
const WIDTH: usize = 116;

/// The text with a value for each `{{name}}`.
pub fn filled(text: &str, values: &BTreeMap<&str, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    text
}

/// The text in lines of at most 116 characters where its words allow it; code stays in one piece.
pub fn wrapped(text: &str, indent: &str) -> String {
    let (mut lines, mut line, mut in_code) = (Vec::new(), String::new(), false);
    let mut words: Vec<String> = Vec::new();
    let body = text.trim_start();
    let first = &text[..text.len() - body.len()];
    for word in body.split(' ') {
        match words.last_mut() {
            Some(last) if in_code => *last += &format!(" {word}"),
            _ => words.push(word.to_owned()),
        }
        in_code ^= word.matches('`').count() % 2 == 1;
    }
    line += first;
    for word in words {
        let is_empty = line.trim().is_empty();
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            line += &word;
        } else {
            line += if is_empty { "" } else { " " };
            line += &word;
        }
    }
    lines.push(line);
    lines.join("\n")
}

/// An item of a list; each of the other lines begins on a line of its own.
pub fn item(first: &str, rest: &[String]) -> String {
    let mut text = wrapped(&format!("- {first}"), "  ");
    for line in rest {
        // Two blanks at the end of a line are easily lost; a backslash breaks it, too.
        text += "\\\n";
        text += &wrapped(&format!("  {line}"), "  ");
    }
    text
}

/// Holds the file at `path`, counted from the top of the project, to what its sources make of it; `shape` leaves out what
/// may differ. With `RB_BLESS` set the file is written instead.
///
/// # Panics
/// Where they differ, at the first line that does.
#[track_caller]
pub fn hold(path: &str, made: &str, shape: impl Fn(&str) -> String) {
    let kept = fs::read_to_string(project().join(path)).unwrap_or_default();
    let (is, should) = (shape(&kept), shape(made));
    if is == should {
        return;
    }
    if std::env::var_os("RB_BLESS").is_some() {
        return fs::write(project().join(path), made).expect("the file can be written");
    }
    for (number, (is, should)) in is.lines().zip(should.lines()).enumerate() {
        assert_eq!(is, should, "{path}, line {}: RB_BLESS=1 writes it again", number + 1);
    }
    panic!("{path} ends elsewhere: RB_BLESS=1 writes it again");
}

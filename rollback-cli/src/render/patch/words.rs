//! The lines of a hunk with the words that go and come in colour, as `git diff --color-words` writes them.

use rollback_core::patch::{Hunk, LineKind, word_changes};

use super::{NEW, OLD, RESET};

pub(super) fn write(hunk: &Hunk, out: &mut Vec<u8>) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for line in &hunk.lines {
        match line.kind {
            LineKind::Old => old.extend(complete(&line.text)),
            LineKind::New => new.extend(complete(&line.text)),
            _ => {
                flush(&mut old, &mut new, out);
                out.extend(line.text.strip_suffix(b"\n").unwrap_or(&line.text));
                out.extend(RESET.as_bytes());
                out.push(b'\n');
            }
        }
    }
    flush(&mut old, &mut new, out);
}

fn complete(line: &[u8]) -> Vec<u8> {
    let end: &[u8] = if line.ends_with(b"\n") { b"" } else { b"\n" };
    [line, end].concat()
}

/// The new text, with what went before the words that came in its place.
fn flush(old: &mut Vec<u8>, new: &mut Vec<u8>, out: &mut Vec<u8>) {
    if new.is_empty() {
        piece(OLD, old, out);
    } else if !old.is_empty() || !new.is_empty() {
        let mut at = 0;
        for change in word_changes(old, new) {
            if at < change.new.start {
                piece("", &new[at..change.new.start], out);
            }
            piece(OLD, &old[change.old], out);
            at = change.new.end;
            piece(NEW, &new[change.new], out);
        }
        piece("", &new[at..], out);
    }
    old.clear();
    new.clear();
}

/// Text in a colour, which ends with each line and begins again.
fn piece(colour: &str, text: &[u8], out: &mut Vec<u8>) {
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let (words, end) = line.strip_suffix(b"\n").map_or((line, b"".as_slice()), |words| (words, b"\n"));
        if !words.is_empty() && !colour.is_empty() {
            out.extend([colour.as_bytes(), words, RESET.as_bytes()].concat());
        } else {
            out.extend(words);
        }
        out.extend(end);
    }
}

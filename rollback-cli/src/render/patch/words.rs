//! The lines of a hunk with the words that go and come in colour, as `git diff --color-words` writes them.

use rollback_core::patch::{Hunk, LineKind, word_changes};

use super::{Brush, NEW, OLD, RESET};

pub(super) fn write(hunk: &Hunk, brush: Brush, out: &mut Vec<u8>) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for line in &hunk.lines {
        match line.kind {
            LineKind::Old => old.extend(complete(&line.text)),
            LineKind::New => new.extend(complete(&line.text)),
            _ => {
                flush((&mut old, &mut new), brush, out);
                out.extend(&*brush.plain(line.text.strip_suffix(b"\n").unwrap_or(&line.text)));
                out.extend(RESET.as_bytes());
                out.push(b'\n');
            }
        }
    }
    flush((&mut old, &mut new), brush, out);
}

fn complete(line: &[u8]) -> Vec<u8> {
    let end: &[u8] = if line.ends_with(b"\n") { b"" } else { b"\n" };
    [line, end].concat()
}

/// The new text, with what went before the words that came in its place.
fn flush((old, new): (&mut Vec<u8>, &mut Vec<u8>), brush: Brush, out: &mut Vec<u8>) {
    let mut piece = |colour: &str, text: &[u8]| piece(colour, text, brush, out);
    if new.is_empty() {
        piece(OLD, old);
    } else if !old.is_empty() || !new.is_empty() {
        let mut at = 0;
        for change in word_changes(old, new) {
            if at < change.new.start {
                piece("", &new[at..change.new.start]);
            }
            piece(OLD, &old[change.old]);
            at = change.new.end;
            piece(NEW, &new[change.new]);
        }
        piece("", &new[at..]);
    }
    old.clear();
    new.clear();
}

/// Text in a colour, which ends with each line and begins again.
fn piece(colour: &str, text: &[u8], brush: Brush, out: &mut Vec<u8>) {
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let (words, end) = line.strip_suffix(b"\n").map_or((line, b"".as_slice()), |words| (words, b"\n"));
        if !words.is_empty() && !colour.is_empty() {
            out.extend(brush.painted(colour, words));
        } else {
            out.extend(&*brush.plain(words));
        }
        out.extend(end);
    }
}

//! Patterns, text and equality.

use bstr::ByteSlice;

use super::{Outcome, Seen, Verdict};
use crate::procedure::format::{Expect, Pattern};

pub(super) fn judge(expect: &Expect, seen: Seen<'_>, same_as: Option<&[u8]>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if let Seen::Program(output) = seen {
        let streams =
            [("stdout", &expect.stdout, &output.stdout), ("stderr", &expect.stderr, &output.stderr)];
        for (name, pattern, stream) in streams {
            if let Some(pattern) = pattern {
                verdicts.push(matches(name, pattern, stream.as_bytes()));
            }
        }
    }
    if let Some(pattern) = &expect.never {
        verdicts.push(never(pattern, seen));
    }
    if let Some(text) = &expect.contains {
        let found = seen.all().any(|bytes| bytes.contains_str(text));
        verdicts.push(match found {
            true => Verdict::pass(),
            false => Verdict::new(Outcome::Fail, format!("'{text}' does not occur")),
        });
    }
    if let Some(empty) = expect.empty {
        let bytes = seen.first().len();
        verdicts.push(match (empty, bytes) {
            (true, 0) | (false, 1..) => Verdict::pass(),
            (true, _) => Verdict::new(Outcome::Fail, "there is output where none is expected")
                .of("0 bytes", size(bytes)),
            (false, _) => Verdict::new(Outcome::Fail, "there is nothing").of("some bytes", size(bytes)),
        });
    }
    if let Some(path) = &expect.same_as {
        verdicts.push(match same_as {
            Some(bytes) if bytes == seen.first() => Verdict::pass(),
            Some(bytes) => differs(path.as_str(), bytes, seen.first()),
            None => Verdict::new(Outcome::Error, format!("{path} cannot be read to compare with")),
        });
    }
    verdicts
}

fn size(bytes: usize) -> String {
    format!("{bytes} bytes")
}

fn matches(name: &str, pattern: &Pattern, bytes: &[u8]) -> Verdict {
    if pattern.regex().is_match(bytes) {
        return Verdict::pass();
    }
    Verdict::new(Outcome::Fail, format!("{name} does not match {pattern}"))
}

fn never(pattern: &Pattern, seen: Seen<'_>) -> Verdict {
    match seen.all().find_map(|bytes| pattern.regex().find(bytes).map(|found| line_of(bytes, found.start())))
    {
        Some(line) => Verdict::new(Outcome::Fail, format!("{pattern} matches")).of("no match", line),
        None => Verdict::pass(),
    }
}

fn line_of(bytes: &[u8], at: usize) -> String {
    const LONGEST: usize = 200;
    let start = bytes[..at].rfind_byte(b'\n').map_or(0, |newline| newline + 1);
    let end = bytes[at..].find_byte(b'\n').map_or(bytes.len(), |newline| at + newline);
    bytes[start..end].to_str_lossy().trim().chars().take(LONGEST).collect()
}

fn differs(path: &str, expected: &[u8], found: &[u8]) -> Verdict {
    let lines = expected.lines().zip(found.lines());
    let same = lines.take_while(|(left, right)| left == right).count();
    let line = |bytes: &[u8]| bytes.lines().nth(same).map_or("the end".to_owned(), |line| line_of(line, 0));
    Verdict::new(Outcome::Fail, format!("it differs from {path} in line {}", same + 1))
        .of(line(expected), line(found))
}

//! The words of a `git fast-import` stream: lines, data, identities, quoted paths. What they build is not known here.

use std::borrow::Cow;

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, Result};

/// A position in a stream.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// The line that comes next, counted from 1.
    line: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { rest: stream, line: 1 }
    }

    /// The next command line, without its end; comments and empty lines are passed over.
    pub(super) fn command(&mut self) -> Option<&'a BStr> {
        loop {
            let line = self.peek()?;
            self.advance(line.len() + 1);
            if !line.is_empty() && !line.starts_with(b"#") {
                return Some(line);
            }
        }
    }

    /// What follows `word` on the next line, if the line begins with it.
    pub(super) fn optional(&mut self, word: &str) -> Option<&'a BStr> {
        while self.peek()?.starts_with(b"#") {
            let comment = self.peek()?.len();
            self.advance(comment + 1);
        }
        let argument = self.peek()?.strip_prefix(word.as_bytes())?;
        self.advance(word.len() + argument.len() + 1);
        Some(argument.as_bstr())
    }

    /// What follows `word` on the next line, which must begin with it.
    pub(super) fn required(&mut self, word: &str) -> Result<&'a BStr> {
        self.optional(word).ok_or_else(|| self.error(format!("'{}' is missing", word.trim_end())))
    }

    /// The next line as a change of a commit: a letter or `deleteall`. `None` where the commit is at its end.
    pub(super) fn change(&mut self) -> Option<&'a BStr> {
        let is_change = |line: &BStr| {
            line == "deleteall" || line.len() > 1 && line[0].is_ascii_uppercase() && line[1] == b' '
        };
        while self.peek()?.starts_with(b"#") {
            let comment = self.peek()?.len();
            self.advance(comment + 1);
        }
        let line = self.peek().filter(|line| is_change(line))?;
        self.advance(line.len() + 1);
        Some(line)
    }

    /// A `data` command and what it holds: counted, or up to a line of its own choosing.
    pub(super) fn data(&mut self) -> Result<&'a [u8]> {
        let size = self.required("data ")?;
        let content = match size.strip_prefix(b"<<") {
            Some(mark) => self.data_until(mark)?,
            None => self.counted_data(size)?,
        };
        // One line feed after the data belongs to it and not to what follows.
        if self.rest.first() == Some(&b'\n') {
            self.advance(1);
        }
        Ok(content)
    }

    fn counted_data(&mut self, size: &BStr) -> Result<&'a [u8]> {
        let size = number(size).ok_or_else(|| self.error(format!("'{size}' is not a number of bytes")))?;
        let content = self.rest.get(..size).ok_or_else(|| self.error("the data is cut off"))?;
        self.advance(size);
        Ok(content)
    }

    fn data_until(&mut self, mark: &[u8]) -> Result<&'a [u8]> {
        let start = self.rest;
        let mut length = 0;
        while let Some(line) = self.peek().filter(|_| !self.rest.is_empty()) {
            self.advance(line.len() + 1);
            if line == mark {
                return Ok(&start[..length]);
            }
            length += line.len() + 1;
        }
        Err(self.error(format!("no line '{}' ends the data", mark.as_bstr())))
    }

    /// An error that names the line before this position.
    pub(super) fn error(&self, why: impl std::fmt::Display) -> Error {
        Error::BadRequest(format!("line {} of the history: {why}", self.line.saturating_sub(1).max(1)))
    }

    fn peek(&self) -> Option<&'a BStr> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.rest.lines_with_terminator().next()?.trim_end_with(|char| char == '\n').as_bstr())
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += passed.find_iter(b"\n").count();
        self.rest = rest;
    }
}

/// The number that the text spells.
pub(super) fn number(text: &[u8]) -> Option<usize> {
    text.to_str().ok()?.parse().ok()
}

/// The path at the start of `text`, quoted as git quotes or not, and what follows it. An unquoted one goes to the end
/// of the line, or, where another path follows, to the first blank.
pub(super) fn path(text: &[u8], another_follows: bool) -> Option<(Cow<'_, BStr>, &[u8])> {
    if let Some(quoted) = text.strip_prefix(b"\"") {
        let (path, rest) = unquote(quoted)?;
        return Some((Cow::Owned(path), rest.strip_prefix(b" ").unwrap_or(rest)));
    }
    let (path, rest) = match text.split_once_str(" ") {
        Some((path, rest)) if another_follows => (path, rest),
        _ => (text, &[][..]),
    };
    (!path.is_empty()).then_some((Cow::Borrowed(path.as_bstr()), rest))
}

/// Undoes C-style quoting up to the closing quote, which goes too.
fn unquote(text: &[u8]) -> Option<(BString, &[u8])> {
    let mut path = BString::default();
    let mut rest = text;
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((path, rest)),
            b'\\' => {
                let (escape, after) = rest.split_first()?;
                rest = after;
                path.push(match escape {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'"' | b'\\' => *escape,
                    b'0'..=b'3' => {
                        let digits = rest.get(..2)?.to_str().ok()?;
                        rest = &rest[2..];
                        u8::from_str_radix(&format!("{}{digits}", char::from(*escape)), 8).ok()?
                    }
                    _ => return None,
                });
            }
            _ => path.push(*byte),
        }
    }
}

//! The syntax of configuration files, as git reads it: each value with its line, or the line at which git gives up.
//!
//! The object library reads the values; this reader exists for what it cannot tell: where git stops, and in which line a
//! value stands. Nothing here writes.

use bstr::BString;

/// One value of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The section, in small letters.
    pub(crate) section: BString,
    pub(crate) subsection: Option<BString>,
    /// The name of the variable, in small letters.
    pub(crate) name: BString,
    /// `None` for a name without `=`.
    pub(crate) value: Option<BString>,
    /// The line that the name stands in, counted from 1.
    pub(crate) line: usize,
}

impl Setting {
    /// The key, such as `core.bare` or `filter.x.required`.
    pub(crate) fn key(&self) -> String {
        match &self.subsection {
            Some(subsection) => format!("{}.{subsection}.{}", self.section, self.name),
            None => format!("{}.{}", self.section, self.name),
        }
    }
}

/// The values of a configuration file in their order; `Err` with the line that git refuses, counted from 1.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Setting>, usize> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader { bytes, at: 0, line: 1 };
    reader.settings().ok_or(reader.line)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        match self.bytes.get(self.at..)? {
            [b'\r', b'\n', ..] => Some(b'\n'),
            rest => rest.first().copied(),
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += if self.bytes[self.at] == b'\r' && byte == b'\n' { 2 } else { 1 };
        if byte == b'\n' {
            self.line += 1;
        }
        Some(byte)
    }

    fn skip(&mut self) {
        self.next();
    }

    /// Takes bytes as long as they are `wanted`.
    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> BString {
        let mut taken = BString::default();
        while let Some(byte) = self.peek().filter(|byte| wanted(*byte)) {
            taken.push(byte);
            self.skip();
        }
        taken
    }

    fn settings(&mut self) -> Option<Vec<Setting>> {
        let mut settings = Vec::new();
        let (mut section, mut subsection) = (BString::default(), None);
        while let Some(byte) = self.peek() {
            match byte {
                b'#' | b';' => drop(self.take_while(|byte| byte != b'\n')),
                b'[' => (section, subsection) = self.header()?,
                byte if is_space(byte) => self.skip(),
                byte if byte.is_ascii_alphabetic() => {
                    let line = self.line;
                    let name = self.take_while(is_key_byte).to_ascii_lowercase().into();
                    let value = self.value()?;
                    let (section, subsection) = (section.clone(), subsection.clone());
                    settings.push(Setting { section, subsection, name, value, line });
                }
                _ => return None,
            }
        }
        Some(settings)
    }

    /// `[section]`, `[section.sub]` or `[section "sub"]`.
    fn header(&mut self) -> Option<(BString, Option<BString>)> {
        self.skip();
        let name: BString =
            self.take_while(|byte| is_key_byte(byte) || byte == b'.').to_ascii_lowercase().into();
        match self.peek()? {
            b']' if name.is_empty() => None,
            b']' => {
                self.skip();
                let at = name.iter().position(|byte| *byte == b'.');
                Some(at.map_or((name.clone(), None), |at| (name[..at].into(), Some(name[at + 1..].into()))))
            }
            byte if is_space(byte) && byte != b'\n' => {
                self.take_while(|byte| is_space(byte) && byte != b'\n');
                let subsection = self.quoted()?;
                Some((name, Some(subsection)))
            }
            _ => None,
        }
    }

    /// `"…"]`, in which a backslash stands for the byte after it.
    fn quoted(&mut self) -> Option<BString> {
        self.peek().filter(|byte| *byte == b'"')?;
        self.skip();
        let mut text = BString::default();
        loop {
            // A line feed is not taken, so that the line of the error is the one that it ends.
            match self.peek().filter(|byte| *byte != b'\n')? {
                b'"' => break self.skip(),
                b'\\' => {
                    self.skip();
                    text.push(self.peek().filter(|byte| *byte != b'\n')?);
                }
                byte => text.push(byte),
            }
            self.skip();
        }
        (self.next() == Some(b']')).then_some(text)
    }

    /// What follows a name up to the end of the line: `Some(None)` where no `=` does.
    fn value(&mut self) -> Option<Option<BString>> {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
        match self.peek() {
            None | Some(b'\n') => {
                self.skip();
                return Some(None);
            }
            Some(b'=') => self.skip(),
            Some(_) => return None,
        }
        let (mut text, mut kept, mut quoted) = (BString::default(), 0, false);
        loop {
            match self.peek() {
                None | Some(b'\n') if quoted => return None,
                None | Some(b'\n') => break self.skip(),
                Some(b'#' | b';') if !quoted => drop(self.take_while(|byte| byte != b'\n')),
                Some(byte) if is_space(byte) && !quoted => {
                    self.skip();
                    if !text.is_empty() {
                        text.push(byte);
                    }
                }
                Some(b'"') => {
                    quoted = !quoted;
                    self.skip();
                    kept = text.len();
                }
                Some(b'\\') => {
                    self.skip();
                    let escaped = match self.peek() {
                        Some(b'\n') => None,
                        Some(b't') => Some(b'\t'),
                        Some(b'n') => Some(b'\n'),
                        Some(b'b') => Some(8),
                        Some(byte @ (b'\\' | b'"')) => Some(byte),
                        _ => return None,
                    };
                    text.extend(escaped);
                    self.skip();
                    kept = text.len();
                }
                Some(byte) => {
                    text.push(byte);
                    self.skip();
                    kept = text.len();
                }
            }
        }
        text.truncate(kept);
        Some(Some(text))
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// As git's `isspace`, which knows neither the vertical tab nor the form feed.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests;

//! Line endings as git stores them: what a file would become if it were checked out and added again. A merge
//! that renormalises (`merge.renormalize`) compares versions in this form.
//!
//! Filters and encodings are programs and tables of others: a path that has one is not converted here.

use bstr::ByteSlice;

use super::attributes::State;

/// The attributes that decide on conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversion {
    pub(super) text: State,
    pub(super) crlf: State,
    pub(super) eol: State,
    pub(super) ident: State,
    pub(super) filter: State,
    pub(super) encoding: State,
}

/// What `core.autocrlf` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum AutoCrlf {
    #[default]
    Off,
    On,
}

/// How line endings of a file are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endings {
    AsTheyAre,
    Normalized,
    /// Normalized if the content looks like text.
    Guessed,
}

impl Conversion {
    /// The name of the filter or encoding, if the path goes through one.
    pub(super) fn foreign(&self) -> Option<&[u8]> {
        [&self.filter, &self.encoding].into_iter().find_map(|state| match state {
            State::Value(name) => Some(name.as_slice()),
            _ => None,
        })
    }

    /// The bytes that git would store for `file`; `None` where they are these.
    pub(super) fn stored(&self, file: &[u8], auto: AutoCrlf) -> Option<Vec<u8>> {
        let endings = match self.endings(auto) {
            Endings::Guessed if !looks_like_text(file) => Endings::AsTheyAre,
            endings => endings,
        };
        let returned = file.contains(&b'\r');
        let converted = match endings {
            Endings::Guessed if returned => {
                Some(file.iter().copied().filter(|byte| *byte != b'\r').collect())
            }
            Endings::Normalized if returned => Some(file.replace("\r\n", "\n")),
            _ => None,
        };
        if self.ident != State::Set {
            return converted;
        }
        let collapsed = without_idents(converted.as_deref().unwrap_or(file));
        collapsed.or(converted)
    }

    fn endings(&self, auto: AutoCrlf) -> Endings {
        let named = |state: &State| match state {
            State::Set => Some(Endings::Normalized),
            State::Unset => Some(Endings::AsTheyAre),
            State::Value(value) if value == "input" => Some(Endings::Normalized),
            State::Value(value) if value == "auto" => Some(Endings::Guessed),
            _ => None,
        };
        let has_eol = matches!(&self.eol, State::Value(value) if value == "lf" || value == "crlf");
        match named(&self.text).or_else(|| named(&self.crlf)) {
            Some(endings) => endings,
            None if has_eol => Endings::Normalized,
            None if auto == AutoCrlf::On => Endings::Guessed,
            None => Endings::AsTheyAre,
        }
    }
}

/// Whether git takes a file for text when it has to guess: no zero byte, no carriage return on its own, and at
/// most one byte in 128 that does not print.
fn looks_like_text(file: &[u8]) -> bool {
    let (mut printable, mut other) = (0usize, 0usize);
    for (at, byte) in file.iter().enumerate() {
        match byte {
            b'\r' if file.get(at + 1) != Some(&b'\n') => return false,
            0 => return false,
            b'\r' | b'\n' => {}
            0x7f => other += 1,
            0x08 | b'\t' | 0x1b | 0x0c => printable += 1,
            0x1a if at + 1 == file.len() => {}
            0x01..=0x1f => other += 1,
            _ => printable += 1,
        }
    }
    printable / 128 >= other
}

/// A file with every `$Id: …$` put back to `$Id$`; `None` where there is none.
fn without_idents(file: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = file;
    let mut found = false;
    while let Some(at) = rest.find(b"$Id:") {
        let behind = &rest[at + 4..];
        let line = behind.find_byte(b'\n').map_or(behind, |end| &behind[..end]);
        out.extend_from_slice(&rest[..at]);
        match line.find_byte(b'$') {
            Some(end) => {
                out.extend_from_slice(b"$Id$");
                rest = &behind[end + 1..];
                found = true;
            }
            None => {
                out.extend_from_slice(b"$Id:");
                rest = behind;
            }
        }
    }
    out.extend_from_slice(rest);
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_text(text: State) -> Conversion {
        Conversion { text, ..Conversion::default() }
    }

    #[test]
    fn texts_lose_the_carriage_returns_of_their_line_endings() {
        let text = with_text(State::Set);
        assert_eq!(text.stored(b"a\r\nb\rc\r\n", AutoCrlf::Off).unwrap(), b"a\nb\rc\n");
        assert_eq!(text.stored(b"a\nb\n", AutoCrlf::On), None);
    }

    #[test]
    fn a_guess_leaves_binaries_and_lone_carriage_returns_alone() {
        let auto = with_text(State::Value("auto".into()));
        assert_eq!(auto.stored(b"a\r\n", AutoCrlf::Off).unwrap(), b"a\n");
        assert_eq!(auto.stored(b"a\r\nb\rc", AutoCrlf::Off), None);
        assert_eq!(auto.stored(b"a\r\n\0", AutoCrlf::Off), None);
    }

    #[test]
    fn identifiers_are_collapsed() {
        let ident = Conversion { ident: State::Set, ..Conversion::default() };
        assert_eq!(
            ident.stored(b"x $Id: 123 $ y $Id: open\n", AutoCrlf::Off).unwrap(),
            b"x $Id$ y $Id: open\n"
        );
    }
}

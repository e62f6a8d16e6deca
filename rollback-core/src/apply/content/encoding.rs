//! The `working-tree-encoding` attribute: UTF-8 in git, something else in the work tree.
//!
//! What cannot be converted gives `None`, and the bytes stay as they are. A byte order mark is required,
//! written or forbidden as `gitattributes(5)` says.

use bstr::BStr;

use crate::charset::{Agreement, Charset};

/// An encoding of files in the work tree.
#[derive(Clone, Copy, Debug)]
pub(super) enum Encoding {
    Wide(Wide),
    Narrow(Charset, Agreement),
}

impl Encoding {
    /// The encoding that git and iconv know by this name; `None` for one that is not known here, or not well enough.
    pub(super) fn named(name: &BStr) -> Option<Self> {
        let agreement = Charset::agreement(name);
        let narrow = || Charset::named(name).filter(|_| agreement != Agreement::Partial);
        Wide::named(name).map(Self::Wide).or_else(|| Some(Self::Narrow(narrow()?, agreement)))
    }

    /// Whether what cannot be converted here cannot be converted by git either.
    pub(super) fn is_complete(self) -> bool {
        !matches!(self, Self::Narrow(_, Agreement::Shared))
    }

    /// From UTF-8.
    pub(super) fn encode(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())?;
        match self {
            Self::Wide(wide) => Some(wide.encode(text)),
            Self::Narrow(charset, _) => charset.encode(text),
        }
    }

    /// To UTF-8.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let text = match self {
            Self::Wide(wide) => wide.decode(bytes)?,
            Self::Narrow(charset, _) => charset.decode(bytes)?,
        };
        Some(text.into_bytes())
    }
}

/// A Unicode encoding whose units have more than one byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide {
    bytes: usize,
    /// `None` where the byte order mark decides.
    big_endian: Option<bool>,
    mark: bool,
}

impl Wide {
    fn named(name: &BStr) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let rest = name.strip_prefix(b"UTF")?;
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        let (bytes, big_endian, mark) = match rest {
            b"16" => (2, None, true),
            b"16LE" => (2, Some(false), false),
            b"16BE" => (2, Some(true), false),
            // These two are git's own; iconv does not know them, nor any of 32 bits.
            b"16LE-BOM" => (2, Some(false), true),
            b"16BE-BOM" => (2, Some(true), true),
            b"32" => (4, None, true),
            b"32LE" => (4, Some(false), false),
            b"32BE" => (4, Some(true), false),
            _ => return None,
        };
        Some(Self { bytes, big_endian, mark })
    }

    fn encode(self, text: &str) -> Vec<u8> {
        // Without an order in the name, glibc's iconv, which git uses, writes that of the machine.
        let big_endian = self.big_endian.unwrap_or(cfg!(target_endian = "big"));
        let mark = self.mark.then_some('\u{feff}');
        let mut bytes = Vec::with_capacity((text.len() + 1) * self.bytes);
        for letter in mark.into_iter().chain(text.chars()) {
            let mut push = |unit: u32| {
                let unit = unit.to_be_bytes();
                let unit = &unit[4 - self.bytes..];
                match big_endian {
                    true => bytes.extend(unit),
                    false => bytes.extend(unit.iter().rev()),
                }
            };
            match self.bytes {
                2 => letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| push(u32::from(*unit))),
                _ => push(u32::from(letter)),
            }
        }
        bytes
    }

    fn decode(self, bytes: &[u8]) -> Option<String> {
        let units = |big_endian: bool| -> Option<Vec<u32>> {
            let (chunks, rest) = (bytes.chunks_exact(self.bytes), bytes.len() % self.bytes);
            let fold = |unit: u32, byte: &u8| unit << 8 | u32::from(*byte);
            (rest == 0).then(|| {
                chunks
                    .map(|unit| match big_endian {
                        true => unit.iter().fold(0, fold),
                        false => unit.iter().rev().fold(0, fold),
                    })
                    .collect()
            })
        };
        let marked = |big_endian| units(big_endian).is_some_and(|units| units.first() == Some(&0xfeff));
        let units = match (self.big_endian, self.mark) {
            (None, _) if marked(true) => units(true)?,
            (None, _) if marked(false) => units(false)?,
            (None, _) => return None,
            (Some(order), true) if !marked(order) => return None,
            (Some(order), false) if marked(order) => return None,
            (Some(order), _) => units(order)?,
        };
        let units = &units[usize::from(self.mark)..];
        match self.bytes {
            2 => String::from_utf16(&units.iter().map(|unit| *unit as u16).collect::<Vec<_>>()).ok(),
            _ => units.iter().map(|unit| char::from_u32(*unit)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(bytes: &[u8], name: &BStr) -> Option<Vec<u8>> {
        Encoding::named(name)?.encode(bytes)
    }

    fn decode(bytes: &[u8], name: &BStr) -> Option<Vec<u8>> {
        Encoding::named(name)?.decode(bytes)
    }

    #[test]
    fn every_wide_encoding_comes_back_and_marks_are_kept_apart() {
        for name in [
            "UTF-16",
            "UTF-16LE",
            "utf-16be",
            "UTF-16LE-BOM",
            "UTF-16BE-BOM",
            "UTF-32",
            "UTF32LE",
            "UTF-32BE",
        ] {
            let encoded = encode("aä😀\n".as_bytes(), name.into()).unwrap();
            assert_eq!(decode(&encoded, name.into()).unwrap(), "aä😀\n".as_bytes(), "{name}");
        }
        assert_eq!(encode(b"a", "UTF-16LE".into()).unwrap(), b"a\0");
        assert_eq!(encode(b"a", "UTF-16BE-BOM".into()).unwrap(), b"\xfe\xff\0a");
        assert_eq!(decode(b"a\0", "UTF-16".into()), None, "the mark is missing");
        assert_eq!(decode(b"\xff\xfea\0", "UTF-16LE".into()), None, "the mark is forbidden");
    }

    #[test]
    fn what_cannot_be_converted_stays_as_it_is() {
        assert_eq!(encode("ä".as_bytes(), "ISO-8859-1".into()).unwrap(), b"\xe4");
        assert_eq!(encode("😀".as_bytes(), "ISO-8859-1".into()), None);
        assert_eq!(encode(b"a", "no-such-encoding".into()), None);
        assert_eq!(decode(b"a", "UTF-16LE".into()), None, "half a unit");
    }
}

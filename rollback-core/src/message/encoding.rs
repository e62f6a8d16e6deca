//! Encodings of commit messages: re-encoding into `i18n.commitEncoding`, and git's repair of what is not UTF-8.

use std::borrow::Cow;

use bstr::{BStr, BString, ByteSlice, ByteVec};
use encoding_rs::Encoding;

use super::Style;
use crate::repo::{Commit, Signature};

/// The message of `commit` in the encoding of the style. Where it cannot be converted, it stays as it is, as in git.
pub(super) fn message_of<'a>(commit: &'a Commit, style: &'a Style) -> Cow<'a, BStr> {
    Conversion::of(commit, style).apply(&commit.message)
}

/// The author of a picked commit, whose name follows the message into another encoding.
pub(super) fn author_of_pick(commit: &Commit, style: &Style) -> Signature {
    let conversion = Conversion::of(commit, style);
    let convert = |text: &BString| {
        let text = conversion.apply(text);
        match style.commit_encoding {
            Some(_) => text.into_owned(),
            None => repaired_utf8(&text),
        }
    };
    let author = &commit.author;
    Signature { name: convert(&author.name), email: convert(&author.email), ..author.clone() }
}

/// How the texts of a commit are converted.
struct Conversion<'a> {
    from: Option<&'a BString>,
    to: Option<&'a BString>,
    /// Whether there is anything to convert, and all of it fits.
    fits: bool,
}

impl<'a> Conversion<'a> {
    /// git converts a commit as one text: when a single name in it does not fit, nothing of it is converted.
    fn of(commit: &'a Commit, style: &'a Style) -> Self {
        let (from, to) = (commit.encoding.as_ref(), style.commit_encoding.as_ref());
        let [author, committer] = [&commit.author, &commit.committer];
        let texts = [&author.name, &author.email, &committer.name, &committer.email, &commit.message];
        let fits = !same(from, to) && texts.iter().all(|text| convert(text, from, to).is_some());
        Self { from, to, fits }
    }

    fn apply<'t>(&self, text: &'t BString) -> Cow<'t, BStr> {
        let converted = if self.fits { convert(text, self.from, self.to) } else { None };
        converted.map_or(Cow::Borrowed(text.as_bstr()), Cow::Owned)
    }
}

fn same(from: Option<&BString>, to: Option<&BString>) -> bool {
    match (from, to) {
        (None, None) => true,
        (Some(from), Some(to)) => from.eq_ignore_ascii_case(to),
        (Some(one), None) | (None, Some(one)) => is_utf8(one),
    }
}

/// Text of our own, or of the caller, in the encoding of the style; UTF-8 where that encoding cannot say it.
pub(super) fn from_utf8(text: &[u8], style: &Style) -> BString {
    convert(text, None, style.commit_encoding.as_ref()).unwrap_or_else(|| text.into())
}

/// Whether git takes the name for UTF-8: with or without the hyphen, in any case.
pub(super) fn is_utf8(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"utf8")
}

/// Makes UTF-8 of the bytes: each byte that is part of no character is taken for Latin-1, as `git commit` does.
/// Non-characters such as U+FFFF count as wrong there, and so do they here.
pub(super) fn repaired_utf8(bytes: &[u8]) -> BString {
    let mut out = BString::new(Vec::with_capacity(bytes.len()));
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if is_noncharacter(char) {
                push_latin1(&mut out, char.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push_char(char);
            }
        }
        push_latin1(&mut out, chunk.invalid());
    }
    out
}

fn push_latin1(out: &mut BString, bytes: &[u8]) {
    bytes.iter().for_each(|byte| out.push_char(char::from(*byte)));
}

fn is_noncharacter(char: char) -> bool {
    let code = u32::from(char);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

fn convert(text: &[u8], from: Option<&BString>, to: Option<&BString>) -> Option<BString> {
    let unicode = Charset::named(from)?.decode(text)?;
    Charset::named(to)?.encode(&unicode)
}

/// An encoding with the reading that `iconv` gives its name, which is not always the one of the web.
enum Charset {
    Utf8,
    Ascii,
    /// The bytes 0x80 to 0x9f are the C1 controls; the web reads Windows characters there.
    IsoWithC1(&'static Encoding),
    Web(&'static Encoding),
}

impl Charset {
    fn named(name: Option<&BString>) -> Option<Self> {
        let Some(name) = name.filter(|name| !is_utf8(name)) else {
            return Some(Self::Utf8);
        };
        let name = name.to_str().ok()?.to_ascii_lowercase();
        Some(match name.as_str() {
            "us-ascii" | "ascii" | "ansi_x3.4-1968" => Self::Ascii,
            "latin-1" | "latin1" | "l1" | "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "iso88591" => {
                Self::IsoWithC1(encoding_rs::WINDOWS_1252)
            }
            "latin5" | "iso-8859-9" | "iso8859-9" | "iso_8859-9" => {
                Self::IsoWithC1(encoding_rs::WINDOWS_1254)
            }
            "iso-8859-11" | "iso8859-11" | "tis-620" => Self::IsoWithC1(encoding_rs::WINDOWS_874),
            "eucjp" => Self::Web(encoding_rs::EUC_JP),
            "euckr" => Self::Web(encoding_rs::EUC_KR),
            _ => Self::Web(Encoding::for_label(name.as_bytes()).or_else(|| windows_code_page(&name))?),
        })
    }

    fn decode(&self, text: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(text.to_vec()).ok(),
            Self::Ascii => text.is_ascii().then(|| String::from_utf8(text.to_vec()).ok())?,
            Self::IsoWithC1(encoding) => text
                .iter()
                .map(|byte| match byte {
                    0x80..=0x9f => Some(char::from(*byte)),
                    _ => {
                        let bytes = [*byte];
                        encoding.decode_without_bom_handling_and_without_replacement(&bytes)?.chars().next()
                    }
                })
                .collect(),
            Self::Web(encoding) => {
                encoding.decode_without_bom_handling_and_without_replacement(text).map(Cow::into_owned)
            }
        }
    }

    fn encode(&self, text: &str) -> Option<BString> {
        match self {
            Self::Utf8 => Some(text.into()),
            Self::Ascii => text.is_ascii().then(|| text.into()),
            Self::IsoWithC1(encoding) => {
                let mut out = BString::default();
                for char in text.chars() {
                    if matches!(char, '\u{80}'..='\u{9f}') {
                        out.push_byte(u32::from(char) as u8);
                        continue;
                    }
                    let mut buffer = [0; 4];
                    match encode_strictly(encoding, char.encode_utf8(&mut buffer))?.as_slice() {
                        // What the web puts into the place of a C1 control is no character of this encoding.
                        [0x80..=0x9f] => return None,
                        bytes => out.push_str(bytes),
                    }
                }
                Some(out)
            }
            Self::Web(encoding) => encode_strictly(encoding, text),
        }
    }
}

/// Encodes without replacing anything; `None` where the encoding lacks a character or can only be read.
fn encode_strictly(encoding: &'static Encoding, text: &str) -> Option<BString> {
    let (bytes, used, replaced) = encoding.encode(text);
    (!replaced && used == encoding).then(|| bytes.into_owned().into())
}

fn windows_code_page(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label(format!("windows-{}", name.strip_prefix("cp")?).as_bytes())
}

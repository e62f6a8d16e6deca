//! Encodings of commit messages: re-encoding into `i18n.commitEncoding`, and git's repair of what is not UTF-8.

use std::borrow::Cow;

use bstr::{BStr, BString, ByteSlice, ByteVec};

use super::Style;
use crate::charset::{Charset, is_utf8};
use crate::repo::Commit;

/// The message of `commit` in the encoding of the style. Where it cannot be converted, it stays as it is, as in git.
pub(super) fn message_of<'a>(commit: &'a Commit, style: &'a Style) -> Cow<'a, BStr> {
    Conversion::of(commit, style).apply(&commit.message)
}

/// The `author` header of a picked commit, which follows the message into another encoding and is otherwise copied as
/// it is, as git does; `None` where the commit has none.
pub(super) fn author_of_pick(commit: &Commit, style: &Style) -> Option<BString> {
    let line = Conversion::of(commit, style).apply(commit.author_line.as_ref()?).into_owned();
    Some(if style.commit_encoding.is_some() { line } else { repaired_utf8(&line) })
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
        let texts = [commit.author_line.as_ref(), commit.committer_line.as_ref(), Some(&commit.message)];
        let fits =
            !same(from, to) && texts.into_iter().flatten().all(|text| convert(text, from, to).is_some());
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
    let named = |name: Option<&BString>| name.map_or(Some(Charset::Utf8), |name| Charset::named(name));
    named(to)?.encode(&named(from)?.decode(text)?).map(BString::from)
}

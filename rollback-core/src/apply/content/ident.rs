//! The `ident` attribute: `$Id$` becomes `$Id: BLOB $` in the work tree, and back.

use bstr::ByteSlice;

use crate::id::ObjectId;

/// Names the blob in every `$Id$`; `None` where there is none.
///
/// An `$Id: … $` that was committed gets the blob's name too, unless its text is of several words: then
/// another version control system wrote it, and git leaves it alone.
pub(super) fn expand(bytes: &[u8], blob: ObjectId) -> Option<Vec<u8>> {
    replace(bytes, format!("$Id: {blob} $").as_bytes(), |text| match text.strip_prefix(b":") {
        None => text.is_empty(),
        Some(text) => !text.get(1..text.len().saturating_sub(1)).unwrap_or_default().contains(&b' '),
    })
}

/// Takes the name out of every `$Id: … $`; `None` where there is none.
pub(super) fn collapse(bytes: &[u8]) -> Option<Vec<u8>> {
    replace(bytes, b"$Id$", |text| text.starts_with(b":"))
}

/// Replaces each `$Id…$` on one line whose text between `$Id` and `$` is `wanted`.
fn replace(bytes: &[u8], with: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut replaced = None;
    let mut rest = bytes;
    while let Some(start) = rest.find(b"$Id") {
        let (before, keyword) = rest.split_at(start);
        let text = &keyword[3..];
        let end = text.find_byteset(b"$\n").filter(|end| text[*end] == b'$' && wanted(&text[..*end]));
        let out = replaced.get_or_insert_with(|| Vec::with_capacity(bytes.len() + with.len()));
        out.extend_from_slice(before);
        match end {
            Some(end) => {
                out.extend_from_slice(with);
                rest = &text[end + 1..];
            }
            None => {
                out.extend_from_slice(&keyword[..3]);
                rest = text;
            }
        }
    }
    let mut out = replaced?;
    out.extend_from_slice(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let blob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap();
        let bytes = expand(text.as_bytes(), blob).unwrap_or_else(|| text.into());
        String::from_utf8(bytes).unwrap().replace(&blob.to_string(), "BLOB")
    }

    #[test]
    fn identifiers_are_expanded_and_those_of_other_systems_left_alone() {
        assert_eq!(expanded("a $Id$ b $Id$\n"), "a $Id: BLOB $ b $Id: BLOB $\n");
        assert_eq!(expanded("$Id: 0123 $ $Id:0123$"), "$Id: BLOB $ $Id: BLOB $");
        assert_eq!(expanded("$Id: file.c 1.5 2001 user $"), "$Id: file.c 1.5 2001 user $");
        assert_eq!(expanded("$Id: open\n$ $Idea$ $Id"), "$Id: open\n$ $Idea$ $Id");
    }

    #[test]
    fn what_was_expanded_collapses_to_what_it_was() {
        let text = b"x $Id$ y\n$Id$\n";
        let blob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap();
        assert_eq!(collapse(&expand(text, blob).unwrap()).unwrap(), text);
        assert_eq!(collapse(b"nothing here"), None);
    }
}

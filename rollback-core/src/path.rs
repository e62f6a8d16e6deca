//! Paths inside a repository: bytes separated by `/`, relative to its root.
//!
//! They are never lower-cased and never forced into UTF-8. Turning one into a path of the file system
//! is the work of [`RepoPath::to_relative_path`] alone.

use std::borrow::Cow;
use std::fmt;

use bstr::{BStr, BString, ByteSlice};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path relative to the root of the repository, as bytes with `/` between the parts.
///
/// The root itself is the empty path. Serialised, it is a string where it is UTF-8 and
/// `{"bytes_hex": "…"}` elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepoPath(BString);

impl RepoPath {
    /// The path with these bytes, taken as they are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(BString::from(bytes.into()))
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn as_bstr(&self) -> &BStr {
        self.0.as_bstr()
    }

    /// Whether this is the root of the repository.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts between the slashes; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
    }

    /// Whether it names something below the root and leads nowhere else: no part is empty, `.` or `..`.
    pub(crate) fn is_plain(&self) -> bool {
        !self.0.contains(&0)
            && self.0.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
    }

    /// The path of `name` inside this folder.
    pub fn join(&self, name: &[u8]) -> Self {
        let mut joined = self.0.to_vec();
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined.extend_from_slice(name);
        Self::new(joined)
    }

    /// The folder this path lies in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.rfind_byte(b'/').unwrap_or(0);
        Some(Self::new(&self.0[..end]))
    }

    /// The part after the last slash.
    pub fn file_name(&self) -> &[u8] {
        self.0.rfind_byte(b'/').map_or(&self.0[..], |slash| &self.0[slash + 1..])
    }

    /// Whether `other` is this path or lies below it. Everything lies below the root.
    pub fn contains(&self, other: &Self) -> bool {
        self.is_root()
            || other.0.strip_prefix(self.0.as_slice()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// The path for the file system, relative to the root of the work tree.
    ///
    /// `None` where the platform cannot spell the bytes.
    pub fn to_relative_path(&self) -> Option<Cow<'_, std::path::Path>> {
        self.0.to_path().ok().map(Cow::Borrowed)
    }

    /// The path that a relative path of the file system spells; `None` for one that is absolute or leads out with `..`.
    #[cfg(feature = "procedures")]
    pub(crate) fn from_relative_path(path: &std::path::Path) -> Option<Self> {
        let mut at = Self::default();
        for part in path.components() {
            match part {
                std::path::Component::Normal(name) => at = at.join(<[u8]>::from_os_str(name)?),
                std::path::Component::CurDir => {}
                _ => return None,
            }
        }
        Some(at)
    }

    /// The path as text for people; bytes that are not UTF-8 become U+FFFD.
    ///
    /// Control characters stand as they are: the caller that shows them escapes them.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        self.0.to_str_lossy()
    }

    /// Whether the two paths differ, and only in ASCII case.
    pub fn is_case_twin_of(&self, other: &Self) -> bool {
        self != other && self.0.eq_ignore_ascii_case(&other.0)
    }
}

/// Whether a name fits a pattern in which `*` stands for any bytes. It takes time in proportion to both, whatever the
/// pattern: each piece between two stars is taken where it first occurs.
pub(crate) fn name_fits(pattern: &[u8], name: &[u8]) -> bool {
    let Some((start, rest)) = pattern.split_once_str("*") else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once_str("*").unwrap_or((b"", rest));
    for piece in middle.split_str("*") {
        let Some(at) = name.find(piece) else { return false };
        name = &name[at + piece.len()..];
    }
    name.ends_with(end)
}

/// A name as git prints it: between quotes and with escapes where something in it could be misread. Bytes beyond ASCII
/// could where `beyond_ascii`.
pub(crate) fn quoted_as_git(name: &[u8], beyond_ascii: bool) -> Vec<u8> {
    joined_as_git(b"", name, beyond_ascii)
}

/// The same with something before the name, inside of the quotes.
pub(crate) fn joined_as_git(prefix: &[u8], name: &[u8], beyond_ascii: bool) -> Vec<u8> {
    let whole = [prefix, name].concat();
    if !whole.iter().any(|byte| needs_escape(*byte, beyond_ascii)) {
        return whole;
    }
    let mut quoted = vec![b'"'];
    for byte in whole {
        match byte {
            0x07 => quoted.extend(b"\\a"),
            0x08 => quoted.extend(b"\\b"),
            b'\t' => quoted.extend(b"\\t"),
            b'\n' => quoted.extend(b"\\n"),
            0x0b => quoted.extend(b"\\v"),
            0x0c => quoted.extend(b"\\f"),
            b'\r' => quoted.extend(b"\\r"),
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            _ if needs_escape(byte, beyond_ascii) => quoted.extend(format!("\\{byte:03o}").bytes()),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'"');
    quoted
}

fn needs_escape(byte: u8, beyond_ascii: bool) -> bool {
    byte < 0x20 || byte == 0x7f || matches!(byte, b'"' | b'\\') || beyond_ascii && byte >= 0x80
}

impl From<&str> for RepoPath {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl From<&BStr> for RepoPath {
    fn from(path: &BStr) -> Self {
        Self::new(path.to_vec())
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str_lossy())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Bytes as documents spell them: a string where they are UTF-8, `{"bytes_hex": "…"}` elsewhere.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum BytesOrText {
    Text(String),
    Bytes { bytes_hex: String },
}

impl BytesOrText {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes.to_str() {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes { bytes_hex: hex(bytes) },
        }
    }

    /// The bytes, or what is wrong with the spelling.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Bytes { bytes_hex } => {
                unhex(&bytes_hex).ok_or_else(|| format!("not hexadecimal: {bytes_hex}"))
            }
        }
    }
}

/// The schema of what [`BytesOrText`] spells.
#[cfg(feature = "schema")]
pub(crate) fn bytes_or_text_schema(description: &str) -> schemars::Schema {
    schemars::json_schema!({
        "description": description,
        "oneOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": { "bytes_hex": { "type": "string", "pattern": "^([0-9a-f]{2})*$" } },
                "required": ["bytes_hex"],
                "additionalProperties": false
            }
        ]
    })
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BytesOrText::of(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BytesOrText::deserialize(deserializer)?.into_bytes().map(Self::new).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RepoPath {
    fn schema_name() -> Cow<'static, str> {
        "RepoPath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        bytes_or_text_schema(
            "A path relative to the root of the repository; an object where it is not UTF-8.",
        )
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// A path that has another name at the tip than in the commit that is undone, replayed or restored from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Rename {
    /// The name in that commit.
    pub then: RepoPath,
    /// The name at the tip.
    pub now: RepoPath,
}

impl Rename {
    /// The path `then`, which is `now` at the tip.
    pub fn new(then: RepoPath, now: RepoPath) -> Self {
        Self { then, now }
    }
}

/// The names of the paths at the tip.
pub(crate) fn names_now(paths: &[RepoPath], renamed: &[Rename]) -> Vec<RepoPath> {
    let now = |path: &RepoPath| renamed.iter().find(|one| one.then == *path).map(|one| &one.now);
    paths.iter().map(|path| now(path).unwrap_or(path).clone()).collect()
}

/// The old names of paths as an appendix to a list of their names of today.
pub(crate) fn old_names(renamed: &[Rename]) -> String {
    renamed.iter().map(|one| format!(" ({} was {})", one.now, one.then)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_contains_what_lies_below_it_and_not_its_namesakes() {
        let folder = RepoPath::from("a/b");
        assert!(folder.contains(&RepoPath::from("a/b")));
        assert!(folder.contains(&RepoPath::from("a/b/c")));
        assert!(!folder.contains(&RepoPath::from("a/bc")));
        assert!(RepoPath::default().contains(&folder));
    }

    #[test]
    fn paths_that_lead_out_of_the_root_are_not_plain() {
        for path in ["a", "a/b", "..a", "a..", ".git", "a\\b"] {
            assert!(RepoPath::from(path).is_plain(), "{path}");
        }
        for path in ["", "/a", "a//b", "a/", ".", "..", "../a", "a/../b", "a/.", "./a", "a\0b"] {
            assert!(!RepoPath::from(path).is_plain(), "{path:?}");
        }
    }

    #[test]
    fn paths_survive_json_whatever_their_bytes() {
        for bytes in [&b"src/a.py"[..], b"caf\xe9/\xff", b"", b"new\nline"] {
            let path = RepoPath::new(bytes);
            let json = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<RepoPath>(&json).unwrap(), path, "{json}");
        }
        assert_eq!(serde_json::to_string(&RepoPath::new(&b"\xff"[..])).unwrap(), r#"{"bytes_hex":"ff"}"#);
    }
}

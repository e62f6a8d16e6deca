//! The format of rb's own records: runs, the operation log and what checkpoints are called.
//!
//! A record is a few small files in one file below `rb/records/` of the common git directory. Its first line holds a
//! version, what it is, its id, a revision that counts its writes, and the length and checksum of what follows. Nothing
//! that a fetch, a push or a clone carries becomes a record. A record names things; it says nothing about where on the
//! file system they are, and its id is never more than one file name.
//!
//! Nothing here reads or writes a file: `apply::records` does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bstr::ByteSlice;
use serde::{Deserialize, Serialize};

use crate::repo::sha256;

/// The version of the format.
const VERSION: u32 = 1;

/// The first word of every record.
const MAGIC: &str = "rb-record";

/// The most bytes that the first line of a record has.
const MAX_HEADER: usize = 1024;

/// The longest name of a record as a file, in bytes.
const MAX_NAME: usize = 200;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RecordKind {
    /// The state of a run of a procedure.
    Run,
    /// An entry of the operation log.
    Operation,
    /// Which tree a checkpoint is.
    Checkpoint,
}

impl RecordKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 3] = [Self::Run, Self::Operation, Self::Checkpoint];

    /// The word for it in a record, and in text for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Operation => "operation",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// The folder of these records.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Run => "runs",
            Self::Operation => "operations",
            Self::Checkpoint => "checkpoints",
        }
    }

    /// The most bytes that such a record has.
    pub(crate) fn limit(self) -> u64 {
        match self {
            Self::Run => 64 << 20,
            // The paths of a landing, twice: in the entry and in its receipt.
            Self::Operation => 1 << 30,
            Self::Checkpoint => 1 << 20,
        }
    }
}

/// How often a record was written; a writer names the revision that it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Revision(pub(crate) u64);

/// The files of a record, by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) revision: Revision,
    pub(crate) files: Files,
}

/// A record that cannot be used. It is passed over; nothing else depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UnreadableRecord {
    /// What it is about.
    pub kind: RecordKind,
    /// Its id, as far as the name of the file tells.
    pub id: String,
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: PathBuf,
    /// Why it cannot be used.
    pub why: String,
    /// Whether it is damaged; otherwise a newer rb wrote it, or the system could not read it now.
    pub damaged: bool,
}

/// Why bytes are not the record that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A newer rb wrote it, in this version.
    Newer(String),
    /// It was cut off or altered, or is another one.
    Damaged(String),
}

impl Flaw {
    fn damaged(why: &str) -> Self {
        Self::Damaged(why.to_owned())
    }
}

/// The bytes of a record.
pub(crate) fn encode(kind: RecordKind, id: &str, revision: Revision, files: &Files) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in files {
        body.extend_from_slice(format!("file {name} {}\n", bytes.len()).as_bytes());
        body.extend_from_slice(bytes);
        body.push(b'\n');
    }
    let mut record = header(kind, id, revision, &body).into_bytes();
    record.extend_from_slice(&body);
    record
}

fn header(kind: RecordKind, id: &str, Revision(revision): Revision, body: &[u8]) -> String {
    let what = format!("{} {} {revision}", kind.as_str(), escape(id));
    // The checksum covers the words before it, too.
    let checksum = sha256(&[what.as_bytes(), b"\n", body].concat());
    format!("{MAGIC} {VERSION} {what} {} {checksum}\n", body.len())
}

/// Reads a record that has to be the one of this kind and id.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn decode(kind: RecordKind, id: &str, bytes: &[u8]) -> Result<Record, Flaw> {
    let end = bytes.iter().take(MAX_HEADER).position(|byte| *byte == b'\n');
    let line = end.and_then(|end| bytes[..end].to_str().ok()).ok_or_else(|| match bytes.is_empty() {
        true => Flaw::damaged("it is empty"),
        false => Flaw::damaged(NO_RECORD),
    })?;
    let words: Vec<_> = line.split(' ').collect();
    match words.as_slice() {
        [MAGIC, version, ..] if version.parse::<u32>().is_ok_and(|version| version > VERSION) => {
            return Err(Flaw::Newer((*version).to_owned()));
        }
        [MAGIC, ..] if words.len() == 7 => {}
        _ => return Err(Flaw::damaged(NO_RECORD)),
    }
    let body = &bytes[line.len() + 1..];
    let revision = Revision(words[4].parse().map_err(|_| Flaw::damaged(NO_RECORD))?);
    if words[2] != kind.as_str() || words[3] != escape(id) {
        return Err(Flaw::Damaged(format!("it is that of {} {}", words[2], words[3])));
    }
    if header(kind, id, revision, body).trim_end() != line {
        return Err(Flaw::damaged("its checksum does not fit: it was cut off or altered"));
    }
    Ok(Record { revision, files: files_of(body).ok_or_else(|| Flaw::damaged(NO_RECORD))? })
}

/// What is said of bytes that no rb wrote.
const NO_RECORD: &str = "it is not written as records of rb are";

fn files_of(mut body: &[u8]) -> Option<Files> {
    let mut files = Files::new();
    while !body.is_empty() {
        let end = body.find_byte(b'\n')?;
        let (name, length) = body[..end].to_str().ok()?.strip_prefix("file ")?.rsplit_once(' ')?;
        let rest = &body[end + 1..];
        let (bytes, rest) = rest.split_at_checked(length.parse().ok()?)?;
        files.insert(name.to_owned(), bytes.to_vec());
        body = rest.strip_prefix(b"\n")?;
    }
    Some(files)
}

/// The file name of a record. One id has one name, and it is a plain one.
pub(crate) fn file_name(id: &str) -> Option<String> {
    Some(escape(id)).filter(|name| !name.is_empty() && name.len() <= MAX_NAME)
}

/// The id that a file name stands for; `None` where it is not the name of a record.
pub(crate) fn id_of(name: &[u8]) -> Option<String> {
    let name = name.to_str().ok()?;
    let mut id = Vec::new();
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        id.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(digits.to_str().ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    let id = String::from_utf8(id).ok()?;
    (file_name(&id)? == name).then_some(id)
}

/// Whether the id can stand in a path as it is: it is one file name, and no hidden one.
pub(crate) fn is_plain_id(id: &str) -> bool {
    file_name(id).is_some_and(|name| name == id)
}

/// Letters, digits, `-`, `_` and inner dots stand for themselves.
fn escape(id: &str) -> String {
    let mut name = String::new();
    for (nth, byte) in id.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            b'.' if nth > 0 => name.push('.'),
            byte => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files::from([
            ("run.json".to_owned(), b"{\n  \"id\": \"0a\"\n}".to_vec()),
            ("plan.json".to_owned(), b"\xff\0file x 3\n".to_vec()),
        ])
    }

    #[test]
    fn a_record_comes_back_with_its_revision_and_files() {
        let bytes = encode(RecordKind::Run, "0a", Revision(7), &files());
        let read = decode(RecordKind::Run, "0a", &bytes).unwrap();
        assert_eq!(read, Record { revision: Revision(7), files: files() });
    }

    #[test]
    fn a_record_that_was_cut_or_altered_anywhere_is_none() {
        let bytes = encode(RecordKind::Run, "0a", Revision(7), &files());
        for length in 0..bytes.len() {
            assert!(decode(RecordKind::Run, "0a", &bytes[..length]).is_err(), "{length} bytes of it");
        }
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(decode(RecordKind::Run, "0a", &altered).is_err(), "byte {at}");
        }
        let longer = [bytes.as_slice(), b"\n"].concat();
        assert!(decode(RecordKind::Run, "0a", &longer).is_err());
    }

    #[test]
    fn a_record_counts_only_as_what_it_says_it_is() {
        let bytes = encode(RecordKind::Run, "0a", Revision(1), &files());
        assert_eq!(decode(RecordKind::Run, "0b", &bytes), Err(Flaw::damaged("it is that of run 0a")));
        assert!(decode(RecordKind::Operation, "0a", &bytes).is_err());
        let newer = [b"rb-record 9 ".as_slice(), &bytes[12..]].concat();
        assert_eq!(decode(RecordKind::Run, "0a", &newer), Err(Flaw::Newer("9".to_owned())));
    }

    #[test]
    fn names_of_records_never_lead_anywhere() {
        for id in ["..", "../x", "/etc/passwd", "a/b", ".hidden", "a\\b", "a\nb", "\u{202e}x", "%2F", "a b"] {
            let name = file_name(id).unwrap();
            assert!(!name.starts_with('.') && !name.contains(['/', '\\', ' ', '\n']), "{name}");
            assert_eq!(id_of(name.as_bytes()).as_deref(), Some(id));
            assert!(!is_plain_id(id), "{id}");
        }
        assert!(is_plain_id("manual-2.x_Y") && !is_plain_id("") && !is_plain_id(&"a".repeat(201)));
        for name in [&b".x"[..], b"%2f", b"a b", b"%4", b"%61", b"\xff", b""] {
            assert_eq!(id_of(name), None, "{:?}", name.as_bstr());
        }
    }
}

//! The one reader of commits. It takes what git takes: people without a mail, dates that are none, odd zones, headers
//! in any order and of any name. Only a commit without a tree is none.

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, ObjectError, Result};
use crate::id::{CommitId, TreeId};

/// A commit, decoded and owned.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) id: CommitId,
    pub(crate) tree: TreeId,
    pub(crate) parents: Vec<CommitId>,
    /// Empty where the commit has none, or none that can be read.
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    /// The value of the `author` header byte for byte; `None` where there is none. A pick copies it.
    pub(crate) author_line: Option<BString>,
    /// The value of the `committer` header byte for byte.
    pub(crate) committer_line: Option<BString>,
    /// The `encoding` header; `None` means UTF-8.
    pub(crate) encoding: Option<BString>,
    /// The message in that encoding, byte for byte. It ends before the first NUL, as git reads it.
    pub(crate) message: BString,
}

/// The part of a commit that the shape of history needs.
#[derive(Clone, Debug)]
pub(crate) struct CommitHeader {
    pub(crate) tree: TreeId,
    pub(crate) parents: Vec<CommitId>,
    /// The committer's time in seconds since the epoch; zero where the commit spells none.
    pub(crate) seconds: i64,
}

/// Who did something, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) name: BString,
    pub(crate) email: BString,
    /// Seconds since the epoch.
    pub(crate) seconds: i64,
    /// The time as the commit spells it: seconds and offset, such as `1700000000 +0100`. Empty where it spells none
    /// that git reads.
    pub(crate) time: String,
}

impl Signature {
    /// Reads the value of an `author` or `committer` header, as git's `split_ident_line` does. Without angle brackets
    /// there is no person in it.
    pub(crate) fn parse(line: &[u8]) -> Self {
        let (Some(open), Some(close)) = (line.find_byte(b'<'), line.rfind_byte(b'>')) else {
            return Self::default();
        };
        let mail = &line[open + 1..];
        let Some(mail_end) = mail.find_byte(b'>') else { return Self::default() };
        let time = time_of(&line[close + 1..]);
        Self {
            name: line[..open].trim_ascii_end().into(),
            email: mail[..mail_end].into(),
            seconds: time.and_then(|(seconds, _)| seconds.to_str().ok()?.parse().ok()).unwrap_or_default(),
            time: time.map(|(seconds, zone)| format!("{seconds} {zone}")).unwrap_or_default(),
        }
    }

    /// The value of the header that says so.
    pub(crate) fn line(&self) -> BString {
        let mut line = self.name.clone();
        line.extend_from_slice(b" <");
        line.extend_from_slice(&self.email);
        line.extend_from_slice(b"> ");
        line.extend_from_slice(self.time.as_bytes());
        line
    }
}

impl Commit {
    /// Decodes the bytes of the commit `id`.
    ///
    /// # Errors
    /// [`ObjectError::Corrupt`] where it names no tree, or a parent that is no id.
    pub(crate) fn parse(id: CommitId, bytes: &[u8]) -> Result<Self> {
        let (tree, parents, rest) = lineage(id, bytes)?;
        let rest = &rest[..rest.find_byte(0).unwrap_or(rest.len())];
        let (headers, message) = match rest.strip_prefix(b"\n") {
            Some(message) => (&b""[..], message),
            None => rest.split_once_str("\n\n").unwrap_or((rest, b"")),
        };
        let header = |name: &str| {
            let mut lines = headers.split(|byte| *byte == b'\n');
            lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b" ")).map(BString::from)
        };
        let (author_line, committer_line) = (header("author"), header("committer"));
        let read =
            |line: &Option<BString>| line.as_ref().map(|line| Signature::parse(line)).unwrap_or_default();
        Ok(Self {
            id,
            tree,
            parents,
            author: read(&author_line),
            committer: read(&committer_line),
            author_line,
            committer_line,
            encoding: header("encoding"),
            message: message.into(),
        })
    }

    /// The first line of the message as text for people.
    pub(crate) fn subject(&self) -> String {
        self.message.lines().next().unwrap_or_default().to_str_lossy().into_owned()
    }
}

impl CommitHeader {
    /// Decodes the start of the commit `id`.
    ///
    /// # Errors
    /// As [`Commit::parse`].
    pub(crate) fn parse(id: CommitId, bytes: &[u8]) -> Result<Self> {
        let (tree, parents, rest) = lineage(id, bytes)?;
        Ok(Self { tree, parents, seconds: committer_seconds(rest).unwrap_or_default() })
    }
}

/// Tree, parents, and what follows them.
fn lineage(id: CommitId, bytes: &[u8]) -> Result<(TreeId, Vec<CommitId>, &[u8])> {
    let corrupt = |why: &'static str| {
        Error::from(ObjectError::Corrupt { kind: "commit", id: id.0, source: why.into() })
    };
    let line = |bytes: &'_ [u8], name: &str| -> Option<usize> {
        bytes.strip_prefix(name.as_bytes())?;
        Some(bytes.find_byte(b'\n').unwrap_or(bytes.len()))
    };
    let read = |line: &[u8]| gix::ObjectId::from_hex(line).ok().filter(|read| read.kind() == id.0.0.kind());
    let end = line(bytes, "tree ").ok_or_else(|| corrupt("it names no tree"))?;
    let tree = read(&bytes[5..end]).ok_or_else(|| corrupt("its tree is no object id"))?;
    let mut rest = bytes.get(end + 1..).unwrap_or_default();
    let mut parents = Vec::new();
    while let Some(end) = line(rest, "parent ") {
        let parent = read(&rest[7..end]).ok_or_else(|| corrupt("a parent is no object id"))?;
        parents.push(parent.into());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Ok((tree.into(), parents, rest))
}

/// The time of a commit as git orders by it: the committer has to follow the author, and the number the last `>`.
fn committer_seconds(rest: &[u8]) -> Option<i64> {
    let mut lines = rest.split(|byte| *byte == b'\n');
    lines.next()?.strip_prefix(b"author")?;
    let committer = lines.next()?.strip_prefix(b"committer")?;
    let time = committer[committer.rfind_byte(b'>')? + 1..].trim_ascii_start();
    let digits = time.iter().take_while(|byte| byte.is_ascii_digit()).count();
    time[..digits].to_str().ok()?.parse().ok()
}

/// Seconds and offset after a person, where git finds both.
fn time_of(rest: &[u8]) -> Option<(&BStr, &BStr)> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.trim_ascii_start();
    let (seconds, rest) = rest.split_at(digits(rest));
    let zone = rest.trim_ascii_start();
    let sign = zone.first().filter(|sign| !seconds.is_empty() && matches!(sign, b'+' | b'-'));
    let length = sign.map_or(0, |_| digits(&zone[1..]));
    (length > 0).then(|| (seconds.as_bstr(), zone[..=length].as_bstr()))
}

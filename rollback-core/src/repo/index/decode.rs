//! Reading the bytes of an index, after git's `Documentation/gitformat-index.txt`.
//!
//! Every length is checked: a cut or flipped byte is an error, never a panic.

use std::path::Path;

use bstr::BString;

use super::{CacheTree, Flags, Index, IndexEntry, Stat, corrupt, object_id};
use crate::error::{Error, RepositoryError, Result};
use crate::id::EntryMode;
use crate::path::RepoPath;
use crate::repo::Objects;

const HEADER: usize = 12;
const STAT: usize = 40;

impl Index {
    /// Reads `bytes`, which were written at `written` (seconds, nanoseconds) to `path`; the trees of a sparse index are
    /// among `objects`.
    pub(crate) fn decode(bytes: &[u8], written: (u32, u32), path: &Path, objects: &Objects) -> Result<Self> {
        Self::decode_as_written(bytes, objects.gix().object_hash(), written, path)?.expanded(objects)
    }

    /// As [`Self::decode`], with folders as the file has them.
    pub(crate) fn decode_as_written(
        bytes: &[u8],
        hash: gix::hash::Kind,
        written: (u32, u32),
        path: &Path,
    ) -> Result<Self> {
        let body = checked_body(bytes, hash)?;
        let (version, count) = header(body)?;
        let mut reader = EntryReader { body, at: HEADER, version, hash, previous: BString::default() };
        // Each entry takes more than its stat data, so a false count cannot reserve much.
        let mut entries = Vec::with_capacity((count as usize).min(body.len() / STAT));
        for _ in 0..count {
            entries.push(reader.next_entry()?);
        }
        let mut index = Self { version, hash, entries, tree: None, untracked: None, written };
        let mut rest = &body[reader.at..];
        while !rest.is_empty() {
            let (signature, data, after) = extension(rest)?;
            rest = after;
            match signature {
                b"link" => return dissolve_split_index(path, hash, written),
                b"TREE" => index.tree = CacheTree::decode(data, hash),
                b"UNTR" => index.untracked = untracked_head(data, hash),
                // Its folders are known by their modes.
                b"sdir" => {}
                known if known[0].is_ascii_uppercase() => {}
                unknown => {
                    return Err(RepositoryError::Unsupported {
                        what: format!("index extension '{}'", String::from_utf8_lossy(unknown)),
                        why: "git marks it as one that must be understood".into(),
                    }
                    .into());
                }
            }
        }
        // Not sooner: the part of a split index names only some of its entries.
        check_order(&index.entries)?;
        Ok(index)
    }
}

/// The paths with stages of a conflict, found without keeping the entries or checking the checksum: good
/// enough for a refusal, not for writing.
pub(super) fn scan_unmerged(bytes: &[u8], hash: gix::hash::Kind) -> Result<Vec<RepoPath>> {
    let split = bytes.len().checked_sub(hash.len_in_bytes()).filter(|at| *at >= HEADER);
    let body = &bytes[..split.ok_or_else(|| corrupt("it is too short"))?];
    let (version, count) = header(body)?;
    let mut reader = EntryReader { body, at: HEADER, version, hash, previous: BString::default() };
    let mut paths: Vec<RepoPath> = Vec::new();
    for _ in 0..count {
        let entry = reader.next_entry()?;
        if entry.flags.stage() != 0
            && paths.last().is_none_or(|last| last.as_bytes() != entry.path.as_slice())
        {
            paths.push(RepoPath::new(entry.path));
        }
    }
    Ok(paths)
}

/// The bytes before the checksum, which is checked unless `index.skipHash` left it zero.
fn checked_body(bytes: &[u8], hash: gix::hash::Kind) -> Result<&[u8]> {
    let split = bytes.len().checked_sub(hash.len_in_bytes()).filter(|at| *at >= HEADER);
    let (body, trailer) = bytes.split_at(split.ok_or_else(|| corrupt("it is too short"))?);
    let expected = object_id(trailer)?;
    if !expected.is_null() && super::encode::checksum(body, hash)? != expected {
        return Err(corrupt("its checksum does not match"));
    }
    Ok(body)
}

fn header(body: &[u8]) -> Result<(u32, u32)> {
    let word = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().expect("twelve bytes are there"));
    if &body[..4] != b"DIRC" {
        return Err(corrupt("it does not begin with DIRC"));
    }
    match word(4) {
        version @ 2..=4 => Ok((version, word(8))),
        version => Err(RepositoryError::Unsupported {
            what: format!("index version {version}"),
            why: "versions 2 to 4 are known".into(),
        }
        .into()),
    }
}

struct EntryReader<'a> {
    body: &'a [u8],
    at: usize,
    version: u32,
    hash: gix::hash::Kind,
    previous: BString,
}

impl<'a> EntryReader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.body.len());
        let taken = &self.body[self.at..end.ok_or_else(|| corrupt("an entry is cut short"))?];
        self.at += len;
        Ok(taken)
    }

    fn take_until_nul(&mut self) -> Result<&'a [u8]> {
        let len = self.body[self.at..].iter().position(|byte| *byte == 0);
        let taken = self.take(len.ok_or_else(|| corrupt("a path does not end"))?)?;
        self.at += 1;
        Ok(taken)
    }

    fn next_entry(&mut self) -> Result<IndexEntry> {
        let start = self.at;
        let head = self.take(STAT)?;
        let mode = u32::from_be_bytes(head[24..28].try_into().expect("forty bytes were taken"));
        let id = object_id(self.take(self.hash.len_in_bytes())?)?;
        let flags = self.flags()?;
        let path = match self.version {
            4 => self.compressed_path()?,
            _ => {
                let path = self.take_until_nul()?.into();
                // Entries are padded with one to eight zeros to a multiple of eight.
                let len = self.at - 1 - start;
                self.at = start + (len / 8 + 1) * 8;
                path
            }
        };
        Ok(IndexEntry { stat: Stat::decode(head), mode: EntryMode::from_bits(mode as u16), id, flags, path })
    }

    fn flags(&mut self) -> Result<Flags> {
        let word = self.take(2)?;
        let word = u16::from_be_bytes([word[0], word[1]]);
        let mut flags = Flags { word: word & 0xf000, extended: 0 };
        if word & Flags::EXTENDED != 0 {
            if self.version < 3 {
                return Err(corrupt("extended flags in version 2"));
            }
            let extended = self.take(2)?;
            flags.extended = u16::from_be_bytes([extended[0], extended[1]]);
            flags.word &= !Flags::EXTENDED;
        }
        Ok(flags)
    }

    /// Version 4: how many bytes of the previous path to drop, then what to append.
    fn compressed_path(&mut self) -> Result<BString> {
        let drop = self.offset_varint()?;
        let keep = self.previous.len().checked_sub(drop).ok_or_else(|| corrupt("a path drops too much"))?;
        let suffix = self.take_until_nul()?;
        self.previous.truncate(keep);
        self.previous.extend_from_slice(suffix);
        Ok(self.previous.clone())
    }

    fn offset_varint(&mut self) -> Result<usize> {
        let mut byte = self.take(1)?[0];
        let mut value = usize::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = self.take(1)?[0];
            value = value
                .checked_add(1)
                .and_then(|value| value.checked_mul(128))
                .ok_or_else(|| corrupt("a length overflows"))?
                + usize::from(byte & 0x7f);
        }
        Ok(value)
    }
}

fn check_order(entries: &[IndexEntry]) -> Result<()> {
    let key = |entry: &IndexEntry| entry.flags.stage();
    let ordered = entries.windows(2).all(|pair| match pair[0].path.cmp(&pair[1].path) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => key(&pair[0]) < key(&pair[1]) && key(&pair[0]) != 0,
        std::cmp::Ordering::Greater => false,
    });
    let named = entries.iter().all(|entry| !entry.path.is_empty());
    if ordered && named { Ok(()) } else { Err(corrupt("its entries are not in order")) }
}

fn extension(rest: &[u8]) -> Result<(&[u8; 4], &[u8], &[u8])> {
    let cut = || corrupt("an extension is cut short");
    let (signature, after) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let (len, after) = after.split_first_chunk::<4>().ok_or_else(cut)?;
    let (data, after) = after.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or_else(cut)?;
    Ok((signature, data, after))
}

/// The object library joins the shared part and ours; the result is written out and read as any other.
fn dissolve_split_index(path: &Path, hash: gix::hash::Kind, written: (u32, u32)) -> Result<Index> {
    let whole = gix::index::File::at(path, hash, false, Default::default())
        .map_err(|error| Error::internal("the split index cannot be read", error))?;
    let mut bytes = Vec::new();
    let options = gix::index::write::Options {
        extensions: gix::index::write::Extensions::Given { tree_cache: true, end_of_index_entry: false },
        skip_hash: false,
    };
    whole
        .write_to(&mut bytes, options)
        .map_err(|error| Error::internal("the split index cannot be joined", error))?;
    Index::decode_as_written(&bytes, hash, written, path)
}

/// The part of the untracked cache before its folders, followed by "no folders".
fn untracked_head(data: &[u8], hash: gix::hash::Kind) -> Option<Vec<u8>> {
    let mut at = 0;
    let mut value = 0usize;
    loop {
        let byte = *data.get(at)?;
        at += 1;
        value = value * 128 + usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
        value += 1;
        if at > 4 {
            return None;
        }
    }
    // Identification, two stat records, flags, two ids, then the name of the ignore files.
    at = at.checked_add(value)?.checked_add(2 * 36 + 4 + 2 * hash.len_in_bytes())?;
    let name_len = data.get(at..)?.iter().position(|byte| *byte == 0)?;
    let mut head = data.get(..at + name_len + 1)?.to_vec();
    head.push(0);
    Some(head)
}

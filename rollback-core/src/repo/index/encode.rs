//! Writing the bytes of an index, after git's `Documentation/gitformat-index.txt`.

use super::sparse::Folding;
use super::{Flags, Index, IndexEntry};
use crate::error::{Error, Result};
use crate::id::ObjectId;

impl Index {
    /// The bytes of the file, with folders as `folding` says. With `skip_hash` it ends in zeros instead of a checksum.
    pub(crate) fn encode(&self, skip_hash: bool, folding: Option<&Folding>) -> Result<Vec<u8>> {
        let folded = folding.map(|folding| self.folded(folding)).transpose()?.flatten();
        let entries = folded.as_ref().unwrap_or(&self.entries);
        let extended = entries.iter().any(|entry| entry.flags.extended != 0);
        let version = match self.version {
            4 => 4,
            _ if extended => 3,
            _ => 2,
        };
        let mut bytes = Vec::with_capacity(entries.len() * 96 + 64);
        bytes.extend_from_slice(b"DIRC");
        bytes.extend_from_slice(&u32::to_be_bytes(version));
        let count = u32::try_from(entries.len())
            .map_err(|error| Error::internal("the index has too many entries", error))?;
        bytes.extend_from_slice(&count.to_be_bytes());
        let mut previous: &[u8] = b"";
        for entry in entries {
            encode_entry(entry, version, previous, &mut bytes);
            previous = &entry.path;
        }
        // The cached trees count files where there are folders then.
        if let Some(tree) = self.tree.as_ref().filter(|_| folded.is_none()) {
            push_extension(b"TREE", &tree.encode(), &mut bytes);
        }
        if let Some(untracked) = &self.untracked {
            push_extension(b"UNTR", untracked, &mut bytes);
        }
        if folded.is_some() {
            push_extension(b"sdir", &[], &mut bytes);
        }
        let trailer = match skip_hash {
            true => ObjectId(gix::ObjectId::null(self.hash)),
            false => checksum(&bytes, self.hash)?,
        };
        bytes.extend_from_slice(trailer.as_bytes());
        Ok(bytes)
    }
}

fn encode_entry(entry: &IndexEntry, version: u32, previous: &[u8], bytes: &mut Vec<u8>) {
    let start = bytes.len();
    entry.stat.encode(entry.mode, bytes);
    bytes.extend_from_slice(entry.id.as_bytes());
    // Longer names are found by their terminator.
    let name_len = entry.path.len().min(0x0fff) as u16;
    let marker = if entry.flags.extended == 0 { 0 } else { Flags::EXTENDED };
    bytes.extend_from_slice(&(entry.flags.word | marker | name_len).to_be_bytes());
    if marker != 0 {
        bytes.extend_from_slice(&entry.flags.extended.to_be_bytes());
    }
    if version == 4 {
        let common = previous.iter().zip(entry.path.iter()).take_while(|(a, b)| a == b).count();
        push_offset_varint(previous.len() - common, bytes);
        bytes.extend_from_slice(&entry.path[common..]);
        bytes.push(0);
    } else {
        bytes.extend_from_slice(&entry.path);
        let len = bytes.len() - start;
        bytes.resize(start + (len / 8 + 1) * 8, 0);
    }
}

fn push_offset_varint(mut value: usize, bytes: &mut Vec<u8>) {
    let mut groups = vec![(value & 0x7f) as u8];
    while value >= 128 {
        value = (value >> 7) - 1;
        groups.push(0x80 | (value & 0x7f) as u8);
    }
    bytes.extend(groups.iter().rev());
}

fn push_extension(signature: &[u8; 4], data: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(signature);
    bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
    bytes.extend_from_slice(data);
}

/// The hash of these bytes as they are, without an object header.
pub(super) fn checksum(bytes: &[u8], hash: gix::hash::Kind) -> Result<ObjectId> {
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(bytes);
    hasher.try_finalize().map(ObjectId).map_err(|error| Error::internal("cannot compute a checksum", error))
}

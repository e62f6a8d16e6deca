//! Objects straight out of packs, with a memory for what deltas are based on.
//!
//! The versions of a file are deltas of each other in a pack, and a merge reads several of them: every step
//! of such a chain that was unpacked once is kept for a while. Nothing here is an error: what cannot be read
//! is `None`, and the object library says what is wrong with it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{data, index};
use gix::zlib::Inflate;

use super::cache::Cache;
use super::hash::Seed;

/// Bytes of unpacked objects that are kept for the deltas on them.
const BASES_LIMIT: usize = 64 << 20;
/// Larger objects are left to the object library, which has limits of its own.
const OBJECT_LIMIT: u64 = 256 << 20;
/// git's longest chains have 250 links, and 4,095 is the most it makes.
const LONGEST_CHAIN: usize = 4096;

type Place = (u32, u64);
type Object = (Kind, Rc<Vec<u8>>);

/// The packs of a repository as they were when this was made, mapped into memory once for all threads.
#[derive(Clone)]
pub(super) struct PackFiles(Arc<[Pack]>);

impl PackFiles {
    pub(super) fn open(repo: &gix::Repository) -> Self {
        let store = repo.objects.store_ref();
        let folders =
            std::iter::once(store.path().to_owned()).chain(store.alternate_db_paths().unwrap_or_default());
        Self(folders.flat_map(|folder| packs_in(&folder.join("pack"), repo.object_hash())).collect())
    }
}

/// The packs and what was unpacked from them lately.
pub(super) struct Packs {
    packs: Arc<[Pack]>,
    /// Which pack the last object came from; the next one is probably there too.
    last: usize,
    bases: Cache<Place, (Kind, Rc<Vec<u8>>), Seed>,
    inflate: Inflate,
    delta: Vec<u8>,
}

struct Pack {
    index: index::File,
    data: data::File,
}

impl Packs {
    pub(super) fn new(files: PackFiles) -> Self {
        Self {
            packs: files.0,
            last: 0,
            bases: Cache::new(BASES_LIMIT),
            inflate: Inflate::default(),
            delta: Vec::new(),
        }
    }

    /// The object, if a pack has it and it can be unpacked.
    pub(super) fn read(&mut self, id: &ObjectId) -> Option<Object> {
        let others = (0..self.packs.len()).filter(|pack| *pack != self.last);
        let (pack, at) = std::iter::once(self.last)
            .chain(others)
            .find_map(|pack| Some((pack, self.packs.get(pack)?.index.lookup(id)?)))?;
        self.last = pack;
        let offset = self.packs[pack].index.pack_offset_at_index(at);
        self.unpack(pack, offset)
    }

    fn unpack(&mut self, pack: usize, offset: u64) -> Option<Object> {
        let place = |offset| (pack as u32, offset);
        let mut chain = Vec::new();
        let mut at = offset;
        let (kind, mut object) = loop {
            if let Some(known) = self.bases.get(&place(at)) {
                break (known.0, known.1.clone());
            }
            let entry = self.packs[pack].data.entry(at).ok()?;
            if entry.decompressed_size > OBJECT_LIMIT || chain.len() > LONGEST_CHAIN {
                return None;
            }
            at = match entry.header {
                Header::OfsDelta { base_distance } => {
                    let base = entry.checked_base_pack_offset(base_distance)?;
                    chain.push((at, entry));
                    base
                }
                Header::RefDelta { base_id } => {
                    let index = &self.packs[pack].index;
                    let base = index.pack_offset_at_index(index.lookup(base_id)?);
                    chain.push((at, entry));
                    base
                }
                whole => {
                    let mut bytes = Vec::new();
                    self.inflate(pack, &entry, &mut bytes)?;
                    let object = Rc::new(bytes);
                    let kind = whole.as_kind()?;
                    self.remember(place(at), kind, &object);
                    break (kind, object);
                }
            };
        };
        for (at, entry) in chain.into_iter().rev() {
            let mut delta = std::mem::take(&mut self.delta);
            self.inflate(pack, &entry, &mut delta)?;
            object = Rc::new(apply(&object, &delta)?);
            self.delta = delta;
            self.remember(place(at), kind, &object);
        }
        Some((kind, object))
    }

    fn inflate(&mut self, pack: usize, entry: &data::Entry, to: &mut Vec<u8>) -> Option<()> {
        to.clear();
        to.resize(usize::try_from(entry.decompressed_size).ok()?, 0);
        self.packs[pack].data.decompress_entry(entry, &mut self.inflate, to).ok().map(drop)
    }

    fn remember(&mut self, place: Place, kind: Kind, object: &Rc<Vec<u8>>) {
        if object.len() < BASES_LIMIT / 8 {
            self.bases.put(place, Rc::new((kind, object.clone())), object.len() + 128);
        }
    }
}

fn packs_in(folder: &Path, hash: gix::hash::Kind) -> Vec<Pack> {
    let Ok(files) = crate::listing::rows(folder) else {
        return Vec::new();
    };
    let mut indices: Vec<_> = files
        .iter()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "idx"))
        .collect();
    indices.sort();
    indices
        .into_iter()
        .filter_map(|path| {
            let index = index::File::at(&path, hash).ok()?;
            let data = data::File::at(path.with_extension("pack"), hash).ok()?;
            Some(Pack { index, data })
        })
        .collect()
}

/// The object that `delta` makes of `base`.
fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() as u64 {
        return None;
    }
    let length = size(&mut rest).filter(|length| *length <= OBJECT_LIMIT)? as usize;
    let mut object = Vec::with_capacity(length);
    while let Some((&instruction, behind)) = rest.split_first() {
        rest = behind;
        if instruction & 0x80 != 0 {
            let offset = number(&mut rest, instruction & 0x0f, 4)?;
            let length = match number(&mut rest, (instruction >> 4) & 0x07, 3)? {
                0 => 0x1_0000,
                length => length,
            };
            object.extend_from_slice(base.get(offset..offset.checked_add(length)?)?);
        } else {
            let (literal, behind) = rest.split_at_checked(usize::from(instruction))?;
            object.extend_from_slice(literal);
            rest = behind;
        }
        if object.len() > length || instruction == 0 {
            return None;
        }
    }
    (object.len() == length).then_some(object)
}

/// A number whose bytes are there where `present` has a bit.
fn number(rest: &mut &[u8], present: u8, bytes: u32) -> Option<usize> {
    let mut number = 0;
    for byte in 0..bytes {
        if present & (1 << byte) != 0 {
            let (first, behind) = rest.split_first()?;
            number |= usize::from(*first) << (8 * byte);
            *rest = behind;
        }
    }
    Some(number)
}

/// A number in groups of seven bits, the lowest first.
fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_copies_from_its_base_and_adds_bytes_of_its_own() {
        // Nine bytes become eight: five copied from offset 4, then three new ones.
        let delta = [9, 8, 0x91, 4, 5, 3, b'x', b'y', b'z'];
        assert_eq!(apply(b"abcdefghi", &delta).unwrap(), b"efghixyz");
    }

    #[test]
    fn a_delta_that_does_not_fit_its_base_is_refused() {
        for delta in [
            &[8, 1, 1, b'x'][..],
            &[9, 2, 1, b'x'],
            &[9, 1, 0x91, 9, 1],
            &[9, 1, 0],
            &[9, 1, 5, b'x'],
            &[0x80],
        ] {
            assert_eq!(apply(b"abcdefghi", delta), None, "{delta:?}");
        }
    }
}

//! The first small objects that a handle reads, kept for all of its views.
//!
//! One command asks for the same few again and again: the commit of the tip, the trees on the way to what changed. Where
//! objects are loose, each of these reads opens a file. What is kept is never dropped for something else: a walk over all of
//! history would only drive out what is asked for twice.

use std::sync::{Arc, PoisonError, RwLock};

use gix::hashtable::HashMap;
use gix::objs::Kind;

/// More objects than this are not kept.
const MOST: usize = 256;
/// Objects with more bytes than this are not kept.
const LARGEST: usize = 16 << 10;

/// A memory of objects. Clones share it.
#[derive(Clone, Default)]
pub(super) struct KeptObjects(Arc<RwLock<ById>>);

/// Kind and bytes of objects.
type ById = HashMap<gix::ObjectId, (Kind, Box<[u8]>)>;

impl KeptObjects {
    /// Has the reads of `repo` ask this memory first.
    pub(super) fn serve(&self, repo: &mut gix::Repository) {
        let kept = self.clone();
        repo.objects.set_object_cache(move || Box::new(kept.clone()));
    }

    /// How many bytes an object has that is kept.
    pub(super) fn size(&self, id: &gix::ObjectId) -> Option<u64> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).map(|(_, bytes)| bytes.len() as u64)
    }
}

impl gix::odb::pack::cache::Object for KeptObjects {
    fn put(&mut self, id: gix::ObjectId, kind: Kind, data: &[u8]) {
        if data.len() > LARGEST || self.0.read().unwrap_or_else(PoisonError::into_inner).len() >= MOST {
            return;
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, (kind, data.into()));
    }

    fn get(&mut self, id: &gix::ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (kind, bytes) = kept.get(id)?;
        out.clear();
        out.extend_from_slice(bytes);
        Some(*kind)
    }
}

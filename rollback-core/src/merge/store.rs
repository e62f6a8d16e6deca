//! What a merge reads and makes: trees and blobs behind caches of bounded size, and new objects that stay
//! in memory.

use std::rc::Rc;

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::hashtable::hash::Builder;
use gix::objs::{FindHeader, Kind, Write};

use super::cache::Cache;
use super::pack::{PackFiles, Packs};
use super::tree::{Tree, Version};
use crate::error::{Error, ObjectError, Result};
use crate::id as ids;
use crate::repo::Objects;

/// Bytes of parsed trees that are kept.
const TREES_LIMIT: usize = 48 << 20;
/// Bytes of blobs that are kept, and the largest blob that is worth keeping.
const BLOBS_LIMIT: usize = 24 << 20;
const BLOB_LIMIT: usize = 2 << 20;

/// Where new objects go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Into the shared view, where they can be read back later.
    Everything,
    /// Nowhere, beyond the merge that makes them: only their ids are wanted.
    Nothing,
}

/// The objects of one engine.
pub(super) struct Store {
    objects: Rc<Objects>,
    hash: gix::hash::Kind,
    keep: Keep,
    packs: Packs,
    trees: Cache<ObjectId, Tree, Builder>,
    blobs: Cache<ObjectId, Vec<u8>, Builder>,
    made: HashMap<ObjectId, Rc<Vec<u8>>>,
    made_trees: HashMap<ObjectId, Rc<Tree>>,
    empty_tree: Rc<Tree>,
}

impl Store {
    pub(super) fn new(objects: Rc<Objects>, packs: PackFiles, keep: Keep) -> Self {
        let hash = objects.gix().object_hash();
        Self {
            packs: Packs::new(packs),
            objects,
            hash,
            keep,
            trees: Cache::new(TREES_LIMIT),
            blobs: Cache::new(BLOBS_LIMIT),
            made: HashMap::default(),
            made_trees: HashMap::default(),
            empty_tree: Rc::new(Tree::empty(hash)),
        }
    }

    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn stop_if_cancelled(&self) -> Result<()> {
        self.objects.stop_if_cancelled()
    }

    pub(super) fn hash(&self) -> gix::hash::Kind {
        self.hash
    }

    pub(super) fn gix(&self) -> &gix::Repository {
        self.objects.gix()
    }

    pub(super) fn absent(&self) -> Version {
        Version::absent(self.hash)
    }

    /// Forgets what the last merge made, where it is not needed.
    pub(super) fn begin(&mut self) {
        self.made.clear();
        self.made_trees.clear();
    }

    pub(super) fn tree(&mut self, id: ObjectId) -> Result<Rc<Tree>> {
        if id.is_null() || id.is_empty_tree() {
            return Ok(self.empty_tree.clone());
        }
        if let Some(tree) = self.trees.get(&id) {
            return Ok(tree);
        }
        if let Some(tree) = self.made_trees.get(&id) {
            return Ok(tree.clone());
        }
        let raw = self.read(id, Kind::Tree, "tree")?;
        let tree = Tree::parse(raw, self.hash).map_err(|source| ObjectError::Corrupt {
            kind: "tree",
            id: ids::ObjectId(id),
            source: source.into(),
        })?;
        let tree = Rc::new(tree);
        self.trees.put(id, tree.clone(), tree.size());
        Ok(tree)
    }

    /// The tree that an id stands for: its own, or that of the commit or tag.
    pub(super) fn peel_to_tree(&mut self, mut id: ObjectId) -> Result<ObjectId> {
        loop {
            if id.is_empty_tree() || self.trees.get(&id).is_some() {
                return Ok(id);
            }
            let known = self.packs.read(&id);
            let (kind, bytes) = match known {
                Some(object) => object,
                None => {
                    let mut bytes = Vec::new();
                    let kind = self.objects.read(ids::ObjectId(id), "object", &mut bytes)?;
                    (kind, Rc::new(bytes))
                }
            };
            let field: &[u8] = match kind {
                Kind::Tree => return Ok(id),
                Kind::Commit => b"tree ",
                Kind::Tag => b"object ",
                Kind::Blob => b"",
            };
            let length = field.len() + self.hash.len_in_hex();
            let named = bytes.strip_prefix(field).and_then(|_| bytes.get(field.len()..length));
            id = named
                .and_then(|hex| ObjectId::from_hex(hex).ok())
                .filter(|_| kind != Kind::Blob)
                .ok_or_else(|| ObjectError::Corrupt {
                    kind: "tree",
                    id: ids::ObjectId(id),
                    source: format!("it is a {kind} without a tree").into(),
                })?;
        }
    }

    /// The tree that an entry names; the empty one where the entry is absent or no tree.
    pub(super) fn tree_of(&mut self, version: &Version) -> Result<Rc<Tree>> {
        if version.is_tree() { self.tree(version.id) } else { Ok(self.empty_tree.clone()) }
    }

    pub(super) fn blob(&mut self, id: ObjectId) -> Result<Rc<Vec<u8>>> {
        if let Some(blob) = self.made.get(&id) {
            return Ok(blob.clone());
        }
        if let Some(blob) = self.blobs.get(&id) {
            return Ok(blob);
        }
        let blob = self.read(id, Kind::Blob, "blob")?;
        if blob.len() <= BLOB_LIMIT {
            self.blobs.put(id, blob.clone(), blob.len() + 64);
        }
        Ok(blob)
    }

    /// The size of a blob, without unpacking it.
    pub(super) fn blob_size(&mut self, id: ObjectId) -> Result<u64> {
        if let Some(blob) = self.made.get(&id) {
            return Ok(blob.len() as u64);
        }
        if let Some(blob) = self.blobs.get(&id) {
            return Ok(blob.len() as u64);
        }
        match FindHeader::try_header(&self.gix().objects, &id) {
            Ok(Some(header)) => Ok(header.size),
            // Reading it says better what is wrong.
            Ok(None) | Err(_) => self.blob(id).map(|blob| blob.len() as u64),
        }
    }

    /// Makes a tree of these bytes.
    pub(super) fn make_tree(&mut self, raw: &[u8]) -> Result<ObjectId> {
        self.make(Kind::Tree, raw)
    }

    /// Makes a tree that this merge can read.
    pub(super) fn make_readable_tree(&mut self, raw: Vec<u8>) -> Result<ObjectId> {
        let id = self.make_tree(&raw)?;
        let tree = Tree::parse(Rc::new(raw), self.hash)
            .map_err(|source| Error::internal("cannot read a tree just made", source))?;
        self.made_trees.insert(id, Rc::new(tree));
        Ok(id)
    }

    /// Makes a blob of these bytes.
    pub(super) fn make_blob(&mut self, bytes: Vec<u8>) -> Result<ObjectId> {
        let id = self.make(Kind::Blob, &bytes)?;
        if self.keep == Keep::Nothing {
            self.made.insert(id, Rc::new(bytes));
        }
        Ok(id)
    }

    fn make(&mut self, kind: Kind, bytes: &[u8]) -> Result<ObjectId> {
        let made = match self.keep {
            Keep::Everything => self.objects.gix().objects.write_buf(kind, bytes),
            Keep::Nothing => gix::objs::compute_hash(self.hash, kind, bytes),
        };
        made.map_err(|error| Error::internal("cannot create an object in memory", error))
    }

    fn read(&mut self, id: ObjectId, wanted: Kind, name: &'static str) -> Result<Rc<Vec<u8>>> {
        if let Some((kind, bytes)) = self.packs.read(&id)
            && kind == wanted
        {
            return Ok(bytes);
        }
        let mut bytes = Vec::new();
        let kind = self.objects.read(ids::ObjectId(id), name, &mut bytes)?;
        if kind != wanted {
            return Err(ObjectError::Corrupt {
                kind: name,
                id: ids::ObjectId(id),
                source: format!("it is a {kind}").into(),
            }
            .into());
        }
        Ok(Rc::new(bytes))
    }
}

//! Reading objects with errors that name them, and creating objects in memory.

use std::cell::RefCell;
use std::sync::Arc;

use bstr::BString;
use gix::hashtable::HashMap;
use gix::objs::{Find, FindHeader, Kind, WriteTo};

use super::big_blob::DEFAULT_LIMIT;
use super::commit::{Commit, CommitHeader};
use super::kept_objects::KeptObjects;
use super::promised::{Lacking, is_partial_clone};
use crate::cancel::Cancel;
use crate::error::{Error, ObjectError, Result, Source};
use crate::filters::Filters;
use crate::id::{CommitId, Entry, EntryMode, ObjectId, TreeId};
use crate::merge_drivers::MergeDrivers;
use crate::path::RepoPath;
use crate::progress::{Count, Sink, Stage};
use crate::repo::{Programs, Repo};

/// A view of the object database for one thread. What is written through it stays in its memory until
/// `apply` makes it durable, and can be read back at once.
pub(crate) struct Objects {
    repo: gix::Repository,
    kept: KeptObjects,
    programs: Programs,
    filters: Arc<dyn Filters>,
    merge_drivers: Option<Arc<dyn MergeDrivers>>,
    lacking: Option<Lacking>,
    cancel: Cancel,
    progress: Sink,
    /// The commits that were read last: one question about history after another reads the same.
    headers: RefCell<HashMap<gix::ObjectId, CommitHeader>>,
}

/// More commits than this are not kept.
const KEPT_HEADERS: usize = 1 << 18;

/// Objects that exist in memory only: id, kind and bytes, in no particular order.
pub(crate) type NewObjects = Vec<(ObjectId, Kind, Vec<u8>)>;

/// A tree, decoded and owned, in git's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) entries: Vec<TreeEntry>,
}

/// One row of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    pub(crate) name: BString,
    pub(crate) entry: Entry,
}

impl Tree {
    /// Decodes the bytes of the tree `id`.
    ///
    /// # Errors
    /// [`ObjectError::Corrupt`], naming `id`.
    pub(crate) fn parse(id: TreeId, bytes: &[u8]) -> Result<Self> {
        let mut entries = Vec::new();
        for row in gix::objs::TreeRefIter::from_bytes(bytes, id.0.0.kind()) {
            let row = row.map_err(|source| corrupt("tree", id.0, source))?;
            entries.push(TreeEntry { name: row.filename.to_owned(), entry: entry_of(&row) });
        }
        Ok(Self { entries })
    }

    /// The entry called `name`.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Entry> {
        // A linear search: old trees are not always sorted, and a binary search would miss entries there.
        self.entries.iter().find(|row| row.name == name).map(|row| row.entry)
    }
}

impl Objects {
    /// A view through `local`, with what may run as `repo` has it.
    pub(crate) fn new(local: gix::Repository, repo: &Repo) -> Self {
        Self {
            repo: local.with_object_memory(),
            kept: repo.kept.clone(),
            programs: repo.programs.clone(),
            filters: Arc::clone(&repo.filters),
            merge_drivers: repo.merge_drivers.clone(),
            lacking: repo.lacking.clone(),
            cancel: repo.reading_until(),
            progress: repo.progress.clone(),
            headers: RefCell::default(),
        }
    }

    /// Stops reading where that is wanted: every loop over commits, trees or files comes by here.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn stop_if_cancelled(&self) -> Result<()> {
        super::stop_if(&self.cancel)
    }

    /// Work of a stage that is counted from now on.
    pub(crate) fn count(&self, stage: Stage, total: Option<usize>) -> Count {
        self.progress.count(stage, total)
    }

    /// Whether filters of the repository's own configuration may run.
    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Who starts filters.
    pub(crate) fn filters(&self) -> &Arc<dyn Filters> {
        &self.filters
    }

    /// Who runs merge drivers.
    pub(crate) fn merge_drivers(&self) -> Option<&Arc<dyn MergeDrivers>> {
        self.merge_drivers.as_ref()
    }

    /// The object library's own handle, whose writes go to memory.
    pub(crate) fn gix(&self) -> &gix::Repository {
        &self.repo
    }

    /// Reads the object into `buffer` and returns its kind.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] and [`ObjectError::Corrupt`], both naming `id`, [`Error::TooLarge`],
    /// [`Error::Cancelled`].
    pub(crate) fn read(&self, id: ObjectId, wanted: &'static str, buffer: &mut Vec<u8>) -> Result<Kind> {
        self.stop_if_cancelled()?;
        // Above the default limit the object library refuses by itself.
        if wanted == "blob" && self.blob_limit()? < DEFAULT_LIMIT {
            self.refuse_too_large(format_args!("blob {id}"), self.blob_size(id)?)?;
        }
        match self.repo.objects.try_find(&id.0, buffer) {
            Ok(Some(data)) => Ok(data.kind),
            Ok(None) if wanted == "blob" && self.goes_on_without(id) => {
                buffer.clear();
                Ok(Kind::Blob)
            }
            Ok(None) => Err(self.missing(id, wanted)),
            Err(source) => {
                // The object library stops at the limit too, and what it says of it names no size.
                let header = FindHeader::try_header(&self.repo.objects, &id.0);
                if let Ok(Some(header)) = header {
                    let limit = self.blob_limit()?.max(DEFAULT_LIMIT);
                    if header.size > limit {
                        let what = format!("{wanted} {id}");
                        return Err(Error::TooLarge { what, size: header.size, limit });
                    }
                }
                Err(ObjectError::Corrupt { kind: wanted, id, source: source.into() }.into())
            }
        }
    }

    /// Whether the object is there.
    pub(crate) fn has(&self, id: ObjectId) -> bool {
        gix::objs::Exists::exists(&self.repo.objects, &id.0)
    }

    /// How many bytes an object has that was read before and is small.
    pub(super) fn kept_size(&self, id: ObjectId) -> Option<u64> {
        self.kept.size(&id.0)
    }

    /// Reads a blob whole.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for one with more bytes than `rb.blobLimit`, and as [`Objects::read`].
    pub(crate) fn blob(&self, id: ObjectId) -> Result<Vec<u8>> {
        let mut buffer = Vec::new();
        let kind = self.read(id, "blob", &mut buffer)?;
        expect_kind(kind, Kind::Blob, "blob", id)?;
        Ok(buffer)
    }

    /// Reads a tree. The null id and the empty tree's id need no object.
    pub(crate) fn tree(&self, id: TreeId) -> Result<Tree> {
        let mut buffer = Vec::new();
        self.read_tree(id, &mut buffer)?;
        Tree::parse(id, &buffer)
    }

    /// Reads the bytes of a tree into `buffer`. The null id and the empty tree's id need no object.
    pub(crate) fn read_tree(&self, id: TreeId, buffer: &mut Vec<u8>) -> Result<()> {
        buffer.clear();
        if id.0.is_null() || id == self.empty_tree() {
            return Ok(());
        }
        let kind = self.read(id.0, "tree", buffer)?;
        expect_kind(kind, Kind::Tree, "tree", id.0)
    }

    /// The id of the tree without entries.
    pub(crate) fn empty_tree(&self) -> TreeId {
        gix::ObjectId::empty_tree(self.repo.object_hash()).into()
    }

    /// Reads a commit.
    pub(crate) fn commit(&self, id: CommitId) -> Result<Commit> {
        let mut buffer = Vec::new();
        let kind = self.read(id.0, "commit", &mut buffer)?;
        expect_kind(kind, Kind::Commit, "commit", id.0)?;
        Commit::parse(id, &buffer)
    }

    /// Reads tree, parents and time of a commit.
    pub(crate) fn commit_header(&self, id: CommitId) -> Result<CommitHeader> {
        self.stop_if_cancelled()?;
        if let Some(known) = self.headers.borrow().get(&id.gix()) {
            return Ok(known.clone());
        }
        let mut buffer = Vec::new();
        let kind = self.read(id.0, "commit", &mut buffer)?;
        expect_kind(kind, Kind::Commit, "commit", id.0)?;
        let header = CommitHeader::parse(id, &buffer)?;
        let mut headers = self.headers.borrow_mut();
        if headers.len() >= KEPT_HEADERS {
            headers.clear();
        }
        headers.insert(id.gix(), header.clone());
        Ok(header)
    }

    /// The tree of a commit; the empty tree for `None`, which stands for the parent of a root.
    pub(crate) fn tree_of(&self, commit: Option<CommitId>) -> Result<TreeId> {
        commit.map_or_else(|| Ok(self.empty_tree()), |id| self.commit_header(id).map(|commit| commit.tree))
    }

    /// The entry of `path` below the tree; `None` where the path does not exist. The root is a tree entry.
    pub(crate) fn entry_at(&self, tree: TreeId, path: &RepoPath) -> Result<Option<Entry>> {
        let mut at = Entry { mode: EntryMode::TREE, id: tree.0 };
        let mut buffer = Vec::new();
        for name in path.components() {
            if !at.mode.is_tree() {
                return Ok(None);
            }
            self.read_tree(TreeId(at.id), &mut buffer)?;
            match find_row(TreeId(at.id), &buffer, name)? {
                Some(entry) => at = entry,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Puts an object into memory and returns its id.
    pub(crate) fn write(&self, object: impl WriteTo) -> Result<ObjectId> {
        gix::objs::Write::write(&self.repo.objects, &object)
            .map(ObjectId)
            .map_err(|error| Error::internal("cannot create an object in memory", error))
    }

    /// Puts the bytes of an object into memory as they are and returns its id.
    pub(crate) fn write_raw(&self, kind: Kind, bytes: &[u8]) -> Result<ObjectId> {
        gix::objs::Write::write_buf(&self.repo.objects, kind, bytes)
            .map(ObjectId)
            .map_err(|error| Error::internal("cannot create an object in memory", error))
    }

    /// Puts a tree into memory, sorted as git sorts, and returns its id.
    pub(crate) fn write_tree(&self, tree: &Tree) -> Result<TreeId> {
        let mut entries: Vec<_> = tree
            .entries
            .iter()
            .map(|row| gix::objs::tree::Entry {
                mode: gix::objs::tree::EntryMode::try_from(u32::from(row.entry.mode.bits()))
                    .unwrap_or_else(|_| gix::objs::tree::EntryKind::Blob.into()),
                filename: row.name.clone(),
                oid: row.entry.id.0,
            })
            .collect();
        entries.sort();
        self.write(gix::objs::Tree { entries }).map(TreeId)
    }

    /// Puts a blob into memory and returns its id.
    pub(crate) fn write_blob(&self, bytes: &[u8]) -> Result<ObjectId> {
        self.write_raw(Kind::Blob, bytes)
    }

    /// Puts objects that another view created into the memory of this one.
    ///
    /// # Errors
    /// [`ObjectError::Corrupt`] where the bytes are not those of the id.
    pub(crate) fn insert_new(&self, objects: &[(ObjectId, Kind, Vec<u8>)]) -> Result<()> {
        for (id, kind, bytes) in objects {
            let found = gix::objs::Write::write_buf(&self.repo.objects, *kind, bytes)
                .map_err(|error| Error::internal("cannot create an object in memory", error))?;
            if found != id.0 {
                return Err(corrupt("new object", *id, format!("its bytes are those of {found}")));
            }
        }
        Ok(())
    }

    /// Takes out every object that was created through this view.
    pub(crate) fn take_new(&self) -> NewObjects {
        let Some(mut storage) = self.repo.objects.reset_object_memory() else {
            return Vec::new();
        };
        storage.drain().map(|(id, (kind, bytes))| (ObjectId(id), kind, bytes)).collect()
    }

    /// Every object that was created through this view, which keeps them.
    pub(crate) fn new_objects(&self) -> Result<NewObjects> {
        let created = self.take_new();
        self.insert_new(&created)?;
        Ok(created)
    }

    /// The id cut to as few digits as name it alone here, at least `core.abbrev`.
    pub(crate) fn abbreviated(&self, id: ObjectId) -> String {
        use gix::prelude::ObjectIdExt;
        id.0.attach(&self.repo).shorten_or_id().to_string()
    }

    /// As [`Objects::abbreviated`], for what is written down: what cannot be found out is an error.
    ///
    /// # Errors
    /// [`Error::Internal`] where the objects cannot be looked through.
    pub(crate) fn abbreviation(&self, id: ObjectId) -> Result<String> {
        use gix::prelude::ObjectIdExt;
        let shortened = id.0.attach(&self.repo).shorten();
        let shortened = shortened.map_err(|error| Error::internal("cannot abbreviate an id", error))?;
        Ok(shortened.to_string())
    }

    /// As [`Objects::abbreviation`], for an id that need not be in the repository, such as that of an object in memory.
    ///
    /// # Errors
    /// [`Error::Internal`] where the objects cannot be looked through.
    pub(crate) fn abbreviation_of_any(&self, id: ObjectId) -> Result<String> {
        let failed = |error| Error::internal("cannot abbreviate an id", error);
        let mut length = self.usual_abbreviation().map_err(failed)?;
        let whole = id.0.kind().len_in_hex();
        while length < whole {
            let prefix = gix::hash::Prefix::new(&id.0, length)
                .map_err(|error| Error::internal("cannot abbreviate an id", error))?;
            match self.repo.objects.lookup_prefix(prefix, None).map_err(failed)? {
                Some(Ok(found)) if found != id.0 => length += 1,
                Some(Err(())) => length += 1,
                _ => break,
            }
        }
        Ok(id.to_hex_with_len(length))
    }

    /// How many digits an id has at least where it is abbreviated: `core.abbrev`, or what so many objects need.
    fn usual_abbreviation(&self) -> gix::Result<usize> {
        const LEAST: usize = 7;
        let whole = self.repo.object_hash().len_in_hex();
        let config = self.repo.config_snapshot();
        if let Some(digits) = config.integer("core.abbrev").and_then(|digits| usize::try_from(digits).ok()) {
            return Ok(digits.min(whole));
        }
        if config.boolean("core.abbrev") == Some(false) {
            return Ok(whole);
        }
        let bits = u64::BITS - self.repo.objects.packed_object_count()?.leading_zeros();
        Ok((bits.div_ceil(2) as usize).max(LEAST))
    }

    pub(super) fn missing(&self, id: ObjectId, kind: &'static str) -> Error {
        ObjectError::Missing { kind, id, partial_clone: is_partial_clone(&self.repo) }.into()
    }

    /// Whether a missing blob is noted, to be fetched when the computation is over: what comes of that is not used.
    pub(super) fn goes_on_without(&self, id: ObjectId) -> bool {
        let Some(lacking) = &self.lacking else { return false };
        lacking.add(id);
        true
    }

    /// Whether a partial clone left the object out.
    pub(crate) fn lacks_promised(&self, id: ObjectId) -> bool {
        !self.has(id) && is_partial_clone(&self.repo)
    }

    /// Ends a computation that has gone on without objects: more of it would only guess.
    ///
    /// # Errors
    /// [`ObjectError::Missing`].
    pub(crate) fn refuse_lacking(&self) -> Result<()> {
        match self.lacking.as_ref().and_then(Lacking::first) {
            Some(id) => Err(self.missing(id, "blob")),
            None => Ok(()),
        }
    }
}

/// The entry called `name` among the rows of a tree. A linear search: old trees are not always sorted, and a binary search
/// would miss entries there.
fn find_row(id: TreeId, bytes: &[u8], name: &[u8]) -> Result<Option<Entry>> {
    let mut found = None;
    for row in gix::objs::TreeRefIter::from_bytes(bytes, id.0.0.kind()) {
        // A tree is read to its end, so that a damaged one is noticed.
        let row = row.map_err(|source| corrupt("tree", id.0, source))?;
        if found.is_none() && row.filename == name {
            found = Some(entry_of(&row));
        }
    }
    Ok(found)
}

fn entry_of(row: &gix::objs::tree::EntryRef<'_>) -> Entry {
    Entry { mode: EntryMode::from_bits(row.mode.value()), id: ObjectId(row.oid.to_owned()) }
}

fn expect_kind(found: Kind, wanted: Kind, name: &'static str, id: ObjectId) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(ObjectError::Corrupt { kind: name, id, source: format!("it is a {found}").into() }.into())
}

fn corrupt(kind: &'static str, id: ObjectId, source: impl Into<Source>) -> Error {
    ObjectError::Corrupt { kind, id, source: source.into() }.into()
}

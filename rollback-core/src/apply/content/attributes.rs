//! Whose `.gitattributes` count: those of the work tree, of the result of a landing, or of a folder.

use std::collections::BTreeMap;
use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::objs::{Data, Find, Kind};
use gix::worktree::stack::state::attributes::Source;

use super::super::changes::Change;
use super::rules::{self, Rules};
use crate::error::{Error, Result};
use crate::id::Entry;
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::index::Index;

/// The attributes of each path, as seen from one side.
pub(super) struct Attributes {
    stack: gix::worktree::Stack,
    found: gix::attrs::search::Outcome,
}

/// The blobs of `.gitattributes` files by their paths; the empty blob where a file is gone and must not be looked for
/// in the work tree.
type Files = BTreeMap<BString, gix::ObjectId>;

impl Attributes {
    /// The work tree as it is: its own files, then those of the index. git reads files so that it adds.
    pub(super) fn of_work_tree(objects: &Objects, index: &Index) -> Result<Self> {
        Self::new(objects, files_of(index), Source::WorktreeThenIdMapping, None)
    }

    /// The work tree after a landing: the files of the index with `changes`, then those of the work tree that the
    /// landing leaves. git writes files so that it checks out, removals coming first.
    pub(super) fn of_result(objects: &Objects, index: &Index, changes: &[Change]) -> Result<Self> {
        let mut files = files_of(index);
        for change in changes.iter().filter(|change| is_named(change.path.as_bytes())) {
            let blob = change.new.filter(|new| new.mode.is_file()).map(|new| new.id.0);
            let blob = blob.unwrap_or_else(|| empty_blob(objects));
            files.insert(change.path.as_bytes().into(), blob);
        }
        Self::new(objects, files, Source::IdMappingThenWorktree, None)
    }

    /// A tree that is checked out into a folder of its own.
    pub(super) fn of_tree(
        objects: &Objects,
        tree: &BTreeMap<RepoPath, Entry>,
        folder: &Path,
    ) -> Result<Self> {
        let files = tree.iter().filter(|(path, entry)| is_named(path.as_bytes()) && entry.mode.is_file());
        let files = files.map(|(path, entry)| (path.as_bytes().into(), entry.id.0)).collect();
        Self::new(objects, files, Source::IdMapping, Some(folder))
    }

    /// The files that stand in a folder, and no others.
    pub(super) fn of_folder(objects: &Objects, folder: &Path) -> Result<Self> {
        Self::new(objects, Files::new(), Source::WorktreeThenIdMapping, Some(folder))
    }

    fn new(objects: &Objects, files: Files, source: Source, folder: Option<&Path>) -> Result<Self> {
        let failed = |error: gix::Error| Error::internal("cannot read the attributes", error);
        let repo = objects.gix();
        let none = gix::index::State::new(repo.object_hash());
        let usual = repo.attributes_only(&none, source).map_err(failed)?.detach();
        let case = match repo.config_snapshot().boolean("core.ignoreCase") {
            Some(true) => gix::glob::pattern::Case::Fold,
            _ => gix::glob::pattern::Case::Sensitive,
        };
        let root = folder.unwrap_or(usual.base()).to_owned();
        let files = files.into_iter().collect();
        let stack = gix::worktree::Stack::new(root, usual.state().clone(), case, Vec::new(), files);
        Ok(Self { found: stack.selected_attribute_matches(rules::ATTRIBUTES), stack })
    }

    /// The conversions that the attributes ask for at `path`.
    pub(super) fn at(
        &mut self,
        path: &RepoPath,
        objects: &Objects,
        eol: gix::filter::plumbing::eol::Configuration,
    ) -> Result<Rules> {
        let blobs = WithEmptyBlob(objects);
        let attributes = self
            .stack
            .at_entry(path.as_bstr(), None, &blobs)
            .map_err(|source| Error::io("read attributes for", path.to_string(), source))?;
        attributes.matching_attributes(&mut self.found);
        Ok(Rules::read(&self.found, eol))
    }
}

/// The objects, and the empty blob even where it is not stored.
struct WithEmptyBlob<'a>(&'a Objects);

impl Find for WithEmptyBlob<'_> {
    fn try_find<'a>(&self, id: &gix::hash::oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        if id.is_empty_blob() {
            buffer.clear();
            return Ok(Some(Data::new(buffer, Kind::Blob, id.kind())));
        }
        self.0.gix().objects.try_find(id, buffer)
    }
}

fn empty_blob(objects: &Objects) -> gix::ObjectId {
    gix::ObjectId::empty_blob(objects.gix().object_hash())
}

fn is_named(path: &[u8]) -> bool {
    path == b".gitattributes" || path.ends_with(b"/.gitattributes")
}

fn files_of(index: &Index) -> Files {
    let entries = index.entries().iter().filter(|entry| entry.flags.stage() == 0);
    let files = entries.filter(|entry| is_named(&entry.path) && entry.mode.is_file());
    files.map(|entry| (entry.path.as_bstr().to_owned(), entry.id.0)).collect()
}

//! The files that differ between two trees, and a look into each.

use std::cell::RefCell;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::compared::{FilePatch, PatchContent};
use super::options::DiffOptions;
use super::renames;
use crate::error::Result;
use crate::history::{PathChange, paths_between};
use crate::id::{CommitId, Entry, EntryKind, TreeId};
use crate::merge::text::hunks::{Compared, Comparison};
use crate::merge::{DiffAttributes, looks_binary};
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};

/// One side of a file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileSide {
    /// Its path there.
    pub path: RepoPath,
    /// What stands there.
    pub entry: Entry,
}

/// A file that differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedFile {
    /// The file before; `None` where it is new.
    pub before: Option<FileSide>,
    /// The file after; `None` where it goes.
    pub after: Option<FileSide>,
    /// Of a file that moved: how much of it is the same, in percent.
    pub similarity: Option<u8>,
}

impl ChangedFile {
    /// The path it has after, or had before where it goes.
    pub fn path(&self) -> &RepoPath {
        let side = self.after.as_ref().or(self.before.as_ref());
        side.map(|side| &side.path).expect("a file that differs is on one side at least")
    }

    /// The path that it had before, where that is another one.
    pub fn moved_from(&self) -> Option<&RepoPath> {
        self.similarity.and(self.before.as_ref()).map(|side| &side.path)
    }

    fn is_of_two_types(&self) -> bool {
        let kind = |side: &FileSide| match side.entry.mode.kind() {
            EntryKind::Executable => EntryKind::Blob,
            kind => kind,
        };
        matches!((&self.before, &self.after), (Some(before), Some(after)) if kind(before) != kind(after))
    }
}

/// How many lines of a file come and go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FileCounts {
    /// The path it has after, or had before where it goes.
    pub path: RepoPath,
    /// The path that it had before, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RepoPath>,
    /// How many lines come; absent for a binary file, and where the content is not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<usize>,
    /// How many lines go; absent likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<usize>,
    /// Of a binary file: its size before and after, in bytes; 0 where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<[u64; 2]>,
}

impl FileCounts {
    pub(super) fn of_nothing(file: &ChangedFile) -> Self {
        let (path, from) = (file.path().clone(), file.moved_from().cloned());
        Self { path, from, added: None, deleted: None, bytes: None }
    }
}

/// What differs between two trees.
pub struct Diff {
    objects: Objects,
    options: DiffOptions,
    files: Vec<ChangedFile>,
    attributes: RefCell<DiffAttributes>,
}

impl Repo {
    /// The files that differ from `old` to `new`, in git's order, with those that moved found by git's rules.
    ///
    /// # Errors
    /// [`ObjectError::Missing`](crate::error::ObjectError::Missing) and
    /// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt) for what cannot be read.
    pub fn diff(&self, old: TreeId, new: TreeId, options: &DiffOptions) -> Result<Diff> {
        self.complete(|repo| Diff::between(repo.objects(), old, new, options))
    }

    /// What a commit changed against its first parent; a root against nothing.
    ///
    /// # Errors
    /// As [`Repo::diff`].
    pub fn commit_patch(&self, commit: CommitId, options: &DiffOptions) -> Result<Diff> {
        let objects = self.objects();
        let header = objects.commit_header(commit)?;
        self.diff(objects.tree_of(header.parents.first().copied())?, header.tree, options)
    }
}

impl Diff {
    /// What differs between two trees that `objects` can read, in its memory or in the repository.
    pub(crate) fn between(objects: Objects, old: TreeId, new: TreeId, options: &DiffOptions) -> Result<Self> {
        let mut changes = paths_between(&objects, old, new)?;
        if !options.paths.is_empty() {
            changes.retain(|change| options.paths.iter().any(|path| path.contains(&change.path)));
        }
        let mut attributes = DiffAttributes::new(&objects)?;
        let files = changes.into_iter().map(ChangedFile::from).collect();
        let files = match options.renames {
            true => renames::find(&objects, files, options.rename_limit, &mut attributes)?,
            false => files,
        };
        Ok(Self { objects, options: options.clone(), files, attributes: RefCell::new(attributes) })
    }

    /// The files that differ.
    pub fn files(&self) -> &[ChangedFile] {
        &self.files
    }

    /// How many lines of a file come and go. Content that a partial clone lacks is not fetched, and counts for nothing.
    ///
    /// # Errors
    /// Those of reading its content.
    pub fn counts(&self, file: &ChangedFile) -> Result<FileCounts> {
        let mut counts = FileCounts::of_nothing(file);
        let sides = [file.before.as_ref(), file.after.as_ref()];
        let lacking = |side: &FileSide| {
            side.entry.mode.kind() != EntryKind::Submodule && self.objects.lacks_promised(side.entry.id)
        };
        if sides.iter().flatten().any(|side| lacking(side)) {
            return Ok(counts);
        }
        if same_content(file) {
            (counts.added, counts.deleted) = (Some(0), Some(0));
            return Ok(counts);
        }
        let sizes = [self.size_of(sides[0])?, self.size_of(sides[1])?];
        if self.is_large(sizes)? {
            counts.bytes = Some(sizes);
            return Ok(counts);
        }
        let (old, new) = (self.content(sides[0])?, self.content(sides[1])?);
        if self.is_binary(sides[0], &old)? || self.is_binary(sides[1], &new)? {
            counts.bytes = Some(sizes);
            return Ok(counts);
        }
        let (gone, made) = Compared::of(&old, &new, &self.comparison()).counts();
        (counts.added, counts.deleted) = (Some(made), Some(gone));
        Ok(counts)
    }

    /// How many bytes both sides of a file have, as headers of objects tell.
    ///
    /// # Errors
    /// Those of reading them.
    #[doc(hidden)]
    pub fn size(&self, file: &ChangedFile) -> Result<u64> {
        Ok(self.size_of(file.before.as_ref())?.saturating_add(self.size_of(file.after.as_ref())?))
    }

    /// The counts of a file whose patches were made already, which are not compared again.
    ///
    /// # Errors
    /// As [`Diff::counts`].
    pub fn counts_of_patches(&self, file: &ChangedFile, patches: &[FilePatch]) -> Result<FileCounts> {
        match patches {
            [patch] => Ok(patch.counts()),
            // git counts a file that becomes one of another type as if it stayed one file.
            _ => self.counts(file),
        }
    }

    /// The patch of a file, in one part; in two where it becomes a file of another type, the first of which removes it.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) for content that may not be in memory, and those of reading it.
    pub fn patches(&self, file: &ChangedFile) -> Result<Vec<FilePatch>> {
        if !file.is_of_two_types() {
            return Ok(vec![self.patch(file.clone())?]);
        }
        let gone = ChangedFile { before: file.before.clone(), after: None, similarity: None };
        let made = ChangedFile { before: None, after: file.after.clone(), similarity: None };
        Ok(vec![self.patch(gone)?, self.patch(made)?])
    }

    fn patch(&self, file: ChangedFile) -> Result<FilePatch> {
        self.objects.stop_if_cancelled()?;
        let sides = [file.before.as_ref(), file.after.as_ref()];
        let unchanged = same_content(&file);
        let (content, binary) = if unchanged {
            (PatchContent::Unchanged, false)
        } else {
            let sizes = [self.size_of(sides[0])?, self.size_of(sides[1])?];
            let (old, new) = (self.content(sides[0])?, self.content(sides[1])?);
            let binary =
                self.is_large(sizes)? || self.is_binary(sides[0], &old)? || self.is_binary(sides[1], &new)?;
            let content = match binary {
                true if old == new => PatchContent::Unchanged,
                true => PatchContent::Binary { old, new },
                false => PatchContent::of_text(&old, &new, &self.comparison(), &self.options),
            };
            (content, binary)
        };
        let ids = if unchanged { None } else { Some(self.ids(&file, binary)?) };
        Ok(FilePatch { file, content, ids, quote_path: self.options.quote_path })
    }

    /// The ids of both sides as the patch spells them: whole for a binary file, which `git apply` wants.
    fn ids(&self, file: &ChangedFile, whole: bool) -> Result<[String; 2]> {
        let id = |side: Option<&FileSide>| match side {
            Some(side) => side.entry.id,
            None => self.objects.empty_tree().0.null_like(),
        };
        let spelled = |id| if whole { Ok(format!("{id}")) } else { self.objects.abbreviation_of_any(id) };
        Ok([spelled(id(file.before.as_ref()))?, spelled(id(file.after.as_ref()))?])
    }

    /// Writes the patch of all files, as `git diff --binary` would.
    ///
    /// # Errors
    /// As [`Diff::patches`]; [`Error::Io`](crate::Error::Io) where it cannot be written.
    pub fn write_to(&self, out: &mut dyn Write) -> Result<()> {
        for file in &self.files {
            for patch in self.patches(file)? {
                patch.write_to(out)?;
            }
        }
        Ok(())
    }

    fn comparison(&self) -> Comparison {
        let DiffOptions { algorithm, indent_heuristic, ref git, .. } = self.options;
        Comparison { algorithm, indent_heuristic, git: git.clone() }
    }

    fn size_of(&self, side: Option<&FileSide>) -> Result<u64> {
        match side {
            Some(side) if side.entry.mode.kind() != EntryKind::Submodule => {
                self.objects.blob_size(side.entry.id)
            }
            _ => Ok(0),
        }
    }

    /// Whether git would not look into so large a file.
    fn is_large(&self, sizes: [u64; 2]) -> Result<bool> {
        let threshold = self.objects.streaming_threshold()?;
        Ok(sizes.iter().any(|size| *size > threshold))
    }

    fn content(&self, side: Option<&FileSide>) -> Result<Vec<u8>> {
        content(&self.objects, side)
    }

    fn is_binary(&self, side: Option<&FileSide>, bytes: &[u8]) -> Result<bool> {
        is_binary(&self.objects, side, bytes, &mut self.attributes.borrow_mut())
    }
}

fn same_content(file: &ChangedFile) -> bool {
    match (&file.before, &file.after) {
        (Some(before), Some(after)) => before.entry.id == after.entry.id,
        _ => false,
    }
}

/// The bytes of one side as they are compared; a submodule is a line that names its commit.
pub(super) fn content(objects: &Objects, side: Option<&FileSide>) -> Result<Vec<u8>> {
    match side {
        None => Ok(Vec::new()),
        Some(side) if side.entry.mode.kind() == EntryKind::Submodule => {
            Ok(format!("Subproject commit {}\n", side.entry.id).into_bytes())
        }
        Some(side) => objects.blob(side.entry.id),
    }
}

/// Whether a file is binary, by its attributes or else by its content.
pub(super) fn is_binary(
    objects: &Objects,
    side: Option<&FileSide>,
    bytes: &[u8],
    attributes: &mut DiffAttributes,
) -> Result<bool> {
    let Some(side) = side else { return Ok(false) };
    Ok(attributes.declared_binary(objects, &side.path)?.unwrap_or_else(|| looks_binary(bytes)))
}

impl From<PathChange> for ChangedFile {
    fn from(change: PathChange) -> Self {
        let side = |entry: Entry| FileSide { path: change.path.clone(), entry };
        Self { before: change.before.map(side), after: change.after.map(side), similarity: None }
    }
}

impl std::fmt::Debug for Diff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Diff").field("files", &self.files).finish_non_exhaustive()
    }
}

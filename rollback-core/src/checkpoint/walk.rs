//! What stands in the work tree: every tracked file, every file that git does not track, and of those that it ignores
//! the ones that were named. Nothing here writes, and no link is followed.

use std::collections::BTreeSet;

use bstr::ByteSlice;
use gix::worktree::stack::state::ignore::Source;

use super::document::Skipped;
use crate::apply::{FileInfo, FileKind, Folder, check_path};
use crate::error::{Error, PathError, Result};
use crate::id::{EntryKind, EntryMode};
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::repo::index::Index;

/// A file or link of the work tree.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) path: RepoPath,
    pub(super) info: FileInfo,
    pub(super) tracked: bool,
}

/// What is taken along although git ignores it.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    /// Paths that were named, with all below them.
    pub(super) paths: &'a [RepoPath],
    /// Files that another state holds.
    pub(super) known: &'a BTreeSet<RepoPath>,
}

impl Named<'_> {
    fn has(&self, file: &RepoPath) -> bool {
        self.known.contains(file) || self.paths.iter().any(|named| named.contains(file))
    }

    fn may_be_below(&self, folder: &RepoPath) -> bool {
        let first_inside = folder.join(b"");
        self.paths.iter().any(|named| named.contains(folder) || folder.contains(named))
            || self.known.range(first_inside..).next().is_some_and(|next| folder.contains(next))
    }
}

/// Whether files that git does not track count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Untracked {
    Count,
    /// The folder is ignored: only what is tracked in it counts, and what was named.
    Ignored,
}

/// A walk through the work tree.
pub(super) struct Walk<'a> {
    index: &'a Index,
    named: Named<'a>,
    rules: gix::AttributeStack<'a>,
    pub(super) found: Vec<Standing>,
    pub(super) skipped: Vec<Skipped>,
}

/// Everything that counts in the work tree; of what is ignored only what is `named`, or lies below that.
pub(super) fn standing<'a>(
    local: &'a gix::Repository,
    root: &Folder,
    index: &'a Index,
    named: Named<'a>,
) -> Result<Walk<'a>> {
    let failed = |error: gix::Error| Error::internal("cannot read the ignore rules", error);
    let no_index = gix::index::State::new(local.object_hash());
    let rules = local.excludes(&no_index, None, Source::WorktreeThenIdMappingIfNotSkipped).map_err(failed)?;
    let mut walk = Walk { index, named, rules, found: Vec::new(), skipped: Vec::new() };
    walk.folder(root, &RepoPath::default(), Untracked::Count)?;
    Ok(walk)
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Folder, path: &RepoPath, untracked: Untracked) -> Result<()> {
        if path.components().count() > crate::repo::MAX_DEPTH {
            self.skip(path.clone(), "it is nested deeper than 2048 folders");
            return Ok(());
        }
        let failed = |error, path: &RepoPath| Error::io("examine", path.to_string(), error);
        let mut names = folder.names().map_err(|error| failed(error, path))?;
        names.sort();
        for name in names {
            let inner = path.join(&name);
            if name.eq_ignore_ascii_case(b".git") || (path.is_root() && name.starts_with(b".rb-landing-")) {
                continue;
            }
            let Some(info) = folder.info(&name).map_err(|error| failed(error, &inner))? else { continue };
            match info.kind {
                FileKind::Folder => self.inner_folder(folder, &name, inner, untracked)?,
                FileKind::Other => self.skip(inner, "it is neither a file, a folder nor a link"),
                FileKind::File { .. } | FileKind::Symlink => self.file(inner, info, untracked)?,
            }
        }
        Ok(())
    }

    fn inner_folder(
        &mut self,
        parent: &Folder,
        name: &[u8],
        path: RepoPath,
        untracked: Untracked,
    ) -> Result<()> {
        let entry = self.index.entries_at(path.as_bytes()).first();
        if entry.is_some_and(|entry| entry.mode.kind() == EntryKind::Submodule) {
            self.skip(path, "it is a submodule, which keeps its own state");
            return Ok(());
        }
        let ignored = untracked == Untracked::Ignored || self.is_ignored(&path, true)?;
        let has_tracked = !self.index.entries_below(path.as_bytes()).is_empty();
        if ignored && !has_tracked && !self.named.may_be_below(&path) {
            return Ok(());
        }
        let folder = parent.open_folder(name).map_err(|error| Error::io("open", path.to_string(), error))?;
        let nested = folder.info(b".git").ok().flatten().is_some();
        if nested && !has_tracked {
            self.skip(path, "it is a repository of its own");
            return Ok(());
        }
        let untracked = if ignored || nested { Untracked::Ignored } else { Untracked::Count };
        self.folder(&folder, &path, untracked)
    }

    fn file(&mut self, path: RepoPath, info: FileInfo, untracked: Untracked) -> Result<()> {
        let tracked = !self.index.entries_at(path.as_bytes()).is_empty();
        let counts = tracked
            || self.named.has(&path)
            || (untracked == Untracked::Count && !self.is_ignored(&path, false)?);
        if !counts {
            return Ok(());
        }
        let mode = if info.kind == FileKind::Symlink { EntryMode::SYMLINK } else { EntryMode::BLOB };
        match check_path(&path, mode) {
            Ok(()) => self.found.push(Standing { path, info, tracked }),
            // It could not be written again.
            Err(Error::Path(PathError::Hostile { why, .. })) => self.skip(path, why),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn is_ignored(&mut self, path: &RepoPath, is_folder: bool) -> Result<bool> {
        let mode = is_folder.then_some(gix::index::entry::Mode::DIR);
        self.rules
            .at_entry(path.as_bytes().as_bstr(), mode)
            .map(|place| place.is_excluded())
            .map_err(|error| Error::internal(format!("cannot read the ignore rules for {path}"), error))
    }

    fn skip(&mut self, path: RepoPath, why: &str) {
        self.skipped.push(Skipped { path, why: why.to_owned() });
    }
}

/// The root of the work tree.
pub(super) fn root_of(repo: &Repo) -> Result<Option<Folder>> {
    let open = |path: &std::path::Path| Folder::open(path).map_err(|error| Error::io("open", path, error));
    repo.work_dir().map(open).transpose()
}

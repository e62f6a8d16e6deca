//! References whatever they are stored in: by name, by what a person types, by prefix, and their logs.

use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};

use super::stack::Stack;
use super::{Target, files, is_of_work_tree};
use crate::error::{RepositoryError, Result};
use crate::id::ObjectId;
use crate::reftable::{LogUpdate, RefRecord, RefValue};
use crate::repo::names::PLACES;

/// How git stores references: `extensions.refStorage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// A file each, and `packed-refs`.
    Files,
    /// Stacks of reftables: one for what is shared, one for each linked work tree.
    Tables,
}

impl Storage {
    /// What the repository's own configuration says; other files have no say in this.
    pub(crate) fn of(repo: &gix::Repository) -> Self {
        let config = repo.config_snapshot();
        let is_own = |meta: &gix::config::file::Metadata| meta.source == gix::config::Source::Local;
        match config.plumbing().string_filter("extensions.refStorage", is_own) {
            Some(storage) if storage.as_slice() == b"reftable" => Self::Tables,
            _ => Self::Files,
        }
    }
}

/// How many symbolic references lead from one to the next at the most, as in git.
const DEEPEST: usize = 5;

/// The references of a repository, as they are now.
pub(crate) struct References<'a> {
    repo: &'a gix::Repository,
    stacks: Option<Stacks>,
}

/// The stacks of a repository.
struct Stacks {
    shared: Stack,
    /// That of a linked work tree; the main one has its references in the shared stack.
    own: Option<Stack>,
}

impl Stacks {
    /// The one that has references of this kind of name.
    fn of(&self, name: &[u8]) -> &Stack {
        self.own.as_ref().filter(|_| is_of_work_tree(name)).unwrap_or(&self.shared)
    }
}

/// Where symbolic references lead.
enum End {
    Object(ObjectId),
    /// To a reference that is not there.
    Nothing,
    TooFar,
}

impl<'a> References<'a> {
    /// Those of the repository, and of the work tree that it was opened for. A stack of tables is read as it is at this
    /// moment.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`].
    pub(crate) fn of(repo: &'a gix::Repository) -> Result<Self> {
        let stacks = match Storage::of(repo) {
            Storage::Files => None,
            Storage::Tables => {
                let hash = repo.object_hash();
                let own = own_stack(repo).map(|git_dir| Stack::open(git_dir, hash)).transpose()?;
                Some(Stacks { shared: Stack::open(repo.common_dir(), hash)?, own })
            }
        };
        Ok(Self { repo, stacks })
    }

    /// Whether they can be listed at all.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`].
    pub(crate) fn check(&self) -> Result<()> {
        if self.are_tables() {
            return Ok(());
        }
        let listed = self.repo.references().and_then(|all| all.all().map(drop));
        Ok(listed.map_err(RepositoryError::unreadable_references)?)
    }

    /// Whether they are stored in tables.
    pub(crate) fn are_tables(&self) -> bool {
        self.stacks.is_some()
    }

    /// What the reference of this full name holds; `None` where there is none.
    pub(crate) fn read(&self, name: &[u8]) -> Result<Option<Target>> {
        let Some(stacks) = &self.stacks else { return files::read(self.repo, name) };
        if super::is_always_a_file(name) {
            return files::read(self.repo, name);
        }
        Ok(match self.in_stack(stacks, name, &|stack, name| stack.value(name))? {
            Some(RefValue::Object(id) | RefValue::Peeled(id, _)) => Some(Target::Object(id)),
            Some(RefValue::Symbolic(target)) => Some(Target::Symbolic(target)),
            Some(RefValue::Deletion) | None => None,
        })
    }

    /// Whether there is a reference of this full name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self.stacks {
            Some(_) => self.read(name.as_bytes()).is_ok_and(|found| found.is_some()),
            None => self
                .repo
                .try_find_reference(name)
                .is_ok_and(|found| found.is_some_and(|found| found.name().as_bstr() == name)),
        }
    }

    /// Looks a name up in the stack that has it. `main-worktree/` and `worktrees/NAME/` lead to those of other work trees.
    fn in_stack<T>(
        &self,
        stacks: &Stacks,
        name: &[u8],
        look: &dyn Fn(&Stack, &[u8]) -> Result<T>,
    ) -> Result<T> {
        if let Some(rest) = name.strip_prefix(b"main-worktree/").filter(|rest| is_of_work_tree(rest)) {
            return look(&stacks.shared, rest);
        }
        let other = name.strip_prefix(b"worktrees/").and_then(|rest| rest.split_once_str("/"));
        if let Some((of, rest)) = other.filter(|(of, rest)| is_plain(of) && is_of_work_tree(rest)) {
            let git_dir = self.repo.common_dir().join("worktrees").join(of.to_path_lossy());
            return look(&Stack::open(&git_dir, self.repo.object_hash())?, rest);
        }
        look(stacks.of(name), name)
    }

    /// What HEAD of this work tree holds.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`].
    pub(crate) fn head(&self) -> Result<Target> {
        let none = || RepositoryError::BadReferences { why: "there is no HEAD".into() }.into();
        self.read(b"HEAD")?.ok_or_else(none)
    }

    /// The full name of the branch that HEAD is on, where that has no commit yet.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`].
    pub(crate) fn unborn_branch(&self) -> Result<Option<BString>> {
        match self.head()? {
            Target::Symbolic(branch) if self.follow(&branch)?.is_none() => Ok(Some(branch)),
            _ => Ok(None),
        }
    }

    /// The object that a reference leads to through symbolic ones; `None` where it leads to none.
    pub(crate) fn follow(&self, name: &[u8]) -> Result<Option<ObjectId>> {
        match self.end_of(name, DEEPEST)? {
            End::Object(id) => Ok(Some(id)),
            End::Nothing => Ok(None),
            End::TooFar => {
                let why = format!("{}: symbolic references lead too far", name.as_bstr());
                Err(RepositoryError::BadReferences { why }.into())
            }
        }
    }

    /// Where a reference leads over at most so many others.
    fn end_of(&self, name: &[u8], most: usize) -> Result<End> {
        let mut name = BString::from(name);
        for _ in 0..=most {
            match self.read(&name)? {
                Some(Target::Object(id)) => return Ok(End::Object(id)),
                Some(Target::Symbolic(target)) => name = target,
                None => return Ok(End::Nothing),
            }
        }
        Ok(End::TooFar)
    }

    /// The full name of the reference that a person means by `spec`; `None` where there is none.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`] where one that could be meant cannot be read.
    pub(crate) fn find(&self, spec: &BStr) -> Result<Option<BString>> {
        if self.stacks.is_none() {
            let Ok(partial) = <&gix::refs::PartialNameRef>::try_from(spec) else { return Ok(None) };
            let found = self.repo.try_find_reference(partial);
            let found = found.map_err(RepositoryError::unreadable_references)?;
            return Ok(found.map(|reference| reference.name().as_bstr().to_owned()));
        }
        let spec: &[u8] = if spec == "@" { b"HEAD" } else { spec };
        for (before, after) in PLACES {
            let name = BString::from([before.as_bytes(), spec, after.as_bytes()].concat());
            // A word alone is no reference but in capital letters, such as HEAD.
            let is_name = name.starts_with(b"refs/") || super::is_root_word(&name) || name.contains(&b'/');
            if is_name && gix::refs::FullName::try_from(name.as_bstr()).is_ok() && self.read(&name)?.is_some()
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// The names below a prefix that ends in `/`, and the objects that they lead to, in order; those that lead to none
    /// are passed over.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`] where they cannot be read.
    pub(crate) fn below(&self, prefix: &str) -> Result<Vec<(BString, ObjectId)>> {
        let Some(stacks) = &self.stacks else { return files::below(self.repo, prefix) };
        let mut below = Vec::new();
        for stack in [Some(&stacks.shared), stacks.own.as_ref()].into_iter().flatten() {
            for record in stack.references(prefix.as_bytes())? {
                let RefRecord { name, value, .. } = record?;
                // In a linked work tree its own stack alone has what belongs to a work tree.
                if !std::ptr::eq(stacks.of(&name), stack) {
                    continue;
                }
                let end = match value {
                    RefValue::Object(id) | RefValue::Peeled(id, _) => End::Object(id),
                    RefValue::Symbolic(target) => self.end_of(&target, DEEPEST - 1)?,
                    RefValue::Deletion => End::Nothing,
                };
                if let End::Object(id) = end {
                    below.push((name, id));
                }
            }
        }
        below.sort();
        Ok(below)
    }

    /// The name of a reference below `name/`, broken ones included; `None` where there is none.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`] where they cannot be read.
    pub(crate) fn any_below(&self, name: &[u8]) -> Result<Option<BString>> {
        let mut prefix = BString::from(name);
        prefix.push(b'/');
        let Some(stacks) = &self.stacks else {
            let unreadable = RepositoryError::unreadable_references;
            let platform = self.repo.references().map_err(unreadable)?;
            let mut below = platform.prefixed(prefix.as_bstr()).map_err(unreadable)?;
            let first = below.next().transpose().map_err(unreadable)?;
            return Ok(first.map(|reference| reference.name().as_bstr().to_owned()));
        };
        let first = stacks.of(&prefix).references(&prefix)?.next().transpose()?;
        Ok(first.map(|record| record.name))
    }

    /// Whether there is a log, if only one without lines.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`]; [`Error::Io`](crate::Error::Io).
    pub(crate) fn has_log(&self, name: &[u8]) -> Result<bool> {
        let Some(stacks) = &self.stacks else { return files::has_log(self.repo, name) };
        self.in_stack(stacks, name, &|stack, name| Ok(!stack.log(name, 1)?.is_empty()))
    }

    /// The lines of a log, the newest first, at most `most` of them; none where there is no log.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`]; [`Error::Io`](crate::Error::Io).
    pub(crate) fn log(&self, name: &[u8], most: usize) -> Result<Vec<LogUpdate>> {
        let Some(stacks) = &self.stacks else { return files::log(self.repo, name, most) };
        let lines = self.in_stack(stacks, name, &|stack, name| stack.log(name, most))?;
        // A line without ids says no more than that there is a log.
        Ok(lines
            .into_iter()
            .map(|(_, line)| line)
            .filter(|line| !line.old.is_null() || !line.new.is_null())
            .collect())
    }
}

/// The git directory of a linked work tree, which has a stack of its own.
pub(crate) fn own_stack(repo: &gix::Repository) -> Option<&Path> {
    let same = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (git_dir, common_dir) = (repo.git_dir(), repo.common_dir());
    (git_dir != common_dir && same(git_dir) != same(common_dir)).then_some(git_dir)
}

/// The git directory whose stack has the references of this kind of name.
pub(crate) fn stack_dir(repo: &gix::Repository, name: &[u8]) -> PathBuf {
    let own = own_stack(repo).filter(|_| is_of_work_tree(name));
    own.unwrap_or(repo.common_dir()).to_owned()
}

/// Whether the name of a work tree stays in the folder of work trees.
fn is_plain(name: &[u8]) -> bool {
    !name.is_empty() && !matches!(name, b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
}

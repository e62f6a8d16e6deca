//! Taking back the last move of a branch that git made: a reset, a rebase, a merge, an amended commit.
//!
//! The log of a branch tells where it was, and not what index and work tree were. What git's command did to them is read
//! from what they are: a path that is as the move left it goes back with the branch, a path that is already as the branch
//! was stays. Anything else at such a path is work that is not committed, and a refusal. A commit leaves index and work
//! tree as they are, and so does taking it back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{GitMove, kind};
use crate::apply::log::{EditsSide, LOG_VERSION, LogDraft, LoggedEdits, LoggedOperation};
use crate::apply::{
    Beside, Expected, FileBytes, LandOptions, Landing, Look, Need, Onlooker, RefUpdate, Standing, View,
    check, entries_at, land, open_root, preflight,
};
use crate::checkpoint::{CheckpointOptions, MANUAL};
use crate::error::{Error, InTheWay, LandingError, OperationError, Result, RevisionError, WorkTreeError};
use crate::history::paths_between;
use crate::id::{CommitId, Entry, EntryKind, TreeId};
use crate::journal::IndexedPath;
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::receipt::Recovery;
use crate::repo::config::Settings;
use crate::repo::index::{Index, IndexEntry};
use crate::repo::refs::{Head, short_reference};
use crate::repo::sparse::Sparse;
use crate::repo::{Edits, Objects, Repo};

/// A move of git's that was taken back, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GitUndone {
    /// The name of the operation, which `rb undo` takes back; empty where nothing was done.
    pub operation_id: String,
    /// The move.
    pub moved: GitMove,
    /// The checkpoint that keeps what was there before; absent where nothing was done, or no work tree is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The files of the work tree that change.
    pub written: Vec<RepoPath>,
    /// The paths at which the index changes.
    pub staged: Vec<RepoPath>,
    /// Whether index and work tree stay as they are, because the move was a commit.
    pub keeps_files: bool,
    /// What an earlier landing had left unfinished, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
    /// What failed after the branch had moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_failure: Option<String>,
}

/// What is known before anything is written.
struct Prepared {
    objects: Objects,
    moved: GitMove,
    /// Where the branch is and where it goes back to.
    from: CommitId,
    to: CommitId,
    /// Whether HEAD is on the branch and there is a work tree.
    is_here: bool,
    paths: Vec<Touched>,
    index: Option<Index>,
}

/// A path at which the two commits differ and that goes back.
struct Touched {
    path: RepoPath,
    now: Option<Entry>,
    then: Option<Entry>,
    /// Whether its file is written or removed.
    writes: bool,
    /// Whether its file is what the index has.
    is_clean: bool,
    /// Whether its file will be what the index will have.
    becomes_clean: bool,
    /// The flags that its entry in the index keeps.
    tag: u8,
}

impl Repo {
    /// Takes back the last move that git made of a branch, HEAD's where `branch` is `None`: the branch, and of index and
    /// work tree what the move changed.
    ///
    /// The state before is kept as a checkpoint first, and the whole is an operation that an undo takes back. Once more
    /// takes back the move before.
    ///
    /// # Writes
    /// A checkpoint; then as a landing does: loose objects, work tree, index, the reference and its logs, the operation
    /// log.
    ///
    /// # Errors
    /// [`OperationError::NoGitMove`],
    /// [`OperationError::MovedByRb`], [`WorkTreeError::InTheWay`] for work that
    /// is not committed and would be lost, [`RevisionError::Unknown`] for a branch that is not there,
    /// [`ObjectError::Missing`](crate::error::ObjectError::Missing) where git has thrown the old commits away, and the
    /// refusals of a landing.
    pub fn undo_git(&self, branch: Option<&str>) -> Result<GitUndone> {
        let _span = tracing::debug_span!("undo git", ?branch).entered();
        let recovered = self.recover()?;
        let prepared = self.prepare_git_undo(branch)?;
        let operation = OperationId::random()?;
        let checkpoint = prepared.is_here.then(|| format!("before-{operation}"));
        let mut undone = prepared.document(operation.to_string());
        undone.checkpoint = checkpoint.as_ref().map(|name| format!("{MANUAL}/{name}"));
        let landing = prepared.landing(self, &undone)?;
        // Before anything is kept, so that a refusal leaves nothing behind.
        check(self, &landing)?;
        if let Some(name) = checkpoint {
            let message = Some(format!("before {} was taken back", prepared.moved.message));
            let options = CheckpointOptions::default().with_message(message);
            self.create_checkpoint(MANUAL, &name, &options)?;
        }
        let landed =
            land(self, &landing, &LandOptions { operation: Some(operation), ..LandOptions::default() })?;
        undone.recovered = recovered.or(landed.recovered.into());
        undone.later_failure = landed.later_failure.map(|error| error.to_string());
        Ok(undone)
    }

    /// Says what [`Repo::undo_git`] would do, refuses what it would refuse, and writes nothing.
    ///
    /// # Errors
    /// As [`Repo::undo_git`].
    pub fn check_undo_git(&self, branch: Option<&str>) -> Result<GitUndone> {
        let prepared = self.prepare_git_undo(branch)?;
        let foreseen = prepared.document(String::new());
        check(self, &prepared.landing(self, &foreseen)?)?;
        Ok(foreseen)
    }

    fn prepare_git_undo(&self, branch: Option<&str>) -> Result<Prepared> {
        let head = self.head()?;
        let reference = match branch {
            // A tag of the same name is no branch.
            Some(name) => {
                let name = name.strip_prefix("refs/heads/").unwrap_or(name);
                RepoPath::from(format!("refs/heads/{name}").as_str())
            }
            // What moves a HEAD that is on no branch is a checkout, which no branch's log tells.
            None if matches!(head, Head::Detached(_)) => {
                return Err(OperationError::NoGitMove { reference: head.name() }.into());
            }
            None => head.name(),
        };
        let unknown = || RevisionError::Unknown {
            spec: short_reference(&reference.to_string()).to_owned(),
            source: None,
        };
        let from = self.read_reference(reference.as_bytes())?.ok_or_else(unknown)?;
        let moved = self.last_git_move(&reference)?;
        let is_here = head.name() == reference && self.work_dir().is_some();
        let work_tree = is_here.then_some("taking back a move of this branch");
        preflight(self, Need { work_tree, identity: false, beside: Beside::Nothing })?;
        // The log may have been rewritten: the branch has to be where the move left it.
        if from != moved.after {
            return Err(LandingError::Moved {
                reference: reference.to_string(),
                expected: moved.after,
                found: from,
            }
            .into());
        }
        let to = moved.before.ok_or_else(unknown)?;
        let objects = self.objects();
        let trees = (objects.commit(from)?.tree, objects.commit(to)?.tree);
        let mut prepared = Prepared { objects, moved, from, to, is_here, paths: Vec::new(), index: None };
        if is_here {
            prepared.index = Some(self.read_index()?.index);
            if !prepared.is_commit() {
                prepared.paths = prepared.look(self, trees)?;
            }
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// Whether git made a commit, which leaves index and work tree as they are. One that concludes a merge does not count:
    /// what is staged without the merge would be committed as if it were none.
    fn is_commit(&self) -> bool {
        let message = self.moved.message.as_bytes();
        message.starts_with(b"commit") && !message.starts_with(b"commit (merge)")
    }

    /// What goes back of index and work tree.
    fn look(&self, repo: &Repo, (now, then): (TreeId, TreeId)) -> Result<Vec<Touched>> {
        let settings = Settings::of(repo)?;
        let root = open_root(repo)?;
        let sparse = Sparse::of(repo, settings.ignore_case)?;
        let (flags, none) = (BTreeMap::new(), Index::empty(self.objects.gix().object_hash()));
        let index = self.index.as_ref().unwrap_or(&none);
        let view = View {
            objects: &self.objects,
            settings: &settings,
            root: &root,
            index,
            expected: Expected::Indexed,
            flags: &flags,
            sparse: sparse.as_ref(),
            conflicts: &[],
        };
        let mut comparison =
            WorkTreeComparison { onlooker: Onlooker::new(&view)?, index, lost: BTreeMap::new() };
        let mut touched = Vec::new();
        for change in paths_between(&self.objects, now, then)? {
            touched.extend(comparison.look(change.path, change.before, change.after)?);
        }
        match comparison.lost.into_iter().next() {
            Some((reason, paths)) => Err(WorkTreeError::InTheWay { reason, paths }.into()),
            None => Ok(touched),
        }
    }

    fn document(&self, operation_id: String) -> GitUndone {
        let paths = |wanted: &dyn Fn(&&Touched) -> bool| -> Vec<RepoPath> {
            self.paths.iter().filter(wanted).map(|one| one.path.clone()).collect()
        };
        let rows = self.index.as_ref();
        let differs =
            |one: &&Touched| rows.is_some_and(|index| entries_at(index, &one.path) != one.index_after());
        GitUndone {
            operation_id,
            moved: self.moved.clone(),
            checkpoint: None,
            written: paths(&|one| one.writes),
            staged: paths(&differs),
            keeps_files: self.is_here && self.is_commit(),
            recovered: None,
            later_failure: None,
        }
    }

    /// What lands, with `undone` for a receipt.
    fn landing(&self, repo: &Repo, undone: &GitUndone) -> Result<Landing> {
        let objects = &self.objects;
        let side = |entry: &dyn Fn(&Touched) -> Option<Entry>| -> Result<TreeId> {
            let written = self.paths.iter().filter(|one| one.writes);
            let edits: Edits =
                written.filter_map(|one| Some((one.path.clone(), Some(entry(one)?)))).collect();
            objects.edit_tree(objects.empty_tree(), &edits)
        };
        let (before, after) = (side(&|one| one.now)?, side(&|one| one.then)?);
        let edits = match &self.index {
            Some(index) => Some(self.edits(index, (before, after))?),
            None => None,
        };
        let exact = match (&edits, &self.index) {
            (Some(edits), Some(index)) => Some(edits.exact(index.clone())?),
            _ => None,
        };
        let mut receipt = serde_json::to_vec_pretty(undone)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        let committer = repo.recorder();
        let operation = LoggedOperation {
            version: LOG_VERSION,
            operation_id: undone.operation_id.clone(),
            time: committer.seconds,
            kind: kind::UNDO_GIT.into(),
            target: self.moved.message.clone(),
            reference: self.moved.reference.clone(),
            before: Some(self.from),
            after: Some(self.to),
            commit_ids: Vec::new(),
            staged: false,
            tree_before: before,
            tree_after: after,
            undoes: None,
            paths: Vec::new(),
            state_files: Vec::new(),
            states: None,
            outside: None,
            edits,
            stopped: false,
            continues: None,
        };
        let reference = RefUpdate {
            name: self.moved.reference.as_bytes().into(),
            old: Some(self.from),
            new: Some(self.to),
            reflog: format!("undo: {}", self.moved.message).into(),
            committer,
        };
        Ok(Landing {
            objects: objects.new_objects()?,
            reference: Some(reference),
            checkout: self.is_here,
            exact,
            log: Some(LogDraft::new(operation, receipt)),
            ..Landing::of_trees(before, after)
        })
    }

    fn edits(&self, index: &Index, trees: (TreeId, TreeId)) -> Result<LoggedEdits> {
        let rows = |entries: &dyn Fn(&Touched) -> Vec<(u8, Entry)>| -> Vec<IndexedPath> {
            self.paths
                .iter()
                .map(|one| IndexedPath { path: one.path.clone(), entries: entries(one) })
                .collect()
        };
        let clean = |wanted: &dyn Fn(&&Touched) -> bool| -> BTreeSet<RepoPath> {
            self.paths.iter().filter(wanted).map(|one| one.path.clone()).collect()
        };
        let side = |index, clean| EditsSide {
            files: FileBytes::AsGitKeepsThem,
            index,
            clean,
            folders: BTreeSet::new(),
            kept: Vec::new(),
        };
        let mut edits = LoggedEdits {
            before: side(rows(&|one| entries_at(index, &one.path)), clean(&|one| one.is_clean)),
            after: side(rows(&Touched::index_after), clean(&|one| one.becomes_clean)),
        };
        edits.keep(&self.objects)?;
        // No commit has these trees.
        edits.before.kept.push(trees.0);
        edits.after.kept.push(trees.1);
        Ok(edits)
    }
}

impl Touched {
    fn index_after(&self) -> Vec<(u8, Entry)> {
        let row = |entry: Entry| (self.tag, Entry { mode: entry.mode.canonical(), id: entry.id });
        self.then.map(row).into_iter().collect()
    }
}

/// Tells what may go back from what would be lost.
struct WorkTreeComparison<'a> {
    onlooker: Onlooker<'a>,
    index: &'a Index,
    lost: BTreeMap<InTheWay, Vec<RepoPath>>,
}

impl WorkTreeComparison<'_> {
    /// How a path goes back that is `now` in the commit of the branch and was `then`; `None` where it may not.
    fn look(&mut self, path: RepoPath, now: Option<Entry>, then: Option<Entry>) -> Result<Option<Touched>> {
        let row = self.index.entry_at(path.as_bytes()).cloned();
        let in_index = row.as_ref().map(IndexEntry::entry);
        let is = |wanted: Option<Entry>| match (in_index, wanted) {
            (Some(found), Some(wanted)) => found.same_as(&wanted),
            (None, None) => true,
            _ => false,
        };
        if !is(now) && !is(then) {
            self.lose(InTheWay::Staged, path);
            return Ok(None);
        }
        let (tag, kept_out) = match &row {
            Some(row) => (row.flags.kept().tag(), row.flags.skip_work_tree()),
            None => (0, false),
        };
        let is_link =
            |entry: Option<Entry>| entry.is_some_and(|entry| entry.mode.kind() == EntryKind::Submodule);
        let untouched = Touched {
            path: path.clone(),
            now,
            then,
            writes: false,
            is_clean: false,
            becomes_clean: false,
            tag,
        };
        // What is kept out of the work tree has no file, and what is in a submodule is its own.
        if kept_out || is_link(now) && is_link(then) {
            return Ok(Some(untouched));
        }
        if is_link(now) || is_link(then) {
            self.lose(InTheWay::Obstructed, path);
            return Ok(None);
        }
        let as_now = match now {
            Some(entry) => self.holds(&path, entry, &row)?,
            None => self.lacks(&path, then)?,
        };
        let as_then = match then {
            Some(entry) => self.holds(&path, entry, &row)?,
            None => self.lacks(&path, now)?,
        };
        let becomes_clean = then.is_some();
        match (as_now, as_then) {
            (_, true) => {
                Ok(Some(Touched { is_clean: is(then) && then.is_some(), becomes_clean, ..untouched }))
            }
            (true, false) if is(now) => {
                Ok(Some(Touched { writes: true, is_clean: now.is_some(), becomes_clean, ..untouched }))
            }
            _ => {
                let reason = if now.is_none() { InTheWay::Untracked } else { InTheWay::Edited };
                self.lose(reason, path);
                Ok(None)
            }
        }
    }

    /// Whether the work tree has no file or link at the path, which is `other` elsewhere.
    fn lacks(&mut self, path: &RepoPath, other: Option<Entry>) -> Result<bool> {
        let Some(other) = other else { return Ok(true) };
        let wanted = IndexEntry::new(path.as_bytes(), other, 0);
        let standing = self.onlooker.at(path, &wanted, Look::AtStat)?;
        Ok(matches!(standing, Standing::Nothing | Standing::Folder | Standing::Below(_)))
    }

    /// Whether the work tree has this entry at the path.
    fn holds(&mut self, path: &RepoPath, entry: Entry, row: &Option<IndexEntry>) -> Result<bool> {
        let own = row.clone().filter(|row| row.entry().same_as(&entry));
        let wanted = own.unwrap_or_else(|| IndexEntry::new(path.as_bytes(), entry, 0));
        Ok(self.onlooker.at(path, &wanted, Look::AtStat)? == Standing::Same)
    }

    fn lose(&mut self, reason: InTheWay, path: RepoPath) {
        self.lost.entry(reason).or_default().push(path);
    }
}

#[cfg(test)]
mod tests {
    use test_kit::Sandbox;

    use super::*;

    #[test]
    fn the_receipt_in_the_log_is_the_document_that_was_answered() {
        let sandbox = Sandbox::new();
        sandbox.commit("one", &[("a", "1\n")]);
        sandbox.commit("two", &[("a", "2\n")]);
        sandbox.git(&["reset", "-q", "--hard", "HEAD~1"]);
        let repo = Repo::discover(sandbox.path()).expect("a repository");
        let undone = repo.undo_git(None).expect("it can be taken back");
        let name = undone.checkpoint.clone().expect("the state before is kept");
        let entry = repo.log_entries().expect("a log").remove(0);
        assert_eq!(serde_json::from_slice::<GitUndone>(&entry.receipt).expect("a document"), undone);
        let (scope, name) = name.split_once('/').expect("a scope and a name");
        assert!(repo.checkpoint(scope, name).expect("it can be read").is_some());
    }
}

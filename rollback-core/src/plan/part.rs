//! From lines and hunks that were named to the part of a change that goes back.

use super::NoteKind;
use super::resolve::{Case, Resolver};
use crate::error::{Error, Result};
use crate::history::{Rename, change_by};
use crate::id::Entry;
use crate::patch::Hunk;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::strategy::part::{CONTEXT, Part, Versions};
use crate::strategy::workbench::{Change, Workbench};
use crate::target::CommitsTarget;

impl Resolver<'_> {
    /// The change restricted to the lines or hunks of the target; `Err` with why there is nothing to restrict it to.
    pub(super) fn part_of(
        &self,
        changes: Vec<Change>,
        target: &CommitsTarget,
        case: &mut Case,
    ) -> Result<Result<Vec<Change>, String>> {
        let (change, path) = self.single_file(changes, target, case)?;
        let Some(versions) = self.versions(&change, &path)? else {
            return Ok(Err(format!("{path} is no file both in the commit and here")));
        };
        let places = match target.lines {
            Some(lines) => versions.at_lines(lines),
            None => versions.in_hunks(&target.hunks).map_err(|number| {
                Error::BadRequest(format!("the change to {path} has {number} hunks, numbered from 1"))
            })?,
        };
        if places.is_empty() {
            return Ok(Err(format!("the commit did not change these lines of {path}")));
        }
        Ok(Ok(vec![change.part(Part { path, places })]))
    }

    /// The one change to one file that a part can be taken of, without the name that it gave to the file.
    fn single_file(
        &self,
        changes: Vec<Change>,
        target: &CommitsTarget,
        case: &mut Case,
    ) -> Result<(Change, RepoPath)> {
        let one =
            || Error::BadRequest("lines and hunks are those of one commit in one file: name both".into());
        let (Ok([change]), [path]) = (<[Change; 1]>::try_from(changes), target.paths.as_slice()) else {
            return Err(one());
        };
        let then =
            change.renamed.iter().find(|name| name.now == *path).map_or(path, |name| &name.then).clone();
        let moved =
            change_by(self.objects(), change.commit.id, change.mainline, &then)?.and_then(|found| found.from);
        let change = match moved {
            Some(from) => {
                case.notes.retain(|note| note.kind != NoteKind::RenameKept);
                change.keeping_name(Rename::new(from, then))
            }
            None => change,
        };
        Ok((change, path.clone()))
    }

    fn versions(&self, change: &Change, path: &RepoPath) -> Result<Option<Versions>> {
        let bench: &Workbench = self.bench;
        let (parent, commit) = bench.sides(change)?;
        let file =
            |tree| Ok::<_, Error>(self.objects().entry_at(tree, path)?.filter(|entry| entry.mode.is_file()));
        let (Some(there), Some(here)) = (file(commit)?, file(bench.start)?) else { return Ok(None) };
        let bytes =
            |entry: Option<Entry>| entry.map_or(Ok(Vec::new()), |entry| self.objects().blob(entry.id));
        Ok(Some(Versions {
            commit: bytes(Some(there))?,
            parent: bytes(file(parent)?)?,
            tip: bytes(Some(here))?,
        }))
    }
}

impl Repo {
    /// The hunks in which undoing one commit would change one file, in the order of their numbers, as they are in the
    /// commit: what `hunks` of a [`CommitsTarget`] names. None where the target is of another kind.
    ///
    /// # Errors
    /// As [`Repo::plan`].
    pub fn hunks_to_revert(&self, target: &CommitsTarget, options: &super::PlanOptions) -> Result<Vec<Hunk>> {
        self.complete(|repo| {
            let tip = repo.tip(options)?;
            let bench = Workbench::new(repo, tip.commit_id)?;
            let resolver = Resolver::new(repo, &bench, &tip, options);
            let mut case = Case::new("commits");
            let named = repo.resolve_changes(&target.revisions, options.ranges)?;
            let changes = resolver.changes(&named, target, &mut case)?;
            if changes.len() != 1 || target.paths.len() != 1 {
                return Ok(Vec::new());
            }
            let (change, path) = resolver.single_file(changes, target, &mut case)?;
            let versions = resolver.versions(&change, &path)?;
            Ok(versions.map_or(Vec::new(), |file| Hunk::between(&file.commit, &file.parent, CONTEXT)))
        })
    }
}

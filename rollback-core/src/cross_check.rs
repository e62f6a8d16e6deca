//! Double entry: the merges of a plan, done once more by the installed git and compared.
//!
//! git works on a copy of what the plan created, in a temporary object folder; it never writes the repository, never
//! fetches, and runs a merge driver only where the plan has run it too. What restores content
//! as it is merges nothing, so there is nothing to compare.

use std::fs;
use std::path::Path;

use crate::apply::durable;
use crate::error::{Error, Result};
use crate::id::TreeId;
use crate::path::names_now;
use crate::plan::{CrossCheck, Difference, Plan};
use crate::process::Runner;
use crate::process::merge_tree::{MergingGit, installed_git};
use crate::repo::{Objects, Repo};
use crate::strategy::{Step, Strategy, scope};
use gix::objs::Write as _;

impl Repo {
    /// Does the merges of the chosen rung again with the installed git; `None` where no git is installed.
    ///
    /// # Writes
    /// A folder for temporary files, removed at the end; nothing of the repository.
    ///
    /// # Errors
    /// [`LandingError::CrossCheckFailed`](crate::error::LandingError::CrossCheckFailed) where git is too old for it
    /// (2.45 is needed) or fails; [`Error::BadRequest`] for a plan that was read from a file and not rechecked.
    pub fn cross_check(&self, plan: &Plan, runner: &dyn Runner) -> Result<Option<CrossCheck>> {
        let Some(git) = installed_git(runner, self.git_dir())? else { return Ok(None) };
        let mut check = CrossCheck { git, merges: 0, differences: Vec::new() };
        let Some(attempt) = plan.chosen_attempt() else { return Ok(Some(check)) };
        if !matches!(attempt.strategy, Strategy::RevertCommit | Strategy::RevertMerge | Strategy::CherryPick)
        {
            return Ok(Some(check));
        }
        if !plan.prepared.is_some() {
            return Err(Error::BadRequest(
                "a plan from a file is rechecked before it is cross-checked".into(),
            ));
        }
        let objects = self.objects();
        objects.insert_new(plan.prepared.objects())?;
        let quarantine = Quarantine::new(self, runner)?;
        let strategy_options = self.strategy_options_for_merge_tree(plan);
        let mut ours = self.base_tree(plan, &objects)?;
        for step in &attempt.steps {
            let merge = operands(&objects, attempt.strategy, step, ours)?;
            quarantine.hold(&objects)?;
            quarantine.hold_all(plan.prepared.objects())?;
            let (clean_for_git, tree_of_git) = quarantine.merge(merge, &strategy_options)?;
            check.merges += 1;
            if !clean_for_git || tree_of_git != step.tree_id {
                check.differences.push(Difference {
                    commit_id: step.commit_id,
                    merge,
                    tree_id: step.tree_id,
                    clean_for_git,
                    tree_of_git,
                });
            }
            ours = step.tree_id;
        }
        Ok(Some(check))
    }

    /// The options of the plan, and what `git merge-tree` does not read of the configuration.
    fn strategy_options_for_merge_tree(&self, plan: &Plan) -> Vec<String> {
        let configured = self.config_string("diff.algorithm").map(|name| format!("diff-algorithm={name}"));
        configured.into_iter().chain(plan.request.options.strategy_options.iter().cloned()).collect()
    }
}

/// Base, ours and theirs of the merge that a step is, from the commit and not from what the plan made of it.
fn operands(objects: &Objects, strategy: Strategy, step: &Step, ours: TreeId) -> Result<[TreeId; 3]> {
    let commit = objects.commit(step.commit_id)?;
    let parent = commit.parents.get(step.mainline.map_or(0, |number| number - 1)).copied();
    let trees = (objects.tree_of(parent)?, commit.tree);
    let (parent, commit) = scope::under_names_now(objects, trees, &step.kept_names, &step.renamed)?;
    let (base, incoming) = match strategy {
        Strategy::CherryPick => (parent, commit),
        _ => (commit, parent),
    };
    let paths = names_now(&step.paths, &step.renamed);
    let paths = (!paths.is_empty()).then_some(paths.as_slice());
    let theirs = scope::incoming_side(objects, base, incoming, paths, step.part.as_ref())?;
    Ok([base, ours, theirs])
}

/// An object folder of its own, on top of the repository's.
struct Quarantine<'a> {
    repo: &'a Repo,
    runner: &'a dyn Runner,
    folder: tempfile::TempDir,
    loose: gix::odb::loose::Store,
}

impl<'a> Quarantine<'a> {
    fn new(repo: &'a Repo, runner: &'a dyn Runner) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("rb-cross-check-")
            .tempdir()
            .map_err(|error| Error::io("make a folder in", std::env::temp_dir(), error))?;
        let loose = gix::odb::loose::Store::at(folder.path(), repo.local().object_hash());
        Ok(Self { repo, runner, folder, loose })
    }

    /// Takes over what was created through `objects`.
    fn hold(&self, objects: &Objects) -> Result<()> {
        let created = objects.take_new();
        self.hold_all(&created)?;
        objects.insert_new(&created)
    }

    fn hold_all(&self, created: &[(crate::id::ObjectId, gix::objs::Kind, Vec<u8>)]) -> Result<()> {
        for (_, kind, bytes) in created {
            self.loose
                .write_buf(*kind, bytes)
                .map_err(|error| Error::internal("cannot write an object for git to compare", error))?;
        }
        Ok(())
    }

    fn merge(&self, trees: [TreeId; 3], strategy_options: &[String]) -> Result<(bool, TreeId)> {
        let objects = self.repo.local().objects.store_ref().path().to_owned();
        let git = MergingGit {
            runner: self.runner,
            git_dir: self.repo.git_dir(),
            objects: &objects,
            created: self.folder.path(),
            strategy_options,
        };
        git.merge(trees)
    }
}

/// Keeps a report of a cross-check that differs, and says where.
///
/// # Writes
/// A file below `rb/reports/` in the git directory, readable by its owner alone.
///
/// # Errors
/// [`Error::Io`]; [`RepositoryError::LinkInGitDir`](crate::error::RepositoryError::LinkInGitDir).
pub fn keep_report(repo: &Repo, check: &CrossCheck) -> Result<std::path::PathBuf> {
    let below = Path::new("rb/reports");
    durable::refuse_links(repo.git_dir(), below)?;
    let folder = repo.git_dir().join(below);
    fs::create_dir_all(&folder).map_err(|error| Error::io("make", &folder, error))?;
    let failed = |error| Error::io("write a report in", &folder, error);
    let bytes = serde_json::to_vec_pretty(check)
        .map_err(|error| Error::internal("a cross-check cannot be spelled", error))?;
    let mut report = tempfile::Builder::new()
        .prefix("cross-check-")
        .suffix(".json")
        .tempfile_in(&folder)
        .map_err(failed)?;
    std::io::Write::write_all(&mut report, &bytes).map_err(failed)?;
    report.keep().map(|(_, path)| path).map_err(|error| failed(error.error))
}

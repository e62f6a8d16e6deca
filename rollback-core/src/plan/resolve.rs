//! From what was asked for to what can be tried: commits with their mainlines, scopes with their renames,
//! culprits, and the ladder for each kind of target.

use super::find::Finding;
use super::{Note, NoteKind, PlanOptions, ResolvedTarget, Tip};
use crate::error::{Error, Result, RevisionError};
use crate::history::{self, NameThen, Rename, changed_paths};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::range::{Named, is_range};
use crate::repo::{Objects, Repo};
use crate::strategy::Strategy;
use crate::strategy::ladder::{ContentGoal, Goal, Rung};
use crate::strategy::scope::ScopedPaths;
use crate::strategy::workbench::{Change, Restoration, Workbench};
use crate::target::{CommitsTarget, RestoreTarget, Target};

/// A target as it is tried.
pub(crate) struct Case {
    pub(crate) resolved: ResolvedTarget,
    pub(crate) notes: Vec<Note>,
    pub(crate) rungs: Vec<Rung>,
    pub(crate) goal: Goal,
    /// The tip is in the state asked for; there is no rung to try.
    pub(crate) already_rolled_back: bool,
}

/// Resolves targets against one tip.
pub(crate) struct Resolver<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) bench: &'a Workbench,
    pub(crate) tip: &'a Tip,
    pub(crate) options: &'a PlanOptions,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(repo: &'a Repo, bench: &'a Workbench, tip: &'a Tip, options: &'a PlanOptions) -> Self {
        Self { repo, bench, tip, options }
    }

    pub(crate) fn resolve(&self, target: &Target) -> Result<Case> {
        let mut case = match target {
            Target::Commits(commits) => self.undo_commits(commits),
            Target::Pick(commits) => self.pick(commits),
            Target::Paths(paths) => self.paths(paths),
            Target::Restore(restore) => self.restore(restore),
            Target::To(to) => self.back_to(to),
        }?;
        if let Some(via) = self.options.via {
            keep_only(via, &mut case.rungs);
        }
        Ok(case)
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.bench.objects
    }

    fn undo_commits(&self, target: &CommitsTarget) -> Result<Case> {
        let mut case = Case::new("commits");
        let mut named = self.repo.resolve_changes(&target.revisions, self.options.ranges)?;
        if !self.options.as_given {
            named.commits = history::newest_first(self.objects(), &named.commits)?;
        }
        self.refuse_unknown(&target.paths, &named.commits)?;
        let changes = self.changes(&named, target, &mut case)?;
        let ids = named.commits;
        if changes.is_empty() {
            case.rungs.push(Rung::not_applicable(Strategy::RevertCommit, untouched(&ids, &target.paths)));
        } else if target.is_part() {
            // A part of a change has no state before it to go back to.
            let rung = match self.part_of(changes.clone(), target, &mut case)? {
                Ok(part) => Rung::Undo(part),
                Err(reason) => Rung::not_applicable(Strategy::RevertCommit, reason),
            };
            case.rungs.push(rung);
        } else {
            case.rungs.push(Rung::Undo(changes.clone()));
            if self.options.with_dependents {
                case.rungs.push(Rung::UndoWithDependents(changes.clone()));
            }
            case.rungs.push(Rung::ReturnBefore(self.states_before(&changes)?));
        }
        case.warn_of_remerging(&changes);
        case.resolved.commits = ids;
        case.resolved.paths = target.paths.clone();
        Ok(case)
    }

    fn pick(&self, target: &CommitsTarget) -> Result<Case> {
        let mut case = Case::new("pick");
        let mut named = self.repo.resolve_changes(&target.revisions, self.options.ranges)?;
        named.reverse_ranges();
        self.refuse_unknown(&target.paths, &named.commits)?;
        let changes = self.changes(&named, target, &mut case)?;
        let ids = named.commits;
        case.rungs.push(if changes.is_empty() {
            Rung::not_applicable(Strategy::CherryPick, untouched(&ids, &target.paths))
        } else {
            Rung::Replay(changes)
        });
        case.resolved.commits = ids;
        case.resolved.paths = target.paths.clone();
        Ok(case)
    }

    fn restore(&self, target: &RestoreTarget) -> Result<Case> {
        let mut case = Case::new("restore");
        let mut restorations = Vec::new();
        for path in &target.paths {
            restorations.push(match &target.source {
                Some(source) => {
                    let restoration = self.restoration_from(source, path, target.overlay)?;
                    case.note_renamed(&restoration);
                    restoration
                }
                None => match self.find(path, &ContentGoal::default())? {
                    Finding::Broken(broken) => match broken.restoration() {
                        Some(restoration) => {
                            case.note_renamed(&restoration);
                            restoration.overlay(target.overlay)
                        }
                        None => {
                            let reason = format!("there is no earlier state of {path}");
                            case.rungs.push(Rung::not_applicable(Strategy::RestoreFile, reason));
                            continue;
                        }
                    },
                    Finding::AsBefore | Finding::Mended(_) => continue,
                },
            });
        }
        case.resolved.commits = restorations.iter().filter_map(|one| one.from).collect();
        case.resolved.commits.dedup();
        case.resolved.paths = target.paths.clone();
        case.already_rolled_back = restorations.is_empty() && case.rungs.is_empty();
        if case.rungs.is_empty() {
            case.rungs.push(Rung::Restore(restorations));
        }
        Ok(case)
    }

    /// Refuses paths that neither the tip nor a commit concerned ever had, by their names.
    pub(crate) fn refuse_unknown(&self, paths: &[RepoPath], commits: &[CommitId]) -> Result<()> {
        paths
            .iter()
            .try_for_each(|path| history::ensure_existed(self.objects(), self.tip.commit_id, commits, path))
    }

    fn restoration_from(&self, source: &str, path: &RepoPath, overlay: bool) -> Result<Restoration> {
        let from = self.repo.resolve_commit(source)?;
        self.refuse_unknown(std::slice::from_ref(path), &[from])?;
        let Some(there) = self.name_in_source(from, path)? else {
            let spec = format!("{source}:{path}");
            return Err(RevisionError::Unknown { spec, source: None }.into());
        };
        Ok(Restoration::of(path, &there, (from, from)).overlay(overlay))
    }

    /// What the path is called in a commit it is to be taken from: the same if there is such a path, else its name there
    /// by history.
    pub(crate) fn name_in_source(&self, from: CommitId, path: &RepoPath) -> Result<Option<RepoPath>> {
        let tree = self.objects().commit(from)?.tree;
        if self.objects().entry_at(tree, path)?.is_some() {
            return Ok(Some(path.clone()));
        }
        let there = match history::name_in(self.objects(), self.bench.tip.id, path, from)? {
            NameThen::Known(there) => Some(there),
            NameThen::NotYet => None,
            NameThen::Unknown => history::likely_source(self.objects(), tree, self.bench.start, path)?,
        };
        match there {
            Some(there) if self.objects().entry_at(tree, &there)?.is_some() => Ok(Some(there)),
            _ => Ok(None),
        }
    }

    /// The commits as changes against their mainlines, restricted to the paths of the target. A commit that does not
    /// touch these is left out.
    pub(crate) fn changes(
        &self,
        named: &Named,
        target: &CommitsTarget,
        case: &mut Case,
    ) -> Result<Vec<Change>> {
        let several = target.revisions.iter().any(|spec| is_range(spec));
        let mut changes = Vec::new();
        self.bench.look_up_names(&target.paths, &named.commits)?;
        for id in &named.commits {
            let on_line = named.on_line.contains(id);
            let mainline = if on_line { self.mainline_of_line(target.mainline)? } else { target.mainline };
            let change = self.change(*id, mainline, several || on_line, &mut case.notes)?;
            if target.paths.is_empty() {
                changes.push(change);
            } else if let Some(scoped) = self.scoped(&change, &target.paths, &mut case.notes)? {
                changes.push(scoped);
            }
        }
        Ok(changes)
    }

    /// The mainline of the merges in a range, which follows first parents.
    fn mainline_of_line(&self, given: Option<usize>) -> Result<Option<usize>> {
        match given {
            None | Some(1) => Ok(given),
            Some(number) => Err(Error::BadRequest(format!(
                "a range follows first parents, so mainline {number} fits none of its merges; name the merges"
            ))),
        }
    }

    /// The whole of a commit against its mainline; the first parent of a merge where none was named, which is noted.
    pub(crate) fn change(
        &self,
        id: CommitId,
        mainline: Option<usize>,
        lenient: bool,
        notes: &mut Vec<Note>,
    ) -> Result<Change> {
        let commit = self.objects().commit(id)?;
        let is_merge = commit.parents.len() > 1;
        let mainline = match mainline {
            None if is_merge => {
                notes.push(Note::about_commits(NoteKind::MainlineAssumed, vec![id]));
                Some(1)
            }
            Some(_) if lenient && !is_merge => None,
            given => given,
        };
        Change::whole(commit, mainline)
    }

    /// The change restricted to `named` and what its renames tie to them; `None` where it touches none of that.
    pub(crate) fn scoped(
        &self,
        change: &Change,
        named: &[RepoPath],
        notes: &mut Vec<Note>,
    ) -> Result<Option<Change>> {
        let scope = ScopedPaths::of(self.bench, change, named, self.options.with_renames)?;
        let Some(scope) = scope else { return Ok(None) };
        if !scope.kept.is_empty() {
            notes.push(Note::about_paths(NoteKind::RenameKept, scope.kept));
        }
        notes.extend(scope.renamed.iter().map(|one| Note::renamed(one, change.commit.id)));
        Ok(Some(change.scoped(scope.paths, scope.renamed)))
    }

    /// The state before `changes` of every path they touch. What several touch is taken from before the oldest.
    fn states_before(&self, changes: &[Change]) -> Result<Vec<Restoration>> {
        let mut restorations = Vec::new();
        for change in changes {
            let paths = match change.paths_now() {
                Some(paths) => paths,
                None => self.touched_paths(change)?,
            };
            restorations.push(Restoration {
                from: change.parent(),
                paths,
                renamed: change.renamed.clone(),
                since: change.commit.id,
                overlay: false,
            });
        }
        Ok(restorations)
    }

    /// The paths whose entries the change alters, without looking for renames.
    pub(crate) fn touched_paths(&self, change: &Change) -> Result<Vec<RepoPath>> {
        let changed = changed_paths(self.objects(), change.commit.id, change.mainline)?;
        Ok(changed.into_iter().map(|one| one.path).collect())
    }
}

impl Case {
    pub(crate) fn new(kind: &str) -> Self {
        Self {
            resolved: ResolvedTarget { kind: kind.into(), ..ResolvedTarget::default() },
            notes: Vec::new(),
            rungs: Vec::new(),
            goal: Goal::default(),
            already_rolled_back: false,
        }
    }

    pub(crate) fn note_renamed(&mut self, restoration: &Restoration) {
        let Some(from) = restoration.from else { return };
        self.notes.extend(restoration.renamed.iter().map(|one| Note::renamed(one, from)));
    }

    /// After a merge is undone, merging its branch again brings nothing back, which is worth a note.
    pub(crate) fn warn_of_remerging(&mut self, changes: &[Change]) {
        let merges: Vec<_> = changes
            .iter()
            .filter(|change| change.mainline.is_some())
            .map(|change| change.commit.id)
            .collect();
        if !merges.is_empty() {
            self.notes.push(Note::about_commits(NoteKind::RemergeTrap, merges));
        }
    }
}

impl Note {
    pub(crate) fn about_commits(kind: NoteKind, commits: Vec<CommitId>) -> Self {
        Self { kind, commits, paths: Vec::new(), reference: None }
    }

    /// The path of today is called otherwise in `commit`.
    pub(crate) fn renamed(rename: &Rename, commit: CommitId) -> Self {
        let mut note = Self::about_commits(NoteKind::RenamedSince, vec![commit]);
        note.paths = vec![rename.now.clone(), rename.then.clone()];
        note
    }

    pub(crate) fn about_hook(kind: NoteKind, name: &str) -> Self {
        let reference = Some(name.to_owned());
        Self { kind, commits: Vec::new(), paths: Vec::new(), reference }
    }

    pub(crate) fn about_paths(kind: NoteKind, paths: Vec<RepoPath>) -> Self {
        Self { kind, commits: Vec::new(), paths, reference: None }
    }
}

fn untouched(ids: &[CommitId], paths: &[RepoPath]) -> String {
    let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
    match ids {
        [only] => format!("{} does not touch {}", only.to_hex_with_len(10), paths.join(", ")),
        _ => format!("none of the {} commits touches {}", ids.len(), paths.join(", ")),
    }
}

/// Keeps the rungs of one strategy; where the ladder has none, one rung says so.
fn keep_only(via: Strategy, rungs: &mut Vec<Rung>) {
    rungs.retain(|rung| rung.strategy() == via);
    if rungs.is_empty() {
        rungs.push(Rung::not_applicable(via, "it does not fit this target"));
    }
}

//! Paths whose culprit is found, not typed: who broke them, what was last good, and the ladder back.

use regex::bytes::RegexBuilder;

use super::resolve::{Case, Resolver};
use super::{CulpritSummary, Note, NoteKind};
use crate::error::{Error, PathError, Result};
use crate::history::{
    self, Change as PathChange, ChangeKind, Culprit, FoundCulprit, LastGood, NameThen, Predicates, Rename,
    change_by,
};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::strategy::ladder::{ContentGoal, Rung};
use crate::strategy::scope::covers;
use crate::strategy::workbench::{Change, Restoration};
use crate::strategy::{Attempt, Scope, Strategy};
use crate::target::{Good, PathsTarget};

/// The largest compiled pattern, in bytes: patterns come from outside.
const PATTERN_LIMIT: usize = 1 << 20;

/// One path and the change that broke it.
pub(crate) struct Broken {
    pub(crate) path: RepoPath,
    pub(crate) culprit: CommitId,
    pub(crate) last_good: Option<LastGood>,
    kind: ChangeKind,
    /// The name that the culprit took from the path, and the one it gave it.
    moved: Option<Rename>,
    introduced_by: Option<CommitId>,
    further_changes: Vec<CommitId>,
    given: bool,
    /// The predicates hold on both sides of the culprit.
    indecisive: bool,
}

/// What became of a path.
pub(crate) enum Finding {
    /// A change broke it.
    Broken(Box<Broken>),
    /// It is as it was before it was changed.
    AsBefore,
    /// It is good again since this commit, and not as it was before.
    Mended(CommitId),
}

/// The paths that one culprit broke.
struct Group {
    change: Change,
    broken: Vec<Broken>,
}

impl Resolver<'_> {
    pub(crate) fn paths(&self, target: &PathsTarget) -> Result<Case> {
        let mut case = Case::new("paths");
        case.resolved.paths = target.paths.clone();
        case.goal.content = content_goal(&target.good)?;
        let mut broken = Vec::new();
        let mut mended = Vec::new();
        for path in &target.paths {
            self.note_twins(path, &mut case)?;
            let found = match &target.change {
                Some(change) => {
                    Finding::Broken(Box::new(self.given_culprit(change, target.mainline, path)?))
                }
                None => self.find(path, &case.goal.content)?,
            };
            match found {
                Finding::Broken(found) => {
                    self.note_upstream(path, &mut case)?;
                    broken.push(*found);
                }
                Finding::Mended(by) => mended.push((path, by)),
                Finding::AsBefore => {}
            }
        }
        if broken.is_empty() {
            case.already_rolled_back = mended.is_empty();
            case.rungs.extend(mended.into_iter().map(|(path, by)| self.mended_rung(path, by)));
            return Ok(case);
        }
        case.note_mended(mended);
        let groups = self.grouped(broken, target, &mut case)?;
        self.set_goal(&groups, target, &mut case)?;
        self.build_ladder(&groups, target, &mut case)?;
        self.describe(groups, &mut case)?;
        Ok(case)
    }

    /// Finds what broke `path`.
    pub(crate) fn find(&self, path: &RepoPath, content: &ContentGoal) -> Result<Finding> {
        let mut predicates =
            Predicates { match_: content.pattern.clone(), lines: content.lines, check: None };
        match history::find_culprit(self.objects(), self.tip.commit_id, path, &mut predicates)? {
            Culprit::Found(found) => Ok(Finding::Broken(Box::new(Broken::found(path, *found)))),
            Culprit::AlreadyRolledBack(_) => Ok(Finding::AsBefore),
            Culprit::Mended { by } => Ok(Finding::Mended(by)),
            Culprit::NeverGood { .. } => {
                Err(PathError::NeverGood { path: path.clone(), tip: self.tip.commit_id }.into())
            }
        }
    }

    /// The attempt for a path that was repaired by other means than a rollback.
    fn mended_rung(&self, path: &RepoPath, by: CommitId) -> Rung {
        let name = self.objects().abbreviated(by.0);
        let reason = format!("{path} is good since {name}, which repaired it and did not roll it back");
        let mut attempt = Attempt::not_applicable(Strategy::RevertCommit, reason);
        attempt.scope = Some(Scope::Paths(vec![path.clone()]));
        attempt.commit_id = Some(by);
        Rung::NotApplicable(Box::new(attempt))
    }

    fn given_culprit(&self, change: &str, mainline: Option<usize>, path: &RepoPath) -> Result<Broken> {
        let culprit = self.repo.resolve_commit(change)?;
        self.refuse_unknown(std::slice::from_ref(path), &[culprit])?;
        let seen = change_by(self.objects(), culprit, mainline, &self.name_given(culprit, path)?)?
            .ok_or_else(|| Error::BadRequest(format!("{culprit} does not touch {path}")))?;
        let parent = match seen.mainline {
            Some(number) => self.objects().commit(culprit)?.parents.get(number - 1).copied(),
            None => None,
        };
        Ok(Broken {
            path: path.clone(),
            culprit,
            last_good: parent.and_then(|parent| state_before(&seen, parent)),
            kind: seen.kind,
            moved: None,
            introduced_by: None,
            further_changes: Vec::new(),
            given: true,
            indecisive: false,
        })
    }

    /// What the path is called in a culprit that was named.
    fn name_given(&self, culprit: CommitId, path: &RepoPath) -> Result<RepoPath> {
        if self.objects().entry_at(self.bench.start, path)?.is_none() {
            return Ok(path.clone());
        }
        match history::name_in(self.objects(), self.bench.tip.id, path, culprit)? {
            NameThen::Known(then) => Ok(then),
            NameThen::NotYet | NameThen::Unknown => Ok(path.clone()),
        }
    }

    /// The paths by their culprit, the newest culprit first.
    fn grouped(&self, broken: Vec<Broken>, target: &PathsTarget, case: &mut Case) -> Result<Vec<Group>> {
        let mut culprits: Vec<_> = broken.iter().map(|one| one.culprit).collect();
        culprits.sort_unstable();
        culprits.dedup();
        if !self.options.as_given {
            culprits = history::newest_first(self.objects(), &culprits)?;
        }
        let mut groups = Vec::new();
        for culprit in culprits {
            let change = self.change(culprit, target.mainline, false, &mut case.notes)?;
            groups.push(Group { change, broken: Vec::new() });
        }
        for one in broken {
            let group = groups.iter_mut().find(|group| group.change.commit.id == one.culprit);
            group.expect("there is a group for every culprit").broken.push(one);
        }
        Ok(groups)
    }

    /// What was removed must exist again, what is there must stay and be good, and every path must change.
    fn set_goal(&self, groups: &[Group], target: &PathsTarget, case: &mut Case) -> Result<()> {
        for one in groups.iter().flat_map(|group| &group.broken) {
            let absent = self.objects().entry_at(self.bench.start, &one.path)?.is_none();
            let stays = !absent && !self.may_go(one, target);
            if absent && one.last_good.is_some() || !target.good.is_unset() || stays {
                case.goal.present.push(one.path.clone());
            }
            case.goal.changed.push(one.path.clone());
        }
        Ok(())
    }

    /// Whether the path may go with the change that made it: the change was named, all of it is undone, or its old name
    /// was named too. What was only named as a path is never deleted.
    fn may_go(&self, one: &Broken, target: &PathsTarget) -> bool {
        let old_name_too = one.moved.as_ref().is_some_and(|moved| target.paths.contains(&moved.then));
        one.given || self.options.whole_commit || old_name_too
    }

    fn build_ladder(&self, groups: &[Group], target: &PathsTarget, case: &mut Case) -> Result<()> {
        let scoped = self.scoped_changes(groups, target, case)?;
        case.rungs.push(self.whole_rung(groups, &scoped)?);
        case.rungs.push(match scoped.is_empty() {
            true => Rung::not_applicable(Strategy::RevertCommit, "it does not touch the paths"),
            false => Rung::Undo(scoped),
        });
        case.rungs.push(self.replay_rung(groups)?);
        case.rungs.push(restore_rung(groups));
        Ok(())
    }

    fn scoped_changes(&self, groups: &[Group], target: &PathsTarget, case: &mut Case) -> Result<Vec<Change>> {
        let mut scoped = Vec::new();
        for group in groups {
            let named: Vec<_> = group.broken.iter().map(|one| one.path.clone()).collect();
            let Some(change) = self.scoped(&group.change, &named, &mut case.notes)? else { continue };
            let stay = group.broken.iter().filter(|one| !self.may_go(one, target));
            scoped.push(stay.filter_map(|one| one.moved.clone()).fold(change, Change::keeping_name));
        }
        Ok(scoped)
    }

    /// The whole culprit, where it touches nothing else or was asked for: a commit of 625 files is never undone whole by
    /// surprise.
    fn whole_rung(&self, groups: &[Group], scoped: &[Change]) -> Result<Rung> {
        let whole: Vec<_> = groups.iter().map(|group| group.change.clone()).collect();
        if self.options.whole_commit {
            return Ok(Rung::Undo(whole));
        }
        for (change, scope) in whole.iter().zip(scoped) {
            if let Some(moved) = scope.kept_names.first() {
                let name = self.objects().abbreviated(change.commit.id.0);
                let reason = format!("{name} also renamed {} to {}, which stays", moved.then, moved.now);
                return Ok(Rung::NotApplicable(Box::new(Attempt::whole_not_applicable(change, reason))));
            }
            let touched = self.touched_paths(change)?;
            let scope = scope.paths.as_deref().unwrap_or_default();
            let others = touched.iter().filter(|path| !covers(scope, path)).count();
            if others > 0 {
                let reason = format!(
                    "{} also touches {others} other path{}",
                    self.objects().abbreviated(change.commit.id.0),
                    if others == 1 { "" } else { "s" },
                );
                return Ok(Rung::NotApplicable(Box::new(Attempt::whole_not_applicable(change, reason))));
            }
        }
        Ok(Rung::Undo(whole))
    }

    /// The replay of the commit that made the good state; it can only bring back a path that it added.
    fn replay_rung(&self, groups: &[Group]) -> Result<Rung> {
        let not = |reason: String| Ok(Rung::not_applicable(Strategy::CherryPick, reason));
        let [Group { broken, change }] = groups else {
            return not("several changes broke the paths".into());
        };
        let [Broken { path, last_good: Some(good), .. }] = broken.as_slice() else {
            return not("no single commit made the good state".into());
        };
        if good.path != *path {
            return not(format!("{path} was {} when it was good", good.path));
        }
        if self.objects().entry_at(change.commit.tree, path)?.is_some() {
            let name = self.objects().abbreviated(change.commit.id.0);
            return not(format!("{name} did not remove {path}, so adding it again does not undo it"));
        }
        let made =
            history::find_culprit(self.objects(), good.commit_id, &good.path, &mut Predicates::default());
        let Ok(Culprit::Found(made)) = made else {
            return not(format!("no commit is known to have made {path} as it was"));
        };
        let name = self.objects().abbreviated(made.commit_id.0);
        if made.kind != ChangeKind::Added || made.is_merge {
            return not(format!("{name} changed {path} and did not add it"));
        }
        let commit = self.objects().commit(made.commit_id)?;
        Ok(Rung::Replay(vec![Change::whole(commit, None)?.scoped(vec![path.clone()], Vec::new())]))
    }

    fn describe(&self, groups: Vec<Group>, case: &mut Case) -> Result<()> {
        case.resolved.commits = groups.iter().map(|group| group.change.commit.id).collect();
        let merges: Vec<_> = groups.iter().map(|group| group.change.clone()).collect();
        case.warn_of_remerging(&merges);
        for (index, group) in groups.into_iter().enumerate() {
            let paths_touched = self.touched_paths(&group.change)?.len();
            for one in group.broken {
                case.note_ways_in(&one);
                if index == 0 && case.resolved.culprit.is_none() {
                    case.resolved.last_good = one.last_good.clone();
                    case.resolved.culprit = Some(one.document(&group.change, paths_touched));
                }
            }
        }
        Ok(())
    }

    fn note_twins(&self, path: &RepoPath, case: &mut Case) -> Result<()> {
        let twins = history::case_twins(self.objects(), self.tip.commit_id, path)?;
        if !twins.is_empty() {
            case.notes.push(Note::about_paths(NoteKind::CaseTwin, twins));
        }
        Ok(())
    }

    fn note_upstream(&self, path: &RepoPath, case: &mut Case) -> Result<()> {
        let ahead = history::upstream_ahead(self.objects(), &self.tip.reference, self.tip.commit_id, path)?;
        if let Some(ahead) = ahead {
            let mut note = Note::about_commits(NoteKind::UpstreamAhead, ahead.changes);
            note.reference = Some(ahead.upstream);
            note.paths = vec![path.clone()];
            case.notes.push(note);
        }
        Ok(())
    }
}

impl Broken {
    fn found(path: &RepoPath, found: FoundCulprit) -> Self {
        Self {
            path: path.clone(),
            culprit: found.commit_id,
            last_good: found.last_good,
            kind: found.kind,
            moved: found.from.map(|from| Rename::new(from, found.path)),
            introduced_by: found.introduced_by,
            further_changes: found.further_changes,
            given: false,
            indecisive: found.indecisive,
        }
    }

    /// The exact state before the change; none where the path was not there under this name.
    pub(crate) fn restoration(&self) -> Option<Restoration> {
        let good = self.last_good.as_ref()?;
        Some(Restoration::of(&self.path, &good.path, (good.commit_id, self.culprit)))
    }

    fn document(self, change: &Change, paths_touched: usize) -> CulpritSummary {
        CulpritSummary {
            commit_id: self.culprit,
            subject: change.commit.subject(),
            author: change.commit.author.name.to_string(),
            time: change.commit.committer.seconds,
            change: self.kind,
            parents: change.commit.parents.clone(),
            paths_touched,
            introduced_by: self.introduced_by,
            further_changes: self.further_changes,
            given: self.given,
        }
    }
}

impl Case {
    fn note_mended(&mut self, mended: Vec<(&RepoPath, CommitId)>) {
        for (path, by) in mended {
            let mut note = Note::about_commits(NoteKind::Mended, vec![by]);
            note.paths = vec![path.clone()];
            self.notes.push(note);
        }
    }

    fn note_ways_in(&mut self, one: &Broken) {
        if one.indecisive {
            let mut note = Note::about_commits(NoteKind::GoodOnBothSides, vec![one.culprit]);
            note.paths = vec![one.path.clone()];
            self.notes.push(note);
        }
        if let Some(merge) = one.introduced_by {
            self.notes.push(Note::about_commits(NoteKind::IntroducedByMerge, vec![merge]));
        }
        if !one.further_changes.is_empty() {
            let mut note = Note::about_commits(NoteKind::Multiple, one.further_changes.clone());
            note.paths = vec![one.path.clone()];
            self.notes.push(note);
        }
    }
}

fn restore_rung(groups: &[Group]) -> Rung {
    let broken = groups.iter().flat_map(|group| &group.broken);
    let states: Option<Vec<_>> = broken.map(Broken::restoration).collect();
    match states {
        Some(restorations) => Rung::ReturnBefore(restorations),
        None => Rung::not_applicable(Strategy::RestoreFile, "there is no earlier state of it"),
    }
}

fn state_before(seen: &PathChange, parent: CommitId) -> Option<LastGood> {
    let before = seen.before?;
    let path = seen.from.clone().unwrap_or_else(|| seen.path.clone());
    Some(LastGood { commit_id: parent, path, blob_id: before.id, mode: before.mode })
}

fn content_goal(good: &Good) -> Result<ContentGoal> {
    let compile = |pattern: &String| {
        RegexBuilder::new(pattern)
            .multi_line(true)
            .size_limit(PATTERN_LIMIT)
            .build()
            .map_err(|error| Error::BadRequest(format!("the pattern of good content: {error}")))
    };
    Ok(ContentGoal { pattern: good.pattern.as_ref().map(compile).transpose()?, lines: good.lines })
}

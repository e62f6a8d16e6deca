//! The branch as it was at a commit: what has changed since, and the way back.

use super::resolve::{Case, Resolver};
use super::{Note, NoteKind};
use crate::error::{Result, RevisionError};
use crate::history::{Rename, commits_touching_since};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::range::{Line, line_between};
use crate::strategy::ladder::Rung;
use crate::strategy::workbench::{BackTo, Restoration};
use crate::target::ToTarget;

impl Resolver<'_> {
    pub(crate) fn back_to(&self, target: &ToTarget) -> Result<Case> {
        let mut case = Case::new("to");
        let state = self.repo.resolve_commit(&target.revision)?;
        self.refuse_unknown(&target.paths, &[state])?;
        let line = line_between(self.objects(), self.tip.commit_id, &[state])?;
        let was_there = self.tip.commit_id == state || line.end == Some(state);
        case.resolved.back_to = Some(state);
        case.resolved.paths = target.paths.clone();
        if target.each {
            if !was_there {
                return Err(RevisionError::NeverThere {
                    reference: self.tip.reference.clone(),
                    commit: state,
                }
                .into());
            }
            return self.each_back_to(state, &line, target, case);
        }
        let undone = match target.paths.is_empty() {
            true => line.beyond.clone(),
            false => commits_touching_since(self.objects(), self.tip.commit_id, &[state], &target.paths)?,
        };
        case.note_merges(&self.merges_of(&line.commits)?, &undone);
        if !was_there {
            case.note_never_there(state, &line, &self.tip.reference);
        }
        let discards = if was_there { Vec::new() } else { undone.clone() };
        case.resolved.commits = undone;
        case.rungs.push(self.back_to_rung(state, &target.paths, discards, &mut case.notes)?);
        Ok(case)
    }

    /// The way to a state in one commit; of paths under the names that they had there.
    fn back_to_rung(
        &self,
        state: CommitId,
        paths: &[RepoPath],
        discards: Vec<CommitId>,
        notes: &mut Vec<Note>,
    ) -> Result<Rung> {
        if paths.is_empty() {
            return Ok(Rung::BackTo(BackTo { state, paths: None, discards }));
        }
        let mut renamed = Vec::new();
        for path in paths {
            let there = self.name_in_source(state, path)?.filter(|there| there != path);
            renamed.extend(there.map(|there| Rename::new(there, path.clone())));
        }
        notes.extend(renamed.iter().map(|one| Note::renamed(one, state)));
        let paths = paths.to_vec();
        let paths = Restoration { from: Some(state), paths, renamed, since: state, overlay: false };
        Ok(Rung::BackTo(BackTo { state, paths: Some(paths), discards }))
    }

    /// The changes along first parents, undone one after the other; merges whole.
    fn each_back_to(&self, state: CommitId, line: &Line, target: &ToTarget, mut case: Case) -> Result<Case> {
        let mut changes = Vec::new();
        self.bench.look_up_names(&target.paths, &line.commits)?;
        for id in &line.commits {
            let change = self.change(*id, Some(1), true, &mut case.notes)?;
            match target.paths.is_empty() {
                true => changes.push(change),
                false => changes.extend(self.scoped(&change, &target.paths, &mut case.notes)?),
            }
        }
        case.warn_of_remerging(&changes);
        case.resolved.commits = changes.iter().map(|change| change.commit.id).collect();
        case.rungs.push(match changes.is_empty() {
            true => self.back_to_rung(state, &target.paths, Vec::new(), &mut case.notes)?,
            false => Rung::Undo(changes),
        });
        Ok(case)
    }

    fn merges_of(&self, commits: &[CommitId]) -> Result<Vec<CommitId>> {
        let mut merges = Vec::new();
        for id in commits {
            if self.objects().commit_header(*id)?.parents.len() > 1 {
                merges.push(*id);
            }
        }
        Ok(merges)
    }
}

impl Case {
    fn note_merges(&mut self, merges: &[CommitId], undone: &[CommitId]) {
        let merges: Vec<_> = merges.iter().copied().filter(|merge| undone.contains(merge)).collect();
        if !merges.is_empty() {
            self.notes.push(Note::about_commits(NoteKind::RemergeTrap, merges));
        }
    }

    fn note_never_there(&mut self, state: CommitId, line: &Line, reference: &str) {
        let mut note = Note::about_commits(NoteKind::NeverThere, vec![state]);
        note.reference = Some(reference.to_owned());
        self.notes.push(note);
        if !line.brought_by.is_empty() {
            self.notes.push(Note::about_commits(NoteKind::IntroducedByMerge, line.brought_by.clone()));
        }
    }
}

//! One commit of a sequence: its merge, and the landing of what came of it (git's `do_pick_commit`).

use bstr::BString;

use super::commit::{Ending, Made, Making};
use super::logged::NewEntry;
use super::run::{Run, Step};
use super::state::{FOLDER, Item, LIST_FILE, Todo, is_there, removed};
use super::{SequenceAction, SequenceEvent, SequenceStatus, StrategyCall, WhenEmpty, rerere};
use crate::apply::{Landing, RefUpdate};
use crate::conflict::Conflict;
use crate::error::{Result, SequenceError};
use crate::hooks::Hook;
use crate::id::{CommitId, TreeId};
use crate::journal::StateFile;
use crate::merge::{Engine, Labels, Merged, Options, Verdict};
use crate::message::{self, CommitKind, MessageOptions, Paths};
use crate::path::{RepoPath, names_now};
use crate::repo::Commit;
use crate::repo::identity::Role;
use crate::repo::refs::Head;
use crate::strategy::{hunks, scope};

/// A commit and what it is compared with.
pub(super) struct Change {
    pub(super) commit: Commit,
    pub(super) parent: Option<Commit>,
}

/// Where a step begins.
pub(super) struct Start {
    pub(super) head: Head,
    pub(super) tree: TreeId,
}

/// What is to become of a merge without conflicts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Commit,
    Drop,
    StopAsEmpty,
}

impl Run<'_> {
    /// Takes one commit; `rest` are those after it, where it is part of a sequence.
    pub(super) fn pick(&mut self, item: Item, rest: Option<&Todo>) -> Result<Step> {
        let head = self.repo.head()?;
        let tree = match self.options.no_commit {
            true => self.repo.index_tree(&self.objects)?,
            false => self.refuse_staged(head.commit())?,
        };
        let start = Start { head, tree };
        let change = self.change(item)?;
        if self.options.allow_ff && change.parent.as_ref().map(|parent| parent.id) == start.head.commit() {
            return self.fast_forward(&change, &start, rest);
        }
        let draft = self.draft(item, &change)?;
        let other = self.options.strategy.clone();
        let other =
            other.filter(|name| item.action == SequenceAction::Pick && name != "recursive" && name != "ort");
        if let Some(name) = other {
            return self.merge_elsewhere(&name, &change, &draft, rest);
        }
        let merged = self.merge(item, &change, start.tree)?;
        match merged.verdict {
            Verdict::Clean => self.take(item, &change, &start, &merged, &draft, rest),
            _ => self.stop_at_conflict(item, &change, &start, &merged, &draft),
        }
    }

    pub(super) fn change(&self, item: Item) -> Result<Change> {
        let commit = self.objects.commit(item.commit)?;
        let parents = commit.parents.len();
        let parent = match (parents, self.options.mainline) {
            (0, None | Some(1)) => None,
            (1, None | Some(1)) => commit.parents.first(),
            (2.., None) => return Err(SequenceError::NeedsMainline { commit: commit.id }.into()),
            (_, Some(number)) => {
                let parent = commit.parents.get(number - 1);
                Some(parent.ok_or(SequenceError::NoSuchParent { commit: commit.id, parent: number })?)
            }
        };
        let parent = parent.map(|parent| self.objects.commit(*parent)).transpose()?;
        Ok(Change { commit, parent })
    }

    /// What is said about the message, in the words of the message writer.
    pub(super) fn message_options(&self) -> MessageOptions {
        let mut options = self.wording.clone();
        options.signoff |= self.options.signoff;
        options.record_origin |= self.options.record_origin;
        options.reference = self.options.reference.or(options.reference);
        options.cleanup = self.options.cleanup.or(options.cleanup);
        options
    }

    pub(super) fn draft(&self, item: Item, change: &Change) -> Result<BString> {
        let (style, commit) = (self.repo.message_style(), &change.commit);
        let mainline = change.parent.as_ref().filter(|_| commit.parents.len() > 1);
        let paths = self.restriction.as_ref().map(|one| Paths { named: &one.paths, renamed: &one.renamed });
        let lines = self.restriction.as_ref().and_then(|one| Some(one.part.as_ref()?.words()));
        let kind = match (item.action, paths) {
            (SequenceAction::Revert, Some(paths)) => match &lines {
                Some(lines) => CommitKind::RevertPart { commit, mainline, paths, lines },
                None => CommitKind::RevertPaths { commit, mainline, paths },
            },
            (SequenceAction::Revert, None) => CommitKind::Revert { commit, mainline },
            (SequenceAction::Pick, None) => CommitKind::Pick { commit },
            (SequenceAction::Pick, Some(paths)) => CommitKind::PickPaths { commit, paths },
        };
        let committer = match self.message_options().signoff {
            true => self.repo.identity(Role::Committer)?,
            false => Default::default(),
        };
        let abbreviate = |id: CommitId| self.objects.abbreviated(id.0);
        let context = message::Context { style: &style, committer: &committer, abbreviate: &abbreviate };
        Ok(message::draft(kind, &self.message_options(), &context))
    }

    pub(super) fn merge(&mut self, item: Item, change: &Change, ours: TreeId) -> Result<Merged> {
        let mut options = Options::from_config(self.repo)?;
        for option in &self.options.strategy_options {
            // As git does: one that it does not know is ignored.
            options.set_strategy_option(option);
        }
        let parent = self.objects.tree_of(change.parent.as_ref().map(|parent| parent.id))?;
        let (parent, commit) = match &self.restriction {
            Some(one) => scope::under_names_now(
                &self.objects,
                (parent, change.commit.tree),
                &one.kept_names,
                &one.renamed,
            )?,
            None => (parent, change.commit.tree),
        };
        let (base, incoming) = match item.action {
            SequenceAction::Revert => (commit, parent),
            SequenceAction::Pick => (parent, commit),
        };
        let paths = self.restriction.as_ref().map(|one| names_now(&one.paths, &one.renamed));
        let part = self.restriction.as_ref().and_then(|one| one.part.as_ref());
        let theirs = scope::incoming_side(&self.objects, base, incoming, paths.as_deref(), part)?;
        let labels = self.labels(item.action, change)?;
        // The engine shares objects by reference count; what it creates is taken over.
        let shared = std::rc::Rc::new(self.repo.objects());
        shared.insert_new(&self.objects.new_objects()?)?;
        let merged =
            Engine::over(std::rc::Rc::clone(&shared), options)?.merge(base, ours, theirs, &labels)?;
        self.objects.insert_new(&shared.take_new())?;
        if let Verdict::NeedsReview(reason) = &merged.verdict {
            let why = reason.to_string();
            let (command, commit) = (item.action.command(), item.commit);
            return Err(SequenceError::NeedsReview { command, commit, why }.into());
        }
        Ok(merged)
    }

    fn labels(&self, action: SequenceAction, change: &Change) -> Result<Labels> {
        let mut name = BString::from(format!("{} (", self.objects.abbreviation(change.commit.id.0)?));
        name.extend_from_slice(message::subject(&change.commit.message));
        name.push(b')');
        let empty = BString::from("(empty tree)");
        let parent = match change.parent {
            Some(_) => [b"parent of ", name.as_slice()].concat().into(),
            None => empty,
        };
        Ok(match action {
            SequenceAction::Revert => Labels::new(name, "HEAD", parent),
            SequenceAction::Pick => Labels::new(parent, "HEAD", name),
        })
    }

    /// Lands a merge without conflicts, or stops because nothing is left of the commit.
    fn take(
        &mut self,
        item: Item,
        change: &Change,
        start: &Start,
        merged: &Merged,
        draft: &BString,
        rest: Option<&Todo>,
    ) -> Result<Step> {
        self.front.tell(SequenceEvent::Merged(merged));
        let landing = Landing {
            objects: self.objects.new_objects()?,
            checkout: true,
            ..Landing::of_trees(start.tree, merged.tree_id)
        };
        if self.options.no_commit {
            return self.stage(item, landing, draft);
        }
        let auto_merge = StateFile::write("AUTO_MERGE", format!("{}\n", merged.tree_id));
        match self.fate(change, start, merged.tree_id)? {
            Fate::Drop => return self.leave_out(item, start, rest),
            Fate::StopAsEmpty => {
                self.stage_before_commit(item, landing, draft, auto_merge, SequenceStatus::Empty)?;
                self.report.status = SequenceStatus::Empty;
                self.report.stopped_at = Some(item.commit);
                return Ok(Step::Stopped);
            }
            Fate::Commit => {}
        }
        let edited = self.options.edit == Some(true);
        if edited || self.hooks_at_work()? {
            // Editor and hooks find index and work tree as they will be committed.
            let (ending, until_then) = match edited {
                true => (Ending::Edited, SequenceStatus::EditorFailed),
                false => (Ending::Hooked, SequenceStatus::HookFailed),
            };
            self.stage_before_commit(item, landing, draft, auto_merge, until_then)?;
            return self.commit_staged(item, change, ending, rest);
        }
        let making = Making { commit: &change.commit, action: item.action, parent: start.head.commit() };
        let text = self.unedited(draft);
        let (commit, message) = self.make_commit(&making, merged.tree_id, text)?;
        let mut state_files = vec![auto_merge];
        state_files.extend(removed(self.repo, &["CHERRY_PICK_HEAD", "MERGE_MSG"])?);
        state_files.extend(self.after_commit(rest, commit));
        let reflog = message.reflog_line(&self.reflog_word());
        let made = Made { taken: item.commit, commit, tree: merged.tree_id, reflog };
        self.land_commit(start, made, state_files)?;
        self.committed(commit);
        Ok(Step::Taken)
    }

    /// Makes no commit.
    fn leave_out(&mut self, item: Item, start: &Start, rest: Option<&Todo>) -> Result<Step> {
        self.front.tell(SequenceEvent::Dropped(item.commit));
        self.pending.extend(removed(self.repo, &["CHERRY_PICK_HEAD", "MERGE_MSG", "AUTO_MERGE"])?);
        self.pending.extend(self.safety_after(start.head.commit()));
        if rest.is_none() {
            self.land_state(Vec::new())?;
        }
        Ok(Step::Taken)
    }

    /// Whether a hook has to see what will be committed.
    fn hooks_at_work(&self) -> Result<bool> {
        let hooks = self.hooks();
        hooks.has(Hook::PrepareCommitMsg)
    }

    fn fate(&self, change: &Change, start: &Start, result: TreeId) -> Result<Fate> {
        if result != self.objects.tree_of(start.head.commit())? {
            return Ok(Fate::Commit);
        }
        let parent = self.objects.tree_of(change.commit.parents.first().copied())?;
        Ok(match (change.commit.tree == parent, self.options.empty) {
            (true, _) if self.options.allow_empty || self.options.empty == WhenEmpty::Keep => Fate::Commit,
            (true, _) | (false, WhenEmpty::Stop) => Fate::StopAsEmpty,
            (false, WhenEmpty::Drop) => Fate::Drop,
            (false, WhenEmpty::Keep) => Fate::Commit,
        })
    }

    /// Index and work tree as they will be committed, with what tells git what is in progress.
    /// `until_then` is how it stands where nobody goes on.
    fn stage_before_commit(
        &mut self,
        item: Item,
        mut landing: Landing,
        draft: &BString,
        auto_merge: StateFile,
        until_then: SequenceStatus,
    ) -> Result<()> {
        landing.state_files.push(auto_merge);
        landing.state_files.push(StateFile::write("MERGE_MSG", draft.clone()));
        if item.action == SequenceAction::Pick {
            landing.state_files.push(StateFile::write("CHERRY_PICK_HEAD", format!("{}\n", item.commit)));
        }
        let head = self.repo.head()?.commit();
        landing.state_files.extend(self.safety_after(head));
        self.land(landing, NewEntry::of_stop(item.commit, until_then))
    }

    /// What `-n` leaves.
    fn stage(&mut self, item: Item, mut landing: Landing, draft: &BString) -> Result<Step> {
        landing.state_files.push(StateFile::write("AUTO_MERGE", format!("{}\n", landing.result_tree)));
        landing.state_files.push(StateFile::write("MERGE_MSG", draft.clone()));
        if item.action == SequenceAction::Revert {
            landing.state_files.push(StateFile::write("REVERT_HEAD", format!("{}\n", item.commit)));
        }
        let head = self.repo.head()?.commit();
        landing.state_files.extend(self.safety_after(head));
        self.land(landing, NewEntry { commit: Some(item.commit), ..NewEntry::default() })?;
        Ok(Step::Taken)
    }

    fn stop_at_conflict(
        &mut self,
        item: Item,
        change: &Change,
        start: &Start,
        merged: &Merged,
        draft: &BString,
    ) -> Result<Step> {
        let mut tree = merged.tree_id;
        let replayed = match rerere::is_enabled(self.repo)? {
            true => {
                let autoupdate = self.options.rerere_autoupdate;
                Some(rerere::replay(self.repo, &self.objects, &merged.conflicts, autoupdate, &mut tree)?)
            }
            false => None,
        };
        let staged: &[RepoPath] = match &replayed {
            Some(replayed) if replayed.staged => &replayed.resolved,
            _ => &[],
        };
        let staged_now = |conflict: &&Conflict| has_stages(conflict) && !staged.contains(&conflict.path);
        let index_stages: Vec<Conflict> = merged.conflicts.iter().filter(staged_now).cloned().collect();
        let mut files = self.files_of_conflict(item, merged, draft)?;
        files.extend(self.safety_after(start.head.commit()));
        let landing = Landing {
            objects: self.objects.new_objects()?,
            checkout: true,
            state_files: files,
            index_stages,
            ..Landing::of_trees(start.tree, tree)
        };
        self.report.conflicts.clone_from(&merged.conflicts);
        self.report.hunks = hunks::of(&self.objects, tree, &merged.conflicts)?;
        self.land(landing, NewEntry::of_stop(change.commit.id, SequenceStatus::Conflicted))?;
        self.front.tell(SequenceEvent::Merged(merged));
        self.front.tell(SequenceEvent::CouldNotMerge {
            commit: item.commit,
            action: item.action,
            conflicts: true,
        });
        if let Some(replayed) = replayed {
            self.later(replayed.keep(self.repo));
            replayed.events.iter().for_each(|event| self.front.tell(SequenceEvent::Rerere(event)));
        }
        self.report.status = SequenceStatus::Conflicted;
        self.report.stopped_at = Some(item.commit);
        Ok(Step::Stopped)
    }

    /// git's files of a merge that has conflicts.
    fn files_of_conflict(&self, item: Item, merged: &Merged, draft: &BString) -> Result<Vec<StateFile>> {
        let listed = merged.conflicts.iter().filter(|conflict| has_stages(conflict));
        let paths: Vec<RepoPath> = listed.map(|conflict| conflict.path.clone()).collect();
        let style = self.repo.message_style();
        let text = message::merge_msg(draft, &self.message_options(), &style, &paths);
        let mut files = vec![
            StateFile::write("AUTO_MERGE", format!("{}\n", merged.tree_id)),
            StateFile::write("MERGE_MSG", text),
        ];
        let names_commit = match item.action {
            SequenceAction::Revert => true,
            SequenceAction::Pick => !self.options.no_commit && !self.context.helped,
        };
        if names_commit {
            files.push(StateFile::write(item.action.head_file(), format!("{}\n", item.commit)));
        } else if self.context.helped {
            files.extend(removed(self.repo, &["CHERRY_PICK_HEAD"])?);
        }
        Ok(files)
    }

    /// Moves the branch to the very commit.
    fn fast_forward(&mut self, change: &Change, start: &Start, rest: Option<&Todo>) -> Result<Step> {
        let commit = change.commit.id;
        let reflog = BString::from(format!("{}: fast-forward", self.action.command()));
        let made = Made { taken: commit, commit, tree: change.commit.tree, reflog };
        self.land_commit(start, made, self.after_commit(rest, commit))?;
        self.report.commit_ids.push(commit);
        Ok(Step::Taken)
    }

    /// Lets another program merge, which changes index and work tree itself.
    fn merge_elsewhere(
        &mut self,
        name: &str,
        change: &Change,
        draft: &BString,
        rest: Option<&Todo>,
    ) -> Result<Step> {
        let item = Item { action: SequenceAction::Pick, commit: change.commit.id };
        let head = self.repo.head()?.commit();
        self.land_state(vec![StateFile::write("MERGE_MSG", draft.clone())])?;
        let options = self.options.strategy_options.clone();
        let empty = self.objects.empty_tree().0;
        let ours = head.map_or(empty, |head| head.0);
        let base = change.parent.as_ref().map_or(empty, |parent| parent.id.0);
        let call = StrategyCall { name, options: &options, base, ours, theirs: item.commit };
        let ended = match self.front.merge_by_strategy(&call) {
            Ok(code) => code,
            Err(why) => {
                let (commit, name) = (item.commit, name.to_owned());
                return Err(SequenceError::StrategyUnavailable { commit, name, why }.into());
            }
        };
        if ended == 0 || ended == 1 {
            let mut files = Vec::new();
            if !self.options.no_commit {
                files.push(StateFile::write("CHERRY_PICK_HEAD", format!("{}\n", item.commit)));
            }
            files.extend(self.safety_after(head));
            self.land_state(files)?;
        }
        if ended != 0 {
            let event = SequenceEvent::CouldNotMerge {
                commit: item.commit,
                action: SequenceAction::Pick,
                conflicts: ended == 1,
            };
            self.front.tell(event);
            self.report.status = SequenceStatus::StrategyFailed;
            self.report.stopped_at = Some(item.commit);
            return Ok(Step::Stopped);
        }
        if self.options.no_commit {
            return Ok(Step::Taken);
        }
        let ending = if self.options.edit == Some(true) { Ending::Edited } else { Ending::Hooked };
        self.commit_staged(item, change, ending, rest)
    }

    /// What a sequence is told of a commit that was made.
    pub(super) fn after_commit(&self, rest: Option<&Todo>, commit: CommitId) -> Vec<StateFile> {
        match rest {
            Some(rest) if rest.len() == 0 => vec![StateFile::remove(FOLDER)],
            Some(_) | None => self.safety_after(Some(commit)).into_iter().collect(),
        }
    }

    /// How the branch moves.
    pub(super) fn moved(&self, head: &Head, new: CommitId, reflog: BString) -> Result<RefUpdate> {
        let committer = self.actor(Role::Committer).unwrap_or_else(|_| self.repo.recorder());
        Ok(RefUpdate {
            name: head.name().as_bytes().into(),
            old: head.commit(),
            new: Some(new),
            reflog,
            committer: self.with_time(committer),
        })
    }

    pub(super) fn reflog_word(&self) -> String {
        self.context.reflog_action.clone().unwrap_or_else(|| self.action.command().to_owned())
    }

    /// Whether the sequence is one, and its list names this as the last.
    pub(super) fn is_last(&self, rest: Option<&Todo>) -> Result<bool> {
        match rest {
            Some(rest) => Ok(rest.len() == 0),
            None => Ok(!is_there(self.repo, LIST_FILE)?),
        }
    }
}

/// Whether the index gets stages of the path; a folder that was renamed to two places has none.
fn has_stages(conflict: &Conflict) -> bool {
    let stages = &conflict.stages;
    stages.base.is_some() || stages.ours.is_some() || stages.theirs.is_some()
}
